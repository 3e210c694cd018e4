// TscClock: the time of CLOCK_MONOTONIC, read from the processor's time-stamp counter.
//
// Thread: any; nothing changes after construction.
// Fallback: where the counter is not usable (another processor, not invariant, distrusted by the kernel) now_ns() asks
//   the system, and warning() says why.
// Limits: the rate is measured once, over some 12 ms, so the clock drifts from CLOCK_MONOTONIC by a few parts in a
//   million. Good for latencies, not for the time of day. The counter is read without a fence: a read may move by a few
//   instructions against its neighbours.
#pragma once

#include <time.h>

#include <cstdint>
#include <string>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace outcry {

class TscClock {
 public:
  enum class Source : std::uint8_t { counter, system };

  /// Takes up to 20 ms of an idle machine when it is to read the counter: that long it watches it against the system's
  /// clock.
  explicit TscClock(Source wanted = Source::counter);

  /// The clock that the process shares, calibrated by the first caller.
  static const TscClock& process();

  std::int64_t now_ns() const noexcept {
    if (source_ == Source::counter) [[likely]]
      return at(ticks());
    return system_ns();
  }

  /// The counter as it is; zero where there is none.
  static std::uint64_t ticks() noexcept {
#if defined(__x86_64__)
    return __rdtsc();
#else
    return 0;
#endif
  }

  /// The time at which the counter showed, or will show, `ticks`. Requires: source() is the counter.
  std::int64_t at(std::uint64_t ticks) const noexcept {
    // Signed, so that a counter a little behind the one of the calibration gives a time a little earlier.
    const auto since = static_cast<std::int64_t>(ticks - first_ticks_);
    return first_ns_ + static_cast<std::int64_t>((Wide{since} * ns_per_tick_) >> fraction_bits);
  }

  Source source() const noexcept { return source_; }
  double ticks_per_ns() const noexcept;

  /// Why the counter is not used though it was wanted; empty if it is used.
  const std::string& warning() const noexcept { return warning_; }

  static std::int64_t system_ns() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  }

 private:
  __extension__ using Wide = __int128;
  static constexpr int fraction_bits = 32;

  Source source_ = Source::system;
  std::uint64_t first_ticks_ = 0;
  std::int64_t first_ns_ = 0;
  std::int64_t ns_per_tick_ = 0;  // with fraction_bits binary places
  std::string warning_;
};

}  // namespace outcry
