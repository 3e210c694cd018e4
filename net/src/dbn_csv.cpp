#include <outcry/net/dbn_csv.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "content.hpp"
#include "csv_line.hpp"
#include "databento.hpp"

namespace outcry {
namespace {

constexpr std::uint32_t flag_levels = 16, flag_snapshot = 32, flag_top_of_book = 64;
constexpr std::int64_t cent = databento::price_scale / 100;

}  // namespace

struct DbnCsvReader::Row {
  HistoryEvent event{};
  char action = '\0';
  bool has_side = false;
  std::uint32_t publisher = 0;
  std::uint32_t instrument = 0;
  Complaint complaint{};
};

DbnCsvReader::DbnCsvReader(const std::string& path, const ReaderOptions& options) : RecordReader(path, options) {
  begin(options);
}

DbnCsvReader::DbnCsvReader(std::string name, std::span<const std::byte> bytes, const ReaderOptions& options)
    : RecordReader(std::move(name), bytes, options) {
  begin(options);
}

void DbnCsvReader::begin(const ReaderOptions& options) {
  const Content content = content_of(bytes_);
  if (content != Content::databento_mbo)
    throw InputError(
        {name_}, describe(content, bytes_),
        "Databento's market by order as CSV, which has the columns ts_event, action, side, price, size and "
        "order_id");
  const CsvLine line = line_at(bytes_, 0);
  const databento::Header header(line.text);
  columns_ = {.ts_event = header.column("ts_event"),
              .action = header.column("action"),
              .side = header.column("side"),
              .price = header.column("price"),
              .size = header.column("size"),
              .order_id = header.column("order_id"),
              .publisher_id = header.column("publisher_id"),
              .instrument_id = header.column("instrument_id"),
              .symbol = header.column("symbol"),
              .flags = header.column("flags"),
              .ts_recv = header.column("ts_recv")};
  cells_.resize(header.columns());
  file_symbol_ = symbol_of_file(options.symbol, name_);
  at_ = line.next;
}

std::size_t DbnCsvReader::read(std::span<HistoryEvent> out) noexcept {
  std::size_t made = 0;
  while (made < out.size()) {
    if (next_ready_ == ready_.size()) {
      ready_.clear();
      next_ready_ = 0;
      if (!read_record()) break;
      continue;
    }
    out[made++] = ready_[next_ready_++];
  }
  return made;
}

/// Makes the events of one record ready, if there are any; false at the end, or in front of a broken record.
bool DbnCsvReader::read_record() {
  if (stopped()) return false;
  if (at_ >= bytes_.size() || only_blank_from(bytes_, at_)) {
    at_ = bytes_.size();
    settle();
    return !ready_.empty();
  }
  const CsvLine line = line_at(bytes_, at_);
  Row row;
  row.event.record = static_cast<std::uint32_t>(records_++);
  if (!parse_row(line.text, row)) {
    if (!pass_over(place_of(row.event.record), std::move(row.complaint.found), std::move(row.complaint.expected)))
      return false;
    at_ = line.next;
    return true;
  }
  if (row.event.time_ns > time_ns_) settle();
  if (!in_order(row.event)) return false;
  ++counts_[static_cast<std::uint8_t>(row.action)];
  row.event.symbol = symbol_of(row);
  take(row);
  at_ = line.next;
  return true;
}

std::string_view DbnCsvReader::cell(std::size_t column) const {
  return column < cells_.size() ? cells_[column] : std::string_view{};
}

bool DbnCsvReader::parse_row(std::string_view line, Row& row) {
  Complaint& complaint = row.complaint;
  HistoryEvent& event = row.event;
  if (const std::size_t columns = split(line, cells_); columns != cells_.size())
    return complain(complaint, columns, cells_.size());

  const auto is_missing = [](std::size_t column) { return column == databento::Header::none; };
  std::uint32_t flags = 0;
  if (!is_missing(columns_.flags) && (!parse(cell(columns_.flags), flags) || flags > 255))
    return complain(complaint, "flags", cell(columns_.flags), "a number up to 255");
  if ((flags & (flag_levels | flag_top_of_book)) != 0) {
    complaint = {fmt::format("flags {}, which mark a level of a book", flags), "orders"};
    return false;
  }

  const bool is_snapshot = (flags & flag_snapshot) != 0 && !is_missing(columns_.ts_recv);
  const std::string_view time = cell(is_snapshot ? columns_.ts_recv : columns_.ts_event);
  databento::UtcTime utc;
  if (!databento::parse_time(time, utc)) return complain(complaint, "the time", time, databento::time_text);

  const std::string_view action = cell(columns_.action);
  if (action.size() != 1 || std::string_view("ACMRTFN").find(action[0]) == std::string_view::npos)
    return complain(complaint, "action", action, "A, C, M, R, T, F or N");
  row.action = action[0];
  const std::string_view side = cell(columns_.side);
  row.has_side = side == "A" || side == "B";
  const bool is_of_an_order = row.action != 'R' && row.action != 'T' && row.action != 'N';
  if (!row.has_side && (side != "N" || is_of_an_order))
    return complain(complaint, "side", side, is_of_an_order ? "A or B" : "A, B or N");
  event.side = side == "A" ? Side::sell : Side::buy;

  const bool has_price = row.action != 'R' && row.action != 'N';
  if (has_price && !databento::parse_price(cell(columns_.price), event.price.units))
    return complain(complaint, "price", cell(columns_.price), databento::price_text);
  if (!parse(cell(columns_.size), event.quantity.lots))
    return complain(complaint, "size", cell(columns_.size), "a number of shares");
  if (!parse(cell(columns_.order_id), event.id.value))
    return complain(complaint, "order id", cell(columns_.order_id), "a whole number");
  if (!is_missing(columns_.publisher_id) && !parse(cell(columns_.publisher_id), row.publisher))
    return complain(complaint, "publisher id", cell(columns_.publisher_id), "a whole number");
  if (!is_missing(columns_.instrument_id) && !parse(cell(columns_.instrument_id), row.instrument))
    return complain(complaint, "instrument id", cell(columns_.instrument_id), "a whole number");

  if (!has_day_) day_ = utc.day;
  has_day_ = true;
  event.time_ns = (utc.day - day_) * day_ns + utc.ns;
  return true;
}

SymbolId DbnCsvReader::symbol_of(const Row& row) {
  const bool has_instruments = columns_.instrument_id != databento::Header::none;
  const std::string_view symbol = cell(columns_.symbol);
  const std::string_view key_symbol = has_instruments ? std::string_view{} : symbol;
  if (!symbols_.empty() && last_key_.publisher == row.publisher && last_key_.instrument == row.instrument &&
      last_key_.symbol == key_symbol)
    return last_symbol_;

  last_key_ = {row.publisher, row.instrument, std::string(key_symbol)};
  const auto [entry, is_new] = symbols_.try_emplace(last_key_, SymbolId{static_cast<std::uint32_t>(symbols_.size())});
  last_symbol_ = entry->second;
  if (!is_new) return last_symbol_;
  std::string name = !symbol.empty()   ? std::string(symbol)
                     : has_instruments ? fmt::format("id-{}", row.instrument)
                                       : file_symbol_;
  // One symbol at two venues is two books.
  const std::array<char, 16> padded = padded_name(name);
  if (std::ranges::any_of(instruments_, [&](const Instrument& other) { return other.name == padded; }))
    name = fmt::format("{}@{}", name, row.publisher);
  instruments_.push_back({.symbol = last_symbol_,
                          .name = padded_name(name),
                          .tick = cent,
                          .off_tick_allowed = true,
                          .lot = 1,
                          .price_scale = databento::price_scale});
  return last_symbol_;
}

void DbnCsvReader::take(const Row& row) {
  HistoryEvent event = row.event;
  switch (row.action) {
    case 'A':
      event.kind = HistoryKind::add;
      ready_.push_back(event);
      break;
    case 'C': {
      const std::uint32_t executed = take_fills(event, event.quantity.lots);
      if (executed != 0 && executed == event.quantity.lots) break;
      event.kind = HistoryKind::reduce;
      event.quantity.lots -= executed;
      ready_.push_back(event);
      break;
    }
    case 'M':
      take_fills(event, ~std::uint32_t{0});
      event.kind = HistoryKind::replace;
      event.new_id = event.id;
      ready_.push_back(event);
      break;
    case 'R':
      ready_.push_back(
          {.time_ns = event.time_ns, .symbol = event.symbol, .kind = HistoryKind::clear, .record = event.record});
      break;
    case 'T':
      close_trade();
      trade_ = event;
      trade_.kind = HistoryKind::hidden_execute;
      trade_.id = {};
      if (row.has_side)
        trade_.side = opposite(event.side);  // of the order that rested
      else
        close_trade();
      break;
    case 'F': {
      event.kind = HistoryKind::execute;
      const bool is_covered = trade_.symbol == event.symbol && trade_.quantity >= event.quantity;
      if (is_covered) trade_.quantity -= event.quantity;
      event.printable = is_covered;
      fills_.push_back(event);
      break;
    }
    default: break;
  }
}

/// What the record of `event` takes up of the fills of its order, at most `most`: one execution for each. How much that
/// was.
std::uint32_t DbnCsvReader::take_fills(const HistoryEvent& event, std::uint32_t most) {
  std::uint32_t taken = 0;
  for (HistoryEvent& fill : fills_) {
    if (fill.symbol != event.symbol || fill.id != event.id) continue;
    HistoryEvent execution = fill;
    execution.quantity.lots = std::min(fill.quantity.lots, most - taken);
    execution.record = event.record;
    if (execution.quantity == Quantity{}) continue;
    ready_.push_back(execution);
    fill.quantity -= execution.quantity;
    taken += execution.quantity.lots;
  }
  std::erase_if(fills_, [](const HistoryEvent& fill) { return fill.quantity == Quantity{}; });
  return taken;
}

/// What is left of the last trade was against orders that nobody has shown.
void DbnCsvReader::close_trade() {
  if (trade_.quantity != Quantity{}) ready_.push_back(trade_);
  trade_.quantity = {};
}

/// Time goes on: the fills of the time before will not be taken up any more.
void DbnCsvReader::settle() {
  close_trade();
  for (HistoryEvent& fill : fills_) {
    if (fill.printable == 0) continue;
    fill.kind = HistoryKind::hidden_execute;
    fill.id = {};
    ready_.push_back(fill);
  }
  fills_.clear();
}

Place DbnCsvReader::place_of(std::uint32_t record) const {
  return {name_, Place::Unit::line, std::uint64_t{record} + 2};  // the first line is the header
}

}  // namespace outcry
