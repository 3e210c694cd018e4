// What the runtime itself says (stop, kill, the end of another, links, timers, answers) reaches an actor whose mailbox is
// full, whatever its policy; and what becomes of a message to a full, an ended, a far actor.
#include "scenario.hpp"

#include <stdexcept>

using namespace scenario;

namespace {

struct Question {
  using Reply = Number;
  std::int64_t value = 0;
};

constexpr WhenFull policies[] = {WhenFull::wait, WhenFull::refuse, WhenFull::drop_oldest, WhenFull::latest};

Actor oracle(Self<Ask<Question>> self) {
  while (auto ask = co_await self.receive()) ask->reply(Number{ask->query.value * 2});
}

Actor ends_at(Self<> self, Duration when) { co_await self.sleep(when); }
Actor fails_at(Self<> self, Duration when) {
  co_await self.sleep(when);
  throw std::runtime_error("as planned");
}

/// Its mailbox is full before it takes anything; meanwhile everything that the runtime can say is said to it.
Actor crammed(Self<Number, Down> self, Address<Ask<Question>> asked, AnyAddress watched, AnyAddress linked,
              Events* events) {
  self.trap_ends();
  self.monitor(watched);
  self.link(linked);
  co_await self.sleep(1ms);  // a timer
  events->push_back("timer");
  auto asking = asked.ask(Question{21});
  const auto answer = co_await asking;  // an answer
  events->push_back("answer " + std::to_string(answer->value));
  asked.stop();
  int downs = 0;
  for (;;) {
    const auto message = co_await self.receive();
    if (!message) break;
    if (const auto* down = std::get_if<Down>(&*message)) {
      ++downs;
      events->push_back(std::string(to_string(down->end)) + " " + std::string(down->why()));
    }
  }
  events->push_back(std::to_string(downs) + " ends heard, then the stop");
}

Actor crams(Self<> self, Address<Number> to, std::int64_t count, AnyAddress then_stop) {
  for (std::int64_t i = 0; i < count; ++i) to.send(Number{i});
  co_await self.sleep(3ms);
  for (std::int64_t i = 0; i < count; ++i) to.send(Number{i});
  then_stop.stop();
}

Actor full_and_deaf(Self<Number> self, Events* events) {
  struct Mourner {
    Events* events;
    ~Mourner() { events->push_back("gone"); }
  } const mourner{events};
  co_await self.sleep(1h);
  for (;;) co_await self.yield();
}

enum class Place { here, elsewhere };

/// What send() says, awaited and not. `go` lets the receiver take: before a send that waits for it, else afterwards.
Actor tries(Self<> self, Address<Number> to, bool waits, std::atomic<bool>* go, Events* events) {
  co_await self.sleep(1ms);
  const bool handed_over = to.send(Number{1}).accepted();
  events->push_back(handed_over ? "handed over" : "not handed over");
  if (waits) *go = true;
  const bool delivered = co_await to.send(Number{2});
  events->push_back(delivered ? "delivered" : "not delivered");
  to.stop();
}

/// Takes nothing before it may, or was told to stop, which comes behind all that the same sender sent; then all.
Actor sleepy(Self<Number> self, std::atomic<bool>* go, Events* events) {
  while (!*go && !self.stopping()) co_await self.sleep(1ms);
  while (auto number = co_await self.receive()) events->push_back("took " + std::to_string(number->value));
}

}  // namespace

TEST_CASE("stop, ends, links, timers and answers reach a full mailbox under every policy") {
  for (const bool virtually : {true, false}) {
    for (const WhenFull policy : policies) {
      CAPTURE(static_cast<int>(policy));
      CAPTURE(virtually);
      Runtime world(virtually ? simulation() : live());
      Events events;
      auto asked = world.spawn(oracle);
      auto watched = world.spawn(ends_at, Duration(500us));
      auto linked = world.spawn(fails_at, Duration(600us));
      auto to = world.spawn({.mailbox = {.capacity = 2, .when_full = policy}}, crammed, Address<Ask<Question>>(asked),
                            AnyAddress(watched), AnyAddress(linked), &events);
      world.spawn(crams, Address<Number>(to), std::int64_t{50}, AnyAddress(to));
      world.run();
      CHECK(events == Events{"timer", "answer 42", "finished ", "failed as planned", "2 ends heard, then the stop"});
      CHECK(world.actors() == 0);
    }
  }
}

