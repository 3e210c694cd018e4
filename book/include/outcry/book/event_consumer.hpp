// EventConsumer: whoever is told what happens in a book, while it happens.
//
// The calls are made from inside the command and inlined. A consumer must not give the same book a command; what it
// asks the book while a command runs may be half-way.
#pragma once

#include <concepts>

#include <outcry/messages/events.hpp>

namespace outcry {

template <class T>
concept EventConsumer =
    requires(T& consumer, const Accepted& accepted, const Rejected& rejected, const Traded& traded,
             const Cancelled& cancelled, const Reduced& reduced, const Modified& modified, const Replaced& replaced) {
      consumer.on(accepted);
      consumer.on(rejected);
      consumer.on(traded);
      consumer.on(cancelled);
      consumer.on(reduced);
      consumer.on(modified);
      consumer.on(replaced);
    };

}  // namespace outcry
