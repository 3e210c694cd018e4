// A FIX port in front of books: what a client says and what it is told, message for message.
#include <outcry/actors/fix_port.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <outcry/actors/kill_desk.hpp>

#include "fix_venue.hpp"
#include "tests/net/fix_text.hpp"

using namespace outcry;
using namespace outcry::test;
using fix::Version;
using Status = FixPort::Status;

namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t morning = 1'795'226'100'000'000'000;  // 20261121-01:55:00
constexpr AccountId mara{1}, otto{2};
using Lines = std::vector<std::string>;

/// What a message says, without its header, checksum and times, and in order of meaning: type first.
std::string said(const fix::Message& message) {
  std::string line(message.type());
  for (const fix::Field& field : message.fields()) {
    const fix::Tag t = field.tag;
    if (fix::is_header(t) && t != 43) continue;
    if (t == 60) continue;
    line += " " + std::to_string(t) + "=" + std::string(field.value);
  }
  return line;
}

/// One client with its port; the other side of its trades is an account without one.
struct Client {
  Version version;
  FixVenue& venue;
  FixPortOptions options;
  std::int64_t now = 0;
  std::unique_ptr<FixPort> port;
  ByteBuffer out{1 << 16};
  int number = 0;
  Status status = Status::open;
  std::string input{};

