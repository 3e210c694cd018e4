// A port's session: replay, silence, slow readers, broken bytes, disconnects, the end of the day.
#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "port_rig.hpp"

using namespace outcry;
using namespace outcry::test;

namespace {

using Rig = PortRig<Ouch50Port>;
constexpr std::int64_t second = 1'000'000'000;

ouch50::EnterOrder buy(std::uint32_t user_ref, std::uint32_t quantity = 10, std::uint64_t price = 1'500'000) {
  return {.user_ref = user_ref,
          .side = ouch::Side::buy,
          .quantity = quantity,
          .symbol = "AAPL",
          .price = price,
          .time_in_force = ouch50::TimeInForce::day,
          .display = ouch50::Display::visible,
          .capacity = ouch::Capacity::agency};
}

/// Puts bytes as they are into the client's stream.
void put(Rig& rig, std::string_view bytes) {
  rig.up().append({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()});
}

/// All that the port's session sends when a client logs in and asks for everything, in turns of `room` bytes.
std::vector<std::byte> whole_stream(Rig& rig, std::size_t room) {
  ByteBuffer up(64), down(room);
  SoupClient client({}, rig.now_ns);
  client.log_in({.user = "MARA", .sequence = 1}, up, rig.now_ns);
  SoupServer soup({}, rig.now_ns);
  std::span<const std::byte> bytes = up.bytes();
  REQUIRE(soup.receive(bytes, rig.now_ns));
  rig.port.begin(rig.now_ns, rig.now_ns);
  REQUIRE(rig.port.attach(soup, down));
  std::vector<std::byte> all;
  do {
    all.insert(all.end(), down.bytes().begin(), down.bytes().end());
    down.clear();
    rig.port.send(down);
  } while (!down.empty());
  rig.drop();
  return all;
}

}  // namespace

TEST_CASE("a client that comes back is told what it missed, from any number on") {
  MemoryVenue venue;
  Rig rig(venue, {.cancel_on_disconnect = false});
  rig.log_in();
  rig.say(buy(1)).say(buy(2, 0)).turn();
  rig.drop();
  venue.act(NewOrder{.id = {99}, .price = {1'500'000}, .quantity = {4}, .account = {1000}, .side = Side::sell});
  rig.turn();

  CHECK(rig.log_in(4) == "\nE 1 4 at 150.00 A\n");
  rig.drop();
  CHECK(rig.log_in() == "\nS S\nJ 2 13\nA 1 B 10 AAPL 150.00\nE 1 4 at 150.00 A\n");
  rig.drop();
  CHECK(rig.log_in(0) == "\n");
  CHECK(rig(ouch50::AccountQuery{}) == "\nQ 3\n");
}

TEST_CASE("the stream is the same to the bit however often, and in whatever pieces, it is sent") {
  MemoryVenue venue;
  Rig rig(venue, {.cancel_on_disconnect = false});
  rig.log_in();
  for (std::uint32_t i = 1; i <= 500; ++i) {
    rig.now_ns += 1'000;
    rig(buy(i, i % 7 == 0 ? 0 : i));
  }
  rig.drop();

  const std::vector<std::byte> once = whole_stream(rig, 1 << 16);
  CHECK(once.size() > 500 * 32);
  CHECK(whole_stream(rig, 1 << 16) == once);
  CHECK(whole_stream(rig, 100) == once);
}

TEST_CASE("a login beyond the end of the stream, or for another session, is rejected") {
  MemoryVenue venue;
  Rig rig(venue);
  CHECK(rig.log_in(2) == "\n");
  rig.drop();
  CHECK(rig.log_in(3) == "\nlogin rejected S\n");
  CHECK(rig.port.ended() == PortEnd::not_there);
  CHECK(!rig.port.attached());
  CHECK(rig.log_in(1, "DAY9") == "\nlogin rejected S\n");
  CHECK(rig.log_in(1, "DAY1") == "\nS S\n");
}

TEST_CASE("a server says that it is there every second, and gives up a client that says nothing for fifteen") {
  MemoryVenue venue;
  Rig rig(venue);
  rig.log_in();
  for (int i = 1; i < 15; ++i) {
    CHECK(rig.port.deadline() <= rig.now_ns + second);
    rig.now_ns += second;
    rig.port.begin(rig.now_ns, rig.now_ns);
    rig.port.send(rig.down());
    CHECK(rig.down().size() == 3);
    rig.down().clear();
    CHECK(rig.port.ended() == PortEnd::none);
  }
  rig.now_ns += second;
  rig.port.begin(rig.now_ns, rig.now_ns);
  rig.port.send(rig.down());
  CHECK(rig.port.ended() == PortEnd::silent);
}

TEST_CASE("a client that logs out is let go") {
  MemoryVenue venue;
  Rig rig(venue);
  rig.log_in();
  rig.client->log_out(rig.up());
  rig.turn();
  CHECK(rig.port.ended() == PortEnd::logged_out);
}

