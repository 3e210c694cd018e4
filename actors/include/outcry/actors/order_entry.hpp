// OrderEntry: an account's orders at the venue, in the words of no protocol.
//
// A port (OUCH, FIX) asks it to enter, replace, reduce and cancel orders and passes on what the symbols answer; it gives
// the commands their ids, keeps what each order has open and executed and what is under way, and says what the client
// is to be told. The port knows what the client calls its orders, and how the protocol says things:
//
//     const OrderEntry::Answer answer = entry.enter({.symbol = aapl, .price = {1'500'000}, .quantity = {100}});
//     if (!answer) return reject(answer);                   // else remember the client's key under answer.order.value
//     ...
//     const OrderNews news = entry.heard(filled);           // an event of the symbol
//     if (news) tell(news, entry.order(news.order));
//
// What a client asks for is the size that it wants to be liable for in all, what was executed included. The symbol may
// have executed more than has been heard here, so no number of open shares is ever sent as it is: a reduction is sent as
// a difference, a replacement together with what was open when it was sent (ReplaceOrder::seen_open). Whatever it
// changes, the symbol puts the new order in the place of the old one in one step.
// A client need not wait for answers: orders that are still under way can be reduced, cancelled and replaced.
//
// Ids: the account (24 bits) above a number that never comes twice; from 2^38 to below 2^62.
// Thread: one owner. Nothing allocates but the constructor.
// Limits: `most_orders` at a time, those counted that wait for a last answer; full: pool_exhausted.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <outcry/actors/participant.hpp>
#include <outcry/actors/pre_trade_risk.hpp>
#include <outcry/actors/symbol_directory.hpp>
#include <outcry/messages/commands.hpp>
#include <outcry/messages/events.hpp>

namespace outcry {

/// A place in the table of a port's orders, from 0 to `most_orders` - 1: for arrays beside it. It is given to another
/// order some time after the last news about this one.
struct OrderHandle {
  std::uint32_t value = 0xFFFFFFFF;
  explicit operator bool() const { return value != 0xFFFFFFFF; }
  friend bool operator==(OrderHandle, OrderHandle) = default;
};

/// Who asked for an order to be cancelled.
enum class CancelCause : std::uint8_t { client, disconnect, supervisor, replacement };

struct OrderTicket {
  SymbolId symbol{};
  Side side{};
  SpecialType type = SpecialType::limit;
  TimeInForce time_in_force = TimeInForce::day;
  Terms terms = Terms::none;
  Price price{};
  std::int64_t trigger = 0;  // as in SpecialOrder
  Quantity quantity{};
  Quantity part{};              // as in SpecialOrder
  std::uint32_t expires_s = 0;  // good_till_time: in whole seconds of the world's time
  SaleMark mark = SaleMark::none;
  bool located = false;

  /// Whether only a symbol with rules takes it.
  bool is_special() const {
    return type > SpecialType::market || time_in_force > TimeInForce::fill_or_kill ||
           (terms != Terms::none && terms != Terms::post_only);
  }
};

/// What a replacement may change.
struct OrderChange {
  Price price{};
  Quantity total{};  // to be liable for, what was executed and prevented included
  TimeInForce time_in_force = TimeInForce::day;
  SpecialType type = SpecialType::limit;
  Terms terms = Terms::none;
  std::int64_t trigger = 0;
  Quantity part{};
  std::uint32_t expires_s = 0;
};

enum class EntryState : std::uint8_t {
  none,
  waiting,  // a replacement that is not sent before a reduction of its original is answered
  sent,     // the symbol has not answered
  live,
  done,
};

struct EnteredOrder {
  OrderId id{};
  OrderTicket ticket{};  // its quantity is the one it began with
  Quantity total{};      // executed, prevented and open together
  Quantity executed{};
  Quantity prevented{};  // taken off instead of trading with oneself
  Quantity open{};       // as far as is known here
  Quantity wanted{};     // the total once all reductions under way are done
  OrderHandle before{};  // of a replacement that is under way: the order it is to replace
  OrderHandle after{};   // of an order that is to be replaced: the replacement under way
  EntryState state{};
  CancelCause cause{};         // of the last cancel
  std::uint8_t under_way = 0;  // bits; OrderEntry's own business
  std::uint8_t owed = 0;
  Quantity reducing_by{};

