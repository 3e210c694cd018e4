// A client and its port, joined by bytes that may be torn anywhere: both sides must come to the same end.
#include <outcry/actors/fix_client.hpp>
#include <outcry/actors/fix_port.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <outcry/actors/order_wire.hpp>
#include <outcry/net/input_error.hpp>

#include "fix_venue.hpp"
#include "tests/book/drawn_market.hpp"
#include "tests/scratch.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;
using outcry_test::Draw;

namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t morning = 1'795'226'100'000'000'000;
constexpr AccountId mara{1}, otto{2};

/// What the client believes, from what it is told.
struct Believed {
  struct Order {
    Side side{};
    SymbolId symbol{};
    std::int64_t open = 0;
    bool accepted = false, over = false;
  };
  std::map<std::uint64_t, Order> orders;
  std::int64_t position[2] = {};
  std::int64_t cash[2] = {};
  std::uint64_t fills = 0;
  std::vector<std::string> lines;

  void note(std::string line) { lines.push_back(std::move(line)); }
  void on(const Accepted& e) {
    orders[e.id.value] = {e.side, e.symbol, e.quantity.lots, true, false};
    note("accepted " + std::to_string(e.id.value));
  }
  void on(const Rejected& e) {
    if (e.command == CommandKind::new_order) orders[e.id.value].over = true;
    note("rejected " + std::to_string(e.id.value) + " " + to_string(e.reason));
  }
  void on(const Filled& e) {
    const std::int64_t lots = e.side == Side::buy ? std::int64_t{e.quantity.lots} : -std::int64_t{e.quantity.lots};
    position[e.symbol.value] += lots;
    cash[e.symbol.value] -= lots * e.price.units;
    ++fills;
    Order& order = orders[e.id.value];
    order.open = e.open.lots;
    if (order.open == 0) order.over = true;
    note("filled " + std::to_string(e.id.value) + " " + std::to_string(e.quantity.lots) + " at " +
         std::to_string(e.price.units));
  }
  void on(const Cancelled& e) {
    orders[e.id.value].over = true;
    note("cancelled " + std::to_string(e.id.value) + " " + std::to_string(e.quantity.lots) + " " + to_string(e.reason));
  }
  void on(const Reduced& e) { orders[e.id.value].open = e.open.lots; }
  void on(const Modified& e) {
    orders[e.id.value].open = e.open.lots;
    note("modified " + std::to_string(e.id.value) + " " + std::to_string(e.open.lots));
  }
  void on(const Replaced& e) {
    orders[e.id.value].over = true;
    orders[e.new_id.value] = {e.side, e.symbol, e.quantity.lots, true, false};
    note("replaced " + std::to_string(e.id.value) + " " + std::to_string(e.new_id.value) + " " +
         std::to_string(e.quantity.lots));
  }
};

