// CafLane: what CAF has sent to one actor and the actor's scheduler has not taken yet. Many senders, one taker.
//
// Linearizable: a push that ended before another began is taken before it, whichever threads they ran on, so that the
// order of a CAF sender holds although it hops between CAF's workers. A stack of elements linked through themselves, taken
// whole and turned around: no allocation, one compare-and-swap for a push, one exchange for a take.
// Gate: lets threads in until it is closed, and closing waits for those inside, so that none of them touches a scheduler
// that is being taken down.
// Threads: push, enter and leave: any. take_all: the owner's scheduler. close: one, once.
// Limits: as many elements as the face lets in.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>

#include <outcry/caf/adapter.hpp>

namespace outcry {

/// Elements taken from a lane, oldest first.
class CafBatch {
 public:
  explicit CafBatch(caf::mailbox_element* oldest = nullptr) : oldest_(oldest) {}
  CafBatch(CafBatch&& other) noexcept : oldest_(std::exchange(other.oldest_, nullptr)) {}
  CafBatch& operator=(CafBatch&&) = delete;
  ~CafBatch() {
    while (next()) {
    }
  }

  /// The next one; null: that was all.
  CafElement next() {
    caf::mailbox_element* element = oldest_;
    if (element != nullptr) oldest_ = static_cast<caf::mailbox_element*>(std::exchange(element->next, nullptr));
    return CafElement(element);
  }

 private:
  caf::mailbox_element* oldest_;
};

class CafLane {
 public:
  CafLane() = default;
  CafLane(const CafLane&) = delete;
  CafLane& operator=(const CafLane&) = delete;
  ~CafLane() { static_cast<void>(take_all()); }

  /// True if the lane was empty: the taker must be woken.
  bool push(CafElement element) noexcept {
    caf::mailbox_element* pushed = element.release();
    caf::mailbox_element* newest = newest_.load(std::memory_order_relaxed);
    do {
      pushed->next = newest;
    } while (!newest_.compare_exchange_weak(newest, pushed, std::memory_order_seq_cst, std::memory_order_relaxed));
    return newest == nullptr;
  }

  CafBatch take_all() noexcept {
    caf::mailbox_element* newest = newest_.exchange(nullptr, std::memory_order_seq_cst);
    caf::mailbox_element* oldest = nullptr;
    while (newest != nullptr) {
      auto* older = static_cast<caf::mailbox_element*>(newest->next);
      newest->next = oldest;
      oldest = newest;
      newest = older;
    }
    return CafBatch(oldest);
  }

 private:
  alignas(64) std::atomic<caf::mailbox_element*> newest_{nullptr};
};

class Gate {
 public:
  bool enter() noexcept {
    if ((state_.fetch_add(1, std::memory_order_acquire) & closed) == 0) return true;
    leave();
    return false;
  }
  void leave() noexcept { state_.fetch_sub(1, std::memory_order_release); }
  /// Returns when nobody is inside. Requires: the caller is not.
  void close() noexcept {
    state_.fetch_or(closed, std::memory_order_acq_rel);
    while (state_.load(std::memory_order_acquire) != closed) std::this_thread::yield();
  }

 private:
  static constexpr std::uint32_t closed = 1u << 31;
  std::atomic<std::uint32_t> state_{0};
};

}  // namespace outcry