  Client(FixVenue& v, FixPortOptions o = {}, Version which = Version::v4_4)
      : version(which), venue(v), options(std::move(o)) {
    options.session.version = version;
    options.session.sender = "VENUE";
    options.session.target = "MARA";
    options.orders = {.account = mara, .most_orders = 64};
    if (options.sent.messages == 1 << 16) options.sent = {.messages = 500, .bytes = 100'000};
    options.client_ids = 200;
    if (!venue.risk.has_account(mara)) venue.risk.add_account(mara);
    if (!venue.risk.has_account(otto)) venue.risk.add_account(otto);
    port = std::make_unique<FixPort>(options, venue.directory(), venue, time());
  }

  FixTime time() const { return {now, morning + now}; }

  /// "D 11=a 54=1": a message with the next number.
  Lines says(const std::string& text) { return says_as(++number, text, ""); }
  Lines says_as(int sequence, const std::string& text, const std::string& header) {
    sends_as(sequence, text, header);
    return hears();
  }
  /// The same by a client who does not read.
  void sends(const std::string& text) { sends_as(++number, text, ""); }
  void sends_as(int sequence, const std::string& text, const std::string& header) {
    std::string fields = "35=" + text.substr(0, text.find(' ')) + "|34=" + std::to_string(sequence) +
                         "|49=MARA|52=" + stamp() + "|56=VENUE|" + header;
    std::string rest = text.find(' ') == std::string::npos ? "" : text.substr(text.find(' ') + 1) + " ";
    for (char& c : rest)
      if (c == ' ') c = '|';
    for (char& c : rest)
      if (c == '_') c = ' ';
    input = fix_text(version, fields + rest);
    std::span<const std::byte> bytes{reinterpret_cast<const std::byte*>(input.data()), input.size()};
    status = port->receive(bytes, time());
  }
  std::string stamp() const {
    char text[32];
    std::snprintf(text, sizeof text, "20261121-01:%02d:%02d", static_cast<int>(55 + now / second / 60),
                  static_cast<int>(now / second % 60));
    return text;
  }
  /// What has come to the client, once the books have done what they were asked.
  Lines hears() {
    settle();
    return read();
  }
  Lines read() {
    Lines lines;
    std::string_view rest(reinterpret_cast<const char*>(out.bytes().data()), out.size());
    while (!rest.empty()) {
      const fix::Framed framed = fix::frame(rest, 4'096);
      REQUIRE(framed.framing == fix::Framing::whole);
      fix::Message message;
      REQUIRE_FALSE(message.read(rest.substr(0, framed.size)));
      lines.push_back(said(message));
      rest.remove_prefix(framed.size);
    }
    out.clear();
    return lines;
  }
  void settle() {
    venue.settle([this](const auto& event) {
      if (event.account == mara) port->heard(event, time());
    });
  }

  void logs_on(const std::string& more = "") {
    port->connected(out, time());
    const Lines answer = says("A 98=0 108=30" + (more.empty() ? "" : " " + more));
    REQUIRE(port->is_logged_on());
    REQUIRE(!answer.empty());
    REQUIRE(answer[0].starts_with("A "));
  }
  Lines buys(const std::string& id, const std::string& more = "") {
    return says("D 11=" + id + " 21=1 38=100 40=2 44=10 54=1 55=AAPL 60=" + stamp() + (more.empty() ? "" : " " + more));
  }
  /// Otto's order, which mara does not hear of.
  void other(Side side, std::uint32_t lots, std::int64_t price, std::uint64_t id = 1'000) {
    venue.send(NewOrder{.id = {id},
                        .price = {price},
                        .quantity = {lots},
                        .account = otto,
                        .side = side,
                        .time_in_force = TimeInForce::day},
               {});
  }
  std::string tail() const { return " 60=" + stamp(); }
};

constexpr const char* id_1 = "37=274877906944";  // account 1's first order

}  // namespace

TEST_CASE("an order is accepted, partly filled and filled, in 4.4's words") {
  FixVenue venue;
  Client client(venue);
  client.logs_on();

  CHECK(client.buys("a") == Lines{std::string("8 6=0 11=a 14=0 17=E1 ") + id_1 +
                                  " 38=100 39=0 40=2 44=10 54=1 55=AAPL 59=0 150=0 151=100"});
  client.other(Side::sell, 30, 100'000, 1'000);
  CHECK(client.hears() == Lines{std::string("8 6=10 11=a 14=30 17=E2 31=10 32=30 ") + id_1 +
                                " 38=100 39=1 40=2 44=10 54=1 55=AAPL 59=0 150=F 151=70"});
  client.other(Side::sell, 70, 90'000, 1'001);
  CHECK(client.hears() == Lines{std::string("8 6=10 11=a 14=100 17=E3 31=10 32=70 ") + id_1 +
                                " 38=100 39=2 40=2 44=10 54=1 55=AAPL 59=0 150=F 151=0"});
}

TEST_CASE("the same in 4.2's words") {
  FixVenue venue;
  Client client(venue, {}, Version::v4_2);
  client.logs_on();
  client.other(Side::sell, 30, 99'900, 1'000);

  CHECK(client.buys("a") == Lines{std::string("8 6=0 11=a 14=0 17=E1 20=0 ") + id_1 +
                                      " 38=100 39=0 40=2 44=10 54=1 55=AAPL 59=0 150=0 151=100",
                                  std::string("8 6=9.99 11=a 14=30 17=E2 20=0 31=9.99 32=30 ") + id_1 +
                                      " 38=100 39=1 40=2 44=10 54=1 55=AAPL 59=0 150=1 151=70"});
  client.other(Side::sell, 70, 100'000, 1'001);
  CHECK(client.hears() == Lines{std::string("8 6=9.997 11=a 14=100 17=E3 20=0 31=10 32=70 ") + id_1 +
                                " 38=100 39=2 40=2 44=10 54=1 55=AAPL 59=0 150=2 151=0"});
}

TEST_CASE("a cancel names the order and the cancel; what is over, unknown or doubly asked for is refused") {
  FixVenue venue;
  Client client(venue);
  client.logs_on();
  client.buys("a");
  const auto cancel = [&](const std::string& id, const std::string& original,
                          const std::string& more = "54=1 55=AAPL") {
    return client.says("F 11=" + id + " 38=100 41=" + original + " " + more + client.tail());
  };

  CHECK(cancel("x", "nobody") == Lines{"9 11=x 37=NONE 39=8 41=nobody 58=unknown order 102=1 434=1"});
  CHECK(cancel("y", "a", "54=2 55=AAPL") ==
        Lines{std::string("9 11=y ") + id_1 + " 39=0 41=a 58=another symbol or side than the order's 102=1 434=1"});
  CHECK(cancel("b", "a") == Lines{std::string("8 6=0 11=b 14=0 17=E2 ") + id_1 +
                                  " 38=100 39=4 40=2 41=a 44=10 54=1 55=AAPL 59=0 150=4 151=0"});
  CHECK(cancel("c", "a") == Lines{"9 11=c 37=NONE 39=4 41=a 58=too late 102=0 434=1"});
  CHECK(cancel("b", "a") == Lines{"9 11=b 37=NONE 39=4 41=a 58=the ClOrdID was used before 102=6 434=1"});
  CHECK(venue.book(0).order_count() == 0);
}

TEST_CASE("a cancel that comes while the order is filled is too late, and is told so behind the fill") {
  FixVenue venue;
  Client client(venue);
  client.logs_on();
  client.buys("a");
  client.other(Side::sell, 100, 100'000);  // on its way before the cancel

  CHECK(client.says("F 11=b 38=100 41=a 54=1 55=AAPL" + client.tail()) ==
        Lines{std::string("8 6=10 11=a 14=100 17=E2 31=10 32=100 ") + id_1 +
                  " 38=100 39=2 40=2 44=10 54=1 55=AAPL 59=0 150=F 151=0",
              std::string("9 11=b ") + id_1 + " 39=2 41=a 58=too late 102=0 434=1"});
}

TEST_CASE("a replacement goes on with the order's id, total and average, and its old name is gone") {
  FixVenue venue;
  Client client(venue);
  client.logs_on();
  client.buys("a");
  client.other(Side::sell, 30, 100'000);
  client.hears();
  const auto replace = [&](const std::string& id, const std::string& original, const std::string& terms) {
    return client.says("G 11=" + id + " 21=1 40=2 41=" + original + " 54=1 55=AAPL " + terms + client.tail());
  };

  CHECK(replace("b", "a", "38=150 44=11") == Lines{std::string("8 6=10 11=b 14=30 17=E3 ") + id_1 +
                                                   " 38=150 39=1 40=2 41=a 44=11 54=1 55=AAPL 59=0 150=5 151=120"});
  CHECK(replace("c", "a", "38=150 44=12") == Lines{"9 11=c 37=NONE 39=4 41=a 58=too late 102=0 434=2"});
  CHECK(replace("d", "b", "38=30 44=12") ==
        Lines{std::string("9 11=d ") + id_1 + " 39=1 41=b 58=as much was executed 102=0 434=2"});
  CHECK(replace("e", "b", "38=40 44=10.005") ==
        Lines{std::string("9 11=e ") + id_1 + " 39=1 41=b 58=off_tick 102=99 434=2"});
  client.other(Side::sell, 120, 100'000, 1'001);
  CHECK(client.hears() == Lines{std::string("8 6=10.8 11=b 14=150 17=E4 31=11 32=120 ") + id_1 +
                                " 38=150 39=2 40=2 44=11 54=1 55=AAPL 59=0 150=F 151=0"});
}

TEST_CASE("a replacement of other terms leaves and enters anew; what was executed meanwhile counts") {
  FixVenue venue;
  Client client(venue, {}, Version::v4_2);
  client.logs_on();
  client.buys("a");
  const Lines heard = client.says("G 11=b 21=1 38=60 40=2 41=a 44=10 54=1 55=AAPL 59=3" + client.tail());
  CHECK(heard == Lines{std::string("8 6=0 11=b 14=0 17=E2 20=0 ") + id_1 +
                           " 38=60 39=5 40=2 41=a 44=10 54=1 55=AAPL 59=3 150=5 151=60",
                       std::string("8 6=0 11=b 14=0 17=E3 20=0 ") + id_1 +
                           " 38=60 39=4 40=2 44=10 54=1 55=AAPL 58=immediate_or_cancel 59=3 150=4 151=0"});
}

TEST_CASE("orders that make no sense are refused with the reason of the protocol") {
  FixVenue venue;
  Client client(venue);
  client.logs_on();
  const auto refusal = [&](const std::string& id, const std::string& terms) {
    const Lines heard = client.says("D 11=" + id + " 21=1 " + terms + client.tail());
    REQUIRE(heard.size() == 1);
    return heard[0].substr(heard[0].find(" 58="));
  };
  CHECK(refusal("a", "38=1 40=2 44=10 54=1 55=NONE") == " 58=unknown symbol 103=1 150=8 151=0");
  CHECK(refusal("b", "38=1 40=2 44=10.001 54=1 55=AAPL") == " 58=off_tick 103=99 150=8 151=0");
  CHECK(refusal("c", "38=1 40=2 44=10.001 54=1 55=MSFT") == " 58=off_tick 103=99 150=8 151=0");
  CHECK(refusal("d", "38=0 40=2 44=10 54=1 55=AAPL") == " 58=zero_quantity 103=13 150=8 151=0");
  CHECK(refusal("e", "38=9000000000 40=2 44=10 54=1 55=AAPL") == " 58=the quantity is too large 103=3 150=8 151=0");
  CHECK(refusal("f", "38=1 40=3 44=10 54=1 55=AAPL") == " 58=the order type is not supported 103=11 150=8 151=0");
  CHECK(refusal("g", "38=1 40=2 44=10 54=1 55=AAPL 59=7") ==
        " 58=the time in force is not supported 103=11 150=8 151=0");
  CHECK(refusal("h", "38=1 40=2 44=10 54=8 55=AAPL") == " 58=the side is not supported 103=99 150=8 151=0");
  CHECK(refusal("i", "38=1 40=2 44=10 54=1 55=AAPL 59=6 126=20261121-02:00:00") ==
        " 58=unsupported 103=11 150=8 151=0");  // these books have no rules
  CHECK(refusal("123456789012345678901234567890123", "38=1 40=2 44=10 54=1 55=AAPL") ==
        " 58=a ClOrdID has at most 32 characters 103=99 150=8 151=0");
  CHECK(client.says("D 11=j 21=1 38=1 40=2 54=1 55=AAPL" + client.tail()) ==
        Lines{"j 45=12 58=Conditionally required field missing 372=D 379=j 380=5"});
  CHECK(client.says("D 11=k 21=1 38=1 40=1 55=AAPL" + client.tail()) ==
        Lines{"3 45=13 58=Required tag missing 371=54 372=D 373=1"});
  CHECK(client.says("E 66=list") == Lines{"j 45=14 58=Unsupported Message Type 372=E 380=3"});
  CHECK(venue.commands_waiting() == 0);
}

TEST_CASE("a price that another instrument counts in cents comes and goes in the same words") {
  FixVenue venue;
  Client client(venue);
  client.logs_on();
  const Lines heard = client.says("D 11=a 21=1 38=5 40=2 44=99.99 54=2 55=MSFT" + client.tail());
  CHECK(heard[0].find(" 44=99.99 ") != std::string::npos);
  CHECK(venue.book(1).quote().ask == Price{9'999});
}

TEST_CASE("what the limits refuse has their reason, before any book has seen it") {
  FixVenue venue;
  venue.risk.add_account(mara, RiskLimits{.largest_order = {99}, .short_sales = ShortSales::none});
  Client client(venue);
  client.logs_on();
  const Lines heard = client.buys("a");
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].substr(heard[0].find(" 58=")) == " 58=the quantity exceeds the limit for one order 103=3 150=8 151=0");
  const Lines shorted = client.says("D 11=b 21=1 38=1 40=1 54=5 55=AAPL" + client.tail());
  CHECK(shorted[0].substr(shorted[0].find(" 54=")) ==
        " 54=5 55=AAPL 58=a short sale that is not allowed 103=0 150=8 151=0");
  CHECK(client.port->orders().open_orders() == 0);
}

TEST_CASE("a name that was used is refused, or passed over where the message may be a repetition") {
  FixVenue venue;
  Client client(venue);
  client.logs_on();
  client.buys("a");
  const Lines refused = client.buys("a");
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].substr(refused[0].find(" 37=")) ==
        " 37=NONE 38=100 39=8 40=2 44=10 54=1 55=AAPL 58=the ClOrdID was used before 103=6 150=8 151=0");
  CHECK(client.says_as(++client.number, "D 11=a 21=1 38=100 40=2 44=10 54=1 55=AAPL" + client.tail(), "97=Y|").empty());
  CHECK(client.port->counts().duplicates == 2);
  CHECK(venue.book(0).order_count() == 1);
}

TEST_CASE("a whole day that is sent again changes nothing and says nothing, in the same session and in the next one") {
  FixVenue venue;
  Client client(venue);
  client.logs_on();
  const std::string tail = client.tail();
  const Lines day{"D 11=a 21=1 38=100 40=2 44=10 54=1 55=AAPL" + tail,
                  "D 11=b 21=1 38=50 40=2 44=10 54=1 55=AAPL" + tail,
                  "G 11=c 21=1 38=70 40=2 41=a 44=11 54=1 55=AAPL" + tail, "F 11=d 38=50 41=b 54=1 55=AAPL" + tail};
  for (const std::string& line : day) client.says(line);
  const std::string book = venue.book(0).to_string();
  const auto again = [&](int first) {
    for (std::size_t i = 0; i < day.size(); ++i)
      CHECK(client.says_as(first + static_cast<int>(i), day[i], "43=Y|122=20261121-01:55:00|").empty());
    CHECK(venue.book(0).to_string() == book);
  };
  again(2);                  // with the numbers that they had
  again(client.number + 1);  // with new ones, as resends of a client that lost its numbers
  client.number += 4;

  client.port->disconnected(client.time());
  client.out.clear();
  client.logs_on();

  again(client.number + 1);
  CHECK(client.port->counts().duplicates == 8);
}

TEST_CASE("a mass cancel says how many it means, and each order says that it is gone") {
  FixVenue venue;
  Client client(venue);
  client.logs_on();
  client.buys("a");
  client.says("D 11=b 21=1 38=5 40=2 44=9 54=2 55=MSFT" + client.tail());
  client.says("D 11=c 21=1 38=5 40=2 44=20 54=2 55=AAPL" + client.tail());

  const Lines one = client.says("q 11=m 54=2 55=AAPL 530=1" + client.tail());
  REQUIRE(one.size() == 2);
  CHECK(one[0] == "r 11=m 37=E4 55=AAPL 530=1 531=1 533=1");
  CHECK(one[1].find("11=c 14=0 17=E5") != std::string::npos);
  CHECK(one[1].find("150=4") != std::string::npos);
  CHECK(client.says("q 11=n 55=NONE 530=1" + client.tail()) ==
        Lines{"r 11=n 37=E6 55=NONE 58=unknown symbol 530=1 531=0 532=1"});
  CHECK(client.says("q 11=o 530=3" + client.tail()) ==
        Lines{"r 11=o 37=E7 58=only of a symbol (1) or all (7) 530=3 531=0 532=0"});
  CHECK(client.says("q 11=p 530=7" + client.tail()).size() == 3);
  CHECK(client.port->orders().open_orders() == 0);
}

TEST_CASE("who asks for the status of an order is told without a new execution") {
  FixVenue venue;
  Client client(venue);
  client.logs_on();
  client.buys("a");
  CHECK(client.says("H 11=a 54=1 55=AAPL") ==
        Lines{std::string("8 6=0 11=a 14=0 17=0 ") + id_1 + " 38=100 39=0 40=2 44=10 54=1 55=AAPL 59=0 150=I 151=100"});
  CHECK(client.says("H 11=z 54=1 55=AAPL") ==
        Lines{"8 6=0 11=z 14=0 17=0 37=NONE 39=8 54=1 55=AAPL 58=unknown order 103=5 150=I 151=0"});
  Client old(venue, {}, Version::v4_2);
  old.logs_on();
  CHECK(old.says("H 11=z 54=1 55=AAPL") ==
        Lines{"8 6=0 11=z 14=0 17=0 20=3 37=NONE 39=8 54=1 55=AAPL 58=unknown order 103=5 150=8 151=0"});
}

TEST_CASE("who may not log on is told so, and leaves the session's numbers to whoever may") {
  FixVenue venue;
  Client client(venue, {});
  client.port->connected(client.out, client.time(), false);
  CHECK(client.says("A 98=0 108=30") == Lines{"5 58=not authorized"});
  CHECK(client.status == Status::close);
  CHECK_FALSE(client.port->is_logged_on());
  client.port->disconnected(client.time());

  client.number = 0;
  client.logs_on();
  CHECK(client.port->counts().logons == 1);
}

TEST_CASE(
    "a client that does not read is cut off with a reason, what waits has its room, and he hears all of it later") {
  constexpr int questions = 1'000;
  FixVenue venue;
  FixPortOptions options;
  options.sent = {.messages = 3'000, .bytes = 1'000'000};
  options.stall_ns = 5 * second;
  Client client(venue, options);
  client.logs_on();
  client.buys("a");
  for (int i = 0; i < questions; ++i) client.sends("H 11=a 54=1 55=AAPL");
  CHECK(client.status == Status::open);
  CHECK(client.out.room() < 1'024);  // and the rest is in the store
  CHECK(client.port->poll(client.time()) == Status::open);
  client.now += 5 * second - 1;
  CHECK(client.port->poll(client.time()) == Status::open);
  client.now += 1;
  CHECK(client.port->poll(client.time()) == Status::close);
  CHECK(client.port->ended_why() == "the client does not read");
  client.port->disconnected(client.time());

  client.out.clear();
  client.logs_on();
  Lines heard = client.says("2 7=1 16=0");
  for (Lines more = heard; !more.empty();) {
    CHECK(client.port->poll(client.time()) == Status::open);
    more = client.read();
    heard.insert(heard.end(), more.begin(), more.end());
  }
  const auto reports =
      std::count_if(heard.begin(), heard.end(), [](const auto& line) { return line.starts_with("8 "); });
  CHECK(reports == 1 + questions);
}

TEST_CASE("a client who is asked to leave has no order taken any more, and is gone when he has answered") {
  FixVenue venue;
  Client client(venue, {});
  client.logs_on();
  client.buys("a");
  client.port->log_out("the venue closes", client.time());
  CHECK(client.read() == Lines{"5 58=the venue closes"});
  CHECK(client.buys("b")[0].find(" 58=the session is being ended 103=2 150=8 ") != std::string::npos);
  CHECK(client.says("G 11=c 21=1 38=150 40=2 41=a 44=11 54=1 55=AAPL" + client.tail())[0].starts_with("9 11=c "));
  CHECK(client.port->is_connected());
  CHECK(client.says("5").empty());
  CHECK(client.status == Status::close);
}

TEST_CASE("while the kill switch is on nothing new is taken, what is open is cancelled, and cancels are answered") {
  FixVenue venue;
  FixPortOptions options;
  options.firm = "ACME";
  Client client(venue, options);
  client.logs_on();
  client.buys("a");

  client.port->kill({KillScope::of(otto), 1}, client.time());
  CHECK(client.hears().empty());
  client.port->kill({KillScope::of_firm("ACME"), 1}, client.time());

  Lines heard = client.hears();
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].find(" 58=order entry is disabled ") != std::string::npos);
  CHECK(heard[0].find(" 150=4 ") != std::string::npos);
  heard = client.buys("b");
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].substr(heard[0].find(" 58=")) == " 58=order entry is disabled 103=0 150=8 151=0");
  CHECK(client.says("G 11=c 21=1 38=150 40=2 41=a 44=11 54=1 55=AAPL" + client.tail()) ==
        Lines{"9 11=c 37=NONE 39=4 41=a 58=too late 102=0 434=2"});
  CHECK(client.says("F 11=d 38=100 41=a 54=1 55=AAPL" + client.tail()) ==
        Lines{"9 11=d 37=NONE 39=4 41=a 58=too late 102=0 434=1"});
  CHECK(client.says("1 112=there?") == Lines{"0 112=there?"});

  client.port->kill({KillScope::of_firm("ACME"), 0}, client.time());
  CHECK(client.buys("e")[0].find(" 150=0 ") != std::string::npos);
}

