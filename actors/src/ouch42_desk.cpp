#include <outcry/actors/ouch42_desk.hpp>

#include <cstring>
#include <optional>
#include <utility>

#include <outcry/book/order_terms.hpp>

namespace outcry {

using ouch42::RejectReason;

Ouch42Desk::Ouch42Desk(const OuchDeskOptions& options, const SymbolDirectory& symbols, OrderRoute& route,
                       PortStream& stream)
    : OuchDesk(options, symbols, route),
      stream_(stream),
      tokens_(options.most_tokens, mix64(options.account.value, reinterpret_cast<std::uintptr_t>(this))),
      lines_(options.most_orders) {}

Ouch42Desk::TokenBytes Ouch42Desk::bytes_of(const ouch42::Token& token) {
  TokenBytes bytes;
  std::memcpy(bytes.data(), token.padded().data(), bytes.size());
  return bytes;
}

OrderHandle Ouch42Desk::find(const ouch42::Token& token) const noexcept {
  const OrderHandle* const found = tokens_.find(bytes_of(token));
  return found == nullptr ? OrderHandle{} : *found;
}

// ---- what the client says

const char* Ouch42Desk::take(std::span<const std::byte> message) noexcept {
  const auto decoded = ouch42::decode_inbound(message);
  switch (decoded.fault) {
    case ouch42::Fault::none: break;
    case ouch42::Fault::empty: return "an empty message";
    case ouch42::Fault::unknown_type: return "a message of a type that OUCH 4.2 has not";
    case ouch42::Fault::wrong_size: return "a message of another size than its type has";
  }
  decoded.message.visit([&](const auto& inbound) { take(inbound); });
  return nullptr;
}

void Ouch42Desk::take(const ouch42::EnterOrder& message) noexcept {
  const bool in_time = within_rate();
  if (tokens_.find(bytes_of(message.token)) != nullptr) return static_cast<void>(++ignored_);
  const auto refuse = [&](RejectReason why) {
    tokens_.insert(bytes_of(message.token), {});
    reject(message.token, why);
  };
  if (tokens_.full()) return reject(message.token, RejectReason::other);
  if (!in_time) return refuse(code_of(RiskReason::port_rate));
  if (const RejectReason why = ouch42::check(message); why != RejectReason::none) return refuse(why);
  const std::optional<std::uint8_t> firm = firm_index(message.firm.text());
  if (!firm || is_disabled(*firm)) return refuse(RejectReason::firm_not_authorized);
  const std::optional<SymbolId> symbol = entry_.symbols().find(message.stock.text());
  if (!symbol) return refuse(RejectReason::invalid_stock);
  if (message.intermarket_sweep == ouch::YesNo::yes && !options_.intermarket_sweeps) return refuse(RejectReason::other);
  if (nearly_full()) return refuse(RejectReason::other);

  OrderChange terms;
  const Side side = side_of(message.side);
  if (const RejectReason why = read_terms(message, *symbol, side, terms); why != RejectReason::none) return refuse(why);
  if (message.cross != ouch::Cross::continuous) {
    if (!ouch::one_of(message.cross, "OCH") || terms.time_in_force != TimeInForce::day)
      return refuse(RejectReason::invalid_cross);
    terms.time_in_force = TimeInForce::good_for_auction;
  }
  const OrderTicket ticket{.symbol = *symbol,
                           .side = side,
                           .type = terms.type,
                           .time_in_force = terms.time_in_force,
                           .terms = terms.terms,
                           .price = terms.price,
                           .quantity = terms.total,
                           .part = terms.part,
                           .expires_s = terms.expires_s,
                           .mark = mark_of(message.side)};
  if (ticket.is_special() && !has_rules(*symbol))
    return refuse(message.cross != ouch::Cross::continuous           ? RejectReason::invalid_cross
                  : message.minimum_quantity != 0                    ? RejectReason::invalid_minimum_quantity
                  : message.display == 'N' || message.display == 'M' ? RejectReason::invalid_display
                                                                     : RejectReason::other);
  const OrderEntry::Answer answer = entry_.enter(ticket);
  if (!answer) return refuse(answer.risk != RiskReason::none ? code_of(answer.risk) : code_of(answer.reason));

  tokens_.insert(bytes_of(message.token), answer.order);
  line(answer.order) = {.token = message.token,
                        .price = message.price,
                        .time_in_force = message.time_in_force,
                        .minimum = message.minimum_quantity,
                        .side = message.side,
                        .display = message.display,
                        .capacity = message.capacity,
                        .intermarket_sweep = message.intermarket_sweep,
                        .cross = message.cross,
                        .firm = message.firm,
                        .firm_index = *firm};
}

void Ouch42Desk::take(const ouch42::ReplaceOrder& message) noexcept {
  const bool in_time = within_rate();
  const OrderHandle original = find(message.token);
  if (!original || tokens_.find(bytes_of(message.new_token)) != nullptr) return static_cast<void>(++ignored_);
  const EnteredOrder& old = entry_.order(original);
  const Line before = line(original);
  const auto refuse = [&](RejectReason why) {
    tokens_.insert(bytes_of(message.new_token), {});
    reject(message.new_token, why);
  };
  const auto is_invalid = [&] { entry_.cancel(original, CancelCause::replacement); };

  if (tokens_.full()) return reject(message.new_token, RejectReason::other);
  if (!in_time) return refuse(code_of(RiskReason::port_rate));
  if (is_disabled(before.firm_index)) return refuse(RejectReason::firm_not_authorized);
  if (nearly_full()) return refuse(RejectReason::other);
  if (ouch42::check(message) != RejectReason::none) return is_invalid();
  if (message.intermarket_sweep == ouch::YesNo::yes && !options_.intermarket_sweeps) return is_invalid();
  OrderChange change;
  if (read_terms(message, old.ticket.symbol, old.ticket.side, change) != RejectReason::none) return is_invalid();
  if (old.ticket.time_in_force == TimeInForce::good_for_auction) change.time_in_force = TimeInForce::good_for_auction;

  const OrderEntry::Answer answer = entry_.replace(original, change);
  if (!answer) {
    if (answer.risk != RiskReason::none) return refuse(code_of(answer.risk));
    switch (answer.reason) {
      case Reason::unknown_order: return static_cast<void>(++ignored_);
      case Reason::mailbox_full:
      case Reason::pool_exhausted:
      case Reason::invalid_combination: return refuse(RejectReason::other);
      default: return is_invalid();
    }
  }
  tokens_.insert(bytes_of(message.new_token), answer.order);
  Line& after = line(answer.order);
  after = before;
  after.token = message.new_token;
  after.price = message.price;
  after.time_in_force = message.time_in_force;
  after.minimum = message.minimum_quantity;
  after.display = message.display;
  after.intermarket_sweep = message.intermarket_sweep;
  after.modifies = false;
}

template <class Message>
RejectReason Ouch42Desk::read_terms(const Message& message, SymbolId symbol, Side side,
                                    OrderChange& change) const noexcept {
  change.total = {message.shares};
  const std::uint32_t seconds = message.time_in_force;
  if (seconds == ouch42::immediate_or_cancel) {
    change.time_in_force = TimeInForce::immediate_or_cancel;
  } else if (seconds == ouch42::market_hours || seconds == ouch42::system_hours) {
    change.time_in_force = TimeInForce::day;
  } else {
    const auto expires_s = expiry(now_ns_ + std::int64_t{seconds} * second_ns);
    if (!expires_s) return RejectReason::other;
    change.time_in_force = TimeInForce::good_till_time;
    change.expires_s = *expires_s;
  }
  const bool is_market = message.price == ouch42::market_price;
  if (!is_market) {
    const auto units = units_of(message.price, symbol);
    if (!units) return RejectReason::invalid_price;
    change.price = {*units};
  }
  const bool immediate = change.time_in_force == TimeInForce::immediate_or_cancel;
  const bool rests = !is_market && !immediate;
  const std::uint32_t minimum = message.minimum_quantity;
  switch (message.display) {
    case 'Y':
    case 'A': break;
    case 'N':
      if (rests) change.terms = Terms::hidden;
      break;
    case 'P':
      if (!rests) return RejectReason::invalid_display;
      if (minimum != 0) return RejectReason::invalid_minimum_quantity;
      change.terms = Terms::post_only;
      break;
    case 'M':
      if (immediate) return RejectReason::invalid_display;
      if (minimum != 0) return RejectReason::invalid_minimum_quantity;
      change.type = SpecialType::midpoint_peg;
      if (is_market) change.price = worst(side, symbol);
      return RejectReason::none;
    default: return RejectReason::invalid_display;
  }
  change.type = is_market ? SpecialType::market : SpecialType::limit;
  if (minimum != 0) change.terms = change.terms | Terms::minimum;
  change.part = {minimum};
  return RejectReason::none;
}

RejectReason Ouch42Desk::code_of(RiskReason reason) const { return static_cast<RejectReason>(ouch42_letter(reason)); }

RejectReason Ouch42Desk::code_of(Reason reason) {
  switch (reason) {
    case Reason::unknown_symbol: return RejectReason::invalid_stock;
    case Reason::zero_quantity:
    case Reason::quantity_too_large:
    case Reason::off_lot: return RejectReason::shares_exceed_threshold;
    case Reason::price_out_of_range:
    case Reason::outside_band:
    case Reason::off_tick: return RejectReason::invalid_price;
    case Reason::market_closed: return RejectReason::halted;
    case Reason::in_auction:
    case Reason::no_auction: return RejectReason::invalid_cross;
    default: return RejectReason::other;
  }
}

void Ouch42Desk::take(const ouch42::CancelOrder& message) noexcept {
  within_rate();
  const OrderHandle order = find(message.token);
  const bool done = order && (message.shares == 0 ? entry_.cancel(order) : entry_.reduce(order, {message.shares}));
  if (!done) ++ignored_;
}

void Ouch42Desk::take(const ouch42::ModifyOrder& message) noexcept {
  within_rate();
  const OrderHandle order = find(message.token);
  if (!order) return static_cast<void>(++ignored_);
  const EnteredOrder& entered = entry_.order(order);
  Line& said = line(order);
  const std::uint32_t shares = message.shares;
  if (!may_become(said.side, message.side) || shares > entered.wanted.lots || !entered.is_open())
    return static_cast<void>(++ignored_);
  if (shares < entered.wanted.lots) {
    if (!entry_.reduce(order, {shares})) return static_cast<void>(++ignored_);
    said.modifies = shares != 0;
  } else if (said.side == message.side) {
    return static_cast<void>(++ignored_);
  }
  said.side = message.side;
  entry_.mark(order, mark_of(message.side));
  if (!said.modifies)
    put(ouch42::Modified{.timestamp = stamp(), .token = said.token, .side = said.side, .shares = entered.open.lots});
}

void Ouch42Desk::take(const ouch42::TradeNow&) noexcept {
  within_rate();
  ++ignored_;
}

// ---- what the client is told

void Ouch42Desk::reject(const ouch42::Token& token, RejectReason why) noexcept {
  ++rejected_;
  put(ouch42::Rejected{.timestamp = stamp(), .token = token, .reason = why});
}

void Ouch42Desk::start_of_day() noexcept {
  tokens_.clear();
  put(ouch42::SystemEvent{.timestamp = stamp(), .event = ouch::SystemCode::start_of_day});
}

void Ouch42Desk::end_of_day() noexcept {
  put(ouch42::SystemEvent{.timestamp = stamp(), .event = ouch::SystemCode::end_of_day});
}

void Ouch42Desk::forget(OrderHandle order) noexcept {
  if (OrderHandle* const found = tokens_.find(bytes_of(line(order).token)); found != nullptr) *found = {};
}

void Ouch42Desk::flush() noexcept {
  if (!accepting_) return;
  put(acceptance_);
  accepting_ = {};
}

void Ouch42Desk::tell_accepted(OrderHandle order) noexcept {
  const Line& said = line(order);
  const EnteredOrder& entered = entry_.order(order);
  accepting_ = order;
  acceptance_ = {.timestamp = stamp(),
                 .token = said.token,
                 .side = said.side,
                 .shares = entered.ticket.quantity.lots,
                 .stock = name_of(instrument(entered.ticket.symbol)),
                 .price = said.price,
                 .time_in_force = said.time_in_force,
                 .firm = said.firm,
                 .display = said.display,
                 .order = entered.id.value,
                 .capacity = said.capacity,
                 .intermarket_sweep = said.intermarket_sweep,
                 .minimum_quantity = said.minimum,
                 .cross = said.cross};
}

void Ouch42Desk::cancelled(OrderHandle order, std::uint32_t decrement, ouch::CancelReason reason) noexcept {
  put(ouch42::Canceled{.timestamp = stamp(), .token = line(order).token, .decrement = decrement, .reason = reason});
}

void Ouch42Desk::tell(const OrderNews& news) noexcept {
  using Kind = OrderNews::Kind;
  if (!news) return;
  if (news.kind == Kind::cancelled && news.order == accepting_ &&
      (news.reason == Reason::minimum_quantity || news.reason == Reason::fill_or_kill)) {
    acceptance_.state = ouch::OrderState::dead;
    flush();
    return forget(news.order);
  }
  flush();
  switch (news.kind) {
    case Kind::accepted: return tell_accepted(news.order);
    case Kind::refused:
      if (news.reason == Reason::would_trade) {
        tell_accepted(news.order);
        flush();
        cancelled(news.order, entry_.order(news.order).ticket.quantity.lots, ouch::CancelReason::post_only);
      } else {
        reject(line(news.order).token, code_of(news.reason));
      }
      return forget(news.order);
    case Kind::filled: {
      const OrderTicket& ticket = entry_.order(news.order).ticket;
      put(ouch42::Executed{.timestamp = stamp(),
                           .token = line(news.order).token,
                           .shares = news.quantity.lots,
                           .price = static_cast<std::uint32_t>(price_of(news.price, ticket.symbol)),
                           .liquidity = letter_of(ticket, news.maker),
                           .match = news.match});
      break;
    }
    case Kind::reduced: {
      Line& said = line(news.order);
      if (!std::exchange(said.modifies, false))
        cancelled(news.order, news.quantity.lots, ouch::CancelReason::user);
      else
        put(ouch42::Modified{.timestamp = stamp(),
                             .token = said.token,
                             .side = said.side,
                             .shares = entry_.order(news.order).open.lots});
      break;
    }
    case Kind::prevented:
    case Kind::cancelled: {
      const OrderTicket& ticket = entry_.order(news.order).ticket;
      if (news.kind == Kind::prevented || news.reason == Reason::self_trade)
        put(ouch42::AiqCanceled{.timestamp = stamp(),
                                .token = line(news.order).token,
                                .decrement = news.quantity.lots,
                                .prevented = news.quantity.lots,
                                .execution_price = static_cast<std::uint32_t>(price_of(news.price, ticket.symbol)),
                                .liquidity = letter_of(ticket, true)});
      else
        cancelled(news.order, news.quantity.lots, letter_of(news));
      break;
    }
    case Kind::replaced: return tell_replaced(news);
    case Kind::replacement_refused: return tell_refused_replacement(news);
    case Kind::refreshed:
    case Kind::repriced:  // 4.2 has no word for either
    case Kind::triggered:
    case Kind::none: return;
  }
  if (news.last) forget(news.order);
  if (news.dropped) tokens_.erase(bytes_of(line(news.dropped).token));  // it was never used
}

void Ouch42Desk::tell_replaced(const OrderNews& news) noexcept {
  const Line& said = line(news.order);
  const EnteredOrder& entered = entry_.order(news.order);
  put(ouch42::Replaced{.timestamp = stamp(),
                       .token = said.token,
                       .side = said.side,
                       .shares = news.quantity.lots,
                       .stock = name_of(instrument(entered.ticket.symbol)),
                       .price = said.price,
                       .time_in_force = said.time_in_force,
                       .firm = said.firm,
                       .display = said.display,
                       .order = entered.id.value,
                       .capacity = said.capacity,
                       .intermarket_sweep = said.intermarket_sweep,
                       .minimum_quantity = said.minimum,
                       .cross = said.cross,
                       .previous_token = line(news.before).token});
  forget(news.before);
}

void Ouch42Desk::tell_refused_replacement(const OrderNews& news) noexcept {
  if (news.reason == Reason::market_closed || news.reason == Reason::in_auction) {
    reject(line(news.order).token, RejectReason::halted);
    return forget(news.order);
  }
  tokens_.erase(bytes_of(line(news.order).token));
  if (entry_.order(news.before).is_open()) static_cast<void>(entry_.cancel(news.before, CancelCause::replacement));
}

}  // namespace outcry
