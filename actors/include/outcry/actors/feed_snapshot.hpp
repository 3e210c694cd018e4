// FeedSnapshot: the state of a feed at one of its messages, as the messages of a glimpse, ready to be sent.
//
// It never changes once it is made, so that any number of clients can read one at their own pace.
// It is a store of messages (next_sequence(), message()), as SoupServer wants it: numbered from 1, the last one is the
// end of the snapshot.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <outcry/net/glimpse.hpp>

namespace outcry {

class FeedSnapshot {
 public:
  /// `feed_sequence`: of the first message of the feed that is not in it.
  FeedSnapshot(std::uint64_t feed_sequence, std::size_t expected_messages) : feed_sequence_(feed_sequence) {
    ends_.reserve(expected_messages + 2);
    bytes_.reserve(expected_messages * itch::size_of('A') + 64);
    ends_.push_back(0);
  }

  template <class Message>
  void add(const Message& message) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&message);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof message);
    ends_.push_back(bytes_.size());
  }
  void end() { add(glimpse::EndOfSnapshot::at(feed_sequence_)); }

  std::uint64_t feed_sequence() const { return feed_sequence_; }
  std::uint64_t next_sequence() const { return ends_.size(); }
  /// Requires: 1 <= number < next_sequence().
  std::span<const std::byte> message(std::uint64_t number) const {
    assert(number >= 1 && number < next_sequence() && "a message that the snapshot does not have");
    return std::span(bytes_).subspan(ends_[number - 1], ends_[number] - ends_[number - 1]);
  }

 private:
  std::uint64_t feed_sequence_;
  std::vector<std::size_t> ends_;
  std::vector<std::byte> bytes_;
};

}  // namespace outcry
