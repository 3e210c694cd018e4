// Desk: one symbol's book with everyone around it: who entered, who listens, what is stamped and taped.
//
// Takes the messages of a symbol actor one by one, lets the book match, and sends what came of it: each order's events
// to the account that owns it, then quotes, trade prints and depth to their subscribers.
// In a recorded market, orders of history (account 0) and ours rest in the same queues. Where ours stand in front of
// what history says has traded, ours trade instead; what history then says of orders that we changed is adjusted and
// counted in the ledger, so that no share trades twice.
// Thread: the symbol actor's. Nothing here awaits.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <outcry/actors/history_ledger.hpp>
#include <outcry/actors/participant.hpp>
#include <outcry/actors/stage_times.hpp>
#include <outcry/actors/stamp.hpp>
#include <outcry/actors/tape.hpp>
#include <outcry/book/order_book.hpp>

namespace outcry {

/// Told of a book after each event of history that was applied to it.
class BookProbe {
 public:
  virtual ~BookProbe() = default;
  virtual void after(const HistoryEvent& event, const OrderBook<>& book) = 0;
};

struct SeedOrder {
  Side side{};
  Price price{};
  Quantity quantity{};
};

/// What a symbol's book has done, written when the actor ends.
struct SymbolCounts {
  std::uint64_t commands = 0;  // new, cancel, reduce, modify, replace, carried out or refused
  std::uint64_t trades = 0;
  Volume shares = 0;
  std::uint64_t orders_live = 0;
};

struct SymbolOptions {
  Instrument instrument{};
  OrderPool* pool = nullptr;  // shared by the symbols of one scheduler; outlives them
  BookSize book_size{};
  StampClock stamps = StampClock::world;
  StageTimes* stages = nullptr;  // of the scheduler; null: nothing is measured
  Tape* tape = nullptr;          // of the scheduler; null: nothing is taped
  AccountId first_account{};     // accounts from here on are found fastest
  SymbolCounts* counts = nullptr;

  // Recorded markets.
  bool recorded = false;
  UnknownOrders unknown_orders = UnknownOrders::stop;
  std::vector<SeedOrder> seed{};      // anonymous orders that rest before the first event
  HistoryLedger* ledger = nullptr;    // where the symbol writes what it met; read when the runtime does not run
  BookProbe* probe = nullptr;
  std::atomic<bool>* failed = nullptr;  // set when the ledger notes its first failure
};

class Desk {
 public:
  Desk(SymbolSelf self, SymbolOptions options);
  ~Desk();
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  /// Called around each batch; the clock is read here and nowhere else.
  void begin_batch();
  void end_batch();

  void take(const NewOrder& command);
  void take(const CancelOrder& command);
  void take(const ReduceOrder& command);
  void take(const ModifyOrder& command);
  void take(const ReplaceOrder& command);
  void take(const EndOfDay& command);
  void take(const HistoryEvent& event);
  void take(const EnterSymbol& enter);
  void take(const SubscribeQuotes& subscribe);
  void take(const SubscribeTrades& subscribe);
  void take(const SubscribeDepth& subscribe);
  void take(const Ask<QuoteQuery>& ask);

  const OrderBook<>& book() const { return book_; }

  // The book's consumer.
  void on(const Accepted& event);
  void on(const Rejected& event);
  void on(const Traded& event);
  void on(const Cancelled& event);
  void on(const Reduced& event);
  void on(const Modified& event);
  void on(const Replaced& event);

 private:
  void took(std::int64_t arrival_ns);
  void publish();
  Quote quote() const;
  Depth depth() const;
  template <class Event>
  void tell(AccountId account, const Event& event);
  const ParticipantAddress* owner(AccountId account) const;
  void tape_order(Tape::OrderKind kind, OrderId id, OrderId new_id, Price price, Quantity quantity, AccountId account, Side side,
                  Reason reason);

  // History.
  struct OwnOrder {
    OrderId id;
    Side side;
    Price price;
  };
  void add(const HistoryEvent& event);
  void execute(const HistoryEvent& event);
  void reduce(const HistoryEvent& event, Quantity by);
  void remove(const HistoryEvent& event);
  void replace(const HistoryEvent& event);
  void print(Price price, Quantity quantity, Side aggressor, bool hidden);
  Quantity fill_own(const HistoryEvent& event, Side side, Price price, Quantity quantity);
  bool unknown(const HistoryEvent& event, Quantity quantity);
  void fail(const HistoryEvent& event, Reason reason);
  void note_own(OrderId id, AccountId account);
  void forget_own(OrderId id);

  SymbolSelf self_;
  SymbolOptions options_;
  std::optional<OrderPool> own_pool_;
  OrderBook<> book_;
  StageTimes::SymbolStages* stages_ = nullptr;

  std::vector<ParticipantAddress> participants_;  // from first_account on
  std::unordered_map<std::uint32_t, ParticipantAddress> other_participants_;
  std::vector<QuoteAddress> quote_listeners_;
  std::vector<TradeAddress> trade_listeners_;
  std::vector<DepthAddress> depth_listeners_;

  Quote quote_{};
  Depth depth_{};
  std::uint32_t quotes_ = 0;
  std::uint32_t trades_ = 0;

  // The batch, and the command in progress.
  std::int64_t now_ns_ = 0;
  std::int64_t taken_ns_ = 0;
  std::uint32_t in_batch_ = 0;
  std::int64_t arrival_ns_ = 0;

  // History: our live orders, and what history believes of the orders that we changed.
  HistoryLedger own_ledger_;
  HistoryLedger* ledger_;
  std::vector<OwnOrder> own_;
  struct Belief {
    Quantity open;
    Side side;
  };
  std::unordered_map<OrderId, Belief> believed_;
  std::unordered_map<std::int64_t, OrderId> anonymous_[2];  // by price, for each side
  Reason refused_ = Reason::none;                           // by the book, of the event in progress
  bool applying_history_ = false;
  bool history_meets_own_ = false;  // an order of history trades with ours on its way in
};

}  // namespace outcry
