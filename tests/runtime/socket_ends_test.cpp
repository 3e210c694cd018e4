// How connections end and who outlives whom: half closed, reset, aborted, slow readers, hosts, runtimes one after the other.
#include "scenario.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <thread>

#include <outcry/runtime/connection.hpp>
#include <outcry/runtime/datagrams.hpp>
#include <outcry/runtime/listener.hpp>

using namespace scenario;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Two ends of one connection, in one actor.
struct Pair {
  Connection client;
  Connection server;
};

Task<Pair> connected(Self<> self, ConnectionOptions client, ConnectionOptions server) {
  auto listener = Listener::open(self, Endpoint::loopback());
  REQUIRE(listener);
  auto connecting = co_await Connection::connect(self, listener->local(), client);
  REQUIRE(connecting);
  auto socket = co_await listener->accept();
  REQUIRE(socket);
  auto adopted = Connection::adopt(self, std::move(*socket), server);
  REQUIRE(adopted);
  Pair pair{std::move(*connecting), std::move(*adopted)};
  co_return std::move(pair);
}

/// Plays one actor's body that gets a pair.
template <class Body>
void with_pair(Body body, ConnectionOptions client = {}, ConnectionOptions server = {}) {
  Runtime world(live(1));
  bool played = false;
  auto actor = [](Self<> self, Body play, ConnectionOptions one, ConnectionOptions other, bool* done) -> Actor {
    auto making = connected(self, one, other);
    Pair pair = co_await making;
    auto playing = play(self, pair);
    co_await playing;
    *done = true;
  };
  world.spawn(actor, body, client, server, &played);
  world.run();
  CHECK(played);
}

