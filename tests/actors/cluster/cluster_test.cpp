// A market spread over processes: participants at symbols elsewhere, the directory, and nodes that are lost.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include <outcry/actors/symbol.hpp>
#include <outcry/actors/trader.hpp>
#include <outcry/caf/node.hpp>
#include <outcry/cluster/directory.hpp>
#include <outcry/cluster/remote_symbol.hpp>
#include <outcry/runtime/runtime.hpp>

#include "tests/runtime/caf/other_process.hpp"

using namespace std::chrono_literals;

namespace outcry {
namespace {

using Lines = std::vector<std::string>;

struct Node {
  explicit Node(std::chrono::milliseconds silence = 3s)
      : caf({.heartbeat = silence / 6, .silence = silence, .announce = announce_market_words}) {}

  CafNode caf;
  Runtime runtime{{.idle = IdlePolicy::sleep, .pin = false, .log = [](std::string_view) {}}};
  CafStage stage{caf.system(), runtime};
};

/// One symbol and its gateway on a node.
struct Exchange : Node {
  explicit Exchange(WhenLost when_lost = WhenLost::cancel, std::chrono::milliseconds silence = 3s) : Node(silence) {
    address = runtime.spawn({.name = "symbol"}, symbol, SymbolOptions{.pool = &pool});
    gateway = stage.spawn({.name = "gateway"}, symbol_gateway, GatewayOptions{address, when_lost, &stage}).handle;
  }
  std::string port() {
    const auto port = caf.publish(gateway, 0);
    REQUIRE(port);
    return std::to_string(*port);
  }

