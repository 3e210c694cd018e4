// InputError: what is wrong with a file, where, and what was expected there, as one sentence.
//
// Constructors throw it when a file cannot be read at all; readers hand it out when they meet it on the way.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace outcry {

/// A place in a file: the byte offset from 0, or the line from 1; or the file as a whole.
struct Place {
  enum class Unit : std::uint8_t { file, offset, line };

  std::string path;
  Unit unit = Unit::file;
  std::uint64_t number = 0;

  /// "aapl.itch, offset 104"
  std::string text() const;
};

class InputError : public std::runtime_error {
 public:
  InputError(Place place, std::string found, std::string expected);

  /// what() is "aapl.itch, offset 104: found an A message of 35 bytes, expected 36".
  const Place& place() const noexcept { return place_; }
  const std::string& found() const noexcept { return found_; }
  const std::string& expected() const noexcept { return expected_; }

 private:
  Place place_;
  std::string found_;
  std::string expected_;
};

}  // namespace outcry
