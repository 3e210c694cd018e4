// SchedulerLoad: how busy a scheduler is, as it showed it last: after some rounds of its loop, and before it idles.
#pragma once

#include <algorithm>
#include <cstdint>

#include <outcry/runtime/time.hpp>

namespace outcry {

struct SchedulerLoad {
  std::uint64_t run_queue = 0;           // actors that could go on and wait for their turn
  std::uint64_t actors = 0;              // that live there
  std::uint64_t delivered = 0;           // SchedulerCounters
  std::uint64_t turns = 0;               // SchedulerCounters
  std::uint64_t parks = 0;               // SchedulerCounters
  std::uint64_t mailbox_high_water = 0;  // the most messages that one actor found when its turn came
  Duration up{};                         // live: since its loop began, all runs together
  Duration idle{};                       // live: of that, asleep or looking in vain for a while

  /// From 0 to 1; of all the time that it has been up.
  double busy() const { return share(idle, up); }
  /// Of the time since `earlier`.
  double busy_since(const SchedulerLoad& earlier) const { return share(idle - earlier.idle, up - earlier.up); }

 private:
  static double share(Duration idle, Duration up) {
    if (up <= Duration::zero()) return 0;
    return std::clamp(1 - static_cast<double>(idle.count()) / static_cast<double>(up.count()), 0.0, 1.0);
  }
};

}  // namespace outcry
