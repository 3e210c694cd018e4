// OBW1 through actors on one core: a source sends commands, symbols match, a sink reads the events; against the same
// stream through the same books without any actor.
#pragma once

#include "obw1.hpp"
#include "report.hpp"

namespace bench {

/// Adds actors.NAME.* to the report: nanoseconds a message, the ratio to the bare books, and what stamps cost.
void measure_actors(Report& report, const char* name, const obw1::Stream& stream);

}  // namespace bench
