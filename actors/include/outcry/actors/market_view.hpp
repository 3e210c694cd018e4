// MarketView: a published market, as another thread or another process reads it.
//
//   outcry::MarketView market("nasdaq");                  // outcry simulate --publish nasdaq
//   auto symbol = market.find("S0000");
//   if (auto top = symbol->top()) std::printf("%u\n", static_cast<unsigned>(top->bid_volume));
//
// This header is all that a reader needs; it looks at the market's words and at the runtime's mapping only. Readers
// take no lock and copy no more than they ask for; the market's writer never waits for them and does not know of them.
// What is read together (a top, a depth, the counters) is of one moment: that after a command. Two readings may be of
// different ones; their `sequence` says which.
// Thread: any number, each with views of its own or shared ones; a TradeFollower belongs to one.
// Limits: ten levels a side, the last 256 trades. The symbols are fixed when the market is published.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <outcry/messages/instrument.hpp>
#include <outcry/messages/market_data.hpp>
#include <outcry/messages/price.hpp>
#include <outcry/messages/quantity.hpp>
#include <outcry/messages/side.hpp>
#include <outcry/runtime/sequence_lock.hpp>
#include <outcry/runtime/sequence_ring.hpp>
#include <outcry/runtime/shared_memory.hpp>

namespace outcry {

// ---- what is read

/// The best bid and offer since book event `sequence`. A side without orders has volume 0, and its price means nothing.
struct TopOfBook {
  Price bid{};
  Price ask{};
  Volume bid_volume{};
  Volume ask_volume{};
  std::uint32_t bid_orders{};
  std::uint32_t ask_orders{};
  std::uint64_t sequence{};  // of the book's event that made it so
  std::int64_t time_ns{};    // of that, in the market's time

  constexpr bool has_bid() const { return bid_volume != 0; }
  constexpr bool has_ask() const { return ask_volume != 0; }
  friend constexpr bool operator==(const TopOfBook&, const TopOfBook&) = default;
};

/// The levels of one distance from the top on both sides. A level that is not there has volume 0.
struct DepthRow {
  DepthLevel bid{};
  DepthLevel ask{};
  friend constexpr bool operator==(const DepthRow&, const DepthRow&) = default;
};

/// The best levels since book event `sequence`, best first.
struct PublishedDepth {
  static constexpr std::size_t most_levels = 10;

  std::uint64_t sequence{};
  std::int64_t time_ns{};
  std::uint32_t bid_levels{};  // of the rows below
  std::uint32_t ask_levels{};
  std::array<DepthRow, most_levels> rows{};
  friend constexpr bool operator==(const PublishedDepth&, const PublishedDepth&) = default;
};

struct PublishedTrade {
  Price price{};
  std::int64_t time_ns{};
  Quantity quantity{};
  Side aggressor{};
  std::uint8_t hidden{};  // 1: the resting order was not displayed
  std::uint16_t unused{};
  friend constexpr bool operator==(const PublishedTrade&, const PublishedTrade&) = default;
};

/// What the book holds and what it has done, after the last command.
struct PublishedCounters {
  std::int64_t time_ns{};    // of that command
  std::uint64_t sequence{};  // events of the book
  std::uint64_t new_orders{};
  std::uint64_t cancels{};
  std::uint64_t trades{};
  Volume shares{};
  std::uint32_t bid_orders{};
  std::uint32_t ask_orders{};
  std::uint32_t bid_levels{};
  std::uint32_t ask_levels{};
  std::uint64_t reductions{};
  std::uint64_t modifications{};
  std::uint64_t replacements{};
  std::uint64_t executions{};
  std::uint64_t ends_of_day{};
  std::uint64_t rejections{};
  std::uint64_t top_changes{};
  friend constexpr bool operator==(const PublishedCounters&, const PublishedCounters&) = default;
};

/// Written once, before the market is open to readers.
struct PublishedInstrument {
  std::array<char, 16> name{};  // padded with NUL
  std::int64_t tick{};
  std::int64_t price_scale{};
  std::uint32_t lot{};
  SymbolId symbol{};
};

// ---- where it lies

inline constexpr SharedMemoryLayout market_layout{"market", 1};

struct alignas(64) MarketHeader {
  std::uint32_t symbols{};
  std::uint32_t bytes_of_symbol{};
  std::uint32_t levels{};
  std::uint32_t trades_kept{};
  std::array<char, 112> title{};  // what kind of market it is, for people; padded with NUL
};

/// A symbol's block. What changes with every command and what changes seldom lie on cache lines of their own.
struct alignas(64) PublishedSymbol {
  PublishedInstrument instrument;
  alignas(64) SequenceLock<TopOfBook> top;  // one cache line
  alignas(64) SequenceLock<PublishedCounters> counters;
  alignas(64) SequenceLock<PublishedDepth> depth;
  SequenceRing<PublishedTrade, 256> trades;
};

static_assert(sizeof(MarketHeader) == 128);
static_assert(sizeof(SequenceLock<TopOfBook>) == 64);
static_assert(sizeof(SequenceLock<PublishedCounters>) == 128);
static_assert(sizeof(SequenceLock<PublishedDepth>) == 512);
static_assert(sizeof(SequenceLock<PublishedTrade>) == 32);
static_assert(sizeof(PublishedSymbol) == 9024 && std::is_trivially_destructible_v<PublishedSymbol>);

/// Bytes of a market of so many symbols.
constexpr std::size_t market_bytes(std::size_t symbols) {
  return sizeof(MarketHeader) + symbols * sizeof(PublishedSymbol);
}

// ---- reading

/// The trades of one symbol, one after the other: next(), position(), missed().
using TradeFollower = SequenceRing<PublishedTrade, 256>::Follower;

/// One symbol of a market that outlives it. What comes back empty was busy: the writer met every try.
class SymbolView {
 public:
  explicit SymbolView(const PublishedSymbol& block) noexcept : block_(&block) {}

