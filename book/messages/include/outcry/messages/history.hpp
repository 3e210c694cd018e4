// History: what a recorded market says happened to it, one message for each record that touches a book or prints a trade.
//
// Readers in net/ produce them; symbol actors apply them by reference to the orders that they name.
#pragma once

#include <cstdint>
#include <type_traits>

#include <outcry/messages/identity.hpp>
#include <outcry/messages/price.hpp>
#include <outcry/messages/quantity.hpp>
#include <outcry/messages/side.hpp>

namespace outcry {

enum class HistoryKind : std::uint8_t {
  add,             // a displayed order enters: id, side, price, quantity
  execute,         // a displayed order trades `quantity` at `price` (its own, unless the record says otherwise): id
  reduce,          // `quantity` of an order is cancelled: id
  remove,          // an order is cancelled: id
  replace,         // an order leaves, new_id enters at the back: id, new_id, price, quantity. Under its own id it only
                   // changes, and keeps its place if the price stays and the quantity does not grow
  hidden_execute,  // a trade against a hidden order: price, quantity, side of the resting order; books are not touched
  cross,           // an auction print: price, quantity; books are not touched
  clear,           // the book becomes empty
  halt,            // trading stops
  resume,          // trading starts
};

struct HistoryEvent {
  OrderId id{};
  OrderId new_id{};
  Price price{};
  std::int64_t time_ns{};  // since midnight, the exchange's own stamp
  Quantity quantity{};
  SymbolId symbol{};
  HistoryKind kind{};
  Side side{};
  std::uint8_t printable{1};  // 0: the trade is left out of volume
  std::uint8_t unused8{};
  std::uint32_t record{};     // ordinal of the record in its file, from 0
  std::int64_t arrival_ns{};  // stamp of the feed that read it
};

static_assert(sizeof(HistoryEvent) == 56 && std::has_unique_object_representations_v<HistoryEvent>);

}  // namespace outcry
