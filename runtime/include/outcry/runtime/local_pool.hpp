// LocalPool: blocks of memory in size classes of 64 bytes, for one thread.
//
// Thread: one owner, or the thread that builds the runtime before it runs. No atomics.
// Limits: blocks above max_pooled bytes come from the memory resource. Slabs are given back when the pool is destroyed.
// Invariant: a block is freed with the size it was taken with, to the pool it was taken from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory_resource>
#include <vector>

namespace outcry {

class LocalPool {
 public:
  static constexpr std::size_t max_pooled = 4096;
  static constexpr std::size_t slab_size = 64 * 1024;

  struct Statistics {
    std::size_t in_use = 0;
    std::size_t high_water = 0;
    std::size_t bytes_reserved = 0;
    std::size_t slabs_grown = 0;  // taken while blocks waited for them, not by reserve()
  };

  explicit LocalPool(std::pmr::memory_resource* memory = std::pmr::new_delete_resource()) : memory_(memory) {}
  LocalPool(const LocalPool&) = delete;
  LocalPool& operator=(const LocalPool&) = delete;
  ~LocalPool() {
    for (std::byte* slab : slabs_) memory_->deallocate(slab, slab_size, granule);
    for (std::byte* slab : spare_) memory_->deallocate(slab, slab_size, granule);
  }

  const Statistics& statistics() const { return statistics_; }

  /// Makes the pool so large, all of it touched, that nothing grows up to there. Throws std::bad_alloc.
  void reserve(std::size_t bytes) {
    while (statistics_.bytes_reserved < bytes) {
      std::memset(add_slab(spare_), 0, slab_size);
    }
  }

  /// Throws std::bad_alloc.
  void* allocate(std::size_t size) {
    if (++statistics_.in_use > statistics_.high_water) statistics_.high_water = statistics_.in_use;
    const std::size_t index = (size + granule - 1) / granule;
    if (index * granule > max_pooled) return allocate_large(size);
    Free*& list = free_[index];
    if (list != nullptr) {
      Free* block = list;
      list = block->next;
      return block;
    }
    return carve(index * granule);
  }

  void free(void* memory, std::size_t size) noexcept {
    --statistics_.in_use;
    const std::size_t index = (size + granule - 1) / granule;
    if (index * granule > max_pooled) {
      memory_->deallocate(memory, size, granule);
      return;
    }
    free_[index] = ::new (memory) Free{free_[index]};
  }

 private:
  static constexpr std::size_t granule = 64;

  struct Free {
    Free* next;
  };

  void* allocate_large(std::size_t size) {
    try {
      return memory_->allocate(size, granule);
    } catch (...) {
      --statistics_.in_use;
      throw;
    }
  }

  std::byte* add_slab(std::vector<std::byte*>& slabs) {
    slabs.push_back(nullptr);
    try {
      slabs.back() = static_cast<std::byte*>(memory_->allocate(slab_size, granule));
    } catch (...) {
      slabs.pop_back();
      throw;
    }
    statistics_.bytes_reserved += slab_size;
    return slabs.back();
  }

  void* carve(std::size_t size) {
    if (left_ < size) {
      try {
        if (!spare_.empty()) {
          slabs_.push_back(spare_.back());
          spare_.pop_back();
        } else {
          add_slab(slabs_);
          ++statistics_.slabs_grown;
        }
      } catch (...) {
        --statistics_.in_use;
        throw;
      }
      next_ = slabs_.back();
      left_ = slab_size;
    }
    void* memory = next_;
    next_ += size;
    left_ -= size;
    return memory;
  }

  std::array<Free*, max_pooled / granule + 1> free_{};
  std::pmr::memory_resource* memory_;
  std::vector<std::byte*> slabs_;
  std::vector<std::byte*> spare_;  // reserved, not carved yet
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
  Statistics statistics_;
};

}  // namespace outcry
