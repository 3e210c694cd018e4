// simulate: a market with agents in virtual time.
#include <outcry/actors/run.hpp>
#include <outcry/actors/simulated_market.hpp>

#include <algorithm>
#include <chrono>

#include "account_limits.hpp"
#include "command.hpp"
#include "host_option.hpp"
#include "market_file.hpp"
#include "pools_file.hpp"
#include "venue_options.hpp"

namespace outcry {

namespace {

constexpr double most_ns = 9.2e18;
constexpr std::int64_t units_of_currency = 100;  // prices of simulated symbols are in cents
constexpr Duration w1_length = std::chrono::seconds(3000);

struct Simulation {
  SimulationOptions options{};
  ZeroIntelligence model{};
  VenueOptions venue{};
  VenueConfig::Limits limits{};  // of the strategy
  CommonOptions common{};
  std::string pools{};
  std::string host{};
  std::string market{};

  CommandLine line(const char* called, bool has_strategy) {
    CommandLine out(
        called,
        "A market with agents in virtual time: the same seed gives the same market on any number of schedulers.");
    out.add_argument("MARKET", "w1 (zero intelligence) or a file .toml; command-line options come before the file's",
                     &market, false);
    AgentCounts& agents = options.agents;
    AgentBehaviour& behaviour = options.behaviour;
    const double most_agents = 1'000'000;
    out.add({"--symbols", "symbols", "N", "Symbols", &options.symbols, 1, 100'000});
    out.add({"--for", "for", "TIME", "Simulated time: 6h30m, 90s, 250ms ... [1h; w1: 3000s behind the warm-up]",
             &options.length, 0, most_ns, true});
    out.add({"--seed", "seed", "S", "The run's seed", &options.seed, 0, 1.9e19});
    out.add({"--schedulers", "schedulers", "N", "Threads; the result is the same for any number", &options.schedulers,
             1, 256});
    out.add({"--noise", "agents.noise", "N", "Noise agents of each symbol", &agents.noise, 0, most_agents});
    out.add({"--value", "agents.value", "N", "Value agents of each symbol", &agents.value, 0, most_agents});
    out.add({"--makers", "agents.makers", "N", "Market makers of each symbol", &agents.makers, 0, most_agents});
    out.add({"", "agents.noise_wake", "TIME", "", &behaviour.noise_wake, 0, most_ns, true});
    out.add({"", "agents.value_wake", "TIME", "", &behaviour.value_wake, 0, most_ns, true});
    out.add({"", "agents.maker_wake", "TIME", "", &behaviour.maker_wake, 0, most_ns, true});
    out.add({"", "agents.distance", "TIME", "", &behaviour.distance, 0, 1e12, true});
    out.add({"", "agents.compute", "TIME", "", &behaviour.compute, 0, 1e12});
    out.add({"", "agents.fundamental_price", "CENTS", "", &behaviour.fundamental_price, 1, 1e12});
    out.add({"", "agents.fundamental_volatility", "X", "", &behaviour.fundamental_volatility, 0, 100});
    out.add({"", "agents.observation_error", "CENTS", "", &behaviour.observation_error, 0, 1e9});
    out.add({"", "agents.icebergs", "SHARE", "", &behaviour.icebergs, 0, 1});
    out.add({"", "agents.hidden", "SHARE", "", &behaviour.hidden, 0, 1});
    out.add({"", "agents.stops", "SHARE", "", &behaviour.stops, 0, 1});
    out.add({"", "agents.pegs", "SHARE", "", &behaviour.pegs, 0, 1});
    venue.add_to(out);
    out.add({"--epsilon", "w1.epsilon", "X", "Of w1: how fast orders are cancelled", &model.epsilon, 0, 1e6, true});
    out.add({"", "w1.limit_rate", "X", "", &model.limit_rate, 0, 1e6, true});
    out.add({"", "w1.market_rate", "X", "", &model.market_rate, 0, 1e9, true});
    out.add({"", "w1.width", "TICKS", "", &model.width, 1, 1e8});
    common.add_to(out, has_strategy);
    out.add({"--publish", "", "NAME", "Shows the market to other programs while it runs: outcry watch NAME",
             &options.publish});
    out.add({"--pace", "", "X", "Simulated seconds a second [as fast as it goes]", &options.pace, 0, 1e9, true});
    out.add({"--latency", "strategy.latency", "TIME", "From the strategy to a symbol, one way",
             &options.strategy_latency, 0, 1e15, true});
    out.add({"--compute", "strategy.compute", "TIME", "What each message costs the strategy", &options.strategy_compute,
             0, 1e15});
    out.add({"--maker-fee", "strategy.maker_fee", "X", "Price units a lot; below zero: a rebate", &options.fees.maker,
             -1e9, 1e9});
    out.add({"--taker-fee", "strategy.taker_fee", "X", "The same, where the strategy takes", &options.fees.taker, -1e9,
             1e9});
    for (Setting& one : limit_settings("strategy.limits", limits)) out.add(std::move(one));
    out.add({"--pools", "", "RUN", "Sizes the pools by what an earlier run used: its folder or its manifest", &pools});
    out.add(
        {"--host", "", "FILE", "Places schedulers on processors and nodes by a host's profile: cli/profiles", &host});
    out.add({"--no-measure", "measure", "", "Leaves out how long the stages of an order's way take", &options.measure});
    return out;
  }
};

Volume auction_shares(const SimulationReport& report) {
  Volume sum = 0;
  for (const AuctionResult& auction : report.auctions) sum += auction.volume;
  return sum;
}

double seconds_of(const AuctionResult& auction) { return static_cast<double>(auction.time_ns) / 1e9; }
double price_of(const AuctionResult& auction, std::span<const Instrument> instruments) {
  return static_cast<double>(auction.price.units) / static_cast<double>(instruments[auction.symbol.value].price_scale);
}

std::string auctions_text(const SimulationReport& report, std::span<const Instrument> instruments) {
  constexpr std::size_t most = 12;
  if (report.auctions.empty()) return {};
  std::string text =
      fmt::format("\n  {:<9}{:>10}{:>14}{:>16}{:>16}\n", "auction", "symbol", "price", "volume", "imbalance");
  for (std::size_t i = 0; i < std::min(most, report.auctions.size()); ++i) {
    const AuctionResult& auction = report.auctions[i];
    text += fmt::format("  {:<9}{:>10}{:>14.2f}{:>16}{:>16}\n", clock_text(seconds_of(auction)),
                        name_of(instruments[auction.symbol.value]), price_of(auction, instruments),
                        grouped(auction.volume), auction.imbalance);
  }
  if (report.auctions.size() > most) text += fmt::format("  ... and {} more\n", report.auctions.size() - most);
  return text;
}

Json auctions_json(const SimulationReport& report, std::span<const Instrument> instruments) {
  Json all = Json::array();
  for (const AuctionResult& auction : report.auctions)
    all.push_back({{"symbol", name_of(instruments[auction.symbol.value])},
                   {"time_s", seconds_of(auction)},
                   {"price", price_of(auction, instruments)},
                   {"volume", auction.volume},
                   {"imbalance", auction.imbalance}});
  return all;
}

std::string table_of(const Simulation& simulation, const SimulationReport& report, bool w1,
                     std::span<const Instrument> instruments) {
  const SimulationOptions& options = simulation.options;
  std::string text = fmt::format("{}{} symbol{}, {} agent{}: {} simulated in {:.3g} s on {} scheduler{}, seed {}\n\n",
                                 w1 ? "w1: " : "", grouped(report.symbols), report.symbols == 1 ? "" : "s",
                                 grouped(report.agents), report.agents == 1 ? "" : "s", to_text(report.simulated),
                                 report.wall_s, options.schedulers, options.schedulers == 1 ? "" : "s", options.seed);
  const auto row = [&](std::string_view what, const std::string& value, const std::string& more = {}) {
    text += fmt::format("  {:<9}{:>16}{}\n", what, value, more.empty() ? "" : "   " + more);
  };
  const double wall = std::max(report.wall_s, 1e-9);
  row("delivered", grouped(report.delivered), rounded(static_cast<double>(report.delivered) / wall) + " a second");
  row("commands", grouped(report.commands), rounded(static_cast<double>(report.commands) / wall) + " a second");
  row("trades", grouped(report.trades), grouped(report.shares) + " shares");
  if (report.refused != 0) row("refused", grouped(report.refused), "messages, by full mailboxes");
  if (options.strategy_limits) row("limited", grouped(report.limited), "orders of the strategy, by its limits");
  if (w1) {
    row("spread", fmt::format("{:.4f}", report.spread_over_pc), "of the characteristic price");
    row("spread cv", fmt::format("{:.4f}", report.spread_cv));
  }
  if (options.has_rules())
    row("auctions", grouped(report.auctions.size()), grouped(auction_shares(report)) + " shares");
  row("memory", fmt::format("{:.0f} MB", peak_resident_mb()));
  row("digest", digest_text(report.digest));
  return text + auctions_text(report, instruments);
}

Json json_of(const Simulation& simulation, const SimulationReport& report, bool w1,
             std::span<const Instrument> instruments) {
  const SimulationOptions& options = simulation.options;
  const double simulated_s = std::chrono::duration<double>(report.simulated).count();
  Json object = {{"symbols", report.symbols},
                 {"agents", report.agents},
                 {"delivered", report.delivered},
                 {"commands", report.commands},
                 {"trades", report.trades},
                 {"shares", report.shares},
                 {"refused", report.refused},
                 {"simulated_s", simulated_s},
                 {"wall_s", report.wall_s},
                 {"delivered_per_s", static_cast<double>(report.delivered) / std::max(report.wall_s, 1e-9)},
                 {"rss_mb", peak_resident_mb()},
                 {"digest", digest_text(report.digest)},
                 {"schedulers", options.schedulers},
                 {"seed", options.seed}};
  object["books"] = json_of(report.books);
  object["pools"] = json_of(report.pools);
  if (options.strategy_limits) object["limited"] = report.limited;
  if (w1) {
    object["spread_over_pc"] = report.spread_over_pc;
    object["spread_cv"] = report.spread_cv;
  }
  if (options.has_rules()) {
    object["auctions"] = auctions_json(report, instruments);
    object["auction_shares"] = auction_shares(report);
  }
  return object;
}

int simulate(const char* called, int argc, char** argv, StrategyFunction own_strategy) {
  Simulation simulation;
  SimulationOptions& options = simulation.options;
  CommandLine line = simulation.line(called, own_strategy != nullptr);
  if (!line.read(argc, argv)) return 0;

  std::vector<std::string> tables;
  bool w1 = simulation.market == "w1";
  if (!w1 && !simulation.market.empty()) {
    const bool named = simulation.market.find_first_of("./") == std::string::npos;
    if (named && !suggestion(simulation.market, {"w1"}).empty())
      throw BadUsage("there is no market " + simulation.market + suggestion(simulation.market, {"w1"}));
    tables = read_market_file(simulation.market, line.settings());
    w1 = std::find(tables.begin(), tables.end(), "w1") != tables.end();
  }
  line.apply();
  for (const Setting& setting : line.settings())
    if (w1 && setting.key == "for" && !setting.given) options.length = w1_length;
  if (w1) {
    line.refuse({"--noise", "--value", "--makers"}, "is of the market with agents; w1 has none of them");
    line.refuse({"--self-trade", "--opening-to", "--halts", "--closing-from", "--closing-to"},
                "is of the market with agents; w1 has neither rules nor a session");
    options.zero_intelligence = simulation.model;
  } else {
    line.refuse({"--epsilon"}, "is of w1: outcry simulate w1");
    simulation.venue.apply(options, line.settings(), tables, simulation.market);
  }
  if (!simulation.pools.empty()) options.pools = read_pools(simulation.pools);
  if (!simulation.host.empty()) take_seats(options, simulation.host);
  const ChosenStrategy strategy = choose_strategy(simulation.common, own_strategy);
  options.strategy = strategy.function;
  const auto is_limit = [](const Setting& one) { return one.given && one.key.starts_with("strategy.limits."); };
  if (std::any_of(line.settings().begin(), line.settings().end(), is_limit)) {
    if ((simulation.limits.orders.per_second == 0) != (simulation.limits.orders.burst == 0))
      throw BadInput(simulation.market +
                     ": strategy.limits has one of orders_per_second and orders_burst, expected both or none");
    options.strategy_limits = risk_limits(simulation.limits, units_of_currency);
  }
  if (strategy.function == nullptr)
    line.refuse({"--latency", "--compute", "--maker-fee", "--taker-fee"}, "is of a strategy; --strategy names one");
  if (w1 && strategy.function != nullptr) throw BadUsage("w1 is a closed model: no strategy takes part in it");

  std::optional<RunFolder> folder;
  if (!simulation.common.out.empty()) {
    folder.emplace(simulation.common.out);
    options.tape_folder = folder->path().string();
  }
  Manifest manifest{.command = "simulate", .configuration = as_json(line.settings()), .seed = options.seed};
  if (!w1) manifest.configuration.erase("w1");
  if (w1) manifest.configuration.erase("agents");
  if (!options.rules) manifest.configuration.erase("rules");
  if (!options.session) manifest.configuration.erase("session");
  if (strategy.function == nullptr) manifest.configuration.erase("strategy");
  SimulatedMarket market(options);

  const auto begin = std::chrono::steady_clock::now();
  const double length =
      std::chrono::duration<double>(options.length + (w1 ? simulation.model.warm_up() : Duration::zero())).count();
  const auto progress = [&] {
    const double done = std::clamp(std::chrono::duration<double>(market.progress()).count(), 0.0, length);
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return fmt::format("{} of {} simulated, {} events/s, {:.0f} MB, {} left", clock_text(done), clock_text(length),
                       rounded(static_cast<double>(market.delivered()) / wall), resident_mb(),
                       done > 0 ? clock_text(wall / done * (length - done) + 0.5) : "?:??:??");
  };
  return play_market(called, simulation.common, strategy, market, folder ? &*folder : nullptr, manifest, progress,
                     [&](double& stamped_s) {
                       const SimulationReport report = market.run();
                       stamped_s = std::chrono::duration<double>(report.simulated).count();
                       Outcome outcome{.result = json_of(simulation, report, w1, market.instruments()),
                                       .table = table_of(simulation, report, w1, market.instruments())};
                       if (report.failures != 0)
                         outcome.error = fmt::format("{} actor{} ended with an exception", report.failures,
                                                     report.failures == 1 ? "" : "s");
                       return outcome;
                     });
}

}  // namespace

int simulate_command(int argc, char** argv, StrategyFunction strategy) {
  return guarded(argv[0], wants_json(argc, argv), [&] { return simulate(argv[0], argc, argv, strategy); });
}

}  // namespace outcry
