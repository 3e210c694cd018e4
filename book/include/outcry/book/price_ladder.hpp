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
// Thread: the book's owner. Once share() was called, readers on other threads follow through a SharedLadder, which
// hears of every change of the layout: what lies where. Changes of a level are told by the level's own version.
// Invariant: a level whose key is in the window lies there and nowhere else; no linked level is empty.
// Limits: windows of 64^3 slots; keys within +-2^62. A far level costs a search, and when it comes or goes a move of
// the
//   far levels better than it (16 bytes each). Memory of outgrown windows goes back to the memory resource at once;
//   once shared, when no reader looks at it any more, from whichever thread retires something then.
#pragma once

#include <cassert>
#include <cstdint>
#include <limits>
#include <memory>
#include <memory_resource>
#include <string>
#include <utility>
#include <vector>

#include <outcry/book/exact_divisor.hpp>
#include <outcry/book/level.hpp>
#include <outcry/book/occupancy.hpp>
#include <outcry/book/order_pool.hpp>
#include <outcry/book/shared_book.hpp>
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
  std::uint32_t far_level_count() const noexcept { return far_count_; }
  std::uint32_t window_levels() const noexcept { return slots_; }

  Level& level_of(const Order& order) noexcept { return level_at(order.place, order.is_far()); }
  const Level& level_of(const Order& order) const noexcept { return const_cast<PriceLadder*>(this)->level_of(order); }

  /// The level at `key`, or nullptr.
  const Level* find(Key key) const noexcept;
  /// The best level worse than `key`, or nullptr.
  const Level* next_worse(Key key) const noexcept;

  /// Links an order at the back of the level at `key`.
  /// Requires: holds(key), or prepare(key) came true since the ladder last changed.
  void rest(Key key, OrderIndex index, OrderPool& pool) noexcept {
    rest(slot_of(key), key, index, pool[index].open, pool[index].traits, pool);
  }
  /// The same with slot_of(key), what the order has open and its traits: all that is known before anything is stored.
  [[gnu::always_inline]] void rest(std::uint64_t slot, Key key, OrderIndex index, std::uint32_t open,
                                   std::uint32_t traits, OrderPool& pool) noexcept {
    ++order_count_;
    if (slot >= slots_) [[unlikely]]
      return rest_far(key, index, open, traits, pool);
    Level& level = levels_[slot];
    Order& order = pool[index];
    order.place = static_cast<std::uint32_t>(slot) + first_place_;
    order.open = open;
    order.traits = traits & ~Order::rests_far;
    if (level.push_back(pool, index, open) == 0) {
      ++level_count_;
      level.price = price_of(key);
      occupancy_.set(static_cast<std::uint32_t>(slot));
      if (key > best_key_) best_key_ = key, best_ = &level;
    }
  }

  /// Unlinks an order with what it has open.
  [[gnu::always_inline]] void remove(OrderIndex index, OrderPool& pool) noexcept {
    const Order& order = pool[index];
    remove(index, order.open, order.is_far(), pool);
  }
  void remove(OrderIndex index, std::uint32_t open, bool far, OrderPool& pool) noexcept {
    const std::uint32_t place = pool[index].place;
    remove(level_at(place, far), place, index, open, far, pool);
  }
  /// The same with its level and place: all that is known before anything is stored.
  [[gnu::always_inline]] void remove(Level& level, std::uint32_t place, OrderIndex index, std::uint32_t open, bool far,
                                     OrderPool& pool) noexcept {
    --order_count_;
    if (level.remove(pool, index, open) == 0) drop(level, place, far);
  }

  /// Takes `quantity` off a linked order of the level; unlinks it if that was all it had open. Gives what it has left.
  /// Requires: level_of(order) is the level; quantity <= order.open.
  std::uint32_t reduce(Level& level, OrderIndex index, std::uint32_t quantity, OrderPool& pool) noexcept {
    Order& order = pool[index];
    const std::uint32_t left = order.open - quantity;
    if (left == 0) {
      --order_count_;
      if (level.remove(pool, index, quantity) == 0) drop(level, order.place, order.is_far());
      order.open = 0;
      return 0;
    }
    const Volume sum = level.volume;
    const std::uint32_t begun = level.begin_change();
    level.volume = sum - quantity;
    order.open = left;
    level.end_change(begun);
    return left;
  }

  /// From here on readers on other threads may follow through `shared`, which the ladder writes until close().
  /// Requires: not shared yet; the pool of all orders that rest here. Throws std::bad_alloc.
  void share(SharedLadder& shared, const OrderPool& pool);
  bool is_shared() const noexcept { return shared_ != nullptr; }
  /// Readers see no more of it.
  void close() noexcept;

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
  // The value if the mirror is 0, its negative if the mirror is -1.
  static std::int64_t mirrored(std::int64_t value, std::int64_t mirror) noexcept {
    const auto mask = static_cast<std::uint64_t>(mirror);
    return static_cast<std::int64_t>((static_cast<std::uint64_t>(value) ^ mask) - mask);
  }

  const Level* slot_or_first(std::uint64_t slot) const noexcept {
    const std::uint64_t inside = 0 - static_cast<std::uint64_t>(slot < slots_);
    return levels_ + (slot & inside);
  }

  Level& level_at(std::uint32_t place, bool far) noexcept {
    return far ? far_levels_[place] : levels_[place - first_place_];
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
    if (far_count_ != 0 && far_[far_count_ - 1].key > best_key_) [[unlikely]] {
      best_ = &far_levels_[far_[far_count_ - 1].index];
      best_key_ = far_[far_count_ - 1].key;
    }
  }

  void rest_far(Key key, OrderIndex index, std::uint32_t open, std::uint32_t traits, OrderPool& pool) noexcept;
  void drop_far(Key key) noexcept;
  std::uint32_t far_position(Key key) const noexcept;
  std::uint32_t add_far_level(Key key) noexcept;
  bool reserve_far(std::size_t more) noexcept;
  bool move_window(Key wanted, OrderPool& pool) noexcept;
  std::uint32_t choose_slots(Key best) const noexcept;
  void relink(const Level& level, std::uint32_t place, bool far, OrderPool& pool) noexcept;
  class LayoutChange;
  LadderFace* make_face(std::shared_ptr<const WindowMemory> window, std::shared_ptr<const FarMemory> far,
                        std::shared_ptr<const OrderRecords> orders) const;
  void show(LadderFace* face) noexcept;

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
  FarLevel* far_ = nullptr;      // sorted, best last
  Level* far_levels_ = nullptr;  // in no order; holes are in far_holes_
  std::uint32_t far_count_ = 0;  // linked ones
  std::uint32_t far_used_ = 0;   // linked ones and holes
  // Seldom used.
  std::pmr::vector<std::uint32_t> far_holes_;
  Key lowest_;
  Key highest_;
  std::int64_t tick_;
  Window window_;
  std::uint32_t capacity_ = 0;  // slots that the window's memory has room for
  std::uint32_t misses_ = 0;    // since the window was last looked at
  std::uint32_t patience_ = 0;  // misses after which it is looked at again
  std::pmr::memory_resource* memory_;
  std::shared_ptr<WindowMemory> window_memory_;
  std::shared_ptr<FarMemory> far_memory_;
  SharedLadder* shared_ = nullptr;  // null: there are no readers
};

}  // namespace outcry
