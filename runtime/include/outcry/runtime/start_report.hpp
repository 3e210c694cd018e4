// StartReport: what was asked of the machine when a runtime started, and what was obtained.
//
// A machine that refuses (no right to real time, no such processor, no huge pages) does not stop a start: the report says
// so, and the log. Thread: a value.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace outcry {

struct StartReport {
  struct Row {
    std::string what;      // "scheduler 1, priority"
    std::string asked;     // "FIFO 10"
    std::string obtained;  // the same words as `asked`, or what there is instead, and why; of memory how much of it
    bool as_asked() const { return asked == obtained; }
    friend bool operator==(const Row&, const Row&) = default;
  };

  std::vector<Row> rows{};

  bool as_asked() const {
    return std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.as_asked(); });
  }
};

/// "scheduler 0, huge pages: asked transparent, obtained 2 MB of 4 MB in huge pages"
inline std::string to_string(const StartReport::Row& row) {
  return row.what + ": asked " + row.asked + ", obtained " + row.obtained;
}

/// A line for each row.
inline std::string to_string(const StartReport& report) {
  std::string lines;
  for (const StartReport::Row& row : report.rows) lines += to_string(row) + "\n";
  return lines;
}

}  // namespace outcry
