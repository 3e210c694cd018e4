// History with our orders in the book: who trades, who keeps what, and what the ledger says of it.
#include <outcry/actors/desk.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "desk_rig.hpp"
#include "tests/seed.hpp"

using namespace outcry;
using namespace outcry::test;
using enum outcry::Side;

// Ours are numbered from 901, with account 7; history's from 1. Both rest in one book:
//
//   buy  100 | 1:30 901:20 2:40      at 100, history's 1 came first, then ours, then history's 2

TEST_CASE("without orders of ours, the book is what history says") {
  DeskRig market;

  CHECK(market(add(1, buy, 30, 100)) == "\nquote 30 at 100, none\n");
  CHECK(market(add(2, sell, 50, 102)) == "\nquote 30 at 100, 50 at 102\n");
  CHECK(market(add(3, buy, 40, 100)) == "\nquote 70 at 100, 50 at 102\n");
  CHECK(market(execute(1, 10)) == "\ntrade 10 at 100, sell\nquote 60 at 100, 50 at 102\n");
  CHECK(market(execute(3, 10, 99)) == "\ntrade 10 at 99, sell\nquote 50 at 100, 50 at 102\n");
  CHECK(market(reduce(3, 5)) == "\nquote 45 at 100, 50 at 102\n");
  CHECK(market(replace(1, 4, 15, 101)) == "\nquote 15 at 101, 50 at 102\n");
  CHECK(market(hidden(sell, 7, 101)) == "\nhidden trade 7 at 101, buy\n");
  CHECK(market.levels() == "\nsell 102 | 2:50\nbuy  101 | 4:15\nbuy  100 | 3:25\n");
  CHECK(market(remove(4)) == "\nquote 25 at 100, 50 at 102\n");

  CHECK(market.ledger().events == 9);
  CHECK(market.ledger().trades == 3);
  CHECK(market.ledger().shares == 27);
  CHECK(market.ledger().hidden_trades == 1);
  CHECK(market.adjusted() == "0 events, 0 shares");
  CHECK_FALSE(market.ledger().failed());
}

TEST_CASE("our order waits behind the queue that it joined, and fills when the queue in front has traded") {
  DeskRig market;
  market.first(add(1, buy, 30, 100), add(2, buy, 40, 100));
  CHECK(market(order(901, buy, 20, 100)) == "\n7: accepted 901\nquote 90 at 100, none\n");
  market.first(add(3, buy, 50, 100));
  CHECK(market.levels() == "\nbuy  100 | 1:30 2:40 901:20 3:50\n");

  CHECK(market(execute(1, 30)) == "\ntrade 30 at 100, sell\nquote 110 at 100, none\n");
  CHECK(market(execute(2, 25)) == "\ntrade 25 at 100, sell\nquote 85 at 100, none\n");
  CHECK(market.levels() == "\nbuy  100 | 2:15 901:20 3:50\n");
  CHECK(market.adjusted() == "0 events, 0 shares");

  // Whoever sold 35 to order 3 would have met ours: order 2 is in front of us, but history says that it did not trade.
  CHECK(market(execute(3, 35)) ==
        "\n7: bought 20 at 100 by 901, 0 left\ntrade 20 at 100, sell\ntrade 15 at 100, sell\nquote 50 at 100, none\n");
  CHECK(market.levels() == "\nbuy  100 | 2:15 3:35\n");
  CHECK(market.adjusted() == "1 events, 20 shares");
  CHECK(market.ledger().filled_shares == 20);
}

TEST_CASE("the order that ours stood in front of keeps what it did not trade, until history is done with it") {
  DeskRig market;
  market.first(order(901, sell, 30, 105), add(1, sell, 50, 105));

  CHECK(market(execute(1, 40)) ==
        "\n7: sold 30 at 105 by 901, 0 left\ntrade 30 at 105, buy\ntrade 10 at 105, buy\nquote none, 40 at 105\n");
  CHECK(market.levels() == "\nsell 105 | 1:40\n");  // 10 that history has too, and 30 that ours traded for it

  SUBCASE("its last execution takes the rest with it") {
    CHECK(market(execute(1, 10)) == "\ntrade 10 at 105, buy\nquote none, none\n");
    CHECK(market.adjusted() == "2 events, 30 shares");
  }
  SUBCASE("a reduction leaves it what ours traded for it") {
    CHECK(market(reduce(1, 6)) == "\nquote none, 34 at 105\n");
    CHECK(market.adjusted() == "1 events, 30 shares");
    CHECK(market(reduce(1, 4)) == "\nquote none, none\n");
    CHECK(market.adjusted() == "2 events, 30 shares");
  }
  SUBCASE("its removal is complete") {
    CHECK(market(remove(1)) == "\nquote none, none\n");
    CHECK(market.adjusted() == "2 events, 30 shares");
  }
  SUBCASE("its replacement is what history says") {
    CHECK(market(replace(1, 2, 12, 106)) == "\nquote none, 12 at 106\n");
    CHECK(market.levels() == "\nsell 106 | 2:12\n");
    CHECK(market.adjusted() == "2 events, 30 shares");
  }
  CHECK(market.ledger().filled_shares == 30);
  CHECK(market.ledger().surplus_shares == 30);
  CHECK(market.ledger().missing_shares == 0);
  CHECK_FALSE(market.ledger().failed());
}

