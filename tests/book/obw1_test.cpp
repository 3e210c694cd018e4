// The workload is what its definition says, and the book gives its answers.
#include <doctest/doctest.h>

#include <deque>

#include <outcry/book/order_book.hpp>

#include "bench/obw1.hpp"

using namespace outcry;

namespace {

struct Fills {
  obw1::Fills fills;
  std::uint64_t refused = 0;
  void on(const Traded& e) {
    fills.add(e.taker.value, e.maker.value, static_cast<std::uint64_t>(e.price.units), e.quantity.lots);
  }
  void on(const Rejected&) { ++refused; }
  void on(const Accepted&) {}
  void on(const Cancelled&) {}
  void on(const Reduced&) {}
  void on(const Modified&) {}
  void on(const Replaced&) {}
};

void carry_out(const obw1::Record& r, OrderBook<>& book, Fills& fills) {
  const SymbolId symbol{r.symbol};
  switch (r.kind) {
    case obw1::Kind::cancel: return book.cancel(CancelOrder{.id = {r.id}, .symbol = symbol}, fills);
    case obw1::Kind::reduce: return book.reduce(ReduceOrder{.id = {r.id}, .by = {r.quantity}, .symbol = symbol}, fills);
    case obw1::Kind::replace:
      return book.replace(
          ReplaceOrder{
              .id = {r.id}, .new_id = {r.new_id}, .price = {r.price}, .quantity = {r.quantity}, .symbol = symbol},
          fills);
    default:
      return book.submit(NewOrder{.id = {r.id},
                                  .price = {r.price},
                                  .quantity = {r.quantity},
                                  .symbol = symbol,
                                  .side = static_cast<Side>(r.side),
                                  .time_in_force = r.kind == obw1::Kind::immediate ? TimeInForce::immediate_or_cancel
                                                                                   : TimeInForce::good_till_cancelled},
                         fills);
  }
}

void check_answer(const obw1::Stream& stream) {
  OrderPool pool;
  std::deque<OrderBook<>> books;
  for (std::uint32_t symbol = 0; symbol < stream.header.symbols; ++symbol)
    books.emplace_back(Instrument{.symbol = {symbol}}, pool);
  Fills fills;
  for (const obw1::Record& record : stream.records) carry_out(record, books[record.symbol], fills);

  std::uint64_t live = 0, levels = 0;
  for (const OrderBook<>& book : books) {
    live += book.order_count();
    levels += book.level_count(Side::buy) + book.level_count(Side::sell);
    CHECK(book.check() == "");
  }
  CHECK(fills.fills == stream.answer());
  CHECK(fills.refused == 0);
  CHECK(live == stream.live_at_end);
  CHECK(levels == stream.levels_at_end);
}

}  // namespace

TEST_CASE("the workload of one symbol is the one that was published, and the book gives its fills in order") {
  const obw1::Stream stream = obw1::generate(obw1::s1);

  CHECK(stream.header.fills == 1'568'075);
  CHECK(stream.header.fill_hash == 0x8e2724fd14a5b2daull);
  CHECK(stream.live_at_end == 9'006);
  CHECK(stream.levels_at_end == 562);
  check_answer(stream);
}

TEST_CASE("five hundred books that share a pool give the fills of a workload of five hundred symbols") {
  check_answer(obw1::generate({.messages = 300'000, .symbols = 500, .live = 50'000, .seed = 2}));
}
