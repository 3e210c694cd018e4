// DeskHistory: the orders of recorded history in a desk's book, in the same queues as ours.
//
// Orders of history belong to account 0. What history says is applied to the orders that it names:
//   - Where ours stand in front of an order that history says traded (at a better price, or older at the same one), ours
//     trade instead, at their price. The order of history keeps what it did not trade until history is done with it.
//   - What ours take from an order of history is gone: later events find it shorter, and the rest of them finds nothing.
//     A replacement of such an order is shorter by as much.
//   - An order of history that comes in at a price where ours wait trades with ours first.
//   - What no longer fits is adjusted and counted in the ledger; no share trades, or is counted, twice.
//   - Executions of hidden orders do not fill ours: who rested, and on which side, is not reliably in the data.
//   - Trade prints are of what trades in this book: what ours took was printed then, and not when history trades it.
// Thread: the desk's.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include <outcry/actors/history_ledger.hpp>
#include <outcry/book/order_book.hpp>
#include <outcry/messages/events.hpp>
#include <outcry/messages/history.hpp>

namespace outcry {

class Desk;
struct SymbolOptions;

class DeskHistory {
 public:
  /// All of them outlive it; the desk is told what its book does.
  DeskHistory(Desk& desk, OrderBook<>& book, const SymbolOptions& options);
  DeskHistory(const DeskHistory&) = delete;
  DeskHistory& operator=(const DeskHistory&) = delete;

  /// The anonymous orders of the options rest.
  void seed();
  void apply(const HistoryEvent& event);

  // Of the event in progress.
  bool applying() const { return applying_; }
  bool printable() const { return printable_; }
  /// An order of history that meets ours on its way in; zero: there is none.
  OrderId taker() const { return taker_; }

  // What the desk hears of the book.
  void refused(Reason reason) { refused_ = reason; }
  /// An order of ours took from one of history.
  void took(const Traded& trade);
  /// An order of ours may rest now, or does no more.
  void note_own(OrderId id, AccountId account) {
    if (recorded_ && account != AccountId{}) note(id, account);
  }
  void forget_own(OrderId id) {
    if (!own_.empty()) std::erase_if(own_, [&](const OwnOrder& own) { return own.id == id; });
  }

 private:
  struct OwnOrder {
    OrderId id;
    Side side;
    Price price;
  };
  /// An order of which history has more or less open than the book, because of ours.
  struct Strayed {
    Side side{};
    Price price{};
    std::int64_t gap = 0;         // what history has open less what the book has
    std::uint32_t uncounted = 0;  // of the shares that our orders took: those no adjusted event has spoken of
  };
  /// The order that an event of history is about, as history and the book see it.
  struct Named {
    OrderId id{};  // zero: it was never shown
    Side side{};
    Price price{};
    Quantity open{};     // in the book
    Strayed* strayed{};  // null: history and book agree
    bool is_shown{};     // it is the very order, not an anonymous one at its price
    std::uint32_t believed() const {
      return static_cast<std::uint32_t>(open.lots + (strayed != nullptr ? strayed->gap : 0));
    }
  };
  /// How an event of history about one order came true, in shares.
  struct Applied {
    std::uint32_t asked{};          // of the order
    std::uint32_t done{};           // of the order
    std::uint32_t filled_for_it{};  // by ours in its place
    std::uint32_t filled{};         // by ours, altogether
  };

  void note(OrderId id, AccountId account);
  bool ours_are_here() const { return !own_.empty() || !strayed_.empty(); }
  void execute(const HistoryEvent& event);
  void reduce(const HistoryEvent& event);
  void remove(const HistoryEvent& event);
  void replace(const HistoryEvent& event);
  void modify(const HistoryEvent& event);
  void add(const HistoryEvent& event, Quantity missing);
  void hidden_execute(const HistoryEvent& event);
  void clear();
  bool came_true(const HistoryEvent& event);
  std::optional<Named> named(const HistoryEvent& event);
  Quantity fill_own(const Named& order, Quantity quantity);
  void take_out(const HistoryEvent& event, const Named& order, std::uint32_t quantity);
  void settle(const HistoryEvent& event, const Named& order, const Applied& applied);
  void adjust(std::uint64_t shares);
  std::uint32_t count_missing(Strayed& strayed, std::uint32_t missing);
  void fail(const HistoryEvent& event, Reason reason, Quantity open = {});

  Desk& desk_;
  OrderBook<>& book_;
  const SymbolOptions& options_;
  HistoryLedger own_ledger_;
  HistoryLedger* ledger_;
  bool recorded_;
  std::vector<OwnOrder> own_;  // our live orders
  std::unordered_map<OrderId, Strayed> strayed_;
  std::unordered_map<std::int64_t, OrderId> anonymous_[2];  // by price, for each side

  // The event in progress.
  Reason refused_ = Reason::none;  // by the book
  bool applying_ = false;
  bool printable_ = true;
  bool adjusted_ = false;
  OrderId taker_{};
};

}  // namespace outcry
