// A symbol with rules: who hears of special orders, what everyone sees of them, and how an auction ends.
#include <outcry/actors/market_publication.hpp>
#include <outcry/actors/market_view.hpp>
#include <outcry/actors/symbol.hpp>

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "desk_rig.hpp"
#include "tests/book/drawn_venue.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;
using enum outcry::Side;
using namespace std::chrono_literals;

namespace {

SymbolOptions venue(BookRules rules = {}) { return {.first_account = {7}, .rules = std::move(rules)}; }

SpecialOrder special(std::uint64_t id, Side side, std::uint32_t quantity, std::int64_t price,
                     std::uint32_t account = 7) {
  return {.id = {id}, .price = {price}, .quantity = {quantity}, .account = {account}, .side = side};
}
SpecialOrder iceberg(std::uint64_t id, Side side, std::uint32_t quantity, std::uint32_t part, std::int64_t price) {
  SpecialOrder order = special(id, side, quantity, price);
  order.terms = Terms::reserve;
  order.part = {part};
  return order;
}
SpecialOrder with_terms(SpecialOrder order, Terms terms) {
  order.terms = terms;
  return order;
}
SpecialOrder of_type(SpecialOrder order, SpecialType type, std::int64_t trigger) {
  order.type = type;
  order.trigger = trigger;
  return order;
}
ChangePhase phase(Phase to) { return {.phase = to}; }

}  // namespace

TEST_CASE("an iceberg shows one part at a time, and its owner alone hears of the next") {
  DeskRig market(venue());

  CHECK(market(iceberg(1, buy, 50, 20, 100)) ==
        "\n7: accepted 1\n7: terms of 1\nquote 20 at 100, none\ndepth 20@100 |\n");
  CHECK(market(order(2, sell, 30, 100, 8)) ==
        "\n8: accepted 2\n7: bought 20 at 100 by 1, 30 left\n8: sold 20 at 100 by 2\ntrade 20 at 100, sell\n7: "
        "refreshed 1, 20 shown, 10 "
        "behind\n7: bought 10 at 100 by 1, 20 left\n8: sold 10 at 100 by 2\ntrade 10 at 100, "
        "sell\nquote 10 at 100, none\ndepth 10@100 |\n");
  CHECK(market(cancel(1)) == "\n7: cancelled 1, 20\nquote none, none\ndepth |\n");
}

TEST_CASE("hidden orders are in no quote and no depth, and what trades with them is printed as hidden") {
  DeskRig market(venue());

  CHECK(market(with_terms(special(1, buy, 30, 101), Terms::hidden)) == "\n7: accepted 1\n7: terms of 1\n");
  CHECK(market(order(2, buy, 10, 100)) == "\n7: accepted 2\nquote 10 at 100, none\ndepth 10@100 |\n");
  CHECK(market(order(3, sell, 35, 100, 8)) ==
        "\n8: accepted 3\n7: bought 30 at 101 by 1, 0 left\n8: sold 30 at 101 by 3\nhidden trade 30 at 101, sell\n7: "
        "bought 5 at 100 by 2, "
        "5 left\n8: sold 5 at 100 by 3\ntrade 5 at 100, sell\nquote 5 at 100, none\n"
        "depth 5@100 |\n");
  // Its id may be used again by an order that everyone sees.
  market.first(order(1, buy, 30, 101));
  CHECK(market(order(4, sell, 30, 101, 8)) ==
        "\n8: accepted 4\n7: bought 30 at 101 by 1, 0 left\n8: sold 30 at 101 by 4\ntrade 30 at 101, sell\n"
        "quote 5 at 100, none\ndepth 5@100 |\n");
}

