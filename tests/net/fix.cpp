#include <outcry/net/fix.hpp>

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include <outcry/net/fix_messages.hpp>

#include "files.hpp"
#include "fix_text.hpp"
#include "pcap.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;
using fix::Framing;
using fix::Problem;
using fix::RejectReason;
using fix::Version;

namespace {

constexpr std::size_t limit = 4'096;

std::optional<Problem> problem_of(const std::string& text) {
  fix::Message message;
  return message.read(text);
}

template <class Body>
std::string written(const Body& body, Version version) {
  fix::Writer out(limit);
  out.begin(version, Body::type);
  fix::write(body, version, out);
  return readable(out.finish());
}

template <class Body>
std::optional<Problem> read_problem(const std::string& fields, Version version) {
  const std::string text = fix_text(version, fields);
  fix::Message message;
  REQUIRE_FALSE(message.read(text));
  Body body;
  return fix::read(message, version, body);
}

// Reads a message as a struct, writes the struct, and compares the bodies.
template <class Body>
void check_same(const fix::Message& message, Version version) {
  Body body;
  REQUIRE_FALSE(fix::read(message, version, body));
  fix::Writer out(limit);
  out.begin(version, message.type());
  for (const fix::Tag t : {fix::tag::sequence, fix::tag::sender, fix::tag::sending_time, fix::tag::target})
    out.put(t, message.get(t));
  fix::write(body, version, out);
  std::string expected = readable(message.bytes());
  // The capture's transaction time has no milliseconds.
  if (const std::size_t at = expected.find("|60="); at != std::string::npos) expected = expected.substr(0, at);
  const std::string ours = readable(out.finish());
  if (expected.back() == '|')
    CHECK(ours == expected);
  else
    CHECK(ours.substr(ours.find("|35=")).starts_with(expected.substr(expected.find("|35="))));
}

}  // namespace

TEST_CASE("a FIX message is whole only when its checksum has arrived") {
  const std::string text = fix_text(Version::v4_2, "35=0|34=2|49=A|52=20261121-01:55:00|56=B|");
  for (std::size_t size = 0; size < text.size(); ++size)
    CHECK(fix::frame(std::string_view(text).substr(0, size), limit).framing == Framing::partial);
  CHECK(fix::frame(text, limit).framing == Framing::whole);
  CHECK(fix::frame(text, limit).size == text.size());
  CHECK(fix::frame(text + "8=FIX.4.2", limit).size == text.size());
}

TEST_CASE("what is garbled is passed over up to the next message") {
  const std::string good = fix_text(Version::v4_2, "35=0|34=2|");
  const auto passed = [&](std::string bad) {
    bad += good;
    const fix::Framed framed = fix::frame(bad, limit);
    CHECK(framed.framing == Framing::garbled);
    return bad.size() - framed.size == good.size();
  };
  std::string wrong_sum = good;
  wrong_sum[wrong_sum.size() - 2] = wrong_sum[wrong_sum.size() - 2] == '0' ? '1' : '0';
  CHECK(passed(wrong_sum));
  CHECK(passed("junk"));
  CHECK(passed(soh("8=FIX.4.2|35=0|9=5|10=000|")));
  CHECK(passed(soh("8=FIX.4.2|9=x|35=0|10=000|")));
  CHECK(passed(soh("8=FIX.4.2|9=|35=0|10=000|")));
  CHECK(passed(soh("8=FIX.4.2|9=0|10=000|")));
  CHECK(passed(soh("8=FIX.4.2|9=5000|35=0|10=000|")));
  CHECK(passed(soh("8=FIX.4.2|9=99999999999|35=0|10=000|")));
  CHECK(passed(soh("8=FIX.4.2|9=4|35=0|10=000|")));
  CHECK(passed(soh("8=FIX.4.2|9=6|35=0|10=000|")));
  CHECK(passed(soh("8=FIX.4.2.and.so.on.and.on|9=5|35=0|10=000|")));
  CHECK(passed(soh("8=FIX.4.2|9=5|35=0|10=00|")));
  CHECK(passed(soh("8=FIX.4.2|9=5|35=0|10=1e3|")));

  CHECK(fix::frame("junk 8=FI", limit).size == 5);  // this may be a beginning
  CHECK(fix::frame("junk 8=F8", limit).size == 8);
  CHECK(fix::frame("x", limit).size == 1);
}

