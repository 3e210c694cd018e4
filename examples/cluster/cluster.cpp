// A market on several machines: a directory, two exchange nodes with half of the symbols each, and a strategy that trades on
// both. Without arguments all four are processes of this machine, and you see what the strategy has done:
//
//   cluster
//
// On three machines, where 10.0.0.x are their addresses (README.md: with encrypted links):
//
//   cluster directory --listen 10.0.0.1 --port 4700                                  # one and two
//   cluster exchange --directory 10.0.0.1:4700 --listen 10.0.0.1 --first 0 --symbols 2
//   cluster exchange --directory 10.0.0.1:4700 --listen 10.0.0.2 --first 2 --symbols 2
//   cluster strategy --directory 10.0.0.1:4700 --symbols 4                           # three
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <caf/all.hpp>

#include <outcry/actors/symbol.hpp>
#include <outcry/actors/trader.hpp>
#include <outcry/caf/node.hpp>
#include <outcry/cluster/directory.hpp>
#include <outcry/cluster/remote_symbol.hpp>
#include <outcry/runtime/runtime.hpp>

extern char** environ;

using namespace outcry;
using namespace std::chrono_literals;

namespace {

/// The same source trades symbols of this process, of another one, or of another machine.
Strategy round_trip(Trader& trader) {
  std::map<SymbolId, OrderId> bought, sold;
  while (const auto update = co_await trader.next()) {
    for (std::uint32_t i = 0; i < trader.symbol_count(); ++i) {
      const SymbolId symbol{i};
      const Quote& quote = trader.quote(symbol);
      if (!quote.has_both()) continue;
      const auto take_now = OrderOptions{.symbol = symbol, .time_in_force = TimeInForce::immediate_or_cancel};
      if (!bought.contains(symbol)) {
        bought[symbol] = trader.buy(Quantity{10}, quote.ask, take_now);
      } else if (!sold.contains(symbol) && trader.order(bought[symbol])->done()) {
        sold[symbol] = trader.sell(Quantity{10}, quote.bid, take_now);
      }
    }
    std::size_t done = 0;
    for (const auto& [symbol, order] : sold) done += trader.order(order)->done() ? 1 : 0;
    if (done == trader.symbol_count()) break;
  }
}

/// Rests an order on each side, so that there is somebody to trade with.
Actor liquidity(Self<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced> self, SymbolAddress symbol,
                SymbolId id) {
  symbol.send(EnterSymbol{AccountId{1}, self.address()});
  symbol.send(NewOrder{.id = {1}, .price = {101}, .quantity = {500}, .account = {1}, .symbol = id, .side = Side::sell});
  symbol.send(NewOrder{.id = {2}, .price = {99}, .quantity = {500}, .account = {1}, .symbol = id});
  while (auto message = co_await self.receive()) {
  }
}

Actor ends_with(Self<Down> self, AnyAddress first, std::vector<AnyAddress> others) {
  self.monitor(first);
  co_await self.receive();
  for (const AnyAddress& other : others) other.stop();
}

struct Settings {
  std::string directory = "127.0.0.1:0";
  std::uint16_t port = 0;
  std::uint32_t first = 0;
  std::uint32_t symbols = 2;
  CafNodeOptions node{.announce = announce_market_words};

