// Scopes: tasks and child actors that end with their owner's block.
#include <outcry/runtime/scope.hpp>

#include "scenario.hpp"

#include <stdexcept>

#include <outcry/runtime/stop_token.hpp>

using namespace scenario;

namespace {

struct Mourner {
  Events* events;
  std::string name;
  ~Mourner() { events->push_back(name + " is gone"); }
};

Task<std::int64_t> squares(Self<> self, std::int64_t value, Duration takes) {
  co_await self.sleep(takes);
  if (value < 0) throw std::runtime_error("no square of " + std::to_string(value));
  co_return value* value;
}

Task<> rests(Self<> self, std::string name, Duration takes, Events* events) {
  const Mourner mourner{events, name};
  co_await self.sleep(takes);
  events->push_back(name + " has rested");
}

Actor bystander(Self<Number> self, Events* events) {
  const Mourner mourner{events, "bystander"};
  const auto number = co_await self.receive();
  if (number) throw std::runtime_error("the bystander failed");
}

Actor awaits_two(Self<> self, Events* events) {
  Scope scope(self);
  auto slow = scope.start(squares, std::int64_t{3}, Duration(40));
  auto fast = scope.start(squares, std::int64_t{4}, Duration(10));
  const std::int64_t first = co_await slow;
  events->push_back(at(self.now()) + " " + std::to_string(first));
  const std::int64_t second = co_await fast;
  events->push_back(at(self.now()) + " " + std::to_string(second));
}

Actor joins(Self<> self, Events* events) {
  Scope scope(self);
  for (int i = 1; i <= 3; ++i) scope.start(rests, "task " + std::to_string(i), Duration(10 * i), events);
  co_await scope.join();
  events->push_back(at(self.now()) + " joined");
}

Actor joins_a_failure(Self<> self, Events* events) {
  Scope scope(self);
  scope.start(rests, std::string("long"), Duration(1h), events);
  scope.start(squares, std::int64_t{-3}, Duration(20));
  try {
    co_await scope.join();
  } catch (const std::exception& exception) {
    events->push_back(at(self.now()) + " " + exception.what());
  }
}

Actor leaves_early(Self<Number> self, Events* events) {
  {
    Scope scope(self);
    scope.start(rests, std::string("task"), Duration(1h), events);
    scope.spawn({.name = "child"}, bystander, events);
    co_await self.sleep(Duration(10));
    events->push_back("leaves");
  }
  events->push_back("has left");
  co_await self.sleep(Duration(10));
  events->push_back("goes on");
}

Actor killed_with_scope(Self<Number> self, Events* events) {
  const Mourner mourner{events, "owner"};
  Scope scope(self);
  scope.start(rests, std::string("task"), Duration(1h), events);
  scope.spawn({.name = "child"}, bystander, events);
  co_await self.receive();
}

Actor child_fails(Self<Number> self, Events* events) {
  const Mourner mourner{events, "owner"};
  Scope scope(self);
  auto child = scope.spawn({.name = "child"}, bystander, events);
  child.send(Number{1});
  co_await self.receive();
  events->push_back("too long alive");
}

Actor needs_all(Self<> self, std::int64_t second, Events* events) {
  const auto one = [](Self<> me) { return squares(me, 3, Duration(30)); };
  const auto two = [second](Self<> me) { return squares(me, second, Duration(10)); };
  const auto three = [events](Self<> me) { return rests(me, "third", Duration(20), events); };
  try {
    auto all = when_all(self, one, two, three);
    const auto values = co_await all;
    events->push_back(at(self.now()) + " " + std::to_string(std::get<0>(values)) + " " +
                      std::to_string(std::get<1>(values)));
  } catch (const std::exception& exception) {
    events->push_back(at(self.now()) + " " + exception.what());
  }
}

Actor needs_any(Self<> self, Events* events) {
  const auto slow = [events](Self<> me) { return rests(me, "slow", Duration(1h), events); };
  const auto fast = [](Self<> me) { return squares(me, 5, Duration(10)); };
  auto any = when_any(self, slow, fast);
  const auto first = co_await any;
  events->push_back(at(self.now()) + " task " + std::to_string(first.index) + " gave " +
                    std::to_string(std::get<1>(first.value)));
}

Task<> obeys(Self<> self, std::stop_token token, Events* events) {
  const bool rested = co_await until_stopped(token, self.sleep(1h));
  events->push_back(at(self.now()) + (rested ? " rested" : " came to an end"));
}

Actor asks_to_stop(Self<> self, Events* events) {
  Scope scope(self);
  scope.start(obeys, scope.token(), events);
  scope.start(obeys, scope.token(), events);
  co_await self.sleep(Duration(10));
  scope.request_stop();
  co_await scope.join();
  events->push_back("joined");
}

Actor impatient(Self<> self, std::stop_source* source, Events* events) {
  Scope scope(self);
  scope.start(rests, std::string("task"), Duration(50), events);
  auto joining = scope.join();
  const bool joined = co_await until_stopped(source->get_token(), joining);
  events->push_back(at(self.now()) + (joined ? " joined" : " would not wait"));
  co_await scope.join();
  events->push_back(at(self.now()) + " joined");
}

Task<std::int64_t> tree(Self<> self, int depth) {
  if (depth == 0) {
    co_await self.yield();
    co_return 1;
  }
  Scope scope(self);
  auto left = scope.start(tree, depth - 1);
  auto right = scope.start(tree, depth - 1);
  const std::int64_t a = co_await left;
  const std::int64_t b = co_await right;
  co_return a + b;
}

}  // namespace

