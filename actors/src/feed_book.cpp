#include <outcry/actors/feed_book.hpp>

#include <algorithm>
#include <limits>

namespace outcry {

/// What the book says of one change.
struct FeedBook::Heard {
  bool refused = false;
  Traded traded{};

  void on(const Rejected&) { refused = true; }
  void on(const Traded& event) { traded = event; }
  void on(const Accepted&) {}
  void on(const Cancelled&) {}
  void on(const Reduced&) {}
  void on(const Modified&) {}
  void on(const Replaced&) {}
};

FeedChange FeedBook::apply(const itch::MessageView& message) noexcept {
  switch (message.type()) {
    case itch::AddOrder::code: return apply(message.as<itch::AddOrder>());
    case itch::AddOrderAttributed::code: return apply(message.as<itch::AddOrderAttributed>());
    case itch::OrderExecuted::code: return apply(message.as<itch::OrderExecuted>());
    case itch::OrderExecutedAt::code: return apply(message.as<itch::OrderExecutedAt>());
    case itch::OrderCancel::code: return apply(message.as<itch::OrderCancel>());
    case itch::OrderDelete::code: return apply(message.as<itch::OrderDelete>());
    case itch::OrderReplace::code: return apply(message.as<itch::OrderReplace>());
    case itch::Trade::code: return apply(message.as<itch::Trade>());
    case itch::CrossTrade::code: return apply(message.as<itch::CrossTrade>());
    case itch::TradingAction::code: return apply(message.as<itch::TradingAction>());
    default: return {};
  }
}

FeedChange FeedBook::added(OrderId id, char side, Quantity quantity, Price price) noexcept {
  Heard heard{.refused = side != 'B' && side != 'S'};
  if (!heard.refused)
    book_.rest(NewOrder{.id = id,
                        .price = price,
                        .quantity = quantity,
                        .symbol = book_.instrument().symbol,
                        .side = side == 'B' ? Side::buy : Side::sell},
               heard);
  refused_ += heard.refused;
  return {.orders = !heard.refused};
}

FeedChange FeedBook::printed(Price price, Quantity quantity, Side aggressor, bool hidden) noexcept {
  return {.traded = true,
          .trade = {.price = price,
                    .quantity = quantity,
                    .symbol = book_.instrument().symbol,
                    .aggressor = aggressor,
                    .hidden = hidden,
                    .sequence = ++trades_}};
}

FeedChange FeedBook::apply(const itch::OrderExecuted& execution) noexcept {
  Heard heard;
  book_.execute(Execution{.id = {execution.order}, .quantity = {execution.shares}}, heard);
  refused_ += heard.refused;
  if (heard.refused) return {};
  FeedChange change = printed(heard.traded.price, heard.traded.quantity, heard.traded.taker_side, false);
  change.orders = true;
  return change;
}

FeedChange FeedBook::apply(const itch::OrderExecutedAt& execution) noexcept {
  Heard heard;
  book_.execute(Execution{.id = {execution.order},
                          .quantity = {execution.shares},
                          .price = Price{std::int64_t{execution.price.value()}}},
                heard);
  refused_ += heard.refused;
  if (heard.refused) return {};
  FeedChange change;
  if (execution.printable == 'Y')
    change = printed(heard.traded.price, heard.traded.quantity, heard.traded.taker_side, false);
  change.orders = true;
  return change;
}

FeedChange FeedBook::apply(const itch::OrderCancel& cancel) noexcept {
  Heard heard;
  book_.reduce(ReduceOrder{.id = {cancel.order}, .by = {cancel.shares}, .symbol = book_.instrument().symbol}, heard);
  refused_ += heard.refused;
  return {.orders = !heard.refused};
}

FeedChange FeedBook::apply(const itch::OrderDelete& remove) noexcept {
  Heard heard;
  book_.cancel(CancelOrder{.id = {remove.order}, .symbol = book_.instrument().symbol}, heard);
  refused_ += heard.refused;
  return {.orders = !heard.refused};
}

// Always to the back, and under any id but that of another order.
FeedChange FeedBook::apply(const itch::OrderReplace& replace) noexcept {
  const auto old = book_.find({replace.order});
  if (!old || (replace.new_order.value() != replace.order.value() && book_.find({replace.new_order}))) {
    ++refused_;
    return {};
  }
  Heard heard;
  book_.cancel(CancelOrder{.id = old->id, .symbol = book_.instrument().symbol}, heard);
  const FeedChange change = added(replace.new_order.value(), old->side == Side::buy ? 'B' : 'S', replace.shares.value(),
                                  replace.price.value());
  return {.orders = true, .phase = change.phase};
}

FeedChange FeedBook::apply(const itch::Trade& trade) noexcept {
  return printed({std::int64_t{trade.price.value()}}, {trade.shares}, trade.side == 'S' ? Side::buy : Side::sell, true);
}

FeedChange FeedBook::apply(const itch::CrossTrade& trade) noexcept {
  const auto shares = std::min<std::uint64_t>(trade.shares, std::numeric_limits<std::uint32_t>::max());
  if (shares == 0) return {};
  return printed({std::int64_t{trade.price.value()}}, {static_cast<std::uint32_t>(shares)}, Side::buy, false);
}

FeedChange FeedBook::apply(const itch::TradingAction& action) noexcept {
  Phase phase = Phase::halted;
  if (action.state == 'T') phase = Phase::continuous;
  if (action.state == 'Q') phase = Phase::auction;
  if (phase == Phase::halted && action.reason.text() == closed_reason) phase = Phase::closed;
  const bool is_new = phase != phase_;
  phase_ = phase;
  return {.phase = is_new};
}

void FeedBook::clear() noexcept {
  Heard heard;
  book_.clear(Reason::requested, heard);
  phase_ = Phase::continuous;
}

}  // namespace outcry
