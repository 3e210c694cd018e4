// Any bytes are commands for a book with rules. It must say what the obvious venue says, be sound after every command,
// and go on as before when it is saved and restored.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <outcry/book/order_book_snapshot.hpp>

#include "bytes.hpp"
#include "tests/book/drawn_venue.hpp"
#include "tests/book/event_list.hpp"
#include "tests/book/obvious_venue.hpp"

using namespace outcry_test;

namespace {

constexpr std::uint32_t limit = 40;

Price price(Bytes& bytes, const Instrument& instrument) {
  const auto ticks = static_cast<std::int64_t>(bytes.next()) - 128;
  if (ticks == 127) return {static_cast<std::int64_t>(bytes.word())};
  return {10'000 + ticks / 8 * instrument.tick};
}

Quantity quantity(Bytes& bytes, const Instrument& instrument) {
  const std::uint8_t lots = bytes.next();
  if (lots == 0xFF) return {static_cast<std::uint32_t>(bytes.word())};
  return {static_cast<std::uint32_t>(lots % 16) * instrument.lot};
}

/// Orders have small ids, so that they meet again; enumerators are any byte.
VenueCommand command(Bytes& bytes, const Instrument& instrument) {
  const SymbolId symbol = bytes.rarely() ? SymbolId{99} : instrument.symbol;
  const std::uint64_t kind = bytes.below(16);
  const OrderId id{bytes.below(64)};
  const AccountId account{static_cast<std::uint32_t>(bytes.below(7))};
  switch (kind) {
    case 0: return CancelOrder{.id = id, .account = account, .symbol = symbol};
    case 1: return ReduceOrder{.id = id, .by = quantity(bytes, instrument), .account = account, .symbol = symbol};
    case 2:
      return ModifyOrder{.id = id,
                         .price = price(bytes, instrument),
                         .quantity = quantity(bytes, instrument),
                         .account = account,
                         .symbol = symbol};
    case 3:
      return ReplaceOrder{.id = id,
                          .new_id = {bytes.below(64)},
                          .price = price(bytes, instrument),
                          .quantity = quantity(bytes, instrument),
                          .account = account,
                          .symbol = symbol};
    case 4: return EndOfDay{.symbol = symbol};
    case 5:
      return MassCancel{.account = account,
                        .symbol = symbol,
                        .buys = static_cast<std::uint8_t>(bytes.below(2)),
                        .sells = static_cast<std::uint8_t>(bytes.below(2)),
                        .all_accounts = bytes.rarely()};
    case 6: return ExpireOrders{.symbol = symbol, .now_s = bytes.next()};
    case 7:
    case 8: return ChangePhase{.symbol = symbol, .phase = static_cast<Phase>(bytes.below(6))};
    case 9:
    case 10:
      return NewOrder{.id = id,
                      .price = price(bytes, instrument),
                      .quantity = quantity(bytes, instrument),
                      .account = account,
                      .symbol = symbol,
                      .side = static_cast<Side>(bytes.below(2)),
                      .type = static_cast<OrderType>(bytes.below(3)),
                      .time_in_force = static_cast<TimeInForce>(bytes.below(7)),
                      .post_only = static_cast<PostOnly>(bytes.below(3))};
    default:
      return SpecialOrder{.id = id,
                          .price = price(bytes, instrument),
                          .trigger = bytes.below(2) == 0
                                         ? price(bytes, instrument).units
                                         : (static_cast<std::int64_t>(bytes.below(8)) - 4) * instrument.tick,
                          .quantity = quantity(bytes, instrument),
                          .part = quantity(bytes, instrument),
                          .account = account,
                          .symbol = symbol,
                          .expires_s = bytes.next(),
                          .side = static_cast<Side>(bytes.below(2)),
                          .type = static_cast<SpecialType>(bytes.below(10)),
                          .time_in_force = static_cast<TimeInForce>(bytes.below(7)),
                          .terms = static_cast<Terms>(bytes.below(33))};
  }
}

[[noreturn]] void fail(const char* what, const std::string& ours, const std::string& expected) {
  std::fprintf(stderr, "%s\nthe book:\n%sthe obvious venue:\n%s", what, ours.c_str(), expected.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  const std::uint64_t number = bytes.next();
  Instrument instrument{.symbol = {7}, .lowest = {0}, .highest = {20'000}};
  if (number % 3 == 1) instrument = {.symbol = {7}, .tick = 5, .lot = 10, .lowest = {9'000}, .highest = {11'000}};
  const BookRules rules = drawn_rules(number, instrument);
  struct Shop {
    Shop(const Instrument& instrument, const BookRules& rules)
        : pool({.orders = 16, .limit = limit, .chunk = 16}),
          book(instrument, pool, {.window = {64, 256}, .orders = 8}) {
      book.set_rules(rules);
    }
    OrderPool pool;
    OrderBook<HashedIds> book;
  };
  auto shop = std::make_unique<Shop>(instrument, rules);
  ObviousVenue obvious(instrument, limit, rules, VenuePlant::none);

  EventList events, expected;
  while (!bytes.empty()) {
    if (bytes.rarely()) {
      const std::vector<std::byte> saved = shop->book.save();
      shop = std::make_unique<Shop>(instrument, rules);
      shop->book.restore(saved);
      if (shop->book.save() != saved) fail("saved other bytes", shop->book.to_string(), obvious.to_string());
    }
    const VenueCommand next = command(bytes, instrument);
    events.clear();
    expected.clear();
    carry_out(next, shop->book, events);
    carry_out(next, obvious, expected);
    if (!(events == expected)) fail("events differ", events.text(), expected.text());
    if (const std::string ours = shop->book.to_string(); ours != obvious.to_string())
      fail("books differ", ours, obvious.to_string());
    if (const std::string wrong = shop->book.check(); !wrong.empty()) fail(wrong.c_str(), shop->book.to_string(), "");
    if (shop->pool.in_use() != obvious.order_count()) fail("the pool has lost orders", shop->book.to_string(), "");
  }
  return 0;
}
