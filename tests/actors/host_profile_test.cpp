#include <outcry/actors/host_profile.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <set>

#include <outcry/actors/simulated_market.hpp>

#include "tests/runtime/recorded_machine.hpp"

using namespace outcry;
using namespace recorded;

namespace {

HostProfile shipped(const std::string& name) {
  return read_host_profile(std::string(OUTCRY_SOURCE) + "/cli/profiles/" + name + ".toml");
}

struct Host {
  const char* name;
  void (*build)(const Machine&);
};
constexpr Host hosts[] = {{"laptop", laptop}, {"xeon_2x28", xeon_2x28}, {"epyc_64", epyc_64}};

const char* const sound =
    "name = \"mine\"\n"                                          // 1
    "siblings_free = true\n"                                     // 2
    "[machine]\nnodes = 1\ncores = 4\nprocessors = 8\n"          // 3 to 6
    "[memory]\nhuge_pages = \"transparent\"\nprefault_mb = 2\n"  // 7 to 9
    "[[cast]]\nrole = \"symbols\"\nprocessors = \"1-2\"\n"       // 10 to 12
    "node = 0\npriority = 5\n";                                  // 13, 14

std::string with(const std::string& part, const std::string& other) {
  std::string text = sound;
  const auto at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, part.size(), other);
}

/// What is said of a profile, with the folder left out.
std::string complaint(const Machine& machine, const std::string& text) {
  const std::string path = machine.path("host.toml");
  std::ofstream(path) << text;
  const auto shortened = [&](const std::string& what) {
    REQUIRE(what.starts_with(path));
    return what.substr(path.size());
  };
  try {
    const HostProfile profile = read_host_profile(path);
    const std::string why = mismatch(profile, read_topology(machine.root()));
    return why.empty() ? "" : shortened(why);
  } catch (const HostProfileError& error) {
    return shortened(error.what());
  }
}

}  // namespace

TEST_CASE("each profile that comes with the program fits its machine, and no other") {
  for (const Host& host : hosts) {
    const HostProfile profile = shipped(host.name);
    for (const Host& other : hosts) {
      const Machine machine;
      other.build(machine);
      const Topology topology = read_topology(machine.root());
      CAPTURE(host.name);
      CAPTURE(other.name);
      if (other.build != host.build) {
        CHECK(mismatch(profile, topology).find(" is for a machine of ") != std::string::npos);
        continue;
      }
      CHECK(mismatch(profile, topology) == "");
      std::set<std::uint32_t> cores, nodes;
      for (const HostProfile::Seat& seat : profile.seats) {
        REQUIRE(topology.processor(seat.processor) != nullptr);
        CHECK(topology.processor(seat.processor)->node == seat.node);  // a scheduler's memory is on its own node
        CHECK(cores.insert(topology.processor(seat.processor)->core).second);
        CHECK(seat.processor != 0);  // the system's
        nodes.insert(seat.node);
      }
      CHECK(nodes.size() == topology.nodes.size());
      CHECK(profile.siblings_free);
    }
  }
}

TEST_CASE("a runtime's schedulers take the first seats: processors, and memory on the seats' nodes") {
  const HostProfile xeon = shipped("xeon_2x28");
  CHECK(xeon.processors_for(3) == Numbers{10, 12, 14});
  const MemoryOptions memory = xeon.memory_for(static_cast<std::uint32_t>(xeon.seats.size()));
  CHECK(memory.nodes.front() == 0);
  CHECK(memory.nodes.back() == 1);
  CHECK(memory.lock);
  CHECK(memory.huge_pages == HugePages::reserved);
  CHECK(memory.prefault_bytes == std::size_t{256} << 20);
  CHECK(xeon.seats.front() ==
        HostProfile::Seat{.processor = 10, .node = 0, .priority = 50, .role = "symbols", .line = xeon.seats[0].line});

  try {
    static_cast<void>(shipped("laptop").memory_for(4));
    FAIL("four schedulers on three seats");
  } catch (const HostProfileError& error) {
    CHECK(std::string(error.what()).ends_with("laptop.toml: has a place for 3 schedulers, not for 4"));
  }
}

