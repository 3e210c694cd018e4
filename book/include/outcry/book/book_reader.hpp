// BookReader: walks the levels and orders of a living book from another thread, while the book's owner works.
//
//     BookReader reader(book.share());                      // share() on the owner's thread, the rest on the reader's
//     std::array<OrderView, 64> orders;
//     for (auto level = reader.top(Side::buy, orders); level; level = reader.next(Side::buy, level.price(), orders))
//       show(level.depth, std::span(orders).first(level.copied));
//
// Every level is copied as it was at one moment: its orders are those that add up to its volume, oldest first.
// Different levels are copied at different moments, so two sides may look crossed. The owner never waits for a reader
// and never learns of one. A reader that meets the owner `tries` times in a row says busy: then ask the owner.
//
// Why a copy is right. Everything that a reader looks at is an atomic word; what was read together is believed only if
// a version, read before and after, is the same even number (Boehm, "Can seqlocks get along with programming language
// memory models?", 2012).
//
// - One level. Its owner makes the version odd, fences with release, changes the level and its orders, and stores the
//   next even version with release. The reader acquires an even version: it sees every word at least as that change
//   left it. If it loads a word that a later change stored, then its acquire fence behind the loads pairs with the
//   release fence of that change, and the second look at the version sees the odd number or a greater one. So every
//   word of a copy that is kept is of that version, or had the same value then. On x86-64 (words_keep_order in word.hpp)
//   the owner has neither fence: its stores are volatile, the compiler keeps them in their order, and the processor
//   shows them in that order, so that the odd version is seen before all that follows it and the even one after.
// - Records used again (ABA). An index is always an Order: records never move and are never freed while a reader looks.
//   One that left the level may be in another by now, or free, or a new order under the same index; the reader may even
//   follow it away. All of that was stored after the change that unlinked it, so the second look finds the level's
//   version changed. The count of orders bounds the walk, OrderRecords::ready() the index. The same version again would
//   need 2^31 changes of one level during one copy.
// - Levels that move. A window that moves or grows, and levels that become far or near, take slots, versions and all,
//   to other places. These are changes of the layout, which has a version of its own, of 64 bits, in the SharedLadder,
//   which no change replaces. A reader looks at it before it looks at anything and after the level's version: the same
//   layout, and all the time the slot was the level of that price. The bitmaps and the list of far levels only say
//   where to look; what is there is believed by the two versions.
// - Memory that was outgrown. A reader reaches all memory through one LadderFace, which it protects with a hazard
//   pointer. The owner replaces the face within a change of the layout and retires the old one; the face's shared_ptrs
//   keep the window, the far levels and the pool's records until the last face that names them is given back. A reader
//   that is still in old memory reads old words, not freed ones, and finds the layout changed. The face is protected
//   after the first look at the layout, so an even version that stays belongs to that face.
// - The end. A book that ends leaves the layout odd and the face null before its orders go back to the pool. Readers
//   that are at work give up and then say closed; what they protect lives until they let go, the pool's records too.
//
// Thread: one BookReader, one thread. It allocates when it is made, and nothing later.
// Limits: what is displayed, no reserves or hidden orders; good till a time looks like good till cancelled. A level
//   that changes more often than it can be copied is busy for ever: give a shorter span, it is the orders that take the
//   time. While a window of a quarter of a million levels moves, its side is busy for that long.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include <outcry/book/hazard_pointer.hpp>
#include <outcry/book/order_view.hpp>
#include <outcry/book/shared_book.hpp>
#include <outcry/messages/market_data.hpp>

namespace outcry {

/// What came of a look into a living book.
enum class Look : std::uint8_t {
  seen,
  nothing,  // there is no such level
  busy,     // the owner was met at every try
  closed    // the book has ended
};

/// One level as it was at one moment, and how many of its orders, from the oldest on, there was room for.
struct LevelLook {
  Look look = Look::nothing;
  DepthLevel depth{};
  std::size_t copied = 0;

