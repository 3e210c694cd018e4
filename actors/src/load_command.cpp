// load: a load generator for a venue on sockets.
#include <outcry/actors/load_run.hpp>
#include <outcry/actors/run.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include <outcry/actors/timing.hpp>
#include <outcry/runtime/histogram_file.hpp>

#include "command.hpp"
#include "market_file.hpp"

namespace outcry {

namespace {

struct Load {
  LoadOptions options{};
  std::string venue{};
  std::string symbols = "AAPL, MSFT, NVDA";
  std::string out{};
  std::string file{};
  bool json = false;
  Form scenario{.expected = "one of steady, burst, cancel_storm, slow_reader, reconnect_storm",
                .take =
                    [this](const std::string& text) {
                      // As people write it, too: cancel-storm.
                      std::string name = text;
                      std::replace(name.begin(), name.end(), '-', '_');
                      const auto found = std::find(load_scenario_names.begin(), load_scenario_names.end(), name);
                      if (found == load_scenario_names.end()) return false;
                      options.plan.scenario = static_cast<LoadScenario>(found - load_scenario_names.begin());
                      return true;
                    },
                .text = [this] { return std::string(name_of(options.plan.scenario)); }};
  Form idle{.expected = "one of sleep, spin_then_sleep, spin",
            .take =
                [this](const std::string& text) {
                  if (text == "sleep") options.idle = IdlePolicy::sleep;
                  if (text == "spin_then_sleep") options.idle = IdlePolicy::spin_then_sleep;
                  if (text == "spin") options.idle = IdlePolicy::spin;
                  return text == "sleep" || text == "spin_then_sleep" || text == "spin";
                },
            .text =
                [this] {
                  return std::string(options.idle == IdlePolicy::sleep  ? "sleep"
                                     : options.idle == IdlePolicy::spin ? "spin"
                                                                        : "spin_then_sleep");
                }};

