#include <outcry/actors/ouch_client.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace outcry {

namespace {

constexpr std::uint64_t wire_scale = 10'000;
constexpr char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// 64 bits are 13 digits of base 36.
Alpha<14> text_of(OrderId id) {
  std::array<char, 13> text{};
  std::uint64_t left = id.value;
  for (std::size_t i = text.size(); i-- > 0; left /= 36) text[i] = digits[left % 36];
  return std::string_view(text.data(), text.size());
}

/// Zero: it is none of ours.
OrderId id_in(const Alpha<14>& client_order_id) {
  const std::string_view text = client_order_id.text();
  if (text.size() != 13) return {};
  std::uint64_t value = 0;
  for (const char letter : text) {
    const std::string_view all(digits, 36);
    const std::size_t digit = all.find(letter);
    if (digit == std::string_view::npos) return {};
    value = value * 36 + digit;
  }
  return {value};
}

Side side_of(ouch::Side side) { return side == ouch::Side::buy ? Side::buy : Side::sell; }
ouch::Side side_of(Side side) { return side == Side::buy ? ouch::Side::buy : ouch::Side::sell; }

Reason reason_of(ouch::CancelReason reason) {
  switch (reason) {
    case ouch::CancelReason::immediate_or_cancel: return Reason::immediate_or_cancel;
    case ouch::CancelReason::timeout: return Reason::expired;
    case ouch::CancelReason::supervisory:
    case ouch::CancelReason::regulatory: return Reason::mass_cancelled;
    case ouch::CancelReason::self_match_prevention: return Reason::self_trade;
    case ouch::CancelReason::market_collars: return Reason::collar;
    case ouch::CancelReason::closed: return Reason::end_of_day;
    case ouch::CancelReason::post_only:
    case ouch::CancelReason::post_only_contra: return Reason::would_trade;
    case ouch::CancelReason::halted: return Reason::market_closed;
    default: return Reason::requested;
  }
}

Reason reason_of(ouch50::RejectReason reason) {
  using enum ouch50::RejectReason;
  switch (reason) {
    case invalid_symbol:
    case test_symbol: return Reason::unknown_symbol;
    case invalid_price:
    case invalid_midpoint_post_only_price: return Reason::price_out_of_range;
    case crossed_market: return Reason::would_trade;
    case halted:
    case destination_closed: return Reason::market_closed;
    case invalid_quantity:
    case shares_exceed_threshold: return Reason::quantity_too_large;
    case invalid_minimum_quantity: return Reason::minimum_quantity;
    case pegging_not_allowed:
    case invalid_peg_type:
    case invalid_maximum_floor:
    case routing_not_allowed: return Reason::unsupported;
    case fat_finger: return Reason::outside_band;
    case processing_error: return Reason::pool_exhausted;
    case firm_not_authorized:
    case notional_exceeds_threshold:
    case risk_aggregate_exposure:
    case risk_market_impact:
    case risk_restricted_stock:
    case risk_short_sell:
    case risk_order_type:
    case risk_average_daily_volume:
    case risk_fat_finger:
    case risk_locate:
    case risk_symbol_rate:
    case risk_port_rate:
    case risk_duplicate_rate:
    case risk_single_order_notional:
    case risk_maximum_quantity:
    case short_sell_not_allowed: return Reason::risk_limit;
    default: return Reason::invalid_combination;
  }
}

bool rested(ouch::Liquidity liquidity) {
  using enum ouch::Liquidity;
  return liquidity == added || liquidity == added_hidden || liquidity == added_reserve || liquidity == added_midpoint ||
         liquidity == opening_cross || liquidity == closing_cross || liquidity == halt_cross ||
         liquidity == halt_cross_hidden;
}

}  // namespace

OuchClient::OuchClient(const OuchClientOptions& options, std::vector<Instrument> instruments, OuchSender& sender,
                       ParticipantEvents& events)
    : options_(options), instruments_(std::move(instruments)), sender_(sender), events_(events) {
  for (const Instrument& instrument : instruments_) by_name_.emplace(name_of(instrument), instrument.symbol);
}

