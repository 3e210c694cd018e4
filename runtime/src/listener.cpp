// Listener: accepting, many for one request where the kernel can.
#include <outcry/runtime/listener.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "ring.hpp"
#include "sockaddr.hpp"

namespace outcry {

namespace {

constexpr Duration tries_again_after = std::chrono::milliseconds(50);

bool no_descriptors(int code) { return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM; }

}  // namespace

struct ListenerState final : SocketState {
  void completed(Operation operation, const RingCompletion& completion) override {
    if (operation == cancelling) {
      retry_cancel();
      return;
    }
    if (!completion.more) accepting = false;
    if (completion.result >= 0) {
      if (ending) {
        ::close(completion.result);
        return;
      }
      accepted.push_back(completion.result);
      waiter.wake();
      notice();
    } else if (ending) {
      return;
    } else if (completion.result == -EINVAL && many) {
      ring->no_more_many();
    } else if (no_descriptors(-completion.result)) {
      ++refused;
      resting = true;
      ring->call_at(*this, later(ring->reaped_at(), tries_again_after));
    } else if (completion.result == -EBADF || completion.result == -EINVAL || completion.result == -ENOTSOCK) {
      failure = {-completion.result, "accept"};
      waiter.wake();
      notice();
      return;
    }
    arm();
  }

  void moment() override {
    resting = false;
    arm();
  }

  void arm() {
    if (ending || failure.code != 0) return;
    if (paused || resting || waiting() >= most) {
      if (accepting && !stopping_accept) {
        stopping_accept = true;
        ring->cancel(*this, receiving);
      }
      return;
    }
    if (accepting) return;
    stopping_accept = false;
    RingRequest request;
    request.kind = RingRequest::Kind::accept;
    request.many = many = ring->features().accepts_many;
    accepting = true;
    ring->push(*this, receiving, request);
  }

  // A request that was just at work is not found by the first attempt.
  void retry_cancel() {
    if (!accepting) return;
    if (ending || stopping_accept) ring->cancel(*this, receiving);
  }

  void end_operations() override {
    ::shutdown(descriptor, SHUT_RDWR);
    if (accepting) ring->cancel(*this, receiving);
    drop();
  }
  void ring_is_gone() override {
    failure = {ECANCELED, "accept"};
    drop();
    waiter.wake();
    notice();
  }

  std::size_t waiting() const { return accepted.size() - taken; }
  std::optional<Socket> next() {
    if (waiting() == 0) return std::nullopt;
    const int socket = accepted[taken++];
    if (taken == accepted.size()) {
      accepted.clear();
      taken = 0;
    }
    if (ring != nullptr && !accepting && waiting() <= most / 2) arm();
    return Socket(socket, peer_of(socket));
  }
  void drop() {
    for (; taken < accepted.size(); ++taken) ::close(accepted[taken]);
    accepted.clear();
    taken = 0;
  }

  Endpoint local;
  std::size_t most = 0;
  std::vector<int> accepted;  // descriptors, oldest first, those before `taken` were taken
  std::size_t taken = 0;
  bool accepting = false;
  bool many = false;
  bool stopping_accept = false;
  bool paused = false;   // the actor's wish
  bool resting = false;  // there was no descriptor
  std::uint64_t refused = 0;
  Failure failure;
  SocketWaiter waiter;
};

Result<Listener> Listener::open(ActorCell& cell, const Endpoint& local, ListenOptions options) {
  const Result<Ring*> ring = ring_of(cell);
  if (!ring) return ring.failure();
  Socket socket(::socket(local.is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), {});
  if (!socket) return Failure{errno, "make a socket"};
  const int on = 1;
  ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (options.reuse_port && ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
    return Failure{errno, "share a port"};
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr(local, address);
  if (::bind(socket.descriptor(), reinterpret_cast<sockaddr*>(&address), size) != 0) return Failure{errno, "bind"};
  if (::listen(socket.descriptor(), static_cast<int>(options.backlog)) != 0) return Failure{errno, "listen"};

  auto state = std::make_unique<ListenerState>();
  state->local = local_of(socket.descriptor());
  state->most = std::max(options.backlog, 1u);
  state->accepted.reserve(state->most);
  (*ring)->add(*state, socket.give_up(), cell);
  state->arm();
  return Listener(state.release());
}

Endpoint Listener::local() const noexcept { return state_ != nullptr ? state_->local : Endpoint(); }

std::optional<Socket> Listener::next() { return state_ != nullptr ? state_->next() : std::nullopt; }

void Listener::pause() noexcept {
  if (state_ == nullptr || state_->ring == nullptr) return;
  state_->paused = true;
  state_->arm();
}

void Listener::resume() noexcept {
  if (state_ == nullptr || state_->ring == nullptr) return;
  state_->paused = false;
  state_->arm();
}

bool Listener::paused() const noexcept { return state_ != nullptr && (state_->paused || state_->resting); }

std::uint64_t Listener::refused() const noexcept { return state_ != nullptr ? state_->refused : 0; }

void Listener::close() noexcept {
  ListenerState* state = std::exchange(state_, nullptr);
  if (state == nullptr) return;
  if (state->ring == nullptr) {
    delete state;
    return;
  }
  state->ending = true;
  state->end_operations();
  state->ring->orphan(*state);
}

bool Accepting::await_ready() const noexcept {
  return state_ == nullptr || state_->waiting() > 0 || state_->failure.code != 0;
}

void Accepting::await_suspend(std::coroutine_handle<> point) {
  waited_ = true;
  wait_on_socket(state_->waiter, point, deadline_, where_);
}

Result<Socket> Accepting::await_resume() {
  if (state_ == nullptr) return Failure{EBADF, "accept"};
  if (auto socket = state_->next()) return std::move(*socket);
  if (state_->failure.code != 0) return state_->failure;
  return nothing_came(waited_, "accept");
}

}  // namespace outcry
