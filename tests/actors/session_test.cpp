// Session: the day of a symbol, by itself and in a simulated market with everything that a venue has.
#include <outcry/actors/session.hpp>

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include <outcry/actors/simulated_market.hpp>
#include <outcry/actors/symbol.hpp>

#include "desk_rig.hpp"
#include "tests/sanitized.hpp"
#include "tests/scratch.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;
using outcry_test::Scratch;
using namespace std::chrono_literals;

namespace {

constexpr Phase continuous = Phase::continuous, halted = Phase::halted, auction = Phase::auction,
                closed = Phase::closed;

SessionPlan busy_day() {
  return {.opening_from = 10s,
          .opening_to = 2min,
          .halts = {{14min, 1min}, {5min, 90s}},
          .reopening = 30s,
          .closing_from = 18min,
          .closing_to = 19min};
}

std::vector<std::vector<std::string>> rows_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream fields(line + ",");
    rows.emplace_back();
    for (std::string field; std::getline(fields, field, ',');) rows.back().push_back(field);
  }
  return rows;
}

// What a strategy hears of its first symbol's day.
std::vector<std::string>* told = nullptr;

Strategy listen_to_the_day(Trader& trader) {
  std::vector<OrderId> orders(trader.symbol_count());
  while (const auto update = co_await trader.next()) {
    const SymbolId symbol = update.symbol;
    if (update.news == Trader::News::phase && symbol == SymbolId{0}) told->push_back(name_of(trader.phase(symbol)));
    if (update.news == Trader::News::auction && symbol == SymbolId{0})
      told->push_back("auction at " + std::to_string(trader.last_auction(symbol)->price.units));
    const Quote& quote = trader.quote(symbol);
    if (update.news == Trader::News::quote && quote.has_both())
      trader.keep(orders[symbol.value], Side::buy, Quantity{500}, quote.bid,
                  {.symbol = symbol, .terms = Terms::reserve, .part = Quantity{100}});
  }
}

SimulationOptions venue_day(std::uint64_t seed) {
  SimulationOptions options{.symbols = 3, .length = 20min, .seed = seed};
  options.rules = BookRules{.self_trade = SelfTrade::cancel_oldest,
                            .reference = {10'000},
                            .static_band = 2'000,
                            .dynamic_band = 50,
                            .collar = 20};
  options.session = busy_day();
  options.behaviour.icebergs = options.behaviour.hidden = options.behaviour.stops = options.behaviour.pegs = 0.15;
  options.check = true;
  return options;
}

Actor wait_and_halt(Self<> self, SymbolAddress symbol, Phase phase, Time at) {
  co_await self.sleep_until(at);
  symbol.send(ChangePhase{.phase = phase});
}

}  // namespace

TEST_CASE("a plan is a list of phases in the order of time, whatever the order of its halts") {
  CHECK(steps_of(busy_day()) == std::vector<SessionStep>{{0s, halted},
                                                         {10s, auction},
                                                         {2min, continuous},
                                                         {5min, halted},
                                                         {5min + 90s, auction},
                                                         {7min, continuous},
                                                         {14min, halted},
                                                         {15min, auction},
                                                         {15min + 30s, continuous},
                                                         {18min, auction},
                                                         {19min, closed}});
  CHECK(steps_of({}).empty());
  CHECK(steps_of({.opening_from = 5s}) == std::vector<SessionStep>{{0s, halted}, {5s, continuous}});
  CHECK(steps_of({.closing_from = 5s, .closing_to = 5s}) == std::vector<SessionStep>{{5s, closed}});
}

TEST_CASE("a plan that makes no sense is refused with the reason") {
  CHECK_THROWS_WITH(steps_of({.opening_from = 5s, .opening_to = 4s}),
                    "the opening auction must not end before it begins");
  CHECK_THROWS_WITH(steps_of({.halts = {{1min, 0s}}}), "a halt must last longer than zero");
  CHECK_THROWS_WITH(steps_of({.opening_to = 2min, .halts = {{1min, 1min}}}),
                    "a halt must not begin before the opening, or the halt before it, is over");
  CHECK_THROWS_WITH(steps_of({.halts = {{1min, 1min}, {2min, 1min}}, .reopening = 1s}),
                    "a halt must not begin before the opening, or the halt before it, is over");
  CHECK_THROWS_WITH(steps_of({.closing_from = 2min, .closing_to = 1min}),
                    "the closing auction must not end before it begins");
  CHECK_THROWS_WITH(steps_of({.halts = {{1min, 2min}}, .closing_from = 2min, .closing_to = 3min}),
                    "the closing auction must not begin before the opening and every halt are over");
}

