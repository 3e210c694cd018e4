// How a level is shared out if not by time (BookRules::allocation); part of order_book.hpp.
//
// An order at work meets what is displayed at a price in rounds. In each, all the displayed orders have a share in what
// is left of it:
//   pro_rata     first the top order takes what it can, if it goes first; of the rest everyone gets a part in
//                proportion to what it displays, rounded down to a lot, or nothing if that is below the least share
//   lead_makers  the lead makers, oldest first, get up to their per cent of it, rounded down to a lot
// What is left over goes to all of them, the oldest first. Each trades once, in the order of time. Icebergs then display
// their next part at the back and have a share in the next round, until nothing is displayed at the price or the order
// at work has enough. Hidden orders and after them all-or-none orders follow by time, and have no share.
//
// Everyone at a level trades at once. So self-trade prevention looks at the own orders among them before each round, the
// oldest first, whoever stands before them. How much trades is the same as by time: a fill-or-kill order, a minimum, an
// all-or-none order ask for no more. Stops, pegs and all-or-none orders that begin to work meet levels like any other
// order. An uncross is by price and time: nobody in it came first to take.
//
// The top order of a side is the displayed one that, when it came to rest, made a better price than all that were
// displayed. It is so until it leaves, goes to the back, or another makes a better price yet.
#pragma once

#include <outcry/book/order_book.hpp>

namespace outcry {

/// The oldest order at a level that is of the account or its group; 0 if there is none.
template <class Ids>
OrderIndex OrderBook<Ids>::own_at(const Level& level, AccountId account) const noexcept {
  if (rules_->rules.self_trade == SelfTrade::allowed) return 0;
  OrderIndex index = level.oldest;
  while (index != 0 && !rules_->is_self(account.value, (*pool_)[index].account)) index = (*pool_)[index].newer;
  return index;
}

// One round at the best displayed price.
template <class Ids>
template <class Consumer>
void OrderBook<Ids>::share_out(Working& working, Consumer& consumer) {
  const Side side = opposite(working.side);
  PriceLadder& makers = side_of(side);
  const Level& level = makers.best();
  if (const OrderIndex own = own_at(level, working.account); own != 0)
    return prevent_self_trade(working, makers, own, consumer);

  const BookRules& rules = rules_->rules;
  const bool leads = rules.allocation == Allocation::lead_makers;
  const std::uint64_t incoming = working.left;
  const auto whole_lots = [&](std::uint64_t n) { return static_cast<std::uint32_t>(n - n % instrument_.lot); };
  OrderIndex top = rules.top_order_first && !leads ? rules_->top[side == Side::sell] : 0;
  if (top != 0 && &makers.level_of((*pool_)[top]) != &level) top = 0;
  const std::uint64_t before_all = top != 0 ? (*pool_)[top].open.get() : 0, displayed = level.volume - before_all;
  const std::uint64_t to_share = std::min(incoming - std::min(incoming, before_all), displayed);
  std::uint32_t to_lead = 0;
  const auto share_of = [&](OrderIndex index) -> std::uint32_t {
    const Order& maker = (*pool_)[index];
    if (leads) {
      const std::uint32_t share = rules_->is_lead_maker(maker.account) ? std::min(maker.open.get(), to_lead) : 0;
      to_lead -= share;
      return share;
    }
    if (index == top) return static_cast<std::uint32_t>(std::min(incoming, before_all));
    const std::uint32_t share = whole_lots(to_share * maker.open / displayed);
    return share < rules.least_share.lots ? 0 : share;
  };

  to_lead = whole_lots(incoming * rules.lead_percent / 100);
  std::uint32_t by_time = working.left;
  for (OrderIndex index = level.oldest; index != 0; index = (*pool_)[index].newer) by_time -= share_of(index);
  to_lead = whole_lots(incoming * rules.lead_percent / 100);
  // Counted, because icebergs that are used up come again at the back.
  OrderIndex index = level.oldest;
  for (std::uint32_t orders = level.orders; orders != 0; --orders) {
    const OrderIndex newer = (*pool_)[index].newer;
    const std::uint32_t share = share_of(index), more = std::min(by_time, (*pool_)[index].open - share);
    by_time -= more;
    if (share + more != 0) fill(working, makers, index, share + more, consumer);
    index = newer;
  }
}

}  // namespace outcry
