// Virtual time: events of sites in their order, windows, and what goes to other schedulers.
#include <outcry/runtime/scheduler.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include <outcry/runtime/runtime.hpp>

namespace outcry {

namespace {

Duration distance_between(Duration a, Duration b) { return a < b ? b - a : a - b; }

}  // namespace

Envelope& Scheduler::insert(Site& site, EventQueue::Key key, const Envelope& envelope) {
  key.node = site.queue.hold(envelope);
  if (&site == site_ && key.time == to_ns(now_)) {
    site.next.push_back(key);
  } else {
    site.queue.push(key);
    if (&site != site_) schedule_site(site);
  }
  return site.queue.envelope(key.node);
}

void Scheduler::schedule_site(Site& site) {
  const std::int64_t time = site.queue.next_time();
  if (time >= site.due) return;
  site.due = time;
  due_.push_back({time, site.index});
  std::push_heap(due_.begin(), due_.end(), [](const DueSite& a, const DueSite& b) {
    return a.time != b.time ? a.time > b.time : a.site > b.site;
  });
}

void Scheduler::require_link(const Site& here, const ActorCell& to) const {
  if (&here == to.site || runtime_.options().latency.between_sites != forever) return;
  throw std::logic_error(std::string("no link leads from actor '") +
                         (current_ != nullptr ? current_->name.c_str() : "") + "' to actor '" + to.name.c_str() +
                         "': they are on different sites and Latency::between_sites is not set");
}

void Scheduler::post_virtual(const Envelope& envelope, Time earliest) {
  const Latency& latency = runtime_.options().latency;
  ActorCell& to = *envelope.to;
  ActorCell* const from = current_;
  Site& site = *to.site;
  Site* const here = from != nullptr ? from->site : site_ != nullptr ? site_ : &site;
  const bool within = here == &site;

  require_link(*here, to);
  Duration delay = within ? latency.within_site : latency.between_sites;
  Time departure = now_;
  EventQueue::Key key;
  if (from != nullptr) {
    departure = std::max(departure, from->busy_until);
    delay += distance_between(from->distance, to.distance);
    key.sender = from->id;
    key.sequence = from->sent++;
  } else {
    key.sender = here->index + 1;
    key.sequence = here->notices++;
  }
  Time arrival = later(departure, delay);
  if (latency.jitter > Duration::zero() && from != nullptr) {
    arrival = later(
        arrival,
        Duration(static_cast<std::int64_t>(from->random.exponential(static_cast<double>(latency.jitter.count())))));
    Time& last = from->more().last_arrival.try_emplace(&to, Time::min()).first->second;
    arrival = last = std::max(arrival, last);
  }
  arrival = std::max(arrival, earliest);
  key.time = to_ns(arrival);

  const auto leave = [&](Envelope& copy) {
    copy.from = from;
    copy.from_generation = from != nullptr ? from->generation : 0;
  };
  if (site.scheduler == this) {
    leave(insert(site, key, envelope));
  } else if (&to.scheduler().runtime_ != &runtime_) {
    throw std::logic_error("an actor of a simulation sends to actors of the same simulation only");
  } else {
    least_sent_ = std::min(least_sent_, key.time);
    leave(exchange_[parity_][site.scheduler->index_].emplace_back(RemoteEvent{key, envelope}).envelope);
  }
}

void Scheduler::take_exchange(std::uint32_t parity) {
  for (const auto& other : runtime_.schedulers_) {
    auto& buffer = other->exchange_[parity][index_];
    for (const RemoteEvent& event : buffer) insert(*event.envelope.to->site, event.key, event.envelope);
    buffer.clear();
  }
}

std::int64_t Scheduler::next_time() {
  const auto after = [](const DueSite& a, const DueSite& b) {
    return a.time != b.time ? a.time > b.time : a.site > b.site;
  };
  while (!due_.empty() && due_.front().time != runtime_.sites_[due_.front().site]->due) {
    std::pop_heap(due_.begin(), due_.end(), after);
    due_.pop_back();
  }
  return due_.empty() ? INT64_MAX : due_.front().time;
}

void Scheduler::run_window(std::int64_t end) {
  const auto after = [](const DueSite& a, const DueSite& b) {
    return a.time != b.time ? a.time > b.time : a.site > b.site;
  };
  while (next_time() < end && !runtime_.stopped()) {
    Site& site = *runtime_.sites_[due_.front().site];
    std::pop_heap(due_.begin(), due_.end(), after);
    due_.pop_back();
    site.due = INT64_MAX;
    run_site(site, end);
    schedule_site(site);
  }
  seen_time_.store(std::min(end, next_time()) - 1, std::memory_order_relaxed);
  seen_delivered_.store(counters_.delivered, std::memory_order_relaxed);
  show_load();
}

void Scheduler::run_site(Site& site, std::int64_t end) {
  site_ = &site;
  while (site.queue.next_time() < end && !runtime_.stopped()) {
    const std::int64_t time = site.queue.next_time();
    now_ = time_from_ns(time);
    site.step = 0;
    while (site.queue.next_time() == time) site.current.push_back(site.queue.pop());
    if (drawn_order_) [[unlikely]] {
      run_moment_in_drawn_order(site);
      continue;
    }
    for (;;) {
      for (const EventQueue::Key& key : site.current) {
        arrive(site.queue.envelope(key.node), key.sender, key.sequence, site.step);
        run_ready();
        site.queue.release(key.node);
      }
      site.current.clear();
      if (site.next.empty()) break;
      std::swap(site.current, site.next);
      if (site.current.size() > 1) std::sort(site.current.begin(), site.current.end());
      if ((++site.step & 0xFFF) == 0 && runtime_.stopped()) {  // actors that keep each other busy without time going on
        for (const EventQueue::Key& key : site.current) site.queue.push(key);
        site.current.clear();
        break;
      }
    }
  }
  last_time_ = std::max(last_time_, now_);
  site_ = nullptr;
}

}  // namespace outcry
