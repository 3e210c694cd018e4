#include <outcry/actors/pre_trade_risk.hpp>

#include <algorithm>
#include <bit>
#include <cassert>
#include <stdexcept>
#include <string>

#include <outcry/actors/participant.hpp>

namespace outcry {

namespace {

constexpr std::int64_t most = RiskLimits::unlimited;

std::int64_t size_of(Price price) {
  if (price.units == std::numeric_limits<std::int64_t>::min()) return std::numeric_limits<std::int64_t>::max();
  return price.units < 0 ? -price.units : price.units;
}

/// No more than just beyond what can be counted.
std::int64_t product(std::int64_t value, std::int64_t lots) {
  if (value == 0 || lots == 0) return 0;
  return value > most / lots ? most + 1 : value * lots;
}

std::int64_t sum(std::int64_t a, std::int64_t b) { return std::min(a + b, most); }

/// A share of a price, in hundredths of a percent, without ever being too large to be counted.
std::int64_t part_of(std::int64_t price, std::uint32_t bp) {
  const std::int64_t whole = price / 10'000, rest = price % 10'000;
  if (bp != 0 && whole > most / bp) return most;
  return whole * bp + rest * bp / 10'000;
}

/// The worst price within a collar.
Price bound(Price reference, std::uint32_t bp, Side side) {
  const std::int64_t part = part_of(size_of(reference), bp);
  std::int64_t units = 0;
  if (side == Side::buy ? __builtin_add_overflow(reference.units, part, &units)
                        : __builtin_sub_overflow(reference.units, part, &units))
    units = side == Side::buy ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
  return {units};
}

bool is_beyond(Price price, Price limit, Side side) { return side == Side::buy ? price > limit : price < limit; }

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = a ^ (b + 0x9E3779B97F4A7C15u + (a << 6) + (a >> 2));
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

void check_limits(const RiskLimits& limits) {
  const auto wrong = [](const char* what) { throw std::invalid_argument(std::string("risk limits: ") + what); };
  for (const std::int64_t limit :
       {limits.largest_notional, limits.largest_position, limits.largest_net, limits.largest_gross})
    if (limit < 0 || limit > most) wrong("a limit is from 0 to 2^60");
  if (limits.price_collar_bp > 1'000'000 || limits.market_collar_bp > 1'000'000)
    wrong("a collar is at most 1,000,000 hundredths of a percent");
  if (limits.duplicate_window_ns < 0) wrong("a window for duplicates has no length below zero");
  if (limits.symbol_rate.burst > 1'000'000'000 || limits.symbol_rate.per_second > 1'000'000'000)
    wrong("a rate is at most 1,000,000,000 a second");
}

}  // namespace

std::int64_t Exposure::gross() const { return bought + sold + open_buys + open_sells; }

/// The orders that an account has entered last, to find one among them again.
class PreTradeRisk::Recent {
 public:
  explicit Recent(std::uint32_t orders)
      : ring_(std::bit_ceil(std::max(orders, 1u))), newest_(ring_.size()), mask_(ring_.size() - 1) {}

  bool has(std::uint64_t key, std::int64_t now_ns, std::int64_t window_ns) const {
    for (std::uint64_t n = newest_[key & mask_]; n != 0 && n + ring_.size() > count_; n = ring_[n & mask_].older) {
      const Entered& entered = ring_[n & mask_];
      if (now_ns - entered.time_ns >= window_ns) return false;
      if (entered.key == key) return true;
    }
    return false;
  }
  void add(std::uint64_t key, std::int64_t now_ns) {
    ++count_;
    ring_[count_ & mask_] = {key, now_ns, newest_[key & mask_]};
    newest_[key & mask_] = count_;
  }

 private:
  struct Entered {
    std::uint64_t key = 0;
    std::int64_t time_ns = 0;
    std::uint64_t older = 0;  // number of the one before it whose key ends alike; 0: none
  };
  std::vector<Entered> ring_;
  std::vector<std::uint64_t> newest_;
  std::uint64_t mask_, count_ = 0;
};

struct PreTradeRisk::SymbolState {
  std::optional<Price> last{};
  Quote quote{};
  bool restricted = false;
  bool no_short_sales = false;

