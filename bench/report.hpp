// Report: the results of one suite of benchmarks, printed as they come and, with --json FILE, kept as
// {"machine": {...}, "results": [{"suite", "name", "value", "unit", "target", "pass"}]}.
//
// Several programs may write into one FILE, one after the other: each replaces the results of its own suite and keeps
// those of the others. `target` and `pass` are null where no target is set.
#pragma once

#include <sched.h>
#include <sys/utsname.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

namespace bench {

struct Target {
  enum class Side { at_most, at_least };
  Side side;
  double value;

  bool met_by(double result) const { return side == Side::at_most ? result <= value : result >= value; }
};

inline Target at_most(double value) { return {Target::Side::at_most, value}; }
inline Target at_least(double value) { return {Target::Side::at_least, value}; }

/// Keeps the calling thread on one core; false if there is none of that number for us.
inline bool pin_to_core(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  return sched_setaffinity(0, sizeof cores, &cores) == 0;
}

class Report {
 public:
  /// Takes `--json FILE` from the arguments and prints the machine. Other arguments are the program's own.
  Report(std::string suite, int argc, char** argv) : suite_(std::move(suite)) {
    for (int i = 1; i + 1 < argc; ++i)
      if (std::string_view(argv[i]) == "--json") file_ = argv[i + 1];
    describe_machine();
    std::printf("suite %s on %s\n", suite_.c_str(), machine_.dump().c_str());
  }

  void add(const std::string& name, double value, const std::string& unit, std::optional<Target> target = {}) {
    Json result{{"suite", suite_}, {"name", name}, {"value", value}, {"unit", unit}};
    result["target"] = target ? Json(target->value) : Json();
    result["pass"] = target ? Json(target->met_by(value)) : Json();
    results_.push_back(std::move(result));

    std::printf("%-36s %14.6g %-12s", name.c_str(), value, unit.c_str());
    if (target) {
      std::printf(" %s %.6g: %s", target->side == Target::Side::at_most ? "at most" : "at least", target->value,
                  target->met_by(value) ? "met" : "MISSED");
    }
    std::printf("\n");
    std::fflush(stdout);
  }

  /// Ends the program with this status if an answer is wrong: a number about a wrong answer is worth nothing.
  [[noreturn]] static void wrong(const std::string& what) {
    std::fprintf(stderr, "wrong answer, so no result: %s\n", what.c_str());
    std::exit(1);
  }

  /// Writes the file, if one was asked for. Gives main's exit status: a missed target is a result, not a failure.
  int finish() const {
    if (file_.empty()) return 0;
    Json all{{"machine", machine_}, {"results", Json::array()}};
    if (std::ifstream before(file_); before) {
      const Json old = Json::parse(before, nullptr, false);
      if (old.is_object() && old.contains("results"))
        for (const auto& result : old["results"])
          if (result.value("suite", "") != suite_) all["results"].push_back(result);
    }
    for (const auto& result : results_) all["results"].push_back(result);

    std::ofstream out(file_);
    out << all.dump(1) << '\n';
    out.close();
    if (!out) std::fprintf(stderr, "cannot write %s\n", file_.c_str());
    return out ? 0 : 1;
  }

 private:
  using Json = nlohmann::ordered_json;

  void describe_machine() {
    std::string model = "unknown";
    std::ifstream cpuinfo("/proc/cpuinfo");
    for (std::string line; std::getline(cpuinfo, line);) {
      if (!line.starts_with("model name")) continue;
      model = line.substr(line.find(':') + 2);
      break;
    }
    utsname system{};
    uname(&system);
    machine_ = {{"processor", model},
                {"cores", std::thread::hardware_concurrency()},
                {"kernel", system.release},
#if defined(__clang__)
                {"compiler", "clang " __clang_version__},
#else
                {"compiler", "gcc " __VERSION__},
#endif
                {"flags", OUTCRY_BENCH_FLAGS}};
  }

  std::string suite_;
  std::string file_;
  Json machine_;
  Json results_ = Json::array();
};

}  // namespace bench
