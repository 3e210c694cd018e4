// What PreTradeRisk refuses and what it counts: by the table, and beside real books whose answers are late.
#include <outcry/actors/pre_trade_risk.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <outcry/actors/participant.hpp>
#include <outcry/book/order_book.hpp>
#include <outcry/book/order_pool.hpp>

#include "tests/book/drawn_market.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using outcry_test::Draw;

namespace {

constexpr AccountId mara{1}, otto{2};
constexpr SymbolId aapl{0}, msft{1};
constexpr std::int64_t second_ns = 1'000'000'000;

std::uint64_t last_id = 0;

NewOrder order(Side side, std::uint32_t lots, std::int64_t price, AccountId account = mara, SymbolId symbol = aapl) {
  return {.id = {++last_id}, .price = {price}, .quantity = {lots}, .account = account, .symbol = symbol, .side = side};
}
NewOrder buy(std::uint32_t lots, std::int64_t price) { return order(Side::buy, lots, price); }
NewOrder sell(std::uint32_t lots, std::int64_t price) { return order(Side::sell, lots, price); }
NewOrder at_market(NewOrder command) {
  command.type = OrderType::market;
  command.price = {};
  return command;
}

Filled filled(const NewOrder& command, std::uint32_t lots, std::int64_t price) {
  return {.id = command.id,
          .price = {price},
          .quantity = {lots},
          .account = command.account,
          .symbol = command.symbol,
          .side = command.side};
}
Cancelled cancelled(const NewOrder& command) {
  return {.id = command.id, .account = command.account, .symbol = command.symbol, .side = command.side};
}
TradePrint printed(std::int64_t price) { return {.price = {price}, .quantity = {1}, .symbol = aapl}; }
Quote quoted(std::int64_t bid, std::int64_t ask) {
  return {.bid = {bid}, .ask = {ask}, .bid_quantity = 1, .ask_quantity = 1, .symbol = aapl};
}

/// Two symbols, one account with these limits.
struct Rig {
  PreTradeRisk risk;

  explicit Rig(RiskLimits limits) : risk(RiskSize{.symbols = 2, .open_orders = 100, .recent_orders = 64}) {
    risk.add_account(mara, limits);
  }
  template <class Command>
  RiskReason operator()(const Command& command, const RiskCall& call = {}) {
    const Exposure before = risk.exposure(mara);
    const Holding held = risk.holding(mara, aapl);
    const RiskReason refused = risk.admit(command, call);
    if (refused != RiskReason::none) {
      CHECK(risk.exposure(mara) == before);
      CHECK(risk.holding(mara, aapl) == held);
    }
    CHECK(risk.check() == "");
    return refused;
  }
};

constexpr RiskReason fine = RiskReason::none;

}  // namespace

