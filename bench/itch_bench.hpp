// OBW1's stream as a recorded market: ITCH 5.0 in BinaryFILE frames, read in place and applied to full order-by-order
// books; against the least parser in front of the limit.
#pragma once

#include "obw1.hpp"
#include "report.hpp"

namespace bench {

/// Adds itch.NAME.* to the report: nanoseconds a message of each variant, and the ratio to the limit.
void measure_itch(Report& report, const char* name, const obw1::Stream& stream);

}  // namespace bench
