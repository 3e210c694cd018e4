// Listener: a TCP socket that takes connections in, for one actor.
//
//   auto listener = Listener::open(self, *Endpoint::parse("127.0.0.1:0"));
//   while (!self.stopping()) {
//     co_await self.attend();
//     while (auto socket = listener->next()) self.spawn(session, std::move(*socket));
//   }
//
// Up to ListenOptions::backlog accepted sockets wait to be taken; then no more are accepted, and the system's own line
// fills up. Where the process has no more descriptors it pauses by itself and tries again after a while, counted.
// Thread: the scheduler of the actor that opened it. Errors: results.
#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>
#include <source_location>
#include <utility>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/endpoint.hpp>
#include <outcry/runtime/result.hpp>
#include <outcry/runtime/socket.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry {

struct ListenOptions {
  std::uint32_t backlog = 256;
  bool reuse_port = false;  // several listeners, of several schedulers, share the port
};

struct ListenerState;
class Accepting;

class Listener {
 public:
  Listener() noexcept = default;
  Listener(Listener&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Listener& operator=(Listener&& other) noexcept {
    if (this != &other) {
      close();
      state_ = std::exchange(other.state_, nullptr);
    }
    return *this;
  }
  ~Listener() { close(); }

  /// Port 0: one that is free, see local(). Throws std::logic_error in virtual time.
  template <class... Ms>
  static Result<Listener> open(const Self<Ms...>& self, const Endpoint& local, ListenOptions options = {}) {
    return open(*self.cell(), local, options);
  }

  explicit operator bool() const noexcept { return state_ != nullptr; }
  Endpoint local() const noexcept;
  /// The oldest that was accepted, if there is one.
  std::optional<Socket> next();
  /// Await it for a Result<Socket>.
  Accepting accept(Time deadline = never, std::source_location where = std::source_location::current());
  /// Nothing is accepted; who wants to connect waits in the system's line.
  void pause() noexcept;
  void resume() noexcept;
  bool paused() const noexcept;
  /// How often there was no descriptor for a connection.
  std::uint64_t refused() const noexcept;
  /// What was accepted and not taken is closed, too.
  void close() noexcept;

 private:
  explicit Listener(ListenerState* state) noexcept : state_(state) {}
  static Result<Listener> open(ActorCell& cell, const Endpoint& local, ListenOptions options);

  ListenerState* state_ = nullptr;
};

class [[nodiscard]] Accepting {
 public:
  using MayBeServedYet = void;  // for stop_token.hpp

  Accepting(ListenerState* state, Time deadline, std::source_location where)
      : state_(state), deadline_(deadline), where_(where) {}

  bool await_ready() const noexcept;
  void await_suspend(std::coroutine_handle<> point);
  Result<Socket> await_resume();

 private:
  ListenerState* state_;
  Time deadline_;
  std::source_location where_;
  bool waited_ = false;
};

inline Accepting Listener::accept(Time deadline, std::source_location where) { return {state_, deadline, where}; }

}  // namespace outcry
