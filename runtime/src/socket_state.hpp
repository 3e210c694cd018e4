// SocketState: what the ring keeps of one socket, and the memory that its operations use.
//
// It belongs to the handle that the actor has (a Connection, Listener or Datagrams) and to the ring: it goes when the
// handle is gone and no operation is in flight. What happens is told to the actor that opened it, which is woken by the
// loop, never from here.
// Thread: the scheduler's; once the ring is gone, whoever takes the actors down.
#pragma once

#include <cerrno>
#include <coroutine>
#include <cstdint>
#include <source_location>

#include <outcry/runtime/actor_cell.hpp>
#include <outcry/runtime/endpoint.hpp>
#include <outcry/runtime/result.hpp>
#include <outcry/runtime/ring_device.hpp>
#include <outcry/runtime/scheduler.hpp>

namespace outcry {

class Ring;

/// An actor that awaits something of a socket.
struct SocketWaiter {
  ActorCell* cell = nullptr;
  std::uint32_t generation = 0;
  std::uint32_t ticket = 0;

  /// Whether it still does.
  bool waits() const {
    return cell != nullptr && cell->generation == generation && cell->waiting == Waiting::socket &&
           cell->wait_ticket == ticket;
  }
  void wake() {
    if (waits()) cell->scheduler().wake(cell);
    cell = nullptr;
  }
};

struct SocketState {
  SocketState() = default;
  SocketState(const SocketState&) = delete;
  SocketState& operator=(const SocketState&) = delete;
  virtual ~SocketState() = default;

  /// What a completion is for; part of its tag.
  using Operation = std::uint8_t;
  static constexpr Operation receiving = 0;  // or accepting
  static constexpr Operation sending = 1;    // or connecting
  static constexpr Operation cancelling = 2;
  static constexpr Operation first_of_many = 3;

  virtual void completed(Operation operation, const RingCompletion& completion) = 0;
  /// At the end of a round in which the actor may have left something to be sent.
  virtual void flush() {}
  /// The moment that Ring::call_at() was given has come.
  virtual void moment() {}
  /// The handle is gone or the ring ends: nothing new is started, and what is in flight comes to an end.
  virtual void end_operations() = 0;
  /// The ring ends, and with it what this one has under way.
  virtual void ring_is_gone() {}

  /// The actor that opened it should look.
  void notice() {
    if (owner != nullptr && owner->generation == owner_generation) owner->scheduler().notice(*owner);
  }

  Ring* ring = nullptr;  // null: there is none any more
  int descriptor = -1;
  int file_place = -1;  // in the ring's table of files; -1: none
  std::uint32_t ring_slot = 0;
  std::uint32_t in_flight = 0;  // operations that the device has not given back
  bool orphan = false;          // there is no handle
  bool ending = false;          // nothing new is started
  bool dirty = false;           // stands in the ring's list for flush()
  ActorCell* owner = nullptr;
  std::uint32_t owner_generation = 0;
  SocketState* next_of_owner = nullptr;
  SocketState* previous_of_owner = nullptr;
  Time due = never;  // of moment()
};

/// The current actor waits; what it waits for calls wake().
inline void wait_on_socket(SocketWaiter& waiter, std::coroutine_handle<> point, Time deadline,
                           std::source_location where) {
  ActorCell& cell = *this_scheduler()->current();
  cell.reply_error = AskError::none;
  cell.scheduler().suspend(cell, point, Waiting::socket, deadline, where);
  waiter = {&cell, cell.generation, cell.wait_ticket};
}

/// Why an await came to its end with nothing.
inline Failure nothing_came(bool waited, const char* doing) {
  const bool timed_out = waited && this_scheduler()->current()->timed_out;
  return {timed_out ? ETIMEDOUT : ECANCELED, doing};
}

}  // namespace outcry
