#include <outcry/actors/ouch_port_actor.hpp>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <outcry/actors/checked_route.hpp>
#include <outcry/runtime/runtime.hpp>

namespace outcry {

namespace {

/// The kill switch stands in front of every other check.
class PortRoute final : public OrderRoute {
 public:
  PortRoute(const OuchPortSetup& setup)
      : checked_(*setup.symbols, setup.risk), kill_(setup.kill), account_(setup.options.desk.account) {
    kill_.add_account(account_, setup.firm);
  }

  Sent send(const NewOrder& command, const RiskCall& call) noexcept override { return ask(command, call); }
  Sent send(const SpecialOrder& command, const RiskCall& call) noexcept override { return ask(command, call); }
  Sent send(const ReplaceOrder& command, const RiskCall& call) noexcept override { return ask(command, call); }
  Sent send(const ReplaceTerms& command, const RiskCall& call) noexcept override { return ask(command, call); }
  bool send(const ReduceOrder& command) noexcept override { return checked_.send(command); }
  bool send(const CancelOrder& command) noexcept override { return checked_.send(command); }
  bool send(const MassCancel& command) noexcept override { return checked_.send(command); }

  template <class Event>
  void heard(const Event& event) noexcept {
    checked_.heard(event);
  }
  /// Whether the account has to leave the market.
  bool changed(const KillChanged& change) {
    if (change.engaged == 0) {
      kill_.release(change.scope);
      return false;
    }
    kill_.engage(change.scope, 0, {});
    return kill_.covers(change.scope, account_);
  }

 private:
  template <class Command>
  Sent ask(const Command& command, const RiskCall& call) noexcept {
    if (kill_.blocks(account_)) [[unlikely]]
      return {.sent = false, .refused = RiskReason::killed};
    return checked_.send(command, call);
  }

  CheckedRoute checked_;
  KillSwitch kill_;
  AccountId account_;
};

/// A port with its connection.
template <class Desk>
class Ported {
 public:
  Ported(OuchPortSelf self, OuchPortSetup setup)
      : self_(self), setup_(std::move(setup)), route_(setup_), port_(setup_.options, *setup_.symbols, route_) {
    for (const SymbolDirectory::Listed& listed : setup_.symbols->all())
      if (listed.address)
        listed.address.send(EnterSymbol{setup_.options.desk.account, self.address(), self.address(), self.address()});
    if (setup_.kill_desk) setup_.kill_desk.send(SubscribeKills{self.address()});
  }

  /// Everything that is there, in one go.
  void turn() {
    begin();
    std::uint64_t events = 0;
    self_.take().each([&]<class M>(M&& message) {
      if constexpr (requires { message.arrival_ns; }) ++events;
      take(std::forward<M>(message));
    });
    if (self_.mailbox().refused != lost_events_) lose_events();
    if (setup_.times != nullptr && events != 0)
      setup_.times->record(PortStage::encode, stamp_now(setup_.stamps, self_.scheduler()) - begun_ns_, events);
    if (connection_) read();
    if (connection_)
      port_.send(connection_.out());
    else
      port_.poll();
    if (setup_.times != nullptr && answered_ns_ != 0) {
      setup_.times->record(PortStage::answer, begun_ns_ - answered_ns_);
      answered_ns_ = 0;
    }
    if (connection_ && port_.ended() != PortEnd::none) close();
  }
  Time deadline() const { return time_from_ns(port_.deadline()); }

  /// The exchange closes; whoever wants his client to be told of it sends EndSession before.
  void say_goodbye() {
    begin();
    if (setup_.options.cancel_on_disconnect)
      port_.desk().entry().mass_cancel(std::nullopt, std::nullopt, CancelCause::disconnect);
    if (!connection_) return;
    port_.send(connection_.out());
    close();
  }

 private:
  void begin() {
    now_ns_ = to_ns(self_.now());
    begun_ns_ = stamp_now(setup_.stamps, self_.scheduler());
    port_.begin(now_ns_, begun_ns_);
  }

  void take(ClientArrival arrival) {
    if (arrival.login.session != 0 && arrival.login.session < newest_session_) {  // another one began on its way here
      if (arrival.logins) arrival.logins.send(arrival.login);
      if (arrival.gateway) arrival.gateway.send(ClientGone{arrival.socket.peer()});
      return;
    }
    if (connection_) {
      port_.close(PortEnd::elsewhere);
      close();
    }
    client_ = arrival.login;
    logins_ = arrival.logins;
    gateway_ = arrival.gateway;
    peer_ = arrival.socket.peer();
    Result<Connection> adopted = Connection::adopt(self_, std::move(arrival.socket), setup_.connection);
    if (!adopted) return let_go();
    connection_ = std::move(*adopted);
    early_ = std::move(arrival.unread);
    if (port_.attach(arrival.soup, connection_.out()))
      log("logged in");
    else
      close();
  }
  void take(const SessionTaken& taken) {
    newest_session_ = taken.session;
    if (!connection_ || client_.session >= taken.session) return;
    port_.close(PortEnd::elsewhere);
    close();
  }
  void take(const KillChanged& change) {
    if (route_.changed(change)) port_.desk().entry().mass_cancel(std::nullopt, std::nullopt, CancelCause::supervisor);
  }
  void take(const EndSession&) { port_.end_of_day(); }
  void take(const StartSession& start) {
    if (connection_) {
      port_.close(PortEnd::over);
      close();
    }
    if (port_.desk().entry().open_orders() != 0) return log("a day cannot begin: there are orders of the last one");
    port_.start_of_day(start.name);
  }
  void take(const Ask<PortQuery>& ask) {
    ask.reply({.attached = port_.attached(),
               .last_end = last_end_,
               .open_orders = port_.desk().entry().open_orders(),
               .next_sequence = port_.stream().next_sequence(),
               .ignored = port_.desk().ignored(),
               .rejected = port_.desk().rejected(),
               .counts = port_.counts()});
  }
  template <class Event>
    requires requires(OuchPort<Desk>& port, const Event& event) { port.heard(event); }
  void take(const Event& event) {
    route_.heard(event);
    port_.heard(event);
    if constexpr (requires { event.arrival_ns; }) answered_ns_ = event.arrival_ns;
  }

