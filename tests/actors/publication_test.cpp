// Published markets: what readers outside see is what the book is, whole, while it works, and after its writer's death.
#include <doctest/doctest.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <new>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <outcry/actors/market_publication.hpp>
#include <outcry/actors/market_view.hpp>

#include "tests/book/drawn_market.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry_test;
using namespace std::chrono_literals;

namespace {

using Life = SharedMemoryWriterState::Life;

/// A name that nobody else has, gone at the end.
class Name {
 public:
  Name() : text_("test-market-" + std::to_string(getpid()) + "-" + std::to_string(++made_)) {}
  ~Name() { shm_unlink(("/outcry-" + text_).c_str()); }
  operator const std::string&() const { return text_; }  // NOLINT

 private:
  static inline int made_ = 0;
  std::string text_;
};

Profile profile() {
  Profile profile;
  profile.instrument.name = padded_name("DRAWN");
  profile.instrument.price_scale = 100;
  profile.width = 12;
  profile.history_percent = 5;
  return profile;
}

/// A book that is published, with everything that happens to it, as a symbol's desk does it.
struct PublishedBook {
  explicit PublishedBook(SymbolPublication& to, const Profile& of)
      : publication(to),
        pool(OrderPool::Size{.limit = of.limit}),
        book(of.instrument, pool, BookSize{.window = of.window}) {}

  void apply(const Command& command, std::int64_t time_ns) {
    now_ns = time_ns;
    std::visit([this](const auto& one) { carry_out(one); }, command);
    publication.book(book, time_ns);
  }

  void carry_out(const NewOrder& command) { book.submit(command, *this); }
  void carry_out(const CancelOrder& command) { book.cancel(command, *this); }
  void carry_out(const ReduceOrder& command) { book.reduce(command, *this); }
  void carry_out(const ModifyOrder& command) { book.modify(command, *this); }
  void carry_out(const ReplaceOrder& command) { book.replace(command, *this); }
  void carry_out(const ReplaceTerms& command) { book.replace(command, *this); }
  void carry_out(const EndOfDay& command) { book.end_of_day(command, *this); }
  void carry_out(const Execution& command) { book.execute(command, *this); }
  void carry_out(const RestOrder& command) { book.rest(command.order, *this); }
  void carry_out(const ClearBook&) { book.clear(Reason::requested, *this); }

  template <class Event>
  void on(const Event& event) {
    if constexpr (requires { publication.on(event); })
      if (tells) publication.on(event);
    if constexpr (std::is_same_v<Event, Traded>) {
      trades.push_back(
          {.price = event.price, .time_ns = now_ns, .quantity = event.quantity, .aggressor = event.taker_side});
      publication.trade(event.price, event.quantity, event.taker_side, false, now_ns);
    }
  }

  SymbolPublication& publication;
  OrderPool pool;
  OrderBook<> book;
  std::vector<PublishedTrade> trades;
  std::int64_t now_ns = 0;
  bool tells = true;  // the publication of the book's events
};

std::uint64_t hash_of(const PublishedDepth& depth) {
  std::uint64_t hash = depth.sequence;
  const auto mix = [&hash](std::uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ull;
    hash ^= hash >> 29;
  };
  mix(depth.bid_levels);
  mix(depth.ask_levels);
  for (const DepthRow& row : depth.rows)
    for (const DepthLevel& level : {row.bid, row.ask}) {
      mix(static_cast<std::uint64_t>(level.price.units));
      mix(level.volume);
      mix(level.orders);
    }
  return hash;
}

}  // namespace

