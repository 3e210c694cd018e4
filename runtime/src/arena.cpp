#include <outcry/runtime/arena.hpp>

#include <algorithm>
#include <bit>
#include <new>

#ifdef OUTCRY_HAS_JEMALLOC
#include <jemalloc/jemalloc.h>

// Our copy's names; the rest of it is hidden (runtime/jemalloc.cmake).
extern "C" {
void* outcry_jemalloc_mallocx(std::size_t bytes, int flags);
void outcry_jemalloc_dallocx(void* memory, int flags);
int outcry_jemalloc_mallctl(const char* name, void* old, std::size_t* old_bytes, void* fresh, std::size_t fresh_bytes);
}
#endif

namespace outcry {

#ifdef OUTCRY_HAS_JEMALLOC
namespace {

/// Sets or reads one of jemalloc's variables; gives the number of an error.
template <class T>
int read_control(const char* name, T& value) {
  std::size_t bytes = sizeof value;
  return outcry_jemalloc_mallctl(name, &value, &bytes, nullptr, 0);
}
template <class T>
int write_control(const char* name, T value) {
  return outcry_jemalloc_mallctl(name, nullptr, nullptr, &value, sizeof value);
}

}  // namespace

// jemalloc finds the pages by the hooks' address: they come first.
struct Arena::Jemalloc {
  extent_hooks_t hooks{};
  PageSource* pages = nullptr;
  unsigned number = 0;
  int flags = 0;

  // It keeps what it once had: giving back, committing and purging are not hooked, so they do not happen.
  static void* extent_alloc(extent_hooks_t* self, void* wanted, std::size_t bytes, std::size_t alignment, bool* zero,
                            bool* commit, unsigned) {
    if (wanted != nullptr || alignment > PageSource::huge_page) return nullptr;
    void* memory = reinterpret_cast<Jemalloc*>(self)->pages->take(bytes, std::max<std::size_t>(alignment, 4096));
    *zero = *commit = true;
    return memory;
  }
  static bool extent_split(extent_hooks_t*, void*, std::size_t, std::size_t, std::size_t, bool, unsigned) {
    return false;
  }
  static bool extent_merge(extent_hooks_t*, void*, std::size_t, void*, std::size_t, bool, unsigned) { return false; }

