// RuleState: what a book with rules keeps beside its ladders: the queues that nobody sees, and what they wait for.
//
//     shown          the book's own ladders: what everyone sees
//     hidden         hidden orders and pegs, at the price that they have now
//     all_or_none    behind everything else at its price; the two sides may cross here
//     stops          by stop price; the one that is triggered first is the best
//     at_market      without a price, waiting for an auction's
//     parked         no queue: pegs without anything to be pegged to, trailing stops before the first trade
//
// Thread: the book's owner only.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <memory_resource>
#include <new>
#include <optional>
#include <stdexcept>
#include <vector>

#include <outcry/book/book_rules.hpp>
#include <outcry/book/order_terms.hpp>
#include <outcry/book/price_ladder.hpp>

namespace outcry {

/// What one side would trade at a price or a better one.
struct AuctionDemand {
  PriceLadder::Key key;
  Volume volume;
};

struct RuleState {
  RuleState(const BookRules& given, const Instrument& instrument, PriceLadder::Window window,
            std::pmr::memory_resource* memory)
      : rules(given),
        hidden{PriceLadder(Side::buy, instrument, window, memory), PriceLadder(Side::sell, instrument, window, memory)},
        all_or_none{PriceLadder(Side::buy, instrument, window, memory),
                    PriceLadder(Side::sell, instrument, window, memory)},
        // Stops to buy wait above the market, the lowest first: in a ladder like that of the asks.
        stops{PriceLadder(Side::sell, instrument, window, memory), PriceLadder(Side::buy, instrument, window, memory)},
        pegs(memory),
        trailing(memory),
        demand{std::pmr::vector<AuctionDemand>(memory), std::pmr::vector<AuctionDemand>(memory)} {
    if (given.static_band < 0 || given.dynamic_band < 0 || given.collar < 0)
      throw std::invalid_argument("BookRules: a band or a collar is negative");
    if (given.allocation > Allocation::lead_makers || given.lead_percent > 100)
      throw std::invalid_argument("BookRules: no such allocation, or a share of more than a hundred per cent");
    for (std::size_t i = 0; i < given.ticks.size(); ++i) {
      if (given.ticks[i].tick < 1 || given.ticks[i].tick % instrument.tick != 0)
        throw std::invalid_argument("BookRules: a tick is not a multiple of the instrument's");
      if (i > 0 && given.ticks[i].from <= given.ticks[i - 1].from)
        throw std::invalid_argument("BookRules: the tick table is not sorted");
    }
  }

  bool is_on_tick(Price price) const noexcept {
    const auto step = std::upper_bound(rules.ticks.begin(), rules.ticks.end(), price,
                                       [](Price a, const TickStep& b) { return a < b.from; });
    return step == rules.ticks.begin() || price.units % std::prev(step)->tick == 0;
  }

  std::int64_t tick_at(Price price, const Instrument& instrument) const noexcept {
    auto step = std::upper_bound(rules.ticks.begin(), rules.ticks.end(), price,
                                 [](Price a, const TickStep& b) { return a < b.from; });
    if (step != rules.ticks.begin()) return (--step)->tick;
    return instrument.off_tick_allowed ? 1 : instrument.tick;
  }
  /// The nearest prices on the grid above and below.
  Price next_above(Price price, const Instrument& instrument) const noexcept {
    const std::int64_t tick = tick_at(price, instrument), over = ((price.units % tick) + tick) % tick;
    return price + (tick - over);
  }
  Price next_below(Price price, const Instrument& instrument) const noexcept {
    const std::int64_t tick = tick_at(price - 1, instrument), over = ((price.units % tick) + tick) % tick;
    return price - (over != 0 ? over : tick);
  }

  /// Whether a trade between the two accounts would be one with oneself.
  bool is_self(std::uint32_t a, std::uint32_t b) const noexcept {
    if (rules.self_trade == SelfTrade::allowed || a == 0 || b == 0) return false;
    return a == b || (group_of(a) != 0 && group_of(a) == group_of(b));
  }

  std::uint32_t group_of(std::uint32_t account) const noexcept {
    return account < rules.groups.size() ? rules.groups[account] : 0;
  }

  bool is_lead_maker(std::uint32_t account) const noexcept {
    return account != 0 &&
           std::find(rules.lead_makers.begin(), rules.lead_makers.end(), account) != rules.lead_makers.end();
  }

  /// Whether the list can take so many more, without memory being asked for then.
  template <class T>
  static bool has_room(std::pmr::vector<T>& list, std::size_t more = 1) noexcept {
    try {
      if (list.capacity() - list.size() < more)
        list.reserve(std::max({std::size_t{16}, list.capacity() * 2, list.size() + more}));
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  BookRules rules;
  std::array<PriceLadder, 2> hidden, all_or_none, stops;
  std::pmr::vector<OrderIndex> pegs, trailing;  // all of them, in order of entry
  std::array<Level, 2> at_market{};
  std::array<std::pmr::vector<AuctionDemand>, 2> demand;  // scratch memory of indicative()
  std::array<OrderIndex, 2> top{};                        // the order of a side that made its best price, or 0
  std::optional<Price> last{};                            // trade
  Phase phase = Phase::continuous;
  bool band_is_breached = false;  // a volatility auction begins as soon as the order at work has done its work
  std::uint32_t next_expiry_s = ~std::uint32_t{0};  // nothing expires before that
};

}  // namespace outcry
