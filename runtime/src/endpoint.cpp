// Endpoint: text, and the forms of the system.
#include <outcry/runtime/endpoint.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>

#include "sockaddr.hpp"

namespace outcry {

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view number = text.substr(colon + 1);
  Endpoint endpoint;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), endpoint.port_);
  if (number.empty() || error != std::errc{} || end != number.data() + number.size()) return std::nullopt;

  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed != (host.find(':') != std::string_view::npos)) return std::nullopt;
  endpoint.v6_ = bracketed ? 1 : 0;
  const std::string copy(host);
  if (::inet_pton(bracketed ? AF_INET6 : AF_INET, copy.c_str(), endpoint.address_.data()) != 1) return std::nullopt;
  return endpoint;
}

Endpoint Endpoint::loopback(std::uint16_t port) { return v4({127, 0, 0, 1}, port); }

Endpoint Endpoint::v4(const std::array<std::uint8_t, 4>& address, std::uint16_t port) {
  Endpoint endpoint;
  std::copy(address.begin(), address.end(), endpoint.address_.begin());
  endpoint.port_ = port;
  return endpoint;
}

Endpoint Endpoint::v6(const std::array<std::uint8_t, 16>& address, std::uint16_t port, std::uint32_t scope) {
  Endpoint endpoint;
  endpoint.address_ = address;
  endpoint.scope_ = scope;
  endpoint.port_ = port;
  endpoint.v6_ = 1;
  return endpoint;
}

std::string Endpoint::text() const {
  char host[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(is_v6() ? AF_INET6 : AF_INET, address_.data(), host, sizeof host);
  std::string text(is_v6() ? "[" : "");
  text.append(host).append(is_v6() ? "]:" : ":").append(std::to_string(port_));
  return text;
}

bool Endpoint::is_loopback() const {
  if (!is_v6()) return address_[0] == 127;
  return address_[15] == 1 && std::all_of(address_.begin(), address_.end() - 1, [](auto byte) { return byte == 0; });
}

bool Endpoint::is_multicast() const { return is_v6() ? address_[0] == 0xFF : address_[0] >> 4 == 0xE; }

socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage& address) {
  if (endpoint.is_v6()) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port());
    v6.sin6_scope_id = endpoint.scope();
    std::memcpy(&v6.sin6_addr, endpoint.address().data(), sizeof v6.sin6_addr);
    std::memcpy(&address, &v6, sizeof v6);
    return sizeof v6;
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(endpoint.port());
  std::memcpy(&v4.sin_addr, endpoint.address().data(), sizeof v4.sin_addr);
  std::memcpy(&address, &v4, sizeof v4);
  return sizeof v4;
}

Endpoint from_sockaddr(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &v4.sin_addr, sizeof bytes);
    return Endpoint::v4(bytes, ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address, sizeof v6);
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, sizeof bytes);
    return Endpoint::v6(bytes, ntohs(v6.sin6_port), v6.sin6_scope_id);
  }
  return {};
}

Endpoint local_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return from_sockaddr(address);
}

Endpoint peer_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return from_sockaddr(address);
}

}  // namespace outcry
