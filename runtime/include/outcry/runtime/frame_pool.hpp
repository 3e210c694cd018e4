// FramePool: memory for coroutine frames, one for each scheduler, from the scheduler's arena.
//
// Thread: the scheduler's own, or the thread that builds the runtime before it runs. No atomics.
// Limits: as of LocalPool; a frame remembers its pool and its size in 16 bytes in front of it.
// Cost: allocate and free about 7 ns together (bench_messages, spawn).
#pragma once

#include <cstddef>
#include <memory_resource>
#include <new>
#include <string>

#include <outcry/runtime/local_pool.hpp>

namespace outcry {

class FramePool {
 public:
  using Statistics = LocalPool::Statistics;

  explicit FramePool(std::pmr::memory_resource* memory = std::pmr::new_delete_resource()) : blocks_(memory) {}
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  /// The pool that coroutines created on this thread take their frames from; null: operator new.
  static FramePool*& current() noexcept {
    constinit static thread_local FramePool* pool = nullptr;
    return pool;
  }

  static void* allocate_frame(std::size_t size) {
    FramePool* pool = current();
    const std::size_t total = size + sizeof(Header);
    void* memory = pool != nullptr ? pool->blocks_.allocate(total) : ::operator new(total);
    auto* header = ::new (memory) Header{pool, total};
    return header + 1;
  }

  static void free_frame(void* frame) noexcept {
    Header* header = static_cast<Header*>(frame) - 1;
    if (header->pool != nullptr) {
      header->pool->blocks_.free(header, header->size);
    } else {
      ::operator delete(header);
    }
  }

  const Statistics& statistics() const { return blocks_.statistics(); }

  /// Makes the pool so large, all of it touched, that nothing grows up to there. Throws std::bad_alloc.
  void reserve(std::size_t bytes) { blocks_.reserve(bytes); }

 private:
  struct alignas(16) Header {
    FramePool* pool;
    std::size_t size;
  };

  LocalPool blocks_;
};

/// "frames: 3 in use, 5 at most (65536 bytes), grown 1 time"
inline std::string to_string(const LocalPool::Statistics& statistics, const char* of = "frames") {
  return std::string(of) + ": " + std::to_string(statistics.in_use) + " in use, " +
         std::to_string(statistics.high_water) + " at most (" + std::to_string(statistics.bytes_reserved) +
         " bytes), grown " + std::to_string(statistics.slabs_grown) +
         (statistics.slabs_grown == 1 ? " time" : " times");
}

}  // namespace outcry
