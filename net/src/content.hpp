// Content: what a file holds, judged by its first records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <outcry/net/itch.hpp>

namespace outcry {

enum class Content : std::uint8_t {
  empty,
  itch,
  lobster_messages,
  lobster_orderbook,
  event_csv,
  bbo_states,
  top_states,
  bbo_changes,
  databento_mbo,
  databento_mbp,
  databento,
  dbn,
  gzip,
  zstd,
  pcap,
  text,
  bytes,
};

inline constexpr std::string_view event_csv_header = "n,time,kind,order_id,size,price,side,source";
inline constexpr std::string_view bbo_states_header = "n_last,ask,ask_q,bid,bid_q";

Content content_of(std::span<const std::byte> bytes);

/// "a LOBSTER message file": to be put after "found".
std::string describe(Content content, std::span<const std::byte> bytes);

/// The size of the ITCH message in the frame that begins here, if length and type agree and all of it is there; else 0.
/// Requires: at <= bytes.size().
inline std::size_t itch_frame(std::span<const std::byte> bytes, std::uint64_t at) {
  const std::uint64_t left = bytes.size() - at;
  if (left < 3) return 0;
  const std::size_t length = *reinterpret_cast<const itch::U16*>(bytes.data() + at);
  const std::size_t size = itch::size_of(static_cast<char>(bytes[at + 2]));
  return length == size && left - 2 >= size ? size : 0;
}

}  // namespace outcry
