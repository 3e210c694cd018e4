// LimitBook: the least work that keeps price-time queues: what a book with every check is compared with.
//
// A fixed window of prices, both sides in one array of levels, trust in every message, no events but fills. Traits turn
// single techniques on, so that each can be measured on its own.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "huge_memory.hpp"
#include "obw1.hpp"

namespace bench {

/// A table with a slot for every id.
class LimitDenseIds {
 public:
  LimitDenseIds(HugeMemory& memory, std::uint64_t ids, std::uint64_t) : orders_(memory.array<std::uint32_t>(ids + 1)) {}

  [[gnu::always_inline]] void prefetch(std::uint64_t id) const { __builtin_prefetch(orders_ + id, 1); }
  std::uint32_t find(std::uint64_t id) const { return orders_[id]; }
  void insert(std::uint64_t id, std::uint32_t order) { orders_[id] = order; }
  std::uint32_t take(std::uint64_t id) {
    const std::uint32_t order = orders_[id];
    orders_[id] = 0;
    return order;
  }

 private:
  std::uint32_t* orders_;
};

/// Open addressing: the id and the order in sixteen bytes, at most half full.
class LimitHashedIds {
 public:
  LimitHashedIds(HugeMemory& memory, std::uint64_t, std::uint64_t live) {
    const std::uint64_t slots = std::bit_ceil(live * 2 + 64);
    slots_ = memory.array<Slot>(slots);
    mask_ = slots - 1;
    shift_ = 64 - std::countr_zero(slots);
  }

  [[gnu::always_inline]] void prefetch(std::uint64_t id) const { __builtin_prefetch(slots_ + home(id), 1); }
  std::uint32_t find(std::uint64_t id) const { return slots_[position(id)].order; }
  void insert(std::uint64_t id, std::uint32_t order) {
    std::uint64_t at = home(id);
    while (slots_[at].id != 0) at = (at + 1) & mask_;
    slots_[at] = {id, order, 0};
  }
  std::uint32_t take(std::uint64_t id) {
    std::uint64_t hole = position(id);
    const std::uint32_t order = slots_[hole].order;
    for (std::uint64_t at = (hole + 1) & mask_; slots_[at].id != 0; at = (at + 1) & mask_) {
      if (((at - home(slots_[at].id)) & mask_) < ((at - hole) & mask_)) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole].id = 0;
    return order;
  }

 private:
  struct Slot {
    std::uint64_t id;
    std::uint32_t order, unused;
  };

  std::uint64_t home(std::uint64_t id) const { return (id * 0x9E3779B97F4A7C15ull) >> shift_; }
  // Of the id, or of the free slot behind which it is not.
  std::uint64_t position(std::uint64_t id) const {
    std::uint64_t at = home(id);
    while (slots_[at].id != id && slots_[at].id != 0) at = (at + 1) & mask_;
    return at;
  }

  Slot* slots_;
  std::uint64_t mask_;
  int shift_;
};

/// What a LimitBook is made of. As it stands here it is the limit that everything is compared with.
struct LimitTraits {
  static constexpr std::size_t order_bytes = 32;  // of a record in the pool
  static constexpr bool sentinel = false;         // record 0 takes the writes past the end of a queue: no branch
  static constexpr bool mirrored = false;  // both sides by the same arithmetic on the price: no branch on the side
};

template <class Ids, class Traits = LimitTraits>
class LimitBook {
 public:
  LimitBook(HugeMemory& memory, std::uint64_t symbols, std::uint64_t ids, std::uint64_t live)
      : ids_(memory, ids, live),
        orders_(memory.array<Order>(live * 2 + 1024)),
        symbols_(memory.array<Symbol>(symbols)) {
    for (std::uint64_t i = 0; i < symbols; ++i) symbols_[i].best[1] = prices;
  }

  [[gnu::always_inline]] void carry_out(const obw1::Record& record) {
    switch (record.kind) {
      case obw1::Kind::add: return add(record.id, record.symbol, record.side, record.price, record.quantity);
      case obw1::Kind::cancel: return cancel(record.id);
      case obw1::Kind::reduce: return reduce(record.id, record.quantity);
      case obw1::Kind::replace: return replace(record.id, record.new_id, record.price, record.quantity);
      case obw1::Kind::immediate: return take(record);
    }
  }

