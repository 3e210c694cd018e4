#include "venue_pages.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "attendance.hpp"

namespace outcry {

namespace {

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

void add_schedulers(MetricsText& text, const std::vector<SchedulerLoad>& loads) {
  const auto each = [&](MetricsText::Family family, auto value) {
    for (std::size_t i = 0; i < loads.size(); ++i) family.add({{"scheduler", fmt::format("{}", i)}}, value(loads[i]));
  };
  each(text.gauge("outcry_scheduler_busy_ratio", "Share of its time that a scheduler was busy, since its start"),
       [](const SchedulerLoad& load) { return load.busy(); });
  each(text.gauge("outcry_scheduler_run_queue", "Actors that wait for their turn"),
       [](const SchedulerLoad& load) { return load.run_queue; });
  each(text.gauge("outcry_scheduler_actors", "Actors that live there"),
       [](const SchedulerLoad& load) { return load.actors; });
  each(text.counter("outcry_messages_delivered_total", "Messages and timers that actors took"),
       [](const SchedulerLoad& load) { return load.delivered; });
  each(text.counter("outcry_turns_total", "Turns of actors"), [](const SchedulerLoad& load) { return load.turns; });
  each(text.counter("outcry_parks_total", "Times that a scheduler went to sleep"),
       [](const SchedulerLoad& load) { return load.parks; });
  each(text.gauge("outcry_mailbox_high_water", "The most messages that one actor found when its turn came"),
       [](const SchedulerLoad& load) { return load.mailbox_high_water; });
}

void add_pools(MetricsText& text, const std::vector<std::optional<VenueSample>>& samples) {
  struct Pool {
    std::string scheduler;
    const char* name;
    double in_use, capacity, high_water, bytes;
    std::uint64_t grown;
  };
  std::vector<Pool> pools;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!samples[i]) continue;
    const std::string scheduler = fmt::format("{}", i);
    if (const auto& orders = samples[i]->orders)
      pools.push_back({scheduler, "orders", static_cast<double>(orders->in_use), static_cast<double>(orders->capacity),
                       static_cast<double>(orders->high_water), static_cast<double>(orders->bytes), orders->grown});
    // Blocks of several sizes share these: the most that were in use at once stands for their capacity.
    const auto blocks = [&](const char* name, const LocalPool::Statistics& pool) {
      pools.push_back({scheduler, name, static_cast<double>(pool.in_use), static_cast<double>(pool.high_water),
                       static_cast<double>(pool.high_water), static_cast<double>(pool.bytes_reserved),
                       pool.slabs_grown});
    };
    blocks("frames", samples[i]->frames);
    blocks("messages", samples[i]->messages);
  }
  const auto each = [&](MetricsText::Family family, auto value) {
    for (const Pool& pool : pools) family.add({{"pool", pool.name}, {"scheduler", pool.scheduler}}, value(pool));
  };
  each(text.gauge("outcry_pool_in_use", "Orders, or blocks, that are in use"), [](const Pool& p) { return p.in_use; });
  each(text.gauge("outcry_pool_high_water", "The most that were in use at once"),
       [](const Pool& p) { return p.high_water; });
  each(text.gauge("outcry_pool_used_ratio", "Share of a pool's room that is in use; of blocks: of the most at once"),
       [](const Pool& p) { return share(p.in_use, p.capacity); });
  each(text.gauge("outcry_pool_bytes", "Memory that a pool has taken"), [](const Pool& p) { return p.bytes; });
  each(text.counter("outcry_pool_grown_total", "Times that a pool grew while somebody waited"),
       [](const Pool& p) { return p.grown; });
}

void add_symbols(MetricsText& text, const std::vector<Instrument>& instruments,
                 const std::vector<std::optional<VenueSample>>& samples) {
  const auto each = [&](MetricsText::Family family, auto value) {
    for (const auto& sample : samples)
      if (sample)
        for (const SymbolTally& tally : sample->symbols)
          family.add({{"symbol", name_of(instruments[tally.symbol.value])}}, value(tally));
  };
  each(text.counter("outcry_symbol_commands_total", "Commands that a symbol took"),
       [](const SymbolTally& tally) { return tally.commands; });
  each(text.counter("outcry_symbol_overtaken_total", "Commands that a symbol took behind one that arrived later"),
       [](const SymbolTally& tally) { return tally.fairness.overtaken; });
  each(text.gauge("outcry_symbol_overtaken_seconds", "The most that lay between two such arrivals"),
       [](const SymbolTally& tally) { return static_cast<double>(tally.fairness.most_ns) / 1e9; });
  each(text.counter("outcry_symbol_trades_total", "Trades of a symbol"),
       [](const SymbolTally& tally) { return tally.trades; });
  each(text.counter("outcry_symbol_shares_total", "Shares that changed hands"),
       [](const SymbolTally& tally) { return std::uint64_t{tally.shares}; });
}

