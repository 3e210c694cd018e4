// Quantity: the size of one order or trade, as a whole number of lots or shares.
//
// Volume: a sum of quantities (a level, a side, a day). 2^32 orders of the largest quantity do not overflow it.
#pragma once

#include <compare>
#include <cstdint>

namespace outcry {

struct Quantity {
  std::uint32_t lots{};

  friend constexpr auto operator<=>(Quantity, Quantity) = default;
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return {a.lots + b.lots}; }
  /// Requires: b <= a.
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return {a.lots - b.lots}; }
  constexpr Quantity& operator+=(Quantity other) { return lots += other.lots, *this; }
  constexpr Quantity& operator-=(Quantity other) { return lots -= other.lots, *this; }
};

using Volume = std::uint64_t;

}  // namespace outcry
