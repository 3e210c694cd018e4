// SequenceLock: a value that one thread writes and any number of others read, here or in a process that maps it.
//
// A count stands in front of the value, odd while the writer is at work. A reader looks at the count, copies what it
// wants, and looks again: the same even count twice, and the copy is of one store. The writer never waits and never
// learns of readers; a reader that meets it gives up after a bounded number of tries.
//
// Why a copy is never torn. Each word of the value is stored with release and loaded with acquire, so no fence is
// needed and ThreadSanitizer sees every edge:
//   - The first look is an acquire: a reader that sees count 2k sees every word at least as store k left it.
//   - A word of a later store m > k was stored with release, after the count had become 2m - 1. A reader that loads it
//     with acquire sees that count, or a later one, at its second look, and gives up. So of a copy that it keeps every
//     word is of store k, or was the same then.
// On x86 and wherever stores and loads keep their order these are plain moves.
//
// Thread: store() and change() from one at a time; the rest from any.
// Limits: the count wraps after 2^63 stores; a reader would have to sleep through exactly that many to be fooled.
//   A writer that dies inside a store leaves the count odd for good: readers are told busy, and leftover() is what is
//   there.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

namespace outcry {

/// What can lie in words that are stored one by one.
template <class T>
concept WordValue = std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T> &&
                    std::is_default_constructible_v<T> && sizeof(T) % sizeof(std::uint64_t) == 0;

namespace sequence_lock_detail {
// Not a member: GCC 12 merges those of several value types into one and then warns of the size of the others.
inline std::optional<std::uint64_t> try_copy(const std::atomic<std::uint64_t>& count,
                                             const std::atomic<std::uint64_t>* words,
                                             std::span<std::uint64_t> out) noexcept {
  const std::uint64_t before = count.load(std::memory_order_acquire);
  if (before % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = words[i].load(std::memory_order_acquire);
  if (count.load(std::memory_order_relaxed) != before) return std::nullopt;
  return before / 2;
}
}  // namespace sequence_lock_detail

template <WordValue T>
class SequenceLock {
 public:
  static constexpr std::size_t words = sizeof(T) / sizeof(std::uint64_t);
  /// A store takes some ten nanoseconds: who has met so many has met a writer that its processor was taken from.
  static constexpr unsigned default_tries = 256;

  SequenceLock() = default;
  /// All zero, as if stored `stores` times.
  explicit SequenceLock(std::uint64_t stores) noexcept : count_(stores * 2) {}
  SequenceLock(const SequenceLock&) = delete;
  SequenceLock& operator=(const SequenceLock&) = delete;

  void store(const T& value) noexcept {
    const auto next = std::bit_cast<Words>(value);
    const std::uint64_t count = begin();
    for (std::size_t i = 0; i < words; ++i) words_[i].store(next[i], std::memory_order_release);
    end(count);
  }

  /// One store of some words alone, which spares readers the cache lines of the others: calls f(set), and f calls
  /// set(word, value) for each.
  template <class F>
  void change(F&& f) noexcept {
    const std::uint64_t count = begin();
    f([this](std::size_t word, std::uint64_t value) noexcept {
      assert(word < words && "a word beyond the value");
      words_[word].store(value, std::memory_order_release);
    });
    end(count);
  }

  /// How often it was stored; a store in progress counts as not yet done.
  std::uint64_t stores() const noexcept { return count_.load(std::memory_order_acquire) / 2; }

  /// Copies words from `first` on, as one store left them: gives its number. Nothing: the writer is at work; what `out`
  /// then holds means nothing.
  std::optional<std::uint64_t> try_copy(std::size_t first, std::span<std::uint64_t> out) const noexcept {
    assert(first + out.size() <= words && "words beyond the value");
    return sequence_lock_detail::try_copy(count_, words_ + first, out);
  }

  /// The same, `tries` times at most.
  std::optional<std::uint64_t> copy(std::size_t first, std::span<std::uint64_t> out,
                                    unsigned tries = default_tries) const noexcept {
    for (; tries != 0; --tries) {
      if (const auto stores = try_copy(first, out)) return stores;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    return std::nullopt;
  }

  /// The value of one store. Nothing: busy, `tries` times.
  std::optional<T> load(unsigned tries = default_tries) const noexcept {
    Words copied;
    if (!copy(0, copied, tries)) return std::nullopt;
    return std::bit_cast<T>(copied);
  }

  /// What is there, perhaps half of one store and half of another: for who knows that the writer is dead.
  T leftover() const noexcept {
    Words copied;
    for (std::size_t i = 0; i < words; ++i) copied[i] = words_[i].load(std::memory_order_acquire);
    return std::bit_cast<T>(copied);
  }

 private:
  using Words = std::array<std::uint64_t, words>;
  // Other processes map this: no lock may hide in it.
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
                sizeof(std::atomic<std::uint64_t>) == sizeof(std::uint64_t));

  std::uint64_t begin() noexcept {
    const std::uint64_t count = count_.load(std::memory_order_relaxed);
    assert(count % 2 == 0 && "two writers in one sequence lock");
    // Relaxed: the release of every word behind it keeps it in front.
    count_.store(count + 1, std::memory_order_relaxed);
    return count;
  }
  void end(std::uint64_t count) noexcept { count_.store(count + 2, std::memory_order_release); }

  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> words_[words]{};
};

}  // namespace outcry