TEST_CASE("our order at a better price trades first, at its own price") {
  DeskRig market;
  market.first(add(1, buy, 100, 100), order(901, buy, 20, 101));

  CHECK(market(execute(1, 50)) ==
        "\n7: bought 20 at 101 by 901, 0 left\ntrade 20 at 101, sell\ntrade 30 at 100, sell\nquote 70 at 100, none\n");
  CHECK(market.levels() == "\nbuy  100 | 1:70\n");
}

TEST_CASE("our order at a worse price, or younger, does not trade for another") {
  DeskRig market;
  market.first(add(1, buy, 100, 100), order(901, buy, 20, 100), order(902, buy, 20, 99));

  CHECK(market(execute(1, 50)) == "\ntrade 50 at 100, sell\nquote 70 at 100, none\n");
  CHECK(market.adjusted() == "0 events, 0 shares");
}

TEST_CASE("two orders of ours do not both fill from the same liquidity") {
  DeskRig market;
  market.first(order(901, buy, 60, 100), order(902, buy, 60, 100, 8), add(1, buy, 100, 100));

  // 80 were sold: 60 to the first of ours, 20 to the second, none to history's order.
  CHECK(market(execute(1, 80)) ==
        "\n7: bought 60 at 100 by 901, 0 left\ntrade 60 at 100, sell\n"
        "8: bought 20 at 100 by 902, 40 left\ntrade 20 at 100, sell\nquote 140 at 100, none\n");
  CHECK(market.levels() == "\nbuy  100 | 902:40 1:100\n");
  CHECK(market(execute(1, 20)) ==
        "\n8: bought 20 at 100 by 902, 20 left\ntrade 20 at 100, sell\nquote 20 at 100, none\n");

  CHECK(market.levels() == "\nbuy  100 | 902:20\n");  // history has traded its order to the end
  CHECK(market.printed() == 100);                     // as many as history says
  CHECK(market.adjusted() == "2 events, 100 shares");
}

TEST_CASE("a stranger who cancels in front of us moves us up; one behind us does not") {
  DeskRig market;
  market.first(add(1, buy, 30, 100), order(901, buy, 20, 100), add(2, buy, 40, 100));
  CHECK(market.book().quantity_ahead({901}) == 30);

  market.first(remove(2));
  CHECK(market.book().quantity_ahead({901}) == 30);
  market.first(reduce(1, 10));
  CHECK(market.book().quantity_ahead({901}) == 20);
  market.first(remove(1));
  CHECK(market.book().quantity_ahead({901}) == 0);

  CHECK(market.levels() == "\nbuy  100 | 901:20\n");
  CHECK(market.adjusted() == "0 events, 0 shares");
}

