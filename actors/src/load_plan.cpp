#include <outcry/actors/load_plan.hpp>

#include <algorithm>
#include <cmath>

namespace outcry {

namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
Duration from_seconds(double s) { return Duration(static_cast<std::int64_t>(std::llround(s * 1e9))); }

}  // namespace

std::uint64_t LoadPlan::messages() const {
  const double all = seconds(length), rising = std::min(seconds(ramp), all);
  // On the ramp, which may be cut off, the rate at t is rate * t / ramp.
  const double on_ramp = rising > 0 ? rate * rising * rising / (2 * seconds(ramp)) : 0;
  return static_cast<std::uint64_t>(std::floor(on_ramp + rate * (all - rising) + 1e-6));
}

Duration LoadPlan::due(std::uint64_t n) const {
  const auto number = static_cast<double>(n);
  const double rising = seconds(ramp);
  const double on_ramp = rate * rising / 2;
  const double at = number < on_ramp ? std::sqrt(2 * number * rising / rate) : rising + (number - on_ramp) / rate;
  const Duration even = from_seconds(at);
  return scenario == LoadScenario::burst ? even / period * period : even;
}

std::uint64_t LoadPlan::messages_of(std::uint32_t connection) const {
  const std::uint64_t all = messages();
  return all / connections + (all % connections > connection ? 1 : 0);
}

bool LoadPlan::is_deaf(std::uint32_t connection, Duration at) const {
  return scenario == LoadScenario::slow_reader && connection == 0 && at >= length / 3 && at < length * 2 / 3;
}

std::optional<Duration> LoadPlan::break_off(std::uint32_t connection, std::uint64_t n) const {
  if (scenario != LoadScenario::reconnect_storm) return {};
  // All of them within the last tenth of each period: a storm.
  const Duration at = reconnect * static_cast<std::int64_t>(n + 1) - reconnect / 10 +
                      reconnect / 10 * static_cast<std::int64_t>(connection) / static_cast<std::int64_t>(connections);
  if (at >= length - reconnect / 10) return {};
  return at;
}

}  // namespace outcry
