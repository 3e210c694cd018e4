#include <outcry/actors/feed_subscriber.hpp>

#include <algorithm>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

#include <outcry/net/soup_client.hpp>
#include <outcry/runtime/connection.hpp>
#include <outcry/runtime/datagrams.hpp>

namespace outcry {

namespace {

constexpr int packets_at_once = 256;

/// Who listens to what, and what they heard last.
class Audience : public FeedListener {
 public:
  void subscribe(const FeedSubscription& wanted, const FeedClient& client) {
    if (wanted.symbol.value >= listeners_.size()) listeners_.resize(wanted.symbol.value + 1);
    Listeners& of = listeners_[wanted.symbol.value];
    const bool is_known = wanted.symbol.value < client.symbol_count();
    const AnyAddress& who = wanted.who;
    switch (wanted.kind) {
      case FeedKind::quotes:
        of.quotes.emplace_back(who.cell(), who.generation());
        of.quotes.back().send(of.quote.symbol == wanted.symbol ? of.quote : Quote{.symbol = wanted.symbol});
        break;
      case FeedKind::trades: of.trades.emplace_back(who.cell(), who.generation()); break;
      case FeedKind::depth:
        of.depths.emplace_back(who.cell(), who.generation());
        if (is_known && client.is_current()) of.depth = depth_of(wanted.symbol, client.book(wanted.symbol).book());
        of.depth.symbol = wanted.symbol;
        of.depths.back().send(of.depth);
        break;
      case FeedKind::phases:
        of.phases.emplace_back(who.cell(), who.generation());
        of.phases.back().send(PhaseChanged{.symbol = wanted.symbol, .phase = of.phase});
        break;
    }
  }

  void at(std::int64_t now_ns) { now_ns_ = now_ns; }

  void on(const TradePrint& trade) override {
    if (trade.symbol.value >= listeners_.size()) return;
    for (const TradeAddress& to : listeners_[trade.symbol.value].trades) to.send(trade);
  }
  void on(const PhaseChanged& change) override {
    Listeners& of = listeners(change.symbol);
    if (of.phase == change.phase) return;
    of.phase = change.phase;
    for (const PhaseAddress& to : of.phases) to.send(change);
  }
  void on_book(SymbolId symbol, const FeedBook& book) override {
    Listeners& of = listeners(symbol);
    Quote quote = book.book().quote();
    const bool same = quote.bid_quantity == of.quote.bid_quantity && quote.ask_quantity == of.quote.ask_quantity &&
                      quote.bid == of.quote.bid && quote.ask == of.quote.ask;
    if (!same) {
      quote.symbol = symbol;
      quote.sequence = of.quote.sequence + 1;
      quote.arrival_ns = now_ns_;
      of.quote = quote;
      for (const QuoteAddress& to : of.quotes) to.send(quote);
    }
    if (of.depths.empty()) return;
    const Depth now = depth_of(symbol, book.book());
    if (now.bid_levels == of.depth.bid_levels && now.ask_levels == of.depth.ask_levels && now.bids == of.depth.bids &&
        now.asks == of.depth.asks)
      return;
    of.depth = now;
    of.depth.arrival_ns = now_ns_;
    for (const DepthAddress& to : of.depths) to.send(of.depth);
  }

 private:
  struct Listeners {
    std::vector<QuoteAddress> quotes;
    std::vector<TradeAddress> trades;
    std::vector<DepthAddress> depths;
    std::vector<PhaseAddress> phases;
    Quote quote{};
    Depth depth{};
    Phase phase = Phase::continuous;
  };

  Listeners& listeners(SymbolId symbol) {
    if (symbol.value >= listeners_.size()) listeners_.resize(symbol.value + 1);
    return listeners_[symbol.value];
  }
  static Depth depth_of(SymbolId symbol, const OrderBook<>& book) {
    Depth depth;
    depth.symbol = symbol;
    depth.bid_levels = static_cast<std::uint16_t>(book.depth(Side::buy, depth.bids));
    depth.ask_levels = static_cast<std::uint16_t>(book.depth(Side::sell, depth.asks));
    return depth;
  }

