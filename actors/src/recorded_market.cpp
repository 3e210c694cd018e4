// RecordedMarket: opens the files, puts the actors in their places, and says what came of it.
#include <outcry/actors/recorded_market.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include <outcry/actors/feed.hpp>
#include <outcry/actors/market_publication.hpp>
#include <outcry/actors/symbol.hpp>
#include <outcry/actors/timing.hpp>

namespace outcry {

namespace {

constexpr std::size_t first_look = 4096;             // events
constexpr std::int64_t events_per_lookahead = 4096;  // on average
constexpr AccountId strategy_account{1};

// What must be known of a file before its first event is sent.
struct Overview {
  std::vector<Instrument> instruments{};
  std::vector<SeedOrder> seed{};
  std::int64_t first_ns = 0;
  std::int64_t last_ns = 0;  // of the events looked at
  std::int64_t events = 0;   // looked at
  std::uint32_t symbols_with_events = 0;
  SymbolId first_symbol{};  // that has events
};

/// Reads on while instruments may still turn up: ITCH and Databento to the end, the formats of one symbol for a first look.
Overview overview_of(RecordReader& reader, Format format) {
  Overview overview;
  std::vector<HistoryEvent> batch(first_look);
  std::vector<bool> has_events;
  while (const std::size_t size = reader.read(batch)) {
    if (overview.events == 0) {
      overview.first_ns = batch.front().time_ns;
      overview.first_symbol = batch.front().symbol;
    }
    overview.events += static_cast<std::int64_t>(size);
    overview.last_ns = batch[size - 1].time_ns;
    has_events.resize(reader.instruments().size());
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint32_t symbol = batch[i].symbol.value;
      if (has_events[symbol]) continue;
      has_events[symbol] = true;
      ++overview.symbols_with_events;
    }
    if (format != Format::itch && format != Format::dbn) break;
  }
  overview.instruments.assign(reader.instruments().begin(), reader.instruments().end());
  for (const SeedLevel& level : reader.seed_levels())
    overview.seed.push_back({level.side, level.price, level.quantity});
  return overview;
}

/// Only the feed crosses sites if there is no strategy, so the lookahead is ours to choose: long enough that schedulers
/// seldom meet, short enough that little is under way. It follows from the file alone, so that digests are equal.
Duration lookahead_for(const Overview& overview) {
  const std::int64_t span_ns = overview.last_ns - overview.first_ns;
  const std::int64_t wanted_ns = span_ns / std::max<std::int64_t>(overview.events, 1) * events_per_lookahead;
  return Duration(std::clamp<std::int64_t>(wanted_ns, 10'000, 1'000'000'000));
}

class Comparison final : public BookProbe {
 public:
  Comparison(const std::string& file, std::size_t most_levels)
      : reference_(file, most_levels), bids_(reference_.levels()), asks_(reference_.levels()) {}

  void after(const HistoryEvent& event, const OrderBook<>& book) override {
    if (!reference_.due(event)) return;
    const std::size_t bids = book.depth(Side::buy, bids_);
    const std::size_t asks = book.depth(Side::sell, asks_);
    reference_.compare(std::span(bids_).first(bids), std::span(asks_).first(asks));
  }

  void report(ReplayReport& report) {
    reference_.finish();
    report.rows_compared = reference_.rows_compared();
    report.rows_equal = reference_.rows_equal();
    report.rows_missing = reference_.rows_missing();
    report.rows_extra = reference_.rows_extra();
    report.verified = reference_.all_equal();
    const Reference::Difference& first = reference_.first_difference();
    if (!first.expected.empty()) {
      const std::string line = first.line == 0 ? "after the last line" : fmt::format("line {}", first.line);
      report.first_difference = fmt::format("{}: expected {}, found {}", line, first.expected, first.found);
    } else if (reference_.error() != nullptr) {
      report.first_difference = reference_.error()->what();
    }
  }

 private:
  Reference reference_;
  std::vector<DepthLevel> bids_, asks_;
};

const char* noun_of(HistoryKind kind) {
  switch (kind) {
    case HistoryKind::add: return "an entry";
    case HistoryKind::execute: return "an execution";
    case HistoryKind::reduce: return "a reduction";
    case HistoryKind::remove: return "a removal";
    case HistoryKind::replace: return "a replacement";
    case HistoryKind::hidden_execute: return "a hidden execution";
    case HistoryKind::cross: return "a cross";
    case HistoryKind::clear: return "a clearing";
    case HistoryKind::halt: return "a halt";
    case HistoryKind::resume: return "a resumption";
  }
  return "an event";
}

std::string sentence_of(const HistoryLedger::Failure& failure, Place place) {
  std::string found = fmt::format("{} of order {}", noun_of(failure.kind), failure.id.value);
  std::string expected;
  switch (failure.reason) {
    case Reason::unknown_order:
      found += ", which is not in the book";
      expected = "an order that was entered and is still open";
      break;
    case Reason::duplicate_id:
      found += " under an id that is in the book";
      expected = "an id that is not in use";
      break;
    case Reason::quantity_exceeds_open:
      found += fmt::format(" by {}", failure.quantity.lots);
      expected = fmt::format("no more than the {} that are open", failure.open.lots);
      break;
    default:
      found += fmt::format(" that the book refuses: {}", to_string(failure.reason));
      expected = "an event that fits the book";
  }
  return InputError(std::move(place), std::move(found), std::move(expected)).what();
}

}  // namespace

