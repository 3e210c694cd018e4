// DbnCsvReader: Databento's market by order as CSV: columns found by their names, whatever their order.
//
// Needed: ts_event, action, side, price, size, order_id. Used if there: publisher_id and instrument_id (one instrument
// for each pair of them; else one for each symbol), symbol (the name), flags, ts_recv. All others are passed over.
//
// Actions:  A  add
//           C  reduce by its size; what an F reported of the order before it is execute
//           M  replace under its own id, behind the execute of what an F reported
//           R  clear
//           T  a trade. Of side N: hidden_execute. Of side A or B, the aggressor's: nothing yet; its executions are the
//              fills behind it, and what they do not cover is a hidden_execute when the next T or another time comes
//           F  a fill of the named order: nothing yet; it is in the execute that the C or M behind it becomes
//           N  nothing
// So the book changes at the records that change it, an execution is applied to the order that traded, and the shares
// of all printable trades are the sum of the sizes of T. A fill that no T covers is executed, but not printable; one
// that no C or M takes up before another time comes is a hidden_execute.
//
// Prices are in billionths, so that none is rounded; a tick is a cent, and orders may lie between.
// Times are ts_event, since midnight UTC of the day of the first record: behind the next midnight they go on past 24 h.
// The records of a snapshot (flag 32) tell when their orders were born: they get the snapshot's own time, ts_recv.
// `record` is the row, from 0. Flag 128 (the event's last record) is not handed out: behind the C of a replaced order
// the book lacks it until the A that follows. Flags 16 and 64 mark levels instead of orders, and are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <outcry/net/record_reader.hpp>

namespace outcry {

class DbnCsvReader final : public RecordReader {
 public:
  /// Throws InputError if the file cannot be read, is empty, or plainly is something else.
  explicit DbnCsvReader(const std::string& path, const ReaderOptions& options = {});
  /// The same from memory, which must outlive the reader.
  DbnCsvReader(std::string name, std::span<const std::byte> bytes, const ReaderOptions& options = {});

  std::size_t read(std::span<HistoryEvent> out) noexcept override;
  Place place_of(std::uint32_t record) const override;

 private:
  struct Row;
  struct Columns {
    std::size_t ts_event, action, side, price, size, order_id;        // are there
    std::size_t publisher_id, instrument_id, symbol, flags, ts_recv;  // may be missing
  };
  /// Publisher and instrument id; without an instrument id, 0 and the symbol.
  struct Key {
    std::uint32_t publisher = 0;
    std::uint32_t instrument = 0;
    std::string symbol{};
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  void begin(const ReaderOptions& options);
  bool read_record();
  bool parse_row(std::string_view line, Row& row);
  std::string_view cell(std::size_t column) const;
  SymbolId symbol_of(const Row& row);
  void take(const Row& row);
  std::uint32_t take_fills(const HistoryEvent& event, std::uint32_t most);
  void close_trade();
  void settle();

  Columns columns_{};
  std::vector<std::string_view> cells_;
  std::string file_symbol_;
  std::map<Key, SymbolId> symbols_;
  Key last_key_{};
  SymbolId last_symbol_{};
  bool has_day_ = false;
  std::int64_t day_ = 0;  // of the first record

  std::vector<HistoryEvent> ready_;  // to be handed out, from next_ready_ on
  std::size_t next_ready_ = 0;
  // Of the time of the last record: what is left of the last T, as the event it becomes if no fill covers it, and the
  // fills that no C or M has taken up.
  HistoryEvent trade_{};
  std::vector<HistoryEvent> fills_;
};

}  // namespace outcry
