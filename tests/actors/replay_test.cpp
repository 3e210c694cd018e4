// Recorded markets through the feed, the symbols and a strategy.
#include <outcry/actors/recorded_market.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/net/files.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;

namespace {

const char* const aapl_csv = "lobster_aapl/aapl_l3_replay.csv";
const char* const aapl_itch = "lobster_aapl/aapl_first_hour.itch";
const char* const aapl_lobster = "lobster_aapl/AAPL_2012-06-21_34200000_37800000_message_50.csv";

ReplayReport replayed(ReplayOptions options) {
  RecordedMarket market(std::move(options));
  return market.run();
}

std::string rows_of(const ReplayReport& report) {
  return std::to_string(report.rows_equal) + " of " + std::to_string(report.rows_compared) +
         (report.verified ? ", all equal" : ", not all equal");
}

}  // namespace

TEST_CASE("an hour of AAPL meets all 23,440 states of the best bid and offer, from CSV and from ITCH") {
  if (missing({"lobster_aapl"})) return;

  for (const char* file : {aapl_csv, aapl_itch}) {
    CAPTURE(file);
    const ReplayReport report = replayed({.file = data(file), .verify = data("lobster_aapl/aapl_bbo_expected.csv")});

    CHECK(report.error == "");
    CHECK(report.first_difference == "");
    CHECK(rows_of(report) == "23440 of 23440, all equal");
    CHECK(report.symbols == 1);
    CHECK(report.messages == (file == aapl_csv ? 92'078 : 92'080));
    CHECK(report.ledger.trades - report.ledger.hidden_trades == 4'067);
    CHECK(report.ledger.hidden_trades == 2'201);
    CHECK(report.ledger.adjusted_events == 0);
    CHECK(report.ledger.unknown_orders == 0);
  }
}

TEST_CASE("the first thousand events of AAPL meet all 999 rows of ten levels, from CSV and from ITCH") {
  if (missing({"lobster_aapl"})) return;

  for (const char* file : {aapl_csv, aapl_itch}) {
    CAPTURE(file);
    const ReplayReport report = replayed({.file = data(file), .verify = data("lobster_aapl/aapl_top10_expected.csv")});

    CHECK(report.error == "");
    CHECK(rows_of(report) == "999 of 999, all equal");
  }
}

TEST_CASE("10,000 real ITCH messages give 2,793 changes of the best bid and offer, 1,089 trades and 215 live orders") {
  if (missing({"golden/itch50_aapl_20200130_10k.bin", "golden/itch50_aapl_20200130_10k_bbo.csv"})) return;

  const ReplayReport report = replayed(
      {.file = data("golden/itch50_aapl_20200130_10k.bin"), .verify = data("golden/itch50_aapl_20200130_10k_bbo.csv")});

  CHECK(report.error == "");
  CHECK(rows_of(report) == "2793 of 2793, all equal");
  CHECK(report.messages == 10'000);
  CHECK(report.trades == 1'089);
  CHECK(report.shares == 81'556);
  CHECK(report.orders_live == 215);
}

TEST_CASE("LOBSTER's hour without an order book file counts 84 messages that name orders it never showed") {
  if (missing({aapl_lobster})) return;

  const ReplayReport report = replayed({.file = data(aapl_lobster)});

  CHECK(report.error == "");
  CHECK(report.messages == 91'997);
  CHECK(report.ledger.unknown_orders == 84);
  CHECK(report.ledger.anonymous_events == 0);
  CHECK(report.ledger.hidden_trades == 2'201);
}

TEST_CASE("LOBSTER's pair is seeded from its order book and meets its best level until others come to the top") {
  if (missing({"lobster_aapl"})) return;
  const std::string orderbook = data("lobster_aapl/AAPL_first1000_orderbook_10.csv");

  const ReplayReport report = replayed({.file = data("lobster_aapl/AAPL_first1000_message_10.csv"),
                                        .orderbook = orderbook,
                                        .verify = orderbook,
                                        .verify_levels = 1});

  CHECK(report.error == "");
  CHECK(rows_of(report) == "955 of 999, not all equal");
  CHECK(report.first_difference ==
        "line 441: expected bid 5854000 x 50, ask 5856100 x 334, found bid 5853000 x 230, ask 5856100 x 334");
  CHECK(report.ledger.anonymous_events > 0);
}

TEST_CASE("the digest is the same on 1, 2 and 4 schedulers and from run to run") {
  if (missing({"lobster_aapl"})) return;

  const std::uint64_t digest = replayed({.file = data(aapl_itch)}).digest;

  for (const std::uint32_t schedulers : {1u, 2u, 4u}) {
    CAPTURE(schedulers);
    CHECK(replayed({.file = data(aapl_itch), .schedulers = schedulers}).digest == digest);
  }
}

// ---- files of our own

namespace {

std::uint64_t day_ns(double seconds) { return static_cast<std::uint64_t>(seconds * 1e9); }

Alpha<8> itch_name(std::uint16_t locate) { return Alpha<8>(std::string("SYM").append(std::to_string(locate))); }

template <class Message>
std::string at(double seconds, std::uint16_t locate, Message message) {
  message.header.stock_locate = locate;
  message.header.timestamp = day_ns(seconds);
  return frame(message);
}
std::string listing(std::uint16_t locate) {
  itch::StockDirectory message;
  message.stock = itch_name(locate);
  return at(0, locate, message);
}
std::string entry(double seconds, std::uint16_t locate, std::uint64_t id, char side, std::uint32_t shares,
                  std::uint32_t price) {
  itch::AddOrder message;
  message.order = id;
  message.side = side;
  message.shares = shares;
  message.stock = itch_name(locate);
  message.price = price;
  return at(seconds, locate, message);
}
std::string removal(double seconds, std::uint16_t locate, std::uint64_t id) {
  itch::OrderDelete message;
  message.order = id;
  return at(seconds, locate, message);
}
std::string execution(double seconds, std::uint16_t locate, std::uint64_t id, std::uint32_t shares) {
  itch::OrderExecuted message;
  message.order = id;
  message.shares = shares;
  return at(seconds, locate, message);
}

/// Eight symbols, on which orders are entered, traded and removed at random; complete and sound.
std::string drawn_day(std::uint64_t seed, std::size_t events) {
  std::mt19937_64 random(seed);
  const auto draw = [&](std::uint64_t below) { return random() % below; };
  struct Live {
    std::uint64_t id;
    std::uint16_t locate;
    std::uint32_t open;
  };
  std::vector<Live> live;
  std::string file;
  for (std::uint16_t locate = 1; locate <= 8; ++locate) file += listing(locate);
  double seconds = 34'200;
  for (std::size_t i = 0; i < events; ++i) {
    if (draw(4) != 0) seconds += static_cast<double>(draw(2'000'000)) * 1e-9;  // some come at the same moment
    const std::uint64_t choice = live.empty() ? 0 : draw(10);
    if (choice < 5) {
      const auto locate = static_cast<std::uint16_t>(1 + draw(8));
      const bool buys = draw(2) == 0;
      const auto away = static_cast<std::uint32_t>(100 * (1 + draw(30)));
      live.push_back({i + 1, locate, static_cast<std::uint32_t>(1 + draw(500))});
      file +=
          entry(seconds, locate, i + 1, buys ? 'B' : 'S', live.back().open, buys ? 1'000'000 - away : 1'000'000 + away);
      continue;
    }
    Live& one = live[draw(live.size())];
    if (choice < 8) {
      file += removal(seconds, one.locate, one.id);
      one.open = 0;
    } else {
      const auto shares = static_cast<std::uint32_t>(1 + draw(one.open));
      file += execution(seconds, one.locate, one.id, shares);
      one.open -= shares;
    }
    if (one.open == 0) {
      one = live.back();
      live.pop_back();
    }
  }
  return file;
}

const char* const csv_header = "n,time,kind,order_id,size,price,side,source\n";

}  // namespace

TEST_CASE("eight symbols give the same digest, trades and ledger on 1, 2, 3 and 4 schedulers") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  std::printf("--seed=%llu\n", static_cast<unsigned long long>(seed));
  const Scratch scratch;
  const std::string file = scratch.write("day.itch", drawn_day(seed, 20'000));

  const ReplayReport one = replayed({.file = file});
  CHECK(one.error == "");
  CHECK(one.symbols == 8);
  CHECK(one.messages == 20'008);
  CHECK(one.ledger.events == 20'000);
  CHECK(one.refused == 0);

  for (const std::uint32_t schedulers : {1u, 2u, 3u, 4u}) {
    CAPTURE(schedulers);
    const ReplayReport report = replayed({.file = file, .schedulers = schedulers});
    CHECK(report.digest == one.digest);
    CHECK(report.trades == one.trades);
    CHECK(report.shares == one.shares);
    CHECK(report.orders_live == one.orders_live);
  }
}

TEST_CASE("a replay ends at the earliest event that names an unknown order, whoever meets it first") {
  const Scratch scratch;
  std::string bytes = drawn_day(7, 2'000);
  const std::size_t offset = bytes.size();
  bytes += removal(40'000, 5, 1'000'001);
  bytes += removal(40'000, 1, 1'000'002);
  bytes += removal(40'000, 2, 1'000'003);
  bytes += entry(40'001, 3, 1'000'004, 'B', 10, 10'000);
  const std::string file = scratch.write("day.itch", bytes);

  for (const std::uint32_t schedulers : {1u, 2u, 3u, 4u, 5u}) {
    CAPTURE(schedulers);
    const ReplayReport report = replayed({.file = file, .schedulers = schedulers});
    CHECK(report.error ==
          file + ", offset " + std::to_string(offset) +
              ": found a removal of order 1000001, which is not in the book, expected an order that was "
              "entered and is still open");
  }

  const ReplayReport lenient = replayed({.file = file, .lenient = true});
  CHECK(lenient.error == "");
  CHECK(lenient.messages == 2'012);
  CHECK(lenient.broken == 3);
  CHECK(lenient.ledger.unknown_orders == 3);
}

TEST_CASE("what a book refuses is named with its line and what was expected") {
  const Scratch scratch;
  const auto error_of = [&](const std::string& rows) {
    const std::string file = scratch.write("X.csv", csv_header + rows);
    const std::string error = replayed({.file = file}).error;
    return error.starts_with(file) ? error.substr(file.size()) : error;
  };
  const std::string good = "0,34200,A,1,100,1000000,1,msg\n";

  CHECK(error_of(good) == "");
  CHECK(error_of(good + "1,34201,E,1,101,1000000,1,msg\n") ==
        ", line 3: found an execution of order 1 by 101, expected no more than the 100 that are open");
  CHECK(error_of(good + "1,34201,R,1,101,1000000,1,msg\n") ==
        ", line 3: found a reduction of order 1 by 101, expected no more than the 100 that are open");
  CHECK(error_of(good + "1,34201,E,2,1,1000000,1,msg\n") ==
        ", line 3: found an execution of order 2, which is not in the book, expected an order that was entered and is "
        "still open");
  CHECK(error_of(good + "1,34201,A,1,5,1000000,1,msg\n") ==
        ", line 3: found an entry of order 1 under an id that is in the book, expected an id that is not in use");
  CHECK(
      error_of(good + "1,34201,A,2,0,1000000,1,msg\n") ==
      ", line 3: found an entry of order 2 that the book refuses: zero_quantity, expected an event that fits the book");
  // Of the reader and the book, the one that comes first in the file is heard.
  CHECK(error_of(good + "1,34199,D,1,100,1000000,1,msg\n") ==
        ", line 3: found the time 34199.000000000 s after 34200.000000000 s, expected times that do not go back");
  CHECK(error_of(good + "1,34201,D,9,100,1000000,1,msg\n2,34199,D,1,100,1000000,1,msg\n")
            .starts_with(", line 3: found a removal of order 9"));
}

TEST_CASE("a truncated file is replayed up to where it breaks off") {
  const Scratch scratch;
  const std::string bytes = drawn_day(3, 500);
  const std::string file = scratch.write("day.itch", bytes.substr(0, bytes.size() - 5));

  const ReplayReport report = replayed({.file = file});

  CHECK(report.error.starts_with(file + ", offset "));
  CHECK(report.ledger.events == 499);
}

TEST_CASE("a day before its first order is replayed, too") {
  if (missing({"itch_head/12302019_first1000.itch"})) return;

  const ReplayReport report = replayed({.file = data("itch_head/12302019_first1000.itch"), .schedulers = 2});

  CHECK(report.error == "");
  CHECK(report.messages == 1'000);
  CHECK(report.symbols == 993);
  CHECK(report.trades == 0);
  CHECK(report.orders_live == 0);
}

TEST_CASE("the first difference from a reference is told with its line and both sides") {
  const Scratch scratch;
  const std::string file =
      scratch.write("X.csv", std::string(csv_header) + "0,1,A,1,100,1000000,1,msg\n1,2,A,2,50,1000200,-1,msg\n");
  const std::string reference =
      scratch.write("bbo.csv", "n_last,ask,ask_q,bid,bid_q\n0,,,1000000,100\n1,1000200,51,1000000,100\n");

  const ReplayReport report = replayed({.file = file, .verify = reference});

  CHECK_FALSE(report.verified);
  CHECK(rows_of(report) == "1 of 2, not all equal");
  CHECK(report.first_difference ==
        "line 3: expected bid 1000000 x 100, ask 1000200 x 51, found bid 1000000 x 100, ask 1000200 x 50");
}

TEST_CASE("a reference is about one symbol: files of several are refused") {
  const Scratch scratch;
  const std::string file = scratch.write("day.itch", drawn_day(3, 100));
  const std::string reference = scratch.write("bbo.csv", "n_last,ask,ask_q,bid,bid_q\n0,,,1000000,100\n");

  CHECK_THROWS_WITH_AS(
      RecordedMarket({.file = file, .verify = reference}),
      (file + ": found events of 8 symbols, expected events of one symbol, to compare with " + reference).c_str(),
      InputError);
  CHECK_THROWS_AS(RecordedMarket({.file = scratch.path("none.itch")}), InputError);
  CHECK_THROWS_AS(RecordedMarket({.file = file, .schedulers = 0}), std::invalid_argument);
}

// ---- strategies

namespace {

struct Diary {
  std::string text;
  RecordedMarket* market = nullptr;
  void note(const Trader& trader, const std::string& what) {
    const std::int64_t us = to_ns(trader.now()) / 1000;
    text +=
        std::to_string(us / 1'000'000) + "." + std::to_string(1'000'000 + us % 1'000'000).substr(1) + " " + what + "\n";
  }
};
Diary diary;

// Joins the best bid; once it has bought, joins the best ask.
Strategy patient(Trader& trader) {
  OrderId bid{}, ask{};
  while (co_await trader.next()) {
    if (trader.news() == Trader::News::order) {
      const OrderState& order = *trader.order(trader.news_order());
      diary.note(trader, std::string(to_string(order.side)) + " " + to_string(order.progress) + ", " +
                             std::to_string(order.open.lots) + " open");
    }
    if (bid == OrderId{} && trader.quote().has_both()) bid = trader.buy(Quantity{50}, trader.quote().bid);
    if (bid != OrderId{} && ask == OrderId{} && trader.order(bid)->progress == OrderProgress::filled)
      ask = trader.sell(Quantity{50}, trader.quote().ask);
  }
  diary.note(trader, "over");
}

Strategy hurried(Trader& trader) {
  int quotes = 0;
  while (co_await trader.next())
    if (trader.news() == Trader::News::quote && ++quotes == 10) diary.market->stop();
}

Strategy nervous(Trader& trader) {
  while (co_await trader.next()) {
    const SymbolId symbol{static_cast<std::uint32_t>(trader.random().below(trader.symbol_count()))};
    const Quote& quote = trader.quote(symbol);
    if (!quote.has_both()) continue;
    const Quantity quantity{1 + static_cast<std::uint32_t>(trader.random().below(200))};
    const OrderOptions options{.symbol = symbol};
    switch (trader.random().below(6)) {
      case 0: trader.buy(quantity, quote.bid, options); break;
      case 1: trader.sell(quantity, quote.ask, options); break;
      case 2: trader.buy(quantity, quote.ask, options); break;
      case 3: trader.sell(quantity, quote.bid, options); break;
      case 4: trader.cancel_all(symbol); break;
      default: break;
    }
  }
}

// It counts because GCC 12 lays out the frame of a coroutine wrongly that awaits in a condition and has no variables.
Strategy restless(Trader& trader) {
  int wakes = 0;
  while (co_await trader.next_within(std::chrono::seconds(1))) wakes += trader.news() == Trader::News::time;
  diary.note(trader, "over after " + std::to_string(wakes));
}

}  // namespace

TEST_CASE("a strategy that joins the best bid fills only when the queue in front has traded, and its books are right") {
  const Scratch scratch;
  const std::string file = scratch.write("X.csv", std::string(csv_header) +
                                                      "0,34200,A,1,100,1000000,1,msg\n"
                                                      "1,34200,A,2,100,1000200,-1,msg\n"  // ours joins behind 1
                                                      "2,34201,A,3,200,1000000,1,msg\n"   // and 3 behind ours
                                                      "3,34202,E,1,60,1000000,1,msg\n"
                                                      "4,34203,E,1,40,1000000,1,msg\n"    // nothing in front any more
                                                      "5,34204,E,3,30,1000000,1,msg\n"    // ours: 30
                                                      "6,34205,E,3,50,1000000,1,msg\n"    // ours: 20, then 30 of 3
                                                      "7,34206,E,2,100,1000200,-1,msg\n"  // in front of our offer
                                                      "8,34207,A,4,100,1000200,-1,msg\n"
                                                      "9,34208,E,4,60,1000200,-1,msg\n"  // ours: 50
                                                      "10,34209,D,3,120,1000000,1,msg\n"
                                                      "11,34210,A,5,10,999900,1,msg\n");
  for (const std::uint32_t schedulers : {1u, 2u, 4u}) {
    CAPTURE(schedulers);
    diary = {};
    RecordedMarket market({.file = file, .schedulers = schedulers, .strategy = patient, .fees = {.maker = 10}});

    const ReplayReport report = market.run();

    CHECK(report.error == "");
    CHECK(diary.text ==
          "34200.000300 buy live, 50 open\n"
          "34204.000100 buy partly_filled, 20 open\n"
          "34205.000100 buy filled, 0 open\n"
          "34205.000300 sell live, 50 open\n"
          "34208.000100 sell filled, 0 open\n"
          "34210.000400 over\n");
    const TraderReport& trader = market.trader_report();
    REQUIRE(trader.lines.size() == 1);
    const Position& position = trader.lines[0].position;
    CHECK(trader.orders == 2);
    CHECK(position.lots == 0);
    CHECK(position.bought == 50);
    CHECK(position.sold == 50);
    CHECK(position.fills == 3);
    CHECK(position.cash == 50 * 1'000'200 - 50 * 1'000'000);
    CHECK(position.fees == 100 * 10);
    CHECK(trader.lines[0].profit == 10'000 - 1'000);

    CHECK(report.trades == 6);  // as the file has it
    CHECK(report.shares == 340);
    // The executions at which ours traded, and the removal of 3, which had 50 more than history knows.
    CHECK(report.ledger.adjusted_events == 4);
    CHECK(report.ledger.adjusted_shares == 100);
    CHECK(report.ledger.filled_shares == 100);
    CHECK(report.ledger.surplus_shares == 50);
    CHECK(report.orders_live == 2);  // 4 has 40 that history knows of, and 50 that ours traded for it
  }
}

TEST_CASE("a position is marked at the middle of the last quote") {
  const Scratch scratch;
  const std::string file = scratch.write("X.csv", std::string(csv_header) +
                                                      "0,34200,A,1,100,1000000,1,msg\n1,34200,A,2,100,1000200,-1,msg\n"
                                                      "2,34201,A,3,200,1000000,1,msg\n3,34202,D,1,100,1000000,1,msg\n"
                                                      "4,34203,E,3,30,1000000,1,msg\n5,34204,D,2,100,1000200,-1,msg\n"
                                                      "6,34204,A,4,100,1000600,-1,msg\n");
  diary = {};
  RecordedMarket market({.file = file, .strategy = patient, .fees = {.maker = -2}});

  market.run();

  // 30 bought at 1,000,000; at the end the market is 1,000,000 to 1,000,600.
  const TraderReport::Line& line = market.trader_report().lines.at(0);
  CHECK(line.position.lots == 30);
  CHECK(line.position.cash == -30'000'000);
  CHECK(line.mark == Price{1'000'300});
  CHECK(line.profit == 30 * 300 + 30 * 2);
}

TEST_CASE(
    "with a strategy that trades everywhere, digest, ledger and its accounts are the same on any number of "
    "schedulers") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  std::printf("--seed=%llu\n", static_cast<unsigned long long>(seed));
  const Scratch scratch;
  const std::string file = scratch.write("day.itch", drawn_day(seed, 5'000));
  const auto play = [&](std::uint32_t schedulers) {
    RecordedMarket market({.file = file, .schedulers = schedulers, .seed = seed, .strategy = nervous});
    const ReplayReport report = market.run();
    CHECK(report.error == "");
    CHECK(report.refused == 0);
    std::uint64_t fills = 0;
    std::int64_t lots = 0;
    for (const TraderReport::Line& line : market.trader_report().lines) {
      fills += line.position.fills;
      lots += line.position.lots;
    }
    CHECK(fills > 100);
    CHECK(report.ledger.adjusted_events > 100);
    CHECK(report.ledger.adjusted_shares <= report.ledger.taken_shares + report.ledger.filled_shares);
    return std::to_string(report.digest) + " " + std::to_string(fills) + " " + std::to_string(lots) + " " +
           std::to_string(report.ledger.adjusted_events) + " " + std::to_string(report.orders_live);
  };

  const std::string one = play(1);
  for (const std::uint32_t schedulers : {1u, 2u, 4u}) CHECK(play(schedulers) == one);
}

TEST_CASE("a replay that is told to stop ends with what it has") {
  const Scratch scratch;
  const std::string file = scratch.write("day.itch", drawn_day(11, 50'000));

  SUBCASE("by the strategy") {
    RecordedMarket market({.file = file, .strategy = hurried});
    diary = {.text = {}, .market = &market};
    const ReplayReport report = market.run();
    CHECK(report.stopped);
    CHECK(report.error == "");
    CHECK(report.messages < 50'000);
    CHECK(report.messages == market.messages());
    CHECK(market.progress() > 0);
    CHECK(market.progress() < 1);
    CHECK(report.ledger.events == report.messages - 8);  // all that was read was played
  }
  SUBCASE("by another thread") {
    RecordedMarket market({.file = file, .schedulers = 2});
    std::thread other([&] {
      while (market.messages() == 0) std::this_thread::yield();
      market.stop();
    });
    const ReplayReport report = market.run();
    other.join();
    CHECK(report.stopped);
    CHECK(report.error == "");
    CHECK(report.ledger.events == report.messages - 8);
  }
  SUBCASE("before it began") {
    RecordedMarket market({.file = file});
    market.stop();
    const ReplayReport report = market.run();
    CHECK(report.stopped);
    CHECK(report.messages == 0);
  }
  SUBCASE("not at all") {
    RecordedMarket market({.file = file});
    const ReplayReport report = market.run();
    CHECK_FALSE(report.stopped);
    CHECK(market.progress() == 1);
  }
}

TEST_CASE("a strategy that wakes by itself ends with the recording") {
  const Scratch scratch;
  const std::string file = scratch.write(
      "X.csv", std::string(csv_header) + "0,34200,A,1,100,1000000,1,msg\n1,34300,D,1,100,1000000,1,msg\n");
  diary = {};

  const ReplayReport report = replayed({.file = file, .strategy = restless});

  CHECK(diary.text == "34300.000400 over after 100\n");
  CHECK(to_ns(report.from) == 34'200'000'000'000);
  CHECK(to_ns(report.to) == 34'300'000'000'000);
}
