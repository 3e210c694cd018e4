#include "market_picture.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "run_output.hpp"

namespace outcry {

namespace {

constexpr std::string_view plain = "", bold = "1", faint = "2", red = "31", green = "32", yellow = "33";

/// A line that is cut at the paper's edge, colours or not.
class Line {
 public:
  explicit Line(const Paper& paper) : paper_(paper) {}

  Line& put(std::string_view text, std::string_view style = plain) {
    text = text.substr(0, paper_.columns - used_);
    if (text.empty()) return *this;
    const bool styled = paper_.colours && !style.empty();
    if (styled) text_ += fmt::format("\033[{}m", style);
    // Names and titles come from another process: nothing in them may command the terminal.
    for (const char c : text) text_ += c >= ' ' && c < '\x7f' ? c : '?';
    if (styled) text_ += "\033[0m";
    used_ += text.size();
    return *this;
  }
  std::string take() {
    if (!paper_.colours) text_.erase(text_.find_last_not_of(' ') + 1);
    return std::move(text_);
  }

 private:
  const Paper& paper_;
  std::string text_;
  std::size_t used_ = 0;
};

/// The value of one store. A writer that does not finish a store is dead or held up: then what is there, and `unsure`.
template <class T>
T patient_load(const SequenceLock<T>& lock, bool& unsure) {
  for (int i = 0; i < 20; ++i) {
    if (const auto value = lock.load()) return *value;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  unsure = true;
  return lock.leftover();
}

double in_currency(Price price, const PublishedInstrument& instrument) {
  return static_cast<double>(price.units) / static_cast<double>(std::max<std::int64_t>(instrument.price_scale, 1));
}

std::string price_text(Price price, const PublishedInstrument& instrument) {
  const double scale = static_cast<double>(std::max<std::int64_t>(instrument.price_scale, 1));
  return fmt::format("{:.{}f}", in_currency(price, instrument), static_cast<int>(std::ceil(std::log10(scale) - 1e-9)));
}

/// Of the market's day, with milliseconds.
std::string time_text(std::int64_t time_ns) {
  const std::int64_t ms = std::max<std::int64_t>(time_ns, 0) / 1'000'000;
  const std::int64_t seconds = ms / 1000;
  return fmt::format("{}.{:03}", clock_text(static_cast<double>(seconds)), ms % 1000);
}

std::string volume_text(Volume volume) { return volume == 0 ? "" : grouped(volume); }

std::string rate_text(std::uint64_t now, std::uint64_t before, double seconds) {
  return now < before || !(seconds > 0) ? "" : rounded(static_cast<double>(now - before) / seconds);
}

const SymbolPicture* same_symbol(const MarketPicture* before, const SymbolPicture& symbol) {
  if (before == nullptr) return nullptr;
  for (const SymbolPicture& one : before->shown)
    if (one.name == symbol.name) return &one;
  return nullptr;
}

std::string events_rate(const MarketPicture* before, const SymbolPicture& symbol, double seconds) {
  const SymbolPicture* earlier = same_symbol(before, symbol);
  return earlier == nullptr ? "" : rate_text(symbol.counters.sequence, earlier->counters.sequence, seconds);
}

void add_quotes(std::vector<std::string>& lines, const MarketPicture& picture, const MarketPicture* before,
                double seconds, const Paper& paper) {
  lines.push_back(
      Line(paper)
          .put(fmt::format("{:<10}{:>14}{:>12}{:>12}  {:<14}{:>12}{:>12}{:>12}{:>12}{:>12}", "symbol", "volume", "bid",
                           "ask", "volume", "last", "trades", "shares", "orders", "events/s"),
               faint)
          .take());
  std::size_t shown = 0;
  for (const SymbolPicture& symbol : picture.shown) {
    const std::size_t left = paper.rows - std::min(paper.rows, lines.size());
    if (left <= 1 && shown + 1 < picture.shown.size()) break;
    const TopOfBook& top = symbol.top;
    const auto price = [&](bool there, Price value) { return there ? price_text(value, symbol.instrument) : "-"; };
    Line line(paper);
    line.put(fmt::format("{:<10}", symbol.name), bold);
    line.put(fmt::format("{:>14}", volume_text(top.bid_volume)));
    line.put(fmt::format("{:>12}", price(top.has_bid(), top.bid)), green);
    line.put(fmt::format("{:>12}", price(top.has_ask(), top.ask)), red);
    line.put(fmt::format("  {:<14}", volume_text(top.ask_volume)));
    line.put(fmt::format("{:>12}",
                         price(!symbol.trades.empty(), symbol.trades.empty() ? Price{} : symbol.trades.front().price)));
    const PublishedCounters& counters = symbol.counters;
    line.put(fmt::format("{:>12}{:>12}{:>12}{:>12}{}", grouped(symbol.trade_count), grouped(counters.shares),
                         grouped(std::uint64_t{counters.bid_orders} + counters.ask_orders),
                         events_rate(before, symbol, seconds), symbol.unsure ? "  unsure" : ""));
    lines.push_back(line.take());
    ++shown;
  }
  if (shown < picture.symbols)
    lines.push_back(Line(paper)
                        .put(fmt::format("and {} more; --symbol shows one", grouped(picture.symbols - shown)), faint)
                        .take());
}

void put_row(Line& line, const SymbolPicture& symbol, std::size_t i) {
  const DepthRow& row = symbol.depth.rows[i];
  const bool has_bid = i < symbol.depth.bid_levels, has_ask = i < symbol.depth.ask_levels;
  line.put(fmt::format("{:>7}{:>13}", has_bid ? grouped(row.bid.orders) : "", has_bid ? grouped(row.bid.volume) : ""));
  line.put(fmt::format("{:>12}", has_bid ? price_text(row.bid.price, symbol.instrument) : ""), green);
  line.put(fmt::format("  {:<12}", has_ask ? price_text(row.ask.price, symbol.instrument) : ""), red);
  line.put(fmt::format("{:<13}{:<7}", has_ask ? grouped(row.ask.volume) : "", has_ask ? grouped(row.ask.orders) : ""));
}

constexpr std::size_t ladder_columns = 66;
constexpr std::size_t trade_columns = 44;

void put_trade_head(Line& line) {
  line.put(fmt::format("{:>14}{:>12}{:>10}  {}", "trades", "price", "shares", "by"), faint);
}

void put_trade(Line& line, const SymbolPicture& symbol, std::size_t i) {
  if (i >= symbol.trades.size()) return;
  const PublishedTrade& trade = symbol.trades[i];
  const bool buys = trade.aggressor == Side::buy;
  line.put(fmt::format("{:>14}{:>12}{:>10}  ", time_text(trade.time_ns), price_text(trade.price, symbol.instrument),
                       grouped(trade.quantity.lots)));
  line.put(buys ? "buy" : "sell", buys ? green : red);
  if (trade.hidden != 0) line.put(" hidden");
}

void add_symbol(std::vector<std::string>& lines, const MarketPicture& picture, const MarketPicture* before,
                double seconds, const Paper& paper) {
  const SymbolPicture& symbol = picture.shown.front();
  const PublishedCounters& counters = symbol.counters;
  const auto line = [&](const std::string& text, std::string_view style = plain) {
    lines.push_back(Line(paper).put(text, style).take());
  };
  Line title(paper);
  title.put(symbol.name, bold).put(fmt::format("   {}   ", time_text(counters.time_ns)));
  if (symbol.top.has_bid() && symbol.top.has_ask())
    title.put(fmt::format("spread {}", price_text(Price{symbol.top.ask - symbol.top.bid}, symbol.instrument)));
  if (symbol.unsure) title.put("   the writer stands in the middle of a change: numbers may not fit together", yellow);
  lines.push_back(title.take());
  line("");

  const bool beside = paper.columns >= ladder_columns + trade_columns;
  {
    Line head(paper);
    head.put(fmt::format("{:>7}{:>13}{:>12}  {:<12}{:<13}{:<7}", "orders", "volume", "bid", "ask", "volume", "orders"),
             faint);
    if (beside) put_trade_head(head);
    lines.push_back(head.take());
  }
  // Below the ladder come, at least, the counters.
  constexpr std::size_t foot = 5;
  const std::size_t room = paper.rows - std::min(paper.rows, lines.size() + foot);
  const std::size_t levels = std::min(PublishedDepth::most_levels, std::max<std::size_t>(room, 1));
  for (std::size_t i = 0; i < levels; ++i) {
    Line row(paper);
    put_row(row, symbol, i);
    if (beside) put_trade(row, symbol, i);
    lines.push_back(row.take());
  }
  line("");
  const std::string rate = events_rate(before, symbol, seconds);
  line(fmt::format("{} events{}; {} commands refused", grouped(counters.sequence),
                   rate.empty() ? "" : fmt::format(", {} a second", rate), grouped(counters.rejections)));
  line(fmt::format("{} orders, {} cancels, {} reductions, {} modifications, {} replacements",
                   grouped(counters.new_orders), grouped(counters.cancels), grouped(counters.reductions),
                   grouped(counters.modifications), grouped(counters.replacements)));
  if (beside || symbol.trades.empty() || lines.size() + 3 > paper.rows) return;
  line("");
  Line head(paper);
  put_trade_head(head);
  lines.push_back(head.take());
  for (std::size_t i = 0; i < symbol.trades.size() && lines.size() < paper.rows; ++i) {
    Line row(paper);
    put_trade(row, symbol, i);
    lines.push_back(row.take());
  }
}

}  // namespace

SymbolPicture picture_of(SymbolView symbol, std::size_t trades) {
  SymbolPicture picture;
  picture.instrument = symbol.instrument();
  picture.name = symbol.name();
  const PublishedSymbol& block = symbol.block();
  picture.depth = patient_load(block.depth, picture.unsure);
  picture.depth.bid_levels = std::min<std::uint32_t>(picture.depth.bid_levels, PublishedDepth::most_levels);
  picture.depth.ask_levels = std::min<std::uint32_t>(picture.depth.ask_levels, PublishedDepth::most_levels);
  picture.top = patient_load(block.top, picture.unsure);
  picture.counters = patient_load(block.counters, picture.unsure);
  TradeFollower follower = symbol.follow_trades(trades);
  while (picture.trades.size() < trades) {
    const auto trade = follower.next();
    if (!trade) break;
    picture.trades.push_back(*trade);
  }
  picture.trade_count = follower.position();
  std::reverse(picture.trades.begin(), picture.trades.end());
  return picture;
}

std::vector<std::string> lines_of(const MarketPicture& picture, const MarketPicture* before, double seconds,
                                  const Paper& paper) {
  std::vector<std::string> lines;
  Line head(paper);
  head.put(picture.name, bold);
  if (!picture.title.empty()) head.put("   " + picture.title);
  head.put("   " + sentence_of(picture.writer),
           picture.writer.life == SharedMemoryWriterState::Life::writing ? faint : yellow);
  lines.push_back(head.take());
  lines.emplace_back();
  if (picture.one && !picture.shown.empty()) {
    add_symbol(lines, picture, before, seconds, paper);
  } else {
    add_quotes(lines, picture, before, seconds, paper);
  }
  if (lines.size() > paper.rows) lines.resize(paper.rows);
  return lines;
}

nlohmann::ordered_json json_of(const MarketPicture& picture) {
  Json object = {{"market", picture.name},
                 {"title", picture.title},
                 {"writer", word_of(picture.writer.life)},
                 {"writer_process", picture.writer.process},
                 {"writer_silent_s", static_cast<double>(picture.writer.silent_ns) / 1e9},
                 {"symbols", Json::array()}};
  for (const SymbolPicture& symbol : picture.shown) {
    const auto price = [&](bool there, Price value) {
      return there ? Json(in_currency(value, symbol.instrument)) : Json();
    };
    const TopOfBook& top = symbol.top;
    const PublishedCounters& counters = symbol.counters;
    Json one = {{"symbol", symbol.name},
                {"time_s", static_cast<double>(counters.time_ns) / 1e9},
                {"bid", price(top.has_bid(), top.bid)},
                {"bid_volume", top.bid_volume},
                {"ask", price(top.has_ask(), top.ask)},
                {"ask_volume", top.ask_volume},
                {"last", symbol.trades.empty() ? Json() : price(true, symbol.trades.front().price)},
                {"trades", symbol.trade_count},
                {"shares", counters.shares},
                {"events", counters.sequence},
                {"new_orders", counters.new_orders},
                {"cancels", counters.cancels},
                {"reductions", counters.reductions},
                {"modifications", counters.modifications},
                {"replacements", counters.replacements},
                {"executions", counters.executions},
                {"rejections", counters.rejections},
                {"bid_orders", counters.bid_orders},
                {"ask_orders", counters.ask_orders},
                {"bid_levels", counters.bid_levels},
                {"ask_levels", counters.ask_levels},
                {"unsure", symbol.unsure}};
    if (picture.one) {
      Json bids = Json::array(), asks = Json::array(), trades = Json::array();
      const auto level = [&](const DepthLevel& at) {
        return Json{{"price", in_currency(at.price, symbol.instrument)}, {"volume", at.volume}, {"orders", at.orders}};
      };
      for (std::size_t i = 0; i < symbol.depth.bid_levels; ++i) bids.push_back(level(symbol.depth.rows[i].bid));
      for (std::size_t i = 0; i < symbol.depth.ask_levels; ++i) asks.push_back(level(symbol.depth.rows[i].ask));
      for (const PublishedTrade& trade : symbol.trades)
        trades.push_back({{"time_s", static_cast<double>(trade.time_ns) / 1e9},
                          {"price", in_currency(trade.price, symbol.instrument)},
                          {"quantity", trade.quantity.lots},
                          {"aggressor", trade.aggressor == Side::buy ? "buy" : "sell"},
                          {"hidden", trade.hidden != 0}});
      one["bids"] = std::move(bids);
      one["asks"] = std::move(asks);
      one["last_trades"] = std::move(trades);
    }
    object["symbols"].push_back(std::move(one));
  }
  return object;
}

const char* word_of(SharedMemoryWriterState::Life life) {
  switch (life) {
    case SharedMemoryWriterState::Life::writing: return "writing";
    case SharedMemoryWriterState::Life::ended: return "ended";
    case SharedMemoryWriterState::Life::gone: return "gone";
    case SharedMemoryWriterState::Life::replaced: return "replaced";
  }
  return "unknown";
}

std::string sentence_of(const SharedMemoryWriterState& writer) {
  const std::string process = fmt::format("process {}", writer.process);
  switch (writer.life) {
    case SharedMemoryWriterState::Life::writing:
      if (writer.silent_ns < 5'000'000'000) return "written by " + process;
      return fmt::format("written by {}, which has been silent for {} s", process, writer.silent_ns / 1'000'000'000);
    case SharedMemoryWriterState::Life::ended:
      return fmt::format("its writer, {}, has ended: this is the last there was", process);
    case SharedMemoryWriterState::Life::gone:
      return fmt::format("its writer, {}, is gone without a word: this is what it left", process);
    case SharedMemoryWriterState::Life::replaced: return "another writer has taken the name";
  }
  return {};
}

}  // namespace outcry
