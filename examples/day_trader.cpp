// One position a day in every symbol: in with an iceberg, protected by trailing stops, out in the closing auction. Needs
// a market with a session:
//
//   day_trader simulate --symbols 3 --for 1h --opening-to 5m --closing-from 50m --closing-to 55m
#include <algorithm>
#include <vector>

#include <outcry/actors/run.hpp>

using namespace outcry;

struct Day {
  OrderId entry{}, exit{};
  std::uint64_t covered = 0;  // by stops
};

Strategy day_trader(Trader& trader) {
  constexpr Quantity wanted{2'000}, displayed{100};
  constexpr std::int64_t patience = 25;  // ticks
  std::vector<Day> days(trader.symbol_count());

  while (const auto update = co_await trader.next()) {
    const SymbolId symbol = update.symbol;
    const Quote& quote = trader.quote(symbol);
    const Position& position = trader.position(symbol);
    auto& [entry, exit, covered] = days[symbol.value];

    if (trader.phase(symbol) == Phase::continuous && exit == OrderId{}) {
      if (entry == OrderId{} && quote.has_both())
        entry = trader.iceberg(Side::buy, wanted, displayed, quote.bid, {.symbol = symbol});
      if (position.bought > covered) {
        const Quantity more{static_cast<std::uint32_t>(position.bought - covered)};
        trader.trailing_stop(Side::sell, more, patience * trader.instrument(symbol).tick, {.symbol = symbol});
        covered = position.bought;
      }
    } else if (trader.phase(symbol) == Phase::auction && exit == OrderId{} && position.bought != 0) {
      // The closing auction: nothing of the day is left behind, and what is held is sold at the auction's price.
      trader.cancel_all(symbol, Side::buy);
      trader.cancel_all(symbol, Side::sell);
      const Quantity held{static_cast<std::uint32_t>(std::max<std::int64_t>(position.lots, 0))};
      if (held != Quantity{}) exit = trader.sell(held, quote.bid - 100, {.symbol = symbol});
    }
  }
}

int main(int argc, char** argv) { return run(day_trader, argc, argv); }
