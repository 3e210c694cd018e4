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
/// time in force and post-only are those of the old order.
struct ReplaceOrder {
  OrderId id{};
  OrderId new_id{};
  Price price{};
  Quantity quantity{};
  AccountId account{};
  SymbolId symbol{};
  std::uint32_t unused{};
  std::int64_t arrival_ns{};
};

/// Ends every day order of the symbol, best price first, oldest first, bids before asks.
struct EndOfDay {
  SymbolId symbol{};
  std::uint32_t unused{};
  std::int64_t arrival_ns{};
};

static_assert(sizeof(NewOrder) == 40 && std::has_unique_object_representations_v<NewOrder>);
static_assert(sizeof(CancelOrder) == 24 && std::has_unique_object_representations_v<CancelOrder>);
static_assert(sizeof(ReduceOrder) == 32 && std::has_unique_object_representations_v<ReduceOrder>);
static_assert(sizeof(ModifyOrder) == 40 && std::has_unique_object_representations_v<ModifyOrder>);
static_assert(sizeof(ReplaceOrder) == 48 && std::has_unique_object_representations_v<ReplaceOrder>);
static_assert(sizeof(EndOfDay) == 16 && std::has_unique_object_representations_v<EndOfDay>);

}  // namespace outcry
