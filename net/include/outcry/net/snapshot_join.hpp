// SnapshotJoin: a snapshot, and behind it the feed, as one stream without a gap and without a message twice.
//
// While the snapshot is read, the feed's receiver keeps what comes; the end of the snapshot names the message at which
// the feed goes on. Older ones are dropped, since the snapshot has what they did; missing ones are asked for as ever.
//
// Thread: the receiver's owner.
#pragma once

#include <cstdint>
#include <span>

#include <outcry/net/glimpse.hpp>
#include <outcry/net/mold_receiver.hpp>

namespace outcry {

class SnapshotJoin {
 public:
  enum class State : std::uint8_t { reading, joined, broken };

  /// The receiver delivers nothing until the snapshot has ended. It must outlive this.
  explicit SnapshotJoin(MoldReceiver& feed) : feed_(feed) { feed_.hold(); }

  /// Takes the next message of the snapshot. Calls deliver(0, message) with it, and at the end deliver(sequence,
  /// message) with what waits of the feed. Broken: this is no message of a snapshot; begin with another one.
  template <class Deliver>
  State take(std::span<const std::byte> message, std::int64_t now_ns, Deliver&& deliver) {
    const glimpse::Part part = glimpse::decode(message);
    if (state_ != State::reading || part.fault != glimpse::Fault::none) return state_ = State::broken;
    if (!part.is_end()) {
      deliver(std::uint64_t{0}, message);
      return state_;
    }
    feed_.join(part.next_sequence, now_ns, deliver);
    return state_ = State::joined;
  }

  State state() const { return state_; }

 private:
  MoldReceiver& feed_;
  State state_ = State::reading;
};

}  // namespace outcry
