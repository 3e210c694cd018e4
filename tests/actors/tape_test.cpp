// Tape: what comes of rows in the run's folder.

#include <array>
#include <filesystem>
#include <iterator>
#include <random>
#include <string>
#include <utility>

#include <doctest/doctest.h>
#include <outcry/actors/run_folder.hpp>
#include <outcry/actors/tape.hpp>

#include "tests/scratch.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using outcry_test::Scratch;

namespace {

std::vector<std::unique_ptr<Tape>> tapes_in(const Scratch& scratch, std::size_t count) {
  std::vector<std::unique_ptr<Tape>> tapes(count);
  for (std::unique_ptr<Tape>& tape : tapes) tape = std::make_unique<Tape>(scratch.folder());
  return tapes;
}

Instrument listed(std::uint32_t symbol, std::string_view name, std::int64_t scale) {
  Instrument instrument;
  instrument.symbol = SymbolId{symbol};
  instrument.name = padded_name(name);
  instrument.price_scale = scale;
  return instrument;
}

Tape::OrderRow order(std::int64_t time_ns, std::uint32_t symbol, std::uint64_t id) {
  return {time_ns,
          OrderId{id},
          {},
          Price{12'345},
          Quantity{7},
          AccountId{3},
          SymbolId{symbol},
          Tape::OrderKind::accepted,
          Side::sell,
          {Reason::none},
          0};
}

}  // namespace

TEST_CASE("rows are printed with prices in currency and times in seconds of nine digits") {
  const Scratch scratch;
  const std::array instruments{listed(0, "AAPL", 10'000), listed(1, "BOND", 32)};
  {
    const auto tapes = tapes_in(scratch, 1);
    Tape& tape = *tapes[0];
    tape.order(order(34'200'000'000'001, 0, 11));
    Tape::OrderRow row = order(34'200'000'000'002, 0, 11);
    row.kind = Tape::OrderKind::replaced;
    row.new_id = OrderId{12};
    row.price = Price{-5};
    tape.order(row);
    row.kind = Tape::OrderKind::rejected;
    row.new_id = {};
    row.reason = Reason::off_tick;
    tape.order(row);
    tape.trade({1, OrderId{12}, {}, Price{5'853'300}, Quantity{18}, SymbolId{0}, AccountId{3}, {}, Side::buy, 1, 0, 0});
    tape.quote({2, {.bid = Price{33}, .ask = Price{64}, .bid_quantity = 5, .ask_quantity = 0, .symbol = SymbolId{1}}});
    write_tapes(scratch.folder(), tapes, instruments);
  }

  CHECK(scratch.read("orders.csv") ==
        "time,symbol,event,order,new_order,side,price,quantity,account,reason\n"
        "34200.000000001,AAPL,accepted,11,,sell,1.2345,7,3,\n"
        "34200.000000002,AAPL,replaced,11,12,sell,-0.0005,7,3,\n"
        "34200.000000002,AAPL,rejected,11,,,,,3,off_tick\n");
  CHECK(scratch.read("trades.csv") ==
        "time,symbol,price,quantity,aggressor,maker,taker,maker_account,taker_account,hidden\n"
        "0.000000001,AAPL,585.3300,18,buy,12,,3,0,1\n");
  CHECK(scratch.read("l1.csv") ==
        "time,symbol,bid,bid_quantity,ask,ask_quantity\n"
        "0.000000002,BOND,1.031250000,5,,\n");
}

TEST_CASE(
    "whichever scheduler wrote which symbol, the files are the same, and the events of a symbol keep their order") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  // Sites run ahead of each other by a window, so rows come sorted by symbol, not by time; and more than fit in memory.
  constexpr std::uint32_t symbols = 7;
  constexpr std::int64_t windows = 40;
  constexpr std::int64_t window_ns = 1'000;
  std::vector<Instrument> instruments(symbols);
  for (std::uint32_t symbol = 0; symbol < symbols; ++symbol)
    instruments[symbol] = listed(symbol, std::string("S") + std::to_string(symbol), 100);

  std::vector<std::string> files;
  std::size_t rows = 0;
  for (const std::uint32_t schedulers : {1u, 2u, 4u}) {
    const Scratch scratch;
    const auto tapes = tapes_in(scratch, schedulers);
    std::array<std::uint64_t, symbols> ids{};
    rows = 0;
    for (std::int64_t window = 0; window < windows; ++window) {
      for (std::uint32_t symbol = 0; symbol < symbols; ++symbol) {
        std::mt19937_64 random(seed + static_cast<std::uint64_t>(window) * symbols + symbol);
        std::int64_t time = window * window_ns;
        while (time < (window + 1) * window_ns) {
          tapes[symbol % schedulers]->order(order(time, symbol, ++ids[symbol]));
          ++rows;
          if (random() % 2 == 0) time += static_cast<std::int64_t>(random() % 4);  // often several at one moment
        }
      }
    }
    write_tapes(scratch.folder(), tapes, instruments);
    files.push_back(scratch.read("orders.csv"));
  }

  REQUIRE(rows > 100'000);
  CHECK(files[0] == files[1]);
  CHECK(files[0] == files[2]);
  std::array<std::uint64_t, symbols> next{};
  std::string last_time_and_symbol;
  std::size_t lines = 0;
  for (std::size_t at = files[0].find('\n') + 1; at < files[0].size(); at = files[0].find('\n', at) + 1, ++lines) {
    const std::size_t symbol_at = files[0].find(',', at) + 1;
    const auto symbol = static_cast<std::size_t>(files[0][symbol_at + 1] - '0');
    const std::string time_and_symbol = files[0].substr(at, symbol_at + 2 - at);
    if (time_and_symbol < last_time_and_symbol) FAIL("out of order: " << time_and_symbol);
    last_time_and_symbol = time_and_symbol;
    const std::size_t id_at = files[0].find("accepted,", at) + 9;
    if (std::stoull(files[0].substr(id_at, 20)) != ++next[symbol]) FAIL("an event was overtaken: " << time_and_symbol);
  }
  CHECK(lines == rows);
}

TEST_CASE("a tape needs a folder, and says which it did not find") {
  CHECK_THROWS_WITH_AS(Tape("/there/is/no/such/folder"),
                       "/there/is/no/such/folder: no temporary file can be made here: No such file or directory",
                       std::system_error);
}

TEST_CASE("the folder of a run holds only whole files") {
  const Scratch scratch;
  RunFolder folder(scratch.folder() / "run");
  folder.begin();

  folder.write("manifest.json", "{\"program\": \"outcry\"}");

  CHECK(scratch.read("run/manifest.json") == "{\"program\": \"outcry\"}");
  CHECK(std::distance(std::filesystem::directory_iterator(scratch.folder() / "run"), {}) == 1);
}
