// OuchClient: a symbol's commands as OUCH, and OUCH as a symbol's events.
#include <outcry/actors/ouch_client.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

using namespace outcry;

namespace {

using Lines = std::vector<std::string>;

std::string text(OrderId id) { return "#" + std::to_string(id.value); }
std::string text(Quantity quantity) { return std::to_string(quantity.lots); }
std::string text(Price price) { return std::to_string(price.units); }

/// Writes down what the client sends and says.
struct Notebook : OuchSender, ParticipantEvents {
  bool send(std::span<const std::byte> message) override {
    if (!connected) return false;
    const auto decoded = ouch50::decode_inbound(message);
    REQUIRE(decoded);
    std::string line = "-> ";
    decoded.message.visit([&]<class M>(const M& one) {
      line += one.type;
      if constexpr (std::is_same_v<M, ouch50::EnterOrder>) {
        line += " " + std::to_string(one.user_ref) + " " + static_cast<char>(one.side) + std::to_string(one.quantity) +
                " " + std::string(one.symbol.text()) + " " + std::to_string(one.price) + " tif " +
                static_cast<char>(one.time_in_force);
        if (const auto only = decoded.appendage.template get<ouch50::Tag::post_only>()) line += " post";
        if (const auto least = decoded.appendage.template get<ouch50::Tag::minimum_quantity>())
          line += " min " + std::to_string(*least);
        client_order_id = std::string(one.client_order_id.text());
      } else if constexpr (std::is_same_v<M, ouch50::ReplaceOrder>) {
        line += " " + std::to_string(one.original_user_ref) + ">" + std::to_string(one.user_ref) + " " +
                std::to_string(one.quantity) + " " + std::to_string(one.price);
        client_order_id = std::string(one.client_order_id.text());
      } else if constexpr (std::is_same_v<M, ouch50::CancelOrder>) {
        line += " " + std::to_string(one.user_ref) + " to " + std::to_string(one.quantity);
      }
    });
    lines.push_back(line);
    return true;
  }
  void on(const Accepted& e) override {
    lines.push_back("accepted " + text(e.id) + " " + text(e.quantity) + " at " + text(e.price));
  }
  void on(const Rejected& e) override {
    lines.push_back("rejected " + text(e.id) + (e.new_id != OrderId{} ? ">" + text(e.new_id) : "") + " command " +
                    std::to_string(static_cast<int>(e.command)) + " " + to_string(e.reason));
  }
  void on(const Filled& e) override {
    lines.push_back("filled " + text(e.id) + " " + text(e.quantity) + " at " + text(e.price) + " open " + text(e.open) +
                    (e.maker != 0 ? " maker" : " taker"));
  }
  void on(const Cancelled& e) override {
    lines.push_back("cancelled " + text(e.id) + " " + text(e.quantity) + " " + to_string(e.reason));
  }
  void on(const Reduced& e) override {
    lines.push_back("reduced " + text(e.id) + " by " + text(e.by) + " open " + text(e.open));
  }
  void on(const Modified& e) override {
    lines.push_back("modified " + text(e.id) + " " + text(e.open) + " at " + text(e.price) +
                    (e.kept_place != 0 ? " in place" : ""));
  }
  void on(const Replaced& e) override {
    lines.push_back("replaced " + text(e.id) + " by " + text(e.new_id) + " " + text(e.quantity) + " at " +
                    text(e.price));
  }
  void on(const AcceptedTerms& e) override { lines.push_back("terms " + text(e.id)); }
  void on(const Refreshed& e) override {
    lines.push_back("refreshed " + text(e.id) + " " + text(e.displayed) + "+" + text(e.reserve));
  }
  void on(const Repriced& e) override { lines.push_back("repriced " + text(e.id) + " at " + text(e.price)); }

  Lines take() { return std::exchange(lines, {}); }

  bool connected = true;
  std::string client_order_id;
  Lines lines;
};

std::vector<Instrument> instruments() {
  Instrument cents;
  cents.symbol = SymbolId{0};
  cents.name = padded_name("AAPL");
  cents.price_scale = 100;
  Instrument fine;
  fine.symbol = SymbolId{1};
  fine.name = padded_name("FINE");
  fine.price_scale = 1'000'000;
  return {cents, fine};
}

struct Venue {
  Notebook notebook;
  OuchClient client{{.account = AccountId{7}}, instruments(), notebook, notebook};

