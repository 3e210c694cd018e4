// The streams whose prices travel (streams.hpp) through a book with hashed ids.
#pragma once

#include "report.hpp"

namespace bench {

/// Adds stream.NAME.* to the report: nanoseconds a message over the whole stream, bursts included, and percentiles of
/// single operations.
void measure_streams(Report& report);

}  // namespace bench
