// Arena: the memory of one scheduler, apart from the host's allocator: jemalloc's arena over pages of its own.
//
// The host keeps its allocator: malloc and operator new are what they were. Our jemalloc is a copy under other names in
// this library; where the build found none, blocks of powers of two over the same pages take its place.
// A std::pmr::memory_resource, so that books, queues and pools can take their memory from it.
// Thread: any, under a lock; made for the blocks of pools, not for each message. statistics() from any thread.
// Invariant: what was taken from an arena does not outlive it.
// Errors: std::bad_alloc when the limit is reached or the kernel has no more.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <string>

#include <outcry/runtime/page_source.hpp>

namespace outcry {

enum class ArenaKind : std::uint8_t {
  host,     // the host's allocator: no arena at all
  pages,    // blocks of powers of two over pages of its own
  jemalloc  // an arena of jemalloc over pages of its own; `pages` where there is no jemalloc
};

class Arena : public std::pmr::memory_resource {
 public:
  struct Statistics {
    std::uint64_t capacity = 0;  // bytes of address space so far
    std::uint64_t in_use = 0;    // bytes
    std::uint64_t high_water = 0;
    std::uint64_t allocated = 0;     // blocks, since the start
    std::uint64_t remote_frees = 0;  // blocks freed by a thread that was not the owner
    std::uint64_t refused = 0;       // blocks
  };

  explicit Arena(ArenaKind kind = ArenaKind::jemalloc, PageOptions options = {},
                 MemorySystem& system = MemorySystem::real());
  ~Arena() override;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// What it turned out to be.
  ArenaKind kind() const { return kind_; }
  /// "jemalloc 5.3.0", "pages" or "the host's allocator".
  std::string name() const;
  PageSource& pages() { return pages_; }
  const PageSource& pages() const { return pages_; }
  Statistics statistics() const;
  /// False for the host's allocator.
  bool contains(const void* memory) const { return pages_.contains(memory); }

  /// This thread owns the arena from now on: what others free is counted as remote.
  void enter() noexcept { owner_.store(thread_mark(), std::memory_order_relaxed); }
  void leave() noexcept { owner_.store(nullptr, std::memory_order_relaxed); }

  /// Whether this library has a jemalloc of its own.
  static bool has_jemalloc();

 private:
  struct Free {
    Free* next;
  };
  struct Jemalloc;  // its number and hooks

  static const void* thread_mark() noexcept {
    constinit static thread_local char mark = 0;
    return &mark;
  }

  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
  void* allocate_block(std::size_t bytes, std::size_t alignment) noexcept;

  ArenaKind kind_;
  PageSource pages_;
  std::unique_ptr<Jemalloc> jemalloc_;  // before pages_ in dying: it looks into them
  std::mutex mutex_;                    // guards free_
  std::array<Free*, 48> free_{};        // by the power of two
  std::atomic<const void*> owner_{nullptr};
  std::atomic<std::uint64_t> in_use_{0};
  std::atomic<std::uint64_t> high_water_{0};
  std::atomic<std::uint64_t> allocated_{0};
  std::atomic<std::uint64_t> remote_frees_{0};
  std::atomic<std::uint64_t> refused_{0};
};

/// "arena: 1048576 bytes in use, 2097152 at most of 4194304, 12 blocks, 0 freed from elsewhere, 0 refused"
std::string to_string(const Arena::Statistics& statistics);

}  // namespace outcry
