// A reader that forgets to protect what it looks at: the sanitizers must find it. The test passes if they do.
#include <atomic>
#include <cstdio>
#include <thread>

#include <outcry/book/hazard_pointer.hpp>

namespace {
struct Map : outcry::hazard_pointer_obj_base<Map> {
  int number = 1;
};
}  // namespace

int main() {
  std::atomic<Map*> current{new Map};
  std::atomic<int> step{0};
  std::thread reader([&] {
    const Map* const map = current.load(std::memory_order_acquire);
    step.store(1, std::memory_order_relaxed);
    while (step.load(std::memory_order_relaxed) != 2) std::this_thread::yield();
    std::printf("%d\n", map->number);
  });
  while (step.load(std::memory_order_relaxed) != 1) std::this_thread::yield();
  current.exchange(nullptr)->retire();
  step.store(2, std::memory_order_relaxed);
  reader.join();
}
