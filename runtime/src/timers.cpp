// Timers: deadlines of waits, and messages that leave later and can be cancelled.
#include <outcry/runtime/scheduler.hpp>

#include <algorithm>
#include <cstring>

#include <outcry/runtime/runtime.hpp>

#include "ring.hpp"

namespace outcry {

// ---- delayed messages

Scheduler::AlarmNumber Scheduler::set_alarm(ActorCell& owner, Time time, Duration period, const Envelope& envelope) {
  try {
    if (virtual_time_) require_link(*owner.site, *envelope.to);
    if (free_alarms_.empty()) {
      free_alarms_.reserve(alarms_.size() + 1);
      alarms_.emplace_back();
      free_alarms_.push_back(static_cast<std::uint32_t>(alarms_.size() - 1));
    }
  } catch (...) {
    Envelope copy = envelope;
    if (copy.type->bounce != nullptr) copy.type->bounce(copy.payload, AskError::gone);
    if (copy.type->destroy != nullptr) copy.type->destroy(copy.payload);
    throw;
  }
  const std::uint32_t index = free_alarms_.back();
  free_alarms_.pop_back();
  Alarm& alarm = alarms_[index];
  alarm.owner = &owner;
  alarm.to = envelope.to;
  alarm.generation = envelope.generation;
  alarm.type = envelope.type;
  alarm.time = time;
  alarm.period = period;
  alarm.pending = true;
  std::memcpy(alarm.payload, envelope.payload, sizeof alarm.payload);
  put_alarm(owner, index);
  return {index, alarm.use};
}

void Scheduler::put_alarm(ActorCell& owner, std::uint32_t index) {
  Envelope event;
  event.kind = Envelope::Kind::alarm;
  event.to = &owner;
  event.generation = owner.generation;
  event.source = index;
  const Time time = alarms_[index].time;
  if (virtual_time_) {
    sweep_timers(owner.site->queue, owner.site->dead_timers);
    insert(*owner.site, {to_ns(std::max(time, now_)), owner.id, owner.sent++, 0}, event);
  } else {
    sweep_timers(timers_, dead_timers_);
    timers_.push({to_ns(time), owner.id, owner.sent++, timers_.hold(event)});
  }
}

bool Scheduler::cancel_alarm(AlarmNumber number) {
  if (!alarm_pending(number)) return false;
  Alarm& alarm = alarms_[number.index];
  alarm.pending = false;
  ++dead_timers(*alarm.owner);
  if (alarm.type->bounce != nullptr) alarm.type->bounce(alarm.payload, AskError::cancelled);
  if (alarm.type->destroy != nullptr) alarm.type->destroy(alarm.payload);
  return true;
}

// The event has left the queue. `owner` null: it has ended.
void Scheduler::ring(ActorCell* owner, std::uint32_t index) {
  if (!alarms_[index].pending) {
    --dead_timers(*alarms_[index].owner);
    free_alarm(index);
    return;
  }
  Envelope envelope;
  {
    const Alarm& alarm = alarms_[index];
    envelope.to = alarm.to;
    envelope.generation = alarm.generation;
    envelope.type = alarm.type;
    std::memcpy(envelope.payload, alarm.payload, sizeof envelope.payload);
  }
  if (owner == nullptr) {
    if (envelope.type->bounce != nullptr) envelope.type->bounce(envelope.payload, AskError::gone);
    if (envelope.type->destroy != nullptr) envelope.type->destroy(envelope.payload);
    free_alarm(index);
    return;
  }
  if (alarms_[index].period > Duration(0)) {
    alarms_[index].time = later(alarms_[index].time, alarms_[index].period);
    put_alarm(*owner, index);
  } else {
    free_alarm(index);
  }
  ActorCell* const outer = current_.exchange(owner);
  post(envelope);
  current_ = outer;
}

void Scheduler::free_alarm(std::uint32_t index) {
  alarms_[index].pending = false;
  ++alarms_[index].use;
  free_alarms_.push_back(index);
}

// ---- deadlines

void Scheduler::arm(ActorCell& cell, Time deadline) {
  cell.timer_armed = true;
  if (cell.timer_is_set && cell.timer_time == deadline && (!virtual_time_ || deadline > now_)) {
    --dead_timers(cell);  // an actor that waits for messages until some time waits again and again for the same
    return;
  }
  cell.timer_is_set = true;
  cell.timer_time = deadline;
  cell.timer_ticket = cell.wait_ticket;
  Envelope envelope;
  envelope.kind = Envelope::Kind::timer;
  envelope.to = &cell;
  envelope.generation = cell.generation;
  envelope.source = cell.wait_ticket;
  if (virtual_time_) {
    sweep_timers(cell.site->queue, cell.site->dead_timers);
    insert(*cell.site, {to_ns(std::max(deadline, now_)), cell.id, cell.sent++, 0}, envelope);
  } else {
    sweep_timers(timers_, dead_timers_);
    timers_.push({to_ns(deadline), cell.id, cell.sent++, timers_.hold(envelope)});
  }
}

void Scheduler::sweep_timers(EventQueue& queue, std::uint32_t& dead) {
  if (dead < 1024 || dead < queue.size() / 2) return;
  dead -= queue.sweep([this](const Envelope& envelope) {
    if (envelope.kind == Envelope::Kind::alarm && !alarms_[envelope.source].pending) {
      free_alarm(envelope.source);
      return true;
    }
    if (envelope.kind != Envelope::Kind::timer) return false;
    ActorCell& cell = *envelope.to;
    if (cell.generation != envelope.generation || !cell.timer_is_set || cell.timer_ticket != envelope.source)
      return true;
    cell.timer_is_set = cell.timer_armed;
    return !cell.timer_armed;
  });
}

void Scheduler::fire_timers() {
  if (ring_ != nullptr && ring_->next_moment() != never) ring_->moments(clock_now());
  if (timers_.empty()) return;
  const std::int64_t now = to_ns(clock_now());
  while (timers_.next_time() <= now) {
    const EventQueue::Key key = timers_.pop();
    Envelope envelope = timers_.envelope(key.node);
    timers_.release(key.node);
    if (envelope.kind == Envelope::Kind::timer) {
      arrive(envelope, 0, 0, 0);
    } else {
      post(envelope);
    }
  }
}

}  // namespace outcry
