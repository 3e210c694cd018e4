// A venue in this process: its doors, what it tells the world, and how its day ends.
#include <outcry/actors/exchange.hpp>
#include <outcry/actors/load_run.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <outcry/net/moldudp64.hpp>

#include "tests/scratch.hpp"

using namespace outcry;
using outcry_test::Scratch;
using Kind = ExchangeDoor::Kind;

namespace {

/// Somebody who listens to a feed.
class Listening {
 public:
  Listening() : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    const timeval patience{5, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    port_ = ntohs(address.sin_port);
  }
  ~Listening() { ::close(socket_); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  std::uint16_t port() const { return port_; }
  /// The types of all messages up to the end of the session.
  std::string until_end() {
    std::string types;
    for (char bytes[2'048];;) {
      const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
      if (got <= 0) return types + " and then silence";
      const auto decoded = mold::decode({reinterpret_cast<const std::byte*>(bytes), static_cast<std::size_t>(got)});
      REQUIRE(decoded);
      decoded.packet.each(
          [&](std::uint64_t, std::span<const std::byte> message) { types += static_cast<char>(message[0]); });
      if (decoded.packet.is_end()) return types;
    }
  }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

std::string file(std::uint16_t feed_port, const std::string& more = {}) {
  return "schedulers = 2\n[[instrument]]\nsymbol = \"AAPL\"\ntick = 100\n[[instrument]]\nsymbol = \"MSFT\"\ntick = "
         "100\n"
         "[[gateway]]\nname = \"ouch\"\nprotocol = \"ouch50\"\naddress = \"127.0.0.1:0\"\n"
         "[[gateway]]\nname = \"ouch42\"\nprotocol = \"ouch42\"\naddress = \"127.0.0.1:0\"\n"
         "[[gateway]]\nname = \"fix\"\nprotocol = \"fix\"\naddress = \"127.0.0.1:0\"\n"
         "[[account]]\nuser = \"LOAD#\"\npassword = \"pass\"\ncopies = 4\n"
         "[[feed]]\nsession = \"ITCH\"\na = \"127.0.0.1:" +
         std::to_string(feed_port) +
         "\"\nrequests = \"127.0.0.1:0\"\nsnapshots = \"127.0.0.1:0\"\n"
         "[metrics]\naddress = \"127.0.0.1:0\"\n"
         "[sizes]\norders = 10000\nport_orders = 1024\nport_ids = 1024\nmessages = 65536\nmessage_bytes = 4194304\n"
         "feed_messages = 65536\nfeed_bytes = 4194304\ndrain = \"5s\"\n" +
         more;
}

/// What a venue's log says, kept.
struct Log {
  std::mutex mutex;
  std::vector<std::string> lines;
  std::function<void(std::string_view)> function() {
    return [this](std::string_view line) {
      const std::lock_guard lock(mutex);
      lines.emplace_back(line);
    };
  }
};

VenueConfig config(const std::string& text) {
  const Scratch scratch;
  return VenueConfig::read(scratch.write("venue.toml", text));
}

LoadReport load(const Exchange& exchange, std::uint32_t connections) {
  LoadOptions options;
  options.venue = exchange.door(Kind::gateway, "ouch")->at;
  options.user = "LOAD#";
  options.password = "pass";
  options.plan = {.connections = connections, .rate = 2'000, .length = std::chrono::milliseconds(300)};
  options.orders.symbols = {"AAPL", "MSFT"};
  return LoadRun(options).run();
}

}  // namespace

TEST_CASE("every door of a venue opens at a port of its own, and what trades there is told on the feed to its end") {
  Listening feed;
  Log log;
  Exchange exchange(config(file(feed.port())), log.function());
  exchange.start();
  for (const ExchangeDoor& door : exchange.doors()) {
    CAPTURE(door.name);
    CHECK(door.at.port() != 0);
    CHECK(door.at.is_loopback());
  }
  CHECK(exchange.doors().size() == 7);
  CHECK(exchange.door(Kind::gateway, "fix") != nullptr);
  CHECK(exchange.door(Kind::gateway, "none") == nullptr);

  // Read as it comes: what a socket has no room for is lost.
  auto telling = std::async(std::launch::async, [&] { return feed.until_end(); });
  const LoadReport traded = load(exchange, 4);
  for (const std::string& sentence : traded.wrong) MESSAGE(sentence);
  CHECK(traded.good());
  CHECK(traded.counts.executions > 0);
  CHECK(traded.counts.bought == traded.counts.sold);
  exchange.drain();
  const ExchangeReport report = exchange.join();

  CHECK(report.in_time);
  CHECK(report.failures == 0);
  CHECK(2 * report.trades == traded.counts.executions);
  CHECK(report.shares == traded.counts.bought);
  CHECK(report.commands >= traded.sent);
  const std::string told = telling.get();
  CHECK(told.starts_with("S"));
  CHECK(told.ends_with("S"));  // the end of messages
  for (const char type : {'R', 'A', 'E', 'D'}) CHECK(told.find(type) != std::string::npos);
  // What LOAD1 to LOAD4 have to say of their way.
  CHECK(report.sessions.size() == 8);
  CHECK(report.sessions[0].name == "LOAD1@ouch");
  CHECK(report.sessions[0].times->of(PortStage::gateway).count() > 0);
}

TEST_CASE("a venue that is told to end its day twice, or has nobody in it, ends it once, and soon") {
  Listening feed;
  Log log;
  const auto begin = std::chrono::steady_clock::now();
  Exchange exchange(config(file(feed.port())), log.function());
  exchange.start();
  exchange.drain();
  exchange.drain();
  const ExchangeReport report = exchange.join();
  CHECK(report.in_time);
  CHECK(report.trades == 0);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
}

TEST_CASE("a venue that is stopped, or was never started, leaves no thread, no descriptor and no port behind") {
  Listening feed;
  Log log;
  const auto count = [](const char* folder) {
    return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
  };
  std::thread([] {}).join();  // a sanitizer starts one of its own with the first
  const auto threads = count("/proc/self/task"), descriptors = count("/proc/self/fd");
  // A thread that was joined may be listed a moment longer.
  const auto is_gone = [&] {
    for (int look = 0; look < 100'000 && count("/proc/self/task") > threads; ++look) std::this_thread::yield();
    return count("/proc/self/task") == threads && count("/proc/self/fd") == descriptors;
  };
  {
    const Exchange unstarted(config(file(feed.port())), log.function());
  }
  CHECK(is_gone());

  std::vector<ExchangeDoor> doors;
  {
    Exchange stopped(config(file(feed.port())), log.function());
    stopped.start();
    doors = stopped.doors();
    stopped.stop();
    stopped.join();
  }
  CHECK(is_gone());
  // Where it was there is room for another one.
  VenueConfig same = config(file(feed.port()));
  for (std::size_t i = 0; i < same.gateways.size(); ++i) same.gateways[i].address = doors[i].at;
  for (const ExchangeDoor& door : doors)
    if (door.kind == Kind::metrics) same.metrics.address = door.at;
  Exchange next(std::move(same), log.function());
  next.start();
  CHECK(next.doors()[0].at == doors[0].at);
  next.drain();
  CHECK(next.join().in_time);
}

TEST_CASE("a door that somebody has already keeps a venue from starting, and says which") {
  Listening feed;
  Log log;
  Exchange first(config(file(feed.port())), log.function());
  first.start();
  for (const Kind kind : {Kind::gateway, Kind::requests, Kind::snapshots, Kind::metrics}) {
    const std::string taken = first.door(kind)->at.text();
    CAPTURE(taken);
    VenueConfig second = config(file(feed.port()));
    if (kind == Kind::gateway) second.gateways[0].address = first.door(kind)->at;
    if (kind == Kind::requests) second.feeds[0].requests = first.door(kind)->at;
    if (kind == Kind::snapshots) second.feeds[0].snapshots = first.door(kind)->at;
    if (kind == Kind::metrics) second.metrics.address = first.door(kind)->at;
    Exchange exchange(std::move(second), log.function());
    std::string said;
    try {
      exchange.start();
    } catch (const std::runtime_error& error) {
      said = error.what();
    }
    CHECK(said.find(taken) != std::string::npos);
    CHECK(said.find("Address already in use") != std::string::npos);
  }
}

TEST_CASE("accounts of one group do not trade with each other, whatever their ports are called in the books") {
  Listening feed;
  Log log;
  std::string text = file(feed.port(), "[rules]\nself_trade = \"cancel_newest\"\n");
  text.replace(text.find("copies = 4"), 10, "copies = 4\ngroup = 7");
  Exchange exchange(config(text), log.function());
  exchange.start();
  const LoadReport none = load(exchange, 4);
  CHECK(none.good());
  CHECK(none.counts.executions == 0);
  exchange.drain();
  CHECK(exchange.join().trades == 0);
}

TEST_CASE("rules and a day in a venue's file are the books'") {
  Listening feed;
  Log log;
  // Trading is halted from the start: an order is refused, and the load knows it was told so.
  Exchange exchange(config(file(feed.port(),
                                "[rules]\nself_trade = \"cancel_newest\"\n[day]\nopening_from = \"1h\"\n"
                                "opening_to = \"2h\"\n")),
                    log.function());
  exchange.start();
  const LoadReport refused = load(exchange, 1);
  CHECK(refused.good());
  CHECK(refused.counts.rejected > 0);
  CHECK(refused.counts.executions == 0);
  exchange.drain();
  CHECK(exchange.join().trades == 0);
}
