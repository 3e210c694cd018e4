// SchedulerLoad: what a scheduler shows of itself to other threads.
#include <outcry/runtime/scheduler.hpp>

#include <sched.h>

#include <algorithm>
#include <optional>

namespace outcry {

void Scheduler::show_load() {
  load_.store({.run_queue = run_queue_,
               .actors = actors_,
               .delivered = counters_.delivered,
               .turns = turns_,
               .parks = counters_.parks,
               .mailbox_high_water = mailbox_high_water_,
               .up = up_,
               .idle = idle_});
}

void Scheduler::idles(Time now) {
  if (idle_.since == 0) idle_.since = to_ns(now);
  show_load();
}

void Scheduler::idles_no_more() {
  if (idle_.since == 0) return;
  idle_ = {idle_.total + to_ns(clock_now()) - idle_.since, 0};
}

/// Its loop is over.
void Scheduler::leave() {
  idles_no_more();
  if (up_.since != 0) up_ = {up_.total + to_ns(clock_now()) - up_.since, 0};
  show_load();
}

SchedulerLoad Scheduler::load() const {
  std::optional<ShownLoad> shown;
  while (!(shown = load_.load())) ::sched_yield();
  const std::int64_t now = to_ns(clock_now());
  const auto until_now = [&](const Clocked& clocked) {
    return Duration(clocked.total + (clocked.since != 0 ? std::max<std::int64_t>(0, now - clocked.since) : 0));
  };
  SchedulerLoad load;
  load.run_queue = shown->run_queue;
  load.actors = shown->actors;
  load.delivered = shown->delivered;
  load.turns = shown->turns;
  load.parks = shown->parks;
  load.mailbox_high_water = shown->mailbox_high_water;
  load.up = until_now(shown->up);
  load.idle = until_now(shown->idle);
  return load;
}

// As a reader of a sequence lock: the number of the turn before and after tells whether all is of one turn.
std::uint64_t Scheduler::look_at_turn(Held& held) const {
  const std::uint64_t turn = turns_.look();
  ActorCell* const cell = current_.look();
  if (cell == nullptr) return 0;
  char name[24];
  cell->name.copy(name);
  held.scheduler = index_;
  held.actor = std::atomic_ref(cell->id).load(std::memory_order_relaxed);
  held.name = name;
  held.awaited = std::atomic_ref(cell->where).load(std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_acquire);
  return turns_ == turn ? turn : 0;
}

}  // namespace outcry
