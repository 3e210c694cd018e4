// RiskGate: stands in front of a symbol for those who have no port: in-process strategies. They are given its address in
// place of the symbol's, and notice it only when they are refused.
//
//     const SymbolAddress gate = runtime.spawn(risk_gate, RiskGateSetup{.symbol = symbol, .risk = &risk});
//     runtime.spawn(trader, TraderSetup{.symbols = {{instrument, gate}}, ...});
//
// New orders, replacements and modifications are asked of the same PreTradeRisk that ports ask, behind the kill switch; a
// refusal comes back as the symbol's Rejected, with the nearest of its reasons: quantity_too_large for whatever would be
// too much, outside_band for prices, duplicate_id, mailbox_full for rates, market_closed for who may not trade. Everything
// else goes on as it is, but for what is the day's to say (EndOfDay, ChangePhase, ExpireOrders, history) and mass cancels of
// everybody's orders: those end here.
// Events come back through it, in their order; what only special orders hear of (terms) and market data come straight.
//
// Thread: the scheduler of its PreTradeRisk; one gate for each symbol. Mailboxes: what waits here waits in front of the
// symbol's own.
#pragma once

#include <vector>

#include <outcry/actors/kill_desk.hpp>
#include <outcry/actors/participant.hpp>
#include <outcry/actors/pre_trade_risk.hpp>
#include <outcry/runtime/actor.hpp>

namespace outcry {

using RiskGateSelf =
    Self<NewOrder, CancelOrder, ReduceOrder, ModifyOrder, ReplaceOrder, EndOfDay, HistoryEvent, EnterSymbol,
         SubscribeQuotes, SubscribeTrades, SubscribeDepth, Ask<QuoteQuery>, SpecialOrder, MassCancel, ExpireOrders,
         ChangePhase, SubscribePhases, SubscribeAuctions, SubscribeOrders, InPlaceOf, BreakTrade, Accepted, Rejected,
         Filled, Cancelled, Reduced, Modified, Replaced, KillChanged>;

struct RiskGateSetup {
  SymbolAddress symbol{};
  SymbolId id{};
  PreTradeRisk* risk = nullptr;  // outlives it
  KillSwitch kill{};             // as it is at the start, with the accounts' firms
  KillDeskAddress kill_desk{};   // empty: nobody can stop anybody
};

Actor risk_gate(RiskGateSelf self, RiskGateSetup setup);

/// What a symbol calls it.
Reason reason_of(RiskReason reason);

using RiskReferenceSelf = Self<Quote, TradePrint>;

/// Listens to symbols for the reference prices of the limits: one for each PreTradeRisk, on its scheduler.
Actor risk_reference(RiskReferenceSelf self, std::vector<SymbolAddress> symbols, PreTradeRisk* risk);

}  // namespace outcry