/// Zero: not to be said in OUCH.
std::uint64_t OuchClient::price_to_wire(const Instrument& instrument, Price price) {
  const auto scale = static_cast<std::uint64_t>(instrument.price_scale);
  if (price.units <= 0) return 0;
  const auto units = static_cast<std::uint64_t>(price.units);
  if (units > ouch50::largest_price * scale / wire_scale || units * wire_scale % scale != 0) return 0;
  return units * wire_scale / scale;
}

Price OuchClient::price_from_wire(const Instrument& instrument, std::uint64_t price) {
  return {static_cast<std::int64_t>(price * static_cast<std::uint64_t>(instrument.price_scale) / wire_scale)};
}

// ---- orders

OuchClient::Order* OuchClient::find(OrderId id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &orders_[found->second];
}

OuchClient::Order* OuchClient::by_user_ref(std::uint32_t user_ref) {
  const auto found = by_user_ref_.find(user_ref);
  if (found != by_user_ref_.end()) return &orders_[found->second];
  ++strange_;
  return nullptr;
}

OuchClient::Order& OuchClient::remember(Order order, std::uint32_t user_ref) {
  const auto place = static_cast<std::uint32_t>(orders_.size());
  order.user_ref = user_ref;
  by_id_[order.id] = place;
  by_user_ref_[user_ref] = place;
  ++open_;
  return orders_.emplace_back(order);
}

void OuchClient::finish(Order& order) {
  if (std::exchange(order.done, true)) return;
  --open_;
}

template <class Command>
void OuchClient::refuse(const Command& command, CommandKind kind, Reason reason, OrderId new_id) {
  Rejected rejected{.account = options_.account, .symbol = command.symbol, .command = kind, .reason = reason};
  if constexpr (requires { command.id; }) rejected.id = command.id;
  rejected.new_id = new_id;
  rejected.arrival_ns = command.arrival_ns;
  events_.on(rejected);
}

Reason OuchClient::refusal_of(SymbolId symbol, Price price, Quantity quantity, bool has_price) const {
  if (symbol.value >= instruments_.size()) return Reason::unknown_symbol;
  if (quantity == Quantity{}) return Reason::zero_quantity;
  if (quantity.lots > ouch50::largest_quantity) return Reason::quantity_too_large;
  if (!has_price) return Reason::none;
  const Instrument& instrument = instruments_[symbol.value];
  if (price.units <= 0 || price < instrument.lowest || price > instrument.highest) return Reason::price_out_of_range;
  return price_to_wire(instrument, price) == 0 ? Reason::off_tick : Reason::none;
}

// ---- commands

void OuchClient::take(const NewOrder& command) {
  const bool at_market = command.type == OrderType::market;
  Reason reason = refusal_of(command.symbol, command.price, command.quantity, !at_market);
  if (reason == Reason::none && command.time_in_force > TimeInForce::fill_or_kill) reason = Reason::unsupported;
  if (reason == Reason::none && find(command.id) != nullptr) reason = Reason::duplicate_id;
  if (reason != Reason::none) return refuse(command, CommandKind::new_order, reason);

  ouch50::OptionList options;
  const bool at_once = at_market || command.time_in_force >= TimeInForce::immediate_or_cancel;
  if (command.time_in_force == TimeInForce::fill_or_kill)
    options.add<ouch50::Tag::minimum_quantity>(command.quantity.lots);
  if (command.post_only == PostOnly::yes) options.add<ouch50::Tag::post_only>('P');
  enter({.id = command.id,
         .symbol = command.symbol,
         .side = command.side,
         .type = command.type,
         .time_in_force = command.time_in_force,
         .terms = command.post_only == PostOnly::yes ? Terms::post_only : Terms::none,
         .price = command.price,
         .open = command.quantity,
         .arrival_ns = command.arrival_ns},
        command.quantity, command.price, options,
        at_once ? ouch50::TimeInForce::immediate_or_cancel : ouch50::TimeInForce::day, ouch50::Display::visible,
        at_market);
}

