// ObviousBook: the rules of OrderBook once more, slowly and plainly: the reference that the fast book is compared with.
//
// A map of lists for each side, nothing kept that can be counted. With a Plant it breaks one rule on purpose, so that a
// test can show that the comparison would find such a mistake.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <outcry/book/order_book.hpp>

namespace outcry_test {

using namespace outcry;

enum class Plant {
  none,
  youngest_trades_first,
  same_size_keeps_its_place,
  smaller_size_loses_its_place,
  fill_or_kill_looks_at_one_level,
  limit_stops_one_tick_early,
  replace_forgets_post_only,
  used_ids_stay_taken,
};

class ObviousBook {
 public:
  struct Resting {
    OrderId id;
    std::uint32_t open;
    AccountId account;
    TimeInForce time_in_force;
    PostOnly post_only;
  };

  ObviousBook(const Instrument& instrument, std::size_t limit, Plant plant = Plant::none)
      : instrument_(instrument), limit_(limit), plant_(plant) {}

  template <class Consumer>
  void submit(const NewOrder& c, Consumer&& consumer) {
    Reason reason = refusal_of_new(c);
    if (reason == Reason::none && is_taken(c.id)) reason = Reason::duplicate_id;
    const bool market = c.type == OrderType::market;
    const bool rests =
        !market && (c.time_in_force == TimeInForce::good_till_cancelled || c.time_in_force == TimeInForce::day);
    if (reason == Reason::none && c.post_only == PostOnly::yes && would_trade(c.side, c.price))
      reason = Reason::would_trade;
    if (reason == Reason::none && rests && !would_trade(c.side, c.price) && order_count() == limit_)
      reason = Reason::pool_exhausted;
    if (reason != Reason::none) return reject(c.id, {}, c, CommandKind::new_order, reason, consumer);

    consumer.on(Accepted{c.id, c.price, c.quantity, c.account, c.symbol, c.side, c.type, c.time_in_force, c.post_only,
                         c.arrival_ns});
    trade_and_rest(c, consumer);
  }

  template <class Consumer>
  void rest(const NewOrder& c, Consumer&& consumer) {
    Reason reason = refusal_of_new(c);
    if (reason == Reason::none && (c.type != OrderType::limit || c.time_in_force > TimeInForce::day))
      reason = Reason::invalid_combination;
    if (reason == Reason::none && is_taken(c.id)) reason = Reason::duplicate_id;
    if (reason == Reason::none && order_count() == limit_) reason = Reason::pool_exhausted;
    if (reason != Reason::none) return reject(c.id, {}, c, CommandKind::new_order, reason, consumer);
    consumer.on(Accepted{c.id, c.price, c.quantity, c.account, c.symbol, c.side, c.type, c.time_in_force, c.post_only,
                         c.arrival_ns});
    put(c.side, c.price, {c.id, c.quantity.lots, c.account, c.time_in_force, c.post_only});
  }

  template <class Consumer>
  void cancel(const CancelOrder& c, Consumer&& consumer) {
    if (c.symbol != instrument_.symbol)
      return reject(c.id, {}, c, CommandKind::cancel, Reason::unknown_symbol, consumer);
    const auto at = locate(c.id, c.account);
    if (!at) return reject(c.id, {}, c, CommandKind::cancel, Reason::unknown_order, consumer);
    end(*at, Reason::requested, c.arrival_ns, consumer);
  }

  template <class Consumer>
  void reduce(const ReduceOrder& c, Consumer&& consumer) {
    const auto at = locate(c.id, c.account);
    Reason reason = Reason::none;
    if (c.symbol != instrument_.symbol)
      reason = Reason::unknown_symbol;
    else if (!at)
      reason = Reason::unknown_order;
    else if (c.by.lots == 0)
      reason = Reason::zero_quantity;
    else if (c.by.lots > at->order->open)
      reason = Reason::quantity_exceeds_open;
    else if (c.by.lots % instrument_.lot != 0)
      reason = Reason::off_lot;
    if (reason != Reason::none) return reject(c.id, {}, c, CommandKind::reduce, reason, consumer);
    if (c.by.lots == at->order->open) return end(*at, Reason::requested, c.arrival_ns, consumer);
    at->order->open -= c.by.lots;
    consumer.on(
        Reduced{c.id, at->price, c.by, {at->order->open}, c.account, c.symbol, at->side, 0, 0, {}, c.arrival_ns});
  }

