#include <outcry/net/reference.hpp>

#include <doctest/doctest.h>

#include <sstream>
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

// The rows of a table, by the names of its columns.
struct Table {
  explicit Table(const std::string& path) {
    std::istringstream lines(contents(path));
    std::string line;
    while (std::getline(lines, line)) rows.push_back(cells_of(line));
    names = rows.front();
    rows.erase(rows.begin());
  }
  static std::vector<std::string> cells_of(std::string line) {
    if (line.ends_with('\r')) line.pop_back();
    std::vector<std::string> cells;
    std::size_t begin = 0;
    for (std::size_t comma; (comma = line.find(',', begin)) != std::string::npos; begin = comma + 1)
      cells.push_back(line.substr(begin, comma - begin));
    cells.push_back(line.substr(begin));
    return cells;
  }
  const std::string& at(std::size_t row, std::string_view name) const {
    std::size_t column = 0;
    while (names.at(column) != name) ++column;
    return rows.at(row).at(column);
  }
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> rows;
};

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

TEST_CASE("a day of ARL meets all 3,928 rows of price, size and order count at ten levels") {
  if (missing({"mbo_arl/mbo.csv", "mbo_arl/mbp.csv"})) return;

  Reference reference(data("mbo_arl/mbp.csv"));

  CHECK(reference.kind() == Reference::Kind::mbp);
  CHECK(reference.kind_name() == "market by price");
  CHECK(reference.levels() == 10);
  CHECK(compared(data("mbo_arl/mbo.csv"), reference) == "3928 of 3928, all equal");
  CHECK(reference.rows_missing() == 0);
  CHECK(reference.rows_extra() == 0);
}

TEST_CASE("the events that ARL's rows are compared after are those with the same sequence, order id and action") {
  if (missing({"mbo_arl/mbo.csv", "mbo_arl/mbp.csv"})) return;
  const Table mbo(data("mbo_arl/mbo.csv")), mbp(data("mbo_arl/mbp.csv"));
  std::vector<std::uint32_t> expected;
  std::uint32_t at = 0;
  for (std::size_t row = 0; row < mbp.rows.size(); ++row) {
    for (; at < mbo.rows.size(); ++at) {
      const auto is_same = [&](std::string_view name) { return mbo.at(at, name) == mbp.at(row, name); };
      if (is_same("sequence") && is_same("order_id") && is_same("action")) break;
    }
    REQUIRE(at < mbo.rows.size());
    std::uint32_t after = at;
    if (mbp.at(row, "action") == "T" && mbp.at(row, "side") != "N")
      while (mbo.at(after, "action") != "C") ++after;
    expected.push_back(after);
  }

  Reference reference(data("mbo_arl/mbp.csv"));
  const auto reader = open_records(data("mbo_arl/mbo.csv"));
  std::vector<std::uint32_t> found;
  HistoryEvent event;
  while (reader->next(event)) {
    if (!reference.due(event)) continue;
    found.push_back(event.record);
    reference.compare({}, {});
  }

  CHECK(found == expected);
}

