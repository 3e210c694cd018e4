// What ports allocate once they are warm: this program counts every operator new.
#include <doctest/doctest.h>

#include <array>

#include <outcry/actors/ouch_port.hpp>
#include <outcry/net/soup_client.hpp>

#include "memory_venue.hpp"
#include "tests/counted_allocations.hpp"

using namespace outcry;
using namespace outcry::test;
using outcry_test::allocations;

namespace {

/// A port with a client that answers nothing and hears everything.
template <class Port>
struct Trading {
  Trading(MemoryVenue& venue, std::uint32_t account)
      : id{account},
        port({.desk = {.account = {account}, .most_orders = 256, .most_tokens = 1 << 16, .firms = {"ACME"}},
              .stream = {.messages = 1 << 18, .bytes = 1 << 24}},
             venue.symbols(), venue) {
    client.log_in({}, up, 0);
    SoupServer soup({}, 0);
    std::span<const std::byte> bytes = up.bytes();
    soup.receive(bytes, 0);
    up.clear();
    port.begin(0, 0);
    port.attach(soup, down);
    turn(venue, 0);
  }
  void say(std::span<const std::byte> message) { client.send(message, up, 0); }
  template <class M>
  void say(const M& message) {
    if constexpr (std::is_same_v<Port, Ouch50Port>) {
      std::array<std::byte, 128> bytes;
      say(std::span<const std::byte>(bytes).first(ouch50::encode(message, bytes)));
    } else {
      say(std::span<const std::byte>(ouch42::encode(message)));
    }
  }
  void turn(MemoryVenue& venue, std::int64_t now_ns) {
    port.begin(now_ns, now_ns);
    std::span<const std::byte> bytes = up.bytes();
    port.take(bytes);
    up.clear();
    venue.deliver(port, id);
    port.send(down);
    std::span<const std::byte> rest = down.bytes();
    while (const SoupClientEvent event = client.receive(rest, now_ns))
      heard += event.kind == SoupClientEvent::Kind::message;
    down.clear();
  }

  AccountId id;
  ByteBuffer up{1 << 14}, down{1 << 14};
  SoupClient client{{}, 0};
  Port port;
  std::uint64_t heard = 0;
};

ouch42::Token token(char kind, std::uint32_t number) {
  std::array<char, 14> text{};
  text.fill('0');
  text[0] = kind;
  for (std::size_t i = 13; number != 0; number /= 10) text[i--] = static_cast<char>('0' + number % 10);
  return ouch42::Token(std::string_view(text.data(), text.size()));
}

}  // namespace

