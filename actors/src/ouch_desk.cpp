#include <outcry/actors/ouch_desk.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>

#include <outcry/book/order_terms.hpp>
#include <outcry/net/ouch50_checks.hpp>

namespace outcry {

namespace {

constexpr std::int64_t day_ns = 86'400'000'000'000;
constexpr std::int64_t largest_ouch_price = 1'999'999'900;

}  // namespace

OuchDesk::OuchDesk(const OuchDeskOptions& options, const SymbolDirectory& symbols, OrderRoute& route)
    : options_(options),
      entry_({.account = options.account, .risk_port = options.risk_port, .most_orders = options.most_orders}, symbols,
             route),
      bucket_(options.messages, 0) {
  if (options.firms.size() > 32) throw std::invalid_argument("an account trades for at most 32 firms");
  for (const SymbolDirectory::Listed& listed : symbols.all()) {
    const Instrument& instrument = listed.instrument;
    if (instrument.price_scale < 1 || instrument.tick > INT64_MAX / decimals ||
        instrument.tick * decimals % instrument.price_scale != 0)
      throw std::invalid_argument("the ticks of " + std::string(name_of(instrument)) +
                                  " are no multiples of 0.0001, which is the least that OUCH can say");
  }
}

std::uint64_t OuchDesk::stamp() const {
  const std::int64_t since = (now_ns_ - options_.midnight_ns) % day_ns;
  return static_cast<std::uint64_t>(since < 0 ? since + day_ns : since);
}

std::optional<std::int64_t> OuchDesk::units_of(std::int64_t price, SymbolId symbol) const {
  std::int64_t scaled = 0;
  if (__builtin_mul_overflow(price, instrument(symbol).price_scale, &scaled) || scaled % decimals != 0)
    return std::nullopt;
  return scaled / decimals;
}

std::uint64_t OuchDesk::price_of(Price price, SymbolId symbol) const {
  const std::int64_t scale = instrument(symbol).price_scale;
  if (scale == decimals) [[likely]]
    return static_cast<std::uint64_t>(price.units);
  std::int64_t scaled = 0;
  if (__builtin_mul_overflow(price.units, decimals, &scaled)) return 0;
  return static_cast<std::uint64_t>(scaled / scale);
}

Price OuchDesk::worst(Side side, SymbolId symbol) const {
  const Instrument& listed = instrument(symbol);
  const std::int64_t tick = listed.tick;
  if (side == Side::sell) return {std::max((listed.lowest.units + tick - 1) / tick * tick, tick)};
  const std::int64_t highest = std::min(listed.highest.units, largest_ouch_price / decimals * listed.price_scale);
  return {highest / tick * tick};
}

std::optional<std::uint32_t> OuchDesk::expiry(std::int64_t time_ns) const {
  if (time_ns <= now_ns_ || time_ns <= 0) return std::nullopt;
  const std::int64_t seconds = (time_ns + second_ns - 1) / second_ns;
  if (seconds >= UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(seconds);
}

std::optional<std::uint8_t> OuchDesk::firm_index(std::string_view firm) const {
  if (firm.empty()) return std::uint8_t{0};
  for (std::size_t i = 0; i < options_.firms.size(); ++i)
    if (options_.firms[i].text() == firm) return static_cast<std::uint8_t>(i);
  return std::nullopt;
}

void OuchDesk::disable(std::string_view firm, bool disabled) {
  const std::optional<std::uint8_t> index = firm_index(firm);
  const std::uint32_t meant = firm.empty() ? ~std::uint32_t{0} : index ? std::uint32_t{1} << *index : 0;
  disabled_ = disabled ? disabled_ | meant : disabled_ & ~meant;
}

bool OuchDesk::may_become(ouch::Side from, ouch::Side to) { return ouch50::may_become(from, to); }

ouch::CancelReason OuchDesk::letter_of(const OrderNews& news) {
  using enum ouch::CancelReason;
  switch (news.reason) {
    case Reason::immediate_or_cancel:
    case Reason::fill_or_kill:
    case Reason::minimum_quantity:
    case Reason::no_liquidity: return ouch::CancelReason::immediate_or_cancel;
    case Reason::end_of_day:
    case Reason::auction_over: return closed;
    case Reason::expired: return timeout;
    case Reason::self_trade: return self_match_prevention;
    case Reason::outside_band:
    case Reason::collar: return market_collars;
    case Reason::would_trade: return post_only;
    case Reason::market_closed: return halted;
    default: break;
  }
  switch (news.cause) {
    case CancelCause::disconnect: return ouch::CancelReason::system;
    case CancelCause::supervisor: return supervisory;
    default: return user;
  }
}

ouch::BrokenReason OuchDesk::letter_of(BreakReason reason) {
  switch (reason) {
    case BreakReason::erroneous: return ouch::BrokenReason::erroneous;
    case BreakReason::consent: return ouch::BrokenReason::consent;
    case BreakReason::external: return ouch::BrokenReason::external;
    case BreakReason::supervisory: break;
  }
  return ouch::BrokenReason::supervisory;
}

ouch::Liquidity OuchDesk::letter_of(const OrderTicket& ticket, bool maker) {
  const bool midpoint = ticket.type == SpecialType::midpoint_peg;
  if (!maker) return midpoint ? ouch::Liquidity::removed_midpoint : ouch::Liquidity::removed;
  if (midpoint) return ouch::Liquidity::added_midpoint;
  const bool hidden = has(ticket.terms, Terms::hidden) || is_peg(ticket.type);
  return hidden ? ouch::Liquidity::added_hidden : ouch::Liquidity::added;
}

}  // namespace outcry
