// Links: both ends hear of each other's end.
#include "scenario.hpp"

#include <stdexcept>

using namespace scenario;

namespace {

std::string text_of(const Down& down) {
  return std::string(to_string(down.end)) + (down.why().empty() ? "" : ": ") + std::string(down.why());
}

/// Says when it is gone, whichever way it goes.
struct Mourner {
  Events* events;
  std::string name;
  ~Mourner() { events->push_back(name + " is gone"); }
};

/// Links itself to `other`, then waits; a number fails it.
Actor linked(Self<Number> self, std::string name, AnyAddress other, Events* events) {
  const Mourner mourner{events, name};
  if (other) self.link(other);
  const auto number = co_await self.receive();
  if (number) throw std::runtime_error(name + " took " + std::to_string(number->value));
}

Actor trapping(Self<Down, Number> self, AnyAddress other, Events* events) {
  self.trap_ends();
  self.link(other);
  while (auto message = co_await self.receive()) {
    if (const auto* down = std::get_if<Down>(&*message)) events->push_back(text_of(*down));
  }
  events->push_back("the trapper was stopped");
}

Actor watcher(Self<Down> self, AnyAddress watched, Events* events) {
  self.monitor(watched);
  const auto down = co_await self.receive();
  if (down) events->push_back("watched " + text_of(*down));
}

Actor takes_back(Self<Number> self, AnyAddress other, Events* events) {
  self.link(other);
  co_await self.receive();
  self.unlink(other);
  while (auto number = co_await self.receive()) events->push_back("still there " + std::to_string(number->value));
}

Actor parent_of_one(Self<Number> self, Events* events, Address<Number>* child) {
  const Mourner mourner{events, "parent"};
  *child = self.spawn_linked({.name = "child"}, linked, std::string("child"), AnyAddress(), events);
  co_await self.receive();
}

/// The n-th links itself to the one before it, so that one end runs through all.
Actor chain(Self<Number> self, AnyAddress before, int left, Address<Number>* last) {
  if (before) self.link(before);
  if (left == 0) {
    *last = self.address();
  } else {
    self.spawn(chain, AnyAddress(self.address()), left - 1, last);
  }
  const auto number = co_await self.receive();
  if (number) throw std::runtime_error("the last of the chain");
}

Actor ring_member(Self<Number, AnyAddress> self) {
  for (;;) {
    const auto message = co_await self.receive();
    if (!message) break;
    if (const auto* other = std::get_if<AnyAddress>(&*message)) self.link(*other);
    if (std::get_if<Number>(&*message) != nullptr) throw std::runtime_error("a link of the ring");
  }
}

/// What `play` makes of a world, with everything at one place or spread over schedulers.
template <class Play>
void in_every_world(Play play) {
  for (const bool virtually : {true, false}) {
    CAPTURE(virtually);
    play(virtually ? simulation() : live());
  }
}

}  // namespace

TEST_CASE("an abnormal end of one ends the actor that is linked to it, whichever of the two made the link") {
  in_every_world([](RuntimeOptions options) {
    for (const bool first_fails : {true, false}) {
      Runtime world(options);
      Events events;
      auto first = world.spawn(linked, std::string("first"), AnyAddress(), &events);
      auto second = world.spawn(linked, std::string("second"), AnyAddress(first), &events);
      Events heard;
      world.spawn(watcher, AnyAddress(first_fails ? second : first), &heard);
      world.spawn(
          [](Self<> self, Address<Number> to) -> Actor {
            co_await self.sleep(1ms);
            to.send(Number{7});
          },
          first_fails ? first : second);
      world.run();
      CHECK(events ==
            (first_fails ? Events{"first is gone", "second is gone"} : Events{"second is gone", "first is gone"}));
      CHECK(heard == Events{first_fails ? "watched linked: first took 7" : "watched linked: second took 7"});
      CHECK(world.counters().failures == 1);
    }
  });
}

TEST_CASE("a normal end of one leaves the actor that is linked to it alone") {
  Runtime world(simulation());
  Events events;
  auto first = world.spawn(linked, std::string("first"), AnyAddress(), &events);
  auto second = world.spawn(linked, std::string("second"), AnyAddress(first), &events);
  world.run_until(time_from_ns(10));
  first.stop();
  world.run();
  CHECK(events == Events{"first is gone"});
  CHECK(world.actors() == 1);
  second.stop();
  world.run();
  CHECK(world.actors() == 0);
}

