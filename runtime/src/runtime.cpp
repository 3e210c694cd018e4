// Runtime: starts and stops schedulers, and drives windows of virtual time.
#include <outcry/runtime/runtime.hpp>

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <outcry/runtime/offload.hpp>

#include "futex.hpp"
#include "thread.hpp"
#include "watchdog.hpp"

namespace outcry {

namespace {

std::uint32_t processors() { return std::max(1u, std::thread::hardware_concurrency()); }

std::uint32_t barrier_spins(const RuntimeOptions& options) { return options.schedulers <= processors() ? 20'000 : 0; }

/// This thread speaks for a scheduler while it lives.
class Presence {
 public:
  Presence(Scheduler& scheduler, Memory::ThreadOf thread)
      : outer_(std::exchange(this_scheduler(), &scheduler)),
        outer_pool_(std::exchange(FramePool::current(), &scheduler.frames())),
        memory_(scheduler.runtime().memory()),
        index_(scheduler.index()),
        thread_(thread) {
    if (memory_.enter(index_, thread_))
      for (const StartReport::Row& row : memory_.report().rows) scheduler.runtime().log(to_string(row));
  }
  ~Presence() {
    memory_.leave(index_, thread_);
    this_scheduler() = outer_;
    FramePool::current() = outer_pool_;
  }
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

 private:
  Scheduler* outer_;
  FramePool* outer_pool_;
  Memory& memory_;
  std::uint32_t index_;
  Memory::ThreadOf thread_;
};

/// This thread stays on that processor from now on; zero, or why not.
int run_on(std::uint32_t processor) {
  if (processor >= CPU_SETSIZE) return EINVAL;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(processor, &one);
  return sched_setaffinity(0, sizeof one, &one) == 0 ? 0 : errno;
}

/// This thread stays on the scheduler's processor while it lives, if one was named: for virtual time, where threads may
/// be the caller's.
class Seat {
 public:
  Seat(const RuntimeOptions& options, std::uint32_t index) {
    if (index >= options.processors.size() || sched_getaffinity(0, sizeof before_, &before_) != 0) return;
    taken_ = run_on(options.processors[index]) == 0;
  }
  ~Seat() {
    if (taken_) sched_setaffinity(0, sizeof before_, &before_);
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

 private:
  cpu_set_t before_;
  bool taken_ = false;
};

/// This thread speaks for no scheduler, and answers go nowhere: a runtime is taken down.
class Absence {
 public:
  Absence()
      : scheduler_(std::exchange(this_scheduler(), nullptr)),
        pool_(std::exchange(FramePool::current(), nullptr)),
        tearing_down_(std::exchange(tearing_down, true)) {}
  ~Absence() {
    this_scheduler() = scheduler_;
    FramePool::current() = pool_;
    tearing_down = tearing_down_;
  }
  Absence(const Absence&) = delete;
  Absence& operator=(const Absence&) = delete;

  static inline thread_local bool tearing_down = false;

 private:
  Scheduler* scheduler_;
  FramePool* pool_;
  bool tearing_down_;
};

}  // namespace

void post_answer(Envelope& envelope, ActorCell* asker, std::uint32_t generation, std::uint32_t ticket) noexcept {
  envelope.to = asker;
  envelope.generation = generation;
  envelope.source = ticket;
  if (Scheduler* here = this_scheduler(); here != nullptr) {
    here->answered(asker, ticket);
    here->post(envelope);
  } else if (!Absence::tearing_down) {
    send_from_outside(envelope);
  } else if (envelope.type != nullptr && envelope.type->destroy != nullptr) {
    envelope.type->destroy(envelope.payload);
  }
}

void AnyAddress::stop(bool kill) const {
  if (Scheduler* here = this_scheduler(); here != nullptr) {
    here->stop(cell_, generation_, kill);
    return;
  }
  Envelope envelope;
  envelope.kind = kill ? Envelope::Kind::kill : Envelope::Kind::stop;
  envelope.to = cell_;
  envelope.generation = generation_;
  send_from_outside(envelope);
}

void actor_detail::check(const SpawnOptions& options) {
  if (options.mailbox.capacity == 0 || options.mailbox.capacity > 0xFFFFFF)
    throw std::invalid_argument("a mailbox holds 1 to 16777215 messages, not " +
                                std::to_string(options.mailbox.capacity));
  if (options.distance < Duration::zero() || options.compute < Duration::zero())
    throw std::invalid_argument("an actor's distance and compute time are not negative");
}

Runtime::Runtime(RuntimeOptions options)
    : options_(std::move(options)),
      memory_(options_.memory, std::min(options_.schedulers, 1024u)),
      barrier_(options_.schedulers, barrier_spins(options_)),
      now_(options_.start) {
  if (options_.schedulers == 0 || options_.schedulers > 1024)
    throw std::invalid_argument("a runtime has 1 to 1024 schedulers, not " + std::to_string(options_.schedulers));
  if (options_.offload_threads == 0 || options_.offload_threads > 1024)
    throw std::invalid_argument("a runtime has 1 to 1024 threads for blocking work, not " +
                                std::to_string(options_.offload_threads));
  if (options_.latency.between_sites <= Duration::zero())
    throw std::invalid_argument("Latency::between_sites is the lookahead of a simulation and must be positive");
  if (options_.interleaving && options_.time == WorldTime::live)
    throw std::invalid_argument("RuntimeOptions::interleaving draws the order of a simulation, not of a live world");
  for (const std::uint32_t priority : options_.fifo_priorities)
    if (priority > 99) throw std::invalid_argument("a real-time priority is 1 to 99, not " + std::to_string(priority));
  if (options_.messages_per_turn == 0 || options_.messages_per_turn > 1'000'000 || options_.turns_per_round == 0)
    throw std::invalid_argument("an actor's turn has 1 to 1000000 messages, and a round at least one turn");
  if (options_.hosted_schedulers > options_.schedulers)
    throw std::invalid_argument("the host runs at most all schedulers, " + std::to_string(options_.schedulers) +
                                ", not " + std::to_string(options_.hosted_schedulers));
  if (options_.hosted_schedulers > 0 && options_.time == WorldTime::virtually)
    throw std::invalid_argument("hosted schedulers are for the live world: virtual time is played with run_until()");
  if (options_.hold_limit < Duration::zero()) throw std::invalid_argument("a hold limit is not negative");
  for (std::uint32_t i = 0; i < options_.schedulers; ++i) {
    schedulers_.push_back(std::make_unique<Scheduler>(*this, i));
    if (i < options_.frame_bytes.size()) schedulers_.back()->frames().reserve(options_.frame_bytes[i]);
    if (i < options_.mailbox_bytes.size()) schedulers_.back()->rings().reserve(options_.mailbox_bytes[i]);
  }
}

Runtime::~Runtime() {
  stop();
  join();
  offload_.reset();  // work that runs is waited for, and finds the inboxes that it reports to
  // Frames and mailboxes may hold addresses of actors elsewhere: all of them go before any scheduler does.
  Absence absence;
  for (const auto& scheduler : schedulers_) scheduler->end_actors();
  for (const auto& scheduler : schedulers_) scheduler->discard_messages();
  for (const auto& site : sites_)
    site->queue.drain([](Envelope& envelope) {
      if (envelope.type != nullptr && envelope.type->destroy != nullptr) envelope.type->destroy(envelope.payload);
    });
  schedulers_.clear();
}

Site& Runtime::site_for(const SpawnOptions& options) {
  const std::lock_guard guard(outside_);
  if (options.scheduler >= static_cast<int>(options_.schedulers))
    throw std::invalid_argument("there is no scheduler " + std::to_string(options.scheduler) + ": the runtime has " +
                                std::to_string(options_.schedulers));
  const bool live = options_.time == WorldTime::live;
  const std::uint32_t wanted = live && options.scheduler >= 0 ? static_cast<std::uint32_t>(options.scheduler)
                               : live                         ? options.site % options_.schedulers
                                                              : options.site;
  while (sites_.size() <= wanted) {
    const auto index = static_cast<std::uint32_t>(sites_.size());
    Scheduler& scheduler = *schedulers_[index % options_.schedulers];
    sites_.push_back(std::make_unique<Site>(index, &scheduler.arena()));
    sites_.back()->scheduler = &scheduler;
  }
  return *sites_[wanted];
}

void Runtime::adopt(ActorCell& cell) {
  cell.set_id(mix64(0, ++spawned_));
  cell.random = Random(options_.seed, cell.id);
}

// A host that waits for its descriptor would never serve a call of its own: whoever finds the seat free does the work
// himself, and wakes the host for what comes of it.
bool Runtime::call_on_hosted(Scheduler& scheduler, const std::function<void()>& work) {
  const std::unique_lock seat(scheduler.seat_, std::try_to_lock);
  if (!seat) return false;
  {
    const Presence presence(scheduler, Memory::ThreadOf::host);
    work();
    scheduler.flush();
  }
  scheduler.wake_thread();
  return true;
}

void Runtime::call_on(Scheduler& scheduler, const std::function<void()>& work) {
  Call call(work);
  {
    const std::lock_guard guard(outside_);
    if (!running_.load(std::memory_order_relaxed)) {
      work();
      return;
    }
    if (options_.time == WorldTime::virtually)
      throw std::logic_error(
          "a simulation that runs takes no actors from outside: there, actors spawn with Self::spawn");
    if (scheduler.index_ < options_.hosted_schedulers && call_on_hosted(scheduler, work)) return;
    Envelope envelope;
    envelope.kind = Envelope::Kind::call;
    auto* pointer = &call;
    std::memcpy(envelope.payload, &pointer, sizeof pointer);
    scheduler.put_in_inbox(envelope);
  }
  if (Scheduler* here = this_scheduler(); here != nullptr) {
    for (; !call.done(); std::this_thread::yield()) {
      here->serve_calls();
      if (scheduler.index_ < options_.hosted_schedulers) call_on_hosted(scheduler, [&] { scheduler.serve_calls(); });
    }
  } else {
    call.wait();
  }
  call.rethrow();
}

void send_from_outside(Envelope& envelope) {
  Scheduler& scheduler = envelope.to->scheduler();
  if (!scheduler.virtual_time()) {
    scheduler.put_in_inbox(envelope);
  } else if (!scheduler.runtime().running_.load(std::memory_order_relaxed)) {
    scheduler.post(envelope);
  } else {
    throw std::logic_error("a simulation that runs takes no messages from other threads");
  }
}

void Runtime::run() {
  if (options_.time == WorldTime::virtually) {
    run_until(never - Duration(1));
    if (stopped()) return;
    now_ = options_.start;
    for (const auto& scheduler : schedulers_) now_ = std::max(now_, scheduler->last_time_);
    for (const auto& scheduler : schedulers_) scheduler->now_ = now_;
    return;
  }
  start();
  if (options_.hosted_schedulers > 0) run_scheduler(0);
  join();
}

void Runtime::start() {
  if (options_.time != WorldTime::live) throw std::logic_error("virtual time is played with run_until(), not started");
  std::vector<StartReport::Row> refused;
  {
    std::unique_lock guard(outside_);
    if (running_.exchange(true)) throw std::logic_error("the runtime runs already");
    stop_.store(live_actors_.load() == 0, std::memory_order_relaxed);
    {
      const std::lock_guard lock(report_mutex_);
      report_.rows.clear();
      settled_ = left_ = 0;
    }
    for (std::uint32_t i = 0; i < options_.hosted_schedulers; ++i)
      note({{"scheduler " + std::to_string(i) + ", thread", "the host's", "the host's"}}, true);
    try {
      for (std::uint32_t i = options_.hosted_schedulers; i < options_.schedulers; ++i)
        threads_.emplace_back("outcry " + std::to_string(i), options_.stack_bytes, [this, i] { thread_main(i); });
      if (options_.hold_limit > Duration::zero()) {
        std::vector<const Scheduler*> schedulers;
        for (const auto& scheduler : schedulers_) schedulers.push_back(scheduler.get());
        watchdog_ = std::make_unique<Watchdog>(options_.hold_limit, schedulers, [this](const Held& held) {
          log(to_string(held));
          if (options_.on_hold) options_.on_hold(held);
        });
      }
    } catch (...) {
      guard.unlock();
      stop();
      join();
      throw;
    }
    std::unique_lock lock(report_mutex_);
    report_changed_.wait(lock, [this] { return settled_ == options_.schedulers; });
    std::sort(report_.rows.begin(), report_.rows.end(),
              [](const StartReport::Row& a, const StartReport::Row& b) { return a.what < b.what; });
    std::copy_if(report_.rows.begin(), report_.rows.end(), std::back_inserter(refused),
                 [](const StartReport::Row& row) { return !row.as_asked(); });
  }
  for (const StartReport::Row& row : refused) log(to_string(row));
}

void Runtime::join() {
  threads_.clear();  // waits for each
  if (options_.hosted_schedulers > 0 && running_.load(std::memory_order_relaxed))
    while (!stopped()) futex_wait(stop_, 0);
  // Whoever comes in later finds that it runs no more.
  std::vector<std::unique_lock<std::mutex>> seats;
  for (std::uint32_t i = 0; i < options_.hosted_schedulers; ++i) seats.emplace_back(schedulers_[i]->seat_);
  watchdog_.reset();
  const std::lock_guard guard(outside_);
  running_.store(false, std::memory_order_release);
  for (const auto& scheduler : schedulers_) scheduler->serve_calls();  // of threads that came in late
  for (std::uint32_t i = 0; i < options_.hosted_schedulers; ++i) {
    schedulers_[i]->close_ring();
    schedulers_[i]->leave();
  }
}

void Runtime::stop() noexcept {
  stop_.store(1, std::memory_order_relaxed);
  if (options_.hosted_schedulers > 0) futex_wake(stop_);
  for (const auto& scheduler : schedulers_) scheduler->wake_thread();
}

void Runtime::thread_main(std::uint32_t index) {
  settle(index);
  Scheduler& scheduler = *schedulers_[index];
  const Presence presence(scheduler, Memory::ThreadOf::runtime);
  scheduler.live_loop();
  // An actor elsewhere that is in its last turn may wait for a call to this scheduler: until nobody has a turn.
  const auto hosts_are_out = [this] {
    for (std::uint32_t i = 0; i < options_.hosted_schedulers; ++i)
      if (!std::unique_lock(schedulers_[i]->seat_, std::try_to_lock)) return false;
    return true;
  };
  std::unique_lock lock(report_mutex_);
  ++left_;
  report_changed_.notify_all();
  const auto all_left = [&] { return left_ + options_.hosted_schedulers >= settled_ && hosts_are_out(); };
  while (!report_changed_.wait_for(lock, std::chrono::microseconds(100), all_left)) {
    lock.unlock();
    scheduler.serve_calls();
    lock.lock();
  }
  lock.unlock();
  scheduler.close_ring();
}

void Runtime::note(std::vector<StartReport::Row> rows, bool settled) {
  const std::lock_guard guard(report_mutex_);
  std::move(rows.begin(), rows.end(), std::back_inserter(report_.rows));
  settled_ += settled ? 1 : 0;
  report_changed_.notify_all();
}

StartReport Runtime::start_report() const {
  StartReport report;
  {
    const std::lock_guard guard(report_mutex_);
    report = report_;
  }
  if (memory_.has_wishes()) {
    std::vector<StartReport::Row> rows = memory_.report().rows;
    std::move(rows.begin(), rows.end(), std::back_inserter(report.rows));
  }
  return report;
}

namespace {

std::string reason(int error) { return " (" + std::generic_category().message(error) + ")"; }

/// The processor that stands at place `index` of those that this thread may use; -1: there are fewer than `least`.
int usual_processor(std::uint32_t index, std::uint32_t least) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < static_cast<int>(least)) return -1;
  int wanted = static_cast<int>(index);
  for (int processor = 0; processor < CPU_SETSIZE; ++processor)
    if (CPU_ISSET(processor, &allowed) && wanted-- == 0) return processor;
  return -1;
}

}  // namespace

void Runtime::settle(std::uint32_t index) {
  const std::string who = "scheduler " + std::to_string(index) + ", ";
  std::vector<StartReport::Row> rows;

  const bool chosen = index < options_.processors.size();
  const int usual = !chosen && options_.pin ? usual_processor(index, options_.schedulers) : -1;
  if (chosen || usual >= 0) {
    const std::uint32_t processor = chosen ? options_.processors[index] : static_cast<std::uint32_t>(usual);
    const int failed = run_on(processor);
    const std::string asked = std::to_string(processor);
    rows.push_back({who + "processor", asked, failed == 0 ? asked : "any" + reason(failed)});
  } else {
    rows.push_back({who + "processor", "any", "any"});
  }

  std::string asked = "ordinary";
  std::string obtained = asked;
  const std::uint32_t priority = index < options_.fifo_priorities.size() ? options_.fifo_priorities[index] : 0;
  if (priority > 0) {
    asked = "FIFO " + std::to_string(priority);
    sched_param parameter{};
    parameter.sched_priority = static_cast<int>(priority);
    const int failed = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameter);
    obtained = failed == 0 ? asked : obtained + reason(failed);
  }
  rows.push_back({who + "priority", asked, obtained});

