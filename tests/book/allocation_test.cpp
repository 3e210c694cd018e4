// Counts every allocation of this program, which is why it is one of its own.
#include <doctest/doctest.h>

#include <outcry/book/order_book.hpp>
#include "tests/book/drawn_market.hpp"
#include "tests/counted_allocations.hpp"
#include "tests/seed.hpp"

using namespace outcry_test;

namespace {
struct Counter {
  std::uint64_t events = 0;
  template <class Event>
  void on(const Event&) {
    ++events;
  }
};
}  // namespace

TEST_CASE("a million commands after warm-up allocate nothing") {
  const std::uint64_t seed = test_seed();
  MESSAGE("seed " << seed);
  const Profile wide{.name = "wider than usual", .target = 3'000, .width = 200, .far_percent = 5, .jump_percent = 0};
  const Profile usual{.name = "usual", .target = 2'000, .width = 60, .far_percent = 1, .drift_percent = 0};
  OrderPool pool;
  OrderBook<> book({}, pool);
  Counter counter;
  std::vector<Command> commands;
  commands.reserve(10'000);
  // The market wants to know how many orders live, so it is drawn against the book itself, a stretch at a time.
  const auto allocations_over = [&](const Profile& profile, int stretches) {
    DrawnMarket market(profile, seed);
    std::size_t sum = 0;
    for (int stretch = 0; stretch < stretches; ++stretch) {
      commands.clear();
      for (int i = 0; i < 10'000; ++i) commands.push_back(market.next(book.order_count()));
      const std::int64_t before = allocations;
      for (const Command& command : commands) carry_out(command, book, counter);
      sum += allocations - before;
    }
    return sum;
  };

  const std::int64_t warming = allocations_over(wide, 30);
  book.clear(Reason::requested, counter);
  const std::int64_t running = allocations_over(usual, 100);

  CHECK(warming > 0);  // the hooks do count
  CHECK(running == 0);
  CHECK(counter.events > 1'000'000);
}

TEST_CASE("a window of levels that follows the market allocates nothing while it need not grow") {
  OrderPool pool;
  OrderBook<> book({}, pool, {.window = {256, 256}});
  Counter counter;
  std::uint64_t id = 0;
  const auto follow = [&](std::int64_t from, std::int64_t to) {
    const std::int64_t before = allocations;
    for (std::int64_t middle = from; middle < to; ++middle) {
      book.submit(NewOrder{.id = {++id}, .price = {middle}, .quantity = {1}}, counter);
      book.submit(NewOrder{.id = {++id}, .price = {middle + 50}, .quantity = {1}, .side = Side::sell}, counter);
      if (id > 80) book.cancel(CancelOrder{.id = {id - 80}}, counter);
      if (id > 80) book.cancel(CancelOrder{.id = {id - 79}}, counter);
    }
    return allocations - before;
  };

  CHECK(follow(0, 1'000) > 0);
  CHECK(follow(1'000, 100'000) == 0);
  CHECK(book.counts().cancels > 150'000);
  CHECK(book.check() == "");
}

TEST_CASE("auctions after the first allocate nothing: indicative prices, the uncross, what is left over") {
  OrderPool pool;
  OrderBook<> book({}, pool);
  book.set_rules({.self_trade = SelfTrade::decrement, .allocation = Allocation::pro_rata});
  Counter counter;
  std::uint64_t id = 0;
  const auto hold_auction = [&] {
    const std::int64_t before = allocations;
    book.change_phase({.phase = Phase::auction}, counter);
    for (std::int64_t tick = 0; tick < 40; ++tick)
      for (const Side side : {Side::buy, Side::sell}) {
        const bool without_price = tick % 10 == 3;
        book.submit(SpecialOrder{.id = {++id},
                                 .price = {1000 + (side == Side::buy ? tick : -tick)},
                                 .quantity = {20},
                                 .part = {tick % 10 == 0 ? 5u : 0u},
                                 .account = {static_cast<std::uint32_t>(tick % 4)},
                                 .side = side,
                                 .type = without_price ? SpecialType::market_to_limit : SpecialType::limit,
                                 .terms = tick % 10 == 0   ? Terms::reserve
                                          : tick % 10 == 1 ? Terms::hidden
                                                           : Terms::none},
                    counter);
        counter.events += book.indicative().has_value();
      }
    book.change_phase({.phase = Phase::continuous}, counter);
    book.submit(NewOrder{.id = {++id}, .price = {990}, .quantity = {300}, .side = Side::sell}, counter);
    book.clear(Reason::requested, counter);
    return allocations - before;
  };

  CHECK(hold_auction() > 0);
  for (int i = 0; i < 50; ++i) CHECK(hold_auction() == 0);
  CHECK(book.counts().trades > 500);
}
