// Barrier: where the schedulers of a run in virtual time meet.
//
// Spins a little, then parks, so that more schedulers than processors work. Reusable at once.
#pragma once

#include <atomic>
#include <cstdint>

namespace outcry {

class Barrier {
 public:
  /// `spins`: how often to look before parking; zero where there are more parties than processors.
  explicit Barrier(std::uint32_t parties = 1, std::uint32_t spins = 0) : parties_(parties), spins_(spins) {}

  /// All that any party wrote before is seen by every party after.
  void arrive_and_wait() noexcept {
    const std::uint32_t round = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == parties_) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      round_.notify_all();
      return;
    }
    for (std::uint32_t spin = 0; spin < spins_; ++spin) {
      if (round_.load(std::memory_order_acquire) != round) return;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    while (round_.load(std::memory_order_acquire) == round) round_.wait(round, std::memory_order_acquire);
  }

 private:
  std::uint32_t parties_;
  std::uint32_t spins_;
  alignas(64) std::atomic<std::uint32_t> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> round_{0};
};

}  // namespace outcry
