// Agents: what they do when they wake.
#include <outcry/actors/agents.hpp>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace outcry {

namespace {

constexpr double seconds_a_year = 252 * 6.5 * 3600;
constexpr std::uint32_t round_lot = 100;

Duration exponential(Random& random, Duration mean) {
  return Duration(1 + static_cast<std::int64_t>(random.exponential(static_cast<double>(mean.count()))));
}

/// 0, 1, 2, ... with a chance of `stop` to end at each.
std::int64_t geometric(Random& random, double stop) {
  return static_cast<std::int64_t>(std::log1p(-random.uniform()) / std::log1p(-stop));
}

/// What agents have in common: one account at one symbol, and the orders of theirs that may still live.
class Account {
 public:
  Account(AgentSelf self, AgentSetup setup) : self_(self), setup_(setup) {
    setup_.symbol.send(EnterSymbol{setup_.account, self_.address()});
    if (setup_.has_rules) setup_.symbol.send(SubscribePhases{self_.address()});
  }

  /// As far as it knows, orders are taken. Else whoever wakes waits for the next time.
  bool may_trade() const {
    switch (phase_) {
      case Phase::continuous:
      case Phase::auction: return true;
      case Phase::halted:
      case Phase::closed: return false;
    }
    return false;
  }

  void submit(Side side, Price price, Quantity quantity, TimeInForce time_in_force = TimeInForce::good_till_cancelled) {
    if (phase_ == Phase::auction) time_in_force = TimeInForce::good_till_cancelled;  // nothing trades at once
    const OrderId id{std::uint64_t{setup_.account.value} << 32 | ++orders_};
    if (time_in_force == TimeInForce::good_till_cancelled) live_.push_back(id);
    setup_.symbol.send(NewOrder{.id = id,
                                .price = price,
                                .quantity = quantity,
                                .account = setup_.account,
                                .symbol = setup_.symbol_id,
                                .side = side,
                                .time_in_force = time_in_force,
                                .arrival_ns = to_ns(self_.now())});
  }

  /// `terms` without id, account, symbol and stamp.
  void submit(SpecialOrder terms) {
    terms.id = OrderId{std::uint64_t{setup_.account.value} << 32 | ++orders_};
    terms.account = setup_.account;
    terms.symbol = setup_.symbol_id;
    terms.arrival_ns = to_ns(self_.now());
    live_.push_back(terms.id);
    setup_.symbol.send(terms);
  }

  void cancel_all() {
    for (const OrderId id : live_)
      setup_.symbol.send(CancelOrder{
          .id = id, .account = setup_.account, .symbol = setup_.symbol_id, .arrival_ns = to_ns(self_.now())});
    live_.clear();
  }

  std::int64_t position() const { return position_; }

  void heard(const Filled& fill) {
    position_ += fill.side == Side::buy ? static_cast<std::int64_t>(fill.quantity.lots)
                                        : -static_cast<std::int64_t>(fill.quantity.lots);
    if (fill.maker != 0 && fill.open == Quantity{}) std::erase(live_, fill.id);
  }
  void heard(const Cancelled& cancelled) { std::erase(live_, cancelled.id); }
  void heard(const Rejected& rejected) {
    if (rejected.command == CommandKind::new_order) std::erase(live_, rejected.id);
  }
  void heard(const PhaseChanged& changed) { phase_ = changed.phase; }
  void heard(const auto&) {}

