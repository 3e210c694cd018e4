// Strategies in the process meet the same limits as everybody else.
#include <outcry/actors/risk_gate.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <outcry/actors/simulated_market.hpp>
#include <outcry/actors/symbol.hpp>
#include <outcry/actors/trader.hpp>
#include <outcry/runtime/runtime.hpp>

using namespace outcry;
using namespace std::chrono_literals;

namespace {

constexpr AccountId mara{1};
std::vector<std::string>* story = nullptr;

void note(const Trader& trader, OrderId id) {
  const OrderState* order = trader.order(id);
  story->push_back(std::string(to_string(order->progress)) + " " + to_string(order->reason));
}

/// Each order in turn, and what it has come to when the next one goes.
Strategy tries(Trader& trader) {
  const auto rest = [&]() { return trader.next_within(50ms); };
  const OrderId orders[] = {
      trader.buy(Quantity{10}, Price{100}), trader.buy(Quantity{11}, Price{100}),  // too large
      trader.sell(Quantity{10}, Price{99}),                                        // trades with its first
      trader.buy(Quantity{10}, Price{100}), trader.buy(Quantity{10}, Price{100}),
      trader.buy(Quantity{1}, Price{100}),  // the position would be too large
  };
  while (const auto update = co_await rest())
    if (update.news == Trader::News::time) break;
  const OrderId far = trader.buy(Quantity{1}, Price{200});  // there has been a trade at 100
  trader.modify(orders[3], Price{90}, Quantity{11});        // too large
  while (const auto update = co_await rest())
    if (update.news == Trader::News::time) break;
  for (const OrderId id : orders) note(trader, id);
  note(trader, far);
  while (const auto update = co_await trader.next_until(Time(1s)))
    if (update.news == Trader::News::time) break;
  note(trader, orders[3]);
  note(trader, orders[4]);
  const OrderId late = trader.buy(Quantity{1}, Price{90});
  while (const auto update = co_await rest())
    if (update.news == Trader::News::time) break;
  note(trader, late);
}

Actor operator_of(Self<> self, KillDeskAddress desk) {
  co_await self.sleep(500ms);
  auto engaging = desk.ask(EngageKill::because(KillScope::of_firm("ACME"), "no margin"), 1s);
  const auto answer = co_await engaging;
  CHECK(answer);
}

}  // namespace

TEST_CASE(
    "a strategy behind a gate is refused what its limits do not allow, stopped by the switch, and otherwise as ever") {
  std::vector<std::string> told;
  story = &told;
  PreTradeRisk risk({.symbols = 1});
  risk.add_account(mara, RiskLimits{.largest_order = {10}, .price_collar_bp = 1'000, .largest_position = 30});
  KillSwitch kill;
  kill.add_account(mara, "ACME");
  Runtime runtime({.time = WorldTime::virtually, .latency = {.within_site = 10us}, .log = [](std::string_view) {}});
  const MailboxOptions mailbox{.capacity = 256, .when_full = WhenFull::refuse};
  const SymbolAddress market = runtime.spawn({.mailbox = mailbox}, symbol, SymbolOptions{});
  const KillDeskAddress desk =
      runtime.spawn({.mailbox = mailbox}, kill_desk, KillDeskSetup{.state = &kill, .symbols = {market}});
  runtime.spawn({.mailbox = mailbox}, risk_reference, std::vector<SymbolAddress>{market}, &risk);
  const SymbolAddress gate = runtime.spawn(
      {.mailbox = mailbox}, risk_gate, RiskGateSetup{.symbol = market, .risk = &risk, .kill = kill, .kill_desk = desk});
  TraderSetup setup{.strategy = tries, .account = mara};
  setup.symbols.push_back({.instrument = {}, .address = gate});
  runtime.spawn({.mailbox = mailbox}, trader, setup);
  runtime.spawn(operator_of, desk);
  runtime.run_until(Time(2s));

  CHECK(told == std::vector<std::string>{
                    "filled none",
                    "refused quantity_too_large",
                    "filled none",
                    "live quantity_too_large",
                    "live none",
                    "refused quantity_too_large",
                    "refused outside_band",
                    "cancelled mass_cancelled",
                    "cancelled mass_cancelled",
                    "refused market_closed",
                });
  CHECK(risk.refused(RiskReason::order_size) == 2);
  CHECK(risk.refused(RiskReason::position) == 1);
  CHECK(risk.refused(RiskReason::price_collar) == 1);
  CHECK(risk.exposure(mara) == Exposure{.bought = 1'000, .sold = 1'000});
  CHECK(risk.check() == "");
}

namespace {

/// Buys what is offered, as long as it is let; knows how far it was let.
Strategy buys_all_it_can(Trader& trader) {
  std::int64_t most = 0;
  while (const auto update = co_await trader.next()) {
    most = std::max(most, std::max(trader.position(SymbolId{0}).lots, trader.position(SymbolId{1}).lots));
    if (update.news != Trader::News::quote || !trader.open_orders().empty()) continue;
    const Quote& quote = trader.quote(update.symbol);
    if (quote.has_ask())
      trader.buy(Quantity{40}, quote.ask, {.symbol = update.symbol, .time_in_force = TimeInForce::immediate_or_cancel});
  }
  story->push_back(std::to_string(most));
}

SimulationReport simulated(std::optional<RiskLimits> limits, TraderReport& trader, std::uint32_t schedulers = 1) {
  SimulationOptions options;
  options.symbols = 2;
  options.length = 5min;
  options.schedulers = schedulers;
  options.agents = {.noise = 10, .value = 4, .makers = 2};
  options.strategy = buys_all_it_can;
  options.strategy_limits = limits;
  options.measure = false;
  SimulatedMarket market(std::move(options));
  const SimulationReport report = market.run();
  trader = market.trader_report();
  return report;
}

}  // namespace

TEST_CASE("a strategy in a simulated market goes no further than its limits, on any number of schedulers") {
  std::vector<std::string> told;
  story = &told;
  TraderReport free, wide, narrow, narrow_on_two;
  const SimulationReport unlimited = simulated(std::nullopt, free);
  CHECK(unlimited.limited == 0);
  REQUIRE(free.lines[0].position.lots > 1'000);

  // Limits that nothing comes near stop nothing.
  CHECK(simulated(RiskLimits{.largest_position = 1 << 30}, wide).limited == 0);
  CHECK(wide.lines[0].position.lots > 1'000);

  const SimulationReport one = simulated(RiskLimits{.largest_position = 130}, narrow);
  CHECK(one.limited > 0);
  CHECK(narrow.lines[0].position.lots > 130 - 40);
  CHECK(narrow.lines[0].position.lots <= 130);
  CHECK(narrow.lines[1].position.lots <= 130);
  const SimulationReport two = simulated(RiskLimits{.largest_position = 130}, narrow_on_two, 2);
  CHECK(two.digest == one.digest);
  CHECK(two.limited == one.limited);
  CHECK(narrow_on_two.lines[0].position.cash == narrow.lines[0].position.cash);
}
