// Any bytes are a message of OUCH 4.2 or 5.0, from either side. What is decoded lies inside them and is written as it was
// read; what it is refused for is said without a look elsewhere.
#include <cstdlib>
#include <cstring>
#include <vector>

#include <outcry/net/ouch42.hpp>
#include <outcry/net/ouch50_checks.hpp>

using namespace outcry;

namespace {

void check_42(const auto& decoded, std::span<const std::byte> bytes) {
  decoded.message.visit([&]<class Message>(const Message& message) {
    const Message copy = message;
    const auto written = ouch42::encode(copy);
    if (written.size() != bytes.size() || std::memcmp(written.data(), bytes.data(), bytes.size()) != 0) std::abort();
    if constexpr (requires { ouch42::check(message); }) static_cast<void>(ouch42::check(message));
  });
}

void check_50(const auto& decoded, std::span<const std::byte> bytes) {
  decoded.message.visit([&]<class Message>(const Message& message) {
    if constexpr (requires { ouch50::check(message, decoded.appendage); })
      static_cast<void>(ouch50::check(message, decoded.appendage));
    ouch50::OptionList options;
    bool has_unknown = false;
    decoded.appendage.each([&](const ouch50::Option& option) {
      has_unknown = has_unknown || ouch50::value_size(option.tag) == 0;
      ouch50::each_tag([&](auto tag) {
        if (tag.value == option.tag) options.add<tag.value>(*decoded.appendage.template get<tag.value>());
      });
    });
    if (has_unknown) return;
    std::vector<std::byte> written(sizeof(Message) + 2 + ouch50::OptionList::capacity);
    written.resize(ouch50::encode(message, written, options));
    // A length of no options where none need be is left out.
    if (written.size() + 2 == bytes.size() && decoded.appendage.empty()) return;
    if (written.size() != bytes.size() || std::memcmp(written.data(), bytes.data(), bytes.size()) != 0) std::abort();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::span<const std::byte> bytes{reinterpret_cast<const std::byte*>(data + 1), size - 1};
  switch (data[0] & 3) {
    case 0: check_42(ouch42::decode_inbound(bytes), bytes); break;
    case 1: check_42(ouch42::decode_outbound(bytes), bytes); break;
    case 2: check_50(ouch50::decode_inbound(bytes), bytes); break;
    default: check_50(ouch50::decode_outbound(bytes), bytes); break;
  }
  return 0;
}
