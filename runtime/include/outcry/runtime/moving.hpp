// Moving: an actor that agrees goes on elsewhere with what it knows. Its address stays; so do monitors and links to it.
//
//   Actor book(Self<Order, Ask<Depth>, Down> self, Home<Order, Ask<Depth>, Down> home, Orders orders) {
//     while (auto message = co_await self.receive()) {
//       if (is_crowded) {
//         auto moving = move_to(self, home, {.scheduler = 1}, book, std::move(orders));
//         co_await moving;
//         co_return;                                     // it lives over there now
//       }
//     }
//   }
//   runtime.spawn(book, Home<Order, Ask<Depth>, Down>{}, Orders{});
//
// The first place of an actor is its home and stays: from the first move on it passes on what it takes. What the actor
// has not taken when it moves, it takes over there, in the same order:
//   1. it tells its home that it leaves; home passes on nothing more, and says so
//   2. it takes along everything that came before that word, and its snapshot, and ends; what comes now waits at home
//   3. home starts the next one with the snapshot, and passes on first what was taken along, then what waited
// Stop, kill and ends go the same way: who watches the address hears of the real end, with its reason; ends of what it is
// linked to end it wherever it is. An ask that it has taken and not answered is answered from over there with its
// ReplyTo. Alarms, links and monitors that it made at home go on, and what they bring is passed on; those that it made
// elsewhere end there: it makes them anew from its snapshot.
// The way home is one message longer. Who wants the direct one asks for it by the address in hand, which makes the order
// safe: the answer comes after all that this sender sent before (direct_to(), Whereabouts). An address got that way stays
// good for as long as the actor lives: its next move leaves somebody there who sends what comes back home.
// In virtual time a place has no meaning: the actor starts again on its site, and its digest is that of any number of
// schedulers. Another site is refused: its links would have other latencies.
// Thread: the actor's. Cost: one more actor, at home; for each move a start, and one message per message under way. Home
// waits with its thread for the other scheduler to start the actor.
// Limits: takes Down messages (home hears of the end by one). The mailbox is there twice, at home and over there; with
// WhenFull::refuse the second may refuse what the first has taken, counted. In virtual time the way from home takes
// Latency::within_site once more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/actor_cell.hpp>
#include <outcry/runtime/address.hpp>
#include <outcry/runtime/runtime.hpp>
#include <outcry/runtime/scheduler.hpp>
#include <outcry/runtime/selective.hpp>
#include <outcry/runtime/task.hpp>

namespace outcry {

/// Where to: a scheduler, or the scheduler of a site; in virtual time the actor's own site, or nothing.
struct Destination {
  int scheduler = -1;
  std::optional<std::uint32_t> site = {};
};

/// The direct address of an actor that moves; it answers with Home::whereabouts().
struct Whereabout {
  AnyAddress actor;
  std::uint64_t digest() const { return actor.cell() != nullptr; }
};
struct Whereabouts {
  using Reply = Whereabout;
  std::uint32_t unused = 0;
};

template <class... Ms>
class Home;

namespace moving_detail {

/// What home and the actor say to each other.
struct Word {
  enum What : std::uint64_t {
    leaves,  // to home: pass on nothing more
    last,    // from home: nothing comes behind this
    left     // to home: start the next one
  };
  What what = leaves;
};

template <class... Ms>
struct Start {
  Start() = default;
  Start(const Start&) = delete;
  Start& operator=(const Start&) = delete;
  virtual ~Start() = default;
  virtual Address<Ms...> operator()(const Self<Ms...>& at_home, const SpawnOptions& options, Home<Ms...> home) = 0;
};

/// What home and the one that is elsewhere share. One of them has it at a time: it changes hands with their words.
template <class... Ms>
struct Journey {
  Journey() = default;
  Journey(const Journey&) = delete;
  Journey& operator=(const Journey&) = delete;
  ~Journey() {
    for (auto& message : along)
      std::visit(
          [](auto& one) {
            if constexpr (requires { one.bounce(AskError::gone); }) one.bounce(AskError::gone);
          },
          message);
  }

