// Links: actors that end together.
#include "links.hpp"

#include <cstring>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/scheduler.hpp>

namespace outcry {

void Scheduler::link(ActorCell& me, ActorCell* to, std::uint32_t generation) {
  if (to == &me && generation == me.generation) return;  // an actor before this one may have had its cell
  if (virtual_time_) require_link(*me.site, *to);
  add_link(me.more().linked, to, generation);  // first: one that has ended on this scheduler answers at once
  post(link_envelope(Envelope::Kind::link, me, to, generation));
}

void Scheduler::unlink(ActorCell& me, ActorCell* to, std::uint32_t generation) {
  if (me.extras == nullptr || !remove_link(me.extras->linked, to, generation)) return;
  post(link_envelope(Envelope::Kind::unlink, me, to, generation));
}

void Scheduler::join(ActorCell& me, ActorCell& child) {
  add_link(me.more().linked, &child, child.generation);
  add_link(child.more().linked, &me, me.generation);
}

void Scheduler::linked_actor_ended(ActorCell& cell, const Envelope& envelope, std::uint64_t sender,
                                   std::uint32_t sequence, std::uint32_t step) {
  ActorCell* ended;
  Down down;
  std::memcpy(&ended, envelope.payload, sizeof ended);
  std::memcpy(&down, envelope.payload + sizeof ended, sizeof down);
  if (cell.extras == nullptr || !remove_link(cell.extras->linked, ended, envelope.source))
    return;  // unlinked meanwhile
  if (cell.extras->traps) {
    Envelope notice;
    notice.kind = Envelope::Kind::control;
    notice.to = &cell;
    notice.generation = cell.generation;
    notice.type = &message_type<Down>;
    Payload<Down>::put(notice.payload, std::move(down));
    arrive(notice, sender, sequence, step);
  } else if (down.end != End::finished) {
    cell.extras->cut = true;
    std::memcpy(cell.extras->cause, down.what, sizeof down.what);
    end_by_link(cell);
  }
}

// What ends here tells its own links, which may end by that: they are put in a line, so that the stack stays short.
void Scheduler::end_by_link(ActorCell& cell) {
  doomed_.push_back({&cell, cell.generation});
  if (ending_) return;
  ending_ = true;
  for (std::size_t i = 0; i < doomed_.size(); ++i) end(doomed_[i].cell, doomed_[i].generation);
  doomed_.clear();
  ending_ = false;
}

}  // namespace outcry