 private:
  Phase phase_ = Phase::continuous;
  AgentSelf self_;
  AgentSetup setup_;
  std::uint32_t orders_ = 0;
  std::int64_t position_ = 0;
  std::vector<OrderId> live_;
};

/// Hears what comes until `wake`. False once the market is over.
Task<bool> rest_until(AgentSelf self, Account* account, Time wake) {
  for (;;) {
    const auto message = co_await self.receive_until(wake);
    if (!message) co_return !self.stopping();
    std::visit([account](const auto& event) { account->heard(event); }, *message);
  }
}

Task<bool> look(AgentSelf self, SymbolAddress symbol, Quote* quote) {
  auto asking = symbol.ask(QuoteQuery{});
  const auto reply = co_await asking;
  if (reply) *quote = *reply;
  co_return static_cast<bool>(reply) && !self.stopping();
}

/// The middle of the market as far as there is one; else what it is thought to be worth.
double middle(const Quote& quote, double otherwise) {
  if (quote.has_both()) return static_cast<double>(quote.bid.units + quote.ask.units) / 2;
  if (quote.has_bid()) return static_cast<double>(quote.bid.units) + 1;
  if (quote.has_ask()) return static_cast<double>(quote.ask.units) - 1;
  return otherwise;
}

Quantity some_lots(Random& random) {
  return Quantity{round_lot * static_cast<std::uint32_t>(1 + std::min<std::int64_t>(geometric(random, 0.5), 9))};
}

/// What becomes of an order that a noise agent would leave in the book. Draws nothing where all orders are plain.
void leave(Account& account, Random& random, const AgentBehaviour& behaviour, Side side, Price price,
           const Quote& quote) {
  const Quantity quantity = some_lots(random);
  if (!behaviour.special()) return account.submit(side, price, quantity);
  SpecialOrder order{.price = price, .quantity = quantity, .side = side};
  const bool buys = side == Side::buy;
  double drawn = random.uniform();
  const auto is_one_of = [&drawn](double share) { return std::exchange(drawn, drawn - share) < share; };
  if (is_one_of(behaviour.icebergs)) {
    order.terms = Terms::reserve;
    order.part = Quantity{round_lot};
    order.quantity = Quantity{quantity.lots * 5};
  } else if (is_one_of(behaviour.hidden)) {
    order.terms = Terms::hidden;
  } else if (is_one_of(behaviour.stops)) {
    // Behind the best price of the other side: it follows the market when that runs away.
    const Price best = buys ? (quote.has_ask() ? quote.ask : price) : (quote.has_bid() ? quote.bid : price);
    const std::int64_t away = 1 + geometric(random, 0.25);
    order.trigger = buys ? best.units + away : best.units - away;
    order.price = Price{buys ? order.trigger + 2 : order.trigger - 2};
    const double kind = random.uniform();
    order.type = kind < 0.4 ? SpecialType::stop : kind < 0.8 ? SpecialType::stop_limit : SpecialType::trailing_stop;
    if (order.type == SpecialType::trailing_stop) order.trigger = away;
  } else if (is_one_of(behaviour.pegs)) {
    const std::uint64_t kind = random.below(3);
    order.type = kind == 0 ? SpecialType::primary_peg : kind == 1 ? SpecialType::midpoint_peg : SpecialType::market_peg;
    if (order.type == SpecialType::market_peg) order.trigger = buys ? -1 : 1;
    order.price = Price{buys ? price.units + 5 : price.units - 5};
  } else {
    return account.submit(side, price, quantity);
  }
  account.submit(order);
}

}  // namespace

Fundamental::Fundamental(double mean, double volatility, double reversion, Random random)
    : mean_(mean),
      variance_per_s_(mean * volatility * mean * volatility / seconds_a_year),
      reversion_(reversion),
      random_(random),
      value_(mean) {}

double Fundamental::at(Time time) {
  if (time <= time_) return value_;
  const double passed_s = std::chrono::duration<double>(time - time_).count();
  const double kept = std::exp(-reversion_ * passed_s);
  const double variance = variance_per_s_ * -std::expm1(-2 * reversion_ * passed_s) / (2 * reversion_);
  value_ = mean_ + (value_ - mean_) * kept + random_.normal(0, std::sqrt(variance));
  time_ = time;
  return value_;
}

Actor noise_agent(AgentSelf self, AgentSetup setup) {
  Account account(self, setup);
  Random& random = self.random();
  const AgentBehaviour& behaviour = *setup.behaviour;
  Quote quote;
  for (;;) {
    Task<bool> rest = rest_until(self, &account, self.now() + exponential(random, behaviour.noise_wake));
    if (!co_await rest) break;
    account.cancel_all();
    Task<bool> looking = look(self, setup.symbol, &quote);
    if (!co_await looking) break;
    if (!account.may_trade()) continue;

    const bool buys = random.coin();
    const Side side = buys ? Side::buy : Side::sell;
    const bool has_opposite = buys ? quote.has_ask() : quote.has_bid();
    if (random.chance(0.25) && has_opposite) {  // across the spread, at most three ticks deep
      account.submit(side, buys ? quote.ask + 3 : quote.bid - 3, some_lots(random), TimeInForce::immediate_or_cancel);
      continue;
    }
    const double mid = middle(quote, behaviour.fundamental_price);
    const std::int64_t touch = buys ? (quote.has_bid() ? quote.bid.units : static_cast<std::int64_t>(mid) - 1)
                                    : (quote.has_ask() ? quote.ask.units : static_cast<std::int64_t>(mid) + 1);
    // One tick better than the best where the spread leaves room, else at the best or behind it.
    const bool improves = quote.has_both() && quote.ask - quote.bid > 1 && random.chance(0.3);
    const std::int64_t behind = improves ? -1 : geometric(random, 0.25);
    leave(account, random, behaviour, side, Price{buys ? touch - behind : touch + behind}, quote);
  }
}

