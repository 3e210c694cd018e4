#include <outcry/actors/shown_orders.hpp>

#include <algorithm>
#include <string>

namespace outcry {

using Kind = MarketByOrder::Kind;
using Told = MarketByOrder::Told;

ShownOrders::ShownOrders(const OrderBook<>& book) : book_(book), shown_(std::max(book.order_count(), expected_orders)) {
  changes_.reserve(expected_changes);
  for (const Side side : {Side::buy, Side::sell})
    book_.for_each_level(side, [&](const DepthLevel& level) {
      book_.for_each_order(side, level.price, [&](const OrderView& order) {
        shown_.insert(order.id, {order.price, order.open.lots, side});
      });
    });
}

void ShownOrders::subscribe(const OrdersAddress& address, std::int64_t now_ns) {
  now_ns_ = now_ns;
  Subscriber subscriber{.address = address, .start = {}, .from = changes_.size()};
  MarketByOrder phase = news(Kind::phase, {});
  phase.phase = book_.phase();
  subscriber.start.push_back(phase);
  for (const Side side : {Side::buy, Side::sell})
    book_.for_each_level(side, [&](const DepthLevel& level) {
      book_.for_each_order(side, level.price,
                           [&](const OrderView& order) { subscriber.start.push_back(added(order)); });
    });
  subscribers_.push_back(std::move(subscriber));
  any_ = true;
}

MarketByOrder ShownOrders::news(Kind kind, OrderId id) const {
  return {.id = id, .time_ns = now_ns_, .symbol = book_.instrument().symbol, .kind = kind};
}

MarketByOrder ShownOrders::added(const OrderView& order) const {
  MarketByOrder add = news(Kind::added, order.id);
  add.price = order.price;
  add.quantity = order.open;
  add.side = order.side;
  return add;
}

void ShownOrders::tell(const MarketByOrder& news) {
  changes_.push_back(news);
  any_ = true;
}

// Orders work one after the other: when one begins, the one before has come to rest, or is over.
void ShownOrders::working(OrderId id, bool is_hidden) {
  if (working_ == id) return;
  settle();
  working_ = id;
  hidden_ = is_hidden;
}

// An order that begins without a word (all-or-none) may trade at once with the one before, which then was told by
// nobody as it was until this trade.
void ShownOrders::settle(const Traded* against) {
  if (working_ == OrderId{}) return;
  auto order = book_.find_displayed(working_);
  if (against != nullptr && against->maker == working_ && !hidden_) {
    if (!order) order = OrderView{.id = working_, .price = against->price, .side = opposite(against->taker_side)};
    order->open += against->quantity;
  }
  if (replaced_ != OrderId{} && shown_.find(replaced_) != nullptr && order) {
    MarketByOrder news = this->news(Kind::replaced, replaced_);
    news.new_id = working_;
    news.price = order->price;
    news.quantity = order->open;
    news.side = order->side;
    tell(news);
    shown_.erase(replaced_);
    shown_.insert(working_, {order->price, order->open.lots, order->side});
  } else {
    if (replaced_ != OrderId{}) remove(replaced_);
    if (order) {
      tell(added(*order));
      shown_.insert(working_, {order->price, order->open.lots, order->side});
    }
  }
  working_ = replaced_ = {};
}

void ShownOrders::end() {
  settle();
  end_cross(book_.phase());
}

void ShownOrders::remove(OrderId id) {
  if (shown_.erase(id)) tell(news(Kind::deleted, id));
}

/// What is displayed of an order has become less, where it is.
void ShownOrders::shrink(OrderId id, std::uint32_t to) {
  Shown* const shown = shown_.find(id);
  if (shown == nullptr || to >= shown->open) return;
  if (to == 0) return remove(id);
  MarketByOrder news = this->news(Kind::reduced, id);
  news.quantity = {shown->open - to};
  shown->open = to;
  tell(news);
}

void ShownOrders::execute(OrderId id, const Traded& event, Told told) {
  Shown* const shown = shown_.find(id);
  MarketByOrder news = this->news(Kind::executed, id);
  news.price = event.price;
  news.quantity = event.quantity;
  news.trade = trade();
  news.side = shown->side;
  news.told = told == Told::at_own_price && shown->price != event.price ? Told::at_other_price : told;
  tell(news);
  shown->open -= event.quantity.lots;
  if (shown->open == 0) shown_.erase(id);
}

void ShownOrders::on(const Traded& event, bool printable) {
  if (crossing_) {
    cross_volume_ += event.quantity.lots;
    for (const OrderId id : {event.maker, event.taker})
      if (shown_.find(id) != nullptr) execute(id, event, Told::apart);
    return;
  }
  // Of an order that begins to work without a word (all-or-none), its first trade is the first to hear.
  if (event.taker != OrderId{} && event.taker != working_) settle(&event);
  if (shown_.find(event.maker) != nullptr)
    execute(event.maker, event, printable ? Told::at_own_price : Told::apart);
  else if (printable)
    tell_hidden_trade(event.price, event.quantity, opposite(event.taker_side), trade());
}

void ShownOrders::on_unseen_trade(Price price, Quantity quantity, Side rested) {
  tell_hidden_trade(price, quantity, rested, MarketByOrder::unseen_trades + ++unseen_);
}

void ShownOrders::tell_hidden_trade(Price price, Quantity quantity, Side rested, std::uint32_t trade) {
  MarketByOrder news = this->news(Kind::hidden_trade, {});
  news.price = price;
  news.quantity = quantity;
  news.trade = trade;
  news.side = rested;
  tell(news);
}

void ShownOrders::on_broken(std::uint32_t trade) {
  MarketByOrder news = this->news(Kind::broken, {});
  news.trade = trade;
  tell(news);
}

void ShownOrders::on(const AcceptedTerms& event) {
  hidden_ = has(event.terms, Terms::hidden | Terms::all_or_none) || event.type >= SpecialType::primary_peg;
}

void ShownOrders::on(const Cancelled& event) { remove(event.id); }

void ShownOrders::on(const Reduced& event) { shrink(event.id, event.open.lots - event.reserve.lots); }

void ShownOrders::on(const Modified& event) {
  if (event.kept_place != 0) {
    if (const auto order = book_.find_displayed(event.id)) shrink(event.id, order->open.lots);
    return;
  }
  const bool was_shown = shown_.find(event.id) != nullptr;
  working(event.id, !was_shown);
  remove(event.id);
}

void ShownOrders::on(const Replaced& event) {
  working(event.new_id, shown_.find(event.id) == nullptr);
  replaced_ = event.id;
}

void ShownOrders::on(const Refreshed& event) {
  remove(event.id);
  MarketByOrder add = news(Kind::added, event.id);
  add.price = event.price;
  add.quantity = event.displayed;
  add.side = event.side;
  tell(add);
  shown_.insert(event.id, {event.price, event.displayed.lots, event.side});
}

void ShownOrders::on(const PhaseChanged& event) {
  settle();
  end_cross(event.phase);
  MarketByOrder news = this->news(Kind::phase, {});
  news.phase = event.phase;
  tell(news);
}

void ShownOrders::on(const Uncrossed& event) {
  crossing_ = true;
  cross_price_ = event.price;
  cross_volume_ = 0;
}

void ShownOrders::end_cross(Phase phase) {
  if (!crossing_) return;
  crossing_ = false;
  if (cross_volume_ == 0) return;
  MarketByOrder news = this->news(Kind::cross, {});
  news.new_id = {cross_volume_};
  news.price = cross_price_;
  news.trade = MarketByOrder::crosses + ++crosses_;
  news.phase = phase;
  tell(news);
}

void ShownOrders::forget() {
  for (Subscriber& subscriber : subscribers_) {
    subscriber.start = {};
    subscriber.from = 0;
  }
  changes_.clear();
  any_ = false;
}

std::string ShownOrders::check() const {
  std::size_t orders = 0;
  std::string wrong;
  for (const Side side : {Side::buy, Side::sell})
    book_.for_each_level(side, [&](const DepthLevel& level) {
      book_.for_each_order(side, level.price, [&](const OrderView& order) {
        ++orders;
        const Shown* shown = shown_.find(order.id);
        if (shown == nullptr || shown->price != order.price || shown->open != order.open.lots || shown->side != side)
          wrong = "order " + std::to_string(order.id.value) + " was told as another";
      });
    });
  if (wrong.empty() && orders != shown_.size())
    wrong = std::to_string(shown_.size()) + " orders were told, " + std::to_string(orders) + " are displayed";
  return wrong;
}

}  // namespace outcry
