// Ring: the sockets of one scheduler, and its way to the kernel.
//
// It is made when the first socket of the scheduler is opened, on the scheduler's thread, and ends there: what is in
// flight is cancelled and waited for before any of its memory goes. Operations are tagged with the place, the generation
// and the kind; a completion of one that is no more is dropped.
// Reaping only queues: take() then tells the sockets, who wake actors; the loop runs those.
// Thread: the scheduler's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <outcry/runtime/io_options.hpp>
#include <outcry/runtime/result.hpp>
#include <outcry/runtime/ring_device.hpp>
#include <outcry/runtime/scheduler.hpp>
#include <outcry/runtime/time.hpp>

#include "socket_state.hpp"

namespace outcry {

class Ring {
 public:
  /// What makes `wake_descriptor` readable ends a wait(). `host_descriptor` -1: none; else completions make it readable
  /// while told() is on, and other threads may use the ring, one after the other. Null: the kernel has none; errno.
  static std::unique_ptr<Ring> make(Scheduler& scheduler, const IoOptions& options, int wake_descriptor,
                                    int host_descriptor);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  Scheduler& scheduler() const { return scheduler_; }
  const RingFeatures& features() const { return features_; }
  /// The kernel refused a request for many: no more of those.
  void no_more_many() { features_.accepts_many = features_.receives_many = false; }

  // ---- for the loop

  /// Completions that are there are queued and worked off. Whether there were any.
  bool take();
  /// What sockets left to be sent is pushed, and the device entered if there is need.
  void enter();
  void wait(Duration patience);
  bool ready() const { return device_->ready(); }
  /// When moments() has something to do.
  Time next_moment() const { return next_moment_; }
  void moments(Time now);
  void told(bool on) { device_->told(on); }

  // ---- for sockets

  /// Takes the descriptor over, too. The state is told of by its owner's attend().
  void add(SocketState& state, int descriptor, ActorCell& owner);
  /// The handle is gone.
  void orphan(SocketState& state);
  /// One that is ending goes when nothing is in flight any more.
  void settle(SocketState& state);
  /// The socket leaves the ring as a descriptor. Requires: nothing in flight.
  int give_up(SocketState& state);
  void push(SocketState& state, SocketState::Operation operation, RingRequest request);
  /// What is in flight under that operation comes to its end soon.
  void cancel(SocketState& state, SocketState::Operation operation);
  void set_dirty(SocketState& state) {
    if (state.dirty) return;
    state.dirty = true;
    dirty_.push_back(&state);
  }
  /// All that the actor has opened.
  void set_dirty(ActorCell& owner) {
    for (SocketState* state = owner.extras->sockets; state != nullptr; state = state->next_of_owner) set_dirty(*state);
  }
  /// moment() of the socket at `time`; `never`: not.
  void call_at(SocketState& state, Time time);
  /// When the completions that are worked off were reaped.
  Time reaped_at() const { return reaped_at_; }
  /// What has to be added to the system's time of day to get ours; as of now.
  static Duration since_epoch();

  // Buffers that connections receive into; group 0.
  static constexpr std::uint16_t common_group = 0;
  bool has_buffers() const { return buffers_ != nullptr; }
  std::span<const std::byte> buffer(std::int32_t number, std::size_t bytes) const {
    return {buffers_.get() + static_cast<std::size_t>(number) * buffer_bytes_, bytes};
  }
  std::size_t buffer_bytes() const { return buffer_bytes_; }
  void give_back(std::uint16_t group, std::int32_t number) {
    device_->give_back(group, static_cast<std::uint16_t>(number));
  }
  /// How many requests may be pushed so that the kernel gets them together.
  std::uint32_t room() const { return device_->room(); }
  /// A group of the socket's own; zero: there are none.
  std::uint16_t open_group(std::byte* memory, std::uint32_t count, std::uint32_t bytes);
  void close_group(std::uint16_t group);

 private:
  struct Slot {
    SocketState* state = nullptr;
    std::uint32_t generation = 1;
  };

  Ring(Scheduler& scheduler, const IoOptions& options, std::unique_ptr<RingDevice> device, int wake_descriptor);
  void handle(const RingCompletion& completion);
  void destroy(SocketState& state);
  void leave(SocketState& state);
  void leave_owner(SocketState& state);
  static std::uint64_t tag(std::uint32_t generation, std::uint32_t slot, SocketState::Operation operation) {
    return std::uint64_t{generation} << 32 | slot << 8 | operation;
  }

  Scheduler& scheduler_;
  std::unique_ptr<RingDevice> device_;
  RingFeatures features_;
  int wake_descriptor_;
  bool watching_ = false;  // for wake-ups
  bool ending_ = false;
  Time reaped_at_{};
  Time next_moment_ = never;
  std::vector<Slot> slots_;  // slot 0: the wake-ups
  std::vector<std::uint32_t> free_slots_;
  std::vector<SocketState*> dirty_;
  std::vector<SocketState*> moments_;
  std::vector<RingCompletion> completions_;
  std::uint64_t in_flight_ = 0;
  std::vector<std::uint32_t> free_places_;  // of files
  std::vector<std::uint16_t> free_groups_;
  std::uint16_t groups_ = 1;
  std::unique_ptr<std::byte[]> buffers_;
  std::size_t buffer_bytes_ = 0;
};

/// The ring of the scheduler that the actor is on, or why there is none. Throws std::logic_error in virtual time.
Result<Ring*> ring_of(ActorCell& cell);

}  // namespace outcry