TEST_CASE("what we took from an order of history is gone, and is counted when history speaks of it") {
  DeskRig market;
  market.first(add(1, sell, 100, 105), add(2, sell, 50, 106));

  CHECK(market(order(901, buy, 30, 105)) ==
        "\n7: accepted 901\n7: bought 30 at 105 by 901\ntrade 30 at 105, buy\nquote none, 70 at 105\n");
  CHECK(market.adjusted() == "0 events, 0 shares");
  CHECK(market.ledger().taken_shares == 30);

  SUBCASE("an execution finds what is left, and prints only that") {
    CHECK(market(execute(1, 60)) == "\ntrade 60 at 105, buy\nquote none, 10 at 105\n");
    CHECK(market.adjusted() == "0 events, 0 shares");
    CHECK(market(execute(1, 40)) == "\ntrade 10 at 105, buy\nquote none, 50 at 106\n");
    CHECK(market.printed() == 100);  // each share once
  }
  SUBCASE("executions after the order is gone find nothing, and are no error") {
    market.first(order(902, buy, 70, 105));
    CHECK(market(execute(1, 60)) == "\n");
    CHECK(market(execute(1, 40)) == "\n");
    CHECK(market.adjusted() == "2 events, 100 shares");
    CHECK(market(execute(1, 1)) == "\n");  // history has had its last share: this one is broken
    CHECK(market.ledger().first_failure.reason == Reason::unknown_order);
    return;
  }
  SUBCASE("a reduction finds less") {
    CHECK(market(reduce(1, 90)) == "\nquote none, 50 at 106\n");
    CHECK(market.adjusted() == "1 events, 20 shares");
    CHECK(market(remove(1)) == "\n");
    CHECK(market.adjusted() == "2 events, 30 shares");
    return;
  }
  SUBCASE("a removal finds less") { CHECK(market(remove(1)) == "\nquote none, 50 at 106\n"); }
  SUBCASE("a replacement is shorter by as much") {
    CHECK(market(replace(1, 3, 100, 106)) == "\nquote none, 120 at 106\n");
    CHECK(market.levels() == "\nsell 106 | 2:50 3:70\n");
    CHECK(market.adjusted() == "1 events, 30 shares");
    CHECK(market(execute(3, 100)) == "\ntrade 70 at 106, buy\nquote none, 50 at 106\n");
    CHECK(market.adjusted() == "2 events, 30 shares");  // the same 30: not counted again
    return;
  }
  CHECK(market.adjusted() == "1 events, 30 shares");
  CHECK(market.ledger().missing_shares == 30);
  CHECK_FALSE(market.ledger().failed());
}

TEST_CASE("an order that we took whole comes back by a replacement only as far as it grew") {
  DeskRig market;
  market.first(add(1, sell, 100, 105), order(901, buy, 100, 105));
  CHECK(market.levels() == "\n");

  SUBCASE("not at all") {
    CHECK(market(replace(1, 2, 60, 104)) == "\n");
    CHECK(market(remove(2)) == "\n");
    CHECK(market.ledger().missing_shares == 100);
  }
  SUBCASE("by what is new") {
    CHECK(market(replace(1, 2, 130, 104)) == "\nquote none, 30 at 104\n");
    CHECK(market.levels() == "\nsell 104 | 2:30\n");
    CHECK(market(remove(2)) == "\nquote none, none\n");
  }
  CHECK(market.adjusted() == "2 events, 100 shares");
  CHECK_FALSE(market.ledger().failed());
}

TEST_CASE("an order of history that comes in where ours wait trades with ours first") {
  DeskRig market;
  market.first(order(901, buy, 20, 101), order(902, buy, 20, 102), order(903, buy, 20, 99));

  CHECK(market(add(1, sell, 50, 100)) ==
        "\n7: bought 20 at 102 by 902, 0 left\ntrade 20 at 102, sell\n"
        "7: bought 20 at 101 by 901, 0 left\ntrade 20 at 101, sell\nquote 20 at 99, 10 at 100\n");
  CHECK(market.levels() == "\nsell 100 | 1:10\nbuy  99 | 903:20\n");
  CHECK(market.adjusted() == "1 events, 40 shares");

  CHECK(market(execute(1, 50)) == "\ntrade 10 at 100, buy\nquote 20 at 99, none\n");
  CHECK(market.adjusted() == "2 events, 40 shares");  // the same 40
  CHECK(market.ledger().taken_shares == 40);
  CHECK(market.ledger().missing_shares == 40);
}

TEST_CASE("an execution of a hidden order does not fill ours") {
  DeskRig market;
  market.first(order(901, buy, 20, 101));

  CHECK(market(hidden(buy, 50, 100)) == "\nhidden trade 50 at 100, sell\n");
  CHECK(market.levels() == "\nbuy  101 | 901:20\n");
}

TEST_CASE("a trade that is left out of volume is not printed") {
  DeskRig market;
  market.first(add(1, buy, 100, 100));

  HistoryEvent event = execute(1, 40, 99);
  event.printable = 0;

  CHECK(market(event) == "\nquote 60 at 100, none\n");
  CHECK(market.ledger().trades == 0);
}

