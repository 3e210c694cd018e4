// CommandLine: the options of one subcommand: how each is written on the command line and in a market's file, what it
// may be, and where its value goes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <outcry/runtime/time.hpp>

namespace outcry {

/// What was typed makes no sense: exit status 2.
struct BadUsage : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// What was given cannot be used: exit status 1.
struct BadInput : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What a value of a form of its own may be, and where it goes.
struct Form {
  std::string expected;                          // "one of red, green"
  std::function<bool(const std::string&)> take;  // false if it is something else; then nothing is changed
  std::function<std::string()> text;             // the value as it is now
  bool is_list = false;                          // a file may say it as a list of texts, too
};

/// One option. Numbers have a range, both ends included; of a duration in nanoseconds.
struct Setting {
  using Target =
      std::variant<std::uint32_t*, std::uint64_t*, std::int64_t*, double*, Duration*, bool*, std::string*, Form*>;

  std::string flag;   // "--symbols"; empty: only in a file. A switch that begins with "--no-" sets its target to false
  std::string key;    // "agents.noise"; empty: only on the command line
  std::string value;  // what help calls its value
  std::string help;
  Target target;
  double least = 0;
  double most = 1e18;
  bool above_least = false;  // `least` itself is too small

  bool given = false;      // set where it was read
  std::uint32_t line = 0;  // where in a file
  bool secret = false;     // what was given instead of it must not be said
};

/// "a whole number from 1 to 100000", "a duration from 1ns such as 6h30m, 90s, 250ms or 10us"
std::string expected(const Setting& setting);

/// Takes a text of the command line. False if it is not what was expected; then nothing is changed.
bool assign(Setting& setting, const std::string& text);

/// Settings as JSON, nested by their keys.
nlohmann::ordered_json as_json(const std::vector<Setting>& settings);

/// "6h30m", "1.5s", "0"; nothing for anything else, or below zero.
std::optional<Duration> parse_duration(std::string_view text);
std::string to_text(Duration duration);

/// ", did you mean simulate?", or nothing.
std::string suggestion(std::string_view typed, const std::vector<std::string>& known);

class CommandLine {
 public:
  CommandLine(std::string called, std::string does) : called_(std::move(called)), does_(std::move(does)) {}

  void add(Setting setting) { settings_.push_back(std::move(setting)); }
  /// An argument without a flag.
  void add_argument(std::string name, std::string help, std::string* target, bool required) {
    arguments_.push_back({std::move(name), std::move(help), target, required});
  }

  /// Reads what was typed, keeps it, and fills the arguments. False if help was asked for; it has been printed then.
  /// Throws BadUsage.
  bool read(int argc, char** argv);
  /// Gives the settings what was typed. Throws BadUsage.
  void apply();

  std::vector<Setting>& settings() { return settings_; }
  bool given(std::string_view flag) const;
  /// Throws BadUsage, naming the first of the flags that was given: "--epsilon " + why.
  void refuse(std::initializer_list<const char*> flags, std::string_view why) const;

 private:
  struct Argument {
    std::string name;
    std::string help;
    std::string* target;
    bool required;
  };

  std::string called_;
  std::string does_;
  std::vector<Setting> settings_;
  std::vector<Argument> arguments_;
  std::vector<std::optional<std::string>> typed_;  // for each setting
};

}  // namespace outcry
