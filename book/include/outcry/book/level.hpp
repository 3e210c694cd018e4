// Level: the orders resting at one price, oldest first.
//
// Every change stands between begin_change() and end_change(), and the version is odd as long. Whoever copies the
// orders from another thread (BookReader, where the argument is) looks at the version before and after.
//
// Thread: the book's owner; the Words are read by others.
// Invariant: outside of a change, volume is the sum of the open quantities of the linked orders, orders is their
//   number; an empty level is all zero but for its price.
// Limits: orders live in the OrderPool. The version comes round after 2^31 changes.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include <outcry/book/order_pool.hpp>
#include <outcry/messages/price.hpp>
#include <outcry/messages/quantity.hpp>

namespace outcry {

struct Level {
  Word<Volume> volume;
  Price price;
  Word<OrderIndex> oldest;
  OrderIndex newest;
  Word<std::uint32_t> orders;
  Word<std::uint32_t> version;

  bool empty() const noexcept { return orders == 0; }

  /// What changes before end_change(), here and in the orders, no reader will take for the level. Gives what
  /// end_change() wants to know.
  [[gnu::always_inline]] std::uint32_t begin_change() noexcept {
    const std::uint32_t before = version;
    version = before + 1;
    // Pairs with the reader's acquire fence: who saw any of what follows sees the odd version, or a later one.
    if constexpr (!words_keep_order) std::atomic_thread_fence(std::memory_order_release);
    return before;
  }
  [[gnu::always_inline]] void end_change(std::uint32_t before) noexcept {
    if constexpr (words_keep_order)
      version = before + 2;
    else
      version.release(before + 2);
  }

  // Neither end of a queue has a neighbour: record 0 of the pool, which is no order, takes what would be written to it.
  // That costs a store and saves a branch that nobody can predict. What is chosen from is read before the choice for
  // the same reason: compilers do not read an atomic that may not be wanted, they branch. And they forget everything
  // they have read when they store an atomic, so here everything is read first.

  /// Links an order that has `open`; gives how many were there before.
  std::uint32_t push_back(OrderPool& pool, OrderIndex index, std::uint32_t open) noexcept {
    Order* const records = pool.data();
    const OrderIndex first = oldest, last = newest;
    const std::uint32_t before = orders;
    const Volume sum = volume;
    records[index].older = last;
    const std::uint32_t begun = begin_change();
    records[index].newer = 0;
    records[last].newer = index;
    oldest = last != 0 ? first : index;
    newest = index;
    volume = sum + open;
    orders = before + 1;
    end_change(begun);
    return before;
  }

  /// Unlinks an order, and takes `quantity` off the volume; gives how many are left.
  std::uint32_t remove(OrderPool& pool, OrderIndex index, std::uint32_t quantity) noexcept {
    Order* const records = pool.data();
    const OrderIndex older = records[index].older, newer = records[index].newer, first = oldest, last = newest;
    const std::uint32_t left = orders - 1;
    const Volume sum = volume;
    const std::uint32_t begun = begin_change();
    volume = sum - quantity;
    orders = left;
    records[older].newer = newer;
    records[newer].older = older;
    oldest = older != 0 ? first : newer;
    newest = newer != 0 ? last : older;
    end_change(begun);
    return left;
  }
};

static_assert(sizeof(Level) == 32 && std::is_trivially_destructible_v<Level>);

}  // namespace outcry
