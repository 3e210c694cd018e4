// BookRules: what a venue asks of its book beyond price, time and the instrument's grid. A value; every rule is off
// unless it is set, and a book without rules pays nothing for them.
#pragma once

#include <cstdint>
#include <vector>

#include <outcry/messages/identity.hpp>
#include <outcry/messages/price.hpp>

namespace outcry {

/// What happens when an order would trade with one of its own account or group. Account 0 is nobody.
enum class SelfTrade : std::uint8_t {
  allowed,
  cancel_newest,  // what is left of the incoming order leaves
  cancel_oldest,  // the resting order leaves, the incoming one goes on
  cancel_both,
  decrement,  // both become smaller by the smaller one, which leaves
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
};

}  // namespace outcry
