// What OUCH 5.0 refuses for its own sake: orders whose fields make no sense on any market, with the reason to reject
// them with.
//
// Whether the symbol is traded, the firm may, or the price is far away is for those to say who know. A replacement that
// fails cancels the order that it was to replace: that too is the gateway's business.
#pragma once

#include <outcry/net/ouch50.hpp>

namespace outcry::ouch50 {

/// RejectReason::none: nothing is wrong. What has no reason of its own is RejectReason::other.
RejectReason check(const EnterOrder& order, const Appendage& options) noexcept;
RejectReason check(const ReplaceOrder& order, const Appendage& options) noexcept;

/// A price that means: at the market.
constexpr bool is_market(std::uint64_t price) { return price >= least_market_price; }

/// May a modification change an order's side like this? Only the marking of short sales.
constexpr bool may_become(Side from, Side to) {
  return from == to || (from == Side::sell && (to == Side::sell_short || to == Side::sell_short_exempt)) ||
         (from == Side::sell_short_exempt && to == Side::sell_short);
}

}  // namespace outcry::ouch50
