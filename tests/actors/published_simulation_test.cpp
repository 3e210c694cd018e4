// Simulated markets that are published and paced: the same market, to the bit.
#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>

#include <outcry/actors/market_view.hpp>
#include <outcry/actors/simulated_market.hpp>

#include "tests/seed.hpp"

using namespace outcry;
using namespace std::chrono_literals;

namespace {

SimulationReport play(SimulationOptions options) {
  SimulatedMarket market(std::move(options));
  return market.run();
}

}  // namespace

TEST_CASE("a simulated market is the same to the bit whether it is published, watched and paced or not") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  SimulationOptions options{.symbols = 3, .length = 10min, .seed = seed, .schedulers = 2};
  const SimulationReport alone = play(options);
  REQUIRE(alone.trades > 0);

  options.publish = std::filesystem::temp_directory_path() / ("outcry-test-market-" + std::to_string(getpid()));
  SimulatedMarket market(options);
  std::atomic<bool> over{false};
  std::uint64_t looks = 0;
  std::thread watcher([&] {
    const MarketView view(options.publish);
    for (; !over.load(std::memory_order_relaxed); ++looks)
      for (std::size_t i = 0; i < view.size(); ++i) (void)view[i].depth();
  });
  const SimulationReport published = market.run();
  over = true;
  watcher.join();
  CHECK(looks > 0);
  CHECK(published.digest == alone.digest);
  CHECK(published.delivered == alone.delivered);

  const MarketView view(options.publish);
  REQUIRE(view.size() == 3);
  std::uint64_t trades = 0, shares = 0, printed = 0;
  for (std::size_t i = 0; i < view.size(); ++i) {
    trades += view[i].counters()->trades;
    shares += view[i].counters()->shares;
    printed += view[i].trade_count();
  }
  CHECK(trades == alone.trades);
  CHECK(shares == alone.shares);
  CHECK(printed == alone.trades);
  CHECK(view.find("S0002").has_value());
  CHECK_FALSE(view.find("S0003").has_value());

  options.publish.clear();
  options.pace = 2000;  // ten minutes in 0.3 s
  const auto begin = std::chrono::steady_clock::now();
  const SimulationReport paced = play(options);
  CHECK(std::chrono::steady_clock::now() - begin >= 300ms);
  CHECK(paced.digest == alone.digest);
  CHECK(paced.delivered == alone.delivered);
  CHECK_FALSE(paced.stopped);
  std::filesystem::remove(view.name());
}

TEST_CASE("a paced market stops when it is told to, in the middle of its waiting") {
  SimulatedMarket market({.length = 1h, .pace = 1});
  std::thread impatient([&] {
    while (market.progress() == Duration::zero()) std::this_thread::yield();  // it waits for the clock on the wall
    market.stop();
  });
  const SimulationReport report = market.run();
  impatient.join();
  CHECK(report.stopped);
  CHECK(report.simulated < 10s);
}
