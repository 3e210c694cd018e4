// FIX: messages of tags and values in a byte stream, for reading in place.
//
// frame() finds the message at the front of what has arrived: begin string, body length, checksum. What is garbled is to
// be passed over, up to where the next message may begin. Message is the index of one: where each field is. Fields with
// data in them (of which the field before tells the length) may hold any byte.
//
// Limits: 128 fields, tags up to 999,999,999. Looking for a tag takes time with the number of fields.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace outcry::fix {

enum class Version : std::uint8_t { v4_2, v4_4 };

constexpr std::string_view begin_string(Version version) { return version == Version::v4_2 ? "FIX.4.2" : "FIX.4.4"; }

inline constexpr char separator = '\x01';
inline constexpr std::size_t most_fields = 128;
inline constexpr std::size_t trailer_size = 7;  // "10=123|"

using Tag = std::uint32_t;

namespace tag {
// clang-format off
inline constexpr Tag account = 1, average_price = 6, begin_sequence = 7, begin_string = 8, body_length = 9, checksum = 10,
    client_order_id = 11, cumulative_quantity = 14, end_sequence = 16, execution_id = 17, execution_instructions = 18,
    execution_transaction = 20, handling = 21, last_price = 31, last_quantity = 32, sequence = 34, type = 35,
    new_sequence = 36, order_id = 37, order_quantity = 38, order_status = 39, order_type = 40,
    original_client_order_id = 41, possible_duplicate = 43, price = 44, reference_sequence = 45, sender = 49,
    sending_time = 52, side = 54, symbol = 55, target = 56, text = 58, time_in_force = 59, transaction_time = 60,
    encryption = 98, cancel_reject_reason = 102, order_reject_reason = 103, heartbeat_interval = 108,
    minimum_quantity = 110, test_request_id = 112, original_sending_time = 122, gap_fill = 123, expire_time = 126, reset_sequence = 141,
    execution_type = 150, leaves_quantity = 151, reference_tag = 371, reference_type = 372, session_reject_reason = 373,
    business_reference = 379, business_reject_reason = 380, cancel_reject_response = 434, mass_cancel_type = 530,
    mass_cancel_response = 531, mass_cancel_reject_reason = 532, total_affected_orders = 533, user = 553, password = 554;
// clang-format on
}  // namespace tag

/// Is the tag one of a message's header? There, and only there, it may be.
constexpr bool is_header(Tag t) {
  switch (t) {
    case 8:
    case 9:
    case 34:
    case 35:
    case 43:
    case 49:
    case 50:
    case 52:
    case 56:
    case 57:
    case 90:
    case 91:
    case 97:
    case 115:
    case 116:
    case 122:
    case 128:
    case 129:
    case 142:
    case 143:
    case 144:
    case 145:
    case 212:
    case 213:
    case 347:
    case 369:
    case 370:
    case 627: return true;
    default: return false;
  }
}

/// Is there such a tag? Those from 5,000 on are for whoever agrees on them; so are user, password and what mass cancels
/// are made of in 4.2.
constexpr bool is_defined(Version version, Tag t) {
  if (version == Version::v4_2 && (t == tag::user || t == tag::password)) return true;
  if (version == Version::v4_2 && t >= tag::mass_cancel_type && t <= tag::total_affected_orders) return true;
  return t >= 5'000 || (t >= 1 && t <= (version == Version::v4_2 ? 446u : 956u));
}

/// Session messages: sequence numbers are their business, not an application's.
constexpr bool is_admin(std::string_view type) {
  return type.size() == 1 && std::string_view("012345A").find(type[0]) != std::string_view::npos;
}

enum class Framing : std::uint8_t { whole, partial, garbled };

struct Framed {
  Framing framing = Framing::partial;
  std::size_t size = 0;  // of the message, or of what to pass over
};

/// The message at the front of `bytes`. Looks at no byte behind them. A body longer than `limit` is garbled.
Framed frame(std::string_view bytes, std::size_t limit) noexcept;

/// The reasons of a session reject (tag 373).
enum class RejectReason : std::uint8_t {
  invalid_tag = 0,
  required_tag_missing = 1,
  tag_not_for_this_type = 2,
  undefined_tag = 3,
  tag_without_value = 4,
  value_out_of_range = 5,
  incorrect_format = 6,
  signature = 8,
  wrong_party = 9,
  sending_time = 10,
  invalid_type = 11,
  repeated_tag = 13,
  out_of_order = 14,
  other = 99,
};

/// For people.
const char* text_of(RejectReason reason);

/// What is wrong with a message that was whole.
struct Problem {
  RejectReason reason{};
  Tag tag = 0;               // 0: none in particular
  bool conditional = false;  // a tag that this content requires: refused by the application (380=5), not the session
  friend bool operator==(const Problem&, const Problem&) = default;
};

struct Field {
  Tag tag = 0;
  std::string_view value{};
};

/// An index of a message. Valid as long as the bytes that it was read from.
class Message {
 public:
  /// Takes one message as frame() found it. If something is wrong, the fields up to there are in the index, and a
  /// number of the message further behind is found too.
  std::optional<Problem> read(std::string_view whole) noexcept;

  std::span<const Field> fields() const { return std::span(fields_).first(count_); }
  /// The first field with this tag.
  std::optional<std::string_view> find(Tag tag) const noexcept;
  bool is_repeated(Tag tag) const noexcept;
  std::string_view get(Tag tag) const noexcept { return find(tag).value_or(std::string_view{}); }

  std::string_view bytes() const { return bytes_; }
  std::string_view begin_string() const { return get(tag::begin_string); }
  /// Empty if the message has no type in its third field.
  std::string_view type() const { return count_ > 2 && fields_[2].tag == tag::type ? fields_[2].value : ""; }
  /// 0: none, or no number.
  std::uint64_t sequence() const noexcept;
  /// What stands where a tag should, in the first field that read() found to have none.
  std::string_view wrong_tag() const { return wrong_tag_; }

 private:
  std::string_view bytes_{}, wrong_tag_{};
  std::array<Field, most_fields> fields_;
  std::size_t count_ = 0;
};

// --- values

std::optional<std::uint64_t> read_number(std::string_view value) noexcept;
/// In 1/10,000; none if it is no number, has more digits than that, or is too large.
std::optional<std::int64_t> read_price(std::string_view value) noexcept;
/// A whole number, also with zeros behind a point.
std::optional<std::uint64_t> read_quantity(std::string_view value) noexcept;
/// "20261121-01:55:00", also with 3, 6 or 9 digits of a second: nanoseconds since 1970, UTC.
std::optional<std::int64_t> read_time(std::string_view value) noexcept;
std::optional<bool> read_bool(std::string_view value) noexcept;

}  // namespace outcry::fix
