// A symbol with everyone around it, in a simulated world: who hears what, when, and in which order.
#include <outcry/actors/symbol.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "desk_rig.hpp"

using namespace outcry;
using namespace outcry::test;
using enum outcry::Side;
using namespace std::chrono_literals;

namespace {

// A simulated market: nothing is history, and account 0 is an account like others.
SymbolOptions simulated() { return {.first_account = {7}}; }

// ---- over links

/// Sends its orders one after the other, and writes down when which answer comes.
Actor hasty(ParticipantSelf self, SymbolAddress symbol, std::vector<NewOrder> orders, std::string* heard) {
  symbol.send(EnterSymbol{orders.front().account, self.address()});
  for (NewOrder& order : orders) {
    order.arrival_ns = to_ns(self.now());
    symbol.send(order);
    symbol.send(CancelOrder{.id = order.id, .account = order.account, .arrival_ns = to_ns(self.now())});
  }
  while (auto message = co_await self.receive())
    std::visit([&](const auto& event) { *heard += std::to_string(to_ns(self.now())) + ": " + text(event) + "\n"; },
               *message);
}

/// Orders that reach it one after the other, each stamped as it comes.
Actor gateway_of(Self<> self, SymbolAddress symbol, std::vector<Duration> arrivals, std::uint64_t first_id) {
  for (const Duration at : arrivals) {
    co_await self.sleep_until(Time{} + at);
    NewOrder entered = order(first_id++, buy, 10, 100);
    entered.arrival_ns = to_ns(self.now());
    symbol.send(entered);
  }
}

Actor curious(Self<> self, SymbolAddress symbol, std::string* heard) {
  for (int i = 0; i < 2; ++i) {
    auto asking = symbol.ask(QuoteQuery{});
    auto answer = co_await asking;
    *heard += std::to_string(to_ns(self.now())) + ": " + (answer ? text(*answer) : std::string("no answer")) + "\n";
    co_await self.sleep(1us);
  }
}

}  // namespace

TEST_CASE("each account hears of its own orders only") {
  DeskRig market(simulated());

  CHECK(market(order(1, buy, 30, 100, 7)) == "\n7: accepted 1\nquote 30 at 100, none\n");
  CHECK(market(order(2, sell, 50, 102, 8)) == "\n8: accepted 2\nquote 30 at 100, 50 at 102\n");
  CHECK(market(order(3, sell, 40, 100, 8)) ==
        "\n8: accepted 3\n7: bought 30 at 100 by 1, 0 left\n8: sold 30 at 100 by 3\ntrade 30 at 100, sell\n"
        "quote none, 10 at 100\n");
  CHECK(market(cancel(3, 8)) == "\n8: cancelled 3, 10\nquote none, 50 at 102\n");
  CHECK(market(order(4, buy, 5, 99, 1234)) == "\nquote 5 at 99, 50 at 102\n");  // it has not entered: nobody is told
}

TEST_CASE("a rejection reaches whoever sent the command") {
  DeskRig market(simulated());
  market.first(order(1, buy, 30, 100, 7));

  CHECK(market(order(1, buy, 30, 100, 8)) == "\n8: rejected 1, duplicate_id\n");
  CHECK(market(order(2, buy, 0, 100, 8)) == "\n8: rejected 2, zero_quantity\n");
  CHECK(market(cancel(1, 8)) == "\n8: rejected 1, unknown_order\n");  // it is 7's
  CHECK(market(ReduceOrder{.id = {1}, .by = {31}, .account = {7}}) == "\n7: rejected 1, quantity_exceeds_open\n");
  CHECK(market(ModifyOrder{.id = {9}, .price = {1}, .quantity = {1}, .account = {7}}) ==
        "\n7: rejected 9, unknown_order\n");
  CHECK(market(ReplaceOrder{.id = {9}, .new_id = {10}, .price = {1}, .quantity = {1}, .account = {7}}) ==
        "\n7: rejected 9, unknown_order\n");
  CHECK(market.levels() == "\nbuy  100 | 1:30\n");
}

