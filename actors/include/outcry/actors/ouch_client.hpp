// OuchClient: a participant's orders on a venue that speaks OUCH 5.0, in the words of a symbol.
//
// Commands go in and come out as OUCH messages, one after the other; OUCH messages of the venue go in and come out as
// the events that a symbol would have sent. Whoever owns the connection moves the bytes:
//
//     client.take(NewOrder{...});        // sender.send(bytes of an EnterOrder)
//     client.hear(message);              // events.on(Accepted{...}), events.on(Filled{...}), ...
//
// OUCH numbers what a client asks for (UserRefNum): a ModifyOrder under the same id is a replacement there, or a cancel
// to a smaller size where price and place stay. Sizes in OUCH count what was executed; commands count what is open.
// The order's id travels as ClOrdID, so that a client that starts anew finds its orders in the replay of the day.
// After a lost connection: ask_for_number(). What never got there is refused (disconnected), cancels are asked for again.
// What OUCH has no word for (stops, orders for an auction, mass cancels by side) is refused as unsupported.
//
// Thread: one owner. Units: OUCH's prices are 1/10,000; one that is no whole number of them is off_tick.
// Limits: quantities below 1,000,000, prices to 199,999.99; an unordered map and arrays grow with the orders of the day.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <outcry/actors/participant_events.hpp>
#include <outcry/messages/instrument.hpp>
#include <outcry/net/ouch50.hpp>

namespace outcry {

/// Where the client's messages go.
class OuchSender {
 public:
  virtual ~OuchSender() = default;
  /// A message to the venue. False: there is no connection, or no room.
  virtual bool send(std::span<const std::byte> message) = 0;
};

struct OuchClientOptions {
  AccountId account{};
  ouch::Capacity capacity = ouch::Capacity::principal;
};

class OuchClient {
 public:
  /// Instruments by SymbolId, from 0. `sender` and `events` outlive it.
  OuchClient(const OuchClientOptions& options, std::vector<Instrument> instruments, OuchSender& sender,
             ParticipantEvents& events);
  OuchClient(const OuchClient&) = delete;
  OuchClient& operator=(const OuchClient&) = delete;

  void take(const NewOrder& command);
  void take(const SpecialOrder& command);
  void take(const CancelOrder& command);
  void take(const ReduceOrder& command);
  void take(const ModifyOrder& command);
  void take(const ReplaceOrder& command);
  /// Each of the orders in question is cancelled by itself.
  void take(const MassCancel& command);

  /// A sequenced message of the venue. False: it is no OUCH message.
  bool hear(std::span<const std::byte> message);

  /// Asks where to go on after a new connection, once everything was heard that the venue has said before. False: no room.
  /// Until the answer has been heard nothing but cancels may be asked for; they are kept.
  bool ask_for_number();
  bool waits_for_number() const { return waits_for_number_; }

  std::size_t open_orders() const { return open_; }
  /// Messages about orders that are not known here.
  std::uint64_t strange() const { return strange_; }

 private:
  struct Order {
    OrderId id{};
    OrderId new_id{};  // of a replacement under way that was asked for as such
    SymbolId symbol{};
    Side side{};
    OrderType type{};
    TimeInForce time_in_force{};
    Terms terms{};
    SpecialType special{};
    bool accepted = false;
    bool done = false;
    bool cancelling = false;
    bool is_reduced = false;      // the next cancel that shrinks it answers a ReduceOrder
    bool is_shrunk = false;       // ... a ModifyOrder
    std::uint32_t user_ref = 0;   // the one that stands
    std::uint32_t replacing = 0;  // the one under way; 0: none
    Price price{};
    Quantity filled{};
    Quantity open{};
    Quantity part{};
    std::int64_t arrival_ns{};  // of the last command, until it was answered
  };

  static std::uint64_t price_to_wire(const Instrument& instrument, Price price);
  static Price price_from_wire(const Instrument& instrument, std::uint64_t price);
  Reason refusal_of(SymbolId symbol, Price price, Quantity quantity, bool has_price) const;
  template <class Command>
  void refuse(const Command& command, CommandKind kind, Reason reason, OrderId new_id = {});
  void enter(Order order, Quantity quantity, Price price, const ouch50::OptionList& options,
             ouch50::TimeInForce time_in_force, ouch50::Display display, bool at_market);
  template <class Command>
  void replace(Order& order, const Command& command, CommandKind kind, OrderId new_id);
  bool send_cancel(const Order& order, std::uint32_t total);
  Order* find(OrderId id);
  Order* by_user_ref(std::uint32_t user_ref);
  Order& remember(Order order, std::uint32_t user_ref);
  void shrink(Order& order, std::uint32_t decrement, Reason reason);
  void finish(Order& order);

  void heard(const ouch50::Accepted& message);
  void heard(const ouch50::Replaced& message);
  void heard(const ouch50::Canceled& message);
  void heard(const ouch50::AiqCanceled& message);
  void heard(const ouch50::Executed& message);
  void heard(const ouch50::Rejected& message);
  void heard(const ouch50::PriorityUpdate& message);
  void heard(const ouch50::Restated& message, const ouch50::Appendage& options);
  void heard(const ouch50::AccountAnswer& message);
  void resumed(std::uint32_t next);
  template <class Message>
  void heard(const Message&) {}

  OuchClientOptions options_;
  std::vector<Instrument> instruments_;
  OuchSender& sender_;
  ParticipantEvents& events_;
  std::vector<Order> orders_;
  std::unordered_map<OrderId, std::uint32_t> by_id_;  // places in orders_
  std::unordered_map<std::uint32_t, std::uint32_t> by_user_ref_;
  std::unordered_map<std::string_view, SymbolId> by_name_;
  std::uint32_t last_user_ref_ = 0;
  std::size_t open_ = 0;
  std::uint64_t strange_ = 0;
  bool waits_for_number_ = false;
};

}  // namespace outcry
