#include <outcry/actors/venue_config.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/scratch.hpp"

using namespace outcry;
using outcry_test::Scratch;

namespace {

const char* const sound =
    "schedulers = 2\n"                                                                         // 1
    "[[instrument]]\nsymbol = \"AAPL\"\ntick = 100\nscheduler = 1\n"                           // 2 to 5
    "[[instrument]]\nsymbol = \"MSFT\"\n"                                                      // 6, 7
    "[[gateway]]\nname = \"ouch\"\nprotocol = \"ouch50\"\naddress = \"127.0.0.1:7001\"\n"      // 8 to 11
    "[[gateway]]\nname = \"fix\"\nprotocol = \"fix\"\naddress = \"127.0.0.1:0\"\n"             // 12 to 15
    "[[account]]\nuser = \"ALICE\"\npassword = \"s3cret!\"\ngateways = [\"ouch\"]\n"           // 16 to 19
    "symbols = \"AAPL\"\ngrace = \"2s\"\n"                                                     // 20, 21
    "[account.limits]\nquantity = 500\norders_per_second = 10\norders_burst = 5\n"             // 22 to 25
    "[[account]]\nuser = \"BOB\"\npassword = \"pass\"\n"                                       // 26 to 28
    "[[feed]]\nsession = \"ITCH\"\na = \"239.1.2.3:31001\"\nrequests = \"127.0.0.1:31003\"\n"  // 29 to 32
    "[metrics]\naddress = \"127.0.0.1:9100\"\n";                                               // 33, 34

/// What is said of a venue's file, with its folder left out; nothing if it is sound.
std::string complaint(const std::string& text) {
  const Scratch scratch;
  const std::string path = scratch.write("venue.toml", text);
  try {
    VenueConfig::read(path);
  } catch (const std::runtime_error& error) {
    const std::string what = error.what();
    REQUIRE(what.starts_with(path));
    return what.substr(path.size());
  }
  return "";
}

std::string with(const std::string& part, const std::string& other) {
  std::string text = sound;
  const auto at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, part.size(), other);
}

VenueConfig read(const std::string& text) {
  const Scratch scratch;
  return VenueConfig::read(scratch.write("venue.toml", text));
}

}  // namespace

