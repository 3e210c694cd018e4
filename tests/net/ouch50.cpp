#include <outcry/net/ouch50.hpp>

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include <outcry/net/ouch50_checks.hpp>

#include "files.hpp"
#include "golden.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;
using ouch50::Tag;

namespace {

// The fields of a message in the order and with the names that the dissector gives them. `act` either reads or writes.
// What the dissector does not know is not there: the revision of 2024, and the strategy of an AIQ cancel.
template <class Act, class Message>
void each_field(Act& act, Message& m) {
  constexpr char code = std::remove_const_t<Message>::code;
  constexpr bool outbound = requires { m.timestamp; };
  if constexpr (outbound) act("timestamp", m.timestamp);
  if constexpr (requires { m.original_user_ref; }) act("origuserrefnum", m.original_user_ref);
  if constexpr (requires { m.user_ref; }) act("userrefnum", m.user_ref);
  if constexpr (requires { m.next_user_ref; }) act("nextuserrefnum", m.next_user_ref);
  if constexpr (outbound && code == 'S') act("eventcode", m.event);
  if constexpr (code == 'O' || (outbound && (code == 'A' || code == 'U'))) {
    act("side", m.side);
    act("quantity", m.quantity);
    act("symbol", m.symbol);
    act.price("price", m.price, 4);
    act("timeinforce", m.time_in_force);
    act("display", m.display);
    if constexpr (outbound) act("orderreferencenumber", m.order);
    act("capacity", m.capacity);
    act("intermarketsweepeligibility", m.intermarket_sweep);
    act("crosstype", m.cross);
    if constexpr (outbound) act("orderstate", m.state);
    act("clordid", m.client_order_id);
  } else if constexpr (code == 'U') {
    act("quantity", m.quantity);
    act.price("price", m.price, 4);
    act("timeinforce", m.time_in_force);
    act("display", m.display);
    act("intermarketsweepeligibility", m.intermarket_sweep);
    act("clordid", m.client_order_id);
  } else if constexpr (code == 'X' && !outbound) {
    act("quantity", m.quantity);
  } else if constexpr (code == 'M') {
    act("side", m.side);
    act("quantity", m.quantity);
  } else if constexpr (code == 'C' && outbound) {
    act("quantity", m.decrement);
    act("cancelorderreason", m.reason);
  } else if constexpr (code == 'D' && outbound) {
    act("decrementshares", m.decrement);
    act("ordercancelreason", m.reason);
    act("quantitypreventedfromtrading", m.prevented);
    act.price("executionprice", m.execution_price, 4);
    act("liquidityflag", m.liquidity);
  } else if constexpr (code == 'E' && outbound) {
    act("quantity", m.quantity);
    act.price("price", m.price, 4);
    act("liquidityflag", m.liquidity);
    act("matchnumber", m.match);
  } else if constexpr (code == 'B') {
    act("matchnumber", m.match);
    act("brokentradereason", m.reason);
    act("clordid", m.client_order_id);
  } else if constexpr (code == 'J') {
    act("rejectedorderreason", m.reason);
    act("clordid", m.client_order_id);
  } else if constexpr (code == 'T') {
    act.price("price", m.price, 4);
    act("display", m.display);
    act("orderreferencenumber", m.order);
  } else if constexpr (code == 'R') {
    act("orderrestatedreason", m.reason);
  }
  if constexpr (requires { m.options_size; }) act("appendagelength", m.options_size);
}

const char* name_of(Tag tag) {
  switch (tag) {
    case Tag::firm: return "firm";
    case Tag::minimum_quantity: return "minqty";
    case Tag::maximum_floor: return "maxfloor";
    case Tag::bbo_weight: return "bboweightindicator";
    case Tag::display_quantity: return "displayquantity";
    default: return "?";
  }
}

const char* option_field(char type, bool outbound) {
  if (!outbound) return type == 'O' ? "enterorderoptionalfield" : "replaceorderoptionalfield";
  return type == 'A' ? "orderacceptedoptionalfield" : "orderrestatedoptionalfield";
}

void read_options(Reads& reads, const ouch50::Appendage& options, const char* field) {
  options.each([&](const ouch50::Option& option) {
    reads.fields.emplace_back("optionalfieldlength", std::to_string(1 + option.value.size()));
    reads.fields.emplace_back(field, std::to_string(static_cast<int>(option.tag)));
    ouch50::each_tag([&](auto tag) {
      if (tag.value != option.tag) return;
      ouch50::ValueOf<tag.value> value = *options.get<tag.value>();
      if constexpr (requires { reads("", value); }) reads(name_of(tag.value), value);
    });
  });
}

ouch50::OptionList written_options(Writes& writes, const char* field) {
  ouch50::OptionList options;
  while (writes.next < writes.fields.size()) {
    writes.value("optionalfieldlength");
    const int number = std::stoi(writes.value(field));
    ouch50::each_tag([&](auto tag) {
      if (static_cast<int>(tag.value) != number) return;
      ouch50::ValueOf<tag.value> value{};
      if constexpr (requires { writes("", value); }) writes(name_of(tag.value), value);
      options.add<tag.value>(value);
    });
  }
  return options;
}

template <class Message>
std::vector<std::byte> encoded(const Message& message, const ouch50::OptionList& options = {}) {
  std::vector<std::byte> bytes(sizeof(Message) + 2 + options.bytes().size());
  bytes.resize(ouch50::encode(message, bytes, options));
  return bytes;
}

template <class Decode>
std::string check_vectors(const char* direction, bool outbound, Decode decode) {
  std::string types;
  for (const GoldenMessage& golden : read_golden_messages("golden/ouch5_handmade_omi.json", direction)) {
    CAPTURE(golden.type);
    const auto decoded = decode(golden.bytes);
    if (golden.bytes.size() == 6) {  // "Xunseq": a packet of unsequenced data, no OUCH
      CHECK(decoded.fault == ouch50::Fault::wrong_size);
      continue;
    }
    REQUIRE(decoded);
    decoded.message.visit([&]<class Message>(const Message& message) {
      const char* field = option_field(golden.type, outbound);
      Reads reads;
      each_field(reads, message);
      read_options(reads, decoded.appendage, field);
      CHECK(reads.fields == golden.fields);

      Message written;
      Writes writes{golden.fields};
      each_field(writes, written);
      if constexpr (requires { written.strategy; }) written.strategy = 'C';
      CHECK(encoded(written, written_options(writes, field)) == golden.bytes);
      CHECK(writes.next == golden.fields.size());
    });
    types += golden.type;
  }
  return types;
}

const ouch50::EnterOrder sound{.user_ref = 1,
                               .side = ouch::Side::buy,
                               .quantity = 100,
                               .symbol = "AAPL",
                               .price = 1'500'000,
                               .time_in_force = ouch50::TimeInForce::day,
                               .display = ouch50::Display::visible,
                               .capacity = ouch::Capacity::agency,
                               .client_order_id = "C1"};

}  // namespace

