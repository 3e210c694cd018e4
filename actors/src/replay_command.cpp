// replay: recorded market data through the same actors.
#include <outcry/actors/recorded_market.hpp>
#include <outcry/actors/run.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "command.hpp"
#include "host_option.hpp"
#include "pools_file.hpp"

namespace outcry {

namespace {

struct Replay {
  ReplayOptions options{};
  CommonOptions common{};
  std::string pools{};
  std::string host{};
  std::string format{};
  std::uint64_t levels = 0;

  CommandLine line(const char* called, bool has_strategy) {
    CommandLine out(
        called, "Recorded market data through one feed actor and one book actor for each symbol, in recorded time.");
    out.add_argument("FILE", "a recorded market: " + format_names(), &options.file, true);
    out.add({"--format", "format", "NAME", "What the file is: " + format_names() + " [recognised]", &format});
    out.add({"--verify", "", "BOOKFILE", "Compares the book with a reference after every event", &options.verify});
    out.add({"--levels", "levels", "N", "With --verify: compares so many levels [all]", &levels, 1, 1'000'000});
    out.add(
        {"--orderbook", "", "FILE", "LOBSTER's order book file, which the levels are seeded from", &options.orderbook});
    out.add({"--lenient", "lenient", "", "Counts broken records and goes on", &options.lenient});
    out.add({"--schedulers", "schedulers", "N", "Threads; the result is the same for any number", &options.schedulers,
             1, 256});
    common.add_to(out, has_strategy);
    out.add({"--publish", "", "NAME", "Shows the market to other programs while it runs: outcry watch NAME",
             &options.publish});
    out.add({"--seed", "seed", "S", "Of the strategy's random numbers", &options.seed, 0, 1.9e19});
    out.add({"--latency", "strategy.latency", "TIME", "From the strategy to a symbol, one way",
             &options.strategy_latency, 0, 1e15, true});
    out.add({"--compute", "strategy.compute", "TIME", "What each message costs the strategy", &options.strategy_compute,
             0, 1e15});
    out.add({"--maker-fee", "strategy.maker_fee", "X", "Price units a lot; below zero: a rebate", &options.fees.maker,
             -1e9, 1e9});
    out.add({"--taker-fee", "strategy.taker_fee", "X", "The same, where the strategy takes", &options.fees.taker, -1e9,
             1e9});
    out.add({"--pools", "", "RUN", "Sizes the pools by what an earlier run used: its folder or its manifest", &pools});
    out.add(
        {"--host", "", "FILE", "Places schedulers on processors and nodes by a host's profile: cli/profiles", &host});
    out.add({"--no-measure", "measure", "", "Leaves out how long the stages of an order's way take", &options.measure});
    return out;
  }
};

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

Json json_of(const ReplayOptions& options, const ReplayReport& report) {
  const HistoryLedger& ledger = report.ledger;
  Json object = {{"messages", report.messages},
                 {"symbols", report.symbols},
                 {"trades", report.trades},
                 {"shares", report.shares},
                 {"orders_live", report.orders_live},
                 {"rows_compared", report.rows_compared},
                 {"rows_equal", report.rows_equal},
                 {"wall_s", report.wall_s},
                 {"messages_per_s", static_cast<double>(report.messages) / std::max(report.wall_s, 1e-9)},
                 {"digest", digest_text(report.digest)},
                 {"schedulers", options.schedulers},
                 {"seed", options.seed},
                 {"hidden_trades", ledger.hidden_trades},
                 {"unknown_orders", ledger.unknown_orders},
                 {"anonymous_events", ledger.anonymous_events},
                 {"adjusted_events", ledger.adjusted_events},
                 {"adjusted_shares", ledger.adjusted_shares},
                 {"broken", report.broken},
                 {"refused", report.refused},
                 {"from_s", static_cast<double>(to_ns(report.from)) / 1e9},
                 {"to_s", static_cast<double>(to_ns(report.to)) / 1e9},
                 {"rss_mb", peak_resident_mb()}};
  object["books"] = json_of(report.books);
  object["pools"] = json_of(report.pools);
  if (!options.verify.empty()) {
    object["rows_missing"] = report.rows_missing;
    object["rows_extra"] = report.rows_extra;
    object["verified"] = report.verified && report.rows_compared != 0;
    if (!report.first_difference.empty()) object["first_difference"] = report.first_difference;
  }
  return object;
}

std::string table_of(const ReplayOptions& options, const ReplayReport& report, bool strategy) {
  const HistoryLedger& ledger = report.ledger;
  std::string text = fmt::format("{}: {} symbol{}, {} to {} replayed in {:.3g} s on {} scheduler{}\n\n",
                                 file_name(options.file), grouped(report.symbols), report.symbols == 1 ? "" : "s",
                                 clock_text(static_cast<double>(to_ns(report.from)) / 1e9),
                                 clock_text(static_cast<double>(to_ns(report.to)) / 1e9), report.wall_s,
                                 options.schedulers, options.schedulers == 1 ? "" : "s");
  const auto row = [&](std::string_view what, const std::string& value, const std::string& more = {}) {
    text += fmt::format("  {:<9}{:>16}{}\n", what, value, more.empty() ? "" : "   " + more);
  };
  row("messages", grouped(report.messages),
      rounded(static_cast<double>(report.messages) / std::max(report.wall_s, 1e-9)) + " a second");
  row("trades", grouped(report.trades),
      fmt::format("{} shares; {} against hidden orders", grouped(report.shares), grouped(ledger.hidden_trades)));
  row("live", grouped(report.orders_live), "orders in the books at the end");
  if (ledger.unknown_orders != 0)
    row("unknown", grouped(ledger.unknown_orders),
        fmt::format("events of orders never shown, {} of them taken from the first levels",
                    grouped(ledger.anonymous_events)));
  if (report.broken != 0) row("broken", grouped(report.broken), "records that were passed over");
  if (report.refused != 0) row("refused", grouped(report.refused), "messages, by full mailboxes");
  if (strategy)
    row("adjusted", grouped(ledger.adjusted_events),
        grouped(ledger.adjusted_shares) + " shares of history that our orders changed");
  if (!options.verify.empty())
    row("equal", grouped(report.rows_equal),
        fmt::format("of {} rows of {}", grouped(report.rows_compared), file_name(options.verify)));
  row("memory", fmt::format("{:.0f} MB", peak_resident_mb()));
  row("digest", digest_text(report.digest));
  return text;
}

std::string verdict(const ReplayOptions& options, const ReplayReport& report) {
  if (!report.error.empty()) return report.error;
  if (options.verify.empty()) return {};
  if (report.stopped) return "ended early, so the reference was not compared to its end";
  if (!report.first_difference.empty()) return file_name(options.verify) + ", " + report.first_difference;
  if (report.rows_compared == 0) return options.verify + ": no row was compared";
  if (!report.verified || report.rows_equal != report.rows_compared)
    return fmt::format("{}: {} of {} rows are equal, {} are missing and {} too many", options.verify,
                       grouped(report.rows_equal), grouped(report.rows_compared), grouped(report.rows_missing),
                       grouped(report.rows_extra));
  return {};
}

int replay(const char* called, int argc, char** argv, StrategyFunction own_strategy) {
  Replay replaying;
  ReplayOptions& options = replaying.options;
  CommandLine line = replaying.line(called, own_strategy != nullptr);
  if (!line.read(argc, argv)) return 0;
  line.apply();
  if (line.given("--format")) {
    options.format = format_named(replaying.format);
    if (!options.format) throw BadUsage("there is no format " + replaying.format + "; expected " + format_names());
  }
  if (options.verify.empty()) line.refuse({"--levels"}, "is of --verify, which names no reference");
  if (line.given("--levels")) options.verify_levels = replaying.levels;
  if (!replaying.pools.empty()) options.pools = read_pools(replaying.pools);
  if (!replaying.host.empty()) take_seats(options, replaying.host);
  const ChosenStrategy strategy = choose_strategy(replaying.common, own_strategy);
  options.strategy = strategy.function;
  if (strategy.function == nullptr)
    line.refuse({"--latency", "--compute", "--maker-fee", "--taker-fee", "--seed"},
                "is of a strategy; --strategy names one");

  std::optional<RunFolder> folder;
  if (!replaying.common.out.empty()) {
    folder.emplace(replaying.common.out);
    options.tape_folder = folder->path().string();
  }
  Manifest manifest{.command = "replay", .configuration = as_json(line.settings()), .seed = options.seed};
  manifest.configuration["file"] = file_name(options.file);
  if (!options.verify.empty()) manifest.configuration["verify"] = file_name(options.verify);
  if (!options.orderbook.empty()) manifest.configuration["orderbook"] = file_name(options.orderbook);
  if (!options.format) manifest.configuration.erase("format");
  if (!line.given("--levels")) manifest.configuration.erase("levels");
  if (strategy.function == nullptr) manifest.configuration.erase("strategy");
  RecordedMarket market(options);

  const auto begin = std::chrono::steady_clock::now();
  const auto progress = [&] {
    const double done = std::clamp(market.progress(), 0.0, 1.0);
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return fmt::format("{:.0f} % of {} read, {} messages/s, {:.0f} MB, {} left", 100 * done, file_name(options.file),
                       rounded(static_cast<double>(market.messages()) / wall), resident_mb(),
                       done > 0 ? clock_text(wall / done * (1 - done) + 0.5) : "?:??:??");
  };
  return play_market(called, replaying.common, strategy, market, folder ? &*folder : nullptr, manifest, progress,
                     [&](double& stamped_s) {
                       const ReplayReport report = market.run();
                       stamped_s = report.wall_s;
                       return Outcome{.result = json_of(options, report),
                                      .table = table_of(options, report, strategy.function != nullptr),
                                      .error = verdict(options, report)};
                     });
}

}  // namespace

int replay_command(int argc, char** argv, StrategyFunction strategy) {
  return guarded(argv[0], wants_json(argc, argv), [&] { return replay(argv[0], argc, argv, strategy); });
}

}  // namespace outcry