TEST_CASE("at the close day orders end, behind the auction that they take part in") {
  std::string heard;
  Runtime runtime({.time = WorldTime::virtually});
  const SymbolAddress market = runtime.spawn(symbol, SymbolOptions{.first_account = {7}, .rules = BookRules{}});
  runtime.spawn(session, market, SymbolId{0}, SessionPlan{.closing_from = 1min, .closing_to = 2min});
  const auto owner = runtime.spawn(participant, 7u, &heard);
  market.send(EnterSymbol{{7}, owner, owner});
  NewOrder today = order(1, Side::buy, 30, 100);
  today.time_in_force = TimeInForce::day;
  SpecialOrder lasting{.id = {2}, .price = {90}, .quantity = {5}, .account = {7}, .expires_s = 30};
  lasting.time_in_force = TimeInForce::good_till_time;
  market.send(today);
  market.send(lasting);

  runtime.run_until(time_from_ns(0) + 29s);
  CHECK(heard == "7: accepted 1\n7: accepted 2\n7: terms of 2\n");
  runtime.run_until(time_from_ns(0) + 90s);
  CHECK(heard == "7: accepted 1\n7: accepted 2\n7: terms of 2\n7: cancelled 2, 5\n");
  heard.clear();
  market.send(order(3, Side::sell, 10, 95));
  runtime.run_until(time_from_ns(0) + 3min);

  CHECK(heard ==
        "7: accepted 3\n7: sold 10 at 95 by 3, 0 left\n7: bought 10 at 95 by 1, 20 left\n7: cancelled 1, 20\n");
}

TEST_CASE("an auction that nobody planned is ended, a halt that somebody asked for is not") {
  std::string heard;
  std::uint64_t shares = 0;
  Runtime runtime({.time = WorldTime::virtually});
  const SymbolAddress market = runtime.spawn(symbol, SymbolOptions{.rules = BookRules{}});
  runtime.spawn(session, market, SymbolId{0}, SessionPlan{.unplanned = 10s});
  market.send(SubscribePhases{runtime.spawn(listener, &heard, &shares)});
  runtime.spawn(wait_and_halt, market, auction, time_from_ns(0) + 5s);
  runtime.spawn(wait_and_halt, market, halted, time_from_ns(0) + 60s);

  runtime.run_until(time_from_ns(0) + 14s);
  CHECK(heard == "phase continuous\nphase auction\n");
  runtime.run_until(time_from_ns(0) + 15s);
  CHECK(heard == "phase continuous\nphase auction\nphase continuous\n");
  runtime.run_until(time_from_ns(0) + 10min);
  CHECK(heard == "phase continuous\nphase auction\nphase continuous\nphase halted\n");
}

