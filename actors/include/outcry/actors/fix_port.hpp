// FixPort: a client's FIX 4.2 or 4.4 session at the venue: its messages become orders, and what becomes of them reports.
//
// Bytes and times come in, bytes go out; commands leave by an OrderRoute, and the symbols' events come back:
//
//     port.connected(out, time);                       // a connection was made; the client has yet to log on
//     if (port.receive(rest, time) == FixPort::Status::close) ...   // send what is in the buffer, then close
//     port.heard(filled, time);                        // an event of a symbol, connected or not
//     port.poll(time);                                 // again at port.deadline()
//     port.disconnected(time);
//
// What outlives a connection is the port's: numbers, the messages that can be asked for again, orders, and every ClOrdID
// that was ever used. What happens while nobody is connected is reported when the client asks for what he missed.
//
//   D new order   1 market, 2 limit, K market to limit; day, until cancelled, immediate or cancel, fill or kill, until a
//                 time (126); 18: 6 does not take, G all or none, Q or o goes with the connection; 110 minimum
//   F cancel, G replace (38 is the total, what was executed included), q mass cancel (530: 1 of a symbol, 7 all; a side)
//   H status of an order. Other types are refused (35=j, 380=3).
//
// A ClOrdID is good for once, for orders, cancels and replacements alike. Used again it is refused as a duplicate
// (103=6, 102=6), or passed over without a word where the message says that it may be a repetition (43=Y, 97=Y): either
// way nothing happens a second time. An order keeps its OrderID through replacements, and CumQty and AvgPx go on.
// New orders and replacements are checked in this order: the kill switch, the throttle, the room for reports, and then
// whatever the route asks (risk). Cancels are refused only where there is nothing to cancel.
// Throttle: beyond `throttle` new orders and replacements are refused; beyond `flood` the session is ended.
//
// Thread: one owner. Nothing allocates on the way of a message; connections that come and go, and kill(), do.
// Limits: ClOrdIDs of at most 32 characters, `client_ids` of them; FixPortOptions::sent messages to be sent again. When
// that is almost full, no new orders are taken; when a report finds no room, the session ends and all is cancelled.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <outcry/actors/key_table.hpp>
#include <outcry/actors/kill_switch.hpp>
#include <outcry/actors/order_entry.hpp>
#include <outcry/net/fix_session.hpp>
#include <outcry/net/token_bucket.hpp>

namespace outcry {

struct KillChanged;

enum class CancelOnDisconnect : std::uint8_t {
  none,
  marked,  // orders with 18=Q or 18=o
  always,
};

struct FixPortOptions {
  FixSessionOptions session{};  // version, sender: the venue's name, target: the client's
  OrderEntryOptions orders{};
  MessageStore::Size sent{.messages = 1 << 16, .bytes = 1 << 24};
  std::uint32_t client_ids = 1 << 16;
  TokenRate throttle{};  // of messages that are no session's; burst 0: none
  TokenRate flood{};     // likewise
  CancelOnDisconnect cancel_on_disconnect = CancelOnDisconnect::none;
  std::int64_t stall_ns = 5'000'000'000;  // a client that reads nothing for so long, though something waits, is cut off
  std::int64_t disconnect_grace_ns = 0;   // so long after the connection was lost, if the client is not back
  KillSwitch kill{};                      // as it is at the start; kill() tells of changes
  std::string firm{};                     // of the account
  std::uint64_t first_execution = 1;      // ExecIDs count from here
};

struct FixPortCounts {
  std::uint64_t logons = 0;
  std::uint64_t messages = 0;  // of clients, but for those of the session
  std::uint64_t answers = 0;   // to clients, likewise
  std::uint64_t rejected = 0;  // orders, replacements and cancels
  std::uint64_t duplicates = 0;
  std::uint64_t throttled = 0;
  std::uint64_t mass_cancels = 0;  // because a client was gone
};

class FixPort {
 public:
  enum class Status : std::uint8_t { open, close };

  /// `symbols` and `route` outlive it.
  FixPort(const FixPortOptions& options, const SymbolDirectory& symbols, OrderRoute& route, const FixTime& time);
  FixPort(const FixPort&) = delete;
  FixPort& operator=(const FixPort&) = delete;

  /// A connection; `out` is its until disconnected(). Whether its client may log on is for others to find out, who have
  /// seen his logon before (fix_caller); one who may not is told so. Requires: !is_connected().
  void connected(ByteBuffer& out, const FixTime& time, bool may_log_on = true);
  bool is_connected() const { return out_ != &nowhere_; }
  bool is_logged_on() const { return session_->stage() == FixSession::Stage::open; }
  /// Takes what is whole off the front. close: nothing more will be read.
  Status receive(std::span<const std::byte>& bytes, const FixTime& time);
  Status poll(const FixTime& time);
  std::int64_t deadline() const;
  void disconnected(const FixTime& time);
  /// Asks the client to leave. Until he is gone no orders are taken any more.
  void log_out(std::string_view text, const FixTime& time);

