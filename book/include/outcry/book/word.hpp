// Word: a number that its owner changes and that any other thread may read meanwhile.
//
// The owner reads it as the plain number that it is: nobody else changes it, so nothing races with that. Its stores and
// everybody else's loads are relaxed atomic ones: ordinary moves, never a locked instruction. They order nothing unless
// they are asked to: who reads several words together needs a version beside them (see Level and SharedLadder).
//
// Thread: changed and get() by one at a time; read() and acquire() by any.
// (Compilers' own atomic functions, not std::atomic: GCC 12 can fold no atomic load into what uses it, which made books
// nine per cent slower, and std::atomic_ref leaves the plain load undefined.)
#pragma once

#include <type_traits>

namespace outcry {

template <class T>
class Word {
 public:
  Word() = default;
  Word(T value) noexcept : value_(value) {}
  Word(const Word& other) noexcept : value_(other.value_) {}
  // NOLINTNEXTLINE(bugprone-unhandled-self-assignment)
  Word& operator=(const Word& other) noexcept { return *this = other.value_; }
  ~Word() = default;

  /// The owner's look.
  T get() const noexcept { return value_; }
  operator T() const noexcept { return value_; }
  Word& operator=(T value) noexcept {
    __atomic_store_n(&value_, value, __ATOMIC_RELAXED);
    return *this;
  }
  /// Anybody else's.
  T read() const noexcept { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }

  /// Whoever acquires the number sees everything that its owner did before.
  void release(T value) noexcept { __atomic_store_n(&value_, value, __ATOMIC_RELEASE); }
  T acquire() const noexcept { return __atomic_load_n(&value_, __ATOMIC_ACQUIRE); }

  Word& operator+=(T by) noexcept { return *this = value_ + by; }
  Word& operator-=(T by) noexcept { return *this = value_ - by; }
  Word& operator|=(T bits) noexcept { return *this = value_ | bits; }
  Word& operator&=(T bits) noexcept { return *this = value_ & bits; }
  Word& operator++() noexcept { return *this += 1; }
  Word& operator--() noexcept { return *this -= 1; }

 private:
  static_assert(std::is_integral_v<T> && sizeof(T) <= 8);
  alignas(sizeof(T)) T value_;
};

}  // namespace outcry
