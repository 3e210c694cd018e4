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

enum class CommandKind : std::uint8_t {
  new_order,
  cancel,
  reduce,
  modify,
  replace,
  execute,
  end_of_day,
  mass_cancel,
  expire,
  phase
};

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
  Quantity reserve{};  // of an iceberg that rests: what of that is not displayed
  std::int64_t arrival_ns{};
};

/// A modify was carried out; comes after the trades that it made. Price and quantity are those asked for, even if all
/// of it traded.
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

// Events of books with rules. A consumer that has no on() for them is not told.

/// The terms of a SpecialOrder; comes right after its Accepted.
struct AcceptedTerms {
  OrderId id{};
  std::int64_t trigger{};
  Quantity part{};
  std::uint32_t expires_s{};
  AccountId account{};
  SymbolId symbol{};
  Side side{};
  SpecialType type{};
  TimeInForce time_in_force{};
  Terms terms{};
  std::uint32_t unused{};
  std::int64_t arrival_ns{};
};

/// An iceberg displays its next part, at the back of the queue.
struct Refreshed {
  OrderId id{};
  Price price{};
  Quantity displayed{};
  Quantity reserve{};  // what is still not shown
  AccountId account{};
  SymbolId symbol{};
  Side side{};
  std::uint8_t unused8{};
  std::uint16_t unused16{};
  std::uint32_t unused{};
};

/// A stop was triggered by the last trade: from here on it is a market order, or a limit order with this price.
struct Triggered {
  OrderId id{};
  Price last{};
  Price price{};  // of a stop_limit; else zero
  Quantity quantity{};
  AccountId account{};
  SymbolId symbol{};
  Side side{};
  std::uint8_t is_market{};
  std::uint16_t unused16{};
};

/// An order has another price than before without having been asked: a peg that moves, a market-to-limit order.
struct Repriced {
  OrderId id{};
  Price price{};
  AccountId account{};
  SymbolId symbol{};
  Quantity open{};
  Side side{};
  std::uint8_t is_parked{};  // a peg without anything to be pegged to: in no queue, the price means nothing
  std::uint16_t unused16{};
};

/// Asked for, or an auction that the book began because an order would have traded outside the dynamic band.
struct PhaseChanged {
  SymbolId symbol{};
  Phase phase{};
  std::uint8_t unused8{};
  std::uint16_t unused16{};
  std::int64_t arrival_ns{};  // zero: the book began it
};

/// The price of an auction, what trades at it, and how much more was bid than offered there. The trades follow; in each
/// the buyer is called the taker. With self-trade prevention some of the volume may leave instead of trading.
struct Uncrossed {
  Price price{};
  Volume volume{};
  std::int64_t imbalance{};  // below zero: more was offered
  SymbolId symbol{};
  std::uint32_t unused{};
};

static_assert(sizeof(Accepted) == 40 && std::has_unique_object_representations_v<Accepted>);
static_assert(sizeof(Rejected) == 40 && std::has_unique_object_representations_v<Rejected>);
static_assert(sizeof(Traded) == 48 && std::has_unique_object_representations_v<Traded>);
static_assert(sizeof(Cancelled) == 40 && std::has_unique_object_representations_v<Cancelled>);
static_assert(sizeof(Reduced) == 48 && std::has_unique_object_representations_v<Reduced>);
static_assert(sizeof(Modified) == 48 && std::has_unique_object_representations_v<Modified>);
static_assert(sizeof(Replaced) == 48 && std::has_unique_object_representations_v<Replaced>);
static_assert(sizeof(AcceptedTerms) == 48 && std::has_unique_object_representations_v<AcceptedTerms>);
static_assert(sizeof(Refreshed) == 40 && std::has_unique_object_representations_v<Refreshed>);
static_assert(sizeof(Triggered) == 40 && std::has_unique_object_representations_v<Triggered>);
static_assert(sizeof(Repriced) == 32 && std::has_unique_object_representations_v<Repriced>);
static_assert(sizeof(Uncrossed) == 32 && std::has_unique_object_representations_v<Uncrossed>);
static_assert(sizeof(PhaseChanged) == 16 && std::has_unique_object_representations_v<PhaseChanged>);

}  // namespace outcry
