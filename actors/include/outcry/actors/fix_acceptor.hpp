// FixAcceptor: FIX ports on a socket: who connects is asked for his first message, and goes to the port whose name it has.
//
//   fix_acceptor   listens; lets so many connections in, in all and from one address, those at their ports counted
//   fix_port       the actor of one FixPort, all day long, connected or not
//
// A connection that sends no whole logon in time, something else, or names that nobody has, is closed without a word. With
// a desk for logins (gateway.hpp) it is asked whether the client may come in, by his password or by his names alone; it
// decides, too, what a second session of the account means. Without a desk names are enough, and a port whose client is
// connected already keeps that one, or takes the newest.
// EndSession asks a port's client to leave (Logout) and lets nobody in any more; the client has left when he has answered.
// Thread: each actor its scheduler, which of a port must be that of its PreTradeRisk. Live worlds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <outcry/actors/fix_port.hpp>
#include <outcry/actors/gateway.hpp>
#include <outcry/actors/kill_desk.hpp>
#include <outcry/actors/ouch_port_actor.hpp>
#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/connection.hpp>

namespace outcry {

/// A client who has said who he is, and all that he has said.
struct FixArrival {
  FixArrival() = default;
  Socket socket;
  Endpoint peer{};
  std::vector<std::byte> unread;
  bool may_log_on = true;
  LoggedOut login{};  // of a desk; session 0: there is none, or he was not admitted
  LoginAddress logins{};
  ClientGoneAddress gateway{};
};

using FixPortAddress = Address<FixArrival, SessionTaken, EndSession, Ask<PortQuery>>;
using FixPortSelf = Self<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced, AcceptedTerms, Refreshed,
                         Triggered, Repriced, KillChanged, FixArrival, SessionTaken, EndSession, Ask<PortQuery>>;

struct FixPortSetup {
  FixPortOptions options{};
  const SymbolDirectory* symbols = nullptr;  // outlives it
  PreTradeRisk* risk = nullptr;              // likewise; null: no limits
  KillDeskAddress kill_desk{};               // empty: nobody can stop anybody
  ConnectionOptions connection{};
  bool newest_wins = false;  // where there is no desk for logins
};

Actor fix_port(FixPortSelf self, FixPortSetup setup);

struct FixAcceptorSetup {
  struct Known {
    fix::Version version{};
    std::string client{};  // as the client calls itself
    std::string venue{};
    FixPortAddress port{};
    std::size_t login = 0;  // the account's number at the desk
  };
  Endpoint local{};
  std::vector<Known> ports{};
  LoginAddress logins{};   // empty: there is no desk
  bool passwords = false;  // a logon needs user and password, at the desk
  std::uint32_t most_connections = 256;
  std::uint32_t most_of_address = 16;
  std::size_t largest_message = 4'096;
  std::int64_t login_timeout_ns = 10'000'000'000;
};

/// Where it listens, for whoever started it with port 0.
struct FixListening {
  Endpoint local{};
};

using FixAcceptorSelf = Self<Greeted, ClientGone, CloseGateway, Ask<GatewayQuery>>;

/// Throws std::runtime_error if it cannot listen. `listening` hears where; it may be empty.
Actor fix_acceptor(FixAcceptorSelf self, FixAcceptorSetup setup, Address<FixListening> listening);

}  // namespace outcry
