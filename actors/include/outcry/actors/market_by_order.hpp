// MarketByOrder: one change of what everyone may see of a symbol's orders, as its symbol tells it.
//
// Whoever applies these changes in their order to an empty book has the displayed part of the symbol's book: prices,
// displayed quantities, and who came first. What is not displayed (reserves, hidden orders, stops, orders without a
// price) is in none of them, but for the trades with it.
//
//   kind          id          price           quantity    besides
//   added         the order   its price       displayed   side; goes behind all others at its price
//   executed      the order   of the trade    traded      side that rested, trade, and how it is to be told
//   reduced       the order                   taken off   keeps its place
//   deleted       the order                               its id may come back later, at a new place
//   replaced      the order   of the new one  displayed   new_id, side; the new one goes behind all others
//   hidden_trade              of the trade    traded      side that rested, trade
//   cross                     of the auction              volume() of all its trades, trade; phase: what begins
//   phase                                                 phase
#pragma once

#include <cstdint>
#include <type_traits>

#include <outcry/messages/commands.hpp>
#include <outcry/messages/identity.hpp>
#include <outcry/messages/price.hpp>
#include <outcry/messages/quantity.hpp>
#include <outcry/messages/side.hpp>

namespace outcry {

struct MarketByOrder {
  enum class Kind : std::uint8_t { added, executed, reduced, deleted, replaced, hidden_trade, cross, phase, broken };

  enum class Told : std::uint8_t {
    at_own_price,    // of the order
    at_other_price,  // recorded markets: with the price, since it is not the order's
    apart,           // with the price, and not part of the volume: a cross tells that
  };

  static constexpr std::uint32_t unseen_trades = 1u << 30;  // of recorded markets: prints that touch no order
  static constexpr std::uint32_t crosses = 1u << 31;

  OrderId id{};
  OrderId new_id{};
  Price price{};
  std::int64_t time_ns{};  // of the world, when the symbol took the command
  Quantity quantity{};
  SymbolId symbol{};
  std::uint32_t trade{};  // how many the book has had, this one included; or counted from one of the two below
  Kind kind{};
  Side side{};
  Phase phase{};
  Told told{};

  Volume volume() const { return new_id.value; }
};
static_assert(sizeof(MarketByOrder) == 48 && std::has_unique_object_representations_v<MarketByOrder>);

/// One number for each trade of a venue's day, out of the symbol's count of them.
constexpr std::uint64_t match_number(SymbolId symbol, std::uint32_t trade) {
  return (std::uint64_t{symbol.value} + 1) << 32 | trade;
}

}  // namespace outcry
