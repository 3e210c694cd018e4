// The doors for orders: who stands behind them, by which limits, and who opens them.
#include "exchange_parts.hpp"

#include <algorithm>
#include <utility>

#include <outcry/actors/risk_gate.hpp>

#include "account_limits.hpp"

namespace outcry {

namespace {

constexpr std::size_t largest_message = 512;  // of OUCH, with all its options
constexpr std::int64_t units_of_currency = 10'000;

bool is_fix(const VenueConfig::Gateway& gateway) { return gateway.protocol == VenueConfig::Protocol::fix; }

}  // namespace

/// Gives each account at each of its gateways a number and a scheduler, before anything of a size is made.
void Exchange::Parts::place_ports() {
  std::uint32_t turn = 0;
  for (VenueConfig::Gateway& gateway : config.gateways) gateway.scheduler = scheduler_for(gateway.scheduler, turn);
  const auto fits = [&](const VenueConfig::Account& account, std::uint32_t gateway) {
    return std::find(account.gateways.begin(), account.gateways.end(), gateway) != account.gateways.end();
  };
  std::uint32_t number = 0;
  for (std::uint32_t g = 0; g < config.gateways.size(); ++g) {
    for (std::uint32_t a = 0; a < config.accounts.size(); ++a) {
      if (!fits(config.accounts[a], g)) continue;
      for (const fix::Version version : {fix::Version::v4_2, fix::Version::v4_4}) {
        if (!is_fix(config.gateways[g]) && version != fix::Version::v4_2) continue;
        places.push_back({{.account = AccountId{++number}, .user = a, .gateway = g}, a % config.schedulers, version});
      }
    }
  }
}

/// Groups are those of the accounts in the file; the books know ports. An account of several ports is a group of its own.
void Exchange::Parts::group_ports() {
  if (!config.rules) return;
  std::uint32_t most = 0;
  std::vector<std::uint32_t> ports_of(config.accounts.size());
  for (const VenueConfig::Account& account : config.accounts) most = std::max(most, account.group);
  for (const Place& place : places) ++ports_of[place.port.user];
  config.rules->groups.assign(places.size() + 1, 0);
  for (const Place& place : places) {
    const std::uint32_t user = place.port.user;
    std::uint32_t group = config.accounts[user].group;
    if (group == 0 && ports_of[user] > 1) group = most + 1 + user;
    config.rules->groups[place.port.account.value] = group;
  }
}

void Exchange::Parts::build_limits() {
  risks.resize(config.schedulers);
  ports_there.resize(config.schedulers);
  risk_ports.resize(config.accounts.size());
  std::vector<std::uint32_t> ports_of(config.schedulers);
  for (const Place& place : places) ++ports_of[place.scheduler];
  const bool prices = std::any_of(config.accounts.begin(), config.accounts.end(),
                                  [](const VenueConfig::Account& account) { return needs_prices(account.limits); });
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
    runtime->spawn({.name = "reference prices",
                    .scheduler = static_cast<int>(i),
                    .mailbox = {.capacity = 1u << 16, .when_full = WhenFull::refuse},
                    .background = true},
                   risk_reference, symbols, risks[i].get());
  }

  // Each account once, whatever number of ports it has; they are on its scheduler.
  std::vector<const Place*> first(config.accounts.size());
  for (const Place& place : places) {
    const VenueConfig::Account& account = config.accounts[place.port.user];
    PreTradeRisk& risk = *risks[place.scheduler];
    const AccountId id = place.port.account;
    const Place*& its_first = first[place.port.user];
    if (its_first != nullptr) {
      risk.join_account(id, its_first->port.account);
      continue;
    }
    its_first = &place;
    RiskLimits limits = risk_limits(account.limits, units_of_currency);
    limits.every_symbol = account.symbols.size() == symbols.size();
    risk.add_account(id, limits);
    if (!limits.every_symbol)
      for (const SymbolId symbol : account.symbols) risk.entitle(id, symbol, true, true);
    if (account.throttle.burst != 0) risk_ports[place.port.user] = risk.add_port(account.throttle);
  }
}

void Exchange::Parts::build_logins() {
  if (!config.kill_switch.empty()) kill = KillSwitch(config.kill_switch);
  for (const Place& place : places) {
    const VenueConfig::Account& account = config.accounts[place.port.user];
    kill.add_account(place.port.account, account.firm, account.user);
  }
  kill_desk = runtime->spawn({.name = "kill desk", .scheduler = 0, .background = true}, outcry::kill_desk,
                             KillDeskSetup{.state = &kill, .path = config.kill_switch, .symbols = symbols});

  LoginDesk desk(LoginDeskOptions{.newest_wins = config.newest_login_wins});
  for (const VenueConfig::Account& account : config.accounts) desk.add(account.user, account.password);
  logins = runtime->spawn({.name = "logins", .scheduler = 0, .mailbox = {.capacity = 1u << 14}, .background = true},
                          login_actor, std::move(desk));
}

void Exchange::Parts::build_ports() {
  for (const Place& place : places) {
    const NearScheduler near(runtime->memory(), place.scheduler);
    const PortOfAccount port = is_fix(config.gateways[place.port.gateway]) ? fix_port_of(place) : ouch_port_of(place);
    logins.send(WatchSessions{port.user, port.address});
    ports.push_back(port);
  }
}

