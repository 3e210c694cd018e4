// Golden vectors: bytes together with the fields that an independent dissector read from them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "files.hpp"

namespace outcry::test {

using Fields = std::vector<std::pair<std::string, std::string>>;

inline std::vector<std::byte> from_hex(std::string_view hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(std::byte(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

struct Golden {
  std::vector<std::byte> bytes;
  Fields fields;
  /// Empty if there is no such field.
  std::string field(std::string_view name) const {
    for (const auto& [key, value] : fields)
      if (key == name) return value;
    return {};
  }
};

inline std::vector<Golden> read_golden(std::string_view name) {
  std::vector<Golden> vectors;
  for (const auto& packet : nlohmann::json::parse(contents(data(name)))) {
    Golden golden{from_hex(packet["payload_hex"].get<std::string>()), {}};
    for (const auto& field : packet["fields"]) golden.fields.emplace_back(field[0], field[1]);
    vectors.push_back(std::move(golden));
  }
  return vectors;
}

}  // namespace outcry::test
