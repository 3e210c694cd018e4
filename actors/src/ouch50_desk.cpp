#include <outcry/actors/ouch50_desk.hpp>

#include <algorithm>
#include <optional>
#include <utility>

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
      options.has<Tag::aiq_group>() || letter_or<Tag::trade_now>(options, 'N') == 'Y')
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
    : OuchDesk(options, symbols, route), stream_(stream), orders_(options.most_orders), lines_(options.most_orders) {}

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

void Ouch50Desk::take(const ouch50::EnterOrder& message, const ouch50::Appendage& options) noexcept {
  const std::uint32_t user_ref = message.user_ref;
  const bool in_time = within_rate();
  if (user_ref <= last_) return static_cast<void>(++ignored_);
  const std::uint32_t previous_last = last_;
  last_ = user_ref;
  const auto refuse = [&](RejectReason why) { reject(user_ref, why, message.client_order_id); };

  if (!in_time) return refuse(RejectReason::risk_port_rate);
  if (const RejectReason why = ouch50::check(message, options); why != RejectReason::none) return refuse(why);
  const auto named = options.get<Tag::firm>();
  const std::optional<std::uint8_t> firm = firm_index(named ? named->text() : std::string_view{});
  if (!firm || is_disabled(*firm)) return refuse(RejectReason::firm_not_authorized);
  const std::optional<SymbolId> symbol = entry_.symbols().find(message.symbol.text());
  if (!symbol) return refuse(RejectReason::invalid_symbol);
  if (message.intermarket_sweep == ouch::YesNo::yes && !options_.intermarket_sweeps)
    return refuse(RejectReason::iso_not_allowed);
  if (nearly_full()) return refuse(RejectReason::processing_error);

  OrderChange terms;
  const Side side = side_of(message.side);
  if (const RejectReason why = read_terms(message, options, *symbol, side, terms); why != RejectReason::none)
    return refuse(why);
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
                           .trigger = terms.trigger,
                           .quantity = terms.total,
                           .part = terms.part,
                           .expires_s = terms.expires_s,
                           .mark = mark_of(message.side),
                           .located = letter_or<Tag::shares_located>(options, 'N') == 'Y'};
  if (ticket.is_special() && !has_rules(*symbol)) return refuse(missing_rules(ticket));
  const OrderEntry::Answer answer = entry_.enter(ticket);
  if (!answer)
    return refuse(answer.risk != RiskReason::none ? ouch50_code(answer.risk) : code_of(answer.reason, ticket));

  orders_.insert(user_ref, answer.order);
  const auto index = options.get<Tag::user_ref_index>();
  line(answer.order) = {.user_ref = user_ref,
                        .previous_last = previous_last,
                        .price = message.price,
                        .side = message.side,
                        .time_in_force = message.time_in_force,
                        .display = message.display,
                        .capacity = message.capacity,
                        .intermarket_sweep = message.intermarket_sweep,
                        .cross = message.cross,
                        .client_order_id = message.client_order_id,
                        .firm = *firm,
                        .names_firm = named.has_value(),
                        .has_index = index.has_value(),
                        .index = index ? *index : std::uint8_t{0},
                        .group = static_cast<std::uint16_t>(value_or<Tag::group>(options, 0))};
}

