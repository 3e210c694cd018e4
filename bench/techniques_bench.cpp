// Every technique of the book's hot path, with it and without it, on the same streams: OBW1's s1 and s500, and where
// the distance between levels matters, a flash crash.
//
// `gain` is the time without divided by the time with it: above 1 it pays. Both take turns in one run, the best of three
// counts. Techniques that are one header of the book are taken out of the product's own source (techniques.hpp). Those
// that are the shape of a record or of a branch are measured in the limit, whose traits turn them on one by one.
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "book_engines.hpp"
#include "median_run.hpp"
#include "obw1.hpp"
#include "report.hpp"
#include "streams.hpp"
#include "techniques.hpp"
#include "timing.hpp"

namespace bench {

namespace {

using namespace outcry;

constexpr int runs = 3;

struct Sentinel : LimitTraits {
  static constexpr bool sentinel = true;
};
struct Mirrored : LimitTraits {
  static constexpr bool mirrored = true;
};
struct WholeLine : LimitTraits {
  static constexpr std::size_t order_bytes = 64;
};
template <class Traits>
constexpr Run limit = median_ns<Limit<LimitDenseIds, Traits>, false>;

/// Reads fills by symbol: regrouping keeps the order within a symbol, not between symbols.
struct SymbolReader {
  std::vector<obw1::Fills> fills;
  std::uint64_t sum = 0;

  void on(const Traded& e) {
    fills[e.symbol.value].add(e.taker.value, e.maker.value, static_cast<std::uint64_t>(e.price.units), e.quantity.lots);
  }
  void on(const auto& e) {
    if constexpr (requires { e.id; }) sum += e.id.value;
  }
};

/// A batch of messages, taken from a mailbox say, is carried out symbol by symbol.
class Regrouped {
 public:
  static constexpr std::size_t batch = 1'000;
  static_assert(chunk % batch == 0);

  explicit Regrouped(const obw1::Stream& stream)
      : books_(stream.header.symbols, stream.header.ids, stream.header.prefill,
               [](std::uint32_t i) { return Instrument{.symbol = {i}}; }),
        starts_(stream.header.symbols + 1) {
    reader_.fills.resize(stream.header.symbols);
  }

  template <bool regroups>
  [[gnu::noinline, gnu::flatten]] void play(std::span<const obw1::Record> records) {
    for (; !records.empty(); records = records.subspan(std::min(batch, records.size()))) {
      const auto now = records.first(std::min(batch, records.size()));
      if constexpr (regroups) {
        std::fill(starts_.begin(), starts_.end(), 0);
        for (const obw1::Record& r : now) ++starts_[r.symbol + 1u];
        for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
        for (const obw1::Record& r : now) order_[starts_[r.symbol]++] = &r;
      } else {
        for (std::size_t i = 0; i < now.size(); ++i) order_[i] = &now[i];
      }
      carry_out_batch(
          std::span<const obw1::Record* const>(order_.data(), now.size()),
          [&](const obw1::Record* r) -> const auto& { return books_[r->symbol]; },
          [](const obw1::Record* r) { return Books<DenseIds>::hint_of(*r); },
          [&](const obw1::Record* r) { obw1::with_command(*r, [&](const auto& command) { give(*r, command); }); });
    }
  }

  const std::vector<obw1::Fills>& fills() const { return reader_.fills; }

 private:
  void give(const obw1::Record& r, const NewOrder& c) { books_[r.symbol].submit(c, reader_); }
  void give(const obw1::Record& r, const CancelOrder& c) { books_[r.symbol].cancel(c, reader_); }
  void give(const obw1::Record& r, const ReduceOrder& c) { books_[r.symbol].reduce(c, reader_); }
  void give(const obw1::Record& r, const ReplaceOrder& c) { books_[r.symbol].replace(c, reader_); }

  Shard<DenseIds> books_;
  SymbolReader reader_;
  std::vector<std::uint32_t> starts_;
  std::array<const obw1::Record*, batch> order_;
};

/// All fills together are those of the stream, and those of each symbol the same in every run.
void check(const obw1::Stream& stream, const std::vector<obw1::Fills>& fills) {
  static std::vector<obw1::Fills> before;
  std::uint64_t count = 0, quantity = 0;
  for (const obw1::Fills& one : fills) count += one.count, quantity += one.quantity;
  if (count != stream.header.fills || quantity != stream.header.fill_quantity) Report::wrong("fills of all symbols");
  if (before.size() == fills.size() && before != fills) Report::wrong("fills of a symbol, or their order");
  before = fills;
}

/// Both ways prefetch, both go through pointers: only the order differs.
template <bool regroups>
double regrouped_ns(const obw1::Stream& stream) {
  const auto engine = std::make_unique<Regrouped>(stream);
  std::span<const obw1::Record> records(stream.records);
  engine->play<false>(records.first(stream.header.prefill));
  records = records.subspan(stream.header.prefill);
  std::vector<double> chunks;
  for (; records.size() >= chunk; records = records.subspan(chunk)) {
    const std::uint64_t start = __rdtsc();
    engine->play<regroups>(records.first(chunk));
    chunks.push_back(static_cast<double>(__rdtsc() - start));
  }
  check(stream, engine->fills());
  return median(chunks) * ns_per_tick() / chunk;
}

void compare(Report& report, const std::string& name, const obw1::Stream& stream, Run with, Run without) {
  double on = std::numeric_limits<double>::infinity(), off = on;
  for (int run = 0; run < runs; ++run) {
    on = std::min(on, with(stream));
    off = std::min(off, without(stream));
  }
  report.add(name + ".on.ns", on, "ns");
  report.add(name + ".off.ns", off, "ns");
  report.add(name + ".gain", off / on, "ratio");
}

void measure(Report& report, const std::string& name, const obw1::Stream& stream) {
  const BuiltBooks product = product_books();
  compare(report, "bitmap_not_scan." + name, stream, product.dense, linear_books().dense);
  compare(report, "bitmap_not_tree." + name, stream, product.dense, tree_books().dense);
  if (name == "flash_crash") return;
  compare(report, "prefetch." + name, stream, product.dense_prefetching, product.dense);
  compare(report, "regroup." + name, stream, regrouped_ns<true>, regrouped_ns<false>);
  compare(report, "exact_divisor." + name, stream, product.dense, division_books().dense);
  compare(report, "sentinel." + name, stream, limit<Sentinel>, limit<LimitTraits>);
  compare(report, "mirrored_sides." + name, stream, limit<Mirrored>, limit<LimitTraits>);
  compare(report, "order_of_32_bytes." + name, stream, limit<LimitTraits>, limit<WholeLine>);
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
  bench::pin_to_core(1);
  bench::Report report("techniques", argc, argv);
  bench::measure(report, "s1", obw1::generate(obw1::s1));
  bench::measure(report, "s500", obw1::generate(obw1::s500));
  bench::measure(report, "flash_crash", bench::flash_crash(1));
  return report.finish();
}
