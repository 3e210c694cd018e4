#include <outcry/actors/market_feed.hpp>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace outcry {

namespace {

constexpr std::uint32_t itch_scale = 10'000;
constexpr std::int64_t highest_price = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t most_symbols = 65'534;

[[noreturn]] void refuse(const Instrument& instrument, const char* what) {
  throw std::invalid_argument(std::string(name_of(instrument)) + ": a feed cannot tell " + what);
}

/// What everyone sees has another grid than what the market takes: any of 1/10,000, any quantity.
Instrument seen(Instrument instrument, std::uint32_t to_itch) {
  instrument.tick *= to_itch;
  instrument.off_tick_allowed = true;
  instrument.lot = 1;
  instrument.price_scale = itch_scale;
  instrument.lowest = {0};
  instrument.highest = {highest_price};
  return instrument;
}

const Instrument& checked(const Instrument& instrument) {
  const std::int64_t scale = instrument.price_scale;
  if (instrument.symbol.value >= most_symbols) refuse(instrument, "more than 65,534 symbols apart");
  if (name_of(instrument).empty() || name_of(instrument).size() > 8)
    refuse(instrument, "a name of more than 8 letters");
  if (scale < 1 || scale > itch_scale || itch_scale % scale != 0) refuse(instrument, "prices finer than 1/10,000");
  if (instrument.lowest < Price{0} || instrument.highest.units > highest_price / (itch_scale / scale))
    refuse(instrument, "prices below 0 or above 429,496.7295: set the instrument's lowest and highest price");
  return instrument;
}

}  // namespace

MarketFeed::Listed::Listed(const Instrument& listed, OrderPool& pool, const BookSize& size)
    : instrument(checked(listed)),
      stock(name_of(listed)),
      to_itch(static_cast<std::uint32_t>(itch_scale / listed.price_scale)),
      lot(std::max<std::uint32_t>(listed.lot, 1)),
      book(seen(listed, to_itch), pool, size) {}

MarketFeed::MarketFeed(const MarketFeedOptions& options, std::int64_t now_ns)
    : options_(options),
      clock_(options.midnight_ns),
      pool_(options.orders),
      store_(options.store),
      sender_(sender(now_ns)),
      requests_(requests(now_ns)) {
  for (const Instrument& instrument : options_.instruments) {
    listed_.push_back(std::make_unique<Listed>(instrument, pool_, options_.book));
    const std::uint32_t symbol = instrument.symbol.value;
    if (symbol >= by_symbol_.size()) by_symbol_.resize(symbol + 1);
    if (std::exchange(by_symbol_[symbol], listed_.back().get()) != nullptr)
      throw std::invalid_argument("two instruments of a feed have the number " + std::to_string(symbol));
  }
}

MoldSender MarketFeed::sender(std::int64_t now_ns) const {
  return MoldSender({.session = options_.session,
                     .next_sequence = 1,
                     .largest_packet = options_.largest_packet,
                     .flush_ns = options_.flush_ns,
                     .heartbeat_ns = options_.heartbeat_ns},
                    now_ns);
}

MoldRequests MarketFeed::requests(std::int64_t now_ns) const {
  return MoldRequests({.session = options_.session,
                       .largest_packet = options_.largest_packet,
                       .requests_per_source = options_.requests_per_source,
                       .bytes = options_.request_bytes,
                       .sources = options_.request_sources},
                      now_ns);
}

// ---- messages

template <class Message>
void MarketFeed::publish(Message message, std::uint16_t locate, std::int64_t time_ns, std::int64_t now_ns,
                         PacketSink& sink) {
  message.header.stock_locate = locate;
  message.header.tracking_number = options_.tracking_number;
  message.header.timestamp = clock_.at(time_ns);
  const std::span<const std::byte> bytes = itch::encode(message);
  // Beyond its size nothing is kept any more: what it has must stay without a hole.
  if (store_.next_sequence() != sender_.next_sequence() || store_.append(bytes) == 0) ++counts_.not_kept;
  ++counts_.messages;
  sender_.add(bytes, now_ns, [&](std::span<const std::byte> packet) {
    ++counts_.packets;
    sink.send(packet);
  });
}

template <class Message>
void MarketFeed::tell(Listed& listed, const MarketByOrder& change, Message message, std::int64_t now_ns,
                      PacketSink& sink) {
  const std::uint64_t refused = listed.book.refused();
  listed.book.apply(message);
  counts_.refused += listed.book.refused() - refused;
  if (open_) publish(message, static_cast<std::uint16_t>(change.symbol.value + 1), change.time_ns, now_ns, sink);
}

itch::U32 MarketFeed::price(const Listed& listed, Price price) const {
  return static_cast<std::uint32_t>(price.units * listed.to_itch);
}

