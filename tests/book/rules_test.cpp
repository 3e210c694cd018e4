// The rules, drawn: a book before, a command, what the book says, the book after.
#include <doctest/doctest.h>

#include <string>

#include <outcry/book/order_book.hpp>
#include "event_list.hpp"

using namespace outcry_test;

namespace {

/// A book on its own with short ways to ask it something; prices and sizes as in the drawings.
struct Desk {
  explicit Desk(Instrument instrument = {}, OrderPool::Size size = {}) : pool(size), book(instrument, pool) {}

  std::string said() {
    const std::string text = events.text();
    events.clear();
    CHECK(book.check() == "");
    return std::string("\n").append(text);
  }
  std::string drawn() const { return std::string("\n").append(book.to_string()); }

  void submit(NewOrder order) { book.submit(order, events); }
  void buy(std::uint64_t id, std::uint32_t lots, std::int64_t price) { submit(order(id, Side::buy, lots, price)); }
  void sell(std::uint64_t id, std::uint32_t lots, std::int64_t price) { submit(order(id, Side::sell, lots, price)); }
  static NewOrder order(std::uint64_t id, Side side, std::uint32_t lots, std::int64_t price) {
    return {.id = {id}, .price = {price}, .quantity = {lots}, .side = side};
  }

  OrderPool pool;
  OrderBook<> book;
  EventList events;
};

NewOrder with(NewOrder order, TimeInForce time_in_force) { return order.time_in_force = time_in_force, order; }
NewOrder with(NewOrder order, OrderType type) { return order.type = type, order; }
NewOrder with(NewOrder order, PostOnly post_only) { return order.post_only = post_only, order; }
NewOrder of(NewOrder order, std::uint32_t account) { return order.account = {account}, order; }

/// Begins with the book that most of the drawings begin with.
struct DrawnDesk : Desk {
  DrawnDesk() {
    sell(1, 5, 101);
    sell(2, 7, 101);
    sell(3, 10, 102);
    buy(4, 8, 99);
    REQUIRE(drawn() == R"(
sell 102 | 3:10
sell 101 | 1:5 2:7
buy  99 | 4:8
)");
    said();
  }
};

}  // namespace

TEST_CASE("an order that does not cross rests behind those before it") {
  DrawnDesk desk;

  desk.buy(5, 3, 99);
  desk.buy(6, 1, 100);

  CHECK(desk.said() == R"(
accepted 5: buy 3 at 99
accepted 6: buy 1 at 100
)");
  CHECK(desk.drawn() == R"(
sell 102 | 3:10
sell 101 | 1:5 2:7
buy  100 | 6:1
buy  99 | 4:8 5:3
)");
}

TEST_CASE(
    "a crossing order takes the best price first, the oldest first, at the makers' prices; the rest of it rests") {
  DrawnDesk desk;

  desk.buy(5, 25, 102);

  CHECK(desk.said() == R"(
accepted 5: buy 25 at 102
traded 5 at 101: 5 took from 1, which has 0 left
traded 7 at 101: 5 took from 2, which has 0 left
traded 10 at 102: 5 took from 3, which has 0 left
)");
  CHECK(desk.drawn() == R"(
buy  102 | 5:3
buy  99 | 4:8
)");
}

TEST_CASE("a partly filled order keeps its place in the queue") {
  DrawnDesk desk;

  desk.buy(5, 2, 101);
  desk.buy(6, 4, 101);

  CHECK(desk.said() == R"(
accepted 5: buy 2 at 101
traded 2 at 101: 5 took from 1, which has 3 left
accepted 6: buy 4 at 101
traded 3 at 101: 6 took from 1, which has 0 left
traded 1 at 101: 6 took from 2, which has 6 left
)");
}

TEST_CASE("what is left of an immediate-or-cancel order leaves") {
  DrawnDesk desk;

  desk.submit(with(Desk::order(5, Side::buy, 20, 101), TimeInForce::immediate_or_cancel));

  CHECK(desk.said() == R"(
accepted 5: buy 20 at 101
traded 5 at 101: 5 took from 1, which has 0 left
traded 7 at 101: 5 took from 2, which has 0 left
cancelled 5: 8 at 101, immediate_or_cancel
)");
  CHECK(desk.drawn() == R"(
sell 102 | 3:10
buy  99 | 4:8
)");
}

