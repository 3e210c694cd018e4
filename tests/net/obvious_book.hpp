// ObviousBook: what rests at each price and in how many orders, in maps: slow, and plain enough to be believed.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include <outcry/messages/history.hpp>
#include <outcry/messages/market_data.hpp>

namespace outcry::test {

class ObviousBook {
 public:
  void apply(const HistoryEvent& event) {
    switch (event.kind) {
      case HistoryKind::add: add(event.id, event.side, event.price, event.quantity.lots); break;
      case HistoryKind::execute:
      case HistoryKind::reduce: take(event, event.quantity.lots); break;
      case HistoryKind::remove: take(event, all); break;
      case HistoryKind::replace: {
        const auto old = orders_.find(event.id);
        const Side side = old == orders_.end() ? Side::buy : old->second.side;
        take(event, all);
        add(event.new_id, side, event.price, event.quantity.lots);
        break;
      }
      case HistoryKind::clear:
        orders_.clear();
        for (auto& side : levels_) side.clear();
        break;
      default: break;
    }
  }

  /// Without the orders that make it up: takes what unknown orders lose.
  void seed(Side side, Price price, std::uint64_t volume) { level_of(side, price).volume += volume; }

  std::vector<DepthLevel> bids(std::size_t most) const { return best(Side::buy, most); }
  std::vector<DepthLevel> asks(std::size_t most) const { return best(Side::sell, most); }
  std::size_t live_orders() const { return orders_.size(); }
  std::size_t unknown_orders() const { return unknown_; }

 private:
  static constexpr std::uint64_t all = ~std::uint64_t{0};

  struct Order {
    Side side;
    Price price;
    std::uint64_t open;
  };

  struct Level {
    std::uint64_t volume = 0;
    std::uint32_t orders = 0;  // of those that were shown
  };

  // Both sides best first: bids under their negative price.
  Level& level_of(Side side, Price price) {
    return levels_[static_cast<int>(side)][side == Side::buy ? -price.units : price.units];
  }

  void add(OrderId id, Side side, Price price, std::uint64_t quantity) {
    orders_[id] = {side, price, quantity};
    Level& level = level_of(side, price);
    level.volume += quantity;
    ++level.orders;
  }

  void take(const HistoryEvent& event, std::uint64_t quantity) {
    const auto found = orders_.find(event.id);
    if (found == orders_.end()) {
      ++unknown_;
      take_level(event.side, event.price, event.quantity.lots, false);
      return;
    }
    Order& order = found->second;
    quantity = std::min(quantity, order.open);
    order.open -= quantity;
    take_level(order.side, order.price, quantity, order.open == 0);
    if (order.open == 0) orders_.erase(found);
  }

  void take_level(Side side, Price price, std::uint64_t quantity, bool with_its_order) {
    Level& level = level_of(side, price);
    level.volume -= std::min(level.volume, quantity);
    level.orders -= with_its_order;
    if (level.volume == 0) levels_[static_cast<int>(side)].erase(side == Side::buy ? -price.units : price.units);
  }

  std::vector<DepthLevel> best(Side side, std::size_t most) const {
    std::vector<DepthLevel> out;
    for (const auto& [key, level] : levels_[static_cast<int>(side)]) {
      if (out.size() == most) break;
      out.push_back({.price = {side == Side::buy ? -key : key}, .volume = level.volume, .orders = level.orders});
    }
    return out;
  }

  std::map<OrderId, Order> orders_;
  std::map<std::int64_t, Level> levels_[2];
  std::size_t unknown_ = 0;
};

}  // namespace outcry::test
