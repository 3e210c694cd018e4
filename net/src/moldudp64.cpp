#include <outcry/net/moldudp64.hpp>

#include <cstring>

namespace outcry::mold {

namespace {

Fault check_blocks(std::span<const std::byte> bytes, std::size_t count) {
  std::size_t at = header_size;
  for (; count > 0; --count) {
    if (bytes.size() - at < block_header_size) return Fault::block_outside;
    const std::size_t size = std::to_integer<std::size_t>(bytes[at]) << 8 | std::to_integer<std::size_t>(bytes[at + 1]);
    at += block_header_size;
    if (bytes.size() - at < size) return Fault::block_outside;
    at += size;
  }
  return at == bytes.size() ? Fault::none : Fault::bytes_behind;
}

}  // namespace

Decoded decode(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() < header_size) return {};
  const Packet packet(bytes);
  const std::uint64_t sequence = packet.sequence();
  if (sequence == 0 || sequence > UINT64_MAX - packet.messages()) return {Fault::wrong_sequence, {}};
  const Fault fault = check_blocks(bytes, packet.messages());
  return {fault, fault == Fault::none ? packet : Packet()};
}

DecodedRequest decode_request(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() < header_size) return {};
  if (bytes.size() > header_size) return {Fault::bytes_behind, {}};
  Header header;
  std::memcpy(&header, bytes.data(), header_size);
  if (header.sequence == 0) return {Fault::wrong_sequence, {}};
  return {Fault::none, {header.session, header.sequence, header.count}};
}

}  // namespace outcry::mold