TEST_CASE("an owner has what its tasks give, in whichever order they end") {
  Runtime world(simulation());
  Events events;
  world.spawn(awaits_two, &events);
  world.run();
  CHECK(events == Events{"40 9", "40 16"});
}

TEST_CASE("a join waits for every task, and a failure among them ends the others and comes to the owner") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live());
    Events joined;
    Events failed;
    world.spawn(joins, &joined);
    world.spawn(joins_a_failure, &failed);
    world.run();
    REQUIRE(joined.size() == 7);
    REQUIRE(failed.size() == 2);
    if (virtually) {
      CHECK(joined == Events{"task 1 has rested", "task 1 is gone", "task 2 has rested", "task 2 is gone",
                             "task 3 has rested", "task 3 is gone", "30 joined"});
      CHECK(failed == Events{"long is gone", "20 no square of -3"});
    }
    CHECK(world.counters().failures == 0);
    CHECK(world.actors() == 0);
  }
}

TEST_CASE("whoever leaves a scope leaves nobody behind, and goes on") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    world.spawn(leaves_early, &events);
    world.run();
    CHECK(events == Events{"leaves", "bystander is gone", "task is gone", "has left", "goes on"});
    CHECK(world.actors() == 0);
  }
}

TEST_CASE("the tasks and actors of a scope end with their owner when it is killed") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto owner = world.spawn(killed_with_scope, &events);
    world.spawn(
        [](Self<> self, AnyAddress to) -> Actor {
          co_await self.sleep(1ms);
          to.kill();
        },
        AnyAddress(owner));
    world.run();
    CHECK(events == Events{"bystander is gone", "task is gone", "owner is gone"});
    CHECK(world.actors() == 0);
  }
}

TEST_CASE("an actor of a scope that fails ends the owner") {
  Runtime world(simulation());
  Events events;
  world.spawn(child_fails, &events);
  world.run();
  CHECK(events == Events{"bystander is gone", "owner is gone"});
}

TEST_CASE("when_all gives what all gave, or the first failure") {
  Runtime world(simulation());
  Events good;
  Events bad;
  world.spawn(needs_all, std::int64_t{4}, &good);
  world.spawn(needs_all, std::int64_t{-4}, &bad);
  world.run();
  CHECK(good == Events{"third has rested", "third is gone", "30 9 16"});
  CHECK(bad == Events{"third is gone", "10 no square of -4"});
}

TEST_CASE("when_any gives what the first gave and ends the others") {
  Runtime world(simulation());
  Events events;
  world.spawn(needs_any, &events);
  world.run();
  CHECK(events == Events{"slow is gone", "10 task 1 gave 25"});
}

TEST_CASE("tasks that use the scope's token come to an end when it asks, and a join can be cancelled itself") {
  Runtime world(simulation());
  Events events;
  world.spawn(asks_to_stop, &events);
  world.run();
  CHECK(events == Events{"10 came to an end", "10 came to an end", "joined"});

  Runtime other(simulation());
  Events waited;
  std::stop_source source;
  other.spawn(impatient, &source, &waited);
  other.spawn(
      [](Self<> self, std::stop_source* stop) -> Actor {
        co_await self.sleep(Duration(10));
        stop->request_stop();
      },
      &source);
  other.run();
  CHECK(waited == Events{"10 would not wait", "task has rested", "task is gone", "50 joined"});
}

TEST_CASE("scopes within scopes: a tree of a thousand tasks adds up") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live());
    std::int64_t leaves = 0;
    world.spawn(
        [](Self<> self, std::int64_t* sum) -> Actor {
          auto all = tree(self, 9);
          *sum = co_await all;
        },
        &leaves);
    world.run();
    CHECK(leaves == 512);
    CHECK(world.actors() == 0);
  }
}

TEST_CASE("a runtime that ends in the middle of scopes leaves no memory behind") {
  Events events;
  {
    Runtime world(simulation());
    world.spawn(killed_with_scope, &events);
    world.spawn(joins_a_failure, &events);
    world.run_until(time_from_ns(5));
  }
  CHECK(events.size() == 4);
}
