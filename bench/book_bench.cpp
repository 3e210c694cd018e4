// The order book on OBW1, in turn with the least work that keeps the same queues.
//
// One program, one core, one stream at a time. Each engine begins empty, takes the prefill untimed and then 1,000
// chunks of 10,000 messages; its time is the median chunk, the best of three runs; engines take turns. Fills are
// counted, summed and hashed by every engine, and a wrong answer ends the program before a number is printed.
#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors_bench.hpp"
#include "book_engines.hpp"
#include "itch_bench.hpp"
#include "level_bench.hpp"
#include "median_run.hpp"
#include "obw1.hpp"
#include "report.hpp"
#include "streams_bench.hpp"
#include "timing.hpp"

using namespace outcry;
using bench::Books;
using bench::Limit;
using bench::median_ns;

namespace {

constexpr int runs = 3;

/// Each message on its own.
template <class Engine>
bench::Percentiles message_ns(const obw1::Stream& stream) {
  const auto engine = std::make_unique<Engine>(stream);
  const obw1::Record* at = stream.records.data();
  const obw1::Record* end = at + stream.records.size();
  for (const obw1::Record* timed = at + stream.header.prefill; at != timed; ++at) engine->carry_out(*at);

  bench::Samples samples(stream.records.size());
  for (; at != end; ++at) samples.time([&] { engine->carry_out(*at); });
  if (engine->fills() != stream.answer()) bench::Report::wrong("fills");
  return samples.percentiles();
}

struct Contender {
  const char* name;
  double (*run)(const obw1::Stream&);
  double best = std::numeric_limits<double>::infinity();
};

void compare(const char* name, const obw1::Size& size, bench::Report& report) {
  const obw1::Stream stream = obw1::generate(size);
  enum { hashed, hashed_prefetching, dense, dense_prefetching, kinds };
  Contender limits[kinds] = {{"limit.hashed", median_ns<Limit<bench::LimitHashedIds>, false>},
                             {"limit.hashed.prefetching", median_ns<Limit<bench::LimitHashedIds>, true>},
                             {"limit.dense", median_ns<Limit<bench::LimitDenseIds>, false>},
                             {"limit.dense.prefetching", median_ns<Limit<bench::LimitDenseIds>, true>}};
  Contender books[kinds] = {{"hashed", median_ns<Books<HashedIds>, false>},
                            {"hashed.prefetching", median_ns<Books<HashedIds>, true>},
                            {"dense", median_ns<Books<DenseIds>, false>},
                            {"dense.prefetching", median_ns<Books<DenseIds>, true>}};
  for (int run = 0; run < runs; ++run)
    for (int kind = 0; kind < kinds; ++kind) {
      limits[kind].best = std::min(limits[kind].best, limits[kind].run(stream));
      books[kind].best = std::min(books[kind].best, books[kind].run(stream));
    }
  const auto fastest = [](const Contender* contenders, int first) {
    return std::min(contenders[first].best, contenders[first + 1].best);
  };
  const double hashed_ratio = fastest(books, hashed) / fastest(limits, hashed);
  const double dense_ratio = fastest(books, dense) / fastest(limits, dense);

  const std::string prefix = std::string("obw1.") + name + ".";
  for (const Contender& contender : limits)
    report.add(prefix + contender.name + ".ns_per_message", contender.best, "ns");
  for (const Contender& contender : books)
    report.add(prefix + contender.name + ".ns_per_message", contender.best, "ns");
  report.add(prefix + "hash_equal", 1, "bool", bench::at_least(1));
  report.add(prefix + "ns_per_message", std::min(fastest(books, hashed), fastest(books, dense)), "ns");
  report.add(prefix + "hashed.ratio_to_limit", hashed_ratio, "ratio");
  report.add(prefix + "dense.ratio_to_limit", dense_ratio, "ratio");
  // The worse of both kinds of ids, each against the fastest limit with the same kind.
  report.add(prefix + "ratio_to_limit", std::max(hashed_ratio, dense_ratio), "ratio", bench::at_most(1.6));
  bench::measure_itch(report, name, stream);

  if (std::string_view(name) != "s1") return;
  const bench::Percentiles limit = message_ns<Limit<bench::LimitHashedIds>>(stream);
  const bench::Percentiles ours = message_ns<Books<HashedIds>>(stream);
  report.add(prefix + "limit.p50_ns", limit.p50, "ns");
  report.add(prefix + "limit.p99_ns", limit.p99, "ns");
  report.add(prefix + "p50_ns", ours.p50, "ns");
  report.add(prefix + "p99_ns", ours.p99, "ns", bench::at_most(200));
  report.add(prefix + "p999_ns", ours.p999, "ns");
  bench::measure_actors(report, name, stream);
}

}  // namespace

int main(int argc, char** argv) {
  bench::pin_to_core(1);
  bench::Report report("book", argc, argv);
  compare("s1", obw1::s1, report);
  compare("s500", obw1::s500, report);
  bench::measure_streams(report);
  bench::measure_levels(report);
  return report.finish();
}
