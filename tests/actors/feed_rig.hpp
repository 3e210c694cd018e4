// FeedRig: a drawn market of several symbols, each with its news, and the feed that tells them; what the venue's own
// books showed is remembered for each number of the feed at which a command had ended.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <outcry/actors/feed_client.hpp>
#include <outcry/actors/market_feed.hpp>
#include <outcry/actors/shown_orders.hpp>

#include "tests/book/drawn_venue.hpp"

namespace outcry_test {

using Bytes = std::vector<std::byte>;

/// What everyone may see of a book, oldest orders first.
inline std::string displayed(const OrderBook<>& book, std::int64_t to_itch = 1) {
  std::string text;
  for (const Side side : {Side::sell, Side::buy})
    book.for_each_level(side, [&](const DepthLevel& level) {
      text += std::string(to_string(side)) + ' ' + std::to_string(level.price.units * to_itch) + " |";
      book.for_each_order(side, level.price, [&](const OrderView& order) {
        text += ' ' + std::to_string(order.id.value) + ':' + std::to_string(order.open.lots);
      });
      text += '\n';
    });
  return text;
}

class Packets : public PacketSink {
 public:
  void send(std::span<const std::byte> packet) override { all.emplace_back(packet.begin(), packet.end()); }
  std::vector<Bytes> take() { return std::exchange(all, {}); }
  std::vector<Bytes> all;
};

/// Gives the news what a book says.
struct NewsConsumer {
  ShownOrders& news;
  bool printable = true;
  std::uint64_t unprinted = 0;
  void on(const Rejected&) {}
  void on(const Traded& event) {
    if (!printable) unprinted += event.quantity.lots;
    news.on(event, printable);
  }
  template <class Event>
  void on(const Event& event) {
    news.on(event);
  }
};

inline Instrument feed_instrument(std::uint32_t symbol) {
  Instrument instrument;
  instrument.symbol = {symbol};
  instrument.name = padded_name("SYM" + std::to_string(symbol));
  instrument.tick = symbol % 2 == 0 ? 1 : 5;
  instrument.lot = symbol % 3 == 2 ? 10 : 1;
  instrument.price_scale = symbol % 4 == 3 ? 100 : 10'000;
  instrument.lowest = {0};
  instrument.highest = {40'000};
  instrument.largest = {100'000};
  return instrument;
}

class FeedRig {
 public:
  struct Options {
    std::uint32_t symbols = 3;
    bool rules = true;           // of venues; else plain books, some with commands of recorded history
    std::uint64_t rule_set = 0;  // see drawn_rules
    std::uint64_t seed = 1;
    MarketFeedOptions feed{};
    bool remember = true;
  };

  explicit FeedRig(Options options) : options_(std::move(options)), draw_(options_.seed) {
    options_.feed.session = "DAY1";
    for (std::uint32_t i = 0; i < options_.symbols; ++i) options_.feed.instruments.push_back(feed_instrument(i));
    for (const Instrument& instrument : options_.feed.instruments)
      symbols_.push_back(std::make_unique<Symbol>(instrument, pool_, options_, draw_.bits()));
    feed_.emplace(options_.feed, now_ns_);
  }

  void begin() {
    feed_->begin(now_ns_, packets_);
    for (auto& symbol : symbols_) {
      symbol->news.subscribe({}, now_ns_);
      hand_over(*symbol);
    }
    feed_->poll(now_ns_, packets_);
    remember();
  }

  /// One command of some symbol, and now and then the packet.
  void step() {
    now_ns_ += 1'000;
    Symbol& symbol = *symbols_[draw_.below(symbols_.size())];
    symbol.news.begin(now_ns_);
    symbol.consumer.printable = !symbol.plain || !draw_.percent(5);
    if (symbol.plain)
      carry_out(symbol.plain->next(symbol.book.order_count()), symbol.book, symbol.consumer);
    else
      carry_out(symbol.venue->next(symbol.book.order_count()), symbol.book, symbol.consumer);
    symbol.news.end();
    hand_over(symbol);
    remember();
    if (draw_.percent(30)) feed_->poll(now_ns_, packets_);
  }
  void steps(int count) {
    for (int i = 0; i < count; ++i) step();
    feed_->poll(now_ns_, packets_);
  }

  void wait(std::int64_t ns) { now_ns_ += ns; }
  std::int64_t now() const { return now_ns_; }
  MarketFeed& feed() { return *feed_; }
  Packets& packets() { return packets_; }
  Draw& draw() { return draw_; }
  std::size_t symbols() const { return symbols_.size(); }
  const OrderBook<>& book(std::size_t symbol) const { return symbols_[symbol]->book; }
  const ShownOrders& news(std::size_t symbol) const { return symbols_[symbol]->news; }
  std::uint64_t unprinted(std::size_t symbol) const { return symbols_[symbol]->consumer.unprinted; }
  const std::vector<Instrument>& instruments() const { return options_.feed.instruments; }

  /// As clients take them: prices of the wire, in the same order.
  std::vector<Instrument> wanted() const {
    std::vector<Instrument> wanted;
    for (Instrument instrument : instruments()) {
      instrument.tick *= 10'000 / instrument.price_scale;
      instrument.price_scale = 10'000;
      instrument.highest = {4'000'000'000};
      wanted.push_back(instrument);
    }
    return wanted;
  }

  /// All of the venue's books as they are.
  std::string shown() const {
    std::string text;
    for (const auto& symbol : symbols_)
      text += std::string(name_of(symbol->book.instrument())) + '\n' +
              displayed(symbol->book, 10'000 / symbol->book.instrument().price_scale);
    return text;
  }
  /// As they were in front of this message of the feed; none if a command was in progress.
  const std::string* shown_at(std::uint64_t sequence) const {
    const auto found = history_.find(sequence);
    return found == history_.end() ? nullptr : &found->second;
  }
  const std::map<std::uint64_t, std::string>& history() const { return history_; }

 private:
  struct Symbol {
    OrderBook<> book;
    ShownOrders news;
    NewsConsumer consumer;
    std::optional<DrawnVenue> venue;
    std::optional<DrawnMarket> plain;

    Symbol(const Instrument& instrument, OrderPool& pool, const Options& options, std::uint64_t seed)
        : book(instrument, pool), news((with_rules(book, options), book)), consumer{news} {
      if (options.rules) {
        venue.emplace(instrument, seed);
      } else {
        Profile profile{.name = "feed", .instrument = instrument};
        profile.target = 30;
        profile.history_percent = seed % 2 == 0 ? 0 : 20;
        plain.emplace(profile, seed);
      }
    }
    static void with_rules(OrderBook<>& book, const Options& options) {
      if (options.rules)
        book.set_rules(drawn_rules(options.rule_set + book.instrument().symbol.value, book.instrument()));
    }
  };

  void hand_over(Symbol& symbol) {
    for (std::size_t i = 0; i < symbol.news.waiting(0); ++i) feed_->take(symbol.news.change(0, i), now_ns_, packets_);
    symbol.news.forget();
  }
  void remember() {
    if (options_.remember) history_[feed_->next_sequence()] = shown();
  }

  Options options_;
  Draw draw_;
  std::int64_t now_ns_ = 1'000'000'000;
  OrderPool pool_;
  std::vector<std::unique_ptr<Symbol>> symbols_;
  std::optional<MarketFeed> feed_;
  Packets packets_;
  std::map<std::uint64_t, std::string> history_;
};

/// What a client tells, counted.
class Ears : public FeedListener {
 public:
  void on(const TradePrint& trade) override {
    ++trades;
    shares += trade.quantity.lots;
  }
  void on(const PhaseChanged&) override { ++phases; }
  void on_book(SymbolId, const FeedBook&) override { ++books; }
  void on_session(const mold::Session& session) override { sessions += std::string(session.text()) + ' '; }
  void on_stale(bool stale) override { stales += stale; }
  std::uint64_t trades = 0, shares = 0, phases = 0, books = 0, stales = 0;
  std::string sessions;
};

/// All books of a client.
inline std::string shown(const FeedClient& client) {
  std::string text;
  for (std::uint32_t i = 0; i < client.symbol_count(); ++i)
    text += std::string(name_of(client.instrument({i}))) + '\n' + displayed(client.book({i}).book());
  return text;
}

}  // namespace outcry_test
