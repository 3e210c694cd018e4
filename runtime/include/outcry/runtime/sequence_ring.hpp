// SequenceRing: the last `kept` of a series of records that one thread writes and any number of others follow, here or
// in a process that maps it.
//
// Record n, counted from 0, lies in slot n % kept behind a sequence lock of its own, as that lock's store n / kept + 1:
// so a reader knows from the lock whether it has the record that it wanted or a younger one that took its place. The
// writer never waits for readers. A follower that is overtaken is told how many records it missed.
//
// Thread: push() from one at a time; the rest from any. A Follower belongs to one thread.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <outcry/runtime/sequence_lock.hpp>

namespace outcry {

template <WordValue T, std::size_t kept_records>
class SequenceRing {
 public:
  static_assert(std::has_single_bit(kept_records));
  static constexpr std::uint64_t kept = kept_records;

  class Follower;

  SequenceRing() = default;
  SequenceRing(const SequenceRing&) = delete;
  SequenceRing& operator=(const SequenceRing&) = delete;

  void push(const T& record) noexcept {
    const std::uint64_t number = count_.load(std::memory_order_relaxed);
    slots_[number % kept].store(record);
    // Release: who sees the new count finds the record.
    count_.store(number + 1, std::memory_order_release);
  }

  /// How many there were since the beginning: the number of the next one.
  std::uint64_t count() const noexcept { return count_.load(std::memory_order_acquire); }

  /// Record `number`; nothing if it is not there yet, not there any more, or just being overwritten.
  std::optional<T> at(std::uint64_t number) const noexcept {
    std::array<std::uint64_t, SequenceLock<T>::words> words;
    const auto stores = slots_[number % kept].try_copy(0, words);
    if (!stores || *stores != number / kept + 1) return std::nullopt;
    return std::bit_cast<T>(words);
  }

 private:
  alignas(64) std::atomic<std::uint64_t> count_{0};
  alignas(64) SequenceLock<T> slots_[kept_records]{};
};

/// Reads a ring record by record, in order. The ring outlives it.
template <WordValue T, std::size_t kept_records>
class SequenceRing<T, kept_records>::Follower {
 public:
  /// Begins with record `from`; those that are gone by the first look count as missed.
  Follower(const SequenceRing& ring, std::uint64_t from) noexcept : ring_(&ring), next_(from) {}
  /// Begins with the next record that is written.
  explicit Follower(const SequenceRing& ring) noexcept : Follower(ring, ring.count()) {}

  /// The next record, and nothing if there is none yet.
  std::optional<T> next() noexcept {
    for (;;) {
      const std::uint64_t count = ring_->count();
      if (next_ >= count) return std::nullopt;
      if (count - next_ > kept) skip_to(count - kept);
      if (const auto record = ring_->at(next_)) {
        ++next_;
        return record;
      }
      // It was there when the count was read, so the writer has come round: a quarter ahead of it there is room to
      // read.
      skip_to(next_ + (kept + 3) / 4);
    }
  }

  /// The number of the record that next() will look for.
  std::uint64_t position() const noexcept { return next_; }
  /// How many were overwritten before they were read.
  std::uint64_t missed() const noexcept { return missed_; }

 private:
  void skip_to(std::uint64_t number) noexcept {
    missed_ += number - next_;
    next_ = number;
  }

  const SequenceRing* ring_;
  std::uint64_t next_;
  std::uint64_t missed_ = 0;
};

}  // namespace outcry
