// Who keeps a scheduler for too long is named while it does.
#include "scenario.hpp"

#include <mutex>

using namespace scenario;

namespace {

/// Those whom the watchdog named.
class Named {
 public:
  std::function<void(const Held&)> on_hold() {
    return [this](const Held& held) {
      const std::lock_guard guard(mutex_);
      all_.push_back(held);
    };
  }
  std::vector<Held> all() {
    const std::lock_guard guard(mutex_);
    return all_;
  }
  bool has(std::string_view name) {
    for (const Held& held : all())
      if (held.name == name) return true;
    return false;
  }
  std::size_t times(std::string_view name) {
    std::size_t times = 0;
    for (const Held& held : all()) times += held.name == name ? 1 : 0;
    return times;
  }

 private:
  std::mutex mutex_;
  std::vector<Held> all_;
};

/// Keeps its scheduler until the watchdog has named `whom`.
Actor holder(Self<Number> self, Named* named, std::string whom, std::uint64_t* id, unsigned* line) {
  *id = self.id();
  *line = __LINE__ + 1;
  auto go = co_await self.receive();
  static_cast<void>(go);
  while (!named->has(whom)) {
  }
}

RuntimeOptions watched(std::uint32_t schedulers, Named& named) {
  RuntimeOptions options = live(schedulers);
  options.hold_limit = 2ms;
  options.on_hold = named.on_hold();
  return options;
}

}  // namespace

TEST_CASE("the watchdog names the actor that holds its scheduler, and where it last awaited, while it does") {
  Named named;
  std::mutex mutex;
  std::vector<std::string> lines;
  RuntimeOptions options = watched(2, named);
  options.log = [&](std::string_view line) {
    const std::lock_guard guard(mutex);
    lines.emplace_back(line);
  };
  Runtime world(options);
  std::uint64_t id = 0;
  unsigned line = 0;
  auto to =
      world.spawn({.name = "slow symbol", .scheduler = 1}, holder, &named, std::string("slow symbol"), &id, &line);
  to.send(Number{1});
  world.run();  // hangs if it is not named
  REQUIRE(named.times("slow symbol") == 1);
  const Held held = named.all().back();
  CHECK(held.scheduler == 1);
  CHECK(held.actor == id);
  CHECK(held.held >= 2ms);
  CHECK(held.awaited.line() == line);
  CHECK(std::string(held.awaited.file_name()).ends_with("watchdog_test.cpp"));
  REQUIRE(lines.size() == named.all().size());
  CHECK(lines.back() == to_string(held));
  CHECK(lines.back().starts_with("actor 'slow symbol' ("));
  CHECK(lines.back().ends_with("watchdog_test.cpp:" + std::to_string(line)));
}

TEST_CASE("an actor that holds its scheduler is told of once a turn, however long") {
  Named named;
  Runtime world(watched(2, named));
  std::uint64_t id = 0;
  unsigned line = 0;
  // The first goes on until the second was named, which begins when the first was.
  auto first = world.spawn({.name = "first", .scheduler = 0}, holder, &named, std::string("second"), &id, &line);
  std::uint64_t other_id = 0;
  unsigned other_line = 0;
  auto second =
      world.spawn({.name = "second", .scheduler = 1}, holder, &named, std::string("second"), &other_id, &other_line);
  world.spawn(
      {.name = "starter", .scheduler = 1},
      [](Self<> self, Named* seen, Address<Number> to) -> Actor {
        while (!seen->has("first")) co_await self.yield();
        to.send(Number{1});
      },
      &named, second);
  first.send(Number{1});
  world.run();
  CHECK(named.times("first") == 1);
  CHECK(named.times("second") == 1);
}

TEST_CASE("an actor that has not awaited yet is named, too, also when its cell was another's before") {
  Named named;
  Runtime world(watched(1, named));
  std::uint64_t id = 0;
  unsigned line = 0;
  auto before = world.spawn({.name = "before"}, holder, &named, std::string("at once"), &id, &line);
  world.spawn(
      {.name = "parent"},
      [](Self<> self, Named* seen, AnyAddress old) -> Actor {
        co_await self.yield();
        old.stop();
        old.kill();
        self.spawn(
            {.name = "at once"},
            [](Self<>, Named* all) -> Actor {
              while (!all->has("at once")) {
              }
              co_return;
            },
            seen);
      },
      &named, before);
  world.run();
  REQUIRE(named.times("at once") == 1);
  CHECK(named.all().back().awaited.line() == 0);
  CHECK(to_string(named.all().back()).ends_with(" us and has not awaited yet"));
}

TEST_CASE("a simulation has no watchdog: who computes for long there holds nobody up") {
  Named named;
  RuntimeOptions options = simulation();
  options.hold_limit = Duration(1);
  options.on_hold = named.on_hold();
  Runtime world(options);
  int turns = 0;
  world.spawn(
      [](Self<> self, int* count) -> Actor {
        for (; *count < 1'000; ++*count) co_await self.sleep(1ms);
      },
      &turns);
  world.run();
  CHECK(turns == 1'000);
  CHECK(named.all().empty());
}
