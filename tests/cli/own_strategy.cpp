// A user's program of one file: what the tests of outcry::run() start.
#include <stdexcept>

#include <outcry/actors/run.hpp>

using namespace outcry;

Strategy buy_once(Trader& trader) {
  bool bought = false;
  while (co_await trader.next()) {
    if (bought || !trader.quote().has_ask()) continue;
    trader.buy(Quantity{100}, trader.quote().ask);
    bought = true;
    if (trader.symbol_count() == 3) throw std::runtime_error("three symbols are too many");
  }
}

int main(int argc, char** argv) { return run(buy_once, argc, argv); }
