// What readers on other threads cost the book's writer, and what they get.
//
// OBW1 s1 is played through one book, again and again, with no reader, one and two; they walk ten levels of both sides
// with the orders there, as fast as they can. The writer is on core 0 and the readers share the others: on two cores
// two readers take turns. Times are the median of chunks of 1,000 commands; the three cases take turns, and the best of
// three rounds counts. Before a number is printed the fills are compared with the workload's answer, and in every level
// that a reader keeps the orders add up to the volume.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <outcry/book/book_reader.hpp>
#include <outcry/book/order_book.hpp>

#include "obw1.hpp"
#include "obw1_commands.hpp"
#include "report.hpp"

using namespace outcry;

namespace {

constexpr std::size_t chunk = 1'000;
constexpr int rounds = 3;
constexpr obw1::Size size{.messages = 3'000'000};
using Clock = std::chrono::steady_clock;

struct Fills {
  obw1::Fills fills;
  void on(const Traded& e) {
    fills.add(e.taker.value, e.maker.value, static_cast<std::uint64_t>(e.price.units), e.quantity.lots);
  }
  template <class Event>
  void on(const Event&) {}
};

void give(OrderBook<>& book, const NewOrder& c, Fills& fills) { book.submit(c, fills); }
void give(OrderBook<>& book, const CancelOrder& c, Fills& fills) { book.cancel(c, fills); }
void give(OrderBook<>& book, const ReduceOrder& c, Fills& fills) { book.reduce(c, fills); }
void give(OrderBook<>& book, const ReplaceOrder& c, Fills& fills) { book.replace(c, fills); }

struct Walks {
  std::uint64_t walks = 0;
  BookReader::Counts counts{};
};

void walk(const std::shared_ptr<const SharedBook>& book, const std::atomic<bool>& over, Walks& out) {
  for (unsigned core = 1; core < std::thread::hardware_concurrency(); ++core)
    if (bench::pin_to_core(static_cast<int>(core))) break;
  BookReader reader(book);
  std::vector<OrderView> orders(4'096);
  std::uint64_t walks = 0;
  for (; !over.load(std::memory_order_relaxed); ++walks)
    for (const Side side : {Side::buy, Side::sell}) {
      LevelLook level = reader.top(side, orders);
      for (int levels = 0; level && levels < 10; ++levels, level = reader.next(side, level.price(), orders)) {
        Volume sum = 0;
        for (std::size_t i = 0; i < level.copied; ++i) sum += orders[i].open.lots;
        if (level.copied == level.depth.orders && sum != level.depth.volume) bench::Report::wrong("a level's orders");
      }
    }
  out = {walks, reader.counts()};
}

struct Case {
  std::string name;
  bool is_shared;
  std::size_t readers;
  double ns_per_message = std::numeric_limits<double>::infinity();
  double walks_per_second = 0;
  double retries = 0;
  double busy = 0;
};

void measure(Case& one, const obw1::Stream& stream) {
  OrderPool pool;
  OrderBook<> book(Instrument{}, pool, {.orders = stream.header.prefill * 2});
  Fills fills;
  const obw1::Record* at = stream.records.data();
  const obw1::Record* const end = at + stream.records.size();
  const auto carry_out = [&](const obw1::Record& record) {
    obw1::with_command(record, [&](const auto& command) { give(book, command, fills); });
  };
  for (const obw1::Record* const timed = at + stream.header.prefill; at != timed; ++at) carry_out(*at);

  const std::shared_ptr<const SharedBook> shared = one.is_shared ? book.share() : nullptr;
  std::atomic<bool> over{false};
  std::vector<Walks> walks(one.readers);
  std::vector<std::thread> threads;
  for (Walks& out : walks) threads.emplace_back([&] { walk(shared, over, out); });
  std::vector<double> chunks;
  const auto begin = Clock::now();
  for (; static_cast<std::size_t>(end - at) >= chunk; at += chunk) {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < chunk; ++i) carry_out(at[i]);
    chunks.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count() / chunk);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  over = true;
  for (std::thread& thread : threads) thread.join();
  for (; at != end; ++at) carry_out(*at);
  if (fills.fills != stream.answer()) bench::Report::wrong("fills");

  std::nth_element(chunks.begin(), chunks.begin() + static_cast<std::ptrdiff_t>(chunks.size() / 2), chunks.end());
  one.ns_per_message = std::min(one.ns_per_message, chunks[chunks.size() / 2]);
  if (one.readers == 0) return;
  double all = 0, looks = 0, retries = 0, busy = 0;
  for (const Walks& walk : walks) {
    all += static_cast<double>(walk.walks);
    looks += static_cast<double>(walk.counts.looks);
    retries += static_cast<double>(walk.counts.retries);
    busy += static_cast<double>(walk.counts.busy);
  }
  one.walks_per_second = std::max(one.walks_per_second, all / seconds);
  one.retries = retries / (looks + retries);
  one.busy = busy / looks;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("readers", argc, argv);
  bench::pin_to_core(0);
  const obw1::Stream stream = obw1::generate(size);
  std::array<Case, 4> cases{Case{"unshared", false, 0}, Case{"0", true, 0}, Case{"1", true, 1}, Case{"2", true, 2}};
  for (int round = 0; round < rounds; ++round)
    for (Case& one : cases) measure(one, stream);
  for (const Case& one : cases) {
    const std::string prefix = "readers." + one.name + ".";
    report.add(prefix + "ns_per_message", one.ns_per_message, "ns");
    if (one.readers == 0) continue;
    report.add(prefix + "ratio_to_none", one.ns_per_message / cases[1].ns_per_message, "ratio");
    report.add(prefix + "walks_per_second", one.walks_per_second, "1/s");
    report.add(prefix + "failed_validations", one.retries, "share");
    report.add(prefix + "busy_looks", one.busy, "share");
  }
  return report.finish();
}
