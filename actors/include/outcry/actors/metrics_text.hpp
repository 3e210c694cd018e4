// MetricsText: counters, gauges and histograms as Prometheus reads them: text format 0.0.4.
//
//     MetricsText text;
//     text.counter("outcry_orders_total", "Orders that reached a book").add({{"symbol", "AAPL"}}, 12);
//     text.gauge("outcry_sessions", "Sessions that are logged in").add({}, 3);
//
// Names of counters end in _total, times are in seconds. All samples of a name are added before the next name begins.
// Thread: one owner.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <outcry/runtime/histogram.hpp>

namespace outcry {

class MetricsText {
 public:
  using Label = std::pair<std::string_view, std::string_view>;
  using Labels = std::initializer_list<Label>;

  /// What is added to one name. Valid until the next name.
  class Family {
   public:
    Family& add(Labels labels, std::uint64_t value);
    Family& add(Labels labels, double value);
    /// Of a histogram: a bucket for each of bucket_bounds() and one for all, sum and count. Its values are nanoseconds,
    /// the text's are seconds.
    Family& add(Labels labels, const Histogram& nanoseconds);

   private:
    friend class MetricsText;
    Family(std::string& text, std::string_view name) : text_(text), name_(name) {}
    void sample(std::string_view suffix, Labels labels, std::string_view bound, std::string_view value);

    std::string& text_;
    std::string name_;
  };

  /// Requires: a name of letters, digits and underscores, none of them twice in a text.
  Family counter(std::string_view name, std::string_view help) { return family(name, help, "counter"); }
  Family gauge(std::string_view name, std::string_view help) { return family(name, help, "gauge"); }
  Family histogram(std::string_view name, std::string_view help) { return family(name, help, "histogram"); }

  /// In nanoseconds: 1, 2.5 and 5 times each power of ten from a microsecond to ten seconds.
  static std::span<const std::int64_t> bucket_bounds();

  const std::string& text() const { return text_; }
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

 private:
  Family family(std::string_view name, std::string_view help, std::string_view type);

  std::string text_;
};

}  // namespace outcry
