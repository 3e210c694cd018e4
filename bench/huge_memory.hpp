// HugeMemory: memory for a run of a benchmark, in huge pages where the system gives them, packed, and freed all at
// once.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <memory_resource>
#include <new>
#include <vector>

namespace bench {

class HugeMemory : public std::pmr::memory_resource {
 public:
  HugeMemory() = default;
  HugeMemory(const HugeMemory&) = delete;
  HugeMemory& operator=(const HugeMemory&) = delete;
  ~HugeMemory() override {
    for (const Block& block : blocks_) munmap(block.start, block.bytes);
  }

  template <class T>
  T* array(std::size_t count) {
    return static_cast<T*>(allocate(count * sizeof(T), alignof(T) > 64 ? alignof(T) : 64));
  }

 private:
  struct Block {
    void* start;
    std::size_t bytes;
  };
  static constexpr std::size_t page = std::size_t{2} << 20;

  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    next_ = (next_ + alignment - 1) / alignment * alignment;
    if (next_ + bytes > end_) {
      const std::size_t size = (bytes + page - 1) / page * page + page;
      void* start = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (start == MAP_FAILED) throw std::bad_alloc();
      madvise(start, size, MADV_HUGEPAGE);
      blocks_.push_back({start, size});
      next_ = (reinterpret_cast<std::size_t>(start) + page - 1) / page * page;
      end_ = reinterpret_cast<std::size_t>(start) + size;
    }
    void* p = reinterpret_cast<void*>(next_);
    next_ += bytes;
    return p;
  }
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::vector<Block> blocks_;
  std::size_t next_ = 0;
  std::size_t end_ = 0;
};

}  // namespace bench
