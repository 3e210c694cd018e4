#include "../seed.hpp"
#include "scenario.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <thread>

using namespace scenario;

namespace {

struct Numbered {
  std::int32_t sender = 0;
  std::int32_t number = 0;
};

struct Question {
  using Reply = Text;
  std::int64_t value = 0;
};

/// What a receiver saw; read after the run.
struct Ledger {
  std::map<int, std::int32_t> last;
  std::int64_t taken = 0;
  std::uint32_t most = 0;
  bool in_order = true;

  void take(Numbered message) {
    auto& last_number = last.try_emplace(message.sender, 0).first->second;
    in_order &= message.number > last_number;
    last_number = message.number;
    ++taken;
  }
};

Actor ledger_keeper(Self<Numbered> self, Ledger* ledger, std::int64_t until) {
  while (ledger->taken < until) {
    auto batch = co_await self.receive_batch(1'000'000);
    if (!batch) break;
    ledger->most = std::max(ledger->most, batch.size());
    batch.each([&](Numbered message) { ledger->take(message); });
  }
}

Actor waiting_sender(Self<> self, Address<Numbered> to, std::int32_t name, std::int32_t count,
                     std::atomic<std::int64_t>* delivered) {
  for (std::int32_t i = 1; i <= count; ++i) {
    const bool handed_over = co_await to.send(Numbered{name, i});
    if (!handed_over) break;
    ++*delivered;
  }
  static_cast<void>(self);
}

Actor eager_sender(Self<> self, Address<Numbered> to, std::int32_t name, std::int32_t count,
                   std::atomic<std::int64_t>* delivered) {
  for (std::int32_t i = 1; i <= count; ++i) {
    if (to.send(Numbered{name, i}).accepted()) ++*delivered;
    if (i % 16 == 0) co_await self.yield();
  }
}

Actor executioner(Self<> self, AnyAddress victim, Duration after, bool kill) {
  co_await self.sleep(after);
  kill ? victim.kill() : victim.stop();
}

Actor answers(Self<Ask<Question>> self) {
  while (auto ask = co_await self.receive())
    ask->reply(Text("answer " + std::to_string(ask->query.value) + " with room on the heap"));
}

Actor asks(Self<> self, Address<Ask<Question>> to, int count, std::atomic<int>* answered) {
  for (int i = 0; i < count; ++i) {
    auto asking = to.ask(Question{i});
    const auto answer = co_await asking;
    if (answer && answer->text().starts_with("answer " + std::to_string(i) + " ")) ++*answered;
  }
  static_cast<void>(self);
}

struct Token {
  std::int64_t hops = 0;
};

struct Neighbour {
  Address<Token> address;
  bool operator==(const Neighbour&) const = default;
};

Actor ring_station(Self<Token, Neighbour> self, std::atomic<std::int64_t>* finished, std::int64_t stations) {
  Address<Token> next;
  while (auto message = co_await self.receive()) {
    if (const auto* neighbour = std::get_if<Neighbour>(&*message)) {
      next = neighbour->address;
    } else if (auto token = std::get<Token>(*message); token.hops == 0) {
      if (++*finished == stations) self.runtime().stop();
    } else {
      next.send(Token{token.hops - 1});
    }
  }
}

}  // namespace

TEST_CASE("across schedulers who waits for room loses nothing, keeps its order, and the mailbox stays bounded") {
  for (const std::uint32_t schedulers : {2u, 4u}) {
    for (const std::uint32_t capacity : {1u, 2u, 7u, 64u}) {
      Runtime world(live(schedulers));
      Ledger ledger;
      std::atomic<std::int64_t> delivered{0};
      constexpr std::int32_t count = 300;
      const auto senders = static_cast<std::int32_t>(schedulers * 2);
      auto to = world.spawn({.scheduler = 0, .mailbox = {.capacity = capacity}}, ledger_keeper, &ledger,
                            std::int64_t{senders} * count);
      for (std::int32_t i = 0; i < senders; ++i)
        world.spawn({.scheduler = i % static_cast<int>(schedulers)}, waiting_sender, to, i, count, &delivered);
      world.run();
      CHECK(ledger.taken == senders * count);
      CHECK(delivered == senders * count);
      CHECK(ledger.in_order);
      CHECK(ledger.most <= capacity + (schedulers - 1) * std::max(1u, capacity / schedulers));
    }
  }
}

