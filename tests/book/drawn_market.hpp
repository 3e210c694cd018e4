// DrawnMarket: random commands for one book: sensible ones, foolish ones and wrong ones, all from one seed.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <variant>
#include <vector>

#include <outcry/book/order_book.hpp>

namespace outcry_test {

using namespace outcry;

/// Stands for OrderBook::rest(): an order of recorded history that does not look at the other side.
struct RestOrder {
  NewOrder order;
};
/// Stands for OrderBook::clear().
struct ClearBook {};

using Command = std::variant<NewOrder, CancelOrder, ReduceOrder, ModifyOrder, ReplaceOrder, ReplaceTerms, EndOfDay,
                             Execution, RestOrder, ClearBook>;

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return bits() % n; }
  bool percent(unsigned p) { return below(100) < p; }

 private:
  std::uint64_t state_;
};

struct Profile {
  std::string name;
  Instrument instrument{};
  PriceLadder::Window window{};
  std::uint32_t limit = 1000;    // of the pool
  std::uint32_t target = 100;    // live orders about which the book hovers
  std::int64_t middle = 10'000;  // where prices start
  std::int64_t width = 20;       // ticks to each side
  unsigned far_percent = 2;      // prices anywhere in the range
  unsigned drift_percent = 2;    // steps on which the middle moves
  unsigned jump_percent = 3;     // of those, how many are jumps of up to 2,000 ticks
  unsigned wrong_percent = 4;    // commands with something wrong in them
  unsigned history_percent = 0;  // rest and execute
  bool wide_ids = false;         // ids of 64 bits
};

class DrawnMarket {
 public:
  DrawnMarket(const Profile& profile, std::uint64_t seed) : profile_(profile), draw_(seed), middle_(profile.middle) {}

  Command next(std::size_t live) {
    ++time_;
    if (draw_.percent(profile_.drift_percent)) drift();
    const std::uint64_t kind = draw_.below(1000);
    if (kind < 1) return EndOfDay{.symbol = symbol(), .arrival_ns = time_};
    if (kind < 2 && draw_.percent(20)) return ClearBook{};
    const bool full = live > profile_.target;
    if (kind < (full ? 300u : 600u)) return new_order();
    const OrderId id = known_id();
    if (kind < 700) return CancelOrder{.id = id, .account = account_of(id), .symbol = symbol(), .arrival_ns = time_};
    if (draw_.percent(profile_.history_percent)) {
      Execution execution{.id = id, .quantity = small(), .arrival_ns = time_};
      if (draw_.percent(20)) execution.price = price();
      return execution;
    }
    if (kind < 780)
      return ReduceOrder{.id = id, .by = small(), .account = account_of(id), .symbol = symbol(), .arrival_ns = time_};
    if (kind < 860)
      return ModifyOrder{.id = id,
                         .price = price_near(id),
                         .quantity = small(),
                         .account = account_of(id),
                         .symbol = symbol(),
                         .arrival_ns = time_};
    if (kind < 940) {
      const OrderId new_id = fresh_id(account_of(id));
      if (draw_.percent(30)) return replace_terms(id, new_id);
      return ReplaceOrder{.id = id,
                          .new_id = new_id,
                          .price = price_near(id),
                          .quantity = quantity(),
                          .account = account_of(id),
                          .symbol = symbol(),
                          .arrival_ns = time_};
    }
    return CancelOrder{.id = id, .account = account_of(id), .symbol = symbol(), .arrival_ns = time_};
  }

 private:
  struct Known {
    OrderId id;
    AccountId account;
    Price price;
  };

  bool wrong() { return draw_.percent(profile_.wrong_percent) && draw_.percent(25); }
  SymbolId symbol() {
    return wrong() && draw_.percent(30) ? SymbolId{profile_.instrument.symbol.value + 1} : profile_.instrument.symbol;
  }

  Command new_order() {
    NewOrder order{.price = price(),
                   .quantity = quantity(),
                   .account = {static_cast<std::uint32_t>(draw_.below(3))},
                   .symbol = symbol(),
                   .side = draw_.percent(50) ? Side::buy : Side::sell,
                   .arrival_ns = time_};
    // Mostly on its own side of the middle, so that a book builds up.
    if (draw_.percent(60)) {
      const std::int64_t distance =
          static_cast<std::int64_t>(draw_.below(static_cast<std::uint64_t>(profile_.width))) * profile_.instrument.tick;
      order.price = {order.side == Side::buy ? middle_ - distance : middle_ + profile_.instrument.tick + distance};
    }
    order.id = fresh_id(order.account);
    if (!known_.empty()) known_.back().price = order.price;
    const std::uint64_t kind = draw_.below(100);
    if (kind < 25)
      order.time_in_force = TimeInForce::day;
    else if (kind < 33)
      order.time_in_force = TimeInForce::immediate_or_cancel;
    else if (kind < 40)
      order.time_in_force = TimeInForce::fill_or_kill;
    else if (kind < 50)
      order.post_only = PostOnly::yes;
    if (draw_.percent(5)) order.type = OrderType::market;
    if (wrong()) order.time_in_force = static_cast<TimeInForce>(draw_.below(256));
    if (wrong()) order.post_only = static_cast<PostOnly>(draw_.below(256));
    if (wrong()) order.type = static_cast<OrderType>(draw_.below(256));
    if (wrong()) order.side = static_cast<Side>(draw_.below(256));
    if (draw_.percent(profile_.history_percent)) return RestOrder{order};
    return order;
  }

