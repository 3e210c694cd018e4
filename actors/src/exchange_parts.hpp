// Exchange::Parts: the cast of an exchange and what it shares, as they are built from a configuration and live until the
// end.
//
// Where somebody lives: symbols, gateways and feeds where the file says, or dealt out in turn. All ports of an account, at
// whatever gateway, live on one scheduler with the account's limits, so that these hold for all of them together.
// Thread: made, and built, by the owner of the Exchange; then each part is its scheduler's, and what is atomic anybody's.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <outcry/actors/desk.hpp>
#include <outcry/actors/exchange.hpp>
#include <outcry/actors/fix_acceptor.hpp>
#include <outcry/actors/gateway.hpp>
#include <outcry/actors/kill_desk.hpp>
#include <outcry/actors/market_data.hpp>
#include <outcry/actors/ouch_port_actor.hpp>
#include <outcry/actors/pre_trade_risk.hpp>
#include <outcry/runtime/runtime.hpp>

#include "kill_pages.hpp"
#include "venue_pages.hpp"

namespace outcry {

/// A door is open, or not: then its port is 0.
struct DoorOpened {
  std::uint32_t door = 0;
  Endpoint at{};
};
struct EndDay {
  std::uint32_t unused = 0;
};
using DirectorSelf = Self<DoorOpened, EndDay, Down>;
using DirectorAddress = Address<DoorOpened, EndDay, Down>;

struct FeedOfSymbols {
  MarketDataAddress address{};
  std::uint32_t requests_door = 0;
  bool has_requests = false;
};
struct SnapshotsOfFeed {
  Address<Ask<SnapshotServerQuery>> address{};
  std::uint32_t door = 0;
};
struct OrderGateway {
  GatewayAddress address{};
  std::uint32_t door = 0;
};
struct PortOfAccount {
  Address<SessionTaken, EndSession, Ask<PortQuery>> address{};
  ClientAddress clients{};  // of OUCH; empty: it is one of FIX
  FixPortAddress fix{};
  AccountId account{};
  std::uint32_t user = 0;     // in the configuration
  std::uint32_t gateway = 0;  // likewise
};

/// Where a port will live.
struct Place {
  PortOfAccount port;
  std::uint32_t scheduler = 0;
  fix::Version version{};
};

struct Exchange::Parts {
  VenueConfig config;
  std::function<void(std::string_view)> log;
  std::int64_t midnight = 0;  // of today (UTC), in the time of the world

  std::vector<std::unique_ptr<OrderPool>> pools;           // by scheduler
  std::vector<std::unique_ptr<StageTimes>> stage_times;    // by scheduler
  std::vector<std::unique_ptr<PortTimes>> port_times;      // by port
  std::vector<std::vector<const PortTimes*>> ports_there;  // by scheduler
  std::vector<std::unique_ptr<PreTradeRisk>> risks;        // by scheduler; null: it has no ports
  std::vector<std::uint32_t> risk_ports;                   // by account in the configuration; 0: at no rate
  std::vector<SymbolCounts> counts;
  std::optional<SymbolDirectory> directory;
  KillSwitch kill;  // with all accounts: the desk's
  std::optional<VenuePages> pages;

  std::vector<SymbolAddress> symbols;
  std::vector<VenueProbeAddress> probes;  // by scheduler
  std::vector<OrderGateway> gateways;
  std::vector<Place> places;
  std::vector<PortOfAccount> ports;
  std::vector<FeedOfSymbols> feeds;
  std::vector<SnapshotsOfFeed> snapshots;
  KillDeskAddress kill_desk{};
  LoginAddress logins{};
  DirectorAddress director{};
  std::vector<ExchangeDoor> doors;

  std::atomic<VenueState> state{VenueState::starting};
  std::atomic<bool> in_time{true};
  std::atomic<std::uint64_t> ouch_messages{0};
  std::atomic<std::uint64_t> fix_messages{0};
  std::atomic<std::uint64_t> failures{0};
  std::promise<std::string> opened;  // what did not open; empty: everything has
  std::mutex last_words_mutex;
  std::string last_words;  // of the actor that failed last
  std::chrono::steady_clock::time_point opened_at{};
  bool runs = false;
  std::optional<Runtime> runtime;  // last: its actors use the rest

  /// Everybody, before anybody plays. Throws std::invalid_argument, std::runtime_error.
  void build();

  std::uint32_t add_door(ExchangeDoor::Kind kind, std::string name, std::string protocol, const Endpoint& at) {
    doors.push_back({kind, std::move(name), std::move(protocol), at});
    return static_cast<std::uint32_t>(doors.size() - 1);
  }
  bool cancels_on_disconnect(const PortOfAccount& port) const {
    return config.accounts[port.user].cancel_on_disconnect;
  }
  /// What an actor that has ended said last, else `otherwise`.
  std::string last_words_or(std::string otherwise);

 private:
  RuntimeOptions runtime_options();
  void heard_log(std::string_view line);
  int scheduler_for(int asked, std::uint32_t& turn) const {
    return asked >= 0 ? asked : static_cast<int>(turn++ % config.schedulers);
  }
  void build_symbols();
  void build_feeds();
  void build_probes();
  void build_pages();

  // exchange_ports.cpp
  void place_ports();
  void group_ports();
  void build_limits();
  void build_logins();
  void build_ports();
  KillSwitch kill_switch_of(const Place& place) const;
  void build_gateways();
  PortOfAccount ouch_port_of(const Place& place);
  PortOfAccount fix_port_of(const Place& place);
};

}  // namespace outcry
