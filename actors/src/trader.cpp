// Trader: keeps the books of one strategy.
#include <outcry/actors/trader.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <utility>

#include <outcry/book/order_terms.hpp>

namespace outcry {

namespace {

// Ids of strategies lie above those that exchanges give their orders.
constexpr std::uint64_t own_ids = std::uint64_t{1} << 63;

}  // namespace

Actor trader(TraderSelf self, TraderSetup setup) {
  const StrategyFunction strategy = setup.strategy;
  TraderReport* const report = setup.report;
  const Address<StrategyDone> done = setup.done;
  Trader trader(self, std::move(setup));
  std::exception_ptr thrown;
  try {
    Strategy running = strategy(trader);
    co_await running;
  } catch (const std::exception& failure) {
    if (report != nullptr) report->failure = failure.what();
    thrown = std::current_exception();
  }
  if (done) {
    done.send(StrategyDone{});
    for (bool open = true; open;) {
      const auto update = co_await trader.next();
      open = update.open;
    }
  }
  if (thrown) std::rethrow_exception(thrown);
}

Trader::Trader(TraderSelf self, TraderSetup setup) : self_(self), setup_(std::move(setup)) {
  for (std::size_t i = 0; i < setup_.symbols.size(); ++i) {
    const TraderSetup::Listed& listed = setup_.symbols[i];
    symbols_.push_back({.instrument = listed.instrument, .address = listed.address});
    listed.address.send(EnterSymbol{setup_.account, self_.address(), self_.address()});
    listed.address.send(SubscribeQuotes{self_.address()});
    listed.address.send(SubscribeTrades{self_.address()});
    if (!listed.has_rules) continue;
    listed.address.send(SubscribePhases{self_.address()});
    listed.address.send(SubscribeAuctions{self_.address()});
  }
}

Trader::~Trader() {
  if (setup_.report == nullptr) return;
  std::string failure = std::move(setup_.report->failure);
  *setup_.report = report();
  setup_.report->failure = std::move(failure);
}

const Trader::Listed& Trader::at(SymbolId symbol) const {
  if (symbol.value >= symbols_.size())
    throw std::out_of_range("there is no symbol " + std::to_string(symbol.value) + ": the market lists " +
                            std::to_string(symbols_.size()));
  return symbols_[symbol.value];
}

void Trader::watch_depth(SymbolId symbol) { at(symbol).address.send(SubscribeDepth{self_.address()}); }

std::span<const DepthLevel> Trader::depth(Side side, SymbolId symbol) const {
  const Depth& depth = at(symbol).depth;
  return side == Side::buy ? std::span(depth.bids).first(depth.bid_levels)
                           : std::span(depth.asks).first(depth.ask_levels);
}

std::int64_t Trader::stamp() const { return stamp_now(setup_.stamps, self_.scheduler()); }

// ---- orders

OrderState& Trader::note_order(Side side, Quantity quantity, Price price, SymbolId symbol) {
  static_cast<void>(at(symbol));  // throws if there is none
  const OrderId id{own_ids | std::uint64_t{setup_.account.value & 0x7FFFFFFF} << 32 | ++last_order_};
  OrderState& order = orders_[id];
  order = {.id = id, .symbol = symbol, .side = side, .price = price, .quantity = quantity, .open = quantity};
  open_.push_back(id);
  ++sent_;
  return order;
}

OrderId Trader::enter(Side side, Quantity quantity, Price price, OrderType type, const OrderOptions& terms) {
  if (terms.terms != Terms::none || terms.expires != Time{})
    return enter(side, quantity, price, type == OrderType::limit ? SpecialType::limit : SpecialType::market, 0, terms);
  OrderState& order = note_order(side, quantity, price, terms.symbol);
  const OrderId id = order.id;
  const NewOrder command{.id = id,
                         .price = price,
                         .quantity = quantity,
                         .account = setup_.account,
                         .symbol = terms.symbol,
                         .side = side,
                         .type = type,
                         .time_in_force = terms.time_in_force,
                         .post_only = terms.post_only,
                         .arrival_ns = stamp()};
  if (!at(terms.symbol).address.send(command).accepted()) {
    ++refused_;
    finish(order, OrderProgress::refused, Reason::mailbox_full);
  }
  return id;
}

OrderId Trader::enter(Side side, Quantity quantity, Price price, SpecialType type, std::int64_t trigger,
                      OrderOptions options) {
  OrderState& order = note_order(side, quantity, price, options.symbol);
  const OrderId id = order.id;
  order.type = type;
  order.trigger = trigger;
  order.terms = options.terms | (options.post_only == PostOnly::yes ? Terms::post_only : Terms::none);
  order.part = options.part;
  std::uint32_t expires_s = 0;
  if (options.expires != Time{}) {
    options.time_in_force = TimeInForce::good_till_time;
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(options.expires - Time{}).count();
    expires_s =
        static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 1, std::numeric_limits<std::uint32_t>::max() - 1));
  }
  const SpecialOrder command{.id = id,
                             .price = price,
                             .trigger = trigger,
                             .quantity = quantity,
                             .part = order.part,
                             .account = setup_.account,
                             .symbol = options.symbol,
                             .expires_s = expires_s,
                             .side = side,
                             .type = type,
                             .time_in_force = options.time_in_force,
                             .terms = order.terms,
                             .arrival_ns = stamp()};
  if (!at(options.symbol).address.send(command).accepted()) {
    ++refused_;
    finish(order, OrderProgress::refused, Reason::mailbox_full);
  }
  return id;
}

