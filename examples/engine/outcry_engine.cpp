// The plain C interface around the book; see outcry_engine.h.
//
// Limits: no exception leaves it. Symbols share the pool of orders and the space of ids.
#include "outcry_engine.h"

#include <deque>
#include <new>
#include <utility>
#include <vector>

#include <outcry/book/order_book.hpp>

using namespace outcry;

namespace {

static_assert(OUTCRY_SELL == static_cast<int>(Side::sell) && OUTCRY_MARKET == static_cast<int>(OrderType::market));
static_assert(OUTCRY_GOOD_TILL_CANCELLED == static_cast<int>(TimeInForce::good_till_cancelled));
static_assert(OUTCRY_DAY == static_cast<int>(TimeInForce::day));
static_assert(OUTCRY_IMMEDIATE_OR_CANCEL == static_cast<int>(TimeInForce::immediate_or_cancel));
static_assert(OUTCRY_FILL_OR_KILL == static_cast<int>(TimeInForce::fill_or_kill));
static_assert(sizeof(outcry_order) == 32 && sizeof(outcry_report) == 56);

std::uint8_t number(auto enumerator) { return static_cast<std::uint8_t>(enumerator); }

/// What the books say, as the rows of the C interface.
struct Reports {
  std::vector<outcry_report> all;
  std::uint64_t told = 0;

  /// A report with what nearly every event has; the rest is zero.
  template <class Event>
  outcry_report& add(std::uint8_t kind, const Event& event) {
    outcry_report& report = all.emplace_back();
    report.sequence = ++told;
    report.kind = kind;
    report.symbol = event.symbol.value;
    if constexpr (requires { event.id; }) report.id = event.id.value;
    if constexpr (requires { event.account; }) report.account = event.account.value;
    if constexpr (requires { event.side; }) report.side = number(event.side);
    if constexpr (requires { event.price; }) report.price = event.price.units;
    if constexpr (requires { event.quantity; }) report.quantity = event.quantity.lots;
    if constexpr (requires { event.open; }) report.open = event.open.lots;
    if constexpr (requires { event.new_id; }) report.other_id = event.new_id.value;
    if constexpr (requires { event.reason; }) report.reason = number(event.reason);
    return report;
  }

  void on(const Accepted& event) { add(OUTCRY_ACCEPTED, event); }
  void on(const Rejected& event) { add(OUTCRY_REJECTED, event); }
  void on(const Traded& event) {
    outcry_report& report = add(OUTCRY_TRADED, event);
    report.id = event.maker.value;
    report.other_id = event.taker.value;
    report.open = event.maker_open.lots;
    report.account = event.maker_account.value;
    report.other_account = event.taker_account.value;
    report.side = number(event.taker_side);
  }
  void on(const Cancelled& event) { add(OUTCRY_CANCELLED, event); }
  void on(const Reduced& event) { add(OUTCRY_REDUCED, event).quantity = event.by.lots; }
  void on(const Modified& event) { add(OUTCRY_MODIFIED, event); }
  void on(const Replaced& event) { add(OUTCRY_REPLACED, event); }
};

outcry_engine_options with_defaults(const outcry_engine_options* asked) {
  outcry_engine_options options = asked != nullptr ? *asked : outcry_engine_options{};
  if (options.symbols == 0) options.symbols = 1;
  if (options.orders == 0) options.orders = 1u << 16;
  if (options.most_orders == 0) options.most_orders = 1u << 24;
  if (options.lot == 0) options.lot = 1;
  if (options.tick == 0) options.tick = 1;
  return options;
}

}  // namespace

struct outcry_engine {
  explicit outcry_engine(const outcry_engine_options& options)
      : pool({.orders = options.orders, .limit = options.most_orders}), ids(options.orders) {
    reports.all.reserve(1u << 12);
    for (std::uint32_t symbol = 0; symbol < options.symbols; ++symbol)
      books.emplace_back(Instrument{.symbol = {symbol}, .tick = options.tick, .lot = options.lot}, pool, ids);
  }

  const OrderBook<HashedIds>* find(std::uint32_t symbol) const {
    return symbol < books.size() ? &books[symbol] : nullptr;
  }

  OrderPool pool;
  HashedIds ids;
  std::deque<OrderBook<HashedIds>> books;  // they do not move
  Reports reports;
};

namespace {

/// Has the command's book carry it out; the book of symbol 0 refuses what names a symbol that is not there.
template <class Command, class Carry>
size_t carry_out(outcry_engine* engine, const Command& command, Carry&& carry) noexcept {
  const std::uint64_t before = engine->reports.told;
  try {
    auto& book = engine->books[command.symbol.value < engine->books.size() ? command.symbol.value : 0];
    std::forward<Carry>(carry)(book);
  } catch (const std::bad_alloc&) {
    return OUTCRY_NO_MEMORY;
  }
  return engine->reports.told - before;
}

}  // namespace

uint32_t outcry_engine_version() { return OUTCRY_ENGINE_VERSION; }

outcry_engine* outcry_engine_create(const outcry_engine_options* options) {
  try {
    return new outcry_engine(with_defaults(options));
  } catch (const std::exception&) {
    return nullptr;
  }
}

void outcry_engine_destroy(outcry_engine* engine) { delete engine; }

