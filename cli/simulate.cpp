// outcry simulate: markets with agents, in virtual time.
#include "subcommands.hpp"

const outcry::Subcommand outcry::cli::simulate = outcry::simulate_subcommand;
