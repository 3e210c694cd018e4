// The fast book against the obvious one: the same drawn commands, the same events, quotes, depth and text, after every
// step.
#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "drawn_market.hpp"
#include "event_list.hpp"
#include "obvious_book.hpp"
#include "tests/sanitized.hpp"
#include "tests/seed.hpp"

using namespace outcry_test;

namespace {

#ifdef NDEBUG
constexpr std::uint64_t slower = sanitized ? 20 : 1;
#else
constexpr std::uint64_t slower = sanitized ? 20 : 5;
#endif

template <class A, class B>
std::string differing_state(const A& book, const B& obvious, std::uint64_t step, Draw& draw, std::uint64_t last_id) {
  const Quote quote = book.quote(), expected = obvious.quote();
  if (std::memcmp(&quote, &expected, sizeof quote) != 0) return "quotes differ";
  std::array<DepthLevel, 6> depth, expected_depth;
  for (const Side side : {Side::buy, Side::sell}) {
    const std::size_t count = book.depth(side, depth);
    if (count != obvious.depth(side, expected_depth)) return "the number of levels differs";
    for (std::size_t i = 0; i < count; ++i)
      if (!(depth[i] == expected_depth[i])) return "depth differs";
  }
  if (book.order_count() != obvious.order_count()) return "the number of orders differs";
  const OrderId a{draw.below(last_id + 2)}, b{draw.below(last_id + 2)};
  if (book.find(a) != obvious.find(a)) return "find() differs";
  if (book.quantity_ahead(a) != obvious.quantity_ahead(a)) return "quantity_ahead() differs";
  if (book.is_ahead_of(a, b) != obvious.is_ahead_of(a, b)) return "is_ahead_of() differs";
  if (step % 64 == 0 && book.to_string() != obvious.to_string()) return "texts differ";
  return book.check();
}

/// The first difference between the books, or an empty string.
template <class Ids>
std::string difference(const Profile& profile, std::uint64_t seed, std::uint64_t steps, Plant plant = Plant::none) {
  OrderPool pool({.orders = 16, .limit = profile.limit, .chunk = 64});
  OrderBook<Ids> book(profile.instrument, pool, {.window = profile.window, .orders = 8});
  ObviousBook obvious(profile.instrument, profile.limit, plant);
  DrawnMarket market(profile, seed);
  Draw draw(seed ^ 0x5EED);
  EventList events, expected;
  std::string before;

  for (std::uint64_t step = 0; step < steps; ++step) {
    const Command command = market.next(obvious.order_count());
    if (plant != Plant::none) before = obvious.to_string();
    events.clear();
    expected.clear();
    carry_out(command, book, events);
    carry_out(command, obvious, expected);
    std::string what;
    if (!(events == expected)) what = "events differ";
    if (what.empty()) what = differing_state(book, obvious, step, draw, step / 2);
    if (what.empty()) continue;
    std::ostringstream out;
    out << what << " at step " << step << " of " << profile.name << ", seed " << seed << ", command kind "
        << command.index() << "\nbook says:\n"
        << events.text() << "obvious book says:\n"
        << expected.text() << "book:\n"
        << book.to_string() << "obvious book:\n"
        << obvious.to_string();
    return out.str();
  }
  const BookCounts& counts = book.counts();
  if (steps > 1000 && (counts.trades == 0 || counts.cancels == 0 || counts.reductions == 0 ||
                       counts.modifications == 0 || counts.replacements == 0 || counts.rejections == 0))
    return profile.name + " does not draw every kind of command";
  if (pool.in_use() != book.order_count()) return "the pool has lost orders";
  return {};
}

Instrument instrument(std::int64_t tick, std::uint32_t lot, std::int64_t lowest, std::int64_t highest, bool off_tick) {
  return {
      .symbol = {7}, .tick = tick, .off_tick_allowed = off_tick, .lot = lot, .lowest = {lowest}, .highest = {highest}};
}

std::vector<Profile> profiles() {
  const Instrument plain{.symbol = {7}};
  return {
      {.name = "a plain market", .instrument = plain},
      {.name = "a narrow market with much trading", .instrument = plain, .target = 30, .width = 3, .far_percent = 0},
      {.name = "a small window and many far prices",
       .instrument = plain,
       .window = {64, 64},
       .target = 200,
       .width = 90,
       .far_percent = 30},
      {.name = "windows that grow",
       .instrument = plain,
       .window = {64, 1u << 14},
       .target = 300,
       .width = 3000,
       .far_percent = 5},
      {.name = "a restless market", .instrument = plain, .window = {64, 256}, .width = 40, .drift_percent = 60},
      {.name = "a full pool", .instrument = plain, .limit = 60, .target = 62},
      {.name = "ticks of five, lots of ten, few prices",
       .instrument = instrument(5, 10, 9'800, 10'203, false),
       .width = 50,
       .far_percent = 10,
       .wrong_percent = 20},
      {.name = "prices between the ticks",
       .instrument = instrument(100, 1, 0, 100'000'000, true),
       .window = {64, 512},
       .width = 30},
      {.name = "negative prices",
       .instrument = instrument(7, 3, -1'000'000'000, 1'000'000'000, true),
       .middle = -7'000,
       .far_percent = 10},
      {.name = "recorded history in a crossed book", .instrument = plain, .history_percent = 50},
      {.name = "ids of 64 bits", .instrument = plain, .wide_ids = true},
  };
}

}  // namespace

