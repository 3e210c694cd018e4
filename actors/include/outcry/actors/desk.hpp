// Desk: one symbol's book with everyone around it: who entered, who listens, what is stamped and taped.
//
// Takes the messages of a symbol actor one by one, lets the book match, and sends what came of it: each order's events
// to the account that owns it, then quotes, trade prints and depth to their subscribers.
// In a recorded market, orders of history and ours rest in the same queues (DeskHistory).
// In a market with rules the owners of special orders hear of them, too; subscribers hear of phases and auctions. What
// is not displayed is in no quote, depth or publication; a trade with it is printed as hidden. An auction has no taker:
// both sides are told that their orders rested.
// Thread: the symbol actor's. Nothing here awaits.
// Limits: with rules a command may allocate, and while an auction collects each command walks the levels if anyone
//   listens to it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <outcry/actors/awaited_terms.hpp>
#include <outcry/actors/desk_history.hpp>
#include <outcry/actors/history_ledger.hpp>
#include <outcry/actors/participant.hpp>
#include <outcry/actors/shown_orders.hpp>
#include <outcry/actors/stage_times.hpp>
#include <outcry/actors/stamp.hpp>
#include <outcry/actors/tape.hpp>
#include <outcry/book/book_report.hpp>
#include <outcry/book/order_book.hpp>

namespace outcry {

class BookDoor;
class SymbolPublication;

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

/// The end of an auction in which something traded.
struct AuctionResult {
  std::int64_t time_ns = 0;
  Price price{};
  Volume volume{};
  std::int64_t imbalance = 0;
  SymbolId symbol{};
  friend bool operator==(const AuctionResult&, const AuctionResult&) = default;
};

/// What a symbol's book has done, written when the actor ends.
struct SymbolCounts {
  std::uint64_t commands = 0;  // new, cancel, reduce, modify, replace, carried out or refused
  std::uint64_t trades = 0;
  Volume shares = 0;
  std::uint64_t orders_live = 0;  // that are displayed
  BookReport book{};
  std::vector<AuctionResult> auctions{};
  std::string wrong{};  // what SymbolOptions::check has found
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
  SymbolPublication* publication = nullptr;  // null: readers outside see nothing
  std::optional<BookRules> rules{};          // none: special orders are refused. Not in recorded markets
  std::uint32_t breakable_trades = 0;        // how many of its last trades it can break; they are kept
  bool check = false;                        // looks for a broken invariant of the book when the actor ends
  BookDoor* door = nullptr;                  // live worlds: where other threads find the book to read it

  // Recorded markets.
  bool recorded = false;
  UnknownOrders unknown_orders = UnknownOrders::stop;
  std::vector<SeedOrder> seed{};    // anonymous orders that rest before the first event
  HistoryLedger* ledger = nullptr;  // where the symbol writes what it met; read when the runtime does not run
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
  void take(const SpecialOrder& command);
  void take(const InPlaceOf& command);
  void take(const BreakTrade& command);
  void take(const MassCancel& command);
  void take(const ExpireOrders& command);
  void take(const ChangePhase& command);
  void take(const SubscribePhases& subscribe);
  void take(const SubscribeAuctions& subscribe);
  void take(const SubscribeOrders& subscribe);

  /// What subscribers to orders have not had; null: nothing. Whoever runs the desk hands it over after each batch.
  ShownOrders* shown_orders() {
    return shown_orders_ != nullptr && shown_orders_->has_any() ? shown_orders_.get() : nullptr;
  }

  const OrderBook<>& book() const { return book_; }

  /// A trade that history tells of, of an order that is in no book.
  struct UnseenTrade {
    OrderId rested{};
    Price price{};
    Quantity quantity{};
    Side side{};  // of what rested
    bool hidden = false;
  };
  void print_unseen(const UnseenTrade& trade);

  // The book's consumer.
  void on(const Accepted& event);
  void on(const Rejected& event);
  void on(const Traded& event);
  void on(const Cancelled& event);
  void on(const Reduced& event);
  void on(const Modified& event);
  void on(const Replaced& event);
  void on(const AcceptedTerms& event);
  void on(const Refreshed& event);
  void on(const Triggered& event);
  void on(const Repriced& event);
  void on(const PhaseChanged& event);
  void on(const Uncrossed& event);
  /// A book leaves out what its consumer does not take. This one takes everything, so that nothing gets lost unseen.
  template <class Event>
  void on(const Event&) {
    static_assert(sizeof(Event) == 0, "the desk has to pass on this event of the book");
  }

 private:
  void took(std::int64_t arrival_ns);
  std::optional<Quantity> what_is_left(const InPlaceOf& replaced, Quantity wanted);
  void replace(const InPlaceOf& replaced, SpecialOrder order);
  void keep(const Traded& event, std::uint32_t number);
  void publish();
  void publish_quote();
  void publish_depth();
  void publish_by_rules();
  std::int64_t caused_ns() const { return stages_ != nullptr ? taken_ns_ : arrival_ns_; }
  void print(Price price, Quantity quantity, Side aggressor, bool hidden);
  Quote quote() const;
  Depth depth() const;
  template <class Event>
  void tell(AccountId account, const Event& event);
  template <class Event, class... More>
  void tell_followers(const Event& event, More... more);
  template <class Event>
  void tell_terms(AccountId account, const Event& event);
  const ParticipantAddress* owner(AccountId account) const;
  template <class Event>
  void tape(Tape::OrderKind kind, const Event& event, Quantity quantity, Reason reason = Reason::none);
  bool was_displayed(const Traded& event);
  Indicative indicative() const;

  SymbolSelf self_;
  SymbolOptions options_;
  std::optional<OrderPool> own_pool_;
  OrderBook<> book_;
  StageTimes::SymbolStages* stages_ = nullptr;
  Fairness* fairness_ = nullptr;  // if there are stages

  std::vector<ParticipantAddress> participants_;  // from first_account on
  std::unordered_map<std::uint32_t, ParticipantAddress> other_participants_;
  std::vector<QuoteAddress> quote_listeners_;
  std::vector<TradeAddress> trade_listeners_;
  std::vector<DepthAddress> depth_listeners_;

  std::unique_ptr<ShownOrders> shown_orders_;  // null: nobody has asked

  Quote quote_{};  // as it was last published
  Depth depth_{};
  std::uint32_t quotes_ = 0;
  std::uint32_t trades_ = 0;

  // Rules; all of it stays empty without them.
  std::unordered_map<std::uint32_t, TermsAddress> terms_listeners_;
  std::vector<PhaseAddress> phase_listeners_;
  std::vector<AuctionAddress> auction_listeners_;
  std::unordered_set<OrderId> undisplayed_;  // orders that rest out of sight, or may
  std::vector<OrderId> perhaps_gone_;        // of those: that may have been used up by the command in progress
  std::vector<AuctionResult> auctions_;
  Indicative indicative_{};  // as it was last published
  bool has_rules_ = false;
  bool uncrossing_ = false;

  // Trades that can be broken, and who wants to hear of it.
  struct BreakableTrade {
    Traded traded;
    std::uint32_t number = 0;
    bool broken = false;
  };
  std::vector<BreakableTrade> trades_kept_;  // by their number, modulo how many are kept
  std::unordered_map<std::uint32_t, BrokenAddress> broken_listeners_;

  AwaitedTerms awaited_;

  // The batch, and the command in progress.
  std::int64_t now_ns_ = 0;
  std::int64_t taken_ns_ = 0;
  std::uint32_t in_batch_ = 0;
  std::int64_t arrival_ns_ = 0;

  DeskHistory history_;
};

}  // namespace outcry
