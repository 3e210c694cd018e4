#include <outcry/runtime/shared_pool.hpp>

namespace outcry {

std::string to_string(const SharedPoolReport& report) {
  return "objects: " + std::to_string(report.in_use) + " in use, " + std::to_string(report.high_water) +
         " at most of " + std::to_string(report.capacity) + " (" + std::to_string(report.prefaulted) + " prefaulted, " +
         std::to_string(report.bytes) + " bytes), grown " + std::to_string(report.grown) +
         (report.grown == 1 ? " time, " : " times, ") + std::to_string(report.refused) + " refused";
}

}  // namespace outcry
