#include "exchange_closing.hpp"

#include <algorithm>
#include <chrono>

namespace outcry {

namespace {

constexpr Duration look_again = std::chrono::milliseconds(2);
constexpr Duration patience = std::chrono::milliseconds(100);  // with a port

}  // namespace

Task<> ExchangeClosing::play() {
  parts_.state.store(VenueState::draining, std::memory_order_release);
  end_ = later(self_.now(), parts_.config.sizes.drain);
  half_ = later(self_.now(), parts_.config.sizes.drain / 2);
  for (const OrderGateway& gateway : parts_.gateways) gateway.address.send(CloseGateway{});
  auto cancelling = cancel();
  co_await cancelling;
  auto ending = end_sessions();
  co_await ending;
  for (const FeedOfSymbols& feed : parts_.feeds) feed.address.stop();
  auto closing = wait_for_feeds();
  co_await closing;
  auto stopping = stop_symbols();
  co_await stopping;
}

Task<ExchangeClosing::Standing> ExchangeClosing::standing_of(PortOfAccount port) {
  Standing standing;
  auto asking = port.address.ask(PortQuery{}, patience);
  const auto report = co_await asking;
  if (report) {
    standing.answers = true;
    standing.attached = report->attached;
    standing.open_orders = report->open_orders;
    standing.messages = report->counts.messages;
  }
  co_return standing;
}

/// What was asked for: orders that do not outlive their client.
Task<> ExchangeClosing::cancel() {
  for (const PortOfAccount& port : parts_.ports) {
    if (!parts_.cancels_on_disconnect(port)) continue;
    auto asking = standing_of(port);
    const Standing standing = co_await asking;
    if (standing.answers && standing.open_orders == 0) continue;
    for (std::uint32_t symbol = 0; symbol < parts_.symbols.size(); ++symbol) {
      auto sent = parts_.symbols[symbol].send(MassCancel{.account = port.account, .symbol = SymbolId{symbol}});
      co_await sent;
    }
  }
  // A symbol answers behind everything that it was asked before.
  for (const SymbolAddress& symbol : parts_.symbols) {
    auto asking = symbol.ask(QuoteQuery{}, parts_.config.sizes.drain / 4);
    const auto quote = co_await asking;
    if (!quote) break;
  }
  for (const PortOfAccount& port : parts_.ports) {
    while (parts_.cancels_on_disconnect(port) && self_.now() < half_) {
      auto asking = standing_of(port);
      const Standing standing = co_await asking;
      if (!standing.answers || standing.open_orders == 0) break;
      co_await self_.sleep(look_again);
    }
  }
}

/// Everyone is told everything, and then that it was all.
Task<> ExchangeClosing::end_sessions() {
  for (const PortOfAccount& port : parts_.ports) port.address.send(EndSession{});
  for (const SnapshotsOfFeed& snapshots : parts_.snapshots) snapshots.address.stop();
  for (const PortOfAccount& port : parts_.ports) {
    for (;;) {
      auto asking = standing_of(port);
      const Standing standing = co_await asking;
      const bool is_late = self_.now() >= end_;
      if (!standing.answers || !standing.attached || is_late) {
        if (standing.attached) parts_.in_time.store(false, std::memory_order_relaxed);
        auto& sum = port.fix ? parts_.fix_messages : parts_.ouch_messages;
        sum.fetch_add(standing.messages, std::memory_order_relaxed);
        break;
      }
      co_await self_.sleep(look_again);
    }
    port.address.stop();
  }
}

Task<> ExchangeClosing::wait_for_feeds() {
  std::size_t left = parts_.feeds.size();
  while (left != 0 && self_.now() < end_) {
    const auto heard = co_await self_.receive_until(end_);
    if (!heard) break;
    const auto* down = std::get_if<Down>(&*heard);
    if (down == nullptr) continue;
    for (const FeedOfSymbols& feed : parts_.feeds) left -= feed.address.cell()->id == down->actor ? 1 : 0;
  }
  if (left != 0) parts_.in_time.store(false, std::memory_order_relaxed);
}

/// They write down what they counted.
Task<> ExchangeClosing::stop_symbols() {
  for (const SymbolAddress& symbol : parts_.symbols) {
    self_.monitor(symbol);
    symbol.stop();
  }
  const Time end = std::max(end_, later(self_.now(), std::chrono::milliseconds(200)));
  for (std::size_t left = parts_.symbols.size(); left != 0;) {
    const auto heard = co_await self_.receive_until(end);
    if (!heard) break;
    if (const auto* down = std::get_if<Down>(&*heard))
      for (const SymbolAddress& symbol : parts_.symbols) left -= symbol.cell()->id == down->actor ? 1 : 0;
  }
}

}  // namespace outcry
