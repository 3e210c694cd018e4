// Inbox: what comes from other threads and goes there, and how a scheduler that sleeps is woken.
#include "inbox.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <stdexcept>
#include <utility>

#include <outcry/runtime/runtime.hpp>

#include "futex.hpp"
#include "ring.hpp"

namespace outcry {

// Into a buffer that stays: making that many envelopes for each look would cost more than the look.
bool Scheduler::take_inbox() {
  if (!put_off_.empty()) [[unlikely]] {
    for (Envelope& envelope : std::exchange(put_off_, {})) arrive(envelope, 0, 0, 0);
    return true;
  }
  const std::size_t taken = inbox_->queue.try_dequeue_bulk(inbox_->consumer, incoming_.data(), incoming_.size());
  for (std::size_t i = 0; i < taken; ++i) arrive(incoming_[i], 0, 0, 0);
  return taken > 0;
}

// While this scheduler waits for a call to one that may be waiting for a call to this one. What else comes keeps its order.
void Scheduler::serve_calls() {
  if (inbox_ == nullptr) return;
  for (Envelope envelope; inbox_->queue.try_dequeue(inbox_->consumer, envelope);) {
    if (envelope.kind == Envelope::Kind::call) {
      arrive(envelope, 0, 0, 0);
    } else {
      put_off_.push_back(envelope);
    }
  }
}

void Scheduler::flush() {
  for (std::uint32_t i = 0; i < outgoing_.size(); ++i)
    if (!outgoing_[i].empty()) flush(i);
}

void Scheduler::flush(std::uint32_t destination) {
  auto& buffer = outgoing_[destination];
  Scheduler& there = *runtime_.schedulers_[destination];
  if (buffer.size() == 1) {
    there.inbox_->queue.enqueue(there.inbox_->producers[index_], buffer.front());
  } else {
    there.inbox_->queue.enqueue_bulk(there.inbox_->producers[index_], buffer.data(), buffer.size());
  }
  buffer.clear();
  there.wake_thread();
}

void Scheduler::put_in_inbox(const Envelope& envelope) {
  if (virtual_time_) throw std::logic_error("a simulation takes no messages from another runtime");
  inbox_->queue.enqueue(envelope);
  wake_thread();
}

// The sleeper writes `sleeping`, then looks at its inbox; the sender fills the inbox, then looks at `sleeping`. With a
// full fence on both sides at least one of them sees the other: no wake-up is lost, and no call is made to one awake.
void Scheduler::wake_thread() {
  if (never_sleeps_) return;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (sleeping_.load(std::memory_order_relaxed) == awake) return;
  const std::uint32_t sleeper = sleeping_.exchange(awake, std::memory_order_acquire);
  if (sleeper == awake) return;
  if (Scheduler* here = this_scheduler(); here != nullptr) ++here->counters_.wakes;
  if (sleeper == on_futex) {
    futex_wake(sleeping_);
  } else {
    const std::uint64_t one = 1;
    while (::write(sleeper == on_ring ? ring_wake_fd_ : wake_fd_, &one, sizeof one) < 0 && errno == EINTR) {
    }
  }
}

/// Whether there is nothing, and a sender from now on wakes the sleeper.
bool Scheduler::watch_inbox(std::uint32_t sleeper) {
  sleeping_.store(sleeper, std::memory_order_release);  // with ring_wake_fd_
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!take_inbox() && !runtime_.stop_.load(std::memory_order_relaxed)) return true;
  // A sender may have seen it already: what he writes to the descriptor is read later.
  if (sleeping_.exchange(awake, std::memory_order_relaxed) == awake && sleeper == on_wake_fd) ++owed_;
  return false;
}

/// The host polls again. Who woke it has written to its descriptor, or is about to: all of that is read in time, so that
/// the descriptor does not stay readable.
void Scheduler::watch_no_more() {
  std::uint64_t written = 0;
  if (ring_ != nullptr) {  // who also writes to it, as often as it likes
    if (!std::exchange(watches_, false)) return;
    ring_->told(false);
    sleeping_.store(awake, std::memory_order_relaxed);
    owed_ = 0;
    static_cast<void>(::read(wake_fd_, &written, sizeof written));
    return;
  }
  if (std::exchange(watches_, false) && sleeping_.exchange(awake, std::memory_order_relaxed) == awake) ++owed_;
  if (owed_ != 0 && ::read(wake_fd_, &written, sizeof written) == sizeof written) owed_ -= written;
}

void Scheduler::park() {
  if (!watch_inbox(ring_ != nullptr ? on_ring : on_futex)) return;
  Duration patience = forever;
  if (const Time next = next_due(); next != never) patience = std::max(next - clock_now(), Duration::zero());
  ++counters_.parks;
  show_load();
  if (ring_ != nullptr) {
    ring_->wait(patience);
  } else if (patience == forever) {
    futex_wait(sleeping_, on_futex, nullptr);
  } else {
    const timespec timeout{static_cast<time_t>(patience.count() / 1'000'000'000),
                           static_cast<long>(patience.count() % 1'000'000'000)};
    futex_wait(sleeping_, on_futex, &timeout);
  }
  sleeping_.store(awake, std::memory_order_relaxed);
}

}  // namespace outcry