TEST_CASE("a message is indexed with what is wrong in it") {
  using R = RejectReason;
  const auto problem = [](std::string_view fields) { return problem_of(fix_text(Version::v4_2, fields)); };
  CHECK_FALSE(problem("35=D|34=2|49=A|11=x|58=a=b|"));
  CHECK(problem("35=D|34=2|58=|") == Problem{R::tag_without_value, 58});
  CHECK(problem("35=D|34=2|=5|") == Problem{R::invalid_tag, 0});
  CHECK(problem("35=D|34=2|58|") == Problem{R::invalid_tag, 0});
  CHECK(problem("35=D|34=2|-1=x|") == Problem{R::invalid_tag, 0});
  CHECK(problem("35=D|34=2|0=x|") == Problem{R::invalid_tag, 0});
  CHECK(problem("35=D|34=2|1234567890=x|") == Problem{R::invalid_tag, 0});
  CHECK(problem("35=D|34=2|34=3|") == Problem{R::repeated_tag, 34});
  CHECK(problem("35=D|34=2|11=x|49=A|") == Problem{R::out_of_order, 49});
  std::string many = "35=D|34=2|";
  for (int i = 0; i < 124; ++i) many += "5000=x|";
  CHECK_FALSE(problem(many));
  CHECK(problem(many + "5001=x|") == Problem{R::other, 5001});

  fix::Message message;
  const std::string broken = fix_text(Version::v4_2, "35=D|58=|34=7|");
  CHECK(message.read(broken));
  CHECK(message.sequence() == 7);
  CHECK(message.type() == "D");
  const std::string typeless = fix_text(Version::v4_2, "34=7|35=D|");
  message.read(typeless);
  CHECK(message.type().empty());
}

TEST_CASE("data may hold anything, even what ends a field, since its length is told") {
  fix::Message message;
  const std::string text = fix_text(Version::v4_2, "35=D|34=2|95=5|96=a|b=c|58=text|");
  REQUIRE_FALSE(message.read(text));
  CHECK(readable(message.get(96)) == "a|b=c");
  CHECK(message.get(58) == "text");
  CHECK(problem_of(fix_text(Version::v4_2, "35=D|34=2|95=6|96=a|b=c|")) == Problem{RejectReason::incorrect_format, 96});
  CHECK(problem_of(fix_text(Version::v4_2, "35=D|34=2|95=18446744073709551615|96=a|")) ==
        Problem{RejectReason::incorrect_format, 96});
}

