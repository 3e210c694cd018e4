#include <outcry/actors/desk_history.hpp>

#include <algorithm>
#include <cassert>
#include <utility>

#include <outcry/actors/desk.hpp>

namespace outcry {

namespace {

// Ids of the anonymous orders that a recording began with: above those of exchanges, below those of ours.
constexpr std::uint64_t anonymous_ids = std::uint64_t{1} << 62;

bool is_better(Side side, Price a, Price b) { return side == Side::buy ? a > b : a < b; }

}  // namespace

DeskHistory::DeskHistory(Desk& desk, OrderBook<>& book, const SymbolOptions& options)
    : desk_(desk),
      book_(book),
      options_(options),
      ledger_(options.ledger != nullptr ? options.ledger : &own_ledger_),
      recorded_(options.recorded) {}

void DeskHistory::seed() {
  std::uint64_t anonymous = anonymous_ids;
  applying_ = true;
  for (const SeedOrder& order : options_.seed) {
    const OrderId id{++anonymous};
    book_.rest(NewOrder{.id = id,
                        .price = order.price,
                        .quantity = order.quantity,
                        .symbol = options_.instrument.symbol,
                        .side = order.side},
               desk_);
    anonymous_[static_cast<int>(order.side)][order.price.units] = id;
  }
  applying_ = false;
}

void DeskHistory::apply(const HistoryEvent& event) {
  ++ledger_->events;
  applying_ = true;
  printable_ = event.printable != 0;
  refused_ = Reason::none;
  adjusted_ = false;
  switch (event.kind) {
    case HistoryKind::add: add(event, {}); break;
    case HistoryKind::execute: execute(event); break;
    case HistoryKind::reduce: reduce(event); break;
    case HistoryKind::remove: remove(event); break;
    case HistoryKind::replace: replace(event); break;
    case HistoryKind::hidden_execute: hidden_execute(event); break;
    case HistoryKind::clear: clear(); break;
    case HistoryKind::cross:
    case HistoryKind::halt:
    case HistoryKind::resume: break;
  }
  applying_ = false;
  printable_ = true;
}

void DeskHistory::took(const Traded& trade) {
  Strayed& strayed = strayed_.try_emplace(trade.maker, Strayed{opposite(trade.taker_side), trade.price}).first->second;
  strayed.gap += trade.quantity.lots;
  strayed.uncounted += trade.quantity.lots;
  ledger_->taken_shares += trade.quantity.lots;
}

void DeskHistory::fail(const HistoryEvent& event, Reason reason, Quantity open) {
  ++ledger_->broken_events;
  if (ledger_->failed()) return;
  ledger_->first_failure = {event.record, event.kind, reason, event.id, event.quantity, open};
  if (options_.failed != nullptr) options_.failed->store(true, std::memory_order_relaxed);
}

/// With none of ours about, the book checks what history asks of it, and its refusal is all there is to say.
bool DeskHistory::came_true(const HistoryEvent& event) {
  if (refused_ == Reason::none) [[likely]]
    return true;
  if (refused_ == Reason::unknown_order) return false;
  const auto order = book_.find(event.id);
  fail(event, refused_, order ? order->open : Quantity{});
  return true;
}

void DeskHistory::execute(const HistoryEvent& event) {
  if (event.printable != 0) {
    ++ledger_->trades;
    ledger_->shares += event.quantity.lots;
  }
  if (!ours_are_here()) [[likely]] {
    Execution execution{.id = event.id, .quantity = event.quantity};
    if (event.price != Price{}) execution.price = event.price;
    book_.execute(execution, desk_);
    if (came_true(event)) [[likely]]
      return;
  }
  const auto order = named(event);
  if (!order) return;
  const std::uint32_t quantity = event.quantity.lots;
  const std::uint32_t asked = order->is_shown ? quantity : std::min(quantity, order->believed());

  const std::uint32_t filled = fill_own(*order, event.quantity).lots;
  const std::uint32_t executed = std::min({quantity - filled, asked, order->open.lots});
  const Price price = event.price == Price{} ? order->price : event.price;
  if (executed != 0) book_.execute(Execution{.id = order->id, .quantity = {executed}, .price = price}, desk_);
  const std::uint32_t filled_for_it = std::min(filled, asked - executed);
  const std::uint32_t unseen = quantity - asked - (filled - filled_for_it);  // of orders that nobody has shown
  if (unseen != 0 && price != Price{})
    desk_.print_unseen({.rested = event.id, .price = price, .quantity = {unseen}, .side = order->side});
  settle(event, *order, {.asked = asked, .done = executed, .filled_for_it = filled_for_it, .filled = filled});
}

void DeskHistory::reduce(const HistoryEvent& event) {
  if (!ours_are_here()) [[likely]] {
    book_.reduce(ReduceOrder{.id = event.id, .by = event.quantity, .symbol = event.symbol}, desk_);
    if (came_true(event)) [[likely]]
      return;
  }
  if (const auto order = named(event); order)
    take_out(event, *order, order->is_shown ? event.quantity.lots : std::min(event.quantity.lots, order->believed()));
}

void DeskHistory::remove(const HistoryEvent& event) {
  if (!ours_are_here()) [[likely]] {
    book_.cancel(CancelOrder{.id = event.id, .symbol = event.symbol}, desk_);
    if (came_true(event)) [[likely]]
      return;
  }
  if (const auto order = named(event); order)
    take_out(event, *order, order->is_shown ? order->believed() : std::min(event.quantity.lots, order->believed()));
}

void DeskHistory::replace(const HistoryEvent& event) {
  if (event.new_id == event.id) return modify(event);
  HistoryEvent added = event;
  added.id = event.new_id;
  if (!ours_are_here()) [[likely]] {
    const auto order = book_.find(event.id);
    if (!order) return static_cast<void>(named(event));
    added.side = order->side;
    add(added, {});
    if (refused_ == Reason::none) book_.cancel(CancelOrder{.id = event.id, .symbol = event.symbol}, desk_);
    return;
  }
  const auto order = named(event);
  if (!order || !order->is_shown) return;
  // What ours took of the old order, the new one does not have either.
  const std::int64_t gap = order->strayed != nullptr ? order->strayed->gap : 0;
  const auto taken = static_cast<std::uint32_t>(std::max<std::int64_t>(gap, 0));
  const std::uint32_t inherited = std::min(taken, event.quantity.lots);
  added.side = order->side;
  add(added, {inherited});
  if (refused_ != Reason::none) return;
  if (order->open != Quantity{}) book_.cancel(CancelOrder{.id = event.id, .symbol = event.symbol}, desk_);
  if (gap == 0) return;
  ledger_->missing_shares += taken - inherited;
  if (gap < 0) ledger_->surplus_shares += static_cast<std::uint64_t>(-gap);
  adjust(count_missing(*order->strayed, taken));
  strayed_.erase(event.id);
}

/// A replacement under its own id: what only shrinks where it is keeps its place.
void DeskHistory::modify(const HistoryEvent& event) {
  const auto order = named(event);
  if (!order || !order->is_shown) return;
  if (event.price == order->price && event.quantity.lots <= order->believed()) {
    const std::uint32_t shorter = order->believed() - event.quantity.lots;
    if (shorter != 0) take_out(event, *order, shorter);
    return;
  }
  // As any replacement, but its id must be free before it enters again.
  Strayed strayed = order->strayed != nullptr ? *order->strayed : Strayed{};
  const auto taken = static_cast<std::uint32_t>(std::max<std::int64_t>(strayed.gap, 0));
  const std::uint32_t inherited = std::min(taken, event.quantity.lots);
  HistoryEvent added = event;
  added.side = order->side;
  if (order->open != Quantity{}) book_.cancel(CancelOrder{.id = event.id, .symbol = event.symbol}, desk_);
  strayed_.erase(event.id);
  add(added, {inherited});
  if (refused_ != Reason::none || strayed.gap == 0) return;
  ledger_->missing_shares += taken - inherited;
  if (strayed.gap < 0) ledger_->surplus_shares += static_cast<std::uint64_t>(-strayed.gap);
  adjust(count_missing(strayed, taken));
}

/// Enters an order of history, but for what is `missing` of it. Ours that wait where it comes in trade with it first.
void DeskHistory::add(const HistoryEvent& event, Quantity missing) {
  if (!strayed_.empty() && strayed_.contains(event.id)) [[unlikely]] {
    refused_ = Reason::duplicate_id;
    return fail(event, refused_);
  }
  if (missing == Quantity{} || missing != event.quantity) [[likely]] {
    book_.rest(NewOrder{.id = event.id,
                        .price = event.price,
                        .quantity = event.quantity - missing,
                        .symbol = event.symbol,
                        .side = event.side},
               desk_);
    if (refused_ != Reason::none) [[unlikely]]
      return fail(event, refused_);
  }
  if (own_.empty() && missing == Quantity{}) [[likely]]
    return;

  taker_ = event.id;
  const Named front{.side = opposite(event.side), .price = event.side == Side::buy ? event.price + 1 : event.price - 1};
  const Quantity met = fill_own(front, event.quantity - missing);
  taker_ = {};
  if (met != Quantity{}) {
    book_.reduce(ReduceOrder{.id = event.id, .by = met, .symbol = event.symbol}, desk_);
    ledger_->taken_shares += met.lots;
    adjust(met.lots);
  }
  if (met + missing != Quantity{})
    strayed_[event.id] = {event.side, event.price, std::int64_t{met.lots} + missing.lots, 0};
}

void DeskHistory::hidden_execute(const HistoryEvent& event) {
  if (event.printable == 0) return;
  ++ledger_->trades;
  ++ledger_->hidden_trades;
  ledger_->shares += event.quantity.lots;
  desk_.print_unseen({.price = event.price, .quantity = event.quantity, .side = event.side, .hidden = true});
}

void DeskHistory::clear() {
  book_.clear(Reason::requested, desk_);
  std::uint64_t counted = 0;
  for (auto& [id, strayed] : strayed_) {
    if (strayed.gap < 0) ledger_->surplus_shares += static_cast<std::uint64_t>(-strayed.gap);
    const auto missing = static_cast<std::uint32_t>(std::max<std::int64_t>(strayed.gap, 0));
    ledger_->missing_shares += missing;
    counted += count_missing(strayed, missing);
  }
  if (!strayed_.empty()) adjust(counted);
  strayed_.clear();
}

/// The order that an event names, if the event fits it. One that was never shown is looked for among the anonymous ones
/// that rested at its price when the recording began; if there is none, the answer has no id.
/// Nothing: the event is broken, and that is noted.
std::optional<DeskHistory::Named> DeskHistory::named(const HistoryEvent& event) {
  const auto look = [&](OrderId id) -> std::optional<Named> {
    const auto found = strayed_.find(id);
    Strayed* const strayed = found == strayed_.end() ? nullptr : &found->second;
    if (const auto order = book_.find(id); order && order->account == AccountId{})
      return Named{id, order->side, order->price, order->open, strayed, id == event.id};
    if (strayed != nullptr) return Named{id, strayed->side, strayed->price, {}, strayed, id == event.id};
    return std::nullopt;
  };
  const bool has_size = event.kind == HistoryKind::execute || event.kind == HistoryKind::reduce;
  if (const auto order = look(event.id); order) {
    const Reason reason = has_size && event.quantity == Quantity{}              ? Reason::zero_quantity
                          : has_size && event.quantity.lots > order->believed() ? Reason::quantity_exceeds_open
                                                                                : Reason::none;
    if (reason == Reason::none) return order;
    fail(event, reason, {order->believed()});
    return std::nullopt;
  }
  ++ledger_->unknown_orders;
  if (options_.unknown_orders == UnknownOrders::stop) {
    fail(event, Reason::unknown_order);
    return std::nullopt;
  }
  const auto& levels = anonymous_[static_cast<int>(event.side)];
  if (const auto level = levels.find(event.price.units); level != levels.end() && event.kind != HistoryKind::replace) {
    if (const auto order = look(level->second); order) {
      ++ledger_->anonymous_events;
      return order;
    }
  }
  return Named{.side = event.side, .price = event.price};
}

/// Lets those of our orders trade that stand in front of an order of history, best first. What they traded.
Quantity DeskHistory::fill_own(const Named& order, Quantity quantity) {
  Quantity filled{};
  while (filled != quantity) {
    const OwnOrder* first = nullptr;
    for (const OwnOrder& own : own_) {
      if (own.side != order.side || is_better(order.side, order.price, own.price)) continue;
      if (own.price == order.price && !book_.is_ahead_of(own.id, order.id)) continue;
      if (first == nullptr || is_better(order.side, own.price, first->price) ||
          (own.price == first->price && book_.is_ahead_of(own.id, first->id)))
        first = &own;
    }
    if (first == nullptr) break;
    const OrderId id = first->id;
    const auto ours = book_.find(id);
    assert(ours && "an order of ours that is not in the book");
    const Quantity part = std::min(ours->open, quantity - filled);
    book_.execute(Execution{.id = id, .quantity = part}, desk_);  // forgets it if that was all
    filled += part;
  }
  return filled;
}

/// History takes `quantity` of an order away without trading it.
void DeskHistory::take_out(const HistoryEvent& event, const Named& order, std::uint32_t quantity) {
  const std::uint32_t taken = std::min(quantity, order.open.lots);
  if (taken != 0) book_.reduce(ReduceOrder{.id = order.id, .by = {taken}, .symbol = event.symbol}, desk_);
  settle(event, order, {.asked = quantity, .done = taken});
}

/// After an event was applied as far as it could be: what history and the book now have of the order, and what of the
/// event went another way.
void DeskHistory::settle(const HistoryEvent& event, const Named& order, const Applied& applied) {
  const std::uint32_t missing = applied.asked - applied.done - applied.filled_for_it;
  const std::uint32_t believed = order.believed() - applied.asked;
  const std::uint32_t open = order.open.lots - applied.done;
  const std::uint32_t surplus = believed == 0 ? open : 0;  // history is done with it
  if (surplus != 0) book_.cancel(CancelOrder{.id = order.id, .symbol = event.symbol}, desk_);
  ledger_->filled_shares += applied.filled_for_it;
  ledger_->missing_shares += missing;
  ledger_->surplus_shares += surplus;
  std::uint32_t counted = applied.filled;
  if (missing != 0) counted += count_missing(*order.strayed, missing);
  if (applied.filled != 0 || missing != 0 || surplus != 0) adjust(counted);

  const std::int64_t gap = std::int64_t{believed} - open + surplus;
  if (gap == 0) {
    if (order.strayed != nullptr) strayed_.erase(order.id);
  } else if (order.strayed != nullptr) {
    order.strayed->gap = gap;
  } else {
    strayed_[order.id] = {order.side, order.price, gap, 0};
  }
}

void DeskHistory::adjust(std::uint64_t shares) {
  if (!std::exchange(adjusted_, true)) ++ledger_->adjusted_events;
  ledger_->adjusted_shares += shares;
}

/// What of the missing shares no event has been blamed for yet.
std::uint32_t DeskHistory::count_missing(Strayed& strayed, std::uint32_t missing) {
  const std::uint32_t counted = std::min(missing, strayed.uncounted);
  strayed.uncounted -= counted;
  return counted;
}

void DeskHistory::note(OrderId id, AccountId account) {
  forget_own(id);
  if (const auto order = book_.find(id); order && order->account == account)
    own_.push_back({id, order->side, order->price});
}

}  // namespace outcry
