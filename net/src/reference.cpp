#include <outcry/net/reference.hpp>

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "content.hpp"
#include "csv_line.hpp"
#include "databento.hpp"

namespace outcry {
namespace {

// What LOBSTER writes where a side has no such level.
constexpr std::int64_t no_ask = 9'999'999'999, no_bid = -9'999'999'999;

bool stops_or_starts_trading(const HistoryEvent& event) {
  return event.kind == HistoryKind::halt || event.kind == HistoryKind::resume;
}

}  // namespace

Reference::Reference(const std::string& path, std::size_t most_levels) : file_(path), path_(path) {
  const auto bytes = file_.bytes();
  const Content content = content_of(bytes);
  switch (content) {
    case Content::bbo_states: kind_ = Kind::bbo_states; break;
    case Content::top_states: kind_ = Kind::top_states; break;
    case Content::bbo_changes: kind_ = Kind::bbo_changes; break;
    case Content::lobster_orderbook: kind_ = Kind::orderbook; break;
    case Content::databento_mbp: kind_ = Kind::mbp; break;
    default:
      throw InputError(
          {path}, describe(content, bytes),
          "a reference: states of best bid and offer (n_last,ask,...) or of the best levels (n,a0,aq0,...), "
          "changes of best bid and offer (None,None,None,None first), a LOBSTER order book, or Databento's market by "
          "price");
  }
  const bool has_header = kind_ == Kind::bbo_states || kind_ == Kind::top_states || kind_ == Kind::mbp;
  const CsvLine first = line_at(bytes, 0);
  columns_ = split(first.text, {});
  levels_ = columns_ / 4;
  if (kind_ == Kind::mbp) begin_mbp(first.text);
  levels_ = std::clamp<std::size_t>(levels_, 1, std::max<std::size_t>(most_levels, 1));
  for (State* state : {&row_, &book_, &before_}) {
    state->bids.resize(levels_);
    state->asks.resize(levels_);
  }
  if (has_header) {
    at_ = first.next;
    line_ = 1;
  }
  has_row_ = load_row();
  if (kind_ == Kind::bbo_changes) judge();  // the empty book, before any event
}

std::string_view Reference::kind_name() const {
  switch (kind_) {
    case Kind::bbo_states: return "states of best bid and offer";
    case Kind::top_states: return "states of the best levels";
    case Kind::bbo_changes: return "changes of best bid and offer";
    case Kind::orderbook: return "a LOBSTER order book";
    case Kind::mbp: return "market by price";
  }
  return "?";
}

bool Reference::due(const HistoryEvent& event) {
  switch (kind_) {
    case Kind::bbo_states:
    case Kind::top_states:
      if (stops_or_starts_trading(event)) return false;
      return next_n_++ == row_n_ && has_row_;
    case Kind::bbo_changes: return !stops_or_starts_trading(event) && !error_;
    case Kind::orderbook:
      while (has_row_ && row_n_ < event.record) {  // the record of this row was broken, and passed over
        ++missing_;
        has_row_ = load_row();
      }
      return has_row_ && row_n_ == event.record;
    case Kind::mbp:
      while (has_row_ && mbp_.time_ns < event.time_ns) miss();
      return has_row_ && is_done_by(event);
  }
  return false;
}

Reference::Verdict Reference::compare(std::span<const DepthLevel> bids, std::span<const DepthLevel> asks) {
  take(bids, book_.bids);
  take(asks, book_.asks);
  if (kind_ == Kind::bbo_changes) {
    if (book_ == before_) return Verdict::nothing;
    before_ = book_;
    if (error_) return Verdict::nothing;
    if (!has_row_) {
      ++extra_;
      differ("no further change", text_of(book_, 0), 0);
      return Verdict::different;
    }
  }
  assert(has_row_ && "compare() without a row that is due");
  return judge();
}

// Compares book_ with the row, and goes to the next.
Reference::Verdict Reference::judge() {
  if (!has_row_) return Verdict::nothing;
  ++compared_;
  const bool equal = book_ == row_;
  if (equal) {
    ++equal_;
  } else {
    std::size_t level = 0;
    while (book_.bids[level] == row_.bids[level] && book_.asks[level] == row_.asks[level]) ++level;
    differ(text_of(row_, level), text_of(book_, level), line_);
  }
  has_row_ = load_row();
  return equal ? Verdict::equal : Verdict::different;
}

void Reference::finish() {
  while (has_row_) miss();
}

void Reference::miss() {
  if (missing_++ == 0) differ(text_of(row_, 0), "no event that it belongs to", line_);
  has_row_ = load_row();
}

void Reference::take(std::span<const DepthLevel> side, std::vector<Level>& into) const {
  for (std::size_t i = 0; i < levels_; ++i) {
    into[i] = {};
    if (i >= side.size() || side[i].volume == 0) continue;
    into[i] = {side[i].price.units, side[i].volume, kind_ == Kind::mbp ? side[i].orders : 0};
  }
}

std::string Reference::text_of(const State& state, std::size_t level) const {
  const auto level_text = [&](const Level& one) {
    if (one.volume == 0) return std::string("none");
    if (kind_ != Kind::mbp) return fmt::format("{} x {}", one.price, one.volume);
    return fmt::format("{} x {} of {}", databento::decimal(one.price), one.volume, one.orders);
  };
  return fmt::format("{}bid {}, ask {}", levels_ == 1 ? "" : fmt::format("level {}: ", level + 1),
                     level_text(state.bids[level]), level_text(state.asks[level]));
}

void Reference::differ(std::string expected, std::string found, std::uint64_t line) {
  last_difference_ = {line, std::move(expected), std::move(found)};
  if (!has_difference_) first_difference_ = last_difference_;
  has_difference_ = true;
}

bool Reference::broken(std::string found, std::string expected) {
  error_.emplace(Place{path_, Place::Unit::line, line_}, std::move(found), std::move(expected));
  return false;
}

bool Reference::load_row() {
  const auto bytes = file_.bytes();
  if (error_ || at_ >= bytes.size()) return false;
  const CsvLine line = line_at(bytes, at_);
  if (line.text.empty() && only_blank_from(bytes, at_)) {
    at_ = bytes.size();
    return false;
  }
  at_ = line.next;
  ++line_;
  return parse_row(line.text);
}

bool Reference::parse_row(std::string_view text) {
  cells_.resize(columns_);
  if (const std::size_t columns = split(text, cells_); columns != columns_)
    return broken(fmt::format("{} columns", columns), fmt::format("{}", columns_));
  if (kind_ == Kind::mbp) return parse_mbp_row();

  std::size_t next = 0;
  const std::uint64_t before = row_n_;
  if (kind_ == Kind::bbo_states || kind_ == Kind::top_states) {
    if (!parse(cells_[next], row_n_)) return broken(fmt::format("n {}", quoted(cells_[next])), "a whole number");
    if (line_ > 2 && row_n_ <= before)
      return broken(fmt::format("n {} after {}", row_n_, before), "rows in the order of n");
    ++next;
  } else {
    row_n_ = line_ - 1;
  }

  const bool bid_first = kind_ == Kind::bbo_changes;
  for (std::size_t level = 0; level < levels_; ++level) {
    for (const bool bid : {bid_first, !bid_first}) {
      const std::string_view price = cells_[next++], size = cells_[next++];
      Level read;
      const bool empty = (price.empty() || price == "None") && (size.empty() || size == "None");
      if (!empty && !parse(price, read.price)) return broken(fmt::format("price {}", quoted(price)), "a whole number");
      if (!empty && !parse(size, read.volume)) return broken(fmt::format("size {}", quoted(size)), "a whole number");
      if (read.volume == 0 || read.price == (bid ? no_bid : no_ask)) read = {};
      (bid ? row_.bids : row_.asks)[level] = read;
    }
  }
  return true;
}

// ---- market by price

void Reference::begin_mbp(std::string_view header) {
  const databento::Header columns(header);
  const auto column = [&](std::string_view name) {
    const std::size_t at = columns.column(name);
    if (at == databento::Header::none)
      throw InputError({path_, Place::Unit::line, 1}, fmt::format("no column {}", quoted(name)),
                       "columns ts_event, action, side, price, size, order_id, and bid_px_00 and so on for each level");
    return at;
  };
  mbp_columns_ = {.ts_event = column("ts_event"),
                  .action = column("action"),
                  .side = column("side"),
                  .price = column("price"),
                  .size = column("size"),
                  .order_id = column("order_id"),
                  .bids = {},
                  .asks = {}};
  const auto level_of = [&](std::string_view side, std::size_t level) -> MbpColumns::Level {
    return {.price = column(fmt::format("{}_px_{:02}", side, level)),
            .size = column(fmt::format("{}_sz_{:02}", side, level)),
            .orders = column(fmt::format("{}_ct_{:02}", side, level))};
  };
  for (levels_ = 0; columns.column(fmt::format("bid_px_{:02}", levels_)) != databento::Header::none; ++levels_) {
    mbp_columns_.bids.push_back(level_of("bid", levels_));
    mbp_columns_.asks.push_back(level_of("ask", levels_));
  }
}

bool Reference::parse_mbp_row() {
  const auto wrong = [&](std::string_view name, std::size_t column, std::string_view expected) {
    return broken(fmt::format("{} {}", name, quoted(cells_[column])), std::string(expected));
  };
  const auto is_whole = [&](std::size_t column, auto& number) { return parse(cells_[column], number); };
  const std::int64_t before_ns = mbp_.time_ns;
  databento::UtcTime utc;
  mbp_ = {};
  if (!databento::parse_time(cells_[mbp_columns_.ts_event], utc))
    return wrong("the time", mbp_columns_.ts_event, databento::time_text);
  if (line_ == 2) day_ = utc.day;
  mbp_.time_ns = (utc.day - day_) * day_ns + utc.ns;
  if (line_ > 2 && mbp_.time_ns < before_ns)
    return broken(fmt::format("the time {} after {}", seconds(mbp_.time_ns), seconds(before_ns)),
                  "times that do not go back");

  const std::string_view action = cells_[mbp_columns_.action], side = cells_[mbp_columns_.side];
  if (action.size() != 1 || std::string_view("ACMRT").find(action[0]) == std::string_view::npos)
    return wrong("action", mbp_columns_.action, "A, C, M, R or T");
  if (side != "A" && side != "B" && side != "N") return wrong("side", mbp_columns_.side, "A, B or N");
  mbp_.action = action[0];
  mbp_.side = side[0];
  if (mbp_.action != 'R' && !databento::parse_price(cells_[mbp_columns_.price], mbp_.price.units))
    return wrong("price", mbp_columns_.price, databento::price_text);
  if (!is_whole(mbp_columns_.size, mbp_.quantity.lots)) return wrong("size", mbp_columns_.size, "a whole number");
  if (!is_whole(mbp_columns_.order_id, mbp_.id.value))
    return wrong("order id", mbp_columns_.order_id, "a whole number");

  for (std::size_t level = 0; level < levels_; ++level) {
    for (const bool bid : {true, false}) {
      const MbpColumns::Level& columns = (bid ? mbp_columns_.bids : mbp_columns_.asks)[level];
      Level read;
      if (!is_whole(columns.size, read.volume)) return wrong("size", columns.size, "a whole number");
      if (!is_whole(columns.orders, read.orders)) return wrong("order count", columns.orders, "a whole number");
      const bool is_there = read.volume != 0 || !cells_[columns.price].empty();
      if (is_there && !databento::parse_price(cells_[columns.price], read.price))
        return wrong("price", columns.price, databento::price_text);
      if (read.volume == 0) read = {};
      (bid ? row_.bids : row_.asks)[level] = read;
    }
  }
  return true;
}

/// Whether the event is the one that the row is about, or the last part of it.
bool Reference::is_done_by(const HistoryEvent& event) {
  if (event.time_ns != mbp_.time_ns) return false;
  using enum HistoryKind;
  const bool is_named = event.id == mbp_.id;
  const bool is_alike = event.price == mbp_.price && event.quantity == mbp_.quantity;
  switch (mbp_.action) {
    case 'A': return event.kind == add && is_named && is_alike;
    case 'M': return event.kind == replace && is_named && event.new_id == event.id && is_alike;
    case 'R': return event.kind == clear;
    case 'C':
      if (!is_named || (event.kind != reduce && event.kind != execute)) return false;
      break;
    default:
      if (event.printable == 0 || event.price != mbp_.price) return false;
      if (event.kind != hidden_execute && (event.kind != execute || mbp_.side == 'N')) return false;
      if (mbp_.side != 'N' && event.side != (mbp_.side == 'A' ? Side::sell : Side::buy)) return false;
  }
  if (event.quantity > mbp_.quantity) return false;
  mbp_.quantity -= event.quantity;
  return mbp_.quantity == Quantity{};
}

}  // namespace outcry
