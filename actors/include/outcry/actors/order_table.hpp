// OrderTable: a small value for each live order, found by the order's id.
//
// Open addressing with linear probing; deletion shifts entries back, so nothing slows down from use.
//
// Thread: one owner. Allocates only while it grows beyond what it ever held.
// Limits: ids that were chosen to collide make it slow. Zero is no id.
#pragma once

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <outcry/messages/identity.hpp>

namespace outcry {

template <class Value>
class OrderTable {
 public:
  static_assert(std::is_trivially_copyable_v<Value>);

  /// `expected` orders find room without growth.
  explicit OrderTable(std::size_t expected = 64) : entries_(std::bit_ceil(expected < 32 ? 64 : expected * 2)) {}

  std::size_t size() const { return size_; }

  /// Null if there is none. Valid until the next insert or erase.
  Value* find(OrderId id) {
    for (std::size_t at = home(id.value);; at = next(at)) {
      Entry& entry = entries_[at];
      if (entry.id == id.value) return &entry.value;
      if (entry.id == 0) return nullptr;
    }
  }
  const Value* find(OrderId id) const { return const_cast<OrderTable*>(this)->find(id); }

  /// In the place of what was there.
  void insert(OrderId id, const Value& value) {
    assert(id.value != 0 && "zero is no id");
    if (2 * (size_ + 1) > entries_.size()) grow();
    std::size_t at = home(id.value);
    while (entries_[at].id != 0 && entries_[at].id != id.value) at = next(at);
    size_ += entries_[at].id == 0;
    entries_[at] = {id.value, value};
  }

  bool erase(OrderId id) {
    std::size_t hole = home(id.value);
    for (; entries_[hole].id != id.value; hole = next(hole))
      if (entries_[hole].id == 0) return false;
    for (std::size_t at = next(hole); entries_[at].id != 0; at = next(at)) {
      const std::size_t mask = entries_.size() - 1;
      if (((at - home(entries_[at].id)) & mask) < ((at - hole) & mask)) continue;  // would come before its home
      entries_[hole] = entries_[at];
      hole = at;
    }
    entries_[hole].id = 0;
    --size_;
    return true;
  }

  void clear() {
    for (Entry& entry : entries_) entry.id = 0;
    size_ = 0;
  }

 private:
  struct Entry {
    std::uint64_t id = 0;
    Value value{};
  };

  std::size_t home(std::uint64_t id) const {
    return static_cast<std::size_t>((id * 0x9E3779B97F4A7C15u) >> 32) & (entries_.size() - 1);
  }
  std::size_t next(std::size_t at) const { return (at + 1) & (entries_.size() - 1); }

  [[gnu::noinline]] void grow() {
    std::vector<Entry> old(entries_.size() * 2);
    old.swap(entries_);
    size_ = 0;
    for (const Entry& entry : old)
      if (entry.id != 0) insert({entry.id}, entry.value);
  }

  std::vector<Entry> entries_;
  std::size_t size_ = 0;
};

}  // namespace outcry
