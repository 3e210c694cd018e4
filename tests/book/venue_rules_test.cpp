// The rules of a venue, drawn: a book before, commands, what the book says, the book after.
// See venue.hpp.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "venue.hpp"

using namespace outcry_test;

namespace {

/// A book in which account 1 meets itself: behind 1, which is another's, stands 2, which is its own.
std::string after_meeting_oneself(SelfTrade rule, std::uint32_t lots, std::vector<std::uint32_t> groups = {}) {
  Venue venue({.self_trade = rule, .groups = std::move(groups)});
  venue.sell(1, 3, 101, 2);
  venue.sell(2, 5, 101, 1);
  venue.sell(3, 4, 101, 3);
  venue.said();
  venue.buy(4, lots, 101, 1);
  const std::string said = venue.said();
  return said + venue.drawn().substr(1);
}

}  // namespace

TEST_CASE("who would trade with itself: the newest is cancelled") {
  CHECK(after_meeting_oneself(SelfTrade::cancel_newest, 10) == R"(
accepted 4: buy 10 at 101
traded 3 at 101: 4 took from 1, which has 0 left
cancelled 4: 7 at 101, self_trade
sell 101 | 2:5 3:4
)");
}

TEST_CASE("who would trade with itself: the oldest is cancelled, and the order goes on") {
  CHECK(after_meeting_oneself(SelfTrade::cancel_oldest, 10) == R"(
accepted 4: buy 10 at 101
traded 3 at 101: 4 took from 1, which has 0 left
cancelled 2: 5 at 101, self_trade
traded 4 at 101: 4 took from 3, which has 0 left
buy  101 | 4:3
)");
}

TEST_CASE("who would trade with itself: both are cancelled") {
  CHECK(after_meeting_oneself(SelfTrade::cancel_both, 10) == R"(
accepted 4: buy 10 at 101
traded 3 at 101: 4 took from 1, which has 0 left
cancelled 2: 5 at 101, self_trade
cancelled 4: 7 at 101, self_trade
sell 101 | 3:4
)");
}

TEST_CASE("who would trade with itself: both shrink by the smaller one, which leaves") {
  CHECK(after_meeting_oneself(SelfTrade::decrement, 10) == R"(
accepted 4: buy 10 at 101
traded 3 at 101: 4 took from 1, which has 0 left
cancelled 2: 5 at 101, self_trade
reduced 4 by 5 to 2 at 101
traded 2 at 101: 4 took from 3, which has 2 left
sell 101 | 3:2
)");
  CHECK(after_meeting_oneself(SelfTrade::decrement, 5) == R"(
accepted 4: buy 5 at 101
traded 3 at 101: 4 took from 1, which has 0 left
reduced 2 by 2 to 3 at 101
cancelled 4: 2 at 101, self_trade
sell 101 | 2:3 3:4
)");
}

TEST_CASE("accounts of one group do not trade with each other") {
  CHECK(after_meeting_oneself(SelfTrade::cancel_newest, 10, {0, 7, 7}) == R"(
accepted 4: buy 10 at 101
cancelled 4: 10 at 101, self_trade
sell 101 | 1:3 2:5 3:4
)");
}

TEST_CASE("a fill-or-kill order does not count what it would have to trade with itself") {
  Venue venue({.self_trade = SelfTrade::cancel_oldest});
  venue.sell(1, 5, 101, 1);
  venue.sell(2, 5, 101, 2);
  venue.said();

  SpecialOrder kill = with(order(3, Side::buy, 6, 101), TimeInForce::fill_or_kill);
  kill.account = {1};
  venue.submit(kill);

  CHECK(venue.said() == R"(
accepted 3: buy 6 at 101
cancelled 3: 6 at 101, fill_or_kill
)");
  CHECK(venue.drawn() == "\nsell 101 | 1:5 2:5\n");
}