TEST_CASE("an order cannot be replaced while the kill switch is on, and can still be cancelled") {
  FixVenue venue;
  Client client(venue);
  client.logs_on();
  client.buys("a");
  venue.has_room = false;  // the mass cancel has to wait
  client.port->kill({KillScope::everyone(), 1}, client.time());
  venue.has_room = true;
  CHECK(client.says("G 11=c 21=1 38=150 40=2 41=a 44=11 54=1 55=AAPL" + client.tail()) ==
        Lines{std::string("9 11=c ") + id_1 + " 39=0 41=a 58=order entry is disabled 102=2 434=2"});
  const Lines heard = client.says("F 11=d 38=100 41=a 54=1 55=AAPL" + client.tail());
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].find("11=d 14=0 ") != std::string::npos);
}

TEST_CASE("a session that starts while the kill switch is on finds it on") {
  FixVenue venue;
  FixPortOptions options;
  options.kill.engage(KillScope::of(mara), 1, "before the restart");
  Client client(venue, options);
  client.logs_on();
  CHECK(client.buys("a")[0].find("58=order entry is disabled") != std::string::npos);
}

TEST_CASE("a client that sends too much is refused orders but not cancels; one that floods is logged out") {
  FixVenue venue;
  FixPortOptions options;
  options.throttle = {.per_second = 1, .burst = 2};
  options.flood = {.per_second = 1, .burst = 5};
  Client client(venue, options);
  client.logs_on();
  CHECK(client.buys("a")[0].find("150=0") != std::string::npos);
  CHECK(client.buys("b")[0].find("150=0") != std::string::npos);
  const Lines refused = client.buys("c");
  CHECK(refused[0].substr(refused[0].find(" 58=")) == " 58=too many orders a second 103=3 150=8 151=0");
  CHECK(client.says("F 11=d 38=100 41=a 54=1 55=AAPL" + client.tail())[0].find("150=4") != std::string::npos);
  CHECK(client.says("F 11=e 38=100 41=b 54=1 55=AAPL" + client.tail())[0].find("150=4") != std::string::npos);
  CHECK(client.buys("f") == Lines{"5 58=too many messages a second"});
  CHECK(client.buys("g").empty());
  client.says("5");
  CHECK(client.status == Status::close);
  CHECK(client.port->counts().throttled == 1);
}

