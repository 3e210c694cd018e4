#include <outcry/actors/ouch42_desk.hpp>

#include <cstring>
#include <optional>

#include <outcry/book/order_terms.hpp>

namespace outcry {

using ouch42::RejectReason;

Ouch42Desk::Ouch42Desk(const OuchDeskOptions& options, const SymbolDirectory& symbols, OrderRoute& route,
                       PortStream& stream)
    : OuchConversation(options, symbols, route, stream),
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
  if (tokens_.full()) return reject(message.token, RejectReason::other);
  if (!in_time) return reject(message.token, code_of(RiskReason::port_rate));
  if (const RejectReason why = ouch42::check(message); why != RejectReason::none) return reject(message.token, why);
  const auto entered =
      enter(message, message.firm.text(), message.stock.text(), false,
            [&](SymbolId symbol, Side side, OrderChange& terms) { return read_terms(message, symbol, side, terms); });
  if (entered.outcome == Outcome::rejected) return reject(message.token, entered.code);

  tokens_.insert(bytes_of(message.token), entered.order);
  line(entered.order) = {.token = message.token,
                         .price = message.price,
                         .time_in_force = message.time_in_force,
                         .minimum = message.minimum_quantity,
                         .side = message.side,
                         .display = message.display,
                         .capacity = message.capacity,
                         .intermarket_sweep = message.intermarket_sweep,
                         .cross = message.cross,
                         .firm = message.firm,
                         .firm_index = entered.firm};
}

void Ouch42Desk::take(const ouch42::ReplaceOrder& message) noexcept {
  const bool in_time = within_rate();
  const OrderHandle original = find(message.token);
  if (!original || tokens_.find(bytes_of(message.new_token)) != nullptr) return static_cast<void>(++ignored_);
  if (tokens_.full()) return reject(message.new_token, RejectReason::other);
  if (!in_time) return reject(message.new_token, code_of(RiskReason::port_rate));
  const OrderTicket old = entry_.order(original).ticket;
  const Line before = line(original);
  const auto taken = replace(original, message, {}, [&](OrderChange& change) {
    return ouch42::check(message) == RejectReason::none &&
           read_terms(message, old.symbol, old.side, change) == RejectReason::none;
  });
  switch (taken.outcome) {
    case Outcome::under_way: break;
    case Outcome::rejected: return reject(message.new_token, taken.code);
    case Outcome::ignored: return static_cast<void>(++ignored_);
    case Outcome::invalid: return static_cast<void>(entry_.cancel(original, CancelCause::replacement));
  }
  tokens_.insert(bytes_of(message.new_token), taken.order);
  Line& after = line(taken.order);
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

RejectReason Ouch42Desk::missing_rules(const OrderTicket& ticket) {
  if (ticket.time_in_force == TimeInForce::good_for_auction) return RejectReason::invalid_cross;
  if (has(ticket.terms, Terms::minimum)) return RejectReason::invalid_minimum_quantity;
  if (has(ticket.terms, Terms::hidden) || is_peg(ticket.type)) return RejectReason::invalid_display;
  return RejectReason::other;
}

RejectReason Ouch42Desk::code_of(RiskReason reason) { return static_cast<RejectReason>(ouch42_letter(reason)); }

RejectReason Ouch42Desk::code_of(Reason reason, const OrderTicket&) {
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
  cancel(find(message.token), message.shares);
}

void Ouch42Desk::take(const ouch42::ModifyOrder& message) noexcept {
  within_rate();
  modify(find(message.token), message.side, message.shares);
}

void Ouch42Desk::take(const ouch42::TradeNow&) noexcept {
  within_rate();
  ++ignored_;
}

// ---- what the client is told

void Ouch42Desk::reject(const ouch42::Token& token, RejectReason why) noexcept {
  ++rejected_;
  tokens_.insert(bytes_of(token), {});  // one that finds no room is told of all the same
  put(ouch42::Rejected{.timestamp = stamp(), .token = token, .reason = why});
}

void Ouch42Desk::reject_order(OrderHandle order, RejectReason why) noexcept {
  ++rejected_;
  put(ouch42::Rejected{.timestamp = stamp(), .token = line(order).token, .reason = why});
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

void Ouch42Desk::free_key(OrderHandle order) noexcept { tokens_.erase(bytes_of(line(order).token)); }

template <class Message>
Message Ouch42Desk::describe(OrderHandle order, std::uint32_t shares) noexcept {
  const Line& said = line(order);
  const EnteredOrder& entered = entry_.order(order);
  Message message{};
  message.timestamp = stamp();
  message.token = said.token;
  message.side = said.side;
  message.shares = shares;
  message.stock = name_of(instrument(entered.ticket.symbol));
  message.price = said.price;
  message.time_in_force = said.time_in_force;
  message.firm = said.firm;
  message.display = said.display;
  message.order = entered.id.value;
  message.capacity = said.capacity;
  message.intermarket_sweep = said.intermarket_sweep;
  message.minimum_quantity = said.minimum;
  message.cross = said.cross;
  return message;
}

void Ouch42Desk::put_accepted(OrderHandle order, ouch::OrderState state) noexcept {
  auto accepted = describe<ouch42::Accepted>(order, entry_.order(order).ticket.quantity.lots);
  accepted.state = state;
  put(accepted);
}

void Ouch42Desk::put_replaced(const OrderNews& news) noexcept {
  auto replaced = describe<ouch42::Replaced>(news.order, news.quantity.lots);
  replaced.previous_token = line(news.before).token;
  put(replaced);
}

void Ouch42Desk::put_cancelled(OrderHandle order, std::uint32_t decrement, ouch::CancelReason reason) noexcept {
  put(ouch42::Canceled{.timestamp = stamp(), .token = line(order).token, .decrement = decrement, .reason = reason});
}

void Ouch42Desk::put_prevented(const OrderNews& news) noexcept {
  const OrderTicket& ticket = entry_.order(news.order).ticket;
  put(ouch42::AiqCanceled{.timestamp = stamp(),
                          .token = line(news.order).token,
                          .decrement = news.quantity.lots,
                          .prevented = news.quantity.lots,
                          .execution_price = static_cast<std::uint32_t>(price_of(news.price, ticket.symbol)),
                          .liquidity = letter_of(ticket, true)});
}

void Ouch42Desk::put_filled(const OrderNews& news) noexcept {
  const OrderTicket& ticket = entry_.order(news.order).ticket;
  put(ouch42::Executed{.timestamp = stamp(),
                       .token = line(news.order).token,
                       .shares = news.quantity.lots,
                       .price = static_cast<std::uint32_t>(price_of(news.price, ticket.symbol)),
                       .liquidity = letter_of(ticket, news.maker),
                       .match = news.match});
}

void Ouch42Desk::put_pending(OrderHandle order) noexcept {
  put(ouch42::CancelPending{.timestamp = stamp(), .token = line(order).token});
}

void Ouch42Desk::put_broken(const ouch42::Token& token, std::uint64_t match, ouch::BrokenReason reason) noexcept {
  put(ouch42::BrokenTrade{.timestamp = stamp(), .token = token, .match = match, .reason = reason});
}

void Ouch42Desk::put_modified(OrderHandle order) noexcept {
  const Line& said = line(order);
  put(ouch42::Modified{
      .timestamp = stamp(), .token = said.token, .side = said.side, .shares = entry_.order(order).open.lots});
}

}  // namespace outcry
