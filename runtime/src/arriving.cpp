// Arriving: what an envelope does to the actor that it is for, or that it was for.
#include <outcry/runtime/scheduler.hpp>

#include <cassert>
#include <cstring>
#include <utility>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/runtime.hpp>

#include "links.hpp"

namespace outcry {

void Scheduler::arrive(Envelope& envelope, std::uint64_t sender, std::uint32_t sequence, std::uint32_t step) {
  using Kind = Envelope::Kind;
  if (envelope.kind == Kind::credit && !virtual_time_) {
    Room room;
    std::memcpy(&room, envelope.payload, sizeof room);
    if (const auto credit = credits_.find(room.mailbox); credit != credits_.end()) got_credit(credit->second, room);
    return;
  }
  if (envelope.kind == Kind::call) {
    Call* call;
    std::memcpy(&call, envelope.payload, sizeof call);
    call->run();
    return;
  }
  ActorCell& cell = *envelope.to;
  if (cell.generation != envelope.generation || !cell.in_use) {
    nobody_there(envelope);
    return;
  }
  if (virtual_time_ && envelope.type != nullptr) {
    std::uint64_t hash = mix64(cell.digest ^ static_cast<std::uint64_t>(to_ns(now_))) + sender;
    hash = mix64(hash ^ (std::uint64_t{step} << 32 | sequence)) + envelope.type->name_hash;
    cell.digest = mix64(hash ^ envelope.type->digest(envelope.payload));
  }
  switch (envelope.kind) {
    case Kind::message:
    case Kind::control: arrive_message(cell, envelope); break;
    case Kind::start: ready(&cell); break;
    case Kind::timer:
      if (!cell.timer_is_set || cell.timer_ticket != envelope.source) {
        --dead_timers(cell);
        break;
      }
      cell.timer_is_set = false;
      if (!cell.timer_armed) {
        --dead_timers(cell);
        break;
      }
      cell.timer_armed = false;
      cell.timed_out = true;
      if (cell.waiting != Waiting::compute) ++counters_.delivered;  // else its message was counted when it came
      wake(&cell);
      break;
    case Kind::reply:
      assert(envelope.type != nullptr && "a reply without a type");
      if (cell.waiting == Waiting::reply && (cell.wait_ticket & 0x7FFFFFFF) == envelope.source &&
          cell.reply_slot != nullptr) {
        ++counters_.delivered;
        cell.reply_slot->filled = true;
        std::memcpy(cell.reply_slot->payload, envelope.payload, sizeof envelope.payload);
        wake(&cell);
      } else if (envelope.type->destroy != nullptr) {
        envelope.type->destroy(envelope.payload);
      }
      break;
    case Kind::no_reply:
      if (cell.waiting == Waiting::reply && (cell.wait_ticket & 0x7FFFFFFF) == envelope.source) {
        cell.reply_error = static_cast<AskError>(envelope.payload[0]);
        wake(&cell);
      }
      break;
    case Kind::stop:
      cell.stopping = cell.noticed = true;
      if (wants_message(cell.waiting) || cell.waiting == Waiting::time) wake(&cell);
      break;
    case Kind::kill:
      if (cell.on_stack) {
        cell.killed = true;
        budget_ = 0;  // it suspends at the next message, and ends there
      } else {
        finish(cell, true);
      }
      break;
    case Kind::watch: {
      const AnyAddress watcher = address_in(envelope);
      const bool by_address = envelope.payload[sizeof watcher] != std::byte{0};
      cell.more().watchers.push_back({watcher.cell(), watcher.generation(), by_address});
      break;
    }
    case Kind::link: {
      const AnyAddress other = address_in(envelope);
      add_link(cell.more().linked, other.cell(), other.generation());
      break;
    }
    case Kind::unlink: {
      const AnyAddress other = address_in(envelope);
      if (cell.extras != nullptr) remove_link(cell.extras->linked, other.cell(), other.generation());
      break;
    }
    case Kind::exit: linked_actor_ended(cell, envelope, sender, sequence, step); break;
    case Kind::alarm: ring(&cell, envelope.source); break;
    case Kind::wake:
      if (cell.waiting != Waiting::nothing && cell.wait_ticket == envelope.source) {
        cell.reply_error = static_cast<AskError>(envelope.payload[0]);
        wake(&cell);
      }
      break;
    case Kind::credit: {
      Room room;
      std::memcpy(&room, envelope.payload, sizeof room);
      got_credit(cell.more().credits[room.mailbox], room);
      break;
    }
    case Kind::call: break;
  }
}

void Scheduler::arrive_message(ActorCell& cell, Envelope& envelope) {
  Mailbox& mailbox = cell.mailbox;
  const bool control = envelope.kind == Envelope::Kind::control;
  const std::uint32_t source = virtual_time_ && envelope.source != 0 ? link_from(cell, envelope) : envelope.source;
  ++counters_.delivered;
  if (!control && source == 0 && (mailbox.full() || mailbox.when_full() == WhenFull::latest)) {
    if (mailbox.when_full() == WhenFull::wait) ++mailbox.counters().refused;  // from outside: nobody who could wait
    if (make_room(&cell, envelope.type, [&] { return envelope.type->key(envelope.payload); }) == Delivery::full) {
      if (envelope.type->bounce != nullptr) envelope.type->bounce(envelope.payload, AskError::refused);
      if (envelope.type->destroy != nullptr) envelope.type->destroy(envelope.payload);
      return;
    }
  }
  if (Mailbox::Slot* slot = std::exchange(conflated_, nullptr); slot != nullptr) {
    if (slot->type->destroy != nullptr) slot->type->destroy(slot->payload());
    std::memcpy(slot->payload(), envelope.payload, envelope.type->payload_size);
    return;
  }
  std::memcpy(mailbox.push(envelope.type, source, control)->payload(), envelope.payload, envelope.type->payload_size);
  if (!wants_message(cell.waiting)) return;
  if (virtual_time_ && cell.busy_until > now_) {  // it takes the message when it is done with the one before
    wait_no_more(cell);
    suspend(cell, cell.resume_point, Waiting::compute, cell.busy_until, cell.where);
  } else {
    wake(&cell);
  }
}

// The number of the link from the sender, counted from one.
std::uint32_t Scheduler::link_from(ActorCell& cell, const Envelope& envelope) {
  ActorCell::Extras& extras = cell.more();
  const auto next = static_cast<std::uint32_t>(extras.links.size());
  const auto [place, fresh] = extras.link_of.try_emplace(envelope.from, next);
  if (!fresh) {
    ActorCell::Extras::Link& link = extras.links[place->second];
    if (link.generation != envelope.from_generation && link.waiting == 0)
      link = {envelope.from, envelope.from_generation, 0, 0};
    if (link.generation == envelope.from_generation) {
      ++link.waiting;
      return place->second + 1;
    }
    place->second = next;
  }
  extras.links.push_back({envelope.from, envelope.from_generation, 0, 1});
  return next + 1;
}

namespace {

Down gone(const Envelope& envelope) {
  Down down;
  if (envelope.to->generation == envelope.generation + 1) down.actor = envelope.to->id;  // else it is somebody else's
  down.end = End::gone;
  return down;
}

}  // namespace

void Scheduler::nobody_there(Envelope& envelope) {
  using Kind = Envelope::Kind;
  switch (envelope.kind) {
    case Kind::message:
    case Kind::control:
      ++counters_.dead_letters;
      if (envelope.source != 0) {
        const Room gone{envelope.to, envelope.generation, 0};
        Envelope notice;
        notice.kind = Kind::credit;
        std::memcpy(notice.payload, &gone, sizeof gone);
        if (virtual_time_) {
          notice.to = envelope.from;
          notice.generation = envelope.from_generation;
          post(notice);
        } else {
          notice.to = envelope.to;
          outgoing_[envelope.source - 1].push_back(notice);
        }
      }
      if (envelope.type->bounce != nullptr) envelope.type->bounce(envelope.payload, AskError::gone);
      break;
    case Kind::timer: --(virtual_time_ ? envelope.to->site->dead_timers : dead_timers_); break;
    case Kind::watch: {
      const AnyAddress watcher = address_in(envelope);
      const bool by_address = envelope.payload[sizeof watcher] != std::byte{0};
      tell_watcher({watcher.cell(), watcher.generation(), by_address}, *envelope.to, envelope.generation,
                   gone(envelope));
      break;
    }
    case Kind::link: post(exit_envelope(address_in(envelope), envelope.to, envelope.generation, gone(envelope))); break;
    case Kind::alarm: ring(nullptr, envelope.source); break;
    default: break;
  }
  if (envelope.type != nullptr && envelope.type->destroy != nullptr) envelope.type->destroy(envelope.payload);
}

}  // namespace outcry
