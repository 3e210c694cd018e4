// FixMemory: the file in which a FIX client remembers the number of its next message, so that a program that starts again
// can go on with its session. What the venue has sent it can ask for; what it has sent itself only it knows.
//
// The file is one line of fixed width, written in place after each turn in which something was said: a process that is
// killed leaves what it had said last, or one turn more than the venue has heard, which the venue asks about and is told.
// Thread: one owner. Errors: InputError for a file that is none, or another session's, std::system_error for one
// that cannot be opened or made; a number that cannot be written is tried again at the next call.
// Limits: nothing is synced: after a power failure the number may be too low, and the venue refuses the logon.
#pragma once

#include <cstdint>
#include <string>

namespace outcry {

class FixMemory {
 public:
  /// Opens the file, or makes it with number 1. An empty path remembers nothing.
  FixMemory(const std::string& path, const std::string& sender, const std::string& target);
  ~FixMemory();
  FixMemory(const FixMemory&) = delete;
  FixMemory& operator=(const FixMemory&) = delete;

  /// 1: there is nothing to go on with.
  std::uint64_t next() const { return next_; }
  void keep(std::uint64_t next);

 private:
  std::string head_;
  int file_ = -1;
  std::uint64_t next_ = 1;
  bool failed_ = false;
};

}  // namespace outcry
