#include <outcry/net/input_error.hpp>

#include <utility>

#include <fmt/format.h>

namespace outcry {

std::string Place::text() const {
  switch (unit) {
    case Unit::offset: return fmt::format("{}, offset {}", path, number);
    case Unit::line: return fmt::format("{}, line {}", path, number);
    case Unit::file: break;
  }
  return path;
}

InputError::InputError(Place place, std::string found, std::string expected)
    : std::runtime_error(fmt::format("{}: found {}, expected {}", place.text(), found, expected)),
      place_(std::move(place)),
      found_(std::move(found)),
      expected_(std::move(expected)) {}

}  // namespace outcry
