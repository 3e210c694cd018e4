#include <outcry/actors/market_data.hpp>

#include <algorithm>
#include <cassert>
#include <limits>
#include <stdexcept>

#include <outcry/runtime/connection.hpp>
#include <outcry/runtime/datagrams.hpp>
#include <outcry/runtime/listener.hpp>
#include <outcry/runtime/packet_buffer.hpp>

namespace outcry {

namespace {

constexpr std::uint32_t batch_size = 256;
constexpr int requests_at_once = 64;
constexpr std::int64_t far = std::numeric_limits<std::int64_t>::max();

template <class T>
T opened(Result<T> result, const char* what, const Endpoint& where) {
  if (!result) throw std::runtime_error(std::string(what) + " at " + where.text() + ": " + result.failure().text());
  return std::move(*result);
}

/// One packet to everyone on both lines, sent from where it lies until the last of them has it.
class Wire : public PacketSink {
 public:
  // No more are held than both lines together have to send.
  Wire(const MarketDataSelf& self, const MarketDataOptions& options)
      : to_a_(options.line_a),
        to_b_(options.line_b),
        packets_(static_cast<std::uint32_t>(2 * options.out_packets + 1), options.feed.largest_packet) {
    DatagramOptions sending{.interface = options.interface,
                            .ttl = options.ttl,
                            .in_packets = 1,
                            .out_packets = options.out_packets,
                            .packet_bytes = options.feed.largest_packet};
    if (!to_a_.empty()) a_ = opened(Datagrams::open(self, options.from_a, sending), "line A", options.from_a);
    if (!to_b_.empty()) b_ = opened(Datagrams::open(self, options.from_b, sending), "line B", options.from_b);
  }
  void send(std::span<const std::byte> packet) override {
    PacketBuffer shared = packets_.take();
    shared.fill(packet);
    for (const Endpoint& to : to_a_) a_.send(shared, to);
    for (const Endpoint& to : to_b_) b_.send(shared, to);
  }
  std::uint64_t unsendable() const { return (a_ ? a_.unsendable() : 0) + (b_ ? b_.unsendable() : 0); }

 private:
  std::vector<Endpoint> to_a_, to_b_;
  PacketPool packets_;
  Datagrams a_, b_;
};

/// An answer goes back to where the request came from.
class Answer : public PacketSink {
 public:
  Answer(Datagrams& socket, const Endpoint& to) : socket_(socket), to_(to) {}
  void send(std::span<const std::byte> packet) override { socket_.send(packet, to_); }

 private:
  Datagrams& socket_;
  Endpoint to_;
};

/// The address alone: who has a machine has all of its ports.
std::uint64_t source_of(const Endpoint& from) {
  std::uint64_t halves[2];
  std::memcpy(halves, from.address().data(), sizeof halves);
  return halves[0] * 0x9E3779B97F4A7C15u ^ halves[1];
}

class MarketData {
 public:
  MarketData(const MarketDataSelf& self, const MarketDataOptions& options, std::int64_t now_ns)
      : feed_(options.feed, now_ns), wire_(self, options), report_(options.report) {
    if (!options.requests) return;
    requests_ = opened(Datagrams::open(self, *options.requests, {.packet_bytes = options.feed.largest_packet}),
                       "re-requests", *options.requests);
  }
  ~MarketData() {
    if (report_ != nullptr) *report_ = status();
  }
  MarketData(const MarketData&) = delete;
  MarketData& operator=(const MarketData&) = delete;

  void begin(std::int64_t now_ns) { feed_.begin(now_ns, wire_); }
  void take(const MarketByOrder& change, std::int64_t now_ns) { feed_.take(change, now_ns, wire_); }
  void take(const Ask<SnapshotQuery>& ask, std::int64_t now_ns) {
    ask.reply(SnapshotGiven(feed_.snapshot(now_ns), feed_.session()));
  }
  void take(const Ask<FeedStatusQuery>& ask, std::int64_t) { ask.reply(status()); }
  void take(const BeginFeedDay& day, std::int64_t now_ns) {
    feed_.end(now_ns, wire_);
    feed_.begin_day(day.session, day.midnight_ns, now_ns, wire_);
  }
  void poll(std::int64_t now_ns) {
    for (int i = 0; requests_ && i < requests_at_once; ++i) {
      const auto request = requests_.next();
      if (!request) break;
      Answer answer(requests_, request->from);
      feed_.answer(request->bytes, source_of(request->from), now_ns, answer);
    }
    feed_.poll(now_ns, wire_);
  }
  void end(std::int64_t now_ns) { feed_.end(now_ns, wire_); }
  std::int64_t deadline() const { return feed_.deadline(); }

  FeedStatus status() const {
    FeedStatus status;
    status.session = feed_.session();
    status.next_sequence = feed_.next_sequence();
    if (requests_) status.requests = requests_.local();
    status.feed = feed_.counts();
    status.asked = feed_.request_counts();
    status.unsendable = wire_.unsendable() + (requests_ ? requests_.unsendable() : 0);
    return status;
  }

