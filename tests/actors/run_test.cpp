// The strategy that comes with the program, in a market.
#include <string>

#include <doctest/doctest.h>
#include <outcry/actors/simulated_market.hpp>
#include <outcry/actors/strategies.hpp>

using namespace outcry;

TEST_CASE("strategies are found by name") {
  CHECK((strategy_named("maker") == &maker_strategy));
  CHECK((strategy_named("taker") == nullptr));
  for (const NamedStrategy& one : strategies()) CHECK((strategy_named(one.name) == one.function));
}

TEST_CASE("the maker trades both sides, leans against its inventory, and is not its own neighbour") {
  SimulatedMarket market({.symbols = 4, .length = std::chrono::minutes(20), .seed = 3, .strategy = maker_strategy});

  const SimulationReport report = market.run();

  CHECK(report.failures == 0);
  const TraderReport& trader = market.trader_report();
  CHECK(trader.failure.empty());
  REQUIRE(trader.lines.size() == 4);
  for (const TraderReport::Line& line : trader.lines) {
    CHECK(line.position.bought > 1'000);
    CHECK(line.position.sold > 1'000);
    CHECK(std::abs(line.position.lots) <= 11 * 100);
  }
  // A quoter that takes its own quote for the market's chases itself, an order for each round trip: 10,000 a second.
  CHECK(trader.orders < 4 * 20 * 60 * 10);
}
