// outcry::run(): the subcommands with a strategy of one's own.
#include "program.hpp"

using namespace program_test;

namespace {

Ended own(std::vector<std::string> arguments) { return Program(std::move(arguments), {}, OUTCRY_OWN_STRATEGY).end(); }

}  // namespace

TEST_CASE("a program of one's own has simulate and replay, under its own name") {
  const Ended help = own({"--help"});
  CHECK(help.status == 0);
  CHECK(contains(help.out, "own_strategy simulate"));
  CHECK(contains(help.out, "own_strategy replay"));
  CHECK(contains(own({"simulate", "--symbls"}).err, "own_strategy simulate: there is no option --symbls"));
  // The strategy is chosen.
  CHECK(own({"simulate", "--strategy", "maker"}).status == 2);
}

TEST_CASE("a strategy of one's own ends with position, cash and profit in the run's folder") {
  Scratch scratch;
  const Ended ended = own({"simulate", "--for", "5m", "--taker-fee", "2", "--json", "--out", scratch.path("run")});

  CHECK(ended.status == 0);
  const Json object = ended.json();
  CHECK(object["position"] == 100);
  CHECK(object["cash"] < 0);
  CHECK(object["fees"] == 2.0);
  CHECK(Json::parse(contents(scratch.path("run/strategy.json")))["position"] == 100);
  CHECK(contains(contents(scratch.path("run/positions.csv")), "\nS0000,100,-"));
}

TEST_CASE("the same strategy takes part in recorded markets") {
  if (missing({"golden/itch50_aapl_20200130_10k.bin"})) return;
  const Json object =
      own({"replay", data("golden/itch50_aapl_20200130_10k.bin"), "--latency", "10ms", "--json"}).json();
  CHECK(object["strategy"]["orders"] == 1);
  CHECK(object["trades"] == 1'089);
}

TEST_CASE("a strategy that throws is told, and is status 1") {
  const Ended ended = own({"simulate", "--symbols", "3", "--for", "1m", "--json"});
  CHECK(ended.status == 1);
  CHECK(contains(ended.err, "three symbols are too many"));
  CHECK(contains(ended.json()["error"].get<std::string>(), "three symbols are too many"));
}
