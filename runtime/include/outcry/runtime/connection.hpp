// Connection: a TCP connection of one actor: bytes in, bytes out.
//
//   auto adopted = Connection::adopt(self, std::move(socket));
//   Connection& connection = *adopted;
//   while (!connection.ended()) {
//     co_await self.attend();                             // something happened: look
//     connection.out().append(connection.in());           // leaves at the end of the round
//     connection.take(connection.in().size());
//   }
//
// What comes in waits in in(), at most ConnectionOptions::in_bytes of it; then nothing more is read, and the peer's window
// closes. What is appended to out() goes to the kernel in one piece when the scheduler's round is over, while the next is
// collected; a peer that does not read shows as unsent(), and out() has no more room: nothing is lost and nothing grows.
// attend() returns when an eighth of out_bytes or more has left out() at once: whoever found no room there for a piece of at
// most seven eighths hears of it. Of less that has left there is no word; when all of it is with the kernel, write({}) says.
// The kernel writes into memory of the ring, which outlives this object and the actor's frame where it must.
// Thread: the scheduler of the actor that opened it. That actor is the one whose attend() hears of it; tasks and other
// actors of the scheduler may await its read() and write(), one each at a time.
// Errors: results. What ended a connection stays in failure(); what came before it can still be taken.
// When the scheduler's loop ends, its connections are closed: failure() says ECANCELED.
// Cost: no allocation while it is open. Limits: up to twice out_bytes are unsent; a peer that sends faster than the actor
// takes may make the ring keep what one look at the kernel brings beyond in_bytes, at most its buffers (IoOptions).
#pragma once

#include <coroutine>
#include <cstddef>
#include <source_location>
#include <span>
#include <utility>
#include <vector>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/byte_buffer.hpp>
#include <outcry/runtime/endpoint.hpp>
#include <outcry/runtime/result.hpp>
#include <outcry/runtime/socket.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry {

struct ConnectionOptions {
  std::size_t in_bytes = 64 * 1024;
  std::size_t out_bytes = 256 * 1024;
  bool no_delay = true;        // small pieces leave at once
  bool kernel_stamps = false;  // arrived() is when the kernel took the bytes, where it says so
  bool zero_copy =
      false;  // large pieces are sent from where they lie; the kernel gives them back when the peer has them
};

struct ConnectionState;
class Connecting;
class Reading;
class Writing;
class Releasing;

class Connection {
 public:
  Connection() noexcept = default;
  Connection(Connection&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Connection& operator=(Connection&& other) noexcept {
    if (this != &other) {
      close();
      state_ = std::exchange(other.state_, nullptr);
    }
    return *this;
  }
  /// Closes it. What is not with the kernel is lost, unless close_when_sent() was called.
  ~Connection() { close(); }

  /// Await it for a Result<Connection>; ETIMEDOUT at `deadline`.
  template <class... Ms>
  static Connecting connect(const Self<Ms...>& self, const Endpoint& to, ConnectionOptions options = {},
                            Time deadline = never, std::source_location where = std::source_location::current());
  /// One that was accepted, or released elsewhere. Throws std::logic_error in virtual time.
  template <class... Ms>
  static Result<Connection> adopt(const Self<Ms...>& self, Socket socket, ConnectionOptions options = {}) {
    return adopt(*self.cell(), std::move(socket), options);
  }

  explicit operator bool() const noexcept { return state_ != nullptr; }

  // ---- what came in

  /// Oldest first, in one piece; valid until the next take() or co_await.
  std::span<const std::byte> in() const noexcept;
  /// Requires: so many are in in().
  void take(std::size_t bytes) noexcept;
  /// The peer sends no more, and in() shows the last of it or had it; or the connection has failed. What is in in() counts.
  bool ended() const noexcept;
  /// Null: none.
  const Failure* failure() const noexcept;
  /// When the newest bytes in in() came.
  Time arrived() const noexcept;

  // ---- what goes out

  /// Append here. The reference stays good; spans of it do not beyond the next co_await.
  ByteBuffer& out() noexcept;
  /// In out() and under way; up to twice out_bytes.
  std::size_t unsent() const noexcept;
  /// Once everything is with the kernel, the peer is told that this side sends no more, and attend() returns. The destructor
  /// then leaves what is unsent to the ring, for a few seconds.
  void close_when_sent() noexcept;
  /// At once; the peer sees a reset.
  void abort() noexcept;

  // ---- for straightforward code

  /// Await it for a Result<std::span<const std::byte>>: something is in in(); an empty span: the peer has ended.
  Reading read(Time deadline = never, std::source_location where = std::source_location::current());
  /// Await it for a Result<>: all of it is with the kernel. `bytes` are looked at until then. After a time-out or a
  /// cancelled await a part may have been sent.
  Writing write(std::span<const std::byte> bytes, Time deadline = never,
                std::source_location where = std::source_location::current());
  /// Await it for a Result<Socket>: what was appended is sent, nothing is read any more, and the socket may go to another
  /// scheduler, with what came and was not taken. This connection is empty then. What is named must outlive the await.
  Releasing release(std::vector<std::byte>& unread, std::source_location where = std::source_location::current());

  Endpoint peer() const noexcept;
  Endpoint local() const noexcept;

 private:
  friend class Connecting;
  friend class Reading;
  friend class Writing;
  friend class Releasing;

  explicit Connection(ConnectionState* state) noexcept : state_(state) {}
  static Result<Connection> adopt(ActorCell& cell, Socket socket, ConnectionOptions options);
  void close() noexcept;

  ConnectionState* state_ = nullptr;
};

/// What Connection::connect() gives.
class [[nodiscard]] Connecting {
 public:
  using MayBeServedYet = void;  // for stop_token.hpp, here and below

