// Channels between the tasks of one scheduler.
#include <outcry/runtime/channel.hpp>

#include "../seed.hpp"
#include "scenario.hpp"

#include <stdexcept>

#include <outcry/runtime/scope.hpp>

using namespace scenario;

namespace {

Actor puts_values(Self<> self, Channel<int>* channel, int from, int to, Events* events) {
  for (int i = from; i <= to; ++i) {
    const bool sent = co_await channel->send(i);
    events->push_back((sent ? "sent " : "closed before ") + std::to_string(i));
    if (!sent) break;
  }
  static_cast<void>(self);
}

Actor gets_values(Self<> self, Channel<int>* channel, Duration before, std::string name, Events* events) {
  co_await self.sleep(before);
  for (;;) {
    const auto value = co_await channel->receive();
    if (!value) break;
    events->push_back(name + " " + std::to_string(*value));
  }
  events->push_back(name + " ends");
}

Actor closes(Self<> self, Channel<int>* channel, Duration when) {
  co_await self.sleep(when);
  channel->close();
}

Actor moves(Self<> self, Channel<std::unique_ptr<int>>* from, Channel<std::unique_ptr<int>>* to, std::int64_t* sum) {
  for (;;) {
    auto value = co_await from->receive();
    if (!value) break;
    *sum += **value;
    if (to == nullptr) continue;
    auto sending = to->send(std::move(*value));
    const bool sent = co_await sending;
    if (!sent) break;
    if (self.random().chance(0.1)) co_await self.yield();
  }
  if (to != nullptr) to->close();
}

}  // namespace

TEST_CASE("a channel hands values over in order and makes the sender wait for room") {
  Runtime world(simulation());
  Events events;
  Channel<int> channel(2);
  world.spawn(puts_values, &channel, 1, 4, &events);
  world.spawn(gets_values, &channel, Duration(10), std::string("got"), &events);
  world.spawn(closes, &channel, Duration(20));
  world.run();
  CHECK(events == Events{"sent 1", "sent 2", "got 1", "got 2", "got 3", "sent 3", "sent 4", "got 4", "got ends"});
}

TEST_CASE("a closed channel gives what it holds and then nothing, and whoever waits to send is told") {
  Runtime world(simulation());
  Events events;
  Channel<int> channel(1);
  world.spawn(puts_values, &channel, 1, 3, &events);
  world.spawn(closes, &channel, Duration(5));
  world.spawn(gets_values, &channel, Duration(10), std::string("got"), &events);
  world.run();
  CHECK(events == Events{"sent 1", "closed before 2", "got 1", "got ends"});
  CHECK(!channel.try_send(4));
  CHECK(!channel.try_receive());
}

TEST_CASE("receivers are served in the order in which they came, but for those that have ended") {
  Runtime world(simulation());
  Events events;
  Channel<int> channel(1);
  world.spawn(gets_values, &channel, Duration(1), std::string("first"), &events);
  const auto second = world.spawn(gets_values, &channel, Duration(2), std::string("second"), &events);
  world.spawn(gets_values, &channel, Duration(3), std::string("third"), &events);
  world.run_until(time_from_ns(5));
  second.kill();
  world.run_until(time_from_ns(6));
  world.spawn(puts_values, &channel, 1, 2, &events);
  world.run_until(time_from_ns(10));
  world.spawn(closes, &channel, Duration(1));
  world.run();
  CHECK(events == Events{"sent 1", "sent 2", "first 1", "third 2", "first ends", "third ends"});
}

TEST_CASE("nothing is lost and nothing is doubled on a line of channels") {
  const std::uint64_t seed = test_seed();
  INFO("--seed=" << seed);
  for (const bool virtually : {true, false}) {
    RuntimeOptions options = virtually ? simulation() : live();
    options.seed = seed;
    Runtime world(options);
    std::vector<std::unique_ptr<Channel<std::unique_ptr<int>>>> line;
    line.reserve(4);
    for (std::size_t i = 0; i < 4; ++i) line.push_back(std::make_unique<Channel<std::unique_ptr<int>>>(i + 1));
    std::int64_t sums[4] = {};
    for (std::size_t i = 0; i < 4; ++i)
      world.spawn(moves, line[i].get(), i + 1 < 4 ? line[i + 1].get() : nullptr, &sums[i]);
    world.spawn(
        [](Self<> self, Channel<std::unique_ptr<int>>* first) -> Actor {
          for (int i = 1; i <= 1'000; ++i) {
            auto sending = first->send(std::make_unique<int>(i));
            co_await sending;
          }
          first->close();
          static_cast<void>(self);
        },
        line[0].get());
    world.run();
    for (const std::int64_t sum : sums) CHECK(sum == 500'500);
    CHECK(world.actors() == 0);
  }
}

TEST_CASE("a channel is for one scheduler, and in a simulation for one site") {
  for (const bool virtually : {true, false}) {
    Runtime world(virtually ? simulation() : live(2));
    Events events;
    Channel<int> channel(4);
    world.spawn({.site = 0}, puts_values, &channel, 1, 1, &events);
    world.run();
    world.spawn({.site = 1}, puts_values, &channel, 2, 2, &events);
    world.run();
    CHECK(events == Events{"sent 1"});
    CHECK(world.counters().failures == 1);
  }
  CHECK_THROWS_AS(Channel<int>(0), std::invalid_argument);
}
