// Any bytes are datagrams of a feed, on two lines, and requests for it. The receiver must deliver every number once, in
// order; the re-request server must answer with sound packets no larger than it may.
#include <algorithm>
#include <cstdlib>

#include <outcry/net/message_store.hpp>
#include <outcry/net/mold_receiver.hpp>
#include <outcry/net/mold_requests.hpp>

#include "bytes.hpp"

using namespace outcry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t largest = 200;
  MessageStore store({.messages = 50, .bytes = 5'000});
  for (std::size_t i = 0; i < 50; ++i) store.append({reinterpret_cast<const std::byte*>("0123456789"), i % 10});
  MoldRequests requests({.session = "SESSION01", .largest_packet = largest}, 0);
  const bool is_late = size != 0 && data[0] % 2 == 1;
  MoldReceiver receiver({.next_sequence = is_late ? 0u : 1u, .window = 16, .largest_message = 40, .attempts = 3}, 0);
  std::uint64_t next = is_late ? 0 : 1;
  const auto deliver = [&](std::uint64_t sequence, std::span<const std::byte>) {
    if (next != 0 && sequence < next) std::abort();
    if (next != 0 && sequence != next && receiver.counts().lost == 0) std::abort();
    next = sequence + 1;
  };
  std::int64_t now = 0;
  // Each datagram behind a byte for its line and two for its size.
  for (std::size_t at = 1; at + 3 <= size;) {
    const std::uint8_t how = data[at];
    const std::size_t length =
        std::min<std::size_t>(static_cast<std::size_t>(data[at + 1] << 8 | data[at + 2]), size - at - 3);
    const std::span<const std::byte> datagram{reinterpret_cast<const std::byte*>(data + at + 3), length};
    at += 3 + length;
    now += std::int64_t{how} * 1'000'000;
    receiver.receive(static_cast<MoldReceiver::Line>(how % 3), datagram, now, deliver);
    requests.answer(store, datagram, how, now, [&](std::span<const std::byte> answer) {
      if (answer.size() > largest || !mold::decode(answer)) std::abort();
    });
    const auto event = receiver.poll(now, [&](std::span<const std::byte> request) {
      const auto decoded = mold::decode_request(request);
      if (!decoded || decoded.request.sequence != receiver.next_sequence() || decoded.request.count == 0) std::abort();
    });
    if (event == MoldReceiver::Event::gap_lost) receiver.skip_gap(now, deliver);
    if (is_late && how == 0xFF) {
      next = length + 1;  // back, perhaps: a join begins anew
      receiver.join(next, now, deliver);
    }
    if (is_late && how == 0xFE) receiver.hold();
    if (receiver.deadline() < 0) std::abort();
  }
  return 0;
}
