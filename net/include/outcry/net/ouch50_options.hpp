// Options of OUCH 5.0: the tagged values that may follow a message, for reading in place and for writing.
//
// On the wire: a length of two bytes (in the message, or behind it), then elements of a length (of tag and value), a
// tag and a value. An Appendage was checked as a whole when its message was decoded: elements lie inside, known tags
// have values of their size, no known tag comes twice. Tags that are not known are there to be passed over: later
// revisions of the protocol bring some.
//
// Limits: 32 elements, so that looking one up takes bounded time.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include <outcry/net/alpha.hpp>
#include <outcry/net/big_endian.hpp>

namespace outcry::ouch50 {

enum class Tag : std::uint8_t {
  secondary_order_reference = 1,
  firm = 2,
  minimum_quantity = 3,
  customer_type = 4,
  maximum_floor = 5,
  price_type = 6,
  peg_offset = 7,
  discretion_price = 9,
  discretion_price_type = 10,
  discretion_peg_offset = 11,
  post_only = 12,
  random_reserves = 13,
  route = 14,
  expire_time = 15,  // seconds after midnight
  trade_now = 16,
  handling = 17,
  bbo_weight = 18,
  display_quantity = 22,
  display_price = 23,
  group = 24,
  shares_located = 25,
  locate_broker = 26,
  side = 27,
  user_ref_index = 28,
  aiq_strategy = 29,
  aiq_group = 30,
};

inline constexpr std::size_t most_options = 32;

/// A price of four bytes that may be below zero, in 1/10,000.
class SignedPrice {
 public:
  constexpr SignedPrice() = default;
  constexpr SignedPrice(std::int32_t value) : bits_(static_cast<std::uint32_t>(value)) {}
  constexpr operator std::int32_t() const { return static_cast<std::int32_t>(bits_.value()); }

 private:
  BigEndian<4> bits_{};
};

/// A number of one byte.
struct Small {
  std::uint8_t value = 0;
  constexpr operator std::uint8_t() const { return value; }
};

namespace detail {

// clang-format off
template <Tag> struct Value { using type = char; };
template <> struct Value<Tag::secondary_order_reference> { using type = BigEndian<8>; };
template <> struct Value<Tag::firm> { using type = Alpha<4>; };
template <> struct Value<Tag::minimum_quantity> { using type = BigEndian<4>; };
template <> struct Value<Tag::maximum_floor> { using type = BigEndian<4>; };
template <> struct Value<Tag::peg_offset> { using type = SignedPrice; };
template <> struct Value<Tag::discretion_price> { using type = BigEndian<8>; };
template <> struct Value<Tag::discretion_peg_offset> { using type = SignedPrice; };
template <> struct Value<Tag::random_reserves> { using type = BigEndian<4>; };
template <> struct Value<Tag::route> { using type = Alpha<4>; };
template <> struct Value<Tag::expire_time> { using type = BigEndian<4>; };
template <> struct Value<Tag::display_quantity> { using type = BigEndian<4>; };
template <> struct Value<Tag::display_price> { using type = BigEndian<8>; };
template <> struct Value<Tag::group> { using type = BigEndian<2>; };
template <> struct Value<Tag::locate_broker> { using type = Alpha<4>; };
template <> struct Value<Tag::user_ref_index> { using type = Small; };
template <> struct Value<Tag::aiq_group> { using type = Alpha<2>; };
// clang-format on

}  // namespace detail

/// What the value of a tag is on the wire.
template <Tag T>
using ValueOf = typename detail::Value<T>::type;

/// Calls visitor(std::integral_constant<Tag, T>{}) for every tag there is.
template <class Visitor>
constexpr void each_tag(Visitor&& visitor) {
  using enum Tag;
  [&]<Tag... T>(std::integer_sequence<Tag, T...>) {
    (visitor(std::integral_constant<Tag, T>{}), ...);
  }(std::integer_sequence<Tag, secondary_order_reference, firm, minimum_quantity, customer_type, maximum_floor,
                          price_type, peg_offset, discretion_price, discretion_price_type, discretion_peg_offset,
                          post_only, random_reserves, route, expire_time, trade_now, handling, bbo_weight,
                          display_quantity, display_price, group, shares_located, locate_broker, side, user_ref_index,
                          aiq_strategy, aiq_group>{});
}

namespace detail {
inline constexpr std::array<std::uint8_t, 256> value_sizes = [] {
  std::array<std::uint8_t, 256> sizes{};
  each_tag([&](auto tag) { sizes[static_cast<std::size_t>(tag.value)] = sizeof(ValueOf<tag.value>); });
  return sizes;
}();
}  // namespace detail

/// The size of a tag's value; 0 for a tag that is not known.
constexpr std::size_t value_size(Tag tag) { return detail::value_sizes[static_cast<std::size_t>(tag)]; }

struct Option {
  Tag tag{};
  std::span<const std::byte> value{};
};

class Appendage {
 public:
  Appendage() = default;
  /// None if an element does not fit, a known tag has another size or comes twice, or there are too many.
  static std::optional<Appendage> checked(std::span<const std::byte> elements) noexcept;

  bool empty() const { return elements_.empty(); }
  std::span<const std::byte> bytes() const { return elements_; }

  /// The value of a tag; none if it is not there.
  template <Tag T>
  std::optional<ValueOf<T>> get() const noexcept {
    std::optional<ValueOf<T>> result;
    each([&](const Option& option) {
      if (option.tag != T) return;
      ValueOf<T> value{};
      std::memcpy(&value, option.value.data(), sizeof value);
      result = value;
    });
    return result;
  }
  template <Tag T>
  bool has() const noexcept {
    return get<T>().has_value();
  }

  /// Calls visitor(const Option&), in the order of the wire, unknown tags included.
  template <class Visitor>
  void each(Visitor&& visitor) const {
    for (std::size_t at = 0; at < elements_.size();) {
      const std::size_t length = std::to_integer<std::size_t>(elements_[at]);
      visitor(Option{static_cast<Tag>(elements_[at + 1]), elements_.subspan(at + 2, length - 1)});
      at += 1 + length;
    }
  }

 private:
  explicit Appendage(std::span<const std::byte> elements) : elements_(elements) {}
  std::span<const std::byte> elements_{};
};

/// Options to be written behind a message.
class OptionList {
 public:
  /// Requires: the tag is not in the list yet.
  template <Tag T>
  OptionList& add(const ValueOf<T>& value) {
    assert((tags_ >> static_cast<unsigned>(T) & 1) == 0 && "an option twice");
    tags_ |= std::uint64_t{1} << static_cast<unsigned>(T);
    bytes_[size_++] = static_cast<std::byte>(1 + sizeof value);
    bytes_[size_++] = static_cast<std::byte>(T);
    std::memcpy(bytes_.data() + size_, &value, sizeof value);
    size_ += sizeof value;
    return *this;
  }
  std::span<const std::byte> bytes() const { return std::span(bytes_).first(size_); }
  bool empty() const { return size_ == 0; }

  static constexpr std::size_t capacity = [] {
    std::size_t sum = 0;
    each_tag([&](auto tag) { sum += 2 + sizeof(ValueOf<tag.value>); });
    return sum;
  }();

 private:
  std::array<std::byte, capacity> bytes_{};
  std::size_t size_ = 0;
  std::uint64_t tags_ = 0;
};

}  // namespace outcry::ouch50
