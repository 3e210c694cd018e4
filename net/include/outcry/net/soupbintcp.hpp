// SoupBinTCP: the packets of versions 3.00, 4.00 and 4.10 as they are in a byte stream, for reading in place and for
// writing.
//
// A packet is a length of two bytes (of what follows), a type and a payload. frame() finds the packet at the front of
// what has arrived and looks at no byte behind it. 4.00 lets servers send unsequenced data; in 4.10 a client names how
// long it may be silent. Sessions and numbers are padded on the left when written, on either side when read.
//
// Limits: payloads of at most 65,534 bytes; ours are kept to 32,766, since there are peers that read the length signed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <outcry/net/alpha.hpp>
#include <outcry/net/big_endian.hpp>
#include <outcry/net/right_alpha.hpp>
#include <outcry/runtime/byte_buffer.hpp>

namespace outcry::soup {

enum class Version : std::uint8_t { v3_00, v4_00, v4_10 };

namespace type {
inline constexpr char debug = '+';
inline constexpr char login_request = 'L';
inline constexpr char login_accepted = 'A';
inline constexpr char login_rejected = 'J';
inline constexpr char sequenced_data = 'S';
inline constexpr char unsequenced_data = 'U';
inline constexpr char server_heartbeat = 'H';
inline constexpr char client_heartbeat = 'R';
inline constexpr char end_of_session = 'Z';
inline constexpr char logout_request = 'O';
}  // namespace type

inline constexpr char not_authorized = 'A';
inline constexpr char session_not_available = 'S';

inline constexpr std::size_t header_size = 3;
inline constexpr std::size_t largest_payload = 65'534;
inline constexpr std::size_t largest_sent_payload = 32'766;

/// In front of every payload.
struct Header {
  BigEndian<2> length{};  // of the type and the payload
  char type{};
};
static_assert(sizeof(Header) == header_size);

struct LoginRequest {
  Header header{.length = 47, .type = type::login_request};
  Alpha<6> user{};
  Alpha<10> password{};
  RightAlpha<10> session{};  // blank: the current one
  RightAlpha<20> sequence{};
};
static_assert(sizeof(LoginRequest) == 49);

/// As 4.10 has it.
struct LoginRequestTimed {
  LoginRequest request{.header = {.length = 52, .type = type::login_request}};
  RightAlpha<5> timeout_ms{};
};
static_assert(sizeof(LoginRequestTimed) == 54);

struct LoginAccepted {
  Header header{.length = 31, .type = type::login_accepted};
  RightAlpha<10> session{};
  RightAlpha<20> sequence{};
};
static_assert(sizeof(LoginAccepted) == 33);

struct LoginRejected {
  Header header{.length = 2, .type = type::login_rejected};
  char reason{};
};
static_assert(sizeof(LoginRejected) == 4);

/// A packet inside bytes that hold all of it.
struct Packet {
  char type = '\0';
  std::span<const std::byte> payload{};
  std::size_t size() const { return header_size + payload.size(); }
};

enum class Framing : std::uint8_t { whole, partial, too_long, empty };

struct Framed {
  Framing framing = Framing::partial;
  Packet packet{};  // if whole
};

/// The packet at the front of `bytes`. A length that says too much, or nothing at all, is seen in its two bytes.
inline Framed frame(std::span<const std::byte> bytes, std::size_t limit = largest_payload) noexcept {
  if (bytes.size() < 2) return {};
  const std::size_t length = std::to_integer<std::size_t>(bytes[0]) << 8 | std::to_integer<std::size_t>(bytes[1]);
  if (length == 0) return {Framing::empty, {}};
  if (length - 1 > limit) return {Framing::too_long, {}};
  if (bytes.size() - 2 < length) return {};
  return {Framing::whole, {static_cast<char>(bytes[2]), bytes.subspan(header_size, length - 1)}};
}

/// What a client asks for, as text in the packet.
struct Login {
  std::string_view user{};
  std::string_view password{};
  std::string_view session{};                 // empty: the current one
  std::optional<std::uint64_t> sequence{};    // none: what is there is no number; 0: only what is new
  std::optional<std::uint32_t> timeout_ms{};  // 4.10 only
};

/// None if the payload has not the size of a login request of 3.00 or, if `timed` is allowed, 4.10.
std::optional<Login> read_login(std::span<const std::byte> payload, bool timed_allowed) noexcept;

/// Appends a packet, or returns false if there is no room. Requires: payload.size() <= largest_payload.
bool put(ByteBuffer& out, char type, std::span<const std::byte> payload = {}) noexcept;

/// Appends one of the structs above.
template <class Whole>
bool put(ByteBuffer& out, const Whole& packet) noexcept {
  return out.append({reinterpret_cast<const std::byte*>(&packet), sizeof packet});
}

}  // namespace outcry::soup