  bool is_open() const { return state == EntryState::sent || state == EntryState::live; }
};

/// What the client is to be told of an event.
struct OrderNews {
  enum class Kind : std::uint8_t {
    none,
    accepted,
    refused,              // a new order: `reason`
    filled,               // `quantity` at `price`
    reduced,              // by `quantity`: asked for
    prevented,            // by `quantity`, instead of trading with oneself at `price`
    cancelled,            // `quantity` has left the book
    replaced,             // `before` by `order`
    replacement_refused,  // `order` never was; `before` is as it was, or gone, see its state
    refreshed,            // `quantity` is displayed, `reserve` behind it
    repriced,             // `price`
    triggered,            // a stop is a market order now, or a limit order
  };
  Kind kind = Kind::none;
  Reason reason = Reason::none;
  CancelCause cause{};  // cancelled
  bool maker = false;   // filled: it rested
  bool last = false;    // nothing more will be said about `order`
  OrderHandle order{};
  OrderHandle before{};   // replaced, replacement_refused
  OrderHandle dropped{};  // cancelled, filled: a replacement that was under way and will never be
  Price price{};
  Quantity quantity{};
  Quantity reserve{};
  std::uint64_t match = 0;  // filled: the same number for both sides, and for no other trade of the venue

  explicit operator bool() const { return kind != Kind::none; }
};

/// Where commands go: past the risk checks into the symbols' mailboxes.
class OrderRoute {
 public:
  /// Neither sent nor refused: the symbol has no room.
  struct Sent {
    bool sent = false;
    RiskReason refused = RiskReason::none;
  };

  virtual ~OrderRoute() = default;
  virtual Sent send(const NewOrder& command, const RiskCall& call) noexcept = 0;
  virtual Sent send(const SpecialOrder& command, const RiskCall& call) noexcept = 0;
  virtual Sent send(const ReplaceOrder& command, const RiskCall& call) noexcept = 0;
  virtual Sent send(const ReplaceTerms& command, const RiskCall& call) noexcept = 0;
  // These are never refused.
  virtual bool send(const ReduceOrder& command) noexcept = 0;
  virtual bool send(const CancelOrder& command) noexcept = 0;
  virtual bool send(const MassCancel& command) noexcept = 0;
};

struct OrderEntryOptions {
  AccountId account{};                  // below 2^24
  std::uint32_t risk_port = 0;          // as PreTradeRisk::add_port() gave it
  std::uint32_t most_orders = 1 << 16;  // at most 2^20
};

class OrderEntry {
 public:
  struct Answer {
    OrderHandle order{};
    Reason reason = Reason::none;
    RiskReason risk = RiskReason::none;
    explicit operator bool() const { return static_cast<bool>(order); }
  };

  /// `symbols` and `route` outlive it. Throws std::invalid_argument for options out of range.
  OrderEntry(const OrderEntryOptions& options, const SymbolDirectory& symbols, OrderRoute& route);

  /// The time of what comes next, once for each batch: monotonic, and as commands are stamped.
  void now(std::int64_t now_ns, std::int64_t arrival_ns) {
    now_ns_ = now_ns;
    arrival_ns_ = arrival_ns;
  }

  /// A new order, on its way to its symbol; or why not: by the instrument's grid (reason), by the risk checks (risk).
  Answer enter(const OrderTicket& ticket) noexcept;

  /// Another order instead of this one. What is refused leaves `order` as it is: with unknown_order it is dead, about to
  /// be, or being replaced already; with quantity_exceeds_open as much was executed; with invalid_combination it waits
  /// itself for the order that it replaces.
  Answer replace(OrderHandle order, const OrderChange& change) noexcept;
  /// Why a replacement makes no sense by the instrument's grid, whatever the order.
  Reason refusal_of(const OrderChange& change, SymbolId symbol) const noexcept;

  /// Makes an order smaller: `total` is what it is to be liable for. False if it is no larger, or dead, or the difference
  /// is no multiple of the lot. It is cancelled if that much was executed.
  bool reduce(OrderHandle order, Quantity total) noexcept;
  /// False if there is nothing to be cancelled, or it is being cancelled already.
  bool cancel(OrderHandle order, CancelCause cause = CancelCause::client) noexcept;
  /// Cancels what the account has in a symbol, or in all; on one side or both.
  void mass_cancel(std::optional<SymbolId> symbol, std::optional<Side> side, CancelCause cause) noexcept;

  /// Marks an order as a short sale, or not: for the replacements to come.
  void mark(OrderHandle order, SaleMark mark) noexcept { at(order).ticket.mark = mark; }

