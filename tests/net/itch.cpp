#include <outcry/net/itch.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "files.hpp"
#include "golden.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;

namespace {

// The fields of a message in the order and with the names that the dissector gives them. `act` either reads or writes.
template <class Act, class Message>
void each_field(Act& act, Message& m) {
  constexpr char code = std::remove_const_t<Message>::code;
  act(code == 'Y' ? "locatecode" : "stocklocate", m.header.stock_locate);
  act("trackingnumber", m.header.tracking_number);
  act("timestamp", m.header.timestamp);
  if constexpr (code == 'S') {
    act("eventcode", m.event);
  } else if constexpr (code == 'R') {
    act("stock", m.stock);
    act("marketcategory", m.market_category);
    act("financialstatusindicator", m.financial_status);
    act("roundlotsize", m.round_lot_size);
    act("roundlotsonly", m.round_lots_only);
    act("issueclassification", m.issue_classification);
    act("issuesubtype", m.issue_subtype);
    act("authenticity", m.authenticity);
    act("shortsalethresholdindicator", m.short_sale_threshold);
    act("ipoflag", m.ipo_flag);
    act("luldreferencepricetier", m.luld_tier);
    act("etpflag", m.etp_flag);
    act("etpleveragefactor", m.etp_leverage);
    act("inverseindicator", m.inverse);
  } else if constexpr (code == 'H') {
    act("stock", m.stock);
    act("tradingstate", m.state);
    act("reserved", m.reserved);
    act("reasoncode", m.reason);
  } else if constexpr (code == 'Y') {
    act("stock", m.stock);
    act("regshoaction", m.action);
  } else if constexpr (code == 'L') {
    act("mpid", m.mpid);
    act("stock", m.stock);
    act("primarymarketmaker", m.primary_market_maker);
    act("marketmakermode", m.mode);
    act("marketparticipantstate", m.state);
  } else if constexpr (code == 'V') {
    act.price("level1", m.level1, 8);
    act.price("level2", m.level2, 8);
    act.price("level3", m.level3, 8);
  } else if constexpr (code == 'W') {
    act("breachedlevel", m.breached_level);
  } else if constexpr (code == 'K') {
    act("stock", m.stock);
    act("ipoquotationreleasetime", m.release_time_s);
    act("ipoquotationreleasequalifier", m.release_qualifier);
    act.price("ipoprice", m.price, 4);
  } else if constexpr (code == 'J') {
    act("stock", m.stock);
    act.price("auctioncollarreferenceprice", m.reference_price, 4);
    act.price("upperauctioncollarprice", m.upper_price, 4);
    act.price("lowerauctioncollarprice", m.lower_price, 4);
    act("auctioncollarextension", m.extension);
  } else if constexpr (code == 'h') {
    act("stock", m.stock);
    act("marketcode", m.market);
    act("operationalhaltaction", m.action);
  } else if constexpr (code == 'A' || code == 'F') {
    act("orderreferencenumber", m.order);
    act("buysellindicator", m.side);
    act("shares", m.shares);
    act("stock", m.stock);
    act.price("price", m.price, 4);
    if constexpr (code == 'F') act("attribution", m.attribution);
  } else if constexpr (code == 'E' || code == 'C') {
    act("orderreferencenumber", m.order);
    act("executedshares", m.shares);
    act("matchnumber", m.match);
    if constexpr (code == 'C') {
      act("printable", m.printable);
      act.price("executionprice", m.price, 4);
    }
  } else if constexpr (code == 'X') {
    act("orderreferencenumber", m.order);
    act("canceledshares", m.shares);
  } else if constexpr (code == 'D') {
    act("orderreferencenumber", m.order);
  } else if constexpr (code == 'U') {
    act("originalorderreferencenumber", m.order);
    act("neworderreferencenumber", m.new_order);
    act("shares", m.shares);
    act.price("price", m.price, 4);
  } else if constexpr (code == 'P') {
    act("orderreferencenumber", m.order);
    act("buysellindicator", m.side);
    act("shares", m.shares);
    act("stock", m.stock);
    act.price("price", m.price, 4);
    act("matchnumber", m.match);
  } else if constexpr (code == 'Q') {
    act("crossshares", m.shares);
    act("stock", m.stock);
    act.price("crossprice", m.price, 4);
    act("matchnumber", m.match);
    act("crosstype", m.cross);
  } else if constexpr (code == 'B') {
    act("matchnumber", m.match);
  } else if constexpr (code == 'I') {
    act("pairedshares", m.paired_shares);
    act("imbalanceshares", m.imbalance_shares);
    act("imbalancedirection", m.direction);
    act("stock", m.stock);
    act.price("farprice", m.far_price, 4);
    act.price("nearprice", m.near_price, 4);
    act.price("currentreferenceprice", m.reference_price, 4);
    act("crosstype", m.cross);
    act("pricevariationindicator", m.price_variation);
  } else if constexpr (code == 'N') {
    act("stock", m.stock);
    act("interestflag", m.interest);
  } else if constexpr (code == 'O') {
    act("stock", m.stock);
    act("openeligibilitystatus", m.open_eligible);
    act.price("minimumallowableprice", m.lowest_price, 4);
    act.price("maximumallowableprice", m.highest_price, 4);
    act.price("nearexecutionprice", m.near_price, 4);
    act("nearexecutiontime", m.near_time);
    act.price("lowerpricerangecollar", m.lower_collar, 4);
    act.price("upperpricerangecollar", m.upper_collar, 4);
  }
}

struct Vector {
  char type;
  std::vector<std::byte> bytes;
  Fields fields;
};

// The messages of the packets (session 10, sequence 8, count 2; then length 2 and message), each with what the
// dissector read.
std::vector<Vector> golden_vectors() {
  std::vector<Vector> vectors;
  for (const auto& packet : nlohmann::json::parse(contents(data("golden/itch5_handmade_omi.json")))) {
    const std::string hex = packet["payload_hex"];
    std::vector<std::byte> payload;
    for (std::size_t i = 0; i < hex.size(); i += 2)
      payload.push_back(std::byte(std::stoi(hex.substr(i, 2), nullptr, 16)));

    std::size_t at = 20;
    const auto& fields = packet["fields"];
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i][0] != "messagetype") continue;
      const std::size_t length =
          std::to_integer<std::size_t>(payload.at(at)) << 8 | std::to_integer<std::size_t>(payload.at(at + 1));
      Vector vector{fields[i][1].get<std::string>().at(0), {}, {}};
      vector.bytes.assign(payload.begin() + static_cast<std::ptrdiff_t>(at + 2),
                          payload.begin() + static_cast<std::ptrdiff_t>(at + 2 + length));
      at += 2 + length;
      for (i += 2; i < fields.size() && fields[i][0] != "messageindex";
           ++i)  // + 2: the name of the message follows its type
        vector.fields.emplace_back(fields[i][0], fields[i][1]);
      vectors.push_back(std::move(vector));
    }
  }
  return vectors;
}

}  // namespace

