// Limits of an account: as files say them, and as PreTradeRisk takes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <outcry/actors/pre_trade_risk.hpp>
#include <outcry/actors/venue_config.hpp>

#include "command_line.hpp"

namespace outcry {

/// The keys of a table, such as "account.limits". What is no number (short_sales) its owner adds.
std::vector<Setting> limit_settings(const std::string& table, VenueConfig::Limits& limits);

/// `units_of_currency`: so many of a price's units are one unit of currency.
RiskLimits risk_limits(const VenueConfig::Limits& asked, std::int64_t units_of_currency);

/// Whether one of them compares with the last trade, or values orders by it.
bool needs_prices(const VenueConfig::Limits& limits);

}  // namespace outcry
