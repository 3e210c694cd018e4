// Trader: special orders as a strategy says them, and what it sees of them.
#include <outcry/actors/trader.hpp>

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <outcry/book/order_terms.hpp>

#include "desk_rig.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;
using enum outcry::Side;
using namespace std::chrono_literals;

namespace {

/// What a strategy does: one step after the other, each once all was heard that followed from the one before.
struct Script {
  std::vector<std::function<void(Trader&)>> steps;
};
Script* script = nullptr;

Strategy follow_script(Trader& trader) {
  for (std::size_t next = 0; next < script->steps.size();) {
    const auto update = co_await trader.next_within(1ms);
    if (!update) break;
    if (update.news == Trader::News::time) script->steps[next++](trader);
  }
}

class TraderStage {
 public:
  explicit TraderStage(std::optional<BookRules> rules = BookRules{}) {
    SymbolOptions options;
    options.rules = rules;
    market = runtime_.spawn({.mailbox = {.capacity = 1u << 16}}, shown_symbol, std::move(options), &desk_);
    TraderSetup setup;
    setup.strategy = follow_script;
    setup.symbols = {{Instrument{}, market, rules.has_value()}};
    setup.account = AccountId{5};
    setup.report = &report;
    runtime_.spawn({.distance = 10us}, trader, std::move(setup));
  }

  void play(std::vector<std::function<void(Trader&)>> steps) {
    script_.steps = std::move(steps);
    script_.steps.push_back([](Trader&) {});
    script = &script_;
    runtime_.run_until(runtime_.now() + 1h);
    CHECK(report.failure == "");
  }
  const OrderBook<>& book() const { return desk_->book(); }

  SymbolAddress market;
  TraderReport report;

 private:
  Script script_;
  const Desk* desk_ = nullptr;
  Runtime runtime_{{.time = WorldTime::virtually, .log = [](std::string_view) {}}};
};

std::string state(const Trader& trader, OrderId id) {
  const OrderState* order = trader.order(id);
  if (order == nullptr) return "none";
  std::string text = to_string(order->progress);
  if (order->reason != Reason::none) text += std::string(", ") + to_string(order->reason);
  return text + ": " + std::to_string(order->filled.lots) + " filled, " + std::to_string(order->displayed.lots) +
         " displayed, " + std::to_string(order->reserve.lots) + " behind";
}

NewOrder of_another(std::uint64_t id, Side side, std::uint32_t quantity, std::int64_t price) {
  return order(id, side, quantity, price, 9);
}

}  // namespace

TEST_CASE("a strategy sees what its iceberg displays and what is behind") {
  TraderStage stage;
  OrderId id;
  std::vector<std::string> states;
  const auto look = [&](Trader& trader) { states.push_back(state(trader, id)); };
  stage.play({[&](Trader& trader) {
                id = trader.iceberg(buy, {50}, {20}, {100});
                look(trader);
              },
              [&](Trader& trader) {
                look(trader);
                stage.market.send(of_another(1, sell, 5, 100));
              },
              [&](Trader& trader) {
                look(trader);
                stage.market.send(of_another(2, sell, 30, 100));
              },
              [&](Trader& trader) {
                look(trader);
                trader.modify(id, {99}, {45});
              },
              [&](Trader& trader) {
                look(trader);
                stage.market.send(of_another(3, sell, 45, 99));
              },
              look});

  CHECK(states == std::vector<std::string>{
                      "pending: 0 filled, 0 displayed, 0 behind", "live: 0 filled, 20 displayed, 30 behind",
                      "partly_filled: 5 filled, 15 displayed, 30 behind",
                      "partly_filled: 35 filled, 5 displayed, 10 behind",
                      "partly_filled: 35 filled, 20 displayed, 25 behind", "filled: 80 filled, 0 displayed, 0 behind"});
}

TEST_CASE("a stop is waiting, then live or done; a stop with a limit rests in sight") {
  TraderStage stage;
  OrderId stop, stop_limit, trailing;
  std::vector<std::string> states;
  const auto look = [&](Trader& trader) {
    for (const OrderId id : {stop, stop_limit, trailing}) states.push_back(state(trader, id));
  };
  stage.play({[&](Trader& trader) {
                stage.market.send(of_another(1, buy, 10, 100));
                stage.market.send(of_another(2, buy, 20, 98));
                stop = trader.stop(sell, {15}, {100});
                stop_limit = trader.stop_limit(sell, {30}, {98}, {98});
                trailing = trader.trailing_stop(sell, {5}, 50);
              },
              [&](Trader& trader) {
                look(trader);
                stage.market.send(of_another(3, sell, 5, 100));
              },
              look});

  CHECK(states == std::vector<std::string>{
                      "waiting: 0 filled, 0 displayed, 15 behind", "waiting: 0 filled, 0 displayed, 30 behind",
                      "waiting: 0 filled, 0 displayed, 5 behind", "filled: 15 filled, 0 displayed, 0 behind",
                      "partly_filled: 10 filled, 20 displayed, 0 behind", "waiting: 0 filled, 0 displayed, 5 behind"});
  CHECK(stage.report.lines[0].position.lots == -25);
}

