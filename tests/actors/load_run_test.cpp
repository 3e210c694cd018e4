// The load generator over real sockets, against a venue that is right, and against venues that are not.
#include <outcry/actors/load_run.hpp>

#include <stdexcept>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "little_venue.hpp"

using namespace outcry;
using namespace outcry_test;

namespace {

LoadOptions options(const Endpoint& at, LoadScenario scenario = LoadScenario::steady) {
  return {.venue = at,
          .user = "LOAD#",
          .password = "right",
          .plan = {.scenario = scenario,
                   .connections = 3,
                   .rate = 3'000,
                   .length = std::chrono::milliseconds(300),
                   .period = std::chrono::milliseconds(50),
                   .reconnect = std::chrono::milliseconds(60)},
          .orders = {.symbols = {"AAPL"}, .most_resting = 20},
          .patience = std::chrono::milliseconds(1'500)};
}

bool says(const LoadReport& report, const std::string& part) {
  for (const std::string& sentence : report.wrong)
    if (sentence.find(part) != std::string::npos) return true;
  for (const std::string& sentence : report.wrong) MESSAGE(sentence);
  return false;
}

}  // namespace

TEST_CASE("in every scenario a right venue is found right, all is sent, and nothing is left in the book") {
  for (const LoadScenario scenario : {LoadScenario::steady, LoadScenario::burst, LoadScenario::cancel_storm,
                                      LoadScenario::slow_reader, LoadScenario::reconnect_storm}) {
    CAPTURE(name_of(scenario));
    LittleVenue venue;
    LittleVenueRun running(venue);
    const LoadReport report = LoadRun(options(running.at(), scenario)).run();
    running.end();

    for (const std::string& sentence : report.wrong) MESSAGE(sentence);
    CHECK(report.good());
    CHECK(report.planned == 900);
    CHECK(report.sent == 900);
    CHECK(report.counts.acknowledged == report.counts.orders);
    CHECK(report.left_open == 0);
    CHECK(report.times.ack.count() == report.counts.orders);
    CHECK(report.times.ack.min() > 0);
    CHECK(report.times.sent.count() == 900);
    CHECK(venue.accounts.size() == 3);
    std::uint64_t orders = 0;
    for (const auto& [user, account] : venue.accounts) {
      orders += account.last;
      CHECK(account.open.empty());
      CHECK(account.logins == (scenario == LoadScenario::reconnect_storm ? 5 : 1));
    }
    CHECK(orders == report.counts.orders);
    CHECK(report.breaks == (scenario == LoadScenario::reconnect_storm ? 12 : 0));
  }
}

TEST_CASE("several threads bring the same orders") {
  LittleVenue venue;
  LittleVenueRun running(venue);
  LoadOptions two = options(running.at());
  two.schedulers = 2;
  const LoadReport report = LoadRun(two).run();
  CHECK(report.good());
  CHECK(report.sent == 900);
}

TEST_CASE("a second run goes on where the first one ended") {
  LittleVenue venue;
  LittleVenueRun running(venue);
  const LoadReport first = LoadRun(options(running.at())).run();
  const LoadReport second = LoadRun(options(running.at())).run();
  CHECK(first.good());
  CHECK(second.good());
  CHECK(second.counts.acknowledged == second.counts.orders);
}

TEST_CASE("a venue that leaves one acknowledgement out, or says one twice, or another one, is found out") {
  struct Case {
    const char* name;
    int fault;
    const char* sentence;
  };
  for (const Case& one : {Case{"left out", 0, ""}, Case{"another", 1, " was accepted as another one"},
                          Case{"late", 2, ", which was never sent"}}) {
    CAPTURE(one.name);
    LittleVenue venue;
    int seen = 0;
    venue.spoil = [&](std::vector<std::byte>& bytes) {
      if (static_cast<char>(bytes[0]) != 'A' || ++seen != 100) return true;
      if (one.fault == 1) bytes[17] = std::byte{1};
      if (one.fault == 2) bytes[10] = std::byte{0xFF};
      return one.fault != 0;
    };
    LittleVenueRun running(venue);
    const LoadReport report = LoadRun(options(running.at())).run();
    CHECK_FALSE(report.good());
    if (one.fault == 0) {
      CHECK(report.unanswered >= 1);  // if that order trades, its connection ends there, with others on their way
    } else {
      CHECK(says(report, one.sentence));
    }
  }
}

TEST_CASE("a venue that closes, lets nobody in, or is not there, is said in a sentence with the user") {
  {
    LittleVenue venue;
    venue.most_messages = 200;
    LittleVenueRun running(venue);
    const LoadReport report = LoadRun(options(running.at())).run();
    CHECK_FALSE(report.good());
    CHECK(says(report, "LOAD1: the venue closed the connection"));
  }
  {
    LittleVenue venue;
    LittleVenueRun running(venue);
    LoadOptions wrong = options(running.at());
    wrong.password = "wrong";
    const LoadReport report = LoadRun(wrong).run();
    CHECK(says(report, "LOAD3: the venue does not let this user in"));
    CHECK(report.sent == 0);
  }
  {
    LittleVenue venue;
    LittleVenueRun running(venue);
    const Endpoint at = running.at();
    running.end();
    LoadOptions nobody = options(at);
    nobody.patience = std::chrono::milliseconds(100);
    const LoadReport report = LoadRun(nobody).run();
    CHECK(says(report, "cannot connect to " + at.text() + ": "));
  }
}

TEST_CASE("a load that is stopped sends no more, waits for its answers, and says so") {
  LittleVenue venue;
  LittleVenueRun running(venue);
  LoadOptions endless = options(running.at());
  endless.plan.length = std::chrono::hours(1);
  LoadRun run(endless);
  std::thread stopper([&] {
    while (run.progress().answered < 100) std::this_thread::yield();
    run.stop();
  });
  const LoadReport report = run.run();
  stopper.join();
  CHECK(report.stopped);
  CHECK(report.good());
  CHECK(report.sent >= 100);
  CHECK(report.sent < report.planned);
  CHECK(report.counts.acknowledged == report.counts.orders);
  CHECK(report.left_open == 0);
}

TEST_CASE("options that make no sense are refused before anything is opened") {
  LoadOptions several = options(Endpoint::loopback(1));
  several.user = "LOAD";
  CHECK_THROWS_WITH_AS(LoadRun{several},
                       "several connections are several accounts: the user needs a # for their number",
                       std::invalid_argument);
  LoadOptions many = options(Endpoint::loopback(1));
  many.plan.connections = 100;
  CHECK_THROWS_WITH_AS(LoadRun{many}, "the user of the last connection has more than 6 characters",
                       std::invalid_argument);
  LoadOptions nothing = options(Endpoint::loopback(1));
  nothing.orders.symbols.clear();
  CHECK_THROWS_AS(LoadRun{nothing}, std::invalid_argument);
}
