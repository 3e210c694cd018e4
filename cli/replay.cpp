// outcry replay: recorded market data through the same actors.
#include "subcommands.hpp"

const outcry::Subcommand outcry::cli::replay = outcry::replay_subcommand;
