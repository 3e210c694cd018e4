// What publishing a book costs its writer and its readers.
//
// OBW1 s1 is played through one book, published after every command, with readers that do nothing but read. Times are
// those of chunks of 500 commands; the median and the 99th percentile of them, so that what the machine takes the
// processor away for shows in the tail and not in the median. The writer is alone on core 0 and the readers share the
// others: on two cores two readers take turns.
// Answers are checked first: the fills of the stream, the depth at its end, and every depth that a reader keeps is
// sorted.
#include <unistd.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <outcry/actors/market_publication.hpp>
#include <outcry/actors/market_view.hpp>
#include <outcry/actors/simulated_market.hpp>
#include <outcry/runtime/tsc_clock.hpp>

#include "obw1_commands.hpp"
#include "report.hpp"

using namespace outcry;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t commands_a_chunk = 500;
volatile std::uint64_t sink;

std::string bench_name() { return "bench-" + std::to_string(getpid()); }

struct Spread {
  std::vector<double> ns;

  double at(double part) {
    std::sort(ns.begin(), ns.end());
    return ns[static_cast<std::size_t>(part * static_cast<double>(ns.size() - 1))];
  }
};

/// The book's consumer, as a desk: trades are published as they happen.
struct Desk {
  SymbolPublication* publication;
  obw1::Fills fills{};
  std::int64_t now_ns = 0;

  template <class Event>
  void on(const Event& event) {
    if constexpr (requires { publication->on(event); })
      if (publication != nullptr) publication->on(event);
    if constexpr (std::is_same_v<Event, Traded>) {
      fills.add(event.taker.value, event.maker.value, static_cast<std::uint64_t>(event.price.units),
                event.quantity.lots);
      if (publication != nullptr) publication->trade(event.price, event.quantity, event.taker_side, false, now_ns);
    }
  }
};

/// Nanoseconds a command, chunk by chunk.
Spread play(const obw1::Stream& stream, SymbolPublication* publication, const MarketView* market) {
  Instrument instrument;
  OrderPool pool(OrderPool::Size{.orders = 1u << 15});
  OrderBook<> book(instrument, pool, BookSize{.orders = 1u << 15});
  Desk desk{.publication = publication};
  const auto carry_out = [&](const obw1::Record& record) {
    ++desk.now_ns;
    obw1::with_command(record, [&]<class Command>(const Command& command) {
      if constexpr (std::is_same_v<Command, NewOrder>) book.submit(command, desk);
      if constexpr (std::is_same_v<Command, CancelOrder>) book.cancel(command, desk);
      if constexpr (std::is_same_v<Command, ReduceOrder>) book.reduce(command, desk);
      if constexpr (std::is_same_v<Command, ReplaceOrder>) book.replace(command, desk);
    });
    if (publication != nullptr) publication->book(book, desk.now_ns);
  };

  const TscClock& clock = TscClock::process();
  std::size_t next = 0;
  for (; next < stream.header.prefill; ++next) carry_out(stream.records[next]);
  Spread spread;
  while (next + commands_a_chunk <= stream.records.size()) {
    const std::int64_t begin = clock.now_ns();
    for (std::size_t i = 0; i < commands_a_chunk; ++i) carry_out(stream.records[next++]);
    spread.ns.push_back(static_cast<double>(clock.now_ns() - begin) / commands_a_chunk);
  }
  for (; next < stream.records.size(); ++next) carry_out(stream.records[next]);

  if (!(desk.fills == stream.answer())) bench::Report::wrong("the fills of OBW1");
  if (market == nullptr) return spread;
  std::array<DepthLevel, PublishedDepth::most_levels> bids{};
  const std::size_t levels = book.depth(Side::buy, bids);
  const auto depth = (*market)[0].depth();
  if (!depth || depth->bid_levels != levels) bench::Report::wrong("the depth at the end");
  for (std::size_t i = 0; i < levels; ++i)
    if (!(depth->rows[i].bid == bids[i])) bench::Report::wrong("a level at the end");
  if ((*market)[0].trade_count() != desk.fills.count) bench::Report::wrong("the trades at the end");
  return spread;
}

