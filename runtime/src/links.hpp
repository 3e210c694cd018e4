// Links: the two ends that know of each other, and what they say to each other.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include <outcry/runtime/actor.hpp>

namespace outcry {

using Linked = std::vector<ActorCell::Extras::Watcher>;

inline void add_link(Linked& linked, ActorCell* cell, std::uint32_t generation) {
  for (auto& other : linked)
    if (other.cell == cell && other.generation == generation) return;
  linked.push_back({cell, generation});
}

inline bool remove_link(Linked& linked, const ActorCell* cell, std::uint32_t generation) {
  return std::erase_if(linked, [&](const auto& o) { return o.cell == cell && o.generation == generation; }) > 0;
}

inline Envelope link_envelope(Envelope::Kind kind, const ActorCell& me, ActorCell* to, std::uint32_t generation) {
  Envelope envelope;
  envelope.kind = kind;
  envelope.to = to;
  envelope.generation = generation;
  const AnyAddress address(const_cast<ActorCell*>(&me), me.generation);
  std::memcpy(envelope.payload, &address, sizeof address);
  return envelope;
}

/// The other end of a link hears of the end of `ended`.
inline Envelope exit_envelope(const AnyAddress& to, const ActorCell* ended, std::uint32_t generation,
                              const Down& down) {
  Envelope envelope;
  envelope.kind = Envelope::Kind::exit;
  envelope.to = to.cell();
  envelope.generation = to.generation();
  envelope.source = generation;
  std::memcpy(envelope.payload, &ended, sizeof ended);
  std::memcpy(envelope.payload + sizeof ended, &down, sizeof down);
  return envelope;
}

inline AnyAddress address_in(const Envelope& envelope) {
  AnyAddress address;
  std::memcpy(static_cast<void*>(&address), envelope.payload, sizeof address);
  return address;
}

}  // namespace outcry