void Trader::cancel(OrderId id) {
  OrderState* order = find(id);
  if (order == nullptr || order->done() || order->cancelling) return;
  const CancelOrder command{.id = id, .account = setup_.account, .symbol = order->symbol, .arrival_ns = stamp()};
  order->cancelling = at(order->symbol).address.send(command).accepted();
}

void Trader::cancel_all(SymbolId symbol) {
  for (const OrderId id : std::vector<OrderId>(open_.begin(), open_.end()))
    if (find(id)->symbol == symbol) cancel(id);
}

void Trader::cancel_all(SymbolId symbol, Side side) {
  const MassCancel command{.account = setup_.account,
                           .symbol = symbol,
                           .buys = side == Side::buy,
                           .sells = side == Side::sell,
                           .arrival_ns = stamp()};
  if (!at(symbol).address.send(command).accepted()) return;
  for (const OrderId id : open_)
    if (OrderState* order = find(id); order->symbol == symbol && order->side == side) order->cancelling = true;
}

void Trader::modify(OrderId id, Price price, Quantity open) {
  OrderState* order = find(id);
  if (order == nullptr || order->done()) return;
  const ModifyOrder command{.id = id,
                            .price = price,
                            .quantity = open,
                            .account = setup_.account,
                            .symbol = order->symbol,
                            .arrival_ns = stamp()};
  order->modifying = at(order->symbol).address.send(command).accepted();
}

void Trader::keep(OrderId& order, Side side, Quantity quantity, Price price, OrderOptions terms) {
  const OrderState* state = find(order);
  if (state == nullptr || state->done()) {
    order = enter(side, quantity, price, OrderType::limit, terms);
  } else if (state->price != price && state->progress != OrderProgress::pending && !state->modifying &&
             state->progress != OrderProgress::waiting && !state->cancelling) {
    modify(order, price, quantity);
  }
}

const OrderState* Trader::order(OrderId id) const {
  const auto found = orders_.find(id);
  return found == orders_.end() ? nullptr : &found->second;
}

OrderState* Trader::find(OrderId id) { return const_cast<OrderState*>(std::as_const(*this).order(id)); }

void Trader::refresh(OrderState& order) {
  if (order.open == Quantity{}) {
    finish(order, OrderProgress::filled, Reason::none);
  } else {
    order.progress = order.filled == Quantity{} ? OrderProgress::live : OrderProgress::partly_filled;
  }
}

/// Splits what is open of an order that comes to rest into what everyone sees and what nobody sees.
void Trader::show(OrderState& order) {
  const bool unseen = has(order.terms, Terms::hidden | Terms::all_or_none) || is_peg(order.type) || is_stop(order.type);
  order.displayed = unseen                             ? Quantity{}
                    : has(order.terms, Terms::reserve) ? std::min(order.open, order.part)
                                                       : order.open;
  order.reserve = order.open - order.displayed;
}