  const PublishedInstrument& instrument() const noexcept { return block_->instrument; }
  std::string_view name() const noexcept {
    const auto& name = instrument().name;
    return {name.data(), static_cast<std::size_t>(std::find(name.begin(), name.end(), '\0') - name.begin())};
  }

  std::optional<TopOfBook> top() const noexcept { return block_->top.load(); }
  std::optional<PublishedCounters> counters() const noexcept { return block_->counters.load(); }
  std::optional<PublishedDepth> depth() const noexcept { return block_->depth.load(); }
  /// The best rows alone, as far as there is room and there are levels; gives how many. Copies nothing else.
  std::optional<std::size_t> depth(std::span<DepthRow> rows) const noexcept;

  /// From the trade `back` before the next one on, as far as they are still there.
  TradeFollower follow_trades(std::uint64_t back = 0) const noexcept {
    const std::uint64_t count = block_->trades.count();
    return {block_->trades, count - std::min({back, count, block_->trades.kept})};
  }
  std::uint64_t trade_count() const noexcept { return block_->trades.count(); }

  /// The block itself: what a dead writer left in the middle of a store is there as leftover().
  const PublishedSymbol& block() const noexcept { return *block_; }

 private:
  const PublishedSymbol* block_;
};

/// A market that is published under a name. Throws SharedMemoryError where it cannot be read, and says why.
class MarketView {
 public:
  explicit MarketView(std::string name) : memory_(std::move(name), market_layout) {
    const MarketHeader& found = header();
    const std::size_t room = memory_.size();
    if (room < sizeof(MarketHeader) || found.bytes_of_symbol != sizeof(PublishedSymbol) ||
        room != market_bytes(found.symbols))
      throw SharedMemoryError(SharedMemoryError::Kind::not_ours,
                              "the shared memory " + memory_.name() + " does not hold what its header says");
  }

  std::size_t size() const noexcept { return header().symbols; }
  /// Requires: index < size().
  SymbolView operator[](std::size_t index) const noexcept {
    const std::byte* at = memory_.data() + market_bytes(index);
    return SymbolView(*std::launder(reinterpret_cast<const PublishedSymbol*>(at)));
  }
  std::optional<SymbolView> find(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < size(); ++i)
      if ((*this)[i].name() == name) return (*this)[i];
    return std::nullopt;
  }

  std::string_view title() const noexcept {
    const auto& title = header().title;
    return {title.data(), static_cast<std::size_t>(std::find(title.begin(), title.end(), '\0') - title.begin())};
  }
  const std::string& name() const noexcept { return memory_.name(); }
  /// Whether somebody still writes it; a market that was replaced has to be opened again.
  SharedMemoryWriterState writer() const { return memory_.writer(); }

 private:
  const MarketHeader& header() const noexcept {
    return *std::launder(reinterpret_cast<const MarketHeader*>(memory_.data()));
  }

  SharedMemoryReader memory_;
};

inline std::optional<std::size_t> SymbolView::depth(std::span<DepthRow> rows) const noexcept {
  constexpr std::size_t header_words = offsetof(PublishedDepth, rows) / sizeof(std::uint64_t);
  constexpr std::size_t row_words = sizeof(DepthRow) / sizeof(std::uint64_t);
  const std::size_t wanted = std::min(rows.size(), PublishedDepth::most_levels);
  std::array<std::uint64_t, PublishedDepth::most_levels * row_words> words;
  if (!block_->depth.copy(header_words, std::span(words).first(wanted * row_words))) return std::nullopt;
  std::memcpy(static_cast<void*>(rows.data()), words.data(), wanted * sizeof(DepthRow));
  std::size_t filled = 0;
  while (filled < wanted && (rows[filled].bid.volume != 0 || rows[filled].ask.volume != 0)) ++filled;
  return filled;
}

}  // namespace outcry
