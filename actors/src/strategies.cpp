#include <outcry/actors/strategies.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

namespace outcry {

namespace {

constexpr std::uint32_t wanted_size = 100;
constexpr std::int64_t most_sizes_held = 10;
constexpr std::int64_t sizes_for_a_tick = 2;  // of inventory move both quotes by one tick

constexpr std::array<NamedStrategy, 1> named{
    {{"maker", "quotes both sides of every symbol, leaning against its inventory", maker_strategy}}};

struct Quoting {
  OrderId order{};
  Price price{};
};

/// The best price of a side without what we have there alone.
Price best_of_others(const Trader& trader, const Quoting& own, Price best, std::uint32_t shown, std::int64_t tick,
                     Side side) {
  const OrderState* order = trader.order(own.order);
  if (order == nullptr || order->done() || order->price != best || shown > order->open.lots) return best;
  return side == Side::buy ? best - tick : best + tick;
}

void keep(Trader& trader, SymbolId symbol, Side side, Quoting& own, bool wanted, Price price, Quantity size) {
  const OrderState* order = trader.order(own.order);
  if (order != nullptr && !order->done()) {
    // The old order must be gone before the new one comes, else both could fill.
    if (!wanted || own.price != price) trader.cancel(own.order);
    return;
  }
  if (!wanted) return;
  const OrderOptions options{.symbol = symbol, .post_only = PostOnly::yes};
  own.order = side == Side::buy ? trader.buy(size, price, options) : trader.sell(size, price, options);
  own.price = price;
}

void quote(Trader& trader, SymbolId symbol, Quoting& bid, Quoting& ask) {
  const Quote& now = trader.quote(symbol);
  if (!now.has_both()) return;
  const Instrument& instrument = trader.instrument(symbol);
  const std::uint32_t lot = instrument.lot;
  const Quantity size{std::max(lot, wanted_size / lot * lot)};
  const std::int64_t held = trader.position(symbol).lots / static_cast<std::int64_t>(size.lots);
  const std::int64_t lean = held / sizes_for_a_tick * instrument.tick;

  Price buy = best_of_others(trader, bid, now.bid, now.bid_quantity, instrument.tick, Side::buy) -
              std::max<std::int64_t>(lean, 0);
  Price sell = best_of_others(trader, ask, now.ask, now.ask_quantity, instrument.tick, Side::sell) -
               std::min<std::int64_t>(lean, 0);
  // Recorded prices may lie between the ticks; ours do not.
  buy = Price{buy.units - buy.units % instrument.tick};
  sell = Price{(sell.units + instrument.tick - 1) / instrument.tick * instrument.tick};
  keep(trader, symbol, Side::buy, bid, held < most_sizes_held && buy >= instrument.lowest && buy.units > 0, buy, size);
  keep(trader, symbol, Side::sell, ask, held > -most_sizes_held && sell <= instrument.highest, sell, size);
}

}  // namespace

std::span<const NamedStrategy> strategies() { return named; }

StrategyFunction strategy_named(std::string_view name) {
  for (const NamedStrategy& one : named)
    if (one.name == name) return one.function;
  return nullptr;
}

Strategy maker_strategy(Trader& trader) {
  std::vector<std::array<Quoting, 2>> quoting(trader.symbol_count());
  while (co_await trader.next()) {
    // Not on news of our orders: the quote that we know is older than they are, and shows what has just gone.
    if (trader.news() != Trader::News::quote) continue;
    const SymbolId symbol = trader.news_symbol();
    if (trader.phase(symbol) != Phase::continuous) continue;  // its orders are refused
    auto& [bid, ask] = quoting[symbol.value];
    quote(trader, symbol, bid, ask);
  }
}

}  // namespace outcry
