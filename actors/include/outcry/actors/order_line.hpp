// OrderLine: the actor that brings one participant's orders to a venue elsewhere, and the venue's answers back.
//
// It takes what a symbol takes of orders, for all symbols, and keeps the connection: it logs in, is silent no longer than
// the venue allows, and when the connection is lost it makes another one, hears what was missed and goes on.
// Meanwhile new orders and changes are refused (Reason::disconnected); cancels are kept and asked for as soon as the
// venue can be reached.
// CloseLine: nothing new is taken any more (market_closed), everything open is cancelled; the answer comes when the venue
// has confirmed that, or at `deadline`.
// Thread: its scheduler's. Errors: what ends a connection is logged; a venue that does not want us at all, or has ended
// its day, is not asked again, and `status` hears why.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <outcry/actors/order_wire.hpp>
#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/endpoint.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry {

/// How a line stands, whenever that changes.
struct LineStatus {
  enum class State : std::uint8_t { up, down, over };
  State state = State::down;
  std::uint32_t times_lost = 0;
  char why[88] = {};  // of what is not up, cut off

  /// Only the latest counts.
  std::uint64_t conflation_key() const { return 0; }
};

struct CloseLine {
  struct Closed {
    std::uint32_t open_orders = 0;  // that the venue has not confirmed to be gone
  };
  using Reply = Closed;
  Time deadline{};
};

using OrderLineSelf = Self<NewOrder, SpecialOrder, CancelOrder, ReduceOrder, ModifyOrder, ReplaceOrder, MassCancel,
                           EnterSymbol, Ask<CloseLine>>;
using OrderLineAddress = OrderLineSelf::AddressType;

struct OrderLineOptions {
  Endpoint venue{};
  /// Makes the protocol's half: ouch_wire, fix_wire.
  std::unique_ptr<OrderWire> (*wire)(OrderWireOptions options, ParticipantEvents& events) = nullptr;
  OrderWireOptions login{};
  Address<LineStatus> status{};
  Duration patience = std::chrono::seconds(5);  // to connect and to be let in
  Duration first_pause = std::chrono::milliseconds(100);
  Duration longest_pause = std::chrono::seconds(5);
};

Actor order_line(OrderLineSelf self, OrderLineOptions options);

}  // namespace outcry
