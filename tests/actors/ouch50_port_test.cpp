// A port for OUCH 5.0: what a client says, what it hears, and what is in the book then.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "port_rig.hpp"

using namespace outcry;
using namespace outcry::test;
using ouch50::RejectReason;
using ouch50::Tag;

namespace {

using Rig = PortRig<Ouch50Port>;
using Options = ouch50::OptionList;
using Ouch50Side = ouch::Side;

ouch50::EnterOrder order(std::uint32_t user_ref, Ouch50Side side, std::uint32_t quantity, std::uint64_t price,
                         const char* symbol = "AAPL") {
  return {.user_ref = user_ref,
          .side = side,
          .quantity = quantity,
          .symbol = symbol,
          .price = price,
          .time_in_force = ouch50::TimeInForce::day,
          .display = ouch50::Display::visible,
          .capacity = ouch::Capacity::agency,
          .client_order_id = "mine"};
}
ouch50::EnterOrder buy(std::uint32_t user_ref, std::uint32_t quantity, std::uint64_t price,
                       const char* symbol = "AAPL") {
  return order(user_ref, Ouch50Side::buy, quantity, price, symbol);
}
ouch50::EnterOrder sell(std::uint32_t user_ref, std::uint32_t quantity, std::uint64_t price) {
  return order(user_ref, Ouch50Side::sell, quantity, price);
}
ouch50::ReplaceOrder replace(std::uint32_t original, std::uint32_t user_ref, std::uint32_t quantity,
                             std::uint64_t price) {
  return {.original_user_ref = original,
          .user_ref = user_ref,
          .quantity = quantity,
          .price = price,
          .time_in_force = ouch50::TimeInForce::day,
          .display = ouch50::Display::visible};
}
ouch50::CancelOrder cancel(std::uint32_t user_ref, std::uint32_t quantity = 0) {
  return {.user_ref = user_ref, .quantity = quantity};
}

struct Two {
  MemoryVenue venue;
  Rig mara{venue};
  Rig otto{venue, {}, 8};
  Two() : Two(BookRules{}) {}
  explicit Two(const BookRules& rules) : venue(rules) {
    CHECK(mara.log_in() == "\nS S\n");
    CHECK(otto.log_in() == "\nS S\n");
  }
};

}  // namespace

TEST_CASE("an order is accepted, trades with another client's, and is cancelled for the rest") {
  Two two;
  CHECK(two.mara(buy(1, 100, 1'500'000)) == "\nA 1 B 100 AAPL 150.00\n");
  CHECK(two.otto(sell(1, 60, 1'500'000)) == "\nA 1 S 60 AAPL 150.00\nE 1 60 at 150.00 R\n");
  CHECK(two.mara.turn() == "\nE 1 60 at 150.00 A\n");
  CHECK(two.mara(cancel(1)) == "\nC 1 40 U\n");
  CHECK(two.venue.book().order_count() == 0);
}

TEST_CASE("both sides of a trade are told the same match number") {
  Two two;
  two.mara(buy(1, 100, 1'500'000));
  two.otto(sell(1, 100, 1'500'000));
  two.mara.turn();
  const auto match = [](const Rig& rig) {
    const auto last = rig.port.stream().message(rig.port.stream().next_sequence() - 1);
    return ouch50::decode_outbound(last).message.as<ouch50::Executed>().match.value();
  };
  CHECK(match(two.mara) == match(two.otto));
  CHECK(match(two.mara) != 0);
}

TEST_CASE("(a) whatever is sent again changes nothing and is not answered") {
  Two two;
  const auto everything = [&](Rig& rig) {
    return rig.say(buy(1, 100, 1'500'000))
        .say(buy(2, 0, 1'500'000))
        .say(replace(1, 3, 120, 1'490'000))
        .say(cancel(3, 50))
        .say(ouch50::MassCancel{.user_ref = 4, .symbol = "HALF"})
        .say(ouch50::DisableOrderEntry{.user_ref = 5, .firm = "BETA"})
        .say(ouch50::EnableOrderEntry{.user_ref = 6, .firm = "BETA"})
        .turn();
  };
  CHECK(everything(two.mara) == "\nJ 2 13\nX 4\nG 5\nK 6\nA 1 B 100 AAPL 150.00\nU 1>3 120 at 149.00\nC 3 70 U\n");

  CHECK(everything(two.mara) == "\n");
  CHECK(two.venue.book().order_count() == 1);
  CHECK(two.mara.port.desk().ignored() == 7);
}