TEST_CASE("what goes with the connection is cancelled when the client does not come back in time") {
  FixVenue venue;
  FixPortOptions options;
  options.disconnect_grace_ns = 5 * second;
  SUBCASE("never: what is open stays") {
    options.cancel_on_disconnect = CancelOnDisconnect::none;
    Client client(venue, options);
    client.logs_on();
    client.buys("a", "18=Q");
    client.port->disconnected(client.time());
    CHECK(client.port->deadline() == INT64_MAX);
    CHECK(venue.book(0).order_count() == 1);
  }
  SUBCASE("only marked orders, and they are reported when the client asks") {
    options.cancel_on_disconnect = CancelOnDisconnect::marked;
    Client client(venue, options);
    client.logs_on();
    client.buys("a", "18=1_Q");
    client.buys("b");
    client.port->disconnected(client.time());
    client.out.clear();
    CHECK(client.port->deadline() == 5 * second);
    client.now = 5 * second;
    client.port->poll(client.time());
    client.settle();
    CHECK(venue.book(0).order_count() == 1);
    CHECK(client.out.empty());
    client.logs_on();
    const Lines missed = client.says("2 7=4 16=0");
    REQUIRE(missed.size() == 2);
    CHECK(missed[0].starts_with("8 43=Y 6=0 11=a "));
    CHECK(missed[0].find("58=the connection was lost") != std::string::npos);
    CHECK(missed[1] == "4 43=Y 36=6 123=Y");
  }
  SUBCASE("all of them, but not if he is back in time") {
    options.cancel_on_disconnect = CancelOnDisconnect::always;
    Client client(venue, options);
    client.logs_on();
    client.buys("a");
    client.port->disconnected(client.time());
    client.now = 4 * second;
    client.logs_on();
    client.now = 6 * second;
    client.port->poll(client.time());
    client.settle();
    CHECK(venue.book(0).order_count() == 1);
    client.port->disconnected(client.time());
    client.now = 12 * second;
    client.port->poll(client.time());
    client.settle();
    CHECK(venue.book(0).order_count() == 0);
  }
}

