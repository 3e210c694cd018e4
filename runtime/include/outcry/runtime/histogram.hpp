// Histogram: how often each value was seen, to a fixed number of significant digits, in a memory that never grows.
//
// Log-linear: values below sub_bucket_count() are counted one by one; above, each doubling of the value is divided into
// sub_bucket_count() / 2 equal steps. Counter i is counter i of HdrHistogram for the same digits, so that its formats
// (histogram_file.hpp) come out exactly.
//
// Thread: its owner only. One for each scheduler, merged by whoever asks.
// Limits: values below zero count as zero, values above highest() as highest(); out_of_range() says how many.
//   With three digits up to an hour in nanoseconds: 264 KiB; with two digits: 36 KiB. No allocation after construction.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace outcry {

class Histogram {
 public:
  struct Range {
    std::int64_t highest = 3'600'000'000'000;  // an hour in nanoseconds; at least 2
    int significant_digits = 3;                // 1 to 5
  };

  Histogram() : Histogram(Range{}) {}
  /// Throws std::invalid_argument if the range makes no sense.
  explicit Histogram(Range range);

  void record(std::int64_t value) noexcept { record(value, 1); }

  void record(std::int64_t value, std::uint64_t times) noexcept {
    const std::int64_t counted = std::clamp(value, std::int64_t{0}, range_.highest);
    counts_[index_of(counted)] += times;
    count_ += times;
    out_of_range_ += times * static_cast<std::uint64_t>(counted != value);
    least_ = std::min(least_, counted);
    most_ = std::max(most_, counted);
  }

  /// Records the wait of something that should happen every `interval`: a wait of several intervals also kept the ones
  /// after it from being measured, so they are counted too (value - interval, value - 2 interval, ... down to
  /// interval). An interval of zero or less adds nothing.
  void record_paced(std::int64_t value, std::int64_t interval) noexcept;

  /// Adds what the other saw. Of another range: each of its counters goes to where its values would be counted here.
  void merge(const Histogram& other) noexcept;

  void clear() noexcept;

  std::uint64_t count() const noexcept { return count_; }
  /// How many of them were recorded from outside the range; after merging histograms of other ranges: at least.
  std::uint64_t out_of_range() const noexcept { return out_of_range_; }

  /// As recorded, not rounded; zero if nothing was.
  std::int64_t min() const noexcept { return count_ == 0 ? 0 : least_; }
  std::int64_t max() const noexcept { return most_; }

  /// From the middles of the counters; zero if nothing was recorded.
  double mean() const noexcept;
  double standard_deviation() const noexcept;

  /// The value that `percent` of all values do not exceed, to the significant digits: the largest that its counter
  /// counts, but never above max(). Zero if nothing was recorded.
  std::int64_t percentile(double percent) const noexcept;

  Range range() const noexcept { return range_; }
  std::int64_t highest() const noexcept { return range_.highest; }
  int bucket_count() const noexcept { return bucket_count_; }
  int sub_bucket_count() const noexcept { return 2 << half_magnitude_; }
  std::span<const std::uint64_t> counts() const noexcept { return counts_; }

  /// The counter for a value. Requires: 0 <= value <= highest().
  std::size_t index_of(std::int64_t value) const noexcept {
    const auto v = static_cast<std::uint64_t>(value);
    const int bucket = 63 - __builtin_clzll(v | sub_bucket_mask_) - half_magnitude_;
    return (static_cast<std::size_t>(bucket) << half_magnitude_) + static_cast<std::size_t>(v >> bucket);
  }

  /// What counter `index` counts: lowest_at(index) up to highest_at(index).
  std::int64_t lowest_at(std::size_t index) const noexcept {
    const int bucket = bucket_of(index);
    return static_cast<std::int64_t>(index - (static_cast<std::size_t>(bucket) << half_magnitude_)) << bucket;
  }
  std::int64_t highest_at(std::size_t index) const noexcept {
    return lowest_at(index) + ((std::int64_t{1} << bucket_of(index)) - 1);
  }
  std::int64_t middle_at(std::size_t index) const noexcept {
    return lowest_at(index) + ((std::int64_t{1} << bucket_of(index)) >> 1);
  }

 private:
  int bucket_of(std::size_t index) const noexcept {
    return std::max(static_cast<int>(index >> half_magnitude_) - 1, 0);
  }
  /// The counters from zero to that of the largest value recorded.
  std::span<const std::uint64_t> used() const noexcept { return {counts_.data(), index_of(most_) + 1}; }

  Range range_;
  int half_magnitude_ = 0;             // sub_bucket_count() / 2 is two to this power
  std::uint64_t sub_bucket_mask_ = 0;  // sub_bucket_count() - 1
  int bucket_count_ = 1;
  std::uint64_t count_ = 0;
  std::uint64_t out_of_range_ = 0;
  std::int64_t least_ = INT64_MAX;
  std::int64_t most_ = 0;
  std::vector<std::uint64_t> counts_;
};

}  // namespace outcry
