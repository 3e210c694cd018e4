#include <outcry/net/protocol_error.hpp>

#include <fmt/format.h>

namespace outcry {

std::string ProtocolError::text() const {
  const bool printable = is_character && found >= 0x20 && found < 0x7f;
  const std::string value = printable      ? fmt::format("'{}'", static_cast<char>(found))
                            : is_character ? fmt::format("0x{:02X}", found)
                                           : fmt::format("{}", found);
  return fmt::format("offset {}: found {} {}, expected {}", offset, what, value, expected);
}

}  // namespace outcry
