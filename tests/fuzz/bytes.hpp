// Bytes: what a fuzzer gives, taken as small numbers; when nothing is left, zeros.
#pragma once

#include <cstddef>
#include <cstdint>

namespace outcry_test {

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}

  bool empty() const { return at_ == end_; }
  std::uint8_t next() { return empty() ? std::uint8_t{0} : *at_++; }
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  std::uint64_t word() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | next();
    return value;
  }
  /// One in 256.
  bool rarely() { return next() == 0xFF; }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

}  // namespace outcry_test