  const std::size_t stack = stack_bytes_here();
  const bool enough = stack >= options_.stack_bytes;
  asked = options_.stack_bytes == 0 ? "the system's" : std::to_string(options_.stack_bytes) + " bytes";
  rows.push_back({who + "stack", asked, enough ? asked : std::to_string(stack) + " bytes"});

  note(std::move(rows), true);
}

// ---- on threads of the host

Scheduler& Runtime::hosted(std::uint32_t index) {
  if (index >= options_.hosted_schedulers)
    throw std::logic_error("scheduler " + std::to_string(index) + " has a thread of its own: the host runs " +
                           std::to_string(options_.hosted_schedulers) + " of them");
  Scheduler& scheduler = *schedulers_[index];
  if (this_scheduler() == &scheduler) throw std::logic_error("an actor cannot run the scheduler that runs it");
  return scheduler;
}

void Runtime::run_scheduler(std::uint32_t index) {
  Scheduler& scheduler = hosted(index);
  if (scheduler.driven_.exchange(true))
    throw std::logic_error("scheduler " + std::to_string(index) + " runs on another thread already");
  {
    const std::lock_guard seat(scheduler.seat_);
    const Presence presence(scheduler, Memory::ThreadOf::host);
    if (running_.load(std::memory_order_acquire)) scheduler.live_loop();
    scheduler.close_ring();  // on the thread that used it
    scheduler.driven_.store(false);
  }
}

