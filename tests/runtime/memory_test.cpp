#include <mutex>

#include <outcry/runtime/memory.hpp>

#include "recorded_system.hpp"
#include "scenario.hpp"

using namespace scenario;
using recorded::System;

namespace {

constexpr std::size_t mb = std::size_t{1} << 20;

RuntimeOptions live_with(MemoryOptions memory, std::uint32_t schedulers, std::vector<std::string>* lines = nullptr) {
  RuntimeOptions options = live(schedulers);
  options.memory = std::move(memory);
  options.log = [lines](std::string_view line) {
    static std::mutex mutex;
    const std::lock_guard guard(mutex);
    if (lines != nullptr) lines->emplace_back(line);
  };
  return options;
}

/// Where the things of an actor lie: which scheduler's arena has them.
struct Places {
  bool frame = false;
  bool task = false;
  bool cell = false;
  bool ring = false;
  int messages = 0;
};

// A coroutine that begins suspended keeps its parameters in its frame.
Task<bool> task_lies_in(Arena* arena, int parameter) { co_return arena->contains(&parameter); }

Actor resident(Self<Number> self, Memory* memory, Places* places) {
  Arena& arena = memory->arena(self.scheduler().index());
  int local = 0;  // lives across the awaits
  places->frame = arena.contains(&local);
  places->cell = arena.contains(this_scheduler()->current());
  while (auto message = co_await self.receive()) {
    local += static_cast<int>(message->value);
    places->messages = local;
    places->ring = self.scheduler().rings().statistics().in_use > 0;
    auto task = task_lies_in(&arena, local);
    places->task = co_await task;
  }
}

}  // namespace

TEST_CASE("an actor's frame, tasks, cell and mailbox lie in the arena of the scheduler that runs it, and of no other") {
  for (const ArenaKind kind : {ArenaKind::pages, ArenaKind::jemalloc}) {
    Runtime world(live_with({.arena = kind}, 2));
    Places places[2];
    std::vector<AnyAddress> residents;
    for (int i = 0; i < 2; ++i) {
      auto one = world.spawn({.scheduler = i}, resident, &world.memory(), &places[i]);
      for (int n = 0; n < 20; ++n) one.send(Number{1});
      one.stop();
    }
    world.run();
    for (std::uint32_t i = 0; i < 2; ++i) {
      CHECK(places[i].frame);
      CHECK(places[i].cell);
      CHECK(places[i].task);
      CHECK(places[i].ring);
      CHECK(places[i].messages == 20);
      CHECK(world.memory().arena(i).statistics().in_use >= 3 * 65536);  // cells, frames, rings
      CHECK(world.ring_pools()[i].in_use == 0);
      CHECK(world.ring_pools()[i].high_water == 2);  // while one grows
    }
  }
}

TEST_CASE("an actor that starts again on another scheduler has its memory there, and leaves none behind") {
  Runtime world(live_with({}, 2));
  struct Moves {
    Actor operator()(Self<> self, Memory* memory, std::vector<int>* lies_in, int times) const {
      for (std::uint32_t i = 0; i < 2; ++i)
        if (memory->arena(i).contains(&times)) lies_in->push_back(static_cast<int>(i));
      if (times > 0) {
        const int next = 1 - static_cast<int>(self.scheduler().index());
        self.runtime().spawn({.scheduler = next}, Moves{}, memory, lies_in, times - 1);
      }
      co_return;
    }
  };
  std::vector<int> lies_in;
  world.spawn({.scheduler = 0}, Moves{}, &world.memory(), &lies_in, 3);
  world.run();
  CHECK(lies_in == std::vector<int>{0, 1, 0, 1});
  for (const FramePool::Statistics& frames : world.frame_pools()) CHECK(frames.in_use == 0);
}

