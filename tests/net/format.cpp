#include <outcry/net/format.hpp>

#include <doctest/doctest.h>

#include "files.hpp"

using namespace outcry;
using namespace outcry::test;

namespace {

std::string refusal(const std::string& path, std::optional<Format> format = {}) {
  try {
    open_records(path, format);
  } catch (const InputError& error) {
    return std::string(error.what()).substr(path.find_last_of('/') + 1);
  }
  return "opened";
}

}  // namespace

TEST_CASE("a recorded market is recognised by its content, not by its name") {
  if (missing({"lobster_aapl", "itch_head", "golden", "mbo_arl"})) return;

  CHECK(recognise(data("lobster_aapl/aapl_first_hour.itch")) == Format::itch);
  CHECK(recognise(data("itch_head/12302019_first1000.itch")) == Format::itch);
  CHECK(recognise(data("golden/itch50_aapl_20200130_10k.bin")) == Format::itch);
  CHECK(recognise(data("lobster_aapl/AAPL_2012-06-21_34200000_37800000_message_50.csv")) == Format::lobster);
  CHECK(recognise(data("lobster_aapl/AAPL_first1000_message_10.csv")) == Format::lobster);
  CHECK(recognise(data("lobster_aapl/aapl_l3_replay.csv")) == Format::csv);
  CHECK(recognise(data("mbo_arl/mbo.csv")) == Format::dbn);
}

TEST_CASE("a format is known by the name that it has on the command line") {
  for (const Format format : {Format::itch, Format::lobster, Format::dbn, Format::csv})
    CHECK(format_named(name_of(format)) == format);
  CHECK_FALSE(format_named("ITCH"));
  CHECK_FALSE(format_named(""));
  CHECK(format_names() == "itch, lobster, dbn or csv");
}

TEST_CASE("a file that is no recorded market is refused with what it seems to be") {
  const Scratch scratch;
  const auto is = [&](std::string_view bytes) { return refusal(scratch.write("x", bytes)); };
  const std::string expected = ", expected a recorded market: itch, lobster, dbn or csv";

  CHECK(is("") == "x: found an empty file" + expected);
  CHECK(is("\x1f\x8b\x08") == "x: found a file compressed with gzip" + expected);
  CHECK(is("DBN\x02") == "x: found a Databento DBN file, which is not read yet" + expected);
  CHECK(is("ts_recv,ts_event,rtype\n") == "x: found a Databento CSV that lacks columns of market by order" + expected);
  CHECK(is("ts_event,action,bid_px_00\n") == "x: found Databento's market by price as CSV" + expected);
  CHECK(is("5859400,200,5853300,18\n") == "x: found a LOBSTER order book file" + expected);
  CHECK(is("n_last,ask,ask_q,bid,bid_q\n") == "x: found states of best bid and offer (n_last,ask,...)" + expected);
  CHECK(is("Dear \x1b[31mreader,\nhello\n") == "x: found bytes that begin 44 65 61 72 20 1b 5b 33" + expected);
  CHECK(is("Dear reader,\nhello\n") == "x: found text that begins 'Dear reader,'" + expected);
  CHECK(is(std::string_view("\0\1\2", 3)) == "x: found bytes that begin 00 01 02" + expected);
}

TEST_CASE("a file of another format than the one asked for is refused with what it is") {
  const Scratch scratch;
  const std::string itch = scratch.write("x.itch", frame(itch::SystemEvent{.event = 'O'}));
  const std::string lobster = scratch.write("x.csv", "34200.1,1,7,100,5853300,1\n");

  CHECK(refusal(itch) == "opened");
  CHECK(refusal(lobster) == "opened");
  CHECK(refusal(itch, Format::itch) == "opened");
  CHECK(refusal(lobster, Format::itch) ==
        "x.csv: found a LOBSTER message file, expected ITCH 5.0 messages in BinaryFILE frames");
  CHECK(refusal(itch, Format::lobster) ==
        "x.itch: found ITCH 5.0 messages in BinaryFILE frames, expected a LOBSTER message file");
  CHECK(refusal(lobster, Format::csv) ==
        "x.csv: found a LOBSTER message file, expected an event CSV, which begins "
        "'n,time,kind,order_id,size,price,side,source'");
}
