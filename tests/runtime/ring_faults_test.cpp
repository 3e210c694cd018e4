// What a ring may do to its users: short transfers, interruptions, broken chains, no buffers, a queue of completions that
// overflows, completions in any order, peers that die. Each world is drawn from a seed, which a failure names.
#include "faulty_ring.hpp"

#include "../seed.hpp"
#include "scenario.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>

#include <outcry/runtime/connection.hpp>
#include <outcry/runtime/datagrams.hpp>
#include <outcry/runtime/listener.hpp>

using namespace scenario;
using outcry_test::Done;
using outcry_test::Faults;
using outcry_test::FaultyRing;

namespace {

struct PortIs {
  Endpoint at;
};

RuntimeOptions faulty(Faults faults, std::uint64_t seed, Done* done, std::uint32_t schedulers = 1) {
  RuntimeOptions options = live(schedulers);
  options.seed = seed;
  options.io.device = [=](std::uint32_t scheduler, std::unique_ptr<RingDevice> kernel) -> std::unique_ptr<RingDevice> {
    return std::make_unique<FaultyRing>(std::move(kernel), faults, mix64(seed, scheduler), done);
  };
  return options;
}

/// Byte `i` of a stream.
std::byte letter(std::uint64_t i) { return static_cast<std::byte>(mix64(i / 8) >> i % 8 * 8); }

/// Sends `bytes` of the stream in pieces of any size, takes the same back, and checks each.
struct Exchange {
  std::uint64_t bytes = 0;
  std::uint64_t came = 0;
  bool whole = true;
  bool failed = false;
};

Actor sends_and_checks(Self<PortIs> self, Exchange* exchange, ConnectionOptions options) {
  auto port = co_await self.receive();
  auto connecting = co_await Connection::connect(self, port->at, options);
  if (!connecting) {
    exchange->failed = true;
    co_return;
  }
  Connection& connection = *connecting;
  std::uint64_t sent = 0;
  const Time patience = later(self.now(), 20s);  // what was lost never comes
  while (exchange->came < exchange->bytes && !connection.ended() && self.now() < patience) {
    const std::uint64_t piece = std::min<std::uint64_t>(self.random().below(3'000), exchange->bytes - sent);
    if (connection.out().room() >= piece) {
      for (std::uint64_t i = 0; i < piece; ++i) {
        const std::byte one = letter(sent++);
        connection.out().append({&one, 1});
      }
    }
    if (sent == exchange->bytes) {
      co_await self.attend(patience);
    } else {
      co_await self.yield();
    }
    for (const std::byte one : connection.in()) exchange->whole &= one == letter(exchange->came++);
    connection.take(connection.in().size());
  }
  exchange->failed = connection.failure() != nullptr;
  connection.close_when_sent();
}

Actor serves_echoes(Self<> self, std::vector<Address<PortIs>> tell, ConnectionOptions options) {
  auto listener = Listener::open(self, Endpoint::loopback());
  REQUIRE(listener);
  for (const auto& to : tell) to.send(PortIs{listener->local()});
  for (std::size_t i = 0; i < tell.size(); ++i) {
    auto socket = co_await listener->accept();
    REQUIRE(socket);
    auto one = [](Self<> me, Socket given, ConnectionOptions wanted) -> Actor {
      auto adopted = Connection::adopt(me, std::move(given), wanted);
      REQUIRE(adopted);
      Connection& connection = *adopted;
      while (!connection.ended()) {
        co_await me.attend();
        const std::size_t fitting = std::min(connection.in().size(), connection.out().room());
        connection.out().append(connection.in().first(fitting));
        connection.take(fitting);
      }
      connection.close_when_sent();
    };
    self.spawn(one, std::move(*socket), options);
  }
}

/// Whether every byte came back, on all connections; a failure names the seed.
void play(RuntimeOptions world_options, int connections, std::uint64_t bytes, ConnectionOptions options) {
  Runtime world(std::move(world_options));
  std::vector<Exchange> exchanges(static_cast<std::size_t>(connections), Exchange{.bytes = bytes});
  std::vector<Address<PortIs>> clients;
  for (Exchange& exchange : exchanges) clients.push_back(world.spawn(sends_and_checks, &exchange, options));
  world.spawn(serves_echoes, clients, options);
  world.run();
  for (const Exchange& exchange : exchanges) {
    CHECK(exchange.came == bytes);
    CHECK(exchange.whole);
    CHECK_FALSE(exchange.failed);
  }
}

int seeds() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
  return 20;
#else
  return 100;
#endif
}

}  // namespace

TEST_CASE("bytes arrive whole and in order whatever the ring does to a request") {
  Done done;
  const Faults faults{.shortened = 30, .interrupted = 5, .again = 5, .cancelled = 5, .no_buffers = 10, .held = 30};
  for (int i = 0; i < seeds(); ++i) {
    const std::uint64_t seed = test_seed() + static_cast<std::uint64_t>(i);
    CAPTURE(seed);
    const bool many = i % 3 != 0;
    const std::size_t room = i % 2 == 0 ? 700 : 65'536;
    RuntimeOptions options = faulty(faults, seed, &done);
    options.io.many = many;
    options.io.buffer_bytes = i % 5 == 0 ? 64 : 4096;
    play(std::move(options), 3, 20'000, {.in_bytes = room, .out_bytes = std::max<std::size_t>(room, 3'000)});
  }
  CHECK(done.shortened > 0);
  CHECK(done.interrupted > 0);
  CHECK(done.again > 0);
  CHECK(done.cancelled > 0);
  CHECK(done.no_buffers > 0);
  CHECK(done.held > 0);
}

