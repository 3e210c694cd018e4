// RecordedMachine: a folder that looks like the /sys of a machine, as far as read_topology() looks.
//
// It goes with its object. The machines are written down as the kernel numbers them.
#pragma once

#include "../scratch.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <outcry/runtime/topology.hpp>

namespace recorded {

using Numbers = std::vector<std::uint32_t>;

/// Every `step`-th number from `first` to `last`.
inline Numbers numbers(std::uint32_t first, std::uint32_t last, std::uint32_t step = 1) {
  Numbers all;
  for (std::uint32_t number = first; number <= last; number += step) all.push_back(number);
  return all;
}
inline Numbers joined(Numbers one, const Numbers& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

class Machine {
 public:
  const std::filesystem::path& root() const { return scratch_.folder(); }
  std::string path(const std::string& file) const { return scratch_.path(file); }

  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((root() / file).parent_path());
    scratch_.write(file, text + "\n");
  }
  void remove(const std::string& file) const { std::filesystem::remove_all(root() / file); }

  void processor(std::uint32_t number, std::uint32_t package, std::uint32_t core_id, const Numbers& siblings) const {
    const std::string folder = cpu(number) + "topology/";
    write(folder + "physical_package_id", std::to_string(package));
    write(folder + "core_id", std::to_string(core_id));
    write(folder + "thread_siblings_list", outcry::processors_text(siblings));
  }
  void cache(std::uint32_t number, std::uint32_t index, std::uint32_t level, const char* kind, const char* size,
             const Numbers& shared) const {
    const std::string folder = cpu(number) + "cache/index" + std::to_string(index) + "/";
    write(folder + "level", std::to_string(level));
    write(folder + "type", kind);
    write(folder + "size", size);
    write(folder + "shared_cpu_list", outcry::processors_text(shared));
  }
  void node(std::uint32_t number, const std::string& processors, std::uint64_t kilobytes,
            const std::string& distances) const {
    const std::string folder = "devices/system/node/node" + std::to_string(number) + "/";
    const std::string prefix = "Node " + std::to_string(number) + " ";
    write(folder + "cpulist", processors);
    write(folder + "meminfo",
          prefix + "MemTotal:       " + std::to_string(kilobytes) + " kB\n" + prefix + "MemFree:        1024 kB");
    write(folder + "distance", distances);
  }
  void online(const std::string& processors, const std::string& nodes) const {
    write("devices/system/cpu/online", processors);
    write("devices/system/node/online", nodes);
  }

 private:
  static std::string cpu(std::uint32_t number) { return "devices/system/cpu/cpu" + std::to_string(number) + "/"; }

  outcry_test::Scratch scratch_;
};

/// One node, four cores of two threads: n and n + 4.
inline void laptop(const Machine& machine) {
  for (std::uint32_t n = 0; n < 8; ++n) {
    const Numbers core = {n % 4, n % 4 + 4};
    machine.processor(n, 0, n % 4, core);
    machine.cache(n, 0, 1, "Data", "48K", core);
    machine.cache(n, 1, 1, "Instruction", "32K", core);
    machine.cache(n, 2, 2, "Unified", "1280K", core);
    machine.cache(n, 3, 3, "Unified", "12288K", numbers(0, 7));
  }
  machine.node(0, "0-7", 16'119'412, "10");
  machine.online("0-7", "0");
}

/// Two packages of 28 cores, a node each; even processors on the first, odd ones on the second; siblings n and n + 56.
inline void xeon_2x28(const Machine& machine) {
  for (std::uint32_t n = 0; n < 112; ++n) {
    const Numbers core = {n % 56, n % 56 + 56};
    machine.processor(n, n % 2, n % 56 / 2, core);
    machine.cache(n, 0, 1, "Data", "48K", core);
    machine.cache(n, 1, 1, "Instruction", "32K", core);
    machine.cache(n, 2, 2, "Unified", "1280K", core);
    machine.cache(n, 3, 3, "Unified", "43008K", numbers(n % 2, 110 + n % 2, 2));
  }
  for (std::uint32_t node = 0; node < 2; ++node)
    machine.node(node, outcry::processors_text(numbers(node, 110 + node, 2)), 131'072'000,
                 node == 0 ? "10 21" : "21 10");
  machine.online("0-111", "0-1");
}

/// One package of 64 cores that shows itself as four nodes; eight cores share a third level; siblings n and n + 64.
inline void epyc_64(const Machine& machine) {
  for (std::uint32_t n = 0; n < 128; ++n) {
    const std::uint32_t core_number = n % 64, complex = core_number / 8 * 8;
    const Numbers core = {core_number, core_number + 64};
    machine.processor(n, 0, core_number, core);
    machine.cache(n, 0, 1, "Data", "32K", core);
    machine.cache(n, 1, 1, "Instruction", "32K", core);
    machine.cache(n, 2, 2, "Unified", "512K", core);
    machine.cache(n, 3, 3, "Unified", "32M",
                  joined(numbers(complex, complex + 7), numbers(complex + 64, complex + 71)));
  }
  const char* distances[] = {"10 12 12 12", "12 10 12 12", "12 12 10 12", "12 12 12 10"};
  for (std::uint32_t node = 0; node < 4; ++node)
    machine.node(
        node,
        outcry::processors_text(joined(numbers(node * 16, node * 16 + 15), numbers(node * 16 + 64, node * 16 + 79))),
        65'536'000, distances[node]);
  machine.online("0-127", "0-3");
}

}  // namespace recorded
