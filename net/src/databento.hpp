// Databento: what its CSV files have in common: columns found by name, times as text in UTC, prices as decimals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace outcry::databento {

/// The first line of a file; it must outlive this.
class Header {
 public:
  static constexpr std::size_t none = ~std::size_t{0};

  explicit Header(std::string_view line);
  std::size_t columns() const { return names_.size(); }
  /// The first column of this name, or none.
  std::size_t column(std::string_view name) const;
  bool has(std::initializer_list<std::string_view> names) const;

 private:
  std::vector<std::string_view> names_;
};

/// Market by order: a record for each order's change. What a reader cannot do without.
bool is_mbo(const Header& header);
/// Market by price: the book as it is, behind the event that made it so.
bool is_mbp(const Header& header);

inline constexpr std::int64_t price_scale = 1'000'000'000;

struct UtcTime {
  std::int64_t day = 0;  // since 1970-01-01
  std::int64_t ns = 0;   // since midnight
};

/// 2025-07-17T07:05:09.035627674Z, with up to nine decimals or none. No leap seconds.
bool parse_time(std::string_view text, UtcTime& time);
inline constexpr std::string_view time_text = "a time such as 2025-07-17T07:05:09.035627674Z";

/// 5.510000000, with one to nine decimals: without a point it may be a number of billionths, so that is refused.
bool parse_price(std::string_view text, std::int64_t& units);
inline constexpr std::string_view price_text = "a price with one to nine decimals";

/// For errors: 5.51.
std::string decimal(std::int64_t units);

}  // namespace outcry::databento
