// FramePool: memory for coroutine frames, one for each scheduler, in size classes of 64 bytes.
//
// Thread: the scheduler's own, or the thread that builds the runtime before it runs. No atomics.
// Limits: frames above max_pooled bytes come from operator new. Slabs are given back when the pool is destroyed.
// Cost: allocate and free about 7 ns together (bench_messages, spawn).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace outcry {

class FramePool {
 public:
  struct Statistics {
    std::size_t in_use = 0;
    std::size_t high_water = 0;
    std::size_t bytes_reserved = 0;
    std::size_t slabs_grown = 0;  // taken while frames waited for them, not by reserve()
  };

  FramePool() = default;
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
    void* memory = pool != nullptr ? pool->allocate(total) : ::operator new(total);
    auto* header = ::new (memory) Header{pool, total};
    return header + 1;
  }

  static void free_frame(void* frame) noexcept {
    Header* header = static_cast<Header*>(frame) - 1;
    if (header->pool != nullptr) {
      header->pool->free(header, header->size);
    } else {
      ::operator delete(header);
    }
  }

  const Statistics& statistics() const { return statistics_; }

  /// Makes the pool so large, all of it touched, that nothing grows up to there. Throws std::bad_alloc.
  void reserve(std::size_t bytes) {
    while (statistics_.bytes_reserved < bytes) {
      spare_.push_back(std::make_unique<Slab>());  // zeros: touches every page
      statistics_.bytes_reserved += slab_size;
    }
  }

 private:
  static constexpr std::size_t granule = 64;
  static constexpr std::size_t max_pooled = 4096;
  static constexpr std::size_t slab_size = 64 * 1024;

  struct alignas(16) Header {
    FramePool* pool;
    std::size_t size;
  };
  struct Free {
    Free* next;
  };

  void* allocate(std::size_t size) {
    if (++statistics_.in_use > statistics_.high_water) statistics_.high_water = statistics_.in_use;
    const std::size_t index = (size + granule - 1) / granule;
    if (index * granule > max_pooled) return ::operator new(size);
    Free*& list = free_[index];
    if (list != nullptr) {
      Free* frame = list;
      list = frame->next;
      return frame;
    }
    return carve(index * granule);
  }

  void free(void* memory, std::size_t size) noexcept {
    --statistics_.in_use;
    const std::size_t index = (size + granule - 1) / granule;
    if (index * granule > max_pooled) {
      ::operator delete(memory);
      return;
    }
    free_[index] = ::new (memory) Free{free_[index]};
  }

  void* carve(std::size_t size) {
    if (left_ < size) {
      if (!spare_.empty()) {
        slabs_.push_back(std::move(spare_.back()));
        spare_.pop_back();
      } else {
        slabs_.push_back(std::make_unique_for_overwrite<Slab>());
        statistics_.bytes_reserved += slab_size;
        ++statistics_.slabs_grown;
      }
      next_ = slabs_.back()->bytes;
      left_ = slab_size;
    }
    void* memory = next_;
    next_ += size;
    left_ -= size;
    return memory;
  }

  struct Slab {
    alignas(64) std::byte bytes[slab_size];
  };

  std::array<Free*, max_pooled / granule + 1> free_{};
  std::vector<std::unique_ptr<Slab>> slabs_;
  std::vector<std::unique_ptr<Slab>> spare_;  // reserved, not carved yet
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
  Statistics statistics_;
};

/// "frames: 3 in use, 5 at most (65536 bytes), grown 1 time"
inline std::string to_string(const FramePool::Statistics& statistics) {
  return "frames: " + std::to_string(statistics.in_use) + " in use, " + std::to_string(statistics.high_water) +
         " at most (" + std::to_string(statistics.bytes_reserved) + " bytes), grown " +
         std::to_string(statistics.slabs_grown) + (statistics.slabs_grown == 1 ? " time" : " times");
}

}  // namespace outcry