TEST_CASE("one price, size or order count that is wrong in one of ARL's rows is found") {
  if (missing({"mbo_arl/mbo.csv", "mbo_arl/mbp.csv"})) return;
  const Scratch scratch;
  const Table mbp(data("mbo_arl/mbp.csv"));
  const auto with = [&](std::size_t row, std::string_view name, std::string_view value) {
    Table changed = mbp;
    std::size_t column = 0;
    while (changed.names.at(column) != name) ++column;
    changed.rows.at(row).at(column) = value;
    changed.rows.insert(changed.rows.begin(), changed.names);
    std::string text;
    for (const auto& cells : changed.rows) {
      for (std::size_t i = 0; i < cells.size(); ++i) text += (i == 0 ? "" : ",") + cells[i];
      text += "\n";
    }
    Reference reference(scratch.write("x.csv", text));
    const std::string rows = compared(data("mbo_arl/mbo.csv"), reference);
    return rows + "; " + text_of(reference.first_difference());
  };

  CHECK(with(1'000, "bid_px_00", mbp.at(1'000, "bid_px_00")) == "3928 of 3928, all equal; line 0: expected , found ");
  CHECK(with(3'927, "bid_ct_00", "2") ==
        "3927 of 3928, not all equal; line 3929: expected level 1: bid 9.85 x 400 of 2, ask 16.25 x 60 of 1, found "
        "level 1: "
        "bid 9.85 x 400 of 1, ask 16.25 x 60 of 1");
  CHECK(with(3'927, "ask_sz_02", "101")
            .find("3927 of 3928, not all equal; line 3929: expected level 3: bid 9.79 x 100 of "
                  "1, ask 17.93 x 101 of 1, found") == 0);
  CHECK(with(3'926, "ask_px_01", "17.931").find("3927 of 3928, not all equal; line 3928: expected level 2:") == 0);
  CHECK(with(3'926, "bid_px_05", "0.01").find("3928 of 3928, all equal") == 0);  // of size 0: no level
  CHECK(with(2'000, "order_id", "1").find("3927 of 3927, not all equal") == 0);  // a row that no event reached
}

TEST_CASE("a row of market by price waits for all of its event, and for no other") {
  const Scratch scratch;
  const std::string header =
      "ts_event,action,side,price,size,order_id,bid_px_00,bid_sz_00,bid_ct_00,ask_px_00,ask_sz_00,ask_ct_00\n";
  const std::string at = "2025-07-17T00:00:00.00000000";
  Reference reference(scratch.write(
      "x.csv", header + at + "0Z,R,N,,0,0,,0,0,,0,0\n" + at + "1Z,C,A,13.4,50,7,,0,0,13.4,60,2\n" + at +
                   "2Z,T,A,13.4,30,0,,0,0,13.4,30,1\n" + at + "2Z,T,N,13.41,5,0,,0,0,13.4,30,1\n" + at +
                   "4Z,A,B,13.3,1,9,13.3,1,1,13.4,30,1\n" + at + "5Z,M,A,13.5,30,7,13.3,1,1,13.5,30,1\n"));
  using enum HistoryKind;
  constexpr std::int64_t cent = 10'000'000;
  const auto event = [](HistoryKind kind, std::int64_t ns, std::uint64_t id, std::uint32_t size, std::int64_t cents) {
    return HistoryEvent{.id = {id},
                        .new_id = {kind == replace ? id : 0},
                        .price = {cents * cent},
                        .time_ns = ns,
                        .quantity = {size},
                        .kind = kind,
                        .side = Side::sell};
  };
  const auto level = [](std::int64_t cents, Volume volume, std::uint32_t orders) {
    return std::vector<DepthLevel>{{.price = {cents * cent}, .volume = volume, .orders = orders}};
  };
  const auto equal = Reference::Verdict::equal;

  REQUIRE(reference.due(event(clear, 0, 0, 0, 0)));
  CHECK(reference.compare({}, {}) == equal);
  CHECK_FALSE(reference.due(event(add, 0, 7, 110, 1340)));
  CHECK_FALSE(reference.due(event(reduce, 1, 8, 50, 1340)));  // another order
  CHECK_FALSE(reference.due(event(execute, 1, 7, 20, 1340)));
  REQUIRE(reference.due(event(reduce, 1, 7, 30, 1340)));  // the rest of the cancellation
  CHECK(reference.compare({}, level(1340, 60, 2)) == equal);
  CHECK_FALSE(reference.due(event(execute, 2, 7, 20, 1339)));  // another price
  CHECK_FALSE(reference.due(event(execute, 2, 7, 20, 1340)));
  HistoryEvent unprinted = event(execute, 2, 8, 10, 1340);
  unprinted.printable = 0;
  CHECK_FALSE(reference.due(unprinted));
  REQUIRE(reference.due(event(execute, 2, 8, 10, 1340)));
  CHECK(reference.compare({}, level(1340, 30, 1)) == equal);
  CHECK_FALSE(reference.due(event(execute, 2, 8, 5, 1341)));  // N: not of an order that is shown
  REQUIRE(reference.due(event(hidden_execute, 2, 0, 5, 1341)));
  CHECK(reference.compare({}, level(1340, 30, 1)) == equal);

  // Time has passed the row of the add: it is missing, and the next is compared.
  REQUIRE(reference.due(event(replace, 5, 7, 30, 1350)));
  CHECK(reference.compare(level(1330, 1, 1), level(1350, 30, 2)) == Reference::Verdict::different);
  CHECK(text_of(reference.first_difference()) ==
        "line 6: expected bid 13.3 x 1 of 1, ask 13.4 x 30 of 1, found no event that it belongs to");
  CHECK(text_of(reference.last_difference()) ==
        "line 7: expected bid 13.3 x 1 of 1, ask 13.5 x 30 of 1, found bid 13.3 x 1 of 1, ask 13.5 x 30 of 2");
  reference.finish();
  CHECK(reference.rows_compared() == 5);
  CHECK(reference.rows_equal() == 4);
  CHECK(reference.rows_missing() == 1);
  CHECK_FALSE(reference.all_equal());
}

TEST_CASE("market by price that cannot be read says where") {
  const Scratch scratch;
  const std::string columns =
      "ts_event,action,side,price,size,order_id,bid_px_00,bid_sz_00,bid_ct_00,ask_px_00,ask_sz_00,ask_ct_00";
  const std::string good = "2025-07-17T08:00:00Z,R,N,,0,0,,0,0,,0,0\n";
  const auto said = [&](const std::string& text) {
    const std::string path = scratch.write("x.csv", text);
    try {
      Reference reference(path);
      if (reference.due({.time_ns = 8 * 3600 * 1'000'000'000ll, .kind = HistoryKind::clear})) reference.compare({}, {});
      reference.finish();
      return reference.error() == nullptr ? "sound" : std::string(reference.error()->what()).substr(path.size());
    } catch (const InputError& error) {
      return std::string(error.what()).substr(path.size());
    }
  };
  const auto second = [&](const std::string& line) { return said(columns + "\n" + good + line + "\n"); };
  const std::string expected =
      ", expected columns ts_event, action, side, price, size, order_id, and bid_px_00 and so on for each level";

  CHECK(said(columns + "\n" + good) == "sound");
  CHECK(said("ts_event,action,bid_px_00\n") == ", line 1: found no column 'side'" + expected);
  CHECK(said(columns.substr(0, columns.size() - 10) + "\n") == ", line 1: found no column 'ask_ct_00'" + expected);
  CHECK(said(columns + ",bid_px_01\n") == ", line 1: found no column 'bid_sz_01'" + expected);
  CHECK(second("2025") == ", line 3: found 1 columns, expected 12");
  CHECK(second("2025,R,N,,0,0,,0,0,,0,0") ==
        ", line 3: found the time '2025', expected a time such as 2025-07-17T07:05:09.035627674Z");
  CHECK(second("2025-07-17T07:00:00Z,R,N,,0,0,,0,0,,0,0") ==
        ", line 3: found the time 25200.000000000 s after 28800.000000000 s, expected times that do not go back");
  const std::string time = "2025-07-17T08:00:00Z,";
  CHECK(second(time + "F,N,,0,0,,0,0,,0,0") == ", line 3: found action 'F', expected A, C, M, R or T");
  CHECK(second(time + "A,X,,0,0,,0,0,,0,0") == ", line 3: found side 'X', expected A, B or N");
  CHECK(second(time + "A,A,5,0,0,,0,0,,0,0") ==
        ", line 3: found price '5', expected a price with one to nine decimals");
  CHECK(second(time + "A,A,5.0,x,0,,0,0,,0,0") == ", line 3: found size 'x', expected a whole number");
  CHECK(second(time + "A,A,5.0,1,,,0,0,,0,0") == ", line 3: found order id '', expected a whole number");
  CHECK(second(time + "A,A,5.0,1,7,,1,1,,0,0") ==
        ", line 3: found price '', expected a price with one to nine decimals");
  CHECK(second(time + "A,A,5.0,1,7,5.0,,1,,0,0") == ", line 3: found size '', expected a whole number");
  CHECK(second(time + "A,A,5.0,1,7,5.0,1,1,,0,1.5") == ", line 3: found order count '1.5', expected a whole number");
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
      "changes of best bid and offer (None,None,None,None first), a LOBSTER order book, or Databento's market by price";

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
