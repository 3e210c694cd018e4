// ExactDivisor: division by a fixed number, and the test that nothing is left over, in one multiplication.
//
// A divisor is an odd number times a power of two. Multiplying by the inverse of the odd part modulo 2^64 and rotating
// the power of two away maps the multiples of the divisor, and only them, onto the numbers 0 .. (2^64 - 1) / divisor.
// So `quotient(n) <= most / divisor` says at once that n is a multiple and that n <= most.
#pragma once

#include <bit>
#include <cstdint>

namespace outcry {

class ExactDivisor {
 public:
  /// Requires: divisor > 0.
  constexpr explicit ExactDivisor(std::uint64_t divisor) noexcept : shift_(std::countr_zero(divisor)) {
    const std::uint64_t odd = divisor >> shift_;
    inverse_ = odd;  // right in its lowest three bits; each step of Newton's doubles them
    for (int bits = 3; bits < 64; bits *= 2) inverse_ *= 2 - odd * inverse_;
  }

  /// n / divisor if that is whole, else a number greater than any such quotient.
  constexpr std::uint64_t quotient(std::uint64_t n) const noexcept { return std::rotr(n * inverse_, shift_); }

 private:
  std::uint64_t inverse_ = 0;
  int shift_;
};

}  // namespace outcry