TEST_CASE("an order with a minimum trades at least that at once, or leaves; the rest of it is an ordinary order") {
  Venue venue;
  venue.sell(1, 3, 101);
  venue.sell(2, 3, 102);
  venue.said();

  venue.submit(with(order(3, Side::buy, 10, 101), Terms::minimum, 4));
  venue.submit(with(order(4, Side::buy, 10, 102), Terms::minimum, 4));

  CHECK(venue.said() == R"(
accepted 3: buy 10 at 101
cancelled 3: 10 at 101, minimum_quantity
accepted 4: buy 10 at 102
traded 3 at 101: 4 took from 1, which has 0 left
traded 3 at 102: 4 took from 2, which has 0 left
)");
  CHECK(venue.drawn() == "\nbuy  102 | 4:4\n");
}

TEST_CASE("an all-or-none order waits behind all others until all of it can trade") {
  Venue venue;
  venue.submit(with(order(1, Side::sell, 10, 100), Terms::all_or_none));
  venue.sell(2, 4, 100);
  venue.said();

  venue.buy(3, 9, 100);
  CHECK(venue.said() == R"(
accepted 3: buy 9 at 100
traded 4 at 100: 3 took from 2, which has 0 left
)");
  CHECK(venue.drawn() == R"(
sell 100 | {1:10}
buy  100 | 3:5
)");

  venue.buy(4, 6, 101);
  CHECK(venue.said() == R"(
accepted 4: buy 6 at 101
traded 6 at 101: 1 took from 4, which has 0 left
traded 4 at 100: 1 took from 3, which has 1 left
)");
  CHECK(venue.drawn() == "\nbuy  100 | 3:1\n");
}

TEST_CASE("a mass cancel ends the orders of an account on the sides that it names") {
  Venue venue;
  venue.buy(1, 1, 99, 1);
  venue.buy(2, 1, 99, 2);
  venue.submit(with(order(3, Side::buy, 5, 98), Terms::hidden));
  venue.sell(4, 1, 101, 1);
  venue.said();

  venue.book.mass_cancel(MassCancel{.account = {1}, .sells = 0}, venue.events);
  CHECK(venue.said() == "\ncancelled 1: 1 at 99, mass_cancelled\n");
  venue.book.mass_cancel(MassCancel{.account = {1}}, venue.events);
  CHECK(venue.said() == "\ncancelled 4: 1 at 101, mass_cancelled\n");
  venue.book.mass_cancel(MassCancel{.all_accounts = 1}, venue.events);
  CHECK(venue.said() == R"(
cancelled 2: 1 at 99, mass_cancelled
cancelled 3: 5 at 98, mass_cancelled
)");
}

TEST_CASE("a book without rules knows the mass cancel too, and refuses special orders") {
  OrderPool pool;
  OrderBook<> book({}, pool);
  EventList events;
  book.submit(NewOrder{.id = {1}, .price = {99}, .quantity = {5}, .account = {1}}, events);

  book.submit(with(order(2, Side::buy, 5, 98), Terms::hidden), events);
  book.mass_cancel(MassCancel{.account = {1}}, events);

  CHECK(events.text() ==
        "accepted 1: buy 5 at 99\n"
        "rejected 2: unsupported\n"
        "cancelled 1: 5 at 99, mass_cancelled\n");
}

TEST_CASE("the tick depends on the price, and prices outside of the static band are refused") {
  Venue venue({.ticks = {{{100}, 5}}, .reference = {100}, .static_band = 20});

  venue.buy(1, 1, 99);
  venue.sell(2, 1, 101);
  venue.sell(3, 1, 105);
  venue.sell(4, 1, 125);
  venue.buy(5, 1, 79);

  CHECK(venue.said() == R"(
accepted 1: buy 1 at 99
rejected 2: off_tick
accepted 3: sell 1 at 105
rejected 4: outside_band
rejected 5: outside_band
)");
}

TEST_CASE("no order trades further past the last trade than the dynamic band; what it would have traded there leaves") {
  Venue venue({.reference = {100}, .dynamic_band = 2});
  for (std::int64_t price = 101; price <= 104; ++price) venue.sell(static_cast<std::uint64_t>(price), 1, price);
  venue.said();

  venue.buy(1, 5, 110);
  CHECK(venue.said() == R"(
accepted 1: buy 5 at 110
traded 1 at 101: 1 took from 101, which has 0 left
traded 1 at 102: 1 took from 102, which has 0 left
cancelled 1: 3 at 110, outside_band
)");

  venue.buy(2, 5, 110);
  CHECK(venue.said() == R"(
accepted 2: buy 5 at 110
traded 1 at 103: 2 took from 103, which has 0 left
traded 1 at 104: 2 took from 104, which has 0 left
)");
}

