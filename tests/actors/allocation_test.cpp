// What a symbol without rules allocates once it is warm: this program counts every operator new.
#include <outcry/actors/symbol.hpp>

#include <doctest/doctest.h>

#include <vector>

#include <outcry/book/order_pool.hpp>
#include <outcry/runtime/runtime.hpp>

#include "tests/counted_allocations.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using outcry_test::allocations;
using namespace std::chrono_literals;

namespace {

using OwnerSelf = Self<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced, Quote, TradePrint>;

/// A command each microsecond, of every kind; it hears what comes of them.
Actor owner(OwnerSelf self, SymbolAddress market, std::uint64_t* heard) {
  constexpr std::uint64_t ids = 200;  // used again and again
  market.send(EnterSymbol{AccountId{1}, self.address()});
  market.send(SubscribeQuotes{self.address()});
  market.send(SubscribeTrades{self.address()});
  Random& random = self.random();
  Time next = self.now();
  while (!self.stopping()) {
    next += 1us;
    for (;;) {
      const auto message = co_await self.receive_until(next);
      if (!message) break;
      ++*heard;
    }
    const OrderId id{1 + random.below(ids)};
    const Side side = random.coin() ? Side::buy : Side::sell;
    const Price price{1'000 + static_cast<std::int64_t>(random.below(20))};
    const Quantity quantity{1 + static_cast<std::uint32_t>(random.below(10))};
    switch (random.below(5)) {
      case 0: market.send(CancelOrder{.id = id, .account = {1}}); break;
      case 1: market.send(ModifyOrder{.id = id, .price = price, .quantity = quantity, .account = {1}}); break;
      case 2: market.send(ReduceOrder{.id = id, .by = quantity, .account = {1}}); break;
      default:
        market.send(NewOrder{.id = id, .price = price, .quantity = quantity, .account = {1}, .side = side});
        break;
    }
  }
}

}  // namespace

TEST_CASE("a symbol without rules, its owners and its listeners allocate nothing once they are warm") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  std::uint64_t heard = 0;
  OrderPool pool(OrderPool::Size{.orders = 1024});
  Runtime runtime({.time = WorldTime::virtually, .seed = seed, .latency = {.within_site = 100ns}});
  const MailboxOptions mailbox{.capacity = 1u << 12, .when_full = WhenFull::refuse};
  SymbolOptions options{.pool = &pool, .book_size = {.orders = 1024}, .first_account = {1}};
  const SymbolAddress market = runtime.spawn({.mailbox = mailbox}, symbol, std::move(options));
  runtime.spawn({.mailbox = mailbox}, owner, market, &heard);

  runtime.run_until(time_from_ns(0) + 100ms);
  const std::int64_t before = allocations.load();
  const std::uint64_t heard_before = heard;
  runtime.run_until(time_from_ns(0) + 400ms);

  CHECK(allocations.load() == before);
  CHECK(heard - heard_before > 300'000);
}
