#include <doctest/doctest.h>

#include "recorded_machine.hpp"

#include <algorithm>
#include <set>

using namespace outcry;
using namespace recorded;

namespace {

/// What read_topology() says of a folder that it cannot read, with the folder itself left out.
std::string complaint(const Machine& machine) {
  try {
    const Topology topology = read_topology(machine.root());
    return "read: " + to_string(topology);
  } catch (const TopologyError& error) {
    const std::string what = error.what();
    REQUIRE(what.starts_with(machine.root().string()));
    return what.substr(machine.root().string().size() + 1);
  }
}

Topology::Cache largest_cache(const Topology& topology, std::uint32_t processor) {
  REQUIRE(topology.processor(processor) != nullptr);
  return topology.processor(processor)->caches.back();
}

}  // namespace

TEST_CASE("a list of processors is read as the kernel writes it, and written back the same") {
  CHECK(parse_processors("0-3,8,10-11\n") == Numbers{0, 1, 2, 3, 8, 10, 11});
  CHECK(parse_processors("\n").empty());
  CHECK(parse_processors("") == Numbers{});
  CHECK(parse_processors("7") == Numbers{7});
  for (const char* text : {"0", "0-7", "0,2,4", "0-27,56-83", "5-6,9"})
    CHECK(processors_text(parse_processors(text)) == text);
}

TEST_CASE("what is no list of processors is refused with what was found") {
  for (const char* text : {"a", "0-", "-3", "3-1", "0,", ",1", "0--3", "0 1", "1,1", "4,2", "0-99999999", "0-3;5",
                           "99999999999999999999999"}) {
    CAPTURE(text);
    try {
      static_cast<void>(parse_processors(text));
      FAIL("was taken");
    } catch (const std::invalid_argument& error) {
      CHECK(error.what() == std::string("holds \"") + text + "\", expected a list such as 0-3,8");
    }
  }
}

TEST_CASE("a laptop has one node, and two processors share each of its cores") {
  const Machine machine;
  laptop(machine);

  const Topology topology = read_topology(machine.root());

  CHECK(to_string(topology) == "1 node, 4 cores, 8 processors\nnode 0: processors 0-7; 15 GB; distances 10\n");
  CHECK(topology.processor(6)->siblings == Numbers{2, 6});
  CHECK(topology.processor(6)->core == topology.processor(2)->core);
  CHECK(topology.processor(6)->caches ==
        std::vector<Topology::Cache>{{1, Topology::Cache::Kind::data, 48 << 10, {2, 6}},
                                     {1, Topology::Cache::Kind::instructions, 32 << 10, {2, 6}},
                                     {2, Topology::Cache::Kind::unified, 1280 << 10, {2, 6}},
                                     {3, Topology::Cache::Kind::unified, 12288 << 10, numbers(0, 7)}});
  CHECK(topology.processor(8) == nullptr);
  CHECK(topology.node(1) == nullptr);
}

TEST_CASE("two packages of 28 cores whose processors are numbered in turn are two nodes of 56 processors") {
  const Machine machine;
  xeon_2x28(machine);

  const Topology topology = read_topology(machine.root());

  REQUIRE(topology.nodes.size() == 2);
  CHECK(topology.cores() == 56);
  CHECK(topology.processors.size() == 112);
  CHECK(topology.nodes[0].processors == numbers(0, 110, 2));
  CHECK(topology.nodes[1].processors == numbers(1, 111, 2));
  CHECK(topology.nodes[1].memory_bytes == std::uint64_t{131'072'000} * 1024);
  CHECK(topology.nodes[1].distances == Numbers{21, 10});
  for (const Topology::Processor& one : topology.processors) {
    CHECK(one.node == one.number % 2);
    CHECK(one.package == one.node);
    CHECK(one.siblings == Numbers{one.number % 56, one.number % 56 + 56});
    CHECK(largest_cache(topology, one.number).processors == topology.nodes[one.node].processors);
  }
}

TEST_CASE("an EPYC of 64 cores with four nodes has eight caches of the third level, each within a node") {
  const Machine machine;
  epyc_64(machine);

  const Topology topology = read_topology(machine.root());

  REQUIRE(topology.nodes.size() == 4);
  CHECK(topology.cores() == 64);
  CHECK(topology.nodes[3].processors == joined(numbers(48, 63), numbers(112, 127)));
  std::set<Numbers> third_levels;
  for (const Topology::Processor& one : topology.processors) {
    const Topology::Cache cache = largest_cache(topology, one.number);
    third_levels.insert(cache.processors);
    CHECK(cache.bytes == 32 << 20);
    for (const std::uint32_t other : cache.processors) CHECK(topology.processor(other)->node == one.node);
  }
  CHECK(third_levels.size() == 8);
}

