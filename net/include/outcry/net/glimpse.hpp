// Glimpse: a market's state as ITCH messages in a SoupBinTCP session, and at its end where the feed goes on from it.
//
// A client logs in with sequence 1 and gets the system's state, the directory, each stock's trading state, and an add
// for every order, best priority first; then the end of the snapshot, then the session ends. The rule here, since the
// public texts leave it open: the number in the end is that of the next message of the feed, the first that is not in
// the snapshot. So a feed that has sent nothing gives 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <outcry/net/itch.hpp>
#include <outcry/net/right_alpha.hpp>

namespace outcry::glimpse {

struct EndOfSnapshot {
  static constexpr char code = 'G';
  char type = code;
  char digits[20]{};

  /// Of the first message of the feed that is not in the snapshot.
  static constexpr EndOfSnapshot at(std::uint64_t next_sequence) {
    EndOfSnapshot end;
    for (std::size_t i = sizeof digits; i-- > 0; next_sequence /= 10)
      end.digits[i] = static_cast<char>('0' + next_sequence % 10);
    return end;
  }
};
static_assert(sizeof(EndOfSnapshot) == 21);

enum class Fault : std::uint8_t { none, no_message, wrong_number };

/// One message of a snapshot: one of ITCH, or the end.
struct Part {
  Fault fault = Fault::no_message;
  itch::MessageView message{};      // of type '\0' if this is the end
  std::uint64_t next_sequence = 0;  // the end's; else 0
  bool is_end() const { return next_sequence != 0; }
};

/// Takes exactly one message. Looks at no byte outside `bytes`, whatever they hold.
inline Part decode(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() != sizeof(EndOfSnapshot) || static_cast<char>(bytes[0]) != EndOfSnapshot::code) {
    const itch::Decoded decoded = itch::decode(bytes);
    return {decoded ? Fault::none : Fault::no_message, decoded.message, 0};
  }
  const auto number = decimal(trimmed({reinterpret_cast<const char*>(bytes.data()) + 1, bytes.size() - 1}));
  if (!number || *number == 0) return {Fault::wrong_number, {}, 0};
  return {Fault::none, {}, *number};
}

}  // namespace outcry::glimpse
