// Exchange: a live venue: the cast of a VenueConfig on the schedulers of this process, its doors open on sockets.
//
//   symbols over the schedulers, each with its book; a probe on each scheduler that counts what is there
//   gateways and a port for each account at each of them (of FIX two, one for each version), with limits before the books,
//   a kill switch, and one desk for logins
//   feeds with what was lost and snapshots; a page of metrics, by which an operator has the kill switch, too
//
// A port has the account number that its orders have in the books: the first account at the first gateway is 1, and so on
// along the gateways. All ports of an account live on one scheduler: its limits hold for them together, and exactly. It has
// one session at a time, at whatever gateway.
//
// drain() ends the day: no more logins, cancel on disconnect for those who asked for it, what is to be said is said, the
// sessions and feeds say that they are over, and when all have gone, or the time for it has run out, join() returns.
// Thread: one makes, starts and joins it; drain() and stop() from any.
// Errors: start() throws std::runtime_error with the sentence of the door that did not open.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <outcry/actors/port_times.hpp>
#include <outcry/actors/stage_times.hpp>
#include <outcry/actors/venue_config.hpp>
#include <outcry/actors/venue_probe.hpp>

namespace outcry {

/// Where somebody can come in, or listen.
struct ExchangeDoor {
  enum class Kind : std::uint8_t { gateway, feed_a, feed_b, requests, snapshots, metrics };
  Kind kind{};
  std::string name{};      // of the gateway, or the feed's session
  std::string protocol{};  // of a gateway
  Endpoint at{};
};

struct ExchangeReport {
  double seconds = 0;               // from the first open door
  bool in_time = true;              // everyone had gone before the time for draining ran out
  std::uint64_t ouch_messages = 0;  // of clients: orders, changes and cancels
  std::uint64_t fix_messages = 0;   // likewise
  std::uint64_t commands = 0;       // that reached a book
  Fairness fairness{};              // among them, if stages are measured
  std::uint64_t trades = 0;
  Volume shares = 0;
  std::uint64_t failures = 0;  // doors that an exception closed

  struct Session {
    std::string name{};                // ALICE@ouch
    const PortTimes* times = nullptr;  // as long as the exchange
  };
  std::vector<Session> sessions{};  // of OUCH, if stages are measured
};

class Exchange {
 public:
  /// `log` is called from threads of the runtime; empty: standard error. Throws std::invalid_argument, or
  /// std::runtime_error, if it cannot be built.
  explicit Exchange(VenueConfig config, std::function<void(std::string_view)> log = {});
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Opens every door; returns when they are open. Throws std::runtime_error.
  void start();
  const std::vector<ExchangeDoor>& doors() const;
  const ExchangeDoor* door(ExchangeDoor::Kind kind, std::string_view name = {}) const;

  /// Ends the day. Again: does nothing.
  void drain() noexcept;
  /// At once.
  void stop() noexcept;
  /// Waits for the end.
  ExchangeReport join();

  const VenueConfig& config() const;
  std::vector<Instrument> instruments() const;
  /// Of the schedulers. Requires: join() has returned.
  const std::vector<std::unique_ptr<StageTimes>>& stage_times() const;

  struct Parts;  // with the actors

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace outcry
