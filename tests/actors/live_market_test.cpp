// LiveMarket: strategies on an exchange over sockets, both in this process, on threads of their own.
#include <outcry/actors/live_market.hpp>

#include <doctest/doctest.h>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <outcry/actors/exchange.hpp>

#include "../scratch.hpp"

using namespace outcry;
using namespace std::chrono_literals;

namespace {

/// A port for datagrams that nobody has.
std::uint16_t free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  ::close(descriptor);
  return ntohs(address.sin_port);
}

/// An exchange with two symbols, doors for OUCH and FIX, and a feed for each of two listeners.
class Venue {
 public:
  explicit Venue(bool keeps_orders = false) {
    const std::string a = "127.0.0.1:" + std::to_string(free_port()), b = "127.0.0.1:" + std::to_string(free_port());
    const std::string file = scratch_.write("venue.toml", R"(
[[instrument]]
symbol = "AAPL"
tick = 100
[[instrument]]
symbol = "MSFT"
tick = 100
[[gateway]]
name = "ouch"
protocol = "ouch50"
address = "127.0.0.1:0"
[[gateway]]
name = "fix"
protocol = "fix"
address = "127.0.0.1:0"
[[account]]
user = "MAKER"
password = "one"
cancel_on_disconnect = )" + (keeps_orders ? std::string("false") : std::string("true")) +
                                                              R"(
[[account]]
user = "TAKER"
password = "two"
[[feed]]
session = "AAPLFEED"
a = ")" + a + R"("
symbols = ["AAPL"]
requests = "127.0.0.1:0"
snapshots = "127.0.0.1:0"
[[feed]]
session = "MSFTFEED"
a = ")" + b + R"("
symbols = ["MSFT"]
requests = "127.0.0.1:0"
snapshots = "127.0.0.1:0"
)");
    exchange_.emplace(VenueConfig::read(file), [](std::string_view) {});
    exchange_->start();
  }

  Exchange& exchange() { return *exchange_; }
  Endpoint at(ExchangeDoor::Kind kind, std::string_view name) {
    const ExchangeDoor* const door = exchange_->door(kind, name);
    REQUIRE(door != nullptr);
    return door->at;
  }

  /// As `user`, by `gateway`; with the feeds, which only one listener can have.
  LiveOptions options(const std::string& user, const std::string& password, const std::string& gateway, bool listens) {
    LiveOptions options;
    options.instruments = exchange_->instruments();
    options.orders.venue = at(ExchangeDoor::Kind::gateway, gateway);
    options.orders.wire = gateway == "fix" ? fix_wire : ouch_wire;
    options.orders.login = {.user = user, .password = password, .sender = user, .target = "OUTCRY"};
    options.orders.first_pause = 10ms;
    options.idle = IdlePolicy::sleep;
    options.patience = 20s;
    if (!listens) return options;
    for (const std::string session : {"AAPLFEED", "MSFTFEED"}) {
      LiveOptions::Feed feed;
      feed.subscriber.client.session = mold::Session(std::string_view(session));
      feed.subscriber.line_a = FeedLine{.local = at(ExchangeDoor::Kind::feed_a, session)};
      feed.subscriber.requests = at(ExchangeDoor::Kind::requests, session);
      feed.subscriber.snapshots = at(ExchangeDoor::Kind::snapshots, session);
      feed.subscriber.user = user;
      feed.subscriber.password = password;
      feed.symbols = {SymbolId{session == "AAPLFEED" ? 0u : 1u}};
      options.feeds.push_back(std::move(feed));
    }
    return options;
  }

 private:
  outcry_test::Scratch scratch_;
  std::optional<Exchange> exchange_;
};

/// Stands between a client and the venue, and cuts their connection after so many bytes of the venue's, some times.
class Cutter {
 public:
  Cutter(const Endpoint& venue, std::size_t bytes, int times) : venue_(venue), bytes_(bytes), left_(times) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 4) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    at_ = *Endpoint::parse("127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
    thread_ = std::thread([this] { work(); });
  }
  ~Cutter() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  Endpoint at() const { return at_; }
  int times_cut() const { return cut_; }

 private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  void work() {
    for (int client; (client = ::accept(listener_, nullptr, nullptr)) >= 0;) {
      const int venue = ::socket(AF_INET, SOCK_STREAM, 0);
      const sockaddr_in address = loopback(venue_.port());
      if (::connect(venue, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) pass(client, venue);
      ::close(client);
      ::close(venue);
    }
  }
  void pass(int client, int venue) {
    std::size_t passed = 0;
    char bytes[4096];
    for (;;) {
      pollfd both[3] = {{client, POLLIN, 0}, {venue, POLLIN, 0}, {listener_, POLLHUP, 0}};
      if (::poll(both, 3, -1) < 0 || (both[2].revents & POLLHUP) != 0) return;
      for (int i = 0; i < 2; ++i) {
        if (both[i].revents == 0) continue;
        const ssize_t size = ::read(both[i].fd, bytes, sizeof bytes);
        if (size <= 0) return;
        const auto whole = static_cast<std::size_t>(size);
        if (i == 1 && left_ > 0 && (passed += whole) > bytes_) {
          --left_;
          ++cut_;
          return;  // what was just read is lost, too
        }
        for (std::size_t sent = 0; sent < whole;) {
          const ssize_t part = ::send(both[1 - i].fd, bytes + sent, whole - sent, MSG_NOSIGNAL);
          if (part <= 0) return;
          sent += static_cast<std::size_t>(part);
        }
      }
    }
  }

  Endpoint venue_, at_{};
  std::size_t bytes_;
  int left_;
  std::atomic<int> cut_{0};
  int listener_ = -1;
  std::thread thread_;
};

