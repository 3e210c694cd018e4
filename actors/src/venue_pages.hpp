// VenuePages: what a venue says of itself over HTTP.
//
//   /metrics   everything that is counted, for Prometheus
//   /livez     200 as long as every scheduler answers
//   /readyz    200 while orders can be entered: all doors are open, and the day is not being ended
//   /kill, /release   the kill switch: kill_pages.hpp
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <outcry/actors/gateway.hpp>
#include <outcry/actors/market_data.hpp>
#include <outcry/actors/metrics_text.hpp>
#include <outcry/actors/ouch_port_actor.hpp>
#include <outcry/actors/status_server.hpp>
#include <outcry/actors/venue_probe.hpp>
#include <outcry/messages/instrument.hpp>
#include <outcry/runtime/runtime.hpp>

#include "kill_pages.hpp"

namespace outcry {

enum class VenueState : std::uint8_t { starting, open, draining };
constexpr std::string_view name_of(VenueState state) {
  constexpr std::string_view names[] = {"starting", "open", "draining"};
  return names[static_cast<std::size_t>(state)];
}

struct VenuePagesOptions {
  Runtime* runtime = nullptr;
  std::string name{};
  std::vector<Instrument> instruments{};
  std::vector<VenueProbeAddress> probes{};  // by scheduler
  std::vector<std::pair<std::string, Address<Ask<GatewayQuery>>>> gateways{};
  std::vector<std::pair<std::string, Address<Ask<PortQuery>>>> ports{};  // with the names of their gateways
  std::vector<std::pair<std::string, Address<Ask<FeedStatusQuery>>>> feeds{};
  const std::atomic<VenueState>* state = nullptr;
  KillPagesOptions kill{};
  Duration patience = std::chrono::seconds(1);  // for a probe
};

class VenuePages final : public StatusPages {
 public:
  explicit VenuePages(VenuePagesOptions options) : options_(std::move(options)), kill_(options_.kill) {}

  Task<StatusPage> page(StatusRequest request) override;

 private:
  Task<StatusPage> metrics();
  Task<StatusPage> alive();
  Task<> add_gateways(MetricsText& text);
  Task<> add_ports(MetricsText& text);
  Task<> add_feeds(MetricsText& text);

  VenuePagesOptions options_;
  KillPages kill_;
};

}  // namespace outcry
