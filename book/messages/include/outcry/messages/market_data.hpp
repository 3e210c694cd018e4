// Market data: what a symbol tells everyone.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include <outcry/messages/identity.hpp>
#include <outcry/messages/price.hpp>
#include <outcry/messages/quantity.hpp>
#include <outcry/messages/side.hpp>

namespace outcry {

/// The best bid and offer. A side without orders has quantity 0, and its price means nothing.
struct Quote {
  Price bid{};
  Price ask{};
  std::uint32_t bid_quantity{};  // of the whole level; at most 2^32 - 1 is shown
  std::uint32_t ask_quantity{};
  SymbolId symbol{};
  std::uint32_t sequence{};  // counts the quotes of the symbol
  std::int64_t arrival_ns{};

  /// Of a symbol only the latest quote matters.
  constexpr std::uint64_t conflation_key() const { return symbol.value; }
  constexpr bool has_bid() const { return bid_quantity != 0; }
  constexpr bool has_ask() const { return ask_quantity != 0; }
  constexpr bool has_both() const { return has_bid() && has_ask(); }
};

/// A trade as everyone sees it.
struct TradePrint {
  Price price{};
  Quantity quantity{};
  SymbolId symbol{};
  Side aggressor{};
  std::uint8_t hidden{};  // 1: the resting order was not displayed
  std::uint16_t unused16{};
  std::uint32_t sequence{};  // counts the trades of the symbol
  std::int64_t arrival_ns{};
};

struct DepthLevel {
  Price price{};
  Volume volume{};
  std::uint32_t orders{};
  std::uint32_t unused{};
  friend constexpr bool operator==(const DepthLevel&, const DepthLevel&) = default;
};

static_assert(sizeof(Quote) == 40 && std::has_unique_object_representations_v<Quote>);
static_assert(sizeof(TradePrint) == 32 && std::has_unique_object_representations_v<TradePrint>);
static_assert(sizeof(DepthLevel) == 24 && std::has_unique_object_representations_v<DepthLevel>);

}  // namespace outcry
