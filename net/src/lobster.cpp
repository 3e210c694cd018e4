#include <outcry/net/lobster.hpp>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "content.hpp"
#include "csv_line.hpp"
#include "rows.hpp"

namespace outcry {
namespace {

constexpr std::string_view whole_number = "a whole number";

bool parse_row(std::string_view line, HistoryEvent& event, char& type, Complaint& complaint) {
  std::array<std::string_view, 6> column;
  if (const std::size_t columns = split(line, column); columns != 6) return complain(complaint, columns, 6);
  if (!parse_seconds(column[0], event.time_ns))
    return complain(complaint, "the time", column[0], "seconds after midnight");
  if (column[1].size() != 1 || column[1][0] < '1' || column[1][0] > '7')
    return complain(complaint, "type", column[1], "a type from 1 to 7");
  type = column[1][0];
  std::int64_t id = 0;
  if (!parse(column[2], id)) return complain(complaint, "order id", column[2], whole_number);
  if (!parse(column[3], event.quantity.lots)) return complain(complaint, "size", column[3], "a number of shares");
  if (!parse(column[4], event.price.units)) return complain(complaint, "price", column[4], whole_number);
  if (column[5] != "1" && column[5] != "-1") return complain(complaint, "direction", column[5], "1 or -1");

  event.id = {id > 0 ? static_cast<std::uint64_t>(id) : 0};
  event.side = column[5] == "1" ? Side::buy : Side::sell;
  switch (type) {
    case '1': event.kind = HistoryKind::add; break;
    case '2': event.kind = HistoryKind::reduce; break;
    case '3': event.kind = HistoryKind::remove; break;
    case '4': event.kind = HistoryKind::execute; break;
    case '5': event.kind = HistoryKind::hidden_execute; break;
    case '6': event.kind = HistoryKind::cross; break;
    default: event.kind = event.price.units == 1 ? HistoryKind::resume : HistoryKind::halt; event.price = {};
  }
  return true;
}

std::string levels_text(const std::string& path) {
  return fmt::format("the LOBSTER order book that belongs to {}", path);
}

}  // namespace

LobsterReader::LobsterReader(const std::string& path, const ReaderOptions& options) : RecordReader(path, options) {
  begin(options);
}

LobsterReader::LobsterReader(std::string name, std::span<const std::byte> bytes, const ReaderOptions& options)
    : RecordReader(std::move(name), bytes, options) {
  begin(options);
}

void LobsterReader::begin(const ReaderOptions& options) {
  const Content content = content_of(bytes_);
  if (content != Content::lobster_messages && content != Content::text)
    throw InputError({name_}, describe(content, bytes_), "a LOBSTER message file");
  instruments_.push_back(recorded_stock({0}, symbol_of_file(options.symbol, name_)));
  if (!options.orderbook.empty()) seed_from(options.orderbook);
}

void LobsterReader::seed_from(const std::string& orderbook) {
  const MappedFile file(orderbook);
  const Content content = content_of(file.bytes());
  if (content != Content::lobster_orderbook && content != Content::text)
    throw InputError({orderbook}, describe(content, file.bytes()), levels_text(name_));
  const Place row{orderbook, Place::Unit::line, 1};
  const std::string_view line = line_at(file.bytes(), 0).text;
  std::vector<std::string_view> columns(split(line, {}));
  split(line, columns);
  if (columns.size() % 4 != 0) throw InputError(row, fmt::format("{} columns", columns.size()), "four for each level");

  const std::size_t levels = columns.size() / 4;
  std::vector<SeedLevel> sides[2];
  for (std::size_t i = 0; i < columns.size(); i += 2) {
    SeedLevel level{.side = i % 4 == 0 ? Side::sell : Side::buy};
    if (!parse(columns[i], level.price.units))
      throw InputError(row, fmt::format("price {}", quoted(columns[i])), std::string(whole_number));
    if (!parse(columns[i + 1], level.quantity.lots))
      throw InputError(row, fmt::format("size {}", quoted(columns[i + 1])), "a number of shares");
    // An empty level shows a price that no order can have, and size 0.
    if (level.quantity.lots != 0) sides[static_cast<std::size_t>(level.side)].push_back(level);
  }

  // Undo the first message: the row shows the book after it. If that message is broken, read() will say so.
  HistoryEvent first;
  char type = '\0';
  Complaint complaint;
  if (parse_row(line_at(bytes_, 0).text, first, type, complaint) && type <= '4') {
    auto& side = sides[static_cast<std::size_t>(first.side)];
    const auto better = [&](Price a, Price b) { return first.side == Side::buy ? a > b : a < b; };
    const auto at =
        std::ranges::find_if(side, [&](const SeedLevel& level) { return !better(level.price, first.price); });
    const bool shown = at != side.end() && at->price == first.price;
    if (type == '1' && shown) {
      if (at->quantity < first.quantity)
        throw InputError(row, fmt::format("{} shares at {}", at->quantity.lots, first.price.units),
                         fmt::format("the {} that the first message adds there", first.quantity.lots));
      at->quantity -= first.quantity;
      if (at->quantity.lots == 0) side.erase(at);
    } else if (type != '1' && shown) {
      at->quantity += first.quantity;
    } else if (type != '1' && (at != side.end() || side.size() < levels)) {  // else it was below what the row shows
      side.insert(at, {first.side, first.price, first.quantity});
    }
  }

  seed_levels_ = std::move(sides[0]);
  seed_levels_.insert(seed_levels_.end(), sides[1].begin(), sides[1].end());
}

std::size_t LobsterReader::read(std::span<HistoryEvent> out) noexcept { return read_rows(out, &parse_row); }

Place LobsterReader::place_of(std::uint32_t record) const {
  return {name_, Place::Unit::line, std::uint64_t{record} + 1};
}

std::string lobster_orderbook_beside(const std::string& message_path) {
  const std::size_t name = message_path.find_last_of('/') + 1;  // 0 if there is no folder
  const std::size_t word = message_path.rfind("_message");
  if (word == std::string::npos || word < name) return {};
  std::string path = message_path;
  path.replace(word, std::string_view("_message").size(), "_orderbook");
  std::error_code none;
  return std::filesystem::is_regular_file(path, none) ? path : std::string{};
}

}  // namespace outcry
