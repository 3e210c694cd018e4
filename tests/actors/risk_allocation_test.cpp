// What asking and telling a PreTradeRisk allocates: this program counts every operator new.
#include <outcry/actors/pre_trade_risk.hpp>

#include <doctest/doctest.h>

#include <outcry/actors/participant.hpp>

#include "tests/book/drawn_market.hpp"
#include "tests/counted_allocations.hpp"
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
