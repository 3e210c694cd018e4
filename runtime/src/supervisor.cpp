// Supervisor: the team of one supervisor, and the actor that looks after it.
#include <outcry/runtime/supervisor.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <source_location>
#include <stdexcept>

#include <outcry/runtime/selective.hpp>

namespace outcry::supervisor_detail {

namespace {

class Team {
 public:
  Team(SupervisorSelf self, const Supervision& how, std::vector<Child> children) : self_(self), how_(how) {
    for (Child& child : children)
      members_.push_back(Member{.child = std::move(child), .wanted = true, .start_at = self.now()});
  }

  /// Nobody runs and nobody shall.
  bool done() const {
    return std::none_of(members_.begin(), members_.end(), [](const Member& m) { return m.running || m.wanted; });
  }
  bool nobody_runs() const {
    return std::none_of(members_.begin(), members_.end(), [](const Member& m) { return m.running; });
  }

  SupervisorReport report() const {
    const auto running = std::count_if(members_.begin(), members_.end(), [](const Member& m) { return m.running; });
    return {static_cast<std::uint32_t>(running), restarts_};
  }

  /// A child has ended, or somebody else that the supervisor is linked to. Throws if that is too much.
  void ended(const Down& down) {
    const auto place = std::find_if(members_.begin(), members_.end(),
                                    [&](const Member& m) { return m.running && m.id == down.actor; });
    if (place == members_.end()) {
      if (down.end != End::finished)
        throw std::runtime_error("an actor that the supervisor is linked to has " + std::string(to_string(down.end)) +
                                 (down.why().empty() ? "" : ": ") + std::string(down.why()));
      return;
    }
    place->running = false;
    if (closing_ || std::exchange(place->ending, false)) return;
    const Restart restart = place->child.options.restart;
    if (restart == Restart::temporary || (restart == Restart::transient && down.end == End::finished)) return;
    const Time moment = later(self_.now(), pause(*place, down));
    place->wanted = true;
    place->start_at = moment;
    if (how_.strategy == Supervision::one_for_one) return;
    const auto first = how_.strategy == Supervision::one_for_all ? std::ptrdiff_t{0} : place - members_.begin();
    for (std::size_t i = members_.size(); i-- > static_cast<std::size_t>(first);) {
      Member& member = members_[i];
      if (member.wanted) member.start_at = moment;
      if (!member.running || member.ending) continue;
      take_down(member);
      member.wanted = member.child.options.restart != Restart::temporary;
      member.start_at = moment;
    }
  }

  /// What is due: kills of those who take too long, and a start; one, so that it has its first turn before the next.
  void act() {
    const Time now = self_.now();
    bool waits = false;
    for (Member& member : members_) {
      if (!member.running || !member.ending) continue;
      waits = true;
      if (member.kill_at <= now) {
        member.kill_at = never;
        member.address.kill();
      }
    }
    if (waits || closing_) return;
    for (Member& member : members_) {
      if (!member.wanted || member.running || member.start_at > now) continue;
      start(member);
      return;
    }
  }

  /// When act() has something to do next.
  Time next() const {
    Time next = never;
    bool waits = false;
    for (const Member& member : members_) {
      if (!member.running || !member.ending) continue;
      waits = true;
      next = std::min(next, member.kill_at);
    }
    if (waits) return next;
    for (const Member& member : members_)
      if (member.wanted && !member.running) next = std::min(next, member.start_at);
    return next;
  }

  /// Stops the last one that runs, if none is on its way out already.
  void close() {
    closing_ = true;
    for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
      member->wanted = false;
      if (!member->running) continue;
      if (!member->ending) take_down(*member);
      return;
    }
  }

 private:
  struct Member {
    Child child;
    AnyAddress address = {};
    std::uint64_t id = 0;
    bool running = false;
    bool ending = false;  // was told to stop
    bool wanted = false;  // shall be started again
    Time start_at{};
    Time kill_at{};
  };

  void start(Member& member) {
    member.address = member.child.start(self_, member.child.options, how_.registry);
    member.id = member.address.cell()->id;
    member.running = true;
    member.wanted = member.ending = false;
  }

  void take_down(Member& member) {
    member.address.stop();
    member.ending = true;
    member.kill_at = later(self_.now(), how_.patience);
  }

  /// Counts a restart and says how long to wait for it.
  Duration pause(const Member& member, const Down& down) {
    const Time now = self_.now();
    while (!recent_.empty() && now - recent_.front() > how_.within) recent_.pop_front();
    if (recent_.size() >= how_.most)
      throw std::runtime_error("more than " + std::to_string(how_.most) + " restarts: '" + member.child.options.name +
                               "' " + to_string(down.end));
    Duration pause = std::min(how_.pause, how_.longest_pause);
    for (std::size_t i = 0; i < recent_.size() && pause < how_.longest_pause; ++i)
      pause = pause > how_.longest_pause / 2 ? how_.longest_pause : pause * 2;
    recent_.push_back(now);
    ++restarts_;
    return pause;
  }

  SupervisorSelf self_;
  const Supervision how_;
  std::vector<Member> members_;
  std::deque<Time> recent_;  // restarts; at most how_.most
  std::uint32_t restarts_ = 0;
  bool closing_ = false;
};

void hear(Team& team, std::variant<Down, Ask<SupervisorQuery>>& message) {
  match(
      message, [&](const Down& down) { team.ended(down); },
      [&](const Ask<SupervisorQuery>& ask) { ask.reply(team.report()); });
}

}  // namespace

Actor supervise(SupervisorSelf self, Supervision how, std::vector<Child> children) {
  self.trap_ends();
  Team team(self, how, std::move(children));
  team.act();
  while (!team.done()) {
    auto message = co_await self.receive_until(team.next());
    if (message) hear(team, *message);
    if (!message && self.stopping()) break;
    team.act();
  }
  // receive() waits no more once the actor was told to stop, and the children's ends are still to come.
  while (!team.nobody_runs()) {
    team.close();
    const selective::Another another{self.cell(), team.next(), std::source_location::current()};
    co_await another;
    team.act();
    for (;;) {
      auto message = co_await self.receive_until(self.now());
      if (!message) break;
      hear(team, *message);
    }
  }
}

}  // namespace outcry::supervisor_detail
