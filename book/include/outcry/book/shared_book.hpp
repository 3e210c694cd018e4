// SharedBook: where readers on other threads find the levels of a living book. BookReader reads it; how, and why that
// is right, stands there.
//
//     SharedBook ── SharedLadder (one a side) ── face ──> LadderFace ──> WindowMemory, FarMemory, OrderRecords
//                   layout, first key, ...                (retired, when a part of it is outgrown)
//
// Thread: written by the book's owner, through its PriceLadders; read by any. It lives as long as anyone holds it.
// Invariant: outside of a change of the layout (an odd one), the face and the numbers beside it describe the ladder.
// A book that has ended leaves an odd layout and no face.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <memory_resource>

#include <outcry/book/hazard_pointer.hpp>
#include <outcry/book/level.hpp>
#include <outcry/book/occupancy.hpp>
#include <outcry/book/order_pool.hpp>
#include <outcry/book/word.hpp>
#include <outcry/messages/identity.hpp>

namespace outcry {

/// The memory of a window: its levels, and the words of their occupancy behind them.
class WindowMemory {
 public:
  /// Throws std::bad_alloc. All levels are empty.
  WindowMemory(std::uint32_t slots, std::pmr::memory_resource* memory);
  ~WindowMemory();
  WindowMemory(const WindowMemory&) = delete;
  WindowMemory& operator=(const WindowMemory&) = delete;

  Level* levels() const noexcept { return levels_; }
  Word<std::uint64_t>* words() const noexcept { return words_; }
  std::uint32_t slots() const noexcept { return slots_; }

 private:
  std::size_t bytes() const noexcept {
    return slots_ * sizeof(Level) + Occupancy::words_for(slots_) * sizeof(Word<std::uint64_t>);
  }

  Level* levels_;
  Word<std::uint64_t>* words_;
  std::uint32_t slots_;
  std::pmr::memory_resource* memory_;
};

/// A level outside of the window, in the sorted list of those.
struct FarLevel {
  Word<std::int64_t> key;
  Word<std::uint32_t> index;  // among the far levels
};

/// The memory of the far levels and of their list.
class FarMemory {
 public:
  /// Throws std::bad_alloc.
  FarMemory(std::uint32_t room, std::pmr::memory_resource* memory);
  ~FarMemory();
  FarMemory(const FarMemory&) = delete;
  FarMemory& operator=(const FarMemory&) = delete;

  Level* levels() const noexcept { return levels_; }
  FarLevel* sorted() const noexcept { return sorted_; }
  std::uint32_t room() const noexcept { return room_; }

 private:
  std::size_t bytes() const noexcept { return room_ * (sizeof(Level) + sizeof(FarLevel)); }

  Level* levels_;
  FarLevel* sorted_;
  std::uint32_t room_;
  std::pmr::memory_resource* memory_;
};

struct LadderFace;
struct LadderFaceDeleter {
  void operator()(LadderFace* face) const noexcept;
};

/// All memory that a reader of one side may look into. Who protects it keeps all of it.
struct LadderFace : hazard_pointer_obj_base<LadderFace, LadderFaceDeleter> {
  std::shared_ptr<const WindowMemory> window;  // null: there is none yet
  std::shared_ptr<const FarMemory> far;        // null: there is none yet
  std::shared_ptr<const OrderRecords> orders;
  std::pmr::memory_resource* memory = nullptr;  // of the face itself
};

/// One side. Owner's: begin_change(), end_change(), and what lies between them.
struct alignas(64) SharedLadder {
  using Key = std::int64_t;

  std::atomic<LadderFace*> face{nullptr};
  Word<std::uint64_t> layout{0};
  Word<Key> first_key{0};
  Word<std::uint32_t> slots{0};
  Word<std::uint32_t> far_count{0};
  Key tick = 1;
  std::int64_t mirror = 0;  // 0 for bids, -1 for asks

  void begin_change() noexcept {
    layout = layout + 1;
    std::atomic_thread_fence(std::memory_order_release);  // as Level::begin_change()
  }
  void end_change() noexcept { layout.release(layout + 1); }
};

struct SharedBook {
  SymbolId symbol{};
  std::array<SharedLadder, 2> sides{};  // by Side
};

}  // namespace outcry