TEST_CASE(
    "after every command of a drawn stream the top, the depth and the counters that readers see are those of the "
    "book") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  const Profile of = profile();
  const Name name;
  MarketPublication publication(name, "a test", std::array{of.instrument});
  PublishedBook published(publication[SymbolId{0}], of);
  const OrderBook<>& book = published.book;
  const MarketView market(name);
  const SymbolView symbol = *market.find("DRAWN");
  TradeFollower follower = symbol.follow_trades();
  DrawnMarket drawn(of, seed);

  std::uint64_t wrong_depth = 0, wrong_rows = 0, wrong_top = 0, wrong_counters = 0, wrong_trades = 0, trades = 0;
  for (std::int64_t step = 1; step <= 100'000; ++step) {
    published.tells = step % 1000 < 900;
    published.apply(drawn.next(book.order_count()), step);

    std::array<DepthLevel, PublishedDepth::most_levels> bids{}, asks{};
    const std::size_t bid_levels = book.depth(Side::buy, bids), ask_levels = book.depth(Side::sell, asks);
    const auto depth = symbol.depth();
    bool equal = depth && depth->bid_levels == bid_levels && depth->ask_levels == ask_levels;
    for (std::size_t i = 0; equal && i < bids.size(); ++i) equal = depth->rows[i] == DepthRow{bids[i], asks[i]};
    wrong_depth += !equal;

    std::array<DepthRow, 3> rows;
    const auto filled = symbol.depth(rows);
    equal = filled && *filled == std::min<std::size_t>(3, std::max(bid_levels, ask_levels));
    for (std::size_t i = 0; equal && i < *filled; ++i) equal = rows[i] == depth->rows[i];
    wrong_rows += !equal;

    const auto top = symbol.top();
    wrong_top += !top || top->has_bid() != book.best_bid().has_value() ||
                 top->has_ask() != book.best_ask().has_value() || (top->has_bid() && top->bid != *book.best_bid()) ||
                 (top->has_ask() && top->ask != *book.best_ask()) || top->bid_volume != bids[0].volume ||
                 top->ask_volume != asks[0].volume || top->bid_orders != bids[0].orders ||
                 top->ask_orders != asks[0].orders || top->sequence > book.sequence();

    const auto counters = symbol.counters();
    const BookCounts& counts = book.counts();
    wrong_counters += !counters || counters->sequence != book.sequence() || counters->trades != counts.trades ||
                      counters->shares != counts.traded || counters->new_orders != counts.new_orders ||
                      counters->rejections != counts.rejections ||
                      counters->bid_orders != book.order_count(Side::buy) ||
                      counters->ask_levels != book.level_count(Side::sell);

    for (; const auto trade = follower.next(); ++trades) {  // one command may make more trades than are kept
      const std::uint64_t number = follower.position() - 1;
      wrong_trades += number >= published.trades.size() || *trade != published.trades[number];
    }
  }

  CHECK(wrong_depth == 0);
  CHECK(wrong_rows == 0);
  CHECK(wrong_top == 0);
  CHECK(wrong_counters == 0);
  CHECK(wrong_trades == 0);
  CHECK(trades > 1000);
  CHECK(trades + follower.missed() == published.trades.size());
  CHECK(symbol.trade_count() == published.trades.size());
  CHECK(symbol.instrument().price_scale == 100);
}

TEST_CASE("readers in other threads see no depth that the book never had, and miss trades only by count") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  const Profile of = profile();
  const Name name;
  MarketPublication publication(name, "a test", std::array{of.instrument});
  PublishedBook published(publication[SymbolId{0}], of);
  std::atomic<bool> over{false};
  std::atomic<int> ready{0};

  struct Seen {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> depths;  // sequence and hash
    std::vector<std::pair<std::uint64_t, PublishedTrade>> trades;
    std::uint64_t missed = 0, backwards = 0;
  };
  std::array<Seen, 2> readers;
  std::vector<std::thread> threads;
  threads.reserve(readers.size());
  for (Seen& seen : readers)
    threads.emplace_back([&name, &over, &ready, &seen] {
      const MarketView market(name);
      const SymbolView symbol = market[0];
      TradeFollower follower = symbol.follow_trades();
      ready.fetch_add(1);
      for (bool last = false; !last;) {
        last = over.load(std::memory_order_acquire);
        if (const auto depth = symbol.depth()) {
          if (!seen.depths.empty() && depth->sequence < seen.depths.back().first) ++seen.backwards;
          if (seen.depths.empty() || depth->sequence != seen.depths.back().first)
            seen.depths.emplace_back(depth->sequence, hash_of(*depth));
        }
        while (const auto trade = follower.next()) seen.trades.emplace_back(follower.position() - 1, *trade);
      }
      seen.missed = follower.missed();
    });

  while (ready.load() != 2) std::this_thread::yield();
  DrawnMarket drawn(of, seed);
  std::unordered_map<std::uint64_t, std::uint64_t> hashes{{0, hash_of(PublishedDepth{})}};
  const MarketView own(name);
  std::int64_t step = 0;
  for (const auto end = std::chrono::steady_clock::now() + 1500ms; std::chrono::steady_clock::now() < end;) {
    for (int i = 0; i < 100; ++i) {
      published.apply(drawn.next(published.book.order_count()), ++step);
      const PublishedDepth now = *own[0].depth();
      hashes.emplace(now.sequence, hash_of(now));
    }
    std::this_thread::yield();
  }
  over.store(true, std::memory_order_release);
  for (std::thread& thread : threads) thread.join();

  for (const Seen& seen : readers) {
    std::uint64_t unknown = 0, wrong_trades = 0;
    for (const auto& [sequence, hash] : seen.depths) {
      const auto found = hashes.find(sequence);
      unknown += found == hashes.end() || found->second != hash;
    }
    for (const auto& [number, trade] : seen.trades)
      wrong_trades += number >= published.trades.size() || !(published.trades[number] == trade);
    CHECK(unknown == 0);
    CHECK(wrong_trades == 0);
    CHECK(seen.backwards == 0);
    CHECK(seen.depths.size() > 10);
    CHECK(seen.trades.size() + seen.missed <= published.trades.size());
    REQUIRE(!seen.trades.empty());
    CHECK(seen.trades.back().first + 1 == published.trades.size());
  }
}

