#include <outcry/actors/kill_desk.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include <outcry/runtime/offload.hpp>

namespace outcry {

namespace {

using namespace std::chrono_literals;

template <std::size_t N>
void put(std::array<char, N>& into, std::string_view text) {
  into = {};
  std::copy_n(text.begin(), std::min(text.size(), N - 1), into.begin());
}

/// Writes the file; what went wrong, else nothing.
class Writing {
 public:
  Writing(std::string path, std::string text) : path_(std::move(path)), text_(std::move(text)) {}
  std::string operator()() const {
    try {
      if (!path_.empty()) write_kill_switch(path_, text_);
      return {};
    } catch (const std::exception& failure) {
      return failure.what();
    }
  }

 private:
  std::string path_, text_;
};

class KillDesk {
 public:
  explicit KillDesk(KillDeskSetup setup) : setup_(std::move(setup)) {}

  KillSwitch& state() { return *setup_.state; }
  Writing writing(const KillSwitch& as) const { return {setup_.path, as.text()}; }
  bool is_unwritten = false;  // the file does not have what is engaged: the next who asks has it tried again

  void subscribe(const SubscribeKills& subscribe) {
    listeners_.push_back(subscribe.address);
    for (const Engagement& engagement : state().engagements()) subscribe.address.send(KillChanged{engagement.scope, 1});
  }
  void tell(const KillScope& scope, bool engaged) {
    for (const KillAddress& listener : listeners_) listener.send(KillChanged{scope, engaged ? 1u : 0u});
  }
  void cancel(const KillScope& scope) {
    for (std::uint32_t s = 0; s < setup_.symbols.size(); ++s) {
      if (scope.kind == KillScope::Kind::venue) {
        setup_.symbols[s].send(MassCancel{.symbol = {s}, .all_accounts = 1});
        continue;
      }
      for (const AccountId account : state().accounts(scope))
        setup_.symbols[s].send(MassCancel{.account = account, .symbol = {s}});
    }
  }

 private:
  KillDeskSetup setup_;
  std::vector<KillAddress> listeners_;
};

std::int64_t utc_now_ns(const KillDeskSelf& self) {
  if (self.scheduler().virtual_time()) return to_ns(self.now());
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

EngageKill EngageKill::because(const KillScope& scope, std::string_view why) {
  EngageKill engage{.scope = scope};
  put(engage.why, why);
  return engage;
}

Actor kill_desk(KillDeskSelf self, KillDeskSetup setup) {
  KillDesk desk(std::move(setup));
  while (auto message = co_await self.receive()) {
    if (const auto* subscribe = std::get_if<SubscribeKills>(&*message)) {
      desk.subscribe(*subscribe);
    } else if (const auto* query = std::get_if<Ask<KillQuery>>(&*message)) {
      KillReport report;
      report.engaged = desk.state().engagements();
      query->reply(std::move(report));
    } else if (const auto* engage = std::get_if<Ask<EngageKill>>(&*message)) {
      const KillScope scope = engage->query.scope;
      KillAnswer answer{.is_engaged = true};
      answer.changed = desk.state().engage(scope, utc_now_ns(self), engage->query.why.data());
      if (answer.changed) {
        desk.tell(scope, true);
        desk.cancel(scope);
      }
      if (answer.changed || desk.is_unwritten) {
        auto writing = offload(self, desk.writing(desk.state()), 5ms);
        const std::string failure = co_await writing;
        desk.is_unwritten = !failure.empty();
        put(answer.failure, failure);
      }
      engage->reply(answer);
    } else if (const auto* release = std::get_if<Ask<ReleaseKill>>(&*message)) {
      const KillScope scope = release->query.scope;
      KillSwitch next = desk.state();
      KillAnswer answer{};
      if (next.release(scope)) {
        auto writing = offload(self, desk.writing(next), 5ms);
        const std::string failure = co_await writing;
        put(answer.failure, failure);
        answer.changed = failure.empty();
        answer.is_engaged = !answer.changed;
        if (answer.changed) {
          desk.is_unwritten = false;
          desk.state() = std::move(next);
          desk.tell(scope, false);
        }
      }
      release->reply(answer);
    }
  }
}

}  // namespace outcry
