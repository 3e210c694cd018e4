// PriceLadder: the levels of one side of a book, best first.
//
// Prices enter as keys: of bids the price, of asks its negative, so that on either side the greater key is the better
// one and both sides run the same code. Levels near the trading lie in a window: an array with one Level for each tick,
// found by (key - first key) / tick, with an Occupancy over it. Levels outside of it, or between ticks, are *far*: a
// sorted array that points into a pool of levels. Far levels are exact, only slower.
//
//         far (sorted)          window: one slot a tick         far
//      .   .      .   .   |....#.##.####################____|    .      better ->
//                                                      ^ best
//
// The window moves towards the best price, or grows, once orders have missed it as often as the move costs.
//
// Thread: the book's owner only.
// Invariant: a level whose key is in the window lies there and nowhere else; no linked level is empty.
// Limits: windows of 64^3 slots; keys within +-2^62. A far level costs a search, and when it comes or goes a move of
// the
//   far levels better than it (16 bytes each). Memory of outgrown windows goes back to the memory resource at once;
//   readers on other cores will want a resource that retires it.
#pragma once

#include <cassert>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <string>
#include <utility>
#include <vector>

#include <outcry/book/exact_divisor.hpp>
#include <outcry/book/level.hpp>
#include <outcry/book/occupancy.hpp>
#include <outcry/book/order_pool.hpp>
#include <outcry/messages/instrument.hpp>
#include <outcry/messages/side.hpp>

namespace outcry {

class alignas(64) PriceLadder {
 public:
  using Key = std::int64_t;
  static constexpr Key no_key = std::numeric_limits<Key>::min();

  struct Window {
    std::uint32_t levels = 256;                  // of the first window
    std::uint32_t most = Occupancy::most_slots;  // to which it may grow
  };

  /// Throws std::invalid_argument for a tick below 1, an empty price range or one beyond +-2^62.
  PriceLadder(Side side, const Instrument& instrument, Window window, std::pmr::memory_resource* memory);
  ~PriceLadder();
  PriceLadder(const PriceLadder&) = delete;
  PriceLadder& operator=(const PriceLadder&) = delete;

  static Key key_of(Side side, Price price) noexcept { return mirrored(price.units, -static_cast<std::int64_t>(side)); }
  Key key_of(Price price) const noexcept { return mirrored(price.units, mirror_); }
  Price price_of(Key key) const noexcept { return {mirrored(key, mirror_)}; }
  bool in_range(Key key) const noexcept { return key >= lowest_ && key <= highest_; }
  bool on_tick(Key key) const noexcept { return key % tick_ == 0; }

  /// Whether the key has a slot in the window; then it is in the instrument's range and on a tick.
  bool holds(Key key) const noexcept { return holds_slot(slot_of(key)); }
  /// The key's slot in the window, or a number for which holds_slot() is false.
  std::uint64_t slot_of(Key key) const noexcept {
    return tick_divisor_.quotient(static_cast<std::uint64_t>(key) - static_cast<std::uint64_t>(first_key_));
  }
  bool holds_slot(std::uint64_t slot) const noexcept { return slot < slots_; }

  /// Makes sure that an order can rest at `key`; may move or grow the window, which changes no order and no level but
  /// their addresses. False if there is no memory. Not needed if holds(key).
  /// Requires: in_range(key).
  bool prepare(Key key, OrderPool& pool) noexcept;

  Key best_key() const noexcept { return best_key_; }
  bool empty() const noexcept { return best_key_ == no_key; }
  Level& best() noexcept { return *best_; }
  const Level& best() const noexcept { return *best_; }

  std::uint32_t level_count() const noexcept { return level_count_; }
  std::uint32_t order_count() const noexcept { return order_count_; }
  std::uint32_t far_level_count() const noexcept { return static_cast<std::uint32_t>(far_.size()); }
  std::uint32_t window_levels() const noexcept { return slots_; }

  Level& level_of(const Order& order) noexcept {
    return order.is_far() ? far_levels_[order.place] : levels_[order.place - first_place_];
  }
  const Level& level_of(const Order& order) const noexcept { return const_cast<PriceLadder*>(this)->level_of(order); }

  /// The level at `key`, or nullptr.
  const Level* find(Key key) const noexcept;
  /// The best level worse than `key`, or nullptr.
  const Level* next_worse(Key key) const noexcept;

  /// Links an order at the back of the level at `key`.
  /// Requires: holds(key), or prepare(key) came true since the ladder last changed.
  void rest(Key key, OrderIndex index, OrderPool& pool) noexcept { rest_at(slot_of(key), key, index, pool); }

  /// The same for whoever knows slot_of(key) already.
  [[gnu::always_inline]] void rest_at(std::uint64_t slot, Key key, OrderIndex index, OrderPool& pool) noexcept {
    Order& order = pool[index];
    ++order_count_;
    if (slot >= slots_) [[unlikely]]
      return rest_far(key, index, pool);
    Level& level = levels_[slot];
    order.traits &= ~Order::rests_far;
    order.place = static_cast<std::uint32_t>(slot) + first_place_;
    const bool fresh = level.empty();
    level.push_back(pool, index);
    if (fresh) {
      ++level_count_;
      level.price = price_of(key);
      occupancy_.set(static_cast<std::uint32_t>(slot));
      if (key > best_key_) best_key_ = key, best_ = &level;
    }
  }