namespace {

/// What a sender and a receiver were told, who wait by attend() alone.
struct Words {
  std::uint64_t bytes = 0;
  std::uint64_t came = 0;
  bool whole = true;
  int no_room = 0;  // times that there was none for a piece
  int nothing = 0;  // times that there was nothing to read
  int lost = 0;     // words that never came
};
constexpr Duration patience_for_words = 10s;

/// Pieces of any size that there may be, until there is no room for one; then it waits.
Actor waits_for_room(Self<PortIs> self, Words* words, ConnectionOptions options) {
  auto port = co_await self.receive();
  auto connecting = co_await Connection::connect(self, port->at, options);
  REQUIRE(connecting);
  Connection& connection = *connecting;
  std::vector<std::byte> piece;
  for (std::uint64_t sent = 0; sent < words->bytes && words->lost == 0;) {
    if (piece.empty()) {
      const std::uint64_t most = std::min(options.out_bytes - options.out_bytes / 8, words->bytes - sent);
      piece.resize(1 + self.random().below(self.random().below(3) == 0 ? most : std::min<std::uint64_t>(most, 50)));
      for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = letter(sent + i);
    }
    if (connection.out().append(piece)) {
      sent += piece.size();
      piece.clear();
      if (self.random().below(20) == 0) co_await self.yield();
      continue;
    }
    ++words->no_room;
    const Time patience = later(self.now(), patience_for_words);
    co_await self.attend(patience);
    words->lost += self.now() >= patience ? 1 : 0;
  }
  connection.close_when_sent();
}

/// Takes some of what there is, and waits for more. What it has left lying is no reason to be told of nothing.
Actor waits_for_bytes(Self<> self, Address<PortIs> tell, Words* words, ConnectionOptions options) {
  auto listener = Listener::open(self, Endpoint::loopback());
  REQUIRE(listener);
  tell.send(PortIs{listener->local()});
  auto socket = co_await listener->accept();
  REQUIRE(socket);
  auto adopted = Connection::adopt(self, std::move(*socket), options);
  REQUIRE(adopted);
  Connection& connection = *adopted;
  while (words->came < words->bytes && words->lost == 0) {
    const std::size_t there = connection.in().size();
    const std::size_t some = self.random().below(3) == 0 ? there : self.random().below(there + 1);
    for (const std::byte one : connection.in().first(some)) words->whole &= one == letter(words->came++);
    connection.take(some);
    const std::size_t left = there - some;
    if ((some == 0 && left > 0) || words->came + left >= words->bytes) {
      co_await self.yield();
      continue;
    }
    words->nothing += left == 0 ? 1 : 0;
    const Time patience = later(self.now(), patience_for_words);
    co_await self.attend(patience);
    words->lost += self.now() >= patience ? 1 : 0;
  }
}

}  // namespace

