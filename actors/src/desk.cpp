// Desk: commands in, events out.
#include <outcry/actors/desk.hpp>

#include <algorithm>
#include <cassert>
#include <stdexcept>
#include <utility>

#include <outcry/actors/book_door.hpp>
#include <outcry/actors/market_publication.hpp>
#include <outcry/actors/replacement_size.hpp>

namespace outcry {

Desk::Desk(SymbolSelf self, SymbolOptions options)
    : self_(self),
      options_(std::move(options)),
      book_(options_.instrument, options_.pool != nullptr ? *options_.pool : own_pool_.emplace(), options_.book_size),
      history_(*this, book_, options_) {
  trades_kept_.reserve(options_.breakable_trades);
  if (options_.stages != nullptr) {
    stages_ = &options_.stages->of(options_.instrument.symbol);
    fairness_ = &options_.stages->fairness_of(options_.instrument.symbol);
  }
  if (options_.rules) {
    if (options_.recorded) throw std::invalid_argument("recorded history goes by its own rules");
    book_.set_rules(*options_.rules);
    has_rules_ = true;
  }
  quote_.symbol = depth_.symbol = indicative_.symbol = options_.instrument.symbol;
  history_.seed();
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
  fairness_->took(arrival_ns);
  ++in_batch_;
}

// ---- commands

void Desk::take(const NewOrder& command) {
  took(command.arrival_ns);
  book_.submit(command, *this);
  history_.note_own(command.id, command.account);
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
  history_.note_own(command.id, command.account);
  publish();
}

void Desk::take(const ReplaceOrder& command) {
  took(command.arrival_ns);
  if (command.seen_open == Quantity{}) {
    book_.replace(command, *this);
  } else if (const auto left = what_is_left({.id = command.id,
                                             .new_id = command.new_id,
                                             .account = command.account,
                                             .symbol = command.symbol,
                                             .seen_open = command.seen_open,
                                             .arrival_ns = command.arrival_ns},
                                            command.quantity)) {
    ReplaceOrder replacement = command;
    replacement.quantity = *left;
    book_.replace(replacement, *this);
  }
  history_.note_own(command.id, command.account);
  history_.note_own(command.new_id, command.account);
  publish();
}

/// Nothing: so much has traded that nothing remains, and that was told.
std::optional<Quantity> Desk::what_is_left(const InPlaceOf& replaced, Quantity wanted) {
  const auto left = replacement_size(book_, replaced.id, replaced.account, replaced.seen_open, wanted);
  if (left) return left;
  on(Rejected{.id = replaced.id,
              .new_id = replaced.new_id,
              .account = replaced.account,
              .symbol = replaced.symbol,
              .command = CommandKind::replace,
              .reason = Reason::quantity_exceeds_open,
              .arrival_ns = replaced.arrival_ns});
  return std::nullopt;
}

void Desk::take(const InPlaceOf& command) { awaited_.await(command); }

void Desk::replace(const InPlaceOf& replaced, SpecialOrder order) {
  const auto left = what_is_left(replaced, order.quantity);
  if (!left) return;
  if (order.part <= order.quantity)
    order.part = std::min(order.part, *left);  // a part too large is the book's to refuse
  order.quantity = *left;
  book_.replace(ReplaceTerms{.id = replaced.id, .order = order}, *this);
  history_.note_own(replaced.id, order.account);
  history_.note_own(order.id, order.account);
}

void Desk::take(const EndOfDay& command) {
  took(command.arrival_ns);
  book_.end_of_day(command, *this);
  publish();
}

void Desk::take(const SpecialOrder& command) {
  took(command.arrival_ns);
  if (const auto replaced = awaited_.completed_by(command))
    replace(*replaced, command);
  else
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

void Desk::take(const HistoryEvent& event) {
  took(event.arrival_ns);
  history_.apply(event);
  publish();
  if (options_.probe != nullptr) options_.probe->after(event, book_);
}

void Desk::keep(const Traded& event, std::uint32_t number) {
  const std::size_t place = (number - 1) % options_.breakable_trades;
  if (place == trades_kept_.size())
    trades_kept_.push_back({event, number});
  else
    trades_kept_[place] = {event, number};
}

void Desk::take(const BreakTrade& command) {
  if (trades_kept_.empty() || command.trade == 0) return;
  const std::size_t place = (command.trade - 1) % options_.breakable_trades;
  if (place >= trades_kept_.size() || trades_kept_[place].number != command.trade) return;
  if (std::exchange(trades_kept_[place].broken, true)) return;
  const Traded& traded = trades_kept_[place].traded;
  TradeBroken broken{.id = traded.maker,
                     .price = traded.price,
                     .quantity = traded.quantity,
                     .account = traded.maker_account,
                     .symbol = command.symbol,
                     .trade = command.trade,
                     .side = opposite(traded.taker_side),
                     .reason = command.reason,
                     .arrival_ns = command.arrival_ns};
  const auto tell_owner = [&] {
    const auto found = broken_listeners_.find(broken.account.value);
    if (found != broken_listeners_.end()) found->second.send(broken);
  };
  tell_owner();
  broken.id = traded.taker;
  broken.account = traded.taker_account;
  broken.side = traded.taker_side;
  tell_owner();
  if (shown_orders_ != nullptr) shown_orders_->on_broken(command.trade);
}

void Desk::take(const EnterSymbol& enter) {
  if (enter.terms) terms_listeners_[enter.account.value] = enter.terms;
  if (enter.broken) broken_listeners_[enter.account.value] = enter.broken;
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

/// Those who follow the book from outside: the shared memory, and who subscribed to its orders.
template <class Event, class... More>
void Desk::tell_followers(const Event& event, More... more) {
  if (options_.publication != nullptr) options_.publication->on(event);
  if (shown_orders_ != nullptr) [[unlikely]]
    shown_orders_->on(event, more...);
}

template <class Event>
void Desk::tell_terms(AccountId account, const Event& event) {
  if (const auto found = terms_listeners_.find(account.value); found != terms_listeners_.end())
    found->second.send(event);
}

template <class Event>
void Desk::tape(Tape::OrderKind kind, const Event& event, Quantity quantity, Reason reason) {
  if (options_.tape == nullptr) return;
  OrderId new_id{};
  if constexpr (requires { event.new_id; }) new_id = event.new_id;
  options_.tape->order(
      {now_ns_, event.id, new_id, event.price, quantity, event.account, event.symbol, kind, event.side, {reason}, 0});
}

// History's own orders have no owner who listens, and their file tells of them.

void Desk::on(const Accepted& event) {
  tell_followers(event);
  if (history_.applying()) return;
  tell(event.account, event);
  tape(Tape::OrderKind::accepted, event, event.quantity);
}

void Desk::on(const Rejected& event) {
  if (options_.publication != nullptr) options_.publication->on(event);
  history_.refused(event.reason);
  if (history_.applying()) return;
  tell(event.account, event);
  if (options_.tape != nullptr)
    options_.tape->order({.time_ns = now_ns_,
                          .id = event.id,
                          .new_id = event.new_id,
                          .price = {},
                          .quantity = {},
                          .account = event.account,
                          .symbol = event.symbol,
                          .kind = Tape::OrderKind::rejected,
                          .side = Side::buy,
                          .reason = event.reason,
                          .terms = 0});
}

void Desk::on(const Traded& event) {
  tell_followers(event, history_.printable());
  const Side maker_side = opposite(event.taker_side);
  const bool ours_rested = !options_.recorded || event.maker_account != AccountId{};
  const auto trade = static_cast<std::uint32_t>(book_.counts().trades);
  if (options_.breakable_trades != 0) [[unlikely]]
    keep(event, trade);
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
  if (!history_.applying()) {
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
    if (!ours_rested) history_.took(event);
  }
  if (history_.printable()) print(event.price, event.quantity, event.taker_side, hidden);
  if (ours_rested && event.maker_open == Quantity{}) history_.forget_own(event.maker);
  if (options_.tape != nullptr) {
    const OrderId taker = history_.applying() ? history_.taker() : event.taker;
    options_.tape->trade({now_ns_, event.maker, taker, event.price, event.quantity, event.symbol, event.maker_account,
                          event.taker_account, event.taker_side, hidden, 0, 0});
  }
}

void Desk::on(const Cancelled& event) {
  tell_followers(event);
  if (options_.recorded) {
    if (event.account == AccountId{}) return;
    history_.forget_own(event.id);
  }
  if (!undisplayed_.empty()) undisplayed_.erase(event.id);
  tell(event.account, event);
  tape(Tape::OrderKind::cancelled, event, event.quantity, event.reason);
}

void Desk::on(const Reduced& event) {
  tell_followers(event);
  if (history_.applying()) return;
  tell(event.account, event);
  tape(Tape::OrderKind::reduced, event, event.open);
}

void Desk::on(const Modified& event) {
  tell_followers(event);
  tell(event.account, event);
  tape(Tape::OrderKind::modified, event, event.quantity);
}

void Desk::on(const Replaced& event) {
  tell_followers(event);
  if (!undisplayed_.empty() && undisplayed_.erase(event.id) != 0) {
    undisplayed_.insert(event.new_id);
    perhaps_gone_.push_back(event.new_id);
  }
  tell(event.account, event);
  tape(Tape::OrderKind::replaced, event, event.quantity);
}

// ---- events of books with rules

void Desk::on(const AcceptedTerms& event) {
  tell_followers(event);
  if (has(event.terms, Terms::hidden | Terms::all_or_none) || is_peg(event.type))
    undisplayed_.insert(event.id);
  else if (!undisplayed_.empty())
    undisplayed_.erase(event.id);  // it is displayed in the place of one that was not
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
  tell_followers(event);
  tell_terms(event.account, event);
  tape(Tape::OrderKind::refreshed, event, event.displayed);
}

void Desk::on(const Triggered& event) {
  tell_followers(event);
  tell_terms(event.account, event);
  tape(Tape::OrderKind::triggered, event, event.quantity);
}

void Desk::on(const Repriced& event) {
  tell_followers(event);
  if (!undisplayed_.empty() && undisplayed_.contains(event.id)) perhaps_gone_.push_back(event.id);
  tell_terms(event.account, event);
  tape(event.is_parked != 0 ? Tape::OrderKind::parked : Tape::OrderKind::repriced, event, event.open);
}

void Desk::on(const PhaseChanged& event) {
  tell_followers(event);
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
  tell_followers(event);
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

void Desk::print_unseen(const UnseenTrade& trade) {
  if (history_.printable()) {
    print(trade.price, trade.quantity, opposite(trade.side), trade.hidden);
    if (shown_orders_ != nullptr) shown_orders_->on_unseen_trade(trade.price, trade.quantity, trade.side);
  }
  if (options_.tape != nullptr)
    options_.tape->trade({now_ns_,
                          trade.rested,
                          {},
                          trade.price,
                          trade.quantity,
                          options_.instrument.symbol,
                          {},
                          {},
                          opposite(trade.side),
                          trade.hidden,
                          0,
                          0});
}

}  // namespace outcry
