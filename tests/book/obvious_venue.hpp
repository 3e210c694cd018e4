// ObviousVenue: a book with rules once more, slowly and plainly: one list of orders, searched for everything.
//
// Whether an order could trade is found out by letting it trade in a copy. With a Plant it breaks one rule on purpose.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <outcry/book/order_book.hpp>

namespace outcry_test {

using namespace outcry;

enum class VenuePlant {
  none,
  refresh_keeps_its_place,
  hidden_trades_before_shown,
  oldest_is_cancelled_instead_of_newest,
  groups_are_forgotten,
  all_or_none_trades_in_part,
  minimum_is_not_looked_at,
  newest_stop_first,
  stop_waits_for_a_worse_price,
  middle_rounds_up,
  peg_keeps_its_place,
  collar_is_one_tick_wide,
  halt_refuses_cancels,
  auction_forgets_reserves,
  auction_ignores_the_imbalance,
  shares_break_lots,
  small_shares_are_kept,
  rest_goes_to_the_newest,
  top_order_waits,
  hidden_orders_share,
  own_orders_are_met_in_turn,
  lead_makers_take_all,
  lead_share_is_of_the_level,
  refreshed_order_stays_on_top,
  market_orders_uncross_last,
  uncross_trades_with_oneself,
  uncross_leaves_market_orders,
  market_to_limit_leaves_after_the_uncross,
  auction_orders_stay,
  close_does_not_uncross,
  close_takes_reductions,
  market_orders_make_the_price,
  band_ends_the_order,
  volatility_auction_forgets_market_orders,
  last,
};

class ObviousVenue {
 public:
  ObviousVenue(const Instrument& instrument, std::size_t limit, const BookRules& rules,
               VenuePlant plant = VenuePlant::none)
      : instrument_(instrument), limit_(limit), rules_(rules), plant_(plant) {}

  template <class Consumer>
  void submit(const NewOrder& c, Consumer&& consumer) {
    SpecialOrder order{.id = c.id,
                       .price = c.price,
                       .quantity = c.quantity,
                       .account = c.account,
                       .symbol = c.symbol,
                       .side = c.side,
                       .type = SpecialType::limit,
                       .time_in_force = c.time_in_force,
                       .arrival_ns = c.arrival_ns};
    if (c.type == OrderType::market) order.type = SpecialType::market;
    if (c.type > OrderType::market) order.type = static_cast<SpecialType>(99);
    if (c.post_only == PostOnly::yes) order.terms = Terms::post_only;
    if (c.post_only > PostOnly::yes) order.terms = static_cast<Terms>(99);
    enter(order, false, consumer);
  }

  template <class Consumer>
  void submit(const SpecialOrder& c, Consumer&& consumer) {
    enter(c, true, consumer);
  }

  template <class Consumer>
  void cancel(const CancelOrder& c, Consumer&& consumer) {
    const auto at = locate(c.id, c.account);
    Reason reason = Reason::none;
    if (c.symbol != instrument_.symbol)
      reason = Reason::unknown_symbol;
    else if (!at)
      reason = Reason::unknown_order;
    else if (plant_ == VenuePlant::halt_refuses_cancels && phase_ == Phase::halted)
      reason = Reason::market_closed;
    if (reason != Reason::none) return reject(c.id, {}, c, CommandKind::cancel, reason, consumer);
    end(*at, Reason::requested, c.arrival_ns, consumer);
    settle(consumer);
  }

  template <class Consumer>
  void reduce(const ReduceOrder& c, Consumer&& consumer) {
    const auto at = locate(c.id, c.account);
    Reason reason = Reason::none;
    if (c.symbol != instrument_.symbol)
      reason = Reason::unknown_symbol;
    else if (!at)
      reason = Reason::unknown_order;
    else if (phase_ == Phase::closed && plant_ != VenuePlant::close_takes_reductions)
      reason = Reason::market_closed;
    else if (c.by.lots == 0)
      reason = Reason::zero_quantity;
    else if (c.by.lots > total(orders_[*at]))
      reason = Reason::quantity_exceeds_open;
    else if (c.by.lots % instrument_.lot != 0)
      reason = Reason::off_lot;
    if (reason != Reason::none) return reject(c.id, {}, c, CommandKind::reduce, reason, consumer);
    Resting& order = orders_[*at];
    if (c.by.lots == total(order)) {
      end(*at, Reason::requested, c.arrival_ns, consumer);
      return settle(consumer);
    }
    shrink(order, total(order) - c.by.lots);
    consumer.on(Reduced{c.id,
                        price_of(order),
                        c.by,
                        {total(order)},
                        c.account,
                        c.symbol,
                        order.terms.side,
                        0,
                        0,
                        {order.reserve},
                        c.arrival_ns});
    settle(consumer);
  }

  template <class Consumer>
  void modify(const ModifyOrder& c, Consumer&& consumer) {
    const auto at = locate(c.id, c.account);
    Reason reason = refusal_of_change(c, at);
    bool keeps = false;
    if (reason == Reason::none) {
      const Resting& order = orders_[*at];
      keeps = order.level == c.price && c.quantity.lots < total(order);
      if (!keeps && phase_ != Phase::auction && has(order.terms.terms, Terms::post_only) &&
          meets(order.terms.side, c.price, c.quantity.lots))
        reason = Reason::would_trade;
    }
    if (reason != Reason::none) return reject(c.id, {}, c, CommandKind::modify, reason, consumer);
    if (keeps) {
      Resting& order = orders_[*at];
      shrink(order, c.quantity.lots);
      consumer.on(Modified{c.id, c.price, c.quantity, c.account, c.symbol, order.terms.side, 1, 0, c.quantity, 0,
                           c.arrival_ns});
      return settle(consumer);
    }
    Resting order = take(*at);
    Working w{c.id, c.account, order.terms.side, c.quantity.lots, c.arrival_ns};
    if (phase_ != Phase::auction && (order.queue != Queue::all_or_none || could_trade(w, c.price) >= w.left))
      trade(w, c.price, consumer);
    consumer.on(
        Modified{c.id, c.price, c.quantity, c.account, c.symbol, w.side, 0, 0, Quantity{w.left}, 0, c.arrival_ns});
    finish(order, w, order.queue, c.price, consumer);
    settle(consumer);
  }

