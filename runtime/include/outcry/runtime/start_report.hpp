// StartReport: what a program asked of its machine as it started, and what it was given.
//
// Thread: a value.
#pragma once

#include <string>
#include <vector>

namespace outcry {

struct StartReport {
  struct Row {
    std::string what;
    std::string asked;
    std::string obtained;
    friend bool operator==(const Row&, const Row&) = default;
  };
  std::vector<Row> rows{};
};

/// A line for each row: "scheduler 0, huge pages: asked transparent, obtained 2 MB of 4 MB"
std::string to_string(const StartReport& report);
std::string to_string(const StartReport::Row& row);

}  // namespace outcry
