// Delayed messages that can be cancelled, and messages sent again and again without drift.
#include "scenario.hpp"

#include <stdexcept>

using namespace scenario;

namespace {

Actor recorder(Self<Number> self, Events* events) {
  while (auto number = co_await self.receive()) events->push_back(at(self.now()) + " " + std::to_string(number->value));
}

Actor beats(Self<Number> self, Duration period, int count, Events* events) {
  const Alarm beat = self.send_every(period, self.address(), Number{1});
  for (int i = 0; i < count; ++i) {
    co_await self.receive();
    events->push_back(at(self.now()));
    if (i == 1) co_await self.sleep(period * 2 + period / 2);  // late once
  }
  events->push_back(beat.cancel() ? "cancelled" : "nothing to cancel");
  for (;;) {  // what was sent before, on a machine that was late
    const auto earlier = co_await self.receive_until(self.now());
    if (!earlier) break;
  }
  const auto late = co_await self.receive_for(period * 3);
  if (late) events->push_back("a beat after the end");
}

Actor delays(Self<Number> self, Address<Number> to, Address<Text> texts, Events* events) {
  const Alarm first = self.send_after(Duration(10), to, Number{1});
  const Alarm second = self.send_after(Duration(20), to, Number{2});
  const Alarm third = self.send_after(Duration(30), to, Number{3});
  const Alarm boxed = self.send_after(Duration(30), texts, Text("a text that lies on the heap, never sent"));
  const Alarm sent = self.send_after(Duration(5), texts, Text("a text that lies on the heap"));
  co_await self.sleep(Duration(15));
  const auto say = [&](const char* which, const Alarm& alarm) {
    const bool pending = alarm.pending();
    events->push_back(std::string(which) + (pending ? " pending" : " over") +
                      (alarm.cancel() ? ", cancelled" : ", nothing to cancel"));
  };
  say("first", first);
  say("second", second);
  say("second", second);
  say("boxed", boxed);
  say("sent", sent);
  const Alarm fourth = self.send_after(Duration(50), to, Number{4});
  co_await self.sleep(Duration(100));
  say("third", third);
  say("fourth", fourth);
  say("none", Alarm());
}

Actor text_taker(Self<Text> self, Events* events) {
  while (auto text = co_await self.receive()) events->push_back(at(self.now()) + " " + text->text());
}

Actor ends_before(Self<> self, Address<Number> to) {
  self.send_after(Duration(10), to, Number{1});
  self.send_every(Duration(20), to, Number{2});
  co_await self.sleep(Duration(45));
}

Actor many(Self<Number> self, int count, int* received) {
  std::vector<Alarm> alarms;
  for (int i = 0; i < count; ++i) alarms.push_back(self.send_after(Duration(1'000 + i), self.address(), Number{i}));
  for (int i = 0; i < count; ++i)
    if (i % 100 != 0) alarms[static_cast<std::size_t>(i)].cancel();
  for (int i = 0; i < count; ++i) self.send_after(Duration(10), self.address(), Number{-1}).cancel();
  for (;;) {
    const auto number = co_await self.receive_for(Duration(1'000'000));
    if (!number) break;
    if (number->value % 100 != 0) throw std::runtime_error("cancelled, but sent");
    ++*received;
  }
}

}  // namespace

TEST_CASE("a message sent again and again does not drift, is late only with its actor, and ends when it is cancelled") {
  Runtime world(simulation());
  Events events;
  world.spawn(beats, Duration(10), 6, &events);
  world.run();
  // The actor slept from 20 to 45: the beats of 30 and 40 wait in its mailbox, that of 50 is on time.
  CHECK(events == Events{"10", "20", "45", "45", "50", "60", "cancelled"});
}

TEST_CASE("live beats come no sooner than they are due") {
  Runtime world(live());
  Events events;
  const auto before = std::chrono::steady_clock::now();
  world.spawn(beats, Duration(1ms), 6, &events);
  world.run();
  CHECK(std::chrono::steady_clock::now() - before >= 6ms);
  CHECK(events.size() == 7);
  CHECK(events.back() == "cancelled");
}

TEST_CASE("a delayed message that is cancelled is never sent, one that was sent cannot be cancelled") {
  Runtime world(simulation());
  Events events;
  auto numbers = world.spawn(recorder, &events);
  auto texts = world.spawn(text_taker, &events);
  world.spawn(delays, numbers, texts, &events);
  world.run();
  CHECK(events == Events{"5 a text that lies on the heap", "10 1", "first over, nothing to cancel",
                         "second pending, cancelled", "second over, nothing to cancel", "boxed pending, cancelled",
                         "sent over, nothing to cancel", "30 3", "65 4", "third over, nothing to cancel",
                         "fourth over, nothing to cancel", "none over, nothing to cancel"});
}

TEST_CASE("delayed messages end with the actor that left them") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto to = world.spawn(recorder, &events);
    world.spawn(
        [](Self<> self, Address<Number> numbers) -> Actor {
          const auto child = self.spawn(ends_before, numbers);
          static_cast<void>(child);
          co_await self.sleep(1ms);
          numbers.stop();
        },
        to);
    world.run();
    if (virtually) CHECK(events == Events{"10 1", "20 2", "40 2"});
    CHECK(world.actors() == 0);
  }
}

TEST_CASE("ten thousand cancelled messages do not stay") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live());
    int received = 0;
    auto actor = world.spawn({.mailbox = {.capacity = 1 << 16}}, many, 10'000, &received);
    static_cast<void>(actor);
    world.run();
    CHECK(received == 100);
  }
}
