#include "settings_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>

namespace outcry {

namespace {

std::uint32_t line_of(const toml::node& node) { return static_cast<std::uint32_t>(node.source().begin.line); }

/// The parser quotes what it stumbled over. In the line of a password that must not be seen.
bool is_secret(const std::string& text, std::uint32_t line) {
  std::istringstream lines(text);
  std::string one;
  for (std::uint32_t i = 0; i < line && std::getline(lines, one);) ++i;
  return one.find("password") != std::string::npos;
}

/// "AAPL, MSFT" of ["AAPL", "MSFT"]; none if it holds something else.
std::optional<std::string> joined(const toml::array& texts) {
  std::string all;
  for (const toml::node& one : texts) {
    const auto* text = one.as_string();
    if (text == nullptr || text->get().empty() || text->get().find(',') != std::string::npos) return {};
    all += (all.empty() ? "" : ", ") + text->get();
  }
  return all;
}

}  // namespace

SettingsReader::SettingsReader(std::string path) : path_(std::move(path)) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path_, ignored)) throw BadInput(path_ + ": is a folder, expected a TOML file");
  std::ifstream file(path_);
  if (!file) throw BadInput(fmt::format("{}: cannot be opened: {}", path_, std::strerror(errno)));
  std::ostringstream text;
  text << file.rdbuf();
  try {
    root_ = toml::parse(text.str());
  } catch (const toml::parse_error& error) {
    const auto line = static_cast<std::uint32_t>(error.source().begin.line);
    fail(line, is_secret(text.str(), line) ? std::string("is not TOML, expected a text in quotes behind password =")
                                           : fmt::format("is not TOML: {}", error.description()));
  }
}

void SettingsReader::fail(const toml::node& node, const std::string& sentence) const { fail(line_of(node), sentence); }
void SettingsReader::fail(std::uint32_t line, const std::string& sentence) const {
  throw BadInput(fmt::format("{}, line {}: {}", path_, line, sentence));
}

void SettingsReader::read(const toml::table& table, const std::string& prefix, std::vector<Setting>& settings) {
  // A table keeps its keys sorted; mistakes are told in the order of the file.
  std::vector<std::pair<std::string, const toml::node*>> entries;
  for (const auto& [key, node] : table) entries.emplace_back(std::string(std::string_view(key)), &node);
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    const auto& one = a.second->source().begin;
    const auto& other = b.second->source().begin;
    return std::pair(one.line, one.column) < std::pair(other.line, other.column);
  });
  for (const auto& [key, node] : entries) take(prefix + key, *node, settings);
}

void SettingsReader::take(const std::string& key, const toml::node& node, std::vector<Setting>& settings) {
  if (const auto list = lists_.find(key); list != lists_.end()) return take_list(key, node, list->second);
  const auto setting =
      std::find_if(settings.begin(), settings.end(), [&](const Setting& one) { return one.key == key; });
  const bool is_table =
      std::any_of(settings.begin(), settings.end(), [&](const Setting& one) { return one.key.starts_with(key + "."); });
  if (setting == settings.end() && !is_table) {
    std::vector<std::string> known;
    for (const Setting& one : settings) {
      if (one.key.empty()) continue;
      known.push_back(one.key);
      for (std::size_t dot = one.key.find('.'); dot != std::string::npos; dot = one.key.find('.', dot + 1))
        known.push_back(one.key.substr(0, dot));
    }
    for (const auto& [name, unused] : lists_)
      if (key.find('.') == std::string::npos) known.push_back(name);
    fail(node, fmt::format("there is no key {}{}", key, suggestion(key, known)));
  }
  if (is_table) {
    if (node.as_table() == nullptr) fail(node, key + " is a single value, expected a table: [" + key + "]");
    tables_.push_back(key);
    read(*node.as_table(), key + ".", settings);
    return;
  }
  assign_node(*setting, node);
}

void SettingsReader::take_list(const std::string& key, const toml::node& node, const TakeTable& take) const {
  const toml::array* tables = node.as_array();
  if (tables == nullptr) fail(node, fmt::format("{0} is no list of tables, expected [[{0}]]", key));
  for (const toml::node& one : *tables) {
    if (!one.is_table()) fail(one, fmt::format("{0} holds something else than tables, expected [[{0}]]", key));
    take(*one.as_table());
  }
}

void SettingsReader::assign_node(Setting& setting, const toml::node& node) const {
  const std::string& key = setting.key;
  std::string text;
  bool kind_is_right = false;
  const bool has_form = std::holds_alternative<Form*>(setting.target);
  const bool is_list = has_form && std::get<Form*>(setting.target)->is_list;
  const bool wants_text = std::holds_alternative<std::string*>(setting.target) ||
                          std::holds_alternative<Duration*>(setting.target) || has_form;
  if (const auto* value = node.as_string()) {
    text = value->get();
    kind_is_right = wants_text;
  } else if (const auto* whole = node.as_integer()) {
    text = fmt::format("{}", whole->get());
    kind_is_right = !wants_text && !std::holds_alternative<bool*>(setting.target);
  } else if (const auto* number = node.as_floating_point()) {
    text = fmt::format("{}", number->get());
    kind_is_right = std::holds_alternative<double*>(setting.target);
  } else if (const auto* truth = node.as_boolean()) {
    text = truth->get() ? "true" : "false";
    kind_is_right = std::holds_alternative<bool*>(setting.target);
  } else {
    const std::optional<std::string> list =
        is_list && node.is_array() ? joined(*node.as_array()) : std::optional<std::string>();
    if (!list) {
      std::ostringstream kind;
      kind << node.type();
      fail(node, fmt::format("{} is a value of another kind ({}), expected {}", key, kind.str(), expected(setting)));
    }
    text = *list;
    kind_is_right = true;
  }
  if (!kind_is_right || !assign(setting, text)) {
    const bool quoted = !node.is_integer() && !node.is_floating_point() && !node.is_boolean();
    const char* form = std::holds_alternative<Duration*>(setting.target) && !quoted ? ", in quotes" : "";
    const std::string found = setting.secret ? "something else" : quoted ? "\"" + text + "\"" : text;
    fail(node, fmt::format("{} is {}, expected {}{}", key, found, expected(setting), form));
  }
  setting.given = true;
  setting.line = line_of(node);
}

}  // namespace outcry
