// A thread that is no actor reads the book of a running symbol.
#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <thread>

#include <outcry/actors/book_door.hpp>
#include <outcry/actors/symbol.hpp>
#include <outcry/book/book_reader.hpp>
#include <outcry/runtime/runtime.hpp>

using namespace outcry;

namespace {

NewOrder order(std::uint64_t id, Side side, std::int64_t price, std::uint32_t quantity) {
  return {.id = {id}, .price = {price}, .quantity = {quantity}, .account = {7}, .side = side};
}

}  // namespace

TEST_CASE("a thread that is no actor reads depth and orders of a running symbol, and hears when it has ended") {
  BookDoor door;
  Runtime runtime({.pin = false});
  const SymbolAddress market = runtime.spawn(symbol, SymbolOptions{.door = &door});
  runtime.start();
  market.send(order(1, Side::buy, 100, 10));
  market.send(order(2, Side::buy, 100, 20));
  market.send(order(3, Side::buy, 99, 5));
  market.send(CancelOrder{.id = {1}, .account = {7}});
  market.send(order(4, Side::sell, 105, 8));

  while (door.state() != BookDoor::State::open) std::this_thread::yield();
  BookReader reader(door.book());
  while (!reader.top(Side::sell)) std::this_thread::yield();
  std::array<DepthLevel, 4> bids{};
  const DepthLook depth = reader.depth(Side::buy, bids);
  std::array<OrderView, 4> orders{};
  const LevelLook best = reader.copy_level(Side::buy, {100}, orders);

  CHECK(depth.levels == 2);
  CHECK(bids[0] == DepthLevel{{100}, 20, 1});
  CHECK(bids[1] == DepthLevel{{99}, 5, 1});
  CHECK(best.copied == 1);
  CHECK(orders[0] == OrderView{.id = {2}, .price = {100}, .open = {20}, .account = {7}, .side = Side::buy});

  runtime.stop();
  runtime.join();
  CHECK(reader.top(Side::buy).look == Look::seen);  // a runtime that has stopped keeps its actors
}

TEST_CASE("in a simulated world the door is refused: there, the symbol is asked") {
  BookDoor door;
  {
    Runtime runtime({.time = WorldTime::virtually});
    runtime.spawn(symbol, SymbolOptions{.door = &door});
    runtime.run_until(Time{});
  }
  CHECK(door.state() == BookDoor::State::refused);
  CHECK(door.book() == nullptr);
}
