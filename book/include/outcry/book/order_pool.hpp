// OrderPool: the memory of orders, addressed by 32-bit index; index 0 is no order.
//
// Thread: one owner; the books of one shard share it. Readers of these books see the records through OrderRecords,
//   which they keep alive.
// Invariant: a record is always an Order and never moves (type-stable), whatever grows; the last one freed is taken
// first. Limits: Size::limit orders. Address space for the limit is taken at once from the memory resource; records are
// touched
//   (prefaulted) a chunk at a time, when the orders in use first need them. When the limit is reached has_room() is
//   false and books refuse with pool_exhausted.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string>

#include <outcry/book/order.hpp>
#include <outcry/book/order_terms.hpp>

namespace outcry {

/// The memory of the records. A pool that ends leaves it to the readers that still look into it.
class OrderRecords {
 public:
  OrderRecords(std::uint32_t limit, std::pmr::memory_resource* memory);
  ~OrderRecords();
  OrderRecords(const OrderRecords&) = delete;
  OrderRecords& operator=(const OrderRecords&) = delete;

  Order* data() noexcept { return orders_; }
  const Order& operator[](OrderIndex index) const noexcept { return orders_[index]; }
  /// Records below it have begun their lives, for whoever asks, on any thread.
  OrderIndex ready() const noexcept { return ready_.acquire(); }
  /// Begins the lives of so many more.
  void prefault(std::uint32_t count) noexcept;

 private:
  Order* orders_;
  Word<OrderIndex> ready_{0};
  std::uint32_t limit_;
  std::pmr::memory_resource* memory_;
};

class OrderPool {
 public:
  struct Report;

  struct Size {
    std::uint32_t orders = 1u << 14;  // prefaulted by the constructor
    std::uint32_t limit = 1u << 20;   // at most so many at once
    std::uint32_t chunk = 1u << 14;   // prefaulted together when more are needed

    /// The same with as many prefaulted as an earlier run needed: if this one needs no more, nothing grows.
    Size after(const Report& earlier) const noexcept;
  };

  /// How the pool has been used so far.
  struct Report {
    std::uint32_t capacity = 0;    // the limit
    std::uint32_t prefaulted = 0;  // of them; the rest is address space
    std::uint32_t in_use = 0;
    std::uint32_t high_water = 0;  // in use at once
    std::uint32_t grown = 0;       // chunks that were prefaulted while orders waited for them
    std::uint64_t refused = 0;     // orders, for want of room
    std::uint64_t bytes = 0;       // of the records that are prefaulted
    friend bool operator==(const Report&, const Report&) = default;
  };

  /// Throws std::invalid_argument for a limit of 0 or 2^32 - 1, std::bad_alloc if the memory is not to be had.
  explicit OrderPool(Size size, std::pmr::memory_resource* memory = std::pmr::get_default_resource());
  OrderPool() : OrderPool(Size{}) {}
  ~OrderPool();
  OrderPool(const OrderPool&) = delete;
  OrderPool& operator=(const OrderPool&) = delete;

  Order* data() noexcept { return orders_; }
  Order& operator[](OrderIndex index) noexcept { return orders_[index]; }
  const Order& operator[](OrderIndex index) const noexcept { return orders_[index]; }

  /// Makes the array of terms that lies parallel to the orders, if there is none yet: books with rules need it.
  /// Throws std::bad_alloc.
  void keep_terms();
  /// Requires: keep_terms(). The record holds what its last owner left in it.
  OrderTerms& terms(OrderIndex index) noexcept { return terms_[index]; }
  const OrderTerms& terms(OrderIndex index) const noexcept { return terms_[index]; }

  bool has_room() const noexcept { return free_ != 0 || next_ <= limit_; }

  /// Requires: has_room(). The record holds what its last owner left in it.
  OrderIndex take() noexcept {
    assert(has_room() && "take() from an exhausted pool");
    ++in_use_;
    if (const OrderIndex index = free_; index != 0) [[likely]] {
      free_ = orders_[index].older;
      return index;
    }
    if (next_ >= ready_) grow();
    return next_++;
  }

  void give_back(OrderIndex index) noexcept {
    assert(index != 0 && index < next_ && in_use_ > 0 && "give_back() of what was not taken");
    --in_use_;
    orders_[index].older = free_;  // not a Word: no reader follows it
    free_ = index;
  }

  /// The record that take() would give; a hint for prefetching.
  OrderIndex next_taken() const noexcept { return free_ != 0 ? free_ : next_; }
  [[gnu::always_inline]] void prefetch(OrderIndex index) const noexcept { __builtin_prefetch(orders_ + index, 1); }

  /// An order was refused because has_room() is false. For the report.
  void count_refusal() noexcept { ++refused_; }
  /// Reads a word of every record that is prefaulted, so that none is cold, nor its page, when trading begins.
  void warm() const noexcept;
  Report report() const noexcept;

  std::uint32_t in_use() const noexcept { return in_use_; }
  std::uint32_t high_water() const noexcept { return next_ - 1; }  // a fresh record is taken only when none is free
  std::uint32_t prefaulted() const noexcept { return ready_ - 1; }
  std::uint32_t limit() const noexcept { return limit_; }
  /// For readers on other threads.
  std::shared_ptr<const OrderRecords> records() const noexcept { return records_; }

 private:
  void prefault_chunk() noexcept;
  void grow() noexcept;

  Order* orders_;
  OrderIndex free_ = 0;
  OrderIndex next_ = 1;   // never taken so far
  OrderIndex ready_ = 1;  // first record that is not prefaulted
  std::uint32_t in_use_ = 0;
  std::uint32_t limit_;
  std::uint32_t chunk_;
  std::uint32_t grown_ = 0;
  std::uint64_t refused_ = 0;
  std::pmr::memory_resource* memory_;
  OrderTerms* terms_ = nullptr;
  std::shared_ptr<OrderRecords> records_;
};

inline OrderPool::Size OrderPool::Size::after(const Report& earlier) const noexcept {
  Size size = *this;
  size.orders = std::min(std::max(orders, earlier.high_water), limit);
  return size;
}

/// "orders: 3 in use, 10 at most of 10 (10 prefaulted, 320 bytes), grown 1 time, 2 refused"
std::string to_string(const OrderPool::Report& report);

}  // namespace outcry
