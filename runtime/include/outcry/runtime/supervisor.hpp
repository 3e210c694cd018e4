// Supervisor: an actor that starts others and starts them again when they end.
//
//   runtime.spawn({.name = "desk"}, supervisor, Supervision{.strategy = Supervision::one_for_all, .most = 3, .within = 10s},
//                 std::vector{supervised({.name = "feed"}, feed, config),
//                             supervised({.name = "book", .restart = Restart::transient}, book)});
//
// The children live on their supervisor's scheduler and site, in the order given, linked to it: if it fails or is killed,
// they end. A child that ends and shall be started again is made from the same body and arguments, after a pause that
// doubles with each restart within `within`. With a registry, a child is announced under its name each time it starts:
// who looks the name up finds the living one.
//   one_for_one   the child that ended
//   one_for_all   all of them: the others are stopped first, the last one first
//   rest_for_one  it and those after it in the order
// More than `most` restarts within `within` end the supervisor by an exception; its children end by their links, and
// whoever supervises it starts the whole again: that is how failures escalate.
// Told to stop, it stops its children one after the other, the last one first, and waits for each; one that has not ended
// after `patience` is killed. It also ends when no child is left that runs or shall run again.
// Thread: the scheduler it was spawned on. Limits: children are fixed when it starts, and on its scheduler.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/address.hpp>
#include <outcry/runtime/registry.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry {

struct Supervision {
  enum Strategy : std::uint8_t { one_for_one, one_for_all, rest_for_one };

  Strategy strategy = one_for_one;
  std::uint32_t most = 3;                                   // restarts
  Duration within = std::chrono::seconds(5);                // in that time
  Duration pause = std::chrono::milliseconds(1);            // before the first restart
  Duration longest_pause = std::chrono::milliseconds(100);  // it doubles up to this
  Duration patience = std::chrono::seconds(1);              // from a child's stop to its kill
  Registry registry = {};                                   // where children are announced by their names
};

/// When a child is started again.
enum class Restart : std::uint8_t {
  permanent,  // always
  transient,  // if it did not finish normally
  temporary,  // never
};

struct ChildOptions {
  std::string name = {};  // also in the registry, if there is one
  Restart restart = Restart::permanent;
  MailboxOptions mailbox = {};
  Duration distance{0};
  Duration compute{0};
};

/// What a supervisor says of itself when asked.
struct SupervisorReport {
  std::uint32_t running = 0;
  std::uint32_t restarts = 0;  // since it started
};
struct SupervisorQuery {
  using Reply = SupervisorReport;
  std::uint32_t unused = 0;
};

using SupervisorSelf = Self<Down, Ask<SupervisorQuery>>;

/// How a child is made. A value: copies make the same child.
struct Child {
  ChildOptions options;
  std::function<AnyAddress(const SupervisorSelf&, const ChildOptions&, const Registry&)> start;
};

/// `body` and `arguments` are kept and copied for each start.
template <class Body, class... Arguments>
Child supervised(ChildOptions options, Body body, Arguments... arguments) {
  auto start = [body = std::move(body), kept = std::tuple<Arguments...>(std::move(arguments)...)](
                   const SupervisorSelf& self, const ChildOptions& wanted, const Registry& registry) -> AnyAddress {
    const SpawnOptions spawn{
        .name = wanted.name, .mailbox = wanted.mailbox, .distance = wanted.distance, .compute = wanted.compute};
    const auto child = std::apply(
        [&](const Arguments&... each) { return self.spawn_linked(spawn, Body(body), Arguments(each)...); }, kept);
    if (registry && !wanted.name.empty()) registry.announce(wanted.name, child);
    return child;
  };
  return {std::move(options), std::move(start)};
}

namespace supervisor_detail {

Actor supervise(SupervisorSelf self, Supervision how, std::vector<Child> children);

}  // namespace supervisor_detail

/// The body of a supervisor: spawn it with a Supervision and what supervised() gives. As a child of another: the same.
struct SupervisorBody {
  Actor operator()(SupervisorSelf self, Supervision how, std::vector<Child> children) const {
    return supervisor_detail::supervise(self, std::move(how), std::move(children));
  }
};
inline constexpr SupervisorBody supervisor{};

}  // namespace outcry
