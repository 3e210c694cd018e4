// offload: blocking work (a file, a name server, a long computation) on a thread of its own; the actor waits, its
// scheduler does not.
//
//   auto reading = offload(self, [path] { return read_all(path); }, 2ms);
//   const auto bytes = co_await reading;      // what the work gives; what it throws is thrown here
//
// In the live world the work runs on one of RuntimeOptions::offload_threads threads, first come first served, and the
// result comes back by the scheduler's inbox. In virtual time it runs in line and takes the modelled duration.
// The work may not touch the actor: it may have been killed meanwhile. It runs to its end even so; its result is dropped.
// A stop does not interrupt it. A runtime that ends waits for work that runs; work that waits for a thread is dropped.
// Limits: an actor has one piece of work at a time, which bounds the line. One allocation for each.
#pragma once

#include <condition_variable>
#include <coroutine>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/actor_cell.hpp>
#include <outcry/runtime/runtime.hpp>
#include <outcry/runtime/scheduler.hpp>
#include <outcry/runtime/stop_token.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry {

class OffloadPool {
 public:
  /// Work, and who waits for it.
  class Job {
   public:
    Job() = default;
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    virtual ~Job() = default;
    virtual void run() noexcept = 0;
    /// The actor that waits is told; from any thread.
    void tell(ActorCell& cell, std::uint32_t generation, std::uint32_t ticket) noexcept;
  };

  explicit OffloadPool(std::uint32_t threads) : most_(threads) {}
  ~OffloadPool();
  OffloadPool(const OffloadPool&) = delete;
  OffloadPool& operator=(const OffloadPool&) = delete;

  /// From any thread.
  void submit(std::shared_ptr<Job> job, ActorCell& cell, std::uint32_t generation, std::uint32_t ticket);

 private:
  struct Order {
    std::shared_ptr<Job> job;
    ActorCell* cell;
    std::uint32_t generation;
    std::uint32_t ticket;
  };

  void work();

  const std::uint32_t most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Order> line_;
  std::vector<std::thread> threads_;
  std::uint32_t idle_ = 0;
  bool ending_ = false;
};

/// Work under way; await it for what it gives.
template <class Work>
class [[nodiscard]] Offloading {
 public:
  using Result = std::invoke_result_t<Work&>;

  Offloading(ActorCell* cell, Work work, Duration modelled, std::source_location where)
      : cell_(cell), job_(std::make_shared<Job>(std::move(work))), modelled_(modelled), where_(where) {}

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> point) {
    Scheduler& scheduler = cell_->scheduler();
    if (scheduler.virtual_time()) {
      job_->run();
      scheduler.suspend(*cell_, point, Waiting::work, later(scheduler.now(), modelled_), where_);
    } else {
      scheduler.suspend(*cell_, point, Waiting::work, never, where_);
      scheduler.runtime().offload_pool().submit(job_, *cell_, cell_->generation, cell_->wait_ticket);
    }
  }
  Result await_resume() const {
    if (job_->failure) std::rethrow_exception(job_->failure);
    if constexpr (!std::is_void_v<Result>) return std::move(*job_->result);
  }

 private:
  struct Nothing {};
  struct Job final : OffloadPool::Job {
    explicit Job(Work given) : work(std::move(given)) {}
    void run() noexcept override {
      try {
        if constexpr (std::is_void_v<Result>) {
          work();
        } else {
          result.emplace(work());
        }
      } catch (...) {
        failure = std::current_exception();
      }
    }

    Work work;
    std::optional<std::conditional_t<std::is_void_v<Result>, Nothing, Result>> result;
    std::exception_ptr failure;
  };

  ActorCell* cell_;
  std::shared_ptr<Job> job_;
  Duration modelled_;
  std::source_location where_;
};

/// `modelled`: how long the work takes in virtual time.
template <class... Ms, class Work>
Offloading<Work> offload(const Self<Ms...>& self, Work work, Duration modelled = Duration(0),
                         std::source_location where = std::source_location::current()) {
  return Offloading<Work>(self.cell(), std::move(work), modelled, where);
}

namespace stop_detail {

template <class Work, class R>
  requires(!std::is_void_v<R>)
struct Outcome<Offloading<Work>, R> {
  using type = std::optional<R>;
  static type whole(Offloading<Work>& awaiter) { return awaiter.await_resume(); }
  static type cancelled(Offloading<Work>&, ActorCell*, bool) { return std::nullopt; }
};

}  // namespace stop_detail

}  // namespace outcry