  Address<Ms...> home;
  std::uint64_t home_id = 0;
  SpawnOptions options;  // without the name, which lies in home's cell
  std::uint64_t away_id = 0;
  bool direct_given = false;  // somebody may have the address of the one that is elsewhere
  std::unique_ptr<Start<Ms...>> start;
  std::vector<std::variant<Ms...>> along;
};

inline void say(Scheduler& from, const AnyAddress& to, Word::What what) {
  Envelope envelope;
  envelope.kind = Envelope::Kind::control;
  envelope.to = to.cell();
  envelope.generation = to.generation();
  envelope.type = &message_type<Word>;
  Payload<Word>::put(envelope.payload, Word{what});
  from.post(envelope);
}

/// The oldest message, or a word. Requires: there is one.
template <class... Ms>
std::variant<Ms..., Word> take(ActorCell& cell) {
  std::optional<std::variant<Ms..., Word>> message;
  Batch<Ms..., Word>(&cell, 1).each([&](auto&& taken) { message.emplace(std::forward<decltype(taken)>(taken)); });
  return std::move(*message);
}

template <class M, class... Ms>
Task<> pass_on(Address<Ms...> to, M message) {
  auto sending = to.send(std::move(message));
  co_await sending;
}

/// Nothing to await for what needs no room.
template <class M, class... Ms>
std::optional<Task<>> passing_on(Scheduler& here, const Address<Ms...>& to, M message) {
  if constexpr (std::is_same_v<M, Word>) {
    return std::nullopt;
  } else if constexpr (std::is_same_v<M, Down> || std::is_same_v<M, Ended>) {
    Envelope envelope;
    envelope.kind = Envelope::Kind::control;
    envelope.to = to.cell();
    envelope.generation = to.generation();
    envelope.type = &message_type<M>;
    Payload<M>::put(envelope.payload, std::move(message));
    here.post(envelope);
    return std::nullopt;
  } else {
    return std::optional<Task<>>(pass_on(to, std::move(message)));
  }
}

/// Ends the actor at the other end when this one is ended.
class Together {
 public:
  explicit Together(AnyAddress other) : other_(other) {}
  Together(const Together&) = delete;
  Together& operator=(const Together&) = delete;
  ~Together() {
    if (other_ && this_scheduler() != nullptr) other_.kill();
  }
  void part() { other_ = {}; }

