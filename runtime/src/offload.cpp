// Offload: the threads that blocking work runs on.
#include <outcry/runtime/offload.hpp>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

namespace outcry {

void OffloadPool::Job::tell(ActorCell& cell, std::uint32_t generation, std::uint32_t ticket) noexcept {
  Envelope envelope;
  envelope.kind = Envelope::Kind::wake;
  envelope.to = &cell;
  envelope.generation = generation;
  envelope.source = ticket;
  envelope.payload[0] = static_cast<std::byte>(AskError::none);
  send_from_outside(envelope);
}

OffloadPool::~OffloadPool() {
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
    line_.clear();
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

void OffloadPool::submit(std::shared_ptr<Job> job, ActorCell& cell, std::uint32_t generation, std::uint32_t ticket) {
  const std::lock_guard guard(mutex_);
  line_.push_back({std::move(job), &cell, generation, ticket});
  if (idle_ < line_.size() && threads_.size() < most_) threads_.emplace_back([this] { work(); });
  changed_.notify_one();
}

void OffloadPool::work() {
  // A scheduler's thread may be pinned, and this one with it: it goes where the process as a whole may go.
  cpu_set_t allowed;
  if (sched_getaffinity(getpid(), sizeof allowed, &allowed) == 0) sched_setaffinity(0, sizeof allowed, &allowed);
  pthread_setname_np(pthread_self(), "outcry offload");

  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(lock, [this] { return ending_ || !line_.empty(); });
    --idle_;
    if (ending_) return;
    const Order order = std::move(line_.front());
    line_.pop_front();
    lock.unlock();
    order.job->run();
    order.job->tell(*order.cell, order.generation, order.ticket);
    lock.lock();
  }
}

}  // namespace outcry
