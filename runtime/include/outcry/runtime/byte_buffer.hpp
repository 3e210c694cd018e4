// ByteBuffer: bytes on their way in or out of a stream: appended at the back, taken from the front.
//
// Its memory is allocated once, by the constructor. Whoever appends asks first whether there is room: nothing is
// appended in part. Bytes move inside the buffer only when the room behind them is too small.
//
// Thread: one owner.
// Limits: `capacity` bytes.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

namespace outcry {

class ByteBuffer {
 public:
  explicit ByteBuffer(std::size_t capacity) : memory_(new std::byte[capacity]), capacity_(capacity) {}

  /// Oldest first. Valid until the next append or take.
  std::span<const std::byte> bytes() const { return {memory_.get() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  std::size_t room() const { return capacity_ - size(); }
  std::size_t capacity() const { return capacity_; }

  /// All the room, in one piece, to be written to; commit() says how much of it was.
  std::span<std::byte> spare() { return spare(room()); }
  /// At least `size` bytes of room. Requires: room() >= size.
  std::span<std::byte> spare(std::size_t size) {
    assert(size <= room() && "more than the buffer has room for");
    if (capacity_ - end_ < size) move_to_front();
    return {memory_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t size) {
    assert(size <= capacity_ - end_ && "more than was spare");
    end_ += size;
  }

  /// All of them, or false and nothing.
  bool append(std::span<const std::byte> bytes) {
    if (bytes.size() > room()) return false;
    if (bytes.empty()) return true;
    std::memcpy(spare(bytes.size()).data(), bytes.data(), bytes.size());
    commit(bytes.size());
    return true;
  }

  /// Requires: size() >= size.
  void take(std::size_t size) {
    assert(size <= this->size() && "took more than there was");
    begin_ += size;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  void clear() { begin_ = end_ = 0; }

 private:
  void move_to_front() {
    std::memmove(memory_.get(), memory_.get() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
  }

  std::unique_ptr<std::byte[]> memory_;
  std::size_t capacity_;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace outcry
