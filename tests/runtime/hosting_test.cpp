// The host keeps its threads: schedulers that it pumps turn by turn, or runs on threads that it gives.
#include "../seed.hpp"
#include "scenario.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <map>
#include <stdexcept>
#include <thread>

using namespace scenario;

namespace {

RuntimeOptions hosted(std::uint32_t schedulers = 1, std::uint32_t by_host = 1) {
  RuntimeOptions options = live(schedulers);
  options.hosted_schedulers = by_host;
  return options;
}

bool readable(int descriptor, int timeout_ms = 0) {
  pollfd one{descriptor, POLLIN, 0};
  return ::poll(&one, 1, timeout_ms) == 1;
}

/// Counts those of its kind.
struct Counted {
  explicit Counted(int number) : value(number) { ++alive; }
  Counted(Counted&& other) noexcept : value(other.value) { ++alive; }
  Counted(const Counted& other) : value(other.value) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }

  std::int64_t value;
  std::array<std::int64_t, 16> weight{};  // too much for an envelope: it travels in a box
  static inline std::atomic<int> alive{0};
};

/// As a host with nothing else to do: sleeps whenever it may.
int pump(Runtime& world) {
  int slept = 0;
  for (;;) {
    const Polled polled = world.poll();
    if (polled.ended()) return slept;
    if (polled.worked()) continue;
    readable(world.wake_fd(), polled.timeout_ms());
    ++slept;
  }
}

struct Numbered {
  std::int32_t sender = 0;
  std::int32_t number = 0;
};

struct Ledger {
  std::map<std::int32_t, std::int32_t> last;
  std::int64_t taken = 0;
  bool in_order = true;
};

Actor counts(Self<Numbered> self, Ledger* ledger, std::int64_t until) {
  while (ledger->taken < until) {
    auto message = co_await self.receive();
    auto& last = ledger->last[message->sender];
    ledger->in_order &= message->number == last + 1;
    last = message->number;
    ++ledger->taken;
  }
}

struct Question {
  using Reply = Number;
  std::int64_t value = 0;
};

Actor squares(Self<Ask<Question>> self) {
  while (auto ask = co_await self.receive()) ask->reply(Number{ask->query.value * ask->query.value});
}

Actor asks(Self<> self, Address<Ask<Question>> to, std::int64_t count, std::int64_t* sum) {
  for (std::int64_t i = 0; i < count; ++i) {
    auto asking = to.ask(Question{i});
    const auto answer = co_await asking;
    if (answer) *sum += answer->value;
  }
  static_cast<void>(self);
}

}  // namespace

TEST_CASE("a host pumps an actor, is told when there is nothing to do, and when it has ended") {
  Runtime world(hosted());
  std::vector<std::int64_t> taken;
  auto to = world.spawn(
      [](Self<Number> self, std::vector<std::int64_t>* numbers) -> Actor {
        while (auto number = co_await self.receive()) numbers->push_back(number->value);
      },
      &taken);
  world.start();
  while (world.poll().worked()) {
  }
  CHECK(world.poll().idle());
  CHECK(world.poll().timeout_ms() == -1);
  CHECK_FALSE(readable(world.wake_fd()));

  to.send(Number{7});
  CHECK(readable(world.wake_fd()));
  CHECK(world.poll().worked());  // what has come is played at once
  CHECK(taken == std::vector<std::int64_t>{7});
  CHECK(world.poll().idle());
  CHECK_FALSE(readable(world.wake_fd()));

  to.stop();
  CHECK(readable(world.wake_fd()));
  CHECK(world.poll().ended());
  CHECK(world.poll().timeout_ms() == 0);
  world.join();
  CHECK(world.actors() == 0);
}