  explicit operator bool() const noexcept { return look == Look::seen; }
  Price price() const noexcept { return depth.price; }
};

/// How many levels were copied. Busy or closed: up to where that happened.
struct DepthLook {
  Look look = Look::nothing;
  std::size_t levels = 0;
};

/// Every check of a reader. Tests leave one out to see that it is missed.
struct EveryCheck {
  static constexpr bool level_version = true;
  static constexpr bool layout_version = true;
};

template <class Checks = EveryCheck>
class BasicBookReader {
 public:
  static constexpr unsigned default_tries = 256;

  /// What this reader has done, for whoever wants to know how often it met the owner.
  struct Counts {
    std::uint64_t looks = 0;    // at one level
    std::uint64_t retries = 0;  // because the owner was met
    std::uint64_t busy = 0;     // looks given up
  };

  /// Throws std::bad_alloc. Requires: a book.
  explicit BasicBookReader(std::shared_ptr<const SharedBook> book, unsigned tries = default_tries)
      : book_(std::move(book)), guard_(make_hazard_pointer()), tries_(tries) {}

  SymbolId symbol() const noexcept { return book_->symbol; }
  const Counts& counts() const noexcept { return counts_; }

  /// The best level, and the orders there as far as there is room for them.
  LevelLook top(Side side, std::span<OrderView> orders = {}) noexcept { return look(side, Where::below, best, orders); }
  /// The level at a price.
  LevelLook copy_level(Side side, Price price, std::span<OrderView> orders) noexcept {
    return look(side, Where::at, key_of(side, price), orders);
  }
  /// The best level that is worse than a price.
  LevelLook next(Side side, Price price, std::span<OrderView> orders = {}) noexcept {
    return look(side, Where::below, key_of(side, price), orders);
  }
  /// The best levels of a side, best first.
  DepthLook depth(Side side, std::span<DepthLevel> out) noexcept {
    DepthLook all{.look = Look::seen};
    for (LevelLook level = top(side); all.levels < out.size(); level = next(side, level.price())) {
      if (!level) {
        if (level.look != Look::nothing) all.look = level.look;
        break;
      }
      out[all.levels++] = level.depth;
    }
    return all;
  }

 private:
  using Key = SharedLadder::Key;
  static constexpr Key best = std::numeric_limits<Key>::max();  // no level is there: prices lie within +-2^62
  enum class Where : std::uint8_t { at, below };
  enum class Try : std::uint8_t { done, again };

  static Key key_of(Side side, Price price) noexcept { return side == Side::buy ? price.units : -price.units; }

