#include "pools_file.hpp"

#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>

namespace outcry {

namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& sentence) {
  throw std::runtime_error(path.string() + ": " + sentence);
}

template <class Number>
Number number_in(const Json& object, const char* key, const std::filesystem::path& path) {
  const auto value = object.find(key);
  if (value == object.end() || !value->is_number_unsigned() ||
      value->get<std::uint64_t>() > std::numeric_limits<Number>::max())
    refuse(path, std::string("a pool without a sound number \"") + key + "\"");
  return value->get<Number>();
}

Json json_of(const std::vector<LocalPool::Statistics>& pools) {
  Json all = Json::array();
  for (const LocalPool::Statistics& one : pools)
    all.push_back({{"in_use", one.in_use},
                   {"high_water", one.high_water},
                   {"grown", one.slabs_grown},
                   {"bytes", one.bytes_reserved}});
  return all;
}

std::vector<LocalPool::Statistics> pools_in(const Json& all, const std::filesystem::path& path) {
  std::vector<LocalPool::Statistics> pools;
  for (const Json& one : all)
    pools.push_back({.in_use = number_in<std::size_t>(one, "in_use", path),
                     .high_water = number_in<std::size_t>(one, "high_water", path),
                     .bytes_reserved = number_in<std::size_t>(one, "bytes", path),
                     .slabs_grown = number_in<std::size_t>(one, "grown", path)});
  return pools;
}

Json json_of(const BookReport::Queues& queues) {
  Json lengths = Json::object();
  for (std::size_t n = 1; n < queues.lengths.size(); ++n) {
    if (queues.lengths[n] == 0) continue;
    const std::uint64_t least = std::uint64_t{1} << (n - 1), most = 2 * least - 1;
    lengths[most > least ? std::to_string(least) + "-" + std::to_string(most) : "1"] = queues.lengths[n];
  }
  return {{"levels", queues.levels},         {"orders", queues.orders},
          {"volume", queues.volume},         {"orders_per_level", queues.orders_per_level()},
          {"longest_queue", queues.longest}, {"queues", lengths}};
}

}  // namespace

std::string to_string(const PoolsReport& report) {
  std::string text;
  for (const OrderPool::Report& one : report.orders) text += to_string(one) + "\n";
  for (const FramePool::Statistics& one : report.frames) text += to_string(one) + "\n";
  for (const LocalPool::Statistics& one : report.messages) text += to_string(one, "messages") + "\n";
  return text;
}

Json json_of(const PoolsReport& report) {
  Json orders = Json::array();
  for (const OrderPool::Report& one : report.orders)
    orders.push_back({{"capacity", one.capacity},
                      {"prefaulted", one.prefaulted},
                      {"in_use", one.in_use},
                      {"high_water", one.high_water},
                      {"grown", one.grown},
                      {"refused", one.refused},
                      {"bytes", one.bytes}});
  return {{"orders", orders}, {"frames", json_of(report.frames)}, {"messages", json_of(report.messages)}};
}

Json json_of(const BookReport& report) {
  const BookCounts& counts = report.counts;
  return {{"new", counts.new_orders},       {"cancel", counts.cancels},       {"reduce", counts.reductions},
          {"modify", counts.modifications}, {"replace", counts.replacements}, {"execute", counts.executions},
          {"rejected", counts.rejections},  {"trades", counts.trades},        {"traded", counts.traded},
          {"events", counts.events},        {"bids", json_of(report.bids)},   {"asks", json_of(report.asks)}};
}

PoolsReport read_pools(const std::filesystem::path& path) {
  const std::filesystem::path name = std::filesystem::is_directory(path) ? path / "manifest.json" : path;
  std::ifstream file(name);
  if (!file) refuse(name, "cannot be read");
  const Json all = Json::parse(file, nullptr, false);
  if (!all.is_object()) refuse(name, "is not JSON; expected the manifest of a run");
  const Json& holder = all.contains("result") && all["result"].is_object() ? all["result"] : all;
  const auto pools = holder.find("pools");
  if (pools == holder.end() || !pools->is_object() || !pools->contains("orders") || !pools->contains("frames"))
    refuse(name, "says nothing of pools; expected the manifest of a run that came to its end");

  PoolsReport report;
  for (const Json& one : (*pools)["orders"])
    report.orders.push_back({.capacity = number_in<std::uint32_t>(one, "capacity", name),
                             .prefaulted = number_in<std::uint32_t>(one, "prefaulted", name),
                             .in_use = number_in<std::uint32_t>(one, "in_use", name),
                             .high_water = number_in<std::uint32_t>(one, "high_water", name),
                             .grown = number_in<std::uint32_t>(one, "grown", name),
                             .refused = number_in<std::uint64_t>(one, "refused", name),
                             .bytes = number_in<std::uint64_t>(one, "bytes", name)});
  report.frames = pools_in((*pools)["frames"], name);
  if (pools->contains("messages")) report.messages = pools_in((*pools)["messages"], name);
  return report;
}

}  // namespace outcry
