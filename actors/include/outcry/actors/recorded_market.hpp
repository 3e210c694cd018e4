// RecordedMarket: recorded market data through one feed actor and one book actor for each symbol, in recorded time, with
// a strategy whose orders rest in the same books, in queue order.
//
// The feed sends each record to arrive at its recorded time; nothing waits, so a day plays as fast as the machine can.
// The same file and strategy give the same digest on any number of schedulers.
// A strict replay ends at the first event that names an order the book does not have, or that the book refuses; the
// earliest such record of the file is the one that is reported. A LOBSTER file begins in the middle of the day, so there
// orders that nobody has shown are counted, and taken from the levels of its order book file if that is given.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <outcry/actors/history_ledger.hpp>
#include <outcry/actors/pools_report.hpp>
#include <outcry/actors/stage_times.hpp>
#include <outcry/actors/tape.hpp>
#include <outcry/actors/trader.hpp>
#include <outcry/book/book_report.hpp>
#include <outcry/net/format.hpp>
#include <outcry/net/reference.hpp>
#include <outcry/runtime/runtime.hpp>

namespace outcry {

struct ReplayOptions {
  std::string file{};
  std::optional<Format> format{};  // none: recognised
  std::string orderbook{};         // LOBSTER: the order book file that the levels are seeded from
  std::string verify{};            // a reference to compare the book with; empty: none. Files of one symbol only
  std::size_t verify_levels = ~std::size_t{0};
  bool lenient = false;  // count broken input and go on
  std::uint32_t schedulers = 1;
  std::uint64_t seed = 1;  // of the strategy's random numbers
  StrategyFunction strategy = nullptr;
  Duration strategy_latency = std::chrono::microseconds(100);
  Duration strategy_compute{0};
  Fees fees{};
  bool measure = true;
  std::string tape_folder{};
  std::string publish{};  // the name of the shared memory that readers outside find it by; empty: none
  PoolsReport pools{};    // of an earlier run, to size the pools by
  std::vector<std::uint32_t> processors{};  // by scheduler; empty: wherever the system likes
  MemoryOptions memory{};                   // of the schedulers' arenas
};

struct ReplayReport {
  std::uint64_t messages = 0;  // records of the file
  std::uint32_t symbols = 0;
  std::uint64_t trades = 0;  // printable executions, displayed and hidden
  std::uint64_t shares = 0;
  std::uint64_t orders_live = 0;  // at the end, of all books
  std::uint64_t rows_compared = 0;
  std::uint64_t rows_equal = 0;
  std::uint64_t rows_missing = 0;
  std::uint64_t rows_extra = 0;
  bool verified = true;            // all that was compared was equal, and nothing was missing or extra
  std::string first_difference{};  // line and both sides; empty: none
  std::string error{};             // what stopped the replay: file, offset or line, what was found and expected
  std::uint64_t broken = 0;        // lenient: records that were passed over
  std::uint64_t refused = 0;       // messages that a full mailbox refused
  HistoryLedger ledger{};          // of all symbols together
  double wall_s = 0;
  std::uint64_t digest = 0;
  Time from{}, to{};  // recorded times of the first and last event
  bool stopped = false;
  PoolsReport pools{};
  BookReport books{};  // all of them together, at the end
};

class RecordedMarket {
 public:
  /// Opens the files; reads a file that lists its instruments as they come once, to know them all. Throws InputError
  /// if a file cannot be read or is not what was asked for, std::invalid_argument for options that make no sense.
  explicit RecordedMarket(ReplayOptions options);
  ~RecordedMarket();

  /// Plays the file to its end, to its first broken record, or until stop(). Once.
  ReplayReport run();
  /// From any thread or a signal handler.
  void stop() noexcept;

  /// While it runs, from any thread: the share of the file that was read, 0 to 1.
  double progress() const;
  std::uint64_t messages() const;

  const ReplayOptions& options() const { return options_; }
  const std::vector<Instrument>& instruments() const { return instruments_; }
  /// One for each scheduler; after run() one, gathered by timing actors from all.
  const std::vector<std::unique_ptr<StageTimes>>& stage_times() const { return stage_times_; }
  const std::vector<std::unique_ptr<Tape>>& tapes() const { return tapes_; }
  const TraderReport& trader_report() const { return trader_report_; }

 private:
  struct Parts;

  ReplayOptions options_;
  std::vector<Instrument> instruments_;
  std::vector<std::unique_ptr<StageTimes>> stage_times_;
  std::vector<std::unique_ptr<Tape>> tapes_;
  TraderReport trader_report_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace outcry
