// FixSession: a FIX 4.2 or 4.4 session, as the side that accepts connections or as the one that opens them.
//
// Bytes and times come in, bytes and events go out. What outlives a connection, the numbers of both sides and what was
// sent, is in a FixState that the owner keeps; a new connection gets a new session with the same state.
//
//     for (auto rest = in.bytes(); auto event = session.receive(rest, out, time); ) ...
//     session.send(report, out, time);   // gets its number and is stored, whether or not there is room to send it
//     session.poll(out, time);           // again at session.deadline()
//
// Everything sent is stored. A resend goes at the pace of the buffer: messages for which there is no room wait in the
// store, and later ones behind them, so that numbers on the wire never jump. Messages of the session are not sent
// again: a gap fill stands for them.
//
// Received numbers: too high asks once for everything from the first that is missing; the next few that come meanwhile are
// kept for their turn, others dropped, since the peer sends them again. Too low without being marked as a possible
// duplicate ends the session. A garbled message is passed over and uses no number.
//
// Thread: one owner. Nothing allocates once logged on.
// Limits: messages of at most `largest_message` bytes, for one of which both buffers must have room; FixState's store:
// when it is full, send() refuses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <outcry/net/fix_messages.hpp>
#include <outcry/net/message_store.hpp>
#include <outcry/runtime/byte_buffer.hpp>

namespace outcry {

struct FixState {
  explicit FixState(MessageStore::Size size) : sent(size) {}
  MessageStore sent;                // session messages may be empty: they are never sent again
  std::uint64_t next_incoming = 1;  // the number that the peer's next message has

  void reset() {
    sent.clear();
    next_incoming = 1;
  }
};

/// Monotonic, and the time of day in nanoseconds since 1970, UTC.
struct FixTime {
  std::int64_t now_ns = 0;
  std::int64_t utc_ns = 0;
};

struct FixSessionOptions {
  fix::Version version = fix::Version::v4_2;
  bool initiator = false;
  std::string sender{};
  std::string target{};            // an acceptor that leaves it empty takes the first peer's name
  std::uint64_t heartbeat_s = 30;  // of an initiator
  std::uint64_t longest_heartbeat_s = 3'600;
  bool reset_on_logon = false;    // an initiator asks for it; an acceptor does it whether asked or not
  bool user_defined_tags = true;  // from 5,000 on; false: refused as no tags at all
  std::size_t largest_message = 4'096;
  std::size_t early_messages = 16;  // that are kept until what is missing has come
  std::int64_t login_timeout_ns = 30'000'000'000;
  std::int64_t logout_timeout_ns = 10'000'000'000;
  std::int64_t clock_tolerance_ns = 120'000'000'000;  // 0: whatever SendingTime says
};

/// `message` lies in the session, its fields in the bytes that were received, until the next call of receive().
struct FixEvent {
  enum class Kind : std::uint8_t {
    none,
    logon_requested,  // acceptor: accept() or refuse() it; `logon`
    logged_on,        // initiator
    message,          // an application's
    rejected,         // the peer refused a message of ours (3)
    logged_out,       // close the connection when what is in the buffer is sent
    broken,           // likewise: the peer broke the rules, `reason` says how
    timed_out,        // close the connection: no logon, nothing heard, or no answer to a logout
  };
  Kind kind = Kind::none;
  const fix::Message* message = nullptr;
  fix::Logon logon{};
  const char* reason = "";
  explicit operator bool() const { return kind != Kind::none; }
};

class FixSession {
 public:
  enum class Stage : std::uint8_t { connected, deciding, asking, open, logging_out, closed };

  FixSession(const FixSessionOptions& options, FixState& state, const FixTime& time);

  Stage stage() const { return stage_; }
  fix::Version version() const { return options_.version; }
  std::string_view target() const { return options_.target; }

  /// Initiator: asks to log on. Requires: nothing was sent yet.
  void log_on(std::string_view user, std::string_view password, ByteBuffer& out, const FixTime& time);
  /// Acceptor: answers a logon. Requires: stage() is deciding.
  void accept(ByteBuffer& out, const FixTime& time);
  void refuse(std::string_view why, ByteBuffer& out, const FixTime& time);

  /// The next event among the messages at the front of `bytes`, which loses what was read.
  FixEvent receive(std::span<const std::byte>& bytes, ByteBuffer& out, const FixTime& time);

  /// Gives a message its number, stores it, and sends it if it is its turn and there is room. Without a session it
  /// waits in the store. False: the store is full, or the message larger than largest_message.
  template <class Body>
  bool send(const Body& body, ByteBuffer& out, const FixTime& time) {
    begin(Body::type, state_.sent.next_sequence(), time);
    fix::write(body, options_.version, writer_);
    return store(writer_.finish(), out, time);
  }
  /// Refuses an application's message: by the session (3), or by the application (j) where that is meant.
  bool reject(const fix::Message& message, const fix::Problem& problem, ByteBuffer& out, const FixTime& time);
  /// Refuses an application's message as BusinessReject's reasons have it: 3 for a type that is not supported.
  bool refuse_business(const fix::Message& message, std::uint64_t reason, std::string_view text, ByteBuffer& out,
                       const FixTime& time);

  /// Sends what waits, as much as has room. Call it when room has come.
  void pump(ByteBuffer& out, const FixTime& time);
  /// Begins to log out; logged_out follows when the peer has answered.
  void log_out(std::string_view text, ByteBuffer& out, const FixTime& time);