 private:
  AnyAddress other_;
};

/// Waits for something in the mailbox, or for a stop that has not come yet; gives others a turn now and then.
inline Task<bool> wait(ActorCell* cell, std::source_location where) {
  if (cell->mailbox.empty()) {
    const selective::Another another{cell, never, where};
    co_await another;
  }
  const selective::MayTake turn{cell, where};
  co_await turn;
  co_return !cell->mailbox.empty();
}

/// This actor ends as that one did.
template <class... Ms>
Task<> end_like(Self<Ms...> self, Down down) {
  if (down.end == End::finished || down.end == End::gone) co_return;
  if (down.end == End::failed) throw std::runtime_error(std::string(down.why()));
  ActorCell& cell = *self.cell();
  if (down.end == End::linked) {
    cell.more().cut = true;
    std::memcpy(cell.extras->cause, down.what, sizeof down.what);
  }
  cell.scheduler().end(&cell, cell.generation);
  const selective::Another nothing{&cell, never, std::source_location::current()};
  co_await nothing;
}

/// The end of the one that is elsewhere, or its word that it has left; whatever else lies in the mailbox stays there.
template <class... Ms>
std::optional<std::variant<Down, Word>> find_end(ActorCell& cell, std::uint64_t away) {
  for (std::uint32_t i = 0; i < cell.mailbox.size(); ++i) {
    Mailbox::Slot* slot = cell.mailbox.peek(i);
    const bool wanted = slot->type == &message_type<Word> ||
                        (slot->type == &message_type<Down> && Payload<Down>::in(slot->payload())->actor == away);
    if (wanted) return selective::take<std::variant<Down, Word>, Down, Word>(cell, i);
  }
  return std::nullopt;
}

/// Home, from the first move on.
template <class... Ms>
Task<> stay(Self<Ms...> self, Home<Ms...> home, std::shared_ptr<Journey<Ms...>> journey) {
  ActorCell& cell = *self.cell();
  const auto where = std::source_location::current();
  std::vector<std::uint64_t> former;  // of those the end is no news
  for (;;) {
    journey->direct_given = false;
    SpawnOptions options = journey->options;
    options.name = cell.name.c_str();
    const std::unique_ptr<Start<Ms...>> start = std::move(journey->start);
    const Address<Ms...> away = (*start)(self, options, home);
    const std::uint64_t away_id = journey->away_id;
    Together together(away);

    std::vector<std::variant<Ms...>> along = std::exchange(journey->along, {});
    for (auto& message : along)
      std::visit(
          [](auto& one) {
            if constexpr (requires { one.taken(); }) one.taken();
          },
          message);
    for (auto& message : along) {
      auto passing = std::visit([&](auto& one) { return passing_on(self.scheduler(), away, std::move(one)); }, message);
      if (passing) {
        Task<>& task = *passing;
        co_await task;
      }
    }
    along.clear();

    bool passes_on = true;
    bool told_to_stop = false;
    std::optional<Down> end;
    while (passes_on) {
      if (cell.mailbox.empty() && cell.stopping && !std::exchange(told_to_stop, true)) away.stop();
      if (cell.mailbox.empty() || !self.scheduler().may_take(cell)) {
        auto waiting = wait(&cell, where);
        const bool some = co_await waiting;
        if (!some) continue;
      }
      auto message = take<Ms...>(cell);
      if (const Down* down = std::get_if<Down>(&message); down != nullptr) {
        if (down->actor == away_id) {
          end = *down;
          break;
        }
        if (std::erase(former, down->actor) > 0) continue;
      }
      if (std::holds_alternative<Word>(message)) {
        say(self.scheduler(), away, Word::last);
        passes_on = false;
        break;
      }
      auto passing = std::visit([&](auto& one) { return passing_on(self.scheduler(), away, std::move(one)); }, message);
      if (passing) {
        Task<>& task = *passing;
        co_await task;
      }
    }
    while (!passes_on && !end) {
      auto news = find_end<Ms...>(cell, away_id);
      if (!news) {
        const selective::Another another{&cell, never, where};
        co_await another;
        continue;
      }
      if (const Down* down = std::get_if<Down>(&*news)) end = *down;
      if (std::holds_alternative<Word>(*news)) break;
    }
    together.part();
    if (end) {
      auto ending = end_like(self, *end);
      co_await ending;
      co_return;
    }
    former.push_back(away_id);
  }
}

/// The way back for those who have this address, until the actor has ended.
template <class... Ms>
Task<> send_back(Self<Ms...> self, std::shared_ptr<Journey<Ms...>> journey) {
  ActorCell& cell = *self.cell();
  const Address<Ms...> home = journey->home;
  const std::uint64_t home_id = journey->home_id;
  journey.reset();
  self.monitor(home);
  cell.compute = Duration(0);
  Together together(home);
  bool told_to_stop = false;
  for (;;) {
    if (cell.mailbox.empty() && cell.stopping && !std::exchange(told_to_stop, true)) home.stop();
    auto waiting = wait(&cell, std::source_location::current());
    const bool some = co_await waiting;
    if (!some) continue;
    auto message = take<Ms...>(cell);
    if (const Down* down = std::get_if<Down>(&message);
        down != nullptr && (down->actor == home_id || (down->actor == 0 && down->end == End::gone)))
      break;
    auto passing = std::visit([&](auto& one) { return passing_on(self.scheduler(), home, std::move(one)); }, message);
    if (passing) {
      Task<>& task = *passing;
      co_await task;
    }
  }
  together.part();
}

}  // namespace moving_detail

/// What an actor knows of its home. Empty until it has moved.
template <class... Ms>
class Home {
 public:
  Home() = default;

  /// The actor's address wherever it is: the one to give to others.
  Address<Ms...> address(const Self<Ms...>& self) const { return journey_ ? journey_->home : self.address(); }
  /// What it answers to an Ask<Whereabouts>.
  Whereabout whereabouts(const Self<Ms...>& self) const {
    if (journey_) journey_->direct_given = true;
    return {self.address()};
  }
  bool away() const { return journey_ != nullptr; }

 private:
  template <class... Ns, class Body, class... Snapshot>
  friend Task<> move_to(Self<Ns...> self, Home<Ns...> home, Destination where, Body body, Snapshot... snapshot);

  std::shared_ptr<moving_detail::Journey<Ms...>> journey_;
};

namespace moving_detail {

template <class Body, class Mine, class... Snapshot>
struct StartWith;
template <class Body, class... Ms, class... Snapshot>
struct StartWith<Body, Self<Ms...>, Snapshot...> final : Start<Ms...> {
  StartWith(Journey<Ms...>* of, Destination to, Body what, Snapshot... with)
      : journey(of), where(to), body(std::move(what)), snapshot(std::move(with)...) {}