 private:
  MarketFeed feed_;
  Wire wire_;
  Datagrams requests_;
  FeedStatus* report_;
};

}  // namespace

Actor market_data(MarketDataSelf self, MarketDataOptions options) {
  assert(self.cell()->mailbox.when_full() == WhenFull::wait && "a feed that would lose what its symbols tell");
  const auto data = std::make_unique<MarketData>(self, options, to_ns(self.now()));
  data->begin(to_ns(self.now()));
  for (const SymbolAddress& symbol : options.symbols) {
    self.monitor(symbol);
    auto sent = symbol.send(SubscribeOrders{self.address()});
    co_await sent;
  }
  std::size_t symbols = options.symbols.size();
  std::int64_t over_ns = far;  // the session has ended; until then its end is repeated
  for (bool ended = false; !ended;) {
    // Of a stop it hears once; what was sent before that is still in the mailbox.
    const bool stops = self.stopping() && over_ns == far;
    auto attending = self.attend(stops ? self.now() : time_from_ns(std::min(data->deadline(), over_ns)));
    co_await attending;
    const std::int64_t now_ns = to_ns(self.now());  // one clock read for each batch
    auto batch = self.take(batch_size);
    const bool quiet = !batch;
    batch.each([&]<class M>(const M& message) {
      if constexpr (std::is_same_v<M, Down>) {
        --symbols;
      } else {
        data->take(message, now_ns);
      }
    });
    data->poll(now_ns);
    const bool no_more = (self.stopping() && quiet) || (symbols == 0 && !options.symbols.empty());
    if (no_more && over_ns == far) {
      data->end(now_ns);
      over_ns = now_ns + options.end_lasts.count();
    }
    ended = now_ns >= over_ns;
  }
}

// ---- snapshots

namespace {

/// What the server's sessions share; all of them run on its scheduler.
struct SnapshotDesk {
  explicit SnapshotDesk(const SnapshotServerOptions& given) : options(given), desk(given.desk) {
    for (const auto& [user, password] : options.accounts) desk.add(user, password);
    options.accounts.clear();
  }
  SnapshotServerOptions options;
  LoginDesk desk;
  SnapshotServerStatus status;
};

/// From the moment a client is taken in, whatever becomes of its actor.
class LiveSession {
 public:
  explicit LiveSession(SnapshotDesk& desk) : desk_(desk) { ++desk_.status.live; }
  ~LiveSession() { --desk_.status.live; }
  LiveSession(const LiveSession&) = delete;
  LiveSession& operator=(const LiveSession&) = delete;

 private:
  SnapshotDesk& desk_;
};

using SessionSelf = Self<>;

Actor snapshot_session(SessionSelf self, std::shared_ptr<SnapshotDesk> shared, std::shared_ptr<Socket> socket,
                       std::shared_ptr<LiveSession>) {
  using State = GlimpseSession::State;
  SnapshotDesk& desk = *shared;
  auto adopted = Connection::adopt(self, std::move(*socket), {.out_bytes = desk.options.out_bytes});
  if (!adopted) co_return;
  Connection connection = std::move(*adopted);
  GlimpseSession session(desk.options.session, desk.desk, to_ns(self.now()));
  while (!connection.ended() && session.state() != State::done && session.state() != State::failed) {
    auto attending = self.attend(time_from_ns(session.deadline()));
    co_await attending;
    if (self.stopping()) break;
    std::int64_t now_ns = to_ns(self.now());
    std::span<const std::byte> rest = connection.in();
    const std::size_t size = rest.size();
    session.receive(rest, connection.out(), now_ns);
    connection.take(size - rest.size());
    if (session.state() == State::wants_snapshot) {
      auto asking = desk.options.feed.ask(SnapshotQuery{}, std::chrono::seconds(10));
      auto given = co_await asking;
      now_ns = to_ns(self.now());
      if (given)
        session.give(given->snapshot, given->session.text(), connection.out(), now_ns);
      else
        session.give(nullptr, {}, connection.out(), now_ns);
    }
    session.poll(connection.unsent(), connection.out(), now_ns);
  }
  if (session.state() == State::done) connection.close_when_sent();
  // The last of it, as long as the client may take.
  const Time give_up = time_from_ns(session.give_up_ns());
  while (session.has_sent() && connection.unsent() > 0 && !connection.ended() && !self.stopping() &&
         self.now() < give_up) {
    auto attending = self.attend(give_up);
    co_await attending;
  }
  if (session.has_sent() && connection.unsent() == 0) {
    ++desk.status.sent;
  } else if (session.has_sent() || session.state() != State::done) {
    ++desk.status.failed;
    connection.abort();
  }
}

}  // namespace

Actor snapshot_server(SnapshotServerSelf self, SnapshotServerOptions options) {
  Listener listener = opened(Listener::open(self, options.local), "snapshots", options.local);
  const auto desk = std::make_shared<SnapshotDesk>(options);
  desk->status.port = listener.local().port();
  std::vector<AnyAddress> sessions;
  while (!self.stopping()) {
    auto attending = self.attend();
    co_await attending;
    self.take().each([&](const Ask<SnapshotServerQuery>& ask) { ask.reply(desk->status); });
    while (auto socket = listener.next()) {
      if (desk->status.live >= desk->options.most_sessions) {
        ++desk->status.refused;
        continue;
      }
      ++desk->status.accepted;
      if (sessions.size() > 2 * desk->options.most_sessions)
        std::erase_if(sessions, [](const AnyAddress& one) { return one.cell()->generation != one.generation(); });
      sessions.push_back(self.spawn({.name = "snapshot_session"}, snapshot_session, desk,
                                    std::make_shared<Socket>(std::move(*socket)),
                                    std::make_shared<LiveSession>(*desk)));
    }
  }
  for (const AnyAddress& session : sessions) session.stop();
}

}  // namespace outcry
