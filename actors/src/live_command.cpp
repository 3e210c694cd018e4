// live: a strategy on a venue on sockets.
#include <outcry/actors/live_market.hpp>
#include <outcry/actors/run.hpp>
#include <outcry/actors/venue_config.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "command.hpp"
#include "host_option.hpp"

namespace outcry {

namespace {

struct Live {
  std::string file{};
  std::string doors{};
  std::string user{};
  std::string gateway{};
  std::string idle = "spin_then_sleep";
  std::string host{};
  LiveOptions options{};
  CommonOptions common{};

  CommandLine line(const char* called, bool has_strategy) {
    CommandLine out(called,
                    "A strategy on a venue on sockets: its orders by OUCH or FIX, market data as ITCH in MoldUDP64 "
                    "packets. Ends by Ctrl-C: what is open is cancelled first.");
    out.add_argument("FILE", "the venue's file, as outcry serve has it: instruments, addresses, accounts", &file, true);
    out.add({"--doors", "", "FILE", "What outcry serve --json has printed: where its doors are, for ports 0", &doors});
    out.add(
        {"--user", "user", "NAME", "Who trades; the password is in OUTCRY_PASSWORD or in the file [the first]", &user});
    out.add({"--gateway", "gateway", "NAME", "Of the file, for OUCH 5.0 or FIX [the first for OUCH 5.0]", &gateway});
    out.add({"--session", "session", "FILE",
             "FIX: remembers where its session is, so that a program that starts again knows its orders",
             &options.orders.login.memory});
    out.add({"--for", "for", "TIME", "Ends after so long [until it is told to]", &options.length, 0, 9.2e18, true});
    out.add({"--schedulers", "schedulers", "N", "Threads", &options.schedulers, 1, 256});
    out.add({"--idle", "idle", "NAME", "What they do with nothing to do: sleep, spin_then_sleep, spin", &idle});
    out.add({"--maker-fee", "strategy.maker_fee", "X", "Price units a lot; below zero: a rebate", &options.fees.maker,
             -1e9, 1e9});
    out.add({"--taker-fee", "strategy.taker_fee", "X", "The same, where the strategy takes", &options.fees.taker, -1e9,
             1e9});
    out.add({"--host", "", "FILE", "Places schedulers on processors by a host's profile: cli/profiles", &host});
    out.add({"--no-measure", "measure", "", "Leaves out how long an order's way takes", &options.measure});
    common.add_to(out, has_strategy);
    return out;
  }
};

/// What outcry serve --json has printed; null without a file.
Json read_doors(const std::string& file) {
  if (file.empty()) return {};
  std::ifstream in(file);
  if (!in) throw BadInput(file + ": cannot be read");
  std::string first;
  std::getline(in, first);
  Json doors = Json::parse(first, nullptr, false);
  if (doors.is_discarded() || !doors.is_object() || !doors.contains("gateways") || !doors.contains("feeds"))
    throw BadInput(file + ": names no gateways and feeds, expected what outcry serve --json prints");
  return doors;
}

/// Where a door is: in the file, or where a port 0 became another one, as the venue has said.
Endpoint door(const Endpoint& in_file, const Json& doors, const char* kind, const std::string& name, const char* key,
              const std::string& what) {
  if (in_file.port() != 0) return in_file;
  if (doors.is_object() && doors.at(kind).contains(name) && doors.at(kind).at(name).contains(key))
    if (const auto address = Endpoint::parse(doors.at(kind).at(name).at(key).get<std::string>())) return *address;
  throw BadInput(what +
                 " has port 0, any that is free: --doors names the file that outcry serve --json was written to");
}

const VenueConfig::Gateway& choose_gateway(const VenueConfig& venue, const std::string& name) {
  std::string known;
  for (const VenueConfig::Gateway& gateway : venue.gateways) {
    if (name.empty() ? gateway.protocol == VenueConfig::Protocol::ouch50 : gateway.name == name) {
      if (gateway.protocol == VenueConfig::Protocol::ouch42)
        throw BadUsage("gateway " + gateway.name + " speaks OUCH 4.2; a strategy speaks OUCH 5.0 or FIX");
      return gateway;
    }
    known += (known.empty() ? "" : ", ") + gateway.name;
  }
  if (name.empty()) throw BadInput(venue.file + ": has no gateway for OUCH 5.0; --gateway names one of " + known);
  throw BadUsage("there is no gateway " + name + "; expected one of " + known);
}

const VenueConfig::Account& choose_account(const VenueConfig& venue, const std::string& user) {
  const auto same = [](std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return std::toupper(x) == std::toupper(y); });
  };
  for (const VenueConfig::Account& account : venue.accounts)
    if (user.empty() || same(account.user, user)) return account;
  throw BadUsage("there is no user " + user + " in " + venue.file);
}

