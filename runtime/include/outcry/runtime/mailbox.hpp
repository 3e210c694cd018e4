// Mailbox: the messages that wait for one actor, oldest first.
//
// A ring of slots that grows up to the limit given by the receiver. What happens beyond that is the receiver's choice,
// WhenFull. Messages of the runtime's own (Down) are put in past the limit: they are never dropped, and there are only
// as many as were asked for. So are messages that travel on credit, which bounds them at their sender.
// Thread: the owner of the actor. No atomics, no locks; allocates only while it grows.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include <outcry/runtime/local_pool.hpp>
#include <outcry/runtime/message.hpp>

namespace outcry {

enum class WhenFull : std::uint8_t {
  wait,         // the sending coroutine waits for room
  refuse,       // the message is refused; the sender is told
  drop_oldest,  // the oldest message goes
  latest,       // of the messages of one key only the latest is kept; beyond `capacity` messages the oldest goes
};

struct MailboxOptions {
  std::uint32_t capacity = 1024;  // messages; 1 to 2^24 - 1
  WhenFull when_full = WhenFull::wait;
};

struct MailboxCounters {
  std::uint64_t received = 0;
  std::uint64_t refused = 0;    // given back to the sender, or dropped where nobody waits for an answer
  std::uint64_t dropped = 0;    // the oldest, to make room
  std::uint64_t conflated = 0;  // replaced by a later message of the same key

  MailboxCounters& operator+=(const MailboxCounters& other) {
    received += other.received;
    refused += other.refused;
    dropped += other.dropped;
    conflated += other.conflated;
    return *this;
  }
};

class Mailbox {
 public:
  /// What lies in front of every message. `source` says whose credit it used; zero: nobody's.
  struct Slot {
    const MessageType* type;
    std::uint32_t source;
    std::uint32_t control;  // not zero: the runtime's own
    void* payload() { return this + 1; }
  };

  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox() { clear(); }

  /// The ring comes from `pool`; null: from the host's allocator. Requires: empty.
  void open(MailboxOptions options, std::size_t largest_payload, LocalPool* pool = nullptr) {
    assert(empty() && ring_ == nullptr && "a mailbox is opened once for each actor");
    pool_ = pool;
    policy_.store(options.capacity | static_cast<std::uint32_t>(options.when_full) << 24, std::memory_order_relaxed);
    stride_ = static_cast<std::uint32_t>(sizeof(Slot) + (largest_payload + 7) / 8 * 8);
    counters_ = {};
  }

  bool empty() const { return head_ == tail_; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(tail_ - head_); }
  bool full() const { return size() >= limit(); }
  std::uint32_t limit() const { return policy_.load(std::memory_order_relaxed) & 0xFFFFFF; }
  WhenFull when_full() const { return static_cast<WhenFull>(policy_.load(std::memory_order_relaxed) >> 24); }
  const MailboxCounters& counters() const { return counters_; }
  MailboxCounters& counters() { return counters_; }

  /// Room for one more message at the back, past any limit; the caller fills payload().
  Slot* push(const MessageType* type, std::uint32_t source, bool control = false) {
    if (size() == slots_) grow();
    Slot* slot = at(tail_++);
    slot->type = type;
    slot->source = source;
    slot->control = control;
    ++counters_.received;
    return slot;
  }

  /// Where a message of `type` and `key` waits, so that it can be replaced; null, and then the next push is remembered
  /// under that key.
  Slot* waiting(const MessageType* type, std::uint64_t key) {
    if (latest_ == nullptr) latest_ = std::make_unique<Latest>();
    const std::uint64_t full_key = mix64(key, reinterpret_cast<std::uintptr_t>(type));
    if (Latest::Entry* entry = latest_->find(full_key); entry != nullptr) {
      // drop_oldest() may have moved one of the runtime's own messages to where a dropped one was.
      if (entry->position - head_ < size() && at(entry->position)->control == 0) return at(entry->position);
      entry->position = tail_;
      return nullptr;
    }
    latest_->insert(full_key, tail_, head_, size());
    return nullptr;
  }

  /// Requires: not empty.
  Slot* front() {
    assert(!empty() && "front() of an empty mailbox");
    return at(head_);
  }
  void pop() { ++head_; }

