// Call auctions and the phases of a book with rules; part of order_book.hpp.
//
// While an auction collects, orders rest without trading and nothing settles; market orders and market-to-limit orders
// wait without a price. It ends when continuous trading begins, at the opening or after a halt, or when the book closes:
// then everything that crosses trades at one price, best first: orders without a price, then by price, displayed before
// hidden, the oldest first; the reserve of an iceberg too, each part at the back of its queue. All-or-none orders, stops
// and pegs without a price do not take part. From a halt a book closes without trading; what crosses waits.
//
// The price is the one at which most trades; then with the least imbalance; then nearest to the last trade, or to the
// rules' reference; then the lowest. It is never beyond the prices that orders have, whatever those without one would
// take; if none has a price it is the last trade or the reference.
//
// After that market-to-limit orders rest with what they have left at the auction's price, and what is left of market
// orders (no_liquidity) and of orders good for an auction (auction_over) leaves.
//
// Self-trade prevention: the price is found as if there were none. Where two orders of one account meet they both become
// smaller by what they would have traded, under every rule that is not `allowed`: nobody came first in an auction, and so
// all others trade what they would have traded anyway.
//
// A volatility auction begins when an order at work has done its work that would have gone on beyond the dynamic band:
// what is left of it is collected with the others, a market order without a price; immediate-or-cancel orders leave.
// Whoever runs the venue ends it, as any auction, with ChangePhase.
#pragma once

#include <outcry/book/order_book.hpp>

