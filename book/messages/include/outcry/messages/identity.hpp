// Identity: who and what a message is about.
//
// OrderId:   an order, unique among the live orders of one book. Zero is no order.
// AccountId: the owner of an order. Zero is the market itself: recorded history.
// SymbolId:  an instrument, dense from 0 in the order in which a market lists them.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace outcry {

struct OrderId {
  std::uint64_t value{};
  friend constexpr auto operator<=>(OrderId, OrderId) = default;
};

struct AccountId {
  std::uint32_t value{};
  friend constexpr auto operator<=>(AccountId, AccountId) = default;
};

struct SymbolId {
  std::uint32_t value{};
  friend constexpr auto operator<=>(SymbolId, SymbolId) = default;
};

}  // namespace outcry

template <>
struct std::hash<outcry::OrderId> {
  std::size_t operator()(outcry::OrderId id) const noexcept { return std::hash<std::uint64_t>{}(id.value); }
};
template <>
struct std::hash<outcry::SymbolId> {
  std::size_t operator()(outcry::SymbolId id) const noexcept { return std::hash<std::uint32_t>{}(id.value); }
};
