// MarketPublication: a market's shared memory, as its symbols write it. MarketView reads it.
//
// Thread: the publication is made and ended by one thread; each SymbolPublication is written by its symbol's scheduler.
// Nothing here waits, takes a lock or allocates after construction. What was published does not reach the market: a run
// has the same digest with it and without.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <outcry/actors/market_view.hpp>
#include <outcry/book/order_book.hpp>
#include <outcry/messages/instrument.hpp>

namespace outcry {

/// Where one symbol is published.
class alignas(64) SymbolPublication {
 public:
  SymbolPublication(PublishedSymbol& block, SharedMemoryWriter& memory) noexcept : block_(&block), memory_(&memory) {}

  /// A trade, as soon as it is made: followers may hear of it before the depth and the counters know.
  void trade(Price price, Quantity quantity, Side aggressor, bool hidden, std::int64_t time_ns) noexcept {
    block_->trades.push(
        {.price = price, .time_ns = time_ns, .quantity = quantity, .aggressor = aggressor, .hidden = hidden});
  }
  /// The book after a command: what of it has changed since the last time.
  void book(const OrderBook<>& book, std::int64_t time_ns) noexcept;

 private:
  static constexpr std::uint32_t books_for_a_beat = 256;

  PublishedSymbol* block_;
  SharedMemoryWriter* memory_;
  std::uint64_t sequence_ = ~std::uint64_t{0};
  std::uint64_t top_changes_ = 0;
  std::uint32_t until_beat_ = books_for_a_beat;
  TopOfBook top_{};
  PublishedDepth depth_{};
};

class MarketPublication {
 public:
  /// Takes the name; `title` tells people what it is. Throws SharedMemoryError, as where the name has another writer.
  MarketPublication(std::string name, std::string_view title, std::span<const Instrument> instruments);
  MarketPublication(const MarketPublication&) = delete;
  MarketPublication& operator=(const MarketPublication&) = delete;

  /// Requires: a symbol of the instruments, in their order.
  SymbolPublication& operator[](SymbolId symbol) noexcept { return symbols_[symbol.value]; }
  /// For a market that may be silent: tells readers that the writer is not stuck. Symbols that are busy do it
  /// themselves.
  void beat() noexcept { memory_.beat(); }

  const std::string& name() const { return memory_.name(); }

 private:
  SharedMemoryWriter memory_;
  std::vector<SymbolPublication> symbols_;
};

}  // namespace outcry
