// Blocking work beside the schedulers.
#include <outcry/runtime/offload.hpp>

#include "scenario.hpp"

#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>

using namespace scenario;

namespace {

/// Opens when `n` threads have come to it.
class Gate {
 public:
  explicit Gate(int n) : left_(n) {}
  void pass() {
    std::unique_lock lock(mutex_);
    if (--left_ == 0) changed_.notify_all();
    changed_.wait(lock, [this] { return left_ <= 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int left_;
};

Actor computes(Self<Number> self, std::int64_t value, Duration modelled, Events* events) {
  auto work = offload(self, [value] { return std::to_string(value * value); }, modelled);
  const std::string square = co_await work;
  events->push_back((self.scheduler().virtual_time() ? at(self.now()) + " " : "") + square);
  auto failing = offload(self, [value] {
    if (value > 0) throw std::runtime_error("no such file");
  });
  try {
    co_await failing;
  } catch (const std::exception& exception) {
    events->push_back(exception.what());
  }
}

Actor passes(Self<> self, Gate* gate, std::set<std::thread::id>* threads, std::mutex* mutex) {
  auto work = offload(self, [gate, threads, mutex] {
    {
      const std::lock_guard guard(*mutex);
      threads->insert(std::this_thread::get_id());
    }
    gate->pass();
  });
  co_await work;
}

}  // namespace

TEST_CASE("work elsewhere gives its result to the actor that waits, and what it throws") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live(2));
    Events events;
    world.spawn(computes, std::int64_t{7}, Duration(30), &events);
    world.run();
    CHECK(events == Events{virtually ? "30 49" : "49", "no such file"});
  }
}

TEST_CASE("work that blocks does not hold its scheduler, and runs on as many threads as were given") {
  RuntimeOptions options = live();
  options.offload_threads = 3;
  Runtime world(options);
  Gate gate(4);  // three of them, and an actor on the only scheduler
  std::set<std::thread::id> threads;
  std::mutex mutex;
  for (int i = 0; i < 3; ++i) world.spawn(passes, &gate, &threads, &mutex);
  world.spawn(
      [](Self<> self, Gate* last) -> Actor {
        co_await self.yield();
        last->pass();
      },
      &gate);
  world.run();
  CHECK(threads.size() == 3);
  CHECK(world.actors() == 0);
}

TEST_CASE("more work than threads waits in a line, and all of it is done") {
  RuntimeOptions options = live(2);
  options.offload_threads = 2;
  Runtime world(options);
  std::atomic<int> done{0};
  for (int i = 0; i < 200; ++i)
    world.spawn(
        {.scheduler = i % 2},
        [](Self<> self, std::atomic<int>* count) -> Actor {
          for (int j = 0; j < 5; ++j) {
            auto work = offload(self, [count] { return ++*count; });
            co_await work;
          }
        },
        &done);
  world.run();
  CHECK(done == 1'000);
}

TEST_CASE("an actor that is killed leaves its work to end alone, and a runtime that ends waits for it") {
  std::atomic<bool> finished{false};
  {
    Gate started(2);
    Gate go_on(2);
    Runtime world(live());
    auto worker = world.spawn(
        [](Self<> self, Gate* first, Gate* second, std::atomic<bool>* end) -> Actor {
          auto work = offload(self, [first, second, end] {
            first->pass();
            second->pass();
            *end = true;
          });
          co_await work;
        },
        &started, &go_on, &finished);
    world.spawn(
        [](Self<> self, AnyAddress to, Gate* first, Gate* second) -> Actor {
          co_await self.yield();
          first->pass();
          to.kill();
          second->pass();
        },
        AnyAddress(worker), &started, &go_on);
    world.run();
    CHECK(world.actors() == 0);
  }
  CHECK(finished);
}
