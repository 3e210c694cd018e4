// SoupServer: one client's session with a SoupBinTCP server, from its connection to its end.
//
// Bytes and times come in, bytes and events go out; whoever owns the socket moves them:
//
//     for (auto rest = in.bytes(); auto event = server.receive(rest, now); ) ...   // then in.take(what rest lost)
//     server.send(store, out, now);   // replay and live alike: the next messages of the store, as many as have room
//     server.poll(out, now);          // again at server.deadline()
//
// A login is a question: nothing more is read until accept() or reject() answers it. Sequenced messages are never given
// to the session but taken from the store, from the number that the client asked for; a client that does not read
// therefore costs no memory here, and `lag` says how far behind it is.
//
// Thread: one owner. Nothing allocates.
// Limits: payloads of at most `largest_payload`, for which the caller's buffer must have room; a longer one ends the
// session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <outcry/net/protocol_error.hpp>
#include <outcry/net/soupbintcp.hpp>

namespace outcry {

struct SoupServerOptions {
  soup::Version version = soup::Version::v4_10;  // 4.10 understands the logins of 3.00 and 4.00 too
  std::size_t largest_payload = soup::largest_sent_payload;
  std::int64_t heartbeat_ns = 1'000'000'000;
  std::int64_t client_timeout_ns = 15'000'000'000;  // unless a 4.10 client names another
  std::int64_t shortest_timeout_ns = 1'000'000'000;
  std::int64_t longest_timeout_ns = 60'000'000'000;
  std::int64_t login_timeout_ns = 30'000'000'000;
};

/// Texts and messages lie in the bytes that were received.
struct SoupServerEvent {
  enum class Kind : std::uint8_t {
    none,             // no further packet
    login_requested,  // accept() or reject() it
    message,          // unsequenced data
    logged_out,       // close the connection
    timed_out,        // close the connection: no login in time, or nothing heard for too long
    broken,           // close the connection: `error`
  };
  Kind kind = Kind::none;
  soup::Login login{};
  std::span<const std::byte> message{};
  ProtocolError error{};
  explicit operator bool() const { return kind != Kind::none; }
};

class SoupServer {
 public:
  enum class State : std::uint8_t { connected, deciding, open, ended, closed };

  SoupServer(const SoupServerOptions& options, std::int64_t now_ns);

  State state() const { return state_; }

  /// The next event among the packets at the front of `bytes`, which loses what was read. None: a packet is not whole
  /// yet, a login waits for its answer, or the session is closed.
  SoupServerEvent receive(std::span<const std::byte>& bytes, std::int64_t now_ns) noexcept;

  /// Answers the login: the session's name, and the number of the message that comes next in it. False: the client
  /// asked for another session, or for a message that is not there yet, and was rejected.
  /// Requires: state() is deciding, and room for 33 bytes.
  bool accept(std::string_view session, std::uint64_t next_sequence, ByteBuffer& out, std::int64_t now_ns) noexcept;
  /// Answers the login with soup::not_authorized or soup::session_not_available; then close the connection.
  void reject(char reason, ByteBuffer& out) noexcept;

  /// Appends the messages that the client has not had, as many as have room, and behind the last of them the end of the
  /// session if end() was called. Returns how many messages.
  /// A store has next_sequence() and message(sequence).
  template <class Store>
  std::size_t send(const Store& store, ByteBuffer& out, std::int64_t now_ns) noexcept;
  /// False: no room, no session, or a version that has no such packet.
  bool send_unsequenced(std::span<const std::byte> message, ByteBuffer& out, std::int64_t now_ns) noexcept;

  /// The session ends when the client has had every message.
  void end() { ending_ = true; }
  void close() { state_ = State::closed; }

  /// A heartbeat if nothing was sent for a while; timed_out if nothing was heard for too long.
  SoupServerEvent poll(ByteBuffer& out, std::int64_t now_ns) noexcept;
  /// When poll() next has something to do; INT64_MAX when closed.
  std::int64_t deadline() const noexcept;

  /// The number of the message that the client gets next.
  std::uint64_t next_sequence() const { return next_sequence_; }
  std::int64_t client_timeout_ns() const { return client_timeout_ns_; }

 private:
  SoupServerEvent on_packet(const soup::Packet& packet) noexcept;
  SoupServerEvent on_login(const soup::Packet& packet) noexcept;
  SoupServerEvent broken(std::uint64_t offset, const char* what, std::uint64_t found, bool is_character,
                         const char* expected) noexcept;
  std::int64_t silence_limit_ns() const noexcept;

  SoupServerOptions options_;
  State state_ = State::connected;
  bool ending_ = false;
  std::uint64_t received_ = 0;       // bytes of the client's stream before the packet at the front
  std::uint64_t next_sequence_ = 0;  // 0 in front of accept()
  std::uint64_t asked_sequence_ = 0;
  Alpha<10> asked_session_{};
  std::int64_t client_timeout_ns_;
  std::int64_t last_sent_ns_;
  std::int64_t last_heard_ns_;
};

template <class Store>
std::size_t SoupServer::send(const Store& store, ByteBuffer& out, std::int64_t now_ns) noexcept {
  if (state_ != State::open) return 0;
  std::size_t sent = 0;
  while (next_sequence_ < store.next_sequence() &&
         soup::put(out, soup::type::sequenced_data, store.message(next_sequence_))) {
    ++next_sequence_;
    ++sent;
  }
  if (ending_ && next_sequence_ == store.next_sequence() && soup::put(out, soup::type::end_of_session)) {
    state_ = State::ended;
    last_sent_ns_ = now_ns;
  }
  if (sent != 0) last_sent_ns_ = now_ns;
  return sent;
}

}  // namespace outcry
