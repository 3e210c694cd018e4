// Readers on other threads: what they see is what was there, and a reader without its checks would be found out.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <outcry/book/book_reader.hpp>
#include <outcry/book/order_book.hpp>

#include "drawn_market.hpp"
#include "event_list.hpp"
#include "tests/seed.hpp"

using namespace outcry_test;

namespace {

struct Silent {
  template <class Event>
  void on(const Event&) {}
};

std::string text_of(BookReader& reader, Side side) {
  std::string text;
  std::array<OrderView, 64> orders;
  for (LevelLook level = reader.top(side, orders); level; level = reader.next(side, level.price(), orders)) {
    text += (side == Side::buy ? "buy  " : "sell ") + std::to_string(level.price().units) + " |";
    for (std::size_t i = 0; i < level.copied; ++i)
      text += ' ' + std::to_string(orders[i].id.value) + ':' + std::to_string(orders[i].open.lots);
    text += '\n';
  }
  return text;
}

// ---- a market whose orders say what they are

// An order's account says which id and which price it belongs to, so that words of two orders do not go together. Ids
// count the orders, so within a level they ascend.
std::uint32_t account_for(std::uint64_t id, Side side, Price price) {
  std::uint64_t mixed = id * 0x9E3779B97F4A7C15ull ^ static_cast<std::uint64_t>(price.units * 2 + (side == Side::sell));
  mixed *= 0xBF58476D1CE4E5B9ull;
  return static_cast<std::uint32_t>(mixed >> 32) | 1u;
}

/// When each order came and went, in commands: what is copied must have been there while it was copied.
class Log {
 public:
  explicit Log(std::size_t orders) : left_(orders) {}
  void leave(std::uint64_t id) { left_[id].store(begun_.load(std::memory_order_relaxed), std::memory_order_relaxed); }
  void begin() { begun_.fetch_add(1, std::memory_order_relaxed); }
  void end() { done_.store(begun_.load(std::memory_order_relaxed), std::memory_order_release); }
  std::uint64_t done() const { return done_.load(std::memory_order_acquire); }
  /// Whether the order was still there when command number `done` was over.
  bool was_there(std::uint64_t id, std::uint64_t done) const {
    const std::uint64_t left = left_[id].load(std::memory_order_relaxed);
    return left == 0 || left > done;
  }
  std::size_t size() const { return left_.size(); }

 private:
  std::vector<std::atomic<std::uint64_t>> left_;
  std::atomic<std::uint64_t> begun_{0}, done_{0};
};

struct Findings {
  std::uint64_t looks = 0;
  std::uint64_t orders = 0;
  std::uint64_t busy = 0;
  std::uint64_t wrong_sums = 0;    // the orders do not add up to the volume, or an order is empty
  std::uint64_t wrong_orders = 0;  // words of two orders, of another level, or out of the order of time
  std::uint64_t stale = 0;         // an order that had gone before the look began
  std::uint64_t wrong() const { return wrong_sums + wrong_orders + stale; }
};

/// Walks both sides until it is told to stop, and checks every level.
template <class Checks>
void walk(const std::shared_ptr<const SharedBook>& book, const Log& log, const std::atomic<bool>& over,
          std::atomic<std::uint64_t>& walks, Findings& out) {
  BasicBookReader<Checks> reader(book);
  std::vector<OrderView> orders(256);
  Findings found;
  while (!over.load(std::memory_order_relaxed)) {
    for (const Side side : {Side::buy, Side::sell}) {
      std::uint64_t done = log.done();
      std::optional<Price> before;
      int levels = 0;
      for (LevelLook level = reader.top(side, orders);; level = reader.next(side, level.price(), orders)) {
        ++found.looks;
        if (level.look == Look::busy) ++found.busy;
        if (!level || ++levels == 100) break;
        Volume sum = 0;
        std::uint64_t last = 0;
        bool empty = false;
        for (std::size_t i = 0; i < level.copied; ++i) {
          const OrderView& order = orders[i];
          ++found.orders;
          sum += order.open.lots;
          empty |= order.open.lots == 0;
          if (order.account.value != account_for(order.id.value, side, level.price()) || order.id.value <= last ||
              order.side != side)
            ++found.wrong_orders;
          else if (order.id.value >= log.size() || !log.was_there(order.id.value, done))
            ++found.stale;
          last = order.id.value;
        }
        if (level.copied == level.depth.orders && (sum != level.depth.volume || empty)) ++found.wrong_sums;
        if (before && (side == Side::buy ? level.price() >= *before : level.price() <= *before)) ++found.wrong_orders;
        before = level.price();
        done = log.done();
      }
    }
    walks.fetch_add(1, std::memory_order_relaxed);
  }
  out = found;
}

/// The one writer: orders come, trade, shrink and go around a price that drifts and jumps, so that windows move and
/// grow and levels become far and near again.
class Writer {
 public:
  explicit Writer(std::uint64_t seed, std::size_t orders, bool jumps)
      : book(Instrument{}, pool, {.window = {64, 4096}}), log(orders), draw_(seed), jumps_(jumps) {}

