// A book with rules against the obvious one: every combination of rules, the same drawn commands, the same events and
// books after every step. OUTCRY_LONG_TEST=N draws N commands instead of the usual number.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>
#include <sstream>
#include <string>
#include <variant>

#include "drawn_venue.hpp"
#include "event_list.hpp"
#include "obvious_venue.hpp"
#include "tests/seed.hpp"

using namespace outcry_test;

namespace {

#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr std::uint64_t usual_commands = 1'000'000;
#else
constexpr std::uint64_t usual_commands = 40'000;
#endif

Instrument drawn_instrument(std::uint64_t number) {
  Instrument instrument{.symbol = {7}, .lowest = {0}, .highest = {20'000}};
  if (number % 3 == 1) instrument = {.symbol = {7}, .tick = 5, .lot = 10, .lowest = {9'000}, .highest = {11'000}};
  if (number % 3 == 2) instrument.lot = 2;
  return instrument;
}

/// What has happened so far, so that a test can say that everything did.
struct Happened {
  std::set<std::size_t> events;
  std::set<Reason> reasons;
  void note(const EventList& list) {
    for (const EventList::Event& event : list.events()) {
      events.insert(event.index());
      if (const auto* rejected = std::get_if<Rejected>(&event)) reasons.insert(rejected->reason);
      if (const auto* cancelled = std::get_if<Cancelled>(&event)) reasons.insert(cancelled->reason);
    }
  }
};

/// The first difference between the books, or an empty string.
template <class Ids>
std::string difference(std::uint64_t number, std::uint64_t seed, std::uint64_t steps,
                       VenuePlant plant = VenuePlant::none, Happened* happened = nullptr) {
  const Instrument instrument = drawn_instrument(number);
  const BookRules rules = drawn_rules(number, instrument);
  const std::uint32_t limit = number % 7 == 3 ? 30 : 1000;
  OrderPool pool({.orders = 16, .limit = limit, .chunk = 64});
  OrderBook<Ids> book(instrument, pool, {.window = {64, 256}, .orders = 8});
  book.set_rules(rules);
  ObviousVenue obvious(instrument, limit, rules, plant);
  DrawnVenue venue(instrument, seed ^ number << 32);
  Draw draw(seed ^ 0x5EED);
  EventList events, expected;

  for (std::uint64_t step = 0; step < steps; ++step) {
    const VenueCommand command = venue.next(obvious.order_count());
    const std::string before = plant == VenuePlant::none ? book.to_string() : "";
    events.clear();
    expected.clear();
    carry_out(command, book, events);
    carry_out(command, obvious, expected);
    if (happened != nullptr) happened->note(events);
    std::string what;
    if (!(events == expected)) what = "events differ";
    const Quote quote = book.quote(), expected_quote = obvious.quote();
    if (what.empty() && std::memcmp(&quote, &expected_quote, sizeof quote) != 0) what = "quotes differ";
    const OrderId id{draw.below(step / 3 + 2)};
    if (what.empty() && book.find(id) != obvious.find(id)) what = "find() differs";
    const auto indicative = book.indicative(), expected_indicative = obvious.indicative();
    if (what.empty() && (indicative.has_value() != expected_indicative.has_value() ||
                         (indicative && std::memcmp(&*indicative, &*expected_indicative, sizeof *indicative) != 0)))
      what = "indicative prices differ";
    if (what.empty() && book.to_string() != obvious.to_string()) what = "texts differ";
    if (what.empty() && plant == VenuePlant::none) what = book.check();
    if (what.empty() && pool.in_use() != obvious.order_count()) what = "the pool has lost orders";
    if (what.empty()) continue;
    std::ostringstream out;
    out << what << " at step " << step << " of rules " << number << ", seed " << seed << ", command kind "
        << command.index() << "\nbefore:\n"
        << before << "book says:\n"
        << events.text() << "obvious book says:\n"
        << expected.text() << "book:\n"
        << book.to_string() << "obvious book:\n"
        << obvious.to_string();
    return out.str();
  }
  return {};
}

}  // namespace

TEST_CASE("a book with rules and the obvious one say the same under every combination of rules") {
  const std::uint64_t seed = test_seed();
  MESSAGE("seed " << seed);
  const char* asked = std::getenv("OUTCRY_LONG_TEST");
  const std::uint64_t commands = asked != nullptr ? std::strtoull(asked, nullptr, 10) : usual_commands;
  constexpr std::uint64_t combinations = 120;
  Happened happened;
  for (std::uint64_t number = 0; number < combinations; ++number) {
    const std::string found =
        number % 4 == 0 ? difference<DenseIds>(number, seed, commands / combinations, VenuePlant::none, &happened)
                        : difference<HashedIds>(number, seed, commands / combinations, VenuePlant::none, &happened);
    CHECK(found == "");
    if (!found.empty()) return;
  }

  if (commands < 300'000) return;  // too few for everything to happen
  CHECK(happened.events.size() == std::variant_size_v<EventList::Event>);
  for (int reason = 1; reason <= static_cast<int>(Reason::auction_over); ++reason) {
    const auto is = static_cast<Reason>(reason);
    const bool not_of_a_book = is == Reason::mailbox_full || is == Reason::unsupported;
    CAPTURE(std::string(to_string(is)));
    CHECK(happened.reasons.count(is) == !not_of_a_book);
  }
}

TEST_CASE("the comparison finds every rule of a venue that was broken on purpose") {
  const std::uint64_t seed = test_seed() + 1;
  MESSAGE("seed " << seed);
  for (int plant = 1; plant < static_cast<int>(VenuePlant::last); ++plant) {
    CAPTURE(plant);
    bool found = false;
    for (std::uint64_t number = 0; number < 1'000 && !found; ++number)
      found = !difference<HashedIds>(number, seed, 1'000, static_cast<VenuePlant>(plant)).empty();
    CHECK(found);
  }
}