TEST_CASE("processors that are switched off are listed apart, and a node may have memory or processors only") {
  const Machine machine;
  machine.processor(0, 0, 0, {0});
  machine.processor(2, 1, 0, {2});
  machine.write("devices/system/cpu/cpu1/online", "0");
  machine.write("devices/system/cpu/cpufreq/boost", "1");
  machine.node(0, "0", 8'388'608, "10 20 40");
  machine.node(1, "2", 0, "20 10 40");
  machine.node(2, "", 67'108'864, "40 40 10");
  machine.online("0,2", "0-2");

  const Topology topology = read_topology(machine.root());

  CHECK(to_string(topology) ==
        "3 nodes, 2 cores, 2 processors, 1 offline\n"
        "node 0: processors 0; 8 GB; distances 10 20 40\n"
        "node 1: processors 2; no memory; distances 20 10 40\n"
        "node 2: no processors; 64 GB; distances 40 40 10\n");
  CHECK(topology.processor(1) == nullptr);
  CHECK(topology.processor(2)->node == 1);
}

TEST_CASE("a machine whose kernel knows no nodes has one") {
  const Machine machine;
  laptop(machine);
  machine.remove("devices/system/node");

  const Topology topology = read_topology(machine.root());

  REQUIRE(topology.nodes.size() == 1);
  CHECK(topology.nodes[0].processors == numbers(0, 7));
  CHECK(topology.nodes[0].memory_bytes == 0);
}

TEST_CASE("a file that is missing or broken is named, with what was expected in it") {
  const struct {
    const char* file;
    const char* text;  // null: the file is not there
    const char* complaint;
  } cases[] = {
      {"devices/system/cpu/online", nullptr, ": cannot be read, expected a list such as 0-3,8"},
      {"devices/system/cpu/online", "", ": names no processor, expected at least one"},
      {"devices/system/cpu/online", "0-x", ": holds \"0-x\", expected a list such as 0-3,8"},
      {"devices/system/cpu/cpu3/topology/physical_package_id", "one", ": holds \"one\", expected a number"},
      {"devices/system/cpu/cpu3/topology/thread_siblings_list", nullptr,
       ": cannot be read, expected a list such as 0-3,8"},
      {"devices/system/cpu/cpu3/topology/thread_siblings_list", "2,6",
       ": holds \"2,6\", expected a list with processor 3 in it"},
      {"devices/system/cpu/cpu3/cache/index2/size", "1280Q", ": holds \"1280Q\", expected a size such as 48K"},
      {"devices/system/cpu/cpu3/cache/index2/size", "99999999999999999999K",
       ": holds \"99999999999999999999K\", expected a size such as 48K"},
      {"devices/system/cpu/cpu3/cache/index2/level", "-1", ": holds \"-1\", expected a number"},
      {"devices/system/cpu/cpu3/cache/index2/type", "Both", ": holds \"Both\", expected Data, Instruction or Unified"},
      {"devices/system/node/online", "", ": names no node, expected at least one"},
      {"devices/system/node/node0/cpulist", nullptr, ": cannot be read, expected a list such as 0-3,8"},
      {"devices/system/node/node0/cpulist", "0-8", ": names processor 8, expected one that is online"},
      {"devices/system/node/node0/meminfo", "Node 0 MemFree: 5 kB",
       ": says nothing of MemTotal, expected \"Node 0 MemTotal: 1024 kB\""},
      {"devices/system/node/node0/meminfo", "Node 0 MemTotal: lots",
       ": has a MemTotal of \"lots\", expected \"Node 0 MemTotal: 1024 kB\""},
      {"devices/system/node/node0/distance", "10 20", ": holds \"10 20\", expected 1 distance, one for each node"},
  };
  for (const auto& one : cases) {
    const Machine machine;
    laptop(machine);
    if (one.text == nullptr) {
      machine.remove(one.file);
    } else {
      machine.write(one.file, one.text);
    }
    CHECK(complaint(machine) == std::string(one.file) + one.complaint);
  }
}

TEST_CASE("a processor on two nodes or on none is refused") {
  const Machine machine;
  xeon_2x28(machine);
  machine.write("devices/system/node/node1/cpulist", "1,2");
  CHECK(complaint(machine) ==
        "devices/system/node/node1/cpulist: names processor 2, expected one that is on no other node");
  machine.write("devices/system/node/node1/cpulist", "1");
  CHECK(complaint(machine) ==
        "devices/system/node: no node names processor 3, expected each that is online on one of them");
}

TEST_CASE("this machine is read, and has the processors that it says") {
  const Topology topology = read_topology();
  MESSAGE(to_string(topology));
  CHECK(topology.cores() >= 1);
  std::size_t on_nodes = 0;
  for (const Topology::Node& node : topology.nodes) on_nodes += node.processors.size();
  CHECK(on_nodes == topology.processors.size());
}
