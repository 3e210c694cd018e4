// OrderTerms: the cold half of an order in a book with rules; an array of them lies parallel to the pool.
//
// Thread: the book's owner only.
#pragma once

#include <cstdint>
#include <type_traits>

#include <outcry/messages/commands.hpp>
#include <outcry/messages/price.hpp>

namespace outcry {

/// In which of a book's queues an order is.
enum class Queue : std::uint8_t { shown, hidden, all_or_none, stops, at_market, parked };

struct OrderTerms {
  Price price;            // as asked for: the limit of a stop-limit order, the worst price of a peg
  std::int64_t trigger;   // see SpecialType
  std::uint32_t reserve;  // of an iceberg: open, but not displayed
  std::uint32_t part;
  std::uint32_t expires_s;
  SpecialType type;
  TimeInForce time_in_force;
  Terms terms;
  Queue queue;
};

static_assert(sizeof(OrderTerms) == 32 && std::is_trivially_copyable_v<OrderTerms>);

constexpr bool is_peg(SpecialType type) { return type >= SpecialType::primary_peg; }
constexpr bool is_at_market(SpecialType type) {
  return type == SpecialType::market || type == SpecialType::market_to_limit;
}
constexpr bool is_stop(SpecialType type) { return type >= SpecialType::stop && type <= SpecialType::trailing_stop; }

}  // namespace outcry
