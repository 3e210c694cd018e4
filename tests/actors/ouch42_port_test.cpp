// A port for OUCH 4.2: orders by token.
#include <doctest/doctest.h>

#include <string>

#include "port_rig.hpp"

using namespace outcry;
using namespace outcry::test;

namespace {

using Rig = PortRig<Ouch42Port>;

ouch42::EnterOrder order(const char* token, ouch::Side side, std::uint32_t shares, std::uint32_t price,
                         const char* stock = "AAPL") {
  return {.token = token,
          .side = side,
          .shares = shares,
          .stock = stock,
          .price = price,
          .time_in_force = ouch42::market_hours,
          .firm = "ACME",
          .display = 'Y',
          .capacity = ouch::Capacity::agency};
}
ouch42::EnterOrder buy(const char* token, std::uint32_t shares, std::uint32_t price) {
  return order(token, ouch::Side::buy, shares, price);
}
ouch42::EnterOrder sell(const char* token, std::uint32_t shares, std::uint32_t price) {
  return order(token, ouch::Side::sell, shares, price);
}
ouch42::ReplaceOrder replace(const char* token, const char* new_token, std::uint32_t shares, std::uint32_t price) {
  return {.token = token,
          .new_token = new_token,
          .shares = shares,
          .price = price,
          .time_in_force = ouch42::market_hours,
          .display = 'Y'};
}
ouch42::CancelOrder cancel(const char* token, std::uint32_t shares = 0) { return {.token = token, .shares = shares}; }

struct Two {
  MemoryVenue venue;
  Rig mara{venue};
  Rig otto{venue, {}, 8};
  Two() {
    CHECK(mara.log_in() == "\nS S\n");
    CHECK(otto.log_in() == "\nS S\n");
  }
};

}  // namespace

TEST_CASE("4.2: orders are accepted, replaced, executed and cancelled by their tokens") {
  Two two;
  CHECK(two.mara(buy("one", 100, 1'500'000)) == "\nA one B 100 AAPL 150.00\n");
  two.otto(sell("s", 30, 1'500'000));
  CHECK(two.mara.turn() == "\nE one 30 at 150.00 A\n");
  CHECK(two.mara(replace("one", "two", 150, 1'490'000)) == "\nU one>two 120 at 149.00\n");
  CHECK(two.mara(cancel("two", 100)) == "\nC two 50 U\n");
  CHECK(two.mara(cancel("one")) == "\n");
  CHECK(two.mara(cancel("two")) == "\nC two 70 U\n");
  CHECK(two.venue.book().order_count() == 0);
}

TEST_CASE("4.2: a token is good for one order of the day, accepted or rejected") {
  Two two;
  CHECK(two.mara(buy("a", 100, 1'500'000)) == "\nA a B 100 AAPL 150.00\n");
  CHECK(two.mara(buy("a", 100, 1'500'000)) == "\n");
  CHECK(two.mara(order("b", ouch::Side::buy, 1, 1'500'000, "NONE")) == "\nJ b S\n");
  CHECK(two.mara(buy("b", 100, 1'500'000)) == "\n");
  two.mara(cancel("a"));
  CHECK(two.mara(buy("a", 100, 1'500'000)) == "\n");
  CHECK(two.mara(replace("a", "c", 100, 1'500'000)) == "\n");
  CHECK(two.mara(buy("c", 100, 1'500'000)) == "\nA c B 100 AAPL 150.00\n");
  CHECK(two.mara(replace("c", "b", 100, 1'490'000)) == "\n");
  CHECK(two.otto(cancel("c")) == "\n");
}

TEST_CASE("4.2: a replacement with wrong details cancels its original and leaves its token free") {
  Two two;
  two.mara(buy("a", 100, 1'500'000));
  CHECK(two.mara(replace("a", "b", 100, 1'490'001)) == "\nC a 100 U\n");
  CHECK(two.mara(buy("b", 100, 1'500'000)) == "\nA b B 100 AAPL 150.00\n");
}

