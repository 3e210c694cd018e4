// Wire: a TCP connection over loopback of somebody who is no actor. Who waits for something waits ten seconds at most.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

namespace outcry_test {

class Wire {
 public:
  explicit Wire(std::uint16_t port, int patience_s = 10) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const timeval patience{patience_s, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  /// "127.0.0.1:7001"
  explicit Wire(const std::string& at) : Wire(static_cast<std::uint16_t>(std::stoi(at.substr(at.rfind(':') + 1)))) {}
  ~Wire() { ::close(socket_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool connected() const { return connected_; }
  int descriptor() const { return socket_; }
  void send(const std::string& bytes) {
    REQUIRE(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  /// Until the other side closes.
  std::string all() { return some(SIZE_MAX); }
  /// Until there are so many bytes, or the other side closes.
  std::string some(std::size_t least) {
    std::string text;
    char bytes[4096];
    while (text.size() < least) {
      const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
      if (got <= 0) break;
      text.append(bytes, static_cast<std::size_t>(got));
    }
    return text;
  }
  /// No more than so many; fewer if the other side closes before.
  std::string exactly(std::size_t size) {
    std::string text(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      const ssize_t got = ::recv(socket_, text.data() + have, size - have, 0);
      if (got <= 0) break;
      have += static_cast<std::size_t>(got);
    }
    text.resize(have);
    return text;
  }

 private:
  int socket_;
  bool connected_ = false;
};

/// A page over HTTP, with its head; what is sent stands in `target`.
inline std::string ask_page(const std::string& at, const std::string& target, const std::string& method = "GET",
                            const std::string& fields = {}) {
  Wire wire(at);
  if (!wire.connected()) return {};
  wire.send(method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + "\r\n");
  return wire.all();
}

}  // namespace outcry_test
