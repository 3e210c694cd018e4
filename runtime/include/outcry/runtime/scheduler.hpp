// Scheduler: one pinned thread, the actors that live on it, and its loop.
//
// Cooperative: an actor runs until it awaits. Nothing is stolen. Messages between actors of one scheduler touch no
// atomic; messages for other schedulers are buffered by destination and flushed in bulk at the end of a turn.
// Users meet it through Self, Address and Runtime.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <source_location>
#include <unordered_map>
#include <utility>
#include <vector>

#include <outcry/runtime/actor_cell.hpp>
#include <outcry/runtime/arena.hpp>
#include <outcry/runtime/envelope.hpp>
#include <outcry/runtime/event_queue.hpp>
#include <outcry/runtime/frame_pool.hpp>
#include <outcry/runtime/held.hpp>
#include <outcry/runtime/latency.hpp>
#include <outcry/runtime/load.hpp>
#include <outcry/runtime/random.hpp>
#include <outcry/runtime/sequence_lock.hpp>
#include <outcry/runtime/shown.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry {

class Ring;
class Runtime;
class Scheduler;
enum class Delivery : std::uint8_t;

/// The scheduler whose loop runs on this thread; null elsewhere.
inline Scheduler*& this_scheduler() noexcept {
  constinit static thread_local Scheduler* scheduler = nullptr;
  return scheduler;
}

/// Actors that are joined by links shorter than the lookahead. A site stays on one scheduler and has a queue of its own.
struct Site {
  Site(std::uint32_t number, std::pmr::memory_resource* memory) : index(number), queue(memory) {}

  std::uint32_t index;
  Scheduler* scheduler = nullptr;
  EventQueue queue;
  std::vector<EventQueue::Key> current;  // of this time and step
  std::vector<EventQueue::Key> next;     // of this time and the next step
  std::uint32_t step = 0;
  std::uint32_t notices = 0;      // what the site itself sent: answers on behalf of actors that are gone
  std::int64_t due = INT64_MAX;   // where the scheduler's queue of sites has it
  std::uint32_t dead_timers = 0;  // in the three queues, no longer wanted
  std::vector<ActorCell*> free_cells;
  Random draw{0};  // where the order within a moment is drawn (RuntimeOptions::interleaving)
};

enum class Delivery : std::uint8_t { accepted, full, gone };

/// Work that another thread wants done on a scheduler, and waits for.
class Call {
 public:
  explicit Call(const std::function<void()>& work) : work_(work) {}

  void run() noexcept {
    try {
      work_();
    } catch (...) {
      failure_ = std::current_exception();
    }
    const std::lock_guard guard(mutex_);
    done_ = true;
    changed_.notify_one();  // with the lock held: the waiter destroys this object
  }
  bool done() {
    const std::lock_guard guard(mutex_);
    return done_;
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
  }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  const std::function<void()>& work_;
  std::exception_ptr failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
};

struct SchedulerCounters {
  std::uint64_t delivered = 0;     // handler activations by one message or timer, in virtual time
  std::uint64_t turns = 0;         // resumptions of actors
  std::uint64_t dead_letters = 0;  // for actors that had ended
  std::uint64_t refused = 0;       // at the sender: no credit for the mailbox
  std::uint64_t failures = 0;      // actors ended by an exception
  std::uint64_t parks = 0;         // times the thread slept
  std::uint64_t wakes = 0;         // system calls made to wake another scheduler
};

class Scheduler {
 public:
  Scheduler(Runtime& runtime, std::uint32_t index);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  Runtime& runtime() const { return runtime_; }
  std::uint32_t index() const { return index_; }
  ActorCell* current() const { return current_; }
  Time now() const { return virtual_time_ ? now_ : clock_now(); }
  bool virtual_time() const { return virtual_time_; }
  /// Requires: not running.
  SchedulerCounters counters() const {
    SchedulerCounters counters = counters_;
    counters.turns = turns_;
    return counters;
  }
  /// As it showed itself last; from any thread.
  SchedulerLoad load() const;
  /// For the watchdog, from any thread: the number of the turn in progress, and whose it is. Zero: there is none.
  std::uint64_t look_at_turn(Held& held) const;
  static Time clock_now();
  FramePool& frames() { return frames_; }
  /// Where the actors' mailboxes keep their messages.
  LocalPool& rings() { return rings_; }
  Arena& arena() { return arena_; }

  // ---- sending, from an actor or anything else that runs on this scheduler

