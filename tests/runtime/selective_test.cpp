// Selective receive, and behaviours as sets of handlers.
#include "../seed.hpp"
#include "scenario.hpp"

#include <algorithm>
#include <deque>

using namespace scenario;

namespace {

struct Fill {
  std::int64_t order = 0;
};
struct Reject {
  std::int64_t order = 0;
};
struct Square {
  using Reply = Number;
  std::int64_t value = 0;
};

using Desk = Self<Number, Fill, Reject, Text, Down>;

std::string text_of(const Number& number) { return "number " + std::to_string(number.value); }
std::string text_of(const Fill& fill) { return "fill " + std::to_string(fill.order); }
std::string text_of(const Reject& reject) { return "reject " + std::to_string(reject.order); }
std::string text_of(const Text& text) { return "text " + text.text(); }
std::string text_of(const Down& down) { return to_string(down.end); }
template <class... Ms>
std::string text_of(const std::variant<Ms...>& message) {
  return std::visit([](const auto& one) { return text_of(one); }, message);
}

/// Takes what comes, of any type.
Task<> takes_the_rest(Desk self, Events* events) {
  for (;;) {
    const auto message = co_await self.receive();
    if (!message) break;
    events->push_back("rest: " + text_of(*message));
  }
}

Actor by_type(Desk self, Events* events) {
  for (int i = 0; i < 3; ++i) {
    auto taking = self.receive<Fill, Reject>();
    const auto message = co_await taking;
    if (message) events->push_back(at(self.now()) + " " + text_of(*message));
  }
  auto rest = takes_the_rest(self, events);
  co_await rest;
}

Actor by_order(Desk self, std::int64_t wanted, Events* events) {
  const auto mine = [wanted](const Fill& fill) { return fill.order == wanted; };
  auto taking = self.receive_if(mine);
  const auto fill = co_await taking;
  events->push_back(fill ? text_of(*fill) : "no fill");
  auto rest = takes_the_rest(self, events);
  co_await rest;
}

Actor until(Desk self, Time deadline, Events* events) {
  auto taking = self.receive_until<Fill>(deadline);
  const auto fill = co_await taking;
  events->push_back(at(self.now()) + " " + (fill ? text_of(*fill) : std::string("no fill")));
  auto rest = takes_the_rest(self, events);
  co_await rest;
}

Actor waits_for_end(Desk self, AnyAddress other, Events* events) {
  self.monitor(other);
  co_await self.sleep(1ms);
  auto taking = self.receive<Down>();
  const auto down = co_await taking;
  events->push_back(text_of(*down));
  auto rest = takes_the_rest(self, events);
  co_await rest;
}

Actor ends_at_once(Self<>) { co_return; }

template <class To, class... Ms>
Actor sends_each(Self<> self, To to, Duration pause, Ms... messages) {
  Time next = self.now();
  for (const auto& send : {std::function<void()>([&] { to.send(messages); })...}) {
    next = later(next, pause);
    co_await self.sleep_until(next);
    send();
  }
  co_await self.sleep(pause);
  to.stop();
}

/// Draws what it wants and compares with a plain list.
Actor compares(Self<Number, Fill, Reject> self, int rounds, int* checked) {
  Random& random = self.random();
  std::deque<std::string> model;
  std::int64_t next = 0;
  for (int round = 0; round < rounds; ++round) {
    for (auto left = random.below(4); left > 0; --left) {
      switch (random.below(3)) {
        case 0: self.address().send(Number{++next}); break;
        case 1: self.address().send(Fill{++next}); break;
        default: self.address().send(Reject{++next});
      }
    }
    co_await self.sleep(Duration(1));
    model.clear();
    self.cell()->mailbox.for_each([&](Mailbox::Slot& slot) {
      if (slot.type == &message_type<Number>) model.push_back(text_of(*Payload<Number>::in(slot.payload())));
      if (slot.type == &message_type<Fill>) model.push_back(text_of(*Payload<Fill>::in(slot.payload())));
      if (slot.type == &message_type<Reject>) model.push_back(text_of(*Payload<Reject>::in(slot.payload())));
    });
    const std::string prefix = random.coin() ? "fill" : "number";
    const auto wanted = std::find_if(
        model.begin(), model.end(), [&](const std::string& one) { return one.compare(0, prefix.size(), prefix) == 0; });
    std::string got = "nothing";
    if (prefix == "fill") {
      auto taking = self.receive_until<Fill>(self.now());
      const auto fill = co_await taking;
      if (fill) got = text_of(*fill);
    } else {
      auto taking = self.receive_until<Number>(self.now());
      const auto number = co_await taking;
      if (number) got = text_of(*number);
    }
    REQUIRE(got == (wanted == model.end() ? "nothing" : *wanted));
    if (wanted != model.end()) model.erase(wanted);
    std::deque<std::string> left;
    self.cell()->mailbox.for_each([&](Mailbox::Slot& slot) {
      left.push_back(slot.type == &message_type<Number> ? text_of(*Payload<Number>::in(slot.payload()))
                     : slot.type == &message_type<Fill> ? text_of(*Payload<Fill>::in(slot.payload()))
                                                        : text_of(*Payload<Reject>::in(slot.payload())));
    });
    REQUIRE(left == model);
    ++*checked;
  }
}

struct Level {
  std::uint64_t price = 0;
  std::int64_t quantity = 0;
  std::uint64_t conflation_key() const { return price; }
};

Actor conflated(Self<Level, Number> self, Events* events) {
  co_await self.sleep(Duration(10));
  auto taking = self.receive<Number>();
  co_await taking;
  self.address().send(Level{2, 25});  // replaces the waiting one, which has moved
  self.address().send(Level{1, 15});
  co_await self.sleep(Duration(1));
  const auto second = [](const Level& level) { return level.price == 2; };
  auto one = self.receive_if(second);
  const auto level = co_await one;
  events->push_back(std::to_string(level->quantity));
  self.address().send(Level{2, 29});
  co_await self.sleep(Duration(1));
  self.address().stop();
  for (;;) {
    const auto message = co_await self.receive();
    if (!message) break;
    if (const auto* left = std::get_if<Level>(&*message))
      events->push_back(std::to_string(left->price) + " x " + std::to_string(left->quantity));
  }
}

Actor served(Self<Number, Text, Ask<Square>> self, Events* events) {
  co_await self.serve(
      [&](const Number& number) {
        events->push_back(text_of(number));
        return number.value < 3;
      },
      [&](const Text& text) -> Task<> {
        const std::string& kept = text.text();  // the message lives until the task has ended
        co_await self.sleep(Duration(5));
        events->push_back(at(self.now()) + " " + kept);
      },
      [&](const Ask<Square>& ask) { ask.reply(Number{ask.query.value * ask.query.value}); });
  events->push_back(self.stopping() ? "stopped" : "has enough");
}

Actor serves_one(Self<Number> self, Events* events) {
  co_await self.serve([events](Number number) { events->push_back(text_of(number)); });
}

struct OnNumber {
  void operator()(const Number&) const {}
};
struct OnText {
  void operator()(const Text&) const {}
};
static_assert(serves<Self<Number, Text>, OnNumber, OnText>);
static_assert(!serves<Self<Number, Text>, OnNumber>, "a message without a handler does not compile");
static_assert(!serves<Self<Number, Text, Down>, OnNumber, OnText>);

}  // namespace