  template <class Consumer>
  void modify(const ModifyOrder& c, Consumer&& consumer) {
    auto at = locate(c.id, c.account);
    Reason reason = Reason::none;
    if (c.symbol != instrument_.symbol)
      reason = Reason::unknown_symbol;
    else if (!at)
      reason = Reason::unknown_order;
    if (reason == Reason::none) reason = refusal_of(c.quantity);
    if (reason == Reason::none) reason = refusal_of(c.price);
    bool keeps = false;
    if (reason == Reason::none) {
      keeps = c.price == at->price && c.quantity.lots < at->order->open;
      if (plant_ == Plant::same_size_keeps_its_place)
        keeps = c.price == at->price && c.quantity.lots <= at->order->open;
      if (plant_ == Plant::smaller_size_loses_its_place) keeps = false;
      if (!keeps && at->order->post_only == PostOnly::yes && would_trade(at->side, c.price))
        reason = Reason::would_trade;
    }
    if (reason != Reason::none) return reject(c.id, {}, c, CommandKind::modify, reason, consumer);

    const Side side = at->side;
    std::uint32_t open = c.quantity.lots;
    if (keeps) {
      at->order->open = open;
    } else {
      Resting order = *at->order;
      take_out(*at);
      order.open = open = match(c.id, c.account, side, {false, c.price}, c.quantity.lots, consumer);
      if (order.open != 0) put(side, c.price, order);
    }
    consumer.on(
        Modified{c.id, c.price, c.quantity, c.account, c.symbol, side, keeps, 0, Quantity{open}, 0, c.arrival_ns});
  }

  template <class Consumer>
  void replace(const ReplaceOrder& c, Consumer&& consumer) {
    auto at = locate(c.id, c.account);
    Reason reason = Reason::none;
    if (c.symbol != instrument_.symbol)
      reason = Reason::unknown_symbol;
    else if (!at)
      reason = Reason::unknown_order;
    if (reason == Reason::none) reason = refusal_of(c.quantity);
    if (reason == Reason::none) reason = refusal_of(c.price);
    if (reason == Reason::none && c.new_id == OrderId{}) reason = Reason::invalid_combination;
    if (reason == Reason::none && is_taken(c.new_id)) reason = Reason::duplicate_id;
    if (reason == Reason::none && at->order->post_only == PostOnly::yes && would_trade(at->side, c.price) &&
        plant_ != Plant::replace_forgets_post_only)
      reason = Reason::would_trade;
    if (reason != Reason::none) return reject(c.id, c.new_id, c, CommandKind::replace, reason, consumer);

    const Side side = at->side;
    Resting order = *at->order;
    take_out(*at);
    consumer.on(Replaced{c.id, c.new_id, c.price, c.quantity, c.account, c.symbol, side, 0, 0, c.arrival_ns});
    order.id = c.new_id;
    order.open = match(c.new_id, c.account, side, {false, c.price}, c.quantity.lots, consumer);
    if (order.open != 0) put(side, c.price, order);
  }

