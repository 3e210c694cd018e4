#include "streams_bench.hpp"

#include <x86intrin.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <span>
#include <string>

#include "book_engines.hpp"
#include "streams.hpp"
#include "timing.hpp"

namespace bench {

namespace {

constexpr int runs = 3;
constexpr std::uint64_t seed = 1;
using Engine = Books<outcry::HashedIds>;

void check(const Engine& engine, const obw1::Stream& stream) {
  if (engine.fills() != stream.answer()) Report::wrong("fills of a stream whose prices travel");
  engine.verify(stream);
}

void measure(Report& report, const char* name, const obw1::Stream& stream) {
  const std::span records(stream.records);
  const auto prefill = records.first(stream.header.prefill), timed = records.subspan(stream.header.prefill);

  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < runs; ++run) {
    const auto engine = std::make_unique<Engine>(stream);
    carry_out<false>(*engine, prefill);
    const std::uint64_t begin = __rdtsc();
    carry_out<false>(*engine, timed);
    const double ticks = static_cast<double>(__rdtsc() - begin);
    check(*engine, stream);
    best = std::min(best, ticks * ns_per_tick() / static_cast<double>(timed.size()));
  }

  const auto engine = std::make_unique<Engine>(stream);
  carry_out<false>(*engine, prefill);
  Samples samples(timed.size());
  for (const obw1::Record& record : timed) samples.time([&] { engine->carry_out(record); });
  check(*engine, stream);
  const Percentiles times = samples.percentiles();

  const std::string prefix = std::string("stream.") + name + ".";
  report.add(prefix + "fills", static_cast<double>(stream.header.fills), "fills");
  report.add(prefix + "ns_per_message", best, "ns");
  report.add(prefix + "p50_ns", times.p50, "ns");
  report.add(prefix + "p99_ns", times.p99, "ns");
  report.add(prefix + "p999_ns", times.p999, "ns");
}

}  // namespace

void measure_streams(Report& report) {
  measure(report, "flash_crash", flash_crash(seed));
  measure(report, "swing", swing(seed));
  measure(report, "wide", wide(seed));
}

}  // namespace bench
