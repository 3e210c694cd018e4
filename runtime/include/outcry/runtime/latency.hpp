// Latency: how long a message is under way in virtual time. It belongs to the link between two actors, not to where
// the actors happen to run.
//
// arrival = departure + base + |distance of the sender - distance of the receiver| + jitter
//
// where the base is within_site or between_sites, and the jitter is exponential. On one link nothing overtakes.
// The least latency between sites is the lookahead: schedulers may run that far ahead of each other. Without links
// between sites (never) they need not wait for each other at all.
// Memory: O(actors); with jitter O(links used).
#pragma once

#include <outcry/runtime/time.hpp>

namespace outcry {

struct Latency {
  Duration within_site{0};
  Duration between_sites = forever;  // forever: there are no such links, and using one is an error
  Duration jitter{0};                // mean; zero: none
};

}  // namespace outcry
