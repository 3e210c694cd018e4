// MessageStore: the sequenced messages of one session or feed, from number 1, as they were sent.
//
// Replays come out of it, so that they are the same bits as the first time.
//
// Thread: one owner.
// Invariant: numbers from 1 to next_sequence() - 1 are there; none is dropped or changed until clear().
// Limits: `messages` and `bytes`, allocated by the constructor. Full: append() refuses.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace outcry {

class MessageStore {
 public:
  struct Size {
    std::size_t messages;
    std::size_t bytes;
  };

  explicit MessageStore(Size size)
      : size_(size), ends_(new std::uint64_t[size.messages + 1]), bytes_(new std::byte[size.bytes]) {
    ends_[0] = 0;
  }

  /// The number of the message; 0 if the store is full.
  std::uint64_t append(std::span<const std::byte> message) noexcept {
    const std::uint64_t begin = ends_[count_];
    if (count_ == size_.messages || message.size() > size_.bytes - begin) return 0;
    if (!message.empty()) std::memcpy(bytes_.get() + begin, message.data(), message.size());
    ends_[++count_] = begin + message.size();
    return count_;
  }

  /// For so many more, that have so many bytes together.
  bool has_room(std::size_t messages, std::size_t bytes) const {
    return messages <= size_.messages - count_ && bytes <= size_.bytes - ends_[count_];
  }

  std::uint64_t next_sequence() const { return count_ + 1; }
  /// The next number is 1 again.
  void clear() { count_ = 0; }

  /// Requires: 1 <= sequence < next_sequence().
  std::span<const std::byte> message(std::uint64_t sequence) const {
    assert(sequence >= 1 && sequence <= count_ && "a message that was never sent");
    return {bytes_.get() + ends_[sequence - 1], static_cast<std::size_t>(ends_[sequence] - ends_[sequence - 1])};
  }

 private:
  Size size_;
  std::uint64_t count_ = 0;
  std::unique_ptr<std::uint64_t[]> ends_;
  std::unique_ptr<std::byte[]> bytes_;
};

}  // namespace outcry