  Connecting(ActorCell& cell, const Endpoint& to, ConnectionOptions options, Time deadline, std::source_location where);

  bool await_ready() const noexcept;
  void await_suspend(std::coroutine_handle<> point);
  Result<Connection> await_resume();

 private:
  Connection connection_;
  Failure failure_;
  Time deadline_;
  std::source_location where_;
  bool waited_ = false;
};

class [[nodiscard]] Reading {
 public:
  using MayBeServedYet = void;

  Reading(ConnectionState* state, Time deadline, std::source_location where)
      : state_(state), deadline_(deadline), where_(where) {}

  bool await_ready() const noexcept;
  void await_suspend(std::coroutine_handle<> point);
  Result<std::span<const std::byte>> await_resume();

 private:
  ConnectionState* state_;
  Time deadline_;
  std::source_location where_;
  bool waited_ = false;
};

class [[nodiscard]] Writing {
 public:
  using MayBeServedYet = void;

  Writing(ConnectionState* state, std::span<const std::byte> bytes, Time deadline, std::source_location where)
      : state_(state), bytes_(bytes), deadline_(deadline), where_(where) {}

  bool await_ready();
  void await_suspend(std::coroutine_handle<> point);
  Result<> await_resume();

 private:
  ConnectionState* state_;
  std::span<const std::byte> bytes_;
  Time deadline_;
  std::source_location where_;
  bool waited_ = false;
};

class [[nodiscard]] Releasing {
 public:
  using MayBeServedYet = void;

  Releasing(Connection& connection, std::vector<std::byte>& unread, std::source_location where)
      : connection_(&connection), unread_(&unread), where_(where) {}

  bool await_ready();
  void await_suspend(std::coroutine_handle<> point);
  Result<Socket> await_resume();

 private:
  Connection* connection_;
  std::vector<std::byte>* unread_;
  std::source_location where_;
};

template <class... Ms>
Connecting Connection::connect(const Self<Ms...>& self, const Endpoint& to, ConnectionOptions options, Time deadline,
                               std::source_location where) {
  return Connecting(*self.cell(), to, options, deadline, where);
}

inline Reading Connection::read(Time deadline, std::source_location where) { return {state_, deadline, where}; }
inline Writing Connection::write(std::span<const std::byte> bytes, Time deadline, std::source_location where) {
  return {state_, bytes, deadline, where};
}
inline Releasing Connection::release(std::vector<std::byte>& unread, std::source_location where) {
  return {*this, unread, where};
}

}  // namespace outcry
