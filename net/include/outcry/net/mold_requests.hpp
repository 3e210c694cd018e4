// MoldRequests: answers requests for messages of a MoldUDP64 session again, out of a store, within limits.
//
// A request gets one packet at most, with as many of the messages as fit; whoever wants more asks again. Anybody can
// send a datagram with another's address on it. So both the requests of one source and the bytes sent to all together
// are limited, and what is not answered is not answered at all: no error goes out.
//
// Thread: one owner. Nothing allocates after the constructor.
// Limits: the `sources` heard last are told apart; one that was forgotten begins with a full bucket, so against many
// invented sources only the limit for all of them holds.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <outcry/net/mold_packet_writer.hpp>
#include <outcry/net/token_bucket.hpp>

namespace outcry {

struct MoldRequestOptions {
  mold::Session session{};
  std::size_t largest_packet = mold::usual_packet;
  TokenRate requests_per_source{.per_second = 1'000, .burst = 100};
  TokenRate bytes{.per_second = 12'500'000, .burst = 1'000'000};  // to all sources
  std::size_t sources = 64;
};

enum class MoldAnswer : std::uint8_t { sent, malformed, other_session, out_of_range, limited };

struct MoldRequestCounts {
  std::uint64_t requests = 0, sent = 0, malformed = 0, other_session = 0, out_of_range = 0, limited = 0;
  std::uint64_t messages = 0, bytes = 0;  // sent
};

class MoldRequests {
 public:
  MoldRequests(const MoldRequestOptions& options, std::int64_t now_ns);

  /// `source` stands for the address that the datagram came from; send(packet) has to send there. The packet is only
  /// good until it returns. A store has next_sequence() and message(sequence).
  template <class Store, class Send>
  MoldAnswer answer(const Store& store, std::span<const std::byte> datagram, std::uint64_t source, std::int64_t now_ns,
                    Send&& send) {
    const mold::DecodedRequest decoded = mold::decode_request(datagram);
    const MoldAnswer refused = refusal(decoded, store.next_sequence(), source, now_ns);
    if (refused != MoldAnswer::sent) return refused;
    packet_.begin(decoded.request.sequence);
    const std::uint64_t left = store.next_sequence() - decoded.request.sequence;
    const std::uint64_t wanted = decoded.request.count < left ? decoded.request.count : left;
    std::uint64_t taken = 0;
    while (taken < wanted && packet_.add(store.message(decoded.request.sequence + taken))) ++taken;
    if (taken == 0) return count(MoldAnswer::out_of_range);  // a message that fits no packet
    const std::span<const std::byte> bytes = packet_.bytes();
    if (!bytes_.take(bytes.size(), now_ns)) return count(MoldAnswer::limited);
    counts_.messages += taken;
    counts_.bytes += bytes.size();
    send(bytes);
    return count(MoldAnswer::sent);
  }

  const MoldRequestCounts& counts() const { return counts_; }

 private:
  struct Source {
    std::uint64_t id;
    std::int64_t last_ns;
    TokenBucket bucket;
  };

  /// Sent: nothing speaks against it, so far.
  MoldAnswer refusal(const mold::DecodedRequest& decoded, std::uint64_t next_sequence, std::uint64_t source,
                     std::int64_t now_ns);
  TokenBucket& bucket_of(std::uint64_t source, std::int64_t now_ns);
  MoldAnswer count(MoldAnswer answer);

  MoldRequestOptions options_;
  MoldPacketWriter packet_;
  TokenBucket bytes_;
  std::vector<Source> sources_;
  MoldRequestCounts counts_;
};

}  // namespace outcry
