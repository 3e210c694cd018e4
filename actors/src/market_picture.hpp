// MarketPicture: a published market at one moment, and how it looks: as lines for a terminal, and as JSON.
//
// Thread: any one; it is copied out of a MarketView symbol by symbol, so two symbols may be some microseconds apart.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <outcry/actors/market_view.hpp>

namespace outcry {

struct SymbolPicture {
  PublishedInstrument instrument{};
  std::string name{};
  TopOfBook top{};
  PublishedCounters counters{};
  PublishedDepth depth{};
  std::vector<PublishedTrade> trades{};  // youngest first
  std::uint64_t trade_count = 0;
  bool unsure = false;  // the writer stands in the middle of a store, so something may be half of it
};

struct MarketPicture {
  std::string name{};
  std::string title{};
  SharedMemoryWriterState writer{};
  std::size_t symbols = 0;             // of the market
  std::vector<SymbolPicture> shown{};  // the first of them, or the one that was asked for
  bool one = false;                    // with depth and trades
};

/// What there is of one symbol, with its last trades.
SymbolPicture picture_of(SymbolView symbol, std::size_t trades);

/// Where lines are written that fit a width, with colours if there are any.
struct Paper {
  std::size_t columns = 100;
  std::size_t rows = ~std::size_t{0};
  bool colours = false;
};

/// The picture, line by line. `before` is the picture `seconds` earlier, for rates; null: there is none.
std::vector<std::string> lines_of(const MarketPicture& picture, const MarketPicture* before, double seconds,
                                  const Paper& paper);

nlohmann::ordered_json json_of(const MarketPicture& picture);

/// "writing", "ended", "gone" or "replaced".
const char* word_of(SharedMemoryWriterState::Life life);
/// What has become of the writer, as a sentence.
std::string sentence_of(const SharedMemoryWriterState& writer);

}  // namespace outcry
