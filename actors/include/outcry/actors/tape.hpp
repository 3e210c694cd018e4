// Tape: what happened in a run, row by row, for the files of the run's folder. One for each scheduler.
//
// Rows are spooled to temporary files as they come, so that memory does not grow with the run; write_tapes() merges the
// tapes of all schedulers by (time, symbol, order of events of the symbol) into orders.csv, trades.csv and l1.csv: the
// same files for any number of schedulers.
// Thread: one scheduler writes; failure() may be asked from any thread.
// Limits: twice 64 Ki rows of each kind in memory; the disk holds each row once as a record of 56 bytes or less, until it is
//   written as a line. What the disk refuses is lost: failure() says so, and write_tapes() throws.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include <outcry/messages/events.hpp>
#include <outcry/messages/instrument.hpp>
#include <outcry/messages/market_data.hpp>

namespace outcry {

class Tape {
 public:
  enum class OrderKind : std::uint8_t { accepted, rejected, cancelled, reduced, modified, replaced };

  struct OrderRow {
    std::int64_t time_ns;
    OrderId id;
    OrderId new_id;
    Price price;
    Quantity quantity;
    AccountId account;
    SymbolId symbol;
    OrderKind kind;
    Side side;
    Reason reason;
    std::uint8_t unused;
  };
  struct TradeRow {
    std::int64_t time_ns;
    OrderId maker;
    OrderId taker;
    Price price;
    Quantity quantity;
    SymbolId symbol;
    AccountId maker_account;
    AccountId taker_account;
    Side aggressor;
    std::uint8_t hidden;
    std::uint16_t unused16;
    std::uint32_t unused;
  };
  struct QuoteRow {
    std::int64_t time_ns;
    Quote quote;
  };

  /// Spools in `folder` until the tapes are written. Throws std::system_error if it cannot.
  explicit Tape(const std::filesystem::path& folder);
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  void order(const OrderRow& row) { orders_.put(row); }
  void trade(const TradeRow& row) { trades_.put(row); }
  void quote(const QuoteRow& row) { quotes_.put(row); }

  /// The errno of the first row that could not be spooled, or zero.
  int failure() const { return failure_.load(std::memory_order_relaxed); }

 private:
  friend struct TapeMerger;

  template <class Row>
  class Spool {
   public:
    Spool(const std::filesystem::path& folder, std::atomic<int>& failure);
    ~Spool() { close(file_); }
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    void put(const Row& row) {
      rows_.push_back(row);
      if (rows_.size() == rows_in_memory) flush();
    }
    /// Sorts what is in memory and writes it behind what is in the file: one more run of the merge.
    void flush() noexcept;

    static constexpr std::size_t rows_in_memory = 64 * 1024;
    std::atomic<int>& failure_;
    std::vector<Row> rows_;
    std::vector<Row> sorted_;
    int file_ = -1;  // anonymous: gone when closed
    std::uint64_t spooled_ = 0;
  };

  static void close(int file) noexcept;

  std::atomic<int> failure_{0};
  Spool<OrderRow> orders_;
  Spool<TradeRow> trades_;
  Spool<QuoteRow> quotes_;
};

/// Writes orders.csv, trades.csv and l1.csv. Requires: the runtime does not run. Throws std::system_error.
void write_tapes(const std::filesystem::path& folder, std::span<const std::unique_ptr<Tape>> tapes,
                 std::span<const Instrument> instruments);

}  // namespace outcry
