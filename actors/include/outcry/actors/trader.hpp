// Trader: a market as one strategy sees it: quotes, depth, trades, the state of each of its orders, position and cash.
//
//   Strategy buy_low(Trader& trader) {
//     while (const auto update = co_await trader.next()) {
//       const Quote& quote = trader.quote(update.symbol);
//       if (quote.has_ask() && quote.ask < Price{1'000'000}) trader.buy(Quantity{100}, quote.ask, {.symbol = update.symbol});
//     }
//   }
//
// Give what next() brings a name, as here: GCC 12 miscompiles a coroutine without any local variable that awaits in a
// condition.
//
// A strategy is a coroutine that returns Strategy and takes a Trader. The same source runs in a simulated market and on
// recorded market data (run.hpp). What the trader shows is what has reached it: over links with latency, an order is
// pending until the market's answer is back.
// Thread: the strategy's scheduler.
// Units: prices in the instrument's units, quantities in lots; cash and profit in price units times lots.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <outcry/actors/participant.hpp>
#include <outcry/actors/stage_times.hpp>
#include <outcry/actors/stamp.hpp>
#include <outcry/messages/instrument.hpp>
#include <outcry/runtime/task.hpp>

namespace outcry {

using Strategy = Task<void>;

class Trader;
using StrategyFunction = Strategy (*)(Trader&);

/// In price units for each lot; a rebate is negative.
struct Fees {
  std::int64_t maker = 0;
  std::int64_t taker = 0;
};

enum class OrderProgress : std::uint8_t {
  pending,        // sent; the market has not answered
  waiting,        // a stop that has not been triggered
  live,           // rests in the book, nothing of it has traded
  partly_filled,  // rests, part of it has traded
  filled,
  cancelled,  // by us, or what was left of it by its terms: see reason
  refused,    // see reason
};
constexpr const char* to_string(OrderProgress progress) {
  constexpr const char* names[] = {"pending", "waiting", "live", "partly_filled", "filled", "cancelled", "refused"};
  return names[static_cast<int>(progress)];
}

struct OrderState {
  OrderId id{};
  SymbolId symbol{};
  Side side{};
  Price price{};
  Quantity quantity{};  // as asked for, or as last modified: filled and open together
  Quantity filled{};
  Quantity open{};
  OrderProgress progress{};
  Reason reason = Reason::none;
  bool cancelling = false;  // a cancel is under way
  bool modifying = false;   // a modify is under way

  // Of orders with terms; open is displayed and reserve together once the order rests.
  SpecialType type = SpecialType::limit;
  Terms terms = Terms::none;
  std::int64_t trigger = 0;  // as in SpecialOrder
  Quantity part{};           // what an iceberg displays at most, or the minimum
  Quantity displayed{};      // what everyone sees
  Quantity reserve{};        // what nobody sees
  bool parked = false;       // a peg that has nothing to be pegged to

  bool done() const { return progress >= OrderProgress::filled; }
};

struct Position {
  std::int64_t lots = 0;  // negative: short
  std::int64_t cash = 0;  // what sales brought less what purchases cost, fees not counted
  std::int64_t fees = 0;
  std::uint64_t bought = 0;
  std::uint64_t sold = 0;
  std::uint64_t fills = 0;
};

/// What a strategy ends with.
struct TraderReport {
  struct Line {
    Instrument instrument{};
    Position position{};
    Price mark{};             // mid of the last quote, or the last trade
    std::int64_t profit = 0;  // cash - fees + position at the mark
  };
  std::vector<Line> lines{};
  std::uint64_t orders = 0;
  std::uint64_t refused = 0;
  std::uint64_t cancelled = 0;
  std::string failure{};  // of an exception that ended the strategy
};

struct OrderOptions {
  SymbolId symbol{};
  TimeInForce time_in_force = TimeInForce::good_till_cancelled;
  PostOnly post_only = PostOnly::no;
  // In a market with rules; elsewhere the order is refused.
  Terms terms = Terms::none;
  Quantity part{};  // what Terms::reserve displays, or Terms::minimum asks for
  Time expires{};   // good till then, to the second; zero: see time_in_force
};

using TraderSelf = Self<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced, Quote, TradePrint, Depth,
                        AcceptedTerms, Refreshed, Triggered, Repriced, PhaseChanged, Indicative, Uncrossed>;

/// A strategy has returned, or has thrown.
struct StrategyDone {
  std::uint32_t unused{};
};

struct TraderSetup {
  struct Listed {
    Instrument instrument{};
    SymbolAddress address{};
    bool has_rules = false;  // phases and auctions are listened to
  };
  StrategyFunction strategy = nullptr;
  std::vector<Listed> symbols{};  // by SymbolId, from 0
  AccountId account{1};
  Fees fees{};
  StampClock stamps = StampClock::world;
  StageTimes* stages = nullptr;    // of the scheduler; null: nothing is measured
  TraderReport* report = nullptr;  // written when the trader ends; outlives the runtime
  // Somebody who is told when the strategy is done; then the trader still hears what becomes of its orders, until it is
  // told to stop. None: it ends with the strategy.
  Address<StrategyDone> done{};
};

/// The actor that a strategy runs in.
Actor trader(TraderSelf self, TraderSetup setup);

class Trader {
 public:
  enum class News : std::uint8_t { none, quote, trade, depth, order, time, phase, indicative, auction };

