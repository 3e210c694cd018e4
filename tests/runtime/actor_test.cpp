#include "scenario.hpp"

#include <cstddef>
#include <stdexcept>

using namespace scenario;

namespace {

struct Ping {
  Address<Number> answer_to;
};

Actor recorder(Self<Number> self, Events* events) {
  while (auto number = co_await self.receive()) events->push_back(std::to_string(number->value));
  events->push_back("end");
}

Actor counter_to(Self<> self, Address<Number> to, std::int64_t numbers) {
  for (std::int64_t i = 1; i <= numbers; ++i) co_await to.send(Number{i});
  static_cast<void>(self);
}

Actor taker_of_three(Self<Number, Text, Ping> self, Events* events) {
  while (auto message = co_await self.receive()) {
    match(
        *message, [&](const Number& number) { events->push_back("number " + std::to_string(number.value)); },
        [&](const Text& text) { events->push_back("text " + text.text()); },
        [&](const Ping& ping) { ping.answer_to.send(Number{7}); });
  }
}

Actor patient(Self<Number> self, Events* events, Duration patience) {
  for (;;) {
    const auto number = co_await self.receive_for(patience);
    if (self.stopping()) break;
    events->push_back(at(self.now()) + (number ? " got " + std::to_string(number->value) : " nothing"));
    if (!number) break;
  }
}

Actor sends_at(Self<> self, Address<Number> to, std::vector<std::int64_t> moments) {
  for (const std::int64_t moment : moments) {
    co_await self.sleep_until(time_from_ns(moment));
    to.send(Number{moment});
  }
}

Actor batcher(Self<Number> self, Events* events, std::uint32_t most) {
  for (;;) {
    auto batch = co_await self.receive_batch(most);
    if (!batch) break;
    std::string line = std::to_string(batch.size()).append(":");
    batch.each([&](Number number) { line.append(" ").append(std::to_string(number.value)); });
    events->push_back(line);
  }
}

Actor watcher(Self<Down, Number> self, AnyAddress watched, Events* events) {
  self.monitor(watched);
  while (auto message = co_await self.receive()) {
    match(
        *message, [&](const Number& number) { events->push_back(std::to_string(number.value)); },
        [&](const Down& down) {
          events->push_back(std::string(to_string(down.end)) + (down.why().empty() ? "" : ": ") +
                            std::string(down.why()));
        });
  }
}

Actor fails_after(Self<Number> self, Address<Number> last_words_to, std::string why) {
  co_await self.receive();
  last_words_to.send(Number{99});
  throw std::runtime_error(why);
}

Actor sleeper(Self<Number> self, Events* events) {
  const bool rested = co_await self.sleep(1h);
  events->push_back(rested ? "rested" : "woken at " + at(self.now()));
}

Actor beats(Self<> self, Events* events, Duration period, int count) {
  auto beat = self.every(period);
  for (int i = 0; i < count; ++i) {
    if (!co_await beat) break;
    events->push_back(at(self.now()));
    if (i == 1) co_await self.sleep(period + period / 2);  // late once: the next beats stay where they belong
  }
}

Actor turns(Self<> self, Events* events, std::string name, int count) {
  for (int i = 0; i < count; ++i) {
    events->push_back(name + std::to_string(i));
    co_await self.yield();
  }
}

/// Says when it is gone, whichever way it goes.
struct Mourner {
  Events* events;
  std::string name;
  ~Mourner() { events->push_back(name + " is gone"); }
};

Actor mourned(Self<Number> self, Events* events, std::string name) {
  const Mourner mourner{events, name};
  while (auto number = co_await self.receive()) events->push_back(name + " took " + std::to_string(number->value));
}

Actor kills_itself(Self<Number> self, Events* events) {
  const Mourner mourner{events, "suicide"};
  co_await self.receive();
  self.address().kill();
  events->push_back("still in its turn");
  co_await self.receive();
  events->push_back("too long alive");
}

/// Gives one actor much to do and another little.
Actor fills(Self<> self, Address<Number> busy, Address<Number> modest) {
  for (int i = 0; i < 10'000; ++i) busy.send(Number{i});
  modest.send(Number{-1});
  busy.stop();
  modest.stop();
  co_return;
  static_cast<void>(self);
}

Actor does(Self<> self, std::function<void()> work) {
  work();
  co_return;
  static_cast<void>(self);
}

}  // namespace

TEST_CASE("an actor takes what was sent, in order, and ends when it was told to stop and nothing is left") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto to = world.spawn(recorder, &events);

