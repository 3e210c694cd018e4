// Interleavings: a scenario is played once for each of many seeds; a seed is one order of what may happen at once.
//
//   const Search search = for_each_seed([](Trial& trial) {
//     Runtime runtime(trial.world());
//     ... actors ...
//     trial.play(runtime);                                     // to the end; an actor that still waits then is a failure
//     trial.require(taken == sent, "a message was lost");
//   });
//   check_every_order(search);      or, where a mistake was planted: check_found(search);
//
// Seeds are counted up from the test run's own (../seed.hpp): a failure says which one it was, and --seed with it plays
// that order first. 10,000 seeds for each scenario; under sanitizers and without optimisation 2,000; OUTCRY_SEEDS says
// otherwise.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <unordered_set>

#include "../sanitized.hpp"
#include "../seed.hpp"
#include "scenario.hpp"

namespace scenario {

/// What one seed plays with, and where the scenario says what it found.
class Trial {
 public:
  explicit Trial(std::uint64_t seed) : seed_(seed), random_(seed, 4711) {}

  /// For what the scenario itself draws.
  Random& random() { return random_; }

  /// A world in which the order is drawn, and mostly the latency of its links, too: a few nanoseconds, so that much
  /// happens at one moment.
  RuntimeOptions world(std::uint32_t schedulers = 1) {
    RuntimeOptions options = simulation(schedulers);
    options.seed = seed_;
    options.interleaving = seed_;
    options.latency.within_site = Duration(random_.between(0, 2));
    options.latency.jitter = Duration(random_.between(0, 3));
    return options;
  }

  void require(bool holds, const std::string& what) {
    if (!holds && why_.empty()) why_ = what;
  }

  /// What tells orders apart beside the messages that actors received. From actors of one site.
  void note(std::uint64_t who, std::uint64_t what) { digest_ = mix64(mix64(digest_, who), what); }

  /// Plays it to the end. Every actor must have ended by then.
  void play(Runtime& runtime) {
    runtime.run();
    digest_ = mix64(digest_, runtime.digest());
    require(runtime.actors() == 0, "somebody waits for ever:\n" + (runtime.actors() != 0 ? runtime.dump() : ""));
  }

  const std::string& why() const { return why_; }
  std::uint64_t digest() const { return digest_; }

 private:
  std::uint64_t seed_;
  Random random_;
  std::string why_;
  std::uint64_t digest_ = 0;
};

struct Search {
  std::uint64_t trials = 0;
  std::size_t orders = 0;             // different ones, by their digests
  std::optional<std::uint64_t> seed;  // the first that failed
  std::string why;
};

inline std::uint64_t seeds_to_try() {
  if (const char* given = std::getenv("OUTCRY_SEEDS")) return std::strtoull(given, nullptr, 10);
#ifdef __OPTIMIZE__
  return sanitized ? 2'000 : 10'000;
#else
  return 2'000;
#endif
}

/// Until the first failure.
template <class Scenario>
Search for_each_seed(Scenario scenario, std::uint64_t trials = seeds_to_try()) {
  Search search;
  std::unordered_set<std::uint64_t> digests;
  for (std::uint64_t seed = test_seed(); search.trials < trials && !search.seed; ++seed) {
    Trial trial(seed);
    scenario(trial);
    ++search.trials;
    digests.insert(trial.digest());
    if (trial.why().empty()) continue;
    search.seed = seed;
    search.why = trial.why();
  }
  search.orders = digests.size();
  return search;
}

/// No order breaks the scenario.
inline void check_every_order(const Search& search) {
  MESSAGE(search.trials, " seeds, ", search.orders, " orders");
  REQUIRE_MESSAGE(!search.seed, search.why, "; replay: --seed=", search.seed.value_or(0));
  CHECK(search.orders > 1);
}

/// A mistake was planted, and some order shows it.
inline void check_found(const Search& search) {
  REQUIRE_MESSAGE(search.seed, "not found with ", search.trials, " seeds from ", test_seed());
  MESSAGE("found with seed ", search.trials, " of those from ", test_seed(), ": ", search.why);
}

}  // namespace scenario
