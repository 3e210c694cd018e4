// Occupancy without its technique, for the suite `techniques`: the taken slots in a balanced tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <set>

#include <outcry/book/word.hpp>

namespace outcry {

class Occupancy {
 public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  static constexpr std::uint32_t most_slots = 64 * 64 * 64;

  static constexpr std::size_t words_for(std::uint32_t) noexcept { return 0; }

  Occupancy() = default;
  Occupancy(Word<std::uint64_t>*, std::uint32_t) noexcept {}

  void set(std::uint32_t slot) { taken_.insert(slot); }
  void clear(std::uint32_t slot) { taken_.erase(slot); }
  bool test(std::uint32_t slot) const { return taken_.contains(slot); }
  bool any() const noexcept { return !taken_.empty(); }
  std::uint32_t below(std::uint32_t slot) const {
    const auto next = taken_.lower_bound(slot);
    return next == taken_.begin() ? none : *std::prev(next);
  }

 private:
  std::set<std::uint32_t> taken_;
};

}  // namespace outcry
