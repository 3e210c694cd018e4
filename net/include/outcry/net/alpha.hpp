// Alpha: text in a message, padded with spaces on the right: no alignment, readable in place.
#pragma once

#include <cstddef>
#include <string_view>

namespace outcry {

template <std::size_t N>
class Alpha {
 public:
  constexpr Alpha() : Alpha(std::string_view{}) {}
  constexpr Alpha(const char* text) : Alpha(std::string_view(text)) {}
  /// The first N characters of `text`.
  constexpr Alpha(std::string_view text) {
    for (std::size_t i = 0; i < N; ++i) bytes_[i] = i < text.size() ? text[i] : ' ';
  }

  /// All N characters.
  constexpr std::string_view padded() const { return {bytes_, N}; }
  /// Without the spaces on the right.
  constexpr std::string_view text() const {
    std::size_t size = N;
    while (size > 0 && bytes_[size - 1] == ' ') --size;
    return {bytes_, size};
  }

 private:
  char bytes_[N];
};

}  // namespace outcry
