// What an order's way through the limits and through a FIX port allocates: this program counts every operator new.
#include <outcry/actors/fix_port.hpp>
#include <outcry/actors/pre_trade_risk.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <outcry/actors/participant.hpp>

#include "tests/book/drawn_market.hpp"
#include "tests/counted_allocations.hpp"
#include "tests/net/fix_text.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using outcry_test::allocations;
using outcry_test::Draw;

TEST_CASE("an order's way through the limits allocates nothing, admitted or refused") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  Draw draw(seed);
  PreTradeRisk risk({.symbols = 4, .open_orders = 1'000, .recent_orders = 256});
  for (std::uint32_t a = 1; a <= 4; ++a)
    risk.add_account({a}, RiskLimits{.largest_order = {90},
                                     .largest_notional = 9'000,
                                     .price_collar_bp = 300,
                                     .largest_position = 3'000,
                                     .symbol_rate = {.per_second = 1'000, .burst = 100},
                                     .duplicate_window_ns = 10'000,
                                     .short_sales = ShortSales::free});
  const std::uint32_t port = risk.add_port({.per_second = 100'000, .burst = 1'000});
  const std::int64_t before = allocations;
  std::uint64_t admitted = 0, refused = 0;
  for (std::uint64_t i = 1; i <= 100'000; ++i) {
    const auto lots = [&] { return Quantity{1 + static_cast<std::uint32_t>(draw.below(100))}; };
    const Price price{95 + static_cast<std::int64_t>(draw.below(11))};
    const AccountId account{1 + static_cast<std::uint32_t>(draw.below(5))};
    const SymbolId symbol{static_cast<std::uint32_t>(draw.below(4))};
    const OrderId id{i}, old{i - draw.below(std::min<std::uint64_t>(i, 50))};
    const RiskCall call{.port = port, .now_ns = static_cast<std::int64_t>(i) * 1'000};
    RiskReason reason{};
    switch (draw.below(8)) {
      case 0:
        reason = risk.admit(
            ReplaceOrder{
                .id = old, .new_id = id, .price = price, .quantity = lots(), .account = account, .symbol = symbol},
            call);
        break;
      case 1:
        reason = risk.admit(
            ModifyOrder{.id = old, .price = price, .quantity = lots(), .account = account, .symbol = symbol}, call);
        break;
      case 2:
        reason = risk.admit(
            SpecialOrder{.id = id, .price = price, .quantity = lots(), .account = account, .symbol = symbol}, call);
        break;
      default:
        reason = risk.admit(NewOrder{.id = id,
                                     .price = price,
                                     .quantity = lots(),
                                     .account = account,
                                     .symbol = symbol,
                                     .side = draw.percent(50) ? Side::buy : Side::sell},
                            call);
        break;
    }
    ++(reason == RiskReason::none ? admitted : refused);
    risk.heard(TradePrint{.price = {100}, .quantity = {1}, .symbol = symbol});
    risk.heard(Filled{.id = old, .price = price, .quantity = lots(), .account = account, .symbol = symbol});
    risk.heard(
        Replaced{.id = old, .new_id = id, .price = price, .quantity = lots(), .account = account, .symbol = symbol});
    risk.heard(Cancelled{.id = {i > 60 ? i - 60 : 0}, .account = account, .symbol = symbol});
  }
  CHECK(allocations - before == 0);
  CHECK(admitted > 1'000);
  CHECK(refused > 1'000);
}

namespace {

/// Everything is sent, and the last id is kept.
class Taken : public OrderRoute {
 public:
  Sent send(const NewOrder& command, const RiskCall&) noexcept override {
    last = command;
    return {.sent = true};
  }
  Sent send(const SpecialOrder&, const RiskCall&) noexcept override { return {.sent = true}; }
  Sent send(const ReplaceOrder& command, const RiskCall&) noexcept override {
    replaced = command;
    return {.sent = true};
  }
  Sent send(const ReplaceTerms&, const RiskCall&) noexcept override { return {.sent = true}; }
  bool send(const ReduceOrder&) noexcept override { return true; }
  bool send(const CancelOrder&) noexcept override { return true; }
  bool send(const MassCancel&) noexcept override { return true; }
  NewOrder last{};
  ReplaceOrder replaced{};
};

}  // namespace

TEST_CASE(
    "an order's way through a FIX port allocates nothing: entered, filled in part, replaced, cancelled, reported") {
  constexpr std::int64_t morning = 1'795'226'100'000'000'000;  // 20261121-01:55:00
  const SymbolDirectory symbols({{.instrument = {.name = padded_name("AAPL")}, .address = {}}});
  Taken route;
  FixPortOptions options;
  options.session = {.sender = "VENUE", .target = "MARA"};
  options.orders = {.account = {1}, .most_orders = 256};
  FixPort port(options, symbols, route, {0, morning});
  ByteBuffer out(1 << 16);
  port.connected(out, {0, morning});
  std::vector<std::string> messages;
  const auto add = [&](const std::string& type, const std::string& body) {
    messages.push_back(test::fix_text(fix::Version::v4_2, "35=" + type + "|34=" + std::to_string(messages.size() + 1) +
                                                              "|49=MARA|52=20261121-01:55:00|56=VENUE|" + body));
  };
  add("A", "98=0|108=30|");
  for (int i = 0; i < 500; ++i) {
    const std::string name = std::to_string(i), time = "60=20261121-01:55:00|";
    add("D", "11=d" + name + "|21=1|54=1|55=AAPL|38=100|40=2|44=10|" + time);
    add("G", "11=g" + name + "|21=1|41=d" + name + "|54=1|55=AAPL|38=120|40=2|44=11|" + time);
    add("F", "11=f" + name + "|41=g" + name + "|54=1|55=AAPL|" + time);
    add("H", "11=g" + name + "|54=1|55=AAPL|");
  }

  std::int64_t before = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (i == 5) before = allocations;  // behind the logon and the first order
    std::span<const std::byte> bytes{reinterpret_cast<const std::byte*>(messages[i].data()), messages[i].size()};
    const FixTime time{static_cast<std::int64_t>(i), morning};
    port.receive(bytes, time);
    const NewOrder& order = route.last;
    if (i % 4 == 1) {
      port.heard(Accepted{.id = order.id, .price = order.price, .quantity = order.quantity, .account = {1}}, time);
      port.heard(Filled{.id = order.id, .price = order.price, .quantity = {30}, .open = {70}, .account = {1}}, time);
    } else if (i % 4 == 2) {
      const ReplaceOrder& change = route.replaced;
      port.heard(Replaced{.id = change.id,
                          .new_id = change.new_id,
                          .price = change.price,
                          .quantity = change.quantity,
                          .account = {1}},
                 time);
    } else if (i % 4 == 3) {
      port.heard(Cancelled{.id = route.replaced.new_id, .quantity = {90}, .account = {1}, .reason = Reason::requested},
                 time);
    }
    out.clear();
  }

  CHECK(allocations - before == 0);
  CHECK(port.orders().open_orders() == 0);
  CHECK(port.state().sent.next_sequence() == 2 + 500 * 5);  // the logon, and five reports for each order
}