TEST_CASE("a clearing ends our orders too, and tells us") {
  DeskRig market;
  market.first(add(1, sell, 100, 105), order(901, buy, 30, 105), order(902, buy, 5, 90));

  CHECK(market(HistoryEvent{.kind = HistoryKind::clear}) == "\n7: cancelled 902, 5\nquote none, none\n");
  CHECK(market.adjusted() == "1 events, 30 shares");
  CHECK(market(remove(1)) == "\n");
  CHECK(market.ledger().first_failure.reason == Reason::unknown_order);
}

TEST_CASE("what the book refuses of history is noted once, and changes nothing") {
  bool with_ours = false;
  SUBCASE("alone") {}
  SUBCASE("with an order of ours") { with_ours = true; }
  DeskRig market;
  market.first(add(1, buy, 30, 100), add(2, buy, 30, 99));
  if (with_ours) market.first(order(901, buy, 10, 98));
  const std::string before = market.levels();

  const auto failure_of = [&](const HistoryEvent& event) {
    DeskRig other;
    other.first(add(1, buy, 30, 100), add(2, buy, 30, 99));
    if (with_ours) other.first(order(901, buy, 10, 98));
    CHECK(other(event) == "\n");
    CHECK(other.levels() == before);
    CHECK(other.ledger().broken_events == 1);
    return std::string(to_string(other.ledger().first_failure.reason)) + " " + text(other.ledger().first_failure.open);
  };

  CHECK(failure_of(add(1, buy, 5, 100)) == "duplicate_id 0");
  CHECK(failure_of(add(3, buy, 0, 100)) == "zero_quantity 0");
  CHECK(failure_of(execute(5, 1)) == "unknown_order 0");
  CHECK(failure_of(execute(1, 31)) == "quantity_exceeds_open 30");
  CHECK(failure_of(execute(1, 0)) == "zero_quantity 30");
  CHECK(failure_of(reduce(5, 1)) == "unknown_order 0");
  CHECK(failure_of(reduce(1, 31)) == "quantity_exceeds_open 30");
  CHECK(failure_of(remove(5)) == "unknown_order 0");
  CHECK(failure_of(replace(5, 6, 10, 100)) == "unknown_order 0");
  CHECK(failure_of(replace(1, 2, 10, 100)) == "duplicate_id 0");
  CHECK(failure_of(replace(1, 3, 0, 100)) == "zero_quantity 0");
}

// ---- drawn histories

namespace {

/// A market of strangers that draws what happens to it next, and never contradicts itself.
class DrawnHistory {
 public:
  struct Order {
    Side side;
    std::int64_t price;
    std::uint32_t open;
  };

  explicit DrawnHistory(std::mt19937_64& random) : random_(random) {}

  HistoryEvent next() {
    const std::uint64_t choice = draw(0, 99);
    if (orders_.empty() || choice < 35) return enter();
    if (choice < 55) return execute_one();
    const std::uint64_t id = any();
    Order& order = orders_.at(id);
    if (choice < 70) {
      const auto by = static_cast<std::uint32_t>(draw(1, order.open));
      take(id, by);
      return reduce(id, by);
    }
    if (choice < 82) {
      orders_.erase(id);
      return remove(id);
    }
    if (choice < 95) {
      const Order old = order;
      orders_.erase(id);
      const HistoryEvent added = enter(old.side);
      if (choice < 89) return replace(id, added.id.value, added.quantity.lots, added.price.units);
      Order changed = orders_.at(added.id.value);  // under its own id, now and then where it is
      if (draw(0, 1) == 0) changed.price = old.price;
      orders_.erase(added.id.value);
      orders_[id] = changed;
      return replace(id, id, changed.open, changed.price);
    }
    return hidden(order.side, 1 + static_cast<std::uint32_t>(draw(0, 9)), order.price);
  }

  const std::map<std::uint64_t, Order>& orders() const { return orders_; }
  std::uint64_t open() const {
    std::uint64_t sum = 0;
    for (const auto& [id, order] : orders_) sum += order.open;
    return sum;
  }

 private:
  std::uint64_t draw(std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(least, most)(random_);
  }
  std::uint64_t any() {
    return std::next(orders_.begin(), static_cast<std::ptrdiff_t>(draw(0, orders_.size() - 1)))->first;
  }