  /// What next() brought. False once the market is over.
  struct Update {
    News news{};
    SymbolId symbol{};
    OrderId order{};  // of News::order
    bool open = false;
    explicit operator bool() const { return open; }
  };

  Trader(TraderSelf self, TraderSetup setup);
  ~Trader();
  Trader(const Trader&) = delete;
  Trader& operator=(const Trader&) = delete;

  class [[nodiscard]] Next {
   public:
    Next(Trader* trader, TraderSelf::Receiving receiving) : trader_(trader), receiving_(receiving) {}
    bool await_ready() const { return receiving_.await_ready(); }
    void await_suspend(std::coroutine_handle<> point) const { receiving_.await_suspend(point); }
    Update await_resume() {
      const bool open = trader_->absorb(receiving_.await_resume());
      return {trader_->news_, trader_->news_symbol_, trader_->news_order_, open};
    }

   private:
    Trader* trader_;
    TraderSelf::Receiving receiving_;
  };

  /// The next thing that happens. False once the market is over: then return.
  Next next(std::source_location where = std::source_location::current()) { return {this, self_.receive(where)}; }
  /// The same, but no later than `time`: then the news is News::time.
  Next next_until(Time time, std::source_location where = std::source_location::current()) {
    return {this, self_.receive_until(time, where)};
  }
  Next next_within(Duration duration, std::source_location where = std::source_location::current()) {
    return {this, self_.receive_for(duration, where)};
  }

  News news() const { return news_; }
  /// What the news is about.
  SymbolId news_symbol() const { return news_symbol_; }
  OrderId news_order() const { return news_order_; }

  Time now() const { return self_.now(); }
  Random& random() const { return self_.random(); }

  std::size_t symbol_count() const { return symbols_.size(); }
  const Instrument& instrument(SymbolId symbol = {}) const { return at(symbol).instrument; }
  /// The last one that arrived; without quantities before the first.
  const Quote& quote(SymbolId symbol = {}) const { return at(symbol).quote; }
  const std::optional<TradePrint>& last_trade(SymbolId symbol = {}) const { return at(symbol).trade; }
  /// Asks for the ten best levels from now on.
  void watch_depth(SymbolId symbol = {});
  std::span<const DepthLevel> depth(Side side, SymbolId symbol = {}) const;
  Phase phase(SymbolId symbol = {}) const { return at(symbol).phase; }
  /// While orders are collected: the price at which they would trade now; nothing if none would, or else.
  const std::optional<Indicative>& indicative(SymbolId symbol = {}) const { return at(symbol).indicative; }
  /// How the last auction ended in which something traded.
  const std::optional<Uncrossed>& last_auction(SymbolId symbol = {}) const { return at(symbol).uncrossed; }

  /// Sends an order; its id. Its state is pending until the market answers.
  OrderId buy(Quantity quantity, Price price, OrderOptions options = {}) {
    return enter(Side::buy, quantity, price, OrderType::limit, options);
  }
  OrderId sell(Quantity quantity, Price price, OrderOptions options = {}) {
    return enter(Side::sell, quantity, price, OrderType::limit, options);
  }
  OrderId buy_at_market(Quantity quantity, SymbolId symbol = {}) {
    return enter(Side::buy, quantity, {}, OrderType::market, {.symbol = symbol});
  }
  OrderId sell_at_market(Quantity quantity, SymbolId symbol = {}) {
    return enter(Side::sell, quantity, {}, OrderType::market, {.symbol = symbol});
  }

  // Orders of markets with rules. What they need of options.terms, they add.

