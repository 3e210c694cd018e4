#include "command.hpp"

#include <vector>

namespace outcry {

void CommonOptions::add_to(CommandLine& line, bool has_strategy) {
  line.add({.flag = "--out",
            .key = {},
            .value = "DIR",
            .help = "Writes the run's folder: tapes, latency, manifest",
            .target = &out});
  if (!has_strategy) {
    std::string names;
    for (const NamedStrategy& one : strategies()) names += (names.empty() ? "" : ", ") + std::string(one.name);
    line.add({.flag = "--strategy",
              .key = "strategy.name",
              .value = "NAME",
              .help = "Trades along: " + names,
              .target = &strategy});
  }
  line.add({.flag = "--json",
            .key = {},
            .value = {},
            .help = "One JSON object on standard output, for machines",
            .target = &json});
}

ChosenStrategy choose_strategy(const CommonOptions& common, StrategyFunction own) {
  if (own != nullptr) return {own, "strategy"};
  if (common.strategy.empty()) return {};
  const StrategyFunction named = strategy_named(common.strategy);
  if (named != nullptr) return {named, common.strategy};
  std::vector<std::string> names;
  std::string list;
  for (const NamedStrategy& one : strategies()) {
    names.emplace_back(one.name);
    list += (list.empty() ? "" : ", ") + names.back();
  }
  const std::string hint = suggestion(common.strategy, names);
  throw BadUsage(fmt::format("there is no strategy {}{}", common.strategy, hint.empty() ? "; expected " + list : hint));
}

}  // namespace outcry