TEST_CASE("the book and the obvious book say the same about a million drawn commands") {
  const std::uint64_t seed = test_seed();
  MESSAGE("seed " << seed);
  for (const Profile& profile : profiles()) {
    CAPTURE(profile.name);
    CHECK(difference<HashedIds>(profile, seed, 90'000 / slower) == "");
  }
}

TEST_CASE("a book that finds ids in a dense table says the same") {
  const std::uint64_t seed = test_seed() + 1;
  MESSAGE("seed " << seed);
  for (Profile profile : profiles()) {
    if (profile.wide_ids) continue;
    profile.wrong_percent = 0;  // which draws no ids beyond the table
    CAPTURE(profile.name);
    CHECK(difference<DenseIds>(profile, seed, 30'000 / slower) == "");
  }
}

TEST_CASE("the comparison finds every rule that was broken on purpose") {
  const std::uint64_t seed = test_seed() + 2;
  MESSAGE("seed " << seed);
  Profile profile{.name = "a narrow market", .instrument = {.symbol = {7}}, .target = 40, .width = 3, .far_percent = 0};
  for (const Plant plant :
       {Plant::youngest_trades_first, Plant::same_size_keeps_its_place, Plant::smaller_size_loses_its_place,
        Plant::fill_or_kill_looks_at_one_level, Plant::limit_stops_one_tick_early, Plant::replace_forgets_post_only,
        Plant::used_ids_stay_taken}) {
    CAPTURE(static_cast<int>(plant));
    CHECK(difference<HashedIds>(profile, seed, 30'000, plant) != "");
  }
}

TEST_CASE("books that share a pool and a table of ids do not see each other's orders") {
  const std::uint64_t seed = test_seed() + 3;
  MESSAGE("seed " << seed);
  OrderPool pool;
  HashedIds ids;
  OrderBook<HashedIds> first({.symbol = {1}}, pool, ids), second({.symbol = {2}}, pool, ids);
  EventList events;
  first.submit(NewOrder{.id = {1}, .price = {100}, .quantity = {5}, .symbol = {1}}, events);
  second.submit(NewOrder{.id = {2}, .price = {100}, .quantity = {5}, .symbol = {2}}, events);
  events.clear();

  first.cancel(CancelOrder{.id = {2}, .symbol = {1}}, events);
  second.submit(NewOrder{.id = {1}, .price = {100}, .quantity = {5}, .symbol = {2}}, events);
  first.execute(Execution{.id = {2}, .quantity = {1}}, events);

  CHECK(events.text() ==
        "rejected 2: unknown_order\n"
        "rejected 1: duplicate_id\n"
        "rejected 2: unknown_order\n");
  CHECK(!first.find({2}));
  CHECK(first.check() == "");
  CHECK(second.check() == "");
}

TEST_CASE("a book that goes away gives its orders back") {
  OrderPool pool;
  HashedIds ids;
  EventList events;
  {
    OrderBook<HashedIds> book({}, pool, ids);
    for (std::uint64_t id = 1; id <= 100; ++id)
      book.submit(NewOrder{.id = {id}, .price = {static_cast<std::int64_t>(id % 7 * 1'000'000)}, .quantity = {1}},
                  events);
    CHECK(pool.in_use() == 100);
  }
  CHECK(pool.in_use() == 0);
  CHECK(ids.size() == 0);
}
