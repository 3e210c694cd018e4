#include <outcry/actors/risk_reason.hpp>

#include <array>
#include <cassert>

namespace outcry {

namespace {

using Ouch = ouch50::RejectReason;

struct Words {
  RiskReason reason;
  const char* name;
  const char* text;
  Ouch ouch50;
  char ouch42;
  std::uint64_t fix;
};

// FIX: 1 unknown symbol, 3 order exceeds limit, 6 duplicate order, 0 the broker's own reasons.
constexpr std::array<Words, risk_reasons> words{{
    {RiskReason::none, "none", "", Ouch::none, '\0', 0},
    {RiskReason::killed, "killed", "order entry is disabled", Ouch::firm_not_authorized, 'a', 0},
    {RiskReason::unknown_account, "unknown_account", "the account may not trade", Ouch::firm_not_authorized, 'L', 0},
    {RiskReason::not_entitled, "not_entitled", "the account may not trade this symbol", Ouch::firm_not_authorized, 'L',
     0},
    {RiskReason::side_not_allowed, "side_not_allowed", "the account may not trade this side of the symbol",
     Ouch::firm_not_authorized, 'L', 0},
    {RiskReason::restricted, "restricted", "the symbol is restricted", Ouch::risk_restricted_stock, 'c', 0},
    {RiskReason::order_size, "order_size", "the quantity exceeds the limit for one order",
     Ouch::shares_exceed_threshold, 'm', 3},
    {RiskReason::order_notional, "order_notional", "the value exceeds the limit for one order",
     Ouch::notional_exceeds_threshold, 'n', 3},
    {RiskReason::no_reference, "no_reference", "there is no price to compare the order with", Ouch::risk_market_impact,
     'X', 0},
    {RiskReason::price_collar, "price_collar", "the price is too far through the reference price",
     Ouch::risk_fat_finger, 'X', 3},
    {RiskReason::market_collar, "market_collar", "the market is too far from the reference price", Ouch::fat_finger,
     'X', 3},
    {RiskReason::short_sale, "short_sale", "a short sale that is not allowed", Ouch::risk_short_sell, 'i', 0},
    {RiskReason::not_located, "not_located", "a short sale without a locate", Ouch::risk_locate, 'b', 0},
    {RiskReason::position, "position", "the position would exceed its limit", Ouch::risk_aggregate_exposure, 'm', 3},
    {RiskReason::net_notional, "net_notional", "the net exposure would exceed its limit", Ouch::risk_aggregate_exposure,
     'n', 3},
    {RiskReason::gross_notional, "gross_notional", "the gross exposure would exceed its limit",
     Ouch::risk_aggregate_exposure, 'n', 3},
    {RiskReason::open_orders, "open_orders", "too many open orders", Ouch::risk_aggregate_exposure, 'O', 3},
    {RiskReason::duplicate, "duplicate", "the same order again, too soon", Ouch::risk_duplicate_rate, 'O', 6},
    {RiskReason::duplicate_id, "duplicate_id", "an open order has this id", Ouch::processing_error, 'O', 6},
    {RiskReason::port_rate, "port_rate", "too many orders a second", Ouch::risk_port_rate, 'O', 3},
    {RiskReason::symbol_rate, "symbol_rate", "too many orders a second in this symbol", Ouch::risk_symbol_rate, 'O', 3},
}};

constexpr bool in_order() {
  for (int i = 0; i < risk_reasons; ++i)
    if (static_cast<int>(words[static_cast<std::size_t>(i)].reason) != i) return false;
  return true;
}
static_assert(in_order(), "a line for each reason, in their order");

const Words& of(RiskReason reason) {
  assert(static_cast<int>(reason) < risk_reasons && "no such reason");
  return words[static_cast<std::size_t>(reason)];
}

}  // namespace

const char* to_string(RiskReason reason) { return of(reason).name; }
const char* text_of(RiskReason reason) { return of(reason).text; }
ouch50::RejectReason ouch50_code(RiskReason reason) { return of(reason).ouch50; }
char ouch42_letter(RiskReason reason) { return of(reason).ouch42; }
std::uint64_t fix_order_reject_reason(RiskReason reason) { return of(reason).fix; }

}  // namespace outcry
