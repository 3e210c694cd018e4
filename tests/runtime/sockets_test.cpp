// Sockets over loopback: listeners, connections, datagrams, and the actors that attend to them.
#include "scenario.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include <outcry/runtime/connection.hpp>
#include <outcry/runtime/datagrams.hpp>
#include <outcry/runtime/listener.hpp>
#include <outcry/runtime/stop_token.hpp>

using namespace scenario;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct PortIs {
  Endpoint at;
};

/// Echoes what comes on one connection after the other, until the peer ends.
Actor echo(Self<> self, Address<PortIs> tell, int connections) {
  auto listener = Listener::open(self, Endpoint::loopback());
  REQUIRE(listener);
  tell.send(PortIs{listener->local()});
  for (int i = 0; i < connections; ++i) {
    auto socket = co_await listener->accept();
    REQUIRE(socket);
    auto adopted = Connection::adopt(self, std::move(*socket));
    REQUIRE(adopted);
    Connection& connection = *adopted;
    while (!connection.ended()) {
      co_await self.attend();
      connection.out().append(connection.in());
      connection.take(connection.in().size());
    }
    connection.close_when_sent();
  }
}

Actor asks_echo(Self<PortIs> self, std::string text, std::string* answer) {
  auto port = co_await self.receive();
  auto connecting = co_await Connection::connect(self, port->at);
  REQUIRE(connecting);
  Connection connection = std::move(*connecting);
  CHECK(connection.peer() == port->at);
  CHECK(connection.local().is_loopback());
  const auto written = co_await connection.write(bytes_of(text));
  REQUIRE(written);
  connection.close_when_sent();
  for (;;) {
    const auto read = co_await connection.read();
    REQUIRE(read);
    if (read->empty()) break;
    *answer += text_of(*read);
    connection.take(read->size());
  }
}

}  // namespace

TEST_CASE("what is sent to an echo over TCP comes back, and the end of it, too") {
  for (const std::uint32_t schedulers : {1u, 2u}) {
    for (const IdlePolicy idle : {IdlePolicy::sleep, IdlePolicy::spin_then_sleep}) {
      CAPTURE(schedulers);
      RuntimeOptions options = live(schedulers);
      options.idle = idle;
      Runtime world(options);
      std::string answer;
      auto client = world.spawn({.site = 0}, asks_echo, std::string("sixty-four shares of it"), &answer);
      world.spawn({.site = schedulers - 1}, echo, Address<PortIs>(client), 1);
      world.run();
      CHECK(answer == "sixty-four shares of it");
    }
  }
}

TEST_CASE("datagrams arrive whole, with their sender, and answers go back there") {
  Runtime world(live(1));
  int taken = 0;
  std::string last;
  auto server = [](Self<> self, Address<PortIs> tell, int count, int* got) -> Actor {
    auto socket = Datagrams::open(self, Endpoint::loopback());
    REQUIRE(socket);
    tell.send(PortIs{socket->local()});
    while (*got < count) {
      co_await self.attend();
      while (const auto packet = socket->next()) {
        ++*got;
        CHECK(packet->from.is_loopback());
        CHECK(socket->send(packet->bytes, packet->from));
      }
    }
    while (socket->unsent() > 0) co_await self.yield();
  };
  auto client = [](Self<PortIs> self, int count, std::string* answer) -> Actor {
    auto port = co_await self.receive();
    auto socket = Datagrams::open(self, Endpoint::loopback());
    REQUIRE(socket);
    for (int i = 0; i < count; ++i) {
      socket->send(bytes_of("packet " + std::to_string(i)), port->at);
      const auto packet = co_await socket->receive();
      REQUIRE(packet);
      CHECK(packet->from == port->at);
      *answer = text_of(packet->bytes);
      CHECK(*answer == "packet " + std::to_string(i));
    }
  };
  auto asking = world.spawn(client, 100, &last);
  world.spawn(server, Address<PortIs>(asking), 100, &taken);
  world.run();
  CHECK(taken == 100);
  CHECK(last == "packet 99");
}

TEST_CASE("a simulation has no sockets") {
  Runtime world(simulation());
  bool refused = false;
  world.spawn(
      [](Self<> self, bool* threw) -> Actor {
        try {
          static_cast<void>(Listener::open(self, Endpoint::loopback()));
        } catch (const std::logic_error&) {
          *threw = true;
        }
        co_return;
      },
      &refused);
  world.run();
  CHECK(refused);
}

