#include <outcry/net/fix.hpp>

#include <algorithm>
#include <chrono>

#include <outcry/net/right_alpha.hpp>

namespace outcry::fix {

namespace {

constexpr std::string_view first_field = "8=FIX";
constexpr std::size_t longest_begin_string = 16;

// Up to where the next message may begin. At least one byte: the one in front is no beginning.
Framed pass_over(std::string_view bytes) {
  if (const std::size_t next = bytes.find(first_field, 1); next != std::string_view::npos)
    return {Framing::garbled, next};
  std::size_t kept = bytes.size() < first_field.size() ? bytes.size() - 1 : first_field.size() - 1;
  while (kept > 0 && bytes.substr(bytes.size() - kept) != first_field.substr(0, kept)) --kept;
  return {Framing::garbled, bytes.size() - kept};
}

unsigned checksum(std::string_view bytes) {
  unsigned sum = 0;
  for (const char c : bytes) sum += static_cast<unsigned char>(c);
  return sum & 0xFF;
}

bool has_checksum(std::string_view trailer, unsigned sum) {
  if (!trailer.starts_with("10=") || trailer[6] != separator) return false;
  const std::optional<std::uint64_t> told = decimal(trailer.substr(3, 3));
  return told && *told == sum;
}

// The tag of the data behind a field that tells its length; 0 for other fields.
constexpr Tag data_behind(Tag length) {
  switch (length) {
    case 95: return 96;
    case 90: return 91;
    case 93: return 89;
    case 212: return 213;
    case 348:
    case 350:
    case 352:
    case 354:
    case 356:
    case 358:
    case 360:
    case 362:
    case 364:
    case 445:
    case 618: return length + 1;
    case 621: return 622;
    default: return 0;
  }
}

std::optional<Tag> read_tag(std::string_view digits) {
  if (digits.empty() || digits.size() > 9 || digits[0] == '0') return std::nullopt;
  const std::optional<std::uint64_t> number = decimal(digits);
  if (!number) return std::nullopt;
  return static_cast<Tag>(*number);
}

// Walks over the fields of a message that frame() has found.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }

  // Says what is wrong, and goes on behind the field all the same.
  std::optional<Problem> next(Field& field) {
    const std::size_t end = rest_.find(separator);
    const std::size_t equals = rest_.substr(0, end).find('=');
    const std::optional<Tag> tag = equals < end ? read_tag(rest_.substr(0, equals)) : std::optional<Tag>(std::nullopt);
    if (!tag) {
      field = {0, rest_.substr(0, std::min(equals, end))};
      step(end);
      return Problem{.reason = RejectReason::invalid_tag, .tag = 0};
    }
    std::size_t value_end = end;
    if (data_tag_ != 0 && *tag == data_tag_) {
      value_end = equals + 1 + data_size_;
      if (data_size_ >= rest_.size() || value_end >= rest_.size() || rest_[value_end] != separator) {
        step(end);
        return Problem{.reason = RejectReason::incorrect_format, .tag = *tag};
      }
    }
    field = {*tag, rest_.substr(equals + 1, value_end - equals - 1)};
    data_tag_ = data_behind(*tag);
    if (data_tag_ != 0) {
      const std::optional<std::uint64_t> size = read_number(field.value);
      data_size_ = size.value_or(0);
      if (!size) data_tag_ = 0;
    }
    step(value_end);
    if (field.value.empty()) return Problem{.reason = RejectReason::tag_without_value, .tag = *tag};
    return std::nullopt;
  }

 private:
  void step(std::size_t end) { rest_ = end >= rest_.size() ? std::string_view{} : rest_.substr(end + 1); }

  std::string_view rest_;
  Tag data_tag_ = 0;
  std::uint64_t data_size_ = 0;
};

}  // namespace

Framed frame(std::string_view bytes, std::size_t limit) noexcept {
  const std::string_view start = bytes.substr(0, first_field.size());
  if (start != first_field.substr(0, start.size())) return pass_over(bytes);
  if (bytes.size() < first_field.size()) return {};
  const std::size_t begin_end = bytes.substr(0, longest_begin_string).find(separator);
  if (begin_end == std::string_view::npos) return bytes.size() < longest_begin_string ? Framed{} : pass_over(bytes);

  const std::string_view length_field = bytes.substr(begin_end + 1, 12);
  if (!length_field.starts_with("9="))
    return length_field.size() < 2 && std::string_view("9=").starts_with(length_field) ? Framed{} : pass_over(bytes);
  const std::size_t length_end = length_field.find(separator);
  if (length_end == std::string_view::npos) return length_field.size() < 12 ? Framed{} : pass_over(bytes);
  const std::optional<std::uint64_t> length = decimal(length_field.substr(2, length_end - 2));
  if (!length || *length == 0 || *length > limit) return pass_over(bytes);

  const std::size_t body_end = begin_end + 1 + length_end + 1 + static_cast<std::size_t>(*length);
  if (bytes.size() < body_end + trailer_size) return {};
  if (bytes[body_end - 1] != separator) return pass_over(bytes);
  const std::string_view trailer = bytes.substr(body_end, trailer_size);
  if (!has_checksum(trailer, checksum(bytes.substr(0, body_end)))) return pass_over(bytes);
  return {Framing::whole, body_end + trailer_size};
}