TEST_CASE("an actor takes messages of the types that it wants, and the others later, in their order") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto desk = world.spawn(by_type, &events);
    desk.send(Number{1});
    desk.send(Fill{1});
    desk.send(Text("a"));
    desk.send(Reject{2});
    desk.send(Number{2});
    desk.send(Fill{3});
    desk.send(Fill{4});
    desk.stop();
    world.run();
    for (std::size_t i = 0; i < 3 && i < events.size() && !virtually; ++i)
      events[i].replace(0, events[i].find(' '), 1, '0');
    CHECK(events == Events{"0 fill 1", "0 reject 2", "0 fill 3", "rest: number 1", "rest: text a", "rest: number 2",
                           "rest: fill 4"});
  }
}

TEST_CASE("an actor waits for the fill of one order, whatever else comes meanwhile") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto desk = world.spawn(by_order, std::int64_t{3}, &events);
    world.spawn(sends_each<decltype(desk), Fill, Number, Fill, Fill>, desk, Duration(10), Fill{1}, Number{5}, Fill{3},
                Fill{2});
    world.run();
    CHECK(events == Events{"fill 3", "rest: fill 1", "rest: number 5", "rest: fill 2"});
  }
}

TEST_CASE(
    "a selective receive ends at its time though other messages keep coming, and when the actor is told to stop") {
  Runtime world(simulation());
  Events events;
  auto desk = world.spawn(until, time_from_ns(25), &events);
  world.spawn(sends_each<decltype(desk), Number, Number, Fill>, desk, Duration(10), Number{1}, Number{2}, Fill{3});
  world.run();
  CHECK(events == Events{"25 no fill", "rest: number 1", "rest: number 2", "rest: fill 3"});

  Runtime other(simulation());
  Events stopped;
  auto waiting = other.spawn(until, never, &stopped);
  waiting.send(Number{1});
  other.run_until(time_from_ns(5));
  waiting.stop();
  other.run();
  CHECK(stopped == Events{"5 no fill", "rest: number 1"});
}