  template <class Consumer>
  void replace(const ReplaceOrder& c, Consumer&& consumer) {
    const auto at = locate(c.id, c.account);
    Reason reason = refusal_of_change(c, at);
    if (reason == Reason::none && c.new_id == OrderId{}) reason = Reason::invalid_combination;
    if (reason == Reason::none && find_index(c.new_id)) reason = Reason::duplicate_id;
    if (reason == Reason::none && phase_ != Phase::auction && has(orders_[*at].terms.terms, Terms::post_only) &&
        meets(orders_[*at].terms.side, c.price, c.quantity.lots))
      reason = Reason::would_trade;
    if (reason != Reason::none) return reject(c.id, c.new_id, c, CommandKind::replace, reason, consumer);
    Resting order = take(*at);
    order.terms.id = c.new_id;
    consumer.on(
        Replaced{c.id, c.new_id, c.price, c.quantity, c.account, c.symbol, order.terms.side, 0, 0, c.arrival_ns});
    Working w{c.new_id, c.account, order.terms.side, c.quantity.lots, c.arrival_ns};
    if (phase_ != Phase::auction && (order.queue != Queue::all_or_none || could_trade(w, c.price) >= w.left))
      trade(w, c.price, consumer);
    finish(order, w, order.queue, c.price, consumer);
    settle(consumer);
  }

  template <class Consumer>
  void replace(const ReplaceTerms& replacement, Consumer&& consumer) {
    const OrderId old = replacement.id;
    const SpecialOrder& c = replacement.order;
    const auto at = locate(old, c.account);
    Reason reason = Reason::none;
    if (c.symbol != instrument_.symbol)
      reason = Reason::unknown_symbol;
    else if (!at)
      reason = Reason::unknown_order;
    else if (c.side != orders_[*at].terms.side)
      reason = Reason::invalid_combination;
    if (reason == Reason::none) reason = refusal_of(c);
    if (reason == Reason::none && find_index(c.id)) reason = Reason::duplicate_id;
    if (reason == Reason::none && has(c.terms, Terms::post_only) && meets(c.side, c.price, c.quantity.lots))
      reason = Reason::would_trade;
    if (reason != Reason::none) return reject(old, c.id, c, CommandKind::replace, reason, consumer);
    take(*at);
    consumer.on(Replaced{old, c.id, c.price, c.quantity, c.account, c.symbol, c.side, 0, 0, c.arrival_ns});
    tell_terms(c, consumer);
    go_to_work(c, consumer);
    settle(consumer);
  }

  template <class Consumer>
  void end_of_day(const EndOfDay& c, Consumer&& consumer) {
    if (c.symbol != instrument_.symbol)
      return reject({}, {}, c, CommandKind::end_of_day, Reason::unknown_symbol, consumer);
    end_all([](const Resting& o) { return o.terms.time_in_force == TimeInForce::day; }, Reason::end_of_day,
            c.arrival_ns, consumer);
    settle(consumer);
  }

  template <class Consumer>
  void mass_cancel(const MassCancel& c, Consumer&& consumer) {
    if (c.symbol != instrument_.symbol)
      return reject({}, {}, c, CommandKind::mass_cancel, Reason::unknown_symbol, consumer);
    end_all(
        [&](const Resting& o) {
          if (!c.all_accounts && o.terms.account != c.account) return false;
          return (o.terms.side == Side::buy && c.buys) || (o.terms.side == Side::sell && c.sells);
        },
        Reason::mass_cancelled, c.arrival_ns, consumer);
    settle(consumer);
  }

  template <class Consumer>
  void expire(const ExpireOrders& c, Consumer&& consumer) {
    if (c.symbol != instrument_.symbol) return reject({}, {}, c, CommandKind::expire, Reason::unknown_symbol, consumer);
    end_all([&](const Resting& o) { return o.terms.expires_s != 0 && o.terms.expires_s <= c.now_s; }, Reason::expired,
            c.arrival_ns, consumer);
    settle(consumer);
  }

  template <class Consumer>
  void change_phase(const ChangePhase& c, Consumer&& consumer) {
    Reason reason = Reason::none;
    if (c.symbol != instrument_.symbol)
      reason = Reason::unknown_symbol;
    else if (c.phase > Phase::closed)
      reason = Reason::invalid_combination;
    if (reason != Reason::none) return reject({}, {}, c, CommandKind::phase, reason, consumer);
    const bool opens = c.phase == Phase::continuous && phase_ != c.phase,
               closes = c.phase == Phase::closed && phase_ != c.phase;
    if (opens || closes) {
      std::optional<Uncrossed> found;
      if (opens || (phase_ == Phase::auction && plant_ != VenuePlant::close_does_not_uncross)) found = indicative();
      if (found) uncross(*found, c.arrival_ns, consumer);
      end_auction(found, c.arrival_ns, consumer);
    }
    phase_ = c.phase;
    consumer.on(PhaseChanged{c.symbol, c.phase, 0, 0, c.arrival_ns});
    settle(consumer);
  }

  template <class Consumer>
  void clear(Reason reason, Consumer&& consumer) {
    end_all([](const Resting&) { return true; }, reason, 0, consumer);
  }

  std::optional<Uncrossed> indicative() const {
    const Price reference = last_ ? *last_ : rules_.reference;
    std::vector<Price> prices;
    std::optional<Price> lowest, highest;
    for (const Resting& o : orders_)
      if (o.queue <= Queue::hidden) {
        prices.push_back(o.level);
        if (!lowest || o.level < *lowest) lowest = o.level;
        if (!highest || o.level > *highest) highest = o.level;
        for (const std::int64_t step : {1, -1})
          for (std::int64_t by = step; by < 50 && by > -50; by += step)
            if (refusal_of(o.level + by) == Reason::none) {
              prices.push_back(o.level + by);
              break;
            }
      }
    if (refusal_of(reference) == Reason::none) prices.push_back(reference);
    std::sort(prices.begin(), prices.end());
    std::optional<Uncrossed> found;
    std::tuple<std::int64_t, std::int64_t, std::int64_t> least;
    for (const Price price : prices) {
      const bool is_beyond = lowest && (price < *lowest || price > *highest);
      if (is_beyond && plant_ != VenuePlant::market_orders_make_the_price) continue;
      std::int64_t bid = 0, offered = 0;
      for (const Resting& o : orders_) {
        if (!in_auction(o)) continue;
        const std::uint32_t lots = plant_ == VenuePlant::auction_forgets_reserves ? o.open : total(o);
        const bool any = o.queue == Queue::at_market;
        if (o.terms.side == Side::buy && (any || o.level >= price)) bid += lots;
        if (o.terms.side == Side::sell && (any || o.level <= price)) offered += lots;
      }
      const std::int64_t volume = std::min(bid, offered), imbalance = bid - offered;
      const bool looks = plant_ != VenuePlant::auction_ignores_the_imbalance;
      const std::tuple rank(-volume, looks ? std::abs(imbalance) : 0,
                            price > reference ? price - reference : reference - price);
      if (volume == 0 || (found && rank >= least)) continue;
      least = rank;
      found = Uncrossed{price, static_cast<Volume>(volume), imbalance, instrument_.symbol, 0};
    }
    return found;
  }

