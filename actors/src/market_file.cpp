#include "market_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace outcry {

namespace {

struct Reader {
  const std::string& path;
  std::vector<Setting>& settings;
  std::vector<std::string> tables{};

  [[noreturn]] void fail(const toml::node& node, const std::string& sentence) const {
    throw BadInput(fmt::format("{}, line {}: {}", path, node.source().begin.line, sentence));
  }

  void read(const toml::table& table, const std::string& prefix) {
    // A table keeps its keys sorted; mistakes are told in the order of the file.
    std::vector<std::pair<std::string, const toml::node*>> entries;
    for (const auto& [key, node] : table) entries.emplace_back(std::string(std::string_view(key)), &node);
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
      const auto& one = a.second->source().begin;
      const auto& other = b.second->source().begin;
      return std::pair(one.line, one.column) < std::pair(other.line, other.column);
    });
    for (const auto& [key, node] : entries) take(prefix + key, *node);
  }

  void take(const std::string& key, const toml::node& node) {
    const auto setting =
        std::find_if(settings.begin(), settings.end(), [&](const Setting& one) { return one.key == key; });
    const bool is_table = std::any_of(settings.begin(), settings.end(),
                                      [&](const Setting& one) { return one.key.starts_with(key + "."); });
    if (setting == settings.end() && !is_table) {
      std::vector<std::string> known;
      for (const Setting& one : settings) {
        if (one.key.empty()) continue;
        known.push_back(one.key);
        if (const auto dot = one.key.find('.'); dot != std::string::npos) known.push_back(one.key.substr(0, dot));
      }
      const std::string hint = suggestion(key, known);
      fail(node, fmt::format("there is no key {}{}", key, hint));
    }
    if (is_table) {
      if (node.as_table() == nullptr) fail(node, key + " is a single value, expected a table: [" + key + "]");
      tables.push_back(key);
      read(*node.as_table(), key + ".");
      return;
    }
    assign_node(*setting, key, node);
  }

  void assign_node(Setting& setting, const std::string& key, const toml::node& node) const {
    std::string text;
    bool kind_is_right = false;
    const bool wants_text = std::holds_alternative<std::string*>(setting.target) ||
                            std::holds_alternative<Duration*>(setting.target) ||
                            std::holds_alternative<Form*>(setting.target);
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
      std::ostringstream kind;
      kind << node.type();
      fail(node, fmt::format("{} is a value of another kind ({}), expected {}", key, kind.str(), expected(setting)));
    }
    if (!kind_is_right || !assign(setting, text)) {
      const bool quoted = node.is_string();
      const char* form = std::holds_alternative<Duration*>(setting.target) && !quoted ? ", in quotes" : "";
      fail(node, fmt::format("{} is {}{}{}, expected {}{}", key, quoted ? "\"" : "", text, quoted ? "\"" : "",
                             expected(setting), form));
    }
    setting.given = true;
  }
};

}  // namespace

std::vector<std::string> read_market_file(const std::string& path, std::vector<Setting>& settings) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) throw BadInput(path + ": is a folder, expected a TOML file");
  std::ifstream file(path);
  if (!file) throw BadInput(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
  std::ostringstream text;
  text << file.rdbuf();
  try {
    const toml::table table = toml::parse(text.str());
    Reader reader{path, settings};
    reader.read(table, "");
    return reader.tables;
  } catch (const toml::parse_error& error) {
    throw BadInput(fmt::format("{}, line {}: is not TOML: {}", path, error.source().begin.line, error.description()));
  }
}

}  // namespace outcry
