// The snapshot of a book: save() and restore(). A restored book goes on with the same events as the one that was saved.
//
//     head        who and what: see SnapshotHead; its digest covers everything behind it
//     orders      64 bytes each, see SavedOrder: queue by queue, best price first, oldest first
//     ids         of the pegs, then of the trailing stops, in order of entry: 8 bytes each
//
// Thread: the book's owner. save() walks the book and allocates the result; restore() allocates what the book needs.
// Errors: what cannot be restored is told by offset, and leaves the book empty, as it was.
// Limits: little-endian machines. A snapshot is for the same instrument, and for a book with the same rules; pools,
//   windows and tables of ids may have other sizes. Version 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <outcry/book/order_book.hpp>

namespace outcry {

namespace snapshot {

inline constexpr std::uint64_t magic = 0x31304B4F4F42434F;  // "OCBOOK01"

struct Head {
  std::uint64_t magic;
  std::uint64_t digest;      // of everything behind this word
  std::uint64_t orders;      // records
  std::uint64_t pegs;        // ids behind them
  std::uint64_t trailing;    // and behind those
  std::uint64_t instrument;  // digest of the symbol's number, its grid and limits
  std::uint64_t rules;       // digest; 0: a book without rules
  std::int64_t last;         // price of the last trade
  std::uint64_t top[2];      // ids of the orders that made the best prices, see Allocation
  std::uint32_t next_expiry_s;
  std::uint8_t phase;
  std::uint8_t has_last;
  std::uint8_t may_be_crossed;
  std::uint8_t unused;
  std::uint64_t counts[offsetof(BookCounts, rejections) / 8 + 1];
};

struct SavedOrder {
  std::uint64_t id;
  std::int64_t price;  // of its level; not looked at if it is in none
  std::uint32_t open;
  std::uint32_t account;
  std::uint32_t traits;
  std::uint32_t queue;
  OrderTerms terms;  // all zero in a book without rules
};

static_assert(sizeof(SavedOrder) == 64 && std::is_trivially_copyable_v<SavedOrder>);
static_assert(std::has_unique_object_representations_v<Head> && std::has_unique_object_representations_v<SavedOrder>);

/// Every bit of every word changes it; not a defence against whoever means harm.
inline std::uint64_t digest(std::uint64_t hash, const void* words, std::size_t bytes) noexcept {
  const auto* at = static_cast<const std::byte*>(words);
  for (std::size_t i = 0; i < bytes; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at + i, std::min<std::size_t>(8, bytes - i));
    hash = (hash ^ word) * 0x9E3779B97F4A7C15;
    hash ^= hash >> 32;
  }
  return hash;
}

inline std::uint64_t digest(const Instrument& instrument) noexcept {
  const std::int64_t words[] = {instrument.symbol.value, instrument.tick,         instrument.off_tick_allowed,
                                instrument.lot,          instrument.lowest.units, instrument.highest.units,
                                instrument.largest.lots};
  return digest(1, words, sizeof words);
}

inline std::uint64_t digest(const BookRules& rules) noexcept {
  const auto number = [](auto value) { return static_cast<std::int64_t>(value); };
  const std::int64_t words[] = {number(rules.self_trade),
                                rules.reference.units,
                                rules.static_band,
                                rules.dynamic_band,
                                rules.collar,
                                rules.volatility_auction,
                                number(rules.allocation),
                                rules.top_order_first,
                                number(rules.least_share.lots),
                                number(rules.lead_percent),
                                number(rules.groups.size()),
                                number(rules.ticks.size())};
  std::uint64_t hash = digest(1, words, sizeof words);
  hash = digest(hash, rules.lead_makers.data(), sizeof rules.lead_makers);
  hash = digest(hash, rules.groups.data(), rules.groups.size() * sizeof rules.groups[0]);
  for (const TickStep& step : rules.ticks) {
    const std::int64_t pair[] = {step.from.units, step.tick};
    hash = digest(hash, pair, sizeof pair);
  }
  return hash | 1;
}

[[noreturn]] inline void fail(std::size_t offset, const std::string& what) {
  throw std::runtime_error("book snapshot, byte " + std::to_string(offset) + ": " + what);
}

/// The head, if the bytes are whole and undamaged.
inline Head head_of(std::span<const std::byte> saved) {
  Head head{};
  if (saved.size() < sizeof head)
    fail(saved.size(), "ends within the head, which has " + std::to_string(sizeof head) + " bytes");
  std::memcpy(&head, saved.data(), sizeof head);
  if (head.magic != magic) fail(0, "is not a book snapshot of version 1");
  const std::size_t room = saved.size() - sizeof head;
  if (head.orders > room / sizeof(SavedOrder) || head.pegs > room / 8 || head.trailing > room / 8 ||
      head.orders * sizeof(SavedOrder) + (head.pegs + head.trailing) * 8 != room)
    fail(saved.size(), "ends here, but the head tells of " + std::to_string(head.orders) + " orders, " +
                           std::to_string(head.pegs) + " pegs and " + std::to_string(head.trailing) +
                           " trailing stops");
  constexpr std::size_t covered = offsetof(Head, digest) + sizeof head.digest;
  if (digest(magic, saved.data() + covered, saved.size() - covered) != head.digest)
    fail(offsetof(Head, digest), "the digest is not that of what follows: damaged");
  return head;
}

}  // namespace snapshot

