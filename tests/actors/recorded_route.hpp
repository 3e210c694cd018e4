// RecordedRoute: a place where a port's commands go and are looked at: as text, in order. It can refuse them, or have no
// room.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <outcry/actors/order_entry.hpp>

namespace outcry::test {

using Command = std::variant<NewOrder, SpecialOrder, ReplaceOrder, ReplaceTerms, ReduceOrder, CancelOrder, MassCancel>;

class RecordedRoute : public OrderRoute {
 public:
  Sent send(const NewOrder& command, const RiskCall& call) noexcept override { return take(command, &call); }
  Sent send(const SpecialOrder& command, const RiskCall& call) noexcept override { return take(command, &call); }
  Sent send(const ReplaceOrder& command, const RiskCall& call) noexcept override { return take(command, &call); }
  Sent send(const ReplaceTerms& command, const RiskCall& call) noexcept override { return take(command, &call); }
  bool send(const ReduceOrder& command) noexcept override { return take(command, nullptr).sent; }
  bool send(const CancelOrder& command) noexcept override { return take(command, nullptr).sent; }
  bool send(const MassCancel& command) noexcept override { return take(command, nullptr).sent; }

  /// The commands since the last call.
  std::vector<Command> taken() { return std::exchange(commands_, {}); }
  /// The only command since the last call. Requires: there was one, of this kind.
  template <class M>
  M only() {
    const std::vector<Command> all = taken();
    if (all.size() != 1 || !std::holds_alternative<M>(all[0])) throw std::runtime_error("other commands were sent");
    return std::get<M>(all[0]);
  }
  bool empty() const { return commands_.empty(); }

  bool has_room = true;
  RiskReason refuses = RiskReason::none;
  RiskCall last_call{};

 private:
  template <class M>
  Sent take(const M& command, const RiskCall* call) {
    if (call != nullptr) {
      last_call = *call;
      if (refuses != RiskReason::none) return {.sent = false, .refused = refuses};
    }
    if (!has_room) return {};
    commands_.emplace_back(command);
    return {.sent = true};
  }

  std::vector<Command> commands_;
};

}  // namespace outcry::test