/// As a program that is not ours.
class Stranger {
 public:
  explicit Stranger(const Endpoint& to) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(to.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  ~Stranger() { ::close(descriptor_); }

  void say(std::string_view text) const {
    CHECK(::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  std::string hear(std::size_t bytes) const {
    std::string text(bytes, ' ');
    std::size_t got = 0;
    while (got < bytes) {
      const ssize_t some = ::recv(descriptor_, text.data() + got, bytes - got, 0);
      if (some <= 0) break;
      got += static_cast<std::size_t>(some);
    }
    text.resize(got);
    return text;
  }

 private:
  int descriptor_;
};

struct PortIs {
  Endpoint at;
};

/// Echoes on all its connections until all have ended.
Actor echo(Self<> self, std::atomic<std::uint16_t>* port, int connections) {
  auto listener = Listener::open(self, Endpoint::loopback());
  REQUIRE(listener);
  port->store(listener->local().port());
  std::vector<Connection> open;
  while (connections > 0 || !open.empty()) {
    co_await self.attend();
    while (auto socket = listener->next()) {
      --connections;
      auto adopted = Connection::adopt(self, std::move(*socket));
      REQUIRE(adopted);
      open.push_back(std::move(*adopted));
    }
    for (Connection& connection : open) {
      connection.out().append(connection.in());
      connection.take(connection.in().size());
      if (connection.ended()) connection.close_when_sent();
    }
    std::erase_if(open, [](const Connection& connection) { return connection.ended(); });
  }
}

}  // namespace

TEST_CASE("a peer that has said all it will say can still be answered") {
  with_pair([](Self<>, Pair& pair) -> Task<> {
    pair.client.out().append(bytes_of("last words"));
    pair.client.close_when_sent();
    std::string heard;
    for (;;) {
      const auto read = co_await pair.server.read();
      REQUIRE(read);
      if (read->empty()) break;
      heard += text_of(*read);
      pair.server.take(read->size());
    }
    CHECK(heard == "last words");
    CHECK(pair.server.ended());
    CHECK(pair.server.failure() == nullptr);
    CHECK_FALSE(pair.client.ended());
    const auto written = co_await pair.server.write(bytes_of("noted"));
    CHECK(written);
    const auto answer = co_await pair.client.read();
    REQUIRE(answer);
    CHECK(text_of(*answer) == "noted");
  });
}

TEST_CASE("a connection that is aborted is a reset at the other end") {
  with_pair([](Self<>, Pair& pair) -> Task<> {
    pair.client.abort();
    CHECK(pair.client.ended());
    REQUIRE(pair.client.failure() != nullptr);
    CHECK(pair.client.failure()->code == ECONNABORTED);
    const auto read = co_await pair.server.read();
    REQUIRE_FALSE(read);
    CHECK(read.failure().code == ECONNRESET);
    REQUIRE(pair.server.failure() != nullptr);
    CHECK(pair.server.failure()->text() == "receive: Connection reset by peer");
    const auto written = co_await pair.server.write(bytes_of("too late"));
    CHECK_FALSE(written);
  });
}

TEST_CASE("what was left to be sent when a connection was given up arrives, and its peer sees the end behind it") {
  const std::string text(3'000'000, 'x');
  with_pair(
      [text](Self<>, Pair& pair) -> Task<> {
        REQUIRE(pair.client.out().append(bytes_of(text)));
        pair.client.close_when_sent();
        pair.client = Connection();
        std::size_t got = 0;
        for (;;) {
          const auto read = co_await pair.server.read();
          REQUIRE(read);
          if (read->empty()) break;
          got += read->size();
          pair.server.take(read->size());
        }
        CHECK(got == text.size());
      },
      {.out_bytes = 4'000'000});
}

TEST_CASE("a slow reader holds its peer up, and nothing grows") {
  with_pair(
      [](Self<> self, Pair& pair) -> Task<> {
        const std::string piece(10'000, 'y');
        std::uint64_t sent = 0;
        // As much as goes in without a reader: the buffers of both ends, and the system's.
        for (int quiet = 0; quiet < 50; ++quiet) {
          while (pair.client.out().append(bytes_of(piece))) {
            sent += piece.size();
            quiet = 0;
          }
          co_await self.attend(later(self.now(), 1ms));
          CHECK(pair.client.unsent() <= 2 * 50'000);
          CHECK(pair.server.in().size() <= 20'000);
        }
        CHECK(pair.client.unsent() > 0);
        const std::uint64_t held = sent;
        CHECK(held < 64'000'000);
        std::uint64_t got = 0;
        while (got < held) {
          const auto read = co_await pair.server.read(later(self.now(), 5s));
          REQUIRE(read);
          REQUIRE_FALSE(read->empty());
          got += read->size();
          pair.server.take(read->size());
        }
        CHECK(got == held);
        CHECK(pair.client.unsent() == 0);
      },
      {.out_bytes = 50'000}, {.in_bytes = 20'000});
}

TEST_CASE("an actor that had no room hears when there is some again") {
  with_pair(
      [](Self<> self, Pair& pair) -> Task<> {
        const std::string piece(1'000, 'z');
        int waits = 0;
        std::uint64_t sent = 0;
        std::uint64_t got = 0;
        while (sent < 20'000'000) {
          while (sent < 20'000'000 && pair.client.out().append(bytes_of(piece))) sent += piece.size();
          co_await self.attend();
          ++waits;
          got += pair.server.in().size();
          pair.server.take(pair.server.in().size());
        }
        CHECK(waits < 100'000);
        while (got < sent) {
          const auto read = co_await pair.server.read();
          REQUIRE(read);
          got += read->size();
          pair.server.take(read->size());
        }
      },
      {.out_bytes = 2'500});
}

namespace {

/// A sender that waits by attend() alone.
struct Cutting {
  std::uint64_t bytes = 0;
  std::size_t piece = 0;
  std::size_t at_once = 0;  // no more between two waits, also if there is room
  ConnectionOptions options{};
};

Actor sends_cut(Self<PortIs> self, Cutting cut, int* words_lost) {
  const auto port = co_await self.receive();
  auto connecting = co_await Connection::connect(self, port->at, cut.options);
  REQUIRE(connecting);
  const std::vector<std::byte> letters(cut.piece, std::byte{'w'});
  for (std::uint64_t left = cut.bytes; left > 0 && *words_lost == 0;) {
    for (std::size_t put = 0; left > 0 && put + cut.piece <= cut.at_once && connecting->out().append(letters);) {
      put += cut.piece;
      left -= cut.piece;
    }
    if (left == 0) break;
    const Time patience = later(self.now(), 5s);
    co_await self.attend(patience);
    if (self.now() >= patience) ++*words_lost;
  }
  connecting->close_when_sent();
}

Actor counts_bytes(Self<> self, Address<PortIs> tell, std::uint64_t* got, ConnectionOptions options) {
  auto listener = Listener::open(self, Endpoint::loopback());
  REQUIRE(listener);
  tell.send(PortIs{listener->local()});
  auto socket = co_await listener->accept();
  REQUIRE(socket);
  auto connection = Connection::adopt(self, std::move(*socket), options);
  REQUIRE(connection);
  while (!connection->ended()) {
    co_await self.attend();
    *got += connection->in().size();
    connection->take(connection->in().size());
  }
}

}  // namespace

TEST_CASE("who waits for room by attending alone hears each time that bytes have left, however it cuts them") {
  constexpr std::size_t room = 64 * 1024;
  // Until there is no room for the next piece; and as a session that keeps to a share of it, so that there always is some.
  for (const std::size_t piece : {39u, 1'000u, 20'000u, 32'768u, 40'000u, 57'344u}) {
    for (const std::size_t at_once : {room / 8 + piece, room / 2, 4 * room}) {
      if (at_once < piece) continue;
      CAPTURE(piece);
      CAPTURE(at_once);
      const std::uint64_t bytes = piece * (15'000'000 / piece);
      std::uint64_t got = 0;
      int words_lost = 0;
      Runtime world(live(1));
      const auto sender = world.spawn(
          sends_cut, Cutting{.bytes = bytes, .piece = piece, .at_once = at_once, .options = {.out_bytes = room}},
          &words_lost);
      world.spawn(counts_bytes, Address<PortIs>(sender), &got, ConnectionOptions{.in_bytes = 16 * 1024});
      world.run();
      CHECK(words_lost == 0);
      CHECK(got == bytes);
    }
  }
}

TEST_CASE("bytes carry the time when the kernel took them, where that is asked for") {
  with_pair(
      [](Self<> self, Pair& pair) -> Task<> {
        const Time before = self.now();
        pair.client.out().append(bytes_of("when?"));
        const auto read = co_await pair.server.read();
        REQUIRE(read);
        const Time after = self.now();
        CHECK(pair.server.arrived() > before - 1ms);
        CHECK(pair.server.arrived() < after + 1ms);
      },
      {}, {.kernel_stamps = true});
}

TEST_CASE("a socket that its scheduler's end has closed says so, and its memory is safe") {
  std::atomic<std::uint16_t> port{0};
  Runtime world(live(1));
  Connection kept;
  auto keeps = [](Self<> self, Connection* out, std::atomic<std::uint16_t>* at) -> Actor {
    auto listener = Listener::open(self, Endpoint::loopback());
    REQUIRE(listener);
    auto connecting = co_await Connection::connect(self, listener->local());
    REQUIRE(connecting);
    *out = std::move(*connecting);
    at->store(listener->local().port());
    co_await self.attend();
  };
  world.spawn(keeps, &kept, &port);
  world.start();
  while (port.load() == 0) std::this_thread::yield();
  world.stop();
  world.join();
  CHECK(kept.ended());
  REQUIRE(kept.failure() != nullptr);
  CHECK(kept.failure()->code == ECANCELED);
  kept.out().append(bytes_of("nobody sends this"));
  kept = Connection();
}

TEST_CASE("a host's descriptor can be read when a socket has something, and not before") {
  RuntimeOptions options = live(1);
  options.hosted_schedulers = 1;
  Runtime world(options);
  std::atomic<std::uint16_t> port{0};
  world.spawn(echo, &port, 2);
  world.start();
  const auto readable = [&](int timeout_ms) {
    pollfd one{world.wake_fd(), POLLIN, 0};
    return ::poll(&one, 1, timeout_ms) == 1;
  };
  while (world.poll().worked()) {
  }
  CHECK(world.poll().idle());
  CHECK_FALSE(readable(0));

  std::thread strangers([&] {
    const Stranger one(Endpoint::loopback(port.load()));
    const Stranger two(Endpoint::loopback(port.load()));
    for (int i = 0; i < 100; ++i) {
      one.say("question");
      CHECK(one.hear(8) == "question");
      two.say("another one");
      CHECK(two.hear(11) == "another one");
    }
  });
  int waited = 0;
  for (Polled polled = world.poll(); !polled.ended(); polled = world.poll()) {
    if (!polled.idle()) continue;
    ++waited;
    CHECK(readable(10'000));
  }
  strangers.join();
  world.join();
  CHECK(waited > 0);
}

TEST_CASE("a host's thread that runs a scheduler serves its sockets, too") {
  RuntimeOptions options = live(1);
  options.hosted_schedulers = 1;
  Runtime world(options);
  std::atomic<std::uint16_t> port{0};
  world.spawn(echo, &port, 1);
  world.start();
  std::thread given([&] { world.run_scheduler(0); });
  while (port.load() == 0) std::this_thread::yield();
  {
    const Stranger one(Endpoint::loopback(port.load()));
    one.say("anybody there?");
    CHECK(one.hear(14) == "anybody there?");
  }
  given.join();
  world.join();
}

TEST_CASE("two runtimes in one process talk to each other over sockets") {
  Runtime one(live(1));
  Runtime two(live(1));
  std::atomic<std::uint16_t> port{0};
  std::string answer;
  one.spawn(echo, &port, 1);
  one.start();
  while (port.load() == 0) std::this_thread::yield();
  two.spawn(
      [](Self<> self, std::uint16_t at, std::string* got) -> Actor {
        auto connection = co_await Connection::connect(self, Endpoint::loopback(at));
        REQUIRE(connection);
        connection->out().append(bytes_of("to the other one"));
        const auto read = co_await connection->read();
        REQUIRE(read);
        *got = text_of(*read);
      },
      port.load(), &answer);
  two.run();
  one.join();
  CHECK(answer == "to the other one");
}

TEST_CASE("a thousand runtimes with sockets, one after the other") {
  for (int i = 0; i < 1'000; ++i) {
    RuntimeOptions options = live(1);
    options.idle = IdlePolicy::sleep;
    options.io.buffers = 8;
    Runtime world(options);
    bool played = false;
    world.spawn(
        [](Self<> self, bool* done) -> Actor {
          auto one = Datagrams::open(self, Endpoint::loopback(), {.in_packets = 4, .out_packets = 4});
          REQUIRE(one);
          one->send(bytes_of("to myself"), one->local());
          const auto packet = co_await one->receive();
          REQUIRE(packet);
          *done = text_of(packet->bytes) == "to myself";
        },
        &played);
    world.run();
    CHECK(played);
  }
}

TEST_CASE("a runtime without sockets has no ring, and the report says what one with sockets got") {
  Runtime plain(live(1));
  plain.spawn([](Self<>) -> Actor { co_return; });
  plain.run();
  for (const StartReport::Row& row : plain.start_report().rows) CHECK(row.what.find("ring") == std::string::npos);

  Runtime world(live(1));
  world.spawn([](Self<> self) -> Actor {
    auto one = Datagrams::open(self, Endpoint::loopback());
    REQUIRE(one);
    co_return;
  });
  world.run();
  int rows = 0;
  for (const StartReport::Row& row : world.start_report().rows) {
    if (row.what != "scheduler 0, ring") continue;
    ++rows;
    CHECK(row.asked == "deferred, many for one, registered files");
    CHECK_FALSE(row.obtained.empty());
  }
  CHECK(rows == 1);
}

TEST_CASE("packets to a group reach who has joined it, on the interface that was named") {
  Runtime world(live(1));
  world.spawn([](Self<> self) -> Actor {
    const Endpoint group = Endpoint::v4({239, 7, 7, 7}, 0);
    DatagramOptions joins;
    joins.group = group;
    joins.interface = "127.0.0.1";
    joins.reuse = true;
    joins.kernel_stamps = true;
    auto one = Datagrams::open(self, Endpoint(), joins);
    REQUIRE_MESSAGE(one, one.failure().text());
    auto two = Datagrams::open(self, Endpoint().with_port(one->local().port()), joins);
    REQUIRE_MESSAGE(two, two.failure().text());
    DatagramOptions stays_out;
    stays_out.reuse = true;
    auto stranger = Datagrams::open(self, Endpoint().with_port(one->local().port()), stays_out);
    REQUIRE(stranger);
    DatagramOptions sends;
    sends.interface = "127.0.0.1";
    auto publisher = Datagrams::open(self, Endpoint::loopback(), sends);
    REQUIRE(publisher);

    const Time before = self.now();
    CHECK(publisher->send(bytes_of("to all"), group.with_port(one->local().port())));
    const auto first = co_await one->receive(later(before, 2s));
    REQUIRE(first);
    CHECK(text_of(first->bytes) == "to all");
    CHECK(first->from == publisher->local());
    CHECK(first->arrived > before - 1ms);
    const auto second = co_await two->receive(later(before, 2s));
    REQUIRE(second);
    CHECK_FALSE(stranger->next());
  });
  world.run();
}

TEST_CASE("packets that are too large are counted and left out, those to be sent and those that came") {
  Runtime world(live(1));
  world.spawn([](Self<> self) -> Actor {
    auto small = Datagrams::open(self, Endpoint::loopback(), {.in_packets = 4, .packet_bytes = 100});
    auto large = Datagrams::open(self, Endpoint::loopback(), {.out_packets = 8});
    REQUIRE(small);
    REQUIRE(large);
    CHECK_FALSE(small->send(bytes_of(std::string(101, 'x')), large->local()));
    CHECK(small->unsendable() == 1);
    CHECK(large->send(bytes_of(std::string(101, 'x')), small->local()));
    CHECK(large->send(bytes_of("fits"), small->local()));
    const auto packet = co_await small->receive(later(self.now(), 2s));
    REQUIRE(packet);
    CHECK(text_of(packet->bytes) == "fits");
    CHECK(small->dropped() == 1);

    // More than there are places: the system keeps the rest, and they come when there is room again.
    for (int i = 0; i < 8; ++i) CHECK(large->send(bytes_of(std::to_string(i)), small->local()));
    CHECK_FALSE(large->send(bytes_of("no place"), small->local()));
    for (int i = 0; i < 8; ++i) {
      const auto next = co_await small->receive(later(self.now(), 2s));
      REQUIRE(next);
      CHECK(text_of(next->bytes) == std::to_string(i));
    }
  });
  world.run();
}

TEST_CASE("endpoints are read and written as people write them") {
  for (const std::string text : {"127.0.0.1:7001", "239.1.2.3:31001", "[::1]:7001", "0.0.0.0:0", "[fe80::1]:65535"}) {
    const auto endpoint = Endpoint::parse(text);
    REQUIRE(endpoint);
    CHECK(endpoint->text() == text);
  }
  for (const char* text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", ":7001", "localhost:7001", "::1:7001",
                           "[127.0.0.1]:1", "127.0.0.1:7001x", "1.2.3:4", "[::1]", "127.0.0.1:-1"}) {
    CAPTURE(text);
    CHECK_FALSE(Endpoint::parse(text));
  }
  CHECK(Endpoint::parse("239.1.2.3:1")->is_multicast());
  CHECK(Endpoint::parse("[ff02::1]:1")->is_multicast());
  CHECK(Endpoint::parse("[::1]:1")->is_loopback());
  CHECK_FALSE(Endpoint::parse("10.0.0.1:1")->is_loopback());
}

TEST_CASE("packets that are not wanted wake nobody and are counted") {
  Runtime world(live(1));
  world.spawn([](Self<> self) -> Actor {
    DatagramOptions options;
    options.in_packets = 4;
    options.wanted = with_bytes(0, bytes_of("SESSION001"));
    auto feed = Datagrams::open(self, Endpoint::loopback(), options);
    auto publisher = Datagrams::open(self, Endpoint::loopback());
    REQUIRE(feed);
    REQUIRE(publisher);
    for (int i = 0; i < 20; ++i) {
      CHECK(publisher->send(bytes_of("SESSION00" + std::to_string(i % 2) + " " + std::to_string(i)), feed->local()));
      CHECK(publisher->send(bytes_of("SESSION"), feed->local()));
    }
    for (int i = 1; i < 20; i += 2) {
      const auto packet = co_await feed->receive(later(self.now(), 2s));
      REQUIRE(packet);
      CHECK(text_of(packet->bytes) == "SESSION001 " + std::to_string(i));
    }
    publisher->send(bytes_of("SESSION002"), feed->local());
    const auto none = co_await feed->receive(later(self.now(), 20ms));
    CHECK_FALSE(none);
    CHECK(feed->filtered() == 31);
  });
  world.run();
}

TEST_CASE("a packet stays as long as somebody holds it, also when its socket has gone") {
  for (const bool many : {true, false}) {
    RuntimeOptions options = live(1);
    options.io.many = many;
    Runtime world(options);
    world.spawn([](Self<> self) -> Actor {
      auto feed = Datagrams::open(self, Endpoint::loopback(), {.in_packets = 2});
      auto publisher = Datagrams::open(self, Endpoint::loopback());
      REQUIRE(feed);
      REQUIRE(publisher);
      for (int i = 0; i < 6; ++i) CHECK(publisher->send(bytes_of("packet " + std::to_string(i)), feed->local()));
      std::vector<PacketBuffer> kept;
      for (int i = 0; i < 2; ++i) {
        const auto packet = co_await feed->receive(later(self.now(), 2s));
        REQUIRE(packet);
        kept.push_back(feed->keep());
        kept.push_back(kept.back());
      }
      CHECK(kept[0].holders() == 2);
      // Both places are held: the others wait with the system.
      const auto none = co_await feed->receive(later(self.now(), 5ms));
      CHECK_FALSE(none);
      CHECK(text_of(kept[1].bytes()) == "packet 0");
      CHECK(text_of(kept[3].bytes()) == "packet 1");
      CHECK(kept[3].from() == publisher->local());
      kept.resize(1);
      for (int i = 2; i < 6; ++i) {
        const auto packet = co_await feed->receive(later(self.now(), 2s));
        REQUIRE(packet);
        CHECK(text_of(packet->bytes) == "packet " + std::to_string(i));
      }
      feed->close();
      CHECK(text_of(kept[0].bytes()) == "packet 0");
    });
    world.run();
  }
}

TEST_CASE("one packet goes to two receivers from where it lies, behind a head of each its own") {
  Runtime world(live(1));
  world.spawn([](Self<> self) -> Actor {
    auto one = Datagrams::open(self, Endpoint::loopback());
    auto two = Datagrams::open(self, Endpoint::loopback());
    auto publisher = Datagrams::open(self, Endpoint::loopback());
    REQUIRE(one);
    REQUIRE(two);
    REQUIRE(publisher);
    auto pool = std::make_unique<PacketPool>(1, 64);
    PacketBuffer body = pool->take();
    REQUIRE(body);
    CHECK_FALSE(pool->take());
    REQUIRE(body.fill(bytes_of("the same bytes")));
    CHECK(publisher->send(body, one->local(), bytes_of("A: ")));
    CHECK(publisher->send(body, two->local()));
    CHECK(body.holders() == 3);
    body = PacketBuffer();
    const auto first = co_await one->receive(later(self.now(), 2s));
    REQUIRE(first);
    CHECK(text_of(first->bytes) == "A: the same bytes");
    const auto second = co_await two->receive(later(self.now(), 2s));
    REQUIRE(second);
    CHECK(text_of(second->bytes) == "the same bytes");
    while (publisher->unsent() > 0) co_await self.yield();
    CHECK(pool->free() == 1);
    body = pool->take();
    pool.reset();
    CHECK(body.fill(bytes_of("outlives its pool")));
  });
  world.run();
}
