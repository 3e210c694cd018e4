// The pure parts of the load generator: its schedule, and whether it knows right answers from wrong ones.
#include <outcry/actors/load_orders.hpp>
#include <outcry/actors/load_plan.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/seed.hpp"

using namespace outcry;

namespace {

constexpr std::int64_t ms = 1'000'000;

LoadTimes no_times() {
  const Histogram empty({.highest = 60'000'000'000, .significant_digits = 2});
  return {empty, empty, empty, empty, empty};
}

/// A venue that takes everything: passive orders rest, orders that trade do so with somebody else for half their size.
/// What it answers can be spoilt.
class Venue {
 public:
  using Spoil = std::function<void(std::vector<std::byte>&)>;

  explicit Venue(LoadOrders& client, Spoil spoil = {}) : client_(client), spoil_(std::move(spoil)) {}

  void take(std::span<const std::byte> bytes, std::int64_t now_ns) {
    const auto decoded = ouch50::decode_inbound(bytes);
    REQUIRE(decoded);
    if (decoded.message.type() == ouch50::CancelOrder::code) {
      const std::uint32_t ref = decoded.message.as<ouch50::CancelOrder>().user_ref;
      const auto at = std::find_if(open_.begin(), open_.end(), [&](const auto& one) { return one.first == ref; });
      if (at == open_.end()) return;
      cancel(ref, at->second, now_ns);
      open_.erase(at);
      return;
    }
    const auto& order = decoded.message.as<ouch50::EnterOrder>();
    const std::uint32_t ref = order.user_ref;
    if (ref <= last_) return;  // seen already
    last_ = ref;
    ouch50::Accepted accepted;
    accepted.user_ref = ref;
    accepted.side = order.side;
    accepted.quantity = order.quantity;
    accepted.symbol = order.symbol;
    accepted.price = order.price;
    tell(accepted, now_ns);
    if (order.time_in_force != ouch50::TimeInForce::immediate_or_cancel) {
      open_.emplace_back(ref, order.quantity);
      return;
    }
    ouch50::Executed executed;
    executed.user_ref = ref;
    executed.quantity = order.quantity / 2;
    executed.price = order.price;
    tell(executed, now_ns);
    cancel(ref, order.quantity - order.quantity / 2, now_ns);
  }

  std::size_t open() const { return open_.size(); }

 private:
  void cancel(std::uint32_t ref, std::uint32_t quantity, std::int64_t now_ns) {
    ouch50::Canceled canceled;
    canceled.user_ref = ref;
    canceled.decrement = quantity;
    canceled.reason = ouch50::CancelReason::user;
    tell(canceled, now_ns);
  }

  template <class Message>
  void tell(const Message& message, std::int64_t now_ns) {
    std::vector<std::byte> bytes(sizeof message + 64);
    bytes.resize(ouch50::encode(message, bytes));
    if (spoil_) spoil_(bytes);
    if (!bytes.empty()) client_.heard(bytes, now_ns);
  }

  LoadOrders& client_;
  Spoil spoil_;
  std::uint32_t last_ = 0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> open_;
};

LoadOrdersOptions options(LoadScenario scenario = LoadScenario::steady) {
  return {.scenario = scenario, .symbols = {"AAPL", "MSFT"}, .most_resting = 20, .seed = test_seed()};
}

}  // namespace

TEST_CASE("a steady load sends at its rate from the beginning, dealt out to the connections in turn") {
  const LoadPlan plan{.connections = 3, .rate = 1'000, .length = std::chrono::seconds(2)};
  CHECK(plan.messages() == 2'000);
  CHECK(plan.due(std::uint64_t{0}) == Duration::zero());
  CHECK(plan.due(std::uint64_t{1'000}) == std::chrono::seconds(1));
  CHECK(plan.messages_of(0) + plan.messages_of(1) + plan.messages_of(2) == 2'000);
  CHECK(plan.messages_of(0) == 667);
  CHECK(plan.messages_of(2) == 666);
  CHECK(plan.due(1, 5) == plan.due(std::uint64_t{16}));
}

TEST_CASE("on a ramp the rate grows evenly, so half as much is sent in its time") {
  const LoadPlan plan{.rate = 1'000, .ramp = std::chrono::seconds(4), .length = std::chrono::seconds(10)};
  CHECK(plan.messages() == 2'000 + 6'000);
  CHECK(plan.due(std::uint64_t{500}) == std::chrono::seconds(2));  // a quarter of the ramp's in half of its time
  CHECK(plan.due(std::uint64_t{2'000}) == std::chrono::seconds(4));
  CHECK(plan.due(std::uint64_t{3'000}) == std::chrono::seconds(5));
  for (std::uint64_t n = 1; n < plan.messages(); ++n) REQUIRE(plan.due(n) >= plan.due(n - 1));

  const LoadPlan cut{.rate = 1'000, .ramp = std::chrono::seconds(4), .length = std::chrono::seconds(2)};
  CHECK(cut.messages() == 500);
  CHECK(cut.due(cut.messages() - 1) < cut.length);
}

TEST_CASE("bursts bring the messages of a tenth of a second at once, at the same rate") {
  const LoadPlan plan{.scenario = LoadScenario::burst, .rate = 5'000, .length = std::chrono::seconds(1)};
  CHECK(plan.messages() == 5'000);
  CHECK(plan.due(std::uint64_t{499}) == Duration::zero());
  CHECK(plan.due(std::uint64_t{500}) == std::chrono::milliseconds(100));
  CHECK(plan.due(std::uint64_t{999}) == std::chrono::milliseconds(100));
}

TEST_CASE("a slow reader is deaf for a third of the time, and a storm breaks every connection off once a second") {
  const LoadPlan slow{.scenario = LoadScenario::slow_reader, .connections = 2, .length = std::chrono::seconds(9)};
  CHECK_FALSE(slow.is_deaf(0, std::chrono::seconds(2)));
  CHECK(slow.is_deaf(0, std::chrono::seconds(3)));
  CHECK_FALSE(slow.is_deaf(0, std::chrono::seconds(6)));
  CHECK_FALSE(slow.is_deaf(1, std::chrono::seconds(3)));

  const LoadPlan storm{.scenario = LoadScenario::reconnect_storm, .connections = 4, .length = std::chrono::seconds(3)};
  CHECK(storm.break_off(0, 0) == std::chrono::milliseconds(900));
  CHECK(storm.break_off(2, 0) == std::chrono::milliseconds(950));
  CHECK(storm.break_off(3, 1) == std::chrono::milliseconds(1975));
  CHECK_FALSE(storm.break_off(0, 2));
  CHECK_FALSE(slow.break_off(0, 0));
}

TEST_CASE("whatever it draws, right answers satisfy it, and what it has in the book stays small") {
  for (const LoadScenario scenario : {LoadScenario::steady, LoadScenario::cancel_storm}) {
    LoadTimes times = no_times();
    LoadOrders client(options(scenario), times);
    Venue venue(client);
    std::array<std::byte, LoadOrders::largest_message> out{};
    for (std::int64_t n = 0; n < 5'000; ++n) {
      const std::size_t size = client.next(out, n * ms);
      REQUIRE(size != 0);
      venue.take(std::span(out).first(size), n * ms + 70'000);
      REQUIRE(venue.open() <= 20);
    }
    CAPTURE(client.wrong());
    CHECK(client.wrong().empty());
    CHECK(client.unacknowledged() == 0);
    CHECK(client.in_book() == venue.open());
    CHECK(client.counts().orders + client.counts().cancels == 5'000);
    CHECK(times.ack.count() == client.counts().orders);
    CHECK(times.ack.min() == 70'000);
    CHECK(times.ack.max() == 70'000);
    if (scenario == LoadScenario::steady) {
      CHECK(times.fill.count() > 300);
      CHECK(client.counts().bought + client.counts().sold == 50 * client.counts().executions);
    } else {
      CHECK(client.counts().cancels == 2'500);
      CHECK(times.cancel.count() == 2'500);
    }

    while (const std::size_t size = client.next_clean_up(out, 9'000 * ms))
      venue.take(std::span(out).first(size), 9'000 * ms);
    CHECK(client.in_book() == 0);
    CHECK(venue.open() == 0);
  }
}

TEST_CASE("latency counts from when a message was due, not from when it was sent") {
  LoadTimes times = no_times();
  LoadOrders client(options(), times);
  std::array<std::byte, LoadOrders::largest_message> out{};
  const std::size_t size = client.next(out, 10 * ms);
  Venue(client).take(std::span(out).first(size), 1'010 * ms);
  CHECK(times.ack.max() == 1'000 * ms);
}

TEST_CASE("after a lost connection only what was not acknowledged is sent again, and each answer still comes once") {
  LoadTimes times = no_times();
  LoadOrders client(options(), times);
  Venue venue(client);
  std::array<std::byte, LoadOrders::largest_message> out{};
  std::uint64_t lost = 0;
  for (std::int64_t n = 0; n < 1'000; ++n) {
    const std::uint64_t before = client.counts().orders;
    const std::size_t size = client.next(out, n * ms);
    const bool gets_lost = n % 100 >= 90;
    if (!gets_lost) venue.take(std::span(out).first(size), n * ms);
    if (gets_lost) lost += client.counts().orders - before;
    if (n % 100 != 99) continue;
    client.begin_again();
    std::uint32_t from = 0;
    while (const std::size_t again = client.next_again(out, from)) venue.take(std::span(out).first(again), n * ms);
    CHECK(client.unacknowledged() == 0);
  }
  CHECK(client.wrong().empty());
  CHECK(client.counts().sent_again == lost);
  CHECK(lost > 0);
}

TEST_CASE("numbers go on where the account's earlier orders ended, and what is said about those is passed over") {
  LoadTimes times = no_times();
  LoadOrders client(options(LoadScenario::cancel_storm), times);
  client.begin_at(1'000);
  Venue venue(client);
  std::array<std::byte, LoadOrders::largest_message> out{};
  const std::size_t size = client.next(out, 0);
  CHECK(ouch50::decode_inbound(std::span(out).first(size)).message.as<ouch50::EnterOrder>().user_ref == 1'000u);
  venue.take(std::span(out).first(size), 0);
  CHECK(client.unacknowledged() == 0);

  ouch50::Canceled old;
  old.user_ref = 999;
  std::array<std::byte, sizeof old> bytes{};
  client.heard(std::span(bytes).first(ouch50::encode(old, bytes)), ms);
  CHECK(client.wrong().empty());
  old.user_ref = 1'001;
  client.heard(std::span(bytes).first(ouch50::encode(old, bytes)), ms);
  CHECK(client.wrong() == "a cancel of order 1001, which was never sent");
}

TEST_CASE("each wrong answer is seen, and said") {
  struct Case {
    char type;
    std::function<void(std::vector<std::byte>&)> spoil;
    std::string sentence;
  };
  const auto put = [](std::size_t at, std::uint8_t value) {
    return [=](std::vector<std::byte>& bytes) { bytes[at] = std::byte{value}; };
  };
  const std::vector<Case> cases{
      {'A', put(12, 0xFF), "an acceptance of order"},       // another number
      {'A', put(13, 'T'), " was accepted as another one"},  // another side
      {'A', put(17, 7), " was accepted as another one"},    // another quantity
      {'A', put(18, 'X'), " was accepted as another one"},  // another symbol
      {'A', put(33, 9), " was accepted as another one"},    // another price
      {'A', [](std::vector<std::byte>& bytes) { bytes.pop_back(); }, " is none of OUCH 5.0"},
      {'E', put(16, 200), " executed 200 shares of 100 that were open"},
      {'E', put(16, 0), " executed 0 shares of 100 that were open"},
      {'C', put(16, 101), " lost 101 shares of "},
  };
  for (const Case& one : cases) {
    CAPTURE(one.sentence);
    LoadTimes times = no_times();
    LoadOrders client(options(), times);
    Venue venue(client, [&](std::vector<std::byte>& bytes) {
      if (static_cast<char>(bytes[0]) == one.type) one.spoil(bytes);
    });
    std::array<std::byte, LoadOrders::largest_message> out{};
    for (std::int64_t n = 0; n < 200; ++n) {
      const std::size_t size = client.next(out, n * ms);
      venue.take(std::span(out).first(size), n * ms);
    }
    CAPTURE(client.wrong());
    CHECK(client.wrong().find(one.sentence) != std::string::npos);
  }
}

TEST_CASE("an order that is acknowledged twice or never is not passed over") {
  LoadTimes times = no_times();
  LoadOrders twice(options(), times);
  std::array<std::byte, LoadOrders::largest_message> out{};
  const std::size_t size = twice.next(out, 0);
  Venue(twice).take(std::span(out).first(size), ms);
  Venue(twice).take(std::span(out).first(size), ms);
  CHECK(twice.wrong() == "order 1 was acknowledged twice");

  LoadOrders silent(options(), times);
  silent.next(out, 0);
  CHECK(silent.unacknowledged() == 1);

  LoadOrders refused(options(), times);
  const std::size_t refused_size = refused.next(out, 0);
  ouch50::Rejected rejected;
  rejected.user_ref = 1;
  rejected.reason = 0x17;
  std::array<std::byte, sizeof rejected> bytes{};
  refused.heard(std::span(bytes).first(ouch50::encode(rejected, bytes)), ms);
  CHECK(refused.wrong().empty());
  CHECK(refused.counts().reasons.at(0x17) == 1);
  Venue(refused).take(std::span(out).first(refused_size), ms);
  CHECK(refused.wrong() == "order 1 was acknowledged twice");
}
