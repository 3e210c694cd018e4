#include <dlfcn.h>
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <outcry/runtime/arena.hpp>

#include "recorded_system.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using recorded::System;
using Calls = std::vector<std::string>;

namespace {

constexpr std::size_t mb = std::size_t{1} << 20;

bool aligned(const void* memory, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(memory) % alignment == 0;
}

struct Block {
  unsigned char* memory;
  std::size_t bytes;
  std::size_t alignment;
  unsigned char mark;

  bool intact() const {
    for (std::size_t i = 0; i < bytes; ++i)
      if (memory[i] != mark) return false;
    return true;
  }
};

/// Takes and gives back blocks of all sizes, each filled with a mark of its own. False: two of them overlapped.
bool plays(Arena& arena, std::mt19937_64& random, int steps) {
  std::vector<Block> blocks;
  bool sound = true;
  const auto give_back = [&](std::size_t index) {
    sound = sound && blocks[index].intact();
    arena.deallocate(blocks[index].memory, blocks[index].bytes, blocks[index].alignment);
    blocks[index] = blocks.back();
    blocks.pop_back();
  };
  for (int i = 0; i < steps; ++i) {
    if (blocks.empty() || random() % 5 < 3) {
      const std::size_t most = random() % 50 == 0 ? 300'000 : 3'000;
      Block block{.memory = nullptr,
                  .bytes = 1 + random() % most,
                  .alignment = std::size_t{1} << random() % 13,
                  .mark = static_cast<unsigned char>(random())};
      block.memory = static_cast<unsigned char*>(arena.allocate(block.bytes, block.alignment));
      sound = sound && aligned(block.memory, block.alignment) && arena.contains(block.memory) &&
              arena.contains(block.memory + block.bytes - 1);
      std::memset(block.memory, block.mark, block.bytes);
      blocks.push_back(block);
    } else {
      give_back(random() % blocks.size());
    }
  }
  while (!blocks.empty()) give_back(blocks.size() - 1);
  return sound;
}

constexpr ArenaKind own_kinds[] = {ArenaKind::pages, ArenaKind::jemalloc};

}  // namespace