void take_venue(Live& live, const VenueConfig& venue, const Json& doors) {
  LiveOptions& options = live.options;
  for (const VenueConfig::Listed& listed : venue.instruments) options.instruments.push_back(listed.instrument);

  const VenueConfig::Gateway& gateway = choose_gateway(venue, live.gateway);
  const VenueConfig::Account& account = choose_account(venue, live.user);
  const char* const password = std::getenv("OUTCRY_PASSWORD");
  OrderLineOptions& orders = options.orders;
  orders.venue = door(gateway.address, doors, "gateways", gateway.name, "address", "gateway " + gateway.name);
  orders.wire = gateway.protocol == VenueConfig::Protocol::fix ? fix_wire : ouch_wire;
  orders.login.user = account.user;
  orders.login.password = password != nullptr ? password : account.password;
  orders.login.sender = account.comp_id.empty() ? account.user : account.comp_id;
  orders.login.target = gateway.comp_id;

  for (const VenueConfig::Feed& feed : venue.feeds) {
    const std::string name = "feed " + feed.session;
    const auto line = [&](const Endpoint& to) {
      FeedLine one{.local = to, .interface = feed.interface};
      if (to.is_multicast()) one.group = to;
      return one;
    };
    LiveOptions::Feed one{.subscriber = {}, .symbols = feed.symbols};
    one.subscriber.client.session = mold::Session(std::string_view(feed.session));
    one.subscriber.line_a = line(feed.a);
    if (feed.b) one.subscriber.line_b = line(*feed.b);
    if (feed.requests) one.subscriber.requests = door(*feed.requests, doors, "feeds", feed.session, "requests", name);
    if (feed.snapshots) {
      one.subscriber.snapshots = door(*feed.snapshots, doors, "feeds", feed.session, "snapshots", name);
      one.subscriber.user = orders.login.user;
      one.subscriber.password = orders.login.password;
    }
    one.subscriber.client.snapshots = feed.snapshots.has_value();
    options.feeds.push_back(std::move(one));
  }
}

Json json_of(const LiveMarket& market, const LiveReport& report) {
  return {{"symbols", market.instruments().size()}, {"wall_s", report.wall_s},
          {"feed_messages", report.feed_messages},  {"feed_recoveries", report.feed_recoveries},
          {"feeds_stale", report.feeds_stale},      {"times_lost", report.times_lost},
          {"orders_live", report.open_orders},      {"rss_mb", peak_resident_mb()}};
}

std::string table_of(const std::string& file, const LiveMarket& market, const LiveReport& report) {
  const std::size_t symbols = market.instruments().size();
  std::string text =
      fmt::format("{}: {} symbol{}, {:.3g} s\n\n", file, symbols, symbols == 1 ? "" : "s", report.wall_s);
  const auto row = [&](std::string_view what, const std::string& value, const std::string& more) {
    text += fmt::format("  {:<9}{:>16}   {}\n", what, value, more);
  };
  row("feed", grouped(report.feed_messages),
      fmt::format("messages, {} gaps that needed a snapshot", grouped(report.feed_recoveries)));
  row("lost", grouped(report.times_lost), "connections for orders");
  row("live", grouped(report.open_orders), "orders that the venue has not confirmed to be gone");
  return text;
}

int live(const char* called, int argc, char** argv, StrategyFunction own_strategy) {
  Live live;
  CommandLine line = live.line(called, own_strategy != nullptr);
  if (!line.read(argc, argv)) return 0;
  line.apply();
  LiveOptions& options = live.options;
  options.idle = live.idle == "sleep"  ? IdlePolicy::sleep
                 : live.idle == "spin" ? IdlePolicy::spin
                 : live.idle == "spin_then_sleep"
                     ? IdlePolicy::spin_then_sleep
                     : throw BadUsage("--idle is sleep, spin_then_sleep or spin, not " + live.idle);
  const ChosenStrategy strategy = choose_strategy(live.common, own_strategy);
  if (strategy.function == nullptr) throw BadUsage("a live market needs a strategy: --strategy names one");
  options.strategy = strategy.function;
  take_venue(live, VenueConfig::read(live.file), read_doors(live.doors));
  if (!options.orders.login.memory.empty() && options.orders.wire != fix_wire)
    throw BadUsage("--session is for FIX; by OUCH a program that starts again knows its orders by itself");
  if (!live.host.empty()) take_seats(options, live.host);

  std::optional<RunFolder> folder;
  if (!live.common.out.empty()) folder.emplace(live.common.out);
  Manifest manifest{.command = "live", .configuration = as_json(line.settings())};
  manifest.configuration["file"] = std::filesystem::path(live.file).filename().string();
  LiveMarket market(std::move(options));

  const auto begin = std::chrono::steady_clock::now();
  const auto progress = [&] {
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return fmt::format("{}, {}, {:.0f} MB", clock_text(wall),
                       market.is_up() ? "trading" : "the venue cannot be reached just now", resident_mb());
  };
  return play_market(
      called, live.common, strategy, market, folder ? &*folder : nullptr, manifest, progress, [&](double& stamped_s) {
        const LiveReport report = market.run();
        stamped_s = report.wall_s;
        return Outcome{.result = json_of(market, report),
                       .table = table_of(std::filesystem::path(live.file).filename().string(), market, report),
                       .error = report.error};
      });
}

}  // namespace

int live_command(int argc, char** argv, StrategyFunction strategy) {
  return guarded(argv[0], wants_json(argc, argv), [&] { return live(argv[0], argc, argv, strategy); });
}

}  // namespace outcry