/// A client, its port, and the two directions of their connection.
class Pair {
 public:
  explicit Pair(fix::Version version) {
    venue.risk.add_account(mara);
    venue.risk.add_account(otto);
    FixPortOptions at_venue;
    at_venue.session = {.version = version, .sender = "VENUE", .target = "MARA"};
    at_venue.orders = {.account = mara, .most_orders = 1'024};
    at_venue.sent = {.messages = 20'000, .bytes = 8'000'000};
    at_venue.client_ids = 20'000;
    port = std::make_unique<FixPort>(at_venue, venue.directory(), venue, time());
    FixClientOptions at_client;
    at_client.session = {.version = version, .sender = "MARA", .target = "VENUE"};
    at_client.account = mara;
    at_client.sent = {.messages = 20'000, .bytes = 8'000'000};
    client = std::make_unique<FixClient>(at_client, venue.directory(), time());
  }

  FixTime time() const { return {now, morning + now}; }

  void connect() {
    port->connected(port_out_, time());
    client->connected(client_out_, time());
  }
  /// What is under way is lost from some byte on.
  void tear(Draw& draw) {
    const auto lose = [&](ByteBuffer& out, std::string& way) {
      way.append(reinterpret_cast<const char*>(out.bytes().data()), out.size());
      out.clear();
      way.resize(draw.below(way.size() + 1));
    };
    lose(client_out_, to_port_);
    lose(port_out_, to_client_);
    carry(draw, true);
    drop();
  }
  void drop() {
    port->disconnected(time());
    client->disconnected(time());
    client_out_.clear();
    port_out_.clear();
    to_port_.clear();
    to_client_.clear();
  }
  /// Some of the bytes arrive, or all.
  void carry(Draw& draw, bool all) {
    move(client_out_, to_port_);
    move(port_out_, to_client_);
    const auto part = [&](std::string& way) {
      std::string arrived = way.substr(0, all ? way.size() : draw.below(way.size() + 1));
      return arrived;
    };
    // What is not whole stays where it is.
    const std::string to_port = part(to_port_), to_client = part(to_client_);
    std::span<const std::byte> rest = bytes_of(to_port);
    bool ends = port->receive(rest, time()) == FixPort::Status::close;
    to_port_.erase(0, to_port.size() - rest.size());
    rest = bytes_of(to_client);
    ends = client->receive(rest, believed, time()) == FixClient::Status::close || ends;
    to_client_.erase(0, to_client.size() - rest.size());
    if (ends && client->is_connected()) {
      ++ended;
      why.append(client->ended_why()).append("/").append(port->ended_why()).append(" ");
      drop();
    }
  }
  void match(std::uint64_t commands) {
    for (; commands != 0; --commands) venue.match_one();
  }
  void hear(std::uint64_t events) {
    for (; events != 0; --events) venue.hear_one([this](const auto& event) { tell(event); });
  }
  void poll() {
    if (client->poll(time()) == FixClient::Status::close || port->poll(time()) == FixPort::Status::close) drop();
  }
  /// Until nothing is under way any more.
  void settle(Draw& draw) {
    if (!client->is_connected()) connect();
    for (int i = 0; i < 200; ++i) {
      if (!client->is_connected()) connect();
      carry(draw, true);
      poll();  // what had no room goes on
      venue.settle([this](const auto& event) { tell(event); });
      if (i > 20 && venue.quiet() && client_out_.empty() && port_out_.empty() && to_port_.empty() && to_client_.empty())
        return;
    }
  }

  FixVenue venue;
  std::unique_ptr<FixPort> port;
  std::unique_ptr<FixClient> client;
  Believed believed;
  Believed venue_side;  // the same events, straight from the books
  std::int64_t now = 0;
  int ended = 0;
  std::string why;

 private:
  static std::span<const std::byte> bytes_of(const std::string& text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
  }
  static void move(ByteBuffer& out, std::string& way) {
    way.append(reinterpret_cast<const char*>(out.bytes().data()), out.size());
    out.clear();
  }
  template <class Event>
  void tell(const Event& event) {
    if (event.account != mara) return;
    port->heard(event, time());
    venue_side.on(event);
  }

  ByteBuffer client_out_{1 << 14}, port_out_{1 << 14};
  std::string to_port_, to_client_;
};

NewOrder new_order(std::uint64_t id, Side side, std::uint32_t lots, std::int64_t price, SymbolId symbol = {}) {
  return {.id = {id}, .price = {price}, .quantity = {lots}, .account = mara, .symbol = symbol, .side = side};
}

}  // namespace

TEST_CASE("a client's commands come back as the events of a symbol, whatever the version") {
  for (const fix::Version version : {fix::Version::v4_2, fix::Version::v4_4}) {
    Draw draw(1);
    Pair pair(version);
    pair.settle(draw);
    const auto heard = [&] {
      pair.settle(draw);
      return std::exchange(pair.believed.lines, {});
    };
    using Lines = std::vector<std::string>;

    CHECK(pair.client->send(new_order(1, Side::buy, 100, 100'000), pair.time()));
    CHECK_FALSE(pair.client->send(new_order(1, Side::buy, 100, 100'000), pair.time()));
    CHECK(heard() == Lines{"accepted 1"});
    pair.client->send(ModifyOrder{.id = {1}, .price = {110'000}, .quantity = {80}, .account = mara}, pair.time());
    CHECK(heard() == Lines{"modified 1 80"});
    pair.venue.send(NewOrder{.id = {9}, .price = {100'000}, .quantity = {30}, .account = otto, .side = Side::sell}, {});
    CHECK(heard() == Lines{"filled 1 30 at 110000"});
    pair.client->send(ReplaceOrder{.id = {1}, .new_id = {2}, .price = {120'000}, .quantity = {60}, .account = mara},
                      pair.time());
    CHECK(heard() == Lines{"replaced 1 2 60"});
    pair.client->send(ReplaceOrder{.id = {2}, .new_id = {3}, .price = {120'001}, .quantity = {60}, .account = mara},
                      pair.time());
    CHECK(heard() == Lines{"rejected 2 unknown_order"});
    pair.client->send(CancelOrder{.id = {2}, .account = mara}, pair.time());
    CHECK(heard() == Lines{"cancelled 2 60 requested"});
    CHECK_FALSE(pair.client->send(CancelOrder{.id = {2}, .account = mara}, pair.time()));
    NewOrder market = new_order(4, Side::buy, 10, 0, {1});
    market.type = OrderType::market;
    market.time_in_force = TimeInForce::immediate_or_cancel;
    pair.client->send(market, pair.time());
    CHECK(heard() == Lines{"accepted 4", "cancelled 4 10 mass_cancelled"});
    pair.client->send(new_order(5, Side::sell, 7, 9'999, {1}), pair.time());
    pair.client->send(new_order(6, Side::sell, 7, 99'999), pair.time());
    CHECK(heard() == Lines{"rejected 6 invalid_combination", "accepted 5"});
    pair.client->send(MassCancel{.account = mara, .symbol = {1}}, pair.time());
    CHECK(heard() == Lines{"cancelled 5 7 mass_cancelled"});
    CHECK(pair.client->open_orders() == 0);
    CHECK(pair.client->not_understood() == 0);
    CHECK(pair.believed.position[0] == 30);
    CHECK(pair.believed.cash[0] == -30 * 110'000);
  }
}

TEST_CASE("what was sent without a connection is done once there is one") {
  Draw draw(1);
  Pair pair(fix::Version::v4_4);
  pair.client->send(new_order(1, Side::buy, 100, 100'000), pair.time());
  pair.settle(draw);
  CHECK(pair.believed.lines == std::vector<std::string>{"accepted 1"});
  pair.drop();
  pair.client->send(CancelOrder{.id = {1}, .account = mara}, pair.time());
  pair.settle(draw);
  CHECK(pair.believed.lines.back() == "cancelled 1 100 requested");
}

TEST_CASE("drawn: over connections that are torn at any byte, client and venue end with the same orders and money") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  for (std::uint64_t round = 0; round < 8; ++round) {
    CAPTURE(round);
    Draw draw(seed + round);
    Pair pair(round % 2 == 0 ? fix::Version::v4_2 : fix::Version::v4_4);
    std::uint64_t id = 0, torn = 0;
    for (int step = 0; step < 1'500; ++step) {
      pair.now += static_cast<std::int64_t>(draw.below(20)) * second / 1'000;
      if (!pair.client->is_connected() && draw.percent(40)) pair.connect();
      const SymbolId symbol{static_cast<std::uint32_t>(draw.below(2))};
      const std::int64_t tick = symbol.value == 0 ? 100 : 1;
      const Price price{(1'000 + static_cast<std::int64_t>(draw.below(12))) * tick};
      const Quantity lots{1 + static_cast<std::uint32_t>(draw.below(60))};
      const Side side = draw.percent(50) ? Side::buy : Side::sell;
      const OrderId known{id == 0 ? 1 : id - draw.below(std::min<std::uint64_t>(id, 12))};
      switch (draw.below(12)) {
        case 0:
        case 1:
        case 2: {
          NewOrder order = new_order(++id, side, lots.lots, price.units, symbol);
          if (draw.percent(10)) order.time_in_force = TimeInForce::immediate_or_cancel;
          if (draw.percent(5)) order.type = OrderType::market;
          pair.client->send(order, pair.time());
          break;
        }
        case 3:
        case 4: pair.client->send(CancelOrder{.id = known, .account = mara}, pair.time()); break;
        case 5:
          pair.client->send(ModifyOrder{.id = known, .price = price, .quantity = lots, .account = mara}, pair.time());
          break;
        case 6:
          pair.client->send(
              ReplaceOrder{.id = known, .new_id = {++id}, .price = price, .quantity = lots, .account = mara},
              pair.time());
          break;
        case 7:
          if (draw.percent(10)) pair.client->send(MassCancel{.account = mara, .symbol = symbol}, pair.time());
          break;
        case 8:
        case 9:
          pair.venue.send(NewOrder{.id = {1'000'000 + static_cast<std::uint64_t>(step)},
                                   .price = price,
                                   .quantity = lots,
                                   .account = otto,
                                   .symbol = symbol,
                                   .side = side,
                                   .time_in_force = TimeInForce::immediate_or_cancel},
                          {});
          break;
        case 10:
          if (pair.client->is_connected() && draw.percent(15)) {
            pair.tear(draw);
            ++torn;
          }
          break;
        default: pair.poll(); break;
      }
      pair.carry(draw, false);
      pair.match(draw.below(3));
      pair.hear(draw.below(4));
    }
    pair.settle(draw);

    CAPTURE(pair.why);
    CHECK(pair.ended == 0);
    CHECK(torn > 2);
    CHECK(pair.venue_side.fills > 50);
    CHECK(pair.believed.fills == pair.venue_side.fills);
    for (int s = 0; s < 2; ++s) {
      CHECK(pair.believed.position[s] == pair.venue_side.position[s]);
      CHECK(pair.believed.cash[s] == pair.venue_side.cash[s]);
    }
    std::uint64_t open = 0;
    std::int64_t lots = 0;
    for (const auto& [number, order] : pair.believed.orders) {
      if (order.over || !order.accepted) continue;
      ++open;
      lots += order.open;
    }
    std::uint64_t resting = 0;
    std::int64_t resting_lots = 0;
    pair.port->orders().each_open([&](OrderHandle, const EnteredOrder& order) {
      ++resting;
      resting_lots += order.open.lots;
    });
    CHECK(open == resting);
    CHECK(lots == resting_lots);
    CHECK(pair.client->open_orders() == resting);
    CHECK(pair.client->not_understood() == 0);
    CHECK(pair.venue.risk.check() == "");
    CHECK(pair.venue.risk.exposure(mara).open_orders == resting);
  }
}

// --- a program that starts again

namespace {

/// What a participant is told.
struct Told final : ParticipantEvents {
  std::vector<std::string> lines;
  template <class Event>
  void note(const char* what, const Event& event) {
    lines.push_back(what + std::string(event.id.value < 1'000 ? " own" : " earlier"));
  }
  void on(const Accepted& e) override { note("accepted", e); }
  void on(const Rejected& e) override { note("rejected", e); }
  void on(const Filled& e) override { note("filled", e); }
  void on(const Cancelled& e) override { note("cancelled", e); }
  void on(const Reduced& e) override { note("reduced", e); }
  void on(const Modified& e) override { note("modified", e); }
  void on(const Replaced& e) override { note("replaced", e); }
  void on(const AcceptedTerms&) override {}
  void on(const Refreshed&) override {}
  void on(const Repriced&) override {}
  std::vector<std::string> take() { return std::exchange(lines, {}); }
};
using Lines = std::vector<std::string>;

/// A venue's port, and one life after the other of a program whose wire remembers.
struct Lives {
  outcry_test::Scratch scratch;
  FixVenue venue;
  std::unique_ptr<FixPort> port;
  Told told;
  std::unique_ptr<OrderWire> wire;
  ByteBuffer wire_out{1 << 16}, port_out{1 << 16};
  std::string to_port, to_wire;
  std::int64_t now_ns = 0;

  Lives() {
    venue.risk.add_account(mara);
    venue.risk.add_account(otto);
    FixPortOptions options;
    options.session = {.version = fix::Version::v4_4, .sender = "VENUE", .target = "MARA"};
    options.orders = {.account = mara, .most_orders = 64};
    port = std::make_unique<FixPort>(options, venue.directory(), venue, time());
  }
  FixTime time() const {
    const auto utc = std::chrono::system_clock::now().time_since_epoch();
    return {now_ns, std::chrono::duration_cast<std::chrono::nanoseconds>(utc).count()};
  }
  /// The life before, if there was one, ends without a word.
  void begin(const std::string& memory) {
    if (port->is_connected()) port->disconnected(time());
    wire_out.clear();
    port_out.clear();
    to_port.clear();
    to_wire.clear();
    OrderWireOptions options{.sender = "MARA", .target = "VENUE", .memory = memory, .account = mara};
    for (const auto& listed : venue.directory().all()) options.instruments.push_back(listed.instrument);
    // Two lives do not begin in the same millisecond.
    for (const auto began = time().utc_ns / 1'000'000; time().utc_ns / 1'000'000 == began;) std::this_thread::yield();
    wire = fix_wire(options, told);
    port->connected(port_out, time());
    wire->connected(wire_out, now_ns);
    carry();
  }
  void carry() {
    const auto move = [](ByteBuffer& out, std::string& way) {
      way.append(reinterpret_cast<const char*>(out.bytes().data()), out.size());
      out.clear();
    };
    for (int turn = 0; turn < 20; ++turn) {
      move(wire_out, to_port);
      std::span<const std::byte> rest{reinterpret_cast<const std::byte*>(to_port.data()), to_port.size()};
      port->receive(rest, time());
      to_port.erase(0, to_port.size() - rest.size());
      venue.settle([&](const auto& event) {
        if (event.account == mara) port->heard(event, time());
      });
      move(port_out, to_wire);
      rest = {reinterpret_cast<const std::byte*>(to_wire.data()), to_wire.size()};
      wire->receive(rest, now_ns);
      to_wire.erase(0, to_wire.size() - rest.size());
    }
  }
  void buys(std::uint64_t id, std::uint32_t lots) {
    wire->take(NewOrder{.id = {id}, .price = {100'000}, .quantity = {lots}, .account = mara});
    carry();
  }
  void otto_sells(std::uint32_t lots) {
    venue.send(NewOrder{.id = {1u << 30}, .price = {100'000}, .quantity = {lots}, .account = otto, .side = Side::sell},
               {});
  }
};

}  // namespace

TEST_CASE("a program that starts again goes on with its FIX session, and knows what of its orders is left") {
  Lives lives;
  const std::string memory = lives.scratch.path("session");
  lives.begin(memory);
  REQUIRE(lives.wire->ready());
  lives.buys(1, 10);
  lives.buys(2, 20);
  lives.buys(3, 30);
  lives.wire->take(CancelOrder{.id = {2}, .account = mara});
  lives.wire->take(ModifyOrder{.id = {3}, .price = {100'000}, .quantity = {40}, .account = mara});
  lives.carry();
  CHECK(lives.told.take() == Lines{"accepted own", "accepted own", "accepted own", "cancelled own", "modified own"});
  CHECK(lives.wire->open_orders() == 2);

  // It is killed, and what trades meanwhile nobody hears.
  lives.port->disconnected(lives.time());
  lives.otto_sells(14);
  lives.carry();

  lives.begin(memory);
  REQUIRE(lives.wire->ready());
  CHECK(lives.wire->open_orders() == 1);  // the third, of which 36 are left
  CHECK(lives.told.take() == Lines{"accepted earlier", "accepted earlier", "accepted earlier", "cancelled earlier",
                                   "modified earlier", "filled earlier", "filled earlier"});
  // Names of the new life are other ones, and what becomes of the old orders is not mistaken for it.
  lives.buys(1, 5);
  CHECK(lives.told.take() == Lines{"accepted own"});
  CHECK(lives.wire->open_orders() == 2);
  lives.otto_sells(36);
  lives.carry();
  CHECK(lives.told.take() == Lines{"filled earlier"});
  lives.buys(2, 6);

  // And a third life, which cancels what both have left.
  lives.begin(memory);
  REQUIRE(lives.wire->ready());
  CHECK(lives.wire->open_orders() == 2);
  lives.told.take();
  lives.wire->take(MassCancel{.account = mara, .symbol = {0}});
  lives.carry();
  CHECK(lives.told.take() == Lines{"cancelled earlier", "cancelled earlier"});
  CHECK(lives.wire->open_orders() == 0);
  CHECK(lives.venue.risk.holding(mara, {0}) == Holding{.position = 50});
}

TEST_CASE("without a memory a program that starts again begins a new session, and its names are new all the same") {
  Lives lives;
  lives.begin("");
  lives.buys(1, 10);
  lives.begin("");
  REQUIRE(lives.wire->ready());
  CHECK(lives.wire->open_orders() == 0);
  lives.buys(1, 20);
  CHECK(lives.wire->open_orders() == 1);
  lives.told.take();
  lives.otto_sells(10);
  lives.carry();
  CHECK(lives.told.take() == Lines{"filled earlier"});
}

TEST_CASE("a memory that is damaged, or another session's, is not gone on with") {
  const outcry_test::Scratch scratch;
  Told told;
  const auto refusal = [&](const std::string& path, const std::string& target) -> std::string {
    try {
      (void)fix_wire({.sender = "MARA", .target = target, .memory = path}, told);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  const std::string path = scratch.path("session");
  CHECK(refusal(path, "VENUE") == "");
  const std::string whole = scratch.read("session");
  CHECK(whole == "outcry fix session, version 1, MARA at VENUE, next message 00000000000000000001\n");
  CHECK(refusal(path, "VENUE") == "");
  CHECK(refusal(path, "OTHER").starts_with(path + ", line 1: found \"outcry fix session"));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    CAPTURE(size);
    REQUIRE(refusal(scratch.write("session", whole.substr(0, size)), "VENUE") != "");
  }
  REQUIRE(refusal(scratch.write("session", whole + "x"), "VENUE") != "");
}
