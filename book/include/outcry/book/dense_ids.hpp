// DenseIds: which order has which id, for ids handed out one after the other by the venue or the book itself.
//
// A table with a slot for each id ever given, four bytes each: nothing is hashed, nothing collides.
//
// Thread: the owner only.
// Limits: ids below `limit` (2^30 of them unless said otherwise: 4 GB). An id beyond it is refused with pool_exhausted.
//   Not for ids that a client chooses: a single high one would make the table that large. Books that share a table
//   share the space of ids; it is meant to be shared.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <new>
#include <vector>

#include <outcry/book/order_pool.hpp>
#include <outcry/messages/identity.hpp>

namespace outcry {

class DenseIds {
 public:
  struct Found {
    OrderIndex order;  // 0: no order has the id
    std::uint32_t position;
  };

  /// Ids up to `expected` find room without growth.
  explicit DenseIds(std::size_t expected = 1024, std::pmr::memory_resource* memory = std::pmr::get_default_resource(),
                    std::uint32_t limit = 1u << 30)
      : memory_(std::min<std::size_t>(expected + 1, limit), memory), limit_(limit) {
    look();
  }
  DenseIds(const DenseIds&) = delete;
  DenseIds& operator=(const DenseIds&) = delete;

  Found find(OrderId id, const OrderPool&) const noexcept {
    return {id.value < slots_ ? orders_[id.value] : 0, static_cast<std::uint32_t>(id.value)};
  }

  bool has_room(OrderId id) noexcept { return id.value < slots_ || grow(id.value); }

  /// Room for an id that comes when another has gone; positions stay.
  bool has_room_instead(OrderId id) noexcept { return has_room(id); }

  /// Requires: has_room(id).
  void insert(OrderId id, OrderIndex order, std::uint32_t) noexcept {
    orders_[id.value] = order;
    ++size_;
  }

  void erase(std::uint32_t position) noexcept {
    orders_[position] = 0;
    --size_;
  }

  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return slots_; }

  [[gnu::always_inline]] void prefetch(OrderId id) const noexcept {
    __builtin_prefetch(orders_ + (id.value < slots_ ? id.value : 0), 1);
  }
  OrderIndex guess(OrderId id) const noexcept { return id.value < slots_ ? orders_[id.value] : 0; }

 private:
  [[gnu::noinline]] bool grow(std::uint64_t id) noexcept {
    if (id >= limit_) return false;
    try {
      memory_.resize(std::min<std::size_t>(std::bit_ceil(id + 1), limit_));
      look();
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  void look() noexcept {
    orders_ = memory_.data();
    slots_ = memory_.size();
  }

  OrderIndex* orders_ = nullptr;  // what memory_ holds: a vector would subtract to know how many these are
  std::size_t slots_ = 0;
  std::size_t size_ = 0;
  std::pmr::vector<OrderIndex> memory_;
  std::uint32_t limit_;
};

}  // namespace outcry
