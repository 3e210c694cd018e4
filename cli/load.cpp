// outcry load: a load generator for an exchange on sockets.
#include "subcommands.hpp"

const outcry::Subcommand outcry::cli::load = outcry::load_subcommand;