void OuchClient::take(const SpecialOrder& command) {
  const bool at_market = command.type == SpecialType::market;
  const bool is_peg = command.type >= SpecialType::primary_peg;
  Reason reason = refusal_of(command.symbol, command.price, command.quantity, !at_market);
  if (reason == Reason::none &&
      ((command.type != SpecialType::limit && !at_market && !is_peg) ||
       command.time_in_force == TimeInForce::good_for_auction || has(command.terms, Terms::all_or_none)))
    reason = Reason::unsupported;
  if (reason == Reason::none && find(command.id) != nullptr) reason = Reason::duplicate_id;
  const std::int64_t scale = reason == Reason::none ? instruments_[command.symbol.value].price_scale : 1;
  const std::int64_t offset = command.trigger * static_cast<std::int64_t>(wire_scale);
  if (reason == Reason::none && is_peg && (offset % scale != 0 || std::abs(offset / scale) > INT32_MAX))
    reason = Reason::off_tick;
  if (reason != Reason::none) return refuse(command, CommandKind::new_order, reason);

  ouch50::OptionList options;
  if (has(command.terms, Terms::minimum)) options.add<ouch50::Tag::minimum_quantity>(command.part.lots);
  if (command.time_in_force == TimeInForce::fill_or_kill && !has(command.terms, Terms::minimum))
    options.add<ouch50::Tag::minimum_quantity>(command.quantity.lots);
  if (has(command.terms, Terms::reserve)) options.add<ouch50::Tag::maximum_floor>(command.part.lots);
  if (has(command.terms, Terms::post_only)) options.add<ouch50::Tag::post_only>('P');
  if (is_peg) {
    options.add<ouch50::Tag::price_type>(command.type == SpecialType::primary_peg    ? 'R'
                                         : command.type == SpecialType::midpoint_peg ? 'M'
                                                                                     : 'P');
    if (command.trigger != 0) options.add<ouch50::Tag::peg_offset>(static_cast<std::int32_t>(offset / scale));
  }
  ouch50::TimeInForce time = ouch50::TimeInForce::day;
  if (at_market || command.time_in_force == TimeInForce::immediate_or_cancel ||
      command.time_in_force == TimeInForce::fill_or_kill)
    time = ouch50::TimeInForce::immediate_or_cancel;
  if (command.time_in_force == TimeInForce::good_till_time) {
    time = ouch50::TimeInForce::until_time;
    options.add<ouch50::Tag::expire_time>(command.expires_s);
  }
  enter({.id = command.id,
         .symbol = command.symbol,
         .side = command.side,
         .type = at_market ? OrderType::market : OrderType::limit,
         .time_in_force = command.time_in_force,
         .terms = command.terms,
         .special = command.type,
         .price = command.price,
         .open = command.quantity,
         .part = command.part,
         .arrival_ns = command.arrival_ns},
        command.quantity, command.price, options, time,
        has(command.terms, Terms::hidden) ? ouch50::Display::hidden : ouch50::Display::visible, at_market);
}

void OuchClient::enter(Order order, Quantity quantity, Price price, const ouch50::OptionList& options,
                       ouch50::TimeInForce time_in_force, ouch50::Display display, bool at_market) {
  const Instrument& instrument = instruments_[order.symbol.value];
  const std::uint32_t user_ref = last_user_ref_ + 1;
  ouch50::EnterOrder message;
  message.user_ref = user_ref;
  message.side = side_of(order.side);
  message.quantity = quantity.lots;
  message.symbol = name_of(instrument);
  message.price = at_market ? ouch50::least_market_price : price_to_wire(instrument, price);
  message.time_in_force = time_in_force;
  message.display = display;
  message.capacity = options_.capacity;
  message.client_order_id = text_of(order.id);
  std::array<std::byte, ouch50::largest_message> bytes;
  if (!sender_.send(std::span(bytes).first(ouch50::encode(message, bytes, options))))
    return refuse(order, CommandKind::new_order, Reason::disconnected);
  last_user_ref_ = user_ref;
  remember(order, user_ref);
}

