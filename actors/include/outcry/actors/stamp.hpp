// Stamp: which clock the stamps of commands and events are read from.
#pragma once

#include <cstdint>

#include <outcry/runtime/scheduler.hpp>
#include <outcry/runtime/tsc_clock.hpp>

namespace outcry {

enum class StampClock : std::uint8_t {
  world,    // simulated: part of the model, the same in every run
  machine,  // recorded and live: this machine's time-stamp counter
};

inline std::int64_t stamp_now(StampClock clock, Scheduler& scheduler) {
  return clock == StampClock::world ? to_ns(scheduler.now()) : TscClock::process().now_ns();
}

}  // namespace outcry
