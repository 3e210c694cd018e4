#include <outcry/runtime/histogram_file.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <new>
#include <ostream>
#include <system_error>

namespace outcry {
namespace {

constexpr int ticks_per_half_distance = 5;

template <typename... Values>
void print(std::ostream& out, const char* format, Values... values) {
  std::array<char, 512> line;
  const int length = std::snprintf(line.data(), line.size(), format, values...);
  out.write(line.data(), std::min<int>(length, line.size() - 1));
}

std::string file_name(std::string_view text) {
  std::string name(text);
  for (char& c : name) {
    const bool kept =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    if (!kept) c = '_';
  }
  return name;
}

/// The next percentile to report after this one: each halving of what is left to 100 has the same number of steps.
double next_percentile(double percent) {
  const double halvings = std::floor(std::log(100 / (100 - percent)) / std::log(2.0)) + 1;
  return percent + 100 / (ticks_per_half_distance * std::pow(2, halvings));
}

// The binary form: numbers have their highest byte first.

constexpr std::uint32_t plain_cookie = 0x1c849313;
constexpr std::uint32_t compressed_cookie = 0x1c849314;
constexpr std::size_t plain_head = 40;
constexpr std::size_t compressed_head = 8;

using Bytes = std::vector<std::uint8_t>;
using Input = std::span<const std::uint8_t>;

template <typename Number>
void put(Bytes& out, Number number) {
  for (int shift = 8 * (static_cast<int>(sizeof number) - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(number >> shift));
}

template <typename Number>
Number take(Input in, std::size_t at) {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) number = static_cast<Number>(number << 8 | in[at + i]);
  return number;
}

/// ZigZag, then seven bits a byte, lowest first; the ninth byte carries eight.
void put_packed(Bytes& out, std::int64_t number) {
  std::uint64_t left = (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
  for (int i = 0; i < 8 && left >= 0x80; ++i, left >>= 7) out.push_back(static_cast<std::uint8_t>(left | 0x80));
  out.push_back(static_cast<std::uint8_t>(left));
}

std::optional<std::int64_t> take_packed(Input in, std::size_t& at) {
  std::uint64_t packed = 0;
  for (int i = 0; i < 9; ++i) {
    if (at == in.size()) return {};
    const std::uint64_t byte = in[at++];
    packed |= (i == 8 ? byte : byte & 0x7f) << 7 * i;
    if (i == 8 || byte < 0x80) break;
  }
  return static_cast<std::int64_t>(packed >> 1 ^ (0 - (packed & 1)));
}

Bytes plain(const Histogram& histogram) {
  Bytes counts;
  const auto all = histogram.counts();
  const std::size_t used = histogram.index_of(histogram.max()) + 1;
  for (std::size_t i = 0; i < used;) {
    if (all[i] != 0) {
      put_packed(counts, static_cast<std::int64_t>(all[i++]));
      continue;
    }
    const std::size_t from = i;
    while (i < used && all[i] == 0) ++i;
    const auto zeros = static_cast<std::int64_t>(i - from);
    put_packed(counts, zeros == 1 ? 0 : -zeros);
  }

  Bytes bytes;
  put<std::uint32_t>(bytes, plain_cookie);
  put<std::uint32_t>(bytes, static_cast<std::uint32_t>(counts.size()));
  put<std::uint32_t>(bytes, 0);  // normalizing offset
  put<std::uint32_t>(bytes, static_cast<std::uint32_t>(histogram.range().significant_digits));
  put<std::uint64_t>(bytes, 1);  // lowest value told from zero
  put<std::uint64_t>(bytes, static_cast<std::uint64_t>(histogram.highest()));
  put<std::uint64_t>(bytes, std::bit_cast<std::uint64_t>(1.0));  // of an integer to the value it stands for
  bytes.insert(bytes.end(), counts.begin(), counts.end());
  return bytes;
}

std::optional<Histogram> from_plain(Input in) {
  if (in.size() < plain_head || take<std::uint32_t>(in, 0) != plain_cookie) return {};
  if (take<std::uint32_t>(in, 4) != in.size() - plain_head) return {};
  const bool shifted = take<std::uint32_t>(in, 8) != 0 || take<std::uint64_t>(in, 16) != 1;
  const auto digits = take<std::uint32_t>(in, 12);
  const auto highest = static_cast<std::int64_t>(take<std::uint64_t>(in, 24));
  if (shifted || digits < 1 || digits > 5 || highest < 2) return {};

  Histogram histogram({.highest = highest, .significant_digits = static_cast<int>(digits)});
  std::uint64_t index = 0;
  for (std::size_t at = plain_head; at < in.size();) {
    const auto count = take_packed(in, at);
    const std::uint64_t left = histogram.counts().size() - index;
    if (!count) return {};
    if (*count <= 0) {
      const std::uint64_t zeros = *count == 0 ? 1 : 0 - static_cast<std::uint64_t>(*count);
      if (zeros > left) return {};
      index += zeros;
    } else {
      if (left == 0) return {};
      const std::int64_t value = std::min(histogram.highest_at(index++), highest);
      histogram.record(value, static_cast<std::uint64_t>(*count));
    }
  }
  return histogram;
}

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

void write_hgrm(std::ostream& out, const Histogram& histogram, double unit) {
  const int digits = histogram.range().significant_digits;
  print(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");

  const auto counts = histogram.counts();
  const auto total = histogram.count();
  const auto percent_of = [total](std::uint64_t seen) {
    return 100 * static_cast<double>(seen) / static_cast<double>(total);
  };
  double percent = 0;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; seen < total; ++i) {
    if (counts[i] == 0) continue;
    seen += counts[i];
    const double value = static_cast<double>(histogram.highest_at(i)) / unit;
    // The value that completes the total closes the table below, after the first level that it reaches.
    for (bool more = true; more && percent_of(seen) >= percent; more = seen < total && percent < 100) {
      print(out, "%12.*f %2.12f %10llu %14.2f\n", digits, value, percent / 100, static_cast<unsigned long long>(seen),
            1 / (1 - percent / 100));
      percent = next_percentile(percent);
    }
    if (seen == total) print(out, "%12.*f %2.12f %10llu\n", digits, value, 1.0, static_cast<unsigned long long>(seen));
  }

  const double most =
      histogram.max() == 0 ? 0 : static_cast<double>(histogram.highest_at(histogram.index_of(histogram.max())));
  print(out, "#[Mean    = %12.*f, StdDeviation   = %12.*f]\n", digits, histogram.mean() / unit, digits,
        histogram.standard_deviation() / unit);
  print(out, "#[Max     = %12.*f, Total count    = %12llu]\n", digits, most / unit,
        static_cast<unsigned long long>(total));
  print(out, "#[Buckets = %12d, SubBuckets     = %12d]\n", histogram.bucket_count(), histogram.sub_bucket_count());
}

std::vector<std::filesystem::path> write_hgrm_files(const std::filesystem::path& folder, std::string_view name,
                                                    std::span<const HistogramSeries> series, double unit) {
  std::vector<std::filesystem::path> written;
  const auto write = [&](std::string_view file, const Histogram& histogram) {
    const auto path = folder / (std::string(file) + ".hgrm");
    std::ofstream out(path);
    write_hgrm(out, histogram, unit);
    out.close();
    if (!out) throw std::system_error(errno, std::generic_category(), "cannot write " + path.string());
    written.push_back(path);
  };

  Histogram::Range range;
  for (const auto& one : series) {
    range.highest = std::max(range.highest, one.histogram->highest());
    range.significant_digits = std::max(range.significant_digits, one.histogram->range().significant_digits);
  }
  Histogram all(range);
  for (const auto& one : series) all.merge(*one.histogram);
  write(name, all);
  for (const auto& one : series) write(std::string(name) + "." + file_name(one.tag), *one.histogram);
  return written;
}

HistogramLog::HistogramLog(std::ostream& out, double start_s) : out_(out), start_s_(start_s) {
  const auto seconds = static_cast<std::time_t>(start_s);
  std::tm date{};
  gmtime_r(&seconds, &date);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &date);
  out_ << "#[Histogram log format version 1.3]\n";
  print(out_, "#[StartTime: %.3f (seconds since epoch), %s]\n", start_s, text.data());
  print(out_, "#[BaseTime: %.3f (seconds since epoch)]\n", start_s);
  out_ << "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n";
}

void HistogramLog::write(std::string_view tag, double from_s, double until_s, const Histogram& histogram, double unit) {
  if (!tag.empty()) out_ << "Tag=" << file_name(tag) << ',';
  print(out_, "%.3f,%.3f,%.3f,", from_s - start_s_, until_s - from_s, static_cast<double>(histogram.max()) / unit);
  out_ << to_base64(encode(histogram)) << '\n';
}

std::vector<std::uint8_t> encode(const Histogram& histogram) {
  const Bytes bytes = plain(histogram);
  uLongf length = compressBound(bytes.size());
  Bytes packed(length);
  if (compress(packed.data(), &length, bytes.data(), bytes.size()) != Z_OK) throw std::bad_alloc();

  Bytes out;
  put<std::uint32_t>(out, compressed_cookie);
  put<std::uint32_t>(out, static_cast<std::uint32_t>(length));
  out.insert(out.end(), packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(length));
  return out;
}

std::optional<Histogram> decode_histogram(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < compressed_head || take<std::uint32_t>(bytes, 0) != compressed_cookie) return {};
  if (take<std::uint32_t>(bytes, 4) != bytes.size() - compressed_head) return {};

  // The widest histogram there is has fewer counters than this has bytes.
  constexpr std::size_t longest = 64u << 20;
  Bytes unpacked(64u << 10);
  for (;; unpacked.resize(4 * unpacked.size())) {
    uLongf length = unpacked.size();
    const int result = uncompress(unpacked.data(), &length, bytes.data() + compressed_head,
                                  static_cast<uLong>(bytes.size() - compressed_head));
    if (result == Z_OK) return from_plain({unpacked.data(), length});
    if (result != Z_BUF_ERROR || unpacked.size() >= longest) return {};
  }
}

std::string to_base64(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t there = std::min<std::size_t>(bytes.size() - i, 3);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < there ? bytes[i + k] : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= there ? letters[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return {};
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);

  Bytes bytes;
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    const auto value = letters.find(c);
    if (value == letters.npos) return {};
    group = group << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<std::uint8_t>(group >> bits));
  }
  return bytes;
}

}  // namespace outcry
