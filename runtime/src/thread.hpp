// Thread: a thread of ours in somebody else's process: named, with a stack of a given size, and no signals.
//
// Signals stay with the host's threads, but for those that a thread brings upon itself and the profiler's.
// Errors: throws std::system_error where no thread can be made. A stack that the system does not give is the system's.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace outcry {

class Thread {
 public:
  /// `stack_bytes` zero: as the system has it.
  Thread(const std::string& name, std::size_t stack_bytes, std::function<void()> work);
  Thread(Thread&& other) noexcept : handle_(other.handle_), joinable_(std::exchange(other.joinable_, false)) {}
  Thread& operator=(Thread&&) = delete;
  ~Thread() { join(); }

  void join();

 private:
  pthread_t handle_{};
  bool joinable_ = false;
};

/// Of the calling thread.
std::size_t stack_bytes_here();

}  // namespace outcry
