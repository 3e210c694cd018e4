#include <outcry/actors/fix_client.hpp>

#include <algorithm>
#include <cassert>
#include <charconv>

namespace outcry {

namespace tag = fix::tag;

namespace {

char letter(Side side) { return side == Side::buy ? '1' : '2'; }

char letter(TimeInForce time) {
  switch (time) {
    case TimeInForce::good_till_cancelled: return '1';
    case TimeInForce::immediate_or_cancel: return '3';
    case TimeInForce::fill_or_kill: return '4';
    default: return '0';
  }
}

Quantity quantity(std::uint64_t count) {
  return {static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX))};
}

/// Why an order was refused, as far as OrdRejReason tells.
Reason reason_of(std::optional<std::uint64_t> order_reject_reason) {
  switch (order_reject_reason.value_or(99)) {
    case 1: return Reason::unknown_symbol;
    case 2: return Reason::market_closed;
    case 3: return Reason::quantity_too_large;
    case 5: return Reason::unknown_order;
    case 6: return Reason::duplicate_id;
    case 13: return Reason::off_lot;
    default: return Reason::invalid_combination;
  }
}

}  // namespace

FixClient::FixClient(const FixClientOptions& options, const SymbolDirectory& symbols, const FixTime& time)
    : options_(options),
      symbols_(symbols),
      state_(options.sent),
      orders_(options.most_orders),
      number_(options.first_number - 1) {
  options_.session.initiator = true;
  // Of what an earlier life has sent nothing is left: should the venue ask for it again, a gap stands there.
  while (state_.sent.next_sequence() < options.next_outgoing && state_.sent.append({}) != 0) {
  }
  session_.emplace(options_.session, state_, time);
}

void FixClient::connected(ByteBuffer& out, const FixTime& time) {
  assert(!is_connected() && "one connection at a time");
  out_ = &out;
  ended_why_ = {};
  session_.emplace(options_.session, state_, time);
  session_->log_on(options_.user, options_.password, out, time);
}

void FixClient::disconnected(const FixTime& time) {
  out_ = &nowhere_;
  session_.emplace(options_.session, state_, time);
}

FixClient::Status FixClient::poll(const FixTime& time) {
  const FixEvent event = session_->poll(*out_, time);
  if (event) ended_why_ = "the venue was not heard";
  return event ? Status::close : Status::open;
}

// --- names: "17", "17.3" for its modifications, "17c4" for cancels; in a life that has a number to the base of 36, with
// the life's in front: "k2z:1a", "k2z:1a.3", "k2z:1a-4"

std::string_view FixClient::text_of(const Name& name, NameText& text) const {
  char* end = text.data();
  char* const limit = text.data() + text.size();
  const Said said = is_of_earlier_life(name.id) ? earlier_[name.id.value & ~earlier_ids] : Said{options_.life, name.id};
  const int base = said.life == 0 ? 10 : 36;
  if (said.life != 0) {
    end = std::to_chars(end, limit, said.life, base).ptr;
    *end++ = ':';
  }
  end = std::to_chars(end, limit, said.id.value, base).ptr;
  if (name.number != 0) {
    *end++ = !name.is_cancel ? '.' : base == 10 ? 'c' : '-';
    end = std::to_chars(end, limit, name.number, base).ptr;
  }
  return {text.data(), static_cast<std::size_t>(end - text.data())};
}

std::optional<FixClient::Name> FixClient::name_of(std::string_view client_id) {
  Name name;
  Said said;
  const char* begin = client_id.data();
  const char* const end = client_id.data() + client_id.size();
  if (const std::size_t colon = client_id.find(':'); colon != std::string_view::npos) {
    const auto [behind, error] = std::from_chars(begin, begin + colon, said.life, 36);
    if (error != std::errc() || behind != begin + colon || said.life == 0) return std::nullopt;
    begin += colon + 1;
  }
  const int base = said.life == 0 ? 10 : 36;
  const auto [behind, error] = std::from_chars(begin, end, said.id.value, base);
  if (error != std::errc()) return std::nullopt;
  if (behind != end) {
    name.is_cancel = *behind == (base == 10 ? 'c' : '-');
    if (!name.is_cancel && *behind != '.') return std::nullopt;
    const auto number = std::from_chars(behind + 1, end, name.number, base);
    if (number.ec != std::errc() || number.ptr != end) return std::nullopt;
  }
  name.id = id_of(said);
  return name;
}

