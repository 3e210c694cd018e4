// Tape: what happened in a run, row by row, for the files of the run's folder. One for each scheduler.
//
// Rows are spooled to temporary files as they come, so that memory does not grow with the run; write_tapes() merges the
// tapes of all schedulers by (time, symbol, order of events of the symbol) into orders.csv, trades.csv and l1.csv: the
// same files for any number of schedulers. A market with phases has a fourth, phases.csv.
// Rows of orders.csv that only special orders have: `terms` follows `accepted` (the trigger as price, the displayed or
// least part as quantity, the type and the terms as reason); `refreshed`: what an iceberg displays now; `triggered`: a
// stop, with the limit that it has from here on; `repriced`: a peg has moved; `parked`: it has nothing to be pegged to.
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
  enum class OrderKind : std::uint8_t {
    accepted,
    rejected,
    cancelled,
    reduced,
    modified,
    replaced,
    terms,
    refreshed,
    triggered,
    repriced,
    parked
  };

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
    union {
      Reason reason;
      SpecialType type;  // of OrderKind::terms
    };
    std::uint8_t terms;  // of OrderKind::terms: the Terms
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
  /// A phase that began, or the end of an auction in which something traded.
  struct PhaseRow {
    std::int64_t time_ns;
    Price price;
    Volume volume;
    std::int64_t imbalance;
    SymbolId symbol;
    Phase phase;
    bool uncrossed;
  };

  /// Spools in `folder` until the tapes are written. Throws std::system_error if it cannot.
  explicit Tape(const std::filesystem::path& folder);
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  void order(const OrderRow& row) { orders_.put(row); }
  void trade(const TradeRow& row) { trades_.put(row); }
  void quote(const QuoteRow& row) { quotes_.put(row); }
  void phase(const PhaseRow& row) { phases_.put(row); }

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
  Spool<PhaseRow> phases_;
};

/// "continuous", "halted", "auction".
const char* name_of(Phase phase);

/// Writes orders.csv, trades.csv and l1.csv, and phases.csv if there was any. Requires: the runtime does not run. Throws std::system_error.
void write_tapes(const std::filesystem::path& folder, std::span<const std::unique_ptr<Tape>> tapes,
                 std::span<const Instrument> instruments);

}  // namespace outcry
