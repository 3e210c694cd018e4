// Reason: why a command was refused, or why an order left the book without trading.
#pragma once

#include <cstdint>

namespace outcry {

enum class Reason : std::uint8_t {
  none,
  // a command was refused; nothing changed
  unknown_symbol,
  unknown_order,  // no live order has this id, or it belongs to another account
  duplicate_id,   // a live order has this id already
  zero_quantity,
  quantity_too_large,
  quantity_exceeds_open,  // a reduction by more than what is open
  off_lot,
  price_out_of_range,
  off_tick,
  would_trade,  // post-only
  invalid_combination,
  pool_exhausted,
  mailbox_full,
  market_closed,
  // an order ended
  requested,
  immediate_or_cancel,
  fill_or_kill,
  no_liquidity,  // what a market order could not trade
  end_of_day,
  // of books with rules
  unsupported,   // the book has no rules, and the order needs them; or it has, and recorded history was to be applied
  outside_band,  // refused: the price is outside the static band; ended: it would have traded outside the dynamic one
  self_trade,    // would have traded with its own account or group
  minimum_quantity,  // less than the minimum could trade at once
  collar,            // what a market order could not trade within its collar
  expired,           // good till a time that has come
  mass_cancelled,
  in_auction,    // while orders are collected none may come that would have to trade at once
  no_auction,    // refused: good for an auction, and none collects
  auction_over,  // was good for the auction only
  // of venues elsewhere
  risk_limit,    // refused by the venue's checks before the book
  disconnected,  // never got there: there was no connection, or it was lost
};

constexpr const char* to_string(Reason reason) {
  switch (reason) {
    case Reason::none: return "none";
    case Reason::unknown_symbol: return "unknown_symbol";
    case Reason::unknown_order: return "unknown_order";
    case Reason::duplicate_id: return "duplicate_id";
    case Reason::zero_quantity: return "zero_quantity";
    case Reason::quantity_too_large: return "quantity_too_large";
    case Reason::quantity_exceeds_open: return "quantity_exceeds_open";
    case Reason::off_lot: return "off_lot";
    case Reason::price_out_of_range: return "price_out_of_range";
    case Reason::off_tick: return "off_tick";
    case Reason::would_trade: return "would_trade";
    case Reason::invalid_combination: return "invalid_combination";
    case Reason::pool_exhausted: return "pool_exhausted";
    case Reason::mailbox_full: return "mailbox_full";
    case Reason::market_closed: return "market_closed";
    case Reason::requested: return "requested";
    case Reason::immediate_or_cancel: return "immediate_or_cancel";
    case Reason::fill_or_kill: return "fill_or_kill";
    case Reason::no_liquidity: return "no_liquidity";
    case Reason::end_of_day: return "end_of_day";
    case Reason::unsupported: return "unsupported";
    case Reason::outside_band: return "outside_band";
    case Reason::self_trade: return "self_trade";
    case Reason::minimum_quantity: return "minimum_quantity";
    case Reason::collar: return "collar";
    case Reason::expired: return "expired";
    case Reason::mass_cancelled: return "mass_cancelled";
    case Reason::in_auction: return "in_auction";
    case Reason::no_auction: return "no_auction";
    case Reason::auction_over: return "auction_over";
    case Reason::risk_limit: return "risk_limit";
    case Reason::disconnected: return "disconnected";
  }
  return "?";
}

}  // namespace outcry
