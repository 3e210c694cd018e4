#include <outcry/runtime/memory_system.hpp>

#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace outcry {

namespace {

// libnuma would be one more library for three calls.
struct NodeMask {
  static constexpr std::uint32_t bits = 1024;
  unsigned long words[bits / (8 * sizeof(unsigned long))] = {};

  bool set(std::uint32_t node) {
    if (node >= bits) return false;
    words[node / (8 * sizeof(unsigned long))] |= 1ul << node % (8 * sizeof(unsigned long));
    return true;
  }
};

}  // namespace

void* MemorySystem::map(std::size_t bytes, bool reserved_huge_pages, int& error) noexcept {
  const int huge = reserved_huge_pages ? MAP_HUGETLB | 21 << MAP_HUGE_SHIFT : 0;  // of 2^21 bytes
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | huge, -1, 0);
  if (memory != MAP_FAILED) return memory;
  error = errno;
  return nullptr;
}

void MemorySystem::unmap(void* memory, std::size_t bytes) noexcept { munmap(memory, bytes); }

int MemorySystem::prefer_node(void* memory, std::size_t bytes, std::uint32_t node) noexcept {
  NodeMask mask;
  if (!mask.set(node)) return EINVAL;
  const long result =
      syscall(SYS_mbind, memory, bytes, MPOL_PREFERRED, mask.words, std::uint64_t{NodeMask::bits}, MPOL_MF_MOVE);
  return result == 0 ? 0 : errno;
}

int MemorySystem::prefer_node_for_thread(std::optional<std::uint32_t> node) noexcept {
  NodeMask mask;
  if (node && !mask.set(*node)) return EINVAL;
  const long result = node ? syscall(SYS_set_mempolicy, MPOL_PREFERRED, mask.words, std::uint64_t{NodeMask::bits})
                           : syscall(SYS_set_mempolicy, MPOL_DEFAULT, nullptr, std::uint64_t{0});
  return result == 0 ? 0 : errno;
}

int MemorySystem::advise_huge(void* memory, std::size_t bytes) noexcept {
  return madvise(memory, bytes, MADV_HUGEPAGE) == 0 ? 0 : errno;
}

int MemorySystem::lock(void* memory, std::size_t bytes) noexcept { return mlock(memory, bytes) == 0 ? 0 : errno; }

std::uint64_t MemorySystem::lock_limit() noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
  return limit.rlim_cur;
}

std::uint64_t MemorySystem::huge_bytes(const void* memory, std::size_t bytes) noexcept {
  try {
    std::ifstream file("/proc/self/smaps");
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto begin = reinterpret_cast<std::uintptr_t>(memory);
    return huge_bytes_in(text, begin, begin + bytes);
  } catch (...) {
    return 0;
  }
}

std::optional<std::uint32_t> MemorySystem::node_of(const void* memory) noexcept {
  void* page = const_cast<void*>(memory);
  int node = -1;
  if (syscall(SYS_move_pages, 0, 1ul, &page, nullptr, &node, 0) != 0 || node < 0) return std::nullopt;
  return static_cast<std::uint32_t>(node);
}

bool MemorySystem::several_nodes() noexcept {
  try {
    std::ifstream file("/sys/devices/system/node/online");
    std::string text;
    return std::getline(file, text) && text.find_first_of("-,") != std::string::npos;
  } catch (...) {
    return false;
  }
}

std::uint32_t MemorySystem::current_node() noexcept {
  unsigned processor = 0, node = 0;
  return syscall(SYS_getcpu, &processor, &node, nullptr) == 0 ? node : 0;
}

MemorySystem& MemorySystem::real() {
  static MemorySystem system;
  return system;
}

// A mapping's line "7f00-7f20 rw-p ..." is followed by lines "AnonHugePages:      2048 kB". Mappings beside ours may
// have become one with it: what is counted is at most what lies between the two addresses.
std::uint64_t huge_bytes_in(std::string_view smaps, std::uint64_t begin, std::uint64_t end) {
  std::uint64_t overlap = 0, of_mapping = 0, sum = 0;
  const auto settle = [&] { sum += std::min(overlap, std::exchange(of_mapping, 0)); };
  while (!smaps.empty()) {
    const std::size_t length = std::min(smaps.find('\n'), smaps.size());
    const std::string_view line = smaps.substr(0, length);
    smaps.remove_prefix(std::min(length + 1, smaps.size()));
    std::uint64_t first = 0, last = 0;
    const auto dash = std::from_chars(line.data(), line.data() + line.size(), first, 16);
    if (dash.ec == std::errc{} && dash.ptr != line.data() + line.size() && *dash.ptr == '-') {
      settle();
      std::from_chars(dash.ptr + 1, line.data() + line.size(), last, 16);
      overlap = std::min(last, end) > std::max(first, begin) ? std::min(last, end) - std::max(first, begin) : 0;
      continue;
    }
    for (const std::string_view key : {"AnonHugePages:", "Private_Hugetlb:"}) {
      if (!line.starts_with(key)) continue;
      const std::size_t at = line.find_first_of("0123456789");
      std::uint64_t kilobytes = 0;
      if (at != std::string_view::npos) std::from_chars(line.data() + at, line.data() + line.size(), kilobytes);
      of_mapping += kilobytes * 1024;
    }
  }
  settle();
  return sum;
}

}  // namespace outcry
