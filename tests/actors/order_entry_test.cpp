// An account's orders, in the words of no protocol: what is sent to the symbols, and what the client is told.
#include <outcry/actors/key_table.hpp>
#include <outcry/actors/market_by_order.hpp>
#include <outcry/actors/order_entry.hpp>
#include <outcry/actors/symbol.hpp>
#include <outcry/runtime/runtime.hpp>

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "recorded_route.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;
using namespace std::chrono_literals;
using Kind = OrderNews::Kind;

namespace {

constexpr AccountId account{7};

SymbolDirectory directory(bool has_rules = true) {
  std::vector<SymbolDirectory::Listed> symbols;
  for (const char* name : {"AAPL", "MSFT"})
    symbols.push_back({.instrument = {.symbol = {static_cast<std::uint32_t>(symbols.size())},
                                      .name = padded_name(name),
                                      .tick = 100,
                                      .lot = 1,
                                      .lowest = {100},
                                      .highest = {1'000'000}},
                       .address = {},
                       .has_rules = has_rules});
  return SymbolDirectory(std::move(symbols));
}

struct Rig {
  SymbolDirectory symbols = directory();
  RecordedRoute route;
  OrderEntry entry{{.account = account, .most_orders = 1024}, symbols, route};

  OrderHandle live(std::uint32_t quantity, std::int64_t price = 5'000, Side side = Side::buy) {
    const auto answer = entry.enter({.side = side, .price = {price}, .quantity = {quantity}});
    REQUIRE(answer);
    const auto command = route.only<NewOrder>();
    CHECK(entry.heard(accepted(command)).kind == Kind::accepted);
    return answer.order;
  }
  OrderId id(OrderHandle order) const { return entry.order(order).id; }

  static Accepted accepted(const NewOrder& command) {
    return {.id = command.id,
            .price = command.price,
            .quantity = command.quantity,
            .account = command.account,
            .symbol = command.symbol,
            .side = command.side,
            .type = command.type,
            .time_in_force = command.time_in_force};
  }
  Filled filled(OrderHandle order, std::uint32_t quantity, std::int64_t price = 5'000) const {
    return {.id = id(order), .price = {price}, .quantity = {quantity}, .account = account, .maker = 1, .trade = 1};
  }
  Cancelled cancelled(OrderHandle order, std::uint32_t quantity, Reason reason = Reason::requested) const {
    return {.id = id(order), .quantity = {quantity}, .account = account, .reason = reason};
  }
  Rejected rejected(OrderHandle order, CommandKind command, Reason reason) const {
    return {.id = id(order), .account = account, .command = command, .reason = reason};
  }
};

}  // namespace

