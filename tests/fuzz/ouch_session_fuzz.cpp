// Any bytes are what a client sends to a port for OUCH 5.0 or 4.2, from its login on, cut anywhere; its symbols answer,
// others trade with it, and it may be sent away and come back. Whatever it says, what the port says is a sound stream of
// sound messages, the same every time it is sent, and the orders that the port knows are those in the books.
#include <algorithm>
#include <cstdlib>

#include <outcry/actors/ouch_port.hpp>
#include <outcry/net/soup_client.hpp>

#include "bytes.hpp"
#include "tests/actors/memory_venue.hpp"

using namespace outcry;
using namespace outcry::test;
using outcry_test::Bytes;

namespace {

constexpr AccountId account{7};

bool is_sound(const Ouch50Desk&, std::span<const std::byte> message) { return bool(ouch50::decode_outbound(message)); }
bool is_sound(const Ouch42Desk&, std::span<const std::byte> message) { return bool(ouch42::decode_outbound(message)); }

template <class Port>
class Session {
 public:
  explicit Session(MemoryVenue& venue) : venue_(venue), port_(options(), venue_.symbols(), venue_) {}

  void play(std::span<const std::byte> stream, Bytes& draws, bool logs_in) {
    if (logs_in) log_in();
    for (int turn = 0; turn < 300 && !stream.empty(); ++turn) {
      const std::size_t size =
          draws.empty() ? stream.size() : std::min<std::size_t>(stream.size(), 1 + 4 * draws.next());
      if (in_.room() < size) break;
      in_.append(stream.first(size));
      stream = stream.subspan(size);
      now_ns_ += std::int64_t{draws.next()} * 5'000'000;
      if (draws.rarely()) others_trade(draws);
      step();
      if (port_.ended() != PortEnd::none) {
        port_.detach();
        in_.clear();
        log_in();
      }
    }
    settle();
  }

 private:
  static OuchPortOptions options() {
    return {.desk = {.account = account, .most_orders = 64, .most_tokens = 256, .firms = {"ACME", "LIME"}},
            .stream = {.messages = 2'048, .bytes = 1 << 17},
            .grace_ns = 100'000'000};
  }

  void log_in() {
    ByteBuffer up(64);
    SoupClient asks({}, now_ns_);
    asks.log_in({.user = "MARA", .sequence = 1}, up, now_ns_);
    take_login(up);
  }
  /// A login off the front of the bytes, if there is one.
  void take_login(ByteBuffer& from) {
    SoupServer soup({.largest_payload = 512}, now_ns_);
    std::span<const std::byte> rest = from.bytes();
    const SoupServerEvent event = soup.receive(rest, now_ns_);
    from.take(from.size() - rest.size());
    if (event.kind != SoupServerEvent::Kind::login_requested) return;
    port_.begin(now_ns_, now_ns_);
    out_.clear();
    listener_ = SoupClient({}, now_ns_);
    ByteBuffer nowhere(64);
    listener_.log_in({}, nowhere, now_ns_);
    if (!port_.attach(soup, out_)) out_.clear();
  }

  void step() {
    port_.begin(now_ns_, now_ns_);
    if (!port_.attached()) take_login(in_);
    std::span<const std::byte> rest = in_.bytes();
    port_.take(rest);
    in_.take(in_.size() - rest.size());
    venue_.deliver(port_, account);
    port_.send(out_);
    listen();
  }

  void listen() {
    std::span<const std::byte> said = out_.bytes();
    while (const SoupClientEvent event = listener_.receive(said, now_ns_)) {
      if (event.kind == SoupClientEvent::Kind::broken) std::abort();
      if (event.kind != SoupClientEvent::Kind::message) continue;
      if (!is_sound(port_.desk(), event.message)) std::abort();
      // What is sent is what is in the stream, at its number.
      const auto kept = port_.stream().message(event.sequence);
      if (!std::equal(kept.begin(), kept.end(), event.message.begin(), event.message.end())) std::abort();
    }
    out_.take(out_.size() - said.size());
  }

  void others_trade(Bytes& draws) {
    const std::int64_t tick = 100;
    venue_.act(NewOrder{.id = {++foreign_},
                        .price = {tick * (1 + static_cast<std::int64_t>(draws.below(20'000)))},
                        .quantity = {1 + static_cast<std::uint32_t>(draws.next())},
                        .account = {1'000},
                        .side = draws.next() % 2 == 0 ? Side::buy : Side::sell});
    venue_.forget({1'000});
  }

  /// When everything has been heard, both know the same orders.
  void settle() {
    port_.begin(now_ns_, now_ns_);
    venue_.deliver(port_, account);
    port_.poll();
    venue_.deliver(port_, account);
    if (port_.desk().entry().owes()) std::abort();
    std::size_t known = 0;
    port_.desk().entry().each_open([&](OrderHandle, const EnteredOrder& order) {
      ++known;
      if (order.total != order.executed + order.prevented + order.open) std::abort();
      const auto found = venue_.book(order.ticket.symbol.value).find(order.id);
      if (!found || found->account != account) std::abort();
      if (order.ticket.type == SpecialType::limit && found->open + found->reserve != order.open) std::abort();
    });
    if (known != port_.desk().entry().open_orders()) std::abort();
  }

  MemoryVenue& venue_;
  Port port_;
  ByteBuffer in_{1 << 14}, out_{1 << 13};
  SoupClient listener_{{}, 0};
  std::int64_t now_ns_ = 34'200'000'000'000;
  std::uint64_t foreign_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Sixteen bytes of draws, then the stream.
  if (size < 16) return 0;
  Bytes draws(data, 16);
  const std::uint8_t kind = draws.next();
  const std::span<const std::byte> stream{reinterpret_cast<const std::byte*>(data + 16), size - 16};
  // Books are large: each session begins with empty ones, not with new ones.
  static MemoryVenue venue({.self_trade = SelfTrade::decrement}, 1024);
  venue.empty();
  if (kind % 2 == 0)
    Session<Ouch50Port>(venue).play(stream, draws, (kind & 2) != 0);
  else
    Session<Ouch42Port>(venue).play(stream, draws, (kind & 2) != 0);
  return 0;
}
