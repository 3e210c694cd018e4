#include <outcry/actors/symbol_directory.hpp>

#include <bit>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include <outcry/runtime/message.hpp>

namespace outcry {

SymbolDirectory::SymbolDirectory(std::vector<Listed> symbols) : symbols_(std::move(symbols)) {
  table_.resize(std::bit_ceil(2 * symbols_.size() + 2));
  for (std::uint32_t i = 0; i < symbols_.size(); ++i) {
    const std::string_view name = name_of(symbols_[i].instrument);
    if (symbols_[i].instrument.symbol.value != i || name.empty())
      throw std::invalid_argument("symbol " + std::to_string(i) + " of the directory has no name or another number");
    std::uint32_t& place = table_[place_of(name)];
    if (place != 0) throw std::invalid_argument("two symbols are called " + std::string(name));
    place = i + 1;
  }
}

std::optional<SymbolId> SymbolDirectory::find(std::string_view name) const noexcept {
  const std::uint32_t found = table_[place_of(name)];
  if (found == 0) return std::nullopt;
  return SymbolId{found - 1};
}

// Where the name is, or would be.
std::size_t SymbolDirectory::place_of(std::string_view name) const noexcept {
  const std::size_t mask = table_.size() - 1;
  std::size_t at = static_cast<std::size_t>(hash_bytes(0, name.data(), name.size())) & mask;
  while (table_[at] != 0 && name_of(symbols_[table_[at] - 1].instrument) != name) at = (at + 1) & mask;
  return at;
}

}  // namespace outcry
