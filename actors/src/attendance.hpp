// Attendance: what a command does while its market runs: the progress line of a terminal, and signals.
//
// SIGINT and SIGTERM end the run with what it has; a second one ends the program at once.
// Thread: one of its own; the signal handler only leaves a note for it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace outcry {

/// From its making until its end signals are caught. One at a time.
class SignalCatch {
 public:
  SignalCatch();
  ~SignalCatch();
  SignalCatch(const SignalCatch&) = delete;
  SignalCatch& operator=(const SignalCatch&) = delete;

  /// The signal that came, or zero.
  int caught() const;
  /// What people call it: "Ctrl-C" or "SIGTERM".
  const char* name() const;

 private:
  bool taken_[2] = {};
};

class Attendance {
 public:
  struct Market {
    std::function<std::string()> line;  // about five times a second, if standard error is a terminal
    std::function<bool()> give_up;      // whether to stop for another reason than a signal
    std::function<void()> stop;
  };

  Attendance(const SignalCatch& signals, Market market);
  /// Erases the line.
  ~Attendance();
  Attendance(const Attendance&) = delete;
  Attendance& operator=(const Attendance&) = delete;

 private:
  void attend();

  const SignalCatch& signals_;
  Market market_;
  bool terminal_;
  bool shown_ = false;
  std::mutex mutex_;
  std::condition_variable over_changed_;
  bool over_ = false;
  std::thread thread_;
};

/// Resident memory of this process, in MiB: now, and at most so far.
double resident_mb();
double peak_resident_mb();

}  // namespace outcry
