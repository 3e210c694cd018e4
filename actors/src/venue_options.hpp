// Venue options: the rules of a simulated venue's books and the plan of its day, as settings: [rules] and [session].
#pragma once

#include <deque>
#include <string>
#include <vector>

#include <outcry/actors/session.hpp>
#include <outcry/actors/simulated_market.hpp>
#include <outcry/book/book_rules.hpp>

#include "command_line.hpp"

namespace outcry {

class VenueOptions {
 public:
  void add_to(CommandLine& line);
  /// Gives the market what was asked for. `tables`: of the market's file. Throws BadInput where the day makes no sense.
  void apply(SimulationOptions& options, const std::vector<Setting>& settings, const std::vector<std::string>& tables,
             const std::string& file) const;

  const BookRules& rules() const { return rules_; }
  const SessionPlan& session() const { return session_; }

 private:
  BookRules rules_{};
  SessionPlan session_{};
  std::deque<Form> forms_;  // settings point there
};

}  // namespace outcry