const char* text_of(RejectReason reason) {
  switch (reason) {
    case RejectReason::invalid_tag: return "Invalid tag number";
    case RejectReason::required_tag_missing: return "Required tag missing";
    case RejectReason::tag_not_for_this_type: return "Tag not defined for this message type";
    case RejectReason::undefined_tag: return "Undefined tag";
    case RejectReason::tag_without_value: return "Tag specified without a value";
    case RejectReason::value_out_of_range: return "Value is incorrect (out of range) for this tag";
    case RejectReason::incorrect_format: return "Incorrect data format for value";
    case RejectReason::signature: return "Signature problem";
    case RejectReason::wrong_party: return "CompID problem";
    case RejectReason::sending_time: return "SendingTime accuracy problem";
    case RejectReason::invalid_type: return "Invalid MsgType";
    case RejectReason::repeated_tag: return "Tag appears more than once";
    case RejectReason::out_of_order: return "Tag specified out of required order";
    case RejectReason::other: break;
  }
  return "Too many fields";
}

std::optional<Problem> Message::read(std::string_view whole) noexcept {
  bytes_ = whole;
  wrong_tag_ = {};
  count_ = 0;
  std::optional<Problem> problem;
  const auto note = [&](const Problem& found) {
    if (!problem) problem = found;
  };
  bool in_body = false;
  for (Fields fields(whole.substr(0, whole.size() - trailer_size)); !fields.done();) {
    Field field;
    const std::optional<Problem> wrong = fields.next(field);
    if (wrong) note(*wrong);
    if (field.tag == 0) {
      if (wrong_tag_.empty()) wrong_tag_ = field.value;
      continue;
    }
    if (find(field.tag)) {
      // Groups repeat their tags; in the header nothing does.
      if (is_header(field.tag)) note({.reason = RejectReason::repeated_tag, .tag = field.tag});
    } else if (!is_header(field.tag)) {
      in_body = true;
    } else if (in_body) {
      note({.reason = RejectReason::out_of_order, .tag = field.tag});
    }
    if (count_ == most_fields) {
      note({.reason = RejectReason::other, .tag = field.tag});
      break;
    }
    if (!wrong) fields_[count_++] = field;
  }
  return problem;
}

std::optional<std::string_view> Message::find(Tag tag) const noexcept {
  for (const Field& field : fields())
    if (field.tag == tag) return field.value;
  return std::nullopt;
}

bool Message::is_repeated(Tag tag) const noexcept {
  int count = 0;
  for (const Field& field : fields()) count += field.tag == tag;
  return count > 1;
}

std::uint64_t Message::sequence() const noexcept { return read_number(get(tag::sequence)).value_or(0); }

std::optional<std::uint64_t> read_number(std::string_view value) noexcept { return decimal(value); }

std::optional<std::int64_t> read_price(std::string_view value) noexcept {
  constexpr std::size_t decimals = 4;
  const bool is_negative = value.starts_with('-');
  if (is_negative) value.remove_prefix(1);
  const std::size_t point = value.find('.');
  const std::string_view whole = value.substr(0, point);
  std::string_view parts = point == std::string_view::npos ? std::string_view{} : value.substr(point + 1);
  while (parts.size() > decimals && parts.back() == '0') parts.remove_suffix(1);
  if (parts.size() > decimals || (whole.empty() && parts.empty())) return std::nullopt;
  const std::optional<std::uint64_t> units = whole.empty() ? 0 : decimal(whole);
  const std::optional<std::uint64_t> rest = parts.empty() ? 0 : decimal(parts);
  if (!units || !rest || *units > 100'000'000'000'000) return std::nullopt;
  std::uint64_t scaled = *rest;
  for (std::size_t i = parts.size(); i < decimals; ++i) scaled *= 10;
  const auto price = static_cast<std::int64_t>(*units * 10'000 + scaled);
  return is_negative ? -price : price;
}

std::optional<std::uint64_t> read_quantity(std::string_view value) noexcept {
  if (const std::size_t point = value.find('.'); point != std::string_view::npos) {
    if (value.find_first_not_of('0', point + 1) != std::string_view::npos) return std::nullopt;
    value = value.substr(0, point);
  }
  return decimal(value);
}

std::optional<std::int64_t> read_time(std::string_view value) noexcept {
  // 20261121-01:55:00.493
  if (value.size() != 17 && value.size() != 21 && value.size() != 24 && value.size() != 27) return std::nullopt;
  if (value[8] != '-' || value[11] != ':' || value[14] != ':' || (value.size() > 17 && value[17] != '.'))
    return std::nullopt;
  const auto part = [&](std::size_t at, std::size_t size) { return decimal(value.substr(at, size)); };
  const auto year = part(0, 4), month = part(4, 2), day = part(6, 2), hour = part(9, 2), minute = part(12, 2),
             second = part(15, 2), rest = value.size() > 17 ? part(18, value.size() - 18) : 0;
  if (!year || !month || !day || !hour || !minute || !second || !rest) return std::nullopt;
  // Within what nanoseconds since 1970 can tell.
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *year < 1970 || *year > 2200 || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  std::uint64_t fraction_ns = *rest;
  for (std::size_t digits = value.size() > 17 ? value.size() - 18 : 9; digits < 9; ++digits) fraction_ns *= 10;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::uint64_t seconds = (*hour * 60 + *minute) * 60 + *second;
  return (std::int64_t{days} * 86'400 + static_cast<std::int64_t>(seconds)) * 1'000'000'000 +
         static_cast<std::int64_t>(fraction_ns);
}

std::optional<bool> read_bool(std::string_view value) noexcept {
  if (value == "Y") return true;
  if (value == "N") return false;
  return std::nullopt;
}

}  // namespace outcry::fix
