// MoldReceiver: the packets of a MoldUDP64 session, from two lines and from the re-request server, into one stream in
// which every message comes once and in order.
//
// Whichever line brings a message first has it delivered; the other's copy is dropped. A message that comes early waits
// in a window behind the gap. A gap that the other line does not close within `patience_ns` is asked for, again after
// growing pauses, and at once when an answer closed a part of it. When nobody answers, poll() says gap_lost once, and
// the owner chooses: skip_gap(), or a snapshot and join().
//
// To begin behind a snapshot, begin with `next_sequence` 0: what comes is kept, and nothing delivered until join() says
// where the stream begins.
//
//     receiver.receive(Line::a, datagram, now, deliver);   // deliver(sequence, message)
//     receiver.poll(now, request);                         // request(datagram): send it to the re-request server
//
// Thread: one owner; `deliver` and `request` must not call back. Nothing allocates after the constructor.
// Limits: `window` messages of at most `largest_message` bytes wait; what does not fit is dropped and asked for later.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include <outcry/net/moldudp64.hpp>

namespace outcry {

struct MoldReceiverOptions {
  mold::Session session{};           // blank: that of the first packet
  std::uint64_t next_sequence = 1;   // 0: wait for join()
  std::size_t window = 8'192;        // messages
  std::size_t largest_message = 64;  // bytes
  std::uint16_t most_requested = 1'000;
  std::int64_t patience_ns = 1'000'000;      // for the other line
  std::int64_t first_pause_ns = 10'000'000;  // before asking again; then twice as long each time
  std::int64_t longest_pause_ns = 1'000'000'000;
  int attempts = 10;
  std::int64_t silence_ns = 5'000'000'000;
};

struct MoldReceiverCounts {
  std::uint64_t packets = 0, malformed = 0, other_session = 0;
  std::uint64_t delivered = 0, duplicates = 0, dropped = 0;
  std::uint64_t first[3] = {};  // messages that this line was the first to bring
  std::uint64_t gaps = 0, requests = 0, lost = 0;
};

class MoldReceiver {
 public:
  enum class Line : std::uint8_t { a, b, requested };
  enum class Event : std::uint8_t { none, silent, gap_lost };

  MoldReceiver(const MoldReceiverOptions& options, std::int64_t now_ns);

  template <class Deliver>
  void receive(Line line, std::span<const std::byte> datagram, std::int64_t now_ns, Deliver&& deliver) {
    const mold::Decoded decoded = mold::decode(datagram);
    if (!admit(decoded, now_ns)) return;
    const std::uint64_t before = expected_;
    decoded.packet.each([&](std::uint64_t sequence, std::span<const std::byte> message) {
      if (sequence == expected_ && !joining_) {
        ++counts_.first[static_cast<std::size_t>(line)];
        hand_over(message, deliver);
        deliver_waiting(deliver);
      } else {
        keep(line, sequence, message);
      }
    });
    if (decoded.packet.is_end()) end_ = decoded.packet.sequence();
    if (decoded.packet.next_sequence() > known_) known_ = decoded.packet.next_sequence();
    look_for_gap(before, now_ns);
  }

  /// The stream begins here: what is older is dropped, what waits is delivered.
  template <class Deliver>
  void join(std::uint64_t sequence, std::int64_t now_ns, Deliver&& deliver) {
    forget_outside(sequence);
    const std::uint64_t before = expected_;
    expected_ = sequence;
    joining_ = false;
    deliver_waiting(deliver);
    look_for_gap(before, now_ns);
  }
  /// Delivers nothing until join(). What waits is kept; a gap behind the join is a new one, also where the last one was.
  void hold() {
    joining_ = true;
    forget_gap();
  }

  /// Goes on behind the gap, if there is one: its messages are lost.
  template <class Deliver>
  void skip_gap(std::int64_t now_ns, Deliver&& deliver) {
    if (joining_ || !has_gap()) return;
    const std::uint64_t to = gap_end();
    counts_.lost += to - expected_;
    const std::uint64_t before = expected_;
    expected_ = to;
    deliver_waiting(deliver);
    look_for_gap(before, now_ns);
  }

  /// What time asks for: a request.
  template <class Request>
  Event poll(std::int64_t now_ns, Request&& request) {
    if (is_request_due(now_ns)) {
      if (attempts_ == options_.attempts) {
        next_request_ns_ = never;
        return Event::gap_lost;
      }
      const mold::Header header = next_request(now_ns);
      request(std::span<const std::byte>(reinterpret_cast<const std::byte*>(&header), sizeof header));
    }
    return silence(now_ns);
  }
  std::int64_t deadline() const;

  /// The number of the message that is delivered next.
  std::uint64_t next_sequence() const { return expected_; }
  bool has_gap() const { return expected_ != 0 && expected_ < known_; }
  /// The session has ended, and everything in it was delivered.
  bool finished() const { return end_ != 0 && !joining_ && expected_ >= end_; }
  const MoldReceiverCounts& counts() const { return counts_; }

 private:
  static constexpr std::int64_t never = INT64_MAX;

  bool admit(const mold::Decoded& decoded, std::int64_t now_ns) noexcept;
  void keep(Line line, std::uint64_t sequence, std::span<const std::byte> message) noexcept;
  void forget_outside(std::uint64_t first) noexcept;
  void look_for_gap(std::uint64_t before, std::int64_t now_ns) noexcept;
  void forget_gap() noexcept {
    next_request_ns_ = never;
    attempts_ = 0;
    asked_until_ = 0;
  }
  std::uint64_t gap_end() const noexcept;
  bool is_request_due(std::int64_t now_ns) const { return !joining_ && has_gap() && now_ns >= next_request_ns_; }
  mold::Header next_request(std::int64_t now_ns) noexcept;
  Event silence(std::int64_t now_ns) noexcept;

  template <class Deliver>
  void hand_over(std::span<const std::byte> message, Deliver&& deliver) {
    deliver(expected_, message);
    ++counts_.delivered;
    ++expected_;
  }
  template <class Deliver>
  void deliver_waiting(Deliver&& deliver) {
    while (waiting_ != 0) {
      const std::size_t slot = expected_ % options_.window;
      if (numbers_[slot] != expected_) return;
      numbers_[slot] = 0;
      --waiting_;
      hand_over({bytes_.get() + slot * options_.largest_message, sizes_[slot]}, deliver);
    }
  }

  MoldReceiverOptions options_;
  bool joining_;
  bool any_session_;
  bool was_silent_ = false;
  std::uint64_t expected_;   // when joining, the first that can be kept; 0 before the first packet then
  std::uint64_t known_ = 0;  // one behind the last message known to exist
  std::uint64_t end_ = 0;    // of the session; 0: not known
  // The message `number` waits in slot number % window; 0: nobody.
  std::unique_ptr<std::uint64_t[]> numbers_;
  std::unique_ptr<std::uint16_t[]> sizes_;
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t waiting_ = 0;
  std::uint64_t asked_until_ = 0;  // one behind the last message that was asked for
  int attempts_ = 0;
  std::int64_t pause_ns_ = 0;
  std::int64_t next_request_ns_ = never;
  std::int64_t last_heard_ns_;
  MoldReceiverCounts counts_;
};

}  // namespace outcry
