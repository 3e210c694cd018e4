// PortRig: a port, and a client that speaks to it over buffers; what the client hears comes out as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <outcry/actors/ouch_port.hpp>
#include <outcry/net/soup_client.hpp>

#include "memory_venue.hpp"
#include "ouch_text.hpp"

namespace outcry::test {

inline std::string text_of(const Ouch50Desk&, std::span<const std::byte> message) { return ouch50_text(message); }
inline std::string text_of(const Ouch42Desk&, std::span<const std::byte> message) { return ouch42_text(message); }

template <class Port>
class PortRig {
 public:
  explicit PortRig(MemoryVenue& venue, OuchPortOptions options = {}, std::uint32_t account = 7)
      : venue_(venue), options_(with_account(std::move(options), account)), port(options_, venue.symbols(), venue) {}

  static OuchPortOptions with_account(OuchPortOptions options, std::uint32_t account) {
    options.desk.account = {account};
    options.desk.most_orders = 256;
    options.desk.most_tokens = 1024;
    if (options.desk.firms.empty()) options.desk.firms = {"ACME", "BETA"};
    if (options.stream.messages > 1 << 16) options.stream = {.messages = 1 << 14, .bytes = 1 << 20};
    return options;
  }

  /// Logs in and says what the client was told: from message `sequence` on.
  std::string log_in(std::uint64_t sequence = 1, std::string_view session = {}) {
    up_.clear();
    down_.clear();
    client.emplace(SoupClientOptions{}, now_ns);
    client->log_in({.user = "MARA", .password = "x", .session = session, .sequence = sequence}, up_, now_ns);
    SoupServer soup(SoupServerOptions{.largest_payload = 512}, now_ns);
    std::span<const std::byte> bytes = up_.bytes();
    REQUIRE(soup.receive(bytes, now_ns).kind == SoupServerEvent::Kind::login_requested);
    up_.clear();
    port.begin(now_ns, now_ns);
    port.attach(soup, down_);
    return turn();
  }
  void drop() {
    port.close(PortEnd::lost);
    port.begin(now_ns, now_ns);
    port.detach();
  }

  PortRig& say(std::span<const std::byte> message) {
    client->send(message, up_, now_ns);
    return *this;
  }
  template <class M>
  PortRig& say(const M& message, const ouch50::OptionList& options = {}) {
    if constexpr (std::is_same_v<Port, Ouch50Port>) {
      std::array<std::byte, 512> bytes;
      return say(std::span<const std::byte>(bytes).first(ouch50::encode(message, bytes, options)));
    } else {
      return say(std::span<const std::byte>(ouch42::encode(message)));
    }
  }
  template <class M>
  std::string operator()(const M& message, const ouch50::OptionList& options = {}) {
    return say(message, options).turn();
  }

  /// Everything there is to do; what the client hears, a line for each message.
  std::string turn() {
    port.begin(now_ns, now_ns);
    std::span<const std::byte> bytes = up_.bytes();
    port.take(bytes);
    up_.take(up_.size() - bytes.size());
    venue_.deliver(port, options_.desk.account);
    port.send(down_);
    std::string heard = "\n";
    std::span<const std::byte> rest = down_.bytes();
    while (client) {
      const SoupClientEvent event = client->receive(rest, now_ns);
      if (!event) break;
      using Kind = SoupClientEvent::Kind;
      if (event.kind == Kind::message) heard += text_of(port.desk(), event.message) + "\n";
      if (event.kind == Kind::rejected) heard += std::string("login rejected ") + event.reason + "\n";
      if (event.kind == Kind::end_of_session) heard += "end\n";
      if (event.kind == Kind::broken) heard += "broken\n";
    }
    down_.take(down_.size() - rest.size());
    return heard;
  }
  ByteBuffer& up() { return up_; }
  ByteBuffer& down() { return down_; }

 private:
  MemoryVenue& venue_;
  OuchPortOptions options_;
  ByteBuffer up_{1 << 16}, down_{1 << 16};

 public:
  std::optional<SoupClient> client;
  std::int64_t now_ns = 34'200'000'000'000;  // half past nine
  Port port;
};

}  // namespace outcry::test
