// Host option: --host FILE of the subcommands that play a market.
#pragma once

#include <sched.h>

#include <string>

#include <outcry/actors/host_profile.hpp>

#include "command_line.hpp"

namespace outcry {

/// False: taskset or a cpuset keeps this process from it.
inline bool may_run_on(std::uint32_t processor) {
  cpu_set_t allowed;
  return sched_getaffinity(0, sizeof allowed, &allowed) != 0 ||
         (processor < CPU_SETSIZE && CPU_ISSET(processor, &allowed));
}

/// Gives the market's schedulers the first seats of the profile. Throws BadInput with one sentence if it is broken or
/// not for this machine.
template <class Options>
void take_seats(Options& options, const std::string& file) {
  try {
    const HostProfile profile = read_host_profile(file);
    if (const std::string why = mismatch(profile, read_topology()); !why.empty()) throw BadInput(why);
    options.processors = profile.processors_for(options.schedulers);
    for (const std::uint32_t processor : options.processors)
      if (!may_run_on(processor))
        throw BadInput(file + ": this process may not run on processor " + std::to_string(processor) +
                       " (taskset -p $$ shows where)");
    options.memory = profile.memory_for(options.schedulers);
  } catch (const HostProfileError& error) {
    throw BadInput(error.what());
  } catch (const TopologyError& error) {
    throw BadInput(error.what());
  }
}

}  // namespace outcry