TEST_CASE("what is no message ends the session with a reason, and nobody else's") {
  MemoryVenue venue;
  Rig rig(venue), other(venue, {}, 8);
  rig.log_in();
  other.log_in();
  rig(buy(1));
  SUBCASE("a packet that a client does not send") {
    put(rig, {"\0\1S", 3});
    rig.turn();
    CHECK(rig.port.error().text() == "offset 106: found a packet of type 'S', expected U, R, O or +");
  }
  SUBCASE("a length beyond all messages") {
    put(rig, {"\xFF\xFFU", 3});
    rig.turn();
    CHECK(rig.port.error().text() == "offset 104: found a packet of length 65535, expected no more than the limit");
  }
  SUBCASE("a message of no type") {
    put(rig, {"\0\2Uz", 4});
    rig.turn();
    CHECK(rig.port.error().text() ==
          "offset 0: found a message of a type that OUCH 5.0 has not 'z', expected a message of this version");
  }
  SUBCASE("a message cut off") {
    put(rig, {"\0\3UOO", 5});
    rig.turn();
  }
  SUBCASE("options that do not fit") {
    std::string message = "\0\x31UO";
    message = std::string("\0\x31", 2) + "U";
    std::array<std::byte, 64> bytes;
    const std::size_t size = ouch50::encode(buy(2), bytes);
    message += std::string(reinterpret_cast<const char*>(bytes.data()), size);
    message[message.size() - 1] = 9;
    message += '\0';
    put(rig, message);
    rig.turn();
  }
  CHECK(rig.port.ended() == PortEnd::broken);
  CHECK(other(buy(1)) == "\nA 1 B 10 AAPL 150.00\n");
  CHECK(venue.book().order_count() == 2);
  rig.drop();
  rig.turn();
  CHECK(venue.book().order_count() == 1);
  CHECK(rig.log_in(3) == "\nC 1 10 Z\n");
}

TEST_CASE("when a client has gone its orders are cancelled, after the time that it has to come back") {
  MemoryVenue venue;
  Rig rig(venue, {.grace_ns = 2 * second});
  rig.log_in();
  rig.say(buy(1)).say(buy(2)).turn();
  rig.drop();
  CHECK(rig.port.deadline() == rig.now_ns + 2 * second);

  SUBCASE("not before") {
    rig.now_ns += 2 * second - 1;
    rig.turn();
    CHECK(venue.book().order_count() == 2);
    rig.now_ns += 1;
    rig.turn();
    CHECK(venue.book().order_count() == 0);
    CHECK(rig.port.counts().mass_cancels == 1);
    rig.turn();
    CHECK(rig.port.deadline() == INT64_MAX);
    CHECK(rig.log_in(4) == "\nC 1 10 Z\nC 2 10 Z\n");
  }
  SUBCASE("not if it is back") {
    rig.now_ns += second;
    CHECK(rig.log_in(4) == "\n");
    rig.now_ns += 2 * second;
    rig.turn();
    CHECK(venue.book().order_count() == 2);
  }
}

TEST_CASE("an account may want its orders to outlive its connection") {
  MemoryVenue venue;
  Rig rig(venue, {.cancel_on_disconnect = false});
  rig.log_in();
  rig(buy(1));
  rig.drop();
  rig.now_ns += 3600 * second;
  rig.turn();
  CHECK(venue.book().order_count() == 1);
}

TEST_CASE("a login that takes the place of another cancels nothing, unless it is rejected itself") {
  MemoryVenue venue;
  Rig rig(venue);
  rig.log_in();
  rig(buy(1));
  rig.port.close(PortEnd::elsewhere);
  rig.drop();
  SUBCASE("good") {
    CHECK(rig.log_in() == "\nS S\nA 1 B 10 AAPL 150.00\n");
    CHECK(venue.book().order_count() == 1);
  }
  SUBCASE("for a message that is not there") {
    CHECK(rig.log_in(99) == "\nlogin rejected S\n");
    CHECK(venue.book().order_count() == 0);
  }
}

