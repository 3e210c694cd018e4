#include "run_output.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>
#include <sstream>

#include <fmt/format.h>

#include <outcry/runtime/histogram_file.hpp>

namespace outcry {

namespace {

constexpr std::array<Stage, stage_count> all_stages{Stage::mailbox, Stage::match, Stage::deliver, Stage::total};
constexpr std::size_t slowest_shown = 5;

double in_currency(std::int64_t units, const Instrument& instrument) {
  return static_cast<double>(units) / static_cast<double>(instrument.price_scale);
}

struct StrategyTotals {
  std::int64_t position = 0;
  std::uint64_t fills = 0;
  double cash = 0, fees = 0, profit = 0;
};

StrategyTotals totals(const TraderReport& report) {
  StrategyTotals sum;
  for (const TraderReport::Line& line : report.lines) {
    sum.position += line.position.lots;
    sum.fills += line.position.fills;
    sum.cash += in_currency(line.position.cash, line.instrument);
    sum.fees += in_currency(line.position.fees, line.instrument);
    sum.profit += in_currency(line.profit, line.instrument);
  }
  return sum;
}

bool traded(const TraderReport::Line& line) { return line.position.fills != 0; }

/// Money with as many decimals as the instrument's prices have.
std::string decimal(std::int64_t units, const Instrument& instrument) {
  const int digits =
      std::max(0, static_cast<int>(std::lround(std::ceil(std::log10(static_cast<double>(instrument.price_scale))))));
  return fmt::format("{:.{}f}", in_currency(units, instrument), digits);
}

}  // namespace

std::string digest_text(std::uint64_t digest) { return fmt::format("{:016x}", digest); }

std::string grouped(std::uint64_t number) {
  std::string text = fmt::format("{}", number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}

std::string rounded(double number) {
  if (number >= 1e9) return fmt::format("{:.3g} G", number / 1e9);
  if (number >= 999'500) return fmt::format("{:.3g} M", number / 1e6);
  if (number >= 1e3) return grouped(static_cast<std::uint64_t>(std::llround(number)));
  return fmt::format("{:.3g}", number);
}

std::string short_time(double ns) {
  constexpr std::array<const char*, 4> units{"ns", "us", "ms", "s"};
  std::size_t unit = 0;
  // 999.6 would be rounded up to four digits.
  for (; ns >= 999.5 && unit + 1 < units.size(); ++unit) ns /= 1000;
  const int decimals = unit == 0 || ns >= 99.95 ? 0 : ns >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f} {}", ns, decimals, units[unit]);
}

std::string clock_text(double seconds) {
  const auto all = static_cast<std::int64_t>(std::max(seconds, 0.0));
  return fmt::format("{}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60);
}

LatencyTable::LatencyTable(std::span<const std::unique_ptr<StageTimes>> times, double seconds) : seconds_(seconds) {
  for (const Stage stage : all_stages) {
    stages_.push_back(times.empty() ? Histogram({.highest = 2, .significant_digits = 1}) : times.front()->empty_sum());
    for (const auto& one : times) one->add_to(stages_.back(), stage);
  }
  for (const Stage stage : {Stage::total, Stage::mailbox, Stage::match, Stage::deliver}) {
    if (stages_[static_cast<std::size_t>(stage)].count() == 0) continue;
    main_ = stage;
    break;
  }
  if (times.empty()) return;

  std::size_t symbols = 0;
  for (const auto& one : times) symbols = std::max(symbols, one->symbols());
  Histogram sum = times.front()->empty_sum();
  for (std::uint32_t symbol = 0; symbol < symbols; ++symbol) {
    for (const auto& one : times) one->add_to(sum, main_, SymbolId{symbol});
    if (sum.count() == 0) continue;
    slowest_.push_back({SymbolId{symbol}, sum.percentile(99)});
    sum.clear();
  }
  const auto slower = [](const Slow& a, const Slow& b) {
    return std::pair(-a.p99_ns, a.symbol) < std::pair(-b.p99_ns, b.symbol);
  };
  std::sort(slowest_.begin(), slowest_.end(), slower);
  if (slowest_.size() > slowest_shown) slowest_.resize(slowest_shown);
}

bool LatencyTable::empty() const {
  return std::all_of(stages_.begin(), stages_.end(), [](const Histogram& one) { return one.count() == 0; });
}

Json LatencyTable::json() const {
  Json stages = Json::object();
  for (const Stage stage : all_stages) {
    const StageSummary summary = summary_of(stages_[static_cast<std::size_t>(stage)], seconds_);
    if (summary.count == 0) continue;
    stages[std::string(name_of(stage))] = {{"count", summary.count},       {"p50_ns", summary.p50_ns},
                                           {"p90_ns", summary.p90_ns},     {"p99_ns", summary.p99_ns},
                                           {"p99_9_ns", summary.p99_9_ns}, {"p99_99_ns", summary.p99_99_ns},
                                           {"max_ns", summary.max_ns},     {"per_second", summary.per_second}};
  }
  return stages;
}

std::string LatencyTable::text(std::span<const Instrument> instruments) const {
  if (empty()) return "";
  std::string text = fmt::format("\n  {:<9}{:>14}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>12}\n", "stage", "count", "p50",
                                 "p90", "p99", "p99.9", "p99.99", "max", "a second");
  const auto time = [](std::int64_t ns) { return short_time(static_cast<double>(ns)); };
  for (const Stage stage : all_stages) {
    const StageSummary one = summary_of(stages_[static_cast<std::size_t>(stage)], seconds_);
    if (one.count == 0) continue;
    text += fmt::format("  {:<9}{:>14}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>12}\n", name_of(stage), grouped(one.count),
                        time(one.p50_ns), time(one.p90_ns), time(one.p99_ns), time(one.p99_9_ns), time(one.p99_99_ns),
                        time(one.max_ns), rounded(one.per_second));
  }
  if (slowest_.size() < 2) return text;
  text += fmt::format("  slowest, p99 of {}:", name_of(main_));
  for (const Slow& slow : slowest_) {
    const bool listed = slow.symbol.value < instruments.size();
    text += fmt::format(
        "{} {} {}", &slow == slowest_.data() ? "" : ",",
        listed ? std::string(name_of(instruments[slow.symbol.value])) : fmt::format("symbol {}", slow.symbol.value),
        time(slow.p99_ns));
  }
  return text + "\n";
}

void LatencyTable::write(const RunFolder& folder, double start_s) const {
  if (empty()) return;
  std::ostringstream log_text;
  HistogramLog log(log_text, start_s);
  const auto hgrm = [&](const std::string& name, const Histogram& histogram) {
    std::ostringstream text;
    write_hgrm(text, histogram, 1000);
    folder.write(name, text.str());
  };
  for (const Stage stage : all_stages) {
    const Histogram& histogram = stages_[static_cast<std::size_t>(stage)];
    if (histogram.count() == 0) continue;
    hgrm(fmt::format("latency.{}.hgrm", name_of(stage)), histogram);
    log.write(name_of(stage), start_s, start_s + seconds_, histogram);
  }
  hgrm("latency.hgrm", stages_[static_cast<std::size_t>(main_)]);
  folder.write("latency.hlog", log_text.str());
}

Json strategy_json(std::string_view name, const TraderReport& report) {
  const StrategyTotals sum = totals(report);
  Json object = {{"name", name},
                 {"position", sum.position},
                 {"cash", sum.cash},
                 {"fees", sum.fees},
                 {"profit", sum.profit},
                 {"fills", sum.fills},
                 {"orders", report.orders},
                 {"refused", report.refused},
                 {"cancelled", report.cancelled}};
  if (!report.failure.empty()) object["failure"] = report.failure;
  Json symbols = Json::array();
  for (const TraderReport::Line& line : report.lines) {
    if (!traded(line)) continue;
    symbols.push_back({{"symbol", name_of(line.instrument)},
                       {"position", line.position.lots},
                       {"cash", in_currency(line.position.cash, line.instrument)},
                       {"fees", in_currency(line.position.fees, line.instrument)},
                       {"profit", in_currency(line.profit, line.instrument)},
                       {"mark", in_currency(line.mark.units, line.instrument)},
                       {"bought", line.position.bought},
                       {"sold", line.position.sold},
                       {"fills", line.position.fills}});
  }
  object["symbols"] = std::move(symbols);
  return object;
}

void add_strategy(Json& object, std::string_view name, const TraderReport& report) {
  Json strategy = strategy_json(name, report);
  for (const char* key : {"position", "cash", "fees", "profit"}) object[key] = strategy[key];
  object["strategy"] = std::move(strategy);
}

std::string strategy_text(std::string_view name, const TraderReport& report) {
  const StrategyTotals sum = totals(report);
  std::string text = fmt::format("\n  {}: {} orders, {} fills, {} refused\n", name, grouped(report.orders),
                                 grouped(sum.fills), grouped(report.refused));
  const auto row = [&](std::string_view symbol, std::string_view position, std::string_view cash, std::string_view fees,
                       std::string_view profit) {
    text += fmt::format("  {:<9}{:>14}{:>18}{:>14}{:>16}\n", symbol, position, cash, fees, profit);
  };
  row("symbol", "position", "cash", "fees", "profit");
  std::size_t shown = 0;
  std::size_t of = 0;
  for (const TraderReport::Line& line : report.lines) {
    if (!traded(line) && report.lines.size() > 1) continue;
    ++of;
    if (shown == 10) continue;
    ++shown;
    const Instrument& instrument = line.instrument;
    row(name_of(instrument), fmt::format("{}", line.position.lots), decimal(line.position.cash, instrument),
        decimal(line.position.fees, instrument), decimal(line.profit, instrument));
  }
  if (shown < of) text += fmt::format("  ... and {} more\n", of - shown);
  if (of > 1)
    row("all", fmt::format("{}", sum.position), fmt::format("{:.2f}", sum.cash), fmt::format("{:.2f}", sum.fees),
        fmt::format("{:.2f}", sum.profit));
  return text;
}

void write_strategy(const RunFolder& folder, std::string_view name, const TraderReport& report) {
  std::string csv = "symbol,position,cash,fees,profit,mark,bought,sold,fills\n";
  for (const TraderReport::Line& line : report.lines) {
    const Instrument& instrument = line.instrument;
    const Position& position = line.position;
    csv += fmt::format("{},{},{},{},{},{},{},{},{}\n", name_of(instrument), position.lots,
                       decimal(position.cash, instrument), decimal(position.fees, instrument),
                       decimal(line.profit, instrument), decimal(line.mark.units, instrument), position.bought,
                       position.sold, position.fills);
  }
  folder.write("positions.csv", csv);
  folder.write("strategy.json", strategy_json(name, report).dump(2) + "\n");
}

void Manifest::write(const RunFolder& folder, std::string_view state, const Json& result) const {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(started);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char when[32];
  std::strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
  Json object = {{"program", "outcry"}, {"version", OUTCRY_VERSION},
                 {"command", command},  {"started", when},
                 {"state", state},      {"seed", seed}};
  if (result.contains("digest")) object["digest"] = result["digest"];
  object["configuration"] = configuration;
  if (!result.is_null()) object["result"] = result;
  folder.write("manifest.json", object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

bool print_out(std::string_view called, const std::string& text) {
  errno = 0;
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (std::fflush(stdout) == 0 && whole) return true;
  fmt::print(stderr, "{}: standard output cannot be written: {}\n", called, std::strerror(errno));
  return false;
}

int fail_command(std::string_view called, bool json, std::string_view sentence, int status) {
  fmt::print(stderr, "{}: {}\n", called, sentence);
  if (json) print_out(called, Json{{"error", sentence}}.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  return status;
}

bool wants_json(int argc, char** argv) {
  return std::any_of(argv + std::min(argc, 1), argv + argc,
                     [](const char* argument) { return std::string_view(argument) == "--json"; });
}

}  // namespace outcry
