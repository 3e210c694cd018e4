// An account at all doors of a venue: its limits, its session, the operator who stops it, and how it is told that the day
// is over. Clients are no actors.
#include <outcry/actors/exchange.hpp>

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "fix_customer.hpp"
#include "ouch_customer.hpp"
#include "tests/scratch.hpp"

using namespace outcry;
using outcry_test::ask_page;
using outcry_test::big;
using outcry_test::enter_order;
using outcry_test::FixCustomer;
using outcry_test::OuchCustomer;
using outcry_test::Scratch;
using Kind = ExchangeDoor::Kind;
constexpr auto v4_2 = fix::Version::v4_2, v4_4 = fix::Version::v4_4;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// ALICE and BOB at doors for OUCH 5.0, OUCH 4.2 and FIX, on two schedulers.
class Venue {
 public:
  /// Lines for the top of the file, and for each account; `limits` for its limits.
  explicit Venue(const std::string& top = {}, const std::string& account = {}, const std::string& limits = {}) {
    std::string text =
        top +
        "\nschedulers = 2\nidle = \"sleep\"\n[[instrument]]\nsymbol = \"AAPL\"\ntick = 100\nscheduler = 1\n"
        "[[gateway]]\nname = \"ouch\"\nprotocol = \"ouch50\"\naddress = \"127.0.0.1:0\"\nscheduler = 0\n"
        "[[gateway]]\nname = \"ouch42\"\nprotocol = \"ouch42\"\naddress = \"127.0.0.1:0\"\nscheduler = 1\n"
        "[[gateway]]\nname = \"fix\"\nprotocol = \"fix\"\naddress = \"127.0.0.1:0\"\nscheduler = 1\n"
        "[metrics]\naddress = \"127.0.0.1:0\"\n"
        "[sizes]\norders = 1000\nport_orders = 128\nport_ids = 128\nmessages = 4096\n"
        "message_bytes = 1048576\ndrain = \"5s\"\n";
    for (const char* user : {"ALICE", "BOB"})
      text += std::string("[[account]]\nuser = \"") + user + "\"\npassword = \"secret\"\nfirm = \"ACME\"\n" + account +
              "\n[account.limits]\n" + limits + "\n";
    exchange_.emplace(VenueConfig::read(scratch_.write("venue.toml", text)), [](std::string_view) {});
    exchange_->start();
  }
  std::string at(const char* gateway) const { return exchange_->door(Kind::gateway, gateway)->at.text(); }
  std::string pages() const { return exchange_->door(Kind::metrics)->at.text(); }
  std::string metrics() const { return ask_page(pages(), "/metrics"); }
  std::string state() const {
    const std::string page = ask_page(pages(), "/kill");
    return page.substr(page.find("\r\n\r\n") + 4);
  }
  /// The answer's status and sentence.
  std::string posts(const std::string& target) const {
    const std::string page = ask_page(pages(), target, "POST");
    return page.substr(9, 3) + " " + page.substr(page.find("\r\n\r\n") + 4);
  }
  ExchangeReport end() {
    exchange_->drain();
    return exchange_->join();
  }
  Exchange& exchange() { return *exchange_; }

 private:
  Scratch scratch_;
  std::optional<Exchange> exchange_;
};

/// Logged in, or not.
bool logs_in(OuchCustomer& customer, const std::string& user = "ALICE", const std::string& sequence = "0") {
  customer.log_in(user, "secret", sequence);
  return customer.packet().starts_with("A");
}
bool logs_on(FixCustomer& customer, const std::string& more = "141=Y") {
  customer.log_on("secret", more);
  return contains(customer.hears(), "|35=A|");
}
/// A login that waits until the desk has heard of the end of the session before.
void comes_in(const std::string& at, std::optional<OuchCustomer>& customer, const std::string& user = "ALICE") {
  for (int attempt = 0; attempt < 1'000; ++attempt) {
    customer.emplace(at);
    if (logs_in(*customer, user)) return;
  }
  FAIL("the desk lets nobody in");
}

}  // namespace