  std::optional<Price> reference() const {
    if (last) return last;
    if (!quote.has_both()) return std::nullopt;
    return Price{quote.bid.units / 2 + quote.ask.units / 2 + (quote.bid.units % 2 + quote.ask.units % 2) / 2};
  }
};

/// An account's part of one symbol.
struct PreTradeRisk::Line {
  Holding holding{};
  TokenBucket rate{{}, 0};
  bool may_buy = true;
  bool may_sell = true;
};

struct PreTradeRisk::Account {
  AccountId id{};
  RiskLimits limits{};
  Exposure exposure{};
  std::vector<Line> lines{};
  std::unique_ptr<Recent> recent{};
};

/// An order that was admitted, or a replacement that is under way.
struct PreTradeRisk::OpenOrder {
  OrderId id{};
  std::int64_t value = 0;        // of one lot
  std::int64_t added_value = 0;  // by what is under way
  std::uint32_t open = 0;        // lots
  std::uint32_t added = 0;       // lots, by what is under way
  std::uint32_t account = 0;     // in accounts_
  SymbolId symbol{};
  std::uint32_t under_way = 0;  // modifications
  Side side{};
  bool is_replacement = false;  // not answered yet; the old order stands in its own place
  bool is_used = false;         // the place in the table

  std::int64_t lots() const { return std::int64_t{open} + added; }
  std::int64_t notional() const { return product(value, open) + added_value; }
};

/// What is asked for.
struct PreTradeRisk::Asked {
  enum class Pricing : std::uint8_t { limit, market, later };  // `later`: its price means nothing yet

  SymbolId symbol{};
  Side side{};
  Pricing pricing = Pricing::limit;
  Price price{};
  Quantity quantity{};
  std::int64_t value = 0;  // of one lot
  std::int64_t added = 0;  // lots
  std::int64_t added_value = 0;
  std::uint64_t key = 0;  // of a new order: what makes it a duplicate
  bool is_new = true;

