#include "scenario.hpp"

#include <thread>

using namespace scenario;

namespace {

struct Square {
  using Reply = Number;
  std::int64_t value = 0;
};

struct Name {
  using Reply = Text;
  std::int64_t value = 0;
};

struct Leaf {
  using Reply = Page;
  std::int64_t value = 0;
};

const char* why(AskError error) {
  switch (error) {
    case AskError::none: return "none";
    case AskError::timed_out: return "timed out";
    case AskError::refused: return "refused";
    case AskError::gone: return "gone";
    case AskError::stopped: return "stopped";
    case AskError::cancelled: return "cancelled";
  }
  return "?";
}

using Oracle = Address<Ask<Square>, Ask<Name>, Ask<Leaf>>;

Actor oracle(Self<Ask<Square>, Ask<Name>, Ask<Leaf>> self) {
  while (auto message = co_await self.receive()) {
    match(
        *message, [](const Ask<Square>& ask) { ask.reply(Number{ask.query.value * ask.query.value}); },
        [](const Ask<Name>& ask) {
          ask.reply(Text("name " + std::to_string(ask.query.value) + " on the heap, for sure"));
        },
        [](const Ask<Leaf>& ask) {
          Page page;
          page.words[15] = ask.query.value;
          ask.reply(page);
        });
  }
}

/// Answers after a while.
Actor slow(Self<Ask<Square>> self, Duration delay) {
  while (auto ask = co_await self.receive()) {
    co_await self.sleep(delay);
    ask->reply(Number{ask->query.value});
    ask->reply(Number{-1});  // a second answer is ignored
  }
}

/// Takes one ask and ends without an answer.
Actor deserter(Self<Ask<Square>> self, Duration delay, bool by_exception) {
  co_await self.receive();
  co_await self.sleep(delay);
  if (by_exception) throw std::runtime_error("deserted");
}

Actor passes_on(Self<Ask<Square>> self, Address<Ask<Square>> to, int asks) {
  for (int i = 0; i < asks; ++i) {
    auto ask = co_await self.receive();
    to.send(*ask);
  }
}

Actor asks(Self<> self, Address<Ask<Square>> to, Events* events, Duration timeout, int count) {
  for (int i = 1; i <= count; ++i) {
    auto asking = to.ask(Square{i}, timeout);
    const auto answer = co_await asking;
    events->push_back((answer ? std::to_string(answer->value) : std::string(why(answer.error())))
                          .append(" at ")
                          .append(at(self.now())));
  }
}

Actor asks_once(Self<> self, Address<Ask<Square>> to, Events* events) {
  const auto answer = co_await to.ask(Square{3});
  events->push_back(answer ? std::to_string(answer->value) : std::string(why(answer.error())));
  static_cast<void>(self);
}

Actor asks_all(Self<> self, Oracle to, Events* events) {
  const auto square = co_await to.ask(Square{9});
  events->push_back(std::to_string(square->value));
  const auto name = co_await to.ask(Name{4});
  events->push_back(name->text());
  const auto leaf = co_await to.ask(Leaf{5});
  events->push_back(std::to_string(leaf->words[15]));
  to.stop();
  static_cast<void>(self);
}

}  // namespace

TEST_CASE("an ask is answered, in boxes where the answer needs one") {
  for (const std::uint32_t schedulers : {0u, 1u, 2u}) {  // zero: virtual time
    Runtime world(schedulers == 0 ? simulation() : live(schedulers));
    Events events;
    auto to = world.spawn({.site = 1}, oracle);
    world.spawn({.site = schedulers == 0 ? 1u : 0u}, asks_all, to, &events);
    world.run();
    CHECK(events == Events{"81", "name 4 on the heap, for sure", "5"});
  }
}

TEST_CASE("an ask times out, and the answer that comes late is not taken for the next one's") {
  Runtime world(simulation());
  Events events;
  auto to = world.spawn(slow, Duration(70));
  world.spawn(asks, to, &events, Duration(100), 1);
  world.run_until(time_from_ns(1'000));
  world.spawn(asks, to, &events, Duration(50), 3);
  world.run();
  // The first is answered at 1070, when the second waits; the second at 1140, when the third waits.
  CHECK(events == Events{"1 at 70", "timed out at 1050", "timed out at 1100", "timed out at 1150"});
}

TEST_CASE("an answer in the nanosecond of the time-out comes first or last, but always the same way") {
  Events first;
  for (int i = 0; i < 3; ++i) {
    Runtime world(simulation());
    Events events;
    auto to = world.spawn(slow, Duration(100));
    world.spawn(asks, to, &events, Duration(100), 1);
    world.run();
    if (i == 0) first = events;
    CHECK(events == first);
  }
}

TEST_CASE("an ask that finds a full mailbox is refused, those that found room hear that the receiver was killed") {
  for (const bool virtually : {false, true}) {
    for (const WhenFull policy : {WhenFull::refuse, WhenFull::wait}) {
      Runtime world(virtually ? simulation() : live());
      Events events;
      struct Scene {
        Events* events;
        WhenFull policy;
        Actor operator()(Self<> self) const {
          auto full = self.spawn({.mailbox = {.capacity = 1, .when_full = policy}}, deserter, Duration(1h), false);
          for (int i = 0; i < 3; ++i) {
            self.spawn(asks_once, Address<Ask<Square>>(full), events);
            co_await self.sleep(Duration(10));
          }
          full.kill();
        }
      };
      world.spawn(Scene{&events, policy});
      world.run();
      // One is taken, one waits in the mailbox, one is refused; in virtual time each asker has credit of its own.
      if (virtually && policy == WhenFull::wait)
        CHECK(events == Events{"gone", "gone", "gone"});
      else
        CHECK(events == Events{"refused", "gone", "gone"});
    }
  }
}

TEST_CASE("an ask to an actor that has ended, or ends before it takes it, or after, is told so") {
  for (const bool virtually : {false, true}) {
    for (const bool by_exception : {false, true}) {
      Runtime world(virtually ? simulation() : live());
      Events events;
      auto to = world.spawn(deserter, Duration(50), by_exception);
      for (int i = 0; i < 3; ++i) world.spawn(asks_once, to, &events);
      world.run();
      CHECK(events == Events{"gone", "gone", "gone"});
    }
  }
}

TEST_CASE("an ask is passed on: the end of who passed it on is no answer, the end of who has it is") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto answering = world.spawn(slow, Duration(500));
    auto ending = world.spawn(deserter, Duration(500), false);
    auto ended = world.spawn(passes_on, answering, 0);
    auto first = world.spawn(passes_on, answering, 1);
    auto second = world.spawn(passes_on, ending, 1);
    auto third = world.spawn(passes_on, ended, 1);
    struct Scene {
      Events* events;
      Actor operator()(Self<> self, std::vector<Address<Ask<Square>>> stations, AnyAddress answering) const {
        co_await self.sleep(Duration(10));
        for (const auto& station : stations) {
          self.spawn(asks_once, station, events);
          co_await self.sleep(1ms);
        }
        answering.stop();
      }
    };
    world.spawn(Scene{&events}, std::vector<Address<Ask<Square>>>{first, second, third}, answering);
    world.run();
    CHECK(events == Events{"3", "gone", "gone"});
  }
}

