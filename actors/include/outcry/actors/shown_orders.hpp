// ShownOrders: what a book does, told as changes of its displayed orders, to whoever subscribed to them.
//
// It stands beside a desk and hears every event of the book. What the events do not say is looked up: whether an order
// that has done its work came to rest where everyone sees it, and with how much. So an order that trades on its way in
// is added with what is left of it, behind the trades; one that never rests is never added. An order that gets a new
// place under its own id (a change that loses it, the next part of an iceberg) is deleted and added.
//
// Thread: the desk's. The news wait here until the symbol's actor has handed them over, in their order.
// Invariant: after each command the orders that were told are those that the book displays.
// Limits: a table of the displayed orders, and the news of one batch of commands; both keep the memory they once had.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <outcry/actors/order_table.hpp>
#include <outcry/actors/participant.hpp>
#include <outcry/book/order_book.hpp>

namespace outcry {

class ShownOrders {
 public:
  explicit ShownOrders(const OrderBook<>& book);

  /// The phase and every order that is displayed, best first, oldest first; then what changes.
  void subscribe(const OrdersAddress& address, std::int64_t now_ns);

  /// Around each command; the time is that of the changes it makes.
  void begin(std::int64_t now_ns) { now_ns_ = now_ns; }
  void end();

  // What happens in between, in the order of the book.
  void on(const Accepted& event) { working(event.id, false); }
  void on(const AcceptedTerms& event);
  /// Unprinted: recorded history leaves it out of the volume.
  void on(const Traded& event, bool printable);
  void on(const Cancelled& event);
  void on(const Reduced& event);
  void on(const Modified& event);
  void on(const Replaced& event);
  void on(const Refreshed& event);
  void on(const Triggered& event) { working(event.id, false); }
  void on(const Repriced& event) { working(event.id, true); }
  void on(const PhaseChanged& event);
  void on(const Uncrossed& event);
  /// A trade, by its number, that is to count as none.
  void on_broken(std::uint32_t trade);
  /// A print of a trade that no event of the book stands for.
  void on_unseen_trade(Price price, Quantity quantity, Side rested);

  // Handing over: to each subscriber what it has not had, and then forget().
  std::size_t subscribers() const { return subscribers_.size(); }
  const OrdersAddress& address(std::size_t subscriber) const { return subscribers_[subscriber].address; }
  /// How many it has not had, and one of them, the oldest first.
  std::size_t waiting(std::size_t subscriber) const {
    return subscribers_[subscriber].start.size() + changes_.size() - subscribers_[subscriber].from;
  }
  const MarketByOrder& change(std::size_t subscriber, std::size_t n) const {
    const Subscriber& to = subscribers_[subscriber];
    return n < to.start.size() ? to.start[n] : changes_[n - to.start.size() + to.from];
  }
  bool has_any() const { return any_; }
  void forget();

  std::size_t displayed() const { return shown_.size(); }
  /// The first order that is told as it is not, or an empty string. Looks at everything: for tests.
  std::string check() const;

 private:
  static constexpr std::size_t expected_orders = 1'024;
  static constexpr std::size_t expected_changes = 512;  // of a batch

  struct Shown {
    Price price{};
    std::uint32_t open = 0;
    Side side{};
  };
  struct Subscriber {
    OrdersAddress address;
    std::vector<MarketByOrder> start;
    std::size_t from = 0;
  };

  MarketByOrder news(MarketByOrder::Kind kind, OrderId id) const;
  std::uint32_t trade() const { return static_cast<std::uint32_t>(book_.counts().trades); }
  MarketByOrder added(const OrderView& order) const;
  void tell(const MarketByOrder& news);
  void working(OrderId id, bool is_hidden);
  void settle(const Traded* against = nullptr);
  void execute(OrderId id, const Traded& event, MarketByOrder::Told told);
  void shrink(OrderId id, std::uint32_t to);
  void remove(OrderId id);
  void tell_hidden_trade(Price price, Quantity quantity, Side rested, std::uint32_t trade);
  void end_cross(Phase phase);

  const OrderBook<>& book_;
  std::int64_t now_ns_ = 0;
  OrderTable<Shown> shown_;
  OrderId working_{};    // did or does its work; where it came to rest was not told yet
  OrderId replaced_{};   // by it
  bool hidden_ = false;  // it rests out of sight, if it rests
  bool crossing_ = false;
  Price cross_price_{};
  Volume cross_volume_ = 0;
  std::uint32_t crosses_ = 0;
  std::uint32_t unseen_ = 0;
  std::vector<Subscriber> subscribers_;
  std::vector<MarketByOrder> changes_;
  bool any_ = false;
};

}  // namespace outcry