OrderId FixClient::id_of(const Said& said) {
  if (said.life == options_.life) return said.id;
  const auto [found, is_new] = place_of_.try_emplace(said, earlier_.size());
  if (is_new) earlier_.push_back(said);
  return {earlier_ids | found->second};
}

// --- prices

fix::Decimal FixClient::decimal(Price price, SymbolId symbol) const {
  const std::int64_t scale = symbols_[symbol].instrument.price_scale;
  return {scale == 10'000 ? price.units : price.units / scale * 10'000 + price.units % scale * 10'000 / scale};
}
Price FixClient::price_of(fix::Decimal decimal, SymbolId symbol) const {
  const std::int64_t scale = symbols_[symbol].instrument.price_scale;
  return {scale == 10'000 ? decimal.units : decimal.units / 10'000 * scale + decimal.units % 10'000 * scale / 10'000};
}

// --- commands

bool FixClient::send(const NewOrder& command, const FixTime& time) {
  if (!symbols_.contains(command.symbol) || is_of_earlier_life(command.id)) return false;
  const Placed placed{.total = command.quantity,
                      .symbol = command.symbol,
                      .side = command.side,
                      .type = command.type,
                      .time_in_force = command.time_in_force};
  if (!orders_.insert(command.id, placed)) return false;
  NameText text;
  const bool is_limit = command.type == OrderType::limit;
  const fix::NewOrderSingle order{
      .client_order_id = text_of({command.id}, text),
      .instructions = command.post_only == PostOnly::yes ? "6" : "",
      .handling = '1',
      .quantity = fix::Shares(command.quantity.lots),
      .order_type = is_limit ? '2' : '1',
      .price = is_limit ? std::optional(decimal(command.price, command.symbol)) : std::nullopt,
      .side = letter(command.side),
      .symbol = outcry::name_of(symbols_[command.symbol].instrument),
      .time_in_force = letter(command.time_in_force),
      .transacted = {time.utc_ns}};
  if (session_->send(order, *out_, time)) return true;
  orders_.erase(command.id);
  return false;
}

bool FixClient::send_cancel(OrderId id, Placed& placed, std::uint32_t number, const FixTime& time) {
  NameText text, original;
  return session_->send(fix::OrderCancelRequest{.client_order_id = text_of({id, ++number_, true}, text),
                                                .quantity = fix::Shares(placed.total.lots),
                                                .original_client_order_id = text_of({id, number}, original),
                                                .side = letter(placed.side),
                                                .symbol = outcry::name_of(symbols_[placed.symbol].instrument),
                                                .transacted = {time.utc_ns}},
                        *out_, time);
}

bool FixClient::send(const CancelOrder& command, const FixTime& time) {
  Placed* placed = orders_.find(command.id);
  if (placed == nullptr) return false;
  placed->cancels = 1;
  return send_cancel(command.id, *placed, placed->newest, time);
}

bool FixClient::send_change(OrderId id, Placed& placed, OrderId new_id, Price price, Quantity open,
                            const FixTime& time) {
  NameText text, original;
  const bool same = id == new_id;
  const std::uint32_t number = same ? ++number_ : 0;
  const Quantity total = placed.executed + open;
  const bool sent =
      session_->send(fix::OrderCancelReplaceRequest{.client_order_id = text_of({new_id, number}, text),
                                                    .handling = '1',
                                                    .quantity = fix::Shares(total.lots),
                                                    .order_type = '2',
                                                    .original_client_order_id = text_of({id, placed.newest}, original),
                                                    .price = decimal(price, placed.symbol),
                                                    .side = letter(placed.side),
                                                    .symbol = outcry::name_of(symbols_[placed.symbol].instrument),
                                                    .time_in_force = letter(placed.time_in_force),
                                                    .transacted = {time.utc_ns}},
                     *out_, time);
  if (sent && same) placed.newest = number;
  return sent;
}

bool FixClient::send(const ModifyOrder& command, const FixTime& time) {
  Placed* placed = orders_.find(command.id);
  return placed != nullptr && send_change(command.id, *placed, command.id, command.price, command.quantity, time);
}

bool FixClient::send(const ReplaceOrder& command, const FixTime& time) {
  Placed* old = orders_.find(command.id);
  if (old == nullptr || orders_.full() || is_of_earlier_life(command.new_id)) return false;
  Placed placed = *old;
  placed.total = old->executed + command.quantity;
  placed.accepted = placed.newest = 0;
  placed.cancels = 0;
  if (!orders_.insert(command.new_id, placed)) return false;
  if (send_change(command.id, *orders_.find(command.id), command.new_id, command.price, command.quantity, time))
    return true;
  orders_.erase(command.new_id);
  return false;
}

bool FixClient::send(const MassCancel& command, const FixTime& time) {
  if (!symbols_.contains(command.symbol)) return false;
  NameText text;
  const bool both = command.buys != 0 && command.sells != 0;
  return session_->send(
      fix::OrderMassCancelRequest{.client_order_id = text_of({OrderId{0}, ++number_, true}, text),
                                  .side = both ? '\0' : letter(command.buys != 0 ? Side::buy : Side::sell),
                                  .symbol = outcry::name_of(symbols_[command.symbol].instrument),
                                  .transacted = {time.utc_ns},
                                  .request_type = '1'},
      *out_, time);
}

// --- reports

FixClient::Heard FixClient::hear(const fix::Message& message, const FixTime& time) {
  if (message.type() == fix::ExecutionReport::type) return hear_report(message);
  if (message.type() == fix::OrderCancelReject::type) return hear_refusal(message, time);
  if (message.type() == fix::BusinessReject::type) return hear_business_reject(message);
  if (message.type() != fix::OrderMassCancelReport::type) ++not_understood_;
  return {};
}

FixClient::Heard FixClient::hear_report(const fix::Message& message) {
  fix::ExecutionReport report;
  const bool is_whole = !fix::read(message, options_.session.version, report);
  const bool has_original = !report.original_client_order_id.empty();
  const std::optional<Name> name = name_of(report.client_order_id);
  const std::optional<Name> original = has_original ? name_of(report.original_client_order_id) : name;
  const std::optional<SymbolId> symbol = symbols_.find(report.symbol);
  if (!is_whole || !name || !original) {
    ++not_understood_;
    return {};
  }
  if (report.transaction == '3') return {};  // an answer about the status, in 4.2
  Placed* placed = orders_.find(original->id);
  Heard heard{.id = original->id,
              .new_id = name->id,
              .quantity = quantity(report.quantity.value_or(0)),
              .open = quantity(report.leaves_quantity),
              .symbol = symbol.value_or(placed != nullptr ? placed->symbol : SymbolId{}),
              .side = report.side == '1' ? Side::buy : Side::sell,
              .type = report.order_type == '1' ? OrderType::market : OrderType::limit};
  if (report.price && symbol) heard.price = price_of(*report.price, *symbol);
  // Of an order of an earlier life all that is known is what the venue says.
  const bool is_open =
      report.leaves_quantity != 0 && std::string_view("01FD5").find(report.execution) != std::string_view::npos;
  if (placed == nullptr && is_open && symbol && is_of_earlier_life(original->id))
    placed = remember(original->id, report, *symbol, original->number);
  if (placed != nullptr) heard.time_in_force = placed->time_in_force;
  switch (report.execution) {
    case '0': heard.what = What::accepted; break;
    case '8':
      heard.what = What::rejected;
      heard.new_id = {};
      heard.command = CommandKind::new_order;
      heard.reason = reason_of(report.reject_reason);
      orders_.erase(heard.id);
      break;
    case '1':
    case '2':
    case 'F': {
      if (!report.last_price || !report.last_quantity || !symbol) return {};
      heard.what = What::filled;
      heard.price = price_of(*report.last_price, *symbol);
      heard.quantity = quantity(*report.last_quantity);
      if (placed != nullptr) placed->executed = quantity(report.cumulative_quantity);
      if (report.status == '2') orders_.erase(heard.id);
      break;
    }
    case '4':
    case 'C':
    case '3':
      heard.what = What::cancelled;
      heard.new_id = {};
      heard.quantity =
          quantity(report.quantity.value_or(0) - std::min(report.quantity.value_or(0), report.cumulative_quantity));
      heard.reason = name->is_cancel           ? Reason::requested
                     : report.execution == '4' ? Reason::mass_cancelled
                                               : Reason::expired;
      orders_.erase(heard.id);
      break;
    case '5':
      heard.what = name->id == original->id ? What::modified : What::replaced;
      heard.quantity = heard.open;
      if (What::replaced == heard.what) {
        orders_.erase(original->id);
        placed = orders_.find(name->id);
        if (placed == nullptr && symbol && is_of_earlier_life(name->id))
          placed = remember(name->id, report, *symbol, name->number);
      }
      if (placed != nullptr) {
        placed->accepted = name->number;
        placed->total = quantity(report.quantity.value_or(0));
        placed->executed = quantity(report.cumulative_quantity);
      }
      break;
    case 'D':
      heard.what = What::reduced;
      if (placed == nullptr) break;
      heard.quantity = {placed->total.lots - std::min(placed->total.lots, heard.quantity.lots)};
      placed->total = quantity(report.quantity.value_or(0));
      break;
    default: return {};
  }
  return heard;
}

FixClient::Placed* FixClient::remember(OrderId id, const fix::ExecutionReport& report, SymbolId symbol,
                                       std::uint32_t number) {
  const Placed placed{.total = quantity(report.quantity.value_or(0)),
                      .executed = quantity(report.cumulative_quantity),
                      .symbol = symbol,
                      .accepted = number,
                      .newest = number,
                      .side = report.side == '1' ? Side::buy : Side::sell,
                      .type = report.order_type == '1' ? OrderType::market : OrderType::limit};
  return orders_.insert(id, placed) ? orders_.find(id) : nullptr;
}

FixClient::Heard FixClient::hear_refusal(const fix::Message& message, const FixTime& time) {
  fix::OrderCancelReject refusal;
  const bool is_whole = !fix::read(message, options_.session.version, refusal);
  const std::optional<Name> name = name_of(refusal.client_order_id);
  const std::optional<Name> original = name_of(refusal.original_client_order_id);
  if (!is_whole || !name || !original) {
    ++not_understood_;
    return {};
  }
  Placed* placed = orders_.find(original->id);
  Heard heard{.what = What::rejected, .id = original->id, .reason = Reason::unknown_order};
  if (placed != nullptr) heard.symbol = placed->symbol, heard.side = placed->side;
  if (refusal.response_to == '1') {
    heard.command = CommandKind::cancel;
    // The name that the cancel was sent for never came to be, or is not any more: by the one that is.
    if (placed != nullptr && placed->cancels == 1 && placed->accepted != original->number) {
      placed->cancels = 2;
      if (send_cancel(original->id, *placed, placed->accepted, time)) return {};
    }
    if (placed != nullptr) placed->cancels = 0;
    return heard;
  }
  heard.command = name->id == original->id ? CommandKind::modify : CommandKind::replace;
  if (heard.command == CommandKind::replace) {
    heard.new_id = name->id;
    orders_.erase(name->id);
  } else if (placed != nullptr && placed->newest == name->number) {
    placed->newest = placed->accepted;
  }
  return heard;
}

FixClient::Heard FixClient::hear_business_reject(const fix::Message& message) {
  fix::BusinessReject refusal;
  const bool is_whole = !fix::read(message, options_.session.version, refusal);
  const std::optional<Name> name = name_of(refusal.reference);
  if (!is_whole || !name || refusal.message_type != fix::NewOrderSingle::type) {
    ++not_understood_;
    return {};
  }
  orders_.erase(name->id);
  return {.what = What::rejected, .id = name->id, .command = CommandKind::new_order, .reason = Reason::unsupported};
}

}  // namespace outcry
