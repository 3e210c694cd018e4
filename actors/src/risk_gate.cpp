#include <outcry/actors/risk_gate.hpp>

#include <memory>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include <outcry/actors/awaited_terms.hpp>

namespace outcry {

namespace {

class Gate {
 public:
  Gate(RiskGateSelf self, RiskGateSetup setup) : self_(self), setup_(std::move(setup)) {
    if (setup_.kill_desk) setup_.kill_desk.send(SubscribeKills{self_.address()});
  }

  void take(const NewOrder& command) { ask(command, CommandKind::new_order, {}); }
  void take(const SpecialOrder& command) {
    const auto replaced = awaited_.completed_by(command);
    if (!replaced) return ask(command, CommandKind::new_order, {});
    ask(ReplaceTerms{.id = replaced->id, .seen_open = replaced->seen_open, .order = command}, CommandKind::replace,
        command.id);
  }
  void take(const InPlaceOf& command) { awaited_.await(command); }
  void take(const ModifyOrder& command) { ask(command, CommandKind::modify, {}); }
  void take(const ReplaceOrder& command) { ask(command, CommandKind::replace, command.new_id); }
  void take(const MassCancel& command) {
    if (command.all_accounts == 0) setup_.symbol.send(command);
  }
  void take(const EnterSymbol& enter) {
    participants_[enter.account.value] = enter.address;
    setup_.kill.add_account(enter.account, setup_.kill.firm_of(enter.account));
    setup_.symbol.send(EnterSymbol{enter.account, self_.address(), enter.terms, enter.broken});
  }
  // The day's.
  void take(const EndOfDay&) {}
  void take(const HistoryEvent&) {}
  void take(const ExpireOrders&) {}
  void take(const ChangePhase&) {}
  void take(const BreakTrade&) {}

  void take(const KillChanged& change) {
    if (change.engaged == 0) {
      setup_.kill.release(change.scope);
      return;
    }
    setup_.kill.engage(change.scope, 0, {});
    // From here, so that it comes behind every order that went through here.
    for (const auto& [account, participant] : participants_)
      if (setup_.kill.covers(change.scope, {account}))
        setup_.symbol.send(MassCancel{.account = {account}, .symbol = setup_.id});
  }

  template <class M>
  void take(const M& message) {
    if constexpr (requires(PreTradeRisk& risk) { risk.heard(message); }) {
      setup_.risk->heard(message);
      tell(message);
    } else {
      setup_.symbol.send(message);
    }
  }

 private:
  template <class Command>
  void ask(const Command& command, CommandKind kind, OrderId new_id) {
    const auto& order = order_in(command);
    const RiskReason refused = setup_.kill.blocks(order.account)
                                   ? RiskReason::killed
                                   : setup_.risk->admit(command, {.now_ns = to_ns(self_.now())});
    Reason reason = reason_of(refused);
    if (refused == RiskReason::none) {
      if (hand_over(command)) return;
      setup_.risk->withdraw(command);
      reason = Reason::mailbox_full;
    }
    tell(Rejected{.id = command.id,
                  .new_id = new_id,
                  .account = order.account,
                  .symbol = order.symbol,
                  .command = kind,
                  .reason = reason,
                  .arrival_ns = order.arrival_ns});
  }
  template <class Command>
  static const auto& order_in(const Command& command) {
    if constexpr (std::is_same_v<Command, ReplaceTerms>)
      return command.order;
    else
      return command;
  }
  template <class Command>
  bool hand_over(const Command& command) {
    if constexpr (std::is_same_v<Command, ReplaceTerms>)
      return send_in_two_parts(setup_.symbol, command);
    else
      return setup_.symbol.send(command).accepted();
  }
  template <class Event>
  void tell(const Event& event) {
    const auto found = participants_.find(event.account.value);
    if (found != participants_.end() && found->second) found->second.send(event);
  }

  RiskGateSelf self_;
  RiskGateSetup setup_;
  std::unordered_map<std::uint32_t, ParticipantAddress> participants_;
  AwaitedTerms awaited_;
};

}  // namespace

Reason reason_of(RiskReason reason) {
  switch (reason) {
    case RiskReason::none: return Reason::none;
    case RiskReason::killed:
    case RiskReason::unknown_account:
    case RiskReason::not_entitled:
    case RiskReason::side_not_allowed:
    case RiskReason::restricted: return Reason::market_closed;
    case RiskReason::order_size:
    case RiskReason::order_notional:
    case RiskReason::short_sale:
    case RiskReason::not_located:
    case RiskReason::position:
    case RiskReason::net_notional:
    case RiskReason::gross_notional: return Reason::quantity_too_large;
    case RiskReason::no_reference:
    case RiskReason::price_collar:
    case RiskReason::market_collar: return Reason::outside_band;
    case RiskReason::duplicate:
    case RiskReason::duplicate_id: return Reason::duplicate_id;
    case RiskReason::open_orders:
    case RiskReason::port_rate:
    case RiskReason::symbol_rate: return Reason::mailbox_full;
  }
  return Reason::unsupported;
}

Actor risk_gate(RiskGateSelf self, RiskGateSetup setup) {
  const auto gate = std::make_unique<Gate>(self, std::move(setup));
  while (auto batch = co_await self.receive_batch()) batch.each([&](const auto& message) { gate->take(message); });
}

Actor risk_reference(RiskReferenceSelf self, std::vector<SymbolAddress> symbols, PreTradeRisk* risk) {
  for (const SymbolAddress& symbol : symbols) {
    symbol.send(SubscribeQuotes{self.address()});
    symbol.send(SubscribeTrades{self.address()});
  }
  while (auto batch = co_await self.receive_batch()) batch.each([&](const auto& message) { risk->heard(message); });
}

}  // namespace outcry
