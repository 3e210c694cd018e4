// Command: what the subcommands that play a market have in common, around the market itself.
#pragma once

#include <cerrno>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include <outcry/actors/strategies.hpp>

#include "attendance.hpp"
#include "command_line.hpp"
#include "run_output.hpp"

namespace outcry {

/// Options that every market takes besides its own.
struct CommonOptions {
  std::string out{};
  std::string strategy{};  // by name; empty: the caller's, or none
  bool json = false;

  void add_to(CommandLine& line, bool has_strategy);
};

struct ChosenStrategy {
  StrategyFunction function = nullptr;
  std::string name{};
};
/// Throws BadUsage if there is none of the name.
ChosenStrategy choose_strategy(const CommonOptions& common, StrategyFunction own);

/// What came of a run, before it is told.
struct Outcome {
  Json result;          // the keys of --json
  std::string table;    // for people
  std::string error{};  // why it is not what was asked for; empty: it is
};

/// Runs `body`, and turns what it throws into a sentence and an exit status.
template <class Body>
int guarded(const char* called, bool json, Body body) {
  try {
    return body();
  } catch (const BadUsage& error) {
    return fail_command(called, json, fmt::format("{} ({} --help lists the options)", error.what(), called), 2);
  } catch (const std::bad_alloc&) {
    return fail_command(called, json, "there is not enough memory", 1);
  } catch (const std::exception& error) {
    return fail_command(called, json, error.what(), 1);
  }
}

/// Plays a market that has been built, and leaves its folder, its output and its exit status behind.
/// `play` runs it and tells what came of it; `line` is the progress line.
template <class Market, class Line, class Play>
int play_market(const std::string& called, const CommonOptions& common, const ChosenStrategy& strategy, Market& market,
                RunFolder* folder, const Manifest& manifest, Line line, Play play) {
  SignalCatch signals;
  if (folder != nullptr) {
    folder->begin();
    manifest.write(*folder, "running");
  }
  const auto tape_failed = [&] {
    for (const auto& tape : market.tapes())
      if (tape->failure() != 0) return true;
    return false;
  };

  Outcome outcome;
  double stamped_s = 0;  // on the clock of the stamps
  {
    const Attendance attendance(signals, {.line = line, .give_up = tape_failed, .stop = [&] { market.stop(); }});
    outcome = play(stamped_s);
  }
  if (signals.caught() != 0) {
    outcome.error = fmt::format("ended early by {}; this is what there was by then", signals.name());
    outcome.result["stopped"] = true;
  }

  const LatencyTable latency(market.stage_times(), stamped_s);
  const TraderReport& report = market.trader_report();
  if (!latency.empty()) outcome.result["latency"] = latency.json();
  outcome.table += latency.text(market.instruments());
  if (strategy.function != nullptr) {
    add_strategy(outcome.result, strategy.name, report);
    outcome.table += strategy_text(strategy.name, report);
    if (!report.failure.empty() && signals.caught() == 0)
      outcome.error = fmt::format("the strategy {} ended with an exception: {}", strategy.name, report.failure);
  }

  if (folder != nullptr) {
    try {
      write_tapes(folder->path(), market.tapes(), market.instruments());
      latency.write(*folder, manifest.started_s());
      if (strategy.function != nullptr) write_strategy(*folder, strategy.name, report);
      // What a clock of this machine has measured stays out of the manifest.
      Json result = outcome.result;
      for (const char* key : {"wall_s", "delivered_per_s", "messages_per_s", "rss_mb", "latency", "strategy"})
        result.erase(key);
      if (!outcome.error.empty()) result["error"] = outcome.error;
      manifest.write(*folder,
                     signals.caught() != 0   ? "stopped"
                     : outcome.error.empty() ? "finished"
                                             : "failed",
                     result);
      outcome.table += fmt::format("\n  folder     {}\n", folder->path().string());
    } catch (const std::system_error& error) {
      outcome.error = error.what();
      try {
        manifest.write(*folder, "failed", Json{{"error", outcome.error}});
      } catch (const std::system_error&) {
        // The manifest of the beginning is still there, and says "running".
      }
    }
    outcome.result["out"] = folder->path().string();
  }

  if (!outcome.error.empty()) outcome.result["error"] = outcome.error;
  const std::string text =
      common.json ? outcome.result.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n" : outcome.table;
  const bool printed = print_out(called, text);
  if (!outcome.error.empty()) fmt::print(stderr, "{}: {}\n", called, outcome.error);
  if (signals.caught() != 0) return 128 + signals.caught();
  return printed && outcome.error.empty() ? 0 : 1;
}

}  // namespace outcry