TEST_CASE("a fill-or-kill order trades all or nothing, over as many levels as it takes") {
  DrawnDesk desk;

  desk.submit(with(Desk::order(5, Side::buy, 23, 102), TimeInForce::fill_or_kill));
  CHECK(desk.said() == R"(
accepted 5: buy 23 at 102
cancelled 5: 23 at 102, fill_or_kill
)");

  desk.submit(with(Desk::order(5, Side::buy, 22, 102), TimeInForce::fill_or_kill));
  CHECK(desk.said() == R"(
accepted 5: buy 22 at 102
traded 5 at 101: 5 took from 1, which has 0 left
traded 7 at 101: 5 took from 2, which has 0 left
traded 10 at 102: 5 took from 3, which has 0 left
)");
}

TEST_CASE("a market order takes at any price, and what nobody sells is cancelled") {
  DrawnDesk desk;

  desk.submit(with(Desk::order(5, Side::buy, 30, 0), OrderType::market));

  CHECK(desk.said() == R"(
accepted 5: buy 30 at 0
traded 5 at 101: 5 took from 1, which has 0 left
traded 7 at 101: 5 took from 2, which has 0 left
traded 10 at 102: 5 took from 3, which has 0 left
cancelled 5: 8 at 0, no_liquidity
)");
  CHECK(desk.drawn() == R"(
buy  99 | 4:8
)");
}

TEST_CASE("a post-only order never takes: not new, not modified, not replaced") {
  DrawnDesk desk;
  desk.submit(with(Desk::order(5, Side::buy, 3, 101), PostOnly::yes));
  desk.submit(with(Desk::order(5, Side::buy, 3, 100), PostOnly::yes));

  desk.book.modify(ModifyOrder{.id = {5}, .price = {101}, .quantity = {3}}, desk.events);
  desk.book.replace(ReplaceOrder{.id = {5}, .new_id = {6}, .price = {105}, .quantity = {3}}, desk.events);
  desk.book.replace(ReplaceOrder{.id = {5}, .new_id = {6}, .price = {98}, .quantity = {3}}, desk.events);
  desk.book.modify(ModifyOrder{.id = {6}, .price = {101}, .quantity = {3}}, desk.events);

  CHECK(desk.said() == R"(
rejected 5: would_trade
accepted 5: buy 3 at 100
rejected 5: would_trade
rejected 5 as 6: would_trade
replaced 5 by 6: 3 at 98
rejected 6: would_trade
)");
}

TEST_CASE("terms that contradict each other are refused") {
  Desk desk;

  for (const auto time_in_force : {TimeInForce::immediate_or_cancel, TimeInForce::fill_or_kill})
    desk.submit(with(with(Desk::order(1, Side::buy, 1, 1), time_in_force), PostOnly::yes));
  desk.submit(with(with(Desk::order(1, Side::buy, 1, 1), OrderType::market), PostOnly::yes));
  desk.submit(Desk::order(0, Side::buy, 1, 1));
  desk.submit(Desk::order(1, static_cast<Side>(2), 1, 1));

  CHECK(desk.said() == R"(
rejected 1: invalid_combination
rejected 1: invalid_combination
rejected 1: invalid_combination
rejected 0: invalid_combination
rejected 1: invalid_combination
)");
}

TEST_CASE("a reduction keeps the place; by all that is open it cancels; by more it is refused") {
  DrawnDesk desk;

  desk.book.reduce(ReduceOrder{.id = {1}, .by = {2}}, desk.events);
  desk.book.reduce(ReduceOrder{.id = {1}, .by = {4}}, desk.events);
  CHECK(desk.drawn() == R"(
sell 102 | 3:10
sell 101 | 1:3 2:7
buy  99 | 4:8
)");
  desk.book.reduce(ReduceOrder{.id = {1}, .by = {3}}, desk.events);

  CHECK(desk.said() == R"(
reduced 1 by 2 to 3 at 101
rejected 1: quantity_exceeds_open
cancelled 1: 3 at 101, requested
)");
}

