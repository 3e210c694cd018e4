// FillLog: what a port's client was told of its last executions, for the trades that are broken afterwards.
//
// By the time a trade is broken its order may be long gone, and its place taken by another one; so what the client calls
// it is kept here.
// Thread: one owner. Nothing allocates but the constructor.
// Limits: the last `most` executions. A trade that is older cannot be told of any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <outcry/messages/identity.hpp>

namespace outcry {

template <class Key>
class FillLog {
 public:
  explicit FillLog(std::size_t most) : most_(most) { entries_.reserve(most); }

  void remember(std::uint64_t match, OrderId id, const Key& key) noexcept {
    if (most_ == 0) return;
    if (entries_.size() < most_)
      entries_.push_back({match, id, key});
    else
      entries_[oldest_] = {match, id, key};
    oldest_ = (oldest_ + 1) % most_;
  }
  /// What the order of a match is called; null: that is not known (any more). Looks at everything.
  const Key* find(std::uint64_t match, OrderId id) const noexcept {
    for (const Entry& entry : entries_)
      if (entry.match == match && entry.id == id) return &entry.key;
    return nullptr;
  }
  void clear() noexcept {
    entries_.clear();
    oldest_ = 0;
  }

 private:
  struct Entry {
    std::uint64_t match;
    OrderId id;
    Key key;
  };
  std::size_t most_;
  std::size_t oldest_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace outcry