void Trader::finish(OrderState& order, OrderProgress progress, Reason reason) {
  order.progress = progress;
  order.reason = reason;
  order.cancelling = order.modifying = order.parked = false;
  order.displayed = order.reserve = {};
  std::erase(open_, order.id);
  done_.push_back(order.id);
  if (done_.size() > done_orders_kept) {
    orders_.erase(done_.front());
    done_.pop_front();
  }
}

// ---- what is heard

bool Trader::absorb(Message message) {
  if (!message) {
    news_ = self_.stopping() ? News::none : News::time;
    return !self_.stopping();
  }
  std::visit([this](const auto& heard_message) { heard(heard_message); }, *message);
  return true;
}

void Trader::about_order(OrderId id, SymbolId symbol, std::int64_t arrival_ns) {
  news_ = News::order;
  news_order_ = id;
  news_symbol_ = symbol;
  if (setup_.stages != nullptr && arrival_ns != 0) setup_.stages->record(symbol, Stage::total, stamp() - arrival_ns);
}

void Trader::heard(const Accepted& event) {
  if (OrderState* order = find(event.id); order != nullptr && order->progress == OrderProgress::pending) {
    order->progress = is_stop(order->type) ? OrderProgress::waiting : OrderProgress::live;
    show(*order);
  }
  about_order(event.id, event.symbol, event.arrival_ns);
}

void Trader::heard(const Rejected& event) {
  if (OrderState* order = find(event.id); order != nullptr) {
    if (event.command == CommandKind::new_order) {
      ++refused_;
      finish(*order, OrderProgress::refused, event.reason);
    } else {
      order->cancelling = order->modifying = false;  // it stands as it was
      if (!order->done()) order->reason = event.reason;
    }
  }
  about_order(event.id, event.symbol, event.arrival_ns);
}

void Trader::heard(const Filled& event) {
  Position& position = at(event.symbol).position;
  const auto lots = static_cast<std::int64_t>(event.quantity.lots);
  const std::int64_t value = event.price.units * lots;
  const bool bought = event.side == Side::buy;
  position.lots += bought ? lots : -lots;
  position.cash += bought ? -value : value;
  position.fees += lots * (event.maker != 0 ? setup_.fees.maker : setup_.fees.taker);
  (bought ? position.bought : position.sold) += event.quantity.lots;
  ++position.fills;
  OrderState* const order = find(event.id);
  // A modification that makes it larger may trade more than was open; Modified says what is left.
  if (order != nullptr) order->filled += event.quantity;
  if (order != nullptr && !order->done()) {
    order->open -= std::min(order->open, event.quantity);
    if (event.maker != 0 && order->displayed != Quantity{}) {
      order->displayed -= std::min(order->displayed, event.quantity);  // Refreshed says what comes after it
      order->reserve = order->open - std::min(order->open, order->displayed);
    } else {
      show(*order);
    }
    refresh(*order);
  }
  about_order(event.id, event.symbol, event.arrival_ns);
}

void Trader::heard(const Cancelled& event) {
  if (OrderState* order = find(event.id); order != nullptr && !order->done()) {
    order->open = {};
    ++cancelled_;
    finish(*order, OrderProgress::cancelled, event.reason);
  }
  about_order(event.id, event.symbol, event.arrival_ns);
}

void Trader::heard(const Reduced& event) {
  if (OrderState* order = find(event.id); order != nullptr) {
    order->open = event.open;
    order->quantity = order->filled + event.open;
    show(*order);
    if (event.reserve != Quantity{}) {
      order->reserve = event.reserve;
      order->displayed = event.open - std::min(event.open, event.reserve);
    }
  }
  about_order(event.id, event.symbol, event.arrival_ns);
}

// Its trades came before it and were counted against what was open then; the event says what is open now.
void Trader::heard(const Modified& event) {
  if (OrderState* order = find(event.id); order != nullptr) {
    if (order->done() && event.open != Quantity{}) {  // they seemed to fill it
      std::erase(done_, event.id);
      open_.push_back(event.id);
    }
    order->modifying = false;
    order->price = event.price;
    order->open = event.open;
    order->quantity = order->filled + event.open;
    const Quantity displayed = order->displayed;
    show(*order);
    if (event.kept_place != 0 && displayed < order->displayed) {
      order->displayed = displayed;
      order->reserve = order->open - displayed;
    }
    if (event.open != Quantity{} || !order->done()) refresh(*order);
  }
  about_order(event.id, event.symbol, event.arrival_ns);
}

