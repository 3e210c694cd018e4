// outcry serve: an exchange on sockets.
#include "subcommands.hpp"

const outcry::Subcommand outcry::cli::serve = outcry::serve_subcommand;
