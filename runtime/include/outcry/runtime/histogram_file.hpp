// Histogram files: what public tools read. `.hgrm`, a table of percentiles for plotters, and `.hlog`, the log of
// HdrHistogram, version 1.3, with every counter in it.
//
// One `.hgrm` holds one series, since plotters line up the rows of several files; several series are several files
// (write_hgrm_files). One `.hlog` holds any number of series, told apart by their tags.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <outcry/runtime/histogram.hpp>

namespace outcry {

/// Writes percentiles at five ticks for each halving of the distance to 100 %. Values are divided by `unit`: 1,000
/// writes nanoseconds as microseconds.
void write_hgrm(std::ostream& out, const Histogram& histogram, double unit = 1);

struct HistogramSeries {
  std::string tag;  // in a file's name and in a log; anything but letters, digits, '.', '-', '_' becomes '_'
  const Histogram* histogram;
};

/// Writes `folder/name.hgrm` with all series merged and, for each series, `folder/name.TAG.hgrm`. Gives the files
/// written. Throws std::system_error if one cannot be.
std::vector<std::filesystem::path> write_hgrm_files(const std::filesystem::path& folder, std::string_view name,
                                                    std::span<const HistogramSeries> series, double unit = 1);

/// A log of intervals; times are seconds since the epoch. The stream must outlive it.
class HistogramLog {
 public:
  /// Writes the log's head.
  HistogramLog(std::ostream& out, double start_s);

  /// Writes one interval. An empty tag writes none. `unit` divides the interval's maximum, which stands in the line for
  /// people to read: 1,000,000 writes nanoseconds as milliseconds.
  void write(std::string_view tag, double from_s, double until_s, const Histogram& histogram, double unit = 1e6);

 private:
  std::ostream& out_;
  double start_s_;
};

/// The compressed form (HdrHistogram V2, zlib), as it stands in a log in base64.
std::vector<std::uint8_t> encode(const Histogram& histogram);
/// Nothing if the bytes are not one. Values are known to the digits only, so min() and max() come back rounded up.
std::optional<Histogram> decode_histogram(std::span<const std::uint8_t> bytes);

std::string to_base64(std::span<const std::uint8_t> bytes);
/// Nothing if the text is not base64.
std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text);

}  // namespace outcry
