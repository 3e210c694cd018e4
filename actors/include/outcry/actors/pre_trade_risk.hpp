// PreTradeRisk: what each account may do, and how much of it is used up, asked before an order reaches a book.
//
//     const RiskReason refused = risk.admit(order, {.port = port, .now_ns = now_ns});
//     if (refused != RiskReason::none) return reject(refused);      // nothing has changed
//     if (!symbol.send(order).accepted()) risk.withdraw(order.symbol, order.id);
//     ...
//     risk.heard(filled);                                           // every event of the account's orders, in their order
//
// What is admitted counts from that moment on, whether or not the book has answered: two orders under way count both.
// The events of the symbol keep the count exact: a fill turns what was open into position, an end of any kind gives back
// what was open. A replacement or modification is checked, and counted until it is answered, as what it adds.
//
//   position   bought less sold, in lots; with it everything open on a side must stay within the limit, on either side
//   net        bought less sold in price units times lots, over all symbols, likewise
//   gross      bought, sold and open, over all symbols
// An order is worth its price times its lots: its limit, its trigger, or for one without either the reference price. That
// price is the symbol's last trade, before the first one the middle of its quote. Prices below zero count as above it.
//
// Every way in asks the same object: ports before they send (CheckedRoute), in-process strategies through a RiskGate.
// An account that has several ways in is one account under several names (join_account): its limits hold for all of them
// together, exactly, and without a lock, since all of them are on the object's scheduler.
// Thread: one owner; the accounts of one object are all traded from one scheduler. Nothing allocates but setting up.
// Limits: RiskSize. Memory: 64 bytes for each account and symbol, 64 for each open order, 24 for each recent one.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <outcry/actors/risk_reason.hpp>
#include <outcry/messages/commands.hpp>
#include <outcry/messages/events.hpp>
#include <outcry/messages/market_data.hpp>
#include <outcry/net/token_bucket.hpp>

namespace outcry {

struct Filled;
struct TradeBroken;

enum class ShortSales : std::uint8_t {
  free,    // nobody asks
  marked,  // what the account does not have it sells only with an order that says so
  none,
};

/// Of an account. What is left as it is here is not limited.
struct RiskLimits {
  static constexpr std::int64_t unlimited = std::int64_t{1} << 60;

  Quantity largest_order{std::numeric_limits<std::uint32_t>::max()};
  std::int64_t largest_notional = unlimited;  // of one order
  // How far a limit may lie through the reference price, and the price at which a market order begins to trade away
  // from it, in hundredths of a percent; 0: as far as it likes. An order that rests further away is not meant.
  std::uint32_t price_collar_bp = 0;
  std::uint32_t market_collar_bp = 0;
  std::int64_t largest_position = unlimited;  // lots, of each symbol
  std::int64_t largest_net = unlimited;
  std::int64_t largest_gross = unlimited;
  std::uint32_t most_open_orders = std::numeric_limits<std::uint32_t>::max();
  TokenRate symbol_rate{};               // of each symbol; burst 0: none
  std::int64_t duplicate_window_ns = 0;  // the same symbol, side, type, price and quantity again within it is refused
  ShortSales short_sales = ShortSales::free;
  bool needs_locate = false;  // for orders marked as short
  bool every_symbol = true;   // false: only those that entitle() names
};

enum class SaleMark : std::uint8_t { none, sell_short, short_exempt };

/// How an order came.
struct RiskCall {
  std::uint32_t port = 0;  // as add_port() gave it; 0: of no port, and at no rate
  SaleMark mark = SaleMark::none;
  bool located = false;
  std::int64_t now_ns = 0;  // monotonic
};

/// What an account has used up.
struct Exposure {
  std::int64_t bought = 0;  // in price units times lots
  std::int64_t sold = 0;
  std::int64_t open_buys = 0;
  std::int64_t open_sells = 0;
  std::uint32_t open_orders = 0;

  std::int64_t gross() const;
  friend bool operator==(const Exposure&, const Exposure&) = default;
};

/// Of one symbol, in lots.
struct Holding {
  std::int64_t position = 0;  // below zero: short
  std::int64_t open_buys = 0;
  std::int64_t open_sells = 0;
  friend bool operator==(const Holding&, const Holding&) = default;
};

struct RiskSize {
  std::uint32_t symbols = 1;
  std::uint32_t open_orders = 1 << 16;    // of all accounts together; with replacements under way
  std::uint32_t recent_orders = 1 << 12;  // of each account with a window for duplicates; older ones are forgotten
};

class PreTradeRisk {
 public:
  explicit PreTradeRisk(const RiskSize& size, const RiskLimits& defaults = {});
  PreTradeRisk(const PreTradeRisk&) = delete;
  PreTradeRisk& operator=(const PreTradeRisk&) = delete;
  ~PreTradeRisk();

  // --- setting up; all of it may be changed later, by the owner, between two orders

  /// An account that may trade, by limits of its own or those of all. Throws std::invalid_argument if it is there already, or a limit makes no sense.
  void add_account(AccountId account) { add_account(account, defaults_); }
  void add_account(AccountId account, const RiskLimits& limits);
  /// Another name of an account: orders under it use up the account's limits, and its entitlements are the account's. A
  /// venue whose ports have numbers of their own joins all of a client's. Throws if it is there already.
  void join_account(AccountId name, AccountId account);
  bool has_account(AccountId account) const { return index_of_.contains(account.value); }
  const RiskLimits& limits(AccountId account) const;
  /// What is open stays open, however much it is.
  void set_limits(AccountId account, const RiskLimits& limits);
  /// Which sides of a symbol an account may trade. Without any call: both, or none with every_symbol = false.
  void entitle(AccountId account, SymbolId symbol, bool buys, bool sells);
  /// A number for RiskCall::port.
  std::uint32_t add_port(TokenRate orders);
  /// Nobody may trade the symbol, or nobody may sell it short.
  void restrict(SymbolId symbol, bool restricted = true);
  void restrict_short_sales(SymbolId symbol, bool restricted = true);
  /// What the account has at the start of the day.
  void set_position(AccountId account, SymbolId symbol, std::int64_t lots);
  /// Orders that rest already are counted, and not asked.
  void restore(const NewOrder& order);

