// A book that is restored from its snapshot goes on as the one that was saved; what is no snapshot is told by offset.
#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <outcry/book/order_book_snapshot.hpp>

#include "drawn_venue.hpp"
#include "event_list.hpp"
#include "tests/seed.hpp"

using namespace outcry_test;

namespace {

/// A book with a pool of its own.
template <class Ids>
struct Shop {
  Shop(const Instrument& instrument, std::uint32_t limit, PriceLadder::Window window, const BookRules* rules)
      : pool({.orders = 16, .limit = limit, .chunk = 64}), book(instrument, pool, {.window = window, .orders = 8}) {
    if (rules != nullptr) book.set_rules(*rules);
  }
  OrderPool pool;
  OrderBook<Ids> book;
};

/// Gives two books the same commands; again and again the second is thrown away and made anew from a snapshot of itself.
/// The first difference between them, or an empty string.
template <class Ids, class Drawn>
std::string difference(Drawn drawn, const Instrument& instrument, std::uint32_t limit, const BookRules* rules,
                       std::uint64_t seed, std::uint64_t steps) {
  Shop<Ids> saved(instrument, limit, {64, 256}, rules);
  auto restored = std::make_unique<Shop<Ids>>(instrument, limit, PriceLadder::Window{64, 256}, rules);
  Draw draw(seed ^ 0x5A7E);
  EventList events, expected;
  for (std::uint64_t step = 0; step < steps; ++step) {
    if (draw.percent(4)) {
      const std::vector<std::byte> bytes = restored->book.save();
      // The windows of levels may have another size, and lie elsewhere.
      const PriceLadder::Window window =
          draw.percent(50) ? PriceLadder::Window{64, 64} : PriceLadder::Window{256, 4096};
      restored = std::make_unique<Shop<Ids>>(instrument, limit, window, rules);
      restored->book.restore(bytes);
      if (restored->book.save() != bytes) return "the restored book saves other bytes at step " + std::to_string(step);
      if (const std::string wrong = restored->book.check(); !wrong.empty()) return wrong;
    }
    const auto command = drawn.next(saved.book.order_count());
    events.clear();
    expected.clear();
    carry_out(command, saved.book, expected);
    carry_out(command, restored->book, events);
    std::ostringstream out;
    if (events == expected && saved.book.to_string() == restored->book.to_string() &&
        saved.book.sequence() == restored->book.sequence() && saved.pool.in_use() == restored->pool.in_use())
      continue;
    out << "step " << step << ", seed " << seed << "\nrestored book says:\n"
        << events.text() << "the one that was saved:\n"
        << expected.text() << "restored:\n"
        << restored->book.to_string() << "saved:\n"
        << saved.book.to_string();
    return out.str();
  }
  return saved.book.save() == restored->book.save() ? "" : "both save other bytes in the end";
}

#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr std::uint64_t commands = 3'000;
#else
constexpr std::uint64_t commands = 400;
#endif

std::string what_restoring_says(OrderBook<>& book, std::span<const std::byte> bytes) {
  try {
    book.restore(bytes);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "restored";
}

}  // namespace

TEST_CASE("a restored book with rules goes on with the same events as the one that was saved") {
  const std::uint64_t seed = test_seed();
  MESSAGE("seed " << seed);
  for (std::uint64_t number = 0; number < 60; ++number) {
    CAPTURE(number);
    Instrument instrument{.symbol = {7}, .lowest = {0}, .highest = {20'000}};
    if (number % 3 == 1) instrument = {.symbol = {7}, .tick = 5, .lot = 10, .lowest = {9'000}, .highest = {11'000}};
    const BookRules rules = drawn_rules(number, instrument);
    const DrawnVenue venue(instrument, seed ^ number << 32);
    CHECK((number % 4 == 0 ? difference<DenseIds>(venue, instrument, 1000, &rules, seed, commands)
                           : difference<HashedIds>(venue, instrument, 1000, &rules, seed, commands)) == "");
  }
}

TEST_CASE("a restored book without rules goes on with the same events, in recorded history, too") {
  const std::uint64_t seed = test_seed() + 1;
  MESSAGE("seed " << seed);
  for (const unsigned history : {0u, 30u}) {
    const Profile profile{.name = "saved", .instrument = {.symbol = {7}}, .target = 60, .history_percent = history};
    CHECK(difference<HashedIds>(DrawnMarket(profile, seed), profile.instrument, 1000, nullptr, seed, 20 * commands) ==
          "");
  }
}

TEST_CASE("what is no snapshot of the book is refused, with the offset, and leaves it empty") {
  OrderPool pool;
  EventList events;
  OrderBook<> book({.symbol = {7}}, pool);
  for (std::uint64_t id = 1; id <= 3; ++id)
    book.submit(NewOrder{.id = {id}, .price = {100}, .quantity = {5}, .symbol = {7}}, events);
  const std::vector<std::byte> good = book.save();
  const std::span<const std::byte> bytes(good);

  OrderPool other_pool;
  OrderBook<> other({.symbol = {7}}, other_pool);
  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK(what_restoring_says(other, bytes.first(length)) != "restored");
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::vector<std::byte> damaged = good;
    damaged[at] ^= std::byte{16};
    CHECK(what_restoring_says(other, damaged) != "restored");
  }
  CHECK(what_restoring_says(other, bytes.first(40)) ==
        "book snapshot, byte 40: ends within the head, which has " + std::to_string(good.size() - 3 * 64) + " bytes");
  CHECK(what_restoring_says(other, std::vector<std::byte>(500)) ==
        "book snapshot, byte 0: is not a book snapshot of version 1");
  CHECK(other.empty());
  CHECK(other_pool.in_use() == 0);

  OrderBook<> elsewhere({.symbol = {8}}, other_pool), ruled({.symbol = {7}}, other_pool);
  ruled.set_rules({.collar = 5});
  CHECK(what_restoring_says(elsewhere, good) ==
        "book snapshot, byte 40: is of another symbol, or of one with another grid or other limits");
  CHECK(what_restoring_says(ruled, good) == "book snapshot, byte 48: is of a book with other rules, or none");

  OrderPool small({.orders = 2, .limit = 2, .chunk = 64});
  OrderBook<> cramped({.symbol = {7}}, small);
  CHECK(what_restoring_says(cramped, good) ==
        "book snapshot, byte " + std::to_string(good.size() - 64) + ": order 3 finds no room in the pool");
  CHECK(cramped.empty());
  CHECK(small.in_use() == 0);

  CHECK(what_restoring_says(other, good) == "restored");
  CHECK(other.to_string() == "buy  100 | 1:5 2:5 3:5\n");
}
