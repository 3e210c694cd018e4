// Scheduler: the loop, live and in virtual time, and everything that is not on the way of each message.
#include <outcry/runtime/scheduler.hpp>

#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

// GCC 12 believes at -O3 that the queue, inlined into ours, writes through a null block.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif
#if __has_include(<concurrentqueue/moodycamel/concurrentqueue.h>)  // Ubuntu 24.04
#include <concurrentqueue/moodycamel/concurrentqueue.h>
#elif __has_include(<concurrentqueue/concurrentqueue.h>)  // Debian 12
#include <concurrentqueue/concurrentqueue.h>
#else
#include <concurrentqueue.h>
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/runtime.hpp>

#include "futex.hpp"

namespace outcry {

namespace {

constexpr std::size_t bulk = 64;            // envelopes for one destination before they are flushed within a turn
constexpr std::uint32_t clock_turns = 16;   // idle rounds of a loop that spins, for one look at the clock
constexpr std::uint32_t idle_after = 64;    // rounds in vain, and its load counts it as idle
constexpr std::uint32_t rounds_shown = 16;  // rounds that worked, for showing the load once

// Where a scheduler that has nothing to do waits: `sleeping_`.
constexpr std::uint32_t awake = 0;
constexpr std::uint32_t on_futex = 1;
constexpr std::uint32_t on_wake_fd = 2;

Duration distance_between(Duration a, Duration b) { return a < b ? b - a : a - b; }

}  // namespace

struct Scheduler::Inbox {
  moodycamel::ConcurrentQueue<Envelope> queue;
  moodycamel::ConsumerToken consumer{queue};
  std::vector<moodycamel::ProducerToken> producers;  // one for each scheduler of the runtime

