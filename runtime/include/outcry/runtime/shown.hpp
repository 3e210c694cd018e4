// Shown: a word that one thread writes and others may look at meanwhile.
//
// Costs its writer what a plain word costs on x86: no atomic operation reads and writes at once. Who sees a value sees
// what was written before it.
#pragma once

#include <atomic>
#include <concepts>
#include <type_traits>

namespace outcry {

template <class T>
  requires std::is_trivially_copyable_v<T>
class Shown {
 public:
  constexpr Shown() noexcept = default;
  constexpr explicit Shown(T value) noexcept : value_(value) {}
  Shown(const Shown&) = delete;
  Shown& operator=(const Shown&) = delete;

  // ---- the writer

  operator T() const noexcept { return value_.load(std::memory_order_relaxed); }
  Shown& operator=(T value) noexcept {
    value_.store(value, std::memory_order_release);
    return *this;
  }
  /// The value before. Not atomic: there is one writer.
  T exchange(T value) noexcept {
    const T before = *this;
    *this = value;
    return before;
  }
  Shown& operator++() noexcept
    requires std::integral<T>
  {
    return *this = static_cast<T>(*this + 1);
  }
  T operator->() const noexcept
    requires std::is_pointer_v<T>
  {
    return *this;
  }

  // ---- anybody

  T look() const noexcept { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<T> value_{};
  static_assert(std::atomic<T>::is_always_lock_free);
};

}  // namespace outcry
