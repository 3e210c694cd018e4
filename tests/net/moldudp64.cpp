#include <outcry/net/moldudp64.hpp>

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include <outcry/net/itch.hpp>
#include <outcry/net/message_store.hpp>
#include <outcry/net/mold_receiver.hpp>
#include <outcry/net/mold_requests.hpp>
#include <outcry/net/mold_sender.hpp>

#include "files.hpp"
#include "golden.hpp"
#include "pcap.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;
using Line = MoldReceiver::Line;
using Event = MoldReceiver::Event;

namespace {

constexpr std::int64_t ms = 1'000'000, second = 1'000'000'000;

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string packet(std::uint64_t sequence, std::initializer_list<std::string_view> messages,
                   std::string_view session = "FEED") {
  MoldPacketWriter writer(mold::Session(session), mold::usual_packet);
  writer.begin(sequence);
  for (const std::string_view message : messages) writer.add(as_bytes(message));
  return text(writer.bytes());
}
std::string end_packet(std::uint64_t sequence) {
  MoldPacketWriter writer("FEED", mold::usual_packet);
  writer.begin(sequence);
  return text(writer.end_of_session());
}

/// "12:two;three" for a packet of two messages from number 12 on; "12:" for a heartbeat, "12:end" for an end.
std::string shown(std::span<const std::byte> datagram) {
  const mold::Decoded decoded = mold::decode(datagram);
  REQUIRE(decoded);
  std::string line = std::to_string(decoded.packet.sequence()) + ":";
  decoded.packet.each([&](std::uint64_t sequence, std::span<const std::byte> message) {
    if (sequence != decoded.packet.sequence()) line += ';';
    line += text(message);
  });
  return line + (decoded.packet.is_end() ? "end" : "");
}

struct Sent {
  std::vector<std::string> packets{};
  void operator()(std::span<const std::byte> datagram) { packets.push_back(shown(datagram)); }
};
using Lines = std::vector<std::string>;

/// A receiver, what it delivered, and what it asked for ("3+2": two from number 3 on).
struct Listener {
  MoldReceiver receiver;
  std::string delivered{};
  Lines requests{};
  explicit Listener(const MoldReceiverOptions& options = {.session = "FEED"}) : receiver(options, 0) {}
  auto deliver() {
    return [this](std::uint64_t sequence, std::span<const std::byte> message) {
      delivered += std::to_string(sequence) + text(message) + " ";
    };
  }
  void hear(const std::string& datagram, std::int64_t now = 0, Line line = Line::a) {
    receiver.receive(line, as_bytes(datagram), now, deliver());
  }
  Event poll(std::int64_t now) {
    return receiver.poll(now, [this](std::span<const std::byte> datagram) {
      const mold::DecodedRequest decoded = mold::decode_request(datagram);
      REQUIRE(decoded);
      CHECK(decoded.request.session.text() == "FEED");
      requests.push_back(std::to_string(decoded.request.sequence) + "+" + std::to_string(decoded.request.count));
    });
  }
};

MessageStore store_of(std::size_t messages, std::size_t size = 10) {
  MessageStore store({.messages = messages, .bytes = messages * size});
  for (std::size_t i = 1; i <= messages; ++i) {
    std::string message = std::to_string(i);
    message.resize(size, '.');
    store.append(as_bytes(message));
  }
  return store;
}

std::string request(std::uint64_t sequence, std::uint16_t count, std::string_view session = "FEED") {
  const mold::Header header{mold::Session(session), sequence, count};
  return {reinterpret_cast<const char*>(&header), sizeof header};
}

}  // namespace