  // --- on the way in; a refusal changes nothing, and uses up no rate

  [[nodiscard]] RiskReason admit(const NewOrder& order, const RiskCall& call) noexcept;
  [[nodiscard]] RiskReason admit(const SpecialOrder& order, const RiskCall& call) noexcept;
  /// An order that is not known here is left to the book to refuse.
  [[nodiscard]] RiskReason admit(const ReplaceOrder& order, const RiskCall& call) noexcept;
  [[nodiscard]] RiskReason admit(const ReplaceTerms& replacement, const RiskCall& call) noexcept;
  [[nodiscard]] RiskReason admit(const ModifyOrder& order, const RiskCall& call) noexcept;
  /// What was admitted was not sent after all. A rate that it used up stays used.
  void withdraw(const NewOrder& order) noexcept { forget(order.symbol, order.id); }
  void withdraw(const SpecialOrder& order) noexcept { forget(order.symbol, order.id); }
  void withdraw(const ReplaceOrder& order) noexcept { forget(order.symbol, order.new_id); }
  void withdraw(const ReplaceTerms& replacement) noexcept { withdraw(replacement.order); }
  void withdraw(const ModifyOrder& order) noexcept;

  // --- what came of it; events of orders and accounts that are not known here are passed over

  void heard(const Accepted&) noexcept {}
  void heard(const Rejected& event) noexcept;
  void heard(const Filled& event) noexcept;
  void heard(const TradeBroken& event) noexcept;
  void heard(const Cancelled& event) noexcept;
  void heard(const Reduced& event) noexcept;
  void heard(const Modified& event) noexcept;
  void heard(const Replaced& event) noexcept;

  /// What everyone hears, for the reference price.
  void heard(const TradePrint& trade) noexcept;
  void heard(const Quote& quote) noexcept;

  // --- looking

  Exposure exposure(AccountId account) const;
  Holding holding(AccountId account, SymbolId symbol) const;
  /// Nothing before the first trade or two-sided quote.
  std::optional<Price> reference(SymbolId symbol) const;
  /// The worst price that a market order of the account should trade at: make it an immediate-or-cancel limit order at
  /// this price in a book without collars. Nothing without a collar or a reference.
  std::optional<Price> market_bound(AccountId account, SymbolId symbol, Side side) const;
  std::uint64_t refused(RiskReason reason) const { return refused_[static_cast<std::size_t>(reason)]; }
  /// Orders of all accounts that are counted as open, and replacements under way.
  std::uint32_t counted_orders() const { return live_; }
  /// What a broken sum is, in a sentence; empty if all are those of the open orders. For tests: walks everything.
  std::string check() const;

 private:
  struct SymbolState;
  struct Account;
  struct Line;
  struct OpenOrder;
  struct Asked;
  class Recent;

  Account* find_account(AccountId account) noexcept;
  bool owns(AccountId account, const OpenOrder& order) const noexcept;
  const Account& known(AccountId account) const;
  Line& line(Account& account, SymbolId symbol) noexcept;

  RiskReason refuse(RiskReason reason) noexcept {
    ++refused_[static_cast<std::size_t>(reason)];
    return reason;
  }
  RiskReason check_right(const Account& account, const Line& line, const Asked& asked) const noexcept;
  RiskReason check_price(const Account& account, const Asked& asked) const noexcept;
  RiskReason check_short(const Account& account, const Line& line, const Asked& asked,
                         const RiskCall& call) const noexcept;
  RiskReason check_exposure(const Account& account, const Line& line, const Asked& asked) const noexcept;
  RiskReason check_rates(Account& account, Line& line, const RiskCall& call) noexcept;
  /// Everything but ids; uses up the rates if it passes.
  RiskReason check(Account& account, const Asked& asked, const RiskCall& call) noexcept;
  RiskReason enter(AccountId account, OrderId id, Asked asked, const RiskCall& call) noexcept;
  RiskReason replace(AccountId account, OrderId old, OrderId id, Asked asked, const RiskCall& call) noexcept;
  Asked asked_of(const SpecialOrder& order) const noexcept;

  // Open orders by symbol and id: open addressing.
  std::size_t slot_of(SymbolId symbol, OrderId id) const noexcept;
  OpenOrder* find(SymbolId symbol, OrderId id) noexcept;
  OpenOrder& insert(SymbolId symbol, OrderId id) noexcept;
  void erase(OpenOrder& order) noexcept;
  void forget(SymbolId symbol, OrderId id) noexcept;

  void count(const OpenOrder& order, std::int64_t sign) noexcept;
  void drop_pending(OpenOrder& order) noexcept;

  RiskSize size_;
  RiskLimits defaults_;
  std::unordered_map<std::uint32_t, std::uint32_t> index_of_;  // accounts, by each of their names
  std::vector<std::unique_ptr<Account>> accounts_;
  std::vector<SymbolState> symbols_;
  std::vector<TokenBucket> ports_;
  std::unique_ptr<OpenOrder[]> orders_;
  std::size_t mask_ = 0;
  std::uint32_t live_ = 0;
  std::uint64_t refused_[risk_reasons] = {};
};

}  // namespace outcry
