// Recorded markets through the feed, the symbols and a strategy.
#include <outcry/actors/recorded_market.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/net/files.hpp"

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

  const ReplayReport report = replayed({.file = data("golden/itch50_aapl_20200130_10k.bin"),
                                        .verify = data("golden/itch50_aapl_20200130_10k_bbo.csv")});

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
