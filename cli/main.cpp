// The program outcry. A strategy of yours gets the same subcommands from outcry::run().
#include <array>

#include <outcry/actors/run.hpp>

#include "subcommands.hpp"

int main(int argc, char** argv) {
  const std::array subcommands{outcry::cli::simulate, outcry::cli::replay, outcry::cli::serve, outcry::cli::load,
                               outcry::cli::watch};
  return outcry::run_subcommand("coroutine actors for electronic markets", subcommands, nullptr, argc, argv);
}
