// CheckedRoute: past the limits into the symbols' mailboxes.
//
// Thread: that of the port whose route it is, and of the limits.
#pragma once

#include <outcry/actors/order_entry.hpp>
#include <outcry/actors/pre_trade_risk.hpp>
#include <outcry/actors/symbol_directory.hpp>

namespace outcry {

class CheckedRoute final : public OrderRoute {
 public:
  /// Both outlive it. Without `risk` nothing is refused.
  CheckedRoute(const SymbolDirectory& symbols, PreTradeRisk* risk) : symbols_(symbols), risk_(risk) {}

  Sent send(const NewOrder& command, const RiskCall& call) noexcept override { return ask(command, call); }
  Sent send(const SpecialOrder& command, const RiskCall& call) noexcept override { return ask(command, call); }
  Sent send(const ReplaceOrder& command, const RiskCall& call) noexcept override { return ask(command, call); }
  Sent send(const ReplaceTerms& command, const RiskCall& call) noexcept override { return ask(command, call); }
  bool send(const ReduceOrder& command) noexcept override { return hand_over(command); }
  bool send(const CancelOrder& command) noexcept override { return hand_over(command); }
  bool send(const MassCancel& command) noexcept override { return hand_over(command); }

  /// Every event of the account, before its port hears of it.
  template <class Event>
  void heard(const Event& event) noexcept {
    if constexpr (requires(PreTradeRisk& risk) { risk.heard(event); })
      if (risk_ != nullptr) risk_->heard(event);
  }

 private:
  template <class Command>
  Sent ask(const Command& command, const RiskCall& call) noexcept {
    if (risk_ != nullptr)
      if (const RiskReason refused = risk_->admit(command, call); refused != RiskReason::none)
        return {.sent = false, .refused = refused};
    if (hand_over(command)) return {.sent = true};
    if (risk_ != nullptr) risk_->withdraw(command);
    return {};
  }
  bool hand_over(const ReplaceTerms& command) noexcept {
    return send_in_two_parts(symbols_[command.order.symbol].address, command);
  }
  template <class Command>
  bool hand_over(const Command& command) noexcept {
    return symbols_[command.symbol].address.send(command).accepted();
  }

  const SymbolDirectory& symbols_;
  PreTradeRisk* risk_;
};

}  // namespace outcry
