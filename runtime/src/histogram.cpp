#include <outcry/runtime/histogram.hpp>

#include <bit>
#include <cmath>
#include <stdexcept>
#include <string>

namespace outcry {
namespace {

int power_of_ten(int digits) { return digits == 0 ? 1 : 10 * power_of_ten(digits - 1); }

}  // namespace

Histogram::Histogram(Range range) : range_(range) {
  if (range.significant_digits < 1 || range.significant_digits > 5)
    throw std::invalid_argument("a histogram has 1 to 5 significant digits, not " +
                                std::to_string(range.significant_digits));
  if (range.highest < 2)
    throw std::invalid_argument("a histogram counts up to 2 at least, not " + std::to_string(range.highest));

  // One step must be a unit up to twice the power of ten, so that half a step above it is within the digits.
  const auto sub_buckets = std::bit_ceil(2u * static_cast<unsigned>(power_of_ten(range.significant_digits)));
  sub_bucket_mask_ = sub_buckets - 1;
  half_magnitude_ = std::countr_zero(sub_buckets) - 1;
  const auto bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(range.highest)));
  bucket_count_ = std::max(bits - half_magnitude_, 1);
  counts_.resize((static_cast<std::size_t>(bucket_count_) + 1) << half_magnitude_);
}

void Histogram::record_paced(std::int64_t value, std::int64_t interval) noexcept {
  record(value);
  if (interval <= 0 || value < interval) return;
  // All missing values that share a counter go in at once: a wait of an hour at an interval of a nanosecond must end.
  for (std::int64_t missing = value - interval; missing >= interval;) {
    const bool beyond = missing > range_.highest;
    const std::int64_t lowest = std::max(beyond ? range_.highest + 1 : lowest_at(index_of(missing)), interval);
    const std::int64_t times = (missing - lowest) / interval + 1;
    record(missing, static_cast<std::uint64_t>(times));
    missing -= interval * times;
    // record() was told the largest of them only.
    least_ = std::min(least_, std::min(missing + interval, range_.highest));
  }
}

void Histogram::merge(const Histogram& other) noexcept {
  if (other.count_ == 0) return;
  const auto theirs = other.used();
  const std::uint64_t before = out_of_range_;
  if (other.half_magnitude_ == half_magnitude_ && other.most_ <= range_.highest) {
    for (std::size_t i = 0; i < theirs.size(); ++i) counts_[i] += theirs[i];
    count_ += other.count_;
    least_ = std::min(least_, other.least_);
    most_ = std::max(most_, other.most_);
  } else {
    for (std::size_t i = 0; i < theirs.size(); ++i)
      if (theirs[i] != 0) record(std::clamp(other.middle_at(i), other.least_, other.most_), theirs[i]);
    // The ends are known better than their counters' middles.
    least_ = std::min(least_, other.least_);
    most_ = std::max(most_, std::min(other.most_, range_.highest));
  }
  // What was beyond the other's range may be beyond this one's as well, and is not counted twice.
  out_of_range_ = before + std::max(out_of_range_ - before, other.out_of_range_);
}

void Histogram::clear() noexcept {
  std::fill_n(counts_.begin(), used().size(), 0);
  count_ = out_of_range_ = 0;
  least_ = INT64_MAX;
  most_ = 0;
}

double Histogram::mean() const noexcept {
  if (count_ == 0) return 0;
  double sum = 0;
  const auto counts = used();
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] != 0) sum += static_cast<double>(middle_at(i)) * static_cast<double>(counts[i]);
  return sum / static_cast<double>(count_);
}

double Histogram::standard_deviation() const noexcept {
  if (count_ == 0) return 0;
  const double average = mean();
  double sum = 0;
  const auto counts = used();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double deviation = static_cast<double>(middle_at(i)) - average;
    sum += deviation * deviation * static_cast<double>(counts[i]);
  }
  return std::sqrt(sum / static_cast<double>(count_));
}

std::int64_t Histogram::percentile(double percent) const noexcept {
  if (count_ == 0) return 0;
  // The step down keeps 99.9 % of 1,000 at the 999th value though the product is rounded up.
  const double wanted = std::clamp(std::nextafter(percent, -INFINITY), 0.0, 100.0);
  const double rank = std::ceil(wanted * static_cast<double>(count_) / 100);
  std::uint64_t left = std::max<std::uint64_t>(static_cast<std::uint64_t>(rank), 1);
  const auto counts = used();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] >= left) return std::min(highest_at(i), most_);
    left -= counts[i];
  }
  return most_;
}

}  // namespace outcry
