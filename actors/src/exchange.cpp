#include <outcry/actors/exchange.hpp>

#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "exchange_parts.hpp"

namespace outcry {

Exchange::Exchange(VenueConfig config, std::function<void(std::string_view)> log) : parts_(std::make_unique<Parts>()) {
  parts_->config = std::move(config);
  parts_->log = std::move(log);
  parts_->build();
}

Exchange::~Exchange() {
  if (!parts_->runs) return;
  stop();
  parts_->runtime->join();
}

void Exchange::start() {
  auto opened = parts_->opened.get_future();
  parts_->runtime->start();
  parts_->runs = true;
  const std::string failure = opened.get();
  parts_->opened_at = std::chrono::steady_clock::now();
  if (failure.empty()) return;
  parts_->runtime->join();
  parts_->runs = false;
  throw std::runtime_error(failure);
}

const std::vector<ExchangeDoor>& Exchange::doors() const { return parts_->doors; }

const ExchangeDoor* Exchange::door(ExchangeDoor::Kind kind, std::string_view name) const {
  for (const ExchangeDoor& one : parts_->doors)
    if (one.kind == kind && (name.empty() || one.name == name)) return &one;
  return nullptr;
}

void Exchange::drain() noexcept {
  if (parts_->state.load(std::memory_order_acquire) == VenueState::open) parts_->director.send(EndDay{});
}

void Exchange::stop() noexcept { parts_->runtime->stop(); }

ExchangeReport Exchange::join() {
  parts_->runtime->join();
  parts_->runs = false;
  ExchangeReport report;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - parts_->opened_at).count();
  report.in_time = parts_->in_time.load(std::memory_order_relaxed);
  report.ouch_messages = parts_->ouch_messages.load(std::memory_order_relaxed);
  report.fix_messages = parts_->fix_messages.load(std::memory_order_relaxed);
  report.failures = parts_->failures.load(std::memory_order_relaxed);
  for (const SymbolCounts& counts : parts_->counts) {
    report.commands += counts.commands;
    report.trades += counts.trades;
    report.shares += counts.shares;
  }
  for (const auto& times : parts_->stage_times)
    for (std::uint32_t symbol = 0; times != nullptr && symbol < times->symbols(); ++symbol)
      report.fairness.add(times->fairness(SymbolId{symbol}));
  for (const PortOfAccount& port : parts_->ports) {
    if (port.fix || !parts_->config.measure) continue;
    report.sessions.push_back(
        {fmt::format("{}@{}", parts_->config.accounts[port.user].user, parts_->config.gateways[port.gateway].name),
         parts_->port_times[report.sessions.size()].get()});
  }
  return report;
}

const VenueConfig& Exchange::config() const { return parts_->config; }

std::vector<Instrument> Exchange::instruments() const {
  std::vector<Instrument> all;
  for (const VenueConfig::Listed& listed : parts_->config.instruments) all.push_back(listed.instrument);
  return all;
}

const std::vector<std::unique_ptr<StageTimes>>& Exchange::stage_times() const { return parts_->stage_times; }

}  // namespace outcry