namespace {

struct Handover {
  Handover() = default;
  Handover(Socket given, std::vector<std::byte> bytes) : socket(std::move(given)), unread(std::move(bytes)) {}
  Socket socket;
  std::vector<std::byte> unread;
};

/// Takes a little at a time, now and then, from buffers that are small.
Actor reads_slowly(Self<> self, Address<PortIs> tell, std::string* all, ConnectionOptions options) {
  auto listener = Listener::open(self, Endpoint::loopback());
  REQUIRE(listener);
  tell.send(PortIs{listener->local()});
  auto socket = co_await listener->accept();
  REQUIRE(socket);
  auto connection = Connection::adopt(self, std::move(*socket), options);
  REQUIRE(connection);
  for (;;) {
    const auto read = co_await connection->read();
    REQUIRE(read);
    if (read->empty()) break;
    const std::size_t some = std::min<std::size_t>(read->size(), 1'000 + all->size() % 3'000);
    *all += text_of(read->first(some));
    connection->take(some);
    co_await self.yield();
  }
}

Actor writes(Self<PortIs> self, std::string text, ConnectionOptions options) {
  auto port = co_await self.receive();
  auto connecting = co_await Connection::connect(self, port->at, options);
  REQUIRE(connecting);
  const auto written = co_await connecting->write(bytes_of(text), later(self.now(), 20s));
  CHECK(written);
  connecting->close_when_sent();
}

std::string numbers(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += std::to_string(i) + ",";
  return text;
}

}  // namespace

