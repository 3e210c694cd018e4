#include "databento.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <span>

#include <fmt/format.h>

#include "csv_line.hpp"

namespace outcry::databento {
namespace {

constexpr std::size_t decimals = 9;
constexpr int first_year = 1970, last_year = 2200;  // between them, nanoseconds fit 64 bits

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes `digits` digits and the character behind them from the front.
bool take(std::string_view& text, std::size_t digits, char behind, int& number) {
  if (text.size() <= digits || text[digits] != behind) return false;
  number = 0;
  for (const char c : text.substr(0, digits)) {
    if (!is_digit(c)) return false;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(digits + 1);
  return true;
}

/// "5" is 500,000,000 billionths.
bool parse_billionths(std::string_view text, std::int64_t& number) {
  if (text.empty() || text.size() > decimals || !std::ranges::all_of(text, is_digit)) return false;
  number = 0;
  for (std::size_t i = 0; i < decimals; ++i) number = number * 10 + (i < text.size() ? text[i] - '0' : 0);
  return true;
}

}  // namespace

Header::Header(std::string_view line) : names_(split(line, {})) { split(line, names_); }

std::size_t Header::column(std::string_view name) const {
  const auto found = std::ranges::find(names_, name);
  return found == names_.end() ? none : static_cast<std::size_t>(found - names_.begin());
}

bool Header::has(std::initializer_list<std::string_view> names) const {
  return std::ranges::all_of(names, [this](std::string_view name) { return column(name) != none; });
}

bool is_mbp(const Header& header) { return header.has({"ts_event", "action", "bid_px_00"}); }

bool is_mbo(const Header& header) {
  return header.has({"ts_event", "action", "side", "price", "size", "order_id"}) && !is_mbp(header);
}

bool parse_time(std::string_view text, UtcTime& time) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::int64_t ns = 0;
  if (!take(text, 4, '-', year) || !take(text, 2, '-', month) || !take(text, 2, 'T', day) ||
      !take(text, 2, ':', hour) || !take(text, 2, ':', minute))
    return false;
  if (take(text, 2, '.', second)) {
    if (text.empty() || text.back() != 'Z' || !parse_billionths(text.substr(0, text.size() - 1), ns)) return false;
  } else if (!take(text, 2, 'Z', second) || !text.empty()) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < first_year || year > last_year || hour > 23 || minute > 59 || second > 59) return false;
  time.day = std::chrono::sys_days(date).time_since_epoch().count();
  time.ns = (std::int64_t{hour} * 3600 + minute * 60 + second) * 1'000'000'000 + ns;
  return true;
}

bool parse_price(std::string_view text, std::int64_t& units) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  if (point == 0 || point == std::string_view::npos || !is_digit(text[0])) return false;
  std::int64_t whole = 0, fraction = 0;
  if (!parse(text.substr(0, point), whole) || !parse_billionths(text.substr(point + 1), fraction)) return false;
  if (whole >= std::numeric_limits<std::int64_t>::max() / price_scale) return false;
  units = whole * price_scale + fraction;
  if (negative) units = -units;
  return true;
}

std::string decimal(std::int64_t units) {
  const std::uint64_t size = units < 0 ? -static_cast<std::uint64_t>(units) : static_cast<std::uint64_t>(units);
  constexpr auto scale = static_cast<std::uint64_t>(price_scale);
  std::string text = fmt::format("{}{}.{:09}", units < 0 ? "-" : "", size / scale, size % scale);
  const std::size_t last = text.find_last_not_of('0');
  text.resize(text[last] == '.' ? last : last + 1);
  return text;
}

}  // namespace outcry::databento
