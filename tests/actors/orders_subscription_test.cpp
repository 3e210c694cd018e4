// Subscribers to orders over actors: nothing is left out, however small their mailbox is.
#include <outcry/actors/market_feed.hpp>
#include <outcry/actors/symbol.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <outcry/runtime/runtime.hpp>

#include "desk_rig.hpp"
#include "drawn_trading.hpp"
#include "feed_rig.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry_test;
using namespace std::chrono_literals;

namespace {

struct Begin {
  std::uint64_t unused = 0;
};
using Collector = Self<MarketByOrder, Down>;

/// A feed that is slower than its symbols, and ends after the last of them.
Actor collector(Collector self, std::vector<SymbolAddress> symbols, std::vector<Address<Begin>> traders,
                MarketFeed* feed, Packets* packets, Duration rest) {
  for (const SymbolAddress& symbol : symbols) {
    self.monitor(symbol);
    auto sent = symbol.send(SubscribeOrders{self.address()});
    co_await sent;
  }
  for (const Address<Begin>& trader : traders) trader.send(Begin{});
  for (std::size_t left = symbols.size(); left != 0;) {
    auto batch = co_await self.receive_batch(16);
    if (!batch) break;
    const std::int64_t now_ns = to_ns(self.now());
    batch.each([&]<class M>(const M& message) {
      if constexpr (std::is_same_v<M, Down>)
        --left;
      else
        feed->take(message, now_ns, *packets);
    });
    if (rest != Duration(0)) co_await self.sleep(rest);
  }
}

/// Ends its symbol when it has sent all that it wants.
Actor trading(Self<Begin> self, SymbolAddress symbol, Instrument instrument, std::uint64_t seed, int commands) {
  const auto begin = co_await self.receive();
  if (!begin) co_return;
  Profile profile{.name = "actors", .instrument = instrument};
  DrawnMarket market(profile, seed);
  for (int i = 0; i < commands; ++i) {
    Task<> sending = send_drawn(symbol, market.next(60));
    co_await sending;
  }
  symbol.stop();
}

struct Outcome {
  std::uint64_t messages = 0;
  std::uint64_t refused = 0;
  bool equal = true;
};

Outcome play(RuntimeOptions world, std::uint32_t capacity, Duration rest, std::uint64_t seed, int commands) {
  constexpr std::uint32_t symbols = 3;
  std::vector<Instrument> instruments;
  for (std::uint32_t i = 0; i < symbols; ++i) instruments.push_back(feed_instrument(i));
  MarketFeed feed({.session = "DAY1", .instruments = instruments}, 0);
  Packets packets;
  feed.begin(0, packets);
  std::array<SymbolCounts, symbols> counts;
  {
    Runtime runtime(world);
    const bool is_live = world.time != WorldTime::virtually;
    std::vector<SymbolAddress> addresses;
    for (std::uint32_t i = 0; i < symbols; ++i)
      addresses.push_back(runtime.spawn({.scheduler = is_live ? 0 : -1, .mailbox = {.capacity = 256}}, symbol,
                                        SymbolOptions{.instrument = instruments[i], .counts = &counts[i]}));
    std::vector<Address<Begin>> traders;
    for (std::uint32_t i = 0; i < symbols; ++i)
      traders.push_back(
          runtime.spawn({.scheduler = is_live ? 0 : -1}, trading, addresses[i], instruments[i], seed + i, commands));
    runtime.spawn({.scheduler = is_live ? static_cast<int>(world.schedulers) - 1 : -1,
                   .mailbox = {.capacity = capacity, .when_full = WhenFull::wait}},
                  collector, addresses, traders, &feed, &packets, rest);
    runtime.run();
  }
  Outcome outcome{feed.counts().messages, feed.counts().refused};
  for (std::uint32_t i = 0; i < symbols; ++i)
    outcome.equal &= feed.book({i})->book().order_count() == counts[i].orders_live;
  return outcome;
}

}  // namespace

