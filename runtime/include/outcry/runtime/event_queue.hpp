// EventQueue: what will happen, by (time, sender, sender's sequence number): a heap of keys over a pool of envelopes.
//
// Timers that are no longer wanted stay until their time, or until they are the majority; then they are swept out.
// Thread: one scheduler. Cost: O(log n) with four children a node; allocates only while it grows.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <utility>
#include <vector>

#include <outcry/runtime/envelope.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry {

class EventQueue {
 public:
  struct Key {
    std::int64_t time = 0;
    std::uint64_t sender = 0;
    std::uint32_t sequence = 0;
    std::uint32_t node = 0;

    friend bool operator<(const Key& a, const Key& b) {
      if (a.time != b.time) return a.time < b.time;
      if (a.sender != b.sender) return a.sender < b.sender;
      // One sender's numbers of one time lie close together.
      return static_cast<std::int32_t>(a.sequence - b.sequence) < 0;
    }
  };

  explicit EventQueue(std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : heap_(memory), blocks_(memory), free_(memory) {}
  ~EventQueue() { free_blocks(); }
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  std::int64_t next_time() const { return heap_.empty() ? INT64_MAX : heap_.front().time; }

  /// It stays where it is until release().
  Envelope& envelope(std::uint32_t node) { return blocks_[node / block][node % block]; }

  /// A place for an envelope that is not in the heap; give it back with release().
  std::uint32_t hold(const Envelope& given) {
    if (free_.empty()) add_blocks();
    const std::uint32_t node = free_.back();
    free_.pop_back();
    envelope(node) = given;
    return node;
  }
  void release(std::uint32_t node) { free_.push_back(node); }

  void push(Key key) {
    heap_.push_back(key);
    std::size_t i = heap_.size() - 1;
    while (i > 0) {
      const std::size_t parent = (i - 1) / 4;
      if (!(key < heap_[parent])) break;
      heap_[i] = heap_[parent];
      i = parent;
    }
    heap_[i] = key;
  }

  /// Requires: not empty.
  Key pop() {
    const Key top = heap_.front();
    const Key last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sink(0, last);
    return top;
  }

  /// Removes every event whose envelope satisfies `dead`; its node is released. Gives how many those were.
  template <class Predicate>
  std::uint32_t sweep(Predicate dead) {
    std::size_t kept = 0;
    for (const Key& key : heap_) {
      if (dead(std::as_const(envelope(key.node)))) {
        release(key.node);
      } else {
        heap_[kept++] = key;
      }
    }
    const std::size_t removed = heap_.size() - kept;
    heap_.resize(kept);
    for (std::size_t i = kept / 4 + 1; i-- > 0;)
      if (i < kept) sink(i, heap_[i]);
    return static_cast<std::uint32_t>(removed);
  }

  template <class Visit>
  void drain(Visit visit) {
    for (const Key& key : heap_) visit(envelope(key.node));
    heap_.clear();
    free_blocks();
    free_.clear();
  }

 private:
  void sink(std::size_t i, const Key key) {
    const std::size_t size = heap_.size();
    for (;;) {
      std::size_t child = i * 4 + 1;
      if (child >= size) break;
      const std::size_t end = child + 4 < size ? child + 4 : size;
      std::size_t least = child;
      for (++child; child < end; ++child)
        if (heap_[child] < heap_[least]) least = child;
      if (!(heap_[least] < key)) break;
      heap_[i] = heap_[least];
      i = least;
    }
    heap_[i] = key;
  }

  static constexpr std::uint32_t block = 8;

  /// As many as there are: it grows seldom, and where it is small it stays so.
  void add_blocks() {
    const std::size_t had = blocks_.size(), has = had == 0 ? 1 : had * 2;
    blocks_.reserve(has);
    while (blocks_.size() < has) {
      blocks_.push_back(static_cast<Envelope*>(memory()->allocate(block * sizeof(Envelope), alignof(Envelope))));
      std::uninitialized_default_construct_n(blocks_.back(), block);
    }
    free_.reserve(has * block);
    for (auto node = static_cast<std::uint32_t>(has * block); node-- > had * block;) free_.push_back(node);
  }

  void free_blocks() noexcept {
    for (Envelope* envelopes : blocks_) memory()->deallocate(envelopes, block * sizeof(Envelope), alignof(Envelope));
    blocks_.clear();
  }
  std::pmr::memory_resource* memory() const { return heap_.get_allocator().resource(); }

  std::pmr::vector<Key> heap_;
  std::pmr::vector<Envelope*> blocks_;
  std::pmr::vector<std::uint32_t> free_;
};

}  // namespace outcry
