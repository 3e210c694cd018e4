#include <outcry/actors/fix_port.hpp>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdlib>

#include <outcry/actors/kill_desk.hpp>

namespace outcry {

using Kind = FixEvent::Kind;
namespace tag = fix::tag;

namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::string_view no_order = "NONE";  // OrderID of what is no order

// OrdStatus, and ExecType where both are the same.
namespace status {
constexpr char fresh = '0', partly = '1', filled = '2', cancelled = '4', replaced = '5', rejected = '8', expired = 'C';
}
constexpr char trade = 'F', restated = 'D', order_status = 'I';  // ExecType

std::string_view name_in(const auto& key) {
  return {key.data(), static_cast<std::size_t>(std::find(key.begin(), key.end(), '\0') - key.begin())};
}

bool goes_out(Reason reason) {
  return reason == Reason::end_of_day || reason == Reason::expired || reason == Reason::auction_over;
}

/// In 1/10,000, whatever the instrument counts in; rounded.
fix::Decimal decimal(std::int64_t units, const Instrument& instrument) {
  if (instrument.price_scale == 10'000) return {units};
  const std::int64_t whole = units / instrument.price_scale, rest = units % instrument.price_scale;
  return {whole * 10'000 + (rest * 10'000 + (rest < 0 ? -1 : 1) * instrument.price_scale / 2) / instrument.price_scale};
}

/// Nothing if it lies between two of the instrument's units.
std::optional<Price> price_of(fix::Decimal decimal, const Instrument& instrument) {
  if (instrument.price_scale == 10'000) return Price{decimal.units};
  const std::int64_t whole = decimal.units / 10'000, rest = decimal.units % 10'000;
  std::int64_t units = 0;
  if (__builtin_mul_overflow(whole, instrument.price_scale, &units)) return std::nullopt;
  if (rest * instrument.price_scale % 10'000 != 0) return std::nullopt;
  return Price{units + rest * instrument.price_scale / 10'000};
}

/// OrdRejReason.
std::uint64_t reject_reason(Reason reason, bool is_42) {
  switch (reason) {
    case Reason::unknown_symbol: return 1;
    case Reason::market_closed: return 2;
    case Reason::quantity_too_large: return 3;
    case Reason::duplicate_id: return 6;
    case Reason::zero_quantity:
    case Reason::off_lot: return is_42 ? 0 : 13;
    case Reason::unsupported:
    case Reason::invalid_combination: return is_42 ? 0 : 11;
    default: return is_42 ? 0 : 99;
  }
}

bool may_be_repeated(const fix::Message& message) {
  constexpr fix::Tag possible_resend = 97;
  return message.get(tag::possible_duplicate) == "Y" || message.get(possible_resend) == "Y";
}

bool has_letter(std::string_view instructions, char letter) {
  for (std::size_t i = 0; i < instructions.size(); i += 2)  // letters with spaces between
    if (instructions[i] == letter) return true;
  return false;
}

char side_letter(const OrderTicket& ticket) {
  if (ticket.side == Side::buy) return '1';
  return ticket.mark == SaleMark::none ? '2' : ticket.mark == SaleMark::sell_short ? '5' : '6';
}

char type_letter(SpecialType type) {
  switch (type) {
    case SpecialType::market: return '1';
    case SpecialType::market_to_limit: return 'K';
    default: return '2';
  }
}

char time_letter(TimeInForce time) {
  switch (time) {
    case TimeInForce::good_till_cancelled: return '1';
    case TimeInForce::immediate_or_cancel: return '3';
    case TimeInForce::fill_or_kill: return '4';
    case TimeInForce::good_till_time: return '6';
    default: return '0';
  }
}

constexpr Terms without_minimum(Terms terms) {
  return static_cast<Terms>(static_cast<std::uint8_t>(terms) & ~static_cast<std::uint8_t>(Terms::minimum));
}

/// How an order's terms are said in FIX; or which of them is not to be had.
const char* read_terms(char order_type, char time_in_force, std::string_view instructions,
                       std::optional<fix::UtcTime> expires, OrderTicket& ticket) {
  switch (order_type) {
    case '1': ticket.type = SpecialType::market; break;
    case '2': ticket.type = SpecialType::limit; break;
    case 'K': ticket.type = SpecialType::market_to_limit; break;
    default: return "the order type is not supported";
  }
  switch (time_in_force) {
    case '\0':
    case '0': ticket.time_in_force = TimeInForce::day; break;
    case '1': ticket.time_in_force = TimeInForce::good_till_cancelled; break;
    case '3': ticket.time_in_force = TimeInForce::immediate_or_cancel; break;
    case '4': ticket.time_in_force = TimeInForce::fill_or_kill; break;
    case '6':
      if (!expires) return "an order until a time has to say until which (126)";
      ticket.time_in_force = TimeInForce::good_till_time;
      break;
    default: return "the time in force is not supported";
  }
  if (has_letter(instructions, '6')) ticket.terms = ticket.terms | Terms::post_only;
  if (has_letter(instructions, 'G')) ticket.terms = ticket.terms | Terms::all_or_none;
  return nullptr;
}

}  // namespace

FixPort::FixPort(const FixPortOptions& options, const SymbolDirectory& symbols, OrderRoute& route, const FixTime& time)
    : options_(options),
      symbols_(symbols),
      entry_(options.orders, symbols, route),
      state_(options.sent),
      time_(time),
      kill_(options.kill),
      throttle_(options.throttle, time.now_ns),
      flood_(options.flood, time.now_ns),
      names_(options.client_ids),
      places_(options.orders.most_orders),
      executions_(options.first_execution) {
  options_.session.initiator = false;
  kill_.add_account(options.orders.account, options.firm);
  session_.emplace(options_.session, state_, time);
}

void FixPort::at(const FixTime& time) {
  time_ = time;
  entry_.now(time.now_ns, time.now_ns);
}

// --- connections

void FixPort::connected(ByteBuffer& out, const FixTime& time, bool may_log_on) {
  assert(!is_connected() && "one connection at a time");
  at(time);
  may_log_on_ = may_log_on;
  out_ = &out;
  ended_why_ = {};
  flooded_ = overflowed_ = false;
  stalled_since_ns_ = INT64_MAX;
  session_.emplace(options_.session, state_, time);
}

void FixPort::disconnected(const FixTime& time) {
  if (!is_connected()) return;
  at(time);
  out_ = &nowhere_;
  stalled_since_ns_ = INT64_MAX;
  // What comes now waits in the store until it is asked for.
  session_.emplace(options_.session, state_, time);
  if (options_.cancel_on_disconnect == CancelOnDisconnect::none || cancel_at_ns_ != INT64_MAX) return;
  cancel_at_ns_ = time.now_ns + options_.disconnect_grace_ns;
  if (options_.disconnect_grace_ns == 0) cancel_at_disconnect();
}

void FixPort::cancel_at_disconnect() {
  cancel_at_ns_ = INT64_MAX;
  counts_.mass_cancels += entry_.open_orders() != 0 ? 1 : 0;
  if (options_.cancel_on_disconnect == CancelOnDisconnect::always)
    return entry_.mass_cancel(std::nullopt, std::nullopt, CancelCause::disconnect);
  entry_.each_open([this](OrderHandle handle, const EnteredOrder&) {
    if (places_[handle.value].goes_with_connection) entry_.cancel(handle, CancelCause::disconnect);
  });
}

FixPort::Status FixPort::on_logon(const FixEvent& event) {
  if (!may_log_on_) {
    ended_why_ = "a logon that is not authorized";
    session_->refuse("not authorized", *out_, time_);
    return Status::close;
  }
  const bool begins_anew = event.logon.reset.value_or(false) || options_.session.reset_on_logon;
  if (!begins_anew && !state_.sent.has_room(8, 1'024)) {
    ended_why_ = "no room for more messages";  // not even for one that says so
    return Status::close;
  }
  ++counts_.logons;
  cancel_at_ns_ = INT64_MAX;
  session_->accept(*out_, time_);
  return Status::open;
}

FixPort::Status FixPort::receive(std::span<const std::byte>& bytes, const FixTime& time) {
  at(time);
  if (!is_connected()) return Status::close;
  while (const FixEvent event = session_->receive(bytes, *out_, time)) {
    switch (event.kind) {
      case Kind::logon_requested:
        if (on_logon(event) == Status::close) return Status::close;
        break;
      case Kind::message: on_message(*event.message); break;
      case Kind::logged_out: ended_why_ = "the client has logged out"; return Status::close;
      case Kind::broken: ended_why_ = event.reason; return Status::close;
      case Kind::timed_out: ended_why_ = "the client was not heard"; return Status::close;
      default: break;
    }
  }
  return overflowed_ || session_->stage() == FixSession::Stage::closed ? Status::close : Status::open;
}

FixPort::Status FixPort::poll(const FixTime& time) {
  at(time);
  entry_.retry();
  if (time.now_ns >= cancel_at_ns_) cancel_at_disconnect();
  if (!is_connected()) return Status::open;
  const FixEvent event = session_->poll(*out_, time);
  if (event.kind == Kind::timed_out) ended_why_ = "the client was not heard";
  if (is_stalled()) {
    ended_why_ = "the client does not read";
    return Status::close;
  }
  return event || overflowed_ ? Status::close : Status::open;
}

bool FixPort::is_stalled() {
  if (!session_->waits()) {
    stalled_since_ns_ = INT64_MAX;
    return false;
  }
  if (stalled_since_ns_ == INT64_MAX || stalled_at_ != session_->progress()) {
    stalled_since_ns_ = time_.now_ns;
    stalled_at_ = session_->progress();
  }
  return time_.now_ns - stalled_since_ns_ >= options_.stall_ns;
}

std::int64_t FixPort::deadline() const {
  const std::int64_t session = is_connected() ? session_->deadline() : INT64_MAX;
  const std::int64_t retry = entry_.owes() ? time_.now_ns + second / 100 : INT64_MAX;
  const std::int64_t stall = stalled_since_ns_ == INT64_MAX ? INT64_MAX : stalled_since_ns_ + options_.stall_ns;
  return std::min({session, cancel_at_ns_, retry, stall});
}

void FixPort::log_out(std::string_view text, const FixTime& time) {
  at(time);
  if (is_connected()) session_->log_out(text, *out_, time);
}

void FixPort::kill(const KillChanged& change, const FixTime& time) {
  at(time);
  if (change.engaged == 0) {
    kill_.release(change.scope);
    return;
  }
  kill_.engage(change.scope, time.utc_ns, {});
  // From here, so that it comes behind every order that was sent from here.
  if (kill_.covers(change.scope, entry_.account()))
    entry_.mass_cancel(std::nullopt, std::nullopt, CancelCause::supervisor);
}

// --- messages

void FixPort::on_message(const fix::Message& message) {
  if (flooded_) return;
  ++counts_.messages;
  if (options_.flood.burst != 0 && !flood_.take(1, time_.now_ns)) {
    flooded_ = true;
    ended_why_ = "too many messages a second";
    session_->log_out(ended_why_, *out_, time_);
    return;
  }
  const std::string_view type = message.type();
  if (type == fix::NewOrderSingle::type) return enter(message);
  if (type == fix::OrderCancelRequest::type) return cancel(message);
  if (type == fix::OrderCancelReplaceRequest::type) return replace(message);
  if (type == fix::OrderMassCancelRequest::type) return mass_cancel(message);
  if (type == fix::OrderStatusRequest::type) return say_status(message);
  if (type == fix::BusinessReject::type) return;  // of a report of ours: nothing is to be done
  session_->refuse_business(message, 3, "Unsupported Message Type", *out_, time_);
}

bool FixPort::passes(const std::optional<fix::Problem>& problem, const fix::Message& message) {
  if (problem) session_->reject(message, *problem, *out_, time_);
  return !problem;
}

RiskReason FixPort::blocked() {
  if (is_killed()) return RiskReason::killed;
  if (options_.throttle.burst != 0 && !throttle_.take(1, time_.now_ns)) {
    ++counts_.throttled;
    return RiskReason::port_rate;
  }
  return RiskReason::none;
}

// Each order needs a few reports, and those that are open need theirs.
bool FixPort::is_room_for_orders() const {
  const std::size_t kept = options_.sent.messages / 8, reports = 4 * std::size_t{entry_.open_orders()} + 4;
  return state_.sent.has_room(std::max(kept, reports), std::max(options_.sent.bytes / 8, reports * 256));
}

bool FixPort::take_name(std::string_view client_id, Named named, bool& is_duplicate) {
  Key key{};
  is_duplicate = false;
  if (client_id.size() > key.size()) return false;
  std::copy(client_id.begin(), client_id.end(), key.begin());
  if (names_.find(key) != nullptr) {
    ++counts_.duplicates;
    is_duplicate = true;
    return false;
  }
  return names_.insert(key, named);
}

FixPort::Order* FixPort::find(std::string_view client_id, char& status, OrderHandle& handle) {
  Key key{};
  status = status::rejected;
  if (client_id.empty() || client_id.size() > key.size()) return nullptr;
  std::copy(client_id.begin(), client_id.end(), key.begin());
  const Named* named = names_.find(key);
  if (named == nullptr) return nullptr;
  if (!named->order) {
    if (named->status != '\0') status = named->status;
    return nullptr;
  }
  handle = named->order;
  status = status_of(handle);
  return &places_[handle.value];
}

void FixPort::enter(const fix::Message& message) {
  fix::NewOrderSingle order;
  if (!passes(fix::read(message, options_.session.version, order), message)) return;
  Key key{};
  if (order.client_order_id.size() > key.size())
    return refuse_order(order, is_42() ? 0 : 99, "a ClOrdID has at most 32 characters");
  std::copy(order.client_order_id.begin(), order.client_order_id.end(), key.begin());
  if (names_.find(key) != nullptr) {
    ++counts_.duplicates;
    if (!may_be_repeated(message)) refuse_order(order, 6, "the ClOrdID was used before");
    return;
  }
  // From here on the name is used up, whatever comes of the order.
  if (!names_.insert(key, {.status = status::rejected}))
    return refuse_order(order, is_42() ? 0 : 99, "no room for more ClOrdIDs");
  if (is_leaving()) return refuse_order(order, 2, "the session is being ended");
  if (const RiskReason reason = blocked(); reason != RiskReason::none)
    return refuse_order(order, fix_order_reject_reason(reason), text_of(reason));
  if (!is_room_for_orders()) return refuse_order(order, is_42() ? 0 : 99, "no room for more messages: log on anew");

  const std::optional<SymbolId> symbol = symbols_.find(order.symbol);
  if (!symbol) return refuse_order(order, 1, "unknown symbol");
  OrderTicket ticket{.symbol = *symbol};
  switch (order.side) {
    case '1': break;
    case '2': ticket.side = Side::sell; break;
    case '5':
    case '6':
      ticket.side = Side::sell;
      ticket.mark = order.side == '5' ? SaleMark::sell_short : SaleMark::short_exempt;
      ticket.located = message.get(fix::Tag{114}) == "N";  // LocateReqd: none is needed any more
      break;
    default: return refuse_order(order, is_42() ? 0 : 99, "the side is not supported");
  }
  if (const char* wrong = read_terms(order.order_type, order.time_in_force, order.instructions, order.expires, ticket))
    return refuse_order(order, is_42() ? 0 : 11, wrong);
  if (order.expires && ticket.time_in_force == TimeInForce::good_till_time)
    ticket.expires_s = static_cast<std::uint32_t>(std::max<std::int64_t>(order.expires->ns / second, 0));
  if (order.quantity->count > UINT32_MAX) return refuse_order(order, 3, "the quantity is too large");
  ticket.quantity = {static_cast<std::uint32_t>(order.quantity->count)};
  if (order.minimum_quantity && order.minimum_quantity->count != 0) {
    if (order.minimum_quantity->count > order.quantity->count)
      return refuse_order(order, is_42() ? 0 : 11, "the minimum is more than the quantity");
    ticket.terms = ticket.terms | Terms::minimum;
    ticket.part = {static_cast<std::uint32_t>(order.minimum_quantity->count)};
  }
  if (order.price && ticket.type == SpecialType::limit) {
    const std::optional<Price> price = price_of(*order.price, symbols_[*symbol].instrument);
    if (!price) return refuse_order(order, is_42() ? 0 : 99, to_string(Reason::off_tick));
    ticket.price = *price;
  }

  const OrderEntry::Answer answer = entry_.enter(ticket);
  if (!answer) {
    if (answer.risk != RiskReason::none)
      return refuse_order(order, fix_order_reject_reason(answer.risk), text_of(answer.risk));
    return refuse_order(order, reject_reason(answer.reason, is_42()), to_string(answer.reason));
  }
  *names_.find(key) = {.order = answer.order};
  places_[answer.order.value] = {
      .key = key,
      .id = entry_.order(answer.order).id.value,
      .goes_with_connection = has_letter(order.instructions, 'Q') || has_letter(order.instructions, 'o')};
}

void FixPort::cancel(const fix::Message& message) {
  fix::OrderCancelRequest request;
  if (!passes(fix::read(message, options_.session.version, request), message)) return;
  char status{};
  OrderHandle handle{};
  Order* order = find(request.original_client_order_id, status, handle);
  const std::uint64_t id = order == nullptr ? 0 : order->id;
  const auto refuse = [&](std::uint64_t reason, std::string_view text) {
    refuse_change(request.client_order_id, request.original_client_order_id, id, status, reason, '1', text);
  };
  bool is_duplicate = false;
  const bool has_name = take_name(request.client_order_id, {}, is_duplicate);
  if (is_duplicate) {
    if (!may_be_repeated(message)) refuse(is_42() ? 2 : 6, "the ClOrdID was used before");
    return;
  }
  // Without room for its name a cancel is carried out all the same.
  if (!has_name && request.client_order_id.size() > Key{}.size())
    return refuse(is_42() ? 2 : 99, "a ClOrdID has at most 32 characters");
  if (order == nullptr) {
    const bool is_over = status == status::filled || status == status::cancelled || status == status::expired;
    return refuse(is_over ? 0 : 1, is_over ? "too late" : "unknown order");
  }
  const EnteredOrder& entered = entry_.order(handle);
  if (symbols_.find(request.symbol) != entered.ticket.symbol ||
      (request.side == '1') != (entered.ticket.side == Side::buy))
    return refuse(1, "another symbol or side than the order's");
  if (!entry_.cancel(handle)) return refuse(3, "it is being cancelled");
  order->cancel = {};
  std::copy(request.client_order_id.begin(), request.client_order_id.end(), order->cancel.begin());
}

void FixPort::replace(const fix::Message& message) {
  fix::OrderCancelReplaceRequest request;
  if (!passes(fix::read(message, options_.session.version, request), message)) return;
  char status{};
  OrderHandle handle{};
  Order* order = find(request.original_client_order_id, status, handle);
  const std::uint64_t id = order == nullptr ? 0 : order->id;
  const auto refuse = [&](std::uint64_t reason, std::string_view text) {
    refuse_change(request.client_order_id, request.original_client_order_id, id, status, reason, '2', text);
  };
  const std::uint64_t other = is_42() ? 2 : 99;
  bool is_duplicate = false;
  if (!take_name(request.client_order_id, {.status = status::rejected}, is_duplicate)) {
    if (is_duplicate && may_be_repeated(message)) return;
    return refuse(is_duplicate && !is_42() ? 6 : other,
                  is_duplicate ? "the ClOrdID was used before" : "no room for the ClOrdID");
  }
  if (order == nullptr) {
    const bool is_over = status == status::filled || status == status::cancelled || status == status::expired;
    return refuse(is_over ? 0 : 1, is_over ? "too late" : "unknown order");
  }
  if (is_leaving()) return refuse(2, "the session is being ended");
  if (const RiskReason reason = blocked(); reason != RiskReason::none) return refuse(2, text_of(reason));
  if (!is_room_for_orders()) return refuse(other, "no room for more messages: log on anew");
  const OrderTicket before = entry_.order(handle).ticket;
  if (symbols_.find(request.symbol) != before.symbol || (request.side == '1') != (before.side == Side::buy))
    return refuse(1, "another symbol or side than the order's");

  OrderTicket after{.symbol = before.symbol};
  const char time = request.time_in_force == '\0' ? time_letter(before.time_in_force) : request.time_in_force;
  const bool keeps_expiry = time == '6' && !request.expires && before.time_in_force == TimeInForce::good_till_time;
  const auto expires = keeps_expiry ? std::optional(fix::UtcTime{}) : request.expires;
  if (const char* wrong = read_terms(request.order_type, time, request.instructions, expires, after))
    return refuse(other, wrong);
  if (!request.quantity || request.quantity->count > UINT32_MAX || request.quantity->count == 0)
    return refuse(other, "the quantity is out of range");
  if (request.price && after.type == SpecialType::limit) {
    const std::optional<Price> price = price_of(*request.price, symbols_[before.symbol].instrument);
    if (!price) return refuse(other, to_string(Reason::off_tick));
    after.price = *price;
  }
  after.expires_s = keeps_expiry ? before.expires_s
                    : request.expires
                        ? static_cast<std::uint32_t>(std::max<std::int64_t>(request.expires->ns / second, 0))
                        : 0;
  const OrderChange change{.price = after.price,
                           .total = {static_cast<std::uint32_t>(request.quantity->count)},
                           .time_in_force = after.time_in_force,
                           .type = after.type,
                           .terms = request.instructions.empty() ? without_minimum(before.terms) : after.terms,
                           .part = has(before.terms, Terms::minimum) ? Quantity{} : before.part,
                           .expires_s = after.time_in_force == TimeInForce::good_till_time ? after.expires_s : 0};
  const OrderEntry::Answer answer = entry_.replace(handle, change);
  if (!answer) {
    if (answer.risk != RiskReason::none) return refuse(2, text_of(answer.risk));
    switch (answer.reason) {
      case Reason::unknown_order: return refuse(3, "it is being cancelled or replaced");
      case Reason::invalid_combination: return refuse(3, "it waits for the order that it replaces");
      case Reason::quantity_exceeds_open: return refuse(0, "as much was executed");
      default: return refuse(other, to_string(answer.reason));
    }
  }
  Key key{};
  std::copy(request.client_order_id.begin(), request.client_order_id.end(), key.begin());
  *names_.find(key) = {.order = answer.order};
  const bool goes =
      order->goes_with_connection || has_letter(request.instructions, 'Q') || has_letter(request.instructions, 'o');
  places_[answer.order.value] = {.key = key,
                                 .before = order->key,
                                 .id = order->id,
                                 .traded_value = order->traded_value,
                                 .goes_with_connection = goes};
}

void FixPort::mass_cancel(const fix::Message& message) {
  fix::OrderMassCancelRequest request;
  if (!passes(fix::read(message, options_.session.version, request), message)) return;
  fix::OrderMassCancelReport answer{.client_order_id = request.client_order_id,
                                    .symbol = request.symbol,
                                    .request_type = request.request_type,
                                    .response = request.request_type};
  answer.order_id = execution_id();
  const auto refuse = [&](std::uint64_t reason, std::string_view text) {
    answer.response = '0';
    answer.reject_reason = reason;
    answer.text = text;
    send(answer);
  };
  bool is_duplicate = false;
  take_name(request.client_order_id, {}, is_duplicate);
  // Cancelling once more what is open does no harm; but what came meanwhile is not meant.
  if (is_duplicate && may_be_repeated(message)) return;
  if (is_duplicate) return refuse(99, "the ClOrdID was used before");
  std::optional<SymbolId> symbol;
  if (request.request_type == '1') {
    symbol = symbols_.find(request.symbol);
    if (!symbol) return refuse(1, "unknown symbol");
  } else if (request.request_type != '7') {
    return refuse(0, "only of a symbol (1) or all (7)");
  }
  std::optional<Side> side;
  if (request.side != '\0') side = request.side == '1' ? Side::buy : Side::sell;
  std::uint64_t affected = 0;
  entry_.each_open([&](OrderHandle, const EnteredOrder& order) {
    affected += (!symbol || order.ticket.symbol == *symbol) && (!side || order.ticket.side == *side);
  });
  answer.affected = affected;
  send(answer);
  entry_.mass_cancel(symbol, side, CancelCause::client);
}

void FixPort::say_status(const fix::Message& message) {
  fix::OrderStatusRequest request;
  if (!passes(fix::read(message, options_.session.version, request), message)) return;
  char status{};
  OrderHandle handle{};
  if (find(request.client_order_id, status, handle) != nullptr) return report_status(handle);
  const bool is_known = status != status::rejected;
  send(fix::ExecutionReport{.client_order_id = request.client_order_id,
                            .execution_id = "0",
                            .transaction = '3',
                            .order_id = no_order,
                            .status = status,
                            .side = request.side,
                            .symbol = request.symbol,
                            .text = is_known ? "the order is gone" : "unknown order",
                            .reject_reason = is_known ? std::nullopt : std::optional<std::uint64_t>(5),
                            .execution = is_42() ? status : order_status});
}

// --- reports

std::string_view FixPort::execution_id() {
  digits_[0] = 'E';
  const auto end = std::to_chars(digits_ + 1, digits_ + sizeof digits_, executions_++).ptr;
  return {digits_, static_cast<std::size_t>(end - digits_)};
}

char FixPort::status_of(OrderHandle handle) const {
  const EnteredOrder& order = entry_.order(handle);
  if (order.open == Quantity{} && order.executed != Quantity{}) return status::filled;
  return order.executed == Quantity{} ? status::fresh : status::partly;
}

void FixPort::report(OrderHandle handle, char execution, char status, const OrderNews* news, std::string_view text) {
  const EnteredOrder& entered = entry_.order(handle);
  const Order& order = places_[handle.value];
  const Instrument& instrument = symbols_[entered.ticket.symbol].instrument;
  const bool is_trade = news != nullptr && news->kind == OrderNews::Kind::filled;
  const bool is_over = status == status::cancelled || status == status::rejected || status == status::expired ||
                       status == status::filled;
  const std::int64_t executed = entered.executed.lots;
  // Half away from zero.
  const std::int64_t half = order.traded_value < 0 ? -executed / 2 : executed / 2;
  const std::int64_t average = executed == 0 ? 0 : (order.traded_value + half) / executed;
  const std::string_view cancel = name_in(order.cancel);
  const bool is_cancel = (status == status::cancelled && !cancel.empty());
  const char* end = std::to_chars(order_digits_, order_digits_ + sizeof order_digits_, order.id).ptr;
  send(fix::ExecutionReport{
      .average_price = decimal(average, instrument),
      .client_order_id = is_cancel ? cancel : name_in(order.key),
      .cumulative_quantity = entered.executed.lots,
      .execution_id = news == nullptr ? "0" : execution_id(),
      .transaction = news == nullptr ? '3' : '0',
      .last_price = is_trade ? std::optional(decimal(news->price.units, instrument)) : std::nullopt,
      .last_quantity = is_trade ? std::optional(fix::Shares(news->quantity.lots)) : std::nullopt,
      .order_id = {order_digits_, static_cast<std::size_t>(end - order_digits_)},
      .quantity = fix::Shares(entered.total.lots),
      .status = status,
      .order_type = type_letter(entered.ticket.type),
      .original_client_order_id = is_cancel                       ? name_in(order.key)
                                  : execution == status::replaced ? name_in(order.before)
                                                                  : "",
      .price = entered.ticket.type == SpecialType::limit
                   ? std::optional(decimal(entered.ticket.price.units, instrument))
                   : std::nullopt,
      .side = side_letter(entered.ticket),
      .symbol = name_of(instrument),
      .text = text,
      .time_in_force = time_letter(entered.ticket.time_in_force),
      .transacted = fix::UtcTime{time_.utc_ns},
      .execution = execution,
      .leaves_quantity = is_over ? 0u : entered.open.lots,
  });
}

void FixPort::report_status(OrderHandle handle) {
  const char status = status_of(handle);
  report(handle, is_42() ? status : order_status, status, nullptr);
}

void FixPort::refuse_order(const fix::NewOrderSingle& order, std::uint64_t reason, std::string_view text) {
  ++counts_.rejected;
  send(fix::ExecutionReport{.client_order_id = order.client_order_id,
                            .execution_id = execution_id(),
                            .order_id = no_order,
                            .quantity = order.quantity,
                            .status = status::rejected,
                            .order_type = order.order_type,
                            .price = order.price,
                            .side = order.side,
                            .symbol = order.symbol,
                            .text = text,
                            .transacted = fix::UtcTime{time_.utc_ns},
                            .reject_reason = reason,
                            .execution = status::rejected});
}

void FixPort::refuse_change(std::string_view client_id, std::string_view original, std::uint64_t order_id, char status,
                            std::uint64_t reason, char response_to, std::string_view text) {
  ++counts_.rejected;
  const char* end = std::to_chars(order_digits_, order_digits_ + sizeof order_digits_, order_id).ptr;
  send(fix::OrderCancelReject{
      .client_order_id = client_id,
      .order_id =
          order_id == 0 ? no_order : std::string_view(order_digits_, static_cast<std::size_t>(end - order_digits_)),
      .status = status,
      .original_client_order_id = original,
      .text = text,
      .reason = reason,
      .response_to = response_to});
}

void FixPort::refuse_replacement(OrderHandle handle, std::string_view text) {
  const Order& order = places_[handle.value];
  char status{};
  OrderHandle before{};
  find(name_in(order.before), status, before);
  refuse_change(name_in(order.key), name_in(order.before), order.id, status, 0, '2', text);
}

/// The order ended another way than by the cancel that is under way.
void FixPort::refuse_cancel(OrderHandle handle, char status) {
  const Order& order = places_[handle.value];
  if (order.cancel[0] != '\0')
    refuse_change(name_in(order.cancel), name_in(order.key), order.id, status, 0, '1', "too late");
}

void FixPort::forget(OrderHandle handle, char status) {
  Order& order = places_[handle.value];
  if (Named* named = names_.find(order.key); named != nullptr && named->order == handle) *named = {.status = status};
}

void FixPort::tell(const OrderNews& news) {
  using News = OrderNews::Kind;
  if (!news) return;
  const EnteredOrder& entered = entry_.order(news.order);
  Order& order = places_[news.order.value];
  // A replacement that will never be is answered first: what follows is about the order that it named.
  if (news.dropped) {
    refuse_replacement(news.dropped, "the order is gone");
    refuse_cancel(news.dropped, status::rejected);
    forget(news.dropped, status::rejected);
  }
  char status = status::fresh;
  switch (news.kind) {
    case News::none: return;
    case News::accepted: report(news.order, status::fresh, status::fresh, &news); break;
    case News::refused: {
      ++counts_.rejected;
      status = status::rejected;
      const Instrument& instrument = symbols_[entered.ticket.symbol].instrument;
      send(fix::ExecutionReport{.client_order_id = name_in(order.key),
                                .execution_id = execution_id(),
                                .order_id = no_order,
                                .quantity = fix::Shares(entered.total.lots),
                                .status = status,
                                .order_type = type_letter(entered.ticket.type),
                                .side = side_letter(entered.ticket),
                                .symbol = name_of(instrument),
                                .text = to_string(news.reason),
                                .transacted = fix::UtcTime{time_.utc_ns},
                                .reject_reason = reject_reason(news.reason, is_42()),
                                .execution = status});
      refuse_cancel(news.order, status);
      break;
    }
    case News::filled:
      order.traded_value += news.price.units * std::int64_t{news.quantity.lots};
      status = status_of(news.order);
      report(news.order, is_42() ? status : trade, status, &news);
      if (news.last) refuse_cancel(news.order, status);
      break;
    case News::reduced:
    case News::prevented:
    case News::repriced:
      status = status_of(news.order);
      report(news.order, restated, status, &news,
             news.kind == News::prevented ? "instead of trading with oneself" : "");
      break;
    case News::cancelled: {
      status = goes_out(news.reason) ? status::expired : status::cancelled;
      std::string_view text;
      switch (news.cause) {
        case CancelCause::client: break;
        case CancelCause::disconnect: text = "the connection was lost"; break;
        case CancelCause::supervisor: text = is_killed() ? "order entry is disabled" : "cancelled by the venue"; break;
        case CancelCause::replacement: text = "its replacement was refused"; break;
      }
      if (text.empty() && news.reason != Reason::requested) text = to_string(news.reason);
      report(news.order, status, status, &news, text);
      if (status == status::expired) refuse_cancel(news.order, status);
      break;
    }
    case News::replaced: {
      const Order& before = places_[news.before.value];
      order.id = before.id;
      order.traded_value = before.traded_value;
      status = status_of(news.order);
      report(news.order, status::replaced, is_42() ? status::replaced : status, &news);
      refuse_cancel(news.before, status::replaced);
      forget(news.before, status::cancelled);
      break;
    }
    case News::replacement_refused:
      refuse_replacement(news.order, to_string(news.reason));
      refuse_cancel(news.order, status::rejected);
      status = status::rejected;
      break;
    case News::refreshed:
    case News::triggered: return;
  }
  if (news.last) forget(news.order, status);
}

// A report that is lost cannot be made up for: the client must not trade on.
void FixPort::overflow() {
  if (overflowed_) return;
  overflowed_ = true;
  ended_why_ = "no room for more messages";
  session_->log_out(ended_why_, *out_, time_);
  entry_.mass_cancel(std::nullopt, std::nullopt, CancelCause::supervisor);
}

FixCaller fix_caller(std::span<const std::byte> bytes, std::size_t largest_message) noexcept {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const fix::Framed framed = fix::frame(text, largest_message);
  if (framed.framing == fix::Framing::partial) return {};
  FixCaller caller{.state = FixCaller::State::stranger};
  fix::Message message;
  if (framed.framing != fix::Framing::whole || message.read(text.substr(0, framed.size))) return caller;
  for (const fix::Version version : {fix::Version::v4_2, fix::Version::v4_4}) {
    if (message.begin_string() != fix::begin_string(version) || message.type() != fix::Logon::type) continue;
    caller = {.state = FixCaller::State::known,
              .version = version,
              .sender = message.get(tag::sender),
              .target = message.get(tag::target),
              .user = message.get(tag::user),
              .password = message.get(tag::password)};
  }
  return caller;
}

}  // namespace outcry
