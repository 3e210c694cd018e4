// Connection: receiving into the connection's own memory, sending from one buffer while the other is filled.
//
// Small messages come by one request for many, into buffers of the ring, and are copied together; a stream is received
// straight into the connection's memory, as much at a time as there is room for. What one request for many brings beyond
// the room is spilled; then it is ended, and no other begins before the spilled bytes have found room.
#include <outcry/runtime/connection.hpp>

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

#include "ring.hpp"
#include "sockaddr.hpp"

namespace outcry {

namespace {

constexpr Duration linger = std::chrono::seconds(5);             // for what an actor left to be sent
constexpr std::size_t least_zero_copy = std::size_t{16} * 1024;  // below, copying is cheaper

/// It may be tried again.
bool passing(int code) { return code == EINTR || code == EAGAIN || code == ECANCELED; }

}  // namespace

struct ConnectionState final : SocketState {
  explicit ConnectionState(const ConnectionOptions& wanted)
      : options(wanted),
        capacity(std::max<std::size_t>(wanted.in_bytes, 1)),
        memory(new std::byte[capacity]),
        out(std::max<std::size_t>(wanted.out_bytes, 1)) {}

  // ---- coming in

  enum class Receive : std::uint8_t { none, many, direct };

  std::span<const std::byte> in() const { return {memory.get() + begin, end - begin}; }
  std::size_t spilled() const { return spill.size() - spill_begin; }
  bool is_over() const { return ended || failure.code != 0; }

  void arm() {
    if (ring == nullptr || ending || receive != Receive::none || is_over() || connecting || releasing) return;
    const std::size_t room = capacity - (end - begin);
    if (spilled() > 0 || room == 0) return;
    RingRequest request;
    request.kind = RingRequest::Kind::receive;
    if (!options.kernel_stamps && !streams && ring->features().receives_many && room >= ring->buffer_bytes()) {
      request.many = request.pooled = true;
      request.group = Ring::common_group;
      receive = Receive::many;
    } else {
      if (capacity - end < capacity / 2) move_to_front();
      request.memory = memory.get() + end;
      request.bytes = static_cast<std::uint32_t>(std::min<std::size_t>(capacity - end, 1u << 30));
      receive = Receive::direct;
      asked_for = request.bytes;
      if (options.kernel_stamps) {
        part = {request.memory, request.bytes};
        message = {};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        request.kind = RingRequest::Kind::receive_message;
        request.memory = &message;
        request.bytes = 1;
      }
    }
    ring->push(*this, receiving, request);
  }

  void received(const RingCompletion& completion) {
    const Receive by = receive;
    const auto bytes = static_cast<std::size_t>(std::max(completion.result, 0));
    if (bytes > 0) {
      if (completion.buffer >= 0) {
        append(ring->buffer(completion.buffer, bytes));
      } else {
        end += bytes;
        streams = bytes == asked_for && bytes >= least_stream;
      }
      arrived = options.kernel_stamps ? stamp() : ring->reaped_at();
    }
    if (completion.buffer >= 0) ring->give_back(Ring::common_group, completion.buffer);
    if (!completion.more) {
      receive = Receive::none;
      stopping_receive = false;
    }
    if (orphan) begin = end = spill_begin = 0, spill.clear();  // nobody takes it
    if (ending) return;

    if (completion.result == 0) {
      ended = true;
    } else if (completion.result == -EINVAL && by == Receive::many) {
      ring->no_more_many();
    } else if (completion.result < 0 && completion.result != -ENOBUFS && !passing(-completion.result)) {
      fail(-completion.result, "receive");
      return;
    }
    if (spilled() > 0) {
      streams = true;
      stop_receive();
    }
    if (bytes > 0 || ended) {
      reader.wake();
      notice();
    }
    arm();
  }

  void append(std::span<const std::byte> bytes) {
    if (capacity - end < bytes.size()) move_to_front();
    const std::size_t fitting = spilled() > 0 ? 0 : std::min(bytes.size(), capacity - end);
    std::memcpy(memory.get() + end, bytes.data(), fitting);
    end += fitting;
    spill.insert(spill.end(), bytes.begin() + static_cast<std::ptrdiff_t>(fitting), bytes.end());
  }

  // Requires: the kernel does not write there.
  void move_to_front() {
    std::memmove(memory.get(), memory.get() + begin, end - begin);
    end -= begin;
    begin = 0;
  }