TEST_CASE("a hidden order that takes and is gone leaves its id to orders that are displayed") {
  DeskRig market(venue());
  market.first(order(1, sell, 10, 100, 8), with_terms(special(2, buy, 10, 100), Terms::hidden),
               order(2, buy, 10, 100, 7));

  CHECK(market(order(3, sell, 10, 100, 8)) ==
        "\n8: accepted 3\n7: bought 10 at 100 by 2, 0 left\n8: sold 10 at 100 by 3\ntrade 10 at 100, sell\n"
        "quote none, none\ndepth |\n");
}

TEST_CASE("a stop waits unseen, is triggered by the last trade, and trades in the same breath") {
  DeskRig market(venue());
  market.first(order(1, buy, 20, 100, 8), order(2, buy, 20, 98, 8));

  CHECK(market(of_type(special(3, sell, 25, 0), SpecialType::stop, 100)) == "\n7: accepted 3\n7: terms of 3\n");
  CHECK(market(order(4, sell, 5, 100, 7)) ==
        "\n7: accepted 4\n8: bought 5 at 100 by 1, 15 left\n7: sold 5 at 100 by 4\ntrade 5 at 100, sell\n"
        "7: triggered 3 by 100\n8: bought 15 at 100 by 1, 0 left\n7: sold 15 at 100 by 3\ntrade 15 at 100, sell\n"
        "8: bought 10 at 98 by 2, 10 left\n7: sold 10 at 98 by 3\ntrade 10 at 98, sell\n"
        "quote 10 at 98, none\ndepth 10@98 |\n");
}

TEST_CASE("a triggered stop with a limit rests where everyone sees it") {
  DeskRig market(venue());
  market.first(order(1, sell, 5, 102, 8), of_type(special(2, buy, 30, 103), SpecialType::stop_limit, 102));

  CHECK(market(order(3, buy, 5, 102, 8)) ==
        "\n8: accepted 3\n8: sold 5 at 102 by 1, 0 left\n8: bought 5 at 102 by 3\n"
        "trade 5 at 102, buy\n7: triggered 2 by 102\nquote 30 at 103, none\ndepth 30@103 |\n");
}

TEST_CASE("a peg follows without being seen, and its owner hears where it stands") {
  DeskRig market(venue());

  CHECK(market(of_type(special(1, buy, 30, 110), SpecialType::primary_peg, 0)) == "\n7: accepted 1\n7: terms of 1\n");
  CHECK(market(order(2, buy, 10, 100, 8)) ==
        "\n8: accepted 2\n7: repriced 1 to 100\nquote 10 at 100, none\ndepth 10@100 |\n");
  CHECK(market(order(3, buy, 10, 101, 8)) ==
        "\n8: accepted 3\n7: repriced 1 to 101\nquote 10 at 101, none\ndepth 10@101 10@100 |\n");
  CHECK(market(order(4, sell, 25, 101, 8)) ==
        "\n8: accepted 4\n8: bought 10 at 101 by 3, 0 left\n8: sold 10 at 101 by 4\ntrade 10 at 101, sell\n"
        "7: bought 15 at 101 by 1, 15 left\n8: sold 15 at 101 by 4\nhidden trade 15 at 101, sell\n"
        "7: repriced 1 to 100\n"
        "quote 10 at 100, none\ndepth 10@100 |\n");
  CHECK(market(cancel(2, 8)) == "\n8: cancelled 2, 10\n7: parked 1\nquote none, none\ndepth |\n");
}

TEST_CASE("a market-to-limit order rests at the price that it was given") {
  DeskRig market(venue());
  market.first(order(1, sell, 10, 105, 8));

  CHECK(market(of_type(special(2, buy, 30, 0), SpecialType::market_to_limit, 0)) ==
        "\n7: accepted 2\n7: terms of 2\n7: repriced 2 to 105\n8: sold 10 at 105 by 1, 0 left\n7: bought 10 at 105 by "
        "2\ntrade 10 at 105, buy\nquote 20 at 105, none\ndepth 20@105 |\n");
}

