// Pcap: the TCP and UDP payloads of a capture file, in the order of its packets. Enough for Ethernet and IPv4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "files.hpp"

namespace outcry::test {

struct Captured {
  std::uint16_t source = 0, destination = 0;  // ports
  std::vector<std::byte> payload{};
};

inline std::vector<Captured> read_pcap(const std::string& path) {
  const std::string file = contents(path);
  const auto byte = [&](std::size_t at) { return static_cast<unsigned>(static_cast<unsigned char>(file.at(at))); };
  const auto big16 = [&](std::size_t at) { return static_cast<std::uint16_t>(byte(at) << 8 | byte(at + 1)); };
  const auto little32 = [&](std::size_t at) {
    return byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
  };
  if (little32(0) != 0xa1b2c3d4 || little32(20) != 1) throw std::runtime_error("no Ethernet capture: " + path);
  std::vector<Captured> packets;
  for (std::size_t at = 24; at < file.size();) {
    const std::size_t ip = at + 16 + 14;
    at += 16 + little32(at + 8);
    const std::size_t transport = ip + (byte(ip) & 15) * 4;
    const bool is_udp = byte(ip + 9) == 17;
    const std::size_t begin = transport + (is_udp ? 8 : (byte(transport + 12) >> 4) * 4);
    const std::size_t end = ip + big16(ip + 2);
    Captured captured{big16(transport), big16(transport + 2), {}};
    for (std::size_t i = begin; i < end; ++i) captured.payload.push_back(std::byte(byte(i)));
    if (!captured.payload.empty()) packets.push_back(std::move(captured));
  }
  return packets;
}

}  // namespace outcry::test