    to.send(Number{1});
    to.send(Number{2});
    to.stop();
    world.run();

    CHECK(events == Events{"1", "2", "end"});
    CHECK(world.actors() == 0);
  }
}

TEST_CASE("an actor takes several types of messages, and an address narrows to some of them") {
  Runtime world(simulation());
  Events events;
  auto to = world.spawn(taker_of_three, &events);
  auto answers = world.spawn(recorder, &events);
  const Address<Number> numbers_only = to;

  numbers_only.send(Number{4});
  to.send(Text("a string long enough to lie on the heap"));
  to.send(Ping{answers});
  world.run();

  CHECK(events == Events{"number 4", "text a string long enough to lie on the heap", "7"});
  CHECK(AnyAddress(numbers_only) == AnyAddress(to));
}

TEST_CASE("a message before the time-out is taken, later ones come too late for who has gone") {
  Runtime world(simulation());
  Events events;
  auto to = world.spawn(patient, &events, Duration(100));
  world.spawn(sends_at, to, std::vector<std::int64_t>{30, 120, 240, 250});

  world.run();

  CHECK(events == Events{"30 got 30", "120 got 120", "220 nothing"});
  CHECK(world.counters().dead_letters == 2);
}

TEST_CASE("of a message and the time-out in the same nanosecond one comes first, always the same one") {
  Events first;
  for (int i = 0; i < 3; ++i) {
    Runtime world(simulation());
    Events events;
    auto to = world.spawn(patient, &events, Duration(100));
    world.spawn(sends_at, to, std::vector<std::int64_t>{100});
    world.run();
    if (i == 0) first = events;
    CHECK(events == first);
    // The message has the later step: it was sent in that nanosecond.
    CHECK(events == Events{"100 nothing"});
  }
}

TEST_CASE("a live actor takes a message that is there when its time-out comes") {
  Runtime world(live());
  Events events;
  auto to = world.spawn(patient, &events, Duration(0));
  to.send(Number{1});
  world.run();
  REQUIRE(events.size() == 2);
  CHECK(events[0].ends_with(" got 1"));
  CHECK(events[1].ends_with(" nothing"));
}

TEST_CASE("a batch holds what is there, up to the bound") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto to = world.spawn(batcher, &events, 3u);
    for (int i = 1; i <= 7; ++i) to.send(Number{i});
    to.stop();
    world.run();
    CHECK(events == Events{"3: 1 2 3", "3: 4 5 6", "1: 7"});
  }
}