  /// Unlinks an order with what it has open.
  [[gnu::always_inline]] void remove(OrderIndex index, OrderPool& pool) noexcept {
    const Order& order = pool[index];
    Level& level = level_of(order);
    --order_count_;
    level.remove(pool, index);
    if (level.empty()) drop(level, order.place, order.is_far());
  }

  // Hints for prefetching: they may be about any key or place, and take no branch.

  [[gnu::always_inline]] void prefetch_level(Key key) const noexcept {
    __builtin_prefetch(slot_or_first(slot_of(key)), 1);
  }
  [[gnu::always_inline]] void prefetch_place(std::uint32_t place) const noexcept {
    __builtin_prefetch(slot_or_first(place - first_place_), 1);
  }
  [[gnu::always_inline]] void prefetch_best() const noexcept { __builtin_prefetch(best_, 1); }
  /// The youngest order at `key`, if that is in the window. Requires: an order has rested here before.
  OrderIndex newest_at(Key key) const noexcept { return slot_or_first(slot_of(key))->newest; }
  bool has_window() const noexcept { return slots_ != 0; }
  [[gnu::always_inline]] void prefetch() const noexcept { __builtin_prefetch(this, 1); }

  /// The first violation of an invariant, or an empty string.
  std::string check(const OrderPool& pool) const { return check(pool, mirror_ == 0 ? Side::buy : Side::sell); }
  /// The same of a ladder whose orders are of another side than its prices run: stops.
  std::string check(const OrderPool& pool, Side side) const;

 private:
  struct FarLevel {
    Key key;
    std::uint32_t index;  // in far_levels_
  };

  // The value if the mirror is 0, its negative if the mirror is -1.
  static std::int64_t mirrored(std::int64_t value, std::int64_t mirror) noexcept {
    const auto mask = static_cast<std::uint64_t>(mirror);
    return static_cast<std::int64_t>((static_cast<std::uint64_t>(value) ^ mask) - mask);
  }

  const Level* slot_or_first(std::uint64_t slot) const noexcept {
    const std::uint64_t inside = 0 - static_cast<std::uint64_t>(slot < slots_);
    return levels_ + (slot & inside);
  }

  // Takes a level that became empty off the ladder.
  void drop(Level& level, std::uint32_t place, bool far) noexcept {
    --level_count_;
    if (far) [[unlikely]]
      drop_far(key_of(level.price));
    else
      occupancy_.clear(place - first_place_);
    if (&level == best_) find_best(far ? slots_ : place - first_place_);
  }

  // The best level, if none in the window is at `slot` or above.
  void find_best(std::uint32_t slot) noexcept {
    const std::uint32_t near = occupancy_.below(slot);
    if (near != Occupancy::none) [[likely]] {
      best_ = levels_ + near;
      best_key_ = key_of(best_->price);
    } else {
      best_ = nullptr;
      best_key_ = no_key;
    }
    if (!far_.empty() && far_.back().key > best_key_) [[unlikely]] {
      best_ = &far_levels_[far_.back().index];
      best_key_ = far_.back().key;
    }
  }

  void rest_far(Key key, OrderIndex index, OrderPool& pool) noexcept;
  void drop_far(Key key) noexcept;
  std::size_t far_position(Key key) const noexcept;
  std::uint32_t add_far_level(Key key) noexcept;
  bool reserve_far(std::size_t more) noexcept;
  bool move_window(Key wanted, OrderPool& pool) noexcept;
  std::uint32_t choose_slots(Key best) const noexcept;
  void relink(const Level& level, std::uint32_t place, bool far, OrderPool& pool) noexcept;
  std::size_t block_bytes(std::uint32_t slots) const noexcept;

  // One cache line for the common path.
  Level* levels_ = nullptr;
  Key first_key_ = 0;
  std::uint32_t slots_ = 0;
  std::uint32_t first_place_ = 0;  // of slot 0; places count ticks modulo 2^32, so that a move of the window keeps them
  ExactDivisor tick_divisor_;
  Key best_key_ = no_key;
  Level* best_ = nullptr;
  std::uint32_t order_count_ = 0;
  std::uint32_t level_count_ = 0;
  // Used when a level comes or goes.
  std::int64_t mirror_;  // 0 for bids, -1 for asks
  Occupancy occupancy_;
  std::pmr::vector<FarLevel> far_;      // sorted, best last
  std::pmr::vector<Level> far_levels_;  // in no order; holes are in far_holes_
  std::pmr::vector<std::uint32_t> far_holes_;
  // Seldom used.
  Key lowest_;
  Key highest_;
  std::int64_t tick_;
  Window window_;
  std::uint32_t capacity_ = 0;  // slots that the block has room for
  std::uint32_t misses_ = 0;    // since the window was last looked at
  std::uint32_t patience_ = 0;  // misses after which it is looked at again
  std::pmr::memory_resource* memory_;
};

}  // namespace outcry