void MarketFeed::take(const MarketByOrder& change, std::int64_t now_ns, PacketSink& sink) {
  Listed* const found = listed(change.symbol);
  if (found == nullptr) {
    ++counts_.strangers;
    return;
  }
  Listed& symbol = *found;
  const char side = change.side == Side::buy ? 'B' : 'S';
  const std::uint64_t match = match_number(change.symbol, change.trade);
  switch (change.kind) {
    case MarketByOrder::Kind::added:
      return tell(symbol, change,
                  itch::AddOrder{.order = change.id.value,
                                 .side = side,
                                 .shares = change.quantity.lots,
                                 .stock = symbol.stock,
                                 .price = price(symbol, change.price)},
                  now_ns, sink);
    case MarketByOrder::Kind::executed:
      if (change.told == MarketByOrder::Told::at_own_price)
        return tell(symbol, change,
                    itch::OrderExecuted{.order = change.id.value, .shares = change.quantity.lots, .match = match},
                    now_ns, sink);
      return tell(symbol, change,
                  itch::OrderExecutedAt{.order = change.id.value,
                                        .shares = change.quantity.lots,
                                        .match = match,
                                        .printable = change.told == MarketByOrder::Told::apart ? 'N' : 'Y',
                                        .price = price(symbol, change.price)},
                  now_ns, sink);
    case MarketByOrder::Kind::reduced:
      return tell(symbol, change, itch::OrderCancel{.order = change.id.value, .shares = change.quantity.lots}, now_ns,
                  sink);
    case MarketByOrder::Kind::deleted:
      return tell(symbol, change, itch::OrderDelete{.order = change.id.value}, now_ns, sink);
    case MarketByOrder::Kind::replaced:
      return tell(symbol, change,
                  itch::OrderReplace{.order = change.id.value,
                                     .new_order = change.new_id.value,
                                     .shares = change.quantity.lots,
                                     .price = price(symbol, change.price)},
                  now_ns, sink);
    case MarketByOrder::Kind::hidden_trade:
      return tell(symbol, change,
                  itch::Trade{.order = 0,
                              .side = side,
                              .shares = change.quantity.lots,
                              .stock = symbol.stock,
                              .price = price(symbol, change.price),
                              .match = match},
                  now_ns, sink);
    case MarketByOrder::Kind::cross: {
      const bool was_crossed = std::exchange(symbol.was_crossed, true);
      const char cross = change.phase == Phase::closed ? 'C' : was_crossed ? 'H' : 'O';
      return tell(symbol, change,
                  itch::CrossTrade{.shares = change.volume(),
                                   .stock = symbol.stock,
                                   .price = price(symbol, change.price),
                                   .match = match,
                                   .cross = cross},
                  now_ns, sink);
    }
    case MarketByOrder::Kind::broken:  // changes no book
      if (open_)
        publish(itch::BrokenTrade{.match = match}, static_cast<std::uint16_t>(change.symbol.value + 1), change.time_ns,
                now_ns, sink);
      return;
    case MarketByOrder::Kind::phase: return tell(symbol, change, action(symbol, change.phase), now_ns, sink);
  }
}

void MarketFeed::system_event(char event, std::int64_t now_ns, PacketSink& sink) {
  last_event_ = event;
  publish(itch::SystemEvent{.event = event}, 0, now_ns, now_ns, sink);
}

itch::StockDirectory MarketFeed::directory(const Listed& listed) const {
  itch::StockDirectory message{.stock = listed.stock,
                               .market_category = 'Q',
                               .financial_status = 'N',
                               .round_lot_size = listed.lot,
                               .round_lots_only = listed.lot > 1 ? 'Y' : 'N',
                               .issue_classification = 'C',
                               .issue_subtype = "Z",
                               .authenticity = 'T',
                               .short_sale_threshold = 'N',
                               .ipo_flag = 'N',
                               .luld_tier = ' ',
                               .etp_flag = 'N',
                               .etp_leverage = 0,
                               .inverse = 'N'};
  message.header.stock_locate = static_cast<std::uint16_t>(listed.instrument.symbol.value + 1);
  return message;
}

itch::TradingAction MarketFeed::action(const Listed& listed, Phase phase) {
  itch::TradingAction message{.stock = listed.stock, .state = 'T'};
  if (phase == Phase::auction) message.state = 'Q';
  if (phase == Phase::halted || phase == Phase::closed) message.state = 'H';
  if (phase == Phase::closed) message.reason = closed_reason;
  message.header.stock_locate = static_cast<std::uint16_t>(listed.instrument.symbol.value + 1);
  return message;
}

// ---- sessions

