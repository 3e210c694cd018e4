// OrderBook: the orders of one instrument, matched by price, then time.
//
// Thread: one owner. Starts no thread, reads no clock; throws nothing but what a consumer throws, once it is
// constructed;
//   allocates only when a window of levels, the far levels or the id table outgrow what they ever were.
// Invariant: every check comes before the first change; after it nothing can fail. check() verifies the rest.
// Limits: symbols below 2^24; the pool's limit of orders; see PriceLadder for prices and HashedIds, DenseIds for ids.
//   What a venue asks beyond price and time is in BookRules; how it is done, in order_book_rules.hpp.
//
// Refusals, in the order in which they are looked for:
//   every command       unknown_symbol
//   a named order       unknown_order (also one of another account, or of another book that shares the table of ids)
//   a new order         invalid_combination (terms that do not go together, no such enumerator, id zero)
//   a size              zero_quantity, quantity_too_large, off_lot; of a reduction quantity_exceeds_open before off_lot
//   a price             price_out_of_range, off_tick
//   a new id            invalid_combination if zero (replace), duplicate_id
//   post-only           would_trade
//   room                pool_exhausted
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <outcry/book/book_rules.hpp>
#include <outcry/book/dense_ids.hpp>
#include <outcry/book/event_consumer.hpp>
#include <outcry/book/exact_divisor.hpp>
#include <outcry/book/hashed_ids.hpp>
#include <outcry/book/order_pool.hpp>
#include <outcry/book/order_view.hpp>
#include <outcry/book/price_ladder.hpp>
#include <outcry/book/rule_state.hpp>
#include <outcry/book/shared_book.hpp>
#include <outcry/messages/commands.hpp>
#include <outcry/messages/events.hpp>
#include <outcry/messages/instrument.hpp>
#include <outcry/messages/market_data.hpp>

namespace outcry {

namespace snapshot {
struct SavedOrder;
}

/// A trade that a recorded market reports of one of its orders, wherever that stands in its queue.
struct Execution {
  OrderId id{};
  Quantity quantity{};
  std::optional<Price> price{};  // none: the order's own
  std::int64_t arrival_ns{};
};

/// What a book was asked, and what came of it. Commands are counted when they are carried out.
struct alignas(64) BookCounts {
  std::uint64_t events = 0;
  std::uint64_t new_orders = 0;
  std::uint64_t cancels = 0;
  std::uint64_t reductions = 0;
  std::uint64_t modifications = 0;
  std::uint64_t replacements = 0;
  std::uint64_t trades = 0;
  Volume traded = 0;
  std::uint64_t executions = 0;
  std::uint64_t ends_of_day = 0;
  std::uint64_t rejections = 0;
};

/// How large a book is made. All of it grows when needed, except to more than `window.most` levels.
struct BookSize {
  PriceLadder::Window window{};
  std::size_t orders = 256;  // for which the book's own table of ids has room at once
};

/// Where a command will go, as far as it says: what prefetching needs of it.
struct Hint {
  OrderId id{};
  OrderId new_id{};  // of a replacement
  Price price{};
  Side side{};
  bool is_new = false;

  static Hint of(const NewOrder& c) noexcept { return {.id = c.id, .price = c.price, .side = c.side, .is_new = true}; }
  static Hint of(const CancelOrder& c) noexcept { return {.id = c.id}; }
  static Hint of(const ReduceOrder& c) noexcept { return {.id = c.id}; }
  static Hint of(const ModifyOrder& c) noexcept { return {.id = c.id, .price = c.price}; }
  static Hint of(const ReplaceOrder& c) noexcept { return {.id = c.id, .new_id = c.new_id, .price = c.price}; }
};

template <class Ids = HashedIds>
class alignas(64) OrderBook {
 public:
  /// A book with a table of ids of its own. Throws std::invalid_argument if the instrument makes no sense.
  OrderBook(const Instrument& instrument, OrderPool& pool, BookSize size = {},
            std::pmr::memory_resource* memory = std::pmr::get_default_resource());
  /// A book that shares `ids` with others, and with it the space of ids.
  OrderBook(const Instrument& instrument, OrderPool& pool, Ids& ids, BookSize size = {},
            std::pmr::memory_resource* memory = std::pmr::get_default_resource());
  ~OrderBook();
  OrderBook(const OrderBook&) = delete;
  OrderBook& operator=(const OrderBook&) = delete;

  /// From here on the book goes by these rules, and takes special orders; history (rest, execute) is refused.
  /// Requires: the book is empty. Throws std::invalid_argument if the rules make no sense, std::bad_alloc.
  void set_rules(const BookRules& rules);

  /// Accepted comes first, with the full quantity; then the trades; then Cancelled with what may not rest.
  template <EventConsumer Consumer>
  void submit(const NewOrder& command, Consumer&& consumer);
  template <EventConsumer Consumer>
  void cancel(const CancelOrder& command, Consumer&& consumer);
  /// By all that is open: Cancelled instead of Reduced.
  template <EventConsumer Consumer>
  void reduce(const ReduceOrder& command, Consumer&& consumer);
  /// The trades come before Modified.
  template <EventConsumer Consumer>
  void modify(const ModifyOrder& command, Consumer&& consumer);
  /// Replaced comes before the trades.
  template <EventConsumer Consumer>
  void replace(const ReplaceOrder& command, Consumer&& consumer);
  /// A new order with terms of its own in the place of an old one of the same side and account; refused, the old one is
  /// as it was. Replaced comes first, with rules AcceptedTerms; then as submit(). Without rules only the terms of a
  /// NewOrder are taken (else unsupported).
  template <EventConsumer Consumer>
  void replace(const ReplaceTerms& command, Consumer&& consumer);
  template <EventConsumer Consumer>
  void end_of_day(const EndOfDay& command, Consumer&& consumer);
  template <EventConsumer Consumer>
  void mass_cancel(const MassCancel& command, Consumer&& consumer);

  // Books with rules only; else refused with unsupported.

  /// Accepted comes first, then AcceptedTerms; then as submit().
  template <EventConsumer Consumer>
  void submit(const SpecialOrder& command, Consumer&& consumer);
  template <EventConsumer Consumer>
  void expire(const ExpireOrders& command, Consumer&& consumer);
  template <EventConsumer Consumer>
  void change_phase(const ChangePhase& command, Consumer&& consumer);

  /// Recorded history: the order rests without looking at the other side; from then on the book may be crossed.
  /// Requires nothing else than submit(), but the order must be one that rests (else invalid_combination).
  template <EventConsumer Consumer>
  void rest(const NewOrder& command, Consumer&& consumer);
  /// Recorded history: a trade of the named order, whoever owns it. Traded has no taker.
  template <EventConsumer Consumer>
  void execute(const Execution& execution, Consumer&& consumer);
  /// Every order leaves with Cancelled, in the order of end_of_day.
  template <EventConsumer Consumer>
  void clear(Reason reason, Consumer&& consumer);

  /// All of the book as bytes, for restore(); see order_book_snapshot.hpp, which whoever calls it includes. Allocates.
  std::vector<std::byte> save() const;
  /// Puts back what save() saw: from here on both books answer the same commands with the same events.
  /// Requires: a book without commands so far, with the same rules. Throws std::runtime_error that says at which byte what
  /// is wrong, and std::bad_alloc; then the book is as it was.
  void restore(std::span<const std::byte> saved);

