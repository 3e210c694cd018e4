// The same bits on any number of schedulers: drawn worlds, played on several, compared event by event.
#include "../seed.hpp"
#include "scenario.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

using namespace scenario;

namespace {

struct Quote {
  std::uint64_t key = 0;
  std::int64_t value = 0;
  std::uint64_t conflation_key() const { return key; }
};

struct Question {
  using Reply = Text;
  std::int64_t value = 0;
};

using Player = Self<Number, Quote, Text, Ask<Question>, Down>;
using To = Player::AddressType;

/// A world as it was drawn, and what each of its actors saw.
struct Play {
  std::vector<To> actors;
  int moves = 0;
  double risk = 0;
  std::mutex mutex;
  std::map<std::uint64_t, Events> seen;  // by actor

  Events& list_of(std::uint64_t id) {
    const std::lock_guard guard(mutex);
    return seen[id];
  }
};

MailboxOptions draw_mailbox(Random& random) {
  return {.capacity = static_cast<std::uint32_t>(random.between(1, 6)),
          .when_full = static_cast<WhenFull>(random.below(4))};
}

void note(Player self, Events& events, std::string what) { events.push_back(at(self.now()).append(" ").append(what)); }

Actor player(Player self, Play* play, int moves, int depth) {
  Events& events = play->list_of(self.id());
  Random& random = self.random();
  std::deque<Ask<Question>> owed;
  for (int move = 0; move < moves; ++move) {
    const To other = play->actors[random.below(play->actors.size())];
    switch (random.below(13)) {
      case 0: other.send(Number{static_cast<std::int64_t>(random.below(1'000))}); break;
      case 1: {
        const bool handed_over = co_await other.send(Number{static_cast<std::int64_t>(random.below(1'000))});
        note(self, events, handed_over ? "sent" : "not sent");
        break;
      }
      case 2: other.send(Quote{random.below(3), static_cast<std::int64_t>(random.below(1'000))}); break;
      case 3: other.send(Text("text " + std::to_string(random.below(1'000)) + " that lies on the heap")); break;
      case 4: other.send_at(later(self.now(), Duration(random.between(0, 300))), Quote{random.below(3), move}); break;
      case 5: {
        auto asking =
            other.ask(Question{static_cast<std::int64_t>(random.below(100))}, Duration(random.between(1, 400)));
        const auto answer = co_await asking;
        note(self, events,
             answer ? "answer " + answer->text() : "no answer " + std::to_string(static_cast<int>(answer.error())));
        break;
      }
      case 6:
        if (random.chance(0.3)) self.monitor(other);
        break;
      case 7:
        if (random.chance(play->risk)) random.coin() ? other.stop() : other.kill();
        break;
      case 8:
        if (depth < 3 && random.chance(0.5)) {
          const SpawnOptions options{.mailbox = draw_mailbox(random),
                                     .distance = Duration(random.between(0, 20)),
                                     .compute = Duration(random.between(0, 3) * 10)};
          const auto child = self.spawn(options, player, play, moves / 2, depth + 1);
          if (random.coin()) self.monitor(child);
          if (random.coin()) child.send(Number{move});
        }
        break;
      case 9: co_await self.sleep(Duration(random.between(0, 50))); break;
      case 10:
        if (!owed.empty()) {
          if (random.chance(0.3))
            other.send(owed.front());
          else
            owed.front().reply(Text("for " + std::to_string(owed.front().query.value)));
          owed.pop_front();
        }
        break;
      case 11: co_await self.yield(); break;
      default: {
        for (;;) {
          const auto message = co_await self.receive_for(Duration(random.between(0, 60)));
          if (!message) break;
          if (const auto* number = std::get_if<Number>(&*message))
            note(self, events, "number " + std::to_string(number->value));
          if (const auto* quote = std::get_if<Quote>(&*message))
            note(self, events, "quote " + std::to_string(quote->value));
          if (const auto* text = std::get_if<Text>(&*message)) note(self, events, text->text());
          if (const auto* ask = std::get_if<Ask<Question>>(&*message)) {
            note(self, events, "asked " + std::to_string(ask->query.value));
            if (random.coin())
              ask->reply(Text("at once " + std::to_string(ask->query.value)));
            else
              owed.push_back(*ask);
          }
          if (const auto* down = std::get_if<Down>(&*message))
            note(self, events,
                 std::string(to_string(down->end)) + " " + std::to_string(down->actor) + std::string(down->why()));
        }
        if (self.stopping()) move = moves;
      }
    }
    if (random.chance(play->risk / 20)) throw std::runtime_error("drawn at " + at(self.now()));
  }
}

struct Outcome {
  std::uint64_t digest = 0;
  std::map<std::uint64_t, Events> seen;
  std::array<std::uint64_t, 9> counters{};
  Time now{};
  bool operator==(const Outcome&) const = default;
};

enum class Way { at_once, in_pieces, interrupted };

/// `seed` draws the world; how it is played must not matter.
Outcome played(std::uint64_t seed, std::uint32_t schedulers, Way way = Way::at_once) {
  Random random(seed, 77);
  RuntimeOptions options = simulation(schedulers);
  options.seed = seed;
  const auto sites = static_cast<std::uint32_t>(random.between(1, 9));
  options.latency.within_site = Duration(random.coin() ? 0 : random.between(1, 40));
  options.latency.between_sites = Duration(random.between(1, 120));
  options.latency.jitter = Duration(random.coin() ? 0 : random.between(1, 60));
  if (random.chance(0.3)) options.window = Duration(random.between(1, 30));
  Play play;
  play.moves = static_cast<int>(random.between(10, 80));
  play.risk = random.coin() ? 0 : 0.3;
  Outcome outcome;
  {
    Runtime world(options);
    const std::int64_t actors = random.between(2, 40);
    for (std::int64_t i = 0; i < actors; ++i) {
      const SpawnOptions spawn{.site = static_cast<std::uint32_t>(random.below(sites)),
                               .mailbox = draw_mailbox(random),
                               .distance = Duration(random.coin() ? 0 : random.between(0, 30)),
                               .compute = Duration(random.coin() ? 0 : random.between(0, 40))};
      play.actors.push_back(world.spawn(spawn, player, &play, play.moves, 0));
    }
    for (int i = 0; i < 5; ++i) play.actors[random.below(play.actors.size())].send(Number{i});
    if (way == Way::in_pieces)
      for (std::int64_t time = 0; time < 3'000; time += random.between(1, 97)) world.run_until(time_from_ns(time));
    std::atomic<bool> done{false};
    std::thread interrupter;
    if (way == Way::interrupted)
      interrupter = std::thread([&] {
        while (!done) {
          world.stop();
          std::this_thread::yield();
        }
      });
    if (way == Way::interrupted) {
      for (int i = 0; i < 30; ++i) world.run();
      done = true;
      interrupter.join();
    }
    world.run();
    outcome.now = world.now();
    world.stop_actors();
    world.run();
    outcome.digest = world.digest();
    const SchedulerCounters c = world.counters();
    const MailboxCounters m = world.mailbox_counters();
    outcome.counters = {c.delivered, c.turns,   c.dead_letters, c.refused,  c.failures,
                        m.received,  m.refused, m.dropped,      m.conflated};
  }
  outcome.seen = std::move(play.seen);
  return outcome;
}

void check_equal(const Outcome& one, const Outcome& other) {
  CHECK(one.digest == other.digest);
  CHECK(one.now == other.now);
  CHECK(one.counters == other.counters);
  CHECK(one.seen.size() == other.seen.size());
  for (const auto& [id, events] : one.seen) {
    const auto found = other.seen.find(id);
    REQUIRE(found != other.seen.end());
    if (events != found->second) {
      CHECK(events == found->second);
      break;
    }
  }
}

struct Bit {
  std::uint64_t bits = 0;
};
struct OtherBit {
  std::uint64_t bits = 0;
};

/// Two senders to one receiver, in the same nanosecond.
template <class M>
std::uint64_t digest_of_two(std::uint64_t first, std::uint64_t second, Duration after = Duration(0),
                            std::uint64_t seed = 1, bool swapped = false) {
  RuntimeOptions options = simulation();
  options.seed = seed;
  Runtime world(options);
  auto to = world.spawn([](Self<M> self) -> Actor {
    while (auto message = co_await self.receive()) {
    }
  });
  struct Sender {
    Actor operator()(Self<> self, Address<M> to, std::uint64_t bits, Duration after) const {
      co_await self.sleep(after);
      to.send(M{bits});
    }
  };
  world.spawn(Sender{}, to, swapped ? second : first, Duration(0));
  world.spawn(Sender{}, to, swapped ? first : second, after);
  world.run();
  return world.digest();
}

}  // namespace

TEST_CASE("drawn worlds are the same on one scheduler and on many, event by event") {
  const std::uint64_t seed = test_seed();
  INFO("--seed=" << seed);
  for (std::uint64_t round = 0; round < 15; ++round) {
    INFO("round " << round);
    const Outcome one = played(seed + round, 1);
    for (const std::uint32_t schedulers : {2u, 4u, 3u, 7u}) {
      INFO(schedulers << " schedulers");
      check_equal(one, played(seed + round, schedulers));
    }
  }
}

TEST_CASE("a drawn world is the same when it is played again") {
  const std::uint64_t seed = test_seed();
  INFO("--seed=" << seed);
  for (std::uint64_t round = 0; round < 10; ++round) check_equal(played(seed + round, 2), played(seed + round, 2));
}

TEST_CASE("a drawn world is the same when it is played in pieces") {
  const std::uint64_t seed = test_seed();
  INFO("--seed=" << seed);
  for (std::uint64_t round = 0; round < 10; ++round)
    for (const std::uint32_t schedulers : {1u, 3u})
      check_equal(played(seed + round, 1), played(seed + round, schedulers, Way::in_pieces));
}

TEST_CASE("a drawn world is the same when it is stopped in the middle and taken up again") {
  const std::uint64_t seed = test_seed();
  INFO("--seed=" << seed);
  for (std::uint64_t round = 0; round < 10; ++round)
    for (const std::uint32_t schedulers : {1u, 3u}) {
      const Outcome whole = played(seed + round, 1);
      const Outcome interrupted = played(seed + round, schedulers, Way::interrupted);
      check_equal(whole, interrupted);
    }
}

TEST_CASE("drawn worlds are not all the same") {
  const std::uint64_t seed = test_seed();
  INFO("--seed=" << seed);
  CHECK(played(seed, 1).digest != played(seed + 1, 1).digest);
}

TEST_CASE("a digest tells one bit, the order of two senders, a nanosecond and a type") {
  const std::uint64_t digest = digest_of_two<Bit>(5, 6);
  CHECK(digest == digest_of_two<Bit>(5, 6));
  CHECK(digest != digest_of_two<Bit>(5, 7));
  CHECK(digest != digest_of_two<Bit>(6, 5));
  CHECK(digest != digest_of_two<Bit>(5, 6, Duration(0), 1, true));
  CHECK(digest != digest_of_two<Bit>(5, 6, Duration(1)));
  CHECK(digest != digest_of_two<OtherBit>(5, 6));
}