TEST_CASE("all 23 ITCH messages are read as an independent dissector reads them") {
  if (missing({"golden/itch5_handmade_omi.json"})) return;

  std::string types;
  for (const Vector& vector : golden_vectors()) {
    CAPTURE(vector.type);
    const itch::Decoded decoded = itch::decode(vector.bytes);
    REQUIRE(decoded);
    CHECK(decoded.message.type() == vector.type);
    CHECK(decoded.message.timestamp() == 34'200'123'456'789u);
    CHECK(decoded.message.bytes().size() == vector.bytes.size());

    Reads reads;
    decoded.message.visit([&](const auto& message) { each_field(reads, message); });

    CHECK(reads.fields == vector.fields);
    types += vector.type;
  }
  CHECK(types ==
        "SRHYLVWKJhAFECXDUPQBINO"
        "SRHYLVWKJh");
}

TEST_CASE("all 23 ITCH messages are written as the bytes that the dissector was given") {
  if (missing({"golden/itch5_handmade_omi.json"})) return;

  std::size_t written = 0;
  for (const Vector& vector : golden_vectors()) {
    CAPTURE(vector.type);
    const auto write = [&]<class Message>(Message message) {
      if (Message::code != vector.type) return;
      Writes writes{vector.fields};
      each_field(writes, message);

      const auto bytes = itch::encode(message);

      CHECK(std::vector<std::byte>(bytes.begin(), bytes.end()) == vector.bytes);
      CHECK(writes.next == vector.fields.size());
      ++written;
    };
    std::apply([&](const auto&... message) { (write(message), ...); }, itch::Messages{});
  }
  CHECK(written == 33);
}

TEST_CASE("a message is decoded only at its own size") {
  std::size_t types = 0;
  for (unsigned type = 0; type < 256; ++type) {
    std::vector<std::byte> bytes(64, std::byte{0});
    bytes[0] = std::byte(type);
    const std::size_t size = itch::size_of(static_cast<char>(type));
    types += size != 0;
    for (std::size_t length = 1; length <= bytes.size(); ++length) {
      const auto fault = itch::decode(std::span(bytes).first(length)).fault;
      CHECK(fault == (size == 0        ? itch::Fault::unknown_type
                      : size == length ? itch::Fault::none
                                       : itch::Fault::wrong_size));
    }
  }
  CHECK(types == 23);
  CHECK(itch::decode({}).fault == itch::Fault::empty);
}

TEST_CASE("a price of the wire keeps every bit") {
  CHECK(BigEndian<2>(0xfedc).value() == 0xfedc);
  CHECK(BigEndian<4>(0xfedcba98).value() == 0xfedcba98);
  CHECK(BigEndian<6>(0xfedcba987654).value() == 0xfedcba987654);
  CHECK(BigEndian<8>(0xfedcba9876543210).value() == 0xfedcba9876543210);
}

// The shape of a libFuzzer entry: whatever the bytes are, decoding and reading every field stays inside them.
static int fuzz_itch_decoder(const std::uint8_t* bytes, std::size_t size) {
  const itch::Decoded decoded = itch::decode({reinterpret_cast<const std::byte*>(bytes), size});
  Reads reads;
  decoded.message.visit([&](const auto& message) { each_field(reads, message); });
  CHECK(bool(decoded) == !reads.fields.empty());
  return 0;
}

TEST_CASE("no bytes make the ITCH decoder look outside them") {
  MESSAGE("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  constexpr std::string_view types = "SRHYLVWKJhAFECXDUPQBINO";
  std::size_t decoded = 0;
  for (int i = 0; i < 20'000; ++i) {
    const char type = types[random() % types.size()];
    // Mostly a known type at about its size. A vector of exactly that size, so that a sanitizer sees a step outside.
    std::vector<std::uint8_t> bytes(random() % 4 == 0 ? random() % 64
                                                      : itch::size_of(type) + random() % 3 - random() % 2);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    if (!bytes.empty() && random() % 8 != 0) bytes[0] = static_cast<std::uint8_t>(type);
    fuzz_itch_decoder(bytes.data(), bytes.size());
    decoded += bool(itch::decode({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}));
  }
  CHECK(decoded > 1000);
}
