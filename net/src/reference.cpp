#include <outcry/net/reference.hpp>

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "content.hpp"
#include "csv_line.hpp"

namespace outcry {
namespace {

// What LOBSTER writes where a side has no such level.
constexpr std::int64_t no_ask = 9'999'999'999, no_bid = -9'999'999'999;

bool stops_or_starts_trading(const HistoryEvent& event) {
  return event.kind == HistoryKind::halt || event.kind == HistoryKind::resume;
}

std::string level_text(std::int64_t price, Volume volume) {
  return volume == 0 ? "none" : fmt::format("{} x {}", price, volume);
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
    default:
      throw InputError(
          {path}, describe(content, bytes),
          "a reference: states of best bid and offer (n_last,ask,...) or of the best levels (n,a0,aq0,...), "
          "changes of best bid and offer (None,None,None,None first), or a LOBSTER order book");
  }
  const bool has_header = kind_ == Kind::bbo_states || kind_ == Kind::top_states;
  const CsvLine first = line_at(bytes, 0);
  columns_ = split(first.text, {});
  levels_ = std::clamp<std::size_t>(columns_ / 4, 1, std::max<std::size_t>(most_levels, 1));
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
  while (has_row_) {
    if (missing_++ == 0) differ(text_of(row_, 0), "no event that it belongs to", line_);
    has_row_ = load_row();
  }
}

void Reference::take(std::span<const DepthLevel> side, std::vector<Level>& into) const {
  for (std::size_t i = 0; i < levels_; ++i)
    into[i] = i < side.size() && side[i].volume != 0 ? Level{side[i].price.units, side[i].volume} : Level{};
}

std::string Reference::text_of(const State& state, std::size_t level) const {
  const Level& bid = state.bids[level];
  const Level& ask = state.asks[level];
  return fmt::format("{}bid {}, ask {}", levels_ == 1 ? "" : fmt::format("level {}: ", level + 1),
                     level_text(bid.price, bid.volume), level_text(ask.price, ask.volume));
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

}  // namespace outcry