  OrderPool pool;
  SymbolAddress address;
  caf::actor gateway;
};

std::string line(const Quote& quote) {
  return quote.has_bid() ? std::to_string(quote.bid_quantity) + " at " + std::to_string(quote.bid.units) : "none";
}

/// Writes down the best bid as it changes until the third order of the participant is there, signals its process, and goes
/// on until nothing is left; then ends the symbol.
Actor watches(Self<Quote> self, SymbolAddress symbol, Lines* lines, OtherProcess* participant, int signal) {
  symbol.send(SubscribeQuotes{self.address()});
  bool lost = false;
  while (auto quote = co_await self.receive()) {
    lines->push_back(line(*quote));
    if (lost && !quote->has_bid()) break;
    if (quote->bid != Price{103} || lost) continue;
    lost = true;
    participant->line();  // "placed": it knows, too
    participant->signal(signal);
  }
  symbol.stop();
}

/// The same where the orders stay: waits until the session is gone, and asks what is there then.
Actor looks_afterwards(Self<Quote> self, SymbolAddress symbol, Lines* lines, OtherProcess* participant) {
  symbol.send(SubscribeQuotes{self.address()});
  while (auto quote = co_await self.receive())
    if (quote->bid == Price{103}) break;
  participant->line();
  const std::uint64_t with_session = self.runtime().actors();
  participant->signal(SIGKILL);
  while (self.runtime().actors() != with_session - 3) co_await self.yield();  // session, its porter and its clerk
  auto asking = symbol.ask(QuoteQuery{});
  const auto quote = co_await asking;
  lines->push_back(quote ? line(*quote) : "no answer");
  symbol.stop();
}

/// Stops an actor when another one has ended.
Actor ends_with(Self<Down> self, AnyAddress first, AnyAddress second) {
  self.monitor(first);
  co_await self.receive();
  second.stop();
}

/// Rests an order at a remote symbol, sees it trade in part with one of its own, and writes down what it hears.
Strategy trades(Trader& trader) {
  const OrderId first = trader.sell(Quantity{10}, Price{105});
  while (const auto update = co_await trader.next()) {
    const OrderState* order = trader.order(first);
    if (order->progress == OrderProgress::live && trader.open_orders().size() == 1)
      trader.buy(Quantity{4}, Price{105}, {.time_in_force = TimeInForce::immediate_or_cancel});
    if (order->progress == OrderProgress::partly_filled && trader.open_orders().size() == 1) {
      trader.cancel(first);
    }
    if (order->progress == OrderProgress::cancelled) break;
  }
}

}  // namespace

TEST_CASE("a strategy trades a symbol of another node with the source that trades one of its own") {
  TraderReport reports[2];
  for (const bool remotely : {false, true}) {
    Exchange exchange;
    Node node;
    exchange.runtime.start();
    SymbolAddress listed = exchange.address;
    Runtime& stage = remotely ? node.runtime : exchange.runtime;
    if (remotely) {
      const auto connected = node.caf.connect("127.0.0.1", static_cast<std::uint16_t>(std::stoi(exchange.port())));
      REQUIRE(connected);
      listed = node.stage.spawn({.name = "remote"}, remote_symbol, *connected, SymbolId{}).address;
    }
    const auto address = stage.spawn(
        trader,
        TraderSetup{.strategy = trades, .symbols = {{Instrument{}, listed}}, .report = &reports[remotely ? 1 : 0]});
    stage.spawn(ends_with, AnyAddress(address), AnyAddress(listed));
    if (remotely) {
      node.runtime.run();
      exchange.address.stop();
    }
    exchange.runtime.join();
  }

  for (const TraderReport& report : reports) {
    CHECK(report.failure == "");
    CHECK(report.orders == 2);
    CHECK(report.refused == 0);
    REQUIRE(report.lines.size() == 1);
    CHECK(report.lines[0].position.bought == 4);
    CHECK(report.lines[0].position.sold == 4);
    CHECK(report.lines[0].position.cash == 0);
  }
}

TEST_CASE("a participant's node that is killed, or falls silent, leaves no order behind") {
  for (const int signal : {SIGKILL, SIGSTOP}) {
    Exchange exchange(WhenLost::cancel, 600ms);
    OtherProcess participant({OUTCRY_CLUSTER_PEER, "participant", exchange.port()});
    Lines lines;
    exchange.runtime.spawn(watches, exchange.address, &lines, &participant, signal);
    exchange.runtime.run();

    CHECK(lines == Lines{"none", "10 at 101", "10 at 102", "10 at 103", "none"});
  }
}

TEST_CASE("orders of a lost node stay in the book where the exchange wants it so") {
  Exchange exchange(WhenLost::keep);
  OtherProcess participant({OUTCRY_CLUSTER_PEER, "participant", exchange.port()});
  Lines lines;
  exchange.runtime.spawn(looks_afterwards, exchange.address, &lines, &participant);
  exchange.runtime.run();

  CHECK(lines == Lines{"10 at 103"});
}

namespace {

Lines* heard = nullptr;
OtherProcess* exchange_process = nullptr;

/// Rests an order, loses the exchange, tries another order.
Strategy loses_exchange(Trader& trader) {
  OrderId order = trader.buy(Quantity{10}, Price{99});
  while (const auto update = co_await trader.next()) {
    if (update.news != Trader::News::order || update.order != order) continue;
    const OrderState& state = *trader.order(order);
    heard->push_back(std::string(to_string(state.progress)) + " " + to_string(state.reason));
    if (state.progress == OrderProgress::live) exchange_process->signal(SIGKILL);
    if (state.progress == OrderProgress::cancelled) order = trader.buy(Quantity{10}, Price{98});
    if (state.progress == OrderProgress::refused) break;
  }
}

}  // namespace

TEST_CASE("an exchange's node that is killed closes its market for the strategies elsewhere") {
  OtherProcess exchange({OUTCRY_CLUSTER_PEER, "exchange"});
  Lines lines;
  heard = &lines;
  exchange_process = &exchange;
  Node node;
  const auto gateway = node.caf.connect("127.0.0.1", static_cast<std::uint16_t>(std::stoi(exchange.line())));
  REQUIRE(gateway);
  const auto remote = node.stage.spawn({.name = "remote"}, remote_symbol, *gateway, SymbolId{});
  const auto strategy =
      node.runtime.spawn(trader, TraderSetup{.strategy = loses_exchange, .symbols = {{Instrument{}, remote.address}}});
  node.runtime.spawn(ends_with, AnyAddress(strategy), AnyAddress(remote.address));
  node.runtime.run();

  CHECK(lines == Lines{"live none", "cancelled market_closed", "refused market_closed"});
}

namespace {

Actor asks_directory(Self<> self, CafSelf caf, caf::actor directory, caf::actor gateway, caf::actor other,
                     Lines* lines) {
  const auto said = [&](const Reply<CafAnswer>& answer) {
    lines->push_back(!answer                                ? "nothing"
                     : !*answer                             ? caf_text(caf.system(), answer->error())
                     : answer->holds<Listing, caf::actor>() ? "found " + std::string(answer->get<Listing>().name.data())
                                                            : "listed");
  };
  const Listing listing = listing_of({.symbol = {4}, .name = padded_name("OUTC")});
  auto nobody = caf.ask(directory, 10s, FindSymbol{{4}});
  said(co_await nobody);
  auto first = caf.ask(directory, 10s, listing, gateway);
  said(co_await first);
  auto second = caf.ask(directory, 10s, listing, other);
  said(co_await second);
  auto found = caf.ask(directory, 10s, FindSymbol{{4}});
  said(co_await found);
  caf.send(gateway, caf::exit_msg{gateway.address(), caf::make_error(caf::exit_reason::kill)});
  for (;;) {  // until the directory has heard
    auto again = caf.ask(directory, 10s, listing, other);
    const auto answer = co_await again;
    if (answer && !*answer) continue;
    said(answer);
    break;
  }
  caf.send(directory, caf::exit_msg{directory.address(), caf::make_error(caf::exit_reason::kill)});
  static_cast<void>(self);
}

}  // namespace

TEST_CASE("the directory lists a symbol once, finds it, and frees it when its gateway is gone") {
  Node node;
  const auto stays = [](caf::event_based_actor*) -> caf::behavior { return {[](caf::ok_atom) {}}; };
  const caf::actor gateway = node.caf.system().spawn(stays), other = node.caf.system().spawn(stays);
  Lines lines;
  const auto book = node.stage.spawn({.name = "directory"}, directory);
  node.stage.spawn({}, asks_directory, book.handle, gateway, other, &lines);
  node.runtime.run();
  caf::anon_send_exit(other, caf::exit_reason::kill);

  REQUIRE(lines.size() == 5);
  CHECK(lines[0].find("nobody has the symbol") != std::string::npos);
  CHECK(lines[1] == "listed");
  CHECK(lines[2].find("listed already") != std::string::npos);
  CHECK(lines[3] == "found OUTC");
  CHECK(lines[4] == "listed");
}

}  // namespace outcry
