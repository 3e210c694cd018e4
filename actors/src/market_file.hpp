// Market file: the options of a simulation as TOML.
#pragma once

#include <string>
#include <vector>

#include "command_line.hpp"

namespace outcry {

/// Gives the settings what the file says; a key that is no setting's is an error. The names of its tables.
/// Throws BadInput: "market.toml, line 3: symbols is -1, expected a whole number from 1 to 100000".
std::vector<std::string> read_market_file(const std::string& path, std::vector<Setting>& settings);

}  // namespace outcry