  template <class Message>
  void says(Message message, const ouch50::OptionList& options = {}) {
    std::array<std::byte, ouch50::largest_message> bytes;
    REQUIRE(client.hear(std::span(bytes).first(ouch50::encode(message, bytes, options))));
  }
  void accepts(std::uint32_t user_ref, std::uint32_t quantity, std::uint64_t price,
               ouch::OrderState state = ouch::OrderState::live) {
    ouch50::Accepted message;
    message.user_ref = user_ref;
    message.side = ouch::Side::buy;
    message.quantity = quantity;
    message.symbol = "AAPL";
    message.price = price;
    message.time_in_force = ouch50::TimeInForce::day;
    message.state = state;
    message.client_order_id = Alpha<14>(std::string_view(notebook.client_order_id));
    says(message);
  }
  void fills(std::uint32_t user_ref, std::uint32_t quantity, std::uint64_t price, ouch::Liquidity liquidity) {
    ouch50::Executed message;
    message.user_ref = user_ref;
    message.quantity = quantity;
    message.price = price;
    message.liquidity = liquidity;
    says(message);
  }
  void cancels(std::uint32_t user_ref, std::uint32_t by, ouch::CancelReason reason = ouch::CancelReason::user) {
    ouch50::Canceled message;
    message.user_ref = user_ref;
    message.decrement = by;
    message.reason = reason;
    says(message);
  }
  void replaces(std::uint32_t original, std::uint32_t user_ref, std::uint32_t open, std::uint64_t price) {
    ouch50::Replaced message;
    message.original_user_ref = original;
    message.user_ref = user_ref;
    message.quantity = open;
    message.symbol = "AAPL";
    message.price = price;
    message.client_order_id = Alpha<14>(std::string_view(notebook.client_order_id));
    says(message);
  }
  void rejects(std::uint32_t user_ref, ouch50::RejectReason reason) {
    ouch50::Rejected message;
    message.user_ref = user_ref;
    message.reason = static_cast<std::uint16_t>(reason);
    says(message);
  }
};

NewOrder order(std::uint64_t id, std::uint32_t quantity, std::int64_t cents) {
  return {.id = OrderId{id},
          .price = Price{cents},
          .quantity = Quantity{quantity},
          .symbol = SymbolId{0},
          .side = Side::buy};
}

}  // namespace

