// How a level is shared out, drawn: a book before, an order, what the book says, the book after. See venue.hpp.
#include <doctest/doctest.h>

#include <stdexcept>

#include "venue.hpp"

using namespace outcry_test;

TEST_CASE("pro rata: each has a share in proportion to its size, rounded down; what is left over goes by time") {
  Venue venue({.allocation = Allocation::pro_rata});
  venue.sell(1, 10, 101);
  venue.sell(2, 30, 101);
  venue.sell(3, 20, 101);
  venue.sell(4, 9, 102);
  venue.said();

  venue.buy(5, 20, 102);

  // Shares of 3.3, 10 and 6.7: 3, 10 and 6; the one over to the oldest.
  CHECK(venue.said() == R"(
accepted 5: buy 20 at 102
traded 4 at 101: 5 took from 1, which has 6 left
traded 10 at 101: 5 took from 2, which has 20 left
traded 6 at 101: 5 took from 3, which has 14 left
)");
  CHECK(venue.drawn() == R"(
sell 102 | 4:9
sell 101 | 1:6 2:20 3:14
)");
}

TEST_CASE("pro rata: shares are whole lots") {
  Venue venue({.allocation = Allocation::pro_rata}, {.lot = 10});
  venue.sell(1, 50, 101);
  venue.sell(2, 50, 101);
  venue.sell(3, 50, 101);
  venue.said();

  venue.buy(4, 50, 101);

  CHECK(venue.said() == R"(
accepted 4: buy 50 at 101
traded 30 at 101: 4 took from 1, which has 20 left
traded 10 at 101: 4 took from 2, which has 40 left
traded 10 at 101: 4 took from 3, which has 40 left
)");
}

TEST_CASE("pro rata: a share below the least is none, and goes by time") {
  Venue venue({.allocation = Allocation::pro_rata, .least_share = {2}});
  venue.sell(1, 5, 101);
  venue.sell(2, 40, 101);
  venue.sell(3, 5, 101);
  venue.said();

  venue.buy(4, 10, 101);

  // Shares of 1, 8 and 1; the ones are none.
  CHECK(venue.said() == R"(
accepted 4: buy 10 at 101
traded 2 at 101: 4 took from 1, which has 3 left
traded 8 at 101: 4 took from 2, which has 32 left
)");
}

TEST_CASE("pro rata: the order that made the best price goes before the others, once") {
  Venue venue({.allocation = Allocation::pro_rata, .top_order_first = true});
  venue.sell(1, 4, 102);
  venue.sell(2, 6, 101);
  venue.sell(3, 10, 101);
  venue.sell(4, 10, 101);
  venue.said();

  venue.buy(5, 4, 101);
  CHECK(venue.said() == R"(
accepted 5: buy 4 at 101
traded 4 at 101: 5 took from 2, which has 2 left
)");
  venue.buy(6, 8, 101);
  CHECK(venue.said() == R"(
accepted 6: buy 8 at 101
traded 2 at 101: 6 took from 2, which has 0 left
traded 3 at 101: 6 took from 3, which has 7 left
traded 3 at 101: 6 took from 4, which has 7 left
)");

  // Who once made the best price is not the top order again when better ones have left.
  venue.book.mass_cancel(MassCancel{.buys = 0, .all_accounts = 1}, venue.events);
  venue.sell(7, 2, 102);
  venue.sell(8, 6, 102);
  venue.sell(9, 5, 101);
  venue.cancel(9);
  venue.said();
  venue.buy(10, 4, 102);
  CHECK(venue.said() == R"(
accepted 10: buy 4 at 102
traded 1 at 102: 10 took from 7, which has 1 left
traded 3 at 102: 10 took from 8, which has 3 left
)");
}