  /// The message `index` places behind the oldest. Requires: index < size().
  Slot* peek(std::uint32_t index) {
    assert(index < size() && "peek() behind the end of a mailbox");
    return at(head_ + index);
  }
  /// Takes out a message from among the others, which keep their order; its payload was taken before. Cost: the older
  /// messages move by one place, and the index of `latest` is walked through.
  void remove(std::uint32_t index) noexcept {
    const std::uint64_t removed = head_ + index;
    if (latest_ != nullptr) {
      for (Latest::Entry& entry : latest_->table) {
        if (entry.position == removed) {
          entry.position = head_ - 1;
        } else if (entry.position - head_ < index) {
          ++entry.position;
        }
      }
    }
    for (std::uint64_t position = removed; position != head_; --position)
      std::memcpy(static_cast<void*>(at(position)), at(position - 1), stride_);
    ++head_;
  }

  /// Drops the oldest message that is not the runtime's own, if there is one.
  void drop_oldest() noexcept {
    std::uint64_t position = head_;
    while (position != tail_ && at(position)->control != 0) ++position;
    if (position == tail_) return;
    discard(at(position), AskError::refused);
    for (; position != head_; --position) std::memcpy(static_cast<void*>(at(position)), at(position - 1), stride_);
    ++head_;
    ++counters_.dropped;
  }

  template <class Visit>
  void for_each(Visit visit) {
    for (std::uint64_t position = head_; position != tail_; ++position) visit(*at(position));
  }

  /// Drops every message; who waits for an answer is told.
  void clear() noexcept {
    for (; !empty(); pop()) discard(front(), AskError::gone);
    free_ring();
    ring_ = nullptr;
    slots_ = 0;
    latest_.reset();
    head_ = tail_ = 0;
  }

  static void discard(Slot* slot, AskError why) noexcept {
    if (slot->type->bounce != nullptr) slot->type->bounce(slot->payload(), why);
    if (slot->type->destroy != nullptr) slot->type->destroy(slot->payload());
  }

 private:
  // Open addressing from key to position in the ring. Entries of messages already taken are swept out when it fills up.
  struct Latest {
    struct Entry {
      std::uint64_t key = 0;
      std::uint64_t position = 0;
      bool used = false;
    };
    std::vector<Entry> table{16};
    std::size_t used = 0;

    Entry* find(std::uint64_t key) {
      for (std::size_t i = key;; ++i) {
        Entry& entry = table[i & (table.size() - 1)];
        if (!entry.used) return nullptr;
        if (entry.key == key) return &entry;
      }
    }
    void insert(std::uint64_t key, std::uint64_t position, std::uint64_t head, std::uint32_t size) {
      if ((used + 1) * 2 > table.size()) sweep(head, size);
      std::size_t i = key;
      while (table[i & (table.size() - 1)].used) ++i;
      table[i & (table.size() - 1)] = {key, position, true};
      ++used;
    }
    void sweep(std::uint64_t head, std::uint32_t size) {
      std::vector<Entry> old = std::move(table);
      table.assign(std::max<std::size_t>(old.size(), std::bit_ceil((std::size_t{size} + 1) * 4)), Entry{});
      used = 0;
      for (const Entry& entry : old)
        if (entry.used && entry.position - head < size) insert(entry.key, entry.position, head, 0);
    }
  };

  Slot* at(std::uint64_t position) {
    return std::launder(reinterpret_cast<Slot*>(ring_ + std::size_t{position & (slots_ - 1)} * stride_));
  }

  void grow() {
    const std::uint32_t slots = slots_ == 0 ? 4 : slots_ * 2;
    const std::size_t bytes = std::size_t{slots} * stride_;
    auto* ring = static_cast<std::byte*>(pool_ != nullptr ? pool_->allocate(bytes) : ::operator new(bytes));
    for (std::uint64_t position = head_; position != tail_; ++position)
      std::memcpy(ring + std::size_t{position & (slots - 1)} * stride_, at(position), stride_);
    free_ring();
    ring_ = ring;
    slots_ = slots;
  }

  void free_ring() noexcept {
    if (ring_ == nullptr) return;
    if (pool_ != nullptr) {
      pool_->free(ring_, std::size_t{slots_} * stride_);
    } else {
      ::operator delete(ring_);
    }
  }

  std::byte* ring_ = nullptr;
  LocalPool* pool_ = nullptr;
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
  std::uint32_t slots_ = 0;
  std::uint32_t stride_ = sizeof(Slot);
  std::atomic<std::uint32_t> policy_{0};  // read by senders on other schedulers, who may be late
  MailboxCounters counters_;
  std::unique_ptr<Latest> latest_;
};

}  // namespace outcry
