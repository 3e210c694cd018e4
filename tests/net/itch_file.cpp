#include <outcry/net/itch_file.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <set>
#include <string>

#include "files.hpp"
#include "obvious_book.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;

namespace {

std::string counts(const RecordReader& reader) {
  std::string out;
  for (const char type : std::string_view("SRHYLVWKJhAFECXDUPQBINO"))
    if (reader.count(type) != 0)
      out += (out.empty() ? "" : ", ") + std::string(1, type) + " " + std::to_string(reader.count(type));
  return out;
}

std::string add(std::uint64_t time_ns, std::uint64_t order, std::uint16_t locate = 1, const char* stock = "AAPL") {
  return frame(itch::AddOrder{.header = {.stock_locate = locate, .timestamp = time_ns},
                              .order = order,
                              .side = 'S',
                              .shares = 100u,
                              .stock = stock,
                              .price = 1'500'000u});
}

std::string remove(std::uint64_t time_ns, std::uint64_t order, std::uint16_t locate = 1) {
  return frame(itch::OrderDelete{.header = {.stock_locate = locate, .timestamp = time_ns}, .order = order});
}

const std::string directory =
    frame(itch::StockDirectory{.header = {.stock_locate = 1, .timestamp = 1u}, .stock = "AAPL"});
const std::string session_end(2, '\0');

// A file whose frames cover every type that makes an event.
std::string small_day() {
  using namespace itch;
  return frame(SystemEvent{.header = {.timestamp = 1u}, .event = 'O'}) + directory +
         frame(TradingAction{.header = {.stock_locate = 1, .timestamp = 2u}, .stock = "AAPL", .state = 'T'}) +
         add(3, 7) +
         frame(AddOrderAttributed{.header = {.stock_locate = 1, .timestamp = 4u},
                                  .order = 8u,
                                  .side = 'B',
                                  .shares = 50u,
                                  .stock = "AAPL",
                                  .price = 1'499'900u,
                                  .attribution = "LIME"}) +
         frame(OrderExecuted{.header = {.stock_locate = 1, .timestamp = 5u}, .order = 7u, .shares = 10u, .match = 1u}) +
         frame(OrderExecutedAt{.header = {.stock_locate = 1, .timestamp = 6u},
                               .order = 7u,
                               .shares = 20u,
                               .match = 2u,
                               .printable = 'N',
                               .price = 1'499'999u}) +
         frame(OrderCancel{.header = {.stock_locate = 1, .timestamp = 7u}, .order = 7u, .shares = 30u}) +
         frame(OrderReplace{.header = {.stock_locate = 1, .timestamp = 8u},
                            .order = 7u,
                            .new_order = 9u,
                            .shares = 60u,
                            .price = 1'500'100u}) +
         remove(9, 9) +
         frame(Trade{.header = {.stock_locate = 1, .timestamp = 10u},
                     .side = 'B',
                     .shares = 5u,
                     .stock = "AAPL",
                     .price = 1'500'000u,
                     .match = 3u}) +
         frame(CrossTrade{.header = {.stock_locate = 1, .timestamp = 11u},
                          .shares = 5'000'000'000u,
                          .stock = "AAPL",
                          .price = 1'500'000u,
                          .match = 4u,
                          .cross = 'O'}) +
         frame(TradingAction{.header = {.stock_locate = 1, .timestamp = 12u}, .stock = "AAPL", .state = 'H'}) +
         session_end;
}

std::string said_of(std::string_view bytes) {
  try {
    ItchFileReader reader("x.itch", as_bytes(bytes));
    read_all(reader);
    return reader.error() ? reader.error()->what() : "sound";
  } catch (const InputError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("the first 1,000 messages of a day are 993 listings, no orders") {
  if (missing({"itch_head/12302019_first1000.itch"})) return;

  ItchFileReader reader(data("itch_head/12302019_first1000.itch"));
  CHECK(reader.instruments().size() == 993);  // known before anything is read
  const auto events = read_all(reader);

  CHECK(reader.error() == nullptr);
  CHECK(reader.messages() == 1000);
  CHECK(counts(reader) == "S 1, R 993, H 3, Y 3");
  REQUIRE(events.size() == 3);
  CHECK(events[0].kind == HistoryKind::resume);
  REQUIRE(reader.instruments().size() == 993);
  const Instrument& first = reader.instruments()[0];
  CHECK(name_of(first) == "A");
  CHECK(first.price_scale == 10'000);
  CHECK(first.tick == 100);
  CHECK(first.off_tick_allowed);
  CHECK(first.lot == 1);
}

TEST_CASE("10,000 real messages hold 1,089 trades of 81,556 shares and leave 215 orders") {
  if (missing({"golden/itch50_aapl_20200130_10k.bin"})) return;

  ItchFileReader reader(data("golden/itch50_aapl_20200130_10k.bin"));
  ObviousBook book;
  std::uint64_t trades = 0, shares = 0, hidden = 0, hidden_shares = 0;
  for (const HistoryEvent& event : read_all(reader)) {
    book.apply(event);
    if (event.kind == HistoryKind::hidden_execute) ++hidden, hidden_shares += event.quantity.lots;
    if (event.kind == HistoryKind::execute || event.kind == HistoryKind::hidden_execute)
      ++trades, shares += event.quantity.lots;
  }

  CHECK(reader.error() == nullptr);
  CHECK(counts(reader) == "R 1, H 1, Y 1, L 52, A 4758, F 2, E 849, X 6, D 4083, U 7, P 240");
  CHECK(trades == 1'089);
  CHECK(shares == 81'556);
  CHECK(hidden == 240);
  CHECK(hidden_shares == 25'470);
  CHECK(book.live_orders() == 215);
  CHECK(book.unknown_orders() == 0);
  REQUIRE(reader.instruments().size() == 1);
  CHECK(name_of(reader.instruments()[0]) == "AAPL");
}

TEST_CASE("every kind of message becomes its event") {
  const std::string day = small_day();
  ItchFileReader reader("x.itch", as_bytes(day));

  const auto events = read_all(reader);

  CHECK(reader.error() == nullptr);
  CHECK(reader.messages() == 13);
  const HistoryEvent expected[] = {
      {.time_ns = 2, .kind = HistoryKind::resume, .record = 2},
      {.id = {7},
       .price = {1'500'000},
       .time_ns = 3,
       .quantity = {100},
       .kind = HistoryKind::add,
       .side = Side::sell,
       .record = 3},
      {.id = {8},
       .price = {1'499'900},
       .time_ns = 4,
       .quantity = {50},
       .kind = HistoryKind::add,
       .side = Side::buy,
       .record = 4},
      {.id = {7}, .time_ns = 5, .quantity = {10}, .kind = HistoryKind::execute, .record = 5},
      {.id = {7},
       .price = {1'499'999},
       .time_ns = 6,
       .quantity = {20},
       .kind = HistoryKind::execute,
       .printable = 0,
       .record = 6},
      {.id = {7}, .time_ns = 7, .quantity = {30}, .kind = HistoryKind::reduce, .record = 7},
      {.id = {7},
       .new_id = {9},
       .price = {1'500'100},
       .time_ns = 8,
       .quantity = {60},
       .kind = HistoryKind::replace,
       .record = 8},
      {.id = {9}, .time_ns = 9, .kind = HistoryKind::remove, .record = 9},
      {.price = {1'500'000},
       .time_ns = 10,
       .quantity = {5},
       .kind = HistoryKind::hidden_execute,
       .side = Side::buy,
       .record = 10},
      {.price = {1'500'000}, .time_ns = 11, .quantity = {4'294'967'295}, .kind = HistoryKind::cross, .record = 11},
      {.time_ns = 12, .kind = HistoryKind::halt, .record = 12},
  };
  REQUIRE(events.size() == std::size(expected));
  for (std::size_t i = 0; i < events.size(); ++i) {
    CAPTURE(i);
    CHECK(std::memcmp(&events[i], &expected[i], sizeof(HistoryEvent)) == 0);
  }
}

TEST_CASE("the size of the batch does not change the events") {
  const std::string day = small_day();
  ItchFileReader in_batches("x.itch", as_bytes(day)), one_by_one("x.itch", as_bytes(day));
  const auto events = read_all(in_batches);

  HistoryEvent event;
  for (const HistoryEvent& other : events) {
    REQUIRE(one_by_one.next(event));
    CHECK(std::memcmp(&event, &other, sizeof event) == 0);
  }
  CHECK_FALSE(one_by_one.next(event));
  CHECK_FALSE(one_by_one.next(event));
}

TEST_CASE("a stock without a directory entry is named by the first message that names it") {
  const std::string day = remove(1, 5, 13) + add(2, 6, 14, "MSFT") + add(3, 7, 13, "AAPL") + add(4, 8, 14, "MSFT");
  ItchFileReader reader("x.itch", as_bytes(day));
  CHECK(reader.instruments().empty());

  HistoryEvent event;
  REQUIRE(reader.next(event));
  CHECK(event.symbol == SymbolId{0});
  CHECK(name_of(reader.instruments()[0]) == "locate-13");
  const auto rest = read_all(reader);

  REQUIRE(rest.size() == 3);
  CHECK(rest[0].symbol == SymbolId{1});
  CHECK(rest[1].symbol == SymbolId{0});
  CHECK(rest[2].symbol == SymbolId{1});
  REQUIRE(reader.instruments().size() == 2);
  CHECK(name_of(reader.instruments()[0]) == "AAPL");
  CHECK(name_of(reader.instruments()[1]) == "MSFT");
}

TEST_CASE("a stock may be listed in the middle of the day") {
  const std::string day = directory + add(2, 1) +
                          frame(itch::StockDirectory{.header = {.stock_locate = 2, .timestamp = 3u}, .stock = "IPO"}) +
                          add(4, 2, 2, "IPO");
  ItchFileReader reader("x.itch", as_bytes(day));
  CHECK(reader.instruments().size() == 1);

  const auto events = read_all(reader);

  CHECK(events.back().symbol == SymbolId{1});
  REQUIRE(reader.instruments().size() == 2);
  CHECK(name_of(reader.instruments()[1]) == "IPO");
}

TEST_CASE("whoever finds an unknown order can say where its message is") {
  const std::string day = directory + add(2, 1) + remove(3, 99);
  ItchFileReader reader("x.itch", as_bytes(day));

  const auto events = read_all(reader);

  CHECK(reader.place_of(events[0].record).text() == "x.itch, offset 41");
  CHECK(reader.place_of(events[1].record).text() == "x.itch, offset 79");
  CHECK(reader.position().text() == "x.itch, offset 79");
}

TEST_CASE("the place of any record of a long file is found") {
  std::string day = directory;
  std::vector<std::uint64_t> offsets{0};
  for (std::uint64_t i = 1; i < 200'000; ++i) {
    offsets.push_back(day.size());
    day += i % 3 == 0 ? remove(i, i) : add(i, i);
  }
  ItchFileReader reader("x.itch", as_bytes(day));

  read_all(reader);

  for (const std::uint32_t record : {0u, 1u, 65'535u, 65'536u, 65'537u, 131'072u, 199'999u})
    CHECK(reader.place_of(record).number == offsets[record]);
}

TEST_CASE("each kind of broken ITCH input has its sentence") {
  const std::string order = add(5, 1);  // 38 bytes
  std::string unknown_type = order, wrong_length = order, bad_side = order, bad_time = order;
  unknown_type[2] = 'z';
  wrong_length[1] = 35;
  bad_side[21] = 'Q';
  std::memset(&bad_time[7], 0xff, 6);

  CHECK(said_of("") == "x.itch: found an empty file, expected ITCH 5.0 messages in BinaryFILE frames");
  CHECK(said_of("34200.1,1,7,100,5853300,1\n") ==
        "x.itch: found a LOBSTER message file, expected ITCH 5.0 messages in BinaryFILE frames");
  CHECK(said_of(order.substr(0, 1)) ==
        "x.itch, offset 0: found the end of the file after one byte of a length, expected two bytes of length");
  CHECK(said_of(order + order.substr(0, 2)) ==
        "x.itch, offset 38: found the end of the file after the length 36, expected a message of 36 bytes");
  CHECK(said_of(order + order.substr(0, 20)) ==
        "x.itch, offset 38: found the end of the file after 18 bytes of a message of type 'A', expected 36 bytes");
  CHECK(said_of(order + unknown_type) ==
        "x.itch, offset 38: found a message of type 'z' and 36 bytes, expected a type of ITCH 5.0");
  CHECK(said_of(order + wrong_length + order) ==
        "x.itch, offset 38: found a message of type 'A' and 35 bytes, expected 36 bytes");
  CHECK(said_of(order + bad_side) == "x.itch, offset 38: found side 'Q' in a message of type 'A', expected B or S");
  CHECK(said_of(order + bad_time) == "x.itch, offset 38: found the time 281474.976710655 s, expected one before 24 h");
  CHECK(said_of(order + add(4, 2)) ==
        "x.itch, offset 38: found the time 0.000000004 s after 0.000000005 s, expected times that do not go back");
  CHECK(said_of(order + session_end + order) ==
        "x.itch, offset 38: found 38 more bytes after the end of the session, expected the end of the file");
  CHECK(said_of(order + session_end) == "sound");
  CHECK(said_of(order + session_end + session_end) == "sound");
  CHECK(said_of(order +
                frame(itch::OrderExecutedAt{.header = {.stock_locate = 1, .timestamp = 5u}, .printable = '\x07'})) ==
        "x.itch, offset 38: found printable 0x07 in a message of type 'C', expected Y or N");
  CHECK(said_of(order + frame(itch::TradingAction{.header = {.stock_locate = 1, .timestamp = 5u}, .state = 'x'})) ==
        "x.itch, offset 38: found trading state 'x' in a message of type 'H', expected H, P, Q or T");
}

TEST_CASE("a strict reader stops in front of the broken record, a lenient one counts it and goes on") {
  const auto orders = [](RecordReader& reader) {
    std::string out;
    for (const HistoryEvent& event : read_all(reader))
      out += std::to_string(event.id.value) + "@" + std::to_string(event.time_ns) + "#" + std::to_string(event.record) +
             " ";
    return out;
  };
  const auto check = [&](const std::string& day, const std::string& strictly, const std::string& leniently,
                         std::uint64_t broken) {
    ItchFileReader strict("x.itch", as_bytes(day)), lenient("x.itch", as_bytes(day), {.lenient = true});
    CHECK(orders(strict) == strictly);
    REQUIRE(strict.error() != nullptr);
    CHECK(strict.broken() == 1);
    CHECK(orders(lenient) == leniently);
    CHECK(lenient.error() == nullptr);
    CHECK(lenient.broken() == broken);
    REQUIRE(lenient.first_broken() != nullptr);
    CHECK(std::string(lenient.first_broken()->what()) == strict.error()->what());
    for (std::uint32_t record = 0; record < lenient.messages(); ++record)
      CHECK(lenient.place_of(record).number < day.size());
  };
  std::string unknown_type = add(2, 2), wrong_length = add(2, 2), bad_side = add(2, 2);
  unknown_type[2] = 'z';
  wrong_length[1] = 77;
  bad_side[21] = 'Q';
  const std::string first = add(1, 1), rest = add(3, 3) + remove(4, 1) + add(5, 5);

  check(first + unknown_type + rest, "1@1#0 ", "1@1#0 3@3#2 1@4#3 5@5#4 ", 1);
  check(first + wrong_length + rest, "1@1#0 ", "1@1#0 3@3#2 1@4#3 5@5#4 ", 1);
  check(first + bad_side + rest, "1@1#0 ", "1@1#0 3@3#2 1@4#3 5@5#4 ", 1);
  check(first + add(9, 2) + rest, "1@1#0 2@9#1 ", "1@1#0 2@9#1 3@9#2 1@9#3 5@9#4 ", 3);
  check(first + "garbage without any frame" + rest, "1@1#0 ", "1@1#0 3@3#2 1@4#3 5@5#4 ", 1);
  check(first + session_end + rest, "1@1#0 ", "1@1#0 3@3#2 1@4#3 5@5#4 ", 1);
  check(first + rest.substr(0, rest.size() - 1), "1@1#0 3@3#1 1@4#2 ", "1@1#0 3@3#1 1@4#2 ", 1);
}

TEST_CASE("a file cut off at any byte is read up to there, and said to be cut off, without a look past its end") {
  const std::string day = small_day();
  std::set<std::size_t> whole;  // where a frame ends
  for (std::size_t at = 0; at < day.size() - 2; at += 2 + static_cast<std::size_t>(day[at + 1])) whole.insert(at);
  whole.insert(day.size() - 2);
  whole.insert(day.size());

  for (std::size_t size = 0; size <= day.size(); ++size) {
    CAPTURE(size);
    const AtPageEnd cut(std::string_view(day).substr(0, size));
    const std::string said = said_of(cut.text());
    if (size == 0)
      CHECK(said == "x.itch: found an empty file, expected ITCH 5.0 messages in BinaryFILE frames");
    else if (whole.contains(size))
      CHECK(said == "sound");
    else if (size == day.size() - 1)
      CHECK(said.ends_with("found the end of the file after one byte of a length, expected two bytes of length"));
    else
      CHECK(said.find("found the end of the file after ") != std::string::npos);

    if (size == 0) continue;
    ItchFileReader lenient("x.itch", as_bytes(cut.text()), {.lenient = true});
    read_all(lenient);
    CHECK(lenient.broken() == !whole.contains(size));
  }
}

TEST_CASE("no damage makes the ITCH reader look past its end or lose its way") {
  MESSAGE("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  const std::string day = small_day();
  for (int i = 0; i < 5'000; ++i) {
    std::string damaged = day + day.substr(0, day.size() - 2);
    damaged.resize(random() % damaged.size() + 1);
    for (std::size_t hits = random() % 6; hits > 0; --hits)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    const AtPageEnd bytes(damaged);
    for (const bool lenient : {false, true}) {
      try {
        ItchFileReader reader("x.itch", as_bytes(bytes.text()), {.lenient = lenient});
        std::int64_t time_ns = 0;
        for (const HistoryEvent& event : read_all(reader)) {
          CHECK(event.time_ns >= time_ns);
          CHECK(event.symbol.value < reader.instruments().size());
          CHECK(reader.place_of(event.record).number < damaged.size());
          time_ns = event.time_ns;
        }
        if (!lenient) CHECK((reader.error() != nullptr || reader.bytes_read() == reader.bytes_total()));
        if (lenient) CHECK(reader.bytes_read() == reader.bytes_total());
      } catch (const InputError& error) {
        CHECK(std::string(error.what()).find(", expected ITCH 5.0") != std::string::npos);
      }
    }
  }
}
