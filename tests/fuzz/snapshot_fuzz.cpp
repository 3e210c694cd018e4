// Any bytes with a digest that fits are given to a book as its snapshot. It must refuse them and stay empty, or be sound.
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

#include <outcry/book/order_book_snapshot.hpp>

#include "tests/book/drawn_venue.hpp"

using namespace outcry_test;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> bytes(size);
  if (size != 0) std::memcpy(bytes.data(), data, size);
  const Instrument instrument{.symbol = {7}, .lowest = {0}, .highest = {20'000}};
  const bool with_rules = size % 2 == 0;
  OrderPool pool({.orders = 16, .limit = 40, .chunk = 16});
  OrderBook<HashedIds> book(instrument, pool, {.window = {64, 256}, .orders = 8});
  BookRules rules;
  rules.collar = 5;
  if (with_rules) book.set_rules(rules);
  // What stands in the way of everything else is made right: the magic, the digests of instrument and rules, the sizes.
  if (snapshot::Head head; size >= sizeof head) {
    std::memcpy(&head, bytes.data(), sizeof head);
    head.magic = snapshot::magic;
    head.instrument = snapshot::digest(instrument);
    head.rules = with_rules ? snapshot::digest(rules) : 0;
    const std::size_t room = size - sizeof head;
    head.orders = room / sizeof(snapshot::SavedOrder);
    head.pegs = with_rules ? room % sizeof(snapshot::SavedOrder) / 8 : 0;
    head.trailing = 0;
    bytes.resize(sizeof head + head.orders * sizeof(snapshot::SavedOrder) + head.pegs * 8);
    std::memcpy(bytes.data(), &head, sizeof head);
    for (std::size_t i = 0; i < head.orders; ++i) {
      std::byte* at = bytes.data() + sizeof head + i * sizeof(snapshot::SavedOrder);
      snapshot::SavedOrder order;
      std::memcpy(&order, at, sizeof order);
      order.traits = instrument.symbol.value << Order::symbol_shift | (order.traits & 15);
      order.queue %= 7;
      std::memcpy(at, &order, sizeof order);
    }
    head.digest = snapshot::digest(snapshot::magic, bytes.data() + 16, bytes.size() - 16);
    std::memcpy(bytes.data(), &head, sizeof head);
  }
  try {
    book.restore(bytes);
  } catch (const std::runtime_error&) {
    if (pool.in_use() != 0 || !book.empty()) std::abort();
  }
  if (!book.check().empty()) std::abort();
  return 0;
}