  template <class Consumer>
  void replace(const ReplaceTerms& replacement, Consumer&& consumer) {
    const OrderId old = replacement.id;
    const SpecialOrder& c = replacement.order;
    auto at = locate(old, c.account);
    NewOrder order{c.id, c.price, c.quantity, c.account, c.symbol, c.side, {}, c.time_in_force, {}, c.arrival_ns};
    if (c.type == SpecialType::market) order.type = OrderType::market;
    if (c.terms == Terms::post_only) order.post_only = PostOnly::yes;
    const bool plain = c.type <= SpecialType::market && c.time_in_force <= TimeInForce::fill_or_kill &&
                       (c.terms == Terms::none || c.terms == Terms::post_only);
    Reason reason = Reason::none;
    if (c.symbol != instrument_.symbol)
      reason = Reason::unknown_symbol;
    else if (!at)
      reason = Reason::unknown_order;
    else if (c.side != at->side)
      reason = Reason::invalid_combination;
    else if (!plain)
      reason = Reason::unsupported;
    if (reason == Reason::none) reason = refusal_of_new(order);
    if (reason == Reason::none && is_taken(c.id)) reason = Reason::duplicate_id;
    if (reason == Reason::none && order.post_only == PostOnly::yes && would_trade(c.side, c.price) &&
        plant_ != Plant::replace_forgets_post_only)
      reason = Reason::would_trade;
    if (reason != Reason::none) return reject(old, c.id, c, CommandKind::replace, reason, consumer);
    take_out(*at);
    consumer.on(Replaced{old, c.id, c.price, c.quantity, c.account, c.symbol, c.side, 0, 0, c.arrival_ns});
    trade_and_rest(order, consumer);
  }

  template <class Consumer>
  void end_of_day(const EndOfDay& c, Consumer&& consumer) {
    if (c.symbol != instrument_.symbol)
      return reject({}, {}, c, CommandKind::end_of_day, Reason::unknown_symbol, consumer);
    end_all([](const Resting& order) { return order.time_in_force == TimeInForce::day; }, Reason::end_of_day,
            c.arrival_ns, consumer);
  }

  template <class Consumer>
  void clear(Reason reason, Consumer&& consumer) {
    end_all([](const Resting&) { return true; }, reason, 0, consumer);
  }

  template <class Consumer>
  void execute(const Execution& c, Consumer&& consumer) {
    const auto at = locate(c.id, std::nullopt);
    Reason reason = Reason::none;
    if (!at)
      reason = Reason::unknown_order;
    else if (c.quantity.lots == 0)
      reason = Reason::zero_quantity;
    else if (c.quantity.lots > at->order->open)
      reason = Reason::quantity_exceeds_open;
    if (reason != Reason::none)
      return consumer.on(Rejected{c.id, {}, {}, instrument_.symbol, CommandKind::execute, reason, 0, 0, c.arrival_ns});
    at->order->open -= c.quantity.lots;
    consumer.on(Traded{c.id,
                       {},
                       c.price.value_or(at->price),
                       c.quantity,
                       {at->order->open},
                       at->order->account,
                       {},
                       instrument_.symbol,
                       opposite(at->side),
                       0,
                       0});
    if (at->order->open == 0) take_out(*at);
  }

  Quote quote() const {
    Quote quote{.symbol = instrument_.symbol};
    DepthLevel best;
    if (depth(Side::buy, {&best, 1}) == 1) quote.bid = best.price, quote.bid_quantity = shown(best.volume);
    if (depth(Side::sell, {&best, 1}) == 1) quote.ask = best.price, quote.ask_quantity = shown(best.volume);
    return quote;
  }

  std::size_t depth(Side side, std::span<DepthLevel> out) const {
    std::size_t count = 0;
    for (const auto& [key, level] : side_of(side)) {
      if (count == out.size()) break;
      DepthLevel shown{.price = {side == Side::buy ? -key : key}, .orders = static_cast<std::uint32_t>(level.size())};
      for (const Resting& order : level) shown.volume += order.open;
      out[count++] = shown;
    }
    return count;
  }

  std::optional<OrderView> find(OrderId id) const {
    const auto at = const_cast<ObviousBook*>(this)->locate(id, std::nullopt);
    if (!at) return std::nullopt;
    return OrderView{
        id, at->price, {at->order->open}, at->order->account, at->side, at->order->time_in_force, at->order->post_only};
  }

  Volume quantity_ahead(OrderId id) const {
    const auto at = const_cast<ObviousBook*>(this)->locate(id, std::nullopt);
    Volume sum = 0;
    if (at)
      for (auto order = at->level->begin(); order != at->order; ++order) sum += order->open;
    return sum;
  }

  bool is_ahead_of(OrderId a, OrderId b) const {
    const auto first = const_cast<ObviousBook*>(this)->locate(a, std::nullopt);
    const auto second = const_cast<ObviousBook*>(this)->locate(b, std::nullopt);
    if (!first || !second || first->level != second->level || a == b) return false;
    for (const Resting& order : *first->level) {
      if (order.id == a) return true;
      if (order.id == b) return false;
    }
    return false;
  }

