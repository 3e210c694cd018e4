// SettingsReader: a TOML file into settings. Whatever is wrong in it is said with file, line, key and what was expected.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <toml++/toml.h>

#include "command_line.hpp"

namespace outcry {

class SettingsReader {
 public:
  /// Throws BadInput if there is no such file, or it is not TOML.
  explicit SettingsReader(std::string path);

  const toml::table& root() const { return root_; }
  const std::string& path() const { return path_; }

  /// A list of tables, [[key]], is handed over table by table, each with its place in the file.
  using TakeTable = std::function<void(const toml::table& table)>;
  void add_list(const std::string& key, TakeTable take) { lists_[key] = std::move(take); }

  /// Gives the settings what the table says, in the order of the file. A key that is no setting's is an error. Texts in a
  /// list are as good as one text with commas, where the setting's form is a list. Throws BadInput.
  void read(const toml::table& table, const std::string& prefix, std::vector<Setting>& settings);

  /// The tables that read() came by.
  const std::vector<std::string>& tables() const { return tables_; }

  /// Throws BadInput: "market.toml, line 3: " and the sentence.
  [[noreturn]] void fail(const toml::node& node, const std::string& sentence) const;
  [[noreturn]] void fail(std::uint32_t line, const std::string& sentence) const;

 private:
  void take(const std::string& key, const toml::node& node, std::vector<Setting>& settings);
  void take_list(const std::string& key, const toml::node& node, const TakeTable& take) const;
  void assign_node(Setting& setting, const toml::node& node) const;

  std::string path_;
  toml::table root_;
  std::map<std::string, TakeTable> lists_;
  std::vector<std::string> tables_;
};

}  // namespace outcry
