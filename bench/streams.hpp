// Streams beside OBW1, of one symbol, for what OBW1 leaves out: prices that travel. Made from a seed with integers only;
// the answer comes from an obvious book of maps and lists that carries out every message while it is drawn.
#pragma once

#include <cstdint>

#include "obw1.hpp"

namespace bench {

inline constexpr std::uint64_t stream_messages = 1'000'000;  // behind the prefill

/// Calm, and twice in every 100,000 messages a crash: sellers sweep the bids, 6,000 ticks down within 2,000 messages,
/// and buyers bring the price back over the next 20,000.
obw1::Stream flash_crash(std::uint64_t seed);
/// The middle swings by 40,000 ticks, up and down within 50,000 messages, so that windows never rest.
obw1::Stream swing(std::uint64_t seed);
/// Half of the orders near the middle, the other half anywhere within 1,000,000 ticks.
obw1::Stream wide(std::uint64_t seed);

}  // namespace bench
