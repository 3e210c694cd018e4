// AwaitedTerms: replacements with other terms of which the first part has come (InPlaceOf), and the order has not yet.
//
// A ReplaceTerms is larger than an envelope, so it travels in two parts, one right behind the other. Whoever takes them
// keeps the first here until the second comes.
// Thread: one owner. Limits: one of each account; no allocation once each has had one.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include <outcry/messages/commands.hpp>

namespace outcry {

class AwaitedTerms {
 public:
  /// Another one of the account that is still waited for is forgotten.
  void await(const InPlaceOf& first) {
    std::erase_if(awaited_, [&](const InPlaceOf& one) { return one.account == first.account; });
    awaited_.push_back(first);
  }
  /// What the order takes the place of; nothing: it is an order of its own.
  std::optional<InPlaceOf> completed_by(const SpecialOrder& order) {
    const auto found = std::find_if(awaited_.begin(), awaited_.end(), [&](const InPlaceOf& one) {
      return one.account == order.account && one.new_id == order.id;
    });
    if (found == awaited_.end()) return std::nullopt;
    const InPlaceOf first = *found;
    awaited_.erase(found);
    return first;
  }

 private:
  std::vector<InPlaceOf> awaited_;
};

}  // namespace outcry
