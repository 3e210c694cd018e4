// Socket: a descriptor that is owned, with its peer. It does nothing by itself: a Connection adopts it.
//
// Thread: any; it may travel in a message to an actor of another scheduler.
#pragma once

#include <utility>

#include <outcry/runtime/endpoint.hpp>

namespace outcry {

class Socket {
 public:
  Socket() noexcept = default;
  /// Takes the descriptor over.
  Socket(int descriptor, const Endpoint& peer) noexcept : descriptor_(descriptor), peer_(peer) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), peer_(other.peer_) {}
  Socket& operator=(Socket&& other) noexcept {
    if (this != &other) {
      close();
      descriptor_ = std::exchange(other.descriptor_, -1);
      peer_ = other.peer_;
    }
    return *this;
  }
  ~Socket() { close(); }

  explicit operator bool() const noexcept { return descriptor_ >= 0; }
  int descriptor() const noexcept { return descriptor_; }
  const Endpoint& peer() const noexcept { return peer_; }
  /// The caller's from now on.
  int give_up() noexcept { return std::exchange(descriptor_, -1); }
  void close() noexcept;

 private:
  int descriptor_ = -1;
  Endpoint peer_;
};

}  // namespace outcry
