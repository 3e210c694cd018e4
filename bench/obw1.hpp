// OBW1: a workload for order books, made from a seed with integers only, so that it is the same everywhere.
//
// Limit orders that never cross, cancels, reductions, replacements and immediate-or-cancel orders that trade, for one
// symbol or for many whose activity falls off as 1/rank. The orders that live at the start come first (prefill); they
// are not meant to be timed. The file form is a Header and the Records behind it, little-endian.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace obw1 {

enum class Kind : std::uint8_t { add, cancel, reduce, replace, immediate };

struct Record {
  Kind kind;
  std::uint8_t side;  // 0 buys, 1 sells
  std::uint16_t symbol;
  std::uint32_t quantity;  // of a reduction: by how much
  std::uint32_t price;
  std::uint32_t unused;
  std::uint64_t id;
  std::uint64_t new_id;  // of a replacement
};

struct Header {
  char magic[8];
  std::uint64_t records, prefill, symbols, ids;
  std::uint64_t fills, fill_quantity, fill_hash;  // the answer
};

static_assert(sizeof(Record) == 32 && std::is_trivially_copyable_v<Record>);
static_assert(sizeof(Header) == 64 && std::is_trivially_copyable_v<Header>);

/// The answer that a book must give: how many fills, how much, and which, in order.
struct Fills {
  std::uint64_t count = 0;
  std::uint64_t quantity = 0;
  std::uint64_t hash = 1469598103934665603ull;

  void add(std::uint64_t taker, std::uint64_t maker, std::uint64_t price, std::uint32_t lots) {
    ++count;
    quantity += lots;
    hash = (hash ^ (maker * 0x9E3779B97F4A7C15ull + taker * 31 + price * 7 + lots)) * 1099511628211ull;
  }
  friend bool operator==(const Fills&, const Fills&) = default;
};

struct Size {
  std::uint64_t messages = 10'000'000;  // behind the prefill
  std::uint32_t symbols = 1;
  std::uint64_t live = 10'000;  // orders that live at a time, of all symbols
  std::uint64_t seed = 1;
};

constexpr Size s1{};
constexpr Size s500{.symbols = 500, .live = 500'000};

struct Stream {
  Header header{};
  std::vector<Record> records;
  std::uint64_t live_at_end = 0;
  std::uint64_t levels_at_end = 0;

  Fills answer() const { return {header.fills, header.fill_quantity, header.fill_hash}; }
};

Stream generate(const Size& size);

/// False if the file cannot be written.
bool write(const Stream& stream, const std::string& file);

}  // namespace obw1
