// RingDevice: the part of a scheduler's ring that hands operations to the kernel and gets their ends back. A seam: a test
// puts its own in front of the kernel's and loses, cuts short, delays and reorders what passes (IoOptions::device).
//
// Memory that a request names stays where it is until its completion has come that has no `more`.
// Thread: the scheduler's, all of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <outcry/runtime/time.hpp>

namespace outcry {

struct RingRequest {
  enum class Kind : std::uint8_t {
    accept,           // a descriptor each time
    connect,          // memory: a sockaddr
    receive,          // into memory, or into a buffer of a group
    send,             // from memory
    receive_message,  // memory: a msghdr
    send_message,     // memory: a msghdr
    cancel,           // the request with the tag `target`
    wait_readable,    // until `file` can be read
  };

  Kind kind{};
  bool many = false;        // goes on completing until it is cancelled or fails (accept, receive, receive_message)
  bool pooled = false;      // receives into a buffer that the device takes from `group`
  bool linked = false;      // the next one starts when this one has ended well; else it is cancelled
  bool zero_copy = false;   // of a send: a second completion, a `notification`, gives the memory back
  bool registered = false;  // `file` is a place in the device's table
  std::uint16_t group = 0;
  int file = -1;
  void* memory = nullptr;
  std::uint32_t bytes = 0;
  std::uint64_t tag = 0;
  std::uint64_t target = 0;
};

/// What a pooled receive_message puts in front of a buffer; behind it lie the sender's address and the control messages,
/// in as many bytes as the msghdr said, and the packet.
struct PooledMessage {
  std::uint32_t name_bytes;
  std::uint32_t control_bytes;
  std::uint32_t packet_bytes;  // as it was sent
  std::uint32_t flags;
};

struct RingCompletion {
  std::uint64_t tag = 0;
  std::int32_t result = 0;    // below zero: a code of the system
  std::int32_t buffer = -1;   // the one that was filled; it has to be given back
  bool more = false;          // the request goes on
  bool notification = false;  // of a zero-copy send: the memory is given back, the result says nothing
};

struct RingFeatures {
  const char* kind = "";       // "deferred", "cooperative", "plain", "kernel-polled"
  bool accepts_many = false;   // RingRequest::many for accept
  bool receives_many = false;  // and for receive and receive_message, into pooled buffers
  bool zero_copy = false;
  bool registered_files = false;
  bool registered_ring = false;
};

class RingDevice {
 public:
  RingDevice() = default;
  RingDevice(const RingDevice&) = delete;
  RingDevice& operator=(const RingDevice&) = delete;
  virtual ~RingDevice() = default;

  virtual RingFeatures features() const = 0;

  /// Takes a request; the kernel gets it with the next enter() or wait(), or now where there is no more room.
  virtual void push(const RingRequest& request) = 0;
  /// How many requests may be pushed before one has to be handed over.
  virtual std::uint32_t room() const = 0;
  /// Hands over what was pushed and lets the kernel complete what it can. No system call if there is neither.
  virtual void enter() = 0;
  /// The same, and sleeps until there is a completion, at most `patience`.
  virtual void wait(Duration patience) = 0;
  /// Takes completions, oldest first; how many.
  virtual std::size_t reap(std::span<RingCompletion> completions) = 0;
  /// Whether reap() or enter() would find something.
  virtual bool ready() const = 0;

  /// `descriptor` -1: the place is free again. False: it is to be named by its descriptor.
  virtual bool register_file(std::uint32_t place, int descriptor) = 0;
  /// A group of `count` (a power of two) buffers of `bytes` each, one behind the other. False: there are no such groups.
  virtual bool open_group(std::uint16_t group, std::byte* memory, std::uint32_t count, std::uint32_t bytes) = 0;
  virtual void close_group(std::uint16_t group) = 0;
  /// A buffer of the group may be filled again.
  virtual void give_back(std::uint16_t group, std::uint16_t buffer) = 0;

  /// Completions make this descriptor readable, while told() is on.
  virtual bool tell(int descriptor) = 0;
  virtual void told(bool on) = 0;
};

}  // namespace outcry