  // Somewhere within six ticks, short of the best price of the other side.
  HistoryEvent enter() { return enter(draw(0, 1) == 0 ? buy : sell); }
  HistoryEvent enter(Side side) {
    std::int64_t best = side == buy ? 106 : 95;
    for (const auto& [id, order] : orders_)
      if (order.side != side) best = side == buy ? std::min(best, order.price) : std::max(best, order.price);
    const auto away = static_cast<std::int64_t>(draw(1, 6));
    const std::uint64_t id = ++last_id_;
    const Order order{side, side == buy ? best - away : best + away, 1 + static_cast<std::uint32_t>(draw(0, 49))};
    orders_.emplace(id, order);
    return add(id, side, order.open, order.price);
  }

  // Mostly the oldest order at the best price, as it should be; now and then another, as it is in real data.
  HistoryEvent execute_one() {
    std::uint64_t id = any();
    if (draw(0, 9) != 0) {
      const Order example = orders_.at(id);
      for (const auto& [other_id, other] : orders_) {
        if (other.side != example.side) continue;
        const Order& best = orders_.at(id);
        if (other.side == buy ? other.price > best.price : other.price < best.price) id = other_id;
      }
    }
    const auto by = static_cast<std::uint32_t>(draw(1, orders_.at(id).open));
    take(id, by);
    return execute(id, by);
  }

  void take(std::uint64_t id, std::uint32_t by) {
    if ((orders_.at(id).open -= by) == 0) orders_.erase(id);
  }

  std::mt19937_64& random_;
  std::map<std::uint64_t, Order> orders_;
  std::uint64_t last_id_ = 0;
};

struct BookSums {
  std::uint64_t history = 0;  // open shares
  std::uint64_t ours = 0;
  std::uint64_t ghosts = 0;  // orders of history that history does not have, or has elsewhere
};

BookSums sums_of(const OrderBook<>& book, const DrawnHistory& history) {
  BookSums sums;
  for (const Side side : {buy, sell})
    book.for_each_level(side, [&](const DepthLevel& level) {
      book.for_each_order(side, level.price, [&](const OrderView& order) {
        if (order.account != AccountId{}) {
          sums.ours += order.open.lots;
          return;
        }
        sums.history += order.open.lots;
        const auto found = history.orders().find(order.id.value);
        sums.ghosts += found == history.orders().end() || found->second.side != order.side ||
                       found->second.price != order.price.units;
      });
    });
  return sums;
}

/// Adds up what the accounts were told: shares filled, cancelled, and entered.
struct OwnShares {
  std::uint64_t filled = 0;
  std::uint64_t cancelled = 0;

  void hear(const std::string& heard) {
    for (std::size_t at = 0; at < heard.size();) {
      const std::size_t end = heard.find('\n', at);
      const std::string line = heard.substr(at, end - at);
      at = end + 1;
      if (const auto word = line.find("bought "); word != std::string::npos)
        filled += std::stoull(line.substr(word + 7));
      if (const auto word = line.find("sold "); word != std::string::npos) filled += std::stoull(line.substr(word + 5));
      if (line.find(": cancelled ") != std::string::npos) cancelled += std::stoull(line.substr(line.rfind(' ')));
    }
  }
};

// What history has open less what the book has open of it.
std::int64_t explained(const HistoryLedger& ledger) {
  return static_cast<std::int64_t>(ledger.taken_shares) - static_cast<std::int64_t>(ledger.filled_shares) -
         static_cast<std::int64_t>(ledger.missing_shares) + static_cast<std::int64_t>(ledger.surplus_shares);
}

}  // namespace

TEST_CASE("a drawn history without orders of ours leaves exactly the orders that history has") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  std::printf("--seed=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);

  for (int run = 0; run < 20; ++run) {
    DrawnHistory history(random);
    DeskRig market;
    for (int step = 0; step < 500; ++step) {
      market(history.next());
      REQUIRE(market.book().check() == "");
      REQUIRE(market.book().order_count() == history.orders().size());
      for (const auto& [id, order] : history.orders()) {
        const auto found = market.book().find({id});
        REQUIRE(found);
        REQUIRE(found->open.lots == order.open);
        REQUIRE(found->price.units == order.price);
        REQUIRE(found->side == order.side);
      }
    }
    CHECK(market.adjusted() == "0 events, 0 shares");
    CHECK(market.printed() == market.ledger().shares);
    CHECK_FALSE(market.ledger().failed());
  }
}