TEST_CASE("(b) superfluous cancels are passed over: of what is gone, smaller already, not there, or somebody else's") {
  Two two;
  two.mara(buy(1, 100, 1'500'000));
  CHECK(two.mara(cancel(1, 200)) == "\n");
  CHECK(two.mara(cancel(1, 100)) == "\n");
  CHECK(two.mara(cancel(9)) == "\n");
  CHECK(two.otto(cancel(1)) == "\n");
  CHECK(two.mara(cancel(1, 40)) == "\nC 1 60 U\n");
  CHECK(two.mara(cancel(1, 70)) == "\n");
  CHECK(two.mara.say(cancel(1)).say(cancel(1)).turn() == "\nC 1 40 U\n");
  CHECK(two.mara(cancel(1)) == "\n");
}

TEST_CASE("(b) a cancel that comes too late is answered by the execution alone") {
  Two two;
  two.mara(buy(1, 100, 1'500'000));
  two.otto(sell(1, 100, 1'500'000));
  CHECK(two.mara(cancel(1)) == "\nE 1 100 at 150.00 A\n");
}

TEST_CASE("(c) the size of a replacement includes what was executed; it has a new reference and goes to the back") {
  Two two;
  two.mara(buy(1, 100, 1'500'000));
  two.otto(sell(1, 30, 1'500'000));
  two.otto(buy(2, 10, 1'500'000));
  two.mara.turn();
  CHECK(two.mara(replace(1, 2, 150, 1'500'000)) == "\nU 1>2 120 at 150.00\n");
  CHECK(two.otto.say(sell(3, 10, 1'500'000)).turn() ==
        "\nA 3 S 10 AAPL 150.00\nE 2 10 at 150.00 A\nE 3 10 at 150.00 R\n");
}

TEST_CASE("(c) what was executed while the replacement was under way counts, too") {
  Two two;
  two.mara(buy(1, 100, 1'500'000));
  two.venue.keep_back();
  two.mara(replace(1, 2, 120, 1'490'000));
  two.venue.act(
      NewOrder{.id = {99}, .price = {1'500'000}, .quantity = {70}, .account = {1000}, .side = outcry::Side::sell});
  two.venue.let_go();
  CHECK(two.mara.turn() == "\nE 1 70 at 150.00 A\nU 1>2 50 at 149.00\n");
}

TEST_CASE("(c) a replacement of a dead order is passed over, and its number can be used") {
  Two two;
  two.mara(buy(1, 100, 1'500'000));
  two.mara(cancel(1));
  CHECK(two.mara(replace(1, 2, 100, 1'490'000)) == "\n");
  CHECK(two.mara(replace(7, 2, 100, 1'490'000)) == "\n");
  CHECK(two.mara(ouch50::AccountQuery{}) == "\nQ 2\n");
  CHECK(two.mara(buy(2, 100, 1'500'000)) == "\nA 2 B 100 AAPL 150.00\n");
  CHECK(two.mara(replace(2, 2, 100, 1'490'000)) == "\n");
}

