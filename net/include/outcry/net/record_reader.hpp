// RecordReader: a recorded market as a stream of HistoryEvents, whatever the format of its file.
//
// read() is called for a batch, so that being virtual costs nothing for each record. Events come in the order of the
// file, and their times never go back. An event holds what its record says and zeros elsewhere: of ITCH, executions
// without a price (0: the order's own), and reductions, removals and replacements without a side.
//
// Broken input: a strict reader stops in front of the first broken record and error() says what is wrong. A lenient one
// counts it, goes on with the next record that makes sense, and gives a record whose time goes back the time before it.
// Whether the orders named exist is the book's business; whoever finds that one does not asks place_of(event.record).
//
// Thread: one owner.
// Limits: 2^32 records; one trading day (times below 24 h; only Databento's go on behind midnight).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <outcry/messages/history.hpp>
#include <outcry/messages/instrument.hpp>
#include <outcry/net/input_error.hpp>
#include <outcry/net/mapped_file.hpp>

namespace outcry {

struct ReaderOptions {
  bool lenient = false;
  std::string symbol{};     // of formats that name none; empty: the file's name up to the first '_' or '.', in capitals
  std::string orderbook{};  // LOBSTER: the order book file of the same hours; empty: none, so no seed levels
};

/// What rested at one price when the recording began.
struct SeedLevel {
  Side side{};
  Price price{};
  Quantity quantity{};
  friend constexpr bool operator==(const SeedLevel&, const SeedLevel&) = default;
};

class RecordReader {
 public:
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;
  virtual ~RecordReader() = default;

  /// Fills `out` from the front and returns how many it wrote: fewer than asked only at the end, or in front of a
  /// broken record (then error() is set). Every symbol of these events is in instruments().
  virtual std::size_t read(std::span<HistoryEvent> out) noexcept = 0;

  /// One event; false at the end, or in front of a broken record.
  bool next(HistoryEvent& event) noexcept { return read({&event, 1}) == 1; }

  /// Where the record with this ordinal is. Takes time: for messages to people.
  /// Requires: the record was read.
  virtual Place place_of(std::uint32_t record) const = 0;
  /// Where the last record read is; of a file of which none was read, its beginning.
  Place position() const { return place_of(records_ == 0 ? 0 : static_cast<std::uint32_t>(records_ - 1)); }

  /// In the order of their SymbolIds. Grows while reading, when the file lists instruments as they come.
  std::span<const Instrument> instruments() const { return instruments_; }
  /// Best first, bids before asks; what the file knows of the book before its first event.
  std::span<const SeedLevel> seed_levels() const { return seed_levels_; }

  /// Records read so far, those that make no event and broken ones included.
  std::uint64_t messages() const { return records_; }
  /// Of these, the sound ones of a type: ITCH's letters, LOBSTER's digits, the event CSV's kinds,
  /// Databento's actions.
  std::uint64_t count(char type) const { return counts_[static_cast<std::uint8_t>(type)]; }
  /// Records that were broken; at most 1 unless lenient.
  std::uint64_t broken() const { return broken_; }
  const InputError* first_broken() const { return first_broken_ ? &*first_broken_ : nullptr; }
  /// What stopped a strict reader; null while nothing has.
  const InputError* error() const { return lenient_ ? nullptr : first_broken(); }

  std::uint64_t bytes_read() const { return at_; }
  std::uint64_t bytes_total() const { return bytes_.size(); }

 protected:
  RecordReader(const std::string& path, const ReaderOptions& options);
  RecordReader(std::string name, std::span<const std::byte> bytes, const ReaderOptions& options);

  /// Counts a broken record. True: leave it and go on. False: stop here.
  bool pass_over(Place place, std::string found, std::string expected);
  /// A record whose time goes back is counted, and gets the time of the one before it. False: stop here.
  bool in_order(HistoryEvent& event) {
    return event.time_ns >= time_ns_ ? (time_ns_ = event.time_ns, true) : pass_back(event);
  }
  /// read() of a format with one record a line: parse_row(line, event, type, complaint) says whether the line is sound.
  template <class ParseRow>
  std::size_t read_rows(std::span<HistoryEvent> out, ParseRow parse_row);
  bool stopped() const { return error() != nullptr; }

 private:
  bool pass_back(HistoryEvent& event);

  MappedFile file_;

 protected:
  std::string name_;
  std::span<const std::byte> bytes_;
  std::uint64_t at_ = 0;
  std::uint64_t records_ = 0;
  std::int64_t time_ns_ = 0;  // of the last sound record
  std::array<std::uint64_t, 256> counts_{};
  std::vector<Instrument> instruments_;
  std::vector<SeedLevel> seed_levels_;

 private:
  bool lenient_ = false;
  std::uint64_t broken_ = 0;
  std::optional<InputError> first_broken_;
};

/// What stocks have in common in the recorded formats: prices in 1/10,000, ticks of a cent that orders may lie between.
Instrument recorded_stock(SymbolId symbol, std::string_view name);

/// `given` if there is one; else the file's name up to the first '_' or '.', in capitals.
std::string symbol_of_file(const std::string& given, const std::string& path);

}  // namespace outcry