  Quote quote() const {
    Quote quote{.symbol = instrument_.symbol};
    for (const Side side : {Side::buy, Side::sell}) {
      const auto price = best_shown(side);
      if (!price) continue;
      Volume sum = 0;
      for (const Resting& o : orders_)
        if (o.queue == Queue::shown && o.terms.side == side && o.level == *price) sum += o.open;
      (side == Side::buy ? quote.bid : quote.ask) = *price;
      (side == Side::buy ? quote.bid_quantity : quote.ask_quantity) = static_cast<std::uint32_t>(sum);
    }
    return quote;
  }

  std::optional<OrderView> find(OrderId id) const {
    const auto at = find_index(id);
    if (!at) return std::nullopt;
    const Resting& o = orders_[*at];
    return OrderView{id,
                     price_of(o),
                     {o.open},
                     o.terms.account,
                     o.terms.side,
                     o.terms.time_in_force,
                     has(o.terms.terms, Terms::post_only) ? PostOnly::yes : PostOnly::no,
                     {o.reserve}};
  }

  std::size_t order_count() const { return orders_.size(); }

  std::string to_string() const {
    std::map<std::int64_t, std::string> lines[2], stops[2];
    std::string parked, at_market[2];
    for (const std::size_t at : in_order()) {
      const Resting& o = orders_[at];
      std::string text = std::to_string(o.terms.id.value) + ':' + std::to_string(o.open);
      if (o.reserve) text += '+' + std::to_string(o.reserve);
      if (o.queue == Queue::hidden) text.insert(0, 1, '(').push_back(')');
      if (o.queue == Queue::all_or_none) text.insert(0, 1, '{').push_back('}');
      std::string& line = o.queue == Queue::parked      ? parked
                          : o.queue == Queue::at_market ? at_market[static_cast<int>(o.terms.side)]
                          : o.queue == Queue::stops     ? stops[static_cast<int>(o.terms.side)][o.level.units]
                                                        : lines[static_cast<int>(o.terms.side)][o.level.units];
      line += ' ' + text;
    }
    std::string text;
    const auto add = [&](const std::string& what, std::int64_t price, const std::string& line) {
      text += what + std::to_string(price) + " |" + line + '\n';
    };
    for (auto line = lines[1].rbegin(); line != lines[1].rend(); ++line) add("sell ", line->first, line->second);
    if (!at_market[1].empty()) text += "sell market |" + at_market[1] + '\n';
    if (!at_market[0].empty()) text += "buy  market |" + at_market[0] + '\n';
    for (auto line = lines[0].rbegin(); line != lines[0].rend(); ++line) add("buy  ", line->first, line->second);
    for (const auto& [price, line] : stops[0]) add("stop to buy ", price, line);
    for (const auto& [price, line] : stops[1]) add("stop to sell ", price, line);
    if (!parked.empty()) text += "parked |" + parked + '\n';
    return text;
  }

 private:
  struct Resting {
    SpecialOrder terms;  // price: as asked for; type: what it is now
    std::uint32_t open = 0;
    std::uint32_t reserve = 0;
    Queue queue = Queue::parked;
    Price level{};
    std::uint64_t time = 0;     // of its place in the queue
    std::uint64_t entered = 0;  // of the order
  };
  struct Working {
    OrderId id;
    AccountId account;
    Side side;
    std::uint32_t left;
    std::int64_t arrival_ns;
    Reason ended = Reason::none;
    bool may_rest = true;
  };
  struct Deaf {
    template <class Event>
    void on(const Event&) {}
  };
  using Bound = std::optional<Price>;  // none: any price

  static std::uint32_t total(const Resting& o) { return o.open + o.reserve; }
  static bool is_better(Side side, Price a, Price b) { return side == Side::buy ? a > b : a < b; }
  static void shrink(Resting& o, std::uint32_t to) {
    const std::uint32_t cut = total(o) - to, unseen = std::min(cut, o.reserve);
    o.reserve -= unseen;
    o.open -= cut - unseen;
  }
  static Price price_of(const Resting& o) { return o.queue >= Queue::stops ? o.terms.price : o.level; }
  static bool in_auction(const Resting& o) { return o.queue <= Queue::hidden || o.queue == Queue::at_market; }

  std::optional<std::size_t> find_index(OrderId id) const {
    for (std::size_t i = 0; i < orders_.size(); ++i)
      if (orders_[i].terms.id == id) return i;
    return std::nullopt;
  }
  std::optional<std::size_t> locate(OrderId id, AccountId account) const {
    const auto at = find_index(id);
    return at && orders_[*at].terms.account == account ? at : std::nullopt;
  }
  Resting take(std::size_t at) {
    Resting order = orders_[at];
    orders_.erase(orders_.begin() + static_cast<std::ptrdiff_t>(at));
    if (OrderId& top = top_[order.terms.side == Side::sell]; top == order.terms.id) top = {};
    return order;
  }