Actor value_agent(AgentSelf self, AgentSetup setup) {
  Account account(self, setup);
  Random& random = self.random();
  const AgentBehaviour& behaviour = *setup.behaviour;
  Quote quote;
  for (;;) {
    Task<bool> rest = rest_until(self, &account, self.now() + exponential(random, behaviour.value_wake));
    if (!co_await rest) break;
    account.cancel_all();
    Task<bool> looking = look(self, setup.symbol, &quote);
    if (!co_await looking) break;
    if (!account.may_trade()) continue;

    const double worth = setup.fundamental->at(self.now()) + random.normal(0, behaviour.observation_error);
    if (quote.has_ask() && worth > static_cast<double>(quote.ask.units) + behaviour.observation_error) {
      account.submit(Side::buy, quote.ask, some_lots(random), TimeInForce::immediate_or_cancel);
    } else if (quote.has_bid() && worth < static_cast<double>(quote.bid.units) - behaviour.observation_error) {
      account.submit(Side::sell, quote.bid, some_lots(random), TimeInForce::immediate_or_cancel);
    } else {
      const double edge = 1 + random.exponential(behaviour.observation_error);
      const bool buys = random.coin();
      account.submit(buys ? Side::buy : Side::sell,
                     Price{static_cast<std::int64_t>(std::floor(buys ? worth - edge : worth + edge + 1))},
                     some_lots(random));
    }
  }
}

Actor maker_agent(AgentSelf self, AgentSetup setup) {
  constexpr int levels = 5;
  constexpr double lots_for_a_tick = 2'000;  // of inventory, that moves its quotes by a tick
  Account account(self, setup);
  Random& random = self.random();
  const AgentBehaviour& behaviour = *setup.behaviour;
  Quote quote;
  for (;;) {
    Task<bool> rest = rest_until(self, &account, self.now() + exponential(random, behaviour.maker_wake));
    if (!co_await rest) break;
    account.cancel_all();
    Task<bool> looking = look(self, setup.symbol, &quote);
    if (!co_await looking) break;
    if (!account.may_trade()) continue;

    const double lean = static_cast<double>(account.position()) / lots_for_a_tick;
    const double mid = middle(quote, behaviour.fundamental_price) - lean;
    const auto bid = static_cast<std::int64_t>(std::floor(mid - 0.5));
    const auto ask = static_cast<std::int64_t>(std::ceil(mid + 0.5));
    for (int level = 0; level < levels; ++level) {
      const Quantity quantity{round_lot * static_cast<std::uint32_t>(1 + level)};
      account.submit(Side::buy, Price{bid - level}, quantity);
      account.submit(Side::sell, Price{ask + level}, quantity);
    }
  }
}

// ---- zero intelligence

namespace {

/// The live orders of the chain, each as likely as any other to be drawn; ids are used again once their order is gone.
class LiveOrders {
 public:
  std::size_t size() const { return ids_.size(); }

  OrderId add() {
    std::uint32_t id = 0;
    if (free_.empty()) {
      place_.push_back(0);
      id = static_cast<std::uint32_t>(place_.size());
    } else {
      id = free_.back();
      free_.pop_back();
    }
    place_[id - 1] = static_cast<std::uint32_t>(ids_.size());
    ids_.push_back(id);
    return OrderId{id};
  }
  OrderId at(std::size_t index) const { return OrderId{ids_[index]}; }
  void remove(OrderId order) {
    const auto id = static_cast<std::uint32_t>(order.value);
    const std::uint32_t place = place_[id - 1];
    ids_[place] = ids_.back();
    place_[ids_[place] - 1] = place;
    ids_.pop_back();
    free_.push_back(id);
  }

