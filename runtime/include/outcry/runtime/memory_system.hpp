// MemorySystem: what memory asks of the kernel. Tests put one of their own in its place, which records or refuses.
//
// Thread: any. Calls that can fail give 0 or the number of an error (errno).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace outcry {

class MemorySystem {
 public:
  virtual ~MemorySystem() = default;

  /// Zeros, a multiple of the page's size. Null: refused, and `error` says why.
  virtual void* map(std::size_t bytes, bool reserved_huge_pages, int& error) noexcept;
  virtual void unmap(void* memory, std::size_t bytes) noexcept;
  /// Prefers the node for these pages, moving those that lie elsewhere. Preferred, not bound: a node that is full lends
  /// from its neighbours rather than have the process killed.
  virtual int prefer_node(void* memory, std::size_t bytes, std::uint32_t node) noexcept;
  /// The same for all that this thread touches first; nothing: as the system likes.
  virtual int prefer_node_for_thread(std::optional<std::uint32_t> node) noexcept;
  virtual int advise_huge(void* memory, std::size_t bytes) noexcept;
  virtual int lock(void* memory, std::size_t bytes) noexcept;

  /// Bytes that this process may lock; UINT64_MAX: no limit.
  virtual std::uint64_t lock_limit() noexcept;
  /// How much of these pages the kernel holds as huge ones (/proc/self/smaps).
  virtual std::uint64_t huge_bytes(const void* memory, std::size_t bytes) noexcept;
  /// The node on which the page of this byte lies. Nothing: on none yet, or the kernel does not tell.
  virtual std::optional<std::uint32_t> node_of(const void* memory) noexcept;
  virtual bool several_nodes() noexcept;
  /// The node of the processor that runs this thread.
  virtual std::uint32_t current_node() noexcept;

  static MemorySystem& real();
};

/// What a text like /proc/self/smaps says of huge pages between two addresses.
std::uint64_t huge_bytes_in(std::string_view smaps, std::uint64_t begin, std::uint64_t end);

}  // namespace outcry
