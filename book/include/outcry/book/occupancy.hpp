// Occupancy: which slots of a window are taken: a bit for each slot, a bit for each group of 64, a bit for each 64 of
// those.
//
// Thread: the owner; the words of the two lower storeys are read by others, to whom they say where to look, no more.
// Invariant: a bit above is set exactly if a bit below it is.
// Limits: 64^3 = 262,144 slots. The next taken slot is found in at most five words, however wide the gap.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <outcry/book/word.hpp>

namespace outcry {

class Occupancy {
 public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  static constexpr std::uint32_t most_slots = 64 * 64 * 64;

  /// How many words hold a window of so many slots.
  static constexpr std::size_t words_for(std::uint32_t slots) noexcept { return groups_for(slots) + supers_for(slots); }

  Occupancy() = default;
  /// Takes over `words` (words_for(slots) of them) and clears them.
  Occupancy(Word<std::uint64_t>* words, std::uint32_t slots) noexcept
      : bits_(words), groups_(words + groups_for(slots)) {
    for (std::size_t i = 0; i < words_for(slots); ++i) words[i] = 0;
  }

  void set(std::uint32_t slot) noexcept {
    bits_[slot >> 6] |= bit(slot);
    groups_[slot >> 12] |= bit(slot >> 6);
    top_ |= bit(slot >> 12);
  }

  void clear(std::uint32_t slot) noexcept {
    const std::uint64_t bits = bits_[slot >> 6] & ~bit(slot);
    bits_[slot >> 6] = bits;
    if (bits != 0) return;
    const std::uint64_t groups = groups_[slot >> 12] & ~bit(slot >> 6);
    groups_[slot >> 12] = groups;
    if (groups != 0) return;
    top_ &= ~bit(slot >> 12);
  }

  bool test(std::uint32_t slot) const noexcept { return (bits_[slot >> 6] & bit(slot)) != 0; }
  bool any() const noexcept { return top_ != 0; }

  /// The highest taken slot below `slot`, or none.
  std::uint32_t below(std::uint32_t slot) const noexcept {
    std::uint32_t word = slot >> 6;
    if (const std::uint64_t rest = (slot & 63) != 0 ? bits_[word] & (bit(slot) - 1) : 0)
      return word * 64 + highest(rest);
    std::uint32_t group = word >> 6;
    std::uint64_t rest = (word & 63) != 0 ? groups_[group] & (bit(word) - 1) : 0;
    if (rest == 0) {
      rest = group < 64 ? top_ & (bit(group) - 1) : top_;
      if (rest == 0) return none;
      group = highest(rest);
      rest = groups_[group];
    }
    word = group * 64 + highest(rest);
    return word * 64 + highest(bits_[word]);
  }

  /// The same for a reader on another thread, while the owner is at work: some slot that was taken at some moment, and
  /// none above it that was taken all the time.
  /// Requires: words that an Occupancy of so many slots has taken over; slot <= slots.
  static std::uint32_t below(const Word<std::uint64_t>* words, std::uint32_t slots, std::uint32_t slot) noexcept {
    const Word<std::uint64_t>*bits = words, *groups = words + groups_for(slots);
    std::uint32_t word = slot >> 6;
    if (const std::uint64_t rest = (slot & 63) != 0 ? bits[word].read() & (bit(slot) - 1) : 0)
      return word * 64 + highest(rest);
    std::uint32_t group = word >> 6;
    std::uint64_t rest = (word & 63) != 0 ? groups[group].read() & (bit(word) - 1) : 0;
    for (;;) {
      while (rest == 0) {
        if (group == 0) return none;
        rest = groups[--group].read();
      }
      word = group * 64 + highest(rest);
      if (const std::uint64_t taken = bits[word].read()) return word * 64 + highest(taken);
      rest &= ~bit(word);  // emptied since
    }
  }

 private:
  static constexpr std::uint32_t groups_for(std::uint32_t slots) noexcept { return (slots + 63) / 64; }
  static constexpr std::uint32_t supers_for(std::uint32_t slots) noexcept { return (slots + 4095) / 4096; }
  static constexpr std::uint64_t bit(std::uint32_t n) noexcept { return std::uint64_t{1} << (n & 63); }
  static std::uint32_t highest(std::uint64_t word) noexcept {
    return 63u - static_cast<std::uint32_t>(std::countl_zero(word));
  }

  Word<std::uint64_t>* bits_ = nullptr;
  Word<std::uint64_t>* groups_ = nullptr;
  std::uint64_t top_ = 0;
};

}  // namespace outcry
