// Desk: commands in, events out.
#include <outcry/actors/desk.hpp>

#include <algorithm>
#include <stdexcept>

namespace outcry {

namespace {

// Ids of the anonymous orders that a recording began with: above those of exchanges, below those of ours.
constexpr std::uint64_t anonymous_ids = std::uint64_t{1} << 62;

bool is_better(Side side, Price a, Price b) { return side == Side::buy ? a > b : a < b; }

}  // namespace

Desk::Desk(SymbolSelf self, SymbolOptions options)
    : self_(self),
      options_(std::move(options)),
      book_(options_.instrument, options_.pool != nullptr ? *options_.pool : own_pool_.emplace(), options_.book_size),
      ledger_(options_.ledger != nullptr ? options_.ledger : &own_ledger_) {
  if (options_.stages != nullptr) stages_ = &options_.stages->of(options_.instrument.symbol);
  quote_.symbol = depth_.symbol = options_.instrument.symbol;
  std::uint64_t anonymous = anonymous_ids;
  for (const SeedOrder& order : options_.seed) {
    const OrderId id{++anonymous};
    applying_history_ = true;
    book_.rest(NewOrder{.id = id,
                        .price = order.price,
                        .quantity = order.quantity,
                        .symbol = options_.instrument.symbol,
                        .side = order.side},
               *this);
    applying_history_ = false;
    anonymous_[static_cast<int>(order.side)][order.price.units] = id;
  }
}

Desk::~Desk() {
  if (options_.counts == nullptr) return;
  const BookCounts& counts = book_.counts();
  *options_.counts = {.commands = counts.new_orders + counts.cancels + counts.reductions + counts.modifications +
                                  counts.replacements + counts.rejections,
                      .trades = counts.trades,
                      .shares = counts.traded,
                      .orders_live = book_.order_count()};
}

// ---- batches and stamps

void Desk::begin_batch() {
  now_ns_ = to_ns(self_.now());
  if (stages_ != nullptr) taken_ns_ = stamp_now(options_.stamps, self_.scheduler());
  in_batch_ = 0;
}

void Desk::end_batch() {
  if (stages_ == nullptr || in_batch_ == 0) return;
  const std::int64_t matched_ns = stamp_now(options_.stamps, self_.scheduler());
  (*stages_)[static_cast<std::size_t>(Stage::match)].record(matched_ns - taken_ns_, in_batch_);
}

void Desk::took(std::int64_t arrival_ns) {
  arrival_ns_ = arrival_ns;
  if (stages_ == nullptr || arrival_ns == 0) return;
  (*stages_)[static_cast<std::size_t>(Stage::mailbox)].record(taken_ns_ - arrival_ns);
  ++in_batch_;
}

// ---- commands

void Desk::take(const NewOrder& command) {
  took(command.arrival_ns);
  book_.submit(command, *this);
  note_own(command.id, command.account);
  publish();
}

void Desk::take(const CancelOrder& command) {
  took(command.arrival_ns);
  book_.cancel(command, *this);
  publish();
}

void Desk::take(const ReduceOrder& command) {
  took(command.arrival_ns);
  book_.reduce(command, *this);
  publish();
}

void Desk::take(const ModifyOrder& command) {
  took(command.arrival_ns);
  book_.modify(command, *this);
  note_own(command.id, command.account);
  publish();
}

void Desk::take(const ReplaceOrder& command) {
  took(command.arrival_ns);
  book_.replace(command, *this);
  note_own(command.id, command.account);
  note_own(command.new_id, command.account);
  publish();
}

void Desk::take(const EndOfDay& command) {
  took(command.arrival_ns);
  book_.end_of_day(command, *this);
  publish();
}

void Desk::take(const EnterSymbol& enter) {
  if (const std::uint32_t index = enter.account.value - options_.first_account.value; index < 1u << 16) {
    if (index >= participants_.size()) participants_.resize(index + 1);
    participants_[index] = enter.address;
  } else {
    other_participants_[enter.account.value] = enter.address;
  }
}

void Desk::take(const SubscribeQuotes& subscribe) {
  quote_listeners_.push_back(subscribe.address);
  subscribe.address.send(quote());
}

void Desk::take(const SubscribeTrades& subscribe) { trade_listeners_.push_back(subscribe.address); }

void Desk::take(const SubscribeDepth& subscribe) {
  depth_listeners_.push_back(subscribe.address);
  depth_ = depth();
  subscribe.address.send(depth_);
}

void Desk::take(const Ask<QuoteQuery>& ask) { ask.reply(quote()); }

// ---- events of the book

const ParticipantAddress* Desk::owner(AccountId account) const {
  const std::uint32_t index = account.value - options_.first_account.value;
  if (index < participants_.size()) return participants_[index] ? &participants_[index] : nullptr;
  if (other_participants_.empty()) return nullptr;
  const auto found = other_participants_.find(account.value);
  return found == other_participants_.end() ? nullptr : &found->second;
}

template <class Event>
void Desk::tell(AccountId account, const Event& event) {
  if (const ParticipantAddress* address = owner(account); address != nullptr) address->send(event);
}

void Desk::tape_order(Tape::OrderKind kind, OrderId id, OrderId new_id, Price price, Quantity quantity, AccountId account,
                      Side side, Reason reason) {
  options_.tape->order({now_ns_, id, new_id, price, quantity, account, options_.instrument.symbol, kind, side, reason, 0});
}

void Desk::on(const Accepted& event) {
  if (applying_history_) return;
  tell(event.account, event);
  if (options_.tape != nullptr)
    tape_order(Tape::OrderKind::accepted, event.id, {}, event.price, event.quantity, event.account, event.side, Reason::none);
}

void Desk::on(const Rejected& event) {
  refused_ = event.reason;
  if (applying_history_) return;
  tell(event.account, event);
  if (options_.tape != nullptr)
    tape_order(Tape::OrderKind::rejected, event.id, event.new_id, {}, {}, event.account, Side::buy, event.reason);
}

void Desk::on(const Traded& event) {
  const Side maker_side = opposite(event.taker_side);
  const Filled maker{.id = event.maker,
                     .price = event.price,
                     .quantity = event.quantity,
                     .open = event.maker_open,
                     .account = event.maker_account,
                     .symbol = event.symbol,
                     .side = maker_side,
                     .maker = 1,
                     .arrival_ns = arrival_ns_};
  tell(event.maker_account, maker);
  if (event.taker != OrderId{}) {
    // What is left of the taker is not known to a trade; its owner counts for itself.
    const Filled taker{.id = event.taker,
                       .price = event.price,
                       .quantity = event.quantity,
                       .account = event.taker_account,
                       .symbol = event.symbol,
                       .side = event.taker_side,
                       .arrival_ns = arrival_ns_};
    tell(event.taker_account, taker);
  }
  if (!applying_history_ || history_meets_own_) {
    if (options_.recorded && event.maker_account == AccountId{})
      believed_.try_emplace(event.maker, Belief{event.maker_open + event.quantity, maker_side});
    print(event.price, event.quantity, event.taker_side, false);
  }
  if (event.maker_account != AccountId{} && event.maker_open == Quantity{}) forget_own(event.maker);
  if (options_.tape != nullptr)
    options_.tape->trade({now_ns_, event.maker, event.taker, event.price, event.quantity, event.symbol, event.maker_account,
                          event.taker_account, event.taker_side, 0, 0, 0});
}

void Desk::on(const Cancelled& event) {
  if (event.account != AccountId{}) forget_own(event.id);
  if (applying_history_) return;
  tell(event.account, event);
  if (options_.tape != nullptr)
    tape_order(Tape::OrderKind::cancelled, event.id, {}, event.price, event.quantity, event.account, event.side, event.reason);
}

void Desk::on(const Reduced& event) {
  if (applying_history_) return;
  tell(event.account, event);
  if (options_.tape != nullptr)
    tape_order(Tape::OrderKind::reduced, event.id, {}, event.price, event.open, event.account, event.side, Reason::none);
}

void Desk::on(const Modified& event) {
  tell(event.account, event);
  if (options_.tape != nullptr)
    tape_order(Tape::OrderKind::modified, event.id, {}, event.price, event.quantity, event.account, event.side, Reason::none);
}

void Desk::on(const Replaced& event) {
  tell(event.account, event);
  if (options_.tape != nullptr)
    tape_order(Tape::OrderKind::replaced, event.id, event.new_id, event.price, event.quantity, event.account, event.side,
               Reason::none);
}

// ---- market data

Quote Desk::quote() const {
  Quote quote = book_.quote();
  quote.sequence = quotes_;
  quote.arrival_ns = arrival_ns_;
  return quote;
}

Depth Desk::depth() const {
  Depth depth;
  depth.symbol = options_.instrument.symbol;
  depth.bid_levels = static_cast<std::uint16_t>(book_.depth(Side::buy, depth.bids));
  depth.ask_levels = static_cast<std::uint16_t>(book_.depth(Side::sell, depth.asks));
  return depth;
}

void Desk::publish() {
  Quote quote = book_.quote();
  if (quote.bid_quantity != quote_.bid_quantity || quote.ask_quantity != quote_.ask_quantity || quote.bid != quote_.bid ||
      quote.ask != quote_.ask) {
    quote.sequence = ++quotes_;
    quote.arrival_ns = stages_ != nullptr ? taken_ns_ : arrival_ns_;
    quote_ = quote;
    for (const QuoteAddress& listener : quote_listeners_) listener.send(quote);
    if (options_.tape != nullptr) options_.tape->quote({now_ns_, quote});
  }
  if (depth_listeners_.empty()) return;
  const Depth now = depth();
  if (now.bid_levels == depth_.bid_levels && now.ask_levels == depth_.ask_levels && now.bids == depth_.bids &&
      now.asks == depth_.asks)
    return;
  depth_ = now;
  for (const DepthAddress& listener : depth_listeners_) listener.send(depth_);
}

void Desk::print(Price price, Quantity quantity, Side aggressor, bool hidden) {
  ++trades_;
  if (trade_listeners_.empty()) return;
  const TradePrint trade{.price = price,
                         .quantity = quantity,
                         .symbol = options_.instrument.symbol,
                         .aggressor = aggressor,
                         .hidden = hidden,
                         .sequence = trades_,
                         .arrival_ns = stages_ != nullptr ? taken_ns_ : arrival_ns_};
  for (const TradeAddress& listener : trade_listeners_) listener.send(trade);
}

// ---- history

void Desk::take(const HistoryEvent& event) {
  ++ledger_->events;
  took(event.arrival_ns);
  applying_history_ = true;
  switch (event.kind) {
    case HistoryKind::add: add(event); break;
    case HistoryKind::execute: execute(event); break;
    case HistoryKind::reduce: reduce(event, event.quantity); break;
    case HistoryKind::remove: remove(event); break;
    case HistoryKind::replace: replace(event); break;
    case HistoryKind::hidden_execute:
      if (event.printable != 0) {
        ++ledger_->trades;
        ++ledger_->hidden_trades;
        ledger_->shares += event.quantity.lots;
        print(event.price, event.quantity, opposite(event.side), true);
        if (options_.tape != nullptr)
          options_.tape->trade({now_ns_, {}, {}, event.price, event.quantity, event.symbol, {}, {}, opposite(event.side), 1, 0, 0});
      }
      break;
    case HistoryKind::clear:
      book_.clear(Reason::requested, *this);
      believed_.clear();
      break;
    case HistoryKind::cross:
    case HistoryKind::halt:
    case HistoryKind::resume: break;
  }
  applying_history_ = false;
  publish();
  if (options_.probe != nullptr) options_.probe->after(event, book_);
}

void Desk::fail(const HistoryEvent& event, Reason reason) {
  ++ledger_->broken_events;
  if (ledger_->failed()) return;
  ledger_->first_failure = {event.record, event.kind, reason, event.id, event.quantity, {}};
  if (options_.failed != nullptr) options_.failed->store(true, std::memory_order_relaxed);
}

/// History names an order that is not in the book. True: it has been dealt with.
bool Desk::unknown(const HistoryEvent& event, Quantity quantity) {
  ++ledger_->unknown_orders;
  if (options_.unknown_orders == UnknownOrders::stop) {
    fail(event, Reason::unknown_order);
    return true;
  }
  auto& levels = anonymous_[static_cast<int>(event.side)];
  const auto level = levels.find(event.price.units);
  if (level == levels.end()) return true;
  const auto order = book_.find(level->second);
  if (!order) return true;
  ++ledger_->anonymous_events;
  book_.reduce(ReduceOrder{.id = level->second, .by = std::min(quantity, order->open), .symbol = event.symbol}, *this);
  return true;
}

void Desk::add(const HistoryEvent& event) {
  const NewOrder order{
      .id = event.id, .price = event.price, .quantity = event.quantity, .symbol = event.symbol, .side = event.side};
  // History does not cross itself; where it would have crossed us, it trades with us first.
  const bool meets_own = std::any_of(own_.begin(), own_.end(), [&](const OwnOrder& own) {
    return own.side != event.side && !is_better(own.side, event.price, own.price);
  });
  refused_ = Reason::none;
  if (meets_own) {
    history_meets_own_ = true;
    ++ledger_->adjusted_events;
    book_.submit(order, *this);
    history_meets_own_ = false;
    const auto rests = book_.find(event.id);
    const Quantity open = rests ? rests->open : Quantity{};
    ledger_->adjusted_shares += event.quantity.lots - open.lots;
    if (refused_ == Reason::none) believed_[event.id] = {event.quantity, event.side};
  } else {
    book_.rest(order, *this);
  }
  if (refused_ != Reason::none) fail(event, refused_);
}

/// Lets our orders trade that stand in front of the order that history says traded. What is left for that one.
Quantity Desk::fill_own(const HistoryEvent& event, Side side, Price price, Quantity quantity) {
  while (quantity != Quantity{}) {
    const OwnOrder* first = nullptr;
    for (const OwnOrder& own : own_) {
      if (own.side != side || is_better(side, price, own.price)) continue;
      if (own.price == price && !book_.is_ahead_of(own.id, event.id)) continue;
      if (first == nullptr || is_better(side, own.price, first->price) ||
          (own.price == first->price && book_.is_ahead_of(own.id, first->id)))
        first = &own;
    }
    if (first == nullptr) break;
    const OrderId id = first->id;
    const auto order = book_.find(id);
    if (!order) {
      forget_own(id);
      continue;
    }
    const Quantity filled = std::min(order->open, quantity);
    book_.execute(Execution{.id = id, .quantity = filled}, *this);
    quantity -= filled;
    ledger_->adjusted_shares += filled.lots;
  }
  return quantity;
}

void Desk::execute(const HistoryEvent& event) {
  const auto order = book_.find(event.id);
  const auto believed = believed_.find(event.id);
  const bool ours_changed_it = believed != believed_.end();
  if (!order && !ours_changed_it) {
    if (event.printable != 0) {
      ++ledger_->trades;
      ledger_->shares += event.quantity.lots;
    }
    unknown(event, event.quantity);
    return;
  }
  if (event.printable != 0) {
    ++ledger_->trades;
    ledger_->shares += event.quantity.lots;
  }
  const Side side = order ? order->side : believed->second.side;
  const Price level = order ? order->price : event.price;
  const Price price = event.price == Price{} ? level : event.price;
  print(price, event.quantity, opposite(side), false);

  Quantity left = event.quantity;
  if (!own_.empty() && order) left = fill_own(event, side, level, left);
  if (left != event.quantity || ours_changed_it) {
    ++ledger_->adjusted_events;
    const Quantity before = ours_changed_it ? believed->second.open : order->open;
    const Quantity believed_open = before - std::min(before, event.quantity);
    believed_[event.id] = {believed_open, side};
    const Quantity now_open = order ? order->open : Quantity{};
    const Quantity executed = std::min(left, now_open);
    if (executed != Quantity{}) book_.execute(Execution{.id = event.id, .quantity = executed, .price = price}, *this);
    if (believed_open == Quantity{}) {  // history is done with it: what we left of it goes
      if (const auto rest = book_.find(event.id); rest) {
        ledger_->adjusted_shares += rest->open.lots;
        book_.cancel(CancelOrder{.id = event.id, .symbol = event.symbol}, *this);
      }
      believed_.erase(event.id);
    }
    return;
  }
  if (event.quantity > order->open) {
    fail(event, Reason::quantity_exceeds_open);
    return;
  }
  refused_ = Reason::none;
  book_.execute(Execution{.id = event.id, .quantity = event.quantity, .price = price}, *this);
  if (refused_ != Reason::none) fail(event, refused_);
}

void Desk::reduce(const HistoryEvent& event, Quantity by) {
  const auto order = book_.find(event.id);
  if (const auto believed = believed_.find(event.id); believed != believed_.end()) {
    ++ledger_->adjusted_events;
    Quantity& open = believed->second.open;
    open -= std::min(open, by);
    // History keeps `open`; the book keeps no more than that.
    if (order && order->open > open)
      book_.reduce(ReduceOrder{.id = event.id, .by = order->open - open, .symbol = event.symbol}, *this);
    if (open == Quantity{}) believed_.erase(event.id);
    return;
  }
  if (!order) {
    unknown(event, by);
    return;
  }
  refused_ = Reason::none;
  book_.reduce(ReduceOrder{.id = event.id, .by = by, .symbol = event.symbol}, *this);
  if (refused_ != Reason::none) fail(event, refused_);
}

void Desk::remove(const HistoryEvent& event) {
  const auto order = book_.find(event.id);
  if (believed_.erase(event.id) > 0) {
    ++ledger_->adjusted_events;
    if (order) book_.cancel(CancelOrder{.id = event.id, .symbol = event.symbol}, *this);
    return;
  }
  if (!order) {
    unknown(event, event.quantity);
    return;
  }
  book_.cancel(CancelOrder{.id = event.id, .symbol = event.symbol}, *this);
}

void Desk::replace(const HistoryEvent& event) {
  const auto order = book_.find(event.id);
  const auto believed = believed_.find(event.id);
  const bool ours_changed_it = believed != believed_.end();
  if (ours_changed_it) ++ledger_->adjusted_events;
  if (!order && !ours_changed_it) {
    unknown(event, event.quantity);
    return;
  }
  HistoryEvent added = event;
  added.kind = HistoryKind::add;
  added.id = event.new_id;
  added.side = order ? order->side : believed->second.side;
  if (ours_changed_it) believed_.erase(believed);
  if (order && book_.find(event.new_id)) {
    fail(event, Reason::duplicate_id);
    return;
  }
  if (order) book_.cancel(CancelOrder{.id = event.id, .symbol = event.symbol}, *this);
  add(added);
}

void Desk::note_own(OrderId id, AccountId account) {
  if (!options_.recorded || account == AccountId{}) return;
  forget_own(id);
  if (const auto order = book_.find(id); order) own_.push_back({id, order->side, order->price});
}

void Desk::forget_own(OrderId id) {
  if (own_.empty()) return;
  std::erase_if(own_, [&](const OwnOrder& own) { return own.id == id; });
}

}  // namespace outcry