TEST_CASE("a peg says where it stands, or that it has nothing to stand by") {
  TraderStage stage;
  OrderId id;
  std::vector<std::string> states;
  const auto look = [&](Trader& trader) {
    const OrderState& order = *trader.order(id);
    states.push_back(state(trader, id) + (order.parked ? ", parked" : " at " + std::to_string(order.price.units)));
  };
  stage.play({[&](Trader& trader) {
                stage.market.send(of_another(1, buy, 10, 100));
                id = trader.peg(buy, {30}, SpecialType::primary_peg, {110}, 0);
              },
              [&](Trader& trader) {
                look(trader);
                stage.market.send(of_another(2, buy, 10, 103));
              },
              [&](Trader& trader) {
                look(trader);
                stage.market.send(cancel(1, 9));
                stage.market.send(cancel(2, 9));
              },
              look});

  CHECK(states == std::vector<std::string>{"live: 0 filled, 0 displayed, 30 behind at 100",
                                           "live: 0 filled, 0 displayed, 30 behind at 103",
                                           "live: 0 filled, 0 displayed, 30 behind, parked"});
}

TEST_CASE("terms are said with the order, and a refusal says why") {
  TraderStage stage;
  std::array<OrderId, 5> ids;
  std::vector<std::string> states;
  const Time soon = time_from_ns(0) + 1500ms;
  stage.play({[&](Trader& trader) {
                stage.market.send(of_another(1, sell, 10, 105));
                ids = {trader.buy({30}, {105}, {.terms = Terms::minimum, .part = {20}}),
                       trader.buy({30}, {105}, {.terms = Terms::all_or_none}),
                       trader.buy({30}, {100}, {.terms = Terms::hidden, .expires = soon}),
                       trader.buy({30}, {100}, {.terms = Terms::hidden | Terms::reserve, .part = {10}}),
                       trader.market_to_limit(buy, {15})};
              },
              [&](Trader& trader) {
                for (const OrderId id : ids) states.push_back(state(trader, id));
                stage.market.send(ExpireOrders{.now_s = 1});
              },
              [&](Trader& trader) {
                states.push_back(state(trader, ids[2]));
                stage.market.send(ExpireOrders{.now_s = 2});
              },
              [&](Trader& trader) { states.push_back(state(trader, ids[2])); }});

  CHECK(states == std::vector<std::string>{
                      "cancelled, minimum_quantity: 0 filled, 0 displayed, 0 behind",
                      "live: 0 filled, 0 displayed, 30 behind", "live: 0 filled, 0 displayed, 30 behind",
                      "refused, invalid_combination: 0 filled, 0 displayed, 0 behind",
                      "partly_filled: 10 filled, 5 displayed, 0 behind", "live: 0 filled, 0 displayed, 30 behind",
                      "cancelled, expired: 0 filled, 0 displayed, 0 behind"});
  CHECK(stage.report.refused == 1);
}

TEST_CASE("in a market without rules special orders are refused, and others are not") {
  TraderStage stage(std::nullopt);
  OrderId special, plain;
  std::vector<std::string> states;
  stage.play({[&](Trader& trader) {
                special = trader.iceberg(buy, {50}, {20}, {100});
                plain = trader.buy({50}, {100});
              },
              [&](Trader& trader) { states = {state(trader, special), state(trader, plain)}; }});

  CHECK(states == std::vector<std::string>{"refused, unsupported: 0 filled, 0 displayed, 0 behind",
                                           "live: 0 filled, 50 displayed, 0 behind"});
}

TEST_CASE("a modification that trades is filled by what it traded, less or more than was open before") {
  TraderStage stage;
  std::array<OrderId, 2> ids;
  std::vector<std::string> states;
  std::size_t open = 0;
  stage.play({[&](Trader& trader) {
                ids = {trader.buy({50}, {100}), trader.buy({10}, {99})};
                stage.market.send(of_another(1, sell, 5, 105));
                stage.market.send(of_another(2, sell, 25, 106));
              },
              [&](Trader& trader) { trader.modify(ids[0], {105}, {5}); },
              [&](Trader& trader) { trader.modify(ids[1], {106}, {40}); },
              [&](Trader& trader) {
                for (const OrderId id : ids) states.push_back(state(trader, id));
                open = trader.open_orders().size();
              }});

  CHECK(states == std::vector<std::string>{"filled: 5 filled, 0 displayed, 0 behind",
                                           "partly_filled: 25 filled, 15 displayed, 0 behind"});
  CHECK(open == 1);
}

TEST_CASE("one message cancels one side, what is still under way included") {
  TraderStage stage;
  std::array<OrderId, 3> ids;
  std::vector<std::string> states;
  stage.play({[&](Trader& trader) { ids[0] = trader.buy({30}, {100}); },
              [&](Trader& trader) {
                ids[1] = trader.stop(buy, {30}, {110});
                ids[2] = trader.sell({30}, {120});
                trader.cancel_all({}, buy);
                CHECK(trader.order(ids[1])->cancelling);
                CHECK_FALSE(trader.order(ids[2])->cancelling);
              },
              [&](Trader& trader) {
                for (const OrderId id : ids) states.push_back(state(trader, id));
              }});

  CHECK(states == std::vector<std::string>{"cancelled, mass_cancelled: 0 filled, 0 displayed, 0 behind",
                                           "cancelled, mass_cancelled: 0 filled, 0 displayed, 0 behind",
                                           "live: 0 filled, 30 displayed, 0 behind"});
}

