// MoldSender: messages into MoldUDP64 packets, each filled up or sent when its oldest message has waited long enough.
//
// Messages get the next number of the session. In silence there are heartbeats; when the session has ended, its end is
// said again and again instead. `send` is called with a whole packet, which is only good until it returns.
//
// Thread: one owner. Nothing allocates after the constructor.
// Limits: a message must fit into a packet of `largest_packet` bytes.
#pragma once

#include <algorithm>
#include <cstdint>

#include <outcry/net/mold_packet_writer.hpp>

namespace outcry {

struct MoldSenderOptions {
  mold::Session session{};
  std::uint64_t next_sequence = 1;
  std::size_t largest_packet = mold::usual_packet;
  std::int64_t flush_ns = 20'000;             // 0: poll() always sends what there is
  std::int64_t heartbeat_ns = 1'000'000'000;  // of silence; also between two ends of the session
};

class MoldSender {
 public:
  MoldSender(const MoldSenderOptions& options, std::int64_t now_ns)
      : options_(options), packet_(options.session, options.largest_packet), last_sent_ns_(now_ns) {
    packet_.begin(options.next_sequence);
  }

  /// Takes a message into the packet; sends the packet first if there is no room. False: no packet could hold it, or
  /// the session has ended.
  template <class Send>
  bool add(std::span<const std::byte> message, std::int64_t now_ns, Send&& send) {
    if (ended_ || message.size() > packet_.largest_message()) return false;
    if (!packet_.add(message)) {
      flush(now_ns, send);
      packet_.add(message);
    }
    if (oldest_ns_ == never) oldest_ns_ = now_ns;
    return true;
  }

  /// Sends the packet now, if there is a message in it.
  template <class Send>
  void flush(std::int64_t now_ns, Send&& send) {
    if (packet_.empty()) return;
    send(packet_.bytes());
    packet_.begin(packet_.next_sequence());
    oldest_ns_ = never;
    last_sent_ns_ = now_ns;
  }

  /// What time asks for: a packet that has waited, a heartbeat, or the end of the session once more.
  template <class Send>
  void poll(std::int64_t now_ns, Send&& send) {
    if (now_ns < deadline()) return;
    if (!packet_.empty()) return flush(now_ns, send);
    send(ended_ ? packet_.end_of_session() : packet_.bytes());
    last_sent_ns_ = now_ns;
  }

  /// Sends what there is, and behind it that the session has ended.
  template <class Send>
  void end(std::int64_t now_ns, Send&& send) {
    flush(now_ns, send);
    ended_ = true;
    send(packet_.end_of_session());
    last_sent_ns_ = now_ns;
  }

  /// When poll() next has something to do.
  std::int64_t deadline() const {
    return packet_.empty() ? last_sent_ns_ + options_.heartbeat_ns : oldest_ns_ + options_.flush_ns;
  }
  std::uint64_t next_sequence() const { return packet_.next_sequence(); }

 private:
  static constexpr std::int64_t never = INT64_MIN;

  MoldSenderOptions options_;
  MoldPacketWriter packet_;
  std::int64_t oldest_ns_ = never;  // when the first message of the packet came
  std::int64_t last_sent_ns_;
  bool ended_ = false;
};

}  // namespace outcry
