// A market of 200 symbols with agents, ten simulated minutes, on one scheduler and on two: the same market to the bit.
//
//   build/release/bin/many_symbols
#include <cstdio>

#include <outcry/actors/simulated_market.hpp>

using namespace outcry;

int main() {
  std::uint64_t digests[2] = {};
  for (const std::uint32_t schedulers : {1u, 2u}) {
    SimulatedMarket market({.symbols = 200, .length = std::chrono::minutes(10), .seed = 7, .schedulers = schedulers});
    const SimulationReport report = market.run();
    std::printf("%u scheduler(s): %lu messages delivered to %lu agents, %lu trades\n", schedulers, report.delivered,
                report.agents, report.trades);
    digests[schedulers - 1] = report.digest;
  }
  std::puts(digests[0] == digests[1] ? "the digests are equal" : "the digests differ");
  return digests[0] == digests[1] ? 0 : 1;
}