TEST_CASE("across schedulers who waits for room is told when the receiver ends, before it took anything, or after") {
  for (const bool kill : {false, true}) {
    for (const std::uint32_t capacity : {1u, 2u, 16u}) {
      for (const bool taking : {false, true}) {
        Runtime world(live(2));
        Ledger ledger;
        std::atomic<std::int64_t> delivered{0};
        struct Deaf {
          Actor operator()(Self<Numbered> self) const { co_await self.sleep(1h); }
        };
        const SpawnOptions options{.scheduler = 0, .mailbox = {.capacity = capacity}};
        const auto to =
            taking ? world.spawn(options, ledger_keeper, &ledger, std::int64_t{1} << 40) : world.spawn(options, Deaf{});
        for (std::int32_t i = 0; i < 4; ++i)
          world.spawn({.scheduler = i % 2}, waiting_sender, to, i, taking ? 1 << 30 : 100, &delivered);
        world.spawn({.scheduler = 1}, executioner, to, 2ms, kill || taking);
        world.run();  // hangs if one of them is not told
        CHECK(ledger.in_order);
        CHECK(world.actors() == 0);
      }
    }
  }
}

TEST_CASE("who sends to an actor that is gone is told each time, and does not wait") {
  Runtime world(live(2));
  std::atomic<std::int64_t> lost{0};
  struct Persistent {
    std::atomic<std::int64_t>* lost;
    Actor operator()(Self<> self, Address<Numbered> to) const {
      for (std::int32_t i = 1; i <= 500; ++i) {
        const bool handed_over = co_await to.send(Numbered{0, i});
        if (!handed_over) ++*lost;
        if (i % 50 == 0) co_await self.sleep(100us);
      }
    }
  };
  Ledger ledger;
  auto to = world.spawn({.scheduler = 0, .mailbox = {.capacity = 4}}, ledger_keeper, &ledger, std::int64_t{1});
  world.spawn({.scheduler = 1}, Persistent{&lost}, to);
  world.run();
  CHECK(lost > 400);
}

TEST_CASE("the cell of an actor serves the next, whose mailbox gives credit anew") {
  Runtime world(live(2));
  static std::atomic<std::int64_t> taken;
  taken = 0;
  struct Taker {
    Actor operator()(Self<Numbered> self, int count) const {
      for (int i = 0; i < count; ++i) {
        auto message = co_await self.receive();
        if (!message) break;
        ++taken;
      }
    }
  };
  struct Host {  // on scheduler 0, where the cells are
    Actor operator()(Self<Number> self, Address<Number> to_sender) const {
      for (int i = 0; i < 200; ++i) {
        auto child = self.spawn({.mailbox = {.capacity = 1 + static_cast<std::uint32_t>(i % 5)}}, Taker{}, i % 7);
        const AnyAddress any = child;
        std::int64_t word = 0;
        std::memcpy(&word, &any, sizeof word);
        static_cast<void>(word);
        to_sender.send(Number{i});
        current() = child;
        auto done = co_await self.receive();
        static_cast<void>(done);
      }
      to_sender.stop();
    }
    static Address<Numbered>& current() {
      static Address<Numbered> address;
      return address;
    }
  };
  struct Sender {  // on scheduler 1
    Actor operator()(Self<Number, Neighbour> self, std::vector<Address<Number>>* host) const {
      Address<Numbered> old;
      while (auto message = co_await self.receive()) {
        const Address<Numbered> to = Host::current();
        for (std::int32_t i = 0; i < 10; ++i) {
          const bool handed_over = co_await to.send(Numbered{0, i});
          static_cast<void>(handed_over);
          if (old) {
            const bool stale = co_await old.send(Numbered{1, i});
            static_cast<void>(stale);
          }
        }
        old = to;
        host->front().send(Number{0});
      }
    }
  };
  std::vector<Address<Number>> host(1);
  auto sender = world.spawn({.scheduler = 1}, Sender{}, &host);
  host[0] = world.spawn({.scheduler = 0}, Host{}, Address<Number>(sender));
  world.run();
  std::int64_t expected = 0;
  for (int i = 0; i < 200; ++i) expected += i % 7;
  CHECK(taken == expected);
}