Polled Runtime::poll(std::uint32_t turns) {
  Scheduler& scheduler = hosted(0);
  if (scheduler.driven_.load()) throw std::logic_error("scheduler 0 runs on another thread already");
  const std::lock_guard seat(scheduler.seat_);
  if (stopped() || !running_.load(std::memory_order_acquire)) {
    scheduler.close_ring();
    return {.what = Polled::What::ended};
  }
  const Presence presence(scheduler, Memory::ThreadOf::host);
  const Scheduler::Round round = scheduler.poll(turns != 0 ? turns : options_.turns_per_round);
  if (stopped()) return {.what = Polled::What::ended};
  if (round.worked) return {.what = Polled::What::worked};
  return {.what = Polled::What::idle, .next = round.next, .now = round.next == never ? Time{} : Scheduler::clock_now()};
}

int Runtime::wake_fd() const {
  if (options_.hosted_schedulers == 0)
    throw std::logic_error("every scheduler has a thread of its own: there is nothing to wait for");
  return schedulers_[0]->wake_fd_;
}

std::vector<SchedulerLoad> Runtime::load() const {
  std::vector<SchedulerLoad> all;
  for (const auto& scheduler : schedulers_) all.push_back(scheduler->load());
  return all;
}

void Runtime::run_until(Time end) {
  if (options_.time != WorldTime::virtually) throw std::logic_error("only virtual time can be played until a moment");
  {
    const std::lock_guard guard(outside_);
    if (running_.exchange(true)) throw std::logic_error("the runtime runs already");
  }
  stop_.store(0, std::memory_order_relaxed);
  for (std::uint32_t i = 1; i < options_.schedulers; ++i)
    threads_.emplace_back("outcry " + std::to_string(i), options_.stack_bytes,
                          [this, i, end] { virtual_main(i, to_ns(end)); });
  virtual_main(0, to_ns(end));
  join();
  now_ = stopped() ? std::max(now_, progress()) : end;
  for (const auto& scheduler : schedulers_) scheduler->now_ = now_;
}

