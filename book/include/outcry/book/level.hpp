// Level: the orders resting at one price, oldest first.
//
// Thread: the book's owner only.
// Invariant: volume is the sum of the open quantities of the linked orders, orders is their number; an empty level is
//   all zero but for its price.
// Limits: none; orders live in the OrderPool.
#pragma once

#include <cstdint>
#include <type_traits>

#include <outcry/book/order_pool.hpp>
#include <outcry/messages/price.hpp>
#include <outcry/messages/quantity.hpp>

namespace outcry {

struct Level {
  Volume volume;
  Price price;
  OrderIndex oldest;
  OrderIndex newest;
  std::uint32_t orders;
  std::uint32_t unused;  // for the version that a reader on another core would check

  bool empty() const noexcept { return orders == 0; }

  void push_back(OrderPool& pool, OrderIndex index) noexcept {
    Order& order = pool[index];
    order.older = newest;
    order.newer = 0;
    if (newest != 0)
      pool[newest].newer = index;
    else
      oldest = index;
    newest = index;
    volume += order.open;
    ++orders;
  }

  void remove(OrderPool& pool, OrderIndex index) noexcept {
    const Order& order = pool[index];
    if (order.older != 0)
      pool[order.older].newer = order.newer;
    else
      oldest = order.newer;
    if (order.newer != 0)
      pool[order.newer].older = order.older;
    else
      newest = order.older;
    volume -= order.open;
    --orders;
  }
};

static_assert(sizeof(Level) == 32 && std::is_trivially_copyable_v<Level>);

}  // namespace outcry
