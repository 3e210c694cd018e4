// Session: the day of a symbol: when orders are collected, when they trade, when trading stands still; and the clock of
// orders that are good till a time.
//
// Thread: the symbol's site. Moments are counted from SessionPlan::origin: of a simulation its beginning, live the start of
// the program, or midnight.
// An auction that nobody planned (a book may begin one by itself, another actor may ask for one) is ended by the session
// after `unplanned`.
// Limits: one day. Orders expire on whole seconds, and before a phase that changes in the same moment.
#pragma once

#include <vector>

#include <outcry/actors/participant.hpp>
#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry {

/// Trading stands still from `at` for so long.
struct Halt {
  Duration at{};
  Duration length{};
  friend bool operator==(const Halt&, const Halt&) = default;
};

struct SessionPlan {
  Duration opening_from{0};   // until then trading is halted
  Duration opening_to{0};     // orders are collected until then; zero, or the same: trading begins without an auction
  std::vector<Halt> halts{};  // in any order
  Duration reopening{0};      // of the auction behind each halt; zero: none
  Duration closing_from{0};   // zero: the market does not close
  Duration closing_to{0};     // trading ends then, and with it day orders; the same: it ends without an auction
  Duration unplanned = std::chrono::minutes(2);  // of an auction that nobody planned
  Time origin{};
};

struct SessionStep {
  Duration at{};
  Phase phase{};
  friend bool operator==(const SessionStep&, const SessionStep&) = default;
};

/// What a plan comes to, in the order of time. Throws std::invalid_argument with one sentence if it makes no sense.
std::vector<SessionStep> steps_of(const SessionPlan& plan);

using SessionSelf = Self<PhaseChanged>;

/// Leads one symbol through its day. Its book needs rules.
Actor session(SessionSelf self, SymbolAddress symbol, SymbolId id, SessionPlan plan);

}  // namespace outcry
