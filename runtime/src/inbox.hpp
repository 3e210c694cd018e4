// Inbox: the queue by which one scheduler gets everything that comes from other threads.
//
// Threads: each scheduler of the runtime has a producer of its own, other threads share what the queue makes for them;
// one consumer.
#pragma once

#include <cstddef>
#include <vector>

// GCC 12 believes at -O3 that the queue, inlined into ours, writes through a null block.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif
#if __has_include(<concurrentqueue/moodycamel/concurrentqueue.h>)  // Ubuntu 24.04
#include <concurrentqueue/moodycamel/concurrentqueue.h>
#elif __has_include(<concurrentqueue/concurrentqueue.h>)  // Debian 12
#include <concurrentqueue/concurrentqueue.h>
#else
#include <concurrentqueue.h>
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <outcry/runtime/envelope.hpp>
#include <outcry/runtime/scheduler.hpp>

namespace outcry {

struct Scheduler::Inbox {
  moodycamel::ConcurrentQueue<Envelope> queue;
  moodycamel::ConsumerToken consumer{queue};
  std::vector<moodycamel::ProducerToken> producers;  // one for each scheduler of the runtime

  explicit Inbox(std::size_t schedulers) {
    producers.reserve(schedulers);
    for (std::size_t i = 0; i < schedulers; ++i) producers.emplace_back(queue);
  }
};

// Where a scheduler that has nothing to do waits: `sleeping_`.
inline constexpr std::uint32_t awake = 0;
inline constexpr std::uint32_t on_futex = 1;
inline constexpr std::uint32_t on_wake_fd = 2;
inline constexpr std::uint32_t on_ring = 3;

}  // namespace outcry
