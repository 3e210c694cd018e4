#include "attendance.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>

namespace outcry {

namespace {

constexpr std::array<int, 2> signals{SIGINT, SIGTERM};
std::atomic<int> caught_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void outcry_note_signal(int number) {
  caught_signal.store(number, std::memory_order_relaxed);
  for (const int each : signals) std::signal(each, SIG_DFL);
}

}  // namespace

SignalCatch::SignalCatch() {
  caught_signal.store(0);
  for (std::size_t i = 0; i < signals.size(); ++i) {
    struct sigaction action{};
    // Whoever started us may have chosen to ignore it: nohup, or a shell's background job.
    if (sigaction(signals[i], nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = outcry_note_signal;
    action.sa_flags = SA_RESTART;
    taken_[i] = sigaction(signals[i], &action, nullptr) == 0;
  }
}

SignalCatch::~SignalCatch() {
  for (std::size_t i = 0; i < signals.size(); ++i)
    if (taken_[i]) std::signal(signals[i], SIG_DFL);
}

int SignalCatch::caught() const { return caught_signal.load(std::memory_order_relaxed); }
const char* SignalCatch::name() const { return caught() == SIGINT ? "Ctrl-C" : "SIGTERM"; }

Attendance::Attendance(const SignalCatch& caught, Market market)
    : signals_(caught),
      market_(std::move(market)),
      terminal_(isatty(STDERR_FILENO) == 1),
      thread_(&Attendance::attend, this) {}

Attendance::~Attendance() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  over_changed_.notify_one();
  thread_.join();
  if (shown_) std::fputs("\r\033[K", stderr);
}

void Attendance::attend() {
  std::unique_lock lock(mutex_);
  for (std::uint32_t tick = 1; !over_changed_.wait_for(lock, std::chrono::milliseconds(50), [this] { return over_; });
       ++tick) {
    // Again and again: a market that was told before it began has not heard it.
    if (signals_.caught() != 0 || market_.give_up()) market_.stop();
    if (!terminal_ || tick % 4 != 0) continue;
    std::fprintf(stderr, "\r%s\033[K", market_.line().c_str());
    std::fflush(stderr);
    shown_ = true;
  }
}

double resident_mb() {
  long pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r"); file != nullptr) {
    if (std::fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double peak_resident_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace outcry
