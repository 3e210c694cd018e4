// LoadOrders: the orders of one connection of a load generator, in OUCH 5.0: which message comes next, how long each
// took, and whether every answer is right.
//
// An order is acknowledged exactly once, and as it was sent; it trades and is cancelled for no more than it has; nothing
// is said about orders that were never sent. The first answer that breaks this is kept as a sentence.
// Passive orders rest within fifty ticks of the price, on their own side of it; orders that trade are immediate or cancel
// and go through all of them. So what a connection has in the book stays within `most_resting`.
//
// After a lost connection the orders that were not acknowledged are sent again, under their numbers: the venue passes over
// those that it has seen.
// Thread: one owner. Allocates: 40 bytes an order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <outcry/actors/load_plan.hpp>
#include <outcry/messages/price.hpp>
#include <outcry/net/alpha.hpp>
#include <outcry/net/ouch50.hpp>
#include <outcry/runtime/histogram.hpp>
#include <outcry/runtime/random.hpp>

namespace outcry {

/// How long things took, in nanoseconds from when they were due. One for each scheduler.
struct LoadTimes {
  Histogram ack;     // an order until it is accepted or rejected
  Histogram fill;    // an order that trades until its first execution
  Histogram cancel;  // a cancel until the order has left
  Histogram sent;    // any message until it is with the socket: how late we were ourselves
  Histogram login;   // the beginning of a connection until it is logged in

  void merge(const LoadTimes& other) {
    ack.merge(other.ack);
    fill.merge(other.fill);
    cancel.merge(other.cancel);
    sent.merge(other.sent);
    login.merge(other.login);
  }
};

struct LoadCounts {
  std::uint64_t orders = 0;
  std::uint64_t cancels = 0;       // that were sent
  std::uint64_t acknowledged = 0;  // accepted or rejected
  std::uint64_t rejected = 0;
  std::uint64_t executions = 0;
  std::uint64_t bought = 0;  // shares
  std::uint64_t sold = 0;
  std::uint64_t cancelled = 0;  // orders that left without trading all they had
  std::uint64_t sent_again = 0;
  std::uint64_t logins = 0;
  std::map<std::uint16_t, std::uint64_t> reasons{};  // of rejections

  void add(const LoadCounts& other);
};

struct LoadOrdersOptions {
  LoadScenario scenario = LoadScenario::steady;
  std::vector<std::string> symbols{};
  std::int64_t price = 1'000'000;  // the middle, in 1/10,000
  std::int64_t tick = 100;
  std::uint32_t quantity = 100;
  std::uint32_t most_resting = 200;
  std::uint64_t seed = 1;
};

class LoadOrders {
 public:
  static constexpr std::size_t largest_message = sizeof(ouch50::EnterOrder);

  /// `times` outlives it.
  LoadOrders(const LoadOrdersOptions& options, LoadTimes& times);

  /// The number that the venue expects of the account's next order; what it says of older ones is passed over.
  /// Requires: no message was written yet.
  void begin_at(std::uint32_t first_ref) { first_ref_ = first_ref; }

  /// Writes the next message, which was due then, and returns its size. Requires: room for largest_message.
  std::size_t next(std::span<std::byte> out, std::int64_t due_ns);
  /// A sequenced message of the venue.
  void heard(std::span<const std::byte> message, std::int64_t now_ns);

  /// Writes the cancel of an order that is still in the book, or returns 0 if there is none that was not cancelled.
  std::size_t next_clean_up(std::span<std::byte> out, std::int64_t now_ns);
  /// After a lost connection: begin_again() forgets the cancels that were under way, next_again() writes the orders that
  /// were not acknowledged, one by one, and returns 0 behind the last; `from` begins with 0 and goes along.
  void begin_again();
  std::size_t next_again(std::span<std::byte> out, std::uint32_t& from);

  std::uint64_t unacknowledged() const { return counts_.orders - counts_.acknowledged; }
  std::uint64_t in_book() const { return in_book_; }
  const LoadCounts& counts() const { return counts_; }
  LoadCounts& counts() { return counts_; }
  /// What was wrong first; empty: nothing.
  const std::string& wrong() const { return wrong_; }

 private:
  enum class State : std::uint8_t { sent, live, done };
  struct Order {
    std::int64_t due_ns = 0;
    std::int64_t cancel_due_ns = 0;  // 0: not cancelled
    std::uint32_t price = 0;
    std::uint32_t quantity = 0;
    std::uint32_t open = 0;
    std::uint16_t symbol = 0;
    State state = State::sent;
    bool buys = false;
    bool takes = false;  // immediate or cancel
    bool filled = false;
  };

  Order& at(std::uint32_t ref) { return orders_[ref - first_ref_]; }
  const Order& at(std::uint32_t ref) const { return orders_[ref - first_ref_]; }
  std::uint32_t next_ref() const { return first_ref_ + static_cast<std::uint32_t>(orders_.size()); }
  Order* find(std::uint32_t ref, const char* what);
  void fail(std::string sentence) {
    if (wrong_.empty()) wrong_ = std::move(sentence);
  }
  std::size_t enter(std::span<std::byte> out, bool takes, std::int64_t due_ns);
  std::size_t write(std::span<std::byte> out, std::uint32_t ref) const;
  std::size_t cancel(std::span<std::byte> out, std::uint32_t ref, std::int64_t due_ns);
  std::uint32_t oldest_live();
  void on(const ouch50::Accepted& message, std::int64_t now_ns);
  void on(const ouch50::Rejected& message, std::int64_t now_ns);
  void on(const ouch50::Executed& message, std::int64_t now_ns);
  void leave(std::uint32_t ref, std::uint32_t decrement, std::int64_t now_ns);
  void end(Order& order);

  LoadOrdersOptions options_;
  LoadTimes& times_;
  Random random_;
  std::uint32_t first_ref_ = 1;
  std::vector<Order> orders_;  // by user reference, from first_ref_ on
  std::deque<std::uint32_t> live_;
  std::uint64_t in_book_ = 0;
  std::uint32_t to_cancel_ = 0;  // of a cancel storm: the order just sent
  LoadCounts counts_;
  std::string wrong_;
};

}  // namespace outcry