  /// A message into the mailbox of any actor. If the answer is `full`, `message` is as it was.
  template <Message M>
  Delivery send(ActorCell* to, std::uint32_t generation, M& message) {
    if (!virtual_time_ && &to->scheduler() == this) [[likely]] {
      if (to->generation != generation) [[unlikely]]
        return dead_letter(message);
      Mailbox& mailbox = to->mailbox;
      if (mailbox.full() || mailbox.when_full() == WhenFull::latest) [[unlikely]] {
        const Delivery delivery =
            make_room(to, &message_type<M>, [&] { return message_type<M>.key(as_payload(message).bytes); });
        if (delivery == Delivery::full) return delivery;
        if (Mailbox::Slot* slot = std::exchange(conflated_, nullptr); slot != nullptr) {
          if (slot->type->destroy != nullptr) slot->type->destroy(slot->payload());
          Payload<M>::put(slot->payload(), std::move(message));
          return Delivery::accepted;
        }
      }
      Payload<M>::put(mailbox.push(&message_type<M>, 0)->payload(), std::move(message));
      if (wants_message(to->waiting)) wake(to);
      return Delivery::accepted;
    }
    return send_away(to, generation, message);
  }

  /// For messages of the runtime's own; never refused.
  void post(const Envelope& envelope, Time earliest = Time::min());

  // ---- waiting, called by the awaitables of the current actor

  void suspend(ActorCell& cell, std::coroutine_handle<> point, Waiting waiting, Time deadline,
               std::source_location where) {
    cell.resume_point = point;
    cell.waiting = waiting;
    cell.timed_out = false;
    cell.awaits_at(where);
    ++cell.wait_ticket;
    if (deadline != never) arm(cell, deadline);
  }
  void yield(ActorCell& cell, std::coroutine_handle<> point, std::source_location where);

  /// Whether the actor may take a message, or learn that there is none, without giving others a turn first.
  bool may_take(ActorCell& cell) {
    if (cell.mailbox.empty()) return cell.stopping;
    if (virtual_time_) return cell.busy_until <= now_ && !(drawn_order_ && others_first());
    return budget_-- > 0;
  }
  /// Where the order within a moment is drawn: whether an actor that has messages lets others go before.
  bool others_first() const { return (site_->draw.bits() & 3) == 0; }
  /// A batch counts for all its messages.
  void spend(std::uint32_t messages) { budget_ -= static_cast<std::int32_t>(messages); }
  void wait_for_message(ActorCell& cell, std::coroutine_handle<> point, Time deadline, std::source_location where);

  /// Whether the actor may look at what happened without giving others a turn first.
  bool may_look(ActorCell& cell) {
    if (!cell.mailbox.empty()) return may_take(cell);
    return cell.noticed && budget_-- > 0;
  }
  void wait_for_event(ActorCell& cell, std::coroutine_handle<> point, Time deadline, std::source_location where);
  /// Something happened at a socket of the actor.
  void notice(ActorCell& cell) {
    cell.noticed = true;
    if (cell.waiting == Waiting::event) wake(&cell);
  }

  /// The oldest message was taken: whoever waits for room hears of it.
  void took(ActorCell& cell, std::uint32_t source) {
    if (source != 0) [[unlikely]]
      return_credit(cell, source);
    if (!cell.room.empty()) [[unlikely]]
      admit_waiting(cell);
    if (virtual_time_) cell.busy_until = std::max(cell.busy_until, now_) + cell.compute;
  }
  void took_ask(ActorCell* asker, std::uint32_t generation, std::uint32_t ticket) {
    if (current_ != nullptr && asker != nullptr) current_->more().asks.took(asker, generation, ticket);
  }
  void answered(ActorCell* asker, std::uint32_t ticket) {
    if (current_ != nullptr && current_->extras != nullptr) current_->extras->asks.answered(asker, ticket);
  }
  /// A message that waited for room, or could have, and was not handed over.
  void lost(WaitingSender::Outcome outcome) {
    ++(outcome == WaitingSender::Outcome::gone ? counters_.dead_letters : counters_.refused);
  }
  void wait_for_room(WaitingSender& sender, ActorCell* to, std::uint32_t generation);

  // ---- sockets

  /// Its ring, which is made when it is first asked for. Throws std::logic_error in virtual time and on other threads.
  /// Null: the kernel gives none; errno says why.
  Ring* ring();