  [[gnu::always_inline]] void cancel(std::uint64_t id) {
    if (const std::uint32_t index = ids_.take(id)) remove(index);
  }
  [[gnu::always_inline]] void reduce(std::uint64_t id, std::uint32_t by) {
    Order& order = orders_[ids_.find(id)];
    order.open -= by;
    symbols_[order.symbol].levels[order.price].volume -= by;
  }
  [[gnu::always_inline]] void replace(std::uint64_t id, std::uint64_t new_id, std::uint32_t price,
                                      std::uint32_t quantity) {
    const std::uint32_t index = ids_.take(id);
    const std::uint16_t symbol = orders_[index].symbol;
    const std::uint8_t side = orders_[index].side;
    remove(index);
    add(new_id, symbol, side, price, quantity);
  }
  /// A trade of the named order, as recorded markets report it.
  [[gnu::always_inline]] void execute(std::uint64_t id, std::uint32_t quantity) {
    Order& order = orders_[ids_.find(id)];
    fills_.add(0, id, order.price, quantity);
    if (order.open == quantity) return cancel(id);
    order.open -= quantity;
    symbols_[order.symbol].levels[order.price].volume -= quantity;
  }

  // Stages of prefetching, each relying on the one before.
  [[gnu::always_inline]] void prefetch_book() const {}
  [[gnu::always_inline]] void prefetch_id(const obw1::Record& record) const {
    ids_.prefetch(record.id);
    if (record.kind == obw1::Kind::add) __builtin_prefetch(&symbols_[record.symbol].levels[record.price], 1);
    if (record.kind == obw1::Kind::replace) ids_.prefetch(record.new_id);
  }
  [[gnu::always_inline]] void prefetch_order(const obw1::Record& record) const {
    if (record.kind == obw1::Kind::add)
      __builtin_prefetch(orders_ + symbols_[record.symbol].levels[record.price].newest, 1);
    else if (record.kind != obw1::Kind::immediate)
      __builtin_prefetch(orders_ + ids_.find(record.id), 1);
  }
  [[gnu::always_inline]] void prefetch_neighbours(const obw1::Record& record) const {
    if (record.kind == obw1::Kind::add || record.kind == obw1::Kind::immediate) return;
    const Order& order = orders_[ids_.find(record.id)];
    __builtin_prefetch(&symbols_[order.symbol].levels[order.price], 1);
    __builtin_prefetch(orders_ + order.older, 1);
    __builtin_prefetch(orders_ + order.newer, 1);
  }

  const obw1::Fills& fills() const { return fills_; }

  /// Calls f(side, price, id, open) for all orders of a symbol: bids, then asks, best first, oldest first.
  template <class F>
  void for_each_order(std::uint32_t symbol, F&& f) const {
    const Symbol& book = symbols_[symbol];
    const auto level = [&](unsigned side, std::uint32_t price) {
      for (std::uint32_t index = book.levels[price].oldest; index != 0; index = orders_[index].newer)
        f(side, price, orders_[index].id, orders_[index].open);
    };
    for (std::uint32_t price = book.best[0]; price != 0; price = book.bits[0].below(price)) level(0, price);
    for (std::uint32_t price = book.best[1]; price != prices; price = book.bits[1].above(price)) level(1, price);
  }

  void add(std::uint64_t id, std::uint16_t symbol, std::uint8_t side, std::uint32_t price, std::uint32_t quantity) {
    std::uint32_t index = free_;
    if (index != 0)
      free_ = orders_[index].newer;
    else
      index = fresh_++;
    Symbol& book = symbols_[symbol];
    Level& level = book.levels[price];
    Order& order = orders_[index];
    order.id = id;
    order.open = quantity;
    order.price = price;
    order.symbol = symbol;
    order.side = side;
    order.newer = 0;
    order.older = level.newest;
    const bool fresh = level.newest == 0;
    if constexpr (Traits::sentinel) {
      orders_[level.newest].newer = index;
      level.oldest = fresh ? index : level.oldest;
    } else if (fresh) {
      level.oldest = index;
    } else {
      orders_[level.newest].newer = index;
    }
    if (fresh) {
      book.bits[side].set(price);
      if constexpr (Traits::mirrored) {
        const std::uint32_t mirror = 0 - std::uint32_t{side};  // of asks the complement: the greater one is better
        book.best[side] = std::max(price ^ mirror, book.best[side] ^ mirror) ^ mirror;
      } else if (side == 0 ? price > book.best[0] : price < book.best[1]) {
        book.best[side] = price;
      }
    }
    level.newest = index;
    level.volume += quantity;
    ++level.orders;
    ids_.insert(id, index);
  }

 private:
  static constexpr std::uint32_t prices = 20'480;

