// OuchDesk: what the desks of OUCH 4.2 and 5.0 have in common: firms, rates, prices, times, and the letters of answers.
//
// Thread: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <outcry/actors/order_entry.hpp>
#include <outcry/actors/port_stream.hpp>
#include <outcry/net/alpha.hpp>
#include <outcry/net/ouch_words.hpp>
#include <outcry/net/token_bucket.hpp>

namespace outcry {

struct OuchDeskOptions {
  AccountId account{};
  std::uint32_t risk_port = 0;             // as PreTradeRisk::add_port() gave it
  std::uint32_t most_orders = 1 << 14;     // at a time
  std::uint32_t most_tokens = 1 << 18;     // 4.2: of a day
  std::uint32_t most_breakable = 1 << 12;  // executions that are remembered, in case their trades are broken
  std::vector<Alpha<4>> firms{};           // that it may trade for, at most 32; the first one is meant if none is named
  TokenRate messages{};  // orders and replacements beyond it are refused; cancels are not, but count. Burst 0: no limit
  bool intermarket_sweeps = false;  // there is no other market here: false refuses them, true takes no notice
  std::int64_t midnight_ns = 0;     // the world's time at the midnight that time stamps count from
};

class OuchDesk {
 public:
  /// Throws std::invalid_argument for options out of range, or if a symbol has prices that OUCH cannot name.
  OuchDesk(const OuchDeskOptions& options, const SymbolDirectory& symbols, OrderRoute& route);

  const OrderEntry& entry() const { return entry_; }
  OrderEntry& entry() { return entry_; }
  /// Messages that were passed over: resent, superfluous, or about orders that are not the client's.
  std::uint64_t ignored() const { return ignored_; }
  std::uint64_t rejected() const { return rejected_; }

 protected:
  static constexpr std::int64_t second_ns = 1'000'000'000;
  static constexpr std::int64_t decimals = 10'000;  // OUCH's prices for one unit of currency

  void begin(std::int64_t now_ns, std::int64_t arrival_ns) {
    now_ns_ = now_ns;
    entry_.now(now_ns, arrival_ns);
  }
  /// Nanoseconds since midnight, below a day.
  std::uint64_t stamp() const;

  const Instrument& instrument(SymbolId symbol) const { return entry_.symbols()[symbol].instrument; }
  bool has_rules(SymbolId symbol) const { return entry_.symbols()[symbol].has_rules; }
  /// None: not a price of the instrument.
  std::optional<std::int64_t> units_of(std::int64_t price, SymbolId symbol) const;
  /// In 1/10,000.
  std::uint64_t price_of(Price price, SymbolId symbol) const;
  /// The worst price that a side can have, on the grid, for pegs without a limit.
  Price worst(Side side, SymbolId symbol) const;
  /// In whole seconds of the world's time; none if it is not to come any more.
  std::optional<std::uint32_t> expiry(std::int64_t time_ns) const;

  /// None: the account may not trade for it.
  std::optional<std::uint8_t> firm_index(std::string_view firm) const;
  bool is_disabled(std::uint8_t firm) const { return (disabled_ >> firm & 1) != 0; }
  /// Every firm if none is named.
  void disable(std::string_view firm, bool disabled);
  /// Counts a message. False: there were too many.
  bool within_rate() { return options_.messages.burst == 0 || bucket_.take(1, now_ns_); }

  static Side side_of(ouch::Side side) { return side == ouch::Side::buy ? Side::buy : Side::sell; }
  static SaleMark mark_of(ouch::Side side) {
    return side == ouch::Side::sell_short          ? SaleMark::sell_short
           : side == ouch::Side::sell_short_exempt ? SaleMark::short_exempt
                                                   : SaleMark::none;
  }
  /// May a modification change an order's side like this? Only the marking of short sales.
  static bool may_become(ouch::Side from, ouch::Side to);
  static ouch::CancelReason letter_of(const OrderNews& news);
  static ouch::BrokenReason letter_of(BreakReason reason);
  static ouch::Liquidity letter_of(const OrderTicket& ticket, bool maker);

  OuchDeskOptions options_;
  OrderEntry entry_;
  TokenBucket bucket_;
  std::uint32_t disabled_ = 0;  // firms
  std::int64_t now_ns_ = 0;
  std::uint64_t ignored_ = 0;
  std::uint64_t rejected_ = 0;
};

}  // namespace outcry