/// `total`: what the whole order is to be, executed shares included; zero: nothing more of it.
bool OuchClient::send_cancel(const Order& order, std::uint32_t total) {
  ouch50::CancelOrder message;
  message.user_ref = order.replacing != 0 ? order.replacing : order.user_ref;
  message.quantity = total;
  std::array<std::byte, ouch50::largest_message> bytes;
  return sender_.send(std::span(bytes).first(ouch50::encode(message, bytes)));
}

void OuchClient::take(const CancelOrder& command) {
  Order* const order = find(command.id);
  if (order == nullptr || order->done) return refuse(command, CommandKind::cancel, Reason::unknown_order);
  order->arrival_ns = command.arrival_ns;
  order->cancelling = true;
  if (!waits_for_number_) send_cancel(*order, 0);  // if it does not leave now, it does when the answer was heard
}

void OuchClient::take(const ReduceOrder& command) {
  Order* const order = find(command.id);
  Reason reason = Reason::none;
  if (order == nullptr || order->done)
    reason = Reason::unknown_order;
  else if (command.by == Quantity{})
    reason = Reason::zero_quantity;
  else if (command.by > order->open)
    reason = Reason::quantity_exceeds_open;
  if (reason != Reason::none) return refuse(command, CommandKind::reduce, reason);
  order->arrival_ns = command.arrival_ns;
  const bool all = command.by == order->open;
  if (!send_cancel(*order, all ? 0 : (order->filled + order->open - command.by).lots))
    return refuse(command, CommandKind::reduce, Reason::disconnected);
  (all ? order->cancelling : order->is_reduced) = true;
}

void OuchClient::take(const ModifyOrder& command) {
  Order* const order = find(command.id);
  if (order == nullptr || order->done) return refuse(command, CommandKind::modify, Reason::unknown_order);
  const bool keeps_place =
      order->replacing == 0 && command.price == order->price && command.quantity < order->open && !order->is_shrunk;
  if (!keeps_place || command.quantity == Quantity{}) return replace(*order, command, CommandKind::modify, {});
  order->arrival_ns = command.arrival_ns;
  if (!send_cancel(*order, (order->filled + command.quantity).lots))
    return refuse(command, CommandKind::modify, Reason::disconnected);
  order->is_shrunk = true;
}

void OuchClient::take(const ReplaceOrder& command) {
  Order* const order = find(command.id);
  if (order == nullptr || order->done)
    return refuse(command, CommandKind::replace, Reason::unknown_order, command.new_id);
  if (find(command.new_id) != nullptr)
    return refuse(command, CommandKind::replace, Reason::duplicate_id, command.new_id);
  replace(*order, command, CommandKind::replace, command.new_id);
}

template <class Command>
void OuchClient::replace(Order& order, const Command& command, CommandKind kind, OrderId new_id) {
  Reason reason = refusal_of(order.symbol, command.price, command.quantity, true);
  if (reason == Reason::none && order.replacing != 0) reason = Reason::invalid_combination;  // one after the other
  if (reason == Reason::none && (order.filled + command.quantity).lots > ouch50::largest_quantity)
    reason = Reason::quantity_too_large;
  if (reason != Reason::none) return refuse(command, kind, reason, new_id);

  const Instrument& instrument = instruments_[order.symbol.value];
  const std::uint32_t user_ref = last_user_ref_ + 1;
  ouch50::ReplaceOrder message;
  message.original_user_ref = order.user_ref;
  message.user_ref = user_ref;
  message.quantity = (order.filled + command.quantity).lots;
  message.price = price_to_wire(instrument, command.price);
  message.time_in_force = ouch50::TimeInForce::day;
  message.display = has(order.terms, Terms::hidden) ? ouch50::Display::hidden : ouch50::Display::visible;
  message.client_order_id = text_of(new_id != OrderId{} ? new_id : order.id);
  ouch50::OptionList options;
  if (has(order.terms, Terms::post_only)) options.add<ouch50::Tag::post_only>('P');
  if (has(order.terms, Terms::reserve)) options.add<ouch50::Tag::maximum_floor>(order.part.lots);
  std::array<std::byte, ouch50::largest_message> bytes;
  if (!sender_.send(std::span(bytes).first(ouch50::encode(message, bytes, options))))
    return refuse(command, kind, Reason::disconnected, new_id);
  last_user_ref_ = user_ref;
  order.replacing = user_ref;
  order.new_id = new_id;
  order.arrival_ns = command.arrival_ns;
  by_user_ref_[user_ref] = static_cast<std::uint32_t>(&order - orders_.data());
}