TEST_CASE("(c) a replacement with wrong details cancels its original, and its number can be used") {
  Two two;
  two.mara(buy(1, 100, 1'500'000));
  SUBCASE("no size") { CHECK(two.mara(replace(1, 2, 0, 1'490'000)) == "\nC 1 100 U\n"); }
  SUBCASE("off the grid") { CHECK(two.mara(replace(1, 2, 100, 1'490'001)) == "\nC 1 100 U\n"); }
  SUBCASE("no such display") {
    auto message = replace(1, 2, 100, 1'490'000);
    message.display = static_cast<ouch50::Display>('?');
    CHECK(two.mara(message) == "\nC 1 100 U\n");
  }
  SUBCASE("no more than was executed") {
    two.otto(sell(1, 30, 1'500'000));
    two.mara.turn();
    CHECK(two.mara(replace(1, 2, 30, 1'490'000)) == "\nC 1 70 U\n");
  }
  SUBCASE("found out by the symbol") {
    two.mara(ouch50::CancelOrder{.user_ref = 1});
    two.otto(sell(1, 10, 1'510'000));
    two.mara(buy(2, 100, 1'500'000), Options().add<Tag::post_only>('P'));
    CHECK(two.mara(replace(2, 3, 100, 1'510'000)) == "\nC 2 100 U\n");
    CHECK(two.mara(ouch50::AccountQuery{}) == "\nQ 3\n");
    return;
  }
  CHECK(two.venue.book().order_count() == 0);
  CHECK(two.mara(ouch50::AccountQuery{}) == "\nQ 2\n");
}

TEST_CASE("(c) a replacement refused for other reasons is rejected, its number is used, its original stays") {
  Two two;
  two.mara(buy(1, 100, 1'500'000));
  SUBCASE("risk") {
    two.venue.refuses = RiskReason::price_collar;
    CHECK(two.mara(replace(1, 2, 120, 1'490'000)) == "\nJ 2 26\n");
  }
  SUBCASE("no room at the symbol") {
    two.venue.has_room = false;
    CHECK(two.mara(replace(1, 2, 120, 1'490'000)) == "\nJ 2 A\n");
    two.venue.has_room = true;
  }
  SUBCASE("order entry is disabled") {
    two.mara(ouch50::DisableOrderEntry{.user_ref = 2});
    CHECK(two.mara(replace(1, 3, 120, 1'490'000)) == "\nJ 3 15\n");
  }
  SUBCASE("a halt") {
    two.venue.act(ChangePhase{.phase = Phase::halted});
    CHECK(two.mara(replace(1, 2, 120, 1'490'000)) == "\nJ 2 7\n");
  }
  CHECK(two.venue.book().order_count() == 1);
  CHECK(two.mara(cancel(1)) == "\nC 1 100 U\n");
}

TEST_CASE("(d) an order that could not trade its minimum is accepted as dead, and nothing more is said of it") {
  Two two;
  two.otto(sell(1, 10, 1'500'000));
  auto message = buy(1, 100, 1'500'000);
  message.time_in_force = ouch50::TimeInForce::immediate_or_cancel;
  CHECK(two.mara(message, Options().add<Tag::minimum_quantity>(50)) == "\nA 1 B 100 AAPL 150.00 dead\n");
  CHECK(two.mara(cancel(1)) == "\n");
}

TEST_CASE("(e) the messages of a port are carried out in their order, whatever is under way") {
  Two two;
  const std::string heard = two.mara.say(buy(1, 100, 1'500'000))
                                .say(replace(1, 2, 120, 1'490'000))
                                .say(replace(2, 3, 140, 1'480'000))
                                .say(cancel(3, 90))
                                .say(cancel(3))
                                .say(buy(4, 10, 1'470'000))
                                .turn();
  CHECK(
      heard ==
      "\nA 1 B 100 AAPL 150.00\nU 1>2 120 at 149.00\nU 2>3 140 at 148.00\nC 3 50 U\nC 3 90 U\nA 4 B 10 AAPL 147.00\n");
}

TEST_CASE("(f) the number of a rejected order is used up") {
  Two two;
  CHECK(two.mara(buy(1, 100, 1'500'000, "NONE")) == "\nJ 1 17\n");
  CHECK(two.mara(buy(1, 100, 1'500'000)) == "\n");
  CHECK(two.mara(buy(2, 100, 1'500'000)) == "\nA 2 B 100 AAPL 150.00\n");
}

TEST_CASE("(g) an account query gives the next number that can be used") {
  Two two;
  CHECK(two.mara(ouch50::AccountQuery{}) == "\nQ 1\n");
  two.mara(buy(41, 100, 1'500'000));
  CHECK(two.mara(ouch50::AccountQuery{}) == "\nQ 42\n");
}

