// Topology: the processors of a machine, which of them share a core or a cache, and on which node of memory they are.
//
// Read from a folder that looks like /sys, so that machines that were recorded elsewhere can be read, too.
// A processor is what the kernel numbers; the processors of one core (hyper-threads) are siblings.
// Thread: a value. Errors: TopologyError, with the file and what was expected there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace outcry {

struct TopologyError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// "0-3,8" as {0, 1, 2, 3, 8}; an empty text is an empty list. Throws std::invalid_argument with one sentence.
std::vector<std::uint32_t> parse_processors(std::string_view text);
/// {0, 1, 2, 3, 8} as "0-3,8". Requires: ascending.
std::string processors_text(const std::vector<std::uint32_t>& processors);

struct Topology {
  struct Cache {
    enum class Kind : std::uint8_t { data, instructions, unified };
    std::uint32_t level = 1;
    Kind kind = Kind::unified;
    std::uint64_t bytes = 0;
    std::vector<std::uint32_t> processors;  // that share it
    friend bool operator==(const Cache&, const Cache&) = default;
  };
  struct Processor {
    std::uint32_t number = 0;
    std::uint32_t node = 0;
    std::uint32_t package = 0;
    std::uint32_t core = 0;               // counted from 0 over the whole machine
    std::vector<std::uint32_t> siblings;  // the processors of its core, itself among them
    std::vector<Cache> caches;            // nearest first
  };
  struct Node {
    std::uint32_t number = 0;
    std::uint64_t memory_bytes = 0;         // zero: it has none, or the folder does not say
    std::vector<std::uint32_t> processors;  // may be empty: memory only
    std::vector<std::uint32_t> distances;   // to each node of `nodes`, 10 being its own; empty: not said
  };

  std::vector<Processor> processors;   // that are online, by number
  std::vector<std::uint32_t> offline;  // that are there and switched off
  std::vector<Node> nodes;             // by number; at least one

  std::uint32_t cores() const;
  /// Null: there is none, or it is offline.
  const Processor* processor(std::uint32_t number) const;
  /// Null: there is none.
  const Node* node(std::uint32_t number) const;
};

/// Throws TopologyError. A machine whose kernel knows no nodes has one.
Topology read_topology(const std::filesystem::path& sysfs = "/sys");

/// "2 nodes, 56 cores, 112 processors", and a line for each node:
///
///     node 0: processors 0-27,56-83; 93 GB; distances 10 21
std::string to_string(const Topology& topology);

}  // namespace outcry
