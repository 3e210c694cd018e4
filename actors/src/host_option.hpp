// Host option: --host FILE of the subcommands that play a market.
#pragma once

#include <string>

#include <outcry/actors/host_profile.hpp>

#include "command_line.hpp"

namespace outcry {

/// Gives the market's schedulers the first seats of the profile. Throws BadInput with one sentence if it is broken or
/// not for this machine.
template <class Options>
void take_seats(Options& options, const std::string& file) {
  try {
    const HostProfile profile = read_host_profile(file);
    if (const std::string why = mismatch(profile, read_topology()); !why.empty()) throw BadInput(why);
    options.processors = profile.processors_for(options.schedulers);
    options.memory = profile.memory_for(options.schedulers);
  } catch (const HostProfileError& error) {
    throw BadInput(error.what());
  } catch (const TopologyError& error) {
    throw BadInput(error.what());
  }
}

}  // namespace outcry
