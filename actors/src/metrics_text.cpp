#include <outcry/actors/metrics_text.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

namespace outcry {

namespace {

constexpr std::array<std::int64_t, 22> bounds = [] {
  std::array<std::int64_t, 22> all{};
  std::size_t i = 0;
  for (std::int64_t power = 1'000; power <= 1'000'000'000; power *= 10)
    for (const std::int64_t tenth : {10, 25, 50}) all[i++] = power * tenth / 10;
  all[i] = 10'000'000'000;
  return all;
}();

[[maybe_unused]] bool is_name(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
}

void append_escaped(std::string& text, std::string_view value, bool quotes) {
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '\\' || (c == '"' && quotes)) text += '\\';
    text += c;
  }
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

std::span<const std::int64_t> MetricsText::bucket_bounds() { return bounds; }

MetricsText::Family MetricsText::family(std::string_view name, std::string_view help, std::string_view type) {
  assert(is_name(name) && "a metric's name is made of letters, digits and underscores");
  assert((type != "counter" || name.ends_with("_total")) && "the name of a counter ends in _total");
  text_ += fmt::format("# HELP {} ", name);
  append_escaped(text_, help, false);
  text_ += fmt::format("\n# TYPE {} {}\n", name, type);
  return {text_, name};
}

void MetricsText::Family::sample(std::string_view suffix, Labels labels, std::string_view bound,
                                 std::string_view value) {
  text_ += name_;
  text_ += suffix;
  if (labels.size() != 0 || !bound.empty()) {
    char before = '{';
    for (const auto& [label, content] : labels) {
      text_ += before;
      text_ += label;
      text_ += "=\"";
      append_escaped(text_, content, true);
      text_ += '"';
      before = ',';
    }
    if (!bound.empty()) text_ += fmt::format("{}le=\"{}\"", before, bound);
    text_ += '}';
  }
  text_ += fmt::format(" {}\n", value);
}

MetricsText::Family& MetricsText::Family::add(Labels labels, std::uint64_t value) {
  sample("", labels, "", fmt::format("{}", value));
  return *this;
}

MetricsText::Family& MetricsText::Family::add(Labels labels, double value) {
  sample("", labels, "", number_text(value));
  return *this;
}

MetricsText::Family& MetricsText::Family::add(Labels labels, const Histogram& nanoseconds) {
  const std::span<const std::uint64_t> counts = nanoseconds.counts();
  std::uint64_t sum = 0;
  std::size_t index = 0;
  for (const std::int64_t bound : bounds) {
    // A counter that a bound divides is counted behind it: a bucket never says more than is true.
    while (index < counts.size() && nanoseconds.highest_at(index) <= bound) sum += counts[index++];
    sample("_bucket", labels, number_text(static_cast<double>(bound) / 1e9), fmt::format("{}", sum));
  }
  const auto count = fmt::format("{}", nanoseconds.count());
  sample("_bucket", labels, "+Inf", count);
  sample("_sum", labels, "", number_text(nanoseconds.mean() * static_cast<double>(nanoseconds.count()) / 1e9));
  sample("_count", labels, "", count);
  return *this;
}

}  // namespace outcry