void OuchClient::take(const MassCancel& command) {
  if (command.all_accounts != 0) return refuse(command, CommandKind::mass_cancel, Reason::unsupported);
  for (Order& order : orders_) {
    if (order.done || order.symbol != command.symbol) continue;
    if ((order.side == Side::buy ? command.buys : command.sells) == 0) continue;
    order.cancelling = true;
    order.arrival_ns = command.arrival_ns;
    if (!waits_for_number_) send_cancel(order, 0);
  }
}

// ---- after a lost connection

bool OuchClient::ask_for_number() {
  std::array<std::byte, ouch50::largest_message> bytes;
  waits_for_number_ = sender_.send(std::span(bytes).first(ouch50::encode(ouch50::AccountQuery{}, bytes)));
  return waits_for_number_;
}

void OuchClient::heard(const ouch50::AccountAnswer& message) {
  if (std::exchange(waits_for_number_, false)) resumed(message.next_user_ref);
}

/// Everything that was sent below `next` came there, and nothing else.

void OuchClient::resumed(std::uint32_t next) {
  const auto is_lost = [&](std::uint32_t user_ref) { return user_ref != 0 && user_ref >= next; };
  for (std::size_t i = 0; i < orders_.size(); ++i) {
    Order& order = orders_[i];
    if (order.done) continue;
    if (!order.accepted && is_lost(order.user_ref)) {
      finish(order);
      refuse(order, CommandKind::new_order, Reason::disconnected);
      continue;
    }
    if (is_lost(order.replacing)) {
      order.replacing = 0;
      const bool is_new = order.new_id != OrderId{};
      refuse(order, is_new ? CommandKind::replace : CommandKind::modify, Reason::disconnected,
             std::exchange(order.new_id, OrderId{}));
    }
    if (std::exchange(order.is_shrunk, false)) refuse(order, CommandKind::modify, Reason::disconnected);
    if (std::exchange(order.is_reduced, false)) refuse(order, CommandKind::reduce, Reason::disconnected);
    if (order.cancelling) send_cancel(order, 0);
  }
  last_user_ref_ = std::max(last_user_ref_, next - 1);
}

// ---- the venue's messages

bool OuchClient::hear(std::span<const std::byte> bytes) {
  const auto decoded = ouch50::decode_outbound(bytes);
  if (!decoded) return false;
  decoded.message.visit([&](const auto& message) {
    if constexpr (requires { heard(message, decoded.appendage); }) {
      heard(message, decoded.appendage);
    } else {
      heard(message);
    }
  });
  return true;
}

