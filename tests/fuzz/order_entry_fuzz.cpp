// Any bytes are the two streams of an OUCH session over SoupBinTCP, cut anywhere: what a client sends to our server,
// which answers its orders, and what a server sends to our client. What the server says must be a sound stream that
// another client of ours takes to the end.
#include <algorithm>
#include <cstdlib>

#include <outcry/net/message_store.hpp>
#include <outcry/net/ouch42.hpp>
#include <outcry/net/ouch50_checks.hpp>
#include <outcry/net/soup_client.hpp>
#include <outcry/net/soup_server.hpp>

#include "bytes.hpp"

using namespace outcry;
using outcry_test::Bytes;

namespace {

soup::Version version_of(std::uint64_t number) { return static_cast<soup::Version>(number % 3); }

void answer(std::span<const std::byte> message, MessageStore& store) {
  const auto decoded = ouch50::decode_inbound(message);
  if (decoded && decoded.message.type() == ouch50::EnterOrder::code) {
    const auto& order = decoded.message.as<ouch50::EnterOrder>();
    std::array<std::byte, ouch50::largest_message> out;
    const ouch50::RejectReason reason = ouch50::check(order, decoded.appendage);
    const std::size_t size =
        reason == ouch50::RejectReason::none
            ? ouch50::encode(ouch50::Accepted{.user_ref = order.user_ref, .symbol = order.symbol}, out)
            : ouch50::encode(ouch50::Rejected{.user_ref = order.user_ref, .reason = static_cast<std::uint16_t>(reason)},
                             out);
    store.append(std::span(out).first(size));
  }
  if (const auto older = ouch42::decode_inbound(message)) {
    older.message.visit([&]<class Message>(const Message& m) {
      if constexpr (requires { ouch42::check(m); })
        store.append(ouch42::encode(ouch42::Rejected{.token = m.token, .reason = ouch42::check(m)}));
    });
  }
}

void serve(std::span<const std::byte> stream, Bytes& draws) {
  SoupServer server({.version = version_of(draws.next())}, 0);
  SoupClient peer({}, 0);
  MessageStore store({.messages = 64, .bytes = 4'096});
  ByteBuffer out(256), ignored(64);
  peer.log_in({}, ignored, 0);
  std::int64_t now = 0;
  std::size_t arrived = 0;
  std::span<const std::byte> rest = stream.first(0);
  const std::byte* taken = stream.data();
  for (int turn = 0; turn < 200 && server.state() != SoupServer::State::closed; ++turn) {
    now += static_cast<std::int64_t>(draws.next()) * 10'000'000;
    const std::size_t left = stream.size() - arrived;
    arrived += draws.empty() ? left : std::min<std::size_t>(left, draws.next() + 1u);
    rest = {taken, static_cast<std::size_t>(stream.data() + arrived - taken)};
    while (const SoupServerEvent event = server.receive(rest, now)) {
      if (event.kind == SoupServerEvent::Kind::login_requested) server.accept("FUZZ", store.next_sequence(), out, now);
      if (event.kind == SoupServerEvent::Kind::message) answer(event.message, store);
      if (event.kind == SoupServerEvent::Kind::broken && event.error.offset > stream.size()) std::abort();
    }
    if (rest.data() < taken) std::abort();
    taken = rest.data();
    server.send(store, out, now);
    server.poll(out, now);
    // What it says is taken away in pieces too, and must be sound.
    std::span<const std::byte> said = out.bytes();
    while (const SoupClientEvent event = peer.receive(said, now)) {
      if (event.kind == SoupClientEvent::Kind::broken) std::abort();
      if (event.kind == SoupClientEvent::Kind::message && !ouch50::decode_outbound(event.message) &&
          !ouch42::decode_outbound(event.message))
        std::abort();
    }
    out.take(out.size() - said.size());
  }
}

void listen(std::span<const std::byte> stream, Bytes& draws) {
  SoupClient client({.version = version_of(draws.next())}, 0);
  ByteBuffer out(128);
  client.log_in({}, out, 0);
  std::span<const std::byte> rest = stream;
  std::uint64_t next = 0;
  while (const SoupClientEvent event = client.receive(rest, 0)) {
    if (event.kind == SoupClientEvent::Kind::accepted) next = event.sequence;
    if (event.kind != SoupClientEvent::Kind::message) continue;
    if (event.sequence != next++) std::abort();
    static_cast<void>(ouch50::decode_outbound(event.message));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Sixteen bytes of draws, then the stream.
  if (size < 16) return 0;
  Bytes draws(data, 16);
  const bool is_server = draws.next() % 2 == 0;
  const std::span<const std::byte> stream{reinterpret_cast<const std::byte*>(data + 16), size - 16};
  is_server ? serve(stream, draws) : listen(stream, draws);
  return 0;
}
