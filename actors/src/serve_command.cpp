// serve: an exchange on sockets.
#include <outcry/actors/exchange.hpp>
#include <outcry/actors/run.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>

#include <outcry/actors/timing.hpp>
#include <outcry/runtime/histogram_file.hpp>

#include "command.hpp"

namespace outcry {

namespace {

constexpr std::size_t slowest_shown = 5;
constexpr const char* default_file = "venue.toml";

struct Serve {
  std::string file{};
  std::string host{};
  std::string out{};
  Duration length{0};
  bool json = false;

  CommandLine line(const char* called) {
    CommandLine out_line(called,
                         "An exchange on sockets: orders by OUCH and FIX, market data as ITCH in MoldUDP64, metrics. "
                         "Ctrl-C or SIGTERM ends its day, a second one ends it at once.");
    out_line.add_argument("FILE", "the venue as TOML; examples/venue.toml has every key [venue.toml]", &file, false);
    out_line.add(
        {"--host", "", "FILE", "Places schedulers on processors and nodes by a host's profile: cli/profiles", &host});
    out_line.add({"--for", "", "TIME", "Ends its day after so long [when it is told to]", &length, 0, 9.2e18, true});
    out_line.add({"--out", "", "DIR", "Writes the run's folder at the end: latency, manifest", &out});
    out_line.add(
        {"--json", "", "", "One JSON object on standard output when the doors are open: where they are", &json});
    return out_line;
  }
};

/// One stage of an order's way, over all symbols or sessions.
struct Way {
  std::string stage;
  Histogram sum;
};

/// In the order of the way: from the socket to the book and back.
std::vector<Way> way_of(const Exchange& exchange, const ExchangeReport& report) {
  std::vector<Way> way;
  if (exchange.stage_times().empty()) return way;
  const auto symbol_stage = [&](Stage stage) {
    Histogram sum = exchange.stage_times().front()->empty_sum();
    for (const auto& times : exchange.stage_times()) times->add_to(sum, stage);
    way.push_back({std::string(name_of(stage)), std::move(sum)});
  };
  const auto port_stage = [&](PortStage stage) {
    Histogram sum = exchange.stage_times().front()->empty_sum();
    for (const ExchangeReport::Session& session : report.sessions) sum.merge(session.times->of(stage));
    way.push_back({std::string(name_of(stage)), std::move(sum)});
  };
  port_stage(PortStage::read);
  port_stage(PortStage::gateway);
  symbol_stage(Stage::mailbox);
  symbol_stage(Stage::match);
  port_stage(PortStage::encode);
  port_stage(PortStage::answer);
  symbol_stage(Stage::deliver);
  std::erase_if(way, [](const Way& one) { return one.sum.count() == 0; });
  return way;
}

std::string time_text(std::int64_t ns) { return short_time(static_cast<double>(ns)); }

struct Slow {
  std::string name;
  std::int64_t p99_ns;
};

std::string slowest_text(std::string_view what, std::vector<Slow> all) {
  if (all.size() < 2) return {};
  std::sort(all.begin(), all.end(),
            [](const Slow& a, const Slow& b) { return std::pair(-a.p99_ns, a.name) < std::pair(-b.p99_ns, b.name); });
  std::string text = fmt::format("  slowest, p99 of {}:", what);
  for (std::size_t i = 0; i < std::min(all.size(), slowest_shown); ++i)
    text += fmt::format("{} {} {}", i == 0 ? "" : ",", all[i].name, time_text(all[i].p99_ns));
  return text + "\n";
}

std::string way_text(const Exchange& exchange, const ExchangeReport& report) {
  const std::vector<Way> way = way_of(exchange, report);
  if (way.empty()) return {};
  std::string text = fmt::format("\n  {:<9}{:>14}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "stage", "count", "p50",
                                 "p90", "p99", "p99.9", "p99.99", "max");
  for (const Way& one : way) {
    const StageSummary of = summary_of(one.sum, report.seconds);
    text += fmt::format("  {:<9}{:>14}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", one.stage, grouped(of.count),
                        time_text(of.p50_ns), time_text(of.p90_ns), time_text(of.p99_ns), time_text(of.p99_9_ns),
                        time_text(of.p99_99_ns), time_text(of.max_ns));
  }
  std::vector<Slow> symbols, sessions;
  for (const Instrument& instrument : exchange.instruments()) {
    Histogram sum = exchange.stage_times().front()->empty_sum();
    for (const auto& times : exchange.stage_times()) times->add_to(sum, Stage::mailbox, instrument.symbol);
    if (sum.count() != 0) symbols.push_back({std::string(name_of(instrument)), sum.percentile(99)});
  }
  for (const ExchangeReport::Session& session : report.sessions)
    if (const Histogram& answer = session.times->of(PortStage::answer); answer.count() != 0)
      sessions.push_back({session.name, answer.percentile(99)});
  return text + slowest_text("mailbox", std::move(symbols)) + slowest_text("answer", std::move(sessions));
}

void write_latency(const RunFolder& folder, const std::vector<Way>& way, double start_s, double seconds) {
  if (way.empty()) return;
  std::ostringstream log_text;
  HistogramLog log(log_text, start_s);
  for (const Way& one : way) {
    std::ostringstream text;
    write_hgrm(text, one.sum, 1000);
    folder.write(fmt::format("latency.{}.hgrm", one.stage), text.str());
    // What a client sees of us: from the arrival of an order until its answer is on the way.
    if (one.stage == "answer") folder.write("latency.hgrm", text.str());
    log.write(one.stage, start_s, start_s + seconds, one.sum);
  }
  folder.write("latency.hlog", log_text.str());
}

Json doors_json(const Exchange& exchange) {
  Json gateways = Json::object(), feeds = Json::object();
  Json metrics;
  for (const ExchangeDoor& door : exchange.doors()) {
    const std::string at = door.at.text();
    switch (door.kind) {
      case ExchangeDoor::Kind::gateway: gateways[door.name] = {{"protocol", door.protocol}, {"address", at}}; break;
      case ExchangeDoor::Kind::feed_a: feeds[door.name]["a"] = at; break;
      case ExchangeDoor::Kind::feed_b: feeds[door.name]["b"] = at; break;
      case ExchangeDoor::Kind::requests: feeds[door.name]["requests"] = at; break;
      case ExchangeDoor::Kind::snapshots: feeds[door.name]["snapshots"] = at; break;
      case ExchangeDoor::Kind::metrics: metrics = at; break;
    }
  }
  const VenueConfig& config = exchange.config();
  Json symbols = Json::array();
  for (const Instrument& instrument : exchange.instruments()) symbols.push_back(name_of(instrument));
  return {{"venue", config.name}, {"session", config.session}, {"symbols", symbols}, {"gateways", gateways},
          {"feeds", feeds},       {"metrics", metrics},        {"process", getpid()}};
}

std::string doors_text(const Exchange& exchange) {
  const VenueConfig& config = exchange.config();
  std::string text =
      fmt::format("{}: {} symbol{}, {} account{}, {} scheduler{}\n\n", config.name, grouped(config.instruments.size()),
                  config.instruments.size() == 1 ? "" : "s", grouped(config.accounts.size()),
                  config.accounts.size() == 1 ? "" : "s", config.schedulers, config.schedulers == 1 ? "" : "s");
  for (const ExchangeDoor& door : exchange.doors()) {
    constexpr const char* kinds[] = {"gateway", "feed A", "feed B", "requests", "snapshots", "metrics"};
    const std::string at =
        door.kind == ExchangeDoor::Kind::metrics ? "http://" + door.at.text() + "/metrics" : door.at.text();
    text += fmt::format("  {:<10}{:<12}{:<8}{}\n", kinds[static_cast<std::size_t>(door.kind)], door.name, door.protocol,
                        at);
  }
  return text;
}

/// What came of its day.
std::string end_text(const Exchange& exchange, const ExchangeReport& report) {
  std::string text = fmt::format("open for {}\n\n", clock_text(report.seconds));
  const auto row = [&](std::string_view what, std::uint64_t value, const std::string& more = {}) {
    text += fmt::format("  {:<9}{:>16}{}\n", what, grouped(value), more.empty() ? "" : "   " + more);
  };
  row("messages", report.ouch_messages + report.fix_messages,
      fmt::format("of clients: {} by OUCH, {} by FIX", grouped(report.ouch_messages), grouped(report.fix_messages)));
  // Only who comes by different gateways, or schedulers, can meet so.
  const Fairness& fairness = report.fairness;
  row("commands", report.commands,
      fairness.overtaken == 0 ? std::string()
                              : fmt::format("{} taken behind one that arrived later, by at most {}",
                                            grouped(fairness.overtaken), time_text(fairness.most_ns)));
  row("trades", report.trades, grouped(report.shares) + " shares");
  return text + way_text(exchange, report);
}

Json end_json(const Exchange& exchange, const ExchangeReport& report) {
  Json latency = Json::object();
  for (const Way& one : way_of(exchange, report)) {
    const StageSummary of = summary_of(one.sum, report.seconds);
    latency[one.stage] = {{"count", of.count},   {"p50_ns", of.p50_ns},     {"p90_ns", of.p90_ns},
                          {"p99_ns", of.p99_ns}, {"p99_9_ns", of.p99_9_ns}, {"p99_99_ns", of.p99_99_ns},
                          {"max_ns", of.max_ns}};
  }
  return {{"seconds", report.seconds},
          {"messages", report.ouch_messages + report.fix_messages},
          {"ouch_messages", report.ouch_messages},
          {"fix_messages", report.fix_messages},
          {"commands", report.commands},
          {"overtaken", report.fairness.overtaken},
          {"overtaken_most_ns", report.fairness.most_ns},
          {"trades", report.trades},
          {"shares", report.shares},
          {"drained_in_time", report.in_time},
          {"latency", latency}};
}

int serve(const char* called, int argc, char** argv) {
  Serve options;
  CommandLine line = options.line(called);
  if (!line.read(argc, argv)) return 0;
  line.apply();
  if (options.file.empty()) {
    if (!std::filesystem::exists(default_file))
      throw BadUsage(fmt::format("expected FILE, the venue as TOML; there is no {} here either", default_file));
    options.file = default_file;
  }
  VenueConfig config = VenueConfig::read(options.file);
  if (!options.host.empty()) config.host = options.host;
  std::optional<RunFolder> folder;
  if (!options.out.empty()) folder.emplace(options.out);
  const Manifest manifest{.command = "serve",
                          .configuration = {{"file", std::filesystem::path(options.file).filename().string()}}};

  SignalCatch signals;
  Exchange exchange(std::move(config));
  exchange.start();
  if (folder) {
    folder->begin();
    manifest.write(*folder, "running");
  }
  const bool printed =
      print_out(called, options.json ? doors_json(exchange).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"
                                     : doors_text(exchange));
  ExchangeReport report;
  {
    const auto end = std::chrono::steady_clock::now() +
                     (options.length > Duration::zero() ? options.length : std::chrono::hours(100'000));
    const Attendance attendance(signals, {.line = [] { return std::string(); },
                                          .give_up = [end] { return std::chrono::steady_clock::now() >= end; },
                                          .stop = [&] { exchange.drain(); }});
    report = exchange.join();
  }
  std::string error;
  if (!report.in_time)
    error =
        fmt::format("not everyone had gone {} after the end of the day began", to_text(exchange.config().sizes.drain));
  if (folder) {
    Json result = end_json(exchange, report);
    if (!error.empty()) result["error"] = error;
    write_latency(*folder, way_of(exchange, report), manifest.started_s(), report.seconds);
    manifest.write(*folder, error.empty() ? "finished" : "failed", result);
  }
  // With --json standard output has had its one object.
  const std::string text = end_text(exchange, report);
  if (options.json) {
    fmt::print(stderr, "{}", text);
  } else {
    print_out(called, "\n" + text);
  }
  if (!error.empty()) fmt::print(stderr, "{}: {}\n", called, error);
  return printed && error.empty() ? 0 : 1;
}

}  // namespace

int serve_command(int argc, char** argv, StrategyFunction) {
  return guarded(argv[0], wants_json(argc, argv), [&] { return serve(argv[0], argc, argv); });
}

}  // namespace outcry
