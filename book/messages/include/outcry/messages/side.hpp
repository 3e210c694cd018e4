// Side: buy or sell. The numbers are those of the reports in common use: 0 buys, 1 sells.
#pragma once

#include <cstdint>

namespace outcry {

enum class Side : std::uint8_t { buy = 0, sell = 1 };

constexpr Side opposite(Side side) { return side == Side::buy ? Side::sell : Side::buy; }
constexpr const char* to_string(Side side) { return side == Side::buy ? "buy" : "sell"; }

}  // namespace outcry