TEST_CASE("news of an end are taken from behind a mailbox that is full of other messages") {
  for (const WhenFull policy : {WhenFull::wait, WhenFull::refuse, WhenFull::drop_oldest, WhenFull::latest}) {
    Runtime world(simulation());
    Events events;
    const auto other = world.spawn(ends_at_once);
    auto desk =
        world.spawn({.mailbox = {.capacity = 2, .when_full = policy}}, waits_for_end, AnyAddress(other), &events);
    desk.send(Number{1});
    desk.send(Fill{2});
    world.run();
    CHECK(events == Events{"gone", "rest: number 1", "rest: fill 2"});
  }
}

TEST_CASE("a message taken out of turn leaves the rest as a plain list would") {
  const std::uint64_t seed = test_seed();
  INFO("--seed=" << seed);
  for (const WhenFull policy : {WhenFull::wait, WhenFull::refuse, WhenFull::drop_oldest}) {
    RuntimeOptions options = simulation();
    options.seed = seed;
    Runtime world(options);
    int checked = 0;
    world.spawn({.mailbox = {.capacity = 16, .when_full = policy}}, compares, 300, &checked);
    world.run();
    CHECK(checked == 300);
  }
}

TEST_CASE("the latest quote replaces the waiting one of its price after others were taken out from around it") {
  Runtime world(simulation());
  Events events;
  auto taker = world.spawn({.mailbox = {.capacity = 8, .when_full = WhenFull::latest}}, conflated, &events);
  taker.send(Level{1, 10});
  taker.send(Level{2, 20});
  taker.send(Number{1});
  taker.send(Level{3, 30});
  world.run();
  CHECK(events == Events{"25", "1 x 15", "3 x 30", "2 x 29"});
}

TEST_CASE("a set of handlers serves every message until a handler has enough or the actor is stopped") {
  for (const std::int64_t last : {2, 3}) {
    Runtime world(simulation());
    Events events;
    auto server = world.spawn(served, &events);
    server.send(Number{1});
    server.send(Text("in between"));
    server.send(Number{last});
    server.send(Number{0});
    world.spawn(
        [](Self<> self, Address<Ask<Square>> to, AnyAddress all, Events* list) -> Actor {
          auto asking = to.ask(Square{7});
          const auto answer = co_await asking;
          list->push_back(answer ? "square " + std::to_string(answer->value) : "no square");
          all.stop();
          static_cast<void>(self);
        },
        Address<Ask<Square>>(server), AnyAddress(server), &events);
    world.run();
    if (last == 2) {
      CHECK(events == Events{"number 1", "5 in between", "number 2", "number 0", "square 49", "stopped"});
    } else {
      CHECK(events == Events{"number 1", "5 in between", "number 3", "has enough", "no square"});
    }
  }
}

TEST_CASE("an actor of one message serves it with one handler") {
  Runtime world(live());
  Events events;
  auto server = world.spawn(serves_one, &events);
  server.send(Number{1});
  server.send(Number{2});
  server.stop();
  world.run();
  CHECK(events == Events{"number 1", "number 2"});
}
