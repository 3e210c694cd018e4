#include "scenario.hpp"

#include <stdexcept>

using namespace scenario;

namespace {

Task<std::int64_t> doubled(std::int64_t value) { co_return value * 2; }

Task<> throws(std::string why) {
  throw std::runtime_error(why);
  co_return;
}

Task<std::int64_t> deep(std::int64_t depth, std::uintptr_t* lowest) {
  *lowest = std::min(*lowest, reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
  if (depth == 0) co_return 0;
  const std::int64_t below = co_await deep(depth - 1, lowest);
  co_return below + 1;
}

Task<> waits_deep(Self<Number> self, int depth, int* destroyed) {
  struct Count {
    int* count;
    ~Count() { ++*count; }
  } const counted{destroyed};
  if (depth > 0) {
    co_await waits_deep(self, depth - 1, destroyed);
  } else {
    co_await self.receive();
  }
}

Task<std::string> takes_text(std::string given) { co_return given + " and back"; }

Task<std::int64_t> sums(Self<Number> self, int numbers) {
  std::int64_t sum = 0;
  for (int i = 0; i < numbers; ++i) {
    auto number = co_await self.receive();
    sum += number->value;
  }
  co_return sum;
}

Actor user(Self<Number> self, Events* events) {
  const std::int64_t value = co_await doubled(21);
  events->push_back(std::to_string(value));
  std::string text("a string long enough to lie on the heap");
  auto task = takes_text(text);
  const std::string back = co_await std::move(task);
  events->push_back(back);
  const std::int64_t sum = co_await sums(self, 3);
  events->push_back(std::to_string(sum));
  try {
    co_await throws("caught");
  } catch (const std::runtime_error& error) {
    events->push_back(error.what());
  }
  co_await throws("not caught");
}

Actor many(Self<> self, std::int64_t count, std::int64_t* sum) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t value = co_await doubled(i);
    *sum += value;
  }
  static_cast<void>(self);
}

Actor dives(Self<> self, std::int64_t depth, std::int64_t* result, std::uintptr_t* stack_used) {
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  std::uintptr_t lowest = here;
  *result = co_await deep(depth, &lowest);
  *stack_used = here - lowest;
  static_cast<void>(self);
}

Actor waits(Self<Number> self, int depth, int* destroyed) { co_await waits_deep(self, depth, destroyed); }

Actor suicide_in_task(Self<Number> self, Events* events) {
  struct Deed {
    static Task<> run(Self<Number> me, Events* events) {
      me.address().kill();
      events->push_back("deed");
      co_await me.yield();
      events->push_back("never");
    }
  };
  co_await Deed::run(self, events);
  events->push_back("never either");
}

Actor suicide_before_task(Self<Number> self, Events* events) {
  self.address().kill();
  const std::int64_t value = co_await doubled(1);
  events->push_back(std::to_string(value));
}

}  // namespace

TEST_CASE("a task gives its value or its exception to who awaits it, and receives for its actor") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto to = world.spawn(user, &events);
    for (int i = 1; i <= 3; ++i) to.send(Number{i});
    world.run();
    CHECK(events == Events{"42", "a string long enough to lie on the heap and back", "6", "caught"});
    CHECK(world.counters().failures == 1);
  }
}

TEST_CASE("a million tasks one after the other take no stack") {
  Runtime world(simulation());
  std::int64_t sum = 0;
  world.spawn(many, std::int64_t{1'000'000}, &sum);
  world.run();
  CHECK(sum == std::int64_t{999'999} * 1'000'000);
}

TEST_CASE("ten thousand tasks within each other run on the stack of one") {
  Runtime world(simulation());
  std::int64_t result = 0;
  std::uintptr_t stack_used = 0;
  world.spawn(dives, std::int64_t{10'000}, &result, &stack_used);
  world.run();
  CHECK(result == 10'000);
  CHECK(stack_used < 4'096);
}

TEST_CASE("an actor is killed in the depth of its tasks, and each of them is destroyed") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    int destroyed = 0;
    struct Scene {
      Actor operator()(Self<> self, AnyAddress victim) const {
        co_await self.sleep(Duration(100));
        victim.kill();
      }
    };
    auto victim = world.spawn(waits, 1'000, &destroyed);
    world.spawn(Scene{}, victim);
    world.run();
    CHECK(destroyed == 1'001);
  }
}

TEST_CASE("an actor that kills itself inside of a task ends there") {
  Runtime world(live());
  Events events;
  world.spawn(suicide_in_task, &events);
  world.run();
  CHECK(events == Events{"deed"});
}

TEST_CASE("an actor that has killed itself begins no task any more") {
  Runtime world(live());
  Events events;
  world.spawn(suicide_before_task, &events);
  world.run();
  CHECK(events.empty());
}
