// Ouch42Desk: a client's messages of OUCH 4.2 become orders at the venue, and what becomes of them its answers.
//
// As Ouch50Desk, but orders are called by tokens of 14 characters, each good for one order of the day: a message with a
// token that was used is passed over. A replacement whose details are wrong cancels its original and leaves its token
// free; one that is refused for other reasons is rejected, and its original stays as it was.
// Orders live for as many seconds as they say (then the symbol needs rules), or for the day. Of the letters for display
// Y, A (displayed), N (hidden), P (post-only) and M (midpoint peg) are taken. Trade now is passed
// over: every order here trades as soon as it can.
// Thread: one owner. Nothing allocates but the constructor.
// Limits: `most_tokens` a day: from then on orders are rejected.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <outcry/actors/key_table.hpp>
#include <outcry/actors/ouch_conversation.hpp>
#include <outcry/net/ouch42.hpp>

namespace outcry {

class Ouch42Desk : public OuchConversation<Ouch42Desk, ouch42::Token> {
 public:
  /// No message of a client is larger.
  static constexpr std::size_t largest_inbound = sizeof(ouch42::EnterOrder);

  Ouch42Desk(const OuchDeskOptions& options, const SymbolDirectory& symbols, OrderRoute& route, PortStream& stream);

  /// What is wrong with a message; null: it was sound, whatever became of it.
  const char* take(std::span<const std::byte> message) noexcept;

  /// Tokens begin anew. Requires: no order is open.
  void start_of_day() noexcept;
  void end_of_day() noexcept;

 private:
  friend OuchConversation;
  using RejectReason = ouch42::RejectReason;
  using TokenBytes = std::array<char, 14>;

  static constexpr OuchCodes<RejectReason> codes{
      .firm = RejectReason::firm_not_authorized,
      .disabled = RejectReason::firm_not_authorized,
      .symbol = RejectReason::invalid_stock,
      .sweep = RejectReason::other,
      .no_room = RejectReason::other,
      .cross = RejectReason::invalid_cross,
      .waits = RejectReason::other,
  };

  struct Line {
    ouch42::Token token{};
    std::uint32_t price = 0;
    std::uint32_t time_in_force = 0;
    std::uint32_t minimum = 0;
    ouch::Side side{};
    ouch42::Display display{};
    ouch::Capacity capacity{};
    ouch::YesNo intermarket_sweep{};
    ouch::Cross cross{};
    Alpha<4> firm{};
    std::uint8_t firm_index = 0;
    bool modifies = false;
  };

  void take(const ouch42::EnterOrder& message) noexcept;
  void take(const ouch42::ReplaceOrder& message) noexcept;
  void take(const ouch42::CancelOrder& message) noexcept;
  void take(const ouch42::ModifyOrder& message) noexcept;
  void take(const ouch42::TradeNow& message) noexcept;

  template <class Message>
  RejectReason read_terms(const Message& message, SymbolId symbol, Side side, OrderChange& change) const noexcept;
  static RejectReason code_of(Reason reason, const OrderTicket& ticket);
  static RejectReason code_of(RiskReason reason);
  static RejectReason missing_rules(const OrderTicket& ticket);

  static TokenBytes bytes_of(const ouch42::Token& token);
  /// No handle if the token names no order that is not done.
  OrderHandle find(const ouch42::Token& token) const noexcept;
  ouch42::Token key_of(OrderHandle order) const { return lines_[order.value].token; }
  Line& line(OrderHandle order) { return lines_[order.value]; }
  void forget(OrderHandle order) noexcept;
  void free_key(OrderHandle order) noexcept;
  /// The token is used up.
  void reject(const ouch42::Token& token, RejectReason why) noexcept;
  void reject_order(OrderHandle order, RejectReason why) noexcept;

  void put_accepted(OrderHandle order, ouch::OrderState state) noexcept;
  void put_cancelled(OrderHandle order, std::uint32_t decrement, ouch::CancelReason reason) noexcept;
  void put_prevented(const OrderNews& news) noexcept;
  void put_filled(const OrderNews& news) noexcept;
  void put_modified(OrderHandle order) noexcept;
  void put_pending(OrderHandle order) noexcept;
  void put_broken(const ouch42::Token& token, std::uint64_t match, ouch::BrokenReason reason) noexcept;
  void put_replaced(const OrderNews& news) noexcept;
  void put_restated(const OrderNews&) noexcept {}  // 4.2 has no word for it
  template <class Message>
  void put(const Message& message) noexcept {
    stream_.append(ouch42::encode(message));
  }
  /// What Accepted and Replaced have in common.
  template <class Message>
  Message describe(OrderHandle order, std::uint32_t shares) noexcept;

  KeyTable<TokenBytes, OrderHandle> tokens_;  // of the day; those of orders that are done have no handle
  std::vector<Line> lines_;                   // by handle
};

}  // namespace outcry
