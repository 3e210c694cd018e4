// A venue on core 0 that spins, and its clients on core 1: gateway, port, limits, mailbox, book and back.
//
//   order_to_ack       one client enters an order and spins until it is accepted; behind each it cancels, which is not timed
//   orders_per_s.64    64 clients send as fast as the venue takes it; every answer is checked
#include "wire_orders.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <outcry/actors/exchange.hpp>
#include <outcry/actors/load_run.hpp>
#include <outcry/net/ouch50.hpp>
#include <outcry/net/soup_client.hpp>
#include <outcry/runtime/tsc_clock.hpp>

#include "wire_echo.hpp"

namespace bench {

namespace {

using namespace outcry;

constexpr int rounds = 7;
constexpr int warm_up = 500;
constexpr int orders = 3'000;
constexpr std::uint32_t connections = 64;

VenueConfig venue() {
  VenueConfig config;
  config.idle = IdlePolicy::spin;
  config.measure = false;
  VenueConfig::Listed listed;
  listed.instrument.name = padded_name("AAPL");
  listed.instrument.tick = 100;
  listed.instrument.lowest = Price{1};
  listed.instrument.highest = Price{1'999'999'900};
  config.instruments.push_back(listed);
  VenueConfig::Gateway gateway;
  gateway.name = "ouch";
  gateway.address = Endpoint::loopback();
  config.gateways.push_back(gateway);
  for (std::uint32_t i = 1; i <= connections; ++i) {
    VenueConfig::Account account;
    account.user = "LOAD" + std::to_string(i);
    account.password = "generator";
    account.gateways = {0};
    account.symbols = {SymbolId{0}};
    config.accounts.push_back(account);
  }
  config.sizes.messages = 1u << 20;
  config.sizes.message_bytes = std::size_t{1} << 26;
  return config;
}

/// One client, by plain calls, that spins.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(connect_to(port)), soup_({.version = soup::Version::v4_00}, now()) {
    soup_.log_in({.user = "LOAD1", .password = "generator", .sequence = 0}, out_, now());
    flush();
    if (hear().kind != SoupClientEvent::Kind::accepted) Report::wrong("the venue does not let us in");
  }

  /// Gives the type of the next answer.
  template <class Message>
  char ask(const Message& message) {
    std::array<std::byte, sizeof(Message)> bytes{};
    ouch50::encode(message, bytes);
    soup_.send(bytes, out_, now());
    flush();
    const SoupClientEvent event = hear();
    return event.message.empty() ? '\0' : static_cast<char>(event.message[0]);
  }

 private:
  static std::int64_t now() { return TscClock::system_ns(); }

  void flush() {
    const auto bytes = out_.bytes();
    if (::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
      Report::wrong("a message was not sent");
    out_.clear();
  }
  SoupClientEvent hear() {
    in_.take(read_);
    read_ = 0;
    for (;;) {
      std::span<const std::byte> rest = in_.bytes();
      const SoupClientEvent event = soup_.receive(rest, now());
      read_ = in_.size() - rest.size();
      if (event) return event;
      in_.take(read_);
      read_ = 0;
      const auto spare = in_.spare(4'096);
      const ssize_t got = ::recv(socket_.get(), spare.data(), spare.size(), MSG_DONTWAIT);
      if (got > 0) in_.commit(static_cast<std::size_t>(got));
      if (got == 0 || (got < 0 && errno != EAGAIN)) Report::wrong("the venue has gone");
    }
  }

  Descriptor socket_;
  SoupClient soup_;
  ByteBuffer in_{1 << 16}, out_{1 << 12};
  std::size_t read_ = 0;  // of in_: what the last event lies in
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double order_to_ack(std::uint16_t port) {
  Client client(port);
  std::vector<double> medians;
  std::uint32_t ref = 0;
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> us;
    for (int i = 0; i < warm_up + orders; ++i) {
      ouch50::EnterOrder order;
      order.user_ref = ++ref;
      order.side = ref % 2 == 0 ? ouch50::Side::buy : ouch50::Side::sell;
      order.quantity = 100;
      order.symbol = "AAPL";
      order.price = ref % 2 == 0 ? 990'000 : 1'010'000;
      order.time_in_force = ouch50::TimeInForce::day;
      order.display = ouch50::Display::visible;
      order.capacity = ouch50::Capacity::principal;
      const std::int64_t begin = TscClock::system_ns();
      if (client.ask(order) != ouch50::Accepted::code) Report::wrong("an order was not accepted");
      if (i >= warm_up) us.push_back(static_cast<double>(TscClock::system_ns() - begin) / 1e3);
      ouch50::CancelOrder cancel;
      cancel.user_ref = ref;
      if (client.ask(cancel) != ouch50::Canceled::code) Report::wrong("an order was not cancelled");
    }
    medians.push_back(median(std::move(us)));
  }
  return median(std::move(medians));
}

LoadReport flood(const Endpoint& at) {
  LoadOptions options;
  options.venue = at;
  options.user = "LOAD#";
  options.password = "generator";
  options.plan = {.connections = connections, .rate = 2'000'000, .length = std::chrono::milliseconds(250)};
  options.orders.symbols = {"AAPL"};
  options.patience = std::chrono::seconds(30);
  return LoadRun(options).run();
}

}  // namespace

void wire_orders(Report& report, double echo_us) {
  // Without doors to the outside the venue's log has nothing to say that belongs here.
  Exchange exchange(venue(), [](std::string_view) {});
  pin_to_core(0);
  exchange.start();
  pin_to_core(1);
  const Endpoint at = exchange.door(ExchangeDoor::Kind::gateway)->at;
  const double us = order_to_ack(at.port());
  report.add("order_to_ack.p50_us", us, "us");
  report.add("order_to_ack.ratio_to_echo", us / echo_us, "times", at_most(1.25));

  std::vector<double> rates, messages;
  for (int round = 0; round < 3; ++round) {
    const LoadReport load = flood(at);
    if (!load.good()) Report::wrong(load.wrong.empty() ? "orders were not acknowledged" : load.wrong.front());
    rates.push_back(static_cast<double>(load.counts.acknowledged) / load.seconds);
    messages.push_back(static_cast<double>(load.sent) / load.seconds);
  }
  report.add("orders_per_s.64", median(rates), "orders/s", at_least(150'000));
  report.add("messages_per_s.64", median(messages), "messages/s");
  exchange.drain();
  exchange.join();
}

}  // namespace bench
