// FixWriter: one FIX message that is being written: fields behind each other, then body length and checksum.
//
// Thread: one owner. Its memory is allocated once, by the constructor.
// Limits: `largest` bytes. A message that grows larger is none: finish() gives no bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <outcry/net/fix.hpp>

namespace outcry::fix {

class Writer {
 public:
  explicit Writer(std::size_t largest);

  /// Throws away what was written.
  void begin(Version version, std::string_view type);

  void put(Tag tag, std::string_view value);
  void put(Tag tag, char value) { put(tag, std::string_view(&value, 1)); }
  void put_number(Tag tag, std::uint64_t value);
  void put_bool(Tag tag, bool value) { put(tag, value ? 'Y' : 'N'); }
  /// In 1/10,000; without zeros at the end.
  void put_price(Tag tag, std::int64_t price);
  /// Nanoseconds since 1970, UTC; written in milliseconds.
  void put_time(Tag tag, std::int64_t utc_ns);

  /// The whole message, valid until begin(); empty if it did not fit.
  std::span<const std::byte> finish();

 private:
  void append(std::string_view text);
  void append_number(std::uint64_t value, std::size_t digits = 1);
  void field(Tag tag);

  // In front of the body there is room for begin string and length, which are written last.
  static constexpr std::size_t front = 32;
  std::size_t largest_;
  std::unique_ptr<char[]> memory_;
  Version version_ = Version::v4_2;
  std::size_t size_ = front;
  bool overflow_ = false;
};

}  // namespace outcry::fix
