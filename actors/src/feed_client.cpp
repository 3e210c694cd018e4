#include <outcry/actors/feed_client.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include <outcry/net/record_reader.hpp>

namespace outcry {

namespace {

constexpr std::size_t locates = 65'536;

}  // namespace

FeedClient::FeedClient(const FeedClientOptions& options, std::int64_t now_ns)
    : options_(options),
      pool_(options.orders),
      by_locate_(locates, unknown),
      session_(options.session),
      receiver_(receiver(options.session, now_ns)),
      state_(options.snapshots ? State::joining : State::live),
      next_snapshot_ns_(now_ns),
      pause_ns_(options.first_pause_ns) {
  for (std::size_t i = 0; i < options_.instruments.size(); ++i) {
    Instrument instrument = options_.instruments[i];
    if (instrument.price_scale != 10'000)
      throw std::invalid_argument(std::string(name_of(instrument)) + ": prices of a feed are in 1/10,000");
    instrument.symbol = {static_cast<std::uint32_t>(i)};
    instrument.off_tick_allowed = true;
    instrument.lot = 1;
    symbols_.push_back(std::make_unique<Symbol>(instrument, pool_, options_.book));
  }
  changed_.reserve(symbols_.size());
}

MoldReceiver FeedClient::receiver(const mold::Session& session, std::int64_t now_ns) const {
  MoldReceiverOptions options = options_.receiver;
  options.session = session;
  options.next_sequence = options_.snapshots ? 0 : 1;
  return {options, now_ns};
}

// ---- datagrams

void FeedClient::receive(Line line, std::span<const std::byte> datagram, std::int64_t now_ns, FeedListener& listener) {
  look_at_session(datagram, now_ns, listener);
  if (state_ == State::ended) return;
  receiver_.receive(line, datagram, now_ns, [&](std::uint64_t, std::span<const std::byte> message) {
    ++counts_.messages;
    apply(message, now_ns, listener, true);
  });
  tell(now_ns, listener);
  if (receiver_.finished()) state_ = State::ended;
}

void FeedClient::look_at_session(std::span<const std::byte> datagram, std::int64_t now_ns, FeedListener& listener) {
  const std::string_view ours = session_.padded();
  if (datagram.size() < mold::header_size) return;
  if (std::memcmp(datagram.data(), ours.data(), ours.size()) == 0) [[likely]] {
    silent_ = false;
    return;
  }
  const mold::Decoded decoded = mold::decode(datagram);
  if (!decoded || decoded.packet.session() == last_.padded()) return;
  const mold::Session heard(decoded.packet.session());
  if (session_.text().empty() || state_ == State::ended || silent_)
    change_session(heard, now_ns, listener);
  else
    other_ = heard;
}

void FeedClient::change_session(const mold::Session& session, std::int64_t now_ns, FeedListener& listener) {
  const bool was_current = is_current() && !session_.text().empty();
  last_ = std::exchange(session_, session);
  other_ = {};
  silent_ = false;
  join_.reset();
  receiver_ = receiver(session, now_ns);
  by_locate_.assign(locates, unknown);
  clear_books();
  if (options_.instruments.empty()) {
    symbols_.clear();
    changed_.clear();
  }
  state_ = options_.snapshots ? State::joining : State::live;
  next_snapshot_ns_ = now_ns;
  pause_ns_ = options_.first_pause_ns;
  feed_time_ns_ = 0;
  ++counts_.sessions;
  listener.on_session(session);
  if (was_current && state_ == State::joining) listener.on_stale(true);
}

void FeedClient::react(MoldReceiver::Event event, std::int64_t now_ns, FeedListener& listener) {
  switch (event) {
    case MoldReceiver::Event::none: return;
    case MoldReceiver::Event::silent:
      silent_ = true;
      if (!other_.text().empty()) change_session(other_, now_ns, listener);
      return;
    case MoldReceiver::Event::gap_lost:
      ++counts_.recoveries;
      receiver_.hold();
      state_ = State::joining;
      next_snapshot_ns_ = now_ns;
      listener.on_stale(true);
      return;
  }
}

std::int64_t FeedClient::deadline() const {
  if (state_ == State::ended) return std::numeric_limits<std::int64_t>::max();
  const bool asks = state_ == State::joining && options_.snapshots && !asked_ && !join_;
  return asks ? std::min(receiver_.deadline(), next_snapshot_ns_) : receiver_.deadline();
}

// ---- snapshots

bool FeedClient::snapshot_begins(std::string_view session, std::int64_t now_ns, FeedListener& listener) {
  const mold::Session named(session);
  asked_ = false;
  if (state_ != State::joining) return false;
  if (session_.text().empty()) change_session(named, now_ns, listener);
  if (named.padded() != session_.padded()) {
    snapshot_failed(now_ns);
    return false;
  }
  clear_books();
  join_.emplace(receiver_);
  return true;
}

bool FeedClient::snapshot(std::span<const std::byte> message, std::int64_t now_ns, FeedListener& listener) {
  if (!join_) return false;
  const auto joined = join_->take(message, now_ns, [&](std::uint64_t sequence, std::span<const std::byte> part) {
    if (sequence != 0) ++counts_.messages;
    apply(part, now_ns, listener, sequence != 0);
  });
  switch (joined) {
    case SnapshotJoin::State::reading: return true;
    case SnapshotJoin::State::joined:
      join_.reset();
      ++counts_.snapshots;
      pause_ns_ = options_.first_pause_ns;
      state_ = State::live;
      listener.on_stale(false);
      tell(now_ns, listener);
      if (receiver_.finished()) state_ = State::ended;
      return false;
    case SnapshotJoin::State::broken: break;
  }
  snapshot_failed(now_ns);
  return false;
}

void FeedClient::snapshot_failed(std::int64_t now_ns) {
  join_.reset();
  asked_ = false;
  if (state_ != State::joining) return;
  ++counts_.broken_snapshots;
  next_snapshot_ns_ = now_ns + pause_ns_;
  pause_ns_ = std::min(2 * pause_ns_, options_.longest_pause_ns);
}

// ---- messages

std::uint32_t FeedClient::learn(std::uint16_t locate, std::string_view stock) {
  std::uint32_t& index = by_locate_[locate];
  if (index != unknown) return index;
  if (!options_.instruments.empty()) {
    index = not_wanted;
    for (std::size_t i = 0; i < symbols_.size(); ++i)
      if (name_of(options_.instruments[i]) == stock) index = static_cast<std::uint32_t>(i);
    return index;
  }
  index = static_cast<std::uint32_t>(symbols_.size());
  Instrument instrument = recorded_stock({index}, stock);
  symbols_.push_back(std::make_unique<Symbol>(instrument, pool_, options_.book));
  changed_.reserve(symbols_.size());
  return index;
}

FeedClient::Symbol* FeedClient::symbol_of(const itch::MessageView& message) {
  std::uint32_t index = by_locate_[message.stock_locate()];
  if (index == unknown) {
    const auto learn_from = [&]<class Message>(const Message& named) {
      if constexpr (requires { named.stock; }) index = learn(message.stock_locate(), named.stock.text());
    };
    message.visit(learn_from);
  }
  return index < not_wanted ? symbols_[index].get() : nullptr;
}

void FeedClient::apply(std::span<const std::byte> message, std::int64_t now_ns, FeedListener& listener, bool is_live) {
  const itch::Decoded decoded = itch::decode(message);
  if (!decoded) {
    ++counts_.malformed;
    return;
  }
  feed_time_ns_ = decoded.message.timestamp();
  Symbol* const symbol = symbol_of(decoded.message);
  if (symbol == nullptr) return;
  const std::uint64_t refused = symbol->book.refused();
  FeedChange change = symbol->book.apply(decoded.message);
  counts_.refused += symbol->book.refused() - refused;
  if (change.orders || change.phase) {
    if (!symbol->changed && !symbol->phase_changed) changed_.push_back(symbol->book.book().instrument().symbol.value);
    symbol->changed |= change.orders;
    symbol->phase_changed |= change.phase;
  }
  if (change.traded && is_live) {
    change.trade.arrival_ns = now_ns;
    listener.on(change.trade);
  }
}

void FeedClient::tell(std::int64_t now_ns, FeedListener& listener) {
  if (state_ != State::live) return;
  for (const std::uint32_t index : changed_) {
    Symbol& symbol = *symbols_[index];
    if (std::exchange(symbol.phase_changed, false))
      listener.on(PhaseChanged{.symbol = {index}, .phase = symbol.book.phase(), .arrival_ns = now_ns});
    if (std::exchange(symbol.changed, false)) listener.on_book({index}, symbol.book);
  }
  changed_.clear();
}

// What is cleared has changed, even if nothing comes instead of it.
void FeedClient::clear_books() {
  for (std::uint32_t index = 0; index < symbols_.size(); ++index) {
    Symbol& symbol = *symbols_[index];
    if (!symbol.changed && !symbol.phase_changed) changed_.push_back(index);
    symbol.changed = true;
    symbol.phase_changed = true;
    symbol.book.clear();
  }
}

}  // namespace outcry
