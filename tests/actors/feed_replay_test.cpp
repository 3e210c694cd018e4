// What the feed says, written to a file, is a recorded market like any other.
#include <outcry/actors/market_feed.hpp>
#include <outcry/actors/recorded_market.hpp>
#include <outcry/net/itch_file.hpp>
#include <outcry/net/itch_file_writer.hpp>

#include <doctest/doctest.h>

#include <array>
#include <stdexcept>
#include <string>

#include "feed_rig.hpp"
#include "tests/net/obvious_book.hpp"
#include "tests/scratch.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry_test;

TEST_CASE("a feed's day as an ITCH file is replayed with the market's own trades, orders and levels") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  for (const bool rules : {false, true}) {
    CAPTURE(rules);
    FeedRig rig({.symbols = 3, .rules = rules, .rule_set = 8, .seed = seed, .remember = false});
    rig.begin();
    rig.steps(5'000);
    rig.feed().end(rig.now(), rig.packets());
    const Scratch scratch;
    const std::string file = scratch.path("day.itch");
    ItchFileWriter writer(file);
    writer.write(rig.feed().store());
    writer.end();

    RecordedMarket market({.file = file, .measure = false});
    const ReplayReport report = market.run();
    CHECK(report.error == "");
    CHECK(report.messages == rig.feed().counts().messages);
    CHECK(report.symbols == 3);
    CHECK(report.ledger.unknown_orders == 0);
    CHECK(report.ledger.adjusted_events == 0);
    CHECK(report.ledger.broken_events == 0);
    std::uint64_t orders = 0, traded = 0, trades = 0;
    for (std::size_t i = 0; i < rig.symbols(); ++i) {
      orders += rig.book(i).order_count();
      traded += rig.book(i).counts().traded - rig.unprinted(i);
      trades += rig.book(i).counts().trades;
    }
    CHECK(report.orders_live == orders);
    if (!rules) {  // auctions are in no replay's volume
      CHECK(report.shares == traded);
      CHECK(report.trades <= trades);
    }

    std::array<outcry::test::ObviousBook, 3> books;
    const auto reader = open_records(file);
    std::array<HistoryEvent, 256> batch;
    while (const std::size_t size = reader->read(batch))
      for (const HistoryEvent& event : std::span(batch).first(size)) books[event.symbol.value].apply(event);
    CHECK(!reader->error());
    for (std::size_t i = 0; i < books.size(); ++i) {
      CAPTURE(i);
      const std::int64_t scale = 10'000 / rig.book(i).instrument().price_scale;
      CHECK(books[i].unknown_orders() == 0);
      CHECK(books[i].live_orders() == rig.book(i).order_count());
      for (const Side side : {Side::buy, Side::sell}) {
        const auto levels = side == Side::buy ? books[i].bids(1'000) : books[i].asks(1'000);
        std::size_t at = 0;
        rig.book(i).for_each_level(side, [&](const DepthLevel& level) {
          REQUIRE(at < levels.size());
          CHECK(levels[at].price.units == level.price.units * scale);
          CHECK(levels[at].volume == level.volume);
          CHECK(levels[at].orders == level.orders);
          ++at;
        });
        CHECK(at == levels.size());
      }
    }
  }
}

TEST_CASE("a file that cannot be written is named") {
  CHECK_THROWS_WITH_AS(ItchFileWriter("/nowhere/day.itch"), "/nowhere/day.itch: No such file or directory",
                       std::runtime_error);
}
