// OtherProcess: a program that a test starts, reads the first line of, and kills or waits for.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

extern char** environ;

namespace outcry {

class OtherProcess {
 public:
  explicit OtherProcess(std::vector<std::string> command) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    const int failed = ::posix_spawn(&process_, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    output_ = ::fdopen(ends[0], "r");
    if (failed != 0) throw std::runtime_error("cannot start " + command[0]);
  }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;
  ~OtherProcess() {
    if (process_ > 0) {
      signal(SIGKILL);
      wait();
    }
    std::fclose(output_);
  }

  /// Waits for one.
  std::string line() {
    char text[256] = {};
    if (std::fgets(text, sizeof text, output_) == nullptr) return {};
    std::string line = text;
    if (!line.empty() && line.back() == '\n') line.pop_back();
    return line;
  }
  void signal(int number) const { ::kill(process_, number); }
  /// Its exit status; -1: a signal ended it.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(process_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t process_ = -1;
  std::FILE* output_ = nullptr;
};

}  // namespace outcry
