// Echoes over TCP on loopback: a client that spins on one core, and servers on the other.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "report.hpp"

namespace bench {

constexpr std::size_t echo_bytes = 64;
using EchoMessage = std::array<unsigned char, echo_bytes>;

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int descriptor = -1) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

/// Connected to 127.0.0.1:`port`, without delay.
inline Descriptor connect_to(std::uint16_t port) {
  Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    Report::wrong("no connection to the server: " + std::string(std::strerror(errno)));
  const int on = 1;
  ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return client;
}

/// Listens on a port that is free.
inline Descriptor listen_anywhere(std::uint16_t& port) {
  Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener.get(), 16) != 0 ||
      ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    Report::wrong("no port to listen on");
  port = ntohs(address.sin_port);
  return listener;
}

/// One round trip; the answer is checked. Spins.
inline void round_trip(int descriptor, std::uint64_t number) {
  EchoMessage message{};
  std::memcpy(message.data(), &number, sizeof number);
  std::memcpy(message.data() + 40, &number, sizeof number);
  if (::send(descriptor, message.data(), message.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(message.size()))
    Report::wrong("a message was not sent");
  EchoMessage answer{};
  for (std::size_t got = 0; got < answer.size();) {
    const ssize_t bytes = ::recv(descriptor, answer.data() + got, answer.size() - got, MSG_DONTWAIT);
    if (bytes > 0) got += static_cast<std::size_t>(bytes);
    if (bytes == 0 || (bytes < 0 && errno != EAGAIN)) Report::wrong("the server has gone");
  }
  if (answer != message) Report::wrong("an echo differs from what was sent");
}

}  // namespace bench
