// SimulatedMarket: symbols with agents in virtual time. The same seed gives the same market, to the bit, on any number
// of schedulers.
//
// Each symbol is a site: its book and its agents share a scheduler and an event queue. A strategy is a site of its own
// and trades on all symbols over links of `strategy_latency`. With limits its orders pass a RiskGate there, which takes no
// time; but of what happens at one moment it hears of its own orders behind the market data.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <outcry/actors/desk.hpp>
#include <outcry/actors/pools_report.hpp>
#include <outcry/actors/pre_trade_risk.hpp>
#include <outcry/actors/session.hpp>
#include <outcry/actors/stage_times.hpp>
#include <outcry/actors/tape.hpp>
#include <outcry/actors/trader.hpp>
#include <outcry/book/book_report.hpp>
#include <outcry/book/book_rules.hpp>
#include <outcry/runtime/runtime.hpp>

namespace outcry {

/// Who trades in each symbol.
struct AgentCounts {
  std::uint32_t noise = 40;
  std::uint32_t value = 10;
  std::uint32_t makers = 2;
};

/// How they trade. Prices in cents; one tick is one cent.
struct AgentBehaviour {
  Duration noise_wake = std::chrono::seconds(20);      // mean
  Duration value_wake = std::chrono::seconds(30);      // mean
  Duration maker_wake = std::chrono::seconds(2);       // mean
  Duration distance = std::chrono::microseconds(400);  // agents lie up to so far from the symbol, one way
  Duration compute{50};                                // what one message costs an agent
  double fundamental_price = 100'00;                   // mean, in cents
  double fundamental_volatility = 0.20;                // a year, of the price
  double observation_error = 8;                        // of a value agent, standard deviation in cents
  // Of the orders that noise agents leave in the book, the share that is special, each kind; at most 1 together.
  double icebergs = 0;
  double hidden = 0;
  double stops = 0;  // a fifth of them trailing, two fifths with a limit
  double pegs = 0;
  bool special() const { return icebergs > 0 || hidden > 0 || stops > 0 || pegs > 0; }
};

/// The configuration `w1`: one symbol of unit orders with zero intelligence, after Smith, Farmer, Gillemot and
/// Krishnamurthy 2003. Rates a second; prices in ticks.
struct ZeroIntelligence {
  double limit_rate = 0.05;    // alpha, for each tick and side
  double market_rate = 40;     // mu, both sides together
  double epsilon = 0.2;        // 2 delta / mu: sets delta, the rate at which each resting order is cancelled
  std::uint32_t width = 6000;  // of placement, in ticks from the opposite best

  double cancel_rate() const { return epsilon * market_rate / 2; }
  double characteristic_price() const { return market_rate / (2 * limit_rate); }
  Duration warm_up() const { return Duration(static_cast<std::int64_t>(20e9 / cancel_rate())); }
};

struct SimulationOptions {
  std::uint32_t symbols = 1;
  Duration length = std::chrono::hours(1);  // of w1: after the warm-up
  std::uint64_t seed = 1;
  std::uint32_t schedulers = 1;
  AgentCounts agents{};
  AgentBehaviour behaviour{};
  std::optional<ZeroIntelligence> zero_intelligence{};  // instead of the agents
  // A venue's market: its rules, and its day. Either, or special orders of the agents, makes every book one with rules.
  std::optional<BookRules> rules{};
  std::optional<SessionPlan> session{};
  bool has_rules() const { return rules || session || behaviour.special(); }
  StrategyFunction strategy = nullptr;
  Duration strategy_latency = std::chrono::microseconds(100);
  Duration strategy_compute{0};
  std::optional<RiskLimits> strategy_limits{};  // before an order of it leaves for a book; none: it is trusted
  Fees fees{};
  bool measure = true;        // stage times
  std::string tape_folder{};  // empty: nothing is taped
  std::string publish{};      // the name of the shared memory that readers outside find it by; empty: none
  bool check = false;         // looks for broken invariants of the books at the end
  double pace = 0;            // simulated seconds a second; 0: as fast as it goes. The result is the same
  PoolsReport pools{};        // of an earlier run, to size the pools by
  std::vector<std::uint32_t> processors{};  // by scheduler; empty: wherever the system likes
  MemoryOptions memory{};                   // of the schedulers' arenas
};

struct SimulationReport {
  std::uint32_t symbols = 0;
  std::uint64_t agents = 0;
  std::uint64_t delivered = 0;  // handler activations by one message or timer
  std::uint64_t commands = 0;   // new, cancel, modify ... that reached a book
  std::uint64_t trades = 0;
  std::uint64_t shares = 0;
  std::uint64_t refused = 0;   // messages that a full mailbox refused
  std::uint64_t failures = 0;  // actors that an exception ended
  std::uint64_t limited = 0;   // orders and changes of the strategy that its limits did not let pass
  Duration simulated{};
  double wall_s = 0;
  std::uint64_t digest = 0;
  bool stopped = false;                   // before its end, by stop()
  std::vector<AuctionResult> auctions{};  // by time, then symbol
  std::string wrong{};                    // of SimulationOptions::check: the first that was found
  // Of w1.
  double spread_over_pc = 0;
  double spread_cv = 0;
  PoolsReport pools{};
  BookReport books{};  // all of them together, at the end
};

class SimulatedMarket {
 public:
  /// Builds the market. Throws std::invalid_argument for options that make no sense, SharedMemoryError where it cannot
  /// be published.
  explicit SimulatedMarket(SimulationOptions options);
  ~SimulatedMarket();

  /// Plays it to its end, or until stop(). Once.
  SimulationReport run();
  /// From any thread or a signal handler.
  void stop() noexcept;

  /// While it runs, from any thread: how far it has come.
  Duration progress() const;
  /// While it runs, from any thread, roughly.
  std::uint64_t delivered() const;

  const SimulationOptions& options() const { return options_; }
  const std::vector<Instrument>& instruments() const { return instruments_; }
  /// One for each scheduler; after run() one, gathered by timing actors from all.
  const std::vector<std::unique_ptr<StageTimes>>& stage_times() const { return stage_times_; }
  const std::vector<std::unique_ptr<Tape>>& tapes() const { return tapes_; }
  /// What the strategy ended with; empty if there was none.
  const TraderReport& trader_report() const { return trader_report_; }

 private:
  struct Parts;

  void play_at_pace();

  SimulationOptions options_;
  std::vector<Instrument> instruments_;
  std::vector<std::unique_ptr<StageTimes>> stage_times_;
  std::vector<std::unique_ptr<Tape>> tapes_;
  TraderReport trader_report_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace outcry