  /// Displays `part` of it at a time.
  OrderId iceberg(Side side, Quantity quantity, Quantity part, Price price, OrderOptions options = {}) {
    options.terms = options.terms | Terms::reserve;
    options.part = part;
    return enter(side, quantity, price, OrderType::limit, options);
  }
  /// Waits until a trade at `trigger` or beyond (above to buy, below to sell), then is a market order.
  OrderId stop(Side side, Quantity quantity, Price trigger, OrderOptions options = {}) {
    return enter(side, quantity, {}, SpecialType::stop, trigger.units, options);
  }
  /// The same; then it is a limit order.
  OrderId stop_limit(Side side, Quantity quantity, Price trigger, Price price, OrderOptions options = {}) {
    return enter(side, quantity, price, SpecialType::stop_limit, trigger.units, options);
  }
  /// A stop that follows the last trade at a distance, and never moves away from it.
  OrderId trailing_stop(Side side, Quantity quantity, std::int64_t distance, OrderOptions options = {}) {
    return enter(side, quantity, {}, SpecialType::trailing_stop, distance, options);
  }
  /// Follows the best price of its own side (primary_peg), of the other (market_peg) or the middle (midpoint_peg), up to
  /// `worst`. Nobody sees it.
  OrderId peg(Side side, Quantity quantity, SpecialType type, Price worst, std::int64_t offset = 0,
              OrderOptions options = {}) {
    return enter(side, quantity, worst, type, offset, options);
  }
  /// Takes what the best price of the other side offers, and rests there with what is left.
  OrderId market_to_limit(Side side, Quantity quantity, OrderOptions options = {}) {
    return enter(side, quantity, {}, SpecialType::market_to_limit, 0, options);
  }

  /// Nothing happens if the order is done or already being cancelled.
  void cancel(OrderId id);
  void cancel_all(SymbolId symbol = {});
  /// One side of a symbol in one message: no order that was sent before survives it.
  void cancel_all(SymbolId symbol, Side side);
  /// A new price and open quantity; keeps its place only if the price is the same and the quantity shrinks.
  void modify(OrderId id, Price price, Quantity open);

  /// Keeps one order working at a price: sends it if `order` is none or done, moves it if it stands elsewhere, and leaves
  /// it alone while the market has not answered. `order` is then its id.
  void keep(OrderId& order, Side side, Quantity quantity, Price price, OrderOptions options = {});

  /// Null if there is no such order, or it ended long ago.
  const OrderState* order(OrderId id) const;
  /// Orders that are not done, oldest first.
  std::span<const OrderId> open_orders() const { return open_; }

  const Position& position(SymbolId symbol = {}) const { return at(symbol).position; }
  /// Cash less fees plus the position at the mark; of one symbol, and of all.
  std::int64_t profit(SymbolId symbol) const;
  std::int64_t profit() const;
  TraderReport report() const;

 private:
  struct Listed {
    Instrument instrument{};
    SymbolAddress address{};
    Quote quote{};
    std::optional<TradePrint> trade{};
    Depth depth{};
    Position position{};
    Phase phase = Phase::continuous;
    std::optional<Indicative> indicative{};
    std::optional<Uncrossed> uncrossed{};
  };
  static constexpr std::size_t done_orders_kept = 4096;

  const Listed& at(SymbolId symbol) const;
  Listed& at(SymbolId symbol) { return const_cast<Listed&>(std::as_const(*this).at(symbol)); }
  Price mark(const Listed& listed) const;
  OrderId enter(Side side, Quantity quantity, Price price, OrderType type, const OrderOptions& options);
  OrderId enter(Side side, Quantity quantity, Price price, SpecialType type, std::int64_t trigger,
                OrderOptions options);
  OrderState& note_order(Side side, Quantity quantity, Price price, SymbolId symbol);
  void show(OrderState& order);
  std::int64_t stamp() const;
  void finish(OrderState& order, OrderProgress progress, Reason reason);
  void refresh(OrderState& order);
  OrderState* find(OrderId id);

  using Message = decltype(std::declval<TraderSelf::Receiving>().await_resume());
  bool absorb(Message message);
  void heard(const Accepted& event);
  void heard(const Rejected& event);
  void heard(const Filled& event);
  void heard(const Cancelled& event);
  void heard(const Reduced& event);
  void heard(const Modified& event);
  void heard(const Replaced& event);
  void heard(const Quote& quote);
  void heard(const TradePrint& trade);
  void heard(const Depth& depth);
  void heard(const AcceptedTerms& event);
  void heard(const Refreshed& event);
  void heard(const Triggered& event);
  void heard(const Repriced& event);
  void heard(const PhaseChanged& event);
  void heard(const Indicative& event);
  void heard(const Uncrossed& event);
  void about_order(OrderId id, SymbolId symbol, std::int64_t arrival_ns);

  TraderSelf self_;
  TraderSetup setup_;
  std::vector<Listed> symbols_;
  std::unordered_map<OrderId, OrderState> orders_;
  std::vector<OrderId> open_;
  std::deque<OrderId> done_;
  std::uint32_t last_order_ = 0;
  News news_ = News::none;
  SymbolId news_symbol_{};
  OrderId news_order_{};
  std::uint64_t sent_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t cancelled_ = 0;
};

}  // namespace outcry
