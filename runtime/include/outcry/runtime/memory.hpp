// Memory: an arena for each scheduler of a runtime, on the node where the scheduler runs, and what came of the wishes.
//
// Nothing that is refused stops a start: the report says what was asked and what was obtained.
// Threads: enter() and leave() from the scheduler's own; counters and the report from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <outcry/runtime/arena.hpp>
#include <outcry/runtime/memory_system.hpp>
#include <outcry/runtime/page_source.hpp>
#include <outcry/runtime/start_report.hpp>

namespace outcry {

struct MemoryOptions {
  ArenaKind arena = ArenaKind::jemalloc;
  HugePages huge_pages = HugePages::none;
  bool lock = false;                   // arenas stay in memory
  std::vector<std::uint32_t> nodes{};  // of each scheduler's arena; missing: the node where it runs
  std::size_t prefault_bytes = 0;      // of each arena, touched at the start
  std::size_t limit_bytes = 0;         // of each arena; zero: none
  MemorySystem* system = nullptr;      // null: the kernel
};

/// The arenas of one node together.
struct NodeMemory {
  std::uint32_t node = 0;
  std::uint32_t arenas = 0;
  Arena::Statistics statistics{};  // high_water: the sum of each arena's own
};

class Memory {
 public:
  explicit Memory(MemoryOptions options = {}, std::uint32_t schedulers = 1);
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  Arena& arena(std::uint32_t scheduler) { return *arenas_[scheduler]; }
  const Arena& arena(std::uint32_t scheduler) const { return *arenas_[scheduler]; }
  const MemoryOptions& options() const { return options_; }
  MemorySystem& system() const { return system_; }

  enum class ThreadOf : std::uint8_t { runtime, host };

  /// This thread is the scheduler's from now on: its arena comes to the node where it runs first, if none was asked for.
  /// What else a thread of the runtime allocates prefers that node; a host's keeps its policy. True once: when the last
  /// scheduler has come and there is something to report.
  bool enter(std::uint32_t scheduler, ThreadOf thread = ThreadOf::runtime) noexcept;
  /// The thread is its caller's again.
  void leave(std::uint32_t scheduler, ThreadOf thread = ThreadOf::runtime) noexcept;

  /// Whether the options ask for more than an arena.
  bool has_wishes() const noexcept {
    return options_.huge_pages != HugePages::none || options_.lock || !options_.nodes.empty() ||
           options_.prefault_bytes != 0;
  }
  /// Per-node counters, by node. Arenas without a node count for node 0.
  std::vector<NodeMemory> nodes() const;
  /// A row for what was asked of each arena. Looks at the pages: not for a hot path.
  StartReport report() const;

 private:
  MemoryOptions options_;
  MemorySystem& system_;
  bool several_nodes_;
  std::vector<std::unique_ptr<Arena>> arenas_;
  std::vector<bool> prefaulted_;
  std::vector<std::uint8_t> came_;  // by scheduler, each written by its own thread
  std::atomic<std::uint32_t> entered_{0};
};

/// What this thread touches first while it lives prefers the node of the scheduler's arena, if one was asked for.
class NearScheduler {
 public:
  NearScheduler(const Memory& memory, std::uint32_t scheduler);
  ~NearScheduler();
  NearScheduler(const NearScheduler&) = delete;
  NearScheduler& operator=(const NearScheduler&) = delete;

 private:
  MemorySystem* system_ = nullptr;
};

/// "node 0: 2 arenas, 1048576 bytes in use, 2097152 at most of 4194304, 0 freed from elsewhere"
std::string to_string(const NodeMemory& node);

}  // namespace outcry
