// FixVenue: two real books behind real limits, as a place where FixPorts send their orders. What the books say is handed
// out when somebody asks for it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <outcry/actors/order_entry.hpp>
#include <outcry/actors/pre_trade_risk.hpp>
#include <outcry/actors/replacement_size.hpp>
#include <outcry/book/order_book.hpp>
#include <outcry/book/order_pool.hpp>

namespace outcry::test {

class FixVenue : public OrderRoute {
 public:
  using Event = std::variant<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced>;
  using Command = std::variant<NewOrder, ReplaceOrder, ReplaceTerms, ReduceOrder, CancelOrder, MassCancel>;

  static Instrument instrument(std::uint32_t number, std::string_view name, std::int64_t scale) {
    Instrument listed{.symbol = {number}, .name = padded_name(name)};
    listed.tick = scale / 100;
    listed.price_scale = scale;
    listed.lowest = {1};
    listed.highest = {2'000'000'000};
    listed.largest = {1'000'000};
    return listed;
  }

  /// AAPL counts in 1/10,000, MSFT in cents.
  explicit FixVenue(std::uint32_t most_orders = 1 << 12)
      : directory_(listed()), risk({.symbols = directory_.size(), .open_orders = most_orders}) {
    for (const SymbolDirectory::Listed& listed : directory_.all()) {
      pools_.push_back(std::make_unique<OrderPool>(OrderPool::Size{.orders = most_orders}));
      books_.push_back(std::make_unique<OrderBook<>>(listed.instrument, *pools_.back()));
    }
    trades_.resize(directory_.size());
  }

  const SymbolDirectory& directory() const { return directory_; }
  const OrderBook<>& book(std::uint32_t symbol) const { return *books_[symbol]; }

  Sent send(const NewOrder& command, const RiskCall& call) noexcept override { return ask(command, call); }
  Sent send(const SpecialOrder&, const RiskCall&) noexcept override { return {}; }
  Sent send(const ReplaceOrder& command, const RiskCall& call) noexcept override { return ask(command, call); }
  Sent send(const ReplaceTerms& command, const RiskCall& call) noexcept override { return ask(command, call); }
  bool send(const ReduceOrder& command) noexcept override { return take(command); }
  bool send(const CancelOrder& command) noexcept override { return take(command); }
  bool send(const MassCancel& command) noexcept override { return take(command); }

  bool quiet() const { return commands_.empty() && events_.empty(); }
  std::size_t commands_waiting() const { return commands_.size(); }
  void match_one() {
    if (commands_.empty()) return;
    const Command command = commands_.front();
    commands_.pop_front();
    std::visit([this](const auto& c) { match(c); }, command);
  }
  /// hear(event), the oldest one that was not handed out.
  template <class Hear>
  void hear_one(Hear hear) {
    if (events_.empty()) return;
    const Event event = events_.front();
    events_.pop_front();
    std::visit(
        [&](const auto& e) {
          risk.heard(e);
          hear(e);
        },
        event);
  }
  template <class Hear>
  void settle(Hear hear) {
    while (!quiet()) {
      match_one();
      while (!events_.empty()) hear_one(hear);
    }
  }

  // The books' consumer.
  void on(const Traded& e) {
    const std::uint32_t trade = ++trades_[e.symbol.value];
    const auto filled = [&](OrderId id, AccountId account, Side side, Quantity open, std::uint8_t maker) {
      events_.push_back(Filled{.id = id,
                               .price = e.price,
                               .quantity = e.quantity,
                               .open = open,
                               .account = account,
                               .symbol = e.symbol,
                               .side = side,
                               .maker = maker,
                               .trade = trade});
    };
    filled(e.maker, e.maker_account, opposite(e.taker_side), e.maker_open, 1);
    filled(e.taker, e.taker_account, e.taker_side, {}, 0);
    risk.heard(TradePrint{.price = e.price, .quantity = e.quantity, .symbol = e.symbol});
  }
  template <class Other>
  void on(const Other& e) {
    if constexpr (std::is_constructible_v<Event, Other>) events_.push_back(e);
  }

 private:
  static std::vector<SymbolDirectory::Listed> listed() {
    return {{.instrument = instrument(0, "AAPL", 10'000)}, {.instrument = instrument(1, "MSFT", 100)}};
  }

  template <class C>
  Sent ask(const C& command, const RiskCall& call) {
    const RiskReason refused = risk.admit(command, call);
    if (refused != RiskReason::none) return {.sent = false, .refused = refused};
    if (take(command)) return {.sent = true};
    risk.withdraw(command);
    return {};
  }
  template <class C>
  bool take(const C& command) {
    if (!has_room) return false;
    commands_.emplace_back(command);
    return true;
  }

  void match(const NewOrder& c) { books_[c.symbol.value]->submit(c, *this); }
  void match(const CancelOrder& c) { books_[c.symbol.value]->cancel(c, *this); }
  void match(const ReduceOrder& c) { books_[c.symbol.value]->reduce(c, *this); }
  void match(const MassCancel& c) { books_[c.symbol.value]->mass_cancel(c, *this); }
  // As a desk does it: what traded on the way is taken off.
  void match(ReplaceOrder c) {
    OrderBook<>& book = *books_[c.symbol.value];
    const auto left = replacement_size(book, c.id, c.account, c.seen_open, c.quantity);
    if (!left) return refuse(c.id, c.new_id, c);
    c.quantity = *left;
    book.replace(c, *this);
  }
  void match(ReplaceTerms c) {
    OrderBook<>& book = *books_[c.order.symbol.value];
    const auto left = replacement_size(book, c.id, c.order.account, c.seen_open, c.order.quantity);
    if (!left) return refuse(c.id, c.order.id, c.order);
    c.order.quantity = *left;
    book.replace(c, *this);
  }
  template <class C>
  void refuse(OrderId id, OrderId new_id, const C& c) {
    on(Rejected{.id = id,
                .new_id = new_id,
                .account = c.account,
                .symbol = c.symbol,
                .command = CommandKind::replace,
                .reason = Reason::quantity_exceeds_open});
  }

  SymbolDirectory directory_;
  std::vector<std::unique_ptr<OrderPool>> pools_;
  std::vector<std::unique_ptr<OrderBook<>>> books_;
  std::deque<Command> commands_;
  std::deque<Event> events_;
  std::vector<std::uint32_t> trades_;

 public:
  PreTradeRisk risk;
  bool has_room = true;
};

}  // namespace outcry::test
