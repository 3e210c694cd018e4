#include <outcry/runtime/tsc_clock.hpp>

#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace outcry {
namespace {

using namespace std::chrono_literals;

constexpr auto watched = 12ms;
constexpr int readings = 20;

/// Why the counter cannot be trusted before it was even watched; empty if nothing speaks against it.
std::string objection() {
#if defined(__x86_64__)
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned power_management = 0x80000007, invariant = 1u << 8;
  if (__get_cpuid(power_management, &eax, &ebx, &ecx, &edx) == 0 || (edx & invariant) == 0)
    return "the processor does not promise an invariant time-stamp counter";

  std::ifstream file("/sys/devices/system/clocksource/clocksource0/available_clocksource");
  std::string name, sources;
  bool trusted = false;
  while (file >> name) {
    trusted |= name == "tsc";
    sources += (sources.empty() ? "" : " ") + name;
  }
  if (!sources.empty() && !trusted)
    return "the kernel does not trust the time-stamp counter (its clock sources: " + sources + ")";
  return {};
#else
  return "this processor has no time-stamp counter that we read";
#endif
}

struct Instant {
  std::uint64_t ticks;
  std::int64_t ns;
};

/// Counter and system clock at the same moment, or nearly: the reading with the fewest ticks around it.
Instant instant() {
  Instant best{};
  std::uint64_t narrowest = std::numeric_limits<std::uint64_t>::max();
  for (int i = 0; i < readings; ++i) {
    const std::uint64_t before = TscClock::ticks();
    const std::int64_t ns = TscClock::system_ns();
    const std::uint64_t width = TscClock::ticks() - before;
    if (width >= narrowest) continue;
    narrowest = width;
    best = {before + width / 2, ns};
  }
  return best;
}

}  // namespace

TscClock::TscClock(Source wanted) {
  if (wanted == Source::system) return;
  warning_ = objection();
  if (warning_.empty()) {
    const Instant first = instant();
    std::this_thread::sleep_for(watched);
    const Instant last = instant();
    const auto ticks = static_cast<double>(static_cast<std::int64_t>(last.ticks - first.ticks));
    const double rate = ticks / static_cast<double>(last.ns - first.ns);
    if (rate > 0.1 && rate < 20) {
      source_ = Source::counter;
      first_ticks_ = last.ticks;
      first_ns_ = last.ns;
      ns_per_tick_ = std::llround(std::ldexp(1 / rate, fraction_bits));
      return;
    }
    std::ostringstream text;
    text << "the time-stamp counter ran at an impossible rate of " << rate << " ticks a nanosecond";
    warning_ = text.str();
  }
  warning_ += "; time comes from the system's clock, which costs more to read";
}

const TscClock& TscClock::process() {
  static const TscClock clock;
  return clock;
}

double TscClock::ticks_per_ns() const noexcept {
  return ns_per_tick_ == 0 ? 0 : std::ldexp(1 / static_cast<double>(ns_per_tick_), fraction_bits);
}

}  // namespace outcry
