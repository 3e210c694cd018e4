// KeyTable: what clients call their orders, and which order that is: open addressing in a memory that never grows.
//
// Clients choose the keys: they are hashed together with a secret of the table, so that none can choose keys that
// collide without having seen the secret.
// Thread: one owner. Nothing allocates but the constructor.
// Limits: `capacity` keys; full: insert() refuses.
#pragma once

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>

#include <outcry/runtime/message.hpp>

namespace outcry {

/// Keys are compared and hashed as bytes.
template <class Key, class Value>
class KeyTable {
  static_assert(std::is_trivially_copyable_v<Key> && std::has_unique_object_representations_v<Key>);
  static_assert(std::is_trivially_copyable_v<Value>);

 public:
  explicit KeyTable(std::size_t capacity, std::uint64_t secret = 0)
      : capacity_(capacity),
        mask_(std::bit_ceil(2 * capacity + 2) - 1),
        secret_(secret),
        places_(std::make_unique<Place[]>(mask_ + 1)) {}

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  bool full() const { return size_ == capacity_; }

  /// Null if there is no such key. Valid until the next insert() or erase().
  Value* find(const Key& key) noexcept {
    Place& place = places_[place_of(key)];
    return place.taken ? &place.value : nullptr;
  }
  const Value* find(const Key& key) const noexcept { return const_cast<KeyTable*>(this)->find(key); }

  /// False: the table is full, or has the key.
  bool insert(const Key& key, const Value& value) noexcept {
    if (full()) return false;
    Place& place = places_[place_of(key)];
    if (place.taken) return false;
    place = {key, value, true};
    ++size_;
    return true;
  }

  /// Nothing if there is no such key.
  void erase(const Key& key) noexcept {
    std::size_t hole = place_of(key);
    if (!places_[hole].taken) return;
    --size_;
    // Those behind it that would no longer be found move up.
    for (std::size_t at = (hole + 1) & mask_; places_[at].taken; at = (at + 1) & mask_) {
      const std::size_t home = home_of(places_[at].key);
      if (((at - home) & mask_) < ((at - hole) & mask_)) continue;
      places_[hole] = places_[at];
      hole = at;
    }
    places_[hole].taken = false;
  }

  void clear() noexcept {
    for (std::size_t i = 0; i <= mask_; ++i) places_[i].taken = false;
    size_ = 0;
  }

 private:
  struct Place {
    Key key{};
    Value value{};
    bool taken = false;
  };

  std::size_t home_of(const Key& key) const noexcept {
    return static_cast<std::size_t>(mix64(hash_bytes(secret_, &key, sizeof key))) & mask_;
  }
  std::size_t place_of(const Key& key) const noexcept {
    std::size_t at = home_of(key);
    while (places_[at].taken && std::memcmp(&places_[at].key, &key, sizeof key) != 0) at = (at + 1) & mask_;
    return at;
  }

  std::size_t capacity_;
  std::size_t mask_;
  std::uint64_t secret_;
  std::size_t size_ = 0;
  std::unique_ptr<Place[]> places_;
};

}  // namespace outcry
