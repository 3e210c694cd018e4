// Gateway: where clients of order entry by SoupBinTCP come in.
//
//   gateway      listens; lets so many connections in, in all and from one address
//   greeter      one for each connection: reads the login, within a time, and asks the desk
//   login_actor  the desk for logins: one for all gateways of an exchange, of whatever protocol, so that an account has one
//                live session at a time in all of it; the port of one that another took the place of is told
//
// Who is admitted is handed over to his account's port (ouch_port_actor.hpp) with everything that he has sent, on
// whatever scheduler that is. What is refused is told the same whatever the reason. A greeter keeps no more than a login
// and what came with it; who sends something else, a length beyond all logins, or nothing in time, is closed.
// Thread: gateway and greeters share a scheduler. Live worlds.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <outcry/net/login_desk.hpp>
#include <outcry/net/soup_server.hpp>
#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/endpoint.hpp>
#include <outcry/runtime/listener.hpp>
#include <outcry/runtime/socket.hpp>

namespace outcry {

// ---- logins

struct LoginAnswer {
  LoginDesk::Answer answer{};
};
struct LoginQuestion {
  using Reply = LoginAnswer;
  std::array<char, 32> user{};  // padded with NUL
  std::array<char, 32> password{};
  std::uint32_t known =
      0;  // whoever asks knows who it is: the account's number at the desk, and one. 0: by the password

  static LoginQuestion known_as(std::size_t account) { return {.known = static_cast<std::uint32_t>(account) + 1}; }
  static LoginQuestion of(std::string_view user, std::string_view password);
};
/// An account's session is over.
struct LoggedOut {
  std::uint64_t account = 0;
  std::uint64_t session = 0;
};
/// To the ports of an account: it has begun this session, and those with lower numbers are over.
struct SessionTaken {
  std::uint64_t session = 0;
};
/// A port that is to hear of an account's newer sessions.
struct WatchSessions {
  std::uint64_t account = 0;
  Address<SessionTaken> port{};
};
using LoginAddress = Address<Ask<LoginQuestion>, LoggedOut, WatchSessions>;
using LoginSelf = Self<Ask<LoginQuestion>, LoggedOut, WatchSessions>;

Actor login_actor(LoginSelf self, LoginDesk desk);

// ---- a client on his way to his port

/// A connection that a gateway had counted is closed.
struct ClientGone {
  Endpoint peer{};
};
using ClientGoneAddress = Address<ClientGone>;

/// A client who was admitted, and waits for the answer to his login. The port that takes it says when it is over: to
/// the desk, and to the gateway.
struct ClientArrival {
  ClientArrival() = default;
  ClientArrival(Socket arrived, std::vector<std::byte> bytes, const SoupServer& server)
      : socket(std::move(arrived)), unread(std::move(bytes)), soup(server) {}

  Socket socket;
  std::vector<std::byte> unread;
  SoupServer soup{SoupServerOptions{}, 0};
  LoggedOut login{};
  LoginAddress logins{};
  ClientGoneAddress gateway{};
};
using ClientAddress = Address<ClientArrival>;

// ---- the gateway

struct GatewayReport {
  Endpoint local{};
  std::uint32_t connections = 0;  // with those that are at their ports
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;  // too many
  std::uint64_t admitted = 0;
  std::uint64_t rejected = 0;  // logins
  std::uint64_t timed_out = 0;
  std::uint64_t broken = 0;
};
struct GatewayQuery {
  using Reply = GatewayReport;
  std::uint32_t unused{};
};
/// Nobody new comes in.
struct CloseGateway {
  std::uint32_t unused{};
};
/// How a greeting ended; a gateway's own business.
struct Greeted {
  enum class Outcome : std::uint8_t {
    admitted,
    refused,  // as admitted, but its port sends it away
    rejected,
    timed_out,
    broken,
    lost,
  };
  Endpoint peer{};
  Outcome outcome{};
};

using GatewayAddress = Address<Ask<GatewayQuery>, ClientGone, CloseGateway>;
using GatewaySelf = Self<Ask<GatewayQuery>, ClientGone, CloseGateway, Greeted>;

struct GatewaySetup {
  Endpoint listen{};
  ListenOptions listening{};
  SoupServerOptions soup{};  // login_timeout_ns: how long a greeter waits
  std::uint32_t most_connections = 1024;
  std::uint32_t most_of_address = 64;
  LoginAddress logins{};
  std::vector<ClientAddress> ports{};  // by the account's number at the desk; empty: not by this gateway
};

/// Fails with a sentence if it cannot listen.
Actor gateway(GatewaySelf self, GatewaySetup setup);

}  // namespace outcry
