// Runtime: the schedulers of one process, and the world that they run in.
//
//   Runtime runtime({.schedulers = 2});
//   auto address = runtime.spawn(greeter, ...);
//   runtime.run();                     // until every actor has ended, or stop()
//
// In virtual time (simulated and recorded worlds) nothing waits: run_until() plays all events up to a moment, in an
// order that depends on the seed alone: the digest is the same on any number of schedulers.
// A host that keeps its threads runs some schedulers itself (RuntimeOptions::hosted_schedulers): by run_scheduler(), or
// scheduler 0 turn by turn by poll(), from a loop of its own that waits on wake_fd().
// Threads: run and read results from one thread; stop(), load() and start_report() from any, and in the live world spawn()
// and Address::send, too. A simulation that runs takes neither: there, actors spawn with Self::spawn.
// Threads of ours take no signals.
// A runtime outlives every use of its actors' addresses, on other runtimes, too.
// Errors: a runtime that cannot start throws std::system_error. What the machine refuses otherwise, start_report() says.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/barrier.hpp>
#include <outcry/runtime/held.hpp>
#include <outcry/runtime/io_options.hpp>
#include <outcry/runtime/latency.hpp>
#include <outcry/runtime/load.hpp>
#include <outcry/runtime/memory.hpp>
#include <outcry/runtime/scheduler.hpp>
#include <outcry/runtime/start_report.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry {

enum class WorldTime : std::uint8_t {
  live,      // the machine's clock; schedulers run until they are stopped
  virtually  // events carry their time; nothing waits
};

/// What a live scheduler does when there is nothing to do.
enum class IdlePolicy : std::uint8_t { sleep, spin_then_sleep, spin };

struct RuntimeOptions {
  std::uint32_t schedulers = 1;
  WorldTime time = WorldTime::live;
  std::uint64_t seed = 1;
  Latency latency = {};                            // virtual time
  Time start{};                                    // virtual time: when the world begins
  std::vector<std::size_t> frame_bytes{};          // of each scheduler's pool of frames from the start; missing: none
  std::vector<std::size_t> mailbox_bytes{};        // the same for the pool of mailboxes' messages
  Duration window = std::chrono::minutes(1);       // virtual time: how far sites run ahead of each other at most
  std::optional<std::uint64_t> interleaving{};     // virtual time, for tests: draws the order within each moment
  IdlePolicy idle = IdlePolicy::spin_then_sleep;   // live
  Duration spin = std::chrono::microseconds(50);   // live: how long to spin before sleeping
  bool pin = true;                                 // live: scheduler i to processor i, if there are enough
  std::vector<std::uint32_t> processors{};         // which of the system's processors instead, by scheduler
  std::vector<std::uint32_t> fifo_priorities{};    // live: by scheduler, 1 to 99: real time; 0, missing: ordinary
  std::size_t stack_bytes = 0;                     // live: of each scheduler's thread; 0: the system's
  std::uint32_t messages_per_turn = 64;            // live: that an actor takes before others have their turn
  std::uint32_t turns_per_round = 256;             // live: before timers and other schedulers' messages have theirs
  std::uint32_t hosted_schedulers = 0;             // live: so many, the first ones, run on threads of the host
  Duration hold_limit{};                           // live: who holds a scheduler for longer is told of; 0: nobody is
  IoOptions io = {};                               // live: each scheduler's ring, made when it is first needed
  MemoryOptions memory = {};                       // each scheduler's arena: node, huge pages, locked
  std::uint32_t offload_threads = 2;               // live: for blocking work (offload.hpp); started when first needed
  std::function<void(std::string_view)> log = {};  // called from threads of the runtime; empty: standard error
  std::function<void(const Held&)> on_hold = {};   // beside the log; on a thread of its own; throws nothing
};

/// What poll() did.
struct Polled {
  enum class What : std::uint8_t {
    worked,  // and there may be more: poll again before waiting
    idle,    // nothing to do until `next`, or until wake_fd() can be read
    ended    // stop(), or every actor has ended
  };

  What what = What::idle;
  Time next = never;  // idle: when a timer is due
  Time now{};         // idle

  bool worked() const { return what == What::worked; }
  bool idle() const { return what == What::idle; }
  bool ended() const { return what == What::ended; }
  /// How long to wait for wake_fd(), as poll(2) and epoll_wait(2) take it; -1: without end.
  int timeout_ms() const {
    if (what != What::idle) return 0;
    if (next == never) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::max(next - now, Duration::zero())).count();
    return static_cast<int>(std::min<std::int64_t>(left, 1'000'000'000));
  }
};

class OffloadPool;
class Thread;
class Watchdog;

class Runtime {
 public:
  explicit Runtime(RuntimeOptions options = {});
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Makes an actor: `body` is a coroutine whose first parameter is its Self, `arguments` are the rest.
  template <class Body, class... Arguments>
  auto spawn(SpawnOptions options, Body body, Arguments... arguments) {
    using Me = typename actor_detail::SelfOfBody<std::decay_t<Body>>::type;
    typename Me::AddressType address;
    on_scheduler_of(options, [&](Scheduler& scheduler, Site& site) {
      ActorCell* cell = scheduler.new_cell(site, options.distance, options.mailbox);
      adopt(*cell);
      address = actor_detail::enter(*cell, options, std::move(body), std::move(arguments)...);
      scheduler.start(*cell);
    });
    return address;
  }
  template <class Body, class... Arguments>
    requires(!std::same_as<std::remove_cvref_t<Body>, SpawnOptions>)
  auto spawn(Body body, Arguments... arguments) {
    return spawn(SpawnOptions{}, std::move(body), std::move(arguments)...);
  }

