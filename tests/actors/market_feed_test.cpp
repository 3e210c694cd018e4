#include <outcry/actors/market_feed.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include "feed_rig.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry_test;

namespace {

struct Nobody {
  void on(const auto&) {}
};

struct Told {
  std::uint64_t messages = 0, volume = 0;
  std::uint64_t last_time_ns = 0;
  std::string types;
};

/// Reads all packets of a feed, which must follow one another.
Told read(const std::vector<Bytes>& packets, std::uint64_t& next) {
  Told told;
  for (const Bytes& packet : packets) {
    const mold::Decoded decoded = mold::decode(packet);
    REQUIRE(decoded);
    REQUIRE(decoded.packet.session() == "DAY1      ");
    REQUIRE(decoded.packet.sequence() == next);
    REQUIRE(packet.size() <= mold::usual_packet);
    next = decoded.packet.next_sequence();
    decoded.packet.each([&](std::uint64_t, std::span<const std::byte> bytes) {
      const itch::Decoded message = itch::decode(bytes);
      REQUIRE(message);
      REQUIRE(message.message.timestamp() >= told.last_time_ns);
      told.last_time_ns = message.message.timestamp();
      ++told.messages;
      told.types += message.message.type();
      switch (message.message.type()) {
        case 'E': told.volume += message.message.as<itch::OrderExecuted>().shares; break;
        case 'C':
          if (message.message.as<itch::OrderExecutedAt>().printable == 'Y')
            told.volume += message.message.as<itch::OrderExecutedAt>().shares;
          break;
        case 'P': told.volume += message.message.as<itch::Trade>().shares; break;
        case 'Q': told.volume += message.message.as<itch::CrossTrade>().shares; break;
        default: break;
      }
    });
  }
  return told;
}

void compare_every_step(FeedRig& rig, int steps) {
  rig.begin();
  for (int i = 0; i < steps; ++i) {
    rig.step();
    for (std::uint32_t symbol = 0; symbol < rig.symbols(); ++symbol) {
      const Instrument& instrument = rig.instruments()[symbol];
      const std::string venue = displayed(rig.book(symbol), 10'000 / instrument.price_scale);
      REQUIRE(displayed(rig.feed().book({symbol})->book()) == venue);
      REQUIRE(rig.feed().book({symbol})->phase() == rig.book(symbol).phase());
      REQUIRE(rig.news(symbol).check().empty());
    }
  }
  CHECK(rig.feed().counts().refused == 0);
  CHECK(rig.feed().counts().strangers == 0);
}

std::uint64_t traded(const FeedRig& rig) {
  std::uint64_t sum = 0;
  for (std::uint32_t symbol = 0; symbol < rig.symbols(); ++symbol)
    sum += rig.book(symbol).counts().traded - rig.unprinted(symbol);
  return sum;
}

}  // namespace

TEST_CASE("after every command of a market without rules the feed shows the market's own books and volume") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  for (std::uint64_t round = 0; round < 4; ++round) {
    CAPTURE(round);
    FeedRig rig({.symbols = 4, .rules = false, .seed = seed + round, .remember = false});
    compare_every_step(rig, 2'000);
    rig.feed().flush(rig.now(), rig.packets());

    std::uint64_t next = 1;
    const Told told = read(rig.packets().all, next);
    CHECK(next == rig.feed().next_sequence());
    CHECK(told.messages == rig.feed().counts().messages);
    CHECK(told.volume == traded(rig));
    for (const char type : {'S', 'R', 'H', 'A', 'E', 'X', 'D', 'U'}) CHECK(told.types.find(type) != std::string::npos);
  }
}

TEST_CASE("after every command of a market with any rules the feed shows what the market displays, and its volume") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  std::string types;
  for (std::uint64_t round = 0; round < 40; ++round) {
    CAPTURE(round);
    FeedRig rig({.symbols = 2, .rules = true, .rule_set = seed + 2 * round, .seed = seed + round, .remember = false});
    compare_every_step(rig, 1'000);
    rig.feed().flush(rig.now(), rig.packets());

    std::uint64_t next = 1;
    const Told told = read(rig.packets().all, next);
    CHECK(told.volume == traded(rig));
    types += told.types;
  }
  for (const char type : {'S', 'R', 'H', 'A', 'E', 'C', 'X', 'D', 'U', 'P', 'Q'}) {
    CAPTURE(type);
    CHECK(types.find(type) != std::string::npos);
  }
}

TEST_CASE("a broken trade is told by the number that the trade had") {
  MarketFeed feed({.session = "DAY1", .instruments = {feed_instrument(0)}}, 0);
  Packets packets;
  feed.begin(0, packets);
  feed.flush(0, packets);
  packets.take();

  feed.take(MarketByOrder{.trade = 7, .kind = MarketByOrder::Kind::broken}, 1, packets);
  feed.flush(1, packets);

  const std::vector<Bytes> sent = packets.take();
  REQUIRE(sent.size() == 1);
  const mold::Decoded decoded = mold::decode(sent[0]);
  REQUIRE(decoded);
  CHECK(decoded.packet.next_sequence() == decoded.packet.sequence() + 1);
  decoded.packet.each([&](std::uint64_t, std::span<const std::byte> bytes) {
    const itch::Decoded message = itch::decode(bytes);
    REQUIRE(message);
    REQUIRE(message.message.type() == 'B');
    CHECK(message.message.as<itch::BrokenTrade>().match == match_number(SymbolId{0}, 7));
  });
}

TEST_CASE("a feed can be subscribed to in the middle of a day, and begins with what is there") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  OrderPool pool;
  OrderBook<> book(feed_instrument(0), pool);
  Profile profile{.name = "late", .instrument = feed_instrument(0)};
  DrawnMarket market(profile, seed);
  Nobody nobody;
  for (int i = 0; i < 1'000; ++i) carry_out(market.next(book.order_count()), book, nobody);

  MarketFeed feed({.session = "DAY1", .instruments = {feed_instrument(0)}}, 0);
  Packets packets;
  feed.begin(0, packets);
  ShownOrders news(book);
  NewsConsumer consumer{news};
  news.subscribe({}, 0);
  for (int i = 0; i < 500; ++i) {
    for (std::size_t n = 0; n < news.waiting(0); ++n) feed.take(news.change(0, n), i, packets);
    news.forget();
    REQUIRE(displayed(feed.book({0})->book()) == displayed(book));
    news.begin(i);
    carry_out(market.next(book.order_count()), book, consumer);
    news.end();
  }
  CHECK(feed.counts().refused == 0);
}

TEST_CASE("a feed's times never go back and stay within the day, whatever the clock does") {
  constexpr std::int64_t hour = 3'600'000'000'000;
  FeedClock clock(-9 * hour);  // the world began at nine
  CHECK(clock.at(0) == 9 * hour);
  CHECK(clock.at(hour) == 10 * hour);
  CHECK(clock.at(0) == 10 * hour);  // an hour back
  CHECK(clock.at(hour + 1) == 10 * hour + 1);
  CHECK(!clock.is_over(15 * hour - 1));
  CHECK(clock.is_over(15 * hour));
  CHECK(clock.at(15 * hour) == 24 * hour - 1);
  CHECK(clock.at(90 * hour) == 24 * hour - 1);
  FeedClock early(hour);  // midnight is still to come
  CHECK(early.at(0) == 0);
}

TEST_CASE("a feed refuses instruments that ITCH has no numbers for, by name") {
  const auto refusal = [](auto change) -> std::string {
    Instrument instrument = feed_instrument(0);
    change(instrument);
    try {
      MarketFeed feed({.instruments = {instrument}}, 0);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "none";
  };
  CHECK(refusal([](Instrument&) {}) == "none");
  CHECK(refusal([](Instrument& i) { i.highest = {5'000'000'000}; }) ==
        "SYM0: a feed cannot tell prices below 0 or above 429,496.7295: set the instrument's lowest and highest price");
  CHECK(refusal([](Instrument& i) { i.lowest = {-1}; }) ==
        "SYM0: a feed cannot tell prices below 0 or above 429,496.7295: set the instrument's lowest and highest price");
  CHECK(refusal([](Instrument& i) { i.price_scale = 100'000; }) ==
        "SYM0: a feed cannot tell prices finer than 1/10,000");
  CHECK(refusal([](Instrument& i) { i.name = padded_name("ABCDEFGHI"); }) ==
        "ABCDEFGHI: a feed cannot tell a name of more than 8 letters");
}

TEST_CASE("a silent feed says where it is each second, and at its end that it has ended, again and again") {
  MarketFeed feed({.session = "DAY1", .instruments = {feed_instrument(0)}}, 0);
  Packets packets;
  feed.poll(5'000'000'000, packets);
  CHECK(packets.all.empty());  // nothing before the session begins
  feed.begin(0, packets);
  feed.poll(0, packets);
  REQUIRE(packets.take().size() == 1);
  CHECK(feed.deadline() == 1'000'000'000);
  feed.poll(999'999'999, packets);
  CHECK(packets.all.empty());
  feed.poll(1'000'000'000, packets);
  const auto heartbeat = packets.take();
  REQUIRE(heartbeat.size() == 1);
  CHECK(mold::decode(heartbeat[0]).packet.messages() == 0);
  CHECK(mold::decode(heartbeat[0]).packet.sequence() == feed.next_sequence());

  feed.end(1'500'000'000, packets);
  auto last = packets.take();
  REQUIRE(last.size() == 2);
  CHECK(mold::decode(last[0]).packet.messages() == 3);
  CHECK(mold::decode(last[1]).packet.is_end());
  feed.poll(2'500'000'000, packets);
  last = packets.take();
  REQUIRE(last.size() == 1);
  CHECK(mold::decode(last[0]).packet.is_end());
  CHECK(mold::decode(last[0]).packet.sequence() == feed.next_sequence());
}

TEST_CASE("a full store stops keeping, not sending") {
  FeedRig rig({.symbols = 1, .rules = false, .feed = {.store = {.messages = 50, .bytes = 10'000}}, .remember = false});
  rig.begin();
  rig.steps(500);
  std::uint64_t next = 1;
  read(rig.packets().all, next);
  CHECK(next == rig.feed().next_sequence());
  CHECK(rig.feed().store().next_sequence() == 51);
  CHECK(rig.feed().counts().not_kept == rig.feed().next_sequence() - 51);
}