 private:
  std::vector<std::uint32_t> ids_;
  std::vector<std::uint32_t> place_;  // by id - 1
  std::vector<std::uint32_t> free_;
};

/// A quantity that holds until it changes; weighted by how long.
class TimeAverage {
 public:
  void set(double value, double now_s) {
    pass(now_s);
    value_ = value;
  }
  void start(double now_s) {
    since_s_ = now_s;
    weight_ = sum_ = squares_ = 0;
    running_ = true;
  }
  void pass(double now_s) {
    if (!running_) return;
    const double passed = now_s - since_s_;
    weight_ += passed;
    sum_ += passed * value_;
    squares_ += passed * value_ * value_;
    since_s_ = now_s;
  }
  double mean() const { return weight_ > 0 ? sum_ / weight_ : 0; }
  double deviation() const { return weight_ > 0 ? std::sqrt(std::max(0.0, squares_ / weight_ - mean() * mean())) : 0; }

 private:
  bool running_ = false;
  double value_ = 0, since_s_ = 0, weight_ = 0, sum_ = 0, squares_ = 0;
};

double seconds(Time time) { return static_cast<double>(to_ns(time)) * 1e-9; }

}  // namespace

Actor zero_intelligence(ZeroIntelligenceSelf self, SymbolAddress symbol, ZeroIntelligence model, Price start,
                        Time measure_from, SpreadStatistics* statistics) {
  constexpr AccountId account{1};
  constexpr OrderId market_order{std::uint64_t{1} << 40};
  symbol.send(EnterSymbol{account, self.address()});
  symbol.send(SubscribeQuotes{self.address()});

  Random& random = self.random();
  LiveOrders live;
  TimeAverage spread;
  Price bid = start - 1;
  Price ask = start + 1;
  bool measuring = false;
  std::uint64_t events = 0;
  const double limits = 2 * model.limit_rate * model.width;
  const double cancel_rate = model.cancel_rate();
  double time_s = seconds(self.now());
  spread.set(static_cast<double>(ask - bid), time_s);

  for (;;) {
    const double cancels = cancel_rate * static_cast<double>(live.size());
    const double rate = limits + model.market_rate + cancels;
    time_s += random.exponential(1 / rate);
    // Two events never share a nanosecond, so that each sees the book that the one before has left.
    const Time next = std::max(self.now() + Duration(1), time_from_ns(static_cast<std::int64_t>(time_s * 1e9)));
    for (;;) {
      const auto message = co_await self.receive_until(next);
      if (!message) break;
      if (const auto* quote = std::get_if<Quote>(&*message)) {
        if (quote->has_bid()) bid = quote->bid;  // an empty side keeps its last best
        if (quote->has_ask()) ask = quote->ask;
        spread.set(static_cast<double>(ask - bid), seconds(self.now()));
      } else if (const auto* fill = std::get_if<Filled>(&*message)) {
        if (fill->maker != 0) live.remove(fill->id);
      }
    }
    if (self.stopping()) break;
    if (!measuring && self.now() >= measure_from) {
      measuring = true;
      spread.start(seconds(measure_from));
    }

    ++events;
    const double drawn = random.uniform() * rate;
    const Side side = random.coin() ? Side::buy : Side::sell;
    if (drawn < limits) {
      const auto offset = static_cast<std::int64_t>(1 + random.below(model.width));
      symbol.send(NewOrder{.id = live.add(),
                           .price = side == Side::buy ? ask - offset : bid + offset,
                           .quantity = Quantity{1},
                           .account = account,
                           .side = side,
                           .arrival_ns = to_ns(self.now())});
    } else if (drawn < limits + model.market_rate) {
      symbol.send(NewOrder{.id = market_order,
                           .quantity = Quantity{1},
                           .account = account,
                           .side = side,
                           .type = OrderType::market,
                           .time_in_force = TimeInForce::immediate_or_cancel,
                           .arrival_ns = to_ns(self.now())});
    } else {
      const OrderId id = live.at(random.below(live.size()));
      live.remove(id);
      symbol.send(CancelOrder{.id = id, .account = account, .arrival_ns = to_ns(self.now())});
    }
  }
  spread.pass(seconds(self.now()));
  *statistics = {spread.mean(), spread.deviation(), events};
}

}  // namespace outcry
