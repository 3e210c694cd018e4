// What an echo allocates once it is warm: this program counts every operator new.
#include "scenario.hpp"

#include <outcry/runtime/connection.hpp>
#include <outcry/runtime/listener.hpp>

#include "tests/counted_allocations.hpp"

using namespace scenario;
using outcry_test::allocations;

namespace {

constexpr std::int64_t warm_up = 10'000;
constexpr std::int64_t messages = 1'000'000;

struct Small {
  std::int64_t number;
  char rest[24];
};

Actor echoes(Self<> self, Listener* listener) {
  auto socket = co_await listener->accept();
  REQUIRE(socket);
  auto adopted = Connection::adopt(self, std::move(*socket));
  REQUIRE(adopted);
  Connection& connection = *adopted;
  while (!connection.ended()) {
    co_await self.attend();
    const std::size_t fitting = std::min(connection.in().size(), connection.out().room());
    connection.out().append(connection.in().first(fitting));
    connection.take(fitting);
  }
}

Actor counts(Self<> self, std::int64_t* allocated) {
  auto listener = Listener::open(self, Endpoint::loopback());
  REQUIRE(listener);
  self.spawn(echoes, &*listener);
  auto connecting = co_await Connection::connect(self, listener->local());
  REQUIRE(connecting);
  Connection& connection = *connecting;
  std::int64_t sent = 0;
  std::int64_t came = 0;
  std::int64_t before = -1;
  while (came < warm_up + messages) {
    for (int i = 0; i < 50 && sent < warm_up + messages; ++i) {
      const Small message{sent, {}};
      if (!connection.out().append(std::as_bytes(std::span(&message, 1)))) break;
      ++sent;
    }
    co_await self.attend();
    while (connection.in().size() >= sizeof(Small)) {
      Small message;
      std::memcpy(&message, connection.in().data(), sizeof message);
      if (message.number != came) FAIL("an echo out of order");
      connection.take(sizeof message);
      if (++came == warm_up) before = allocations.load();
    }
  }
  *allocated = allocations.load() - before;
}

}  // namespace

TEST_CASE("an echo of a million small messages over TCP allocates nothing once it is warm") {
  Runtime world(live(1));
  std::int64_t allocated = -1;
  world.spawn(counts, &allocated);
  world.run();
  CHECK(allocated == 0);
}