TEST_CASE(
    "a day with opening auction, halts and closing auction is the same on 1, 2 and 4 schedulers, event by event") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  std::uint64_t digest = 0;
  std::vector<std::string> files;
  for (const std::uint32_t schedulers : sanitized ? std::vector{1u, 4u} : std::vector{1u, 2u, 4u}) {
    CAPTURE(schedulers);
    std::vector<std::string> heard;
    told = &heard;
    const Scratch scratch;
    SimulationOptions options = venue_day(seed);
    options.schedulers = schedulers;
    options.strategy = listen_to_the_day;
    options.tape_folder = scratch.folder();
    SimulatedMarket market(options);

    const SimulationReport report = market.run();

    write_tapes(scratch.folder(), market.tapes(), market.instruments());
    CHECK(report.failures == 0);
    CHECK(report.refused == 0);
    CHECK(report.wrong == "");
    std::vector<std::string> now;
    for (const char* name : {"orders.csv", "trades.csv", "l1.csv", "phases.csv"}) now.push_back(scratch.read(name));
    if (files.empty()) {
      digest = report.digest;
      files = now;
    }
    CHECK(report.digest == digest);
    CHECK(now == files);

    // The phases of every symbol, and what was made of its auctions.
    std::map<std::pair<std::string, std::string>, AuctionResult> results;
    std::vector<std::vector<std::string>> expected;
    const auto at = [](Duration time) { return std::to_string(time / 1s) + ".000000000"; };
    for (const SessionStep& step : steps_of(busy_day()))
      for (const Instrument& instrument : market.instruments()) {
        const std::string name(name_of(instrument));
        for (const AuctionResult& result : report.auctions)
          if ((step.phase == continuous || step.phase == closed) && result.time_ns == to_ns(Time{} + step.at) &&
              result.symbol == instrument.symbol) {
            results[{at(step.at), name}] = result;
            char price[32];
            std::snprintf(price, sizeof price, "%ld.%02ld", static_cast<long>(result.price.units / 100),
                          static_cast<long>(result.price.units % 100));
            expected.push_back({at(step.at), name, "uncrossed", price, std::to_string(result.volume),
                                std::to_string(result.imbalance)});
          }
        expected.push_back({at(step.at), name, name_of(step.phase), "", "", ""});
      }
    std::multimap<std::pair<double, std::string>, std::vector<std::string>> sorted;
    for (std::vector<std::string>& row : expected) sorted.emplace(std::pair(std::stod(row[0]), row[1]), row);
    expected.clear();
    for (auto& [moment, row] : sorted) expected.push_back(row);
    CHECK(rows_of(scratch.folder() / "phases.csv") == expected);
    CHECK(results.size() == report.auctions.size());
    CHECK(report.auctions.size() == 3 * 4);

    // What trades in an auction trades at its price; what else there is at that moment are stops that it triggered.
    std::map<std::pair<std::string, std::string>, Volume> traded;
    std::uint64_t out_of_hours = 0;
    for (const std::vector<std::string>& row : rows_of(scratch.folder() / "trades.csv")) {
      const double time = std::stod(row[0]);
      for (const auto& [from, to] : {std::pair{0., 120.}, {300., 420.}, {840., 930.}, {1080., 1140.}})
        out_of_hours += time >= from && time < to;
      out_of_hours += time > 1140;
      if (const auto found = results.find({row[0], row[1]}); found != results.end()) {
        Volume& volume = traded[found->first];
        if (volume >= found->second.volume) continue;
        CHECK(std::stod(row[2]) == doctest::Approx(static_cast<double>(found->second.price.units) / 100));
        volume += std::stoul(row[3]);
      }
    }
    CHECK(out_of_hours == 0);
    for (const auto& [where, result] : results) {
      CAPTURE(where.first + " " + where.second);
      CHECK(traded[where] == result.volume);
    }

    // What the strategy was told of its first symbol.
    std::vector<std::string> day{"halted", "auction"};
    std::size_t next = 0;
    std::vector<AuctionResult> of_first;
    for (const AuctionResult& result : report.auctions)
      if (result.symbol == SymbolId{0}) of_first.push_back(result);
    for (const char* then :
         {"continuous", "halted", "auction", "continuous", "halted", "auction", "continuous", "auction", "closed"}) {
      if (then == std::string("continuous") || then == std::string("closed"))
        day.push_back("auction at " + std::to_string(of_first[next++].price.units));
      day.emplace_back(then);
    }
    if (heard.front() == "continuous") heard.erase(heard.begin());  // as it came in, before the session's first word
    CHECK(heard == day);
  }
  for (const char* event : {",terms,", ",refreshed,", ",triggered,", ",repriced,", "limit+hidden", "trailing_stop"})
    CHECK(files[0].find(event) != std::string::npos);
}

TEST_CASE("agents go on behind auctions and halts, and few of their orders are refused") {
  const Scratch scratch;
  SimulationOptions options = venue_day(3);
  options.tape_folder = scratch.folder();
  SimulatedMarket market(options);
  const SimulationReport report = market.run();
  write_tapes(scratch.folder(), market.tapes(), market.instruments());

  std::uint64_t refused = 0, behind_the_last_halt = 0;
  for (const std::vector<std::string>& row : rows_of(scratch.folder() / "orders.csv"))
    refused += row[2] == "rejected" && row[9] != "unknown_order";
  for (const std::vector<std::string>& row : rows_of(scratch.folder() / "trades.csv"))
    behind_the_last_halt += std::stod(row[0]) > 930;

  CHECK(report.trades > 1'000);
  CHECK(refused < report.commands / 100);
  CHECK(behind_the_last_halt > 100);
}

TEST_CASE("a venue's options that make no sense are refused with the reason") {
  SimulationOptions options = venue_day(1);
  options.length = 10min;
  CHECK_THROWS_WITH(SimulatedMarket{options}, "the session must not last longer than the market is simulated");
  options = venue_day(1);
  options.rules->collar = -1;
  CHECK_THROWS_WITH(SimulatedMarket{options}, "BookRules: a band or a collar is negative");
  options = venue_day(1);
  options.behaviour.stops = 0.9;
  CHECK_THROWS_WITH(SimulatedMarket{options},
                    "icebergs, hidden orders, stops and pegs must not be more than all orders");
  options = venue_day(1);
  options.zero_intelligence = ZeroIntelligence{};
  CHECK_THROWS_WITH(SimulatedMarket{options}, "w1 is a model without rules, phases and special orders");
}
