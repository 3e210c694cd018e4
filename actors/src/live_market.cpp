#include <outcry/actors/live_market.hpp>

#include <chrono>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

#include <outcry/actors/timing.hpp>

namespace outcry {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t strategy_mailbox = 1u << 20;
constexpr Duration look_around = 20ms;  // how often the end is looked for

/// A symbol of the venue, as a strategy knows symbols.
Actor live_symbol(SymbolSelf self, SymbolId symbol, OrderLineAddress orders, FeedSubscriberAddress feed) {
  const auto subscribe = [&](const AnyAddress& who, FeedKind kind) {
    if (feed) feed.send(FeedSubscription{who, symbol, kind});
  };
  while (auto message = co_await self.receive()) {
    std::visit(
        [&]<class M>(M&& one) {
          using Kind = std::remove_cvref_t<M>;
          if constexpr (std::is_same_v<Kind, SubscribeQuotes>) {
            subscribe(one.address, FeedKind::quotes);
          } else if constexpr (std::is_same_v<Kind, SubscribeTrades>) {
            subscribe(one.address, FeedKind::trades);
          } else if constexpr (std::is_same_v<Kind, SubscribeDepth>) {
            subscribe(one.address, FeedKind::depth);
          } else if constexpr (std::is_same_v<Kind, SubscribePhases>) {
            subscribe(one.address, FeedKind::phases);
          } else if constexpr (one_of<Kind, NewOrder, SpecialOrder, CancelOrder, ReduceOrder, ModifyOrder, ReplaceOrder,
                                      MassCancel, EnterSymbol>) {
            orders.send(std::forward<M>(one));
          }
        },
        std::move(*message));
  }
}

/// What the director and run() share.
struct Play {
  LiveOptions* options;
  TraderReport* trader;
  StageTimes* stages;
  std::atomic<bool>* asked_to_stop;
  std::atomic<bool>* up;
  LiveReport* report;
  std::vector<FeedClientStatus> feeds;
};

using DirectorSelf = Self<LineStatus, StrategyDone>;

/// Raises the curtain once the venue has let us in, and lowers it in order.
Actor director(DirectorSelf self, Play* play) {
  LiveOptions& options = *play->options;
  LiveReport& report = *play->report;
  std::vector<AnyAddress> cast;

  std::vector<FeedSubscriberAddress> feed_of(options.instruments.size());
  play->feeds.resize(options.feeds.size());
  for (std::size_t i = 0; i < options.feeds.size(); ++i) {
    FeedSubscriberOptions subscriber = std::move(options.feeds[i].subscriber);
    subscriber.client.instruments = options.instruments;  // so that numbers mean the same in all of them
    subscriber.report = &play->feeds[i];
    const FeedSubscriberAddress feed =
        self.spawn({.name = "feed", .mailbox = {.capacity = 4096}}, feed_subscriber, std::move(subscriber));
    cast.push_back(feed);
    for (const SymbolId symbol : options.feeds[i].symbols) feed_of[symbol.value] = feed;
  }

  OrderLineOptions line_options = options.orders;
  line_options.login.account = options.account;
  line_options.login.instruments = options.instruments;
  line_options.status = self.address();
  const OrderLineAddress orders = self.spawn(
      {.name = "orders", .mailbox = {.capacity = 1u << 16, .when_full = WhenFull::refuse}}, order_line, line_options);
  cast.push_back(orders);

  AnyAddress trading;
  bool over = false;      // the venue, or the strategy
  bool is_wanted = true;  // by the venue
  const auto hear = [&](auto&& message) {
    std::visit(
        [&]<class M>(const M& one) {
          if constexpr (std::is_same_v<M, LineStatus>) {
            play->up->store(one.state == LineStatus::State::up, std::memory_order_relaxed);
            report.times_lost = one.times_lost;
            if (one.state != LineStatus::State::up) report.error = one.why;
            if (one.state == LineStatus::State::up) report.error.clear();
            is_wanted &= one.state != LineStatus::State::over;
            over |= !is_wanted;
          } else {
            over = true;
          }
        },
        message);
  };

  const Time patience = later(self.now(), options.patience);
  while (!play->up->load(std::memory_order_relaxed) && !over && self.now() < patience &&
         !play->asked_to_stop->load(std::memory_order_relaxed)) {
    auto message = co_await self.receive_for(look_around);
    if (message) hear(std::move(*message));
  }

  if (play->up->load(std::memory_order_relaxed)) {
    std::vector<TraderSetup::Listed> listed;
    for (const Instrument& instrument : options.instruments) {
      const FeedSubscriberAddress feed = feed_of[instrument.symbol.value];
      const SymbolAddress symbol =
          self.spawn({.name = name_of(instrument), .mailbox = {.capacity = 1u << 16, .when_full = WhenFull::refuse}},
                     live_symbol, instrument.symbol, orders, feed);
      cast.push_back(symbol);
      listed.push_back({instrument, symbol, true});
    }
    trading = self.spawn({.name = "strategy", .mailbox = {.capacity = strategy_mailbox, .when_full = WhenFull::refuse}},
                         trader,
                         TraderSetup{.strategy = options.strategy,
                                     .symbols = std::move(listed),
                                     .account = options.account,
                                     .fees = options.fees,
                                     .stages = play->stages,
                                     .report = play->trader,
                                     .done = self.address()});
    const Time end = options.length > Duration::zero() ? later(self.now(), options.length) : never;
    while (!over && self.now() < end && !play->asked_to_stop->load(std::memory_order_relaxed)) {
      auto message = co_await self.receive_until(std::min(end, later(self.now(), look_around)));
      if (message) hear(std::move(*message));
    }
    const CloseLine close{later(self.now(), options.patience)};
    auto asking = orders.ask(close, options.patience + 1s);
    const auto closed = co_await asking;
    report.open_orders = closed ? closed->open_orders : 0;
    if (closed && is_wanted && closed->open_orders == 0) report.error.clear();  // it was back in time
    trading.stop();
  }
  for (const AnyAddress& one : cast) one.stop();
}

void check(const LiveOptions& options) {
  const auto refuse = [](const std::string& sentence) { throw std::invalid_argument(sentence); };
  if (options.instruments.empty()) refuse("a live market needs at least one instrument");
  for (std::size_t i = 0; i < options.instruments.size(); ++i) {
    if (options.instruments[i].symbol.value != i) refuse("instruments are numbered from 0 in their order");
    if (options.instruments[i].price_scale != 10'000)
      refuse(std::string(name_of(options.instruments[i])) + ": prices of venues are in 1/10000, not 1/" +
             std::to_string(options.instruments[i].price_scale));
  }
  if (options.strategy == nullptr) refuse("a live market needs a strategy");
  if (options.orders.wire == nullptr) refuse("a live market needs a protocol for its orders");
  if (options.schedulers == 0 || options.schedulers > 256)
    refuse("schedulers must be 1 to 256, not " + std::to_string(options.schedulers));
}

}  // namespace

LiveMarket::LiveMarket(LiveOptions options) : options_(std::move(options)) {
  check(options_);
  if (options_.measure) stage_times_.push_back(std::make_unique<StageTimes>());
}

LiveMarket::~LiveMarket() = default;

LiveReport LiveMarket::run() {
  const auto began = std::chrono::steady_clock::now();
  LiveReport report;
  Play play{.options = &options_,
            .trader = &trader_report_,
            .stages = options_.measure ? stage_times_.front().get() : nullptr,
            .asked_to_stop = &asked_to_stop_,
            .up = &up_,
            .report = &report,
            .feeds = {}};
  {
    RuntimeOptions runtime_options;
    runtime_options.schedulers = options_.schedulers;
    runtime_options.idle = options_.idle;
    runtime_options.processors = options_.processors;
    runtime_options.memory = options_.memory;
    Runtime runtime(std::move(runtime_options));
    runtime.spawn({.name = "director"}, director, &play);
    runtime.run();
  }
  for (const FeedClientStatus& feed : play.feeds) {
    report.feed_messages += feed.client.messages;
    report.feed_recoveries += feed.client.recoveries;
    report.feeds_stale += !feed.current && !feed.ended;
  }
  report.stopped = asked_to_stop_.load(std::memory_order_relaxed);
  report.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return report;
}

}  // namespace outcry
