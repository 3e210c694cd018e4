// PoolsReport: how the pools of a run were used, one of each kind for each scheduler; and what the pools of the next run
// are sized by.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <outcry/book/order_pool.hpp>
#include <outcry/runtime/frame_pool.hpp>
#include <outcry/runtime/local_pool.hpp>

namespace outcry {

struct PoolsReport {
  std::vector<OrderPool::Report> orders{};        // by scheduler
  std::vector<FramePool::Statistics> frames{};    // by scheduler
  std::vector<LocalPool::Statistics> messages{};  // by scheduler: the rings of mailboxes

  /// The size of the scheduler's pool of orders after this run; `size` if the run had no such scheduler.
  OrderPool::Size after(OrderPool::Size size, std::uint32_t scheduler) const {
    return scheduler < orders.size() ? size.after(orders[scheduler]) : size;
  }
  /// The bytes of each scheduler's pool of frames.
  std::vector<std::size_t> frame_bytes() const { return bytes_of(frames); }
  /// The bytes of each scheduler's pool of messages.
  std::vector<std::size_t> message_bytes() const { return bytes_of(messages); }

 private:
  static std::vector<std::size_t> bytes_of(const std::vector<LocalPool::Statistics>& pools) {
    std::vector<std::size_t> bytes;
    bytes.reserve(pools.size());
    for (const LocalPool::Statistics& one : pools) bytes.push_back(one.bytes_reserved);
    return bytes;
  }
};

/// A line for each pool.
std::string to_string(const PoolsReport& report);

}  // namespace outcry
