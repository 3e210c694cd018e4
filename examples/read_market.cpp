// Another program looks at a market: its quotes, its depth and its trades, without a copy too many and without a lock.
//
// You will see the top of the book, two levels of depth and the last two trades of a market that was simulated with
// `--publish FILE`. Here one program does both, so that it always prints the same; give MarketView a name that somebody
// publishes now (`outcry simulate --for 8h --pace 1 --publish nasdaq`) and it reads a market that lives.
//
//   build/release/bin/read_market
#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

#include <outcry/actors/market_view.hpp>
#include <outcry/actors/simulated_market.hpp>

int main() {
  const std::string file = std::filesystem::temp_directory_path() / "outcry_read_market";
  outcry::SimulatedMarket({.length = std::chrono::minutes(10), .seed = 7, .publish = file}).run();

  const outcry::MarketView market(file);
  const outcry::SymbolView symbol = *market.find("S0000");
  const double scale = static_cast<double>(symbol.instrument().price_scale);
  const auto currency = [&](outcry::Price price) { return static_cast<double>(price.units) / scale; };

  if (const auto top = symbol.top())  // empty only if the writer was met again and again
    std::printf("%.2f bid, %.2f asked\n", currency(top->bid), currency(top->ask));

  std::array<outcry::DepthRow, 2> rows;
  const std::size_t levels = symbol.depth(rows).value_or(0);
  for (std::size_t i = 0; i < levels; ++i)
    std::printf("%4llu at %.2f | %.2f for %llu\n", static_cast<unsigned long long>(rows[i].bid.volume),
                currency(rows[i].bid.price), currency(rows[i].ask.price),
                static_cast<unsigned long long>(rows[i].ask.volume));

  outcry::TradeFollower trades = symbol.follow_trades(2);  // from here on: next() until the market ends
  while (const auto trade = trades.next())
    std::printf("%u traded at %.2f\n", trade->quantity.lots, currency(trade->price));
  std::printf("%llu trades were missed\n", static_cast<unsigned long long>(trades.missed()));
  std::filesystem::remove(file);
}

// 99.72 bid, 99.74 asked
//  400 at 99.72 | 99.74 for 200
// 1700 at 99.71 | 99.75 for 400
// 100 traded at 99.73
// 200 traded at 99.73
// 0 trades were missed
