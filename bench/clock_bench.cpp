// What measuring costs: reading the clock, against the bare counter, and recording a value in a histogram.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include <outcry/runtime/histogram.hpp>
#include <outcry/runtime/tsc_clock.hpp>

#include "report.hpp"

namespace {

using outcry::Histogram;
using outcry::TscClock;

constexpr int chunks = 501;
constexpr int operations = 10'000;

volatile std::uint64_t sink;

/// Nanoseconds an operation in each chunk, sorted.
struct Chunks {
  std::vector<double> ns;

  template <typename Work>
  void add(const Work& work) {
    const auto begin = TscClock::system_ns();
    work();
    ns.push_back(static_cast<double>(TscClock::system_ns() - begin) / operations);
  }
  double at(double part) {
    std::sort(ns.begin(), ns.end());
    return ns[static_cast<std::size_t>(part * static_cast<double>(ns.size() - 1))];
  }
  double median() { return at(0.5); }
  void print(const char* what) {
    std::printf("  %-20s p10 %.2f  p50 %.2f  p99 %.2f ns, %d chunks of %d\n", what, at(0.1), at(0.5), at(0.99), chunks,
                operations);
  }
};

void clock_reads(bench::Report& report) {
  const TscClock& clock = TscClock::process();
  if (!clock.warning().empty()) std::printf("  %s\n", clock.warning().c_str());
  const auto apart = clock.now_ns() - TscClock::system_ns();
  if (apart < -1'000'000 || apart > 1'000'000) bench::Report::wrong("the clock is not the system's time");

  Chunks counter, now, system;
  for (int chunk = 0; chunk < chunks; ++chunk) {
    counter.add([] {
      std::uint64_t sum = 0;
      for (int i = 0; i < operations; ++i) sum += TscClock::ticks();
      sink = sum;
    });
    now.add([&clock] {
      std::uint64_t sum = 0;
      for (int i = 0; i < operations; ++i) sum += static_cast<std::uint64_t>(clock.now_ns());
      sink = sum;
    });
    system.add([] {
      std::uint64_t sum = 0;
      for (int i = 0; i < operations; ++i) sum += static_cast<std::uint64_t>(TscClock::system_ns());
      sink = sum;
    });
  }
  counter.print("rdtsc");
  now.print("now_ns");
  system.print("CLOCK_MONOTONIC");
  report.add("now.ratio_to_rdtsc", now.median() / counter.median(), "ratio", bench::at_most(1.3));
  report.add("now.ns", now.median(), "ns");
  report.add("rdtsc.ns", counter.median(), "ns");
  report.add("system.ns", system.median(), "ns");
}

void histogram_records(bench::Report& report) {
  // Latencies as they are: most within a factor of ten, a few far out.
  std::array<std::int64_t, 4096> values{};
  std::mt19937_64 random(1);
  for (auto& value : values)
    value = static_cast<std::int64_t>(200 + random() % 2'000 + (random() % 100 == 0) * 100'000);

  Histogram histogram;
  Chunks record;
  for (int chunk = 0; chunk < chunks; ++chunk) {
    record.add([&] {
      for (std::size_t i = 0; i < operations; ++i) histogram.record(values[i % values.size()]);
    });
  }

  if (histogram.count() != std::uint64_t{chunks} * operations) bench::Report::wrong("the histogram lost records");
  if (histogram.max() != *std::max_element(values.begin(), values.end())) bench::Report::wrong("wrong maximum");
  record.print("histogram record");
  report.add("histogram.record.ns", record.median(), "ns", bench::at_most(5));
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("clock", argc, argv);
  bench::pin_to_core(0);
  clock_reads(report);
  histogram_records(report);
  return report.finish();
}
