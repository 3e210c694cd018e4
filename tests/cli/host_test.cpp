// --host: schedulers where a profile places them.
#include "program.hpp"

#include <sched.h>

using namespace program_test;

TEST_CASE("a profile for another machine is refused, one for this machine places the run and changes nothing in it") {
  const Scratch scratch;
  const std::vector<std::string> market = {"simulate", "--for", "1m", "--json"};
  const auto run_on = [&](const std::string& profile) {
    std::ofstream(scratch.path("host.toml")) << profile;
    std::vector<std::string> arguments = market;
    arguments.insert(arguments.end(), {"--host", scratch.path("host.toml")});
    return outcry(arguments);
  };
  const auto profile = [](const std::string& nodes, const std::string& cores, const std::string& processors) {
    return "name = \"x\"\n[machine]\nnodes = " + nodes + "\ncores = " + cores + "\nprocessors = " + processors +
           "\n[[cast]]\nrole = \"symbols\"\nprocessors = \"0\"\nnode = 0\n";
  };

  const Ended refused = run_on(profile("7", "3", "5"));
  CHECK(refused.status == 1);
  const std::string sentence = "host.toml is for a machine of 7 nodes, 3 cores and 5 processors; this one has ";
  const auto at = refused.err.find(sentence);
  REQUIRE(at != std::string::npos);

  unsigned nodes = 0, cores = 0, processors = 0;
  REQUIRE(std::sscanf(refused.err.c_str() + at + sentence.size(), "%u, %u and %u", &nodes, &cores, &processors) == 3);
  const Ended placed = run_on(profile(std::to_string(nodes), std::to_string(cores), std::to_string(processors)));
  const Ended anywhere = outcry(market);
  if (processors > 1) {  // the program inherits where it may run
    cpu_set_t before, other;
    REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
    CPU_ZERO(&other);
    CPU_SET(1, &other);
    if (sched_setaffinity(0, sizeof other, &other) == 0) {
      const Ended kept_out = run_on(profile(std::to_string(nodes), std::to_string(cores), std::to_string(processors)));
      sched_setaffinity(0, sizeof before, &before);
      CHECK(kept_out.status == 1);
      CHECK(contains(kept_out.err, "host.toml: this process may not run on processor 0"));
    }
  }

  CHECK(placed.status == 0);
  CHECK(contains(placed.err, "scheduler 0, node: asked node 0, obtained "));
  CHECK(Json::parse(placed.out)["digest"] == Json::parse(anywhere.out)["digest"]);
  CHECK_FALSE(contains(anywhere.err, "scheduler"));
}

TEST_CASE("more schedulers than a profile has places are refused, as is a profile that is none") {
  const Scratch scratch;
  const Ended none = outcry({"simulate", "--for", "1m", "--host", scratch.path("none.toml")});
  CHECK(none.status == 1);
  CHECK(contains(none.err, "none.toml: cannot be opened: No such file or directory"));

  std::ofstream(scratch.path("bad.toml")) << "name = \"x\"\nprocessor = 3\n";
  const Ended bad = outcry({"simulate", "--for", "1m", "--host", scratch.path("bad.toml")});
  CHECK(bad.status == 1);
  CHECK(contains(bad.err, "bad.toml, line 2: there is no key processor"));
}
