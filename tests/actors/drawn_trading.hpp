// What a participant of a drawn market sends to a symbol: its orders, and what it does with them.
#pragma once

#include <variant>

#include <outcry/actors/participant.hpp>
#include <outcry/runtime/task.hpp>

#include "tests/book/drawn_market.hpp"

namespace outcry_test {

/// Waits for room. The commands of the day and of history are left out.
inline Task<> send_drawn(SymbolAddress symbol, Command command) {
  if (const auto* order = std::get_if<NewOrder>(&command)) {
    auto sent = symbol.send(*order);
    co_await sent;
  } else if (const auto* cancel = std::get_if<CancelOrder>(&command)) {
    auto sent = symbol.send(*cancel);
    co_await sent;
  } else if (const auto* modify = std::get_if<ModifyOrder>(&command)) {
    auto sent = symbol.send(*modify);
    co_await sent;
  } else if (const auto* replace = std::get_if<ReplaceOrder>(&command)) {
    auto sent = symbol.send(*replace);
    co_await sent;
  }
}

}  // namespace outcry_test
