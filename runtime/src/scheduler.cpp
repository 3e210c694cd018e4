// Scheduler: the loop, live and in virtual time, and everything that is not on the way of each message.
#include <outcry/runtime/scheduler.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <string>

#if __has_include(<concurrentqueue/concurrentqueue.h>)
#include <concurrentqueue/concurrentqueue.h>
#else
#include <concurrentqueue.h>
#endif

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/runtime.hpp>

namespace outcry {

namespace {

constexpr std::size_t bulk = 64;               // envelopes for one destination before they are flushed within a turn
constexpr std::int32_t messages_per_turn = 64;  // before an actor lets others have a turn
constexpr std::size_t turns_per_loop = 256;

long futex(std::atomic<std::uint32_t>* word, int operation, std::uint32_t value, const timespec* timeout) {
  return syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(word), operation, value, timeout, nullptr, 0);
}

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
      now_(runtime.options().start),
      runtime_(runtime),
      index_(index) {
  const std::uint32_t schedulers = runtime.options().schedulers;
  if (!virtual_time_) inbox_ = std::make_unique<Inbox>(schedulers);
  outgoing_.resize(virtual_time_ ? 0 : schedulers);
  for (auto& buffer : outgoing_) buffer.reserve(bulk);
  for (auto& buffer : exchange_) buffer.resize(virtual_time_ ? schedulers : 0);
}

Scheduler::~Scheduler() {
  const auto discard = [](Envelope& envelope) {
    if (envelope.type != nullptr && envelope.type->destroy != nullptr) envelope.type->destroy(envelope.payload);
  };
  timers_.drain(discard);
  for (auto& buffer : outgoing_)
    for (Envelope& envelope : buffer) discard(envelope);
  for (auto& buffers : exchange_)
    for (auto& buffer : buffers)
      for (RemoteEvent& event : buffer) discard(event.envelope);
  if (inbox_ != nullptr)
    for (Envelope envelope; inbox_->queue.try_dequeue(inbox_->consumer, envelope);) discard(envelope);

  for (std::byte* slab : slabs_) {
    auto* cells = reinterpret_cast<ActorCell*>(slab + cells_begin);
    const std::size_t used = slab == slabs_.back() ? cells_in_slab - cells_left_ : cells_in_slab;
    for (std::size_t i = 0; i < used; ++i) {
      if (cells[i].body) cells[i].body.destroy();
      cells[i].body = {};
    }
  }
  for (std::byte* slab : slabs_) {
    auto* cells = reinterpret_cast<ActorCell*>(slab + cells_begin);
    const std::size_t used = slab == slabs_.back() ? cells_in_slab - cells_left_ : cells_in_slab;
    for (std::size_t i = 0; i < used; ++i) {
      if (cells[i].destroy_callable != nullptr) cells[i].destroy_callable(cells[i].callable);
      cells[i].~ActorCell();
    }
    std::free(slab);
  }
}

// ---- actors

ActorCell* Scheduler::new_cell(Site& site, Duration distance) {
  ActorCell* cell = nullptr;
  // In virtual time others read site and distance of a cell that may have ended: a cell serves one site and distance.
  std::vector<ActorCell*>& free_cells = virtual_time_ ? site.free_cells : free_cells_;
  if (!free_cells.empty() && (!virtual_time_ || free_cells.back()->distance == distance)) {
    cell = free_cells.back();
    free_cells.pop_back();
  } else {
    if (cells_left_ == 0) {
      auto* slab = static_cast<std::byte*>(std::aligned_alloc(ActorCell::slab_size, ActorCell::slab_size));
      if (slab == nullptr) throw std::bad_alloc();
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
  cell->busy_until = now_;
  runtime_.live_actors_.fetch_add(1, std::memory_order_relaxed);
  return cell;
}

ActorCell* Scheduler::new_child(ActorCell& parent, Duration distance) {
  ActorCell* cell = new_cell(*parent.site, distance);
  cell->id = mix64(parent.id, ++parent.children);
  cell->random = Random(runtime_.options().seed, cell->id);
  return cell;
}

void Scheduler::start(ActorCell& cell) {
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

void Scheduler::wait_for_message(ActorCell& cell, std::coroutine_handle<> point, Time deadline, std::source_location where) {
  if (cell.mailbox.empty()) {
    suspend(cell, point, Waiting::message, deadline, where);
  } else if (virtual_time_) {
    suspend(cell, point, Waiting::time, cell.busy_until, where);
  } else {
    yield(cell, point, where);
  }
}

void Scheduler::run_ready() {
  while (first_ready_ != nullptr) {
    ActorCell* cell = first_ready_;
    first_ready_ = cell->next_ready;
    if (first_ready_ == nullptr) last_ready_ = nullptr;
    cell->queued = false;
    if (cell->in_use) {
      run(*cell);
    } else {
      release(*cell);
    }
  }
}

void Scheduler::run(ActorCell& cell) {
  current_ = &cell;
  budget_ = messages_per_turn;
  ++counters_.turns;
  do {
    cell.again = false;
    cell.resume_point.resume();
  } while (cell.again);
  if (cell.finished || cell.killed) [[unlikely]] finish(cell, cell.killed && !cell.finished);
  current_ = nullptr;
}

void Scheduler::finish(ActorCell& cell, bool killed) {
  ActorCell* const outer = std::exchange(current_, &cell);
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
    runtime_.log("actor '" + std::string(cell.name) + "' ended by an exception: " + why);
    cell.failure = nullptr;
  }

  std::exchange(cell.body, {}).destroy();
  if (cell.destroy_callable != nullptr) cell.destroy_callable(std::exchange(cell.callable, nullptr));
  cell.destroy_callable = nullptr;
  if (cell.timer_armed) ++dead_timers(cell);
  counters_.dead_letters += cell.mailbox.size();
  room_is_gone(cell.room);
  if (cell.extras != nullptr) {
    const Room gone{&cell, cell.generation, 0};
    Envelope envelope;
    envelope.kind = Envelope::Kind::credit;
    std::memcpy(envelope.payload, &gone, sizeof gone);
    for (const auto& link : cell.extras->links) {
      envelope.to = link.sender;
      envelope.generation = link.generation;
      post(envelope);
    }
    envelope.to = &cell;
    for (std::uint32_t i = 0; i < cell.extras->taken.size(); ++i)
      if (i != index_) outgoing_[i].push_back(envelope);
    for (const auto& watcher : cell.extras->watchers) {
      Envelope notice;
      notice.kind = Envelope::Kind::control;
      notice.to = watcher.cell;
      notice.generation = watcher.generation;
      notice.type = &message_type<Down>;
      Payload<Down>::put(notice.payload, Down(down));
      post(notice);
    }
  }
  cell.mailbox.clear();
  cell.extras.reset();
  digest_ += mix64(cell.id, cell.digest);
  ++cell.generation;
  cell.in_use = false;
  current_ = outer;
  if (!cell.queued) release(cell);
  runtime_.actor_ended();
}

void Scheduler::release(ActorCell& cell) {
  cell.waiting = Waiting::nothing;
  cell.stopping = cell.timed_out = cell.timer_armed = cell.again = cell.finished = cell.killed = false;
  cell.sent = cell.children = 0;
  cell.digest = 0;
  cell.reply_slot = nullptr;
  (virtual_time_ ? cell.site->free_cells : free_cells_).push_back(&cell);
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

Credit* Scheduler::credit_for(ActorCell* to, std::uint32_t generation) {
  const auto fresh = [&](Credit& credit) {
    if (credit.generation == generation) return &credit;
    room_is_gone(credit.waiting);
    credit.generation = generation;
    const std::uint32_t share = virtual_time_ ? 1 : runtime_.options().schedulers;
    credit.available = std::max(1u, to->mailbox.limit() / share);
    return &credit;
  };
  if (virtual_time_) return fresh(current_->more().credits[to]);
  if (last_credit_cell_ != to) {
    last_credit_ = &credits_[to];
    last_credit_cell_ = to;
  }
  return fresh(*last_credit_);
}

bool Scheduler::reserve(Envelope& envelope) {
  const WhenFull when_full = envelope.to->mailbox.when_full();
  if (when_full == WhenFull::drop_oldest || when_full == WhenFull::latest) return true;
  // A mailbox that refuses does so on arrival in virtual time, and another runtime's keeps no credit for us.
  if (virtual_time_ ? when_full == WhenFull::refuse || current_ == nullptr : &envelope.to->scheduler().runtime_ != &runtime_)
    return true;
  Credit* credit = credit_for(envelope.to, envelope.generation);
  if (credit->available == 0) {
    if (when_full == WhenFull::refuse) ++counters_.refused;
    return false;
  }
  --credit->available;
  envelope.source = index_ + 1;
  return true;
}

void Scheduler::wait_for_room(WaitingSender& sender, ActorCell* to, std::uint32_t generation) {
  if (!virtual_time_ && &to->scheduler() == this) {
    if (to->generation == generation) {
      to->room.push(sender);
      admit_waiting(*to);
      return;
    }
  } else {
    Credit* credit = credit_for(to, generation);
    credit->waiting.push(sender);
    admit_waiting(*credit, to);
    return;
  }
  sender.outcome = WaitingSender::Outcome::gone;
  wake(sender.sender);
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
    ActorCell* const outer = std::exchange(current_, sender.sender);
    post(envelope);
    current_ = outer;
    sender.outcome = WaitingSender::Outcome::delivered;
    wake(sender.sender);
  }
}

void Scheduler::got_credit(Credit& credit, const Room& room) {
  if (credit.generation != room.generation) return;
  if (room.messages == 0) {
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
  ActorCell& cell = *envelope.to;
  if (envelope.kind == Kind::credit && !virtual_time_) {
    Room room;
    std::memcpy(&room, envelope.payload, sizeof room);
    if (const auto credit = credits_.find(room.mailbox); credit != credits_.end()) got_credit(credit->second, room);
    return;
  }
  if (envelope.kind == Kind::call) {
    const std::function<void()>* call;
    std::memcpy(&call, envelope.payload, sizeof call);
    (*call)();
    return;
  }
  if (cell.generation != envelope.generation || !cell.in_use) {
    nobody_there(envelope);
    return;
  }
  if (virtual_time_ && envelope.type != nullptr) {
    std::uint64_t hash = mix64(cell.digest ^ static_cast<std::uint64_t>(to_ns(now_))) + sender;
    hash = mix64(hash ^ (std::uint64_t{step} << 32 | sequence));
    cell.digest = mix64(hash ^ envelope.type->digest(envelope.payload));
  }
  switch (envelope.kind) {
    case Kind::message:
    case Kind::control: arrive_message(cell, envelope); break;
    case Kind::start: ready(&cell); break;
    case Kind::timer:
      if (!cell.timer_armed || cell.wait_ticket != envelope.source) {
        --dead_timers(cell);
        break;
      }
      cell.timer_armed = false;
      cell.timed_out = true;
      ++counters_.delivered;
      wake(&cell);
      break;
    case Kind::reply:
      if (cell.waiting == Waiting::reply && (cell.wait_ticket & 0x7FFFFFFF) == envelope.source && cell.reply_slot != nullptr) {
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
      if (&cell == current_) {
        cell.killed = true;
      } else {
        finish(cell, true);
      }
      break;
    case Kind::watch: {
      AnyAddress watcher;
      std::memcpy(static_cast<void*>(&watcher), envelope.payload, sizeof watcher);
      cell.more().watchers.push_back({watcher.cell(), watcher.generation()});
      break;
    }
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
  std::uint32_t source = envelope.source;
  if (virtual_time_ && source != 0) {
    auto& links = cell.more().links;
    const auto link = std::find_if(links.begin(), links.end(), [&](const ActorCell::Extras::Link& l) {
      return l.sender == envelope.from && l.generation == envelope.from_generation;
    });
    source = static_cast<std::uint32_t>(link - links.begin()) + 1;
    if (link == links.end()) links.push_back({envelope.from, envelope.from_generation, 0});
  }
  ++counters_.delivered;
  if (envelope.kind == Envelope::Kind::message && source == 0 && (mailbox.full() || mailbox.when_full() == WhenFull::latest)) {
    if (mailbox.when_full() == WhenFull::wait) ++mailbox.counters().refused;  // from outside: nobody who could wait
    if (make_room(&cell, envelope.type, [&] { return envelope.type->key(envelope.payload); }) == Delivery::full) {
      if (envelope.type->bounce != nullptr) envelope.type->bounce(envelope.payload);
      if (envelope.type->destroy != nullptr) envelope.type->destroy(envelope.payload);
      return;
    }
  }
  if (Mailbox::Slot* slot = std::exchange(conflated_, nullptr); slot != nullptr) {
    if (slot->type->destroy != nullptr) slot->type->destroy(slot->payload());
    std::memcpy(slot->payload(), envelope.payload, envelope.type->payload_size);
    return;
  }
  std::memcpy(mailbox.push(envelope.type, source)->payload(), envelope.payload, envelope.type->payload_size);
  if (cell.waiting != Waiting::message) return;
  if (virtual_time_ && cell.busy_until > now_) {  // it takes the message when it is done with the one before
    if (cell.timer_armed) ++dead_timers(cell);
    suspend(cell, cell.resume_point, Waiting::time, cell.busy_until, cell.where);
  } else {
    wake(&cell);
  }
}

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
      if (envelope.type->bounce != nullptr) envelope.type->bounce(envelope.payload);
      break;
    case Kind::timer: --(virtual_time_ ? envelope.to->site->dead_timers : dead_timers_); break;
    case Kind::watch: {
      AnyAddress watcher;
      std::memcpy(static_cast<void*>(&watcher), envelope.payload, sizeof watcher);
      Down down;
      down.end = End::gone;
      Envelope notice;
      notice.kind = Kind::control;
      notice.to = watcher.cell();
      notice.generation = watcher.generation();
      notice.type = &message_type<Down>;
      Payload<Down>::put(notice.payload, std::move(down));
      post(notice);
      break;
    }
    default: break;
  }
  if (envelope.type != nullptr && envelope.type->destroy != nullptr) envelope.type->destroy(envelope.payload);
}

// ---- timers

void Scheduler::arm(ActorCell& cell, Time deadline) {
  cell.timer_armed = true;
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
  queue.sweep([](const Envelope& envelope) {
    return envelope.kind == Envelope::Kind::timer &&
           (envelope.to->generation != envelope.generation || !envelope.to->timer_armed ||
            envelope.to->wait_ticket != envelope.source);
  });
  dead = 0;
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

void Scheduler::live_loop() {
  const IdlePolicy idle = runtime_.options().idle;
  Time idle_since = never;
  while (!runtime_.stop_.load(std::memory_order_relaxed)) {
    bool worked = false;
    for (std::size_t turn = 0; turn < turns_per_loop && first_ready_ != nullptr; ++turn) {
      ActorCell* cell = first_ready_;
      first_ready_ = cell->next_ready;
      if (first_ready_ == nullptr) last_ready_ = nullptr;
      cell->queued = false;
      if (cell->in_use) {
        run(*cell);
      } else {
        release(*cell);
      }
      worked = true;
    }
    fire_timers();
    worked |= take_inbox();
    flush();
    if (worked || first_ready_ != nullptr) {
      idle_since = never;
      continue;
    }
    if (idle != IdlePolicy::spin) {
      const Time now = clock_now();
      if (idle_since == never) idle_since = now;
      if (idle == IdlePolicy::sleep || now - idle_since >= runtime_.options().spin) {
        park();
        idle_since = never;
        continue;
      }
    }
#if defined(__x86_64__)
    for (int i = 0; i < 16; ++i) __builtin_ia32_pause();
#endif
  }
  flush();
}

bool Scheduler::take_inbox() {
  Envelope envelopes[bulk];
  const std::size_t taken = inbox_->queue.try_dequeue_bulk(inbox_->consumer, envelopes, bulk);
  for (std::size_t i = 0; i < taken; ++i) arrive(envelopes[i], 0, 0, 0);
  return taken > 0;
}

void Scheduler::flush() {
  for (std::uint32_t i = 0; i < outgoing_.size(); ++i)
    if (!outgoing_[i].empty()) flush(i);
}

void Scheduler::flush(std::uint32_t destination) {
  auto& buffer = outgoing_[destination];
  Scheduler& there = *runtime_.schedulers_[destination];
  there.inbox_->queue.enqueue_bulk(there.inbox_->producers[index_], buffer.data(), buffer.size());
  buffer.clear();
  there.wake_thread();
}

void Scheduler::put_in_inbox(const Envelope& envelope) {
  inbox_->queue.enqueue(envelope);
  wake_thread();
}

// The sleeper writes `sleeping`, then looks at its inbox; the sender fills the inbox, then looks at `sleeping`. With a
// full fence on both sides at least one of them sees the other: no wake-up is lost, and no call is made to one awake.
void Scheduler::wake_thread() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (sleeping_.load(std::memory_order_relaxed) == 0) return;
  if (sleeping_.exchange(0, std::memory_order_relaxed) == 0) return;
  if (Scheduler* here = this_scheduler(); here != nullptr) ++here->counters_.wakes;
  futex(&sleeping_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr);
}

void Scheduler::park() {
  sleeping_.store(1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!take_inbox() && !runtime_.stop_.load(std::memory_order_relaxed)) {
    timespec timeout{};
    timespec* wait = nullptr;
    if (!timers_.empty()) {
      const std::int64_t left = std::max<std::int64_t>(0, timers_.next_time() - to_ns(clock_now()));
      timeout = {static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
      wait = &timeout;
    }
    ++counters_.parks;
    futex(&sleeping_, FUTEX_WAIT_PRIVATE, 1, wait);
  }
  sleeping_.store(0, std::memory_order_relaxed);
}

// ---- virtual time

void Scheduler::insert(Site& site, EventQueue::Key key, const Envelope& envelope) {
  key.node = site.queue.hold(envelope);
  if (&site == site_ && key.time == to_ns(now_)) {
    site.next.push_back(key);
    return;
  }
  site.queue.push(key);
  if (&site != site_) schedule_site(site);
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

void Scheduler::post_virtual(const Envelope& envelope, Time earliest) {
  const Latency& latency = runtime_.options().latency;
  ActorCell& to = *envelope.to;
  ActorCell* const from = current_;
  Site& site = *to.site;
  Site* const here = from != nullptr ? from->site : site_ != nullptr ? site_ : &site;
  const bool within = here == &site;

  Duration delay = within ? latency.within_site : latency.between_sites;
  if (delay == forever)
    throw std::logic_error(std::string("no link leads from actor '") + (from != nullptr ? from->name : "") + "' to actor '" +
                           to.name + "': they are on different sites and Latency::between_sites is not set");
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
    arrival = later(arrival, Duration(static_cast<std::int64_t>(from->random.exponential(static_cast<double>(latency.jitter.count())))));
    Time& last = from->more().last_arrival.try_emplace(&to, Time::min()).first->second;
    arrival = last = std::max(arrival, last);
  }
  arrival = std::max(arrival, earliest);
  key.time = to_ns(arrival);

  Envelope copy = envelope;
  copy.from = from;
  copy.from_generation = from != nullptr ? from->generation : 0;
  if (site.scheduler == this) {
    insert(site, key, copy);
  } else {
    least_sent_ = std::min(least_sent_, key.time);
    exchange_[parity_][site.scheduler->index_].push_back({key, copy});
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
  const auto after = [](const DueSite& a, const DueSite& b) { return a.time != b.time ? a.time > b.time : a.site > b.site; };
  while (!due_.empty() && due_.front().time != runtime_.sites_[due_.front().site]->due) {
    std::pop_heap(due_.begin(), due_.end(), after);
    due_.pop_back();
  }
  return due_.empty() ? INT64_MAX : due_.front().time;
}

void Scheduler::run_window(std::int64_t end) {
  window_end_ = end;
  const auto after = [](const DueSite& a, const DueSite& b) { return a.time != b.time ? a.time > b.time : a.site > b.site; };
  while (next_time() < end) {
    Site& site = *runtime_.sites_[due_.front().site];
    std::pop_heap(due_.begin(), due_.end(), after);
    due_.pop_back();
    site.due = INT64_MAX;
    run_site(site, end);
    schedule_site(site);
  }
  seen_time_.store(end - 1, std::memory_order_relaxed);
  seen_delivered_.store(counters_.delivered, std::memory_order_relaxed);
}

void Scheduler::run_site(Site& site, std::int64_t end) {
  site_ = &site;
  while (site.queue.next_time() < end) {
    const std::int64_t time = site.queue.next_time();
    now_ = time_from_ns(time);
    site.step = 0;
    while (site.queue.next_time() == time) site.current.push_back(site.queue.pop());
    for (;;) {
      for (const EventQueue::Key& key : site.current) {
        Envelope envelope = site.queue.envelope(key.node);
        site.queue.release(key.node);
        arrive(envelope, key.sender, key.sequence, site.step);
        run_ready();
      }
      site.current.clear();
      if (site.next.empty()) break;
      std::swap(site.current, site.next);
      if (site.current.size() > 1) std::sort(site.current.begin(), site.current.end());
      ++site.step;
    }
  }
  site_ = nullptr;
}

}  // namespace outcry
