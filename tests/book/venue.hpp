// Venue: a book with rules, and short ways to ask it something; for tests that draw a book before and after.
//
// Hidden orders stand in brackets, all-or-none orders in braces, the reserve of an iceberg after a plus, orders without a
// price between the sides.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include <outcry/book/order_book.hpp>

#include "event_list.hpp"

namespace outcry_test {

/// A book with rules, and short ways to ask it something.
struct Venue {
  explicit Venue(const BookRules& rules = {}, const Instrument& instrument = {}) : book(instrument, pool) {
    book.set_rules(rules);
  }

  std::string said() {
    std::string text = "\n", line;
    for (const char c : events.text()) {
      line += c;
      if (c != '\n') continue;
      if (line.rfind("  terms of", 0) != 0) text += line;
      line.clear();
    }
    events.clear();
    CHECK(book.check() == "");
    return text;
  }
  std::string drawn() const { return std::string("\n").append(book.to_string()); }

  void submit(const SpecialOrder& order) { book.submit(order, events); }
  void replace(std::uint64_t id, const SpecialOrder& order) {
    book.replace(ReplaceTerms{.id = {id}, .order = order}, events);
  }
  void buy(std::uint64_t id, std::uint32_t lots, std::int64_t price, std::uint32_t account = 0) {
    book.submit(NewOrder{.id = {id}, .price = {price}, .quantity = {lots}, .account = {account}}, events);
  }
  void sell(std::uint64_t id, std::uint32_t lots, std::int64_t price, std::uint32_t account = 0) {
    book.submit(NewOrder{.id = {id}, .price = {price}, .quantity = {lots}, .account = {account}, .side = Side::sell},
                events);
  }
  void phase(Phase phase) { book.change_phase({.phase = phase}, events); }
  void cancel(std::uint64_t id) { book.cancel(CancelOrder{.id = {id}}, events); }

  OrderPool pool;
  OrderBook<> book;
  EventList events;
};

inline SpecialOrder order(std::uint64_t id, Side side, std::uint32_t lots, std::int64_t price) {
  return {.id = {id}, .price = {price}, .quantity = {lots}, .side = side};
}
inline SpecialOrder with(SpecialOrder o, Terms terms, std::uint32_t part = 0) {
  o.terms = terms;
  o.part = {part};
  return o;
}
inline SpecialOrder with(SpecialOrder o, SpecialType type, std::int64_t trigger = 0) {
  o.type = type;
  o.trigger = trigger;
  return o;
}
inline SpecialOrder with(SpecialOrder o, TimeInForce time_in_force, std::uint32_t expires_s = 0) {
  o.time_in_force = time_in_force;
  o.expires_s = expires_s;
  return o;
}

}  // namespace outcry_test
