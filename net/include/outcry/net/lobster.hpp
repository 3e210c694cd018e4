// LobsterReader: LOBSTER's message file: six columns, no header: seconds after midnight, type, order id, size,
// price x 10,000, direction of the resting order.
//
// Types: 1 add, 2 reduce, 3 remove, 4 execute, 5 hidden_execute, 6 cross, 7 halt or resume by its price (1: resume).
// `record` is the row, from 0. Decimals of the seconds are padded on the right and cut at nanoseconds.
// LOBSTER begins in the middle of the day: orders from before it are named and never shown. With the order book file of
// the same hours, seed_levels() is what its first row shows, with the first message undone.
#pragma once

#include <outcry/net/record_reader.hpp>

namespace outcry {

class LobsterReader final : public RecordReader {
 public:
  /// Throws InputError if a file cannot be read, is empty, or plainly is something else.
  explicit LobsterReader(const std::string& path, const ReaderOptions& options = {});
  /// The same from memory, which must outlive the reader; options.orderbook is still a path.
  LobsterReader(std::string name, std::span<const std::byte> bytes, const ReaderOptions& options = {});

  std::size_t read(std::span<HistoryEvent> out) noexcept override;
  Place place_of(std::uint32_t record) const override;

 private:
  void begin(const ReaderOptions& options);
  void seed_from(const std::string& orderbook);
};

/// The order book file that belongs to a message file by its name ("..._message_10.csv"), if it exists; else empty.
std::string lobster_orderbook_beside(const std::string& message_path);

}  // namespace outcry