TEST_CASE("messages to a host that is awake cost no system call, and those to one that waits cost one") {
  Runtime world(hosted());
  Ledger ledger;
  auto to = world.spawn({.mailbox = {.capacity = 1'000}}, counts, &ledger, std::int64_t{1'000});
  world.start();
  while (world.poll().worked()) {
  }
  for (std::int32_t i = 1; i <= 500; ++i) to.send(Numbered{0, i});
  std::uint64_t writes = 0;
  REQUIRE(::read(world.wake_fd(), &writes, sizeof writes) == sizeof writes);
  CHECK(writes == 1);
  const std::uint64_t back = 1;  // as it was: the runtime reads what was written
  REQUIRE(::write(world.wake_fd(), &back, sizeof back) == sizeof back);
  CHECK(world.poll().worked());
  for (std::int32_t i = 501; i <= 1'000; ++i) to.send(Numbered{0, i});
  CHECK_FALSE(readable(world.wake_fd()));
  while (world.poll().worked()) {
  }
  world.join();
  CHECK(ledger.taken == 1'000);
  CHECK(ledger.in_order);
}

TEST_CASE("a poll says when the next timer is due, and the timer comes then") {
  Runtime world(hosted());
  Time slept_from{};
  Time woken{};
  world.spawn(
      [](Self<> self, Time* from, Time* to) -> Actor {
        *from = self.now();
        co_await self.sleep(3ms);
        *to = self.now();
      },
      &slept_from, &woken);
  world.start();
  Polled polled = world.poll();
  while (polled.worked()) polled = world.poll();
  REQUIRE(polled.idle());
  CHECK(polled.next >= slept_from + 3ms);
  CHECK(polled.timeout_ms() >= 0);
  CHECK(polled.timeout_ms() <= 3);
  const Time due = polled.next;
  pump(world);
  CHECK(woken >= due);
  world.join();
}

TEST_CASE("a poll takes no more turns than it may, and a frame of a game can be cut short") {
  Runtime world(hosted());
  int turns = 0;
  for (int i = 0; i < 3; ++i)
    world.spawn(
        [](Self<> self, int* count) -> Actor {
          for (int j = 0; j < 10; ++j) {
            ++*count;
            co_await self.yield();
          }
        },
        &turns);
  world.start();
  CHECK(world.poll(4).worked());
  CHECK(turns == 4);
  CHECK(world.poll(1).worked());
  CHECK(turns == 5);
  while (!world.poll().ended()) {
  }
  CHECK(turns == 30);
  world.join();
}

TEST_CASE("no wake-up of a host that waits for its descriptor is lost, whoever sends, and whenever") {
  const std::uint64_t seed = test_seed();
  INFO("--seed=" << seed);
  Runtime world(hosted(2));
  constexpr std::int32_t senders = 3;
  constexpr std::int32_t each = 10'000;
  Ledger ledger;
  auto to = world.spawn({.scheduler = 0, .mailbox = {.capacity = 100'000}}, counts, &ledger,
                        std::int64_t{senders + 1} * each);
  world.spawn(
      {.scheduler = 1},
      [](Self<> self, Address<Numbered> there) -> Actor {
        for (std::int32_t i = 1; i <= each; ++i) {
          co_await there.send(Numbered{senders, i});
          if (i % 64 == 0) co_await self.sleep(1us);
        }
      },
      to);
  world.start();
  std::vector<std::thread> threads;
  for (std::int32_t sender = 0; sender < senders; ++sender)
    threads.emplace_back([to, sender, seed] {
      Random random(seed, static_cast<std::uint64_t>(sender));
      for (std::int32_t i = 1; i <= each; ++i) {
        to.send(Numbered{sender, i});
        for (std::uint64_t pause = random.below(8); pause-- > 5;) std::this_thread::yield();
      }
    });
  pump(world);  // hangs if one is lost
  for (std::thread& thread : threads) thread.join();
  world.join();
  CHECK(ledger.taken == (senders + 1) * each);
  CHECK(ledger.in_order);
}

TEST_CASE("each single message wakes the host: questions one by one between a host that pumps and a scheduler") {
  for (const IdlePolicy idle : {IdlePolicy::sleep, IdlePolicy::spin}) {
    RuntimeOptions options = hosted(2);
    options.idle = idle;
    Runtime world(options);
    std::int64_t sum = 0;
    constexpr std::int64_t count = 3'000;
    auto to = world.spawn({.name = "squares", .scheduler = 0}, squares);
    world.spawn({.scheduler = 1}, asks, to, count, &sum);
    world.spawn(
        {.scheduler = 1},
        [](Self<> self, AnyAddress asked) -> Actor {
          while (self.runtime().actors() > 2) co_await self.sleep(100us);
          asked.stop();
        },
        to);
    world.start();
    pump(world);
    world.join();
    CHECK(sum == (count - 1) * count * (2 * count - 1) / 6);
  }
}

TEST_CASE("an edge of the descriptor is enough for epoll") {
  Runtime world(hosted());
  Ledger ledger;
  constexpr std::int32_t count = 5'000;
  auto to = world.spawn({.mailbox = {.capacity = count}}, counts, &ledger, std::int64_t{count});
  const int all = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  REQUIRE(epoll_ctl(all, EPOLL_CTL_ADD, world.wake_fd(), &event) == 0);
  world.start();
  std::thread sender([to] {
    for (std::int32_t i = 1; i <= count; ++i) {
      to.send(Numbered{0, i});
      if (i % 3 == 0) std::this_thread::yield();
    }
  });
  for (;;) {
    const Polled polled = world.poll();
    if (polled.ended()) break;
    if (polled.idle()) epoll_wait(all, &event, 1, polled.timeout_ms());
  }
  sender.join();
  ::close(all);
  world.join();
  CHECK(ledger.taken == count);
  CHECK(ledger.in_order);
}

TEST_CASE("a host makes actors between its polls, and other threads while it waits") {
  Runtime world(hosted());
  static std::atomic<int> ran;
  ran = 0;
  struct Once {
    Actor operator()(Self<>) const {
      ++ran;
      co_return;
    }
  };
  auto stays = world.spawn([](Self<Number> self) -> Actor { co_await self.receive(); });
  world.start();
  while (world.poll().worked()) {
  }
  world.spawn(Once{});
  CHECK(readable(world.wake_fd()));
  while (world.poll().worked()) {
  }
  CHECK(ran == 1);
  std::thread other([&] {
    for (int i = 0; i < 1'000; ++i) world.spawn(Once{});
    stays.send(Number{1});
  });
  pump(world);
  other.join();
  world.join();
  CHECK(ran == 1'001);
}

TEST_CASE("a host is woken by stop() and need not have polled at all") {
  Runtime world(hosted());
  world.spawn([](Self<Number> self) -> Actor { co_await self.receive(); });
  world.start();
  while (world.poll().worked()) {
  }
  std::thread other([&] { world.stop(); });
  pump(world);
  other.join();
  world.join();
  CHECK(world.actors() == 1);
  world.start();
  world.stop();
  world.join();
  CHECK(world.poll().ended());
}

TEST_CASE("schedulers run on threads that the host gives, which stay as they are") {
  Runtime world(hosted(3, 2));
  std::atomic<std::int64_t> answered{0};
  static std::thread::id threads[3];
  struct Place {
    Actor operator()(Self<Ask<Question>> self, int scheduler) const {
      threads[scheduler] = std::this_thread::get_id();
      while (auto ask = co_await self.receive()) ask->reply(Number{scheduler});
    }
  };
  std::vector<Address<Ask<Question>>> places;
  for (int i = 0; i < 3; ++i) places.push_back(world.spawn({.scheduler = i}, Place{}, i));
  world.spawn(
      {.scheduler = 2},
      [](Self<> self, std::vector<Address<Ask<Question>>> all, std::atomic<std::int64_t>* count) -> Actor {
        for (int i = 0; i < 300; ++i) {
          auto asking = all[static_cast<std::size_t>(i % 3)].ask(Question{i});
          const auto answer = co_await asking;
          if (answer && answer->value == i % 3) ++*count;
        }
        for (const auto& address : all) address.stop();
        static_cast<void>(self);
      },
      places, &answered);
  world.start();
  std::thread given([&] { world.run_scheduler(1); });
  const std::thread::id given_id = given.get_id();
  world.run_scheduler(0);
  given.join();
  world.join();
  CHECK(answered == 300);
  CHECK(threads[0] == std::this_thread::get_id());
  CHECK(threads[1] == given_id);
  CHECK(threads[2] != threads[0]);
  CHECK(threads[2] != threads[1]);
  const StartReport report = world.start_report();
  CHECK(report.rows.front().what == "scheduler 0, thread");
  CHECK(report.rows.front().obtained == "the host's");
  world.run_scheduler(1);  // at once: it runs no more
}

TEST_CASE("run() of a hosted scheduler is on the calling thread") {
  Runtime world(hosted());
  std::thread::id where;
  world.spawn(
      [](Self<> self, std::thread::id* id) -> Actor {
        co_await self.sleep(1us);
        *id = std::this_thread::get_id();
      },
      &where);
  world.run();
  CHECK(where == std::this_thread::get_id());
}

TEST_CASE("join() waits for the threads that the host gave") {
  for (int i = 0; i < 200; ++i) {
    Runtime world(hosted(2, 2));
    std::int64_t turns = 0;
    world.spawn(
        {.scheduler = 1},
        [](Self<> self, std::int64_t* count) -> Actor {
          for (;; ++*count) co_await self.yield();
        },
        &turns);
    world.start();
    std::thread one([&] { world.run_scheduler(0); });
    std::thread two([&] { world.run_scheduler(1); });
    if (i % 2 == 0) std::this_thread::yield();
    world.stop();
    world.join();
    const std::int64_t at_the_end = turns++;  // nobody else touches it any more
    one.join();
    two.join();
    CHECK(turns == at_the_end + 1);
  }
}

TEST_CASE("what a host may not do is refused") {
  Runtime own(live());
  CHECK_THROWS_AS(own.poll(), std::logic_error);
  CHECK_THROWS_AS(own.wake_fd(), std::logic_error);
  CHECK_THROWS_AS(own.run_scheduler(0), std::logic_error);

  Runtime world(hosted());
  std::string why;
  world.spawn(
      [](Self<> self, std::string* reason) -> Actor {
        try {
          self.runtime().poll();
        } catch (const std::logic_error& error) {
          *reason = error.what();
        }
        co_return;
      },
      &why);
  CHECK(world.poll().ended());  // it has not been started
  world.start();
  while (!world.poll().ended()) {
  }
  CHECK(why == "an actor cannot run the scheduler that runs it");
  world.join();
}

TEST_CASE(
    "stop() while actors spawn on each other's schedulers leaves none of them waiting, on threads of the host, too") {
  struct Spawner {
    Actor operator()(Self<> self, int there, std::atomic<int>* spawned) const {
      for (;;) {
        self.runtime().spawn({.scheduler = there}, [](Self<>) -> Actor { co_return; });
        ++*spawned;
        co_await self.yield();
      }
    }
  };
  for (int i = 0; i < 300; ++i) {
    RuntimeOptions options = hosted(3, i % 2 == 0 ? 0u : 1u);
    options.turns_per_round = 2;  // a loop sees the stop between rounds, and each turn here waits for somebody else
    Runtime world(options);
    std::atomic<int> spawned{0};
    for (int scheduler = 0; scheduler < 3; ++scheduler)
      world.spawn({.scheduler = scheduler}, Spawner{}, (scheduler + 1) % 3, &spawned);
    world.start();
    std::thread given;
    if (options.hosted_schedulers > 0) given = std::thread([&] { world.run_scheduler(0); });
    while (spawned < i % 8) std::this_thread::yield();
    world.stop();
    world.join();  // hangs if one waits
    if (given.joinable()) given.join();
    CHECK(spawned >= i % 8);
  }
}

TEST_CASE("two runtimes in one process talk to each other, one pumped by the host, one on threads of its own") {
  Runtime pumped(hosted());
  Runtime threaded(live(2));
  std::int64_t here = 0;
  std::int64_t there = 0;
  constexpr std::int64_t count = 500;
  auto squares_here = pumped.spawn({.name = "here"}, squares);
  auto squares_there = threaded.spawn({.name = "there", .scheduler = 1}, squares);
  pumped.spawn(asks, squares_there, count, &here);
  threaded.spawn(asks, squares_here, count, &there);
  pumped.spawn(
      [](Self<> self, Runtime* other, AnyAddress one, AnyAddress two) -> Actor {
        while (self.runtime().actors() > 2 || other->actors() > 1) co_await self.sleep(100us);
        one.stop();
        two.stop();
      },
      &threaded, squares_here, squares_there);
  threaded.start();
  pumped.start();
  pump(pumped);
  pumped.join();
  threaded.join();
  CHECK(here == (count - 1) * count * (2 * count - 1) / 6);
  CHECK(there == here);
}

TEST_CASE("a thousand worlds are taken down while their actors are at work, and nothing is left of them") {
  const std::uint64_t seed = test_seed();
  INFO("--seed=" << seed);
  Random random(seed, 0);
  struct Chatter {
    Actor operator()(Self<Counted, Ask<Question>> self, std::vector<Address<Counted, Ask<Question>>>* all) const {
      const std::vector<Address<Counted, Ask<Question>>>& others = *all;
      for (std::int64_t i = 0;; ++i) {
        const auto& other = others[self.random().below(others.size())];
        switch (self.random().below(5)) {
          case 0: other.send(Counted(1)); break;
          case 1: {
            auto asking = other.ask(Question{i}, Duration(200us));
            const auto answer = co_await asking;
            static_cast<void>(answer);
            break;
          }
          case 2: co_await self.sleep(5us); break;
          case 3: co_await self.yield(); break;
          default:
            while (auto message = co_await self.receive_for(Duration(2us))) {
              if (self.random().chance(0.5)) break;
            }
        }
      }
    }
  };
  for (int i = 0; i < 1'000; ++i) {
    const auto schedulers = 1 + static_cast<std::uint32_t>(random.below(3));
    RuntimeOptions options = live(schedulers, static_cast<IdlePolicy>(random.below(2)));
    options.seed = seed + static_cast<std::uint64_t>(i);
    options.hosted_schedulers = static_cast<std::uint32_t>(random.below(2));
    if (random.chance(0.1)) options.hold_limit = 1s;
    std::vector<Address<Counted, Ask<Question>>> all;
    Runtime world(options);
    for (int j = 0; j < 6; ++j)
      all.push_back(
          world.spawn({.scheduler = j % static_cast<int>(schedulers), .mailbox = {.capacity = 4}}, Chatter{}, &all));
    world.start();
    const std::uint64_t polls = random.below(40);
    if (options.hosted_schedulers > 0)
      for (std::uint64_t j = 0; j < polls; ++j) world.poll(8);
    if (random.chance(0.5)) {
      world.stop();
      world.join();
    }
  }
  CHECK(Counted::alive == 0);
}
