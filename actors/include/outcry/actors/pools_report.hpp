// PoolsReport: how the pools of a run were used, one of each kind for each scheduler; and what the pools of the next run
// are sized by.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <outcry/book/order_pool.hpp>
#include <outcry/runtime/frame_pool.hpp>

namespace outcry {

struct PoolsReport {
  std::vector<OrderPool::Report> orders{};      // by scheduler
  std::vector<FramePool::Statistics> frames{};  // by scheduler

  /// The size of the scheduler's pool of orders after this run; `size` if the run had no such scheduler.
  OrderPool::Size after(OrderPool::Size size, std::uint32_t scheduler) const {
    return scheduler < orders.size() ? size.after(orders[scheduler]) : size;
  }
  /// The bytes of each scheduler's pool of frames.
  std::vector<std::size_t> frame_bytes() const {
    std::vector<std::size_t> bytes;
    bytes.reserve(frames.size());
    for (const FramePool::Statistics& one : frames) bytes.push_back(one.bytes_reserved);
    return bytes;
  }
};

/// A line for each pool.
std::string to_string(const PoolsReport& report);

}  // namespace outcry
