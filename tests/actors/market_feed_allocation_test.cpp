// What a feed and its client allocate once they are warm: this program counts every operator new.
#include <outcry/actors/feed_client.hpp>
#include <outcry/actors/market_feed.hpp>
#include <outcry/actors/shown_orders.hpp>

#include <doctest/doctest.h>

#include "tests/book/drawn_market.hpp"
#include "tests/counted_allocations.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using outcry_test::allocations;

namespace {

struct NewsConsumer {
  ShownOrders& news;
  void on(const Rejected&) {}
  void on(const Traded& event) { news.on(event, true); }
  template <class Event>
  void on(const Event& event) {
    news.on(event);
  }
};

class Ears : public FeedListener {
 public:
  void on(const TradePrint&) override { ++heard; }
  void on(const PhaseChanged&) override { ++heard; }
  void on_book(SymbolId, const FeedBook& book) override { heard += book.book().quote().has_bid(); }
  std::uint64_t heard = 0;
};

class Wire : public PacketSink {
 public:
  explicit Wire(FeedClient& to) : client(to) {}
  void send(std::span<const std::byte> packet) override {
    client.receive(FeedClient::Line::a, packet, 0, ears);
    client.receive(FeedClient::Line::b, packet, 0, ears);
    ++packets;
  }
  FeedClient& client;
  Ears ears;
  std::uint64_t packets = 0;
};

}  // namespace

TEST_CASE("from a book's events to a client's book nothing is allocated once it is warm") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  Instrument instrument;
  instrument.name = padded_name("WARM");
  instrument.lowest = {9'800};
  instrument.highest = {10'200};
  outcry_test::Profile profile{.name = "warm", .instrument = instrument};
  profile.far_percent = 0;
  profile.drift_percent = 0;
  outcry_test::DrawnMarket market(profile, seed);
  OrderPool pool(OrderPool::Size{.orders = 4096});
  const BookSize size{.window = {.levels = 1024}, .orders = 4096};
  OrderBook<> book(instrument, pool, size);
  ShownOrders news(book);
  NewsConsumer consumer{news};
  news.subscribe({}, 0);
  FeedClient client(
      {.session = "DAY1", .instruments = {instrument}, .snapshots = false, .orders = {.orders = 4096}, .book = size},
      0);
  Wire wire(client);
  MarketFeed feed({.session = "DAY1", .instruments = {instrument}, .orders = {.orders = 4096}, .book = size}, 0);
  feed.begin(0, wire);

  std::uint64_t messages_before = 0;
  for (int i = 0; i < 200'000; ++i) {
    if (i == 50'000) messages_before = feed.counts().messages;
    const outcry_test::Command command = market.next(book.order_count());
    const std::int64_t before = allocations.load();
    news.begin(i);
    outcry_test::carry_out(command, book, consumer);
    news.end();
    for (std::size_t n = 0; n < news.waiting(0); ++n) feed.take(news.change(0, n), i, wire);
    news.forget();
    feed.poll(i, wire);
    if (i >= 50'000) REQUIRE(allocations.load() == before);
  }

  CHECK(feed.counts().messages - messages_before > 50'000);
  CHECK(wire.packets > 1'000);
  CHECK(wire.ears.heard > 1'000);
  CHECK(client.next_sequence() == feed.next_sequence());
}
