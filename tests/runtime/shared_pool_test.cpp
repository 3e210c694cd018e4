#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <outcry/runtime/arena.hpp>
#include <outcry/runtime/shared_pool.hpp>

#include "tests/seed.hpp"

using namespace outcry;

namespace {

struct Thing {
  std::int64_t value = 7;
};

using Indexes = std::vector<std::uint32_t>;

template <class Pool>
Indexes take(Pool& pool, int count) {
  Indexes taken;
  for (int i = 0; i < count; ++i)
    if (const auto index = pool.take()) taken.push_back(*index);
  return taken;
}

/// A list whose thread is held up once between its two steps, while others do what is given.
template <std::uint32_t tag_step>
class HeldUp : public FreeIndexes<tag_step> {
 public:
  using Seen = typename FreeIndexes<tag_step>::Seen;

  static inline std::function<void()> meanwhile{};

  bool replace(Seen& seen, std::uint32_t next) noexcept {
    if (auto others = std::exchange(meanwhile, nullptr)) others();
    return FreeIndexes<tag_step>::replace(seen, next);
  }
};

/// One thread takes an object; before it has it, others take the same and the next one, and give the first one back.
/// Gives everything that is taken in the end.
template <std::uint32_t tag_step>
Indexes taken_around_a_thread_that_is_held_up() {
  SharedPool<Thing, HeldUp<tag_step>> pool({.limit = 3, .block = 4});
  for (const std::uint32_t index : take(pool, 3)) pool.give_back(index);  // free: 3, 2, 1
  Indexes taken;
  HeldUp<tag_step>::meanwhile = [&] {
    const auto first = pool.take();
    const auto second = pool.take();
    REQUIRE(first);
    REQUIRE(second);
    taken.push_back(*second);
    pool.give_back(*first);
  };
  for (int i = 0; i < 3; ++i)
    if (const auto index = pool.take()) taken.push_back(*index);
  return taken;
}

bool each_once(const Indexes& indexes) {
  return std::set<std::uint32_t>(indexes.begin(), indexes.end()).size() == indexes.size();
}

}  // namespace

TEST_CASE("a pool gives out each object once, the last one given back first, and says when there is none left") {
  SharedPool<Thing> pool({.limit = 3, .block = 2});
  CHECK(take(pool, 5) == Indexes{1, 2, 3});
  CHECK_FALSE(pool.take());
  pool.give_back(2);
  pool.give_back(1);
  CHECK(take(pool, 3) == Indexes{1, 2});
  CHECK(pool.report() ==
        SharedPoolReport{
            .capacity = 3, .prefaulted = 3, .in_use = 3, .high_water = 3, .grown = 2, .refused = 4, .bytes = 4 * 16});
  CHECK(to_string(pool.report()) ==
        "objects: 3 in use, 3 at most of 3 (3 prefaulted, 64 bytes), grown 2 times, 4 refused");
}

TEST_CASE("an object begins its life once and keeps what its last owner left") {
  SharedPool<Thing> pool({.limit = 4, .block = 4});
  const auto index = pool.take();
  REQUIRE(index);
  CHECK(pool[*index].value == 7);
  Thing* where = &pool[*index];
  where->value = 8;
  pool.give_back(*index);
  CHECK(take(pool, 4) == Indexes{1, 2, 3, 4});
  CHECK(&pool[*index] == where);
  CHECK(pool[*index].value == 8);
}

TEST_CASE("a pool that is sized by what an earlier run used does not grow") {
  SharedPool<Thing>::Size size{.limit = 1'000, .block = 16};
  SharedPool<Thing> first(size);
  take(first, 100);
  CHECK(first.report().grown == 7);

  SharedPool<Thing> second(size.after(first.report()));
  second.warm();
  CHECK(second.report().prefaulted >= 100);
  take(second, 100);
  CHECK(second.report().grown == 0);
  CHECK(second.report().high_water == 100);
}

TEST_CASE("a limit of none or of more than indexes reach is refused") {
  CHECK_THROWS_AS(SharedPool<Thing>({.limit = 0}), std::invalid_argument);
  CHECK_THROWS_AS(SharedPool<Thing>({.limit = UINT32_MAX}), std::invalid_argument);
}

TEST_CASE("a pool whose arena is at its limit refuses, and goes on with what is given back") {
  Arena arena(ArenaKind::pages, {.limit_bytes = std::size_t{2} << 20});
  SharedPool<Thing> pool({.limit = 1u << 20, .block = 1u << 13}, &arena);
  const Indexes taken = take(pool, 1 << 18);
  CHECK(taken.size() > 1 << 13);
  CHECK(taken.size() < 1 << 18);
  CHECK(pool.report().refused > 0);
  pool.give_back(taken.back());
  CHECK(pool.take() == taken.back());
}

TEST_CASE("a thread that is held up while its object goes and comes back notices by the tag (ABA)") {
  const Indexes taken = taken_around_a_thread_that_is_held_up<1>();
  CHECK(taken.size() == 3);
  CHECK(each_once(taken));
}

TEST_CASE("without tags the same moment hands an object to two") {
  CHECK_FALSE(each_once(taken_around_a_thread_that_is_held_up<0>()));
}

TEST_CASE("threads never have the same object at the same time, also while the pool grows and runs dry") {
  MESSAGE("--seed=" << test_seed());
  constexpr int threads = 4;
  constexpr int steps = 30'000;
  // Few objects, so that they come back soon; not all that are wanted.
  SharedPool<Thing> pool({.limit = 24, .block = 4});
  std::vector<std::atomic<int>> owner(25);
  std::atomic<std::int64_t> twice{0}, broken{0}, refused{0};
  std::atomic<int> ready{0};
  std::vector<std::thread> workers;
  for (int t = 1; t <= threads; ++t)
    workers.emplace_back([&, t] {
      std::mt19937_64 random(test_seed() + static_cast<std::uint64_t>(t));
      ready.fetch_add(1);
      while (ready.load() < threads) {
      }
      std::vector<std::uint32_t> mine;
      const auto give_back = [&](std::size_t i) {
        const std::uint32_t index = mine[i];
        if (pool[index].value != t) broken.fetch_add(1);
        if (owner[index].exchange(0) != t) twice.fetch_add(1);
        mine[i] = mine.back();
        mine.pop_back();
        pool.give_back(index);
      };
      for (int i = 0; i < steps; ++i) {
        if (mine.size() < 8 && random() % 2 == 0) {
          if (const auto index = pool.take()) {
            if (owner[*index].exchange(t) != 0) twice.fetch_add(1);
            pool[*index].value = t;
            mine.push_back(*index);
          } else {
            refused.fetch_add(1);
          }
        } else if (!mine.empty()) {
          give_back(random() % mine.size());
        }
      }
      while (!mine.empty()) give_back(0);
    });
  for (std::thread& worker : workers) worker.join();

  CHECK(twice == 0);
  CHECK(broken == 0);
  const SharedPoolReport report = pool.report();
  CHECK(report.in_use == 0);
  CHECK(report.refused == static_cast<std::uint64_t>(refused.load()));
  CHECK(report.high_water <= 24);
  CHECK(take(pool, 30).size() == 24);
}
