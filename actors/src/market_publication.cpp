#include <outcry/actors/market_publication.hpp>

#include <algorithm>
#include <array>
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

void SymbolPublication::book(const OrderBook<>& book, std::int64_t time_ns) noexcept {
  const std::uint64_t sequence = book.sequence();
  if (sequence == sequence_) return;
  sequence_ = sequence;
  if (--until_beat_ == 0) {
    until_beat_ = books_for_a_beat;
    memory_->beat();
  }

  std::array<DepthLevel, PublishedDepth::most_levels> bids{}, asks{};
  PublishedDepth depth{.sequence = sequence, .time_ns = time_ns};
  depth.bid_levels = static_cast<std::uint32_t>(book.depth(Side::buy, bids));
  depth.ask_levels = static_cast<std::uint32_t>(book.depth(Side::sell, asks));
  for (std::size_t i = 0; i < depth.rows.size(); ++i) depth.rows[i] = {bids[i], asks[i]};
  if (depth.rows != depth_.rows) {
    depth_ = depth;
    block_->depth.update(depth);
  }

  TopOfBook top{.bid = bids[0].price,
                .ask = asks[0].price,
                .bid_volume = bids[0].volume,
                .ask_volume = asks[0].volume,
                .bid_orders = bids[0].orders,
                .ask_orders = asks[0].orders,
                .sequence = top_.sequence,
                .time_ns = top_.time_ns};
  if (top != top_) {
    top.sequence = sequence;
    top.time_ns = time_ns;
    top_ = top;
    ++top_changes_;
    block_->top.update(top);
  }

  const BookCounts& counts = book.counts();
  block_->counters.update({.time_ns = time_ns,
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