TEST_CASE("a modified order keeps its place only at the same price and with a smaller size") {
  DrawnDesk desk;
  const auto modify = [&](std::uint32_t lots, std::int64_t price) {
    desk.book.modify(ModifyOrder{.id = {1}, .price = {price}, .quantity = {lots}}, desk.events);
  };

  modify(4, 101);
  CHECK(desk.said() == "\nmodified 1: 4 at 101, kept its place\n");
  CHECK(desk.book.is_ahead_of({1}, {2}));

  modify(4, 101);
  CHECK(desk.said() == "\nmodified 1: 4 at 101\n");
  CHECK(desk.book.is_ahead_of({2}, {1}));
  CHECK(desk.book.quantity_ahead({1}) == 7);

  modify(1, 102);
  CHECK(desk.said() == "\nmodified 1: 1 at 102\n");
  CHECK(desk.drawn() == R"(
sell 102 | 3:10 1:1
sell 101 | 2:7
buy  99 | 4:8
)");
}

TEST_CASE("a modified order trades on its way in, before the book says that it was modified") {
  DrawnDesk desk;

  desk.book.modify(ModifyOrder{.id = {4}, .price = {101}, .quantity = {13}}, desk.events);
  CHECK(desk.said() == R"(
traded 5 at 101: 4 took from 1, which has 0 left
traded 7 at 101: 4 took from 2, which has 0 left
modified 4: 13 at 101, 1 open
)");
  CHECK(desk.drawn() == R"(
sell 102 | 3:10
buy  101 | 4:1
)");

  desk.book.modify(ModifyOrder{.id = {4}, .price = {102}, .quantity = {10}}, desk.events);
  CHECK(desk.said() == R"(
traded 10 at 102: 4 took from 3, which has 0 left
modified 4: 10 at 102, 0 open
)");
  CHECK(desk.book.empty());
  CHECK(desk.pool.in_use() == 0);
}

TEST_CASE("a replacement goes to the back with the account, time in force and post-only of the old order") {
  Desk desk;
  desk.submit(of(with(with(Desk::order(1, Side::buy, 5, 99), TimeInForce::day), PostOnly::yes), 3));
  desk.submit(of(Desk::order(2, Side::buy, 5, 99), 4));
  desk.said();

  desk.book.replace(ReplaceOrder{.id = {1}, .new_id = {9}, .price = {99}, .quantity = {4}, .account = {3}},
                    desk.events);

  CHECK(desk.said() == "\nreplaced 1 by 9: 4 at 99\n");
  CHECK(desk.drawn() == "\nbuy  99 | 2:5 9:4\n");
  CHECK(desk.book.find({9}) == OrderView{{9}, {99}, {4}, {3}, Side::buy, TimeInForce::day, PostOnly::yes});
  CHECK(!desk.book.find({1}));
}

TEST_CASE("a replacement is announced before its trades") {
  DrawnDesk desk;

  desk.book.replace(ReplaceOrder{.id = {4}, .new_id = {5}, .price = {101}, .quantity = {6}}, desk.events);

  CHECK(desk.said() == R"(
replaced 4 by 5: 6 at 101
traded 5 at 101: 5 took from 1, which has 0 left
traded 1 at 101: 5 took from 2, which has 6 left
)");
}

TEST_CASE("nobody touches an order of another account") {
  Desk desk;
  desk.submit(of(Desk::order(1, Side::buy, 5, 99), 3));
  desk.said();

  desk.book.cancel(CancelOrder{.id = {1}, .account = {4}}, desk.events);
  desk.book.reduce(ReduceOrder{.id = {1}, .by = {1}, .account = {4}}, desk.events);
  desk.book.modify(ModifyOrder{.id = {1}, .price = {9}, .quantity = {1}, .account = {4}}, desk.events);
  desk.book.replace(ReplaceOrder{.id = {1}, .new_id = {2}, .price = {9}, .quantity = {1}, .account = {4}}, desk.events);

  CHECK(desk.said() == R"(
rejected 1: unknown_order
rejected 1: unknown_order
rejected 1: unknown_order
rejected 1 as 2: unknown_order
)");
  CHECK(desk.drawn() == "\nbuy  99 | 1:5\n");
}