  /// Live: runs the schedulers on threads of their own; returns when every actor has ended or stop() was called.
  /// Virtual time: plays every event there is.
  void run();
  /// Live: starts the schedulers' threads and returns when they have what they get of the machine. join() waits for them.
  void start();
  /// Waits for the end, and until no thread of the host is inside a scheduler.
  void join();
  /// Live: ends the loops after their turn. Virtual time: ends the run before the next moment; it can be taken up again,
  /// with the same digest in the end. From any thread or signal handler.
  void stop() noexcept;

  // ---- on threads of the host; requires: start() was called, and the scheduler is one of the hosted ones

  /// Runs a scheduler on this thread until the runtime ends; at once if it has. The thread stays as it is.
  void run_scheduler(std::uint32_t index);
  /// One round of scheduler 0 on this thread: what has come, and `turns` of its actors at most (0: turns_per_round).
  Polled poll(std::uint32_t turns = 0);
  /// Can be read when poll() has said `idle` and another thread has sent something since. poll() reads it.
  int wake_fd() const;

  /// What was asked of the machine and what was obtained, since the last start.
  StartReport start_report() const;
  /// Of each scheduler, as it is while it runs.
  std::vector<SchedulerLoad> load() const;

  /// Virtual time: plays all events up to and including `end`. The first scheduler runs on the calling thread.
  void run_until(Time end);
  /// Tells every actor to stop at the moment reached, in the order of their ids, and plays what follows up to that moment.
  void stop_actors();
  Time now() const { return now_; }
  /// Virtual time. Requires: not running, and nothing under way between sites.
  void set_latency(Latency latency) { options_.latency = latency; }
  bool stopped() const { return stop_.load(std::memory_order_relaxed) != 0; }

  /// Each receiver's rolling hash over what it received, folded over all actors. Equal for any number of schedulers.
  /// Requires: not running.
  std::uint64_t digest() const;
  /// Requires, for all three: not running.
  SchedulerCounters counters() const;
  MailboxCounters mailbox_counters() const;
  /// Of each scheduler's pool of coroutine frames.
  std::vector<FramePool::Statistics> frame_pools() const;
  /// Of each scheduler's pool of mailboxes' rings. Requires: not running.
  std::vector<LocalPool::Statistics> ring_pools() const;
  /// Each scheduler's arena, per-node counters, and what was obtained of what options().memory asks for.
  Memory& memory() { return memory_; }
  const Memory& memory() const { return memory_; }
  std::uint64_t actors() const { return live_actors_.load(std::memory_order_relaxed); }
  const RuntimeOptions& options() const { return options_; }
  /// The least moment that every scheduler has reached; for progress, from any thread.
  Time progress() const;
  /// SchedulerCounters::delivered as of the last windows; for progress, from any thread.
  std::uint64_t delivered_so_far() const;

  /// Every actor: its name, what it awaits and where in the source. Requires: not running.
  std::string dump() const;

  void log(std::string_view line) const;

  /// Where blocking work is done; from any thread.
  OffloadPool& offload_pool();

 private:
  friend class Scheduler;

  template <class Make>
  void on_scheduler_of(const SpawnOptions& options, Make make) {
    actor_detail::check(options);
    Site& site = site_for(options);
    Scheduler& scheduler = *site.scheduler;
    const std::function<void()> call = [&] { make(scheduler, site); };
    const bool here = options_.time == WorldTime::live && this_scheduler() == &scheduler;
    here ? call() : call_on(scheduler, call);
  }
  Site& site_for(const SpawnOptions& options);
  void adopt(ActorCell& cell);
  friend void send_from_outside(Envelope& envelope);
  /// Runs it there and waits; here and now if the schedulers do not run.
  void call_on(Scheduler& scheduler, const std::function<void()>& call);
  /// False: the host has it just now, and serves its inbox.
  bool call_on_hosted(Scheduler& scheduler, const std::function<void()>& call);
  Scheduler& hosted(std::uint32_t index);
  void thread_main(std::uint32_t index);
  /// Gives the calling thread what the options ask for, and notes what it got.
  void settle(std::uint32_t index);
  void note(std::vector<StartReport::Row> rows, bool settled);
  void virtual_main(std::uint32_t index, std::int64_t end);
  void actor_ended() {
    if (live_actors_.fetch_sub(1, std::memory_order_acq_rel) == 1 && options_.time == WorldTime::live) stop();
  }

  RuntimeOptions options_;
  Memory memory_;  // what the rest lies in
  std::vector<std::unique_ptr<Scheduler>> schedulers_;
  std::vector<std::unique_ptr<Site>> sites_;
  std::vector<Thread> threads_;
  Barrier barrier_;
  std::atomic<std::uint32_t> stop_{0};  // or one
  std::atomic<bool> running_{false};
  std::atomic<std::uint64_t> live_actors_{0};
  std::atomic<std::uint64_t> spawned_{0};
  std::recursive_mutex outside_;  // guards sites_, and starting and ending against calls that come in meanwhile
  std::unique_ptr<OffloadPool> offload_;
  std::unique_ptr<Watchdog> watchdog_;
  mutable std::mutex report_mutex_;
  std::condition_variable report_changed_;
  StartReport report_;
  std::uint32_t settled_ = 0;  // threads that have noted what they got, and the hosted schedulers
  std::uint32_t left_ = 0;     // threads that have left their loops
  Time now_{};
};

}  // namespace outcry