  void take(std::size_t bytes) {
    assert(bytes <= end - begin && "took more than there was");
    begin += bytes;
    if (begin == end && receive != Receive::direct) begin = end = 0;
    if (spilled() > 0 && receive != Receive::direct) {
      if (begin > 0) move_to_front();
      const std::size_t fitting = std::min(spilled(), capacity - end);
      std::memcpy(memory.get() + end, spill.data() + spill_begin, fitting);
      end += fitting;
      spill_begin += fitting;
      if (spilled() == 0) {
        spill = {};
        spill_begin = 0;
      }
      if (fitting > 0) {
        unseen = true;
        notice();
      }
    }
    if (receive == Receive::none) arm();
  }

  void stop_receive() {
    if (receive == Receive::none || std::exchange(stopping_receive, true)) return;
    ring->cancel(*this, receiving);
  }

  Time stamp() {
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_TIMESTAMPNS) continue;
      timespec real;
      std::memcpy(&real, CMSG_DATA(header), sizeof real);
      return time_from_ns(real.tv_sec * 1'000'000'000 + real.tv_nsec) + Ring::since_epoch();
    }
    return ring->reaped_at();
  }

  // ---- going out

  std::size_t unsent() const { return out.size() + flight.size(); }

  void flush() override {
    if (!ending && !connecting && failure.code == 0 && !is_sending) send_next();
  }

  void send_next() {
    if (flight.empty()) {
      if (out.empty()) {
        all_sent();
        return;
      }
      if (flight.capacity() == 0) flight = ByteBuffer(out.capacity());
      if (out.size() >= out.capacity() / word_of_room) notice();  // whoever found no room in it finds some again
      std::swap(out, flight);
    }
    RingRequest request;
    request.kind = RingRequest::Kind::send;
    request.memory = const_cast<std::byte*>(flight.bytes().data());
    request.bytes = static_cast<std::uint32_t>(std::min<std::size_t>(flight.size(), 1u << 30));
    request.zero_copy = options.zero_copy && request.bytes >= least_zero_copy && ring->features().zero_copy;
    is_sending = true;
    ring->push(*this, sending, request);
  }

  void sent(const RingCompletion& completion) {
    // Of a zero-copy send the result comes first; the memory is ours again with the notification.
    if (!completion.notification) send_result = completion.result;
    if (completion.more) return;
    is_sending = false;
    if (send_result > 0) flight.take(std::min(static_cast<std::size_t>(send_result), flight.size()));
    if (ending || failure.code != 0) return;
    if (send_result < 0 && !passing(-send_result)) {
      fail(-send_result, "send");
      return;
    }
    go_on_writing();
    send_next();
  }

  /// What an actor that awaits it writes: as much as there is room for.
  void go_on_writing() {
    if (!writer.waits()) return;
    const std::size_t fitting = std::min(rest.size(), out.room());
    out.append(rest.first(fitting));
    rest = rest.subspan(fitting);
    if (rest.empty() && unsent() == 0) writer.wake();
  }

  void all_sent() {
    if (!closing || std::exchange(write_is_shut, true)) return;
    ::shutdown(descriptor, SHUT_WR);
    notice();
    if (orphan && ended) finish();
  }

  // ---- both

  void completed(Operation operation, const RingCompletion& completion) override {
    switch (operation) {
      case receiving: received(completion); break;
      case sending:
        if (connecting) {
          connected(completion.result);
        } else {
          sent(completion);
        }
        break;
      default:  // a request that was just at work is not found by the first attempt to cancel it
        if (receive != Receive::none && (ending || stopping_receive)) ring->cancel(*this, receiving);
        if (ending && (is_sending || connecting)) ring->cancel(*this, sending);
        break;
    }
    if (releasing && is_released()) releaser.wake();
    if (orphan && !ending && (failure.code != 0 || (ended && write_is_shut))) finish();
  }

  void connected(int result) {
    if (!ending && result != -EISCONN && result < 0 && (result == -EINTR || result == -EAGAIN)) {
      connect();
      return;
    }
    connecting = false;
    if (ending) return;
    if (result < 0 && result != -EISCONN) {
      fail(-result, "connect");
      return;
    }
    local = local_of(descriptor);
    writer.wake();
    arm();
  }

  void connect() {
    RingRequest request;
    request.kind = RingRequest::Kind::connect;
    request.memory = &remote;
    request.bytes = remote_bytes;
    connecting = true;
    ring->push(*this, sending, request);
  }

  bool is_released() const {
    return failure.code != 0 || (receive == Receive::none && !is_sending && unsent() == 0 && in_flight == 0);
  }

  void fail(int code, const char* doing) {
    if (failure.code == 0) failure = {code, doing};
    reader.wake();
    writer.wake();
    releaser.wake();
    notice();
  }

