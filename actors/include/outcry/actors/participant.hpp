// Participant: what actors of a market say to a symbol besides commands, and what a symbol answers them.
//
// A participant enters a symbol with its account; from then on it hears of its orders there. Market data goes to
// whoever subscribes, entered or not. All of it are messages: over links with latency in a simulated world.
#pragma once

#include <array>
#include <cstdint>

#include <outcry/actors/market_by_order.hpp>
#include <outcry/messages/commands.hpp>
#include <outcry/messages/events.hpp>
#include <outcry/messages/history.hpp>
#include <outcry/messages/market_data.hpp>
#include <outcry/runtime/actor.hpp>

namespace outcry {

/// A trade as the owner of one of the two orders sees it.
struct Filled {
  OrderId id{};
  Price price{};
  Quantity quantity{};
  Quantity open{};  // what is left of the order
  AccountId account{};
  SymbolId symbol{};
  Side side{};
  std::uint8_t maker{};  // 1: the order rested and was hit
  std::uint16_t unused16{};
  std::uint32_t trade{};  // counts the trades of the symbol's book: both sides of one have the same; see match_number()
  std::int64_t arrival_ns{};  // of the command that made the trade
};
static_assert(sizeof(Filled) == 48 && std::has_unique_object_representations_v<Filled>);

enum class BreakReason : std::uint8_t { erroneous, consent, supervisory, external };

/// An operator's: a trade of the symbol, by its Filled::trade, is to count as none. The orders stay as they are. A trade
/// that the symbol does not know (any more), or that was broken already, is passed over.
struct BreakTrade {
  SymbolId symbol{};
  std::uint32_t trade{};
  BreakReason reason{};
  std::uint8_t unused8{};
  std::uint16_t unused16{};
  std::uint32_t unused{};
  std::int64_t arrival_ns{};
};
static_assert(sizeof(BreakTrade) == 24 && std::has_unique_object_representations_v<BreakTrade>);

/// What each owner hears of it.
struct TradeBroken {
  OrderId id{};
  Price price{};
  Quantity quantity{};
  AccountId account{};
  SymbolId symbol{};
  std::uint32_t trade{};
  Side side{};
  BreakReason reason{};
  std::uint16_t unused16{};
  std::uint32_t unused{};
  std::int64_t arrival_ns{};
};
static_assert(sizeof(TradeBroken) == 48 && std::has_unique_object_representations_v<TradeBroken>);

/// The best levels of both sides, best first. Travels in a box.
struct Depth {
  static constexpr std::size_t most_levels = 10;

  SymbolId symbol{};
  std::uint16_t bid_levels{};
  std::uint16_t ask_levels{};
  std::array<DepthLevel, most_levels> bids{};
  std::array<DepthLevel, most_levels> asks{};
  std::int64_t arrival_ns{};

  std::uint64_t conflation_key() const { return symbol.value; }
};

/// An auction as it stands: the price at which it would end now. Volume 0: nothing would trade.
struct Indicative {
  Price price{};
  Volume volume{};
  std::int64_t imbalance{};  // more bid than offered at the price; below zero: more was offered
  SymbolId symbol{};
  std::uint32_t unused{};
  std::int64_t arrival_ns{};

  /// Of a symbol only the latest one matters.
  constexpr std::uint64_t conflation_key() const { return symbol.value; }
};
static_assert(sizeof(Indicative) == 40 && std::has_unique_object_representations_v<Indicative>);

// What the words of books with rules are made of fits a message that travels by value.
static_assert(!travels_in_box<SpecialOrder> && !travels_in_box<InPlaceOf> && !travels_in_box<MassCancel> &&
              !travels_in_box<ExpireOrders> && !travels_in_box<ChangePhase>);
static_assert(!travels_in_box<AcceptedTerms> && !travels_in_box<Refreshed> && !travels_in_box<Triggered> &&
              !travels_in_box<Repriced> && !travels_in_box<PhaseChanged> && !travels_in_box<Uncrossed> &&
              !travels_in_box<Indicative> && !travels_in_box<Filled>);

using ParticipantAddress = Address<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced>;
using TermsAddress = Address<AcceptedTerms, Refreshed, Triggered, Repriced>;
using BrokenAddress = Address<TradeBroken>;
using QuoteAddress = Address<Quote>;
using TradeAddress = Address<TradePrint>;
using DepthAddress = Address<Depth>;
using PhaseAddress = Address<PhaseChanged>;
using AuctionAddress = Address<Indicative, Uncrossed>;
using OrdersAddress = Address<MarketByOrder>;

/// The account's events go to `address` from now on; what only special orders have is told to `terms`, trades that are
/// broken afterwards to `broken`, if they are there.
struct EnterSymbol {
  AccountId account{};
  ParticipantAddress address{};
  TermsAddress terms{};
  BrokenAddress broken{};
};
static_assert(!travels_in_box<EnterSymbol>);

/// A quote after every command that changes it, the first one at once.
struct SubscribeQuotes {
  QuoteAddress address{};
};
struct SubscribeTrades {
  TradeAddress address{};
};
/// The best levels after every command that changes them, the first ones at once.
struct SubscribeDepth {
  DepthAddress address{};
};
/// Each change of the phase, the phase that it is in at once.
struct SubscribePhases {
  PhaseAddress address{};
};
/// While orders are collected: after every command that changes it, at which price they would trade, as it is now at
/// once. Then the price at which they traded. Each phase begins without either.
struct SubscribeAuctions {
  AuctionAddress address{};
};

/// Every change of what is displayed, order by order, none left out: the phase and the orders that rest at once, then
/// each change as the book made it. The symbol waits while the receiver has no room (and what waits for the symbol with
/// it), so the receiver must be one that never waits for anybody: a feed, whose network may lose packets, but which
/// does not. Requires: a mailbox with WhenFull::wait.
struct SubscribeOrders {
  OrdersAddress address{};
};

struct QuoteQuery {
  using Reply = Quote;
  std::uint32_t unused{};
};

/// What a symbol takes.
using SymbolAddress =
    Address<NewOrder, CancelOrder, ReduceOrder, ModifyOrder, ReplaceOrder, EndOfDay, HistoryEvent, EnterSymbol,
            SubscribeQuotes, SubscribeTrades, SubscribeDepth, Ask<QuoteQuery>, SpecialOrder, MassCancel, ExpireOrders,
            ChangePhase, SubscribePhases, SubscribeAuctions, SubscribeOrders, InPlaceOf, BreakTrade>;
using SymbolSelf =
    Self<NewOrder, CancelOrder, ReduceOrder, ModifyOrder, ReplaceOrder, EndOfDay, HistoryEvent, EnterSymbol,
         SubscribeQuotes, SubscribeTrades, SubscribeDepth, Ask<QuoteQuery>, SpecialOrder, MassCancel, ExpireOrders,
         ChangePhase, SubscribePhases, SubscribeAuctions, SubscribeOrders, InPlaceOf, BreakTrade>;

/// Both parts of it. False: the symbol has no room, and nothing comes of it.
inline bool send_in_two_parts(const SymbolAddress& symbol, const ReplaceTerms& command) {
  const InPlaceOf first{.id = command.id,
                        .new_id = command.order.id,
                        .account = command.order.account,
                        .symbol = command.order.symbol,
                        .seen_open = command.seen_open,
                        .arrival_ns = command.order.arrival_ns};
  return symbol.send(first).accepted() && symbol.send(command.order).accepted();
}

}  // namespace outcry
