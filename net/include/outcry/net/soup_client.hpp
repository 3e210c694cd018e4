// SoupClient: a session with a SoupBinTCP server, seen from the client.
//
// Bytes and times come in, bytes and events go out. The number of a sequenced message is not on the wire: it is counted
// from the number that the server named when it accepted the login. After a lost connection a new client asks for
// next_sequence(), and the stream goes on without a gap.
//
// Thread: one owner. Nothing allocates.
// Limits: payloads of at most `largest_payload`, for which the caller's buffer must have room; a longer one ends the
// session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <outcry/net/protocol_error.hpp>
#include <outcry/net/soupbintcp.hpp>

namespace outcry {

struct SoupClientOptions {
  soup::Version version = soup::Version::v4_10;
  std::size_t largest_payload = soup::largest_payload;
  std::int64_t heartbeat_ns = 1'000'000'000;
  std::int64_t server_timeout_ns = 15'000'000'000;
  std::uint32_t own_timeout_ms = 15'000;  // 4.10: how long the server lets us be silent
};

struct SoupLogin {
  std::string_view user{};
  std::string_view password{};
  std::string_view session{};  // empty: the current one
  std::uint64_t sequence = 1;  // 0: only what is new
};

/// Texts and messages lie in the bytes that were received.
struct SoupClientEvent {
  enum class Kind : std::uint8_t {
    none,            // no further packet
    accepted,        // `session`, and `sequence` of the message that comes next
    rejected,        // `reason`; close the connection
    message,         // sequenced data, with its `sequence`
    unsequenced,     // unsequenced data
    end_of_session,  // close the connection
    timed_out,       // close the connection: nothing heard for too long
    broken,          // close the connection: `error`
  };
  Kind kind = Kind::none;
  std::span<const std::byte> message{};
  std::uint64_t sequence = 0;
  std::string_view session{};
  char reason = '\0';
  ProtocolError error{};
  explicit operator bool() const { return kind != Kind::none; }
};

class SoupClient {
 public:
  enum class State : std::uint8_t { connected, asking, open, closed };

  SoupClient(const SoupClientOptions& options, std::int64_t now_ns);

  State state() const { return state_; }

  /// False: no room. Requires: state() is connected.
  bool log_in(const SoupLogin& login, ByteBuffer& out, std::int64_t now_ns) noexcept;

  /// The next event among the packets at the front of `bytes`, which loses what was read.
  SoupClientEvent receive(std::span<const std::byte>& bytes, std::int64_t now_ns) noexcept;

  /// Appends unsequenced data. False: no room or no session.
  bool send(std::span<const std::byte> message, ByteBuffer& out, std::int64_t now_ns) noexcept;
  /// Appends a logout request; nothing that arrives behind it is an event.
  bool log_out(ByteBuffer& out) noexcept;
  void close() { state_ = State::closed; }

  /// A heartbeat if nothing was sent for a while; timed_out if nothing was heard for too long.
  SoupClientEvent poll(ByteBuffer& out, std::int64_t now_ns) noexcept;
  /// When poll() next has something to do; INT64_MAX when closed.
  std::int64_t deadline() const noexcept;

  /// The number of the sequenced message that comes next; 0 before the login is accepted.
  std::uint64_t next_sequence() const { return next_sequence_; }

 private:
  SoupClientEvent on_packet(const soup::Packet& packet) noexcept;
  SoupClientEvent on_answer(const soup::Packet& packet) noexcept;
  SoupClientEvent broken(std::uint64_t offset, const char* what, std::uint64_t found, bool is_character,
                         const char* expected) noexcept;
  /// A packet that has no payload.
  SoupClientEvent bare(const soup::Packet& packet, SoupClientEvent::Kind kind) noexcept;

  SoupClientOptions options_;
  State state_ = State::connected;
  std::uint64_t received_ = 0;  // bytes of the server's stream before the packet at the front
  std::uint64_t next_sequence_ = 0;
  std::int64_t last_sent_ns_;
  std::int64_t last_heard_ns_;
};

}  // namespace outcry
