// The order book on OBW1, in turn with the least work that keeps the same queues.
//
// One program, one core, one stream at a time. Each engine begins empty, takes the prefill untimed and then 1,000
// chunks of 10,000 messages; its time is the median chunk, the best of three runs; engines take turns. Fills are
// counted, summed and hashed by every engine, and a wrong answer ends the program before a number is printed.
#include <x86intrin.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <outcry/book/batch.hpp>
#include <outcry/book/order_book.hpp>

#include "actors_bench.hpp"
#include "book_limit.hpp"
#include "huge_memory.hpp"
#include "obw1.hpp"
#include "obw1_commands.hpp"
#include "report.hpp"

using namespace outcry;
using obw1::with_command;

namespace {

constexpr std::size_t chunk = 10'000;
constexpr int runs = 3;

double ns_per_tick() {
  static const double value = [] {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    const std::uint64_t ticks = __rdtsc();
    while (Clock::now() - start < std::chrono::milliseconds(200)) {
    }
    const std::chrono::duration<double, std::nano> passed = Clock::now() - start;
    return passed.count() / static_cast<double>(__rdtsc() - ticks);
  }();
  return value;
}

/// Reads what the book says, as whoever sends it on would: all of a trade, and the terms of everything else.
struct Reader {
  obw1::Fills fills;
  std::uint64_t sum = 0;
  std::uint64_t rejected = 0;

  void on(const Accepted& e) {
    sum += e.id.value ^ e.quantity.lots ^ static_cast<std::uint64_t>(e.price.units) ^ e.account.value;
  }
  void on(const Rejected&) { ++rejected; }
  void on(const Traded& e) {
    fills.add(e.taker.value, e.maker.value, static_cast<std::uint64_t>(e.price.units), e.quantity.lots);
    sum += e.maker_open.lots ^ e.maker_account.value ^ e.taker_account.value;
  }
  void on(const Cancelled& e) {
    sum += e.id.value ^ e.quantity.lots ^ static_cast<std::uint64_t>(e.price.units) ^ e.account.value;
  }
  void on(const Reduced& e) {
    sum += e.id.value ^ e.open.lots ^ static_cast<std::uint64_t>(e.price.units) ^ e.account.value;
  }
  void on(const Modified& e) { sum += e.id.value ^ e.quantity.lots ^ static_cast<std::uint64_t>(e.price.units); }
  void on(const Replaced& e) {
    sum += e.new_id.value ^ e.quantity.lots ^ static_cast<std::uint64_t>(e.price.units) ^ e.account.value;
  }
};

/// Our books behind the records.
template <class Ids>
class Books {
 public:
  static constexpr bool shares_ids = std::is_same_v<Ids, DenseIds>;

  explicit Books(const obw1::Stream& stream)
      : pool_({.orders = 1u << 14, .limit = static_cast<std::uint32_t>(stream.header.prefill * 2 + 1024)}, &memory_),
        ids_(shares_ids ? stream.header.ids : 1, &memory_) {
    using Book = OrderBook<Ids>;
    count_ = stream.header.symbols;
    books_ = memory_.array<Book>(count_);
    for (std::uint32_t i = 0; i < count_; ++i) {
      const Instrument instrument{.symbol = {i}};
      if constexpr (shares_ids)
        new (books_ + i) Book(instrument, pool_, ids_, {}, &memory_);
      else
        new (books_ + i) Book(instrument, pool_, {}, &memory_);
    }
  }
  ~Books() { std::destroy_n(books_, count_); }

  [[gnu::always_inline]] void carry_out(const obw1::Record& record) {
    OrderBook<Ids>& book = books_[record.symbol];
    with_command(record, [&](const auto& command) { give(book, command); });
  }
  const OrderBook<Ids>& book_of(const obw1::Record& r) const { return books_[r.symbol]; }
  static Hint hint_of(const obw1::Record& r) {
    return {.id = {r.id},
            .new_id = {r.new_id},
            .price = {r.price},
            .side = static_cast<Side>(r.side),
            .is_new = r.kind == obw1::Kind::add || r.kind == obw1::Kind::immediate};
  }

  const obw1::Fills& fills() const { return reader_.fills; }
  void verify(const obw1::Stream& stream) const {
    std::uint64_t live = 0, levels = 0;
    for (std::uint64_t i = 0; i < count_; ++i) {
      live += books_[i].order_count();
      levels += books_[i].level_count(Side::buy) + books_[i].level_count(Side::sell);
    }
    if (live != stream.live_at_end || levels != stream.levels_at_end)
      bench::Report::wrong("live orders or levels at the end");
    if (reader_.rejected != 0) bench::Report::wrong("messages were refused");
  }

