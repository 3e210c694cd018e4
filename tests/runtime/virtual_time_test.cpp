#include "../seed.hpp"
#include "scenario.hpp"

#include <algorithm>
#include <stdexcept>
#include <thread>

using namespace scenario;

namespace {

Actor clerk(Self<Number> self, Events* events) {
  while (auto number = co_await self.receive())
    events->push_back(std::to_string(number->value).append(" at ").append(at(self.now())));
}

Actor sends_burst(Self<> self, Address<Number> to, int count, Duration pause) {
  for (int i = 1; i <= count; ++i) {
    to.send(Number{i});
    if (pause > Duration(0)) co_await self.sleep(pause);
  }
}

struct Question {
  using Reply = Number;
  std::int64_t value = 0;
};

}  // namespace

TEST_CASE("a message takes the latency of its link and the distance between its ends") {
  RuntimeOptions options = simulation(2);
  options.latency = {.within_site = Duration(3), .between_sites = Duration(100)};
  Runtime world(options);
  Events near, far, remote;
  auto near_to = world.spawn({.site = 0, .distance = Duration(10)}, clerk, &near);
  auto far_to = world.spawn({.site = 0, .distance = Duration(50)}, clerk, &far);
  auto remote_to = world.spawn({.site = 1, .distance = Duration(0)}, clerk, &remote);
  world.spawn(
      {.site = 0, .distance = Duration(10)},
      [](Self<> self, std::vector<Address<Number>> all) -> Actor {
        for (const auto& to : all) to.send(Number{1});
        co_await self.sleep(Duration(1'000));
        for (const auto& to : all) to.send_at(time_from_ns(5'000), Number{2});
        for (const auto& to : all) to.send_at(time_from_ns(0), Number{3});
      },
      std::vector<Address<Number>>{near_to, far_to, remote_to});
  world.run();
  CHECK(near == Events{"1 at 3", "3 at 1003", "2 at 5000"});
  CHECK(far == Events{"1 at 43", "3 at 1043", "2 at 5000"});
  CHECK(remote == Events{"1 at 110", "3 at 1110", "2 at 5000"});
  CHECK(to_ns(world.now()) == 5'000);
}

TEST_CASE("with jitter nothing overtakes on one link, and the mean is as asked for") {
  RuntimeOptions options = simulation();
  options.latency = {.within_site = Duration(10), .between_sites = forever, .jitter = Duration(500)};
  Runtime world(options);
  Events unused;
  struct Measures {
    Actor operator()(Self<Number> self, std::int64_t* last, std::int64_t* sum, bool* in_order) const {
      while (auto number = co_await self.receive()) {
        *in_order &= number->value == *last + 1;
        *last = number->value;
        *sum += to_ns(self.now()) - (number->value - 1) * 100'000;
      }
    }
  };
  std::int64_t last = 0, sum = 0;
  bool in_order = true;
  auto sparse = world.spawn(Measures{}, &last, &sum, &in_order);
  world.spawn(sends_burst, sparse, 10'000, Duration(100'000));
  std::int64_t dense_last = 0, dense_sum = 0;
  auto dense = world.spawn({.mailbox = {.capacity = 20'000}}, Measures{}, &dense_last, &dense_sum, &in_order);
  world.spawn(sends_burst, dense, 10'000, Duration(1));
  world.run();
  CHECK(last == 10'000);
  CHECK(dense_last == 10'000);
  CHECK(in_order);
  const double mean = static_cast<double>(sum) / 10'000 - 10;
  CHECK(mean > 450);
  CHECK(mean < 550);
}

TEST_CASE("computing keeps an actor busy, delays what it sends, and a message is counted once") {
  Runtime world(simulation());
  Events events, answers;
  struct Computes {
    Events* events;
    Actor operator()(Self<Number> self, Address<Number> to) const {
      while (auto number = co_await self.receive()) {
        events->push_back(std::to_string(number->value).append(" at ").append(at(self.now())));
        to.send(Number{number->value});
      }
    }
  };
  auto answer_to = world.spawn(clerk, &answers);
  auto to = world.spawn({.compute = Duration(100)}, Computes{&events}, answer_to);
  world.spawn(sends_burst, to, 5, Duration(10));
  world.run();
  CHECK(events == Events{"1 at 0", "2 at 100", "3 at 200", "4 at 300", "5 at 400"});
  CHECK(answers == Events{"1 at 100", "2 at 200", "3 at 300", "4 at 400", "5 at 500"});
  CHECK(world.counters().delivered == 5 + 5 + 5);  // to it, from it, and the beats of the sender
}

TEST_CASE("the messages of a batch are computed one after the other") {
  Runtime world(simulation());
  Events answers;
  struct Computes {
    Actor operator()(Self<Number> self, Address<Number> to) const {
      co_await self.sleep(Duration(50));
      for (;;) {
        auto batch = co_await self.receive_batch();
        if (!batch) break;
        batch.each([&](Number number) { to.send(number); });
      }
    }
  };
  auto answer_to = world.spawn(clerk, &answers);
  auto to = world.spawn({.compute = Duration(100)}, Computes{}, answer_to);
  world.spawn(sends_burst, to, 3, Duration(0));
  world.run();
  CHECK(answers == Events{"1 at 150", "2 at 250", "3 at 350"});
}

TEST_CASE("a busy actor that is told to stop finishes its computing first") {
  Runtime world(simulation());
  Events events;
  auto to = world.spawn({.compute = Duration(100)}, clerk, &events);
  world.spawn(sends_burst, to, 3, Duration(0));
  world.spawn(
      [](Self<> self, AnyAddress address) -> Actor {
        co_await self.sleep(Duration(30));
        address.stop();
      },
      to);
  world.run();
  CHECK(events == Events{"1 at 0", "2 at 100", "3 at 200"});
  CHECK(world.actors() == 0);
}

TEST_CASE("a busy actor's time-out does not come in the middle of its computing when a message is there") {
  Runtime world(simulation());
  Events events;
  struct Computes {
    Events* events;
    Actor operator()(Self<Number> self) const {
      for (;;) {
        auto number = co_await self.receive_for(Duration(20));
        events->push_back(
            (number ? std::to_string(number->value) : std::string("nothing")).append(" at ").append(at(self.now())));
        if (!number) break;
      }
    }
  };
  auto to = world.spawn({.compute = Duration(100)}, Computes{&events});
  world.spawn(sends_burst, to, 2, Duration(10));
  world.run();
  CHECK(events.size() == 3);
  CHECK(events[0] == "1 at 0");
  CHECK(events[1] == "2 at 100");
}

TEST_CASE("where no link leads a send fails the actor that sends, and says which link is missing") {
  Events logged;
  for (int way = 0; way < 5; ++way) {
    RuntimeOptions options = simulation(2);
    options.log = [&](std::string_view line) { logged.emplace_back(line); };
    Runtime world(options);
    Events events;
    struct Host {
      Actor operator()(Self<Number, Ask<Question>, Down> self) const { co_await self.receive_for(Duration(100)); }
    };
    auto to = world.spawn({.name = "there", .site = 1}, Host{});
    world.spawn(
        {.name = "here", .site = 0},
        [](Self<Down> self, Address<Number, Ask<Question>, Down> address, int kind) -> Actor {
          co_await self.sleep(Duration(1));
          switch (kind) {
            case 0: address.send(Number{1}); break;
            case 1: {
              const auto answer = co_await address.ask(Question{1}, Duration(10));
              static_cast<void>(answer);
              break;
            }
            case 2: self.monitor(address); break;
            case 3: address.stop(); break;
            default: address.send_at(time_from_ns(1'000), Number{1});
          }
        },
        to, way);
    world.run();
    CHECK(world.counters().failures == 1);
    CHECK(world.actors() == 0);
    REQUIRE(logged.size() == static_cast<std::size_t>(way) + 1);
    CHECK(logged.back().find("no link leads from actor 'here' to actor 'there'") != std::string::npos);
  }
}

TEST_CASE("an actor goes on after an ask for which there was no link") {
  Runtime world(simulation(2));
  Events events;
  struct Host {
    Actor operator()(Self<Ask<Question>> self) const { co_await self.receive(); }
  };
  auto to = world.spawn({.site = 1}, Host{});
  world.spawn(
      {.site = 0},
      [](Self<Number> self, Address<Ask<Question>> address, Events* list) -> Actor {
        for (int i = 0; i < 2'000; ++i) {
          bool failed = false;
          try {
            const auto answer = co_await address.ask(Question{1}, Duration(10));
            static_cast<void>(answer);
          } catch (const std::logic_error&) {
            failed = true;
          }
          if (!failed) list->push_back("no failure");
          co_await self.sleep(Duration(1));  // earlier than the time-out of that ask
        }
        list->push_back("went on until " + at(self.now()));
      },
      to, &events);
  world.run();
  CHECK(events == Events{"went on until 2000"});
}

TEST_CASE("a lookahead of nothing is no lookahead, and a simulation has no other threads") {
  RuntimeOptions options = simulation(2);
  options.latency.between_sites = Duration(0);
  CHECK_THROWS_AS(Runtime{options}, std::invalid_argument);
  Runtime world(simulation());
  CHECK_THROWS_AS(world.start(), std::logic_error);
  CHECK_THROWS_AS(Runtime(live()).run_until(time_from_ns(1)), std::logic_error);
  CHECK_THROWS_AS(Runtime(live()).stop_actors(), std::logic_error);

  Events events;
  auto to = world.spawn(clerk, &events);
  int refused = 0;
  world.spawn(
      [](Self<> self, Address<Number> address, int* count, Runtime* runtime) -> Actor {
        std::thread([&] {
          try {
            address.send(Number{1});
          } catch (const std::logic_error&) {
            ++*count;
          }
          try {
            runtime->spawn([](Self<> me) -> Actor {
              co_return;
              static_cast<void>(me);
            });
          } catch (const std::logic_error&) {
            ++*count;
          }
        }).join();
        try {
          runtime->spawn([](Self<> me) -> Actor {
            co_return;
            static_cast<void>(me);
          });
        } catch (const std::logic_error&) {
          ++*count;
        }
        co_return;
        static_cast<void>(self);
      },
      to, &refused, &world);
  world.run();
  CHECK(refused == 3);
  CHECK(events.empty());
}

TEST_CASE("two simulations, or a simulation and a live world, do not send to each other") {
  for (const bool to_live : {false, true}) {
    Runtime first(simulation());
    Runtime second(to_live ? live() : simulation());
    Events events;
    auto to = second.spawn(clerk, &events);
    first.spawn(sends_burst, to, 1, Duration(0));
    first.run();
    CHECK(first.counters().failures == 1);
  }
  Runtime first(live());
  Runtime second(simulation());
  Events events;
  auto to = second.spawn(clerk, &events);
  first.spawn(sends_burst, to, 1, Duration(0));
  first.run();
  CHECK(first.counters().failures == 1);
}

TEST_CASE("all actors are told to stop at the moment reached") {
  Runtime world(simulation(2));
  Events first, second;
  world.spawn({.site = 0}, clerk, &first);
  world.spawn({.site = 1}, clerk, &second);
  world.run_until(time_from_ns(500));
  CHECK(world.actors() == 2);
  world.stop_actors();
  CHECK(world.actors() == 0);
  CHECK(to_ns(world.now()) == 500);
}

TEST_CASE("a simulation starts when it should") {
  RuntimeOptions options = simulation();
  options.start = time_from_ns(34'200'000'000'000);
  Runtime world(options);
  Events events;
  auto to = world.spawn(clerk, &events);
  to.send(Number{1});
  world.spawn(sends_burst, to, 2, Duration(5));
  world.run();
  CHECK(events == Events{"1 at 34200000000000", "1 at 34200000000000", "2 at 34200000000005"});
}

TEST_CASE("what has been played is known while it plays, on schedulers with nothing to do, too") {
  Runtime world(simulation(3));
  Events events;
  auto to = world.spawn({.site = 1}, clerk, &events);
  world.spawn({.site = 1}, sends_burst, to, 10, Duration(10));
  world.run_until(time_from_ns(1'000));
  CHECK(to_ns(world.progress()) == 1'000);
  CHECK(world.delivered_so_far() == world.counters().delivered);
}

TEST_CASE("actors that keep each other busy without time going on can be stopped") {
  Runtime world(simulation());
  struct Echo {
    std::atomic<int>* heard;
    Actor operator()(Self<Number> self) const {
      while (auto number = co_await self.receive()) {
        heard->fetch_add(1, std::memory_order_relaxed);
        self.address().send(*number);
      }
    }
  };
  std::atomic<int> heard{0};
  auto to = world.spawn(Echo{&heard});
  to.send(Number{1});
  std::thread stopper([&] {
    while (heard.load(std::memory_order_relaxed) < 1'000) std::this_thread::yield();
    world.stop();
  });
  world.run();
  stopper.join();
  CHECK(to_ns(world.now()) == 0);
  CHECK(world.actors() == 1);
}

TEST_CASE("a hundred thousand actors each sleep ten times") {
  Runtime world(simulation());
  std::int64_t woken = 0;
  for (int i = 0; i < 100'000; ++i) {
    world.spawn(
        [](Self<> self, std::int64_t* count, int seconds) -> Actor {
          for (int beat = 0; beat < 10; ++beat) {
            co_await self.sleep(std::chrono::seconds(seconds));
            ++*count;
          }
        },
        &woken, i % 1'000 + 1);
  }
  world.run();
  CHECK(woken == 1'000'000);
}
