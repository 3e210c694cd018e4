// The registry: actors by name.
#include <outcry/runtime/registry.hpp>

#include "scenario.hpp"

using namespace scenario;

namespace {

struct Order {
  std::int64_t price = 0;
};
struct Depth {
  using Reply = Number;
  std::int64_t levels = 0;
};

Actor book(Self<Order, Ask<Depth>> self, Events* events) {
  for (;;) {
    const auto message = co_await self.receive();
    if (!message) break;
    if (const auto* order = std::get_if<Order>(&*message)) events->push_back("order " + std::to_string(order->price));
    if (const auto* ask = std::get_if<Ask<Depth>>(&*message)) ask->reply(Number{ask->query.levels});
  }
}

/// Names itself and waits for its end.
Actor named(Self<Number> self, Registry registry, std::string name, Events* events) {
  auto claiming = registry.claim(name, self.address());
  const bool mine = co_await claiming;
  events->push_back(mine ? "named " + name : name + " is taken");
  while (auto number = co_await self.receive()) events->push_back(name + " took " + std::to_string(number->value));
}

template <class... Ms>
Task<std::string> look_up(Registry registry, std::string name) {
  auto finding = registry.find<Ms...>(name, 1s);
  const auto found = co_await finding;
  if (found) co_return "found " + name;
  co_return found.why();
}

Actor looks_up(Self<> self, Registry registry, std::vector<std::pair<Duration, std::string>> moments, Events* events) {
  for (const auto& [moment, name] : moments) {
    co_await self.sleep(moment);
    auto looking = look_up<Number>(registry, name);
    const std::string line = co_await looking;
    events->push_back(line);
  }
}

}  // namespace

TEST_CASE("an actor is found by its name, for all or some of the messages that it takes") {
  for (const bool virtually : {true, false}) {
    RuntimeOptions options = virtually ? simulation(2) : live(2);
    options.latency.between_sites = Duration(50);
    Runtime world(options);
    Events events;
    Events booked;
    const Registry registry(world);
    const auto address = world.spawn({.site = 1}, book, &booked);
    registry.announce("book", address);
    world.spawn(
        {.site = virtually ? 0u : 1u},
        [](Self<> self, Registry all, Events* list) -> Actor {
          co_await self.sleep(1ms);
          auto finding = all.find<Ask<Depth>>("book");
          const auto found = co_await finding;
          auto asking = found->ask(Depth{5});
          const auto answer = co_await asking;
          list->push_back("depth " + std::to_string(answer->value));
          auto finding_both = all.find<Order, Ask<Depth>>("book");
          const auto both = co_await finding_both;
          both->send(Order{101});
          both->stop();
        },
        registry, &events);
    world.run();
    CHECK(events == Events{"depth 5"});
    CHECK(booked == Events{"order 101"});
  }
}

TEST_CASE("a look-up for messages that the actor does not take says what it takes, and one for nobody says so") {
  Runtime world(simulation());
  Events events;
  Events booked;
  const Registry registry(world);
  registry.announce("book", world.spawn(book, &booked));
  world.spawn(
      [](Self<> self, Registry all, Events* list) -> Actor {
        auto wrong = look_up<Order, Number>(all, "book");
        list->push_back(co_await wrong);
        auto unknown = look_up<Order>(all, "boock");
        list->push_back(co_await unknown);
        self.address().stop();
        all.actor().kill();
        auto dead = look_up<Order>(all, "book");
        list->push_back(co_await dead);
      },
      registry, &events);
  world.run();
  REQUIRE(events.size() == 3);
  CHECK(events[0].find("'book' takes ") == 0);
  CHECK(events[0].find("Order and ") != std::string::npos);
  CHECK(events[0].find("Depth") != std::string::npos);
  CHECK(events[0].find("Number") > events[0].find(", not "));
  CHECK(events[1] == "no actor is named 'boock'");
  CHECK(events[2] == "the registry did not say who is 'book'");
}

TEST_CASE("a name is one actor's until it ends, and then another's") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    const Registry registry(world);
    const auto first = world.spawn(named, registry, std::string("spread"), &events);
    world.spawn(
        [](Self<> self, Registry all, AnyAddress holder, Events* list) -> Actor {
          co_await self.sleep(1ms);
          const auto second = self.spawn(named, all, std::string("spread"), list);
          co_await self.sleep(1ms);
          holder.kill();
          second.stop();
          co_await self.sleep(1ms);
          const auto third = self.spawn(named, all, std::string("spread"), list);
          co_await self.sleep(1ms);
          auto finding = all.find<Number>("spread");
          const auto found = co_await finding;
          found->send(Number{4});
          third.stop();
        },
        registry, AnyAddress(first), &events);
    world.run();
    CHECK(events == Events{"named spread", "spread is taken", "named spread", "spread took 4"});
  }
}

TEST_CASE("the end of an actor frees the name only if the name is still its own") {
  Runtime world(simulation());
  Events events;
  const Registry registry(world);
  const auto first = world.spawn(named, registry, std::string("one"), &events);
  const auto second = world.spawn(named, registry, std::string("two"), &events);
  world.run_until(time_from_ns(10));
  registry.announce("one", second);
  world.run_until(time_from_ns(20));
  first.stop();
  world.spawn(looks_up, registry,
              std::vector<std::pair<Duration, std::string>>{{Duration(10), "one"}, {Duration(0), "two"}}, &events);
  world.run_until(time_from_ns(100));
  second.stop();
  registry.forget("nobody");
  world.spawn(looks_up, registry,
              std::vector<std::pair<Duration, std::string>>{{Duration(10), "one"}, {Duration(0), "two"}}, &events);
  world.run();
  CHECK(events == Events{"named one", "named two", "found one", "found two", "no actor is named 'one'",
                         "no actor is named 'two'"});
}

TEST_CASE("a name has 1 to 31 characters") {
  CHECK_THROWS_WITH(ActorName(""), "an actor's name has 1 to 31 characters, not 0: ''");
  CHECK_THROWS_AS(ActorName("a name of more than thirty-one letters"), std::invalid_argument);
  CHECK(ActorName("a name of thirty-one characters").view() == "a name of thirty-one characters");
}
