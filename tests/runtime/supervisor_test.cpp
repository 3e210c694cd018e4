// Supervisors: who is started again, when, how often, and what becomes of the others.
#include "scenario.hpp"

#include <stdexcept>

#include <outcry/runtime/selective.hpp>
#include <outcry/runtime/supervisor.hpp>

using namespace scenario;

namespace {

/// A number fails it; zero makes it finish.
Actor worker(Self<Number> self, std::string name, Events* events) {
  events->push_back(at(self.now()) + " " + name + " starts");
  const auto number = co_await self.receive();
  if (!number) events->push_back(at(self.now()) + " " + name + " is stopped");
  if (number && number->value == 0) events->push_back(at(self.now()) + " " + name + " has finished");
  if (number && number->value != 0) throw std::runtime_error(name + " took " + std::to_string(number->value));
}

/// Looks its receiver up for each number, at the moment given.
struct Moment {
  std::int64_t time;
  std::string to;
  std::int64_t number;
};
Actor script(Self<> self, Registry registry, std::vector<Moment> moments, Events* events) {
  for (const Moment& moment : moments) {
    co_await self.sleep_until(time_from_ns(moment.time));
    auto finding = registry.find<Number>(moment.to);
    const auto found = co_await finding;
    if (found) {
      found->send(Number{moment.number});
    } else {
      events->push_back(at(self.now()) + " " + found.why());
    }
  }
}

Supervision fast(Supervision::Strategy strategy, const Registry& registry) {
  return {.strategy = strategy,
          .most = 3,
          .within = Duration(1'000),
          .pause = Duration(10),
          .longest_pause = Duration(40),
          .patience = Duration(100),
          .registry = registry};
}

std::vector<Child> three(Events* events) {
  return {supervised({.name = "a"}, worker, std::string("a"), events),
          supervised({.name = "b"}, worker, std::string("b"), events),
          supervised({.name = "c"}, worker, std::string("c"), events)};
}

/// Three children of one supervisor, of which the second fails at 100.
Events after_failure_of_b(Supervision::Strategy strategy) {
  Runtime world(simulation());
  Events events;
  const Registry registry(world);
  world.spawn({.name = "desk"}, supervisor, fast(strategy, registry), three(&events));
  world.spawn(script, registry, std::vector<Moment>{{100, "b", 7}}, &events);
  world.run();
  return events;
}

}  // namespace

TEST_CASE("one for one: the child that failed starts again, the others go on") {
  CHECK(after_failure_of_b(Supervision::one_for_one) ==
        Events{"0 a starts", "0 b starts", "0 c starts", "110 b starts"});
}

TEST_CASE("one for all: the others are stopped, the last one first, and all start again in their order") {
  CHECK(after_failure_of_b(Supervision::one_for_all) == Events{"0 a starts", "0 b starts", "0 c starts",
                                                               "100 c is stopped", "100 a is stopped", "110 a starts",
                                                               "110 b starts", "110 c starts"});
}

TEST_CASE("rest for one: those after it in the order start again with it") {
  CHECK(after_failure_of_b(Supervision::rest_for_one) ==
        Events{"0 a starts", "0 b starts", "0 c starts", "100 c is stopped", "110 b starts", "110 c starts"});
}

TEST_CASE("whoever looks a child up by its name finds the one that lives") {
  Runtime world(simulation());
  Events events;
  const Registry registry(world);
  world.spawn(supervisor, fast(Supervision::one_for_one, registry), three(&events));
  world.spawn(script, registry, std::vector<Moment>{{100, "b", 7}, {105, "b", 1}, {120, "b", 8}}, &events);
  world.run();
  CHECK(events ==
        Events{"0 a starts", "0 b starts", "0 c starts", "105 no actor is named 'b'", "110 b starts", "140 b starts"});
}

TEST_CASE("pauses double with each restart up to the longest, and a quiet time makes them short again") {
  Runtime world(simulation());
  Events events;
  const Registry registry(world);
  Supervision how = fast(Supervision::one_for_one, registry);
  how.most = 10;
  world.spawn(supervisor, how, std::vector<Child>{supervised({.name = "a"}, worker, std::string("a"), &events)});
  world.spawn(script, registry,
              std::vector<Moment>{{100, "a", 1}, {200, "a", 1}, {300, "a", 1}, {400, "a", 1}, {2'000, "a", 1}},
              &events);
  world.run();
  CHECK(events ==
        Events{"0 a starts", "110 a starts", "220 a starts", "340 a starts", "440 a starts", "2010 a starts"});
}

TEST_CASE("a child is started again always, after abnormal ends, or never, as it was asked for") {
  for (const std::int64_t number : {0, 7}) {
    Runtime world(simulation());
    Events events;
    const Registry registry(world);
    world.spawn(
        supervisor, fast(Supervision::one_for_one, registry),
        std::vector<Child>{
            supervised({.name = "always"}, worker, std::string("always"), &events),
            supervised({.name = "failed", .restart = Restart::transient}, worker, std::string("failed"), &events),
            supervised({.name = "never", .restart = Restart::temporary}, worker, std::string("never"), &events)});
    world.spawn(script, registry,
                std::vector<Moment>{{100, "always", number}, {200, "failed", number}, {300, "never", number}}, &events);
    world.run();
    if (number == 0) {
      CHECK(events == Events{"0 always starts", "0 failed starts", "0 never starts", "100 always has finished",
                             "110 always starts", "200 failed has finished", "300 never has finished"});
    } else {
      CHECK(events ==
            Events{"0 always starts", "0 failed starts", "0 never starts", "110 always starts", "220 failed starts"});
    }
  }
}

TEST_CASE(
    "more restarts than the limit end the supervisor and its children, and whoever supervises it starts them anew") {
  Runtime world(simulation());
  Events events;
  const Registry registry(world);
  Supervision outer = fast(Supervision::one_for_one, registry);
  outer.pause = Duration(500);
  outer.longest_pause = Duration(500);
  Supervision inner = fast(Supervision::one_for_one, registry);
  inner.most = 1;
  world.spawn(
      {.name = "house"}, supervisor, outer,
      std::vector<Child>{supervised({.name = "desk"}, supervisor, inner,
                                    std::vector<Child>{supervised({.name = "a"}, worker, std::string("a"), &events),
                                                       supervised({.name = "b"}, worker, std::string("b"), &events)})});
  world.spawn(script, registry, std::vector<Moment>{{100, "b", 7}, {200, "b", 8}, {300, "a", 1}, {900, "a", 1}},
              &events);
  world.run();
  CHECK(events == Events{"0 a starts", "0 b starts", "110 b starts", "300 no actor is named 'a'", "700 a starts",
                         "700 b starts", "910 a starts"});
  CHECK(world.counters().failures == 4);
}

TEST_CASE("a supervisor that is stopped stops its children, the last one first, and kills who does not heed it") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    Supervision how = fast(Supervision::one_for_one, Registry());
    how.patience = 2ms;
    auto desk = world.spawn(supervisor, how,
                            std::vector<Child>{supervised({.name = "a"}, worker, std::string("a"), &events),
                                               supervised(
                                                   {.name = "deaf"},
                                                   [](Self<> self, Events* list) -> Actor {
                                                     struct Mourner {
                                                       Events* list;
                                                       ~Mourner() { list->push_back("deaf is gone"); }
                                                     } const mourner{list};
                                                     for (;;) {
                                                       co_await self.yield();
                                                       const Time next = later(self.now(), 1ms);
                                                       const selective::Another wait{self.cell(), next,
                                                                                     std::source_location::current()};
                                                       co_await wait;
                                                     }
                                                   },
                                                   &events),
                                               supervised({.name = "c"}, worker, std::string("c"), &events)});
    world.spawn(
        [](Self<> self, AnyAddress to) -> Actor {
          co_await self.sleep(5ms);
          to.stop();
        },
        AnyAddress(desk));
    world.run();
    if (virtually) {
      CHECK(events ==
            Events{"0 a starts", "0 c starts", "5000000 c is stopped", "deaf is gone", "7000000 a is stopped"});
    } else {
      REQUIRE(events.size() == 5);
      CHECK(events[3] == "deaf is gone");
    }
    CHECK(world.actors() == 0);
  }
}

TEST_CASE("the children of a supervisor that is killed end with it") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto desk = world.spawn(supervisor, Supervision{}, three(&events));
    world.spawn(
        [](Self<> self, AnyAddress to) -> Actor {
          co_await self.sleep(1ms);
          to.kill();
        },
        AnyAddress(desk));
    world.run();
    CHECK(world.actors() == 0);
    CHECK(events.size() == 3);
  }
}

TEST_CASE("a supervisor says how many run and how many it has started again") {
  Runtime world(simulation());
  Events events;
  const Registry registry(world);
  auto desk = world.spawn(supervisor, fast(Supervision::one_for_one, registry), three(&events));
  world.spawn(script, registry, std::vector<Moment>{{100, "b", 7}}, &events);
  Events report;
  world.spawn(
      [](Self<> self, Address<Ask<SupervisorQuery>> to, Events* list) -> Actor {
        for (const std::int64_t time : {50, 105, 150}) {
          co_await self.sleep_until(time_from_ns(time));
          auto asking = to.ask(SupervisorQuery{});
          const auto answer = co_await asking;
          list->push_back(std::to_string(answer->running) + " run, " + std::to_string(answer->restarts) +
                          " started again");
        }
      },
      Address<Ask<SupervisorQuery>>(desk), &report);
  world.run();
  CHECK(report == Events{"3 run, 0 started again", "2 run, 1 started again", "3 run, 1 started again"});
}
