#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
#include <vector>

#include <outcry/runtime/histogram.hpp>
#include <outcry/runtime/histogram_file.hpp>

#include "tests/scratch.hpp"
#include "tests/seed.hpp"

using outcry::Histogram;

namespace {

std::vector<std::uint64_t> counters(const Histogram& histogram) {
  return {histogram.counts().begin(), histogram.counts().end()};
}

struct HgrmRow {
  double value, percentile, total, inverse;
};

/// What a plotter sees of a .hgrm: the rows of four fields that are no comment.
std::vector<HgrmRow> plotted_rows(const std::string& text) {
  std::vector<HgrmRow> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    HgrmRow row{};
    std::string more;
    if (line.starts_with('#') || !(fields >> row.value >> row.percentile >> row.total >> row.inverse)) continue;
    fields >> more;
    CHECK(more == "");
    rows.push_back(row);
  }
  return rows;
}

std::string hgrm(const Histogram& histogram, double unit = 1) {
  std::ostringstream out;
  outcry::write_hgrm(out, histogram, unit);
  return out.str();
}

}  // namespace

TEST_CASE("an empty histogram answers zero to everything") {
  const Histogram histogram;

  CHECK(histogram.count() == 0);
  CHECK(histogram.min() == 0);
  CHECK(histogram.max() == 0);
  CHECK(histogram.mean() == 0);
  CHECK(histogram.standard_deviation() == 0);
  CHECK(histogram.percentile(99) == 0);
}

TEST_CASE("counters are numbered as in HdrHistogram") {
  const Histogram histogram;

  // 2,048 steps of one, then 1,024 steps for each doubling.
  CHECK(histogram.sub_bucket_count() == 2048);
  CHECK(histogram.bucket_count() == 32);
  CHECK(histogram.counts().size() == 33 * 1024);
  CHECK(histogram.index_of(0) == 0);
  CHECK(histogram.index_of(2047) == 2047);
  CHECK(histogram.index_of(2048) == 2048);
  CHECK(histogram.index_of(2049) == 2048);
  CHECK(histogram.index_of(4095) == 3071);
  CHECK(histogram.index_of(4096) == 3072);
  CHECK(histogram.index_of(4100) == 3073);
}

TEST_CASE("every value lies in its counter, and a counter's width is within the digits") {
  for (int digits = 1; digits <= 5; ++digits) {
    for (const std::int64_t highest : {std::int64_t{2}, std::int64_t{1'000'000}, std::int64_t{INT64_MAX}}) {
      const Histogram histogram({.highest = highest, .significant_digits = digits});

      std::int64_t expected = 0;
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
        const std::int64_t low = histogram.lowest_at(i), high = histogram.highest_at(i);
        wrong += low != expected;
        wrong += static_cast<double>(high - low) > static_cast<double>(low) * std::pow(10, -digits);
        wrong += high <= highest && histogram.index_of(high) != i;
        wrong += low <= highest && histogram.index_of(low) != i;
        if (high == INT64_MAX) break;
        expected = high + 1;
      }
      CHECK(wrong == 0);
      CHECK(histogram.highest_at(histogram.counts().size() - 1) >= highest);
    }
  }
}

