// PacketBuffer: a packet that several hold at once, with when it came and from where; its place goes back to its pool when
// the last of them lets go.
//
//   while (const auto packet = feed->next()) book.keep(feed->keep());    // what came stays as long as it is held
//   PacketBuffer packet = pool.take();                                   // or one to be filled
//   packet.fill(bytes);
//   line_a->send(packet, group_a);                                       // sent from where it lies, to both
//   line_b->send(packet, group_b);
//
// Thread: one scheduler's, like its sockets: the count is no atomic. A copy costs an increment.
// A pool may go before its packets: its memory stays until the last of them is gone.
// Limits: as many packets as the pool was made for, then take() gives an empty one.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <outcry/runtime/endpoint.hpp>
#include <outcry/runtime/time.hpp>

namespace outcry {

namespace packet_detail {

/// The places of a pool, and who holds them.
class Places {
 public:
  struct Place {
    std::uint32_t holders = 0;
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
    Endpoint from{};
    Time arrived{};
  };

  Places(std::uint32_t count, std::size_t bytes)
      : bytes_(bytes), memory_(new std::byte[count * bytes]), places_(count) {}
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  std::uint32_t count() const { return static_cast<std::uint32_t>(places_.size()); }
  std::size_t bytes() const { return bytes_; }
  std::byte* memory() { return memory_.get(); }
  std::byte* at(std::uint32_t index) { return memory_.get() + index * bytes_; }
  Place& operator[](std::uint32_t index) { return places_[index]; }

  void hold(std::uint32_t index) {
    ++places_[index].holders;
    ++holders_;
  }
  void let_go(std::uint32_t index) {
    if (--places_[index].holders == 0 && returned_ != nullptr) returned_(owner_, index);
    release();
  }

  /// Who made it, and hears of places that come back.
  void own(void* owner, void (*returned)(void* owner, std::uint32_t index)) {
    owner_ = owner;
    returned_ = returned;
    ++holders_;
  }
  void disown() {
    returned_ = nullptr;
    release();
  }

 private:
  ~Places() = default;
  void release() {
    if (--holders_ == 0) delete this;
  }

  std::size_t bytes_;
  std::unique_ptr<std::byte[]> memory_;
  std::vector<Place> places_;
  std::uint64_t holders_ = 0;
  void* owner_ = nullptr;
  void (*returned_)(void*, std::uint32_t) = nullptr;
};

}  // namespace packet_detail

class PacketBuffer {
 public:
  PacketBuffer() noexcept = default;
  PacketBuffer(packet_detail::Places& places, std::uint32_t index) noexcept : places_(&places), index_(index) {
    places_->hold(index_);
  }
  PacketBuffer(const PacketBuffer& other) noexcept : places_(other.places_), index_(other.index_) {
    if (places_ != nullptr) places_->hold(index_);
  }
  PacketBuffer(PacketBuffer&& other) noexcept : places_(std::exchange(other.places_, nullptr)), index_(other.index_) {}
  PacketBuffer& operator=(PacketBuffer other) noexcept {
    std::swap(places_, other.places_);
    std::swap(index_, other.index_);
    return *this;
  }
  ~PacketBuffer() {
    if (places_ != nullptr) places_->let_go(index_);
  }

  explicit operator bool() const noexcept { return places_ != nullptr; }
  std::span<const std::byte> bytes() const noexcept {
    if (places_ == nullptr) return {};
    return {places_->at(index_) + place().begin, place().size};
  }
  Endpoint from() const noexcept { return places_ != nullptr ? place().from : Endpoint(); }
  Time arrived() const noexcept { return places_ != nullptr ? place().arrived : Time{}; }
  std::uint32_t holders() const noexcept { return places_ != nullptr ? place().holders : 0; }

  // ---- of a packet that is being made, before anybody else holds it

  /// All of the place, to be written to; resize() says how much of it was.
  std::span<std::byte> spare() noexcept {
    assert(holders() == 1 && "somebody else may be reading it");
    return {places_->at(index_), places_->bytes()};
  }
  void resize(std::size_t size) noexcept {
    assert(size <= places_->bytes() && "more than there is");
    place().begin = 0;
    place().size = static_cast<std::uint32_t>(size);
  }
  /// False: it is too large.
  bool fill(std::span<const std::byte> bytes) noexcept {
    if (bytes.size() > places_->bytes()) return false;
    if (!bytes.empty()) std::memcpy(spare().data(), bytes.data(), bytes.size());
    resize(bytes.size());
    return true;
  }

 private:
  packet_detail::Places::Place& place() const { return (*places_)[index_]; }

  packet_detail::Places* places_ = nullptr;
  std::uint32_t index_ = 0;
};

class PacketPool {
 public:
  PacketPool(std::uint32_t packets, std::size_t packet_bytes)
      : places_(new packet_detail::Places(packets, packet_bytes)) {
    places_->own(this, [](void* pool, std::uint32_t index) { static_cast<PacketPool*>(pool)->free_.push_back(index); });
    for (std::uint32_t index = packets; index > 0; --index) free_.push_back(index - 1);
  }
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;
  ~PacketPool() { places_->disown(); }

  /// One of size zero; empty if all are held.
  PacketBuffer take() {
    if (free_.empty()) return {};
    const std::uint32_t index = free_.back();
    free_.pop_back();
    (*places_)[index] = {};
    return {*places_, index};
  }
  std::size_t free() const { return free_.size(); }

 private:
  packet_detail::Places* places_;
  std::vector<std::uint32_t> free_;
};

}  // namespace outcry