TEST_CASE("sleep ends on time, or when the actor is told to stop") {
  Runtime world(simulation());
  Events events;
  world.spawn(sleeper, &events);
  auto woken = world.spawn(sleeper, &events);
  world.run_until(time_from_ns(1'000));
  woken.stop();
  world.run();
  CHECK(events == Events{"woken at 1000", "rested"});
  CHECK(to_ns(world.now()) == std::chrono::nanoseconds(1h).count());
}

TEST_CASE("beats do not drift, though one was late") {
  Runtime world(simulation());
  Events events;
  world.spawn(beats, &events, Duration(10), 6);
  world.run();
  // Beat 3 was due at 30 while the actor slept until 35.
  CHECK(events == Events{"10", "20", "35", "40", "50", "60"});
}

TEST_CASE("a live actor sleeps no shorter than it asked for") {
  Runtime world(live());
  Events events;
  const auto before = std::chrono::steady_clock::now();
  world.spawn(beats, &events, 1ms, 3);
  world.run();
  CHECK(std::chrono::steady_clock::now() - before >= 3ms);
  CHECK(events.size() == 3);
}

TEST_CASE("who yields lets the others have a turn") {
  Runtime world(live());
  Events events;
  world.spawn(turns, &events, std::string("a"), 3);
  world.spawn(turns, &events, std::string("b"), 3);
  world.run();
  CHECK(events == Events{"a0", "b0", "a1", "b1", "a2", "b2"});
}

TEST_CASE("an actor with a full mailbox does not keep the others from their turn") {
  Runtime world(live());
  Events events;
  auto busy = world.spawn({.mailbox = {.capacity = 100'000}}, recorder, &events);
  auto modest = world.spawn(recorder, &events);
  world.spawn(fills, busy, modest);
  world.run();
  const auto turn = std::find(events.begin(), events.end(), "-1") - events.begin();
  CHECK(turn <= 65);  // the message that woke it, and 64
  CHECK(events.size() == 10'003);
}

TEST_CASE("a batch counts against the turn of its actor with all its messages") {
  Runtime world(live());
  Events events;
  auto busy = world.spawn({.mailbox = {.capacity = 100'000}}, batcher, &events, 64u);
  auto modest = world.spawn(recorder, &events);
  world.spawn(fills, busy, modest);
  world.run();
  CHECK(std::find(events.begin(), events.end(), "-1") - events.begin() <= 2);
}

TEST_CASE("an exception ends one actor alone, and who watches it hears why after its last message") {
  for (const bool virtually : {false, true}) {
    RuntimeOptions options = virtually ? simulation() : live();
    Events logged, events;
    options.log = [&](std::string_view line) { logged.emplace_back(line); };
    Runtime world(options);
    auto other = world.spawn(recorder, &events);
    // The watcher must be there first: its address is what the failing actor writes to.
    struct Start {
      Events* events;
      Actor operator()(Self<Down, Number> self, Address<Number> survivor) const {
        auto failing =
            self.spawn({.name = "failing"}, fails_after, Address<Number>(self.address()), std::string("no market"));
        self.monitor(failing);
        failing.send(Number{0});
        for (int i = 0; i < 2; ++i) {
          auto message = co_await self.receive();
          if (const auto* down = std::get_if<Down>(&*message))
            events->push_back(std::string(to_string(down->end)) + ": " + std::string(down->why()));
          else
            events->push_back("last words");
        }
        survivor.send(Number{1});
        survivor.stop();
      }
    };
    world.spawn(Start{&events}, other);
    world.run();
    CHECK(events == Events{"last words", "failed: no market", "1", "end"});
    CHECK(logged == Events{"actor 'failing' ended by an exception: no market"});
    CHECK(world.counters().failures == 1);
  }
}

TEST_CASE("a long reason is cut off") {
  Runtime world(simulation());
  Events events;
  auto nowhere = world.spawn(recorder, &events);
  nowhere.stop();
  auto failing = world.spawn(fails_after, nowhere, std::string(100, 'x'));
  world.spawn(watcher, failing, &events);
  world.run_until(time_from_ns(1));
  failing.send(Number{0});
  world.run();
  CHECK(events.back() == "failed: " + std::string(38, 'x'));
}

TEST_CASE("watching an actor that has ended tells so at once, with its id") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    std::uint64_t id = 0, reported = 1;
    struct Watch {
      std::uint64_t *id, *reported;
      Actor operator()(Self<Down> self) const {
        struct Child {
          std::uint64_t* id;
          Actor operator()(Self<> self) const {
            *id = self.id();
            co_return;
          }
        };
        auto child = self.spawn(Child{id});
        co_await self.sleep(Duration(10));
        self.monitor(child);
        const auto down = co_await self.receive();
        CHECK(down->end == End::gone);
        *reported = down->actor;
      }
    };
    world.spawn(Watch{&id, &reported});
    world.run();
    CHECK(id != 0);
    CHECK(reported == id);
  }
}

TEST_CASE("every watcher hears how an actor ended") {
  Runtime world(simulation());
  Events events;
  auto finishing = world.spawn(recorder, &events);
  auto killed = world.spawn(recorder, &events);
  world.spawn(watcher, finishing, &events);
  world.spawn(watcher, finishing, &events);
  world.spawn(watcher, killed, &events);
  world.run_until(time_from_ns(1));
  finishing.stop();
  world.run_until(time_from_ns(2));
  killed.kill();
  world.run();
  CHECK(events == Events{"end", "finished", "finished", "killed"});
}

TEST_CASE("stop lets an actor take what has arrived, kill does not") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    auto stopped = world.spawn(mourned, &events, std::string("stopped"));
    auto killed = world.spawn(mourned, &events, std::string("killed"));
    struct Judge {
      Events* events;
      Actor operator()(Self<> self, Address<Number> stopped, Address<Number> killed) const {
        co_await self.sleep(Duration(5));
        stopped.send(Number{1});
        stopped.stop();
        killed.send(Number{2});
        killed.kill();
        killed.send(Number{3});
      }
    };
    world.spawn(Judge{&events}, stopped, killed);
    world.run();
    if (virtually) {  // the message is an event of its own, before the kill
      CHECK(events == Events{"stopped took 1", "stopped is gone", "killed took 2", "killed is gone"});
      CHECK(world.counters().dead_letters == 1);
    } else {
      CHECK(events == Events{"killed is gone", "stopped took 1", "stopped is gone"});
      CHECK(world.counters().dead_letters == 2);
    }
  }
}

TEST_CASE("a live actor that kills itself ends where it next suspends, messages or not") {
  for (const bool more : {false, true}) {
    Runtime world(live());
    Events events;
    auto to = world.spawn(kills_itself, &events);
    to.send(Number{1});
    if (more)
      for (int i = 0; i < 3; ++i) to.send(Number{2});
    world.run();
    CHECK(events == Events{"still in its turn", "suicide is gone"});
  }
}

TEST_CASE("an actor may be killed before its first turn, and twice") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    Events events;
    struct Parent {
      Events* events;
      Actor operator()(Self<Down> self) const {
        auto child = self.spawn(recorder, events);
        self.monitor(child);
        child.kill();
        child.kill();
        const auto down = co_await self.receive();
        events->push_back(to_string(down->end));
      }
    };
    world.spawn(Parent{&events});
    world.run();
    CHECK(events == Events{"killed"});
    CHECK(world.actors() == 0);
  }
}

namespace {
/// Kills whom it is told to from the destructor of its frame.
struct Revenge {
  std::function<void()> act;
  ~Revenge() { act(); }
};
Actor avenger(Self<Number> self, std::function<void()> act) {
  const Revenge revenge{std::move(act)};
  co_await self.receive();
}
}  // namespace

TEST_CASE("an actor whose victim kills it back ends after its turn, not in the middle of it") {
  Runtime world(live());
  Events events;
  AnyAddress killer;
  auto victim = world.spawn(avenger, std::function<void()>([&] { killer.kill(); }));
  struct Killer {
    Events* events;
    AnyAddress* killer;
    Actor operator()(Self<Number> self, AnyAddress victim) const {
      const Mourner mourner{events, "killer"};
      *killer = self.address();
      co_await self.yield();
      victim.kill();
      events->push_back("after the kill");
      co_await self.receive();
    }
  };
  world.spawn(Killer{&events, &killer}, victim);
  world.run();
  CHECK(events == Events{"after the kill", "killer is gone"});
}

TEST_CASE("an actor that ends wakes nobody by its own destructors' messages to itself") {
  Runtime world(live());
  AnyAddress self_address;
  Address<Number> number_address;
  auto victim = world.spawn(avenger, std::function<void()>([&] {
                              number_address.send(Number{1});
                              self_address.kill();
                            }));
  number_address = victim;
  self_address = victim;
  world.spawn(does, std::function<void()>([&] { victim.kill(); }));
  world.run();
  CHECK(world.actors() == 0);
}

TEST_CASE("messages to an actor that has ended are dead letters, also when its cell serves another") {
  Runtime world(live());
  Events events;
  struct Reuse {
    Events* events;
    Actor operator()(Self<> self) const {
      Address<Number> stale;
      for (int i = 0; i < 100; ++i) {
        auto child = self.spawn(recorder, events);
        if (stale) {
          CHECK(!stale.send(Number{1000}).accepted());
          stale.stop();
          stale.kill();
        }
        child.send(Number{i});
        child.stop();
        co_await self.yield();
        co_await self.yield();
        stale = child;
      }
    }
  };
  world.spawn(Reuse{&events});
  world.run();
  Events expected;
  for (int i = 0; i < 100; ++i) {
    expected.push_back(std::to_string(i));
    expected.push_back("end");
  }
  CHECK(events == expected);
  CHECK(world.counters().dead_letters == 99);
}

namespace {
struct Explosive {
  Explosive() = default;
  Explosive(const Explosive&) { throw std::runtime_error("no copy"); }
  Explosive(Explosive&& other) noexcept(false) : armed(other.armed) {
    if (armed && --fuse == 0) throw std::runtime_error("no move");
  }
  bool armed = true;
  static inline int fuse = 0;
};
Actor carries(Self<Number> self, Explosive explosive) {
  co_await self.receive();
  static_cast<void>(explosive);
}
}  // namespace

TEST_CASE("an actor that cannot be made leaves no trace, and who spawns it hears why") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    int failed = 0;
    for (int fuse = 1; fuse <= 6; ++fuse) {
      Explosive::fuse = fuse;
      try {
        auto address = world.spawn(carries, Explosive());
        Explosive::fuse = 0;
        address.stop();
      } catch (const std::runtime_error&) {
        ++failed;
      }
      Explosive::fuse = 0;
    }
    CHECK(failed > 0);
    CHECK(failed < 6);
    CHECK(world.actors() == static_cast<std::uint64_t>(6 - failed));
    world.run();
    CHECK(world.actors() == 0);
  }
}

TEST_CASE("a spawn with options that make no sense is refused") {
  Runtime world(simulation());
  Events events;
  CHECK_THROWS_AS(world.spawn({.mailbox = {.capacity = 0}}, recorder, &events), std::invalid_argument);
  CHECK_THROWS_AS(world.spawn({.mailbox = {.capacity = 1u << 24}}, recorder, &events), std::invalid_argument);
  CHECK_THROWS_AS(world.spawn({.scheduler = 1}, recorder, &events), std::invalid_argument);
  CHECK_THROWS_AS(world.spawn({.distance = Duration(-1)}, recorder, &events), std::invalid_argument);
  CHECK_THROWS_AS(Runtime({.schedulers = 0}), std::invalid_argument);
  CHECK_THROWS_AS(Runtime({.time = WorldTime::virtually, .latency = {.between_sites = Duration(0)}}),
                  std::invalid_argument);
  CHECK(world.actors() == 0);
}

TEST_CASE("an actor made from a callable keeps it as long as it lives") {
  Runtime world(simulation());
  auto kept = std::make_shared<int>(5);
  struct Holder {
    std::shared_ptr<int> kept;
    Actor operator()(Self<Number> self) const {
      auto number = co_await self.receive();
      *kept += static_cast<int>(number->value);
    }
  };
  auto to = world.spawn(Holder{kept});
  CHECK(kept.use_count() == 2);
  to.send(Number{2});
  world.run();
  CHECK(*kept == 7);
  CHECK(kept.use_count() == 1);
}

TEST_CASE("the dump names every actor, what it awaits and where") {
  Runtime world(simulation());
  Events events;
  auto to = world.spawn({.name = "ear"}, recorder, &events);
  world.spawn({.name = "bed"}, sleeper, &events);
  world.run_until(time_from_ns(1));
  const std::string dump = world.dump();
  CHECK(dump.find("ear") != std::string::npos);
  CHECK(dump.find("a message") != std::string::npos);
  CHECK(dump.find("bed") != std::string::npos);
  CHECK(dump.find("a moment") != std::string::npos);
  CHECK(dump.find("actor_test.cpp:") != std::string::npos);
  static_cast<void>(to);
}

TEST_CASE("a hundred thousand timers that are not wanted any more are swept out, and the count of them stays right") {
  for (const bool virtually : {false, true}) {
    Runtime world(virtually ? simulation() : live());
    struct Impatient {
      Actor operator()(Self<Number> self) const {
        for (int i = 0; i < 100'000; ++i) {
          self.address().send(Number{i});
          const auto number = co_await self.receive_for(1h);
          CHECK(number->value == i);
        }
      }
    };
    struct Short {  // timers in the same nanosecond, and of actors that end with a timer set
      Actor operator()(Self<Number> self) const {
        for (int i = 0; i < 3'000; ++i) {
          auto child = self.spawn([](Self<Number> me) -> Actor { co_await me.receive_for(1h); });
          co_await self.yield();
          co_await self.yield();
          child.kill();
          self.address().send(Number{i});
          co_await self.receive_for(Duration(0));
          co_await self.receive_for(Duration(0));
        }
      }
    };
    world.spawn(Impatient{});
    world.spawn(Short{});
    if (virtually) {
      world.run_until(time_from_ns(1));
    } else {
      world.run();
    }
    CHECK(world.actors() == 0);
  }
}

TEST_CASE("counters of mailboxes cover the actors that have ended") {
  Runtime world(simulation());
  Events events;
  auto to = world.spawn(recorder, &events);
  world.spawn(counter_to, to, std::int64_t{10});
  world.run_until(time_from_ns(1));
  to.stop();
  world.run();
  CHECK(world.mailbox_counters().received == 10);
}