template <class Ids>
std::vector<std::byte> OrderBook<Ids>::save() const {
  using namespace snapshot;
  Head head{};
  head.magic = magic;
  head.instrument = snapshot::digest(instrument_);
  head.may_be_crossed = may_be_crossed_;
  std::memcpy(head.counts, &counts_, sizeof head.counts);

  std::vector<SavedOrder> orders;
  std::vector<std::uint64_t> ids;
  const auto add = [&](OrderIndex index, Price price, Queue queue, const OrderTerms& terms) {
    const Order& order = (*pool_)[index];
    orders.push_back({.id = order.id,
                      .price = price.units,
                      .open = order.open,
                      .account = order.account,
                      .traits = order.traits & ~Order::rests_far,
                      .queue = static_cast<std::uint32_t>(queue),
                      .terms = terms});
  };
  if (rules_) {
    head.rules = snapshot::digest(rules_->rules);
    head.phase = static_cast<std::uint8_t>(rules_->phase);
    head.has_last = rules_->last.has_value();
    head.last = rules_->last.value_or(Price{}).units;
    head.next_expiry_s = rules_->next_expiry_s;
    for (std::size_t side = 0; side < 2; ++side)
      if (rules_->top[side] != 0) head.top[side] = (*pool_)[rules_->top[side]].id;
    for_each_by_rules([&](OrderIndex index) {
      const OrderTerms& terms = pool_->terms(index);
      const Order& order = (*pool_)[index];
      const bool has_level = terms.queue < Queue::at_market;
      add(index, has_level ? queue_of(terms.queue, order.side()).level_of(order).price : Price{}, terms.queue, terms);
    });
    head.pegs = rules_->pegs.size();
    head.trailing = rules_->trailing.size();
    for (const auto* list : {&rules_->pegs, &rules_->trailing})
      for (const OrderIndex index : *list) ids.push_back((*pool_)[index].id);
  } else {
    for (const PriceLadder& side : ladders_)
      for (const Level* level = side.empty() ? nullptr : &side.best(); level != nullptr;
           level = side.next_worse(side.key_of(level->price)))
        for (OrderIndex index = level->oldest; index != 0; index = (*pool_)[index].newer)
          add(index, level->price, Queue::shown, OrderTerms{});
  }
  head.orders = orders.size();

  std::vector<std::byte> saved(sizeof head + orders.size() * sizeof(SavedOrder) + ids.size() * 8);
  if (!orders.empty()) std::memcpy(saved.data() + sizeof head, orders.data(), orders.size() * sizeof(SavedOrder));
  if (!ids.empty()) std::memcpy(saved.data() + saved.size() - ids.size() * 8, ids.data(), ids.size() * 8);
  std::memcpy(saved.data(), &head, sizeof head);
  constexpr std::size_t covered = offsetof(Head, digest) + sizeof head.digest;
  head.digest = snapshot::digest(magic, saved.data() + covered, saved.size() - covered);
  std::memcpy(saved.data(), &head, sizeof head);
  return saved;
}

