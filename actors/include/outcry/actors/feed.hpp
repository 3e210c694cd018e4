// Feed: reads a recorded market and sends each event to its symbol, to arrive at its recorded time.
//
// It runs ahead of virtual time by the lookahead and by part of a batch, so that no event is late and few thousand are
// under way. Each batch is stamped once. At the end of the file, in front of a broken record, or when told to stop, it
// ends the run of its runtime: what is under way is still to be played, up to last_ns.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include <outcry/actors/participant.hpp>
#include <outcry/actors/stamp.hpp>
#include <outcry/net/record_reader.hpp>

namespace outcry {

/// What a feed tells those who watch it. Written by the feed; stop by anyone.
struct FeedState {
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> messages{0};
  std::atomic<std::uint64_t> bytes{0};

  // Of the events that were sent; read when the runtime does not run.
  std::uint64_t events = 0;
  std::int64_t first_ns = 0;
  std::int64_t last_ns = 0;
};

struct FeedOptions {
  RecordReader* reader = nullptr;  // outlives the runtime, like state
  FeedState* state = nullptr;
  std::vector<SymbolAddress> symbols{};  // by SymbolId
  Duration lookahead{};                  // at least the latency to the symbols
  std::size_t batch = 512;               // events
  StampClock stamps = StampClock::machine;
};

using FeedSelf = Self<>;

Actor feed(FeedSelf self, FeedOptions options);

}  // namespace outcry
