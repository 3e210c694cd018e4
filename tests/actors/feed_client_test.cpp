#include <outcry/actors/feed_client.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <string>

#include "feed_rig.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry_test;

namespace {

/// Two lines that lose, double and delay, by seed.
class Lines {
 public:
  struct Options {
    unsigned lost = 10, doubled = 5, late = 10;  // per cent
  };
  Lines(Options options, std::uint64_t seed) : options_(options), draw_(seed) {}

  void put(const std::vector<Bytes>& packets) {
    for (const Bytes& packet : packets)
      for (const auto line : {FeedClient::Line::a, FeedClient::Line::b}) {
        if (draw_.percent(options_.lost)) continue;
        const unsigned copies = draw_.percent(options_.doubled) ? 2 : 1;
        for (unsigned i = 0; i < copies; ++i) {
          const std::size_t behind = draw_.percent(options_.late) ? draw_.below(8) : 0;
          waiting_.push_back({line, packet, behind});
        }
      }
  }
  /// Gives what has come, all of it or as much as is not late.
  template <class Take>
  void deliver(Take&& take, bool all = false) {
    for (auto at = waiting_.begin(); at != waiting_.end();) {
      if (!all && at->behind > 0) {
        --at->behind;
        ++at;
        continue;
      }
      take(at->line, at->packet);
      at = waiting_.erase(at);
    }
  }

 private:
  struct Waiting {
    FeedClient::Line line;
    Bytes packet;
    std::size_t behind;
  };
  Options options_;
  Draw draw_;
  std::deque<Waiting> waiting_;
};

/// A client, its re-request server and its snapshot server.
struct Client {
  FeedRig& rig;
  FeedClient client;
  Ears ears;
  Draw draw;
  unsigned lost_answers = 0;
  bool answers = true;
  bool snapshots = true;
  std::uint64_t compared = 0;
  Packets answer_packets{};

  Client(FeedRig& venue, FeedClientOptions options, std::uint64_t seed)
      : rig(venue), client(with(std::move(options), venue), venue.now()), draw(seed) {}
  static FeedClientOptions with(FeedClientOptions options, const FeedRig& venue) {
    options.session = "DAY1";
    options.instruments = venue.wanted();
    return options;
  }

  void hear(FeedClient::Line line, const Bytes& packet) {
    client.receive(line, packet, rig.now(), ears);
    compare();
  }
  void time_goes_by() {
    client.poll(rig.now(), ears, [&](std::span<const std::byte> request) {
      if (!answers) return;
      rig.feed().answer(request, 7, rig.now(), answer_packets);
    });
    for (const Bytes& packet : answer_packets.take())
      if (!draw.percent(lost_answers)) hear(FeedClient::Line::requested, packet);
    if (snapshots && client.wants_snapshot(rig.now())) read_snapshot(~std::uint64_t{0});
  }
  /// As many messages of one; the connection is lost then.
  void read_snapshot(std::uint64_t most) {
    const auto snapshot = rig.feed().snapshot(rig.now());
    if (!client.snapshot_begins(rig.feed().session().text(), rig.now(), ears)) return;
    for (std::uint64_t n = 1; n < snapshot->next_sequence(); ++n) {
      if (n > most) return client.snapshot_failed(rig.now());
      client.snapshot(snapshot->message(n), rig.now(), ears);
    }
    compare();
  }
  void compare() {
    if (!client.is_current() || client.session() != "DAY1") return;
    const std::string* expected = rig.shown_at(client.next_sequence());
    if (expected == nullptr) return;
    REQUIRE(shown(client) == *expected);
    ++compared;
  }
};

}  // namespace

TEST_CASE("over lossy lines a client's books are the market's at every message, and at the end") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  for (std::uint64_t round = 0; round < 12; ++round) {
    CAPTURE(round);
    const bool from_snapshot = round % 2 == 0;
    FeedRig rig({.symbols = 3, .rules = round % 3 != 0, .rule_set = round * 3, .seed = seed + round});
    Lines lines({.lost = 30, .doubled = 10, .late = 30}, seed + 100 + round);
    Client client(rig, {.snapshots = from_snapshot}, seed + round);
    client.lost_answers = 20;
    rig.begin();
    for (int i = 0; i < 1'500; ++i) {
      rig.step();
      lines.put(rig.packets().take());
      lines.deliver([&](auto line, const Bytes& packet) { client.hear(line, packet); });
      client.time_goes_by();
    }
    rig.steps(1);
    lines.put(rig.packets().take());
    for (int i = 0; i < 200; ++i) {
      rig.wait(20'000'000);
      rig.feed().poll(rig.now(), rig.packets());
      lines.put(rig.packets().take());
      lines.deliver([&](auto line, const Bytes& packet) { client.hear(line, packet); }, true);
      client.time_goes_by();
    }

    REQUIRE(client.client.is_current());
    CHECK(client.client.next_sequence() == rig.feed().next_sequence());
    CHECK(shown(client.client) == rig.shown());
    CHECK(client.compared > 0);
    CHECK(client.client.counts().refused == 0);
    CHECK(client.client.counts().malformed == 0);
    CHECK(client.client.receiver_counts().requests > 0);
    if (!from_snapshot) {
      std::uint64_t traded = 0;
      for (std::size_t s = 0; s < rig.symbols(); ++s) traded += rig.book(s).counts().traded - rig.unprinted(s);
      CHECK(client.ears.shares == traded);
    }
  }
}

