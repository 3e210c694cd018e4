// Word: a number that its owner changes and that any other thread may read meanwhile.
//
// The owner reads it as the plain number that it is: nobody else changes it, so nothing races with that. Its stores and
// everybody else's loads are relaxed atomic ones: ordinary moves, never a locked instruction. They order nothing unless
// they are asked to: who reads several words together needs a version beside them (see Level and SharedLadder).
//
// Thread: changed and get() by one at a time; read() and acquire() by any.
//
// Compilers' own atomic functions, not std::atomic, whose plain loads would be atomic, too. And on x86-64 the stores are
// volatile moves: the same instruction, but GCC 12 forgets all that it has read from memory at every atomic store, which
// makes books slower. There volatile moves also keep their order, in the compiler and in the processor.
// ThreadSanitizer sees the atomic ones.
#pragma once

#include <type_traits>

namespace outcry {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define OUTCRY_SANITIZES_THREADS
#endif
#endif
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && !defined(OUTCRY_SANITIZES_THREADS)
/// Whether another thread that sees what a word was set to sees what other words were set to before.
inline constexpr bool words_keep_order = true;
#else
inline constexpr bool words_keep_order = false;
#endif
#undef OUTCRY_SANITIZES_THREADS

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
    if constexpr (words_keep_order)
      *const_cast<volatile T*>(&value_) = value;
    else
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
