// What a long queue costs must be told from what cold memory costs. 100,000 orders are 3 MB, so whoever picks one at
// random waits for memory, however the book is made. So the same 100,000 orders are put into one level, and into 10,000
// levels of ten each, and are cancelled in the same random order: the same memory, only the queues differ. That gives
// the ratio. The *hot* figures take the cache out: in levels of 10 and of 100,000 orders, one of the ten newest is
// cancelled and a new one comes.
#include "level_bench.hpp"

#include <x86intrin.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "book_engines.hpp"
#include "timing.hpp"

namespace bench {

namespace {

using namespace outcry;

constexpr int runs = 5;
constexpr std::uint32_t all = 100'000;
constexpr std::int64_t base = 1'000'000;

struct Bench {
  explicit Bench(PriceLadder::Window window = {})
      : pool({.orders = all + 1024, .limit = all + 1024}, &memory),
        book({}, pool, {.window = window, .orders = all + 1024}, &memory) {}

  void add(std::uint64_t id, std::int64_t price) {
    book.submit(NewOrder{.id = {id}, .price = {price}, .quantity = {1}}, reader);
  }
  void cancel(std::uint64_t id) { book.cancel(CancelOrder{.id = {id}}, reader); }
  void hit(std::uint64_t id, std::int64_t price) {
    book.submit(NewOrder{.id = {id},
                         .price = {price},
                         .quantity = {1},
                         .side = Side::sell,
                         .time_in_force = TimeInForce::immediate_or_cancel},
                reader);
  }

  HugeMemory memory;
  OrderPool pool;
  OrderBook<HashedIds> book;
  Reader reader;
};

std::vector<std::uint64_t> shuffled_ids() {
  std::vector<std::uint64_t> ids(all);
  std::iota(ids.begin(), ids.end(), 1);
  std::uint64_t state = 1;
  for (std::uint32_t i = all - 1; i > 0; --i) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    std::swap(ids[i], ids[(state >> 33) % (i + 1)]);
  }
  return ids;
}

/// Puts all orders into levels of so many, neighbours in a level being neighbours in memory in neither case.
void fill_book(Bench& bench, std::uint32_t orders_per_level) {
  const std::uint32_t levels = all / orders_per_level;
  for (std::uint32_t i = 0; i < all; ++i) bench.add(i + 1, base - i % levels);
  if (bench.book.order_count() != all || bench.book.level_count(Side::buy) != levels)
    Report::wrong("orders or levels at the start");
}

template <class F>
double ns_each(std::uint64_t count, F&& f) {
  const std::uint64_t begin = __rdtsc();
  for (std::uint64_t i = 0; i < count; ++i) f(i);
  return static_cast<double>(__rdtsc() - begin) * ns_per_tick() / static_cast<double>(count);
}

double cancel_ns(std::uint32_t orders_per_level, const std::vector<std::uint64_t>& ids) {
  const auto bench = std::make_unique<Bench>();
  fill_book(*bench, orders_per_level);
  const double ns = ns_each(all, [&](std::uint64_t i) { bench->cancel(ids[i]); });
  if (!bench->book.empty() || bench->book.counts().cancels != all) Report::wrong("not everything was cancelled");
  return ns;
}

double fill_ns(std::uint32_t orders_per_level) {
  const auto bench = std::make_unique<Bench>();
  fill_book(*bench, orders_per_level);
  const double ns = ns_each(all, [&](std::uint64_t i) { bench->hit(all + 1 + i, 1); });
  if (!bench->book.empty() || bench->reader.fills.count != all) Report::wrong("not everything was filled");
  return ns;
}

double hot_ns(std::uint32_t orders, const std::vector<std::uint64_t>& ids) {
  const auto bench = std::make_unique<Bench>();
  std::uint64_t next = 1;
  while (next <= orders) bench->add(next++, base);
  std::uint64_t newest[10];
  for (std::uint64_t i = 0; i < 10; ++i) newest[i] = next - 10 + i;
  const double ns = ns_each(all, [&](std::uint64_t i) {
    std::uint64_t& id = newest[ids[i] % 10];
    bench->cancel(id);
    bench->add(id = next++, base);
  });
  if (bench->book.order_count() != orders || bench->book.counts().cancels != all) Report::wrong("orders at the end");
  return ns;
}

/// The cancel of the best order, with the next one so many ticks away; the median.
double gap_ns(std::int64_t ticks, PriceLadder::Window window = {}) {
  const auto bench = std::make_unique<Bench>(window);
  bench->add(1, base + ticks);
  bench->add(2, base);
  Samples samples(all);
  std::uint64_t best = 1;
  for (std::uint64_t i = 0; i < all; ++i) {
    samples.time([&] { bench->cancel(best); });
    if (bench->book.best_bid() != Price{base}) Report::wrong("the best price behind the gap");
    bench->add(best = i + 3, base + ticks);
  }
  return samples.percentiles().p50;
}

}  // namespace

void measure_levels(Report& report) {
  const std::vector<std::uint64_t> ids = shuffled_ids();
  enum { cancel_short, cancel_long, fill_short, fill_long, hot_short, hot_long, kinds };
  double best[kinds];
  std::fill(best, best + kinds, std::numeric_limits<double>::infinity());
  for (int run = 0; run < runs; ++run) {
    const double now[kinds] = {cancel_ns(10, ids), cancel_ns(all, ids), fill_ns(10),
                               fill_ns(all),       hot_ns(10, ids),     hot_ns(all, ids)};
    for (int kind = 0; kind < kinds; ++kind) best[kind] = std::min(best[kind], now[kind]);
  }
  report.add("level.orders_10.cancel.ns", best[cancel_short], "ns");
  report.add("level.orders_100000.cancel.ns", best[cancel_long], "ns");
  report.add("level.orders_10.fill.ns", best[fill_short], "ns");
  report.add("level.orders_100000.fill.ns", best[fill_long], "ns");
  report.add("level.orders_10.hot.ns", best[hot_short], "ns");
  report.add("level.orders_100000.hot.ns", best[hot_long], "ns");
  report.add("level.orders_100000.hot.ratio", best[hot_long] / best[hot_short], "ratio");
  report.add("level.orders_100000.ratio",
             std::max(best[cancel_long] / best[cancel_short], best[fill_long] / best[fill_short]), "ratio",
             at_most(1.3));

  // A million ticks are more than a window has: the next level is found among those far away.
  const double next_tick = gap_ns(1), gap = gap_ns(1'000'000);
  report.add("gap.1.ns", next_tick, "ns");
  report.add("gap.200k.ns", gap_ns(200'000, {.levels = Occupancy::most_slots}), "ns");
  report.add("gap.1m.ns", gap, "ns");
}

}  // namespace bench