TEST_CASE("a snapshot at any message of a short day joins the feed exactly") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  // The same day again for each message at which the snapshot is taken; the client hears the feed from an earlier one on.
  constexpr int steps = 120;
  std::uint64_t joined = 0;
  for (int at = 0; at <= steps; ++at) {
    CAPTURE(at);
    FeedRig rig({.symbols = 2, .rules = true, .rule_set = 4, .seed = seed});
    Client client(rig, {}, seed);
    client.snapshots = false;
    rig.begin();
    const int hears_from = static_cast<int>(rig.draw().below(static_cast<std::uint64_t>(at) + 1));
    if (hears_from != 0) rig.packets().take();
    std::shared_ptr<const FeedSnapshot> snapshot;
    for (int i = 0; i < steps; ++i) {
      if (i == at) snapshot = rig.feed().snapshot(rig.now());
      rig.step();
      const auto packets = rig.packets().take();
      if (i >= hears_from)
        for (const Bytes& packet : packets) client.hear(FeedClient::Line::a, packet);
    }
    rig.feed().poll(rig.now(), rig.packets());
    for (const Bytes& packet : rig.packets().take()) client.hear(FeedClient::Line::b, packet);
    if (at == steps) snapshot = rig.feed().snapshot(rig.now());

    REQUIRE(client.client.wants_snapshot(rig.now()));
    REQUIRE(client.client.snapshot_begins("DAY1", rig.now(), client.ears));
    for (std::uint64_t n = 1; n < snapshot->next_sequence(); ++n)
      REQUIRE(client.client.snapshot(snapshot->message(n), rig.now(), client.ears) ==
              (n + 1 < snapshot->next_sequence()));
    for (int i = 0; i < 20; ++i) {
      rig.wait(20'000'000);
      client.time_goes_by();
    }

    REQUIRE(client.client.is_current());
    CHECK(client.client.next_sequence() == rig.feed().next_sequence());
    CHECK(shown(client.client) == rig.shown());
    CHECK(client.client.counts().refused == 0);
    ++joined;
  }
  CHECK(joined == steps + 1);
}

TEST_CASE("a gap that nobody can close is closed by a snapshot, and the books are stale until then") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  FeedRig rig({.symbols = 2, .rules = false, .seed = seed});
  Client client(rig, {.receiver = {.first_pause_ns = 1'000'000, .longest_pause_ns = 1'000'000, .attempts = 3}}, seed);
  client.answers = false;
  rig.begin();
  rig.steps(100);
  for (const Bytes& packet : rig.packets().take()) client.hear(FeedClient::Line::a, packet);
  client.time_goes_by();
  REQUIRE(client.client.is_current());
  CHECK(client.ears.stales == 0);

  rig.steps(100);
  rig.packets().take();  // lost on both lines, and by the server
  rig.steps(50);
  for (const Bytes& packet : rig.packets().take()) client.hear(FeedClient::Line::a, packet);
  const std::uint64_t stuck = client.client.next_sequence();
  client.snapshots = false;
  for (int i = 0; i < 20; ++i) {
    rig.wait(1'000'000);
    client.time_goes_by();
  }
  CHECK(client.client.state() == FeedClient::State::joining);
  CHECK(client.client.next_sequence() == stuck);
  CHECK(client.ears.stales == 1);
  CHECK(client.client.counts().recoveries == 1);

  client.read_snapshot(5);  // a connection that is lost half way
  CHECK(!client.client.is_current());
  CHECK(!client.client.wants_snapshot(rig.now()));
  rig.wait(100'000'000);
  REQUIRE(client.client.wants_snapshot(rig.now()));
  client.read_snapshot(~std::uint64_t{0});
  REQUIRE(client.client.is_current());
  CHECK(shown(client.client) == rig.shown());
  rig.steps(200);
  for (const Bytes& packet : rig.packets().take()) client.hear(FeedClient::Line::b, packet);
  CHECK(shown(client.client) == rig.shown());
  CHECK(client.client.counts().refused == 0);
}