TEST_CASE("who was told of no room hears of room, and who was told of nothing to read hears of bytes") {
  Done done;
  const Faults faults{.shortened = 30, .interrupted = 5, .again = 5, .cancelled = 5, .no_buffers = 10, .held = 30};
  int no_room = 0, nothing = 0;
  for (int i = 0; i < 2 * seeds(); ++i) {
    const std::uint64_t seed = test_seed() + static_cast<std::uint64_t>(i);
    CAPTURE(seed);
    Random draw(seed);
    RuntimeOptions options = i % 4 == 0 ? live(1) : faulty(faults, seed, &done);
    options.seed = seed;
    options.idle = i % 5 == 0 ? IdlePolicy::spin_then_sleep : IdlePolicy::sleep;
    options.io.many = draw.below(3) != 0;
    options.io.buffer_bytes = draw.below(2) == 0 ? 64 : 4096;
    ConnectionOptions sender, receiver;
    sender.out_bytes = 1 + draw.below(draw.below(2) == 0 ? 100 : 30'000);
    sender.zero_copy = draw.below(4) == 0;
    receiver.in_bytes = 1 + draw.below(draw.below(2) == 0 ? 100 : 30'000);
    receiver.kernel_stamps = draw.below(4) == 0;
    Words words{.bytes = 100 * std::max<std::uint64_t>(20, std::min(sender.out_bytes, receiver.in_bytes))};
    Runtime world(options);
    const auto sends = world.spawn(waits_for_room, &words, sender);
    world.spawn(waits_for_bytes, Address<PortIs>(sends), &words, receiver);
    world.run();
    REQUIRE(words.lost == 0);
    CHECK(words.came == words.bytes);
    CHECK(words.whole);
    no_room += words.no_room;
    nothing += words.nothing;
  }
  CHECK(no_room > 0);
  CHECK(nothing > 0);
  CHECK(done.shortened > 0);
  CHECK(done.held > 0);
}

TEST_CASE("a queue of four completions and one of four requests overflow, and nothing is lost") {
  RuntimeOptions options = live(1);
  options.io.submissions = 4;
  options.io.completions = 4;
  for (const RingKind kind : {RingKind::deferred, RingKind::cooperative, RingKind::plain}) {
    options.io.ring = kind;
    play(options, 24, 20'000, {});
  }
}

TEST_CASE("one buffer of the ring's for all connections is enough") {
  for (const std::uint32_t buffers : {1u, 2u, 8u}) {
    RuntimeOptions options = live(1);
    options.io.buffers = buffers;
    options.io.buffer_bytes = 100;
    play(options, 10, 20'000, {});
  }
}

TEST_CASE("every kind of ring carries the same bytes") {
  for (const RingKind kind : {RingKind::deferred, RingKind::cooperative, RingKind::plain}) {
    for (const bool many : {true, false}) {
      for (const bool registered : {true, false}) {
        RuntimeOptions options = live(1);
        options.io.ring = kind;
        options.io.many = many;
        options.io.registered = registered;
        options.io.files = 4;
        play(options, 4, 10'000, {.kernel_stamps = many && registered});
      }
    }
  }
}

TEST_CASE("a ring that is busy, and one that the kernel polls, carry the same bytes") {
  for (const IoMode mode : {IoMode::busy, IoMode::kernel_polled}) {
    RuntimeOptions options = live(1);
    options.idle = IdlePolicy::sleep;
    options.io.mode = mode;
    play(options, 2, 10'000, {});
  }
}

TEST_CASE("large pieces are sent without a copy, and stay untouched until the peer has them") {
  for (int i = 0; i < 3; ++i) play(live(1), 2, 2'000'000, {.zero_copy = true});
}

TEST_CASE("packets keep their order and none is taken for sent that was cancelled with its chain") {
  Done done;
  for (int i = 0; i < seeds(); ++i) {
    const std::uint64_t seed = test_seed() + static_cast<std::uint64_t>(i);
    CAPTURE(seed);
    RuntimeOptions options = faulty({.interrupted = 5, .again = 5, .broken = 60, .held = 30}, seed, &done);
    options.io.submissions = i % 2 == 0 ? 8 : 256;
    Runtime world(options);
    std::vector<std::uint32_t> came;
    world.spawn(
        [](Self<> self, std::vector<std::uint32_t>* all) -> Actor {
          auto to = Datagrams::open(self, Endpoint::loopback(), {.in_packets = 256});
          auto from = Datagrams::open(self, Endpoint::loopback(), {.out_packets = 64});
          REQUIRE(to);
          REQUIRE(from);
          const Time patience = later(self.now(), 20s);
          for (std::uint32_t number = 0; all->size() < 500 && self.now() < patience;) {
            const std::size_t burst = self.random().below(40);
            for (std::size_t k = 0; k < burst && number < 500; ++k) {
              if (!from->send(std::as_bytes(std::span(&number, 1)), to->local())) break;
              ++number;
            }
            co_await self.yield();
            while (const auto packet = to->next()) {
              std::uint32_t got;
              REQUIRE(packet->bytes.size() == sizeof got);
              std::memcpy(&got, packet->bytes.data(), sizeof got);
              all->push_back(got);
            }
          }
          CHECK(to->dropped() == 0);
        },
        &came);
    world.run();
    std::vector<std::uint32_t> expected;
    for (std::uint32_t number = 0; number < 500; ++number) expected.push_back(number);
    CHECK(came == expected);
  }
  CHECK(done.broken > 0);
}

TEST_CASE("peers that die in the middle end their own connection and nobody else's") {
  Done done;
  for (int i = 0; i < seeds(); ++i) {
    const std::uint64_t seed = test_seed() + static_cast<std::uint64_t>(i);
    CAPTURE(seed);
    RuntimeOptions options =
        i % 2 == 0 ? live(1) : faulty({.shortened = 30, .interrupted = 10, .held = 30}, seed, &done);
    Runtime world(options);
    Exchange stays{.bytes = 50'000};
    std::vector<Exchange> dying(6, Exchange{.bytes = 10'000'000});
    std::vector<Address<PortIs>> clients{world.spawn(sends_and_checks, &stays, ConnectionOptions{})};
    for (Exchange& exchange : dying) clients.push_back(world.spawn(sends_and_checks, &exchange, ConnectionOptions{}));
    world.spawn(
        [](Self<> self, std::vector<Address<PortIs>> doomed, std::uint64_t draw) -> Actor {
          Random random(draw);
          for (const auto& one : doomed) {
            co_await self.sleep(std::chrono::microseconds(random.below(300)));
            one.kill();
          }
        },
        std::vector<Address<PortIs>>(clients.begin() + 1, clients.end()), seed);
    world.spawn({.background = true}, serves_echoes, clients, ConnectionOptions{});
    world.run();
    CHECK(stays.came == stays.bytes);
    CHECK(stays.whole);
  }
}

TEST_CASE("memory that the kernel was given stays until it gives it back, whoever dies") {
  Done done;
  for (int i = 0; i < seeds(); ++i) {
    const std::uint64_t seed = test_seed() + static_cast<std::uint64_t>(i);
    CAPTURE(seed);
    RuntimeOptions options = faulty({.shortened = 20, .held = 70}, seed, &done);
    options.io.many = i % 2 == 0;
    Runtime world(options);
    std::vector<Exchange> dying(4, Exchange{.bytes = 10'000'000});
    std::vector<Address<PortIs>> clients;
    for (Exchange& exchange : dying)
      clients.push_back(world.spawn(sends_and_checks, &exchange, ConnectionOptions{.in_bytes = 3'000}));
    auto packets = [](Self<> self) -> Actor {
      auto socket = Datagrams::open(self, Endpoint::loopback());
      REQUIRE(socket);
      for (std::uint64_t number = 0;; ++number) {
        socket->send(std::as_bytes(std::span(&number, 1)), socket->local());
        co_await self.attend(later(self.now(), 100us));
        while (socket->next()) {
        }
      }
    };
    auto talks = world.spawn(packets);
    auto serves = world.spawn(serves_echoes, clients, ConnectionOptions{});
    world.start();
    Random random(seed);
    const Time until = later(Scheduler::clock_now(), std::chrono::microseconds(random.below(3'000)));
    while (Scheduler::clock_now() < until) std::this_thread::yield();
    if (i % 3 == 1) {
      for (const auto& one : clients) one.kill();
      talks.kill();
      serves.kill();
    }
    world.stop();
    world.join();
  }
  CHECK(done.given_back > 0);
  CHECK(done.gone == 0);
}

TEST_CASE("a listener that has no descriptor left pauses, counts it, and goes on") {
  Done done;
  // A world draws but a few times whether there is one left.
  for (int i = 0; i < 5 || (done.no_files == 0 && i < 100); ++i) {
    const std::uint64_t seed = test_seed() + static_cast<std::uint64_t>(i);
    CAPTURE(seed);
    play(faulty({.no_files = 50}, seed, &done), 4, 1'000, {});
  }
  CHECK(done.no_files > 0);
}

TEST_CASE("where the process has no more descriptors, who connects waits until there is one") {
  Runtime world(live(1));
  std::uint64_t refused = 0;
  world.spawn(
      [](Self<> self, std::uint64_t* count) -> Actor {
        auto listener = Listener::open(self, Endpoint::loopback());
        REQUIRE(listener);
        listener->pause();
        CHECK(listener->paused());
        auto connected = co_await Connection::connect(self, listener->local());  // by the system's line
        REQUIRE(connected);
        CHECK_FALSE(listener->next());

        rlimit usual{};
        REQUIRE(getrlimit(RLIMIT_NOFILE, &usual) == 0);
        const int lowest_free = ::dup(0);
        ::close(lowest_free);
        const rlimit none{static_cast<rlim_t>(lowest_free), usual.rlim_max};
        REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
        listener->resume();
        auto too_early = co_await listener->accept(later(self.now(), 10ms));
        CHECK_FALSE(too_early);
        CHECK(listener->paused());
        const auto no_socket = Listener::open(self, Endpoint::loopback());
        CHECK_FALSE(no_socket);
        CHECK(no_socket.failure().code == EMFILE);
        REQUIRE(setrlimit(RLIMIT_NOFILE, &usual) == 0);
        auto accepted = co_await listener->accept(later(self.now(), 5s));
        CHECK(accepted);
        *count = listener->refused();
      },
      &refused);
  world.run();
  CHECK(refused >= 1);
}