  LevelLook look(Side side, Where where, Key key, std::span<OrderView> orders) noexcept {
    ++counts_.looks;
    const SharedLadder& ladder = book_->sides[side == Side::sell];
    LevelLook found;
    for (unsigned left = tries_; left != 0; --left) {
      const Try result = try_look(ladder, side, where, key, orders, found);
      guard_.reset_protection();
      if (result == Try::done) return found;
      ++counts_.retries;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    ++counts_.busy;
    return {.look = Look::busy};
  }

  Try try_look(const SharedLadder& ladder, Side side, Where where, Key key, std::span<OrderView> orders,
               LevelLook& found) noexcept {
    const std::uint64_t layout = ladder.layout.acquire();
    LadderFace* const face = guard_.protect(ladder.face);
    if (face == nullptr) {
      found = {.look = Look::closed};
      return Try::done;
    }
    if (Checks::layout_version && layout % 2 != 0) return Try::again;

    for (;;) {
      const Place place = find(ladder, *face, where, key);
      const bool copied = place.level == nullptr || copy(*place.level, *face, side, place.key, orders, found);
      // Behind everything that was read, whether from here or from copy().
      std::atomic_thread_fence(std::memory_order_acquire);
      if (Checks::layout_version && ladder.layout.read() != layout) return Try::again;
      if (!copied) return Try::again;
      if (place.level == nullptr) found = {.look = Look::nothing};
      if (place.level == nullptr || found.depth.orders != 0) return Try::done;
      // It was emptied after it had been found.
      found = {.look = Look::nothing};
      if (where == Where::at) return Try::done;
      key = place.key;
    }
  }

  struct Place {
    const Level* level = nullptr;
    Key key = 0;
  };

  // Numbers may be of different moments here: whatever they are, what is looked at is there.
  static Place find(const SharedLadder& ladder, const LadderFace& face, Where where, Key key) noexcept {
    Place near;
    const std::uint32_t slots = face.window ? std::min(ladder.slots.read(), face.window->slots()) : 0;
    const Key first = ladder.first_key.read();
    if (where == Where::at) {
      const auto distance = static_cast<std::uint64_t>(key) - static_cast<std::uint64_t>(first);
      const std::uint64_t slot = distance / static_cast<std::uint64_t>(ladder.tick);
      if (key >= first && slot < slots && distance % static_cast<std::uint64_t>(ladder.tick) == 0)
        return {face.window->levels() + slot, key};
    } else if (slots != 0 && key > first) {
      const auto ticks = (static_cast<std::uint64_t>(key) - static_cast<std::uint64_t>(first) - 1) /
                         static_cast<std::uint64_t>(ladder.tick);
      const auto end = static_cast<std::uint32_t>(std::min<std::uint64_t>(ticks + 1, slots));  // first slot not worse
      if (const std::uint32_t slot = Occupancy::below(face.window->words(), face.window->slots(), end);
          slot != Occupancy::none)
        near = {face.window->levels() + slot, key_in(first, slot, ladder.tick)};
    }
    if (!face.far) return near;
    const std::uint32_t count = std::min(ladder.far_count.read(), face.far->room());
    const FarLevel* const sorted = face.far->sorted();
    // Whatever the keys are meanwhile, the search stays inside.
    const auto at = static_cast<std::uint32_t>(
        std::lower_bound(sorted, sorted + count, key, [](const FarLevel& a, Key b) { return a.key.read() < b; }) -
        sorted);
    const bool is_there = where == Where::at ? at < count && sorted[at].key.read() == key : at != 0;
    if (!is_there) return near;
    const FarLevel& far = sorted[where == Where::at ? at : at - 1];
    const Key far_key = far.key.read();
    const std::uint32_t index = far.index.read();
    if (index >= face.far->room() || (near.level != nullptr && near.key > far_key)) return near;
    return {face.far->levels() + index, far_key};
  }

  // As numbers without sign: they may not belong together.
  static Key key_in(Key first, std::uint32_t slot, Key tick) noexcept {
    return static_cast<Key>(static_cast<std::uint64_t>(first) + std::uint64_t{slot} * static_cast<std::uint64_t>(tick));
  }

  /// False if the owner was met.
  static bool copy(const Level& level, const LadderFace& face, Side side, Key key, std::span<OrderView> out,
                   LevelLook& found) noexcept {
    const std::uint32_t version = level.version.acquire();
    if (Checks::level_version && version % 2 != 0) return false;
    const Price price{side == Side::buy ? key : -key};
    found = {.look = Look::seen,
             .depth = {.price = price, .volume = level.volume.read(), .orders = level.orders.read()},
             .copied = 0};
    const std::size_t count = std::min<std::size_t>(found.depth.orders, out.size());
    const OrderRecords& records = *face.orders;
    OrderIndex ready = 0, index = level.oldest.read();
    for (; found.copied < count; ++found.copied) {
      if (index >= ready) ready = records.ready();
      if (index == 0 || index >= ready) return false;
      const Order& order = records[index];
      const std::uint32_t traits = order.traits.read();
      out[found.copied] = {
          .id = {order.id.read()},
          .price = price,
          .open = {order.open.read()},
          .account = {order.account.read()},
          .side = side,
          .time_in_force = (traits & Order::ends_with_day) != 0 ? TimeInForce::day : TimeInForce::good_till_cancelled,
          .post_only = (traits & Order::posts_only) != 0 ? PostOnly::yes : PostOnly::no};
      index = order.newer.read();
    }
    // Pairs with the release fence of Level::begin_change().
    std::atomic_thread_fence(std::memory_order_acquire);
    return !Checks::level_version || level.version.read() == version;
  }

  std::shared_ptr<const SharedBook> book_;
  hazard_pointer guard_;
  unsigned tries_;
  Counts counts_;
};

using BookReader = BasicBookReader<>;

}  // namespace outcry
