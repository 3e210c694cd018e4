// outcry watch: a published market, live in the terminal.
#include "subcommands.hpp"

const outcry::Subcommand outcry::cli::watch = outcry::watch_subcommand;