void OuchClient::heard(const ouch50::Accepted& message) {
  const std::uint32_t user_ref = message.user_ref;
  Order* order = nullptr;
  if (by_user_ref_.contains(user_ref)) {
    order = by_user_ref(user_ref);
  } else {
    // A client that starts anew hears of what it did before.
    const auto symbol = by_name_.find(message.symbol.text());
    const OrderId id = id_in(message.client_order_id);
    if (symbol == by_name_.end() || id == OrderId{} || find(id) != nullptr) {
      ++strange_;
      return;
    }
    const bool at_once = message.time_in_force == ouch50::TimeInForce::immediate_or_cancel;
    order = &remember({.id = id,
                       .symbol = symbol->second,
                       .side = side_of(message.side),
                       .type = message.price >= ouch50::least_market_price ? OrderType::market : OrderType::limit,
                       .time_in_force = at_once ? TimeInForce::immediate_or_cancel : TimeInForce::day,
                       .open = {message.quantity}},
                      user_ref);
    last_user_ref_ = std::max(last_user_ref_, user_ref);
  }
  if (order->accepted) return;
  order->accepted = true;
  if (order->type == OrderType::limit) order->price = price_from_wire(instruments_[order->symbol.value], message.price);
  events_.on(Accepted{.id = order->id,
                      .price = order->price,
                      .quantity = {message.quantity},
                      .account = options_.account,
                      .symbol = order->symbol,
                      .side = order->side,
                      .type = order->type,
                      .time_in_force = order->time_in_force,
                      .post_only = has(order->terms, Terms::post_only) ? PostOnly::yes : PostOnly::no,
                      .arrival_ns = std::exchange(order->arrival_ns, 0)});
  if (order->terms != Terms::none && order->terms != Terms::post_only)
    events_.on(AcceptedTerms{.id = order->id,
                             .part = order->part,
                             .account = options_.account,
                             .symbol = order->symbol,
                             .side = order->side,
                             .type = order->special,
                             .time_in_force = order->time_in_force,
                             .terms = order->terms});
  if (message.state == ouch::OrderState::dead) shrink(*order, order->open.lots, Reason::immediate_or_cancel);
}

void OuchClient::heard(const ouch50::Replaced& message) {
  Order* const order = by_user_ref(message.user_ref);
  Order* const original = by_user_ref(message.original_user_ref);
  if (order == nullptr && original != nullptr)  // before a new start of ours
    by_user_ref_[message.user_ref] = static_cast<std::uint32_t>(original - orders_.data());
  Order* const changed = order != nullptr ? order : original;
  if (changed == nullptr) return;
  last_user_ref_ = std::max<std::uint32_t>(last_user_ref_, message.user_ref);
  changed->user_ref = message.user_ref;
  if (changed->replacing == changed->user_ref) changed->replacing = 0;
  changed->open = {message.quantity};
  changed->price = price_from_wire(instruments_[changed->symbol.value], message.price);
  const OrderId new_id =
      changed->new_id != OrderId{} ? std::exchange(changed->new_id, OrderId{}) : id_in(message.client_order_id);
  if (new_id != OrderId{} && new_id != changed->id) {
    const OrderId old = std::exchange(changed->id, new_id);
    by_id_[new_id] = static_cast<std::uint32_t>(changed - orders_.data());
    by_id_.erase(old);
    events_.on(Replaced{.id = old,
                        .new_id = new_id,
                        .price = changed->price,
                        .quantity = changed->open,
                        .account = options_.account,
                        .symbol = changed->symbol,
                        .side = changed->side,
                        .arrival_ns = std::exchange(changed->arrival_ns, 0)});
  } else {
    events_.on(Modified{.id = changed->id,
                        .price = changed->price,
                        .quantity = changed->open,
                        .account = options_.account,
                        .symbol = changed->symbol,
                        .side = changed->side,
                        .open = changed->open,
                        .arrival_ns = std::exchange(changed->arrival_ns, 0)});
  }
  if (message.state == ouch::OrderState::dead) shrink(*changed, changed->open.lots, Reason::requested);
}

