// Market data out of a venue.
#include "itch_out.hpp"

int main(int argc, char** argv) {
  bench::pin_to_core(1);
  bench::Report report("market_data", argc, argv);
  bench::measure_itch_out(report);
  return report.finish();
}