TEST_CASE("an auction is collected in sight of all, ends at one price, and both sides have rested") {
  DeskRig market(venue());

  CHECK(market(phase(Phase::auction)) == "\nphase auction\n");
  CHECK(market(order(1, buy, 30, 103, 7)) == "\n7: accepted 1\nquote 30 at 103, none\ndepth 30@103 |\n");
  CHECK(market(order(2, sell, 20, 100, 8)) ==
        "\n8: accepted 2\nwould be 20 at 100, imbalance 10\nquote 30 at 103, 20 at 100\ndepth 30@103 | 20@100\n");
  CHECK(market(order(3, sell, 30, 102, 8)) ==
        "\n8: accepted 3\nwould be 30 at 102, imbalance -20\ndepth 30@103 | 20@100 30@102\n");
  CHECK(market(NewOrder{.id = {4},
                        .price = {101},
                        .quantity = {5},
                        .account = {7},
                        .side = buy,
                        .time_in_force = TimeInForce::immediate_or_cancel}) == "\n7: rejected 4, in_auction\n");
  CHECK(market(cancel(3, 8)) == "\n8: cancelled 3, 30\nwould be 20 at 100, imbalance 10\ndepth 30@103 | 20@100\n");
  CHECK(market(phase(Phase::continuous)) ==
        "\nauction 20 at 100, imbalance 10\n8: sold 20 at 100 by 2, 0 left\n7: bought 20 at 100 by 1, 10 left\n"
        "trade 20 at 100, buy\nphase continuous\nquote 10 at 103, none\ndepth 10@103 |\n");
}

TEST_CASE("an auction that nothing trades in any more is said to be none") {
  DeskRig market(venue());
  market.first(phase(Phase::auction), order(1, buy, 30, 103, 7), order(2, sell, 20, 100, 8));

  CHECK(market(cancel(2, 8)) ==
        "\n8: cancelled 2, 20\nwould be 0 at 0, imbalance 0\nquote 30 at 103, none\n"
        "depth 30@103 |\n");
}

TEST_CASE("during a halt orders are cancelled and nothing else") {
  DeskRig market(venue());
  market.first(order(1, buy, 30, 100));

  CHECK(market(phase(Phase::halted)) == "\nphase halted\n");
  CHECK(market(order(2, sell, 10, 100, 8)) == "\n8: rejected 2, market_closed\n");
  CHECK(market(ModifyOrder{.id = {1}, .price = {100}, .quantity = {5}, .account = {7}}) ==
        "\n7: rejected 1, market_closed\n");
  CHECK(market(cancel(1)) == "\n7: cancelled 1, 30\nquote none, none\ndepth |\n");
}

TEST_CASE("a mass cancel ends what it names, with rules and without") {
  for (SymbolOptions options : {venue(), SymbolOptions{.first_account = {7}}}) {
    DeskRig market(options);
    market.first(order(1, buy, 30, 100), order(2, sell, 30, 105), order(3, buy, 5, 100, 8));

    const std::string heard = market(MassCancel{.account = {7}, .sells = 0});

    CHECK(heard.starts_with("\n7: cancelled 1, 30\nquote 5 at 100, 30 at 105\n"));
    CHECK(market.levels() == "\nsell 105 | 2:30\nbuy  100 | 3:5\n");
    CHECK(market(MassCancel{.all_accounts = 1}).starts_with("\n8: cancelled 3, 5\n7: cancelled 2, 30\n"));
  }
}

TEST_CASE("in a recorded market nobody can cancel the orders of history") {
  DeskRig market;
  market.first(add(1, buy, 30, 100), order(1000, buy, 10, 99));

  CHECK(market(MassCancel{.account = {7}, .all_accounts = 1}) == "\n7: rejected 0, unsupported\n");
  CHECK(market(MassCancel{.account = {7}}) == "\n7: cancelled 1000, 10\n");
  CHECK(market.levels() == "\nbuy  100 | 1:30\n");
}

