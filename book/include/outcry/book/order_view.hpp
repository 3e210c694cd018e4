// OrderView: an order as others see it.
#pragma once

#include <outcry/messages/commands.hpp>
#include <outcry/messages/identity.hpp>
#include <outcry/messages/price.hpp>
#include <outcry/messages/quantity.hpp>
#include <outcry/messages/side.hpp>

namespace outcry {

struct OrderView {
  OrderId id{};
  Price price{};
  Quantity open{};
  AccountId account{};
  Side side{};
  TimeInForce time_in_force{};
  PostOnly post_only{};
  Quantity reserve{};  // of an iceberg: what is not displayed
  friend bool operator==(const OrderView&, const OrderView&) = default;
};

}  // namespace outcry