  void moment() override { finish(); }  // it has lingered enough

  void finish() {
    if (std::exchange(ending, true)) return;
    end_operations();
  }

  void end_operations() override {
    if (!reset) ::shutdown(descriptor, SHUT_RDWR);
    if (receive != Receive::none) ring->cancel(*this, receiving);
    if (is_sending || connecting) ring->cancel(*this, sending);
  }
  void ring_is_gone() override { fail(ECANCELED, "use a socket after its scheduler has ended"); }

  static constexpr std::size_t least_stream = 2048;
  // Of out(), this part at least has left: its actor is told. Less has left when an answer has: nobody waits for that.
  static constexpr std::size_t word_of_room = 8;

  ConnectionOptions options;
  Endpoint peer;
  Endpoint local;
  bool connecting = false;
  bool ended = false;
  bool closing = false;
  bool releasing = false;
  bool write_is_shut = false;
  bool reset = false;
  Failure failure;
  SocketWaiter reader;
  SocketWaiter writer;
  SocketWaiter releaser;

  std::size_t capacity;
  std::unique_ptr<std::byte[]> memory;
  std::size_t begin = 0, end = 0;
  std::vector<std::byte> spill;
  std::size_t spill_begin = 0;
  bool unseen = false;  // take() has made room for spilled bytes, and nobody has looked at in() since
  std::size_t asked_for = 0;
  Receive receive = Receive::none;
  bool stopping_receive = false;
  bool streams = false;
  Time arrived{};
  msghdr message{};
  iovec part{};
  alignas(cmsghdr) std::byte control[128];

  ByteBuffer out;
  ByteBuffer flight{0};
  bool is_sending = false;
  int send_result = 0;
  std::span<const std::byte> rest;  // of a write that is awaited

  sockaddr_storage remote{};
  socklen_t remote_bytes = 0;
};

