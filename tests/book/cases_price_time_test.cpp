// The edge cases of price-time matching on which independent engines agree, and two that they leave out.
// The format is described in the data's README.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <outcry/book/order_book.hpp>

using namespace outcry;
using nlohmann::json;

namespace {

using Lines = std::vector<std::string>;

template <class... Ts>
std::string row(const Ts&... fields) {
  std::string text;
  ((text += (text.empty() ? "" : ",") + std::to_string(fields)), ...);
  return text;
}

/// Writes what a book says in the cases' numbers.
struct Reports {
  Lines lines;
  std::uint64_t seq = 0;

  static int side(Side s) { return static_cast<int>(s); }
  void on(const Accepted& e) { lines.push_back(row(0, seq, side(e.side), e.id.value, e.price.units, e.quantity.lots)); }
  void on(const Traded& e) {
    lines.push_back(row(1, seq, e.price.units, e.quantity.lots, e.maker.value, e.taker.value));
  }
  void on(const Cancelled& e) { lines.push_back(row(2, seq, side(e.side), e.id.value, e.price.units)); }
  void on(const Modified& e) { lines.push_back(row(3, seq, side(e.side), e.id.value, e.price.units, e.quantity.lots)); }
  void on(const Rejected& e) { lines.push_back(row(e.command == CommandKind::cancel ? 4 : 5, seq, e.id.value)); }
  void on(const Reduced&) {}
  void on(const Replaced&) {}
};

std::string state_of(const OrderBook<>& book, std::uint64_t seq) {
  const Quote quote = book.quote();
  return "S," + row(seq, quote.has_bid() ? quote.bid.units : -1, quote.has_ask() ? quote.ask.units : -1,
                    quote.bid_quantity, quote.ask_quantity);
}

struct Answer {
  Lines reports, states;
};

Answer answer_to(const json& messages) {
  OrderPool pool;
  OrderBook<> book({}, pool);
  Reports reports;
  Lines states;
  for (const json& message : messages) {
    reports.seq = message.at("seq");
    const OrderId id{message.at("id").get<std::uint64_t>()};
    const Price price{message.at("price").get<std::int64_t>()};
    const Quantity quantity{message.at("qty").get<std::uint32_t>()};
    const std::string op = message.at("op");
    if (op == "new")
      book.submit(NewOrder{.id = id,
                           .price = price,
                           .quantity = quantity,
                           .side = message.at("side") == "buy" ? Side::buy : Side::sell,
                           .time_in_force =
                               message.at("ioc") ? TimeInForce::immediate_or_cancel : TimeInForce::good_till_cancelled},
                  reports);
    else if (op == "cancel")
      book.cancel(CancelOrder{.id = id}, reports);
    else
      book.modify(ModifyOrder{.id = id, .price = price, .quantity = quantity}, reports);
    states.push_back(state_of(book, reports.seq));
    CHECK(book.check() == "");
  }
  return {reports.lines, states};
}

json message(std::uint64_t seq, const char* op, const char* side, std::uint32_t quantity, std::uint64_t id,
             std::int64_t price) {
  return {{"seq", seq}, {"op", op}, {"side", side}, {"ioc", false}, {"qty", quantity}, {"id", id}, {"price", price}};
}

}  // namespace

TEST_CASE("the 33 cases of price-time matching come out as five engines have them") {
  const std::filesystem::path file = std::filesystem::path(OUTCRY_DATA) / "cases_price_time" / "cases.json";
  if (!std::filesystem::exists(file)) {
    std::cout << "SKIPPED: no " << file << "\n";
    return;
  }
  const json cases = json::parse(std::ifstream(file));
  CHECK(cases.size() == 33);
  for (const auto& [name, a_case] : cases.items()) {
    CAPTURE(name);
    const Answer answer = answer_to(a_case.at("messages"));
    CHECK(answer.reports == a_case.at("expected_reports").get<Lines>());
    CHECK(answer.states == a_case.at("expected_state_after").get<Lines>());
  }
}

TEST_CASE("the 34th case: one order sweeps 5,000") {
  json messages = json::array();
  Lines reports, states;
  for (std::uint64_t id = 1; id <= 5'000; ++id) {
    const auto price = static_cast<std::int64_t>(1000 + (id - 1) / 10);  // ten orders a level
    messages.push_back(message(id - 1, "new", "sell", 3, id, price));
    reports.push_back(row(0, id - 1, 1, id, price, 3));
    states.push_back("S," + row(id - 1, -1, 1000, 0, id < 10 ? id * 3 : 30));
  }
  messages.push_back(message(5'000, "new", "buy", 15'001, 5'001, 2000));
  reports.push_back(row(0, 5'000, 0, 5'001, 2000, 15'001));
  for (std::uint64_t id = 1; id <= 5'000; ++id) reports.push_back(row(1, 5'000, 1000 + (id - 1) / 10, 3, id, 5'001));
  states.push_back("S,5000,2000,-1,1,0");

  const Answer answer = answer_to(messages);

  CHECK(answer.reports == reports);
  CHECK(answer.states == states);
}

TEST_CASE("the case that the 33 leave out: a smaller size keeps its place") {
  const json messages = {
      message(0, "new", "buy", 10, 1, 100),
      message(1, "new", "buy", 10, 2, 100),
      message(2, "modify", "buy", 4, 1, 100),
      message(3, "new", "sell", 6, 3, 100),
  };

  const Answer answer = answer_to(messages);

  CHECK(answer.reports ==
        Lines{"0,0,0,1,100,10", "0,1,0,2,100,10", "3,2,0,1,100,4", "0,3,1,3,100,6", "1,3,100,4,1,3", "1,3,100,2,2,3"});
  CHECK(answer.states == Lines{"S,0,100,-1,10,0", "S,1,100,-1,20,0", "S,2,100,-1,14,0", "S,3,100,-1,8,0"});
}