  void wake(ActorCell* cell) {
    wait_no_more(*cell);
    ready(cell);
  }
  void wait_no_more(ActorCell& cell) {
    cell.waiting = Waiting::nothing;
    if (cell.timer_armed) {
      cell.timer_armed = false;
      ++dead_timers(cell);
    }
  }

  // ---- actors

  ActorCell* new_cell(Site& site, Duration distance, MailboxOptions mailbox);
  ActorCell* new_child(ActorCell& parent, Duration distance, MailboxOptions mailbox);
  void start(ActorCell& cell);
  /// The coroutine of a new cell could not be made.
  void give_up(ActorCell& cell) noexcept;
  void stop(ActorCell* to, std::uint32_t generation, bool kill);
  /// Ends it here and now; if it runs, where it next suspends. Requires: an actor of this scheduler.
  void end(ActorCell* cell, std::uint32_t generation);

  /// Both ends of a link between `me` and an actor anywhere.
  void link(ActorCell& me, ActorCell* to, std::uint32_t generation);
  void unlink(ActorCell& me, ActorCell* to, std::uint32_t generation);
  /// Requires: both on this scheduler, and of one site.
  void join(ActorCell& me, ActorCell& child);

  // ---- delayed messages, which their owner can cancel

  struct AlarmNumber {
    std::uint32_t index = 0;
    std::uint32_t use = 0;
  };
  /// Takes the message that lies in `envelope`. `period` zero: once. Throws std::logic_error if no link leads there.
  AlarmNumber set_alarm(ActorCell& owner, Time time, Duration period, const Envelope& envelope);
  /// False if it was sent, or cancelled before, or lost with its owner.
  bool cancel_alarm(AlarmNumber number);
  bool alarm_pending(AlarmNumber number) const {
    return alarms_[number.index].use == number.use && alarms_[number.index].pending;
  }

  /// Requires: the scheduler does not run.
  template <class Visit>
  void for_each_actor(Visit visit) {
    for (std::byte* slab : slabs_) {
      auto* cells = reinterpret_cast<ActorCell*>(slab + cells_begin);
      const std::size_t used = cells_in_slab - (slab == slabs_.back() ? cells_left_ : 0);
      for (std::size_t i = 0; i < used; ++i)
        if (cells[i].in_use) visit(cells[i]);
    }
  }

 private:
  // A slab starts with its scheduler, so that an address leads there without touching a line that its owner writes.
  static constexpr std::size_t cells_begin = 64;
  static constexpr std::size_t cells_in_slab = (ActorCell::slab_size - cells_begin) / sizeof(ActorCell);
  static constexpr std::size_t bulk = 64;  // envelopes for one destination before they are flushed within a turn

  friend class Runtime;
  friend void send_from_outside(Envelope& envelope);
  struct Inbox;
  struct RemoteEvent {
    EventQueue::Key key;
    Envelope envelope;
  };

  template <class M>
  struct PayloadBytes {
    alignas(8) std::byte bytes[inline_size];
  };
  template <class M>
  static PayloadBytes<M> as_payload(M& message) {
    PayloadBytes<M> payload;
    if constexpr (travels_in_box<M>) {
      M* box = &message;
      std::memcpy(payload.bytes, &box, sizeof box);
    } else {
      std::memcpy(payload.bytes, &message, sizeof message);
    }
    return payload;
  }

  void ready(ActorCell* cell) {
    if (cell->queued) return;
    cell->queued = true;
    ++run_queue_;
    cell->next_ready = nullptr;
    (last_ready_ != nullptr ? last_ready_->next_ready : first_ready_) = cell;
    last_ready_ = cell;
  }

  template <Message M>
  Delivery dead_letter(M& message) {
    ++counters_.dead_letters;
    static_cast<void>(message);
    return Delivery::gone;
  }

  template <Message M>
  Delivery send_away(ActorCell* to, std::uint32_t generation, M& message) {
    Envelope envelope;
    envelope.to = to;
    envelope.generation = generation;
    envelope.type = &message_type<M>;
    if (const Delivery delivery = reserve(envelope); delivery != Delivery::accepted) return delivery;
    Payload<M>::put(envelope.payload, std::move(message));
    post(envelope);
    return Delivery::accepted;
  }

