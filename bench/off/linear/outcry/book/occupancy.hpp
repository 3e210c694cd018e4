// Occupancy without its technique, for the suite `techniques`: a byte for each slot, and a look at one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <outcry/book/word.hpp>

namespace outcry {

class Occupancy {
 public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  static constexpr std::uint32_t most_slots = 64 * 64 * 64;

  static constexpr std::size_t words_for(std::uint32_t slots) noexcept { return (slots + 7) / 8; }

  Occupancy() = default;
  Occupancy(Word<std::uint64_t>* words, std::uint32_t slots) noexcept
      : taken_(reinterpret_cast<unsigned char*>(words)) {
    std::memset(taken_, 0, words_for(slots) * sizeof(std::uint64_t));
  }

  void set(std::uint32_t slot) noexcept {
    count_ += taken_[slot] == 0;
    taken_[slot] = 1;
  }
  void clear(std::uint32_t slot) noexcept {
    count_ -= taken_[slot];
    taken_[slot] = 0;
  }
  bool test(std::uint32_t slot) const noexcept { return taken_[slot] != 0; }
  bool any() const noexcept { return count_ != 0; }
  std::uint32_t below(std::uint32_t slot) const noexcept {
    if (count_ == 0) return none;
    while (slot-- != 0)
      if (taken_[slot] != 0) return slot;
    return none;
  }

 private:
  unsigned char* taken_ = nullptr;
  std::uint32_t count_ = 0;
};

}  // namespace outcry
