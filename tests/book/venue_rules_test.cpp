// The rules of a venue, drawn: a book before, commands, what the book says, the book after.
// Hidden orders stand in brackets, all-or-none orders in braces, the reserve of an iceberg after a plus.
#include <doctest/doctest.h>

#include <string>

#include <outcry/book/order_book.hpp>

#include "event_list.hpp"

using namespace outcry_test;

namespace {

/// A book with rules, and short ways to ask it something.
struct Venue {
  explicit Venue(const BookRules& rules = {}, const Instrument& instrument = {}) : book(instrument, pool) {
    book.set_rules(rules);
  }

  std::string said() {
    std::string text = "\n", line;
    for (const char c : events.text()) {
      line += c;
      if (c != '\n') continue;
      if (line.rfind("  terms of", 0) != 0) text += line;
      line.clear();
    }
    events.clear();
    CHECK(book.check() == "");
    return text;
  }
  std::string drawn() const { return std::string("\n").append(book.to_string()); }

  void submit(const SpecialOrder& order) { book.submit(order, events); }
  void buy(std::uint64_t id, std::uint32_t lots, std::int64_t price, std::uint32_t account = 0) {
    book.submit(NewOrder{.id = {id}, .price = {price}, .quantity = {lots}, .account = {account}}, events);
  }
  void sell(std::uint64_t id, std::uint32_t lots, std::int64_t price, std::uint32_t account = 0) {
    book.submit(NewOrder{.id = {id}, .price = {price}, .quantity = {lots}, .account = {account}, .side = Side::sell},
                events);
  }
  void cancel(std::uint64_t id) { book.cancel(CancelOrder{.id = {id}}, events); }

  OrderPool pool;
  OrderBook<> book;
  EventList events;
};

SpecialOrder order(std::uint64_t id, Side side, std::uint32_t lots, std::int64_t price) {
  return {.id = {id}, .price = {price}, .quantity = {lots}, .side = side};
}
SpecialOrder with(SpecialOrder o, Terms terms, std::uint32_t part = 0) {
  o.terms = terms;
  o.part = {part};
  return o;
}
SpecialOrder with(SpecialOrder o, SpecialType type, std::int64_t trigger = 0) {
  o.type = type;
  o.trigger = trigger;
  return o;
}
SpecialOrder with(SpecialOrder o, TimeInForce time_in_force, std::uint32_t expires_s = 0) {
  o.time_in_force = time_in_force;
  o.expires_s = expires_s;
  return o;
}

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

TEST_CASE("an auction collects, says what would trade, and uncrosses at the price at which most trades") {
  Venue venue;
  venue.book.change_phase({.phase = Phase::auction}, venue.events);
  venue.buy(1, 10, 103);
  venue.buy(2, 5, 101);
  venue.sell(3, 6, 100);
  venue.sell(4, 8, 102);
  venue.submit(with(order(5, Side::buy, 1, 0), SpecialType::market));
  CHECK(venue.said() == R"(
phase: auction
accepted 1: buy 10 at 103
accepted 2: buy 5 at 101
accepted 3: sell 6 at 100
accepted 4: sell 8 at 102
rejected 5: in_auction
)");
  CHECK(venue.drawn() == R"(
sell 102 | 4:8
sell 100 | 3:6
buy  103 | 1:10
buy  101 | 2:5
)");
  REQUIRE(venue.book.indicative());
  CHECK(venue.book.indicative()->price == Price{102});
  CHECK(venue.book.indicative()->volume == 10);
  CHECK(venue.book.indicative()->imbalance == -4);

  venue.book.change_phase({.phase = Phase::continuous}, venue.events);

  CHECK(venue.said() == R"(
uncrossed 10 at 102, imbalance -4
traded 6 at 102: 1 took from 3, which has 0 left
traded 4 at 102: 1 took from 4, which has 4 left
phase: continuous
)");
  CHECK(venue.drawn() == R"(
sell 102 | 4:4
buy  101 | 2:5
)");
}

TEST_CASE(
    "of prices at which equally much trades, the one with the least imbalance, then the nearest to the reference") {
  Venue venue({.reference = {101}});
  venue.book.change_phase({.phase = Phase::auction}, venue.events);
  venue.buy(1, 5, 104);
  venue.sell(2, 5, 98);
  CHECK(venue.book.indicative()->price == Price{101});

  venue.sell(3, 2, 101);
  CHECK(venue.book.indicative()->price == Price{100});
  CHECK(venue.book.indicative()->imbalance == 0);
}

TEST_CASE("an auction finds the price between the orders at which bids and offers are even") {
  Venue venue({.reference = {200}});
  venue.book.change_phase({.phase = Phase::auction}, venue.events);
  venue.buy(1, 5, 104);
  venue.buy(2, 3, 98);
  venue.sell(3, 5, 98);
  venue.sell(4, 2, 104);

  CHECK(venue.book.indicative()->price == Price{103});
  CHECK(venue.book.indicative()->imbalance == 0);
}

TEST_CASE("after a halt an auction brings the book back, and its trades trigger stops") {
  Venue venue;
  venue.submit(with(order(1, Side::buy, 2, 0), SpecialType::stop, 100));
  venue.sell(2, 9, 101);
  venue.book.change_phase({.phase = Phase::halted}, venue.events);
  venue.book.change_phase({.phase = Phase::auction}, venue.events);
  venue.submit(with(order(3, Side::buy, 12, 101), Terms::reserve, 4));
  venue.said();

  venue.book.change_phase({.phase = Phase::continuous}, venue.events);

  CHECK(venue.said() == R"(
uncrossed 9 at 101, imbalance 3
traded 4 at 101: 3 took from 2, which has 5 left
refreshed 3: shows 4 at 101, 4 more behind it
traded 4 at 101: 3 took from 2, which has 1 left
refreshed 3: shows 4 at 101, 0 more behind it
traded 1 at 101: 3 took from 2, which has 0 left
phase: continuous
triggered 1 at 101: buy 2 at the market
cancelled 1: 2 at 0, no_liquidity
)");
  CHECK(venue.drawn() == "\nbuy  101 | 3:3\n");
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