TEST_CASE("one order is limited in size and in value, to the lot and to the price unit") {
  Rig ask({.largest_order = {100}, .largest_notional = 5'000});
  CHECK(ask(buy(101, 1)) == RiskReason::order_size);
  CHECK(ask(buy(100, 50)) == fine);
  CHECK(ask(buy(100, 51)) == RiskReason::order_notional);
  CHECK(ask(sell(1, 5'000)) == fine);
  CHECK(ask(sell(1, 5'001)) == RiskReason::order_notional);
  CHECK(ask(sell(1, -5'001)) == RiskReason::order_notional);
  CHECK(ask(buy(100, INT64_MAX)) == RiskReason::order_notional);
  CHECK(ask(buy(100, INT64_MIN)) == RiskReason::order_notional);
}

TEST_CASE("a value too large to be counted is refused without any limit") {
  Rig ask({});
  CHECK(ask(buy(UINT32_MAX, INT64_MAX)) == RiskReason::order_notional);
  CHECK(ask(buy(1, RiskLimits::unlimited)) == fine);
  CHECK(ask(buy(1, 1)) == RiskReason::net_notional);
}

TEST_CASE("a limit may lie through the last trade as far as the collar, and wait as far away as it likes") {
  Rig ask({.price_collar_bp = 500});
  CHECK(ask(buy(1, 1'000'000)) == fine);  // nothing to compare it with
  ask.risk.heard(quoted(9'000, 11'000));
  CHECK(ask(buy(1, 10'500)) == fine);
  CHECK(ask(buy(1, 10'501)) == RiskReason::price_collar);
  ask.risk.heard(printed(20'000));  // a trade counts more than the middle of a quote
  CHECK(ask(buy(1, 21'000)) == fine);
  CHECK(ask(buy(1, 21'001)) == RiskReason::price_collar);
  CHECK(ask(sell(1, 19'000)) == fine);
  CHECK(ask(sell(1, 18'999)) == RiskReason::price_collar);
  CHECK(ask(buy(1, 1)) == fine);
  CHECK(ask(sell(1, 1'000'000)) == fine);
}

TEST_CASE("a market order is refused when the market it would meet is too far away, and told where to stop") {
  Rig ask({.market_collar_bp = 1'000});
  CHECK(ask(at_market(buy(1, 0))) == RiskReason::no_reference);
  CHECK_FALSE(ask.risk.market_bound(mara, aapl, Side::buy));
  ask.risk.heard(printed(1'000));
  CHECK(ask(at_market(buy(1, 0))) == fine);
  ask.risk.heard(quoted(900, 1'100));
  CHECK(ask(at_market(buy(1, 0))) == fine);
  CHECK(ask(at_market(sell(1, 0))) == fine);
  ask.risk.heard(quoted(899, 1'101));
  CHECK(ask(at_market(buy(1, 0))) == RiskReason::market_collar);
  CHECK(ask(at_market(sell(1, 0))) == RiskReason::market_collar);
  CHECK(ask.risk.market_bound(mara, aapl, Side::buy) == Price{1'100});
  CHECK(ask.risk.market_bound(mara, aapl, Side::sell) == Price{900});
}

TEST_CASE("a market order is worth its lots at the reference price") {
  Rig ask({.largest_notional = 10'000});
  CHECK(ask(at_market(buy(10, 0))) == RiskReason::no_reference);
  ask.risk.heard(printed(1'000));
  CHECK(ask(at_market(buy(10, 0))) == fine);
  CHECK(ask(at_market(buy(11, 0))) == RiskReason::order_notional);
  CHECK(ask.risk.exposure(mara).open_buys == 10'000);
  Rig free({});
  CHECK(free(at_market(buy(10, 0))) == fine);
}

TEST_CASE("the position is limited as if everything open on a side were filled") {
  Rig ask({.largest_position = 100});
  const NewOrder first = buy(60, 10);
  CHECK(ask(first) == fine);
  CHECK(ask(buy(41, 10)) == RiskReason::position);
  const NewOrder second = buy(40, 10);
  CHECK(ask(second) == fine);
  CHECK(ask(sell(100, 10)) == fine);  // the other side: from 0 to -100
  CHECK(ask(sell(1, 10)) == RiskReason::position);

  ask.risk.heard(filled(first, 60, 10));
  ask.risk.heard(cancelled(second));

  CHECK(ask.risk.holding(mara, aapl) == Holding{.position = 60, .open_buys = 0, .open_sells = 100});
  CHECK(ask(sell(60, 10)) == fine);
  CHECK(ask(sell(1, 10)) == RiskReason::position);
  CHECK(ask(buy(41, 10)) == RiskReason::position);
  CHECK(ask(buy(40, 10)) == fine);
  CHECK(ask(order(Side::buy, 100, 10, mara, msft)) == fine);  // another symbol
}

TEST_CASE(
    "an account's limits hold for all names that it trades under, together: position, orders, rates, duplicates") {
  constexpr AccountId by_fix{7}, by_ouch{8};
  Rig ask({.largest_position = 100,
           .most_open_orders = 3,
           .symbol_rate = {.per_second = 1, .burst = 4},
           .duplicate_window_ns = second_ns});
  ask.risk.join_account(by_fix, mara);
  ask.risk.join_account(by_ouch, by_fix);
  const std::uint32_t port = ask.risk.add_port({.per_second = 1, .burst = 5});
  const RiskCall call{.port = port};
  const NewOrder first = order(Side::buy, 60, 10, by_fix), second = order(Side::buy, 40, 11, by_ouch);
  CHECK(ask(first, call) == fine);
  CHECK(ask(order(Side::buy, 60, 10, mara), call) == RiskReason::position);
  CHECK(ask(order(Side::buy, 41, 11, mara), call) == RiskReason::position);
  CHECK(ask(second, call) == fine);
  CHECK(ask(order(Side::sell, 1, 20, by_ouch), call) == fine);
  CHECK(ask(order(Side::sell, 2, 21, mara), call) == RiskReason::open_orders);
  CHECK(ask.risk.exposure(mara) == ask.risk.exposure(by_fix));
  CHECK(ask.risk.exposure(by_ouch).open_orders == 3);

  ask.risk.heard(cancelled(first));
  CHECK(ask(order(Side::sell, 1, 20, mara), call) == RiskReason::duplicate);
  const NewOrder third = order(Side::sell, 3, 20, mara);
  CHECK(ask(third, call) == fine);
  ask.risk.heard(filled(second, 40, 11));
  CHECK(ask.risk.holding(by_fix, aapl).position == 40);
  CHECK(ask(order(Side::sell, 4, 20, by_fix), call) == RiskReason::symbol_rate);  // the fifth in this second
  // Another symbol has a rate of its own, the account's ports have one together.
  CHECK(ask(order(Side::sell, 5, 20, by_fix, msft), call) == fine);
  ask.risk.heard(cancelled(third));
  CHECK(ask(order(Side::sell, 6, 20, by_ouch, msft), call) == RiskReason::port_rate);
  ask.risk.heard(filled(first, 1, 10));  // what is not open any more does not matter
  CHECK_THROWS_AS(ask.risk.join_account(by_fix, mara), std::invalid_argument);
  CHECK_THROWS_AS(ask.risk.join_account({9}, otto), std::invalid_argument);
}

TEST_CASE("net and gross exposure count what was traded and what is open, over all symbols") {
  Rig ask({.largest_net = 1'000, .largest_gross = 2'500});
  const NewOrder first = buy(10, 60), second = order(Side::buy, 10, 40, mara, msft);
  CHECK(ask(first) == fine);
  CHECK(ask(second) == fine);
  CHECK(ask(buy(1, 1)) == RiskReason::net_notional);
  CHECK(ask(sell(20, 50)) == fine);  // net of that side: 1,000
  CHECK(ask(sell(1, 1)) == RiskReason::net_notional);
  ask.risk.heard(filled(first, 10, 55));
  CHECK(ask.risk.exposure(mara) ==
        Exposure{.bought = 550, .sold = 0, .open_buys = 400, .open_sells = 1'000, .open_orders = 2});
  CHECK(ask(sell(10, 55)) == fine);
  CHECK(ask(buy(1, 1)) == RiskReason::gross_notional);
  ask.risk.heard(cancelled(second));
  CHECK(ask(buy(1, 400)) == fine);
  CHECK(ask(buy(1, 1)) == RiskReason::gross_notional);
}

TEST_CASE("orders that are under way count, and one that was refused or not sent gives back its room") {
  Rig ask({.largest_position = 100, .most_open_orders = 2});
  const NewOrder first = buy(100, 10), second = buy(100, 10);
  CHECK(ask(first) == fine);
  CHECK(ask(second) == RiskReason::position);
  ask.risk.heard(Rejected{.id = first.id, .account = mara, .symbol = aapl, .reason = Reason::off_tick});
  CHECK(ask(second) == fine);
  ask.risk.withdraw(second);
  CHECK(ask(buy(1, 1)) == fine);
  CHECK(ask(buy(1, 1)) == fine);
  CHECK(ask(buy(1, 1)) == RiskReason::open_orders);
  CHECK(ask.risk.refused(RiskReason::position) == 1);
  CHECK(ask.risk.counted_orders() == 2);
}

TEST_CASE("a replacement is checked as what it adds, and counts until it is answered") {
  Rig ask({.largest_position = 100});
  const NewOrder old = buy(80, 10);
  CHECK(ask(old) == fine);
  const auto replace = [&](std::uint64_t id, std::uint32_t lots) {
    return ReplaceOrder{.id = old.id, .new_id = {id}, .price = {10}, .quantity = {lots}, .account = mara};
  };
  CHECK(ask(replace(9'001, 101)) == RiskReason::position);
  CHECK(ask(replace(9'001, 100)) == fine);
  CHECK(ask.risk.holding(mara, aapl).open_buys == 100);
  CHECK(ask(buy(1, 10)) == RiskReason::position);

  SUBCASE("carried out: what is open is the new order") {
    ask.risk.heard(Replaced{.id = old.id, .new_id = {9'001}, .price = {10}, .quantity = {100}, .account = mara});
    CHECK(ask.risk.holding(mara, aapl).open_buys == 100);
    ask.risk.heard(Cancelled{.id = {9'001}, .account = mara});
    CHECK(ask.risk.exposure(mara) == Exposure{});
  }
  SUBCASE("refused: what is open is the old order") {
    ask.risk.heard(Rejected{.id = old.id, .new_id = {9'001}, .account = mara, .command = CommandKind::replace});
    CHECK(ask.risk.holding(mara, aapl).open_buys == 80);
  }
  SUBCASE("too late: the old order was filled") {
    ask.risk.heard(filled(old, 80, 9));
    ask.risk.heard(Rejected{.id = old.id, .new_id = {9'001}, .account = mara, .command = CommandKind::replace});
    CHECK(ask.risk.holding(mara, aapl) == Holding{.position = 80});
    CHECK(ask.risk.counted_orders() == 0);
  }
  CHECK(ask.risk.check() == "");
}

TEST_CASE("a modification that makes an order larger and trades on its way is counted to the lot") {
  Rig ask({.largest_position = 100});
  const NewOrder first = buy(20, 10);
  CHECK(ask(first) == fine);
  const auto modify = [&](std::uint32_t lots) {
    return ModifyOrder{.id = first.id, .price = {12}, .quantity = {lots}, .account = mara};
  };
  CHECK(ask(modify(101)) == RiskReason::position);
  CHECK(ask(modify(90)) == fine);
  CHECK(ask(modify(50)) == fine);  // the larger of the two counts
  CHECK(ask.risk.holding(mara, aapl).open_buys == 90);
  CHECK(ask.risk.exposure(mara).open_buys == 90 * 12);

  ask.risk.heard(filled(first, 70, 11));
  ask.risk.heard(
      Modified{.id = first.id, .price = {12}, .quantity = {90}, .account = mara, .side = Side::buy, .open = {20}});
  ask.risk.heard(
      Modified{.id = first.id, .price = {12}, .quantity = {50}, .account = mara, .side = Side::buy, .open = {50}});

  CHECK(ask.risk.holding(mara, aapl) == Holding{.position = 70, .open_buys = 50});
  CHECK(ask.risk.exposure(mara) == Exposure{.bought = 770, .open_buys = 600, .open_orders = 1});
}

TEST_CASE("what the account does not have it sells only as its limits say") {
  const auto sells = [](ShortSales policy, std::uint32_t lots, const RiskCall& call, bool restricted = false) {
    Rig ask({.short_sales = policy, .needs_locate = true});
    ask.risk.set_position(mara, aapl, 50);
    ask.risk.restrict_short_sales(aapl, restricted);
    CHECK(ask(sell(20, 10)) == fine);
    return ask(sell(lots, 10), call);
  };
  const RiskCall marked{.mark = SaleMark::sell_short, .located = true},
      exempt{.mark = SaleMark::short_exempt, .located = true};
  CHECK(sells(ShortSales::none, 30, {}) == fine);
  CHECK(sells(ShortSales::none, 31, {}) == RiskReason::short_sale);
  CHECK(sells(ShortSales::none, 1, marked) == RiskReason::short_sale);
  CHECK(sells(ShortSales::marked, 31, {}) == RiskReason::short_sale);
  CHECK(sells(ShortSales::marked, 31, marked) == fine);
  CHECK(sells(ShortSales::marked, 31, {.mark = SaleMark::sell_short}) == RiskReason::not_located);
  CHECK(sells(ShortSales::free, 31, {}) == fine);
  CHECK(sells(ShortSales::free, 31, {}, true) == RiskReason::short_sale);
  CHECK(sells(ShortSales::free, 30, {}, true) == fine);
  CHECK(sells(ShortSales::free, 31, marked, true) == RiskReason::short_sale);
  CHECK(sells(ShortSales::free, 31, exempt, true) == fine);
}

TEST_CASE("an account trades the symbols and sides that it is entitled to, and nobody a restricted symbol") {
  Rig ask({});
  ask.risk.entitle(mara, aapl, true, false);
  ask.risk.entitle(mara, msft, false, false);
  CHECK(ask(buy(1, 1)) == fine);
  CHECK(ask(sell(1, 1)) == RiskReason::side_not_allowed);
  CHECK(ask(order(Side::buy, 1, 1, mara, msft)) == RiskReason::not_entitled);
  CHECK(ask(order(Side::buy, 1, 1, otto)) == RiskReason::unknown_account);
  CHECK(ask(order(Side::buy, 1, 1, mara, {2})) == RiskReason::not_entitled);
  ask.risk.restrict(aapl);
  CHECK(ask(buy(1, 1)) == RiskReason::restricted);
  ask.risk.restrict(aapl, false);
  CHECK(ask(buy(1, 1)) == fine);
  Rig named({.every_symbol = false});
  CHECK(named(buy(1, 1)) == RiskReason::not_entitled);
  named.risk.entitle(mara, aapl, true, true);
  CHECK(named(buy(1, 1)) == fine);
}

TEST_CASE("the same order again within the window is refused, and one that was refused is not remembered") {
  Rig ask({.largest_order = {10}, .duplicate_window_ns = 1'000});
  const auto at = [](std::int64_t now_ns) { return RiskCall{.now_ns = now_ns}; };
  CHECK(ask(buy(1, 10), at(0)) == fine);
  CHECK(ask(buy(1, 10), at(999)) == RiskReason::duplicate);
  CHECK(ask(buy(1, 10), at(1'000)) == fine);
  CHECK(ask(buy(2, 10), at(1'000)) == fine);
  CHECK(ask(buy(1, 11), at(1'000)) == fine);
  CHECK(ask(sell(1, 10), at(1'000)) == fine);
  CHECK(ask(order(Side::buy, 1, 10, mara, msft), at(1'000)) == fine);
  CHECK(ask(buy(11, 10), at(1'000)) == RiskReason::order_size);
  CHECK(ask(buy(1, 10), at(1'999)) == RiskReason::duplicate);
}

TEST_CASE("an id that is open cannot be entered a second time") {
  Rig ask({});
  NewOrder first = buy(1, 10);
  CHECK(ask(first) == fine);
  first.price = {11};
  CHECK(ask(first) == RiskReason::duplicate_id);
  ask.risk.heard(cancelled(first));
  CHECK(ask(first) == fine);
}

TEST_CASE("drawn: rates let through what they say, give or take one order, and refused orders use up nothing") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  Draw draw(seed);
  for (int round = 0; round < 40; ++round) {
    CAPTURE(round);
    const bool by_port = round % 2 == 0;
    const TokenRate rate{1 + draw.below(1'000), 2 + draw.below(20)};
    PreTradeRisk risk({.symbols = 2, .open_orders = 20'000});
    risk.add_account(mara, RiskLimits{.largest_order = {5}, .symbol_rate = by_port ? TokenRate{} : rate});
    const std::uint32_t port = by_port ? risk.add_port(rate) : 0;
    const std::int64_t step = second_ns / static_cast<std::int64_t>(2 * rate.per_second + draw.below(100));
    std::uint64_t admitted = 0, wanted = 0;
    std::int64_t now = 0;
    for (; now < 3 * second_ns; now += step) {
      const RiskCall call{.port = port, .now_ns = now};
      CHECK(risk.admit(buy(6, 1), call) == RiskReason::order_size);
      const RiskReason refused = risk.admit(buy(1, 1), call);
      ++wanted;
      admitted += refused == fine;
      const RiskReason expected = by_port ? RiskReason::port_rate : RiskReason::symbol_rate;
      if (refused != fine) REQUIRE(refused == expected);
    }
    const std::uint64_t let_through =
        rate.burst + rate.per_second * static_cast<std::uint64_t>(now - step) / static_cast<std::uint64_t>(second_ns);
    const std::uint64_t expected = std::min(let_through, wanted);
    CHECK(admitted <= expected);
    CHECK(admitted + 1 >= expected);
  }
}

TEST_CASE("every refusal has a name, a sentence and a code in each protocol") {
  std::set<std::string> names;
  for (int i = 1; i < risk_reasons; ++i) {
    const auto reason = static_cast<RiskReason>(i);
    names.insert(to_string(reason));
    CHECK(std::string(text_of(reason)) != "");
    CHECK(ouch50_code(reason) != ouch50::RejectReason::none);
    CHECK(ouch42_letter(reason) != '\0');
    CHECK(fix_order_reject_reason(reason) <= 8);
  }
  CHECK(names.size() == risk_reasons - 1);
  CHECK(ouch50_code(RiskReason::port_rate) == ouch50::RejectReason{0x29});
  CHECK(ouch50_code(RiskReason::symbol_rate) == ouch50::RejectReason{0x28});
  CHECK(ouch50_code(RiskReason::duplicate) == ouch50::RejectReason{0x2A});
  CHECK(ouch50_code(RiskReason::not_entitled) == ouch50::RejectReason{0x0C});
  CHECK(ouch42_letter(RiskReason::restricted) == 'c');
  CHECK(fix_order_reject_reason(RiskReason::order_size) == 3);
}

TEST_CASE("limits and accounts that make no sense are refused in a sentence") {
  PreTradeRisk risk({});
  risk.add_account(mara);
  CHECK_THROWS_WITH(risk.add_account(mara), "risk: account 1 is there already");
  CHECK_THROWS_WITH(risk.add_account(otto, RiskLimits{.largest_net = -1}), "risk limits: a limit is from 0 to 2^60");
  CHECK_THROWS_WITH(risk.set_limits(otto, {}), "risk: no account 2 was added");
  CHECK_THROWS_AS(risk.add_port({}), std::invalid_argument);
}

// --- beside real books

namespace {

using RiskEvent = std::variant<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced>;
using RiskCommand = std::variant<NewOrder, CancelOrder, ReduceOrder, ModifyOrder, ReplaceOrder, MassCancel>;

/// Books whose answers take a while; what the risk hears is what owners hear.
class Venue {
 public:
  static constexpr std::uint32_t symbols = 3;

  Venue() {
    for (std::uint32_t s = 0; s < symbols; ++s) {
      Instrument instrument{.symbol = {s}};
      instrument.lowest = {1};
      instrument.highest = {1'000'000};
      pools_.push_back(std::make_unique<OrderPool>(OrderPool::Size{.orders = 4'096}));
      books_.push_back(std::make_unique<OrderBook<>>(instrument, *pools_.back()));
    }
  }

  void send(RiskCommand command) { to_books_.push_back(command); }
  bool quiet() const { return to_books_.empty() && events_.empty(); }

  void match_one() {
    if (to_books_.empty()) return;
    const RiskCommand command = to_books_.front();
    to_books_.pop_front();
    std::visit([this](const auto& c) { match(c); }, command);
  }
  template <class Hear>
  void hear_one(Hear hear) {
    if (events_.empty()) return;
    const RiskEvent event = events_.front();
    events_.pop_front();
    std::visit(hear, event);
  }

  // The books' consumer.
  void on(const Accepted& e) {
    ids_[e.symbol.value].insert(e.id.value);
    events_.push_back(e);
  }
  void on(const Rejected& e) { events_.push_back(e); }
  void on(const Cancelled& e) { events_.push_back(e); }
  void on(const Reduced& e) { events_.push_back(e); }
  void on(const Modified& e) { events_.push_back(e); }
  void on(const Replaced& e) {
    ids_[e.symbol.value].insert(e.new_id.value);
    events_.push_back(e);
  }
  void on(const Traded& e) {
    traded(e.maker, e.maker_account, opposite(e.taker_side), e, e.maker_open, 1);
    traded(e.taker, e.taker_account, e.taker_side, e, {}, 0);
  }

  /// What an account has, from the books and the trades themselves.
  Holding holding(AccountId account, SymbolId symbol) const {
    Holding found{.position = 0};
    if (const auto at = positions_.find({account.value, symbol.value}); at != positions_.end())
      found.position = at->second;
    each_order(account, symbol, [&](const auto& order) {
      (order.side == Side::buy ? found.open_buys : found.open_sells) += order.open.lots;
    });
    return found;
  }
  Exposure exposure(AccountId account) const {
    Exposure found;
    if (const auto at = money_.find(account.value); at != money_.end()) found = at->second;
    for (std::uint32_t s = 0; s < symbols; ++s)
      each_order(account, {s}, [&](const auto& order) {
        (order.side == Side::buy ? found.open_buys : found.open_sells) += order.open.lots * order.price.units;
        ++found.open_orders;
      });
    return found;
  }
  const std::set<std::uint64_t>& ids(SymbolId symbol) { return ids_[symbol.value]; }
  TradePrint last{};
  bool has_traded = false;

 private:
  void match(const NewOrder& c) { books_[c.symbol.value]->submit(c, *this); }
  void match(const CancelOrder& c) { books_[c.symbol.value]->cancel(c, *this); }
  void match(const ReduceOrder& c) { books_[c.symbol.value]->reduce(c, *this); }
  void match(const ModifyOrder& c) { books_[c.symbol.value]->modify(c, *this); }
  void match(const ReplaceOrder& c) { books_[c.symbol.value]->replace(c, *this); }
  void match(const MassCancel& c) { books_[c.symbol.value]->mass_cancel(c, *this); }

  void traded(OrderId id, AccountId account, Side side, const Traded& e, Quantity open, std::uint8_t maker) {
    const std::int64_t lots = e.quantity.lots;
    positions_[{account.value, e.symbol.value}] += side == Side::buy ? lots : -lots;
    (side == Side::buy ? money_[account.value].bought : money_[account.value].sold) += lots * e.price.units;
    events_.push_back(Filled{.id = id,
                             .price = e.price,
                             .quantity = e.quantity,
                             .open = open,
                             .account = account,
                             .symbol = e.symbol,
                             .side = side,
                             .maker = maker});
  }
  template <class See>
  void each_order(AccountId account, SymbolId symbol, See see) const {
    const auto at = ids_.find(symbol.value);
    if (at == ids_.end()) return;
    for (const std::uint64_t id : at->second)
      if (const auto order = books_[symbol.value]->find({id}); order && order->account == account) see(*order);
  }

  std::vector<std::unique_ptr<OrderPool>> pools_;
  std::vector<std::unique_ptr<OrderBook<>>> books_;
  std::deque<RiskCommand> to_books_;
  std::deque<RiskEvent> events_;
  std::map<std::uint32_t, std::set<std::uint64_t>> ids_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t> positions_;
  std::map<std::uint32_t, Exposure> money_;
};

struct Difference {
  std::string what;
  std::uint64_t admitted = 0, refused = 0, quiet = 0, trades = 0;
};

/// Draws commands of three accounts. `deaf`: a planted bug, reductions are not passed on.
Difference drawn_day(std::uint64_t seed, bool with_changes, bool deaf) {
  Draw draw(seed);
  Venue venue;
  PreTradeRisk risk({.symbols = Venue::symbols, .open_orders = 2'000});
  const RiskLimits limits{
      .largest_order = {60}, .largest_position = 300, .largest_net = 60'000, .largest_gross = 4'000'000};
  for (std::uint32_t a = 1; a <= 3; ++a) risk.add_account({a}, limits);
  Difference result;
  std::uint64_t id = 0;
  const auto hear_one = [&] {
    venue.hear_one([&]<class Event>(const Event& event) {
      if constexpr (std::is_same_v<Event, Filled>) {
        ++result.trades;
        risk.heard(TradePrint{.price = event.price, .quantity = event.quantity, .symbol = event.symbol});
      }
      if (deaf && std::is_same_v<Event, Reduced>) return;
      risk.heard(event);
    });
  };
  for (int step = 0; step < 4'000; ++step) {
    const SymbolId symbol{static_cast<std::uint32_t>(draw.below(Venue::symbols))};
    const AccountId account{1 + static_cast<std::uint32_t>(draw.below(3))};
    const Price price{100 + static_cast<std::int64_t>(draw.below(12))};
    const Quantity lots{static_cast<std::uint32_t>(draw.below(70))};
    const OrderId known{id == 0 ? 1 : id - draw.below(std::min<std::uint64_t>(id, 60))};
    const auto ask = [&](auto command) {
      if (const RiskReason refused = risk.admit(command, {}); refused != RiskReason::none) {
        ++result.refused;
        return;
      }
      ++result.admitted;
      if (draw.percent(2)) {
        risk.withdraw(command);
      } else {
        venue.send(command);
      }
    };
    switch (draw.below(with_changes ? 10 : 7)) {
      case 0:
      case 1:
      case 2:
      case 3:
        ask(NewOrder{.id = {++id},
                     .price = price,
                     .quantity = lots,
                     .account = account,
                     .symbol = symbol,
                     .side = draw.percent(50) ? Side::buy : Side::sell,
                     .time_in_force = draw.percent(10)  ? TimeInForce::immediate_or_cancel
                                      : draw.percent(5) ? TimeInForce::fill_or_kill
                                                        : TimeInForce::day});
        break;
      case 4: venue.send(CancelOrder{.id = known, .account = account, .symbol = symbol}); break;
      case 5: venue.send(ReduceOrder{.id = known, .by = lots, .account = account, .symbol = symbol}); break;
      case 6:
        if (draw.percent(5)) venue.send(MassCancel{.account = account, .symbol = symbol});
        break;
      case 7:
        ask(ModifyOrder{.id = known, .price = price, .quantity = lots, .account = account, .symbol = symbol});
        break;
      default:
        ask(ReplaceOrder{
            .id = known, .new_id = {++id}, .price = price, .quantity = lots, .account = account, .symbol = symbol});
        break;
    }
    for (auto i = draw.below(3); i != 0; --i) venue.match_one();
    for (auto i = draw.below(5); i != 0; --i) hear_one();
    if (!with_changes) {
      // Whatever is under way: the books never hold more than the limit allows.
      for (std::uint32_t a = 1; a <= 3; ++a) {
        const Holding held = venue.holding({a}, symbol);
        if (held.position + held.open_buys > 300 || held.open_sells - held.position > 300)
          result.what = "the books hold more than the limit";
      }
    }
    if (draw.percent(2)) {
      while (!venue.quiet()) {
        venue.match_one();
        hear_one();
      }
      ++result.quiet;
      if (const std::string wrong = risk.check(); !wrong.empty()) result.what = wrong;
      for (std::uint32_t a = 1; a <= 3; ++a) {
        if (risk.exposure({a}) != venue.exposure({a})) result.what = "another exposure than in the books";
        for (std::uint32_t s = 0; s < Venue::symbols; ++s)
          if (risk.holding({a}, {s}) != venue.holding({a}, {s})) result.what = "another holding than in the books";
      }
    }
    if (!result.what.empty()) {
      result.what += ", step " + std::to_string(step);
      return result;
    }
  }
  return result;
}

}  // namespace

TEST_CASE("drawn: exposure and holdings are those of the books, counted anew, however late their answers are") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  for (std::uint64_t round = 0; round < 10; ++round) {
    CAPTURE(round);
    const Difference day = drawn_day(seed + round, round % 2 == 1, false);
    CHECK(day.what == "");
    CHECK(day.admitted > 500);
    CHECK(day.refused > 100);
    CHECK(day.trades > 500);
    CHECK(day.quiet > 20);
  }
}

TEST_CASE("drawn: a risk that does not hear of reductions is found out") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  bool found = false;
  for (std::uint64_t round = 0; round < 10 && !found; ++round)
    found = !drawn_day(seed + round, true, true).what.empty();
  CHECK(found);
}
