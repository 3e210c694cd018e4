#include <outcry/net/soup_client.hpp>
#include <outcry/net/soup_server.hpp>

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include <outcry/net/message_store.hpp>

#include "files.hpp"
#include "golden.hpp"
#include "pcap.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;
using ServerKind = SoupServerEvent::Kind;
using ClientKind = SoupClientEvent::Kind;

namespace {

constexpr std::int64_t second = 1'000'000'000;

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::string text(const ByteBuffer& buffer) { return text(buffer.bytes()); }

template <class Struct>
std::string packet(const Struct& whole) {
  return {reinterpret_cast<const char*>(&whole), sizeof whole};
}
std::string packet(char type, std::string_view payload = {}) {
  ByteBuffer out(3 + payload.size());
  soup::put(out, type, as_bytes(payload));
  return text(out);
}
std::string login(std::string_view sequence, std::string_view session = "") {
  soup::LoginRequest request;
  request.user = "MARA";
  request.password = "secret";
  request.session = session;
  request.sequence = RightAlpha<20>(sequence);
  return packet(request);
}

SoupServerEvent give(SoupServer& server, std::string_view bytes, std::int64_t now_ns = 0) {
  std::span<const std::byte> rest = as_bytes(bytes);
  return server.receive(rest, now_ns);
}
SoupClientEvent give(SoupClient& client, std::string_view bytes, std::int64_t now_ns = 0) {
  std::span<const std::byte> rest = as_bytes(bytes);
  return client.receive(rest, now_ns);
}

MessageStore store_of(std::initializer_list<std::string_view> messages) {
  MessageStore store({.messages = 100, .bytes = 10'000});
  for (const std::string_view message : messages) store.append(as_bytes(message));
  return store;
}

/// A server whose client asked for `sequence` of a session with `next` as its next number.
struct Joined {
  SoupServer server{{}, 0};
  ByteBuffer out{4096};
  explicit Joined(std::string_view sequence, std::uint64_t next = 4, std::string_view session = "") {
    const std::string request = login(sequence, session);
    REQUIRE(give(server, request).kind == ServerKind::login_requested);
    server.accept("DAY1", next, out, 0);
  }
};

}  // namespace

TEST_CASE("a SoupBinTCP packet is whole only when all of it has arrived") {
  const std::string bytes = packet('S', "trade") + packet('H');
  for (std::size_t size = 0; size < 8; ++size)
    CHECK(soup::frame(as_bytes(bytes).first(size)).framing == soup::Framing::partial);

  const soup::Framed first = soup::frame(as_bytes(bytes));

  CHECK(first.framing == soup::Framing::whole);
  CHECK(first.packet.type == 'S');
  CHECK(text(first.packet.payload) == "trade");
  CHECK(first.packet.size() == 8);
  CHECK(soup::frame(as_bytes(bytes).subspan(8)).packet.type == 'H');
}

TEST_CASE("a length of nothing, or of too much, is seen before the packet has arrived") {
  CHECK(soup::frame(as_bytes({"\0\0", 2})).framing == soup::Framing::empty);
  CHECK(soup::frame(as_bytes({"\0\x0b", 2}), 10).framing == soup::Framing::partial);
  CHECK(soup::frame(as_bytes({"\0\x0c", 2}), 10).framing == soup::Framing::too_long);
}

TEST_CASE("numbers and sessions are read whatever side their padding is on") {
  CHECK(RightAlpha<20>("7").padded() == "                   7");
  CHECK(RightAlpha<20>("7                   ").number() == 7);
  CHECK(RightAlpha<5>(std::string_view("12\0\0\0", 5)).number() == 12);
  CHECK(RightAlpha<20>("18446744073709551615").number() == UINT64_MAX);
  CHECK_FALSE(RightAlpha<20>("18446744073709551616").number());
  CHECK_FALSE(RightAlpha<20>("1 2").number());
  CHECK_FALSE(RightAlpha<20>("-1").number());
  CHECK_FALSE(RightAlpha<20>("").number());
  CHECK(RightAlpha<20>::of(UINT64_MAX).padded() == "18446744073709551615");
  CHECK(RightAlpha<3>::of(1234).padded() == "234");
}

TEST_CASE("the server answers a login with its session and the number that comes next") {
  SoupServer server({}, 0);
  ByteBuffer out(100);
  const std::string request = login("1");

  const SoupServerEvent event = give(server, request);

  REQUIRE(event.kind == ServerKind::login_requested);
  CHECK(event.login.user == "MARA");
  CHECK(event.login.password == "secret");
  CHECK(event.login.session.empty());
  CHECK(event.login.sequence == 1);
  CHECK_FALSE(event.login.timeout_ms);
  CHECK(server.accept("DAY1", 4, out, 0));
  CHECK(text(out) == std::string("\0\x1f", 2) + "A      DAY1                   1");
}

TEST_CASE("a login says where the stream begins: anywhere up to the next number, or 0 for what is new") {
  struct Row {
    const char* asked;
    std::uint64_t begins;  // 0: rejected
  };
  for (const Row row : {Row{"1", 1}, Row{"3", 3}, Row{"4", 4}, Row{"0", 4}, Row{"5", 0}, Row{"18446744073709551615", 0},
                        Row{"99999999999999999999", 0}, Row{"x", 0}, Row{"", 0}}) {
    CAPTURE(row.asked);
    Joined joined(row.asked);
    if (row.begins != 0) {
      CHECK(joined.server.state() == SoupServer::State::open);
      CHECK(joined.server.next_sequence() == row.begins);
    } else {
      CHECK(joined.server.state() == SoupServer::State::closed);
      CHECK(text(joined.out) == packet('J', "S"));
    }
  }
}

TEST_CASE("a login for another session is rejected, one for this session by name is not") {
  CHECK(text(Joined("1", 4, "DAY0").out) == packet('J', "S"));
  CHECK(Joined("1", 4, "DAY1").server.state() == SoupServer::State::open);
  CHECK(Joined("1", 4, "      DAY1").server.state() == SoupServer::State::open);
}

TEST_CASE("what is asked for again is the same bits as the first time") {
  MessageStore store = store_of({"one", "two", "", "four"});
  Joined first("1", 5), again("1", 5), later("3", 5);

  first.server.send(store, first.out, 0);
  again.server.send(store, again.out, 0);
  later.server.send(store, later.out, 0);

  const std::string all = packet('S', "one") + packet('S', "two") + packet('S', "") + packet('S', "four");
  CHECK(text(first.out).substr(33) == all);
  CHECK(text(again.out) == text(first.out));
  CHECK(text(later.out).substr(33) == all.substr(12));
}

TEST_CASE("a client that does not read is sent no more than has room, and nothing in part") {
  MessageStore store = store_of({"0123456789", "0123456789", "0123456789"});
  SoupServer server({}, 0);
  ByteBuffer out(33 + 30);
  const std::string request = login("1");
  give(server, request);
  server.accept("DAY1", 4, out, 0);

  CHECK(server.send(store, out, 0) == 2);
  CHECK(out.size() == 33 + 26);
  CHECK(server.send(store, out, 0) == 0);
  out.take(33);
  CHECK(server.send(store, out, 0) == 1);
  CHECK(text(out) == packet('S', "0123456789") + packet('S', "0123456789") + packet('S', "0123456789"));
}

TEST_CASE("the session ends behind its last message") {
  const std::string message(30, 'x');
  MessageStore store = store_of({message});
  SoupServer server({}, 0);
  ByteBuffer out(33);
  const std::string request = login("1");
  give(server, request);
  server.accept("DAY1", 2, out, 0);
  server.end();

  server.send(store, out, 0);
  CHECK(server.state() == SoupServer::State::open);
  out.clear();
  server.send(store, out, 0);
  CHECK(text(out) == packet('S', message));
  CHECK(server.state() == SoupServer::State::open);
  out.clear();
  server.send(store, out, 0);

  CHECK(text(out) == packet('Z'));
  CHECK(server.state() == SoupServer::State::ended);
}

TEST_CASE("the server sends a heartbeat when it has been silent for a second, and only then") {
  MessageStore store = store_of({"one"});
  Joined joined("1", 2);
  joined.out.clear();

  joined.server.poll(joined.out, second - 1);
  CHECK(joined.out.empty());
  CHECK(joined.server.deadline() == second);
  joined.server.poll(joined.out, second);
  CHECK(text(joined.out) == packet('H'));
  joined.out.clear();
  joined.server.send(store, joined.out, 2 * second - 1);
  joined.out.clear();
  joined.server.poll(joined.out, 2 * second);
  CHECK(joined.out.empty());
  CHECK(joined.server.deadline() == 3 * second - 1);
}

TEST_CASE("a client that is silent for too long is given up") {
  Joined joined("1");
  CHECK_FALSE(joined.server.poll(joined.out, 15 * second - 1));
  CHECK(give(joined.server, packet('R'), 10 * second).kind == ServerKind::none);
  CHECK_FALSE(joined.server.poll(joined.out, 25 * second - 1));

  CHECK(joined.server.poll(joined.out, 25 * second).kind == ServerKind::timed_out);

  CHECK(joined.server.state() == SoupServer::State::closed);
  CHECK(joined.server.deadline() == INT64_MAX);
}

TEST_CASE("a client of version 4.10 names its own time-out, within the server's bounds") {
  struct Row {
    std::uint32_t asked_ms;
    std::int64_t given_ns;
  };
  for (const Row row : {Row{5'000, 5 * second}, Row{1, second}, Row{99'999, 60 * second}}) {
    SoupClient client({.own_timeout_ms = row.asked_ms}, 0);
    SoupServer server({}, 0);
    ByteBuffer up(100), down(100);
    client.log_in({.user = "MARA", .password = "secret"}, up, 0);
    CHECK(up.size() == 54);
    CHECK(give(server, text(up)).login.timeout_ms == row.asked_ms);
    server.accept("DAY1", 1, down, 0);
    CHECK(server.client_timeout_ns() == row.given_ns);
  }
  SoupServer old({.version = soup::Version::v4_00}, 0);
  SoupClient client({}, 0);
  ByteBuffer up(100);
  client.log_in({}, up, 0);
  CHECK(give(old, text(up)).error.text() == "offset 0: found a login request of length 52, expected 47");
}

TEST_CASE("who does not log in in time is given up, whatever else he sends") {
  SoupServer server({}, 0);
  ByteBuffer out(100);
  CHECK(server.deadline() == 30 * second);
  CHECK(give(server, packet('+', "hello?"), 29 * second).kind == ServerKind::none);
  CHECK_FALSE(server.poll(out, 30 * second - 1));
  CHECK(server.poll(out, 30 * second).kind == ServerKind::timed_out);
  CHECK(out.empty());
}

TEST_CASE("the answer to a login may take a while: what the client sends meanwhile waits") {
  SoupServer server({}, 0);
  ByteBuffer out(100);
  const std::string bytes = login("1") + packet('U', "order");
  std::span<const std::byte> rest = as_bytes(bytes);

  CHECK(server.receive(rest, 0).kind == ServerKind::login_requested);
  CHECK(server.receive(rest, 0).kind == ServerKind::none);
  CHECK(rest.size() == 8);
  server.accept("DAY1", 1, out, 0);
  const SoupServerEvent event = server.receive(rest, 0);

  CHECK(event.kind == ServerKind::message);
  CHECK(text(event.message) == "order");
  CHECK(rest.empty());
}

TEST_CASE("a packet of the wrong type is an error that says where, what, and what was expected") {
  const auto server_error = [](std::string_view bytes, bool logged_in) {
    SoupServer server({}, 0);
    ByteBuffer out(100);
    const std::string all = (logged_in ? login("1") : "") + std::string(bytes);
    std::span<const std::byte> rest = as_bytes(all);
    if (logged_in) {
      server.receive(rest, 0);
      server.accept("DAY1", 1, out, 0);
    }
    const SoupServerEvent event = server.receive(rest, 0);
    CHECK(event.kind == ServerKind::broken);
    CHECK(server.state() == SoupServer::State::closed);
    return event.error.text();
  };
  CHECK(server_error(packet('+', "x") + packet('U', "order"), false) ==
        "offset 6: found a packet of type 'U', expected L or +");
  CHECK(server_error(packet('R') + packet('S', "trade"), true) ==
        "offset 54: found a packet of type 'S', expected U, R, O or +");
  CHECK(server_error(packet('\x01'), true) == "offset 51: found a packet of type 0x01, expected U, R, O or +");
  CHECK(server_error(packet('L', "x"), false) ==
        "offset 0: found a login request of length 2, expected 47, or 52 with a time-out in digits");
  CHECK(server_error(std::string_view("\0\0", 2), true) ==
        "offset 49: found a packet of length 0, expected at least 1");
  CHECK(server_error(std::string_view("\xff\xff", 2), true) ==
        "offset 49: found a packet of length 65535, expected no more than the limit");
  CHECK(server_error(packet('R', "x"), true) == "offset 49: found a heartbeat with a payload of 1, expected none");
  CHECK(server_error(packet('O', "x"), true) == "offset 49: found a logout request with a payload of 1, expected none");

  const auto client_error = [](std::string_view bytes, soup::Version version, bool logged_in) {
    SoupClient client({.version = version}, 0);
    ByteBuffer out(100);
    client.log_in({}, out, 0);
    const std::string all =
        (logged_in ? packet(soup::LoginAccepted{.session = "DAY1", .sequence = "1"}) : "") + std::string(bytes);
    std::span<const std::byte> rest = as_bytes(all);
    if (logged_in) client.receive(rest, 0);
    return client.receive(rest, 0).error.text();
  };
  using soup::Version;
  CHECK(client_error(packet('S'), Version::v4_10, false) == "offset 2: found a packet of type 'S', expected A, J or +");
  CHECK(client_error(packet('R'), Version::v4_10, true) ==
        "offset 35: found a packet of type 'R', expected S, U, H, Z or +");
  CHECK(client_error(packet('U'), Version::v3_00, true) ==
        "offset 35: found a packet of type 'U', expected S, H, Z or +");
  CHECK(client_error(packet('U'), Version::v4_00, true) == ProtocolError{}.text());
  CHECK(client_error(packet('A', "x"), Version::v4_10, false) ==
        "offset 0: found a login accepted of length 2, expected 31");
  CHECK(client_error(packet(soup::LoginAccepted{.session = "DAY1", .sequence = "x"}), Version::v4_10, false) ==
        "offset 13: found a sequence number of length 1, expected a number from 1 in digits");
}

TEST_CASE("a client that logs out is heard no more") {
  Joined joined("1");
  const std::string bytes = packet('O') + packet('U', "order");
  std::span<const std::byte> rest = as_bytes(bytes);

  CHECK(joined.server.receive(rest, 0).kind == ServerKind::logged_out);
  CHECK(joined.server.receive(rest, 0).kind == ServerKind::none);

  CHECK(joined.server.state() == SoupServer::State::closed);
}

TEST_CASE("only versions from 4.00 on have unsequenced data from the server") {
  Joined joined("1");
  joined.out.clear();
  CHECK(joined.server.send_unsequenced(as_bytes("notice"), joined.out, 0));
  CHECK(text(joined.out) == packet('U', "notice"));

  SoupServer old({.version = soup::Version::v3_00}, 0);
  ByteBuffer out(100);
  const std::string request = login("1");
  give(old, request);
  old.accept("DAY1", 1, out, 0);
  CHECK_FALSE(old.send_unsequenced(as_bytes("notice"), out, 0));
  CHECK(out.size() == 33);
}

TEST_CASE("the client counts sequenced messages from the number that the server named") {
  SoupClient client({}, 0);
  ByteBuffer out(100);
  client.log_in({.user = "MARA", .password = "secret", .sequence = 7}, out, 0);
  const std::string bytes = packet('+', "hi") + packet(soup::LoginAccepted{.session = "DAY1", .sequence = "7"}) +
                            packet('S', "seven") + packet('H') + packet('U', "none") + packet('S', "eight") +
                            packet('Z');
  std::span<const std::byte> rest = as_bytes(bytes);

  std::string seen;
  while (const SoupClientEvent event = client.receive(rest, 0)) {
    if (event.kind == ClientKind::accepted) seen += "accepted " + std::string(event.session) + " ";
    if (event.kind == ClientKind::message) seen += std::to_string(event.sequence) + " " + text(event.message) + " ";
    if (event.kind == ClientKind::unsequenced) seen += "- " + text(event.message) + " ";
    if (event.kind == ClientKind::end_of_session) seen += "end";
  }

  CHECK(seen == "accepted DAY1 7 seven - none 8 eight end");
  CHECK(client.next_sequence() == 9);
  CHECK(client.state() == SoupClient::State::closed);
}

TEST_CASE("the client beats when silent, and gives up a server that is") {
  SoupClient client({}, 0);
  ByteBuffer out(100);
  client.log_in({}, out, 0);
  give(client, packet(soup::LoginAccepted{.session = "DAY1", .sequence = "1"}), 0);
  out.clear();

  client.poll(out, second);
  CHECK(text(out) == packet('R'));
  CHECK(client.send(as_bytes("order"), out, second + 1));
  out.clear();
  client.poll(out, 2 * second);
  CHECK(out.empty());
  CHECK(client.poll(out, 15 * second).kind == ClientKind::timed_out);
  CHECK_FALSE(client.send(as_bytes("order"), out, 15 * second));
}

TEST_CASE("a rejected client hears why") {
  SoupClient client({}, 0);
  ByteBuffer out(100);
  client.log_in({}, out, 0);

  const SoupClientEvent event = give(client, packet('J', "A"));

  CHECK(event.kind == ClientKind::rejected);
  CHECK(event.reason == soup::not_authorized);
}

// Two peers and streams between them that are cut anywhere, with buffers hardly larger than a message. The client loses
// its connection now and then and asks for what it has not had.
TEST_CASE("whatever the cuts and lost connections, every message arrives once, in order") {
  MESSAGE("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  MessageStore store({.messages = 500, .bytes = 20'000});
  std::vector<std::string> sent, received, orders_sent, orders_received;
  std::int64_t now = 0;
  while (received.size() < 500) {
    SoupServer server({}, now);
    SoupClient client({}, now);
    ByteBuffer up(120), down(120), server_in(120), client_in(120);
    client.log_in({.user = "MARA", .password = "secret", .sequence = received.size() + 1}, up, now);
    const auto move = [&](ByteBuffer& from, ByteBuffer& to) {
      const std::size_t size = std::min({from.size(), to.room(), static_cast<std::size_t>(random() % 40)});
      to.append(from.bytes().first(size));
      from.take(size);
    };
    for (std::uint64_t turns = random() % 400 + 50; turns > 0; --turns) {
      now += static_cast<std::int64_t>(random() % (second / 4));
      if (random() % 3 == 0 && sent.size() < 500) {
        sent.push_back("message " + std::string(random() % 30, 'x') + std::to_string(sent.size()));
        REQUIRE(store.append(as_bytes(sent.back())) == sent.size());
      }
      if (random() % 4 == 0) {
        const std::string order = "order " + std::to_string(orders_sent.size());
        if (client.send(as_bytes(order), up, now)) orders_sent.push_back(order);
      }
      server.send(store, down, now);
      REQUIRE_FALSE(server.poll(down, now));
      REQUIRE_FALSE(client.poll(up, now));
      move(up, server_in);
      move(down, client_in);
      std::span<const std::byte> rest = server_in.bytes();
      while (const SoupServerEvent event = server.receive(rest, now)) {
        if (event.kind == ServerKind::login_requested) REQUIRE(server.accept("DAY1", store.next_sequence(), down, now));
        if (event.kind == ServerKind::message) orders_received.push_back(text(event.message));
        REQUIRE(event.kind != ServerKind::broken);
      }
      server_in.take(server_in.size() - rest.size());
      rest = client_in.bytes();
      while (const SoupClientEvent event = client.receive(rest, now)) {
        if (event.kind == ClientKind::message) {
          received.push_back(text(event.message));
          REQUIRE(event.sequence == received.size());
        }
        REQUIRE(event.kind != ClientKind::broken);
      }
      client_in.take(client_in.size() - rest.size());
    }
    // What was on its way when the connection broke is lost.
    orders_sent = orders_received;
  }
  CHECK(received == sent);
}

TEST_CASE("the captured SoupBinTCP streams are read to their last byte and written again as they were") {
  if (missing({"golden/ouch5_soup41.pcap", "golden/ouch5.pcap", "golden/ouch42.pcap"})) return;

  for (const char* name : {"golden/ouch5_soup41.pcap", "golden/ouch5.pcap", "golden/ouch42.pcap"}) {
    CAPTURE(name);
    ByteBuffer up(4096), down(4096), again(4096);
    for (const Captured& captured : read_pcap(data(name)))
      (captured.destination == 9001 ? up : down).append(captured.payload);
    for (const ByteBuffer* stream : {&up, &down}) {
      again.clear();
      std::span<const std::byte> rest = stream->bytes();
      while (!rest.empty()) {
        const soup::Framed framed = soup::frame(rest);
        REQUIRE(framed.framing == soup::Framing::whole);
        soup::put(again, framed.packet.type, framed.packet.payload);
        rest = rest.subspan(framed.packet.size());
      }
      CHECK(text(again) == text(*stream));
    }

    SoupServer server({}, 0);
    ByteBuffer out(100);
    std::span<const std::byte> rest = up.bytes();
    const SoupServerEvent event = server.receive(rest, 0);
    CHECK(event.login.user == "USER01");
    CHECK(event.login.password == "PASSWORD01");
    CHECK(event.login.sequence == 1);
    CHECK(event.login.timeout_ms.value_or(0) ==
          (std::string_view(name).find("41") != std::string_view::npos ? 5000u : 0u));
    REQUIRE(server.accept("SESSION01", 1, out, 0));
    CHECK(text(down).substr(8, 33) == text(out));  // behind the debug packet
    std::size_t messages = 0;
    SoupServerEvent last;
    while (const SoupServerEvent next = server.receive(rest, 0)) {
      messages += next.kind == ServerKind::message;
      last = next;
    }
    CHECK(last.kind == ServerKind::logged_out);
    CHECK(messages == (std::string_view(name).find("ouch42") != std::string_view::npos ? 4u : 5u));

    SoupClient client({}, 0);
    out.clear();
    client.log_in({.user = "USER01", .password = "PASSWORD01"}, out, 0);
    rest = down.bytes();
    std::string kinds;
    while (const SoupClientEvent next = client.receive(rest, 0)) {
      const char* letters = "-aJSUZT!";
      kinds += letters[static_cast<std::size_t>(next.kind)];
    }
    CHECK(kinds ==
          (std::string_view(name).find("ouch42") != std::string_view::npos ? "aSSSSSSSSSSSSUZ" : "aSSSSSSSSSSSSSSUZ"));
  }
}

TEST_CASE("SoupBinTCP packets are read and written as an independent dissector reads them") {
  if (missing({"golden/ouch5_handmade_omi.json"})) return;
  std::string types;
  for (const Golden& golden : read_golden("golden/ouch5_handmade_omi.json")) {
    const soup::Framed framed = soup::frame(golden.bytes);
    REQUIRE(framed.framing == soup::Framing::whole);
    const soup::Packet& found = framed.packet;
    CHECK(std::string(1, found.type) == golden.field("packettype"));
    CHECK(std::to_string(found.payload.size() + 1) == golden.field("packetlength"));
    CHECK(packet(found.type, text(found.payload)) == text(golden.bytes));
    types += found.type;
    if (found.type == soup::type::login_request) {
      const auto read = soup::read_login(found.payload, false);
      REQUIRE(read);
      CHECK(read->user == golden.field("username"));
      CHECK(read->password == golden.field("password"));
      CHECK(read->session == trimmed(golden.field("requestedsession")));
      CHECK(std::to_string(read->sequence.value_or(0)) == golden.field("requestedsequencenumber"));
      soup::LoginRequest written;
      written.user = Alpha<6>(golden.field("username"));
      written.password = Alpha<10>(golden.field("password"));
      written.session = trimmed(golden.field("requestedsession"));
      written.sequence = RightAlpha<20>(golden.field("requestedsequencenumber"));
      CHECK(packet(written) == text(golden.bytes));
    }
    if (found.type == soup::type::login_accepted) {
      const soup::LoginAccepted written{.session = trimmed(golden.field("session")),
                                        .sequence = RightAlpha<20>(golden.field("sequencenumber"))};
      CHECK(packet(written) == text(golden.bytes));
    }
    if (found.type == soup::type::login_rejected) {
      const soup::LoginRejected written{.reason = golden.field("rejectreasoncode").at(0)};
      CHECK(packet(written) == text(golden.bytes));
    }
  }
  CHECK(types == "+LAUUUUUSSSSSSSSSSSSSSUHROZJ");
}
