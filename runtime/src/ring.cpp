// Ring: sockets come and go, requests and completions pass.
#include "ring.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <ctime>
#include <stdexcept>
#include <string>
#include <utility>

#include <outcry/runtime/runtime.hpp>

#include "kernel_ring.hpp"

namespace outcry {

namespace {

constexpr std::size_t reaped_at_once = 256;
constexpr Duration end_patience = std::chrono::seconds(5);

}  // namespace

std::unique_ptr<Ring> Ring::make(Scheduler& scheduler, const IoOptions& options, int wake_descriptor,
                                 int host_descriptor) {
  std::unique_ptr<RingDevice> device = make_kernel_ring(options, host_descriptor < 0);
  if (device != nullptr && options.device) device = options.device(scheduler.index(), std::move(device));
  if (device == nullptr) return nullptr;
  if (host_descriptor >= 0 && !device->tell(host_descriptor)) return nullptr;
  return std::unique_ptr<Ring>(new Ring(scheduler, options, std::move(device), wake_descriptor));
}

Ring::Ring(Scheduler& scheduler, const IoOptions& options, std::unique_ptr<RingDevice> device, int wake_descriptor)
    : scheduler_(scheduler),
      device_(std::move(device)),
      features_(device_->features()),
      wake_descriptor_(wake_descriptor),
      slots_(1),
      completions_(reaped_at_once) {
  if (features_.registered_files) {
    for (std::uint32_t place = options.files; place > 0; --place) free_places_.push_back(place - 1);
  }
  if (features_.receives_many) {
    const std::uint32_t count = std::bit_ceil(std::clamp(options.buffers, 1u, 32768u));
    buffer_bytes_ = std::max(options.buffer_bytes, 1u);
    buffers_.reset(new std::byte[count * buffer_bytes_]);
    if (!device_->open_group(common_group, buffers_.get(), count, static_cast<std::uint32_t>(buffer_bytes_))) {
      buffers_.reset();
      features_.receives_many = false;
    }
  }
}

Ring::~Ring() {
  ending_ = true;
  for (std::size_t i = 1; i < slots_.size(); ++i) {
    SocketState* state = slots_[i].state;
    if (state == nullptr) continue;
    if (!state->orphan && !state->ending) state->ring_is_gone();
    if (!std::exchange(state->ending, true)) state->end_operations();
    settle(*state);
  }
  if (watching_) {
    const std::uint64_t one = 1;
    static_cast<void>(::write(wake_descriptor_, &one, sizeof one));
  }
  const Time deadline = Scheduler::clock_now() + end_patience;
  while (in_flight_ > 0) {
    device_->enter();
    if (take()) continue;
    if (Scheduler::clock_now() >= deadline) break;
    device_->wait(std::chrono::milliseconds(10));
  }
  const bool all_back = in_flight_ == 0;
  if (!all_back) {
    scheduler_.runtime().log("the kernel keeps " + std::to_string(in_flight_) +
                             " operations on sockets after they were cancelled: their memory is left to it");
    static_cast<void>(buffers_.release());
  }
}

// ---- for the loop

bool Ring::take() {
  if (!device_->ready()) return false;
  const std::size_t count = device_->reap(completions_);
  if (count == 0) return false;
  reaped_at_ = Scheduler::clock_now();
  for (std::size_t i = 0; i < count; ++i) handle(completions_[i]);
  return true;
}

void Ring::handle(const RingCompletion& completion) {
  const auto slot = static_cast<std::uint32_t>(completion.tag) >> 8;
  const auto operation = static_cast<SocketState::Operation>(completion.tag);
  if (!completion.more) --in_flight_;
  if (slot == 0) {
    watching_ = false;
    std::uint64_t written = 0;
    static_cast<void>(::read(wake_descriptor_, &written, sizeof written));
    return;
  }
  if (slot >= slots_.size() || slots_[slot].generation != completion.tag >> 32) return;
  SocketState& state = *slots_[slot].state;
  if (!completion.more) --state.in_flight;
  state.completed(operation, completion);
  settle(state);
}

void Ring::settle(SocketState& state) {
  if (!state.ending || state.in_flight != 0) return;
  if (state.orphan) {
    destroy(state);
  } else {  // its handle will find that it is over
    leave(state);
    state.ring = nullptr;
  }
}

void Ring::enter() {
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    SocketState& state = *dirty_[i];
    state.dirty = false;
    if (state.ending) continue;
    state.flush();
    settle(state);
  }
  dirty_.clear();
  device_->enter();
}

