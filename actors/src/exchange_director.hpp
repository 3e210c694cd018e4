// The director of an exchange: opens it, and ends its day.
//
// Opening: each door is asked where it is; the first that does not open is why the exchange does not.
// The end: nobody comes in any more; orders that do not outlive their client are cancelled; everyone is told everything,
// and then that it was all (OUCH: end of session; FIX: Logout, which the client answers); the feeds end; the symbols write
// down what they counted. Whoever has not gone within VenueConfig::Sizes::drain is left, and it is said so.
// Thread: scheduler 0.
#pragma once

#include "exchange_parts.hpp"

namespace outcry {

Actor exchange_director(DirectorSelf self, Exchange::Parts* parts);

}  // namespace outcry