void Ouch50Desk::take(const ouch50::ReplaceOrder& message, const ouch50::Appendage& options) noexcept {
  const std::uint32_t user_ref = message.user_ref;
  const bool in_time = within_rate();
  const OrderHandle* const found = orders_.find(message.original_user_ref);
  if (found == nullptr || user_ref <= last_) return static_cast<void>(++ignored_);
  const OrderHandle original = *found;
  const EnteredOrder& old = entry_.order(original);
  const Line before = line(original);
  const auto refuse = [&](RejectReason why) {
    last_ = user_ref;
    reject(user_ref, why, message.client_order_id);
  };
  // The number stays free, and nothing but the end of the original tells that it was not to be.
  const auto is_invalid = [&] { entry_.cancel(original, CancelCause::replacement); };

  if (!in_time) return refuse(RejectReason::risk_port_rate);
  if (is_disabled(before.firm)) return refuse(RejectReason::replace_not_allowed);
  if (nearly_full()) return refuse(RejectReason::processing_error);
  if (ouch50::check(message, options) != RejectReason::none) return is_invalid();
  if (message.intermarket_sweep == ouch::YesNo::yes && !options_.intermarket_sweeps) return is_invalid();
  OrderChange change{.trigger = old.ticket.trigger, .part = old.ticket.part};
  change.type = old.ticket.type;
  change.terms = old.ticket.terms;
  if (read_terms(message, options, old.ticket.symbol, old.ticket.side, change) != RejectReason::none)
    return is_invalid();
  if (old.ticket.time_in_force == TimeInForce::good_for_auction) change.time_in_force = TimeInForce::good_for_auction;

  const OrderEntry::Answer answer = entry_.replace(original, change);
  if (!answer) {
    if (answer.risk != RiskReason::none) return refuse(ouch50_code(answer.risk));
    switch (answer.reason) {
      case Reason::unknown_order: return static_cast<void>(++ignored_);
      case Reason::mailbox_full:
      case Reason::pool_exhausted: return refuse(RejectReason::processing_error);
      case Reason::invalid_combination: return refuse(RejectReason::cancel_pending);
      default: return is_invalid();
    }
  }
  orders_.insert(user_ref, answer.order);
  Line& after = line(answer.order);
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

RejectReason Ouch50Desk::missing_rules(const OrderTicket& ticket) const {
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
  const OrderHandle* const order = orders_.find(message.user_ref);
  const bool done =
      order != nullptr && (message.quantity == 0 ? entry_.cancel(*order) : entry_.reduce(*order, {message.quantity}));
  if (!done) ++ignored_;
}

void Ouch50Desk::take(const ouch50::ModifyOrder& message, const ouch50::Appendage&) noexcept {
  within_rate();
  const OrderHandle* const found = orders_.find(message.user_ref);
  if (found == nullptr) return static_cast<void>(++ignored_);
  const OrderHandle order = *found;
  const EnteredOrder& entered = entry_.order(order);
  Line& said = line(order);
  const std::uint32_t quantity = message.quantity;
  if (!may_become(said.side, message.side) || quantity > entered.wanted.lots || !entered.is_open())
    return static_cast<void>(++ignored_);
  if (quantity < entered.wanted.lots) {
    if (!entry_.reduce(order, {quantity})) return static_cast<void>(++ignored_);
    said.modifies = quantity != 0;
  } else if (said.side == message.side) {
    return static_cast<void>(++ignored_);
  }
  said.side = message.side;
  entry_.mark(order, mark_of(message.side));
  if (!said.modifies)
    put(
        ouch50::Modified{
            .timestamp = stamp(), .user_ref = said.user_ref, .side = said.side, .quantity = entered.open.lots},
        options_of(order, false));
}

void Ouch50Desk::take(const ouch50::AccountQuery&, const ouch50::Appendage&) noexcept {
  within_rate();
  put(ouch50::AccountAnswer{.timestamp = stamp(), .next_user_ref = next_user_ref()});
}

void Ouch50Desk::take(const ouch50::MassCancel& message, const ouch50::Appendage& options) noexcept {
  within_rate();
  const std::uint32_t user_ref = message.user_ref;
  if (user_ref <= last_) return static_cast<void>(++ignored_);
  last_ = user_ref;
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
    if (!firm.empty() && said.firm != *firm_index(firm)) return;
    if (group && said.group != group->value()) return;
    static_cast<void>(entry_.cancel(order));
  });
}