TEST_CASE("an account's limits hold for all of its doors together, and are given back by whichever of them cancels") {
  Venue venue({}, "cancel_on_disconnect = false", "position = 100\nopen_orders = 3");
  OuchCustomer ouch(venue.at("ouch"));
  REQUIRE(logs_in(ouch));
  ouch.send_packet('U', enter_order(1, 'B', "AAPL", 990'000, 60));
  CHECK(ouch.packet().starts_with("SA"));

  FixCustomer fix44(venue.at("fix"), "ALICE", v4_4);
  REQUIRE(logs_on(fix44));
  fix44.enter("a", '1', 41, "99");
  CHECK(contains(fix44.hears(), "|150=8|"));  // a position of 101, were all of it to trade
  fix44.enter("b", '1', 39, "99");
  CHECK(contains(fix44.hears(), "|150=0|"));

  FixCustomer fix42(venue.at("fix"), "ALICE", v4_2);
  REQUIRE(logs_on(fix42));
  fix42.enter("c", '1', 2, "99");
  std::string refused = fix42.hears();
  CHECK(contains(refused, "|150=8|"));
  CHECK(contains(refused, "|103=3|"));
  fix42.enter("d", '1', 1, "99");
  CHECK(contains(fix42.hears(), "|150=0|"));
  fix42.enter("e", '2', 1, "120");
  CHECK(contains(fix42.hears(), "|103=3|"));  // the fourth that would be open
  // Bob has limits of his own.
  OuchCustomer bob(venue.at("ouch42"));
  CHECK(logs_in(bob, "BOB"));

  OuchCustomer again(venue.at("ouch"));
  REQUIRE(logs_in(again));
  again.send_packet('U', "X" + big(1, 4) + big(0, 4));
  CHECK(again.packet().starts_with("SC"));
  FixCustomer after(venue.at("fix"), "ALICE", v4_4);
  REQUIRE(logs_on(after));
  after.enter("f", '1', 60, "99");
  CHECK(contains(after.hears(), "|150=0|"));
  CHECK(contains(venue.metrics(), "outcry_refused_total{reason=\"position\"} 2\n"));
}

TEST_CASE("an account has one session at all doors together: the newest one, and the older one is told") {
  Venue venue;
  OuchCustomer first(venue.at("ouch"));
  REQUIRE(logs_in(first));
  OuchCustomer second(venue.at("ouch42"));
  REQUIRE(logs_in(second));
  CHECK(contains(first.packet(), "elsewhere"));  // a debug packet
  CHECK(first.packet().empty());

  FixCustomer third(venue.at("fix"), "ALICE", v4_4);
  REQUIRE(logs_on(third));
  CHECK(contains(second.packet(), "elsewhere"));
  CHECK(second.packet().empty());

  FixCustomer fourth(venue.at("fix"), "ALICE", v4_2);
  REQUIRE(logs_on(fourth));
  const std::string told = third.hears();
  CHECK(contains(told, "|35=5|"));
  CHECK(contains(told, "|58=the account has logged in elsewhere|"));
  CHECK(third.hears().empty());

  // A wrong password takes nobody's place, and another account's opens only its own port.
  FixCustomer wrong(venue.at("fix"), "ALICE", v4_4);
  wrong.log_on("wander");
  CHECK(contains(wrong.hears(), "|58=not authorized|"));
  CHECK(wrong.hears().empty());
  FixCustomer other(venue.at("fix"), "ALICE", v4_4);
  other.says("A", "98=0 108=30 141=Y 553=BOB 554=secret");
  CHECK(contains(other.hears(), "|58=not authorized|"));
  fourth.enter("a", '1', 10, "99");
  CHECK(contains(fourth.hears(), "|150=0|"));
}

TEST_CASE("where the older session is to be kept, a newer login is refused at every door, until that one has ended") {
  Venue venue("newest_login_wins = false");
  OuchCustomer first(venue.at("ouch"));
  REQUIRE(logs_in(first));
  OuchCustomer second(venue.at("ouch42"));
  second.log_in("ALICE", "secret");
  CHECK(second.packet() == "JA");
  FixCustomer third(venue.at("fix"), "ALICE", v4_4);
  third.log_on("secret");
  CHECK(contains(third.hears(), "|58=not authorized|"));
  first.send_packet('U', enter_order(1));
  CHECK(first.packet().starts_with("SA"));

  first.send_packet('O');
  std::optional<OuchCustomer> later;
  comes_in(venue.at("ouch42"), later);
}

TEST_CASE(
    "an operator stops an account at all of its doors, by a page; a restart remembers it, and another page lets go") {
  const Scratch scratch;
  const std::string top = "kill_switch = \"" + scratch.path("kill") + "\"\n";
  {
    Venue venue(top, "cancel_on_disconnect = false");
    CHECK(venue.state() == "{\"engaged\":[],\"remembered\":true}\n");
    OuchCustomer alice(venue.at("ouch"));
    REQUIRE(logs_in(alice));
    alice.send_packet('U', enter_order(1));
    CHECK(alice.packet().starts_with("SA"));

    CHECK(venue.posts("/kill?account=alice&why=fat+fingers%21") == "200 account ALICE is stopped\n");
    CHECK(alice.packet().starts_with("SC"));
    alice.send_packet('U', enter_order(2));
    const std::string refused = alice.packet();
    CHECK(refused.starts_with("SJ"));
    CHECK(refused.substr(14, 2) == big(0x0C, 2));  // not authorized
    // A cancel is nobody's to refuse: it finds nothing, and is passed over.
    alice.send_packet('U', "X" + big(1, 4) + big(0, 4));
    alice.send_packet('U', "Q");
    CHECK(alice.packet().starts_with("SQ"));

    FixCustomer by_fix(venue.at("fix"), "ALICE", v4_4);
    REQUIRE(logs_on(by_fix));
    by_fix.enter("a", '1', 10, "99");
    const std::string said = by_fix.hears();
    CHECK(contains(said, "|103=0|"));
    CHECK(contains(said, "|58=order entry is disabled|"));
    by_fix.says("F", "11=b 41=a 38=10 54=1 55=AAPL 60=" + FixCustomer::stamp());
    CHECK(contains(by_fix.hears(), "|35=9|"));
    OuchCustomer bob(venue.at("ouch"));
    REQUIRE(logs_in(bob, "BOB"));
    bob.send_packet('U', enter_order(1));
    CHECK(bob.packet().starts_with("SA"));

    CHECK(venue.posts("/kill?account=ALICE") == "200 account ALICE was already stopped\n");
    const std::string state = venue.state();
    CHECK(state.starts_with("{\"engaged\":[{\"account\":\"ALICE\",\"since\":\"20"));
    CHECK(state.ends_with("Z\",\"why\":\"fat fingers!\"}],\"remembered\":true}\n"));
    by_fix.says("5");
    venue.end();
  }
  Venue venue(top);
  CHECK(contains(venue.state(), "\"account\":\"ALICE\""));
  OuchCustomer alice(venue.at("ouch42"));
  REQUIRE(logs_in(alice));
  OuchCustomer again(venue.at("ouch"));
  REQUIRE(logs_in(again));
  again.send_packet('U', enter_order(1));
  CHECK(again.packet().starts_with("SJ"));

  CHECK(venue.posts("/release?account=ALICE") == "200 account ALICE may go on\n");
  CHECK(venue.posts("/release?account=ALICE") == "200 account ALICE was not stopped\n");
  again.send_packet('U', enter_order(2));
  CHECK(again.packet().starts_with("SA"));
  CHECK(venue.posts("/kill?firm=ACME&why=no%20margin") == "200 firm ACME is stopped\n");
  CHECK(again.packet().starts_with("SC"));
  CHECK(venue.posts("/kill?all") == "200 the venue is stopped\n");
  CHECK(venue.posts("/release?firm=ACME") == "200 firm ACME may go on\n");
  again.send_packet('U', enter_order(3));
  CHECK(again.packet().starts_with("SJ"));
  CHECK(venue.posts("/release?all") == "200 the venue may go on\n");
  again.send_packet('U', enter_order(4));
  CHECK(again.packet().starts_with("SA"));
}

TEST_CASE("what an operator asks for that makes no sense is one sentence, and stops nobody") {
  Venue venue;
  const std::string forms = "expected account=NAME, firm=NAME or all";
  CHECK(venue.posts("/kill") == "422 nobody is named, " + forms + "\n");
  CHECK(venue.posts("/kill?why=x") == "422 nobody is named, " + forms + "\n");
  CHECK(venue.posts("/kill?account=CAROL") == "422 there is no account \"CAROL\"\n");
  CHECK(venue.posts("/kill?firm=ACM") == "422 there is no firm \"ACM\"\n");
  CHECK(venue.posts("/kill?all&account=BOB") ==
        "422 there is more than one of account=NAME, firm=NAME or all, expected one\n");
  CHECK(venue.posts("/kill?all=yes") == "422 all is \"yes\", expected nothing behind it\n");
  CHECK(venue.posts("/kill?acount=BOB") == "422 \"acount\" is not understood, " + forms + ", and why=TEXT once\n");
  CHECK(venue.posts("/release?account=BOB&why=x") == "422 \"why\" is not understood, " + forms + "\n");
  CHECK(venue.posts("/kill?account=%4") == "422 account has a % without the two digits of a character behind it\n");
  CHECK(venue.posts("/metrics") == "405 there is nothing to be done here\n");
  CHECK(contains(ask_page(venue.pages(), "/release?all"), "HTTP/1.1 405 "));
  CHECK(contains(ask_page(venue.pages(), "/kill?all", "POST", "Origin: http://elsewhere\r\n"), "HTTP/1.1 403 "));
  CHECK(venue.state() == "{\"engaged\":[],\"remembered\":false}\n");
  CHECK(venue.posts("/kill?account=BOB") ==
        "200 account BOB is stopped, until the venue is restarted: it has no kill_switch file\n");
}

TEST_CASE("FIX is counted like every other door, and the end of the day waits for its clients to leave") {
  Venue venue;
  FixCustomer alice(venue.at("fix"), "ALICE", v4_4);
  REQUIRE(logs_on(alice));
  FixCustomer bob(venue.at("fix"), "BOB", v4_2);
  REQUIRE(logs_on(bob));
  alice.enter("a", '1', 10, "99");
  CHECK(contains(alice.hears(), "|150=0|"));
  alice.enter("a", '1', 10, "99");
  CHECK(contains(alice.hears(), "|103=6|"));
  OuchCustomer junk(venue.at("fix"));
  junk.send("GET / HTTP/1.1\r\n\r\n");
  CHECK(junk.all().empty());
  const std::string metrics = venue.metrics();
  for (const char* sample :
       {"outcry_sessions{gateway=\"fix\"} 2\n", "outcry_connections{gateway=\"fix\"} 2\n",
        "outcry_connections_accepted_total{gateway=\"fix\"} 3\n", "outcry_logins_total{gateway=\"fix\"} 2\n",
        "outcry_logins_failed_total{gateway=\"fix\",reason=\"broken\"} 1\n", "outcry_orders_total{gateway=\"fix\"} 2\n",
        "outcry_answers_total{gateway=\"fix\"} 2\n", "outcry_rejected_total{gateway=\"fix\"} 1\n",
        "outcry_ignored_total{gateway=\"fix\"} 1\n", "outcry_open_orders{gateway=\"fix\"} 1\n"}) {
    CAPTURE(std::string(sample));
    CHECK(contains(metrics, sample));
  }

  venue.exchange().drain();
  CHECK(contains(alice.hears(), "|150=4|"));  // cancelled
  const std::string leaving = alice.hears();
  CHECK(contains(leaving, "|35=5|"));
  CHECK(contains(leaving, "|58=the venue closes|"));
  CHECK(contains(bob.hears(), "|35=5|"));
  // Whoever has been asked to leave may still say something; the venue is there until he has answered.
  alice.enter("b", '1', 10, "99");
  CHECK(contains(alice.hears(), "|58=the session is being ended|"));
  alice.says("5");
  CHECK(alice.hears().empty());
  bob.says("5");
  CHECK(bob.hears().empty());
  const ExchangeReport report = venue.exchange().join();
  CHECK(report.in_time);
  CHECK(report.fix_messages == 3);
  CHECK(report.ouch_messages == 0);
}

TEST_CASE("a FIX client that does not answer holds the end of the day up to its deadline, and no longer") {
  Venue venue;
  VenueConfig config = venue.exchange().config();
  config.sizes.drain = std::chrono::milliseconds(200);
  for (VenueConfig::Gateway& gateway : config.gateways) gateway.address = Endpoint::loopback();
  Exchange exchange(std::move(config), [](std::string_view) {});
  exchange.start();
  FixCustomer alice(exchange.door(Kind::gateway, "fix")->at.text(), "ALICE", v4_4);
  REQUIRE(logs_on(alice));
  exchange.drain();
  const ExchangeReport report = exchange.join();
  CHECK_FALSE(report.in_time);
  CHECK(contains(alice.hears(), "|35=5|"));
  CHECK(alice.hears().empty());
}
