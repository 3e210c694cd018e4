// Commands: what a participant, or the day, asks of a symbol.
//
// Each is trivially copyable, has no padding, and fits one envelope between schedulers.
// arrival_ns is the stamp of the arrival at the gateway or feed, in the world's time. It is last in each
// command and is not part of what a command means: books ignore it, digests leave it out.
#pragma once

#include <cstdint>
#include <type_traits>

#include <outcry/messages/identity.hpp>
#include <outcry/messages/price.hpp>
#include <outcry/messages/quantity.hpp>
#include <outcry/messages/side.hpp>

namespace outcry {

enum class OrderType : std::uint8_t { limit, market };

enum class TimeInForce : std::uint8_t {
  good_till_cancelled,
  day,
  immediate_or_cancel,
  fill_or_kill,
  good_till_time,    // of a SpecialOrder only
  good_for_auction,  // taken while an auction collects; what it leaves over is cancelled. Needs a book with rules
};

enum class PostOnly : std::uint8_t { no, yes };

struct NewOrder {
  OrderId id{};
  Price price{};  // of a market order: not looked at
  Quantity quantity{};
  AccountId account{};
  SymbolId symbol{};
  Side side{};
  OrderType type{};
  TimeInForce time_in_force{};
  PostOnly post_only{};
  std::int64_t arrival_ns{};
};

struct CancelOrder {
  OrderId id{};
  AccountId account{};
  SymbolId symbol{};
  std::int64_t arrival_ns{};
};

/// Makes an order smaller by `by`; it keeps its place. By all that is open: the order is cancelled.
struct ReduceOrder {
  OrderId id{};
  Quantity by{};
  AccountId account{};
  SymbolId symbol{};
  std::uint32_t unused{};
  std::int64_t arrival_ns{};
};

/// A new price and open quantity under the same id. The order keeps its place only if the price is the same and the
/// quantity shrinks; otherwise it goes to the back, and may trade on its way in.
struct ModifyOrder {
  OrderId id{};
  Price price{};
  Quantity quantity{};
  AccountId account{};
  SymbolId symbol{};
  std::uint32_t unused{};
  std::int64_t arrival_ns{};
};

/// A new order in the place of an old one: always to the back of its level, and may trade on its way in. Side, account,
/// time in force and post-only are those of the old order. A symbol takes off the quantity what of `seen_open` is no
/// longer open, and refuses (quantity_exceeds_open) if nothing remains; books do not look at it.
struct ReplaceOrder {
  OrderId id{};
  OrderId new_id{};
  Price price{};
  Quantity quantity{};
  AccountId account{};
  SymbolId symbol{};
  Quantity seen_open{};  // of the old order, all of it, as its owner sees it; zero: the quantity is what is to be open
  std::int64_t arrival_ns{};
};

/// Ends every day order of the symbol, best price first, oldest first, bids before asks.
struct EndOfDay {
  SymbolId symbol{};
  std::uint32_t unused{};
  std::int64_t arrival_ns{};
};

/// What a SpecialOrder is. `price` and `trigger` mean:
///                     price                             trigger
///   limit             its limit
///   market
///   market_to_limit   not looked at: it becomes a limit order at the best price of the other side, in an auction at
///                     the price of that
///   stop              not looked at                     the stop price: becomes a market order
///   stop_limit        its limit once triggered          the stop price
///   trailing_stop     not looked at                     how far the stop price stays behind the last trade
///   primary_peg       the worst price it may have       offset to the best price of its own side
///   midpoint_peg      the worst price it may have       offset to the middle, rounded to its own side
///   market_peg        the worst price it may have       offset to the best price of the other side
enum class SpecialType : std::uint8_t {
  limit,
  market,
  market_to_limit,
  stop,
  stop_limit,
  trailing_stop,
  primary_peg,
  midpoint_peg,
  market_peg,
};

/// Terms that can be combined with |, as far as they make sense together.
enum class Terms : std::uint8_t {
  none = 0,
  post_only = 1,
  hidden = 2,        // rests behind what is displayed at its price
  reserve = 4,       // an iceberg: displays at most `part`
  minimum = 8,       // trades at least `part` at once, or leaves
  all_or_none = 16,  // rests out of sight, behind all others at its price, until all of it can trade
};
constexpr Terms operator|(Terms a, Terms b) {
  return static_cast<Terms>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
constexpr bool has(Terms terms, Terms wanted) {
  return (static_cast<std::uint8_t>(terms) & static_cast<std::uint8_t>(wanted)) != 0;
}

/// A new order with more terms than NewOrder has room for. Needs a book with rules.
struct SpecialOrder {
  OrderId id{};
  Price price{};
  std::int64_t trigger{};  // a price, a distance or an offset, see SpecialType
  Quantity quantity{};
  Quantity part{};  // displayed (reserve) or minimum
  AccountId account{};
  SymbolId symbol{};
  std::uint32_t expires_s{};  // good_till_time: in whole seconds of the world's time; else 0
  Side side{};
  SpecialType type{};
  TimeInForce time_in_force{};
  Terms terms{};
  std::int64_t arrival_ns{};
};

/// A new order with terms of its own in the place of the order `id`, of the same account and side; as ReplaceOrder
/// otherwise. It is larger than an envelope: to a symbol actor it goes in two parts, InPlaceOf and the order.
struct ReplaceTerms {
  OrderId id{};
  Quantity seen_open{};  // as in ReplaceOrder
  std::uint32_t unused{};
  SpecialOrder order{};
};

/// The SpecialOrder `new_id` that the account sends right behind it takes the place of the order `id`. Without that order
/// it means nothing.
struct InPlaceOf {
  OrderId id{};
  OrderId new_id{};
  AccountId account{};
  SymbolId symbol{};
  Quantity seen_open{};
  std::uint32_t unused{};
  std::int64_t arrival_ns{};
};

/// Cancels the orders of an account, or of all accounts; on one side or both. In the order of EndOfDay.
struct MassCancel {
  AccountId account{};
  SymbolId symbol{};
  std::uint8_t buys{1};
  std::uint8_t sells{1};
  std::uint8_t all_accounts{0};
  std::uint8_t unused8{};
  std::uint32_t unused{};
  std::int64_t arrival_ns{};
};

/// It is `now_s`: orders good till then, or till before, leave. In the order of EndOfDay.
struct ExpireOrders {
  SymbolId symbol{};
  std::uint32_t now_s{};
  std::int64_t arrival_ns{};
};

enum class Phase : std::uint8_t {
  continuous,
  halted,  // orders may be cancelled and reduced, nothing else
  auction,  // orders are collected and do not trade; they do at one price when continuous trading begins, or at the close
  closed,  // orders may be cancelled, nothing else
};
/// Whether orders are collected, to trade at one price at the phase's end. A book may begin such a phase by itself, and
/// then somebody has to end it.
constexpr bool collects(Phase phase) { return phase == Phase::auction; }

struct ChangePhase {
  SymbolId symbol{};
  Phase phase{};
  std::uint8_t unused8{};
  std::uint16_t unused16{};
  std::int64_t arrival_ns{};
};

static_assert(sizeof(NewOrder) == 40 && std::has_unique_object_representations_v<NewOrder>);
static_assert(sizeof(CancelOrder) == 24 && std::has_unique_object_representations_v<CancelOrder>);
static_assert(sizeof(ReduceOrder) == 32 && std::has_unique_object_representations_v<ReduceOrder>);
static_assert(sizeof(ModifyOrder) == 40 && std::has_unique_object_representations_v<ModifyOrder>);
static_assert(sizeof(ReplaceOrder) == 48 && std::has_unique_object_representations_v<ReplaceOrder>);
static_assert(sizeof(EndOfDay) == 16 && std::has_unique_object_representations_v<EndOfDay>);
static_assert(sizeof(SpecialOrder) == 56 && std::has_unique_object_representations_v<SpecialOrder>);
static_assert(sizeof(ReplaceTerms) == 72 && std::has_unique_object_representations_v<ReplaceTerms>);
static_assert(sizeof(InPlaceOf) == 40 && std::has_unique_object_representations_v<InPlaceOf>);
static_assert(sizeof(MassCancel) == 24 && std::has_unique_object_representations_v<MassCancel>);
static_assert(sizeof(ExpireOrders) == 16 && std::has_unique_object_representations_v<ExpireOrders>);
static_assert(sizeof(ChangePhase) == 16 && std::has_unique_object_representations_v<ChangePhase>);

}  // namespace outcry