  /// Cancels and reductions that found no room at their symbol are kept. Sends them again.
  void retry() noexcept;
  bool owes() const { return owes_ != 0; }
  bool owes(OrderHandle order) const { return orders_[order.value].owed != 0; }

  // What the account hears of the symbols, in the order in which it comes.
  OrderNews heard(const Accepted& event) noexcept;
  OrderNews heard(const Rejected& event) noexcept;
  OrderNews heard(const Filled& event) noexcept;
  OrderNews heard(const Cancelled& event) noexcept;
  OrderNews heard(const Reduced& event) noexcept;
  OrderNews heard(const Modified& event) noexcept;
  OrderNews heard(const Replaced& event) noexcept;
  OrderNews heard(const AcceptedTerms& event) noexcept;
  OrderNews heard(const Refreshed& event) noexcept;
  OrderNews heard(const Triggered& event) noexcept;
  OrderNews heard(const Repriced& event) noexcept;

  /// Requires: a handle of an answer or of news, before it is given to another order.
  const EnteredOrder& order(OrderHandle handle) const { return orders_[handle.value]; }
  /// Orders that are sent or live, of all symbols.
  std::uint32_t open_orders() const { return open_orders_; }
  std::uint32_t open_orders(SymbolId symbol) const { return open_in_[symbol.value]; }
  /// Calls visitor(OrderHandle, const EnteredOrder&) for each order that is sent or live.
  template <class Visitor>
  void each_open(Visitor&& visitor) const {
    for (std::uint32_t i = 0; i < used_; ++i)
      if (orders_[i].is_open()) visitor(OrderHandle{i}, orders_[i]);
  }
  const SymbolDirectory& symbols() const { return symbols_; }
  AccountId account() const { return options_.account; }
  std::uint32_t capacity() const { return options_.most_orders; }

 private:
  static constexpr int slot_bits = 20;
  static constexpr int round_bits = 18;

  /// Null: there is none.
  EnteredOrder* take_place() noexcept;
  void give_back(OrderHandle handle) noexcept;
  void put_away() noexcept;
  EnteredOrder& at(OrderHandle handle) { return orders_[handle.value]; }
  /// Null if the event is about no order that is kept here.
  EnteredOrder* find(OrderId id) noexcept;
  OrderHandle handle_of(const EnteredOrder& order) const {
    return {static_cast<std::uint32_t>(&order - orders_.data())};
  }

  Reason refusal_of(const OrderTicket& ticket) const noexcept;
  Reason refusal_of(const Instrument& instrument, Price price) const noexcept;
  RiskCall call_for(const OrderTicket& ticket) const noexcept;
  SpecialOrder special(const EnteredOrder& order) const noexcept;
  OrderRoute::Sent send_order(const EnteredOrder& order) noexcept;
  OrderRoute::Sent send_replacement(const EnteredOrder& old, EnteredOrder& order) noexcept;
  void send_waiting(EnteredOrder& old) noexcept;
  void count_open(const EnteredOrder& order) noexcept;
  void end(EnteredOrder& order) noexcept;
  void answered(EnteredOrder& order, std::uint8_t what) noexcept;
  OrderHandle drop_replacement(EnteredOrder& old) noexcept;
  void send_reduction(EnteredOrder& order) noexcept;
  void send_cancel(EnteredOrder& order) noexcept;
  void owe(EnteredOrder& order, std::uint8_t what) noexcept;
  void pay(EnteredOrder& order, std::uint8_t what) noexcept;
  OrderNews news(OrderNews::Kind kind, const EnteredOrder& order) const noexcept;

  OrderEntryOptions options_;
  const SymbolDirectory& symbols_;
  OrderRoute& route_;
  std::int64_t now_ns_ = 0;
  std::int64_t arrival_ns_ = 0;

  std::vector<EnteredOrder> orders_;
  std::vector<std::uint32_t> free_;  // a ring: the one that was given back first is taken first
  std::uint32_t free_first_ = 0, free_count_ = 0;
  std::uint32_t used_ = 0;    // places ever taken
  OrderHandle leaving_[4]{};  // ended by the news before; whoever hears it may still look
  std::uint32_t leaving_count_ = 0;
  std::uint32_t open_orders_ = 0;
  std::vector<std::uint32_t> open_in_;   // of each symbol
  std::vector<std::uint8_t> mass_owed_;  // sides, of each symbol
  std::uint32_t owes_ = 0;
};

}  // namespace outcry
