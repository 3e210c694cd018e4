// RiskReason: why an order was refused before it reached a book, and what each protocol calls that.
//
// Limits: none. The numbers are part of no protocol; the codes are.
#pragma once

#include <cstdint>

#include <outcry/net/ouch50.hpp>

namespace outcry {

enum class RiskReason : std::uint8_t {
  none,
  killed,            // the kill switch is on for the account, its firm or the venue
  unknown_account,   // nobody has told what this account may do
  not_entitled,      // to this symbol
  side_not_allowed,  // to this side of this symbol
  restricted,        // nobody may trade this symbol
  order_size,
  order_notional,
  no_reference,   // a market order, or a collar, and nothing to value or compare it with
  price_collar,   // too far through the reference price
  market_collar,  // a market order would begin to trade too far from the reference price
  short_sale,     // sells what the account does not have, and it may not, or did not say so
  not_located,    // a short sale, and nobody lends the shares
  position,       // of one symbol
  net_notional,
  gross_notional,
  open_orders,   // too many
  duplicate,     // the same order again, too soon
  duplicate_id,  // an open order has this id
  port_rate,
  symbol_rate,
};
inline constexpr int risk_reasons = static_cast<int>(RiskReason::symbol_rate) + 1;

const char* to_string(RiskReason reason);
/// One sentence for whoever sent the order.
const char* text_of(RiskReason reason);

ouch50::RejectReason ouch50_code(RiskReason reason);
/// The reject reason of OUCH 4.2, with the letters that its list has for risk.
char ouch42_letter(RiskReason reason);
/// OrdRejReason (103). Text (58) is text_of().
std::uint64_t fix_order_reject_reason(RiskReason reason);

}  // namespace outcry
