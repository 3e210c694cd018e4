#include <outcry/actors/metrics_text.hpp>

#include <limits>
#include <string>

#include <doctest/doctest.h>

using namespace outcry;

TEST_CASE("counters and gauges stand behind their help and type, with their labels") {
  MetricsText text;
  text.counter("outcry_orders_total", "Orders that\nreached a \\book")
      .add({{"symbol", "AAPL"}, {"side", "a \"b\" \\ \n"}}, std::uint64_t{18'446'744'073'709'551'615u})
      .add({}, std::uint64_t{0});
  text.gauge("outcry_busy", "Share").add({{"scheduler", "0"}}, 0.25).add({}, std::numeric_limits<double>::infinity());

  CHECK(text.text() ==
        "# HELP outcry_orders_total Orders that\\nreached a \\\\book\n"
        "# TYPE outcry_orders_total counter\n"
        "outcry_orders_total{symbol=\"AAPL\",side=\"a \\\"b\\\" \\\\ \\n\"} 18446744073709551615\n"
        "outcry_orders_total 0\n"
        "# HELP outcry_busy Share\n"
        "# TYPE outcry_busy gauge\n"
        "outcry_busy{scheduler=\"0\"} 0.25\n"
        "outcry_busy +Inf\n");
}

TEST_CASE("a histogram's buckets are cumulative, in seconds, and end with all") {
  Histogram histogram({.highest = 60'000'000'000, .significant_digits = 3});
  histogram.record(900);             // below a microsecond
  histogram.record(2'000);           // 2 us
  histogram.record(30'000'000);      // 30 ms
  histogram.record(20'000'000'000);  // beyond the last bound
  MetricsText text;
  text.histogram("outcry_stage_seconds", "Stages").add({{"stage", "match"}}, histogram);

  const auto has = [&](const std::string& line) { return text.text().find(line + "\n") != std::string::npos; };
  CHECK(has("outcry_stage_seconds_bucket{stage=\"match\",le=\"1e-06\"} 1"));
  CHECK(has("outcry_stage_seconds_bucket{stage=\"match\",le=\"2.5e-06\"} 2"));
  CHECK(has("outcry_stage_seconds_bucket{stage=\"match\",le=\"0.025\"} 2"));
  CHECK(has("outcry_stage_seconds_bucket{stage=\"match\",le=\"0.05\"} 3"));
  CHECK(has("outcry_stage_seconds_bucket{stage=\"match\",le=\"10\"} 3"));
  CHECK(has("outcry_stage_seconds_bucket{stage=\"match\",le=\"+Inf\"} 4"));
  CHECK(has("outcry_stage_seconds_count{stage=\"match\"} 4"));
  CHECK(text.text().find("outcry_stage_seconds_sum{stage=\"match\"} 20.0") != std::string::npos);
  CHECK(MetricsText::bucket_bounds().size() == 22);
}

TEST_CASE("a histogram that has seen nothing is all zeros") {
  MetricsText text;
  text.histogram("x_seconds", "x").add({}, Histogram({.highest = 1'000, .significant_digits = 2}));
  CHECK(text.text().find("x_seconds_sum 0\nx_seconds_count 0\n") != std::string::npos);
}
