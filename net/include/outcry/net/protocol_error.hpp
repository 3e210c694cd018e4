// ProtocolError: what is wrong with the bytes of a peer, where in its stream, and what was expected there.
//
// Trivially copyable, its texts are literals: a decoder makes one without allocating.
#pragma once

#include <cstdint>
#include <string>

namespace outcry {

struct ProtocolError {
  std::uint64_t offset = 0;   // in the peer's stream, from 0
  const char* what = "";      // "a packet of type"
  std::uint64_t found = 0;    // the character or number behind it
  bool is_character = false;  // how to print `found`
  const char* expected = "";  // "L"

  /// "offset 104: found a packet of type 'S', expected L"
  std::string text() const;

  friend bool operator==(const ProtocolError&, const ProtocolError&) = default;
};

}  // namespace outcry