  std::size_t order_count() const { return where_.size(); }

  std::string to_string() const {
    std::string text;
    const auto line = [&](const char* side, std::int64_t price, const std::list<Resting>& level) {
      text += side + std::to_string(price) + " |";
      for (const Resting& order : level)
        text += ' ' + std::to_string(order.id.value) + ':' + std::to_string(order.open);
      text += '\n';
    };
    for (auto level = asks_.rbegin(); level != asks_.rend(); ++level) line("sell ", level->first, level->second);
    for (const auto& [key, level] : bids_) line("buy  ", -key, level);
    return text;
  }

 private:
  struct Bound {
    bool any_price = false;
    Price price{};
  };
  using Levels = std::map<std::int64_t, std::list<Resting>>;  // best first: of bids by the negative price
  struct Where {
    Side side;
    Price price;
    std::list<Resting>* level;
    std::list<Resting>::iterator order;
  };

  Levels& side_of(Side side) { return side == Side::buy ? bids_ : asks_; }
  const Levels& side_of(Side side) const { return side == Side::buy ? bids_ : asks_; }
  static std::int64_t key_of(Side side, Price price) { return side == Side::buy ? -price.units : price.units; }
  static std::uint32_t shown(Volume volume) {
    return static_cast<std::uint32_t>(volume < 0xFFFFFFFFu ? volume : 0xFFFFFFFFu);
  }

  // An order that was told of.
  template <class Consumer>
  void trade_and_rest(const NewOrder& c, Consumer&& consumer) {
    const bool market = c.type == OrderType::market;
    const Bound bound{market, c.price};
    std::uint32_t left = c.quantity.lots;
    if (c.time_in_force != TimeInForce::fill_or_kill || available(c.side, bound) >= left)
      left = match(c.id, c.account, c.side, bound, left, consumer);
    if (left == 0) return;
    if (!market && c.time_in_force <= TimeInForce::day)
      return put(c.side, c.price, {c.id, left, c.account, c.time_in_force, c.post_only});
    const Reason why = c.time_in_force == TimeInForce::fill_or_kill ? Reason::fill_or_kill
                       : market                                     ? Reason::no_liquidity
                                                                    : Reason::immediate_or_cancel;
    consumer.on(Cancelled{c.id, c.price, {left}, c.account, c.symbol, c.side, why, 0, c.arrival_ns});
  }

  bool is_taken(OrderId id) const {
    return where_.count(id.value) != 0 || (plant_ == Plant::used_ids_stay_taken && used_.count(id.value) != 0);
  }

  std::optional<Where> locate(OrderId id, std::optional<AccountId> account) {
    const auto found = where_.find(id.value);
    if (found == where_.end()) return std::nullopt;
    auto& level = side_of(found->second.first).at(key_of(found->second.first, found->second.second));
    for (auto order = level.begin(); order != level.end(); ++order)
      if (order->id == id && (!account || order->account == *account))
        return Where{found->second.first, found->second.second, &level, order};
    return std::nullopt;
  }

  void put(Side side, Price price, const Resting& order) {
    side_of(side)[key_of(side, price)].push_back(order);
    where_[order.id.value] = {side, price};
  }

  void take_out(const Where& at) {
    where_.erase(at.order->id.value);
    if (plant_ == Plant::used_ids_stay_taken) used_[at.order->id.value] = true;
    at.level->erase(at.order);
    if (at.level->empty()) side_of(at.side).erase(key_of(at.side, at.price));
  }

  // Whether a resting order at `maker` is good enough for someone who would go to `bound`.
  bool crosses(Side taker, Price maker, Bound bound) const {
    if (bound.any_price) return true;
    if (plant_ == Plant::limit_stops_one_tick_early)
      return taker == Side::buy ? maker < bound.price : maker > bound.price;
    return taker == Side::buy ? maker <= bound.price : maker >= bound.price;
  }

  bool would_trade(Side side, Price price) const { return available(side, {false, price}) != 0; }

