#include <outcry/actors/ouch50_desk.hpp>

#include <algorithm>
#include <optional>

#include <outcry/book/order_terms.hpp>
#include <outcry/net/ouch50_checks.hpp>

namespace outcry {

using ouch50::RejectReason;
using ouch50::Tag;

namespace {

const char* text_of(ouch50::Fault fault) {
  switch (fault) {
    case ouch50::Fault::empty: return "an empty message";
    case ouch50::Fault::unknown_type: return "a message of a type that OUCH 5.0 has not";
    case ouch50::Fault::wrong_size: return "a message of another size than its type has";
    case ouch50::Fault::wrong_options: return "options that do not fit their message";
    default: return nullptr;
  }
}

template <Tag T>
auto value_or(const ouch50::Appendage& options, std::uint32_t otherwise) {
  const auto value = options.get<T>();
  return value ? static_cast<std::uint32_t>(*value) : otherwise;
}

template <Tag T>
char letter_or(const ouch50::Appendage& options, char otherwise) {
  const auto value = options.get<T>();
  return value ? *value : otherwise;
}

// What this venue does not do.
RejectReason refusal_of(const ouch50::Appendage& options) {
  if (options.empty()) [[likely]]
    return RejectReason::none;
  if (options.has<Tag::discretion_price>() || options.has<Tag::discretion_price_type>() ||
      options.has<Tag::discretion_peg_offset>() || options.has<Tag::handling>() || options.has<Tag::aiq_strategy>() ||
      options.has<Tag::aiq_group>())
    return RejectReason::other;
  if (value_or<Tag::random_reserves>(options, 0) != 0) return RejectReason::invalid_maximum_floor;
  if (const auto route = options.get<Tag::route>(); route && !route->text().empty())
    return RejectReason::routing_not_allowed;
  return RejectReason::none;
}

SpecialType type_of(char price_type) {
  return price_type == 'P'   ? SpecialType::market_peg
         : price_type == 'R' ? SpecialType::primary_peg
                             : SpecialType::midpoint_peg;
}

}  // namespace

Ouch50Desk::Ouch50Desk(const OuchDeskOptions& options, const SymbolDirectory& symbols, OrderRoute& route,
                       PortStream& stream)
    : OuchConversation(options, symbols, route, stream), orders_(options.most_orders), lines_(options.most_orders) {}

template <class Message>
void Ouch50Desk::put(const Message& message, const ouch50::OptionList& options) noexcept {
  std::array<std::byte, ouch50::largest_message> bytes;
  const std::size_t size = ouch50::encode(message, bytes, options);
  stream_.append(std::span(bytes).first(size));
}

// ---- what the client says

const char* Ouch50Desk::take(std::span<const std::byte> message) noexcept {
  const auto decoded = ouch50::decode_inbound(message);
  if (!decoded) return text_of(decoded.fault);
  decoded.message.visit([&](const auto& inbound) { take(inbound, decoded.appendage); });
  return nullptr;
}

OrderHandle Ouch50Desk::find(std::uint32_t user_ref) const noexcept {
  const OrderHandle* const found = orders_.find(user_ref);
  return found == nullptr ? OrderHandle{} : *found;
}

bool Ouch50Desk::use(std::uint32_t user_ref) noexcept {
  if (user_ref <= last_) {
    ++ignored_;
    return false;
  }
  last_ = user_ref;
  return true;
}

void Ouch50Desk::take(const ouch50::EnterOrder& message, const ouch50::Appendage& options) noexcept {
  const std::uint32_t user_ref = message.user_ref;
  const bool in_time = within_rate();
  const std::uint32_t previous_last = last_;
  if (!use(user_ref)) return;
  const auto refuse = [&](RejectReason why) { reject(user_ref, why, message.client_order_id); };

  if (!in_time) return refuse(RejectReason::risk_port_rate);
  if (const RejectReason why = ouch50::check(message, options); why != RejectReason::none) return refuse(why);
  const auto firm = options.get<Tag::firm>();
  const auto entered =
      enter(message, firm ? firm->text() : std::string_view{}, message.symbol.text(),
            letter_or<Tag::shares_located>(options, 'N') == 'Y', [&](SymbolId symbol, Side side, OrderChange& terms) {
              return read_terms(message, options, symbol, side, terms);
            });
  if (entered.outcome == Outcome::rejected) return refuse(entered.code);

  orders_.insert(user_ref, entered.order);
  const auto index = options.get<Tag::user_ref_index>();
  line(entered.order) = {.user_ref = user_ref,
                         .previous_last = previous_last,
                         .price = message.price,
                         .side = message.side,
                         .time_in_force = message.time_in_force,
                         .display = message.display,
                         .capacity = message.capacity,
                         .intermarket_sweep = message.intermarket_sweep,
                         .cross = message.cross,
                         .client_order_id = message.client_order_id,
                         .firm_index = entered.firm,
                         .names_firm = firm.has_value(),
                         .has_index = index.has_value(),
                         .trades_now = letter_or<Tag::trade_now>(options, 'N') == 'Y',
                         .index = index ? *index : std::uint8_t{0},
                         .group = static_cast<std::uint16_t>(value_or<Tag::group>(options, 0))};
}

void Ouch50Desk::take(const ouch50::ReplaceOrder& message, const ouch50::Appendage& options) noexcept {
  const std::uint32_t user_ref = message.user_ref;
  const bool in_time = within_rate();
  const OrderHandle original = find(message.original_user_ref);
  if (!original || user_ref <= last_) return static_cast<void>(++ignored_);
  const auto refuse = [&](RejectReason why) {
    last_ = user_ref;
    reject(user_ref, why, message.client_order_id);
  };
  if (!in_time) return refuse(RejectReason::risk_port_rate);

  const OrderTicket old = entry_.order(original).ticket;
  const Line before = line(original);
  const OrderChange unchanged{.type = old.type, .terms = old.terms, .trigger = old.trigger, .part = old.part};
  const auto taken = replace(original, message, unchanged, [&](OrderChange& change) {
    return ouch50::check(message, options) == RejectReason::none &&
           read_terms(message, options, old.symbol, old.side, change) == RejectReason::none;
  });
  switch (taken.outcome) {
    case Outcome::under_way: break;
    case Outcome::rejected: return refuse(taken.code);
    case Outcome::ignored: return static_cast<void>(++ignored_);
    // The number stays free, and nothing but the end of the original tells that it was not to be.
    case Outcome::invalid: return static_cast<void>(entry_.cancel(original, CancelCause::replacement));
  }
  orders_.insert(user_ref, taken.order);
  Line& after = line(taken.order);
  after = before;
  after.user_ref = user_ref;
  after.previous_last = last_;
  after.price = message.price;
  after.time_in_force = message.time_in_force;
  after.display = message.display;
  after.intermarket_sweep = message.intermarket_sweep;
  after.client_order_id = message.client_order_id;
  after.modifies = false;
  last_ = user_ref;
}

/// What is not named of a replacement's options stays as `change` has it.
template <class Message>
RejectReason Ouch50Desk::read_terms(const Message& message, const ouch50::Appendage& options, SymbolId symbol,
                                    Side side, OrderChange& change) const noexcept {
  if (const RejectReason why = refusal_of(options); why != RejectReason::none) return why;
  change.total = {message.quantity};
  change.expires_s = 0;
  switch (message.time_in_force) {
    case ouch50::TimeInForce::day:
    case ouch50::TimeInForce::extended_hours: change.time_in_force = TimeInForce::day; break;
    case ouch50::TimeInForce::immediate_or_cancel: change.time_in_force = TimeInForce::immediate_or_cancel; break;
    case ouch50::TimeInForce::until_time: {
      const std::int64_t seconds = value_or<Tag::expire_time>(options, 0);
      const auto expires_s = expiry(options_.midnight_ns + seconds * second_ns);
      if (!expires_s) return RejectReason::other;
      change.time_in_force = TimeInForce::good_till_time;
      change.expires_s = *expires_s;
      break;
    }
    default: return RejectReason::other;
  }

  const bool was_peg = is_peg(change.type);
  const auto price_type = options.get<Tag::price_type>();
  if (price_type ? *price_type != 'L' : was_peg)
    return read_peg(message, options, symbol, side, price_type ? *price_type : '\0', change);
  change.trigger = 0;
  if (ouch50::is_market(message.price)) {
    change.type = SpecialType::market;
    change.price = {};
  } else {
    const auto units = units_of(static_cast<std::int64_t>(message.price.value()), symbol);
    if (!units) return RejectReason::invalid_price;
    change.type = SpecialType::limit;
    change.price = {*units};
  }

  // Terms of what rests mean nothing to what does not.
  const bool rests = change.type == SpecialType::limit && change.time_in_force != TimeInForce::immediate_or_cancel;
  const bool hidden = rests && message.display == ouch50::Display::hidden;
  const bool post_only = letter_or<Tag::post_only>(options, has(change.terms, Terms::post_only) ? 'P' : 'N') == 'P';
  if (post_only && !rests) return RejectReason::other;
  const std::uint32_t minimum = value_or<Tag::minimum_quantity>(options, 0);
  std::uint32_t floor = has(change.terms, Terms::reserve) ? change.part.lots : 0;
  floor = value_or<Tag::maximum_floor>(options, value_or<Tag::display_quantity>(options, floor));
  const bool reserve = rests && floor != 0 && floor < change.total.lots;
  if (minimum != 0 && (reserve || post_only)) return RejectReason::invalid_minimum_quantity;
  if (reserve && hidden) return RejectReason::invalid_display;
  change.terms = (hidden ? Terms::hidden : Terms::none) | (post_only ? Terms::post_only : Terms::none) |
                 (minimum != 0 ? Terms::minimum : Terms::none) | (reserve ? Terms::reserve : Terms::none);
  change.part = {reserve ? floor : minimum};
  return RejectReason::none;
}

template <class Message>
RejectReason Ouch50Desk::read_peg(const Message& message, const ouch50::Appendage& options, SymbolId symbol, Side side,
                                  char price_type, OrderChange& change) const noexcept {
  if (price_type == 'Q') return RejectReason::invalid_peg_type;  // there is no market maker to be pegged to
  if (price_type != '\0') change.type = type_of(price_type);
  if (change.time_in_force == TimeInForce::immediate_or_cancel) return RejectReason::pegging_not_allowed;
  if (value_or<Tag::minimum_quantity>(options, 0) != 0) return RejectReason::invalid_minimum_quantity;
  if (value_or<Tag::maximum_floor>(options, 0) != 0) return RejectReason::invalid_maximum_floor;
  if (letter_or<Tag::post_only>(options, 'N') == 'P') return RejectReason::other;
  if (message.price == 0 || ouch50::is_market(message.price)) {
    change.price = worst(side, symbol);
  } else {
    const auto units = units_of(static_cast<std::int64_t>(message.price.value()), symbol);
    if (!units) return RejectReason::invalid_price;
    change.price = {*units};
  }
  if (const auto offset = options.get<Tag::peg_offset>()) {
    const auto units = units_of(static_cast<std::int32_t>(*offset), symbol);
    if (!units || *units % instrument(symbol).tick != 0) return RejectReason::pegging_not_allowed;
    change.trigger = *units;
  } else if (price_type != '\0') {
    change.trigger = 0;
  }
  change.terms = Terms::none;
  change.part = {};
  return RejectReason::none;
}

RejectReason Ouch50Desk::code_of(RiskReason reason) { return ouch50_code(reason); }

RejectReason Ouch50Desk::missing_rules(const OrderTicket& ticket) {
  if (is_peg(ticket.type)) return RejectReason::pegging_not_allowed;
  if (ticket.time_in_force == TimeInForce::good_for_auction) return RejectReason::invalid_cross;
  if (has(ticket.terms, Terms::hidden)) return RejectReason::invalid_display;
  if (has(ticket.terms, Terms::reserve)) return RejectReason::invalid_maximum_floor;
  if (has(ticket.terms, Terms::minimum)) return RejectReason::invalid_minimum_quantity;
  return RejectReason::other;
}

RejectReason Ouch50Desk::code_of(Reason reason, const OrderTicket& ticket) {
  switch (reason) {
    case Reason::unknown_symbol: return RejectReason::invalid_symbol;
    case Reason::zero_quantity:
    case Reason::quantity_too_large:
    case Reason::off_lot: return RejectReason::invalid_quantity;
    case Reason::price_out_of_range:
    case Reason::off_tick: return RejectReason::invalid_price;
    case Reason::outside_band: return RejectReason::fat_finger;
    case Reason::market_closed: return RejectReason::halted;
    case Reason::in_auction:
    case Reason::no_auction: return RejectReason::invalid_cross;
    case Reason::pool_exhausted:
    case Reason::mailbox_full:
    case Reason::duplicate_id: return RejectReason::processing_error;
    case Reason::invalid_combination:
      if (has(ticket.terms, Terms::reserve)) return RejectReason::invalid_maximum_floor;
      if (has(ticket.terms, Terms::minimum)) return RejectReason::invalid_minimum_quantity;
      if (is_peg(ticket.type)) return RejectReason::pegging_not_allowed;
      return RejectReason::other;
    default: return RejectReason::other;
  }
}

void Ouch50Desk::take(const ouch50::CancelOrder& message, const ouch50::Appendage&) noexcept {
  within_rate();
  cancel(find(message.user_ref), message.quantity);
}

void Ouch50Desk::take(const ouch50::ModifyOrder& message, const ouch50::Appendage&) noexcept {
  within_rate();
  modify(find(message.user_ref), message.side, message.quantity);
}

void Ouch50Desk::take(const ouch50::AccountQuery&, const ouch50::Appendage&) noexcept {
  within_rate();
  put(ouch50::AccountAnswer{.timestamp = stamp(), .next_user_ref = next_user_ref()});
}

void Ouch50Desk::take(const ouch50::MassCancel& message, const ouch50::Appendage& options) noexcept {
  within_rate();
  const std::uint32_t user_ref = message.user_ref;
  if (!use(user_ref)) return;
  const std::string_view firm = message.firm.text();
  if (!firm_index(firm)) return reject(user_ref, RejectReason::firm_not_authorized);
  std::optional<SymbolId> symbol;
  if (!message.symbol.text().empty()) {
    symbol = entry_.symbols().find(message.symbol.text());
    if (!symbol) return reject(user_ref, RejectReason::invalid_symbol);
  }
  const char letter = letter_or<Tag::side>(options, ' ');
  if (!ouch::one_of(letter, " BSTE")) return reject(user_ref, RejectReason::invalid_side);
  std::optional<Side> side;
  if (letter != ' ') side = letter == 'B' ? Side::buy : Side::sell;

  ouch50::OptionList echoed;
  if (const auto index = options.get<Tag::user_ref_index>()) echoed.add<Tag::user_ref_index>(*index);
  put(
      ouch50::MassCancelAnswer{
          .timestamp = stamp(), .user_ref = user_ref, .firm = message.firm, .symbol = message.symbol},
      echoed);
  const auto group = options.get<Tag::group>();
  if (!group && (firm.empty() || options_.firms.size() <= 1))
    return entry_.mass_cancel(symbol, side, CancelCause::client);
  // Symbols know accounts, not firms and groups.
  entry_.each_open([&](OrderHandle order, const EnteredOrder& entered) {
    const Line& said = line(order);
    if ((symbol && entered.ticket.symbol != *symbol) || (side && entered.ticket.side != *side)) return;
    if (!firm.empty() && said.firm_index != *firm_index(firm)) return;
    if (group && said.group != group->value()) return;
    static_cast<void>(entry_.cancel(order));
  });
}

bool Ouch50Desk::set_disabled(std::uint32_t user_ref, std::string_view firm, bool disabled) noexcept {
  within_rate();
  if (!use(user_ref)) return false;
  if (!firm_index(firm)) {
    reject(user_ref, RejectReason::firm_not_authorized);
    return false;
  }
  disable(firm, disabled);
  return true;
}

void Ouch50Desk::take(const ouch50::DisableOrderEntry& message, const ouch50::Appendage&) noexcept {
  if (set_disabled(message.user_ref, message.firm.text(), true))
    put(ouch50::DisableAnswer{.timestamp = stamp(), .user_ref = message.user_ref, .firm = message.firm});
}

void Ouch50Desk::take(const ouch50::EnableOrderEntry& message, const ouch50::Appendage&) noexcept {
  if (set_disabled(message.user_ref, message.firm.text(), false))
    put(ouch50::EnableAnswer{.timestamp = stamp(), .user_ref = message.user_ref, .firm = message.firm});
}

// ---- what the client is told

void Ouch50Desk::reject(std::uint32_t user_ref, RejectReason why, const Alpha<14>& client_order_id) noexcept {
  ++rejected_;
  put(ouch50::Rejected{.timestamp = stamp(),
                       .user_ref = user_ref,
                       .reason = static_cast<std::uint16_t>(why),
                       .client_order_id = client_order_id});
}

void Ouch50Desk::reject_order(OrderHandle order, RejectReason why) noexcept {
  reject(line(order).user_ref, why, line(order).client_order_id);
}

void Ouch50Desk::start_of_day() noexcept {
  last_ = 0;
  orders_.clear();
  put(ouch50::SystemEvent{.timestamp = stamp(), .event = ouch::SystemCode::start_of_day});
}

void Ouch50Desk::end_of_day() noexcept {
  put(ouch50::SystemEvent{.timestamp = stamp(), .event = ouch::SystemCode::end_of_day});
}

void Ouch50Desk::forget(OrderHandle order) noexcept { orders_.erase(line(order).user_ref); }

void Ouch50Desk::free_key(OrderHandle order) noexcept {
  const Line& said = line(order);
  if (last_ == said.user_ref) last_ = said.previous_last;  // else it is behind others that were used
  forget(order);
}

ouch50::OptionList Ouch50Desk::options_of(OrderHandle order, bool all) noexcept {
  ouch50::OptionList options;
  const Line& said = line(order);
  if (said.has_index) options.add<Tag::user_ref_index>(ouch50::Small{said.index});
  if (!all) return options;
  const OrderTicket& ticket = entry_.order(order).ticket;
  if (said.names_firm) options.add<Tag::firm>(options_.firms[said.firm_index]);
  if (has(ticket.terms, Terms::minimum)) options.add<Tag::minimum_quantity>(ticket.part.lots);
  if (has(ticket.terms, Terms::reserve)) options.add<Tag::maximum_floor>(ticket.part.lots);
  if (has(ticket.terms, Terms::post_only)) options.add<Tag::post_only>('P');
  if (said.trades_now) options.add<Tag::trade_now>('Y');
  if (is_peg(ticket.type)) {
    options.add<Tag::price_type>(ticket.type == SpecialType::market_peg    ? 'P'
                                 : ticket.type == SpecialType::primary_peg ? 'R'
                                                                           : 'M');
    if (ticket.trigger != 0)
      options.add<Tag::peg_offset>(
          static_cast<std::int32_t>(static_cast<std::int64_t>(price_of({ticket.trigger}, ticket.symbol))));
  }
  if (ticket.time_in_force == TimeInForce::good_till_time) {
    const std::int64_t since = std::int64_t{ticket.expires_s} - options_.midnight_ns / second_ns;
    options.add<Tag::expire_time>(static_cast<std::uint32_t>(since));
  }
  return options;
}

template <class Message>
Message Ouch50Desk::describe(OrderHandle order, std::uint32_t quantity) noexcept {
  const Line& said = line(order);
  const EnteredOrder& entered = entry_.order(order);
  Message message{};
  message.timestamp = stamp();
  message.user_ref = said.user_ref;
  message.side = said.side;
  message.quantity = quantity;
  message.symbol = name_of(instrument(entered.ticket.symbol));
  message.price = said.price;
  message.time_in_force = said.time_in_force;
  message.display = said.display;
  message.order = entered.id.value;
  message.capacity = said.capacity;
  message.intermarket_sweep = said.intermarket_sweep;
  message.cross = said.cross;
  message.client_order_id = said.client_order_id;
  return message;
}

void Ouch50Desk::put_accepted(OrderHandle order, ouch::OrderState state) noexcept {
  auto accepted = describe<ouch50::Accepted>(order, entry_.order(order).ticket.quantity.lots);
  accepted.state = state;
  put(accepted, options_of(order, true));
}

void Ouch50Desk::put_replaced(const OrderNews& news) noexcept {
  auto replaced = describe<ouch50::Replaced>(news.order, news.quantity.lots);
  replaced.original_user_ref = line(news.before).user_ref;
  put(replaced, options_of(news.order, true));
}

void Ouch50Desk::put_cancelled(OrderHandle order, std::uint32_t decrement, ouch::CancelReason reason) noexcept {
  put(
      ouch50::Canceled{
          .timestamp = stamp(), .user_ref = line(order).user_ref, .decrement = decrement, .reason = reason},
      options_of(order, false));
}

void Ouch50Desk::put_prevented(const OrderNews& news) noexcept {
  const OrderTicket& ticket = entry_.order(news.order).ticket;
  put(ouch50::AiqCanceled{.timestamp = stamp(),
                          .user_ref = line(news.order).user_ref,
                          .decrement = news.quantity.lots,
                          .prevented = news.quantity.lots,
                          .execution_price = price_of(news.price, ticket.symbol),
                          .liquidity = letter_of(ticket, true),
                          .strategy = ' '},
      options_of(news.order, false));
}

void Ouch50Desk::put_filled(const OrderNews& news) noexcept {
  const OrderTicket& ticket = entry_.order(news.order).ticket;
  put(ouch50::Executed{.timestamp = stamp(),
                       .user_ref = line(news.order).user_ref,
                       .quantity = news.quantity.lots,
                       .price = price_of(news.price, ticket.symbol),
                       .liquidity = letter_of(ticket, news.maker),
                       .match = news.match},
      options_of(news.order, false));
}

void Ouch50Desk::put_pending(OrderHandle order) noexcept {
  put(ouch50::CancelPending{.timestamp = stamp(), .user_ref = line(order).user_ref}, options_of(order, false));
}

void Ouch50Desk::put_broken(const Ouch50Key& key, std::uint64_t match, ouch::BrokenReason reason) noexcept {
  put(ouch50::BrokenTrade{.timestamp = stamp(),
                          .user_ref = key.user_ref,
                          .match = match,
                          .reason = reason,
                          .client_order_id = key.client_order_id});
}

void Ouch50Desk::put_modified(OrderHandle order) noexcept {
  const Line& said = line(order);
  put(ouch50::Modified{.timestamp = stamp(),
                       .user_ref = said.user_ref,
                       .side = said.side,
                       .quantity = entry_.order(order).open.lots},
      options_of(order, false));
}

void Ouch50Desk::put_restated(const OrderNews& news) noexcept {
  const bool refreshed = news.kind == OrderNews::Kind::refreshed;
  ouch50::OptionList options = options_of(news.order, false);
  if (refreshed)
    options.add<Tag::display_quantity>(news.quantity.lots);
  else
    options.add<Tag::display_price>(price_of(news.price, entry_.order(news.order).ticket.symbol));
  put(ouch50::Restated{.timestamp = stamp(),
                       .user_ref = line(news.order).user_ref,
                       .reason = refreshed ? ouch50::RestatedReason::refreshed : ouch50::RestatedReason::display_price},
      options);
}

}  // namespace outcry