TEST_CASE("an order goes out in ten-thousandths, and its life comes back in the instrument's units") {
  Venue venue;
  venue.client.take(order(1, 100, 15'025));
  venue.accepts(1, 100, 1'502'500);
  venue.fills(1, 40, 1'502'400, ouch::Liquidity::removed);
  venue.fills(1, 10, 1'502'500, ouch::Liquidity::added);
  venue.client.take(CancelOrder{.id = OrderId{1}});
  venue.cancels(1, 50);

  CHECK(venue.notebook.take() == Lines{"-> O 1 B100 AAPL 1502500 tif 0", "accepted #1 100 at 15025",
                                       "filled #1 40 at 15024 open 60 taker", "filled #1 10 at 15025 open 50 maker",
                                       "-> X 1 to 0", "cancelled #1 50 requested"});
  CHECK(venue.client.open_orders() == 0);
}

TEST_CASE("market, immediate, fill-or-kill and post-only orders have their words in OUCH") {
  Venue venue;
  NewOrder one = order(1, 100, 15'000);
  one.type = OrderType::market;
  venue.client.take(one);
  one = order(2, 100, 15'000);
  one.time_in_force = TimeInForce::immediate_or_cancel;
  venue.client.take(one);
  one.id = OrderId{3};
  one.time_in_force = TimeInForce::fill_or_kill;
  venue.client.take(one);
  one = order(4, 100, 15'000);
  one.post_only = PostOnly::yes;
  venue.client.take(one);
  one.id = OrderId{5};
  one.time_in_force = TimeInForce::good_for_auction;
  venue.client.take(one);

  CHECK(venue.notebook.take() == Lines{"-> O 1 B100 AAPL 2000000000 tif 3", "-> O 2 B100 AAPL 1500000 tif 3",
                                       "-> O 3 B100 AAPL 1500000 tif 3 min 100", "-> O 4 B100 AAPL 1500000 tif 0 post",
                                       "rejected #5 command 0 unsupported"});
}

TEST_CASE("what OUCH cannot say is refused here and costs no number") {
  Venue venue;
  venue.client.take(order(1, 0, 15'000));
  venue.client.take(order(2, 1'000'000, 15'000));
  venue.client.take(order(3, 1, 0));
  venue.client.take(order(4, 1, 20'000'000));
  NewOrder fine{.id = OrderId{5}, .price = Price{1'000'001}, .quantity = Quantity{1}, .symbol = SymbolId{1}};
  venue.client.take(fine);
  fine.id = OrderId{6};
  fine.symbol = SymbolId{2};
  venue.client.take(fine);
  venue.client.take(CancelOrder{.id = OrderId{7}});
  venue.client.take(order(8, 1, 100));

  CHECK(venue.notebook.take() == Lines{"rejected #1 command 0 zero_quantity",
                                       "rejected #2 command 0 quantity_too_large",
                                       "rejected #3 command 0 price_out_of_range", "rejected #4 command 0 off_tick",
                                       "rejected #5 command 0 off_tick", "rejected #6 command 0 unknown_symbol",
                                       "rejected #7 command 1 unknown_order", "-> O 1 B1 AAPL 10000 tif 0"});
}

TEST_CASE("a modification that only shrinks is a cancel to a smaller size, any other one a replacement") {
  Venue venue;
  venue.client.take(order(1, 100, 15'000));
  venue.accepts(1, 100, 1'500'000);
  venue.fills(1, 30, 1'500'000, ouch::Liquidity::added);
  static_cast<void>(venue.notebook.take());

  venue.client.take(ModifyOrder{.id = OrderId{1}, .price = Price{15'000}, .quantity = Quantity{50}});
  venue.cancels(1, 20);
  venue.client.take(ModifyOrder{.id = OrderId{1}, .price = Price{15'010}, .quantity = Quantity{60}});
  venue.replaces(1, 2, 60, 1'501'000);
  venue.fills(2, 60, 1'501'000, ouch::Liquidity::removed);

  CHECK(venue.notebook.take() == Lines{"-> X 1 to 80", "modified #1 50 at 15000 in place", "-> U 1>2 90 1501000",
                                       "modified #1 60 at 15010", "filled #1 60 at 15010 open 0 taker"});
  CHECK(venue.client.open_orders() == 0);
}

TEST_CASE("what traded while a replacement was under way is not open twice") {
  Venue venue;
  venue.client.take(order(1, 100, 15'000));
  venue.accepts(1, 100, 1'500'000);
  venue.client.take(ModifyOrder{.id = OrderId{1}, .price = Price{15'010}, .quantity = Quantity{100}});
  static_cast<void>(venue.notebook.take());

  venue.fills(1, 25, 1'500'000, ouch::Liquidity::added);  // the venue had not seen the replacement of 100 in all
  venue.replaces(1, 2, 75, 1'501'000);

  CHECK(venue.notebook.take() == Lines{"filled #1 25 at 15000 open 75 maker", "modified #1 75 at 15010"});
}

TEST_CASE("a replacement under a new id, one that is refused, and one that loses its original") {
  Venue venue;
  venue.client.take(order(1, 100, 15'000));
  venue.accepts(1, 100, 1'500'000);
  venue.client.take(
      ReplaceOrder{.id = OrderId{1}, .new_id = OrderId{9}, .price = Price{15'100}, .quantity = Quantity{100}});
  venue.replaces(1, 2, 100, 1'510'000);
  venue.client.take(
      ReplaceOrder{.id = OrderId{9}, .new_id = OrderId{10}, .price = Price{15'200}, .quantity = Quantity{100}});
  venue.rejects(3, ouch50::RejectReason::risk_fat_finger);
  venue.client.take(ModifyOrder{.id = OrderId{9}, .price = Price{15'300}, .quantity = Quantity{100}});
  venue.cancels(2, 100);

  CHECK(venue.notebook.take() == Lines{"-> O 1 B100 AAPL 1500000 tif 0", "accepted #1 100 at 15000",
                                       "-> U 1>2 100 1510000", "replaced #1 by #9 100 at 15100", "-> U 2>3 100 1520000",
                                       "rejected #9>#10 command 4 risk_limit", "-> U 2>4 100 1530000",
                                       "cancelled #9 100 requested"});
}

TEST_CASE("a refusal of the venue says why in the market's words") {
  Venue venue;
  for (std::uint64_t id = 1; id <= 4; ++id) venue.client.take(order(id, 100, 15'000));
  static_cast<void>(venue.notebook.take());
  venue.rejects(1, ouch50::RejectReason::halted);
  venue.rejects(2, ouch50::RejectReason::invalid_symbol);
  venue.rejects(3, ouch50::RejectReason::risk_port_rate);
  venue.accepts(4, 100, 1'500'000, ouch::OrderState::dead);

  CHECK(venue.notebook.take() == Lines{"rejected #1 command 0 market_closed", "rejected #2 command 0 unknown_symbol",
                                       "rejected #3 command 0 risk_limit", "accepted #4 100 at 15000",
                                       "cancelled #4 100 immediate_or_cancel"});
  CHECK(venue.client.open_orders() == 0);
}

TEST_CASE("after a lost connection orders that never arrived are refused, and cancels are asked for again") {
  Venue venue;
  venue.client.take(order(1, 100, 15'000));
  venue.accepts(1, 100, 1'500'000);
  venue.client.take(order(2, 100, 15'000));  // arrives, but its answer comes only in the replay
  venue.client.take(order(3, 100, 15'000));  // is lost
  venue.client.take(ModifyOrder{.id = OrderId{1}, .price = Price{15'500}, .quantity = Quantity{100}});  // is lost
  venue.notebook.connected = false;
  venue.client.take(CancelOrder{.id = OrderId{2}});
  venue.client.take(order(4, 100, 15'000));
  static_cast<void>(venue.notebook.take());

  venue.notebook.connected = true;
  venue.notebook.client_order_id = "0000000000002";
  venue.accepts(2, 100, 1'500'000);
  CHECK(venue.client.ask_for_number());
  ouch50::AccountAnswer answer;
  answer.next_user_ref = 3;
  venue.says(answer);
  venue.cancels(2, 100);
  venue.client.take(order(5, 100, 15'000));

  CHECK(venue.notebook.take() == Lines{"accepted #2 100 at 15000", "-> Q", "rejected #1 command 3 disconnected",
                                       "-> X 2 to 0", "rejected #3 command 0 disconnected",
                                       "cancelled #2 100 requested", "-> O 5 B100 AAPL 1500000 tif 0"});
}

TEST_CASE("a client that starts anew knows its orders from the replay of the day") {
  Venue before;
  before.client.take(order(0x8000'0007'0000'0001, 100, 15'000));
  before.client.take(order(0x8000'0007'0000'0002, 50, 14'000));
  const std::string second = before.notebook.client_order_id;

  Venue venue;
  venue.notebook.client_order_id = second;
  venue.accepts(2, 50, 1'400'000);
  venue.fills(2, 20, 1'400'000, ouch::Liquidity::added);
  venue.client.take(CancelOrder{.id = OrderId{0x8000'0007'0000'0002}});
  venue.client.take(order(3, 1, 100));

  const std::string id = std::to_string(0x8000'0007'0000'0002);
  CHECK(venue.notebook.take() == Lines{"accepted #" + id + " 50 at 14000",
                                       "filled #" + id + " 20 at 14000 open 30 maker", "-> X 2 to 0",
                                       "-> O 3 B1 AAPL 10000 tif 0"});
  CHECK(venue.client.strange() == 0);
}

TEST_CASE("messages about orders that are not known are counted and change nothing") {
  Venue venue;
  venue.fills(5, 10, 100, ouch::Liquidity::added);
  venue.cancels(6, 10);
  venue.rejects(7, ouch50::RejectReason::other);
  CHECK(venue.notebook.take().empty());
  CHECK(venue.client.strange() == 3);
  CHECK_FALSE(venue.client.hear({}));
}
