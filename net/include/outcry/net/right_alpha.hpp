// RightAlpha: text or a decimal number in a message, padded with spaces on the left: no alignment, readable in place.
//
// Peers disagree about the side of the padding, so it is read without spaces and NULs on either side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace outcry {

/// Without the spaces and NULs at both ends.
constexpr std::string_view trimmed(std::string_view text) {
  const auto is_padding = [](char c) { return c == ' ' || c == '\0'; };
  while (!text.empty() && is_padding(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_padding(text.front())) text.remove_prefix(1);
  return text;
}

/// Digits and nothing else; none if there is no digit, something else, or more than 64 bits.
constexpr std::optional<std::uint64_t> decimal(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (UINT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

template <std::size_t N>
class RightAlpha {
 public:
  constexpr RightAlpha() : RightAlpha(std::string_view{}) {}
  constexpr RightAlpha(const char* text) : RightAlpha(std::string_view(text)) {}
  /// The first N characters of `text`.
  constexpr RightAlpha(std::string_view text) {
    text = text.substr(0, N);
    for (std::size_t i = 0; i < N; ++i) bytes_[i] = i < N - text.size() ? ' ' : text[i - (N - text.size())];
  }
  /// Its last N digits.
  static constexpr RightAlpha of(std::uint64_t number) {
    RightAlpha result;
    std::size_t i = N;
    do {
      result.bytes_[--i] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0 && i > 0);
    return result;
  }

  /// All N characters.
  constexpr std::string_view padded() const { return {bytes_, N}; }
  constexpr std::string_view text() const { return trimmed(padded()); }
  constexpr std::optional<std::uint64_t> number() const { return decimal(text()); }

 private:
  char bytes_[N];
};

}  // namespace outcry