  CommandLine line(const char* called) {
    CommandLine out_line(
        called,
        "Load on a venue by OUCH 5.0: sends by schedule, whatever the answers take, and checks each of "
        "them. Latency counts from when a message was due.");
    out_line.add_argument("FILE", "options as TOML; those of the command line come before the file's", &file, false);
    LoadPlan& plan = options.plan;
    const auto add = [&](Setting setting) { out_line.add(std::move(setting)); };
    add({"--venue", "venue", "ADDRESS",
         "Where it is: 127.0.0.1:7001, or the file that outcry serve --json was written to", &venue});
    add({"--user", "user", "NAME", "Who logs in; a # is the number of the connection, from 1", &options.user});
    add({"--password", "password", "WORD", "Of every user; better in a file, where others cannot see it",
         &options.password});
    out_line.settings().back().secret = true;
    add({"--scenario", "scenario", "NAME", "steady, burst, cancel_storm, slow_reader, reconnect_storm [steady]",
         &scenario});
    add({"--connections", "connections", "N", "Each with an account of its own", &plan.connections, 1, 10'000});
    add({"--rate", "rate", "N", "Messages a second, of all connections together", &plan.rate, 0, 1e8, true});
    add({"--ramp", "ramp", "TIME", "The rate grows from zero for so long", &plan.ramp, 0, 1e15});
    add({"--for", "for", "TIME", "How long, the ramp included", &plan.length, 0, 1e15, true});
    add({"--symbols", "symbols", "LIST", "What is traded [AAPL, MSFT, NVDA]", &symbols});
    add({"", "orders.price", "UNITS", "", &options.orders.price, 1, 1'999'999'900});
    add({"", "orders.tick", "UNITS", "", &options.orders.tick, 1, 1e6});
    add({"", "orders.quantity", "SHARES", "", &options.orders.quantity, 1, 999'999});
    add({"", "orders.resting", "N", "", &options.orders.most_resting, 1, 1e6});
    add({"", "patience", "TIME", "", &options.patience, 1e6, 3.6e12});
    add({"--seed", "seed", "S", "Of what is drawn", &options.seed, 0, 1.9e19});
    add({"--schedulers", "schedulers", "N", "Threads", &options.schedulers, 1, 256});
    add({"--idle", "idle", "NAME", "What they do with nothing to do: sleep, spin_then_sleep, spin [spin_then_sleep]",
         &idle});
    add({"--out", "", "DIR", "Writes the run's folder: latency, manifest", &out});
    add({"--json", "", "", "One JSON object on standard output, for machines", &json});
    return out_line;
  }
};

/// The address of the first gateway for OUCH 5.0 in what `outcry serve --json` has written; none if it has not yet.
std::optional<Endpoint> gateway_in(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    throw BadInput(
        fmt::format("{}: is no address such as 127.0.0.1:7001, and no file: {}", path, std::strerror(errno)));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.find('\n') == std::string::npos) return {};
  const Json object = Json::parse(text.substr(0, text.find('\n')), nullptr, false);
  if (!object.is_object() || !object.contains("gateways"))
    throw BadInput(path + ": names no gateways, expected what outcry serve --json prints");
  for (const auto& [name, gateway] : object["gateways"].items())
    if (gateway.value("protocol", "") == "ouch50") return Endpoint::parse(gateway.value("address", ""));
  throw BadInput(path + ": has no gateway for ouch50");
}

Endpoint venue_of(const Load& load) {
  if (load.venue.empty()) throw BadUsage("--venue is missing: where the venue is, such as 127.0.0.1:7001");
  if (const auto address = Endpoint::parse(load.venue)) {
    if (address->port() == 0)
      throw BadUsage("--venue " + load.venue + " is not possible, expected the port that it listens on");
    return *address;
  }
  // A venue that was just started writes its ports when it has them.
  const auto end = std::chrono::steady_clock::now() + load.options.patience;
  for (;;) {
    if (const auto address = gateway_in(load.venue)) return *address;
    if (std::chrono::steady_clock::now() > end) throw BadInput(load.venue + ": the venue has not said its ports yet");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

struct Row {
  const char* name;
  const Histogram* histogram;
};
std::vector<Row> rows_of(const LoadTimes& times) {
  return {{"ack", &times.ack},
          {"fill", &times.fill},
          {"cancel", &times.cancel},
          {"sent", &times.sent},
          {"login", &times.login}};
}

Json json_of(const LoadOptions& options, const LoadReport& report) {
  const LoadCounts& counts = report.counts;
  Json latency = Json::object();
  for (const Row& row : rows_of(report.times)) {
    if (row.histogram->count() == 0) continue;
    const StageSummary one = summary_of(*row.histogram, report.seconds);
    latency[row.name] = {{"count", one.count},   {"p50_ns", one.p50_ns},     {"p90_ns", one.p90_ns},
                         {"p99_ns", one.p99_ns}, {"p99_9_ns", one.p99_9_ns}, {"p99_99_ns", one.p99_99_ns},
                         {"max_ns", one.max_ns}};
  }
  Json reasons = Json::object();
  for (const auto& [reason, count] : counts.reasons) reasons[fmt::format("{:#06x}", reason)] = count;
  const double seconds = std::max(report.seconds, 1e-9);
  return {{"scenario", name_of(options.plan.scenario)},
          {"connections", options.plan.connections},
          {"rate", options.plan.rate},
          {"planned", report.planned},
          {"sent", report.sent},
          {"orders", counts.orders},
          {"cancels", counts.cancels},
          {"acknowledged", counts.acknowledged},
          {"rejected", counts.rejected},
          {"reasons", reasons},
          {"executions", counts.executions},
          {"bought", counts.bought},
          {"sold", counts.sold},
          {"cancelled", counts.cancelled},
          {"unanswered", report.unanswered},
          {"left_open", report.left_open},
          {"sent_again", counts.sent_again},
          {"logins", counts.logins},
          {"breaks", report.breaks},
          {"lost", report.lost},
          {"seconds", report.seconds},
          {"sent_per_s", static_cast<double>(report.sent) / seconds},
          {"orders_per_s", static_cast<double>(counts.acknowledged) / seconds},
          {"latency", latency},
          {"seed", options.seed},
          {"checked", report.good()}};
}

std::string table_of(const LoadOptions& options, const LoadReport& report) {
  const LoadCounts& counts = report.counts;
  const double seconds = std::max(report.seconds, 1e-9);
  std::string text = fmt::format("{}: {} connection{}, {} messages a second for {}: {} sent in {:.3g} s\n\n",
                                 name_of(options.plan.scenario), grouped(options.plan.connections),
                                 options.plan.connections == 1 ? "" : "s", rounded(options.plan.rate),
                                 to_text(options.plan.length), grouped(report.sent), report.seconds);
  const auto row = [&](std::string_view what, std::uint64_t value, const std::string& more = {}) {
    text += fmt::format("  {:<13}{:>14}{}\n", what, grouped(value), more.empty() ? "" : "   " + more);
  };
  row("orders", counts.orders);
  row("acknowledged", counts.acknowledged, rounded(static_cast<double>(counts.acknowledged) / seconds) + " a second");
  if (counts.rejected != 0) {
    std::string reasons;
    for (const auto& [reason, count] : counts.reasons)
      reasons += fmt::format("{}{} for reason {:#06x}", reasons.empty() ? "" : ", ", grouped(count), reason);
    row("rejected", counts.rejected, reasons);
  }
  if (report.unanswered != 0) row("unanswered", report.unanswered);
  row("cancels", counts.cancels);
  row("executions", counts.executions,
      fmt::format("{} shares bought, {} sold", grouped(counts.bought), grouped(counts.sold)));
  if (report.left_open != 0) row("left open", report.left_open, "orders");
  if (counts.logins != options.plan.connections)
    row("logins", counts.logins,
        fmt::format("{} connections broken off, {} lost", grouped(report.breaks), grouped(report.lost)));
  if (counts.sent_again != 0)
    row("sent again", counts.sent_again, "orders that a lost connection may have taken with it");
  text += fmt::format("\n  {:<9}{:>14}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "from due", "count", "p50", "p90", "p99",
                      "p99.9", "p99.99", "max");
  const auto time = [](std::int64_t ns) { return short_time(static_cast<double>(ns)); };
  for (const Row& each : rows_of(report.times)) {
    const StageSummary one = summary_of(*each.histogram, report.seconds);
    if (one.count == 0) continue;
    text += fmt::format("  {:<9}{:>14}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", each.name, grouped(one.count),
                        time(one.p50_ns), time(one.p90_ns), time(one.p99_ns), time(one.p99_9_ns), time(one.p99_99_ns),
                        time(one.max_ns));
  }
  return text;
}

void write_latency(const RunFolder& folder, const LoadReport& report, double start_s) {
  std::ostringstream log_text;
  HistogramLog log(log_text, start_s);
  for (const Row& row : rows_of(report.times)) {
    if (row.histogram->count() == 0) continue;
    std::ostringstream text;
    write_hgrm(text, *row.histogram, 1000);
    folder.write(fmt::format("latency.{}.hgrm", row.name), text.str());
    if (row.histogram == &report.times.ack) folder.write("latency.hgrm", text.str());
    log.write(row.name, start_s, start_s + report.seconds, *row.histogram);
  }
  folder.write("latency.hlog", log_text.str());
}

/// Why it is not what was asked for; empty: it is.
std::string verdict(const LoadReport& report) {
  if (!report.wrong.empty())
    return report.wrong.size() == 1 ? report.wrong.front()
                                    : fmt::format("{}; and {} more connection{}", report.wrong.front(),
                                                  report.wrong.size() - 1, report.wrong.size() == 2 ? "" : "s");
  if (report.unanswered != 0)
    return fmt::format("{} order{} not acknowledged", grouped(report.unanswered),
                       report.unanswered == 1 ? " was" : "s were");
  return {};
}

int load(const char* called, int argc, char** argv) {
  Load load;
  CommandLine line = load.line(called);
  if (!line.read(argc, argv)) return 0;
  if (!load.file.empty()) read_market_file(load.file, line.settings());
  line.apply();
  LoadOptions& options = load.options;
  if (options.user.empty()) throw BadUsage("--user is missing: an account of the venue");
  if (options.password.empty()) throw BadUsage("--password is missing: that of the account");
  options.orders.symbols.clear();
  for (std::string_view left = load.symbols; !left.empty();) {
    const std::size_t comma = left.find(',');
    std::string_view one = left.substr(0, comma);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (one.empty() || one.size() > 8)
      throw BadUsage("--symbols " + load.symbols +
                     " is not possible, expected names of at most 8 characters, such as AAPL, MSFT");
    options.orders.symbols.emplace_back(one);
    left = comma == std::string_view::npos ? std::string_view() : left.substr(comma + 1);
  }
  options.venue = venue_of(load);
  std::optional<LoadRun> run;
  try {
    run.emplace(options);
  } catch (const std::invalid_argument& error) {
    throw BadUsage(error.what());
  }

  std::optional<RunFolder> folder;
  if (!load.out.empty()) folder.emplace(load.out);
  Manifest manifest{.command = "load", .configuration = as_json(line.settings()), .seed = options.seed};
  manifest.configuration.erase("password");
  if (folder) {
    folder->begin();
    manifest.write(*folder, "running");
  }
  SignalCatch signals;
  LoadReport report;
  {
    const auto progress = [&] {
      const LoadRun::Progress now = run->progress();
      if (now.elapsed == Duration::zero())
        return fmt::format("{} of {} connections are logged in", now.ready, options.plan.connections);
      return fmt::format("{} of {}, {} messages sent, {} orders acknowledged",
                         clock_text(std::chrono::duration<double>(now.elapsed).count()), to_text(options.plan.length),
                         grouped(now.sent), grouped(now.answered));
    };
    const Attendance attendance(signals,
                                {.line = progress, .give_up = [] { return false; }, .stop = [&] { run->stop(); }});
    report = run->run();
  }

  Json result = json_of(options, report);
  std::string table = table_of(options, report);
  std::string error = verdict(report);
  if (signals.caught() != 0) {
    result["stopped"] = true;
    if (error.empty()) error = fmt::format("ended early by {}; this is what there was by then", signals.name());
  }
  if (!error.empty()) result["error"] = error;
  if (folder) {
    write_latency(*folder, report, manifest.started_s());
    manifest.write(*folder, signals.caught() != 0 ? "stopped" : error.empty() ? "finished" : "failed", result);
    result["out"] = folder->path().string();
    table += fmt::format("\n  folder     {}\n", folder->path().string());
  }
  const bool printed =
      print_out(called, load.json ? result.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n" : table);
  if (!error.empty()) fmt::print(stderr, "{}: {}\n", called, error);
  if (!report.good()) return 1;
  if (signals.caught() != 0) return 128 + signals.caught();
  return printed && error.empty() ? 0 : 1;
}

}  // namespace

int load_command(int argc, char** argv, StrategyFunction) {
  return guarded(argv[0], wants_json(argc, argv), [&] { return load(argv[0], argc, argv); });
}

}  // namespace outcry