TEST_CASE("the example venue that comes with the program is sound, and what it says is what is meant") {
  const VenueConfig venue = VenueConfig::read(std::string(OUTCRY_SOURCE) + "/examples/venue.toml");

  CHECK(venue.name == "OUTCRY");
  CHECK(venue.session == "DAY1");
  CHECK(venue.schedulers == 1);
  REQUIRE(venue.instruments.size() == 3);
  CHECK(name_of(venue.instruments[0].instrument) == "AAPL");
  CHECK(venue.instruments[0].instrument.tick == 100);
  CHECK(venue.instruments[2].instrument.symbol == SymbolId{2});
  REQUIRE(venue.gateways.size() == 3);
  CHECK(venue.gateways[0].protocol == VenueConfig::Protocol::ouch50);
  CHECK(venue.gateways[1].protocol == VenueConfig::Protocol::ouch42);
  CHECK(venue.gateways[2].protocol == VenueConfig::Protocol::fix);
  for (const VenueConfig::Gateway& gateway : venue.gateways) CHECK(gateway.address.is_loopback());
  REQUIRE(venue.accounts.size() == 66);
  CHECK(venue.accounts[0].limits.quantity == 100'000);
  CHECK(venue.accounts[1].gateways.size() == 3);
  CHECK(venue.accounts[1].symbols.size() == 3);
  REQUIRE(venue.feeds.size() == 1);
  CHECK(venue.feeds[0].symbols.size() == 3);
  CHECK(venue.feeds[0].requests->port() == 0);
  CHECK(venue.metrics.address.has_value());
  CHECK_FALSE(venue.rules.has_value());
  CHECK_FALSE(venue.day.has_value());
}

TEST_CASE("what a venue's file leaves out has a value, and lists are as good as texts with commas") {
  const VenueConfig venue = read(sound);

  CHECK(venue.instruments[1].scheduler == -1);
  CHECK(venue.instruments[1].instrument.lot == 1);
  CHECK(venue.accounts[0].gateways == std::vector<std::uint32_t>{0});
  CHECK(venue.accounts[0].symbols == std::vector<SymbolId>{SymbolId{0}});
  CHECK(venue.accounts[0].grace == std::chrono::seconds(2));
  CHECK(venue.accounts[0].limits.orders.burst == 5);
  CHECK(venue.accounts[0].comp_id == "ALICE");
  CHECK(venue.accounts[1].gateways == std::vector<std::uint32_t>{0, 1});
  CHECK(venue.feeds[0].symbols == std::vector<SymbolId>{SymbolId{0}, SymbolId{1}});
  CHECK(venue.feeds[0].interface == "127.0.0.1");
}

TEST_CASE("one account in the file can be many, told apart by their number") {
  const VenueConfig venue = read(with("user = \"BOB\"", "user = \"B#\"\ncomp_id = \"FIRM-#\"\ncopies = 3"));

  REQUIRE(venue.accounts.size() == 4);
  CHECK(venue.accounts[1].user == "B1");
  CHECK(venue.accounts[3].user == "B3");
  CHECK(venue.accounts[3].comp_id == "FIRM-3");
  CHECK(venue.accounts[3].symbols.size() == 2);
}

TEST_CASE("groups of accounts and a day give the books rules") {
  const VenueConfig grouped = read(with("password = \"pass\"\n", "password = \"pass\"\ngroup = 7\n"));
  REQUIRE(grouped.rules.has_value());
  CHECK(grouped.rules->groups == std::vector<std::uint32_t>{0, 0, 7});

  const VenueConfig day = read(std::string(sound) +
                               "[rules]\nself_trade = \"cancel_newest\"\n[day]\ncounted_from = \"midnight\"\n"
                               "opening_to = \"9h30m\"\n");
  REQUIRE(day.day.has_value());
  CHECK(day.day->opening_to == std::chrono::minutes(570));
  CHECK(day.day_from_midnight);
  CHECK(day.rules->self_trade == SelfTrade::cancel_newest);
}

TEST_CASE("each wrong key of a venue's file is one sentence with its line and what was expected") {
  struct Case {
    std::string text;
    std::string sentence;
  };
  const std::vector<Case> cases{
      {with("schedulers = 2", "schedulers = 0"), ", line 1: schedulers is 0, expected a whole number from 1 to 256"},
      {with("schedulers = 2", "schedulres = 2"), ", line 1: there is no key schedulres, did you mean schedulers?"},
      {with("schedulers = 2", "idle = \"rest\""),
       ", line 1: idle is \"rest\", expected one of sleep, spin_then_sleep, spin"},
      {with("schedulers = 2", "session = \"ELEVENCHARS\""), ", line 1: session is \"ELEVENCHARS\", expected"},
      {"feed = 3\n", ", line 1: feed is no list of tables, expected [[feed]]"},
      {"feed = [3]\n", ", line 1: feed holds something else than tables, expected [[feed]]"},
      {with("schedulers = 2", "name = [\"A\"]"), ", line 1: name is a value of another kind (array), expected"},
      {with("symbol = \"AAPL\"", "symbol = \"NINECHARS\""),
       ", line 3: instrument.symbol is \"NINECHARS\", expected what is traded: 1 to 8 characters without spaces"},
      {with("symbol = \"AAPL\"\n", ""), ", line 2: instrument.symbol is missing, expected what is traded"},
      {with("symbol = \"MSFT\"", "symbol = \"AAPL\""),
       ", line 7: instrument.symbol is \"AAPL\", which line 3 has already, expected another"},
      {with("tick = 100", "tick = 0.01"), ", line 4: instrument.tick is 0.01, expected a whole number from 1"},
      {with("tick = 100", "tik = 100"), ", line 4: there is no key instrument.tik, did you mean instrument.tick?"},
      {with("tick = 100", "lowest = 500\nhighest = 400"),
       ", line 5: instrument.highest is 400, expected no less than lowest, 500"},
      {with("scheduler = 1", "scheduler = 2"),
       ", line 5: instrument.scheduler is 2, expected a whole number from 0 to 1: there are 2 schedulers"},
      {with("protocol = \"ouch50\"", "protocol = \"ouch51\""),
       ", line 10: gateway.protocol is \"ouch51\", expected one of ouch50, ouch42, fix"},
      {with("name = \"fix\"", "name = \"ouch\""), ", line 13: gateway.name is \"ouch\", which line 9 has already"},
      {with("address = \"127.0.0.1:7001\"", "address = \"localhost\""),
       ", line 11: gateway.address is \"localhost\", expected an address such as \"127.0.0.1:7001\""},
      {with("address = \"127.0.0.1:7001\"", "address = 7001"), ", line 11: gateway.address is 7001, expected"},
      {with("address = \"127.0.0.1:7001\"", "address = \"127.0.0.1:70010\""), ", line 11: gateway.address is"},
      {with("address = \"127.0.0.1:7001\"", "address = \"0.0.0.0:7001\""),
       ", line 11: gateway.address is 0.0.0.0:7001, which other machines can reach; expected one of 127.0.0.0/8 or "
       "::1, or beyond_loopback = true"},
      {with("address = \"127.0.0.1:0\"", "address = \"127.0.0.1:7001\""),
       ", line 15: gateway.address is 127.0.0.1:7001, which gateway.address in line 11 is already, expected another"},
      {with("address = \"127.0.0.1:9100\"", "address = \"127.0.0.1:7001\""),
       ", line 34: metrics.address is 127.0.0.1:7001, which gateway.address in line 11 is already"},
      {with("name = \"ouch\"\n", "name = \"ouch\"\ncomp_id = \"X\"\n"),
       ", line 10: gateway.comp_id is of protocol fix, and this one is ouch50"},
      {with("user = \"BOB\"", "user = \"alice\""),
       ", line 27: account.user is \"alice\", which line 17 has already, expected another"},
      {with("user = \"BOB\"", "user = \"SEVENTH\""), ", line 27: account.user is \"SEVENTH\", expected who logs in"},
      {with("user = \"BOB\"", "user = \"B#\""),
       ", line 27: account.user is \"B#\", expected a # in it if there is account.copies, and only then"},
      {with("user = \"BOB\"", "user = \"BOB\"\ncopies = 3"), ", line 28: account.user is \"BOB\", expected a # in it"},
      {with("user = \"BOB\"", "user = \"BOBBY#\"\ncopies = 10"),
       ", line 28: account.copies is 10, and account.user would be \"BOBBY10\", expected 1 to 6 characters"},
      {with("user = \"BOB\"", "user = \"ALICE#\"\ncopies = 1\npassword = \"x\"\n[[account]]\nuser = \"alice1\""),
       ", line 31: account.user is \"alice1\", which line 27 has already"},
      {with("gateways = [\"ouch\"]", "gateways = [\"ouhc\"]"),
       ", line 19: account.gateways names \"ouhc\", which there is not, did you mean ouch?"},
      {with("gateways = [\"ouch\"]", "gateways = [\"ouch\", \"ouch\"]"),
       ", line 19: account.gateways names \"ouch\" twice"},
      {with("gateways = [\"ouch\"]", "gateways = [3]"),
       ", line 19: account.gateways is a value of another kind (array)"},
      {with("symbols = \"AAPL\"", "symbols = \"IBM\""),
       ", line 20: account.symbols names \"IBM\", which there is not; expected some of AAPL, MSFT"},
      {with("grace = \"2s\"", "grace = 2"), ", line 21: account.grace is 2, expected a duration from 0"},
      {with("grace = \"2s\"", "grace = \"2s\"\ncancel_on_disconnect = false"),
       ", line 21: account.grace is of cancel_on_disconnect, which is false here"},
      {with("orders_burst = 5\n", ""),
       ", line 24: account.limits.orders_per_second is given without account.limits.orders_burst, expected both or "
       "none"},
      {with("[account.limits]", "[account.limts]"),
       ", line 22: there is no key account.limts, did you mean account.limits?"},
      {with("quantity = 500", "quantity = -1"),
       ", line 23: account.limits.quantity is -1, expected a whole number from 0"},
      {with("a = \"239.1.2.3:31001\"", "a = \"239.1.2.3:0\""),
       ", line 31: feed.a is 239.1.2.3:0, expected the port of who listens"},
      {with("a = \"239.1.2.3:31001\"\n", "a = \"239.1.2.3:31001\"\nb = \"239.1.2.3:31001\"\n"),
       ", line 32: feed.b is 239.1.2.3:31001, which feed.a in line 31 is already"},
      {with("a = \"239.1.2.3:31001\"", "a = \"10.0.0.1:31001\""), ", line 31: feed.a is 10.0.0.1:31001, which other"},
      {with("a = \"239.1.2.3:31001\"\n", "a = \"239.1.2.3:31001\"\ninterface = \"10.0.0.1\"\n"),
       ", line 32: feed.interface is 10.0.0.1:0, which other machines can reach"},
      {with("requests = \"127.0.0.1:31003\"", "requests = \"239.1.2.3:31003\""),
       ", line 32: feed.requests is 239.1.2.3:31003, expected an address of this machine, not of a group"},
      {with("[metrics]", "[[feed]]\nsession = \"TWO\"\na = \"127.0.0.1:31009\"\n[metrics]"),
       ", line 33: feed.symbols is left out, and every symbol has a feed already"},
      {with("[[feed]]\n", "[[feed]]\nflush = \"2\"\n"), ", line 30: feed.flush is \"2\", expected a duration"},
      {with("[metrics]\n", "[metrics]\nport = 3\n"), ", line 34: there is no key metrics.port"},
      {with("[metrics]\n", "[day]\nopening_from = \"2m\"\nopening_to = \"1m\"\n[metrics]\n"),
       ", line 33: [day] makes no sense: the opening auction must not end before it begins"},
      {"schedulers = 1\n[[gateway]]\nname = \"x\"\nprotocol = \"fix\"\naddress = \"127.0.0.1:0\"\n",
       ", line 1: there is no [[instrument]], expected one with its symbol"},
      {"[[instrument]]\nsymbol = \"A\"\n", ", line 1: there is no [[gateway]] and no [[feed]]"},
      {"schedulers = = 1\n", ", line 1: is not TOML"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    const std::string said = complaint(one.text);
    CAPTURE(one.sentence);
    CHECK(said.substr(0, one.sentence.size()) == one.sentence);
    CHECK(said.find('\n') == std::string::npos);
  }
  CHECK(complaint(sound).empty());
}

TEST_CASE("doors that other machines can reach are opened only when that was asked for") {
  CHECK(complaint("beyond_loopback = true\n" + with("\"127.0.0.1:7001\"", "\"0.0.0.0:7001\"")).empty());
  CHECK(complaint("beyond_loopback = true\n" + with("\"127.0.0.1:7001\"", "\"[::]:7001\"")).empty());
}

TEST_CASE("a datagram's port may be the port of a connection") {
  CHECK(complaint(with("requests = \"127.0.0.1:31003\"", "requests = \"127.0.0.1:7001\"")).empty());
}

TEST_CASE("no password is in a sentence about its line") {
  for (const char* wrong :
       {"password = \"much_too_long_hunter2\"", "password = \"\"", "password = 12345678", "password = true",
        "password = hunter2", "password = \"hunter2", "password = 'hunter2\"", "password = thunter2",
        "password = [\"hunter2\"]", "password = \"with space hunter2\"", "password = {hunter2=1}"}) {
    CAPTURE(std::string(wrong));
    const std::string said = complaint(with("password = \"s3cret!\"", wrong));
    CAPTURE(said);
    CHECK(said.starts_with(", line 18: "));
    for (const char* part : {"hunter", "12345678", "true", "thun"}) CHECK(said.find(part) == std::string::npos);
  }
}

TEST_CASE("a file that is not there, and a folder, are said by name") {
  const Scratch scratch;
  CHECK_THROWS_WITH_AS(VenueConfig::read(scratch.path("none.toml")),
                       (scratch.path("none.toml") + ": cannot be opened: No such file or directory").c_str(),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(VenueConfig::read(scratch.folder()),
                       (scratch.folder().string() + ": is a folder, expected a TOML file").c_str(), std::runtime_error);
}
