// Desk: commands in, events out.
#include <outcry/actors/desk.hpp>

#include <algorithm>
#include <cassert>
#include <stdexcept>
#include <utility>

#include <outcry/actors/book_door.hpp>
#include <outcry/actors/market_publication.hpp>

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
  if (options_.rules) {
    if (options_.recorded) throw std::invalid_argument("recorded history goes by its own rules");
    book_.set_rules(*options_.rules);
    has_rules_ = true;
  }
  quote_.symbol = depth_.symbol = indicative_.symbol = options_.instrument.symbol;
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
  quote_ = book_.quote();
  if (options_.publication != nullptr) options_.publication->book(book_, to_ns(self_.now()));
  if (options_.door != nullptr) {
    if (self_.scheduler().virtual_time())
      options_.door->refuse();
    else
      options_.door->open(book_.share());
  }
}

Desk::~Desk() {
  if (options_.counts == nullptr) return;
  const BookCounts& counts = book_.counts();
  *options_.counts = {.commands = counts.new_orders + counts.cancels + counts.reductions + counts.modifications +
                                  counts.replacements + counts.rejections,
                      .trades = counts.trades,
                      .shares = counts.traded,
                      .orders_live = book_.order_count(),
                      .book = report_of(book_),
                      .auctions = std::move(auctions_),
                      .wrong = options_.check ? book_.check() : std::string()};
}

// ---- batches and stamps

void Desk::begin_batch() {
  now_ns_ = to_ns(self_.now());
  if (stages_ != nullptr) taken_ns_ = stamp_now(options_.stamps, self_.scheduler());
  in_batch_ = 0;
  if (shown_orders_ != nullptr) shown_orders_->begin(now_ns_);
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
  if (command.seen_open == Quantity{})
    book_.replace(command, *this);
  else
    replace_what_is_left(command);
  note_own(command.id, command.account);
  note_own(command.new_id, command.account);
  publish();
}

/// The owner's number of open shares may be older than the last trades of the order.
void Desk::replace_what_is_left(ReplaceOrder command) {
  if (const auto order = book_.find(command.id); order && order->account == command.account) {
    const Quantity open = order->open + order->reserve;
    const Quantity gone = command.seen_open - std::min(open, command.seen_open);
    if (gone >= command.quantity) {
      on(Rejected{.id = command.id,
                  .new_id = command.new_id,
                  .account = command.account,
                  .symbol = command.symbol,
                  .command = CommandKind::replace,
                  .reason = Reason::quantity_exceeds_open,
                  .arrival_ns = command.arrival_ns});
      return;
    }
    command.quantity -= gone;
  }
  book_.replace(command, *this);
}

void Desk::take(const EndOfDay& command) {
  took(command.arrival_ns);
  book_.end_of_day(command, *this);
  publish();
}

void Desk::take(const SpecialOrder& command) {
  took(command.arrival_ns);
  book_.submit(command, *this);
  if (undisplayed_.contains(command.id)) perhaps_gone_.push_back(command.id);
  publish();
}

void Desk::take(const MassCancel& command) {
  took(command.arrival_ns);
  if (options_.recorded && (command.all_accounts != 0 || command.account == AccountId{})) {
    on(Rejected{.account = command.account,  // history's orders are nobody's to cancel
                .symbol = command.symbol,
                .command = CommandKind::mass_cancel,
                .reason = Reason::unsupported,
                .arrival_ns = command.arrival_ns});
    return;
  }
  book_.mass_cancel(command, *this);
  publish();
}

void Desk::take(const ExpireOrders& command) {
  took(command.arrival_ns);
  book_.expire(command, *this);
  publish();
}

void Desk::take(const ChangePhase& command) {
  took(command.arrival_ns);
  book_.change_phase(command, *this);
  publish();
}

void Desk::take(const EnterSymbol& enter) {
  if (enter.terms) terms_listeners_[enter.account.value] = enter.terms;
  if (const std::uint32_t index = enter.account.value - options_.first_account.value; index < 1u << 16) {
    if (index >= participants_.size()) participants_.resize(index + 1);
    participants_[index] = enter.address;
  } else {
    other_participants_[enter.account.value] = enter.address;
  }
}

void Desk::take(const SubscribeQuotes& subscribe) {
  quote_listeners_.push_back(subscribe.address);
  quote_ = quote();
  subscribe.address.send(quote_);
}

void Desk::take(const SubscribeTrades& subscribe) { trade_listeners_.push_back(subscribe.address); }

