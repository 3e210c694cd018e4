// OuchPort: one account's port for OUCH over SoupBinTCP, all day long: its orders, its stream, and while a client is
// there, its session. Bytes and events go in, bytes and commands come out; an actor (ouch_port_actor.hpp) moves them.
//
//     port.attach(soup, out, now);                                   // a client has logged in, and waits for the answer
//     port.begin(now, arrival);                                      // once for each batch
//     batch.each([&](const auto& event) { port.heard(event); });     // from the symbols, whether or not a client is there
//     port.take(bytes);                                              // loses what was read
//     port.send(out);                                                // answers, heartbeats, what is to be sent again
//     if (port.ended() != PortEnd::none) close();                    // and port.detach()
//
// A port without a client goes on hearing of its orders; the client reads it all when it is back. Cancel on disconnect:
// `grace_ns` after the client has gone, unless it is back by then, everything that the account has in the market is
// cancelled; after a logout, too.
// A client that does not read is cut off: when nothing could be sent to it for `stall_ns` though something waits, or when
// it is more than `most_behind` messages behind, those not counted that were there when it logged in.
// Thread: one owner. Nothing allocates but the constructor.
// Limits: see OuchDeskOptions and MessageStore. A stream that is full ends the session, and everything in the market.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <outcry/actors/ouch42_desk.hpp>
#include <outcry/actors/ouch50_desk.hpp>
#include <outcry/net/soup_server.hpp>
#include <outcry/runtime/byte_buffer.hpp>

namespace outcry {

enum class PortEnd : std::uint8_t {
  none,
  logged_out,
  silent,     // nothing heard for too long
  broken,     // what came is no message
  slow,       // does not read
  elsewhere,  // another login has taken its place
  lost,       // the connection is gone
  over,       // the session has ended, and the client has had all of it
  full,       // there is no room for what is to be said
  not_there,  // asked for another session, or for a message that is not there yet
};
const char* to_string(PortEnd end);

struct OuchPortOptions {
  OuchDeskOptions desk{};
  std::string session = "DAY1";  // at most ten characters
  MessageStore::Size stream{.messages = 1 << 18, .bytes = 1 << 24};
  TokenRate reading{};  // messages beyond it are not refused but read later. Burst 0: no limit
  bool cancel_on_disconnect = true;
  std::int64_t grace_ns = 0;
  std::uint64_t most_behind = 1 << 16;
  std::int64_t stall_ns = 5'000'000'000;
};

struct OuchPortCounts {
  std::uint64_t messages = 0;  // of clients
  std::uint64_t events = 0;    // of symbols
  std::uint64_t logins = 0;
  std::uint64_t held_back = 0;     // times that reading waited
  std::uint64_t mass_cancels = 0;  // because a client was gone
};

template <class Desk>
class OuchPort {
 public:
  /// `symbols` and `route` outlive it. Throws as OuchDesk does.
  OuchPort(const OuchPortOptions& options, const SymbolDirectory& symbols, OrderRoute& route);
  OuchPort(const OuchPort&) = delete;
  OuchPort& operator=(const OuchPort&) = delete;

  /// The time of what comes next, once for each batch: monotonic, and as commands are stamped.
  void begin(std::int64_t now_ns, std::int64_t arrival_ns) {
    now_ns_ = now_ns;
    desk_.now(now_ns, arrival_ns);
  }

  /// A client that was admitted: the answer to its login is in `out`, and if true its session is open. False: the
  /// connection is to be closed when that is sent. A session that was there is over: detach() first.
  /// Requires: soup.state() is deciding, out has room for 33 bytes.
  bool attach(const SoupServer& soup, ByteBuffer& out);
  /// The connection is closed, or gone.
  void detach();
  bool attached() const { return soup_.has_value(); }
  /// Why the session is to be closed, once it is.
  PortEnd ended() const { return end_; }
  const ProtocolError& error() const { return error_; }
  void close(PortEnd why) {
    if (end_ == PortEnd::none) end_ = why;
  }

  /// Whether there is more to read at deadline(), because the client is faster than agreed.
  bool holds_back() const { return holds_back_; }
  /// Messages off the front of `bytes`. What is left is part of one, or is to be read later (see deadline()).
  void take(std::span<const std::byte>& bytes) noexcept;

  template <class Event>
  void heard(const Event& event) noexcept {
    ++counts_.events;
    desk_.heard(event);
  }

  /// The end of a batch: appends what the client has not had, as much as has room, and does what is due.
  void send(ByteBuffer& out) noexcept;
  /// The same while no client is there.
  void poll() noexcept;
  /// When poll() or send() has something to do without anything having come; INT64_MAX: never.
  std::int64_t deadline() const noexcept;

  /// No more orders; what is in the market is not touched. The session ends when the client has had all of the stream.
  void end_of_day() noexcept;
  /// A new session with an empty stream. Requires: no client is attached, and no order is open.
  void start_of_day(const std::string& session);

  Desk& desk() { return desk_; }
  const Desk& desk() const { return desk_; }
  const MessageStore& stream() const { return stream_.store(); }
  const OuchPortCounts& counts() const { return counts_; }
  const OuchPortOptions& options() const { return options_; }

 private:
  void finish_batch() noexcept;
  void watch_reader(std::size_t sent) noexcept;
  std::uint64_t behind() const;
  bool may_read() noexcept;

  OuchPortOptions options_;
  PortStream stream_;
  Desk desk_;
  std::optional<SoupServer> soup_;
  TokenBucket reading_;
  std::int64_t now_ns_ = 0;
  PortEnd end_ = PortEnd::none;
  ProtocolError error_{};
  bool day_is_over_ = false;
  bool gave_up_ = false;  // the stream is full
  bool holds_back_ = false;
  std::int64_t read_again_ns_ = INT64_MAX;
  std::int64_t cancel_at_ns_ = INT64_MAX;  // nobody is there
  std::int64_t stalled_since_ns_ = INT64_MAX;
  std::uint64_t backlog_end_ = 0;  // the number of the first message after the login
  OuchPortCounts counts_;
};

using Ouch50Port = OuchPort<Ouch50Desk>;
using Ouch42Port = OuchPort<Ouch42Desk>;

extern template class OuchPort<Ouch50Desk>;
extern template class OuchPort<Ouch42Desk>;

}  // namespace outcry
