// Instrument: what is traded, and the grid and limits that its orders must respect.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include <outcry/messages/identity.hpp>
#include <outcry/messages/price.hpp>
#include <outcry/messages/quantity.hpp>

namespace outcry {

struct Instrument {
  SymbolId symbol{};
  std::array<char, 16> name{};        // padded with NUL
  std::int64_t tick = 1;              // price units between two levels; >= 1
  bool off_tick_allowed = false;      // recorded markets print prices between the ticks
  std::uint32_t lot = 1;              // quantities are multiples of it; >= 1
  std::int64_t price_scale = 10'000;  // price units for one unit of currency
  Price lowest{-(std::int64_t{1} << 60)};
  Price highest{std::int64_t{1} << 60};
  Quantity largest{std::numeric_limits<std::int32_t>::max()};  // of one order
};

constexpr std::string_view name_of(const Instrument& instrument) {
  std::string_view all(instrument.name.data(), instrument.name.size());
  const auto end = all.find('\0');
  return end == std::string_view::npos ? all : all.substr(0, end);
}

/// The first 16 characters of `name`, without trailing spaces.
constexpr std::array<char, 16> padded_name(std::string_view name) {
  std::array<char, 16> out{};
  while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
  for (std::size_t i = 0; i < name.size() && i < out.size(); ++i) out[i] = name[i];
  return out;
}

}  // namespace outcry
