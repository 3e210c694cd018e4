// Subcommands: what the program outcry can do, one thin file for each.
#pragma once

#include <outcry/actors/run.hpp>

namespace outcry::cli {

extern const Subcommand simulate;
extern const Subcommand replay;
extern const Subcommand serve;
extern const Subcommand load;
extern const Subcommand watch;

}  // namespace outcry::cli