  template <class Key>
  Delivery make_room(ActorCell* to, const MessageType* type, Key key) {
    Mailbox& mailbox = to->mailbox;
    switch (mailbox.when_full()) {
      case WhenFull::wait: return Delivery::full;
      case WhenFull::refuse: ++mailbox.counters().refused; return Delivery::full;
      case WhenFull::latest:
        if (type->key != nullptr) conflated_ = mailbox.waiting(type, key());
        if (conflated_ != nullptr) {
          ++mailbox.counters().conflated;
          return Delivery::accepted;
        }
        if (!mailbox.full()) return Delivery::accepted;
        break;
      case WhenFull::drop_oldest: break;
    }
    mailbox.drop_oldest();
    return Delivery::accepted;
  }

  Delivery reserve(Envelope& envelope);
  Credit* credit_for(ActorCell* to, std::uint32_t generation);
  void return_credit(ActorCell& cell, std::uint32_t source);
  void look_for_cycle(const WaitingSender& sender, ActorCell* to);
  void admit_waiting(ActorCell& cell);
  void admit_waiting(Credit& credit, ActorCell* to);
  void got_credit(Credit& credit, const Room& room);
  void room_is_gone(RoomQueue& queue);
  void tell_senders_of_end(ActorCell& cell);
  void tell_askers_of_end(ActorCell& cell);
  std::vector<ActorCell*>& free_cells_for(Site& site) { return virtual_time_ ? site.free_cells : free_cells_; }

  void arm(ActorCell& cell, Time deadline);
  std::uint32_t& dead_timers(ActorCell& cell) {
    return cell.site != nullptr && virtual_time_ ? cell.site->dead_timers : dead_timers_;
  }
  void sweep_timers(EventQueue& queue, std::uint32_t& dead);

  void arrive(Envelope& envelope, std::uint64_t sender, std::uint32_t sequence, std::uint32_t step);
  void arrive_message(ActorCell& cell, Envelope& envelope);
  std::uint32_t link_from(ActorCell& cell, const Envelope& envelope);
  void nobody_there(Envelope& envelope);
  void tell_watcher(const ActorCell::Extras::Watcher& watcher, const ActorCell& ended, std::uint32_t generation,
                    const struct Down& down);
  void linked_actor_ended(ActorCell& cell, const Envelope& envelope, std::uint64_t sender, std::uint32_t sequence,
                          std::uint32_t step);
  void end_by_link(ActorCell& cell);
  void put_alarm(ActorCell& owner, std::uint32_t alarm);
  void ring(ActorCell* owner, std::uint32_t alarm);
  void free_alarm(std::uint32_t alarm);
  void run_ready();
  void run_first_ready();
  void give_turn(ActorCell& cell);
  void run(ActorCell& cell);
  void finish(ActorCell& cell, bool killed);
  void release(ActorCell& cell);

  // The live loop. A round: turns, what sockets did, timers, inbox, what goes out.
  void live_loop();
  struct Round {
    bool worked = false;
    Time next = never;  // if not: when a timer is due
  };
  /// One round, on a thread of the host. If there is nothing to do, the inbox is watched until the next one.
  Round poll(std::uint32_t turns);
  bool run_turns(std::uint32_t turns);
  bool take_inbox();
  void serve_calls();
  void end_actors();
  void discard_messages();
  void fire_timers();
  bool take_completions();
  void hand_over_requests();
  /// When a timer is due, or something of the ring; `never`: neither.
  Time next_due() const;
  /// Whether nothing has come, and what comes from now on makes the host's descriptor readable.
  bool watch_ring();
  void close_ring() noexcept;
  void flush();
  void flush(std::uint32_t destination);
  void park();
  bool watch_inbox(std::uint32_t sleeper);
  void watch_no_more();
  void put_in_inbox(const Envelope& envelope);  // from a thread that is no scheduler of this runtime
  void wake_thread();

  // What others may see.
  void show_load();
  void idles(Time now);
  void idles_no_more();
  void leave();

  // Virtual time.
  void post_virtual(const Envelope& envelope, Time earliest);
  /// Throws std::logic_error if no link leads there.
  void require_link(const Site& here, const ActorCell& to) const;
  /// The envelope as it lies in the site's queue.
  Envelope& insert(Site& site, EventQueue::Key key, const Envelope& envelope);
  void run_window(std::int64_t end);
  void run_site(Site& site, std::int64_t end);
  void run_moment_in_drawn_order(Site& site);
  void take_exchange(std::uint32_t parity);
  std::int64_t next_time();
  void schedule_site(Site& site);

