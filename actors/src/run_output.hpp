// Run output: what every command says at the end: as one JSON object, as a table for people, and as files of the run's
// folder.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <outcry/actors/run_folder.hpp>
#include <outcry/actors/stage_times.hpp>
#include <outcry/actors/tape.hpp>
#include <outcry/actors/timing.hpp>
#include <outcry/actors/trader.hpp>

namespace outcry {

using Json = nlohmann::ordered_json;

std::string digest_text(std::uint64_t digest);
/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number);
/// "12.3 M", for rates.
std::string rounded(double number);
/// "1.25 us"; three digits.
std::string short_time(double ns);
/// "1:02:03", for progress.
std::string clock_text(double seconds);

/// The stages of all schedulers together.
class LatencyTable {
 public:
  struct Slow {
    SymbolId symbol{};
    std::int64_t p99_ns = 0;
  };

  /// Requires: nothing runs. `seconds`: that the run lasted, on the clock of its stamps.
  LatencyTable(std::span<const std::unique_ptr<StageTimes>> times, double seconds);

  bool empty() const;
  /// The stage that says most: total, if somebody heard of orders, else mailbox, match or deliver.
  Stage main_stage() const { return main_; }
  Json json() const;
  std::string text(std::span<const Instrument> instruments) const;
  /// latency.hgrm with the main stage, latency.STAGE.hgrm with each, latency.hlog with all. In microseconds.
  void write(const RunFolder& folder, double start_s) const;

 private:
  double seconds_;
  Stage main_ = Stage::total;
  std::vector<Histogram> stages_;
  std::vector<Slow> slowest_;
};

/// A strategy's end. Cash and profit are in units of currency; over symbols of several scales they are converted first.
Json strategy_json(std::string_view name, const TraderReport& report);
/// The keys of it that stand for themselves in a command's object: position, cash, fees, profit.
void add_strategy(Json& object, std::string_view name, const TraderReport& report);
std::string strategy_text(std::string_view name, const TraderReport& report);
void write_strategy(const RunFolder& folder, std::string_view name, const TraderReport& report);

/// The head of a manifest; rewritten at the end of the run with what came of it.
struct Manifest {
  std::string command;
  Json configuration;
  std::uint64_t seed = 0;
  std::chrono::system_clock::time_point started = std::chrono::system_clock::now();

  double started_s() const { return std::chrono::duration<double>(started.time_since_epoch()).count(); }
  /// `state`: running, finished, stopped or failed. Throws std::system_error.
  void write(const RunFolder& folder, std::string_view state, const Json& result = {}) const;
};

/// Prints one line of JSON, or a text, on standard output. False if standard output does not take it; then it has said
/// so.
bool print_out(std::string_view called, const std::string& text);

/// Says what went wrong: a sentence on standard error, and with --json an object on standard output. Gives `status`.
int fail_command(std::string_view called, bool json, std::string_view sentence, int status);
/// Whether --json is among the arguments, also where they cannot be read.
bool wants_json(int argc, char** argv);

}  // namespace outcry
