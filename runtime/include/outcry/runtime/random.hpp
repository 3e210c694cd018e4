// Random: one actor's stream of random numbers, and the distributions that markets are made of.
//
// Source: splitmix64 with a gamma of its own for each stream (Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", 2014). The distributions are written out here, so that a run has the same bits with every library.
// Thread: its owner. Cost: a draw takes one to three nanoseconds; the logarithmic ones about ten more.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace outcry {

constexpr std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// One number out of two; the order of the two matters.
constexpr std::uint64_t mix64(std::uint64_t a, std::uint64_t b) {
  return mix64(a + 0x9E3779B97F4A7C15u * (mix64(b) | 1));
}

class Random {
  __extension__ using Wide = unsigned __int128;

 public:
  explicit constexpr Random(std::uint64_t seed, std::uint64_t stream = 0)
      : state_(mix64(seed, stream)), gamma_(mix64(stream, ~seed) | 1) {}

  constexpr std::uint64_t bits() { return mix64(state_ += gamma_); }

  /// Uniform on [0, n). Requires: n > 0.
  constexpr std::uint64_t below(std::uint64_t n) {
    for (;;) {  // Lemire, "Fast random integer generation in an interval", 2019
      const Wide product = static_cast<Wide>(bits()) * n;
      const auto low = static_cast<std::uint64_t>(product);
      if (low >= n || low >= (0 - n) % n) return static_cast<std::uint64_t>(product >> 64);
    }
  }

  /// Uniform on [low, high].
  constexpr std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }

  /// Uniform on [0, 1).
  constexpr double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  constexpr bool chance(double probability) { return uniform() < probability; }
  constexpr bool coin() { return bits() >> 63; }

  double exponential(double mean) { return -std::log1p(-uniform()) * mean; }

  double normal(double mean = 0, double deviation = 1) {  // Box and Muller; the second variate is not kept
    const double radius = std::sqrt(-2 * std::log1p(-uniform()));
    return mean + deviation * radius * std::cos(2 * std::numbers::pi * uniform());
  }

  double log_normal(double mu, double sigma) { return std::exp(normal(mu, sigma)); }

 private:
  std::uint64_t state_;
  std::uint64_t gamma_;
};

}  // namespace outcry
