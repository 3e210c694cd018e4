// Price: a price as a whole number of the instrument's price units.
//
// Units: Instrument::price_scale units make one unit of currency (ITCH: 10,000).
// Range: any std::int64_t; an instrument narrows it to [lowest, highest].
#pragma once

#include <compare>
#include <cstdint>

namespace outcry {

struct Price {
  std::int64_t units{};

  friend constexpr auto operator<=>(Price, Price) = default;
  friend constexpr Price operator+(Price price, std::int64_t by) { return {price.units + by}; }
  friend constexpr Price operator-(Price price, std::int64_t by) { return {price.units - by}; }
  friend constexpr std::int64_t operator-(Price a, Price b) { return a.units - b.units; }
};

}  // namespace outcry
