// What the program says to somebody who does not know it yet, or mistypes.
#include "program.hpp"

using namespace program_test;

TEST_CASE("help lists the subcommands and each lists its options") {
  const Ended all = outcry({"--help"});
  CHECK(all.status == 0);
  CHECK(contains(all.out, "outcry simulate"));
  CHECK(contains(all.out, "outcry replay"));
  CHECK(all.err.empty());

  for (const char* option :
       {"--symbols", "--for", "--seed", "--schedulers", "--out", "--json", "--strategy", "--epsilon"})
    CHECK(contains(outcry({"simulate", "--help"}).out, option));
  for (const char* option : {"--format", "--verify", "--orderbook", "--lenient", "--levels", "--schedulers", "--json"})
    CHECK(contains(outcry({"replay", "--help"}).out, option));
  for (const char* option : {"FILE", "--host", "--out", "--json"})
    CHECK(contains(outcry({"serve", "--help"}).out, option));
  for (const char* option : {"--venue", "--user", "--connections", "--rate", "--ramp", "--for", "--scenario", "--json"})
    CHECK(contains(outcry({"load", "--help"}).out, option));

  const Ended version = outcry({"--version"});
  CHECK(version.status == 0);
  CHECK(version.out.starts_with("outcry 0."));

  CHECK(outcry({}).status == 2);
}

TEST_CASE("bad usage is status 2 and one sentence that says what was expected") {
  struct Case {
    std::vector<std::string> arguments;
    std::string sentence;
  };
  const std::vector<Case> cases{
      {{"simulte"}, "there is no subcommand simulte, did you mean simulate?"},
      {{"fly"}, "there is no subcommand fly; expected one of: simulate, replay"},
      {{"simulate", "--symbls", "3"}, "there is no option --symbls, did you mean --symbols?"},
      {{"simulate", "--symbols", "many"}, "--symbols many is not possible, expected a whole number from 1 to 100000"},
      {{"simulate", "--symbols", "0"}, "--symbols 0 is not possible, expected a whole number from 1 to 100000"},
      {{"simulate", "--symbols", "-3"}, "--symbols -3 is not possible, expected a whole number from 1 to 100000"},
      {{"simulate", "--symbols", "1e3"}, "--symbols 1e3 is not possible"},
      {{"simulate", "--symbols"}, "--symbols needs a value: a whole number from 1 to 100000"},
      {{"simulate", "--symbols", "1", "--symbols", "2"}, "--symbols was given more than once"},
      {{"simulate", "--schedulers", "1000"},
       "--schedulers 1000 is not possible, expected a whole number from 1 to 256"},
      {{"simulate", "--seed", "99999999999999999999"}, "--seed 99999999999999999999 is not possible"},
      {{"simulate", "--for", "6 hours"},
       "--for 6 hours is not possible, expected a duration greater than 0, such as 6h30m"},
      {{"simulate", "--for", "90"}, "--for 90 is not possible, expected a duration"},
      {{"simulate", "--for", "0s"}, "expected a duration greater than 0"},
      {{"simulate", "--for", "999999999h"}, "--for 999999999h is not possible"},
      {{"simulate", "--strategy", "marker"}, "there is no strategy marker, did you mean maker?"},
      {{"simulate", "--maker-fee", "2"}, "--maker-fee is of a strategy"},
      {{"simulate", "--epsilon", "0.2"}, "--epsilon is of w1"},
      {{"simulate", "w2"}, "there is no market w2, did you mean w1?"},
      {{"simulate", "w1", "--noise", "3"}, "--noise is of the market with agents"},
      {{"simulate", "w1", "--strategy", "maker"}, "no strategy takes part"},
      {{"simulate", "w1", "w1"}, "unexpected argument 'w1'"},
      {{"replay"}, "expected FILE"},
      {{"replay", "x.csv", "--format", "pcap"}, "there is no format pcap; expected itch, lobster"},
      {{"replay", "x.csv", "--levels", "3"}, "--levels is of --verify"},
  };
  for (const Case& one : cases) {
    const Ended ended = outcry(one.arguments);
    CAPTURE(one.sentence);
    CAPTURE(ended.err);
    CHECK(ended.status == 2);
    CHECK(ended.out.empty());
    CHECK(contains(ended.err, one.sentence));
    CHECK(ended.err.find('\n') == ended.err.size() - 1);
  }
}

TEST_CASE("with --json a failure is an object, too") {
  const Ended usage = outcry({"simulate", "--json", "--symbols", "x"});
  CHECK(usage.status == 2);
  CHECK(contains(usage.json()["error"].get<std::string>(), "--symbols x"));

  const Ended input = outcry({"replay", "there-is-no-such-file", "--json"});
  CHECK(input.status == 1);
  CHECK(contains(input.json()["error"].get<std::string>(), "there-is-no-such-file"));
}

TEST_CASE("a standard output that is full is not passed over") {
  const Ended ended = outcry({"simulate", "--for", "1s", "--json"}, [] {
    if (std::freopen("/dev/full", "w", stdout) == nullptr) _exit(126);
  });

  CHECK(ended.status == 1);
  CHECK(contains(ended.err, "standard output cannot be written: No space left on device"));
}
