// Endpoint: an IPv4 or IPv6 address and a port. Names are not looked up.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outcry {

class Endpoint {
 public:
  /// 0.0.0.0:0
  constexpr Endpoint() = default;

  /// "127.0.0.1:7001", "[::1]:7001", "239.1.2.3:31001". Nothing for anything else.
  static std::optional<Endpoint> parse(std::string_view text);
  /// 127.0.0.1
  static Endpoint loopback(std::uint16_t port = 0);
  /// Of four bytes, most significant first; of sixteen.
  static Endpoint v4(const std::array<std::uint8_t, 4>& address, std::uint16_t port);
  static Endpoint v6(const std::array<std::uint8_t, 16>& address, std::uint16_t port, std::uint32_t scope = 0);

  std::string text() const;
  std::uint16_t port() const { return port_; }
  Endpoint with_port(std::uint16_t port) const {
    Endpoint other = *this;
    other.port_ = port;
    return other;
  }
  bool is_v6() const { return v6_ != 0; }
  bool is_loopback() const;
  bool is_multicast() const;
  /// The first four, or all sixteen, most significant first.
  const std::array<std::uint8_t, 16>& address() const { return address_; }
  std::uint32_t scope() const { return scope_; }

  friend bool operator==(const Endpoint&, const Endpoint&) = default;

 private:
  std::array<std::uint8_t, 16> address_{};
  std::uint32_t scope_ = 0;
  std::uint16_t port_ = 0;
  std::uint16_t v6_ = 0;
};

}  // namespace outcry
