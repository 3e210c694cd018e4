#include <outcry/runtime/start_report.hpp>

namespace outcry {

std::string to_string(const StartReport::Row& row) {
  return row.what + ": asked " + row.asked + ", obtained " + row.obtained;
}

std::string to_string(const StartReport& report) {
  std::string text;
  for (const StartReport::Row& row : report.rows) text += to_string(row) + "\n";
  return text;
}

}  // namespace outcry
