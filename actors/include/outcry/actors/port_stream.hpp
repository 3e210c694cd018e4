// PortStream: what a port tells its client, in numbers, for a whole day: written once, sent as often as it is asked for.
//
// Thread: one owner. Nothing allocates but the constructor.
// Limits: those of the MessageStore. Nearly full: there is room only to tell how orders end, so new ones are refused.
//   Full: what is said is lost, and the port has to close.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <outcry/net/message_store.hpp>

namespace outcry {

class PortStream {
 public:
  explicit PortStream(MessageStore::Size size) : store_(size), size_(size) {}

  void append(std::span<const std::byte> message) noexcept {
    if (store_.append(message) == 0)
      full_ = true;
    else
      bytes_ += message.size();
  }
  /// Whether the last messages of so many open orders might find no room.
  bool nearly_full(std::size_t open_orders) const {
    constexpr std::size_t largest = 128;
    const std::size_t wanted = 4 * open_orders + 16;
    return size_.messages - (store_.next_sequence() - 1) < wanted || size_.bytes - bytes_ < wanted * largest;
  }
  bool full() const { return full_; }

  const MessageStore& store() const { return store_; }
  std::uint64_t next_sequence() const { return store_.next_sequence(); }
  /// The next number is 1 again.
  void clear() {
    store_.clear();
    bytes_ = 0;
    full_ = false;
  }

 private:
  MessageStore store_;
  MessageStore::Size size_;
  std::size_t bytes_ = 0;
  bool full_ = false;
};

}  // namespace outcry
