// BookRules: what a venue asks of its book beyond price, time and the instrument's grid. A value; every rule is off
// unless it is set, and a book without rules pays nothing for them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <outcry/messages/identity.hpp>
#include <outcry/messages/price.hpp>
#include <outcry/messages/quantity.hpp>

namespace outcry {

/// What happens when an order would trade with one of its own account or group. Account 0 is nobody.
enum class SelfTrade : std::uint8_t {
  allowed,
  cancel_newest,  // what is left of the incoming order leaves
  cancel_oldest,  // the resting order leaves, the incoming one goes on
  cancel_both,
  decrement,  // both become smaller by the smaller one, which leaves
};

/// Which of the orders displayed at a price trade, if not all of them do. See order_book_allocation.hpp.
enum class Allocation : std::uint8_t {
  price_time,   // the oldest
  pro_rata,     // each in proportion to what it displays, and what rounding leaves over the oldest
  lead_makers,  // lead makers with a share of what comes in, and of the rest the oldest
};

/// From this price on, up to the next step, prices are multiples of `tick`, itself a multiple of the instrument's.
struct TickStep {
  Price from{};
  std::int64_t tick = 1;
};

struct BookRules {
  SelfTrade self_trade = SelfTrade::allowed;
  std::vector<std::uint32_t> groups{};  // of account i; 0, or beyond the end: the account is on its own
  std::vector<TickStep> ticks{};        // lowest first; below the first the instrument's tick holds
  Price reference{};                    // the middle of the static band, and of the dynamic one before the first trade
  std::int64_t static_band = 0;         // prices of orders further than that from the reference are refused; 0: off
  std::int64_t dynamic_band = 0;        // no order trades further than that past the last trade; 0: off
  std::int64_t collar = 0;              // no market order trades further than that past the best price it found; 0: off
  bool volatility_auction = false;      // who would trade outside the dynamic band begins an auction instead of leaving

  Allocation allocation = Allocation::price_time;
  bool top_order_first = false;                // pro_rata: who made the best price goes before the others
  Quantity least_share{};                      // pro_rata: a share below that is none
  std::uint32_t lead_percent = 0;              // lead_makers: of what comes in at each price
  std::array<std::uint32_t, 4> lead_makers{};  // their accounts; 0: nobody
};

}  // namespace outcry
