// Uses words of the market and an instrument of the runtime, whose library needs one of the system's.

#include <cstdio>
#include <sstream>

#include <outcry/messages/commands.hpp>
#include <outcry/runtime/histogram.hpp>
#include <outcry/runtime/histogram_file.hpp>

int main() {
  const outcry::NewOrder order{
      .price = outcry::Price{1600}, .quantity = outcry::Quantity{7}, .side = outcry::Side::buy};

  outcry::Histogram prices;
  prices.record(order.price.units);
  std::ostringstream log;
  outcry::HistogramLog(log, 0).write("prices", 0, 1, prices);

  std::printf("%s at %lld\n", to_string(order.side), static_cast<long long>(prices.max()));
  return prices.max() == 1600 && log.str().find("Tag=prices") != std::string::npos ? 0 : 1;
}
