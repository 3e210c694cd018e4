// HistoryLedger: how recorded history and the book of one symbol got on with each other.
#pragma once

#include <cstdint>

#include <outcry/messages/history.hpp>
#include <outcry/messages/reason.hpp>

namespace outcry {

struct HistoryLedger {
  std::uint64_t events = 0;
  std::uint64_t trades = 0;  // printable executions, displayed and hidden
  std::uint64_t shares = 0;
  std::uint64_t hidden_trades = 0;

  // What our orders changed: history speaks of quantities that we took, or of trades that hit us instead.
  std::uint64_t adjusted_events = 0;
  std::uint64_t adjusted_shares = 0;

  // What the file did not know of itself.
  std::uint64_t unknown_orders = 0;     // named by an event, never shown
  std::uint64_t anonymous_events = 0;   // of these: taken from the levels that the recording began with
  std::uint64_t broken_events = 0;      // refused by the book for any other reason

  struct Failure {
    std::uint32_t record = 0;
    HistoryKind kind{};
    Reason reason = Reason::none;
    OrderId id{};
  };
  Failure first_failure;  // reason none: there was none

  bool failed() const { return first_failure.reason != Reason::none; }
};

/// What a symbol does about a recorded order that nobody has shown it.
enum class UnknownOrders : std::uint8_t {
  stop,   // the recording is complete: such an event is broken input
  count,  // the recording begins in the middle of the day
};

}  // namespace outcry
