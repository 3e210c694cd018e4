// ouch_port: the actor of an OuchPort: it has the client's connection while there is one, and hears the symbols all day.
//
// Between the socket and a symbol's mailbox there is no other: bytes are read, orders checked and sent in one turn of
// this actor, and so back. A second client of the account takes the place of the first: who may is the desk's to say.
// Ending a session it tells the client why, in a debug packet. It says who came and went to the runtime's log.
// Thread: its scheduler, which must be that of its PreTradeRisk. Live worlds.
// Limits: its mailbox holds what the symbols say in the meantime. Events that it refuses are lost: then nothing that the
//   port would say is right any more, and it cancels everything and closes.
#pragma once

#include <cstdint>
#include <string>

#include <outcry/actors/gateway.hpp>
#include <outcry/actors/kill_desk.hpp>
#include <outcry/actors/ouch_port.hpp>
#include <outcry/actors/port_times.hpp>
#include <outcry/actors/pre_trade_risk.hpp>
#include <outcry/actors/stamp.hpp>
#include <outcry/runtime/connection.hpp>

namespace outcry {

/// Of a port of whatever protocol.
struct PortReport {
  bool attached = false;
  PortEnd last_end{};  // of the last session
  std::uint32_t open_orders = 0;
  std::uint64_t next_sequence = 0;
  std::uint64_t ignored = 0;
  std::uint64_t rejected = 0;
  OuchPortCounts counts{};
};
struct PortQuery {
  using Reply = PortReport;
  std::uint32_t unused{};
};
/// The day is over; send it when the symbols have ended theirs. Clients are told everything, then that it was all.
struct EndSession {
  std::uint32_t unused{};
};
/// A new one, from message 1. Whoever is there is sent away first. Orders must have ended.
struct StartSession {
  char name[12] = {};  // ends with NUL
};

using OuchPortAddress = Address<ClientArrival, SessionTaken, EndSession, StartSession, Ask<PortQuery>>;
using OuchPortSelf =
    Self<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced, AcceptedTerms, Refreshed, Triggered,
         Repriced, TradeBroken, ClientArrival, SessionTaken, KillChanged, EndSession, StartSession, Ask<PortQuery>>;

struct OuchPortSetup {
  OuchPortOptions options{};
  const SymbolDirectory* symbols = nullptr;  // outlives it
  PreTradeRisk* risk = nullptr;              // likewise; null: no limits
  KillDeskAddress kill_desk{};               // empty: nobody can stop anybody
  KillSwitch kill{};                         // as it is at the start
  std::string firm{};                        // of the account, for the kill switch
  ConnectionOptions connection{};
  StampClock stamps = StampClock::machine;
  PortTimes* times = nullptr;  // null: nothing is measured
};

Actor ouch50_port(OuchPortSelf self, OuchPortSetup setup);
Actor ouch42_port(OuchPortSelf self, OuchPortSetup setup);

/// Room for what thousands of orders say at once.
inline MailboxOptions port_mailbox() { return {.capacity = 1u << 16, .when_full = WhenFull::refuse}; }

}  // namespace outcry
