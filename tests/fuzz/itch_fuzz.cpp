// Any bytes are a message of ITCH or of a snapshot. What is decoded lies inside them and is written as it was read.
#include <cstdlib>
#include <cstring>

#include <outcry/net/glimpse.hpp>

using namespace outcry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> bytes{reinterpret_cast<const std::byte*>(data), size};
  const glimpse::Part part = glimpse::decode(bytes);
  part.message.visit([&](const auto& message) {
    const auto copy = message;
    const auto written = itch::encode(copy);
    if (written.size() != size || std::memcmp(written.data(), data, size) != 0) std::abort();
  });
  if (part.is_end() && size != sizeof(glimpse::EndOfSnapshot)) std::abort();
  return 0;
}