TEST_CASE("every refusal has its code") {
  Two two;
  std::uint32_t user_ref = 0;
  const auto code = [&](auto change, const Options& options = {}) {
    auto message = buy(++user_ref, 100, 1'500'000);
    change(message);
    const std::string heard = two.mara(message, options);
    const std::string expected_start = "\nJ " + std::to_string(user_ref) + " ";
    return heard.starts_with(expected_start)
               ? heard.substr(expected_start.size(), heard.size() - expected_start.size() - 1)
               : heard;
  };
  const auto nothing = [](auto&) {};
  CHECK(code([](auto& m) { m.display = static_cast<ouch50::Display>('x'); }) == "3");
  CHECK(code(nothing, Options().add<Tag::maximum_floor>(101)) == "4");
  CHECK(code(nothing, Options().add<Tag::maximum_floor>(50).add<Tag::random_reserves>(10)) == "4");
  CHECK(code(nothing, Options().add<Tag::price_type>('x')) == "5");
  CHECK(code(nothing, Options().add<Tag::price_type>('Q')) == "5");
  CHECK(code([](auto& m) { m.intermarket_sweep = ouch::YesNo::yes; }) == "8");
  CHECK(code([](auto& m) { m.side = static_cast<ouch::Side>('x'); }) == "9");
  CHECK(code(nothing, Options().add<Tag::firm>("NONE")) == "C");
  CHECK(code(nothing, Options().add<Tag::minimum_quantity>(101)) == "D");
  CHECK(code(nothing, Options().add<Tag::discretion_price>(1'500'000)) == "F");
  CHECK(code([](auto& m) { m.time_in_force = ouch50::TimeInForce::after_hours; }) == "F");
  CHECK(code([](auto& m) { m.time_in_force = ouch50::TimeInForce::until_time; }) == "F");
  CHECK(code(nothing, Options().add<Tag::peg_offset>(100)) == "11");
  CHECK(code([](auto& m) { m.quantity = 0; }) == "13");
  CHECK(code([](auto& m) { m.quantity = 1'000'000; }) == "13");
  CHECK(code([](auto& m) { m.cross = static_cast<ouch::Cross>('x'); }) == "14");
  CHECK(code([](auto& m) { m.cross = ouch::Cross::retail; }) == "14");
  CHECK(code([](auto& m) { m.cross = ouch::Cross::opening; }) == "14");  // no auction collects
  CHECK(code(nothing, Options().add<Tag::route>("FAST")) == "16");
  CHECK(code([](auto& m) { m.symbol = "NONE"; }) == "17");
  CHECK(code([](auto& m) { m.price = 1'500'001; }) == "1D");
  CHECK(code([](auto& m) { m.price = 0; }) == "1D");
  CHECK(code([](auto& m) { m.price = 1'999'999'900; }) == "1D");
  two.venue.refuses = RiskReason::gross_notional;
  CHECK(code(nothing) == "20");
  two.venue.refuses = RiskReason::restricted;
  CHECK(code(nothing) == "22");
  two.venue.refuses = RiskReason::short_sale;
  CHECK(code(nothing) == "23");
  two.venue.refuses = RiskReason::not_located;
  CHECK(code(nothing) == "27");
  two.venue.refuses = RiskReason::symbol_rate;
  CHECK(code(nothing) == "28");
  two.venue.refuses = RiskReason::duplicate;
  CHECK(code(nothing) == "2A");
  two.venue.refuses = RiskReason::none;
  two.venue.has_room = false;
  CHECK(code(nothing) == "A");
  two.venue.has_room = true;
  two.venue.act(ChangePhase{.phase = Phase::halted});
  CHECK(code(nothing) == "7");
  CHECK(two.venue.book().order_count() == 0);
}

TEST_CASE("a symbol without rules takes no special orders, each refused with its own code") {
  Two two;
  std::uint32_t user_ref = 0;
  const auto code = [&](auto change, const Options& options = {}) {
    auto message = buy(++user_ref, 100, 1'500'000, "PLAIN");
    change(message);
    const std::string said = two.mara(message, options);
    return said.substr(said.rfind(' ') + 1);
  };
  const auto nothing = [](auto&) {};
  CHECK(code(nothing) == "150.00\n");
  CHECK(code(nothing, Options().add<Tag::post_only>('P')) == "150.00\n");
  CHECK(code([](auto& m) { m.display = ouch50::Display::hidden; }) == "3\n");
  CHECK(code(nothing, Options().add<Tag::maximum_floor>(10)) == "4\n");
  CHECK(code(nothing, Options().add<Tag::minimum_quantity>(10)) == "D\n");
  CHECK(code(nothing, Options().add<Tag::price_type>('M')) == "11\n");
  CHECK(code([](auto& m) { m.cross = ouch::Cross::opening; }) == "14\n");
  CHECK(code([](auto& m) { m.time_in_force = ouch50::TimeInForce::until_time; },
             Options().add<Tag::expire_time>(40'000)) == "F\n");
}

TEST_CASE("options become the terms of the order, and the acceptance repeats them") {
  Two two;
  const auto accepted = [&] {
    const MessageStore& stream = two.mara.port.stream();
    return ouch50::decode_outbound(stream.message(stream.next_sequence() - 1)).appendage;
  };
  auto message = buy(1, 100, 1'490'000);
  SUBCASE("an iceberg") {
    two.mara(message, Options().add<Tag::maximum_floor>(10).add<Tag::firm>("BETA"));
    CHECK(two.venue.book().quote().bid_quantity == 10);
    CHECK(accepted().get<Tag::maximum_floor>() == 10u);
    CHECK(accepted().get<Tag::firm>()->text() == "BETA");
    // It displays its next part.
    two.otto(sell(1, 10, 1'490'000));
    CHECK(two.mara.turn() == "\nE 1 10 at 149.00 A\nR 1 R\n");
    CHECK(accepted().get<Tag::display_quantity>() == 10u);
  }
  SUBCASE("hidden") {
    message.display = ouch50::Display::hidden;
    two.mara(message);
    CHECK(!two.venue.book().quote().has_bid());
    two.otto(sell(1, 100, 1'490'000));
    CHECK(two.mara.turn() == "\nE 1 100 at 149.00 J\n");
  }
  SUBCASE("post only") {
    two.otto(sell(1, 10, 1'490'000));
    CHECK(two.mara(message, Options().add<Tag::post_only>('P')) == "\nA 1 B 100 AAPL 149.00\nC 1 100 F\n");
    message = buy(2, 100, 1'480'000);
    CHECK(two.mara(message, Options().add<Tag::post_only>('P')) == "\nA 2 B 100 AAPL 148.00\n");
    CHECK(accepted().get<Tag::post_only>() == 'P');
  }
  SUBCASE("good till a time") {
    message.time_in_force = ouch50::TimeInForce::until_time;
    CHECK(two.mara(message, Options().add<Tag::expire_time>(34'199)) == "\nJ 1 F\n");  // half past nine is 34,200
    message.user_ref = 2;
    two.mara(message, Options().add<Tag::expire_time>(34'260));
    CHECK(accepted().get<Tag::expire_time>() == 34'260u);
    two.venue.act(ExpireOrders{.now_s = 34'259});
    CHECK(two.mara.turn() == "\n");
    two.venue.act(ExpireOrders{.now_s = 34'260});
    CHECK(two.mara.turn() == "\nC 2 100 T\n");
  }
  SUBCASE("a peg") {
    two.otto.say(buy(1, 10, 1'480'000)).say(sell(2, 10, 1'500'000)).turn();
    CHECK(two.mara(message, Options().add<Tag::price_type>('M')) == "\nA 1 B 100 AAPL 149.00\nR 1 P\n");
    CHECK(accepted().get<Tag::display_price>() == 1'490'000u);
    two.otto(sell(3, 10, 1'480'000));
    CHECK(two.mara.turn() == "\nE 1 10 at 149.00 k\n");
  }
  SUBCASE("for an auction") {
    two.venue.act(ChangePhase{.phase = Phase::auction});
    message.cross = ouch::Cross::opening;
    CHECK(two.mara(message) == "\nA 1 B 100 AAPL 149.00\n");
    two.otto(sell(1, 40, 1'490'000));
    two.venue.act(ChangePhase{.phase = Phase::continuous});
    CHECK(two.mara.turn() == "\nE 1 40 at 149.00 A\nC 1 60 E\n");
  }
  SUBCASE("an index of the client's own") {
    two.mara(message, Options().add<Tag::user_ref_index>(ouch50::Small{3}));
    CHECK(two.mara(cancel(1)) == "\nC 1 100 U\n");
    CHECK(accepted().get<Tag::user_ref_index>()->value == 3);
  }
}

TEST_CASE("market and immediate orders trade what there is and are cancelled for the rest") {
  Two two;
  two.otto(sell(1, 10, 1'500'000));
  auto message = buy(1, 100, ouch50::least_market_price);
  CHECK(two.mara(message) == "\nA 1 B 100 AAPL 200000.00\nE 1 10 at 150.00 R\nC 1 90 I\n");
  message = buy(2, 100, 1'500'000);
  message.time_in_force = ouch50::TimeInForce::immediate_or_cancel;
  CHECK(two.mara(message) == "\nA 2 B 100 AAPL 150.00\nC 2 100 I\n");
}

TEST_CASE("prices are read and told in ten-thousandths, whatever the instrument counts in") {
  Two two;
  CHECK(two.mara(buy(1, 100, 502'500, "HALF")) == "\nA 1 B 100 HALF 50.25\n");
  CHECK(two.venue.book(1).quote().bid == Price{5'025});
  CHECK(two.mara(buy(2, 100, 502'600, "HALF")) == "\nJ 2 1D\n");
  CHECK(two.mara(buy(3, 100, 502'510, "HALF")) == "\nJ 3 1D\n");
  two.otto(order(1, Ouch50Side::sell, 100, 502'500, "HALF"));
  CHECK(two.mara.turn() == "\nE 1 100 at 50.25 A\n");
}

TEST_CASE("a modification marks short sales and makes orders smaller; the order keeps its place") {
  Two two;
  two.mara(sell(1, 100, 1'500'000));
  two.otto(sell(1, 10, 1'500'000));
  const auto modify = [&](Ouch50Side side, std::uint32_t quantity) {
    return two.mara(ouch50::ModifyOrder{.user_ref = 1, .side = side, .quantity = quantity});
  };
  CHECK(modify(Ouch50Side::sell_short_exempt, 100) == "\nM 1 E 100\n");
  CHECK(modify(Ouch50Side::sell, 100) == "\n");
  CHECK(modify(Ouch50Side::buy, 50) == "\n");
  CHECK(modify(Ouch50Side::sell_short, 120) == "\n");
  CHECK(modify(Ouch50Side::sell_short, 60) == "\nM 1 T 60\n");
  two.otto(buy(2, 5, 1'500'000));
  CHECK(two.mara.turn() == "\nE 1 5 at 150.00 A\n");
  CHECK(modify(Ouch50Side::sell_short, 30) == "\nM 1 T 25\n");
}

TEST_CASE("a replacement of other terms is told as any other, in one message") {
  Two two;
  two.mara(buy(1, 100, 1'500'000));
  two.otto(sell(1, 30, 1'500'000));
  two.mara.turn();
  auto message = replace(1, 2, 150, 1'490'000);
  message.display = ouch50::Display::hidden;
  CHECK(two.mara(message) == "\nU 1>2 120 at 149.00\n");
  CHECK(!two.venue.book().quote().has_bid());
  // What it does not name stays: the post-only order cannot be moved to where it would trade.
  two.mara(buy(3, 10, 1'400'000), Options().add<Tag::post_only>('P'));
  two.mara(replace(3, 4, 10, 1'410'000));
  two.otto(sell(2, 10, 1'500'000));
  CHECK(two.mara(replace(4, 5, 10, 1'500'000)) == "\nC 4 10 U\n");
}

TEST_CASE("(c) an order that is to be replaced by one of other terms trades until it is, and that counts") {
  Two two;
  two.mara(buy(1, 100, 1'500'000));
  two.venue.keep_back();
  two.otto(sell(1, 30, 1'500'000));
  auto message = replace(1, 2, 150, 1'490'000);
  message.display = ouch50::Display::hidden;
  CHECK(two.mara(message) == "\n");
  two.venue.let_go();

  CHECK(two.mara.turn() == "\nE 1 30 at 150.00 A\nU 1>2 120 at 149.00\n");
  CHECK(two.mara(cancel(2)) == "\nC 2 120 U\n");
}

TEST_CASE("(c) a halt refuses a replacement by other terms, too, and the original stays as it was") {
  Two two;
  two.mara(buy(1, 100, 1'500'000));
  two.venue.act(ChangePhase{.phase = Phase::halted});
  auto message = replace(1, 2, 120, 1'490'000);
  message.time_in_force = ouch50::TimeInForce::immediate_or_cancel;

  CHECK(two.mara(message) == "\nJ 2 7\n");
  CHECK(two.mara(cancel(1)) == "\nC 1 100 U\n");
}

TEST_CASE("trade now changes nothing, since every order trades as soon as it can, and is repeated") {
  Two two;
  two.mara(buy(1, 10, 1'500'000), Options().add<Tag::trade_now>('Y'));
  const auto last = two.mara.port.stream().message(two.mara.port.stream().next_sequence() - 1);
  const auto accepted = ouch50::decode_outbound(last);
  REQUIRE(accepted);
  CHECK(accepted.appendage.get<Tag::trade_now>() == 'Y');
}

TEST_CASE("a trade that is broken is told by the number of its order, which may be gone, and to each side once") {
  Two two;
  two.mara(buy(7, 100, 1'500'000));
  two.otto(sell(1, 100, 1'500'000));
  two.mara.turn();
  const OrderId id = two.mara.port.desk().entry().order({0}).id;
  for (std::uint32_t i = 8; i < 80; ++i) two.mara.say(buy(i, 1, 1'000'000)).say(cancel(i)).turn();

  two.mara.port.heard(
      TradeBroken{.id = id, .price = {1'500'000}, .quantity = {100}, .trade = 1, .reason = BreakReason::consent});

  const std::string heard = two.mara.turn();
  const auto last = two.mara.port.stream().message(two.mara.port.stream().next_sequence() - 1);
  const auto broken = ouch50::decode_outbound(last).message.as<ouch50::BrokenTrade>();
  CHECK(heard.substr(0, 4) == "\nB 7");
  CHECK(broken.match == match_number(SymbolId{0}, 1));
  CHECK(broken.reason == ouch::BrokenReason::consent);
  CHECK(broken.client_order_id.text() == "mine");
  two.mara.port.heard(TradeBroken{.id = id, .trade = 2});  // not one of its executions
  CHECK(two.mara.turn() == "\n");
}

TEST_CASE("a mass cancel takes all of the account's orders, of a symbol, a side, a firm or a group") {
  Two two;
  two.otto(buy(1, 5, 1'400'000));
  two.mara.say(buy(1, 10, 1'500'000))
      .say(sell(2, 10, 1'600'000))
      .say(buy(3, 10, 500'000, "HALF"))
      .say(buy(4, 10, 1'490'000), Options().add<Tag::firm>("BETA"))
      .say(buy(5, 10, 1'480'000), Options().add<Tag::group>(7))
      .turn();
  const auto mass = [&](std::uint32_t user_ref, const char* firm, const char* symbol, const Options& options = {}) {
    two.mara.say(ouch50::MassCancel{.user_ref = user_ref, .firm = firm, .symbol = symbol}, options);
    return two.mara.turn();
  };
  CHECK(mass(6, "", "HALF") == "\nX 6\nC 3 10 U\n");
  CHECK(mass(7, "", "AAPL", Options().add<Tag::side>('S')) == "\nX 7\nC 2 10 U\n");
  CHECK(mass(8, "BETA", "") == "\nX 8\nC 4 10 U\n");
  CHECK(mass(9, "", "", Options().add<Tag::group>(7)) == "\nX 9\nC 5 10 U\n");
  CHECK(mass(10, "NONE", "") == "\nJ 10 C\n");
  CHECK(mass(11, "", "NONE") == "\nJ 11 17\n");
  CHECK(mass(12, "", "") == "\nX 12\nC 1 10 U\n");
  CHECK(two.venue.book().order_count() == 1);
}

TEST_CASE(
    "with order entry disabled nothing new comes in, and everything can be cancelled; also while trading is killed") {
  Two two;
  two.mara.say(buy(1, 10, 1'500'000)).say(buy(2, 10, 1'490'000)).turn();
  two.venue.refuses = RiskReason::killed;
  CHECK(two.mara(ouch50::DisableOrderEntry{.user_ref = 3, .firm = "ACME"}) == "\nG 3\n");
  CHECK(two.mara(buy(4, 10, 1'500'000)) == "\nJ 4 C\n");
  CHECK(two.mara(cancel(1)) == "\nC 1 10 U\n");
  CHECK(two.mara(ouch50::MassCancel{.user_ref = 5}) == "\nX 5\nC 2 10 U\n");
  CHECK(two.mara(ouch50::EnableOrderEntry{.user_ref = 6, .firm = "ACME"}) == "\nK 6\n");
  CHECK(two.mara(buy(7, 10, 1'500'000)) == "\nJ 7 C\n");
  two.venue.refuses = RiskReason::none;
  CHECK(two.mara(buy(8, 10, 1'500'000)) == "\nA 8 B 10 AAPL 150.00\n");
}

TEST_CASE("a firm that is disabled is disabled alone") {
  Two two;
  two.mara(ouch50::DisableOrderEntry{.user_ref = 1, .firm = "BETA"});
  CHECK(two.mara(buy(2, 10, 1'500'000), Options().add<Tag::firm>("BETA")) == "\nJ 2 C\n");
  CHECK(two.mara(buy(3, 10, 1'500'000)) == "\nA 3 B 10 AAPL 150.00\n");
  CHECK(two.mara(ouch50::DisableOrderEntry{.user_ref = 4, .firm = "NONE"}) == "\nJ 4 C\n");
}

TEST_CASE("what would trade with oneself is told as prevented, and counts as done when the order is replaced") {
  Two two(BookRules{.self_trade = SelfTrade::decrement});
  two.mara(buy(1, 100, 1'500'000));
  CHECK(two.mara(sell(2, 30, 1'500'000)) == "\nA 2 S 30 AAPL 150.00\nD 1 30 at 150.00\nD 2 30 at 150.00\n");
  CHECK(two.mara(replace(1, 3, 90, 1'490'000)) == "\nU 1>3 60 at 149.00\n");
}

TEST_CASE("orders beyond the rate of messages are refused, cancels never are") {
  MemoryVenue venue;
  Rig rig(venue, {.desk = {.messages = {.per_second = 10, .burst = 3}}});
  rig.log_in();
  CHECK(rig.say(buy(1, 10, 1'500'000))
            .say(buy(2, 10, 1'500'000))
            .say(buy(3, 10, 1'500'000))
            .say(buy(4, 10, 1'500'000))
            .turn() == "\nJ 4 29\nA 1 B 10 AAPL 150.00\nA 2 B 10 AAPL 150.00\nA 3 B 10 AAPL 150.00\n");
  CHECK(rig(replace(1, 5, 10, 1'490'000)) == "\nJ 5 29\n");
  CHECK(rig(cancel(1)) == "\nC 1 10 U\n");
  rig.now_ns += 100'000'000;
  CHECK(rig.say(buy(6, 10, 1'500'000)).say(buy(7, 10, 1'500'000)).turn() == "\nJ 7 29\nA 6 B 10 AAPL 150.00\n");
}

TEST_CASE("a cancel that finds no room at the symbol is told as pending, and sent again until it does") {
  Two two;
  two.mara.say(buy(1, 10, 1'500'000)).say(buy(2, 10, 1'490'000)).turn();
  two.venue.has_room = false;
  CHECK(two.mara(cancel(1)) == "\nP 1\n");
  CHECK(two.mara.port.deadline() == two.mara.now_ns + 1'000'000);
  CHECK(two.mara.turn() == "\n");
  two.venue.has_room = true;
  two.mara.turn();
  CHECK(two.mara.turn() == "\nC 1 10 U\n");
}
