// Golden vectors: bytes together with the fields that an independent dissector read from them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <outcry/net/alpha.hpp>
#include <outcry/net/big_endian.hpp>

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

/// The messages of a direction ("unsequenced" or "sequenced") out of SoupBinTCP packets, each with its fields behind
/// the name that the dissector gives it.
struct GoldenMessage {
  char type;
  std::vector<std::byte> bytes;
  Fields fields;
};

inline std::vector<GoldenMessage> read_golden_messages(std::string_view name, const std::string& direction) {
  std::vector<GoldenMessage> messages;
  for (const Golden& packet : read_golden(name)) {
    const std::string type = packet.field(direction + "messagetype");
    if (type.empty()) continue;
    GoldenMessage message{type.at(0), {packet.bytes.begin() + 3, packet.bytes.end()}, {}};
    bool inside = false;
    for (const auto& field : packet.fields) {
      // Groups have names without values.
      if (inside && !(field.second.empty() && field.first.ends_with("appendage"))) message.fields.push_back(field);
      inside = inside || field.first.ends_with("message");
    }
    messages.push_back(std::move(message));
  }
  return messages;
}

/// Collects the fields of a message as the dissector prints them.
struct Reads {
  Fields fields{};
  void operator()(const char* name, char c) { fields.emplace_back(name, std::string(1, c)); }
  template <class Word>
    requires std::is_enum_v<Word>
  void operator()(const char* name, Word word) {
    (*this)(name, static_cast<char>(word));
  }
  template <std::size_t N>
  void operator()(const char* name, const Alpha<N>& text) {
    fields.emplace_back(name, std::string(text.text()));
  }
  template <std::size_t N>
  void operator()(const char* name, const BigEndian<N>& number) {
    fields.emplace_back(name, std::to_string(number.value()));
  }
  template <std::size_t N>
  void padded(const char* name, const Alpha<N>& text) {
    fields.emplace_back(name, std::string(text.padded()));
  }
  void price(const char* name, std::uint64_t units, int decimals) {
    std::uint64_t scale = 1;
    for (int i = 0; i < decimals; ++i) scale *= 10;
    std::string digits = std::to_string(units / scale) + '.' + std::to_string(scale + units % scale).substr(1);
    while (digits.back() == '0') digits.pop_back();
    if (digits.back() == '.') digits.pop_back();
    fields.emplace_back(name, digits);
  }
};

/// Fills in a message from what the dissector printed.
struct Writes {
  const Fields& fields;
  std::size_t next = 0;
  const std::string& value([[maybe_unused]] const char* name) {
    REQUIRE(next < fields.size());
    CHECK(fields[next].first == name);
    return fields[next++].second;
  }
  void operator()(const char* name, char& c) { c = value(name).at(0); }
  template <class Word>
    requires std::is_enum_v<Word>
  void operator()(const char* name, Word& word) {
    word = static_cast<Word>(value(name).at(0));
  }
  template <std::size_t N>
  void padded(const char* name, Alpha<N>& text) {
    text = Alpha<N>(value(name));
  }
  template <std::size_t N>
  void operator()(const char* name, Alpha<N>& text) {
    text = Alpha<N>(value(name));
  }
  template <std::size_t N>
  void operator()(const char* name, BigEndian<N>& number) {
    number = static_cast<typename BigEndian<N>::Value>(std::stoull(value(name)));
  }
  template <std::size_t N>
  void price(const char* name, BigEndian<N>& number, int decimals) {
    std::string digits = value(name);
    const std::size_t point = digits.find('.');
    std::size_t missing_decimals = static_cast<std::size_t>(decimals);
    if (point != std::string::npos) {
      digits.erase(point, 1);
      missing_decimals -= digits.size() - point;
    }
    digits.append(missing_decimals, '0');
    number = static_cast<typename BigEndian<N>::Value>(std::stoull(digits));
  }
};

}  // namespace outcry::test