  /// Heartbeats, test requests, and giving up.
  FixEvent poll(ByteBuffer& out, const FixTime& time);
  std::int64_t deadline() const;

  std::uint64_t garbled() const { return garbled_; }
  /// Something that the peer has said before is still to come: it was asked for.
  bool is_behind() const { return missing_until_ != 0; }
  /// Whether something waits for room; and a number that changes with every message that got some.
  bool waits() const { return may_send() && !nothing_waits(); }
  std::uint64_t progress() const { return first_unsent_ + resend_next_; }

 private:
  FixEvent on_message(std::optional<fix::Problem> problem, ByteBuffer& out, const FixTime& time);
  FixEvent on_first(const std::optional<fix::Problem>& problem, ByteBuffer& out, const FixTime& time);
  FixEvent on_logon_request(ByteBuffer& out, const FixTime& time);
  FixEvent on_logon_answer(ByteBuffer& out, const FixTime& time);
  FixEvent on_too_high(std::uint64_t sequence, ByteBuffer& out, const FixTime& time);
  FixEvent on_too_low(const std::optional<fix::Problem>& problem, ByteBuffer& out, const FixTime& time);
  FixEvent on_admin(ByteBuffer& out, const FixTime& time);
  FixEvent on_test_request(ByteBuffer& out, const FixTime& time);
  FixEvent on_resend_request(ByteBuffer& out, const FixTime& time);
  FixEvent on_sequence_reset(bool is_gap_fill, ByteBuffer& out, const FixTime& time);
  FixEvent on_reset_logon(ByteBuffer& out, const FixTime& time);
  FixEvent on_logout(ByteBuffer& out, const FixTime& time);

  std::optional<fix::Problem> header_problem(const FixTime& time) const;
  std::optional<fix::Problem> dictionary_problem() const;
  bool is_possible_duplicate() const { return message_.get(fix::tag::possible_duplicate) == "Y"; }
  std::uint64_t expected() const { return state_.next_incoming; }

  /// Closes; with a logout that says why if the peer is logged on.
  FixEvent break_off(const char* why, ByteBuffer& out, const FixTime& time);
  FixEvent break_off(const char* why, std::string_view told, ByteBuffer& out, const FixTime& time);
  FixEvent break_off_too_low(ByteBuffer& out, const FixTime& time);
  FixEvent refuse_message(const fix::Problem& problem, ByteBuffer& out, const FixTime& time);
  void keep(std::uint64_t sequence);
  /// The message whose turn it is, if it was kept; else empty.
  std::string_view take_kept();
  void forget_kept();
  void ask_again(std::uint64_t up_to, ByteBuffer& out, const FixTime& time);
  void open(std::uint64_t heartbeat_s, const FixTime& time);
  void forget_sent();

  void begin(std::string_view type, std::uint64_t sequence, const FixTime& time, std::string_view first_sent = {});
  void route_back(const fix::Message& message);
  /// Stores a message that is about to wait or to be sent, and sends what it can.
  bool store(std::span<const std::byte> message, ByteBuffer& out, const FixTime& time);
  /// A message of the session. Sent at once it leaves only its number in the store.
  template <class Body>
  bool send_admin(const Body& body, ByteBuffer& out, const FixTime& time) {
    begin(Body::type, state_.sent.next_sequence(), time);
    fix::write(body, options_.version, writer_);
    return send_admin(writer_.finish(), out, time);
  }
  bool send_admin(std::span<const std::byte> message, ByteBuffer& out, const FixTime& time);

  bool resend_one(ByteBuffer& out, const FixTime& time);
  bool is_admin(std::uint64_t sequence) const;
  bool send_again(std::uint64_t sequence, ByteBuffer& out, const FixTime& time);
  bool fill_gap(std::uint64_t from, std::uint64_t to, ByteBuffer& out, const FixTime& time);
  bool nothing_waits() const { return resend_next_ >= resend_end_ && first_unsent_ == state_.sent.next_sequence(); }
  bool may_send() const { return stage_ == Stage::open || stage_ == Stage::logging_out; }

  FixSessionOptions options_;
  FixState& state_;
  fix::Writer writer_;
  fix::Message message_;  // the one received last
  fix::Message stored_;   // one being sent again
  // The message `number` is kept in slot number % early_messages; 0: nobody.
  std::unique_ptr<std::uint64_t[]> kept_numbers_;
  std::unique_ptr<std::size_t[]> kept_sizes_;
  std::unique_ptr<char[]> kept_bytes_;
  Stage stage_ = Stage::connected;
  // Of the logon that is being decided.
  bool logon_asks_reset_ = false;
  std::uint64_t logon_sequence_ = 0;
  std::uint64_t logon_heartbeat_s_ = 0;

  std::int64_t heartbeat_ns_ = 0;  // 0: none
  std::uint64_t garbled_ = 0;
  std::uint64_t missing_until_ = 0;                 // asked for all up to here; 0: nothing is missing
  std::uint64_t resend_next_ = 0, resend_end_ = 0;  // what the peer asked for, [next, end)
  std::uint64_t first_unsent_;                      // of the store
  std::int64_t last_sent_ns_, last_heard_ns_, logout_ns_ = 0;
  bool tested_ = false;
};

}  // namespace outcry