void add_refusals(MetricsText& text, const std::vector<std::optional<VenueSample>>& samples) {
  MetricsText::Family family =
      text.counter("outcry_refused_total", "Orders that were refused before they reached a book, by reason");
  for (int reason = 1; reason < risk_reasons; ++reason) {
    std::uint64_t sum = 0;
    for (const auto& sample : samples)
      if (sample) sum += sample->refused[static_cast<std::size_t>(reason)];
    family.add({{"reason", to_string(static_cast<RiskReason>(reason))}}, sum);
  }
}

std::vector<Histogram> merged(const std::vector<std::optional<VenueSample>>& samples,
                              std::vector<Histogram> VenueSample::* stages) {
  std::vector<Histogram> sums;
  for (const auto& sample : samples) {
    if (!sample) continue;
    const std::vector<Histogram>& of = (*sample).*stages;
    if (sums.empty()) {
      sums = of;
      continue;
    }
    for (std::size_t i = 0; i < std::min(sums.size(), of.size()); ++i) sums[i].merge(of[i]);
  }
  return sums;
}

void add_stages(MetricsText& text, const std::vector<std::optional<VenueSample>>& samples) {
  const std::vector<Histogram> stages = merged(samples, &VenueSample::stages);
  const std::vector<Histogram> port_stages = merged(samples, &VenueSample::port_stages);
  if (stages.empty() && port_stages.empty()) return;
  MetricsText::Family family =
      text.histogram("outcry_stage_seconds", "How long orders spent in each stage of their way");
  for (std::size_t i = 0; i < port_stages.size(); ++i)
    family.add({{"stage", name_of(static_cast<PortStage>(i))}}, port_stages[i]);
  for (std::size_t i = 0; i < stages.size(); ++i) family.add({{"stage", name_of(static_cast<Stage>(i))}}, stages[i]);
}

}  // namespace

Task<StatusPage> VenuePages::page(StatusRequest request) {
  const std::string path = request.path;
  StatusPage page;
  if (KillPages::has(path)) {
    auto asking = kill_.page(std::move(request));
    page = co_await asking;
  } else if (request.is_post) {
    page.status = 405;
    page.body = "there is nothing to be done here\n";
  } else if (path == "/metrics") {
    auto making = metrics();
    page = co_await making;
  } else if (path == "/livez") {
    auto asking = alive();
    page = co_await asking;
  } else if (path == "/readyz") {
    const VenueState state = options_.state->load(std::memory_order_acquire);
    page.status = state == VenueState::open ? 200 : 503;
    page.body = fmt::format("{}\n", name_of(state));
  }
  co_return page;
}

Task<StatusPage> VenuePages::alive() {
  StatusPage page;
  page.status = 200;
  page.body = "alive\n";
  for (std::size_t i = 0; i < options_.probes.size(); ++i) {
    auto asking = options_.probes[i].ask(VenueSampleQuery{}, options_.patience);
    const auto sample = co_await asking;
    if (sample) continue;
    page.status = 503;
    page.body = fmt::format("scheduler {} does not answer\n", i);
    break;
  }
  co_return page;
}

Task<> VenuePages::add_gateways(MetricsText& text) {
  std::vector<std::pair<std::string_view, GatewayReport>> reports;
  for (const auto& [name, gateway] : options_.gateways) {
    auto asking = gateway.ask(GatewayQuery{}, options_.patience);
    const auto report = co_await asking;
    if (report) reports.emplace_back(name, *report);
  }
  const auto each = [&](MetricsText::Family family, auto value) {
    for (const auto& [name, report] : reports) family.add({{"gateway", name}}, std::uint64_t{value(report)});
  };
  each(text.gauge("outcry_connections", "Connections of a gateway"),
       [](const GatewayReport& report) { return report.connections; });
  each(text.counter("outcry_connections_accepted_total", "Connections that were taken in"),
       [](const GatewayReport& report) { return report.accepted; });
  each(text.counter("outcry_connections_refused_total", "Connections beyond what is allowed"),
       [](const GatewayReport& report) { return report.refused; });
  each(text.counter("outcry_logins_total", "Logins that were admitted"),
       [](const GatewayReport& report) { return report.admitted; });
  MetricsText::Family failed = text.counter("outcry_logins_failed_total", "Logins that were not, by reason");
  for (const auto& [name, report] : reports) {
    failed.add({{"gateway", name}, {"reason", "rejected"}}, report.rejected);
    failed.add({{"gateway", name}, {"reason", "timed_out"}}, report.timed_out);
    failed.add({{"gateway", name}, {"reason", "broken"}}, report.broken);
  }
}