  std::optional<Price> best_bid() const noexcept { return best(Side::buy); }
  std::optional<Price> best_ask() const noexcept { return best(Side::sell); }
  std::optional<Price> best(Side side) const noexcept;
  /// The best bid and offer; sequence and arrival_ns are left to whoever publishes it.
  Quote quote() const noexcept;
  /// The best levels of a side, best first; returns how many there were room for.
  std::size_t depth(Side side, std::span<DepthLevel> out) const noexcept;
  std::size_t level_count(Side side) const noexcept { return ladder(side).level_count(); }
  std::size_t order_count(Side side) const noexcept { return ladder(side).order_count(); }
  std::size_t order_count() const noexcept { return order_count(Side::buy) + order_count(Side::sell); }
  bool empty() const noexcept { return order_count() == 0; }
  /// What is open on a side; walks its levels.
  Volume volume(Side side) const noexcept;
  /// What is open at a price; 0 if nothing is.
  Volume volume_at(Side side, Price price) const noexcept;

  /// At which price the book would uncross now, and what would trade; none if nothing would, or without rules. The price
  /// at which most trades; then with the least imbalance; then nearest to the last trade, or the rules' reference; then
  /// the lowest; never beyond the prices of the orders, if any has one. None also if there is no memory.
  std::optional<Uncrossed> indicative() const noexcept;

  const BookCounts& counts() const noexcept { return counts_; }
  /// How many events the book has given: the number of the last one, counted from 1.
  std::uint64_t sequence() const noexcept { return counts_.events; }
  const Instrument& instrument() const noexcept { return instrument_; }
  const PriceLadder& ladder(Side side) const noexcept { return ladders_[side == Side::sell]; }
  /// Where BookReaders on other threads find the book, from the first call on; the book never waits for them. They see what
  /// is displayed, of a book with rules its shown queues. On the owner's thread. Throws std::bad_alloc.
  /// Requires: memory resources of the book and of the pool to which any thread may give back, and which outlive what
  /// readers hold (see reclaim_retired()).
  std::shared_ptr<const SharedBook> share();
  bool has_rules() const noexcept { return rules_ != nullptr; }
  Phase phase() const noexcept { return rules_ ? rules_->phase : Phase::continuous; }
  /// The price of the last trade, if the book has rules.
  std::optional<Price> last_trade() const noexcept { return rules_ ? rules_->last : std::nullopt; }

  std::optional<OrderView> find(OrderId id) const noexcept;
  /// The same, of an order that rests where everyone sees it (but for its reserve).
  std::optional<OrderView> find_displayed(OrderId id) const noexcept;
  /// Whether both orders rest at one level and `a` came first. Walks the level between them, or to its end.
  bool is_ahead_of(OrderId a, OrderId b) const noexcept;
  /// What would trade before this order at its level. Walks the older orders; 0 if there is no such order.
  Volume quantity_ahead(OrderId id) const noexcept;

  /// Calls f(const OrderView&) for the orders at a price, oldest first.
  template <std::invocable<const OrderView&> F>
  void for_each_order(Side side, Price price, F&& f) const;
  /// Calls f(const DepthLevel&) for every level of a side, best first.
  template <std::invocable<const DepthLevel&> F>
  void for_each_level(Side side, F&& f) const;

  /// The book as text: a line for each level, highest price first, orders oldest first as id:quantity.
  std::string to_string() const;
  /// The first violation of an invariant, or an empty string. Looks at everything: for tests.
  std::string check() const;

  // Prefetching for whoever holds a batch of commands: call the stages for commands further and further ahead of the
  // one that is carried out next, the book first, the neighbours last; each stage needs what the one before has
  // fetched. They change nothing, need not be called, and take no branch on what kind of command it is. (Inlined by
  // force: GCC takes a function that only prefetches for one without effect and drops the call.)
  [[gnu::always_inline]] void prefetch_book() const noexcept;
  [[gnu::always_inline]] void prefetch_id(const Hint& hint) const noexcept;
  [[gnu::always_inline]] void prefetch_order(const Hint& hint) const noexcept;
  [[gnu::always_inline]] void prefetch_neighbours(const Hint& hint) const noexcept;

 private:
  OrderBook(const Instrument& instrument, OrderPool& pool, Ids* ids, BookSize size, std::pmr::memory_resource* memory);

  using Key = PriceLadder::Key;
  using Found = typename Ids::Found;

  PriceLadder& side_of(Side side) noexcept { return ladders_[side == Side::sell]; }

  // With asserts, a small book looks at all of itself at the end of each command, so that any program finds a broken one.
  struct SoundAtTheEnd {
    const OrderBook& book;
#ifndef NDEBUG
    int exceptions = std::uncaught_exceptions();
    ~SoundAtTheEnd() {
      assert((std::uncaught_exceptions() != exceptions || book.is_sound_or_large()) && "a broken book");
    }
#endif
  };
  bool is_sound_or_large() const;

  template <class Consumer, class Event>
  void tell(Consumer& consumer, const Event& event) {
    ++counts_.events;
    consumer.on(event);
  }

  /// The named order, if it is this book's and the account's.
  [[gnu::always_inline]] Found locate(OrderId id, AccountId account) const noexcept {
    Found found = ids_->find(id, *pool_);
    if (found.order != 0) [[likely]] {
      const Order& order = (*pool_)[found.order];
      if (((order.account ^ account.value) | (order.symbol() ^ symbol_)) != 0) [[unlikely]]
        found.order = 0;
    }
    return found;
  }

  bool is_good(Quantity quantity) const noexcept { return lot_divisor_.quotient(quantity.lots) - 1 < most_lots_; }
  Reason refusal_of(Quantity quantity) const noexcept;
  Reason refusal_of(Key key, PriceLadder& ladder, bool rests) noexcept;
  Reason refusal_of(NewOrder command) noexcept;

  // No such side, type, time in force or post-only, or post-only with what cannot rest. The four are read one by one and
  // never put together to one word: a processor that has just stored four bytes makes a load of all of them wait until
  // they are in the cache.
  static bool has_good_terms(const NewOrder& command) noexcept {
    const auto side = static_cast<unsigned>(command.side), type = static_cast<unsigned>(command.type),
               time = static_cast<unsigned>(command.time_in_force), post = static_cast<unsigned>(command.post_only);
    return (((side | type | post) & ~1u) | (time & ~3u) | (post & (type | time >> 1))) == 0;
  }

  template <class Consumer, class Command>
  [[gnu::cold, gnu::noinline]] void reject(Command command, CommandKind kind, Reason reason, Consumer& consumer);
  template <class Consumer>
  [[gnu::always_inline]] void cancel_order(Found found, Reason reason, std::int64_t arrival_ns, Consumer& consumer);
  template <class Consumer>
  std::uint32_t match(PriceLadder& makers, Key bound, OrderId taker, AccountId account, Side side, std::uint32_t left,
                      Consumer& consumer);
  template <class Consumer>
  void trade_and_rest(NewOrder command, Side side, Key bound, Consumer& consumer);
  template <class Consumer>
  void tell_accepted(const NewOrder& command, Consumer& consumer);
  template <class Consumer>
  void tell_replaced(OrderId old, const SpecialOrder& order, Consumer& consumer);
  [[gnu::always_inline]] void add(const NewOrder& command, Side side, Key key, std::uint64_t slot, std::uint32_t open,
                                  std::uint32_t position) noexcept;
  bool has_at_least(std::uint32_t quantity, const PriceLadder& makers, Key bound) const noexcept;
  OrderView view_of(const Order& order) const noexcept;
  template <class Consumer, class Wanted>
  void end_orders(Reason reason, std::int64_t arrival_ns, Wanted&& wanted, Consumer& consumer);

  // Of a book with rules; see order_book_rules.hpp. None of it is reached without.

  // An order that is at work: new, changed, triggered, or moved.
  struct Working {
    OrderId id;
    AccountId account;
    Side side;
    std::uint32_t left;
    std::int64_t arrival_ns;
    Reason ended = Reason::none;  // why what is left must not rest
    bool may_rest = true;
  };

