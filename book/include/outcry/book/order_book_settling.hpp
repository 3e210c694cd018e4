// How a book with rules settles after a command: stops, pegs, all-or-none orders; part of order_book.hpp.
//
// Until nothing moves any more it
//   1. triggers a stop: one to buy before one to sell, the first trigger first, the oldest first,
//   2. moves the pegs whose price is not what it should be, in order of entry; one that crosses trades on its way in,
//   3. lets an all-or-none order trade that now can: bids first, the best first, the oldest first,
// beginning anew after each thing that happened. It looks at the last trade when an order has done its work, not at
// the trades on its way. Each step takes orders or quantity out of what waits, so it comes to an end. A breach of the
// dynamic band ends it at once if a volatility auction is to begin.
//
// Limits: pegs and trailing stops are walked after every command that may move them.
#pragma once

#include <outcry/book/order_book.hpp>

namespace outcry {

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::settle(Consumer& consumer) {
  do {
    if (rules_->band_is_breached) {
      rules_->band_is_breached = false;
      rules_->phase = Phase::auction;
      tell_more(consumer, PhaseChanged{.symbol = {symbol_}, .phase = Phase::auction});
    }
  } while (rules_->phase == Phase::continuous &&
           (trigger_one(consumer) || move_one_peg(consumer) || fill_one_all_or_none(consumer)));
}

// Stop prices that follow the last trade; they never move away from it.
template <class Ids>
void OrderBook<Ids>::trail() noexcept {
  for (const OrderIndex index : rules_->trailing) {
    const OrderTerms& terms = pool_->terms(index);
    const Order& order = (*pool_)[index];
    const bool buys = order.side() == Side::buy;
    const Price wanted = buys ? *rules_->last + terms.trigger : *rules_->last - terms.trigger;
    if (!ladder(Side::buy).in_range(wanted.units)) continue;
    if (terms.queue == Queue::stops) {
      const Price now = queue_of(Queue::stops, order.side()).level_of(order).price;
      if (buys ? wanted >= now : wanted <= now) continue;
    }
    const std::uint32_t open = order.open;
    take_out(index);
    put(index, Queue::stops, wanted, open);  // without memory for it, it waits, parked, for the next time
  }
}

template <class Ids>
template <class Consumer>
bool OrderBook<Ids>::trigger_one(Consumer& consumer) {
  if (!rules_->last) return false;
  const Price last = *rules_->last;
  trail();
  for (const Side side : {Side::buy, Side::sell}) {
    const PriceLadder& stops = queue_of(Queue::stops, side);
    if (stops.empty() || stops.best_key() < stops.key_of(last)) continue;
    const OrderIndex index = stops.best().oldest;
    const Order& order = (*pool_)[index];
    OrderTerms& terms = pool_->terms(index);
    const bool is_market = terms.type != SpecialType::stop_limit;
    const Price price = terms.price;
    Working working{{order.id}, {order.account}, side, order.open, 0};
    take_out(index);
    leave_lists(index);
    terms.type = is_market ? SpecialType::market : SpecialType::limit;
    tell_more(consumer, Triggered{.id = working.id,
                                  .last = last,
                                  .price = is_market ? Price{} : price,
                                  .quantity = {working.left},
                                  .account = working.account,
                                  .symbol = {symbol_},
                                  .side = side,
                                  .is_market = is_market});
    trade(working, is_market ? market_bound(side) : -PriceLadder::key_of(side, price), consumer);
    if (is_market) end_at_market(working);
    finish(index, working, is_market ? Queue::at_market : Queue::shown, price, consumer);
    return true;
  }
  return false;
}

// The price that a peg should have now; none if there is nothing to be pegged to.
template <class Ids>
std::optional<Price> OrderBook<Ids>::peg_price(OrderIndex index) const noexcept {
  const OrderTerms& terms = pool_->terms(index);
  const Side side = (*pool_)[index].side();
  const bool buys = side == Side::buy;
  Price price;
  if (terms.type == SpecialType::midpoint_peg) {
    const PriceLadder &own = ladder(side), &other = ladder(opposite(side));
    if (own.empty() || other.empty()) return std::nullopt;
    // From the own side half of the way, rounded down.
    const std::int64_t half = (other.best().price - own.best().price) / 2;
    price = own.best().price + half;
  } else {
    const PriceLadder& to = ladder(terms.type == SpecialType::primary_peg ? side : opposite(side));
    if (to.empty()) return std::nullopt;
    price = to.best().price;
  }
  price = price + terms.trigger;
  price = buys ? std::min(price, terms.price) : std::max(price, terms.price);
  if (!ladder(side).in_range(PriceLadder::key_of(side, price))) return std::nullopt;
  return price;
}

template <class Ids>
template <class Consumer>
bool OrderBook<Ids>::move_one_peg(Consumer& consumer) {
  bool moved = false;
  for (std::size_t i = 0; i < rules_->pegs.size(); ++i) {
    const OrderIndex index = rules_->pegs[i];
    const Order& order = (*pool_)[index];
    const bool is_parked = pool_->terms(index).queue == Queue::parked;
    const std::optional<Price> price = peg_price(index);
    if (price ? !is_parked && price_by_rules(index) == *price : is_parked) continue;

    Working working{{order.id}, {order.account}, order.side(), order.open, 0};
    const std::uint64_t events = counts_.events;
    take_out(index);
    tell_more(consumer, Repriced{.id = working.id,
                                 .price = price.value_or(Price{}),
                                 .account = working.account,
                                 .symbol = {symbol_},
                                 .open = {working.left},
                                 .side = working.side,
                                 .is_parked = !price});
    moved = true;
    if (!price) continue;
    trade(working, -PriceLadder::key_of(working.side, *price), consumer);
    finish(index, working, Queue::hidden, *price, consumer);
    // What the others are pegged to may be another, or they may have an auction to wait for.
    if (counts_.events != events + 1 || rules_->band_is_breached) return true;
  }
  return moved;
}

template <class Ids>
template <class Consumer>
bool OrderBook<Ids>::fill_one_all_or_none(Consumer& consumer) {
  for (const Side side : {Side::buy, Side::sell}) {
    const PriceLadder& waiting = queue_of(Queue::all_or_none, side);
    const Key best = std::max(best_maker(side), queue_of(Queue::all_or_none, opposite(side)).best_key());
    for (const Level* level = waiting.empty() ? nullptr : &waiting.best();
         level != nullptr && best >= -waiting.key_of(level->price);
         level = waiting.next_worse(waiting.key_of(level->price))) {
      const Key bound = -waiting.key_of(level->price);
      for (OrderIndex index = level->oldest; index != 0; index = (*pool_)[index].newer) {
        const Order& order = (*pool_)[index];
        Working working{{order.id}, {order.account}, side, order.open, 0};
        if (!can_trade(working, with_band(side, bound), working.left)) continue;
        const Price price = level->price;
        take_out(index);
        trade(working, bound, consumer);
        finish(index, working, Queue::all_or_none, price, consumer);
        return true;
      }
    }
  }
  return false;
}

}  // namespace outcry
