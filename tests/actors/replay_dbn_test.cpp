// Databento's market by order through the feed, the symbols and their books.
#include <outcry/actors/recorded_market.hpp>

#include <doctest/doctest.h>

#include <string>

#include "desk_rig.hpp"
#include "tests/net/files.hpp"

using namespace outcry;
using namespace outcry::test;

namespace {

ReplayReport replayed(ReplayOptions options) {
  RecordedMarket market(std::move(options));
  return market.run();
}

std::string rows_of(const ReplayReport& report) {
  return std::to_string(report.rows_equal) + " of " + std::to_string(report.rows_compared) +
         (report.verified ? ", all equal" : ", not all equal");
}

const std::string header = "symbol,ts_event,action,side,price,size,order_id,flags\n";

}  // namespace

TEST_CASE("a day of ARL meets all 3,928 rows of ten levels, on 1, 2 and 4 schedulers with one digest") {
  if (missing({"mbo_arl/mbo.csv", "mbo_arl/mbp.csv"})) return;

  std::uint64_t digest = 0;
  for (const std::uint32_t schedulers : {1u, 2u, 4u}) {
    CAPTURE(schedulers);
    const ReplayReport report =
        replayed({.file = data("mbo_arl/mbo.csv"), .verify = data("mbo_arl/mbp.csv"), .schedulers = schedulers});

    CHECK(report.error == "");
    CHECK(report.first_difference == "");
    CHECK(rows_of(report) == "3928 of 3928, all equal");
    CHECK(report.messages == 5'886);
    CHECK(report.symbols == 1);
    CHECK(report.trades == 46);
    CHECK(report.shares == 1'341);  // the sum of the sizes of T
    CHECK(report.ledger.hidden_trades == 35);
    CHECK(report.orders_live == 6);
    CHECK(report.ledger.unknown_orders == 0);
    CHECK(report.ledger.adjusted_events == 0);
    if (schedulers == 1) digest = report.digest;
    CHECK(report.digest == digest);
  }
}

TEST_CASE("an instrument that a file shows late has its book, and each has its own orders") {
  const Scratch scratch;
  std::string text = header;
  for (int i = 0; i < 5'000; ++i)
    text += "ARL,2025-07-17T08:00:00." + std::to_string(100'000 + i) + "Z,A,B,5." + std::to_string(10 + i % 50) +
            ",1," + std::to_string(i + 1) + ",128\n";
  text += "MSFT,2025-07-17T08:00:01Z,A,B,500.01,100,7,128\nMSFT,2025-07-17T08:00:02Z,C,B,500.01,100,7,128\n";
  const std::string file = scratch.write("two.csv", text);

  const std::uint64_t digest = replayed({.file = file}).digest;
  for (const std::uint32_t schedulers : {1u, 2u, 4u}) {
    const ReplayReport report = replayed({.file = file, .schedulers = schedulers});
    CHECK(report.error == "");
    CHECK(report.symbols == 2);
    CHECK(report.orders_live == 5'000);
    CHECK(report.digest == digest);
  }
}

TEST_CASE("modified orders meet their market by price") {
  const Scratch scratch;
  const auto at = [](int second, const std::string& rest) {
    return "2025-07-17T08:00:0" + std::to_string(second) + "Z," + rest + "\n";
  };
  const std::string file =
      scratch.write("x.csv", header + "X," + at(0, "R,N,,0,0,8") + "X," + at(1, "A,A,10.00,50,7,128") + "X," +
                                 at(2, "A,A,10.00,20,8,128") + "X," + at(3, "M,A,10.01,60,7,128") + "X," +
                                 at(4, "T,B,10.00,5,0,0") + "X," + at(4, "F,A,10.00,5,8,0") + "X," +
                                 at(4, "M,A,10.00,15,8,128") + "X," + at(5, "M,A,10.01,40,7,128"));
  const std::string mbp = scratch.write(
      "mbp.csv",
      "ts_event,action,side,price,size,order_id,bid_px_00,bid_sz_00,bid_ct_00,ask_px_00,ask_sz_00,ask_ct_00,bid_px_01,"
      "bid_"
      "sz_01,bid_ct_01,ask_px_01,ask_sz_01,ask_ct_01\n" +
          at(0, "R,N,,0,0,,0,0,,0,0,,0,0,,0,0") + at(1, "A,A,10.0,50,7,,0,0,10.0,50,1,,0,0,,0,0") +
          at(2, "A,A,10.0,20,8,,0,0,10.0,70,2,,0,0,,0,0") + at(3, "M,A,10.01,60,7,,0,0,10.0,20,1,,0,0,10.01,60,1") +
          at(4, "T,A,10.0,5,0,,0,0,10.0,15,1,,0,0,10.01,60,1") +
          at(5, "M,A,10.01,40,7,,0,0,10.0,15,1,,0,0,10.01,40,1"));

  const ReplayReport report = replayed({.file = file, .verify = mbp});

  CHECK(report.error == "");
  CHECK(report.first_difference == "");
  CHECK(rows_of(report) == "6 of 6, all equal");
  CHECK(report.shares == 5);
  CHECK(report.orders_live == 2);
}

TEST_CASE("a cancellation of an order that was never shown stops the replay where it stands") {
  const Scratch scratch;
  const std::string file = scratch.write(
      "x.csv", header + "X,2025-07-17T08:00:01Z,A,A,10.00,50,7,128\n" + "X,2025-07-17T08:00:02Z,C,A,10.00,50,8,128\n");

  CHECK(
      replayed({.file = file}).error ==
      file +
          ", line 3: found a reduction of order 8, which is not in the book, expected an order that was entered and is "
          "still open");
}

TEST_CASE("an order changed under its own id keeps its place only if it shrinks where it is") {
  using enum Side;
  DeskRig market;
  market.first(add(1, buy, 100, 100), add(2, buy, 50, 100));

  SUBCASE("it shrinks") {
    CHECK(market(replace(1, 1, 40, 100)) == "\nquote 90 at 100, none\n");
    CHECK(market.levels() == "\nbuy  100 | 1:40 2:50\n");
    CHECK(market(replace(1, 1, 40, 100)) == "\n");
    CHECK(market.levels() == "\nbuy  100 | 1:40 2:50\n");
    CHECK(market(replace(1, 1, 0, 100)) == "\nquote 50 at 100, none\n");
    CHECK(market.levels() == "\nbuy  100 | 2:50\n");
  }
  SUBCASE("it grows") {
    CHECK(market(replace(1, 1, 101, 100)) == "\nquote 151 at 100, none\n");
    CHECK(market.levels() == "\nbuy  100 | 2:50 1:101\n");
  }
  SUBCASE("it moves") {
    CHECK(market(replace(1, 1, 100, 99)) == "\nquote 50 at 100, none\n");
    CHECK(market(replace(1, 1, 100, 100)) == "\nquote 150 at 100, none\n");
    CHECK(market.levels() == "\nbuy  100 | 2:50 1:100\n");
  }
  SUBCASE("there is no such order") {
    CHECK(market(replace(3, 3, 100, 99)) == "\n");
    CHECK(market.ledger().first_failure.reason == Reason::unknown_order);
    return;
  }
  CHECK_FALSE(market.ledger().failed());
  CHECK(market.adjusted() == "0 events, 0 shares");
}

TEST_CASE("an order changed under its own id is shorter by what ours took of it") {
  using enum Side;
  DeskRig market;
  market.first(add(1, sell, 100, 105), order(901, buy, 30, 105));
  CHECK(market.levels() == "\nsell 105 | 1:70\n");

  SUBCASE("it moves, and has no more than before") {
    CHECK(market(replace(1, 1, 100, 106)) == "\nquote none, 70 at 106\n");
    CHECK(market.adjusted() == "1 events, 30 shares");
    CHECK(market(execute(1, 100)) == "\ntrade 70 at 106, buy\nquote none, none\n");
    CHECK(market.adjusted() == "2 events, 30 shares");  // the same 30: not counted again
    CHECK(market.ledger().missing_shares == 30);
  }
  SUBCASE("it shrinks by what the book still has") {
    CHECK(market(replace(1, 1, 40, 105)) == "\nquote none, 10 at 105\n");
    CHECK(market.adjusted() == "0 events, 0 shares");
  }
  SUBCASE("it shrinks by more than the book has") {
    CHECK(market(replace(1, 1, 20, 105)) == "\nquote none, none\n");
    CHECK(market(execute(1, 20)) == "\n");
    CHECK(market.ledger().missing_shares == 30);
  }
  SUBCASE("it moves to less than ours took") {
    CHECK(market(replace(1, 1, 20, 106)) == "\nquote none, none\n");
    CHECK(market.ledger().missing_shares == 10);
    CHECK(market(remove(1)) == "\n");
    CHECK(market.ledger().missing_shares == 30);
  }
  CHECK_FALSE(market.ledger().failed());
}

TEST_CASE("an order changed under its own id is what history says, though ours traded in its place") {
  using enum Side;
  DeskRig market;
  market.first(order(901, sell, 30, 105), add(1, sell, 50, 105), execute(1, 40));
  CHECK(market.levels() == "\nsell 105 | 1:40\n");  // history has 10 of it

  SUBCASE("it stays as it is") {
    CHECK(market(replace(1, 1, 10, 105)) == "\n");
    CHECK(market(execute(1, 10)) == "\ntrade 10 at 105, buy\nquote none, none\n");
  }
  SUBCASE("it moves") { CHECK(market(replace(1, 1, 10, 106)) == "\nquote none, 10 at 106\n"); }
  CHECK(market.ledger().surplus_shares == 30);
  CHECK_FALSE(market.ledger().failed());
}
