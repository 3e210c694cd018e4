// The live loop: rounds of turns, timers, inbox and what goes out, on a thread of ours or of the host.
#include <outcry/runtime/scheduler.hpp>

#include <ctime>

#include <outcry/runtime/runtime.hpp>

#include "inbox.hpp"
#include "ring.hpp"

namespace outcry {

namespace {

constexpr std::uint32_t clock_turns = 16;   // idle rounds of a loop that spins, for one look at the clock
constexpr std::uint32_t idle_after = 64;    // rounds in vain, and its load counts it as idle
constexpr std::uint32_t rounds_shown = 16;  // rounds that worked, for showing the load once

}  // namespace

Time Scheduler::clock_now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return time_from_ns(now.tv_sec * 1'000'000'000 + now.tv_nsec);
}

void Scheduler::live_loop() {
  const IdlePolicy idle = runtime_.options().idle;
  const std::uint32_t turns = runtime_.options().turns_per_round;
  Time idle_since = never;
  std::uint32_t idle_turns = 0;
  std::uint32_t rounds = 0;
  watch_no_more();
  idles_no_more();
  if (up_.since == 0) up_.since = to_ns(clock_now());
  show_load();
  while (!runtime_.stop_.load(std::memory_order_relaxed)) {
    bool worked = run_turns(turns);
    if (ring_ != nullptr) worked |= take_completions();
    if (idle_turns % clock_turns == 0) fire_timers();
    worked |= take_inbox();
    flush();
    // One that sleeps as soon as there is nothing to do hands over and waits with one call, in park().
    if (ring_ != nullptr && (first_ready_ != nullptr || idle != IdlePolicy::sleep)) hand_over_requests();
    if (worked || first_ready_ != nullptr) {
      if (idle_.since != 0) [[unlikely]]
        idles_no_more();
      if (++rounds % rounds_shown == 0) show_load();
      idle_since = never;
      idle_turns = 0;
      continue;
    }
    if (++idle_turns == 1) show_load();
    if (idle_turns == idle_after) idles(clock_now());
    // While it spins it looks at its inbox each time, at the clock now and then.
    const bool stays_awake = idle == IdlePolicy::spin || (ring_ != nullptr && busy_ring_);
    if (stays_awake && idle == IdlePolicy::sleep) hand_over_requests();
    if (!stays_awake && (idle == IdlePolicy::sleep || idle_turns % clock_turns == 0)) {
      const Time now = clock_now();
      if (idle_since == never) idle_since = now;
      if (idle == IdlePolicy::sleep || now - idle_since >= runtime_.options().spin) {
        idles(now);
        park();
        if (first_ready_ != nullptr) idles_no_more();
        idle_since = never;
        idle_turns = 0;
        continue;
      }
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  flush();
  leave();
}

// What came while the host waited comes first, so that one poll for a frame plays it.
Scheduler::Round Scheduler::poll(std::uint32_t turns) {
  watch_no_more();
  if (up_.since == 0) up_.since = to_ns(clock_now());
  bool worked = ring_ != nullptr && take_completions();
  fire_timers();
  worked |= take_inbox();
  if (first_ready_ != nullptr) idles_no_more();
  worked |= run_turns(turns);
  flush();
  if (ring_ != nullptr) hand_over_requests();
  if (!worked && first_ready_ == nullptr) {
    if (watch_ring()) {
      if (watch_inbox(on_wake_fd)) {
        watches_ = true;
        if (idle_.since == 0) idles(clock_now());
        return {.worked = false, .next = next_due()};
      }
      if (ring_ != nullptr) ring_->told(false);
    }
  } else {
    show_load();
  }
  return {.worked = true};
}

}  // namespace outcry
