// ConnectionLimits: how many connections there may be, in all and from one address.
//
// Thread: one owner. Allocates for an address that is new.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <outcry/runtime/endpoint.hpp>

namespace outcry {

class ConnectionLimits {
 public:
  ConnectionLimits(std::uint32_t most, std::uint32_t most_of_address)
      : most_(most), most_of_address_(most_of_address) {}

  /// False: there are too many. Ports do not tell clients apart.
  bool enter(const Endpoint& peer) {
    std::uint32_t* const count = find(peer);
    if (all_ == most_ || (count != nullptr && *count == most_of_address_) || most_of_address_ == 0) {
      ++refused_;
      return false;
    }
    if (count != nullptr)
      ++*count;
    else
      addresses_.push_back({peer.with_port(0), 1});
    ++all_;
    return true;
  }
  /// Requires: it has entered.
  void leave(const Endpoint& peer) {
    std::uint32_t* const count = find(peer);
    if (count == nullptr) return;
    --all_;
    if (--*count != 0) return;
    std::erase_if(addresses_, [](const Address& address) { return address.count == 0; });
  }
  std::uint32_t all() const { return all_; }
  std::uint64_t refused() const { return refused_; }

 private:
  struct Address {
    Endpoint address;
    std::uint32_t count;
  };
  std::uint32_t* find(const Endpoint& peer) {
    const Endpoint address = peer.with_port(0);
    for (Address& one : addresses_)
      if (one.address == address) return &one.count;
    return nullptr;
  }

  std::uint32_t most_, most_of_address_;
  std::uint32_t all_ = 0;
  std::uint64_t refused_ = 0;
  std::vector<Address> addresses_;
};

}  // namespace outcry
