// MoldUDP64: the packets of a feed and the requests for what was lost, as they are in datagrams, for reading in place.
//
// A packet is a session, the number of its first message, a count, and the messages, each behind its length. No message
// at all is a heartbeat, a count of 0xFFFF the end of the session; both name the number that comes next. A request is
// the same header alone, and only its direction tells it from a packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <outcry/net/alpha.hpp>
#include <outcry/net/big_endian.hpp>

namespace outcry::mold {

using Session = Alpha<10>;

struct Header {
  Session session{};
  BigEndian<8> sequence{};
  BigEndian<2> count{};
};
static_assert(sizeof(Header) == 20);

inline constexpr std::size_t header_size = sizeof(Header);
inline constexpr std::size_t block_header_size = 2;  // in front of each message: its length
inline constexpr std::uint16_t heartbeat = 0;
inline constexpr std::uint16_t end_of_session = 0xFFFF;
inline constexpr std::uint16_t most_messages = 0xFFFE;

/// What fits into an Ethernet frame on every path, with IP and UDP in front.
inline constexpr std::size_t usual_packet = 1'400;

/// A packet whose blocks were checked. Valid as long as the bytes that it was decoded from.
class Packet {
 public:
  Packet() = default;
  explicit Packet(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::string_view session() const { return header().session.padded(); }
  /// Of the first message; of a heartbeat and an end, of the message that would come next.
  std::uint64_t sequence() const { return header().sequence; }
  std::size_t messages() const { return header().count == end_of_session ? 0 : std::size_t{header().count}; }
  bool is_end() const { return header().count == end_of_session; }
  std::uint64_t next_sequence() const { return sequence() + messages(); }

  /// Calls visitor(sequence, message) for every message.
  template <class Visitor>
  void each(Visitor&& visitor) const {
    std::size_t at = header_size;
    for (std::uint64_t n = sequence(), end = next_sequence(); n != end; ++n) {
      const std::size_t size =
          std::to_integer<std::size_t>(bytes_[at]) << 8 | std::to_integer<std::size_t>(bytes_[at + 1]);
      visitor(n, bytes_.subspan(at + block_header_size, size));
      at += block_header_size + size;
    }
  }

 private:
  const Header& header() const { return *reinterpret_cast<const Header*>(bytes_.data()); }
  std::span<const std::byte> bytes_{};
};

enum class Fault : std::uint8_t {
  none,
  too_short,       // no header
  block_outside,   // a message does not end in the packet
  bytes_behind,    // behind the last message
  wrong_sequence,  // 0, or past the last number that there is
};

struct Decoded {
  Fault fault = Fault::too_short;
  Packet packet{};
  explicit operator bool() const { return fault == Fault::none; }
};

/// Takes one datagram. Looks at no byte outside `bytes`, whatever they hold.
Decoded decode(std::span<const std::byte> bytes) noexcept;

struct Request {
  Session session{};
  std::uint64_t sequence = 0;
  std::uint16_t count = 0;
};

struct DecodedRequest {
  Fault fault = Fault::too_short;
  Request request{};
  explicit operator bool() const { return fault == Fault::none; }
};

DecodedRequest decode_request(std::span<const std::byte> bytes) noexcept;

}  // namespace outcry::mold
