// Time: a point on the world's time line, and the distance between two.
//
// Units: nanoseconds. In a simulated or recorded world time zero is midnight of the simulated day; in the live world it
// is an arbitrary monotonic origin. Compare and subtract; do not assume a calendar.
#pragma once

#include <chrono>
#include <cstdint>

namespace outcry {

struct WorldClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<WorldClock, duration>;
  static constexpr bool is_steady = true;
};

using Duration = WorldClock::duration;
using Time = WorldClock::time_point;

inline constexpr Time never = Time::max();
inline constexpr Duration forever = Duration::max();

constexpr Time time_from_ns(std::int64_t ns) { return Time(Duration(ns)); }
constexpr std::int64_t to_ns(Time time) { return time.time_since_epoch().count(); }

/// `time + duration`, or `never` where that is out of range. Requires: duration >= 0.
constexpr Time later(Time time, Duration duration) {
  if (duration == forever) return never;
  return time > Time{} && duration >= never - time ? never : time + duration;  // before time zero nothing overflows
}

}  // namespace outcry