  bool full() const { return next_id_ + 1 >= log.size(); }

  void command() {
    if (draw_.percent(jumps_ ? 4 : 1)) middle_ += static_cast<std::int64_t>(draw_.below(9)) - 4;
    if (jumps_ && draw_.below(400) == 0) middle_ += static_cast<std::int64_t>(draw_.below(4'000)) - 2'000;
    log.begin();
    const bool thin = live_.size() < 300;
    if (draw_.percent(thin ? 60 : 40) || live_.empty()) {
      const Side side = draw_.percent(50) ? Side::buy : Side::sell;
      const std::uint64_t kind = draw_.below(100);
      const bool takes = kind < 10;
      // Most of it at a few prices: busy levels are the ones that can be torn.
      std::int64_t off = static_cast<std::int64_t>(draw_.below(draw_.percent(80) ? 3 : 60));
      if (jumps_ && kind > 96) off += 3'000 + static_cast<std::int64_t>(draw_.below(10'000));
      if (takes) off = -5;
      const Price price{side == Side::buy ? middle_ - off : middle_ + 1 + off};
      const std::uint64_t id = ++next_id_;
      book.submit(
          NewOrder{.id = {id},
                   .price = price,
                   .quantity = {static_cast<std::uint32_t>(1 + draw_.below(takes ? 200 : 50))},
                   .account = {account_for(id, side, price)},
                   .side = side,
                   .time_in_force = takes ? TimeInForce::immediate_or_cancel : TimeInForce::good_till_cancelled},
          *this);
      if (!takes && !book.find({id})) gone({id});  // it traded on its way in
    } else {
      const std::size_t at = draw_.below(live_.size());
      const OrderView order = live_[at];
      if (draw_.percent(thin ? 40 : 80))
        book.cancel(CancelOrder{.id = order.id, .account = order.account}, *this);
      else
        book.reduce(ReduceOrder{.id = order.id, .by = {1}, .account = order.account}, *this);
    }
    log.end();
  }

  void on(const Accepted& e) {
    if (e.time_in_force != TimeInForce::good_till_cancelled) return;
    live_.push_back({.id = e.id, .account = e.account});
  }
  void on(const Traded& e) {
    if (e.maker_open.lots == 0) gone(e.maker);
  }
  void on(const Cancelled& e) { gone(e.id); }
  void on(const Rejected&) { ++rejected; }
  template <class Event>
  void on(const Event&) {}

  OrderPool pool;
  OrderBook<> book;
  Log log;
  std::uint64_t rejected = 0;

 private:
  void gone(OrderId id) {
    log.leave(id.value);
    for (OrderView& order : live_)
      if (order.id == id) {
        order = live_.back();
        live_.pop_back();
        return;
      }
  }

