// Writes captures of sessions with every message type that we send or understand, out of our own encoders, for others to
// dissect: wire_samples DIR. tests/strangers/tshark looks at them.
#include <array>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <outcry/net/fix_messages.hpp>
#include <outcry/net/fix_writer.hpp>
#include <outcry/net/itch.hpp>
#include <outcry/net/message_store.hpp>
#include <outcry/net/mold_packet_writer.hpp>
#include <outcry/net/mold_sender.hpp>
#include <outcry/net/ouch42.hpp>
#include <outcry/net/soup_client.hpp>
#include <outcry/net/soup_server.hpp>

#include "capture.hpp"

using namespace outcry;
using outcry_test::Capture;

namespace {

constexpr std::uint16_t client_port = 40'001, soup_port = 9'001, fix_port = 15'001, feed_port = 31'001,
                        request_port = 31'003;

void must(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

/// What one side has appended goes over to the other one.
template <class Send>
void pass(ByteBuffer& buffer, Send&& send) {
  send(buffer.bytes());
  buffer.clear();
}

template <class Message>
std::span<const std::byte> bytes_of(const Message& message) {
  return {reinterpret_cast<const std::byte*>(&message), sizeof message};
}

/// Values that make sense in every field that an OUCH message may have.
template <class Message>
Message filled(Message message) {
  if constexpr (requires { message.timestamp; }) message.timestamp = 34'200'000'000'001u;
  if constexpr (requires { message.token; }) message.token = "TOKEN0000001";
  if constexpr (requires { message.new_token; }) message.new_token = "TOKEN0000002";
  if constexpr (requires { message.previous_token; }) message.previous_token = "TOKEN0000001";
  if constexpr (requires { message.side; }) message.side = ouch::Side::buy;
  if constexpr (requires { message.shares; }) message.shares = 100;
  if constexpr (requires { message.stock; }) message.stock = "AAPL";
  if constexpr (requires { message.price; }) message.price = 1'500'000;
  if constexpr (requires { message.time_in_force; }) message.time_in_force = ouch42::system_hours;
  if constexpr (requires { message.firm; }) message.firm = "ALCE";
  if constexpr (requires { message.display; }) message.display = 'Y';
  if constexpr (requires { message.capacity; }) message.capacity = ouch::Capacity::principal;
  if constexpr (requires { message.order; }) message.order = 7;
  if constexpr (requires { message.decrement; }) message.decrement = 100;
  if constexpr (requires { message.prevented; }) message.prevented = 100;
  if constexpr (requires { message.execution_price; }) message.execution_price = 1'500'000;
  if constexpr (requires { message.match; }) message.match = 99;
  if constexpr (requires { message.liquidity; }) message.liquidity = ouch::Liquidity::added;
  if constexpr (requires { message.reference_price; }) message.reference_price = 1'500'000;
  if constexpr (requires { message.reference_type; }) message.reference_type = 'I';
  if constexpr (std::is_same_v<Message, ouch42::SystemEvent>) message.event = ouch::SystemCode::start_of_day;
  if constexpr (std::is_same_v<Message, ouch42::Rejected>) message.reason = ouch42::RejectReason::halted;
  if constexpr (std::is_same_v<Message, ouch42::BrokenTrade>) message.reason = ouch::BrokenReason::erroneous;
  if constexpr (std::is_same_v<Message, ouch42::TradeCorrection>) message.reason = 'E';
  if constexpr (std::is_same_v<Message, ouch42::Canceled>) message.reason = ouch::CancelReason::user;
  return message;
}

/// A session of SoupBinTCP with all of its packets, and with every message of OUCH 4.2 in it.
void write_soup(const std::string& path, bool ouch) {
  Capture capture(path);
  ByteBuffer out(1 << 16);
  MessageStore store({.messages = 100, .bytes = 10'000});
  std::int64_t now = 0;
  for (const soup::Version version : {soup::Version::v3_00, soup::Version::v4_00}) {
    Capture::Conversation wire(capture, static_cast<std::uint16_t>(client_port + static_cast<int>(version)), soup_port);
    const auto to_server = [&](std::span<const std::byte> bytes) { wire.from_client(bytes); };
    const auto to_client = [&](std::span<const std::byte> bytes) { wire.from_server(bytes); };
    SoupClient client({.version = version}, now);
    SoupServer server({.version = version}, now);
    must(client.log_in({.user = "ALICE", .password = "wonder", .session = "DAY1"}, out, now), "login");
    const std::vector<std::byte> login(out.bytes().begin(), out.bytes().end());
    pass(out, to_server);
    std::span<const std::byte> rest = login;
    must(server.receive(rest, now).kind == SoupServerEvent::Kind::login_requested, "a login request");
    must(server.accept("DAY1", store.next_sequence(), out, now), "acceptance");
    const std::vector<std::byte> accepted(out.bytes().begin(), out.bytes().end());
    pass(out, to_client);
    rest = accepted;
    must(client.receive(rest, now).kind == SoupClientEvent::Kind::accepted, "an acceptance");

    if (ouch) {
      ouch42::Inbound::each([&](const auto& message) {
        must(client.send(bytes_of(filled(message)), out, now), "room");
        pass(out, to_server);
      });
      ouch42::Outbound::each([&](const auto& message) {
        must(store.append(bytes_of(filled(message))) != 0, "room");
        server.send(store, out, now);
        pass(out, to_client);
      });
    } else {
      const std::string_view text = "a message";
      const std::span<const std::byte> message(reinterpret_cast<const std::byte*>(text.data()), text.size());
      must(client.send(message, out, now), "room");
      pass(out, to_server);
      store.append(message);
      server.send(store, out, now);
      pass(out, to_client);
      must(soup::put(out, soup::type::debug, message), "room");
      pass(out, to_client);
      if (version != soup::Version::v3_00) {
        must(server.send_unsequenced(message, out, now), "room");
        pass(out, to_client);
      }
      now += 1'000'000'000;
      client.poll(out, now);
      must(!out.empty(), "a client's heartbeat");
      pass(out, to_server);
      server.poll(out, now);
      must(!out.empty(), "a server's heartbeat");
      pass(out, to_client);
    }
    if (version == soup::Version::v3_00) {
      must(client.log_out(out), "a logout");
      pass(out, to_server);
    } else {
      server.end();
      server.send(store, out, now);
      must(server.state() == SoupServer::State::ended, "the end of the session");
      pass(out, to_client);
    }
  }

  Capture::Conversation wire(capture, client_port + 10, soup_port);
  SoupClient client({.version = soup::Version::v3_00}, now);
  SoupServer server({}, now);
  must(client.log_in({.user = "ALICE", .password = "wrong"}, out, now), "login");
  const std::vector<std::byte> login(out.bytes().begin(), out.bytes().end());
  pass(out, [&](std::span<const std::byte> bytes) { wire.from_client(bytes); });
  std::span<const std::byte> rest = login;
  must(static_cast<bool>(server.receive(rest, now)), "a login request");
  server.reject(soup::not_authorized, out);
  pass(out, [&](std::span<const std::byte> bytes) { wire.from_server(bytes); });
}

/// A feed: messages in packets, a heartbeat, the end of the session; and a request for lost ones.
void write_mold(const std::string& path) {
  Capture capture(path);
  const auto send = [&](std::span<const std::byte> packet) { capture.datagram(feed_port, feed_port, packet); };
  MoldSender sender({.session = "ITCH000001", .largest_packet = 300}, 0);
  std::int64_t now = 0;
  std::apply(
      [&](const auto&... message) {
        const auto add = [&](const auto& one) {
          must(sender.add(bytes_of(one), now, send), "a message that fits");
          now += 1'000;
        };
        (add(message), ...);
      },
      itch::Messages{});
  sender.flush(now, send);
  sender.poll(now + 2'000'000'000, send);
  mold::Header request;
  request.session = "ITCH000001";
  request.sequence = 3;
  request.count = 5;
  capture.datagram(40'002, request_port, bytes_of(request));
  sender.end(now, send);
}

/// Every message of order entry and of the session, in both versions.
void write_fix(const std::string& path) {
  Capture capture(path);
  std::uint16_t port = client_port;
  for (const fix::Version version : {fix::Version::v4_2, fix::Version::v4_4}) {
    Capture::Conversation wire(capture, port++, fix_port);
    fix::Writer writer(4'096);
    std::uint64_t sequence = 0;
    const auto put = [&]<class Body>(const Body& body, bool from_client = true) {
      writer.begin(version, Body::type);
      writer.put(fix::tag::sender, from_client ? "ALICE" : "OUTCRY");
      writer.put(fix::tag::target, from_client ? "OUTCRY" : "ALICE");
      writer.put_number(fix::tag::sequence, ++sequence);
      writer.put_time(fix::tag::sending_time, 1'700'000'000'000'000'000);
      fix::write(body, version, writer);
      const auto bytes = writer.finish();
      must(!bytes.empty(), "a message that fits");
      from_client ? wire.from_client(bytes) : wire.from_server(bytes);
    };
    const fix::UtcTime time{1'700'000'000'000'000'000};
    put(fix::Logon{.encryption = 0, .heartbeat_s = 30, .reset = true});
    put(fix::Logon{.encryption = 0, .heartbeat_s = 30, .reset = true}, false);
    put(fix::Heartbeat{});
    put(fix::TestRequest{.test_id = "1"});
    put(fix::Heartbeat{.test_id = "1"}, false);
    put(fix::ResendRequest{.begin = 1, .end = 0});
    put(fix::SequenceReset{.new_sequence = 9, .gap_fill = true}, false);
    put(fix::NewOrderSingle{.account = "ALICE",
                            .client_order_id = "1",
                            .handling = '1',
                            .quantity = fix::Shares{100},
                            .order_type = '2',
                            .price = fix::Decimal{1'500'000},
                            .side = '1',
                            .symbol = "AAPL",
                            .time_in_force = '0',
                            .transacted = time});
    put(fix::ExecutionReport{.client_order_id = "1",
                             .execution_id = "7",
                             .order_id = "3",
                             .quantity = fix::Shares{100},
                             .status = '0',
                             .side = '1',
                             .symbol = "AAPL",
                             .transacted = time,
                             .execution = '0',
                             .leaves_quantity = 100},
        false);
    put(fix::OrderCancelReplaceRequest{.client_order_id = "2",
                                       .handling = '1',
                                       .quantity = fix::Shares{200},
                                       .order_type = '2',
                                       .original_client_order_id = "1",
                                       .price = fix::Decimal{1'500'100},
                                       .side = '1',
                                       .symbol = "AAPL",
                                       .transacted = time});
    put(fix::OrderCancelRequest{.client_order_id = "3",
                                .quantity = fix::Shares{200},
                                .original_client_order_id = "2",
                                .side = '1',
                                .symbol = "AAPL",
                                .transacted = time});
    put(fix::OrderCancelReject{.client_order_id = "3",
                               .order_id = "3",
                               .status = '0',
                               .original_client_order_id = "2",
                               .reason = 1,
                               .response_to = '1'},
        false);
    put(fix::OrderMassCancelRequest{.client_order_id = "4", .transacted = time, .request_type = '7'});
    put(fix::OrderMassCancelReport{.client_order_id = "4", .order_id = "4", .request_type = '7', .response = '7'},
        false);
    put(fix::SessionReject{.sequence = 4, .text = "no", .message_type = "D", .reason = 5}, false);
    put(fix::BusinessReject{.sequence = 4, .text = "no", .message_type = "D", .reason = 3}, false);
    put(fix::Logout{.text = "done"});
    put(fix::Logout{}, false);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIR\n", argv[0]);
    return 2;
  }
  const std::string folder = std::string(argv[1]) + "/";
  try {
    write_soup(folder + "soup.pcap", false);
    write_soup(folder + "ouch42.pcap", true);
    write_mold(folder + "mold.pcap");
    write_fix(folder + "fix.pcap");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
  std::printf("%s\n", argv[1]);
  return 0;
}
