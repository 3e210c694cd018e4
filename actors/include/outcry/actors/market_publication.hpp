// MarketPublication: a market's shared memory, as its symbols write it. MarketView reads it.
//
// Thread: the publication is made and ended by one thread; each SymbolPublication is written by its symbol's scheduler.
// Nothing here waits, takes a lock or allocates after construction. What was published does not reach the market: a run
// has the same digest with it and without.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <outcry/actors/market_view.hpp>
#include <outcry/book/order_book.hpp>
#include <outcry/messages/events.hpp>
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

  // The events of the book, which say where its levels have changed. Whoever leaves one out pays for it with a walk
  // over all the levels that are shown, not with a wrong depth: book() knows how many there were.
  void on(const Accepted& event) noexcept { touch(event.side, event.price); }
  void on(const Traded& event) noexcept {
    const Side side = opposite(event.taker_side);
    if (event.taker == OrderId{}) return touch_all(side);  // an execution that was recorded, perhaps at another price
    touch(side, event.price);
  }
  void on(const Cancelled& event) noexcept { touch(event.side, event.price); }
  void on(const Reduced& event) noexcept { touch(event.side, event.price); }
  void on(const Modified& event) noexcept { touch_all(event.side); }  // does not say what the old price was
  void on(const Replaced& event) noexcept { touch_all(event.side); }
  void on(const Rejected&) noexcept { ++told_; }
  // Of books with rules. What is not displayed changes no level; a price of it that is touched in vain costs a look.
  void on(const AcceptedTerms&) noexcept { ++told_; }
  void on(const Refreshed& event) noexcept { touch(event.side, event.price); }
  void on(const Triggered& event) noexcept { touch(event.side, event.price); }
  void on(const Repriced& event) noexcept { touch(event.side, event.price); }
  void on(const PhaseChanged&) noexcept { ++told_; }
  void on(const Uncrossed&) noexcept {  // trades at one price that empty levels at others
    touch_all(Side::buy);
    touch_all(Side::sell);
    --told_;
  }

  /// The book after a command: what of it has changed since the last time.
  void book(const OrderBook<>& book, std::int64_t time_ns) noexcept;

 private:
  static constexpr std::uint32_t books_for_a_beat = 256;
  static constexpr std::size_t most_levels = PublishedDepth::most_levels;

  struct SideTouches {
    std::array<Price, 4> prices{};
    std::uint32_t count = 0;  // more than there is room for: everywhere
  };

  void touch(Side side, Price price) noexcept {
    ++told_;
    SideTouches& touches = touches_[side == Side::sell];
    if (touches.count > touches.prices.size()) return;
    if (touches.count != 0 && touches.prices[touches.count - 1] == price) return;
    if (touches.count < touches.prices.size()) touches.prices[touches.count] = price;
    ++touches.count;
  }
  void touch_all(Side side) noexcept {
    ++told_;
    SideTouches& touches = touches_[side == Side::sell];
    touches.count = static_cast<std::uint32_t>(touches.prices.size()) + 1;
  }
  /// Brings the rows of a side up to date; gives a bit for each that is another now.
  template <Side side>
  std::uint32_t refresh(const OrderBook<>& book, bool everywhere) noexcept;

  PublishedSymbol* block_;
  SharedMemoryWriter* memory_;
  std::uint64_t sequence_ = ~std::uint64_t{0};
  std::uint64_t told_ = 0;  // of the events since then
  std::array<SideTouches, 2> touches_{};
  std::uint64_t top_changes_ = 0;
  std::uint32_t until_beat_ = books_for_a_beat;
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