void Trader::heard(const Replaced& event) { about_order(event.new_id, event.symbol, event.arrival_ns); }

void Trader::heard(const Quote& quote) {
  at(quote.symbol).quote = quote;
  news_ = News::quote;
  news_symbol_ = quote.symbol;
  if (setup_.stages != nullptr && quote.arrival_ns != 0)
    setup_.stages->record(quote.symbol, Stage::deliver, stamp() - quote.arrival_ns);
}

void Trader::heard(const TradePrint& trade) {
  at(trade.symbol).trade = trade;
  news_ = News::trade;
  news_symbol_ = trade.symbol;
  if (setup_.stages != nullptr && trade.arrival_ns != 0)
    setup_.stages->record(trade.symbol, Stage::deliver, stamp() - trade.arrival_ns);
}

void Trader::heard(const Depth& depth) {
  at(depth.symbol).depth = depth;
  news_ = News::depth;
  news_symbol_ = depth.symbol;
}

void Trader::heard(const AcceptedTerms& event) { about_order(event.id, event.symbol, event.arrival_ns); }

void Trader::heard(const Refreshed& event) {
  if (OrderState* order = find(event.id); order != nullptr && !order->done()) {
    order->displayed = event.displayed;
    order->reserve = event.reserve;
  }
  about_order(event.id, event.symbol, 0);
}

void Trader::heard(const Triggered& event) {
  if (OrderState* order = find(event.id); order != nullptr && !order->done()) {
    order->progress = OrderProgress::live;
    order->type = event.is_market != 0 ? SpecialType::market : SpecialType::limit;
    order->price = event.price;
    show(*order);
  }
  about_order(event.id, event.symbol, 0);
}

void Trader::heard(const Repriced& event) {
  if (OrderState* order = find(event.id); order != nullptr && !order->done()) {
    order->parked = event.is_parked != 0;
    if (!order->parked) order->price = event.price;
  }
  about_order(event.id, event.symbol, 0);
}

void Trader::heard(const PhaseChanged& event) {
  Listed& listed = at(event.symbol);
  listed.phase = event.phase;
  listed.indicative.reset();
  news_ = News::phase;
  news_symbol_ = event.symbol;
}

void Trader::heard(const Indicative& event) {
  Listed& listed = at(event.symbol);
  if (event.volume != 0) {
    listed.indicative = event;
  } else {
    listed.indicative.reset();
  }
  news_ = News::indicative;
  news_symbol_ = event.symbol;
}

void Trader::heard(const Uncrossed& event) {
  Listed& listed = at(event.symbol);
  listed.uncrossed = event;
  listed.indicative.reset();
  news_ = News::auction;
  news_symbol_ = event.symbol;
}

// ---- accounts

Price Trader::mark(const Listed& listed) const {
  if (listed.quote.has_both()) return Price{(listed.quote.bid.units + listed.quote.ask.units) / 2};
  if (listed.trade) return listed.trade->price;
  return listed.quote.has_bid() ? listed.quote.bid : listed.quote.has_ask() ? listed.quote.ask : Price{};
}

std::int64_t Trader::profit(SymbolId symbol) const {
  const Listed& listed = at(symbol);
  return listed.position.cash - listed.position.fees + listed.position.lots * mark(listed).units;
}

std::int64_t Trader::profit() const {
  std::int64_t sum = 0;
  for (std::uint32_t i = 0; i < symbols_.size(); ++i) sum += profit(SymbolId{i});
  return sum;
}

TraderReport Trader::report() const {
  TraderReport report;
  for (std::uint32_t i = 0; i < symbols_.size(); ++i)
    report.lines.push_back({symbols_[i].instrument, symbols_[i].position, mark(symbols_[i]), profit(SymbolId{i})});
  report.orders = sent_;
  report.refused = refused_;
  report.cancelled = cancelled_;
  return report;
}

}  // namespace outcry