TEST_CASE("a market order trades no further than its collar past the best price that it found") {
  Venue venue({.collar = 1});
  for (std::int64_t price = 101; price <= 104; ++price) venue.sell(static_cast<std::uint64_t>(price), 1, price);
  venue.said();

  venue.submit(with(order(1, Side::buy, 4, 0), SpecialType::market));

  CHECK(venue.said() == R"(
accepted 1: buy 4 at 0
traded 1 at 101: 1 took from 101, which has 0 left
traded 1 at 102: 1 took from 102, which has 0 left
cancelled 1: 2 at 0, collar
)");
}

TEST_CASE("while trading is halted orders may leave and shrink, nothing else") {
  Venue venue;
  venue.buy(1, 5, 99);
  venue.buy(2, 5, 99);
  venue.book.change_phase({.phase = Phase::halted}, venue.events);

  venue.sell(3, 5, 99);
  venue.book.modify(ModifyOrder{.id = {1}, .price = {98}, .quantity = {5}}, venue.events);
  venue.book.reduce(ReduceOrder{.id = {1}, .by = {1}}, venue.events);
  venue.cancel(2);
  venue.book.change_phase({.phase = Phase::continuous}, venue.events);
  venue.sell(3, 5, 99);

  CHECK(venue.said() == R"(
accepted 1: buy 5 at 99
accepted 2: buy 5 at 99
phase: halted
rejected 3: market_closed
rejected 1: market_closed
reduced 1 by 1 to 4 at 99
cancelled 2: 5 at 99, requested
phase: continuous
accepted 3: sell 5 at 99
traded 4 at 99: 3 took from 1, which has 0 left
)");
}

TEST_CASE("an iceberg displays its parts one after the other, each at the back of the queue") {
  Venue venue;
  venue.submit(with(order(1, Side::sell, 12, 101), Terms::reserve, 5));
  venue.sell(2, 4, 101);
  venue.said();
  CHECK(venue.drawn() == "\nsell 101 | 1:5+7 2:4\n");
  CHECK(venue.book.quote().ask_quantity == 9);

  venue.buy(3, 6, 101);
  CHECK(venue.said() == R"(
accepted 3: buy 6 at 101
traded 5 at 101: 3 took from 1, which has 7 left
refreshed 1: shows 5 at 101, 2 more behind it
traded 1 at 101: 3 took from 2, which has 3 left
)");
  CHECK(venue.drawn() == "\nsell 101 | 2:3 1:5+2\n");

  venue.buy(4, 20, 101);
  CHECK(venue.said() == R"(
accepted 4: buy 20 at 101
traded 3 at 101: 4 took from 2, which has 0 left
traded 5 at 101: 4 took from 1, which has 2 left
refreshed 1: shows 2 at 101, 0 more behind it
traded 2 at 101: 4 took from 1, which has 0 left
)");
  CHECK(venue.drawn() == "\nbuy  101 | 4:10\n");
}

TEST_CASE("a hidden order trades behind what is displayed at its price, and before worse prices") {
  Venue venue;
  venue.submit(with(order(1, Side::sell, 5, 101), Terms::hidden));
  venue.sell(2, 4, 101);
  venue.sell(3, 4, 102);
  venue.said();
  CHECK(venue.book.quote().ask_quantity == 4);

  venue.buy(4, 11, 102);

  CHECK(venue.said() == R"(
accepted 4: buy 11 at 102
traded 4 at 101: 4 took from 2, which has 0 left
traded 5 at 101: 4 took from 1, which has 0 left
traded 2 at 102: 4 took from 3, which has 2 left
)");
}

TEST_CASE("a market-to-limit order takes the best price only, and rests there") {
  Venue venue;
  venue.sell(1, 4, 101);
  venue.sell(2, 4, 102);
  venue.said();

  venue.submit(with(order(3, Side::buy, 6, 0), SpecialType::market_to_limit));
  CHECK(venue.said() == R"(
accepted 3: buy 6 at 0
repriced 3: 6 at 101
traded 4 at 101: 3 took from 1, which has 0 left
)");
  CHECK(venue.drawn() == R"(
sell 102 | 2:4
buy  101 | 3:2
)");
}

