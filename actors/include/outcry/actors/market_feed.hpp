// MarketFeed: one group of symbols as an ITCH 5.0 feed in MoldUDP64: changes of orders in, packets out.
//
//   MarketByOrder (market data's own words) → ITCH → store, packet, picture
//                                                     │       │        └→ snapshots (glimpse)
//                                                     │       └→ both lines
//                                                     └→ what was lost, asked for again
//
// Each change becomes one message; it gets the next number, is kept, applied to the feed's own picture of the orders and
// put into the packet, in that order, so that a snapshot at number n has exactly the messages below n. The numbers of
// orders are the OrderIds of the market, the stock locates the SymbolIds plus one, in every group the same.
//
// A session begins with the day (system events O, S and Q, the directory, then what each symbol says of itself) and ends
// with M, E, C and the end of the MoldUDP64 session, which is repeated instead of heartbeats. What happens between an
// end and the next begin changes the picture; the next session starts with the orders that are there.
//
// Thread: one owner. No socket, no clock: bytes and times. Nothing allocates once it is warm, but snapshots and new
//   sessions, and pictures that grow.
// Limits: prices from 0 to 429,496.7295 in steps of 1/10,000, names of at most 8 characters, 65,534 symbols. Messages
//   beyond the store's size are sent, but cannot be asked for again; who misses one needs a snapshot.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <outcry/actors/feed_book.hpp>
#include <outcry/actors/feed_clock.hpp>
#include <outcry/actors/feed_snapshot.hpp>
#include <outcry/actors/market_by_order.hpp>
#include <outcry/net/message_store.hpp>
#include <outcry/net/mold_requests.hpp>
#include <outcry/net/mold_sender.hpp>

namespace outcry {

/// Where packets go. The bytes are only good until it returns.
class PacketSink {
 public:
  virtual ~PacketSink() = default;
  virtual void send(std::span<const std::byte> packet) = 0;
};

struct MarketFeedOptions {
  mold::Session session{};
  std::vector<Instrument> instruments{};  // of the group
  std::int64_t midnight_ns = 0;           // of the day, in the world's time
  std::uint16_t tracking_number = 0;
  std::size_t largest_packet = mold::usual_packet;
  std::int64_t flush_ns = 0;  // how long a message may wait for others; 0: until the end of the batch
  std::int64_t heartbeat_ns = 1'000'000'000;
  MessageStore::Size store{.messages = 1u << 20, .bytes = std::size_t{40} << 20};
  TokenRate requests_per_source{.per_second = 1'000, .burst = 100};
  TokenRate request_bytes{.per_second = 12'500'000, .burst = 1'000'000};  // of answers, to all
  std::size_t request_sources = 64;
  OrderPool::Size orders{};                   // of the picture, all symbols together
  BookSize book{};                            // each symbol's
  std::int64_t snapshot_age_ns = 20'000'000;  // so old may a snapshot be to be given to one more client
};

struct MarketFeedCounts {
  std::uint64_t messages = 0;  // of all sessions
  std::uint64_t packets = 0;
  std::uint64_t not_kept = 0;   // sent, but the store was full
  std::uint64_t strangers = 0;  // changes of symbols that are not in the group
  std::uint64_t snapshots = 0;  // made; one may serve many clients
  std::uint64_t refused = 0;    // by the picture: always 0 unless a symbol's news were not complete
};

class MarketFeed {
 public:
  /// Throws std::invalid_argument that says which instrument ITCH cannot tell.
  explicit MarketFeed(const MarketFeedOptions& options, std::int64_t now_ns);

  /// Opens the session. Before it nothing is sent.
  void begin(std::int64_t now_ns, PacketSink& sink);
  void take(const MarketByOrder& change, std::int64_t now_ns, PacketSink& sink);
  /// What time asks for; with flush_ns 0 also what a batch has left over.
  void poll(std::int64_t now_ns, PacketSink& sink);
  void flush(std::int64_t now_ns, PacketSink& sink);
  /// When poll() next has something to do.
  std::int64_t deadline() const;
  /// Closes the session; requests are still answered.
  void end(std::int64_t now_ns, PacketSink& sink);
  /// The next day: another session, from number 1, of the orders that are still there. Requires: the old one has ended.
  void begin_day(const mold::Session& session, std::int64_t midnight_ns, std::int64_t now_ns, PacketSink& sink);

  /// A request for messages, from an address that `source` stands for; what goes back there goes to the sink.
  MoldAnswer answer(std::span<const std::byte> datagram, std::uint64_t source, std::int64_t now_ns, PacketSink& sink);

  /// The state in front of the message next_sequence(). Takes as long as there are orders.
  std::shared_ptr<const FeedSnapshot> snapshot(std::int64_t now_ns);

  const mold::Session& session() const { return options_.session; }
  std::uint64_t next_sequence() const { return sender_.next_sequence(); }
  bool is_open() const { return open_; }
  bool day_is_over(std::int64_t now_ns) const { return clock_.is_over(now_ns); }
  const MessageStore& store() const { return store_; }
  const MarketFeedCounts& counts() const { return counts_; }
  const MoldRequestCounts& request_counts() const { return requests_.counts(); }
  /// Null: not in the group.
  const FeedBook* book(SymbolId symbol) const;

 private:
  struct Listed {
    Instrument instrument;
    Alpha<8> stock;
    std::uint32_t to_itch;  // price units of the market times this are 1/10,000
    std::uint32_t lot;
    bool was_crossed = false;
    FeedBook book;
    Listed(const Instrument& instrument, OrderPool& pool, const BookSize& size);
  };
  /// One message of any kind on its way.
  template <class Message>
  void publish(Message message, std::uint16_t locate, std::int64_t time_ns, std::int64_t now_ns, PacketSink& sink);
  template <class Message>
  void tell(Listed& listed, const MarketByOrder& change, Message message, std::int64_t now_ns, PacketSink& sink);
  void system_event(char event, std::int64_t now_ns, PacketSink& sink);
  itch::StockDirectory directory(const Listed& listed) const;
  static itch::TradingAction action(const Listed& listed, Phase phase);
  itch::U32 price(const Listed& listed, Price price) const;
  Listed* listed(SymbolId symbol) const {
    return symbol.value < by_symbol_.size() ? by_symbol_[symbol.value] : nullptr;
  }
  template <class F>
  void each_order(const Listed& listed, F&& f) const;
  MoldRequests requests(std::int64_t now_ns) const;
  MoldSender sender(std::int64_t now_ns) const;

  MarketFeedOptions options_;
  FeedClock clock_;
  OrderPool pool_;
  std::vector<std::unique_ptr<Listed>> listed_;
  std::vector<Listed*> by_symbol_;
  MessageStore store_;
  MoldSender sender_;
  MoldRequests requests_;
  bool open_ = false;
  char last_event_ = '\0';
  std::shared_ptr<const FeedSnapshot> snapshot_;
  std::int64_t snapshot_ns_ = 0;
  MarketFeedCounts counts_;
};

}  // namespace outcry