struct RecordedMarket::Parts {
  // A ledger is written by one scheduler while others write theirs.
  struct alignas(64) SymbolLedger {
    HistoryLedger ledger;
    SymbolCounts counts;
  };

  std::unique_ptr<RecordReader> reader;
  Overview overview;
  Duration lookahead{};
  bool complete = true;  // the recording shows every order that it names
  std::optional<Comparison> comparison;
  std::vector<SymbolLedger> ledgers;
  std::vector<std::unique_ptr<OrderPool>> pools;         // by scheduler
  std::vector<std::unique_ptr<StageTimes>> stage_times;  // by scheduler, once they were gathered
  FeedState feed;
  std::optional<MarketPublication> publication;
  std::atomic<bool> asked_to_stop{false};
  std::optional<Runtime> runtime;
};

RecordedMarket::RecordedMarket(ReplayOptions options)
    : options_(std::move(options)), parts_(std::make_unique<Parts>()) {
  if (options_.schedulers == 0) throw std::invalid_argument("a replay needs at least one scheduler");
  if (options_.strategy != nullptr && options_.strategy_latency <= Duration::zero())
    throw std::invalid_argument("the latency of a strategy must be positive");
  const Format format = options_.format ? *options_.format : recognise(options_.file);
  const ReaderOptions reading{.lenient = options_.lenient, .orderbook = options_.orderbook};
  const auto first = open_records(options_.file, format, reading);
  parts_->overview = overview_of(*first, format);
  parts_->reader = open_records(options_.file, format, reading);
  parts_->complete = format != Format::lobster;
  parts_->lookahead = options_.strategy != nullptr ? options_.strategy_latency : lookahead_for(parts_->overview);
  instruments_ = parts_->overview.instruments;

  if (!options_.verify.empty()) {
    if (parts_->overview.symbols_with_events > 1)
      throw InputError({options_.file}, fmt::format("events of {} symbols", parts_->overview.symbols_with_events),
                       fmt::format("events of one symbol, to compare with {}", options_.verify));
    parts_->comparison.emplace(options_.verify, options_.verify_levels);
  }
  if (!options_.publish.empty())
    parts_->publication.emplace(options_.publish,
                                "replay of " + std::filesystem::path(options_.file).filename().string(), instruments_);
  parts_->ledgers.resize(instruments_.size());
  for (std::uint32_t i = 0; i < options_.schedulers; ++i) {
    parts_->pools.push_back(std::make_unique<OrderPool>(options_.pools.after({.limit = 1u << 24}, i)));
    if (options_.measure) stage_times_.push_back(std::make_unique<StageTimes>());
    if (!options_.tape_folder.empty()) tapes_.push_back(std::make_unique<Tape>(options_.tape_folder));
  }
}

RecordedMarket::~RecordedMarket() = default;

void RecordedMarket::stop() noexcept {
  parts_->asked_to_stop.store(true, std::memory_order_relaxed);
  parts_->feed.stop.store(true, std::memory_order_relaxed);
}

double RecordedMarket::progress() const {
  const std::uint64_t total = parts_->reader->bytes_total();
  if (total == 0) return 1;
  return static_cast<double>(parts_->feed.bytes.load(std::memory_order_relaxed)) / static_cast<double>(total);
}

std::uint64_t RecordedMarket::messages() const { return parts_->feed.messages.load(std::memory_order_relaxed); }

