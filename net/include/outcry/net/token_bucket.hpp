// TokenBucket: so many a second, and so many at once. Exact: in whole numbers, from times that are given.
//
// Limits: burst and rate at most 1,000,000,000.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>

namespace outcry {

struct TokenRate {
  std::uint64_t per_second = 0;
  std::uint64_t burst = 0;  // what a full bucket holds
};

class TokenBucket {
 public:
  /// Full.
  TokenBucket(TokenRate rate, std::int64_t now_ns) : rate_(rate), credit_(rate.burst * second), filled_ns_(now_ns) {
    assert(rate.burst <= second && rate.per_second <= second && "a rate too large to count");
  }

  /// Takes all of them, or none and returns false. A time before the last one counts as the last one.
  bool take(std::uint64_t tokens, std::int64_t now_ns) {
    fill(now_ns);
    if (tokens > rate_.burst || tokens * second > credit_) return false;
    credit_ -= tokens * second;
    return true;
  }
  /// Would take() give them?
  bool has(std::uint64_t tokens, std::int64_t now_ns) {
    fill(now_ns);
    return tokens <= rate_.burst && tokens * second <= credit_;
  }

 private:
  static constexpr std::uint64_t second = 1'000'000'000;

  void fill(std::int64_t now_ns) {
    if (now_ns <= filled_ns_) return;
    const auto elapsed = static_cast<std::uint64_t>(now_ns - filled_ns_);
    const std::uint64_t missing = rate_.burst * second - credit_;
    // Each nanosecond is worth `per_second` parts of a token; whether the bucket overflows is asked before multiplying.
    const bool full = rate_.per_second != 0 && elapsed > missing / rate_.per_second;
    credit_ = full ? rate_.burst * second : credit_ + elapsed * rate_.per_second;
    filled_ns_ = now_ns;
  }

  TokenRate rate_;
  std::uint64_t credit_;  // in billionths of a token
  std::int64_t filled_ns_;
};

}  // namespace outcry
