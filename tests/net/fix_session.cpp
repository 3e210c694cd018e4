#include <outcry/net/fix_session.hpp>

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "files.hpp"
#include "fix_text.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;
using fix::Version;
using Kind = FixEvent::Kind;
using Stage = FixSession::Stage;

namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t morning = 1'795'226'100'000'000'000;  // 20261121-01:55:00
using Lines = std::vector<std::string>;

FixTime at(std::int64_t now_ns) { return {now_ns, morning + now_ns}; }

/// Its messages, without what is the same in all: "34=2|35=0|112=x|".
Lines messages_in(ByteBuffer& buffer) {
  Lines lines;
  std::string_view rest(reinterpret_cast<const char*>(buffer.bytes().data()), buffer.size());
  while (!rest.empty()) {
    const fix::Framed framed = fix::frame(rest, 4'096);
    REQUIRE(framed.framing == fix::Framing::whole);
    fix::Message message;
    REQUIRE_FALSE(message.read(rest.substr(0, framed.size)));
    std::string line;
    for (const fix::Field& field : message.fields()) {
      if (field.tag == 8 || field.tag == 9 || field.tag == 49 || field.tag == 52 || field.tag == 56) continue;
      line += std::to_string(field.tag) + "=" + std::string(field.value) + "|";
    }
    lines.push_back(line);
    rest.remove_prefix(framed.size);
  }
  buffer.clear();
  return lines;
}

/// An exchange's side of a session with the client TW.
struct Exchange {
  Version version;
  FixState state{{.messages = 200, .bytes = 40'000}};
  FixSessionOptions options;
  FixSession session;
  ByteBuffer out{8'192};
  std::int64_t now = 0;
  std::string last_input{};

  explicit Exchange(Version v = Version::v4_2) : Exchange(v, {}) {}
  Exchange(Version v, FixSessionOptions o)
      : version(v), options(with_names(std::move(o), v)), session(options, state, at(0)) {}

  static FixSessionOptions with_names(FixSessionOptions o, Version v) {
    o.version = v;
    o.sender = "ISLD";
    o.target = "TW";
    return o;
  }

  /// "35=A|34=1|98=0|": the rest of the header is put behind the number.
  std::string text(std::string fields, std::string_view from = "TW",
                   std::string_view time = "20261121-01:55:00") const {
    const std::size_t header_end = fields.find('|', fields.find("34=")) + 1;
    fields.insert(header_end, "49=" + std::string(from) + "|52=" + std::string(time) + "|56=ISLD|");
    return fix_text(version, fields);
  }
  FixEvent hear_bytes(std::string bytes) {
    last_input = std::move(bytes);
    std::span<const std::byte> rest = as_bytes(last_input);
    return session.receive(rest, out, at(now));
  }
  FixEvent hear(const std::string& fields) { return hear_bytes(text(fields)); }

  void log_on(const std::string& more = "", std::uint64_t sequence = 1) {
    const FixEvent event = hear("35=A|34=" + std::to_string(sequence) + "|98=0|108=30|" + more);
    REQUIRE(event.kind == Kind::logon_requested);
    session.accept(out, at(now));
  }
  Lines said() { return messages_in(out); }
  /// A new connection with the same numbers.
  void reconnect() {
    session.~FixSession();
    new (&session) FixSession(options, state, at(now));
    out.clear();
  }
  void report(const std::string& id) {
    session.send(
        fix::ExecutionReport{
            .execution_id = id, .order_id = "1", .status = '0', .side = '1', .symbol = "AAPL", .execution = '0'},
        out, at(now));
  }
};

std::string report_text(int sequence, const char* id, const char* marks = "") {
  return "35=8|34=" + std::to_string(sequence) + "|" + marks + "6=0|14=0|17=" + id +
         "|20=0|37=1|39=0|54=1|55=AAPL|150=0|151=0|";
}

}  // namespace

TEST_CASE("a FIX logon is answered with a logon and its heartbeat interval") {
  Exchange exchange;
  const FixEvent event = exchange.hear("35=A|34=1|98=0|108=7|");

  CHECK(event.kind == Kind::logon_requested);
  CHECK(event.logon.heartbeat_s == 7);
  exchange.session.accept(exchange.out, at(0));
  CHECK(exchange.said() == Lines{"35=A|34=1|98=0|108=7|"});
  CHECK(exchange.session.stage() == Stage::open);
  CHECK(exchange.session.deadline() == 7 * second);
}

TEST_CASE("user and password of a 4.4 logon are there for whoever decides") {
  Exchange exchange(Version::v4_4);
  const FixEvent event = exchange.hear("35=A|34=1|98=0|108=30|553=mara|554=secret|");
  CHECK(event.logon.user == "mara");
  CHECK(event.logon.password == "secret");

  exchange.session.refuse("not authorized", exchange.out, at(0));

  CHECK(exchange.said() == Lines{"35=5|34=1|58=not authorized|"});
  CHECK(exchange.session.stage() == Stage::closed);
}

TEST_CASE("what is no logon gets no answer, and the connection is closed") {
  const auto refused = [](std::string bytes) {
    Exchange exchange;
    const FixEvent event = exchange.hear_bytes(std::move(bytes));
    CHECK(event.kind == Kind::broken);
    CHECK(exchange.session.stage() == Stage::closed);
    CHECK(exchange.out.empty());
    return std::string(event.reason);
  };
  const Exchange e;
  CHECK(refused(e.text("35=0|34=1|")) == "the first message is no logon");
  CHECK(refused("GET / HTTP/1.1\r\n\r\n") == "the first message is no logon");
  CHECK(refused(e.text("35=A|34=1|98=0|108=30|", "OTHER")) == "a logon with a wrong field");
  CHECK(refused(e.text("35=A|34=1|98=0|108=30|", "TW", "20261121-01:57:01")) == "a logon with a wrong field");
  CHECK(refused(e.text("35=A|34=1|98=0|")) == "a logon with a wrong field");
  CHECK(refused(e.text("35=A|34=1|98=1|108=30|")) == "a logon that asks for encryption");
  CHECK(refused(e.text("35=A|34=1|98=0|108=99999|")) == "a logon with too long a heartbeat interval");
  CHECK(refused(e.text("35=A|34=x|98=0|108=30|")) == "MsgSeqNum missing");
  CHECK(refused(fix_text(Version::v4_4, "35=A|34=1|")) == "Incorrect BeginString");
}

TEST_CASE("who sends no logon in time is given up") {
  Exchange exchange;
  CHECK(exchange.session.deadline() == 30 * second);
  CHECK_FALSE(exchange.session.poll(exchange.out, at(30 * second - 1)));
  CHECK(exchange.session.poll(exchange.out, at(30 * second)).kind == Kind::timed_out);
}

TEST_CASE("a logon may begin the numbers anew") {
  Exchange exchange;
  exchange.log_on();
  exchange.report("e");
  exchange.hear("35=0|34=2|");
  exchange.reconnect();

  exchange.log_on("141=Y|");

  CHECK(exchange.said() == Lines{"35=A|34=1|98=0|108=30|141=Y|"});
  CHECK(exchange.state.next_incoming == 2);

  exchange.hear("35=0|34=2|");
  CHECK(exchange.hear("35=A|34=1|98=0|108=30|141=Y|").kind == Kind::none);
  CHECK(exchange.said() == Lines{"35=A|34=1|98=0|108=30|141=Y|"});
  CHECK(exchange.state.next_incoming == 2);
}

TEST_CASE("application messages are events, in order, each once") {
  Exchange exchange;
  exchange.log_on();
  const std::string both = exchange.text("35=D|34=2|11=a|") + exchange.text("35=D|34=3|11=b|");
  std::span<const std::byte> rest = as_bytes(both);
  std::string ids;
  while (const FixEvent event = exchange.session.receive(rest, exchange.out, at(0))) {
    CHECK(event.kind == Kind::message);
    ids += event.message->get(11);
  }
  CHECK(ids == "ab");
  CHECK(exchange.state.next_incoming == 4);
}

TEST_CASE("a number that is too high asks once for everything that is missing") {
  Exchange exchange;
  exchange.log_on();
  exchange.said();

  CHECK(exchange.hear("35=D|34=5|11=e|").kind == Kind::none);
  CHECK(exchange.hear("35=D|34=6|11=f|").kind == Kind::none);
  CHECK(exchange.said() == Lines{"35=2|34=2|7=2|16=0|"});
  CHECK(exchange.hear("35=4|34=2|43=Y|36=5|123=Y|").message->get(11) == "e");
  CHECK(exchange.hear_bytes("").message->get(11) == "f");
  CHECK(exchange.state.next_incoming == 7);
  CHECK(exchange.said().empty());
}

TEST_CASE("what comes early is kept for its turn, a few messages of it, and not delivered twice") {
  Exchange exchange;
  exchange.log_on();
  const auto heard = [&](const std::string& bytes) {
    exchange.last_input = bytes;
    std::span<const std::byte> rest = as_bytes(exchange.last_input);
    std::string ids;
    while (const FixEvent event = exchange.session.receive(rest, exchange.out, at(0))) {
      REQUIRE(event.kind == Kind::message);
      ids += event.message->get(11);
    }
    return ids;
  };
  const auto order = [&](int number, const char* id, const char* marks = "") {
    return fix_text(Version::v4_2, "35=D|34=" + std::to_string(number) + "|49=TW|52=20261121-01:55:00|56=ISLD|" +
                                       marks + "11=" + id + "|");
  };
  const char* again = "43=Y|122=20261121-01:55:00|";
  CHECK(heard(order(4, "c") + order(3, "b") + order(30, "z")).empty());
  CHECK(heard(order(2, "a", again)) == "abc");
  CHECK(heard(order(3, "b", again) + order(4, "c", again) + order(5, "d")) == "d");
  CHECK(exchange.state.next_incoming == 6);
}

TEST_CASE("what was missing arrives as possible duplicates, and then the numbers go on") {
  Exchange exchange;
  exchange.log_on();
  exchange.hear("35=D|34=4|11=c|");
  exchange.said();
  const auto again = [&](int number, const char* id) {
    const std::string fields = "35=D|34=" + std::to_string(number) +
                               "|43=Y|49=TW|52=20261121-01:55:00|56=ISLD|122=20261121-01:55:00|11=" + id + "|";
    return exchange.hear_bytes(fix_text(Version::v4_2, fields)).kind;
  };
  CHECK(again(2, "a") == Kind::message);
  CHECK(again(3, "b") == Kind::message);
  CHECK(exchange.hear_bytes("").kind == Kind::message);  // number 4, which was kept
  CHECK(again(4, "c") == Kind::none);                    // a duplicate that is one
  CHECK(exchange.hear("35=D|34=5|11=d|").kind == Kind::message);
  CHECK(exchange.hear("35=D|34=7|11=f|").kind == Kind::none);
  CHECK(exchange.said() == Lines{"35=2|34=3|7=6|16=0|"});
}

TEST_CASE("a number that is too low ends the session, unless it is marked as a duplicate") {
  Exchange exchange;
  exchange.log_on();
  exchange.said();
  exchange.hear("35=D|34=2|11=a|");

  const FixEvent event = exchange.hear("35=D|34=2|11=a|");

  CHECK(event.kind == Kind::broken);
  CHECK(exchange.said() == Lines{"35=5|34=2|58=MsgSeqNum too low, expecting 3 but received 2|"});
  CHECK(exchange.session.stage() == Stage::closed);
  CHECK(exchange.state.next_incoming == 3);
}

TEST_CASE("a logon whose number is too low is refused, one whose number is too high is asked for the rest") {
  Exchange exchange;
  exchange.state.next_incoming = 10;
  CHECK(exchange.hear("35=A|34=9|98=0|108=30|").kind == Kind::broken);
  CHECK(exchange.said() == Lines{"35=5|34=1|58=MsgSeqNum too low, expecting 10 but received 9|"});

  exchange.reconnect();
  exchange.log_on("", 12);
  CHECK(exchange.said() == Lines{"35=A|34=2|98=0|108=30|", "35=2|34=3|7=10|16=0|"});
  CHECK(exchange.state.next_incoming == 10);
}

TEST_CASE("garbled messages are passed over and use no number") {
  Exchange exchange;
  exchange.log_on();
  std::string bad = exchange.text("35=D|34=2|11=bad|");
  bad[bad.size() - 3] ^= 1;
  const std::string bytes = bad + exchange.text("35=D|34=2|11=good|");

  const FixEvent event = exchange.hear_bytes(bytes);

  REQUIRE(event.kind == Kind::message);
  CHECK(event.message->get(11) == "good");
  CHECK(exchange.session.garbled() == 1);
}

TEST_CASE("a message with a wrong field is rejected with the field, and its number is used") {
  Exchange exchange(Version::v4_4);
  exchange.log_on();
  exchange.said();
  CHECK_FALSE(exchange.hear("35=D|34=2|58=|"));
  CHECK_FALSE(exchange.hear("35=1|34=3|"));
  CHECK_FALSE(exchange.hear("35=D|34=4|11=a|43=Y|"));
  CHECK_FALSE(exchange.hear("35=D|34=5|-1=a|"));
  CHECK(exchange.said() == Lines{"35=3|34=2|45=2|58=Tag specified without a value|371=58|372=D|373=4|",
                                 "35=3|34=3|45=3|58=Required tag missing|371=112|372=1|373=1|",
                                 "35=3|34=4|45=4|58=Tag specified out of required order|371=43|372=D|373=14|",
                                 "35=3|34=5|45=5|58=Invalid tag number|371=-1|372=D|373=0|"});
  CHECK(exchange.state.next_incoming == 6);

  const FixEvent event = exchange.hear("35=D|34=6|11=a|38=1|40=2|54=1|55=A|60=20261121-01:55:00|");
  fix::NewOrderSingle order;
  const auto problem = fix::read(*event.message, Version::v4_4, order);
  REQUIRE(problem);
  exchange.session.reject(*event.message, *problem, exchange.out, at(0));
  CHECK(exchange.said() == Lines{"35=j|34=6|45=6|58=Conditionally required field missing|372=D|379=a|380=5|"});
}

TEST_CASE("a rejection goes back to whom the message was sent on behalf of") {
  Exchange exchange;
  exchange.log_on();
  exchange.said();
  exchange.hear("35=D|34=2|115=FUND|116=DESK|58=|");
  exchange.hear("35=D|34=3|128=VENUE|145=NYC|58=|");
  CHECK(exchange.said() ==
        Lines{"35=3|34=2|128=FUND|129=DESK|45=2|58=Tag specified without a value|371=58|372=D|373=4|",
              "35=3|34=3|115=VENUE|144=NYC|45=3|58=Tag specified without a value|371=58|372=D|373=4|"});
}

TEST_CASE("another name or a clock that is off is rejected, and ends the session") {
  Exchange exchange;
  exchange.log_on();
  exchange.said();
  CHECK(exchange.hear_bytes(exchange.text("35=0|34=2|", "OTHER")).kind == Kind::broken);
  CHECK(exchange.said() == Lines{"35=3|34=2|45=2|58=CompID problem|372=0|373=9|", "35=5|34=3|"});

  Exchange late;
  late.log_on();
  late.said();
  CHECK(late.hear_bytes(late.text("35=0|34=2|", "TW", "20261121-01:57:00")).kind == Kind::none);
  CHECK(late.hear_bytes(late.text("35=0|34=3|", "TW", "20261121-01:57:01")).kind == Kind::broken);
  CHECK(late.said() == Lines{"35=3|34=2|45=3|58=SendingTime accuracy problem|372=0|373=10|", "35=5|34=3|"});
}

TEST_CASE("what is asked for is sent again as possible duplicates, with gap fills for messages of the session") {
  Exchange exchange;
  exchange.log_on();                  // 1
  exchange.report("a");               // 2
  exchange.hear("35=1|34=2|112=x|");  // answered by 3
  exchange.report("b");               // 4
  exchange.report("c");               // 5
  exchange.now = 5 * second;
  exchange.session.poll(exchange.out, at(40 * second));  // 6, a test request
  exchange.said();

  exchange.hear("35=2|34=3|7=1|16=0|");

  const char* marks = "43=Y|122=20261121-01:55:00.000|";
  CHECK(exchange.said() == Lines{"35=4|34=1|43=Y|122=20261121-01:55:05.000|36=2|123=Y|", report_text(2, "a", marks),
                                 "35=4|34=3|43=Y|122=20261121-01:55:05.000|36=4|123=Y|", report_text(4, "b", marks),
                                 report_text(5, "c", marks), "35=4|34=6|43=Y|122=20261121-01:55:05.000|36=7|123=Y|"});

  exchange.hear("35=2|34=4|7=4|16=4|");
  CHECK(exchange.said() == Lines{report_text(4, "b", marks)});
  exchange.hear("35=2|34=5|7=7|16=0|");
  exchange.hear("35=2|34=6|7=5|16=999999|");
  CHECK(exchange.said() == Lines{report_text(5, "c", marks), "35=4|34=6|43=Y|122=20261121-01:55:05.000|36=7|123=Y|"});
}

TEST_CASE("a resend goes at the pace of the buffer, and what is new waits behind it") {
  Exchange exchange;
  exchange.log_on();
  for (int i = 0; i < 20; ++i) exchange.report(std::string("r").append(std::to_string(i)));
  exchange.said();
  ByteBuffer narrow(300);
  const std::string request = exchange.text("35=2|34=2|7=1|16=0|");
  std::span<const std::byte> rest = as_bytes(request);
  exchange.session.receive(rest, narrow, at(0));

  Lines all = messages_in(narrow);
  CHECK(all.size() < 3);
  exchange.session.send(fix::OrderCancelReject{.client_order_id = "new",
                                               .order_id = "1",
                                               .status = '0',
                                               .original_client_order_id = "x",
                                               .response_to = '1'},
                        narrow, at(0));
  for (int i = 0; i < 20; ++i) {
    exchange.session.pump(narrow, at(0));
    for (std::string& line : messages_in(narrow)) all.push_back(std::move(line));
  }

  REQUIRE(all.size() == 22);
  CHECK(all[0].starts_with("35=4|34=1|"));
  for (int i = 1; i <= 20; ++i)
    CHECK(all[static_cast<std::size_t>(i)].starts_with(
        std::string("35=8|34=").append(std::to_string(i + 1)).append("|43=Y|")));
  CHECK(all[21] == "35=9|34=22|11=new|37=1|39=0|41=x|434=1|");
}

TEST_CASE("what was sent without a connection comes when the peer asks for it") {
  Exchange exchange;
  exchange.log_on();
  exchange.reconnect();
  exchange.report("offline");
  CHECK(exchange.out.empty());
  exchange.log_on("", 2);
  CHECK(exchange.said() == Lines{"35=A|34=3|98=0|108=30|"});
  exchange.hear("35=2|34=3|7=2|16=0|");
  const Lines said = exchange.said();
  REQUIRE(said.size() == 2);
  CHECK(said[0].starts_with("35=8|34=2|43=Y|"));
  CHECK(said[1].starts_with("35=4|34=3|43=Y|"));
}

TEST_CASE("a sequence reset sets the number, but never back") {
  Exchange exchange;
  exchange.log_on();
  exchange.said();
  CHECK_FALSE(exchange.hear("35=4|34=99|36=20|"));
  CHECK(exchange.state.next_incoming == 20);
  CHECK_FALSE(exchange.hear("35=4|34=20|36=5|"));
  CHECK(exchange.state.next_incoming == 20);
  CHECK_FALSE(exchange.hear("35=4|34=20|36=20|123=Y|"));
  CHECK(exchange.state.next_incoming == 21);
  CHECK(exchange.said() == Lines{"35=3|34=2|45=20|58=Value is incorrect (out of range) for this tag|372=4|373=5|",
                                 "35=3|34=3|45=20|58=Value is incorrect (out of range) for this tag|372=4|373=5|"});
}

TEST_CASE("silence brings a heartbeat, then a test request, then the end") {
  Exchange exchange;
  exchange.log_on();
  exchange.said();
  const auto poll = [&](std::int64_t now) {
    const FixEvent event = exchange.session.poll(exchange.out, at(now));
    return event.kind == Kind::timed_out ? Lines{"timed out"} : exchange.said();
  };
  CHECK(poll(30 * second - 1).empty());
  CHECK(poll(30 * second) == Lines{"35=0|34=2|"});
  CHECK(poll(36 * second) == Lines{"35=1|34=3|112=TEST|"});
  CHECK(poll(36 * second + 1).empty());
  exchange.now = 40 * second;
  exchange.hear_bytes(exchange.text("35=0|34=2|112=TEST|", "TW", "20261121-01:55:40"));
  CHECK(poll(72 * second) == Lines{"35=0|34=4|"});
  CHECK(poll(76 * second) == Lines{"35=1|34=5|112=TEST|"});
  CHECK(exchange.session.deadline() == 112 * second);
  CHECK(poll(112 * second - 1).empty());  // who tests says nothing else
  CHECK(poll(112 * second) == Lines{"timed out"});
}

TEST_CASE("a test request is answered with its text") {
  Exchange exchange;
  exchange.log_on();
  exchange.said();
  exchange.hear("35=1|34=2|112=are you there|");
  CHECK(exchange.said() == Lines{"35=0|34=2|112=are you there|"});
}

TEST_CASE("a logout is answered, and one of ours waits for its answer") {
  Exchange exchange;
  exchange.log_on();
  exchange.said();
  CHECK(exchange.hear("35=5|34=2|58=bye|").kind == Kind::logged_out);
  CHECK(exchange.said() == Lines{"35=5|34=2|"});

  Exchange ours;
  ours.log_on();
  ours.said();
  ours.session.log_out("closing time", ours.out, at(0));
  CHECK(ours.said() == Lines{"35=5|34=2|58=closing time|"});
  CHECK(ours.hear("35=D|34=2|11=last|").kind == Kind::message);
  CHECK(ours.hear("35=5|34=3|").kind == Kind::logged_out);
  CHECK(ours.said().empty());

  Exchange left;
  left.log_on();
  left.session.log_out("closing time", left.out, at(0));
  CHECK(left.session.poll(left.out, at(10 * second)).kind == Kind::timed_out);
}

TEST_CASE("a full store refuses what is to be sent") {
  Exchange exchange;
  exchange.log_on();
  const fix::BusinessReject body{.text = std::string_view("0123456789"), .message_type = "D", .reason = 0};
  int sent = 0;
  while (exchange.session.send(body, exchange.out, at(0))) {
    ++sent;
    exchange.out.clear();
  }
  CHECK(sent == 199);
}

// Both sides of a session, over connections that cut the streams anywhere and break now and then, with narrow buffers.
TEST_CASE("whatever the cuts and lost connections, each order and each report arrives once, in order") {
  MESSAGE("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  for (const Version version : {Version::v4_2, Version::v4_4}) {
    FixState client_state({.messages = 20'000, .bytes = 4'000'000}),
        server_state({.messages = 20'000, .bytes = 4'000'000});
    std::vector<std::string> orders_sent, orders_received, reports_sent, reports_received;
    std::int64_t now = 0;
    std::size_t connections = 0;
    while (orders_received.size() < 300 || reports_received.size() < 300) {
      if (++connections > 500) FAIL("no progress");
      FixSession client({.version = version, .initiator = true, .sender = "TW", .target = "ISLD"}, client_state,
                        at(now));
      FixSession server({.version = version, .sender = "ISLD", .target = "TW"}, server_state, at(now));
      ByteBuffer up(500), down(500), server_in(2'000), client_in(2'000);
      client.log_on("mara", "secret", up, at(now));
      const auto move = [&](ByteBuffer& from, ByteBuffer& to) {
        const std::size_t size = std::min({from.size(), to.room(), static_cast<std::size_t>(random() % 300)});
        to.append(from.bytes().first(size));
        from.take(size);
      };
      for (std::uint64_t turns = random() % 500 + 50; turns > 0; --turns) {
        now += static_cast<std::int64_t>(random() % (2 * second));
        if (random() % 4 == 0 && orders_sent.size() < 300) {
          orders_sent.push_back(std::string("o").append(std::to_string(orders_sent.size())));
          if (!client.send(fix::OrderCancelRequest{.client_order_id = orders_sent.back(),
                                                   .quantity = 1,
                                                   .original_client_order_id = "x",
                                                   .side = '1',
                                                   .symbol = "AAPL",
                                                   .transacted = {at(now).utc_ns}},
                           up, at(now)))
            FAIL("the store is full");
        }
        if (random() % 4 == 0 && reports_sent.size() < 300) {
          reports_sent.push_back(std::string("e").append(std::to_string(reports_sent.size())));
          if (!server.send(fix::ExecutionReport{.execution_id = reports_sent.back(),
                                                .order_id = "1",
                                                .status = '0',
                                                .side = '1',
                                                .symbol = "AAPL",
                                                .execution = '0'},
                           down, at(now)))
            FAIL("the store is full");
        }
        if (client.poll(up, at(now)) || server.poll(down, at(now))) FAIL("timed out");
        move(up, server_in);
        move(down, client_in);
        std::span<const std::byte> rest = server_in.bytes();
        while (const FixEvent event = server.receive(rest, down, at(now))) {
          if (event.kind == Kind::logon_requested)
            server.accept(down, at(now));
          else if (event.kind == Kind::message)
            orders_received.push_back(std::string(event.message->get(11)));
          else
            FAIL("server: " << static_cast<int>(event.kind) << " " << std::string(event.reason));
        }
        server_in.take(server_in.size() - rest.size());
        rest = client_in.bytes();
        while (const FixEvent event = client.receive(rest, up, at(now))) {
          if (event.kind == Kind::message)
            reports_received.push_back(std::string(event.message->get(17)));
          else if (event.kind != Kind::logged_on)
            FAIL("client: " << static_cast<int>(event.kind) << " " << std::string(event.reason));
        }
        client_in.take(client_in.size() - rest.size());
      }
    }
    CHECK(orders_received == orders_sent);
    CHECK(reports_received == reports_sent);
  }
}
