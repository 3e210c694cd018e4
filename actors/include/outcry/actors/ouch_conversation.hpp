// OuchConversation: an OUCH client's orders from its messages to its answers, as far as the versions agree.
//
// A desk of a version is derived from it and says what differs: how orders are called, which letters say what, and how
// messages are laid out. The desk has:
//
//   Line                          what the client has said of an order, by handle; its `side`, `firm_index`, `modifies`
//   RejectReason, codes           why a message is rejected, and the reasons that both versions have under other names
//   code_of(Reason, ticket), code_of(RiskReason)
//   reject_order(order, code)     its key stays used
//   forget(order)                 it is done: its key calls nothing any more
//   free_key(order)               it never was: its key may be used
//   key_of(order)
//   put_accepted(order, state), put_cancelled(order, decrement, reason), put_prevented(news), put_filled(news),
//   put_modified(order), put_replaced(news), put_restated(news),
//   put_pending(order), put_broken(key, match, reason)
//
// Thread: one owner. Nothing allocates but the constructor.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <outcry/actors/fill_log.hpp>
#include <outcry/actors/ouch_desk.hpp>
#include <outcry/actors/port_stream.hpp>

namespace outcry {

/// Reasons to reject a message that the versions have under different names.
template <class RejectReason>
struct OuchCodes {
  RejectReason firm;
  RejectReason disabled;  // of a replacement: the order's firm may enter none
  RejectReason symbol;
  RejectReason sweep;
  RejectReason no_room;
  RejectReason cross;
  RejectReason waits;  // of a replacement: its original waits itself
};

/// `Key`: what the client calls an order in a message about it.
template <class Desk, class Key>
class OuchConversation : public OuchDesk {
 public:
  /// The time of what comes next, once for each batch.
  void now(std::int64_t now_ns, std::int64_t arrival_ns) { begin(now_ns, arrival_ns); }
  /// An event of a symbol.
  template <class Event>
  void heard(const Event& event) noexcept {
    tell(entry_.heard(event));
  }
  /// A trade is broken: by now nothing else may be known of its order.
  void heard(const TradeBroken& event) noexcept {
    flush();
    const std::uint64_t match = match_number(event.symbol, event.trade);
    if (const Key* const key = fills_.find(match, event.id)) desk().put_broken(*key, match, letter_of(event.reason));
  }
  /// The last event of a batch was heard.
  void flush() noexcept {
    if (accepting_) desk().put_accepted(std::exchange(accepting_, {}), ouch::OrderState::live);
  }
  bool nearly_full() const { return stream_.nearly_full(entry_.open_orders()); }

 protected:
  OuchConversation(const OuchDeskOptions& options, const SymbolDirectory& symbols, OrderRoute& route,
                   PortStream& stream)
      : OuchDesk(options, symbols, route), stream_(stream), fills_(options.most_breakable) {}

  // What a message comes to.
  enum class Outcome : std::uint8_t {
    under_way,  // under `order`
    rejected,   // by `code`
    ignored,    // passed over
    invalid,    // of a replacement: its details are wrong, and the original is to leave
  };
  template <class Code>
  struct Taken {
    Outcome outcome = Outcome::under_way;
    Code code{};
    OrderHandle order{};
    std::uint8_t firm = 0;
  };

  /// A new order whose key is good, and which came in time or not. `read_terms(symbol, side, change)` gives a code.
  template <class Message, class ReadTerms>
  auto enter(const Message& message, std::string_view firm, std::string_view symbol, bool located,
             ReadTerms&& read_terms) noexcept {
    using Code = typename Desk::RejectReason;
    using Answer = Taken<Code>;
    constexpr auto& codes = Desk::codes;
    const auto refuse = [](Code code) { return Answer{.outcome = Outcome::rejected, .code = code}; };

    const std::optional<std::uint8_t> index = firm_index(firm);
    if (!index || is_disabled(*index)) return refuse(codes.firm);
    const std::optional<SymbolId> listed = entry_.symbols().find(symbol);
    if (!listed) return refuse(codes.symbol);
    if (message.intermarket_sweep == ouch::YesNo::yes && !options_.intermarket_sweeps) return refuse(codes.sweep);
    if (nearly_full()) return refuse(codes.no_room);
    OrderChange terms;
    const Side side = side_of(message.side);
    if (const Code why = read_terms(*listed, side, terms); why != Code::none) return refuse(why);
    if (message.cross != ouch::Cross::continuous) {
      if (!ouch::one_of(message.cross, "OCH") || terms.time_in_force != TimeInForce::day) return refuse(codes.cross);
      terms.time_in_force = TimeInForce::good_for_auction;
    }
    const OrderTicket ticket{.symbol = *listed,
                             .side = side,
                             .type = terms.type,
                             .time_in_force = terms.time_in_force,
                             .terms = terms.terms,
                             .price = terms.price,
                             .trigger = terms.trigger,
                             .quantity = terms.total,
                             .part = terms.part,
                             .expires_s = terms.expires_s,
                             .mark = mark_of(message.side),
                             .located = located};
    if (ticket.is_special() && !has_rules(*listed)) return refuse(Desk::missing_rules(ticket));
    const OrderEntry::Answer answer = entry_.enter(ticket);
    if (!answer)
      return refuse(answer.risk != RiskReason::none ? Desk::code_of(answer.risk)
                                                    : Desk::code_of(answer.reason, ticket));
    return Answer{.order = answer.order, .firm = *index};
  }

