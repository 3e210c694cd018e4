// Scheduler: how it begins and ends, the cells of its actors, and their turns.
#include <outcry/runtime/scheduler.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/runtime.hpp>

#include "inbox.hpp"
#include "ring.hpp"

namespace outcry {

Scheduler::Scheduler(Runtime& runtime, std::uint32_t index)
    : virtual_time_(runtime.options().time == WorldTime::virtually),
      drawn_order_(runtime.options().interleaving.has_value()),
      messages_per_turn_(static_cast<std::int32_t>(runtime.options().messages_per_turn)),
      now_(runtime.options().start),
      runtime_(runtime),
      index_(index),
      arena_(runtime.memory().arena(index)) {
  const std::uint32_t schedulers = runtime.options().schedulers;
  if (!virtual_time_) inbox_ = std::make_unique<Inbox>(schedulers);
  incoming_.resize(virtual_time_ ? 0 : bulk);
  outgoing_.resize(virtual_time_ ? 0 : schedulers);
  for (auto& buffer : outgoing_) buffer.reserve(bulk);
  for (auto& buffer : exchange_) buffer.resize(virtual_time_ ? schedulers : 0);
  never_sleeps_ = runtime.options().idle == IdlePolicy::spin && index >= runtime.options().hosted_schedulers;
  if (index < runtime.options().hosted_schedulers) {
    wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake_fd_ < 0) throw std::system_error(errno, std::generic_category(), "no eventfd can be made");
  }
}

// In two steps, each for every scheduler of the runtime before the next: what a frame's destructor sends finds its
// receiver's cell, though nobody will take it.
void Scheduler::end_actors() {
  for_each_actor([](ActorCell& cell) { std::exchange(cell.body, {}).destroy(); });
}

void Scheduler::discard_messages() {
  const auto discard = [](Envelope& envelope) {
    if (envelope.type != nullptr && envelope.type->destroy != nullptr) envelope.type->destroy(envelope.payload);
  };
  for_each_actor([](ActorCell& cell) {
    cell.mailbox.clear();
    if (cell.destroy_callable != nullptr) std::exchange(cell.destroy_callable, nullptr)(cell.callable);
  });
  timers_.drain(discard);
  for (Alarm& alarm : alarms_)
    if (alarm.pending && alarm.type->destroy != nullptr) alarm.type->destroy(alarm.payload);
  for (Envelope& envelope : put_off_) discard(envelope);
  for (auto& buffer : outgoing_)
    for (Envelope& envelope : buffer) discard(envelope);
  for (auto& buffers : exchange_)
    for (auto& buffer : buffers)
      for (RemoteEvent& event : buffer) discard(event.envelope);
  if (inbox_ != nullptr)
    for (Envelope envelope; inbox_->queue.try_dequeue(inbox_->consumer, envelope);) discard(envelope);
}

Scheduler::~Scheduler() {
  close_ring();
  if (wake_fd_ >= 0) ::close(wake_fd_);
  if (ring_wake_fd_ >= 0) ::close(ring_wake_fd_);
  for (std::byte* slab : slabs_) {
    auto* cells = reinterpret_cast<ActorCell*>(slab + cells_begin);
    const std::size_t used = slab == slabs_.back() ? cells_in_slab - cells_left_ : cells_in_slab;
    for (std::size_t i = 0; i < used; ++i) cells[i].~ActorCell();
    arena_.deallocate(slab, ActorCell::slab_size, ActorCell::slab_size);
  }
}

// ---- actors

ActorCell* Scheduler::new_cell(Site& site, Duration distance, MailboxOptions mailbox) {
  ActorCell* cell = nullptr;
  // In virtual time senders elsewhere, who run ahead or behind, read site, distance and policy of a cell that may have
  // ended: so that they see the same in every run, a cell is used again only for the like.
  std::vector<ActorCell*>& free_cells = free_cells_for(site);
  for (std::size_t i = free_cells.size(); i-- > 0 && free_cells.size() - i <= 16;) {
    if (virtual_time_ && (free_cells[i]->distance != distance || free_cells[i]->mailbox.limit() != mailbox.capacity ||
                          free_cells[i]->mailbox.when_full() != mailbox.when_full))
      continue;
    cell = free_cells[i];
    free_cells.erase(free_cells.begin() + static_cast<std::ptrdiff_t>(i));
    break;
  }
  if (cell == nullptr) {
    if (cells_left_ == 0) {
      auto* slab = static_cast<std::byte*>(arena_.allocate(ActorCell::slab_size, ActorCell::slab_size));
      ::new (slab) Scheduler*(this);
      slabs_.push_back(slab);
      next_cell_ = reinterpret_cast<ActorCell*>(slab + cells_begin);
      cells_left_ = cells_in_slab;
    }
    cell = ::new (static_cast<void*>(next_cell_)) ActorCell();
    ++next_cell_;
    --cells_left_;
    cell->site = &site;
    cell->distance = distance;
  }
  if (!virtual_time_) cell->site = &site;
  cell->in_use = true;
  ++actors_;
  cell->awaits_at({});
  cell->busy_until = now_;
  runtime_.live_actors_.fetch_add(1, std::memory_order_relaxed);
  return cell;
}