  /// All orders, side by side, queue by queue, the best first, the oldest first.
  std::vector<std::size_t> in_order() const {
    std::vector<std::size_t> all(orders_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    const auto rank = [&](std::size_t i) {
      const Resting& o = orders_[i];
      std::int64_t price = o.terms.side == Side::buy ? -o.level.units : o.level.units;
      if (o.queue == Queue::stops) price = -price;
      if (o.queue == Queue::at_market) price = 0;
      std::uint64_t time = o.time;
      if (o.queue == Queue::parked) price = o.terms.type == SpecialType::trailing_stop, time = o.entered;
      return std::tuple(o.terms.side, o.queue, price, time);
    };
    std::sort(all.begin(), all.end(), [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
    return all;
  }

  std::optional<Price> best(Side side, bool only_shown) const {
    std::optional<Price> price;
    for (const Resting& o : orders_)
      if (o.terms.side == side && (o.queue == Queue::shown || (o.queue == Queue::hidden && !only_shown)))
        if (!price || is_better(side, o.level, *price)) price = o.level;
    return price;
  }
  std::optional<Price> best_shown(Side side) const { return best(side, true); }

  bool meets(Side side, Price price, std::uint32_t quantity) const {
    for (const Resting& o : orders_) {
      if (o.terms.side == side || o.queue > Queue::all_or_none) continue;
      if (o.queue == Queue::all_or_none && o.open > quantity) continue;
      if (crosses(side, price, o.level)) return true;
    }
    return false;
  }
  static bool crosses(Side side, Bound bound, Price maker) {
    return !bound || (side == Side::buy ? maker <= *bound : maker >= *bound);
  }

  bool is_self(AccountId a, AccountId b) const {
    if (rules_.self_trade == SelfTrade::allowed || a == AccountId{} || b == AccountId{}) return false;
    if (a == b) return true;
    if (plant_ == VenuePlant::groups_are_forgotten) return false;
    const auto group = [&](AccountId x) { return x.value < rules_.groups.size() ? rules_.groups[x.value] : 0; };
    return group(a) != 0 && group(a) == group(b);
  }

  Bound with_band(Side side, Bound bound) const {
    if (rules_.dynamic_band == 0) return bound;
    const Price from = last_ ? *last_ : rules_.reference;
    const Price band = side == Side::buy ? from + rules_.dynamic_band : from - rules_.dynamic_band;
    return !bound || is_better(side, *bound, band) ? band : *bound;
  }
  Bound market_bound(Side side) const {
    const auto found = best(opposite(side), false);
    if (!found || rules_.collar == 0) return std::nullopt;
    const std::int64_t by = plant_ == VenuePlant::collar_is_one_tick_wide ? instrument_.tick : rules_.collar;
    return side == Side::buy ? *found + by : *found - by;
  }

  /// How much of the order would trade; by trying it in a copy.
  std::uint32_t could_trade(const Working& w, Bound bound) const {
    ObviousVenue copy = *this;
    copy.trying_ = true;
    Working order = w;
    Deaf deaf;
    copy.trade(order, bound, deaf);
    return w.left - order.left;
  }

  template <class Consumer>
  void trade(Working& w, Bound own_bound, Consumer& consumer) {
    const Bound bound = with_band(w.side, own_bound);
    while (w.left != 0 && w.ended == Reason::none) {
      std::optional<std::size_t> next;
      for (const std::size_t at : in_order()) {
        const Resting& o = orders_[at];
        if (o.terms.side == w.side || o.queue > Queue::all_or_none || !crosses(w.side, bound, o.level)) continue;
        if (o.queue == Queue::all_or_none && o.open > w.left && plant_ != VenuePlant::all_or_none_trades_in_part)
          continue;
        const auto rank = [&](const Resting& r) {
          return plant_ == VenuePlant::hidden_trades_before_shown && r.queue == Queue::hidden
                     ? -1
                     : static_cast<int>(r.queue);
        };
        if (!next || is_better(o.terms.side, o.level, orders_[*next].level) ||
            (o.level == orders_[*next].level && rank(o) < rank(orders_[*next])))
          next = at;
      }
      if (!next) break;
      if (rules_.allocation != Allocation::price_time &&
          (orders_[*next].queue == Queue::shown ||
           (orders_[*next].queue == Queue::hidden && plant_ == VenuePlant::hidden_orders_share))) {
        share_out(w, *next, consumer);
        continue;
      }
      if (is_self(w.account, orders_[*next].terms.account))
        prevent(w, *next, consumer);
      else
        fill(w, *next, std::min(w.left, orders_[*next].open), consumer);
    }
    const auto beyond = best(opposite(w.side), false);
    if (w.left != 0 && w.ended == Reason::none && bound != own_bound && beyond && crosses(w.side, own_bound, *beyond)) {
      breached_ = rules_.volatility_auction && plant_ != VenuePlant::band_ends_the_order;
      if (!breached_ || !w.may_rest) w.ended = Reason::outside_band;
    }
  }

  /// One round at the level of the order; each step of the allocation is taken by itself.
  template <class Consumer>
  void share_out(Working& w, std::size_t at, Consumer& consumer) {
    std::vector<OrderId> ids;
    for (const std::size_t i : in_order())
      if (orders_[i].terms.side != w.side && orders_[i].queue == orders_[at].queue &&
          orders_[i].level == orders_[at].level)
        ids.push_back(orders_[i].terms.id);
    for (const OrderId id : ids) {
      if (!is_self(w.account, orders_[*find_index(id)].terms.account)) continue;
      if (plant_ != VenuePlant::own_orders_are_met_in_turn || id == ids.front())
        return prevent(w, *find_index(id), consumer);
      ids.erase(std::find(ids.begin(), ids.end(), id), ids.end());
      break;
    }
    std::map<std::uint64_t, std::uint32_t> gets;
    std::uint64_t left = w.left;
    const auto give = [&](OrderId id, std::uint64_t lots) {
      const std::uint64_t open = orders_[*find_index(id)].open - gets[id.value];
      lots = std::min({lots, open, left});
      gets[id.value] += static_cast<std::uint32_t>(lots);
      left -= lots;
      return lots;
    };
    const std::uint64_t lot = plant_ == VenuePlant::shares_break_lots ? 1 : instrument_.lot;
    if (rules_.allocation == Allocation::pro_rata) {
      std::uint64_t displayed = 0;
      std::vector<OrderId> others;
      for (const OrderId id : ids) {
        if (rules_.top_order_first && top_[orders_[at].terms.side == Side::sell] == id &&
            plant_ != VenuePlant::top_order_waits) {
          give(id, left);
          continue;
        }
        others.push_back(id);
        displayed += orders_[*find_index(id)].open;
      }
      const std::uint64_t to_share = std::min(left, displayed);
      for (const OrderId id : others) {
        const std::uint64_t share = to_share * orders_[*find_index(id)].open / displayed / lot * lot;
        if (share >= rules_.least_share.lots || plant_ == VenuePlant::small_shares_are_kept) give(id, share);
      }
    } else {
      std::uint64_t of = w.left, level = 0;
      for (const OrderId id : ids) level += orders_[*find_index(id)].open;
      if (plant_ == VenuePlant::lead_share_is_of_the_level) of = level;
      std::uint64_t share = of * rules_.lead_percent / 100 / lot * lot;
      if (plant_ == VenuePlant::lead_makers_take_all) share = w.left;
      for (const OrderId id : ids)
        for (const std::uint32_t account : rules_.lead_makers)
          if (account != 0 && orders_[*find_index(id)].terms.account.value == account) share -= give(id, share);
    }
    const std::vector<OrderId> by_time = ids;
    if (plant_ == VenuePlant::rest_goes_to_the_newest) std::reverse(ids.begin(), ids.end());
    for (const OrderId id : ids) give(id, left);
    for (const OrderId id : by_time)
      if (gets[id.value] != 0) fill(w, *find_index(id), gets[id.value], consumer);
  }

  template <class Consumer>
  void fill(Working& w, std::size_t at, std::uint32_t quantity, Consumer& consumer) {
    Resting& o = orders_[at];
    w.left -= quantity;
    o.open -= quantity;
    last_ = o.level;
    consumer.on(Traded{o.terms.id,
                       w.id,
                       o.level,
                       {quantity},
                       {total(o)},
                       o.terms.account,
                       w.account,
                       instrument_.symbol,
                       w.side,
                       0,
                       0});
    if (o.open == 0) use_up(at, consumer);
  }

  template <class Consumer>
  void use_up(std::size_t at, Consumer& consumer) {
    Resting& o = orders_[at];
    const std::size_t side = o.terms.side == Side::sell;
    if (o.reserve == 0) {
      take(at);
      return;
    }
    if (top_[side] == o.terms.id && plant_ != VenuePlant::refreshed_order_stays_on_top) top_[side] = {};
    o.open = std::min(o.reserve, o.terms.part.lots);
    o.reserve -= o.open;
    if (plant_ != VenuePlant::refresh_keeps_its_place) o.time = ++clock_;
    consumer.on(Refreshed{
        o.terms.id, o.level, {o.open}, {o.reserve}, o.terms.account, instrument_.symbol, o.terms.side, 0, 0, 0});
  }

  template <class Consumer>
  void prevent(Working& w, std::size_t at, Consumer& consumer) {
    SelfTrade rule = rules_.self_trade;
    if (plant_ == VenuePlant::oldest_is_cancelled_instead_of_newest && rule == SelfTrade::cancel_newest)
      rule = SelfTrade::cancel_oldest;
    if (trying_ && rule != SelfTrade::cancel_oldest) {
      w.ended = Reason::self_trade;
      return;
    }
    if (rule == SelfTrade::cancel_newest) w.ended = Reason::self_trade;
    if (rule == SelfTrade::cancel_oldest) end(at, Reason::self_trade, w.arrival_ns, consumer);
    if (rule == SelfTrade::cancel_both) {
      end(at, Reason::self_trade, w.arrival_ns, consumer);
      w.ended = Reason::self_trade;
    }
    if (rule != SelfTrade::decrement) return;
    Resting& o = orders_[at];
    const std::uint32_t by = std::min(w.left, o.open);
    o.open -= by;
    w.left -= by;
    const Price price = o.level;
    smaller({o.terms.id, o.terms.account, o.terms.side, total(o), w.arrival_ns}, price, by, o.reserve, consumer);
    smaller(w, price, by, 0, consumer);
    if (o.open == 0) use_up(at, consumer);
  }

  template <class Consumer>
  void smaller(const Working& w, Price price, std::uint32_t by, std::uint32_t reserve, Consumer& consumer) {
    if (w.left)
      consumer.on(
          Reduced{w.id, price, {by}, {w.left}, w.account, instrument_.symbol, w.side, 0, 0, {reserve}, w.arrival_ns});
    else
      consumer.on(
          Cancelled{w.id, price, {by}, w.account, instrument_.symbol, w.side, Reason::self_trade, 0, w.arrival_ns});
  }

  template <class Consumer>
  void cancelled(const Working& w, Price price, Reason reason, Consumer& consumer) {
    consumer.on(Cancelled{w.id, price, {w.left}, w.account, instrument_.symbol, w.side, reason, 0, w.arrival_ns});
  }

  template <class Consumer>
  void end(std::size_t at, Reason reason, std::int64_t arrival_ns, Consumer& consumer) {
    const Resting o = take(at);
    consumer.on(Cancelled{
        o.terms.id, price_of(o), {total(o)}, o.terms.account, instrument_.symbol, o.terms.side, reason, 0, arrival_ns});
  }

  template <class Wanted, class Consumer>
  void end_all(Wanted wanted, Reason reason, std::int64_t arrival_ns, Consumer& consumer) {
    std::vector<OrderId> leaving;
    for (const std::size_t at : in_order())
      if (wanted(orders_[at])) leaving.push_back(orders_[at].terms.id);
    for (const OrderId id : leaving) end(*find_index(id), reason, arrival_ns, consumer);
  }

  void put(Resting o, Queue queue, Price price, std::uint32_t quantity) {
    if (queue == Queue::shown)
      if (const auto best = best_shown(o.terms.side); !best || is_better(o.terms.side, price, *best))
        top_[o.terms.side == Side::sell] = o.terms.id;
    o.queue = queue;
    o.level = price;
    o.open = has(o.terms.terms, Terms::reserve) ? std::min(quantity, o.terms.part.lots) : quantity;
    o.reserve = quantity - o.open;
    if (o.time == 0 || plant_ != VenuePlant::peg_keeps_its_place || !is_peg(o.terms.type)) o.time = ++clock_;
    orders_.push_back(o);
  }

  template <class Consumer>
  void finish(const Resting& o, const Working& w, Queue queue, Price price, Consumer& consumer) {
    if (w.left == 0) return;
    if (w.ended != Reason::none) return cancelled(w, price, w.ended, consumer);
    put(o, queue, price, w.left);
  }

  template <class Consumer>
  void enter(const SpecialOrder& c, bool is_special, Consumer& consumer) {
    Reason reason = refusal_of(c);
    if (reason == Reason::none && find_index(c.id)) reason = Reason::duplicate_id;
    const bool takes = takes_only(c);
    if (reason == Reason::none && has(c.terms, Terms::post_only) && meets(c.side, c.price, c.quantity.lots))
      reason = Reason::would_trade;
    if (reason == Reason::none && !takes && order_count() == limit_) reason = Reason::pool_exhausted;
    if (reason != Reason::none) return reject(c.id, {}, c, CommandKind::new_order, reason, consumer);

    const bool ends_at_market =
        c.type == SpecialType::market || c.type == SpecialType::stop || c.type == SpecialType::trailing_stop;
    consumer.on(Accepted{c.id, c.price, c.quantity, c.account, c.symbol, c.side,
                         ends_at_market ? OrderType::market : OrderType::limit, c.time_in_force,
                         has(c.terms, Terms::post_only) ? PostOnly::yes : PostOnly::no, c.arrival_ns});
    if (is_special) tell_terms(c, consumer);
    go_to_work(c, consumer);
  }

  bool takes_only(const SpecialOrder& c) const {
    const bool waits = phase_ == Phase::auction || rules_.volatility_auction;
    return (c.type == SpecialType::market && !waits) || c.time_in_force == TimeInForce::immediate_or_cancel ||
           c.time_in_force == TimeInForce::fill_or_kill;
  }

  template <class Consumer>
  void tell_terms(const SpecialOrder& c, Consumer& consumer) {
    consumer.on(AcceptedTerms{c.id, c.trigger, c.part, c.expires_s, c.account, c.symbol, c.side, c.type,
                              c.time_in_force, c.terms, 0, c.arrival_ns});
  }

  template <class Consumer>
  void go_to_work(const SpecialOrder& c, Consumer& consumer) {
    const bool takes = takes_only(c);
    Working w{c.id, c.account, c.side, c.quantity.lots, c.arrival_ns};
    Resting order{.terms = c, .entered = ++clock_};
    if (c.type == SpecialType::stop || c.type == SpecialType::stop_limit) {
      put(order, Queue::stops, {c.trigger}, w.left);
      return settle(consumer);
    }
    if (c.type == SpecialType::trailing_stop || is_peg(c.type)) {
      order.open = w.left;
      orders_.push_back(order);
      return settle(consumer);
    }
    const bool market = c.type == SpecialType::market;
    if (phase_ == Phase::auction) {
      put(order, queue_of(c), c.price, w.left);
      return;
    }
    w.may_rest = !takes;
    if (c.type == SpecialType::market_to_limit) {
      const auto price = best_shown(opposite(c.side));
      if (!price) return cancelled(w, c.price, Reason::no_liquidity, consumer);
      order.terms.type = SpecialType::limit;
      order.terms.price = *price;
      consumer.on(Repriced{c.id, *price, c.account, c.symbol, c.quantity, c.side, 0, 0});
    }
    const Bound bound = market ? market_bound(c.side) : Bound(order.terms.price);
    if (c.time_in_force == TimeInForce::fill_or_kill && could_trade(w, bound) < w.left)
      return cancelled(w, c.price, Reason::fill_or_kill, consumer);
    if (has(c.terms, Terms::minimum) && could_trade(w, bound) < c.part.lots &&
        plant_ != VenuePlant::minimum_is_not_looked_at)
      return cancelled(w, c.price, Reason::minimum_quantity, consumer);
    const bool all = has(c.terms, Terms::all_or_none);
    if (!all || could_trade(w, bound) >= w.left) trade(w, bound, consumer);
    if (market) end_at_market(w);
    if (w.left != 0 && w.ended == Reason::none && takes) w.ended = Reason::immediate_or_cancel;
    finish(order, w, queue_of(order.terms), order.terms.price, consumer);
    settle(consumer);
  }

  static Queue queue_of(const SpecialOrder& c) {
    if (c.type == SpecialType::market || c.type == SpecialType::market_to_limit) return Queue::at_market;
    if (has(c.terms, Terms::all_or_none)) return Queue::all_or_none;
    return has(c.terms, Terms::hidden) ? Queue::hidden : Queue::shown;
  }

  void end_at_market(Working& w) const {
    if (w.left == 0 || w.ended != Reason::none) return;
    if (breached_ && plant_ != VenuePlant::volatility_auction_forgets_market_orders) return;
    w.ended = best(opposite(w.side), false) ? Reason::collar : Reason::no_liquidity;
  }

  // ---- settling

  template <class Consumer>
  void settle(Consumer& consumer) {
    do {
      if (!breached_) continue;
      breached_ = false;
      phase_ = Phase::auction;
      consumer.on(PhaseChanged{instrument_.symbol, Phase::auction, 0, 0, 0});
    } while (phase_ == Phase::continuous && step(consumer));
  }

  template <class Consumer>
  bool step(Consumer& consumer) {
    return trigger(consumer) || move_peg(consumer) || fill_all_or_none(consumer);
  }

  template <class Consumer>
  bool trigger(Consumer& consumer) {
    if (!last_) return false;
    std::vector<std::size_t> trailing;
    for (std::size_t i = 0; i < orders_.size(); ++i)
      if (orders_[i].terms.type == SpecialType::trailing_stop) trailing.push_back(i);
    std::sort(trailing.begin(), trailing.end(),
              [&](std::size_t a, std::size_t b) { return orders_[a].entered < orders_[b].entered; });
    for (const std::size_t i : trailing) {
      Resting& o = orders_[i];
      const bool buys = o.terms.side == Side::buy;
      const Price wanted = buys ? *last_ + o.terms.trigger : *last_ - o.terms.trigger;
      if (wanted < instrument_.lowest || wanted > instrument_.highest) continue;
      if (o.queue == Queue::stops && !(buys ? wanted < o.level : wanted > o.level)) continue;
      o.queue = Queue::stops;
      o.level = wanted;
      o.time = ++clock_;
    }
    std::optional<std::size_t> found;
    for (const std::size_t at : in_order()) {
      const Resting& o = orders_[at];
      if (o.queue != Queue::stops) continue;
      const std::int64_t late = plant_ == VenuePlant::stop_waits_for_a_worse_price ? instrument_.tick : 0;
      const bool due = o.terms.side == Side::buy ? *last_ >= o.level + late : *last_ <= o.level - late;
      if (!due) continue;
      if (!found) found = at;
      if (plant_ == VenuePlant::newest_stop_first && o.terms.side == orders_[*found].terms.side) found = at;
    }
    if (!found) return false;
    Resting o = take(*found);
    const bool market = o.terms.type != SpecialType::stop_limit;
    Working w{o.terms.id, o.terms.account, o.terms.side, o.open, 0};
    consumer.on(Triggered{
        w.id, *last_, market ? Price{} : o.terms.price, {w.left}, w.account, instrument_.symbol, w.side, market, 0});
    o.terms.type = market ? SpecialType::market : SpecialType::limit;
    trade(w, market ? market_bound(w.side) : Bound(o.terms.price), consumer);
    if (market) end_at_market(w);
    finish(o, w, queue_of(o.terms), o.terms.price, consumer);
    return true;
  }

  std::optional<Price> peg_price(const Resting& o) const {
    const Side side = o.terms.side;
    const auto own = best_shown(side), other = best_shown(opposite(side));
    std::optional<Price> price;
    if (o.terms.type == SpecialType::primary_peg) price = own;
    if (o.terms.type == SpecialType::market_peg) price = other;
    if (o.terms.type == SpecialType::midpoint_peg && own && other) {
      std::int64_t middle = (own->units + other->units) / 2;
      if (middle * 2 > own->units + other->units) --middle;  // rounded down, also below zero
      const bool odd = middle * 2 != own->units + other->units;
      const bool up = plant_ == VenuePlant::middle_rounds_up ? side == Side::buy : side == Side::sell;
      price = Price{middle + (odd && up ? 1 : 0)};
    }
    if (!price) return std::nullopt;
    *price = *price + o.terms.trigger;
    if (is_better(side, *price, o.terms.price)) price = o.terms.price;
    if (*price < instrument_.lowest || *price > instrument_.highest) return std::nullopt;
    return price;
  }

  template <class Consumer>
  bool move_peg(Consumer& consumer) {
    std::optional<std::size_t> found;
    std::optional<Price> price;
    for (std::size_t i = 0; i < orders_.size(); ++i) {
      const Resting& o = orders_[i];
      if (!is_peg(o.terms.type) || (found && o.entered > orders_[*found].entered)) continue;
      const auto wanted = peg_price(o);
      const auto now = o.queue == Queue::hidden ? std::optional<Price>(o.level) : std::nullopt;
      if (wanted == now) continue;
      found = i;
      price = wanted;
    }
    if (!found) return false;
    Resting o = take(*found);
    Working w{o.terms.id, o.terms.account, o.terms.side, o.open, 0};
    consumer.on(Repriced{w.id, price ? *price : Price{}, w.account, instrument_.symbol, {w.left}, w.side, !price, 0});
    if (!price) {
      o.queue = Queue::parked;
      orders_.push_back(o);
      return true;
    }
    trade(w, price, consumer);
    finish(o, w, Queue::hidden, *price, consumer);
    return true;
  }

  template <class Consumer>
  bool fill_all_or_none(Consumer& consumer) {
    for (const std::size_t at : in_order()) {
      const Resting& waiting = orders_[at];
      if (waiting.queue != Queue::all_or_none) continue;
      Working w{waiting.terms.id, waiting.terms.account, waiting.terms.side, waiting.open, 0};
      if (could_trade(w, waiting.level) < w.left) continue;
      const Resting o = take(at);
      trade(w, o.level, consumer);
      finish(o, w, Queue::all_or_none, o.level, consumer);
      return true;
    }
    return false;
  }

  /// Before whom an order trades in an uncross: without a price, then by price, then as in_order().
  bool goes_before(const Resting& a, const Resting& b) const {
    const bool any_price = plant_ != VenuePlant::market_orders_uncross_last;
    if ((a.queue == Queue::at_market) != (b.queue == Queue::at_market))
      return (a.queue == Queue::at_market) == any_price;
    return a.queue != Queue::at_market && is_better(a.terms.side, a.level, b.level);
  }

  template <class Consumer>
  void uncross(const Uncrossed& found, std::int64_t arrival_ns, Consumer& consumer) {
    consumer.on(found);
    for (Volume left = found.volume; left != 0;) {
      std::optional<std::size_t> first[2];
      for (const std::size_t at : in_order()) {
        const Resting& o = orders_[at];
        auto& mine = first[static_cast<int>(o.terms.side)];
        if (in_auction(o) && (!mine || goes_before(o, orders_[*mine]))) mine = at;
      }
      Resting &buyer = orders_[*first[0]], &seller = orders_[*first[1]];
      std::uint32_t quantity = std::min(buyer.open, seller.open);
      if (quantity > left) quantity = static_cast<std::uint32_t>(left);
      left -= quantity;
      buyer.open -= quantity;
      seller.open -= quantity;
      if (is_self(buyer.terms.account, seller.terms.account) && plant_ != VenuePlant::uncross_trades_with_oneself) {
        for (const Resting* o : {&buyer, &seller})
          smaller({o->terms.id, o->terms.account, o->terms.side, total(*o), arrival_ns}, found.price, quantity,
                  o->reserve, consumer);
      } else {
        last_ = found.price;
        consumer.on(Traded{seller.terms.id,
                           buyer.terms.id,
                           found.price,
                           {quantity},
                           {total(seller)},
                           seller.terms.account,
                           buyer.terms.account,
                           instrument_.symbol,
                           Side::buy,
                           0,
                           0});
      }
      const OrderId seller_id = seller.terms.id;
      const bool sold = seller.open == 0;
      if (buyer.open == 0) use_up(*first[0], consumer);
      if (sold) use_up(*find_index(seller_id), consumer);
    }
  }

  template <class Consumer>
  void end_auction(const std::optional<Uncrossed>& found, std::int64_t arrival_ns, Consumer& consumer) {
    std::vector<OrderId> waiting;
    for (const std::size_t at : in_order())
      if (orders_[at].queue == Queue::at_market) waiting.push_back(orders_[at].terms.id);
    for (const OrderId id : waiting) {
      const std::size_t at = *find_index(id);
      if (orders_[at].terms.type == SpecialType::market_to_limit && found &&
          plant_ != VenuePlant::market_to_limit_leaves_after_the_uncross) {
        Resting o = take(at);
        o.terms.type = SpecialType::limit;
        o.terms.price = found->price;
        consumer.on(Repriced{id, found->price, o.terms.account, instrument_.symbol, {o.open}, o.terms.side, 0, 0});
        put(o, Queue::shown, found->price, o.open);
      } else if (plant_ != VenuePlant::uncross_leaves_market_orders) {
        end(at, Reason::no_liquidity, arrival_ns, consumer);
      }
    }
    if (plant_ == VenuePlant::auction_orders_stay) return;
    end_all([](const Resting& o) { return o.terms.time_in_force == TimeInForce::good_for_auction; },
            Reason::auction_over, arrival_ns, consumer);
  }

  // ---- refusals

  template <class Command, class Consumer>
  void reject(OrderId id, OrderId new_id, const Command& c, CommandKind kind, Reason reason, Consumer& consumer) {
    AccountId account{};
    if constexpr (requires { c.account; }) account = c.account;
    consumer.on(Rejected{id, new_id, account, c.symbol, kind, reason, 0, 0, c.arrival_ns});
  }

  template <class Command>
  Reason refusal_of_change(const Command& c, std::optional<std::size_t> at) const {
    if (c.symbol != instrument_.symbol) return Reason::unknown_symbol;
    if (!at) return Reason::unknown_order;
    if (orders_[*at].terms.type != SpecialType::limit) return Reason::invalid_combination;
    if (phase_ == Phase::halted || phase_ == Phase::closed) return Reason::market_closed;
    if (const Reason reason = refusal_of(c.quantity); reason != Reason::none) return reason;
    if (const Reason reason = refusal_of(c.price); reason != Reason::none) return reason;
    const SpecialOrder& order = orders_[*at].terms;
    if (has(order.terms, Terms::reserve) && c.quantity.lots / 1000 > order.part.lots)
      return Reason::invalid_combination;
    return Reason::none;
  }

  Reason refusal_of(Quantity quantity) const {
    if (quantity.lots == 0) return Reason::zero_quantity;
    if (quantity > instrument_.largest) return Reason::quantity_too_large;
    return quantity.lots % instrument_.lot != 0 ? Reason::off_lot : Reason::none;
  }

  Reason refusal_of(Price price, bool in_band = true) const {
    if (price < instrument_.lowest || price > instrument_.highest) return Reason::price_out_of_range;
    if (!instrument_.off_tick_allowed && price.units % instrument_.tick != 0) return Reason::off_tick;
    std::int64_t tick = 1;
    for (const TickStep& step : rules_.ticks)
      if (price >= step.from) tick = step.tick;
    if (price.units % tick != 0) return Reason::off_tick;
    const std::int64_t distance = price - rules_.reference;
    if (in_band && rules_.static_band != 0 && (distance > rules_.static_band || -distance > rules_.static_band))
      return Reason::outside_band;
    return Reason::none;
  }

  Reason refusal_of(const SpecialOrder& c) const {
    if (c.symbol != instrument_.symbol) return Reason::unknown_symbol;
    using enum SpecialType;
    if (c.id == OrderId{} || c.side > Side::sell || c.type > market_peg ||
        c.time_in_force > TimeInForce::good_for_auction || static_cast<unsigned>(c.terms) >= 32)
      return Reason::invalid_combination;
    const bool post = has(c.terms, Terms::post_only), hides = has(c.terms, Terms::hidden),
               ice = has(c.terms, Terms::reserve), least = has(c.terms, Terms::minimum),
               all = has(c.terms, Terms::all_or_none);
    const bool ioc = c.time_in_force == TimeInForce::immediate_or_cancel,
               fok = c.time_in_force == TimeInForce::fill_or_kill, gtt = c.time_in_force == TimeInForce::good_till_time,
               gfa = c.time_in_force == TimeInForce::good_for_auction;
    bool bad = gtt != (c.expires_s != 0) || (ice || least) != (c.part.lots != 0) || c.part > c.quantity;
    if (c.type == market) bad = bad || gtt || post || hides || ice || all;
    if (c.type == market_to_limit) bad = bad || ioc || fok || post || hides || ice || all;
    if (c.type >= stop) bad = bad || ioc || fok || c.terms != Terms::none;
    if (ioc || fok) bad = bad || post || hides || ice || all;
    if (gfa) bad = bad || c.type >= market_to_limit || post || least || all;
    bad = bad || hides + ice + all > 1 || (post && (least || all)) || (least && (fok || ice || all));
    bad = bad || (ice && c.quantity.lots / 1000 > c.part.lots);
    if (bad) return Reason::invalid_combination;

    if (phase_ == Phase::halted || phase_ == Phase::closed) return Reason::market_closed;
    if (phase_ == Phase::auction && (ioc || fok || least || post)) return Reason::in_auction;
    if (phase_ != Phase::auction && gfa) return Reason::no_auction;
    if (const Reason reason = refusal_of(c.quantity); reason != Reason::none) return reason;
    if (c.part.lots % instrument_.lot != 0) return Reason::off_lot;
    if (c.type == limit || c.type == stop_limit || is_peg(c.type))
      if (const Reason reason = refusal_of(c.price, !is_peg(c.type)); reason != Reason::none) return reason;
    if (c.type == stop || c.type == stop_limit)
      if (const Reason reason = refusal_of(Price{c.trigger}, false); reason != Reason::none) return reason;
    constexpr std::int64_t far = 1ll << 40;
    if (c.type == trailing_stop && (c.trigger <= 0 || c.trigger > far)) return Reason::price_out_of_range;
    if (is_peg(c.type) && (c.trigger > far || c.trigger < -far)) return Reason::price_out_of_range;
    if ((c.type == trailing_stop || is_peg(c.type)) && c.trigger % instrument_.tick != 0) return Reason::off_tick;
    return Reason::none;
  }

  Instrument instrument_;
  std::size_t limit_;
  BookRules rules_;
  VenuePlant plant_;
  std::vector<Resting> orders_;
  std::uint64_t clock_ = 0;
  std::optional<Price> last_;
  Phase phase_ = Phase::continuous;
  bool trying_ = false;
  bool breached_ = false;
  OrderId top_[2] = {};
};

}  // namespace outcry_test