ReplayReport RecordedMarket::run() {
  Parts& parts = *parts_;
  if (parts.runtime) throw std::logic_error("a recorded market is played once");
  const auto began = std::chrono::steady_clock::now();
  const bool has_strategy = options_.strategy != nullptr;

  // What a strategy asks for as it starts reaches the symbols before the first event does.
  const Time start = time_from_ns(parts.overview.first_ns) - 2 * parts.lookahead;
  RuntimeOptions runtime_options;
  runtime_options.schedulers = options_.schedulers;
  runtime_options.time = WorldTime::virtually;
  runtime_options.seed = options_.seed;
  runtime_options.latency.between_sites = parts.lookahead;
  runtime_options.start = start;
  runtime_options.frame_bytes = options_.pools.frame_bytes();
  runtime_options.mailbox_bytes = options_.pools.message_bytes();
  runtime_options.processors = options_.processors;
  runtime_options.memory = options_.memory;
  Runtime& runtime = parts.runtime.emplace(std::move(runtime_options));
  const auto symbols = static_cast<std::uint32_t>(instruments_.size());
  const auto on_its_scheduler = [&](const auto& things, std::uint32_t site) {
    return things.empty() ? nullptr : things[site % options_.schedulers].get();
  };

  FeedOptions feeding{.reader = parts.reader.get(), .state = &parts.feed, .lookahead = parts.lookahead};
  std::vector<TraderSetup::Listed> listed;
  for (std::uint32_t site = 0; site < symbols; ++site) {
    SymbolOptions symbol_options{.instrument = instruments_[site],
                                 .pool = on_its_scheduler(parts.pools, site),
                                 .stamps = StampClock::machine,
                                 .stages = on_its_scheduler(stage_times_, site),
                                 .tape = on_its_scheduler(tapes_, site),
                                 .first_account = strategy_account,
                                 .recorded = true,
                                 .unknown_orders = parts.complete ? UnknownOrders::stop : UnknownOrders::count,
                                 .ledger = &parts.ledgers[site].ledger};
    symbol_options.counts = &parts.ledgers[site].counts;
    if (parts.publication) symbol_options.publication = &(*parts.publication)[SymbolId{site}];
    if (symbols > 256) symbol_options.book_size = {.window = {.levels = 64}, .orders = 32};
    if (site == 0) symbol_options.seed = parts.overview.seed;
    if (!options_.lenient) symbol_options.failed = &parts.feed.stop;
    if (parts.comparison && site == parts.overview.first_symbol.value) symbol_options.probe = &*parts.comparison;
    const SymbolAddress address = runtime.spawn({.name = name_of(instruments_[site]),
                                                 .site = site,
                                                 .mailbox = {.capacity = 1u << 20, .when_full = WhenFull::refuse}},
                                                symbol, std::move(symbol_options));
    feeding.symbols.push_back(address);
    listed.push_back({instruments_[site], address});
  }
  runtime.spawn({.name = "feed", .site = symbols}, feed, std::move(feeding));
  if (has_strategy)
    runtime.spawn({.name = "strategy",
                   .site = symbols + 1,
                   .mailbox = {.capacity = 1u << 20, .when_full = WhenFull::refuse},
                   .compute = options_.strategy_compute},
                  trader,
                  TraderSetup{.strategy = options_.strategy,
                              .symbols = std::move(listed),
                              .account = strategy_account,
                              .fees = options_.fees,
                              .stamps = StampClock::machine,
                              .stages = on_its_scheduler(stage_times_, symbols + 1),
                              .report = &trader_report_});

  runtime.run();  // until the feed has sent its last event
  Time end = std::max(start, time_from_ns(parts.feed.last_ns));
  if (has_strategy) end = later(end, 4 * parts.lookahead + options_.strategy_compute);  // its last orders are answered
  runtime.run_until(std::max(end, runtime.now()));
  ReplayReport report;
  for (const auto& pool : parts.pools) report.pools.orders.push_back(pool->report());  // their books still live
  report.pools.frames = runtime.frame_pools();
  report.pools.messages = runtime.ring_pools();
  runtime.stop_actors();

  for (const Parts::SymbolLedger& symbol : parts.ledgers) {
    report.ledger += symbol.ledger;
    report.orders_live += symbol.counts.orders_live;
    report.books += symbol.counts.book;
  }
  report.messages = parts.reader->messages();
  report.symbols = symbols;
  report.trades = report.ledger.trades;
  report.shares = report.ledger.shares;
  report.broken = parts.reader->broken() + report.ledger.broken_events;
  report.refused = runtime.mailbox_counters().refused;
  report.digest = runtime.digest();
  report.from = time_from_ns(parts.feed.first_ns);
  report.to = time_from_ns(parts.feed.last_ns);
  report.stopped = parts.asked_to_stop.load(std::memory_order_relaxed);
  if (!options_.lenient) {
    // All that the feed sent was played: whichever scheduler met it first, the earliest failure is among them, and it
    // lies in front of where the reader stopped.
    if (const HistoryLedger::Failure& failure = report.ledger.first_failure; report.ledger.failed())
      report.error = sentence_of(failure, parts.reader->place_of(failure.record));
    else if (parts.reader->error() != nullptr)
      report.error = parts.reader->error()->what();
  }
  if (parts.comparison) parts.comparison->report(report);
  report.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (options_.measure) {
    parts.stage_times = std::exchange(stage_times_, {});  // actors may still point there
    stage_times_.push_back(gather_stage_times(runtime, parts.stage_times));
  }
  return report;
}

}  // namespace outcry
