// DeskRig: a desk on a small stage: one message at a time goes in, and what everyone hears of it comes out as text.
//
// Accounts 7 and 8 have entered; one listener has subscribed to quotes and trades, and in a market with rules to depth,
// phases and auctions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <outcry/actors/symbol.hpp>
#include <outcry/runtime/runtime.hpp>

namespace outcry::test {

// ---- messages, in the words of a test

inline HistoryEvent add(std::uint64_t id, Side side, std::uint32_t quantity, std::int64_t price) {
  return {.id = {id}, .price = {price}, .quantity = {quantity}, .kind = HistoryKind::add, .side = side};
}
inline HistoryEvent execute(std::uint64_t id, std::uint32_t quantity, std::int64_t price = 0) {
  return {.id = {id}, .price = {price}, .quantity = {quantity}, .kind = HistoryKind::execute};
}
inline HistoryEvent reduce(std::uint64_t id, std::uint32_t quantity) {
  return {.id = {id}, .quantity = {quantity}, .kind = HistoryKind::reduce};
}
inline HistoryEvent remove(std::uint64_t id) { return {.id = {id}, .kind = HistoryKind::remove}; }
inline HistoryEvent replace(std::uint64_t id, std::uint64_t new_id, std::uint32_t quantity, std::int64_t price) {
  return {.id = {id}, .new_id = {new_id}, .price = {price}, .quantity = {quantity}, .kind = HistoryKind::replace};
}
inline HistoryEvent hidden(Side side, std::uint32_t quantity, std::int64_t price) {
  return {.price = {price}, .quantity = {quantity}, .kind = HistoryKind::hidden_execute, .side = side};
}
inline NewOrder order(std::uint64_t id, Side side, std::uint32_t quantity, std::int64_t price,
                      std::uint32_t account = 7) {
  return {.id = {id}, .price = {price}, .quantity = {quantity}, .account = {account}, .side = side};
}
inline CancelOrder cancel(std::uint64_t id, std::uint32_t account = 7) { return {.id = {id}, .account = {account}}; }

// ---- what is heard

inline std::string text(Price price) { return std::to_string(price.units); }
inline std::string text(Quantity quantity) { return std::to_string(quantity.lots); }
inline std::string text(OrderId id) { return std::to_string(id.value); }

inline std::string text(const Accepted& e) { return "accepted " + text(e.id); }
inline std::string text(const Rejected& e) { return "rejected " + text(e.id) + ", " + to_string(e.reason); }
inline std::string text(const Filled& e) {
  std::string out = std::string(e.side == Side::buy ? "bought " : "sold ") + text(e.quantity) + " at " + text(e.price) +
                    " by " + text(e.id);
  return e.maker != 0 ? out + ", " + text(e.open) + " left" : out;
}
inline std::string text(const Cancelled& e) { return "cancelled " + text(e.id) + ", " + text(e.quantity); }
inline std::string text(const Reduced& e) { return "reduced " + text(e.id) + " to " + text(e.open); }
inline std::string text(const Modified& e) {
  return "modified " + text(e.id) + ", " + text(e.quantity) + " at " + text(e.price);
}
inline std::string text(const Replaced& e) { return "replaced " + text(e.id) + " by " + text(e.new_id); }
inline std::string text(const AcceptedTerms& e) { return "terms of " + text(e.id); }
inline std::string text(const Refreshed& e) {
  return "refreshed " + text(e.id) + ", " + text(e.displayed) + " shown, " + text(e.reserve) + " behind";
}
inline std::string text(const Triggered& e) { return "triggered " + text(e.id) + " by " + text(e.last); }
inline std::string text(const Repriced& e) {
  return e.is_parked != 0 ? "parked " + text(e.id) : "repriced " + text(e.id) + " to " + text(e.price);
}
inline std::string text(const PhaseChanged& e) { return std::string("phase ") + name_of(e.phase); }
inline std::string text(const Indicative& e) {
  return "would be " + std::to_string(e.volume) + " at " + text(e.price) + ", imbalance " + std::to_string(e.imbalance);
}
inline std::string text(const Uncrossed& e) {
  return "auction " + std::to_string(e.volume) + " at " + text(e.price) + ", imbalance " + std::to_string(e.imbalance);
}
inline std::string text(const Quote& e) {
  const auto side = [](bool has, std::uint32_t quantity, Price price) {
    return has ? std::to_string(quantity) + " at " + text(price) : std::string("none");
  };
  return "quote " + side(e.has_bid(), e.bid_quantity, e.bid) + ", " + side(e.has_ask(), e.ask_quantity, e.ask);
}
inline std::string text(const TradePrint& e) {
  return std::string(e.hidden != 0 ? "hidden trade " : "trade ") + text(e.quantity) + " at " + text(e.price) + ", " +
         to_string(e.aggressor);
}
inline std::string text(const Depth& e) {
  const auto level = [](const DepthLevel& at) {
    return std::string(" ").append(std::to_string(at.volume)).append("@").append(text(at.price));
  };
  std::string out = "depth";
  for (std::size_t i = 0; i < e.bid_levels; ++i) out += level(e.bids[i]);
  out += " |";
  for (std::size_t i = 0; i < e.ask_levels; ++i) out += level(e.asks[i]);
  return out;
}

using ParticipantSelf = Self<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced, AcceptedTerms,
                             Refreshed, Triggered, Repriced>;
inline Actor participant(ParticipantSelf self, std::uint32_t account, std::string* heard) {
  while (auto message = co_await self.receive())
    std::visit([&](const auto& event) { *heard += std::to_string(account) + ": " + text(event) + "\n"; }, *message);
}
using ListenerSelf = Self<Quote, TradePrint, Depth, PhaseChanged, Indicative, Uncrossed>;
inline Actor listener(ListenerSelf self, std::string* heard, std::uint64_t* shares) {
  while (auto message = co_await self.receive()) {
    std::visit([&](const auto& event) { *heard += text(event) + "\n"; }, *message);
    if (const auto* trade = std::get_if<TradePrint>(&*message)) *shares += trade->quantity.lots;
  }
}

/// The symbol's actor, but for showing its desk.
inline Actor shown_symbol(SymbolSelf self, SymbolOptions options, const Desk** shown) {
  const auto desk = std::make_unique<Desk>(self, std::move(options));
  *shown = desk.get();
  while (auto batch = co_await self.receive_batch()) {
    desk->begin_batch();
    batch.each([&](const auto& message) { desk->take(message); });
    desk->end_batch();
  }
}

class DeskRig {
 public:
  explicit DeskRig(SymbolOptions options = recorded())
      : runtime_({.time = WorldTime::virtually, .log = [](std::string_view) {}}) {
    options.ledger = &ledger_;
    const bool has_rules = options.rules.has_value();
    const MailboxOptions mailbox{.capacity = 1u << 16, .when_full = WhenFull::refuse};
    symbol_ = runtime_.spawn({.mailbox = mailbox}, shown_symbol, std::move(options), &desk_);
    for (const std::uint32_t account : {7u, 8u}) {
      const auto address = runtime_.spawn({.mailbox = mailbox}, participant, account, &heard_);
      symbol_.send(EnterSymbol{{account}, address, address});
    }
    const auto market_data = runtime_.spawn({.mailbox = mailbox}, listener, &heard_, &printed_);
    symbol_.send(SubscribeQuotes{market_data});
    symbol_.send(SubscribeTrades{market_data});
    if (has_rules) {
      symbol_.send(SubscribeDepth{market_data});
      symbol_.send(SubscribePhases{market_data});
      symbol_.send(SubscribeAuctions{market_data});
    }
    play();
  }

  static SymbolOptions recorded() { return {.first_account = {7}, .recorded = true}; }

  /// What everyone hears of the message.
  template <class M>
  std::string operator()(M message) {
    symbol_.send(std::move(message));
    return play();
  }

  /// Several, of which only the book afterwards is of interest.
  template <class... Ms>
  void first(Ms... messages) {
    (static_cast<void>((*this)(messages)), ...);
  }

  const OrderBook<>& book() const { return desk_->book(); }
  std::string levels() const { return std::string("\n").append(book().to_string()); }
  const HistoryLedger& ledger() const { return ledger_; }
  std::uint64_t printed() const { return printed_; }
  /// Adjusted events and shares.
  std::string adjusted() const {
    return std::to_string(ledger_.adjusted_events) + " events, " + std::to_string(ledger_.adjusted_shares) + " shares";
  }

 private:
  std::string play() {
    runtime_.run_until(runtime_.now() + std::chrono::microseconds(1));
    return std::exchange(heard_, std::string(1, '\n'));
  }

  HistoryLedger ledger_;
  std::string heard_ = "\n";
  std::uint64_t printed_ = 0;
  const Desk* desk_ = nullptr;
  SymbolAddress symbol_;
  Runtime runtime_;
};

}  // namespace outcry::test
