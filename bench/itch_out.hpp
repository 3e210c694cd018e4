// How many messages a second a feed can send: changes of orders in, MoldUDP64 packets out.
#pragma once

#include "report.hpp"

namespace bench {

/// itch_out.*: encoded, kept, applied to the feed's own picture and packed; then also sent over loopback, one system call
/// for each packet. What comes out is counted, and a client's books are compared with the market's. itch_out.lines.*: a packet
/// that two sockets of an actor send, copied for each, and shared by count.
void measure_itch_out(Report& report);

}  // namespace bench
