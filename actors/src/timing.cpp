#include <outcry/actors/timing.hpp>

#include <algorithm>
#include <utility>

namespace outcry {

namespace {

Histogram sum_of(const StageTimes& times, Stage stage, SymbolId symbol) {
  Histogram sum = times.empty_sum();
  if (symbol == all_symbols) {
    times.add_to(sum, stage);
  } else {
    times.add_to(sum, stage, symbol);
  }
  return sum;
}

double seconds_since(Time begin, Time now) { return std::chrono::duration<double>(now - begin).count(); }

/// Asks for every stage of every symbol.
Actor collect(Self<>, TimingAddress gathered, std::uint32_t symbols, StageTimes* into) {
  for (std::uint32_t symbol = 0; symbol < symbols; ++symbol) {
    for (std::size_t stage = 0; stage < stage_count; ++stage) {
      auto asking = gathered.ask(StageHistogramQuery{static_cast<Stage>(stage), SymbolId{symbol}});
      const auto answer = co_await asking;
      if (answer) into->of(SymbolId{symbol})[stage].merge(answer->histogram);
    }
  }
}

}  // namespace

StageSummary summary_of(const Histogram& histogram, double seconds) {
  return {.count = histogram.count(),
          .p50_ns = histogram.percentile(50),
          .p90_ns = histogram.percentile(90),
          .p99_ns = histogram.percentile(99),
          .p99_9_ns = histogram.percentile(99.9),
          .p99_99_ns = histogram.percentile(99.99),
          .max_ns = histogram.max(),
          .per_second = seconds > 0 ? static_cast<double>(histogram.count()) / seconds : 0};
}

Actor timing(TimingSelf self, const StageTimes* times) {
  const Time begin = self.now();
  while (auto asked = co_await self.receive()) {
    match(
        *asked,
        [&](const Ask<StageSummaryQuery>& ask) {
          const Histogram sum = sum_of(*times, ask.query.stage, ask.query.symbol);
          ask.reply(summary_of(sum, seconds_since(begin, self.now())));
        },
        [&](const Ask<StageHistogramQuery>& ask) {
          ask.reply(StageHistogram(sum_of(*times, ask.query.stage, ask.query.symbol)));
        });
  }
}

Actor gathered_timing(TimingSelf self, std::vector<TimingAddress> each) {
  const Time begin = self.now();
  while (auto asked = co_await self.receive()) {
    const auto* summary = std::get_if<Ask<StageSummaryQuery>>(&*asked);
    const auto* whole = std::get_if<Ask<StageHistogramQuery>>(&*asked);
    StageHistogramQuery query{};
    if (summary != nullptr) query = {summary->query.stage, summary->query.symbol};
    if (whole != nullptr) query = whole->query;

    std::optional<Histogram> sum;
    bool complete = true;
    for (const TimingAddress& one : each) {
      auto asking = one.ask(query);
      auto answer = co_await asking;
      if (!answer) {
        complete = false;
        break;
      }
      if (sum) {
        sum->merge(answer->histogram);
      } else {
        sum = std::move(answer->histogram);
      }
    }
    // Half an answer would look like a whole one.
    if (!complete || !sum) {
      if (summary != nullptr) summary->bounce();
      if (whole != nullptr) whole->bounce();
      continue;
    }
    if (summary != nullptr) summary->reply(summary_of(*sum, seconds_since(begin, self.now())));
    if (whole != nullptr) whole->reply(StageHistogram(std::move(*sum)));
  }
}

std::unique_ptr<StageTimes> gather_stage_times(Runtime& runtime, std::span<const std::unique_ptr<StageTimes>> each) {
  runtime.set_latency({.within_site = Duration::zero(), .between_sites = std::chrono::microseconds(1)});
  auto sum = std::make_unique<StageTimes>(each.empty() ? 2 : each.front()->significant_digits());
  std::uint32_t symbols = 0;
  std::vector<TimingAddress> actors;
  for (std::uint32_t scheduler = 0; scheduler < each.size(); ++scheduler) {
    const StageTimes* times = each[scheduler].get();
    symbols = std::max(symbols, static_cast<std::uint32_t>(times->symbols()));
    actors.push_back(runtime.spawn({.name = "timing", .site = scheduler}, timing, times));
  }
  const TimingAddress gathered = runtime.spawn({.name = "gathered timing"}, gathered_timing, std::move(actors));
  runtime.spawn({.name = "collect"}, collect, gathered, symbols, sum.get());
  runtime.run_until(later(runtime.now(), std::chrono::hours(1)));
  return sum;
}

}  // namespace outcry