TEST_CASE("a MoldUDP64 packet is sound only if its messages fill it exactly") {
  const std::string bytes = packet(7, {"one", "", "three"});
  CHECK(bytes.size() == 20 + 5 + 2 + 7);
  CHECK(shown(as_bytes(bytes)) == "7:one;;three");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(mold::decode(as_bytes(bytes).first(size)).fault ==
          (size < 20 ? mold::Fault::too_short : mold::Fault::block_outside));
  CHECK(mold::decode(as_bytes(bytes + "x")).fault == mold::Fault::bytes_behind);
  CHECK(mold::decode(as_bytes(packet(0, {"one"}))).fault == mold::Fault::wrong_sequence);
  CHECK(mold::decode(as_bytes(packet(UINT64_MAX, {"one"}))).fault == mold::Fault::wrong_sequence);
  CHECK(mold::decode(as_bytes(packet(UINT64_MAX, {}))));
  CHECK(mold::decode_request(as_bytes(request(3, 2))));
  CHECK(mold::decode_request(as_bytes(bytes)).fault == mold::Fault::bytes_behind);
  CHECK(mold::decode_request(as_bytes(bytes).first(19)).fault == mold::Fault::too_short);
}

TEST_CASE("a packet goes out when it is full, or when its oldest message has waited") {
  Sent sent;
  MoldSender sender({.session = "FEED", .largest_packet = 20 + 2 * 6, .flush_ns = 100, .heartbeat_ns = second}, 0);

  sender.add(as_bytes("aaaa"), 10, sent);
  CHECK(sender.deadline() == 110);
  sender.poll(109, sent);
  CHECK(sent.packets.empty());
  sender.poll(110, sent);
  CHECK(sent.packets == Lines{"1:aaaa"});

  sender.add(as_bytes("bbbb"), 200, sent);
  sender.add(as_bytes("cccc"), 250, sent);
  CHECK(sent.packets.size() == 1);
  sender.add(as_bytes("dddd"), 260, sent);
  CHECK(sent.packets == Lines{"1:aaaa", "2:bbbb;cccc"});
  CHECK(sender.deadline() == 360);
  sender.flush(261, sent);
  CHECK(sent.packets.back() == "4:dddd");
  CHECK(sender.next_sequence() == 5);

  CHECK_FALSE(sender.add(as_bytes("eeeeeeeeeee"), 270, sent));
  CHECK(sender.add(as_bytes("eeeeeeeeee"), 270, sent));
}

TEST_CASE("silence is filled with heartbeats, and after the end with ends") {
  Sent sent;
  MoldSender sender({.session = "FEED", .next_sequence = 9, .heartbeat_ns = second}, 0);

  sender.poll(second - 1, sent);
  sender.poll(second, sent);
  sender.poll(second + 1, sent);
  sender.add(as_bytes("last"), second + 2, sent);
  sender.end(second + 3, sent);
  CHECK_FALSE(sender.add(as_bytes("late"), second + 4, sent));
  sender.poll(2 * second + 2, sent);
  sender.poll(2 * second + 3, sent);

  CHECK(sent.packets == Lines{"9:", "9:last", "10:end", "10:end"});
}

