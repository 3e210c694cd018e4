// Sending: messages on their way to a mailbox, the credit that they travel on, and who waits for room.
#include <outcry/runtime/scheduler.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include <outcry/runtime/runtime.hpp>

namespace outcry {

void Scheduler::post(const Envelope& envelope, Time earliest) {
  if (virtual_time_) {
    post_virtual(envelope, earliest);
    return;
  }
  if (earliest > Time::min()) {
    timers_.push({to_ns(earliest), 0, delayed_++, timers_.hold(envelope)});
    return;
  }
  Scheduler& destination = envelope.to->scheduler();
  if (&destination == this) {
    Envelope copy = envelope;
    arrive(copy, 0, 0, 0);
  } else if (&destination.runtime_ == &runtime_) {
    auto& buffer = outgoing_[destination.index_];
    buffer.push_back(envelope);
    if (buffer.size() >= bulk) flush(destination.index_);
  } else {
    destination.put_in_inbox(envelope);
  }
}

/// Null: the actor has ended.
Credit* Scheduler::credit_for(ActorCell* to, std::uint32_t generation) {
  const auto fresh = [&](Credit& credit) -> Credit* {
    if (credit.generation == generation) [[likely]]
      return credit.gone ? nullptr : &credit;
    if (static_cast<std::int32_t>(generation - credit.generation) < 0) return nullptr;
    room_is_gone(credit.waiting);
    credit.generation = generation;
    credit.gone = false;
    credit.when_full = to->mailbox.when_full();
    const std::uint32_t share = virtual_time_ ? 1 : runtime_.options().schedulers;
    credit.available = std::max(1u, to->mailbox.limit() / share);
    return &credit;
  };
  if (virtual_time_) return fresh(current_->more().credits[to]);
  CreditOfCell& recent = recent_credits_[reinterpret_cast<std::uintptr_t>(to) * 0x9E3779B97F4A7C15u >> 58];
  if (recent.cell != to) recent = {to, &credits_[to]};
  return fresh(*recent.credit);
}

Delivery Scheduler::reserve(Envelope& envelope) {
  if (virtual_time_) {  // a mailbox that refuses does so on arrival
    if (envelope.to->mailbox.when_full() != WhenFull::wait || current_ == nullptr) return Delivery::accepted;
    require_link(*current_->site, *envelope.to);
  } else if (&envelope.to->scheduler().runtime_ != &runtime_) {
    return Delivery::accepted;  // another runtime's mailbox keeps no credit for us
  }
  Credit* credit = credit_for(envelope.to, envelope.generation);
  if (credit == nullptr) {
    ++counters_.dead_letters;
    return Delivery::gone;
  }
  if (credit->when_full == WhenFull::drop_oldest || credit->when_full == WhenFull::latest) return Delivery::accepted;
  if (credit->available == 0) {
    if (credit->when_full == WhenFull::refuse) ++counters_.refused;
    return Delivery::full;
  }
  --credit->available;
  envelope.source = index_ + 1;
  return Delivery::accepted;
}

void Scheduler::wait_for_room(WaitingSender& sender, ActorCell* to, std::uint32_t generation) {
  if (!virtual_time_ && &to->scheduler() == this) {
    if (to->generation == generation) {
      to->room.push(sender);
      admit_waiting(*to);
      look_for_cycle(sender, to);
      return;
    }
  } else if (Credit* credit = credit_for(to, generation); credit != nullptr) {
    credit->waiting.push(sender);
    admit_waiting(*credit, to);
    look_for_cycle(sender, to);
    return;
  }
  sender.outcome = WaitingSender::Outcome::gone;
  wake(sender.sender);
}

// Actors that wait for room in each other wait for ever. Builds with asserts say who they are, as far as they are on one
// scheduler: what an actor elsewhere waits for may not be looked at.
void Scheduler::look_for_cycle([[maybe_unused]] const WaitingSender& sender, [[maybe_unused]] ActorCell* to) {
#ifndef NDEBUG
  if (sender.outcome != WaitingSender::Outcome::waiting) return;
  sender.sender->waits_for = to;
  std::string names = sender.sender->name.c_str();
  ActorCell* cell = to;
  for (int steps = 0; steps < 1'000 && &cell->scheduler() == this; ++steps, cell = cell->waits_for) {
    names.append(" -> ").append(cell->name.c_str());
    if (cell == sender.sender) return runtime_.log("actors wait for room in each other, and will for ever: " + names);
    if (cell->waiting != Waiting::room) return;
  }
#endif
}

void Scheduler::admit_waiting(ActorCell& cell) {
  while (!cell.room.empty() && !cell.mailbox.full()) {
    WaitingSender& sender = *cell.room.first;
    cell.room.remove(sender);
    std::memcpy(cell.mailbox.push(sender.type, 0)->payload(), sender.payload, sender.type->payload_size);
    sender.outcome = WaitingSender::Outcome::delivered;
    wake(sender.sender);
    if (wants_message(cell.waiting)) wake(&cell);
  }
}

void Scheduler::admit_waiting(Credit& credit, ActorCell* to) {
  while (!credit.waiting.empty() && credit.available > 0) {
    WaitingSender& sender = *credit.waiting.first;
    credit.waiting.remove(sender);
    --credit.available;
    Envelope envelope;
    envelope.to = to;
    envelope.generation = credit.generation;
    envelope.type = sender.type;
    envelope.source = index_ + 1;
    std::memcpy(envelope.payload, sender.payload, sizeof envelope.payload);
    ActorCell* const outer = current_.exchange(sender.sender);
    post(envelope);
    current_ = outer;
    sender.outcome = WaitingSender::Outcome::delivered;
    wake(sender.sender);
  }
}

void Scheduler::got_credit(Credit& credit, const Room& room) {
  if (credit.generation != room.generation) return;
  if (room.messages == 0) {
    credit.gone = true;
    room_is_gone(credit.waiting);
    return;
  }
  credit.available += room.messages;
  admit_waiting(credit, room.mailbox);
}

void Scheduler::room_is_gone(RoomQueue& queue) {
  while (!queue.empty()) {
    WaitingSender& sender = *queue.first;
    queue.remove(sender);
    sender.outcome = WaitingSender::Outcome::gone;
    wake(sender.sender);
  }
}

// Credit goes back in bulk, when half of what was lent has been taken.
void Scheduler::return_credit(ActorCell& cell, std::uint32_t source) {
  ActorCell::Extras& extras = cell.more();
  Envelope envelope;
  envelope.kind = Envelope::Kind::credit;
  Room room{&cell, cell.generation, 0};
  if (virtual_time_) {
    auto& link = extras.links[source - 1];
    --link.waiting;
    if (++link.taken < std::max(1u, cell.mailbox.limit() / 2)) return;
    room.messages = std::exchange(link.taken, 0);
    envelope.to = link.sender;
    envelope.generation = link.generation;
    std::memcpy(envelope.payload, &room, sizeof room);
    post(envelope);
    return;
  }
  const std::uint32_t schedulers = runtime_.options().schedulers;
  if (extras.taken.empty()) extras.taken.resize(schedulers);
  std::uint32_t& taken = extras.taken[source - 1];
  if (++taken < std::max(1u, cell.mailbox.limit() / schedulers / 2)) return;
  room.messages = std::exchange(taken, 0);
  envelope.to = &cell;
  std::memcpy(envelope.payload, &room, sizeof room);
  outgoing_[source - 1].push_back(envelope);
}

}  // namespace outcry