TEST_CASE("a market whose writer was killed says so and can still be read; the next writer takes the name") {
  const Name name;
  const Profile of = profile();
  std::array<int, 2> traded{};  // says that there were a thousand trades
  REQUIRE(pipe(traded.data()) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      MarketPublication publication(name, "a market that will die", std::array{of.instrument});
      PublishedBook published(publication[SymbolId{0}], of);
      DrawnMarket drawn(of, 1);
      for (std::int64_t step = 1;; ++step) {
        const bool was_new = published.trades.size() < 1000;
        published.apply(drawn.next(published.book.order_count()), step);
        if (was_new && published.trades.size() >= 1000 && write(traded[1], "!", 1) != 1) _exit(1);
      }
    } catch (...) {
      _exit(1);
    }
  }
  close(traded[1]);
  char byte = 0;
  const ssize_t said = read(traded[0], &byte, 1);  // zero if it has died
  close(traded[0]);
  REQUIRE(said == 1);
  const MarketView market(name);
  CHECK(market.writer().life == Life::writing);
  CHECK(market.writer().process == child);
  std::string refused;
  try {
    MarketPublication second(name, "too late", std::array{of.instrument});
  } catch (const SharedMemoryError& error) {
    refused = error.what();
  }

  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);

  CHECK(refused.find("is being written by process " + std::to_string(child)) != std::string::npos);
  const MarketView late(name);
  CHECK(late.writer().life == Life::gone);
  CHECK(late.title() == "a market that will die");
  const SymbolView symbol = late[0];
  CHECK(symbol.name() == "DRAWN");
  CHECK(symbol.trade_count() >= 1000);
  const PublishedCounters counters = symbol.block().counters.leftover();
  CHECK(counters.trades >= 999);
  // A kill may come in the middle of one store, not of two.
  CHECK(symbol.top().has_value() + symbol.depth().has_value() + symbol.counters().has_value() >= 2);
  TradeFollower follower = symbol.follow_trades(256);
  std::uint64_t trades = 0;
  while (follower.next()) ++trades;
  CHECK(trades + follower.missed() == 256);
  CHECK(trades >= 192);

  const MarketPublication next(name, "the next", std::array{of.instrument});
  CHECK(late.writer().life == Life::replaced);
  CHECK(MarketView(name).title() == "the next");
}

TEST_CASE("memory of another version, or that holds something else, is not taken for a market") {
  const auto refusal = [](const std::string& name) {
    try {
      MarketView market(name);
    } catch (const SharedMemoryError& error) {
      return std::pair(error.kind(), std::string(error.what()));
    }
    return std::pair(SharedMemoryError::Kind::system, std::string());
  };
  const Name name;
  {
    SharedMemoryWriter newer(name, {market_layout.name, market_layout.version + 1}, market_bytes(1));
    newer.open();
    CHECK(refusal(name).first == SharedMemoryError::Kind::wrong_version);
    CHECK(refusal(name).second == "the shared memory " + std::string(name) +
                                      " has version 2 of the layout 'market'; this program reads version 1");
  }
  {
    SharedMemoryWriter other(name, market_layout, market_bytes(2));
    ::new (other.data()) MarketHeader{.symbols = 3, .bytes_of_symbol = sizeof(PublishedSymbol)};
    other.open();
    CHECK(refusal(name).first == SharedMemoryError::Kind::not_ours);
  }
  CHECK(refusal(name).first == SharedMemoryError::Kind::absent);
}