  Address<Ms...> operator()(const Self<Ms...>& at_home, const SpawnOptions& given, Home<Ms...> home) override {
    SpawnOptions options = given;
    options.scheduler = where.scheduler;
    options.site = where.site.value_or(0);
    // Runs where the actor will: from its first moment on its home hears of its end.
    auto arrive = [shared = journey, watcher = at_home.address(), kept = std::move(body)](
                      Self<Ms...> self, Home<Ms...> at, Snapshot... with) mutable -> Actor {
      shared->away_id = self.id();
      self.cell()->more().watchers.push_back({watcher.cell(), watcher.generation()});
      return kept(self, std::move(at), std::move(with)...);
    };
    return std::apply(
        [&](Snapshot&... with) {
          if (at_home.scheduler().virtual_time())
            return at_home.spawn(options, std::move(arrive), std::move(home), std::move(with)...);
          return at_home.runtime().spawn(options, std::move(arrive), std::move(home), std::move(with)...);
        },
        snapshot);
  }

  Journey<Ms...>* journey;
  Destination where;
  Body body;
  std::tuple<Snapshot...> snapshot;
};

inline void check(const Scheduler& here, const ActorCell& cell, const Destination& where) {
  const auto schedulers = static_cast<int>(here.runtime().options().schedulers);
  if (here.virtual_time()) {
    if (where.site && *where.site != cell.site->index)
      throw std::logic_error("an actor of a simulation stays on its site: another one has other latencies");
  } else if (where.scheduler >= schedulers) {
    throw std::invalid_argument("there is no scheduler " + std::to_string(where.scheduler) + " to move to: there are " +
                                std::to_string(schedulers));
  } else if (where.scheduler < 0 && !where.site) {
    throw std::invalid_argument("an actor moves to a scheduler or to the scheduler of a site");
  }
}

}  // namespace moving_detail

/// Starts `body` with `home` and `snapshot` at the destination, in place of this actor, which returns after it. Name what
/// this gives, then await it. Throws what makes no sense from the await; then the actor is where it was.
template <class... Ms, class Body, class... Snapshot>
Task<> move_to(Self<Ms...> self, Home<Ms...> home, Destination where, Body body, Snapshot... snapshot) {
  static_assert(one_of<Down, Ms...>, "an actor that moves takes Down messages");
  using namespace moving_detail;
  using Next = StartWith<Body, Self<Ms...>, Snapshot...>;
  ActorCell& cell = *self.cell();
  moving_detail::check(self.scheduler(), cell, where);

  if (home.journey_ == nullptr) {
    auto journey = std::make_shared<Journey<Ms...>>();
    journey->home = self.address();
    journey->home_id = self.id();
    journey->options.mailbox = {cell.mailbox.limit(), cell.mailbox.when_full()};
    journey->options.distance = cell.distance;
    journey->options.compute = std::exchange(cell.compute, Duration(0));
    journey->options.background = cell.background;
    journey->start = std::make_unique<Next>(journey.get(), where, std::move(body), std::move(snapshot)...);
    home.journey_ = journey;
    auto staying = stay(self, std::move(home), std::move(journey));
    co_await staying;
    co_return;
  }

  const std::shared_ptr<Journey<Ms...>> journey = home.journey_;
  say(self.scheduler(), journey->home, Word::leaves);
  for (;;) {
    auto waiting = wait(&cell, std::source_location::current());
    const bool some = co_await waiting;
    if (!some) continue;
    auto message = take<Ms...>(cell);
    if (std::holds_alternative<Word>(message)) break;
    std::visit(
        [&](auto& one) {
          if constexpr (!std::is_same_v<std::remove_cvref_t<decltype(one)>, Word>)
            journey->along.emplace_back(std::move(one));
        },
        message);
  }
  // From here on it does not wait before it has left.
  for (auto& message : journey->along)
    std::visit(
        [](auto& one) {
          if constexpr (requires { one.passed_on(); }) one.passed_on();
        },
        message);
  journey->start = std::make_unique<Next>(journey.get(), where, std::move(body), std::move(snapshot)...);
  const bool stays = journey->direct_given;
  say(self.scheduler(), journey->home, Word::left);
  if (!stays) co_return;
  auto sending_back = send_back(self, journey);
  co_await sending_back;
}

/// The direct address of an actor that may have moved. All that this actor sent by `actor` has been taken when it comes,
/// so that what it sends directly comes after that. Without an answer: `actor` itself.
template <class... Ms>
Task<Address<Ms...>> direct_to(Address<Ms...> actor, Duration timeout = forever) {
  auto asking = actor.ask(Whereabouts{}, timeout);
  const auto answer = co_await asking;
  if (answer) co_return Address<Ms...>(answer->actor.cell(), answer->actor.generation());
  co_return actor;
}

}  // namespace outcry