TEST_CASE("an id may be used again once its order is gone, not before") {
  Desk desk;
  desk.buy(1, 5, 99);
  desk.buy(1, 5, 98);
  desk.book.replace(ReplaceOrder{.id = {1}, .new_id = {1}, .price = {9}, .quantity = {1}}, desk.events);
  desk.sell(2, 5, 99);
  desk.buy(1, 5, 98);
  desk.book.cancel(CancelOrder{.id = {1}}, desk.events);
  desk.buy(1, 6, 97);

  CHECK(desk.said() == R"(
accepted 1: buy 5 at 99
rejected 1: duplicate_id
rejected 1 as 1: duplicate_id
accepted 2: sell 5 at 99
traded 5 at 99: 2 took from 1, which has 0 left
accepted 1: buy 5 at 98
cancelled 1: 5 at 98, requested
accepted 1: buy 6 at 97
)");
}

TEST_CASE("sizes and prices off the grid or out of range are refused before anything changes") {
  Desk desk({.tick = 5, .lot = 10, .lowest = {100}, .highest = {204}, .largest = {1000}});
  desk.buy(1, 0, 150);
  desk.buy(1, 1010, 150);
  desk.buy(1, 0xFFFFFFFF, 150);
  desk.buy(1, 15, 150);
  desk.buy(1, 10, 95);
  desk.buy(1, 10, 205);
  desk.buy(1, 10, INT64_MIN);
  desk.sell(1, 10, INT64_MAX);
  desk.buy(1, 10, 151);
  desk.buy(1, 1000, 100);
  desk.sell(2, 10, 200);
  desk.book.modify(ModifyOrder{.id = {1}, .price = {101}, .quantity = {10}}, desk.events);
  desk.book.reduce(ReduceOrder{.id = {1}, .by = {5}}, desk.events);
  desk.book.cancel(CancelOrder{.id = {1}, .symbol = {1}}, desk.events);

  CHECK(desk.said() == R"(
rejected 1: zero_quantity
rejected 1: quantity_too_large
rejected 1: quantity_too_large
rejected 1: off_lot
rejected 1: price_out_of_range
rejected 1: price_out_of_range
rejected 1: price_out_of_range
rejected 1: price_out_of_range
rejected 1: off_tick
accepted 1: buy 1000 at 100
accepted 2: sell 10 at 200
rejected 1: off_tick
rejected 1: off_lot
rejected 1: unknown_symbol
)");
  CHECK(desk.drawn() == R"(
sell 200 | 2:10
buy  100 | 1:1000
)");
}

TEST_CASE("when the pool is full an order that would rest is refused, one that trades is not") {
  Desk desk({}, {.orders = 2, .limit = 2, .chunk = 1});
  desk.sell(1, 5, 101);
  desk.sell(2, 5, 102);
  desk.said();

  desk.sell(3, 5, 103);
  desk.buy(3, 5, 100);
  desk.submit(with(Desk::order(3, Side::buy, 1, 101), TimeInForce::immediate_or_cancel));
  desk.buy(3, 6, 101);
  desk.sell(4, 1, 110);

  CHECK(desk.said() == R"(
rejected 3: pool_exhausted
rejected 3: pool_exhausted
accepted 3: buy 1 at 101
traded 1 at 101: 3 took from 1, which has 4 left
accepted 3: buy 6 at 101
traded 4 at 101: 3 took from 1, which has 0 left
rejected 4: pool_exhausted
)");
  CHECK(desk.pool.high_water() == 2);
}