TEST_CASE("prices are exact in 1/10,000, and what is finer is no price of ours") {
  struct Row {
    const char* text;
    std::optional<std::int64_t> price;
  };
  for (const Row row :
       {Row{"150.25", 1'502'500}, Row{"150", 1'500'000}, Row{"150.", 1'500'000}, Row{".5", 5'000}, Row{"-0.0001", -1},
        Row{"150.25000000", 1'502'500}, Row{"00.5", 5'000}, Row{"150.00001", std::nullopt}, Row{"", std::nullopt},
        Row{".", std::nullopt}, Row{"1e3", std::nullopt}, Row{"1,5", std::nullopt}, Row{"--1", std::nullopt},
        Row{"+1", std::nullopt}, Row{"1.2.3", std::nullopt}, Row{"99999999999999999999", std::nullopt}}) {
    CAPTURE(row.text);
    CHECK(fix::read_price(row.text) == row.price);
  }
  CHECK(fix::read_quantity("100.00") == 100);
  CHECK_FALSE(fix::read_quantity("100.5"));
  CHECK_FALSE(fix::read_quantity("-1"));

  fix::Writer out(100);
  out.begin(Version::v4_2, "x");
  for (const std::int64_t price : {1'502'500ll, 1'500'000ll, 1ll, 0ll, -5'000ll}) out.put_price(44, price);
  CHECK(readable(out.finish()).find("|44=150.25|44=150|44=0.0001|44=0|44=-0.5|") != std::string::npos);
}

TEST_CASE("times are read to the nanosecond and written to the millisecond") {
  CHECK(fix::read_time("19700101-00:00:00") == 0);
  CHECK(fix::read_time("20261121-01:55:00.493") == 1'795'226'100'493'000'000);
  CHECK(fix::read_time("20261121-01:55:00.493000001") == 1'795'226'100'493'000'001);
  CHECK(fix::read_time("20240229-23:59:60") == fix::read_time("20240301-00:00:00"));  // a leap second
  for (const char* wrong :
       {"", "20261121", "20261121 01:55:00", "20261121-24:00:00", "20261121-01:60:00", "20261121-01:55:00.4",
        "20261121-01:55:0x", "20261321-01:55:00", "20230229-01:55:00", "99991231-00:00:00", "20261121-01:55:00,493"}) {
    CAPTURE(wrong);
    CHECK_FALSE(fix::read_time(wrong));
  }
  fix::Writer out(100);
  out.begin(Version::v4_2, "x");
  out.put_time(52, 1'795'226'100'493'999'999);
  CHECK(readable(out.finish()).find("|52=20261121-01:55:00.493|") != std::string::npos);
}

TEST_CASE("a message that outgrows the writer is none") {
  fix::Writer out(20);
  out.begin(Version::v4_2, "D");
  out.put(58, "0123456");
  CHECK(out.finish().size() > 20);
  out.put(58, "0123456");
  CHECK(out.finish().empty());
  out.begin(Version::v4_2, "D");
  CHECK(readable(out.finish()) == "8=FIX.4.2|9=5|35=D|10=181|");
}

TEST_CASE("the captured FIX session is read, and written again as it was") {
  if (missing({"golden/fix.pcap"})) return;
  std::string types;
  for (const Captured& captured : read_pcap(data("golden/fix.pcap"))) {
    const std::string_view text(reinterpret_cast<const char*>(captured.payload.data()), captured.payload.size());
    CHECK(fix::frame(text, limit).size == text.size());
    fix::Message message;
    REQUIRE_FALSE(message.read(text));
    types += message.type();
    switch (message.type()[0]) {
      case 'A': check_same<fix::Logon>(message, Version::v4_2); break;
      case '5': check_same<fix::Logout>(message, Version::v4_2); break;
      case 'D': {
        fix::NewOrderSingle order;
        REQUIRE_FALSE(fix::read(message, Version::v4_2, order));
        CHECK(order.client_order_id == "ORD1");
        CHECK(order.quantity == 100);
        CHECK(order.price == fix::Decimal{1'502'500});
        CHECK(order.symbol == "AAPL");
        CHECK(order.side == '1');
        CHECK(order.transacted == fix::UtcTime{1'795'226'102'000'000'000});
        check_same<fix::NewOrderSingle>(message, Version::v4_2);
        break;
      }
      case '8': check_same<fix::ExecutionReport>(message, Version::v4_2); break;
      default: FAIL("an unexpected message");
    }
  }
  CHECK(types == "AAD855");
}

TEST_CASE("what must be in a message differs between 4.2 and 4.4") {
  using R = RejectReason;
  const std::string common = "35=D|34=2|11=c|38=100|40=1|54=1|55=AAPL|60=20261121-01:55:00|";
  const auto order = [](std::string fields, Version version) {
    return read_problem<fix::NewOrderSingle>(fields, version);
  };
  CHECK_FALSE(order(common, Version::v4_4));
  CHECK(order(common, Version::v4_2) == Problem{R::required_tag_missing, 21});
  CHECK_FALSE(order(common + "21=1|", Version::v4_2));
  for (const char* field : {"11=c|", "40=1|", "54=1|", "55=AAPL|", "60=20261121-01:55:00|"}) {
    std::string without = common;
    without.erase(without.find(field), std::string_view(field).size());
    CAPTURE(field);
    CHECK(order(without, Version::v4_4) ==
          Problem{R::required_tag_missing, static_cast<fix::Tag>(std::stoi(std::string(field).substr(0, 2)))});
  }
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string fields = common;
    fields.replace(fields.find(from), from.size(), to);
    return order(fields, Version::v4_4);
  };
  CHECK(changed("54=1", "54=?") == Problem{R::value_out_of_range, 54});
  CHECK(changed("54=1", "54=12") == Problem{R::incorrect_format, 54});
  CHECK(changed("38=100", "38=ten") == Problem{R::incorrect_format, 38});
  CHECK(changed("38=100", "38=100|38=200") == Problem{R::repeated_tag, 38});
  CHECK(changed("38=100|", "") == Problem{R::required_tag_missing, 38, true});
  CHECK(changed("60=20261121-01:55:00", "60=now") == Problem{R::incorrect_format, 60});
  CHECK(changed("40=1", "40=2") == Problem{R::required_tag_missing, 44, true});
  CHECK_FALSE(changed("40=1", "40=2|44=150.25"));

  const std::string cancel = "35=F|34=2|11=d|41=c|54=1|55=AAPL|60=20261121-01:55:00|";
  CHECK_FALSE(read_problem<fix::OrderCancelRequest>(cancel, Version::v4_2));
  CHECK(read_problem<fix::OrderCancelRequest>(cancel, Version::v4_4) == Problem{R::required_tag_missing, 38});
  CHECK_FALSE(read_problem<fix::OrderMassCancelRequest>("35=q|34=2|11=m|60=20261121-01:55:00|530=7|", Version::v4_4));
  CHECK(read_problem<fix::OrderMassCancelRequest>("35=q|34=2|11=m|60=20261121-01:55:00|", Version::v4_4) ==
        Problem{R::required_tag_missing, 530});
}

TEST_CASE("every message is written with what its version wants") {
  fix::ExecutionReport report{.average_price = {1'502'500},
                              .client_order_id = "c",
                              .cumulative_quantity = 40,
                              .execution_id = "e1",
                              .last_price = fix::Decimal{1'502'500},
                              .last_quantity = 40,
                              .order_id = "o1",
                              .quantity = 100,
                              .status = '1',
                              .side = '1',
                              .symbol = "AAPL",
                              .execution = '1',
                              .leaves_quantity = 60};
  CHECK(
      written(report, Version::v4_2)
          .find(
              "|35=8|6=150.25|11=c|14=40|17=e1|20=0|31=150.25|32=40|37=o1|38=100|39=1|54=1|55=AAPL|150=1|151=60|10=") !=
      std::string::npos);
  report.execution = 'F';
  CHECK(written(report, Version::v4_4).find("|17=e1|31=150.25|") != std::string::npos);
  CHECK(written(fix::OrderCancelReject{.client_order_id = "d",
                                       .order_id = "NONE",
                                       .status = '8',
                                       .original_client_order_id = "c",
                                       .reason = 1,
                                       .response_to = '1'},
                Version::v4_2)
            .find("|35=9|11=d|37=NONE|39=8|41=c|102=1|434=1|10=") != std::string::npos);
  CHECK(written(
            fix::OrderMassCancelReport{
                .client_order_id = "m", .order_id = "1", .request_type = '7', .response = '7', .affected = 12},
            Version::v4_4)
            .find("|35=r|11=m|37=1|530=7|531=7|533=12|10=") != std::string::npos);
  CHECK(written(fix::SequenceReset{.new_sequence = 9, .gap_fill = true}, Version::v4_4).find("|35=4|36=9|123=Y|10=") !=
        std::string::npos);
}

TEST_CASE("no bytes make the FIX reader look outside them, stand still, or lose the message behind") {
  MESSAGE("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  const std::string good = fix_text(Version::v4_4, "35=D|34=2|11=c|38=100|40=1|54=1|55=AAPL|60=20261121-01:55:00|");
  std::size_t whole = 0, sound = 0;
  for (int i = 0; i < 5'000; ++i) {
    std::string bytes = good + good;
    for (std::uint64_t changes = random() % 4; changes > 0; --changes) {
      const std::size_t at = random() % bytes.size();
      const std::size_t size = random() % 10;
      switch (random() % 3) {
        case 0: bytes[at] = "0189=\x01|x"[random() % 8]; break;
        case 1: bytes.erase(at, size); break;
        default: bytes.insert(at, bytes.substr(random() % bytes.size(), size)); break;
      }
    }
    bytes += good;
    const AtPageEnd page(bytes);
    std::string_view rest = page.text();
    while (!rest.empty()) {
      const fix::Framed framed = fix::frame(rest, limit);
      if (framed.framing == Framing::partial) break;
      REQUIRE(framed.size > 0);
      REQUIRE(framed.size <= rest.size());
      if (framed.framing == Framing::whole) {
        ++whole;
        fix::Message message;
        fix::NewOrderSingle order;
        sound += !message.read(rest.substr(0, framed.size)) && !fix::read(message, Version::v4_4, order);
      }
      rest.remove_prefix(framed.size);
    }
  }
  CHECK(whole > 5'000);
  CHECK(sound > 5'000);
}