TEST_CASE("a client that does not read is cut off, and misses nothing when it is back") {
  MemoryVenue venue;
  OuchPortOptions options{.cancel_on_disconnect = false};
  const auto without_reading = [](Rig& rig, std::uint32_t from, std::uint32_t to) {
    ByteBuffer small(64);
    for (std::uint32_t i = from; i <= to && rig.port.ended() == PortEnd::none; ++i) {
      rig.say(buy(i, 0));
      rig.port.begin(rig.now_ns, rig.now_ns);
      std::span<const std::byte> bytes = rig.up().bytes();
      rig.port.take(bytes);
      rig.up().clear();
      rig.port.send(small);
    }
  };
  SUBCASE("when too much waits") {
    options.most_behind = 10;
    Rig rig(venue, options);
    rig.log_in();
    without_reading(rig, 1, 100);
    CHECK(rig.port.ended() == PortEnd::slow);
    CHECK(rig.port.stream().next_sequence() == 2 + 13);
    rig.drop();
    CHECK(rig.log_in(14) == "\nJ 13 13\n");
  }
  SUBCASE("when nothing could be sent for a while") {
    options.stall_ns = 3 * second;
    Rig rig(venue, options);
    rig.log_in();
    without_reading(rig, 1, 5);
    CHECK(rig.port.ended() == PortEnd::none);
    CHECK(rig.port.deadline() <= rig.now_ns + 3 * second);
    rig.now_ns += 3 * second;
    ByteBuffer none(1);
    rig.port.begin(rig.now_ns, rig.now_ns);
    rig.port.send(none);
    CHECK(rig.port.ended() == PortEnd::slow);
  }
  SUBCASE("but what was there when it logged in does not count") {
    options.most_behind = 10;
    Rig rig(venue, options);
    rig.log_in();
    for (std::uint32_t i = 1; i <= 100; ++i) rig(buy(i, 0));
    rig.drop();
    CHECK(whole_stream(rig, 100).size() > 100 * 32);
    CHECK(rig.port.ended() == PortEnd::lost);
  }
}

TEST_CASE("reading waits when messages come faster than agreed, in their order, and heartbeats go on") {
  MemoryVenue venue;
  Rig rig(venue, {.reading = {.per_second = 10, .burst = 2}});
  rig.log_in();
  for (std::uint32_t i = 1; i <= 5; ++i) rig.say(buy(i, 0));
  CHECK(rig.turn() == "\nJ 1 13\nJ 2 13\n");
  CHECK(rig.port.deadline() == rig.now_ns + second / 10);
  rig.now_ns += second / 10;
  CHECK(rig.turn() == "\nJ 3 13\n");
  CHECK(rig.port.counts().held_back == 2);
  rig.now_ns += second;
  CHECK(rig.turn() == "\nJ 4 13\nJ 5 13\n");
  CHECK(rig.port.deadline() > rig.now_ns + second / 10);
}

TEST_CASE("the day ends with a message and the end of the session, for those who come later, too") {
  MemoryVenue venue;
  Rig rig(venue);
  rig.log_in();
  rig(buy(1));
  venue.act(EndOfDay{});
  rig.turn();
  rig.port.end_of_day();
  CHECK(rig.say(buy(2)).turn() == "\nS E\nend\n");
  CHECK(rig.port.ended() == PortEnd::over);
  rig.drop();
  CHECK(rig.log_in() == "\nS S\nA 1 B 10 AAPL 150.00\nC 1 10 E\nS E\nend\n");
}

TEST_CASE("a new day begins with message 1, and every number can be used again") {
  MemoryVenue venue;
  Rig rig(venue);
  rig.log_in();
  rig.say(buy(7)).turn();
  venue.act(EndOfDay{});
  rig.turn();
  rig.port.end_of_day();
  rig.turn();
  rig.drop();

  rig.port.start_of_day("DAY2");

  CHECK(rig.log_in(1, "DAY1") == "\nlogin rejected S\n");
  CHECK(rig.log_in(1, "DAY2") == "\nS S\n");
  CHECK(rig(buy(1)) == "\nA 1 B 10 AAPL 150.00\n");
}

TEST_CASE("a stream that is nearly full takes no new orders, and one that is full cancels what is there") {
  MemoryVenue venue;
  Rig rig(venue, {.stream = {.messages = 40, .bytes = 1 << 16}});
  rig.log_in();
  CHECK(rig(buy(1)) == "\nA 1 B 10 AAPL 150.00\n");
  std::uint32_t user_ref = 2;
  while (rig.port.stream().next_sequence() < 22) rig(buy(user_ref++, 0));
  CHECK(rig(buy(user_ref)) == "\nJ " + std::to_string(user_ref) + " A\n");
  CHECK(rig(ouch50::CancelOrder{.user_ref = 1, .quantity = 9}) == "\nC 1 1 U\n");
  while (rig.port.ended() == PortEnd::none) rig(buy(++user_ref, 0));
  CHECK(rig.port.ended() == PortEnd::full);
  rig.turn();
  CHECK(venue.book().order_count() == 0);
}

TEST_CASE("a session's name has at most ten characters, and ticks are what OUCH can say") {
  MemoryVenue venue;
  CHECK_THROWS_WITH(Rig(venue, {.session = "ELEVENCHARS"}),
                    "a session's name has 1 to 10 characters, not 'ELEVENCHARS'");
  const SymbolDirectory fine(
      {{.instrument = {.symbol = {0}, .name = padded_name("FINE"), .tick = 1, .price_scale = 100'000}}});
  CHECK_THROWS_WITH(Ouch50Port({.desk = {.account = {1}}}, fine, venue),
                    "the ticks of FINE are no multiples of 0.0001, which is the least that OUCH can say");
}
