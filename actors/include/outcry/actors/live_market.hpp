// LiveMarket: a strategy on a venue elsewhere: its orders through OUCH or FIX, what it sees from ITCH feeds.
//
//   trader ──▶ live_symbol, one for each ──▶ order_line ◀══ OUCH 5.0, FIX ══▶ venue
//     ▲              └─ subscriptions ─▶ feed_subscriber ◀══ MoldUDP64, GLIMPSE ══ venue
//     └──── quotes, depth, trades, what becomes of its orders ────┘
//
// The strategy starts once the venue has let it in. At the end (stop(), `length`, or the strategy returns) nothing new is
// sent, everything open is cancelled and confirmed, then the strategy hears that the market is over: position and cash
// are those that the venue has. A lost connection is made anew; meanwhile orders are refused (Reason::disconnected).
// Thread: run() on one thread; stop() from any or a signal handler. Live time.
// Limits: prices are in 1/10,000, as on the wire. No sessions: what a venue's rules add (phases) the feed tells.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <outcry/actors/feed_subscriber.hpp>
#include <outcry/actors/order_line.hpp>
#include <outcry/actors/stage_times.hpp>
#include <outcry/actors/tape.hpp>
#include <outcry/actors/trader.hpp>
#include <outcry/runtime/runtime.hpp>

namespace outcry {

struct LiveOptions {
  struct Feed {
    FeedSubscriberOptions subscriber{};  // client.instruments are set here
    std::vector<SymbolId> symbols{};
  };

  std::vector<Instrument> instruments{};  // by SymbolId, from 0
  OrderLineOptions orders{};              // its account, instruments and status are set here
  std::vector<Feed> feeds{};
  StrategyFunction strategy = nullptr;
  AccountId account{1};
  Fees fees{};
  Duration length{0};                           // zero: until stop()
  Duration patience = std::chrono::seconds(5);  // to be let in at the start, and for the last cancels
  std::uint32_t schedulers = 1;
  IdlePolicy idle = IdlePolicy::spin_then_sleep;
  std::vector<std::uint32_t> processors{};
  MemoryOptions memory{};
  bool measure = true;
};

struct LiveReport {
  std::uint32_t times_lost = 0;   // connections for orders
  std::uint32_t open_orders = 0;  // at the end, that the venue has not confirmed to be gone
  std::uint64_t feed_messages = 0;
  std::uint64_t feed_recoveries = 0;  // gaps that only a snapshot could close
  std::uint64_t feeds_stale = 0;      // that were not current at the end
  double wall_s = 0;
  bool stopped = false;
  std::string error{};  // why there was no trading, or no more of it
};

class LiveMarket {
 public:
  /// Throws std::invalid_argument for options that make no sense.
  explicit LiveMarket(LiveOptions options);
  ~LiveMarket();

  /// Trades until the end. Once.
  LiveReport run();
  void stop() noexcept { asked_to_stop_.store(true, std::memory_order_relaxed); }

  const std::vector<Instrument>& instruments() const { return options_.instruments; }
  const std::vector<std::unique_ptr<StageTimes>>& stage_times() const { return stage_times_; }
  const std::vector<std::unique_ptr<Tape>>& tapes() const { return tapes_; }
  const TraderReport& trader_report() const { return trader_report_; }
  /// While it runs, from any thread: whether orders can be sent just now.
  bool is_up() const { return up_.load(std::memory_order_relaxed); }

 private:
  LiveOptions options_;
  std::vector<std::unique_ptr<StageTimes>> stage_times_;
  std::vector<std::unique_ptr<Tape>> tapes_;  // none
  TraderReport trader_report_;
  std::atomic<bool> asked_to_stop_{false};
  std::atomic<bool> up_{false};
};

}  // namespace outcry
