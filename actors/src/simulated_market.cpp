// SimulatedMarket: builds the cast and plays it.
#include <outcry/actors/simulated_market.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include <outcry/actors/agents.hpp>
#include <outcry/actors/market_publication.hpp>
#include <outcry/actors/risk_gate.hpp>
#include <outcry/actors/session.hpp>
#include <outcry/actors/symbol.hpp>
#include <outcry/actors/timing.hpp>
#include <outcry/book/rule_state.hpp>

namespace outcry {

namespace {

constexpr std::uint32_t symbol_mailbox = 1u << 16;
constexpr std::uint32_t strategy_mailbox = 1u << 20;
constexpr AccountId strategy_account{0x7FFF'0000};
constexpr Price zero_intelligence_start{10'000'000};

Instrument stock(std::uint32_t number) {
  char name[16];
  std::snprintf(name, sizeof name, "S%04u", number);
  Instrument instrument;
  instrument.symbol = SymbolId{number};
  instrument.name = padded_name(name);
  instrument.price_scale = 100;
  return instrument;
}

void check(const SimulationOptions& options) {
  const auto refuse = [](const std::string& sentence) { throw std::invalid_argument(sentence); };
  if (options.symbols == 0 || options.symbols > 100'000)
    refuse("symbols must be 1 to 100000, not " + std::to_string(options.symbols));
  if (options.schedulers == 0 || options.schedulers > 256)
    refuse("schedulers must be 1 to 256, not " + std::to_string(options.schedulers));
  if (!(options.pace >= 0)) refuse("the pace must not be below zero");
  if (options.length <= Duration::zero()) refuse("the simulated time must be longer than zero");
  if (options.strategy != nullptr && options.strategy_latency <= Duration::zero())
    refuse("the strategy's latency must be longer than zero");
  const AgentBehaviour& behaviour = options.behaviour;
  for (const double share : {behaviour.icebergs, behaviour.hidden, behaviour.stops, behaviour.pegs})
    if (!(share >= 0 && share <= 1)) refuse("a share of the noise agents' orders must be from 0 to 1");
  if (behaviour.icebergs + behaviour.hidden + behaviour.stops + behaviour.pegs > 1 + 1e-9)
    refuse("icebergs, hidden orders, stops and pegs must not be more than all orders");
  if (options.has_rules() && options.zero_intelligence)
    refuse("w1 is a model without rules, phases and special orders");
  if (options.rules)
    RuleState(*options.rules, stock(0), {}, std::pmr::get_default_resource());  // throws if they make no sense
  if (options.session) {
    const std::vector<SessionStep> steps = steps_of(*options.session);
    if (!steps.empty() && steps.back().at > options.length)
      refuse("the session must not last longer than the market is simulated");
  }
  if (!options.zero_intelligence) return;
  const ZeroIntelligence& model = *options.zero_intelligence;
  if (options.strategy != nullptr) refuse("w1 is a closed model: no strategy takes part in it");
  if (!(model.epsilon > 0) || !(model.limit_rate > 0) || !(model.market_rate > 0) || model.width == 0)
    refuse("the rates, the width and epsilon of w1 must be greater than zero");
}

}  // namespace

struct SimulatedMarket::Parts {
  explicit Parts(RuntimeOptions options) : runtime(std::move(options)) {}

  std::vector<std::unique_ptr<OrderPool>> pools;  // one for each scheduler
  std::vector<std::unique_ptr<Fundamental>> fundamentals;
  std::vector<SymbolCounts> counts;
  std::vector<SpreadStatistics> spreads;
  std::vector<std::unique_ptr<StageTimes>> stage_times;  // one for each scheduler, once they were gathered
  std::uint64_t agents = 0;
  Time end{};
  std::optional<MarketPublication> publication;
  std::unique_ptr<PreTradeRisk> risk;  // of a strategy with limits
  std::atomic<bool> asked_to_stop{false};
  Runtime runtime;  // last: its actors use the rest
};

SimulatedMarket::SimulatedMarket(SimulationOptions options) : options_(std::move(options)) {
  check(options_);
  const bool w1 = options_.zero_intelligence.has_value();
  const Duration length = options_.length + (w1 ? options_.zero_intelligence->warm_up() : Duration::zero());
  RuntimeOptions runtime_options{
      .schedulers = options_.schedulers,
      .time = WorldTime::virtually,
      .seed = options_.seed,
      .latency = {.within_site = Duration::zero(),
                  .between_sites = options_.strategy != nullptr ? options_.strategy_latency : forever},
      .frame_bytes = options_.pools.frame_bytes(),
      // Sites run on their own for a stretch, which keeps each in the cache, but all come along for progress and tapes.
      .window = std::max(length / 100, Duration(std::chrono::seconds(1))),
  };
  runtime_options.mailbox_bytes = options_.pools.message_bytes();
  runtime_options.processors = options_.processors;
  runtime_options.memory = options_.memory;
  parts_ = std::make_unique<Parts>(std::move(runtime_options));
  Parts& parts = *parts_;
  parts.end = Time{} + length;
  parts.counts.resize(options_.symbols);
  parts.spreads.resize(options_.symbols);

  for (std::uint32_t i = 0; i < options_.schedulers; ++i) {
    const NearScheduler near(parts.runtime.memory(), i);
    parts.pools.push_back(std::make_unique<OrderPool>(
        options_.pools.after({.orders = 1u << 12, .limit = 1u << 26, .chunk = 1u << 14}, i)));
    if (options_.measure) stage_times_.push_back(std::make_unique<StageTimes>());
    if (!options_.tape_folder.empty()) tapes_.push_back(std::make_unique<Tape>(options_.tape_folder));
  }

  for (std::uint32_t s = 0; s < options_.symbols; ++s) instruments_.push_back(stock(s));
  if (!options_.publish.empty()) {
    const std::string title = w1 ? "w1" : "simulated market";
    parts.publication.emplace(options_.publish, title + ", seed " + std::to_string(options_.seed), instruments_);
  }

  Random placement(options_.seed, 0x5EA75);
  const std::uint32_t agents_each = w1 ? 1 : options_.agents.noise + options_.agents.value + options_.agents.makers;
  std::vector<TraderSetup::Listed> listed;
  for (std::uint32_t s = 0; s < options_.symbols; ++s) {
    const std::uint32_t scheduler = s % options_.schedulers;
    SymbolOptions symbol_options;
    symbol_options.instrument = instruments_[s];
    symbol_options.pool = parts.pools[scheduler].get();
    symbol_options.stages = options_.measure ? stage_times_[scheduler].get() : nullptr;
    symbol_options.tape = tapes_.empty() ? nullptr : tapes_[scheduler].get();
    symbol_options.first_account = AccountId{1 + (w1 ? 0 : s * agents_each)};
    symbol_options.counts = &parts.counts[s];
    if (options_.has_rules()) symbol_options.rules = options_.rules.value_or(BookRules{});
    symbol_options.check = options_.check;
    if (parts.publication) symbol_options.publication = &(*parts.publication)[SymbolId{s}];
    const SymbolAddress address =
        parts.runtime.spawn({.name = name_of(instruments_[s]),
                             .site = s,
                             .mailbox = {.capacity = symbol_mailbox, .when_full = WhenFull::refuse}},
                            symbol, std::move(symbol_options));
    listed.push_back({instruments_[s], address, options_.has_rules()});
    if (options_.has_rules())
      parts.runtime.spawn({.name = "session", .site = s}, session, address, SymbolId{s},
                          options_.session.value_or(SessionPlan{}));

    if (w1) {
      parts.runtime.spawn({.name = "zero intelligence",
                           .site = s,
                           .mailbox = {.capacity = symbol_mailbox, .when_full = WhenFull::refuse}},
                          zero_intelligence, address, *options_.zero_intelligence, zero_intelligence_start,
                          Time{} + options_.zero_intelligence->warm_up(), &parts.spreads[s]);
      ++parts.agents;
      continue;
    }
    const AgentBehaviour& behaviour = options_.behaviour;
    parts.fundamentals.push_back(std::make_unique<Fundamental>(behaviour.fundamental_price,
                                                               behaviour.fundamental_volatility, 1.0 / 3600,
                                                               Random(options_.seed, mix64(0xF00D, s))));
    std::uint32_t account = s * agents_each;
    const auto cast = [&](const char* name, std::uint32_t count, Actor (*agent)(AgentSelf, AgentSetup)) {
      for (std::uint32_t i = 0; i < count; ++i) {
        const auto distance = Duration(
            1 + static_cast<std::int64_t>(placement.below(static_cast<std::uint64_t>(behaviour.distance.count()))));
        parts.runtime.spawn({.name = name,
                             .site = s,
                             .mailbox = {.capacity = 4096, .when_full = WhenFull::refuse},
                             .distance = distance,
                             .compute = behaviour.compute},
                            agent,
                            AgentSetup{.symbol = address,
                                       .symbol_id = SymbolId{s},
                                       .account = AccountId{++account},
                                       .behaviour = &options_.behaviour,
                                       .fundamental = parts.fundamentals.back().get(),
                                       .has_rules = options_.has_rules()});
        ++parts.agents;
      }
    };
    cast("maker", options_.agents.makers, maker_agent);
    cast("value", options_.agents.value, value_agent);
    cast("noise", options_.agents.noise, noise_agent);
  }

  if (options_.strategy != nullptr) {
    const std::uint32_t site = options_.symbols;
    if (options_.strategy_limits) {
      parts.risk = std::make_unique<PreTradeRisk>(RiskSize{.symbols = options_.symbols});
      parts.risk->add_account(strategy_account, *options_.strategy_limits);
      const SpawnOptions spawning{
          .name = "risk gate", .site = site, .mailbox = {.capacity = symbol_mailbox, .when_full = WhenFull::refuse}};
      std::vector<SymbolAddress> symbols;
      for (TraderSetup::Listed& one : listed) {
        symbols.push_back(one.address);
        one.address = parts.runtime.spawn(
            spawning, risk_gate,
            RiskGateSetup{.symbol = one.address, .id = one.instrument.symbol, .risk = parts.risk.get()});
      }
      parts.runtime.spawn({.name = "reference prices",
                           .site = site,
                           .mailbox = {.capacity = symbol_mailbox, .when_full = WhenFull::refuse}},
                          risk_reference, std::move(symbols), parts.risk.get());
    }
    TraderSetup setup;
    setup.strategy = options_.strategy;
    setup.symbols = std::move(listed);
    setup.account = strategy_account;
    setup.fees = options_.fees;
    setup.stages = options_.measure ? stage_times_[site % options_.schedulers].get() : nullptr;
    setup.report = &trader_report_;
    parts.runtime.spawn({.name = "strategy",
                         .site = site,
                         .mailbox = {.capacity = strategy_mailbox, .when_full = WhenFull::refuse},
                         .compute = options_.strategy_compute},
                        trader, std::move(setup));
  }
}

SimulatedMarket::~SimulatedMarket() = default;

SimulationReport SimulatedMarket::run() {
  Runtime& runtime = parts_->runtime;
  const auto begin = std::chrono::steady_clock::now();
  if (options_.pace > 0) {
    play_at_pace();
  } else {
    runtime.run_until(parts_->end);
  }
  SimulationReport report;
  report.stopped = runtime.stopped() || (options_.pace > 0 && parts_->asked_to_stop.load(std::memory_order_relaxed));
  const MailboxCounters mailboxes = runtime.mailbox_counters();
  for (const auto& pool : parts_->pools) report.pools.orders.push_back(pool->report());  // their books still live
  report.pools.frames = runtime.frame_pools();
  report.pools.messages = runtime.ring_pools();
  runtime.stop_actors();
  report.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  const SchedulerCounters counters = runtime.counters();
  report.symbols = options_.symbols;
  if (parts_->risk)
    for (int reason = 1; reason < risk_reasons; ++reason)
      report.limited += parts_->risk->refused(static_cast<RiskReason>(reason));
  report.agents = parts_->agents;
  report.delivered = counters.delivered;
  report.refused = mailboxes.refused + counters.refused;
  report.failures = counters.failures;
  for (const SymbolCounts& counts : parts_->counts) {
    report.commands += counts.commands;
    report.trades += counts.trades;
    report.shares += counts.shares;
    report.books += counts.book;
    report.auctions.insert(report.auctions.end(), counts.auctions.begin(), counts.auctions.end());
    if (report.wrong.empty()) report.wrong = counts.wrong;
  }
  std::sort(report.auctions.begin(), report.auctions.end(), [](const AuctionResult& a, const AuctionResult& b) {
    return std::tuple(a.time_ns, a.symbol, a.price, a.volume) < std::tuple(b.time_ns, b.symbol, b.price, b.volume);
  });
  report.simulated = runtime.now() - Time{};
  report.digest = runtime.digest();
  if (options_.zero_intelligence) {
    for (const SpreadStatistics& spread : parts_->spreads) {
      report.spread_over_pc += spread.mean / options_.zero_intelligence->characteristic_price() / options_.symbols;
      report.spread_cv += (spread.mean > 0 ? spread.deviation / spread.mean : 0) / options_.symbols;
    }
  }
  if (options_.measure) {
    parts_->stage_times = std::exchange(stage_times_, {});  // actors may still point there
    stage_times_.push_back(gather_stage_times(runtime, parts_->stage_times));
  }
  return report;
}

/// A little of the world at a time, as far as the clock on the wall has come.
void SimulatedMarket::play_at_pace() {
  constexpr auto step = std::chrono::milliseconds(20);
  Runtime& runtime = parts_->runtime;
  const auto begin = std::chrono::steady_clock::now();
  while (!parts_->asked_to_stop.load(std::memory_order_relaxed)) {
    const std::chrono::duration<double, std::nano> wall = std::chrono::steady_clock::now() - begin;
    const double due_ns = wall.count() * options_.pace;
    const double left_ns = static_cast<double>((parts_->end - Time{}).count());
    const Time due = due_ns < left_ns ? Time{} + Duration(static_cast<std::int64_t>(due_ns)) : parts_->end;
    runtime.run_until(due);
    if (parts_->publication) parts_->publication->beat();
    if (due == parts_->end || runtime.stopped()) return;
    std::this_thread::sleep_for(step);
  }
}

void SimulatedMarket::stop() noexcept {
  parts_->asked_to_stop.store(true, std::memory_order_relaxed);
  parts_->runtime.stop();
}
Duration SimulatedMarket::progress() const { return parts_->runtime.progress() - Time{}; }
std::uint64_t SimulatedMarket::delivered() const { return parts_->runtime.delivered_so_far(); }

}  // namespace outcry