namespace outcry {

template <class Ids>
template <EventConsumer Consumer>
void OrderBook<Ids>::change_phase(const ChangePhase& command, Consumer&& consumer) {
  [[maybe_unused]] const SoundAtTheEnd sound{*this};
  const auto refuse = [&](Reason reason) { reject(command, CommandKind::phase, reason, consumer); };
  if (command.symbol.value != symbol_) return refuse(Reason::unknown_symbol);
  if (!rules_) return refuse(Reason::unsupported);
  if (command.phase > Phase::closed) return refuse(Reason::invalid_combination);

  const Phase before = rules_->phase;
  const bool opens = command.phase == Phase::continuous && before != Phase::continuous;
  const bool closes = command.phase == Phase::closed && before != Phase::closed;
  if (opens || closes) {
    if (!has_room_for_auction()) return refuse(Reason::pool_exhausted);
    end_auction(opens || before == Phase::auction, command.arrival_ns, consumer);
  }
  rules_->phase = command.phase;
  tell_more(consumer, PhaseChanged{.symbol = command.symbol, .phase = command.phase, .arrival_ns = command.arrival_ns});
  settle(consumer);
}

template <class Ids>
bool OrderBook<Ids>::has_room_for_auction() const noexcept {
  for (const Side side : {Side::buy, Side::sell}) {
    std::pmr::vector<AuctionDemand>& demand = rules_->demand[side == Side::sell];
    demand.clear();
    const std::size_t levels = ladder(side).level_count() + queue_of(Queue::hidden, side).level_count();
    if (!RuleState::has_room(demand, levels)) return false;
  }
  return true;
}

template <class Ids>
std::optional<Uncrossed> OrderBook<Ids>::indicative() const noexcept {
  if (!rules_ || !has_room_for_auction()) return std::nullopt;
  const auto at_market = [&](Side side) { return rules_->at_market[side == Side::sell].volume; };
  const auto demand_of = [&](Side side) -> std::pmr::vector<AuctionDemand>& {
    return rules_->demand[side == Side::sell];
  };
  // What wants to trade at a key or a better one, best first, as far as it meets anything.
  for (const Side side : {Side::buy, Side::sell}) {
    std::pmr::vector<AuctionDemand>& own = demand_of(side);
    const Key other = best_maker(side);
    if (other == PriceLadder::no_key && at_market(opposite(side)) == 0) return std::nullopt;
    const Key worst = at_market(opposite(side)) != 0 ? PriceLadder::no_key + 1 : -other;
    for (const Queue queue : {Queue::shown, Queue::hidden}) {
      const PriceLadder& orders = queue_of(queue, side);
      for (const Level* level = orders.empty() ? nullptr : &orders.best();
           level != nullptr && orders.key_of(level->price) >= worst;
           level = orders.next_worse(orders.key_of(level->price))) {
        Volume volume = level->volume;
        for (OrderIndex index = level->oldest; index != 0; index = (*pool_)[index].newer)
          volume += pool_->terms(index).reserve;
        own.push_back({orders.key_of(level->price), volume});
      }
    }
    std::sort(own.begin(), own.end(), [](const AuctionDemand& a, const AuctionDemand& b) { return a.key > b.key; });
    for (std::size_t i = 1; i < own.size(); ++i) own[i].volume += own[i - 1].volume;
  }
  std::optional<Price> lowest, highest;
  for (const Side side : {Side::buy, Side::sell})
    if (const auto& own = demand_of(side); !own.empty()) {
      const Price best = ladder(side).price_of(own.front().key), worst = ladder(side).price_of(own.back().key);
      lowest = std::min({lowest.value_or(best), best, worst});
      highest = std::max({highest.value_or(best), best, worst});
    }
  const auto volume_at_best = [&](Side side, Price price) -> Volume {
    const std::pmr::vector<AuctionDemand>& own = demand_of(side);
    const auto end = std::upper_bound(own.begin(), own.end(), PriceLadder::key_of(side, price),
                                      [](Key key, const AuctionDemand& demand) { return key > demand.key; });
    return at_market(side) + (end == own.begin() ? 0 : std::prev(end)->volume);
  };

  const Price reference = rules_->last.value_or(rules_->rules.reference);
  const auto distance = [&](Price price) { return price > reference ? price - reference : reference - price; };
  const auto size = [](std::int64_t n) { return n < 0 ? -n : n; };
  std::optional<Uncrossed> best;
  const auto consider = [&](Price price) {
    if (lowest && (price < *lowest || price > *highest)) return;
    const Volume bid = volume_at_best(Side::buy, price), offered = volume_at_best(Side::sell, price);
    const Uncrossed here{.price = price,
                         .volume = std::min(bid, offered),
                         .imbalance = static_cast<std::int64_t>(bid) - static_cast<std::int64_t>(offered),
                         .symbol = {symbol_}};
    if (here.volume == 0) return;
    bool better = !best || here.volume > best->volume;
    if (best && here.volume == best->volume) {
      better = size(here.imbalance) < size(best->imbalance);
      if (size(here.imbalance) == size(best->imbalance))
        better = distance(price) < distance(best->price) ||
                 (distance(price) == distance(best->price) && price < best->price);
    }
    if (better) best = here;
  };
  for (const Side side : {Side::buy, Side::sell})
    for (const AuctionDemand& demand : demand_of(side)) {
      const Price price = ladder(side).price_of(demand.key);
      consider(price);
      // Between two orders' prices the imbalance may be less: the prices next to theirs stand for all of those.
      for (const Price next : {rules_->next_above(price, instrument_), rules_->next_below(price, instrument_)})
        if (refusal_by_rules(next) == Reason::none) consider(next);
    }
  if (refusal_by_rules(reference) == Reason::none) consider(reference);
  return best;
}

// Who trades next in an uncross; 0 if a side has nobody.
template <class Ids>
OrderIndex OrderBook<Ids>::first_in_auction(Side side) const noexcept {
  if (const OrderIndex index = rules_->at_market[side == Side::sell].oldest; index != 0) return index;
  const PriceLadder &shown = ladder(side), &hidden = queue_of(Queue::hidden, side);
  const PriceLadder& best = shown.best_key() >= hidden.best_key() ? shown : hidden;
  return best.empty() ? 0 : best.best().oldest.get();
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::uncross(const Uncrossed& found, std::int64_t arrival_ns, Consumer& consumer) {
  tell_more(consumer, found);
  for (Volume left = found.volume; left != 0;) {
    const std::array<OrderIndex, 2> at{first_in_auction(Side::buy), first_in_auction(Side::sell)};
    Order &buyer = (*pool_)[at[0]], &seller = (*pool_)[at[1]];
    const auto quantity = static_cast<std::uint32_t>(std::min<Volume>({left, Volume{buyer.open}, Volume{seller.open}}));
    left -= quantity;
    const std::array<Price, 2> prices{price_by_rules(at[0]), price_by_rules(at[1])};
    for (const OrderIndex index : at) take_off(index, quantity);
    if (rules_->is_self(buyer.account, seller.account)) {
      for (const OrderIndex index : at) {
        const Order& order = (*pool_)[index];
        tell_smaller({.id = {order.id},
                      .account = {order.account},
                      .side = order.side(),
                      .left = order.open + pool_->terms(index).reserve,
                      .arrival_ns = arrival_ns},
                     found.price, quantity, pool_->terms(index).reserve, consumer);
      }
    } else {
      rules_->last = found.price;
      ++counts_.trades;
      counts_.traded += quantity;
      tell(consumer, Traded{.maker = {seller.id},
                            .taker = {buyer.id},
                            .price = found.price,
                            .quantity = {quantity},
                            .maker_open = {seller.open + pool_->terms(at[1]).reserve},
                            .maker_account = {seller.account},
                            .taker_account = {buyer.account},
                            .symbol = {symbol_},
                            .taker_side = Side::buy});
    }
    for (std::size_t i = 0; i < 2; ++i)
      if ((*pool_)[at[i]].open == 0) use_up(at[i], prices[i], consumer);
  }
}

template <class Ids>
template <class Consumer>
void OrderBook<Ids>::end_auction(bool trades, std::int64_t arrival_ns, Consumer& consumer) {
  const std::optional<Uncrossed> found = trades ? indicative() : std::nullopt;
  if (found) uncross(*found, arrival_ns, consumer);
  for (const Side side : {Side::buy, Side::sell})
    for (OrderIndex index = rules_->at_market[side == Side::sell].oldest, newer = 0; index != 0; index = newer) {
      const Order& order = (*pool_)[index];
      OrderTerms& terms = pool_->terms(index);
      newer = order.newer;
      if (terms.type != SpecialType::market_to_limit || !found) {
        end_by_rules(index, Reason::no_liquidity, arrival_ns, consumer);
        continue;
      }
      Working working{{order.id}, {order.account}, side, order.open, arrival_ns};
      take_out(index);
      terms.type = SpecialType::limit;
      terms.price = found->price;
      tell_more(consumer, Repriced{.id = working.id,
                                   .price = found->price,
                                   .account = working.account,
                                   .symbol = {symbol_},
                                   .open = {working.left},
                                   .side = side});
      finish(index, working, Queue::shown, found->price, consumer);
    }
  end_all_by_rules(
      Reason::auction_over, arrival_ns,
      [&](const Order& order) { return pool_->terms(index_of(order)).time_in_force == TimeInForce::good_for_auction; },
      consumer);
}

}  // namespace outcry
