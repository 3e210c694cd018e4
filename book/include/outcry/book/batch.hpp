// Batch: carries out messages that are there already, fetching for the later ones while the earlier ones are worked on.
//
// With many symbols nearly every order, level and table entry is a cache miss; known a few messages ahead, most of the
// misses overlap. With one busy symbol everything is cached anyway, and carrying out one by one is faster.
//
// Thread: the books' owner only.
// Limits: changes nothing about order or outcome; what it fetches in vain is lost time only.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include <outcry/book/order_book.hpp>

namespace outcry {

/// How many messages ahead of the one that is carried out each stage works; a stage needs what the one before fetched.
struct Ahead {
  std::size_t book = 24;
  std::size_t id = 18;
  std::size_t order = 12;
  std::size_t neighbours = 6;
};

/// Calls carry_out(message) for every message in order; book_of(message) gives its OrderBook, hint_of(message) its
/// Hint. Requires: ahead.book >= ahead.id >= ahead.order >= ahead.neighbours.
template <class Message, class BookOf, class HintOf, class CarryOut>
void carry_out_batch(std::span<const Message> batch, BookOf&& book_of, HintOf&& hint_of, CarryOut&& carry_out,
                     Ahead ahead = {}) {
  const Message* messages = batch.data();
  const std::size_t count = batch.size();
  // One loop for the ends and the middle: positions before the first message wrap to large numbers.
  for (std::size_t lead = 0; lead < count + ahead.book; ++lead) {
    const std::size_t id = lead - (ahead.book - ahead.id);
    const std::size_t order = lead - (ahead.book - ahead.order);
    const std::size_t neighbours = lead - (ahead.book - ahead.neighbours);
    const std::size_t now = lead - ahead.book;
    if (lead < count) book_of(messages[lead]).prefetch_book();
    if (id < count) book_of(messages[id]).prefetch_id(hint_of(messages[id]));
    if (order < count) book_of(messages[order]).prefetch_order(hint_of(messages[order]));
    if (neighbours < count) book_of(messages[neighbours]).prefetch_neighbours(hint_of(messages[neighbours]));
    if (now < count) carry_out(messages[now]);
  }
}

}  // namespace outcry