TEST_CASE("a profile gives a runtime's schedulers their processors, nodes and priorities") {
  RuntimeOptions options{.schedulers = 25};
  shipped("xeon_2x28").place(options);
  CHECK(options.processors.size() == 25);
  CHECK(options.processors[22] == 54);
  CHECK(options.memory.nodes == Numbers(25, 0));
  Numbers priorities(25, 50);
  CHECK(options.fifo_priorities == priorities);
  options.schedulers = 28;
  shipped("xeon_2x28").place(options);
  CHECK(Numbers(options.fifo_priorities.end() - 3, options.fifo_priorities.end()) == Numbers{50, 40, 40});
}

TEST_CASE("a profile that is not sound is refused with file, line and key") {
  const Machine machine;
  laptop(machine);
  CHECK(complaint(machine, sound) == "");
  const struct {
    std::string text;
    const char* complaint;
  } cases[] = {
      {with("cores = 4", "core = 4"), ", line 5: there is no key machine.core, did you mean cores?"},
      {with("cores = 4\n", ""), ", line 3: machine.cores is missing, expected a whole number from 1 to 65536"},
      {with("nodes = 1", "nodes = \"one\""),
       ", line 4: machine.nodes is no whole number, expected a whole number from 1 to 1024"},
      {with("nodes = 1", "nodes = 0"), ", line 4: machine.nodes is 0, expected a whole number from 1 to 1024"},
      {with("= true", "= 1"), ", line 2: siblings_free is neither true nor false"},
      {with("\"transparent\"", "\"big\""),
       ", line 8: memory.huge_pages is \"big\", expected \"none\", \"transparent\" or \"reserved\""},
      {with("\"1-2\"", "\"1-\""), ", line 12: cast.processors holds \"1-\", expected a list such as 0-3,8"},
      {with("\"1-2\"", "\"\""), ", line 12: cast.processors is empty, expected a list such as \"0-3,8\""},
      {with("\"1-2\"", "12"), ", line 12: cast.processors is no text, expected a list such as \"0-3,8\""},
      {with("node = 0", "node = 1"), ", line 13: cast.node is 1, expected one of the machine's: 0 to 0"},
      {with("priority = 5", "priority = 100"), ", line 14: cast.priority is 100, expected a whole number from 0 to 99"},
      {std::string(sound) + "[[cast]]\nrole = \"x\"\nprocessors = \"2\"\nnode = 0\n",
       ", line 17: cast.processors names processor 2, which is in line 12 already"},
      {with("[[cast]]", "[cast]"), ", line 10: there is no cast, expected [[cast]] with processors"},
      {with("name = \"mine\"", "name = mine"), ", line 1: is not TOML: "},
  };
  for (const auto& one : cases) {
    const std::string said = complaint(machine, one.text);
    CAPTURE(said);
    CHECK(said.starts_with(one.complaint));
    CHECK(said.find('\n') == std::string::npos);
  }
  CHECK_THROWS_AS(read_host_profile(machine.root()), HostProfileError);
  CHECK_THROWS_AS(read_host_profile(machine.path("none.toml")), HostProfileError);
}

TEST_CASE("a profile for another machine is refused with what this one is, or lacks") {
  const Machine machine;
  laptop(machine);
  CHECK(complaint(machine, with("cores = 4", "cores = 2")) ==
        " is for a machine of 1 node, 2 cores and 8 processors; this one has 1, 4 and 8");
  CHECK(complaint(machine, with("\"1-2\"", "\"1,9\"")) ==
        ", line 12: cast.processors names processor 9, which this machine does not have, or has switched off");
  CHECK(complaint(machine, with("\"1-2\"", "\"1,5\"")) ==
        ", line 12: processor 5 is on the core of processor 1, but siblings_free is true");

  const Machine xeon;
  xeon_2x28(xeon);
  const std::string two = "[machine]\nnodes = 2\ncores = 56\nprocessors = 112\n";
  CHECK(complaint(xeon, with("[machine]\nnodes = 1\ncores = 4\nprocessors = 8\n", two)) ==
        ", line 12: cast.node is 0, but processor 1 is on node 1");
}

TEST_CASE("a simulated market is the same to the bit wherever its schedulers and their memory are placed") {
  SimulationOptions options;
  options.symbols = 4;
  options.schedulers = 2;
  options.length = std::chrono::minutes(5);
  const SimulationReport free_to_go = SimulatedMarket(options).run();

  options.processors = {0, 0};
  options.memory = {.huge_pages = HugePages::transparent, .nodes = {0, 0}, .prefault_bytes = std::size_t{4} << 20};
  const SimulationReport placed = SimulatedMarket(options).run();

  CHECK(placed.digest == free_to_go.digest);
  CHECK(placed.trades > 0);
}
