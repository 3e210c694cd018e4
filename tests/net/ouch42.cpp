#include <outcry/net/ouch42.hpp>

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "files.hpp"
#include "golden.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;

namespace {

// The fields of a message in the order and with the names that the dissector gives them. `act` either reads or writes.
// What it does not know (G, F, N) is not there.
template <class Act, class Message>
void each_field(Act& act, Message& m) {
  constexpr char code = std::remove_const_t<Message>::code;
  constexpr bool outbound = requires { m.timestamp; };
  constexpr bool lists_order = outbound && (code == 'A' || code == 'U');
  if constexpr (outbound) act("timestamp", m.timestamp);
  if constexpr (outbound && code == 'S') act("eventcode", m.event);
  if constexpr (code == 'U' && !outbound) {
    act.padded("existingordertoken", m.token);
    act.padded("replacementordertokentoken14", m.new_token);
  } else if constexpr (code == 'U') {
    act.padded("replacementordertokenalphanumeric14", m.token);
  } else if constexpr (code != 'S') {
    act.padded("ordertoken", m.token);
  }
  if constexpr (lists_order) {
    act("buysellindicator", m.side);
    act("shares", m.shares);
    act("stock", m.stock);
    act.price("price", m.price, 4);
    act("timeinforce", m.time_in_force);
    act("firm", m.firm);
    act("display", m.display);
    act("orderreferencenumber", m.order);
    act("capacity", m.capacity);
    act("intermarketsweepeligibility", m.intermarket_sweep);
    act("minimumquantity", m.minimum_quantity);
    act("crosstype", m.cross);
    act("orderstate", m.state);
    if constexpr (code == 'U') act.padded("previousordertoken", m.previous_token);
    act("bboweightindicator", m.bbo_weight);
  } else if constexpr (code == 'O') {
    act("buysellindicator", m.side);
    act("shares", m.shares);
    act("stock", m.stock);
    act.price("price", m.price, 4);
    act("timeinforce", m.time_in_force);
    act("firm", m.firm);
    act("display", m.display);
    act("capacity", m.capacity);
    act("intermarketsweepeligibility", m.intermarket_sweep);
    act("minimumquantity", m.minimum_quantity);
    act("crosstype", m.cross);
    act("customertype", m.customer);
  } else if constexpr (code == 'U') {
    act("shares", m.shares);
    act.price("price", m.price, 4);
    act("timeinforce", m.time_in_force);
    act("display", m.display);
    act("intermarketsweepeligibility", m.intermarket_sweep);
    act("minimumquantity", m.minimum_quantity);
  } else if constexpr (code == 'X') {
    act("shares", m.shares);
  } else if constexpr (code == 'M') {
    act("buysellindicator", m.side);
    act("shares", m.shares);
  } else if constexpr (code == 'C' || code == 'D') {
    act("decrementshares", m.decrement);
    act("cancelorderreason", m.reason);
    if constexpr (code == 'D') {
      act("quantitypreventedfromtrading", m.prevented);
      act("executionprice", m.execution_price);
      act("liquidityflag", m.liquidity);
    }
  } else if constexpr (code == 'E') {
    act("executedshares", m.shares);
    act("executionprice", m.price);
    act("liquidityflag", m.liquidity);
    act("matchnumber", m.match);
  } else if constexpr (code == 'B') {
    act("matchnumber", m.match);
    act("brokentradereason", m.reason);
  } else if constexpr (code == 'J') {
    act("rejectedorderreason", m.reason);
  } else if constexpr (code == 'T') {
    act.price("price", m.price, 4);
    act("display", m.display);
    act("orderreferencenumber", m.order);
  }
}

template <class Set>
std::string check_vectors(const char* direction) {
  std::string types;
  for (const GoldenMessage& golden : read_golden_messages("golden/ouch42_handmade_omi.json", direction)) {
    CAPTURE(golden.type);
    const auto decoded = ouch42::decode<Set>(golden.bytes);
    if (golden.bytes.size() == 6) {  // "Xunseq": a packet of unsequenced data, no OUCH
      CHECK(decoded.fault == ouch42::Fault::wrong_size);
      continue;
    }
    REQUIRE(decoded);
    decoded.message.visit([&]<class Message>(const Message& message) {
      Reads reads;
      each_field(reads, message);
      CHECK(reads.fields == golden.fields);

      Message written;
      Writes writes{golden.fields};
      each_field(writes, written);
      const auto bytes = ouch42::encode(written);
      CHECK(std::vector<std::byte>(bytes.begin(), bytes.end()) == golden.bytes);
      CHECK(writes.next == golden.fields.size());
    });
    types += golden.type;
  }
  return types;
}

const ouch42::EnterOrder sound{.token = "T1",
                               .side = ouch::Side::buy,
                               .shares = 100,
                               .stock = "AAPL",
                               .price = 1'500'000,
                               .time_in_force = ouch42::system_hours,
                               .display = 'Y',
                               .capacity = ouch::Capacity::agency};

}  // namespace

