// Words: how the market's messages travel between machines, type by type and field by field.
//
// The messages are book's, and book looks at nothing; so what CAF needs to know of them is here, beside those who send them
// between machines. Fields travel in the order below; what is unused does not travel. Names and order are the format:
// nodes of one cluster run the same version.
// Limits: what comes over a wire is checked by who takes it (well_formed), not here.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <outcry/actors/participant.hpp>
#include <outcry/caf/adapter.hpp>
#include <outcry/messages/instrument.hpp>

namespace outcry {

/// Asks the gateway of a symbol for a session under an account. The answer is the session's handle.
struct EnterRemotely {
  AccountId account{};
};

struct SubscribeRemotely {
  std::uint8_t quotes{};
  std::uint8_t trades{};
  std::uint8_t depth{};
};

/// A symbol as the directory knows it; in messages the handle of its gateway comes behind it. Participants connect to
/// `host` and `port` themselves: what goes by the handle alone may take its way through the directory's node.
struct Listing {
  SymbolId symbol{};
  std::array<char, 16> name{};
  std::int64_t tick = 1;
  std::uint32_t lot = 1;
  std::int64_t price_scale = 10'000;
  Price lowest{};
  Price highest{};
  Quantity largest{};
  std::string host{};
  std::uint16_t port = 0;
};
Listing listing_of(const Instrument& instrument);
Instrument instrument_of(const Listing& listing);

/// Asks the directory; the answer is a Listing and a handle, or an error.
struct FindSymbol {
  SymbolId symbol{};
};

/// Tells a system of every type above and below. Before the system is made.
void announce_market_words(caf::actor_system_config& config);

/// Whether a command that came over a wire has only values that there are.
bool well_formed(const NewOrder& command);

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, NewOrder& x) {
  return caf_fields(f, "NewOrder", x.id.value, x.price.units, x.quantity.lots, x.account.value, x.symbol.value, x.side,
                    x.type, x.time_in_force, x.post_only, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, CancelOrder& x) {
  return caf_fields(f, "CancelOrder", x.id.value, x.account.value, x.symbol.value, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, ReduceOrder& x) {
  return caf_fields(f, "ReduceOrder", x.id.value, x.by.lots, x.account.value, x.symbol.value, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, ModifyOrder& x) {
  return caf_fields(f, "ModifyOrder", x.id.value, x.price.units, x.quantity.lots, x.account.value, x.symbol.value,
                    x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, ReplaceOrder& x) {
  return caf_fields(f, "ReplaceOrder", x.id.value, x.new_id.value, x.price.units, x.quantity.lots, x.account.value,
                    x.symbol.value, x.seen_open.lots, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, EndOfDay& x) {
  return caf_fields(f, "EndOfDay", x.symbol.value, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, SpecialOrder& x) {
  return caf_fields(f, "SpecialOrder", x.id.value, x.price.units, x.trigger, x.quantity.lots, x.part.lots,
                    x.account.value, x.symbol.value, x.expires_s, x.side, x.type, x.time_in_force, x.terms,
                    x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, MassCancel& x) {
  return caf_fields(f, "MassCancel", x.account.value, x.symbol.value, x.buys, x.sells, x.all_accounts, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, ExpireOrders& x) {
  return caf_fields(f, "ExpireOrders", x.symbol.value, x.now_s, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, ChangePhase& x) {
  return caf_fields(f, "ChangePhase", x.symbol.value, x.phase, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Accepted& x) {
  return caf_fields(f, "Accepted", x.id.value, x.price.units, x.quantity.lots, x.account.value, x.symbol.value, x.side,
                    x.type, x.time_in_force, x.post_only, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Rejected& x) {
  return caf_fields(f, "Rejected", x.id.value, x.new_id.value, x.account.value, x.symbol.value, x.command, x.reason,
                    x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Traded& x) {
  return caf_fields(f, "Traded", x.maker.value, x.taker.value, x.price.units, x.quantity.lots, x.maker_open.lots,
                    x.maker_account.value, x.taker_account.value, x.symbol.value, x.taker_side);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Cancelled& x) {
  return caf_fields(f, "Cancelled", x.id.value, x.price.units, x.quantity.lots, x.account.value, x.symbol.value, x.side,
                    x.reason, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Reduced& x) {
  return caf_fields(f, "Reduced", x.id.value, x.price.units, x.by.lots, x.open.lots, x.account.value, x.symbol.value,
                    x.side, x.reserve.lots, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Modified& x) {
  return caf_fields(f, "Modified", x.id.value, x.price.units, x.quantity.lots, x.account.value, x.symbol.value, x.side,
                    x.kept_place, x.open.lots, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Replaced& x) {
  return caf_fields(f, "Replaced", x.id.value, x.new_id.value, x.price.units, x.quantity.lots, x.account.value,
                    x.symbol.value, x.side, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, AcceptedTerms& x) {
  return caf_fields(f, "AcceptedTerms", x.id.value, x.trigger, x.part.lots, x.expires_s, x.account.value,
                    x.symbol.value, x.side, x.type, x.time_in_force, x.terms, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Refreshed& x) {
  return caf_fields(f, "Refreshed", x.id.value, x.price.units, x.displayed.lots, x.reserve.lots, x.account.value,
                    x.symbol.value, x.side);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Triggered& x) {
  return caf_fields(f, "Triggered", x.id.value, x.last.units, x.price.units, x.quantity.lots, x.account.value,
                    x.symbol.value, x.side, x.is_market);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Repriced& x) {
  return caf_fields(f, "Repriced", x.id.value, x.price.units, x.account.value, x.symbol.value, x.open.lots, x.side,
                    x.is_parked);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, PhaseChanged& x) {
  return caf_fields(f, "PhaseChanged", x.symbol.value, x.phase, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Uncrossed& x) {
  return caf_fields(f, "Uncrossed", x.price.units, x.volume, x.imbalance, x.symbol.value);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Filled& x) {
  return caf_fields(f, "Filled", x.id.value, x.price.units, x.quantity.lots, x.open.lots, x.account.value,
                    x.symbol.value, x.side, x.maker, x.trade, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Quote& x) {
  return caf_fields(f, "Quote", x.bid.units, x.ask.units, x.bid_quantity, x.ask_quantity, x.symbol.value, x.sequence,
                    x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, TradePrint& x) {
  return caf_fields(f, "TradePrint", x.price.units, x.quantity.lots, x.symbol.value, x.aggressor, x.hidden, x.sequence,
                    x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, DepthLevel& x) {
  return caf_fields(f, "DepthLevel", x.price.units, x.volume, x.orders);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Depth& x) {
  return caf_fields(f, "Depth", x.symbol.value, x.bid_levels, x.ask_levels, x.bids, x.asks, x.arrival_ns);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, QuoteQuery& x) {
  return caf_fields(f, "QuoteQuery", x.unused);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, EnterRemotely& x) {
  return caf_fields(f, "EnterRemotely", x.account.value);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, SubscribeRemotely& x) {
  return caf_fields(f, "SubscribeRemotely", x.quotes, x.trades, x.depth);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Listing& x) {
  return caf_fields(f, "Listing", x.symbol.value, x.name, x.tick, x.lot, x.price_scale, x.lowest.units, x.highest.units,
                    x.largest.lots, x.host, x.port);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, FindSymbol& x) {
  return caf_fields(f, "FindSymbol", x.symbol.value);
}

}  // namespace outcry
