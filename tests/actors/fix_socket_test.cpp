// FIX over loopback: an acceptor, two ports, a symbol, and clients that come, go and misbehave.
#include <outcry/actors/fix_acceptor.hpp>
#include <outcry/actors/fix_client.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <outcry/actors/symbol.hpp>
#include <outcry/runtime/runtime.hpp>

#include "tests/net/fix_text.hpp"

using namespace outcry;
using namespace std::chrono_literals;

namespace {

constexpr AccountId mara{1}, otto{2};

FixTime fix_time(Time now) {
  using namespace std::chrono;
  return {to_ns(now), duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count()};
}

struct Venue {
  Runtime runtime{{.schedulers = 1, .pin = false, .log = [](std::string_view) {}}};
  PreTradeRisk risk{{.symbols = 1}};
  std::unique_ptr<SymbolDirectory> directory;
  std::vector<FixAcceptorSetup::Known> known;

  Venue() {
    Instrument instrument{.name = padded_name("AAPL"), .tick = 100};
    instrument.lowest = {100};
    const SymbolAddress address =
        runtime.spawn({.mailbox = {.capacity = 4'096, .when_full = WhenFull::refuse}, .background = true}, symbol,
                      SymbolOptions{.instrument = instrument});
    directory = std::make_unique<SymbolDirectory>(
        std::vector<SymbolDirectory::Listed>{{.instrument = instrument, .address = address}});
    add(mara, "MARA", fix::Version::v4_2);
    add(otto, "OTTO", fix::Version::v4_4);
  }

  void add(AccountId account, const std::string& name, fix::Version version) {
    risk.add_account(account, RiskLimits{.largest_order = {500}});
    FixPortSetup setup{.symbols = directory.get(), .risk = &risk};
    setup.options.session = {.version = version, .sender = "VENUE", .target = name, .login_timeout_ns = 300'000'000};
    setup.options.orders = {.account = account, .most_orders = 1'024};
    setup.options.sent = {.messages = 10'000, .bytes = 4'000'000};
    const auto address = runtime.spawn(
        {.mailbox = {.capacity = 8'192, .when_full = WhenFull::refuse}, .background = true}, fix_port, setup);
    known.push_back({version, name, "VENUE", address});
  }
  void listen(Address<FixListening> told) {
    FixAcceptorSetup setup{.local = Endpoint::loopback(), .ports = known};
    setup.most_of_address = 4;
    setup.login_timeout_ns = 300'000'000;
    runtime.spawn({.background = true}, fix_acceptor, setup, told);
  }
};

struct Bill {
  std::int64_t lots = 0, cash = 0;
  std::uint64_t fills = 0, rejected = 0;
  int connections = 0;

  void on(const Filled& e) {
    const std::int64_t signed_lots =
        e.side == Side::buy ? std::int64_t{e.quantity.lots} : -std::int64_t{e.quantity.lots};
    lots += signed_lots;
    cash -= signed_lots * e.price.units;
    ++fills;
  }
  void on(const Rejected&) { ++rejected; }
  template <class Event>
  void on(const Event&) {}
};

struct Plan {
  std::string name{};
  fix::Version version{};
  AccountId account{};
  Side side{};
  std::uint64_t orders = 0;
  std::uint64_t breaks_after = 0;  // orders; 0: never
};

using ClientSelf = Self<FixListening>;

/// Sends its orders one by one, breaks its connection once, and is done when everything is filled.
Actor trading_client(ClientSelf self, Plan plan, const SymbolDirectory* directory, Bill* bill) {
  const auto listening = co_await self.receive();
  REQUIRE(listening.has_value());
  FixClientOptions options{.account = plan.account};
  options.session = {.version = plan.version, .sender = plan.name, .target = "VENUE"};
  const auto client = std::make_unique<FixClient>(options, *directory, fix_time(self.now()));
  std::uint64_t sent = 0;
  while (bill->lots != static_cast<std::int64_t>(plan.orders) * (plan.side == Side::buy ? 10 : -10)) {
    auto connecting = Connection::connect(self, listening->local);
    Result<Connection> connected = co_await connecting;
    REQUIRE(connected);
    ++bill->connections;
    Connection connection = std::move(*connected);
    client->connected(connection.out(), fix_time(self.now()));
    bool open = true;
    while (open) {
      const FixTime time = fix_time(self.now());
      std::span<const std::byte> rest = connection.in();
      const std::size_t size = rest.size();
      open = client->receive(rest, *bill, time) == FixClient::Status::open;
      connection.take(size - rest.size());
      open = open && client->poll(time) == FixClient::Status::open && !connection.ended();
      if (client->is_logged_on() && sent < plan.orders) {
        ++sent;
        client->send(
            NewOrder{.id = {sent}, .price = {100'000}, .quantity = {10}, .account = plan.account, .side = plan.side},
            time);
        if (sent == plan.breaks_after) {
          connection.abort();
          break;
        }
      }
      if (bill->fills >= plan.orders) {
        client->log_out(time);
        open = open && client->is_connected();
      }
      if (open && sent == plan.orders) {
        const Time deadline = self.now() + 50ms;
        co_await self.attend(deadline);
      } else if (open) {
        co_await self.yield();
      }
    }
    client->disconnected(fix_time(self.now()));
  }
}

/// Says something and counts what comes back until the end.
Actor stranger(ClientSelf self, std::string says, std::string* heard, bool* ended) {
  const auto listening = co_await self.receive();
  REQUIRE(listening.has_value());
  auto connecting = Connection::connect(self, listening->local);
  Result<Connection> connected = co_await connecting;
  REQUIRE(connected);
  connected->out().append({reinterpret_cast<const std::byte*>(says.data()), says.size()});
  const Time deadline = self.now() + 5s;
  while (!connected->ended() && self.now() < deadline) co_await self.attend(deadline);
  *ended = connected->ended();
  heard->assign(reinterpret_cast<const char*>(connected->in().data()), connected->in().size());
}

/// Tells several where the venue listens.
Actor herald(ClientSelf self, std::vector<Address<FixListening>> others) {
  const auto listening = co_await self.receive();
  REQUIRE(listening.has_value());
  for (const Address<FixListening>& other : others) other.send(*listening);
}

}  // namespace

TEST_CASE("two FIX clients trade with each other over sockets; one loses its connection, and both end with the same") {
  Venue venue;
  Bill bills[2];
  const std::uint64_t orders = 200;
  const auto buyer = venue.runtime.spawn(trading_client, Plan{"MARA", fix::Version::v4_2, mara, Side::buy, orders, 70},
                                         venue.directory.get(), &bills[0]);
  const auto seller = venue.runtime.spawn(trading_client, Plan{"OTTO", fix::Version::v4_4, otto, Side::sell, orders, 0},
                                          venue.directory.get(), &bills[1]);
  venue.listen(venue.runtime.spawn(herald, std::vector<Address<FixListening>>{buyer, seller}));
  venue.runtime.run();

  const std::int64_t lots = static_cast<std::int64_t>(orders) * 10;
  CHECK(bills[0].lots == lots);
  CHECK(bills[1].lots == -lots);
  CHECK(bills[0].cash == -lots * 100'000);
  CHECK(bills[1].cash == lots * 100'000);
  CHECK(bills[0].connections >= 2);
  CHECK(venue.risk.holding(mara, {0}) == Holding{.position = lots});
  CHECK(venue.risk.holding(otto, {0}) == Holding{.position = -lots});
  CHECK(venue.risk.exposure(mara).bought == lots * 100'000);
}

TEST_CASE("who says nothing, something else or a name that nobody has, is closed without a word") {
  const std::string unknown =
      test::fix_text(fix::Version::v4_2, "35=A|34=1|49=NOBODY|52=20261121-01:55:00|56=VENUE|98=0|108=30|");
  for (const std::string& says :
       {std::string("GET / HTTP/1.1\r\n\r\n"), unknown, unknown.substr(0, 20), std::string()}) {
    CAPTURE(says);
    Venue venue;
    std::string heard;
    bool ended = false;
    const auto client = venue.runtime.spawn(stranger, says, &heard, &ended);
    venue.listen(client);
    venue.runtime.run();
    CHECK(ended);
    CHECK(heard.empty());
  }
}

TEST_CASE("of one address there are only so many connections") {
  Venue venue;
  std::string heard[8];
  bool ended[8] = {};
  std::vector<Address<FixListening>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(venue.runtime.spawn(stranger, std::string(), &heard[i], &ended[i]));
  venue.listen(venue.runtime.spawn(herald, clients));
  venue.runtime.run();
  for (const bool one : ended) CHECK(one);
}