TEST_CASE("phases and indicative prices are there to be asked for") {
  TraderStage stage;
  std::vector<std::string> seen;
  const auto look = [&](Trader& trader) {
    std::string text = name_of(trader.phase());
    if (const auto& now = trader.indicative()) text += ", would be " + std::to_string(now->price.units);
    if (const auto& last = trader.last_auction()) text += ", was " + std::to_string(last->price.units);
    seen.push_back(text);
  };
  stage.play({[&](Trader& trader) {
                look(trader);
                stage.market.send(ChangePhase{.phase = Phase::auction});
                trader.buy({10}, {103});
              },
              [&](Trader& trader) {
                look(trader);
                stage.market.send(of_another(1, sell, 10, 100));
              },
              [&](Trader& trader) {
                look(trader);
                stage.market.send(ChangePhase{.phase = Phase::continuous});
              },
              look});

  CHECK(seen == std::vector<std::string>{"continuous", "auction", "auction, would be 100", "continuous, was 100"});
}

TEST_CASE("whatever a strategy does, what it sees of its orders is what the book has of them") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  TraderStage stage(BookRules{.self_trade = SelfTrade::cancel_oldest, .dynamic_band = 8, .collar = 4});
  Random random(seed, 1);
  std::uint64_t next_id = 1, compared = 0;
  std::string wrong;
  const auto price = [&] { return Price{90 + static_cast<std::int64_t>(random.below(21))}; };
  const auto quantity = [&] { return Quantity{1 + static_cast<std::uint32_t>(random.below(30))}; };
  const auto side = [&] { return random.coin() ? buy : sell; };

  const auto compare = [&](const Trader& trader) {
    for (const OrderId id : trader.open_orders()) {
      const OrderState& order = *trader.order(id);
      const auto resting = stage.book().find(id);
      const bool unseen =
          has(order.terms, Terms::hidden | Terms::all_or_none) || is_peg(order.type) || is_stop(order.type);
      if (!resting) {
        wrong = "an open order is not in the book";
      } else if (order.open != resting->open + resting->reserve ||
                 order.displayed != (unseen ? Quantity{} : resting->open) ||
                 order.displayed + order.reserve != order.open || order.filled + order.open != order.quantity) {
        wrong = "the quantities differ";
      } else if (!is_stop(order.type) && !order.parked && order.price != resting->price) {
        wrong = "the price is another";
      } else if ((order.progress == OrderProgress::waiting) != is_stop(order.type)) {
        wrong = "only stops wait";
      }
      if (!wrong.empty()) {
        wrong += ": " + state(trader, id) + ", type " + std::to_string(static_cast<int>(order.type)) + ", terms " +
                 std::to_string(static_cast<int>(order.terms)) + ", phase " + name_of(trader.phase());
        return;
      }
      ++compared;
    }
  };
  const auto act = [&](Trader& trader) {
    if (!wrong.empty()) return;
    compare(trader);
    switch (random.below(14)) {
      case 0: trader.buy(quantity(), price()); break;
      case 1: trader.sell(quantity(), price(), {.terms = Terms::hidden}); break;
      case 2: trader.buy(quantity(), price(), {.terms = Terms::all_or_none}); break;
      case 3:
      case 4: trader.iceberg(side(), Quantity{40} + quantity(), {1 + quantity().lots / 3}, price()); break;
      case 5: trader.stop(side(), quantity(), price()); break;
      case 6: trader.stop_limit(side(), quantity(), price(), price()); break;
      case 7: trader.trailing_stop(side(), quantity(), 1 + static_cast<std::int64_t>(random.below(5))); break;
      case 8: trader.peg(side(), quantity(), SpecialType::midpoint_peg, price()); break;
      case 9: trader.market_to_limit(side(), quantity()); break;
      case 10:
      case 11:
        if (!trader.open_orders().empty()) {
          const OrderId id = trader.open_orders()[random.below(trader.open_orders().size())];
          random.coin() ? trader.cancel(id) : trader.modify(id, price(), quantity());
        }
        break;
      case 12:
        if (random.chance(0.1)) trader.cancel_all({}, side());
        break;
      default: break;
    }
    for (int i = 0; i < 2; ++i) stage.market.send(of_another(++next_id, side(), quantity().lots, price().units));
    if (random.chance(0.05)) stage.market.send(ChangePhase{.phase = Phase::auction});
    if (random.chance(0.1)) stage.market.send(ChangePhase{.phase = Phase::continuous});
    if (random.chance(0.05)) stage.market.send(MassCancel{.account = {9}});
  };
  stage.play(std::vector<std::function<void(Trader&)>>(20'000, act));

  CHECK(wrong == "");
  CHECK(compared > 20'000);
}
