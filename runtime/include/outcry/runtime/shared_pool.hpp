// SharedPool: objects that threads take and give back without locks, addressed by 32-bit index; index 0 is no object.
//
// The free ones are a list whose head carries a tag beside the index: each change advances the tag, so that a thread
// that was held up between reading the head and exchanging it notices that the same index has come back (ABA).
// Thread: any. Lock-free: whoever is held up holds up nobody, also while the pool grows, if its memory resource is so.
// Invariant: an object begins its life once, when its block is made, and never moves; what its last owner left is in it.
// Limits: Size::limit objects, made in blocks of Size::block; then take() gives nothing. A thread that is held up while
// the tag goes once around, 2^32 changes, is fooled all the same.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace outcry {

/// What is free, by index: in two steps, so that a test can put others between them. `tag_step` is 1; a test shows what
/// becomes of the pool without tags.
template <std::uint32_t tag_step = 1>
class FreeIndexes {
 public:
  using Index = std::uint32_t;

  /// The head as a thread saw it.
  struct Seen {
    std::uint64_t head;
    Index index() const { return static_cast<Index>(head); }
  };

  Seen look() const noexcept { return {head_.load(std::memory_order_acquire)}; }

  /// Makes `next` the first, if nothing has changed since `seen`; else looks anew.
  /// Acquire pairs with the release of the thread that gave the index back: what it left in the object is seen.
  bool replace(Seen& seen, Index next) noexcept {
    const std::uint64_t tag = (seen.head >> 32) + tag_step;
    return head_.compare_exchange_weak(seen.head, tag << 32 | next, std::memory_order_acq_rel,
                                       std::memory_order_acquire);
  }

 private:
  alignas(64) std::atomic<std::uint64_t> head_{0};
};

/// How a pool has been used so far. While threads use it, each number is right by itself.
struct SharedPoolReport {
  std::uint32_t capacity = 0;    // the limit
  std::uint32_t prefaulted = 0;  // of them
  std::uint32_t in_use = 0;
  std::uint32_t high_water = 0;  // different objects that were ever taken; a fresh one only where none was free
  std::uint32_t grown = 0;       // blocks that were made while a thread waited for them
  std::uint64_t refused = 0;     // times that take() gave nothing
  std::uint64_t bytes = 0;
  friend bool operator==(const SharedPoolReport&, const SharedPoolReport&) = default;
};

/// "objects: 3 in use, 10 at most of 10 (10 prefaulted, 320 bytes), grown 1 time, 2 refused"
std::string to_string(const SharedPoolReport& report);

template <class T, class Free = FreeIndexes<>>
class SharedPool {
 public:
  using Index = std::uint32_t;

  using Report = SharedPoolReport;

  struct Size {
    std::uint32_t objects = 0;       // prefaulted by the constructor
    std::uint32_t limit = 1u << 20;  // at most so many at once
    std::uint32_t block = 1u << 10;  // made together when more are needed; rounded up to a power of two

    /// The same with as many prefaulted as an earlier run needed.
    Size after(const Report& earlier) const noexcept {
      Size size = *this;
      size.objects = std::min(std::max(objects, earlier.high_water), limit);
      return size;
    }
  };

  /// Throws std::invalid_argument for a limit of 0 or 2^32 - 1, std::bad_alloc if the memory is not to be had.
  /// The memory resource is called by any thread.
  explicit SharedPool(Size size, std::pmr::memory_resource* memory = std::pmr::new_delete_resource())
      : limit_(checked(size.limit)),
        block_(std::bit_ceil(std::clamp<std::uint32_t>(size.block, 1, 1u << 24))),
        blocks_((std::size_t{limit_} + block_) / block_ + 1),
        memory_(memory) {
    try {
      for (std::uint32_t number = 0; report().prefaulted < std::min(size.objects, limit_); ++number) make_block(number);
    } catch (...) {
      end_blocks();
      throw;
    }
  }
  SharedPool() : SharedPool(Size{}) {}
  ~SharedPool() { end_blocks(); }
  SharedPool(const SharedPool&) = delete;
  SharedPool& operator=(const SharedPool&) = delete;

  /// Nothing: the limit is reached, or there is no memory for another block.
  [[nodiscard]] std::optional<Index> take() noexcept {
    for (auto seen = free_.look(); seen.index() != 0;) {
      // Another thread may have taken it meanwhile and even linked it anew: then the exchange fails.
      const Index next = slot(seen.index()).next.load(std::memory_order_relaxed);
      const Index index = seen.index();
      if (free_.replace(seen, next)) return taken(index);
    }
    Index fresh = next_.load(std::memory_order_relaxed);
    while (fresh <= limit_) {
      if (!has_block(fresh) && !grow(fresh)) break;
      if (next_.compare_exchange_weak(fresh, fresh + 1, std::memory_order_relaxed)) return taken(fresh);
    }
    refused_.fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
  }