TEST_CASE("orders good till a time leave when it has come") {
  DeskRig market(venue());
  SpecialOrder lasting = special(1, buy, 30, 100);
  lasting.time_in_force = TimeInForce::good_till_time;
  lasting.expires_s = 60;
  market.first(lasting);

  CHECK(market(ExpireOrders{.now_s = 59}) == "\n");
  CHECK(market(ExpireOrders{.now_s = 60}) == "\n7: cancelled 1, 30\nquote none, none\ndepth |\n");
}

TEST_CASE("a market without rules refuses special orders and phases, and says so") {
  DeskRig market(SymbolOptions{.first_account = {7}});

  CHECK(market(iceberg(1, buy, 50, 20, 100)) == "\n7: rejected 1, unsupported\n");
  CHECK(market(phase(Phase::halted)) == "\n");
  CHECK(market(order(2, buy, 10, 100)) == "\n7: accepted 2\nquote 10 at 100, none\n");
}

TEST_CASE("whoever comes later hears of the phase and of the auction at once") {
  std::string heard;
  std::uint64_t shares = 0;
  Runtime runtime({.time = WorldTime::virtually});
  const SymbolAddress market = runtime.spawn(symbol, venue());
  const auto listening = runtime.spawn(listener, &heard, &shares);
  market.send(phase(Phase::auction));
  market.send(order(1, buy, 30, 103));
  market.send(order(2, sell, 20, 100));

  market.send(SubscribePhases{listening});
  market.send(SubscribeAuctions{listening});
  runtime.run_until(runtime.now() + 1us);

  CHECK(heard == "phase auction\nwould be 20 at 100, imbalance 10\n");
}

// ---- against a book of its own

namespace {

/// What everyone outside knows of the market: the last quote and depth, and the trades.
struct Outside {
  Quote quote{};
  Depth depth{};
  Indicative indicative{};
  std::vector<TradePrint> trades{};
};
Actor outsider(ListenerSelf self, Outside* outside) {
  while (auto message = co_await self.receive()) {
    if (const auto* quote = std::get_if<Quote>(&*message)) outside->quote = *quote;
    if (const auto* depth = std::get_if<Depth>(&*message)) outside->depth = *depth;
    if (const auto* trade = std::get_if<TradePrint>(&*message)) outside->trades.push_back(*trade);
    if (const auto* indicative = std::get_if<Indicative>(&*message)) outside->indicative = *indicative;
    if (std::holds_alternative<PhaseChanged>(*message)) outside->indicative = {};
  }
}

/// The same commands in a book without anyone around it.
struct Mirror {
  Mirror(const Instrument& instrument, const BookRules& rules) : book(instrument, pool) { book.set_rules(rules); }
  void on(const Traded& event) { trades.push_back(event); }
  template <class Event>
  void on(const Event&) {}

  OrderPool pool{};
  OrderBook<> book;
  std::vector<Traded> trades{};
};

}  // namespace