TEST_CASE("an order good till a time leaves when a command says that it has come") {
  Venue venue;
  venue.submit(with(order(1, Side::buy, 1, 99), TimeInForce::good_till_time, 60));
  venue.submit(with(order(2, Side::buy, 1, 99), TimeInForce::good_till_time, 50));
  venue.said();

  venue.book.expire(ExpireOrders{.now_s = 49}, venue.events);
  CHECK(venue.said() == "\n");
  venue.book.expire(ExpireOrders{.now_s = 50}, venue.events);
  CHECK(venue.said() == "\ncancelled 2: 1 at 99, expired\n");
  venue.book.expire(ExpireOrders{.now_s = 70}, venue.events);
  CHECK(venue.said() == "\ncancelled 1: 1 at 99, expired\n");
}

TEST_CASE("a trade triggers a stop, whose trade triggers the next") {
  Venue venue;
  venue.sell(1, 1, 101);
  venue.sell(2, 1, 102);
  venue.sell(3, 1, 103);
  venue.submit(with(order(4, Side::buy, 1, 0), SpecialType::stop, 102));
  venue.submit(with(order(5, Side::buy, 1, 0), SpecialType::stop, 101));
  venue.submit(with(order(6, Side::buy, 3, 103), SpecialType::stop_limit, 103));
  venue.said();
  CHECK(venue.drawn() == R"(
sell 103 | 3:1
sell 102 | 2:1
sell 101 | 1:1
stop to buy 101 | 5:1
stop to buy 102 | 4:1
stop to buy 103 | 6:3
)");

  venue.buy(7, 1, 101);

  CHECK(venue.said() == R"(
accepted 7: buy 1 at 101
traded 1 at 101: 7 took from 1, which has 0 left
triggered 5 at 101: buy 1 at the market
traded 1 at 102: 5 took from 2, which has 0 left
triggered 4 at 102: buy 1 at the market
traded 1 at 103: 4 took from 3, which has 0 left
triggered 6 at 103: buy 3 at 103
)");
  CHECK(venue.drawn() == "\nbuy  103 | 6:3\n");
}

TEST_CASE("a trailing stop follows the market up and stays when it comes down") {
  Venue venue;
  venue.submit(with(order(1, Side::sell, 1, 0), SpecialType::trailing_stop, 3));
  CHECK(venue.drawn() == "\nparked | 1:1\n");
  const auto trade_at = [&](std::uint64_t id, std::int64_t price) {
    venue.sell(id, 1, price);
    venue.buy(id + 1, 1, price);
    venue.said();
  };

  trade_at(10, 100);
  CHECK(venue.drawn() == "\nstop to sell 97 | 1:1\n");
  trade_at(20, 105);
  trade_at(30, 103);
  CHECK(venue.drawn() == "\nstop to sell 102 | 1:1\n");
  venue.buy(40, 1, 101);
  venue.buy(41, 1, 102);
  venue.sell(42, 1, 102);

  CHECK(venue.said() == R"(
accepted 40: buy 1 at 101
accepted 41: buy 1 at 102
accepted 42: sell 1 at 102
traded 1 at 102: 42 took from 41, which has 0 left
triggered 1 at 102: sell 1 at the market
traded 1 at 101: 1 took from 40, which has 0 left
)");
}

TEST_CASE("pegs follow what is displayed, each as far as its limit") {
  Venue venue;
  venue.buy(1, 1, 96);
  venue.sell(2, 1, 104);
  venue.submit(with(order(3, Side::buy, 5, 200), SpecialType::primary_peg));
  venue.submit(with(order(4, Side::buy, 5, 98), SpecialType::midpoint_peg));
  venue.submit(with(order(5, Side::buy, 5, 200), SpecialType::market_peg, -2));
  venue.said();
  CHECK(venue.drawn() == R"(
sell 104 | 2:1
buy  102 | (5:5)
buy  98 | (4:5)
buy  96 | 1:1 (3:5)
)");

  venue.buy(6, 1, 97);
  CHECK(venue.said() == R"(
accepted 6: buy 1 at 97
repriced 3: 5 at 97
)");
  venue.cancel(2);
  CHECK(venue.said() == R"(
cancelled 2: 1 at 104, requested
repriced 4: parked
repriced 5: parked
)");
  CHECK(venue.drawn() == R"(
buy  97 | 6:1 (3:5)
buy  96 | 1:1
parked | 4:5 5:5
)");
}

