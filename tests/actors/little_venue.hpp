// LittleVenue: a venue on a socket that takes every OUCH 5.0 order and trades with nobody: what a client needs to be tested
// without the real one. What it answers can be spoilt.
#pragma once

#include <array>
#include <cstring>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <outcry/net/message_store.hpp>
#include <outcry/net/ouch50.hpp>
#include <outcry/net/soup_server.hpp>
#include <outcry/runtime/connection.hpp>
#include <outcry/runtime/listener.hpp>
#include <outcry/runtime/runtime.hpp>

namespace outcry_test {

using namespace outcry;

struct LittleVenue {
  struct Account {
    MessageStore store{{.messages = 1 << 18, .bytes = 1 << 24}};
    std::map<std::uint32_t, std::uint32_t> open{};
    std::uint32_t last = 0;
    std::uint64_t logins = 0;
  };
  /// Of an answer: false leaves it out; it may be changed, too.
  using Spoil = std::function<bool(std::vector<std::byte>&)>;

  std::map<std::string, Account> accounts{};
  Spoil spoil = [](std::vector<std::byte>&) { return true; };
  std::uint64_t most_messages = UINT64_MAX;  // then it closes connections
  std::uint64_t messages = 0;
  std::promise<Endpoint> opened{};

  template <class Message>
  void tell(Account& account, const Message& message) {
    std::vector<std::byte> bytes(sizeof message + 64);
    bytes.resize(ouch50::encode(message, bytes));
    if (spoil(bytes)) account.store.append(bytes);
  }

  void take(Account& account, std::span<const std::byte> bytes) {
    const auto decoded = ouch50::decode_inbound(bytes);
    if (!decoded) return;
    if (decoded.message.type() == ouch50::AccountQuery::code) {
      ouch50::AccountAnswer answer;
      answer.next_user_ref = account.last + 1;
      return tell(account, answer);
    }
    ouch50::Canceled canceled;
    canceled.reason = ouch50::CancelReason::user;
    if (decoded.message.type() == ouch50::CancelOrder::code) {
      const auto found = account.open.find(decoded.message.as<ouch50::CancelOrder>().user_ref);
      if (found == account.open.end()) return;
      canceled.user_ref = found->first;
      canceled.decrement = found->second;
      account.open.erase(found);
      return tell(account, canceled);
    }
    const auto& order = decoded.message.as<ouch50::EnterOrder>();
    if (order.user_ref <= account.last) return;
    account.last = order.user_ref;
    ouch50::Accepted accepted;
    accepted.user_ref = order.user_ref;
    accepted.side = order.side;
    accepted.quantity = order.quantity;
    accepted.symbol = order.symbol;
    accepted.price = order.price;
    tell(account, accepted);
    if (order.time_in_force != ouch50::TimeInForce::immediate_or_cancel) {
      account.open[order.user_ref] = order.quantity;
      return;
    }
    canceled.user_ref = order.user_ref;
    canceled.decrement = order.quantity;
    tell(account, canceled);
  }
};

inline Actor little_session(Self<> self, Socket socket, LittleVenue* venue) {
  auto adopted = Connection::adopt(self, std::move(socket), {.in_bytes = 1 << 18, .out_bytes = 1 << 18});
  if (!adopted) co_return;
  Connection connection = std::move(*adopted);
  SoupServer soup({}, to_ns(self.now()));
  LittleVenue::Account* account = nullptr;
  while (!self.stopping()) {
    co_await self.attend(time_from_ns(soup.deadline()));
    const std::int64_t now_ns = to_ns(self.now());
    std::span<const std::byte> rest = connection.in();
    bool over = false;
    while (const SoupServerEvent event = soup.receive(rest, now_ns)) {
      if (event.kind == SoupServerEvent::Kind::login_requested) {
        if (event.login.password != "right") {
          soup.reject(soup::not_authorized, connection.out());
          continue;
        }
        account = &venue->accounts[std::string(event.login.user)];
        ++account->logins;
        soup.accept("DAY1", account->store.next_sequence(), connection.out(), now_ns);
      } else if (event.kind == SoupServerEvent::Kind::message) {
        if (++venue->messages > venue->most_messages) co_return;
        venue->take(*account, event.message);
      } else {
        over = true;
      }
    }
    connection.take(connection.in().size() - rest.size());
    if (account != nullptr) soup.send(account->store, connection.out(), now_ns);
    if (soup.poll(connection.out(), now_ns)) over = true;
    if (over || connection.ended()) break;
  }
  connection.close_when_sent();
}

inline Actor little_venue(Self<> self, LittleVenue* venue) {
  auto opened = Listener::open(self, Endpoint::loopback());
  Listener listener = std::move(*opened);
  venue->opened.set_value(listener.local());
  while (!self.stopping()) {
    co_await self.attend();
    while (auto socket = listener.next())
      self.spawn({.name = "little session", .background = true}, little_session, std::move(*socket), venue);
  }
}

/// Runs one in a thread of its own.
class LittleVenueRun {
 public:
  explicit LittleVenueRun(LittleVenue& venue) : runtime_({.schedulers = 1, .pin = false}) {
    auto opened = venue.opened.get_future();
    runtime_.spawn({.name = "little venue"}, little_venue, &venue);
    runtime_.start();
    at_ = opened.get();
  }
  ~LittleVenueRun() { end(); }
  void end() {
    runtime_.stop();
    runtime_.join();
  }
  Endpoint at() const { return at_; }

 private:
  Runtime runtime_;
  Endpoint at_{};
};

}  // namespace outcry_test
