// What remains of the size that a replacement asks for, when it reaches the book.
//
// The owner's number of open shares may be older than the last trades of his order: what has traded since is taken off,
// so that he is liable for no more than he said.
#pragma once

#include <algorithm>
#include <optional>

#include <outcry/book/order_book.hpp>
#include <outcry/messages/identity.hpp>
#include <outcry/messages/quantity.hpp>

namespace outcry {

/// Of `wanted` shares, if the owner has seen `seen_open` of the order that is to be replaced. Nothing: as much has
/// traded. A book that does not know the order, or knows it as another account's, refuses all of it.
template <class Book>
std::optional<Quantity> replacement_size(const Book& book, OrderId replaced, AccountId account, Quantity seen_open,
                                         Quantity wanted) {
  const auto order = book.find(replaced);
  if (!order || order->account != account) return wanted;
  const Quantity open = order->open + order->reserve;
  const Quantity gone = seen_open - std::min(open, seen_open);
  if (gone >= wanted && gone != Quantity{}) return std::nullopt;
  return wanted - gone;
}

}  // namespace outcry
