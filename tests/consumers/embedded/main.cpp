// Words of the market, with nothing installed.

#include <cstdio>

#include <outcry/messages/commands.hpp>

int main() {
  const outcry::NewOrder order{
      .price = outcry::Price{1600}, .quantity = outcry::Quantity{7}, .side = outcry::Side::sell};

  std::printf("%s at %lld\n", to_string(order.side), static_cast<long long>(order.price.units));
  return opposite(order.side) == outcry::Side::buy ? 0 : 1;
}
