// Group: one publishes, every member gets a copy.
//
//   Group<Quote> quotes(runtime);       // before the run, or from an actor: Group<Quote>(self); copy it into who needs it
//   quotes.join(self.address());        // an actor that takes Quote
//   quotes.publish(Quote{...});
//
// The group is an actor of its own: it passes on what it takes, to its members in the order in which they joined, so that
// all members see all publishers' messages in one order. A membership ends with leave(), or with its actor.
// A member that is full: its own policy decides. `drop_oldest` and `latest` make room; with `refuse` and `wait` this
// message is not delivered to this member and counted (`missed` of the group, `refused` of the schedulers): a slow member
// holds nobody up. (In virtual time a mailbox that refuses does so on arrival: `missed` does not count it.) A publisher waits for the group's own mailbox if it awaits publish().
// Threads: join(), leave() and publish() from any in the live world; size() from within actors.
// Limits: two hops from publisher to member. The message is copied for each member: one allocation each if it is boxed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <utility>
#include <vector>

#include <outcry/runtime/actor.hpp>
#include <outcry/runtime/address.hpp>
#include <outcry/runtime/message.hpp>
#include <outcry/runtime/runtime.hpp>

namespace outcry {

struct GroupReport {
  std::uint64_t members = 0;
  std::uint64_t published = 0;
  std::uint64_t missed = 0;  // copies that a full member did not get
};
struct GroupQuery {
  using Reply = GroupReport;
  std::uint32_t unused = 0;
};

namespace group_detail {

template <class M>
struct Join {
  Address<M> member;
  std::uint64_t digest() const { return 1; }
};
template <class M>
struct Leave {
  Address<M> member;
  std::uint64_t digest() const { return 2; }
};

template <class M>
Actor group(Self<M, Join<M>, Leave<M>, Ask<GroupQuery>, Ended> self) {
  std::vector<Address<M>> members;
  GroupReport report;
  const auto leave = [&](const AnyAddress& actor) {
    std::erase_if(members, [&](const Address<M>& member) { return AnyAddress(member) == actor; });
  };
  while (auto message = co_await self.receive()) {
    match(
        *message,
        [&](const M& published) {
          ++report.published;
          for (const Address<M>& member : members)
            if (const auto sent = member.send(M(published)); !sent.accepted()) ++report.missed;
        },
        [&](const Join<M>& join) {
          if (std::find(members.begin(), members.end(), join.member) != members.end()) return;
          members.push_back(join.member);
          self.monitor_address(join.member);
        },
        [&](const Leave<M>& left) { leave(left.member); }, [&](const Ended& ended) { leave(ended.actor); },
        [&](const Ask<GroupQuery>& ask) {
          report.members = members.size();
          ask.reply(report);
        });
  }
}

}  // namespace group_detail

template <Message M>
class Group {
 public:
  Group() = default;
  /// Starts the group as an actor of site 0, or where `options` say; the runtime does not wait for its end.
  explicit Group(Runtime& runtime, SpawnOptions options = {})
      : to_(runtime.spawn(in_background(options), group_detail::group<M>)) {}
  /// The same as a child of an actor, on its scheduler and site.
  template <class... Ms>
  explicit Group(const Self<Ms...>& self, SpawnOptions options = {})
      : to_(self.spawn(in_background(options), group_detail::group<M>)) {}

  explicit operator bool() const { return static_cast<bool>(to_); }

  void join(const Address<M>& member) const { to_.send(group_detail::Join<M>{member}); }
  void leave(const Address<M>& member) const { to_.send(group_detail::Leave<M>{member}); }
  /// Awaited, it waits for room in the group's mailbox.
  Sent<M> publish(M message, std::source_location where = std::source_location::current()) const {
    return to_.send(std::move(message), where);
  }
  /// Await it: how many are members, and what they missed.
  Asking<GroupQuery> report(Duration timeout = forever,
                            std::source_location where = std::source_location::current()) const {
    return to_.ask(GroupQuery{}, timeout, where);
  }
  /// The group itself, to monitor or stop it.
  AnyAddress actor() const { return to_; }

 private:
  static SpawnOptions in_background(SpawnOptions options) {
    if (options.name.empty()) options.name = "group";
    options.background = true;
    return options;
  }

  Address<M, group_detail::Join<M>, group_detail::Leave<M>, Ask<GroupQuery>> to_;
};

}  // namespace outcry