  Volume available(Side taker, Bound bound) const {
    Volume sum = 0;
    for (const auto& [key, level] : side_of(opposite(taker))) {
      if (!crosses(taker, {taker == Side::buy ? key : -key}, bound)) break;
      for (const Resting& order : level) sum += order.open;
      if (plant_ == Plant::fill_or_kill_looks_at_one_level) break;
    }
    return sum;
  }

  template <class Consumer>
  std::uint32_t match(OrderId taker, AccountId account, Side side, Bound bound, std::uint32_t left,
                      Consumer& consumer) {
    Levels& makers = side_of(opposite(side));
    while (left != 0 && !makers.empty()) {
      auto& [key, level] = *makers.begin();
      const Price price{side == Side::buy ? key : -key};
      if (!crosses(side, price, bound)) break;
      auto maker = level.begin();
      if (plant_ == Plant::youngest_trades_first) maker = std::prev(level.end());
      const std::uint32_t quantity = left < maker->open ? left : maker->open;
      left -= quantity;
      maker->open -= quantity;
      consumer.on(Traded{
          maker->id, taker, price, {quantity}, {maker->open}, maker->account, account, instrument_.symbol, side, 0, 0});
      if (maker->open == 0) take_out({opposite(side), price, &level, maker});
    }
    return left;
  }

  template <class Consumer>
  void end(const Where& at, Reason reason, std::int64_t arrival_ns, Consumer& consumer) {
    consumer.on(Cancelled{at.order->id,
                          at.price,
                          {at.order->open},
                          at.order->account,
                          instrument_.symbol,
                          at.side,
                          reason,
                          0,
                          arrival_ns});
    take_out(at);
  }

  template <class Wanted, class Consumer>
  void end_all(Wanted wanted, Reason reason, std::int64_t arrival_ns, Consumer& consumer) {
    std::vector<OrderId> leaving;
    for (const Side side : {Side::buy, Side::sell})
      for (const auto& [key, level] : side_of(side))
        for (const Resting& order : level)
          if (wanted(order)) leaving.push_back(order.id);
    for (const OrderId id : leaving) end(*locate(id, std::nullopt), reason, arrival_ns, consumer);
  }

  template <class Command, class Consumer>
  void reject(OrderId id, OrderId new_id, const Command& c, CommandKind kind, Reason reason, Consumer& consumer) {
    AccountId account{};
    if constexpr (requires { c.account; }) account = c.account;
    consumer.on(Rejected{id, new_id, account, c.symbol, kind, reason, 0, 0, c.arrival_ns});
  }

  Reason refusal_of(Quantity quantity) const {
    if (quantity.lots == 0) return Reason::zero_quantity;
    if (quantity > instrument_.largest) return Reason::quantity_too_large;
    if (quantity.lots % instrument_.lot != 0) return Reason::off_lot;
    return Reason::none;
  }

  Reason refusal_of(Price price) const {
    if (price < instrument_.lowest || price > instrument_.highest) return Reason::price_out_of_range;
    if (!instrument_.off_tick_allowed && price.units % instrument_.tick != 0) return Reason::off_tick;
    return Reason::none;
  }

  Reason refusal_of_new(const NewOrder& c) const {
    if (c.symbol != instrument_.symbol) return Reason::unknown_symbol;
    const bool known = c.side <= Side::sell && c.type <= OrderType::market &&
                       c.time_in_force <= TimeInForce::fill_or_kill && c.post_only <= PostOnly::yes;
    const bool takes = c.type == OrderType::market || c.time_in_force >= TimeInForce::immediate_or_cancel;
    if (!known || c.id == OrderId{} || (c.post_only == PostOnly::yes && takes)) return Reason::invalid_combination;
    if (const Reason reason = refusal_of(c.quantity); reason != Reason::none) return reason;
    return c.type == OrderType::market ? Reason::none : refusal_of(c.price);
  }

  Instrument instrument_;
  std::size_t limit_;
  Plant plant_;
  Levels bids_, asks_;
  std::map<std::uint64_t, std::pair<Side, Price>> where_;
  std::map<std::uint64_t, bool> used_;
};

}  // namespace outcry_test