  /// A replacement under a good key. `change` has what stays if the message does not name it; `check(change)` is false
  /// if the message makes no sense.
  template <class Message, class Check>
  auto replace(OrderHandle original, const Message& message, OrderChange change, Check&& check) noexcept {
    using Code = typename Desk::RejectReason;
    using Answer = Taken<Code>;
    constexpr auto& codes = Desk::codes;
    const auto refuse = [](Code code) { return Answer{.outcome = Outcome::rejected, .code = code}; };

    const EnteredOrder& old = entry_.order(original);
    if (is_disabled(desk().line(original).firm_index)) return refuse(codes.disabled);
    if (nearly_full()) return refuse(codes.no_room);
    const bool sweeps = message.intermarket_sweep == ouch::YesNo::yes && !options_.intermarket_sweeps;
    if (sweeps || !check(change)) return Answer{.outcome = Outcome::invalid};
    if (old.ticket.time_in_force == TimeInForce::good_for_auction) change.time_in_force = TimeInForce::good_for_auction;
    const OrderEntry::Answer answer = entry_.replace(original, change);
    if (answer) return Answer{.order = answer.order};
    if (answer.risk != RiskReason::none) return refuse(Desk::code_of(answer.risk));
    switch (answer.reason) {
      case Reason::unknown_order: return Answer{.outcome = Outcome::ignored};
      case Reason::mailbox_full:
      case Reason::pool_exhausted: return refuse(codes.no_room);
      case Reason::invalid_combination: return refuse(codes.waits);
      default: return Answer{.outcome = Outcome::invalid};
    }
  }

  /// To `quantity`, what was executed included; 0: all that is left of it.
  void cancel(OrderHandle order, std::uint32_t quantity) noexcept {
    const bool done = order && (quantity == 0 ? entry_.cancel(order) : entry_.reduce(order, {quantity}));
    if (!done) return static_cast<void>(++ignored_);
    if (entry_.owes(order)) desk().put_pending(order);
  }

  /// Another marking as a short sale, or a smaller size.
  void modify(OrderHandle order, ouch::Side side, std::uint32_t quantity) noexcept {
    if (!order) return static_cast<void>(++ignored_);
    const EnteredOrder& entered = entry_.order(order);
    auto& said = desk().line(order);
    if (!may_become(said.side, side) || quantity > entered.wanted.lots || !entered.is_open())
      return static_cast<void>(++ignored_);
    if (quantity < entered.wanted.lots) {
      if (!entry_.reduce(order, {quantity})) return static_cast<void>(++ignored_);
      said.modifies = quantity != 0;
    } else if (said.side == side) {
      return static_cast<void>(++ignored_);
    }
    said.side = side;
    entry_.mark(order, mark_of(side));
    if (!said.modifies) desk().put_modified(order);
  }

  PortStream& stream_;

 private:
  Desk& desk() { return static_cast<Desk&>(*this); }

  void tell(const OrderNews& news) noexcept {
    using Kind = OrderNews::Kind;
    if (!news) return;
    if (news.kind == Kind::cancelled && news.order == accepting_ &&
        (news.reason == Reason::minimum_quantity || news.reason == Reason::fill_or_kill)) {
      desk().put_accepted(std::exchange(accepting_, {}), ouch::OrderState::dead);
      return desk().forget(news.order);
    }
    flush();
    switch (news.kind) {
      case Kind::accepted: accepting_ = news.order; return;
      case Kind::refused: tell_refused(news.order, news.reason); return desk().forget(news.order);
      case Kind::filled:
        desk().put_filled(news);
        fills_.remember(news.match, entry_.order(news.order).id, desk().key_of(news.order));
        break;
      case Kind::reduced:
        if (std::exchange(desk().line(news.order).modifies, false))
          desk().put_modified(news.order);
        else
          desk().put_cancelled(news.order, news.quantity.lots, ouch::CancelReason::user);
        break;
      case Kind::prevented:
      case Kind::cancelled:
        if (news.kind == Kind::prevented || news.reason == Reason::self_trade)
          desk().put_prevented(news);
        else
          desk().put_cancelled(news.order, news.quantity.lots, letter_of(news));
        break;
      case Kind::replaced: desk().put_replaced(news); return desk().forget(news.before);
      case Kind::replacement_refused: return tell_refused_replacement(news);
      case Kind::refreshed:
      case Kind::repriced: return desk().put_restated(news);
      case Kind::triggered:
      case Kind::none: return;
    }
    if (news.last) desk().forget(news.order);
    if (news.dropped) desk().free_key(news.dropped);
  }

  void tell_refused(OrderHandle order, Reason reason) noexcept {
    const OrderTicket& ticket = entry_.order(order).ticket;
    if (reason != Reason::would_trade) return desk().reject_order(order, Desk::code_of(reason, ticket));
    desk().put_accepted(order, ouch::OrderState::live);
    desk().put_cancelled(order, ticket.quantity.lots, ouch::CancelReason::post_only);
  }

  void tell_refused_replacement(const OrderNews& news) noexcept {
    // What a halt or an auction keeps from being replaced is not wrong in itself.
    if (news.reason == Reason::market_closed || news.reason == Reason::in_auction) {
      desk().reject_order(news.order, Desk::RejectReason::halted);
      return desk().forget(news.order);
    }
    desk().free_key(news.order);
    if (entry_.order(news.before).is_open()) static_cast<void>(entry_.cancel(news.before, CancelCause::replacement));
  }

  FillLog<Key> fills_;
  OrderHandle accepting_{};  // waits for the event behind it: the order may be dead already
};

}  // namespace outcry