TEST_CASE("a token bucket gives exactly its burst, and then exactly its rate") {
  TokenBucket bucket({.per_second = 3, .burst = 5}, 0);
  const auto taken = [&](std::int64_t now) {
    int count = 0;
    while (bucket.take(1, now)) ++count;
    return count;
  };
  CHECK(taken(0) == 5);
  CHECK(taken(333'333'333) == 0);
  CHECK(taken(333'333'334) == 1);
  CHECK(taken(0) == 0);  // back in time
  CHECK(taken(1'333'333'334) == 3);
  CHECK(taken(INT64_MAX) == 5);
  CHECK_FALSE(bucket.take(6, INT64_MAX));
  int total = 0;
  TokenBucket steady({.per_second = 1'000, .burst = 10}, 0);
  for (std::int64_t now = 0; now <= 10 * second; now += 77'777) total += steady.take(1, now);
  CHECK(total >= 10'009);
  CHECK(total <= 10'010);
}

TEST_CASE("a request is answered with as many of the messages as fit into one packet") {
  const MessageStore store = store_of(100, 10);
  MoldRequests requests({.session = "FEED", .largest_packet = 20 + 5 * 12}, 0);
  Sent sent;
  const auto ask = [&](const std::string& datagram) { return requests.answer(store, as_bytes(datagram), 1, 0, sent); };

  CHECK(ask(request(3, 2)) == MoldAnswer::sent);
  CHECK(ask(request(3, 50)) == MoldAnswer::sent);
  CHECK(ask(request(99, 50)) == MoldAnswer::sent);
  CHECK(ask(request(101, 1)) == MoldAnswer::out_of_range);
  CHECK(ask(request(1, 0)) == MoldAnswer::out_of_range);
  CHECK(ask(request(UINT64_MAX, 65'535)) == MoldAnswer::out_of_range);
  CHECK(ask(request(0, 1)) == MoldAnswer::malformed);
  CHECK(ask(request(1, 1, "OTHER")) == MoldAnswer::other_session);
  CHECK(ask("short") == MoldAnswer::malformed);

  CHECK(sent.packets == Lines{"3:3.........;4.........", "3:3.........;4.........;5.........;6.........;7.........",
                              "99:99........;100......."});
  CHECK(requests.counts().requests == 9);
  CHECK(requests.counts().sent == 3);
  CHECK(requests.counts().messages == 9);
  CHECK(requests.counts().bytes == 3 * 20 + 9 * 12);
}

TEST_CASE("a flood of requests is answered at the rate that was set, and another source is not its victim") {
  const MessageStore store = store_of(100, 10);
  MoldRequests requests({.session = "FEED",
                         .requests_per_source = {.per_second = 100, .burst = 10},
                         .bytes = {.per_second = 1'000'000, .burst = 1'000'000}},
                        0);
  std::uint64_t flooded = 0, polite = 0;
  for (std::int64_t i = 0; i < 10'000; ++i) {
    const std::int64_t now = i * second / 10'000;
    requests.answer(store, as_bytes(request(1, 10)), 7, now, [&](auto) { ++flooded; });
    if (i % 1'000 == 0) requests.answer(store, as_bytes(request(1, 10)), 8, now, [&](auto) { ++polite; });
  }
  CHECK(flooded == 10 + 99);
  CHECK(polite == 10);
  CHECK(requests.counts().limited == 10'000 - 109);
}

TEST_CASE("sources that are invented cannot draw more than the limit for all") {
  const MessageStore store = store_of(100, 10);
  MoldRequests requests({.session = "FEED", .bytes = {.per_second = 100'000, .burst = 10'000}, .sources = 8}, 0);
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i)
    requests.answer(store, as_bytes(request(1, 100)), i, static_cast<std::int64_t>(i) * second / 10'000,
                    [&](std::span<const std::byte> datagram) { bytes += datagram.size(); });
  CHECK(bytes <= 110'000);
  CHECK(bytes > 100'000);
}

TEST_CASE("whichever line is first is heard, and each message is delivered once") {
  Listener listener;
  listener.hear(packet(1, {"a", "b"}), 0, Line::a);
  listener.hear(packet(1, {"a", "b"}), 0, Line::b);
  listener.hear(packet(3, {"c"}), 0, Line::b);
  listener.hear(packet(2, {"b", "c", "d"}), 0, Line::a);

  CHECK(listener.delivered == "1a 2b 3c 4d ");
  CHECK(listener.receiver.counts().first[0] == 3);
  CHECK(listener.receiver.counts().first[1] == 1);
  CHECK(listener.receiver.counts().duplicates == 4);
  CHECK_FALSE(listener.receiver.has_gap());
}

TEST_CASE("a message that comes early waits until the other line has closed the gap") {
  Listener listener;
  listener.hear(packet(1, {"a"}), 0, Line::a);
  listener.hear(packet(4, {"d", "e"}), 10, Line::a);
  CHECK(listener.delivered == "1a ");
  CHECK(listener.receiver.has_gap());
  CHECK(listener.receiver.deadline() == 10 + ms);
  listener.poll(10 + ms - 1);

  listener.hear(packet(2, {"b", "c"}), 500'000, Line::b);

  CHECK(listener.delivered == "1a 2b 3c 4d 5e ");
  CHECK(listener.requests.empty());
  CHECK_FALSE(listener.receiver.has_gap());
}

TEST_CASE("a gap that nobody closes is asked for, with longer and longer pauses") {
  Listener listener(
      {.session = "FEED", .patience_ns = ms, .first_pause_ns = 2 * ms, .longest_pause_ns = 5 * ms, .attempts = 4});
  listener.hear(packet(1, {"a"}));
  listener.hear(packet(4, {"d"}));
  std::vector<std::int64_t> times;
  Event last = Event::none;
  for (std::int64_t now = 0; now < 100 * ms && last == Event::none; now += ms / 2) {
    const std::size_t before = listener.requests.size();
    last = listener.poll(now);
    if (listener.requests.size() != before) times.push_back(now / ms);
  }

  CHECK(listener.requests == Lines(4, "2+2"));
  CHECK(times == std::vector<std::int64_t>{1, 3, 7, 12});
  CHECK(last == Event::gap_lost);
  CHECK(listener.poll(200 * ms) == Event::none);

  listener.receiver.skip_gap(200 * ms, listener.deliver());
  CHECK(listener.delivered == "1a 4d ");
  CHECK(listener.receiver.counts().lost == 2);
}

TEST_CASE("when an answer closes a part of a gap, the rest is asked for at once") {
  Listener listener({.session = "FEED", .most_requested = 3});
  listener.hear(packet(6, {"f"}), 0);
  listener.poll(ms);
  listener.hear(packet(1, {"a", "b"}), 2 * ms, Line::requested);
  listener.poll(2 * ms);
  listener.hear(packet(3, {"c", "d", "e"}), 3 * ms, Line::requested);

  CHECK(listener.requests == Lines{"1+3", "3+3"});
  CHECK(listener.delivered == "1a 2b 3c 4d 5e 6f ");
  CHECK(listener.receiver.counts().first[2] == 5);
}

TEST_CASE("a heartbeat tells of messages that were lost at the end") {
  Listener listener;
  listener.hear(packet(1, {"a"}));
  listener.hear(packet(3, {}));
  listener.poll(ms);
  CHECK(listener.requests == Lines{"2+1"});
}

TEST_CASE("the end of the session counts when everything before it has come") {
  Listener listener;
  listener.hear(packet(1, {"a"}));
  listener.hear(end_packet(3));
  CHECK_FALSE(listener.receiver.finished());
  listener.hear(packet(2, {"b"}));
  CHECK(listener.receiver.finished());
}

TEST_CASE("packets of another session, and broken ones, change nothing") {
  Listener listener;
  listener.hear(packet(1, {"a"}));
  listener.hear(packet(2, {"yesterday's"}, "OLD"));
  listener.hear("no packet");
  listener.hear(packet(2, {"b"}));
  CHECK(listener.delivered == "1a 2b ");
  CHECK(listener.receiver.counts().other_session == 1);
  CHECK(listener.receiver.counts().malformed == 1);

  Listener any(MoldReceiverOptions{});
  any.hear(packet(1, {"a"}));
  any.hear(packet(2, {"x"}, "OLD"));
  CHECK(any.delivered == "1a ");
}

TEST_CASE("what waits is bounded: what is too far ahead or too large is asked for when its turn comes") {
  Listener listener({.session = "FEED", .window = 5, .largest_message = 3});
  listener.hear(packet(2, {"b", "cccc", "d", "e", "f"}), 0);
  CHECK(listener.receiver.counts().dropped == 2);  // number 3 is too large, 5 is kept, 6 is too far ahead
  listener.hear(packet(1, {"a"}), 0);
  CHECK(listener.delivered == "1a 2b ");
  listener.poll(ms);
  listener.hear(packet(3, {"cccc"}), 2 * ms, Line::requested);
  CHECK(listener.delivered == "1a 2b 3cccc 4d 5e ");
  listener.poll(3 * ms);
  CHECK(listener.requests == Lines{"3+1", "6+1"});
}

TEST_CASE("a feed that falls silent is noticed once") {
  Listener listener;
  listener.hear(packet(1, {"a"}));
  CHECK(listener.poll(5 * second - 1) == Event::none);
  CHECK(listener.poll(5 * second) == Event::silent);
  CHECK(listener.poll(6 * second) == Event::none);
  listener.hear(packet(2, {}), 7 * second);
  CHECK(listener.poll(12 * second) == Event::silent);
}

TEST_CASE("who joins behind a snapshot gets everything from its number on, and nothing before") {
  const auto join_at = [](std::uint64_t sequence) {
    Listener listener({.session = "FEED", .next_sequence = 0, .window = 8});
    listener.hear(packet(10, {"a", "b"}));
    listener.hear(packet(13, {"d"}));
    CHECK(listener.delivered.empty());
    listener.poll(ms);
    CHECK(listener.requests.empty());
    listener.receiver.join(sequence, ms, listener.deliver());
    listener.poll(2 * ms);
    return listener.delivered + (listener.requests.empty() ? "" : "asks " + listener.requests.back());
  };
  CHECK(join_at(12) == "asks 12+1");
  CHECK(join_at(11) == "11b asks 12+1");
  CHECK(join_at(10) == "10a 11b asks 12+1");
  CHECK(join_at(13) == "13d ");
  CHECK(join_at(14) == "");
  CHECK(join_at(20) == "");
  CHECK(join_at(8) == "asks 8+2");
  CHECK(join_at(1) == "asks 1+13");  // what waited is too far ahead of it
}

TEST_CASE("a gap that nobody closed is asked for again when the snapshot ends in front of it") {
  Listener listener({.session = "FEED", .attempts = 2});
  listener.hear(packet(1, {"a"}));
  listener.hear(packet(3, {"c"}));
  Event last = Event::none;
  for (std::int64_t now = 0; now < second && last != Event::gap_lost; now += ms) last = listener.poll(now);
  CHECK(last == Event::gap_lost);
  listener.requests.clear();

  listener.receiver.hold();
  listener.receiver.join(2, second, listener.deliver());
  for (std::int64_t now = second; now < second + 5 * ms; now += ms) listener.poll(now);

  CHECK(listener.requests == Lines{"2+1"});
  listener.hear(packet(2, {"b"}), second + 6 * ms, Line::requested);
  CHECK(listener.delivered == "1a 2b 3c ");
}

// Packets on two lines, each of which loses, doubles and delays them; the answers to requests likewise.
TEST_CASE("whatever the lines lose, double or swap, everything is delivered once, in order") {
  MESSAGE("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  std::uint64_t requests_sent = 0, gaps = 0, dropped = 0;
  for (int scenario = 0; scenario < 60; ++scenario) {
    CAPTURE(scenario);
    const auto chance = [&](std::uint64_t percent) { return random() % 100 < percent; };
    const std::uint64_t loss = random() % 60, doubling = random() % 20;
    const std::uint64_t spread = random() % 3'000'000 + 1;
    const std::size_t count = 500;
    MessageStore store({.messages = count, .bytes = count * 50});
    MoldSender sender(
        {.session = "FEED", .largest_packet = 80 + random() % 300, .flush_ns = 300'000, .heartbeat_ns = 20 * ms}, 0);
    MoldRequests requests({.session = "FEED",
                           .largest_packet = 100 + random() % 400,
                           .requests_per_source = {.per_second = 2'000, .burst = 5}},
                          0);
    MoldReceiver receiver({.session = "FEED",
                           .window = std::size_t{1} << (3 + random() % 8),
                           .largest_message = 50,
                           .most_requested = static_cast<std::uint16_t>(1 + random() % 100),
                           .attempts = 1'000,
                           .silence_ns = 60 * second},
                          0);
    struct Flight {
      int to;  // 0 and 1: the lines; 2: an answer; 3: a request
      std::string datagram;
    };
    std::multimap<std::int64_t, Flight> flights;
    std::int64_t now = 0;
    const auto send_to = [&](int to) {
      return [&, to](std::span<const std::byte> datagram) {
        for (int copies = 1 + chance(doubling); copies > 0; --copies)
          if (!chance(loss))
            flights.emplace(now + static_cast<std::int64_t>(random() % spread), Flight{to, text(datagram)});
      };
    };
    const auto publish = [&](std::span<const std::byte> datagram) {
      send_to(0)(datagram);
      send_to(1)(datagram);
    };
    std::vector<std::string> published, delivered;
    const auto deliver = [&](std::uint64_t sequence, std::span<const std::byte> message) {
      delivered.push_back(text(message));
      if (sequence != delivered.size()) FAIL("a number out of order");
    };
    bool ended = false;
    while (!receiver.finished()) {
      now += static_cast<std::int64_t>(random() % 200'000);
      if (now > 600 * second) FAIL("the session never ends");
      if (published.size() < count && chance(70)) {
        published.push_back(std::string(random() % 40, 'm') + std::to_string(published.size()));
        store.append(as_bytes(published.back()));
        if (!sender.add(as_bytes(published.back()), now, publish)) FAIL("a message was refused");
      } else if (published.size() == count && !ended) {
        ended = true;
        sender.end(now, publish);
      }
      sender.poll(now, publish);
      while (!flights.empty() && flights.begin()->first <= now) {
        const Flight flight = flights.begin()->second;
        flights.erase(flights.begin());
        if (flight.to == 3)
          requests.answer(store, as_bytes(flight.datagram), 1, now, send_to(2));
        else
          receiver.receive(static_cast<Line>(flight.to), as_bytes(flight.datagram), now, deliver);
      }
      if (receiver.poll(now, send_to(3)) != Event::none) FAIL("a gap or the feed was given up");
    }
    CHECK(delivered == published);
    requests_sent += receiver.counts().requests;
    gaps += receiver.counts().gaps;
    dropped += receiver.counts().dropped;
  }
  CHECK(requests_sent > 60);
  CHECK(gaps > 60);
  CHECK(dropped > 0);
}

TEST_CASE("the ITCH capture is read from its MoldUDP64 packets, and packed again as it was") {
  if (missing({"golden/itch5.pcap"})) return;
  std::string types;
  std::vector<std::string> captured, sent;
  for (const Captured& datagram : read_pcap(data("golden/itch5.pcap"))) {
    if (datagram.source != 31'000) {  // only its direction tells a request
      const mold::DecodedRequest asked = mold::decode_request(datagram.payload);
      CHECK(text(datagram.payload) == request(asked.request.sequence, asked.request.count, "SESSION01"));
      CHECK(asked.request.sequence == 3);
      CHECK(asked.request.count == 5);
      continue;
    }
    captured.push_back(text(datagram.payload));
    const mold::Decoded decoded = mold::decode(datagram.payload);
    REQUIRE(decoded);
    CHECK(decoded.packet.session() == "SESSION01 ");
    MoldPacketWriter writer("SESSION01", mold::usual_packet);
    writer.begin(decoded.packet.sequence());
    decoded.packet.each([&](std::uint64_t, std::span<const std::byte> message) {
      REQUIRE(itch::decode(message));
      types += static_cast<char>(message[0]);
      writer.add(message);
    });
    sent.push_back(text(decoded.packet.is_end() ? writer.end_of_session() : writer.bytes()));
  }
  CHECK(sent == captured);
  CHECK(sent.size() == 26);
  CHECK(types.substr(0, 23) == "SRHYLVWKJhAFECXDUPQBINO");
}

TEST_CASE("no bytes make the MoldUDP64 decoder look outside them") {
  MESSAGE("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  std::size_t decoded = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(20, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::size_t count = random() % 4;
    bytes[18] = 0;
    bytes[19] = static_cast<char>(count);
    for (std::size_t n = 0; n < count; ++n) {
      const std::size_t size = random() % 20;
      bytes += {'\0', static_cast<char>(size + (random() % 10 == 0))};
      bytes += std::string(size, 'x');
    }
    if (random() % 4 == 0) bytes.resize(random() % (bytes.size() + 1));
    const AtPageEnd page(bytes);
    const mold::Decoded result = mold::decode(as_bytes(page.text()));
    std::size_t seen = 0;
    if (result)
      result.packet.each([&](std::uint64_t, std::span<const std::byte> message) { seen += message.size() + 1; });
    decoded += bool(result);
    CHECK(seen <= bytes.size());
  }
  CHECK(decoded > 1000);
}