  Command replace_terms(OrderId id, OrderId new_id) {
    constexpr TimeInForce times[] = {TimeInForce::good_till_cancelled, TimeInForce::day,
                                     TimeInForce::immediate_or_cancel, TimeInForce::fill_or_kill};
    SpecialOrder order{.id = new_id,
                       .price = price_near(id),
                       .quantity = quantity(),
                       .account = account_of(id),
                       .symbol = symbol(),
                       .side = draw_.percent(50) ? Side::buy : Side::sell,
                       .type = draw_.percent(5) ? SpecialType::market : SpecialType::limit,
                       .time_in_force = times[draw_.below(4)],
                       .terms = draw_.percent(10) ? Terms::post_only : Terms::none,
                       .arrival_ns = time_};
    if (wrong()) order.terms = static_cast<Terms>(draw_.below(256));
    if (wrong()) order.time_in_force = static_cast<TimeInForce>(draw_.below(256));
    if (wrong()) order.type = static_cast<SpecialType>(draw_.below(256));
    return ReplaceTerms{.id = id, .order = order};
  }

  void drift() {
    std::int64_t ticks = draw_.percent(50) ? 1 : -1;
    if (draw_.percent(profile_.jump_percent)) ticks *= static_cast<std::int64_t>(draw_.below(2000));
    const std::int64_t there = middle_ + ticks * profile_.instrument.tick;
    if (there > profile_.instrument.lowest.units && there < profile_.instrument.highest.units) middle_ = there;
  }

  Price price() {
    const Instrument& instrument = profile_.instrument;
    const auto width = static_cast<std::uint64_t>(profile_.width);
    std::int64_t units =
        middle_ + (static_cast<std::int64_t>(draw_.below(2 * width + 1)) - profile_.width) * instrument.tick;
    if (draw_.percent(profile_.far_percent)) {
      const auto range = static_cast<std::uint64_t>(instrument.highest.units) -
                         static_cast<std::uint64_t>(instrument.lowest.units) + 1;
      units = static_cast<std::int64_t>(static_cast<std::uint64_t>(instrument.lowest.units) + draw_.below(range));
      if (!draw_.percent(20)) units -= units % instrument.tick;
    }
    if (instrument.off_tick_allowed && draw_.percent(10))
      units += static_cast<std::int64_t>(draw_.below(static_cast<std::uint64_t>(instrument.tick)));
    if (wrong()) {
      static constexpr std::int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX, -1, 0};
      units = draw_.percent(50) ? units + 1 : extremes[draw_.below(5)];
    }
    return {units};
  }

  Price price_near(OrderId id) {
    if (draw_.percent(40))
      for (auto known = known_.rbegin(); known != known_.rend(); ++known)
        if (known->id == id) return known->price;
    return price();
  }

  Quantity quantity() {
    std::uint32_t lots = (1 + static_cast<std::uint32_t>(draw_.below(20))) * profile_.instrument.lot;
    if (draw_.percent(2)) lots *= 20;
    if (wrong()) {
      const std::uint32_t extremes[] = {0, 1, 0xFFFFFFFFu, profile_.instrument.largest.lots,
                                        profile_.instrument.largest.lots + 1};
      lots = extremes[draw_.below(5)];
    }
    return {lots};
  }

  Quantity small() {
    if (draw_.percent(30)) return quantity();
    return {wrong() ? 0 : (1 + static_cast<std::uint32_t>(draw_.below(4))) * profile_.instrument.lot};
  }

  OrderId fresh_id(AccountId account) {
    OrderId id{};
    if (draw_.percent(8) && !known_.empty())
      id = known_[draw_.below(known_.size())].id;  // perhaps live, perhaps free again
    else if (profile_.wide_ids)
      id = {draw_.bits()};
    else
      id = {++last_id_};
    if (profile_.wide_ids && draw_.percent(10)) id = {draw_.bits() << 32};
    if (wrong()) id = {};
    known_.push_back({id, account, {middle_}});
    if (known_.size() > 2 * profile_.target + 20) known_.pop_front();
    return id;
  }

  OrderId known_id() {
    if (known_.empty() || wrong()) return {draw_.bits()};
    return known_[draw_.below(known_.size())].id;
  }

  AccountId account_of(OrderId id) {
    if (!wrong())
      for (auto known = known_.rbegin(); known != known_.rend(); ++known)
        if (known->id == id) return known->account;
    return {static_cast<std::uint32_t>(draw_.below(4))};
  }

  Profile profile_;
  Draw draw_;
  std::int64_t middle_;
  std::int64_t time_ = 0;
  std::uint64_t last_id_ = 0;
  std::deque<Known> known_;
};

/// Gives a command to a book of either kind.
template <class Book, class Consumer>
void carry_out(const Command& command, Book& book, Consumer& consumer) {
  struct {
    Book& book;
    Consumer& consumer;
    void operator()(const NewOrder& c) { book.submit(c, consumer); }
    void operator()(const CancelOrder& c) { book.cancel(c, consumer); }
    void operator()(const ReduceOrder& c) { book.reduce(c, consumer); }
    void operator()(const ModifyOrder& c) { book.modify(c, consumer); }
    void operator()(const ReplaceOrder& c) { book.replace(c, consumer); }
    void operator()(const ReplaceTerms& c) { book.replace(c, consumer); }
    void operator()(const EndOfDay& c) { book.end_of_day(c, consumer); }
    void operator()(const Execution& c) { book.execute(c, consumer); }
    void operator()(const RestOrder& c) { book.rest(c.order, consumer); }
    void operator()(const ClearBook&) { book.clear(Reason::requested, consumer); }
  } act{book, consumer};
  std::visit(act, command);
}

}  // namespace outcry_test
