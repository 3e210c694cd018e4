// Pools file: a PoolsReport as the key `pools` of a run's manifest, and back again.
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include <outcry/actors/pools_report.hpp>
#include <outcry/book/book_report.hpp>

namespace outcry {

/// {"orders": [{"capacity": ...}, ...], "frames": [...]}: one of each for each scheduler.
nlohmann::ordered_json json_of(const PoolsReport& report);
/// Operations by kind, and of each side levels, orders, volume, and how many queues have which length.
nlohmann::ordered_json json_of(const BookReport& report);

/// Reads what an earlier run left: its folder, its manifest, or what it printed with --json. Throws std::runtime_error
/// with one sentence.
PoolsReport read_pools(const std::filesystem::path& path);

}  // namespace outcry