void Ring::wait(Duration patience) {
  if (!dirty_.empty()) enter();
  if (!watching_) {
    watching_ = true;
    ++in_flight_;
    RingRequest request;
    request.kind = RingRequest::Kind::wait_readable;
    request.file = wake_descriptor_;
    request.tag = tag(slots_[0].generation, 0, 0);
    device_->push(request);
  }
  device_->wait(patience);
}

void Ring::call_at(SocketState& state, Time time) {
  if (state.due == never && time != never) moments_.push_back(&state);
  if (state.due != never && time == never) std::erase(moments_, &state);
  state.due = time;
  next_moment_ = std::min(next_moment_, time);
}

void Ring::moments(Time now) {
  if (next_moment_ > now) return;
  next_moment_ = never;
  for (std::size_t i = 0; i < moments_.size();) {
    SocketState& state = *moments_[i];
    if (state.due <= now) {
      moments_[i] = moments_.back();
      moments_.pop_back();
      state.due = never;
      state.moment();
      settle(state);
    } else {
      next_moment_ = std::min(next_moment_, state.due);
      ++i;
    }
  }
}

// ---- for sockets

void Ring::add(SocketState& state, int descriptor, ActorCell& owner) {
  if (free_slots_.empty()) {
    slots_.emplace_back();
    free_slots_.reserve(slots_.size());
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size() - 1));
    dirty_.reserve(slots_.size());
    moments_.reserve(slots_.size());
  }
  state.ring_slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[state.ring_slot].state = &state;
  state.ring = this;
  state.descriptor = descriptor;
  if (!free_places_.empty() && device_->register_file(free_places_.back(), descriptor)) {
    state.file_place = static_cast<int>(free_places_.back());
    free_places_.pop_back();
  }
  state.owner = &owner;
  state.owner_generation = owner.generation;
  SocketState*& first = owner.more().sockets;
  state.next_of_owner = first;
  if (first != nullptr) first->previous_of_owner = &state;
  first = &state;
}

void Ring::leave_owner(SocketState& state) {
  if (state.owner == nullptr) return;
  if (state.next_of_owner != nullptr) state.next_of_owner->previous_of_owner = state.previous_of_owner;
  if (state.previous_of_owner != nullptr) {
    state.previous_of_owner->next_of_owner = state.next_of_owner;
  } else if (state.owner->generation == state.owner_generation && state.owner->extras != nullptr &&
             state.owner->extras->sockets == &state) {
    state.owner->extras->sockets = state.next_of_owner;
  }
  state.owner = nullptr;
}

void Ring::orphan(SocketState& state) {
  leave_owner(state);
  state.orphan = true;
  settle(state);  // unless it still has something to send
}

void Ring::leave(SocketState& state) {
  leave_owner(state);
  if (std::exchange(state.dirty, false)) std::erase(dirty_, &state);
  if (state.due != never) std::erase(moments_, &state);
  state.due = never;
  if (state.file_place >= 0) {
    device_->register_file(static_cast<std::uint32_t>(state.file_place), -1);
    free_places_.push_back(static_cast<std::uint32_t>(state.file_place));
    state.file_place = -1;
  }
  if (const int descriptor = std::exchange(state.descriptor, -1); descriptor >= 0) ::close(descriptor);
  ++slots_[state.ring_slot].generation;
  slots_[state.ring_slot].state = nullptr;
  free_slots_.push_back(state.ring_slot);
}

void Ring::destroy(SocketState& state) {
  leave(state);
  delete &state;
}

int Ring::give_up(SocketState& state) {
  const int descriptor = std::exchange(state.descriptor, -1);
  leave(state);
  state.ring = nullptr;
  return descriptor;
}

