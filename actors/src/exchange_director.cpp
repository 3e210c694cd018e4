#include "exchange_director.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "exchange_closing.hpp"

namespace outcry {

namespace {

constexpr Duration time_to_open = std::chrono::seconds(10);

class Director {
 public:
  Director(DirectorSelf self, Exchange::Parts& parts) : self_(self), parts_(parts) {}

  /// What did not open; empty: all doors are open.
  Task<std::string> open() {
    for (const OrderGateway& gateway : parts_.gateways) {
      self_.monitor(gateway.address);
      auto asking = gateway.address.ask(GatewayQuery{}, time_to_open);
      const auto report = co_await asking;
      if (!report) co_return why(parts_.doors[gateway.door]);
      parts_.doors[gateway.door].at = report->local;
    }
    for (const FeedOfSymbols& feed : parts_.feeds) {
      self_.monitor(feed.address);
      auto asking = feed.address.ask(FeedStatusQuery{}, time_to_open);
      const auto status = co_await asking;
      if (!status) co_return why(parts_.doors[feed.requests_door]);
      if (feed.has_requests) parts_.doors[feed.requests_door].at = status->requests;
    }
    for (const SnapshotsOfFeed& snapshots : parts_.snapshots) {
      self_.monitor(snapshots.address);
      auto asking = snapshots.address.ask(SnapshotServerQuery{}, time_to_open);
      const auto status = co_await asking;
      ExchangeDoor& door = parts_.doors[snapshots.door];
      if (!status) co_return why(door);
      door.at = door.at.with_port(status->port);
    }
    if (!parts_.config.metrics.address) co_return std::string();
    // The door for metrics is no actor's to ask: it says by itself that it is open.
    const Time end = later(self_.now(), time_to_open);
    for (;;) {
      const auto heard = co_await self_.receive_until(end);
      if (!heard) co_return std::string("the doors did not open in time");
      if (const auto* opened = std::get_if<DoorOpened>(&*heard)) {
        ExchangeDoor& door = parts_.doors[opened->door];
        if (opened->at.port() == 0) co_return why(door);
        door.at = opened->at;
        break;
      }
      if (const auto* down = std::get_if<Down>(&*heard)) co_return parts_.last_words_or(std::string(down->why()));
    }
    co_return std::string();
  }

  /// Until the day is to be ended.
  Task<> wait() {
    while (!self_.stopping()) {
      const auto heard = co_await self_.receive();
      if (!heard || std::holds_alternative<EndDay>(*heard)) break;
      if (std::holds_alternative<Down>(*heard)) parts_.failures.fetch_add(1, std::memory_order_relaxed);
    }
  }

 private:
  std::string why(const ExchangeDoor& door) const {
    return parts_.last_words_or(fmt::format("{} does not open", door.at.text()));
  }

  DirectorSelf self_;
  Exchange::Parts& parts_;
};

}  // namespace

Actor exchange_director(DirectorSelf self, Exchange::Parts* parts) {
  Director director(self, *parts);
  {
    auto opening = director.open();
    std::string failure = co_await opening;
    const bool open = failure.empty();
    if (open) parts->state.store(VenueState::open, std::memory_order_release);
    parts->opened.set_value(std::move(failure));
    if (!open) {
      self.runtime().stop();
      co_return;
    }
  }
  auto waiting = director.wait();
  co_await waiting;
  ExchangeClosing closing(self, *parts);
  auto playing = closing.play();
  co_await playing;
  self.runtime().stop();
}

}  // namespace outcry