/// As it is at the start, for one port: what is engaged, and no accounts but its own.
KillSwitch Exchange::Parts::kill_switch_of(const Place& place) const {
  const VenueConfig::Account& account = config.accounts[place.port.user];
  KillSwitch own;
  own.add_account(place.port.account, account.firm, account.user);
  for (const Engagement& one : kill.engagements()) own.engage(one.scope, one.since_utc_ns, one.why);
  return own;
}

PortOfAccount Exchange::Parts::ouch_port_of(const Place& place) {
  const VenueConfig::Account& account = config.accounts[place.port.user];
  OuchPortOptions options;
  options.desk.account = place.port.account;
  options.desk.risk_port = risk_ports[place.port.user];
  options.desk.most_orders = config.sizes.port_orders;
  options.desk.most_tokens = config.sizes.port_ids;
  options.desk.firms = {Alpha<4>(std::string_view(account.firm))};
  options.desk.messages = account.throttle;
  options.desk.midnight_ns = midnight;
  options.session = config.session;
  options.stream = {.messages = config.sizes.messages, .bytes = config.sizes.message_bytes};
  options.cancel_on_disconnect = account.cancel_on_disconnect;
  options.grace_ns = account.grace.count();
  OuchPortSetup setup{.options = std::move(options),
                      .symbols = &*directory,
                      .risk = risks[place.scheduler].get(),
                      .kill_desk = kill_desk,
                      .kill = kill_switch_of(place),
                      .firm = account.firm};
  setup.connection.kernel_stamps = config.kernel_stamps;
  if (config.measure) {
    port_times.push_back(std::make_unique<PortTimes>());
    setup.times = port_times.back().get();
    ports_there[place.scheduler].push_back(setup.times);
  }
  const bool is_50 = config.gateways[place.port.gateway].protocol == VenueConfig::Protocol::ouch50;
  PortOfAccount port = place.port;
  const OuchPortAddress address = runtime->spawn({.name = account.user,
                                                  .scheduler = static_cast<int>(place.scheduler),
                                                  .mailbox = port_mailbox(),
                                                  .background = true},
                                                 is_50 ? ouch50_port : ouch42_port, std::move(setup));
  port.address = address;
  port.clients = address;
  return port;
}

PortOfAccount Exchange::Parts::fix_port_of(const Place& place) {
  const VenueConfig::Account& account = config.accounts[place.port.user];
  FixPortOptions options;
  options.session.version = place.version;
  options.session.sender = config.gateways[place.port.gateway].comp_id;
  options.session.target = account.comp_id;
  options.orders = {
      .account = place.port.account, .risk_port = risk_ports[place.port.user], .most_orders = config.sizes.port_orders};
  options.sent = {.messages = config.sizes.messages, .bytes = config.sizes.message_bytes};
  options.client_ids = config.sizes.port_ids;
  options.throttle = account.throttle;
  options.cancel_on_disconnect = account.cancel_on_disconnect ? CancelOnDisconnect::always : CancelOnDisconnect::marked;
  options.disconnect_grace_ns = account.grace.count();
  options.kill = kill_switch_of(place);
  options.firm = account.firm;
  PortOfAccount port = place.port;
  port.fix = runtime->spawn({.name = account.user,
                             .scheduler = static_cast<int>(place.scheduler),
                             .mailbox = port_mailbox(),
                             .background = true},
                            fix_port,
                            FixPortSetup{.options = std::move(options),
                                         .symbols = &*directory,
                                         .risk = risks[place.scheduler].get(),
                                         .kill_desk = kill_desk});
  port.address = port.fix;
  return port;
}

void Exchange::Parts::build_gateways() {
  for (std::uint32_t g = 0; g < config.gateways.size(); ++g) {
    const VenueConfig::Gateway& asked = config.gateways[g];
    const std::string name = "gateway " + asked.name;
    const SpawnOptions spawning{
        .name = name, .scheduler = asked.scheduler, .mailbox = {.capacity = 1u << 14}, .background = true};
    OrderGateway door;
    door.door = add_door(ExchangeDoor::Kind::gateway, asked.name, std::string(name_of(asked.protocol)), asked.address);
    if (is_fix(asked)) {
      FixAcceptorSetup setup{.local = asked.address, .logins = logins, .passwords = asked.passwords};
      for (std::size_t i = 0; i < ports.size(); ++i)
        if (ports[i].gateway == g)
          setup.ports.push_back({.version = places[i].version,
                                 .client = config.accounts[ports[i].user].comp_id,
                                 .venue = asked.comp_id,
                                 .port = ports[i].fix,
                                 .login = ports[i].user});
      setup.most_connections = asked.connections;
      setup.most_of_address = asked.connections_per_address;
      setup.login_timeout_ns = config.sizes.login.count();
      door.address = runtime->spawn(spawning, fix_acceptor, std::move(setup), Address<FixListening>());
    } else {
      GatewaySetup setup{.listen = asked.address,
                         .most_connections = asked.connections,
                         .most_of_address = asked.connections_per_address,
                         .logins = logins,
                         .ports = std::vector<ClientAddress>(config.accounts.size())};
      for (const PortOfAccount& port : ports)
        if (port.gateway == g) setup.ports[port.user] = port.clients;
      setup.soup.login_timeout_ns = config.sizes.login.count();
      setup.soup.largest_payload = largest_message;
      door.address = runtime->spawn(spawning, gateway, std::move(setup));
    }
    gateways.push_back(door);
  }
}

}  // namespace outcry