  bool adds() const { return is_new || added != 0 || added_value != 0; }
};

PreTradeRisk::PreTradeRisk(const RiskSize& size, const RiskLimits& defaults)
    : size_(size), defaults_(defaults), symbols_(size.symbols) {
  if (size.open_orders == 0 || size.open_orders > 1u << 30)
    throw std::invalid_argument("risk: room for 1 to 2^30 open orders");
  check_limits(defaults);
  const std::size_t places = std::bit_ceil(std::size_t{size.open_orders} * 2);
  orders_ = std::make_unique<OpenOrder[]>(places);
  mask_ = places - 1;
  ports_.emplace_back(TokenRate{}, 0);
}

PreTradeRisk::~PreTradeRisk() = default;

// --- setting up

void PreTradeRisk::add_account(AccountId account, const RiskLimits& limits) {
  if (has_account(account))
    throw std::invalid_argument("risk: account " + std::to_string(account.value) + " is there already");
  check_limits(limits);
  auto made = std::make_unique<Account>();
  made->id = account;
  made->lines.resize(size_.symbols);
  index_of_[account.value] = static_cast<std::uint32_t>(accounts_.size());
  accounts_.push_back(std::move(made));
  set_limits(account, limits);
  for (Line& line : accounts_.back()->lines) line.may_buy = line.may_sell = accounts_.back()->limits.every_symbol;
}

void PreTradeRisk::join_account(AccountId name, AccountId account) {
  (void)known(account);
  if (has_account(name))
    throw std::invalid_argument("risk: account " + std::to_string(name.value) + " is there already");
  index_of_[name.value] = index_of_.at(account.value);
}

void PreTradeRisk::set_limits(AccountId id, const RiskLimits& limits) {
  check_limits(limits);
  Account& account = const_cast<Account&>(known(id));
  const TokenRate before = account.limits.symbol_rate;
  if (before.burst != limits.symbol_rate.burst || before.per_second != limits.symbol_rate.per_second)
    for (Line& line : account.lines) line.rate = TokenBucket(limits.symbol_rate, 0);
  account.limits = limits;
  if (limits.duplicate_window_ns != 0 && account.recent == nullptr)
    account.recent = std::make_unique<Recent>(size_.recent_orders);
}

void PreTradeRisk::entitle(AccountId account, SymbolId symbol, bool buys, bool sells) {
  Line& entitled = const_cast<Account&>(known(account)).lines.at(symbol.value);
  entitled.may_buy = buys;
  entitled.may_sell = sells;
}

std::uint32_t PreTradeRisk::add_port(TokenRate orders) {
  if (orders.burst == 0) throw std::invalid_argument("risk: a port whose rate lets nothing through");
  ports_.emplace_back(orders, 0);
  return static_cast<std::uint32_t>(ports_.size() - 1);
}

void PreTradeRisk::restrict(SymbolId symbol, bool restricted) { symbols_.at(symbol.value).restricted = restricted; }
void PreTradeRisk::restrict_short_sales(SymbolId symbol, bool restricted) {
  symbols_.at(symbol.value).no_short_sales = restricted;
}

void PreTradeRisk::set_position(AccountId account, SymbolId symbol, std::int64_t lots) {
  const_cast<Account&>(known(account)).lines.at(symbol.value).holding.position = lots;
}

void PreTradeRisk::restore(const NewOrder& order) {
  Account* account = find_account(order.account);
  if (account == nullptr || order.symbol.value >= size_.symbols) return;
  if (live_ >= size_.open_orders || find(order.symbol, order.id) != nullptr)
    throw std::invalid_argument("risk: no room for the orders that rest already, or two of one id");
  OpenOrder& restored = insert(order.symbol, order.id);
  restored.account = index_of_.at(order.account.value);
  restored.side = order.side;
  restored.open = order.quantity.lots;
  restored.value = std::min(size_of(order.price), most / std::max(order.quantity.lots, 1u));
  count(restored, 1);
  ++account->exposure.open_orders;
}

// --- asking

PreTradeRisk::Account* PreTradeRisk::find_account(AccountId account) noexcept {
  const auto found = index_of_.find(account.value);
  return found == index_of_.end() ? nullptr : accounts_[found->second].get();
}

bool PreTradeRisk::owns(AccountId account, const OpenOrder& order) const noexcept {
  const auto found = index_of_.find(account.value);
  return found != index_of_.end() && found->second == order.account;
}

const PreTradeRisk::Account& PreTradeRisk::known(AccountId account) const {
  const auto found = index_of_.find(account.value);
  if (found == index_of_.end())
    throw std::invalid_argument("risk: no account " + std::to_string(account.value) + " was added");
  return *accounts_[found->second];
}

const RiskLimits& PreTradeRisk::limits(AccountId account) const { return known(account).limits; }

RiskReason PreTradeRisk::check_right(const Account& account, const Line& line, const Asked& asked) const noexcept {
  if (!line.may_buy && !line.may_sell) return RiskReason::not_entitled;
  if (asked.side == Side::buy ? !line.may_buy : !line.may_sell) return RiskReason::side_not_allowed;
  if (symbols_[asked.symbol.value].restricted) return RiskReason::restricted;
  if (asked.quantity > account.limits.largest_order) return RiskReason::order_size;
  return RiskReason::none;
}

RiskReason PreTradeRisk::check_price(const Account& account, const Asked& asked) const noexcept {
  const RiskLimits& limits = account.limits;
  const SymbolState& symbol = symbols_[asked.symbol.value];
  const std::optional<Price> reference = symbol.reference();
  if (asked.pricing == Asked::Pricing::market) {
    const bool is_needed = limits.market_collar_bp != 0 || limits.largest_notional != most ||
                           limits.largest_net != most || limits.largest_gross != most;
    if (!reference && is_needed) return RiskReason::no_reference;
    if (limits.market_collar_bp != 0) {
      const Price worst = bound(*reference, limits.market_collar_bp, asked.side);
      const bool is_there = asked.side == Side::buy ? symbol.quote.has_ask() : symbol.quote.has_bid();
      const Price first = asked.side == Side::buy ? symbol.quote.ask : symbol.quote.bid;
      if (is_there && is_beyond(first, worst, asked.side)) return RiskReason::market_collar;
    }
  } else if (asked.pricing == Asked::Pricing::limit && reference && limits.price_collar_bp != 0) {
    if (is_beyond(asked.price, bound(*reference, limits.price_collar_bp, asked.side), asked.side))
      return RiskReason::price_collar;
  }
  if (product(asked.value, asked.quantity.lots) > limits.largest_notional) return RiskReason::order_notional;
  return RiskReason::none;
}

RiskReason PreTradeRisk::check_short(const Account& account, const Line& line, const Asked& asked,
                                     const RiskCall& call) const noexcept {
  if (asked.side != Side::sell || !asked.adds()) return RiskReason::none;
  const bool is_marked = call.mark != SaleMark::none;
  const bool is_short = asked.added > line.holding.position - line.holding.open_sells;
  const ShortSales policy = account.limits.short_sales;
  if (is_marked && policy == ShortSales::none) return RiskReason::short_sale;
  if (is_marked && account.limits.needs_locate && !call.located) return RiskReason::not_located;
  if (is_short && !is_marked && policy != ShortSales::free) return RiskReason::short_sale;
  if ((is_short || is_marked) && symbols_[asked.symbol.value].no_short_sales && call.mark != SaleMark::short_exempt)
    return RiskReason::short_sale;
  return RiskReason::none;
}

RiskReason PreTradeRisk::check_exposure(const Account& account, const Line& line, const Asked& asked) const noexcept {
  const RiskLimits& limits = account.limits;
  const Exposure& now = account.exposure;
  const bool buys = asked.side == Side::buy;
  const std::int64_t held =
      buys ? line.holding.position + line.holding.open_buys : line.holding.open_sells - line.holding.position;
  if (asked.added > 0 && held > limits.largest_position - asked.added) return RiskReason::position;
  if (asked.added_value > 0) {
    const std::int64_t net = buys ? now.bought - now.sold + now.open_buys : now.sold - now.bought + now.open_sells;
    if (net > limits.largest_net - asked.added_value) return RiskReason::net_notional;
    if (now.gross() > limits.largest_gross - asked.added_value) return RiskReason::gross_notional;
  }
  if (asked.is_new && now.open_orders >= limits.most_open_orders) return RiskReason::open_orders;
  return RiskReason::none;
}

RiskReason PreTradeRisk::check_rates(Account& account, Line& line, const RiskCall& call) noexcept {
  assert(call.port < ports_.size() && "a port that was never added");
  TokenBucket& port = ports_[call.port];
  const bool has_port_rate = call.port != 0, has_symbol_rate = account.limits.symbol_rate.burst != 0;
  if (has_port_rate && !port.has(1, call.now_ns)) return RiskReason::port_rate;
  if (has_symbol_rate && !line.rate.take(1, call.now_ns)) return RiskReason::symbol_rate;
  if (has_port_rate) port.take(1, call.now_ns);
  return RiskReason::none;
}

RiskReason PreTradeRisk::check(Account& account, const Asked& asked, const RiskCall& call) noexcept {
  Line& line = account.lines[asked.symbol.value];
  RiskReason refused = check_right(account, line, asked);
  if (refused == RiskReason::none) refused = check_price(account, asked);
  if (refused == RiskReason::none) refused = check_short(account, line, asked, call);
  if (refused == RiskReason::none) refused = check_exposure(account, line, asked);
  const bool remembers = asked.is_new && account.limits.duplicate_window_ns != 0;
  if (refused == RiskReason::none && remembers &&
      account.recent->has(asked.key, call.now_ns, account.limits.duplicate_window_ns))
    refused = RiskReason::duplicate;
  // Nothing may refuse behind this one, which takes.
  if (refused == RiskReason::none) refused = check_rates(account, line, call);
  if (refused == RiskReason::none && remembers) account.recent->add(asked.key, call.now_ns);
  return refused;
}

RiskReason PreTradeRisk::enter(AccountId id, OrderId order, Asked asked, const RiskCall& call) noexcept {
  Account* account = find_account(id);
  if (account == nullptr) return refuse(RiskReason::unknown_account);
  if (asked.symbol.value >= size_.symbols) return refuse(RiskReason::not_entitled);
  if (live_ >= size_.open_orders) return refuse(RiskReason::open_orders);
  if (find(asked.symbol, order) != nullptr) return refuse(RiskReason::duplicate_id);
  asked.added = asked.quantity.lots;
  asked.added_value = product(asked.value, asked.quantity.lots);
  if (const RiskReason refused = check(*account, asked, call); refused != RiskReason::none) return refuse(refused);
  OpenOrder& entered = insert(asked.symbol, order);
  entered.account = index_of_.find(id.value)->second;
  entered.side = asked.side;
  entered.open = asked.quantity.lots;
  entered.value = asked.value;
  count(entered, 1);
  ++account->exposure.open_orders;
  return RiskReason::none;
}

RiskReason PreTradeRisk::admit(const NewOrder& order, const RiskCall& call) noexcept {
  Asked asked{.symbol = order.symbol,
              .side = order.side,
              .pricing = order.type == OrderType::market ? Asked::Pricing::market : Asked::Pricing::limit,
              .price = order.type == OrderType::market ? Price{} : order.price,
              .quantity = order.quantity};
  asked.value = size_of(asked.price);
  if (order.type == OrderType::market) asked.value = size_of(reference(order.symbol).value_or(Price{}));
  asked.key = mixed(mixed(static_cast<std::uint64_t>(asked.price.units), order.quantity.lots),
                    std::uint64_t{order.symbol.value} << 8 | static_cast<std::uint64_t>(order.type) << 1 |
                        static_cast<std::uint64_t>(order.side));
  return enter(order.account, order.id, asked, call);
}

PreTradeRisk::Asked PreTradeRisk::asked_of(const SpecialOrder& order) const noexcept {
  Asked asked{.symbol = order.symbol,
              .side = order.side,
              .pricing = Asked::Pricing::later,
              .price = order.price,
              .quantity = order.quantity};
  switch (order.type) {
    case SpecialType::limit: asked.pricing = Asked::Pricing::limit; break;
    case SpecialType::market:
    case SpecialType::market_to_limit: asked.pricing = Asked::Pricing::market; break;
    case SpecialType::stop: asked.price = {order.trigger}; break;
    default: break;
  }
  const bool has_price = asked.pricing != Asked::Pricing::market && order.type != SpecialType::trailing_stop;
  if (!has_price) asked.price = {};
  asked.value = size_of(has_price ? asked.price : reference(order.symbol).value_or(Price{}));
  asked.key = mixed(mixed(static_cast<std::uint64_t>(asked.price.units), order.quantity.lots),
                    mixed(static_cast<std::uint64_t>(order.trigger), std::uint64_t{order.symbol.value} << 8 |
                                                                         static_cast<std::uint64_t>(order.type) << 2 |
                                                                         2u | static_cast<std::uint64_t>(order.side)));
  return asked;
}

RiskReason PreTradeRisk::admit(const SpecialOrder& order, const RiskCall& call) noexcept {
  return enter(order.account, order.id, asked_of(order), call);
}

RiskReason PreTradeRisk::admit(const ReplaceOrder& order, const RiskCall& call) noexcept {
  return replace(
      order.account, order.id, order.new_id,
      {.symbol = order.symbol, .price = order.price, .quantity = order.quantity, .value = size_of(order.price)}, call);
}

RiskReason PreTradeRisk::admit(const ReplaceTerms& replacement, const RiskCall& call) noexcept {
  const SpecialOrder& order = replacement.order;
  return replace(order.account, replacement.id, order.id, asked_of(order), call);
}

RiskReason PreTradeRisk::replace(AccountId id, OrderId old_id, OrderId new_id, Asked asked,
                                 const RiskCall& call) noexcept {
  if (asked.symbol.value >= size_.symbols) return RiskReason::none;
  const OpenOrder* old = find(asked.symbol, old_id);
  if (old == nullptr || !owns(id, *old)) return RiskReason::none;
  if (live_ >= size_.open_orders) return refuse(RiskReason::open_orders);
  if (find(asked.symbol, new_id) != nullptr) return refuse(RiskReason::duplicate_id);
  asked.side = old->side;
  asked.is_new = false;
  asked.added = std::max<std::int64_t>(std::int64_t{asked.quantity.lots} - old->open, 0);
  asked.added_value =
      std::max<std::int64_t>(product(asked.value, asked.quantity.lots) - product(old->value, old->open), 0);
  const std::uint32_t account = old->account;
  if (const RiskReason refused = check(*accounts_[account], asked, call); refused != RiskReason::none)
    return refuse(refused);
  OpenOrder& entered = insert(asked.symbol, new_id);
  entered.account = account;
  entered.side = asked.side;
  entered.value = asked.value;
  entered.is_replacement = true;
  entered.added = static_cast<std::uint32_t>(asked.added);
  entered.added_value = asked.added_value;
  count(entered, 1);
  return RiskReason::none;
}

RiskReason PreTradeRisk::admit(const ModifyOrder& order, const RiskCall& call) noexcept {
  if (order.symbol.value >= size_.symbols) return RiskReason::none;
  OpenOrder* found = find(order.symbol, order.id);
  if (found == nullptr || !owns(order.account, *found)) return RiskReason::none;
  Asked asked{.symbol = order.symbol,
              .side = found->side,
              .price = order.price,
              .quantity = order.quantity,
              .value = size_of(order.price),
              .is_new = false};
  // Of several under way, the one that adds most counts.
  const std::int64_t more = std::int64_t{order.quantity.lots} - found->open;
  const std::int64_t more_value = product(asked.value, order.quantity.lots) - product(found->value, found->open);
  asked.added = std::max<std::int64_t>(more - found->added, 0);
  asked.added_value = std::max<std::int64_t>(more_value - found->added_value, 0);
  if (const RiskReason refused = check(*accounts_[found->account], asked, call); refused != RiskReason::none)
    return refuse(refused);
  count(*found, -1);
  found->added += static_cast<std::uint32_t>(asked.added);
  found->added_value += asked.added_value;
  ++found->under_way;
  count(*found, 1);
  return RiskReason::none;
}

void PreTradeRisk::withdraw(const ModifyOrder& order) noexcept {
  if (OpenOrder* found = find(order.symbol, order.id); found != nullptr) drop_pending(*found);
}

// --- hearing

void PreTradeRisk::count(const OpenOrder& order, std::int64_t sign) noexcept {
  Account& account = *accounts_[order.account];
  Holding& holding = account.lines[order.symbol.value].holding;
  const bool buys = order.side == Side::buy;
  (buys ? holding.open_buys : holding.open_sells) += sign * order.lots();
  (buys ? account.exposure.open_buys : account.exposure.open_sells) += sign * order.notional();
}

/// One modification less is under way.
void PreTradeRisk::drop_pending(OpenOrder& order) noexcept {
  if (order.under_way == 0 || --order.under_way != 0) return;
  count(order, -1);
  order.added = 0;
  order.added_value = 0;
  count(order, 1);
  if (order.open == 0) forget(order.symbol, order.id);
}

void PreTradeRisk::forget(SymbolId symbol, OrderId id) noexcept {
  OpenOrder* found = find(symbol, id);
  if (found == nullptr) return;
  count(*found, -1);
  if (!found->is_replacement) --accounts_[found->account]->exposure.open_orders;
  erase(*found);
}

void PreTradeRisk::heard(const Rejected& event) noexcept {
  switch (event.command) {
    case CommandKind::new_order: forget(event.symbol, event.id); break;
    case CommandKind::replace:
      if (const OpenOrder* found = find(event.symbol, event.new_id); found != nullptr && found->is_replacement)
        forget(event.symbol, event.new_id);
      break;
    case CommandKind::modify:
      if (OpenOrder* found = find(event.symbol, event.id); found != nullptr) drop_pending(*found);
      break;
    default: break;
  }
}

void PreTradeRisk::heard(const Filled& event) noexcept {
  if (event.symbol.value >= size_.symbols) return;
  if (Account* account = find_account(event.account); account != nullptr) {
    const std::int64_t lots = event.quantity.lots, value = std::min(product(size_of(event.price), lots), most);
    const bool bought = event.side == Side::buy;
    account->lines[event.symbol.value].holding.position += bought ? lots : -lots;
    std::int64_t& traded = bought ? account->exposure.bought : account->exposure.sold;
    traded = sum(traded, value);
  }
  OpenOrder* found = find(event.symbol, event.id);
  if (found == nullptr) return;
  count(*found, -1);
  // A modification that makes it larger may trade more than was open; Modified says what is left.
  found->open -= std::min(found->open, event.quantity.lots);
  count(*found, 1);
  if (found->open == 0 && found->under_way == 0) forget(event.symbol, event.id);
}

void PreTradeRisk::heard(const TradeBroken& event) noexcept {
  if (event.symbol.value >= size_.symbols) return;
  Account* account = find_account(event.account);
  if (account == nullptr) return;
  const std::int64_t lots = event.quantity.lots, value = std::min(product(size_of(event.price), lots), most);
  const bool bought = event.side == Side::buy;
  account->lines[event.symbol.value].holding.position -= bought ? lots : -lots;
  (bought ? account->exposure.bought : account->exposure.sold) -= value;
}

void PreTradeRisk::heard(const Cancelled& event) noexcept { forget(event.symbol, event.id); }

void PreTradeRisk::heard(const Reduced& event) noexcept {
  OpenOrder* found = find(event.symbol, event.id);
  if (found == nullptr) return;
  count(*found, -1);
  found->open = event.open.lots;
  count(*found, 1);
  if (found->open == 0 && found->under_way == 0) forget(event.symbol, event.id);
}

void PreTradeRisk::heard(const Modified& event) noexcept {
  OpenOrder* found = find(event.symbol, event.id);
  if (found == nullptr) return;
  count(*found, -1);
  found->open = event.open.lots;
  found->value = std::min(size_of(event.price), most / std::max(event.quantity.lots, 1u));
  count(*found, 1);
  if (found->under_way != 0)
    drop_pending(*found);
  else if (found->open == 0)
    forget(event.symbol, event.id);
}

void PreTradeRisk::heard(const Replaced& event) noexcept {
  forget(event.symbol, event.id);
  OpenOrder* found = find(event.symbol, event.new_id);
  if (found == nullptr) return;
  count(*found, -1);
  if (found->is_replacement) ++accounts_[found->account]->exposure.open_orders;
  found->is_replacement = false;
  found->added = 0;
  found->added_value = 0;
  found->open = event.quantity.lots;
  found->value = std::min(found->value, most / std::max(event.quantity.lots, 1u));  // it was set when it was admitted
  count(*found, 1);
}

void PreTradeRisk::heard(const TradePrint& trade) noexcept {
  if (trade.symbol.value < size_.symbols) symbols_[trade.symbol.value].last = trade.price;
}
void PreTradeRisk::heard(const Quote& quote) noexcept {
  if (quote.symbol.value < size_.symbols) symbols_[quote.symbol.value].quote = quote;
}

// --- looking

Exposure PreTradeRisk::exposure(AccountId account) const { return known(account).exposure; }
Holding PreTradeRisk::holding(AccountId account, SymbolId symbol) const {
  return known(account).lines.at(symbol.value).holding;
}
std::optional<Price> PreTradeRisk::reference(SymbolId symbol) const {
  return symbol.value < size_.symbols ? symbols_[symbol.value].reference() : std::nullopt;
}
std::optional<Price> PreTradeRisk::market_bound(AccountId account, SymbolId symbol, Side side) const {
  const auto found = index_of_.find(account.value);
  const std::optional<Price> price = reference(symbol);
  if (found == index_of_.end() || !price) return std::nullopt;
  const std::uint32_t collar_bp = accounts_[found->second]->limits.market_collar_bp;
  if (collar_bp == 0) return std::nullopt;
  return bound(*price, collar_bp, side);
}

std::string PreTradeRisk::check() const {
  std::uint32_t live = 0;
  for (std::size_t a = 0; a < accounts_.size(); ++a) {
    const Account& account = *accounts_[a];
    Exposure exposure{.bought = account.exposure.bought, .sold = account.exposure.sold};
    std::vector<Holding> holdings(size_.symbols);
    for (std::size_t i = 0; i <= mask_; ++i) {
      const OpenOrder& order = orders_[i];
      if (!order.is_used || order.account != a) continue;
      ++live;
      const bool buys = order.side == Side::buy;
      (buys ? exposure.open_buys : exposure.open_sells) += order.notional();
      Holding& holding = holdings[order.symbol.value];
      (buys ? holding.open_buys : holding.open_sells) += order.lots();
      exposure.open_orders += order.is_replacement ? 0 : 1;
    }
    const std::string who = "account " + std::to_string(account.id.value);
    if (exposure != account.exposure) return who + ": its exposure is not that of its open orders";
    for (std::size_t s = 0; s < holdings.size(); ++s) {
      holdings[s].position = account.lines[s].holding.position;
      if (holdings[s] != account.lines[s].holding)
        return who + ", symbol " + std::to_string(s) + ": what is open is not the sum of its orders";
    }
  }
  return live == live_ ? std::string() : "the number of open orders is wrong";
}

// --- the table of open orders

std::size_t PreTradeRisk::slot_of(SymbolId symbol, OrderId id) const noexcept {
  return static_cast<std::size_t>(mixed(id.value, symbol.value)) & mask_;
}

PreTradeRisk::OpenOrder* PreTradeRisk::find(SymbolId symbol, OrderId id) noexcept {
  for (std::size_t i = slot_of(symbol, id); orders_[i].is_used; i = (i + 1) & mask_)
    if (orders_[i].id == id && orders_[i].symbol == symbol) return &orders_[i];
  return nullptr;
}

PreTradeRisk::OpenOrder& PreTradeRisk::insert(SymbolId symbol, OrderId id) noexcept {
  std::size_t i = slot_of(symbol, id);
  while (orders_[i].is_used) i = (i + 1) & mask_;
  orders_[i] = {};
  orders_[i].id = id;
  orders_[i].symbol = symbol;
  orders_[i].is_used = true;
  ++live_;
  return orders_[i];
}

// Those behind it move up, as far as they may, so that no search ends too early.
void PreTradeRisk::erase(OpenOrder& order) noexcept {
  std::size_t hole = static_cast<std::size_t>(&order - orders_.get());
  orders_[hole].is_used = false;
  --live_;
  for (std::size_t i = (hole + 1) & mask_; orders_[i].is_used; i = (i + 1) & mask_) {
    const std::size_t home = slot_of(orders_[i].symbol, orders_[i].id);
    if (((i - home) & mask_) < ((i - hole) & mask_)) continue;
    orders_[hole] = orders_[i];
    orders_[i].is_used = false;
    hole = i;
  }
}

}  // namespace outcry
