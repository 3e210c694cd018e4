// A venue on sockets: gateway, desk for logins, ports and a symbol; clients over loopback.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <outcry/actors/gateway.hpp>
#include <outcry/actors/ouch_port_actor.hpp>
#include <outcry/actors/symbol.hpp>
#include <outcry/net/soup_client.hpp>
#include <outcry/runtime/connection.hpp>
#include <outcry/runtime/runtime.hpp>
#include <outcry/runtime/task.hpp>

#include "ouch_text.hpp"

using namespace outcry;
using namespace outcry::test;
using namespace std::chrono_literals;

namespace {

constexpr Duration patience = 20s;

struct VenueOptions {
  std::uint32_t schedulers = 1;
  OuchPortOptions port{};
  GatewaySetup gateway{};
  ConnectionOptions connection{};
  bool newest_wins = false;
  std::optional<RiskLimits> limits{};
  PortTimes* times = nullptr;
};

/// What a scenario has to do with.
struct Venue {
  SymbolAddress symbol{};
  Endpoint at{};
  LoginAddress logins{};
  GatewayAddress gateway{};
  std::vector<OuchPortAddress> ports{};
  KillDeskAddress kills{};
};

using ScenarioSelf = Self<Quote, Down>;

/// A client of a scenario: the scenario's actor owns its connection and attends to it.
class Client {
 public:
  explicit Client(ScenarioSelf self, std::uint32_t silence_ms = 15'000)
      : self_(self), soup_({.own_timeout_ms = silence_ms}, to_ns(self.now())) {}

  Task<bool> connect(Endpoint to) {
    auto connecting = co_await Connection::connect(self_, to);
    if (!connecting) co_return false;
    connection_ = std::move(*connecting);
    co_return true;
  }
  /// "accepted 1", "rejected A"
  Task<std::string> log_in(Endpoint to, std::string user, std::string password, std::uint64_t sequence = 1) {
    auto connecting = connect(to);
    const bool connected = co_await connecting;
    if (!connected) co_return "no connection";
    soup_.log_in({.user = user, .password = password, .sequence = sequence}, connection_.out(), to_ns(self_.now()));
    auto hearing = hear(1);
    const std::string heard = co_await hearing;
    co_return heard;
  }
  template <class M>
  Client& say(const M& message) {
    std::array<std::byte, 512> bytes;
    soup_.send(std::span(bytes).first(ouch50::encode(message, bytes)), connection_.out(), to_ns(self_.now()));
    return *this;
  }
  /// The bytes of a login come from elsewhere.
  void expect_login() {
    ByteBuffer nowhere(64);
    soup_.log_in({}, nowhere, to_ns(self_.now()));
  }
  void log_out() { soup_.log_out(connection_.out()); }
  void put(std::string_view bytes) { connection_.out().append(std::as_bytes(std::span(bytes.data(), bytes.size()))); }
  void abort() { connection_.abort(); }

  /// So many lines, or all until the connection has ended ("gone").
  Task<std::string> hear(std::size_t lines) {
    std::string heard;
    const Time deadline = self_.now() + patience;
    for (;;) {
      const std::int64_t now_ns = to_ns(self_.now());
      std::span<const std::byte> rest = connection_.in();
      const std::size_t size = rest.size();
      while (lines != 0) {
        const SoupClientEvent event = soup_.receive(rest, now_ns);
        if (!event) break;
        --lines;
        using Kind = SoupClientEvent::Kind;
        if (event.kind == Kind::accepted) heard += "accepted " + std::to_string(event.sequence) + "\n";
        if (event.kind == Kind::rejected) heard += std::string("rejected ") + event.reason + "\n";
        if (event.kind == Kind::end_of_session) heard += "end\n";
        if (event.kind == Kind::broken) heard += "broken\n";
        if (event.kind == Kind::message) {
          heard += ouch50_text(event.message) + "\n";
          messages.emplace_back(event.message.begin(), event.message.end());
        }
      }
      connection_.take(size - rest.size());
      if (lines == 0) co_return heard;
      if (connection_.ended()) co_return heard + "gone\n";
      if (self_.now() >= deadline) co_return heard + "nothing more\n";
      soup_.poll(connection_.out(), now_ns);
      co_await self_.attend(std::min(deadline, time_from_ns(soup_.deadline())));
    }
  }
  std::uint64_t next_sequence() const { return soup_.next_sequence(); }

  std::vector<std::vector<std::byte>> messages{};  // sequenced, all that were heard

 private:
  ScenarioSelf self_;
  SoupClient soup_;
  Connection connection_;
};

using Scenario = std::function<Task<>(ScenarioSelf, Venue)>;

Actor play(ScenarioSelf self, Venue venue, std::shared_ptr<Scenario> scenario) {
  auto asking = venue.gateway.ask(GatewayQuery{}, patience);
  const auto report = co_await asking;
  REQUIRE(report);
  venue.at = report->local;
  Task<> playing = (*scenario)(self, venue);
  co_await playing;
  venue.gateway.stop();
  for (const OuchPortAddress& port : venue.ports) port.stop();
  venue.logins.stop();
  venue.kills.stop();
  venue.symbol.stop();
}

/// A venue with the accounts MARA and OTTO, and ports on the last scheduler.
void with_venue(VenueOptions options, Scenario scenario) {
  std::string log;
  std::mutex log_mutex;
  OrderPool pool(OrderPool::Size{.orders = 4096});
  std::unique_ptr<SymbolDirectory> directory;
  PreTradeRisk risk({.symbols = 1});
  KillSwitch kill_switch;
  Runtime runtime({.schedulers = options.schedulers, .pin = false, .log = [&](std::string_view line) {
                     const std::lock_guard lock(log_mutex);
                     log.append(line).append("\n");
                   }});
  const Instrument instrument{
      .symbol = {0}, .name = padded_name("AAPL"), .tick = 100, .lowest = {100}, .highest = {10'000'000}};
  const MailboxOptions mailbox{.capacity = 1u << 14, .when_full = WhenFull::refuse};
  const int last = static_cast<int>(options.schedulers) - 1;
  Venue venue;
  venue.symbol = runtime.spawn(
      {.name = "AAPL", .scheduler = 0, .mailbox = mailbox}, symbol,
      SymbolOptions{.instrument = instrument, .pool = &pool, .first_account = {1}, .breakable_trades = 16});
  directory = std::make_unique<SymbolDirectory>(
      std::vector<SymbolDirectory::Listed>{{.instrument = instrument, .address = venue.symbol, .has_rules = false}});

  LoginDesk desk({.attempts = 3, .newest_wins = options.newest_wins});
  desk.add("MARA", "secret");
  desk.add("OTTO", "geheim");
  desk.add("NOBODY", "x");
  venue.logins = runtime.spawn({.name = "logins", .scheduler = 0}, login_actor, std::move(desk));
  for (std::uint32_t i = 0; i < 2; ++i) {
    if (options.limits) risk.add_account({i + 1}, *options.limits);
    kill_switch.add_account({i + 1}, "ACME");
  }
  venue.kills = runtime.spawn({.name = "kill desk", .scheduler = 0}, kill_desk,
                              KillDeskSetup{.state = &kill_switch, .symbols = {venue.symbol}});
  for (std::uint32_t i = 0; i < 2; ++i) {
    OuchPortSetup setup{.options = options.port,
                        .symbols = directory.get(),
                        .risk = options.limits ? &risk : nullptr,
                        .kill_desk = venue.kills,
                        .firm = "ACME",
                        .connection = options.connection,
                        .times = options.times};
    setup.options.desk.account = {i + 1};
    setup.options.desk.most_orders = 1024;
    setup.options.stream = {.messages = 1 << 20, .bytes = 1 << 25};  // more than the system's buffers
    setup.options.desk.firms = {"ACME"};
    venue.ports.push_back(
        runtime.spawn({.name = "port", .scheduler = last, .mailbox = port_mailbox()}, ouch50_port, std::move(setup)));
  }
  GatewaySetup gateway_setup = options.gateway;
  gateway_setup.listen = Endpoint::loopback();
  gateway_setup.soup.largest_payload = Ouch50Desk::largest_inbound;
  gateway_setup.logins = venue.logins;
  gateway_setup.ports = {venue.ports[0], venue.ports[1]};
  venue.gateway = runtime.spawn({.name = "gateway", .scheduler = 0}, gateway, std::move(gateway_setup));
  runtime.spawn({.name = "play", .scheduler = last}, play, venue, std::make_shared<Scenario>(std::move(scenario)));
  runtime.run();
  CAPTURE(log);
  CHECK(log.find("secret") == std::string::npos);
  CHECK(log.find("failed") == std::string::npos);
}

ouch50::EnterOrder order(std::uint32_t user_ref, ouch::Side side, std::uint32_t quantity, std::uint64_t price) {
  return {.user_ref = user_ref,
          .side = side,
          .quantity = quantity,
          .symbol = "AAPL",
          .price = price,
          .time_in_force = ouch50::TimeInForce::day,
          .display = ouch50::Display::visible,
          .capacity = ouch::Capacity::agency};
}
constexpr auto buying = ouch::Side::buy;
constexpr auto selling = ouch::Side::sell;

Task<PortReport> report_of(OuchPortAddress port) {
  auto asking = port.ask(PortQuery{}, patience);
  const auto answer = co_await asking;
  REQUIRE(answer);
  co_return *answer;
}
Task<GatewayReport> report_of(GatewayAddress gateway) {
  auto asking = gateway.ask(GatewayQuery{}, patience);
  const auto answer = co_await asking;
  REQUIRE(answer);
  co_return *answer;
}

// CHECK(await) cannot be written: a co_await belongs into a statement of its own.
#define HEARS(client, lines, text)              \
  do {                                          \
    auto hearing = (client).hear(lines);        \
    const std::string heard = co_await hearing; \
    CHECK(heard == text);                       \
  } while (false)
#define LOGS_IN(client, text, ...)                            \
  do {                                                        \
    auto logging_in = (client).log_in(venue.at, __VA_ARGS__); \
    const std::string heard = co_await logging_in;            \
    CHECK(heard == text);                                     \
  } while (false)

// ---- scenarios

/// A day in bytes, sent again behind a new login: nothing of it may have an effect.
Task<> the_day_is_sent_again(ScenarioSelf self, Venue venue) {
  Client mara(self), otto(self);
  LOGS_IN(mara, "accepted 1\n", "MARA", "secret");
  LOGS_IN(otto, "accepted 1\n", "OTTO", "geheim");
  const ouch50::ReplaceOrder replaces{.original_user_ref = 1,
                                      .user_ref = 3,
                                      .quantity = 120,
                                      .price = 1'490'000,
                                      .time_in_force = ouch50::TimeInForce::day,
                                      .display = ouch50::Display::visible};
  const auto say_all = [&](Client& client) {
    client.say(order(1, buying, 100, 1'500'000))
        .say(order(2, buying, 0, 1'500'000))
        .say(replaces)
        .say(ouch50::CancelOrder{.user_ref = 3, .quantity = 90})
        .say(order(4, selling, 10, 1'600'000))
        .say(ouch50::CancelOrder{.user_ref = 4});
  };
  HEARS(otto, 1, "S S\n");
  say_all(mara);
  auto hearing_first = mara.hear(7);
  std::string first = co_await hearing_first;
  const std::string refused = "J 2 13\n";  // by the port itself, before or behind what the symbol says
  REQUIRE(first.find(refused) != std::string::npos);
  first.erase(first.find(refused), refused.size());
  CHECK(first == "S S\nA 1 B 100 AAPL 150.00\nU 1>3 120 at 149.00\nC 3 30 U\nA 4 S 10 AAPL 160.00\nC 4 10 U\n");
  otto.say(order(1, selling, 40, 1'490'000));
  HEARS(otto, 2, "A 1 S 40 AAPL 149.00\nE 1 40 at 149.00 R\n");
  HEARS(mara, 1, "E 3 40 at 149.00 A\n");
  mara.abort();

  Client again(self);
  LOGS_IN(again, "accepted 9\n", "MARA", "secret", 9);
  auto before = report_of(venue.ports[0]);
  const PortReport asked = co_await before;
  say_all(again);
  again.say(ouch50::AccountQuery{});
  HEARS(again, 1, "Q 5\n");

  auto after = report_of(venue.ports[0]);
  const PortReport answered = co_await after;
  CHECK(asked.open_orders == 1);
  CHECK(answered.open_orders == 1);
  CHECK(answered.rejected == asked.rejected);
  CHECK(answered.ignored == asked.ignored + 6);
  CHECK(answered.next_sequence == asked.next_sequence + 1);  // the answer to the query
  auto asking = venue.symbol.ask(QuoteQuery{}, patience);
  const auto quote = co_await asking;
  REQUIRE(quote);
  CHECK(quote->bid == Price{1'490'000});
  CHECK(quote->bid_quantity == 50);
  CHECK(!quote->has_ask());
}

Task<> a_trade_is_broken(ScenarioSelf self, Venue venue) {
  Client mara(self), otto(self);
  LOGS_IN(mara, "accepted 1\n", "MARA", "secret");
  LOGS_IN(otto, "accepted 1\n", "OTTO", "geheim");
  mara.say(order(5, buying, 100, 1'500'000));
  HEARS(mara, 2, "S S\nA 5 B 100 AAPL 150.00\n");
  otto.say(order(6, selling, 100, 1'500'000));
  HEARS(otto, 3, "S S\nA 6 S 100 AAPL 150.00\nE 6 100 at 150.00 R\n");
  HEARS(mara, 1, "E 5 100 at 150.00 A\n");

  venue.symbol.send(BreakTrade{.symbol = {0}, .trade = 2, .reason = BreakReason::erroneous});  // there is none
  venue.symbol.send(BreakTrade{.symbol = {0}, .trade = 1, .reason = BreakReason::erroneous});
  venue.symbol.send(BreakTrade{.symbol = {0}, .trade = 1, .reason = BreakReason::erroneous});  // once is enough
  for (Client* client : {&mara, &otto}) {
    auto hearing = client->hear(1);
    const std::string heard = co_await hearing;
    CHECK(heard.substr(0, 3) == (client == &mara ? "B 5" : "B 6"));
    client->say(ouch50::AccountQuery{});
  }
  HEARS(mara, 1, "Q 6\n");
  HEARS(otto, 1, "Q 7\n");
}

Task<> they_trade(ScenarioSelf self, Venue venue) {
  Client mara(self), otto(self);
  LOGS_IN(mara, "accepted 1\n", "MARA", "secret");
  LOGS_IN(otto, "accepted 1\n", "otto", "GEHEIM");
  HEARS(mara, 1, "S S\n");
  HEARS(otto, 1, "S S\n");
  mara.say(order(1, buying, 100, 1'500'000));
  HEARS(mara, 1, "A 1 B 100 AAPL 150.00\n");
  otto.say(order(1, selling, 30, 1'500'000));
  HEARS(otto, 2, "A 1 S 30 AAPL 150.00\nE 1 30 at 150.00 R\n");
  HEARS(mara, 1, "E 1 30 at 150.00 A\n");
  mara.say(ouch50::ReplaceOrder{.original_user_ref = 1,
                                .user_ref = 2,
                                .quantity = 200,
                                .price = 1'490'000,
                                .time_in_force = ouch50::TimeInForce::day,
                                .display = ouch50::Display::visible});
  HEARS(mara, 1, "U 1>2 170 at 149.00\n");
  mara.say(ouch50::CancelOrder{.user_ref = 2, .quantity = 100});
  mara.say(ouch50::CancelOrder{.user_ref = 2});
  HEARS(mara, 2, "C 2 100 U\nC 2 70 U\n");

  // She comes back, and is told the same.
  mara.log_out();
  HEARS(mara, 1, "gone\n");
  Client again(self);
  LOGS_IN(again, "accepted 1\n", "MARA", "secret");
  HEARS(again, 6, "S S\nA 1 B 100 AAPL 150.00\nE 1 30 at 150.00 A\nU 1>2 170 at 149.00\nC 2 100 U\nC 2 70 U\n");
  CHECK(again.messages == mara.messages);
  again.log_out();
  HEARS(again, 1, "gone\n");
  Client third(self);
  LOGS_IN(third, "accepted 5\n", "MARA", "secret", 5);
  HEARS(third, 2, "C 2 100 U\nC 2 70 U\n");
}

Task<> orders_follow_the_login(ScenarioSelf self, Venue venue) {
  // The order does not wait for the answer to the login, and leaves in pieces.
  Client mara(self);
  auto connecting = mara.connect(venue.at);
  CHECK(co_await connecting);
  ByteBuffer bytes(1024);
  SoupClient soup({}, to_ns(self.now()));
  soup.log_in({.user = "MARA", .password = "secret", .sequence = 1}, bytes, to_ns(self.now()));
  for (const std::uint32_t user_ref : {1u, 2u}) {
    std::array<std::byte, 64> message;
    const std::size_t size = ouch50::encode(order(user_ref, buying, 1, 1'000'000), message);
    soup::put(bytes, soup::type::unsequenced_data, std::span(message).first(size));
  }
  const std::string all(reinterpret_cast<const char*>(bytes.bytes().data()), bytes.size());
  mara.expect_login();
  mara.put(std::string_view(all).substr(0, 54 + 50 + 20));
  HEARS(mara, 3, "accepted 1\nS S\nA 1 B 1 AAPL 100.00\n");
  mara.put(std::string_view(all).substr(54 + 50 + 20));
  HEARS(mara, 1, "A 2 B 1 AAPL 100.00\n");
}

Task<> second_is_refused(ScenarioSelf self, Venue venue) {
  Client first(self), second(self);
  LOGS_IN(first, "accepted 1\n", "MARA", "secret");
  LOGS_IN(second, "rejected A\n", "MARA", "secret");
  HEARS(second, 1, "gone\n");
  HEARS(first, 1, "S S\n");
  first.say(ouch50::AccountQuery{});
  HEARS(first, 1, "Q 1\n");
}

Task<> second_takes_over(ScenarioSelf self, Venue venue) {
  Client first(self), second(self);
  LOGS_IN(first, "accepted 1\n", "MARA", "secret");
  HEARS(first, 1, "S S\n");
  first.say(order(1, buying, 100, 1'500'000));
  HEARS(first, 1, "A 1 B 100 AAPL 150.00\n");
  LOGS_IN(second, "accepted 1\n", "MARA", "secret");
  HEARS(first, 1, "gone\n");
  HEARS(second, 2, "S S\nA 1 B 100 AAPL 150.00\n");
  second.say(ouch50::CancelOrder{.user_ref = 1});
  HEARS(second, 1, "C 1 100 U\n");
}

Task<> strangers(ScenarioSelf self, Venue venue) {
  Client wrong(self), unknown(self), no_port(self), huge(self), other_protocol(self), loris(self);
  LOGS_IN(wrong, "rejected A\n", "MARA", "secrets");
  LOGS_IN(unknown, "rejected A\n", "EVE", "secret");
  LOGS_IN(no_port, "rejected A\n", "NOBODY", "x");
  auto huge_connects = huge.connect(venue.at);
  CHECK(co_await huge_connects);
  huge.put("\xFF\xFFL");
  HEARS(huge, 1, "gone\n");
  auto other_connects = other_protocol.connect(venue.at);
  CHECK(co_await other_connects);
  other_protocol.put("8=FIX.4.2\0019=5\001");
  HEARS(other_protocol, 1, "gone\n");
  // Who sends a login byte by byte, or debug packets only, has no more time than others.
  auto loris_connects = loris.connect(venue.at);
  CHECK(co_await loris_connects);
  loris.put(std::string_view("\0\2+x\0\x2FLMA", 9));
  HEARS(loris, 1, "gone\n");

  // He whose login was refused can log in with the right one.
  Client right(self);
  LOGS_IN(right, "accepted 1\n", "MARA", "secret");
  auto asking = report_of(venue.gateway);
  const GatewayReport report = co_await asking;
  CHECK(report.rejected == 3);
  CHECK(report.broken == 2);
  CHECK(report.timed_out == 1);
  CHECK(report.admitted == 1);
  CHECK(report.connections == 1);
}

Task<> too_many(ScenarioSelf self, Venue venue) {
  Client first(self), second(self), third(self);
  auto first_connects = first.connect(venue.at);
  CHECK(co_await first_connects);
  LOGS_IN(second, "accepted 1\n", "MARA", "secret");
  LOGS_IN(third, "gone\n", "OTTO", "geheim");
  // Whoever leaves makes room, from a port or from the door.
  HEARS(second, 1, "S S\n");
  second.log_out();
  HEARS(second, 1, "gone\n");
  for (;;) {
    auto asking = report_of(venue.gateway);
    const GatewayReport report = co_await asking;
    if (report.connections == 1) {
      CHECK(report.refused == 1);
      break;
    }
    co_await self.yield();
  }
  Client fourth(self);
  LOGS_IN(fourth, "accepted 1\n", "OTTO", "geheim");
}

Task<> client_dies(ScenarioSelf self, Venue venue) {
  venue.symbol.send(SubscribeQuotes{self.address()});
  const auto mara = std::make_unique<Client>(self);
  LOGS_IN(*mara, "accepted 1\n", "MARA", "secret");
  mara->say(order(1, buying, 100, 1'500'000));
  HEARS(*mara, 2, "S S\nA 1 B 100 AAPL 150.00\n");
  mara->abort();
  // Everyone sees that the order is gone.
  bool was_there = false;
  for (;;) {
    const auto quote = co_await self.receive<Quote>();
    REQUIRE(quote);
    was_there |= quote->has_bid();
    if (was_there && !quote->has_bid()) break;
  }
  Client again(self);
  LOGS_IN(again, "accepted 3\n", "MARA", "secret", 3);
  HEARS(again, 1, "C 1 100 Z\n");
}

Task<> client_is_silent(ScenarioSelf self, Venue venue) {
  Client mara(self, 1'000);
  LOGS_IN(mara, "accepted 1\n", "MARA", "secret");
  HEARS(mara, 1, "S S\n");
  // It says nothing, not even that it is there.
  const Time deadline = self.now() + patience;
  for (;;) {
    auto asking = report_of(venue.ports[0]);
    const PortReport report = co_await asking;
    if (!report.attached) {
      CHECK(report.last_end == PortEnd::silent);
      break;
    }
    REQUIRE(self.now() < deadline);
    co_await self.attend(self.now() + 20ms);
  }
  HEARS(mara, 1, "gone\n");
}

Task<> day_ends(ScenarioSelf self, Venue venue) {
  Client mara(self);
  LOGS_IN(mara, "accepted 1\n", "MARA", "secret");
  mara.say(order(1, buying, 100, 1'500'000));
  HEARS(mara, 2, "S S\nA 1 B 100 AAPL 150.00\n");
  venue.symbol.send(EndOfDay{});
  HEARS(mara, 1, "C 1 100 E\n");
  venue.ports[0].send(EndSession{});
  HEARS(mara, 3, "S E\nend\ngone\n");

  venue.ports[0].send(StartSession{"DAY2"});
  Client next_day(self);
  LOGS_IN(next_day, "accepted 1\n", "MARA", "secret");
  next_day.say(order(1, buying, 100, 1'500'000));
  HEARS(next_day, 2, "S S\nA 1 B 100 AAPL 150.00\n");
}

Task<> nobody_reads(ScenarioSelf self, Venue venue) {
  Client mara(self), otto(self);
  LOGS_IN(mara, "accepted 1\n", "MARA", "secret");
  LOGS_IN(otto, "accepted 1\n", "OTTO", "geheim");
  HEARS(otto, 1, "S S\n");
  const Time deadline = self.now() + patience;
  std::uint32_t user_ref = 0;
  for (std::uint32_t round = 1;; ++round) {
    for (int i = 0; i < 200; ++i) mara.say(order(++user_ref, buying, 0, 1'500'000));
    otto.say(order(round, buying, 1, 1'000'000));
    HEARS(otto, 1, "A " + std::to_string(round) + " B 1 AAPL 100.00\n");
    auto asking = report_of(venue.ports[0]);
    const PortReport report = co_await asking;
    if (!report.attached) {
      CHECK(report.last_end == PortEnd::slow);
      break;
    }
    REQUIRE(self.now() < deadline);
  }
}

Task<> limits_hold(ScenarioSelf self, Venue venue) {
  Client mara(self);
  LOGS_IN(mara, "accepted 1\n", "MARA", "secret");
  mara.say(order(1, buying, 101, 1'500'000));
  HEARS(mara, 2, "S S\nJ 1 1E\n");
  mara.say(order(2, buying, 100, 1'500'000));
  mara.say(order(3, buying, 51, 1'500'000));
  HEARS(mara, 2, "J 3 20\nA 2 B 100 AAPL 150.00\n");
  // What leaves the book makes room.
  mara.say(ouch50::CancelOrder{.user_ref = 2, .quantity = 50});
  HEARS(mara, 1, "C 2 50 U\n");
  mara.say(order(4, buying, 100, 1'500'000));
  HEARS(mara, 1, "A 4 B 100 AAPL 150.00\n");
  mara.say(ouch50::ReplaceOrder{.original_user_ref = 4,
                                .user_ref = 5,
                                .quantity = 101,
                                .price = 1'500'000,
                                .time_in_force = ouch50::TimeInForce::day,
                                .display = ouch50::Display::visible});
  HEARS(mara, 1, "J 5 1E\n");
}

Task<> operator_stops_them(ScenarioSelf self, Venue venue) {
  Client mara(self);
  LOGS_IN(mara, "accepted 1\n", "MARA", "secret");
  mara.say(order(1, buying, 100, 1'500'000));
  HEARS(mara, 2, "S S\nA 1 B 100 AAPL 150.00\n");
  auto engaging = venue.kills.ask(EngageKill::because(KillScope::of_firm("ACME"), "test"), patience);
  const auto engaged = co_await engaging;
  CHECK(engaged);
  HEARS(mara, 1, "C 1 100 S\n");
  mara.say(order(2, buying, 100, 1'500'000));
  mara.say(ouch50::MassCancel{.user_ref = 3});
  mara.say(ouch50::AccountQuery{});
  HEARS(mara, 3, "J 2 C\nX 3\nQ 4\n");
  auto releasing = venue.kills.ask(ReleaseKill{KillScope::of_firm("ACME")}, patience);
  const auto released = co_await releasing;
  CHECK(released);
  mara.say(order(5, buying, 100, 1'500'000));
  HEARS(mara, 1, "A 5 B 100 AAPL 150.00\n");
}

}  // namespace

TEST_CASE("on sockets: limits are checked before the symbol, and what has left makes room") {
  with_venue({.limits = RiskLimits{.largest_order = {100}, .largest_position = 150}}, limits_hold);
}
TEST_CASE("on sockets: an operator stops a firm, whose clients can still cancel") {
  with_venue({.schedulers = 2}, operator_stops_them);
}
TEST_CASE("on sockets: how long each stage of a port took is counted") {
  PortTimes times;
  with_venue({.times = &times}, they_trade);
  CHECK(times.of(PortStage::gateway).count() == 5);
  CHECK(times.of(PortStage::read).count() >= 4);
  CHECK(times.of(PortStage::encode).count() >= 7);
  CHECK(times.of(PortStage::answer).max() < 1'000'000'000);
}
TEST_CASE("on sockets: two accounts trade, replace and cancel; who comes back is told the same to the bit") {
  for (const std::uint32_t schedulers : {1u, 2u}) {
    CAPTURE(schedulers);
    with_venue({.schedulers = schedulers}, they_trade);
  }
}
TEST_CASE("on sockets: orders sent right behind the login reach the port, whole or in pieces") {
  with_venue({.schedulers = 2}, orders_follow_the_login);
}
TEST_CASE("on sockets: whoever comes back and sends his whole day again has no effect") {
  OuchPortOptions port;
  port.cancel_on_disconnect = false;
  with_venue({.schedulers = 2, .port = port, .newest_wins = true}, the_day_is_sent_again);
}
TEST_CASE("on sockets: a trade that an operator breaks is told to both sides, once") {
  with_venue({.schedulers = 2}, a_trade_is_broken);
}
TEST_CASE("on sockets: a second login of an account is refused") { with_venue({.schedulers = 2}, second_is_refused); }
TEST_CASE("on sockets: or takes the place of the first, whose orders stay") {
  with_venue({.schedulers = 2, .newest_wins = true}, second_takes_over);
}
TEST_CASE("on sockets: strangers, huge lengths, other protocols and those who take their time stay outside") {
  with_venue({.gateway = {.soup = {.login_timeout_ns = 200'000'000}}}, strangers);
}
TEST_CASE("on sockets: so many connections from one address, at the door and at the ports together") {
  with_venue({.schedulers = 2, .gateway = {.most_of_address = 2}}, too_many);
}
TEST_CASE("on sockets: a client that dies leaves no orders behind") { with_venue({.schedulers = 2}, client_dies); }
TEST_CASE("on sockets: a client that says nothing is given up") { with_venue({}, client_is_silent); }
TEST_CASE("on sockets: the day ends for everyone, and another begins with message 1") { with_venue({}, day_ends); }
TEST_CASE("on sockets: a client that does not read is cut off, and nobody else notices") {
  with_venue({.schedulers = 2,
              .port = {.cancel_on_disconnect = false, .most_behind = 1'000, .stall_ns = 200'000'000},
              .connection = {.out_bytes = 4'096}},
             nobody_reads);
}