TEST_CASE("many asks stay open at once, and each asker hears of the end of who took them") {
  Runtime world(simulation());
  Events events;
  struct Hoarder {
    Actor operator()(Self<Ask<Square>> self) const {
      std::vector<Ask<Square>> taken;
      for (int i = 0; i < 1'000; ++i) {
        auto ask = co_await self.receive();
        taken.push_back(*ask);
      }
      for (std::size_t i = 0; i < taken.size(); i += 2) taken[i].reply(Number{1});
    }
  };
  auto to = world.spawn({.mailbox = {.capacity = 4'000}}, Hoarder{});
  for (int i = 0; i < 1'000; ++i) world.spawn(asks_once, to, &events);
  world.run();
  CHECK(std::count(events.begin(), events.end(), "1") == 500);
  CHECK(std::count(events.begin(), events.end(), "gone") == 500);
}

TEST_CASE("an asker that is killed while it waits is not written to when the answer comes") {
  for (const std::uint32_t schedulers : {0u, 1u, 2u}) {
    Runtime world(schedulers == 0 ? simulation() : live(schedulers));
    Events events;
    auto to = world.spawn({.site = schedulers == 2 ? 1u : 0u}, slow, Duration(200us));
    struct Scene {
      Events* events;
      Actor operator()(Self<> self, Address<Ask<Square>> to) const {
        for (int i = 0; i < 20; ++i) {
          auto asker = self.spawn(asks_once, to, events);
          co_await self.sleep(Duration(100us));
          asker.kill();
          self.spawn(asks_once, to, events);  // in the same cell
          co_await self.sleep(Duration(1ms));
        }
        to.stop();
      }
    };
    world.spawn(Scene{&events}, to);
    world.run();
    CHECK(std::count(events.begin(), events.end(), "3") + std::count(events.begin(), events.end(), "gone") >= 20);
  }
}

TEST_CASE("a thread that is no scheduler answers an ask") {
  Runtime world(live());
  Events events;
  struct Offloader {
    std::thread* worker;
    Actor operator()(Self<Ask<Square>, Ask<Name>> self) const {
      auto first = co_await self.receive();
      auto second = co_await self.receive();
      *worker = std::thread([first, second] {
        for (const auto& ask : {*first, *second})
          std::visit(
              [](const auto& one) {
                if constexpr (std::is_same_v<std::decay_t<decltype(one)>, Ask<Square>>)
                  one.reply(Number{one.query.value + 1});
                else
                  one.reply(Text("from a thread"));
              },
              ask);
      });
      co_await self.receive();  // else it would have ended without an answer
    }
  };
  struct Asker {
    Events* events;
    Actor operator()(Self<> self, Address<Ask<Square>, Ask<Name>> to) const {
      struct Other {
        Events* events;
        Actor operator()(Self<> me, Address<Ask<Name>> address) const {
          const auto name = co_await address.ask(Name{1});
          events->push_back(name ? name->text() : "no name");
          static_cast<void>(me);
        }
      };
      self.spawn(Other{events}, Address<Ask<Name>>(to));
      const auto square = co_await to.ask(Square{1});
      events->push_back(square ? std::to_string(square->value) : "no number");
      co_await self.sleep(1ms);
      to.stop();
    }
  };
  std::thread worker;
  auto to = world.spawn(Offloader{&worker});
  world.spawn(Asker{&events}, to);
  world.run();
  worker.join();
  std::sort(events.begin(), events.end());
  CHECK(events == Events{"2", "from a thread"});
}

TEST_CASE("an answer to nobody is no message") {
  const Ask<Name> ask;
  CHECK_NOTHROW(ask.reply(Text("to nobody")));
  CHECK_NOTHROW(ask.bounce());
}

TEST_CASE("an actor told to stop still gets its answer") {
  Runtime world(simulation());
  Events events;
  auto to = world.spawn(slow, Duration(100));
  auto asker = world.spawn(asks, to, &events, forever, 2);
  world.run_until(time_from_ns(10));
  asker.stop();
  world.run();
  CHECK(events == Events{"1 at 100", "2 at 200"});
}
