// Directory: the actor that tells which node of a cluster has which symbol.
//
//   request(Listing, actor)   a gateway lists its symbol; the answer is empty, or an error if another node has it
//   request(FindSymbol)       the answer is the Listing and its gateway, or an error
//
// A symbol is listed as long as its gateway lives: when a node is lost, its symbols are free for another one.
// Thread: its scheduler's.
#pragma once

#include <outcry/caf/face.hpp>
#include <outcry/cluster/words.hpp>

namespace outcry {

Actor directory(Self<CafMessage, CafDown> self, CafSelf caf);

}  // namespace outcry
