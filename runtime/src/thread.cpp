// Thread: how one is made with a stack and a signal mask of its own.
#include "thread.hpp"

#include <csignal>
#include <cstdint>
#include <system_error>

namespace outcry {

namespace {

struct Start {
  std::string name;
  std::function<void()> work;
};

void* enter(void* argument) {
  const std::unique_ptr<Start> start(static_cast<Start*>(argument));
  pthread_setname_np(pthread_self(), start->name.substr(0, 15).c_str());
  start->work();
  return nullptr;
}

/// While it lives a new thread gets a mask that leaves signals to others.
class QuietSignals {
 public:
  QuietSignals() {
    sigset_t quiet;
    sigfillset(&quiet);
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF}) sigdelset(&quiet, own);
    pthread_sigmask(SIG_SETMASK, &quiet, &before_);
  }
  ~QuietSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  QuietSignals(const QuietSignals&) = delete;
  QuietSignals& operator=(const QuietSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Thread::Thread(const std::string& name, std::size_t stack_bytes, std::function<void()> work) {
  auto start = std::make_unique<Start>(Start{name, std::move(work)});
  const QuietSignals quiet;
  int failed = -1;
  if (stack_bytes != 0) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    failed = pthread_attr_setstacksize(&attributes, (stack_bytes + 4095) / 4096 * 4096);
    if (failed == 0) failed = pthread_create(&handle_, &attributes, enter, start.get());
    pthread_attr_destroy(&attributes);
  }
  if (failed != 0) failed = pthread_create(&handle_, nullptr, enter, start.get());
  if (failed != 0) throw std::system_error(failed, std::generic_category(), "no thread can be made");
  static_cast<void>(start.release());  // the thread has it
  joinable_ = true;
}

void Thread::join() {
  if (std::exchange(joinable_, false)) pthread_join(handle_, nullptr);
}

std::size_t stack_bytes_here() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
  std::size_t bytes = 0;
  void* address = nullptr;
  pthread_attr_getstack(&attributes, &address, &bytes);
  pthread_attr_destroy(&attributes);
  return bytes;
}

}  // namespace outcry
