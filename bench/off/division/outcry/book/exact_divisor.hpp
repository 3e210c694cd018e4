// ExactDivisor without its technique, for the suite `techniques`: a division and its remainder.
#pragma once

#include <cstdint>

namespace outcry {

class ExactDivisor {
 public:
  constexpr explicit ExactDivisor(std::uint64_t divisor) noexcept : divisor_(divisor) {}

  constexpr std::uint64_t quotient(std::uint64_t n) const noexcept {
    return n % divisor_ == 0 ? n / divisor_ : ~std::uint64_t{0};
  }

 private:
  std::uint64_t divisor_;
};

}  // namespace outcry
