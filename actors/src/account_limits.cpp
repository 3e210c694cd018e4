#include "account_limits.hpp"

namespace outcry {

namespace {

std::uint32_t basis_points(double share) { return static_cast<std::uint32_t>(share * 10'000 + 0.5); }

}  // namespace

std::vector<Setting> limit_settings(const std::string& table, VenueConfig::Limits& limits) {
  std::vector<Setting> all;
  const auto add = [&](const char* key, Setting::Target target, double most) {
    all.push_back({"", table + "." + key, "", "", target, 0, most});
  };
  add("quantity", &limits.quantity, 999'999);
  add("notional", &limits.notional, 1e14);
  add("price_collar", &limits.price_collar, 100);
  add("market_collar", &limits.market_collar, 100);
  add("position", &limits.position, 1e15);
  add("net", &limits.net, 1e14);
  add("gross", &limits.gross, 1e14);
  add("open_orders", &limits.open_orders, 4e9);
  add("orders_per_second", &limits.orders.per_second, 1e9);
  add("orders_burst", &limits.orders.burst, 1e9);
  add("duplicates", &limits.duplicates, 3.6e12);
  return all;
}

RiskLimits risk_limits(const VenueConfig::Limits& asked, std::int64_t units_of_currency) {
  RiskLimits limits;
  const auto money = [&](std::uint64_t units, std::int64_t& to) {
    if (units != 0) to = static_cast<std::int64_t>(units) * units_of_currency;
  };
  if (asked.quantity != 0) limits.largest_order = Quantity{static_cast<std::uint32_t>(asked.quantity)};
  money(asked.notional, limits.largest_notional);
  money(asked.net, limits.largest_net);
  money(asked.gross, limits.largest_gross);
  limits.price_collar_bp = basis_points(asked.price_collar);
  limits.market_collar_bp = basis_points(asked.market_collar);
  if (asked.position != 0) limits.largest_position = static_cast<std::int64_t>(asked.position);
  if (asked.open_orders != 0) limits.most_open_orders = asked.open_orders;
  limits.symbol_rate = asked.orders;
  limits.duplicate_window_ns = asked.duplicates.count();
  limits.short_sales = static_cast<ShortSales>(asked.short_sales);
  limits.needs_locate = asked.locate;
  return limits;
}

bool needs_prices(const VenueConfig::Limits& limits) {
  return limits.price_collar > 0 || limits.market_collar > 0 || limits.notional != 0 || limits.net != 0 ||
         limits.gross != 0;
}

}  // namespace outcry