TEST_CASE("OUCH 4.2 is read and written as an independent dissector reads it") {
  if (missing({"golden/ouch42_handmade_omi.json"})) return;

  CHECK(check_vectors<ouch42::Inbound>("unsequenced") == "OUXM");
  CHECK(check_vectors<ouch42::Outbound>("sequenced") == "SAUCDEBJPITM");
}

TEST_CASE("OUCH 4.2's times in force are the numbers of the capture") {
  if (missing({"golden/tif.pcap"})) return;
  const std::string file = contents(data("golden/tif.pcap"));
  // The messages begin with their letter and token; the time is 32 bytes behind.
  std::vector<std::uint32_t> times, prices;
  for (std::size_t at = file.find("OTOK1"); at != std::string::npos; at = file.find("OTOK1", at + 1)) {
    const auto decoded = ouch42::decode_inbound(as_bytes(std::string_view(file).substr(at, 49)));
    REQUIRE(decoded);
    times.push_back(decoded.message.as<ouch42::EnterOrder>().time_in_force);
    prices.push_back(decoded.message.as<ouch42::EnterOrder>().price);
  }
  using namespace ouch42;
  CHECK(times ==
        std::vector<std::uint32_t>{immediate_or_cancel, 100, market_hours, system_hours, system_hours, system_hours});
  CHECK(prices == std::vector<std::uint32_t>{1'500'000, 1'500'000, 1'500'000, 1'500'000, market_price, 2'000'000'000});
}

TEST_CASE("an OUCH 4.2 message is decoded only at its own size, and only in its own direction") {
  const auto check = []<class Set>(Set, std::size_t count) {
    std::size_t types = 0;
    for (unsigned type = 0; type < 256; ++type) {
      std::vector<std::byte> bytes(100, std::byte{0});
      bytes[0] = std::byte(type);
      const std::size_t size = Set::size_of(static_cast<char>(type));
      types += size != 0;
      for (std::size_t length = 1; length <= bytes.size(); ++length)
        CHECK(ouch42::decode<Set>(std::span(bytes).first(length)).fault == (size == 0 ? ouch42::Fault::unknown_type
                                                                            : size == length
                                                                                ? ouch42::Fault::none
                                                                                : ouch42::Fault::wrong_size));
    }
    CHECK(types == count);
    CHECK(ouch42::decode<Set>({}).fault == ouch42::Fault::empty);
  };
  check(ouch42::Inbound{}, 5);
  check(ouch42::Outbound{}, 14);
}

TEST_CASE("OUCH 4.2 refuses what no market could take, and says why") {
  using Reason = ouch42::RejectReason;
  const auto changed = [](auto change) {
    ouch42::EnterOrder order = sound;
    change(order);
    return ouch42::check(order);
  };
  CHECK(ouch42::check(sound) == Reason::none);
  CHECK(changed([](auto& o) { o.price = ouch42::market_price; }) == Reason::none);
  CHECK(changed([](auto& o) { o.stock = ""; }) == Reason::invalid_stock);
  CHECK(changed([](auto& o) { o.shares = 0; }) == Reason::shares_exceed_threshold);
  CHECK(changed([](auto& o) { o.shares = 1'000'000; }) == Reason::shares_exceed_threshold);
  CHECK(changed([](auto& o) { o.price = 0; }) == Reason::invalid_price);
  CHECK(changed([](auto& o) { o.price = 2'000'000'000; }) == Reason::invalid_price);
  CHECK(changed([](auto& o) { o.minimum_quantity = 101; }) == Reason::invalid_minimum_quantity);
  CHECK(changed([](auto& o) { o.cross = ouch::Cross{'?'}; }) == Reason::invalid_cross);
  CHECK(changed([](auto& o) { o.display = '?'; }) == Reason::invalid_display);
  CHECK(changed([](auto& o) { o.side = ouch::Side{'?'}; }) == Reason::other);
  CHECK(changed([](auto& o) { o.time_in_force = 100'000; }) == Reason::other);
}

TEST_CASE("no bytes make the OUCH 4.2 decoder look outside them") {
  MESSAGE("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  std::size_t decoded = 0;
  for (int i = 0; i < 20'000; ++i) {
    constexpr std::string_view types = "OUXMNSACDEGFBJPIT";
    const char type = types[random() % types.size()];
    const std::size_t size = random() % 2 ? ouch42::Inbound::size_of(type) : ouch42::Outbound::size_of(type);
    std::string bytes(size + random() % 2, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    if (!bytes.empty()) bytes[0] = type;
    const AtPageEnd page(bytes);
    Reads reads;
    const auto read = [&]<class Message>(const Message& message) {
      ++decoded;
      each_field(reads, message);
    };
    ouch42::decode_inbound(as_bytes(page.text())).message.visit(read);
    ouch42::decode_outbound(as_bytes(page.text())).message.visit(read);
  }
  CHECK(decoded > 1000);
}
