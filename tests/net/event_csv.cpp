#include <outcry/net/event_csv.hpp>

#include <doctest/doctest.h>

#include <string>

#include <outcry/net/itch_file.hpp>

#include "files.hpp"

using namespace outcry;
using namespace outcry::test;

namespace {

const std::string header = "n,time,kind,order_id,size,price,side,source\n";

std::string said_of(std::string_view bytes) {
  try {
    EventCsvReader reader("x.csv", as_bytes(bytes));
    read_all(reader);
    return reader.error() ? reader.error()->what() : "sound";
  } catch (const InputError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("an hour of real flow is the same as event CSV and as ITCH") {
  if (missing({"lobster_aapl/aapl_first_hour.itch", "lobster_aapl/aapl_l3_replay.csv"})) return;

  ItchFileReader itch(data("lobster_aapl/aapl_first_hour.itch"));
  EventCsvReader csv(data("lobster_aapl/aapl_l3_replay.csv"));
  const auto from_itch = read_all(itch), from_csv = read_all(csv);

  CHECK(itch.error() == nullptr);
  CHECK(csv.error() == nullptr);
  CHECK(itch.messages() == 92'080);
  REQUIRE(from_csv.size() == 92'078);
  REQUIRE(from_itch.size() == 92'078);
  CHECK(csv.count('A') == 44'336);
  CHECK(csv.count('R') == 469);
  CHECK(csv.count('D') == 41'005);
  CHECK(csv.count('E') == 4'067);
  CHECK(csv.count('H') == 2'201);
  CHECK(name_of(csv.instruments()[0]) == "AAPL");
  std::size_t different = 0;
  for (std::size_t n = 0; n < from_csv.size(); ++n) {
    const HistoryEvent& a = from_itch[n];
    const HistoryEvent& b = from_csv[n];
    const bool order_or_print = b.kind == HistoryKind::add || b.kind == HistoryKind::hidden_execute;
    // ITCH names side and price only here, and no size in a delete.
    const bool equal = a.kind == b.kind && a.id == b.id && a.time_ns == b.time_ns && a.symbol == b.symbol &&
                       (b.kind == HistoryKind::remove || a.quantity == b.quantity) &&
                       (!order_or_print || (a.price == b.price && a.side == b.side)) && b.record == n &&
                       a.record == n + 2;
    different += !equal;
  }
  CHECK(different == 0);
}

TEST_CASE("decimals of seconds are padded on the right and cut at nanoseconds") {
  const std::string text = header +
                           "0,1,A,7,100,1500000,-1,msg\n"
                           "1,1.5,A,8,100,1500000,1,msg\n"
                           "2,1.500000001,E,7,100,1500000,-1,msg\r\n"
                           "3,1.500000001999,D,8,100,1500000,1,msg";
  EventCsvReader reader("x.csv", as_bytes(text));

  const auto events = read_all(reader);

  REQUIRE(events.size() == 4);
  CHECK(events[0].time_ns == 1'000'000'000);
  CHECK(events[1].time_ns == 1'500'000'000);
  CHECK(events[2].time_ns == 1'500'000'001);
  CHECK(events[3].time_ns == 1'500'000'001);
  CHECK(events[0].side == Side::sell);
  CHECK(reader.place_of(events[2].record).text() == "x.csv, line 4");
  CHECK(name_of(reader.instruments()[0]) == "X");
}

TEST_CASE("each kind of broken event CSV has its sentence") {
  const std::string good = header + "0,5.0,A,7,100,1500000,-1,msg\n";
  const std::string not_csv = ", expected an event CSV, which begins 'n,time,kind,order_id,size,price,side,source'";

  CHECK(said_of(good) == "sound");
  CHECK(said_of(good + "\n\n") == "sound");
  CHECK(said_of("") == "x.csv: found an empty file" + not_csv);
  CHECK(said_of("n,time,kind\n") == "x.csv: found text that begins 'n,time,kind'" + not_csv);
  CHECK(said_of(good + "1,5.0,D,7\n") == "x.csv, line 3: found 4 columns, expected 8");
  CHECK(said_of(good + "\n1,5.0,D,7,100,1500000,-1,msg\n") == "x.csv, line 3: found 1 column, expected 8");
  CHECK(said_of(good + "x,5.0,D,7,100,1500000,-1,msg\n") == "x.csv, line 3: found n 'x', expected a whole number");
  CHECK(said_of(good + "2,5.0,D,7,100,1500000,-1,msg\n") == "x.csv, line 3: found n 2, expected 1");
  CHECK(said_of(good + "1,5.0e3,D,7,100,1500000,-1,msg\n") ==
        "x.csv, line 3: found the time '5.0e3', expected seconds after midnight");
  CHECK(said_of(good + "1,86400,D,7,100,1500000,-1,msg\n") ==
        "x.csv, line 3: found the time '86400', expected seconds after midnight");
  CHECK(said_of(good + "1,4.9,D,7,100,1500000,-1,msg\n") ==
        "x.csv, line 3: found the time 4.900000000 s after 5.000000000 s, expected times that do not go back");
  CHECK(said_of(good + "1,5.0,Z,7,100,1500000,-1,msg\n") == "x.csv, line 3: found kind 'Z', expected A, R, D, E or H");
  CHECK(said_of(good + "1,5.0,D,-7,100,1500000,-1,msg\n") ==
        "x.csv, line 3: found order id '-7', expected a whole number");
  CHECK(said_of(good + "1,5.0,D,7,99999999999,1500000,-1,msg\n") ==
        "x.csv, line 3: found size '99999999999', expected a number of shares");
  CHECK(said_of(good + "1,5.0,D,7,100,15.0,-1,msg\n") == "x.csv, line 3: found price '15.0', expected a whole number");
  CHECK(said_of(good + "1,5.0,D,7,100,1500000,0,msg\n") == "x.csv, line 3: found side '0', expected 1 or -1");
}

TEST_CASE("a lenient event CSV goes on at the next line") {
  const std::string text = header +
                           "0,5.0,A,7,100,1500000,-1,msg\n"
                           "1,5.0,A,8,1e2,1500000,-1,msg\n"
                           "2,4.0,D,7,100,1500000,-1,msg\n"
                           "3,6.0,D,8,1";
  EventCsvReader reader("x.csv", as_bytes(text), {.lenient = true, .symbol = "MSFT"});

  const auto events = read_all(reader);

  REQUIRE(events.size() == 2);
  CHECK(events[1].record == 2);
  CHECK(events[1].time_ns == 5'000'000'000);
  CHECK(reader.broken() == 3);
  CHECK(reader.messages() == 4);
  CHECK(reader.error() == nullptr);
  CHECK(std::string(reader.first_broken()->what()) == "x.csv, line 3: found size '1e2', expected a number of shares");
  CHECK(name_of(reader.instruments()[0]) == "MSFT");
}
