#include <outcry/net/glimpse.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <outcry/net/message_store.hpp>
#include <outcry/net/mold_requests.hpp>
#include <outcry/net/mold_sender.hpp>
#include <outcry/net/snapshot_join.hpp>
#include <outcry/net/soup_client.hpp>
#include <outcry/net/soup_server.hpp>

#include "files.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;

namespace {

struct Order {
  std::uint64_t number;
  char side;
  std::uint32_t shares, price;
  friend bool operator==(const Order&, const Order&) = default;
};

/// Every order there is, oldest first. A message about an order that is not there is a mistake.
struct Orders {
  std::vector<Order> all{};
  std::size_t unknown = 0;

  void apply(std::span<const std::byte> message) {
    itch::decode(message).message.visit([&](const auto& m) { on(m); });
  }
  void on(const itch::AddOrder& m) { all.push_back({m.order, m.side, m.shares, m.price}); }
  void on(const itch::OrderExecuted& m) { take(m.order, m.shares); }
  void on(const itch::OrderCancel& m) { take(m.order, m.shares); }
  void on(const itch::OrderDelete& m) { take(m.order, UINT32_MAX); }
  void on(const itch::OrderReplace& m) {
    const auto order = find(m.order);
    const char side = order == all.end() ? '?' : order->side;
    take(m.order, UINT32_MAX);
    all.push_back({m.new_order, side, m.shares, m.price});
  }
  void on(const auto&) {}

