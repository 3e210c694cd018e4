// Limits as a file says them, as PreTradeRisk takes them.
#pragma once

#include <cstdint>

#include <outcry/actors/pre_trade_risk.hpp>
#include <outcry/actors/venue_config.hpp>

namespace outcry {

/// `units_of_currency`: so many of a price's units are one unit of currency.
RiskLimits risk_limits(const VenueConfig::Limits& asked, std::int64_t units_of_currency);

/// Whether one of them compares with the last trade, or values orders by it.
bool needs_prices(const VenueConfig::Limits& limits);

}  // namespace outcry
