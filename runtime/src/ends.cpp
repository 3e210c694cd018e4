// Ends: what becomes of an actor that is over, and who is told.
#include <outcry/runtime/scheduler.hpp>

#include <cstring>
#include <string>
#include <utility>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/runtime.hpp>

#include "links.hpp"

namespace outcry {

void Scheduler::stop(ActorCell* to, std::uint32_t generation, bool kill) {
  Envelope envelope;
  envelope.kind = kill ? Envelope::Kind::kill : Envelope::Kind::stop;
  envelope.to = to;
  envelope.generation = generation;
  post(envelope);
}

void Scheduler::end(ActorCell* cell, std::uint32_t generation) {
  if (cell->generation != generation || !cell->in_use) return;
  if (cell->on_stack) {
    cell->killed = true;
    budget_ = 0;
  } else {
    finish(*cell, true);
  }
}

void Scheduler::finish(ActorCell& cell, bool killed) {
  ActorCell* const outer = current_.exchange(&cell);
  cell.on_stack = true;
  Down down;
  down.actor = cell.id;
  down.end = killed ? End::killed : End::finished;
  if (cell.failure) {
    down.end = End::failed;
    std::string why = "an exception that is no std::exception";
    try {
      std::rethrow_exception(cell.failure);
    } catch (const std::exception& exception) {
      why = exception.what();
    } catch (...) {
    }
    std::strncpy(down.what, why.c_str(), sizeof down.what - 1);
    ++counters_.failures;
    runtime_.log("actor '" + std::string(cell.name.c_str()) + "' ended by an exception: " + why);
    cell.failure = nullptr;
  } else if (killed && cell.extras != nullptr && cell.extras->cut) {
    down.end = End::linked;
    std::memcpy(down.what, cell.extras->cause, sizeof down.what);
  }

  std::exchange(cell.body, {}).destroy();
  if (cell.destroy_callable != nullptr) cell.destroy_callable(std::exchange(cell.callable, nullptr));
  cell.destroy_callable = nullptr;
  wait_no_more(cell);
  counters_.dead_letters += cell.mailbox.size();
  room_is_gone(cell.room);
  tell_senders_of_end(cell);
  tell_askers_of_end(cell);
  cell.mailbox.clear();
  if (cell.extras != nullptr) {
    const Linked watchers = std::move(cell.extras->watchers);
    const Linked linked = std::move(cell.extras->linked);  // whoever ends by this may be linked to it in a ring
    for (const auto& watcher : watchers) tell_watcher(watcher, cell, cell.generation, down);
    for (const auto& other : linked)
      post(exit_envelope(AnyAddress(other.cell, other.generation), &cell, cell.generation, down));
  }
  cell.extras.reset();
  ended_mailboxes_ += cell.mailbox.counters();
  digest_ += mix64(cell.id, cell.digest);
  ++cell.generation;
  cell.in_use = false;
  --actors_;
  current_ = outer;
  const bool background = std::exchange(cell.background, false);
  if (!cell.queued) release(cell);
  if (!background) runtime_.actor_ended();
}

void Scheduler::tell_watcher(const ActorCell::Extras::Watcher& watcher, const ActorCell& ended,
                             std::uint32_t generation, const Down& down) {
  Envelope notice;
  notice.kind = Envelope::Kind::control;
  notice.to = watcher.cell;
  notice.generation = watcher.generation;
  if (watcher.by_address) {
    notice.type = &message_type<Ended>;
    Payload<Ended>::put(notice.payload,
                        Ended{AnyAddress(const_cast<ActorCell*>(&ended), generation), down.actor, down.end});
  } else {
    notice.type = &message_type<Down>;
    Payload<Down>::put(notice.payload, Down(down));
  }
  post(notice);
}

// Those who wait for room have sent before: that lies in the mailbox, was taken and not credited yet, or comes as a dead
// letter, which is told of one by one.
void Scheduler::tell_senders_of_end(ActorCell& cell) {
  if (cell.mailbox.empty() && cell.extras == nullptr) return;
  const Room gone{&cell, cell.generation, 0};
  Envelope envelope;
  envelope.kind = Envelope::Kind::credit;
  std::memcpy(envelope.payload, &gone, sizeof gone);
  if (virtual_time_) {
    if (cell.extras == nullptr) return;
    for (const ActorCell::Extras::Link& link : cell.extras->links) {
      if (link.taken == 0 && link.waiting == 0) continue;
      envelope.to = link.sender;
      envelope.generation = link.generation;
      post(envelope);
    }
    return;
  }
  const auto count = [&](std::uint32_t source) {
    auto& taken = cell.more().taken;
    if (taken.empty()) taken.resize(runtime_.options().schedulers);
    ++taken[source - 1];
  };
  cell.mailbox.for_each([&](const Mailbox::Slot& slot) {
    if (slot.source != 0) count(slot.source);
  });
  if (cell.extras == nullptr) return;
  envelope.to = &cell;
  for (std::uint32_t i = 0; i < cell.extras->taken.size(); ++i)
    if (cell.extras->taken[i] != 0) outgoing_[i].push_back(envelope);
}

void Scheduler::tell_askers_of_end(ActorCell& cell) {
  if (cell.extras == nullptr) return;
  Envelope envelope;
  envelope.kind = Envelope::Kind::no_reply;
  envelope.payload[0] = static_cast<std::byte>(AskError::gone);
  for (const OpenAsks::Entry& ask : cell.extras->asks.open()) {
    envelope.to = ask.asker;
    envelope.generation = ask.generation;
    envelope.source = ask.ticket;
    post(envelope);
  }
}

void Scheduler::release(ActorCell& cell) {
  cell.waiting = Waiting::nothing;
  cell.noticed = false;
  cell.stopping = cell.timed_out = cell.timer_armed = cell.timer_is_set = cell.again = cell.finished = cell.killed =
      cell.on_stack = false;
  cell.sent = cell.children = 0;
  cell.digest = 0;
  cell.reply_slot = nullptr;
  free_cells_for(*cell.site).push_back(&cell);
}

}  // namespace outcry