constexpr Price low{1'000'000}, high{1'010'000};

/// Quotes both sides of both symbols until it has traded 1,000 shares, on whatever venue.
Strategy quotes_two_symbols(Trader& trader) {
  OrderId bids[2], asks[2];
  std::uint64_t traded = 0;
  const auto work = [&] {
    for (std::uint32_t s = 0; s < 2; ++s) {
      trader.keep(bids[s], Side::buy, Quantity{100}, low, {.symbol = SymbolId{s}});
      trader.keep(asks[s], Side::sell, Quantity{100}, high, {.symbol = SymbolId{s}});
    }
  };
  work();
  while (const auto update = co_await trader.next()) {
    if (update.news != Trader::News::order) continue;
    traded = 0;
    for (std::uint32_t s = 0; s < 2; ++s)
      traded += trader.position(SymbolId{s}).bought + trader.position(SymbolId{s}).sold;
    if (traded >= 1'000) break;
    work();
  }
}

/// Takes what it sees on the feed, in turn from either side.
Strategy takes_what_it_sees(Trader& trader) {
  std::uint32_t count = 0;
  while (const auto update = co_await trader.next()) {
    if (update.news != Trader::News::quote) continue;
    const Quote& quote = trader.quote(update.symbol);
    if (!quote.has_both() || !trader.open_orders().empty()) continue;
    const OrderOptions options{.symbol = update.symbol, .time_in_force = TimeInForce::immediate_or_cancel};
    const Quantity size{30 + 10 * (count % 5)};
    if (++count % 3 == 0) {
      trader.sell(size, quote.bid, options);
    } else {
      trader.buy(size, quote.ask, options);
    }
  }
}

struct Sum {
  std::int64_t lots[2] = {}, cash = 0;
  std::uint64_t bought = 0, sold = 0;
  explicit Sum(const TraderReport& report) {
    for (std::size_t s = 0; s < report.lines.size(); ++s) {
      lots[s] = report.lines[s].position.lots;
      cash += report.lines[s].position.cash;
      bought += report.lines[s].position.bought;
      sold += report.lines[s].position.sold;
    }
  }
};

/// The maker by one door, the taker by the other. Both, and the venue, end with the same.
void trade(const std::string& maker_gateway, const std::string& taker_gateway, int cuts = 0,
           bool keeps_orders = false) {
  Venue venue(keeps_orders);
  LiveOptions maker_options = venue.options("MAKER", "one", maker_gateway, false);
  maker_options.strategy = quotes_two_symbols;
  Cutter cutter(maker_options.orders.venue, maker_gateway == "fix" ? 2'000 : 500, cuts);
  if (cuts > 0) maker_options.orders.venue = cutter.at();
  LiveMarket maker(maker_options);
  LiveOptions taker_options = venue.options("TAKER", "two", taker_gateway, true);
  taker_options.strategy = takes_what_it_sees;
  taker_options.length = 60s;
  LiveMarket taker(taker_options);

  LiveReport maker_report, taker_report;
  std::thread making([&] {
    maker_report = maker.run();
    taker.stop();
  });
  taker_report = taker.run();
  maker.stop();
  making.join();
  venue.exchange().drain();
  const ExchangeReport at_the_venue = venue.exchange().join();

  CHECK(maker_report.error.empty());
  CHECK(taker_report.error.empty());
  CHECK(maker_report.open_orders == 0);
  CHECK(taker_report.open_orders == 0);
  CHECK(taker_report.feed_messages > 0);
  CHECK(taker_report.feeds_stale == 0);
  const Sum made(maker.trader_report()), taken(taker.trader_report());
  CHECK(made.bought + made.sold >= 1'000);
  CHECK(made.bought == taken.sold);
  CHECK(made.sold == taken.bought);
  CHECK(made.lots[0] == -taken.lots[0]);
  CHECK(made.lots[1] == -taken.lots[1]);
  CHECK(made.cash == -taken.cash);
  CHECK(at_the_venue.shares == made.bought + made.sold);
  CHECK(maker.trader_report().failure.empty());
  CHECK(cutter.times_cut() == cuts);
  CHECK(maker_report.times_lost >= static_cast<std::uint32_t>(cuts));
}

}  // namespace

TEST_CASE(
    "a strategy trades on an exchange over OUCH against one over FIX, and all three end with the same position and "
    "cash") {
  trade("ouch", "fix");
}

TEST_CASE("and the other way round") { trade("fix", "ouch"); }

TEST_CASE("a strategy whose connection is cut again and again knows its orders, its position and its cash") {
  SUBCASE("OUCH, and the venue cancels what it has open") { trade("ouch", "fix", 4); }
  SUBCASE("OUCH, and the venue keeps what it has open") { trade("ouch", "fix", 4, true); }
  SUBCASE("FIX, and the venue cancels what it has open") { trade("fix", "ouch", 4); }
  SUBCASE("FIX, and the venue keeps what it has open") { trade("fix", "ouch", 4, true); }
}

TEST_CASE("a venue that cannot be reached, or does not want us, is said to be so") {
  Venue venue;
  LiveOptions options = venue.options("MAKER", "one", "ouch", false);
  options.strategy = quotes_two_symbols;
  options.patience = 300ms;
  options.orders.login.password = "wrong";
  LiveMarket refused(options);
  const LiveReport not_let_in = refused.run();
  CHECK(not_let_in.error == "the venue refuses this user and password");

  options.orders.venue = *Endpoint::parse("127.0.0.1:1");
  LiveMarket lost(options);
  const LiveReport unreachable = lost.run();
  CHECK(unreachable.error.find("127.0.0.1:1: ") == 0);
  CHECK(unreachable.error.find("Connection refused") != std::string::npos);
}
