#include <outcry/net/ouch50_checks.hpp>

namespace outcry::ouch50 {

namespace {

constexpr std::uint32_t seconds_of_a_day = 86'400;

RejectReason check_options(const Appendage& options, std::uint32_t quantity, TimeInForce time_in_force) {
  using enum Tag;
  if (const auto least = options.get<minimum_quantity>(); least && *least > quantity)
    return RejectReason::invalid_minimum_quantity;
  if (const auto floor = options.get<maximum_floor>(); floor && *floor > quantity)
    return RejectReason::invalid_maximum_floor;
  if (const auto type = options.get<price_type>(); type && !one_of(*type, "LPRMQm"))
    return RejectReason::invalid_peg_type;
  if (const auto type = options.get<discretion_price_type>(); type && !one_of(*type, "LPRMQm"))
    return RejectReason::invalid_peg_type;
  if (const auto type = options.get<price_type>(); options.has<peg_offset>() && (!type || *type == 'L'))
    return RejectReason::pegging_not_allowed;
  if (const auto type = options.get<customer_type>(); type && !one_of(*type, "RN")) return RejectReason::other;
  if (const auto only = options.get<post_only>(); only && !one_of(*only, "PN")) return RejectReason::other;
  if (const auto now = options.get<trade_now>(); now && !one_of(*now, "YN")) return RejectReason::other;
  if (const auto how = options.get<handling>(); how && !one_of(*how, "IOTQBDR")) return RejectReason::other;
  const auto expires = options.get<expire_time>();
  if (expires && *expires >= seconds_of_a_day) return RejectReason::other;
  if (time_in_force == TimeInForce::until_time && !expires) return RejectReason::other;
  return RejectReason::none;
}

template <class Order>
RejectReason check_common(const Order& order, const Appendage& options) {
  if (order.quantity < 1 || order.quantity > largest_quantity) return RejectReason::invalid_quantity;
  const auto type = options.get<Tag::price_type>();
  const bool is_pegged = type && *type != 'L';
  if ((order.price == 0 && !is_pegged) || (order.price > largest_price && !is_market(order.price)))
    return RejectReason::invalid_price;
  if (!one_of(order.display, "YNA")) return RejectReason::invalid_display;
  if (!one_of(order.intermarket_sweep, "YN")) return RejectReason::iso_not_allowed;
  if (!one_of(order.time_in_force, "0356E")) return RejectReason::other;
  return check_options(options, order.quantity, order.time_in_force);
}

}  // namespace

RejectReason check(const EnterOrder& order, const Appendage& options) noexcept {
  if (!one_of(order.side, "BSTE")) return RejectReason::invalid_side;
  if (order.symbol.text().empty()) return RejectReason::invalid_symbol;
  if (!one_of(order.cross, "NOCHSREA")) return RejectReason::invalid_cross;
  if (!one_of(order.capacity, "APRO")) return RejectReason::other;
  return check_common(order, options);
}

RejectReason check(const ReplaceOrder& order, const Appendage& options) noexcept {
  return check_common(order, options);
}

}  // namespace outcry::ouch50
