// HistoryLedger: how recorded history and the book of one symbol got on with each other.
//
// With no orders of ours the book is history, and everything under "what our orders changed" stays zero. With ours,
//
//   what history has open - what the book has open of it
//     = taken_shares - filled_shares - missing_shares + surplus_shares
//
// holds after every event: whatever differs is explained.
#pragma once

#include <cstdint>

#include <outcry/messages/history.hpp>
#include <outcry/messages/reason.hpp>

namespace outcry {

struct HistoryLedger {
  std::uint64_t events = 0;
  std::uint64_t trades = 0;  // printable executions, displayed and hidden, as recorded
  std::uint64_t shares = 0;
  std::uint64_t hidden_trades = 0;

  // What our orders changed. An event is adjusted if it could not be applied as it is recorded; its shares are those
  // that traded with ours instead, and those that were not there any more because ours had taken them. No share of
  // history is counted twice, however many events speak of it.
  std::uint64_t adjusted_events = 0;
  std::uint64_t adjusted_shares = 0;
  std::uint64_t taken_shares = 0;    // that orders of history lost to ours
  std::uint64_t filled_shares = 0;   // that ours, standing in front, traded instead of orders of history
  std::uint64_t missing_shares = 0;  // that history disposed of, and ours had taken
  std::uint64_t surplus_shares = 0;  // that orders of history had not traded because of ours, and took with them

  // What the file did not know of itself.
  std::uint64_t unknown_orders = 0;    // events that name an order which was never shown
  std::uint64_t anonymous_events = 0;  // of these: taken from the levels that the recording began with
  std::uint64_t broken_events = 0;     // refused by the book for any other reason, or unknown where that is an error

  struct Failure {
    std::uint32_t record = 0;
    HistoryKind kind{};
    Reason reason = Reason::none;
    OrderId id{};
    Quantity quantity{};  // that the event names
    Quantity open{};      // of the order, if there is one
  };
  Failure first_failure;  // reason none: there was none

  bool failed() const { return first_failure.reason != Reason::none; }

  /// The sum of two symbols; of their failures, the one that comes first in the file.
  HistoryLedger& operator+=(const HistoryLedger& other) {
    events += other.events;
    trades += other.trades;
    shares += other.shares;
    hidden_trades += other.hidden_trades;
    adjusted_events += other.adjusted_events;
    adjusted_shares += other.adjusted_shares;
    taken_shares += other.taken_shares;
    filled_shares += other.filled_shares;
    missing_shares += other.missing_shares;
    surplus_shares += other.surplus_shares;
    unknown_orders += other.unknown_orders;
    anonymous_events += other.anonymous_events;
    broken_events += other.broken_events;
    if (other.failed() && (!failed() || other.first_failure.record < first_failure.record))
      first_failure = other.first_failure;
    return *this;
  }
};

/// What a symbol does about a recorded order that nobody has shown it.
enum class UnknownOrders : std::uint8_t {
  stop,   // the recording is complete: such an event is broken input
  count,  // the recording begins in the middle of the day
};

}  // namespace outcry