void MarketFeed::begin(std::int64_t now_ns, PacketSink& sink) {
  open_ = true;
  system_event('O', now_ns, sink);
  system_event('S', now_ns, sink);
  for (const auto& listed : listed_) {
    const itch::StockDirectory message = directory(*listed);
    publish(message, message.header.stock_locate, now_ns, now_ns, sink);
  }
  system_event('Q', now_ns, sink);
}

void MarketFeed::begin_day(const mold::Session& session, std::int64_t midnight_ns, std::int64_t now_ns,
                           PacketSink& sink) {
  assert(!open_ && "a day that begins before the last one has ended");
  options_.session = session;
  options_.midnight_ns = midnight_ns;
  clock_ = FeedClock(midnight_ns);
  store_.clear();
  sender_ = sender(now_ns);
  requests_ = requests(now_ns);
  snapshot_.reset();
  begin(now_ns, sink);
  for (const auto& listed : listed_) {
    listed->was_crossed = false;
    const auto locate = static_cast<std::uint16_t>(listed->instrument.symbol.value + 1);
    publish(action(*listed, listed->book.phase()), locate, now_ns, now_ns, sink);
    each_order(*listed, [&](const itch::AddOrder& add) { publish(add, locate, now_ns, now_ns, sink); });
  }
  poll(now_ns, sink);
}

void MarketFeed::end(std::int64_t now_ns, PacketSink& sink) {
  if (!open_) return;
  for (const char event : {'M', 'E', 'C'}) system_event(event, now_ns, sink);
  open_ = false;
  sender_.end(now_ns, [&](std::span<const std::byte> packet) {
    ++counts_.packets;
    sink.send(packet);
  });
}

void MarketFeed::poll(std::int64_t now_ns, PacketSink& sink) {
  if (last_event_ == '\0') return;
  sender_.poll(now_ns, [&](std::span<const std::byte> packet) {
    ++counts_.packets;
    sink.send(packet);
  });
}

void MarketFeed::flush(std::int64_t now_ns, PacketSink& sink) {
  sender_.flush(now_ns, [&](std::span<const std::byte> packet) {
    ++counts_.packets;
    sink.send(packet);
  });
}

std::int64_t MarketFeed::deadline() const {
  return last_event_ == '\0' ? std::numeric_limits<std::int64_t>::max() : sender_.deadline();
}

// ---- what was lost

MoldAnswer MarketFeed::answer(std::span<const std::byte> datagram, std::uint64_t source, std::int64_t now_ns,
                              PacketSink& sink) {
  return requests_.answer(store_, datagram, source, now_ns,
                          [&](std::span<const std::byte> packet) { sink.send(packet); });
}

template <class F>
void MarketFeed::each_order(const Listed& listed, F&& f) const {
  const OrderBook<>& book = listed.book.book();
  const auto locate = static_cast<std::uint16_t>(listed.instrument.symbol.value + 1);
  for (const Side side : {Side::buy, Side::sell})
    book.for_each_level(side, [&](const DepthLevel& level) {
      book.for_each_order(side, level.price, [&](const OrderView& order) {
        itch::AddOrder add{.order = order.id.value,
                           .side = side == Side::buy ? 'B' : 'S',
                           .shares = order.open.lots,
                           .stock = listed.stock,
                           .price = static_cast<std::uint32_t>(order.price.units)};
        add.header.stock_locate = locate;
        f(add);
      });
    });
}

std::shared_ptr<const FeedSnapshot> MarketFeed::snapshot(std::int64_t now_ns) {
  if (snapshot_ != nullptr &&
      (snapshot_->feed_sequence() == next_sequence() || now_ns - snapshot_ns_ < options_.snapshot_age_ns))
    return snapshot_;
  std::size_t orders = 2 + 2 * listed_.size();
  for (const auto& listed : listed_) orders += listed->book.book().order_count();
  const auto made = std::make_shared<FeedSnapshot>(next_sequence(), orders);
  FeedClock clock = clock_;  // a snapshot leaves no trace in the feed
  const auto add = [&](auto message) {
    message.header.tracking_number = options_.tracking_number;
    message.header.timestamp = clock.at(now_ns);
    made->add(message);
  };
  if (last_event_ != '\0') add(itch::SystemEvent{.event = last_event_});
  for (const auto& listed : listed_) add(directory(*listed));
  for (const auto& listed : listed_) add(action(*listed, listed->book.phase()));
  for (const auto& listed : listed_) each_order(*listed, add);
  made->end();
  snapshot_ = made;
  snapshot_ns_ = now_ns;
  ++counts_.snapshots;
  return snapshot_;
}

const FeedBook* MarketFeed::book(SymbolId symbol) const {
  const Listed* const found = listed(symbol);
  return found != nullptr ? &found->book : nullptr;
}

}  // namespace outcry
