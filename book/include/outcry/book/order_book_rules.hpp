// The commands of a book with rules; part of order_book.hpp, which includes it.
//
// An incoming order meets, price by price: what is displayed, then what is hidden, then all-or-none orders that fit. An
// iceberg whose displayed part is gone displays the next one at the back of the queue, before the order at work goes
// on. After each command the book settles (order_book_settling.hpp).
//
// Refusals are looked for in the order of order_book.hpp; market_closed, in_auction and no_auction before sizes,
// outside_band after off_tick.
// A book with rules wants room for every order that may rest, even if all of it trades.
//
// How a level is shared out if not by time is in order_book_allocation.hpp, auctions are in order_book_auction.hpp.
//
// Limits: an iceberg displays at least a thousandth of itself, which bounds what one order can set off. The minimum of a
//   quantity and fill-or-kill walk the orders that they would meet.
#pragma once

#include <map>

#include <outcry/book/order_book.hpp>

#include <outcry/book/order_book_allocation.hpp>
#include <outcry/book/order_book_auction.hpp>
#include <outcry/book/order_book_settling.hpp>

namespace outcry {

// ---- commands ----------------------------------------------------------------------------------------------------

template <class Ids>
void OrderBook<Ids>::set_rules(const BookRules& rules) {
  assert(empty() && "set_rules() on a book with orders");
  pool_->keep_terms();
  rules_ = std::make_unique<RuleState>(rules, instrument_, window_, memory_);
  plain_symbol_ = std::uint64_t{1} << 32;
}

template <class Ids>
template <EventConsumer Consumer>
void OrderBook<Ids>::submit(const SpecialOrder& command, Consumer&& consumer) {
  [[maybe_unused]] const SoundAtTheEnd sound{*this};
  if (command.symbol.value != symbol_) return reject(command, CommandKind::new_order, Reason::unknown_symbol, consumer);
  if (!rules_) return reject(command, CommandKind::new_order, Reason::unsupported, consumer);
  enter(command, true, consumer);
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::submit_by_rules(const NewOrder& command, Consumer& consumer) {
  constexpr auto no_such = static_cast<std::uint8_t>(0xFF);
  enter(SpecialOrder{.id = command.id,
                     .price = command.price,
                     .quantity = command.quantity,
                     .account = command.account,
                     .symbol = command.symbol,
                     .side = command.side,
                     .type = command.type == OrderType::limit    ? SpecialType::limit
                             : command.type == OrderType::market ? SpecialType::market
                                                                 : static_cast<SpecialType>(no_such),
                     .time_in_force = command.time_in_force,
                     .terms = command.post_only == PostOnly::no    ? Terms::none
                              : command.post_only == PostOnly::yes ? Terms::post_only
                                                                   : static_cast<Terms>(no_such),
                     .arrival_ns = command.arrival_ns},
        false, consumer);
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::enter(const SpecialOrder& order, bool is_special, Consumer& consumer) {
  const auto refuse = [&](Reason reason) { reject(order, CommandKind::new_order, reason, consumer); };
  if (const Reason reason = refusal_by_rules(order); reason != Reason::none) return refuse(reason);
  const bool room = ids_->has_room(order.id);
  if (ids_->find(order.id, *pool_).order != 0) return refuse(Reason::duplicate_id);
  if (posts_in_vain(order)) return refuse(Reason::would_trade);
  if (may_rest(order) && (!room || !pool_->has_room() || !prepare_by_rules(order)))
    return refuse(Reason::pool_exhausted);

  const bool ends_at_market =
      order.type == SpecialType::market || order.type == SpecialType::stop || order.type == SpecialType::trailing_stop;
  tell_accepted(NewOrder{.id = order.id,
                         .price = order.price,
                         .quantity = order.quantity,
                         .account = order.account,
                         .symbol = order.symbol,
                         .side = order.side,
                         .type = ends_at_market ? OrderType::market : OrderType::limit,
                         .time_in_force = order.time_in_force,
                         .post_only = has(order.terms, Terms::post_only) ? PostOnly::yes : PostOnly::no,
                         .arrival_ns = order.arrival_ns},
                consumer);
  if (is_special) tell_terms(order, consumer);
  go_to_work(order, consumer);
}

// Why an order must not take the place of another one, which gives it its record.
template <class Ids>
Reason OrderBook<Ids>::refusal_of_replacement(const SpecialOrder& order) noexcept {
  if (const Reason reason = refusal_by_rules(order); reason != Reason::none) return reason;
  if (ids_->find(order.id, *pool_).order != 0) return Reason::duplicate_id;
  if (posts_in_vain(order)) return Reason::would_trade;
  if (!ids_->has_room_instead(order.id) || (may_rest(order) && !prepare_by_rules(order))) return Reason::pool_exhausted;
  return Reason::none;
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::replace_by_rules(OrderIndex old, const SpecialOrder& order, Consumer& consumer) {
  ++counts_.replacements;
  const OrderId old_id{(*pool_)[old].id};
  take_out(old);
  leave_lists(old);
  forget(old);
  tell_replaced(old_id, order, consumer);
  tell_terms(order, consumer);
  go_to_work(order, consumer);
  settle(consumer);  // even if the new one has done nothing, the old one is gone
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::tell_terms(const SpecialOrder& order, Consumer& consumer) {
  tell_more(consumer, AcceptedTerms{.id = order.id,
                                    .trigger = order.trigger,
                                    .part = order.part,
                                    .expires_s = order.expires_s,
                                    .account = order.account,
                                    .symbol = order.symbol,
                                    .side = order.side,
                                    .type = order.type,
                                    .time_in_force = order.time_in_force,
                                    .terms = order.terms,
                                    .arrival_ns = order.arrival_ns});
}

// A market order can only wait for an auction.
template <class Ids>
bool OrderBook<Ids>::may_rest(const SpecialOrder& order) const noexcept {
  const bool takes_only =
      order.time_in_force == TimeInForce::immediate_or_cancel || order.time_in_force == TimeInForce::fill_or_kill;
  return !takes_only &&
         (order.type != SpecialType::market || rules_->phase == Phase::auction || rules_->rules.volatility_auction);
}

template <class Ids>
bool OrderBook<Ids>::posts_in_vain(const SpecialOrder& order) const noexcept {
  return has(order.terms, Terms::post_only) &&
         meets_anyone(order.side, -PriceLadder::key_of(order.side, order.price), order.quantity.lots);
}

// An order that was told of: what becomes of it.
template <class Ids>
template <class Consumer>
void OrderBook<Ids>::go_to_work(const SpecialOrder& order, Consumer& consumer) {
  const Side side = order.side;
  const bool is_market = order.type == SpecialType::market;
  Working working{order.id, order.account, side, order.quantity.lots, order.arrival_ns};
  working.may_rest = may_rest(order);
  if (is_stop(order.type) || is_peg(order.type)) {
    const OrderIndex index = make_record(order);
    (*pool_)[index].open = order.quantity.lots;
    if (is_peg(order.type)) rules_->pegs.push_back(index);
    if (order.type == SpecialType::trailing_stop) rules_->trailing.push_back(index);
    if (order.type == SpecialType::stop || order.type == SpecialType::stop_limit)
      finish(index, working, Queue::stops, {order.trigger}, consumer);
    return settle(consumer);
  }

  if (rules_->phase == Phase::auction)
    return finish(make_record(order), working, is_at_market(order.type) ? Queue::at_market : resting_queue(order.terms),
                  order.price, consumer);
  SpecialOrder terms = order;
  if (order.type == SpecialType::market_to_limit) {
    const PriceLadder& other = ladder(opposite(side));
    if (other.empty()) return tell_cancelled(working, order.price, Reason::no_liquidity, consumer);
    terms.type = SpecialType::limit;
    terms.price = other.best().price;
    tell_more(consumer, Repriced{.id = order.id,
                                 .price = terms.price,
                                 .account = order.account,
                                 .symbol = order.symbol,
                                 .open = order.quantity,
                                 .side = side});
  }
  const Key bound = is_market ? market_bound(side) : -PriceLadder::key_of(side, terms.price);
  const Key limit = with_band(side, bound);
  const Queue queue = is_market ? Queue::at_market : resting_queue(order.terms);
  if (order.time_in_force == TimeInForce::fill_or_kill && !can_trade(working, limit, working.left))
    return tell_cancelled(working, order.price, Reason::fill_or_kill, consumer);
  if (has(order.terms, Terms::minimum) && !can_trade(working, limit, order.part.lots))
    return tell_cancelled(working, order.price, Reason::minimum_quantity, consumer);
  trade_on_the_way_in(working, queue, bound, consumer);

  if (working.left != 0) {
    if (is_market) end_at_market(working);
    if (working.ended == Reason::none && !working.may_rest) working.ended = Reason::immediate_or_cancel;
    if (working.ended != Reason::none)
      tell_cancelled(working, terms.price, working.ended, consumer);
    else
      finish(make_record(terms), working, queue, terms.price, consumer);
  }
  settle(consumer);
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::cancel_by_rules(const CancelOrder& command, Consumer& consumer) {
  if (command.symbol.value != symbol_) return reject(command, CommandKind::cancel, Reason::unknown_symbol, consumer);
  const Found found = locate(command.id, command.account);
  if (found.order == 0) return reject(command, CommandKind::cancel, Reason::unknown_order, consumer);

  ++counts_.cancels;
  end_by_rules(found.order, Reason::requested, command.arrival_ns, consumer);
  settle(consumer);
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::reduce_by_rules(const ReduceOrder& command, Consumer& consumer) {
  const auto refuse = [&](Reason reason) { reject(command, CommandKind::reduce, reason, consumer); };
  if (command.symbol.value != symbol_) return refuse(Reason::unknown_symbol);
  const OrderIndex index = locate(command.id, command.account).order;
  if (index == 0) return refuse(Reason::unknown_order);
  if (rules_->phase == Phase::closed) return refuse(Reason::market_closed);
  Order& order = (*pool_)[index];
  OrderTerms& terms = pool_->terms(index);
  const std::uint64_t total = std::uint64_t{order.open} + terms.reserve;
  if (command.by.lots == 0) return refuse(Reason::zero_quantity);
  if (command.by.lots > total) return refuse(Reason::quantity_exceeds_open);
  if (command.by.lots % instrument_.lot != 0) return refuse(Reason::off_lot);

  ++counts_.reductions;
  if (command.by.lots == total) {
    end_by_rules(index, Reason::requested, command.arrival_ns, consumer);
    return settle(consumer);
  }
  shrink(index, command.by.lots);
  tell(consumer, Reduced{.id = command.id,
                         .price = price_by_rules(index),
                         .by = command.by,
                         .open = {order.open + terms.reserve},
                         .account = command.account,
                         .symbol = command.symbol,
                         .side = order.side(),
                         .reserve = {terms.reserve},
                         .arrival_ns = command.arrival_ns});
  settle(consumer);
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::modify_by_rules(const ModifyOrder& command, Consumer& consumer) {
  const auto refuse = [&](Reason reason) { reject(command, CommandKind::modify, reason, consumer); };
  if (command.symbol.value != symbol_) return refuse(Reason::unknown_symbol);
  const OrderIndex index = locate(command.id, command.account).order;
  if (index == 0) return refuse(Reason::unknown_order);
  if (const Reason reason = refusal_of_change(index, command.price, command.quantity); reason != Reason::none)
    return refuse(reason);
  Order& order = (*pool_)[index];
  const Queue queue = pool_->terms(index).queue;
  const Side side = order.side();
  PriceLadder& own = queue_of(queue, side);
  const Key key = PriceLadder::key_of(side, command.price);
  const std::uint32_t total = order.open + pool_->terms(index).reserve;
  const bool keeps_place = own.level_of(order).price == command.price && command.quantity.lots < total;
  if (!keeps_place && rules_->phase != Phase::auction && order.is_post_only() &&
      meets_anyone(side, -key, command.quantity.lots))
    return refuse(Reason::would_trade);
  if (!own.prepare(key, *pool_)) return refuse(Reason::pool_exhausted);

  ++counts_.modifications;
  Working working{command.id, command.account, side, command.quantity.lots, command.arrival_ns};
  if (keeps_place) {
    shrink(index, total - command.quantity.lots);
  } else {
    take_out(index);
    trade_on_the_way_in(working, queue, -key, consumer);
  }
  tell(consumer, Modified{.id = command.id,
                          .price = command.price,
                          .quantity = command.quantity,
                          .account = command.account,
                          .symbol = command.symbol,
                          .side = side,
                          .kept_place = keeps_place,
                          .open = Quantity{working.left},
                          .arrival_ns = command.arrival_ns});
  if (!keeps_place) finish(index, working, queue, command.price, consumer);
  settle(consumer);
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::replace_by_rules(const ReplaceOrder& command, Consumer& consumer) {
  const auto refuse = [&](Reason reason) { reject(command, CommandKind::replace, reason, consumer); };
  if (command.symbol.value != symbol_) return refuse(Reason::unknown_symbol);
  const Found found = locate(command.id, command.account);
  const OrderIndex index = found.order;
  if (index == 0) return refuse(Reason::unknown_order);
  if (const Reason reason = refusal_of_change(index, command.price, command.quantity); reason != Reason::none)
    return refuse(reason);
  Order& order = (*pool_)[index];
  const Queue queue = pool_->terms(index).queue;
  if (command.new_id.value == 0) return refuse(Reason::invalid_combination);
  if (ids_->find(command.new_id, *pool_).order != 0) return refuse(Reason::duplicate_id);
  const Side side = order.side();
  const Key key = PriceLadder::key_of(side, command.price);
  if (rules_->phase != Phase::auction && order.is_post_only() && meets_anyone(side, -key, command.quantity.lots))
    return refuse(Reason::would_trade);
  if (!ids_->has_room_instead(command.new_id) || !queue_of(queue, side).prepare(key, *pool_))
    return refuse(Reason::pool_exhausted);

  ++counts_.replacements;
  take_out(index);
  ids_->erase(found.position);
  order.id = command.new_id.value;
  ids_->insert(command.new_id, index, ids_->find(command.new_id, *pool_).position);
  tell(consumer, Replaced{.id = command.id,
                          .new_id = command.new_id,
                          .price = command.price,
                          .quantity = command.quantity,
                          .account = command.account,
                          .symbol = command.symbol,
                          .side = side,
                          .arrival_ns = command.arrival_ns});
  Working working{command.new_id, command.account, side, command.quantity.lots, command.arrival_ns};
  trade_on_the_way_in(working, queue, -key, consumer);
  finish(index, working, queue, command.price, consumer);
  settle(consumer);
}

template <class Ids>
template <EventConsumer Consumer>
void OrderBook<Ids>::expire(const ExpireOrders& command, Consumer&& consumer) {
  [[maybe_unused]] const SoundAtTheEnd sound{*this};
  if (command.symbol.value != symbol_) return reject(command, CommandKind::expire, Reason::unknown_symbol, consumer);
  if (!rules_) return reject(command, CommandKind::expire, Reason::unsupported, consumer);
  if (command.now_s < rules_->next_expiry_s) return;

  end_all_by_rules(
      Reason::expired, command.arrival_ns,
      [&](const Order& order) {
        const OrderTerms& terms = pool_->terms(index_of(order));
        return terms.time_in_force == TimeInForce::good_till_time && terms.expires_s <= command.now_s;
      },
      consumer);
  rules_->next_expiry_s = ~std::uint32_t{0};
  for_each_by_rules([&](OrderIndex index) {
    if (pool_->terms(index).time_in_force == TimeInForce::good_till_time)
      rules_->next_expiry_s = std::min(rules_->next_expiry_s, pool_->terms(index).expires_s);
  });
  settle(consumer);
}

// ---- refusals ----------------------------------------------------------------------------------------------------

template <class Ids>
Reason OrderBook<Ids>::refusal_by_rules(Price price) const noexcept {
  const PriceLadder& bids = ladder(Side::buy);
  if (!bids.in_range(price.units)) return Reason::price_out_of_range;
  if (!instrument_.off_tick_allowed && !bids.on_tick(price.units)) return Reason::off_tick;
  if (!rules_->is_on_tick(price)) return Reason::off_tick;
  const BookRules& rules = rules_->rules;
  if (rules.static_band != 0 &&
      (price > rules.reference + rules.static_band || price < rules.reference - rules.static_band))
    return Reason::outside_band;
  return Reason::none;
}

// Why an order that rests must not get this price and quantity.
template <class Ids>
Reason OrderBook<Ids>::refusal_of_change(OrderIndex index, Price price, Quantity quantity) const noexcept {
  const OrderTerms& terms = pool_->terms(index);
  if (terms.type != SpecialType::limit) return Reason::invalid_combination;
  if (is_shut()) return Reason::market_closed;
  if (const Reason reason = refusal_of(quantity); reason != Reason::none) return reason;
  if (const Reason reason = refusal_by_rules(price); reason != Reason::none) return reason;
  if (has(terms.terms, Terms::reserve) && !shows_enough(quantity, terms.part)) return Reason::invalid_combination;
  return Reason::none;
}

template <class Ids>
Reason OrderBook<Ids>::refusal_by_rules(const SpecialOrder& order) const noexcept {
  if (order.symbol.value != symbol_) return Reason::unknown_symbol;

  constexpr Terms all = Terms::post_only | Terms::hidden | Terms::reserve | Terms::minimum | Terms::all_or_none;
  if (order.id.value == 0 || order.side > Side::sell || order.type > SpecialType::market_peg ||
      order.time_in_force > TimeInForce::good_for_auction ||
      (static_cast<std::uint8_t>(order.terms) & ~static_cast<std::uint8_t>(all)) != 0)
    return Reason::invalid_combination;
  const bool is_kill = order.time_in_force == TimeInForce::fill_or_kill;
  const bool rests = !is_kill && order.time_in_force != TimeInForce::immediate_or_cancel;
  const bool is_limit = order.type == SpecialType::limit;
  const bool for_auction = order.time_in_force == TimeInForce::good_for_auction;
  const bool has_part = has(order.terms, Terms::reserve | Terms::minimum);
  const int queues =
      has(order.terms, Terms::hidden) + has(order.terms, Terms::reserve) + has(order.terms, Terms::all_or_none);
  bool good = (order.time_in_force == TimeInForce::good_till_time) == (order.expires_s != 0);
  good &= order.type != SpecialType::market || order.time_in_force != TimeInForce::good_till_time;
  good &= order.type <= SpecialType::market || rests;
  good &= order.type <= SpecialType::market_to_limit || order.terms == Terms::none;
  good &= queues == 0 || (queues == 1 && is_limit && rests);
  good &= !has(order.terms, Terms::post_only) ||
          (is_limit && rests && !has(order.terms, Terms::minimum | Terms::all_or_none));
  good &= !has(order.terms, Terms::minimum) || (!is_kill && !has(order.terms, Terms::reserve | Terms::all_or_none));
  good &= !for_auction || (order.type <= SpecialType::market &&
                           !has(order.terms, Terms::post_only | Terms::minimum | Terms::all_or_none));
  good &= has_part == (order.part.lots != 0) && order.part <= order.quantity;
  good &= !has(order.terms, Terms::reserve) || shows_enough(order.quantity, order.part.lots);
  if (!good) return Reason::invalid_combination;

  if (is_shut()) return Reason::market_closed;
  const bool collects = rules_->phase == Phase::auction;
  if (collects && (!rests || has(order.terms, Terms::minimum | Terms::post_only))) return Reason::in_auction;
  if (!collects && for_auction) return Reason::no_auction;
  if (const Reason reason = refusal_of(order.quantity); reason != Reason::none) return reason;
  if (order.part.lots % instrument_.lot != 0) return Reason::off_lot;
  if (is_limit || order.type == SpecialType::stop_limit || is_peg(order.type)) {
    const Reason reason = refusal_by_rules(order.price);
    // The worst price of a peg is a bound, not a price to be shown to anyone.
    if (reason != Reason::none && !(is_peg(order.type) && reason == Reason::outside_band)) return reason;
  }
  if (order.type == SpecialType::stop || order.type == SpecialType::stop_limit) {
    const Reason reason = refusal_by_rules(Price{order.trigger});
    if (reason != Reason::none && reason != Reason::outside_band) return reason;
  }
  constexpr std::int64_t furthest = std::int64_t{1} << 40;
  if (order.type == SpecialType::trailing_stop && (order.trigger < 1 || order.trigger > furthest))
    return Reason::price_out_of_range;
  if (is_peg(order.type) && (order.trigger < -furthest || order.trigger > furthest)) return Reason::price_out_of_range;
  if ((is_peg(order.type) || order.type == SpecialType::trailing_stop) && order.trigger % instrument_.tick != 0)
    return Reason::off_tick;
  return Reason::none;
}

// Makes room where the order will come to rest, as far as that is known now.
template <class Ids>
bool OrderBook<Ids>::prepare_by_rules(const SpecialOrder& order) noexcept {
  switch (order.type) {
    case SpecialType::limit:
      return queue_of(resting_queue(order.terms), order.side)
          .prepare(PriceLadder::key_of(order.side, order.price), *pool_);
    case SpecialType::stop:
    case SpecialType::stop_limit: {
      PriceLadder& stops = queue_of(Queue::stops, order.side);
      return stops.prepare(stops.key_of({order.trigger}), *pool_);
    }
    case SpecialType::trailing_stop: return RuleState::has_room(rules_->trailing);
    case SpecialType::primary_peg:
    case SpecialType::midpoint_peg:
    case SpecialType::market_peg: return RuleState::has_room(rules_->pegs);
    default: return true;
  }
}

// Whether an order that goes to `bound` would meet anyone, of its own account or not.
template <class Ids>
bool OrderBook<Ids>::meets_anyone(Side side, Key bound, std::uint32_t quantity) const noexcept {
  if (best_maker(side) >= bound) return true;
  const PriceLadder& waiting = queue_of(Queue::all_or_none, opposite(side));
  for (const Level* level = waiting.empty() ? nullptr : &waiting.best();
       level != nullptr && waiting.key_of(level->price) >= bound;
       level = waiting.next_worse(waiting.key_of(level->price)))
    for (OrderIndex index = level->oldest; index != 0; index = (*pool_)[index].newer)
      if ((*pool_)[index].open <= quantity) return true;
  return false;
}

// ---- trading -----------------------------------------------------------------------------------------------------

/// The key of the best that an order of `side` can meet, all-or-none orders left aside.
template <class Ids>
typename OrderBook<Ids>::Key OrderBook<Ids>::best_maker(Side side) const noexcept {
  return std::max(ladder(opposite(side)).best_key(), queue_of(Queue::hidden, opposite(side)).best_key());
}

template <class Ids>
typename OrderBook<Ids>::Key OrderBook<Ids>::market_bound(Side side) const noexcept {
  const Key best = best_maker(side);
  if (best == PriceLadder::no_key || rules_->rules.collar == 0) return PriceLadder::no_key + 1;
  return best - rules_->rules.collar;
}

template <class Ids>
typename OrderBook<Ids>::Key OrderBook<Ids>::with_band(Side side, Key bound) const noexcept {
  const BookRules& rules = rules_->rules;
  if (rules.dynamic_band == 0) return bound;
  const Price from = rules_->last.value_or(rules.reference);
  const Price worst = side == Side::buy ? from + rules.dynamic_band : from - rules.dynamic_band;
  return std::max(bound, PriceLadder::key_of(opposite(side), worst));
}

/// Whether at least `wanted` of the order would trade; walks in the order of trade().
template <class Ids>
bool OrderBook<Ids>::can_trade(const Working& working, Key bound, std::uint32_t wanted) const noexcept {
  const Side other = opposite(working.side);
  const OrderPool& pool = *pool_;
  const bool passes_own = rules_->rules.self_trade == SelfTrade::cancel_oldest;
  std::uint64_t sum = 0;
  struct Cursor {
    const PriceLadder* queue;
    const Level* level;
    Key key() const { return level != nullptr ? queue->key_of(level->price) : PriceLadder::no_key; }
    void next() { level = queue->next_worse(key()); }
  };
  std::array<Cursor, 3> cursors{};
  for (std::size_t i = 0; i < 3; ++i) {
    const PriceLadder& queue = queue_of(static_cast<Queue>(i), other);
    cursors[i] = {&queue, queue.empty() ? nullptr : &queue.best()};
  }
  for (;;) {
    Cursor* best = &cursors[0];
    for (Cursor& cursor : cursors)
      if (cursor.key() > best->key()) best = &cursor;
    if (best->key() < bound) return false;
    const bool must_fit = best == &cursors[2];
    if (best == &cursors[0] && !passes_own && shares_out() && own_at(*best->level, working.account) != 0) return false;
    std::uint64_t reserves = 0;
    for (OrderIndex index = best->level->oldest; index != 0; index = pool[index].newer) {
      const Order& maker = pool[index];
      if (must_fit && maker.open > working.left - sum) continue;
      if (rules_->is_self(working.account.value, maker.account)) {
        if (passes_own) continue;
        return false;
      }
      sum = std::min<std::uint64_t>(sum + maker.open, working.left);
      reserves += pool_->terms(index).reserve;
      if (sum >= wanted) return true;
    }
    sum = std::min<std::uint64_t>(sum + reserves, working.left);
    if (sum >= wanted) return true;
    best->next();
  }
}

// Trades down to the key `own_bound`, or to the band if that comes first.
template <class Ids>
template <class Consumer>
void OrderBook<Ids>::trade(Working& working, Key own_bound, Consumer& consumer) {
  const Side other = opposite(working.side);
  const Key bound = with_band(working.side, own_bound);
  PriceLadder& shown = queue_of(Queue::shown, other);
  PriceLadder& hidden = queue_of(Queue::hidden, other);
  PriceLadder& waiting = queue_of(Queue::all_or_none, other);
  Key waiting_key = waiting.best_key();
  OrderIndex next_waiting = waiting.empty() ? 0 : waiting.best().oldest.get();

  while (working.left != 0 && working.ended == Reason::none) {
    const Key best = std::max({shown.best_key(), hidden.best_key(), waiting_key});
    if (best < bound) break;
    PriceLadder* makers = &shown;
    OrderIndex index;
    if (shown.best_key() == best && shares_out()) {
      share_out(working, consumer);
      continue;
    }
    if (shown.best_key() == best) {
      index = shown.best().oldest;
    } else if (hidden.best_key() == best) {
      makers = &hidden;
      index = hidden.best().oldest;
    } else {
      makers = &waiting;
      index = next_waiting;
      next_waiting = (*pool_)[index].newer;
      if (next_waiting == 0) {
        const Level* level = waiting.next_worse(waiting_key);
        waiting_key = level != nullptr ? waiting.key_of(level->price) : PriceLadder::no_key;
        next_waiting = level != nullptr ? level->oldest.get() : 0;
      }
      if ((*pool_)[index].open > working.left) continue;
    }
    if (rules_->is_self(working.account.value, (*pool_)[index].account))
      prevent_self_trade(working, *makers, index, consumer);
    else
      fill(working, *makers, index, std::min(working.left, (*pool_)[index].open.get()), consumer);
  }
  if (working.left != 0 && working.ended == Reason::none && bound > own_bound &&
      best_maker(working.side) >= own_bound) {
    rules_->band_is_breached = rules_->rules.volatility_auction;
    if (!rules_->band_is_breached || !working.may_rest) working.ended = Reason::outside_band;
  }
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::trade_on_the_way_in(Working& working, Queue queue, Key bound, Consumer& consumer) {
  if (rules_->phase != Phase::continuous) return;
  if (queue == Queue::all_or_none && !can_trade(working, with_band(working.side, bound), working.left)) return;
  trade(working, bound, consumer);
}

// What a market order could not trade leaves, unless there is to be an auction.
template <class Ids>
void OrderBook<Ids>::end_at_market(Working& working) const noexcept {
  if (working.left == 0 || working.ended != Reason::none || rules_->band_is_breached) return;
  working.ended = best_maker(working.side) != PriceLadder::no_key ? Reason::collar : Reason::no_liquidity;
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::fill(Working& working, PriceLadder& makers, OrderIndex index, std::uint32_t quantity,
                          Consumer& consumer) {
  const Order& maker = (*pool_)[index];
  const Price price = makers.level_of(maker).price;
  working.left -= quantity;
  take_off(index, quantity);
  ++counts_.trades;
  counts_.traded += quantity;
  rules_->last = price;
  tell(consumer, Traded{.maker = {maker.id},
                        .taker = working.id,
                        .price = price,
                        .quantity = {quantity},
                        .maker_open = {maker.open + pool_->terms(index).reserve},
                        .maker_account = {maker.account},
                        .taker_account = working.account,
                        .symbol = {symbol_},
                        .taker_side = working.side});
  if (maker.open == 0) use_up(index, price, consumer);
}

// The open part of a resting order is gone, and the order unlinked: the next part of an iceberg goes to the back,
// another order is over.
template <class Ids>
template <class Consumer>
void OrderBook<Ids>::use_up(OrderIndex index, Price price, Consumer& consumer) {
  Order& order = (*pool_)[index];
  OrderTerms& terms = pool_->terms(index);
  if (terms.reserve == 0) {
    leave_lists(index);
    return forget(index);
  }
  order.open = std::min(terms.reserve, terms.part);
  terms.reserve -= order.open;
  terms.queue = Queue::shown;
  PriceLadder& shown = side_of(order.side());
  shown.rest(shown.key_of(price), index, *pool_);  // the level was there a moment ago: there is room for it
  tell_more(consumer, Refreshed{.id = {order.id},
                                .price = price,
                                .displayed = {order.open},
                                .reserve = {terms.reserve},
                                .account = {order.account},
                                .symbol = {symbol_},
                                .side = order.side()});
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::prevent_self_trade(Working& working, PriceLadder& makers, OrderIndex index, Consumer& consumer) {
  const SelfTrade rule = rules_->rules.self_trade;
  if (rule == SelfTrade::cancel_oldest || rule == SelfTrade::cancel_both)
    end_by_rules(index, Reason::self_trade, working.arrival_ns, consumer);
  if (rule == SelfTrade::cancel_newest || rule == SelfTrade::cancel_both) working.ended = Reason::self_trade;
  if (rule != SelfTrade::decrement) return;

  const Order& maker = (*pool_)[index];
  const Price price = makers.level_of(maker).price;
  const std::uint32_t quantity = std::min(working.left, maker.open.get());
  take_off(index, quantity);
  working.left -= quantity;
  tell_smaller({.id = {maker.id},
                .account = {maker.account},
                .side = maker.side(),
                .left = maker.open + pool_->terms(index).reserve,
                .arrival_ns = working.arrival_ns},
               price, quantity, pool_->terms(index).reserve, consumer);
  tell_smaller(working, price, quantity, 0, consumer);
  if (maker.open == 0) use_up(index, price, consumer);
}

// Of an order that has become smaller instead of trading with its own account; `left` is what is left of it.
template <class Ids>
template <class Consumer>
void OrderBook<Ids>::tell_smaller(const Working& order, Price price, std::uint32_t by, std::uint32_t reserve,
                                  Consumer& consumer) {
  if (order.left == 0) {
    Working gone = order;
    gone.left = by;
    return tell_cancelled(gone, price, Reason::self_trade, consumer);
  }
  tell(consumer, Reduced{.id = order.id,
                         .price = price,
                         .by = {by},
                         .open = {order.left},
                         .account = order.account,
                         .symbol = {symbol_},
                         .side = order.side,
                         .reserve = {reserve},
                         .arrival_ns = order.arrival_ns});
}

// ---- queues ------------------------------------------------------------------------------------------------------

template <class Ids>
PriceLadder& OrderBook<Ids>::queue_of(Queue queue, Side side) noexcept {
  return const_cast<PriceLadder&>(std::as_const(*this).queue_of(queue, side));
}

template <class Ids>
const PriceLadder& OrderBook<Ids>::queue_of(Queue queue, Side side) const noexcept {
  assert(queue < Queue::at_market && "an order that is parked or without a price is on no ladder");
  const std::size_t at = side == Side::sell;
  switch (queue) {
    case Queue::hidden: return rules_->hidden[at];
    case Queue::all_or_none: return rules_->all_or_none[at];
    case Queue::stops: return rules_->stops[at];
    default: return ladders_[at];
  }
}

template <class Ids>
Queue OrderBook<Ids>::resting_queue(Terms terms) noexcept {
  return has(terms, Terms::hidden) ? Queue::hidden : has(terms, Terms::all_or_none) ? Queue::all_or_none : Queue::shown;
}

// A record for an order, in no queue yet.
template <class Ids>
OrderIndex OrderBook<Ids>::make_record(const SpecialOrder& command) noexcept {
  const OrderIndex index = pool_->take();
  Order& order = (*pool_)[index];
  order.id = command.id.value;
  order.account = command.account.value;
  order.traits = symbol_ << Order::symbol_shift | static_cast<std::uint32_t>(command.side) |
                 (command.time_in_force == TimeInForce::day ? Order::ends_with_day : 0) |
                 (has(command.terms, Terms::post_only) ? Order::posts_only : 0);
  pool_->terms(index) = {.price = command.price,
                         .trigger = command.trigger,
                         .reserve = 0,
                         .part = command.part.lots,
                         .expires_s = command.expires_s,
                         .type = command.type,
                         .time_in_force = command.time_in_force,
                         .terms = command.terms,
                         .queue = Queue::parked};
  if (command.time_in_force == TimeInForce::good_till_time)
    rules_->next_expiry_s = std::min(rules_->next_expiry_s, command.expires_s);
  ids_->insert(command.id, index, ids_->find(command.id, *pool_).position);
  return index;
}

// Takes `quantity` off what an order has open; of all that it has, the order is unlinked, and waits for use_up().
template <class Ids>
void OrderBook<Ids>::take_off(OrderIndex index, std::uint32_t quantity) noexcept {
  Order& order = (*pool_)[index];
  const Queue queue = pool_->terms(index).queue;
  if (quantity == order.open) {
    take_out(index);
    order.open = 0;
  } else if (queue < Queue::at_market) {
    PriceLadder& orders = queue_of(queue, order.side());
    orders.reduce(orders.level_of(order), index, quantity, *pool_);
  } else {
    order.open -= quantity;
    if (queue == Queue::at_market) rules_->at_market[order.side() == Side::sell].volume -= quantity;
  }
}

// An order that rests becomes smaller; what nobody sees goes first. Requires: less than all of it.
template <class Ids>
void OrderBook<Ids>::shrink(OrderIndex index, std::uint32_t by) noexcept {
  OrderTerms& terms = pool_->terms(index);
  const std::uint32_t unseen = std::min(terms.reserve, by);
  terms.reserve -= unseen;
  if (by != unseen) take_off(index, by - unseen);
}

// To the back of a queue; false if there is no memory for it. Requires: the order is in none.
template <class Ids>
bool OrderBook<Ids>::put(OrderIndex index, Queue queue, Price price, std::uint32_t open) noexcept {
  Order& order = (*pool_)[index];
  OrderTerms& terms = pool_->terms(index);
  const std::size_t at = order.side() == Side::sell;
  if (queue == Queue::at_market) {
    order.open = open;
    terms.queue = queue;
    rules_->at_market[at].push_back(*pool_, index, open);
    return true;
  }
  PriceLadder& ladder_of_queue = queue_of(queue, order.side());
  const Key key = ladder_of_queue.key_of(price);
  if (!ladder_of_queue.prepare(key, *pool_)) return false;
  order.open = has(terms.terms, Terms::reserve) ? std::min(open, terms.part) : open;
  terms.reserve = open - order.open;
  terms.queue = queue;
  if (queue == Queue::shown && key > ladder_of_queue.best_key()) rules_->top[at] = index;
  ladder_of_queue.rest(key, index, *pool_);
  return true;
}

template <class Ids>
void OrderBook<Ids>::take_out(OrderIndex index) noexcept {
  OrderTerms& terms = pool_->terms(index);
  const Side side = (*pool_)[index].side();
  if (terms.queue == Queue::at_market)
    rules_->at_market[side == Side::sell].remove(*pool_, index, (*pool_)[index].open);
  else if (terms.queue != Queue::parked)
    queue_of(terms.queue, side).remove(index, *pool_);
  if (OrderIndex& top = rules_->top[side == Side::sell]; top == index) top = 0;
  terms.queue = Queue::parked;
}

template <class Ids>
void OrderBook<Ids>::leave_lists(OrderIndex index) noexcept {
  const SpecialType type = pool_->terms(index).type;
  if (is_peg(type)) std::erase(rules_->pegs, index);
  if (type == SpecialType::trailing_stop) std::erase(rules_->trailing, index);
}

template <class Ids>
void OrderBook<Ids>::forget(OrderIndex index) noexcept {
  ids_->erase(ids_->find({(*pool_)[index].id}, *pool_).position);
  pool_->give_back(index);
}

// What is left of an order at work, which has a record and is in no queue: it rests, or it is over.
template <class Ids>
template <class Consumer>
void OrderBook<Ids>::finish(OrderIndex index, Working& working, Queue queue, Price price, Consumer& consumer) {
  if (working.left != 0 && working.ended == Reason::none) {
    if (put(index, queue, price, working.left)) return;
    working.ended = Reason::pool_exhausted;
  }
  if (working.left != 0) tell_cancelled(working, price, working.ended, consumer);
  leave_lists(index);
  forget(index);
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::tell_cancelled(const Working& working, Price price, Reason reason, Consumer& consumer) {
  tell(consumer, Cancelled{.id = working.id,
                           .price = price,
                           .quantity = {working.left},
                           .account = working.account,
                           .symbol = {symbol_},
                           .side = working.side,
                           .reason = reason,
                           .arrival_ns = working.arrival_ns});
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::end_by_rules(OrderIndex index, Reason reason, std::int64_t arrival_ns, Consumer& consumer) {
  const Order& order = (*pool_)[index];
  const Cancelled cancelled{.id = {order.id},
                            .price = price_by_rules(index),
                            .quantity = {order.open + pool_->terms(index).reserve},
                            .account = {order.account},
                            .symbol = {symbol_},
                            .side = order.side(),
                            .reason = reason,
                            .arrival_ns = arrival_ns};
  take_out(index);
  leave_lists(index);
  forget(index);
  tell(consumer, cancelled);
}

// Side by side: what is shown, hidden, all-or-none, the stops, what is without a price, what is parked; the best first,
// the oldest first.
template <class Ids>
template <class Consumer, class Wanted>
void OrderBook<Ids>::end_all_by_rules(Reason reason, std::int64_t arrival_ns, Wanted&& wanted, Consumer& consumer) {
  for (const Side side : {Side::buy, Side::sell}) {
    for (const Queue queue : {Queue::shown, Queue::hidden, Queue::all_or_none, Queue::stops}) {
      const PriceLadder& orders = queue_of(queue, side);
      for (const Level* level = orders.empty() ? nullptr : &orders.best(); level != nullptr;) {
        const Key key = orders.key_of(level->price);
        for (OrderIndex index = level->oldest, newer = 0; index != 0; index = newer) {
          newer = (*pool_)[index].newer;
          if (wanted((*pool_)[index])) end_by_rules(index, reason, arrival_ns, consumer);
        }
        level = orders.next_worse(key);
      }
    }
    for (OrderIndex index = rules_->at_market[side == Side::sell].oldest, newer = 0; index != 0; index = newer) {
      newer = (*pool_)[index].newer;
      if (wanted((*pool_)[index])) end_by_rules(index, reason, arrival_ns, consumer);
    }
    for (auto* list : {&rules_->pegs, &rules_->trailing})
      for (std::size_t i = 0; i < list->size();) {
        const OrderIndex index = (*list)[i];
        const Order& order = (*pool_)[index];
        if (pool_->terms(index).queue == Queue::parked && order.side() == side && wanted(order))
          end_by_rules(index, reason, arrival_ns, consumer);
        else
          ++i;
      }
  }
}

template <class Ids>
template <class F>
void OrderBook<Ids>::for_each_by_rules(F&& f) const {
  for (const Side side : {Side::buy, Side::sell}) {
    for (const Queue queue : {Queue::shown, Queue::hidden, Queue::all_or_none, Queue::stops}) {
      const PriceLadder& orders = queue_of(queue, side);
      for (const Level* level = orders.empty() ? nullptr : &orders.best(); level != nullptr;
           level = orders.next_worse(orders.key_of(level->price)))
        for (OrderIndex index = level->oldest; index != 0; index = (*pool_)[index].newer) f(index);
    }
    for (OrderIndex index = rules_->at_market[side == Side::sell].oldest; index != 0; index = (*pool_)[index].newer)
      f(index);
    for (const auto* list : {&rules_->pegs, &rules_->trailing})
      for (const OrderIndex index : *list)
        if (pool_->terms(index).queue == Queue::parked && (*pool_)[index].side() == side) f(index);
  }
}

// ---- queries -----------------------------------------------------------------------------------------------------

template <class Ids>
Price OrderBook<Ids>::price_by_rules(OrderIndex index) const noexcept {
  const OrderTerms& terms = pool_->terms(index);
  if (terms.queue >= Queue::stops) return terms.price;
  const Order& order = (*pool_)[index];
  return queue_of(terms.queue, order.side()).level_of(order).price;
}

// A line for each price; hidden orders in brackets, all-or-none orders in braces, reserves after a plus; orders without
// a price between the sides. Then the stops.
template <class Ids>
std::string OrderBook<Ids>::text_by_rules() const {
  std::array<std::map<std::int64_t, std::string>, 2> lines, stops;
  std::array<std::string, 2> at_market;
  std::string parked;
  for_each_by_rules([&](OrderIndex index) {
    const Order& order = (*pool_)[index];
    const OrderTerms& terms = pool_->terms(index);
    std::string text = std::to_string(order.id) + ':' + std::to_string(order.open);
    if (terms.reserve != 0) text += '+' + std::to_string(terms.reserve);
    if (terms.queue == Queue::hidden) text = '(' + text + ')';
    if (terms.queue == Queue::all_or_none) text = '{' + text + '}';
    text = ' ' + text;
    const std::size_t at = order.side() == Side::sell;
    if (terms.queue == Queue::parked)
      parked += text;
    else if (terms.queue == Queue::at_market)
      at_market[at] += text;
    else if (terms.queue == Queue::stops)
      stops[at][queue_of(Queue::stops, order.side()).level_of(order).price.units] += text;
    else
      lines[at][price_by_rules(index).units] += text;
  });
  std::string text;
  for (auto line = lines[1].rbegin(); line != lines[1].rend(); ++line)
    text += "sell " + std::to_string(line->first) + " |" + line->second + '\n';
  if (!at_market[1].empty()) text += "sell market |" + at_market[1] + '\n';
  if (!at_market[0].empty()) text += "buy  market |" + at_market[0] + '\n';
  for (auto line = lines[0].rbegin(); line != lines[0].rend(); ++line)
    text += "buy  " + std::to_string(line->first) + " |" + line->second + '\n';
  for (std::size_t at = 0; at < 2; ++at)
    for (const auto& [price, orders] : stops[at])
      text += std::string(at == 0 ? "stop to buy " : "stop to sell ") + std::to_string(price) + " |" + orders + '\n';
  if (!parked.empty()) text += "parked |" + parked + '\n';
  return text;
}

template <class Ids>
std::string OrderBook<Ids>::check_by_rules() const {
  std::size_t orders = 0;
  std::string wrong;
  for (const Side side : {Side::buy, Side::sell})
    for (const Queue queue : {Queue::hidden, Queue::all_or_none, Queue::stops})
      if (const std::string found = queue_of(queue, side).check(*pool_, side); !found.empty())
        return std::string("queue ") + std::to_string(static_cast<int>(queue)) + ": " + found;
  for (std::size_t at = 0; at < 2; ++at) {
    Volume volume = 0;
    for (OrderIndex index = rules_->at_market[at].oldest; index != 0; index = (*pool_)[index].newer)
      volume += (*pool_)[index].open;
    if (volume != rules_->at_market[at].volume) return "the volume without a price is not the sum of the orders";
    const OrderIndex top = rules_->top[at];
    if (top != 0 && (pool_->terms(top).queue != Queue::shown || ((*pool_)[top].side() == Side::sell) != (at == 1)))
      return "the top order is not displayed on its side";
  }
  for_each_by_rules([&](OrderIndex index) {
    ++orders;
    const Order& order = (*pool_)[index];
    const OrderTerms& terms = pool_->terms(index);
    const auto is_wrong = [&](const char* what) { wrong = "order " + std::to_string(order.id) + what; };
    if (ids_->find({order.id}, *pool_).order != index) is_wrong(" is not found by its id");
    if (order.open == 0) is_wrong(" has nothing open");
    if (terms.reserve != 0 && (terms.queue != Queue::shown || !has(terms.terms, Terms::reserve)))
      is_wrong(" has a reserve without being an iceberg");
    if (has(terms.terms, Terms::reserve) && order.open > terms.part) is_wrong(" displays too much");
    if (terms.queue < Queue::stops && terms.queue != resting_queue(terms.terms) && !is_peg(terms.type))
      is_wrong(" is in a wrong queue");
    if (terms.queue == Queue::at_market && (rules_->phase == Phase::continuous || rules_->phase == Phase::closed))
      is_wrong(" has no price and no auction to wait for");
    if (terms.time_in_force == TimeInForce::good_till_time && terms.expires_s < rules_->next_expiry_s)
      is_wrong(" would not expire");
    if (rules_->phase == Phase::continuous && is_peg(terms.type)) {
      const std::optional<Price> price = peg_price(index);
      if (price ? terms.queue != Queue::hidden || price_by_rules(index) != *price : terms.queue != Queue::parked)
        is_wrong(" is pegged to a wrong price");
    }
  });
  if (!wrong.empty()) return wrong;
  if (own_ids_ && own_ids_->size() != orders) return "the table of ids has another number of orders";
  if (rules_->phase != Phase::continuous) return {};
  for (const Side side : {Side::buy, Side::sell}) {
    const PriceLadder &hidden = queue_of(Queue::hidden, side), &stops = queue_of(Queue::stops, side);
    if (!hidden.empty() && best_maker(side) != PriceLadder::no_key && best_maker(side) >= -hidden.best_key())
      return "hidden orders are crossed";
    if (rules_->last && !stops.empty() && stops.best_key() >= stops.key_of(*rules_->last))
      return "a stop should have been triggered";
  }
  return {};
}

}  // namespace outcry
