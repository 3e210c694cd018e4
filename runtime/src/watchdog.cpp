// Watchdog: its rounds, and how it says what it saw.
#include "watchdog.hpp"

#include <algorithm>
#include <utility>

#include <outcry/runtime/scheduler.hpp>

namespace outcry {

Watchdog::Watchdog(Duration limit, const std::vector<const Scheduler*>& schedulers,
                   std::function<void(const Held&)> tell)
    : limit_(limit),
      tell_(std::move(tell)),
      watched_([&] {
        std::vector<Watched> watched;
        for (const Scheduler* scheduler : schedulers) watched.push_back({.scheduler = scheduler});
        return watched;
      }()),
      thread_("outcry watchdog", 0, [this] { watch(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Watchdog::watch() {
  const Duration between = std::max(limit_ / 4, Duration(std::chrono::microseconds(50)));
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, between, [this] { return ending_; })) {
    lock.unlock();
    for (Watched& watched : watched_) look(watched);
    lock.lock();
  }
}

void Watchdog::look(Watched& watched) {
  const Time now = Scheduler::clock_now();
  Held held;
  const std::uint64_t turn = watched.scheduler->look_at_turn(held);
  if (turn != watched.turn || turn == 0) {
    watched = {watched.scheduler, turn, now, false};
    return;
  }
  if (watched.told || now - watched.since < limit_) return;
  watched.told = true;
  held.held = now - watched.since;
  tell_(held);
}

std::string to_string(const Held& held) {
  std::string line = "actor '" + held.name + "' (" + std::to_string(held.actor) + ") has held scheduler " +
                     std::to_string(held.scheduler) + " for " +
                     std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(held.held).count()) + " us";
  if (held.awaited.line() == 0) return line + " and has not awaited yet";
  return line + " since it awaited at " + held.awaited.file_name() + ":" + std::to_string(held.awaited.line());
}

}  // namespace outcry