TEST_CASE("blocks of an arena lie in its own pages, aligned, and never on each other") {
  MESSAGE("--seed=" << test_seed());
  for (const ArenaKind kind : own_kinds) {
    std::mt19937_64 random(test_seed());
    Arena arena(kind);
    CAPTURE(arena.name());

    CHECK(plays(arena, random, 20'000));

    const Arena::Statistics used = arena.statistics();
    CHECK(used.in_use == 0);
    CHECK(used.high_water > 0);
    CHECK(used.capacity >= used.high_water);
    CHECK(used.allocated > 10'000);
    CHECK(used.refused == 0);
  }
}

TEST_CASE("what an arena has given back it gives out again: its pages do not grow") {
  for (const ArenaKind kind : own_kinds) {
    Arena arena(kind);
    for (int i = 0; i < 10'000; ++i) arena.deallocate(arena.allocate(65536, 64), 65536, 64);
    CHECK(arena.statistics().high_water == 65536);
    CHECK(arena.statistics().capacity <= 8 * mb);
  }
}

TEST_CASE("threads take from one arena and give back to it, and what others free is counted") {
  for (const ArenaKind kind : own_kinds) {
    Arena arena(kind);
    arena.enter();
    void* here = arena.allocate(100);
    void* elsewhere = arena.allocate(100);
    arena.deallocate(here, 100);
    CHECK(arena.statistics().remote_frees == 0);

    bool sound[2] = {};
    std::thread threads[2];
    for (int i = 0; i < 2; ++i)
      threads[i] = std::thread([&, i] {
        std::mt19937_64 random(test_seed() + static_cast<std::uint64_t>(i));
        sound[i] = plays(arena, random, 3'000);
      });
    for (std::thread& thread : threads) thread.join();
    std::thread([&] { arena.deallocate(elsewhere, 100); }).join();

    CHECK(sound[0]);
    CHECK(sound[1]);
    CHECK(arena.statistics().in_use == 0);
    CHECK(arena.statistics().remote_frees + 1 == arena.statistics().allocated);
  }
}

TEST_CASE("an arena at its limit refuses with bad_alloc, counts it, and goes on with what is given back") {
  for (const ArenaKind kind : own_kinds) {
    Arena arena(kind, {.limit_bytes = 8 * mb});
    std::vector<void*> blocks;
    try {
      for (;;) blocks.push_back(arena.allocate(256 << 10, 64));
    } catch (const std::bad_alloc&) {
    }
    CHECK(blocks.size() >= 8);
    CHECK(arena.statistics().capacity <= 8 * mb);
    CHECK(arena.statistics().refused == 1);

    arena.deallocate(blocks.back(), 256 << 10, 64);
    blocks.back() = arena.allocate(256 << 10, 64);
    for (void* block : blocks) arena.deallocate(block, 256 << 10, 64);
  }
}

TEST_CASE("arenas come and go: their numbers and their pages are used again") {
  for (int i = 0; i < 500; ++i) {
    Arena arena;
    void* memory = arena.allocate(65536, 64);
    std::memset(memory, 1, 65536);
    if (i % 2 == 0) arena.deallocate(memory, 65536, 64);  // else it goes with the arena
    REQUIRE(arena.kind() == (Arena::has_jemalloc() ? ArenaKind::jemalloc : ArenaKind::pages));
  }
}

TEST_CASE("the host keeps its allocator: jemalloc's names are not to be found, and malloc is not from our pages") {
  Arena arena;
  MESSAGE("the arena is " << arena.name());
  for (const char* name : {"mallocx", "mallctl", "je_malloc", "dallocx"}) CHECK(dlsym(RTLD_DEFAULT, name) == nullptr);
  void* blocks[3] = {std::malloc(100), ::operator new(100), std::calloc(1, 100)};
  for (void* block : blocks) CHECK_FALSE(arena.contains(block));
  CHECK(arena.statistics().allocated == 0);
  std::free(blocks[0]);
  ::operator delete(blocks[1]);
  std::free(blocks[2]);
}

TEST_CASE("an arena of the host's allocator has no pages and counts all the same") {
  Arena arena(ArenaKind::host);
  void* memory = arena.allocate(1000, 4096);
  CHECK(aligned(memory, 4096));
  CHECK_FALSE(arena.contains(memory));
  CHECK(arena.statistics().in_use == 1000);
  arena.deallocate(memory, 1000, 4096);
  CHECK(arena.name() == "the host's allocator");
  CHECK(to_string(arena.statistics()) ==
        "arena: 0 bytes in use, 1000 at most of 0, 1 blocks, 0 freed from elsewhere, 0 refused");
}

TEST_CASE("pages are put on their node and made huge before they are locked, which touches them") {
  System system;
  system.nodes = 2;
  PageSource pages({.node = 1, .huge_pages = HugePages::transparent, .lock = true}, system);

  CHECK(aligned(pages.take(3 * mb, 2 * mb), 2 * mb));
  CHECK(pages.take(mb, 4096) != nullptr);

  CHECK(system.calls() == Calls{"map 6", "huge 4", "node 1 for 4", "lock 4"});
  CHECK(pages.statistics().locked == 4 * mb);
  CHECK(pages.placed_on(1, 10).on_node == 10);
  CHECK(pages.placed_on(0, 10).on_node == 0);
}

TEST_CASE("regions grow to 64 MB each, and come to another node all together") {
  System system;
  system.nodes = 4;
  PageSource pages({.node = 0}, system);
  for (int i = 0; i < 4; ++i) REQUIRE(pages.take(mb << i, 4096) != nullptr);
  pages.prefer_node(3);
  pages.prefer_node(3);

  CHECK(system.calls() == Calls{"map 4", "node 0 for 2", "map 6", "node 0 for 4", "map 10", "node 0 for 8", "map 18",
                                "node 0 for 16", "node 3 for 2", "node 3 for 4", "node 3 for 8", "node 3 for 16"});
}

TEST_CASE("huge pages that are not set aside are asked of the kernel in passing") {
  System system;
  PageSource pages({.huge_pages = HugePages::reserved}, system);
  CHECK(pages.take(100, 8) != nullptr);
  CHECK(system.calls() == Calls{"map set aside 2 refused", "map 4", "huge 2"});
  CHECK(pages.statistics().huge_error == ENOMEM);

  System rich;
  rich.reserved_refusal = 0;
  PageSource more({.huge_pages = HugePages::reserved}, rich);
  CHECK(more.take(100, 8) != nullptr);
  CHECK(rich.calls() == Calls{"map set aside 2"});
  CHECK(more.statistics().reserved == 2 * mb);
}

TEST_CASE("whatever the kernel refuses, the memory is there; without memory take() gives null") {
  System system;
  system.node_refusal = EPERM;
  system.huge_refusal = EINVAL;
  system.may_lock = 0;
  PageSource pages({.node = 0, .huge_pages = HugePages::transparent, .lock = true}, system);
  CHECK(pages.take(mb, 4096) != nullptr);
  const PageSource::Statistics statistics = pages.statistics();
  CHECK(statistics.node_error == EPERM);
  CHECK(statistics.huge_error == EINVAL);
  CHECK(statistics.lock_error == ENOMEM);
  CHECK(statistics.locked == 0);

  System none;
  none.map_refusal = ENOMEM;
  Arena arena(ArenaKind::pages, {}, none);
  CHECK_THROWS_AS(static_cast<void>(arena.allocate(100)), std::bad_alloc);
  CHECK(arena.statistics().refused == 1);
  Arena other(ArenaKind::jemalloc, {}, none);
  CHECK(other.kind() == ArenaKind::pages);
}

TEST_CASE("pages that are prefaulted are there when they are taken") {
  System system;
  PageSource pages({}, system);
  REQUIRE(pages.prefault(6 * mb));
  for (int i = 0; i < 6; ++i) REQUIRE(pages.take(mb, 4096) != nullptr);
  CHECK(system.calls() == Calls{"map 8"});

  PageSource small({.limit_bytes = mb}, system);
  CHECK_FALSE(small.prefault(2 * mb));
}

TEST_CASE("huge pages are counted from what the kernel says of each mapping, cut at our borders") {
  const char* smaps =
      "10000000-10400000 rw-p 00000000 00:00 0\n"
      "Size:               4096 kB\nAnonHugePages:      2048 kB\nVmFlags: rd wr\n"
      "10400000-10800000 rw-p 00000000 00:00 0 [anon: x]\n"
      "AnonHugePages:      4096 kB\nShared_Hugetlb:        0 kB\nPrivate_Hugetlb:       0 kB\n"
      "7f0000000000-7f0000200000 rw-p 00000000 00:0f 12 /anon_hugepage (deleted)\n"
      "AnonHugePages:         0 kB\nPrivate_Hugetlb:    2048 kB\n";
  CHECK(huge_bytes_in(smaps, 0x10000000, 0x10400000) == 2 * mb);
  CHECK(huge_bytes_in(smaps, 0x10600000, 0x10800000) == 2 * mb);
  CHECK(huge_bytes_in(smaps, 0x10000000, 0x7f0000200000) == 8 * mb);
  CHECK(huge_bytes_in(smaps, 0x20000000, 0x30000000) == 0);
  CHECK(huge_bytes_in("", 0, ~std::uint64_t{0}) == 0);
}
