#include <outcry/actors/exchange.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include <outcry/actors/fix_acceptor.hpp>
#include <outcry/actors/gateway.hpp>
#include <outcry/actors/host_profile.hpp>
#include <outcry/actors/kill_desk.hpp>
#include <outcry/actors/market_data.hpp>
#include <outcry/actors/ouch_port_actor.hpp>
#include <outcry/actors/session.hpp>
#include <outcry/actors/status_server.hpp>
#include <outcry/actors/symbol.hpp>
#include <outcry/book/rule_state.hpp>
#include <outcry/net/login_desk.hpp>

#include "host_option.hpp"
#include "venue_pages.hpp"

namespace outcry {

namespace {

using Kind = ExchangeDoor::Kind;

constexpr std::uint32_t symbol_mailbox = 1u << 16;
constexpr std::int64_t units_of_currency = 10'000;
constexpr std::size_t largest_message = 512;  // of OUCH, with all its options
constexpr Duration time_to_open = std::chrono::seconds(10);
constexpr Duration look_again = std::chrono::milliseconds(2);
constexpr std::int64_t day_ns = 86'400'000'000'000;

/// When the day began (UTC), in the time of the world.
std::int64_t midnight_ns() {
  const std::int64_t utc_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  return TscClock::system_ns() - utc_ns % day_ns;
}

std::uint32_t basis_points(double share) { return static_cast<std::uint32_t>(share * 10'000 + 0.5); }

RiskLimits limits_of(const VenueConfig::Account& account, std::size_t symbols) {
  const VenueConfig::Limits& asked = account.limits;
  RiskLimits limits;
  const auto money = [](std::uint64_t units, std::int64_t& to) {
    if (units != 0) to = static_cast<std::int64_t>(units) * units_of_currency;
  };
  if (asked.quantity != 0) limits.largest_order = Quantity{static_cast<std::uint32_t>(asked.quantity)};
  money(asked.notional, limits.largest_notional);
  money(asked.net, limits.largest_net);
  money(asked.gross, limits.largest_gross);
  limits.price_collar_bp = basis_points(asked.price_collar);
  limits.market_collar_bp = basis_points(asked.market_collar);
  if (asked.position != 0) limits.largest_position = static_cast<std::int64_t>(asked.position);
  if (asked.open_orders != 0) limits.most_open_orders = asked.open_orders;
  limits.symbol_rate = asked.orders;
  limits.duplicate_window_ns = asked.duplicates.count();
  limits.short_sales = static_cast<ShortSales>(asked.short_sales);
  limits.needs_locate = asked.locate;
  limits.every_symbol = account.symbols.size() == symbols;
  return limits;
}

/// Whether somebody's limits compare with the last trade.
bool needs_prices(const VenueConfig& config) {
  return std::any_of(config.accounts.begin(), config.accounts.end(), [](const VenueConfig::Account& account) {
    const VenueConfig::Limits& limits = account.limits;
    return limits.price_collar > 0 || limits.market_collar > 0 || limits.notional != 0 || limits.net != 0 ||
           limits.gross != 0;
  });
}

/// The prices that limits compare with, for the ports of one scheduler.
Actor reference_prices(Self<TradePrint, Quote> self, PreTradeRisk* risk) {
  while (auto batch = co_await self.receive_batch()) batch.each([&](const auto& heard) { risk->heard(heard); });
}

/// A door is open.
struct DoorOpened {
  std::uint32_t door = 0;
  Endpoint at{};
};
struct EndDay {
  std::uint32_t unused = 0;
};
using DirectorSelf = Self<DoorOpened, EndDay, Down>;
using DirectorAddress = Address<DoorOpened, EndDay, Down>;

/// Tells the director which door it was that a FIX acceptor has opened.
Actor listening_ear(Self<FixListening> self, std::uint32_t door, DirectorAddress director) {
  const auto heard = co_await self.receive();
  if (heard) director.send(DoorOpened{door, heard->local});
}

struct FeedOfSymbols {
  MarketDataAddress address{};
  std::uint32_t requests_door = 0;
  bool has_requests = false;
};
struct SnapshotsOfFeed {
  Address<Ask<SnapshotServerQuery>> address{};
  std::uint32_t door = 0;
};
struct OuchGateway {
  GatewayAddress address{};
  std::uint32_t door = 0;
};
struct PortOfAccount {
  OuchPortAddress ouch{};  // empty: it is one of FIX
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

}  // namespace

struct Exchange::Parts {
  VenueConfig config;
  std::function<void(std::string_view)> log;
  std::int64_t midnight = 0;

  std::vector<std::unique_ptr<OrderPool>> pools;           // by scheduler
  std::vector<std::unique_ptr<StageTimes>> stage_times;    // by scheduler
  std::vector<std::unique_ptr<PortTimes>> port_times;      // by port
  std::vector<std::vector<const PortTimes*>> ports_there;  // by scheduler
  std::vector<std::unique_ptr<PreTradeRisk>> risks;        // by scheduler; null: it has no ports
  std::vector<std::unique_ptr<LoginDesk>> fix_desks;
  std::vector<SymbolCounts> counts;
  std::optional<SymbolDirectory> directory;
  KillSwitch kill;
  std::optional<VenuePages> pages;

  std::vector<SymbolAddress> symbols;
  std::vector<VenueProbeAddress> probes;  // by scheduler
  std::vector<OuchGateway> ouch_gateways;
  std::vector<AnyAddress> fix_acceptors;
  std::vector<Place> places;
  std::vector<PortOfAccount> ports;
  std::vector<FeedOfSymbols> feeds;
  std::vector<SnapshotsOfFeed> snapshots;
  KillDeskAddress kill_desk{};
  DirectorAddress director{};
  std::vector<ExchangeDoor> doors;

  std::atomic<VenueState> state{VenueState::starting};
  std::atomic<bool> in_time{true};
  std::atomic<std::uint64_t> orders{0};
  std::atomic<std::uint64_t> failures{0};
  std::promise<std::string> opened;  // what did not open; empty: everything has
  std::mutex last_words_mutex;
  std::string last_words;  // of the actor that failed last
  std::chrono::steady_clock::time_point opened_at{};
  bool runs = false;
  std::optional<Runtime> runtime;  // last: its actors use the rest

  RuntimeOptions runtime_options();
  void heard_log(std::string_view line);
  int scheduler_for(int asked, std::uint32_t& turn) const {
    return asked >= 0 ? asked : static_cast<int>(turn++ % config.schedulers);
  }
  void build();
  void place_ports();
  void build_symbols();
  void build_ports();
  void build_feeds();
  void build_probes();
  void build_pages();
  std::uint32_t add_door(Kind kind, std::string name, std::string protocol, const Endpoint& at) {
    doors.push_back({kind, std::move(name), std::move(protocol), at});
    return static_cast<std::uint32_t>(doors.size() - 1);
  }
  bool cancels_on_disconnect(const PortOfAccount& port) const {
    return config.accounts[port.user].cancel_on_disconnect;
  }
};

namespace {

/// Opens the venue, and ends its day.
class Director {
 public:
  Director(DirectorSelf self, Exchange::Parts& parts) : self_(self), parts_(parts) {}

  /// What did not open; empty: all doors are open.
  Task<std::string> open() {
    std::size_t waiting = parts_.fix_acceptors.size() + (parts_.pages && parts_.config.metrics.address ? 1 : 0);
    for (const OuchGateway& gateway : parts_.ouch_gateways) {
      self_.monitor(gateway.address);
      auto asking = gateway.address.ask(GatewayQuery{}, time_to_open);
      const auto report = co_await asking;
      if (!report) co_return why(parts_.doors[gateway.door]);
      parts_.doors[gateway.door].at = report->local;
    }
    for (const AnyAddress& acceptor : parts_.fix_acceptors) self_.monitor(acceptor);
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
    const Time end = later(self_.now(), time_to_open);
    while (waiting != 0) {
      const auto heard = co_await self_.receive_until(end);
      if (!heard) co_return std::string("the doors did not open in time");
      if (const auto* opened = std::get_if<DoorOpened>(&*heard)) {
        ExchangeDoor& door = parts_.doors[opened->door];
        if (opened->at.port() == 0) co_return why(door);
        door.at = opened->at;
        --waiting;
      } else if (const auto* down = std::get_if<Down>(&*heard)) {
        co_return last_words(std::string(down->why()));
      }
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

  Task<> end() {
    parts_.state.store(VenueState::draining, std::memory_order_release);
    end_ = later(self_.now(), parts_.config.sizes.drain);
    half_ = later(self_.now(), parts_.config.sizes.drain / 2);
    for (const OuchGateway& gateway : parts_.ouch_gateways) gateway.address.send(CloseGateway{});
    for (const AnyAddress& acceptor : parts_.fix_acceptors) acceptor.stop();
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

 private:
  std::string last_words(std::string otherwise) const {
    const std::lock_guard lock(parts_.last_words_mutex);
    return parts_.last_words.empty() ? otherwise : parts_.last_words;
  }
  std::string why(const ExchangeDoor& door) const {
    return last_words(fmt::format("{} does not open", door.at.text()));
  }

  /// What was asked for: orders that do not outlive their client.
  Task<> cancel() {
    for (const PortOfAccount& port : parts_.ports) {
      if (!parts_.cancels_on_disconnect(port)) continue;
      if (port.ouch) {
        auto asking = port.ouch.ask(PortQuery{}, look_again * 50);
        const auto report = co_await asking;
        if (report && report->open_orders == 0) continue;
      }
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
      while (port.ouch && parts_.cancels_on_disconnect(port) && self_.now() < half_) {
        auto asking = port.ouch.ask(PortQuery{}, look_again * 50);
        const auto report = co_await asking;
        if (!report || report->open_orders == 0) break;
        co_await self_.sleep(look_again);
      }
    }
  }

  /// Everyone is told everything, and then that it was all.
  Task<> end_sessions() {
    for (const PortOfAccount& port : parts_.ports) {
      if (port.ouch) port.ouch.send(EndSession{});
      if (port.fix) port.fix.stop();
    }
    for (const SnapshotsOfFeed& snapshots : parts_.snapshots) snapshots.address.stop();
    std::uint64_t orders = 0;
    for (const PortOfAccount& port : parts_.ports) {
      while (port.ouch) {
        auto asking = port.ouch.ask(PortQuery{}, look_again * 50);
        const auto report = co_await asking;
        if (!report) break;
        if (!report->attached) {
          orders += report->counts.messages;
          break;
        }
        if (self_.now() >= end_) {
          parts_.in_time.store(false, std::memory_order_relaxed);
          break;
        }
        co_await self_.sleep(look_again);
      }
      if (port.ouch) port.ouch.stop();
    }
    parts_.orders.store(orders, std::memory_order_relaxed);
  }

  Task<> wait_for_feeds() {
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
  Task<> stop_symbols() {
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

  DirectorSelf self_;
  Exchange::Parts& parts_;
  Time end_ = never;
  Time half_ = never;
};

Actor director(DirectorSelf self, Exchange::Parts* parts) {
  Director directing(self, *parts);
  {
    auto opening = directing.open();
    std::string failure = co_await opening;
    const bool open = failure.empty();
    if (open) parts->state.store(VenueState::open, std::memory_order_release);
    parts->opened.set_value(std::move(failure));
    if (!open) {
      self.runtime().stop();
      co_return;
    }
  }
  auto waiting = directing.wait();
  co_await waiting;
  auto ending = directing.end();
  co_await ending;
  self.runtime().stop();
}

}  // namespace

RuntimeOptions Exchange::Parts::runtime_options() {
  RuntimeOptions options{.schedulers = config.schedulers, .idle = config.idle};
  options.log = [this](std::string_view line) { heard_log(line); };
  if (config.host.empty()) return options;
  const HostProfile profile = read_host_profile(config.host);
  if (const std::string wrong = mismatch(profile, read_topology()); !wrong.empty()) throw std::runtime_error(wrong);
  profile.place(options);
  for (const std::uint32_t processor : options.processors)
    if (!may_run_on(processor))
      throw std::runtime_error(fmt::format("{}: this process may not run on processor {} (taskset -p $$ shows where)",
                                           config.host, processor));
  return options;
}

void Exchange::Parts::heard_log(std::string_view line) {
  constexpr std::string_view mark = "' ended by an exception: ";
  if (const auto at = line.find(mark); at != std::string_view::npos) {
    const std::lock_guard lock(last_words_mutex);
    last_words = line.substr(at + mark.size());
    if (state.load(std::memory_order_relaxed) == VenueState::starting) return;  // start() says it
  }
  if (log) {
    log(line);
  } else {
    fmt::print(stderr, "{}\n", line);
  }
}

void Exchange::Parts::build() {
  midnight = midnight_ns();
  runtime.emplace(runtime_options());
  if (config.rules) {  // throws if they make no sense
    for (const VenueConfig::Listed& listed : config.instruments)
      RuleState(*config.rules, listed.instrument, {}, std::pmr::get_default_resource());
  }
  director =
      runtime->spawn({.name = "director", .scheduler = 0, .mailbox = {.capacity = 1u << 14}}, outcry::director, this);
  place_ports();
  build_symbols();
  build_ports();
  build_feeds();
  build_probes();
  build_pages();
}

void Exchange::Parts::build_symbols() {
  for (std::uint32_t i = 0; i < config.schedulers; ++i) {
    const NearScheduler near(runtime->memory(), i);
    const auto most = static_cast<std::uint32_t>(config.sizes.orders);
    pools.push_back(std::make_unique<OrderPool>(
        OrderPool::Size{.orders = std::min(most, 1u << 14), .limit = most, .chunk = 1u << 14}));
    if (config.measure) stage_times.push_back(std::make_unique<StageTimes>());
  }
  counts.resize(config.instruments.size());
  std::vector<SymbolDirectory::Listed> listed_symbols;
  std::uint32_t turn = 0;
  for (VenueConfig::Listed& listed : config.instruments) {
    listed.scheduler = scheduler_for(listed.scheduler, turn);
    const auto on = static_cast<std::size_t>(listed.scheduler);
    const SymbolId id = listed.instrument.symbol;
    SymbolOptions options;
    options.instrument = listed.instrument;
    options.pool = pools[on].get();
    options.stamps = StampClock::machine;
    options.stages = config.measure ? stage_times[on].get() : nullptr;
    options.first_account = AccountId{1};
    options.counts = &counts[id.value];
    options.rules = config.rules;
    const SymbolAddress address =
        runtime->spawn({.name = name_of(listed.instrument),
                        .scheduler = listed.scheduler,
                        .mailbox = {.capacity = symbol_mailbox, .when_full = WhenFull::refuse}},
                       symbol, std::move(options));
    symbols.push_back(address);
    listed_symbols.push_back({listed.instrument, address, config.rules.has_value()});
    if (!config.rules) continue;
    SessionPlan plan = config.day.value_or(SessionPlan{});
    plan.origin = config.day_from_midnight ? time_from_ns(midnight) : time_from_ns(TscClock::system_ns());
    runtime->spawn({.name = "session", .scheduler = listed.scheduler, .background = true}, session, address, id, plan);
  }
  directory.emplace(std::move(listed_symbols));
}

/// Gives each account at each of its gateways a number and a scheduler, before anything of a size is made.
void Exchange::Parts::place_ports() {
  std::uint32_t turn = 0;
  for (VenueConfig::Gateway& gateway : config.gateways) gateway.scheduler = scheduler_for(gateway.scheduler, turn);
  const auto fits = [&](const VenueConfig::Account& account, std::uint32_t gateway) {
    return std::find(account.gateways.begin(), account.gateways.end(), gateway) != account.gateways.end();
  };
  std::uint32_t number = 0;
  std::uint32_t dealt = 0;
  for (std::uint32_t g = 0; g < config.gateways.size(); ++g) {
    const bool is_fix = config.gateways[g].protocol == VenueConfig::Protocol::fix;
    for (std::uint32_t a = 0; a < config.accounts.size(); ++a) {
      if (!fits(config.accounts[a], g)) continue;
      for (const fix::Version version : {fix::Version::v4_2, fix::Version::v4_4}) {
        if (!is_fix && version != fix::Version::v4_2) continue;
        // A desk for logins is nobody's but its scheduler's: FIX ports live with their gateway.
        const std::uint32_t on =
            is_fix ? static_cast<std::uint32_t>(config.gateways[g].scheduler) : dealt++ % config.schedulers;
        places.push_back({{.account = AccountId{++number}, .user = a, .gateway = g}, on, version});
      }
    }
  }
  if (!config.rules) return;
  // Groups are those of the accounts in the file; the books know ports.
  const auto grouped = [&](const Place& place) { return config.accounts[place.port.user].group; };
  if (std::all_of(places.begin(), places.end(), [&](const Place& place) { return grouped(place) == 0; })) return;
  config.rules->groups.assign(places.size() + 1, 0);
  for (const Place& place : places) config.rules->groups[place.port.account.value] = grouped(place);
}

void Exchange::Parts::build_ports() {
  if (!config.kill_switch.empty()) kill = KillSwitch(config.kill_switch);
  risks.resize(config.schedulers);
  ports_there.resize(config.schedulers);
  std::vector<std::uint32_t> ports_of(config.schedulers);

  for (const Place& place : places) ++ports_of[place.scheduler];
  const bool prices = needs_prices(config);
  for (std::uint32_t i = 0; i < config.schedulers; ++i) {
    if (ports_of[i] == 0) continue;
    const NearScheduler near(runtime->memory(), i);
    const std::uint64_t open = std::min<std::uint64_t>(std::uint64_t{ports_of[i]} * config.sizes.port_orders, 1u << 24);
    risks[i] = std::make_unique<PreTradeRisk>(RiskSize{.symbols = static_cast<std::uint32_t>(symbols.size()),
                                                       .open_orders = static_cast<std::uint32_t>(open)});
    for (const VenueConfig::Listed& listed : config.instruments) {
      risks[i]->restrict(listed.instrument.symbol, listed.restricted);
      risks[i]->restrict_short_sales(listed.instrument.symbol, !listed.short_sales);
    }
    if (!prices) continue;
    const auto heard = runtime->spawn({.name = "reference prices",
                                       .scheduler = static_cast<int>(i),
                                       .mailbox = {.capacity = 1u << 16, .when_full = WhenFull::refuse},
                                       .background = true},
                                      reference_prices, risks[i].get());
    for (const SymbolAddress& symbol : symbols) {
      symbol.send(SubscribeTrades{heard});
      symbol.send(SubscribeQuotes{heard});
    }
  }
  kill_desk = runtime->spawn({.name = "kill desk", .scheduler = 0, .background = true}, outcry::kill_desk,
                             KillDeskSetup{.state = &kill, .path = config.kill_switch, .symbols = symbols});

  LoginDesk desk(LoginDeskOptions{.newest_wins = config.newest_login_wins});
  for (const VenueConfig::Account& account : config.accounts) desk.add(account.user, account.password);
  const LoginAddress logins =
      runtime->spawn({.name = "logins", .scheduler = 0, .mailbox = {.capacity = 1u << 14}, .background = true},
                     login_actor, std::move(desk));

  std::vector<std::vector<ClientAddress>> clients(config.gateways.size(),
                                                  std::vector<ClientAddress>(config.accounts.size()));
  std::vector<FixAcceptorSetup> acceptors(config.gateways.size());
  std::vector<LoginDesk*> fix_desk_of(config.gateways.size());
  for (std::size_t g = 0; g < config.gateways.size(); ++g) {
    const VenueConfig::Gateway& gateway = config.gateways[g];
    if (gateway.protocol != VenueConfig::Protocol::fix || !gateway.passwords) continue;
    fix_desks.push_back(std::make_unique<LoginDesk>(LoginDeskOptions{.newest_wins = config.newest_login_wins}));
    fix_desk_of[g] = fix_desks.back().get();
    for (const VenueConfig::Account& account : config.accounts) fix_desk_of[g]->add(account.user, account.password);
  }

  for (const Place& place : places) {
    const VenueConfig::Account& account = config.accounts[place.port.user];
    const VenueConfig::Gateway& gateway = config.gateways[place.port.gateway];
    const NearScheduler near(runtime->memory(), place.scheduler);
    PreTradeRisk& risk = *risks[place.scheduler];
    const AccountId id = place.port.account;
    risk.add_account(id, limits_of(account, symbols.size()));
    if (account.symbols.size() != symbols.size())
      for (const SymbolId symbol : account.symbols) risk.entitle(id, symbol, true, true);
    kill.add_account(id, account.firm);
    PortOfAccount port = place.port;
    const MessageStore::Size stream{.messages = config.sizes.messages, .bytes = config.sizes.message_bytes};
    const SpawnOptions spawning{.name = account.user,
                                .scheduler = static_cast<int>(place.scheduler),
                                .mailbox = port_mailbox(),
                                .background = true};
    if (gateway.protocol == VenueConfig::Protocol::fix) {
      FixPortOptions options;
      options.session.version = place.version;
      options.session.sender = gateway.comp_id;
      options.session.target = account.comp_id;
      options.orders = {.account = id, .most_orders = config.sizes.port_orders};
      options.sent = stream;
      options.client_ids = config.sizes.port_ids;
      options.throttle = account.throttle;
      options.cancel_on_disconnect =
          account.cancel_on_disconnect ? CancelOnDisconnect::always : CancelOnDisconnect::marked;
      options.disconnect_grace_ns = account.grace.count();
      options.logins = fix_desk_of[place.port.gateway];
      options.login = place.port.user;
      options.kill = kill;
      options.firm = account.firm;
      FixPortSetup setup{.options = std::move(options),
                         .symbols = &*directory,
                         .risk = &risk,
                         .kill_desk = kill_desk,
                         .newest_wins = config.newest_login_wins};
      port.fix = runtime->spawn(spawning, fix_port, std::move(setup));
      acceptors[port.gateway].ports.push_back(
          {.version = place.version, .client = account.comp_id, .venue = gateway.comp_id, .port = port.fix});
    } else {
      OuchPortOptions options;
      options.desk.account = id;
      options.desk.most_orders = config.sizes.port_orders;
      options.desk.most_tokens = config.sizes.port_ids;
      options.desk.firms = {Alpha<4>(std::string_view(account.firm))};
      options.desk.messages = account.throttle;
      options.desk.midnight_ns = midnight;
      options.session = config.session;
      options.stream = stream;
      options.cancel_on_disconnect = account.cancel_on_disconnect;
      options.grace_ns = account.grace.count();
      OuchPortSetup setup{.options = std::move(options),
                          .symbols = &*directory,
                          .risk = &risk,
                          .kill_desk = kill_desk,
                          .kill = kill,
                          .firm = account.firm};
      setup.connection.kernel_stamps = config.kernel_stamps;
      if (config.measure) {
        port_times.push_back(std::make_unique<PortTimes>());
        setup.times = port_times.back().get();
        ports_there[place.scheduler].push_back(setup.times);
      }
      port.ouch = runtime->spawn(
          spawning, gateway.protocol == VenueConfig::Protocol::ouch50 ? ouch50_port : ouch42_port, std::move(setup));
      clients[port.gateway][port.user] = port.ouch;
    }
    ports.push_back(port);
  }

  for (std::uint32_t g = 0; g < config.gateways.size(); ++g) {
    const VenueConfig::Gateway& config_of = config.gateways[g];
    const std::string name = "gateway " + config_of.name;
    const SpawnOptions spawning{
        .name = name, .scheduler = config_of.scheduler, .mailbox = {.capacity = 1u << 14}, .background = true};
    const std::uint32_t door =
        add_door(Kind::gateway, config_of.name, std::string(name_of(config_of.protocol)), config_of.address);
    if (config_of.protocol == VenueConfig::Protocol::fix) {
      FixAcceptorSetup setup = std::move(acceptors[g]);
      setup.local = config_of.address;
      setup.most_waiting = config_of.connections;
      setup.most_waiting_of_address = config_of.connections_per_address;
      setup.login_timeout_ns = config.sizes.login.count();
      const auto ear = runtime->spawn({.name = "ear", .scheduler = config_of.scheduler, .background = true},
                                      listening_ear, door, director);
      fix_acceptors.push_back(runtime->spawn(spawning, fix_acceptor, std::move(setup), Address<FixListening>(ear)));
      continue;
    }
    GatewaySetup setup{.listen = config_of.address,
                       .most_connections = config_of.connections,
                       .most_of_address = config_of.connections_per_address,
                       .logins = logins,
                       .ports = std::move(clients[g])};
    setup.soup.login_timeout_ns = config.sizes.login.count();
    setup.soup.largest_payload = largest_message;
    ouch_gateways.push_back({runtime->spawn(spawning, gateway, std::move(setup)), door});
  }
}

void Exchange::Parts::build_feeds() {
  std::uint32_t turn = 0;
  for (const VenueConfig::Feed& asked : config.feeds) {
    const int on = scheduler_for(asked.scheduler, turn);
    MarketDataOptions options;
    options.feed.session = mold::Session(std::string_view(asked.session));
    options.feed.midnight_ns = midnight;
    options.feed.largest_packet = asked.largest_packet;
    options.feed.flush_ns = asked.flush.count();
    options.feed.heartbeat_ns = asked.heartbeat.count();
    options.feed.store = {.messages = config.sizes.feed_messages, .bytes = config.sizes.feed_bytes};
    options.feed.requests_per_source = asked.requests_per_source;
    const auto most = static_cast<std::uint32_t>(config.sizes.orders);
    options.feed.orders = {.orders = std::min(most, 1u << 14), .limit = most, .chunk = 1u << 14};
    for (const SymbolId symbol : asked.symbols) {
      options.feed.instruments.push_back(config.instruments[symbol.value].instrument);
      options.symbols.push_back(symbols[symbol.value]);
    }
    options.line_a = {asked.a};
    if (asked.b) options.line_b = {*asked.b};
    if (!config.beyond_loopback) options.from_a = options.from_b = Endpoint::loopback();
    options.interface = asked.interface;
    options.requests = asked.requests;
    options.end_lasts = std::min<Duration>(config.sizes.drain / 5, std::chrono::milliseconds(500));
    FeedOfSymbols feed;
    add_door(Kind::feed_a, asked.session, {}, asked.a);
    if (asked.b) add_door(Kind::feed_b, asked.session, {}, *asked.b);
    feed.has_requests = asked.requests.has_value();
    feed.requests_door = feed.has_requests ? add_door(Kind::requests, asked.session, {}, *asked.requests)
                                           : static_cast<std::uint32_t>(doors.size() - 1);
    feed.address = runtime->spawn({.name = "feed " + asked.session,
                                   .scheduler = on,
                                   .mailbox = {.capacity = 1u << 16, .when_full = WhenFull::wait},
                                   .background = true},
                                  market_data, std::move(options));
    feeds.push_back(feed);
    if (!asked.snapshots) continue;
    SnapshotServerOptions server;
    server.feed = feed.address;
    server.local = *asked.snapshots;
    server.session.soup.login_timeout_ns = config.sizes.login.count();
    for (const VenueConfig::Account& account : config.accounts)
      server.accounts.emplace_back(account.user, account.password);
    SnapshotsOfFeed snapshots_of;
    snapshots_of.door = add_door(Kind::snapshots, asked.session, {}, *asked.snapshots);
    snapshots_of.address = runtime->spawn({.name = "snapshots " + asked.session, .scheduler = on, .background = true},
                                          snapshot_server, std::move(server));
    snapshots.push_back(snapshots_of);
  }
}

void Exchange::Parts::build_probes() {
  for (std::uint32_t i = 0; i < config.schedulers; ++i) {
    VenueProbeOptions options;
    options.pool = pools[i].get();
    options.stages = config.measure ? stage_times[i].get() : nullptr;
    options.ports = ports_there[i];
    options.risk = risks[i].get();
    for (const VenueConfig::Listed& listed : config.instruments)
      if (listed.scheduler == static_cast<int>(i)) options.symbols.push_back(listed.instrument.symbol);
    const std::vector<SymbolId> there = options.symbols;
    probes.push_back(runtime->spawn({.name = "probe",
                                     .scheduler = static_cast<int>(i),
                                     .mailbox = {.capacity = 1u << 14, .when_full = WhenFull::refuse},
                                     .background = true},
                                    venue_probe, std::move(options)));
    for (const SymbolId symbol : there) symbols[symbol.value].send(SubscribeTrades{probes.back()});
  }
}

void Exchange::Parts::build_pages() {
  VenuePagesOptions options{.runtime = &*runtime, .name = config.name, .probes = probes, .state = &state};
  for (const VenueConfig::Listed& listed : config.instruments) options.instruments.push_back(listed.instrument);
  for (const OuchGateway& gateway : ouch_gateways)
    options.gateways.emplace_back(doors[gateway.door].name, gateway.address);
  for (const PortOfAccount& port : ports)
    if (port.ouch) options.ports.emplace_back(config.gateways[port.gateway].name, port.ouch);
  for (std::size_t i = 0; i < feeds.size(); ++i) options.feeds.emplace_back(config.feeds[i].session, feeds[i].address);
  pages.emplace(std::move(options));
  if (!config.metrics.address) return;
  const std::uint32_t door = add_door(Kind::metrics, {}, {}, *config.metrics.address);
  StatusServerSetup setup{
      .local = *config.metrics.address,
      .http = {.largest_request = config.metrics.largest_request, .patience_ns = config.metrics.patience.count()},
      .connections = config.metrics.connections,
      .pages = &*pages};
  setup.opened = [this, door](const Result<Endpoint>& where) {
    if (!where) {
      const std::lock_guard lock(last_words_mutex);
      last_words = fmt::format("cannot listen at {}: {}", doors[door].at.text(), where.failure().text());
    }
    director.send(DoorOpened{door, where ? *where : Endpoint()});
  };
  runtime->spawn({.name = "status", .scheduler = 0, .background = true}, status_server, std::move(setup));
}

Exchange::Exchange(VenueConfig config, std::function<void(std::string_view)> log) : parts_(std::make_unique<Parts>()) {
  parts_->config = std::move(config);
  parts_->log = std::move(log);
  parts_->build();
}

Exchange::~Exchange() {
  if (!parts_->runs) return;
  stop();
  parts_->runtime->join();
}

void Exchange::start() {
  auto opened = parts_->opened.get_future();
  parts_->runtime->start();
  parts_->runs = true;
  const std::string failure = opened.get();
  parts_->opened_at = std::chrono::steady_clock::now();
  if (failure.empty()) return;
  parts_->runtime->join();
  parts_->runs = false;
  throw std::runtime_error(failure);
}

const std::vector<ExchangeDoor>& Exchange::doors() const { return parts_->doors; }

const ExchangeDoor* Exchange::door(ExchangeDoor::Kind kind, std::string_view name) const {
  for (const ExchangeDoor& one : parts_->doors)
    if (one.kind == kind && (name.empty() || one.name == name)) return &one;
  return nullptr;
}

void Exchange::drain() noexcept {
  if (parts_->state.load(std::memory_order_acquire) == VenueState::open) parts_->director.send(EndDay{});
}

void Exchange::stop() noexcept { parts_->runtime->stop(); }

ExchangeReport Exchange::join() {
  parts_->runtime->join();
  parts_->runs = false;
  ExchangeReport report;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - parts_->opened_at).count();
  report.in_time = parts_->in_time.load(std::memory_order_relaxed);
  report.orders = parts_->orders.load(std::memory_order_relaxed);
  report.failures = parts_->failures.load(std::memory_order_relaxed);
  for (const SymbolCounts& counts : parts_->counts) {
    report.commands += counts.commands;
    report.trades += counts.trades;
    report.shares += counts.shares;
  }
  for (const PortOfAccount& port : parts_->ports) {
    if (!port.ouch || !parts_->config.measure) continue;
    report.sessions.push_back(
        {fmt::format("{}@{}", parts_->config.accounts[port.user].user, parts_->config.gateways[port.gateway].name),
         parts_->port_times[report.sessions.size()].get()});
  }
  return report;
}

const VenueConfig& Exchange::config() const { return parts_->config; }

std::vector<Instrument> Exchange::instruments() const {
  std::vector<Instrument> all;
  for (const VenueConfig::Listed& listed : parts_->config.instruments) all.push_back(listed.instrument);
  return all;
}

const std::vector<std::unique_ptr<StageTimes>>& Exchange::stage_times() const { return parts_->stage_times; }

}  // namespace outcry
