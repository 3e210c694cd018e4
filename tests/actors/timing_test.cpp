// Timing actors, asked in virtual time about records that are known.
#include <memory>
#include <optional>
#include <vector>

#include <doctest/doctest.h>
#include <outcry/actors/timing.hpp>
#include <outcry/runtime/runtime.hpp>

using namespace outcry;

namespace {

struct Heard {
  std::optional<StageSummary> summary;
  std::optional<std::uint64_t> count;
  std::int64_t max_ns = 0;
  AskError error = AskError::none;
};

Actor asks(Self<> self, TimingAddress timing, Duration after, StageSummaryQuery query, Heard* heard) {
  co_await self.sleep(after);
  auto asking = timing.ask(query);
  auto summary = co_await asking;
  heard->error = summary.error();
  if (!summary) co_return;
  heard->summary = *summary;
  auto asking_all = timing.ask(StageHistogramQuery{query.stage, query.symbol});
  auto whole = co_await asking_all;
  if (!whole) co_return;
  heard->count = whole->histogram.count();
  heard->max_ns = whole->histogram.max();
}

constexpr Duration between_sites = std::chrono::microseconds(5);

RuntimeOptions virtual_time(std::uint32_t schedulers) {
  return {.schedulers = schedulers, .time = WorldTime::virtually, .latency = {.between_sites = between_sites}};
}

}  // namespace

TEST_CASE("a timing actor answers percentiles, maximum and rate of a stage, of one symbol or of all") {
  StageTimes times(3);
  for (int ns = 1; ns <= 1'000; ++ns) times.record(SymbolId{0}, Stage::mailbox, ns);
  times.record(SymbolId{2}, Stage::mailbox, 5'000);
  times.record(SymbolId{2}, Stage::total, 77);
  Heard of_all, of_one, of_none, of_total;
  Runtime runtime(virtual_time(1));
  const TimingAddress address = runtime.spawn(timing, static_cast<const StageTimes*>(&times));

  const Duration after = std::chrono::seconds(2);
  runtime.spawn(asks, address, after, StageSummaryQuery{Stage::mailbox}, &of_all);
  runtime.spawn(asks, address, after, StageSummaryQuery{Stage::mailbox, SymbolId{0}}, &of_one);
  runtime.spawn(asks, address, after, StageSummaryQuery{Stage::mailbox, SymbolId{9}}, &of_none);
  runtime.spawn(asks, address, after, StageSummaryQuery{Stage::total}, &of_total);
  runtime.run_until(Time{} + std::chrono::seconds(3));

  REQUIRE(of_one.summary);
  CHECK(of_one.summary->count == 1'000);
  CHECK(of_one.summary->p50_ns == 500);
  CHECK(of_one.summary->p90_ns == 900);
  CHECK(of_one.summary->p99_ns == 990);
  CHECK(of_one.summary->p99_9_ns == 999);
  CHECK(of_one.summary->p99_99_ns == 1'000);
  CHECK(of_one.summary->max_ns == 1'000);
  CHECK(of_one.summary->per_second == doctest::Approx(500));
  CHECK(of_one.count == 1'000);
  REQUIRE(of_all.summary);
  CHECK(of_all.summary->count == 1'001);
  CHECK(of_all.summary->max_ns == 5'000);
  CHECK(of_all.max_ns == 5'000);
  REQUIRE(of_none.summary);
  CHECK(of_none.summary->count == 0);
  REQUIRE(of_total.summary);
  CHECK(of_total.summary->p50_ns == 77);
}

TEST_CASE("the gathering actor answers for every scheduler together") {
  for (const std::uint32_t schedulers : {1u, 2u, 4u}) {
    CAPTURE(schedulers);
    std::vector<std::unique_ptr<StageTimes>> times;
    Heard heard;
    Runtime runtime(virtual_time(schedulers));
    std::vector<TimingAddress> each;
    for (std::uint32_t i = 0; i < 4; ++i) {
      times.push_back(std::make_unique<StageTimes>(3));
      for (int ns = 1; ns <= 250; ++ns) times.back()->record(SymbolId{i}, Stage::match, 4 * ns - static_cast<int>(i));
      each.push_back(runtime.spawn({.site = i}, timing, static_cast<const StageTimes*>(times.back().get())));
    }
    const TimingAddress all = runtime.spawn({.site = 4}, gathered_timing, each);

    runtime.spawn({.site = 5}, asks, all, Duration(std::chrono::seconds(1)), StageSummaryQuery{Stage::match}, &heard);
    runtime.run_until(Time{} + std::chrono::seconds(2));

    REQUIRE(heard.summary);
    CHECK(heard.summary->count == 1'000);
    CHECK(heard.summary->p50_ns == 500);
    CHECK(heard.summary->p99_ns == 990);
    CHECK(heard.summary->max_ns == 1'000);
    CHECK(heard.summary->per_second == doctest::Approx(1'000).epsilon(.001));
    CHECK(heard.count == 1'000);
  }
}

TEST_CASE("where one timing actor is gone, the gathering actor gives no answer rather than half of one") {
  StageTimes times;
  times.record(SymbolId{0}, Stage::match, 4);
  Heard heard;
  Runtime runtime(virtual_time(1));
  const TimingAddress stays = runtime.spawn(timing, static_cast<const StageTimes*>(&times));
  const TimingAddress goes = runtime.spawn(timing, static_cast<const StageTimes*>(&times));
  const TimingAddress all = runtime.spawn(gathered_timing, std::vector<TimingAddress>{stays, goes});
  goes.stop();

  runtime.spawn(asks, all, Duration(std::chrono::seconds(1)), StageSummaryQuery{Stage::match}, &heard);
  runtime.run_until(Time{} + std::chrono::seconds(2));

  CHECK(!heard.summary);
  CHECK(heard.error == AskError::gone);
}