// All schedulers run the window from the earliest pending event to as far as no message from elsewhere can reach, then
// show what they sent and when they have work next, and meet. Two buffers in turn make one meeting a window enough.
void Runtime::virtual_main(std::uint32_t index, std::int64_t end) {
  Scheduler& scheduler = *schedulers_[index];
  const Seat seat(options_, index);
  const Presence presence(scheduler, index == 0 ? Memory::ThreadOf::host : Memory::ThreadOf::runtime);
  const Duration lookahead = options_.latency.between_sites;
  const bool together = lookahead != forever && options_.schedulers > 1;
  scheduler.parity_ = 1;
  scheduler.least_sent_ = INT64_MAX;
  for (;;) {
    const std::uint32_t parity = scheduler.parity_;
    const bool stopping = stopped();
    std::int64_t next = stopping ? INT64_MIN : std::min(scheduler.next_time(), scheduler.least_sent_);
    scheduler.least_sent_ = INT64_MAX;
    if (together) {
      scheduler.published_next_[parity].store(next, std::memory_order_relaxed);
      barrier_.arrive_and_wait();
      scheduler.take_exchange(parity);
      for (const auto& other : schedulers_)
        next = std::min(next, other->published_next_[parity].load(std::memory_order_relaxed));
    }
    if (next == INT64_MIN) break;
    if (next > end) {
      scheduler.seen_time_.store(end, std::memory_order_relaxed);
      break;
    }
    const Time from = time_from_ns(next);
    scheduler.parity_ = parity ^ 1;
    scheduler.run_window(std::min({to_ns(later(from, lookahead)), to_ns(later(from, options_.window)), end + 1}));
  }
}

