#include <outcry/actors/venue_probe.hpp>

#include <array>
#include <utility>

#include <outcry/runtime/scheduler.hpp>

namespace outcry {

namespace {

VenueSample sample_of(Scheduler& scheduler, const VenueProbeOptions& options, const std::vector<SymbolTally>& tallies) {
  VenueSample sample;
  if (options.pool != nullptr) sample.orders = options.pool->report();
  sample.frames = scheduler.frames().statistics();
  sample.messages = scheduler.rings().statistics();
  sample.symbols = tallies;
  if (options.risk != nullptr)
    for (std::size_t i = 0; i < sample.refused.size(); ++i)
      sample.refused[i] = options.risk->refused(static_cast<RiskReason>(i));
  for (const PortTimes* times : options.ports) {
    for (std::size_t stage = 0; stage < port_stage_count; ++stage) {
      const Histogram& one = times->of(static_cast<PortStage>(stage));
      if (stage == sample.port_stages.size()) sample.port_stages.emplace_back(one.range());
      sample.port_stages[stage].merge(one);
    }
  }
  if (options.stages == nullptr) return sample;
  for (std::size_t stage = 0; stage < stage_count; ++stage) {
    sample.stages.push_back(options.stages->empty_sum());
    options.stages->add_to(sample.stages.back(), static_cast<Stage>(stage));
  }
  for (SymbolTally& tally : sample.symbols) {
    Histogram taken = options.stages->empty_sum();
    options.stages->add_to(taken, Stage::mailbox, tally.symbol);
    tally.commands = taken.count();
    tally.fairness = options.stages->fairness(tally.symbol);
  }
  return sample;
}

}  // namespace

Actor venue_probe(Self<Ask<VenueSampleQuery>, TradePrint> self, VenueProbeOptions options) {
  std::vector<SymbolTally> tallies;
  std::vector<std::uint32_t> place;  // of a symbol
  for (const SymbolId symbol : options.symbols) {
    if (symbol.value >= place.size()) place.resize(symbol.value + 1);
    place[symbol.value] = static_cast<std::uint32_t>(tallies.size());
    tallies.push_back({.symbol = symbol});
  }
  while (auto batch = co_await self.receive_batch()) {
    batch.each([&]<class Heard>(Heard&& heard) {
      if constexpr (std::is_same_v<std::decay_t<Heard>, TradePrint>) {
        SymbolTally& tally = tallies[place[heard.symbol.value]];
        tally.trades = heard.sequence;  // also of prints that found no room here
        tally.shares += heard.quantity.lots;
      } else {
        heard.reply(sample_of(self.scheduler(), options, tallies));
      }
    });
  }
}

}  // namespace outcry
