#include "market_file.hpp"

#include "settings_reader.hpp"

namespace outcry {

std::vector<std::string> read_market_file(const std::string& path, std::vector<Setting>& settings) {
  SettingsReader reader(path);
  reader.read(reader.root(), "", settings);
  return reader.tables();
}

}  // namespace outcry