void Ring::push(SocketState& state, SocketState::Operation operation, RingRequest request) {
  request.tag = tag(slots_[state.ring_slot].generation, state.ring_slot, operation);
  if (request.kind != RingRequest::Kind::cancel) {
    request.registered = state.file_place >= 0;
    request.file = request.registered ? state.file_place : state.descriptor;
  }
  ++state.in_flight;
  ++in_flight_;
  device_->push(request);
}

void Ring::cancel(SocketState& state, SocketState::Operation operation) {
  RingRequest request;
  request.kind = RingRequest::Kind::cancel;
  request.target = tag(slots_[state.ring_slot].generation, state.ring_slot, operation);
  push(state, SocketState::cancelling, request);
}

std::uint16_t Ring::open_group(std::byte* memory, std::uint32_t count, std::uint32_t bytes) {
  if (!features_.receives_many) return 0;
  if (free_groups_.empty()) {
    if (groups_ == 0xFFFF) return 0;
    free_groups_.push_back(groups_++);
  }
  const std::uint16_t group = free_groups_.back();
  if (!device_->open_group(group, memory, count, bytes)) return 0;
  free_groups_.pop_back();
  return group;
}

void Ring::close_group(std::uint16_t group) {
  device_->close_group(group);
  free_groups_.push_back(group);
}

Duration Ring::since_epoch() {
  timespec real;
  clock_gettime(CLOCK_REALTIME, &real);
  return Scheduler::clock_now() - time_from_ns(real.tv_sec * 1'000'000'000 + real.tv_nsec);
}

Result<Ring*> ring_of(ActorCell& cell) {
  if (Ring* ring = cell.scheduler().ring(); ring != nullptr) return ring;
  return Failure{errno != 0 ? errno : ENOSYS, "make a ring for sockets"};
}

// ---- the scheduler's part

namespace {

std::string described(const char* kind, bool many, bool files) {
  return std::string(kind) + (many ? ", many for one" : "") + (files ? ", registered files" : "");
}

}  // namespace

Ring* Scheduler::ring() {
  if (ring_ != nullptr) return ring_.get();
  if (virtual_time_) throw std::logic_error("a simulation has no sockets: they are of the live world");
  if (this_scheduler() != this) throw std::logic_error("an actor opens its sockets on its own scheduler");
  const IoOptions& io = runtime_.options().io;
  const bool hosted = index_ < runtime_.options().hosted_schedulers;
  const bool first_attempt = ring_wake_fd_ < 0;
  if (first_attempt) ring_wake_fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (ring_wake_fd_ < 0) return nullptr;
  ring_ = Ring::make(*this, io, ring_wake_fd_, hosted ? wake_fd_ : -1);
  const int failed = ring_ == nullptr ? errno : 0;
  busy_ring_ = io.mode == IoMode::busy;

  const char* kind = io.mode == IoMode::kernel_polled           ? "kernel-polled"
                     : io.ring == RingKind::deferred && !hosted ? "deferred"
                     : io.ring != RingKind::plain               ? "cooperative"
                                                                : "plain";
  StartReport::Row row{"scheduler " + std::to_string(index_) + ", ring", described(kind, io.many, io.registered), ""};
  if (ring_ != nullptr) {
    const RingFeatures& got = ring_->features();
    row.obtained = described(got.kind, got.receives_many && got.accepts_many, got.registered_files);
  } else {
    row.obtained = "none (" + std::generic_category().message(failed) + ")";
  }
  if (ring_ != nullptr || first_attempt) {
    if (!row.as_asked()) runtime_.log(to_string(row));
    runtime_.note({std::move(row)}, false);
  }
  errno = failed;
  return ring_.get();
}

bool Scheduler::take_completions() { return ring_->take(); }

void Scheduler::hand_over_requests() { ring_->enter(); }

bool Scheduler::watch_ring() {
  if (ring_ == nullptr) return true;
  ring_->told(true);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!ring_->ready()) return true;
  ring_->told(false);
  return false;
}

Time Scheduler::next_due() const {
  const Time timer = timers_.empty() ? never : time_from_ns(timers_.next_time());
  return ring_ == nullptr ? timer : std::min(timer, ring_->next_moment());
}

void Scheduler::close_ring() noexcept { ring_.reset(); }

}  // namespace outcry