TEST_CASE("the day's orders end with the day: bids before asks, best price first, oldest first") {
  Desk desk;
  const auto day = [&](std::uint64_t id, Side side, std::int64_t price) {
    desk.submit(with(Desk::order(id, side, 1, price), TimeInForce::day));
  };
  day(1, Side::sell, 105);
  day(2, Side::buy, 98);
  day(3, Side::buy, 99);
  desk.buy(4, 1, 99);
  day(5, Side::buy, 99);
  day(6, Side::sell, 1'000'000'000);
  day(7, Side::sell, 104);
  desk.said();

  desk.book.end_of_day(EndOfDay{}, desk.events);

  CHECK(desk.said() == R"(
cancelled 3: 1 at 99, end_of_day
cancelled 5: 1 at 99, end_of_day
cancelled 2: 1 at 98, end_of_day
cancelled 7: 1 at 104, end_of_day
cancelled 1: 1 at 105, end_of_day
cancelled 6: 1 at 1000000000, end_of_day
)");
  CHECK(desk.drawn() == "\nbuy  99 | 4:1\n");
}

TEST_CASE("recorded history trades the order that it names, wherever that stands") {
  DrawnDesk desk;

  desk.book.execute(Execution{.id = {2}, .quantity = {3}}, desk.events);
  desk.book.execute(Execution{.id = {2}, .quantity = {4}, .price = Price{100}}, desk.events);
  desk.book.execute(Execution{.id = {2}, .quantity = {1}}, desk.events);
  desk.book.execute(Execution{.id = {1}, .quantity = {6}}, desk.events);

  CHECK(desk.said() == R"(
traded 3 at 101: 0 took from 2, which has 4 left
traded 4 at 100: 0 took from 2, which has 0 left
rejected 2: unknown_order
rejected 1: quantity_exceeds_open
)");
  CHECK(desk.drawn() == R"(
sell 102 | 3:10
sell 101 | 1:5
buy  99 | 4:8
)");
}

TEST_CASE("recorded history may cross a book; who comes to trade then takes the best of it") {
  DrawnDesk desk;

  desk.book.rest(Desk::order(5, Side::buy, 4, 102), desk.events);
  CHECK(desk.drawn() == R"(
sell 102 | 3:10
sell 101 | 1:5 2:7
buy  102 | 5:4
buy  99 | 4:8
)");
  desk.sell(6, 5, 100);
  desk.book.clear(Reason::requested, desk.events);

  CHECK(desk.said() == R"(
accepted 5: buy 4 at 102
accepted 6: sell 5 at 100
traded 4 at 102: 6 took from 5, which has 0 left
cancelled 4: 8 at 99, requested
cancelled 6: 1 at 100, requested
cancelled 1: 5 at 101, requested
cancelled 2: 7 at 101, requested
cancelled 3: 10 at 102, requested
)");
}

TEST_CASE("quote and depth show the best levels of each side") {
  DrawnDesk desk;

  const Quote quote = desk.book.quote();
  std::array<DepthLevel, 3> depth;
  const std::size_t levels = desk.book.depth(Side::sell, depth);

  CHECK(quote.bid == Price{99});
  CHECK(quote.bid_quantity == 8);
  CHECK(quote.ask == Price{101});
  CHECK(quote.ask_quantity == 12);
  CHECK(levels == 2);
  CHECK(depth[0] == DepthLevel{{101}, 12, 2});
  CHECK(depth[1] == DepthLevel{{102}, 10, 1});
  CHECK(desk.book.volume(Side::sell) == 22);
  CHECK(desk.book.volume_at(Side::sell, {102}) == 10);
  CHECK(desk.book.level_count(Side::sell) == 2);
}

TEST_CASE("the book counts what it was asked and numbers its events") {
  DrawnDesk desk;
  desk.buy(5, 6, 101);
  desk.book.cancel(CancelOrder{.id = {2}}, desk.events);
  desk.book.cancel(CancelOrder{.id = {2}}, desk.events);

  const BookCounts& counts = desk.book.counts();
  CHECK(counts.new_orders == 5);
  CHECK(counts.trades == 2);
  CHECK(counts.traded == 6);
  CHECK(counts.cancels == 1);
  CHECK(counts.rejections == 1);
  CHECK(desk.book.sequence() == 5 + 2 + 1 + 1);
}

TEST_CASE("a level of 100,000 orders is filled and cancelled in order") {
  constexpr std::uint64_t orders = 100'000;
  Desk desk({}, {.orders = orders, .limit = orders + 1});
  for (std::uint64_t id = 1; id <= orders; ++id) desk.buy(id, 1 + id % 3, 100);
  CHECK(desk.book.level_count(Side::buy) == 1);
  CHECK(desk.book.check() == "");

  for (std::uint64_t id = 2; id <= orders; id += 2) desk.book.cancel(CancelOrder{.id = {id}}, desk.events);
  CHECK(desk.book.check() == "");
  desk.events.clear();
  desk.sell(orders + 1, 200'000, 100);

  std::uint64_t maker = 1, trades = 0;
  for (const auto& event : desk.events.events())
    if (const auto* traded = std::get_if<Traded>(&event)) {
      REQUIRE(traded->maker.value == maker);
      maker += 2;
      ++trades;
    }
  CHECK(trades == orders / 2);
  CHECK(desk.book.order_count(Side::buy) == 0);
  CHECK(desk.book.check() == "");
}
