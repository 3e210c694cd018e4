#include "actors_bench.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <outcry/actors/symbol.hpp>
#include <outcry/runtime/runtime.hpp>
#include <outcry/runtime/tsc_clock.hpp>

#include "obw1_commands.hpp"

namespace bench {

namespace {

using namespace outcry;
using obw1::account;
using obw1::with_command;

constexpr std::size_t chunk = 10'000;

Instrument instrument(std::uint32_t symbol) {
  Instrument instrument;
  instrument.symbol = SymbolId{symbol};
  return instrument;
}

OrderPool::Size pool_size(const obw1::Stream& stream) {
  const auto live = static_cast<std::uint32_t>(stream.header.prefill);
  return {.orders = live * 2 + 1024, .limit = live * 4 + 4096};
}

BookSize book_size(const obw1::Stream& stream) { return {.orders = 2 * stream.header.prefill / stream.header.symbols}; }

/// Reads the events of the bare books.
struct Reader {
  std::vector<obw1::Fills> fills;
  void on(const Traded& event) {
    fills[event.symbol.value].add(event.taker.value, event.maker.value, static_cast<std::uint64_t>(event.price.units),
                                  event.quantity.lots);
  }
  std::uint64_t others = 0;
  void on(const auto& event) {
    if constexpr (requires { event.id; }) others += event.id.value;
  }
};

struct Run {
  double ns_per_message = 0;
  std::vector<obw1::Fills> fills;
};

double median_ns(std::vector<std::int64_t>& times) {
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return static_cast<double>(times[times.size() / 2]) / static_cast<double>(chunk);
}

Run bare(const obw1::Stream& stream) {
  OrderPool pool(pool_size(stream));
  std::vector<std::unique_ptr<OrderBook<>>> books;
  for (std::uint32_t i = 0; i < stream.header.symbols; ++i)
    books.push_back(std::make_unique<OrderBook<>>(instrument(i), pool, book_size(stream)));
  Reader reader;
  reader.fills.resize(stream.header.symbols);
  std::vector<std::int64_t> times;
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < stream.records.size(); ++i) {
    if (i >= stream.header.prefill && (i - stream.header.prefill) % chunk == 0) {
      const std::int64_t now = TscClock::process().now_ns();
      if (begin != 0) times.push_back(now - begin);
      begin = now;
    }
    const obw1::Record& record = stream.records[i];
    OrderBook<>& book = *books[record.symbol];
    with_command(record, [&]<class Command>(const Command& command) {
      if constexpr (std::is_same_v<Command, NewOrder>) book.submit(command, reader);
      if constexpr (std::is_same_v<Command, CancelOrder>) book.cancel(command, reader);
      if constexpr (std::is_same_v<Command, ReduceOrder>) book.reduce(command, reader);
      if constexpr (std::is_same_v<Command, ReplaceOrder>) book.replace(command, reader);
    });
  }
  return {median_ns(times), std::move(reader.fills)};
}

using SinkSelf = Self<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced>;

Actor sink(SinkSelf self, std::vector<obw1::Fills>* fills) {
  OrderId maker{};
  std::uint64_t others = 0;
  while (auto batch = co_await self.receive_batch(1024)) {
    batch.each([&]<class Event>(const Event& event) {
      if constexpr (std::is_same_v<Event, Filled>) {
        if (event.maker != 0) {
          maker = event.id;
        } else {
          (*fills)[event.symbol.value].add(event.id.value, maker.value, static_cast<std::uint64_t>(event.price.units),
                                           event.quantity.lots);
        }
      } else {
        others += event.id.value;
      }
    });
  }
}

/// A feed that does nothing with what it is told.
Actor feed(Self<MarketByOrder> self, std::uint64_t* changes) {
  while (auto batch = co_await self.receive_batch(1024)) {
    batch.each([&](const MarketByOrder& change) { *changes += change.id.value != 0; });
  }
}

Actor source(Self<> self, const obw1::Stream* stream, std::vector<SymbolAddress> symbols,
             std::vector<std::int64_t>* times, bool stamps) {
  constexpr std::size_t batch = 64;
  std::int64_t begin = 0;
  std::int64_t arrival_ns = 0;
  for (std::size_t i = 0; i < stream->records.size(); ++i) {
    if (i >= stream->header.prefill && (i - stream->header.prefill) % chunk == 0) {
      const std::int64_t now = TscClock::process().now_ns();
      if (begin != 0) times->push_back(now - begin);
      begin = now;
    }
    if (i % batch == 0) {
      co_await self.yield();
      if (stamps) arrival_ns = TscClock::process().now_ns();
    }
    const obw1::Record& record = stream->records[i];
    const SymbolAddress& symbol = symbols[record.symbol];
    with_command(record, [&](const auto& command) { symbol.send(command); }, arrival_ns);
  }
  co_await self.yield();
  self.runtime().stop();
}

Run through_actors(const obw1::Stream& stream, bool stamps, bool orders = false) {
  const std::uint32_t count = static_cast<std::uint32_t>(stream.header.symbols);
  OrderPool pool(pool_size(stream));
  StageTimes stages;
  Run run;
  run.fills.resize(count);
  std::vector<std::int64_t> times;
  Runtime runtime({.schedulers = 1, .idle = IdlePolicy::spin});
  const auto ears = runtime.spawn({.mailbox = {.capacity = 1u << 16, .when_full = WhenFull::refuse}}, sink, &run.fills);
  std::uint64_t changes = 0;
  Address<MarketByOrder> told;
  if (orders) told = runtime.spawn({.mailbox = {.capacity = 1u << 16}}, feed, &changes);
  std::vector<SymbolAddress> symbols;
  for (std::uint32_t i = 0; i < count; ++i) {
    SymbolOptions options;
    options.instrument = instrument(i);
    options.pool = &pool;
    options.book_size = book_size(stream);
    options.stamps = StampClock::machine;
    options.stages = stamps ? &stages : nullptr;
    options.first_account = account;
    symbols.push_back(
        runtime.spawn({.mailbox = {.capacity = 4096, .when_full = WhenFull::refuse}}, symbol, std::move(options)));
    symbols.back().send(EnterSymbol{account, ears});
    if (orders) symbols.back().send(SubscribeOrders{told});
  }
  runtime.spawn(source, &stream, symbols, &times, stamps);
  runtime.run();
  run.ns_per_message = median_ns(times);
  if (orders && changes < stream.records.size() / 2) Report::wrong("a feed was not told of changes");
  return run;
}

}  // namespace

