// BookReport: what a book was asked so far, and how its orders lie now: levels, orders, and how long its queues are.
//
// A value, made on demand: report_of() walks the levels, not the orders. Reports of several books add up.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string>

#include <outcry/book/order_book.hpp>

namespace outcry {

struct BookReport {
  struct Queues {
    std::uint64_t levels = 0;
    std::uint64_t orders = 0;
    Volume volume = 0;
    std::uint32_t longest = 0;                // orders in one queue
    std::array<std::uint64_t, 33> lengths{};  // lengths[n]: queues of 2^(n-1) to 2^n - 1 orders

    void add(const DepthLevel& level) {
      ++levels;
      orders += level.orders;
      volume += level.volume;
      longest = std::max<std::uint32_t>(longest, level.orders);
      ++lengths[static_cast<std::size_t>(std::bit_width(level.orders))];
    }
    double orders_per_level() const {
      return levels == 0 ? 0 : static_cast<double>(orders) / static_cast<double>(levels);
    }
    Queues& operator+=(const Queues& other);
    friend bool operator==(const Queues&, const Queues&) = default;
  };

  BookCounts counts{};
  Queues bids{};
  Queues asks{};

  BookReport& operator+=(const BookReport& other);
};

/// Of a book with rules: what is displayed.
template <class Ids>
BookReport report_of(const OrderBook<Ids>& book) {
  BookReport report{.counts = book.counts()};
  book.for_each_level(Side::buy, [&](const DepthLevel& level) { report.bids.add(level); });
  book.for_each_level(Side::sell, [&](const DepthLevel& level) { report.asks.add(level); });
  return report;
}

/// A line of operations, one of each side, and one for each length of queue that there is:
///
///     asked: 5 new, 1 cancel, 0 reduce, 0 modify, 0 replace; 0 rejected; 1 trade of 3; 8 events
///     bids: 3 orders of 12 on 2 levels, 1.50 a level, at most 2
///     asks: none
///     queues of 1: 1 bid, 0 ask
///     queues of 2 to 3: 1 bid, 0 ask
std::string to_string(const BookReport& report);

}  // namespace outcry
