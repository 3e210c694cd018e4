// A run of one engine through a stream.
#pragma once

#include <x86intrin.h>

#include <memory>
#include <vector>

#include "book_engines.hpp"
#include "timing.hpp"

namespace bench {

/// The median chunk of one run, in nanoseconds a message; the answer is checked first.
template <class Engine, bool prefetching>
double median_ns(const obw1::Stream& stream) {
  const auto engine = std::make_unique<Engine>(stream);
  const obw1::Record* at = stream.records.data();
  const obw1::Record* end = at + stream.records.size();
  carry_out<false>(*engine, {at, stream.header.prefill});
  at += stream.header.prefill;

  std::vector<double> chunks;
  for (; static_cast<std::size_t>(end - at) >= chunk; at += chunk) {
    const std::uint64_t start = __rdtsc();
    carry_out<prefetching>(*engine, {at, chunk});
    chunks.push_back(static_cast<double>(__rdtsc() - start));
  }
  carry_out<false>(*engine, {at, end});
  if (engine->fills() != stream.answer()) Report::wrong("fills");
  engine->verify(stream);
  return median(chunks) * ns_per_tick() / chunk;
}

}  // namespace bench