  std::string directory_host() const { return directory.substr(0, directory.find(':')); }
  std::uint16_t directory_port() const {
    return static_cast<std::uint16_t>(std::stoi(directory.substr(directory.find(':') + 1)));
  }
};

/// What came, or an exception that says what failed.
template <class T>
T must(CafNode& node, caf::expected<T> result, const std::string& what) {
  if (!result) throw std::runtime_error(what + ": " + node.text(result.error()));
  return std::move(*result);
}

void say_port(std::uint16_t port) {
  std::printf("%u\n", unsigned(port));
  std::fflush(stdout);
}

void run_directory(const Settings& settings) {
  CafNode node(settings.node);
  Runtime runtime({.idle = IdlePolicy::sleep, .pin = false});
  CafStage stage(node.system(), runtime);
  const auto made = stage.spawn({.name = "directory"}, directory);
  say_port(must(node, node.publish(made.handle, settings.port), "the directory cannot be published"));
  runtime.run();
}

void run_exchange(const Settings& settings) {
  CafNode node(settings.node);
  OrderPool pool;
  Runtime runtime({.idle = IdlePolicy::sleep, .pin = false});
  CafStage stage(node.system(), runtime);
  const auto where = must(node, node.connect(settings.directory_host(), settings.directory_port()), "no directory");
  caf::scoped_actor self(node.system());
  for (std::uint32_t i = settings.first; i < settings.first + settings.symbols; ++i) {
    const Instrument instrument{.symbol = {i}, .name = padded_name("SYM" + std::to_string(i))};
    const SymbolAddress address =
        runtime.spawn({.name = "symbol"}, symbol, SymbolOptions{.instrument = instrument, .pool = &pool});
    runtime.spawn(liquidity, address, instrument.symbol);
    const auto gateway = stage.spawn({.name = "gateway"}, symbol_gateway, GatewayOptions{address, {}, &stage});
    Listing listing = listing_of(instrument);
    listing.host = settings.node.listen;
    listing.port = must(node, node.publish(gateway.handle, 0), "a gateway cannot be published");
    self->request(where, 10s, listing, gateway.handle)
        .receive([] {}, [&](caf::error& error) { throw std::runtime_error("not listed: " + node.text(error)); });
  }
  runtime.start();
  say_port(0);
  runtime.join();
}

int run_strategy(const Settings& settings) {
  CafNode node(settings.node);
  Runtime runtime({.idle = IdlePolicy::sleep, .pin = false});
  CafStage stage(node.system(), runtime);
  const auto where = must(node, node.connect(settings.directory_host(), settings.directory_port()), "no directory");
  TraderSetup setup{.strategy = round_trip, .account = {7}};
  std::vector<AnyAddress> stand_ins;
  caf::scoped_actor self(node.system());
  for (std::uint32_t i = 0; i < settings.symbols; ++i) {
    Listing listing;
    self->request(where, 10s, FindSymbol{{i}})
        .receive([&](const Listing& found, const caf::actor&) { listing = found; },
                 [&](caf::error& error) { throw std::runtime_error("not found: " + node.text(error)); });
    const auto gateway = must(node, node.connect(listing.host, listing.port), "no gateway");
    const auto remote = stage.spawn({.name = "remote symbol"}, remote_symbol, gateway, listing.symbol);
    setup.symbols.push_back({instrument_of(listing), remote.address});
    stand_ins.push_back(remote.address);
  }
  TraderReport report;
  setup.report = &report;
  runtime.spawn(ends_with, AnyAddress(runtime.spawn({.name = "strategy"}, trader, setup)), stand_ins);
  runtime.run();

  for (const auto& line : report.lines)
    std::printf("%s  bought %llu  sold %llu  cash %lld\n", std::string(name_of(line.instrument)).c_str(),
                static_cast<unsigned long long>(line.position.bought),
                static_cast<unsigned long long>(line.position.sold), static_cast<long long>(line.position.cash));
  return report.failure.empty() ? 0 : 1;
}

/// A node as another process of this machine; ends with this object.
class Process {
 public:
  Process(std::string program, std::vector<std::string> words) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    std::vector<char*> arguments{program.data()};
    arguments.reserve(words.size() + 2);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    const int failed = ::posix_spawn(&id_, program.c_str(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    char text[16] = {};
    const auto length = failed == 0 ? ::read(ends[0], text, sizeof text - 1) : 0;
    ::close(ends[0]);
    if (length <= 0) throw std::runtime_error("a node did not start");
    said_ = std::stoi(text);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    ::kill(id_, SIGTERM);
    ::waitpid(id_, nullptr, 0);
  }
  int said() const { return said_; }

 private:
  pid_t id_ = 0;
  int said_ = 0;
};

int run_all(const std::string& program) {
  const Process directory(program, {"directory"});
  const std::string where = "127.0.0.1:" + std::to_string(directory.said());
  const Process one(program, {"exchange", "--directory", where, "--first", "0", "--symbols", "2"});
  const Process two(program, {"exchange", "--directory", where, "--first", "2", "--symbols", "2"});
  return run_strategy({.directory = where, .symbols = 4});
}

}  // namespace

int main(int argc, char** argv) try {
  Settings settings;
  CLI::App app("A market on several machines");
  app.require_subcommand(0, 1);
  auto* directory = app.add_subcommand("directory", "tells which node has which symbol");
  auto* exchange = app.add_subcommand("exchange", "has some of the symbols");
  auto* strategy = app.add_subcommand("strategy", "trades all of them");
  for (CLI::App* one : {directory, exchange, strategy}) {
    one->add_option("--listen", settings.node.listen, "address of this machine that others connect to");
    one->add_option("--certificate", settings.node.credentials.certificate, "of this node, in PEM");
    one->add_option("--key", settings.node.credentials.key, "of the certificate");
    one->add_option("--authorities", settings.node.credentials.authorities, "whose certificates are believed");
  }
  directory->add_option("--port", settings.port);
  exchange->add_option("--first", settings.first, "number of its first symbol");
  for (CLI::App* one : {exchange, strategy}) {
    one->add_option("--directory", settings.directory, "HOST:PORT")->required();
    one->add_option("--symbols", settings.symbols);
  }
  CLI11_PARSE(app, argc, argv);
  if (*strategy) return run_strategy(settings);
  if (*directory) {
    run_directory(settings);
  } else if (*exchange) {
    run_exchange(settings);
  } else {
    return run_all("/proc/self/exe");
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "cluster: %s\n", error.what());
  return 1;
}
// SYM0  bought 10  sold 10  cash -20
// SYM1  bought 10  sold 10  cash -20
// SYM2  bought 10  sold 10  cash -20
// SYM3  bought 10  sold 10  cash -20
