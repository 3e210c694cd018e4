// Agents: the ordinary participants of a simulated symbol, each an actor.
//
// All of them wake at random times, look at the quote, and act over links with latency; none sees the book directly.
// In an auction what would take at once waits with the others; during a halt nobody sends orders. News of both comes over
// the same links, so some orders are refused.
// Threads: the site of their symbol.
#pragma once

#include <cstdint>

#include <outcry/actors/participant.hpp>
#include <outcry/actors/simulated_market.hpp>
#include <outcry/runtime/random.hpp>

namespace outcry {

/// The worth of a symbol that value agents observe: an Ornstein-Uhlenbeck process, drawn as it is asked for.
///
/// Shared by the agents of one site, who ask in the order of virtual time, so that it is the same in every run.
/// Source of the transition: exact discretisation, x(t+d) = mean + (x(t) - mean) exp(-k d) + noise of variance
/// v (1 - exp(-2 k d)) / (2 k).
class Fundamental {
 public:
  /// `volatility`: a year of 252 days of 6.5 hours, relative to `mean`. `reversion`: a second.
  Fundamental(double mean, double volatility, double reversion, Random random);

  /// Requires: times do not go back.
  double at(Time time);

 private:
  double mean_;
  double variance_per_s_;
  double reversion_;
  Random random_;
  Time time_{};
  double value_;
};

using AgentSelf = Self<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced, PhaseChanged>;

struct AgentSetup {
  SymbolAddress symbol{};
  SymbolId symbol_id{};
  AccountId account{};
  const AgentBehaviour* behaviour = nullptr;
  Fundamental* fundamental = nullptr;
  bool has_rules = false;  // the symbol's book: then they listen to its phases
};

/// Buys or sells for no reason: mostly near the best price on its own side, sometimes across the spread. Keeps one order
/// and cancels it before the next; some of them are special orders if the behaviour says so. After the noise traders of Kyle 1985.
Actor noise_agent(AgentSelf self, AgentSetup setup);

/// Observes the worth with an error; trades against quotes that are off by more than that, else quotes around it.
Actor value_agent(AgentSelf self, AgentSetup setup);

/// Quotes several levels on both sides around the mid, leaning against its inventory.
Actor maker_agent(AgentSelf self, AgentSetup setup);

/// What the zero-intelligence chain measures of its market.
struct SpreadStatistics {
  double mean = 0;
  double deviation = 0;
  std::uint64_t events = 0;
};

using ZeroIntelligenceSelf = Self<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced, Quote>;

/// Every arrival and cancellation of the model `w1` as one continuous-time chain, from `start` quotes one tick either
/// side. `statistics` is written when the actor ends; the spread is weighted by time, from `measure_from` on.
Actor zero_intelligence(ZeroIntelligenceSelf self, SymbolAddress symbol, ZeroIntelligence model, Price start,
                        Time measure_from, SpreadStatistics* statistics);

}  // namespace outcry
