// Counts every allocation of this program, which is why it is one of its own.
#include <doctest/doctest.h>

#include <array>

#include <outcry/net/fix_session.hpp>
#include <outcry/net/message_store.hpp>
#include <outcry/net/mold_receiver.hpp>
#include <outcry/net/mold_requests.hpp>
#include <outcry/net/mold_sender.hpp>
#include <outcry/net/ouch50_checks.hpp>
#include <outcry/net/soup_client.hpp>
#include <outcry/net/soup_server.hpp>

#include "tests/counted_allocations.hpp"

using namespace outcry;
using outcry_test::allocations;

namespace {

/// Lets `receive(rest)` take what it can off the front of the buffer.
template <class Receive>
void taken(ByteBuffer& buffer, Receive receive) {
  std::span<const std::byte> rest = buffer.bytes();
  receive(rest);
  buffer.take(buffer.size() - rest.size());
}

}  // namespace

TEST_CASE("ten thousand orders over OUCH and SoupBinTCP allocate nothing, nor do their answers") {
  SoupServer server({}, 0);
  SoupClient client({}, 0);
  ByteBuffer up(4'096), down(4'096);
  MessageStore store({.messages = 20'000, .bytes = 2'000'000});
  client.log_in({.user = "MARA", .password = "secret"}, up, 0);
  taken(up, [&](auto& rest) { server.receive(rest, 0); });
  server.accept("DAY1", 1, down, 0);
  taken(down, [&](auto& rest) { client.receive(rest, 0); });
  const ouch50::OptionList options = ouch50::OptionList().add<ouch50::Tag::firm>("LIME");

  const std::int64_t before = allocations;
  std::uint32_t answers = 0;
  for (std::uint32_t i = 1; i <= 10'000; ++i) {
    std::array<std::byte, ouch50::largest_message> bytes;
    const std::size_t size = ouch50::encode(
        ouch50::EnterOrder{.user_ref = i, .side = ouch::Side::buy, .quantity = 1, .symbol = "AAPL", .price = 1}, bytes,
        options);
    client.send(std::span(bytes).first(size), up, i);
    taken(up, [&](auto& rest) {
      while (const SoupServerEvent event = server.receive(rest, i)) {
        const auto order = ouch50::decode_inbound(event.message);
        const ouch50::Accepted answer{.user_ref = order.message.as<ouch50::EnterOrder>().user_ref};
        static_cast<void>(ouch50::check(order.message.as<ouch50::EnterOrder>(), order.appendage));
        store.append(std::span(bytes).first(ouch50::encode(answer, bytes)));
      }
    });
    server.send(store, down, i);
    taken(down, [&](auto& rest) {
      while (const SoupClientEvent event = client.receive(rest, i))
        answers += bool(ouch50::decode_outbound(event.message));
    });
  }

  CHECK(allocations == before);
  CHECK(before > 0);  // the hooks do count
  CHECK(answers == 10'000);
}

TEST_CASE("ten thousand messages over MoldUDP64 with losses allocate nothing") {
  MessageStore store({.messages = 20'000, .bytes = 1'000'000});
  MoldSender sender({.session = "FEED", .flush_ns = 0}, 0);
  MoldRequests requests({.session = "FEED"}, 0);
  MoldReceiver receiver({.session = "FEED", .patience_ns = 0}, 0);
  std::uint64_t delivered = 0;
  const auto deliver = [&](std::uint64_t, std::span<const std::byte>) { ++delivered; };

  const std::int64_t before = allocations;
  for (std::int64_t i = 1; i <= 10'000; ++i) {
    const std::int64_t now = i * 1'000'000;
    const std::array<std::byte, 36> message{};
    store.append(message);
    sender.add(message, now, [](auto) {});
    sender.flush(now, [&](std::span<const std::byte> datagram) {
      if (i % 3 != 0) receiver.receive(MoldReceiver::Line::a, datagram, now, deliver);
    });
    receiver.poll(now, [&](std::span<const std::byte> request) {
      requests.answer(store, request, 1, now, [&](std::span<const std::byte> datagram) {
        receiver.receive(MoldReceiver::Line::requested, datagram, now, deliver);
      });
    });
  }

  CHECK(allocations == before);
  CHECK(delivered >= 9'999);
  CHECK(receiver.counts().requests > 3'000);
}

TEST_CASE("ten thousand orders over FIX allocate nothing once logged on, nor do their reports") {
  FixState ours({.messages = 20'000, .bytes = 4'000'000}), theirs({.messages = 20'000, .bytes = 4'000'000});
  FixSession server({.sender = "EXCHANGE", .target = "TRADER"}, ours, {});
  FixSession client({.initiator = true, .sender = "TRADER", .target = "EXCHANGE"}, theirs, {});
  ByteBuffer up(4'096), down(4'096);
  client.log_on("", "", up, {});
  taken(up, [&](auto& rest) { server.receive(rest, down, {}); });
  server.accept(down, {});
  taken(down, [&](auto& rest) { client.receive(rest, up, {}); });

  const std::int64_t before = allocations;
  int reports = 0;
  for (std::int64_t i = 1; i <= 10'000; ++i) {
    const FixTime time{i, i};
    client.send(fix::NewOrderSingle{.client_order_id = "c",
                                    .handling = '1',
                                    .quantity = 100,
                                    .order_type = '2',
                                    .price = fix::Decimal{1'502'500},
                                    .side = '1',
                                    .symbol = "AAPL"},
                up, time);
    taken(up, [&](auto& rest) {
      while (const FixEvent event = server.receive(rest, down, time)) {
        fix::NewOrderSingle order;
        if (fix::read(*event.message, server.version(), order)) continue;
        server.send(fix::ExecutionReport{.client_order_id = order.client_order_id,
                                         .execution_id = "e",
                                         .order_id = "o",
                                         .status = '0',
                                         .side = order.side,
                                         .symbol = order.symbol,
                                         .execution = '0'},
                    down, time);
      }
    });
    taken(down, [&](auto& rest) {
      while (const FixEvent event = client.receive(rest, up, time)) reports += event.message->type() == "8";
    });
  }

  CHECK(allocations == before);
  CHECK(reports == 10'000);
}