TEST_CASE(
    "under every combination of rules, quotes, depth, prints, auctions and shared memory are those of the book after "
    "every drawn command") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  Instrument instrument;
  instrument.name = padded_name("DRAWN");
  instrument.lowest = {0};
  instrument.highest = {20'000};
  const std::string file = std::filesystem::temp_directory_path() / ("outcry-test-venue-" + std::to_string(getpid()));
  std::uint64_t auctions = 0, hidden = 0;
  for (std::uint64_t number = 0; number < 30; ++number) {
    CAPTURE(number);
    const BookRules rules = outcry_test::drawn_rules(number, instrument);
    Mirror mirror(instrument, rules);
    MarketPublication publication(file, "a test", std::array{instrument});
    const MarketView view(file);
    TradeFollower follower = view[0].follow_trades();
    Outside outside;
    Runtime runtime({.time = WorldTime::virtually, .log = [](std::string_view) {}});
    const MailboxOptions mailbox{.capacity = 1u << 16, .when_full = WhenFull::refuse};
    SymbolOptions options = venue(rules);
    options.instrument = instrument;
    options.publication = &publication[SymbolId{0}];
    const SymbolAddress market = runtime.spawn({.mailbox = mailbox}, symbol, std::move(options));
    const auto address = runtime.spawn({.mailbox = mailbox}, outsider, &outside);
    market.send(SubscribeQuotes{address});
    market.send(SubscribeTrades{address});
    market.send(SubscribeDepth{address});
    market.send(SubscribePhases{address});
    market.send(SubscribeAuctions{address});

    outcry_test::DrawnVenue drawn(instrument, seed + number);
    for (int step = 0; step < 2'000; ++step) {
      const outcry_test::VenueCommand command = drawn.next(mirror.book.order_count());
      if (std::holds_alternative<outcry_test::ClearBook>(command)) continue;
      const std::size_t trades_before = mirror.trades.size();
      outcry_test::carry_out(command, mirror.book, mirror);
      std::visit(
          [&](const auto& one) {
            using Kind = std::remove_cvref_t<decltype(one)>;
            if constexpr (std::is_same_v<Kind, ReplaceTerms>)
              send_in_two_parts(market, one);
            else if constexpr (!std::is_same_v<Kind, outcry_test::ClearBook>)
              market.send(one);
          },
          command);
      runtime.run_until(runtime.now() + 1us);
      CAPTURE(step);

      const Quote quote = mirror.book.quote();
      REQUIRE(std::tuple(quote.bid_quantity, quote.ask_quantity) ==
              std::tuple(outside.quote.bid_quantity, outside.quote.ask_quantity));
      if (quote.has_bid()) REQUIRE(quote.bid == outside.quote.bid);
      if (quote.has_ask()) REQUIRE(quote.ask == outside.quote.ask);

      std::array<DepthLevel, Depth::most_levels> bids{}, asks{};
      REQUIRE(mirror.book.depth(buy, bids) == outside.depth.bid_levels);
      REQUIRE(mirror.book.depth(sell, asks) == outside.depth.ask_levels);
      REQUIRE((bids == outside.depth.bids && asks == outside.depth.asks));
      const auto published = view[0].depth();
      REQUIRE(published);
      bool equal = true;
      for (std::size_t i = 0; i < bids.size(); ++i) equal &= published->rows[i] == DepthRow{bids[i], asks[i]};
      REQUIRE(equal);
      REQUIRE(view[0].top()->bid_volume == bids[0].volume);
      REQUIRE(view[0].counters()->sequence == mirror.book.sequence());

      REQUIRE(outside.trades.size() == mirror.trades.size());
      for (std::size_t i = trades_before; i < mirror.trades.size(); ++i) {
        const TradePrint& print = outside.trades[i];
        const Traded& traded = mirror.trades[i];
        REQUIRE(std::tuple(print.price, print.quantity, print.aggressor) ==
                std::tuple(traded.price, traded.quantity, traded.taker_side));
        hidden += print.hidden;
        const auto one = follower.next();
        REQUIRE(one);
        REQUIRE(*one == PublishedTrade{.price = print.price,
                                       .time_ns = one->time_ns,
                                       .quantity = print.quantity,
                                       .aggressor = print.aggressor,
                                       .hidden = print.hidden});
      }

      if (mirror.book.phase() == Phase::auction) {
        const auto indicative = mirror.book.indicative();
        REQUIRE(outside.indicative.volume == (indicative ? indicative->volume : 0));
        if (indicative) {
          REQUIRE(outside.indicative.price == indicative->price);
          REQUIRE(outside.indicative.imbalance == indicative->imbalance);
          ++auctions;
        }
      }
      REQUIRE(mirror.book.check() == "");
    }
    runtime.stop_actors();
  }
  std::filesystem::remove(file);
  CHECK(auctions > 100);
  CHECK(hidden > 100);
}