TEST_CASE("pegs to the middle from both sides meet there") {
  Venue venue;
  venue.buy(1, 1, 99);
  venue.sell(2, 1, 103);
  venue.submit(with(order(3, Side::buy, 5, 200), SpecialType::midpoint_peg));
  venue.said();

  venue.submit(with(order(4, Side::sell, 8, 0), SpecialType::midpoint_peg));

  CHECK(venue.said() == R"(
accepted 4: sell 8 at 0
repriced 4: 8 at 101
traded 5 at 101: 4 took from 3, which has 0 left
)");
  CHECK(venue.drawn() == R"(
sell 103 | 2:1
sell 101 | (4:3)
buy  99 | 1:1
)");
}

TEST_CASE("an iceberg that comes in trades with all of its size, and displays a part of what is left") {
  Venue venue;
  venue.sell(1, 8, 101);
  venue.submit(with(order(2, Side::sell, 9, 101), Terms::reserve, 3));
  venue.said();
  CHECK(venue.drawn() == "\nsell 101 | 1:8 2:3+6\n");

  venue.submit(with(order(3, Side::buy, 20, 101), Terms::reserve, 2));

  CHECK(venue.said() == R"(
accepted 3: buy 20 at 101
traded 8 at 101: 3 took from 1, which has 0 left
traded 3 at 101: 3 took from 2, which has 6 left
refreshed 2: shows 3 at 101, 3 more behind it
traded 3 at 101: 3 took from 2, which has 3 left
refreshed 2: shows 3 at 101, 0 more behind it
traded 3 at 101: 3 took from 2, which has 0 left
)");
  CHECK(venue.drawn() == "\nbuy  101 | 3:2+1\n");
}

TEST_CASE("a stop becomes a market order, a stop-limit a limit order, when a trade reaches its price") {
  Venue venue;
  venue.buy(1, 1, 100);
  venue.buy(2, 4, 99);
  venue.buy(3, 4, 98);
  venue.submit(with(order(4, Side::sell, 5, 0), SpecialType::stop, 100));
  venue.submit(with(order(5, Side::sell, 5, 98), SpecialType::stop_limit, 98));
  venue.said();
  CHECK(venue.drawn() == R"(
buy  100 | 1:1
buy  99 | 2:4
buy  98 | 3:4
stop to sell 98 | 5:5
stop to sell 100 | 4:5
)");

  venue.sell(6, 1, 100);

  CHECK(venue.said() == R"(
accepted 6: sell 1 at 100
traded 1 at 100: 6 took from 1, which has 0 left
triggered 4 at 100: sell 5 at the market
traded 4 at 99: 4 took from 2, which has 0 left
traded 1 at 98: 4 took from 3, which has 3 left
triggered 5 at 98: sell 5 at 98
traded 3 at 98: 5 took from 3, which has 0 left
)");
  CHECK(venue.drawn() == "\nsell 98 | 5:2\n");
}

TEST_CASE("of the stops that one trade triggers those to buy go first, the first price first, the oldest first") {
  Venue venue;
  const auto stop = [&](std::uint64_t id, Side side, std::int64_t at) {
    venue.submit(with(order(id, side, 1, 100), SpecialType::stop_limit, at));
  };
  venue.sell(1, 1, 100);
  stop(2, Side::sell, 101);
  stop(3, Side::buy, 100);
  stop(4, Side::buy, 99);
  stop(5, Side::sell, 100);
  stop(6, Side::buy, 99);
  venue.said();

  venue.buy(7, 1, 100);

  CHECK(venue.said() == R"(
accepted 7: buy 1 at 100
traded 1 at 100: 7 took from 1, which has 0 left
triggered 4 at 100: buy 1 at 100
triggered 6 at 100: buy 1 at 100
triggered 3 at 100: buy 1 at 100
triggered 2 at 100: sell 1 at 100
traded 1 at 100: 2 took from 4, which has 0 left
triggered 5 at 100: sell 1 at 100
traded 1 at 100: 5 took from 6, which has 0 left
)");
  CHECK(venue.drawn() == "\nbuy  100 | 3:1\n");
}