void Runtime::stop_actors() {
  if (options_.time != WorldTime::virtually)
    throw std::logic_error("live actors are stopped one by one, by their addresses");
  std::vector<ActorCell*> cells;
  for (const auto& scheduler : schedulers_) scheduler->for_each_actor([&](ActorCell& cell) { cells.push_back(&cell); });
  std::sort(cells.begin(), cells.end(), [](const ActorCell* a, const ActorCell* b) { return a->id < b->id; });
  std::uint32_t sequence = 0;
  for (ActorCell* cell : cells) {
    Envelope envelope;
    envelope.kind = Envelope::Kind::stop;
    envelope.to = cell;
    envelope.generation = cell->generation;
    cell->site->scheduler->insert(*cell->site, {to_ns(now_), 0, sequence++, 0}, envelope);
  }
  run_until(now_);
}

std::uint64_t Runtime::digest() const {
  std::uint64_t digest = 0;
  for (const auto& scheduler : schedulers_) {
    digest += scheduler->digest_;
    scheduler->for_each_actor([&](const ActorCell& cell) { digest += mix64(cell.id, cell.digest); });
  }
  return digest;
}

SchedulerCounters Runtime::counters() const {
  SchedulerCounters sum;
  for (const auto& scheduler : schedulers_) {
    const SchedulerCounters& one = scheduler->counters();
    sum.delivered += one.delivered;
    sum.turns += one.turns;
    sum.dead_letters += one.dead_letters;
    sum.refused += one.refused;
    sum.failures += one.failures;
    sum.parks += one.parks;
    sum.wakes += one.wakes;
  }
  return sum;
}

