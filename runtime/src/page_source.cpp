#include <outcry/runtime/page_source.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <limits>

// Leaks are looked for from these regions on, too, if anybody looks.
extern "C" {
[[gnu::weak]] void __lsan_register_root_region(const void* begin, std::size_t bytes);
[[gnu::weak]] void __lsan_unregister_root_region(const void* begin, std::size_t bytes);
}

namespace outcry {

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t largest_growth = std::size_t{64} << 20;

std::size_t rounded(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

void note(int& first, int error) {
  if (first == 0) first = error;
}

}  // namespace

PageSource::PageSource(PageOptions options, MemorySystem& system) : options_(options), system_(system) {}

PageSource::~PageSource() {
  for (const Region& region : regions_) {
    if (__lsan_unregister_root_region != nullptr) __lsan_unregister_root_region(region.begin, region.bytes);
    system_.unmap(region.begin, region.bytes);
  }
}

void* PageSource::take(std::size_t bytes, std::size_t alignment) noexcept {
  assert(alignment != 0 && (alignment & (alignment - 1)) == 0 && alignment <= huge_page && "take() of odd alignment");
  const std::lock_guard guard(mutex_);
  const auto padding = [&] {
    return static_cast<std::size_t>(-reinterpret_cast<std::uintptr_t>(next_)) & (alignment - 1);
  };
  if (next_ == nullptr || bytes > static_cast<std::size_t>(end_ - next_) ||
      padding() > static_cast<std::size_t>(end_ - next_) - bytes) {
    if (!add_region(bytes)) {
      ++statistics_.refused;
      return nullptr;
    }
  }
  const std::size_t skipped = padding();
  void* memory = next_ + skipped;
  next_ += skipped + bytes;
  statistics_.taken += skipped + bytes;
  return memory;
}

bool PageSource::prefault(std::size_t bytes) noexcept {
  const std::lock_guard guard(mutex_);
  if (static_cast<std::size_t>(end_ - next_) < bytes && !add_region(bytes)) return false;
  for (std::byte* at = next_; at < next_ + bytes; at += page) *static_cast<volatile std::byte*>(at) = std::byte{0};
  return true;
}

// What is left of the region before is lost; regions grow, so it is less than half of all.
bool PageSource::add_region(std::size_t bytes) noexcept {
  if (bytes > std::numeric_limits<std::size_t>::max() / 4) return false;
  const std::size_t growth = std::min(largest_growth, huge_page << std::min<std::size_t>(regions_.size(), 16));
  std::size_t wanted = std::max(rounded(bytes, huge_page), growth);
  if (options_.limit_bytes != 0) {
    const std::size_t left = options_.limit_bytes - std::min<std::size_t>(options_.limit_bytes, statistics_.mapped);
    wanted = std::min(wanted, rounded(left, page));
    if (bytes > left) return false;
  }
  try {
    regions_.reserve(regions_.size() + 1);
  } catch (...) {
    return false;
  }

  Region region{nullptr, wanted};
  int error = 0;
  if (options_.huge_pages == HugePages::reserved && wanted % huge_page == 0) {
    region.begin = static_cast<std::byte*>(system_.map(wanted, true, error));
    if (region.begin != nullptr) statistics_.reserved += wanted;
    if (region.begin == nullptr) note(statistics_.huge_error, error);
  }
  const bool reserved = region.begin != nullptr;
  if (!reserved) {
    // So large that a region on a border of huge pages can be cut out of it.
    auto* all = static_cast<std::byte*>(system_.map(wanted + huge_page, false, error));
    if (all == nullptr) {
      note(statistics_.map_error, error);
      return false;
    }
    const std::size_t before = static_cast<std::size_t>(-reinterpret_cast<std::uintptr_t>(all)) & (huge_page - 1);
    region.begin = all + before;
    if (before != 0) system_.unmap(all, before);
    if (before != huge_page) system_.unmap(region.begin + wanted, huge_page - before);
    if (options_.huge_pages != HugePages::none)
      if (const int why = system_.advise_huge(region.begin, wanted); why != 0) note(statistics_.huge_error, why);
  }
  put_on_node(region);
  if (options_.lock) {
    if (const int why = system_.lock(region.begin, wanted); why != 0) {
      note(statistics_.lock_error, why);
    } else {
      statistics_.locked += wanted;
    }
  }
  if (__lsan_register_root_region != nullptr) __lsan_register_root_region(region.begin, wanted);
  statistics_.mapped += wanted;
  regions_.push_back(region);
  next_ = region.begin;
  end_ = region.begin + wanted;
  return true;
}

void PageSource::put_on_node(const Region& region) noexcept {
  if (!options_.node) return;
  if (const int why = system_.prefer_node(region.begin, region.bytes, *options_.node); why != 0)
    note(statistics_.node_error, why);
}

void PageSource::prefer_node(std::uint32_t node) noexcept {
  const std::lock_guard guard(mutex_);
  if (options_.node == node) return;
  options_.node = node;
  for (const Region& region : regions_) put_on_node(region);
}

PageSource::Statistics PageSource::statistics() const {
  const std::lock_guard guard(mutex_);
  return statistics_;
}

bool PageSource::contains(const void* memory) const {
  const std::lock_guard guard(mutex_);
  const auto* byte = static_cast<const std::byte*>(memory);
  return std::any_of(regions_.begin(), regions_.end(),
                     [&](const Region& region) { return byte >= region.begin && byte < region.begin + region.bytes; });
}

std::uint64_t PageSource::huge_bytes() const {
  const std::lock_guard guard(mutex_);
  std::uint64_t sum = 0;
  for (const Region& region : regions_) sum += system_.huge_bytes(region.begin, region.bytes);
  return sum;
}

PageSource::Placed PageSource::placed_on(std::uint32_t node, std::uint64_t most) const {
  const std::lock_guard guard(mutex_);
  Placed placed;
  std::uint64_t calls = 4 * most;  // most pages may not be there yet
  for (const Region& region : regions_) {
    for (std::size_t at = 0; at < region.bytes && placed.looked_at < most && calls > 0; at += page, --calls) {
      const auto lies_on = system_.node_of(region.begin + at);
      if (!lies_on) continue;
      ++placed.looked_at;
      if (*lies_on == node) ++placed.on_node;
    }
  }
  return placed;
}

}  // namespace outcry