TEST_CASE("across schedulers a mailbox that refuses takes what was accepted, and no more is lost than was refused") {
  Runtime world(live(3));
  Ledger ledger;
  std::atomic<std::int64_t> delivered{0};
  auto to = world.spawn({.scheduler = 0, .mailbox = {.capacity = 30, .when_full = WhenFull::refuse}}, ledger_keeper,
                        &ledger, std::int64_t{1} << 40);
  for (std::int32_t i = 0; i < 6; ++i) world.spawn({.scheduler = i % 3}, eager_sender, to, i, 20'000, &delivered);
  world.spawn(
      {.scheduler = 2},
      [](Self<> self, AnyAddress address, Runtime* runtime) -> Actor {
        while (runtime->actors() > 2) co_await self.sleep(1ms);
        co_await self.sleep(1ms);
        address.stop();
      },
      to, &world);
  world.run();
  CHECK(ledger.taken == delivered);
  CHECK(ledger.in_order);
  CHECK(world.counters().refused + world.mailbox_counters().refused ==
        static_cast<std::uint64_t>(6 * 20'000 - delivered));
}

TEST_CASE("across schedulers the latest of each key arrives in the end") {
  struct Quote {
    std::int32_t symbol = 0;
    std::int32_t value = 0;
    std::uint64_t conflation_key() const { return static_cast<std::uint64_t>(symbol); }
  };
  Runtime world(live(2));
  std::map<std::int32_t, std::int32_t> last;
  std::int64_t taken = 0;
  bool in_order = true;
  struct Reader {
    std::map<std::int32_t, std::int32_t>* last;
    std::int64_t* taken;
    bool* in_order;
    Actor operator()(Self<Quote> self) const {
      for (int complete = 0; complete < 100;) {
        auto quote = co_await self.receive();
        auto& value = (*last)[quote->symbol];
        *in_order &= quote->value > value;
        value = quote->value;
        ++*taken;
        if (value == 1'000) ++complete;
      }
    }
  };
  auto to = world.spawn({.scheduler = 0, .mailbox = {.capacity = 100, .when_full = WhenFull::latest}},
                        Reader{&last, &taken, &in_order});
  world.spawn(
      {.scheduler = 1},
      [](Self<> self, Address<Quote> quotes) -> Actor {
        for (std::int32_t value = 1; value <= 1'000; ++value) {
          for (std::int32_t symbol = 0; symbol < 100; ++symbol) quotes.send(Quote{symbol, value});
          if (value % 10 == 0) co_await self.yield();
        }
      },
      to);
  world.run();
  CHECK(last.size() == 100);
  CHECK(in_order);
  CHECK(taken + static_cast<std::int64_t>(world.mailbox_counters().conflated) == 100'000);
}

TEST_CASE("across schedulers news of an actor's end follows its last message") {
  for (int round = 0; round < 50; ++round) {
    Runtime world(live(2));
    static std::int32_t taken;
    static bool orderly;
    taken = 0;
    orderly = false;
    struct Watcher {
      Actor operator()(Self<Down, Numbered> self) const {
        Address<Numbered> me = self.address();
        auto child = self.runtime().spawn(
            {.scheduler = 1},
            [](Self<Number> sender, Address<Numbered> to) -> Actor {
              co_await sender.receive();  // when it is watched
              for (std::int32_t i = 1; i <= 500; ++i) co_await to.send(Numbered{0, i});
            },
            me);
        self.monitor(child);
        child.send(Number{0});
        while (auto message = co_await self.receive()) {
          if (std::get_if<Down>(&*message) != nullptr) {
            orderly = taken == 500;
            break;
          }
          ++taken;
        }
      }
    };
    world.spawn({.scheduler = 0, .mailbox = {.capacity = 10}}, Watcher{});
    world.run();
    CHECK(orderly);
  }
}

TEST_CASE("asks across schedulers are answered in boxes, and hear of the end of who was asked") {
  for (const std::uint32_t schedulers : {2u, 4u}) {
    Runtime world(live(schedulers));
    std::atomic<int> answered{0};
    auto to = world.spawn({.scheduler = 0}, answers);
    for (int i = 0; i < 8; ++i) world.spawn({.scheduler = i % static_cast<int>(schedulers)}, asks, to, 200, &answered);
    world.spawn(
        {.scheduler = 1},
        [](Self<> self, AnyAddress address, std::atomic<int>* count) -> Actor {
          while (*count < 1'600) co_await self.sleep(1ms);
          address.stop();
        },
        to, &answered);
    world.run();
    CHECK(answered == 1'600);
  }
  for (int i = 0; i < 20; ++i) {
    Runtime world(live(2));
    std::atomic<int> answered{0};
    auto to = world.spawn({.scheduler = 0}, answers);
    for (int j = 0; j < 4; ++j) world.spawn({.scheduler = j % 2}, asks, to, 1'000, &answered);
    world.spawn({.scheduler = 1}, executioner, to, Duration(100us), true);
    world.run();  // hangs if an asker is not told
    CHECK(answered < 4'000);
  }
}

TEST_CASE("other threads send while the world runs, each in its own order") {
  Runtime world(live(2));
  Ledger ledger;
  auto to =
      world.spawn({.scheduler = 1, .mailbox = {.capacity = 100'000}}, ledger_keeper, &ledger, std::int64_t{4} * 5'000);
  world.start();
  std::vector<std::thread> threads;
  for (std::int32_t i = 0; i < 4; ++i)
    threads.emplace_back([to, i] {
      for (std::int32_t number = 1; number <= 5'000; ++number) to.send(Numbered{i, number});
    });
  for (std::thread& thread : threads) thread.join();
  world.join();
  CHECK(ledger.taken == 20'000);
  CHECK(ledger.in_order);
}

TEST_CASE("messages of other threads to a full mailbox are refused and counted, whatever its policy, in boxes, too") {
  for (const WhenFull policy : {WhenFull::wait, WhenFull::refuse, WhenFull::drop_oldest}) {
    Runtime world(live());
    std::int64_t taken = 0;
    struct Late {
      std::int64_t* taken;
      Actor operator()(Self<Text> self) const {
        co_await self.sleep(5ms);
        while (auto text = co_await self.receive_for(5ms)) ++*taken;
      }
    };
    auto to = world.spawn({.mailbox = {.capacity = 10, .when_full = policy}}, Late{&taken});
    for (int i = 0; i < 100; ++i) to.send(Text("a message on the heap, as every one of them"));
    world.run();
    CHECK(taken == 10);
    CHECK(world.mailbox_counters().refused + world.mailbox_counters().dropped == 90);
  }
}

TEST_CASE("other threads make actors while the world runs, and hear it when one cannot be made") {
  Runtime world(live(2));
  std::atomic<int> ran{0};
  struct Waits {
    Actor operator()(Self<Number> self) const { co_await self.receive(); }
  };
  struct Child {
    std::atomic<int>* count;
    Actor operator()(Self<> self) const {
      ++*count;
      co_return;
      static_cast<void>(self);
    }
  };
  struct Fails {
    Fails() = default;
    Fails(const Fails&) { throw std::runtime_error("cannot be copied"); }
    Actor operator()(Self<> self) const {
      co_return;
      static_cast<void>(self);
    }
  };
  auto last = world.spawn(Waits{});
  world.start();
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&, i] {
      for (int n = 0; n < 200; ++n) {
        world.spawn({.scheduler = (i + n) % 2}, Child{&ran});
        bool heard = false;
        try {
          world.spawn(
              {.scheduler = n % 2},
              [](Self<> self, Fails) -> Actor {
                co_return;
                static_cast<void>(self);
              },
              Fails());
        } catch (const std::runtime_error&) {
          heard = true;
        }
        if (!heard) {
          const std::lock_guard guard(mutex);
          CHECK(heard);
        }
      }
    });
  for (std::thread& thread : threads) thread.join();
  last.send(Number{0});
  world.join();
  CHECK(ran == 600);
  CHECK(world.actors() == 0);
}

TEST_CASE("actors of two schedulers make actors on each other's, at the same time") {
  Runtime world(live(3));
  std::atomic<int> ran{0};
  struct Child {
    std::atomic<int>* count;
    Actor operator()(Self<> self) const {
      ++*count;
      co_return;
      static_cast<void>(self);
    }
  };
  struct Parent {
    std::atomic<int>* count;
    int index;
    Actor operator()(Self<> self) const {
      for (int i = 0; i < 500; ++i) {
        self.runtime().spawn({.scheduler = (index + 1) % 3}, Child{count});
        if (i % 20 == 0) co_await self.yield();
      }
    }
  };
  for (int i = 0; i < 3; ++i) world.spawn({.scheduler = i}, Parent{&ran, i});
  world.run();
  CHECK(ran == 1'500);
}

TEST_CASE("a thread that makes actors while the world is stopped again and again is never left waiting") {
  Runtime world(live(2));
  struct Sleeps {
    Actor operator()(Self<> self) const { co_await self.sleep(1h); }
  };
  world.spawn(Sleeps{});
  std::atomic<bool> done{false};
  std::thread maker([&] {
    for (int i = 0; !done; ++i) {
      world.spawn({.scheduler = i % 2}, [](Self<> self) -> Actor {
        co_return;
        static_cast<void>(self);
      });
    }
  });
  for (int i = 0; i < 100; ++i) {
    world.start();
    std::this_thread::yield();
    world.stop();
    world.join();  // answers who came in too late
  }
  done = true;
  maker.join();
  CHECK(world.actors() >= 1);
}

TEST_CASE("actors of two worlds in one process send to each other and ask each other") {
  Runtime first(live(2)), second(live(1));
  std::atomic<int> answered{0};
  Ledger ledger;
  auto to = first.spawn({.scheduler = 1, .mailbox = {.capacity = 10'000}}, ledger_keeper, &ledger, std::int64_t{2'000});
  auto asked = first.spawn(answers);
  std::atomic<std::int64_t> delivered{0};
  second.spawn(eager_sender, to, 1, 1'000, &delivered);
  first.spawn(eager_sender, to, 2, 1'000, &delivered);
  second.spawn(
      [](Self<> self, Address<Ask<Question>> address, std::atomic<int>* count) -> Actor {
        for (int i = 0; i < 100; ++i) {
          auto asking = address.ask(Question{i});
          const auto answer = co_await asking;
          if (answer) ++*count;
        }
        address.stop();
        static_cast<void>(self);
      },
      asked, &answered);
  first.start();
  second.start();
  second.join();
  first.join();
  CHECK(answered == 100);
  CHECK(ledger.taken == 2'000);
  CHECK(ledger.in_order);
}

TEST_CASE("a world starts and stops a thousand times and goes on where it was") {
  Runtime world(live(2));
  std::int64_t beats = 0;
  world.spawn(
      [](Self<> self, std::int64_t* count) -> Actor {
        for (;;) {
          ++*count;
          co_await self.yield();
        }
      },
      &beats);
  for (int i = 0; i < 1'000; ++i) {
    const std::int64_t before = beats;
    world.start();
    if (i % 3 == 0) std::this_thread::yield();
    world.stop();
    world.join();
    CHECK(beats >= before);
  }
  CHECK(world.actors() == 1);
}

TEST_CASE("a thousand worlds come and go") {
  int ran = 0;
  for (int i = 0; i < 1'000; ++i) {
    Runtime world(
        live(1 + static_cast<std::uint32_t>(i) % 3, i % 2 == 0 ? IdlePolicy::sleep : IdlePolicy::spin_then_sleep));
    world.spawn(
        {.site = static_cast<std::uint32_t>(i)},
        [](Self<> self, int* count) -> Actor {
          ++*count;
          co_return;
          static_cast<void>(self);
        },
        &ran);
    world.run();
  }
  CHECK(ran == 1'000);
}

TEST_CASE("no wake-up is lost between schedulers that sleep whenever they can") {
  for (const std::uint32_t schedulers : {2u, 4u}) {
    for (const IdlePolicy idle : {IdlePolicy::sleep, IdlePolicy::spin_then_sleep}) {
      RuntimeOptions options = live(schedulers, idle);
      options.spin = Duration(1us);
      Runtime world(options);
      std::atomic<std::int64_t> finished{0};
      constexpr std::int64_t tokens = 2;
      std::vector<Address<Token, Neighbour>> stations;
      for (std::uint32_t i = 0; i < schedulers; ++i)
        stations.push_back(world.spawn({.scheduler = static_cast<int>(i)}, ring_station, &finished, tokens));
      for (std::uint32_t i = 0; i < schedulers; ++i) stations[i].send(Neighbour{stations[(i + 1) % schedulers]});
      for (std::int64_t i = 0; i < tokens; ++i) stations[static_cast<std::size_t>(i)].send(Token{5'000});
      world.run();  // hangs if a wake-up is lost
      CHECK(finished == tokens);
    }
  }
}

TEST_CASE("a scheduler that spins only wakes nobody by a system call") {
  Runtime world(live(2, IdlePolicy::spin));
  std::atomic<std::int64_t> finished{0};
  auto one = world.spawn({.scheduler = 0}, ring_station, &finished, std::int64_t{1});
  auto two = world.spawn({.scheduler = 1}, ring_station, &finished, std::int64_t{1});
  one.send(Neighbour{two});
  two.send(Neighbour{one});
  one.send(Token{200});
  world.run();
  CHECK(finished == 1);
  CHECK(world.counters().parks == 0);
  CHECK(world.counters().wakes == 0);
}

TEST_CASE("more schedulers than processors lose nothing in a drawn traffic of spawns, kills, asks and messages") {
  const std::uint64_t seed = test_seed();
  INFO("--seed=" << seed);
  for (std::uint64_t round = 0; round < 10; ++round) {
    const std::uint32_t schedulers = 2 + static_cast<std::uint32_t>(round % 6);
    RuntimeOptions options = live(schedulers);
    options.seed = seed + round;
    Runtime world(options);
    static std::atomic<std::int64_t> sent, taken;
    sent = taken = 0;
    using To = Address<Numbered, Text, Ask<Question>>;
    struct Board {
      std::mutex mutex;
      std::vector<To> actors;
      std::vector<Address<Numbered>> sinks;
    } board;
    struct Sink {  // players wait for room only here: waiting for each other they would wait for ever
      Actor operator()(Self<Numbered> self, int messages) const {
        while (auto message = co_await self.receive_for(20ms)) {
          ++taken;
          if (--messages == 0) break;
        }
      }
    };
    struct Player {
      Actor operator()(Self<Numbered, Text, Ask<Question>> self, Board* board, int moves) const {
        {
          const std::lock_guard guard(board->mutex);
          board->actors.push_back(self.address());
        }
        for (int i = 0; i < moves; ++i) {
          To other;
          {
            const std::lock_guard guard(board->mutex);
            other = board->actors[self.random().below(board->actors.size())];
          }
          switch (self.random().below(8)) {
            case 0:
            case 1: {
              const auto sink = board->sinks[self.random().below(board->sinks.size())];
              const bool handed_over = co_await sink.send(Numbered{0, i});
              if (handed_over) ++sent;
              break;
            }
            case 2:
            case 3:
              if (other.send(Text("a message that lies on the heap, and is counted")).accepted()) ++sent;
              break;
            case 4: {
              auto asking = other.ask(Question{i}, Duration(300us));
              const auto answer = co_await asking;
              static_cast<void>(answer);
              break;
            }
            case 5:
              if (self.random().chance(0.1)) other.kill();
              break;
            case 6:
              if (moves > 20) {
                const int where = static_cast<int>(self.random().below(self.runtime().options().schedulers));
                self.runtime().spawn(
                    {.scheduler = where, .mailbox = {.capacity = 1 + static_cast<std::uint32_t>(i % 4)}}, Player{},
                    board, moves / 3);
              }
              break;
            default:
              while (auto message = co_await self.receive_for(Duration(50us))) {
                if (const auto* ask = std::get_if<Ask<Question>>(&*message))
                  ask->reply(Text("an answer that lies on the heap, as it should"));
                else
                  ++taken;
              }
          }
        }
      }
    };
    for (int i = 0; i < 6; ++i)
      board.sinks.push_back(world.spawn({.scheduler = i % static_cast<int>(schedulers), .mailbox = {.capacity = 2}},
                                        Sink{}, i % 2 == 0 ? 10 : 1'000'000));
    for (int i = 0; i < 8; ++i)
      world.spawn({.scheduler = i % static_cast<int>(schedulers), .mailbox = {.capacity = 3}}, Player{}, &board, 60);
    world.run();
    CHECK(world.actors() == 0);
    CHECK(taken <= sent);
  }
}