void Desk::take(const SubscribeDepth& subscribe) {
  depth_listeners_.push_back(subscribe.address);
  depth_ = depth();
  subscribe.address.send(depth_);
}

void Desk::take(const SubscribePhases& subscribe) {
  phase_listeners_.push_back(subscribe.address);
  subscribe.address.send(PhaseChanged{.symbol = options_.instrument.symbol, .phase = book_.phase()});
}

void Desk::take(const SubscribeAuctions& subscribe) {
  auction_listeners_.push_back(subscribe.address);
  indicative_ = indicative();
  if (indicative_.volume != 0) subscribe.address.send(indicative_);
}

void Desk::take(const SubscribeOrders& subscribe) {
  if (shown_orders_ == nullptr) shown_orders_ = std::make_unique<ShownOrders>(book_);
  shown_orders_->subscribe(subscribe.address, now_ns_);
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

template <class Event>
void Desk::tell_terms(AccountId account, const Event& event) {
  if (const auto found = terms_listeners_.find(account.value); found != terms_listeners_.end())
    found->second.send(event);
}

void Desk::tape_order(Tape::OrderKind kind, OrderId id, OrderId new_id, Price price, Quantity quantity,
                      AccountId account, Side side, Reason reason) {
  options_.tape->order(
      {now_ns_, id, new_id, price, quantity, account, options_.instrument.symbol, kind, side, {reason}, 0});
}

// History's own orders have no owner who listens, and their file tells of them.

void Desk::on(const Accepted& event) {
  if (options_.publication != nullptr) options_.publication->on(event);
  if (shown_orders_ != nullptr) [[unlikely]]
    shown_orders_->on(event);
  if (applying_history_) return;
  tell(event.account, event);
  if (options_.tape != nullptr)
    tape_order(Tape::OrderKind::accepted, event.id, {}, event.price, event.quantity, event.account, event.side,
               Reason::none);
}

void Desk::on(const Rejected& event) {
  if (options_.publication != nullptr) options_.publication->on(event);
  refused_ = event.reason;
  if (applying_history_) return;
  tell(event.account, event);
  if (options_.tape != nullptr)
    tape_order(Tape::OrderKind::rejected, event.id, event.new_id, {}, {}, event.account, Side::buy, event.reason);
}

void Desk::on(const Traded& event) {
  if (options_.publication != nullptr) options_.publication->on(event);
  if (shown_orders_ != nullptr) [[unlikely]]
    shown_orders_->on(event, printable_);
  const Side maker_side = opposite(event.taker_side);
  const bool ours_rested = !options_.recorded || event.maker_account != AccountId{};
  const auto trade = static_cast<std::uint32_t>(book_.counts().trades);
  if (ours_rested)
    tell(event.maker_account, Filled{.id = event.maker,
                                     .price = event.price,
                                     .quantity = event.quantity,
                                     .open = event.maker_open,
                                     .account = event.maker_account,
                                     .symbol = event.symbol,
                                     .side = maker_side,
                                     .maker = 1,
                                     .trade = trade,
                                     .arrival_ns = arrival_ns_});
  const bool hidden = !undisplayed_.empty() && !was_displayed(event);
  if (!applying_history_) {
    // What is left of the taker is not known to a trade; its owner counts for itself.
    Filled filled{.id = event.taker,
                  .price = event.price,
                  .quantity = event.quantity,
                  .account = event.taker_account,
                  .symbol = event.symbol,
                  .side = event.taker_side,
                  .trade = trade,
                  .arrival_ns = arrival_ns_};
    if (uncrossing_) [[unlikely]] {
      filled.maker = 1;
      if (const auto order = book_.find(event.taker)) filled.open = order->open + order->reserve;
    }
    tell(event.taker_account, filled);
    if (!ours_rested) {
      Strayed& strayed = strayed_.try_emplace(event.maker, Strayed{maker_side, event.price}).first->second;
      strayed.gap += event.quantity.lots;
      strayed.uncounted += event.quantity.lots;
      ledger_->taken_shares += event.quantity.lots;
    }
  }
  if (printable_) print(event.price, event.quantity, event.taker_side, hidden);
  if (ours_rested && event.maker_open == Quantity{}) forget_own(event.maker);
  if (options_.tape != nullptr) {
    const OrderId taker = applying_history_ ? history_taker_ : event.taker;
    options_.tape->trade({now_ns_, event.maker, taker, event.price, event.quantity, event.symbol, event.maker_account,
                          event.taker_account, event.taker_side, hidden, 0, 0});
  }
}

void Desk::on(const Cancelled& event) {
  if (options_.publication != nullptr) options_.publication->on(event);
  if (shown_orders_ != nullptr) [[unlikely]]
    shown_orders_->on(event);
  if (options_.recorded) {
    if (event.account == AccountId{}) return;
    forget_own(event.id);
  }
  if (!undisplayed_.empty()) undisplayed_.erase(event.id);
  tell(event.account, event);
  if (options_.tape != nullptr)
    tape_order(Tape::OrderKind::cancelled, event.id, {}, event.price, event.quantity, event.account, event.side,
               event.reason);
}

void Desk::on(const Reduced& event) {
  if (options_.publication != nullptr) options_.publication->on(event);
  if (shown_orders_ != nullptr) [[unlikely]]
    shown_orders_->on(event);
  if (applying_history_) return;
  tell(event.account, event);
  if (options_.tape != nullptr)
    tape_order(Tape::OrderKind::reduced, event.id, {}, event.price, event.open, event.account, event.side,
               Reason::none);
}

void Desk::on(const Modified& event) {
  if (options_.publication != nullptr) options_.publication->on(event);
  if (shown_orders_ != nullptr) [[unlikely]]
    shown_orders_->on(event);
  tell(event.account, event);
  if (options_.tape != nullptr)
    tape_order(Tape::OrderKind::modified, event.id, {}, event.price, event.quantity, event.account, event.side,
               Reason::none);
}

void Desk::on(const Replaced& event) {
  if (options_.publication != nullptr) options_.publication->on(event);
  if (shown_orders_ != nullptr) [[unlikely]]
    shown_orders_->on(event);
  if (!undisplayed_.empty() && undisplayed_.erase(event.id) != 0) {
    undisplayed_.insert(event.new_id);
    perhaps_gone_.push_back(event.new_id);
  }
  tell(event.account, event);
  if (options_.tape != nullptr)
    tape_order(Tape::OrderKind::replaced, event.id, event.new_id, event.price, event.quantity, event.account,
               event.side, Reason::none);
}

// ---- events of books with rules

void Desk::on(const AcceptedTerms& event) {
  if (options_.publication != nullptr) options_.publication->on(event);
  if (shown_orders_ != nullptr) [[unlikely]]
    shown_orders_->on(event);
  if (has(event.terms, Terms::hidden | Terms::all_or_none) || is_peg(event.type)) undisplayed_.insert(event.id);
  tell_terms(event.account, event);
  if (options_.tape != nullptr)
    options_.tape->order({.time_ns = now_ns_,
                          .id = event.id,
                          .new_id = {},
                          .price = {event.trigger},
                          .quantity = event.part,
                          .account = event.account,
                          .symbol = event.symbol,
                          .kind = Tape::OrderKind::terms,
                          .side = event.side,
                          .type = event.type,
                          .terms = static_cast<std::uint8_t>(event.terms)});
}

void Desk::on(const Refreshed& event) {
  if (options_.publication != nullptr) options_.publication->on(event);
  if (shown_orders_ != nullptr) [[unlikely]]
    shown_orders_->on(event);
  tell_terms(event.account, event);
  if (options_.tape != nullptr)
    tape_order(Tape::OrderKind::refreshed, event.id, {}, event.price, event.displayed, event.account, event.side,
               Reason::none);
}

void Desk::on(const Triggered& event) {
  if (options_.publication != nullptr) options_.publication->on(event);
  if (shown_orders_ != nullptr) [[unlikely]]
    shown_orders_->on(event);
  tell_terms(event.account, event);
  if (options_.tape != nullptr)
    tape_order(Tape::OrderKind::triggered, event.id, {}, event.price, event.quantity, event.account, event.side,
               Reason::none);
}

void Desk::on(const Repriced& event) {
  if (options_.publication != nullptr) options_.publication->on(event);
  if (shown_orders_ != nullptr) [[unlikely]]
    shown_orders_->on(event);
  if (!undisplayed_.empty() && undisplayed_.contains(event.id)) perhaps_gone_.push_back(event.id);
  tell_terms(event.account, event);
  if (options_.tape != nullptr)
    tape_order(event.is_parked != 0 ? Tape::OrderKind::parked : Tape::OrderKind::repriced, event.id, {}, event.price,
               event.open, event.account, event.side, Reason::none);
}

void Desk::on(const PhaseChanged& event) {
  if (options_.publication != nullptr) options_.publication->on(event);
  if (shown_orders_ != nullptr) [[unlikely]]
    shown_orders_->on(event);
  uncrossing_ = false;                     // the stops that an auction has triggered trade like any others
  indicative_ = {.symbol = event.symbol};  // a phase begins without one, for its listeners, too
  for (const PhaseAddress& listener : phase_listeners_) listener.send(event);
  if (options_.tape != nullptr)
    options_.tape->phase({.time_ns = now_ns_,
                          .price = {},
                          .volume = 0,
                          .imbalance = 0,
                          .symbol = event.symbol,
                          .phase = event.phase,
                          .uncrossed = false});
}

void Desk::on(const Uncrossed& event) {
  if (options_.publication != nullptr) options_.publication->on(event);
  if (shown_orders_ != nullptr) [[unlikely]]
    shown_orders_->on(event);
  uncrossing_ = true;
  for (const AuctionAddress& listener : auction_listeners_) listener.send(event);
  auctions_.push_back({now_ns_, event.price, event.volume, event.imbalance, event.symbol});
  if (options_.tape != nullptr)
    options_.tape->phase({.time_ns = now_ns_,
                          .price = event.price,
                          .volume = event.volume,
                          .imbalance = event.imbalance,
                          .symbol = event.symbol,
                          .phase = {},
                          .uncrossed = true});
}

/// Whether the resting order of a trade could be seen by everyone. Orders that are used up are forgotten.
bool Desk::was_displayed(const Traded& event) {
  const bool displayed = !undisplayed_.contains(event.maker);
  if (!displayed && event.maker_open == Quantity{}) undisplayed_.erase(event.maker);
  if (undisplayed_.contains(event.taker)) perhaps_gone_.push_back(event.taker);
  return displayed;
}

// ---- market data

Indicative Desk::indicative() const {
  Indicative now{.symbol = options_.instrument.symbol};
  if (!collects(book_.phase())) return now;
  if (const auto found = book_.indicative()) {
    now.price = found->price;
    now.volume = found->volume;
    now.imbalance = found->imbalance;
  }
  return now;
}

void Desk::publish_by_rules() {
  uncrossing_ = false;
  for (const OrderId id : perhaps_gone_)
    if (!book_.find(id)) undisplayed_.erase(id);
  perhaps_gone_.clear();
  if (auction_listeners_.empty()) return;
  Indicative now = indicative();
  if (now.price == indicative_.price && now.volume == indicative_.volume && now.imbalance == indicative_.imbalance)
    return;
  now.arrival_ns = caused_ns();
  indicative_ = now;
  // How it ended is said by Uncrossed.
  if (!collects(book_.phase())) return;
  for (const AuctionAddress& listener : auction_listeners_) listener.send(now);
}

Quote Desk::quote() const {
  Quote quote = book_.quote();
  quote.sequence = quotes_;
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
  if (shown_orders_ != nullptr) [[unlikely]]
    shown_orders_->end();
  if (has_rules_) [[unlikely]]
    publish_by_rules();
  if (!quote_listeners_.empty() || options_.tape != nullptr) publish_quote();
  if (!depth_listeners_.empty()) publish_depth();
  if (options_.publication != nullptr) options_.publication->book(book_, now_ns_);
}

void Desk::publish_quote() {
  Quote quote = book_.quote();
  if (quote.bid_quantity == quote_.bid_quantity && quote.ask_quantity == quote_.ask_quantity &&
      quote.bid == quote_.bid && quote.ask == quote_.ask)
    return;
  quote.sequence = ++quotes_;
  quote.arrival_ns = caused_ns();
  quote_ = quote;
  for (const QuoteAddress& listener : quote_listeners_) listener.send(quote);
  if (options_.tape != nullptr) options_.tape->quote({now_ns_, quote});
}

void Desk::publish_depth() {
  Depth now = depth();
  if (now.bid_levels == depth_.bid_levels && now.ask_levels == depth_.ask_levels && now.bids == depth_.bids &&
      now.asks == depth_.asks)
    return;
  now.arrival_ns = caused_ns();
  depth_ = now;
  for (const DepthAddress& listener : depth_listeners_) listener.send(depth_);
}

void Desk::print(Price price, Quantity quantity, Side aggressor, bool hidden) {
  ++trades_;
  if (options_.publication != nullptr) options_.publication->trade(price, quantity, aggressor, hidden, now_ns_);
  if (trade_listeners_.empty()) return;
  const TradePrint trade{.price = price,
                         .quantity = quantity,
                         .symbol = options_.instrument.symbol,
                         .aggressor = aggressor,
                         .hidden = hidden,
                         .sequence = trades_,
                         .arrival_ns = caused_ns()};
  for (const TradeAddress& listener : trade_listeners_) listener.send(trade);
}

// ---- history

void Desk::take(const HistoryEvent& event) {
  ++ledger_->events;
  took(event.arrival_ns);
  applying_history_ = true;
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
  applying_history_ = false;
  printable_ = true;
  publish();
  if (options_.probe != nullptr) options_.probe->after(event, book_);
}

void Desk::fail(const HistoryEvent& event, Reason reason, Quantity open) {
  ++ledger_->broken_events;
  if (ledger_->failed()) return;
  ledger_->first_failure = {event.record, event.kind, reason, event.id, event.quantity, open};
  if (options_.failed != nullptr) options_.failed->store(true, std::memory_order_relaxed);
}

/// With none of ours about, the book checks what history asks of it, and its refusal is all there is to say.
bool Desk::came_true(const HistoryEvent& event) {
  if (refused_ == Reason::none) [[likely]]
    return true;
  if (refused_ == Reason::unknown_order) return false;
  const auto order = book_.find(event.id);
  fail(event, refused_, order ? order->open : Quantity{});
  return true;
}

void Desk::execute(const HistoryEvent& event) {
  if (event.printable != 0) {
    ++ledger_->trades;
    ledger_->shares += event.quantity.lots;
  }
  if (!ours_are_here()) [[likely]] {
    Execution execution{.id = event.id, .quantity = event.quantity};
    if (event.price != Price{}) execution.price = event.price;
    book_.execute(execution, *this);
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
  if (executed != 0) book_.execute(Execution{.id = order->id, .quantity = {executed}, .price = price}, *this);
  const std::uint32_t filled_for_it = std::min(filled, asked - executed);
  const std::uint32_t unseen = quantity - asked - (filled - filled_for_it);  // of orders that nobody has shown
  if (unseen != 0 && price != Price{}) {
    if (printable_) print(price, {unseen}, opposite(order->side), false);
    if (printable_ && shown_orders_ != nullptr) shown_orders_->on_unseen_trade(price, {unseen}, order->side);
    if (options_.tape != nullptr)
      options_.tape->trade(
          {now_ns_, event.id, {}, price, {unseen}, event.symbol, {}, {}, opposite(order->side), 0, 0, 0});
  }
  settle(event, *order, {.asked = asked, .done = executed, .filled_for_it = filled_for_it, .filled = filled});
}

void Desk::reduce(const HistoryEvent& event) {
  if (!ours_are_here()) [[likely]] {
    book_.reduce(ReduceOrder{.id = event.id, .by = event.quantity, .symbol = event.symbol}, *this);
    if (came_true(event)) [[likely]]
      return;
  }
  if (const auto order = named(event); order)
    take_out(event, *order, order->is_shown ? event.quantity.lots : std::min(event.quantity.lots, order->believed()));
}

void Desk::remove(const HistoryEvent& event) {
  if (!ours_are_here()) [[likely]] {
    book_.cancel(CancelOrder{.id = event.id, .symbol = event.symbol}, *this);
    if (came_true(event)) [[likely]]
      return;
  }
  if (const auto order = named(event); order)
    take_out(event, *order, order->is_shown ? order->believed() : std::min(event.quantity.lots, order->believed()));
}

void Desk::replace(const HistoryEvent& event) {
  if (event.new_id == event.id) return modify(event);
  HistoryEvent added = event;
  added.id = event.new_id;
  if (!ours_are_here()) [[likely]] {
    const auto order = book_.find(event.id);
    if (!order) return static_cast<void>(named(event));
    added.side = order->side;
    add(added, {});
    if (refused_ == Reason::none) book_.cancel(CancelOrder{.id = event.id, .symbol = event.symbol}, *this);
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
  if (order->open != Quantity{}) book_.cancel(CancelOrder{.id = event.id, .symbol = event.symbol}, *this);
  if (gap == 0) return;
  ledger_->missing_shares += taken - inherited;
  if (gap < 0) ledger_->surplus_shares += static_cast<std::uint64_t>(-gap);
  adjust(count_missing(*order->strayed, taken));
  strayed_.erase(event.id);
}

/// A replacement under its own id: what only shrinks where it is keeps its place.
void Desk::modify(const HistoryEvent& event) {
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
  if (order->open != Quantity{}) book_.cancel(CancelOrder{.id = event.id, .symbol = event.symbol}, *this);
  strayed_.erase(event.id);
  add(added, {inherited});
  if (refused_ != Reason::none || strayed.gap == 0) return;
  ledger_->missing_shares += taken - inherited;
  if (strayed.gap < 0) ledger_->surplus_shares += static_cast<std::uint64_t>(-strayed.gap);
  adjust(count_missing(strayed, taken));
}

/// Enters an order of history, but for what is `missing` of it. Ours that wait where it comes in trade with it first.
void Desk::add(const HistoryEvent& event, Quantity missing) {
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
               *this);
    if (refused_ != Reason::none) [[unlikely]]
      return fail(event, refused_);
  }
  if (own_.empty() && missing == Quantity{}) [[likely]]
    return;

  history_taker_ = event.id;
  const Named front{.side = opposite(event.side), .price = event.side == Side::buy ? event.price + 1 : event.price - 1};
  const Quantity met = fill_own(front, event.quantity - missing);
  history_taker_ = {};
  if (met != Quantity{}) {
    book_.reduce(ReduceOrder{.id = event.id, .by = met, .symbol = event.symbol}, *this);
    ledger_->taken_shares += met.lots;
    adjust(met.lots);
  }
  if (met + missing != Quantity{})
    strayed_[event.id] = {event.side, event.price, std::int64_t{met.lots} + missing.lots, 0};
}

void Desk::hidden_execute(const HistoryEvent& event) {
  if (event.printable == 0) return;
  ++ledger_->trades;
  ++ledger_->hidden_trades;
  ledger_->shares += event.quantity.lots;
  print(event.price, event.quantity, opposite(event.side), true);
  if (shown_orders_ != nullptr) shown_orders_->on_unseen_trade(event.price, event.quantity, event.side);
  if (options_.tape != nullptr)
    options_.tape->trade(
        {now_ns_, {}, {}, event.price, event.quantity, event.symbol, {}, {}, opposite(event.side), 1, 0, 0});
}

void Desk::clear() {
  book_.clear(Reason::requested, *this);
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
std::optional<Desk::Named> Desk::named(const HistoryEvent& event) {
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
Quantity Desk::fill_own(const Named& order, Quantity quantity) {
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
    book_.execute(Execution{.id = id, .quantity = part}, *this);  // forgets it if that was all
    filled += part;
  }
  return filled;
}

/// History takes `quantity` of an order away without trading it.
void Desk::take_out(const HistoryEvent& event, const Named& order, std::uint32_t quantity) {
  const std::uint32_t taken = std::min(quantity, order.open.lots);
  if (taken != 0) book_.reduce(ReduceOrder{.id = order.id, .by = {taken}, .symbol = event.symbol}, *this);
  settle(event, order, {.asked = quantity, .done = taken});
}

/// After an event was applied as far as it could be: what history and the book now have of the order, and what of the
/// event went another way.
void Desk::settle(const HistoryEvent& event, const Named& order, const Applied& applied) {
  const std::uint32_t missing = applied.asked - applied.done - applied.filled_for_it;
  const std::uint32_t believed = order.believed() - applied.asked;
  const std::uint32_t open = order.open.lots - applied.done;
  const std::uint32_t surplus = believed == 0 ? open : 0;  // history is done with it
  if (surplus != 0) book_.cancel(CancelOrder{.id = order.id, .symbol = event.symbol}, *this);
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

void Desk::adjust(std::uint64_t shares) {
  if (!std::exchange(adjusted_, true)) ++ledger_->adjusted_events;
  ledger_->adjusted_shares += shares;
}

/// What of the missing shares no event has been blamed for yet.
std::uint32_t Desk::count_missing(Strayed& strayed, std::uint32_t missing) {
  const std::uint32_t counted = std::min(missing, strayed.uncounted);
  strayed.uncounted -= counted;
  return counted;
}

void Desk::note_own(OrderId id, AccountId account) {
  if (!options_.recorded || account == AccountId{}) return;
  forget_own(id);
  if (const auto order = book_.find(id); order && order->account == account)
    own_.push_back({id, order->side, order->price});
}

void Desk::forget_own(OrderId id) {
  std::erase_if(own_, [&](const OwnOrder& own) { return own.id == id; });
}

}  // namespace outcry
