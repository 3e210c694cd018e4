#include <outcry/net/reference.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <outcry/net/format.hpp>
#include <outcry/net/lobster.hpp>

#include "files.hpp"
#include "obvious_book.hpp"

using namespace outcry;
using namespace outcry::test;

namespace {

// Replays a file through the obvious book, from its seed levels on, and compares.
std::string compared(const std::string& path, Reference& reference, const ReaderOptions& options = {}) {
  const auto reader = open_records(path, {}, options);
  ObviousBook book;
  for (const SeedLevel& level : reader->seed_levels()) book.seed(level.side, level.price, level.quantity.lots);
  HistoryEvent event;
  while (reader->next(event)) {
    book.apply(event);
    if (reference.due(event)) reference.compare(book.bids(reference.levels()), book.asks(reference.levels()));
  }
  CHECK(reader->error() == nullptr);
  reference.finish();
  return std::to_string(reference.rows_equal()) + " of " + std::to_string(reference.rows_compared()) +
         (reference.all_equal() ? ", all equal" : ", not all equal");
}

HistoryEvent event_of(HistoryKind kind, std::uint32_t record = 0) { return {.kind = kind, .record = record}; }

std::vector<DepthLevel> one(std::int64_t price, Volume volume) { return {{.price = {price}, .volume = volume}}; }

std::string text_of(const Reference::Difference& difference) {
  return "line " + std::to_string(difference.line) + ": expected " + difference.expected + ", found " +
         difference.found;
}

}  // namespace

TEST_CASE("an hour of AAPL meets all 23,440 states of the best bid and offer, from ITCH and from CSV") {
  if (missing({"lobster_aapl"})) return;

  for (const char* file : {"lobster_aapl/aapl_first_hour.itch", "lobster_aapl/aapl_l3_replay.csv"}) {
    Reference reference(data("lobster_aapl/aapl_bbo_expected.csv"));
    CHECK(reference.kind() == Reference::Kind::bbo_states);
    CHECK(reference.levels() == 1);
    CHECK(compared(data(file), reference) == "23440 of 23440, all equal");
  }
}

TEST_CASE("the first thousand events of AAPL meet all 999 rows of ten levels, from ITCH and from CSV") {
  if (missing({"lobster_aapl"})) return;

  for (const char* file : {"lobster_aapl/aapl_first_hour.itch", "lobster_aapl/aapl_l3_replay.csv"}) {
    Reference reference(data("lobster_aapl/aapl_top10_expected.csv"));
    CHECK(reference.kind() == Reference::Kind::top_states);
    CHECK(reference.levels() == 10);
    CHECK(compared(data(file), reference) == "999 of 999, all equal");
  }
}

TEST_CASE("10,000 real ITCH messages meet all 2,793 changes of the best bid and offer") {
  if (missing({"golden/itch50_aapl_20200130_10k.bin", "golden/itch50_aapl_20200130_10k_bbo.csv"})) return;

  Reference reference(data("golden/itch50_aapl_20200130_10k_bbo.csv"));

  CHECK(reference.kind() == Reference::Kind::bbo_changes);
  CHECK(compared(data("golden/itch50_aapl_20200130_10k.bin"), reference) == "2793 of 2793, all equal");
}

TEST_CASE("LOBSTER's own pair agrees until orders come to the top that its window of levels never showed") {
  if (missing({"lobster_aapl"})) return;
  const std::string messages = data("lobster_aapl/AAPL_first1000_message_10.csv");
  const std::string orderbook = lobster_orderbook_beside(messages);

  Reference best(orderbook, 1);
  CHECK(best.kind() == Reference::Kind::orderbook);
  CHECK(best.levels() == 1);
  CHECK(compared(messages, best, {.orderbook = orderbook}) == "955 of 999, not all equal");
  CHECK(text_of(best.first_difference()) ==
        "line 441: expected bid 5854000 x 50, ask 5856100 x 334, found bid 5853000 x 230, ask 5856100 x 334");

  Reference all(orderbook);
  CHECK(all.levels() == 10);
  CHECK(compared(messages, all, {.orderbook = orderbook}) == "113 of 999, not all equal");

  // Without the seed not even the first row can be met.
  Reference unseeded(orderbook, 1);
  compared(messages, unseeded);
  CHECK(text_of(unseeded.first_difference()) ==
        "line 1: expected bid 5853300 x 18, ask 5859400 x 200, found bid 5853300 x 18, ask none");
}

TEST_CASE("a state is compared after its event, and halts do not count") {
  const Scratch scratch;
  Reference reference(
      scratch.write("x.csv", "n_last,ask,ask_q,bid,bid_q\n1,101,20,100,10\n3,101,20,100,11\n5,101,20,,\n"));
  using enum Reference::Verdict;

  CHECK_FALSE(reference.due(event_of(HistoryKind::add)));
  CHECK_FALSE(reference.due(event_of(HistoryKind::halt)));
  CHECK_FALSE(reference.due(event_of(HistoryKind::resume)));
  REQUIRE(reference.due(event_of(HistoryKind::hidden_execute)));
  CHECK(reference.compare(one(100, 10), one(101, 20)) == equal);
  CHECK_FALSE(reference.due(event_of(HistoryKind::remove)));
  REQUIRE(reference.due(event_of(HistoryKind::remove)));
  CHECK(reference.compare(one(100, 10), one(101, 20)) == different);
  CHECK(text_of(reference.first_difference()) ==
        "line 3: expected bid 100 x 11, ask 101 x 20, found bid 100 x 10, ask 101 x 20");
  CHECK_FALSE(reference.all_equal());
  CHECK(reference.rows_compared() == 2);
  CHECK(reference.rows_equal() == 1);

  reference.finish();

  CHECK(reference.rows_missing() == 1);
  CHECK(text_of(reference.last_difference()) ==
        "line 4: expected bid none, ask 101 x 20, found no event that it belongs to");
  CHECK_FALSE(reference.due(event_of(HistoryKind::add)));
}

