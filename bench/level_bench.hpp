// A level that holds very many orders, and a best price behind a wide gap.
#pragma once

#include "report.hpp"

namespace bench {

/// Adds level.* and gap.* to the report.
void measure_levels(Report& report);

}  // namespace bench
