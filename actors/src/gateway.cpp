#include <outcry/actors/gateway.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

#include <outcry/runtime/connection.hpp>
#include <outcry/runtime/runtime.hpp>

#include "gateway_door.hpp"

namespace outcry {

namespace {

using Outcome = Greeted::Outcome;
using Event = SoupServerEvent::Kind;

std::array<char, 32> padded(std::string_view text) {
  std::array<char, 32> bytes{};
  std::copy_n(text.begin(), std::min(text.size(), bytes.size()), bytes.begin());
  return bytes;
}

std::string_view text_of(const std::array<char, 32>& bytes) {
  const std::string_view all(bytes.data(), bytes.size());
  return all.substr(0, std::min(all.find('\0'), all.size()));
}

struct Greeting {
  SoupServerOptions soup{};
  LoginAddress logins{};
  std::vector<ClientAddress> ports{};
  Address<ClientGone, Greeted> gateway{};
};

// More than a login in all its forms, with debug packets in front of it.
constexpr std::size_t greeter_bytes = 4'096;
constexpr Duration patience = std::chrono::seconds(10);  // with the desk

Actor greeter(Self<> self, std::shared_ptr<const Greeting> greeting, Socket socket) {
  const Endpoint peer = socket.peer();
  const auto ended = [&](Outcome outcome) { greeting->gateway.send(Greeted{peer, outcome}); };
  auto adopted = Connection::adopt(self, std::move(socket), {.in_bytes = greeter_bytes, .out_bytes = greeter_bytes});
  if (!adopted) {
    ended(Outcome::lost);
    co_return;
  }
  Connection connection = std::move(*adopted);
  SoupServer soup(greeting->soup, to_ns(self.now()));
  LoginQuestion question;
  for (;;) {
    co_await self.attend(time_from_ns(soup.deadline()));
    if (self.stopping()) {
      ended(Outcome::lost);
      co_return;
    }
    const std::int64_t now_ns = to_ns(self.now());
    std::span<const std::byte> rest = connection.in();
    const std::size_t size = rest.size();
    SoupServerEvent event = soup.receive(rest, now_ns);
    if (event.kind == Event::login_requested) question = LoginQuestion::of(event.login.user, event.login.password);
    connection.take(size - rest.size());
    if (event.kind == Event::login_requested) break;
    if (!event) event = soup.poll(connection.out(), now_ns);
    if (event || connection.ended()) {
      ended(event.kind == Event::timed_out ? Outcome::timed_out
            : event.kind == Event::broken  ? Outcome::broken
                                           : Outcome::lost);
      co_return;
    }
  }

  auto asking = greeting->logins.ask(question, patience);
  const auto answer = co_await asking;
  const bool admitted = answer && answer->answer.session != 0;
  const std::size_t account = admitted ? answer->answer.account : 0;
  const LoggedOut login{account, admitted ? answer->answer.session : 0};
  const bool has_port = admitted && account < greeting->ports.size() && greeting->ports[account];
  if (!has_port) {
    if (admitted) greeting->logins.send(login);
    soup.reject(soup::not_authorized, connection.out());
    connection.close_when_sent();
    ended(Outcome::rejected);
    co_return;
  }
  std::vector<std::byte> unread;
  auto released = co_await connection.release(unread);
  if (!released) {
    greeting->logins.send(login);
    ended(Outcome::lost);
    co_return;
  }
  ClientArrival arrival(std::move(*released), std::move(unread), soup);
  arrival.login = login;
  arrival.logins = greeting->logins;
  arrival.gateway = greeting->gateway;
  if (greeting->ports[account].send(std::move(arrival)).accepted()) {
    ended(Outcome::admitted);
  } else {
    greeting->logins.send(login);
    ended(Outcome::lost);
  }
}

}  // namespace

LoginQuestion LoginQuestion::of(std::string_view user, std::string_view password) {
  return {.user = padded(user), .password = padded(password)};
}

Actor login_actor(LoginSelf self, LoginDesk desk) {
  std::vector<WatchSessions> watchers;
  while (auto message = co_await self.receive()) {
    if (const auto* asked = std::get_if<Ask<LoginQuestion>>(&*message)) {
      const LoginQuestion& question = asked->query;
      const LoginDesk::Answer answer =
          question.known != 0 ? desk.enter(question.known - 1)
                              : desk.log_in(text_of(question.user), text_of(question.password), to_ns(self.now()));
      if (answer.replaced != 0)
        for (const WatchSessions& watcher : watchers)
          if (watcher.account == answer.account) watcher.port.send(SessionTaken{answer.session});
      asked->reply({answer});
    } else if (const auto* watch = std::get_if<WatchSessions>(&*message)) {
      watchers.push_back(*watch);
    } else {
      const LoggedOut& out = std::get<LoggedOut>(*message);
      desk.log_out(out.account, out.session);
    }
  }
}

Actor gateway(GatewaySelf self, GatewaySetup setup) {
  auto opened = Listener::open(self, setup.listen, setup.listening);
  if (!opened) throw std::runtime_error("cannot listen at " + setup.listen.text() + ": " + opened.failure().text());
  GatewayDoor door(std::move(*opened), setup.most_connections, setup.most_of_address);
  const auto greeting = std::make_shared<const Greeting>(
      Greeting{.soup = setup.soup, .logins = setup.logins, .ports = setup.ports, .gateway = self.address()});
  while (!self.stopping()) {
    co_await self.attend();
    self.take().each([&](const auto& message) { door.take(message); });
    while (std::optional<Socket> socket = door.next())
      self.spawn(SpawnOptions{.name = "greeter", .background = true}, greeter, greeting, std::move(*socket));
  }
}

}  // namespace outcry
