// SymbolDirectory: the symbols of a venue: what is traded, under which name, and where to send orders for it.
//
// Thread: none changes it once it is made; any may read it.
// Limits: names of at most 16 characters.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <outcry/actors/participant.hpp>
#include <outcry/messages/instrument.hpp>

namespace outcry {

class SymbolDirectory {
 public:
  struct Listed {
    Instrument instrument{};
    SymbolAddress address{};  // empty: somebody else brings the orders there
    bool has_rules = false;   // takes special orders
  };

  /// By SymbolId, from 0. Throws std::invalid_argument if a symbol is not at its place, has no name, or one that another
  /// has.
  explicit SymbolDirectory(std::vector<Listed> symbols);

  std::uint32_t size() const { return static_cast<std::uint32_t>(symbols_.size()); }
  bool contains(SymbolId symbol) const { return symbol.value < symbols_.size(); }
  /// Requires: contains(symbol).
  const Listed& operator[](SymbolId symbol) const { return symbols_[symbol.value]; }
  const std::vector<Listed>& all() const { return symbols_; }

  /// As instruments have it: without spaces behind. Looks at one or two names.
  std::optional<SymbolId> find(std::string_view name) const noexcept;

 private:
  std::size_t place_of(std::string_view name) const noexcept;

  std::vector<Listed> symbols_;
  std::vector<std::uint32_t> table_;  // open addressing; symbol + 1, 0: empty
};

}  // namespace outcry