TEST_CASE("sizes are whole lots, of the parts of an order too") {
  Venue venue({}, {.lot = 10});

  venue.buy(1, 15, 99);
  venue.submit(with(order(2, Side::buy, 30, 99), Terms::reserve, 5));
  venue.submit(with(order(3, Side::buy, 30, 99), Terms::reserve, 20));
  venue.book.reduce(ReduceOrder{.id = {3}, .by = {5}}, venue.events);
  venue.book.modify(ModifyOrder{.id = {3}, .price = {99}, .quantity = {25}}, venue.events);

  CHECK(venue.said() == R"(
rejected 1: off_lot
rejected 2: off_lot
accepted 3: buy 30 at 99
rejected 3: off_lot
rejected 3: off_lot
)");
  CHECK(venue.drawn() == "\nbuy  99 | 3:20+10\n");
}

TEST_CASE("what a special order may not ask for together is refused") {
  Venue venue;
  venue.submit(with(order(1, Side::buy, 5, 99), Terms::hidden | Terms::reserve, 2));
  venue.submit(with(order(1, Side::buy, 5, 99), Terms::reserve));
  venue.submit(with(order(1, Side::buy, 5, 99), Terms::reserve, 6));
  venue.submit(with(order(1, Side::buy, 5'000'000, 99), Terms::reserve, 6));
  venue.submit(with(order(1, Side::buy, 5, 99), TimeInForce::good_till_time));
  venue.submit(with(with(order(1, Side::buy, 5, 99), Terms::hidden), TimeInForce::fill_or_kill));
  venue.submit(with(with(order(1, Side::buy, 5, 99), SpecialType::stop, 101), TimeInForce::immediate_or_cancel));

  std::string expected = "\n";
  for (int i = 0; i < 7; ++i) expected += "rejected 1: invalid_combination\n";
  CHECK(venue.said() == expected);
}

TEST_CASE("an order with other terms takes the place of an old one, behind the others, in one step") {
  Venue venue;
  venue.buy(1, 5, 100);
  venue.buy(2, 5, 100);
  venue.said();

  venue.replace(1, with(order(3, Side::buy, 6, 100), Terms::reserve, 2));

  CHECK(venue.said() == "\nreplaced 1 by 3: 6 at 100\n");
  CHECK(venue.drawn() == R"(
buy  100 | 2:5 3:2+4
)");
}

TEST_CASE("a replacement by other terms that is refused leaves the old order where it was") {
  Venue venue;
  venue.buy(1, 5, 100);
  venue.buy(2, 5, 100);
  venue.sell(3, 5, 101);
  venue.said();

  venue.replace(1, with(order(4, Side::buy, 5, 101), Terms::post_only));
  venue.replace(1, order(4, Side::sell, 5, 102));
  venue.replace(9, order(4, Side::buy, 5, 100));
  venue.replace(1, order(2, Side::buy, 5, 100));

  CHECK(venue.said() == R"(
rejected 1 as 4: would_trade
rejected 1 as 4: invalid_combination
rejected 9 as 4: unknown_order
rejected 1 as 2: duplicate_id
)");
  CHECK(venue.drawn() == R"(
sell 101 | 3:5
buy  100 | 1:5 2:5
)");
}

TEST_CASE("a peg follows when the order that it was pegged to is replaced by one that does not rest") {
  Venue venue;
  venue.buy(1, 5, 100);
  venue.buy(2, 5, 98);
  venue.submit(with(order(3, Side::buy, 1, 105), SpecialType::primary_peg));

  venue.replace(1, with(order(4, Side::buy, 5, 100), TimeInForce::fill_or_kill));

  CHECK(venue.drawn() == R"(
buy  98 | 2:5 (3:1)
)");
}