TEST_CASE("icebergs have a share by what they display, the next part in the next round; hidden orders come behind") {
  Venue venue({.allocation = Allocation::pro_rata});
  venue.submit(with(order(1, Side::sell, 12, 101), Terms::hidden));
  venue.submit(with(order(2, Side::sell, 20, 101), Terms::reserve, 4));
  venue.sell(3, 12, 101);
  venue.said();

  venue.buy(4, 8, 101);
  CHECK(venue.said() == R"(
accepted 4: buy 8 at 101
traded 2 at 101: 4 took from 2, which has 18 left
traded 6 at 101: 4 took from 3, which has 6 left
)");
  CHECK(venue.drawn() == "\nsell 101 | 2:2+16 3:6 (1:12)\n");

  venue.buy(5, 10, 101);
  CHECK(venue.said() == R"(
accepted 5: buy 10 at 101
traded 2 at 101: 5 took from 2, which has 16 left
refreshed 2: shows 4 at 101, 12 more behind it
traded 6 at 101: 5 took from 3, which has 0 left
traded 2 at 101: 5 took from 2, which has 14 left
)");

  venue.buy(6, 20, 101);
  CHECK(venue.said() == R"(
accepted 6: buy 20 at 101
traded 2 at 101: 6 took from 2, which has 12 left
refreshed 2: shows 4 at 101, 8 more behind it
traded 4 at 101: 6 took from 2, which has 8 left
refreshed 2: shows 4 at 101, 4 more behind it
traded 4 at 101: 6 took from 2, which has 4 left
refreshed 2: shows 4 at 101, 0 more behind it
traded 4 at 101: 6 took from 2, which has 0 left
traded 6 at 101: 6 took from 1, which has 6 left
)");
}

TEST_CASE("lead makers have their per cent of what comes in first; the rest goes by time, to them too") {
  Venue venue({.allocation = Allocation::lead_makers, .lead_percent = 40, .lead_makers = {7}});
  venue.sell(1, 10, 101, 1);
  venue.sell(2, 3, 101, 7);
  venue.sell(3, 20, 101, 7);
  venue.sell(4, 10, 101, 2);
  venue.sell(5, 10, 102, 7);
  venue.said();

  venue.buy(6, 20, 102);
  // The lead maker first has 8 of the 20: 3 and 5. The other 12 go by time.
  CHECK(venue.said() == R"(
accepted 6: buy 20 at 102
traded 10 at 101: 6 took from 1, which has 0 left
traded 3 at 101: 6 took from 2, which has 0 left
traded 7 at 101: 6 took from 3, which has 13 left
)");
  CHECK(venue.drawn() == R"(
sell 102 | 5:10
sell 101 | 3:13 4:10
)");
}

TEST_CASE("where a level is shared out, the own orders in it are met first, whoever stands before them") {
  Venue venue({.self_trade = SelfTrade::cancel_oldest, .allocation = Allocation::pro_rata});
  venue.sell(1, 10, 101, 2);
  venue.sell(2, 10, 101, 1);
  venue.sell(3, 10, 101, 3);
  venue.said();
  venue.buy(4, 10, 101, 1);
  CHECK(venue.said() == R"(
accepted 4: buy 10 at 101
cancelled 2: 10 at 101, self_trade
traded 5 at 101: 4 took from 1, which has 5 left
traded 5 at 101: 4 took from 3, which has 5 left
)");

  Venue newest({.self_trade = SelfTrade::cancel_newest, .allocation = Allocation::pro_rata});
  newest.sell(1, 10, 101, 2);
  newest.sell(2, 10, 101, 1);
  newest.said();
  newest.buy(3, 10, 101, 1);
  CHECK(newest.said() == R"(
accepted 3: buy 10 at 101
cancelled 3: 10 at 101, self_trade
)");
}

TEST_CASE("an auction knows no shares: it uncrosses by price and time") {
  Venue venue({.allocation = Allocation::pro_rata});
  venue.phase(Phase::auction);
  venue.sell(1, 10, 101);
  venue.sell(2, 10, 101);
  venue.buy(3, 12, 101);
  venue.said();

  venue.phase(Phase::continuous);

  CHECK(venue.said() == R"(
uncrossed 12 at 101, imbalance -8
traded 10 at 101: 3 took from 1, which has 0 left
traded 2 at 101: 3 took from 2, which has 8 left
phase: continuous
)");
}

TEST_CASE("rules that make no sense are refused") {
  OrderPool pool;
  OrderBook<> book({}, pool);
  CHECK_THROWS_AS(book.set_rules({.lead_percent = 101}), std::invalid_argument);
  CHECK_THROWS_AS(book.set_rules({.allocation = static_cast<Allocation>(3)}), std::invalid_argument);
  CHECK_THROWS_AS(book.set_rules({.collar = -1}), std::invalid_argument);
}