TEST_CASE("every command has its events, and a quote follows only if it changed") {
  DeskRig market(simulated());
  market.first(order(1, buy, 30, 100), order(2, buy, 30, 100), order(3, sell, 30, 105, 8));

  CHECK(market(order(4, buy, 10, 99)) == "\n7: accepted 4\n");  // below the best bid
  CHECK(market(ReduceOrder{.id = {1}, .by = {10}, .account = {7}}) ==
        "\n7: reduced 1 to 20\nquote 50 at 100, 30 at 105\n");
  CHECK(market(ModifyOrder{.id = {1}, .price = {98}, .quantity = {20}, .account = {7}}) ==
        "\n7: modified 1, 20 at 98\nquote 30 at 100, 30 at 105\n");
  CHECK(market(ReplaceOrder{.id = {2}, .new_id = {5}, .price = {101}, .quantity = {30}, .account = {7}}) ==
        "\n7: replaced 2 by 5\nquote 30 at 101, 30 at 105\n");
  CHECK(market(ReplaceOrder{.id = {4}, .new_id = {6}, .price = {97}, .quantity = {1}, .account = {7}}) ==
        "\n7: replaced 4 by 6\n");
  CHECK(market(NewOrder{.id = {7}, .quantity = {40}, .account = {7}, .side = buy, .type = OrderType::market}) ==
        "\n7: accepted 7\n8: sold 30 at 105 by 3, 0 left\n7: bought 30 at 105 by 7\ntrade 30 at 105, buy\n"
        "7: cancelled 7, 10\nquote 30 at 101, none\n");
  CHECK(market(EndOfDay{}) == "\n");  // none of them is a day order
}

TEST_CASE("a replacement is smaller by what its owner had not seen trade, and refused if nothing of it remains") {
  DeskRig market(simulated());
  market.first(order(1, buy, 100, 1'000), order(2, sell, 30, 1'000, 8));
  const ReplaceOrder command{.id = {1}, .price = {990}, .quantity = {90}, .account = {7}, .seen_open = {100}};
  const auto replaced = [&](std::uint64_t id, std::uint64_t new_id, std::uint32_t quantity) {
    ReplaceOrder again = command;
    again.id = {id};
    again.new_id = {new_id};
    again.quantity = {quantity};
    return market(again);
  };

  CHECK(replaced(1, 3, 30) == "\n7: rejected 1, quantity_exceeds_open\n");
  CHECK(replaced(1, 3, 90) == "\n7: replaced 1 by 3\nquote 60 at 990, none\n");
}

TEST_CASE("day orders end with the day") {
  DeskRig market(simulated());
  NewOrder today = order(1, buy, 30, 100);
  today.time_in_force = TimeInForce::day;
  market.first(today, order(2, buy, 5, 99, 8));

  CHECK(market(EndOfDay{}) == "\n7: cancelled 1, 30\nquote 5 at 99, none\n");
}

TEST_CASE("depth comes at once, and after what changes one of its levels") {
  std::string heard;
  std::uint64_t shares = 0;
  Runtime runtime({.time = WorldTime::virtually});
  const SymbolAddress market = runtime.spawn(symbol, simulated());
  const auto listening = runtime.spawn(listener, &heard, &shares);
  const auto play = [&](const auto& message) {
    heard = "\n";
    market.send(message);
    runtime.run_until(runtime.now() + 1us);
    return heard;
  };

  play(order(1, buy, 30, 100));
  CHECK(play(SubscribeDepth{listening}) == "\ndepth 30@100 |\n");
  CHECK(play(order(2, sell, 20, 105)) == "\ndepth 30@100 | 20@105\n");
  CHECK(play(order(3, buy, 10, 98)) == "\ndepth 30@100 10@98 | 20@105\n");
  CHECK(play(order(4, buy, 10, 0)) == "\ndepth 30@100 10@98 10@0 | 20@105\n");
  CHECK(play(cancel(9)) == "\n");
  for (std::uint64_t i = 0; i < 10; ++i) play(order(10 + i, buy, 1, 99 - static_cast<std::int64_t>(i)));
  CHECK(play(order(30, buy, 1, 50)) == "\n");  // deeper than the ten best
}