TEST_CASE("OUCH 5.0 is read and written as an independent dissector reads it, options included") {
  if (missing({"golden/ouch5_handmade_omi.json"})) return;

  CHECK(check_vectors("unsequenced", false, ouch50::decode_inbound) == "OUXMQ");
  CHECK(check_vectors("sequenced", true, ouch50::decode_outbound) == "SAUCDEBJPITMRQ");
}

TEST_CASE("an option is on the wire as in a real capture: 05 02 LIME behind its length") {
  const std::vector<std::byte> bytes =
      encoded(ouch50::ReplaceOrder{.user_ref = 2}, ouch50::OptionList().add<Tag::firm>("LIME"));
  CHECK(std::vector(bytes.end() - 8, bytes.end()) == from_hex("000605024C494D45"));
}

TEST_CASE("every option that is written is read back, whatever message it is behind") {
  ouch50::OptionList options;
  options.add<Tag::secondary_order_reference>(1ull << 40).add<Tag::firm>("LIME").add<Tag::minimum_quantity>(50);
  options.add<Tag::customer_type>('R').add<Tag::maximum_floor>(60).add<Tag::price_type>('P').add<Tag::peg_offset>(-125);
  options.add<Tag::discretion_price>(1'500'100).add<Tag::discretion_price_type>('L');
  options.add<Tag::discretion_peg_offset>(-1).add<Tag::post_only>('P').add<Tag::random_reserves>(7);
  options.add<Tag::route>("SCAN").add<Tag::expire_time>(57'600).add<Tag::trade_now>('Y').add<Tag::handling>('I');
  options.add<Tag::bbo_weight>('2').add<Tag::display_quantity>(10).add<Tag::display_price>(1'500'200);
  options.add<Tag::group>(9).add<Tag::shares_located>('Y').add<Tag::locate_broker>("BRKR").add<Tag::side>('B');
  options.add<Tag::user_ref_index>({200}).add<Tag::aiq_strategy>('C').add<Tag::aiq_group>("AB");

  std::size_t tried = 0;
  const auto check = [&]<class Message>(const Message& message, auto decode) {
    if (Message::options == ouch50::Options::never) return;
    const std::vector<std::byte> bytes = encoded(message, options);
    CAPTURE(Message::code);
    const auto decoded = decode(bytes);
    REQUIRE(decoded);
    CHECK(decoded.message.type() == Message::code);
    const ouch50::Appendage& read = decoded.appendage;
    CHECK(*read.get<Tag::secondary_order_reference>() == 1ull << 40);
    CHECK(read.get<Tag::firm>()->text() == "LIME");
    CHECK(*read.get<Tag::peg_offset>() == -125);
    CHECK(*read.get<Tag::discretion_price>() == 1'500'100);
    CHECK(*read.get<Tag::customer_type>() == 'R');
    CHECK(*read.get<Tag::group>() == 9);
    CHECK(*read.get<Tag::user_ref_index>() == 200);
    CHECK(read.get<Tag::aiq_group>()->text() == "AB");
    std::size_t count = 0;
    read.each([&](const ouch50::Option&) { ++count; });
    CHECK(count == 26);
    ++tried;
  };
  ouch50::Inbound::each([&](const auto& message) { check(message, ouch50::decode_inbound); });
  ouch50::Outbound::each([&](const auto& message) { check(message, ouch50::decode_outbound); });
  CHECK(tried == 24);
  CHECK(options.bytes().size() == ouch50::OptionList::capacity);
}

TEST_CASE("cancels and answers may have options since 2024, and need none") {
  const ouch50::CancelOrder cancel{.user_ref = 5};

  CHECK(encoded(cancel).size() == 9);
  CHECK(encoded(cancel, ouch50::OptionList().add<Tag::user_ref_index>({3})).size() == 9 + 2 + 3);
  CHECK_FALSE(ouch50::decode_inbound(encoded(cancel)).appendage.has<Tag::user_ref_index>());
  // A length of no options behind the message is as good as none.
  CHECK(ouch50::decode_inbound(from_hex("5800000005000000000000")));
  CHECK(ouch50::decode_inbound(from_hex("58000000050000000000")).fault == ouch50::Fault::wrong_size);
}

TEST_CASE("options that do not fit are refused, tags of later revisions are passed over") {
  const auto fault = [](const char* hex) {
    std::vector<std::byte> bytes = encoded(sound);
    const std::vector<std::byte> options = from_hex(hex);
    bytes[46] = static_cast<std::byte>(options.size());
    bytes.insert(bytes.end(), options.begin(), options.end());
    return ouch50::decode_inbound(bytes).fault;
  };
  using ouch50::Fault;
  CHECK(fault("05024C494D45") == Fault::none);
  CHECK(fault("0363ABCD") == Fault::none);  // a tag that nobody knows
  CHECK(fault("0163") == Fault::none);      // without a value
  CHECK(fault("0363ABCD"
              "05024C494D45") == Fault::none);
  CHECK(fault("00") == Fault::wrong_options);              // no room for a tag
  CHECK(fault("05") == Fault::wrong_options);              // ends behind the length
  CHECK(fault("05024C494D") == Fault::wrong_options);      // ends in the value
  CHECK(fault("06024C494D4545") == Fault::wrong_options);  // a firm of five letters
  CHECK(fault("0102") == Fault::wrong_options);            // of none
  CHECK(fault("05024C494D45"
              "05024C494D45") == Fault::wrong_options);  // twice
  std::string many;
  for (int i = 0; i < 32; ++i) many += "0163";
  CHECK(fault(many.c_str()) == Fault::none);
  CHECK(fault((many + "0163").c_str()) == Fault::wrong_options);

  std::vector<std::byte> bytes = encoded(sound);
  bytes[46] = std::byte{1};
  CHECK(ouch50::decode_inbound(bytes).fault == Fault::wrong_size);
  bytes.pop_back();
  CHECK(ouch50::decode_inbound(bytes).fault == Fault::wrong_size);
}

TEST_CASE("a letter means another message in each direction, and a size fits only one") {
  const auto check = [](auto set, auto decode, std::size_t count) {
    using Set = decltype(set);
    std::size_t types = 0;
    for (unsigned type = 0; type < 256; ++type) {
      std::vector<std::byte> bytes(100, std::byte{0});
      bytes[0] = std::byte(type);
      const std::size_t size = Set::size_of(static_cast<char>(type));
      types += size != 0;
      CHECK((decode(std::span(bytes).first(std::max<std::size_t>(size, 1))).fault == ouch50::Fault::none) ==
            (size != 0));
      if (size > 1) CHECK(decode(std::span(bytes).first(size - 1)).fault == ouch50::Fault::wrong_size);
      if (size != 0) CHECK(decode(std::span(bytes).first(size + 1)).fault == ouch50::Fault::wrong_size);
    }
    CHECK(types == count);
    CHECK(decode(std::span<const std::byte>{}).fault == ouch50::Fault::empty);
  };
  check(ouch50::Inbound{}, ouch50::decode_inbound, 8);
  check(ouch50::Outbound{}, ouch50::decode_outbound, 17);
}

TEST_CASE("OUCH 5.0 refuses what no market could take, with its reason") {
  using Reason = ouch50::RejectReason;
  const auto checked = [](auto change, const ouch50::OptionList& options = {}) {
    ouch50::EnterOrder order = sound;
    change(order);
    const std::vector<std::byte> bytes = encoded(order, options);
    const auto decoded = ouch50::decode_inbound(bytes);
    return ouch50::check(decoded.message.as<ouch50::EnterOrder>(), decoded.appendage);
  };
  const auto with = [&](const ouch50::OptionList& options) { return checked([](auto&) {}, options); };
  using List = ouch50::OptionList;

  CHECK(with({}) == Reason::none);
  CHECK(checked([](auto& o) { o.side = ouch::Side{'X'}; }) == Reason::invalid_side);
  CHECK(checked([](auto& o) { o.quantity = 0; }) == Reason::invalid_quantity);
  CHECK(checked([](auto& o) { o.quantity = 999'999; }) == Reason::none);
  CHECK(checked([](auto& o) { o.quantity = 1'000'000; }) == Reason::invalid_quantity);
  CHECK(checked([](auto& o) { o.symbol = ""; }) == Reason::invalid_symbol);
  CHECK(checked([](auto& o) { o.price = 0; }) == Reason::invalid_price);
  CHECK(checked([](auto& o) { o.price = 1'999'999'900; }) == Reason::none);
  CHECK(checked([](auto& o) { o.price = 1'999'999'901; }) == Reason::invalid_price);
  CHECK(checked([](auto& o) { o.price = 2'000'000'000; }) == Reason::none);  // at the market
  CHECK(checked([](auto& o) { o.price = UINT64_MAX; }) == Reason::none);
  CHECK(checked([](auto& o) { o.display = ouch50::Display::conformant; }) == Reason::invalid_display);
  CHECK(checked([](auto& o) { o.cross = ouch::Cross{'?'}; }) == Reason::invalid_cross);
  CHECK(checked([](auto& o) { o.intermarket_sweep = ouch::YesNo{'?'}; }) == Reason::iso_not_allowed);
  CHECK(checked([](auto& o) { o.capacity = ouch::Capacity{'?'}; }) == Reason::other);
  CHECK(checked([](auto& o) { o.time_in_force = ouch50::TimeInForce{'9'}; }) == Reason::other);
  CHECK(checked([](auto& o) { o.time_in_force = ouch50::TimeInForce::until_time; }) == Reason::other);
  CHECK(checked([](auto& o) { o.time_in_force = ouch50::TimeInForce::until_time; },
                List().add<Tag::expire_time>(86'399)) == Reason::none);
  CHECK(with(List().add<Tag::expire_time>(86'400)) == Reason::other);
  CHECK(with(List().add<Tag::minimum_quantity>(100)) == Reason::none);
  CHECK(with(List().add<Tag::minimum_quantity>(101)) == Reason::invalid_minimum_quantity);
  CHECK(with(List().add<Tag::maximum_floor>(101)) == Reason::invalid_maximum_floor);
  CHECK(with(List().add<Tag::price_type>('?')) == Reason::invalid_peg_type);
  CHECK(with(List().add<Tag::peg_offset>(1)) == Reason::pegging_not_allowed);
  CHECK(with(List().add<Tag::peg_offset>(-1).add<Tag::price_type>('R')) == Reason::none);
  CHECK(checked([](auto& o) { o.price = 0; }, List().add<Tag::price_type>('M')) == Reason::none);
  CHECK(with(List().add<Tag::post_only>('?')) == Reason::other);
}

TEST_CASE("a modification may mark a short sale, and nothing else about the side") {
  using ouch::Side;
  std::string allowed;
  for (const char from : {'B', 'S', 'T', 'E'})
    for (const char to : {'B', 'S', 'T', 'E'})
      if (from != to && ouch50::may_become(Side{from}, Side{to})) allowed += std::string{from, to, ' '};
  CHECK(allowed == "ST SE ET ");
}

TEST_CASE("no bytes make the OUCH 5.0 decoder look outside them") {
  MESSAGE("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  std::size_t decoded = 0, with_options = 0;
  for (int i = 0; i < 20'000; ++i) {
    constexpr std::string_view types = "OUXMQCDESABJPITRGK";
    const char type = types[random() % types.size()];
    const std::size_t size = random() % 2 ? ouch50::Inbound::size_of(type) : ouch50::Outbound::size_of(type);
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    if (!bytes.empty()) bytes[0] = type;
    // Options that are mostly nearly right.
    std::string options;
    while (random() % 3 != 0) {
      const auto tag = static_cast<Tag>(random() % 34);
      const std::size_t value = ouch50::value_size(tag) + (random() % 16 == 0);
      options += static_cast<char>(1 + value);
      options += static_cast<char>(tag);
      for (std::size_t n = 0; n < value; ++n) options += static_cast<char>(random());
    }
    if (size >= 2 && random() % 2) bytes.resize(size - 2);
    bytes += {static_cast<char>(options.size() >> 8), static_cast<char>(options.size())};
    if (random() % 8 != 0) bytes += options;
    const AtPageEnd page(bytes);
    const auto read = [&](const auto& result) {
      Reads reads;
      result.message.visit([&](const auto& message) { each_field(reads, message); });
      ouch50::each_tag([&](auto tag) { with_options += result.appendage.template has<tag.value>(); });
      decoded += bool(result);
    };
    read(ouch50::decode_inbound(as_bytes(page.text())));
    read(ouch50::decode_outbound(as_bytes(page.text())));
  }
  CHECK(decoded > 1000);
  CHECK(with_options > 100);
}