TEST_CASE("an order is told of when the symbol has taken it, when it trades, and when nothing of it is left") {
  Rig rig;
  const auto answer = rig.entry.enter({.symbol = {1}, .side = Side::sell, .price = {5'000}, .quantity = {100}});
  const auto command = rig.route.only<NewOrder>();
  CHECK(command.account == account);
  CHECK(command.symbol == SymbolId{1});
  CHECK((command.id.value >> 38) == account.value);

  const OrderNews accepted = rig.entry.heard(Rig::accepted(command));
  Filled fill = rig.filled(answer.order, 60);
  fill.symbol = {1};
  fill.trade = 9;
  const OrderNews first = rig.entry.heard(fill);
  fill.quantity = {40};
  const OrderNews second = rig.entry.heard(fill);

  CHECK(accepted.kind == Kind::accepted);
  CHECK(accepted.quantity == Quantity{100});
  CHECK(first.kind == Kind::filled);
  CHECK(first.maker);
  CHECK(first.match == match_number(SymbolId{1}, 9));
  CHECK(!first.last);
  CHECK(second.last);
  CHECK(rig.entry.order(second.order).executed == Quantity{100});
  CHECK(rig.entry.open_orders() == 0);
}

TEST_CASE("what the instrument does not allow is refused before anything is sent") {
  Rig rig;
  const auto reason = [&](OrderTicket ticket) { return rig.entry.enter(ticket).reason; };

  CHECK(reason({.symbol = {2}, .price = {5'000}, .quantity = {1}}) == Reason::unknown_symbol);
  CHECK(reason({.price = {5'000}}) == Reason::zero_quantity);
  CHECK(reason({.price = {5'050}, .quantity = {1}}) == Reason::off_tick);
  CHECK(reason({.price = {0}, .quantity = {1}}) == Reason::price_out_of_range);
  CHECK(reason({.price = {1'000'100}, .quantity = {1}}) == Reason::price_out_of_range);
  CHECK(rig.route.empty());
}

TEST_CASE("a symbol without rules is not asked to take special orders") {
  const SymbolDirectory plain = directory(false);
  RecordedRoute route;
  OrderEntry entry({.account = account, .most_orders = 4}, plain, route);

  CHECK(entry.enter({.terms = Terms::hidden, .price = {500}, .quantity = {1}}).reason == Reason::unsupported);
  CHECK(entry.enter({.type = SpecialType::midpoint_peg, .price = {500}, .quantity = {1}}).reason ==
        Reason::unsupported);
  CHECK(route.empty());
  CHECK(entry.enter({.terms = Terms::post_only, .price = {500}, .quantity = {1}}));
  CHECK(route.only<NewOrder>().post_only == PostOnly::yes);
}

TEST_CASE("what the risk checks refuse or finds no room at the symbol leaves nothing behind") {
  Rig rig;
  rig.route.refuses = RiskReason::order_size;
  CHECK(rig.entry.enter({.price = {500}, .quantity = {1}}).risk == RiskReason::order_size);
  rig.route.refuses = RiskReason::none;
  rig.route.has_room = false;
  CHECK(rig.entry.enter({.price = {500}, .quantity = {1}}).reason == Reason::mailbox_full);
  CHECK(rig.entry.open_orders() == 0);
  CHECK(!rig.entry.owes());
}

TEST_CASE("a full table of orders refuses new ones until an order has ended") {
  const SymbolDirectory symbols = directory();
  RecordedRoute route;
  OrderEntry entry({.account = account, .most_orders = 2}, symbols, route);
  const auto enter = [&] { return entry.enter({.price = {500}, .quantity = {1}}); };
  const auto first = enter();
  const auto second = enter();
  const OrderId first_id = entry.order(first.order).id;

  CHECK(enter().reason == Reason::pool_exhausted);
  static_cast<void>(second);
  CHECK(entry.heard(Rejected{.id = first_id, .command = CommandKind::new_order, .reason = Reason::market_closed}).last);
  const auto third = enter();

  CHECK(third);
  CHECK(entry.order(third.order).id != first_id);
}

TEST_CASE("no id comes twice, in however many rounds, and what is said of old ids concerns nobody") {
  const SymbolDirectory symbols = directory();
  RecordedRoute route;
  OrderEntry entry({.account = account, .most_orders = 3}, symbols, route);
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 1'000; ++i) {
    const auto answer = entry.enter({.price = {500}, .quantity = {1}});
    REQUIRE(answer);
    const auto command = route.only<NewOrder>();
    CHECK(ids.insert(command.id.value).second);
    entry.heard(Rig::accepted(command));
    CHECK(entry.heard(Filled{.id = command.id, .price = {500}, .quantity = {1}}).last);
    CHECK(!entry.heard(Filled{.id = {*ids.begin()}, .price = {500}, .quantity = {1}}));
  }
}

TEST_CASE("a replacement asks for what it is to be liable for less what was executed, and says what it has seen") {
  Rig rig;
  const OrderHandle old = rig.live(100);
  rig.entry.heard(rig.filled(old, 30));

  const auto answer = rig.entry.replace(old, {.price = {5'100}, .total = {150}});
  const auto command = rig.route.only<ReplaceOrder>();
  CHECK(command.id == rig.id(old));
  CHECK(command.quantity == Quantity{120});
  CHECK(command.seen_open == Quantity{70});

  rig.entry.heard(rig.filled(old, 20));
  const OrderNews news = rig.entry.heard(
      Replaced{.id = command.id, .new_id = command.new_id, .price = {5'100}, .quantity = {100}, .account = account});
  CHECK(news.kind == Kind::replaced);
  CHECK(news.order == answer.order);
  CHECK(news.before == old);
  CHECK(news.quantity == Quantity{100});
  const EnteredOrder& order = rig.entry.order(answer.order);
  CHECK(order.total == Quantity{150});
  CHECK(order.executed == Quantity{50});
  CHECK(rig.entry.open_orders() == 1);
}

TEST_CASE("an order that is dead, being cancelled or being replaced is not replaced") {
  Rig rig;
  const OrderHandle done = rig.live(1);
  const OrderHandle cancelled = rig.live(1);
  const OrderHandle replaced = rig.live(1);
  CHECK(rig.entry.cancel(cancelled));
  CHECK(rig.entry.replace(replaced, {.price = {600}, .total = {1}}));
  rig.route.taken();

  CHECK(rig.entry.heard(rig.filled(done, 1)).last);
  for (const OrderHandle order : {cancelled, replaced})
    CHECK(rig.entry.replace(order, {.price = {600}, .total = {1}}).reason == Reason::unknown_order);
  CHECK(rig.route.empty());
}

TEST_CASE("a refused replacement leaves its original as it was") {
  Rig rig;
  const OrderHandle old = rig.live(100);
  const auto answer = rig.entry.replace(old, {.price = {5'100}, .total = {150}});
  const auto command = rig.route.only<ReplaceOrder>();

  const OrderNews news = rig.entry.heard(Rejected{
      .id = command.id, .new_id = command.new_id, .command = CommandKind::replace, .reason = Reason::would_trade});

  CHECK(news.kind == Kind::replacement_refused);
  CHECK(news.order == answer.order);
  CHECK(news.before == old);
  CHECK(news.last);
  CHECK(rig.entry.order(old).is_open());
  CHECK(rig.entry.cancel(old));
}

TEST_CASE("a replacement with other terms is one command, too, and the old order stays until it is carried out") {
  Rig rig;
  const OrderHandle old = rig.live(100);
  const auto answer = rig.entry.replace(old, {.price = {5'100}, .total = {150}, .terms = Terms::reserve, .part = {10}});
  const auto command = rig.route.only<ReplaceTerms>();
  CHECK(command.id == rig.id(old));
  CHECK(command.seen_open == Quantity{100});
  CHECK(command.order.quantity == Quantity{150});
  CHECK(command.order.part == Quantity{10});
  CHECK(rig.entry.order(old).is_open());

  CHECK(rig.entry.heard(rig.filled(old, 40)).order == old);
  const OrderNews news = rig.entry.heard(
      Replaced{.id = command.id, .new_id = command.order.id, .price = {5'100}, .quantity = {110}, .account = account});

  CHECK(news.kind == Kind::replaced);
  CHECK(news.order == answer.order);
  CHECK(news.before == old);
  CHECK(rig.entry.order(answer.order).executed == Quantity{40});
  CHECK(rig.entry.order(answer.order).open == Quantity{110});
  CHECK(rig.entry.open_orders() == 1);
}

TEST_CASE("a replacement with other terms that is refused leaves its original as it was") {
  Rig rig;
  const OrderHandle old = rig.live(100);
  const OrderChange hidden{.price = {5'100}, .total = {150}, .terms = Terms::hidden};
  SUBCASE("by the symbol") {
    const auto answer = rig.entry.replace(old, hidden);
    const OrderNews news = rig.entry.heard(Rejected{.id = rig.id(old),
                                                    .new_id = rig.id(answer.order),
                                                    .command = CommandKind::replace,
                                                    .reason = Reason::outside_band});
    CHECK(news.kind == Kind::replacement_refused);
    CHECK(news.order == answer.order);
    CHECK(news.before == old);
    CHECK(news.last);
  }
  SUBCASE("by the risk checks") {
    rig.route.refuses = RiskReason::position;
    CHECK(rig.entry.replace(old, hidden).risk == RiskReason::position);
  }
  SUBCASE("because the symbol has no room") {
    rig.route.has_room = false;
    CHECK(rig.entry.replace(old, hidden).reason == Reason::mailbox_full);
  }
  CHECK(rig.entry.order(old).state == EntryState::live);
  CHECK(rig.entry.open_orders() == 1);
}

TEST_CASE(
    "a replacement waits for the answer to a reduction of its original, of which the book may have less by then") {
  Rig rig;
  const OrderHandle old = rig.live(100);
  CHECK(rig.entry.reduce(old, {60}));
  CHECK(rig.route.only<ReduceOrder>().by == Quantity{40});
  const auto answer = rig.entry.replace(old, {.price = {5'100}, .total = {150}, .terms = Terms::hidden});
  CHECK(rig.route.empty());
  CHECK(rig.entry.replace(answer.order, {.price = {5'200}, .total = {150}}).reason == Reason::invalid_combination);
  const Reduced reduced{.id = rig.id(old), .by = {40}, .open = {50}, .account = account};

  SUBCASE("and is sent behind it, with what was executed taken off") {
    CHECK(rig.entry.reduce(answer.order, {120}));
    rig.entry.heard(rig.filled(old, 10));
    CHECK(rig.entry.heard(reduced).kind == Kind::reduced);
    const auto command = rig.route.only<ReplaceTerms>();
    CHECK(command.seen_open == Quantity{50});
    CHECK(command.order.quantity == Quantity{110});
  }
  SUBCASE("and is sent when the reduction is refused because more was executed") {
    rig.entry.heard(rig.filled(old, 70));
    CHECK(!rig.entry.heard(rig.rejected(old, CommandKind::reduce, Reason::quantity_exceeds_open)));
    const auto command = rig.route.only<ReplaceTerms>();
    CHECK(command.seen_open == Quantity{30});
    CHECK(command.order.quantity == Quantity{80});
  }
  SUBCASE("and is cancelled when it was sent, if that was asked for in the meantime") {
    CHECK(rig.entry.cancel(answer.order));
    rig.entry.heard(reduced);
    const auto commands = rig.route.taken();
    REQUIRE(commands.size() == 2);
    CHECK(std::get<ReplaceTerms>(commands[0]).id == rig.id(old));
    CHECK(std::get<CancelOrder>(commands[1]).id == rig.id(answer.order));
  }
  SUBCASE("and never is, if the original is cancelled or executed first") {
    OrderNews news;
    SUBCASE("executed") { news = rig.entry.heard(rig.filled(old, 100)); }
    SUBCASE("cancelled") {
      CHECK(rig.entry.cancel(old));
      rig.entry.heard(reduced);
      news = rig.entry.heard(rig.cancelled(old, 50));
    }
    SUBCASE("mass cancelled") {
      rig.entry.mass_cancel(std::nullopt, std::nullopt, CancelCause::disconnect);
      rig.entry.heard(reduced);
      news = rig.entry.heard(rig.cancelled(old, 50, Reason::mass_cancelled));
      CHECK(news.cause == CancelCause::disconnect);
    }
    CHECK(news.order == old);
    CHECK(news.last);
    CHECK(news.dropped == answer.order);
    CHECK(rig.entry.open_orders() == 0);
    for (const auto& command : rig.route.taken()) CHECK(!std::holds_alternative<ReplaceTerms>(command));
  }
  SUBCASE("and takes its original with it, if it is refused then") {
    rig.route.refuses = RiskReason::position;
    rig.entry.heard(reduced);
    CHECK(rig.route.only<CancelOrder>().id == rig.id(old));
    const OrderNews news = rig.entry.heard(rig.cancelled(old, 50));
    CHECK(news.kind == Kind::cancelled);
    CHECK(news.cause == CancelCause::replacement);
    CHECK(news.dropped == answer.order);
  }
}

TEST_CASE("reductions are differences, one at a time, and the last size asked for counts") {
  Rig rig;
  const OrderHandle order = rig.live(100);
  CHECK(rig.entry.reduce(order, {90}));
  CHECK(rig.route.only<ReduceOrder>().by == Quantity{10});
  CHECK(rig.entry.reduce(order, {50}));
  CHECK(rig.entry.reduce(order, {40}));
  CHECK(!rig.entry.reduce(order, {60}));
  CHECK(rig.route.empty());

  const OrderNews first = rig.entry.heard(Reduced{.id = rig.id(order), .by = {10}, .open = {90}});
  CHECK(first.kind == Kind::reduced);
  CHECK(rig.route.only<ReduceOrder>().by == Quantity{50});
  const OrderNews second = rig.entry.heard(Reduced{.id = rig.id(order), .by = {50}, .open = {40}});
  CHECK(second.quantity == Quantity{50});
  CHECK(rig.entry.order(order).total == Quantity{40});
  CHECK(rig.route.empty());
}

TEST_CASE("an order of which more was executed than it was to be reduced to is cancelled") {
  Rig rig;
  const OrderHandle order = rig.live(100);
  SUBCASE("known before") {
    rig.entry.heard(rig.filled(order, 60));
    CHECK(rig.entry.reduce(order, {50}));
    CHECK(rig.route.only<CancelOrder>().id == rig.id(order));
  }
  SUBCASE("on the way") {
    CHECK(rig.entry.reduce(order, {50}));
    rig.route.taken();
    rig.entry.heard(rig.filled(order, 60));
    CHECK(!rig.entry.heard(rig.rejected(order, CommandKind::reduce, Reason::quantity_exceeds_open)));
    CHECK(rig.route.only<CancelOrder>().id == rig.id(order));
  }
  const OrderNews news = rig.entry.heard(rig.cancelled(order, 40));
  CHECK(news.kind == Kind::cancelled);
  CHECK(news.cause == CancelCause::client);
}

TEST_CASE("shares taken off instead of trading with oneself count as done") {
  Rig rig;
  const OrderHandle order = rig.live(100);
  const OrderNews news = rig.entry.heard(Reduced{.id = rig.id(order), .price = {5'000}, .by = {30}, .open = {70}});
  CHECK(news.kind == Kind::prevented);
  CHECK(rig.entry.order(order).total == Quantity{100});

  CHECK(rig.entry.replace(order, {.price = {5'100}, .total = {90}}));
  CHECK(rig.route.only<ReplaceOrder>().quantity == Quantity{60});
}

TEST_CASE("a second cancel is superfluous, and so is one of an order that is gone") {
  Rig rig;
  const OrderHandle order = rig.live(100);
  CHECK(rig.entry.cancel(order));
  CHECK(!rig.entry.cancel(order));
  CHECK(!rig.entry.reduce(order, {10}));
  rig.route.taken();

  CHECK(rig.entry.heard(rig.filled(order, 100)).last);
  CHECK(!rig.entry.cancel(order));
  CHECK(!rig.entry.heard(rig.rejected(order, CommandKind::cancel, Reason::unknown_order)));
  CHECK(rig.route.empty());
}

TEST_CASE("a mass cancel goes to the symbols where the account has orders, and its orders say who asked for it") {
  Rig rig;
  const OrderHandle ours = rig.live(100);
  rig.entry.mass_cancel(std::nullopt, Side::buy, CancelCause::disconnect);
  const auto command = rig.route.only<MassCancel>();
  CHECK(command.symbol == SymbolId{0});
  CHECK(command.account == account);
  CHECK(command.buys == 1);
  CHECK(command.sells == 0);
  CHECK(command.all_accounts == 0);

  CHECK(rig.entry.heard(rig.cancelled(ours, 100, Reason::mass_cancelled)).cause == CancelCause::disconnect);
  const OrderHandle another = rig.live(100);
  CHECK(rig.entry.heard(rig.cancelled(another, 100, Reason::mass_cancelled)).cause == CancelCause::supervisor);
}

TEST_CASE("cancels and reductions that find no room at the symbol are kept and sent again") {
  Rig rig;
  const OrderHandle cancelled = rig.live(100);
  const OrderHandle reduced = rig.live(100);
  rig.route.has_room = false;
  CHECK(rig.entry.cancel(cancelled));
  CHECK(!rig.entry.cancel(cancelled));
  CHECK(rig.entry.reduce(reduced, {70}));
  CHECK(rig.entry.reduce(reduced, {60}));
  rig.entry.mass_cancel(SymbolId{0}, Side::sell, CancelCause::client);
  rig.entry.retry();
  CHECK(rig.entry.owes());
  CHECK(rig.route.empty());

  rig.route.has_room = true;
  rig.entry.retry();

  const auto commands = rig.route.taken();
  REQUIRE(commands.size() == 3);
  CHECK(std::get<MassCancel>(commands[0]).sells == 1);
  CHECK(std::get<CancelOrder>(commands[1]).id == rig.id(cancelled));
  CHECK(std::get<ReduceOrder>(commands[2]).by == Quantity{40});
  CHECK(!rig.entry.owes());
}

TEST_CASE("keys are found again, those that were taken out are not, and a full table says so") {
  KeyTable<std::uint64_t, std::uint32_t> table(500, test_seed());
  std::map<std::uint64_t, std::uint32_t> expected;
  Random random(test_seed());
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    const std::uint64_t key = random.below(900);
    if (random.coin()) {
      const bool fits = expected.size() < 500 && !expected.contains(key);
      REQUIRE(table.insert(key, i) == fits);
      if (fits) expected[key] = i;
    } else {
      table.erase(key);
      expected.erase(key);
    }
    const std::uint64_t asked = random.below(900);
    const std::uint32_t* found = table.find(asked);
    REQUIRE((found != nullptr) == expected.contains(asked));
    if (found != nullptr) REQUIRE(*found == expected[asked]);
    REQUIRE(table.size() == expected.size());
  }
  REQUIRE(table.full() == (expected.size() == 500));
}

TEST_CASE("a directory finds symbols by name and takes no name twice") {
  const SymbolDirectory symbols = directory();
  CHECK(symbols.find("AAPL") == SymbolId{0});
  CHECK(symbols.find("MSFT") == SymbolId{1});
  CHECK(!symbols.find("AAP"));
  CHECK(!symbols.find(""));
  auto twice = symbols.all();
  twice[1].instrument.name = padded_name("AAPL");
  CHECK_THROWS_WITH(SymbolDirectory(std::move(twice)), "two symbols are called AAPL");
}

// ---- against a symbol, with everything under way at once

namespace {

using PortSelf = Self<Accepted, Rejected, Filled, Cancelled, Reduced, Modified, Replaced, AcceptedTerms, Refreshed,
                      Triggered, Repriced>;

/// Sends for real.
class SymbolRoute : public OrderRoute {
 public:
  explicit SymbolRoute(SymbolAddress symbol) : symbol_(symbol) {}
  Sent send(const NewOrder& command, const RiskCall&) noexcept override { return {.sent = put(command)}; }
  Sent send(const SpecialOrder& command, const RiskCall&) noexcept override { return {.sent = put(command)}; }
  Sent send(const ReplaceOrder& command, const RiskCall&) noexcept override { return {.sent = put(command)}; }
  Sent send(const ReplaceTerms& command, const RiskCall&) noexcept override {
    return {.sent = send_in_two_parts(symbol_, command)};
  }
  bool send(const ReduceOrder& command) noexcept override { return put(command); }
  bool send(const CancelOrder& command) noexcept override { return put(command); }
  bool send(const MassCancel& command) noexcept override { return put(command); }

 private:
  template <class M>
  bool put(const M& command) {
    return symbol_.send(command).accepted();
  }
  SymbolAddress symbol_;
};

struct Drawn {
  std::uint64_t told = 0;
  std::uint64_t replaced = 0;
  std::uint64_t prevented = 0;
  std::string wrong{};
};

/// Draws what a client might ask for, without waiting for answers, and keeps what it is liable for by itself.
Actor client(PortSelf self, SymbolAddress symbol, AccountId me, Drawn* drawn) {
  std::vector<SymbolDirectory::Listed> listed{
      {.instrument = {.symbol = {0}, .name = padded_name("A"), .lowest = {1}, .highest = {1'000}}, .has_rules = true}};
  const SymbolDirectory symbols(std::move(listed));
  SymbolRoute route(symbol);
  OrderEntry entry({.account = me, .most_orders = 512}, symbols, route);
  symbol.send(EnterSymbol{me, self.address(), self.address()});
  Random& random = self.random();
  std::map<std::uint32_t, std::uint32_t> liable;  // by handle: the most that it may ever execute
  std::map<std::uint32_t, std::uint32_t> executed;
  std::vector<OrderHandle> orders;
  const auto wrong = [&](const char* what) {
    if (drawn->wrong.empty()) drawn->wrong = what;
  };
  const auto hear = [&](const OrderNews& news) {
    if (!news) return;
    ++drawn->told;
    if (news.kind == Kind::replaced) {
      ++drawn->replaced;
      executed[news.order.value] = executed[news.before.value];
    }
    if (news.kind == Kind::prevented) ++drawn->prevented;
    if (news.kind == Kind::filled) {
      executed[news.order.value] += news.quantity.lots;
      if (executed[news.order.value] > liable[news.order.value]) wrong("more executed than the client is liable for");
    }
    const EnteredOrder& order = entry.order(news.order);
    if (order.state == EntryState::live && order.total != order.executed + order.prevented + order.open)
      wrong("a total that is not executed, prevented and open together");
    if (news.last) std::erase(orders, news.order);
    if (news.dropped) std::erase(orders, news.dropped);
    if (news.before && entry.order(news.before).state == EntryState::done) std::erase(orders, news.before);
  };
  Time next = self.now();
  bool draws = true;
  while (!self.stopping()) {
    next += 300ns;
    for (;;) {
      const auto message = co_await self.receive_until(next);
      if (!message) break;
      std::visit([&](const auto& event) { hear(entry.heard(event)); }, *message);
    }
    if (to_ns(self.now()) > 40'000'000) {
      if (draws) entry.mass_cancel(std::nullopt, std::nullopt, CancelCause::client);
      draws = false;
      if (to_ns(self.now()) > 45'000'000 && entry.open_orders() != 0) wrong("orders that never ended");
      continue;
    }
    entry.retry();
    const Price price{500 + static_cast<std::int64_t>(random.below(8))};
    const auto size = 1 + static_cast<std::uint32_t>(random.below(60));
    const OrderHandle some = orders.empty() ? OrderHandle{} : orders[random.below(orders.size())];
    const auto terms = random.below(4) == 0 ? Terms::hidden : Terms::none;
    const std::uint64_t what = random.below(10);
    if (!some || what < 3) {
      const auto answer = entry.enter(
          {.side = random.coin() ? Side::buy : Side::sell, .terms = terms, .price = price, .quantity = {size}});
      if (!answer) continue;
      orders.push_back(answer.order);
      liable[answer.order.value] = size;
      executed[answer.order.value] = 0;
    } else if (what < 6) {
      const auto answer = entry.replace(some, {.price = price, .total = {size}, .terms = terms});
      if (!answer) continue;
      orders.push_back(answer.order);
      liable[answer.order.value] = size;
      executed[answer.order.value] = 0;
    } else if (what < 9) {
      entry.reduce(some, {size});
    } else {
      entry.cancel(some);
    }
  }
}

}  // namespace

TEST_CASE("whatever is under way, no order executes more than its owner is liable for, and none is lost") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  std::vector<Drawn> drawn(4);
  SymbolCounts counts;
  OrderPool pool(OrderPool::Size{.orders = 4096});
  Runtime runtime(
      {.time = WorldTime::virtually, .seed = seed, .latency = {.within_site = 2us}, .log = [](std::string_view) {}});
  const MailboxOptions mailbox{.capacity = 1u << 14, .when_full = WhenFull::refuse};
  SymbolOptions options{.instrument = {.symbol = {0}, .name = padded_name("A"), .lowest = {1}, .highest = {1'000}},
                        .pool = &pool,
                        .counts = &counts,
                        .rules = BookRules{.self_trade = SelfTrade::decrement},
                        .check = true};
  {
    const SymbolAddress market = runtime.spawn({.mailbox = mailbox}, symbol, std::move(options));
    for (std::uint32_t i = 0; i < drawn.size(); ++i)
      runtime.spawn({.mailbox = mailbox}, client, market, AccountId{i + 1}, &drawn[i]);
    runtime.run_until(time_from_ns(50'000'000));
    runtime.stop_actors();
    runtime.run_until(time_from_ns(60'000'000));
  }
  std::uint64_t replaced = 0, prevented = 0;
  for (const Drawn& one : drawn) {
    CHECK(one.wrong == "");
    CHECK(one.told > 1'000);
    replaced += one.replaced;
    prevented += one.prevented;
  }
  CHECK(replaced > 1'000);
  CHECK(prevented > 100);
  CHECK(counts.trades > 1'000);
  CHECK(counts.orders_live == 0);
  CHECK(counts.wrong == "");
}
