// HashedIds: which order has which id, for ids that others choose.
//
// Open addressing with linear probing; deletion shifts entries back, so nothing ever slows down from use. An entry is
// eight bytes: 32 bits of the hash, from which its home can be found again, and the order's index. The id itself is
// read in the order, which whoever looks for it needs next.
//
// Thread: the owner only.
// Invariant: from an entry's home to the entry no slot is empty; at most half of the slots are taken.
// Limits: 2^30 ids. Books that share a table share the space of ids. Ids that were chosen to collide make it slow:
//   give such clients ids of the gateway's making.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <new>
#include <stdexcept>
#include <vector>

#include <outcry/book/order_pool.hpp>
#include <outcry/messages/identity.hpp>

namespace outcry {

class HashedIds {
 public:
  struct Found {
    OrderIndex order;        // 0: no order has the id,
    std::uint32_t position;  // and this is where it would go
  };

  /// `expected` ids find room without growth.
  explicit HashedIds(std::size_t expected = 256, std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : entries_(std::bit_ceil(expected < 32 ? std::size_t{64} : expected * 2), memory) {
    if (entries_.size() > most_slots) throw std::invalid_argument("HashedIds: more than 2^30 ids expected");
    set_geometry();
  }

  Found find(OrderId id, const OrderPool& pool) const noexcept {
    const std::uint64_t tag = tag_of(id);
    std::uint32_t position = home(tag);
    for (;; position = (position + 1) & mask_) {
      const std::uint64_t entry = entries_[position];
      if (entry == 0) return {0, position};
      if ((entry >> 32) == tag && pool[index_in(entry)].id == id.value) [[likely]]
        return {index_in(entry), position};
    }
  }

  /// Room for one more; may grow, which moves positions. False if there is no memory.
  bool has_room(OrderId) noexcept { return size_ < most_ || grow(); }

  /// Room for an id that comes when another has gone; moves nothing.
  bool has_room_instead(OrderId) const noexcept { return true; }

  /// Requires: `position` from a find() that did not find the id, nothing changed since, and has_room().
  void insert(OrderId id, OrderIndex order, std::uint32_t position) noexcept {
    entries_[position] = tag_of(id) << 32 | order;
    ++size_;
  }

  /// Requires: `position` from a find() that found.
  void erase(std::uint32_t position) noexcept {
    std::uint32_t hole = position;
    for (std::uint32_t next = (hole + 1) & mask_;; next = (next + 1) & mask_) {
      const std::uint64_t entry = entries_[next];
      if (entry == 0) break;
      if (((next - home(entry >> 32)) & mask_) < ((next - hole) & mask_)) continue;  // would come before its home
      entries_[hole] = entry;
      hole = next;
    }
    entries_[hole] = 0;
    --size_;
  }

  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return most_; }

  [[gnu::always_inline]] void prefetch(OrderId id) const noexcept {
    __builtin_prefetch(entries_.data() + home(tag_of(id)), 1);
  }
  /// Probably the order that find() would find, without looking at orders; a hint for prefetching.
  OrderIndex guess(OrderId id) const noexcept {
    const std::uint64_t tag = tag_of(id);
    const std::uint64_t first = entries_[home(tag)], second = entries_[(home(tag) + 1) & mask_];
    const std::uint32_t is_first = 0 - static_cast<std::uint32_t>((first >> 32) == tag);
    const std::uint32_t is_second = 0 - static_cast<std::uint32_t>((second >> 32) == tag);
    return (index_in(first) & is_first) | (index_in(second) & is_second & ~is_first);
  }

 private:
  static constexpr std::size_t most_slots = std::size_t{1} << 31;

  // Fibonacci hashing: ids in a row land far apart from each other.
  static std::uint64_t tag_of(OrderId id) noexcept { return (id.value * 0x9E3779B97F4A7C15ull) >> 32; }
  static OrderIndex index_in(std::uint64_t entry) noexcept { return static_cast<OrderIndex>(entry); }
  std::uint32_t home(std::uint64_t tag) const noexcept { return static_cast<std::uint32_t>(tag) >> shift_; }

  void set_geometry() noexcept {
    mask_ = static_cast<std::uint32_t>(entries_.size() - 1);
    shift_ = 32 - std::countr_zero(entries_.size());
    most_ = static_cast<std::uint32_t>(entries_.size() / 2);
  }

  [[gnu::noinline]] bool grow() noexcept {
    if (entries_.size() >= most_slots) return false;
    try {
      std::pmr::vector<std::uint64_t> larger(entries_.size() * 2, entries_.get_allocator());
      entries_.swap(larger);
      set_geometry();
      for (const std::uint64_t entry : larger) {
        if (entry == 0) continue;
        std::uint32_t position = home(entry >> 32);
        while (entries_[position] != 0) position = (position + 1) & mask_;
        entries_[position] = entry;
      }
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  std::pmr::vector<std::uint64_t> entries_;
  std::uint32_t mask_ = 0;
  int shift_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t most_ = 0;
};

}  // namespace outcry