TEST_CASE("fills that nobody was there to hear are sent again bit for bit but for the marks of a duplicate") {
  FixVenue venue;
  Client client(venue);
  client.logs_on();
  client.buys("a");
  client.port->disconnected(client.time());
  client.other(Side::sell, 40, 100'000);
  client.settle();

  client.logs_on();
  const Lines missed = client.says("2 7=3 16=3");

  CHECK(missed == Lines{std::string("8 43=Y 6=10 11=a 14=40 17=E2 31=10 32=40 ") + id_1 +
                        " 38=100 39=1 40=2 44=10 54=1 55=AAPL 59=0 150=F 151=60"});
}

TEST_CASE("when there is hardly room for reports no orders are taken, and when there is none all is cancelled") {
  FixVenue venue;
  FixPortOptions options;
  options.sent = {.messages = 64, .bytes = 100'000};
  Client client(venue, options);
  client.logs_on();
  int taken = 0;
  for (int i = 0; i < 80 && client.status == Status::open; ++i) {
    const Lines heard = client.buys(std::string("o").append(std::to_string(i)));
    if (!heard.empty() && heard[0].find("150=0") != std::string::npos) ++taken;
  }
  CHECK(taken > 5);
  CHECK(taken < 40);
  CHECK(client.status == Status::close);
  CHECK(client.port->ended_why() == "no room for more messages");
  CHECK(venue.book(0).order_count() == 0);

  client.port->disconnected(client.time());
  client.out.clear();
  client.number = 0;
  client.logs_on("141=Y");
  CHECK(client.buys("again")[0].find("150=0") != std::string::npos);
}

TEST_CASE("the first message says whose session a connection is") {
  const auto caller = [](const std::string& text) {
    return fix_caller({reinterpret_cast<const std::byte*>(text.data()), text.size()}, 4'096);
  };
  const std::string logon = fix_text(Version::v4_4, "35=A|34=1|49=MARA|52=20261121-01:55:00|56=VENUE|98=0|108=30|");
  for (std::size_t size = 0; size < logon.size(); ++size)
    REQUIRE(caller(logon.substr(0, size)).state == FixCaller::State::partial);
  const std::string more = logon + "8=FIX";
  const FixCaller known = caller(more);
  CHECK(known.state == FixCaller::State::known);
  CHECK(known.version == Version::v4_4);
  CHECK(known.sender == "MARA");
  CHECK(known.target == "VENUE");
  CHECK(caller(fix_text(Version::v4_2, "35=D|34=1|49=MARA|56=VENUE|")).state == FixCaller::State::stranger);
  CHECK(caller("GET / HTTP/1.1\r\n").state == FixCaller::State::stranger);
}
