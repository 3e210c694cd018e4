// What a cancelled await gives back.
#include <outcry/runtime/stop_token.hpp>

#include "scenario.hpp"

#include <thread>

#include <outcry/runtime/channel.hpp>
#include <outcry/runtime/offload.hpp>

using namespace scenario;

namespace {

struct Question {
  using Reply = Number;
  std::int64_t value = 0;
};

Actor silent(Self<Number, Ask<Question>> self) { co_await self.sleep(1h); }

/// One await of each kind, each ended by a token of its own, one after the other.
Actor cancelled_everywhere(Self<Number> self, std::vector<std::stop_source>* sources,
                           Address<Number, Ask<Question>> other, Channel<int>* channel, Events* events) {
  const auto note = [&](const std::string& what) { events->push_back(at(self.now()).append(" ").append(what)); };
  const auto token = [&](std::size_t i) { return (*sources)[i].get_token(); };
  {
    auto receiving = until_stopped(token(0), self.receive());
    const auto message = co_await receiving;
    note(message ? "a message" : self.stopping() ? "stopped" : "no message");
  }
  {
    auto receiving = until_stopped(token(1), self.receive_batch());
    auto batch = co_await receiving;
    note("a batch of " + std::to_string(batch.size()));
  }
  {
    auto sleeping = until_stopped(token(2), self.sleep(1h));
    const bool rested = co_await sleeping;
    note(rested ? "rested" : "not rested");
  }
  {
    auto asking = other.ask(Question{1});
    auto cancellable = until_stopped(token(3), asking);
    const auto answer = co_await cancellable;
    note(answer.error() == AskError::cancelled ? "ask cancelled" : "another end of the ask");
  }
  {
    other.send(Number{1});
    other.send(Number{2});  // now it is full: the ask is there, too
    auto sending = other.send(Number{3});
    auto cancellable = until_stopped(token(4), sending);
    const bool sent = co_await cancellable;
    note(sent ? "sent" : "not sent");
  }
  {
    auto receiving = channel->receive();
    auto cancellable = until_stopped(token(5), receiving);
    const auto value = co_await cancellable;
    note(value ? "a value" : "no value");
  }
  {
    const bool first = co_await channel->send(1);
    auto sending = channel->send(2);
    auto cancellable = until_stopped(token(6), sending);
    const bool second = co_await cancellable;
    note(std::string(first ? "one sent" : "none sent") + (second ? ", and another" : ", the other not"));
  }
  {
    auto working = until_stopped(token(7), offload(self, [] { return 7; }, 1h));
    const auto result = co_await working;
    note(result ? "a result" : "no result");
  }
  {
    auto beat = self.every(1h);
    auto beating = until_stopped(token(8), beat);
    const bool on_time = co_await beating;
    note(on_time ? "a beat" : "no beat");
  }
  {
    auto receiving = self.receive<Number>(token(9));
    const auto number = co_await receiving;
    note(number ? "a number" : "no number");
  }
  {
    self.address().send(Number{1});
    auto receiving = self.receive_if([](const Number& number) { return number.value == 2; }, token(10));
    const auto number = co_await receiving;
    note(number ? "a two" : "no two");
  }
}

constexpr std::size_t awaits = 11;

Actor cancels(Self<> self, std::vector<std::stop_source>* sources) {
  for (std::stop_source& source : *sources) {
    co_await self.sleep(Duration(10));
    source.request_stop();
  }
}

/// Awaits with a token that has asked already.
Actor too_late(Self<Number> self, Address<Ask<Question>> other, Events* events) {
  std::stop_source source;
  source.request_stop();
  self.address().send(Number{1});
  co_await self.yield();
  const auto ready = co_await until_stopped(source.get_token(), self.receive());
  events->push_back(ready ? "what was there" : "nothing");
  const auto nothing = co_await until_stopped(source.get_token(), self.receive());
  events->push_back(nothing ? "something" : "nothing");
  auto asking = other.ask(Question{1});
  const auto answer = co_await until_stopped(source.get_token(), asking);
  events->push_back(answer.error() == AskError::cancelled ? "not asked" : "asked");
  const bool rested = co_await until_stopped(source.get_token(), self.sleep(1h));
  events->push_back(rested ? "rested" : "not rested");
}

Actor not_cancelled(Self<Number> self, Events* events) {
  std::stop_source source;
  for (int i = 0; i < 3; ++i) {
    const auto number = co_await until_stopped(source.get_token(), self.receive());
    if (number) events->push_back(std::to_string(number->value));
  }
  const bool rested = co_await until_stopped(source.get_token(), self.sleep(Duration(5)));
  events->push_back(rested ? "rested" : "not rested");
  source.request_stop();  // of what is over
  const bool again = co_await self.sleep(Duration(5));
  events->push_back(again ? "rested again" : "not rested");
}

Actor waits(Self<Number> self, std::stop_token token, std::atomic<int>* cancelled, std::atomic<int>* started) {
  ++*started;
  const auto number = co_await until_stopped(token, self.receive());
  if (!number) ++*cancelled;
}

}  // namespace

TEST_CASE("an await that is cancelled says so in its own way, and the actor goes on") {
  Runtime world(simulation());
  Events events;
  std::vector<std::stop_source> sources(awaits);
  Channel<int> channel(1);
  auto other = world.spawn({.mailbox = {.capacity = 2}}, silent);
  world.spawn(cancelled_everywhere, &sources, other, &channel, &events);
  world.spawn(cancels, &sources);
  world.run();
  CHECK(events == Events{"10 no message", "20 a batch of 0", "30 not rested", "40 ask cancelled", "50 not sent",
                         "60 no value", "70 one sent, the other not", "80 no result", "90 no beat", "100 no number",
                         "110 no two"});
}

TEST_CASE("with a token that has asked before, only what is ready at once is given") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto other = world.spawn(silent);
    world.spawn(too_late, Address<Ask<Question>>(other), &events);
    world.spawn(
        [](Self<> self, AnyAddress last) -> Actor {
          co_await self.sleep(1ms);
          last.kill();
        },
        AnyAddress(other));
    world.run();
    CHECK(events == Events{"what was there", "nothing", "not asked", "not rested"});
  }
}

TEST_CASE("a token that does not ask changes nothing") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto actor = world.spawn(not_cancelled, &events);
    for (int i = 1; i <= 3; ++i) actor.send(Number{i});
    world.run();
    CHECK(events == Events{"1", "2", "3", "rested", "rested again"});
  }
}

TEST_CASE("a stop is requested from another thread, or from an actor on another scheduler, while actors come and go") {
  for (const bool from_actor : {true, false}) {
    Runtime world(live(2));
    std::stop_source source;
    std::atomic<int> cancelled{0};
    std::atomic<int> started{0};
    for (int i = 0; i < 100; ++i) {
      auto actor = world.spawn({.scheduler = i % 2}, waits, source.get_token(), &cancelled, &started);
      if (i % 4 == 0) actor.kill();
    }
    std::thread thread;
    if (from_actor) {
      world.spawn(
          {.scheduler = 1},
          [](Self<> self, std::stop_source* stop, std::atomic<int>* count) -> Actor {
            while (*count < 75) co_await self.yield();
            stop->request_stop();
          },
          &source, &started);
    } else {
      thread = std::thread([&] {
        while (started < 75) std::this_thread::yield();
        source.request_stop();
      });
    }
    world.run();
    if (thread.joinable()) thread.join();
    CHECK(cancelled >= 75);
    CHECK(world.actors() == 0);
  }
}
