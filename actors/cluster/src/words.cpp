#include <outcry/cluster/words.hpp>

namespace outcry {

void announce_market_words(caf::actor_system_config& config) {
  caf_announce<NewOrder>(config, "outcry.NewOrder");
  caf_announce<CancelOrder>(config, "outcry.CancelOrder");
  caf_announce<ReduceOrder>(config, "outcry.ReduceOrder");
  caf_announce<ModifyOrder>(config, "outcry.ModifyOrder");
  caf_announce<ReplaceOrder>(config, "outcry.ReplaceOrder");
  caf_announce<EndOfDay>(config, "outcry.EndOfDay");
  caf_announce<SpecialOrder>(config, "outcry.SpecialOrder");
  caf_announce<MassCancel>(config, "outcry.MassCancel");
  caf_announce<ExpireOrders>(config, "outcry.ExpireOrders");
  caf_announce<ChangePhase>(config, "outcry.ChangePhase");
  caf_announce<Accepted>(config, "outcry.Accepted");
  caf_announce<Rejected>(config, "outcry.Rejected");
  caf_announce<Traded>(config, "outcry.Traded");
  caf_announce<Cancelled>(config, "outcry.Cancelled");
  caf_announce<Reduced>(config, "outcry.Reduced");
  caf_announce<Modified>(config, "outcry.Modified");
  caf_announce<Replaced>(config, "outcry.Replaced");
  caf_announce<AcceptedTerms>(config, "outcry.AcceptedTerms");
  caf_announce<Refreshed>(config, "outcry.Refreshed");
  caf_announce<Triggered>(config, "outcry.Triggered");
  caf_announce<Repriced>(config, "outcry.Repriced");
  caf_announce<PhaseChanged>(config, "outcry.PhaseChanged");
  caf_announce<Uncrossed>(config, "outcry.Uncrossed");
  caf_announce<Filled>(config, "outcry.Filled");
  caf_announce<Quote>(config, "outcry.Quote");
  caf_announce<TradePrint>(config, "outcry.TradePrint");
  caf_announce<DepthLevel>(config, "outcry.DepthLevel");
  caf_announce<Depth>(config, "outcry.Depth");
  caf_announce<QuoteQuery>(config, "outcry.QuoteQuery");
  caf_announce<EnterRemotely>(config, "outcry.EnterRemotely");
  caf_announce<SubscribeRemotely>(config, "outcry.SubscribeRemotely");
  caf_announce<Listing>(config, "outcry.Listing");
  caf_announce<FindSymbol>(config, "outcry.FindSymbol");
}

Listing listing_of(const Instrument& instrument) {
  return {.symbol = instrument.symbol,
          .name = instrument.name,
          .tick = instrument.tick,
          .lot = instrument.lot,
          .price_scale = instrument.price_scale,
          .lowest = instrument.lowest,
          .highest = instrument.highest,
          .largest = instrument.largest,
          .host = {},
          .port = 0};
}

Instrument instrument_of(const Listing& listing) {
  Instrument instrument;
  instrument.symbol = listing.symbol;
  instrument.name = listing.name;
  instrument.tick = listing.tick;
  instrument.lot = listing.lot;
  instrument.price_scale = listing.price_scale;
  instrument.lowest = listing.lowest;
  instrument.highest = listing.highest;
  instrument.largest = listing.largest;
  return instrument;
}

bool well_formed(const NewOrder& command) {
  return command.side <= Side::sell && command.type <= OrderType::market &&
         command.time_in_force <= TimeInForce::fill_or_kill && command.post_only <= PostOnly::yes;
}

}  // namespace outcry
