#include <outcry/net/lobster.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <outcry/net/event_csv.hpp>

#include "files.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;

namespace {

std::string said_of(std::string_view bytes) {
  try {
    LobsterReader reader("x.csv", as_bytes(bytes));
    read_all(reader);
    return reader.error() ? reader.error()->what() : "sound";
  } catch (const InputError& error) {
    return error.what();
  }
}

std::string text_of(std::span<const SeedLevel> levels) {
  std::string out;
  for (const SeedLevel& level : levels)
    out += std::string(to_string(level.side)) + " " + std::to_string(level.quantity.lots) + " at " +
           std::to_string(level.price.units) + "\n";
  return out;
}

}  // namespace

TEST_CASE("LOBSTER's hour is the event CSV without the events that were inferred") {
  const char* messages = "lobster_aapl/AAPL_2012-06-21_34200000_37800000_message_50.csv";
  const char* replay = "lobster_aapl/aapl_l3_replay.csv";
  if (missing({messages, replay})) return;

  LobsterReader lobster(data(messages));
  EventCsvReader csv(data(replay));
  const auto from_lobster = read_all(lobster);
  auto from_csv = read_all(csv);
  std::vector<bool> inferred;
  std::istringstream lines(contents(data(replay)));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) inferred.push_back(!line.ends_with(",msg"));
  REQUIRE(inferred.size() == from_csv.size());
  std::erase_if(from_csv, [&](const HistoryEvent& event) { return inferred[event.record]; });

  CHECK(lobster.error() == nullptr);
  CHECK(name_of(lobster.instruments()[0]) == "AAPL");
  CHECK(lobster.count('5') == 2'201);
  REQUIRE(from_lobster.size() == 91'997);
  REQUIRE(from_csv.size() == from_lobster.size());
  std::size_t different = 0;
  for (std::size_t row = 0; row < from_lobster.size(); ++row) {
    from_csv[row].record = static_cast<std::uint32_t>(row);
    different += std::memcmp(&from_csv[row], &from_lobster[row], sizeof(HistoryEvent)) != 0;
  }
  CHECK(different == 0);
}

TEST_CASE("LOBSTER's types become events") {
  const std::string text =
      "1,1,7,100,1500000,-1\n2,2,7,10,1500000,-1\n3,4,7,20,1500000,-1\n4,5,0,5,1500050,1\n5,3,7,70,1500000,-1\n"
      "6,6,-1,1000,1500000,-1\n7,7,0,0,-1,-1\n8,7,0,0,0,-1\n9,7,0,0,1,-1\n";
  LobsterReader reader("SPY_2020.csv", as_bytes(text));

  const auto events = read_all(reader);

  using enum HistoryKind;
  const HistoryKind kinds[] = {add, reduce, execute, hidden_execute, remove, cross, halt, halt, resume};
  REQUIRE(events.size() == std::size(kinds));
  for (std::size_t i = 0; i < events.size(); ++i) CHECK(events[i].kind == kinds[i]);
  CHECK(events[3].side == Side::buy);
  CHECK(events[5].id == OrderId{0});
  CHECK(events[5].quantity == Quantity{1000});
  CHECK(reader.position().text() == "SPY_2020.csv, line 9");
  CHECK(name_of(reader.instruments()[0]) == "SPY");
}

TEST_CASE("the book before the first message is the first row with that message undone") {
  const Scratch scratch;
  const auto seeds = [&](const std::string& message, const std::string& row) {
    const std::string path = scratch.write("message.csv", message + "\n");
    LobsterReader reader(path, {.orderbook = scratch.write("orderbook.csv", row + "\n")});
    CHECK(reader.messages() == 0);
    return text_of(reader.seed_levels());
  };
  const std::string row = "101,20,100,10,102,5,99,30";

  // A new order at a level goes, and so does a level that it made.
  CHECK(seeds("1,1,7,4,1000,1", row) == "buy 10 at 100\nbuy 30 at 99\nsell 20 at 101\nsell 5 at 102\n");
  CHECK(seeds("1,1,7,4,100,1", row) == "buy 6 at 100\nbuy 30 at 99\nsell 20 at 101\nsell 5 at 102\n");
  CHECK(seeds("1,1,7,20,101,-1", row) == "buy 10 at 100\nbuy 30 at 99\nsell 5 at 102\n");
  // What a reduction, a deletion or an execution took comes back, also as a level of its own.
  CHECK(seeds("1,2,7,4,99,1", row) == "buy 10 at 100\nbuy 34 at 99\nsell 20 at 101\nsell 5 at 102\n");
  CHECK(seeds("1,4,7,4,100,-1", row) == "buy 10 at 100\nbuy 30 at 99\nsell 4 at 100\nsell 20 at 101\nsell 5 at 102\n");
  // Below the levels shown, what else rests at the price is not known.
  CHECK(seeds("1,3,7,4,98,1", row) == "buy 10 at 100\nbuy 30 at 99\nsell 20 at 101\nsell 5 at 102\n");
  // A hidden execution touched nothing.
  CHECK(seeds("1,5,0,4,100,1", row) == "buy 10 at 100\nbuy 30 at 99\nsell 20 at 101\nsell 5 at 102\n");
  // Levels that do not exist show prices that no order has.
  CHECK(seeds("1,3,7,4,98,1", "101,20,100,10,9999999999,0,-9999999999,0") ==
        "buy 10 at 100\nbuy 4 at 98\nsell 20 at 101\n");
}

TEST_CASE("the real first row, undone, is the row without the first order") {
  const char* messages = "lobster_aapl/AAPL_first1000_message_10.csv";
  if (missing({messages, "lobster_aapl/AAPL_first1000_orderbook_10.csv"})) return;

  const std::string orderbook = lobster_orderbook_beside(data(messages));
  CHECK(orderbook == data("lobster_aapl/AAPL_first1000_orderbook_10.csv"));
  LobsterReader reader(data(messages), {.orderbook = orderbook});

  CHECK(reader.seed_levels().size() == 19);  // the first order, 18 at 5853300, made the best bid
  CHECK(reader.seed_levels()[0] == SeedLevel{Side::buy, {5'853'000}, {150}});
  CHECK(reader.seed_levels()[9] == SeedLevel{Side::sell, {5'859'400}, {200}});
}

TEST_CASE("an order book file is looked for beside the message file") {
  const Scratch scratch;
  const std::string messages = scratch.write("X_message_5.csv", "");
  CHECK(lobster_orderbook_beside(messages).empty());

  scratch.write("X_orderbook_5.csv", "");

  CHECK(lobster_orderbook_beside(messages) == scratch.path("X_orderbook_5.csv"));
  CHECK(lobster_orderbook_beside(scratch.path("plain.csv")).empty());
}

TEST_CASE("each kind of broken LOBSTER input has its sentence") {
  const std::string good = "5.0,1,7,100,1500000,-1\n";

  CHECK(said_of(good) == "sound");
  CHECK(said_of(good + "\r\n") == "sound");
  CHECK(said_of("") == "x.csv: found an empty file, expected a LOBSTER message file");
  CHECK(said_of("101,20,100,10\n") == "x.csv: found a LOBSTER order book file, expected a LOBSTER message file");
  CHECK(said_of("hello\n") == "x.csv, line 1: found 1 column, expected 6");
  CHECK(said_of(good + "5.0,3,7,100,1500000\n") == "x.csv, line 2: found 5 columns, expected 6");
  CHECK(said_of(good + "5.0,3,7,100,1500000,-1,0\n") == "x.csv, line 2: found 7 columns, expected 6");
  CHECK(said_of(good + "5.,3,7,100,1500000,-1\n") ==
        "x.csv, line 2: found the time '5.', expected seconds after midnight");
  CHECK(said_of(good + "-5,3,7,100,1500000,-1\n") ==
        "x.csv, line 2: found the time '-5', expected seconds after midnight");
  CHECK(said_of(good + "5.0,8,7,100,1500000,-1\n") == "x.csv, line 2: found type '8', expected a type from 1 to 7");
  CHECK(said_of(good + "5.0,3,7x,100,1500000,-1\n") == "x.csv, line 2: found order id '7x', expected a whole number");
  CHECK(said_of(good + "5.0,3,7,-100,1500000,-1\n") == "x.csv, line 2: found size '-100', expected a number of shares");
  CHECK(said_of(good + "5.0,3,7,100,15.0,-1\n") == "x.csv, line 2: found price '15.0', expected a whole number");
  CHECK(said_of(good + "5.0,3,7,100,1500000,2\n") == "x.csv, line 2: found direction '2', expected 1 or -1");
  CHECK(said_of(good + "4.0,3,7,100,1500000,-1\n") ==
        "x.csv, line 2: found the time 4.000000000 s after 5.000000000 s, expected times that do not go back");
}

TEST_CASE("what a terminal would obey is not repeated in an error") {
  std::string text;
  for (int i = 0; i < 30; ++i) text += "5.0,1,7,100,1500000,-1\n";

  CHECK(said_of(text + "5.0,1,7,100,\x1b[2J,-1\n") == "x.csv, line 31: found price '?[2J', expected a whole number");
}

TEST_CASE("an order book that does not belong to the messages is refused") {
  const Scratch scratch;
  const std::string messages = scratch.write("x_message_1.csv", "1,1,7,50,100,1\n");
  const auto refusal = [&](const std::string& row) {
    const std::string path = scratch.write("book.csv", row);
    try {
      LobsterReader reader(messages, {.orderbook = path});
    } catch (const InputError& error) {
      return std::string(error.what()).substr(path.size());
    }
    return std::string("taken");
  };

  CHECK(refusal("101,20,100,50\n") == "taken");
  CHECK(refusal("101,20,100,10\n") ==
        ", line 1: found 10 shares at 100, expected the 50 that the first message adds there");
  CHECK(refusal("101,20,100\n") == ", line 1: found 3 columns, expected four for each level");
  CHECK(refusal("101,x,100,10\n") == ", line 1: found size 'x', expected a number of shares");
  CHECK(refusal("1,1,7,50,100,1\n") ==
        ": found a LOBSTER message file, expected the LOBSTER order book that belongs to " + messages);
}

TEST_CASE("a lenient LOBSTER file goes on at the next line, and each record keeps its row") {
  const std::string text = "5.0,1,7,100,1500000,-1\nrubbish\n5.1,3,7,100,1500000,-1\n5.2,3,8,10";
  LobsterReader reader("x.csv", as_bytes(text), {.lenient = true});

  const auto events = read_all(reader);

  REQUIRE(events.size() == 2);
  CHECK(events[1].record == 2);
  CHECK(reader.broken() == 2);
  CHECK(reader.place_of(events[1].record).text() == "x.csv, line 3");
}

TEST_CASE("a text cut off at any byte gives whole rows and an error, and no look past its end") {
  const std::string text = "5.0,1,7,100,1500000,-1\n5.123,3,7,100,1500000,-1\n";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    CAPTURE(size);
    const AtPageEnd cut(std::string_view(text).substr(0, size));
    LobsterReader reader("x.csv", as_bytes(cut.text()));
    const auto events = read_all(reader);
    const bool first = size >= 22, second = size >= 47;
    CHECK(events.size() == std::size_t{first} + std::size_t{second});
    CHECK((reader.error() == nullptr) == (size == 22 || size == 23 || second));
  }
}

