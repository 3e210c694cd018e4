// Symbol: the actor of one instrument. Its market's order is the order in which it takes messages off its mailbox.
#pragma once

#include <outcry/actors/desk.hpp>

namespace outcry {

Actor symbol(SymbolSelf self, SymbolOptions options);

}  // namespace outcry