TEST_CASE("who traps ends hears of every end as a message and goes on") {
  in_every_world([](RuntimeOptions options) {
    for (const int way : {0, 1, 2}) {
      Runtime world(options);
      Events events;
      Events ignored;
      auto first = world.spawn(linked, std::string("first"), AnyAddress(), &ignored);
      auto trapper = world.spawn(trapping, AnyAddress(first), &events);
      world.spawn(
          [](Self<> self, Address<Number> one, AnyAddress two, int how) -> Actor {
            co_await self.sleep(1ms);
            if (how == 0) one.stop();
            if (how == 1) one.kill();
            if (how == 2) one.send(Number{7});
            co_await self.sleep(1ms);
            two.stop();
          },
          first, AnyAddress(trapper), way);
      world.run();
      CHECK(events == Events{way == 0   ? "finished"
                             : way == 1 ? "killed"
                                        : "failed: first took 7",
                             "the trapper was stopped"});
    }
  });
}

TEST_CASE("a link to an actor that has ended counts as its failure") {
  in_every_world([](RuntimeOptions options) {
    Runtime world(options);
    Events events;
    auto ended = world.spawn(linked, std::string("early"), AnyAddress(), &events);
    ended.stop();
    world.spawn(
        [](Self<> self, AnyAddress late, Events* list) -> Actor {
          co_await self.sleep(1ms);
          self.spawn(trapping, late, list);
          self.spawn(linked, std::string("late"), late, list);
        },
        AnyAddress(ended), &events);
    world.spawn(
        [](Self<> self, Runtime* all) -> Actor {
          co_await self.sleep(20ms);
          all->stop();
        },
        &world);
    world.run();
    CHECK(events == Events{"early is gone", "gone", "late is gone"});
  });
}

TEST_CASE("nothing is heard of an actor after its link was taken back, by neither end") {
  Runtime world(simulation());
  Events events;
  auto first = world.spawn(linked, std::string("first"), AnyAddress(), &events);
  auto second = world.spawn(takes_back, AnyAddress(first), &events);
  world.run_until(time_from_ns(10));
  second.send(Number{1});
  world.run_until(time_from_ns(20));
  first.send(Number{7});
  second.send(Number{2});
  world.run();
  CHECK(events == Events{"first is gone", "still there 2"});
  CHECK(world.actors() == 1);
}

TEST_CASE("a child that was spawned linked ends with its parent, and the parent with it") {
  in_every_world([](RuntimeOptions options) {
    for (const bool parent_first : {true, false}) {
      Runtime world(options);
      Events events;
      Address<Number> child;
      auto parent = world.spawn(parent_of_one, &events, &child);
      world.spawn(
          [](Self<> self, AnyAddress one, Address<Number>* two, bool first) -> Actor {
            co_await self.sleep(1ms);
            if (first) {
              one.kill();
            } else {
              two->send(Number{1});
            }
          },
          AnyAddress(parent), &child, parent_first);
      world.run();
      CHECK(events ==
            (parent_first ? Events{"parent is gone", "child is gone"} : Events{"child is gone", "parent is gone"}));
    }
  });
}

TEST_CASE("an end runs through a chain of a hundred thousand links, and around a ring") {
  in_every_world([](RuntimeOptions options) {
    Runtime world(options);
    Address<Number> last;
    world.spawn(chain, AnyAddress(), 100'000, &last);
    world.spawn(
        [](Self<> self, Address<Number>* to) -> Actor {
          while (!*to) co_await self.sleep(1ms);
          to->send(Number{1});
        },
        &last);

    std::vector<Address<Number, AnyAddress>> ring;
    for (int i = 0; i < 5; ++i) ring.push_back(world.spawn(ring_member));
    for (std::size_t i = 0; i < 5; ++i) ring[i].send(AnyAddress(ring[(i + 1) % 5]));
    ring[2].send(Number{1});

    world.run();
    CHECK(world.actors() == 0);
    CHECK(world.counters().failures == 2);
  });
}

TEST_CASE("a live link holds across schedulers") {
  Runtime world(live(2));
  Events first_events;
  Events second_events;
  auto first = world.spawn({.scheduler = 0}, linked, std::string("first"), AnyAddress(), &first_events);
  world.spawn({.scheduler = 1}, linked, std::string("second"), AnyAddress(first), &second_events);
  world.spawn(
      {.scheduler = 1},
      [](Self<> self, Address<Number> to) -> Actor {
        co_await self.sleep(5ms);
        to.send(Number{7});
      },
      first);
  world.run();
  CHECK(first_events == Events{"first is gone"});
  CHECK(second_events == Events{"second is gone"});
}