TEST_CASE("a kill reaches a full mailbox under every policy") {
  for (const WhenFull policy : policies) {
    Runtime world(live());
    Events events;
    auto to = world.spawn({.mailbox = {.capacity = 1, .when_full = policy}}, full_and_deaf, &events);
    world.spawn(
        [](Self<> self, Address<Number> victim) -> Actor {
          for (int i = 0; i < 10; ++i) victim.send(Number{i});
          co_await self.sleep(1ms);
          victim.kill();
        },
        to);
    world.run();
    CHECK(events == Events{"gone"});
  }
}

TEST_CASE(
    "a message to a full actor waits, is refused, or takes the place of an older one, here and on another scheduler") {
  struct Case {
    WhenFull policy;
    Events sender;
    Events receiver;
  };
  for (const Place place : {Place::here, Place::elsewhere}) {
    for (const Case& one : {Case{WhenFull::wait, {"not handed over", "delivered"}, {"took 10", "took 11", "took 2"}},
                            Case{WhenFull::refuse, {"not handed over", "not delivered"}, {"took 10", "took 11"}},
                            Case{WhenFull::drop_oldest, {"handed over", "delivered"}, {"took 1", "took 2"}},
                            Case{WhenFull::latest, {"handed over", "delivered"}, {"took 2"}}}) {
      CAPTURE(static_cast<int>(one.policy));
      CAPTURE(static_cast<int>(place));
      Runtime world(live(2));
      Events sender;
      Events receiver;
      std::atomic<bool> go{false};
      // Capacity 2 for senders here; a sender on the other scheduler has a credit of half the capacity.
      const std::uint32_t capacity = place == Place::here ? 2 : 4;
      const bool bounded = one.policy == WhenFull::wait || one.policy == WhenFull::refuse || place == Place::here;
      auto to = world.spawn({.scheduler = 0, .mailbox = {.capacity = bounded ? capacity : 2, .when_full = one.policy}},
                            sleepy, &go, &receiver);
      world.spawn(
          {.scheduler = place == Place::here ? 0 : 1},
          [](Self<> self, Address<Number> full, bool waits, std::atomic<bool>* start, Events* list) -> Actor {
            full.send(Number{10});
            full.send(Number{11});
            self.spawn(tries, full, waits, start, list);
            co_return;
          },
          to, one.policy == WhenFull::wait, &go, &sender);
      world.run();
      CHECK(sender == one.sender);
      CHECK(receiver == one.receiver);
    }
  }
}

TEST_CASE(
    "a message to an actor that has ended is a dead letter, counted, and whoever waits for room there hears of it") {
  for (const Place place : {Place::here, Place::elsewhere}) {
    for (const WhenFull policy : policies) {
      CAPTURE(static_cast<int>(policy));
      CAPTURE(static_cast<int>(place));
      Runtime world(live(2));
      Events sender;
      std::atomic<bool> go{false};
      auto to =
          world.spawn({.scheduler = 0, .mailbox = {.when_full = policy}}, [](Self<Number>) -> Actor { co_return; });
      world.spawn({.scheduler = place == Place::here ? 0 : 1}, tries, to, false, &go, &sender);
      world.run();
      if (place == Place::here) {
        CHECK(sender == Events{"not handed over", "not delivered"});
      } else {  // the first goes on its way; the second may go, too, before the news of the end are back
        REQUIRE(sender.size() == 2);
        CHECK(sender[0] == "handed over");
      }
    }
  }
}
