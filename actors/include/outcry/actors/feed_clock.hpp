// FeedClock: the times of a feed: nanoseconds since the midnight of its day, which never go back.
//
// The world's clock does not jump. Where midnight is on it is said once for each day, so what the calendar's clock does
// during the day changes nothing; a time that lies before the last one (of another symbol's batch, or of a clock that
// was set back after all) counts as the last one. A day that is not ended in time stays at its last nanosecond.
#pragma once

#include <algorithm>
#include <cstdint>

namespace outcry {

class FeedClock {
 public:
  static constexpr std::int64_t day_ns = 86'400'000'000'000;

  /// `midnight_ns`: when the day began, in the time of the world.
  explicit FeedClock(std::int64_t midnight_ns) : midnight_ns_(midnight_ns) {}

  std::uint64_t at(std::int64_t time_ns) {
    last_ns_ = std::max(last_ns_, std::min(time_ns - midnight_ns_, day_ns - 1));
    return static_cast<std::uint64_t>(last_ns_);
  }
  bool is_over(std::int64_t time_ns) const { return time_ns - midnight_ns_ >= day_ns; }
  std::int64_t midnight_ns() const { return midnight_ns_; }

 private:
  std::int64_t midnight_ns_;
  std::int64_t last_ns_ = 0;
};

}  // namespace outcry