TEST_CASE("a million bytes through small buffers arrive whole and in order") {
  const std::string text = numbers(1'000'000);
  for (const std::size_t in : {100u, 5'000u, 65'536u}) {
    for (const std::size_t out : {777u, 262'144u}) {
      CAPTURE(in);
      CAPTURE(out);
      Runtime world(live(1));
      std::string all;
      auto writer = world.spawn(writes, text, ConnectionOptions{.out_bytes = out});
      world.spawn(reads_slowly, Address<PortIs>(writer), &all, ConnectionOptions{.in_bytes = in});
      world.run();
      CHECK(all == text);
    }
  }
}

TEST_CASE("a connection goes on on another scheduler, with what was read and not taken") {
  Runtime world(live(2));
  auto takes_over = [](Self<Handover> self) -> Actor {
    auto given = co_await self.receive();
    auto connection = Connection::adopt(self, std::move(given->socket));
    REQUIRE(connection);
    CHECK(text_of(given->unread) == "one");
    const auto two = co_await connection->read();
    REQUIRE(two);
    CHECK(text_of(*two) == "two");
    connection->out().append(bytes_of("three"));
    connection->close_when_sent();
  };
  auto accepts = [](Self<> self, Address<PortIs> tell, Address<Handover> to) -> Actor {
    auto listener = Listener::open(self, Endpoint::loopback());
    REQUIRE(listener);
    tell.send(PortIs{listener->local()});
    auto socket = co_await listener->accept();
    auto connection = Connection::adopt(self, std::move(*socket));
    REQUIRE(connection);
    const auto one = co_await connection->read();
    REQUIRE(one);
    connection->out().append(bytes_of("got it"));
    std::vector<std::byte> unread;
    auto released = co_await connection->release(unread);
    REQUIRE(released);
    CHECK_FALSE(*connection);
    Handover handover(std::move(*released), std::move(unread));
    co_await to.send(std::move(handover));
  };
  std::string answer;
  auto asks = [](Self<PortIs> self, std::string* got) -> Actor {
    auto port = co_await self.receive();
    auto connection = co_await Connection::connect(self, port->at);
    REQUIRE(connection);
    connection->out().append(bytes_of("one"));
    const auto first = co_await connection->read();
    REQUIRE(first);
    CHECK(text_of(*first) == "got it");
    connection->take(first->size());
    connection->out().append(bytes_of("two"));
    const auto second = co_await connection->read();
    REQUIRE(second);
    *got = text_of(*second);
  };
  auto client = world.spawn({.scheduler = 0}, asks, &answer);
  auto other = world.spawn({.scheduler = 1}, takes_over);
  world.spawn({.scheduler = 0}, accepts, Address<PortIs>(client), Address<Handover>(other));
  world.run();
  CHECK(answer == "three");
}

TEST_CASE("an actor that attends hears of messages, of its sockets, of the time and of a stop") {
  Runtime world(live(1));
  Events events;
  auto attends = [](Self<Number> self, Events* seen) -> Actor {
    auto one = Datagrams::open(self, Endpoint::loopback());
    auto two = Datagrams::open(self, Endpoint::loopback());
    REQUIRE(one);
    REQUIRE(two);
    auto note = [&] {
      self.take().each([&](Number number) { seen->push_back("message " + std::to_string(number.value)); });
      while (const auto packet = two->next()) seen->push_back("packet " + text_of(packet->bytes));
      if (self.stopping()) seen->push_back("stop");
    };
    one->send(bytes_of("a"), two->local());
    co_await self.attend();
    note();
    self.address().send(Number{7});
    co_await self.attend();
    note();
    const Time soon = later(self.now(), 2ms);
    co_await self.attend(soon);
    note();
    CHECK(self.now() >= soon);
    seen->push_back("time");
    self.address().stop();
    co_await self.attend();
    note();
    self.address().send(Number{8});
    co_await self.attend(later(self.now(), 1s));
    note();
  };
  world.spawn(attends, &events);
  world.run();
  CHECK(events == Events{"packet a", "message 7", "time", "stop", "message 8", "stop"});
}

TEST_CASE("awaits on sockets end at their time, and with a stop token") {
  Runtime world(live(1));
  world.spawn([](Self<> self) -> Actor {
    auto listener = Listener::open(self, Endpoint::loopback());
    REQUIRE(listener);
    const auto none = co_await listener->accept(later(self.now(), 1ms));
    REQUIRE_FALSE(none);
    CHECK(none.failure().code == ETIMEDOUT);
    std::stop_source source;
    source.request_stop();
    const auto cancelled = co_await until_stopped(source.get_token(), listener->accept());
    REQUIRE_FALSE(cancelled);
    CHECK(cancelled.failure().code == ECANCELED);

    auto connected = co_await Connection::connect(self, listener->local());
    REQUIRE(connected);
    const auto nothing = co_await connected->read(later(self.now(), 1ms));
    REQUIRE_FALSE(nothing);
    CHECK(nothing.failure().code == ETIMEDOUT);
    CHECK(nothing.failure().text() == "read: Connection timed out");
    auto accepted = co_await listener->accept();
    REQUIRE(accepted);
  });
  world.spawn([](Self<> self) -> Actor {
    const auto refused = co_await Connection::connect(self, Endpoint::loopback(1));
    REQUIRE_FALSE(refused);
    CHECK(refused.failure().code == ECONNREFUSED);
    CHECK(refused.failure().text() == "connect: Connection refused");
  });
  world.run();
}

TEST_CASE("runtimes end at any moment with sockets at work") {
  for (int i = 0; i < 100; ++i) {
    Runtime world(live(2));
    std::string answer;
    auto client = world.spawn([](Self<PortIs> self) -> Actor {
      auto port = co_await self.receive();
      auto connection = co_await Connection::connect(self, port->at);
      REQUIRE(connection);
      for (;;) {
        connection->out().append(bytes_of("more and more"));
        co_await self.attend();
        connection->take(connection->in().size());
      }
    });
    world.spawn({.site = 1}, echo, Address<PortIs>(client), 1);
    world.start();
    const Time until = later(Scheduler::clock_now(), std::chrono::microseconds(i % 2 * i * 20));
    while (Scheduler::clock_now() < until) std::this_thread::yield();
    if (i % 3 == 0) client.kill();
  }
}

TEST_CASE("an actor that attends plays the same in every simulation, on any number of schedulers") {
  std::set<std::uint64_t> digests;
  for (const std::uint32_t schedulers : {1u, 2u, 4u}) {
    RuntimeOptions options = simulation(schedulers);
    options.latency = {.within_site = 5us, .between_sites = 20us, .jitter = 3us};
    Runtime world(options);
    std::int64_t sum = 0;
    auto attends = [](Self<Number> self, std::int64_t* total) -> Actor {
      Time next = later(self.now(), 100us);
      while (!self.stopping()) {
        co_await self.attend(next);
        self.take(3).each([&](Number number) { *total += number.value; });
        if (self.now() >= next) next = later(next, 100us);
      }
      self.take().each([&](Number number) { *total += number.value; });
    };
    auto sends = [](Self<> self, Address<Number> to) -> Actor {
      for (std::int64_t i = 1; i <= 200; ++i) {
        co_await self.sleep(Duration(self.random().below(20'000)));
        to.send(Number{i});
      }
      co_await self.sleep(1ms);
      to.stop();
    };
    auto to = world.spawn({.site = 3}, attends, &sum);
    for (std::uint32_t site = 0; site < 3; ++site) world.spawn({.site = site}, sends, Address<Number>(to));
    world.run();
    CHECK(sum > 0);
    digests.insert(mix64(world.digest(), static_cast<std::uint64_t>(sum)));
  }
  CHECK(digests.size() == 1);
}

TEST_CASE("schedulers that sleep in their rings are woken by every message, and by their timers") {
  for (const IoMode mode : {IoMode::sleep, IoMode::kernel_polled}) {
    RuntimeOptions options = live(2);
    options.idle = IdlePolicy::sleep;
    options.io.mode = mode;
    Runtime world(options);
    auto returns = [](Self<Number> self, std::vector<Address<Number>>* others, std::size_t other, bool serves,
                      std::int64_t* last) -> Actor {
      auto socket = Datagrams::open(self, Endpoint::loopback());  // so that there is a ring to sleep in
      REQUIRE(socket);
      if (serves) (*others)[other].send(Number{0});
      const Time patience = later(self.now(), 30s);
      while (*last < 5'000) {
        auto number = co_await self.receive_until(patience);
        REQUIRE(number);
        *last = number->value + 1;
        (*others)[other].send(Number{*last});
        if (*last % 1'000 == 0) co_await self.sleep(1ms);
      }
    };
    std::vector<Address<Number>> both(2);
    std::int64_t last[2] = {0, 0};
    both[0] = world.spawn({.scheduler = 0}, returns, &both, std::size_t{1}, true, &last[0]);
    both[1] = world.spawn({.scheduler = 1}, returns, &both, std::size_t{0}, false, &last[1]);
    world.run();
    CHECK(std::max(last[0], last[1]) >= 5'000);
    CHECK(world.counters().parks > 0);
    CHECK(world.counters().wakes > 0);
  }
}
