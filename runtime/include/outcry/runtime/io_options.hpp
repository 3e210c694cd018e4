// IoOptions: how a scheduler's ring is made, which happens when its first socket is opened.
//
// What the kernel has not got is left out, down to a plain ring; the start report says what was asked and what was obtained.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <outcry/runtime/ring_device.hpp>

namespace outcry {

enum class IoMode : std::uint8_t {
  sleep,         // as RuntimeOptions::idle says; a scheduler that sleeps does so in its ring
  busy,          // a scheduler with a ring never sleeps, and looks at it in each round
  kernel_polled  // a thread of the kernel takes what is submitted (SQPOLL); wants a processor of its own
};

/// The best kind of ring to try; the kernel may have less.
enum class RingKind : std::uint8_t {
  plain,
  cooperative,  // 5.19: completions wait for the thread to enter the kernel
  deferred      // 6.1: and for it to ask for them; one thread alone submits
};

struct IoOptions {
  IoMode mode = IoMode::sleep;
  RingKind ring = RingKind::deferred;
  bool many = true;        // multishot accept and receive, into pooled buffers
  bool registered = true;  // files and the ring itself are registered
  std::uint32_t submissions = 256;
  std::uint32_t completions = 4096;
  std::uint32_t buffers = 256;  // that connections receive into, for the whole scheduler; rounded up to a power of two
  std::uint32_t buffer_bytes = 4096;
  std::uint32_t files = 1024;  // sockets that are registered; those beyond are not
  /// For tests: makes the device in place of the kernel's, which it is given.
  std::function<std::unique_ptr<RingDevice>(std::uint32_t scheduler, std::unique_ptr<RingDevice> kernel)> device = {};
};

}  // namespace outcry
