// Participant: what actors of a market say to a symbol besides commands, and what a symbol answers them.
//
// A participant enters a symbol with its account; from then on it hears of its orders there. Market data goes to
// whoever subscribes, entered or not. All of it are messages: over links with latency in a simulated world.
#pragma once

#include <array>
#include <cstdint>

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
  std::uint32_t unused{};
  std::int64_t arrival_ns{};  // of the command that made the trade
};
static_assert(sizeof(Filled) == 48 && std::has_unique_object_representations_v<Filled>);

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

using ParticipantAddress = Address<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced>;
using QuoteAddress = Address<Quote>;
using TradeAddress = Address<TradePrint>;
using DepthAddress = Address<Depth>;

/// The account's events go to `address` from now on.
struct EnterSymbol {
  AccountId account{};
  ParticipantAddress address{};
};

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

struct QuoteQuery {
  using Reply = Quote;
  std::uint32_t unused{};
};

/// What a symbol takes.
using SymbolAddress = Address<NewOrder, CancelOrder, ReduceOrder, ModifyOrder, ReplaceOrder, EndOfDay, HistoryEvent,
                              EnterSymbol, SubscribeQuotes, SubscribeTrades, SubscribeDepth, Ask<QuoteQuery>>;
using SymbolSelf = Self<NewOrder, CancelOrder, ReduceOrder, ModifyOrder, ReplaceOrder, EndOfDay, HistoryEvent,
                        EnterSymbol, SubscribeQuotes, SubscribeTrades, SubscribeDepth, Ask<QuoteQuery>>;

}  // namespace outcry
