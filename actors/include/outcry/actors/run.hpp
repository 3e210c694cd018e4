// run: a user's strategy as a program.
//
//   int main(int argc, char** argv) { return outcry::run(my_strategy, argc, argv); }
//
// gives it the subcommands `simulate` and `replay` with the options of the program outcry (`--help` lists them), the
// run's folder, and the report at the end.
// Returns the exit status: 0 only if what was asked came true, 1 if it did not, 2 for bad usage.
#pragma once

#include <outcry/actors/trader.hpp>

namespace outcry {

int run(StrategyFunction strategy, int argc, char** argv);

/// One subcommand each; argv[0] is its name. `strategy` may be null.
int simulate_command(int argc, char** argv, StrategyFunction strategy);
int replay_command(int argc, char** argv, StrategyFunction strategy);

}  // namespace outcry
