// RemoteSymbol: a symbol on another machine, for a participant who must not notice.
//
//   participant ⇄ remote_symbol  ═══ CAF ═══  session ⇄ symbol
//   (strategy's node)                         (exchange's node, made by the symbol's gateway)
//
// remote_symbol takes what a symbol takes, and stands for it at one participant; the session stands for the participant at
// the symbol. Commands carry the session's account whatever they say. Nothing is ever sent twice, so that no command is
// carried out twice.
//
// When the link is lost, each side does what it must:
//   the session cancels the participant's open orders (WhenLost::cancel), or leaves them in the book (keep)
//   remote_symbol reports the orders that it knows as Cancelled, market_closed, and commands without an answer as
//   Rejected, market_closed; what the exchange did in between it cannot know. So is everything that comes later. It does
//   not come back by itself.
// Threads: each its scheduler's.
// Limits: one participant and one account for each remote_symbol. Depth, quotes and prints are sent for each change.
#pragma once

#include <cstdint>
#include <map>

#include <outcry/actors/participant.hpp>
#include <outcry/caf/stage.hpp>
#include <outcry/cluster/words.hpp>

namespace outcry {

/// What becomes of a participant's orders when its node is lost.
enum class WhenLost : std::uint8_t { cancel, keep };

struct GatewayOptions {
  SymbolAddress symbol{};
  WhenLost when_lost = WhenLost::cancel;
  CafStage* stage = nullptr;  // where sessions get their faces; outlives the gateway
};

/// The door of one symbol for other machines: makes a session for each participant that enters. Ends with the symbol.
Actor symbol_gateway(Self<CafMessage, Down> self, CafSelf caf, GatewayOptions options);

/// Everything a symbol takes, and what comes back from the session.
using RemoteSymbolSelf =
    Self<NewOrder, CancelOrder, ReduceOrder, ModifyOrder, ReplaceOrder, EndOfDay, HistoryEvent, EnterSymbol,
         SubscribeQuotes, SubscribeTrades, SubscribeDepth, Ask<QuoteQuery>, SpecialOrder, MassCancel, ExpireOrders,
         ChangePhase, SubscribePhases, SubscribeAuctions, SubscribeOrders, InPlaceOf, BreakTrade, Accepted, Rejected,
         Filled, Cancelled, Reduced, Modified, Replaced, Quote, TradePrint, Depth, CafDown>;

/// Spawn it with a CafStage; its address is a SymbolAddress.
Actor remote_symbol(RemoteSymbolSelf self, CafSelf caf, caf::actor gateway, SymbolId symbol);

/// The orders of one account that may be open, as its events tell. In the order of ids.
class OpenOrders {
 public:
  struct Order {
    Price price{};
    Quantity open{};
    Side side{};
    bool answered = false;
  };

  void sent(const NewOrder& command) {
    orders_.try_emplace(command.id, Order{command.price, command.quantity, command.side, false});
  }
  void hear(const Accepted& event) { orders_[event.id] = {event.price, event.quantity, event.side, true}; }
  void hear(const Rejected& event) {
    if (const auto found = orders_.find(event.id); found != orders_.end() && !found->second.answered)
      orders_.erase(found);
  }
  void hear(const Filled& event) { left(event.id, event.open); }
  void hear(const Cancelled& event) { orders_.erase(event.id); }
  void hear(const Reduced& event) { left(event.id, event.open); }
  void hear(const Modified& event) {
    if (const auto found = orders_.find(event.id); found != orders_.end()) found->second.price = event.price;
    left(event.id, event.open);
  }
  void hear(const Replaced& event) {
    orders_.erase(event.id);
    orders_[event.new_id] = {event.price, event.quantity, event.side, true};
  }

  bool empty() const { return orders_.empty(); }
  const std::map<OrderId, Order>& all() const { return orders_; }
  void clear() { orders_.clear(); }

 private:
  void left(OrderId id, Quantity open) {
    const auto found = orders_.find(id);
    if (found == orders_.end()) return;
    found->second.open = open;
    if (open == Quantity{}) orders_.erase(found);
  }

  std::map<OrderId, Order> orders_;
};

}  // namespace outcry