  template <class Consumer, class Event>
  void tell_more(Consumer& consumer, const Event& event) {
    ++counts_.events;
    if constexpr (requires { consumer.on(event); }) consumer.on(event);
  }

  template <class Consumer>
  [[gnu::cold, gnu::noinline]] void submit_by_rules(const NewOrder& command, Consumer& consumer);
  template <class Consumer>
  [[gnu::cold, gnu::noinline]] void cancel_by_rules(const CancelOrder& command, Consumer& consumer);
  template <class Consumer>
  [[gnu::cold, gnu::noinline]] void reduce_by_rules(const ReduceOrder& command, Consumer& consumer);
  template <class Consumer>
  [[gnu::cold, gnu::noinline]] void modify_by_rules(const ModifyOrder& command, Consumer& consumer);
  template <class Consumer>
  [[gnu::cold, gnu::noinline]] void replace_by_rules(const ReplaceOrder& command, Consumer& consumer);
  template <class Consumer>
  [[gnu::cold, gnu::noinline]] void replace_by_rules(OrderIndex old, const SpecialOrder& order, Consumer& consumer);
  template <class Consumer>
  void enter(const SpecialOrder& order, bool is_special, Consumer& consumer);
  template <class Consumer>
  void tell_terms(const SpecialOrder& order, Consumer& consumer);
  template <class Consumer>
  void go_to_work(const SpecialOrder& order, Consumer& consumer);
  bool may_rest(const SpecialOrder& order) const noexcept;
  bool posts_in_vain(const SpecialOrder& order) const noexcept;
  Reason refusal_of_replacement(const SpecialOrder& order) noexcept;
  Reason refusal_by_rules(const SpecialOrder& order) const noexcept;
  Reason refusal_by_rules(Price price) const noexcept;
  Reason refusal_of_change(OrderIndex index, Price price, Quantity quantity) const noexcept;
  bool is_shut() const noexcept { return rules_->phase == Phase::halted || rules_->phase == Phase::closed; }
  bool prepare_by_rules(const SpecialOrder& order) noexcept;
  bool meets_anyone(Side side, Key bound, std::uint32_t quantity) const noexcept;
  Key with_band(Side side, Key bound) const noexcept;
  bool can_trade(const Working& working, Key bound, std::uint32_t wanted) const noexcept;
  template <class Consumer>
  void trade(Working& working, Key bound, Consumer& consumer);
  template <class Consumer>
  void trade_on_the_way_in(Working& working, Queue queue, Key bound, Consumer& consumer);
  void end_at_market(Working& working) const noexcept;
  bool shares_out() const noexcept { return rules_->rules.allocation != Allocation::price_time; }
  OrderIndex own_at(const Level& level, AccountId account) const noexcept;
  template <class Consumer>
  void share_out(Working& working, Consumer& consumer);
  template <class Consumer>
  void fill(Working& working, PriceLadder& makers, OrderIndex index, std::uint32_t quantity, Consumer& consumer);
  template <class Consumer>
  void prevent_self_trade(Working& working, PriceLadder& makers, OrderIndex index, Consumer& consumer);
  template <class Consumer>
  void use_up(OrderIndex index, Price price, Consumer& consumer);
  template <class Consumer>
  void tell_smaller(const Working& order, Price price, std::uint32_t by, std::uint32_t reserve, Consumer& consumer);
  template <class Consumer>
  void tell_cancelled(const Working& working, Price price, Reason reason, Consumer& consumer);
  OrderIndex make_record(const SpecialOrder& order) noexcept;
  PriceLadder& queue_of(Queue queue, Side side) noexcept;
  const PriceLadder& queue_of(Queue queue, Side side) const noexcept;
  OrderIndex index_of(const Order& order) const noexcept { return static_cast<OrderIndex>(&order - &(*pool_)[0]); }
  void take_off(OrderIndex index, std::uint32_t quantity) noexcept;
  void shrink(OrderIndex index, std::uint32_t by) noexcept;
  bool put(OrderIndex index, Queue queue, Price price, std::uint32_t open) noexcept;
  void take_out(OrderIndex index) noexcept;
  void leave_lists(OrderIndex index) noexcept;
  void forget(OrderIndex index) noexcept;
  static bool shows_enough(Quantity of, std::uint32_t part) noexcept { return of.lots / 1000 <= part; }
  static Queue resting_queue(Terms terms) noexcept;
  Key market_bound(Side side) const noexcept;
  Key best_maker(Side side) const noexcept;
  template <class Consumer>
  void finish(OrderIndex index, Working& working, Queue queue, Price price, Consumer& consumer);
  template <class Consumer>
  void end_by_rules(OrderIndex index, Reason reason, std::int64_t arrival_ns, Consumer& consumer);
  template <class Consumer, class Wanted>
  void end_all_by_rules(Reason reason, std::int64_t arrival_ns, Wanted&& wanted, Consumer& consumer);
  template <class F>
  void for_each_by_rules(F&& f) const;
  std::optional<Price> peg_price(OrderIndex index) const noexcept;
  void trail() noexcept;
  template <class Consumer>
  void settle(Consumer& consumer);
  template <class Consumer>
  bool trigger_one(Consumer& consumer);
  template <class Consumer>
  bool move_one_peg(Consumer& consumer);
  template <class Consumer>
  bool fill_one_all_or_none(Consumer& consumer);
  bool has_room_for_auction() const noexcept;
  OrderIndex first_in_auction(Side side) const noexcept;
  template <class Consumer>
  void uncross(const Uncrossed& found, std::int64_t arrival_ns, Consumer& consumer);
  template <class Consumer>
  void end_auction(bool trades, std::int64_t arrival_ns, Consumer& consumer);
  Price price_by_rules(OrderIndex index) const noexcept;
  std::string text_by_rules() const;
  OrderIndex restore_order(const snapshot::SavedOrder& saved, const char*& wrong);
  std::string check_by_rules() const;

