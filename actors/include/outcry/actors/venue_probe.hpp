// VenueProbe: what can be counted of one scheduler of a venue, by an actor that lives there and reads it in between.
//
// Pools, stage times and counters belong to their scheduler and have no locks; so each has a probe, and whoever wants to
// know asks it. It hears the trades of the scheduler's symbols and counts them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <outcry/actors/participant.hpp>
#include <outcry/actors/port_times.hpp>
#include <outcry/actors/pre_trade_risk.hpp>
#include <outcry/actors/stage_times.hpp>
#include <outcry/book/order_pool.hpp>
#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/local_pool.hpp>

namespace outcry {

struct SymbolTally {
  SymbolId symbol{};
  std::uint64_t commands = 0;  // that it took, if stages are measured
  Fairness fairness{};         // likewise
  std::uint64_t trades = 0;
  Volume shares = 0;
};

/// Travels in a box.
struct VenueSample {
  VenueSample() = default;
  std::optional<OrderPool::Report> orders{};
  LocalPool::Statistics frames{};
  LocalPool::Statistics messages{};
  std::vector<SymbolTally> symbols{};
  std::vector<Histogram> stages{};       // of all its symbols together; empty: nothing is measured
  std::vector<Histogram> port_stages{};  // of all its ports together, likewise
  std::array<std::uint64_t, risk_reasons> refused{};
};

struct VenueSampleQuery {
  using Reply = VenueSample;
  std::uint32_t unused = 0;
};

using VenueProbeAddress = Address<Ask<VenueSampleQuery>, TradePrint>;

struct VenueProbeOptions {
  OrderPool* pool = nullptr;              // of the scheduler; null: it has no symbols
  const StageTimes* stages = nullptr;     // of the scheduler; null: nothing is measured
  std::vector<const PortTimes*> ports{};  // that live there, and are measured
  const PreTradeRisk* risk = nullptr;     // of the scheduler; null: it has no ports
  std::vector<SymbolId> symbols{};        // that live there
};

/// Subscribe it to the trades of its symbols.
Actor venue_probe(Self<Ask<VenueSampleQuery>, TradePrint> self, VenueProbeOptions options);

}  // namespace outcry