  explicit Inbox(std::size_t schedulers) {
    producers.reserve(schedulers);
    for (std::size_t i = 0; i < schedulers; ++i) producers.emplace_back(queue);
  }
};

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
  if (wake_fd_ >= 0) ::close(wake_fd_);
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

void Scheduler::end(ActorCell* cell, std::uint32_t generation) {
  if (cell->generation != generation || !cell->in_use) return;
  if (cell->on_stack) {
    cell->killed = true;
    budget_ = 0;
  } else {
    finish(*cell, true);
  }
}

// ---- links

namespace {

using Linked = std::vector<ActorCell::Extras::Watcher>;

void add_link(Linked& linked, ActorCell* cell, std::uint32_t generation) {
  for (auto& other : linked)
    if (other.cell == cell && other.generation == generation) return;
  linked.push_back({cell, generation});
}

bool remove_link(Linked& linked, const ActorCell* cell, std::uint32_t generation) {
  return std::erase_if(linked, [&](const auto& o) { return o.cell == cell && o.generation == generation; }) > 0;
}

Envelope link_envelope(Envelope::Kind kind, const ActorCell& me, ActorCell* to, std::uint32_t generation) {
  Envelope envelope;
  envelope.kind = kind;
  envelope.to = to;
  envelope.generation = generation;
  const AnyAddress address(const_cast<ActorCell*>(&me), me.generation);
  std::memcpy(envelope.payload, &address, sizeof address);
  return envelope;
}

/// The other end of a link hears of the end of `ended`.
Envelope exit_envelope(const AnyAddress& to, const ActorCell* ended, std::uint32_t generation, const Down& down) {
  Envelope envelope;
  envelope.kind = Envelope::Kind::exit;
  envelope.to = to.cell();
  envelope.generation = to.generation();
  envelope.source = generation;
  std::memcpy(envelope.payload, &ended, sizeof ended);
  std::memcpy(envelope.payload + sizeof ended, &down, sizeof down);
  return envelope;
}

AnyAddress address_in(const Envelope& envelope) {
  AnyAddress address;
  std::memcpy(static_cast<void*>(&address), envelope.payload, sizeof address);
  return address;
}

}  // namespace

void Scheduler::link(ActorCell& me, ActorCell* to, std::uint32_t generation) {
  if (to == &me && generation == me.generation) return;  // an actor before this one may have had its cell
  if (virtual_time_) require_link(*me.site, *to);
  add_link(me.more().linked, to, generation);  // first: one that has ended on this scheduler answers at once
  post(link_envelope(Envelope::Kind::link, me, to, generation));
}

void Scheduler::unlink(ActorCell& me, ActorCell* to, std::uint32_t generation) {
  if (me.extras == nullptr || !remove_link(me.extras->linked, to, generation)) return;
  post(link_envelope(Envelope::Kind::unlink, me, to, generation));
}

void Scheduler::join(ActorCell& me, ActorCell& child) {
  add_link(me.more().linked, &child, child.generation);
  add_link(child.more().linked, &me, me.generation);
}

void Scheduler::linked_actor_ended(ActorCell& cell, const Envelope& envelope, std::uint64_t sender,
                                   std::uint32_t sequence, std::uint32_t step) {
  ActorCell* ended;
  Down down;
  std::memcpy(&ended, envelope.payload, sizeof ended);
  std::memcpy(&down, envelope.payload + sizeof ended, sizeof down);
  if (cell.extras == nullptr || !remove_link(cell.extras->linked, ended, envelope.source))
    return;  // unlinked meanwhile
  if (cell.extras->traps) {
    Envelope notice;
    notice.kind = Envelope::Kind::control;
    notice.to = &cell;
    notice.generation = cell.generation;
    notice.type = &message_type<Down>;
    Payload<Down>::put(notice.payload, std::move(down));
    arrive(notice, sender, sequence, step);
  } else if (down.end != End::finished) {
    cell.extras->cut = true;
    std::memcpy(cell.extras->cause, down.what, sizeof down.what);
    end_by_link(cell);
  }
}

// What ends here tells its own links, which may end by that: they are put in a line, so that the stack stays short.
void Scheduler::end_by_link(ActorCell& cell) {
  doomed_.push_back({&cell, cell.generation});
  if (ending_) return;
  ending_ = true;
  for (std::size_t i = 0; i < doomed_.size(); ++i) end(doomed_[i].cell, doomed_[i].generation);
  doomed_.clear();
  ending_ = false;
}

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

// ---- ends

void Scheduler::stop(ActorCell* to, std::uint32_t generation, bool kill) {
  Envelope envelope;
  envelope.kind = kill ? Envelope::Kind::kill : Envelope::Kind::stop;
  envelope.to = to;
  envelope.generation = generation;
  post(envelope);
}

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

void Scheduler::run_ready() {
  while (first_ready_ != nullptr) run_first_ready();
}

void Scheduler::run_first_ready() {
  ActorCell* cell = first_ready_;
  first_ready_ = cell->next_ready;
  if (first_ready_ == nullptr) last_ready_ = nullptr;
  give_turn(*cell);
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

void Scheduler::finish(ActorCell& cell, bool killed) {
  ActorCell* const outer = current_.exchange(&cell);
  cell.on_stack = true;
  Down down;
  down.actor = cell.id;
  down.end = killed ? End::killed : End::finished;
  if (cell.failure) {
    down.end = End::failed;
    std::string why = "an exception that is no std::exception";
    try {
      std::rethrow_exception(cell.failure);
    } catch (const std::exception& exception) {
      why = exception.what();
    } catch (...) {
    }
    std::strncpy(down.what, why.c_str(), sizeof down.what - 1);
    ++counters_.failures;
    runtime_.log("actor '" + std::string(cell.name.c_str()) + "' ended by an exception: " + why);
    cell.failure = nullptr;
  } else if (killed && cell.extras != nullptr && cell.extras->cut) {
    down.end = End::linked;
    std::memcpy(down.what, cell.extras->cause, sizeof down.what);
  }

  std::exchange(cell.body, {}).destroy();
  if (cell.destroy_callable != nullptr) cell.destroy_callable(std::exchange(cell.callable, nullptr));
  cell.destroy_callable = nullptr;
  wait_no_more(cell);
  counters_.dead_letters += cell.mailbox.size();
  room_is_gone(cell.room);
  tell_senders_of_end(cell);
  tell_askers_of_end(cell);
  cell.mailbox.clear();
  if (cell.extras != nullptr) {
    const Linked watchers = std::move(cell.extras->watchers);
    const Linked linked = std::move(cell.extras->linked);  // whoever ends by this may be linked to it in a ring
    for (const auto& watcher : watchers) tell_watcher(watcher, cell, cell.generation, down);
    for (const auto& other : linked)
      post(exit_envelope(AnyAddress(other.cell, other.generation), &cell, cell.generation, down));
  }
  cell.extras.reset();
  ended_mailboxes_ += cell.mailbox.counters();
  digest_ += mix64(cell.id, cell.digest);
  ++cell.generation;
  cell.in_use = false;
  --actors_;
  current_ = outer;
  const bool background = std::exchange(cell.background, false);
  if (!cell.queued) release(cell);
  if (!background) runtime_.actor_ended();
}

void Scheduler::tell_watcher(const ActorCell::Extras::Watcher& watcher, const ActorCell& ended,
                             std::uint32_t generation, const Down& down) {
  Envelope notice;
  notice.kind = Envelope::Kind::control;
  notice.to = watcher.cell;
  notice.generation = watcher.generation;
  if (watcher.by_address) {
    notice.type = &message_type<Ended>;
    Payload<Ended>::put(notice.payload,
                        Ended{AnyAddress(const_cast<ActorCell*>(&ended), generation), down.actor, down.end});
  } else {
    notice.type = &message_type<Down>;
    Payload<Down>::put(notice.payload, Down(down));
  }
  post(notice);
}

// Those who wait for room have sent before: that lies in the mailbox, was taken and not credited yet, or comes as a dead
// letter, which is told of one by one.
void Scheduler::tell_senders_of_end(ActorCell& cell) {
  if (cell.mailbox.empty() && cell.extras == nullptr) return;
  const Room gone{&cell, cell.generation, 0};
  Envelope envelope;
  envelope.kind = Envelope::Kind::credit;
  std::memcpy(envelope.payload, &gone, sizeof gone);
  if (virtual_time_) {
    if (cell.extras == nullptr) return;
    for (const ActorCell::Extras::Link& link : cell.extras->links) {
      if (link.taken == 0 && link.waiting == 0) continue;
      envelope.to = link.sender;
      envelope.generation = link.generation;
      post(envelope);
    }
    return;
  }
  const auto count = [&](std::uint32_t source) {
    auto& taken = cell.more().taken;
    if (taken.empty()) taken.resize(runtime_.options().schedulers);
    ++taken[source - 1];
  };
  cell.mailbox.for_each([&](const Mailbox::Slot& slot) {
    if (slot.source != 0) count(slot.source);
  });
  if (cell.extras == nullptr) return;
  envelope.to = &cell;
  for (std::uint32_t i = 0; i < cell.extras->taken.size(); ++i)
    if (cell.extras->taken[i] != 0) outgoing_[i].push_back(envelope);
}

void Scheduler::tell_askers_of_end(ActorCell& cell) {
  if (cell.extras == nullptr) return;
  Envelope envelope;
  envelope.kind = Envelope::Kind::no_reply;
  envelope.payload[0] = static_cast<std::byte>(AskError::gone);
  for (const OpenAsks::Entry& ask : cell.extras->asks.open()) {
    envelope.to = ask.asker;
    envelope.generation = ask.generation;
    envelope.source = ask.ticket;
    post(envelope);
  }
}

void Scheduler::release(ActorCell& cell) {
  cell.waiting = Waiting::nothing;
  cell.stopping = cell.timed_out = cell.timer_armed = cell.timer_is_set = cell.again = cell.finished = cell.killed =
      cell.on_stack = false;
  cell.sent = cell.children = 0;
  cell.digest = 0;
  cell.reply_slot = nullptr;
  free_cells_for(*cell.site).push_back(&cell);
}

// ---- sending

void Scheduler::post(const Envelope& envelope, Time earliest) {
  if (virtual_time_) {
    post_virtual(envelope, earliest);
    return;
  }
  if (earliest > Time::min()) {
    timers_.push({to_ns(earliest), 0, delayed_++, timers_.hold(envelope)});
    return;
  }
  Scheduler& destination = envelope.to->scheduler();
  if (&destination == this) {
    Envelope copy = envelope;
    arrive(copy, 0, 0, 0);
  } else if (&destination.runtime_ == &runtime_) {
    auto& buffer = outgoing_[destination.index_];
    buffer.push_back(envelope);
    if (buffer.size() >= bulk) flush(destination.index_);
  } else {
    destination.put_in_inbox(envelope);
  }
}

/// Null: the actor has ended.
Credit* Scheduler::credit_for(ActorCell* to, std::uint32_t generation) {
  const auto fresh = [&](Credit& credit) -> Credit* {
    if (credit.generation == generation) [[likely]]
      return credit.gone ? nullptr : &credit;
    if (static_cast<std::int32_t>(generation - credit.generation) < 0) return nullptr;
    room_is_gone(credit.waiting);
    credit.generation = generation;
    credit.gone = false;
    credit.when_full = to->mailbox.when_full();
    const std::uint32_t share = virtual_time_ ? 1 : runtime_.options().schedulers;
    credit.available = std::max(1u, to->mailbox.limit() / share);
    return &credit;
  };
  if (virtual_time_) return fresh(current_->more().credits[to]);
  CreditOfCell& recent = recent_credits_[reinterpret_cast<std::uintptr_t>(to) * 0x9E3779B97F4A7C15u >> 58];
  if (recent.cell != to) recent = {to, &credits_[to]};
  return fresh(*recent.credit);
}

Delivery Scheduler::reserve(Envelope& envelope) {
  if (virtual_time_) {  // a mailbox that refuses does so on arrival
    if (envelope.to->mailbox.when_full() != WhenFull::wait || current_ == nullptr) return Delivery::accepted;
    require_link(*current_->site, *envelope.to);
  } else if (&envelope.to->scheduler().runtime_ != &runtime_) {
    return Delivery::accepted;  // another runtime's mailbox keeps no credit for us
  }
  Credit* credit = credit_for(envelope.to, envelope.generation);
  if (credit == nullptr) {
    ++counters_.dead_letters;
    return Delivery::gone;
  }
  if (credit->when_full == WhenFull::drop_oldest || credit->when_full == WhenFull::latest) return Delivery::accepted;
  if (credit->available == 0) {
    if (credit->when_full == WhenFull::refuse) ++counters_.refused;
    return Delivery::full;
  }
  --credit->available;
  envelope.source = index_ + 1;
  return Delivery::accepted;
}

void Scheduler::wait_for_room(WaitingSender& sender, ActorCell* to, std::uint32_t generation) {
  if (!virtual_time_ && &to->scheduler() == this) {
    if (to->generation == generation) {
      to->room.push(sender);
      admit_waiting(*to);
      look_for_cycle(sender, to);
      return;
    }
  } else if (Credit* credit = credit_for(to, generation); credit != nullptr) {
    credit->waiting.push(sender);
    admit_waiting(*credit, to);
    look_for_cycle(sender, to);
    return;
  }
  sender.outcome = WaitingSender::Outcome::gone;
  wake(sender.sender);
}

// Actors that wait for room in each other wait for ever. Builds with asserts say who they are, as far as they are on one
// scheduler: what an actor elsewhere waits for may not be looked at.
void Scheduler::look_for_cycle([[maybe_unused]] const WaitingSender& sender, [[maybe_unused]] ActorCell* to) {
#ifndef NDEBUG
  if (sender.outcome != WaitingSender::Outcome::waiting) return;
  sender.sender->waits_for = to;
  std::string names = sender.sender->name.c_str();
  ActorCell* cell = to;
  for (int steps = 0; steps < 1'000 && &cell->scheduler() == this; ++steps, cell = cell->waits_for) {
    names.append(" -> ").append(cell->name.c_str());
    if (cell == sender.sender) return runtime_.log("actors wait for room in each other, and will for ever: " + names);
    if (cell->waiting != Waiting::room) return;
  }
#endif
}

void Scheduler::admit_waiting(ActorCell& cell) {
  while (!cell.room.empty() && !cell.mailbox.full()) {
    WaitingSender& sender = *cell.room.first;
    cell.room.remove(sender);
    std::memcpy(cell.mailbox.push(sender.type, 0)->payload(), sender.payload, sender.type->payload_size);
    sender.outcome = WaitingSender::Outcome::delivered;
    wake(sender.sender);
    if (cell.waiting == Waiting::message) wake(&cell);
  }
}

void Scheduler::admit_waiting(Credit& credit, ActorCell* to) {
  while (!credit.waiting.empty() && credit.available > 0) {
    WaitingSender& sender = *credit.waiting.first;
    credit.waiting.remove(sender);
    --credit.available;
    Envelope envelope;
    envelope.to = to;
    envelope.generation = credit.generation;
    envelope.type = sender.type;
    envelope.source = index_ + 1;
    std::memcpy(envelope.payload, sender.payload, sizeof envelope.payload);
    ActorCell* const outer = current_.exchange(sender.sender);
    post(envelope);
    current_ = outer;
    sender.outcome = WaitingSender::Outcome::delivered;
    wake(sender.sender);
  }
}

void Scheduler::got_credit(Credit& credit, const Room& room) {
  if (credit.generation != room.generation) return;
  if (room.messages == 0) {
    credit.gone = true;
    room_is_gone(credit.waiting);
    return;
  }
  credit.available += room.messages;
  admit_waiting(credit, room.mailbox);
}

void Scheduler::room_is_gone(RoomQueue& queue) {
  while (!queue.empty()) {
    WaitingSender& sender = *queue.first;
    queue.remove(sender);
    sender.outcome = WaitingSender::Outcome::gone;
    wake(sender.sender);
  }
}

// Credit goes back in bulk, when half of what was lent has been taken.
void Scheduler::return_credit(ActorCell& cell, std::uint32_t source) {
  ActorCell::Extras& extras = cell.more();
  Envelope envelope;
  envelope.kind = Envelope::Kind::credit;
  Room room{&cell, cell.generation, 0};
  if (virtual_time_) {
    auto& link = extras.links[source - 1];
    --link.waiting;
    if (++link.taken < std::max(1u, cell.mailbox.limit() / 2)) return;
    room.messages = std::exchange(link.taken, 0);
    envelope.to = link.sender;
    envelope.generation = link.generation;
    std::memcpy(envelope.payload, &room, sizeof room);
    post(envelope);
    return;
  }
  const std::uint32_t schedulers = runtime_.options().schedulers;
  if (extras.taken.empty()) extras.taken.resize(schedulers);
  std::uint32_t& taken = extras.taken[source - 1];
  if (++taken < std::max(1u, cell.mailbox.limit() / schedulers / 2)) return;
  room.messages = std::exchange(taken, 0);
  envelope.to = &cell;
  std::memcpy(envelope.payload, &room, sizeof room);
  outgoing_[source - 1].push_back(envelope);
}

// ---- arriving

void Scheduler::arrive(Envelope& envelope, std::uint64_t sender, std::uint32_t sequence, std::uint32_t step) {
  using Kind = Envelope::Kind;
  if (envelope.kind == Kind::credit && !virtual_time_) {
    Room room;
    std::memcpy(&room, envelope.payload, sizeof room);
    if (const auto credit = credits_.find(room.mailbox); credit != credits_.end()) got_credit(credit->second, room);
    return;
  }
  if (envelope.kind == Kind::call) {
    Call* call;
    std::memcpy(&call, envelope.payload, sizeof call);
    call->run();
    return;
  }
  ActorCell& cell = *envelope.to;
  if (cell.generation != envelope.generation || !cell.in_use) {
    nobody_there(envelope);
    return;
  }
  if (virtual_time_ && envelope.type != nullptr) {
    std::uint64_t hash = mix64(cell.digest ^ static_cast<std::uint64_t>(to_ns(now_))) + sender;
    hash = mix64(hash ^ (std::uint64_t{step} << 32 | sequence)) + envelope.type->name_hash;
    cell.digest = mix64(hash ^ envelope.type->digest(envelope.payload));
  }
  switch (envelope.kind) {
    case Kind::message:
    case Kind::control: arrive_message(cell, envelope); break;
    case Kind::start: ready(&cell); break;
    case Kind::timer:
      if (!cell.timer_is_set || cell.timer_ticket != envelope.source) {
        --dead_timers(cell);
        break;
      }
      cell.timer_is_set = false;
      if (!cell.timer_armed) {
        --dead_timers(cell);
        break;
      }
      cell.timer_armed = false;
      cell.timed_out = true;
      if (cell.waiting != Waiting::compute) ++counters_.delivered;  // else its message was counted when it came
      wake(&cell);
      break;
    case Kind::reply:
      assert(envelope.type != nullptr && "a reply without a type");
      if (cell.waiting == Waiting::reply && (cell.wait_ticket & 0x7FFFFFFF) == envelope.source &&
          cell.reply_slot != nullptr) {
        ++counters_.delivered;
        cell.reply_slot->filled = true;
        std::memcpy(cell.reply_slot->payload, envelope.payload, sizeof envelope.payload);
        wake(&cell);
      } else if (envelope.type->destroy != nullptr) {
        envelope.type->destroy(envelope.payload);
      }
      break;
    case Kind::no_reply:
      if (cell.waiting == Waiting::reply && (cell.wait_ticket & 0x7FFFFFFF) == envelope.source) {
        cell.reply_error = static_cast<AskError>(envelope.payload[0]);
        wake(&cell);
      }
      break;
    case Kind::stop:
      cell.stopping = true;
      if (cell.waiting == Waiting::message || cell.waiting == Waiting::time) wake(&cell);
      break;
    case Kind::kill:
      if (cell.on_stack) {
        cell.killed = true;
        budget_ = 0;  // it suspends at the next message, and ends there
      } else {
        finish(cell, true);
      }
      break;
    case Kind::watch: {
      const AnyAddress watcher = address_in(envelope);
      const bool by_address = envelope.payload[sizeof watcher] != std::byte{0};
      cell.more().watchers.push_back({watcher.cell(), watcher.generation(), by_address});
      break;
    }
    case Kind::link: {
      const AnyAddress other = address_in(envelope);
      add_link(cell.more().linked, other.cell(), other.generation());
      break;
    }
    case Kind::unlink: {
      const AnyAddress other = address_in(envelope);
      if (cell.extras != nullptr) remove_link(cell.extras->linked, other.cell(), other.generation());
      break;
    }
    case Kind::exit: linked_actor_ended(cell, envelope, sender, sequence, step); break;
    case Kind::alarm: ring(&cell, envelope.source); break;
    case Kind::wake:
      if (cell.waiting != Waiting::nothing && cell.wait_ticket == envelope.source) {
        cell.reply_error = static_cast<AskError>(envelope.payload[0]);
        wake(&cell);
      }
      break;
    case Kind::credit: {
      Room room;
      std::memcpy(&room, envelope.payload, sizeof room);
      got_credit(cell.more().credits[room.mailbox], room);
      break;
    }
    case Kind::call: break;
  }
}

void Scheduler::arrive_message(ActorCell& cell, Envelope& envelope) {
  Mailbox& mailbox = cell.mailbox;
  const bool control = envelope.kind == Envelope::Kind::control;
  const std::uint32_t source = virtual_time_ && envelope.source != 0 ? link_from(cell, envelope) : envelope.source;
  ++counters_.delivered;
  if (!control && source == 0 && (mailbox.full() || mailbox.when_full() == WhenFull::latest)) {
    if (mailbox.when_full() == WhenFull::wait) ++mailbox.counters().refused;  // from outside: nobody who could wait
    if (make_room(&cell, envelope.type, [&] { return envelope.type->key(envelope.payload); }) == Delivery::full) {
      if (envelope.type->bounce != nullptr) envelope.type->bounce(envelope.payload, AskError::refused);
      if (envelope.type->destroy != nullptr) envelope.type->destroy(envelope.payload);
      return;
    }
  }
  if (Mailbox::Slot* slot = std::exchange(conflated_, nullptr); slot != nullptr) {
    if (slot->type->destroy != nullptr) slot->type->destroy(slot->payload());
    std::memcpy(slot->payload(), envelope.payload, envelope.type->payload_size);
    return;
  }
  std::memcpy(mailbox.push(envelope.type, source, control)->payload(), envelope.payload, envelope.type->payload_size);
  if (cell.waiting != Waiting::message) return;
  if (virtual_time_ && cell.busy_until > now_) {  // it takes the message when it is done with the one before
    wait_no_more(cell);
    suspend(cell, cell.resume_point, Waiting::compute, cell.busy_until, cell.where);
  } else {
    wake(&cell);
  }
}

// The number of the link from the sender, counted from one.
std::uint32_t Scheduler::link_from(ActorCell& cell, const Envelope& envelope) {
  ActorCell::Extras& extras = cell.more();
  const auto next = static_cast<std::uint32_t>(extras.links.size());
  const auto [place, fresh] = extras.link_of.try_emplace(envelope.from, next);
  if (!fresh) {
    ActorCell::Extras::Link& link = extras.links[place->second];
    if (link.generation != envelope.from_generation && link.waiting == 0)
      link = {envelope.from, envelope.from_generation, 0, 0};
    if (link.generation == envelope.from_generation) {
      ++link.waiting;
      return place->second + 1;
    }
    place->second = next;
  }
  extras.links.push_back({envelope.from, envelope.from_generation, 0, 1});
  return next + 1;
}

namespace {

Down gone(const Envelope& envelope) {
  Down down;
  if (envelope.to->generation == envelope.generation + 1) down.actor = envelope.to->id;  // else it is somebody else's
  down.end = End::gone;
  return down;
}

}  // namespace

void Scheduler::nobody_there(Envelope& envelope) {
  using Kind = Envelope::Kind;
  switch (envelope.kind) {
    case Kind::message:
    case Kind::control:
      ++counters_.dead_letters;
      if (envelope.source != 0) {
        const Room gone{envelope.to, envelope.generation, 0};
        Envelope notice;
        notice.kind = Kind::credit;
        std::memcpy(notice.payload, &gone, sizeof gone);
        if (virtual_time_) {
          notice.to = envelope.from;
          notice.generation = envelope.from_generation;
          post(notice);
        } else {
          notice.to = envelope.to;
          outgoing_[envelope.source - 1].push_back(notice);
        }
      }
      if (envelope.type->bounce != nullptr) envelope.type->bounce(envelope.payload, AskError::gone);
      break;
    case Kind::timer: --(virtual_time_ ? envelope.to->site->dead_timers : dead_timers_); break;
    case Kind::watch: {
      const AnyAddress watcher = address_in(envelope);
      const bool by_address = envelope.payload[sizeof watcher] != std::byte{0};
      tell_watcher({watcher.cell(), watcher.generation(), by_address}, *envelope.to, envelope.generation,
                   gone(envelope));
      break;
    }
    case Kind::link: post(exit_envelope(address_in(envelope), envelope.to, envelope.generation, gone(envelope))); break;
    case Kind::alarm: ring(nullptr, envelope.source); break;
    default: break;
  }
  if (envelope.type != nullptr && envelope.type->destroy != nullptr) envelope.type->destroy(envelope.payload);
}

// ---- timers

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

// ---- the live loop

Time Scheduler::clock_now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return time_from_ns(now.tv_sec * 1'000'000'000 + now.tv_nsec);
}

bool Scheduler::run_turns(std::uint32_t turns) {
  bool worked = false;
  for (std::uint32_t turn = 0; turn < turns && first_ready_ != nullptr; ++turn) {
    run_first_ready();
    worked = true;
  }
  return worked;
}

void Scheduler::live_loop() {
  const IdlePolicy idle = runtime_.options().idle;
  const std::uint32_t turns = runtime_.options().turns_per_round;
  Time idle_since = never;
  std::uint32_t idle_turns = 0;
  std::uint32_t rounds = 0;
  watch_no_more();
  idles_no_more();
  if (up_.since == 0) up_.since = to_ns(clock_now());
  show_load();
  while (!runtime_.stop_.load(std::memory_order_relaxed)) {
    bool worked = run_turns(turns);
    if (idle_turns % clock_turns == 0) fire_timers();
    worked |= take_inbox();
    flush();
    if (worked || first_ready_ != nullptr) {
      if (idle_.since != 0) [[unlikely]]
        idles_no_more();
      if (++rounds % rounds_shown == 0) show_load();
      idle_since = never;
      idle_turns = 0;
      continue;
    }
    if (++idle_turns == 1) show_load();
    if (idle_turns == idle_after) idles(clock_now());
    // While it spins it looks at its inbox each time, at the clock now and then.
    if (idle != IdlePolicy::spin && (idle == IdlePolicy::sleep || idle_turns % clock_turns == 0)) {
      const Time now = clock_now();
      if (idle_since == never) idle_since = now;
      if (idle == IdlePolicy::sleep || now - idle_since >= runtime_.options().spin) {
        idles(now);
        park();
        if (first_ready_ != nullptr) idles_no_more();
        idle_since = never;
        idle_turns = 0;
        continue;
      }
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  flush();
  leave();
}

// What came while the host waited comes first, so that one poll for a frame plays it.
Scheduler::Round Scheduler::poll(std::uint32_t turns) {
  watch_no_more();
  if (up_.since == 0) up_.since = to_ns(clock_now());
  fire_timers();
  bool worked = take_inbox();
  if (first_ready_ != nullptr) idles_no_more();
  worked |= run_turns(turns);
  flush();
  if (!worked && first_ready_ == nullptr) {
    if (watch_inbox(on_wake_fd)) {
      watches_ = true;
      if (idle_.since == 0) idles(clock_now());
      return {.worked = false, .next = timers_.empty() ? never : time_from_ns(timers_.next_time())};
    }
  } else {
    show_load();
  }
  return {.worked = true};
}

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
  const std::uint32_t sleeper = sleeping_.exchange(awake, std::memory_order_relaxed);
  if (sleeper == awake) return;
  if (Scheduler* here = this_scheduler(); here != nullptr) ++here->counters_.wakes;
  if (sleeper == on_futex) {
    futex_wake(sleeping_);
  } else {
    const std::uint64_t one = 1;
    while (::write(wake_fd_, &one, sizeof one) < 0 && errno == EINTR) {
    }
  }
}

/// Whether there is nothing, and a sender from now on wakes the sleeper.
bool Scheduler::watch_inbox(std::uint32_t sleeper) {
  sleeping_.store(sleeper, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!take_inbox() && !runtime_.stop_.load(std::memory_order_relaxed)) return true;
  // A sender may have seen it already: what he writes to the descriptor is read later.
  if (sleeping_.exchange(awake, std::memory_order_relaxed) == awake && sleeper == on_wake_fd) ++owed_;
  return false;
}

/// The host polls again. Who woke it has written to its descriptor, or is about to: all of that is read in time, so that
/// the descriptor does not stay readable.
void Scheduler::watch_no_more() {
  if (std::exchange(watches_, false) && sleeping_.exchange(awake, std::memory_order_relaxed) == awake) ++owed_;
  std::uint64_t written = 0;
  if (owed_ != 0 && ::read(wake_fd_, &written, sizeof written) == sizeof written) owed_ -= written;
}

void Scheduler::park() {
  if (!watch_inbox(on_futex)) return;
  timespec timeout{};
  timespec* wait = nullptr;
  if (!timers_.empty()) {
    const std::int64_t left = std::max<std::int64_t>(0, timers_.next_time() - to_ns(clock_now()));
    timeout = {static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
    wait = &timeout;
  }
  ++counters_.parks;
  show_load();
  futex_wait(sleeping_, on_futex, wait);
  sleeping_.store(awake, std::memory_order_relaxed);
}

// ---- what others may see

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

// ---- virtual time

Envelope& Scheduler::insert(Site& site, EventQueue::Key key, const Envelope& envelope) {
  key.node = site.queue.hold(envelope);
  if (&site == site_ && key.time == to_ns(now_)) {
    site.next.push_back(key);
  } else {
    site.queue.push(key);
    if (&site != site_) schedule_site(site);
  }
  return site.queue.envelope(key.node);
}

void Scheduler::schedule_site(Site& site) {
  const std::int64_t time = site.queue.next_time();
  if (time >= site.due) return;
  site.due = time;
  due_.push_back({time, site.index});
  std::push_heap(due_.begin(), due_.end(), [](const DueSite& a, const DueSite& b) {
    return a.time != b.time ? a.time > b.time : a.site > b.site;
  });
}

void Scheduler::require_link(const Site& here, const ActorCell& to) const {
  if (&here == to.site || runtime_.options().latency.between_sites != forever) return;
  throw std::logic_error(std::string("no link leads from actor '") +
                         (current_ != nullptr ? current_->name.c_str() : "") + "' to actor '" + to.name.c_str() +
                         "': they are on different sites and Latency::between_sites is not set");
}

void Scheduler::post_virtual(const Envelope& envelope, Time earliest) {
  const Latency& latency = runtime_.options().latency;
  ActorCell& to = *envelope.to;
  ActorCell* const from = current_;
  Site& site = *to.site;
  Site* const here = from != nullptr ? from->site : site_ != nullptr ? site_ : &site;
  const bool within = here == &site;

  require_link(*here, to);
  Duration delay = within ? latency.within_site : latency.between_sites;
  Time departure = now_;
  EventQueue::Key key;
  if (from != nullptr) {
    departure = std::max(departure, from->busy_until);
    delay += distance_between(from->distance, to.distance);
    key.sender = from->id;
    key.sequence = from->sent++;
  } else {
    key.sender = here->index + 1;
    key.sequence = here->notices++;
  }
  Time arrival = later(departure, delay);
  if (latency.jitter > Duration::zero() && from != nullptr) {
    arrival = later(
        arrival,
        Duration(static_cast<std::int64_t>(from->random.exponential(static_cast<double>(latency.jitter.count())))));
    Time& last = from->more().last_arrival.try_emplace(&to, Time::min()).first->second;
    arrival = last = std::max(arrival, last);
  }
  arrival = std::max(arrival, earliest);
  key.time = to_ns(arrival);

  const auto leave = [&](Envelope& copy) {
    copy.from = from;
    copy.from_generation = from != nullptr ? from->generation : 0;
  };
  if (site.scheduler == this) {
    leave(insert(site, key, envelope));
  } else if (&to.scheduler().runtime_ != &runtime_) {
    throw std::logic_error("an actor of a simulation sends to actors of the same simulation only");
  } else {
    least_sent_ = std::min(least_sent_, key.time);
    leave(exchange_[parity_][site.scheduler->index_].emplace_back(RemoteEvent{key, envelope}).envelope);
  }
}

void Scheduler::take_exchange(std::uint32_t parity) {
  for (const auto& other : runtime_.schedulers_) {
    auto& buffer = other->exchange_[parity][index_];
    for (const RemoteEvent& event : buffer) insert(*event.envelope.to->site, event.key, event.envelope);
    buffer.clear();
  }
}

std::int64_t Scheduler::next_time() {
  const auto after = [](const DueSite& a, const DueSite& b) {
    return a.time != b.time ? a.time > b.time : a.site > b.site;
  };
  while (!due_.empty() && due_.front().time != runtime_.sites_[due_.front().site]->due) {
    std::pop_heap(due_.begin(), due_.end(), after);
    due_.pop_back();
  }
  return due_.empty() ? INT64_MAX : due_.front().time;
}

void Scheduler::run_window(std::int64_t end) {
  const auto after = [](const DueSite& a, const DueSite& b) {
    return a.time != b.time ? a.time > b.time : a.site > b.site;
  };
  while (next_time() < end && !runtime_.stopped()) {
    Site& site = *runtime_.sites_[due_.front().site];
    std::pop_heap(due_.begin(), due_.end(), after);
    due_.pop_back();
    site.due = INT64_MAX;
    run_site(site, end);
    schedule_site(site);
  }
  seen_time_.store(std::min(end, next_time()) - 1, std::memory_order_relaxed);
  seen_delivered_.store(counters_.delivered, std::memory_order_relaxed);
  show_load();
}

void Scheduler::run_site(Site& site, std::int64_t end) {
  site_ = &site;
  while (site.queue.next_time() < end && !runtime_.stopped()) {
    const std::int64_t time = site.queue.next_time();
    now_ = time_from_ns(time);
    site.step = 0;
    while (site.queue.next_time() == time) site.current.push_back(site.queue.pop());
    if (drawn_order_) [[unlikely]] {
      run_moment_in_drawn_order(site);
      continue;
    }
    for (;;) {
      for (const EventQueue::Key& key : site.current) {
        arrive(site.queue.envelope(key.node), key.sender, key.sequence, site.step);
        run_ready();
        site.queue.release(key.node);
      }
      site.current.clear();
      if (site.next.empty()) break;
      std::swap(site.current, site.next);
      if (site.current.size() > 1) std::sort(site.current.begin(), site.current.end());
      if ((++site.step & 0xFFF) == 0 && runtime_.stopped()) {  // actors that keep each other busy without time going on
        for (const EventQueue::Key& key : site.current) site.queue.push(key);
        site.current.clear();
        break;
      }
    }
  }
  last_time_ = std::max(last_time_, now_);
  site_ = nullptr;
}

}  // namespace outcry