  std::vector<Listeners> listeners_;
  std::int64_t now_ns_ = 0;
};

/// What the subscriber and the reader of its snapshots share, on one scheduler.
struct Shared {
  Shared(const FeedSubscriberOptions& given, std::int64_t now_ns) : options(given), client(given.client, now_ns) {}
  FeedSubscriberOptions options;
  FeedClient client;
  Audience audience;
};

Datagrams opened(const FeedSubscriberSelf& self, const FeedLine& line, std::size_t in_packets) {
  auto result = Datagrams::open(self, line.local,
                                {.group = line.group,
                                 .interface = line.interface,
                                 .reuse = line.group.has_value(),
                                 .in_packets = in_packets,
                                 .out_packets = 64});
  if (!result) throw std::runtime_error("a feed's line at " + line.local.text() + ": " + result.failure().text());
  return std::move(*result);
}

/// One snapshot, from the connection to the join.
Actor snapshot_reader(Self<> self, std::shared_ptr<Shared> shared) {
  Shared& state = *shared;
  const Time deadline = later(self.now(), state.options.snapshot_timeout);
  auto connecting = Connection::connect(self, *state.options.snapshots, {.in_bytes = 256 * 1024}, deadline);
  auto connected = co_await connecting;
  if (!connected) {
    state.client.snapshot_failed(to_ns(self.now()));
    co_return;
  }
  Connection connection = std::move(*connected);
  SoupClient soup({}, to_ns(self.now()));
  soup.log_in({.user = state.options.user, .password = state.options.password, .sequence = 1}, connection.out(),
              to_ns(self.now()));
  for (bool reading = true; reading;) {
    auto attending = self.attend(std::min(deadline, time_from_ns(soup.deadline())));
    co_await attending;
    const std::int64_t now_ns = to_ns(self.now());
    if (self.stopping()) co_return;
    state.audience.at(now_ns);
    for (std::size_t taken = 1; reading && taken != 0;) {
      std::span<const std::byte> rest = connection.in();
      const std::size_t size = rest.size();
      while (reading) {
        const SoupClientEvent event = soup.receive(rest, now_ns);
        if (!event) break;
        switch (event.kind) {
          case SoupClientEvent::Kind::accepted:
            reading = state.client.snapshot_begins(event.session, now_ns, state.audience);
            break;
          case SoupClientEvent::Kind::message:
            reading = state.client.snapshot(event.message, now_ns, state.audience);
            break;
          case SoupClientEvent::Kind::unsequenced: break;
          default:
            reading = false;
            state.client.snapshot_failed(now_ns);
            break;
        }
      }
      taken = size - rest.size();
      connection.take(taken);
    }
    if (!reading) break;
    const bool lost = connection.ended() || self.now() >= deadline ||
                      soup.poll(connection.out(), now_ns).kind == SoupClientEvent::Kind::timed_out;
    if (lost) {
      state.client.snapshot_failed(now_ns);
      reading = false;
    }
  }
}

}  // namespace

Actor feed_subscriber(FeedSubscriberSelf self, FeedSubscriberOptions options) {
  using Line = FeedClient::Line;
  Datagrams a, b, asking;
  if (options.line_a) a = opened(self, *options.line_a, options.in_packets);
  if (options.line_b) b = opened(self, *options.line_b, options.in_packets);
  if (options.requests) {
    const Endpoint any = options.requests->is_loopback() ? Endpoint::loopback() : Endpoint();
    asking = opened(self, {.local = any}, 256);
  }
  options.client.snapshots = options.snapshots.has_value();
  const auto shared = std::make_shared<Shared>(options, to_ns(self.now()));
  FeedClient& client = shared->client;
  Audience& audience = shared->audience;
  const auto status = [&] {
    FeedClientStatus now;
    now.current = client.is_current();
    now.ended = client.state() == FeedClient::State::ended;
    now.next_sequence = client.next_sequence();
    now.session = mold::Session(client.session());
    now.client = client.counts();
    now.received = client.receiver_counts();
    if (a) now.line_a = a.local();
    if (b) now.line_b = b.local();
    now.dropped = (a ? a.dropped() : 0) + (b ? b.dropped() : 0);
    return now;
  };
  // However it ends: a runtime that stops does not wait for it.
  struct Report {
    const decltype(status)& now;
    FeedClientStatus* to;
    ~Report() {
      if (to != nullptr) *to = now();
    }
  } const report{status, options.report};
  AnyAddress reader;
  bool more = false;
  while (!self.stopping()) {
    auto attending = self.attend(more ? self.now() : time_from_ns(client.deadline()));
    co_await attending;
    const std::int64_t now_ns = to_ns(self.now());
    audience.at(now_ns);
    self.take().each([&]<class M>(const M& message) {
      if constexpr (std::is_same_v<M, FeedSubscription>)
        audience.subscribe(message, client);
      else
        message.reply(status());
    });
    more = false;
    const auto hear = [&](Datagrams& socket, Line line) {
      for (int i = 0; socket; ++i) {
        const auto packet = socket.next();
        if (!packet) return;
        client.receive(line, packet->bytes, now_ns, audience);
        if (i == packets_at_once) {
          more = true;
          return;
        }
      }
    };
    hear(a, Line::a);
    hear(b, Line::b);
    hear(asking, Line::requested);
    client.poll(now_ns, audience, [&](std::span<const std::byte> request) {
      if (asking) asking.send(request, *shared->options.requests);
    });
    if (client.wants_snapshot(now_ns)) {
      client.snapshot_asked();
      reader = self.spawn({.name = "snapshot_reader"}, snapshot_reader, shared);
    }
  }
  if (reader) reader.stop();
}

Actor feed_symbol(FeedSymbolSelf self, FeedSubscriberAddress feed, SymbolId symbol) {
  Quote quote{.symbol = symbol};
  const auto pass_on = [&](const AnyAddress& who, FeedKind kind) { feed.send(FeedSubscription{who, symbol, kind}); };
  pass_on(self.address(), FeedKind::quotes);
  while (auto batch = co_await self.receive_batch()) {
    batch.each([&]<class M>(const M& message) {
      if constexpr (std::is_same_v<M, Quote>) quote = message;
      if constexpr (std::is_same_v<M, SubscribeQuotes>) pass_on(message.address, FeedKind::quotes);
      if constexpr (std::is_same_v<M, SubscribeTrades>) pass_on(message.address, FeedKind::trades);
      if constexpr (std::is_same_v<M, SubscribeDepth>) pass_on(message.address, FeedKind::depth);
      if constexpr (std::is_same_v<M, SubscribePhases>) pass_on(message.address, FeedKind::phases);
      if constexpr (std::is_same_v<M, Ask<QuoteQuery>>) message.reply(quote);
    });
  }
}

}  // namespace outcry
