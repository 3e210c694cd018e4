#include "csv_line.hpp"

#include <charconv>
#include <cstring>

#include <fmt/format.h>

namespace outcry {
namespace {

template <class Number>
bool parse_all(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stop == end;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

CsvLine line_at(std::span<const std::byte> bytes, std::uint64_t at) {
  const char* const begin = reinterpret_cast<const char*>(bytes.data()) + at;
  const std::size_t left = bytes.size() - at;
  const void* const newline = std::memchr(begin, '\n', left);
  std::size_t size = newline ? static_cast<std::size_t>(static_cast<const char*>(newline) - begin) : left;
  const std::uint64_t next = at + size + (newline ? 1 : 0);
  if (size > 0 && begin[size - 1] == '\r') --size;
  return {{begin, size}, next};
}

bool only_blank_from(std::span<const std::byte> bytes, std::uint64_t at) {
  for (; at < bytes.size(); ++at)
    if (bytes[at] != std::byte{'\n'} && bytes[at] != std::byte{'\r'}) return false;
  return true;
}

std::size_t split(std::string_view line, std::span<std::string_view> columns) {
  std::size_t count = 0, begin = 0;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && line[i] != ',') continue;
    if (count < columns.size()) columns[count] = line.substr(begin, i - begin);
    ++count;
    begin = i + 1;
  }
  return count;
}

bool parse(std::string_view text, std::int64_t& number) { return parse_all(text, number); }
bool parse(std::string_view text, std::uint64_t& number) { return parse_all(text, number); }
bool parse(std::string_view text, std::uint32_t& number) { return parse_all(text, number); }

bool parse_seconds(std::string_view text, std::int64_t& time_ns) {
  const std::size_t point = text.find('.');
  std::uint32_t whole = 0;
  if (!parse_all(text.substr(0, point), whole) || whole >= 86'400) return false;
  std::int64_t nanoseconds = 0;
  if (point != std::string_view::npos) {
    const std::string_view decimals = text.substr(point + 1);
    if (decimals.empty()) return false;
    for (const char c : decimals)
      if (!is_digit(c)) return false;
    for (std::size_t i = 0; i < 9; ++i) nanoseconds = nanoseconds * 10 + (i < decimals.size() ? decimals[i] - '0' : 0);
  }
  time_ns = std::int64_t{whole} * 1'000'000'000 + nanoseconds;
  return true;
}

std::string seconds(std::int64_t time_ns) {
  const std::int64_t size_ns = time_ns < 0 ? -time_ns : time_ns;
  return fmt::format("{}{}.{:09} s", time_ns < 0 ? "-" : "", size_ns / 1'000'000'000, size_ns % 1'000'000'000);
}

std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string out = "'";
  for (const char c : text.substr(0, longest)) out += c >= ' ' && c <= '~' ? c : '?';
  out += text.size() > longest ? "...'" : "'";
  return out;
}

bool complain(Complaint& complaint, std::string_view column, std::string_view text, std::string_view expected) {
  complaint = {fmt::format("{} {}", column, quoted(text)), std::string(expected)};
  return false;
}

bool complain(Complaint& complaint, std::size_t columns, std::size_t expected) {
  complaint = {fmt::format("{} column{}", columns, columns == 1 ? "" : "s"), fmt::format("{}", expected)};
  return false;
}

}  // namespace outcry
