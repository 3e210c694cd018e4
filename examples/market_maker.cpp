// A market maker for every symbol of a market, in thirty lines. The same source runs in a simulated market, on recorded
// market data, and on a venue on sockets:
//
//   market_maker simulate --symbols 3 --for 30m
//   market_maker replay DAY.itch
//   market_maker live venue.toml --user ALICE
#include <algorithm>
#include <vector>

#include <outcry/actors/run.hpp>

using namespace outcry;

Strategy market_maker(Trader& trader) {
  constexpr Quantity size{100};
  std::vector<OrderId> bids(trader.symbol_count());
  std::vector<OrderId> asks(trader.symbol_count());
  std::vector<Time> due(trader.symbol_count());

  while (const auto update = co_await trader.next()) {
    const SymbolId symbol = update.symbol;
    const Quote& quote = trader.quote(symbol);
    if (!quote.has_both() || trader.now() < due[symbol.value]) continue;
    due[symbol.value] = trader.now() + std::chrono::milliseconds(100);

    // Join the best prices; with an inventory, stand back on the side that would add to it.
    const std::int64_t tick = trader.instrument(symbol).tick;
    const std::int64_t lean = trader.position(symbol).lots / 200 * tick;
    trader.keep(bids[symbol.value], Side::buy, size, quote.bid - std::max(lean, 0L), {.symbol = symbol});
    trader.keep(asks[symbol.value], Side::sell, size, quote.ask - std::min(lean, 0L), {.symbol = symbol});
  }
}

int main(int argc, char** argv) { return run(market_maker, argc, argv); }