  std::vector<Order>::iterator find(std::uint64_t number) {
    return std::find_if(all.begin(), all.end(), [&](const Order& o) { return o.number == number; });
  }
  void take(std::uint64_t number, std::uint32_t shares) {
    const auto order = find(number);
    if (order == all.end()) {
      ++unknown;
    } else if (shares >= order->shares) {
      all.erase(order);
    } else {
      order->shares -= shares;
    }
  }
  friend bool operator==(const Orders&, const Orders&) = default;
};

template <class Message>
std::string bytes_of(const Message& message) {
  return {reinterpret_cast<const char*>(&message), sizeof message};
}

/// The next thing that happens in a market with these orders.
std::string drawn_message(std::mt19937_64& random, Orders& market, std::uint64_t& last_order) {
  const auto shares = static_cast<std::uint32_t>(random() % 100 + 1);
  const auto price = static_cast<std::uint32_t>(1'000'000 + random() % 10 * 100);
  if (market.all.empty() || random() % 3 == 0)
    return bytes_of(itch::AddOrder{
        .order = ++last_order, .side = random() % 2 ? 'B' : 'S', .shares = shares, .stock = "AAPL", .price = price});
  const Order& order = market.all[random() % market.all.size()];
  const auto part = static_cast<std::uint32_t>(random() % order.shares + 1);
  switch (random() % 4) {
    case 0: return bytes_of(itch::OrderExecuted{.order = order.number, .shares = part, .match = 1});
    case 1: return bytes_of(itch::OrderCancel{.order = order.number, .shares = part});
    case 2: return bytes_of(itch::OrderDelete{.order = order.number});
    default:
      return bytes_of(
          itch::OrderReplace{.order = order.number, .new_order = ++last_order, .shares = shares, .price = price});
  }
}

MessageStore snapshot_of(const Orders& market, std::uint64_t next_sequence) {
  MessageStore store({.messages = 1'000, .bytes = 50'000});
  store.append(itch::encode(itch::SystemEvent{.event = 'Q'}));
  store.append(itch::encode(itch::StockDirectory{.stock = "AAPL"}));
  store.append(itch::encode(itch::TradingAction{.stock = "AAPL", .state = 'T'}));
  for (const Order& order : market.all)
    store.append(itch::encode(itch::AddOrder{
        .order = order.number, .side = order.side, .shares = order.shares, .stock = "AAPL", .price = order.price}));
  const glimpse::EndOfSnapshot end = glimpse::EndOfSnapshot::at(next_sequence);
  store.append(as_bytes(bytes_of(end)));
  return store;
}

/// A client that comes in the middle: it hears the feed from some message on, with losses, and reads a snapshot over
/// SoupBinTCP that was taken at another one. `wrong_by` is planted: how far the snapshot's number is off.
Orders joined(std::mt19937_64& random, int wrong_by, Orders& complete) {
  MessageStore feed({.messages = 300, .bytes = 20'000});
  Orders market;
  std::uint64_t last_order = 0;
  const std::size_t heard_from = random() % 150, taken_at = random() % 150,
                    ended_at = std::max(heard_from, taken_at) + random() % 100;
  MessageStore snapshot = snapshot_of(market, 1);
  MoldSender sender({.session = "FEED", .largest_packet = 120, .flush_ns = 0}, 0);
  MoldRequests requests({.session = "FEED"}, 0);
  MoldReceiver receiver({.session = "FEED", .next_sequence = 0, .window = 64, .patience_ns = 1, .first_pause_ns = 1},
                        0);
  SnapshotJoin join(receiver);
  Orders client;
  const auto deliver = [&](std::uint64_t, std::span<const std::byte> message) { client.apply(message); };
  const auto read_snapshot = [&] {
    SoupServer server({}, 0);
    SoupClient reader({}, 0);
    ByteBuffer up(200), down(100'000);
    reader.log_in({.user = "MARA", .password = "secret", .sequence = 1}, up, 0);
    std::span<const std::byte> rest = up.bytes();
    REQUIRE(server.receive(rest, 0).kind == SoupServerEvent::Kind::login_requested);
    server.accept("GLIMPSE", 1, down, 0);
    server.end();
    server.send(snapshot, down, 0);
    rest = down.bytes();
    SoupClientEvent last;
    while (const SoupClientEvent event = reader.receive(rest, 0)) {
      if (event.kind == SoupClientEvent::Kind::message) join.take(event.message, 0, deliver);
      last = event;
    }
    REQUIRE(last.kind == SoupClientEvent::Kind::end_of_session);
    REQUIRE(join.state() == SnapshotJoin::State::joined);
  };
  for (std::size_t i = 0; i < 250; ++i) {
    if (i == taken_at) snapshot = snapshot_of(market, feed.next_sequence() + static_cast<std::uint64_t>(wrong_by));
    if (i == ended_at) read_snapshot();
    const std::string message = drawn_message(random, market, last_order);
    feed.append(as_bytes(message));
    market.apply(as_bytes(message));
    const auto send = [&](std::span<const std::byte> datagram) {
      if (i >= heard_from && random() % 4 != 0)
        receiver.receive(MoldReceiver::Line::a, datagram, static_cast<std::int64_t>(i), deliver);
    };
    sender.add(as_bytes(message), 0, send);
    if (random() % 2) sender.flush(0, send);
  }
  const auto to_client = [&](std::span<const std::byte> datagram) {
    receiver.receive(MoldReceiver::Line::requested, datagram, 0, deliver);
  };
  sender.end(0, to_client);
  for (std::int64_t now = 1'000; !receiver.finished(); now += 1'000'000'000) {
    if (now > 10'000'000'000'000) FAIL("the gap is never closed");
    receiver.poll(now, [&](std::span<const std::byte> request) { requests.answer(feed, request, 1, now, to_client); });
  }
  complete = market;
  return client;
}

}  // namespace

TEST_CASE("the end of a snapshot is 21 bytes: G and the number at which the feed goes on") {
  CHECK(bytes_of(glimpse::EndOfSnapshot::at(1'234)) == "G00000000000000001234");
  CHECK(bytes_of(glimpse::EndOfSnapshot::at(UINT64_MAX)) == "G18446744073709551615");
  const auto number = [](std::string_view text) { return glimpse::decode(as_bytes(text)); };
  CHECK(number("G00000000000000001234").next_sequence == 1'234);
  CHECK(number("G                1234").next_sequence == 1'234);
  CHECK(number("G1234                ").next_sequence == 1'234);
  CHECK(number("G00000000000000000000").fault == glimpse::Fault::wrong_number);
  CHECK(number("G                    ").fault == glimpse::Fault::wrong_number);
  CHECK(number("G0000000000000000123").fault == glimpse::Fault::no_message);
  CHECK(number("").fault == glimpse::Fault::no_message);
  const itch::OrderDelete message{.order = 7};
  CHECK(glimpse::decode(itch::encode(message)).message.type() == 'D');
  CHECK_FALSE(glimpse::decode(itch::encode(message)).is_end());
}

TEST_CASE("whatever a client hears of the feed and when its snapshot was taken, it ends with the market's orders") {
  MESSAGE("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  for (int i = 0; i < 200; ++i) {
    Orders market;
    const Orders client = joined(random, 0, market);
    CHECK(client == market);
    if (!(client == market)) break;
  }
}

TEST_CASE("a snapshot whose number is off by one is found out") {
  MESSAGE("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  for (const int wrong_by : {1, 2}) {
    int wrong = 0;
    for (int i = 0; i < 50; ++i) {
      Orders market;
      const Orders client = joined(random, wrong_by, market);
      wrong += !(client == market);
    }
    CHECK(wrong > 5);
  }
}

TEST_CASE("what is no message of a snapshot breaks the join, and so does one behind its end") {
  MoldReceiver feed({}, 0);
  SnapshotJoin join(feed);
  const auto ignore = [](std::uint64_t, std::span<const std::byte>) {};
  CHECK(join.take(as_bytes("what?"), 0, ignore) == SnapshotJoin::State::broken);
  SnapshotJoin again(feed);
  CHECK(again.take(as_bytes("G00000000000000000001"), 0, ignore) == SnapshotJoin::State::joined);
  CHECK(again.take(as_bytes("G00000000000000000001"), 0, ignore) == SnapshotJoin::State::broken);
}