size_t outcry_engine_submit(outcry_engine* engine, const outcry_order* order) {
  const NewOrder command{.id = {order->id},
                         .price = {order->price},
                         .quantity = {order->quantity},
                         .account = {order->account},
                         .symbol = {order->symbol},
                         .side = static_cast<Side>(order->side),
                         .type = static_cast<OrderType>(order->type),
                         .time_in_force = static_cast<TimeInForce>(order->time_in_force),
                         .post_only = static_cast<PostOnly>(order->post_only)};
  return carry_out(engine, command, [&](auto& book) { book.submit(command, engine->reports); });
}

size_t outcry_engine_cancel(outcry_engine* engine, uint32_t symbol, uint32_t account, uint64_t id) {
  const CancelOrder command{.id = {id}, .account = {account}, .symbol = {symbol}};
  return carry_out(engine, command, [&](auto& book) { book.cancel(command, engine->reports); });
}

size_t outcry_engine_reduce(outcry_engine* engine, uint32_t symbol, uint32_t account, uint64_t id, uint32_t by) {
  const ReduceOrder command{.id = {id}, .by = {by}, .account = {account}, .symbol = {symbol}};
  return carry_out(engine, command, [&](auto& book) { book.reduce(command, engine->reports); });
}

size_t outcry_engine_modify(outcry_engine* engine, uint32_t symbol, uint32_t account, uint64_t id, int64_t price,
                            uint32_t quantity) {
  const ModifyOrder command{
      .id = {id}, .price = {price}, .quantity = {quantity}, .account = {account}, .symbol = {symbol}};
  return carry_out(engine, command, [&](auto& book) { book.modify(command, engine->reports); });
}

size_t outcry_engine_replace(outcry_engine* engine, uint32_t symbol, uint32_t account, uint64_t id, uint64_t new_id,
                             int64_t price, uint32_t quantity) {
  const ReplaceOrder command{.id = {id},
                             .new_id = {new_id},
                             .price = {price},
                             .quantity = {quantity},
                             .account = {account},
                             .symbol = {symbol}};
  return carry_out(engine, command, [&](auto& book) { book.replace(command, engine->reports); });
}

size_t outcry_engine_cancel_account(outcry_engine* engine, uint32_t symbol, uint32_t account) {
  const MassCancel command{.account = {account}, .symbol = {symbol}};
  return carry_out(engine, command, [&](auto& book) { book.mass_cancel(command, engine->reports); });
}

size_t outcry_engine_end_day(outcry_engine* engine, uint32_t symbol) {
  const EndOfDay command{.symbol = {symbol}};
  return carry_out(engine, command, [&](auto& book) { book.end_of_day(command, engine->reports); });
}

const outcry_report* outcry_engine_reports(const outcry_engine* engine, size_t* count) {
  *count = engine->reports.all.size();
  return engine->reports.all.data();
}

void outcry_engine_forget_reports(outcry_engine* engine) { engine->reports.all.clear(); }

const char* outcry_reason_text(uint8_t reason) { return to_string(static_cast<Reason>(reason)); }

int outcry_engine_best(const outcry_engine* engine, uint32_t symbol, uint8_t side, outcry_level* best) {
  return static_cast<int>(outcry_engine_depth(engine, symbol, side, best, 1));
}

size_t outcry_engine_depth(const outcry_engine* engine, uint32_t symbol, uint8_t side, outcry_level* levels,
                           size_t room) {
  const auto* book = engine->find(symbol);
  if (book == nullptr || side > OUTCRY_SELL) return 0;
  const PriceLadder& ladder = book->ladder(static_cast<Side>(side));
  size_t count = 0;
  for (const Level* level = ladder.empty() ? nullptr : &ladder.best(); level != nullptr && count < room;
       level = ladder.next_worse(ladder.key_of(level->price)))
    levels[count++] = {level->price.units, level->volume, level->orders};
  return count;
}

size_t outcry_engine_orders_at(const outcry_engine* engine, uint32_t symbol, uint8_t side, int64_t price,
                               outcry_resting_order* orders, size_t room) {
  const auto* book = engine->find(symbol);
  size_t count = 0;
  if (book == nullptr || side > OUTCRY_SELL) return 0;
  book->for_each_order(static_cast<Side>(side), Price{price}, [&](const OrderView& order) {
    if (count++ < room) orders[count - 1] = {order.id.value, order.open.lots, order.account.value};
  });
  return count;
}

int outcry_engine_find(const outcry_engine* engine, uint32_t symbol, uint64_t id, outcry_order* order) {
  const auto* book = engine->find(symbol);
  const auto found = book != nullptr ? book->find(OrderId{id}) : std::nullopt;
  if (!found) return 0;
  *order = {};
  order->id = found->id.value;
  order->price = found->price.units;
  order->quantity = found->open.lots;
  order->account = found->account.value;
  order->symbol = symbol;
  order->side = number(found->side);
  order->time_in_force = number(found->time_in_force);
  order->post_only = number(found->post_only);
  return 1;
}

size_t outcry_engine_order_count(const outcry_engine* engine, uint32_t symbol) {
  const auto* book = engine->find(symbol);
  return book != nullptr ? book->order_count() : 0;
}
