#include <outcry/actors/session.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace outcry {

namespace {

constexpr auto expiry_period = std::chrono::seconds(1);

}  // namespace

std::vector<SessionStep> steps_of(const SessionPlan& plan) {
  const auto refuse = [](const char* sentence) { throw std::invalid_argument(sentence); };
  std::vector<SessionStep> steps;
  if (plan.opening_from > Duration::zero()) steps.push_back({Duration::zero(), Phase::halted});
  if (plan.opening_to != Duration::zero() && plan.opening_to < plan.opening_from)
    refuse("the opening auction must not end before it begins");
  if (plan.opening_to > plan.opening_from) steps.push_back({plan.opening_from, Phase::auction});
  Duration busy_until = std::max(plan.opening_from, plan.opening_to);
  if (busy_until != Duration::zero()) steps.push_back({busy_until, Phase::continuous});

  std::vector<Halt> halts = plan.halts;
  std::sort(halts.begin(), halts.end(), [](const Halt& a, const Halt& b) { return a.at < b.at; });
  for (const Halt& halt : halts) {
    if (halt.at < Duration::zero() || halt.length <= Duration::zero()) refuse("a halt must last longer than zero");
    if (halt.at < busy_until) refuse("a halt must not begin before the opening, or the halt before it, is over");
    steps.push_back({halt.at, Phase::halted});
    busy_until = halt.at + halt.length;
    if (plan.reopening > Duration::zero()) {
      steps.push_back({busy_until, Phase::auction});
      busy_until += plan.reopening;
    }
    steps.push_back({busy_until, Phase::continuous});
  }

  if (plan.closing_from == Duration::zero() && plan.closing_to == Duration::zero()) return steps;
  if (plan.closing_to < plan.closing_from) refuse("the closing auction must not end before it begins");
  if (plan.closing_from < busy_until)
    refuse("the closing auction must not begin before the opening and every halt are over");
  // The book uncrosses as it closes; stops that this triggers wait for the next opening.
  if (plan.closing_to > plan.closing_from) steps.push_back({plan.closing_from, Phase::auction});
  steps.push_back({plan.closing_to, Phase::closed});
  return steps;
}

Actor session(SessionSelf self, SymbolAddress symbol, SymbolId id, SessionPlan plan) {
  const std::vector<SessionStep> steps = steps_of(plan);
  const bool closes = plan.closing_to != Duration::zero();
  symbol.send(SubscribePhases{self.address()});
  Phase planned = Phase::continuous;
  Time unplanned_until = never;
  Time expiry = self.now() + expiry_period;
  const auto change_to = [&](Phase phase) { symbol.send(ChangePhase{.symbol = id, .phase = phase}); };

  for (std::size_t next = 0; !self.stopping();) {
    if (self.now() >= expiry) {
      const auto now_s = std::chrono::duration_cast<std::chrono::seconds>(self.now() - Time{}).count();
      symbol.send(ExpireOrders{.symbol = id, .now_s = static_cast<std::uint32_t>(now_s)});
      expiry += expiry_period;
    }
    for (; next < steps.size() && self.now() >= plan.origin + steps[next].at; ++next) {
      planned = steps[next].phase;
      unplanned_until = never;
      change_to(planned);
      if (closes && next + 1 == steps.size()) symbol.send(EndOfDay{.symbol = id});
    }
    if (self.now() >= unplanned_until) {
      unplanned_until = never;
      change_to(planned);
    }

    const Time step = next < steps.size() ? plan.origin + steps[next].at : never;
    const Time wake = std::min(std::min(step, expiry), unplanned_until);
    const auto heard = co_await self.receive_until(wake);
    if (!heard) continue;
    if (heard->phase == planned) {
      unplanned_until = never;
    } else if (collects(heard->phase) && unplanned_until == never) {
      unplanned_until = self.now() + plan.unplanned;
    }
  }
}

}  // namespace outcry
