// Runtime: the schedulers of one process, and the world that they run in.
//
//   Runtime runtime({.schedulers = 2});
//   auto address = runtime.spawn(greeter, ...);
//   runtime.run();                     // until every actor has ended, or stop()
//
// In virtual time (simulated and recorded worlds) nothing waits: run_until() plays all events up to a moment, in an
// order that depends on the seed alone: the digest is the same on any number of schedulers.
// Threads: run and read results from one thread; stop() from any, and in the live world spawn() and Address::send, too. A
// simulation that runs takes neither: there, actors spawn with Self::spawn.
// A runtime outlives every use of its actors' addresses, on other runtimes, too.
// Errors: a runtime that cannot start throws std::system_error.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/barrier.hpp>
#include <outcry/runtime/latency.hpp>
#include <outcry/runtime/memory.hpp>
#include <outcry/runtime/scheduler.hpp>
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
  std::uint32_t offload_threads = 2;               // live: for blocking work (offload.hpp); started when first needed
  MemoryOptions memory = {};                       // each scheduler's arena: node, huge pages, locked
  std::function<void(std::string_view)> log = {};  // called from scheduler threads; empty: standard error
};

class OffloadPool;

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
  /// Live: starts the schedulers' threads and returns. join() waits for them.
  void start();
  void join();
  /// Live: ends the loops after their turn. Virtual time: ends the run before the next moment; it can be taken up again,
  /// with the same digest in the end. From any thread or signal handler.
  void stop() noexcept;

  /// Virtual time: plays all events up to and including `end`. The first scheduler runs on the calling thread.
  void run_until(Time end);
  /// Tells every actor to stop at the moment reached, in the order of their ids, and plays what follows up to that moment.
  void stop_actors();
  Time now() const { return now_; }
  /// Virtual time. Requires: not running, and nothing under way between sites.
  void set_latency(Latency latency) { options_.latency = latency; }
  bool stopped() const { return stop_.load(std::memory_order_relaxed); }

  /// Each receiver's rolling hash over what it received, folded over all actors. Equal for any number of schedulers.
  /// Requires: not running.
  std::uint64_t digest() const;
  SchedulerCounters counters() const;
  MailboxCounters mailbox_counters() const;
  /// Of each scheduler's pool of coroutine frames. Requires: not running.
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
  /// A line for each row of memory().report().
  void log_memory() const;

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
  void thread_main(std::uint32_t index);
  void virtual_main(std::uint32_t index, std::int64_t end);
  void actor_ended() {
    if (live_actors_.fetch_sub(1, std::memory_order_acq_rel) == 1 && options_.time == WorldTime::live) stop();
  }

  RuntimeOptions options_;
  Memory memory_;  // what the rest lies in
  std::vector<std::unique_ptr<Scheduler>> schedulers_;
  std::vector<std::unique_ptr<Site>> sites_;
  std::vector<std::thread> threads_;
  Barrier barrier_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> running_{false};
  std::atomic<std::uint32_t> looping_{0};  // live: schedulers that have not left their loop
  std::atomic<std::uint64_t> live_actors_{0};
  std::atomic<std::uint64_t> spawned_{0};
  std::recursive_mutex outside_;  // guards sites_, and starting and ending against calls that come in meanwhile
  std::unique_ptr<OffloadPool> offload_;
  Time now_{};
};

}  // namespace outcry