TEST_CASE("of changes, the k-th is compared with row k, and one too many or too few is a difference") {
  const Scratch scratch;
  const std::string path = scratch.write("x.csv", "None,None,None,None\n100,10,None,None\n100,10,101,5\n");
  const HistoryEvent event = event_of(HistoryKind::add);
  using enum Reference::Verdict;

  SUBCASE("as many") {
    Reference reference(path);
    REQUIRE(reference.due(event));
    CHECK(reference.compare(one(100, 10), {}) == equal);
    REQUIRE(reference.due(event));
    CHECK(reference.compare(one(100, 10), {}) == nothing);
    REQUIRE(reference.due(event));
    CHECK(reference.compare(one(100, 10), one(101, 5)) == equal);
    reference.finish();
    CHECK(reference.rows_compared() == 3);
    CHECK(reference.all_equal());

    SUBCASE("and one more") {
      REQUIRE(reference.due(event));
      CHECK(reference.compare({}, one(101, 5)) == different);
      CHECK(reference.rows_extra() == 1);
      CHECK_FALSE(reference.all_equal());
      CHECK(text_of(reference.first_difference()) == "line 0: expected no further change, found bid none, ask 101 x 5");
    }
  }
  SUBCASE("one less") {
    Reference reference(path);
    REQUIRE(reference.due(event));
    CHECK(reference.compare(one(100, 10), {}) == equal);
    reference.finish();
    CHECK(reference.rows_missing() == 1);
    CHECK_FALSE(reference.all_equal());
    CHECK(text_of(reference.first_difference()) ==
          "line 3: expected bid 100 x 10, ask 101 x 5, found no event that it belongs to");
  }
}

TEST_CASE("an order book's row belongs to the record of the same row, and its dummy prices are no levels") {
  const Scratch scratch;
  Reference reference(scratch.write("x.csv",
                                    "101,5,100,10,9999999999,0,-9999999999,0\n"
                                    "101,5,100,10,102,7,-9999999999,0\n"
                                    "101,5,100,10,102,8,99,1\n"));
  CHECK(reference.levels() == 2);

  REQUIRE(reference.due(event_of(HistoryKind::add, 0)));
  CHECK(reference.compare(one(100, 10), one(101, 5)) == Reference::Verdict::equal);
  REQUIRE(reference.due(event_of(HistoryKind::add, 2)));  // the reader passed over record 1
  CHECK(reference.compare(one(100, 10), one(101, 5)) == Reference::Verdict::different);

  CHECK(text_of(reference.first_difference()) ==
        "line 3: expected level 2: bid 99 x 1, ask 102 x 8, found level 2: bid none, ask none");
  CHECK(reference.rows_missing() == 1);
}

TEST_CASE("a file that is no reference is refused with what it seems to be") {
  const Scratch scratch;
  const auto refusal = [&](std::string_view bytes) {
    const std::string path = scratch.write("x.csv", bytes);
    try {
      Reference reference(path);
    } catch (const InputError& error) {
      return std::string(error.what()).substr(path.size());
    }
    return std::string("taken");
  };
  const std::string expected =
      ", expected a reference: states of best bid and offer (n_last,ask,...) or of the best levels (n,a0,aq0,...), "
      "changes of "
      "best bid and offer (None,None,None,None first), or a LOBSTER order book";

  CHECK(refusal("") == ": found an empty file" + expected);
  CHECK(refusal("hello\n") == ": found text that begins 'hello'" + expected);
  CHECK(refusal("34200.1,1,7,100,5853300,1\n") == ": found a LOBSTER message file" + expected);
  CHECK(refusal("100,1,101,2\n") == "taken");
}

TEST_CASE("a reference that cannot be read further says where, and is not met") {
  const Scratch scratch;
  const auto said = [&](const std::string& rows) {
    const std::string path = scratch.write("x.csv", rows);
    Reference reference(path);
    for (std::uint32_t record = 0; record < 9; ++record)
      if (reference.due(event_of(HistoryKind::add, record))) reference.compare(one(100, 10), one(101, 20));
    reference.finish();
    CHECK_FALSE(reference.all_equal());
    REQUIRE(reference.error() != nullptr);
    return std::string(reference.error()->what()).substr(path.size());
  };
  const std::string states = "n_last,ask,ask_q,bid,bid_q\n1,101,20,100,10\n";

  CHECK(said(states + "2,101,20,100\n") == ", line 3: found 4 columns, expected 5");
  CHECK(said(states + "1,101,20,100,10\n") == ", line 3: found n 1 after 1, expected rows in the order of n");
  CHECK(said(states + "x,101,20,100,10\n") == ", line 3: found n 'x', expected a whole number");
  CHECK(said(states + "2,101,20,abc,10\n") == ", line 3: found price 'abc', expected a whole number");
  CHECK(said("101,20,100,10\n101,-20,100,10\n") == ", line 2: found size '-20', expected a whole number");
  CHECK(said("None,None,None,None\n100,10,101,20\n100,None,101,20\n") ==
        ", line 3: found size 'None', expected a whole number");
}
