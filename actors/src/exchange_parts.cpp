#include "exchange_parts.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include <outcry/actors/host_profile.hpp>
#include <outcry/actors/session.hpp>
#include <outcry/actors/status_server.hpp>
#include <outcry/actors/symbol.hpp>
#include <outcry/book/rule_state.hpp>

#include "exchange_director.hpp"
#include "host_option.hpp"

namespace outcry {

namespace {

using Kind = ExchangeDoor::Kind;

constexpr std::uint32_t symbol_mailbox = 1u << 16;
constexpr std::int64_t day_ns = 86'400'000'000'000;

std::int64_t midnight_ns() {
  const std::int64_t utc_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  return TscClock::system_ns() - utc_ns % day_ns;
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

std::string Exchange::Parts::last_words_or(std::string otherwise) {
  const std::lock_guard lock(last_words_mutex);
  return last_words.empty() ? otherwise : last_words;
}

void Exchange::Parts::build() {
  midnight = midnight_ns();
  runtime.emplace(runtime_options());
  if (config.rules) {  // throws if they make no sense
    for (const VenueConfig::Listed& listed : config.instruments)
      RuleState(*config.rules, listed.instrument, {}, std::pmr::get_default_resource());
  }
  director =
      runtime->spawn({.name = "director", .scheduler = 0, .mailbox = {.capacity = 1u << 14}}, exchange_director, this);
  place_ports();
  group_ports();
  build_symbols();
  build_limits();
  build_logins();
  build_ports();
  build_gateways();
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
  for (const OrderGateway& gateway : gateways) options.gateways.emplace_back(doors[gateway.door].name, gateway.address);
  for (const PortOfAccount& port : ports) options.ports.emplace_back(config.gateways[port.gateway].name, port.address);
  for (std::size_t i = 0; i < feeds.size(); ++i) options.feeds.emplace_back(config.feeds[i].session, feeds[i].address);
  options.kill.desk = kill_desk;
  options.kill.is_remembered = !config.kill_switch.empty();
  for (const VenueConfig::Account& account : config.accounts) {
    options.kill.users.push_back(account.user);
    if (!account.firm.empty()) options.kill.firms.push_back(account.firm);
  }
  pages.emplace(std::move(options));
  if (!config.metrics.address) return;
  const std::uint32_t door = add_door(Kind::metrics, {}, {}, *config.metrics.address);
  StatusServerSetup setup{.local = *config.metrics.address,
                          .http = {.largest_request = config.metrics.largest_request,
                                   .patience_ns = config.metrics.patience.count(),
                                   .posts = true},
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

}  // namespace outcry
