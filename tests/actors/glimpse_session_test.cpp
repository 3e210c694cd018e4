#include <outcry/actors/glimpse_session.hpp>

#include <doctest/doctest.h>

#include <string>

#include <outcry/net/soup_client.hpp>

#include "feed_rig.hpp"

using namespace outcry;
using namespace outcry_test;

namespace {

constexpr std::int64_t second = 1'000'000'000;

/// A client and its session, with as much as is said between them on the way.
struct Pair {
  LoginDesk& desk;
  GlimpseSession session;
  SoupClient client;
  ByteBuffer up{4'096}, down;
  std::string heard;  // kinds of events, and types of messages
  std::vector<Bytes> messages;

  Pair(LoginDesk& at, std::size_t room, std::int64_t now, GlimpseSessionOptions options = {})
      : desk(at), session(options, at, now), client({}, now), down(room) {}

  void log_in(const char* user, const char* password, std::uint64_t sequence, std::int64_t now) {
    client.log_in({.user = user, .password = password, .sequence = sequence}, up, now);
    std::span<const std::byte> bytes = up.bytes();
    session.receive(bytes, down, now);
    up.take(up.size() - bytes.size());
  }
  /// The client reads what has come, so many bytes at most.
  void read(std::int64_t now, std::size_t most = ~std::size_t{0}) {
    std::span<const std::byte> bytes = down.bytes().first(std::min(most, down.size()));
    const std::size_t size = bytes.size();
    while (const SoupClientEvent event = client.receive(bytes, now)) {
      using Kind = SoupClientEvent::Kind;
      if (event.kind == Kind::accepted) heard += "accepted " + std::string(event.session) + ' ';
      if (event.kind == Kind::rejected) heard += std::string("rejected ") + event.reason + ' ';
      if (event.kind == Kind::end_of_session) heard += "end ";
      if (event.kind == Kind::broken) heard += "broken ";
      if (event.kind == Kind::message) messages.emplace_back(event.message.begin(), event.message.end());
    }
    down.take(size - bytes.size());
  }
};

LoginDesk desk_of(int accounts) {
  LoginDesk desk;
  for (int i = 0; i < accounts; ++i) desk.add("SNAP" + std::to_string(i), "SECRET");
  return desk;
}

}  // namespace

TEST_CASE("a client that logs in gets the snapshot, message by message, and then the end of the session") {
  FeedRig rig({.symbols = 2, .seed = 3});
  rig.begin();
  rig.steps(500);
  LoginDesk desk = desk_of(1);
  Pair pair(desk, 600, 0);  // room for a few messages at a time
  pair.log_in("SNAP0", "SECRET", 1, 0);
  REQUIRE(pair.session.state() == GlimpseSession::State::wants_snapshot);
  const auto snapshot = rig.feed().snapshot(rig.now());
  pair.session.give(snapshot, "DAY1", pair.down, 0);
  for (int i = 0; i < 10'000 && pair.session.state() == GlimpseSession::State::sending; ++i) {
    pair.session.poll(pair.down.size(), pair.down, i);
    pair.read(i);
  }
  pair.read(0);

  CHECK(pair.session.state() == GlimpseSession::State::done);
  CHECK(pair.heard == "accepted DAY1 end ");
  REQUIRE(pair.messages.size() + 1 == snapshot->next_sequence());
  for (std::size_t i = 0; i < pair.messages.size(); ++i)
    CHECK(std::ranges::equal(pair.messages[i], snapshot->message(i + 1)));
  CHECK(glimpse::decode(pair.messages.back()).next_sequence == rig.feed().next_sequence());
}

TEST_CASE("wrong passwords, later numbers and other packets get no snapshot") {
  LoginDesk desk = desk_of(1);
  {
    Pair pair(desk, 1'000, 0);
    pair.log_in("SNAP0", "WRONG", 1, 0);
    pair.read(0);
    CHECK(pair.heard == "rejected A ");
    CHECK(pair.session.state() == GlimpseSession::State::done);
  }
  {
    Pair pair(desk, 1'000, 0);
    pair.log_in("SNAP0", "SECRET", 2, 0);
    auto snapshot = std::make_shared<FeedSnapshot>(1, 0);
    snapshot->end();
    pair.session.give(snapshot, "DAY1", pair.down, 0);
    pair.read(0);
    CHECK(pair.heard == "rejected S ");
  }
  {
    Pair pair(desk, 1'000, 0);
    pair.log_in("SNAP0", "SECRET", 1, 0);
    Pair other(desk, 1'000, 0);  // one live session for each account
    other.log_in("SNAP0", "SECRET", 1, 0);
    other.read(0);
    CHECK(other.heard == "rejected A ");
  }
  {
    Pair pair(desk, 1'000, 0);
    const std::array<std::byte, 4> nonsense{std::byte{0}, std::byte{2}, std::byte{'?'}, std::byte{0}};
    std::span<const std::byte> bytes = nonsense;
    pair.session.receive(bytes, pair.down, 0);
    CHECK(pair.session.state() == GlimpseSession::State::failed);
    CHECK(std::string(pair.session.why()) == "what is no packet");
  }
  Pair pair(desk, 1'000, 0);
  pair.session.poll(0, pair.down, 30 * second);
  CHECK(std::string(pair.session.why()) == "says nothing");
}

TEST_CASE("a client that does not read is given up; twenty others have their snapshots meanwhile") {
  FeedRig rig({.symbols = 2, .seed = 4});
  rig.begin();
  rig.steps(2'000);
  LoginDesk desk = desk_of(21);
  std::vector<std::unique_ptr<Pair>> pairs;
  for (int i = 0; i < 21; ++i) {
    pairs.push_back(std::make_unique<Pair>(desk, 500, 0));
    pairs.back()->log_in(("SNAP" + std::to_string(i)).c_str(), "SECRET", 0, 0);
    pairs.back()->session.give(rig.feed().snapshot(rig.now()), "DAY1", pairs.back()->down, 0);
  }
  CHECK(rig.feed().counts().snapshots == 1);  // all read the same one
  std::int64_t now = 0;
  for (int i = 0; i < 3'000; ++i) {
    now += second / 500;
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      pairs[p]->session.poll(pairs[p]->down.size(), pairs[p]->down, now);
      if (p != 0) pairs[p]->read(now);
    }
  }
  CHECK(pairs[0]->session.state() == GlimpseSession::State::failed);
  CHECK(std::string(pairs[0]->session.why()) == "does not read");
  for (std::size_t p = 1; p < pairs.size(); ++p) CHECK(pairs[p]->heard == "accepted DAY1 end ");
}

TEST_CASE("a client that reads a byte now and then is given up after the longest time") {
  FeedRig rig({.symbols = 8, .seed = 4, .remember = false});
  rig.begin();
  rig.steps(4'000);
  LoginDesk desk = desk_of(1);
  Pair pair(desk, 500, 0);
  pair.log_in("SNAP0", "SECRET", 0, 0);
  pair.session.give(rig.feed().snapshot(rig.now()), "DAY1", pair.down, 0);
  std::int64_t now = 0;
  while (pair.session.state() == GlimpseSession::State::sending && now < 100 * second) {
    now += second;
    pair.session.poll(pair.down.size(), pair.down, now);
    pair.read(now, 45);
    pair.client.poll(pair.up, now);  // heartbeats
    std::span<const std::byte> bytes = pair.up.bytes();
    pair.session.receive(bytes, pair.down, now);
    pair.up.clear();
  }
  CHECK(std::string(pair.session.why()) == "reads too slowly");
  CHECK(now == 60 * second);
}