 private:
  void give(OrderBook<Ids>& book, const NewOrder& c) { book.submit(c, reader_); }
  void give(OrderBook<Ids>& book, const CancelOrder& c) { book.cancel(c, reader_); }
  void give(OrderBook<Ids>& book, const ReduceOrder& c) { book.reduce(c, reader_); }
  void give(OrderBook<Ids>& book, const ReplaceOrder& c) { book.replace(c, reader_); }

  bench::HugeMemory memory_;
  OrderPool pool_;
  Ids ids_;
  OrderBook<Ids>* books_;
  std::uint64_t count_;
  Reader reader_;
};

/// The limit behind the records.
template <class Ids>
class Limit {
 public:
  explicit Limit(const obw1::Stream& stream)
      : book_(memory_, stream.header.symbols, stream.header.ids, stream.header.prefill) {}

  [[gnu::always_inline]] void carry_out(const obw1::Record& record) { book_.carry_out(record); }
  const bench::LimitBook<Ids>& book_of(const obw1::Record&) const { return book_; }
  static const obw1::Record& hint_of(const obw1::Record& record) { return record; }
  const obw1::Fills& fills() const { return book_.fills(); }
  void verify(const obw1::Stream&) const {}

 private:
  bench::HugeMemory memory_;
  bench::LimitBook<Ids> book_;
};

/// Carries out a chunk as one batch; both engines by the same loop.
template <bool prefetching, class Engine>
[[gnu::noinline, gnu::flatten]] void carry_out(Engine& engine, std::span<const obw1::Record> chunk_of_records) {
  if constexpr (prefetching)
    carry_out_batch(
        chunk_of_records, [&](const obw1::Record& r) -> decltype(auto) { return engine.book_of(r); },
        [&](const obw1::Record& r) -> decltype(auto) { return engine.hint_of(r); },
        [&](const obw1::Record& r) { engine.carry_out(r); });
  else
    for (const obw1::Record& record : chunk_of_records) engine.carry_out(record);
}

/// The median chunk of one run, in nanoseconds a message; the answer is checked first.
template <class Engine, bool prefetching>
double median_ns(const obw1::Stream& stream) {
  const auto engine = std::make_unique<Engine>(stream);
  const obw1::Record* at = stream.records.data();
  const obw1::Record* end = at + stream.records.size();
  carry_out<false>(*engine, {at, stream.header.prefill});
  at += stream.header.prefill;

  std::vector<double> chunks;
  for (; static_cast<std::size_t>(end - at) >= chunk; at += chunk) {
    const std::uint64_t start = __rdtsc();
    carry_out<prefetching>(*engine, {at, chunk});
    chunks.push_back(static_cast<double>(__rdtsc() - start));
  }
  carry_out<false>(*engine, {at, end});
  if (engine->fills() != stream.answer()) bench::Report::wrong("fills");
  engine->verify(stream);
  std::nth_element(chunks.begin(), chunks.begin() + static_cast<std::ptrdiff_t>(chunks.size() / 2), chunks.end());
  return chunks[chunks.size() / 2] * ns_per_tick() / chunk;
}

struct Percentiles {
  double p50, p99, p999;
};

/// Each message on its own, the cost of the clock taken off.
template <class Engine>
Percentiles message_ns(const obw1::Stream& stream) {
  const auto engine = std::make_unique<Engine>(stream);
  const obw1::Record* at = stream.records.data();
  const obw1::Record* end = at + stream.records.size();
  for (const obw1::Record* timed = at + stream.header.prefill; at != timed; ++at) engine->carry_out(*at);

  const auto timed = [](auto&& f) {
    unsigned core;
    const std::uint64_t start = __rdtsc();
    _mm_lfence();
    f();
    _mm_lfence();
    return __rdtscp(&core) - start;
  };
  std::vector<std::uint64_t> empty(100'000);
  for (auto& ticks : empty) ticks = timed([] {});
  std::nth_element(empty.begin(), empty.begin() + 50'000, empty.end());
  const std::uint64_t clock = empty[50'000];

  std::vector<std::uint32_t> ticks;
  ticks.reserve(stream.records.size());
  for (; at != end; ++at) {
    const std::uint64_t passed = timed([&] { engine->carry_out(*at); });
    ticks.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(passed - std::min(passed, clock), 0xFFFFFFFFu)));
  }
  if (engine->fills() != stream.answer()) bench::Report::wrong("fills");
  std::sort(ticks.begin(), ticks.end());
  const auto at_share = [&](double share) {
    return ticks[static_cast<std::size_t>(static_cast<double>(ticks.size() - 1) * share)] * ns_per_tick();
  };
  return {at_share(0.5), at_share(0.99), at_share(0.999)};
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

  if (std::string_view(name) != "s1") return;
  const Percentiles limit = message_ns<Limit<bench::LimitHashedIds>>(stream);
  const Percentiles ours = message_ns<Books<HashedIds>>(stream);
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
  return report.finish();
}