/// Readers that look without a pause, on the cores that the writer has not.
class Readers {
 public:
  Readers(const std::string& name, int count) {
    const int others = std::max(1, static_cast<int>(std::thread::hardware_concurrency()) - 1);
    for (int i = 0; i < count; ++i)
      threads_.emplace_back([this, name, core = 1 + i % others] {
        bench::pin_to_core(core);
        const MarketView market(name);
        const SymbolView symbol = market[0];
        std::uint64_t looks = 0, busy = 0;
        while (!over_.load(std::memory_order_relaxed)) {
          ++looks;
          const auto depth = symbol.block().depth.load(1);
          if (!depth) {
            ++busy;
            continue;
          }
          for (std::size_t level = 1; level < depth->bid_levels; ++level)
            if (depth->rows[level].bid.price >= depth->rows[level - 1].bid.price) torn_.store(true);
          if (depth->bid_levels != 0 && depth->ask_levels != 0 && depth->rows[0].bid.price >= depth->rows[0].ask.price)
            torn_.store(true);
        }
        looks_ += looks;
        busy_ += busy;
      });
  }
  /// Gives the share of looks that met the writer.
  double end() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    if (torn_) bench::Report::wrong("a depth that is not in order");
    return looks_ == 0 ? 0 : static_cast<double>(busy_) / static_cast<double>(looks_);
  }

 private:
  std::atomic<bool> over_{false}, torn_{false};
  std::atomic<std::uint64_t> looks_{0}, busy_{0};
  std::vector<std::thread> threads_;
};

void writer(bench::Report& report, const obw1::Stream& stream) {
  constexpr int rounds = 3;
  Spread bare;
  std::array<Spread, 3> published;
  std::array<double, 3> met{};
  const auto append = [](Spread& to, Spread from) { to.ns.insert(to.ns.end(), from.ns.begin(), from.ns.end()); };
  for (int round = 0; round < rounds; ++round) {
    append(bare, play(stream, nullptr, nullptr));
    for (int count = 0; count < 3; ++count) {
      MarketPublication publication(bench_name(), "a benchmark", std::array{Instrument{}});
      const MarketView market(bench_name());
      Readers readers(bench_name(), count);
      append(published[static_cast<std::size_t>(count)], play(stream, &publication[SymbolId{0}], &market));
      met[static_cast<std::size_t>(count)] = readers.end();
    }
  }
  report.add("bare.ns", bare.at(0.5), "ns/command");
  report.add("bare.p99.ns", bare.at(0.99), "ns/command");
  for (std::size_t count = 0; count < 3; ++count) {
    const std::string name = "publish.readers_" + std::to_string(count);
    report.add(name + ".ns", published[count].at(0.5) - bare.at(0.5), "ns/command");
    report.add(name + ".p99.ns", published[count].at(0.99) - bare.at(0.5), "ns/command");
    if (count != 0) report.add(name + ".met_writer", 100 * met[count], "% of looks");
  }
}

/// Nanoseconds an operation, of the median of chunks.
template <class Work>
double median_ns(Work work) {
  constexpr int chunks = 301, operations = 2'000;
  const TscClock& clock = TscClock::process();
  Spread spread;
  for (int chunk = 0; chunk < chunks; ++chunk) {
    const std::int64_t begin = clock.now_ns();
    for (int i = 0; i < operations; ++i) work(static_cast<std::uint64_t>(i));
    spread.ns.push_back(static_cast<double>(clock.now_ns() - begin) / operations);
  }
  return spread.at(0.5);
}

PublishedDepth some_depth() {
  PublishedDepth depth{.bid_levels = 10, .ask_levels = 10};
  for (std::size_t i = 0; i < depth.rows.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    depth.rows[i] = {{.price = Price{1000 - at}, .volume = 100, .orders = 1},
                     {.price = Price{1001 + at}, .volume = 100, .orders = 1}};
  }
  return depth;
}

/// The stores one by one: all words of a depth against those that changed, with a reader of the whole depth and
/// without.
void stores(bench::Report& report) {
  for (const int readers : {0, 1}) {
    struct Blocks {
      SequenceLock<TopOfBook> top;
      alignas(64) SequenceLock<PublishedDepth> depth;
      SequenceRing<PublishedTrade, 256> trades;
    };
    const auto blocks = std::make_unique<Blocks>();
    std::atomic<bool> over{false};
    std::thread reader;
    if (readers != 0)
      reader = std::thread([&] {
        bench::pin_to_core(1);
        std::uint64_t sum = 0;
        while (!over.load(std::memory_order_relaxed)) {
          if (const auto depth = blocks->depth.load(1)) sum += depth->rows[9].ask.volume;
          if (const auto top = blocks->top.load(1)) sum += top->bid_volume;
          sum += blocks->trades.count();
        }
        sink = sum;
      });
    const std::string with = ".readers_" + std::to_string(readers) + ".ns";
    PublishedDepth depth = some_depth();
    report.add("store.depth.all_words" + with, median_ns([&](std::uint64_t i) {
                 depth.rows[i % 4].bid.volume = i;
                 depth.sequence = i;
                 blocks->depth.store(depth);
               }),
               "ns");
    report.add("change.depth.one_level" + with, median_ns([&](std::uint64_t i) {
                 depth.rows[i % 4].bid.volume = i;
                 depth.sequence = i + 1;
                 blocks->depth.change([&](auto set) {
                   set(0, depth.sequence);
                   set(3 + 6 * (i % 4) + 1, i);  // the volume of a bid
                 });
               }),
               "ns");
    report.add("store.top" + with,
               median_ns([&](std::uint64_t i) { blocks->top.store({.bid_volume = i, .sequence = i}); }), "ns");
    report.add("store.trade" + with,
               median_ns([&](std::uint64_t i) { blocks->trades.push({.time_ns = static_cast<std::int64_t>(i)}); }),
               "ns");
    over = true;
    if (reader.joinable()) reader.join();
    if (!(blocks->depth.load()->rows == depth.rows)) bench::Report::wrong("the depth that was stored");
  }
}