  /// False: there is none to be had.
  bool begin(PageSource& source) noexcept {
    pages = &source;
    hooks.alloc = extent_alloc;
    hooks.split = extent_split;
    hooks.merge = extent_merge;
    std::size_t bytes = sizeof number;
    extent_hooks_t* mine = &hooks;
    if (outcry_jemalloc_mallctl("arenas.create", &number, &bytes, &mine, sizeof mine) != 0) return false;
    flags = MALLOCX_ARENA(static_cast<int>(number)) | MALLOCX_TCACHE_NONE;
    const std::string prefix = "arena." + std::to_string(number) + ".";
    write_control<ssize_t>((prefix + "dirty_decay_ms").c_str(), -1);
    write_control<ssize_t>((prefix + "muzzy_decay_ms").c_str(), -1);
    return true;
  }
  ~Jemalloc() {
    if (flags == 0) return;
    const std::string name = "arena." + std::to_string(number) + ".destroy";
    outcry_jemalloc_mallctl(name.c_str(), nullptr, nullptr, nullptr, 0);
  }
};
#else
struct Arena::Jemalloc {};
#endif

bool Arena::has_jemalloc() {
#ifdef OUTCRY_HAS_JEMALLOC
  return true;
#else
  return false;
#endif
}

Arena::Arena(ArenaKind kind, PageOptions options, MemorySystem& system) : kind_(kind), pages_(options, system) {
#ifdef OUTCRY_HAS_JEMALLOC
  if (kind_ != ArenaKind::jemalloc) return;
  jemalloc_ = std::make_unique<Jemalloc>();
  if (jemalloc_->begin(pages_)) return;
  jemalloc_.reset();
  kind_ = ArenaKind::pages;
#else
  if (kind_ == ArenaKind::jemalloc) kind_ = ArenaKind::pages;
#endif
}

Arena::~Arena() = default;

std::string Arena::name() const {
  switch (kind_) {
    case ArenaKind::host: return "the host's allocator";
    case ArenaKind::pages: return "pages";
    case ArenaKind::jemalloc: break;
  }
#ifdef OUTCRY_HAS_JEMALLOC
  const char* version = "";
  if (read_control("version", version) == 0) {
    const std::string whole = version;  // "5.3.0-0-g..."
    return "jemalloc " + whole.substr(0, whole.find('-'));
  }
#endif
  return "jemalloc";
}

void* Arena::allocate_block(std::size_t bytes, std::size_t alignment) noexcept {
#ifdef OUTCRY_HAS_JEMALLOC
  if (kind_ == ArenaKind::jemalloc)
    return outcry_jemalloc_mallocx(std::max<std::size_t>(bytes, 1), jemalloc_->flags | MALLOCX_ALIGN(alignment));
#endif
  const std::size_t power = static_cast<std::size_t>(std::bit_width(std::max({bytes, alignment, sizeof(Free)}) - 1));
  if (power >= free_.size()) return nullptr;
  {
    const std::lock_guard guard(mutex_);
    if (Free* block = free_[power]; block != nullptr) {
      free_[power] = block->next;
      return block;
    }
  }
  const std::size_t size = std::size_t{1} << power;
  return pages_.take(size, std::min(size, PageSource::huge_page));
}

void* Arena::do_allocate(std::size_t bytes, std::size_t alignment) {
  void* memory = kind_ == ArenaKind::host ? ::operator new(bytes, std::align_val_t{alignment}, std::nothrow)
                                          : allocate_block(bytes, alignment);
  if (memory == nullptr) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    throw std::bad_alloc();
  }
  allocated_.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t now = in_use_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  std::uint64_t high = high_water_.load(std::memory_order_relaxed);
  while (high < now && !high_water_.compare_exchange_weak(high, now, std::memory_order_relaxed)) {
  }
  return memory;
}

void Arena::do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) {
  in_use_.fetch_sub(bytes, std::memory_order_relaxed);
  if (const void* owner = owner_.load(std::memory_order_relaxed); owner != nullptr && owner != thread_mark())
    remote_frees_.fetch_add(1, std::memory_order_relaxed);
  if (kind_ == ArenaKind::host) {
    ::operator delete(memory, std::align_val_t{alignment});
    return;
  }
#ifdef OUTCRY_HAS_JEMALLOC
  if (kind_ == ArenaKind::jemalloc) {
    outcry_jemalloc_dallocx(memory, jemalloc_->flags);
    return;
  }
#endif
  const std::size_t power = static_cast<std::size_t>(std::bit_width(std::max({bytes, alignment, sizeof(Free)}) - 1));
  const std::lock_guard guard(mutex_);
  free_[power] = ::new (memory) Free{free_[power]};
}

Arena::Statistics Arena::statistics() const {
  return {.capacity = pages_.statistics().mapped,
          .in_use = in_use_.load(std::memory_order_relaxed),
          .high_water = high_water_.load(std::memory_order_relaxed),
          .allocated = allocated_.load(std::memory_order_relaxed),
          .remote_frees = remote_frees_.load(std::memory_order_relaxed),
          .refused = refused_.load(std::memory_order_relaxed)};
}

std::string to_string(const Arena::Statistics& statistics) {
  return "arena: " + std::to_string(statistics.in_use) + " bytes in use, " + std::to_string(statistics.high_water) +
         " at most of " + std::to_string(statistics.capacity) + ", " + std::to_string(statistics.allocated) +
         " blocks, " + std::to_string(statistics.remote_frees) + " freed from elsewhere, " +
         std::to_string(statistics.refused) + " refused";
}

}  // namespace outcry
