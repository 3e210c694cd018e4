// Ouch50Desk: a client's messages of OUCH 5.0 become orders at the venue, and what becomes of them its answers.
//
// Bytes come in one message at a time, answers go into the port's stream. What the specification leaves to the venue,
// or says and a test asserts:
//   - A user reference number that is no higher than the last one is a message resent: it is passed over, without a
//     word. So are cancels of what is not there, or not the client's.
//   - A rejected number is used up. A replacement of an order that is gone, or whose details are wrong, leaves its number
//     free: in the second case the original is cancelled. What is refused for other reasons (risk, rates, a halt, order
//     entry disabled) is rejected, with its number used up and the original as it was.
//   - Options that a replacement does not name stay as they were, but the minimum, which holds on entry only.
//   - `Accepted` with the state `dead` is what an order gets that could not trade its minimum: nothing more follows.
//   - A post-only order that would have traded is accepted and cancelled (F): there is no code to reject it with.
//   - A peg's offset is added to the price that it is pegged to, for buys and sells alike. Without a limit it goes as far
//     as the grid.
//   - What this venue does not do is refused: discretion, random reserves, routing, handling instructions,
//     AIQ by order, inter-market sweeps (unless they are allowed and ignored), crosses but while an auction collects.
//   - Trade now is taken, and every order has it: an order that would lock a resting one either trades with it or, if it
//     only posts, is refused.
//   - A cancel that finds no room at the symbol is kept, and answered by `CancelPending` first.
//   - A trade that an operator breaks is told if it is among the last `most_breakable` executions.
// Thread: one owner. Nothing allocates but the constructor.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <outcry/actors/key_table.hpp>
#include <outcry/actors/ouch_conversation.hpp>
#include <outcry/net/ouch50.hpp>
#include <outcry/net/protocol_error.hpp>

namespace outcry {

/// What 5.0 calls an order in a message that comes after its end.
struct Ouch50Key {
  std::uint32_t user_ref = 0;
  Alpha<14> client_order_id{};
};

class Ouch50Desk : public OuchConversation<Ouch50Desk, Ouch50Key> {
 public:
  /// No message of a client is larger.
  static constexpr std::size_t largest_inbound = sizeof(ouch50::EnterOrder) + ouch50::OptionList::capacity + 64;

  Ouch50Desk(const OuchDeskOptions& options, const SymbolDirectory& symbols, OrderRoute& route, PortStream& stream);

  /// What is wrong with a message; null: it was sound, whatever became of it.
  const char* take(std::span<const std::byte> message) noexcept;

  /// Numbers begin anew. Requires: no order is open.
  void start_of_day() noexcept;
  void end_of_day() noexcept;
  /// What a client may use next.
  std::uint32_t next_user_ref() const { return last_ + 1; }

 private:
  friend OuchConversation;
  using RejectReason = ouch50::RejectReason;

  static constexpr OuchCodes<RejectReason> codes{
      .firm = RejectReason::firm_not_authorized,
      .disabled = RejectReason::replace_not_allowed,
      .symbol = RejectReason::invalid_symbol,
      .sweep = RejectReason::iso_not_allowed,
      .no_room = RejectReason::processing_error,
      .cross = RejectReason::invalid_cross,
      .waits = RejectReason::cancel_pending,
  };

  /// What an order's client has said and an answer repeats.
  struct Line {
    std::uint32_t user_ref = 0;
    std::uint32_t previous_last = 0;  // before this number was used
    std::uint64_t price = 0;
    ouch::Side side{};
    ouch50::TimeInForce time_in_force{};
    ouch50::Display display{};
    ouch::Capacity capacity{};
    ouch::YesNo intermarket_sweep{};
    ouch::Cross cross{};
    Alpha<14> client_order_id{};
    std::uint8_t firm_index = 0;
    bool names_firm = false;
    bool has_index = false;
    bool trades_now = false;
    bool modifies = false;  // the reduction under way was asked for by a modification
    std::uint8_t index = 0;
    std::uint16_t group = 0;
  };

  void take(const ouch50::EnterOrder& message, const ouch50::Appendage& options) noexcept;
  void take(const ouch50::ReplaceOrder& message, const ouch50::Appendage& options) noexcept;
  void take(const ouch50::CancelOrder& message, const ouch50::Appendage& options) noexcept;
  void take(const ouch50::ModifyOrder& message, const ouch50::Appendage& options) noexcept;
  void take(const ouch50::AccountQuery& message, const ouch50::Appendage& options) noexcept;
  void take(const ouch50::MassCancel& message, const ouch50::Appendage& options) noexcept;
  void take(const ouch50::DisableOrderEntry& message, const ouch50::Appendage& options) noexcept;
  void take(const ouch50::EnableOrderEntry& message, const ouch50::Appendage& options) noexcept;

  template <class Message>
  RejectReason read_terms(const Message& message, const ouch50::Appendage& options, SymbolId symbol, Side side,
                          OrderChange& change) const noexcept;
  template <class Message>
  RejectReason read_peg(const Message& message, const ouch50::Appendage& options, SymbolId symbol, Side side,
                        char price_type, OrderChange& change) const noexcept;
  static RejectReason code_of(Reason reason, const OrderTicket& ticket);
  static RejectReason code_of(RiskReason reason);
  static RejectReason missing_rules(const OrderTicket& ticket);

  /// No handle if the number names no order that is not done.
  OrderHandle find(std::uint32_t user_ref) const noexcept;
  Ouch50Key key_of(OrderHandle order) const {
    return {lines_[order.value].user_ref, lines_[order.value].client_order_id};
  }
  Line& line(OrderHandle order) { return lines_[order.value]; }
  void forget(OrderHandle order) noexcept;
  void free_key(OrderHandle order) noexcept;
  void reject(std::uint32_t user_ref, RejectReason why, const Alpha<14>& client_order_id = {}) noexcept;
  void reject_order(OrderHandle order, RejectReason why) noexcept;
  /// Whether the number is new; if so, it is used up now. Of messages that enter no order.
  bool use(std::uint32_t user_ref) noexcept;
  /// Order entry of a firm, or of all, is disabled or enabled. False: the message was passed over or rejected.
  bool set_disabled(std::uint32_t user_ref, std::string_view firm, bool disabled) noexcept;

  void put_accepted(OrderHandle order, ouch::OrderState state) noexcept;
  void put_cancelled(OrderHandle order, std::uint32_t decrement, ouch::CancelReason reason) noexcept;
  void put_prevented(const OrderNews& news) noexcept;
  void put_filled(const OrderNews& news) noexcept;
  void put_modified(OrderHandle order) noexcept;
  void put_pending(OrderHandle order) noexcept;
  void put_broken(const Ouch50Key& key, std::uint64_t match, ouch::BrokenReason reason) noexcept;
  void put_replaced(const OrderNews& news) noexcept;
  void put_restated(const OrderNews& news) noexcept;
  ouch50::OptionList options_of(OrderHandle order, bool all) noexcept;
  template <class Message>
  void put(const Message& message, const ouch50::OptionList& options = {}) noexcept;
  /// What Accepted and Replaced have in common.
  template <class Message>
  Message describe(OrderHandle order, std::uint32_t quantity) noexcept;

  std::uint32_t last_ = 0;
  KeyTable<std::uint32_t, OrderHandle> orders_;  // by user reference number; those that are not done
  std::vector<Line> lines_;                      // by handle
};

}  // namespace outcry
