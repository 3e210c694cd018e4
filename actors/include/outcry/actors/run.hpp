// run: a user's strategy as a program.
//
//   int main(int argc, char** argv) { return outcry::run(my_strategy, argc, argv); }
//
// gives it the subcommands `simulate`, `replay` and `live` with the options of the program outcry (`--help` lists them), the
// run's folder, and the report at the end.
// Returns the exit status: 0 only if what was asked came true, 1 if it did not or for bad input, 2 for bad usage,
// 128 + the signal's number if a signal ended the run early.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <outcry/actors/trader.hpp>

namespace outcry {

int run(StrategyFunction strategy, int argc, char** argv);

/// What run() and the program outcry are made of.
struct Subcommand {
  std::string_view name;
  std::string_view arguments;  // as help shows them
  std::string_view does;
  /// argv[0] is how it was called: "outcry simulate". `strategy` may be null.
  int (*command)(int argc, char** argv, StrategyFunction strategy);
};

int simulate_command(int argc, char** argv, StrategyFunction strategy);
int replay_command(int argc, char** argv, StrategyFunction strategy);
int watch_command(int argc, char** argv, StrategyFunction strategy);
int live_command(int argc, char** argv, StrategyFunction strategy);
int serve_command(int argc, char** argv, StrategyFunction strategy);
int load_command(int argc, char** argv, StrategyFunction strategy);

inline constexpr Subcommand simulate_subcommand{"simulate", "[w1|FILE.toml]", "markets with agents, in virtual time",
                                                simulate_command};
inline constexpr Subcommand replay_subcommand{"replay", "FILE", "recorded market data through the same actors",
                                              replay_command};
inline constexpr Subcommand watch_subcommand{"watch", "[MARKET]", "a published market, live in the terminal",
                                             watch_command};

inline constexpr Subcommand live_subcommand{"live", "FILE.toml", "a venue on sockets", live_command};
inline constexpr Subcommand serve_subcommand{"serve", "FILE.toml", "an exchange on sockets", serve_command};
inline constexpr Subcommand load_subcommand{"load", "[FILE.toml]", "load on an exchange, and whether it answers right",
                                            load_command};

/// Picks the subcommand that argv[1] names, and calls it.
int run_subcommand(std::string_view does, std::span<const Subcommand> subcommands, StrategyFunction strategy, int argc,
                   char** argv);

}  // namespace outcry
