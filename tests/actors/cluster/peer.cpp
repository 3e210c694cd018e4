// Peer: the other process of the cluster's tests.
//
//   cluster_peer exchange            a symbol and its gateway; prints the port
//   cluster_peer participant PORT    rests three bids through a remote symbol, prints "placed" and stays until it is killed
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <outcry/actors/symbol.hpp>
#include <outcry/caf/node.hpp>
#include <outcry/cluster/remote_symbol.hpp>
#include <outcry/runtime/runtime.hpp>

namespace outcry {
namespace {

Actor participant(Self<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced> self, SymbolAddress symbol) {
  symbol.send(EnterSymbol{AccountId{9}, self.address()});
  for (std::uint64_t i = 1; i <= 3; ++i)
    symbol.send(NewOrder{.id = {i}, .price = {100 + static_cast<std::int64_t>(i)}, .quantity = {10}, .account = {9}});
  int accepted = 0;
  while (auto message = co_await self.receive()) {
    if (!std::holds_alternative<Accepted>(*message) || ++accepted != 3) continue;
    std::printf("placed\n");
    std::fflush(stdout);
  }
}

int run(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  CafNode node({.announce = announce_market_words});
  Runtime runtime({.idle = IdlePolicy::sleep, .pin = false});
  CafStage stage(node.system(), runtime);
  OrderPool pool;
  if (what == "exchange") {
    const auto address = runtime.spawn({.name = "symbol"}, symbol, SymbolOptions{.pool = &pool});
    const auto gateway = stage.spawn({.name = "gateway"}, symbol_gateway, GatewayOptions{address, {}, &stage});
    const auto port = node.publish(gateway.handle, 0);
    if (!port) return 1;
    std::printf("%u\n", unsigned(*port));
    std::fflush(stdout);
  } else if (what == "participant" && argc == 3) {
    const auto gateway = node.connect("127.0.0.1", static_cast<std::uint16_t>(std::atoi(argv[2])));
    if (!gateway) return 1;
    const auto remote = stage.spawn({.name = "remote"}, remote_symbol, *gateway, SymbolId{});
    runtime.spawn(participant, SymbolAddress(remote.address));
  } else {
    return 2;
  }
  runtime.run();
  return 0;
}

}  // namespace
}  // namespace outcry

int main(int argc, char** argv) { return outcry::run(argc, argv); }
