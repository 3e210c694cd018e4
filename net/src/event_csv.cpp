#include <outcry/net/event_csv.hpp>

#include <utility>

#include <fmt/format.h>

#include "content.hpp"
#include "csv_line.hpp"
#include "rows.hpp"

namespace outcry {
namespace {

bool parse_row(std::string_view line, std::uint64_t& n, HistoryEvent& event, char& kind, Complaint& complaint) {
  std::array<std::string_view, 8> column;
  if (const std::size_t columns = split(line, column); columns != 8) return complain(complaint, columns, 8);
  if (!parse(column[0], n)) return complain(complaint, "n", column[0], "a whole number");
  if (!parse_seconds(column[1], event.time_ns))
    return complain(complaint, "the time", column[1], "seconds after midnight");
  kind = column[2].size() == 1 ? column[2][0] : '\0';
  switch (kind) {
    case 'A': event.kind = HistoryKind::add; break;
    case 'R': event.kind = HistoryKind::reduce; break;
    case 'D': event.kind = HistoryKind::remove; break;
    case 'E': event.kind = HistoryKind::execute; break;
    case 'H': event.kind = HistoryKind::hidden_execute; break;
    default: return complain(complaint, "kind", column[2], "A, R, D, E or H");
  }
  if (!parse(column[3], event.id.value)) return complain(complaint, "order id", column[3], "a whole number");
  if (!parse(column[4], event.quantity.lots)) return complain(complaint, "size", column[4], "a number of shares");
  if (!parse(column[5], event.price.units)) return complain(complaint, "price", column[5], "a whole number");
  if (column[6] != "1" && column[6] != "-1") return complain(complaint, "side", column[6], "1 or -1");
  event.side = column[6] == "1" ? Side::buy : Side::sell;
  return true;
}

}  // namespace

EventCsvReader::EventCsvReader(const std::string& path, const ReaderOptions& options) : RecordReader(path, options) {
  begin(options);
}

EventCsvReader::EventCsvReader(std::string name, std::span<const std::byte> bytes, const ReaderOptions& options)
    : RecordReader(std::move(name), bytes, options) {
  begin(options);
}

void EventCsvReader::begin(const ReaderOptions& options) {
  const Content content = content_of(bytes_);
  if (content != Content::event_csv)
    throw InputError({name_}, describe(content, bytes_),
                     fmt::format("an event CSV, which begins '{}'", event_csv_header));
  instruments_.push_back(recorded_stock({0}, symbol_of_file(options.symbol, name_)));
  at_ = line_at(bytes_, 0).next;
}

std::size_t EventCsvReader::read(std::span<HistoryEvent> out) noexcept {
  return read_rows(out, [this](std::string_view line, HistoryEvent& event, char& kind, Complaint& complaint) {
    std::uint64_t n = 0;
    if (!parse_row(line, n, event, kind, complaint)) return false;
    if (!first_n_) first_n_ = n - event.record;
    if (n == *first_n_ + event.record) return true;
    complaint = {fmt::format("n {}", n), fmt::format("{}", *first_n_ + event.record)};
    return false;
  });
}

Place EventCsvReader::place_of(std::uint32_t record) const {
  return {name_, Place::Unit::line, std::uint64_t{record} + 2};  // the first line is the header
}

}  // namespace outcry
