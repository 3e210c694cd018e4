// DrawnVenue: random rules, and random commands for a book that has them, all from one seed.
#pragma once

#include <cstdint>
#include <deque>
#include <variant>

#include <outcry/book/order_book.hpp>

#include "drawn_market.hpp"

namespace outcry_test {

using VenueCommand = std::variant<NewOrder, SpecialOrder, CancelOrder, ReduceOrder, ModifyOrder, ReplaceOrder,
                                  ReplaceTerms, EndOfDay, MassCancel, ExpireOrders, ChangePhase, ClearBook>;

/// A combination of rules for each number; every rule is on in some and off in others.
inline BookRules drawn_rules(std::uint64_t number, const Instrument& instrument) {
  Draw draw(number * 77 + 5);
  BookRules rules;
  rules.self_trade = static_cast<SelfTrade>(number % 5);
  if (draw.percent(50)) rules.groups = {0, 1, 1, 2, 0, 2};
  if (draw.percent(40)) rules.ticks = {{{0}, instrument.tick}, {{10'000}, instrument.tick * 2}};
  rules.reference = {10'000};
  if (draw.percent(40)) rules.static_band = 12 * instrument.tick;
  if (draw.percent(40)) rules.dynamic_band = 3 * instrument.tick;
  if (draw.percent(40)) rules.collar = 2 * instrument.tick;
  rules.volatility_auction = draw.percent(50);
  rules.allocation = static_cast<Allocation>(draw.below(3));
  rules.top_order_first = draw.percent(50);
  if (draw.percent(50)) rules.least_share = {2 * instrument.lot};
  rules.lead_percent = static_cast<std::uint32_t>(draw.below(3)) * 30;
  if (draw.percent(80)) rules.lead_makers = {3, 0, 5};
  return rules;
}

class DrawnVenue {
 public:
  DrawnVenue(const Instrument& instrument, std::uint64_t seed)
      : instrument_(instrument), draw_(seed), width_(draw_.percent(50) ? 2 : 8) {}

  VenueCommand next(std::size_t live) {
    ++time_;
    const SymbolId symbol = draw_.percent(1) && draw_.percent(20) ? SymbolId{99} : instrument_.symbol;
    const std::uint64_t kind = draw_.below(1000);
    if (kind < 2) return EndOfDay{.symbol = symbol, .arrival_ns = time_};
    if (kind < 3) return ClearBook{};
    if (kind < 7)
      return MassCancel{.account = account(),
                        .symbol = symbol,
                        .buys = draw_.percent(70),
                        .sells = draw_.percent(70),
                        .all_accounts = draw_.percent(10),
                        .arrival_ns = time_};
    if (kind < 20)
      return ExpireOrders{.symbol = symbol, .now_s = static_cast<std::uint32_t>(time_ / 20), .arrival_ns = time_};
    if (kind < 36) return ChangePhase{.symbol = symbol, .phase = phase(), .arrival_ns = time_};
    if (kind < (live > 40 ? 350u : 600u)) return draw_.percent(35) ? VenueCommand(plain()) : VenueCommand(special());
    const Known known = this->known();
    if (kind < 700 || kind >= 920)
      return CancelOrder{.id = known.id, .account = known.account, .symbol = symbol, .arrival_ns = time_};
    if (kind < 760)
      return ReduceOrder{.id = known.id,
                         .by = {static_cast<std::uint32_t>(draw_.below(5)) * instrument_.lot},
                         .account = known.account,
                         .symbol = symbol,
                         .arrival_ns = time_};
    if (kind < 840)
      return ModifyOrder{.id = known.id,
                         .price = draw_.percent(30) ? known.price : price(),
                         .quantity = quantity(),
                         .account = known.account,
                         .symbol = symbol,
                         .arrival_ns = time_};
    if (draw_.percent(40)) {
      ReplaceTerms command{.id = known.id, .order = special()};
      command.order.account = known_.back().account = known.account;
      return command;
    }
    const OrderId new_id = fresh_id(known.account);
    return ReplaceOrder{.id = known.id,
                        .new_id = new_id,
                        .price = price(),
                        .quantity = quantity(),
                        .account = known.account,
                        .symbol = symbol,
                        .arrival_ns = time_};
  }

 private:
  struct Known {
    OrderId id;
    AccountId account;
    Price price;
  };

  Phase phase() {
    return draw_.percent(2)    ? static_cast<Phase>(77)
           : draw_.percent(50) ? Phase::continuous
           : draw_.percent(25) ? Phase::halted
           : draw_.percent(20) ? Phase::closed
                               : Phase::auction;
  }
  AccountId account() { return {static_cast<std::uint32_t>(draw_.below(7))}; }
  Price price() {
    const std::int64_t ticks =
        static_cast<std::int64_t>(draw_.below(2 * width_ + 1)) - static_cast<std::int64_t>(width_);
    if (draw_.percent(1)) return {static_cast<std::int64_t>(draw_.bits())};
    if (draw_.percent(2)) return {10'000 + ticks * 10 * instrument_.tick};
    return {10'000 + ticks * instrument_.tick + (draw_.percent(2) ? 1 : 0)};
  }
  Quantity quantity() {
    if (draw_.percent(1)) return {static_cast<std::uint32_t>(draw_.bits())};
    return {(1 + static_cast<std::uint32_t>(draw_.below(12))) * instrument_.lot};
  }
  OrderId fresh_id(AccountId account) {
    OrderId id{++last_id_};
    if (draw_.percent(3)) id = {draw_.below(last_id_ + 1)};
    known_.push_back({id, account, {10'000}});
    if (known_.size() > 90) known_.pop_front();
    return id;
  }
  Known known() {
    if (known_.empty() || draw_.percent(1)) return {{draw_.bits()}, account(), {}};
    Known known = known_[draw_.below(known_.size())];
    if (draw_.percent(1)) known.account = account();
    return known;
  }
  TimeInForce time_in_force(bool of_special) {
    const std::uint64_t kind = draw_.below(100);
    if (kind < 20) return TimeInForce::day;
    if (kind < 30) return TimeInForce::immediate_or_cancel;
    if (kind < 38) return TimeInForce::fill_or_kill;
    if (kind < 55 && of_special) return TimeInForce::good_till_time;
    if (kind < 60) return TimeInForce::good_for_auction;
    if (kind == 99) return static_cast<TimeInForce>(draw_.below(8));
    return TimeInForce::good_till_cancelled;
  }

  NewOrder plain() {
    NewOrder order{.price = price(),
                   .quantity = quantity(),
                   .account = account(),
                   .symbol = instrument_.symbol,
                   .side = draw_.percent(50) ? Side::buy : Side::sell,
                   .type = draw_.percent(8) ? OrderType::market : OrderType::limit,
                   .time_in_force = time_in_force(false),
                   .post_only = draw_.percent(10) ? PostOnly::yes : PostOnly::no,
                   .arrival_ns = time_};
    if (draw_.percent(1)) order.post_only = static_cast<PostOnly>(draw_.below(256));
    if (draw_.percent(1)) order.type = static_cast<OrderType>(draw_.below(256));
    order.id = fresh_id(order.account);
    known_.back().price = order.price;
    return order;
  }

  SpecialOrder special() {
    SpecialOrder order{.price = price(),
                       .quantity = quantity(),
                       .account = account(),
                       .symbol = instrument_.symbol,
                       .side = draw_.percent(50) ? Side::buy : Side::sell,
                       .time_in_force = time_in_force(true),
                       .arrival_ns = time_};
    order.id = fresh_id(order.account);
    known_.back().price = order.price;
    const bool takes =
        order.time_in_force == TimeInForce::immediate_or_cancel || order.time_in_force == TimeInForce::fill_or_kill;
    if (order.time_in_force == TimeInForce::good_till_time)
      order.expires_s = static_cast<std::uint32_t>(time_ / 20 + 1 + static_cast<std::int64_t>(draw_.below(20)));
    const std::uint64_t kind = draw_.below(100);
    if (kind < 50) {
      constexpr Terms terms[] = {
          Terms::hidden,      Terms::reserve,   Terms::reserve, Terms::minimum,
          Terms::all_or_none, Terms::post_only, Terms::none,    Terms::hidden | Terms::post_only};
      order.terms = takes ? (draw_.percent(50) ? Terms::minimum : Terms::none) : terms[draw_.below(8)];
      if (draw_.percent(2)) order.terms = static_cast<Terms>(draw_.below(64));
      if (has(order.terms, Terms::reserve | Terms::minimum))
        order.part = {(1 + static_cast<std::uint32_t>(draw_.below(4))) * instrument_.lot};
    } else {
      order.type = static_cast<SpecialType>(draw_.below(9));
      if (takes && order.type >= SpecialType::market_to_limit && !draw_.percent(5))
        order.time_in_force = TimeInForce::good_till_cancelled;
      if (order.type == SpecialType::stop || order.type == SpecialType::stop_limit) order.trigger = price().units;
      const std::int64_t ticks = static_cast<std::int64_t>(draw_.below(4));
      if (order.type == SpecialType::trailing_stop) order.trigger = ticks * instrument_.tick;
      if (is_peg(order.type)) {
        order.trigger = draw_.percent(50) ? 0 : (ticks - 2) * instrument_.tick;
        if (draw_.percent(60)) order.price = order.side == Side::buy ? instrument_.highest : instrument_.lowest;
      }
      if (draw_.percent(2)) order.trigger = static_cast<std::int64_t>(draw_.bits());
      if (draw_.percent(2)) order.type = static_cast<SpecialType>(draw_.below(256));
    }
    return order;
  }

  Instrument instrument_;
  Draw draw_;
  std::uint64_t width_;  // of the prices, in ticks to either side: narrow, and levels have many orders
  std::int64_t time_ = 0;
  std::uint64_t last_id_ = 0;
  std::deque<Known> known_;
};

template <class Book, class Consumer>
void carry_out(const VenueCommand& command, Book& book, Consumer& consumer) {
  struct {
    Book& book;
    Consumer& consumer;
    void operator()(const NewOrder& c) { book.submit(c, consumer); }
    void operator()(const SpecialOrder& c) { book.submit(c, consumer); }
    void operator()(const CancelOrder& c) { book.cancel(c, consumer); }
    void operator()(const ReduceOrder& c) { book.reduce(c, consumer); }
    void operator()(const ModifyOrder& c) { book.modify(c, consumer); }
    void operator()(const ReplaceOrder& c) { book.replace(c, consumer); }
    void operator()(const ReplaceTerms& c) { book.replace(c, consumer); }
    void operator()(const EndOfDay& c) { book.end_of_day(c, consumer); }
    void operator()(const MassCancel& c) { book.mass_cancel(c, consumer); }
    void operator()(const ExpireOrders& c) { book.expire(c, consumer); }
    void operator()(const ChangePhase& c) { book.change_phase(c, consumer); }
    void operator()(const ClearBook&) { book.clear(Reason::requested, consumer); }
  } act{book, consumer};
  std::visit(act, command);
}

}  // namespace outcry_test