  /// What a symbol says of the account's orders.
  template <class Event>
  void heard(const Event& event, const FixTime& time) {
    at(time);
    tell(entry_.heard(event));
  }
  /// The kill switch was engaged for somebody, or released. What is open is cancelled, if it is about this account.
  void kill(const KillChanged& change, const FixTime& time);
  bool is_killed() const { return kill_.blocks(entry_.account()); }

  const OrderEntry& orders() const { return entry_; }
  OrderEntry& orders() { return entry_; }
  const FixState& state() const { return state_; }
  /// Why the last connection was ended from here; empty: it was not.
  std::string_view ended_why() const { return ended_why_; }
  const FixPortCounts& counts() const { return counts_; }

 private:
  using Key = std::array<char, 32>;
  /// What has a ClOrdID.
  struct Named {
    OrderHandle order{};  // none: it was a cancel, or the order is gone
    char status = '\0';   // of an order that is gone
  };
  struct Order {
    Key key{};
    Key before{};                   // of a replacement: the ClOrdID that it replaced
    Key cancel{};                   // of the cancel that is under way
    std::uint64_t id = 0;           // OrderID: of the first order of the chain
    std::int64_t traded_value = 0;  // in price units times lots
    bool goes_with_connection = false;
  };

  void at(const FixTime& time);
  Status on_logon(const FixEvent& event);
  bool is_stalled();
  void on_message(const fix::Message& message);
  void enter(const fix::Message& message);
  void cancel(const fix::Message& message);
  void replace(const fix::Message& message);
  void mass_cancel(const fix::Message& message);
  void say_status(const fix::Message& message);

  /// Why no order can be entered now.
  RiskReason blocked();
  bool is_room_for_orders() const;
  bool passes(const std::optional<fix::Problem>& problem, const fix::Message& message);
  /// Null: no order, or none that is alive; then `status` is what became of it.
  Order* find(std::string_view client_id, char& status, OrderHandle& handle);
  /// False: the name was used before, or there is no room for it.
  bool take_name(std::string_view client_id, Named named, bool& is_duplicate);

  void tell(const OrderNews& news);
  void forget(OrderHandle handle, char status);
  void report(OrderHandle handle, char execution, char status, const OrderNews* news, std::string_view text = {});
  void report_status(OrderHandle handle);
  void refuse_order(const fix::NewOrderSingle& order, std::uint64_t reason, std::string_view text);
  void refuse_change(std::string_view client_id, std::string_view original, std::uint64_t order_id, char status,
                     std::uint64_t reason, char response_to, std::string_view text);
  void refuse_replacement(OrderHandle handle, std::string_view text);
  void refuse_cancel(OrderHandle handle, char status);
  char status_of(OrderHandle handle) const;
  template <class Body>
  void send(const Body& body) {
    ++counts_.answers;
    if (!session_->send(body, *out_, time_)) overflow();
  }
  void overflow();
  void cancel_at_disconnect();
  std::string_view execution_id();
  /// Asked to leave: what he still sends comes too late.
  bool is_leaving() const { return session_->stage() == FixSession::Stage::logging_out; }
  bool is_42() const { return options_.session.version == fix::Version::v4_2; }

  FixPortOptions options_;
  const SymbolDirectory& symbols_;
  OrderEntry entry_;
  FixState state_;
  ByteBuffer nowhere_{0};
  ByteBuffer* out_ = &nowhere_;
  std::optional<FixSession> session_;
  FixTime time_;
  KillSwitch kill_;
  TokenBucket throttle_, flood_;

  KeyTable<Key, Named> names_;
  std::vector<Order> places_;  // beside the orders of entry_
  bool may_log_on_ = true;
  std::uint64_t executions_;
  std::int64_t cancel_at_ns_ = INT64_MAX;  // what goes with the connection
  std::int64_t stalled_since_ns_ = INT64_MAX;
  std::uint64_t stalled_at_ = 0;
  bool overflowed_ = false;
  bool flooded_ = false;
  std::string_view ended_why_{};
  FixPortCounts counts_;
  char digits_[24] = {};
  char order_digits_[24] = {};
};

/// Whose session a connection that was just accepted asks for, by its first message.
struct FixCaller {
  enum class State : std::uint8_t { partial, known, stranger };
  State state = State::partial;
  fix::Version version{};
  std::string_view sender{};  // the client's name for itself, in the bytes
  std::string_view target{};
  std::string_view user{};  // as the logon has them (553, 554), or empty
  std::string_view password{};
};
FixCaller fix_caller(std::span<const std::byte> bytes, std::size_t largest_message) noexcept;

}  // namespace outcry