  /// Requires: taken, and not given back since.
  void give_back(Index index) noexcept {
    assert(index != 0 && index < next_.load(std::memory_order_relaxed) && "give_back() of what was not taken");
    in_use_.fetch_sub(1, std::memory_order_relaxed);
    auto seen = free_.look();
    do {
      slot(index).next.store(seen.index(), std::memory_order_relaxed);
    } while (!free_.replace(seen, index));
  }

  /// Requires: taken.
  T& operator[](Index index) noexcept { return slot(index).object; }
  const T& operator[](Index index) const noexcept { return slot(index).object; }

  /// Reads a word of every object that is prefaulted, so that none is cold, nor its page.
  void warm() const noexcept {
    for (const auto& block : blocks_)
      if (const Slot* slots = block.load(std::memory_order_acquire); slots != nullptr)
        for (Index i = 0; i < block_; ++i) static_cast<void>(slots[i].next.load(std::memory_order_relaxed));
  }

  Report report() const noexcept {
    const std::uint64_t made = made_.load(std::memory_order_relaxed);
    return {.capacity = limit_,
            .prefaulted = made == 0 ? 0 : static_cast<std::uint32_t>(std::min<std::uint64_t>(made - 1, limit_)),
            .in_use = in_use_.load(std::memory_order_relaxed),
            .high_water = std::min(next_.load(std::memory_order_relaxed) - 1, limit_),
            .grown = grown_.load(std::memory_order_relaxed),
            .refused = refused_.load(std::memory_order_relaxed),
            .bytes = made * sizeof(Slot)};
  }

 private:
  struct Slot {
    T object{};
    std::atomic<Index> next{0};  // while it is free; read by threads that are late
  };

  static std::uint32_t checked(std::uint32_t limit) {
    if (limit == 0 || limit == UINT32_MAX)
      throw std::invalid_argument("SharedPool: the limit must be at least 1 and below 2^32 - 1");
    return limit;
  }

  std::optional<Index> taken(Index index) noexcept {
    in_use_.fetch_add(1, std::memory_order_relaxed);
    return index;
  }

  Slot& slot(Index index) const noexcept {
    // Acquire pairs with make_block(): the objects of the block have begun their lives.
    return blocks_[index / block_].load(std::memory_order_acquire)[index % block_];
  }
  bool has_block(Index index) const noexcept {
    return blocks_[index / block_].load(std::memory_order_acquire) != nullptr;
  }

  bool grow(Index index) noexcept {
    try {
      if (make_block(index / block_)) grown_.fetch_add(1, std::memory_order_relaxed);
      return true;
    } catch (...) {
      return false;
    }
  }

  /// Whoever is first has made it; the others give theirs back. False: another was first.
  bool make_block(std::uint32_t number) {
    auto* slots = static_cast<Slot*>(memory_->allocate(block_ * sizeof(Slot), alignment));
    try {
      std::uninitialized_value_construct_n(slots, block_);
    } catch (...) {
      memory_->deallocate(slots, block_ * sizeof(Slot), alignment);
      throw;
    }
    Slot* none = nullptr;
    if (blocks_[number].compare_exchange_strong(none, slots, std::memory_order_release, std::memory_order_relaxed)) {
      made_.fetch_add(block_, std::memory_order_relaxed);
      return true;
    }
    end(slots);
    return false;
  }

  void end(Slot* slots) noexcept {
    std::destroy_n(slots, block_);
    memory_->deallocate(slots, block_ * sizeof(Slot), alignment);
  }
  void end_blocks() noexcept {
    for (auto& block : blocks_)
      if (Slot* slots = block.load(std::memory_order_acquire); slots != nullptr) end(slots);
  }

  static constexpr std::size_t alignment = std::max<std::size_t>(alignof(Slot), 64);

  const std::uint32_t limit_;
  const std::uint32_t block_;
  std::vector<std::atomic<Slot*>> blocks_;
  std::pmr::memory_resource* memory_;
  Free free_;
  alignas(64) std::atomic<Index> next_{1};  // never taken so far
  alignas(64) std::atomic<std::uint32_t> in_use_{0};
  std::atomic<std::uint64_t> made_{0};  // objects, index 0 among them
  std::atomic<std::uint32_t> grown_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace outcry
