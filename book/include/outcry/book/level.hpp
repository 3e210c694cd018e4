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

  // Neither end of a queue has a neighbour: record 0 of the pool, which is no order, takes what would be written to it.
  // That costs a store and saves a branch that nobody can predict.

  void push_back(OrderPool& pool, OrderIndex index) noexcept {
    Order& order = pool[index];
    order.older = newest;
    order.newer = 0;
    pool[newest].newer = index;
    oldest = newest != 0 ? oldest : index;
    newest = index;
    volume += order.open;
    ++orders;
  }

  void remove(OrderPool& pool, OrderIndex index) noexcept {
    const OrderIndex older = pool[index].older, newer = pool[index].newer;
    volume -= pool[index].open;
    --orders;
    pool[older].newer = newer;
    pool[newer].older = older;
    oldest = older != 0 ? oldest : newer;
    newest = newer != 0 ? newest : older;
  }
};

static_assert(sizeof(Level) == 32 && std::is_trivially_copyable_v<Level>);

}  // namespace outcry
