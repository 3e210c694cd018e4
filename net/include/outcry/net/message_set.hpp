// MessageSet: the binary messages that one side of a protocol may send, told apart by their first byte.
//
// A message is a struct of bytes with a member `code`: no alignment, no padding, sizeof is the size on the wire. One
// table look-up gives the size of a type; it is checked once, and after that every field is inside.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>

namespace outcry {

template <class... Messages>
class MessageSet {
 public:
  static_assert(((sizeof(Messages) <= 255 && alignof(Messages) == 1) && ...));
  static constexpr std::size_t count = sizeof...(Messages);

  /// The size of a message of this type, without what may follow it; 0 for a type that is not in the set.
  static constexpr std::size_t size_of(char type) { return sizes_[static_cast<std::uint8_t>(type)]; }

  /// A message whose size was checked, and what follows it. Valid as long as the bytes that it was read from.
  class View {
   public:
    View() = default;

    /// '\0' if there is no message.
    char type() const { return bytes_.empty() ? '\0' : static_cast<char>(bytes_[0]); }
    std::span<const std::byte> bytes() const { return bytes_; }
    std::span<const std::byte> tail() const { return bytes_.subspan(size_of(type())); }

    /// Requires: type() == Message::code.
    template <class Message>
    const Message& as() const {
      assert(type() == Message::code && "a message read as another");
      return *reinterpret_cast<const Message*>(bytes_.data());
    }

    /// Calls visitor(const M&) with the message as what it is; not at all if there is none.
    template <class Visitor>
    void visit(Visitor&& visitor) const {
      (void)((type() == Messages::code && (visitor(as<Messages>()), true)) || ...);
    }

   private:
    friend class MessageSet;
    explicit View(std::span<const std::byte> bytes) : bytes_(bytes) {}
    std::span<const std::byte> bytes_{};
  };

  /// A view of all the bytes if they begin with a whole message of the set, else one of none.
  static View view(std::span<const std::byte> bytes) noexcept {
    if (bytes.empty()) return {};
    const std::size_t size = size_of(static_cast<char>(bytes[0]));
    return size != 0 && size <= bytes.size() ? View(bytes) : View();
  }

  /// Calls visitor(M{}) for every message of the set.
  template <class Visitor>
  static constexpr void each(Visitor&& visitor) {
    (visitor(Messages{}), ...);
  }

 private:
  static constexpr std::array<std::uint8_t, 256> sizes_ = [] {
    std::array<std::uint8_t, 256> by_type{};
    ((by_type[static_cast<std::uint8_t>(Messages::code)] = sizeof(Messages)), ...);
    return by_type;
  }();
};

}  // namespace outcry
