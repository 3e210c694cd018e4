// OrderEntry: what is under way, what is open, and what to say of it.
#include <outcry/actors/order_entry.hpp>

#include <algorithm>
#include <bit>
#include <cassert>
#include <stdexcept>
#include <string>
#include <utility>

#include <outcry/actors/market_by_order.hpp>

namespace outcry {

namespace {

// EnteredOrder::under_way: what the symbol has not answered yet, and what else keeps the order in its place.
constexpr std::uint8_t entering = 1;
constexpr std::uint8_t reducing = 2;
constexpr std::uint8_t cancelling = 4;
constexpr std::uint8_t replacing = 8;
// Of an order that waits for the one that it replaces.
constexpr std::uint8_t cancel_when_sent = 16;
constexpr std::uint8_t drop = 32;
// Of any.
constexpr std::uint8_t mass_cancelling = 64;
constexpr std::uint8_t leaving = 128;
constexpr std::uint8_t answers = entering | reducing | cancelling | replacing;

// EnteredOrder::owed.
constexpr std::uint8_t owed_reduction = 1;
constexpr std::uint8_t owed_cancel = 2;

constexpr std::uint32_t out_of_turn = 1u << 24;

constexpr Terms without_minimum(Terms terms) {
  return static_cast<Terms>(static_cast<std::uint8_t>(terms) & ~static_cast<std::uint8_t>(Terms::minimum));
}

// Whether a book can put the one in the place of the other by itself.
bool differs_in_price_and_size_only(const OrderTicket& ticket, const OrderTicket& change) {
  return ticket.type == SpecialType::limit && change.type == SpecialType::limit &&
         ticket.time_in_force == change.time_in_force && ticket.expires_s == change.expires_s &&
         without_minimum(ticket.terms) == change.terms &&
         (!has(change.terms, Terms::reserve) || ticket.part == change.part);
}

constexpr std::uint8_t bits_of(std::optional<Side> side) {
  return !side ? std::uint8_t{3} : *side == Side::buy ? std::uint8_t{1} : std::uint8_t{2};
}

}  // namespace

OrderEntry::OrderEntry(const OrderEntryOptions& options, const SymbolDirectory& symbols, OrderRoute& route)
    : options_(options), symbols_(symbols), route_(route) {
  if (options.account.value == 0 || options.account.value >= out_of_turn)
    throw std::invalid_argument("account " + std::to_string(options.account.value) + " is not between 1 and 2^24 - 1");
  if (options.most_orders == 0 || options.most_orders > 1u << slot_bits)
    throw std::invalid_argument("an account has room for 1 to 2^20 orders, not " + std::to_string(options.most_orders));
  orders_.resize(options.most_orders);
  free_.resize(options.most_orders);
  open_in_.resize(symbols.size());
  mass_owed_.resize(symbols.size());
}

// ---- places

EnteredOrder* OrderEntry::take_place() noexcept {
  std::uint32_t place = 0;
  // The place that was given back longest ago; a few are kept back, so that what is said of old orders meets no new ones.
  constexpr std::uint32_t kept_back = 64;
  if (used_ < options_.most_orders && free_count_ < kept_back) {
    place = used_++;
  } else {
    if (free_count_ == 0) return nullptr;
    place = free_[free_first_];
    free_first_ = (free_first_ + 1) % options_.most_orders;
    --free_count_;
  }
  EnteredOrder& order = orders_[place];
  const std::uint64_t number =
      order.id.value == 0 ? place : (order.id.value + (std::uint64_t{1} << slot_bits)) & ((std::uint64_t{1} << 38) - 1);
  order = {};
  order.id = {std::uint64_t{options_.account.value} << (slot_bits + round_bits) | number};
  return &order;
}

void OrderEntry::give_back(OrderHandle handle) noexcept {
  EnteredOrder& order = at(handle);
  order.state = EntryState::none;
  // An id must not come twice: a place that has used up its numbers is not used again.
  if ((order.id.value >> slot_bits & ((1u << round_bits) - 1)) == (1u << round_bits) - 1) return;
  free_[(free_first_ + free_count_) % options_.most_orders] = handle.value;
  ++free_count_;
}

void OrderEntry::put_away() noexcept {
  for (std::uint32_t i = 0; i < leaving_count_; ++i) give_back(leaving_[i]);
  leaving_count_ = 0;
}

EnteredOrder* OrderEntry::find(OrderId id) noexcept {
  const auto place = static_cast<std::uint32_t>(id.value & ((1u << slot_bits) - 1));
  if (place >= used_) return nullptr;
  EnteredOrder& order = orders_[place];
  return order.id == id && order.state != EntryState::none ? &order : nullptr;
}

void OrderEntry::count_open(const EnteredOrder& order) noexcept {
  ++open_orders_;
  ++open_in_[order.ticket.symbol.value];
}

void OrderEntry::end(EnteredOrder& order) noexcept {
  if (order.is_open()) {
    --open_orders_;
    --open_in_[order.ticket.symbol.value];
  }
  order.state = EntryState::done;
  pay(order, owed_reduction | owed_cancel);
  answered(order, 0);
}

void OrderEntry::answered(EnteredOrder& order, std::uint8_t what) noexcept {
  order.under_way = static_cast<std::uint8_t>(order.under_way & ~what);
  if (order.state != EntryState::done || (order.under_way & (answers | leaving)) != 0) return;
  order.under_way |= leaving;
  assert(leaving_count_ < std::size(leaving_) && "an event ended more orders than it can");
  leaving_[leaving_count_++] = handle_of(order);
}

void OrderEntry::owe(EnteredOrder& order, std::uint8_t what) noexcept {
  if ((order.owed & what) == 0) ++owes_;
  order.owed |= what;
}

void OrderEntry::pay(EnteredOrder& order, std::uint8_t what) noexcept {
  const auto paid = static_cast<std::uint8_t>(order.owed & what);
  owes_ -= static_cast<std::uint32_t>(std::popcount(paid));
  order.owed = static_cast<std::uint8_t>(order.owed ^ paid);
}

OrderNews OrderEntry::news(OrderNews::Kind kind, const EnteredOrder& order) const noexcept {
  return {.kind = kind, .cause = order.cause, .last = order.state == EntryState::done, .order = handle_of(order)};
}

// ---- what the client asks for

Reason OrderEntry::refusal_of(const Instrument& instrument, Price price) const noexcept {
  if (price < instrument.lowest || price > instrument.highest) return Reason::price_out_of_range;
  if (!instrument.off_tick_allowed && price.units % instrument.tick != 0) return Reason::off_tick;
  return Reason::none;
}

Reason OrderEntry::refusal_of(const OrderTicket& ticket) const noexcept {
  if (!symbols_.contains(ticket.symbol)) return Reason::unknown_symbol;
  const SymbolDirectory::Listed& listed = symbols_[ticket.symbol];
  const Instrument& instrument = listed.instrument;
  if (ticket.is_special() && !listed.has_rules) return Reason::unsupported;
  if (ticket.quantity == Quantity{}) return Reason::zero_quantity;
  if (ticket.quantity > instrument.largest) return Reason::quantity_too_large;
  if (ticket.quantity.lots % instrument.lot != 0 || ticket.part.lots % instrument.lot != 0) return Reason::off_lot;
  const bool has_price = ticket.type == SpecialType::limit || ticket.type >= SpecialType::primary_peg ||
                         ticket.type == SpecialType::stop_limit;
  if (has_price)
    if (const Reason reason = refusal_of(instrument, ticket.price); reason != Reason::none) return reason;
  return Reason::none;
}

Reason OrderEntry::refusal_of(const OrderChange& change, SymbolId symbol) const noexcept {
  return refusal_of(OrderTicket{.symbol = symbol,
                                .type = change.type,
                                .time_in_force = change.time_in_force,
                                .terms = change.terms,
                                .price = change.price,
                                .quantity = change.total,
                                .part = change.part});
}

RiskCall OrderEntry::call_for(const OrderTicket& ticket) const noexcept {
  return {.port = options_.risk_port, .mark = ticket.mark, .located = ticket.located, .now_ns = now_ns_};
}

SpecialOrder OrderEntry::special(const EnteredOrder& order) const noexcept {
  const OrderTicket& ticket = order.ticket;
  return {.id = order.id,
          .price = ticket.price,
          .trigger = ticket.trigger,
          .quantity = order.open,
          .part = ticket.part,
          .account = options_.account,
          .symbol = ticket.symbol,
          .expires_s = ticket.expires_s,
          .side = ticket.side,
          .type = ticket.type,
          .time_in_force = ticket.time_in_force,
          .terms = ticket.terms,
          .arrival_ns = arrival_ns_};
}

OrderRoute::Sent OrderEntry::send_order(const EnteredOrder& order) noexcept {
  const OrderTicket& ticket = order.ticket;
  if (ticket.is_special()) return route_.send(special(order), call_for(ticket));
  return route_.send(NewOrder{.id = order.id,
                              .price = ticket.price,
                              .quantity = order.open,
                              .account = options_.account,
                              .symbol = ticket.symbol,
                              .side = ticket.side,
                              .type = ticket.type == SpecialType::limit ? OrderType::limit : OrderType::market,
                              .time_in_force = ticket.time_in_force,
                              .post_only = has(ticket.terms, Terms::post_only) ? PostOnly::yes : PostOnly::no,
                              .arrival_ns = arrival_ns_},
                     call_for(ticket));
}

/// Requires: nothing of the old order is under way that would change what it has open, but trades.
OrderRoute::Sent OrderEntry::send_replacement(const EnteredOrder& old, EnteredOrder& order) noexcept {
  order.executed = old.executed;
  order.prevented = old.prevented;
  order.open = order.total - (old.executed + old.prevented);
  order.ticket.part = std::min(order.ticket.part, order.open);
  const OrderRoute::Sent sent =
      differs_in_price_and_size_only(old.ticket, order.ticket)
          ? route_.send(ReplaceOrder{.id = old.id,
                                     .new_id = order.id,
                                     .price = order.ticket.price,
                                     .quantity = order.open,
                                     .account = options_.account,
                                     .symbol = old.ticket.symbol,
                                     .seen_open = old.open,
                                     .arrival_ns = arrival_ns_},
                        call_for(old.ticket))
          : route_.send(ReplaceTerms{.id = old.id, .seen_open = old.open, .order = special(order)},
                        call_for(old.ticket));
  if (!sent.sent) return sent;
  order.state = EntryState::sent;
  order.under_way = entering;
  count_open(order);
  return sent;
}

OrderEntry::Answer OrderEntry::enter(const OrderTicket& ticket) noexcept {
  put_away();
  if (const Reason reason = refusal_of(ticket); reason != Reason::none) return {.reason = reason};
  EnteredOrder* const order = take_place();
  if (order == nullptr) return {.reason = Reason::pool_exhausted};
  order->ticket = ticket;
  order->total = order->open = order->wanted = ticket.quantity;
  const OrderRoute::Sent sent = send_order(*order);
  if (!sent.sent) {
    give_back(handle_of(*order));
    return {.reason = sent.refused == RiskReason::none ? Reason::mailbox_full : Reason::none, .risk = sent.refused};
  }
  order->state = EntryState::sent;
  order->under_way = entering;
  count_open(*order);
  return {.order = handle_of(*order)};
}

OrderEntry::Answer OrderEntry::replace(OrderHandle handle, const OrderChange& change) noexcept {
  put_away();
  EnteredOrder& old = at(handle);
  if (old.state == EntryState::waiting) return {.reason = Reason::invalid_combination};
  const bool leaves = (old.under_way & cancelling) != 0 || (old.owed & owed_cancel) != 0;
  if (!old.is_open() || old.after || leaves) return {.reason = Reason::unknown_order};
  if (const Reason reason = refusal_of(change, old.ticket.symbol); reason != Reason::none) return {.reason = reason};
  const Quantity gone = old.executed + old.prevented;
  if (change.total <= gone) return {.reason = Reason::quantity_exceeds_open};
  EnteredOrder* const order = take_place();
  if (order == nullptr) return {.reason = Reason::pool_exhausted};

  order->ticket = old.ticket;
  order->ticket.type = change.type;
  order->ticket.time_in_force = change.time_in_force;
  order->ticket.terms = change.terms;
  order->ticket.price = change.price;
  order->ticket.trigger = change.trigger;
  order->ticket.part = change.part;
  order->ticket.expires_s = change.expires_s;
  order->ticket.quantity = change.total;
  order->total = order->wanted = change.total;

  // What a reduction under way leaves open is not known for sure. One that was not even sent is overtaken.
  if ((old.under_way & reducing) != 0) {
    order->state = EntryState::waiting;
  } else if (const OrderRoute::Sent sent = send_replacement(old, *order); sent.sent) {
    pay(old, owed_reduction);
  } else {
    give_back(handle_of(*order));
    return {.reason = sent.refused == RiskReason::none ? Reason::mailbox_full : Reason::none, .risk = sent.refused};
  }
  order->before = handle;
  old.after = handle_of(*order);
  old.under_way |= replacing;
  return {.order = old.after};
}

bool OrderEntry::reduce(OrderHandle handle, Quantity total) noexcept {
  EnteredOrder& order = at(handle);
  if (total >= order.wanted) return false;
  if ((order.wanted - total).lots % symbols_[order.ticket.symbol].instrument.lot != 0) return false;
  if (order.state == EntryState::waiting) {
    if (total == Quantity{}) return cancel(handle);
    order.wanted = order.total = order.ticket.quantity = total;
    return true;
  }
  if (!order.is_open() || order.after || (order.under_way & cancelling) != 0 || (order.owed & owed_cancel) != 0)
    return false;
  if (total <= order.executed + order.prevented) return cancel(handle);
  order.wanted = total;
  // One reduction at a time: behind its answer the next one takes off what is wanted by then.
  if ((order.under_way & reducing) == 0 && (order.owed & owed_reduction) == 0) send_reduction(order);
  return true;
}

bool OrderEntry::cancel(OrderHandle handle, CancelCause cause) noexcept {
  EnteredOrder& order = at(handle);
  if (order.state == EntryState::waiting) {
    if ((order.under_way & (cancel_when_sent | drop)) != 0) return false;
    order.under_way |= cancel_when_sent;
    order.cause = cause;
    return true;
  }
  if (!order.is_open() || (order.under_way & cancelling) != 0 || (order.owed & owed_cancel) != 0) return false;
  order.cause = cause;
  send_cancel(order);
  return true;
}

void OrderEntry::mass_cancel(std::optional<SymbolId> symbol, std::optional<Side> side, CancelCause cause) noexcept {
  for (std::uint32_t i = 0; i < used_; ++i) {
    EnteredOrder& order = orders_[i];
    if ((symbol && order.ticket.symbol != *symbol) || (side && order.ticket.side != *side)) continue;
    if (order.state == EntryState::waiting) {
      order.under_way |= drop;
      order.cause = cause;
      at(order.before).cause = cause;
    } else if (order.is_open()) {
      order.under_way |= mass_cancelling;
      order.cause = cause;
    }
  }
  const std::uint32_t first = symbol ? symbol->value : 0;
  const std::uint32_t end = symbol ? symbol->value + 1 : symbols_.size();
  for (std::uint32_t i = first; i < end; ++i) {
    if (open_in_[i] == 0) continue;
    if (mass_owed_[i] == 0) ++owes_;
    mass_owed_[i] |= bits_of(side);
  }
  retry();
}

void OrderEntry::send_reduction(EnteredOrder& order) noexcept {
  // What is wanted was checked to be less; all reductions asked for so far are answered, so `total` is what the book has.
  const Quantity by = order.total - order.wanted;
  const bool sent = route_.send(ReduceOrder{
      .id = order.id, .by = by, .account = options_.account, .symbol = order.ticket.symbol, .arrival_ns = arrival_ns_});
  if (!sent) return owe(order, owed_reduction);
  order.reducing_by = by;
  order.under_way |= reducing;
}

void OrderEntry::send_cancel(EnteredOrder& order) noexcept {
  const bool sent = route_.send(CancelOrder{
      .id = order.id, .account = options_.account, .symbol = order.ticket.symbol, .arrival_ns = arrival_ns_});
  if (!sent) return owe(order, owed_cancel);
  order.under_way |= cancelling;
}

void OrderEntry::retry() noexcept {
  if (owes_ == 0) return;
  for (std::uint32_t i = 0; i < symbols_.size(); ++i) {
    if (mass_owed_[i] == 0) continue;
    const bool sent = route_.send(MassCancel{.account = options_.account,
                                             .symbol = {i},
                                             .buys = (mass_owed_[i] & 1) != 0,
                                             .sells = (mass_owed_[i] & 2) != 0,
                                             .arrival_ns = arrival_ns_});
    if (!sent) continue;
    mass_owed_[i] = 0;
    --owes_;
  }
  for (std::uint32_t i = 0; i < used_ && owes_ != 0; ++i) {
    EnteredOrder& order = orders_[i];
    const std::uint8_t owed = order.owed;
    if (owed == 0) continue;
    pay(order, owed);
    if ((owed & owed_cancel) != 0)
      send_cancel(order);
    else if (order.wanted < order.total)
      send_reduction(order);
  }
}

// ---- what the symbols say

OrderNews OrderEntry::heard(const Accepted& event) noexcept {
  put_away();
  EnteredOrder* const order = find(event.id);
  if (order == nullptr || order->state != EntryState::sent) return {};
  order->state = EntryState::live;
  order->under_way = static_cast<std::uint8_t>(order->under_way & ~entering);
  OrderNews told = news(OrderNews::Kind::accepted, *order);
  told.price = event.price;
  told.quantity = event.quantity;
  return told;
}

OrderNews OrderEntry::heard(const Rejected& event) noexcept {
  put_away();
  if (event.command == CommandKind::replace) {
    EnteredOrder* const order = find(event.new_id);
    if (order == nullptr || order->state != EntryState::sent || !order->before) return {};
    EnteredOrder& old = at(order->before);
    old.after = {};
    answered(old, replacing);
    order->under_way = static_cast<std::uint8_t>(order->under_way & ~entering);
    end(*order);
    OrderNews told = news(OrderNews::Kind::replacement_refused, *order);
    told.before = std::exchange(order->before, {});
    told.reason = event.reason;
    return told;
  }
  EnteredOrder* const order = find(event.id);
  if (order == nullptr) return {};
  switch (event.command) {
    case CommandKind::new_order: {
      if (order->state != EntryState::sent) return {};
      order->under_way = static_cast<std::uint8_t>(order->under_way & ~entering);
      end(*order);
      OrderNews told = news(OrderNews::Kind::refused, *order);
      told.reason = event.reason;
      return told;
    }
    case CommandKind::reduce:
      answered(*order, reducing);
      if (!order->is_open()) return {};
      if (order->after)
        send_waiting(*order);
      else if (event.reason == Reason::quantity_exceeds_open)
        static_cast<void>(cancel(handle_of(*order), order->cause));  // so much was executed on the way
      else
        order->wanted = order->total;  // it stays as large as it was
      return {};
    case CommandKind::cancel: answered(*order, cancelling); return {};
    default: return {};
  }
}

OrderNews OrderEntry::heard(const Filled& event) noexcept {
  put_away();
  EnteredOrder* const order = find(event.id);
  if (order == nullptr || !order->is_open()) return {};
  assert(event.quantity <= order->open && "more executed than was open");
  order->executed += event.quantity;
  order->open -= std::min(event.quantity, order->open);
  OrderHandle dropped{};
  if (order->open == Quantity{}) {
    dropped = drop_replacement(*order);
    end(*order);
  }
  OrderNews told = news(OrderNews::Kind::filled, *order);
  told.dropped = dropped;
  told.price = event.price;
  told.quantity = event.quantity;
  told.maker = event.maker != 0;
  told.match = match_number(event.symbol, event.trade);
  return told;
}

OrderNews OrderEntry::heard(const Cancelled& event) noexcept {
  put_away();
  EnteredOrder* const order = find(event.id);
  if (order == nullptr || !order->is_open()) return {};
  if (event.reason == Reason::requested) {
    // The answer of a reduction by all that was open, or of a cancel.
    const std::uint8_t asked = (order->under_way & reducing) != 0 ? reducing : cancelling;
    if ((order->under_way & asked) == 0) order->cause = CancelCause::supervisor;
    order->under_way = static_cast<std::uint8_t>(order->under_way & ~asked);
  }
  const bool by_supervisor = event.reason == Reason::mass_cancelled && (order->under_way & mass_cancelling) == 0;
  if (event.reason == Reason::self_trade) order->prevented += event.quantity;
  order->open = {};
  const OrderHandle dropped = drop_replacement(*order);
  end(*order);
  OrderNews told = news(OrderNews::Kind::cancelled, *order);
  told.reason = event.reason;
  told.price = event.price;
  told.quantity = event.quantity;
  told.dropped = dropped;
  if (by_supervisor) told.cause = CancelCause::supervisor;
  return told;
}

// An order that is gone otherwise needs no replacement any more, if that was not sent yet.
OrderHandle OrderEntry::drop_replacement(EnteredOrder& old) noexcept {
  if (!old.after || at(old.after).state != EntryState::waiting) return {};
  EnteredOrder& order = at(old.after);
  old.under_way = static_cast<std::uint8_t>(old.under_way & ~replacing);
  order.before = {};
  end(order);
  return std::exchange(old.after, {});
}

// The reduction that a replacement waits for is answered.
void OrderEntry::send_waiting(EnteredOrder& old) noexcept {
  EnteredOrder& order = at(old.after);
  if (order.state != EntryState::waiting || (order.under_way & drop) != 0) return;
  if ((old.under_way & cancelling) != 0 || (old.owed & owed_cancel) != 0) return;
  const bool cancel_it = (order.under_way & cancel_when_sent) != 0;
  if (order.total > old.executed + old.prevented && send_replacement(old, order).sent) {
    if (cancel_it) send_cancel(order);
    return;
  }
  // It was answered already that it is under way: the original leaves, as if the details were wrong, and it goes, too.
  old.cause = CancelCause::replacement;
  send_cancel(old);
}

OrderNews OrderEntry::heard(const Reduced& event) noexcept {
  put_away();
  EnteredOrder* const order = find(event.id);
  if (order == nullptr || !order->is_open()) return {};
  const bool asked = (order->under_way & reducing) != 0 && event.by == order->reducing_by;
  order->open = event.open;
  if (asked) {
    order->under_way = static_cast<std::uint8_t>(order->under_way & ~reducing);
    order->total -= std::min(event.by, order->total);
    if (order->after) {
      send_waiting(*order);
    } else if (order->wanted < order->total) {
      if (order->wanted <= order->executed + order->prevented)
        static_cast<void>(cancel(handle_of(*order), order->cause));
      else if ((order->under_way & cancelling) == 0)
        send_reduction(*order);
    }
  } else {
    order->prevented += event.by;
  }
  OrderNews told = news(asked ? OrderNews::Kind::reduced : OrderNews::Kind::prevented, *order);
  told.price = event.price;
  told.quantity = event.by;
  return told;
}

OrderNews OrderEntry::heard(const Modified&) noexcept { return {}; }  // modifications are not sent from here

OrderNews OrderEntry::heard(const Replaced& event) noexcept {
  put_away();
  EnteredOrder* const order = find(event.new_id);
  if (order == nullptr || order->state != EntryState::sent || !order->before) return {};
  EnteredOrder& old = at(order->before);
  order->state = EntryState::live;
  order->under_way = static_cast<std::uint8_t>(order->under_way & ~entering);
  order->executed = old.executed;
  order->prevented = old.prevented;
  order->open = event.quantity;
  order->total = order->executed + order->prevented + order->open;
  OrderNews told = news(OrderNews::Kind::replaced, *order);
  told.before = std::exchange(order->before, {});
  told.price = event.price;
  told.quantity = event.quantity;
  old.open = {};
  old.after = {};
  old.under_way = static_cast<std::uint8_t>(old.under_way & ~replacing);
  end(old);
  return told;
}

OrderNews OrderEntry::heard(const AcceptedTerms&) noexcept { return {}; }

OrderNews OrderEntry::heard(const Refreshed& event) noexcept {
  put_away();
  EnteredOrder* const order = find(event.id);
  if (order == nullptr || !order->is_open()) return {};
  OrderNews told = news(OrderNews::Kind::refreshed, *order);
  told.price = event.price;
  told.quantity = event.displayed;
  told.reserve = event.reserve;
  return told;
}

OrderNews OrderEntry::heard(const Triggered& event) noexcept {
  put_away();
  EnteredOrder* const order = find(event.id);
  if (order == nullptr || !order->is_open()) return {};
  order->ticket.type = event.is_market != 0 ? SpecialType::market : SpecialType::limit;
  OrderNews told = news(OrderNews::Kind::triggered, *order);
  told.price = event.price;
  told.quantity = event.quantity;
  return told;
}

OrderNews OrderEntry::heard(const Repriced& event) noexcept {
  put_away();
  EnteredOrder* const order = find(event.id);
  if (order == nullptr || !order->is_open() || event.is_parked != 0) return {};
  OrderNews told = news(OrderNews::Kind::repriced, *order);
  told.price = event.price;
  told.quantity = event.open;
  return told;
}

}  // namespace outcry
