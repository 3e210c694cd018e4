// Strategies: the ones that come with the program, by name.
#pragma once

#include <span>
#include <string_view>

#include <outcry/actors/trader.hpp>

namespace outcry {

struct NamedStrategy {
  std::string_view name;
  std::string_view does;
  StrategyFunction function;
};

std::span<const NamedStrategy> strategies();
/// Null if there is none of this name.
StrategyFunction strategy_named(std::string_view name);

/// Joins the best bid and offer of every symbol with one order each, further away on the side that its inventory leans
/// to, and stays out of that side once it holds ten times its size.
Strategy maker_strategy(Trader& trader);

}  // namespace outcry