TEST_CASE(
    "with drawn orders of ours in a drawn history, no share trades twice and the ledger explains every difference") {
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  std::printf("--seed=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const auto draw = [&](std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(least, most)(random);
  };

  std::uint64_t filled_in_all = 0, adjusted_in_all = 0;
  for (int run = 0; run < 100; ++run) {
    const bool one_sided = run % 2 == 0;  // then ours cannot trade with ours
    DrawnHistory history(random);
    DeskRig market;
    OwnShares own;
    std::uint64_t entered = 0, last_id = 1'000'000, hidden_shares = 0;
    std::vector<std::uint64_t> mine;

    for (int step = 0; step < 400; ++step) {
      const HistoryLedger before = market.ledger();
      const std::uint64_t traded_before = market.book().counts().traded;
      const std::uint64_t choice = draw(0, 99);
      if (choice < 70) {
        const HistoryEvent event = history.next();
        own.hear(market(event));
        // Of what history traded, no more trades here, whoever trades it.
        if (event.kind == HistoryKind::execute)
          REQUIRE(market.book().counts().traded - traded_before <= event.quantity.lots);
        if (event.kind == HistoryKind::hidden_execute) hidden_shares += event.quantity.lots;
        REQUIRE(market.ledger().adjusted_events - before.adjusted_events <= 1);
      } else if (choice < 85 || mine.empty()) {
        NewOrder command =
            order(++last_id, one_sided || draw(0, 1) == 0 ? buy : sell, 1 + static_cast<std::uint32_t>(draw(0, 59)),
                  static_cast<std::int64_t>(draw(90, 112)), draw(0, 1) == 0 ? 7 : 8);
        if (draw(0, 4) == 0) command.time_in_force = TimeInForce::immediate_or_cancel;
        entered += command.quantity.lots;
        mine.push_back(last_id);
        own.hear(market(command));
      } else {
        const std::uint64_t id = mine[draw(0, mine.size() - 1)];
        const auto found = market.book().find({id});
        if (!found) {
          std::erase(mine, id);
        } else if (draw(0, 1) == 0) {
          own.hear(market(CancelOrder{.id = {id}, .account = found->account}));
        } else {
          // A modify gives the order a new quantity: count the change as entered, or as never entered.
          const ModifyOrder command{.id = {id},
                                    .price = {static_cast<std::int64_t>(draw(90, 112))},
                                    .quantity = {1 + static_cast<std::uint32_t>(draw(0, 59))},
                                    .account = found->account};
          entered += command.quantity.lots;
          entered -= found->open.lots;
          own.hear(market(command));
        }
      }

      const HistoryLedger& ledger = market.ledger();
      const BookSums sums = sums_of(market.book(), history);
      REQUIRE(market.book().check() == "");
      REQUIRE_FALSE(ledger.failed());
      REQUIRE(sums.ghosts == 0);
      // Ours: what was entered has filled, was cancelled, or is there.
      REQUIRE(entered == own.filled + own.cancelled + sums.ours);
      // History's: every difference is explained.
      REQUIRE(static_cast<std::int64_t>(history.open()) - static_cast<std::int64_t>(sums.history) == explained(ledger));
      // Whatever traded was printed, once.
      REQUIRE(market.printed() == market.book().counts().traded + hidden_shares);
      // Whatever ours filled came from history: taken, or traded in its place; else from ours.
      if (one_sided) {
        REQUIRE(own.filled == ledger.taken_shares + ledger.filled_shares);
      } else {
        REQUIRE(own.filled >= ledger.taken_shares + ledger.filled_shares);
        REQUIRE((own.filled - ledger.taken_shares - ledger.filled_shares) % 2 == 0);
      }
      // Nothing is counted twice.
      REQUIRE(ledger.adjusted_shares <= ledger.taken_shares + ledger.filled_shares);
      REQUIRE(ledger.adjusted_shares >= ledger.filled_shares);
    }

    // Once ours are cancelled and history has removed what it has, nothing is left, and nothing unexplained.
    for (const std::uint64_t id : mine)
      if (const auto found = market.book().find({id}); found)
        own.hear(market(CancelOrder{.id = {id}, .account = found->account}));
    CHECK(entered == own.filled + own.cancelled);
    CHECK(sums_of(market.book(), history).ours == 0);
    for (const auto& [id, order] : history.orders()) market(remove(id));
    CHECK(market.book().empty());
    CHECK(explained(market.ledger()) == 0);
    CHECK_FALSE(market.ledger().failed());
    filled_in_all += own.filled;
    adjusted_in_all += market.ledger().adjusted_shares;
  }
  CHECK(filled_in_all > 10'000);
  CHECK(adjusted_in_all > 10'000);
}
