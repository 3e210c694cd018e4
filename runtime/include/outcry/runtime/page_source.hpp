// PageSource: memory straight from the kernel for one arena: on a node, in huge pages, locked, touched, as asked.
//
// Regions of 2 MB and more, each twice as large as the one before up to 64 MB; taken from the front, all given back
// together when the source ends. What the kernel refuses is noted, never fatal: the memory is then ordinary memory.
// Thread: any; a lock is held while memory is taken, which is seldom.
// Limits: PageOptions::limit_bytes; at that take() gives null.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include <outcry/runtime/memory_system.hpp>

namespace outcry {

enum class HugePages : std::uint8_t {
  none,
  transparent,  // the kernel makes them where it can (madvise)
  reserved      // from those that the administrator has set aside (vm.nr_hugepages); what is missing: transparent
};

struct PageOptions {
  std::optional<std::uint32_t> node{};
  HugePages huge_pages = HugePages::none;
  bool lock = false;
  std::size_t limit_bytes = 0;  // zero: none
};

class PageSource {
 public:
  static constexpr std::size_t huge_page = std::size_t{2} << 20;

  struct Statistics {
    std::uint64_t mapped = 0;    // address space
    std::uint64_t taken = 0;     // of it
    std::uint64_t reserved = 0;  // in pages of vm.nr_hugepages
    std::uint64_t locked = 0;
    std::uint64_t refused = 0;  // times that take() gave null
    // Why something was not to be had, the first time: numbers of errors, zero if all went well.
    int node_error = 0;
    int huge_error = 0;
    int lock_error = 0;
    int map_error = 0;
  };

  explicit PageSource(PageOptions options = {}, MemorySystem& system = MemorySystem::real());
  ~PageSource();
  PageSource(const PageSource&) = delete;
  PageSource& operator=(const PageSource&) = delete;

  /// Zeros. Null: the limit is reached, or the kernel has no more. Requires: alignment is a power of two, at most
  /// huge_page.
  void* take(std::size_t bytes, std::size_t alignment) noexcept;
  /// Maps so much ahead and touches every page of it. False: it is not to be had.
  bool prefault(std::size_t bytes) noexcept;
  /// From now on, and for what is there already.
  void prefer_node(std::uint32_t node) noexcept;

  const PageOptions& options() const { return options_; }
  Statistics statistics() const;
  bool contains(const void* memory) const;
  /// Of what is mapped.
  std::uint64_t huge_bytes() const;
  struct Placed {
    std::uint64_t looked_at = 0;  // pages that have been touched, up to `most` of them
    std::uint64_t on_node = 0;
  };
  /// Where the pages really lie.
  Placed placed_on(std::uint32_t node, std::uint64_t most = 256) const;

 private:
  struct Region {
    std::byte* begin;
    std::size_t bytes;
  };

  bool add_region(std::size_t bytes) noexcept;
  void put_on_node(const Region& region) noexcept;

  PageOptions options_;
  MemorySystem& system_;
  mutable std::mutex mutex_;
  std::vector<Region> regions_;
  std::byte* next_ = nullptr;
  std::byte* end_ = nullptr;
  Statistics statistics_;
};

}  // namespace outcry
