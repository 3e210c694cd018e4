#include <outcry/actors/market_publication.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <new>

namespace outcry {

MarketPublication::MarketPublication(std::string name, std::string_view title, std::span<const Instrument> instruments)
    : memory_(std::move(name), market_layout, market_bytes(instruments.size())) {
  auto* header = ::new (memory_.data()) MarketHeader{.symbols = static_cast<std::uint32_t>(instruments.size()),
                                                     .bytes_of_symbol = sizeof(PublishedSymbol),
                                                     .levels = PublishedDepth::most_levels,
                                                     .trades_kept = decltype(PublishedSymbol::trades)::kept};
  std::copy_n(title.begin(), std::min(title.size(), header->title.size() - 1), header->title.begin());
  symbols_.reserve(instruments.size());
  for (std::size_t i = 0; i < instruments.size(); ++i) {
    const Instrument& instrument = instruments[i];
    auto* block = ::new (memory_.data() + market_bytes(i)) PublishedSymbol{};
    block->instrument = {.name = instrument.name,
                         .tick = instrument.tick,
                         .price_scale = instrument.price_scale,
                         .lot = instrument.lot,
                         .symbol = instrument.symbol};
    symbols_.emplace_back(*block, memory_);
  }
  memory_.open();
}

namespace {

constexpr std::size_t head_words = offsetof(PublishedDepth, rows) / sizeof(std::uint64_t);
constexpr std::size_t level_words = sizeof(DepthLevel) / sizeof(std::uint64_t);

DepthLevel shown(const Level& level) noexcept {
  return {.price = level.price, .volume = level.volume, .orders = level.orders};
}

template <Side side>
auto& level_of(auto& row) noexcept {
  if constexpr (side == Side::buy) {
    return row.bid;
  } else {
    return row.ask;
  }
}

/// Gives set() the words of an object, from word `first` of the lock on.
template <std::size_t words>
void set_words(auto& set, std::size_t first, const void* object) noexcept {
  std::array<std::uint64_t, words> copied;
  std::memcpy(copied.data(), object, sizeof copied);
  for (std::size_t i = 0; i < words; ++i) set(first + i, copied[i]);
}

template <Side side>
void set_rows(auto& set, const PublishedDepth& depth, std::uint32_t changed) noexcept {
  for (; changed != 0; changed &= changed - 1) {
    const auto row = static_cast<std::size_t>(std::countr_zero(changed));
    set_words<level_words>(set, head_words + (2 * row + (side == Side::sell)) * level_words,
                           &level_of<side>(depth.rows[row]));
  }
}

}  // namespace

// An event touches one price of one side. A price behind the last row that is shown changes nothing; one whose level is
// shown and still there changes that row; and where a level comes or goes, the rows from there on are walked anew.
template <Side side>
std::uint32_t SymbolPublication::refresh(const OrderBook<>& book, bool everywhere) noexcept {
  SideTouches& touches = touches_[side == Side::sell];
  const PriceLadder& ladder = book.ladder(side);
  std::uint32_t& count = side == Side::buy ? depth_.bid_levels : depth_.ask_levels;
  std::uint32_t changed = 0;
  const auto put = [&](std::size_t row, const DepthLevel& level) {
    DepthLevel& there = level_of<side>(depth_.rows[row]);
    if (there == level) return;
    there = level;
    changed |= 1u << row;
  };

  std::size_t from = most_levels;
  if (everywhere || touches.count > touches.prices.size()) {
    from = 0;
  } else {
    for (std::size_t i = 0; i < touches.count; ++i) {
      const auto key = ladder.key_of(touches.prices[i]);
      std::size_t row = 0;
      while (row < count && ladder.key_of(level_of<side>(depth_.rows[row]).price) > key) ++row;
      if (row >= from) continue;
      const Level* level = ladder.find(key);
      const bool is_shown = row < count && level_of<side>(depth_.rows[row]).price == touches.prices[i];
      if (is_shown && level != nullptr) {
        put(row, shown(*level));
      } else if (is_shown || level != nullptr) {
        from = row;
      }
    }
  }
  touches.count = 0;
  if (from == most_levels) return changed;

  const Level* level = nullptr;
  if (from != 0) {
    level = ladder.next_worse(ladder.key_of(level_of<side>(depth_.rows[from - 1]).price));
  } else if (!ladder.empty()) {
    level = &ladder.best();
  }
  std::size_t row = from;
  for (; level != nullptr && row < most_levels; ++row) {
    put(row, shown(*level));
    level = ladder.next_worse(ladder.key_of(level->price));
  }
  const std::size_t before = count;
  count = static_cast<std::uint32_t>(row);
  for (; row < before; ++row) put(row, {});
  return changed;
}

void SymbolPublication::book(const OrderBook<>& book, std::int64_t time_ns) noexcept {
  const std::uint64_t sequence = book.sequence();
  if (sequence == sequence_) return;
  const bool everywhere = sequence - sequence_ != told_;
  sequence_ = sequence;
  told_ = 0;
  if (--until_beat_ == 0) {
    until_beat_ = books_for_a_beat;
    memory_->beat();
  }

  const std::uint32_t bids = refresh<Side::buy>(book, everywhere);
  const std::uint32_t asks = refresh<Side::sell>(book, everywhere);
  if ((bids | asks) != 0) {
    depth_.sequence = sequence;
    depth_.time_ns = time_ns;
    block_->depth.change([&](auto set) {
      set_words<head_words>(set, 0, &depth_);
      set_rows<Side::buy>(set, depth_, bids);
      set_rows<Side::sell>(set, depth_, asks);
    });
  }
  if (((bids | asks) & 1) != 0) {
    ++top_changes_;
    const DepthRow& best = depth_.rows[0];
    block_->top.store({.bid = best.bid.price,
                       .ask = best.ask.price,
                       .bid_volume = best.bid.volume,
                       .ask_volume = best.ask.volume,
                       .bid_orders = best.bid.orders,
                       .ask_orders = best.ask.orders,
                       .sequence = sequence,
                       .time_ns = time_ns});
  }

  const BookCounts& counts = book.counts();
  block_->counters.store({.time_ns = time_ns,
                          .sequence = sequence,
                          .new_orders = counts.new_orders,
                          .cancels = counts.cancels,
                          .trades = counts.trades,
                          .shares = counts.traded,
                          .bid_orders = static_cast<std::uint32_t>(book.order_count(Side::buy)),
                          .ask_orders = static_cast<std::uint32_t>(book.order_count(Side::sell)),
                          .bid_levels = static_cast<std::uint32_t>(book.level_count(Side::buy)),
                          .ask_levels = static_cast<std::uint32_t>(book.level_count(Side::sell)),
                          .reductions = counts.reductions,
                          .modifications = counts.modifications,
                          .replacements = counts.replacements,
                          .executions = counts.executions,
                          .ends_of_day = counts.ends_of_day,
                          .rejections = counts.rejections,
                          .top_changes = top_changes_});
}

}  // namespace outcry
