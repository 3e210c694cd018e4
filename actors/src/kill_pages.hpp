// KillPages: the kill switch as an operator on this machine has it: pages of the status server.
//
//   GET  /kill                    who is stopped, since when and why: JSON
//   POST /kill?account=ALICE      stops somebody: an account at all of its doors, firm=ALCE, or all; &why= keeps a reason
//   POST /release?account=ALICE   lets him go on
//
// What is answered is one sentence. 200 is given only if it is as was asked for now, and a restart will remember it, or
// the venue remembers nothing by its configuration.
// From another machine nobody may stop or release anybody (403).
// Thread: that of the status server.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <outcry/actors/kill_desk.hpp>
#include <outcry/actors/status_server.hpp>

namespace outcry {

struct KillPagesOptions {
  KillDeskAddress desk{};
  std::vector<std::string> users{};
  std::vector<std::string> firms{};
  bool is_remembered = false;                   // the desk has a file
  Duration patience = std::chrono::seconds(5);  // with the desk, which may wait for a disk
};

class KillPages {
 public:
  explicit KillPages(KillPagesOptions options) : options_(std::move(options)) {}

  static bool has(std::string_view path) { return path == "/kill" || path == "/release"; }
  /// Requires: has(request.path).
  Task<StatusPage> page(StatusRequest request);

 private:
  struct Wish;

  /// Empty: it is one. Else what is wrong with it.
  std::string read(const std::string& query, bool is_release, Wish& wish) const;
  Task<StatusPage> state();
  Task<StatusPage> engage(KillScope scope, std::string why);
  Task<StatusPage> release(KillScope scope);

  KillPagesOptions options_;
};

}  // namespace outcry
