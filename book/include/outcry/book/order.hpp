// Order: the hot half of an order that rests in a book: 32 bytes, two to a cache line.
//
// Thread: the book's owner. A BookReader on another thread copies the Words, and believes them only if the version of
//   the level that it came from did not change meanwhile; the rest is the owner's alone.
// Invariant: a live order has open > 0 and is linked into exactly one level; a free record is linked into the pool's
// list. Limits: symbols below 2^24, because the symbol shares a word with the flags. What a plain order does not need
// (displayed
//   size of an iceberg, the stop's trigger, the peg's offset) belongs into an array of its own, parallel to the pool.
#pragma once

#include <cstdint>
#include <type_traits>

#include <outcry/book/word.hpp>
#include <outcry/messages/commands.hpp>
#include <outcry/messages/identity.hpp>
#include <outcry/messages/side.hpp>

namespace outcry {

/// Where an order is in its pool. Zero is no order.
using OrderIndex = std::uint32_t;

struct alignas(32) Order {
  static constexpr std::uint32_t sells = 1u << 0;
  static constexpr std::uint32_t ends_with_day = 1u << 1;
  static constexpr std::uint32_t posts_only = 1u << 2;
  static constexpr std::uint32_t rests_far = 1u << 3;  // its level is outside the ladder's window
  static constexpr unsigned symbol_shift = 8;
  static constexpr std::uint32_t most_symbols = 1u << (32 - symbol_shift);

  Word<std::uint64_t> id;
  Word<std::uint32_t> open;
  OrderIndex older;
  Word<OrderIndex> newer;
  std::uint32_t place;  // of its level in the ladder, see PriceLadder
  Word<std::uint32_t> account;
  Word<std::uint32_t> traits;  // symbol << 8 | flags

  Side side() const noexcept { return side_in(traits); }
  std::uint32_t symbol() const noexcept { return traits >> symbol_shift; }
  bool is_far() const noexcept { return is_far_in(traits); }
  static Side side_in(std::uint32_t traits) noexcept { return static_cast<Side>(traits & sells); }
  static bool is_far_in(std::uint32_t traits) noexcept { return (traits & rests_far) != 0; }
  bool is_post_only() const noexcept { return (traits & posts_only) != 0; }
  bool is_day() const noexcept { return (traits & ends_with_day) != 0; }
  TimeInForce time_in_force() const noexcept { return is_day() ? TimeInForce::day : TimeInForce::good_till_cancelled; }
};

static_assert(sizeof(Order) == 32 && alignof(Order) == 32 && std::is_trivially_destructible_v<Order>);

}  // namespace outcry