namespace {

void set_options(int descriptor, const ConnectionOptions& options) {
  const int on = 1;
  if (options.no_delay) ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (options.kernel_stamps) ::setsockopt(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

}  // namespace

Result<Connection> Connection::adopt(ActorCell& cell, Socket socket, ConnectionOptions options) {
  const Result<Ring*> ring = ring_of(cell);
  if (!ring) return ring.failure();
  if (!socket) return Failure{EBADF, "adopt a socket"};
  set_options(socket.descriptor(), options);
  auto state = std::make_unique<ConnectionState>(options);
  state->peer = socket.peer();
  state->local = local_of(socket.descriptor());
  (*ring)->add(*state, socket.give_up(), cell);
  state->arm();
  return Connection(state.release());
}

void Connection::close() noexcept {
  ConnectionState* state = std::exchange(state_, nullptr);
  if (state == nullptr) return;
  if (state->ring == nullptr) {
    delete state;
    return;
  }
  const bool all_done = state->write_is_shut && state->ended;
  if (state->closing && !state->ending && !all_done && state->failure.code == 0 && !state->connecting) {
    state->begin = state->end = state->spill_begin = 0;
    state->spill.clear();
    state->ring->call_at(*state, later(Scheduler::clock_now(), linger));
    state->ring->set_dirty(*state);
    state->ring->orphan(*state);
    state->arm();
    return;
  }
  state->finish();
  state->ring->orphan(*state);
}

std::span<const std::byte> Connection::in() const noexcept {
  if (state_ == nullptr) return {};
  state_->unseen = false;
  return state_->in();
}

void Connection::take(std::size_t bytes) noexcept {
  if (state_ != nullptr) state_->take(bytes);
}

bool Connection::ended() const noexcept {
  return state_ == nullptr || state_->failure.code != 0 || (state_->ended && state_->spilled() == 0 && !state_->unseen);
}

const Failure* Connection::failure() const noexcept {
  return state_ != nullptr && state_->failure.code != 0 ? &state_->failure : nullptr;
}

Time Connection::arrived() const noexcept { return state_ != nullptr ? state_->arrived : Time{}; }

ByteBuffer& Connection::out() noexcept {
  assert(state_ != nullptr && "out() of no connection");
  if (state_->ring != nullptr) state_->ring->set_dirty(*state_);
  return state_->out;
}

std::size_t Connection::unsent() const noexcept { return state_ != nullptr ? state_->unsent() : 0; }

void Connection::close_when_sent() noexcept {
  if (state_ == nullptr || state_->ring == nullptr) return;
  state_->closing = true;
  state_->ring->set_dirty(*state_);
}

void Connection::abort() noexcept {
  if (state_ == nullptr || state_->ring == nullptr || state_->ending) return;
  const struct linger at_once{1, 0};
  ::setsockopt(state_->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  state_->reset = true;
  state_->fail(ECONNABORTED, "abort");
  state_->finish();
  state_->ring->settle(*state_);
}

Endpoint Connection::peer() const noexcept { return state_ != nullptr ? state_->peer : Endpoint(); }
Endpoint Connection::local() const noexcept { return state_ != nullptr ? state_->local : Endpoint(); }

// ---- awaits

Connecting::Connecting(ActorCell& cell, const Endpoint& to, ConnectionOptions options, Time deadline,
                       std::source_location where)
    : deadline_(deadline), where_(where) {
  const Result<Ring*> ring = ring_of(cell);
  if (!ring) {
    failure_ = ring.failure();
    return;
  }
  Socket socket(::socket(to.is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), to);
  if (!socket) {
    failure_ = {errno, "make a socket"};
    return;
  }
  set_options(socket.descriptor(), options);
  auto state = std::make_unique<ConnectionState>(options);
  state->peer = to;
  state->remote_bytes = to_sockaddr(to, state->remote);
  (*ring)->add(*state, socket.give_up(), cell);
  connection_ = Connection(state.get());
  state.release()->connect();
}

bool Connecting::await_ready() const noexcept { return failure_.code != 0; }

void Connecting::await_suspend(std::coroutine_handle<> point) {
  waited_ = true;
  wait_on_socket(connection_.state_->writer, point, deadline_, where_);
}

Result<Connection> Connecting::await_resume() {
  if (failure_.code != 0) return failure_;
  if (const Failure* failure = connection_.failure(); failure != nullptr) return *failure;
  if (connection_.state_->connecting) return nothing_came(waited_, "connect");
  return std::move(connection_);
}

bool Reading::await_ready() const noexcept {
  return state_ == nullptr || !state_->in().empty() || state_->is_over() || state_->ring == nullptr;
}

void Reading::await_suspend(std::coroutine_handle<> point) {
  waited_ = true;
  wait_on_socket(state_->reader, point, deadline_, where_);
}

Result<std::span<const std::byte>> Reading::await_resume() {
  if (state_ == nullptr) return Failure{EBADF, "read"};
  if (!state_->in().empty()) return state_->in();
  if (state_->failure.code != 0) return state_->failure;
  if (state_->ended) return std::span<const std::byte>();
  return nothing_came(waited_, "read");
}

bool Writing::await_ready() {
  if (state_ == nullptr || state_->ring == nullptr || state_->failure.code != 0) return true;
  return bytes_.empty() && state_->unsent() == 0;
}

void Writing::await_suspend(std::coroutine_handle<> point) {
  waited_ = true;
  wait_on_socket(state_->writer, point, deadline_, where_);
  state_->rest = bytes_;
  state_->go_on_writing();
  state_->ring->set_dirty(*state_);
}

Result<> Writing::await_resume() {
  if (state_ == nullptr) return Failure{EBADF, "write"};
  if (state_->failure.code != 0) return state_->failure;
  const bool all = waited_ ? state_->rest.empty() && state_->unsent() == 0 : bytes_.empty();
  if (waited_) state_->rest = {};
  if (!all) return nothing_came(waited_, "write");
  return {};
}

bool Releasing::await_ready() {
  ConnectionState* state = connection_->state_;
  if (state == nullptr || state->ring == nullptr || state->failure.code != 0) return true;
  state->releasing = true;
  state->stop_receive();
  state->flush();
  return state->is_released();
}

void Releasing::await_suspend(std::coroutine_handle<> point) {
  wait_on_socket(connection_->state_->releaser, point, never, where_);
}

Result<Socket> Releasing::await_resume() {
  ConnectionState* state = connection_->state_;
  if (state == nullptr) return Failure{EBADF, "release"};
  if (state->failure.code != 0) return state->failure;
  if (state->ring == nullptr) return Failure{ECANCELED, "release"};
  if (!state->is_released()) {
    state->releasing = false;
    state->arm();
    return Failure{ECANCELED, "release"};
  }
  unread_->assign(state->in().begin(), state->in().end());
  unread_->insert(unread_->end(), state->spill.begin() + static_cast<std::ptrdiff_t>(state->spill_begin),
                  state->spill.end());
  Socket socket(state->ring->give_up(*state), state->peer);
  connection_->state_ = nullptr;
  delete state;
  return socket;
}

}  // namespace outcry
