// Groups: one publishes, every member gets a copy.
#include <outcry/runtime/group.hpp>

#include "scenario.hpp"

using namespace scenario;

namespace {

/// Takes `most` numbers and ends.
Actor member(Self<Number> self, std::string name, int most, Events* events) {
  for (int i = 0; i < most; ++i) {
    const auto number = co_await self.receive();
    if (!number) break;
    events->push_back(name + " " + std::to_string(number->value));
  }
}

Actor publisher(Self<> self, Group<Number> group, std::int64_t from, std::int64_t to) {
  co_await self.sleep(Duration(100));
  for (std::int64_t i = from; i <= to; ++i) {
    co_await group.publish(Number{i});
    co_await self.sleep(Duration(100));
  }
}

Actor asks(Self<> self, Group<Number> group, Duration when, std::uint64_t at_least, Events* events, bool* done) {
  co_await self.sleep(when);
  auto asking = group.report();
  auto report = co_await asking;
  while (report->published < at_least) {
    co_await self.sleep(Duration(1'000));
    auto again = group.report();
    report = co_await again;
  }
  events->push_back(std::to_string(report->members) + " members, " + std::to_string(report->published) +
                    " published, " + std::to_string(report->missed) + " missed");
  if (done != nullptr) *done = true;
}

/// Takes nothing before it may.
Actor slow(Self<Number> self, const bool* go, Events* events) {
  while (!*go) co_await self.sleep(Duration(1'000));
  for (;;) {
    const auto number = co_await self.receive_for(Duration(1'000));
    if (!number) break;
    events->push_back(std::to_string(number->value));
  }
}

}  // namespace

TEST_CASE("every member gets what is published, in the order in which they joined, until it leaves or ends") {
  Runtime world(simulation());
  Events events;
  const Group<Number> group(world);
  const auto first = world.spawn(member, std::string("a"), 3, &events);
  const auto second = world.spawn(member, std::string("b"), 1, &events);
  const auto third = world.spawn(member, std::string("c"), 9, &events);
  for (const auto& one : {first, second, third, second}) group.join(one);  // twice is once
  world.spawn(publisher, group, std::int64_t{1}, std::int64_t{4});
  world.spawn(asks, group, Duration(150), std::uint64_t{0}, &events, static_cast<bool*>(nullptr));
  world.run_until(time_from_ns(250));
  group.leave(third);
  world.spawn(asks, group, Duration(500), std::uint64_t{0}, &events, static_cast<bool*>(nullptr));
  world.run();
  CHECK(events == Events{"a 1", "b 1", "c 1", "2 members, 1 published, 0 missed", "a 2", "c 2", "a 3",
                         "0 members, 4 published, 0 missed"});
  CHECK(world.counters().dead_letters == 0);
}

TEST_CASE("a member that is full follows its own policy, and no other member waits for it") {
  struct Case {
    WhenFull when_full;
    Events taken;
    std::uint64_t missed;
  };
  for (const bool virtually : {true, false}) {
    for (const Case& one : {Case{WhenFull::wait, {"1", "2"}, 3}, Case{WhenFull::refuse, {"1", "2"}, 3},
                            Case{WhenFull::drop_oldest, {"4", "5"}, 0}, Case{WhenFull::latest, {"5"}, 0}}) {
      CAPTURE(static_cast<int>(one.when_full));
      CAPTURE(virtually);
      Runtime world(virtually ? simulation() : live());
      Events taken;
      Events others;
      Events report;
      bool go = false;
      const Group<Number> group(world);
      group.join(world.spawn({.mailbox = {.capacity = 2, .when_full = one.when_full}}, slow, &go, &taken));
      group.join(world.spawn(member, std::string("fast"), 5, &others));
      world.spawn(publisher, group, std::int64_t{1}, std::int64_t{5});
      world.spawn(asks, group, Duration(1ms), std::uint64_t{5}, &report, &go);
      world.run();
      CHECK(taken == one.taken);
      CHECK(others == Events{"fast 1", "fast 2", "fast 3", "fast 4", "fast 5"});
      REQUIRE(report.size() == 1);
      if (!(virtually && one.when_full == WhenFull::refuse))
        CHECK(report[0].ends_with(" 5 published, " + std::to_string(one.missed) + " missed"));
      const MailboxCounters mail = world.mailbox_counters();
      CHECK(world.counters().refused + mail.refused >= one.missed);
    }
  }
}

TEST_CASE("members on other schedulers get everything, in one order for all") {
  Runtime world(live(2));
  Events first;
  Events second;
  const Group<Number> group(world);
  group.join(world.spawn({.scheduler = 0}, member, std::string("m"), 100, &first));
  group.join(world.spawn({.scheduler = 1}, member, std::string("m"), 100, &second));
  for (const int scheduler : {0, 1})
    world.spawn(
        {.scheduler = scheduler},
        [](Self<> self, Group<Number> to, std::int64_t base) -> Actor {
          for (std::uint64_t members = 0; members < 2;) {  // the joins come by another way than what is published
            auto asking = to.report();
            const auto report = co_await asking;
            members = report->members;
          }
          for (std::int64_t i = 0; i < 50; ++i) co_await to.publish(Number{base + i});
          static_cast<void>(self);
        },
        group, std::int64_t{scheduler * 1'000});
  world.run();
  CHECK(first.size() == 100);
  CHECK(first == second);
}