TEST_CASE("4.2: every refusal has its letter") {
  Two two;
  int number = 0;
  const auto code = [&](auto change) {
    auto message = buy("x", 100, 1'500'000);
    const std::string token = "t" + std::to_string(++number);
    message.token = Alpha<14>(std::string_view(token));
    change(message);
    const std::string heard = two.mara(message);
    return heard.substr(heard.size() - 2, 1);
  };
  CHECK(code([](auto& m) { m.stock = "NONE"; }) == "S");
  CHECK(code([](auto& m) { m.shares = 0; }) == "Z");
  CHECK(code([](auto& m) { m.price = 1'500'001; }) == "X");
  CHECK(code([](auto& m) { m.display = 'x'; }) == "D");
  CHECK(code([](auto& m) { m.display = 'I'; }) == "D");
  CHECK(code([](auto& m) { m.firm = "NONE"; }) == "L");
  CHECK(code([](auto& m) { m.cross = ouch::Cross::retail; }) == "R");
  CHECK(code([](auto& m) { m.minimum_quantity = 101; }) == "N");
  CHECK(code([](auto& m) { m.intermarket_sweep = ouch::YesNo::yes; }) == "O");
  two.venue.refuses = RiskReason::order_size;
  CHECK(code([](auto&) {}) == "m");
  two.venue.refuses = RiskReason::none;
  two.venue.act(ChangePhase{.phase = Phase::halted});
  CHECK(code([](auto&) {}) == "H");
  CHECK(two.venue.book().order_count() == 0);
}

TEST_CASE("4.2: orders live as many seconds as they say, or trade at once") {
  Two two;
  auto message = buy("a", 100, 1'500'000);
  message.time_in_force = 60;
  CHECK(two.mara(message) == "\nA a B 100 AAPL 150.00\n");
  two.venue.act(ExpireOrders{.now_s = 34'260});
  CHECK(two.mara.turn() == "\nC a 100 T\n");
  message = buy("b", 100, 1'500'000);
  message.time_in_force = ouch42::immediate_or_cancel;
  CHECK(two.mara(message) == "\nA b B 100 AAPL 150.00\nC b 100 I\n");
  message.token = "c";
  message.minimum_quantity = 50;
  CHECK(two.mara(message) == "\nA c B 100 AAPL 150.00 dead\n");
}

TEST_CASE("4.2: the display says whether an order is hidden, posts only, or is pegged to the middle") {
  Two two;
  auto message = buy("a", 10, 1'490'000);
  message.display = 'N';
  two.mara(message);
  CHECK(!two.venue.book().quote().has_bid());
  two.otto(sell("s", 10, 1'490'000));
  CHECK(two.mara.turn() == "\nE a 10 at 149.00 J\n");
  two.otto(sell("t", 10, 1'500'000));
  message = buy("b", 10, 1'500'000);
  message.display = 'P';
  CHECK(two.mara(message) == "\nA b B 10 AAPL 150.00\nC b 10 F\n");
  two.otto(buy("u", 10, 1'480'000));
  message = buy("c", 10, ouch42::market_price);
  message.display = 'M';
  two.mara(message);
  two.otto(sell("v", 10, 1'490'000));
  CHECK(two.mara.turn() == "\nE c 10 at 149.00 k\n");
}

TEST_CASE("4.2: a modification marks short sales and makes orders smaller") {
  Two two;
  two.mara(sell("a", 100, 1'500'000));
  CHECK(two.mara(ouch42::ModifyOrder{.token = "a", .side = ouch::Side::sell_short, .shares = 100}) == "\nM a T 100\n");
  CHECK(two.mara(ouch42::ModifyOrder{.token = "a", .side = ouch::Side::sell_short, .shares = 40}) == "\nM a T 40\n");
  CHECK(two.mara(ouch42::ModifyOrder{.token = "a", .side = ouch::Side::buy, .shares = 30}) == "\n");
  CHECK(two.mara(ouch42::TradeNow{.token = "a"}) == "\n");
}

TEST_CASE("4.2: when the day's tokens are used up orders are rejected, and what is there can be cancelled") {
  MemoryVenue venue;
  Rig rig(venue);
  rig.log_in();
  rig(buy("first", 100, 1'500'000));
  for (int i = 0; i < 1023; ++i) {
    auto message = buy("x", 0, 1'500'000);
    const std::string token = "t" + std::to_string(i);
    message.token = Alpha<14>(std::string_view(token));
    rig(message);
  }
  CHECK(rig(buy("last", 100, 1'500'000)) == "\nJ last O\n");
  CHECK(rig(cancel("first")) == "\nC first 100 U\n");
}
