// MemoryVenue: books without actors: what ports send is carried out at once, what comes of it waits until it is delivered.
//
// Three symbols: AAPL, with a tick of a cent; HALF, whose prices count 1/100, with a tick of 5; both with rules. PLAIN has
// none. Commands can be kept back, so that something happens while they are under way.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include <outcry/actors/order_entry.hpp>
#include <outcry/actors/replacement_size.hpp>
#include <outcry/book/order_book.hpp>

namespace outcry::test {

class MemoryVenue : public OrderRoute {
 public:
  using Event = std::variant<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced, AcceptedTerms,
                             Refreshed, Triggered, Repriced>;

  explicit MemoryVenue(const BookRules& rules = {}, std::uint32_t orders = 1 << 14)
      : directory_({{.instrument = instrument(0, "AAPL", 100, 10'000), .address = {}, .has_rules = true},
                    {.instrument = instrument(1, "HALF", 5, 100), .address = {}, .has_rules = true},
                    {.instrument = instrument(2, "PLAIN", 100, 10'000), .address = {}, .has_rules = false}}),
        pool_(OrderPool::Size{.orders = orders}) {
    for (std::uint32_t i = 0; i < 3; ++i) {
      books_.push_back(
          std::make_unique<OrderBook<>>(directory_[{i}].instrument, pool_, BookSize{.orders = orders / 4}));
      if (i < 2) books_.back()->set_rules(rules);
    }
    events_.reserve(4096);
  }

  const SymbolDirectory& symbols() const { return directory_; }
  const OrderBook<>& book(std::uint32_t symbol = 0) const { return *books_[symbol]; }

  Sent send(const NewOrder& command, const RiskCall& call) noexcept override { return ask(command, call); }
  Sent send(const SpecialOrder& command, const RiskCall& call) noexcept override { return ask(command, call); }
  Sent send(const ReplaceOrder& command, const RiskCall& call) noexcept override { return ask(command, call); }
  Sent send(const ReplaceTerms& command, const RiskCall& call) noexcept override { return ask(command, call); }
  bool send(const ReduceOrder& command) noexcept override { return take(command); }
  bool send(const CancelOrder& command) noexcept override { return take(command); }
  bool send(const MassCancel& command) noexcept override { return take(command); }

  /// Somebody else's command, or the day's.
  template <class M>
  void act(const M& command) {
    carry_out(command);
  }
  /// What is sent waits until let_go().
  void keep_back() { keeps_back_ = true; }
  void let_go() {
    keeps_back_ = false;
    for (const auto& command : std::exchange(kept_, {}))
      std::visit([this](const auto& one) { carry_out(one); }, command);
  }
  /// What the port's account has not heard yet.
  template <class Port>
  void deliver(Port& port, AccountId account) {
    // What the port does about one event may bring others.
    for (std::size_t i = 0; i < events_.size(); ++i) {
      const auto [owner, event] = events_[i];
      if (owner == account) std::visit([&](const auto& one) { port.heard(one); }, event);
    }
    std::erase_if(events_, [&](const auto& one) { return one.first == account; });
  }

  /// What an account that has no port would hear.
  void forget(AccountId account) {
    std::erase_if(events_, [&](const auto& one) { return one.first == account; });
  }

  /// No orders, and nothing to be heard.
  void empty() {
    for (std::uint32_t i = 0; i < 3; ++i) act(MassCancel{.symbol = {i}, .all_accounts = 1});
    events_.clear();
  }

  bool has_room = true;
  RiskReason refuses = RiskReason::none;

  // The books' consumer.
  void on(const PhaseChanged&) { uncrossing_ = false; }
  void on(const Uncrossed&) { uncrossing_ = true; }
  template <class E>
  void on(const E& event) {
    if constexpr (requires { event.account; }) events_.emplace_back(event.account, event);
  }
  void on(const Traded& event) {
    ++trade_;
    Filled filled{.id = event.maker,
                  .price = event.price,
                  .quantity = event.quantity,
                  .open = event.maker_open,
                  .account = event.maker_account,
                  .symbol = event.symbol,
                  .side = opposite(event.taker_side),
                  .maker = 1,
                  .trade = trade_};
    events_.emplace_back(event.maker_account, filled);
    filled.id = event.taker;
    filled.account = event.taker_account;
    filled.side = event.taker_side;
    filled.maker = uncrossing_;
    events_.emplace_back(event.taker_account, filled);
  }

 private:
  using Kept = std::variant<NewOrder, SpecialOrder, ReplaceOrder, ReplaceTerms, ReduceOrder, CancelOrder, MassCancel>;

  static Instrument instrument(std::uint32_t symbol, const char* name, std::int64_t tick, std::int64_t scale) {
    return {.symbol = {symbol},
            .name = padded_name(name),
            .tick = tick,
            .price_scale = scale,
            .lowest = {tick},
            .highest = {10'000 * scale}};
  }

  template <class M>
  Sent ask(const M& command, const RiskCall&) {
    if (refuses != RiskReason::none) return {.sent = false, .refused = refuses};
    return {.sent = take(command)};
  }
  template <class M>
  bool take(const M& command) {
    if (!has_room) return false;
    if (keeps_back_)
      kept_.emplace_back(command);
    else
      carry_out(command);
    return true;
  }
  void carry_out(const NewOrder& command) { of(command).submit(command, *this); }
  void carry_out(const SpecialOrder& command) { of(command).submit(command, *this); }
  void carry_out(const ReduceOrder& command) { of(command).reduce(command, *this); }
  void carry_out(const CancelOrder& command) { of(command).cancel(command, *this); }
  void carry_out(const MassCancel& command) { of(command).mass_cancel(command, *this); }
  void carry_out(const ChangePhase& command) { of(command).change_phase(command, *this); }
  void carry_out(const ExpireOrders& command) { of(command).expire(command, *this); }
  void carry_out(const EndOfDay& command) { of(command).end_of_day(command, *this); }
  // As desks do it.
  void carry_out(ReplaceOrder command) {
    const auto left = replacement_size(of(command), command.id, command.account, command.seen_open, command.quantity);
    if (!left) return refuse(command.id, command.new_id, command);
    command.quantity = *left;
    of(command).replace(command, *this);
  }
  void carry_out(ReplaceTerms command) {
    SpecialOrder& order = command.order;
    const auto left = replacement_size(of(order), command.id, order.account, command.seen_open, order.quantity);
    if (!left) return refuse(command.id, order.id, order);
    order.quantity = *left;
    order.part = std::min(order.part, order.quantity);
    of(order).replace(command, *this);
  }
  template <class M>
  void refuse(OrderId id, OrderId new_id, const M& command) {
    on(Rejected{.id = id,
                .new_id = new_id,
                .account = command.account,
                .symbol = command.symbol,
                .command = CommandKind::replace,
                .reason = Reason::quantity_exceeds_open});
  }
  template <class M>
  OrderBook<>& of(const M& command) {
    return *books_[command.symbol.value];
  }

  SymbolDirectory directory_;
  OrderPool pool_;
  std::vector<std::unique_ptr<OrderBook<>>> books_;
  std::vector<std::pair<AccountId, Event>> events_;
  bool keeps_back_ = false;
  std::vector<Kept> kept_;
  std::uint32_t trade_ = 0;
  bool uncrossing_ = false;
};

}  // namespace outcry::test
