// HostProfile: where on a machine the schedulers of a program run: a file that places the cast on cores.
//
//     name = "a laptop"
//     siblings_free = true       # the other processor of a scheduler's core stays idle
//
//     [machine]                  # what it is for
//     nodes = 1
//     cores = 4
//     processors = 8
//
//     [memory]
//     huge_pages = "transparent" # none, transparent, reserved
//     lock = false
//     prefault_mb = 64           # of each scheduler's arena
//
//     [[cast]]                   # in this order the schedulers take their seats
//     role = "symbols"
//     processors = "1-3"
//     node = 0                   # where their memory is
//     priority = 0               # 1 to 99: real time
//
// Thread: a value. Errors: HostProfileError with file, line and key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <outcry/runtime/memory.hpp>
#include <outcry/runtime/runtime.hpp>
#include <outcry/runtime/topology.hpp>

namespace outcry {

struct HostProfileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct HostProfile {
  /// One scheduler's.
  struct Seat {
    std::uint32_t processor = 0;
    std::uint32_t node = 0;
    std::uint32_t priority = 0;  // of real time, 1 to 99; 0: ordinary
    std::string role{};
    std::uint32_t line = 0;  // in the file
    friend bool operator==(const Seat&, const Seat&) = default;
  };

  std::string file{};
  std::string name{};
  std::uint32_t nodes = 0;  // of the machine that it is for
  std::uint32_t cores = 0;
  std::uint32_t processors = 0;
  bool siblings_free = false;
  MemoryOptions memory{};  // its `nodes` are those of the seats
  std::vector<Seat> seats{};

  /// Of the first so many seats. Throws HostProfileError if there are fewer.
  std::vector<std::uint32_t> processors_for(std::uint32_t schedulers) const;
  MemoryOptions memory_for(std::uint32_t schedulers) const;
  /// Gives a runtime's schedulers the first seats, with their priorities.
  void place(RuntimeOptions& options) const;
};

/// Throws HostProfileError.
HostProfile read_host_profile(const std::filesystem::path& file);

/// Why the profile is not for this machine, in one sentence; empty: it is.
std::string mismatch(const HostProfile& profile, const Topology& topology);

}  // namespace outcry
