// One order book without any actor: what rests, what trades, what is refused.
//
//   build/release/bin/one_book
#include <cstdio>

#include <outcry/book/order_book.hpp>

using namespace outcry;

struct Printer {
  void on(const Accepted& event) { std::printf("accepted   %lu\n", event.id.value); }
  void on(const Rejected& event) { std::printf("rejected   %lu: %s\n", event.id.value, to_string(event.reason)); }
  void on(const Traded& event) {
    std::printf("traded     %u at %ld, %lu took from %lu\n", event.quantity.lots, event.price.units, event.taker.value,
                event.maker.value);
  }
  void on(const Cancelled& event) { std::printf("cancelled  %lu: %s\n", event.id.value, to_string(event.reason)); }
  void on(const Reduced& event) { std::printf("reduced    %lu to %u\n", event.id.value, event.open.lots); }
  void on(const Modified& event) { std::printf("modified   %lu\n", event.id.value); }
  void on(const Replaced& event) { std::printf("replaced   %lu by %lu\n", event.id.value, event.new_id.value); }
};

int main() {
  OrderPool pool;
  OrderBook book(Instrument{}, pool);
  Printer printer;

  book.submit(NewOrder{.id = {1}, .price = {101}, .quantity = {50}, .side = Side::sell}, printer);
  book.submit(NewOrder{.id = {2}, .price = {100}, .quantity = {30}, .side = Side::sell}, printer);
  book.submit(NewOrder{.id = {3}, .price = {101}, .quantity = {20}, .side = Side::sell}, printer);
  book.submit(NewOrder{.id = {4}, .price = {100}, .quantity = {10}, .side = Side::buy, .post_only = PostOnly::yes},
              printer);
  book.submit(NewOrder{.id = {5}, .price = {101}, .quantity = {60}, .side = Side::buy}, printer);
  book.reduce(ReduceOrder{.id = {1}, .by = {5}}, printer);
  book.cancel(CancelOrder{.id = {2}}, printer);
  std::fputs(book.to_string().c_str(), stdout);
}
// accepted   1
// accepted   2
// accepted   3
// rejected   4: would_trade
// accepted   5
// traded     30 at 100, 5 took from 2
// traded     30 at 101, 5 took from 1
// reduced    1 to 15
// rejected   2: unknown_order
// sell 101 | 1:15 3:20