  std::array<PriceLadder, 2> ladders_;
  Ids* ids_;
  OrderPool* pool_;
  std::uint32_t symbol_;
  bool may_be_crossed_ = false;
  // The symbol; with rules a number that no symbol has. So the comparison that every command makes anyway sends it to
  // the rules, and a book without rules pays nothing for them.
  std::uint64_t plain_symbol_;
  ExactDivisor lot_divisor_;
  std::uint64_t most_lots_;
  BookCounts counts_;
  std::optional<Ids> own_ids_;
  Instrument instrument_;
  PriceLadder::Window window_;
  std::pmr::memory_resource* memory_;
  std::unique_ptr<RuleState> rules_;
  std::shared_ptr<SharedBook> shared_;
};

// ---- commands ----------------------------------------------------------------------------------------------------
//
// `inline`, although templates need it not: compilers take it for advice, and a loop over commands gets them within
// itself.

template <class Ids>
template <EventConsumer Consumer>
inline void OrderBook<Ids>::submit(const NewOrder& command, Consumer&& consumer) {
  [[maybe_unused]] const SoundAtTheEnd sound{*this};
  const Side side = static_cast<Side>(static_cast<std::uint8_t>(command.side) & 1);
  PriceLadder& own = side_of(side);
  const PriceLadder& other = ladder(opposite(side));
  const Key key = PriceLadder::key_of(side, command.price);
  std::uint64_t slot = own.slot_of(key);

  const bool good = command.symbol.value == plain_symbol_ && command.id.value != 0 && is_good(command.quantity) &&
                    own.holds_slot(slot) && has_good_terms(command);
  if (!good) [[unlikely]] {
    if (rules_) return submit_by_rules(command, consumer);
    if (const Reason reason = refusal_of(command); reason != Reason::none)
      return reject(command, CommandKind::new_order, reason, consumer);
    slot = own.slot_of(key);  // the window may have moved
  }

  const bool room = ids_->has_room(command.id);
  const Found found = ids_->find(command.id, *pool_);
  if (found.order != 0) [[unlikely]]
    return reject(command, CommandKind::new_order, Reason::duplicate_id, consumer);

  const bool is_market = command.type == OrderType::market;
  const Key bound = is_market ? PriceLadder::no_key + 1 : -key;
  const bool rests = !is_market && command.time_in_force <= TimeInForce::day;
  const bool trades = other.best_key() >= bound;
  if (rests && !trades) [[likely]] {
    if (!room || !pool_->has_room()) [[unlikely]]
      return reject(command, CommandKind::new_order, Reason::pool_exhausted, consumer);
    tell_accepted(command, consumer);
    add(command, side, key, slot, command.quantity.lots, found.position);
    return;
  }
  if (trades && command.post_only == PostOnly::yes)
    return reject(command, CommandKind::new_order, Reason::would_trade, consumer);
  // Of an order that trades something only rests if at least one maker left, whose record and place it can have.
  if (rests && !room) return reject(command, CommandKind::new_order, Reason::pool_exhausted, consumer);
  tell_accepted(command, consumer);
  trade_and_rest(command, side, bound, consumer);
}

// An order that was told of: what it trades, and what becomes of the rest.
template <class Ids>
template <class Consumer>
void OrderBook<Ids>::trade_and_rest(NewOrder command, Side side, Key bound, Consumer& consumer) {
  PriceLadder& makers = side_of(opposite(side));
  std::uint32_t left = command.quantity.lots;
  if (command.time_in_force != TimeInForce::fill_or_kill || has_at_least(left, makers, bound))
    left = match(makers, bound, command.id, command.account, side, left, consumer);
  if (left == 0) return;
  const bool is_market = command.type == OrderType::market;
  if (!is_market && command.time_in_force <= TimeInForce::day) {
    const Key key = PriceLadder::key_of(side, command.price);
    return add(command, side, key, ladder(side).slot_of(key), left, ids_->find(command.id, *pool_).position);
  }
  const Reason reason = command.time_in_force == TimeInForce::fill_or_kill ? Reason::fill_or_kill
                        : is_market                                        ? Reason::no_liquidity
                                                                           : Reason::immediate_or_cancel;
  tell(consumer, Cancelled{.id = command.id,
                           .price = command.price,
                           .quantity = {left},
                           .account = command.account,
                           .symbol = command.symbol,
                           .side = side,
                           .reason = reason,
                           .arrival_ns = command.arrival_ns});
}

template <class Ids>
template <EventConsumer Consumer>
inline void OrderBook<Ids>::cancel(const CancelOrder& command, Consumer&& consumer) {
  [[maybe_unused]] const SoundAtTheEnd sound{*this};
  if (command.symbol.value != plain_symbol_) [[unlikely]] {
    if (rules_) return cancel_by_rules(command, consumer);
    return reject(command, CommandKind::cancel, Reason::unknown_symbol, consumer);
  }
  const Found found = locate(command.id, command.account);
  if (found.order == 0) [[unlikely]]
    return reject(command, CommandKind::cancel, Reason::unknown_order, consumer);

  ++counts_.cancels;
  cancel_order(found, Reason::requested, command.arrival_ns, consumer);
}

template <class Ids>
template <EventConsumer Consumer>
inline void OrderBook<Ids>::reduce(const ReduceOrder& command, Consumer&& consumer) {
  [[maybe_unused]] const SoundAtTheEnd sound{*this};
  if (command.symbol.value != plain_symbol_) [[unlikely]] {
    if (rules_) return reduce_by_rules(command, consumer);
    return reject(command, CommandKind::reduce, Reason::unknown_symbol, consumer);
  }
  const Found found = locate(command.id, command.account);
  if (found.order == 0) [[unlikely]]
    return reject(command, CommandKind::reduce, Reason::unknown_order, consumer);
  Order& order = (*pool_)[found.order];
  if (!is_good(command.by) || command.by.lots > order.open) [[unlikely]] {
    Reason reason = refusal_of(command.by);
    if (command.by.lots > order.open) reason = Reason::quantity_exceeds_open;
    if (reason != Reason::none) return reject(command, CommandKind::reduce, reason, consumer);
  }

  ++counts_.reductions;
  if (command.by.lots == order.open) return cancel_order(found, Reason::requested, command.arrival_ns, consumer);
  PriceLadder& own = side_of(order.side());
  Level& level = own.level_of(order);
  own.reduce(level, found.order, command.by.lots, *pool_);
  tell(consumer, Reduced{.id = command.id,
                         .price = level.price,
                         .by = command.by,
                         .open = {order.open},
                         .account = command.account,
                         .symbol = command.symbol,
                         .side = order.side(),
                         .arrival_ns = command.arrival_ns});
}

template <class Ids>
template <EventConsumer Consumer>
inline void OrderBook<Ids>::modify(const ModifyOrder& command, Consumer&& consumer) {
  [[maybe_unused]] const SoundAtTheEnd sound{*this};
  if (command.symbol.value != plain_symbol_) [[unlikely]] {
    if (rules_) return modify_by_rules(command, consumer);
    return reject(command, CommandKind::modify, Reason::unknown_symbol, consumer);
  }
  const Found found = locate(command.id, command.account);
  if (found.order == 0) [[unlikely]]
    return reject(command, CommandKind::modify, Reason::unknown_order, consumer);
  Order& order = (*pool_)[found.order];
  const Side side = order.side();
  PriceLadder& own = side_of(side);
  PriceLadder& other = side_of(opposite(side));
  const Key key = PriceLadder::key_of(side, command.price);
  if (!is_good(command.quantity)) [[unlikely]]
    return reject(command, CommandKind::modify, refusal_of(command.quantity), consumer);
  if (!own.holds(key)) [[unlikely]]
    if (const Reason reason = refusal_of(key, own, true); reason != Reason::none)
      return reject(command, CommandKind::modify, reason, consumer);
  const bool trades = other.best_key() >= -key;
  Level& level = own.level_of(order);
  const bool keeps_place = level.price == command.price && command.quantity.lots < order.open;
  if (trades && !keeps_place && order.is_post_only()) [[unlikely]]
    return reject(command, CommandKind::modify, Reason::would_trade, consumer);

  ++counts_.modifications;
  std::uint32_t left = command.quantity.lots;
  if (keeps_place) {
    own.reduce(level, found.order, order.open - command.quantity.lots, *pool_);
  } else {
    own.remove(found.order, *pool_);
    if (trades) left = match(other, -key, command.id, command.account, side, left, consumer);
    if (left != 0) {
      own.rest(own.slot_of(key), key, found.order, left, order.traits, *pool_);
    } else {
      ids_->erase(ids_->find(command.id, *pool_).position);
      pool_->give_back(found.order);
    }
  }
  tell(consumer, Modified{.id = command.id,
                          .price = command.price,
                          .quantity = command.quantity,
                          .account = command.account,
                          .symbol = command.symbol,
                          .side = side,
                          .kept_place = keeps_place,
                          .open = Quantity{left},
                          .arrival_ns = command.arrival_ns});
}

template <class Ids>
template <EventConsumer Consumer>
inline void OrderBook<Ids>::replace(const ReplaceOrder& command, Consumer&& consumer) {
  [[maybe_unused]] const SoundAtTheEnd sound{*this};
  if (command.symbol.value != plain_symbol_) [[unlikely]] {
    if (rules_) return replace_by_rules(command, consumer);
    return reject(command, CommandKind::replace, Reason::unknown_symbol, consumer);
  }
  const Found found = locate(command.id, command.account);
  if (found.order == 0) [[unlikely]]
    return reject(command, CommandKind::replace, Reason::unknown_order, consumer);
  Order& order = (*pool_)[found.order];
  const std::uint32_t traits = order.traits;
  const Side side = Order::side_in(traits);
  PriceLadder& own = side_of(side);
  PriceLadder& other = side_of(opposite(side));
  const Key key = PriceLadder::key_of(side, command.price);
  std::uint64_t slot = own.slot_of(key);
  if (!is_good(command.quantity)) [[unlikely]]
    return reject(command, CommandKind::replace, refusal_of(command.quantity), consumer);
  if (!own.holds_slot(slot)) [[unlikely]] {
    if (const Reason reason = refusal_of(key, own, true); reason != Reason::none)
      return reject(command, CommandKind::replace, reason, consumer);
    slot = own.slot_of(key);
  }
  if (command.new_id.value == 0) [[unlikely]]
    return reject(command, CommandKind::replace, Reason::invalid_combination, consumer);
  if (ids_->find(command.new_id, *pool_).order != 0) [[unlikely]]
    return reject(command, CommandKind::replace, Reason::duplicate_id, consumer);
  const bool trades = other.best_key() >= -key;
  if (trades && order.is_post_only()) [[unlikely]]
    return reject(command, CommandKind::replace, Reason::would_trade, consumer);
  if (!ids_->has_room_instead(command.new_id)) [[unlikely]]
    return reject(command, CommandKind::replace, Reason::pool_exhausted, consumer);

  ++counts_.replacements;
  own.remove(found.order, *pool_);
  ids_->erase(found.position);
  tell(consumer, Replaced{.id = command.id,
                          .new_id = command.new_id,
                          .price = command.price,
                          .quantity = command.quantity,
                          .account = command.account,
                          .symbol = command.symbol,
                          .side = side,
                          .arrival_ns = command.arrival_ns});
  std::uint32_t left = command.quantity.lots;
  if (trades) left = match(other, -key, command.new_id, command.account, side, left, consumer);
  if (left == 0) return pool_->give_back(found.order);
  order.id = command.new_id.value;
  ids_->insert(command.new_id, found.order, ids_->find(command.new_id, *pool_).position);
  own.rest(slot, key, found.order, left, traits, *pool_);
}

template <class Ids>
template <EventConsumer Consumer>
void OrderBook<Ids>::replace(const ReplaceTerms& replacement, Consumer&& consumer) {
  [[maybe_unused]] const SoundAtTheEnd sound{*this};
  const OrderId old = replacement.id;
  const SpecialOrder& order = replacement.order;
  const auto refuse = [&](Reason reason) {
    const ReplaceOrder command{.id = old,
                               .new_id = order.id,
                               .account = order.account,
                               .symbol = order.symbol,
                               .arrival_ns = order.arrival_ns};
    reject(command, CommandKind::replace, reason, consumer);
  };
  if (order.symbol.value != symbol_) return refuse(Reason::unknown_symbol);
  const Found found = locate(old, order.account);
  if (found.order == 0) return refuse(Reason::unknown_order);
  const Side side = (*pool_)[found.order].side();
  if (order.side != side) return refuse(Reason::invalid_combination);
  if (rules_) {
    const Reason reason = refusal_of_replacement(order);
    return reason != Reason::none ? refuse(reason) : replace_by_rules(found.order, order, consumer);
  }
  if (order.type > SpecialType::market || order.time_in_force > TimeInForce::fill_or_kill ||
      (order.terms != Terms::none && order.terms != Terms::post_only))
    return refuse(Reason::unsupported);
  const bool is_market = order.type == SpecialType::market;
  const bool posts_only = order.terms == Terms::post_only;
  const NewOrder command{.id = order.id,
                         .price = order.price,
                         .quantity = order.quantity,
                         .account = order.account,
                         .symbol = order.symbol,
                         .side = side,
                         .type = is_market ? OrderType::market : OrderType::limit,
                         .time_in_force = order.time_in_force,
                         .post_only = posts_only ? PostOnly::yes : PostOnly::no,
                         .arrival_ns = order.arrival_ns};
  if (const Reason reason = refusal_of(command); reason != Reason::none) return refuse(reason);
  if (ids_->find(order.id, *pool_).order != 0) return refuse(Reason::duplicate_id);
  const Key bound = is_market ? PriceLadder::no_key + 1 : -PriceLadder::key_of(side, order.price);
  if (posts_only && ladder(opposite(side)).best_key() >= bound) return refuse(Reason::would_trade);
  if (!ids_->has_room_instead(order.id)) return refuse(Reason::pool_exhausted);

  ++counts_.replacements;
  side_of(side).remove(found.order, *pool_);
  ids_->erase(found.position);
  pool_->give_back(found.order);
  tell_replaced(old, order, consumer);
  trade_and_rest(command, side, bound, consumer);
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::tell_replaced(OrderId old, const SpecialOrder& order, Consumer& consumer) {
  tell(consumer, Replaced{.id = old,
                          .new_id = order.id,
                          .price = order.price,
                          .quantity = order.quantity,
                          .account = order.account,
                          .symbol = order.symbol,
                          .side = order.side,
                          .arrival_ns = order.arrival_ns});
}

template <class Ids>
template <EventConsumer Consumer>
void OrderBook<Ids>::end_of_day(const EndOfDay& command, Consumer&& consumer) {
  [[maybe_unused]] const SoundAtTheEnd sound{*this};
  if (command.symbol.value != symbol_)
    return reject(command, CommandKind::end_of_day, Reason::unknown_symbol, consumer);

  ++counts_.ends_of_day;
  if (rules_) {
    end_all_by_rules(
        Reason::end_of_day, command.arrival_ns, [](const Order& order) { return order.is_day(); }, consumer);
    return settle(consumer);
  }
  end_orders(Reason::end_of_day, command.arrival_ns, [](const Order& order) { return order.is_day(); }, consumer);
}

template <class Ids>
template <EventConsumer Consumer>
inline void OrderBook<Ids>::rest(const NewOrder& command, Consumer&& consumer) {
  [[maybe_unused]] const SoundAtTheEnd sound{*this};
  const Side side = static_cast<Side>(static_cast<std::uint8_t>(command.side) & 1);
  const PriceLadder& own = ladder(side);
  const Key key = PriceLadder::key_of(side, command.price);
  std::uint64_t slot = own.slot_of(key);
  const bool good = command.symbol.value == plain_symbol_ && command.id.value != 0 && is_good(command.quantity) &&
                    own.holds_slot(slot) && has_good_terms(command) && command.type == OrderType::limit &&
                    command.time_in_force <= TimeInForce::day;
  if (!good) [[unlikely]] {
    Reason reason = refusal_of(command);
    if (reason == Reason::none && rules_) reason = Reason::unsupported;
    if (reason == Reason::none && (command.type != OrderType::limit || command.time_in_force > TimeInForce::day))
      reason = Reason::invalid_combination;
    if (reason != Reason::none) return reject(command, CommandKind::new_order, reason, consumer);
    slot = own.slot_of(key);  // the window may have moved
  }
  const bool room = ids_->has_room(command.id);
  const Found found = ids_->find(command.id, *pool_);
  if (found.order != 0) [[unlikely]]
    return reject(command, CommandKind::new_order, Reason::duplicate_id, consumer);
  if (!room || !pool_->has_room()) [[unlikely]]
    return reject(command, CommandKind::new_order, Reason::pool_exhausted, consumer);

  may_be_crossed_ = true;
  tell_accepted(command, consumer);
  add(command, side, key, slot, command.quantity.lots, found.position);
}

template <class Ids>
template <EventConsumer Consumer>
inline void OrderBook<Ids>::execute(const Execution& execution, Consumer&& consumer) {
  [[maybe_unused]] const SoundAtTheEnd sound{*this};
  const Found found = ids_->find(execution.id, *pool_);
  Order& order = (*pool_)[found.order];
  Reason reason = Reason::none;
  if (found.order == 0 || order.symbol() != symbol_)
    reason = Reason::unknown_order;
  else if (rules_)
    reason = Reason::unsupported;
  else if (execution.quantity.lots == 0)
    reason = Reason::zero_quantity;
  else if (execution.quantity.lots > order.open)
    reason = Reason::quantity_exceeds_open;
  if (reason != Reason::none) [[unlikely]]
    return reject(CancelOrder{.id = execution.id, .symbol = {symbol_}, .arrival_ns = execution.arrival_ns},
                  CommandKind::execute, reason, consumer);

  ++counts_.executions;
  ++counts_.trades;
  counts_.traded += execution.quantity.lots;
  const Side side = order.side();
  PriceLadder& own = side_of(side);
  Level& level = own.level_of(order);
  const Price price = execution.price.value_or(level.price);
  const std::uint32_t left = own.reduce(level, found.order, execution.quantity.lots, *pool_);
  const Traded traded{.maker = execution.id,
                      .price = price,
                      .quantity = execution.quantity,
                      .maker_open = {left},
                      .maker_account = {order.account},
                      .symbol = {symbol_},
                      .taker_side = opposite(side)};
  if (left == 0) {
    ids_->erase(found.position);
    pool_->give_back(found.order);
  }
  tell(consumer, traded);
}

template <class Ids>
template <EventConsumer Consumer>
void OrderBook<Ids>::clear(Reason reason, Consumer&& consumer) {
  [[maybe_unused]] const SoundAtTheEnd sound{*this};
  if (rules_) return end_all_by_rules(reason, 0, [](const Order&) { return true; }, consumer);
  end_orders(reason, 0, [](const Order&) { return true; }, consumer);
  may_be_crossed_ = false;
}

template <class Ids>
template <EventConsumer Consumer>
void OrderBook<Ids>::mass_cancel(const MassCancel& command, Consumer&& consumer) {
  [[maybe_unused]] const SoundAtTheEnd sound{*this};
  if (command.symbol.value != symbol_)
    return reject(command, CommandKind::mass_cancel, Reason::unknown_symbol, consumer);

  const auto is_meant = [&](const Order& order) {
    return (order.side() == Side::buy ? command.buys : command.sells) != 0 &&
           (command.all_accounts != 0 || order.account == command.account.value);
  };
  if (!rules_) return end_orders(Reason::mass_cancelled, command.arrival_ns, is_meant, consumer);
  end_all_by_rules(Reason::mass_cancelled, command.arrival_ns, is_meant, consumer);
  settle(consumer);
}

// ---- what commands are made of -----------------------------------------------------------------------------------

template <class Ids>
OrderBook<Ids>::OrderBook(const Instrument& instrument, OrderPool& pool, Ids* ids, BookSize size,
                          std::pmr::memory_resource* memory)
    : ladders_{PriceLadder(Side::buy, instrument, size.window, memory),
               PriceLadder(Side::sell, instrument, size.window, memory)},
      ids_(ids),
      pool_(&pool),
      symbol_(instrument.symbol.value),
      plain_symbol_(instrument.symbol.value),
      lot_divisor_(std::max<std::uint32_t>(instrument.lot, 1)),
      most_lots_(instrument.largest.lots / std::max<std::uint32_t>(instrument.lot, 1)),
      instrument_(instrument),
      window_(size.window),
      memory_(memory) {
  if (instrument.lot < 1) throw std::invalid_argument("Instrument: the lot must be at least 1");
  if (instrument.symbol.value >= Order::most_symbols)
    throw std::invalid_argument("Instrument: the symbol must be below 2^24");
}

template <class Ids>
OrderBook<Ids>::OrderBook(const Instrument& instrument, OrderPool& pool, Ids& ids, BookSize size,
                          std::pmr::memory_resource* memory)
    : OrderBook(instrument, pool, &ids, size, memory) {}

template <class Ids>
OrderBook<Ids>::OrderBook(const Instrument& instrument, OrderPool& pool, BookSize size,
                          std::pmr::memory_resource* memory)
    : OrderBook(instrument, pool, nullptr, size, memory) {
  own_ids_.emplace(size.orders, memory);
  ids_ = &*own_ids_;
}

template <class Ids>
std::shared_ptr<const SharedBook> OrderBook<Ids>::share() {
  if (!shared_) {
    shared_ = std::allocate_shared<SharedBook>(std::pmr::polymorphic_allocator<SharedBook>(memory_));
    shared_->symbol = {symbol_};
  }
  for (std::size_t side = 0; side < 2; ++side)
    if (!ladders_[side].is_shared()) ladders_[side].share(shared_->sides[side], *pool_);
  return shared_;
}

// The pool, and a shared table of ids, go on without us.
template <class Ids>
OrderBook<Ids>::~OrderBook() {
  // Before the records go back to the pool, which may give them to another book.
  for (PriceLadder& side : ladders_) side.close();
  if (rules_) {
    std::vector<OrderIndex> all;
    for_each_by_rules([&](OrderIndex index) { all.push_back(index); });
    for (const OrderIndex index : all) {
      if (!own_ids_) ids_->erase(ids_->find({(*pool_)[index].id}, *pool_).position);
      pool_->give_back(index);
    }
    return;
  }
  for (PriceLadder& side : ladders_) {
    for (const Level* level = side.empty() ? nullptr : &side.best(); level != nullptr;
         level = side.next_worse(side.key_of(level->price)))
      for (OrderIndex index = level->oldest, newer = 0; index != 0; index = newer) {
        newer = (*pool_)[index].newer;
        if (!own_ids_) ids_->erase(ids_->find({(*pool_)[index].id}, *pool_).position);
        pool_->give_back(index);
      }
  }
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::tell_accepted(const NewOrder& command, Consumer& consumer) {
  ++counts_.new_orders;
  tell(consumer, Accepted{.id = command.id,
                          .price = command.price,
                          .quantity = command.quantity,
                          .account = command.account,
                          .symbol = command.symbol,
                          .side = command.side,
                          .type = command.type,
                          .time_in_force = command.time_in_force,
                          .post_only = command.post_only,
                          .arrival_ns = command.arrival_ns});
}

template <class Ids>
template <class Consumer, class Command>
void OrderBook<Ids>::reject(Command command, CommandKind kind, Reason reason, Consumer& consumer) {
  ++counts_.rejections;
  if (reason == Reason::pool_exhausted && !pool_->has_room()) pool_->count_refusal();
  Rejected rejected{.symbol = command.symbol, .command = kind, .reason = reason, .arrival_ns = command.arrival_ns};
  if constexpr (requires { command.id; }) rejected.id = command.id;
  if constexpr (requires { command.account; }) rejected.account = command.account;
  if constexpr (requires { command.new_id; }) rejected.new_id = command.new_id;
  tell(consumer, rejected);
}

// Requires: every check has been made, prepare() included, so that the terms are those of an order that rests; `slot` is
// that of the key, `position` is where the id goes.
template <class Ids>
inline void OrderBook<Ids>::add(const NewOrder& command, Side side, Key key, std::uint64_t slot, std::uint32_t open,
                                std::uint32_t position) noexcept {
  const OrderIndex index = pool_->take();
  Order& order = (*pool_)[index];
  order.id = command.id.value;
  order.account = command.account.value;
  static_assert(static_cast<unsigned>(TimeInForce::day) << 1 == Order::ends_with_day &&
                static_cast<unsigned>(PostOnly::yes) << 2 == Order::posts_only);
  const std::uint32_t traits = symbol_ << Order::symbol_shift | static_cast<std::uint32_t>(side) |
                               static_cast<std::uint32_t>(command.time_in_force) << 1 |
                               static_cast<std::uint32_t>(command.post_only) << 2;
  ids_->insert(command.id, index, position);
  side_of(side).rest(slot, key, index, open, traits, *pool_);
}

template <class Ids>
template <class Consumer>
inline void OrderBook<Ids>::cancel_order(Found found, Reason reason, std::int64_t arrival_ns, Consumer& consumer) {
  const Order& order = (*pool_)[found.order];
  const std::uint32_t traits = order.traits, open = order.open, place = order.place;
  const Side side = Order::side_in(traits);
  PriceLadder& own = side_of(side);
  Level& level = own.level_of(order);
  const Cancelled cancelled{.id = {order.id},
                            .price = level.price,
                            .quantity = {open},
                            .account = {order.account},
                            .symbol = {symbol_},
                            .side = side,
                            .reason = reason,
                            .arrival_ns = arrival_ns};
  ids_->erase(found.position);
  own.remove(level, place, found.order, open, Order::is_far_in(traits), *pool_);
  pool_->give_back(found.order);
  tell(consumer, cancelled);
}

// Trades with `makers`, best first, oldest first, down to the key `bound`; returns what is left.
template <class Ids>
template <class Consumer>
std::uint32_t OrderBook<Ids>::match(PriceLadder& makers, Key bound, OrderId taker, AccountId account, Side side,
                                    std::uint32_t left, Consumer& consumer) {
  while (left != 0 && makers.best_key() >= bound) {
    Level& level = makers.best();
    const OrderIndex index = level.oldest;
    Order& maker = (*pool_)[index];
    const std::uint32_t quantity = std::min(left, maker.open.get());
    left -= quantity;
    const Price price = level.price;
    const std::uint32_t maker_left = makers.reduce(level, index, quantity, *pool_);
    ++counts_.trades;
    counts_.traded += quantity;
    const Traded traded{.maker = {maker.id},
                        .taker = taker,
                        .price = price,
                        .quantity = {quantity},
                        .maker_open = {maker_left},
                        .maker_account = {maker.account},
                        .taker_account = account,
                        .symbol = {symbol_},
                        .taker_side = side};
    if (maker_left == 0) {
      ids_->erase(ids_->find(traded.maker, *pool_).position);
      pool_->give_back(index);
    }
    tell(consumer, traded);
  }
  return left;
}

template <class Ids>
bool OrderBook<Ids>::has_at_least(std::uint32_t quantity, const PriceLadder& makers, Key bound) const noexcept {
  Volume sum = 0;
  for (const Level* level = makers.empty() ? nullptr : &makers.best();
       level != nullptr && makers.key_of(level->price) >= bound; level = makers.next_worse(makers.key_of(level->price)))
    if ((sum += level->volume) >= quantity) return true;
  return false;
}

template <class Ids>
template <class Consumer, class Wanted>
void OrderBook<Ids>::end_orders(Reason reason, std::int64_t arrival_ns, Wanted&& wanted, Consumer& consumer) {
  for (PriceLadder& side : ladders_) {
    const Level* level = side.empty() ? nullptr : &side.best();
    while (level != nullptr) {
      const Key key = side.key_of(level->price);
      for (OrderIndex index = level->oldest, newer = 0; index != 0; index = newer) {
        const Order& order = (*pool_)[index];
        newer = order.newer;
        if (wanted(order)) cancel_order(ids_->find({order.id}, *pool_), reason, arrival_ns, consumer);
      }
      level = side.next_worse(key);
    }
  }
}

// ---- refusals ----------------------------------------------------------------------------------------------------

template <class Ids>
Reason OrderBook<Ids>::refusal_of(Quantity quantity) const noexcept {
  if (quantity.lots == 0) return Reason::zero_quantity;
  if (quantity > instrument_.largest) return Reason::quantity_too_large;
  return quantity.lots % instrument_.lot != 0 ? Reason::off_lot : Reason::none;
}

// Of a price outside of the window; makes room for it if an order may come to rest there.
template <class Ids>
Reason OrderBook<Ids>::refusal_of(Key key, PriceLadder& own, bool rests) noexcept {
  if (!own.in_range(key)) return Reason::price_out_of_range;
  if (!instrument_.off_tick_allowed && !own.on_tick(key)) return Reason::off_tick;
  return rests && !own.prepare(key, *pool_) ? Reason::pool_exhausted : Reason::none;
}

template <class Ids>
Reason OrderBook<Ids>::refusal_of(NewOrder command) noexcept {
  if (command.symbol.value != symbol_) return Reason::unknown_symbol;
  if (command.id.value == 0 || !has_good_terms(command)) return Reason::invalid_combination;
  if (const Reason reason = refusal_of(command.quantity); reason != Reason::none) return reason;
  if (command.type == OrderType::market) return Reason::none;
  PriceLadder& own = side_of(command.side);
  const Key key = own.key_of(command.price);
  return own.holds(key) ? Reason::none : refusal_of(key, own, command.time_in_force <= TimeInForce::day);
}

// ---- queries -----------------------------------------------------------------------------------------------------

template <class Ids>
std::optional<Price> OrderBook<Ids>::best(Side side) const noexcept {
  const PriceLadder& own = ladder(side);
  if (own.empty()) return std::nullopt;
  return own.best().price;
}

template <class Ids>
Quote OrderBook<Ids>::quote() const noexcept {
  constexpr Volume most = 0xFFFFFFFFu;
  Quote quote{.symbol = {symbol_}};
  if (const PriceLadder& bids = ladder(Side::buy); !bids.empty()) {
    quote.bid = bids.best().price;
    quote.bid_quantity = static_cast<std::uint32_t>(std::min(bids.best().volume.get(), most));
  }
  if (const PriceLadder& asks = ladder(Side::sell); !asks.empty()) {
    quote.ask = asks.best().price;
    quote.ask_quantity = static_cast<std::uint32_t>(std::min(asks.best().volume.get(), most));
  }
  return quote;
}

template <class Ids>
std::size_t OrderBook<Ids>::depth(Side side, std::span<DepthLevel> out) const noexcept {
  const PriceLadder& own = ladder(side);
  std::size_t count = 0;
  for (const Level* level = own.empty() ? nullptr : &own.best(); level != nullptr && count < out.size();
       level = own.next_worse(own.key_of(level->price)))
    out[count++] = {.price = level->price, .volume = level->volume, .orders = level->orders};
  return count;
}

template <class Ids>
Volume OrderBook<Ids>::volume(Side side) const noexcept {
  Volume sum = 0;
  for_each_level(side, [&](const DepthLevel& level) { sum += level.volume; });
  return sum;
}

template <class Ids>
Volume OrderBook<Ids>::volume_at(Side side, Price price) const noexcept {
  const Level* level = ladder(side).find(ladder(side).key_of(price));
  return level != nullptr ? level->volume.get() : 0;
}

template <class Ids>
OrderView OrderBook<Ids>::view_of(const Order& order) const noexcept {
  if (rules_) {
    const OrderIndex index = ids_->find({order.id}, *pool_).order;
    const OrderTerms& terms = pool_->terms(index);
    return {.id = {order.id},
            .price = price_by_rules(index),
            .open = {order.open},
            .account = {order.account},
            .side = order.side(),
            .time_in_force = terms.time_in_force,
            .post_only = order.is_post_only() ? PostOnly::yes : PostOnly::no,
            .reserve = {terms.reserve}};
  }
  return {.id = {order.id},
          .price = ladder(order.side()).level_of(order).price,
          .open = {order.open},
          .account = {order.account},
          .side = order.side(),
          .time_in_force = order.time_in_force(),
          .post_only = order.is_post_only() ? PostOnly::yes : PostOnly::no};
}

template <class Ids>
std::optional<OrderView> OrderBook<Ids>::find(OrderId id) const noexcept {
  const OrderIndex index = ids_->find(id, *pool_).order;
  if (index == 0 || (*pool_)[index].symbol() != symbol_) return std::nullopt;
  return view_of((*pool_)[index]);
}

template <class Ids>
std::optional<OrderView> OrderBook<Ids>::find_displayed(OrderId id) const noexcept {
  const OrderIndex index = ids_->find(id, *pool_).order;
  if (index == 0 || (*pool_)[index].symbol() != symbol_) return std::nullopt;
  if (rules_ && pool_->terms(index).queue != Queue::shown) return std::nullopt;
  return view_of((*pool_)[index]);
}

template <class Ids>
bool OrderBook<Ids>::is_ahead_of(OrderId a, OrderId b) const noexcept {
  const OrderIndex first = ids_->find(a, *pool_).order, second = ids_->find(b, *pool_).order;
  if (first == 0 || second == 0 || first == second) return false;
  const OrderPool& pool = *pool_;
  if (pool[first].symbol() != symbol_ || pool[second].symbol() != symbol_) return false;
  if (rules_ && (pool.terms(first).queue != Queue::shown || pool.terms(second).queue != Queue::shown)) return false;
  if (pool[first].side() != pool[second].side()) return false;
  const PriceLadder& own = ladder(pool[first].side());
  if (&own.level_of(pool[first]) != &own.level_of(pool[second])) return false;
  // From both towards the newer ones, in step: whoever meets the other, or outlasts it, was ahead.
  for (OrderIndex x = first, y = second;;) {
    x = pool[x].newer;
    y = pool[y].newer;
    if (x == second || y == 0) return x == second || (x != 0);
    if (y == first || x == 0) return false;
  }
}

template <class Ids>
Volume OrderBook<Ids>::quantity_ahead(OrderId id) const noexcept {
  const OrderIndex index = ids_->find(id, *pool_).order;
  if (index == 0 || (*pool_)[index].symbol() != symbol_) return 0;
  if (rules_ && pool_->terms(index).queue != Queue::shown) return 0;
  Volume sum = 0;
  for (OrderIndex older = (*pool_)[index].older; older != 0; older = (*pool_)[older].older) sum += (*pool_)[older].open;
  return sum;
}

template <class Ids>
template <std::invocable<const OrderView&> F>
void OrderBook<Ids>::for_each_order(Side side, Price price, F&& f) const {
  const Level* level = ladder(side).find(ladder(side).key_of(price));
  for (OrderIndex index = level != nullptr ? level->oldest.get() : 0; index != 0; index = (*pool_)[index].newer)
    f(view_of((*pool_)[index]));
}

template <class Ids>
template <std::invocable<const DepthLevel&> F>
void OrderBook<Ids>::for_each_level(Side side, F&& f) const {
  const PriceLadder& own = ladder(side);
  for (const Level* level = own.empty() ? nullptr : &own.best(); level != nullptr;
       level = own.next_worse(own.key_of(level->price)))
    f(DepthLevel{.price = level->price, .volume = level->volume, .orders = level->orders});
}

template <class Ids>
std::string OrderBook<Ids>::to_string() const {
  if (rules_) return text_by_rules();
  const auto line = [&](Side side, Price price) {
    std::string text = (side == Side::buy ? "buy  " : "sell ") + std::to_string(price.units) + " |";
    for_each_order(side, price, [&](const OrderView& order) {
      text += ' ' + std::to_string(order.id.value) + ':' + std::to_string(order.open.lots);
    });
    return text + '\n';
  };
  std::string asks, bids;
  for_each_level(Side::sell, [&](const DepthLevel& level) { asks.insert(0, line(Side::sell, level.price)); });
  for_each_level(Side::buy, [&](const DepthLevel& level) { bids += line(Side::buy, level.price); });
  return asks + bids;
}

template <class Ids>
std::string OrderBook<Ids>::check() const {
  for (const Side side : {Side::buy, Side::sell})
    if (const std::string wrong = ladder(side).check(*pool_); !wrong.empty())
      return std::string(outcry::to_string(side)) + " side: " + wrong;
  if (rules_)
    if (const std::string wrong = check_by_rules(); !wrong.empty()) return wrong;
  if (!may_be_crossed_ && phase() == Phase::continuous && !ladder(Side::buy).empty() && !ladder(Side::sell).empty() &&
      ladder(Side::buy).best().price >= ladder(Side::sell).best().price)
    return "the book is crossed";
  if (own_ids_ && !rules_ && own_ids_->size() != order_count()) return "the table of ids has another number of orders";
  for (const PriceLadder& side : ladders_)
    for (const Level* level = side.empty() ? nullptr : &side.best(); level != nullptr;
         level = side.next_worse(side.key_of(level->price)))
      for (OrderIndex index = level->oldest; index != 0; index = (*pool_)[index].newer) {
        const Order& order = (*pool_)[index];
        const auto name = [&] { return "order " + std::to_string(order.id); };
        if (ids_->find({order.id}, *pool_).order != index) return name() + " is not found by its id";
        if (order.symbol() != symbol_) return name() + " belongs to another book";
        if (order.open > instrument_.largest.lots) return name() + " is too large";
      }
  return {};
}

// Walks every slot of the windows, so a book that is large in either way is left to whoever calls check().
template <class Ids>
bool OrderBook<Ids>::is_sound_or_large() const {
  constexpr std::uint32_t most_orders = 64, most_levels = 1024;
  const auto is_large = [&](const std::array<PriceLadder, 2>& sides) {
    return sides[0].order_count() + sides[1].order_count() > most_orders ||
           sides[0].window_levels() + sides[1].window_levels() > most_levels;
  };
  if (is_large(ladders_)) return true;
  if (rules_ && (is_large(rules_->hidden) || is_large(rules_->all_or_none) || is_large(rules_->stops))) return true;
  return check().empty();
}

// ---- prefetching -------------------------------------------------------------------------------------------------

template <class Ids>
inline void OrderBook<Ids>::prefetch_book() const noexcept {
  ladders_[0].prefetch();
  ladders_[1].prefetch();
  __builtin_prefetch(&ids_);
  __builtin_prefetch(&counts_, 1);
  if (own_ids_) __builtin_prefetch(&*own_ids_);
}

template <class Ids>
inline void OrderBook<Ids>::prefetch_id(const Hint& hint) const noexcept {
  ids_->prefetch(hint.id);
  ids_->prefetch(hint.new_id);
  ladder(hint.side).prefetch_level(PriceLadder::key_of(hint.side, hint.price));
  ladder(opposite(hint.side)).prefetch_best();
}

template <class Ids>
inline void OrderBook<Ids>::prefetch_order(const Hint& hint) const noexcept {
  const Key key = PriceLadder::key_of(hint.side, hint.price);
  pool_->prefetch(ids_->guess(hint.id));
  if (ladder(hint.side).has_window()) [[likely]]
    pool_->prefetch(ladder(hint.side).newest_at(key));
  if (const PriceLadder& makers = ladder(opposite(hint.side)); hint.is_new && makers.best_key() >= -key)
    pool_->prefetch(makers.best().oldest);
}

template <class Ids>
inline void OrderBook<Ids>::prefetch_neighbours(const Hint& hint) const noexcept {
  const Order& order = (*pool_)[ids_->guess(hint.id)];
  pool_->prefetch(order.older);
  pool_->prefetch(order.newer);
  ladder(order.side()).prefetch_place(order.place);
  const Key key = PriceLadder::key_of(hint.side, hint.price);
  if (const PriceLadder& makers = ladder(opposite(hint.side)); hint.is_new && makers.best_key() >= -key) {
    const Order& maker = (*pool_)[makers.best().oldest];
    ids_->prefetch({maker.id});
    pool_->prefetch(maker.newer);
  }
}

}  // namespace outcry

#include <outcry/book/order_book_rules.hpp>
