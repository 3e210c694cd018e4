#include <outcry/actors/run.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "command_line.hpp"

namespace outcry {

namespace {

std::string help(std::string_view program, std::string_view does, std::span<const Subcommand> subcommands) {
  std::string text = fmt::format("{} {}: {}\n\n", program, OUTCRY_VERSION, does);
  for (const Subcommand& one : subcommands) {
    const std::string call = fmt::format("{} {} {} [OPTIONS]", program, one.name, one.arguments);
    text += fmt::format("  {:<48} {}\n", call, one.does);
  }
  text += fmt::format("\n{} SUBCOMMAND --help lists the options of one; {} --version says which version this is.\n",
                      program, program);
  return text;
}

}  // namespace

int run_subcommand(std::string_view does, std::span<const Subcommand> subcommands, StrategyFunction strategy, int argc,
                   char** argv) {
  std::string program = argc > 0 ? argv[0] : "outcry";
  program.erase(0, program.rfind('/') + 1);
  if (argc < 2) {
    fmt::print(stderr, "{}", help(program, does, subcommands));
    return 2;
  }
  const std::string_view name = argv[1];
  if (name == "--help" || name == "-h" || name == "help") {
    fmt::print("{}", help(program, does, subcommands));
    return 0;
  }
  if (name == "--version") {
    fmt::print("{} {}\n", program, OUTCRY_VERSION);
    return 0;
  }
  const auto found =
      std::find_if(subcommands.begin(), subcommands.end(), [&](const Subcommand& one) { return one.name == name; });
  if (found == subcommands.end()) {
    std::vector<std::string> names;
    std::string list;
    for (const Subcommand& one : subcommands) {
      names.emplace_back(one.name);
      list += (list.empty() ? "" : ", ") + names.back();
    }
    fmt::print(stderr, "{}: there is no subcommand {}{}\n", program, name,
               suggestion(name, names).empty() ? "; expected one of: " + list : suggestion(name, names));
    return 2;
  }
  std::string called = fmt::format("{} {}", program, name);
  std::vector<char*> arguments(argv + 1, argv + argc);
  arguments[0] = called.data();
  arguments.push_back(nullptr);
  return found->command(argc - 1, arguments.data(), strategy);
}

int run(StrategyFunction strategy, int argc, char** argv) {
  static constexpr std::array<Subcommand, 3> subcommands{simulate_subcommand, replay_subcommand, live_subcommand};
  return run_subcommand("a trading strategy", subcommands, strategy, argc, argv);
}

}  // namespace outcry