  Draw draw_;
  bool jumps_;
  std::int64_t middle_ = 100'000;
  std::uint64_t next_id_ = 0;
  std::vector<OrderView> live_;
};

template <class Checks>
std::vector<Findings> stress(std::uint64_t seed, std::size_t commands, bool jumps, std::uint64_t* windows = nullptr) {
  const std::size_t readers = 2;
  auto writer = std::make_unique<Writer>(seed, commands * 8, jumps);
  while (writer->book.order_count() < 200) writer->command();
  const std::shared_ptr<const SharedBook> shared = writer->book.share();
  const std::uint64_t layout = shared->sides[0].layout;
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> walks{0};
  std::vector<Findings> found(readers);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < readers; ++i)
    threads.emplace_back([&, i] { walk<Checks>(shared, writer->log, over, walks, found[i]); });
  // On a machine that gives readers little time there are more commands, up to what there are ids for.
  for (std::size_t i = 0; (i < commands || walks.load(std::memory_order_relaxed) < 200) && !writer->full(); ++i)
    writer->command();
  if (windows != nullptr) *windows = (shared->sides[0].layout - layout) / 2;
  over = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(writer->rejected == 0);
  CHECK(writer->book.check() == "");
  return found;
}

struct NoLevelVersion : EveryCheck {
  static constexpr bool level_version = false;
};
struct NoLayoutVersion : EveryCheck {
  static constexpr bool layout_version = false;
};

}  // namespace

TEST_CASE("a reader sees the levels, far ones too, and the orders of each in the order of time") {
  OrderPool pool;
  OrderBook<> book({.tick = 5}, pool, {.window = {64, 64}});
  Silent nobody;
  const auto rest = [&](std::uint64_t id, Side side, std::int64_t price, std::uint32_t quantity) {
    book.submit(NewOrder{.id = {id}, .price = {price}, .quantity = {quantity}, .account = {9}, .side = side}, nobody);
  };
  rest(1, Side::buy, 100, 10);
  BookReader reader(book.share());
  rest(2, Side::buy, 100, 20);
  rest(3, Side::buy, 90, 5);
  rest(4, Side::buy, -1'000'000, 1);
  rest(5, Side::buy, -2'000'000, 2);
  rest(6, Side::sell, 110, 7);
  rest(7, Side::sell, 5'000'000, 8);
  book.reduce(ReduceOrder{.id = {1}, .by = {4}, .account = {9}}, nobody);

  CHECK(text_of(reader, Side::buy) == "buy  100 | 1:6 2:20\nbuy  90 | 3:5\nbuy  -1000000 | 4:1\nbuy  -2000000 | 5:2\n");
  CHECK(text_of(reader, Side::sell) == "sell 110 | 6:7\nsell 5000000 | 7:8\n");
  std::array<DepthLevel, 3> depth;
  CHECK(reader.depth(Side::buy, depth).levels == 3);
  CHECK(depth[2] == DepthLevel{{-1'000'000}, 1, 1});

  std::array<OrderView, 1> one;
  const LevelLook level = reader.copy_level(Side::buy, {100}, one);
  CHECK(level.look == Look::seen);
  CHECK(level.depth == DepthLevel{{100}, 26, 2});
  CHECK(level.copied == 1);
  CHECK(one[0] == *book.find({1}));
  CHECK(reader.copy_level(Side::buy, {-2'000'000}, one).copied == 1);
  CHECK(reader.copy_level(Side::buy, {95}, one).look == Look::nothing);
  CHECK(reader.copy_level(Side::buy, {96}, one).look == Look::nothing);
  CHECK(reader.copy_level(Side::sell, {100}, one).look == Look::nothing);
  CHECK(reader.counts().retries == 0);
}

