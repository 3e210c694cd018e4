#include "itch_out.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <outcry/actors/feed_client.hpp>
#include <outcry/actors/market_feed.hpp>
#include <outcry/actors/shown_orders.hpp>
#include <outcry/runtime/datagrams.hpp>
#include <outcry/runtime/packet_buffer.hpp>
#include <outcry/runtime/runtime.hpp>

#include "obw1.hpp"
#include "obw1_commands.hpp"

namespace bench {

namespace {

using namespace outcry;

constexpr int rounds = 3;
constexpr std::size_t batch = 64;  // changes between two looks at the clock and the packet, as in the actor

Instrument instrument(std::uint32_t symbol) {
  Instrument instrument;
  instrument.symbol = SymbolId{symbol};
  instrument.name = padded_name(std::string(1, 'S').append(std::to_string(symbol)));
  instrument.lowest = {0};
  instrument.highest = {4'000'000'000};
  return instrument;
}

/// A market's books and what they told.
struct Market {
  struct News {
    ShownOrders& news;
    void on(const Rejected&) {}
    void on(const Traded& event) { news.on(event, true); }
    template <class Event>
    void on(const Event& event) {
      news.on(event);
    }
  };
  obw1::Stream stream;
  OrderPool pool;
  std::vector<std::unique_ptr<OrderBook<>>> books;
  std::vector<MarketByOrder> changes;
  std::size_t prefill = 0;  // of them: before the time is taken

  explicit Market(const obw1::Size& size)
      : stream(obw1::generate(size)), pool({.orders = static_cast<std::uint32_t>(size.live) * 2 + 1'024}) {
    std::vector<std::unique_ptr<ShownOrders>> news;
    for (std::uint32_t i = 0; i < size.symbols; ++i) {
      books.push_back(std::make_unique<OrderBook<>>(instrument(i), pool));
      news.push_back(std::make_unique<ShownOrders>(*books.back()));
      news.back()->subscribe({}, 0);
    }
    std::int64_t now_ns = 0;
    for (std::size_t i = 0; i < stream.records.size(); ++i) {
      if (i == stream.header.prefill) prefill = changes.size();
      const obw1::Record& record = stream.records[i];
      OrderBook<>& book = *books[record.symbol];
      ShownOrders& told = *news[record.symbol];
      News consumer{told};
      told.begin(now_ns += 100);
      with_command(record, [&]<class Command>(const Command& command) {
        if constexpr (std::is_same_v<Command, NewOrder>) book.submit(command, consumer);
        if constexpr (std::is_same_v<Command, CancelOrder>) book.cancel(command, consumer);
        if constexpr (std::is_same_v<Command, ReduceOrder>) book.reduce(command, consumer);
        if constexpr (std::is_same_v<Command, ReplaceOrder>) book.replace(command, consumer);
      });
      told.end();
      for (std::size_t n = 0; n < told.waiting(0); ++n) changes.push_back(told.change(0, n));
      told.forget();
    }
  }

  MarketFeedOptions feed() const {
    MarketFeedOptions options{.session = "BENCH"};
    for (std::uint32_t i = 0; i < books.size(); ++i) options.instruments.push_back(instrument(i));
    options.store = {.messages = changes.size() + 1'024, .bytes = changes.size() * 40 + 65'536};
    options.orders = {.orders = static_cast<std::uint32_t>(stream.header.prefill) * 2 + 1'024};
    options.book = {.orders = 2 * stream.header.prefill / books.size() + 64};
    return options;
  }
};

class Counting : public PacketSink {
 public:
  void send(std::span<const std::byte> packet) override {
    mold::Header header;
    std::memcpy(&header, packet.data(), sizeof header);
    messages += header.count;
    ++packets;
  }
  std::uint64_t messages = 0, packets = 0;
};

/// A socket, and a thread that counts what comes out of it.
class Loopback : public PacketSink {
 public:
  Loopback() {
    in_ = ::socket(AF_INET, SOCK_DGRAM, 0);
    out_ = ::socket(AF_INET, SOCK_DGRAM, 0);
    const int room = 64 << 20;
    if (::setsockopt(in_, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
      ::setsockopt(in_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    timeval patience{.tv_sec = 0, .tv_usec = 200'000};
    ::setsockopt(in_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::bind(in_, reinterpret_cast<const sockaddr*>(&at), size) != 0 ||
        ::getsockname(in_, reinterpret_cast<sockaddr*>(&at), &size) != 0 ||
        ::connect(out_, reinterpret_cast<const sockaddr*>(&at), size) != 0)
      Report::wrong("no sockets on loopback");
    counter_ = std::thread([this] { count(); });
  }
  ~Loopback() override {
    over_ = true;
    if (counter_.joinable()) counter_.join();
    ::close(in_);
    ::close(out_);
  }
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;

  void send(std::span<const std::byte> packet) override {
    iovec piece{const_cast<std::byte*>(packet.data()), packet.size()};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    unsent += ::sendmsg(out_, &message, 0) != static_cast<ssize_t>(packet.size());
    ++packets;
  }
  /// What had come in a moment after the last packet.
  std::uint64_t counted() {
    over_ = true;
    counter_.join();
    return messages_;
  }
  std::uint64_t packets = 0, unsent = 0;

 private:
  void count() {
    pin_to_core(0);
    constexpr std::size_t at_once = 64;
    std::vector<std::byte> memory(at_once * 2'048);
    std::vector<iovec> pieces(at_once);
    std::vector<mmsghdr> headers(at_once);
    for (std::size_t i = 0; i < at_once; ++i) {
      pieces[i] = {memory.data() + i * 2'048, 2'048};
      headers[i] = {};
      headers[i].msg_hdr.msg_iov = &pieces[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    for (;;) {
      const int got = ::recvmmsg(in_, headers.data(), at_once, MSG_WAITFORONE, nullptr);
      if (got <= 0) {
        if (over_) return;
        continue;
      }
      for (int i = 0; i < got; ++i) {
        mold::Header header;
        std::memcpy(&header, memory.data() + static_cast<std::size_t>(i) * 2'048, sizeof header);
        messages_ += header.count;
      }
    }
  }

  int in_ = -1, out_ = -1;
  std::thread counter_;
  std::atomic<bool> over_{false};
  std::uint64_t messages_ = 0;
};

double thread_cpu_s() {
  timespec spent{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

struct Pace {
  double messages_per_s = 0;
  double cpu_ns = 1e9;  // of the sending thread, for each message: says the same on a machine that others use, too

  void better_of(const Pace& other) {
    messages_per_s = std::max(messages_per_s, other.messages_per_s);
    cpu_ns = std::min(cpu_ns, other.cpu_ns);
  }
};

/// Of all changes behind the prefill.
Pace pace_of(const Market& market, PacketSink& sink, MarketFeed& feed) {
  using Clock = std::chrono::steady_clock;
  feed.begin(0, sink);
  std::size_t at = 0;
  for (; at < market.prefill; ++at) feed.take(market.changes[at], market.changes[at].time_ns, sink);
  feed.flush(0, sink);
  const std::uint64_t before = feed.counts().messages;
  const double cpu = thread_cpu_s();
  const auto start = Clock::now();
  while (at < market.changes.size()) {
    const std::size_t end = std::min(at + batch, market.changes.size());
    const std::int64_t now_ns = market.changes[at].time_ns;
    for (; at < end; ++at) feed.take(market.changes[at], now_ns, sink);
  }
  feed.flush(market.changes.back().time_ns, sink);
  const std::chrono::duration<double> took = Clock::now() - start;
  const auto messages = static_cast<double>(feed.counts().messages - before);
  return {messages / took.count(), (thread_cpu_s() - cpu) / messages * 1e9};
}

class Nobody : public FeedListener {
 public:
  void on(const TradePrint&) override {}
  void on(const PhaseChanged&) override {}
  void on_book(SymbolId, const FeedBook&) override {}
};

class Reading : public PacketSink {
 public:
  explicit Reading(FeedClient& client) : client_(client) {}
  void send(std::span<const std::byte> packet) override { client_.receive(FeedClient::Line::a, packet, 0, nobody_); }

 private:
  FeedClient& client_;
  Nobody nobody_;
};

/// A client's books, level by level.
void compare_books(const Market& market) {
  MarketFeedOptions options = market.feed();
  FeedClient client({.session = options.session, .instruments = options.instruments, .snapshots = false}, 0);
  Reading reading(client);
  MarketFeed feed(options, 0);
  pace_of(market, reading, feed);
  if (client.next_sequence() != feed.next_sequence()) Report::wrong("a client has another number of messages");
  for (std::uint32_t i = 0; i < market.books.size(); ++i)
    for (const Side side : {Side::buy, Side::sell}) {
      std::vector<DepthLevel> venue, theirs;
      market.books[i]->for_each_level(side, [&](const DepthLevel& level) { venue.push_back(level); });
      client.book({i}).book().for_each_level(side, [&](const DepthLevel& level) { theirs.push_back(level); });
      if (venue != theirs) Report::wrong("a client has another book");
    }
}

void measure(Report& report, const std::string& name, const obw1::Size& size, bool is_first) {
  const Market market(size);
  compare_books(market);
  Pace packed, sent;
  std::uint64_t lost = ~std::uint64_t{0}, messages = 0;
  for (int round = 0; round < rounds; ++round) {
    {
      MarketFeed feed(market.feed(), 0);
      Counting sink;
      packed.better_of(pace_of(market, sink, feed));
      if (sink.messages != feed.counts().messages) Report::wrong("messages were counted that nobody sent");
      messages = sink.messages;
    }
    MarketFeed feed(market.feed(), 0);
    Loopback sink;
    sent.better_of(pace_of(market, sink, feed));
    const std::uint64_t counted = sink.counted();
    if (counted > feed.counts().messages || sink.unsent != 0) Report::wrong("the client counted what was not sent");
    lost = std::min(lost, feed.counts().messages - counted);
  }
  const std::string prefix = "itch_out." + name;
  report.add(prefix + "packed_per_s", packed.messages_per_s, "messages/s");
  report.add(prefix + "packed_cpu_ns", packed.cpu_ns, "ns/message");
  report.add(prefix + "messages_per_s", sent.messages_per_s, "messages/s",
             is_first ? std::optional(at_least(5e6)) : std::nullopt);
  report.add(prefix + "cpu_ns", sent.cpu_ns, "ns/message");
  report.add(prefix + "lost_at_client", static_cast<double>(lost) / static_cast<double>(messages), "share");
  if (!is_first) return;

  MarketFeedOptions options = market.feed();
  options.snapshot_age_ns = 0;
  MarketFeed feed(options, 0);
  Counting sink;
  pace_of(market, sink, feed);
  double snapshot_ns = 1e9;
  for (int i = 1; i <= 10; ++i) {
    feed.begin(i, sink);  // another message, so that it is another snapshot
    const double cpu = thread_cpu_s();
    const auto snapshot = feed.snapshot(i);
    snapshot_ns = std::min(snapshot_ns, (thread_cpu_s() - cpu) / static_cast<double>(snapshot->next_sequence()) * 1e9);
  }
  report.add(prefix + "snapshot_cpu_ns", snapshot_ns, "ns/order");
}

// ---- both lines

/// A receiver that takes nothing: what its system has no room for is dropped.
class Deaf {
 public:
  Deaf() : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&at), size) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
      Report::wrong("no socket on loopback");
    at_ = Endpoint::loopback(ntohs(at.sin_port));
  }
  ~Deaf() { ::close(socket_); }
  Deaf(const Deaf&) = delete;
  Deaf& operator=(const Deaf&) = delete;
  const Endpoint& at() const { return at_; }

 private:
  int socket_;
  Endpoint at_;
};

struct Lines {
  double copied_ns = 1e9, shared_ns = 1e9;  // of the thread, for a packet on both lines
  std::uint64_t unsendable = 0;
};

Actor sends_both_lines(Self<> self, Endpoint to_a, Endpoint to_b, Lines* lines) {
  constexpr int pieces = 20, packets = 5'000, burst = 250;
  const std::vector<std::byte> packet(mold::usual_packet, std::byte{'p'});
  PacketPool pool(1'024, packet.size());
  auto a = Datagrams::open(self, Endpoint::loopback());
  auto b = Datagrams::open(self, Endpoint::loopback());
  if (!a || !b) Report::wrong("no sockets of ours on loopback");
  for (int piece = 0; piece < 2 * pieces; ++piece) {
    const bool shares = piece % 2 != 0;
    const double cpu = thread_cpu_s();
    for (int sent = 0; sent < packets; sent += burst) {
      for (int i = 0; i < burst; ++i) {
        if (shares) {
          PacketBuffer one = pool.take();
          one.fill(packet);
          a->send(one, to_a);
          b->send(one, to_b);
        } else {
          a->send(packet, to_a);
          b->send(packet, to_b);
        }
      }
      while (a->unsent() + b->unsent() > 0) co_await self.yield();
    }
    double& least = shares ? lines->shared_ns : lines->copied_ns;
    least = std::min(least, (thread_cpu_s() - cpu) / packets * 1e9);
  }
  lines->unsendable = a->unsendable() + b->unsendable();
}

void measure_lines(Report& report) {
  const Deaf a, b;
  Lines lines;
  Runtime runtime({.idle = IdlePolicy::spin, .processors = {1}});
  runtime.spawn(sends_both_lines, a.at(), b.at(), &lines);
  runtime.run();
  if (lines.unsendable != 0) Report::wrong("packets that were not sent");
  report.add("itch_out.lines.copied_cpu_ns", lines.copied_ns, "ns/packet");
  report.add("itch_out.lines.shared_cpu_ns", lines.shared_ns, "ns/packet");
  report.add("itch_out.lines.ratio_to_copied", lines.shared_ns / lines.copied_ns, "times");
}

}  // namespace

void measure_itch_out(Report& report) {
  measure(report, "", {.messages = 2'000'000, .symbols = 1, .live = 10'000}, true);
  measure(report, "s100.", {.messages = 2'000'000, .symbols = 100, .live = 100'000}, false);
  measure_lines(report);
}

}  // namespace bench
