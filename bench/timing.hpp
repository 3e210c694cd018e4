// Timing: what the benchmarks of books have in common: the time-stamp counter in nanoseconds, medians of chunks, and
// percentiles of single operations.
#pragma once

#include <x86intrin.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

/// Messages that are timed together; a result is the median of such chunks.
inline constexpr std::size_t chunk = 10'000;

inline double ns_per_tick() {
  static const double value = [] {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    const std::uint64_t ticks = __rdtsc();
    while (Clock::now() - start < std::chrono::milliseconds(200)) {
    }
    const std::chrono::duration<double, std::nano> passed = Clock::now() - start;
    return passed.count() / static_cast<double>(__rdtsc() - ticks);
  }();
  return value;
}

/// Requires: at least one value.
template <class Number>
Number median(std::vector<Number>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Ticks that f() takes, with everything before it done and everything in it finished.
template <class F>
[[gnu::always_inline]] inline std::uint64_t ticks_of(F&& f) {
  unsigned core;
  const std::uint64_t start = __rdtsc();
  _mm_lfence();
  f();
  _mm_lfence();
  return __rdtscp(&core) - start;
}

struct Percentiles {
  double p50, p99, p999;
};

/// Times of single operations, the cost of the clock taken off.
class Samples {
 public:
  explicit Samples(std::size_t expected) {
    std::vector<std::uint64_t> empty(100'000);
    for (auto& ticks : empty) ticks = ticks_of([] {});
    clock_ = median(empty);
    ticks_.reserve(expected);
  }

  template <class F>
  [[gnu::always_inline]] void time(F&& f) {
    const std::uint64_t passed = ticks_of(f);
    ticks_.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(passed - std::min(passed, clock_), ~0u)));
  }

  /// Requires: at least one sample. Sorts them.
  Percentiles percentiles() {
    std::sort(ticks_.begin(), ticks_.end());
    const auto at_share = [&](double share) {
      return ticks_[static_cast<std::size_t>(static_cast<double>(ticks_.size() - 1) * share)] * ns_per_tick();
    };
    return {at_share(0.5), at_share(0.99), at_share(0.999)};
  }

 private:
  std::uint64_t clock_;
  std::vector<std::uint32_t> ticks_;
};

}  // namespace bench
