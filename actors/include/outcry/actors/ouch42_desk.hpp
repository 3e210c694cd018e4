// Ouch42Desk: a client's messages of OUCH 4.2 become orders at the venue, and what becomes of them its answers.
//
// As Ouch50Desk, but orders are called by tokens of 14 characters, each good for one order of the day: a message with a
// token that was used is passed over. A replacement whose details are wrong cancels its original and leaves its token
// free; one that is refused for other reasons is rejected, and its original stays as it was.
// Orders live for as many seconds as they say (then the symbol needs rules), or for the day. Of the letters for display
// Y, A (displayed), N (hidden), P (post-only) and M (midpoint peg) are taken. Trade now is passed over.
// Thread: one owner. Nothing allocates but the constructor.
// Limits: `most_tokens` a day: from then on orders are rejected.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <outcry/actors/key_table.hpp>
#include <outcry/actors/ouch_desk.hpp>
#include <outcry/net/ouch42.hpp>

namespace outcry {

class Ouch42Desk : public OuchDesk {
 public:
  /// No message of a client is larger.
  static constexpr std::size_t largest_inbound = sizeof(ouch42::EnterOrder);

  Ouch42Desk(const OuchDeskOptions& options, const SymbolDirectory& symbols, OrderRoute& route, PortStream& stream);

  /// The time of what comes next, once for each batch.
  void now(std::int64_t now_ns, std::int64_t arrival_ns) { begin(now_ns, arrival_ns); }
  /// What is wrong with a message; null: it was sound, whatever became of it.
  const char* take(std::span<const std::byte> message) noexcept;
  /// An event of a symbol.
  template <class Event>
  void heard(const Event& event) noexcept {
    tell(entry_.heard(event));
  }
  /// The last event of a batch was heard.
  void flush() noexcept;

  /// Tokens begin anew. Requires: no order is open.
  void start_of_day() noexcept;
  void end_of_day() noexcept;
  bool nearly_full() const { return stream_.nearly_full(entry_.open_orders()); }

 private:
  using TokenBytes = std::array<char, 14>;

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
  ouch42::RejectReason read_terms(const Message& message, SymbolId symbol, Side side,
                                  OrderChange& change) const noexcept;
  static ouch42::RejectReason code_of(Reason reason);
  ouch42::RejectReason code_of(RiskReason reason) const;

  static TokenBytes bytes_of(const ouch42::Token& token);
  /// No handle if the token names no order that is not done.
  OrderHandle find(const ouch42::Token& token) const noexcept;
  Line& line(OrderHandle order) { return lines_[order.value]; }
  void forget(OrderHandle order) noexcept;

  void tell(const OrderNews& news) noexcept;
  void tell_accepted(OrderHandle order) noexcept;
  void tell_replaced(const OrderNews& news) noexcept;
  void tell_refused_replacement(const OrderNews& news) noexcept;
  void reject(const ouch42::Token& token, ouch42::RejectReason why) noexcept;
  void cancelled(OrderHandle order, std::uint32_t decrement, ouch::CancelReason reason) noexcept;
  template <class Message>
  void put(const Message& message) noexcept {
    stream_.append(ouch42::encode(message));
  }

  PortStream& stream_;
  KeyTable<TokenBytes, OrderHandle> tokens_;  // of the day; those of orders that are done have no handle
  std::vector<Line> lines_;                   // by handle
  OrderHandle accepting_{};                   // waits for the event behind it: the order may be dead already
  ouch42::Accepted acceptance_{};
};

}  // namespace outcry