TEST_CASE("a reader follows a book through every drawn command") {
  const std::uint64_t seed = test_seed();
  MESSAGE("seed " << seed);
  for (const Profile& profile :
       {Profile{.name = "narrow", .window = {64, 64}, .far_percent = 10},
        Profile{.name = "history", .instrument = {.tick = 5, .off_tick_allowed = true}, .history_percent = 50}}) {
    DrawnMarket market(profile, seed);
    OrderPool pool({.limit = profile.limit});
    OrderBook<> book(profile.instrument, pool, {.window = profile.window});
    BookReader reader(book.share());
    EventList events;
    for (int i = 0; i < 5'000; ++i) {
      carry_out(market.next(book.order_count()), book, events);
      events.clear();
      if (i % 10 == 0)
        REQUIRE(text_of(reader, Side::sell).size() + text_of(reader, Side::buy).size() == book.to_string().size());
      const Side side = i % 2 == 0 ? Side::buy : Side::sell;
      const LevelLook top = reader.top(side);
      REQUIRE((top ? std::optional(top.price()) : std::nullopt) == book.best(side));
    }
    CHECK(reader.counts().retries == 0);
  }
}

TEST_CASE("a book that has ended says closed, and its reader touches nothing that was freed") {
  auto pool = std::make_unique<OrderPool>();
  auto book = std::make_unique<OrderBook<>>(Instrument{}, *pool);
  Silent nobody;
  book->submit(NewOrder{.id = {1}, .price = {100}, .quantity = {10}}, nobody);
  BookReader reader(book->share());
  hazard_pointer guard = make_hazard_pointer();
  const LadderFace* face = guard.protect(book->share()->sides[0].face);
  const OrderIndex oldest = book->ladder(Side::buy).best().oldest;

  book.reset();
  pool.reset();
  reclaim_retired();

  std::array<DepthLevel, 3> depth;
  CHECK(reader.top(Side::buy).look == Look::closed);
  CHECK(reader.depth(Side::sell, depth).look == Look::closed);
  CHECK((*face->orders)[oldest].id == 1);
  guard.reset_protection();
  reclaim_retired();
}

TEST_CASE("a level under change, and a side whose layout changes, are busy, and the owner does not wait") {
  OrderPool pool;
  OrderBook<> book(Instrument{}, pool);
  Silent nobody;
  book.submit(NewOrder{.id = {1}, .price = {100}, .quantity = {10}}, nobody);
  BookReader reader(book.share(), 3);
  auto& level = const_cast<Level&>(book.ladder(Side::buy).best());

  const std::uint32_t begun = level.begin_change();
  CHECK(reader.top(Side::buy).look == Look::busy);
  CHECK(reader.counts().retries == 3);
  CHECK(reader.counts().busy == 1);
  level.end_change(begun);
  CHECK(reader.top(Side::buy).look == Look::seen);

  auto& side = const_cast<SharedLadder&>(book.share()->sides[0]);
  side.begin_change();
  CHECK(reader.top(Side::buy).look == Look::busy);
  side.end_change();
  CHECK(reader.top(Side::buy).look == Look::seen);
}

TEST_CASE("two readers walk a busy book and find every level whole, in order and of its time") {
  const std::uint64_t seed = test_seed();
  MESSAGE("seed " << seed);
  std::uint64_t windows = 0;
  for (const bool jumps : {false, true})
    for (const Findings& found : stress<EveryCheck>(seed, 150'000, jumps, &windows)) {
      CHECK(found.looks > 0);
      CHECK(found.wrong_sums == 0);
      CHECK(found.wrong_orders == 0);
      CHECK(found.stale == 0);
    }
  CHECK(windows > 50);
}

TEST_CASE("a reader that leaves out the versions is found out by the same walk") {
  const std::uint64_t seed = test_seed();
  MESSAGE("seed " << seed);
  if (std::thread::hardware_concurrency() < 2) {
    MESSAGE("SKIPPED: one processor, where hardly anything is torn");
    return;
  }
  const auto wrong_without = [&](auto checks, bool jumps) {
    std::uint64_t wrong = 0;
    for (std::uint64_t round = 0; round < 40 && wrong == 0; ++round)
      for (const Findings& found : stress<decltype(checks)>(seed + round, 100'000, jumps)) wrong += found.wrong();
    return wrong;
  };

  CHECK(wrong_without(NoLevelVersion{}, false) > 0);
  CHECK(wrong_without(NoLayoutVersion{}, true) > 0);
}
