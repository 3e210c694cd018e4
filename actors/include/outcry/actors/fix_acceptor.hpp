// FixAcceptor: FIX ports on a socket: who connects is asked for his first message, and goes to the port whose name it has.
//
//   fix_acceptor   listens; at most so many connections wait for their logon, in all and from one address
//   fix_port       the actor of one FixPort, all day long, connected or not
//
// A connection that sends no whole logon in time, something else, or names that nobody has, is closed without a word. A
// port whose client is connected already keeps that one, or takes the newest: as the desk for logins would have it.
// Thread: each actor its scheduler; a port must be on that of its PreTradeRisk. Live worlds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <outcry/actors/fix_port.hpp>
#include <outcry/actors/kill_desk.hpp>
#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/connection.hpp>
#include <outcry/runtime/listener.hpp>

namespace outcry {

/// A client who has said who he is, and all that he has said.
struct FixArrival {
  FixArrival() = default;
  FixArrival(Socket arrived, std::vector<std::byte> bytes) : socket(std::move(arrived)), unread(std::move(bytes)) {}
  Socket socket;
  std::vector<std::byte> unread;
};

using FixPortAddress = Address<FixArrival>;
using FixPortSelf = Self<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced, AcceptedTerms, Refreshed,
                         Triggered, Repriced, KillChanged, FixArrival>;

struct FixPortSetup {
  FixPortOptions options{};
  const SymbolDirectory* symbols = nullptr;  // outlives it
  PreTradeRisk* risk = nullptr;              // likewise; null: no limits
  KillDeskAddress kill_desk{};               // empty: nobody can stop anybody
  ConnectionOptions connection{};
  bool newest_wins = false;
};

Actor fix_port(FixPortSelf self, FixPortSetup setup);

struct FixAcceptorSetup {
  struct Known {
    fix::Version version{};
    std::string client{};  // as the client calls itself
    std::string venue{};
    FixPortAddress port{};
  };
  Endpoint local{};
  std::vector<Known> ports{};
  std::size_t most_waiting = 256;
  std::size_t most_waiting_of_address = 16;
  std::size_t largest_message = 4'096;
  std::int64_t login_timeout_ns = 10'000'000'000;
};

/// Where it listens, for whoever started it with port 0.
struct FixListening {
  Endpoint local{};
};
/// A connection does not wait any more.
struct FixGreeted {
  Endpoint peer{};
};

using FixAcceptorSelf = Self<FixGreeted>;

/// Throws std::runtime_error if it cannot listen. `listening` hears where; it may be empty.
Actor fix_acceptor(FixAcceptorSelf self, FixAcceptorSetup setup, Address<FixListening> listening);

}  // namespace outcry
