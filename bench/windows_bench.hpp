// Windows: what it costs that schedulers of a simulation meet after each window of the lookahead's length.
//
// Two sites, each with one actor that has `events` beats in each window and sends one message to the other site. With one
// scheduler both sites run on it and nobody is waited for; with two each has its own, and they meet. Where a window of two
// schedulers is cheaper than one of a single scheduler, the lookahead is long enough for a second core. Digests must be
// equal before a number is printed.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include <outcry/runtime/runtime.hpp>

#include "report.hpp"

namespace bench {

namespace windows {

using namespace outcry;

inline constexpr Duration lookahead = std::chrono::microseconds(10);

struct Passed {
  std::int64_t window = 0;
};

inline Actor sink(Self<Passed> self) {
  while (auto message = co_await self.receive()) {
  }
}

inline Actor beats(Self<> self, std::int64_t windows, std::int64_t events, Address<Passed> other) {
  auto beat = self.every(lookahead / events);
  for (std::int64_t window = 0; window < windows; ++window) {
    other.send(Passed{window});
    for (std::int64_t event = 0; event < events; ++event) co_await beat;
  }
}

/// Nanoseconds for a window, and the digest.
inline std::pair<double, std::uint64_t> play(std::uint32_t schedulers, std::int64_t events, std::int64_t windows) {
  RuntimeOptions options;
  options.schedulers = schedulers;
  options.time = WorldTime::virtually;
  options.latency.between_sites = lookahead;
  Runtime runtime(std::move(options));
  const MailboxOptions never_full{.capacity = 1024, .when_full = WhenFull::drop_oldest};
  const auto first = runtime.spawn({.site = 0, .mailbox = never_full}, sink);
  const auto second = runtime.spawn({.site = 1, .mailbox = never_full}, sink);
  runtime.spawn({.site = 0}, beats, windows, events, second);
  runtime.spawn({.site = 1}, beats, windows, events, first);
  const auto start = std::chrono::steady_clock::now();
  runtime.run();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  return {took.count() / static_cast<double>(windows), runtime.digest()};
}

}  // namespace windows

/// Results window.N.1 and window.N.2: nanoseconds for a window of N beats on each of two sites, with one and with two
/// schedulers; window.barrier: what the meeting adds to a scheduler's half of the work in a window of one beat.
inline void measure_windows(Report& report) {
  for (const std::int64_t events : {1, 10, 100, 1'000}) {
    const std::int64_t count = std::max<std::int64_t>(100, 5'000 / events);
    double one = 1e18, two = 1e18;
    for (int run = 0; run < 9; ++run) {  // in turn; the best counts
      const auto [single_ns, single] = windows::play(1, events, count);
      const auto [both_ns, both] = windows::play(2, events, count);
      if (single != both) Report::wrong("the digest on two schedulers");
      one = std::min(one, single_ns);
      two = std::min(two, both_ns);
    }
    const std::string name = "window." + std::to_string(events);
    report.add(name + ".1", one, "ns");
    report.add(name + ".2", two, "ns");
    if (events == 1) report.add("window.barrier", two - one / 2, "ns");
  }
}

}  // namespace bench