void readers(bench::Report& report, const obw1::Stream& stream) {
  MarketPublication publication(bench_name(), "a benchmark", std::array{Instrument{}});
  const MarketView market(bench_name());
  play(stream, &publication[SymbolId{0}], &market);
  const SymbolView symbol = market[0];
  const auto all = [&](const std::string& with) {
    std::uint64_t sum = 0;
    report.add("read.top" + with,
               median_ns([&](std::uint64_t) { sum += symbol.top().value_or(TopOfBook{}).bid_volume; }), "ns");
    report.add("read.depth_3" + with, median_ns([&](std::uint64_t) {
                 std::array<DepthRow, 3> rows{};
                 sum += symbol.depth(rows).value_or(0) + rows[2].ask.volume;
               }),
               "ns");
    report.add("read.depth_10" + with,
               median_ns([&](std::uint64_t) { sum += symbol.depth().value_or(PublishedDepth{}).rows[9].ask.volume; }),
               "ns");
    report.add("read.counters" + with,
               median_ns([&](std::uint64_t) { sum += symbol.counters().value_or(PublishedCounters{}).sequence; }),
               "ns");
    TradeFollower follower = symbol.follow_trades(256);
    report.add("read.trade" + with, median_ns([&](std::uint64_t) {
                 if (const auto trade = follower.next()) {
                   sum += trade->quantity.lots;
                 } else {
                   follower = symbol.follow_trades(256);
                 }
               }),
               "ns");
    sink = sum;
  };
  all(".idle.ns");

  // The same, and the writer works as fast as it can.
  std::atomic<bool> over{false};
  std::thread writing([&] {
    bench::pin_to_core(1);
    while (!over.load(std::memory_order_relaxed)) play(stream, &publication[SymbolId{0}], nullptr);
  });
  all(".writing.ns");
  over = true;
  writing.join();

  report.add("writer_state.ns", median_ns([&](std::uint64_t i) {
                                  if (i % 100 == 0) sink = static_cast<std::uint64_t>(market.writer().silent_ns);
                                }) * 100,
             "ns");
}

/// The running system with it and without.
void system(bench::Report& report) {
  SimulationOptions options{.length = 3000s, .measure = false};
  options.zero_intelligence = ZeroIntelligence{.epsilon = 0.2};
  SimulationOptions public_options = options;
  public_options.publish = bench_name();
  double alone = 1e9, published = 1e9, watched = 1e9;
  std::uint64_t commands = 0;
  for (int run = 0; run < 3; ++run) {
    SimulatedMarket bare(options);
    const SimulationReport first = bare.run();
    alone = std::min(alone, first.wall_s);
    commands = first.commands;
    SimulationReport second;
    {
      SimulatedMarket market(public_options);
      second = market.run();
      published = std::min(published, second.wall_s);
    }
    SimulatedMarket market(public_options);
    Readers reader(bench_name(), 1);
    const SimulationReport third = market.run();
    reader.end();
    watched = std::min(watched, third.wall_s);
    if (first.digest != second.digest || first.digest != third.digest)
      bench::Report::wrong("the digest of a published market");
  }
  const auto rate = [&](double seconds) { return static_cast<double>(commands) / seconds; };
  report.add("w1.commands_per_s.unpublished", rate(alone), "commands/s");
  report.add("w1.commands_per_s.published", rate(published), "commands/s");
  report.add("w1.commands_per_s.published.readers_1", rate(watched), "commands/s");
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("publication", argc, argv);
  bench::pin_to_core(0);
  const obw1::Stream stream = obw1::generate({.messages = 1'000'000});
  writer(report, stream);
  stores(report);
  readers(report, stream);
  system(report);
  return report.finish();
}