  // What every turn touches.
  ActorCell* first_ready_ = nullptr;
  ActorCell* last_ready_ = nullptr;
  Shown<ActorCell*> current_;
  Shown<std::uint64_t> turns_;
  bool virtual_time_ = false;
  bool drawn_order_ = false;  // RuntimeOptions::interleaving
  std::int32_t budget_ = 0;
  std::int32_t messages_per_turn_;
  std::uint32_t run_queue_ = 0;
  std::uint32_t mailbox_high_water_ = 0;
  Time now_{};
  Site* site_ = nullptr;
  Time last_time_ = Time::min();  // of the latest event played
  Mailbox::Slot* conflated_ = nullptr;
  SchedulerCounters counters_;

  Runtime& runtime_;
  std::uint32_t index_;
  Arena& arena_;
  FramePool frames_{&arena_};
  LocalPool rings_{&arena_};
  std::vector<std::byte*> slabs_;
  std::vector<ActorCell*> free_cells_;
  ActorCell* next_cell_ = nullptr;
  std::size_t cells_left_ = 0;
  std::uint64_t digest_ = 0;  // of the actors that have ended
  MailboxCounters ended_mailboxes_;

  // A chain of links ends one by one, not one inside the other.
  struct Doomed {
    ActorCell* cell;
    std::uint32_t generation;
  };
  std::vector<Doomed> doomed_;
  bool ending_ = false;

  // A place is free again when its event has left the queue of timers, so that a number never means two messages.
  struct Alarm {
    ActorCell* owner = nullptr;
    ActorCell* to = nullptr;
    std::uint32_t generation = 0;
    std::uint32_t use = 0;
    const MessageType* type = nullptr;
    Time time{};
    Duration period{};
    bool pending = false;
    alignas(8) std::byte payload[inline_size];
  };
  std::vector<Alarm> alarms_;
  std::vector<std::uint32_t> free_alarms_;

  // Live: timers, inbox, what goes out.
  EventQueue timers_{&arena_};
  std::uint32_t dead_timers_ = 0;
  std::uint32_t delayed_ = 0;
  std::unique_ptr<Inbox> inbox_;
  std::vector<Envelope> incoming_;
  std::vector<Envelope> put_off_;  // what came in while this scheduler waited for a call to another
  std::vector<std::vector<Envelope>> outgoing_;
  std::unordered_map<ActorCell*, Credit> credits_;
  struct CreditOfCell {
    ActorCell* cell = nullptr;
    Credit* credit = nullptr;
  };
  std::array<CreditOfCell, 64> recent_credits_;  // in front of the map
  // What its load is made of, in ns.
  std::uint64_t actors_ = 0;
  struct Clocked {
    std::int64_t total;
    std::int64_t since;  // zero: it is over
  };
  Clocked up_{};
  Clocked idle_{};
  struct ShownLoad {
    std::uint64_t run_queue, actors, delivered, turns, parks, mailbox_high_water;
    Clocked up, idle;
  };
  SequenceLock<ShownLoad> load_;

  // Of a scheduler that the host runs.
  std::mutex seat_;                  // whoever holds it is the scheduler's thread
  std::atomic<bool> driven_{false};  // by run_scheduler()
  bool watches_ = false;             // the host was told that there is nothing to do, and may wait for wake_fd_
  int wake_fd_ = -1;
  std::uint64_t owed_ = 0;  // what was written to wake_fd_, or will be, and not read yet

  std::unique_ptr<Ring> ring_;  // null: none of its actors has opened a socket
  bool busy_ring_ = false;      // IoMode::busy
  int ring_wake_fd_ = -1;       // ends its sleep in the ring; stays, once made, as long as somebody may write to it

  // What others touch. sleeping_: not, or where.
  alignas(64) std::atomic<std::uint32_t> sleeping_{0};
  bool never_sleeps_ = false;
  std::atomic<std::int64_t> seen_time_{0};  // for progress, read by others
  std::atomic<std::uint64_t> seen_delivered_{0};

  // Virtual time: sites by the time of their next event, and what goes to other schedulers, in two buffers in turn.
  struct DueSite {
    std::int64_t time;
    std::uint32_t site;
  };
  alignas(64) std::vector<DueSite> due_;
  std::vector<std::vector<RemoteEvent>> exchange_[2];
  std::uint32_t parity_ = 0;
  std::int64_t least_sent_ = INT64_MAX;  // of what went to other schedulers in this window
  std::atomic<std::int64_t> published_next_[2]{};
};

}  // namespace outcry