void Ouch50Desk::take(const ouch50::DisableOrderEntry& message, const ouch50::Appendage&) noexcept {
  within_rate();
  const std::uint32_t user_ref = message.user_ref;
  if (user_ref <= last_) return static_cast<void>(++ignored_);
  last_ = user_ref;
  if (!firm_index(message.firm.text())) return reject(user_ref, RejectReason::firm_not_authorized);
  disable(message.firm.text(), true);
  put(ouch50::DisableAnswer{.timestamp = stamp(), .user_ref = user_ref, .firm = message.firm});
}

void Ouch50Desk::take(const ouch50::EnableOrderEntry& message, const ouch50::Appendage&) noexcept {
  within_rate();
  const std::uint32_t user_ref = message.user_ref;
  if (user_ref <= last_) return static_cast<void>(++ignored_);
  last_ = user_ref;
  if (!firm_index(message.firm.text())) return reject(user_ref, RejectReason::firm_not_authorized);
  disable(message.firm.text(), false);
  put(ouch50::EnableAnswer{.timestamp = stamp(), .user_ref = user_ref, .firm = message.firm});
}

// ---- what the client is told

void Ouch50Desk::reject(std::uint32_t user_ref, RejectReason why, const Alpha<14>& client_order_id) noexcept {
  ++rejected_;
  put(ouch50::Rejected{.timestamp = stamp(),
                       .user_ref = user_ref,
                       .reason = static_cast<std::uint16_t>(why),
                       .client_order_id = client_order_id});
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

void Ouch50Desk::give_number_back(OrderHandle order) noexcept {
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
  if (said.names_firm) options.add<Tag::firm>(options_.firms[said.firm]);
  if (has(ticket.terms, Terms::minimum)) options.add<Tag::minimum_quantity>(ticket.part.lots);
  if (has(ticket.terms, Terms::reserve)) options.add<Tag::maximum_floor>(ticket.part.lots);
  if (has(ticket.terms, Terms::post_only)) options.add<Tag::post_only>('P');
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

void Ouch50Desk::flush() noexcept {
  if (!accepting_) return;
  stream_.append(std::span(accepting_bytes_).first(accepting_size_));
  accepting_ = {};
}

void Ouch50Desk::tell_accepted(OrderHandle order) noexcept {
  const Line& said = line(order);
  const EnteredOrder& entered = entry_.order(order);
  accepting_ = order;
  accepting_size_ = ouch50::encode(ouch50::Accepted{.timestamp = stamp(),
                                                    .user_ref = said.user_ref,
                                                    .side = said.side,
                                                    .quantity = entered.ticket.quantity.lots,
                                                    .symbol = name_of(instrument(entered.ticket.symbol)),
                                                    .price = said.price,
                                                    .time_in_force = said.time_in_force,
                                                    .display = said.display,
                                                    .order = entered.id.value,
                                                    .capacity = said.capacity,
                                                    .intermarket_sweep = said.intermarket_sweep,
                                                    .cross = said.cross,
                                                    .client_order_id = said.client_order_id},
                                   accepting_bytes_, options_of(order, true));
}

void Ouch50Desk::cancelled(OrderHandle order, std::uint32_t decrement, ouch::CancelReason reason) noexcept {
  put(
      ouch50::Canceled{
          .timestamp = stamp(), .user_ref = line(order).user_ref, .decrement = decrement, .reason = reason},
      options_of(order, false));
}

void Ouch50Desk::tell(const OrderNews& news) noexcept {
  using Kind = OrderNews::Kind;
  if (!news) return;
  const bool never_traded = news.kind == Kind::cancelled && news.order == accepting_ &&
                            (news.reason == Reason::minimum_quantity || news.reason == Reason::fill_or_kill);
  if (never_traded) {
    reinterpret_cast<ouch50::Accepted*>(accepting_bytes_.data())->state = ouch::OrderState::dead;
    flush();
    return forget(news.order);
  }
  flush();
  switch (news.kind) {
    case Kind::accepted: return tell_accepted(news.order);
    case Kind::refused:
      if (news.reason == Reason::would_trade) {
        const std::uint32_t quantity = entry_.order(news.order).ticket.quantity.lots;
        tell_accepted(news.order);
        flush();
        cancelled(news.order, quantity, ouch::CancelReason::post_only);
      } else {
        const Line& said = line(news.order);
        reject(said.user_ref, code_of(news.reason, entry_.order(news.order).ticket), said.client_order_id);
      }
      return forget(news.order);
    case Kind::filled: {
      const OrderTicket& ticket = entry_.order(news.order).ticket;
      put(ouch50::Executed{.timestamp = stamp(),
                           .user_ref = line(news.order).user_ref,
                           .quantity = news.quantity.lots,
                           .price = price_of(news.price, ticket.symbol),
                           .liquidity = letter_of(ticket, news.maker),
                           .match = news.match},
          options_of(news.order, false));
      if (news.last) forget(news.order);
      if (news.dropped) give_number_back(news.dropped);
      return;
    }
    case Kind::reduced: {
      Line& said = line(news.order);
      if (!std::exchange(said.modifies, false))
        return cancelled(news.order, news.quantity.lots, ouch::CancelReason::user);
      return put(ouch50::Modified{.timestamp = stamp(),
                                  .user_ref = said.user_ref,
                                  .side = said.side,
                                  .quantity = entry_.order(news.order).open.lots},
                 options_of(news.order, false));
    }
    case Kind::prevented:
    case Kind::cancelled: return tell_cancelled(news);
    case Kind::replaced: return tell_replaced(news);
    case Kind::replacement_refused: return tell_refused_replacement(news);
    case Kind::refreshed:
    case Kind::repriced: return tell_restated(news);
    case Kind::triggered:
    case Kind::none: return;
  }
}

void Ouch50Desk::tell_cancelled(const OrderNews& news) noexcept {
  const OrderTicket& ticket = entry_.order(news.order).ticket;
  if (news.kind == OrderNews::Kind::prevented || news.reason == Reason::self_trade)
    put(ouch50::AiqCanceled{.timestamp = stamp(),
                            .user_ref = line(news.order).user_ref,
                            .decrement = news.quantity.lots,
                            .prevented = news.quantity.lots,
                            .execution_price = price_of(news.price, ticket.symbol),
                            .liquidity = letter_of(ticket, true),
                            .strategy = ' '},
        options_of(news.order, false));
  else
    cancelled(news.order, news.quantity.lots, letter_of(news));
  if (news.last) forget(news.order);
  if (news.dropped) give_number_back(news.dropped);
}

void Ouch50Desk::tell_replaced(const OrderNews& news) noexcept {
  const Line& said = line(news.order);
  const EnteredOrder& entered = entry_.order(news.order);
  put(ouch50::Replaced{.timestamp = stamp(),
                       .original_user_ref = line(news.before).user_ref,
                       .user_ref = said.user_ref,
                       .side = said.side,
                       .quantity = news.quantity.lots,
                       .symbol = name_of(instrument(entered.ticket.symbol)),
                       .price = said.price,
                       .time_in_force = said.time_in_force,
                       .display = said.display,
                       .order = entered.id.value,
                       .capacity = said.capacity,
                       .intermarket_sweep = said.intermarket_sweep,
                       .cross = said.cross,
                       .client_order_id = said.client_order_id},
      options_of(news.order, true));
  forget(news.before);
}

void Ouch50Desk::tell_refused_replacement(const OrderNews& news) noexcept {
  // What a halt or an auction keeps from being replaced is not wrong in itself.
  if (news.reason == Reason::market_closed || news.reason == Reason::in_auction) {
    const Line& said = line(news.order);
    reject(said.user_ref, RejectReason::halted, said.client_order_id);
    return forget(news.order);
  }
  give_number_back(news.order);
  if (entry_.order(news.before).is_open()) static_cast<void>(entry_.cancel(news.before, CancelCause::replacement));
}

void Ouch50Desk::tell_restated(const OrderNews& news) noexcept {
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
