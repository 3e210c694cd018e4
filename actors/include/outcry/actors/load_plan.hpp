// LoadPlan: what a load generator sends to a venue, and when: so many connections, so many messages a second, for so long.
//
// The schedule is made beforehand and does not wait for answers (open loop): message n is due at a moment that depends on
// n alone. Latency counts from there, so a venue that stands still for a second is charged for every message that it kept
// from being sent in time.
//
//   steady           orders, cancels and now and then an order that trades, evenly spaced
//   burst            the same, but all messages of a tenth of a second are due at once
//   cancel_storm     each order is cancelled right behind itself
//   slow_reader      steady, and the first connection does not read for the middle third of the time
//   reconnect_storm  steady, and every connection breaks off once a second and comes back
//
// Thread: a value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include <outcry/runtime/time.hpp>

namespace outcry {

enum class LoadScenario : std::uint8_t { steady, burst, cancel_storm, slow_reader, reconnect_storm };
inline constexpr std::array<std::string_view, 5> load_scenario_names{"steady", "burst", "cancel_storm", "slow_reader",
                                                                     "reconnect_storm"};
constexpr std::string_view name_of(LoadScenario scenario) {
  return load_scenario_names[static_cast<std::size_t>(scenario)];
}

struct LoadPlan {
  LoadScenario scenario = LoadScenario::steady;
  std::uint32_t connections = 1;
  double rate = 1'000;                               // messages a second, of all connections together
  Duration ramp{0};                                  // the rate grows from zero to that
  Duration length = std::chrono::seconds(10);        // the ramp included
  Duration period = std::chrono::milliseconds(100);  // of bursts
  Duration reconnect = std::chrono::seconds(1);      // of a reconnect storm

  /// How many messages there are, of all connections.
  std::uint64_t messages() const;
  /// When message n is due, from the start. They are in order.
  Duration due(std::uint64_t n) const;
  /// How many of them a connection sends: n, n + connections, ...
  std::uint64_t messages_of(std::uint32_t connection) const;
  Duration due(std::uint32_t connection, std::uint64_t n) const { return due(n * connections + connection); }

  /// Whether a connection leaves unread what comes.
  bool is_deaf(std::uint32_t connection, Duration at) const;
  /// When a connection breaks off for the n-th time, from 0; nothing if it does not any more.
  std::optional<Duration> break_off(std::uint32_t connection, std::uint64_t n) const;
};

}  // namespace outcry
