#include <outcry/net/soupbintcp.hpp>

#include <cassert>
#include <cstring>

namespace outcry::soup {

std::optional<Login> read_login(std::span<const std::byte> payload, bool timed_allowed) noexcept {
  constexpr std::size_t plain = sizeof(LoginRequest) - header_size;
  constexpr std::size_t timed = sizeof(LoginRequestTimed) - header_size;
  if (payload.size() != plain && !(timed_allowed && payload.size() == timed)) return std::nullopt;
  const auto text = [&](std::size_t at, std::size_t size) {
    return trimmed({reinterpret_cast<const char*>(payload.data()) + at, size});
  };
  Login login{.user = text(0, 6), .password = text(6, 10), .session = text(16, 10), .sequence = decimal(text(26, 20))};
  if (payload.size() == timed) {
    const std::optional<std::uint64_t> timeout_ms = decimal(text(46, 5));
    if (!timeout_ms) return std::nullopt;
    login.timeout_ms = static_cast<std::uint32_t>(*timeout_ms);
  }
  return login;
}

bool put(ByteBuffer& out, char type, std::span<const std::byte> payload) noexcept {
  assert(payload.size() <= largest_payload && "a payload that no length can tell");
  if (out.room() < header_size + payload.size()) return false;
  const Header header{.length = static_cast<std::uint16_t>(1 + payload.size()), .type = type};
  std::byte* at = out.spare(header_size + payload.size()).data();
  std::memcpy(at, &header, header_size);
  if (!payload.empty()) std::memcpy(at + header_size, payload.data(), payload.size());
  out.commit(header_size + payload.size());
  return true;
}

}  // namespace outcry::soup
