// FIX as one writes it down: '|' for the character that ends a field.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include <outcry/net/fix.hpp>

namespace outcry::test {

inline std::string soh(std::string_view text) {
  std::string result(text);
  std::replace(result.begin(), result.end(), '|', fix::separator);
  return result;
}

inline std::string readable(std::string_view message) {
  std::string result(message);
  std::replace(result.begin(), result.end(), fix::separator, '|');
  return result;
}
inline std::string readable(std::span<const std::byte> message) {
  return readable({reinterpret_cast<const char*>(message.data()), message.size()});
}

/// A message with these fields, from its type on: begin string, length and checksum are put around them.
inline std::string fix_text(fix::Version version, std::string_view fields) {
  std::string text = "8=" + std::string(fix::begin_string(version)) + "|9=" + std::to_string(fields.size()) + "|";
  text = soh(text.append(fields));
  unsigned sum = 0;
  for (const char c : text) sum += static_cast<unsigned char>(c);
  char trailer[16];
  std::snprintf(trailer, sizeof trailer, "10=%03u\x01", sum % 256);
  return text + trailer;
}

}  // namespace outcry::test
