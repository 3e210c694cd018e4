// CsvLine: one line of numbers and words between commas, and the place of the next. No quotes: no format here has them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace outcry {

struct CsvLine {
  std::string_view text;   // without the end of the line, LF or CR LF
  std::uint64_t next = 0;  // offset of the line after it
};

/// Requires: at < bytes.size().
CsvLine line_at(std::span<const std::byte> bytes, std::uint64_t at);

/// Nothing but ends of lines from here on.
bool only_blank_from(std::span<const std::byte> bytes, std::uint64_t at);

/// Cuts at the commas; returns how many columns there are, though only those that fit are in `columns`.
std::size_t split(std::string_view line, std::span<std::string_view> columns);

/// The whole text is a number in the range of the type.
bool parse(std::string_view text, std::int64_t& number);
bool parse(std::string_view text, std::uint64_t& number);
bool parse(std::string_view text, std::uint32_t& number);

/// Seconds after midnight with any number of decimals, below 24 h: padded on the right, cut at nanoseconds.
bool parse_seconds(std::string_view text, std::int64_t& time_ns);

/// For errors: nanoseconds as seconds, and text in quotes, cut short and without what a terminal would obey.
std::string seconds(std::int64_t time_ns);
std::string quoted(std::string_view text);

inline constexpr std::int64_t day_ns = 86'400'000'000'000;

/// What is wrong with a row.
struct Complaint {
  std::string found;
  std::string expected;
};

/// Complains of a column's text, or of the number of columns. False, so that a parser can return it.
bool complain(Complaint& complaint, std::string_view column, std::string_view text, std::string_view expected);
bool complain(Complaint& complaint, std::size_t columns, std::size_t expected);

}  // namespace outcry
