// Hazard pointers: who looks keeps, who lets go gives back.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include <outcry/book/hazard_pointer.hpp>

using namespace outcry;

namespace {

struct Map : hazard_pointer_obj_base<Map> {
  Map(std::uint64_t n, std::atomic<int>& alive) : number(n), inverse(~n), alive_(alive) { ++alive_; }
  ~Map() {
    number = inverse = 0;
    --alive_;
  }
  std::uint64_t number, inverse;

 private:
  std::atomic<int>& alive_;
};

}  // namespace

TEST_CASE("what a reader protects is given back only after it has let go") {
  std::atomic<int> alive{0};
  std::atomic<Map*> current{new Map(1, alive)};
  hazard_pointer guard = make_hazard_pointer();

  const Map* seen = guard.protect(current);
  current.exchange(new Map(2, alive))->retire();
  reclaim_retired();

  CHECK(alive == 2);
  CHECK(seen->number == 1);
  hazard_pointer moved = std::move(guard);
  CHECK(guard.empty());  // NOLINT(bugprone-use-after-move)
  reclaim_retired();
  CHECK(alive == 2);

  moved.reset_protection();
  reclaim_retired();
  CHECK(alive == 1);
  CHECK(moved.protect(current)->number == 2);
  {
    const hazard_pointer ended = std::move(moved);
  }
  current.exchange(nullptr)->retire();
  CHECK(alive == 0);
}

TEST_CASE("a pointer that has changed meanwhile is not protected, and the new one is told") {
  std::atomic<int> alive{0};
  auto* const older = new Map(1, alive);
  std::atomic<Map*> current{new Map(2, alive)};
  hazard_pointer guard = make_hazard_pointer();

  Map* expected = older;
  CHECK(!guard.try_protect(expected, current));
  CHECK(expected->number == 2);
  older->retire();
  CHECK(alive == 1);
  CHECK(guard.try_protect(expected, current));
  current.exchange(nullptr)->retire();
  CHECK(alive == 1);

  guard.reset_protection();
  reclaim_retired();
  CHECK(alive == 0);
  CHECK(guard.protect(current) == nullptr);
}

TEST_CASE("readers never see what was given back, and all of it is given back in the end") {
  std::atomic<int> alive{0};
  std::atomic<Map*> current{new Map(1, alive)};
  std::atomic<std::uint64_t> wrong{0}, looks{0};
  std::atomic<bool> over{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back([&] {
      hazard_pointer guard = make_hazard_pointer();
      std::uint64_t last = 0;
      while (!over) {
        const Map* const map = guard.protect(current);
        if (map->inverse != ~map->number || map->number < last) ++wrong;
        last = map->number;
        guard.reset_protection();
        ++looks;
      }
    });
  for (std::uint64_t number = 2; number < 20'000 || looks < 1'000; ++number)
    current.exchange(new Map(number, alive))->retire();
  over = true;
  for (std::thread& reader : readers) reader.join();

  CHECK(wrong == 0);
  reclaim_retired();
  CHECK(alive == 1);
  current.exchange(nullptr)->retire();
  CHECK(alive == 0);
}
