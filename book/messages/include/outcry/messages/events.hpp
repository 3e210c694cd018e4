// Events: what happened in a book, in the order in which it happened.
//
// A book hands them to its consumer while it works; a symbol actor sends them on to the owners of the orders.
// Each is trivially copyable, has no padding, and fits one envelope between schedulers.
#pragma once

#include <cstdint>
#include <type_traits>

#include <outcry/messages/commands.hpp>
#include <outcry/messages/identity.hpp>
#include <outcry/messages/price.hpp>
#include <outcry/messages/quantity.hpp>
#include <outcry/messages/reason.hpp>
#include <outcry/messages/side.hpp>

namespace outcry {

/// A new order passed every check. Comes first, with the full quantity, before its trades.
struct Accepted {
  OrderId id{};
  Price price{};
  Quantity quantity{};
  AccountId account{};
  SymbolId symbol{};
  Side side{};
  OrderType type{};
  TimeInForce time_in_force{};
  PostOnly post_only{};
  std::int64_t arrival_ns{};
};

enum class CommandKind : std::uint8_t { new_order, cancel, reduce, modify, replace, execute, end_of_day };

/// A command was refused; the book is as it was.
struct Rejected {
  OrderId id{};      // the id that the command named (of a replace: the old one)
  OrderId new_id{};  // of a replace; else zero
  AccountId account{};
  SymbolId symbol{};
  CommandKind command{};
  Reason reason{};
  std::uint16_t unused16{};
  std::uint32_t unused{};
  std::int64_t arrival_ns{};
};

/// Two orders met, at the price of the one that rested.
struct Traded {
  OrderId maker{};
  OrderId taker{};  // zero: the taker is not known (recorded history)
  Price price{};
  Quantity quantity{};
  Quantity maker_open{};  // what is left of the maker
  AccountId maker_account{};
  AccountId taker_account{};
  SymbolId symbol{};
  Side taker_side{};
  std::uint8_t unused8{};
  std::uint16_t unused16{};
};

/// What was open of an order left the book without trading.
struct Cancelled {
  OrderId id{};
  Price price{};
  Quantity quantity{};  // what was still open
  AccountId account{};
  SymbolId symbol{};
  Side side{};
  Reason reason{};
  std::uint16_t unused16{};
  std::int64_t arrival_ns{};
};

struct Reduced {
  OrderId id{};
  Price price{};
  Quantity by{};
  Quantity open{};  // after
  AccountId account{};
  SymbolId symbol{};
  Side side{};
  std::uint8_t unused8{};
  std::uint16_t unused16{};
  std::uint32_t unused{};
  std::int64_t arrival_ns{};
};

/// A modify was carried out; comes after the trades that it made. Price and quantity are those asked for, even if all of it traded.
struct Modified {
  OrderId id{};
  Price price{};
  Quantity quantity{};
  AccountId account{};
  SymbolId symbol{};
  Side side{};
  std::uint8_t kept_place{};
  std::uint16_t unused16{};
  Quantity open{};  // after those trades
  std::uint32_t unused{};
  std::int64_t arrival_ns{};
};

/// A replace was accepted; comes before the trades of the new order, with the quantity asked for.
struct Replaced {
  OrderId id{};
  OrderId new_id{};
  Price price{};
  Quantity quantity{};
  AccountId account{};
  SymbolId symbol{};
  Side side{};
  std::uint8_t unused8{};
  std::uint16_t unused16{};
  std::int64_t arrival_ns{};
};

static_assert(sizeof(Accepted) == 40 && std::has_unique_object_representations_v<Accepted>);
static_assert(sizeof(Rejected) == 40 && std::has_unique_object_representations_v<Rejected>);
static_assert(sizeof(Traded) == 48 && std::has_unique_object_representations_v<Traded>);
static_assert(sizeof(Cancelled) == 40 && std::has_unique_object_representations_v<Cancelled>);
static_assert(sizeof(Reduced) == 48 && std::has_unique_object_representations_v<Reduced>);
static_assert(sizeof(Modified) == 48 && std::has_unique_object_representations_v<Modified>);
static_assert(sizeof(Replaced) == 48 && std::has_unique_object_representations_v<Replaced>);

}  // namespace outcry
