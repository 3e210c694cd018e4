#include <outcry/actors/load_orders.hpp>

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

namespace outcry {

namespace {

constexpr std::int64_t passive_ticks = 50;
constexpr double share_that_trades = 0.1;
constexpr double share_of_cancels = 0.4;

Alpha<8> name_on_wire(const std::string& symbol) { return Alpha<8>(std::string_view(symbol)); }

}  // namespace

void LoadCounts::add(const LoadCounts& other) {
  orders += other.orders;
  cancels += other.cancels;
  acknowledged += other.acknowledged;
  rejected += other.rejected;
  executions += other.executions;
  bought += other.bought;
  sold += other.sold;
  cancelled += other.cancelled;
  sent_again += other.sent_again;
  logins += other.logins;
  for (const auto& [reason, count] : other.reasons) reasons[reason] += count;
}

LoadOrders::LoadOrders(const LoadOrdersOptions& options, LoadTimes& times)
    : options_(options), times_(times), random_(options.seed) {
  assert(!options_.symbols.empty() && "a load generator needs something to trade");
}

std::size_t LoadOrders::next(std::span<std::byte> out, std::int64_t due_ns) {
  if (options_.scenario == LoadScenario::cancel_storm) {
    if (to_cancel_ != 0) return cancel(out, std::exchange(to_cancel_, 0), due_ns);
    const std::size_t size = enter(out, false, due_ns);
    to_cancel_ = next_ref() - 1;
    return size;
  }
  const double drawn = random_.uniform();
  const bool full = in_book_ >= options_.most_resting;
  if (full || (drawn >= share_that_trades && drawn < share_that_trades + share_of_cancels))
    if (const std::uint32_t ref = oldest_live(); ref != 0) return cancel(out, ref, due_ns);
  return enter(out, drawn < share_that_trades, due_ns);
}

std::size_t LoadOrders::enter(std::span<std::byte> out, bool takes, std::int64_t due_ns) {
  Order order;
  order.due_ns = due_ns;
  order.buys = random_.below(2) == 0;
  order.takes = takes;
  order.symbol = static_cast<std::uint16_t>(random_.below(options_.symbols.size()));
  order.quantity = order.open = options_.quantity;
  const std::int64_t ticks = takes ? passive_ticks + 10 : -1 - static_cast<std::int64_t>(random_.below(passive_ticks));
  order.price = static_cast<std::uint32_t>(options_.price + (order.buys ? ticks : -ticks) * options_.tick);
  orders_.push_back(order);
  ++counts_.orders;
  return write(out, next_ref() - 1);
}

std::size_t LoadOrders::write(std::span<std::byte> out, std::uint32_t ref) const {
  const Order& order = at(ref);
  ouch50::EnterOrder message;
  message.user_ref = ref;
  message.side = order.buys ? ouch50::Side::buy : ouch50::Side::sell;
  message.quantity = order.quantity;
  message.symbol = name_on_wire(options_.symbols[order.symbol]);
  message.price = order.price;
  message.time_in_force = order.takes ? ouch50::TimeInForce::immediate_or_cancel : ouch50::TimeInForce::day;
  message.display = ouch50::Display::visible;
  message.capacity = ouch50::Capacity::principal;
  return ouch50::encode(message, out);
}

std::size_t LoadOrders::cancel(std::span<std::byte> out, std::uint32_t ref, std::int64_t due_ns) {
  at(ref).cancel_due_ns = due_ns;
  ++counts_.cancels;
  ouch50::CancelOrder message;
  message.user_ref = ref;
  return ouch50::encode(message, out);
}

std::uint32_t LoadOrders::oldest_live() {
  while (!live_.empty()) {
    const std::uint32_t ref = live_.front();
    live_.pop_front();
    const Order& order = at(ref);
    if (order.state == State::live && order.cancel_due_ns == 0) return ref;
  }
  return 0;
}

std::size_t LoadOrders::next_clean_up(std::span<std::byte> out, std::int64_t now_ns) {
  const std::uint32_t ref = oldest_live();
  return ref == 0 ? 0 : cancel(out, ref, now_ns);
}

void LoadOrders::begin_again() {
  live_.clear();
  for (std::uint32_t ref = first_ref_; ref != next_ref(); ++ref) {
    Order& order = at(ref);
    if (order.state == State::done) continue;
    order.cancel_due_ns = 0;
    if (order.state == State::live) live_.push_back(ref);
  }
}

std::size_t LoadOrders::next_again(std::span<std::byte> out, std::uint32_t& from) {
  while (from < orders_.size()) {
    const std::uint32_t index = from++;
    if (orders_[index].state != State::sent) continue;
    ++counts_.sent_again;
    return write(out, first_ref_ + index);
  }
  return 0;
}

LoadOrders::Order* LoadOrders::find(std::uint32_t ref, const char* what) {
  if (ref >= first_ref_ && ref < next_ref()) return &at(ref);
  if (ref != 0 && ref < first_ref_) return nullptr;  // of an earlier run
  fail(fmt::format("{} of order {}, which was never sent", what, ref));
  return nullptr;
}

void LoadOrders::heard(std::span<const std::byte> message, std::int64_t now_ns) {
  const auto decoded = ouch50::decode_outbound(message);
  if (!decoded) return fail(fmt::format("a message of {} bytes is none of OUCH 5.0", message.size()));
  switch (decoded.message.type()) {
    case ouch50::Accepted::code: return on(decoded.message.as<ouch50::Accepted>(), now_ns);
    case ouch50::Rejected::code: return on(decoded.message.as<ouch50::Rejected>(), now_ns);
    case ouch50::Executed::code: return on(decoded.message.as<ouch50::Executed>(), now_ns);
    case ouch50::Canceled::code: {
      const auto& canceled = decoded.message.as<ouch50::Canceled>();
      return leave(canceled.user_ref, canceled.decrement, now_ns);
    }
    case ouch50::AiqCanceled::code: {
      const auto& canceled = decoded.message.as<ouch50::AiqCanceled>();
      return leave(canceled.user_ref, canceled.decrement, now_ns);
    }
    case ouch50::Replaced::code:
    case ouch50::Modified::code: return fail("a replacement or modification that nobody asked for");
    default: return;
  }
}

void LoadOrders::on(const ouch50::Accepted& message, std::int64_t now_ns) {
  Order* order = find(message.user_ref, "an acceptance");
  if (order == nullptr) return;
  if (order->state != State::sent)
    return fail(fmt::format("order {} was acknowledged twice", message.user_ref.value()));
  if (message.quantity != order->quantity || message.price != order->price ||
      (message.side == ouch50::Side::buy) != order->buys ||
      message.symbol.text() != std::string_view(options_.symbols[order->symbol]))
    return fail(fmt::format("order {} was accepted as another one", message.user_ref.value()));
  ++counts_.acknowledged;
  times_.ack.record(now_ns - order->due_ns);
  if (message.state == ouch50::OrderState::dead) {
    order->state = State::done;
    ++counts_.cancelled;
    return;
  }
  order->state = State::live;
  ++in_book_;
  if (!order->takes && order->cancel_due_ns == 0) live_.push_back(message.user_ref);
}

void LoadOrders::on(const ouch50::Rejected& message, std::int64_t now_ns) {
  Order* order = find(message.user_ref, "a rejection");
  if (order == nullptr) return;
  if (order->state != State::sent)
    return fail(fmt::format("order {} was rejected after it had been acknowledged", message.user_ref.value()));
  ++counts_.acknowledged;
  ++counts_.rejected;
  ++counts_.reasons[message.reason];
  times_.ack.record(now_ns - order->due_ns);
  order->state = State::done;
}

void LoadOrders::on(const ouch50::Executed& message, std::int64_t now_ns) {
  Order* order = find(message.user_ref, "an execution");
  if (order == nullptr) return;
  if (order->state != State::live || message.quantity > order->open || message.quantity == 0u)
    return fail(fmt::format("order {} executed {} shares of {} that were open", message.user_ref.value(),
                            message.quantity.value(), order->state == State::live ? order->open : 0));
  order->open -= message.quantity;
  ++counts_.executions;
  (order->buys ? counts_.bought : counts_.sold) += message.quantity;
  if (order->takes && !order->filled) times_.fill.record(now_ns - order->due_ns);
  order->filled = true;
  if (order->open == 0) end(*order);
}

void LoadOrders::leave(std::uint32_t ref, std::uint32_t decrement, std::int64_t now_ns) {
  Order* order = find(ref, "a cancel");
  if (order == nullptr) return;
  if (order->state != State::live || decrement > order->open)
    return fail(fmt::format("order {} lost {} shares of {} that were open", ref, decrement,
                            order->state == State::live ? order->open : 0));
  if (order->cancel_due_ns != 0) times_.cancel.record(now_ns - order->cancel_due_ns);
  order->open -= decrement;
  if (order->open != 0) return;
  ++counts_.cancelled;
  end(*order);
}

void LoadOrders::end(Order& order) {
  order.state = State::done;
  --in_book_;
}

}  // namespace outcry
