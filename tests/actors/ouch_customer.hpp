// OuchCustomer: a client of a venue who is no actor, and speaks OUCH in SoupBinTCP byte for byte, over loopback.
#pragma once

#include <cstdint>
#include <string>

#include "tests/wire.hpp"

namespace outcry_test {

inline std::string big(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

/// An order of OUCH 5.0.
inline std::string enter_order(std::uint32_t ref, char side = 'B', std::string symbol = "AAPL",
                               std::uint64_t price = 990'000, std::uint32_t lots = 100) {
  symbol.resize(8, ' ');
  return "O" + big(ref, 4) + side + big(lots, 4) + symbol + big(price, 8) + "0YPNN" + std::string(14, ' ') + big(0, 2);
}

class OuchCustomer : public Wire {
 public:
  using Wire::Wire;

  void send_packet(char type, const std::string& payload = {}) {
    const auto size = static_cast<std::uint16_t>(payload.size() + 1);
    std::string packet{static_cast<char>(size >> 8), static_cast<char>(size), type};
    send(packet + payload);
  }
  /// The next packet that is neither a heartbeat nor a system event: its type and payload; empty at the end.
  std::string packet() {
    for (;;) {
      const std::string head = exactly(2);
      if (head.size() != 2) return {};
      const std::size_t size = static_cast<unsigned char>(head[0]) * 256u + static_cast<unsigned char>(head[1]);
      std::string rest = exactly(size);
      if (rest.size() != size || (rest[0] != 'H' && !rest.starts_with("SS"))) return rest;
    }
  }
  /// `timeout_ms`: five digits, how long the venue may hear nothing (SoupBinTCP 4.1).
  void log_in(std::string user, std::string password, const std::string& sequence = "1",
              const std::string& timeout_ms = {}) {
    user.resize(6, ' ');
    password.resize(10, ' ');
    send_packet(
        'L', user + password + std::string(10, ' ') + std::string(20 - sequence.size(), ' ') + sequence + timeout_ms);
  }
};

}  // namespace outcry_test
