// LoadRun: a load generator: connections to a venue over OUCH 5.0 in SoupBinTCP, which all log in, begin together, keep
// to a LoadPlan, and know whether what the venue answers is right.
//
// Each connection is an actor with an account of its own. Messages leave when they are due, however long earlier ones
// take; behind the last one a connection waits until everything is answered, cancels what it has in the book, and logs
// out. Where the plan breaks connections off, or the venue does, the next one asks for the messages from the first that
// was not had, so that no answer is missed and none comes twice.
// Thread: run() has schedulers of its own; stop() and progress() from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <outcry/actors/load_orders.hpp>
#include <outcry/actors/load_plan.hpp>
#include <outcry/runtime/endpoint.hpp>
#include <outcry/runtime/runtime.hpp>

namespace outcry {

struct LoadOptions {
  Endpoint venue{};
  std::string user{};  // a # in it is the number of the connection, from 1; needed where there are several
  std::string password{};
  LoadPlan plan{};
  LoadOrdersOptions orders{};  // the scenario is the plan's, the seed the run's
  std::uint64_t seed = 1;
  std::uint32_t schedulers = 1;
  IdlePolicy idle = IdlePolicy::spin_then_sleep;
  Duration patience = std::chrono::seconds(5);  // for logins, and for the last answers
  bool clean_up = true;                         // cancels at the end what is in the book

  std::string user_of(std::uint32_t connection) const;
};

struct LoadReport {
  LoadCounts counts{};
  LoadTimes times{};
  std::uint64_t planned = 0;         // messages
  std::uint64_t sent = 0;            // of them
  std::uint64_t left_open = 0;       // orders that were in the book at the end
  std::uint64_t unanswered = 0;      // orders without an acknowledgement
  std::uint64_t breaks = 0;          // connections that were broken off by us
  std::uint64_t lost = 0;            // that the venue broke off
  double seconds = 0;                // from the common beginning to the last answer
  bool stopped = false;              // by stop()
  std::vector<std::string> wrong{};  // what was not as it should be, a sentence for each connection at most

  bool good() const { return wrong.empty() && unanswered == 0; }
};

class LoadRun {
 public:
  /// Throws std::invalid_argument for options that make no sense.
  explicit LoadRun(LoadOptions options);
  ~LoadRun();

  /// Once.
  LoadReport run();
  /// Nothing more is sent; what is under way is waited for. From any thread or signal handler.
  void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }

  struct Progress {
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    std::uint32_t ready = 0;  // connections that are logged in
    Duration elapsed{0};      // since the common beginning
  };
  Progress progress() const;
  const LoadOptions& options() const { return options_; }

  struct Shared;  // with the actors

 private:
  LoadOptions options_;
  std::atomic<bool> stop_{false};
  std::unique_ptr<Shared> shared_;
};

}  // namespace outcry