template <class Ids>
void OrderBook<Ids>::restore(std::span<const std::byte> saved) {
  using namespace snapshot;
  assert(empty() && counts_.events == 0 && "restore() of a book that has been used");
  const Head head = head_of(saved);
  if (head.instrument != snapshot::digest(instrument_))
    fail(offsetof(Head, instrument), "is of another symbol, or of one with another grid or other limits");
  if (head.rules != (rules_ ? snapshot::digest(rules_->rules) : 0))
    fail(offsetof(Head, rules), rules_ ? "is of a book with other rules, or none" : "is of a book with rules");
  if (head.phase > static_cast<std::uint8_t>(Phase::closed)) fail(offsetof(Head, phase), "there is no such phase");

  std::vector<OrderIndex> restored;
  try {
    restored.reserve(head.orders);
    for (std::size_t i = 0; i < head.orders; ++i) {
      SavedOrder order;
      const std::size_t offset = sizeof head + i * sizeof order;
      std::memcpy(&order, saved.data() + offset, sizeof order);
      const char* wrong = "";
      const OrderIndex index = restore_order(order, wrong);
      if (index == 0) fail(offset, "order " + std::to_string(order.id) + " " + wrong);
      restored.push_back(index);
    }
    if (rules_) {
      const std::byte* at = saved.data() + sizeof head + head.orders * sizeof(SavedOrder);
      const auto next = [&] {
        std::uint64_t id = 0;
        std::memcpy(&id, at, sizeof id);
        at += sizeof id;
        const OrderIndex index = ids_->find({id}, *pool_).order;
        if (index == 0)
          fail(static_cast<std::size_t>(at - saved.data()) - sizeof id, "there is no order " + std::to_string(id));
        return index;
      };
      for (std::uint64_t i = 0; i < head.pegs; ++i) rules_->pegs.push_back(next());
      for (std::uint64_t i = 0; i < head.trailing; ++i) rules_->trailing.push_back(next());
      for (std::size_t side = 0; side < 2; ++side)
        rules_->top[side] = head.top[side] != 0 ? ids_->find({head.top[side]}, *pool_).order : 0;
      rules_->phase = static_cast<Phase>(head.phase);
      if (head.has_last) rules_->last = Price{head.last};
      rules_->next_expiry_s = head.next_expiry_s;
    }
    may_be_crossed_ = head.may_be_crossed != 0;
    if (const std::string wrong = check(); !wrong.empty()) fail(sizeof head, "makes no sound book: " + wrong);
  } catch (...) {
    for (const OrderIndex index : restored) {
      if (rules_)
        take_out(index);
      else
        side_of((*pool_)[index].side()).remove(index, *pool_);
      forget(index);
    }
    if (rules_) {
      rules_->pegs.clear();
      rules_->trailing.clear();
      rules_->top = {};
      rules_->last.reset();
      rules_->phase = Phase::continuous;
      rules_->next_expiry_s = ~std::uint32_t{0};
    }
    may_be_crossed_ = false;
    throw;
  }
  std::memcpy(static_cast<void*>(&counts_), head.counts, sizeof head.counts);
}

// Puts an order back into its queue; 0 if it cannot be, and then `wrong` says why.
template <class Ids>
OrderIndex OrderBook<Ids>::restore_order(const snapshot::SavedOrder& saved, const char*& wrong) {
  const auto refuse = [&](const char* why) {
    wrong = why;
    return OrderIndex{0};
  };
  const OrderId id{saved.id};
  const auto queue = static_cast<Queue>(saved.queue);
  if (saved.queue > static_cast<std::uint32_t>(rules_ ? Queue::parked : Queue::shown)) return refuse("is in no queue");
  if (saved.id == 0 || saved.open == 0 || saved.open > instrument_.largest.lots)
    return refuse("has no id or no good quantity");
  if (saved.traits >> Order::symbol_shift != symbol_) return refuse("is of another symbol");
  if (!ids_->has_room(id)) return refuse("finds no room in the table of ids");
  if (ids_->find(id, *pool_).order != 0) return refuse("is there already");
  if (!pool_->has_room()) return refuse("finds no room in the pool");
  const Side side = static_cast<Side>(saved.traits & Order::sells);
  const bool has_level = queue < Queue::at_market;
  PriceLadder* ladder_of_queue = !has_level ? nullptr : rules_ ? &queue_of(queue, side) : &side_of(side);
  if (has_level) {
    const Key key = ladder_of_queue->key_of(Price{saved.price});
    if (!ladder_of_queue->in_range(key)) return refuse("has a price out of range");
    if (!ladder_of_queue->prepare(key, *pool_)) return refuse("finds no memory for its level");
  }

  const OrderIndex index = pool_->take();
  Order& order = (*pool_)[index];
  order.id = saved.id;
  order.open = saved.open;
  order.account = saved.account;
  order.traits = saved.traits;
  if (rules_) {
    pool_->terms(index) = saved.terms;
    pool_->terms(index).queue = queue;
  }
  ids_->insert(id, index, ids_->find(id, *pool_).position);
  if (has_level)
    ladder_of_queue->rest(ladder_of_queue->key_of(Price{saved.price}), index, *pool_);
  else if (queue == Queue::at_market)
    rules_->at_market[side == Side::sell].push_back(*pool_, index, saved.open);
  return index;
}

}  // namespace outcry
