// Supervision, links, groups, the registry, scopes and offloaded work give the same bits on any number of schedulers.
#include "../seed.hpp"
#include "scenario.hpp"

#include <map>
#include <mutex>
#include <stdexcept>

#include <outcry/runtime/group.hpp>
#include <outcry/runtime/offload.hpp>
#include <outcry/runtime/registry.hpp>
#include <outcry/runtime/scope.hpp>
#include <outcry/runtime/supervisor.hpp>

using namespace scenario;

namespace {

struct Play {
  Registry registry;
  Group<Number> group;
  std::uint32_t sites = 0;
  std::mutex mutex;
  std::map<std::uint64_t, Events> seen;  // by actor

  Events& list_of(std::uint64_t id) {
    const std::lock_guard guard(mutex);
    return seen[id];
  }
};

std::string worker_name(std::uint64_t site, std::uint64_t number) {
  return "worker " + std::to_string(site) + "." + std::to_string(number);
}

Task<std::int64_t> rest(Self<> self) {
  const Duration time(self.random().between(0, 40));
  co_await self.sleep(time);
  co_return time.count();
}

/// Does what it draws: finds others by name, links itself to them, publishes, fails.
Actor worker(Self<Number, Down> self, Play* play) {
  Events& events = play->list_of(self.id());
  Random& random = self.random();
  const auto note = [&](const std::string& what) { events.push_back(at(self.now()).append(" ").append(what)); };
  note("starts");
  if (random.chance(0.3)) self.trap_ends();
  if (random.coin()) play->group.join(self.address());
  Alarm alarm = self.send_every(Duration(random.between(20, 90)), self.address(), Number{-1});
  AnyAddress last;
  for (int move = 0; move < 50; ++move) {
    switch (random.below(11)) {
      case 0: {
        const std::string name = worker_name(random.below(play->sites), random.below(3));
        auto finding = play->registry.find<Number>(name, Duration(500));
        const auto found = co_await finding;
        note(found ? "finds " + name : found.why());
        if (!found) break;
        found->send(Number{move});
        if (random.coin()) self.link(*found);
        if (random.chance(0.3)) self.monitor(*found);
        last = *found;
        break;
      }
      case 1: play->group.publish(Number{100 + move}); break;
      case 2:
        if (last && random.coin()) self.unlink(last);
        break;
      case 3: co_await self.sleep(Duration(random.between(0, 60))); break;
      case 4:
        if (random.chance(0.3)) alarm.cancel();
        break;
      case 5:
        if (random.chance(0.05)) throw std::runtime_error("drawn");
        if (last && random.chance(0.05)) last.kill();
        break;
      case 6: {
        auto downs = self.receive_until<Down>(later(self.now(), Duration(20)));
        const auto down = co_await downs;
        if (down) note(std::string(to_string(down->end)) + " before its turn");
        break;
      }
      case 7: {
        const auto rests = [](Self<> me) -> Task<std::int64_t> { return rest(me); };
        auto any = when_any(self, rests, rests, rests);
        const auto first = co_await any;
        note("task " + std::to_string(first.index) + " was first");
        break;
      }
      case 8: {
        auto work = offload(self, [move] { return move * 2; }, Duration(random.between(0, 30)));
        const int result = co_await work;
        note("work gave " + std::to_string(result));
        break;
      }
      default: {
        const auto message = co_await self.receive_for(Duration(random.between(1, 60)));
        if (!message) break;
        if (const auto* number = std::get_if<Number>(&*message)) note("number " + std::to_string(number->value));
        if (const auto* down = std::get_if<Down>(&*message))
          note(std::string(to_string(down->end)) + " " + std::to_string(down->actor) + std::string(down->why()));
      }
    }
    if (self.stopping()) break;
  }
  note("finishes");
}

struct Outcome {
  std::uint64_t digest = 0;
  std::map<std::uint64_t, Events> seen;
  std::uint64_t failures = 0;
  std::uint64_t delivered = 0;
  Time now{};
};

Outcome played(std::uint64_t seed, std::uint32_t schedulers) {
  Random random(seed, 78);
  RuntimeOptions options = simulation(schedulers);
  options.seed = seed;
  options.latency.within_site = Duration(random.coin() ? 0 : random.between(1, 10));
  options.latency.between_sites = Duration(random.between(1, 40));
  options.latency.jitter = Duration(random.coin() ? 0 : random.between(1, 20));
  Play play;
  play.sites = static_cast<std::uint32_t>(random.between(1, 6));
  Outcome outcome;
  {
    Runtime world(options);
    play.registry = Registry(world, {.site = static_cast<std::uint32_t>(random.below(play.sites))});
    play.group = Group<Number>(world, {.site = static_cast<std::uint32_t>(random.below(play.sites))});
    for (std::uint32_t site = 0; site < play.sites; ++site) {
      const Supervision how{.strategy = static_cast<Supervision::Strategy>(random.below(3)),
                            .most = 4,
                            .within = Duration(2'000),
                            .pause = Duration(5),
                            .longest_pause = Duration(50),
                            .patience = Duration(30),
                            .registry = play.registry};
      std::vector<Child> children;
      for (std::uint64_t number = 0; number < 3; ++number)
        children.push_back(supervised(
            {.name = worker_name(site, number), .restart = static_cast<Restart>(random.below(3))}, worker, &play));
      world.spawn({.site = site}, supervisor, how, children);
    }
    world.run_until(time_from_ns(20'000));
    world.stop_actors();
    world.run();
    outcome.now = world.now();
    outcome.digest = world.digest();
    outcome.failures = world.counters().failures;
    outcome.delivered = world.counters().delivered;
    CHECK(world.actors() == 0);
  }
  outcome.seen = std::move(play.seen);
  return outcome;
}

}  // namespace

TEST_CASE(
    "supervisors, links, groups, names, scopes and offloaded work give the same bits on one scheduler, two and four") {
  const std::uint64_t seed = test_seed();
  INFO("--seed=" << seed);
  std::uint64_t failures = 0;
  std::size_t lives = 0;
  for (std::uint64_t round = 0; round < 15; ++round) {
    INFO("round " << round);
    const Outcome one = played(seed + round, 1);
    failures += one.failures;
    lives += one.seen.size();
    for (const std::uint32_t schedulers : {2u, 4u}) {
      INFO(schedulers << " schedulers");
      const Outcome other = played(seed + round, schedulers);
      CHECK(one.digest == other.digest);
      CHECK(one.now == other.now);
      CHECK(one.delivered == other.delivered);
      CHECK(one.failures == other.failures);
      CHECK((one.seen == other.seen));
    }
  }
  CHECK(failures > 0);
  CHECK(lives > 100);  // children were started again
}
