// What schedulers show of their load while they run.
#include "scenario.hpp"

#include <thread>

using namespace scenario;

namespace {

Actor yields_until(Self<> self, std::atomic<bool>* over) {
  while (!*over) co_await self.yield();
}

/// Looks until the load is as wanted. Hangs if it never is.
template <class Wanted>
std::vector<SchedulerLoad> load_when(const Runtime& world, Wanted wanted) {
  for (;;) {
    auto load = world.load();
    if (wanted(load)) return load;
    std::this_thread::yield();
  }
}

}  // namespace

TEST_CASE("run queue, actors and turns of each scheduler are seen while it runs") {
  Runtime world(live(2));
  std::atomic<bool> over{false};
  for (int i = 0; i < 7; ++i) world.spawn({.scheduler = 0}, yields_until, &over);
  for (int i = 0; i < 3; ++i)
    world.spawn({.scheduler = 1}, [](Self<Number> self) -> Actor { co_await self.receive(); });
  world.start();
  const auto load = load_when(world, [](const auto& now) { return now[0].turns > 1'000 && now[1].turns == 3; });
  CHECK(load[0].actors == 7);
  CHECK(load[0].run_queue == 7);
  CHECK(load[1].actors == 3);
  CHECK(load[1].run_queue == 0);
  over = true;
  load_when(world, [](const auto& now) { return now[0].actors == 0 && now[0].run_queue == 0; });
  world.stop();
  world.join();
  CHECK(world.load()[0].turns == world.counters().turns - 3);
}

TEST_CASE("who works is busy, who sleeps or spins in vain is not") {
  for (const IdlePolicy idle : {IdlePolicy::sleep, IdlePolicy::spin_then_sleep, IdlePolicy::spin}) {
    Runtime world(live(2, idle));
    std::atomic<bool> over{false};
    world.spawn({.scheduler = 0}, yields_until, &over);
    world.spawn({.scheduler = 1}, [](Self<Number> self) -> Actor { co_await self.receive(); });
    world.start();
    const auto before = load_when(world, [](const auto& now) { return now[0].up > 1ms && now[1].idle > 0ms; });
    const auto load = load_when(world, [&](const auto& now) {
      return now[0].up - before[0].up > 20ms && now[1].up - before[1].up > 20ms && now[1].idle - before[1].idle > 5ms;
    });
    CHECK(load[0].busy_since(before[0]) > 0.9);
    CHECK(load[1].busy_since(before[1]) < 0.9);
    CHECK(load[0].busy() <= 1);
    CHECK(load[1].busy() >= 0);
    over = true;
    world.stop();
    world.join();
    const auto after = world.load();
    CHECK(after[0].up >= load[0].up);
    CHECK(after[1].idle >= load[1].idle);
    CHECK(after[1].idle <= after[1].up);
    CHECK(world.load()[1].up == after[1].up);  // the clock stands when nothing runs
  }
}

TEST_CASE("the most messages that waited for one actor are kept") {
  Runtime world(live());
  auto slow = world.spawn({.mailbox = {.capacity = 100}}, [](Self<Number> self) -> Actor {
    for (int i = 0; i < 40; ++i) co_await self.receive();
    self.spawn(
        [](Self<> three, Address<Number> to) -> Actor {
          for (std::int64_t i = 0; i < 3; ++i) {
            to.send(Number{i});
            co_await three.yield();
          }
        },
        self.address());
    for (int i = 0; i < 3; ++i) co_await self.receive();
  });
  for (std::int64_t i = 0; i < 40; ++i) slow.send(Number{i});
  world.run();
  CHECK(world.load()[0].mailbox_high_water == 40);
}

TEST_CASE("a simulation shows its turns, actors and mailboxes, and no time of its own") {
  Runtime world(simulation(2));
  for (std::uint32_t site = 0; site < 4; ++site)
    world.spawn({.site = site}, [](Self<Number> self) -> Actor {
      co_await self.sleep(1ms);
      co_await self.receive();
    });
  world.run_until(time_from_ns(5'000'000));
  for (const SchedulerLoad& load : world.load()) {
    CHECK(load.actors == 2);
    CHECK(load.turns == 4);
    CHECK(load.up == Duration(0));
    CHECK(load.busy() == 0);
  }
}
