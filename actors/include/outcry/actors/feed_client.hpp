// FeedClient: an ITCH feed as a client sees it: two lines, what was lost and asked for again, snapshots, and the books
// that come of it.
//
//   joining   waits for a snapshot; what comes of the feed meanwhile is kept
//   live      every message once and in order; the books are those of the feed at next_sequence()
//   ended     the session has ended; the books stay as they were
//
// Datagrams, answers, messages of snapshots and times come in; requests, and what changed, go out to a FeedListener. A
// gap that nobody closes makes the client join anew: its books are stale until the next snapshot has been joined.
//
// Packets of other sessions change nothing. When the session has ended, or was silent for as long as `silence_ns` while
// another one was heard, the client changes over to that one and begins anew.
//
// Prices are those of the wire, in 1/10,000. Symbols have the numbers of the instruments that were asked for, in that
// order; without any, every stock of the directory is taken, numbered as it comes.
//
// Thread: one owner; listeners must not call back. Nothing allocates once it is warm, but new sessions.
// Limits: those of MoldReceiver; all books share a pool of `orders`. What a session never says is not known: trades of
//   a time for which only a snapshot could be had are missing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <outcry/actors/feed_book.hpp>
#include <outcry/net/mold_receiver.hpp>
#include <outcry/net/snapshot_join.hpp>

namespace outcry {

struct FeedClientOptions {
  mold::Session session{};                // blank: the first that is heard
  std::vector<Instrument> instruments{};  // by name, as many as are wanted; none: all
  bool snapshots = true;           // false: there is no server for them; begins at message 1, which must be had again
  MoldReceiverOptions receiver{};  // session and next_sequence are set here
  OrderPool::Size orders{};
  BookSize book{};
  std::int64_t first_pause_ns =
      100'000'000;  // before another snapshot after a failed one; then twice as long each time
  std::int64_t longest_pause_ns = 5'000'000'000;
};

struct FeedClientCounts {
  std::uint64_t messages = 0;   // of the feed, in order
  std::uint64_t malformed = 0;  // of them: no message of ITCH
  std::uint64_t refused = 0;    // of them: about orders that are not there
  std::uint64_t snapshots = 0;  // that were joined
  std::uint64_t broken_snapshots = 0;
  std::uint64_t recoveries = 0;  // gaps that only a snapshot could close
  std::uint64_t sessions = 0;
};

/// Told of what changed once for each call of the client that changed it, however many messages that were.
class FeedListener {
 public:
  virtual ~FeedListener() = default;
  /// A trade; arrival_ns is the call's time.
  virtual void on(const TradePrint& trade) = 0;
  virtual void on(const PhaseChanged& change) = 0;
  /// The orders of a symbol have changed.
  virtual void on_book(SymbolId symbol, const FeedBook& book) = 0;
  /// Another session begins, or the first: numbers begin with 1, and a client without instruments of its own forgets
  /// which symbols there were.
  virtual void on_session(const mold::Session&) {}
  /// The books are no longer, or again, those of the feed.
  virtual void on_stale(bool) {}
};

class FeedClient {
 public:
  using Line = MoldReceiver::Line;
  enum class State : std::uint8_t { joining, live, ended };

  FeedClient(const FeedClientOptions& options, std::int64_t now_ns);
  FeedClient(const FeedClient&) = delete;
  FeedClient& operator=(const FeedClient&) = delete;

  /// A datagram of one of the two lines, or an answer to a request.
  void receive(Line line, std::span<const std::byte> datagram, std::int64_t now_ns, FeedListener& listener);

  /// What time asks for: request(datagram), to be sent to the re-request server.
  template <class Request>
  void poll(std::int64_t now_ns, FeedListener& listener, Request&& request) {
    if (state_ == State::ended) return;
    react(receiver_.poll(now_ns, request), now_ns, listener);
  }
  std::int64_t deadline() const;

  /// Whether a snapshot should be asked for now. Then snapshot_begins(), its messages, and, should they end before they
  /// are all there, snapshot_failed().
  bool wants_snapshot(std::int64_t now_ns) const {
    return state_ == State::joining && options_.snapshots && !asked_ && !join_ && now_ns >= next_snapshot_ns_;
  }
  /// It was asked for: none is wanted until it begins or fails.
  void snapshot_asked() { asked_ = true; }
  /// `session` is that of the server. False: it is not the feed's; the snapshot has failed.
  bool snapshot_begins(std::string_view session, std::int64_t now_ns, FeedListener& listener);
  /// False: the snapshot is over, joined or broken; close the connection.
  bool snapshot(std::span<const std::byte> message, std::int64_t now_ns, FeedListener& listener);
  void snapshot_failed(std::int64_t now_ns);

  State state() const { return state_; }
  /// The books are those of the feed.
  bool is_current() const { return state_ == State::live; }
  std::uint64_t next_sequence() const { return receiver_.next_sequence(); }
  std::string_view session() const { return session_.text(); }
  const MoldReceiverCounts& receiver_counts() const { return receiver_.counts(); }
  const FeedClientCounts& counts() const { return counts_; }

  std::size_t symbol_count() const { return symbols_.size(); }
  const FeedBook& book(SymbolId symbol) const { return symbols_[symbol.value]->book; }
  /// With the name of the stock; prices in 1/10,000.
  const Instrument& instrument(SymbolId symbol) const { return symbols_[symbol.value]->book.book().instrument(); }
  /// Nanoseconds since midnight, of the last message.
  std::uint64_t feed_time_ns() const { return feed_time_ns_; }

 private:
  struct Symbol {
    FeedBook book;
    bool changed = false;
    bool phase_changed = false;
    Symbol(const Instrument& instrument, OrderPool& pool, const BookSize& size) : book(instrument, pool, size) {}
  };
  static constexpr std::uint32_t unknown = ~std::uint32_t{0};
  static constexpr std::uint32_t not_wanted = unknown - 1;

  MoldReceiver receiver(const mold::Session& session, std::int64_t now_ns) const;
  void apply(std::span<const std::byte> message, std::int64_t now_ns, FeedListener& listener, bool is_live);
  Symbol* symbol_of(const itch::MessageView& message);
  void tell(std::int64_t now_ns, FeedListener& listener);
  void react(MoldReceiver::Event event, std::int64_t now_ns, FeedListener& listener);
  void look_at_session(std::span<const std::byte> datagram, std::int64_t now_ns, FeedListener& listener);
  void change_session(const mold::Session& session, std::int64_t now_ns, FeedListener& listener);
  std::uint32_t learn(std::uint16_t locate, std::string_view stock);
  void clear_books();

  FeedClientOptions options_;
  OrderPool pool_;
  std::vector<std::unique_ptr<Symbol>> symbols_;
  std::vector<std::uint32_t> by_locate_;  // of the session
  std::vector<std::uint32_t> changed_;
  mold::Session session_{};
  mold::Session last_{};   // the session before, whose stragglers are no new one
  mold::Session other_{};  // another one that was heard
  bool silent_ = false;
  MoldReceiver receiver_;
  std::optional<SnapshotJoin> join_;  // while a snapshot is read
  bool asked_ = false;
  State state_;
  std::int64_t next_snapshot_ns_ = 0;
  std::int64_t pause_ns_;
  std::uint64_t feed_time_ns_ = 0;
  FeedClientCounts counts_;
};

}  // namespace outcry
