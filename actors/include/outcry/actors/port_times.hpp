// PortTimes: how long a port's part of an order's way takes, beside what StageTimes has of the symbols.
//
//   read      from the arrival of the newest bytes (as the kernel says, if the connection asks it) until the port looks
//   gateway   from there until the commands are in the symbols' mailboxes, for each message: decoded, checked, sent
//   encode    from the take of a batch of events until what they say is in the stream, for each event
//   answer    from the arrival stamp of a command until the answer to it is in the connection's buffer
//
// Thread: the port's scheduler records. Anyone may read while the runtime does not run. One for each port, or for all
// ports of a scheduler. Cost: two clock reads for each batch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <outcry/runtime/histogram.hpp>

namespace outcry {

enum class PortStage : std::uint8_t { read, gateway, encode, answer };
inline constexpr std::size_t port_stage_count = 4;
constexpr std::string_view name_of(PortStage stage) {
  constexpr std::string_view names[] = {"read", "gateway", "encode", "answer"};
  return names[static_cast<std::size_t>(stage)];
}

class PortTimes {
 public:
  explicit PortTimes(int significant_digits = 2) : PortTimes(Histogram::Range{10'000'000'000, significant_digits}) {}

  void record(PortStage stage, std::int64_t ns, std::uint64_t times = 1) {
    if (times != 0) stages_[static_cast<std::size_t>(stage)].record(ns, times);
  }
  const Histogram& of(PortStage stage) const { return stages_[static_cast<std::size_t>(stage)]; }

 private:
  explicit PortTimes(const Histogram::Range& range)
      : stages_{Histogram(range), Histogram(range), Histogram(range), Histogram(range)} {}

  std::array<Histogram, port_stage_count> stages_;
};

}  // namespace outcry
