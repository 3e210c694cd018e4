// What the schedulers' threads get of the machine, and how turns are shared out.
#include "scenario.hpp"

#include <pthread.h>
#include <sched.h>

#include <csignal>
#include <mutex>
#include <stdexcept>

using namespace scenario;

namespace {

/// What an actor finds of the thread that runs it.
struct Place {
  int processors = 0;
  int processor = -1;
  int policy = -1;
  int priority = -1;
  std::size_t stack = 0;
  bool takes_interrupts = true;
  bool takes_faults = false;
};

Actor looks_around(Self<> self, Place* place) {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  place->processors = CPU_COUNT(&allowed);
  place->processor = sched_getcpu();
  sched_param parameter{};
  pthread_getschedparam(pthread_self(), &place->policy, &parameter);
  place->priority = parameter.sched_priority;
  pthread_attr_t attributes;
  pthread_getattr_np(pthread_self(), &attributes);
  void* address = nullptr;
  pthread_attr_getstack(&attributes, &address, &place->stack);
  pthread_attr_destroy(&attributes);
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  place->takes_interrupts = sigismember(&blocked, SIGINT) == 0 || sigismember(&blocked, SIGTERM) == 0;
  place->takes_faults = sigismember(&blocked, SIGSEGV) == 0;
  co_return;
  static_cast<void>(self);
}

Place place_of_an_actor(Runtime& world) {
  Place place;
  world.spawn(looks_around, &place);
  world.run();
  return place;
}

std::string row(const StartReport& report, std::string_view what) {
  for (const StartReport::Row& one : report.rows)
    if (one.what == what) return one.obtained;
  return "(no such row)";
}

int some_processor() {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  int last = -1;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &allowed)) last = i;
  return last;
}

/// What the log was told.
struct Heard {
  std::mutex mutex;
  std::vector<std::string> lines;
  std::function<void(std::string_view)> log() {
    return [this](std::string_view line) {
      const std::lock_guard guard(mutex);
      lines.emplace_back(line);
    };
  }
};

Actor taker(Self<Number> self, std::vector<std::string>* order, std::string name) {
  while (auto number = co_await self.receive()) order->push_back(name + std::to_string(number->value));
}

}  // namespace

TEST_CASE("a scheduler runs on the processor that was chosen for it, and the report says so") {
  Heard heard;
  RuntimeOptions options = live();
  options.log = heard.log();
  options.processors = {static_cast<std::uint32_t>(some_processor())};
  Runtime world(options);
  const Place place = place_of_an_actor(world);
  CHECK(place.processors == 1);
  CHECK(place.processor == some_processor());
  CHECK(row(world.start_report(), "scheduler 0, processor") == std::to_string(some_processor()));
  CHECK(world.start_report().as_asked());
  CHECK(heard.lines.empty());
}

TEST_CASE("a processor that is not there is told of once, and the scheduler runs anywhere") {
  Heard heard;
  RuntimeOptions options = live();
  options.log = heard.log();
  for (const std::uint32_t absent : {1'023u, 5'000u}) {
    heard.lines.clear();
    options.processors = {absent};
    Runtime world(options);
    const Place place = place_of_an_actor(world);
    CHECK(place.processors >= 1);
    CHECK(row(world.start_report(), "scheduler 0, processor") == "any (Invalid argument)");
    CHECK(heard.lines == std::vector<std::string>{"scheduler 0, processor: asked " + std::to_string(absent) +
                                                  ", obtained any (Invalid argument)"});
  }
}

TEST_CASE("a scheduler that is not to be pinned goes where the process may go") {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  RuntimeOptions options = live();
  options.pin = false;
  Runtime world(options);
  CHECK(place_of_an_actor(world).processors == CPU_COUNT(&allowed));
  CHECK(row(world.start_report(), "scheduler 0, processor") == "any");
}

TEST_CASE("real time is obtained, or the report and the log say why not; the schedulers run all the same") {
  Heard heard;
  RuntimeOptions options = live();
  options.log = heard.log();
  options.fifo_priorities = {3};
  Runtime world(options);
  const Place place = place_of_an_actor(world);
  const std::string obtained = row(world.start_report(), "scheduler 0, priority");
  if (place.policy == SCHED_FIFO) {
    CHECK(place.priority == 3);
    CHECK(obtained == "FIFO 3");
    CHECK(heard.lines.empty());
  } else {
    CHECK(place.policy == SCHED_OTHER);
    CHECK(obtained == "ordinary (Operation not permitted)");
    CHECK(heard.lines ==
          std::vector<std::string>{"scheduler 0, priority: asked FIFO 3, obtained ordinary (Operation not permitted)"});
    CHECK_FALSE(world.start_report().as_asked());
  }
}

