// RecordedSystem: a kernel for the tests of memory: it writes down what it is asked, and refuses what it is told to.
#pragma once

#include <cerrno>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <outcry/runtime/memory_system.hpp>

namespace recorded {

class System : public outcry::MemorySystem {
 public:
  // What it is.
  std::uint32_t nodes = 1;
  std::uint32_t runs_on = 0;
  int map_refusal = 0;
  int reserved_refusal = ENOMEM;
  int node_refusal = 0;
  int huge_refusal = 0;
  std::uint64_t may_lock = UINT64_MAX;

  // What it was asked. Sizes in MB.
  std::vector<std::string> calls() const {
    const std::lock_guard guard(mutex_);
    return calls_;
  }

  void* map(std::size_t bytes, bool reserved, int& error) noexcept override {
    error = reserved ? reserved_refusal : map_refusal;
    note(std::string(reserved ? "map set aside " : "map ") + std::to_string(bytes >> 20), error);
    return error != 0 ? nullptr : MemorySystem::map(bytes, false, error);
  }
  int prefer_node(void* memory, std::size_t bytes, std::uint32_t node) noexcept override {
    const int error = node >= nodes ? EINVAL : node_refusal;
    note("node " + std::to_string(node) + " for " + std::to_string(bytes >> 20), error);
    const std::lock_guard guard(mutex_);
    if (error == 0) placed_[memory] = {bytes, node};
    return error;
  }
  int prefer_node_for_thread(std::optional<std::uint32_t> node) noexcept override {
    note(node ? "thread to node " + std::to_string(*node) : "thread anywhere");
    return 0;
  }
  int advise_huge(void*, std::size_t bytes) noexcept override {
    note("huge " + std::to_string(bytes >> 20), huge_refusal);
    return huge_refusal;
  }
  int lock(void*, std::size_t bytes) noexcept override {
    const int error = locked_ + bytes > may_lock ? ENOMEM : 0;
    if (error == 0) locked_ += bytes;
    note("lock " + std::to_string(bytes >> 20), error);
    return error;
  }
  std::uint64_t lock_limit() noexcept override { return may_lock; }
  std::uint64_t huge_bytes(const void*, std::size_t bytes) noexcept override { return bytes / 2; }
  std::optional<std::uint32_t> node_of(const void* memory) noexcept override {
    const std::lock_guard guard(mutex_);
    for (const auto& [begin, placed] : placed_) {
      const auto* first = static_cast<const std::byte*>(begin);
      if (memory >= first && memory < first + placed.bytes) return placed.node;
    }
    return 0;
  }
  bool several_nodes() noexcept override { return nodes > 1; }
  std::uint32_t current_node() noexcept override { return runs_on; }

 private:
  struct Placed {
    std::size_t bytes;
    std::uint32_t node;
  };

  void note(std::string call, int error = 0) {
    const std::lock_guard guard(mutex_);
    calls_.push_back(std::move(call));
    if (error != 0) calls_.back() += " refused";
  }

  mutable std::mutex mutex_;
  std::vector<std::string> calls_;
  std::map<void*, Placed> placed_;
  std::uint64_t locked_ = 0;
};

}  // namespace recorded
