// Orders over TCP on loopback: what a whole venue costs beside an echo.
#pragma once

#include "report.hpp"

namespace bench {

/// `echo_us`: the median round trip of a bare echo with the same waiting policy, measured in this run.
void wire_orders(Report& report, double echo_us);

}  // namespace bench
