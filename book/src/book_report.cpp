#include <outcry/book/book_report.hpp>

#include <cstdio>

namespace outcry {

BookReport::Queues& BookReport::Queues::operator+=(const Queues& other) {
  levels += other.levels;
  orders += other.orders;
  volume += other.volume;
  longest = std::max(longest, other.longest);
  for (std::size_t n = 0; n < lengths.size(); ++n) lengths[n] += other.lengths[n];
  return *this;
}

BookReport& BookReport::operator+=(const BookReport& other) {
  counts.events += other.counts.events;
  counts.new_orders += other.counts.new_orders;
  counts.cancels += other.counts.cancels;
  counts.reductions += other.counts.reductions;
  counts.modifications += other.counts.modifications;
  counts.replacements += other.counts.replacements;
  counts.trades += other.counts.trades;
  counts.traded += other.counts.traded;
  counts.executions += other.counts.executions;
  counts.ends_of_day += other.counts.ends_of_day;
  counts.rejections += other.counts.rejections;
  bids += other.bids;
  asks += other.asks;
  return *this;
}

std::string to_string(const BookReport& report) {
  const auto number = [](std::uint64_t n) { return std::to_string(n); };
  const auto side = [&](const char* name, const BookReport::Queues& queues) {
    if (queues.levels == 0) return std::string(name) + ": none\n";
    char mean[32];
    std::snprintf(mean, sizeof mean, "%.2f", queues.orders_per_level());
    return std::string(name) + ": " + number(queues.orders) + " orders of " + number(queues.volume) + " on " +
           number(queues.levels) + " levels, " + mean + " a level, at most " + number(queues.longest) + "\n";
  };
  const BookCounts& c = report.counts;
  std::string text = "asked: " + number(c.new_orders) + " new, " + number(c.cancels) + " cancel, " +
                     number(c.reductions) + " reduce, " + number(c.modifications) + " modify, " +
                     number(c.replacements) + " replace; " + number(c.rejections) + " rejected; " + number(c.trades) +
                     (c.trades == 1 ? " trade of " : " trades of ") + number(c.traded) + "; " + number(c.events) +
                     " events\n";
  text += side("bids", report.bids) + side("asks", report.asks);
  for (std::size_t n = 1; n < report.bids.lengths.size(); ++n) {
    const std::uint64_t bids = report.bids.lengths[n], asks = report.asks.lengths[n];
    if (bids == 0 && asks == 0) continue;
    const std::uint64_t least = std::uint64_t{1} << (n - 1), most = 2 * least - 1;
    text += "queues of " + number(least) + (most > least ? " to " + number(most) : "") + ": " + number(bids) +
            " bid, " + number(asks) + " ask\n";
  }
  return text;
}

}  // namespace outcry
