#include <outcry/actors/fix_acceptor.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>

#include <outcry/actors/checked_route.hpp>

#include "gateway_door.hpp"

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
    const std::uint64_t session = arrival.login.session;
    const bool is_overtaken = session != 0 && session < newest_session_;  // another one began on its way here
    const bool takes_place = arrival.may_log_on && (session != 0 || setup_.newest_wins);
    if (closing_ || is_overtaken || (connection_ && !takes_place)) return let_go(arrival);  // its socket closes with it
    if (connection_) send_away();
    Result<Connection> adopted = Connection::adopt(self_, std::move(arrival.socket), setup_.connection);
    if (!adopted) return let_go(arrival);
    connection_.emplace(std::move(*adopted));
    early_ = std::move(arrival.unread);
    client_ = std::move(arrival);
    port_.connected(connection_->out(), time_, client_.may_log_on);
  }
  void take(const SessionTaken& taken) {
    newest_session_ = taken.session;
    if (connection_ && client_.login.session < taken.session) send_away();
  }
  void take(const EndSession&) {
    closing_ = true;
    if (port_.is_logged_on())
      port_.log_out("the venue closes", time_);
    else
      close();
  }
  void take(const Ask<PortQuery>& ask) {
    const FixPortCounts& counts = port_.counts();
    ask.reply({.attached = connection_.has_value(),
               .open_orders = port_.orders().open_orders(),
               .next_sequence = counts.answers + 1,
               .ignored = counts.duplicates,
               .rejected = counts.rejected,
               .counts = {.messages = counts.messages, .logins = counts.logons, .mass_cancels = counts.mass_cancels}});
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
  void send_away() {
    port_.log_out("the account has logged in elsewhere", time_);
    close();
  }
  void close() {
    if (!connection_) return;
    connection_->close_when_sent();
    port_.disconnected(time_);
    connection_.reset();
    early_.clear();
    let_go(client_);
  }
  static void let_go(const FixArrival& client) {
    if (client.logins && client.login.session != 0) client.logins.send(client.login);
    if (client.gateway) client.gateway.send(ClientGone{client.peer});
  }

  FixPortSelf self_;
  FixPortSetup setup_;
  CheckedRoute route_;
  FixPort port_;
  FixTime time_;
  std::optional<Connection> connection_;
  std::vector<std::byte> early_;
  FixArrival client_;                 // of the connection, without its socket
  std::uint64_t newest_session_ = 0;  // of the account, at whatever door
  bool closing_ = false;
};

using Outcome = Greeted::Outcome;

constexpr Duration patience = std::chrono::seconds(10);  // with the desk

struct Greeting {
  FixAcceptorSetup setup{};
  Address<ClientGone, Greeted> gateway{};
};

const FixAcceptorSetup::Known* find_port(const FixAcceptorSetup& setup, const FixCaller& caller) {
  for (const FixAcceptorSetup::Known& known : setup.ports)
    if (known.version == caller.version && known.client == caller.sender && known.venue == caller.target) return &known;
  return nullptr;
}

/// Asks the desk for logins about a client. What it says is in `arrival`.
Task<> admit(const FixAcceptorSetup& setup, const FixAcceptorSetup::Known& known, LoginQuestion question,
             FixArrival& arrival) {
  auto asking = setup.logins.ask(question, patience);
  const auto answer = co_await asking;
  arrival.logins = setup.logins;
  arrival.may_log_on = false;
  if (!answer || answer->answer.session == 0) co_return;
  const LoggedOut login{answer->answer.account, answer->answer.session};
  // Another account's password opens another account's port only.
  if (login.account != known.login) {
    setup.logins.send(login);
    co_return;
  }
  arrival.may_log_on = true;
  arrival.login = login;
}

/// Waits for a connection's first message, and brings it to its port.
Actor greeter(Self<> self, Socket socket, std::shared_ptr<const Greeting> greeting) {
  const FixAcceptorSetup& setup = greeting->setup;
  const Endpoint peer = socket.peer();
  const Time deadline = self.now() + Duration(setup.login_timeout_ns);
  const auto ended = [&](Outcome outcome) { greeting->gateway.send(Greeted{peer, outcome}); };
  Result<Connection> adopted = Connection::adopt(self, std::move(socket), {.out_bytes = 1'024});
  if (!adopted) {
    ended(Outcome::lost);
    co_return;
  }
  Connection connection = std::move(*adopted);
  const FixAcceptorSetup::Known* known = nullptr;
  LoginQuestion question;
  for (;;) {
    const FixCaller caller = fix_caller(connection.in(), setup.largest_message);
    if (caller.state == FixCaller::State::known) {
      known = find_port(setup, caller);
      if (known == nullptr) break;
      question = setup.passwords ? LoginQuestion::of(caller.user.empty() ? caller.sender : caller.user, caller.password)
                                 : LoginQuestion::known_as(known->login);
      break;
    }
    const bool is_late = self.now() >= deadline;
    if (caller.state == FixCaller::State::stranger || connection.ended() || is_late || self.stopping()) {
      ended(caller.state == FixCaller::State::stranger ? Outcome::broken
            : is_late                                  ? Outcome::timed_out
                                                       : Outcome::lost);
      co_return;
    }
    co_await self.attend(deadline);
  }
  if (known == nullptr) {
    ended(Outcome::rejected);
    co_return;
  }
  FixArrival arrival;
  arrival.peer = peer;
  arrival.gateway = greeting->gateway;
  if (setup.logins) {
    auto asking = admit(setup, *known, question, arrival);
    co_await asking;
  }
  auto releasing = connection.release(arrival.unread);
  Result<Socket> released = co_await releasing;
  if (!released) {
    if (arrival.login.session != 0) arrival.logins.send(arrival.login);
    ended(Outcome::lost);
    co_return;
  }
  arrival.socket = std::move(*released);
  // One who may not come in is told so by his port, which counts as his leaving.
  greeting->gateway.send(Greeted{peer, arrival.may_log_on ? Outcome::admitted : Outcome::refused});
  const LoggedOut login = arrival.login;
  if (!known->port.send(std::move(arrival)).accepted()) {
    if (login.session != 0) setup.logins.send(login);
    greeting->gateway.send(ClientGone{peer});
  }
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

Actor fix_acceptor(FixAcceptorSelf self, FixAcceptorSetup setup, Address<FixListening> listening) {
  Result<Listener> opened = Listener::open(self, setup.local);
  if (!opened) throw std::runtime_error("cannot listen at " + setup.local.text() + ": " + opened.failure().text());
  if (listening) listening.send(FixListening{opened->local()});
  GatewayDoor door(std::move(*opened), setup.most_connections, setup.most_of_address);
  // Greeters may outlive this actor.
  const auto greeting =
      std::make_shared<const Greeting>(Greeting{.setup = std::move(setup), .gateway = self.address()});
  while (!self.stopping()) {
    self.take().each([&](const auto& message) { door.take(message); });
    while (std::optional<Socket> socket = door.next())
      self.spawn(SpawnOptions{.name = "fix greeter"}, greeter, std::move(*socket), greeting);
    co_await self.attend();
  }
}

}  // namespace outcry