  /// What an account was not told of cannot be made good.
  void lose_events() {
    lost_events_ = self_.mailbox().refused;
    log("events were lost: its mailbox is too small");
    port_.desk().entry().mass_cancel(std::nullopt, std::nullopt, CancelCause::supervisor);
    port_.close(PortEnd::full);
  }

  void read() {
    const std::uint64_t before = port_.counts().messages;
    const std::int64_t arrived_ns = to_ns(connection_.arrived());
    const bool has_read = !connection_.in().empty();
    // What came before the connection was handed over stands in front of what comes now.
    if (!early_.empty()) [[unlikely]] {
      const std::span<const std::byte> in =
          connection_.in().first(std::min(connection_.in().size(), setup_.connection.in_bytes));
      if (early_.size() < setup_.connection.in_bytes) {
        early_.insert(early_.end(), in.begin(), in.end());
        connection_.take(in.size());
      }
      std::span<const std::byte> rest = early_;
      port_.take(rest);
      early_.erase(early_.begin(), early_.end() - static_cast<std::ptrdiff_t>(rest.size()));
    } else {
      std::span<const std::byte> rest = connection_.in();
      const std::size_t size = rest.size();
      port_.take(rest);
      connection_.take(size - rest.size());
    }
    if (connection_.ended() && !port_.holds_back()) port_.close(PortEnd::lost);
    if (const std::uint64_t messages = port_.counts().messages - before; setup_.times != nullptr && messages != 0) {
      if (has_read) setup_.times->record(PortStage::read, now_ns_ - arrived_ns);
      setup_.times->record(PortStage::gateway, stamp_now(setup_.stamps, self_.scheduler()) - begun_ns_, messages);
    }
  }

  void close() {
    last_end_ = port_.ended();
    std::string why = to_string(last_end_);
    if (last_end_ == PortEnd::broken) why += ": " + port_.error().text();
    log(why);
    switch (last_end_) {
      case PortEnd::broken:
      case PortEnd::silent:
      case PortEnd::elsewhere:
      case PortEnd::full:
        soup::put(connection_.out(), soup::type::debug, std::as_bytes(std::span(why.data(), why.size())));
        connection_.close_when_sent();
        break;
      case PortEnd::slow:
      case PortEnd::lost: connection_.abort(); break;
      default: connection_.close_when_sent(); break;
    }
    connection_ = Connection();
    early_.clear();
    port_.detach();
    let_go();
  }
  void let_go() {
    if (logins_) logins_.send(client_);
    if (gateway_) gateway_.send(ClientGone{peer_});
  }
  void log(const std::string& what) {
    self_.runtime().log("port of account " + std::to_string(setup_.options.desk.account.value) + ", " + peer_.text() +
                        ": " + what);
  }

  OuchPortSelf self_;
  OuchPortSetup setup_;
  PortRoute route_;
  OuchPort<Desk> port_;
  Connection connection_;
  std::vector<std::byte> early_;
  LoggedOut client_{};
  LoginAddress logins_{};
  std::uint64_t newest_session_ = 0;  // of the account, at whatever door
  ClientGoneAddress gateway_{};
  Endpoint peer_{};
  PortEnd last_end_ = PortEnd::none;
  std::uint64_t lost_events_ = 0;
  std::int64_t now_ns_ = 0;
  std::int64_t begun_ns_ = 0;
  std::int64_t answered_ns_ = 0;
};

template <class Desk>
Actor ouch_port(OuchPortSelf self, OuchPortSetup setup) {
  const auto port = std::make_unique<Ported<Desk>>(self, std::move(setup));
  while (!self.stopping()) {
    co_await self.attend(port->deadline());
    port->turn();
  }
  port->say_goodbye();
}

}  // namespace

Actor ouch50_port(OuchPortSelf self, OuchPortSetup setup) { return ouch_port<Ouch50Desk>(self, std::move(setup)); }
Actor ouch42_port(OuchPortSelf self, OuchPortSetup setup) { return ouch_port<Ouch42Desk>(self, std::move(setup)); }

}  // namespace outcry
