// Program: the program outcry as its user starts it, and what it says.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/sanitized.hpp"
#include "tests/scratch.hpp"

namespace program_test {

using Json = nlohmann::json;
using outcry_test::Scratch;

inline std::string data(const std::string& name) { return std::string(OUTCRY_DATA) + "/" + name; }

/// Prints why the test is skipped if one of the files is not there.
inline bool missing(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (std::filesystem::exists(data(name))) continue;
    std::printf("SKIPPED: no %s\n", data(name).c_str());
    return true;
  }
  return false;
}

inline std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

struct Ended {
  int status = -1;  // as a shell has it: 128 + the signal that ended it
  std::string out;
  std::string err;

  /// What --json printed: one object on one line, and nothing else.
  Json json() const {
    CAPTURE(out);
    CAPTURE(err);
    REQUIRE(!out.empty());
    REQUIRE(out.find('\n') == out.size() - 1);
    return Json::parse(out);
  }
};

class Program {
 public:
  /// `prepare` runs in the child before the program.
  explicit Program(std::vector<std::string> arguments, const std::function<void()>& prepare = {},
                   const char* program = OUTCRY_PROGRAM) {
    std::vector<std::string> all{program};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(all.size() + 1);
    for (std::string& one : all) argv.push_back(one.data());
    argv.push_back(nullptr);
    const std::string out = scratch_.path("out");
    const std::string err = scratch_.path("err");
    std::fflush(nullptr);
    child_ = ::fork();
    if (child_ != 0) return;
    std::signal(SIGINT, SIG_DFL);
    if (std::freopen(out.c_str(), "w", stdout) == nullptr || std::freopen(err.c_str(), "w", stderr) == nullptr)
      _exit(126);
    if (prepare) prepare();
    ::execv(program, argv.data());
    _exit(127);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    end();
  }

  void signal(int number) const { ::kill(child_, number); }

  /// What it has printed so far on standard output; and where that and standard error ("err") are.
  std::string out() const { return contents(path("out")); }
  std::string path(const char* name) const { return scratch_.path(name); }

  /// Whether it has a handler for the signal now; false once it has ended.
  bool catches(int number) const {
    std::ifstream file("/proc/" + std::to_string(child_) + "/status");
    for (std::string line; std::getline(file, line);)
      if (line.starts_with("SigCgt:")) return (std::stoull(line.substr(7), nullptr, 16) >> (number - 1) & 1) != 0;
    return false;
  }

  Ended end() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = 0;
    Ended ended;
    ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    ended.out = contents(scratch_.path("out"));
    ended.err = contents(scratch_.path("err"));
    return ended;
  }

 private:
  Scratch scratch_;
  pid_t child_ = 0;
};

inline Ended outcry(std::vector<std::string> arguments, const std::function<void()>& prepare = {}) {
  return Program(std::move(arguments), prepare).end();
}

/// Waits, ten seconds at most, until it is so.
inline bool comes_true(const std::function<bool()>& question) {
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);;) {
    if (question()) return true;
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
}

}  // namespace program_test
