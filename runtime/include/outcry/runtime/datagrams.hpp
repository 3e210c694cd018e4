// Datagrams: a UDP socket of one actor, to one receiver each or to a group.
//
//   auto feed = Datagrams::open(self, Endpoint::v4({0, 0, 0, 0}, 31001), {.group = *Endpoint::parse("239.1.2.3:31001")});
//   while (!self.stopping()) {
//     co_await self.attend();
//     while (const auto packet = feed->next()) use(packet->bytes);
//   }
//
// Packets wait in the socket's own buffers until they are taken; when all are full, the system keeps some more and drops
// the rest, as UDP does. Packets to be sent are copied, and leave at the end of the scheduler's round in their order.
// Thread: the scheduler of the actor that opened it. Errors: results; a packet that could not be sent is counted.
// Cost: no allocation while it is open; in_packets + out_packets times packet_bytes of memory.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/endpoint.hpp>
#include <outcry/runtime/packet_buffer.hpp>
#include <outcry/runtime/result.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry {

struct Datagram {
  std::span<const std::byte> bytes;
  Endpoint from;
  Time arrived{};
};

struct DatagramOptions {
  std::optional<Endpoint>
      group{};              // to join; bind to its address, too, to receive what was sent to the group and no more
  std::string interface{};  // for groups, by name ("lo", "eth0") or address; empty: the system's choice
  bool reuse = false;       // several sockets receive the same group's packets on one port
  int ttl = 1;              // of packets to groups
  bool loop = true;         // packets to groups reach sockets of this machine, too
  std::size_t in_packets = 1024;  // rounded up to a power of two
  std::size_t out_packets = 1024;
  std::size_t packet_bytes = 2048;  // the largest one
  bool kernel_stamps = false;       // Datagram::arrived is when the kernel took it, where it says so
  /// A packet that it gives false for is dropped, counted, and wakes nobody. Called by the scheduler's loop: it looks at
  /// the packet and waits for nothing. Empty: all are wanted.
  std::function<bool(const Datagram& packet)> wanted{};
};

/// For DatagramOptions::wanted: packets whose bytes from `offset` on are `these`, as MoldUDP64's first ten are its session.
inline std::function<bool(const Datagram&)> with_bytes(std::size_t offset, std::span<const std::byte> these) {
  return [offset, kept = std::vector<std::byte>(these.begin(), these.end())](const Datagram& packet) {
    return packet.bytes.size() >= offset + kept.size() &&
           std::memcmp(packet.bytes.data() + offset, kept.data(), kept.size()) == 0;
  };
}

struct DatagramState;
class ReceivingDatagram;

class Datagrams {
 public:
  using Datagram = outcry::Datagram;

  Datagrams() noexcept = default;
  Datagrams(Datagrams&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Datagrams& operator=(Datagrams&& other) noexcept {
    if (this != &other) {
      close();
      state_ = std::exchange(other.state_, nullptr);
    }
    return *this;
  }
  /// What was sent and is not with the kernel is lost.
  ~Datagrams() { close(); }

  /// Throws std::logic_error in virtual time.
  template <class... Ms>
  static Result<Datagrams> open(const Self<Ms...>& self, const Endpoint& local, DatagramOptions options = {}) {
    return open(*self.cell(), local, std::move(options));
  }

  explicit operator bool() const noexcept { return state_ != nullptr; }
  /// The oldest that came, if there is one; valid until the following next() or co_await.
  std::optional<Datagram> next() noexcept;
  /// The packet that next() or receive() gave last; it keeps its place in the socket's buffers until nobody holds it.
  PacketBuffer keep() const noexcept;
  /// Copied. False: no room, or too large; counted in unsendable().
  bool send(std::span<const std::byte> bytes, const Endpoint& to) noexcept;
  /// Sent from where it lies, and held until the kernel has it; behind `head`, which is copied.
  bool send(const PacketBuffer& packet, const Endpoint& to, std::span<const std::byte> head = {}) noexcept;
  /// Await it for a Result<Datagram>.
  ReceivingDatagram receive(Time deadline = never, std::source_location where = std::source_location::current());

  Endpoint local() const noexcept;
  /// Packets that came and were not given to the actor: too large for packet_bytes, or dropped by the system for want of
  /// room as far as it says so.
  std::uint64_t dropped() const noexcept;
  /// Packets that DatagramOptions::wanted did not want.
  std::uint64_t filtered() const noexcept;
  /// Packets that the system did not take, or for which there was no room.
  std::uint64_t unsendable() const noexcept;
  /// Packets that are not with the kernel yet.
  std::size_t unsent() const noexcept;
  void close() noexcept;

 private:
  explicit Datagrams(DatagramState* state) noexcept : state_(state) {}
  static Result<Datagrams> open(ActorCell& cell, const Endpoint& local, DatagramOptions options);

  DatagramState* state_ = nullptr;
};

class [[nodiscard]] ReceivingDatagram {
 public:
  using MayBeServedYet = void;  // for stop_token.hpp

  ReceivingDatagram(DatagramState* state, Time deadline, std::source_location where)
      : state_(state), deadline_(deadline), where_(where) {}

  bool await_ready() const noexcept;
  void await_suspend(std::coroutine_handle<> point);
  Result<Datagram> await_resume();

 private:
  DatagramState* state_;
  Time deadline_;
  std::source_location where_;
  bool waited_ = false;
};

inline ReceivingDatagram Datagrams::receive(Time deadline, std::source_location where) {
  return {state_, deadline, where};
}

}  // namespace outcry