TEST_CASE("a thread's stack is as large as was asked; a size that the system refuses becomes the system's") {
  RuntimeOptions options = live();
  options.stack_bytes = 3 << 20;
  Runtime world(options);
  const Place place = place_of_an_actor(world);
  CHECK(place.stack >= 3 << 20);
  CHECK(row(world.start_report(), "scheduler 0, stack") == "3145728 bytes");

  options.stack_bytes = std::size_t{1} << 62;
  Runtime greedy(options);
  CHECK(place_of_an_actor(greedy).stack > 0);
  CHECK_FALSE(greedy.start_report().as_asked());
}

TEST_CASE("signals stay with the host's threads; what a thread does wrong comes to itself") {
  Runtime world(live());
  const Place place = place_of_an_actor(world);
  CHECK_FALSE(place.takes_interrupts);
  CHECK(place.takes_faults);
}

TEST_CASE("a report prints a line for each row") {
  const StartReport report{{{"scheduler 0, processor", "1", "1"},
                            {"scheduler 0, priority", "FIFO 10", "ordinary (Operation not permitted)"}}};
  CHECK(to_string(report) ==
        "scheduler 0, processor: asked 1, obtained 1\n"
        "scheduler 0, priority: asked FIFO 10, obtained ordinary (Operation not permitted)\n");
}

TEST_CASE("every scheduler has noted what it got when start() returns") {
  Runtime world(live(3));
  world.spawn([](Self<Number> self) -> Actor { co_await self.receive(); });
  world.start();
  const StartReport report = world.start_report();
  CHECK(report.rows.size() == 9);
  CHECK(row(report, "scheduler 2, priority") == "ordinary");
  world.stop();
  world.join();
}

TEST_CASE("an actor takes as many messages in a turn as the options say") {
  const auto order_with = [](std::uint32_t messages) {
    RuntimeOptions options = live();
    options.messages_per_turn = messages;
    Runtime world(options);
    std::vector<std::string> order;
    auto a = world.spawn(taker, &order, std::string("a"));
    auto b = world.spawn(taker, &order, std::string("b"));
    world.spawn(
        [](Self<> self, Address<Number> one, Address<Number> two) -> Actor {
          for (std::int64_t i = 1; i <= 4; ++i) {
            one.send(Number{i});
            two.send(Number{i});
          }
          one.stop();
          two.stop();
          co_return;
          static_cast<void>(self);
        },
        a, b);
    world.run();
    return order;
  };
  CHECK(order_with(1) == std::vector<std::string>{"a1", "b1", "a2", "b2", "a3", "b3", "a4", "b4"});
  CHECK(order_with(2) == std::vector<std::string>{"a1", "a2", "b1", "b2", "a3", "a4", "b3", "b4"});
  CHECK(order_with(64) == std::vector<std::string>{"a1", "a2", "a3", "a4", "b1", "b2", "b3", "b4"});
}

TEST_CASE("actors that are never done keep neither timers nor other schedulers' messages out") {
  for (const std::uint32_t turns : {1u, 256u}) {
    RuntimeOptions options = live(2);
    options.turns_per_round = turns;
    Runtime world(options);
    std::int64_t turned = 0;
    for (int i = 0; i < 3; ++i)
      world.spawn(
          {.scheduler = 0},
          [](Self<> self, std::int64_t* count) -> Actor {
            for (;;) {
              ++*count;
              co_await self.yield();
            }
          },
          &turned);
    auto sleeper = world.spawn({.scheduler = 0}, [](Self<Number> self) -> Actor {
      auto number = co_await self.receive();
      static_cast<void>(number);
      co_await self.sleep(1us);
      self.runtime().stop();
    });
    world.spawn(
        {.scheduler = 1},
        [](Self<> self, Address<Number> to) -> Actor {
          to.send(Number{1});
          co_return;
          static_cast<void>(self);
        },
        sleeper);
    world.run();  // hangs if one is kept out
    CHECK(turned > 0);
  }
}

TEST_CASE("options that make no sense are refused") {
  const auto with = [](auto change) {
    RuntimeOptions options = live();
    change(options);
    Runtime world(options);
  };
  CHECK_THROWS_AS(with([](RuntimeOptions& o) { o.fifo_priorities = {0, 100}; }), std::invalid_argument);
  CHECK_THROWS_AS(with([](RuntimeOptions& o) { o.messages_per_turn = 0; }), std::invalid_argument);
  CHECK_THROWS_AS(with([](RuntimeOptions& o) { o.turns_per_round = 0; }), std::invalid_argument);
  CHECK_THROWS_AS(with([](RuntimeOptions& o) { o.hosted_schedulers = 2; }), std::invalid_argument);
  CHECK_THROWS_AS(with([](RuntimeOptions& o) { o.hold_limit = Duration(-1); }), std::invalid_argument);
  CHECK_THROWS_AS(with([](RuntimeOptions& o) {
                    o.time = WorldTime::virtually;
                    o.hosted_schedulers = 1;
                  }),
                  std::invalid_argument);
}