ActorCell* Scheduler::new_child(ActorCell& parent, Duration distance, MailboxOptions mailbox) {
  ActorCell* cell = new_cell(*parent.site, distance, mailbox);
  cell->set_id(mix64(parent.id, ++parent.children));
  cell->random = Random(runtime_.options().seed, cell->id);
  return cell;
}

void Scheduler::start(ActorCell& cell) {
  if (cell.background) runtime_.live_actors_.fetch_sub(1, std::memory_order_relaxed);
  if (!virtual_time_) {
    ready(&cell);
    return;
  }
  Envelope envelope;
  envelope.kind = Envelope::Kind::start;
  envelope.to = &cell;
  envelope.generation = cell.generation;
  insert(*cell.site, {to_ns(now_), cell.id, cell.sent++, 0}, envelope);
}

void Scheduler::give_up(ActorCell& cell) noexcept {
  if (cell.destroy_callable != nullptr)
    std::exchange(cell.destroy_callable, nullptr)(std::exchange(cell.callable, nullptr));
  ++cell.generation;
  cell.in_use = false;
  --actors_;
  release(cell);
  runtime_.actor_ended();
}

// ---- turns

void Scheduler::yield(ActorCell& cell, std::coroutine_handle<> point, std::source_location where) {
  if (virtual_time_) {
    suspend(cell, point, Waiting::time, now_, where);
  } else {
    suspend(cell, point, Waiting::nothing, never, where);
    ready(&cell);
  }
}

void Scheduler::wait_for_message(ActorCell& cell, std::coroutine_handle<> point, Time deadline,
                                 std::source_location where) {
  if (cell.mailbox.empty()) {
    suspend(cell, point, Waiting::message, deadline, where);
  } else if (virtual_time_) {
    suspend(cell, point, Waiting::compute, cell.busy_until, where);
  } else {
    yield(cell, point, where);
  }
}

void Scheduler::wait_for_event(ActorCell& cell, std::coroutine_handle<> point, Time deadline,
                               std::source_location where) {
  if (cell.extras != nullptr && cell.extras->sockets != nullptr && ring_ != nullptr) ring_->set_dirty(cell);
  if (!cell.mailbox.empty()) {
    wait_for_message(cell, point, deadline, where);
  } else if (cell.noticed) {
    yield(cell, point, where);
  } else {
    suspend(cell, point, Waiting::event, deadline, where);
  }
}

void Scheduler::run_ready() {
  while (first_ready_ != nullptr) run_first_ready();
}

void Scheduler::run_first_ready() {
  ActorCell* cell = first_ready_;
  first_ready_ = cell->next_ready;
  if (first_ready_ == nullptr) last_ready_ = nullptr;
  give_turn(*cell);
}

bool Scheduler::run_turns(std::uint32_t turns) {
  bool worked = false;
  for (std::uint32_t turn = 0; turn < turns && first_ready_ != nullptr; ++turn) {
    run_first_ready();
    worked = true;
  }
  return worked;
}

// Requires: the actor has been taken off the run queue. Its cell may have been given back since it was put there.
void Scheduler::give_turn(ActorCell& cell) {
  cell.queued = false;
  --run_queue_;
  if (cell.in_use) {
    run(cell);
  } else {
    release(cell);
  }
}

void Scheduler::run(ActorCell& cell) {
  ++turns_;  // first: whoever sees the actor sees its turn
  current_ = &cell;
  cell.on_stack = true;
  budget_ = messages_per_turn_ - 1;  // the first one comes with the resumption
  if (cell.mailbox.size() > mailbox_high_water_) [[unlikely]]
    mailbox_high_water_ = cell.mailbox.size();
  do {
    cell.again = false;
    cell.resume_point.resume();
  } while (cell.again && !cell.killed);
  cell.on_stack = false;
  if (cell.finished || cell.killed) [[unlikely]]
    finish(cell, cell.killed && !cell.finished);
  current_ = nullptr;
}

}  // namespace outcry