/// Some of what was open has left the book without trading.
void OuchClient::shrink(Order& order, std::uint32_t decrement, Reason reason) {
  const Quantity by{std::min(decrement, order.open.lots)};
  order.open -= by;
  const std::int64_t arrival_ns = std::exchange(order.arrival_ns, 0);
  if (order.open == Quantity{}) {
    finish(order);
    events_.on(Cancelled{.id = order.id,
                         .price = order.price,
                         .quantity = by,
                         .account = options_.account,
                         .symbol = order.symbol,
                         .side = order.side,
                         .reason = reason,
                         .arrival_ns = arrival_ns});
    return;
  }
  if (reason == Reason::requested && std::exchange(order.is_shrunk, false)) {
    events_.on(Modified{.id = order.id,
                        .price = order.price,
                        .quantity = order.open,
                        .account = options_.account,
                        .symbol = order.symbol,
                        .side = order.side,
                        .kept_place = 1,
                        .open = order.open,
                        .arrival_ns = arrival_ns});
    return;
  }
  if (reason == Reason::requested) order.is_reduced = false;
  events_.on(Reduced{.id = order.id,
                     .price = order.price,
                     .by = by,
                     .open = order.open,
                     .account = options_.account,
                     .symbol = order.symbol,
                     .side = order.side,
                     .arrival_ns = arrival_ns});
}

void OuchClient::heard(const ouch50::Canceled& message) {
  if (Order* const order = by_user_ref(message.user_ref); order != nullptr && !order->done)
    shrink(*order, message.decrement, reason_of(message.reason));
}

void OuchClient::heard(const ouch50::AiqCanceled& message) {
  if (Order* const order = by_user_ref(message.user_ref); order != nullptr && !order->done)
    shrink(*order, message.decrement, Reason::self_trade);
}

void OuchClient::heard(const ouch50::Executed& message) {
  Order* const order = by_user_ref(message.user_ref);
  if (order == nullptr) return;
  const Quantity quantity{message.quantity};
  order->filled += quantity;
  order->open -= std::min(order->open, quantity);
  events_.on(Filled{.id = order->id,
                    .price = price_from_wire(instruments_[order->symbol.value], message.price),
                    .quantity = quantity,
                    .open = order->open,
                    .account = options_.account,
                    .symbol = order->symbol,
                    .side = order->side,
                    .maker = rested(message.liquidity),
                    .trade = static_cast<std::uint32_t>(message.match.value()),
                    .arrival_ns = std::exchange(order->arrival_ns, 0)});
  if (order->open == Quantity{}) finish(*order);
}

void OuchClient::heard(const ouch50::Rejected& message) {
  Order* const order = by_user_ref(message.user_ref);
  if (order == nullptr) return;
  const Reason reason = reason_of(message.why());
  if (order->replacing == message.user_ref) {
    order->replacing = 0;
    const bool is_new = order->new_id != OrderId{};
    refuse(*order, is_new ? CommandKind::replace : CommandKind::modify, reason,
           std::exchange(order->new_id, OrderId{}));
  } else if (!order->accepted && !order->done) {
    finish(*order);
    refuse(*order, CommandKind::new_order, reason);
  }
}

void OuchClient::heard(const ouch50::PriorityUpdate& message) {
  Order* const order = by_user_ref(message.user_ref);
  if (order == nullptr || order->done) return;
  order->price = price_from_wire(instruments_[order->symbol.value], message.price);
  events_.on(Repriced{.id = order->id,
                      .price = order->price,
                      .account = options_.account,
                      .symbol = order->symbol,
                      .open = order->open,
                      .side = order->side});
}

void OuchClient::heard(const ouch50::Restated& message, const ouch50::Appendage& options) {
  Order* const order = by_user_ref(message.user_ref);
  if (order == nullptr || order->done || message.reason != ouch50::RestatedReason::refreshed) return;
  const auto displayed = options.get<ouch50::Tag::display_quantity>();
  if (!displayed) return;
  const Quantity shown{std::min<std::uint32_t>(*displayed, order->open.lots)};
  events_.on(Refreshed{.id = order->id,
                       .price = order->price,
                       .displayed = shown,
                       .reserve = order->open - shown,
                       .account = options_.account,
                       .symbol = order->symbol,
                       .side = order->side});
}

}  // namespace outcry
