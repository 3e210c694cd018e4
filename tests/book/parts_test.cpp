// The parts of a book, each against something obvious.
#include <doctest/doctest.h>

#include <array>
#include <map>
#include <memory_resource>
#include <new>
#include <set>
#include <vector>

#include <outcry/book/book_report.hpp>
#include <outcry/book/order_book.hpp>
#include "drawn_market.hpp"
#include "event_list.hpp"
#include "tests/seed.hpp"

using namespace outcry_test;

TEST_CASE("an exact divisor tells multiples from everything else, with the limit in the same comparison") {
  Draw draw(test_seed());
  MESSAGE("seed " << test_seed());
  for (const std::uint64_t by :
       {1ull, 2ull, 3ull, 5ull, 7ull, 10ull, 64ull, 100ull, 96ull, 1ull << 40, 12'345'678'900ull}) {
    const ExactDivisor divisor(by);
    for (int i = 0; i < 2'000; ++i) {
      const std::uint64_t n = draw.bits() >> draw.below(64);
      const std::uint64_t most = draw.bits() >> draw.below(64);
      CHECK((divisor.quotient(n) <= most / by) == (n % by == 0 && n <= most));
      CHECK(divisor.quotient(n - n % by) == n / by);
    }
  }
}

TEST_CASE("the next taken slot below is found at any gap and in windows of any size") {
  Draw draw(test_seed());
  MESSAGE("seed " << test_seed());
  for (const std::uint32_t slots : {64u, 100u, 4096u, 4160u, 10'000u, 262'144u}) {
    std::vector<Word<std::uint64_t>> words(Occupancy::words_for(slots), ~std::uint64_t{0});
    Occupancy occupancy(words.data(), slots);
    std::set<std::uint32_t> taken;
    CHECK(occupancy.below(slots) == Occupancy::none);
    for (int i = 0; i < 3'000; ++i) {
      const auto slot = static_cast<std::uint32_t>(draw.below(slots));
      if (draw.percent(50)) {
        occupancy.set(slot);
        taken.insert(slot);
      } else {
        const auto one = taken.empty() ? slot : *taken.begin();
        occupancy.clear(one);
        taken.erase(one);
      }
      const auto from = static_cast<std::uint32_t>(draw.below(slots + 1));
      const auto next = taken.lower_bound(from);
      const std::uint32_t expected = next == taken.begin() ? Occupancy::none : *std::prev(next);
      CHECK(occupancy.below(from) == expected);
      CHECK(Occupancy::below(words.data(), slots, from) == expected);
      CHECK(occupancy.any() == !taken.empty());
    }
  }
}

TEST_CASE("a pool prefaults by chunks, reuses what was freed last and stops at its limit") {
  OrderPool pool({.orders = 3, .limit = 10, .chunk = 4});
  CHECK(pool.prefaulted() == 4);
  std::vector<OrderIndex> taken;
  while (pool.has_room()) taken.push_back(pool.take());

  CHECK(taken.size() == 10);
  CHECK(pool.prefaulted() == 10);
  CHECK(pool.in_use() == 10);
  CHECK(std::set<OrderIndex>(taken.begin(), taken.end()).size() == 10);
  CHECK(*std::min_element(taken.begin(), taken.end()) == 1);

  const Order* where = &pool[taken[4]];
  pool.give_back(taken[4]);
  CHECK(pool.has_room());
  CHECK(pool.next_taken() == taken[4]);
  CHECK(pool.take() == taken[4]);
  CHECK(&pool[taken[4]] == where);
  CHECK(pool.high_water() == 10);
  CHECK_THROWS(OrderPool({.limit = 0}));
}

TEST_CASE("an exhausted pool refuses the order, loses none that rests, and its report says so") {
  OrderPool pool({.orders = 1, .limit = 3, .chunk = 1});
  OrderBook<> book({}, pool);
  EventList events;
  for (std::uint64_t id = 1; id <= 3; ++id) book.submit(NewOrder{.id = {id}, .price = {10}, .quantity = {5}}, events);
  const std::string before = book.to_string();

  book.submit(NewOrder{.id = {4}, .price = {11}, .quantity = {5}}, events);
  book.submit(NewOrder{.id = {0}, .price = {11}, .quantity = {5}}, events);  // refused, but not by the pool

  CHECK(book.to_string() == before);
  CHECK(book.check() == "");
  CHECK(pool.report() == OrderPool::Report{.capacity = 3,
                                           .prefaulted = 3,
                                           .in_use = 3,
                                           .high_water = 3,
                                           .grown = 2,
                                           .refused = 1,
                                           .bytes = 3 * sizeof(Order)});
  CHECK(to_string(pool.report()) ==
        "orders: 3 in use, 3 at most of 3 (3 prefaulted, 96 bytes), grown 2 times, 1 refused");

  book.cancel(CancelOrder{.id = {2}}, events);
  book.submit(NewOrder{.id = {4}, .price = {11}, .quantity = {5}}, events);
  CHECK(book.order_count() == 3);
  CHECK(pool.report().refused == 1);
}

TEST_CASE("a pool sized by an earlier run's report grows no more") {
  const auto day = [](OrderPool& pool) {
    std::array<OrderIndex, 100> taken;
    for (OrderIndex& index : taken) index = pool.take();
    for (const OrderIndex index : taken) pool.give_back(index);
    return pool.report();
  };
  const OrderPool::Size size{.orders = 8, .limit = 1000, .chunk = 8};
  OrderPool first(size);
  const OrderPool::Report yesterday = day(first);
  OrderPool second(size.after(yesterday));
  second.warm();
  const OrderPool::Report today = day(second);

  CHECK(yesterday.grown == 12);
  CHECK(today.grown == 0);
  CHECK(today.high_water == 100);
  CHECK(size.after({.high_water = 5'000}).orders == 1'000);  // the limit stays
}

TEST_CASE("a report counts a book's operations, its levels and its queues by length") {
  OrderPool pool;
  OrderBook<> book({}, pool);
  EventList events;
  for (std::uint64_t id = 1; id <= 5; ++id)
    book.submit(NewOrder{.id = {id}, .price = {id <= 4 ? 10 : 9}, .quantity = {5}}, events);
  book.submit(NewOrder{.id = {6}, .price = {12}, .quantity = {7}, .side = Side::sell}, events);
  book.cancel(CancelOrder{.id = {1}}, events);
  book.reduce(ReduceOrder{.id = {2}, .by = {1}}, events);
  book.submit(NewOrder{.id = {7}, .price = {12}, .quantity = {7}}, events);
  book.cancel(CancelOrder{.id = {1}}, events);
  BookReport report = report_of(book);

  CHECK(to_string(report) ==
        "asked: 7 new, 1 cancel, 1 reduce, 0 modify, 0 replace; 1 rejected; 1 trade of 7; 11 events\n"
        "bids: 4 orders of 19 on 2 levels, 2.00 a level, at most 3\n"
        "asks: none\n"
        "queues of 1: 1 bid, 0 ask\n"
        "queues of 2 to 3: 1 bid, 0 ask\n");
  report += report;
  CHECK(report.bids.orders == 8);
  CHECK(report.bids.longest == 3);
  CHECK(report.counts.new_orders == 14);
}

TEST_CASE("a table of ids finds what a map finds, through growth, collisions and deletions") {
  Draw draw(test_seed());
  MESSAGE("seed " << test_seed());
  OrderPool pool;
  HashedIds ids(1);
  std::map<std::uint64_t, OrderIndex> map;
  const auto draw_id = [&]() -> OrderId {
    const std::uint64_t n = draw.below(600);
    switch (draw.below(3)) {
      case 0: return {n};
      case 1: return {n << 32};                     // multiples of a power of two
      default: return {n * 0xF1DE83E19937733Dull};  // undoes the multiplication: neighbours share a home
    }
  };
  for (int i = 0; i < 200'000; ++i) {
    const OrderId id = draw_id();
    REQUIRE(ids.has_room(id));
    const auto found = ids.find(id, pool);
    const auto expected = map.find(id.value);
    REQUIRE(found.order == (expected == map.end() ? 0 : expected->second));
    REQUIRE(ids.size() == map.size());
    if (found.order != 0) {
      ids.erase(found.position);
      pool.give_back(found.order);
      map.erase(expected);
    } else if (draw.percent(map.size() < 400 ? 80 : 20)) {
      const OrderIndex order = pool.take();
      pool[order].id = id.value;
      ids.insert(id, order, found.position);
      map[id.value] = order;
    }
  }
  CHECK(ids.capacity() >= map.size());
}

TEST_CASE("a dense table of ids grows to its limit and refuses what lies beyond") {
  OrderPool pool;
  DenseIds ids(10, std::pmr::get_default_resource(), 1000);
  CHECK(ids.has_room({10}));
  CHECK(ids.has_room({999}));
  CHECK(!ids.has_room({1000}));
  CHECK(!ids.has_room({~std::uint64_t{0}}));
  ids.insert({999}, 7, 0);
  CHECK(ids.find({999}, pool).order == 7);
  CHECK(ids.find({1'000'000}, pool).order == 0);
  ids.erase(ids.find({999}, pool).position);
  CHECK(ids.find({999}, pool).order == 0);
}

namespace {

/// Has no memory left when told so.
class Scarce : public std::pmr::memory_resource {
 public:
  bool empty = false;
  std::size_t balance = 0;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (empty) throw std::bad_alloc();
    balance += bytes;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    balance -= bytes;
    std::pmr::new_delete_resource()->deallocate(p, bytes, alignment);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

}  // namespace

TEST_CASE("a book without memory refuses what needs more of it and goes on with the rest") {
  Scarce memory;
  OrderPool pool;
  EventList events;
  {
    OrderBook<> book({}, pool, {.window = {64, 64}, .orders = 32}, &memory);
    std::uint64_t id = 0;
    const auto buy = [&](std::int64_t price) {
      book.submit(NewOrder{.id = {++id}, .price = {price}, .quantity = {1}}, events);
    };
    buy(100);
    events.clear();
    memory.empty = true;

    buy(1'000'000);
    buy(99);
    while (id < 33) buy(99);
    events.clear();
    buy(98);
    buy(98);

    CHECK(book.order_count() == 32);
    CHECK(events.text() == "rejected 34: pool_exhausted\nrejected 35: pool_exhausted\n");
    CHECK(book.check() == "");
    memory.empty = false;
    buy(1'000'000);
    CHECK(book.order_count() == 33);
    CHECK(book.check() == "");
  }
  CHECK(memory.balance == 0);
}

TEST_CASE("a book that follows a moving market keeps nearly all of its levels in the window") {
  OrderPool pool;
  OrderBook<> book({.tick = 5}, pool, {.window = {64, 4096}});
  EventList events;
  std::uint64_t id = 0;
  for (std::int64_t middle = 0; middle < 100'000; middle += 5) {
    book.submit(NewOrder{.id = {++id}, .price = {middle}, .quantity = {1}}, events);
    if (id > 100) book.cancel(CancelOrder{.id = {id - 100}}, events);
  }
  CHECK(book.check() == "");
  CHECK(book.order_count() == 100);
  CHECK(book.ladder(Side::buy).far_level_count() <= 20);
  CHECK(book.ladder(Side::buy).window_levels() <= 512);
}

TEST_CASE("an instrument that makes no sense is refused at the start") {
  OrderPool pool;
  CHECK_THROWS(OrderBook<>({.tick = 0}, pool));
  CHECK_THROWS(OrderBook<>({.lot = 0}, pool));
  CHECK_THROWS(OrderBook<>({.lowest = {5}, .highest = {4}}, pool));
  CHECK_THROWS(OrderBook<>({.symbol = {1u << 24}}, pool));
}