TEST_CASE("packets of another session change nothing; the next day begins when this one has ended") {
  FeedRig rig({.symbols = 2, .rules = false, .seed = 11});
  Client client(rig, {.snapshots = false}, 1);
  rig.begin();
  rig.steps(200);
  const auto first_day = rig.packets().take();
  FeedRig other({.symbols = 2, .rules = false, .seed = 12});
  for (const Bytes& packet : first_day) client.hear(FeedClient::Line::a, packet);
  const std::string before = shown(client.client);
  CHECK(before == rig.shown());

  const auto renamed = [](Bytes packet) {
    const mold::Session name("DAY0");
    std::memcpy(packet.data(), &name, sizeof name);
    return packet;
  };
  for (const Bytes& packet : first_day) client.hear(FeedClient::Line::a, renamed(packet));
  CHECK(shown(client.client) == before);
  CHECK(client.client.session() == "DAY1");
  CHECK(client.client.receiver_counts().other_session == first_day.size());

  rig.feed().end(rig.now(), rig.packets());
  for (const Bytes& packet : rig.packets().take()) client.hear(FeedClient::Line::a, packet);
  CHECK(client.client.state() == FeedClient::State::ended);
  rig.feed().begin_day("DAY2", rig.now(), rig.now(), rig.packets());
  const auto second_day = rig.packets().take();
  for (const Bytes& packet : second_day) client.hear(FeedClient::Line::b, packet);
  CHECK(client.client.session() == "DAY2");
  CHECK(client.client.next_sequence() == rig.feed().next_sequence());
  CHECK(shown(client.client) == rig.shown());  // the orders that outlived the day
  CHECK(client.ears.sessions == "DAY2 ");

  for (const Bytes& packet : first_day) client.hear(FeedClient::Line::a, packet);  // stragglers of yesterday
  CHECK(client.client.session() == "DAY2");
  CHECK(shown(client.client) == rig.shown());
}

TEST_CASE("a client that missed the end of a session follows the next one once its own is silent") {
  FeedRig rig({.symbols = 1, .rules = false, .seed = 5});
  Client client(rig, {.snapshots = false, .receiver = {.silence_ns = 3'000'000'000}}, 1);
  rig.begin();
  rig.steps(50);
  for (const Bytes& packet : rig.packets().take()) client.hear(FeedClient::Line::a, packet);
  rig.feed().end(rig.now(), rig.packets());
  rig.packets().take();
  rig.feed().begin_day("DAY2", rig.now(), rig.now(), rig.packets());
  const auto second_day = rig.packets().take();
  for (const Bytes& packet : second_day) client.hear(FeedClient::Line::a, packet);
  CHECK(client.client.session() == "DAY1");
  rig.wait(3'000'000'000);
  client.time_goes_by();
  CHECK(client.client.session() == "DAY2");
  for (const Bytes& packet : second_day) client.hear(FeedClient::Line::a, packet);
  CHECK(client.client.is_current());
  CHECK(shown(client.client) == rig.shown());
}

TEST_CASE("a client that wants some symbols keeps books of those alone") {
  FeedRig rig({.symbols = 5, .seed = 21});
  FeedClientOptions options{.session = "DAY1", .instruments = {rig.wanted()[3], rig.wanted()[1]}, .snapshots = false};
  FeedClient client(options, 0);
  FeedClient everything({.session = "DAY1", .snapshots = false}, 0);
  Ears ears;
  rig.begin();
  rig.steps(800);
  for (const Bytes& packet : rig.packets().take()) {
    client.receive(FeedClient::Line::a, packet, rig.now(), ears);
    everything.receive(FeedClient::Line::a, packet, rig.now(), ears);
  }
  REQUIRE(client.symbol_count() == 2);
  CHECK(displayed(client.book({0}).book()) == displayed(rig.book(3), 100));
  CHECK(displayed(client.book({1}).book()) == displayed(rig.book(1)));
  CHECK(client.counts().refused == 0);
  CHECK(everything.symbol_count() == 5);
  CHECK(shown(everything) == rig.shown());
}

TEST_CASE("ten thousand requests in a moment are answered within the limits, one packet for each answer") {
  FeedRig rig({.symbols = 2, .rules = false, .feed = {.request_bytes = {.per_second = 100'000, .burst = 50'000}}});
  rig.begin();
  rig.steps(2'000);
  rig.packets().take();
  Packets answers;
  mold::Header request{rig.feed().session(), 1, 1'000};
  const std::span<const std::byte> datagram(reinterpret_cast<const std::byte*>(&request), sizeof request);
  for (std::uint64_t i = 0; i < 10'000; ++i) rig.feed().answer(datagram, i % 100, rig.now(), answers);
  std::size_t bytes = 0;
  for (const Bytes& packet : answers.all) {
    CHECK(packet.size() <= mold::usual_packet);
    bytes += packet.size();
  }
  CHECK(bytes > 40'000);
  CHECK(bytes <= 50'000);
  CHECK(rig.feed().request_counts().limited + rig.feed().request_counts().sent == 10'000);

  // The feed itself goes on as if nothing had happened.
  const std::uint64_t before = rig.feed().next_sequence();
  rig.steps(100);
  CHECK(rig.feed().next_sequence() > before);
}