MailboxCounters Runtime::mailbox_counters() const {
  MailboxCounters sum;
  for (const auto& scheduler : schedulers_) {
    sum += scheduler->ended_mailboxes_;
    scheduler->for_each_actor([&](const ActorCell& cell) { sum += cell.mailbox.counters(); });
  }
  return sum;
}

std::vector<FramePool::Statistics> Runtime::frame_pools() const {
  std::vector<FramePool::Statistics> all;
  all.reserve(schedulers_.size());
  for (const auto& scheduler : schedulers_) all.push_back(scheduler->frames().statistics());
  return all;
}

std::vector<LocalPool::Statistics> Runtime::ring_pools() const {
  std::vector<LocalPool::Statistics> all;
  for (const auto& scheduler : schedulers_) all.push_back(scheduler->rings().statistics());
  return all;
}

Time Runtime::progress() const {
  std::int64_t least = INT64_MAX;
  for (const auto& scheduler : schedulers_)
    least = std::min(least, scheduler->seen_time_.load(std::memory_order_relaxed));
  return time_from_ns(least);
}

std::uint64_t Runtime::delivered_so_far() const {
  std::uint64_t sum = 0;
  for (const auto& scheduler : schedulers_) sum += scheduler->seen_delivered_.load(std::memory_order_relaxed);
  return sum;
}

std::string Runtime::dump() const {
  static constexpr const char* awaits[] = {
      "a message",         "a message or a socket",    "a turn",         "a moment",     "an answer",
      "room in a mailbox", "the end of its computing", "work elsewhere", "its children", "a channel",
      "a socket"};
  std::string out;
  for (const auto& scheduler : schedulers_) {
    scheduler->for_each_actor([&](const ActorCell& cell) {
      char line[512];
      std::snprintf(line, sizeof line, "scheduler %u  %-23s  awaits %s  %u in the mailbox  %s:%u\n", scheduler->index(),
                    *cell.name.c_str() != 0 ? cell.name.c_str() : "(no name)", awaits[static_cast<int>(cell.waiting)],
                    cell.mailbox.size(), cell.where.file_name(), static_cast<unsigned>(cell.where.line()));
      out += line;
    });
  }
  return out;
}

OffloadPool& Runtime::offload_pool() {
  const std::lock_guard guard(outside_);
  if (offload_ == nullptr) offload_ = std::make_unique<OffloadPool>(options_.offload_threads);
  return *offload_;
}

void Runtime::log(std::string_view line) const {
  if (options_.log) {
    options_.log(line);
  } else {
    std::fprintf(stderr, "outcry: %.*s\n", static_cast<int>(line.size()), line.data());
  }
}

}  // namespace outcry