Task<> VenuePages::add_ports(MetricsText& text) {
  struct Sum {
    std::string_view gateway;
    std::uint64_t sessions = 0, open_orders = 0, messages = 0, answers = 0, rejected = 0, ignored = 0, held_back = 0,
                  mass_cancels = 0;
  };
  std::vector<Sum> sums;
  const auto sum_of = [&](std::string_view gateway) -> Sum& {
    const auto sum = std::find_if(sums.begin(), sums.end(), [&](const Sum& one) { return one.gateway == gateway; });
    return sum != sums.end() ? *sum : sums.emplace_back(Sum{.gateway = gateway});
  };
  for (const auto& [name, port] : options_.ports) {
    auto asking = port.ask(PortQuery{}, options_.patience);
    const auto report = co_await asking;
    if (!report) continue;
    Sum& sum = sum_of(name);
    sum.sessions += report->attached ? 1 : 0;
    sum.open_orders += report->open_orders;
    sum.messages += report->counts.messages;
    sum.answers += report->next_sequence - 1;
    sum.rejected += report->rejected;
    sum.ignored += report->ignored;
    sum.held_back += report->counts.held_back;
    sum.mass_cancels += report->counts.mass_cancels;
  }
  const auto each = [&](MetricsText::Family family, auto value) {
    for (const Sum& sum : sums) family.add({{"gateway", sum.gateway}}, std::uint64_t{value(sum)});
  };
  each(text.gauge("outcry_sessions", "Clients that are logged in"), [](const Sum& sum) { return sum.sessions; });
  each(text.gauge("outcry_open_orders", "Orders of a gateway's clients that are open"),
       [](const Sum& sum) { return sum.open_orders; });
  each(text.counter("outcry_orders_total", "Messages of clients: orders, changes and cancels"),
       [](const Sum& sum) { return sum.messages; });
  each(text.counter("outcry_answers_total", "Messages to clients"), [](const Sum& sum) { return sum.answers; });
  each(text.counter("outcry_rejected_total", "Orders that were rejected"), [](const Sum& sum) { return sum.rejected; });
  each(text.counter("outcry_ignored_total", "Messages that were passed over: resent, or about orders that are gone"),
       [](const Sum& sum) { return sum.ignored; });
  each(text.counter("outcry_held_back_total", "Times that reading from a client waited"),
       [](const Sum& sum) { return sum.held_back; });
  each(text.counter("outcry_disconnect_cancels_total", "Times that everything was cancelled since a client was gone"),
       [](const Sum& sum) { return sum.mass_cancels; });
}

Task<> VenuePages::add_feeds(MetricsText& text) {
  std::vector<std::pair<std::string_view, FeedStatus>> all;
  for (const auto& [name, feed] : options_.feeds) {
    auto asking = feed.ask(FeedStatusQuery{}, options_.patience);
    const auto status = co_await asking;
    if (status) all.emplace_back(name, *status);
  }
  const auto each = [&](MetricsText::Family family, auto value) {
    for (const auto& [name, status] : all) family.add({{"feed", name}}, std::uint64_t{value(status)});
  };
  each(text.counter("outcry_feed_messages_total", "Messages of a feed"),
       [](const FeedStatus& status) { return status.feed.messages; });
  each(text.counter("outcry_feed_packets_total", "Packets of a feed"),
       [](const FeedStatus& status) { return status.feed.packets; });
  each(text.counter("outcry_feed_unsendable_total", "Packets for which a socket had no room"),
       [](const FeedStatus& status) { return status.unsendable; });
  each(text.counter("outcry_feed_requests_total", "Requests for packets that were lost"),
       [](const FeedStatus& status) { return status.asked.requests; });
  each(text.counter("outcry_feed_requests_limited_total", "Of them: beyond what is allowed"),
       [](const FeedStatus& status) { return status.asked.limited; });
  each(text.counter("outcry_feed_snapshots_total", "Snapshots that were made"),
       [](const FeedStatus& status) { return status.feed.snapshots; });
}

Task<StatusPage> VenuePages::metrics() {
  std::vector<std::optional<VenueSample>> samples;
  for (const VenueProbeAddress& probe : options_.probes) {
    auto asking = probe.ask(VenueSampleQuery{}, options_.patience);
    auto sample = co_await asking;
    samples.emplace_back();
    if (sample) samples.back().emplace(std::move(*sample));
  }
  MetricsText text;
  const VenueState state = options_.state->load(std::memory_order_acquire);
  text.gauge("outcry_info", "What runs").add({{"venue", options_.name}, {"version", OUTCRY_VERSION}}, std::uint64_t{1});
  text.gauge("outcry_ready", "1: orders can be entered").add({}, std::uint64_t{state == VenueState::open ? 1u : 0u});
  text.gauge("outcry_resident_bytes", "Memory of the process").add({}, resident_mb() * (1 << 20));
  add_schedulers(text, options_.runtime->load());
  add_pools(text, samples);
  add_symbols(text, options_.instruments, samples);
  add_refusals(text, samples);
  auto gateways = add_gateways(text);
  co_await gateways;
  auto ports = add_ports(text);
  co_await ports;
  auto feeds = add_feeds(text);
  co_await feeds;
  add_stages(text, samples);
  StatusPage page{200, std::string(MetricsText::content_type), text.text()};
  co_return page;
}

}  // namespace outcry
