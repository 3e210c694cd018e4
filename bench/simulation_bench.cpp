// Simulated markets: how many book commands and messages a second, and what the second core brings.
//
// Each market is played three times, in turn with the others; the best counts. Digests must be equal, and w1's spread
// within 1 % of the paper's model, before a number is printed. Then what a window of virtual time costs
// (windows_bench.hpp); with --windows only that.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <string_view>
#include <thread>

#include <outcry/actors/simulated_market.hpp>

#include "report.hpp"
#include "windows_bench.hpp"

using namespace outcry;
using namespace std::chrono_literals;

namespace {

SimulationReport play(const SimulationOptions& options) {
  SimulatedMarket market(options);
  return market.run();
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("simulation", argc, argv);
  if (std::find(argv, argv + argc, std::string_view("--windows")) != argv + argc) {
    bench::measure_windows(report);
    return report.finish();
  }

  SimulationOptions w1{.length = 3000s, .measure = false};
  w1.zero_intelligence = ZeroIntelligence{.epsilon = 0.2};
  SimulationOptions one{.symbols = 100, .length = 20min, .measure = false};
  SimulationOptions two = one;
  two.schedulers = 2;

  double w1_s = 1e9, one_s = 1e9, two_s = 1e9;
  SimulationReport chain, single, both;
  for (int run = 0; run < 3; ++run) {
    chain = play(w1);
    w1_s = std::min(w1_s, chain.wall_s);
    single = play(one);
    one_s = std::min(one_s, single.wall_s);
    both = play(two);
    two_s = std::min(two_s, both.wall_s);
    if (std::abs(chain.spread_over_pc / 0.7595 - 1) > 0.01) bench::Report::wrong("the spread of w1");
    if (single.digest != both.digest) bench::Report::wrong("the digest on two schedulers");
  }
  report.add("w1.events_per_s", static_cast<double>(chain.commands) / w1_s, "commands/s", bench::at_least(6e6));
  report.add("w1.delivered_per_s", static_cast<double>(chain.delivered) / w1_s, "messages/s");
  report.add("market100.delivered_per_s", static_cast<double>(single.delivered) / one_s, "messages/s");
  report.add("market100.delivered_per_s.2", static_cast<double>(both.delivered) / two_s, "messages/s");
  if (std::thread::hardware_concurrency() > 1)
    report.add("market100.scaling_2", one_s / two_s, "ratio", bench::at_least(1.7));
  bench::measure_windows(report);
  return report.finish();
}