TEST_CASE("a feed with a mailbox of four messages gets every change, in virtual time and live") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  const Outcome roomy = play({.time = WorldTime::virtually}, 1u << 16, 0ns, seed, 3'000);
  CHECK(roomy.messages > 5'000);
  CHECK(roomy.refused == 0);
  CHECK(roomy.equal);
  for (const bool slow : {false, true}) {
    CAPTURE(slow);
    const Outcome narrow = play({.time = WorldTime::virtually}, 4, slow ? Duration(10us) : Duration(0), seed, 3'000);
    CHECK(narrow.refused == 0);
    CHECK(narrow.equal);
    CHECK(narrow.messages == roomy.messages);
  }
  for (const std::uint32_t schedulers : {1u, 2u}) {
    CAPTURE(schedulers);
    const Outcome live = play({.schedulers = schedulers}, 4, 0ns, seed, 3'000);
    CHECK(live.refused == 0);
    CHECK(live.equal);
    CHECK(live.messages == roomy.messages);
  }
}

namespace {

Actor listening(Self<MarketByOrder> self, std::vector<MarketByOrder>* heard) {
  while (const auto change = co_await self.receive()) heard->push_back(*change);
}

std::string kinds(const std::vector<MarketByOrder>& heard) {
  std::string text;
  constexpr const char* names[] = {"added",  "executed", "reduced", "deleted", "replaced",
                                   "hidden", "cross",    "phase",   "broken"};
  for (const MarketByOrder& one : heard)
    text += std::string(names[static_cast<int>(one.kind)]) + ' ' + std::to_string(one.id.value) + ' ' +
            std::to_string(one.quantity.lots) + ", ";
  return text;
}

NewOrder limit(std::uint64_t id, Side side, std::int64_t price, std::uint32_t quantity) {
  return {.id = {id}, .price = {price}, .quantity = {quantity}, .account = {1}, .side = side};
}

}  // namespace

TEST_CASE("a second subscriber begins with the book as it is, and hears the same from then on") {
  std::vector<MarketByOrder> first, second;
  Runtime runtime({.time = WorldTime::virtually});
  SymbolOptions options{.instrument = feed_instrument(0)};
  const SymbolAddress market = runtime.spawn(symbol, options);
  const auto play = [&] { runtime.run_until(runtime.now() + 1ms); };
  market.send(SubscribeOrders{runtime.spawn(listening, &first)});
  market.send(limit(1, Side::buy, 100, 10));
  market.send(limit(2, Side::buy, 100, 20));
  market.send(limit(3, Side::sell, 105, 30));
  play();
  market.send(SubscribeOrders{runtime.spawn(listening, &second)});
  market.send(limit(4, Side::sell, 100, 15));
  play();

  CHECK(kinds(first) == "phase 0 0, added 1 10, added 2 20, added 3 30, executed 1 10, executed 2 5, ");
  CHECK(kinds(second) == "phase 0 0, added 1 10, added 2 20, added 3 30, executed 1 10, executed 2 5, ");
  CHECK(second.back().trade == 2);
}

TEST_CASE("a trade that is broken is told once; one that the symbol keeps no more, or never made, is not") {
  std::vector<MarketByOrder> heard;
  Runtime runtime({.time = WorldTime::virtually});
  SymbolOptions options{.instrument = feed_instrument(0), .breakable_trades = 2};
  const SymbolAddress market = runtime.spawn(symbol, options);
  market.send(SubscribeOrders{runtime.spawn(listening, &heard)});
  market.send(limit(1, Side::buy, 100, 30));
  for (std::uint64_t id = 2; id < 5; ++id) market.send(limit(id, Side::sell, 100, 10));
  for (const std::uint32_t trade : {0u, 1u, 3u, 3u, 4u, 2u}) market.send(BreakTrade{.symbol = {0}, .trade = trade});
  runtime.run_until(runtime.now() + 1ms);

  CHECK(kinds(heard) == "phase 0 0, added 1 30, executed 1 10, executed 1 10, executed 1 10, broken 0 0, broken 0 0, ");
  CHECK(heard[5].trade == 3);
  CHECK(heard[6].trade == 2);
}
