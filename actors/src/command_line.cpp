#include "command_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

namespace outcry {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
// Longer names before shorter ones that they begin with.
constexpr std::array<Unit, 7> units{{{"d", 86'400'000'000'000},
                                     {"h", 3'600'000'000'000},
                                     {"ms", 1'000'000},
                                     {"m", 60'000'000'000},
                                     {"s", 1'000'000'000},
                                     {"us", 1'000},
                                     {"ns", 1}}};

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

bool in_range(const Setting& setting, double value) {
  return std::isfinite(value) && value <= setting.most &&
         (setting.above_least ? value > setting.least : value >= setting.least);
}

std::string number_text(double value) {
  return std::abs(value) < 1e15 && value == std::floor(value) ? fmt::format("{}", static_cast<std::int64_t>(value))
                                                              : fmt::format("{}", value);
}

std::string range_text(const Setting& setting, bool duration) {
  const auto text = [&](double value) {
    return duration ? to_text(Duration(static_cast<std::int64_t>(value))) : number_text(value);
  };
  const bool open_above = setting.most >= 1e18;
  if (setting.above_least)
    return " greater than " + text(setting.least) + (open_above ? "" : " and up to " + text(setting.most));
  return " from " + text(setting.least) + (open_above ? " on" : " to " + text(setting.most));
}

/// " [40]", for help, where help does not say it itself.
std::string default_text(const Setting& setting) {
  if (setting.help.ends_with(']')) return {};
  return std::visit(
      []<class Value>(const Value* target) -> std::string {
        if constexpr (std::is_same_v<Value, std::string>) {
          return {};
        } else if constexpr (std::is_same_v<Value, Form>) {
          return " [" + target->text() + "]";
        } else if constexpr (std::is_same_v<Value, Duration>) {
          return " [" + to_text(*target) + "]";
        } else {
          return " [" + number_text(static_cast<double>(*target)) + "]";
        }
      },
      setting.target);
}

std::size_t distance(std::string_view a, std::string_view b) {
  // Optimal string alignment: a swap of neighbours counts once.
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  if (text.empty()) return {};
  std::int64_t sum = 0;
  while (!text.empty()) {
    std::size_t digits = 0;
    bool point = false;
    while (digits < text.size() && ((text[digits] >= '0' && text[digits] <= '9') || (text[digits] == '.' && !point)))
      point |= text[digits++] == '.';
    if (digits == 0) return {};
    const std::string_view number = text.substr(0, digits);
    text.remove_prefix(digits);
    const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& u) { return text.starts_with(u.name); });
    if (unit == units.end()) return {};
    text.remove_prefix(unit->name.size());

    const std::size_t at = number.find('.');
    const std::string_view before = number.substr(0, at);
    std::int64_t part = 0;
    if (!before.empty()) {
      const auto whole = parse_number<std::int64_t>(before);
      if (!whole || __builtin_mul_overflow(*whole, unit->ns, &part)) return {};
    }
    if (at != std::string_view::npos) {
      const std::string_view after = number.substr(at + 1);
      if (after.empty() || after.size() > 15) return {};
      const auto fraction = parse_number<std::int64_t>(after);
      const double share = static_cast<double>(*fraction) / std::pow(10, static_cast<double>(after.size()));
      part += std::llround(share * static_cast<double>(unit->ns));
    }
    if (__builtin_add_overflow(sum, part, &sum)) return {};
  }
  return Duration(sum);
}

std::string to_text(Duration duration) {
  std::int64_t left = duration.count();
  if (left == 0) return "0";
  std::string text = left < 0 ? "-" : "";
  left = std::abs(left);
  constexpr std::array<Unit, 7> in_order{{units[0], units[1], units[3], units[4], units[2], units[5], units[6]}};
  for (const Unit& unit : in_order) {
    if (left < unit.ns) continue;
    text += fmt::format("{}{}", left / unit.ns, unit.name);
    left %= unit.ns;
  }
  return text;
}

std::string expected(const Setting& setting) {
  struct Words {
    const Setting& setting;
    std::string operator()(const double*) const { return "a number" + range_text(setting, false); }
    std::string operator()(const Duration*) const {
      return "a duration" + range_text(setting, true) + ", such as 6h30m, 90s, 250ms or 10us";
    }
    std::string operator()(const bool*) const { return "true or false"; }
    std::string operator()(const std::string*) const { return "a text"; }
    std::string operator()(const Form* form) const { return form->expected; }
    std::string operator()(const void*) const { return "a whole number" + range_text(setting, false); }
  };
  return std::visit(Words{setting}, setting.target);
}

bool assign(Setting& setting, const std::string& text) {
  return std::visit(
      [&]<class Value>(Value* target) {
        if constexpr (std::is_same_v<Value, std::string>) {
          *target = text;
        } else if constexpr (std::is_same_v<Value, Form>) {
          return target->take(text);
        } else if constexpr (std::is_same_v<Value, bool>) {
          if (text != "true" && text != "false") return false;
          *target = text == "true";
        } else if constexpr (std::is_same_v<Value, Duration>) {
          const auto duration = parse_duration(text);
          if (!duration || !in_range(setting, static_cast<double>(duration->count()))) return false;
          *target = *duration;
        } else {
          const auto number = parse_number<Value>(text);
          if (!number || !in_range(setting, static_cast<double>(*number))) return false;
          *target = *number;
        }
        return true;
      },
      setting.target);
}

nlohmann::ordered_json as_json(const std::vector<Setting>& settings) {
  nlohmann::ordered_json all = nlohmann::ordered_json::object();
  for (const Setting& setting : settings) {
    if (setting.key.empty()) continue;
    nlohmann::ordered_json* place = &all;
    std::string_view key = setting.key;
    for (std::size_t dot; (dot = key.find('.')) != std::string_view::npos; key.remove_prefix(dot + 1))
      place = &(*place)[std::string(key.substr(0, dot))];
    nlohmann::ordered_json& value = (*place)[std::string(key)];
    std::visit(
        [&](const auto* target) {
          if constexpr (std::is_same_v<decltype(target), const Duration*>) {
            value = to_text(*target);
          } else if constexpr (std::is_same_v<decltype(target), const Form*>) {
            value = target->text();
          } else {
            value = *target;
          }
        },
        setting.target);
  }
  return all;
}

std::string suggestion(std::string_view typed, const std::vector<std::string>& known) {
  const std::string* best = nullptr;
  std::size_t least = std::max<std::size_t>(typed.size() / 3, 1) + 1;
  for (const std::string& word : known) {
    const std::size_t apart = distance(typed, word);
    if (apart < least) {
      least = apart;
      best = &word;
    }
  }
  if (best == nullptr)  // a word cut short
    for (const std::string& word : known)
      if (typed.size() >= 2 && word.starts_with(typed)) best = &word;
  return best == nullptr ? "" : ", did you mean " + *best + "?";
}

bool CommandLine::read(int argc, char** argv) {
  CLI::App app(does_, called_);
  app.allow_extras();
  app.set_help_flag("-h,--help", "Prints this and exits");
  app.get_formatter()->column_width(26);

  std::vector<CLI::Option*> options;
  std::vector<std::string> texts(settings_.size());
  std::vector<char> switches(settings_.size());
  std::size_t index = 0;
  const std::unique_ptr<bool[]> on(new bool[settings_.size()]{});
  for (const Setting& setting : settings_) {
    CLI::Option* option = nullptr;
    if (!setting.flag.empty()) {
      if (setting.value.empty()) {
        option = app.add_flag(setting.flag, on[index], setting.help);
      } else {
        option =
            app.add_option(setting.flag, texts[index], setting.help + default_text(setting))->type_name(setting.value);
      }
    }
    options.push_back(option);
    ++index;
  }
  std::vector<CLI::Option*> places;
  places.reserve(arguments_.size());
  for (const Argument& argument : arguments_)
    places.push_back(app.add_option(argument.name, *argument.target, argument.help)->type_name(""));

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return false;
  } catch (const CLI::ParseError&) {
    // The only mistakes left are an option without its value and an option given twice.
    for (std::size_t i = 0; i < options.size(); ++i) {
      if (options[i] == nullptr) continue;
      if (options[i]->count() > 1) throw BadUsage(settings_[i].flag + " was given more than once");
      if (std::string_view(argv[argc - 1]) == settings_[i].flag)
        throw BadUsage(settings_[i].flag + " needs a value: " + expected(settings_[i]));
    }
    throw BadUsage("the arguments cannot be read");
  }
  if (const std::vector<std::string> extras = app.remaining(); !extras.empty()) {
    const std::string& extra = extras.front();
    if (extra.size() < 2 || extra[0] != '-') throw BadUsage("unexpected argument '" + extra + "'");
    std::vector<std::string> flags{"--help"};
    for (const Setting& setting : settings_)
      if (!setting.flag.empty()) flags.push_back(setting.flag);
    const std::string flag = extra.substr(0, extra.find('='));
    throw BadUsage("there is no option " + flag + suggestion(flag, flags));
  }
  for (std::size_t i = 0; i < arguments_.size(); ++i)
    if (arguments_[i].required && places[i]->count() == 0)
      throw BadUsage("expected " + arguments_[i].name + ", " + arguments_[i].help);

  typed_.assign(settings_.size(), std::nullopt);
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i] == nullptr || options[i]->count() == 0) continue;
    if (settings_[i].value.empty()) {
      typed_[i] = settings_[i].flag.starts_with("--no-") ? "false" : "true";
    } else {
      typed_[i] = texts[i];
    }
  }
  return true;
}

void CommandLine::apply() {
  for (std::size_t i = 0; i < settings_.size(); ++i) {
    if (!typed_[i]) continue;
    if (!assign(settings_[i], *typed_[i]))
      throw BadUsage(
          fmt::format("{} {} is not possible, expected {}", settings_[i].flag, *typed_[i], expected(settings_[i])));
    settings_[i].given = true;
  }
}

bool CommandLine::given(std::string_view flag) const {
  for (std::size_t i = 0; i < settings_.size(); ++i)
    if (settings_[i].flag == flag) return typed_[i].has_value();
  return false;
}

void CommandLine::refuse(std::initializer_list<const char*> flags, std::string_view why) const {
  for (const char* flag : flags)
    if (given(flag)) throw BadUsage(fmt::format("{} {}", flag, why));
}

}  // namespace outcry
