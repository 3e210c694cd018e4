// Call auctions, drawn: a book before, commands, what the book says, the book after. See venue.hpp.
#include <doctest/doctest.h>

#include "venue.hpp"

using namespace outcry_test;

TEST_CASE("an auction collects, says what would trade, and uncrosses at the price at which most trades") {
  Venue venue;
  venue.book.change_phase({.phase = Phase::auction}, venue.events);
  venue.buy(1, 10, 103);
  venue.buy(2, 5, 101);
  venue.sell(3, 6, 100);
  venue.sell(4, 8, 102);
  venue.submit(with(order(5, Side::buy, 1, 99), TimeInForce::fill_or_kill));
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

TEST_CASE("market orders are collected; they trade before all with a price, and what they leave over leaves") {
  Venue venue;
  venue.phase(Phase::auction);
  venue.buy(1, 5, 103);
  venue.submit(with(order(2, Side::buy, 4, 0), SpecialType::market));
  venue.submit(with(order(3, Side::buy, 2, 0), SpecialType::market));
  venue.sell(4, 5, 101);
  venue.said();
  CHECK(venue.drawn() == R"(
sell 101 | 4:5
buy  market | 2:4 3:2
buy  103 | 1:5
)");
  REQUIRE(venue.book.indicative());
  CHECK(venue.book.indicative()->price == Price{101});
  CHECK(venue.book.indicative()->imbalance == 6);

  venue.phase(Phase::continuous);

  CHECK(venue.said() == R"(
uncrossed 5 at 101, imbalance 6
traded 4 at 101: 2 took from 4, which has 1 left
traded 1 at 101: 3 took from 4, which has 0 left
cancelled 3: 1 at 0, no_liquidity
phase: continuous
)");
  CHECK(venue.drawn() == "\nbuy  103 | 1:5\n");
}

TEST_CASE("market orders never carry the price of an auction beyond the prices that orders have") {
  Venue venue({.reference = {90}});
  venue.phase(Phase::auction);
  venue.buy(1, 5, 100);
  venue.submit(with(order(2, Side::sell, 3, 0), SpecialType::market));
  CHECK(venue.book.indicative()->price == Price{100});

  venue.cancel(1);
  CHECK(!venue.book.indicative());
  venue.submit(with(order(3, Side::buy, 3, 0), SpecialType::market));
  CHECK(venue.book.indicative()->price == Price{90});
}

TEST_CASE(
    "what an auction leaves of a market-to-limit order rests at its price; without an auction's price it leaves") {
  Venue venue;
  venue.phase(Phase::auction);
  venue.submit(with(order(1, Side::sell, 9, 0), SpecialType::market_to_limit));
  venue.buy(2, 4, 99);
  venue.said();

  venue.phase(Phase::continuous);
  CHECK(venue.said() == R"(
uncrossed 4 at 99, imbalance -5
traded 4 at 99: 2 took from 1, which has 5 left
repriced 1: 5 at 99
phase: continuous
)");
  CHECK(venue.drawn() == "\nsell 99 | 1:5\n");

  venue.cancel(1);
  venue.phase(Phase::auction);
  venue.submit(with(order(3, Side::sell, 9, 0), SpecialType::market_to_limit));
  venue.said();
  venue.phase(Phase::continuous);
  CHECK(venue.said() == R"(
cancelled 3: 9 at 0, no_liquidity
phase: continuous
)");
}

TEST_CASE("an order good for an auction is taken by none else, and leaves with it") {
  Venue venue;
  venue.submit(with(order(1, Side::buy, 5, 100), TimeInForce::good_for_auction));
  venue.phase(Phase::auction);
  venue.submit(with(order(1, Side::buy, 5, 100), TimeInForce::good_for_auction));
  venue.sell(2, 3, 100);
  venue.phase(Phase::continuous);

  CHECK(venue.said() == R"(
rejected 1: no_auction
phase: auction
accepted 1: buy 5 at 100
accepted 2: sell 3 at 100
uncrossed 3 at 100, imbalance 2
traded 3 at 100: 1 took from 2, which has 0 left
cancelled 1: 2 at 100, auction_over
phase: continuous
)");
  CHECK(venue.drawn() == "\n");
}

TEST_CASE("a closing auction uncrosses when the book closes; then orders may be cancelled, nothing else") {
  Venue venue;
  venue.submit(with(order(1, Side::buy, 2, 0), SpecialType::stop, 100));
  venue.phase(Phase::auction);
  venue.buy(2, 5, 100);
  venue.sell(3, 3, 100);
  venue.sell(4, 3, 102);
  venue.said();

  venue.phase(Phase::closed);
  CHECK(venue.said() == R"(
uncrossed 3 at 100, imbalance 2
traded 3 at 100: 2 took from 3, which has 0 left
phase: closed
)");

  venue.buy(5, 1, 99);
  venue.book.reduce(ReduceOrder{.id = {2}, .by = {1}}, venue.events);
  venue.book.modify(ModifyOrder{.id = {2}, .price = {98}, .quantity = {1}}, venue.events);
  venue.cancel(2);
  CHECK(venue.said() == R"(
rejected 5: market_closed
rejected 2: market_closed
rejected 2: market_closed
cancelled 2: 2 at 100, requested
)");
  CHECK(venue.drawn() == R"(
sell 102 | 4:3
stop to buy 100 | 1:2
)");

  venue.phase(Phase::continuous);
  CHECK(venue.said() == R"(
phase: continuous
triggered 1 at 100: buy 2 at the market
traded 2 at 102: 1 took from 4, which has 1 left
)");
}

TEST_CASE("a halted book closes without trading what was collected") {
  Venue venue;
  venue.phase(Phase::auction);
  venue.buy(1, 5, 100);
  venue.sell(2, 3, 100);
  venue.submit(with(order(3, Side::sell, 1, 0), SpecialType::market));
  venue.phase(Phase::halted);
  venue.said();

  venue.phase(Phase::closed);

  CHECK(venue.said() == R"(
cancelled 3: 1 at 0, no_liquidity
phase: closed
)");
  CHECK(venue.drawn() == R"(
sell 100 | 2:3
buy  100 | 1:5
)");
}

TEST_CASE("where two orders of one account meet in an uncross both shrink, and all others trade as they would have") {
  for (const SelfTrade rule :
       {SelfTrade::cancel_newest, SelfTrade::cancel_oldest, SelfTrade::cancel_both, SelfTrade::decrement}) {
    Venue venue({.self_trade = rule});
    venue.phase(Phase::auction);
    venue.buy(1, 6, 101, 1);
    venue.buy(2, 4, 101, 2);
    venue.sell(3, 2, 101, 3);
    venue.sell(4, 5, 101, 1);
    venue.said();

    venue.phase(Phase::continuous);

    CHECK(venue.said() == R"(
uncrossed 7 at 101, imbalance 3
traded 2 at 101: 1 took from 3, which has 0 left
cancelled 1: 4 at 101, self_trade
reduced 4 by 4 to 1 at 101
traded 1 at 101: 2 took from 4, which has 0 left
phase: continuous
)");
    CHECK(venue.drawn() == "\nbuy  101 | 2:3\n");
  }
}

TEST_CASE("a volatility auction begins where an order would trade beyond the band, and collects what is left of it") {
  Venue venue({.reference = {100}, .dynamic_band = 2, .volatility_auction = true});
  for (std::int64_t price = 101; price <= 104; ++price) venue.sell(static_cast<std::uint64_t>(price), 1, price);
  venue.said();

  venue.buy(1, 4, 103);
  CHECK(venue.said() == R"(
accepted 1: buy 4 at 103
traded 1 at 101: 1 took from 101, which has 0 left
traded 1 at 102: 1 took from 102, which has 0 left
phase: auction
)");
  CHECK(venue.drawn() == R"(
sell 104 | 104:1
sell 103 | 103:1
buy  103 | 1:2
)");

  venue.phase(Phase::continuous);
  CHECK(venue.said() == R"(
uncrossed 1 at 103, imbalance 1
traded 1 at 103: 1 took from 103, which has 0 left
phase: continuous
)");
  CHECK(venue.drawn() == R"(
sell 104 | 104:1
buy  103 | 1:1
)");
}

TEST_CASE(
    "in a volatility auction a market order waits without a price, a stop too; an immediate-or-cancel one leaves") {
  Venue venue({.reference = {100}, .dynamic_band = 2, .volatility_auction = true});
  venue.sell(1, 1, 105);
  venue.submit(with(order(2, Side::buy, 2, 105), TimeInForce::immediate_or_cancel));
  CHECK(venue.said() == R"(
accepted 1: sell 1 at 105
accepted 2: buy 2 at 105
cancelled 2: 2 at 105, outside_band
phase: auction
)");

  venue.phase(Phase::continuous);
  venue.submit(with(order(3, Side::buy, 2, 0), SpecialType::market));
  CHECK(venue.said() == R"(
phase: continuous
accepted 3: buy 2 at 0
phase: auction
)");
  CHECK(venue.drawn() == R"(
sell 105 | 1:1
buy  market | 3:2
)");

  venue.submit(with(order(4, Side::buy, 1, 0), SpecialType::stop, 105));
  venue.sell(5, 1, 109);
  venue.phase(Phase::continuous);
  CHECK(venue.said() == R"(
accepted 4: buy 1 at 0
accepted 5: sell 1 at 109
uncrossed 2 at 109, imbalance 0
traded 1 at 109: 3 took from 1, which has 0 left
traded 1 at 109: 3 took from 5, which has 0 left
phase: continuous
triggered 4 at 109: buy 1 at the market
cancelled 4: 1 at 0, no_liquidity
)");
}
