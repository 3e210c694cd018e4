#include <outcry/actors/fix_acceptor.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>

#include <outcry/actors/checked_route.hpp>

namespace outcry {

namespace {

FixTime fix_time(Time now) {
  using namespace std::chrono;
  return {to_ns(now), duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count()};
}

Time time_of_deadline(std::int64_t deadline_ns) { return deadline_ns == INT64_MAX ? never : time_from_ns(deadline_ns); }

/// A port with its connection.
class Ported {
 public:
  Ported(FixPortSelf self, FixPortSetup setup)
      : self_(self),
        setup_(std::move(setup)),
        route_(*setup_.symbols, setup_.risk),
        port_(setup_.options, *setup_.symbols, route_, fix_time(self.now())) {
    for (const SymbolDirectory::Listed& listed : setup_.symbols->all())
      if (listed.address)
        listed.address.send(EnterSymbol{setup_.options.orders.account, self.address(), self.address()});
    if (setup_.kill_desk) setup_.kill_desk.send(SubscribeKills{self.address()});
  }

  /// Everything that is there, in one go.
  void turn() {
    time_ = fix_time(self_.now());
    self_.take().each([this](auto&& message) { take(std::forward<decltype(message)>(message)); });
    if (connection_) read();
    if (port_.poll(time_) == FixPort::Status::close) close();
  }
  Time deadline() const { return time_of_deadline(port_.deadline()); }

  void say_goodbye() {
    time_ = fix_time(self_.now());
    port_.log_out("the venue closes", time_);
    close();
  }

 private:
  void take(FixArrival arrival) {
    if (connection_) {
      if (!setup_.newest_wins) return;  // its socket is closed with it
      close();
    }
    Result<Connection> adopted = Connection::adopt(self_, std::move(arrival.socket), setup_.connection);
    if (!adopted) return;
    connection_.emplace(std::move(*adopted));
    early_ = std::move(arrival.unread);
    port_.connected(connection_->out(), time_);
  }
  void take(const KillChanged& change) { port_.kill(change, time_); }
  template <class Event>
  void take(const Event& event) {
    route_.heard(event);
    port_.heard(event, time_);
  }

  void read() {
    // What came before the connection was handed over stands in front of what comes now.
    if (!early_.empty()) {
      const std::span<const std::byte> in = connection_->in();
      early_.insert(early_.end(), in.begin(), in.end());
      connection_->take(in.size());
      std::span<const std::byte> rest = early_;
      const FixPort::Status status = port_.receive(rest, time_);
      early_.erase(early_.begin(), early_.end() - static_cast<std::ptrdiff_t>(rest.size()));
      if (status == FixPort::Status::close) return close();
    } else {
      std::span<const std::byte> rest = connection_->in();
      const std::size_t size = rest.size();
      const FixPort::Status status = port_.receive(rest, time_);
      connection_->take(size - rest.size());
      if (status == FixPort::Status::close) return close();
    }
    if (connection_->ended()) close();
  }
  void close() {
    if (!connection_) return;
    connection_->close_when_sent();
    port_.disconnected(time_);
    connection_.reset();
    early_.clear();
  }

  FixPortSelf self_;
  FixPortSetup setup_;
  CheckedRoute route_;
  FixPort port_;
  FixTime time_;
  std::optional<Connection> connection_;
  std::vector<std::byte> early_;
};

using GreeterSelf = Self<>;

bool has_names(const FixAcceptorSetup::Known& known, const FixCaller& caller) {
  return known.version == caller.version && known.client == caller.sender && known.venue == caller.target;
}

/// Waits for a connection's first message, and brings it to its port.
Actor greeter(GreeterSelf self, Socket socket, std::shared_ptr<const FixAcceptorSetup> setup,
              Address<FixGreeted> home) {
  const Endpoint peer = socket.peer();
  const Time deadline = self.now() + Duration(setup->login_timeout_ns);
  Result<Connection> adopted = Connection::adopt(self, std::move(socket), {.out_bytes = 1'024});
  FixPortAddress port;
  while (adopted && !self.stopping()) {
    const FixCaller caller = fix_caller(adopted->in(), setup->largest_message);
    if (caller.state == FixCaller::State::known)
      for (const FixAcceptorSetup::Known& known : setup->ports)
        if (has_names(known, caller)) port = known.port;
    if (caller.state != FixCaller::State::partial || adopted->ended() || self.now() >= deadline) break;
    co_await self.attend(deadline);
  }
  if (port) {
    std::vector<std::byte> unread;
    auto releasing = adopted->release(unread);
    Result<Socket> released = co_await releasing;
    if (released) port.send(FixArrival(std::move(*released), std::move(unread)));
  }
  home.send(FixGreeted{peer});
}

}  // namespace

Actor fix_port(FixPortSelf self, FixPortSetup setup) {
  const auto port = std::make_unique<Ported>(self, std::move(setup));
  while (!self.stopping()) {
    port->turn();
    co_await self.attend(port->deadline());
  }
  port->turn();
  port->say_goodbye();
}

Actor fix_acceptor(FixAcceptorSelf self, FixAcceptorSetup given, Address<FixListening> listening) {
  const auto setup = std::make_shared<const FixAcceptorSetup>(std::move(given));  // greeters may outlive this actor
  Result<Listener> opened = Listener::open(self, setup->local);
  if (!opened) throw std::runtime_error("FIX ports at " + setup->local.text() + ": " + opened.failure().text());
  if (listening) listening.send(FixListening{opened->local()});
  std::vector<Endpoint> waiting;  // whose logon has not come
  while (!self.stopping()) {
    self.take().each([&](const FixGreeted& greeted) {
      const auto found = std::find(waiting.begin(), waiting.end(), greeted.peer);
      if (found != waiting.end()) waiting.erase(found);
    });
    while (std::optional<Socket> socket = opened->next()) {
      const Endpoint peer = socket->peer();
      const auto same = std::count_if(waiting.begin(), waiting.end(),
                                      [&](const Endpoint& other) { return other.address() == peer.address(); });
      if (waiting.size() >= setup->most_waiting || static_cast<std::size_t>(same) >= setup->most_waiting_of_address)
        continue;  // closed at once
      waiting.push_back(peer);
      self.spawn(SpawnOptions{.name = "fix greeter"}, greeter, std::move(*socket), setup,
                 Address<FixGreeted>(self.address()));
    }
    co_await self.attend();
  }
}

}  // namespace outcry
