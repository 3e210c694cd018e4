#include <outcry/net/ouch50.hpp>

namespace outcry::ouch50 {

std::optional<Appendage> Appendage::checked(std::span<const std::byte> elements) noexcept {
  std::uint64_t seen = 0;
  std::size_t count = 0;
  for (std::size_t at = 0; at < elements.size(); ++count) {
    const std::size_t length = std::to_integer<std::size_t>(elements[at]);
    if (length == 0 || length > elements.size() - at - 1 || count == most_options) return std::nullopt;
    const Tag tag = static_cast<Tag>(elements[at + 1]);
    if (const std::size_t size = value_size(tag); size != 0) {
      const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(tag);
      if (size != length - 1 || (seen & bit) != 0) return std::nullopt;
      seen |= bit;
    }
    at += 1 + length;
  }
  return Appendage(elements);
}

namespace {

template <class Set>
constexpr std::array<Options, 256> options_of_types = [] {
  std::array<Options, 256> by_type{};
  Set::each(
      [&]<class Message>(const Message&) { by_type[static_cast<std::uint8_t>(Message::code)] = Message::options; });
  return by_type;
}();

// The options behind a message, without the length in front of them; none if that length does not say what there is.
std::optional<std::span<const std::byte>> elements_of(Options options, std::span<const std::byte> bytes,
                                                      std::size_t size) {
  std::size_t begin = size;
  if (options == Options::never || (options == Options::since_2024 && bytes.size() == size))
    return bytes.size() == size ? std::optional(bytes.subspan(size)) : std::nullopt;
  if (options == Options::since_2024) begin += sizeof(U16);
  if (bytes.size() < begin) return std::nullopt;
  U16 length;
  std::memcpy(&length, bytes.data() + begin - sizeof length, sizeof length);
  return bytes.size() - begin == length ? std::optional(bytes.subspan(begin)) : std::nullopt;
}

template <class Set>
Decoded<Set> decode(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return {};
  const char type = static_cast<char>(bytes[0]);
  const std::size_t size = Set::size_of(type);
  if (size == 0) return {Fault::unknown_type, {}, {}};
  if (bytes.size() < size) return {Fault::wrong_size, {}, {}};
  const auto elements = elements_of(options_of_types<Set>[static_cast<std::uint8_t>(type)], bytes, size);
  if (!elements) return {Fault::wrong_size, {}, {}};
  const std::optional<Appendage> appendage = Appendage::checked(*elements);
  if (!appendage) return {Fault::wrong_options, {}, {}};
  return {Fault::none, Set::view(bytes), *appendage};
}

}  // namespace

Decoded<Inbound> decode_inbound(std::span<const std::byte> bytes) noexcept { return decode<Inbound>(bytes); }
Decoded<Outbound> decode_outbound(std::span<const std::byte> bytes) noexcept { return decode<Outbound>(bytes); }

}  // namespace outcry::ouch50
