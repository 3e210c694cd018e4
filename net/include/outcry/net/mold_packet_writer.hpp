// MoldPacketWriter: one MoldUDP64 packet that is being filled.
//
// Thread: one owner. Allocates once, in the constructor.
// Limits: `largest` bytes of payload, and 65,534 messages.
#pragma once

#include <cassert>
#include <cstring>
#include <memory>

#include <outcry/net/moldudp64.hpp>

namespace outcry {

class MoldPacketWriter {
 public:
  /// Requires: largest is at least the header and at most 65,507, what a datagram of UDP can hold.
  MoldPacketWriter(const mold::Session& session, std::size_t largest)
      : memory_(new std::byte[largest]), largest_(largest), session_(session) {
    assert(largest >= mold::header_size && largest <= 65'507 && "a size that no packet has");
    begin(1);
  }

  /// An empty packet whose first message will have this number.
  void begin(std::uint64_t sequence) {
    sequence_ = sequence;
    count_ = 0;
    size_ = mold::header_size;
  }

  /// False: the packet is full.
  bool add(std::span<const std::byte> message) {
    if (!fits(message.size()) || count_ == mold::most_messages) return false;
    const BigEndian<2> length = static_cast<std::uint16_t>(message.size());
    std::memcpy(memory_.get() + size_, &length, sizeof length);
    if (!message.empty()) std::memcpy(memory_.get() + size_ + sizeof length, message.data(), message.size());
    size_ += mold::block_header_size + message.size();
    ++count_;
    return true;
  }

  /// The packet as it is now; without messages, a heartbeat.
  std::span<const std::byte> bytes() { return with_count(count_); }
  /// Requires: no message was added.
  std::span<const std::byte> end_of_session() {
    assert(empty() && "an end with messages");
    return with_count(mold::end_of_session);
  }

  bool empty() const { return count_ == 0; }
  std::uint64_t next_sequence() const { return sequence_ + count_; }
  std::size_t largest_message() const { return largest_ - mold::header_size - mold::block_header_size; }

 private:
  bool fits(std::size_t message) const { return message + mold::block_header_size <= largest_ - size_; }
  std::span<const std::byte> with_count(std::uint16_t count) {
    const mold::Header header{session_, sequence_, count};
    std::memcpy(memory_.get(), &header, sizeof header);
    return {memory_.get(), size_};
  }

  std::unique_ptr<std::byte[]> memory_;
  std::size_t largest_;
  mold::Session session_;
  std::uint64_t sequence_ = 1;
  std::uint16_t count_ = 0;
  std::size_t size_ = mold::header_size;
};

}  // namespace outcry
