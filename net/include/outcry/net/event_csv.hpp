// EventCsvReader: book events as text, one a line under the header n,time,kind,order_id,size,price,side,source.
//
// Kinds: A add, R reduce, D remove, E execute, H hidden_execute. `n` goes up by one; time is seconds after midnight,
// padded on the right and cut at nanoseconds; price x 10,000; side 1 buys, -1 sells, of the resting order; source is
// any word. `record` is the row, from 0: of a file that begins with n = 0, its n.
#pragma once

#include <optional>

#include <outcry/net/record_reader.hpp>

namespace outcry {

class EventCsvReader final : public RecordReader {
 public:
  /// Throws InputError if the file cannot be read, is empty, or plainly is something else.
  explicit EventCsvReader(const std::string& path, const ReaderOptions& options = {});
  /// The same from memory, which must outlive the reader.
  EventCsvReader(std::string name, std::span<const std::byte> bytes, const ReaderOptions& options = {});

  std::size_t read(std::span<HistoryEvent> out) noexcept override;
  Place place_of(std::uint32_t record) const override;

 private:
  void begin(const ReaderOptions& options);

  std::optional<std::uint64_t> first_n_;  // the n that row 0 has, or would have if it were sound
};

}  // namespace outcry
