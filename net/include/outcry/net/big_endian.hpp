// BigEndian: an unsigned number in a message, most significant byte first: no alignment, no padding, readable in place.
//
// It reads and assigns like a number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace outcry {

template <std::size_t N>
class BigEndian {
  static_assert(N == 2 || N == 4 || N == 6 || N == 8);

 public:
  using Value = std::conditional_t<N == 2, std::uint16_t, std::conditional_t<N == 4, std::uint32_t, std::uint64_t>>;

  constexpr BigEndian() = default;
  /// Keeps the lowest N bytes of `value`.
  constexpr BigEndian(Value value) {
    for (std::size_t i = 0; i < N; ++i) bytes_[i] = static_cast<std::uint8_t>(value >> (8 * (N - 1 - i)));
  }

  constexpr operator Value() const { return value(); }

  // Written out so that compilers see one load and one byte swap; of six bytes, two.
  constexpr Value value() const {
    if constexpr (N == 2)
      return static_cast<Value>(two(0));
    else if constexpr (N == 4)
      return four(0);
    else if constexpr (N == 6)
      return std::uint64_t{two(0)} << 32 | four(2);
    else
      return std::uint64_t{bytes_[0]} << 56 | std::uint64_t{bytes_[1]} << 48 | std::uint64_t{bytes_[2]} << 40 |
             std::uint64_t{bytes_[3]} << 32 | std::uint64_t{bytes_[4]} << 24 | std::uint64_t{bytes_[5]} << 16 |
             std::uint64_t{bytes_[6]} << 8 | std::uint64_t{bytes_[7]};
  }

 private:
  constexpr std::uint32_t two(std::size_t i) const {
    return std::uint32_t{bytes_[i]} << 8 | std::uint32_t{bytes_[i + 1]};
  }
  constexpr std::uint32_t four(std::size_t i) const {
    return std::uint32_t{bytes_[i]} << 24 | std::uint32_t{bytes_[i + 1]} << 16 | std::uint32_t{bytes_[i + 2]} << 8 |
           std::uint32_t{bytes_[i + 3]};
  }

  std::uint8_t bytes_[N]{};
};

}  // namespace outcry