TEST_CASE("no damage makes the readers of text look past their end or lose their line") {
  MESSAGE("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  const std::string lobster = "5.0,1,7,100,1500000,-1\n5.123,3,7,100,1500000,-1\n6.5,7,0,0,-1,-1\n";
  const std::string csv =
      "n,time,kind,order_id,size,price,side,source\n0,5.0,A,7,100,1500000,-1,pre\n1,5.5,E,7,100,1500000,-1,msg\n2,6,H,"
      "0,5,1500000,1,msg\n";
  constexpr std::string_view letters = "0123456789.,-\n\rAZ\0";
  const auto check = [](RecordReader&& reader, bool lenient, std::uint64_t lines) {
    std::int64_t time_ns = 0;
    for (const HistoryEvent& event : read_all(reader)) {
      CHECK(event.time_ns >= time_ns);
      CHECK(reader.place_of(event.record).number <= lines);
      time_ns = event.time_ns;
    }
    CHECK((reader.error() != nullptr || reader.bytes_read() == reader.bytes_total()));
    if (lenient) CHECK(reader.error() == nullptr);
  };

  for (int i = 0; i < 5'000; ++i) {
    const bool is_csv = random() % 2 == 0, lenient = random() % 2 == 0;
    std::string damaged = is_csv ? csv : lobster;
    damaged.resize(random() % damaged.size() + 1);
    for (std::size_t hits = random() % 6; hits > 0; --hits)
      damaged[random() % damaged.size()] = letters[random() % letters.size()];
    const auto lines = static_cast<std::uint64_t>(std::ranges::count(damaged, '\n')) + 1;
    const AtPageEnd bytes(damaged);
    try {
      if (is_csv)
        check(EventCsvReader("x.csv", as_bytes(bytes.text()), {.lenient = lenient}), lenient, lines);
      else
        check(LobsterReader("x.csv", as_bytes(bytes.text()), {.lenient = lenient}), lenient, lines);
    } catch (const InputError& error) {
      CHECK(std::string(error.what()).find(is_csv ? ", expected an event CSV" : ", expected a LOBSTER message file") !=
            std::string::npos);
    }
  }
}