void measure_actors(Report& report, const char* name, const obw1::Stream& stream) {
  double best_bare = 1e9, best_actors = 1e9, best_stamped = 1e9, best_told = 1e9;
  for (int round = 0; round < 3; ++round) {
    const Run alone = bare(stream);
    const Run actors = through_actors(stream, false);
    const Run stamped = through_actors(stream, true);
    const Run told = through_actors(stream, false, true);
    if (actors.fills != alone.fills || stamped.fills != alone.fills || told.fills != alone.fills)
      Report::wrong(std::string("OBW1 through actors, ") + name);
    best_bare = std::min(best_bare, alone.ns_per_message);
    best_actors = std::min(best_actors, actors.ns_per_message);
    best_stamped = std::min(best_stamped, stamped.ns_per_message);
    best_told = std::min(best_told, told.ns_per_message);
  }
  const std::string prefix = std::string("actors.") + name;
  report.add(prefix + ".bare_ns", best_bare, "ns/message");
  report.add(prefix + ".ns_per_message", best_actors, "ns/message");
  report.add(prefix + ".ratio_to_bare", best_actors / best_bare, "ratio", at_most(3));
  report.add(prefix + ".stamped_ns", best_stamped, "ns/message");
  report.add(prefix + ".stamps_cost_ns", best_stamped - best_actors, "ns/message");
  report.add(prefix + ".orders_cost_ns", best_told - best_actors, "ns/message");  // a subscriber to orders
}

}  // namespace bench
