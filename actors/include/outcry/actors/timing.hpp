// Timing: the actor that answers how long the stages of an order's way took, on one scheduler or on all.
//
// It owns nothing: it reads the StageTimes of its scheduler, which the other actors there write. The gathering actor
// asks the timing actor of each scheduler and merges what they answer.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <outcry/actors/stage_times.hpp>
#include <outcry/runtime/runtime.hpp>

namespace outcry {

/// Percentiles of one stage, in nanoseconds.
struct StageSummary {
  std::uint64_t count = 0;
  std::int64_t p50_ns = 0;
  std::int64_t p90_ns = 0;
  std::int64_t p99_ns = 0;
  std::int64_t p99_9_ns = 0;
  std::int64_t p99_99_ns = 0;
  std::int64_t max_ns = 0;
  double per_second = 0;  // count over the time since the actor began
};

StageSummary summary_of(const Histogram& histogram, double seconds);

inline constexpr SymbolId all_symbols{0xFFFFFFFF};

/// The whole histogram of a stage; travels in a box.
struct StageHistogram {
  explicit StageHistogram(Histogram taken) : histogram(std::move(taken)) {}
  Histogram histogram;
};
struct StageHistogramQuery {
  using Reply = StageHistogram;
  Stage stage{};
  SymbolId symbol = all_symbols;
};

struct StageSummaryQuery {
  using Reply = StageSummary;
  Stage stage{};
  SymbolId symbol = all_symbols;
};

using TimingAddress = Address<Ask<StageSummaryQuery>, Ask<StageHistogramQuery>>;
using TimingSelf = Self<Ask<StageSummaryQuery>, Ask<StageHistogramQuery>>;

/// Answers for one scheduler. `times` outlives it and is written on the same scheduler only.
Actor timing(TimingSelf self, const StageTimes* times);

/// Answers for all: asks the timing actors of every scheduler and merges. Where one of them is gone it bounces the ask:
/// half an answer would look like a whole one.
Actor gathered_timing(TimingSelf self, std::vector<TimingAddress> each);

/// What the timing actors of all schedulers answer for every symbol and stage, once a run in virtual time has come to
/// its end: spawns them, asks, and plays virtual time until they have answered.
/// Requires: `runtime` is in virtual time and does not run; its digest and counters have been read. `each` holds one set
/// for each scheduler.
std::unique_ptr<StageTimes> gather_stage_times(Runtime& runtime, std::span<const std::unique_ptr<StageTimes>> each);

}  // namespace outcry