TEST_CASE("a port for OUCH 5.0 allocates nothing, from the bytes of an order to the bytes of what became of it") {
  MemoryVenue venue;
  Trading<Ouch50Port> mara(venue, 7), otto(venue, 8);
  const auto round = [&](std::uint32_t i) {
    const std::uint32_t first = 3 * i + 1;
    mara.say(ouch50::EnterOrder{.user_ref = first,
                                .side = ouch::Side::buy,
                                .quantity = 100,
                                .symbol = "PLAIN",
                                .price = 1'500'000 + 100 * (i % 7),
                                .time_in_force = ouch50::TimeInForce::day,
                                .display = ouch50::Display::visible,
                                .capacity = ouch::Capacity::agency});
    mara.say(ouch50::ReplaceOrder{.original_user_ref = first,
                                  .user_ref = first + 1,
                                  .quantity = 90,
                                  .price = 1'490'000,
                                  .time_in_force = ouch50::TimeInForce::day,
                                  .display = ouch50::Display::visible});
    mara.say(ouch50::CancelOrder{.user_ref = first + 1, .quantity = 60});
    mara.say(ouch50::EnterOrder{.user_ref = first + 2, .quantity = 0});
    mara.turn(venue, i);
    otto.say(ouch50::EnterOrder{.user_ref = i + 1,
                                .side = ouch::Side::sell,
                                .quantity = 30,
                                .symbol = "PLAIN",
                                .price = 1'490'000,
                                .time_in_force = ouch50::TimeInForce::day,
                                .display = ouch50::Display::visible,
                                .capacity = ouch::Capacity::agency});
    otto.turn(venue, i);
    mara.say(ouch50::CancelOrder{.user_ref = first + 1});
    mara.turn(venue, i);
  };
  std::uint32_t i = 0;
  for (; i < 1'000; ++i) round(i);

  const std::int64_t before = allocations;
  for (; i < 11'000; ++i) round(i);

  CHECK(allocations == before);
  CHECK(mara.heard == 1 + 6 * 11'000);
  CHECK(otto.heard == 1 + 2 * 11'000);
  CHECK(venue.book(2).order_count() == 0);
}

TEST_CASE("a port for OUCH 4.2 allocates nothing, from the bytes of an order to the bytes of what became of it") {
  MemoryVenue venue;
  Trading<Ouch42Port> mara(venue, 7), otto(venue, 8);
  const auto order = [](char kind, std::uint32_t i, ouch::Side side, std::uint32_t shares) {
    return ouch42::EnterOrder{.token = token(kind, i),
                              .side = side,
                              .shares = shares,
                              .stock = "PLAIN",
                              .price = 1'500'000,
                              .time_in_force = ouch42::market_hours,
                              .firm = "ACME",
                              .display = 'Y',
                              .capacity = ouch::Capacity::agency};
  };
  const auto round = [&](std::uint32_t i) {
    mara.say(order('a', i, ouch::Side::buy, 100));
    mara.say(ouch42::ReplaceOrder{.token = token('a', i),
                                  .new_token = token('b', i),
                                  .shares = 90,
                                  .price = 1'500'000,
                                  .time_in_force = ouch42::market_hours,
                                  .display = 'Y'});
    mara.turn(venue, i);
    otto.say(order('s', i, ouch::Side::sell, 30));
    otto.turn(venue, i);
    mara.say(ouch42::CancelOrder{.token = token('b', i)});
    mara.turn(venue, i);
  };
  std::uint32_t i = 0;
  for (; i < 1'000; ++i) round(i);

  const std::int64_t before = allocations;
  for (; i < 11'000; ++i) round(i);

  CHECK(allocations == before);
  CHECK(mara.heard == 1 + 4 * 11'000);
  CHECK(venue.book(2).order_count() == 0);
}

TEST_CASE(
    "clients that ask for a long stream again and again cost no memory, and get it in the pieces that they read") {
  MemoryVenue venue;
  Trading<Ouch50Port> mara(venue, 7);
  for (std::uint32_t i = 1; i <= 50'000; ++i) {
    mara.say(ouch50::EnterOrder{.user_ref = i, .quantity = 0});
    mara.turn(venue, i);
  }
  mara.port.detach();
  ByteBuffer piece(512);

  const std::int64_t before = allocations;
  std::uint64_t heard = 0;
  for (int storm = 0; storm < 50; ++storm) {
    mara.up.clear();
    piece.clear();
    SoupClient client({}, 0);
    client.log_in({.sequence = 1}, mara.up, 0);
    SoupServer soup({}, 0);
    std::span<const std::byte> login = mara.up.bytes();
    soup.receive(login, 0);
    mara.port.begin(0, 0);
    REQUIRE(mara.port.attach(soup, piece));
    // Half of them leave before they have had it all.
    for (std::uint64_t wanted = storm % 2 == 0 ? 50'001 : 10'000; client.next_sequence() <= wanted;) {
      mara.port.send(piece);
      std::span<const std::byte> rest = piece.bytes();
      while (const SoupClientEvent event = client.receive(rest, 0))
        heard += event.kind == SoupClientEvent::Kind::message;
      piece.take(piece.size() - rest.size());
    }
    mara.port.detach();
  }

  CHECK(allocations == before);
  CHECK(heard >= 25 * 50'001 + 25 * 10'000);
  CHECK(mara.port.ended() == PortEnd::none);
}
