// GatewayDoor: what gateways of every protocol have in common: a listener, how many may come in, and what is counted.
//
// Thread: the gateway's.
#pragma once

#include <optional>
#include <utility>

#include <outcry/actors/connection_limits.hpp>
#include <outcry/actors/gateway.hpp>
#include <outcry/runtime/listener.hpp>

namespace outcry {

class GatewayDoor {
 public:
  GatewayDoor(Listener listener, std::uint32_t most_connections, std::uint32_t most_of_address)
      : listener_(std::move(listener)), limits_(most_connections, most_of_address) {
    report_.local = listener_.local();
  }

  /// Somebody who has connected, and may; nothing: nobody else just now.
  std::optional<Socket> next() {
    while (listener_) {
      std::optional<Socket> socket = listener_.next();
      if (!socket) break;
      if (!limits_.enter(socket->peer())) continue;  // closed with its socket
      ++report_.accepted;
      return socket;
    }
    return std::nullopt;
  }

  void take(const Greeted& greeted) {
    switch (greeted.outcome) {
      case Greeted::Outcome::admitted: ++report_.admitted; return;  // its port says when it is gone
      case Greeted::Outcome::refused: ++report_.rejected; return;   // likewise
      case Greeted::Outcome::rejected: ++report_.rejected; break;
      case Greeted::Outcome::timed_out: ++report_.timed_out; break;
      case Greeted::Outcome::broken: ++report_.broken; break;
      case Greeted::Outcome::lost: break;
    }
    limits_.leave(greeted.peer);
  }
  void take(const ClientGone& gone) { limits_.leave(gone.peer); }
  void take(const CloseGateway&) { listener_.close(); }
  void take(const Ask<GatewayQuery>& ask) {
    report_.connections = limits_.all();
    report_.refused = limits_.refused();
    ask.reply(report_);
  }

 private:
  Listener listener_;
  ConnectionLimits limits_;
  GatewayReport report_{};
};

}  // namespace outcry
