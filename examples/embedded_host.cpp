// A program with a main thread and a log of its own that embeds the runtime: it starts an exchange of one symbol on two
// schedulers, trades on it from the main thread, and stops it.
//
//   build/release/bin/embedded_host
#include <atomic>
#include <cstdio>
#include <string>

#include <outcry/actors/symbol.hpp>
#include <outcry/runtime/runtime.hpp>

using namespace outcry;

// What the host wants to hear of the market.
struct Heard {
  std::atomic<int> fills{0};
};

Actor listener(Self<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced> self, Heard* heard) {
  while (auto message = co_await self.receive()) {
    if (std::holds_alternative<Filled>(*message)) {
      heard->fills.fetch_add(1);
      heard->fills.notify_all();
    }
  }
}

int main() {
  Heard heard;
  Runtime runtime({.schedulers = 2, .idle = IdlePolicy::sleep, .pin = false, .log = [](std::string_view line) {
                     std::fprintf(stderr, "host: %.*s\n", static_cast<int>(line.size()), line.data());
                   }});
  const SymbolAddress acme =
      runtime.spawn({.name = "ACME", .scheduler = 0}, symbol, SymbolOptions{.stamps = StampClock::machine});
  const auto ears = runtime.spawn({.name = "ears", .scheduler = 1}, listener, &heard);
  runtime.start();

  acme.send(EnterSymbol{AccountId{1}, ears});
  acme.send(NewOrder{.id = {1}, .price = {100}, .quantity = {10}, .account = {1}, .side = Side::sell});
  acme.send(NewOrder{.id = {2}, .price = {100}, .quantity = {10}, .account = {1}, .side = Side::buy});
  for (int seen = 0; seen < 2; seen = heard.fills.load()) heard.fills.wait(seen);

  std::printf("the host heard of %d fills\n", heard.fills.load());
  runtime.stop();
  runtime.join();
}
// the host heard of 2 fills