TEST_CASE("percentiles of drawn values are those of the sorted values, to three digits") {
  INFO("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  Histogram histogram;
  std::vector<std::int64_t> values(10'000);
  for (auto& value : values) {
    value = static_cast<std::int64_t>(random() >> (22 + random() % 40));
    histogram.record(value);
  }
  std::sort(values.begin(), values.end());

  for (const double percent : {0.01, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    const auto rank = static_cast<std::size_t>(std::max(std::ceil(percent * 100 - 1e-9), 1.0));
    const std::int64_t truth = std::min(values[rank - 1], histogram.highest());
    const std::int64_t found = histogram.percentile(percent);
    INFO("percent " << percent);
    CHECK(found >= truth);
    CHECK(static_cast<double>(found - truth) <= static_cast<double>(truth) / 1000);
  }
  CHECK(histogram.count() == values.size());
  CHECK(histogram.min() == values.front());
  CHECK(histogram.max() == std::min(values.back(), histogram.highest()));
}

TEST_CASE("99.9 percent of 1,000 values is the 999th") {
  Histogram histogram;
  for (int value = 1; value <= 1'000; ++value) histogram.record(value);

  CHECK(histogram.percentile(50) == 500);
  CHECK(histogram.percentile(99.9) == 999);
  CHECK(histogram.percentile(100) == 1'000);
}

TEST_CASE("values beyond the range are counted at its ends, and said to be") {
  Histogram histogram({.highest = 1'000'000, .significant_digits = 2});
  histogram.record(-5);
  histogram.record(7);
  histogram.record(2'000'000);
  histogram.record(INT64_MAX);

  CHECK(histogram.count() == 4);
  CHECK(histogram.out_of_range() == 3);
  CHECK(histogram.min() == 0);
  CHECK(histogram.max() == 1'000'000);
  CHECK(histogram.percentile(50) == 7);
}

TEST_CASE("two digits need a seventh of the memory of three") {
  const Histogram fine, coarse({.significant_digits = 2});

  CHECK(fine.counts().size_bytes() == 264 * 1024);
  CHECK(coarse.counts().size_bytes() == 36 * 1024);
}

TEST_CASE("a paced wait also counts the waits that it hid") {
  Histogram histogram;
  histogram.record_paced(1'000, 300);

  Histogram expected;
  for (const int value : {1'000, 700, 400}) expected.record(value);
  CHECK(counters(histogram) == counters(expected));
  CHECK(histogram.min() == 400);
  CHECK(histogram.max() == 1'000);
}

TEST_CASE("paced recording counts as one by one would, for any interval and range") {
  INFO("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  for (int round = 0; round < 300; ++round) {
    const Histogram::Range range{.highest = static_cast<std::int64_t>(2 + random() % 200'000),
                                 .significant_digits = static_cast<int>(1 + random() % 3)};
    const auto value = static_cast<std::int64_t>(random() % 300'000);
    const auto interval = static_cast<std::int64_t>(random() % 5'000) - 10;

    Histogram paced(range), one_by_one(range);
    paced.record_paced(value, interval);
    one_by_one.record(value);
    if (interval > 0)
      for (auto missing = value - interval; missing >= interval; missing -= interval) one_by_one.record(missing);

    REQUIRE(counters(paced) == counters(one_by_one));
    REQUIRE(paced.count() == one_by_one.count());
    REQUIRE(paced.min() == one_by_one.min());
    REQUIRE(paced.max() == one_by_one.max());
    REQUIRE(paced.out_of_range() == one_by_one.out_of_range());
  }
}

TEST_CASE("a wait of an hour at a pace of a nanosecond is recorded at once") {
  Histogram histogram;
  histogram.record_paced(histogram.highest(), 1);

  CHECK(histogram.count() == static_cast<std::uint64_t>(histogram.highest()));
  CHECK(histogram.min() == 1);
}

TEST_CASE("merged histograms count what one histogram would have counted") {
  INFO("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  Histogram first, second, both;
  for (int i = 0; i < 5'000; ++i) {
    const auto value = static_cast<std::int64_t>(random() >> (10 + random() % 50));
    (i % 3 == 0 ? first : second).record(value);
    both.record(value);
  }

  first.merge(second);

  CHECK(counters(first) == counters(both));
  CHECK(first.count() == both.count());
  CHECK(first.min() == both.min());
  CHECK(first.max() == both.max());
  CHECK(first.out_of_range() == both.out_of_range());
  CHECK(first.mean() == both.mean());
}

TEST_CASE("a histogram merges one of other digits and of a wider range") {
  Histogram coarse({.highest = 10'000, .significant_digits = 2});
  Histogram fine;
  fine.record(1'234, 3);
  fine.record(50'000, 2);
  coarse.merge(fine);

  CHECK(coarse.count() == 5);
  CHECK(coarse.out_of_range() == 2);
  CHECK(coarse.min() == 1'234);
  CHECK(coarse.max() == 10'000);
  CHECK(coarse.counts()[coarse.index_of(1'234)] == 3);
}

TEST_CASE("a histogram that was cleared is as new") {
  Histogram histogram;
  for (const std::int64_t value : {0, 5, 100'000, 2'000'000'000}) histogram.record(value);
  histogram.clear();

  CHECK(histogram.count() == 0);
  CHECK(histogram.max() == 0);
  CHECK(counters(histogram) == counters(Histogram{}));
}

TEST_CASE("a range that makes no sense is refused") {
  CHECK_THROWS_AS(Histogram({.significant_digits = 0}), std::invalid_argument);
  CHECK_THROWS_AS(Histogram({.significant_digits = 6}), std::invalid_argument);
  CHECK_THROWS_AS(Histogram({.highest = 1}), std::invalid_argument);
}

TEST_CASE("the table of percentiles is laid out as plotters expect") {
  Histogram histogram;
  for (const std::int64_t value : {1, 2, 3, 4}) histogram.record(value);

  CHECK(hgrm(histogram) ==
        "       Value     Percentile TotalCount 1/(1-Percentile)\n"
        "\n"
        "       1.000 0.000000000000          1           1.00\n"
        "       1.000 0.100000000000          1           1.11\n"
        "       1.000 0.200000000000          1           1.25\n"
        "       2.000 0.300000000000          2           1.43\n"
        "       2.000 0.400000000000          2           1.67\n"
        "       2.000 0.500000000000          2           2.00\n"
        "       3.000 0.550000000000          3           2.22\n"
        "       3.000 0.600000000000          3           2.50\n"
        "       3.000 0.650000000000          3           2.86\n"
        "       3.000 0.700000000000          3           3.33\n"
        "       3.000 0.750000000000          3           4.00\n"
        "       4.000 0.775000000000          4           4.44\n"
        "       4.000 1.000000000000          4\n"
        "#[Mean    =        2.500, StdDeviation   =        1.118]\n"
        "#[Max     =        4.000, Total count    =            4]\n"
        "#[Buckets =           32, SubBuckets     =         2048]\n");
}

TEST_CASE("the table of an empty histogram has no rows") { CHECK(plotted_rows(hgrm(Histogram{})).empty()); }

TEST_CASE("a table read back gives the percentiles that the histogram gives") {
  INFO("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  Histogram histogram;
  for (int i = 0; i < 100'000; ++i) histogram.record(static_cast<std::int64_t>(random() % 1'000 * (random() % 1'000)));

  const auto rows = plotted_rows(hgrm(histogram, 1'000));

  REQUIRE(rows.size() > 50);
  double percentile = -1;
  for (const auto& row : rows) {
    CHECK(row.percentile > percentile);
    percentile = row.percentile;
    CHECK(row.inverse == doctest::Approx(1 / (1 - row.percentile)).epsilon(0.01));
    CHECK(row.total >= row.percentile * static_cast<double>(histogram.count()) - 0.001);
    if (row.percentile == 0) continue;
    const auto value = histogram.percentile(100 * row.percentile);
    CHECK(std::llround(row.value * 1'000) == histogram.highest_at(histogram.index_of(value)));
  }
}

TEST_CASE("several series are several tables with the same rows, and one of all") {
  const outcry_test::Scratch scratch;
  Histogram matching, delivery({.significant_digits = 2});
  matching.record(10);
  delivery.record(20);
  const std::vector<outcry::HistogramSeries> series{{"book: matched", &matching}, {"delivered", &delivery}};

  const auto files = outcry::write_hgrm_files(scratch.folder(), "latency", series);

  const std::vector<std::filesystem::path> expected{scratch.folder() / "latency.hgrm",
                                                    scratch.folder() / "latency.book__matched.hgrm",
                                                    scratch.folder() / "latency.delivered.hgrm"};
  CHECK(files == expected);
  const auto text = [](const std::filesystem::path& path) {
    std::ifstream in(path);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  CHECK(text(expected[1]) == hgrm(matching));
  CHECK(text(expected[2]) == hgrm(delivery));
  matching.merge(delivery);
  CHECK(text(expected[0]) == hgrm(matching));
  CHECK_THROWS_AS(outcry::write_hgrm_files(scratch.folder() / "missing", "latency", series), std::system_error);
}

TEST_CASE("a log names its series and holds every counter") {
  INFO("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  Histogram histogram;
  for (int i = 0; i < 2'000; ++i)
    histogram.record(static_cast<std::int64_t>(random() >> (23 + random() % 41)),
                     1 + (random() >> (1 + random() % 60)) / 4096);

  std::ostringstream out;
  outcry::HistogramLog log(out, 1'000'000'000.5);
  log.write("matched, fast", 1'000'000'001.5, 1'000'000'003.75, histogram);
  log.write("", 1'000'000'001.5, 1'000'000'002.5, Histogram{});

  std::istringstream lines(out.str());
  std::string line;
  const auto next = [&] { return std::getline(lines, line) ? line : std::string("end"); };
  CHECK(next() == "#[Histogram log format version 1.3]");
  CHECK(next() == "#[StartTime: 1000000000.500 (seconds since epoch), 2001-09-09T01:46:40Z]");
  CHECK(next() == "#[BaseTime: 1000000000.500 (seconds since epoch)]");
  CHECK(next() == "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"");
  CHECK(next().starts_with("Tag=matched__fast,1.000,2.250,"));

  const auto bytes = outcry::from_base64(line.substr(line.rfind(',') + 1));
  REQUIRE(bytes);
  const auto read = outcry::decode_histogram(*bytes);
  REQUIRE(read);
  CHECK(counters(*read) == counters(histogram));
  CHECK(read->count() == histogram.count());
  CHECK(read->range().significant_digits == 3);
  CHECK(read->highest() == histogram.highest());
  CHECK(next().starts_with("1.000,1.000,0.000,"));
  CHECK(next() == "end");
}

TEST_CASE("a compressed histogram that was damaged is refused or read, never believed blindly") {
  INFO("--seed=" << test_seed());
  std::mt19937_64 random(test_seed());
  Histogram histogram;
  for (int i = 0; i < 1'000; ++i) histogram.record(static_cast<std::int64_t>(random() % 1'000'000));
  const auto good = outcry::encode(histogram);

  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK_FALSE(outcry::decode_histogram({good.data(), length}));
  for (std::size_t i = 0; i < good.size(); i += 7) {
    auto bad = good;
    bad[i] ^= static_cast<std::uint8_t>(1 + random() % 255);
    // The compressed stream carries a checksum of its content, and the head fits nothing but this length; only the
    // stream's own head has bits that do not matter.
    if (const auto read = outcry::decode_histogram(bad)) CHECK(counters(*read) == counters(histogram));
  }
}

TEST_CASE("base64 is the one of RFC 4648") {
  const std::vector<std::tuple<std::string, std::string>> vectors{
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, coded] : vectors) {
    const std::vector<std::uint8_t> bytes(plain.begin(), plain.end());
    CHECK(outcry::to_base64(bytes) == coded);
    CHECK(outcry::from_base64(coded) == bytes);
  }
  CHECK_FALSE(outcry::from_base64("Zg="));
  CHECK_FALSE(outcry::from_base64("Z!=="));
}