TEST_CASE("a simulation's events lie in the arenas, too, and its digest does not care") {
  std::uint64_t digests[3] = {};
  constexpr ArenaKind kinds[] = {ArenaKind::host, ArenaKind::pages, ArenaKind::jemalloc};
  for (int k = 0; k < 3; ++k) {
    RuntimeOptions options = simulation();
    options.memory.arena = kinds[k];
    Runtime world(options);
    auto sleeps = [](Self<> self, int times) -> Actor {
      for (int i = 0; i < times; ++i) co_await self.sleep(1ms);
    };
    for (int i = 0; i < 1'000; ++i) world.spawn(sleeps, 5);
    const std::uint64_t before = world.memory().arena(0).statistics().in_use;
    world.run();
    digests[k] = world.digest();
    CHECK(before >= 1'000 * sizeof(Envelope));
    if (kinds[k] != ArenaKind::host) CHECK(world.memory().arena(0).statistics().capacity > 0);
  }
  CHECK(digests[0] == digests[1]);
  CHECK(digests[0] == digests[2]);
}

TEST_CASE("on a machine of several nodes an arena comes to the node where its scheduler runs") {
  System system;
  system.nodes = 4;
  system.runs_on = 2;
  Memory memory({.arena = ArenaKind::pages, .system = &system}, 1);
  static_cast<void>(memory.arena(0).allocate(100));
  const bool to_be_told = memory.enter(0);
  static_cast<void>(memory.arena(0).allocate(3 * mb));
  memory.leave(0);

  CHECK_FALSE(to_be_told);  // nothing was asked
  CHECK(system.calls() == std::vector<std::string>{"map 4", "node 2 for 2", "thread to node 2", "map 6", "node 2 for 4",
                                                   "thread anywhere"});
  REQUIRE(memory.nodes().size() == 1);
  CHECK(memory.nodes()[0].node == 2);
  CHECK(memory.report().rows ==
        std::vector<StartReport::Row>{{"scheduler 0, arena", "pages", "pages"},
                                      {"scheduler 0, node", "where it runs", "256 of 256 pages on node 2"}});
}

TEST_CASE("a thread of the host keeps its policy, however often it comes, and is told once") {
  System system;
  system.nodes = 4;
  system.runs_on = 2;
  Memory memory({.arena = ArenaKind::pages, .nodes = {3}, .system = &system}, 1);
  std::vector<bool> told;
  for (int i = 0; i < 3; ++i) {
    told.push_back(memory.enter(0, Memory::ThreadOf::host));
    memory.leave(0, Memory::ThreadOf::host);
  }

  CHECK(told == std::vector<bool>{true, false, false});
  CHECK(system.calls().empty());
}

TEST_CASE("counters are kept for each node") {
  System system;
  system.nodes = 2;
  Memory memory({.arena = ArenaKind::pages, .nodes = {0, 1, 1}, .system = &system}, 3);
  void* gone = memory.arena(1).allocate(1000);
  static_cast<void>(memory.arena(0).allocate(100));
  static_cast<void>(memory.arena(2).allocate(10));
  memory.arena(1).deallocate(gone, 1000);

  const std::vector<NodeMemory> nodes = memory.nodes();

  REQUIRE(nodes.size() == 2);
  CHECK(to_string(nodes[0]) == "node 0: 1 arena, 100 bytes in use, 100 at most of 2097152, 0 freed from elsewhere");
  CHECK(to_string(nodes[1]) == "node 1: 2 arenas, 10 bytes in use, 1010 at most of 4194304, 0 freed from elsewhere");
}

TEST_CASE("a start report says what was asked of the machine and what was obtained, once and in sentences") {
  System system;
  system.nodes = 2;
  system.may_lock = 8 * mb;
  MemoryOptions asks{.arena = ArenaKind::pages,
                     .huge_pages = HugePages::reserved,
                     .lock = true,
                     .nodes = {1, 7},
                     .prefault_bytes = 6 * mb,
                     .system = &system};
  std::vector<std::string> lines;
  Runtime world(live_with(asks, 2, &lines));
  auto nothing = [](Self<>) -> Actor { co_return; };
  world.spawn(nothing);
  world.run();

  const std::string huge =
      ": asked set aside, obtained 3 MB of 6 MB in huge pages, 0 bytes of them set aside: too few are set aside "
      "(sysctl vm.nr_hugepages) (Cannot allocate memory)";
  CHECK(lines ==
        std::vector<std::string>{
            "scheduler 0, arena: asked pages, obtained pages",
            "scheduler 0, node: asked node 1, obtained 256 of 256 pages on node 1", "scheduler 0, huge pages" + huge,
            "scheduler 0, locked memory: asked all, obtained 6 MB of 6 MB locked",
            "scheduler 0, prefaulted: asked 6 MB, obtained 6 MB", "scheduler 1, arena: asked pages, obtained pages",
            "scheduler 1, node: asked node 7, obtained node 7 was refused (Invalid argument)",
            "scheduler 1, huge pages" + huge,
            "scheduler 1, locked memory: asked all, obtained 0 bytes of 6 MB locked: this process may lock "
            "8 MB (ulimit -l, RLIMIT_MEMLOCK) (Cannot allocate memory)",
            "scheduler 1, prefaulted: asked 6 MB, obtained 6 MB"});
}

TEST_CASE("who asks for nothing is told nothing") {
  std::vector<std::string> lines;
  Runtime world(live_with({}, 2, &lines));
  auto nothing = [](Self<>) -> Actor { co_return; };
  world.spawn(nothing);
  world.run();
  CHECK(lines.empty());
  CHECK(to_string(world.memory().report()).find("asked jemalloc") != std::string::npos);
}

TEST_CASE("this machine gives what it can: huge pages, locked memory, and it says how much") {
  std::vector<std::string> lines;
  Runtime world(live_with({.huge_pages = HugePages::transparent, .lock = true, .nodes = {0}, .prefault_bytes = 4 * mb},
                          1, &lines));
  auto nothing = [](Self<>) -> Actor { co_return; };
  world.spawn(nothing);
  world.run();
  for (const std::string& line : lines) MESSAGE(line);
  CHECK(lines.size() == 5);
}

TEST_CASE("an arena at its limit fails the actor that wants more, and nobody else") {
  RuntimeOptions options = simulation();
  options.memory = {.limit_bytes = 4 * mb};
  options.log = [](std::string_view) {};
  Runtime world(options);
  struct Grows {
    Actor operator()(Self<> self, int* children) const {
      for (;;) {
        self.spawn([](Self<Number> me) -> Actor { co_await me.receive(); });
        ++*children;
        co_await self.sleep(1us);
      }
    }
  };
  int children = 0, ticks = 0;
  world.spawn(Grows{}, &children);
  world.spawn(
      [](Self<> self, int* count) -> Actor {
        for (int i = 0; i < 100; ++i) {
          co_await self.sleep(1ms);
          ++*count;
        }
      },
      &ticks);
  world.run();
  CHECK(children > 1'000);
  CHECK(ticks == 100);
  CHECK(world.counters().failures == 1);
  CHECK(world.memory().arena(0).statistics().refused >= 1);
}