TEST_CASE("over a link, messages keep their order, and answers come two ways later") {
  std::string of_7, of_8;
  Runtime runtime({.time = WorldTime::virtually, .latency = {.within_site = 100ns}, .start = time_from_ns(1000)});
  const SymbolAddress market = runtime.spawn(symbol, simulated());
  // 8 is 50 ns further away than 7: it sends at the same time, and comes second.
  runtime.spawn({.distance = 0ns}, hasty, market, std::vector{order(1, buy, 10, 100, 7), order(2, buy, 10, 100, 7)},
                &of_7);
  runtime.spawn({.distance = 50ns}, hasty, market, std::vector{order(3, sell, 5, 100, 8), order(4, sell, 5, 101, 8)},
                &of_8);

  runtime.run();

  CHECK(of_7 == "1200: accepted 1\n1200: cancelled 1, 10\n1200: accepted 2\n1200: cancelled 2, 10\n");
  CHECK(of_8 == "1300: accepted 3\n1300: cancelled 3, 5\n1300: accepted 4\n1300: cancelled 4, 5\n");
}

TEST_CASE("whoever asks for a quote is answered, there and back") {
  std::string heard;
  Runtime runtime({.time = WorldTime::virtually, .latency = {.within_site = 100ns}});
  const SymbolAddress market = runtime.spawn(symbol, simulated());
  market.send(order(1, buy, 30, 100));
  runtime.spawn(curious, market, &heard);

  runtime.run();

  CHECK(heard == "200: quote 30 at 100, none\n1400: quote 30 at 100, none\n");
}

TEST_CASE("stages are measured in the world's time") {
  std::string heard;
  StageTimes stages;
  SymbolOptions options = simulated();
  options.stages = &stages;
  Runtime runtime({.time = WorldTime::virtually, .latency = {.within_site = 1us}, .start = time_from_ns(1'000'000)});
  const SymbolAddress market = runtime.spawn(symbol, std::move(options));
  runtime.spawn(hasty, market, std::vector{order(1, buy, 10, 100), order(2, buy, 10, 100)}, &heard);

  runtime.run();

  // A microsecond on the link, no time in the book; entering is not a command.
  Histogram mailbox = stages.empty_sum(), match = stages.empty_sum();
  stages.add_to(mailbox, Stage::mailbox);
  stages.add_to(match, Stage::match);
  CHECK(mailbox.count() == 4);
  CHECK(mailbox.min() == 1'000);
  CHECK(mailbox.max() == 1'000);
  CHECK(match.count() == 4);
  CHECK(match.max() == 0);
  CHECK(heard == "1002000: accepted 1\n1002000: cancelled 1, 10\n1002000: accepted 2\n1002000: cancelled 2, 10\n");
}

TEST_CASE(
    "who arrived at one gateway before another at a second, and was taken after him, was overtaken: it is counted") {
  StageTimes stages;
  SymbolOptions options = simulated();
  options.stages = &stages;
  Runtime runtime({.time = WorldTime::virtually, .latency = {.within_site = 100ns}});
  const SymbolAddress market = runtime.spawn(symbol, std::move(options));
  // From the slow gateway it is 600 ns to the symbol, from the fast one 100. What a gateway sends keeps its order.
  runtime.spawn({.distance = 500ns}, gateway_of, market, std::vector<Duration>{1000ns, 1050ns, 3000ns}, 1);
  runtime.spawn({.distance = 0ns}, gateway_of, market, std::vector<Duration>{1200ns, 1400ns, 1900ns, 4000ns}, 10);

  runtime.run();

  // Taken at 1300 and 1500, then at 1600 and 1650, then nobody is late any more.
  const Fairness fairness = stages.fairness(SymbolId{0});
  CHECK(fairness.overtaken == 2);
  CHECK(fairness.most_ns == 400);
  CHECK(stages.fairness(SymbolId{1}).overtaken == 0);
}
