#include <outcry/net/dbn_csv.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "files.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;

namespace {

const char* const arl = "mbo_arl/mbo.csv";
const std::string header = "ts_event,action,side,price,size,order_id,flags\n";

// A row at so many nanoseconds after eight.
std::string row(int ns, const std::string& rest) {
  return "2025-07-17T08:00:00.00000000" + std::to_string(ns) + "Z," + rest + "\n";
}

std::string number(std::int64_t billionths) {
  std::string digits = std::to_string(billionths % 1'000'000'000);
  digits.insert(0, 9 - digits.size(), '0');
  return std::to_string(billionths / 1'000'000'000) + "." + digits.substr(0, digits.find_last_not_of('0') + 1);
}

std::string text_of(const HistoryEvent& event) {
  const std::string what =
      std::to_string(event.quantity.lots) + " " + to_string(event.side) + " at " + number(event.price.units);
  const std::string id = " of " + std::to_string(event.id.value);
  const std::string unprinted = event.printable != 0 ? "" : ", not printable";
  switch (event.kind) {
    case HistoryKind::add: return "add " + what + id;
    case HistoryKind::execute: return "execute " + what + id + unprinted;
    case HistoryKind::reduce: return "reduce " + what + id;
    case HistoryKind::replace: return "replace " + what + id + " by " + std::to_string(event.new_id.value);
    case HistoryKind::hidden_execute: return "hidden " + what + unprinted;
    case HistoryKind::clear: return "clear";
    default: return "?";
  }
}

std::string events_of(const std::string& rows, const std::string& columns = header) {
  const std::string text = columns + rows;
  DbnCsvReader reader("x.csv", as_bytes(text));
  std::string out = "\n";
  for (const HistoryEvent& event : read_all(reader)) out += text_of(event) + "\n";
  if (reader.error()) out += reader.error()->what();
  return out;
}

std::string said_of(std::string_view bytes) {
  try {
    DbnCsvReader reader("x.csv", as_bytes(bytes));
    read_all(reader);
    return reader.error() ? reader.error()->what() : "sound";
  } catch (const InputError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a day of ARL is 5,886 records of one stock, and its trades are the sum of its T records") {
  if (missing({arl})) return;
  DbnCsvReader reader(data(arl));

  const auto events = read_all(reader);

  CHECK(reader.error() == nullptr);
  CHECK(reader.messages() == 5'886);
  CHECK(reader.bytes_read() == reader.bytes_total());
  CHECK(reader.count('A') == 2'915);
  CHECK(reader.count('C') == 2'913);
  CHECK(reader.count('R') == 1);
  CHECK(reader.count('T') == 46);
  CHECK(reader.count('F') == 11);
  REQUIRE(reader.instruments().size() == 1);
  const Instrument& instrument = reader.instruments()[0];
  CHECK(name_of(instrument) == "ARL");
  CHECK(instrument.price_scale == 1'000'000'000);
  CHECK(instrument.tick == 10'000'000);
  CHECK(instrument.off_tick_allowed);

  REQUIRE(events.size() == 5'886 - 11 - 11);  // an F and its T are in the execution that the C becomes
  CHECK(events[0].kind == HistoryKind::clear);
  CHECK(events[0].time_ns == (7 * 3600 + 5 * 60 + 9) * 1'000'000'000ll + 35'627'674);
  CHECK(text_of(events[1]) == "add 100 buy at 5.51 of 817593");
  CHECK(reader.place_of(events[1].record).number == 3);
  std::uint64_t traded = 0, trades = 0, executed = 0, executions = 0, reported = 0;
  for (const HistoryEvent& event : events) {
    if (event.kind != HistoryKind::execute && event.kind != HistoryKind::hidden_execute) continue;
    CHECK(event.printable == 1);
    ++trades;
    traded += event.quantity.lots;
    if (event.kind != HistoryKind::execute) continue;
    ++executions;
    executed += event.quantity.lots;
  }
  std::istringstream lines(contents(data(arl)));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    std::string action, size;
    for (int i = 0; i < 6; ++i) std::getline(cells, action, ',');
    for (int i = 0; i < 3; ++i) std::getline(cells, size, ',');
    if (action == "T") reported += std::stoull(size);
  }
  CHECK(reported == 1'341);
  CHECK(traded == reported);
  CHECK(trades == reader.count('T'));
  CHECK(executed == 231);
  CHECK(executions == reader.count('F'));
}

TEST_CASE("Databento's actions become events") {
  CHECK(events_of(row(0, "R,N,,0,0,8") + row(1, "A,B,5.510000000,100,7,130") + row(1, "A,A,21.330000000,50,8,130") +
                  row(2, "C,B,5.510000000,40,7,130") + row(3, "M,A,21.340000000,60,8,130") + row(4, "N,N,,0,0,128") +
                  row(5, "T,N,13.575000000,99,0,130") + row(6, "C,B,5.510000000,60,7,130")) ==
        "\nclear\nadd 100 buy at 5.51 of 7\nadd 50 sell at 21.33 of 8\nreduce 40 buy at 5.51 of 7\n"
        "replace 60 sell at 21.34 of 8 by 8\nhidden 99 buy at 13.575\nreduce 60 buy at 5.51 of 7\n");
}

TEST_CASE("a fill is executed when the record behind it takes the size") {
  const std::string trade = row(1, "T,B,13.40,30,0,0"), fill = row(1, "F,A,13.40,30,7,0");

  CHECK(events_of(trade + fill + row(1, "C,A,13.40,30,7,130")) == "\nexecute 30 sell at 13.4 of 7\n");
  // The rest of the order goes too.
  CHECK(events_of(trade + fill + row(1, "C,A,13.40,100,7,130")) ==
        "\nexecute 30 sell at 13.4 of 7\nreduce 70 sell at 13.4 of 7\n");
  // The order is said to be shorter instead.
  CHECK(events_of(trade + fill + row(1, "M,A,13.40,70,7,130")) ==
        "\nexecute 30 sell at 13.4 of 7\nreplace 70 sell at 13.4 of 7 by 7\n");
  // Another order's record takes nothing of it, nor does one of another time.
  CHECK(events_of(trade + fill + row(1, "C,A,13.40,30,8,0") + row(1, "C,A,13.40,30,7,130")) ==
        "\nreduce 30 sell at 13.4 of 8\nexecute 30 sell at 13.4 of 7\n");
  CHECK(events_of(trade + fill + row(2, "C,A,13.40,30,7,130")) ==
        "\nhidden 30 sell at 13.4\nreduce 30 sell at 13.4 of 7\n");
  // One trade, two orders, and one order in two fills.
  CHECK(events_of(trade + row(1, "F,A,13.40,10,7,0") + row(1, "F,A,13.41,15,8,0") + row(1, "F,A,13.40,5,7,0") +
                  row(1, "C,A,13.40,15,7,0") + row(1, "C,A,13.41,15,8,130")) ==
        "\nexecute 10 sell at 13.4 of 7\nexecute 5 sell at 13.4 of 7\nexecute 15 sell at 13.41 of 8\n");
  // A seller's trade executes a buyer's order.
  CHECK(events_of(row(1, "T,A,13.40,1,0,0") + row(1, "F,B,13.40,1,7,0") + row(1, "C,B,13.40,1,7,130")) ==
        "\nexecute 1 buy at 13.4 of 7\n");
}

TEST_CASE("what no fill covers of a trade was hidden, and what no trade covers of a fill is not printed") {
  const std::string trade = row(1, "T,B,13.40,30,0,0"), fill = row(1, "F,A,13.40,20,7,0"),
                    cancel = row(1, "C,A,13.40,20,7,130");

  CHECK(events_of(trade) == "\nhidden 30 sell at 13.4\n");
  CHECK(events_of(trade + fill + cancel) == "\nexecute 20 sell at 13.4 of 7\nhidden 10 sell at 13.4\n");
  CHECK(events_of(trade + fill + trade + cancel) ==
        "\nhidden 10 sell at 13.4\nexecute 20 sell at 13.4 of 7\nhidden 30 sell at 13.4\n");
  CHECK(events_of(fill + cancel) == "\nexecute 20 sell at 13.4 of 7, not printable\n");
  CHECK(events_of(row(1, "T,N,13.40,30,0,0") + fill + cancel) ==
        "\nhidden 30 buy at 13.4\nexecute 20 sell at 13.4 of 7, not printable\n");
  CHECK(events_of(trade + fill + fill + cancel) ==
        "\nexecute 20 sell at 13.4 of 7\nhidden 10 sell at 13.4\n");  // the second fill goes without a word
}

TEST_CASE("however trades, fills and cancellations come, the printable shares are the sum of the sizes of T") {
  MESSAGE("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  for (int i = 0; i < 500; ++i) {
    std::string text = header;
    std::uint64_t reported = 0, printed = 0;
    int ns = 0;
    for (int records = 0; records < 40; ++records) {
      if (random() % 4 == 0 && ns < 9) ++ns;
      const std::uint64_t size = random() % 5, id = random() % 3;
      const char action = "TTFFCCMA"[random() % 8];
      const char side = action == 'T' ? "ABN"[random() % 3] : "AB"[random() % 2];
      if (action == 'T') reported += size;
      text += row(
          ns, std::string{action} + "," + side + ",13.40," + std::to_string(size) + "," + std::to_string(id) + ",0");
    }
    DbnCsvReader reader("x.csv", as_bytes(text));
    for (const HistoryEvent& event : read_all(reader))
      if (event.kind == HistoryKind::execute || event.kind == HistoryKind::hidden_execute)
        printed += event.printable * event.quantity.lots;
    CHECK(reader.error() == nullptr);
    CHECK(printed == reported);
  }
}

TEST_CASE("columns are found by their names, and those that are not needed may be missing") {
  const std::string expected = "\nadd 100 sell at 5.51 of 7\n";
  CHECK(events_of("7,ARL,100,5.510000000,A,A,2025-07-17T08:00:00Z,x\n",
                  "order_id,symbol,size,price,side,action,ts_event,y\n") == expected);
  CHECK(events_of("2025-07-17T08:00:00Z,A,A,5.51,100,7\r\n\n", "ts_event,action,side,price,size,order_id\r\n") ==
        expected);

  const Scratch scratch;
  DbnCsvReader by_file(scratch.write("arl_day.csv", header + row(0, "R,N,,0,0,8")));
  read_all(by_file);
  CHECK(name_of(by_file.instruments()[0]) == "ARL");
}

TEST_CASE("each instrument of each venue has a book of its own") {
  const std::string columns = "publisher_id,instrument_id,symbol," + header;
  const std::string text = columns + "2,1108,ARL," + row(0, "A,B,5.51,100,7,128") + "2,12,MSFT," +
                           row(0, "A,B,500.01,1,7,128") + "2,1108,ARL," + row(1, "C,B,5.51,100,7,128") + "3,1108,ARL," +
                           row(2, "A,B,5.51,9,7,128") + "2,13,," + row(3, "A,B,5.51,9,7,128");
  DbnCsvReader reader("x.csv", as_bytes(text));

  const auto events = read_all(reader);

  REQUIRE(events.size() == 5);
  const std::uint32_t symbols[] = {0, 1, 0, 2, 3};
  for (std::size_t i = 0; i < 5; ++i) CHECK(events[i].symbol.value == symbols[i]);
  const std::string_view names[] = {"ARL", "MSFT", "ARL@3", "id-13"};
  REQUIRE(reader.instruments().size() == 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK(name_of(reader.instruments()[i]) == names[i]);

  // Without ids, the symbol is what tells them apart.
  const std::string by_name = "symbol," + header + "B," + row(0, "A,B,5.51,1,7,0") + "A," + row(0, "A,B,5.51,1,7,0") +
                              "B," + row(0, "C,B,5.51,1,7,0");
  DbnCsvReader named("x.csv", as_bytes(by_name));
  const auto named_events = read_all(named);
  REQUIRE(named_events.size() == 3);
  CHECK(named_events[1].symbol.value == 1);
  CHECK(named_events[2].symbol.value == 0);
}

TEST_CASE("fills and trades of one instrument are no other's") {
  const std::string columns = "symbol," + header;
  CHECK(events_of("A," + row(1, "T,B,13.40,30,0,0") + "B," + row(1, "F,A,13.40,30,7,0") + "A," +
                      row(1, "C,A,13.40,30,7,0") + "B," + row(1, "C,A,13.40,30,7,0"),
                  columns) ==
        "\nreduce 30 sell at 13.4 of 7\nexecute 30 sell at 13.4 of 7, not printable\nhidden 30 sell at 13.4\n");
}

TEST_CASE("time is counted from the first record's midnight in UTC, and goes on behind the next") {
  const auto times = [](const std::string& rows, const std::string& columns = header) {
    const std::string text = columns + rows;
    DbnCsvReader reader("x.csv", as_bytes(text));
    std::vector<std::int64_t> out;
    for (const HistoryEvent& event : read_all(reader)) out.push_back(event.time_ns);
    CHECK(reader.error() == nullptr);
    return out;
  };
  const std::string rest = ",R,N,,0,0,8\n";
  constexpr std::int64_t second = 1'000'000'000, day = 86'400 * second;

  CHECK(times("2025-07-17T00:00:00Z" + rest + "2025-07-17T23:59:59.5Z" + rest + "2025-07-18T00:00:01.000000001Z" +
              rest + "2025-08-17T00:00:00.12Z" + rest) ==
        std::vector<std::int64_t>{0, day - second / 2, day + second + 1, 31 * day + second / 100 * 12});
  CHECK(times("2024-02-29T00:00:00Z" + rest + "2024-03-01T00:00:00Z" + rest) == std::vector<std::int64_t>{0, day});
  // A snapshot's orders are older than the snapshot, in no order.
  const std::string snapshot = "2025-07-17T00:00:00Z,2025-07-1";
  CHECK(times(snapshot + "6T20:00:00Z,R,N,,0,0,40\n" + snapshot + "6T20:00:00Z,A,B,5.51,1,8,40\n" + snapshot +
                  "4T11:00:00Z,A,B,5.50,1,7,168\n" + snapshot + "7T08:00:00Z,C,B,5.50,1,7,128\n",
              "ts_recv," + header) == std::vector<std::int64_t>{0, 0, 0, 8 * 3600 * second});
}

TEST_CASE("prices keep all nine decimals, below zero too") {
  const auto price = [](const std::string& text) {
    const std::string all = header + row(0, "A,B," + text + ",1,7,0");
    DbnCsvReader reader("x.csv", as_bytes(all));
    HistoryEvent event;
    return reader.next(event) ? event.price.units : -1;
  };
  CHECK(price("0.000000001") == 1);
  CHECK(price("2147.480000000") == 2'147'480'000'000);
  CHECK(price("2147.48") == 2'147'480'000'000);
  CHECK(price("-37.63") == -37'630'000'000);
  CHECK(price("-0.5") == -500'000'000);
  CHECK(price("9223372035.999999999") == 9'223'372'035'999'999'999);
  for (const char* bad : {"", "5", "5.", ".5", "-", "-.5", "--5.0", "+5.0", "5.1234567890", "5.-1", "5e0.1",
                          "9223372036.0", "99999999999999999999.0", "5510000000", "nan", "5 .0"})
    CHECK(price(bad) == -1);
}

TEST_CASE("each kind of broken Databento input has its sentence") {
  const std::string good = header + row(5, "A,B,5.510000000,100,7,130");
  const auto second = [&](const std::string& line) { return said_of(good + line + "\n"); };
  const auto rest = [&](const std::string& cells) { return said_of(good + row(5, cells)); };
  const std::string not_dbn =
      ", expected Databento's market by order as CSV, which has the columns ts_event, action, side, price, size and "
      "order_id";
  const std::string a_time = ", expected a time such as 2025-07-17T07:05:09.035627674Z";

  CHECK(said_of(good) == "sound");
  CHECK(said_of(good + "\r\n\n") == "sound");
  CHECK(said_of(header) == "sound");
  CHECK(said_of("") == "x.csv: found an empty file" + not_dbn);
  CHECK(said_of("ts_recv,ts_event,action,side,price,size\n") ==
        "x.csv: found a Databento CSV that lacks columns of market by order" + not_dbn);
  CHECK(said_of("ts_event,action,side,price,size,order_id,bid_px_00\n") ==
        "x.csv: found Databento's market by price as CSV" + not_dbn);
  CHECK(said_of("DBN\x02") == "x.csv: found a Databento DBN file, which is not read yet" + not_dbn);
  CHECK(second("") == "sound");
  CHECK(said_of(good + "\n" + row(5, "A,B,5.51,1,8,0")) == "x.csv, line 3: found 1 column, expected 7");
  CHECK(second("A,B,5.51,1") == "x.csv, line 3: found 4 columns, expected 7");
  CHECK(rest("A,B,5.51,1,8,0,") == "x.csv, line 3: found 8 columns, expected 7");
  for (const char* time :
       {"", "1752735909035627674", "2025-07-17 08:00:00Z", "2025-07-17T08:00:00", "2025-07-17T08:00:00.Z",
        "2025-07-17T08:00:00.0000000001Z", "2025-02-29T08:00:00Z", "2025-13-01T08:00:00Z", "2025-00-01T08:00:00Z",
        "2025-07-00T08:00:00Z", "2025-07-17T24:00:00Z", "2025-07-17T08:60:00Z", "2025-07-17T08:00:60Z",
        "1969-12-31T08:00:00Z", "2201-01-01T08:00:00Z", "2025-07-17T08:00:00+Z", "2025-07-17T08:00:00.5+00:00",
        "2025-07-17T8:00:00Z", "2025-07-17T08:00:00ZZ"})
    CHECK(second(time + std::string(",A,B,5.51,1,8,0")) ==
          "x.csv, line 3: found the time '" + std::string(time) + "'" + a_time);
  CHECK(said_of(good + row(4, "A,B,5.51,1,8,0")) ==
        "x.csv, line 3: found the time 28800.000000004 s after 28800.000000005 s, expected times that do not go back");
  CHECK(second("2025-07-16T23:00:00Z,A,B,5.51,1,8,0") ==
        "x.csv, line 3: found the time -3600.000000000 s after 28800.000000005 s, expected times that do not go back");
  CHECK(rest("Z,B,5.51,1,8,0") == "x.csv, line 3: found action 'Z', expected A, C, M, R, T, F or N");
  CHECK(rest("AA,B,5.51,1,8,0") == "x.csv, line 3: found action 'AA', expected A, C, M, R, T, F or N");
  for (const char* action : {"A", "C", "M", "F"})
    CHECK(rest(std::string(action) + ",N,5.51,1,8,0") == "x.csv, line 3: found side 'N', expected A or B");
  CHECK(rest("T,X,5.51,1,8,0") == "x.csv, line 3: found side 'X', expected A, B or N");
  CHECK(rest("A,B,5510000000,1,8,0") ==
        "x.csv, line 3: found price '5510000000', expected a price with one to nine decimals");
  CHECK(rest("T,N,,1,8,0") == "x.csv, line 3: found price '', expected a price with one to nine decimals");
  CHECK(rest("A,B,5.51,-1,8,0") == "x.csv, line 3: found size '-1', expected a number of shares");
  CHECK(rest("A,B,5.51,4294967296,8,0") == "x.csv, line 3: found size '4294967296', expected a number of shares");
  CHECK(rest("A,B,5.51,1,x,0") == "x.csv, line 3: found order id 'x', expected a whole number");
  CHECK(rest("A,B,5.51,1,8,256") == "x.csv, line 3: found flags '256', expected a number up to 255");
  CHECK(rest("A,B,5.51,1,0,192") == "x.csv, line 3: found flags 192, which mark a level of a book, expected orders");
  CHECK(rest("A,B,5.51,1,0,144") == "x.csv, line 3: found flags 144, which mark a level of a book, expected orders");
  const std::string ids = "publisher_id,instrument_id," + header;
  CHECK(said_of(ids + "x,1," + row(0, "R,N,,0,0,8")) ==
        "x.csv, line 2: found publisher id 'x', expected a whole number");
  CHECK(said_of(ids + "2,," + row(0, "R,N,,0,0,8")) ==
        "x.csv, line 2: found instrument id '', expected a whole number");
}

TEST_CASE("a lenient Databento file goes on at the next line, and a time that goes back stays where it was") {
  const std::string text = header + row(5, "A,B,5.51,100,7,130") + "rubbish\n" + row(4, "A,B,5.52,100,8,130") +
                           row(6, "C,B,5.51,1e2,7,130") + row(7, "C,B,5.51,100,7,130");
  DbnCsvReader reader("x.csv", as_bytes(text), {.lenient = true});

  const auto events = read_all(reader);

  REQUIRE(events.size() == 3);
  CHECK(events[1].time_ns == events[0].time_ns);
  CHECK(events[2].record == 4);
  CHECK(reader.place_of(events[2].record).text() == "x.csv, line 6");
  CHECK(reader.broken() == 3);
  CHECK(reader.messages() == 5);
  CHECK(reader.error() == nullptr);
  CHECK(std::string(reader.first_broken()->what()) == "x.csv, line 3: found 1 column, expected 7");
}

TEST_CASE("a broken row names no instrument and sets no day") {
  const std::string text =
      "symbol," + header + "GHOST,2020-01-01T00:00:00Z,A,B,x,1,7,0\n" + "ARL," + row(5, "R,N,,0,0,8");
  DbnCsvReader reader("x.csv", as_bytes(text), {.lenient = true});

  const auto events = read_all(reader);

  REQUIRE(events.size() == 1);
  CHECK(events[0].time_ns == 8 * 3600 * 1'000'000'000ll + 5);
  CHECK(reader.instruments().size() == 1);
}

TEST_CASE("events are the same in batches of any size") {
  const std::string text = header + row(1, "T,B,13.40,30,0,0") + row(1, "F,A,13.40,20,7,0") +
                           row(1, "C,A,13.40,50,7,0") + row(2, "T,B,13.40,30,0,0") + row(3, "A,A,13.40,50,7,0") +
                           row(4, "T,A,13.40,3,0,0");
  DbnCsvReader whole("x.csv", as_bytes(text));
  const auto expected = read_all(whole);
  REQUIRE(expected.size() == 6);
  for (std::size_t size = 1; size < 7; ++size) {
    DbnCsvReader reader("x.csv", as_bytes(text));
    std::vector<HistoryEvent> events;
    std::array<HistoryEvent, 6> room;
    const std::span batch(room.data(), size);
    while (const std::size_t made = reader.read(batch)) {
      CHECK((made == size || events.size() + made == 6));
      events.insert(events.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(made));
    }
    REQUIRE(events.size() == expected.size());
    CHECK(std::memcmp(events.data(), expected.data(), sizeof(HistoryEvent) * events.size()) == 0);
  }
}

TEST_CASE("a Databento file cut off at any byte gives whole rows and an error, and no look past its end") {
  const std::string rows = row(1, "A,B,5.51,100,17,130") + row(2, "C,B,5.51,100,17,130");
  const std::string text = header + rows;
  const std::size_t first = header.size() + rows.size() / 2;
  for (std::size_t size = header.size(); size <= text.size(); ++size) {
    CAPTURE(size);
    const AtPageEnd cut(std::string_view(text).substr(0, size));
    DbnCsvReader reader("x.csv", as_bytes(cut.text()));
    const auto events = read_all(reader);
    // A row ends in its flags: 1, 13 and 130 are all sound.
    const bool has_first = size + 3 >= first, has_second = size + 3 >= text.size();
    CHECK(events.size() == std::size_t{has_first} + std::size_t{has_second});
    CHECK((reader.error() == nullptr) == (size == header.size() || (has_first && size <= first) || has_second));
  }
}

TEST_CASE("no damage makes the Databento reader look past its end, lose its line, or let time go back") {
  MESSAGE("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  const std::string columns = "ts_recv,publisher_id,instrument_id,symbol," + header;
  const std::string before = "2025-07-17T08:00:01Z,2,1108,ARL,";
  const std::string whole = columns + before + row(0, "R,N,,0,0,40") + before + row(1, "A,B,5.51,100,7,130") + before +
                            row(2, "T,A,5.51,30,0,130") + before + row(2, "F,B,5.51,20,7,130") + before +
                            row(2, "C,B,5.51,20,7,130") + before + row(3, "M,B,5.52,70,7,130");
  constexpr std::string_view letters = "0123456789.,-\n\rABCMRTFN:Z\0";
  for (int i = 0; i < 5'000; ++i) {
    const bool lenient = random() % 2 == 0;
    std::string damaged = whole;
    damaged.resize(random() % (damaged.size() - columns.size() + 1) + (random() % 8 == 0 ? 1 : columns.size()));
    for (std::size_t hits = random() % 6; hits > 0; --hits) {
      const std::size_t from = random() % 8 == 0 ? 0 : std::min(columns.size(), damaged.size() - 1);
      damaged[from + random() % (damaged.size() - from)] = letters[random() % letters.size()];
    }
    const auto lines = static_cast<std::uint64_t>(std::ranges::count(damaged, '\n')) + 1;
    const AtPageEnd bytes(damaged);
    try {
      DbnCsvReader reader("x.csv", as_bytes(bytes.text()), {.lenient = lenient});
      std::int64_t time_ns = 0;
      for (const HistoryEvent& event : read_all(reader)) {
        CHECK(event.time_ns >= time_ns);
        CHECK(event.symbol.value < reader.instruments().size());
        CHECK(reader.place_of(event.record).number <= lines);
        time_ns = event.time_ns;
      }
      CHECK((reader.error() != nullptr || reader.bytes_read() == reader.bytes_total()));
      if (lenient) CHECK(reader.error() == nullptr);
    } catch (const InputError& error) {
      CHECK(std::string(error.what()).find(", expected Databento's market by order") != std::string::npos);
    }
  }
}
