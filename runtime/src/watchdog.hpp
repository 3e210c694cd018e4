// Watchdog: a thread that compares, four times within the limit, the number of each scheduler's turn with what it was.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include <outcry/runtime/held.hpp>

#include "thread.hpp"

namespace outcry {

class Scheduler;

class Watchdog {
 public:
  /// `tell` is called on the watchdog's thread. The schedulers outlive the watchdog.
  Watchdog(Duration limit, const std::vector<const Scheduler*>& schedulers, std::function<void(const Held&)> tell);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  struct Watched {
    const Scheduler* scheduler;
    std::uint64_t turn = 0;
    Time since{};
    bool told = false;
  };

  void watch();
  void look(Watched& watched);

  Duration limit_;
  std::function<void(const Held&)> tell_;
  std::vector<Watched> watched_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  Thread thread_;  // last: it uses the others
};

}  // namespace outcry