  struct alignas(Traits::order_bytes) Order {
    std::uint64_t id;
    std::uint32_t open, price, older, newer;
    std::uint16_t symbol;
    std::uint8_t side, unused8;
    std::uint32_t unused;
  };
  static_assert(sizeof(Order) == Traits::order_bytes);
  struct Level {
    std::uint32_t oldest, newest, volume, orders;
  };
  struct Bits {
    std::uint64_t words[prices / 64];
    std::uint64_t groups[prices / 4096];

    void set(std::uint32_t at) {
      words[at / 64] |= std::uint64_t{1} << at % 64;
      groups[at / 4096] |= std::uint64_t{1} << at / 64 % 64;
    }
    void clear(std::uint32_t at) {
      words[at / 64] &= ~(std::uint64_t{1} << at % 64);
      if (words[at / 64] == 0) groups[at / 4096] &= ~(std::uint64_t{1} << at / 64 % 64);
    }
    // The next one below, or 0.
    std::uint32_t below(std::uint32_t at) const {
      std::uint32_t word = at / 64;
      std::uint64_t bits = words[word] & ((std::uint64_t{1} << at % 64) - 1);
      if (bits == 0) {
        std::uint32_t group = word / 64;
        std::uint64_t rest = groups[group] & ((std::uint64_t{1} << word % 64) - 1);
        while (rest == 0) {
          if (group == 0) return 0;
          rest = groups[--group];
        }
        word = group * 64 + 63 - static_cast<std::uint32_t>(std::countl_zero(rest));
        bits = words[word];
      }
      return word * 64 + 63 - static_cast<std::uint32_t>(std::countl_zero(bits));
    }
    // The next one above, or `prices`.
    std::uint32_t above(std::uint32_t at) const {
      std::uint32_t word = at / 64;
      std::uint64_t bits = words[word] & (~std::uint64_t{1} << at % 64);
      if (bits == 0) {
        std::uint32_t group = word / 64;
        std::uint64_t rest = groups[group] & (~std::uint64_t{1} << word % 64);
        while (rest == 0) {
          if (++group == prices / 4096) return prices;
          rest = groups[group];
        }
        word = group * 64 + static_cast<std::uint32_t>(std::countr_zero(rest));
        bits = words[word];
      }
      return word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
    }
  };
  struct Symbol {
    std::uint32_t best[2];  // 0 and `prices`: none
    Bits bits[2];
    Level levels[prices];
  };

  void remove(std::uint32_t index) {
    Order& order = orders_[index];
    Symbol& book = symbols_[order.symbol];
    Level& level = book.levels[order.price];
    level.volume -= order.open;
    --level.orders;
    if constexpr (Traits::sentinel) {
      const std::uint32_t older = order.older, newer = order.newer;
      orders_[older].newer = newer;
      orders_[newer].older = older;
      level.oldest = older != 0 ? level.oldest : newer;
      level.newest = newer != 0 ? level.newest : older;
    } else {
      if (order.older != 0)
        orders_[order.older].newer = order.newer;
      else
        level.oldest = order.newer;
      if (order.newer != 0)
        orders_[order.newer].older = order.older;
      else
        level.newest = order.older;
    }
    if (level.oldest == 0) drop(book, order.side, order.price);
    order.newer = free_;
    free_ = index;
  }

  void drop(Symbol& book, unsigned side, std::uint32_t price) {
    book.bits[side].clear(price);
    if (price == book.best[side]) book.best[side] = side == 0 ? book.bits[0].below(price) : book.bits[1].above(price);
  }

  void take(const obw1::Record& record) {
    Symbol& book = symbols_[record.symbol];
    const unsigned other = 1 - record.side;
    std::uint32_t left = record.quantity;
    while (left != 0) {
      const std::uint32_t price = book.best[other];
      if (record.side == 0 ? price > record.price || price == prices : price < record.price || price == 0) return;
      Level& level = book.levels[price];
      while (left != 0 && level.oldest != 0) {
        const std::uint32_t index = level.oldest;
        Order& maker = orders_[index];
        const std::uint32_t quantity = maker.open < left ? maker.open : left;
        fills_.add(record.id, maker.id, price, quantity);
        left -= quantity;
        level.volume -= quantity;
        maker.open -= quantity;
        if (maker.open != 0) continue;
        --level.orders;
        level.oldest = maker.newer;
        if (maker.newer != 0)
          orders_[maker.newer].older = 0;
        else
          level.newest = 0;
        ids_.take(maker.id);
        maker.newer = free_;
        free_ = index;
      }
      if (level.oldest == 0) drop(book, other, price);
    }
  }

  Ids ids_;
  Order* orders_;
  Symbol* symbols_;
  std::uint32_t free_ = 0;
  std::uint32_t fresh_ = 1;
  obw1::Fills fills_;
};

}  // namespace bench
