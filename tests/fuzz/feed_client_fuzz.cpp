// Any packets of a feed in any order, on both lines and as answers, any snapshots and any times are given to a client.
// Its books must stay sound, and its numbers go forward, but for snapshots and new sessions.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <outcry/actors/feed_client.hpp>
#include <outcry/net/mold_packet_writer.hpp>

#include "bytes.hpp"

using namespace outcry;
using outcry_test::Bytes;

namespace {

class Ears : public FeedListener {
 public:
  void on(const TradePrint& trade) override { heard += trade.quantity.lots; }
  void on(const PhaseChanged& change) override { heard += static_cast<unsigned>(change.phase); }
  void on_book(SymbolId, const FeedBook& book) override { heard += book.book().quote().has_bid(); }
  void on_session(const mold::Session&) override { restarted = true; }
  void on_stale(bool) override { restarted = true; }
  std::uint64_t heard = 0;
  bool restarted = false;
};

constexpr char types[] = "ASRHEXDUPQCFB";

/// A message of ITCH whose header makes sense, most of the time; small numbers, so that orders meet.
std::vector<std::byte> message(Bytes& bytes) {
  const char type = types[bytes.below(sizeof types - 1)];
  std::vector<std::byte> made(itch::size_of(type));
  for (std::byte& byte : made) byte = std::byte{0};
  made[0] = static_cast<std::byte>(type);
  made[2] = static_cast<std::byte>(bytes.below(3));
  made[10] = static_cast<std::byte>(bytes.next());
  const auto put = [&](std::size_t at, std::uint64_t value) {
    if (at < made.size()) made[at] = static_cast<std::byte>(value);
  };
  if (type == 'A' || type == 'F') {
    put(18, bytes.below(8));  // the order
    put(19, bytes.below(8) == 0 ? '?' : bytes.below(2) == 0 ? 'B' : 'S');
    put(23, bytes.below(6));
    put(24, 'X');
    put(25, 'A' + bytes.below(3));
    for (std::size_t at = 26; at < 32; ++at) put(at, ' ');
    put(35, bytes.next());
  } else if (type == 'R' || type == 'H') {
    put(11, 'X');
    put(12, 'A' + bytes.below(3));
    for (std::size_t at = 13; at < 19; ++at) put(at, ' ');
    if (type == 'H') put(19, "HPQT"[bytes.below(4)]);
  } else {
    put(18, bytes.below(8));
    put(22, bytes.below(6));
    put(26, bytes.below(8));
    put(30, bytes.below(6));
    put(34, bytes.next());
    put(35, bytes.next());
  }
  if (bytes.rarely()) made.resize(made.size() - 1);
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  const std::uint8_t how = bytes.next();
  FeedClientOptions options{.snapshots = (how & 1) != 0,
                            .receiver = {.window = 16, .largest_message = 64, .attempts = 2, .silence_ns = 50'000'000},
                            .orders = {.orders = 64, .limit = 200, .chunk = 64},
                            .book = {.window = {64, 256}, .orders = 16}};
  if ((how & 2) != 0) options.session = "SESSION01";
  if ((how & 4) != 0)
    options.instruments = {{.symbol = {0}, .name = padded_name("XA")}, {.symbol = {1}, .name = padded_name("XB")}};
  FeedClient client(options, 0);
  Ears ears;
  std::int64_t now = 0;
  while (!bytes.empty()) {
    ears.restarted = false;
    const std::uint64_t before = client.next_sequence();
    const bool was_current = client.is_current();
    bool may_go_back = false;
    const auto line = static_cast<FeedClient::Line>(bytes.below(3));
    switch (bytes.below(8)) {
      case 0: {  // any bytes
        std::byte raw[40];
        const std::size_t length = bytes.below(sizeof raw + 1);
        for (std::size_t i = 0; i < length; ++i) raw[i] = static_cast<std::byte>(bytes.next());
        client.receive(line, {raw, length}, now, ears);
        break;
      }
      case 1: now += std::int64_t{bytes.next()} * 1'000'000; break;
      case 2:
        if (client.wants_snapshot(now)) client.snapshot_begins(bytes.rarely() ? "OTHER" : "SESSION01", now, ears);
        break;
      case 3:
        may_go_back = true;
        if (bytes.below(3) == 0) {
          const auto end = glimpse::EndOfSnapshot::at(1 + bytes.below(40));
          client.snapshot({reinterpret_cast<const std::byte*>(&end), sizeof end}, now, ears);
        } else {
          const auto part = message(bytes);
          client.snapshot(part, now, ears);
        }
        break;
      case 4:
        if (bytes.rarely()) client.snapshot_failed(now);
        break;
      default: {
        MoldPacketWriter packet(bytes.rarely() ? "SESSION02" : "SESSION01", 400);
        packet.begin(1 + bytes.below(48));
        for (std::uint64_t n = bytes.below(4); n > 0; --n) packet.add(message(bytes));
        const bool is_end = packet.empty() && bytes.rarely();
        client.receive(line, is_end ? packet.end_of_session() : packet.bytes(), now, ears);
        break;
      }
    }
    client.poll(now, ears, [&](std::span<const std::byte> request) {
      if (!mold::decode_request(request)) std::abort();
    });
    if (was_current && !ears.restarted && !may_go_back && client.next_sequence() < before) std::abort();
    if (client.deadline() < 0) std::abort();
  }
  for (std::uint32_t i = 0; i < client.symbol_count(); ++i)
    if (!client.book({i}).book().check().empty()) std::abort();
  return 0;
}
