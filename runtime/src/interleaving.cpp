// Interleaving: what happens first within a moment of virtual time, drawn from a seed. For tests that look for races.
//
// Without it, what arrives at one moment is ordered by step, sender and number: one order of the many that a live world
// may show. With it, the next thing is drawn from all that arrives at that moment and all actors that are ready to run:
//   - one sender's messages to one receiver keep their order, and nothing comes before its cause;
//   - timers and alarms, answers, ends and room for messages race with all else of their moment;
//   - an actor with more messages in its mailbox may be made to wait for others at each of them;
//   - with every second seed a quarter of the links and actors is slow: what is theirs comes late, as a rule.
// What is drawn depends on the seed, the site and the moment only, so a run has the same bits on any number of schedulers.
// Cost: each event looks at the others of its moment.
#include <functional>
#include <utility>
#include <vector>

#include <outcry/runtime/runtime.hpp>
#include <outcry/runtime/scheduler.hpp>

namespace outcry {

void Scheduler::run_moment_in_drawn_order(Site& site) {
  const std::uint64_t seed = *runtime_.options().interleaving;
  const bool some_are_slow = (mix64(seed, 1) & 1) != 0;
  const auto slow = [&](std::uint64_t from, std::uint64_t to) {
    return some_are_slow && (mix64(mix64(seed, from), to) & 3) == 0;
  };
  const auto of_its_own = [](const Envelope& envelope) {
    return envelope.kind == Envelope::Kind::timer || envelope.kind == Envelope::Kind::alarm;
  };
  site.draw = Random(mix64(seed, site.index), static_cast<std::uint64_t>(to_ns(now_)));
  std::vector<EventQueue::Key>& pending = site.current;  // of one link: in the order of sending

  for (std::uint32_t taken = 1;; ++taken) {
    pending.insert(pending.end(), site.next.begin(), site.next.end());
    site.next.clear();
    std::size_t ready = 0;
    for (const ActorCell* cell = first_ready_; cell != nullptr; cell = cell->next_ready) ++ready;
    if (pending.empty() && ready == 0) break;
    if ((taken & 0xFFF) == 0 && runtime_.stopped()) {
      run_ready();
      for (const auto& keys : {std::cref(site.current), std::cref(site.next)})
        for (const EventQueue::Key& key : keys.get()) site.queue.push(key);
      site.current.clear();
      site.next.clear();
      break;
    }

    std::size_t place = 0;
    for (int tries = 0; tries < 6; ++tries) {  // what is slow is put off, but not for ever
      place = site.draw.below(pending.size() + ready);
      bool late = false;
      if (place < pending.size()) {
        late = slow(pending[place].sender, site.queue.envelope(pending[place].node).to->id);
      } else {
        const ActorCell* cell = first_ready_;
        for (std::size_t i = place - pending.size(); i > 0; --i) cell = cell->next_ready;
        late = slow(0, cell->id);
      }
      if (!late) break;
    }

    if (place >= pending.size()) {
      ActorCell* before = nullptr;
      ActorCell* cell = first_ready_;
      for (std::size_t i = place - pending.size(); i > 0; --i) before = std::exchange(cell, cell->next_ready);
      (before != nullptr ? before->next_ready : first_ready_) = cell->next_ready;
      if (last_ready_ == cell) last_ready_ = before;
      give_turn(*cell);
      continue;
    }
    const Envelope& drawn = site.queue.envelope(pending[place].node);
    if (!of_its_own(drawn)) {  // the oldest of its link
      for (std::size_t older = 0; older < place; ++older) {
        const Envelope& envelope = site.queue.envelope(pending[older].node);
        if (pending[older].sender != pending[place].sender || envelope.to != drawn.to || of_its_own(envelope)) continue;
        place = older;
        break;
      }
    }
    const EventQueue::Key key = pending[place];
    pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(place));
    arrive(site.queue.envelope(key.node), key.sender, key.sequence, 0);
    site.queue.release(key.node);
  }
}

}  // namespace outcry
